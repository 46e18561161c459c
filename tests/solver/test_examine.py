"""Examining paths: what is known of some stands, whatever happens to others."""

from __future__ import annotations

import time
from typing import Any

import pytest

from orepact.market.offers import Market
from orepact.market.paths import distinct
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver import examine
from orepact.solver.answer import Answer, AnswerStatus, Request
from orepact.solver.batch import Batch, Plan
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.examine import Examiner
from orepact.solver.highs import Session
from orepact.solver.progress import Listener
from orepact.solver.search import market_rules, starting_list
from random_instances import random_instance


def examiner_of(seed: int, threads: int = 1) -> Examiner:
    market = Market(world_of(random_instance(seed)))
    return Examiner(market, market_rules(market), SolveOptions(gap=1e-6, threads=threads), Clock(60), None)


def test_paths_that_there_was_no_time_for_take_no_bound_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit passes while the model of the second half is made: the first half is proven as before."""
    examiner = examiner_of(137)
    listed = distinct(starting_list(examiner.market, examiner.options))
    assert len(listed) > 1
    examiner.examine(listed[:1])
    bound, best = examiner.bound, examiner.best
    assert bound is not None

    def too_late(*_: Any) -> None:
        raise TimeOver

    monkeypatch.setattr(examine, "Batch", too_late)
    assert not examiner.examine(listed[1:])
    assert (examiner.bound, examiner.best) == (bound, best)
    assert list(examiner.records) == listed[:1]
    assert examiner.proven


@pytest.mark.parametrize("seed", [35, 94, 137, 164])
def test_a_trail_is_followed_from_where_it_ended(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other demand: first what was built is tried on the best path, then every LP that had an answer begins at its basis."""
    first = examiner_of(seed)
    listed = distinct(starting_list(first.market, first.options))
    first.examine(listed)
    assert first.plan is not None
    instance = random_instance(seed)
    demand = instance.table("demand")
    demand["demand"] *= 1.001
    market = Market(world_of(instance.with_table("demand", demand)))
    again = Examiner(market, market_rules(market), first.options, Clock(60), None)
    known_then, run = list[Plan | None](), Session._run

    def noted(session: Session, request: Request) -> Answer:
        if request.basis is not None:
            known_then.append(again.plan)
        return run(session, request)

    monkeypatch.setattr(Session, "_run", noted)
    again.repeat(first.trail, listed)
    assert set(again.records) == set(first.records)
    solved = sum(bases is not None for _, batch in first.trail.batches for bases in batch.values())
    assert solved > 0
    assert len(known_then) == solved
    known = known_then[0]
    assert known is not None
    assert known.path == first.plan.path
    assert known.building() <= first.plan.building()


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[int, float | None]], dict[int, float]]:
    """Every path whose MIP is asked for, with the cutoff it is given; and seconds to wait before it is answered, by path."""
    asked: list[tuple[int, float | None]] = []
    late: dict[int, float] = {}
    plan = Batch.plan

    def noted(batch: Batch, p: int, cutoff: float | None, known: Plan | None, listener: Listener | None) -> Answer:
        asked.append((p, cutoff))
        answer = plan(batch, p, cutoff, known, listener)
        time.sleep(late.get(p, 0.0))
        return answer

    monkeypatch.setattr(Batch, "plan", noted)
    return asked, late


@pytest.mark.parametrize("seed", [56, 83, 107])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_answer_does_not_depend_on_which_thread_was_faster(seed: int, threads: int, plans: tuple[list[tuple[int, float | None]], dict[int, float]]) -> None:
    """Whichever path is late, all are given the same cutoffs."""
    asked, late = plans
    found = set()
    for slow in (None, *range(6)):
        asked.clear()
        late.clear()
        late.update({} if slow is None else {slow: 0.1})
        examiner = examiner_of(seed, threads)
        examiner.examine(distinct(starting_list(examiner.market, examiner.options)))
        assert len(asked) > 2
        found.add((tuple(sorted(asked, key=lambda x: x[0])), examiner.best, examiner.bound))
    assert len(found) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_paths_are_begun_than_can_be_of_use(threads: int, plans: tuple[list[tuple[int, float | None]], dict[int, float]]) -> None:
    """With one plan that costs no more than what the others' LPs say, none of them is begun that was not when it was found."""
    asked, late = plans
    examiner = examiner_of(56, threads)
    examiner.options = examiner.options.model_copy(update={"gap": 0.9})
    late.update(dict.fromkeys(range(9), 0.05))
    examiner.examine(distinct(starting_list(examiner.market, examiner.options)))
    assert examiner.plan is not None
    assert len(asked) <= threads
    assert sum(record.objective is not None for record in examiner.records.values()) == 1  # what was begun in vain is left


def test_a_failure_while_a_path_is_solved_is_raised_once_the_others_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def failing(_: Batch, p: int, *__: object) -> Answer:
        if not ended:
            ended.append(p)
            raise ValueError("no")
        time.sleep(0.1)
        ended.append(p)
        return Answer(AnswerStatus.INFEASIBLE)

    monkeypatch.setattr(Batch, "plan", failing)
    examiner = examiner_of(56, 2)
    with pytest.raises(ValueError, match="no"):
        examiner.examine(distinct(starting_list(examiner.market, examiner.options)))
    before = len(ended)
    time.sleep(0.3)
    assert len(ended) == before
