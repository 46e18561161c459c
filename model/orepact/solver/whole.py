"""The whole model of a basket on one path: what the parts come to together, and what a dollar in the rows that they share is worth there."""

from __future__ import annotations

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.options import SolveOptions
from orepact.solver.answer import Answer
from orepact.solver.batch import BOUND, FIRST, Batch, Plan, Starts
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.shared import Prices, shared_of

PATIENCE = 120.0
"""Seconds for one solve."""

PICKED, OPEN = 0.1, 0.2
"""Of the gap asked, what a solve may leave with starts given, and with any: the rest is for what the parts leave and for the prices."""


class Whole:
    """The model of all parts; that of the path last asked for is at hand. Values and costs are in the whole's scaled money."""

    def __init__(self, market: Market, rules: Rules, options: SolveOptions, clock: Clock) -> None:
        self._market, self._rules, self._options, self._clock = market, rules, options, clock
        self._asked: set[tuple[Path, Starts | None]] = set()
        self._batch: Batch | None = None

    def plan(self, path: Path, starts: Starts | None) -> tuple[Plan, Answer] | None:
        """A plan with these starts or fewer (None: with any). None where there is none, no time, or where the same was asked before."""
        if (path, starts) in self._asked:
            return None
        self._asked.add((path, starts))
        batch = self._model(path)
        if batch is None:
            return None
        closed, gap = ((), OPEN) if starts is None else (batch.beyond(starts), PICKED)
        with self._clock.phase("solve"):
            answer = batch.solver_for(0, FIRST, closed).solve("mip", polish=True, gap=gap * self._options.gap, time_limit=min(self._clock.left, PATIENCE))
        if answer.values is None or answer.objective is None:
            return None
        return Plan(batch.built, batch.matrix, answer.values, answer.objective, path), answer

    def prices(self, path: Path) -> Prices | None:
        """What a dollar in each shared row costs by the LP of a path: close to what it costs by plans, and known before any plans are that fit
        together. None where the LP has no answer in time, or no duals to tell."""
        batch = self._model(path)
        if batch is None:
            return None
        with self._clock.phase("solve"):
            answer = batch.solver_for(0, BOUND).solve("lp", time_limit=min(self._clock.left, PATIENCE), duals=True)
        return None if answer.duals is None else shared_of(batch.built, batch.unpriced).worth(answer.duals)

    def _model(self, path: Path) -> Batch | None:
        """The model on a path; None where there is no time to make it."""
        if self._batch is None or self._batch.paths != [path]:
            try:
                self._batch = Batch(self._market, [path], self._rules, self._options, self._clock)
            except TimeOver:
                return None
        return self._batch
