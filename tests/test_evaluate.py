"""A package of somebody's own: what it comes to, how a script learns that it is not enough, and why one has no plan at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import orepact
from orepact import calls
from orepact.cli import main
from orepact.options import SolveOptions
from orepact.solver import isolation
from orepact.solver.result import SolveResult, Status
from planted import case_of, written

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "instances" / "tutorial"
QUICK = SolveOptions(threads=1, progress=False, baseline=False, stress=False, isolated=False)


def evaluated(package: str, tmp_path: Path, *more: str) -> int:
    words = ["evaluate", str(TUTORIAL), "--package", str(TUTORIAL / "packages" / package), "--out", str(tmp_path / "run"), "--quiet"]
    return main([*words, "--threads", "1", *more])


def test_a_package_that_misses_a_target_does_not_look_like_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated("small.toml", tmp_path, "--json") == 8
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == "targets missed"
    assert said["objective"] == pytest.approx(580.20e6)
    assert (said["indicators"]["targets"]["value"], said["indicators"]["targets_met"]["value"]) == (1, 0)
    stored = orepact.load(tmp_path / "run")
    assert (stored.result.status, stored.result.exit_code, stored.has_plan, stored.result.requirements_held) == (Status.MISSED, 8, True, False)
    assert stored.certificate is not None
    assert stored.certificate.holds
    card = " ".join(orepact.plan_card_text(stored).split())
    assert "TARGETS MISSED: the package can't meet the targets, caps and budgets" in card
    assert main(["verify", str(tmp_path / "run")]) == 0


def test_a_package_that_meets_its_targets_is_solved(tmp_path: Path) -> None:
    assert evaluated("floor.toml", tmp_path) == 0
    assert orepact.load(tmp_path / "run").result.status is Status.SOLVED


def test_missed_is_said_only_where_targets_were_left_aside() -> None:
    with pytest.raises(ValueError, match="missed only where they were left aside"):
        SolveResult(Status.MISSED, "market", "paths", 1.0, 1.0, 0.0)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children that find their plan and die, unless asked for one path only."""
    isolation._idle.close()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(calls, "RUN", "faulty_runs:abort_after_the_plan")
    yield
    isolation._idle.close()


@pytest.mark.usefixtures("faulty")
def test_a_fault_of_the_solver_hides_no_missed_target(tmp_path: Path) -> None:
    assert evaluated("small.toml", tmp_path) == 8
    result = orepact.load(tmp_path / "run").result
    assert (result.status, result.limit, result.bound) == (Status.MISSED, "solver fault", None)


@pytest.mark.parametrize("rest", ["none", "free"])
def test_a_package_without_any_plan_is_told_why(rest: str) -> None:
    """A route is missing: no package helps, and the diagnosis says so in the instance's own rows. No target is named: they were left aside."""
    case = case_of("no route", 65)
    assert case is not None
    package = orepact.package_from({"rest": rest}, case.instance)
    solution = orepact.evaluate(case.instance, package, QUICK)
    found = solution.diagnosis
    assert not solution.has_plan
    assert found is not None
    assert "with the package as it is, targets, caps and budgets left aside" in found.scope
    assert ("freight.csv", None, "destination") in {(place.file, place.row, place.column) for conflict in found.conflicts for place in conflict.places}
    assert not {"targets.csv", "budgets.csv"} & {place.file for conflict in found.conflicts for place in conflict.places}
    mended = written(case.instance, found.repairs[0])
    again = orepact.evaluate(mended, orepact.package_from({"rest": rest}, mended), QUICK)
    assert again.has_plan
    assert orepact.evaluate(case.instance, package, QUICK.model_copy(update={"explain": False})).diagnosis is None
