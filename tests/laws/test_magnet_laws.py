"""The laws on the real instance, over a short list of price paths and within the gaps."""

from __future__ import annotations

from functools import cache
from pathlib import Path as Folder
from typing import Any

import pytest

import orepact
from laws.test_laws import no_dearer, one_scenario, rows, without_reasons
from orepact.instance.instance import Instance
from orepact.options import SolveOptions

pytestmark = pytest.mark.slow

GAP = 0.001
ALONE: dict[str, Any] = {"baseline": False, "stress": False, "progress": False, "neighbours": False, "time_limit": 900.0}


@cache
def magnet() -> Instance:
    return orepact.read(Folder(__file__).parent.parent.parent / "instances" / "magnet-rare-earths")


def solved(instance: Instance, paths: int = 3, **more: Any) -> float:
    result = orepact.solve(instance, SolveOptions(gap=GAP, path_list=paths, **{**ALONE, **more})).result
    assert result.status == "solved"
    assert result.objective is not None
    return result.objective


@cache
def before() -> float:
    return solved(magnet())


def test_the_planner_costs_no_more() -> None:
    """Within the perimeter `zone`, in which the planner is a relaxation without conditions, and as the instance has it."""
    assert solved(magnet(), behaviour="planner") <= before()
    zone = magnet().with_setting("economics.perimeter", "zone")
    assert solved(zone, behaviour="planner") <= solved(zone)


@pytest.mark.parametrize(("table", "column", "change"), [("targets", "value", 0.7), ("budgets", "limit", 1.5)])
def test_relaxing_never_costs_more(table: str, column: str, change: float) -> None:
    eased = rows(magnet(), table)
    for row in eased:
        row[column] = min(1.0, row[column] / change) if row.get("kind") == "reliance_cap" else row[column] * change
    assert no_dearer(solved(magnet().with_table(table, eased)), before() * (1 + GAP))


def test_more_paths_never_cost_more() -> None:
    assert no_dearer(solved(magnet(), paths=12), before() * (1 + GAP))


def test_the_one_model_agrees_with_the_search() -> None:
    assert solved(magnet(), method="milp") == pytest.approx(before(), rel=2 * GAP)


def test_without_reasons_nothing_is_bought() -> None:
    """The zone's own plants and the same prices, but no bans, targets, lenders, foreign owners, freight or returns above the social rate."""
    plain = without_reasons(one_scenario(magnet()))
    plan = orepact.solve(plain, SolveOptions(gap=1e-7, **{**ALONE, "path_list": 12}))
    nothing = orepact.solve(plain, SolveOptions(gap=1e-7, **{**ALONE, "path_list": 1}))
    planner = orepact.solve(plain, SolveOptions(gap=1e-7, behaviour="planner", **ALONE))
    assert plan.result.objective == pytest.approx(nothing.result.objective, rel=1e-6)
    assert nothing.result.objective == pytest.approx(planner.result.objective, rel=1e-6)
    assert not len(nothing.table("contracts"))
    assert not len(nothing.table("grants"))
