"""HiGHS in memory: every ending is told as what it is, and one session can be asked again and again."""

from __future__ import annotations

import gc
import math
import threading
import time
import weakref
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from example_models import TWO_PLANTS_COST, TWO_PLANTS_RELAXED, Column, Row, knapsack, market_split, places, toy, two_plants
from orepact.errors import OptionError, SolverError
from orepact.solver.answer import Answer, AnswerStatus
from orepact.solver.highs import Session
from orepact.solver.matrix import Matrix
from orepact.solver.progress import Progress
from orepact.solver.reduced import reduce

HARD = market_split()
"""Never proven within a test."""

SMALL = knapsack([21, 34, 13, 55, 8, 44, 29, 31, 17, 23], [5, 9, 3, 14, 2, 11, 7, 8, 4, 6], 31)


def unbounded(whole: bool) -> Matrix:
    return toy({"x": Column(cost=-1, whole=whole), "y": Column(whole=whole)}, {"equal": Row(0, {"x": 1, "y": -1}, 0)})


def contradictory(whole: bool) -> Matrix:
    first = Row(1, {"x": 2, "y": -2}, 1) if whole else Row(None, {"x": 1, "y": -1}, -1)
    return toy({"x": Column(cost=-1, whole=whole), "y": Column(whole=whole)}, {"first": first, "second": Row(0, {"x": 1, "y": -1}, None)})


def test_mip_and_its_relaxation() -> None:
    session = Session(two_plants(), threads=1)
    plan = session.solve()
    assert plan.status is AnswerStatus.OPTIMAL
    assert plan.objective == pytest.approx(TWO_PLANTS_COST)
    assert plan.bound == pytest.approx(TWO_PLANTS_COST)
    assert plan.gap == pytest.approx(0, abs=1e-9)
    assert plan.root_bound == pytest.approx(TWO_PLANTS_COST)
    assert plan.duals is None
    assert plan.values is not None
    assert session.matrix.violations(plan.values).rows <= 1e-9
    relaxed = session.solve("lp")
    assert relaxed.status is AnswerStatus.OPTIMAL
    assert relaxed.objective == pytest.approx(TWO_PLANTS_RELAXED)
    assert relaxed.root_bound is None
    again = session.solve()
    assert again.objective == plan.objective


def test_duals_are_the_change_of_cost_per_unit_of_the_row() -> None:
    matrix = two_plants()
    session = Session(matrix, threads=1)
    assert session.solve("lp").duals is None
    relaxed = session.solve("lp", duals=True)
    assert relaxed.duals is not None
    names = [row.name for row in matrix.rows]
    assert relaxed.duals[names.index("demand")] == pytest.approx(4)  # one more t is bought at 4
    assert relaxed.duals[names.index("capacity_0")] == pytest.approx(1 - 4)  # one more t of capacity saves buying at 4, costs making at 1


@pytest.mark.parametrize("warm", [True, False])
def test_bounds_are_changed_and_reset(warm: bool) -> None:
    """From scratch, or each LP from where the last one ended."""
    matrix = two_plants()
    built = places(matrix, "built_0", "built_1")
    session, basis = Session(matrix, threads=1), None
    for kind in ("lp", "mip"):
        for fixed, cost in ((0, 100 + 4 * 7), (1, 100 + 10 + 12 + 1 * 5 + 2 * 2), (None, TWO_PLANTS_COST)):
            if fixed is None:
                session.reset_bounds()
            else:
                session.set_bounds(built, fixed, fixed)
            answer = session.solve(kind, basis=basis)
            assert answer.objective == pytest.approx(cost)
            assert (answer.basis is not None) == (kind == "lp")
            basis = answer.basis if warm else None


def test_bounds_that_cross_or_are_no_numbers() -> None:
    session = Session(two_plants(), threads=1)
    session.set_bounds([0], 0.7, 0.3)
    assert session.solve("lp").status is AnswerStatus.INFEASIBLE
    assert session.solve().status is AnswerStatus.INFEASIBLE
    session.reset_bounds()
    assert session.solve().status is AnswerStatus.OPTIMAL
    with pytest.raises(SolverError, match="not a number"):
        session.set_bounds([0], math.nan, 1)
    assert session.solve().objective == pytest.approx(TWO_PLANTS_COST)
    with pytest.raises(IndexError):
        session.set_bounds([99], 0, 1)


@pytest.mark.parametrize("kind", ["lp", "mip"])
@pytest.mark.parametrize("whole", [False, True])
def test_infeasible_and_unbounded_are_told_apart(kind: str, whole: bool) -> None:
    endless = Session(unbounded(whole), threads=1).solve(kind)  # type: ignore[arg-type]
    assert endless.status is AnswerStatus.UNBOUNDED
    assert (endless.objective, endless.bound, endless.values) == (None, None, None)
    if kind == "lp" and whole:
        return  # the relaxation of the integer contradiction has points
    nothing = Session(contradictory(whole), threads=1).solve(kind)  # type: ignore[arg-type]
    assert nothing.status is AnswerStatus.INFEASIBLE
    assert (nothing.objective, nothing.bound, nothing.values) == (None, None, None)


