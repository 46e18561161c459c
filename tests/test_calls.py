"""A run and its attempts: what a fault of the solver costs, and what is said about it. The faults happen in a real child process."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pyomo.environ as pyo
import pytest

import orepact
from orepact import calls
from orepact.cli import main
from orepact.errors import OptionError
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver import isolation
from orepact.solver.result import Status

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "instances" / "tutorial"
COST = 581.18e6


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children that find the faulty runs; none is left for other tests."""
    isolation._idle.close()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]))
    yield
    isolation._idle.close()


def test_in_the_child_or_here_the_answer_is_the_same() -> None:
    instance = orepact.read(TUTORIAL)
    there, here = (orepact.solve(instance, SolveOptions(threads=1, isolated=isolated)) for isolated in (True, False))
    assert there.result.objective == pytest.approx(COST)
    assert there.result.objective == here.result.objective
    assert all(there.table(name).equals(here.table(name)) for name in there.tables)


def test_the_model_in_pyomo_is_the_one_that_is_solved_and_takes_more_rows() -> None:
    instance = orepact.read(TUTORIAL)
    world = world_of(instance)
    model = orepact.pyomo_model(instance)
    highs = pyo.SolverFactory("highs")
    highs.solve(model)
    assert pyo.value(model.cost.objective) * world.money_unit == pytest.approx(COST, rel=1e-6)
    smelter = next(f for f, plant in enumerate(world.plants) if plant.code == "alda_smelter")
    assert sum(pyo.value(u) for (f, _), u in model.owners.u.items() if f == smelter) == pytest.approx(1)
    model.without_it = pyo.Constraint(expr=sum(u for (f, _), u in model.owners.u.items() if f == smelter) == 0)
    highs.solve(model)
    assert pyo.value(model.cost.objective) * world.money_unit > COST * 1.005


@pytest.mark.parametrize(("fault", "said"), [("abort_with_presolve", "ended by SIGABRT"), ("miss_once", "misses the model")])
def test_a_fault_is_tried_again_with_safer_settings(monkeypatch: pytest.MonkeyPatch, fault: str, said: str) -> None:
    monkeypatch.setattr(calls, "RUN", f"faulty_runs:{fault}")
    solution = orepact.solve(orepact.read(TUTORIAL), SolveOptions())
    assert solution.result.status is Status.SOLVED
    assert solution.result.objective == pytest.approx(COST)
    assert said in solution.notes[0]
    assert "solved again with safer settings (no presolve, one thread)" in solution.notes[0]
    assert solution.options == SolveOptions()  # what was asked, not what it took


def test_the_best_plan_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "RUN", "faulty_runs:abort_after_the_plan")
    solution = orepact.solve(orepact.read(TUTORIAL), SolveOptions())
    result = solution.result
    assert (result.status, result.limit, result.bound, result.gap) == (Status.LIMIT, "solver fault", None, None)
    assert result.objective == pytest.approx(COST)
    assert "the solver failed twice" in result.proven
    assert solution.notes[0].count("SIGABRT") == 2


def test_a_run_that_fails_for_good_is_an_answer_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(calls, "RUN", "faulty_runs:abort")
    assert main(["solve", str(TUTORIAL), "--out", str(tmp_path / "run"), "--json", "--quiet"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["objective"]) == ("solver failed", None)
    assert "ended by SIGABRT" in said["proven"]
    stored = orepact.load(tmp_path / "run")
    assert (stored.result.status, stored.has_plan) == (Status.FAILED, False)


def test_a_stop_from_another_thread_ends_the_run() -> None:
    stop = threading.Event()
    stop.set()
    solution = orepact.solve(orepact.read(TUTORIAL), SolveOptions(), stop=stop)
    assert (solution.result.status, solution.result.limit) == (Status.NO_PLAN, "interrupt")


def test_a_sensitivity_analysis_runs_in_the_child_too() -> None:
    with pytest.raises(OptionError, match="has no table of ranges") as caught:
        orepact.sensitivity(orepact.read(TUTORIAL))
    assert "in the solver's own process" in str(caught.value.__cause__)


def test_threads_have_a_child_each() -> None:
    instance, seen = orepact.read(TUTORIAL), {}

    def work(n: int) -> None:
        seen[n] = orepact.solve(instance.with_setting("economics.public_money_premium", (0.25, 0.7)[n]), SolveOptions(threads=1)).result.objective

    threads = [threading.Thread(target=work, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen[0], seen[1]] == pytest.approx([COST, 583.20e6])
