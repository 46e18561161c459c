"""Which price paths are lawful, which are listed, and what is next to them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orepact.market.ladder import Ladder, ladders_of
from orepact.market.paths import Path, distinct, free_trade, lawful, listed_paths, neighbours, own_paths, revisions
from orepact.market.world import World, world_of
from tiny_instances import plant, rung, two_stages

FLOORS = [rung(f"f{n}", "reference", 100.0 + 5 * n, step=n) for n in (1, 2, 3)]
MIXED = [*FLOORS, rung("duty", "tariff", 0.3, step=4), rung("ore", "reference", 12.0, product="O"), rung("more", "minimum", 14.0, step=2, product="O")]


def menu(ladder: list[dict[str, Any]] | None = None, years: tuple[int, ...] = (1, 1, 1), **more: Any) -> tuple[World, tuple[Ladder, ...]]:
    """Ore and metal joined by a smelter; metal has floors and a tariff, ore two floors."""
    policy = more.pop("policy", {})
    world = world_of(two_stages({"facilities": [plant(process="smelt")], "ladder": MIXED if ladder is None else ladder, **more}, years=years, policy=policy))
    return world, ladders_of(world)


def metal(*rungs: int) -> Path:
    return Path(((0,) * len(rungs), rungs))


def all_lawful(world: World, ladders: tuple[Ladder, ...]) -> list[tuple[int, ...]]:
    """Every lawful way for metal, ore being free."""
    every = itertools.product(range(len(ladders[1].rungs)), repeat=world.horizon.periods)
    return [rungs for rungs in every if lawful(world, ladders, metal(*rungs))]


def test_paths_are_the_same_when_their_rungs_are() -> None:
    assert Path(((0,), (1,)), "a") == Path(((0,), (1,)), "b")
    assert distinct([metal(1), metal(0), Path(((0,), (1,)), "again")]) == [metal(1), metal(0)]
    assert metal(1, 2).with_product(0, (2, 2), "x").rungs == ((2, 2), (1, 2))


def test_rungs_move_one_step_at_a_time() -> None:
    world, ladders = menu(FLOORS)
    assert all_lawful(world, ladders) == [r for r in itertools.product(range(4), repeat=3) if abs(r[1] - r[0]) <= 1 and abs(r[2] - r[1]) <= 1]


def test_a_longer_stride_or_none() -> None:
    world, ladders = menu(FLOORS, policy={"max_step": 2})
    assert all_lawful(world, ladders) == [r for r in itertools.product(range(4), repeat=3) if abs(r[1] - r[0]) <= 2 and abs(r[2] - r[1]) <= 2]
    world, ladders = menu(FLOORS, policy={"max_step": 0})
    assert len(all_lawful(world, ladders)) == 4**3


def test_rungs_change_in_revision_years_only() -> None:
    world, ladders = menu(FLOORS, years=(1, 1, 1, 1), policy={"revision_years": [2028], "max_step": 0})
    assert revisions(world) == [0, 2]
    assert all_lawful(world, ladders) == [(a, a, b, b) for a in range(4) for b in range(4)]


def test_a_rung_must_be_offered() -> None:
    ladder = [rung("f", "reference", 110.0, first_year=2027), rung("g", "reference", 120.0, step=2, legal_limit=0.1)]
    world, ladders = menu(ladder)
    assert all_lawful(world, ladders) == [(0, a, b) for a in (0, 1) for b in (0, 1)]


def test_the_list_is_lawful_and_without_repeats() -> None:
    for policy in ({}, {"max_step": 0}, {"revision_years": [2028]}):
        world, ladders = menu(policy=policy)
        found = listed_paths(world, ladders)
        assert found[0] == free_trade(world)
        assert len(set(found)) == len(found)
        assert all(lawful(world, ladders, p) for p in found)
        assert all(p.label for p in found)


def test_the_list_tries_each_stage_and_all_at_every_level() -> None:
    world, ladders = menu()
    found = listed_paths(world, ladders)
    expected = {
        **{f"metal alone at {n}": metal(n, n, n) for n in (1, 2, 3)},
        "tariff": metal(4, 4, 4),
        "ore alone": Path(((2, 2, 2), (0, 0, 0))),
        "both low": Path(((1, 1, 1), (1, 1, 1))),
        "both high": Path(((2, 2, 2), (3, 3, 3))),
        "rising": metal(1, 2, 3),
        "falling": metal(3, 2, 1),
    }
    assert [name for name, p in expected.items() if p not in found] == []


def test_a_list_without_a_ladder_is_free_trade() -> None:
    world, ladders = menu([])
    assert listed_paths(world, ladders) == [free_trade(world)]
    assert list(neighbours(world, ladders, free_trade(world), False)) == []


def test_where_a_rung_is_not_offered_yet_the_next_lower_one_stands_in() -> None:
    world, ladders = menu([FLOORS[0], {**FLOORS[1], "first_year": 2027}])
    assert metal(1, 2, 2) in listed_paths(world, ladders)


def test_the_users_own_paths_hold_from_their_year_on() -> None:
    rows = [
        {"path": "mine", "product": "M", "year": 2028, "rung": "f3"},
        {"path": "mine", "product": "M", "year": 2026, "rung": "f1"},
        {"path": "odd", "product": "O", "year": 2027, "rung": "more"},
        {"path": "odd", "product": "O", "year": 2029, "rung": "free"},
    ]
    world, ladders = menu(price_paths=rows, years=(1, 2, 2))
    mine, odd = own_paths(world, ladders)
    assert (mine.label, mine.rungs) == ("mine", ((0, 0, 0), (1, 1, 3)))  # 2028 falls into the period from 2027
    assert (odd.label, odd.rungs) == ("odd", ((0, 2, 0), (0, 0, 0)))
    assert not lawful(world, ladders, mine)
    assert listed_paths(world, ladders)[:3] == [free_trade(world), mine, odd]  # taken as given


def test_neighbours_move_one_product_to_any_rung_throughout() -> None:
    world, ladders = menu()
    here = metal(1, 2, 3)
    near = list(neighbours(world, ladders, here, False))
    assert {p.rungs for p in near} == {((0,) * 3, (n,) * 3) for n in range(5)} | {((n,) * 3, (1, 2, 3)) for n in (1, 2)}
    assert all(lawful(world, ladders, p) for p in near)


def test_fine_neighbours_move_one_window_or_all_that_follows() -> None:
    world, ladders = menu(FLOORS)
    near = {p.rungs[1] for p in neighbours(world, ladders, metal(1, 1, 1), True)}
    assert near == {
        (0, 1, 1),
        (2, 1, 1),
        (1, 0, 1),
        (1, 2, 1),
        (1, 1, 0),
        (1, 1, 2),
        (1, 0, 0),
        (1, 2, 2),
        (1, 2, 3),
    }  # the last: towards the third rung, a step at a time
    world, ladders = menu(FLOORS, years=(1, 1, 1, 1), policy={"revision_years": [2028]})
    near = {p.rungs[1] for p in neighbours(world, ladders, metal(1, 1, 1, 1), True)}
    assert near == {(0, 0, 1, 1), (2, 2, 1, 1), (1, 1, 0, 0), (1, 1, 2, 2)}


BY_STEP = {step: menu(policy={"max_step": step}) for step in (0, 1, 2)}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.lists(st.integers(0, 2), min_size=3, max_size=3), st.booleans(), st.sampled_from([0, 1, 2]))
def test_neighbours_are_lawful_others_that_differ_in_one_product(m: list[int], o: list[int], fine: bool, step: int) -> None:
    world, ladders = BY_STEP[step]
    here = Path((tuple(o), tuple(m)))
    for near in neighbours(world, ladders, here, fine):
        assert near != here
        assert lawful(world, ladders, near) or not lawful(world, ladders, here)
        assert sum(a != b for a, b in zip(near.rungs, here.rungs, strict=True)) == 1


@pytest.mark.parametrize("step", [1, 2])
def test_fine_neighbours_connect_every_lawful_path(step: int) -> None:
    world, ladders = menu(FLOORS, policy={"max_step": step})
    reached, frontier = {metal(0, 0, 0)}, [metal(0, 0, 0)]
    while frontier:
        near = [p for p in neighbours(world, ladders, frontier.pop(), True) if p not in reached]
        reached.update(near)
        frontier += near
    assert {p.rungs[1] for p in reached} == set(all_lawful(world, ladders))
