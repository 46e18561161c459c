"""Goods between countries of the zone: routed ones on their routes, pooled ones between the members' and the partners' hub."""

from __future__ import annotations

import math
from typing import Any

import pytest

from model_rows import at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, countries, plant, rung, tiny

WHO = countries(USA="member", EU="member", AUS="partner", CHN="outside")
FLOOR = [rung("floor", "reference", 110.0)]


def pooled(tables: dict[str, Any] | None = None, **settings: Any) -> Instance:
    """A partner's plant of 800 t, a member's of 500 t; freight to the hub from each."""
    freight = [{"product": "M", "origin": c, "destination": "ZONE", "cost": x} for c, x in (("AUS", 6.0), ("USA", 2.0))]
    plants = [plant(), plant(facility="away", country="AUS", capacity=800.0)]
    return tiny({"countries": WHO, "freight": freight, "facilities": plants, **(tables or {})}, **settings)


def routed(tables: dict[str, Any] | None = None, **settings: Any) -> Instance:
    freight: list[Row] = [
        {"product": "M", "origin": "USA", "destination": "EU", "cost": 1.0, "capacity": 300.0},
        {"product": "M", "origin": "AUS", "destination": "EU", "cost": 4.0},
        {"product": "*", "origin": "EU", "destination": "AUS", "cost": 5.0},
        {"product": "M", "origin": "CHN", "destination": "EU", "cost": 2.0},
    ]
    plants = [plant(), plant(facility="away", country="AUS", capacity=800.0)]
    return tiny({"countries": WHO, "freight": freight, "facilities": plants, **(tables or {})}, product={"trade": "routed"}, **settings)


def test_members_pay_partners_the_price_of_the_rung_in_force() -> None:
    built = model_of(pooled({"ladder": FLOOR}), [{}, {"M": "floor"}])
    assert costs(built, "partner goods")[2026, "s"] == pytest.approx({"goods[M,2026,s,100.0]": 100, "goods[M,2026,s,110.0]": 110})
    assert rows(built, "trade.goods_at_some_price", "k t w") == {
        ("M", 2026, "s"): equal({"goods[M,2026,s,100.0]": 1, "goods[M,2026,s,110.0]": 1, "swap[M,in,2026,s]": -1}),
    }
    found = rows(built, "trade.price_in_force", "k t w price")
    assert found["M", 2026, "s", 100.0] == at_most({"goods[M,2026,s,100.0]": 1, "z[M,2026,free]": -1300})
    assert found["M", 2026, "s", 110.0] == at_most({"goods[M,2026,s,110.0]": 1, "z[M,2026,floor]": -1300})


def test_pooled_freight_from_partners_is_their_mean_and_sales_to_them_earn_the_world_price() -> None:
    who = [*WHO, *countries(NZL="partner", FJI="partner")]
    plants = [plant(), plant(facility="a", country="AUS"), plant(facility="n", country="NZL")]
    freight = [{"product": "M", "origin": c, "destination": "ZONE", "cost": x} for c, x in (("AUS", 6.0), ("NZL", 9.0), ("FJI", 50.0))]
    built = model_of(pooled({"countries": who, "facilities": plants, "freight": freight}))
    assert costs(built, "freight")[2026, "s"] == pytest.approx({"swap[M,in,2026,s]": (6 + 9) / 2})  # nobody in Fiji makes it
    assert costs(built, "sales to partners")[2026, "s"] == pytest.approx({"swap[M,out,2026,s]": -100})


def test_inside_the_whole_zone_trade_only_costs_freight() -> None:
    built = model_of(pooled({"ladder": FLOOR}, economics={"perimeter": "zone"}), [{}, {"M": "floor"}])
    assert costs(built, "partner goods") == {}
    assert costs(built, "sales to partners") == {}
    assert costs(built, "freight")[2026, "s"] == pytest.approx({"x[old,2026,s]": 2, "x[away,2026,s]": 6})
    built = model_of(routed(economics={"perimeter": "zone"}))
    assert costs(built, "freight")[2026, "s"] == pytest.approx(
        {"flow[USA→EU,2026,s]": 1, "flow[AUS→EU,2026,s]": 4, "flow[EU→AUS,2026,s]": 5, "im[CHN,EU,2026,s]": 2}
    )


