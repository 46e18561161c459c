"""The master of a basket: one known plan per part, so that what they share adds up.

    min Σ_c Σ_j cost_cj θ_cj + d·s + M·(artificial)      Σ_j θ_cj = 1      low <= Σ uses θ + B s + artificial <= high

As an LP it prices the shared rows; with whole θ it picks the plans. Artificial columns keep the LP feasible until plans are
known that fit together: what they cost tells the parts how much too much they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Protocol

import numpy as np

from orepact.formulation.model import Model
from orepact.formulation.terms import Terms
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import HIGHS
from orepact.solver.clock import Clock
from orepact.solver.highs import Session
from orepact.solver.matrix import FloatArray, Matrix, matrix_of
from orepact.solver.shared import BUDGET, Key, Prices, Shared, SharedColumn

DEAR, DEAREST = 1.0, 16.0
"""What a dollar too much in a shared row costs at first, and at most. Far above what it is worth, the LP prices nothing but the excess, and the
parts look for plans that nobody would choose (on `alliance-basket` such a round takes as long as the search before it)."""

SLIP = 1e-9
"""Relative: a reduced cost this little below zero is rounding."""


class Column(Protocol):
    """A plan of one part: its cost, and what it puts into each shared row, in USD."""

    @property
    def cost(self) -> float: ...
    @property
    def uses(self) -> Mapping[Key, float]: ...


@dataclass(frozen=True)
class Commons:
    """Shared rows with their limits in USD, and shared columns, of all parts together."""

    rows: dict[Key, tuple[float, float]]
    columns: dict[Key, SharedColumn]
    starts: dict[Key, float]

    @classmethod
    def of(cls, shared: Sequence[Sequence[Shared]], budgets: Sequence[float]) -> Commons:
        """Gather them; `shared` are those of each part's models. A budget (USD a year, by row) is one for all, other limits add up over parts."""
        rows: dict[Key, tuple[float, float]] = {}
        columns: dict[Key, SharedColumn] = {}
        starts: dict[Key, float] = {}
        for part in shared:
            own: dict[Key, tuple[float, float]] = {}
            for model in part:
                own.update(model.rows)
                starts.update(model.starts)
                for key, column in model.columns.items():
                    known = columns.get(key)
                    columns[key] = column if known is None else SharedColumn(column.cost, column.low, column.high, known.rows | column.rows)
            for key, (low, high) in own.items():
                before = rows.get(key, (0.0, 0.0))
                rows[key] = (-math.inf, budgets[_row_of(key)]) if key[0] == BUDGET else (before[0] + low, before[1] + high)
        return cls(rows, columns, starts)

    def complete(self, prices: Prices) -> Prices:
        """The prices, with the starting price of every row that has none."""
        return {**self.starts, **prices}

    def constant(self, prices: Prices) -> float:
        """What the bound owes to the shared rows and columns themselves, USD; minus infinity where prices are not lawful."""
        found, prices = 0.0, self.complete(prices)
        for key, (low, high) in self.rows.items():
            price = prices[key]
            limit = high if price > 0 else low
            found -= price * limit if price else 0.0
        for column in self.columns.values():
            reduced = column.cost + sum(coef * prices[key] for key, coef in column.rows.items())
            if abs(reduced) <= SLIP * max(1.0, abs(column.cost)):
                continue
            end = column.low if reduced > 0 else column.high
            found += reduced * end if end else 0.0
        return found

    def lawful(self, prices: Prices) -> dict[Key, float]:
        """The prices with signs that limits allow, none above what a shared column would pay."""
        found, prices = {}, self.complete(prices)
        for key, (low, high) in self.rows.items():
            price = max(prices[key], 0.0) if low == -math.inf else prices[key]
            found[key] = min(price, 0.0) if high == math.inf else price
        for column in self.columns.values():
            if column.low == 0.0 and len(column.rows) == 1:
                ((key, coef),) = column.rows.items()
                most = column.cost / abs(coef)
                found[key] = max(found[key], -most) if coef > 0 else min(found[key], most)
        for column in self.columns.values():  # what is free to move must cost nothing at all
            if column.low == -math.inf and (total := sum(found[key] for key in column.rows)) > 0:
                found.update({key: found[key] * column.cost / total for key in column.rows})
        return found


