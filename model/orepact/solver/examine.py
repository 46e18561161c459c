"""Examine price paths: an LP bound for each, a MIP for those that may beat the best plan.

The MIPs run in rising order of their bounds, shared between the threads, and stop at the first path that can't beat the incumbent by
more than the gap. Their answers are taken in that same order, and a path begins once the one so many places before it has been taken: an
answer depends on the number of threads, never on which of them was faster.
"""

from __future__ import annotations

import gc
import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path, lawful
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus, Basis
from orepact.solver.batch import Batch, Plan, Starts, describe
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.crew import crew, leave
from orepact.solver.matrix import FloatArray
from orepact.solver.progress import Listener, Progress, relative_gap
from orepact.solver.shared import Prices
from orepact.solver.tidy import tidied

Collector = Callable[[Batch, Path, FloatArray, bool], None]
"""Told of every answer found for a path of a part, and whether it is a plan (or an LP's answer)."""

ROUNDING = 1e-9
"""Relative: two costs this close are one cost that was added up in another order."""


GARBAGE = 1_000_000
"""Nonzeros of dropped batches to collect at a time: a few hundred megabytes."""

AHEAD = 2
"""Paths per worker begun but not taken, once a plan is known: workers rarely wait for the slowest, and rarely work with an old incumbent."""


def within(cost: float, gap: float) -> float:
    """The lowest bound that proves a cost to a relative gap."""
    return cost - max(gap, ROUNDING) * abs(cost)


@dataclass
class Record:
    """What is known of one path: a bound below every plan on it, the best plan found, how it was examined; and where nothing
    has a plan, by how much it misses one, in points of effort."""

    path: Path
    bound: float | None = None
    objective: float | None = None
    status: str = "not examined"
    root_bound: float | None = None
    missed: float | None = None


@dataclass(frozen=True)
class Trail:
    """What an examiner leaves for the same question with other figures: its batches of paths and where their LPs ended, the best plan's path,
    and what that plan builds."""

    batches: tuple[tuple[list[Path], dict[Path, Basis]], ...]
    best: Path | None
    starts: Starts


