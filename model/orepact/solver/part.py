"""One part of a basket: its own market, its search at the prices of the moment, and the plans found so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.parts import part
from orepact.market.paths import Path, distinct, lawful
from orepact.options import SolveOptions
from orepact.solver.batch import Batch, Plan, Starts
from orepact.solver.clock import Clock
from orepact.solver.examine import Examiner, Record, Trail
from orepact.solver.master import Commons, cost_of
from orepact.solver.matrix import FloatArray
from orepact.solver.neighbourhood import improve, towards_feasible
from orepact.solver.outcome import Adjust, PartBound
from orepact.solver.progress import Listener
from orepact.solver.question import digest, kind_of
from orepact.solver.shared import Key, Prices

SHARE_OF_GAP = 0.4
"""Of the gap asked, what a part's own search may use; the rest is for what the parts share."""

LIKELY = 24
"""Paths of a part that are examined again at prices not yet settled, at most."""

NEAR = 0.02
"""Relative: paths judged dearer than the best by more are not examined again until prices have settled."""

TRACES = 4
"""LP answers remembered of each path."""


@dataclass(frozen=True, eq=False)
class Column:
    """A plan of one part, kept sparse: cost and uses of the shared rows in USD, starts by plant and period."""

    batch: Batch
    path: Path
    cost: float
    uses: dict[Key, float]
    starts: Starts
    places: NDArray[np.int64]
    amounts: FloatArray

    def priced(self, prices: Prices) -> float:
        """Cost at complete prices, USD."""
        return self.cost + cost_of(self.uses, prices)

    def values(self) -> FloatArray:
        found = np.zeros(len(self.batch.matrix.columns))
        found[self.places] = self.amounts
        return found


