"""A result says how the run ended, survives storing, and cannot be put together in a misleading way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orepact.solver.result import PACKAGES, SolveResult, Status, peak_memory_mb, versions


@pytest.mark.parametrize(
    ("status", "code", "objective", "limit"),
    [(Status.SOLVED, 0, 5.0, None), (Status.LIMIT, 3, 5.0, "time"), (Status.INFEASIBLE, 4, None, None), (Status.NO_PLAN, 5, None, "time")],
)
def test_exit_codes(status: Status, code: int, objective: float | None, limit: str | None) -> None:
    result = SolveResult(status, "market", "paths", objective=objective, limit=limit)
    assert result.exit_code == status.exit_code == code
    assert result.has_plan is (objective is not None)


def test_stored_and_read_back() -> None:
    result = SolveResult(
        Status.LIMIT,
        "market",
        "paths",
        objective=7.25e9,
        bound=7.2e9,
        gap=0.0069,
        seconds=61.5,
        paths_examined=31,
        paths_listed=44,
        proven="stopped with the gap still open, over 31 paths",
        limit="time",
        phases={"read": 0.5, "solve": 60.0},
        size={"rows": 10, "coefficient_range": [0.1, 1e5]},
        peak_memory_mb=321.0,
        versions=versions(),
        seed=3,
        threads=2,
    )
    assert SolveResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


@pytest.mark.parametrize(
    "facts",
    [
        {"status": Status.SOLVED},
        {"status": Status.INFEASIBLE, "objective": 1.0},
        {"status": Status.NO_PLAN, "objective": 1.0},
        {"status": Status.LIMIT, "objective": 1.0},
        {"status": Status.SOLVED, "objective": float("inf")},
        {"status": Status.SOLVED, "objective": 1.0, "bound": float("-inf")},
    ],
)
def test_misleading_results_are_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"go with|finite|must say"):
        SolveResult(behaviour="market", method="paths", **facts)


def test_unknown_and_missing_fields_are_named() -> None:
    stored = SolveResult(Status.NO_PLAN, "market", "paths").to_dict()
    with pytest.raises(ValueError, match="not a field of a result: objectiv"):
        SolveResult.from_dict(stored | {"objectiv": 1})
    del stored["method"]
    with pytest.raises(ValueError, match="lacks method"):
        SolveResult.from_dict(stored)


def test_versions_of_everything_an_answer_depends_on() -> None:
    found = versions()
    assert set(found) == {"python", *PACKAGES}
    assert all(found.values())


def test_peak_memory_is_plausible() -> None:
    peak = peak_memory_mb()
    assert peak is None or 10 < peak < 1e6
