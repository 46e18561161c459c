"""How far figures give way: the least, to the last digit, on instances where it can be written down."""

from __future__ import annotations

from typing import Any

import pytest

from model_solves import optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import countries, demand_rows, plant, sellers, tiny

ELASTIC = Rules(elastic=True)


def gives(instance: Instance) -> dict[str, float]:
    """What gives way at the least effort: table and column → amount in t, USD or the unit of the column."""
    plan = optimum(instance, rules=ELASTIC)
    assert plan is not None
    unit: dict[str, Any] = {"freight": plan.world.mass_unit, "stockpiles": plan.world.mass_unit, "budgets": plan.world.money_unit}
    amounts = {f"{cell.table}.{cell.column}": plan.value(column) * unit.get(cell.table, 1.0) for cell, column in plan.built.model.gives.items()}
    return {name: amount for name, amount in amounts.items() if amount > 1e-7}


def test_a_source_gives_a_share_of_itself() -> None:
    assert gives(tiny({"outside_supply": sellers(CHN=800.0)})) == {"outside_supply.available": pytest.approx(1000 / 800 - 1)}


def test_a_route_gives_tonnes() -> None:
    tables = {"freight": [{"product": "M", "origin": "CHN", "destination": "USA", "capacity": 700.0}]}
    assert gives(tiny(tables, product={"trade": "routed"})) == {"freight.capacity": pytest.approx(300)}


def test_a_stock_gives_its_limit() -> None:
    # 73 days of 1000 t are 200 t; 50 may be held
    stock = {"product": "M", "country": "ZONE", "max_level": 50.0, "max_purchase": 1000.0}
    days = {"target": "days", "kind": "stock_days", "products": "M", "value": 73.0}
    found = gives(tiny({"stockpiles": [stock], "targets": [days]}))
    # a hundredth of a year's use weighs the same in days and in tonnes, so either may give; together they make up 150 t
    assert found.get("stockpiles.max_level", 0.0) + 1000 * found.get("targets.value", 0.0) / 365 == pytest.approx(150)


def test_a_target_gives_by_its_value_in_every_year_at_once() -> None:
    demand = [{"country": "USA", "product": "M", "year": y, "demand": d} for y, d in ((2026, 1000.0), (2027, 2000.0))]
    own = {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}
    assert gives(tiny({"facilities": [plant()], "demand": demand, "targets": [own]}, years=(1, 1))) == {"targets.value": pytest.approx(0.25)}


def test_nothing_gives_where_there_is_a_plan() -> None:
    tables = {"countries": countries(USA="member", CHN="outside"), "demand": demand_rows(USA=100.0)}
    assert gives(tiny(tables)) == {}