def test_costs_are_back_after_telling_unbounded() -> None:
    session = Session(unbounded(True), threads=1)
    assert session.solve().status is AnswerStatus.UNBOUNDED
    session.set_bounds([0, 1], 0, 8)
    assert session.solve().objective == pytest.approx(-8)


@pytest.mark.parametrize(("cutoff", "status"), [(TWO_PLANTS_COST + 0.5, AnswerStatus.OPTIMAL), (TWO_PLANTS_COST - 0.5, AnswerStatus.CUTOFF)])
def test_cutoff_counts_the_constant_of_the_cost(cutoff: float, status: AnswerStatus) -> None:
    session = Session(two_plants(), threads=1)
    answer = session.solve(cutoff=cutoff)
    assert answer.status is status
    assert answer.bound is not None
    assert answer.bound <= min(cutoff, TWO_PLANTS_COST) + 1e-9
    assert session.solve().status is AnswerStatus.OPTIMAL  # a cutoff holds for one solve


def test_cutoff_never_calls_a_dearer_plan_optimal() -> None:
    best = Session(SMALL, threads=1).solve().objective
    assert best is not None
    answer = Session(SMALL, threads=1).solve(cutoff=best * 0.99)
    assert answer.status is AnswerStatus.CUTOFF
    assert answer.bound == pytest.approx(best * 0.99)


def test_a_basis_of_another_shape_is_left_aside() -> None:
    other = Session(SMALL, threads=1).solve("lp").basis
    assert other is not None
    session = Session(two_plants(), threads=1)
    assert session.solve("lp", basis=other).objective == pytest.approx(session.solve("lp").objective)


def test_warm_lp_may_stop_at_the_cutoff() -> None:
    session = Session(two_plants(), threads=1)
    first = session.solve("lp")
    session.set_bounds(session.matrix.integer_indices, 0, 0)
    answer = session.solve("lp", cutoff=120.0, basis=first.basis)
    assert answer.status in (AnswerStatus.CUTOFF, AnswerStatus.OPTIMAL)
    assert answer.bound is not None
    assert 120.0 <= answer.bound <= 128 + 1e-9


def test_time_limit_with_a_plan_keeps_it() -> None:
    session = Session(HARD, threads=1)
    answer = session.solve(time_limit=0.5)
    assert (answer.status, answer.limit) == (AnswerStatus.LIMIT, "time")
    assert answer.objective is not None
    assert answer.values is not None
    assert answer.bound is not None
    assert answer.bound < answer.objective
    assert HARD.violations(answer.values).rows <= 1e-5
    assert answer.seconds < 5
    again = session.solve(time_limit=0.5)  # the limit holds for each solve, not for all of them together
    assert again.seconds >= 0.4
    assert session.solve("lp", time_limit=0.5).status is AnswerStatus.OPTIMAL


def test_no_time_no_numbers() -> None:
    answer = Session(HARD, threads=1).solve(time_limit=0.0)
    assert (answer.status, answer.limit) == (AnswerStatus.LIMIT, "time")
    assert (answer.objective, answer.bound, answer.values, answer.gap) == (None, None, None, None)


def test_node_limit_is_a_limit() -> None:
    answer = Session(HARD, threads=1, extra={"mip_max_nodes": 5}).solve(time_limit=60)
    assert answer.status is AnswerStatus.LIMIT
    assert answer.limit == "solutions or nodes"
    assert answer.objective is not None


def test_stop_from_another_thread_keeps_the_plan() -> None:
    session = Session(HARD, threads=1)
    timer = threading.Timer(0.5, session.stop)
    timer.start()
    answer = session.solve(time_limit=60)
    timer.join()
    assert (answer.status, answer.limit) == (AnswerStatus.LIMIT, "interrupt")
    assert answer.values is not None
    assert answer.seconds < 30
    assert session.solve().limit == "interrupt"  # the stop stands until it is taken back
    session.stop_event.clear()
    assert session.solve("lp").status is AnswerStatus.OPTIMAL
    assert session.solve(time_limit=0.3).limit == "time"


def test_one_event_stops_several_sessions() -> None:
    stop = threading.Event()
    sessions = [Session(HARD, threads=1, stop_event=stop) for _ in range(2)]
    stop.set()
    assert [s.solve().limit for s in sessions] == ["interrupt", "interrupt"]


def test_listener_hears_of_better_plans() -> None:
    heard: list[Progress] = []
    answer = Session(HARD, threads=1).solve(time_limit=0.6, listener=heard.append)
    assert heard
    last = [event for event in heard if event.incumbent is not None][-1]
    assert answer.objective is not None
    assert last.incumbent is not None
    assert last.incumbent >= answer.objective - 1e-6
    assert last.bound is not None
    assert last.gap is not None
    assert last.gap >= 0
    assert [event.seconds for event in heard] == sorted(event.seconds for event in heard)


def test_listener_that_fails_ends_the_solve_and_is_heard() -> None:
    def fail(event: Progress) -> None:
        raise ValueError(f"cannot show {event.phase}")

    session = Session(HARD, threads=1)
    with pytest.raises(ValueError, match="cannot show solve"):
        session.solve(time_limit=60, listener=fail)
    assert session.solve("lp").status is AnswerStatus.OPTIMAL


