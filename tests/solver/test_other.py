"""Another solver through Pyomo gives the same answers as HiGHS in memory, and says plainly when it can't."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.opt.results import SolverResults, SolverStatus, TerminationCondition
from scipy.sparse import csc_array

from example_models import TWO_PLANTS_COST, TWO_PLANTS_RELAXED, Column, Row, knapsack, market_split, places, switch, toy, two_plants
from orepact.errors import OptionError, SolverError
from orepact.solver import other
from orepact.solver.answer import Answer, AnswerStatus, Kind
from orepact.solver.highs import Session
from orepact.solver.other import OtherSolver

NAMES = ("appsi_highs", "highs")
"""Pyomo's own two ways to HiGHS stand for any other solver: they are always installed."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_same_plan_and_relaxation(name: str) -> None:
    solver = OtherSolver(two_plants(), name)
    plan = solver.solve()
    assert plan.status is AnswerStatus.OPTIMAL
    assert plan.objective == pytest.approx(TWO_PLANTS_COST)
    assert plan.bound == pytest.approx(TWO_PLANTS_COST)
    assert plan.values is not None
    assert solver.matrix.violations(plan.values).rows <= 1e-7
    relaxed = solver.solve("lp")
    assert relaxed.objective == relaxed.bound == pytest.approx(TWO_PLANTS_RELAXED)


def test_values_are_in_the_order_of_the_columns(name: str) -> None:
    things = knapsack([21, 34, 13, 55, 8], [5, 9, 3, 14, 2], 17)
    ours, theirs = Session(things, threads=1).solve(), OtherSolver(things, name).solve()
    assert theirs.objective == pytest.approx(ours.objective)
    assert theirs.values is not None
    assert ours.values is not None
    assert np.round(theirs.values).tolist() == np.round(ours.values).tolist()


def test_relaxing_leaves_the_model_as_it_was(name: str) -> None:
    solver = OtherSolver(two_plants(), name)
    solver.solve("lp")
    m = solver._made.model
    assert all(v.is_binary() for v in (m.built_0, m.built_1))
    assert m.built_0.bounds == (0, 1)
    assert m.output_0.bounds == (0, None)
    half = OtherSolver(toy({"on": switch(cost=-1)}, {"half": Row(None, {"on": 2}, 1)}), name)
    assert [half.solve(kind).objective for kind in ("lp", "mip", "lp")] == pytest.approx([-0.5, 0, -0.5])


def test_bounds_are_changed_and_reset(name: str) -> None:
    solver = OtherSolver(two_plants(), name)
    for kind in ("lp", "mip"):
        solver.set_bounds(solver.matrix.integer_indices, 0, 0)
        assert solver.solve(kind).objective == pytest.approx(100 + 4 * 7)
        solver.set_bounds(solver.matrix.integer_indices, 1, 1)
        assert solver.solve(kind).objective == pytest.approx(100 + 10 + 12 + 1 * 5 + 2 * 2)
        solver.reset_bounds()
        assert solver.solve(kind).objective == pytest.approx(TWO_PLANTS_COST)


def test_infeasible(name: str) -> None:
    scarce = two_plants({"bought": Column(cost=4, high=1), "output_1": Column(cost=2, high=0.5)})
    answer = OtherSolver(scarce, name).solve()
    assert answer.status is AnswerStatus.INFEASIBLE
    assert (answer.objective, answer.bound, answer.values) == (None, None, None)


@pytest.mark.parametrize("way", [*NAMES, "scip_direct"])
@pytest.mark.parametrize("kind", ["lp", "mip"])
@pytest.mark.parametrize(("least", "status"), [(1, AnswerStatus.INFEASIBLE), (-1, AnswerStatus.OPTIMAL)])
def test_a_row_without_columns_holds_or_not(way: str, kind: Kind, least: float, status: AnswerStatus) -> None:
    """What is left of a model on one path may have such a row."""
    if way == "scip_direct":
        pytest.importorskip("pyscipopt")
    matrix = toy({"x": Column(cost=1, high=1, whole=True), "y": Column(cost=1)}, {"needed": Row(least, {"x": 1}, None)})
    empty = replace(matrix, A=csc_array(matrix.A.shape))
    assert OtherSolver(empty, way).solve(kind).status is status


def test_time_limit(name: str) -> None:
    answer = OtherSolver(market_split(), name).solve(time_limit=1.0)
    assert (answer.status, answer.limit) == (AnswerStatus.LIMIT, "time")
    assert answer.objective is not None
    assert answer.bound is not None
    assert answer.bound < answer.objective


