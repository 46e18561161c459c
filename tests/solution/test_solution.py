"""A solution is frozen, consistent, and readable without any solver."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from example_solution import result, solution, tables, without_plan
from orepact.solution.docs import KEYS, solution_format_page
from orepact.solution.indicators import derived_indicators
from orepact.solution.schema import OUTPUT
from orepact.solution.solution import Solution, load
from orepact.solution.store import RunError
from orepact.solver.result import Status

PAGE = Path(__file__).parents[2] / "docs" / "solution-format.md"


def same(one: Solution, other: Solution) -> None:
    assert one.summary() == other.summary()
    assert (one.result, one.settings, one.options) == (other.result, other.settings, other.options)
    for name in OUTPUT:
        assert one.table(name).equals(other.table(name)), name
        assert list(one.table(name).dtypes) == list(other.table(name).dtypes), name


def test_a_saved_solution_reads_back_the_same(tmp_path: Path) -> None:
    plan = solution()
    same(plan, load(plan.save(tmp_path / "run")))


def test_a_run_without_a_plan_reads_back_the_same_and_has_no_tables(tmp_path: Path) -> None:
    folder = without_plan().save(tmp_path / "run")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "solution.json"]
    same(without_plan(), load(folder))


def test_a_solution_travels_to_worker_processes() -> None:
    same(solution(), pickle.loads(pickle.dumps(solution())))


def test_changing_a_table_leaves_the_solution_alone() -> None:
    plan = solution()
    table = plan.table("rungs")
    table.loc[:, "rung"] = "changed"
    assert set(plan.table("rungs")["rung"]) == {"free", "floor-110"}
    with pytest.raises(FrozenInstanceError):
        plan.notes = ()  # type: ignore[misc]


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="nearest known: contracts"):
        solution().table("contract")


@pytest.mark.parametrize("status", [Status.INFEASIBLE, Status.NO_PLAN])
def test_no_plan_no_numbers(status: Status) -> None:
    for numbers in ({"cost_terms": {"imports": 1.0}}, {"indicators": {"targets": 1.0}}, {"tables": {"paths": tables()["paths"]}}):
        with pytest.raises(ValueError, match="without a plan"):
            without_plan(status, **numbers)


def test_unknown_indicators_are_refused() -> None:
    with pytest.raises(ValueError, match="nearest known: assumed_share"):
        solution(indicators={"assumed": 0.1})


def test_numbers_that_do_not_exist_are_null() -> None:
    summary = solution(result=result(gap=None, size={"coefficients": (0.0, float("inf"))})).summary()
    assert summary["gap"] is None
    assert summary["size"] == {"coefficients": [0.0, None]}
    json.dumps(summary, allow_nan=False)


def test_the_page_documents_every_key_and_column() -> None:
    assert [key for key, _, _ in KEYS] == list(solution().summary())
    assert PAGE.read_text(encoding="utf-8") == solution_format_page(), "write it anew: python -m orepact.solution.docs > docs/solution-format.md"


def test_derived_indicators() -> None:
    found = derived_indicators(tables(), solution().settings, 1_250e6, {"objective": 1_200e6})
    assert found["extra_cost_usd"] == 50e6
    assert found["shortage_t"] == pytest.approx(0.2 * 400)
    assert found["shortage_before_t"] == pytest.approx(0.2 * 14400)
    assert (found["targets"], found["targets_met"], found["targets_met_before"]) == (3, 3, 0)
    assert found["assumed_share"] == pytest.approx(0.5 * 30 / 50)
    grant, offtake = 40e6 * 2 * 1.03**-3, 12.5e6 * 4 * 1.03**-6
    assert found["public_outlay_usd"] == pytest.approx(grant + offtake)
    assert found["public_revenue_usd"] == pytest.approx(30e6 * 4 * 1.03**-6)


def test_without_a_baseline_nothing_is_compared() -> None:
    rows = tables()
    rows["targets"] = [row | {"before": None} for row in rows["targets"]]
    rows["scenarios"] = [row | {"before_shortage_t": None} for row in rows["scenarios"]]
    found = derived_indicators(rows, solution().settings, 1_250e6, {})
    assert not {"extra_cost_usd", "shortage_before_t", "targets_met_before"} & set(found)


READ_AND_PRINT = """
import sys
import orepact
print(orepact.plan_card_text(orepact.load(sys.argv[1])))
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"pyomo", "highspy", "scipy"}, loaded
"""


def test_a_stored_run_is_read_and_printed_without_any_solver(tmp_path: Path) -> None:
    folder = solution().save(tmp_path / "run")
    ran = subprocess.run([sys.executable, "-c", READ_AND_PRINT, str(folder)], capture_output=True, text=True, check=True)
    assert "Two stages of one mineral" in ran.stdout


def test_a_summary_that_lacks_a_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = solution()
    summary = plan.summary()
    del summary["settings"]
    monkeypatch.setattr(Solution, "summary", lambda _: summary)
    folder = plan.save(tmp_path / "run")
    with pytest.raises(RunError, match=r"solution\.json: key 'settings' is missing"):
        load(folder)
