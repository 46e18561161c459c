"""When a plant can make what, what stands behind a tonne of a product, and how tables become arrays."""

from __future__ import annotations

import numpy as np
import pytest

from orepact.market.horizon import Array
from orepact.market.plants import window_share
from orepact.market.recipe import embodied
from orepact.market.world import world_of
from tiny_instances import Row, countries, facility, plant, project, tiny, two_stages


def test_a_start_is_offered_between_its_years_if_output_begins_within_the_horizon() -> None:
    plants = [
        project(facility="any"),
        project(facility="early", latest_start=2027),
        project(facility="late", earliest_start=2027),
        project(facility="slow", lead_time=4.0),
        project(facility="never", lead_time=6.0),
    ]
    world = world_of(tiny({"facilities": plants}, years=(2, 2, 2)))
    assert {p.code: world.starts[f] for f, p in enumerate(world.plants)} == {
        "any": (0, 1, 2), "early": (0,), "late": (1, 2), "slow": (0,), "never": (),
    }  # fmt: skip


def test_a_candidate_leads_ramps_and_ends() -> None:
    shaky = {"lead_time": 1.0, "ramp_up": 2.0, "lifetime": 3.0, "availability": 0.9}
    world = world_of(tiny({"facilities": [project(**shaky)]}, years=(2, 2, 2)))
    # first output 2027, full in 2029, end in 2030
    assert world.first_output[0, 0, 0] == 2027
    assert world.alive[0, 0, :, 0].tolist() == pytest.approx([1 / 2, 1, 0])
    assert world.output[0, 0, :, 0].tolist() == pytest.approx([0.9 * 0.25 / 2, 0.9 * (0.75 + 1) / 2, 0])
    assert world.tested[0, 0, :, 0].tolist() == [False, False, False]  # 2028 begins before it is fully ramped up
    assert world.tested[0, 1, :, 0].tolist() == [False, False, False]
    steady = world_of(tiny({"facilities": [project(lead_time=1.0)]}, years=(2, 2, 2)))
    assert steady.tested[0, 0, :, 0].tolist() == [True, True, True]  # no ramp: tested as soon as it runs


def test_an_existing_plant_needs_no_decision() -> None:
    plants = [plant(), plant(facility="open", opening_year=2027.0, ramp_up=2.0), plant(facility="shut", retirement_year=2027.5, ramp_up=5.0)]
    world = world_of(tiny({"facilities": plants}, years=(2, 2)))
    assert world.output[facility(world, "old"), 0, :, 0].tolist() == [1, 1]
    assert world.output[facility(world, "open"), 0, :, 0].tolist() == pytest.approx([0.25 / 2, (0.75 + 1) / 2])
    assert world.output[facility(world, "shut"), 0, :, 0].tolist() == pytest.approx([1.5 / 2, 0])
    assert world.starts == ((0,), (0,), (0,))


def test_a_window_counts_from_first_output() -> None:
    world = world_of(tiny({"facilities": [project(lead_time=1.0), plant(), plant(facility="next", opening_year=2028.0)]}, years=(2, 2)))

    def share(window: float, begins: float = 2027.0) -> Array:
        return window_share(world.plants, np.array([begins, -np.inf, 2028.0]), window, world.horizon)

    new, old, opening = share(1.0)
    assert old == pytest.approx([1 / 2, 0])  # older than the horizon: from its first year
    assert new == pytest.approx([1, 0])
    assert opening == pytest.approx([0, 1 / 2])
    assert share(2.0)[0] == pytest.approx([1, 1 / 2])
    assert share(10.0)[0] == pytest.approx([1, 1])
    assert not share(10.0, begins=np.inf)[0].any()  # a start that comes too late