def cost_of(uses: Mapping[Key, float], prices: Prices) -> float:
    """What uses of the shared rows cost at complete prices, USD."""
    cost: float = sum(map(mul, uses.values(), map(prices.__getitem__, uses)))
    return cost


def _row_of(key: Key) -> int:
    """Row of the table that a budget's key begins with."""
    assert isinstance(key[1], tuple)
    return int(key[1][0])


@dataclass(frozen=True)
class Verdict:
    """What the master's LP says: cost (USD) of the plans known, prices, and the plan of each part that it takes most of."""

    cost: float
    prices: dict[Key, float]
    mostly: list[int]


class Master:
    """The master over the plans known so far; a dollar too much in a shared row costs `dear`."""

    def __init__(self, commons: Commons, columns: Sequence[Sequence[Column]], unit: float, options: SolveOptions, clock: Clock, dear: float = DEAR) -> None:
        self._commons, self._columns, self._unit, self._options, self._clock = commons, columns, unit, options, clock
        model = Model()
        block = model.block("master")
        pairs = [(c, j) for c, part in enumerate(columns) for j in range(len(part))]
        c, j = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        self._share = block.columns("share", (c, j), upper=1.0, whole=True)
        free = block.columns("shared", (np.arange(len(commons.columns)),), lower=-np.inf)
        every = np.arange(len(commons.rows))
        self._over, self._under = block.columns("over", (every,)), block.columns("under", (every,))
        place = {key: n for n, key in enumerate(commons.rows)}
        limited, one = Terms(len(every)), Terms(len(columns))
        for share, (own, plan) in zip(self._share.ids.tolist(), pairs, strict=True):
            model.objective.add(0, columns[own][plan].cost / unit, share)
            uses = columns[own][plan].uses
            limited.add([place[key] for key in uses], np.array(list(uses.values())) / unit, share)
        for n, column in enumerate(commons.columns.values()):
            free.lower[n], free.upper[n] = column.low, column.high
            model.objective.add(0, column.cost, free.first + n)
            limited.add([place[key] for key in column.rows], list(column.rows.values()), free.first + n)
        for artificial, sign in ((self._under, 1.0), (self._over, -1.0)):
            limited.add(every, sign, artificial.ids)
            model.objective.add(0, dear, artificial.ids)
        low, high = np.array(list(commons.rows.values()), dtype=float).reshape(-1, 2).T / unit
        self._limited = block.rows("limited", (every,), low, limited, high)
        one.add(c, 1.0, self._share.ids)
        block.rows("one_plan", (np.arange(len(columns)),), 1.0, one, 1.0)
        self._matrix: Matrix = matrix_of(model)

    def price(self) -> Verdict | None:
        """The LP; None if it has no answer in time."""
        answer = self._session().solve("lp", time_limit=self._clock.left, duals=True)
        if answer.status is not AnswerStatus.OPTIMAL or answer.duals is None or answer.objective is None or answer.values is None:
            return None
        duals = dict(zip(self._commons.rows, (-answer.duals[self._limited.ids]).tolist(), strict=True))
        return Verdict(answer.objective * self._unit, self._commons.lawful(duals), self._taken(answer.values))

    def pick(self, gap: float, seconds: float) -> list[int] | None:
        """The number of the plan to take in each part; None if no plans are known that fit together."""
        session = self._session()
        session.set_bounds(np.concatenate((self._over.ids, self._under.ids)), 0.0, 0.0)
        answer = session.solve("mip", gap=gap, time_limit=min(seconds, self._clock.left))
        return None if answer.values is None else self._taken(answer.values)

    def _taken(self, values: FloatArray) -> list[int]:
        """Of each part the plan with the largest share."""
        share = np.full((len(self._columns), max(map(len, self._columns))), -1.0)
        share[self._share.index] = values[self._share.ids]
        return [int(j) for j in share.argmax(axis=1)]

    def _session(self) -> Session:
        return Session(self._matrix, threads=1, seed=self._options.seed, extra=HIGHS, stop_event=self._clock.stop, watch_lp=False)


__all__ = ["Commons", "Master", "Verdict", "cost_of"]
