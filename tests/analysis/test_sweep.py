"""Sweeps: what is a case, what is refused, what the table says, and that a sweep goes on where it was."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from filelock import FileLock

import orepact
from orepact import calls
from orepact.analysis.sweep import cases_of, parse_list, parse_vary, sweep
from orepact.cli import main
from orepact.errors import OptionError, StoppedError
from orepact.instance.instance import Instance
from orepact.options import SolveOptions
from orepact.solution.solution import Solution
from orepact.solution.store import RunError
from orepact.solver.isolation import Guards
from orepact.solver.result import SolveResult, Status, versions

TUTORIAL = Path(__file__).parents[2] / "instances" / "tutorial"
RATE, PREMIUM = "economics.social_rate", "economics.public_money_premium"


@pytest.fixture(scope="module")
def instance() -> Instance:
    given: Instance = orepact.read(TUTORIAL)
    return given


class Solver:
    """Solves at once, and remembers what it was asked."""

    def __init__(self, ends: dict[float, SolveResult | Exception] | None = None) -> None:
        self.asked: list[float] = []
        self.ends = ends or {}

    def __call__(self, instance: Instance, options: SolveOptions, stop: threading.Event | None = None, side_by_side: int = 1) -> Solution:  # noqa: ARG002
        premium = instance.settings.economics.public_money_premium
        self.asked.append(premium)
        self.side_by_side = side_by_side
        end = self.ends.get(premium, SolveResult(Status.SOLVED, "market", "paths", 100 * premium, 99 * premium, 0.01, seconds=1.5, versions=versions()))
        if isinstance(end, Exception):
            raise end
        return Solution(replace(end, versions=versions()), instance.settings, options, dict(instance.digests))


def test_a_grid_is_every_combination_and_a_list_row_by_row(instance: Instance) -> None:
    cases = cases_of(instance, {PREMIUM: [0.1, 0.2]}, [{RATE: 0.01}, {RATE: 0.02}], SolveOptions())
    assert [(c.values[RATE], c.values[PREMIUM]) for c in cases] == [(0.01, 0.1), (0.01, 0.2), (0.02, 0.1), (0.02, 0.2)]
    assert [c.instance.settings.economics.social_rate for c in cases] == [0.01, 0.01, 0.02, 0.02]
    assert {c.options.threads for c in cases} == {1}
    run = cases_of(instance, {"solve.gap": [0.01], "solve.threads": [2]}, [], SolveOptions())[0].options
    assert (run.gap, run.threads) == (0.01, 2)


def test_words_and_files_say_the_same() -> None:
    assert parse_vary([f"{RATE}=0.02, 0.03", "owners.entry=free,duty", "horizon.period_years=[5, 5],[2, 8]"]) == {
        RATE: [0.02, 0.03],
        "owners.entry": ["free", "duty"],
        "horizon.period_years": [[5, 5], [2, 8]],
    }
    assert parse_list(f"{RATE},owners.entry\n0.02,free\n\n0.03, duty\n") == [{RATE: 0.02, "owners.entry": "free"}, {RATE: 0.03, "owners.entry": "duty"}]


@pytest.mark.parametrize(
    ("vary", "listed", "message"),
    [
        ({"economics.social_rat": [1]}, [], "unknown option 'economics.social_rat'; nearest known: economics.social_rate"),
        ({}, [{"solve.gapp": 1}], "unknown option 'solve.gapp'; nearest known: solve.gap"),
        ({RATE: [0.02, 7]}, [], "case economics.social_rate=7: .*less than or equal to 1"),
        ({"solve.gap": ["much"]}, [], "option gap: 'much'"),
        ({RATE: [0.1]}, [{RATE: 0.2}], "both in the list and in the grid"),
        ({RATE: []}, [], "has no values"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_solved(instance: Instance, vary: dict[str, list[Any]], listed: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        cases_of(instance, vary, listed, SolveOptions())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([RATE], "write it as path.to.option=a,b,c"),
        ([f"{RATE}=1", f"{RATE}=2"], "is given twice"),
    ],
)
def test_odd_words_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_vary(words)


@pytest.mark.parametrize(("text", "message"), [("", "has a header"), ("a,a\n1,2\n", "'a' is there twice"), ("a,b\n1,2\n1\n", "row 3 has 1 cells")])
def test_odd_lists_are_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_list(text)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a sweep but the lock and what seconds stand in."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in (".lock", "seconds.csv")}


def test_a_stopped_sweep_goes_on_and_ends_with_the_same_files(instance: Instance, tmp_path: Path) -> None:
    cases = cases_of(instance, {PREMIUM: [0.1, 0.2, 0.3]}, [], SolveOptions())
    whole, _ = sweep(cases, tmp_path / "whole", Solver())
    stop = threading.Event()

    def solve_one(instance: Instance, options: SolveOptions, stop: threading.Event, **_: Any) -> Solution:
        solution = Solver()(instance, options)
        stop.set()
        return solution

    with pytest.raises(StoppedError, match="1 of 3 cases are stored"):
        sweep(cases, tmp_path / "parts", solve_one, workers=1, stop=stop)
    assert not (tmp_path / "parts" / "sweep.csv").exists()
    rest = Solver()
    table, folder = sweep(cases, tmp_path / "parts", rest)
    assert sorted(rest.asked) == [0.2, 0.3]
    assert files(folder) == files(tmp_path / "whole")
    pd.testing.assert_frame_equal(table, whole)
    again = Solver()
    sweep(cases, folder, again)
    assert again.asked == []


def test_a_case_cut_short_is_solved_again(instance: Instance, tmp_path: Path) -> None:
    cases, stop = cases_of(instance, {PREMIUM: [0.1]}, [], SolveOptions()), threading.Event()
    cut = SolveResult(Status.LIMIT, "market", "paths", 10.0, 9.0, 0.1, limit="interrupt")
    solver = Solver({0.1: cut})

    def interrupted(*asked: Any, stop: threading.Event, **_: Any) -> Solution:
        stop.set()
        return solver(*asked)

    with pytest.raises(StoppedError, match="0 of 1"):
        sweep(cases, tmp_path / "s", interrupted, stop=stop)
    assert sweep(cases, tmp_path / "s", Solver())[0]["status"].tolist() == ["solved"]


def test_a_damaged_or_failed_case_is_solved_again(instance: Instance, tmp_path: Path) -> None:
    cases = cases_of(instance, {PREMIUM: [0.1, 0.2]}, [], SolveOptions())
    failed = SolveResult(Status.FAILED, "market", "paths", proven="the solver failed: it aborted")
    table, folder = sweep(cases, tmp_path / "s", Solver({0.2: failed}))
    assert table["status"].tolist() == ["solved", "solver failed"]
    assert table["proven"][1] == "the solver failed: it aborted"
    summary = folder / "cases" / table["run"][0] / "solution.json"
    summary.write_text(summary.read_text().replace("solved", "sloved"))
    solver = Solver()
    table, _ = sweep(cases, folder, solver)
    assert sorted(solver.asked) == [0.1, 0.2]
    assert table["status"].tolist() == ["solved", "solved"]


def test_every_end_is_a_row(instance: Instance, tmp_path: Path) -> None:
    ends: dict[float, SolveResult | Exception] = {
        0.1: SolveResult(Status.INFEASIBLE, "market", "paths", proven="even the planner's relaxation of every path has no plan"),
        0.2: SolveResult(Status.LIMIT, "market", "paths", 7.0, 6.0, 1 / 7, limit="time", proven="stopped with the gap still open"),
    }
    cases = cases_of(instance, {PREMIUM: [0.1, 0.2, 0.3, 0.3]}, [], SolveOptions())
    solver = Solver(ends)
    table, folder = sweep(cases, tmp_path / "s", solver)
    assert len(solver.asked) == 3  # the same case twice is solved once
    assert table["status"].tolist() == ["infeasible", "limit", "solved", "solved"]
    stored = pd.read_csv(folder / "sweep.csv")
    assert stored["case"].tolist() == [1, 2, 3, 4]
    assert stored[PREMIUM].tolist() == [0.1, 0.2, 0.3, 0.3]
    assert pd.isna(stored["objective"][0])
    assert stored["objective"][1:].tolist() == [7.0, 30.0, 30.0]
    assert all(orepact.load(folder / "cases" / run).result.status.value == status for run, status in zip(stored["run"], stored["status"], strict=True))
    asked = json.loads((folder / "sweep.json").read_text())
    assert [case["values"] for case in asked["cases"]] == [{PREMIUM: x} for x in (0.1, 0.2, 0.3, 0.3)]


def test_a_longer_question_keeps_what_is_there(instance: Instance, tmp_path: Path) -> None:
    sweep(cases_of(instance, {PREMIUM: [0.1]}, [], SolveOptions()), tmp_path / "s", Solver())
    solver = Solver()
    table, _ = sweep(cases_of(instance, {PREMIUM: [0.1, 0.2]}, [], SolveOptions(progress=False)), tmp_path / "s", solver)
    assert (solver.asked, len(table)) == ([0.2], 2)
    solver = Solver()
    sweep(cases_of(instance, {PREMIUM: [0.1]}, [], SolveOptions(gap=0.01)), tmp_path / "s", solver)
    assert solver.asked == [0.1]  # another gap is another answer


def test_a_fault_of_ours_is_not_a_row(instance: Instance, tmp_path: Path) -> None:
    cases = cases_of(instance, {PREMIUM: [0.1, 0.2]}, [], SolveOptions())
    with pytest.raises(ZeroDivisionError):
        sweep(cases, tmp_path / "s", Solver({0.2: ZeroDivisionError()}), workers=1)
    solver = Solver()
    sweep(cases, tmp_path / "s", solver)
    assert solver.asked == [0.2]


def test_folders_of_others_are_left_alone(instance: Instance, tmp_path: Path) -> None:
    cases = cases_of(instance, {PREMIUM: [0.1]}, [], SolveOptions())
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.txt").touch()
    with pytest.raises(RunError, match="is not the folder of a sweep"):
        sweep(cases, tmp_path / "thesis", Solver())
    _, folder = sweep(cases, tmp_path / "s", Solver())
    other = cases_of(instance.with_setting("instance.name", "other"), {PREMIUM: [0.1]}, [], SolveOptions())
    with pytest.raises(RunError, match="holds a sweep of 'tutorial'"):
        sweep(other, folder, Solver())
    with FileLock(folder / ".lock"), pytest.raises(RunError, match="another sweep is at work"):
        sweep(cases, folder, Solver())


def test_any_executor_will_do(instance: Instance, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        table, _ = sweep(cases_of(instance, {PREMIUM: [0.1, 0.2]}, [], SolveOptions()), tmp_path / "s", Solver(), executor=pool)
    assert table["objective"].tolist() == [10.0, 20.0]


@pytest.mark.slow
def test_worker_processes_give_the_same_table(instance: Instance, tmp_path: Path) -> None:
    asked = {PREMIUM: [0.25, 0.7]}
    table = orepact.sweep(instance, asked, out=tmp_path / "a")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        orepact.sweep(instance, asked, out=tmp_path / "b", executor=pool)
    assert table["objective"].tolist() == pytest.approx([581.18e6, 583.20e6])
    assert (tmp_path / "a" / "sweep.csv").read_bytes() == (tmp_path / "b" / "sweep.csv").read_bytes()


def test_the_command_line_sweeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cases.csv").write_text(f"{PREMIUM}\n0.25\n0.7\n", encoding="utf-8")
    words = ["sweep", str(TUTORIAL), "--list", str(tmp_path / "cases.csv"), "--vary", "solve.behaviour=market", "--out", str(tmp_path / "s")]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "581.180 MUSD" in said.out
    assert "case 2 of 2" in said.err
    assert main([*words, "--json", "--quiet"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [case["objective"] for case in answer["cases"]] == pytest.approx([581.18e6, 583.20e6])
    assert main(["sweep", str(TUTORIAL)]) == 2
    assert "nothing varies" in capsys.readouterr().err


@pytest.mark.parametrize(("workers", "told"), [(1, 1), (2, 2), (8, 3)])
def test_a_case_is_told_how_many_run_beside_it(instance: Instance, tmp_path: Path, workers: int, told: int) -> None:
    solver = Solver()
    sweep(cases_of(instance, {PREMIUM: [0.1, 0.2, 0.3]}, [], SolveOptions()), tmp_path / "sweep", solver, workers=workers)
    assert solver.side_by_side == told


@pytest.mark.parametrize(("limit", "part"), [(0.0, 0.45), (1500.0, None)])
def test_cases_side_by_side_share_the_memory(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float, part: float | None) -> None:
    guards: list[Guards] = []

    class Child:
        def run(self, task: str, arguments: Any, given: Guards, listener: Any, stop: Any) -> Any:  # noqa: ARG002
            guards.append(given)
            return Solver()(*arguments[:2])

    monkeypatch.setattr(calls, "a_worker", lambda: nullcontext(Child()))
    orepact.sweep(instance, {PREMIUM: [0.1, 0.2, 0.3]}, SolveOptions(memory_limit=limit), out=tmp_path / "sweep", workers=2)
    whole = psutil.virtual_memory().total / 1e6
    assert [each.memory_mb for each in guards] == pytest.approx(3 * [limit if part is None else part * whole])
    guards.clear()
    orepact.solve(instance, SolveOptions(memory_limit=limit))
    assert guards[0].memory_mb == pytest.approx(limit or 0.9 * whole)
