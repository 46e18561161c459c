"""Examining paths: what is known of some stands, whatever happens to others."""

from __future__ import annotations

from typing import Any

import pytest

from orepact.market.offers import Market
from orepact.market.paths import distinct
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver import examine
from orepact.solver.answer import Answer, Request
from orepact.solver.batch import Plan
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.examine import Examiner
from orepact.solver.highs import Session
from orepact.solver.search import market_rules, starting_list
from random_instances import random_instance


def examiner_of(seed: int) -> Examiner:
    market = Market(world_of(random_instance(seed)))
    return Examiner(market, market_rules(market), SolveOptions(gap=1e-6, threads=1), Clock(60), None)


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