def test_routes_have_a_cost_and_may_have_a_capacity() -> None:
    built = model_of(routed())
    world, flow = built.case.world, built.model.trade.flow
    limits = zip(flow, flow.upper.tolist(), strict=True)
    most = {world.nodes[world.routes[r].origin]: limit for (r, _, _), limit in limits if world.nodes[world.routes[r].destination] == "EU"}
    assert most["USA"] * world.mass_unit == pytest.approx(300)
    assert most["AUS"] == math.inf
    assert costs(built, "freight")[2026, "s"] == pytest.approx(
        {"flow[USA→EU,2026,s]": 1, "flow[AUS→EU,2026,s]": 4, "flow[EU→AUS,2026,s]": 5, "im[CHN,EU,2026,s]": 2}
    )
    assert costs(built, "sales to partners")[2026, "s"] == pytest.approx({"flow[EU→AUS,2026,s]": -100})
    assert costs(built, "partner goods")[2026, "s"] == pytest.approx({"goods[M,2026,s,100.0]": 100})


def test_the_planner_pays_partners_no_more_than_a_contract_could_make_them_take() -> None:
    menu = [
        {"contract": "shared", "products": "M", "strike": 70.0, "upside_share": 0.5, "ceiling": 90.0},
        {"contract": "strike", "products": "*", "strike": 95.0, "upside_share": 1.0},
        {"contract": "floor", "products": "M", "strike": 50.0},
        {"contract": "dear", "products": "M", "strike": 130.0, "upside_share": 1.0},
    ]
    planner = Rules(behaviour="planner")
    assert costs(model_of(pooled({"contracts": menu}), rules=planner), "partner goods")[2026, "s"] == pytest.approx({"swap[M,in,2026,s]": 90})
    assert costs(model_of(pooled({"contracts": menu[1:2]}), rules=planner), "partner goods")[2026, "s"] == pytest.approx({"swap[M,in,2026,s]": 95})
    assert costs(model_of(pooled({"contracts": menu[2:]}), rules=planner), "partner goods")[2026, "s"] == pytest.approx({"swap[M,in,2026,s]": 100})


USE = [{"country": "EU", "product": "M", "year": 2026, "demand": 1000.0}]


def test_goods_take_the_cheapest_way() -> None:
    # 300 t from America at 40 + 1, the rest from China (2 of freight) before Australia (4); America's last 200 t are dumped
    plan = optimum(routed({"demand": USE}, economics={"resale": 0.8}))
    assert plan is not None
    assert plan.objective == pytest.approx(500 * 40 + 300 * 1 - 200 * 0.8 * 100 + 700 * (100 + 2))
    assert plan.terms == pytest.approx({"operation": 500 * 40, "freight": 300 + 700 * 2, "surplus": -16_000, "imports": 70_000})


def test_a_share_of_the_zones_own_goods_brings_the_partners_in() -> None:
    target = {"target": "own", "kind": "zone_share", "products": "M", "value": 1.0}
    freight = [{"product": "M", "origin": "USA", "destination": "EU", "cost": 1.0}, {"product": "M", "origin": "AUS", "destination": "EU", "cost": 4.0}]
    plan = optimum(routed({"demand": USE, "targets": [target], "freight": freight}))
    assert plan is not None
    assert plan.objective == pytest.approx(500 * (40 + 1) + 500 * (100 + 4))
    # the partner dumps its last 300 t, at its own loss
    assert plan.mass(plan.built.model.surplus.overflow, 0, 2, 0, 0) == pytest.approx(300)
    freight[0]["capacity"] = 199.0
    assert optimum(routed({"demand": USE, "targets": [target], "freight": freight})) is None  # 199 + 800 t


def test_pooled_goods_of_partners_under_a_floor() -> None:
    # the member's 500 t, the partner's at the floor and its freight; what is left of its 800 t is bought up and resold for nothing
    target = {"target": "own", "kind": "zone_share", "products": "M", "value": 1.0}
    plan = optimum(pooled({"ladder": FLOOR, "targets": [target]}, economics={"resale": 0.0}), [{"M": "floor"}])
    assert plan is not None
    glut = 1300 - 1000
    assert plan.objective == pytest.approx(500 * (40 + 2) + 500 * (110 + 6) + 110 * glut + 0.25 * 110 * glut)
