"""Baskets: chains that share treasuries are searched one by one, at prices on what they share, and a master fits their plans together.

    search    each part over its own list and neighbours, at the prices of the moment (examine.py, shared.py)
    combine   the master picks a plan per part; with those paths and starts the whole model is solved: a plan of the whole
    price     the master's LP says what a dollar of budget, and a dollar of net outlay, is worth (as long as no plans are known that fit
              together: the LP of the whole model on the likeliest paths, `whole.py`); the likeliest paths are examined again at these
              prices, and once prices settle, all of them: a bound below every combination

What is proven: no combination of examined paths, one per part, has a plan below the bound. Where budgets are ample the first
prices are right, and the parts separate exactly.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import World
from orepact.options import SolveOptions
from orepact.solver.answer import Answer
from orepact.solver.batch import Plan, Starts, cores, describe
from orepact.solver.clock import Clock
from orepact.solver.crew import each
from orepact.solver.examine import ROUNDING, Examiner, Record, within
from orepact.solver.master import DEAR, DEAREST, Commons, Master, Verdict
from orepact.solver.memory import Memory
from orepact.solver.outcome import Adjust, Pricing
from orepact.solver.part import Part
from orepact.solver.progress import Listener, Progress, relative_gap
from orepact.solver.shared import Prices
from orepact.solver.tidy import tidied
from orepact.solver.whole import Whole

ROUNDS = 40
"""Prices tried at most."""

TOGETHER = 4
"""Combinations of paths in one whole model."""

CLOSING = 200
"""Combinations examined at most."""

UNFIT = range(2, 5)
"""The whole model is solved on the parts' likeliest paths the second to fourth time that no plans known fit together: the first time other prices
mostly help, and the paths likeliest at these are better ones (on `alliance-basket` at 0.5 %)."""

PICKING = 30.0
"""Seconds for the master to pick a plan per part."""

STILL = 0.05
"""Of the gap asked: bounds and plans that move less than this stand still."""

STEP = 0.5
"""Prices move so far from the best known towards the master's: undamped they swing."""