class Examiner:
    """Keeps the best plan over every path examined so far. Objectives are in the world's scaled money until read."""

    def __init__(
        self, market: Market, rules: Rules, options: SolveOptions, clock: Clock, listener: Listener | None, part: tuple[Prices, Collector] | None = None
    ) -> None:
        self.market, self.rules, self.options, self.clock = market, rules, options, clock
        self.listener = listener
        self.prices: Prices | None = None if part is None else part[0]
        self._collect: Collector | None = None if part is None else part[1]
        self.batches: list[Batch] = []  # kept for other prices; where there are none, batches are dropped
        self.records: dict[Path, Record] = {}
        self._batches: list[tuple[list[Path], dict[Path, Basis]]] = []
        self.plan: Plan | None = None
        self.size: dict[str, object] = {}
        self.listed = 0
        self._dropped = 0  # nonzeros of batches dropped and not yet collected
        self._promise = math.inf  # the best that solves now running have found
        self._lock = threading.Lock()

    @property
    def unit(self) -> float:
        return self.market.world.money_unit

    @property
    def best(self) -> float:
        return math.inf if self.plan is None else self.plan.objective

    @property
    def bound(self) -> float | None:
        """No plan on any path examined costs less; None while some path has no bound yet."""
        bounds = [r.bound for r in self.records.values()]
        if not bounds or any(b is None for b in bounds):
            return None
        return min(min(b for b in bounds if b is not None), self.best)

    @property
    def target(self) -> float:
        """A plan must be cheaper than this to be worth finding; a tenth of the gap is left for tidying up."""
        return math.inf if self.plan is None else within(self.best, 0.9 * self.options.gap)

    @property
    def proven(self) -> bool:
        """Whether the best plan is within the gap of the bound."""
        return self.plan is not None and self.bound is not None and self.bound >= within(self.best, self.options.gap)

    def tidy(self) -> None:
        """Rid the best plan of what nobody would sign."""
        if self.plan is not None:
            with self.clock.phase("solve"):
                allowed = self.best + max(0.1 * self.options.gap, ROUNDING) * abs(self.best)
                self.plan = tidied(self.plan, self.options, self.clock, allowed)
            if self.plan.path in self.records:
                self.records[self.plan.path].objective = self.plan.objective

    @property
    def may_go_on(self) -> bool:
        """Whether there is time and room for another path."""
        return not self.clock.over and len(self.records) < self.options.max_paths

    def good_enough(self, bound: float) -> bool:
        """Whether a path with this bound can't beat the best plan by more than the gap."""
        return self.plan is not None and bound >= self.target

    def examine(self, paths: Sequence[Path], bases: Mapping[Path, Basis] | None = None, trail: Trail | None = None) -> bool:
        """Examine paths not seen before; whether the best plan improved. `bases` and `trail` are of the same paths with other figures."""
        fresh = [p for p in dict.fromkeys(paths) if p not in self.records][: max(0, self.options.max_paths - len(self.records))]
        if not fresh or self.clock.over:
            return False
        before = self.best
        if self._dropped > GARBAGE:
            self._dropped = 0
            gc.collect()
        try:
            batch = Batch(self.market, fresh, self.rules, self.options, self.clock, self.prices, bases)
        except TimeOver:
            return False
        for path in fresh:  # only now: a path that nobody could look at says nothing, and takes no bound from the others
            self.records.setdefault(path, Record(path))
        if self.prices is not None:
            self.batches.append(batch)
        self._batches.append((batch.paths, batch.bases))
        if trail is not None and self.plan is None and trail.best in fresh:
            self._follow(batch, trail)
        self._work(batch, range(len(fresh)))
        if self.prices is None and (self.plan is None or self.plan.built is not batch.built):
            self._dropped += batch.matrix.A.nnz
        return self.best < before

    @property
    def trail(self) -> Trail:
        """What to begin with when the same is asked with other figures."""
        return Trail(tuple(self._batches), None if self.plan is None else self.plan.path, Starts() if self.plan is None else self.plan.building())

    def _follow(self, batch: Batch, trail: Trail) -> None:
        """The best plan on a trail's best path that builds what was built there, or less."""
        assert trail.best is not None
        p = batch.paths.index(trail.best)
        answer = crew(batch.workers).submit(batch.plan, p, None, None, None, batch.beyond(trail.starts)).result()
        self._found(batch, p, answer)

    def again(self, prices: Prices, known: tuple[Batch, Path, FloatArray] | None, only: Collection[Path]) -> None:
        """Paths of a part once more at other prices, from the cheapest plan known there; the others have no bound until `complete`.

        A path without a plan has none at any price.
        """
        self.prices, self.plan = prices, None
        self.records = {path: record if record.bound == math.inf else Record(path) for path, record in self.records.items()}
        for batch in self.batches:
            batch.price(prices)
        if known is not None:
            batch, path, values = known
            self.plan = Plan(batch.built, batch.matrix, values, batch.matrix.objective(values), path)
            self.records[path].objective = self.plan.objective
        for batch in self.batches:
            self._work(batch, [p for p, path in enumerate(batch.paths) if path in only and self.records[path].bound is None])

    def complete(self) -> None:
        """Examine every path that has no bound at these prices."""
        for batch in self.batches:
            self._work(batch, [p for p, path in enumerate(batch.paths) if self.records[path].bound is None])

    def repeat(self, trail: Trail, listed: Collection[Path]) -> None:
        """Examine what was examined of a question that differs in figures alone: the best plan's path first, each LP from where it ended there.

        Figures may forbid a rung: then only listed paths use it.
        """
        world, ladders = self.market.world, self.market.ladders
        for paths, bases in sorted(trail.batches, key=lambda batch: trail.best not in batch[0]):
            if still := [p for p in paths if p in listed or lawful(world, ladders, p)]:
                self.examine(still, bases, trail)

    def _work(self, batch: Batch, wanted: Sequence[int]) -> None:
        """Bounds of these paths of a batch, then plans in rising order of the bounds."""
        done = sum(r.bound is not None for r in self.records.values())
        answers = batch.bounds(wanted, lambda n: self._tell("bounds", done + n)) if wanted else {}
        for p, answer in answers.items():
            record = self.records[batch.paths[p]]
            record.status = f"LP {answer.status}"
            if answer.status is AnswerStatus.INFEASIBLE:
                record.bound, record.status = math.inf, "no plan: its LP has none"
            elif answer.status is AnswerStatus.OPTIMAL:
                record.bound, record.status = answer.objective, "bound by LP"
                if self._collect is not None and answer.values is not None:
                    self._collect(batch, record.path, answer.values, False)
        hopeful = [p for p in answers if answers[p].status is AnswerStatus.OPTIMAL]
        self._solve(batch, deque(sorted(hopeful, key=lambda p: (self.records[batch.paths[p]].bound or 0.0, p))))

    def _solve(self, batch: Batch, waiting: deque[int]) -> None:
        """Plans of these paths, in their order, until one can't beat the best."""
        workers, begun = crew(batch.workers), deque[tuple[int, float | None, Future[Answer]]]()
        try:
            while True:
                room = 1 if batch.workers == 1 else batch.workers * (1 if self.plan is None else AHEAD)
                while waiting and len(begun) < room and not self.clock.over and not self._in_vain(batch, waiting[0]):
                    p = waiting.popleft()
                    cutoff = None if self.plan is None else self.target
                    self._promise = self.target
                    begun.append((p, cutoff, workers.submit(batch.plan, p, cutoff, self.plan, self.hear)))
                if not begun or self._in_vain(batch, begun[0][0]):
                    return
                p, cutoff, answer = begun.popleft()
                self._keep(batch, p, answer.result(), cutoff)
        finally:
            leave(future for *_, future in begun)

    def _in_vain(self, batch: Batch, p: int) -> bool:
        """Whether this path, by its LP, can't beat the best plan, and none after it can."""
        return self.good_enough(self.records[batch.paths[p]].bound or 0.0)

    def _keep(self, batch: Batch, p: int, answer: Answer, cutoff: float | None) -> None:
        """Record what the MIP of a path said."""
        record = self.records[batch.paths[p]]
        relaxed = -math.inf if record.bound is None else record.bound
        if answer.bound is not None:
            record.bound = max(answer.bound, relaxed)
        record.root_bound = answer.root_bound
        if answer.status is AnswerStatus.INFEASIBLE:
            record.bound, record.status = math.inf, "no plan"
        elif answer.status is AnswerStatus.CUTOFF and cutoff is not None:
            record.bound, record.status = max(cutoff, relaxed), "solved: not better than the best by more than the gap"
        elif answer.status is AnswerStatus.OPTIMAL:
            record.status = "solved"
        else:
            record.status = f"stopped: {answer.limit or answer.message}"
        self._found(batch, p, answer)

    def _found(self, batch: Batch, p: int, answer: Answer) -> None:
        """Keep a plan, if there is one."""
        if answer.values is None or answer.objective is None:
            return
        self.records[batch.paths[p]].objective = answer.objective
        if self._collect is not None:
            self._collect(batch, batch.paths[p], answer.values, True)
        if answer.objective < self.best:
            self.plan = Plan(batch.built, batch.matrix, answer.values, answer.objective, batch.paths[p])
            self.size = describe(batch.matrix, answer)
            self._tell("better plan", len(self.records))

    def hear(self, event: Progress) -> None:
        """Pass on progress from within a solve."""
        if self.listener is not None:
            if event.incumbent is not None and event.incumbent < self._promise * (1 - ROUNDING):  # HiGHS calls the cutoff an incumbent
                self._promise = event.incumbent
            self._tell("solve", len(self.records), self._promise if self._promise < self.target else None)

    def _tell(self, phase: str, examined: int, incumbent: float | None = None) -> None:
        if self.listener is None:
            return
        best = incumbent if incumbent is not None else (None if self.plan is None else self.best)
        best, bound = (None if x is None or math.isinf(x) else x * self.unit for x in (best, self.bound))
        with self._lock:
            self.listener(
                Progress(
                    phase=phase,
                    seconds=self.clock.seconds,
                    incumbent=best,
                    bound=bound,
                    gap=relative_gap(best, bound),
                    paths_examined=examined,
                    paths_listed=self.listed,
                    rungs=None if self.plan is None else self.plan.path.rungs,
                )
            )