def test_column_in_no_row_takes_a_value_within_its_bounds(name: str) -> None:
    matrix = two_plants({"idle": Column(low=3, high=4)})
    answer = OtherSolver(matrix, name).solve()
    assert answer.values is not None
    assert 3 <= answer.values[places(matrix, "idle")[0]] <= 4


def test_polish(name: str) -> None:
    solver = OtherSolver(two_plants(), name)
    exact = solver.polish(solver.solve())
    assert exact.values is not None
    assert set(exact.values[solver.matrix.integer_indices]) <= {0.0, 1.0}
    assert exact.objective == pytest.approx(TWO_PLANTS_COST, abs=1e-9)


def test_stop_is_heeded_between_solves(name: str) -> None:
    stop = threading.Event()
    solver = OtherSolver(two_plants(), name, stop_event=stop)
    stop.set()
    assert solver.solve().limit == "interrupt"


def test_threads_and_seed_reach_the_solver(name: str) -> None:
    answer = OtherSolver(two_plants(), name, threads=1, seed=7, extra={"mip_max_nodes": 1000}).solve(gap=0.01)
    assert answer.objective == pytest.approx(TWO_PLANTS_COST, rel=0.01)


@pytest.mark.parametrize("way", ["highs", "appsi_highs"])
def test_another_number_of_threads_than_a_solve_before_had(way: str) -> None:
    for threads in (2, 1, 2):
        assert Session(two_plants(), threads=threads).solve().objective == pytest.approx(TWO_PLANTS_COST)
        assert OtherSolver(two_plants(), way, threads=3 - threads).solve(gap=0.01).objective == pytest.approx(TWO_PLANTS_COST, rel=0.01)


def test_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(OptionError, match="unknown solver 'higs'; did you mean 'highs'"):
        OtherSolver(two_plants(), "higs")


class Absent:
    def available(self, exception_flag: bool = True) -> bool:
        assert not exception_flag
        return False


class Factory(dict[str, type]):
    """Stands for Pyomo's table of solvers."""

    def __call__(self, name: str) -> object:
        return self[name]()


def test_solver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other, "SolverFactory", Factory(imaginary=Absent))
    with pytest.raises(SolverError, match="'imaginary' is not installed"):
        OtherSolver(two_plants(), "imaginary")


class Speechless(Absent):
    """Ends every solve in the way that was set, without a plan."""

    ending = TerminationCondition.other

    def available(self, exception_flag: bool = True) -> bool:
        return not exception_flag

    def solve(self, model: pyo.ConcreteModel, load_solutions: bool, timelimit: float | None, options: dict[str, object]) -> SolverResults:
        assert not load_solutions
        assert timelimit is None
        assert options == {}
        results = SolverResults()
        results.solver.status = SolverStatus.warning
        results.solver.termination_condition = TerminationCondition.infeasible if not model.built_0.is_binary() else self.ending
        return results


@pytest.mark.parametrize(
    ("ending", "status", "limit"),
    [
        (TerminationCondition.unbounded, AnswerStatus.UNBOUNDED, None),
        (TerminationCondition.maxTimeLimit, AnswerStatus.LIMIT, "time"),
        (TerminationCondition.other, AnswerStatus.INFEASIBLE, None),  # the relaxation told
    ],
)
def test_endings_without_a_plan(monkeypatch: pytest.MonkeyPatch, ending: TerminationCondition, status: AnswerStatus, limit: str | None) -> None:
    monkeypatch.setattr(other, "SolverFactory", Factory(speechless=Speechless))
    monkeypatch.setattr(Speechless, "ending", ending)
    answer: Answer = OtherSolver(two_plants(), "speechless", threads=3).solve(gap=0.5)
    assert (answer.status, answer.limit) == (status, limit)
    assert (answer.objective, answer.bound, answer.values) == (None, None, None)
    assert "gap, threads and seed are those of 'speechless' itself" in answer.message


def test_solver_that_fails_is_a_solver_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Speechless):
        def solve(self, *_: object, **__: object) -> SolverResults:
            raise RuntimeError("licence expired")

    monkeypatch.setattr(other, "SolverFactory", Factory(broken=Broken))
    with pytest.raises(SolverError, match="'broken' failed: licence expired"):
        OtherSolver(two_plants(), "broken").solve()
