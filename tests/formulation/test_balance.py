"""What comes in goes out, at every place; nobody passes on what it didn't make, and nothing leaves while feed is short."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import countries, plant, rung, sellers, tiny, two_stages

WHO = countries(USA="member", AUS="partner", CHN="outside")
STOCK = {"product": "M", "max_purchase": 100.0}


def test_everything_that_comes_in_goes_out() -> None:
    tables = {
        "countries": WHO,
        "facilities": [plant(process="smelt"), plant(facility="mine", process="mine", country="AUS", opex=5.0)],
        "outside_sales": [{"product": "O", "year": 2026, "limit": 10.0}],
        "scenarios": [{"scenario": "s", "probability": 0.5}, {"scenario": "ban", "probability": 0.5}],
        "shocks": [{"scenario": "ban", "kind": "supply", "product": "M", "value": 0.5}],
        "shortage_costs": [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 3.0}],
        "stockpiles": [STOCK],
    }
    found = rows(model_of(two_stages(tables)), "balance.goods", "k p t w")
    at = "2026,ban"
    assert found["M", "members", 2026, "ban"] == equal(
        {
            f"x[old,{at}]": 1, f"im[CHN M,members,{at}]": 1, f"swap[M,in,{at}]": 1, f"swap[M,out,{at}]": -1, f"short[M,members,{at},0]": 1,
            f"release[M,{at}]": 1, "buy[M,2026,0]": -1, "z[M,2026,free]": -1000, f"overflow[M,members,{at}]": -1,
        }
    )  # fmt: skip
    assert found["O", "members", 2026, "ban"] == equal({f"x[old,{at}]": -2, f"im[CHN O,members,{at}]": 1, f"swap[O,in,{at}]": 1, f"swap[O,out,{at}]": -1})
    assert found["O", "partners", 2026, "ban"] == equal(
        {
            f"x[mine,{at}]": 1, f"im[CHN O,partners,{at}]": 1, f"swap[O,in,{at}]": -1, f"swap[O,out,{at}]": 1,
            f"export[O,partners,{at}]": -1, f"overflow[O,partners,{at}]": -1,
        }
    )  # fmt: skip


def test_demand_is_that_of_the_rung_in_force() -> None:
    instance = tiny({"ladder": [rung("duty", "tariff", 0.25), rung("floor", "reference", 90.0, step=2)]}, product={"elasticity": 1.0})
    found = rows(model_of(instance, [{}, {"M": "duty"}, {"M": "floor"}]), "balance.goods", "k p t w")
    demand = {"z[M,2026,free]": -1000, "z[M,2026,duty]": -800, "z[M,2026,floor]": -1000}
    assert found == {("M", "members", 2026, "s"): equal({"im[CHN,members,2026,s]": 1, **demand})}


def test_only_own_output_leaves() -> None:
    tables = {
        "countries": WHO,
        "facilities": [plant(country="AUS")],
        "outside_sales": [{"product": "M", "year": 2026, "limit": 10.0}],
        "ladder": [rung("floor", "reference", 110.0)],
    }
    found = rows(model_of(tiny(tables), [{}, {"M": "floor"}]), "balance.own_output_only", "k p t w")
    spot = "M,partners,2026,s"
    assert found["M", "partners", 2026, "s"] == at_most(
        {"swap[M,in,2026,s]": 1, f"export[{spot}]": 1, f"overflow[{spot}]": 1, f"glut[{spot},110.0]": 1, "x[old,2026,s]": -1}
    )
    assert found["M", "members", 2026, "s"] == at_most({"swap[M,out,2026,s]": 1})  # which makes nothing


def test_goods_from_outside_are_not_passed_on_as_the_zones_own() -> None:
    # use is in America, China's only route leads to Australia: its plant's 500 t may come, not what it imports beside
    freight = [{"product": "M", "origin": "CHN", "destination": "AUS"}, {"product": "M", "origin": "AUS", "destination": "USA"}]
    blocks = [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 3.0}]
    tables = {"countries": WHO, "facilities": [plant(country="AUS")], "freight": freight, "shortage_costs": blocks}
    plan = optimum(tiny(tables, product={"trade": "routed"}))
    assert plan is not None
    assert plan.objective == pytest.approx(500 * 100 + 500 * 3 * 100)


def feed(ore: float, tables: dict[str, Any] | None = None) -> Instance:
    """A smelter of 500 t that needs 1000 t of ore, a mine of 200 t and ore from outside."""
    given = {
        "facilities": [plant(process="smelt"), plant(facility="mine", process="mine", capacity=200.0, opex=5.0)],
        "outside_supply": [*sellers("O", CHN=ore), *sellers("M", CHN=10_000.0)],
        "outside_sales": [{"product": "O", "year": 2026, "limit": 1000.0}],
        "stockpiles": [{"product": "O", "max_purchase": 100.0}],
    }
    return two_stages({**given, **(tables or {})})


def test_nothing_leaves_while_feed_is_short_and_all_of_it_is_bought() -> None:
    ladder = [rung("f12", "reference", 12.0, product="O"), rung("clean", "standard", 0.1, step=2, product="O")]
    tables = {
        "countries": [*countries(USA="member", CHN="outside", MMR="outside")],
        "outside_supply": [*sellers("O", CHN=500.0, MMR={"available": 200.0, "compliant": False}), *sellers("M", CHN=10_000.0)],
        "ladder": ladder,
    }
    built = model_of(feed(0.0, tables), [{}, {"O": "f12"}, {"O": "clean"}])
    bought = rows(built, "balance.all_supply_bought_when_short", "k t w")["O", 2026, "s"]
    imports = {"im[CHN O,members,2026,s]": 1, "im[MMR,members,2026,s]": 1}
    assert bought == at_least({**imports, "z[O,2026,free]": -700, "z[O,2026,f12]": -700, "z[O,2026,clean]": -500, "q[O,2026,s]": -700}, -700)
    kept = rows(built, "balance.nothing_leaves_when_short", "k t w")["O", 2026, "s"]
    spot = "O,members,2026,s"
    leaving = {
        f"export[{spot}]": 1,
        f"overflow[{spot}]": 1,
        f"glut[{spot},12.0]": 1,
        f"glut[{spot},11.0]": 1,
        "buy[O,2026,0]": 1,
        "buy[O,2026,1]": 1,
        "buy[O,2026,2]": 1,
    }
    assert kept == at_most({**leaving, "q[O,2026,s]": 200 + 100}, 200 + 100)


def test_ore_is_not_exported_while_the_smelter_idles() -> None:
    # 400 t from outside and 200 t of the mine feed 300 t of metal, although ore could be sold abroad
    plan = optimum(feed(400.0))
    assert plan is not None
    assert plan.objective == pytest.approx(200 * 5 + 400 * 10 + 300 * 40 + 700 * 100)
    assert plan.mass(plan.built.model.surplus.export, 0, -1, 0, 0) == pytest.approx(0)


def test_the_planner_exports_ore_if_that_pays() -> None:
    # smelting a tonne of metal at 95 USD/t on 2 t of ore saves 100 USD, less than the ore fetches
    plants = [plant(process="smelt", opex=85.0), plant(facility="mine", process="mine", capacity=200.0, opex=5.0)]
    plan = optimum(feed(400.0, {"facilities": plants}), rules=Rules(behaviour="planner"))
    assert plan is not None
    assert plan.objective == pytest.approx(200 * 5 - 200 * 0.98 * 10 + 1000 * 100)
