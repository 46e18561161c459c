"""Stocks: bought before the scenario is known, released when things are not normal."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, countries, plant, rung, tiny

BAN: dict[str, list[Row]] = {
    "scenarios": [{"scenario": "s", "probability": 0.75}, {"scenario": "ban", "probability": 0.25}],
    "shocks": [{"scenario": "ban", "kind": "supply", "value": 0.7, "first_year": 2028}],
    "shortage_costs": [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 10.0}],
}
SITE = {"product": "M", "initial": 50.0, "max_purchase": 100.0, "max_level": 400.0}
FLOOR = [rung("floor", "reference", 110.0)]


def stocked(tables: dict[str, Any] | None = None, **more: Any) -> Instance:
    """Two periods of two years; a stock of 50 t to begin with, 100 t/a may be bought; in 2028 supply may fall to 700 t."""
    product = {"holding_cost": 0.05, **more.pop("product", {})}
    return tiny({**BAN, "stockpiles": [SITE], **(tables or {})}, years=(2, 2), available=1000.0, product=product, **more)


def test_what_is_bought_and_not_released_is_carried_over() -> None:
    built = model_of(stocked())
    assert rows(built, "stockpile.stock_carried_over", "s t w") == {
        ("M", 2026, "s"): equal({"stock[M,2026,s]": 1, "buy[M,2026,0]": -2}, 50),
        ("M", 2028, "s"): equal({"stock[M,2028,s]": 1, "buy[M,2028,0]": -2, "stock[M,2026,s]": -1}),
        ("M", 2026, "ban"): equal({"stock[M,2026,ban]": 1, "buy[M,2026,0]": -2, "release[M,2026,ban]": 2}, 50),
        ("M", 2028, "ban"): equal({"stock[M,2028,ban]": 1, "buy[M,2028,0]": -2, "release[M,2028,ban]": 2, "stock[M,2026,ban]": -1}),
    }
    assert built.model.stockpile.level.upper[0] * built.case.world.mass_unit == pytest.approx(400)
    assert rows(built, "stockpile.most_per_year", "s t")["M", 2026] == at_most({"buy[M,2026,0]": 1}, 100)


def test_purchases_are_split_by_the_price_in_force() -> None:
    built = model_of(stocked({"ladder": [*FLOOR, rung("low", "reference", 99.0, step=2)]}), [{}, {"M": "floor"}, {"M": "low"}])
    assert rows(built, "stockpile.most_per_year", "s t")["M", 2026] == at_most({"buy[M,2026,0]": 1, "buy[M,2026,1]": 1}, 100)
    assert rows(built, "stockpile.price_in_force", "s t n") == {
        ("M", year, g): at_most({f"buy[M,{year},{g}]": 1, **dict.fromkeys(zs, -100)})
        for year in (2026, 2028)
        for g, zs in ((0, [f"z[M,{year},free]", f"z[M,{year},low]"]), (1, [f"z[M,{year},floor]"]))
    }


def test_a_stock_costs_its_holding_and_is_worth_its_resale_in_the_end() -> None:
    built = model_of(stocked(economics={"resale": 0.8}))
    assert costs(built, "stock holding")[2026, "ban"] == pytest.approx({"stock[M,2026,ban]": 0.05 * 100})
    assert set(costs(built, "stock left")) == {(2028, "s"), (2028, "ban")}
    assert costs(built, "stock left")[2028, "s"] == pytest.approx({"stock[M,2028,s]": -0.8 * 100 / 2})


def test_supply_that_just_meets_demand_leaves_nothing_to_buy() -> None:
    plan = optimum(stocked(economics={"resale": 0.8}))
    assert plan is not None
    assert plan.mass(plan.built.model.stockpile.buy, 0, 0, 0) == pytest.approx(0)
    normal = 4 * 100_000 + 4 * 50 * 0.05 * 100 - 50 * 0.8 * 100
    ban = 2 * 100_000 + 2 * 50 * 0.05 * 100 + 2 * (700 * 100 + (300 - 25) * 1000)
    assert plan.objective == pytest.approx(0.75 * normal + 0.25 * ban)


def surplus_supply(**economics: float) -> Instance:
    money = {"resale": 0.8, "public_money_premium": 0.25, **economics}
    shocks = [{"scenario": "ban", "kind": "supply", "value": 0.5, "first_year": 2028}]
    supply = [{"country": "CHN", "product": "M", "year": 2026, "available": 1400.0}]
    return stocked({"shocks": shocks, "outside_supply": supply}, economics=money)


def test_buying_ahead_of_a_ban() -> None:
    # 300 t/a are lacking in the ban from 2028. Bought: 100 t/a in 2026-27 (250 t with the first 50), none later. Released: 125 t/a.
    # In normal times the 250 t stay to the end, where they fetch 80 USD/t.
    plan = optimum(surplus_supply())
    assert plan is not None
    model = plan.built.model
    assert plan.mass(model.stockpile.buy, 0, 0, 0) == pytest.approx(100)
    assert plan.mass(model.stockpile.buy, 0, 1, 0) == pytest.approx(0)
    assert plan.mass(model.stockpile.release, 0, 1, 1) == pytest.approx(125)
    first = 2 * (1100 * 100 + 0.25 * 100 * 100 + 250 * 0.05 * 100)
    normal = 2 * (1000 * 100 + 250 * 0.05 * 100) - 250 * 0.8 * 100
    ban = 2 * (700 * 100 + (300 - 125) * 10 * 100)
    assert plan.objective == pytest.approx(first + 0.75 * normal + 0.25 * ban)


def test_what_a_release_earns_offsets_other_spending() -> None:
    built = model_of(stocked({"ladder": FLOOR}), [{"M": "floor"}])
    found = rows(built, "treasury.outlay_less_revenue", "m t w")["USA", 2028, "ban"]
    assert found.terms["release[M,2028,ban]"] == pytest.approx(100)  # at the world price
    assert rows(built, "treasury.spent", "m n t w")["USA", "stockpile", 2028, "ban"] == equal({"buy[M,2028,0]": 110, "spending[USA,stockpile,2028,ban]": -1})


def test_stockpiled_contracts_force_the_purchase() -> None:
    menu = [{"contract": "store", "products": "M", "strike": 110.0, "stockpiled": True, "existing": True, "window": 3.0}]
    built = model_of(stocked({"facilities": [plant(opex=105.0, availability=0.9)], "contracts": menu}))
    assert rows(built, "stockpile.contracted_for_stock", "s t") == {
        ("M", 2026): at_least({"buy[M,2026,0]": 1, "volume[old store]": -0.9}),
        ("M", 2028): at_least({"buy[M,2028,0]": 1, "volume[old store]": -0.9 / 2}),
    }
    # a routed product is stored by whoever pays
    who = countries(USA="member", EU="member", CHN="outside")
    for site, offered in (("EU", [-1]), ("USA", [-1, 0])):
        tables = {"countries": who, "facilities": [plant(opex=105.0)], "contracts": menu, "stockpiles": [{**SITE, "country": site}]}
        assert [x.deal.contract for x in model_of(stocked(tables, product={"trade": "routed"})).case.deals] == offered


def test_a_stock_that_a_member_refuses_is_not_filled() -> None:
    who = countries(USA="member", EU="member", CHN="outside")
    refused = [{"member": "EU", "instrument": "stockpile"}]
    built = model_of(stocked({"countries": who, "refusals": refused}))
    assert rows(built, "stockpile.most_per_year", "s t")["M", 2026] == at_most({"buy[M,2026,0]": 1}, 0)
    routed = model_of(stocked({"countries": who, "refusals": refused, "stockpiles": [{**SITE, "country": "USA"}]}, product={"trade": "routed"}))
    assert rows(routed, "stockpile.most_per_year", "s t")["M@USA", 2026] == at_most({"buy[M@USA,2026,0]": 1}, 100)
    planner = model_of(stocked({"countries": who, "refusals": refused}), rules=Rules(behaviour="planner"))
    assert rows(planner, "stockpile.most_per_year", "s t")["M", 2026] == at_most({"buy[M,2026,0]": 1}, 100)


def test_without_stocks_there_is_no_stock() -> None:
    built = model_of(stocked(), rules=Rules(stock=False))
    assert len(built.model.stockpile.level) == len(built.model.stockpile.buy) == 0


def test_the_planners_purchases_are_goods_only() -> None:
    plan = optimum(surplus_supply(), behaviour="planner")
    assert plan is not None
    first = 2 * (1100 * 100 + 250 * 0.05 * 100)
    normal = 2 * (1000 * 100 + 250 * 0.05 * 100) - 250 * 0.8 * 100
    ban = 2 * (700 * 100 + (300 - 125) * 10 * 100)
    assert plan.objective == pytest.approx(first + 0.75 * normal + 0.25 * ban)