class Part:
    """One part: its market, its search, and the plans found so far."""

    def __init__(self, whole: Market, products: tuple[int, ...], rules: Rules, options: SolveOptions, clock: Clock, listener: Listener | None, fixed: Adjust):
        self.products = products
        self.market = Market(part(whole.world, products))
        self._whole = whole
        self._impose()
        self.digest, self.kind = digest(self.market, rules, options), kind_of(self.market, rules, options)
        self.trail: Trail | None = None  # of the same part with other figures, to begin with
        self._settled: tuple[Prices, dict[Path, Record], Plan | None] | None = None
        self.rules, self.options, self.clock = rules, options.model_copy(update={"gap": SHARE_OF_GAP * options.gap}), clock
        self.columns: list[Column] = []
        self._traces: dict[Path, list[tuple[float, dict[Key, float]]]] = {}
        self.examiner = Examiner(self.market, rules, self.options, clock, listener, ({}, self.keep))
        self.fixed: Adjust = lambda path: self.own(fixed(self.whole(path, whole.free)))
        self.exhausted = False

    def _impose(self) -> None:
        """What a user's package imposes on the part's plants, in the part's units."""
        whole, own = self._whole.world, self.market.world
        number = {plant.code: f for f, plant in enumerate(own.plants)}
        mass, money = whole.mass_unit / own.mass_unit, whole.money_unit / own.money_unit
        for f, imposed in self._whole.imposed.items():
            code = whole.plants[f].code
            if code in number:
                self.market.imposed[number[code]] = replace(
                    imposed,
                    volume=None if imposed.volume is None else imposed.volume * mass,
                    grant=None if imposed.grant is None else imposed.grant * money,
                )

    def own(self, path: Path) -> Path:
        """What a path of the whole says about the part."""
        return Path(tuple(path.rungs[k] for k in self.products), path.label)

    def whole(self, path: Path, others: Path) -> Path:
        """A path of the part, with other products as on `others`."""
        rungs = list(others.rungs)
        for k, own in zip(self.products, path.rungs, strict=True):
            rungs[k] = own
        return Path(tuple(rungs), path.label)

    def keep(self, batch: Batch, path: Path, values: FloatArray, whole: bool) -> None:
        """Remember a plan, or (not `whole`) what the LP of a path cost and used."""
        assert batch.shared is not None
        unit = self.market.world.money_unit
        cost, uses = batch.unpriced.objective(values) * unit, batch.shared.used(values)
        self._traces[path] = [*self._traces.get(path, [])[1 - TRACES :], (cost, uses)]
        if whole:
            places, plan = np.flatnonzero(values), Plan(batch.built, batch.matrix, values, cost / unit, path)
            self.columns.append(Column(batch, path, cost, uses, plan.building(), places, values[places]))

    def likely(self, prices: Prices) -> list[Path]:
        """Paths that may be best at these (complete) prices, judged by what their LPs used at others: an LP costs no more than any of its former answers."""
        judged = {path: min(cost + cost_of(uses, prices) for cost, uses in traces) for path, traces in self._traces.items()}
        least = min(judged.values(), default=0.0)
        near = [path for path, cost in judged.items() if cost <= least + NEAR * abs(least)]
        return sorted(near, key=lambda path: (judged[path], path.rungs))[:LIKELY]

    def resume(self, whole: Market, products: tuple[int, ...], clock: Clock, listener: Listener | None, fixed: Adjust) -> None:
        """Serve another basket."""
        self._whole, self.products, self.clock = whole, products, clock
        self.examiner.clock, self.examiner.listener = clock, listener
        for batch in self.examiner.batches:
            batch.clock = clock
        self.fixed = lambda path: self.own(fixed(self.whole(path, whole.free)))
        self._restore()

    def settle(self) -> None:
        """Remember what is known of every path at the prices of the moment."""
        assert self.examiner.prices is not None
        self._settled = (self.examiner.prices, self.examiner.records, self.examiner.plan)

    def _restore(self) -> None:
        """Be again as at the prices last settled, if other prices were tried since."""
        if self._settled is not None and self.examiner.prices is not self._settled[0]:
            self.examiner.prices, self.examiner.records, self.examiner.plan = self._settled
            for batch in self.examiner.batches:
                batch.price(self._settled[0])

    def named(self, path: Path) -> Path:
        """What a path of the whole says about the part, by the name it was examined under."""
        own = self.own(path)
        return self.examiner.records[own].path if own in self.examiner.records else own

    def first(self, paths: Sequence[Path], prices: Prices, before: Path | None) -> None:
        """The list, from the path of a basket solved before, and neighbours of its best, at these prices."""
        self.examiner.prices = prices
        listed = distinct(map(self.own, paths))
        if before is not None and (before in listed or lawful(self.market.world, self.market.ladders, before)):
            listed = distinct([before, *listed])
        if self.trail is not None:
            self.examiner.repeat(self.trail, listed)
        self.examiner.listed = len(listed)
        self.examiner.examine(listed)
        if self.examiner.plan is None and not self.clock.over and not self.options.own_paths_only:
            towards_feasible(self.market, self.examiner, listed, self.rules, self.options, self.clock, self.fixed, once=False)
        self.improve()

    def improve(self) -> None:
        self.exhausted = improve(self.market, self.examiner, self.options, self.fixed)

    def again(self, prices: Prices, commons: Commons) -> None:
        """The likeliest paths at other prices."""
        complete = commons.complete(prices)
        best = min(self.columns, key=lambda column: column.priced(complete), default=None)
        known = None if best is None else (best.batch, best.path, best.values())
        self.examiner.again(prices, known, {*self.likely(complete), *([best.path] if best else [])})

    def ranking(self) -> list[tuple[float, Path]]:
        """Bound (USD) and path, cheapest first, of the paths that may have a plan."""
        unit = self.market.world.money_unit
        bounds = [(r.bound * unit, path) for path, r in self.examiner.records.items() if r.bound is not None and math.isfinite(r.bound)]
        return sorted(bounds, key=lambda x: (x[0], x[1].label, x[1].rungs))

    def bounded(self) -> PartBound:
        """What the part adds to a bound at the prices of the moment."""
        assert self.examiner.bound is not None
        return PartBound(self.market, tuple(self.examiner.records), self.examiner.bound)

    def least(self, complete: bool) -> float | None:
        """What no plan of the part costs less than at the prices of the moment, USD; over the paths examined at them unless `complete`."""
        unit = self.market.world.money_unit
        if complete:
            return None if self.examiner.bound is None else self.examiner.bound * unit
        bounds = [r.bound for r in self.examiner.records.values() if r.bound is not None]
        return min(bounds, default=math.inf) * unit
