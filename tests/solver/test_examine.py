"""Examining paths: what is known of some stands, whatever happens to others."""

from __future__ import annotations

from typing import Any

import pytest

from orepact.market.offers import Market
from orepact.market.paths import distinct
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver import examine
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.examine import Examiner
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
