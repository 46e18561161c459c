"""What happens under a plan, as arrays: the quantities of the main model and of its stress tests, read once for every table.

Indices and scaled units are those of market/world.py. A place p is a node, or -1 and -2 for the members' and the partners'
hub, which NumPy takes for the last two rows. Entries of a scenario without a solution are zero; `scenarios` says which have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.market.deals import Deal
from orepact.market.horizon import Array
from orepact.market.world import World
from orepact.solver.batch import Plan

NEGLIGIBLE = 1e-9
"""Scaled amounts this small are what a solver's tolerance leaves; they read as zero."""

Index = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Signed:
    """A deal in force: its share of the plant's plan, the capacity under contract and the grant (scaled mass per year, money)."""

    facility: int
    payer: int
    deal: Deal
    weight: float
    volume: float
    grant: float


class Outturn:
    """See the module's first lines."""

    def __init__(self, plan: Plan, stress: Mapping[int, Plan | None]) -> None:
        self.plan = plan
        self.case: Case = plan.built.case
        self.world: World = self.case.world
        self.planner = self.case.planner
        tests = {w: test for w, test in stress.items() if test is not None}
        self.stress = tuple(tests)
        self.scenarios = (*self.case.scenarios, *tests)
        """Scenarios that have a solution: the model's, then the stress tests."""
        self.plans = (plan, *tests.values())

    def _read(self, name: str, *shape: int, at: Callable[[Index], Index] = lambda index: index) -> Array:
        """Values of the columns called `part.family` by their index, or by what `at` makes of it, added up where several meet."""
        found = np.zeros(shape)
        part, _, family = name.partition(".")
        for plan in self.plans:
            columns = getattr(getattr(plan.built.model, part), family, None)
            if columns is not None and len(columns):
                np.add.at(found, at(columns.index), plan.values[columns.ids])
        return settled(found)

    # -- sizes ----------------------------------------------------------------------------------------------------

    @cached_property
    def _span(self) -> tuple[int, int]:
        """Periods and scenarios."""
        return self.world.horizon.periods, len(self.world.scenarios)

    @cached_property
    def _spots(self) -> tuple[int, int, int, int]:
        """Products, places (nodes and two hubs), periods, scenarios."""
        return len(self.world.products), len(self.world.nodes) + 2, *self._span

    # -- prices ---------------------------------------------------------------------------------------------------

    @cached_property
    def rungs(self) -> list[Array]:
        """Weight of each rung (L, T) per product: 1 for the one in force; the planner may mix."""
        weights = [np.zeros(ladder.offered.shape) for ladder in self.case.market.ladders]
        if self.planner:
            for (k, t, l), z in self.plan.built.model.choice.z.items():
                weights[k][l, t] = self.plan.values[z]
        else:
            for k, rungs in enumerate(self.plan.path.rungs):
                weights[k][list(rungs), np.arange(len(rungs))] = 1.0
        return weights

    def in_force(self, k: int, by_rung: Array) -> Array:
        """What the rungs in force make of a figure given by rung: (L, T, W) → (T, W)."""
        return np.asarray(np.einsum("lt,ltw->tw", self.rungs[k], by_rung))

    @cached_property
    def price(self) -> Array:
        """Zone price (K, T, W)."""
        return np.stack([self.in_force(k, ladder.price) for k, ladder in enumerate(self.case.market.ladders)])

    @cached_property
    def kept(self) -> Array:
        """Share of demand at world prices that remains at the zone's prices (K, T, W)."""
        return np.stack([self.in_force(k, ladder.kept) for k, ladder in enumerate(self.case.market.ladders)])

    @cached_property
    def demand(self) -> Array:
        """Final demand at the zone's prices (I, K, T, W)."""
        return np.asarray(self.world.demand * self.kept)

    @cached_property
    def available(self) -> Array:
        """What each source may sell under the rungs in force, for the planner under any rung (O, T, W)."""
        found = np.zeros((len(self.world.sources), *self._span))
        for k, ladder in enumerate(self.case.market.ladders):
            for x, o in enumerate(ladder.sources):
                sells = ladder.selling[:, x]
                permitted = (sells & ladder.offered[:, :, None]).any(axis=0) if self.planner else self.in_force(k, sells.astype(float))
                found[o] = self.world.sources[o].available * permitted
        return found

    # -- owners ---------------------------------------------------------------------------------------------------

    @cached_property
    def starts(self) -> dict[int, int]:
        """Start period of each candidate that is built."""
        return {f: tau for (f, tau), value in self.plan.starts().items() if value > 0.5}

    @cached_property
    def signed(self) -> tuple[Signed, ...]:
        """Deals in force; none for the planner."""
        if self.planner:
            return ()
        owners = self.plan.built.model.owners

        weight, volume, grant = np.zeros((3, len(self.case.deals)))
        for amounts, columns in ((weight, owners.weight), (volume, owners.volume), (grant, owners.grant)):
            values = self.plan.values[columns.ids]
            amounts[columns.index] = np.where(values > NEGLIGIBLE, values, 0.0)
        return tuple(
            Signed(x.facility, x.payer, x.deal, float(weight[d]), float(volume[d]), float(grant[d])) for d, x in enumerate(self.case.deals) if weight[d] > 0
        )

    def stands(self, f: int) -> bool:
        """Whether a plant exists or is built."""
        return f in self.starts or not self.world.plants[f].candidate

    @cached_property
    def activity(self) -> Array:
        """Main output of plants (F, T, W)."""
        return self._read("activity.x", len(self.world.plants), *self._span)

    @cached_property
    def idle(self) -> Array:
        """Main output given up for want of feed (F, T, W)."""
        return self._read("activity.idle", len(self.world.plants), *self._span, at=lambda index: (index[0], index[2], index[3]))

    # -- goods ----------------------------------------------------------------------------------------------------

    @cached_property
    def imports(self) -> Array:
        """Imports by source and place (O, P, T, W)."""
        return self._read("imports.amount", len(self.world.sources), *self._spots[1:])

    @cached_property
    def shipped(self) -> Array:
        """Tonnes on each route inside the zone (R, T, W)."""
        return self._read("trade.flow", len(self.world.routes), *self._span)

    @cached_property
    def swapped(self) -> Array:
        """Pooled goods between the hubs (K, 2, T, W): from partners to members, then from members to partners."""
        return self._read("trade.swap", self._spots[0], 2, *self._span, at=lambda index: (index[0], (index[1] == "out").astype(int), *index[2:]))

    @cached_property
    def exports(self) -> Array:
        """Sold outside within the limit (K, P, T, W)."""
        return self._read("surplus.export", *self._spots)

    @cached_property
    def overflow(self) -> Array:
        """Dumped outside (K, P, T, W)."""
        return self._read("surplus.overflow", *self._spots)

    @cached_property
    def glut(self) -> Array:
        """Bought to hold a price and resold outside (K, P, T, W)."""
        return self._read("surplus.glut", *self._spots, at=lambda index: index[:4])

    @cached_property
    def shortage(self) -> Array:
        """Final demand that goes without (K, P, T, W)."""
        return self._read("demand.short", *self._spots, at=lambda index: index[:4])

    @cached_property
    def bought(self) -> Array:
        """Purchases for stock (S, T), the same in every scenario."""
        found, buy = np.zeros((len(self.world.stock_sites), self._span[0])), self.plan.built.model.stockpile.buy
        np.add.at(found, buy.index[:2], self.plan.values[buy.ids])
        return settled(found)

    @cached_property
    def level(self) -> Array:
        """Stock at the end of the period (S, T, W)."""
        return self._read("stockpile.level", len(self.world.stock_sites), *self._span)

    @cached_property
    def released(self) -> Array:
        """Released from stock (S, T, W), mass per year."""
        return self._read("stockpile.release", len(self.world.stock_sites), *self._span)

    # -- money ----------------------------------------------------------------------------------------------------

    @cached_property
    def costs(self) -> dict[str, Array]:
        """Discounted cost by term (T, W), scaled money. What falls due once, such as foreign rent, stands in the first period."""
        found: dict[str, Array] = {}
        for plan in self.plans:
            ledger, scenarios = plan.built.ledger, plan.built.case.scenarios
            for term, entry in ledger.entries.items():
                cost = found.setdefault(term, np.zeros(self._span))
                np.add.at(cost, (entry.t, entry.w), self.world.discount[entry.t] * entry.coef * plan.values[entry.column])
            for term, (coef, column) in ledger.lumps.items():
                found.setdefault(term, np.zeros(self._span))[0, scenarios] += float(coef @ plan.values[column])
        return found

    def expected(self, amounts: Array) -> Array:
        """Probability-weighted mean over the last axis, scenarios."""
        return np.asarray(amounts @ self.world.probability)


def settled(amounts: Array) -> Array:
    """Amounts without what a solver's tolerance leaves."""
    return np.where(np.abs(amounts) < NEGLIGIBLE, 0.0, amounts)


def spots(amounts: Array, scenarios: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Indices of what is not zero, in the scenarios given (the last axis)."""
    shown = np.zeros(amounts.shape[-1], dtype=bool)
    shown[list(scenarios)] = True
    return ((*rest, w) for *rest, w in np.argwhere((amounts != 0) & shown).tolist())