def test_materials_add_to_operating_cost() -> None:
    tables: dict[str, list[Row]] = {
        "facilities": [plant()],
        "process_materials": [{"process": "make", "material": "acid", "amount": 0.5}],
        "raw_materials": [{"material": "acid", "year": 2026, "price": 8.0}, {"material": "acid", "year": 2028, "price": 16.0}],
    }
    world = world_of(tiny(tables, years=(2, 2)))
    assert (world.plants[0].opex * world.price_unit).tolist() == pytest.approx([40 + 0.5 * (8 + 12) / 2, 40 + 0.5 * 16])


def test_the_main_output_is_flagged_or_worth_most() -> None:
    tables: dict[str, list[Row]] = {
        "products": [{"product": k, "mineral": "m", "stage": "metal"} for k in ("M", "N")],
        "process_flows": [{"process": "make", "product": "M", "amount": 1.0}, {"process": "make", "product": "N", "amount": 0.5}],
        "prices": [{"product": "M", "year": 2026, "price": 100.0}, {"product": "N", "year": 2026, "price": 150.0}],
        "facilities": [plant()],
    }
    assert world_of(tiny(tables)).plants[0].main == 0


def test_a_recipe_follows_every_stage() -> None:
    # ore → oxide (3 t) → metal (1.5 t), and a recycler of metal without ore: half the capacity
    flow = np.array([[1, 0, 0], [-3, 1, 0], [0, -1.5, 1], [0, 0, 1]], dtype=float)
    e = embodied(flow, np.array([9.0, 9.0, 2.0, 2.0]), np.array([0, 1, 2, 2]), 3)
    assert e.tolist() == [[1, 3, 3 * 0.75], [0, 1, 0.75], [0, 0, 1]]


def test_a_table_may_say_what_is_embodied() -> None:
    given = [{"product": "O", "within": "M", "amount": 3.5}]
    smelter = plant(process="smelt")
    assert world_of(two_stages({"facilities": [smelter]})).embodied.tolist() == [[1, 2], [0, 1]]
    assert world_of(two_stages({"facilities": [smelter], "embodied": given})).embodied.tolist() == [[1, 3.5], [0, 1]]
    assert world_of(two_stages()).embodied.tolist() == [[1, 0], [0, 1]]


def test_chains_are_joined_by_processes() -> None:
    assert world_of(two_stages()).chain.tolist() == [0, 1]  # nobody smelts
    assert world_of(two_stages({"facilities": [plant(process="smelt")]})).chain.tolist() == [0, 0]


def test_members_carry_what_nobody_owns_by_value_of_demand() -> None:
    who = countries(USA="member", EU="member", FRA="member:EU", AUS="partner", CHN="outside")
    wanted = [{"country": c, "product": "M", "year": 2026, "demand": d} for c, d in (("USA", 300.0), ("EU", 100.0), ("FRA", 200.0), ("AUS", 900.0))]
    world = world_of(tiny({"countries": who, "demand": wanted}))
    assert world.nodes == ("USA", "EU", "AUS")
    assert world.burden.tolist() == [1 / 2, 1 / 2]
    idle = world_of(tiny({"countries": who, "demand": wanted[3:]}))
    assert idle.burden.tolist() == [1 / 2, 1 / 2]  # nobody uses anything: equal shares


def test_the_reference_scenario_is_named_or_the_likeliest() -> None:
    scenarios = [{"scenario": "a", "probability": 0.3}, {"scenario": "b", "probability": 0.35}, {"scenario": "c", "probability": 0.35}]
    assert world_of(tiny({"scenarios": scenarios})).reference == 1
    assert world_of(tiny({"scenarios": scenarios}, policy={"reference_scenario": "a"})).reference == 0


def test_a_scenario_without_probability_is_in_the_model_only_if_it_must_be() -> None:
    flags = [{}, {"normal": True}, {"downside": True}, {"normal": False}]
    scenarios = [{"scenario": "s", "probability": 1.0}, *({"scenario": f"x{n}", "probability": 0.0, **flag} for n, flag in enumerate(flags))]
    world = world_of(tiny({"scenarios": scenarios}))
    assert world.in_model.tolist() == [True, False, True, True, False]
    assert world.normal.tolist() == [True, False, True, False, False]
