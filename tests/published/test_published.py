"""Published optima, reached through the project's own format: the planner is a facility-location, transportation and process-planning model."""

from __future__ import annotations

import pytest

import orepact
from orepact.instance.instance import Instance
from published.convert import read_transportation, read_warehouses
from published.process_planning import cost_by_hand, process_planning

EXACT = 1e-6
"""Relative."""


def least_cost(instance: Instance) -> float:
    """The planner's proven cost, USD."""
    solution = orepact.solve(instance, orepact.SolveOptions(behaviour="planner", gap=0, progress=False))
    assert solution.result.status == "solved"
    assert solution.result.objective is not None
    return solution.result.objective


def test_transportation() -> None:
    assert least_cost(read_transportation()) / 1000 == pytest.approx(153.675, rel=EXACT)


@pytest.mark.parametrize(("name", "optimum"), [("cap41", 1040444.375), ("cap71", 932615.750)])
def test_capacitated_warehouses(name: str, optimum: float) -> None:
    assert least_cost(read_warehouses(name)) == pytest.approx(optimum, rel=EXACT)


def test_process_planning() -> None:
    assert least_cost(process_planning()) == pytest.approx(cost_by_hand(), rel=EXACT)


def test_published_problems_raise_no_warning() -> None:
    for instance in (read_transportation(), read_warehouses("cap41"), read_warehouses("cap71"), process_planning()):
        assert instance.warnings == ()