def test_interrupt_within_a_listener_keeps_the_plan() -> None:
    def press(event: Progress) -> None:
        if event.incumbent is not None:
            raise KeyboardInterrupt

    session = Session(HARD, threads=1)
    answer = session.solve(time_limit=60, listener=press)
    assert (answer.status, answer.limit) == (AnswerStatus.LIMIT, "interrupt")
    assert answer.values is not None
    assert session.stop_event.is_set()


def test_sessions_in_two_threads_agree_with_one() -> None:
    alone = Session(SMALL, threads=1).solve()
    found: dict[int, Answer] = {}

    def work(n: int) -> None:
        found[n] = Session(SMALL, threads=1).solve()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {found[0].objective, found[1].objective} == {alone.objective}


def test_python_runs_on_while_highs_does() -> None:
    ticks = 0
    over = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not over.is_set():
            time.sleep(0.005)
            ticks += 1

    clock = threading.Thread(target=count)
    clock.start()
    Session(HARD, threads=1).solve(time_limit=0.6)
    over.set()
    clock.join()
    assert ticks > 10


def test_one_thread_may_use_sessions_with_different_numbers_of_threads() -> None:
    objectives = [Session(two_plants(), threads=n).solve().objective for n in (1, 2, 1, 0)]
    assert objectives == pytest.approx([TWO_PLANTS_COST] * 4)


def test_first_values_are_used() -> None:
    start = np.zeros(len(HARD.columns))
    start[[j for j, column in enumerate(HARD.columns) if column.family == "under"]] = HARD.row_lower
    answer = Session(HARD, threads=1, extra={"mip_max_nodes": 0, "mip_heuristic_effort": 0.0, "presolve": "off"}).solve(start=start, time_limit=20)
    assert answer.objective is not None
    assert answer.objective <= HARD.objective(start)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mip_heuristic_efort", 0.1, "unknown solver option 'mip_heuristic_efort'; did you mean 'mip_heuristic_effort'"),
        ("mip_heuristic_effort", "high", "cannot be 'high'"),
        ("mip_heuristic_effort", 7.0, "cannot be 7.0"),
        ("threads", 2, "set by its own argument"),
    ],
)
def test_wrong_options_are_errors(name: str, value: str | float, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Session(HARD, extra={name: value})


def test_numbers_beyond_highs_are_refused() -> None:
    with pytest.raises(SolverError, match="coefficient ranges"):
        Session(two_plants(rows={"huge": Row(None, {"bought": 1e17}, 1e18)}))


def test_mip_without_integers_is_an_lp() -> None:
    matrix = two_plants()
    both = reduce(matrix, places(matrix, "built_0", "built_1"), np.ones(2)).matrix
    assert not both.integer_indices.size
    answer = Session(both, threads=1).solve("mip", gap=0.1)
    assert answer.objective == answer.bound == pytest.approx(100 + 10 + 12 + 1 * 5 + 2 * 2)


def test_model_without_free_columns_costs_its_constant() -> None:
    columns = places(two_plants(), "built_0", "built_1", "output_0", "output_1", "bought")
    decided = reduce(two_plants(), columns, np.array([1.0, 0.0, 5.0, 0.0, 2.0])).matrix
    assert not len(decided.columns)
    answer = Session(decided).solve()
    assert answer.status is AnswerStatus.OPTIMAL
    assert answer.objective == answer.bound == TWO_PLANTS_COST


def test_a_session_that_nobody_holds_is_freed() -> None:
    session = Session(two_plants(), threads=1)
    session.solve(listener=lambda _: None)
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


@settings(max_examples=40, deadline=None)
@given(
    items=st.lists(st.tuples(st.integers(-9, 20), st.integers(1, 9)), min_size=1, max_size=6),
    share=st.floats(0, 1.3),
    cut=st.floats(0.5, 1.5),
)
def test_agrees_with_enumeration(items: list[tuple[int, int]], share: float, cut: float) -> None:
    cost, weight = [a for a, _ in items], [w for _, w in items]
    need = round(share * sum(weight))
    choices = [x for x in product((0, 1), repeat=len(items)) if np.dot(x, weight) >= need]
    best = min((3 + int(np.dot(x, cost)) for x in choices), default=None)
    session = Session(knapsack(cost, weight, need), threads=1)
    answer = session.solve()
    if best is None:
        assert answer.status is AnswerStatus.INFEASIBLE
        assert answer.values is None
        return
    assert answer.objective == pytest.approx(best)
    relaxed = session.solve("lp")
    assert relaxed.objective is not None
    assert relaxed.objective <= best + 1e-9
    cutoff = best * cut
    limited = session.solve(cutoff=cutoff)
    if cutoff < best - 1e-3:
        assert limited.status is AnswerStatus.CUTOFF
    elif cutoff > best + 1e-3:
        assert limited.objective == pytest.approx(best)
    assert limited.bound is not None
    assert limited.bound <= best + 1e-6
