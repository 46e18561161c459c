"""What plants make: they run when they can pay their cash cost, and stand idle for want of feed only."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, countries, plant, project, rung, sellers, tiny, two_stages

FLOOR = {"contract": "floor", "products": "M", "strike": 110.0}


def test_plants_make_what_the_deals_in_force_say() -> None:
    # at 90 the old plant (95 USD/t) runs under its contract only, on the half of its capacity that is covered
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "low", "probability": 0.5}]
    shocks = [{"scenario": "low", "kind": "price", "value": 0.9}]
    menu = [{**FLOOR, "existing": True, "min_share": 0.5, "max_share": 0.5}]
    tables = {"facilities": [plant(opex=95.0, availability=0.8)], "contracts": menu, "scenarios": scenarios, "shocks": shocks}
    found = rows(model_of(tiny(tables)), "activity.runs_as_agreed", "f t w")
    assert found["old", 2026, "s"] == equal({"x[old,2026,s]": -1, "weight[old plain]": 0.8 * 500, "weight[old floor]": 0.8 * 500})
    assert found["old", 2026, "low"] == equal({"x[old,2026,low]": -1, "volume[old floor]": 0.8})


def test_starts_differ_in_what_they_make_when() -> None:
    built = model_of(tiny({"facilities": [project(ramp_up=1.0)]}, years=(1, 1)))
    assert rows(built, "activity.runs_as_agreed", "f t w") == {
        ("new", 2026, "s"): equal({"x[new,2026,s]": -1, "weight[new plain 2026]": 0.5 * 500}),
        ("new", 2027, "s"): equal({"x[new,2027,s]": -1, "weight[new plain 2026]": 500, "weight[new plain 2027]": 0.5 * 500}),
    }


def smelting(ore: float, tables: dict[str, Any] | None = None, **settings: Any) -> Instance:
    """A smelter of 500 t that needs 1000 t of ore."""
    given = {"facilities": [plant(process="smelt")], "outside_supply": [*sellers("O", CHN=ore), *sellers("M", CHN=10_000.0)]}
    return two_stages({**given, **(tables or {})}, **settings)


def test_idle_only_where_feed_is_short() -> None:
    built = model_of(smelting(600.0))
    assert rows(built, "activity.runs_as_agreed", "f t w") == {
        ("old", 2026, "s"): equal({"x[old,2026,s]": -1, "idle[old,2026,s]": -1, "weight[old plain]": 500}),
    }
    assert rows(built, "activity.idle_for_want_of_feed") == {(0, 0, 0): at_most({"idle[old,2026,s]": 1, "q[O,2026,s]": -500})}
    assert built.model.activity.q.whole
    assert (0, 0, 0) in built.model.activity.q
    enough = model_of(smelting(1000.0))
    assert len(enough.model.activity.idle) == 0
    assert len(enough.model.activity.q) == 0


def test_feed_counts_as_short_only_on_paths_where_it_may_be() -> None:
    # a standard on ore shuts out the seller that does not comply
    supply = [*sellers("O", CHN=600.0, MMR={"available": 400.0, "compliant": False}), *sellers("M", CHN=10_000.0)]
    tables = {
        "countries": countries(USA="member", CHN="outside", MMR="outside"),
        "outside_supply": supply,
        "ladder": [rung("clean", "standard", 0.1, product="O")],
    }
    built = model_of(smelting(0.0, tables), [{}, {"O": "clean"}])
    assert rows(built, "activity.short_on_this_path", "k t w") == {("O", 2026, "s"): at_most({"q[O,2026,s]": 1, "y[O clean]": -1})}


BAN: dict[str, list[Row]] = {
    "scenarios": [{"scenario": "s", "probability": 0.75}, {"scenario": "ban", "probability": 0.25, "downside": True}],
    "shocks": [{"scenario": "ban", "kind": "supply", "product": "O", "value": 0.7}],
}


def test_cut_feed_excuses_idling_and_the_owner_bears_it() -> None:
    # 35 USD/t are lost on a tonne not made in a ban; 500 t earn 17,500 a year of 10,000 asked, lenders look at the ban
    instance = smelting(
        1200.0,
        {**BAN, "facilities": [project(process="smelt", opex=45.0, latest_start=2026)]},
        owners={"cover": 1.2, "debt_share": 0.5, "debt_rate": 0.0, "debt_tenor": 10},
    )
    built = model_of(instance)
    name = "weight[new plain 2026]"
    assert rows(built, "activity.idle_for_want_of_feed") == {}  # no limit but output itself
    assert rows(built, "activity.still_worth_building") == {(0, 0): at_least({name: 500 * 35 - 10_000, "idle[new,2026,ban]": -0.25 * 35})}
    assert rows(built, "activity.lenders_still_content") == {(0, 0, 0, 1): at_least({name: 500 * 35 - 0.06 * 100_000, "idle[new,2026,ban]": -35})}


def test_an_owner_may_idle_only_as_far_as_it_stays_worth_building() -> None:
    # use of metal must be the zone's own; ore for 200 t of 500 in the ban; the owner can forgo 7,500 in expectation
    ban = {**BAN, "shocks": [{"scenario": "ban", "kind": "supply", "product": "O", "value": 0.4}]}
    target = {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}
    tables = {**ban, "facilities": [project(process="smelt", opex=45.0, latest_start=2026)], "targets": [target]}
    plan = optimum(smelting(1000.0, tables))
    assert plan is not None
    assert plan.mass(plan.built.model.activity.x, 0, 0, 1) == pytest.approx(200)
    normal, ban_cost = 500 * (45 + 20) + 500 * 100, 200 * (45 + 20) + 800 * 100
    assert plan.objective == pytest.approx(10_000 + 0.75 * normal + 0.25 * ban_cost)
    # a tenth of capital more and the loss in the ban (300 t, 35 USD, a quarter of the time) is too much
    dear = [project(process="smelt", opex=45.0, latest_start=2026, capex=149_000.0)]
    assert optimum(smelting(1000.0, {**tables, "facilities": dear})) is None


def test_a_refiner_idles_while_every_tonne_of_feed_is_drawn() -> None:
    plan = optimum(smelting(600.0))
    assert plan is not None
    assert plan.objective == pytest.approx(300 * 40 + 600 * 10 + 700 * 100)
    assert plan.mass(plan.built.model.activity.idle, 0, -1, 0, 0) == pytest.approx(200)


def test_operation_and_freight_of_plants() -> None:
    freight = [
        {"product": "M", "origin": "USA", "destination": "ZONE", "cost": 3.0},
        {"product": "O", "origin": "ZONE", "destination": "USA", "cost": 1.5},
        {"product": "*", "origin": "ZONE", "destination": "USA", "cost": 9.0},
    ]
    built = model_of(smelting(5000.0, {"freight": freight, "facilities": [plant(process="smelt", quality_premium=7.0)]}))
    assert costs(built, "operation") == {(2026, "s"): {"x[old,2026,s]": pytest.approx(40 - 7)}}
    assert costs(built, "freight")[2026, "s"]["x[old,2026,s]"] == pytest.approx(3 + 2 * 1.5)
    away = model_of(
        smelting(5000.0, {"countries": countries(USA="member", AUS="partner", CHN="outside"), "facilities": [plant(process="smelt", country="AUS")]})
    )
    assert costs(away, "operation") == {}


def test_the_planner_runs_plants_as_it_likes() -> None:
    tables = {"facilities": [plant(process="smelt"), project(process="smelt", ramp_up=1.0)]}
    built = model_of(smelting(5000.0, tables, years=(1, 1)), rules=Rules(behaviour="planner"))
    found = rows(built, "activity.within_capacity", "f t w")
    assert found["old", 2026, "s"] == at_most({"x[old,2026,s]": 1}, 500)
    assert found["new", 2027, "s"] == at_most({"x[new,2027,s]": 1, "u[new,2026]": -500, "u[new,2027]": -250})
    loss = smelting(5000.0, {"facilities": [plant(process="smelt", opex=79.0), plant(facility="dear", process="smelt", opex=81.0)]})
    plan = optimum(loss, behaviour="planner")
    assert plan is not None
    assert plan.objective == pytest.approx(500 * (79 + 20) + 500 * 100)
