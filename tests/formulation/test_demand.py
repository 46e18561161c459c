"""Demand that falls with the price, use forgone, and shortage in blocks."""

from __future__ import annotations

import math

import pytest

from model_rows import at_most, costs, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from tiny_instances import Row, countries, rung, sellers, tiny

BLOCKS = [{"product": "M", "block": 1, "share": 0.2, "price_multiple": 2.0}, {"product": "M", "block": 2, "share": 0.8, "price_multiple": 5.0}]
DUTY = [rung("duty", "tariff", 0.25)]
BAN: dict[str, list[Row]] = {
    "scenarios": [{"scenario": "s", "probability": 0.75}, {"scenario": "ban", "probability": 0.25}],
    "shocks": [{"scenario": "ban", "kind": "supply", "value": 0.7, "first_year": 2027}],
}


def test_each_block_holds_its_share_of_what_is_wanted() -> None:
    built = model_of(tiny({"shortage_costs": BLOCKS, "ladder": DUTY, **BAN}, years=(1, 1), product={"elasticity": 1.0}), [{}, {"M": "duty"}])
    found = rows(built, "demand.within_block", "k p t w n")
    assert found["M", "members", 2027, "ban", 0] == at_most(
        {"short[M,members,2027,ban,0]": 1, "z[M,2027,free]": -0.2 * 1000, "z[M,2027,duty]": -0.2 * 1000 / 1.25}
    )
    assert found["M", "members", 2027, "ban", 1] == at_most(
        {"short[M,members,2027,ban,1]": 1, "z[M,2027,free]": -0.8 * 1000, "z[M,2027,duty]": -0.8 * 1000 / 1.25}
    )
    assert {key[3] for key in found} == {"ban"}  # supply covers demand in s


def test_use_forgone_and_its_freight() -> None:
    freight = [{"product": "M", "origin": "ZONE", "destination": "USA", "cost": 4.0}]
    built = model_of(tiny({"ladder": DUTY, "freight": freight}, product={"elasticity": 1.0}), [{}, {"M": "duty"}])
    assert costs(built, "use forgone") == {(2026, "s"): {"z[M,2026,duty]": pytest.approx(1000 * 100 * math.log(1.25))}}
    assert costs(built, "freight")[2026, "s"] == pytest.approx({"z[M,2026,free]": 1000 * 4, "z[M,2026,duty]": 1000 / 1.25 * 4})


def test_in_normal_scenarios_shortage_needs_a_path_on_which_supply_falls_short() -> None:
    supply = sellers(CHN=600.0, MMR={"available": 500.0, "compliant": False})
    tables = {"countries": countries(USA="member", CHN="outside", MMR="outside"), "outside_supply": supply, "shortage_costs": BLOCKS[:1]}
    built = model_of(tiny({**tables, "ladder": [rung("clean", "standard", 0.1)]}, trade={"band": 1.0}), [{}, {"M": "clean"}])
    assert rows(built, "demand.short_only_if_supply_is", "k p t w n") == {
        ("M", "members", 2026, "s", 0): at_most({"short[M,members,2026,s,0]": 1, "y[M clean]": -1000}),
    }


def test_shortage_costs_a_multiple_of_the_reference_price_and_less_in_a_long_cut() -> None:
    scenarios = [*BAN["scenarios"], {"scenario": "low", "probability": 0.0, "downside": True}]
    shocks = [*BAN["shocks"], {"scenario": "ban", "kind": "price", "value": 3.0}, {"scenario": "low", "kind": "supply", "value": 0.5, "last_year": 2026}]
    blocks = [{**BLOCKS[0], "price_multiple_long": 1.5}, BLOCKS[1]]
    tables = {"shortage_costs": blocks, "scenarios": scenarios, "shocks": shocks}
    for longer_after, multiple in ((1.0, 1.5), (2.0, 2.0)):
        built = model_of(tiny(tables, years=(1, 1), product={"longer_after": longer_after}))
        assert costs(built, "shortage")[2027, "ban"] == pytest.approx({"short[M,members,2027,ban,0]": multiple * 100, "short[M,members,2027,ban,1]": 5 * 100})


def test_the_easiest_use_goes_without_first() -> None:
    plan = optimum(tiny({"shortage_costs": BLOCKS, **BAN}, years=(1, 1), available=1000.0))
    assert plan is not None
    year = {"s": 1000 * 100, "ban": 700 * 100 + 200 * 2 * 100 + 100 * 5 * 100}
    assert plan.objective == pytest.approx(1000 * 100 + 0.75 * year["s"] + 0.25 * year["ban"])
    assert plan.terms == pytest.approx({"imports": 100_000 + 0.75 * 100_000 + 0.25 * 70_000, "shortage": 0.25 * 90_000})


def test_a_product_without_blocks_cannot_be_short() -> None:
    assert optimum(tiny(BAN, years=(1, 1), available=1000.0)) is None


def test_partners_shortage_costs_the_same() -> None:
    tables = {
        "countries": countries(USA="member", AUS="partner", CHN="outside"),
        "demand": [{"country": "AUS", "product": "M", "year": 2026, "demand": 1000.0}],
        "shortage_costs": BLOCKS,
    }
    plan = optimum(tiny(tables, available=900.0))
    assert plan is not None
    assert plan.objective == pytest.approx(100 * 2 * 100)  # what partners import is their own affair


def test_the_planner_may_be_short_wherever_some_path_may() -> None:
    supply = sellers(CHN=600.0, MMR={"available": 500.0, "compliant": False})
    tables = {"countries": countries(USA="member", CHN="outside", MMR="outside"), "outside_supply": supply, "shortage_costs": BLOCKS[:1]}
    planner = Rules(behaviour="planner")
    clean = model_of(tiny({**tables, "ladder": [rung("clean", "standard", 0.1)]}, trade={"band": 1.0}), rules=planner)
    assert len(clean.model.demand.short) == 1
    free = model_of(tiny(tables, trade={"band": 1.0}), rules=planner)
    assert len(free.model.demand.short) == 0
