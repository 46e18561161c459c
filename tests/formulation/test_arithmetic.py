"""Sums that prove a target impossible: right where they say so, silent where a plan exists."""

from __future__ import annotations

import pytest

import orepact
from orepact.formulation.arithmetic import Shortfall, impossible
from orepact.instance.instance import Instance
from orepact.market.world import world_of
from planted import base, has_plan
from tiny_instances import plant, project, rung, tiny, two_stages


def shortfalls(instance: Instance) -> list[Shortfall]:
    return impossible(world_of(instance))


def own(**cells: object) -> dict[str, object]:
    return {"target": "own", "kind": "zone_share", "products": "M", "value": 0.9, **cells}


def test_capacity_year_by_year() -> None:
    tables = {"facilities": [plant(), project(capacity=300.0, lead_time=1.0)], "targets": [own()]}
    first, second = shortfalls(tiny(tables, years=(1, 1)))
    assert (first.year, second.year) == (2026, 2027)
    assert [first.most, first.needed, first.reach] == pytest.approx([500, 900, 0.5])
    assert [second.most, second.reach] == pytest.approx([800, 0.8])


def test_feed_counts() -> None:
    # the smelter could make 1000 t, but of the 2000 t of ore that takes there are 600
    tables = {"facilities": [plant(process="smelt", capacity=1000.0)], "targets": [own()]}
    assert shortfalls(two_stages(tables, available=600.0))[0].most == pytest.approx(300)


def test_users_may_leave() -> None:
    # at a floor of twice the price half of use remains, and 500 t are all of it
    tables = {"facilities": [plant()], "targets": [own()], "ladder": [rung("floor", "reference", 200.0)]}
    assert shortfalls(tiny(tables, product={"elasticity": 1.0})) == []


def test_an_outage_and_a_stock() -> None:
    lost = {"target": "n1", "kind": "n_minus_1", "products": "M", "outage": "CHN", "value": 0.6}
    days = {"target": "days", "kind": "stock_days", "products": "M", "value": 73.0}
    stock = {"product": "M", "country": "ZONE", "max_level": 50.0, "max_purchase": 1000.0}
    found = {s.target: s for s in shortfalls(tiny({"facilities": [plant()], "targets": [lost, days], "stockpiles": [stock]}))}
    assert found["n1"].reach == pytest.approx(0.5)
    assert found["days"].reach == pytest.approx(50 / 1000 * 365)


def test_the_warning_names_the_row_and_the_years() -> None:
    (warning,) = orepact.validate(tiny({"facilities": [plant()], "targets": [own()]}))
    assert (warning.file, warning.row, warning.column) == ("targets.csv", 2, "value")
    assert "2026: 500 of the 900 t/a asked, which is 50.0% at most" in warning.rule


@pytest.mark.parametrize("seed", range(30))
def test_silent_where_there_is_a_plan(seed: int) -> None:
    instance = base(seed)
    if instance is not None and instance.tables.plain("targets").lines and has_plan(seed):
        assert shortfalls(instance) == []
