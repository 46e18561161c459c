"""The master of a basket: one known plan per part, so that what they share adds up.

    min Σ_c Σ_j cost_cj θ_cj + d·s + M·(artificial)      Σ_j θ_cj = 1      low <= Σ uses θ + B s + artificial <= high

As an LP it prices the shared rows; with whole θ it picks the plans. Artificial columns keep the LP feasible until plans are
known that fit together: what they cost tells the parts how much too much they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.ledger import Terms, add_rows, nonnegative
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import HIGHS
from orepact.solver.clock import Clock
from orepact.solver.handover import Matrix, compile_matrix
from orepact.solver.highs import Session
from orepact.solver.shared import BUDGET, Key, Prices, Shared, SharedColumn

DEAR = 10.0
"""What a dollar too much in a shared row costs."""

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
                starts.update({key: model.start_price(key) for key in model.rows})
                for key, column in model.columns.items():
                    known = columns.get(key)
                    columns[key] = column if known is None else SharedColumn(column.cost, column.low, column.high, known.rows | column.rows)
            for key, (low, high) in own.items():
                before = rows.get(key, (0.0, 0.0))
                rows[key] = (-math.inf, budgets[_row_of(key)]) if key[0] == BUDGET else (before[0] + low, before[1] + high)
        return cls(rows, columns, starts)

    def price(self, prices: Prices, key: Key) -> float:
        return prices[key] if key in prices else self.starts[key]

    def cost(self, prices: Prices, uses: Mapping[Key, float]) -> float:
        """What uses of the shared rows cost at prices, USD."""
        return sum(self.price(prices, key) * amount for key, amount in uses.items())

    def constant(self, prices: Prices) -> float:
        """What the bound owes to the shared rows and columns themselves, USD; minus infinity where prices are not lawful."""
        found = 0.0
        for key, (low, high) in self.rows.items():
            price = self.price(prices, key)
            limit = high if price > 0 else low
            found -= price * limit if price else 0.0
        for column in self.columns.values():
            reduced = column.cost + sum(coef * self.price(prices, key) for key, coef in column.rows.items())
            if abs(reduced) <= SLIP * max(1.0, abs(column.cost)):
                continue
            end = column.low if reduced > 0 else column.high
            found += reduced * end if end else 0.0
        return found

    def lawful(self, prices: Prices) -> dict[Key, float]:
        """The prices with signs that limits allow, none above what a shared column would pay."""
        found = {}
        for key, (low, high) in self.rows.items():
            price = self.price(prices, key)
            price = max(price, 0.0) if low == -math.inf else price
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


def _row_of(key: Key) -> int:
    """Row of the table that a budget's key begins with."""
    assert isinstance(key[1], tuple)
    return int(key[1][0])


@dataclass(frozen=True)
class Verdict:
    """What the master's LP says: cost (USD) of the plans known, and prices."""

    cost: float
    prices: dict[Key, float]


class Master:
    """The master over the plans known so far."""

    def __init__(self, commons: Commons, columns: Sequence[Sequence[Column]], unit: float, options: SolveOptions, clock: Clock) -> None:
        self._commons, self._columns, self._unit, self._options, self._clock = commons, columns, unit, options, clock
        self._model = model = pyo.ConcreteModel()
        model.share = pyo.Var([(c, j) for c, part in enumerate(columns) for j in range(len(part))], domain=pyo.Binary)
        model.shared = pyo.Var(list(range(len(commons.columns))))
        model.over, model.under = nonnegative(range(len(commons.rows))), nonnegative(range(len(commons.rows)))
        cost = Terms()
        rows: dict[Key, Terms] = {key: Terms() for key in commons.rows}
        for (c, j), share in model.share.items():
            cost.add(columns[c][j].cost / unit, share)
            for key, amount in columns[c][j].uses.items():
                rows[key].add(amount / unit, share)
        for n, column in enumerate(commons.columns.values()):
            model.shared[n].setlb(None if column.low == -math.inf else column.low)
            model.shared[n].setub(None if column.high == math.inf else column.high)
            cost.add(column.cost, model.shared[n])
            for key, coef in column.rows.items():
                rows[key].add(coef, model.shared[n])
        limited = {}
        for n, (key, (low, high)) in enumerate(commons.rows.items()):
            rows[key].add(1.0, model.under[n])
            rows[key].add(-1.0, model.over[n])
            cost.add(DEAR, model.under[n])
            cost.add(DEAR, model.over[n])
            limited[n] = (None if low == -math.inf else low / unit, rows[key], None if high == math.inf else high / unit)
        add_rows(model, "limited", limited)
        one = {c: Terms() for c in range(len(columns))}
        for (c, _), share in model.share.items():
            one[c].add(1.0, share)
        add_rows(model, "one_plan", {c: (1.0, terms, 1.0) for c, terms in one.items()})
        model.objective = pyo.Objective(expr=cost.linear())
        self._matrix: Matrix = compile_matrix(model)

    def price(self) -> Verdict | None:
        """The LP; None if it has no answer in time."""
        answer = self._session().solve("lp", time_limit=self._clock.left)
        if answer.status is not AnswerStatus.OPTIMAL or answer.duals is None or answer.objective is None:
            return None
        place = {id(row): r for r, (row, _) in enumerate(self._matrix.rows)}
        limited = self._model.limited
        duals = {key: -float(answer.duals[place[id(limited[n])]]) for n, key in enumerate(self._commons.rows) if id(limited[n]) in place}
        return Verdict(answer.objective * self._unit, self._commons.lawful(duals))

    def pick(self, gap: float, seconds: float) -> list[int] | None:
        """The number of the plan to take in each part; None if no plans are known that fit together."""
        session = self._session()
        empty = self._matrix.indices(v for part in (self._model.over, self._model.under) for v in part.values())
        session.set_bounds(empty, 0.0, 0.0)
        answer = session.solve("mip", gap=gap, time_limit=min(seconds, self._clock.left))
        if answer.values is None:
            return None
        values = np.array([answer.values[self._matrix.index(v)] for v in self._model.share.values()])
        keys, found = list(self._model.share), [0] * len(self._columns)
        for n in np.flatnonzero(values > 0.5):
            c, j = keys[n]
            found[c] = j
        return found

    def _session(self) -> Session:
        return Session(self._matrix, threads=1, seed=self._options.seed, extra=HIGHS, stop_event=self._clock.stop, watch_lp=False)


__all__ = ["Commons", "Master", "Verdict"]