class Basket:
    """The search over all parts; `plan` and `bound` are the whole's, in its scaled money."""

    def __init__(
        self,
        market: Market,
        parts: Sequence[tuple[int, ...]],
        rules: Rules,
        options: SolveOptions,
        clock: Clock,
        listener: Listener | None,
        fixed: Adjust,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory or Memory()
        self.market, self.rules, self.options, self.clock, self._listener = market, rules, options, clock, listener
        self.plan: Plan | None = None
        self.pricing: Pricing | None = None
        self.size: dict[str, object] = {}
        self._bound = -math.inf  # USD
        self._ranking: list[list[tuple[float, Path]]] = []
        self.commons = Commons({}, {}, {})
        self._whole = Whole(market, rules, options, clock)
        self._unfit = 0  # times that no plans known fitted together
        self._telling = threading.Lock()
        self.parts = [self._part(products, self._heard(n), fixed) for n, products in enumerate(parts)]
        self._names = _names([p.market.world for p in self.parts])

    def _part(self, products: tuple[int, ...], listener: Listener | None, fixed: Adjust) -> Part:
        """A part from memory, or a new one."""
        clock = self.clock.branch()
        new = Part(self.market, products, self.rules, self.options, clock, listener, fixed)
        known = self._memory.parts.get(new.digest)
        if known is None:
            asked = next((p for p in self._memory.parts.values() if p.kind == new.kind), None)
            if asked is not None:
                new.trail = asked.examiner.trail
            return new
        known.resume(self.market, products, clock, listener, fixed)
        return known

    @property
    def unit(self) -> float:
        return self.market.world.money_unit

    @property
    def best(self) -> float:
        return math.inf if self.plan is None else self.plan.objective

    @property
    def bound(self) -> float | None:
        return None if math.isinf(self._bound) or self.plan is None else min(self._bound / self.unit, self.plan.objective)

    @property
    def proven(self) -> bool:
        return self.plan is not None and self._bound >= within(self.plan.objective, self.options.gap) * self.unit

    @property
    def exhausted(self) -> bool:
        return all(p.exhausted for p in self.parts)

    @property
    def counted(self) -> str:
        """How many paths and combinations were examined."""
        numbers = [len(p.examiner.records) for p in self.parts]
        return f"{sum(numbers)} paths of {len(numbers)} parts, {math.prod(numbers):,} combinations"

    def search(self, paths: Sequence[Path]) -> None:
        """Everything: the parts, their combination, prices, until the gap is closed."""
        start = self._memory.prices
        if not self._begin(paths, start):
            return
        self._settle_prices(start)
        self._finish()
        if not self.clock.over and self.plan is not None:
            self._memory.parts = {p.digest: p for p in self.parts}
            self._memory.starts = self.plan.building()
            self._memory.paths = {p.market.world.products: p.named(self.plan.path) for p in self.parts}

    def _begin(self, paths: Sequence[Path], prices: Prices) -> bool:
        """Search every part at these prices; whether each has a plan. Where one has none, those after it are stopped and count for nothing."""

        def work(number: int) -> None:
            p = self.parts[number]
            if not p.examiner.records and not p.clock.over:
                p.first(paths, prices, self._memory.paths.get(p.market.world.products))
            if p.examiner.plan is None:
                for later in self.parts[number + 1 :]:
                    later.clock.stop.set()

        self._each(work)
        without = [n for n, p in enumerate(self.parts) if p.examiner.plan is None]
        if without and not self.clock.over:
            self.parts, self._names = self.parts[: without[0] + 1], self._names[: without[0] + 1]
        return not without

    def _each(self, work: Callable[[int], None]) -> None:
        """Do the work for every part: in turn on one thread, else side by side, one more than there are threads, so that one is built while
        others are solved; the largest first, so that small ones fill the gaps that it leaves.

        Parts know nothing of one another: the order changes no answer. If it fails for one, the others are stopped.
        """
        threads, numbers = self.options.threads or cores(), list(range(len(self.parts)))
        if threads > 1:
            numbers.sort(key=lambda n: -len(self.parts[n].market.world.plants))

        def stop() -> None:
            for p in self.parts:
                p.clock.stop.set()

        with ThreadPoolExecutor(1 if threads == 1 else threads + 1) as pool:
            each(work, numbers, pool, failed=stop)

    def _settle_prices(self, prices: Prices) -> None:
        """Prices until the bound and the plan meet, or prices no longer move."""
        self.commons = self.gathered()
        served_elsewhere = any(p.examiner.prices is not prices for p in self.parts)
        found, complete = self.examine(prices, complete=True) if served_elsewhere else self._value(prices, complete=True), True
        self._as_before()
        best, value, still = prices, -math.inf, 0
        for _ in range(ROUNDS):
            if found is None:  # stopped on the way
                return
            noticed = STILL * self.options.gap * abs(found)
            moved = abs(found - value) > noticed if complete else found > value + noticed
            if complete or found > value:
                best, value = prices, found
            before = math.inf if self.plan is None else self.plan.objective
            verdict = None if self.proven else self._combine()
            if verdict is None or self.proven or self.clock.over:
                return
            still = 0 if moved or self.best < before - STILL * self.options.gap * abs(before) else still + 1
            if complete and still > 1:
                return
            complete = not complete and (still > 1 or self._enough(value))
            prices = best if complete else self._moved(best, verdict)
            found = self.examine(prices, complete)

    def _as_before(self) -> None:
        """On the paths of the plan of the basket solved before: what that plan builds, and what parts that changed build by themselves; or anything."""
        paths, starts = list[Path](), self._memory.starts
        for p in self.parts:
            before = self._memory.paths.get(p.market.world.products)
            if before is None or p.examiner.plan is None:
                return
            if p.digest not in self._memory.parts:
                before, starts = p.examiner.plan.path, starts | p.examiner.plan.building()
            paths.append(before)
        for allowed in (starts, None):
            if self.plan is None:
                self._take(self._whole.plan(self._together(paths), allowed))

    def _moved(self, best: Prices, verdict: Verdict) -> Prices:
        """The next prices: half way from the best known to the master's; as long as no plan of the whole is known, by the LP of the likeliest
        paths together, since a master whose plans don't fit prices their excess."""
        likeliest = [p.columns[j].path for p, j in zip(self.parts, verdict.mostly, strict=True)]
        told = self._whole.prices(self._together(likeliest)) if self.plan is None else None
        if told is not None:
            return self.commons.lawful({key: told.get(key, 0.0) for key in self.commons.rows})
        known = self.commons.complete(best)
        return self.commons.lawful({key: STEP * known[key] + (1 - STEP) * price for key, price in verdict.prices.items()})

    def examine(self, prices: Prices, complete: bool) -> float | None:
        """Examine the likeliest paths of every part at these prices, or all and their neighbours; None where there was no time.

        The value (USD) is a bound below every combination of the paths so examined, and if `complete` of all.
        """

        def work(number: int) -> None:
            p = self.parts[number]
            p.again(prices, self.commons)
            if complete:
                p.examiner.complete()
                p.improve()

        self._each(work)
        self.commons = self.gathered()
        return self._value(prices, complete)

    def _enough(self, value: float) -> bool:
        """Whether a bound of this value (USD) would prove the plan."""
        return self.plan is not None and value >= within(self.plan.objective, self.options.gap) * self.unit

    def _finish(self) -> None:
        """Close what is left of the gap, if it can be closed, and rid the plan of what nobody would sign."""
        if not self.proven:
            self._close()
        if self.plan is not None:
            with self.clock.phase("solve"):
                allowed = self.plan.objective + max(0.1 * self.options.gap, ROUNDING) * abs(self.plan.objective)
                if self.proven:  # and proven it stays
                    bound, gap = self._bound / self.unit, max(self.options.gap, ROUNDING)
                    allowed = min(allowed, max(self.plan.objective, bound / (1 - gap) if bound > 0 and gap < 1 else bound / (1 + gap)))
                self.plan = tidied(self.plan, self.options, self.clock, allowed)

    def _close(self) -> None:
        """Combinations of paths in rising order of their bounds, each examined in the whole model, until none can beat the plan."""
        whole = Examiner(self.market, self.rules, self.options, self.clock, None)
        whole.plan, bounds = self.plan, dict[Path, float]()
        left = self._combinations()
        ahead = next(left, None)
        while ahead is not None and not whole.good_enough(ahead[0]) and whole.may_go_on and len(bounds) < CLOSING:
            group = list[Path]()
            while ahead is not None and not whole.good_enough(ahead[0]) and len(group) < TOGETHER:
                group.append(ahead[1])
                bounds[ahead[1]], ahead = ahead[0], next(left, None)
            if whole.examine(group) and whole.plan is not None:
                self.plan, self.size = whole.plan, {**whole.size, "parts": len(self.parts)}
                self._tell("better plan", None)
        known = [max(bound, r.bound) if (r := whole.records.get(path)) and r.bound is not None else bound for path, bound in bounds.items()]
        least = min([*known, math.inf if ahead is None else ahead[0]])
        self._bound = max(self._bound, least * self.unit)

    def _combinations(self) -> Iterator[tuple[float, Path]]:
        """Paths of the whole, one per part, with a bound each (the whole's scaled money) at the prices of the best bound, in rising order."""
        if math.isinf(self._bound) or not all(self._ranking):
            return
        best = sum(ranking[0][0] for ranking in self._ranking)
        first = (0,) * len(self.parts)
        queue, seen = [(best, first)], {first}
        while queue:
            total, numbers = heapq.heappop(queue)
            path = self.market.free
            for p, ranking, n in zip(self.parts, self._ranking, numbers, strict=True):
                path = p.whole(ranking[n][1], path)
            yield (
                (self._bound + total - best) / self.unit,
                Path(path.rungs, self._label([ranking[n][1] for ranking, n in zip(self._ranking, numbers, strict=True)])),
            )
            for c, ranking in enumerate(self._ranking):
                n = numbers[c]
                following = (*numbers[:c], n + 1, *numbers[c + 1 :])
                if n + 1 < len(ranking) and following not in seen:
                    seen.add(following)
                    heapq.heappush(queue, (total + ranking[n + 1][0] - ranking[n][0], following))

    def _label(self, paths: Sequence[Path]) -> str:
        """What the parts' paths are called together."""
        named = [f"{name}: {path.label}" for name, path in zip(self._names, paths, strict=True) if any(map(any, path.rungs))]
        return f"together: {'; '.join(named) or 'free trade'}"

    def gathered(self) -> Commons:
        """What the parts share, by what they have been asked so far."""
        limits = [float(row["limit"]) for row in self.market.world.tables["budgets"]]
        return Commons.of([[b.shared for b in p.examiner.batches if b.shared is not None] for p in self.parts], limits)

    def _value(self, prices: Prices, complete: bool) -> float | None:
        """The bound at these prices; takes note of it, and of every path's part in it, if it is of all paths and the best so far."""
        least = [p.least(complete) for p in self.parts]
        if any(x is None for x in least):
            return None
        value = sum(x for x in least if x is not None) + self.commons.constant(prices)
        if complete and value > self._bound:
            self._bound = value
            self._ranking = [p.ranking() for p in self.parts]
            self._memory.prices = prices
            for p in self.parts:
                p.settle()
            self.pricing = Pricing(prices, tuple(p.bounded() for p in self.parts), value)
        return value

    def _combine(self) -> Verdict | None:
        """Ask the master, and solve the whole model with what it picks. A dollar too much costs twice as much each time that nothing fits."""
        with self.clock.phase("solve"):
            columns = [p.columns for p in self.parts]
            master = Master(self.commons, columns, self.unit, self.options, self.clock, dear=min(DEAR * 2.0**self._unfit, DEAREST))
            verdict = master.price()
            picked = master.pick(0.1 * self.options.gap, PICKING) if verdict is not None else None
        self._unfit += picked is None
        if verdict is not None and (picked is not None or (self.plan is None and self._unfit in UNFIT)):
            chosen = [p.columns[j] for p, j in zip(self.parts, picked or verdict.mostly, strict=True)]
            starts = Starts().union(*(column.starts for column in chosen)) if picked is not None else None
            self._take(self._whole.plan(self._together([column.path for column in chosen]), starts))
        return verdict

    def _together(self, paths: Sequence[Path]) -> Path:
        """The path of the whole on which each part is on its own of these."""
        path = self.market.free
        for p, own in zip(self.parts, paths, strict=True):
            path = p.whole(own, path)
        return Path(path.rungs, self._label(paths))

    def _take(self, found: tuple[Plan, Answer] | None) -> None:
        """Keep a plan of the whole if it is better."""
        if found is not None and found[0].objective < self.best:
            self.plan, answer = found
            self.size = {**describe(self.plan.matrix, answer), "parts": len(self.parts)}
            self._tell("better plan", None)

    def records(self) -> Iterator[Record]:
        """What is known of each part's paths, as paths of the whole that are the best elsewhere; bounds in the whole's scaled money."""
        base = self.plan.path if self.plan is not None else self.market.free
        for name, p, ranking in zip(self._names, self.parts, self._ranking or [[] for _ in self.parts], strict=True):
            known = {path: self._bound + bound - ranking[0][0] for bound, path in ranking}
            for path, record in p.examiner.records.items():
                whole = p.whole(path, base)
                bound = known.get(path, math.inf if record.bound == math.inf else None)
                status = "the plan's" if self.plan is not None and whole == base else record.status
                yield Record(Path(whole.rungs, f"{name}: {path.label}"), bound=None if bound is None else bound / self.unit, status=status)
        if self.plan is not None:
            yield Record(base, bound=self.bound, objective=self.plan.objective, status="solved")

    def _heard(self, number: int) -> Listener | None:
        """A listener for one part: its own figures mean nothing to the whole."""
        return None if self._listener is None else lambda event: self._tell(event.phase, number)

    def _tell(self, phase: str, number: int | None) -> None:
        if self._listener is None:
            return
        best = None if self.plan is None else self.plan.objective * self.unit
        bound = None if self.bound is None else self.bound * self.unit
        with self._telling:
            self._listener(
                Progress(
                    phase=phase if number is None else f"{phase}, {self._names[number]}",
                    seconds=self.clock.seconds,
                    incumbent=best,
                    bound=bound,
                    gap=relative_gap(best, bound),
                    paths_examined=sum(len(p.examiner.records) for p in self.parts),
                    paths_listed=sum(p.examiner.listed for p in self.parts),
                    rungs=None if self.plan is None else self.plan.path.rungs,
                )
            )


def _names(worlds: Sequence[World]) -> list[str]:
    """A name for each part: its minerals, or its products where another part is of the same minerals."""
    minerals = [", ".join(dict.fromkeys(r["mineral"] for r in world.tables["products"])) for world in worlds]
    return [name if minerals.count(name) == 1 else ", ".join(world.products) for name, world in zip(minerals, worlds, strict=True)]
