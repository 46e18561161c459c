"""What the parts of a basket share: rows about treasuries and the worst outcomes, priced in a part's model instead of held.

    whole    min Σ_c c·x_c + d·s      low <= Σ_c A_c x_c + B s <= high      each x_c a plan of part c
    part     min c·x_c + μ·A_c x_c                                        for prices μ: >= 0 where only `high` limits, <= 0 where only `low` does
    bound    Σ_c min_c(μ) + min_s (d + μ·B)·s − Σ μ·limit                  below every plan of the whole

Every shared row counts money, so a price is a plain number: what a dollar in the row costs. s are the columns that no part owns:
net outlays of treasuries (never below zero), and what measures the worst outcomes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from orepact.formulation.build import Built
from orepact.solver.matrix import FloatArray, IntArray, Matrix

Key = tuple[str, Hashable]
"""Name of a row or column and its index, the same in every part."""

Prices = Mapping[Key, float]
"""Price of each shared row; a row without one has its starting price."""

BUDGET = "budget"
ROWS = (("treasury", "outlay_less_revenue"), ("treasury", BUDGET), ("treasury", "contribution"), ("cost", "worst_outcomes"))
COLUMNS = (("treasury", "net"), ("cost", "threshold"), ("cost", "excess"))


@dataclass(frozen=True)
class SharedColumn:
    """A column that no part owns: its cost, bounds and coefficients by row, per unit of money."""

    cost: float
    low: float
    high: float
    rows: dict[Key, float]


@dataclass(frozen=True, eq=False)
class Shared:
    """The shared rows and columns of one model; limits in USD."""

    rows: dict[Key, tuple[float, float]]
    columns: dict[Key, SharedColumn]
    unit: float
    _places: IntArray
    _own: IntArray  # columns that no part owns
    _uses: csr_array  # shared rows x columns, without those

    @cached_property
    def starts(self) -> dict[Key, float]:
        """What a dollar in each row costs as long as nothing is known: levies and outlays net out in full, budgets are ample, every outcome
        counts as likely as it is."""
        found, weights = dict.fromkeys(self.rows, 0.0), dict.fromkeys(self.rows, 0.0)
        for column in self.columns.values():
            for key, coef in column.rows.items():
                if column.low == 0.0 and key[0] == "worst_outcomes":
                    weights[key] += column.cost
                elif column.low == 0.0 and column.cost > 0 and key[0] == "outlay_less_revenue":
                    found[key] -= column.cost / coef
        total = sum(column.cost for column in self.columns.values() if column.low < 0)
        likely = sum(weights.values())
        return {key: total * weights[key] / likely if key[0] == "worst_outcomes" else price for key, price in found.items()}

    def prices(self, known: Prices) -> FloatArray:
        """Prices in the order of `rows`."""
        return np.array([known.get(key, start) for key, start in self.starts.items()])

    def priced(self, matrix: Matrix, known: Prices) -> Matrix:
        """The model with its shared rows priced: they hold whatever happens, and what no part owns stays at zero."""
        cost = matrix.c + self._uses.T @ self.prices(known)
        low, high = matrix.row_lower.copy(), matrix.row_upper.copy()
        low[self._places], high[self._places] = -np.inf, np.inf
        column_low, column_high = matrix.col_lower.copy(), matrix.col_upper.copy()
        column_low[self._own] = column_high[self._own] = cost[self._own] = 0.0
        return replace(matrix, c=cost, row_lower=low, row_upper=high, col_lower=column_low, col_upper=column_high)

    def worth(self, duals: FloatArray) -> dict[Key, float]:
        """Prices by the duals of a model's rows: what the cost changes by per dollar of limit, the other way round."""
        return dict(zip(self.rows, (-duals[self._places]).tolist(), strict=True))

    def used(self, values: FloatArray) -> dict[Key, float]:
        """What a plan puts into each row, in USD; rows it does not touch are left out."""
        amounts = self._uses @ values * self.unit
        return {key: float(amount) for key, amount in zip(self.rows, amounts.tolist(), strict=True) if amount}


def shared_of(built: Built, matrix: Matrix) -> Shared:
    """The shared rows and columns of a compiled model."""
    unit = built.case.world.money_unit
    rows = {(name, key): row for block, name in ROWS for key, row in _items(built, block, name)}
    columns = {(name, key): column for block, name in COLUMNS for key, column in _items(built, block, name)}
    places, own = np.array(list(rows.values()), dtype=np.int32), np.array(list(columns.values()), dtype=np.int32)
    uses = csr_array(matrix.A.tocsr()[places]) if len(places) else csr_array((0, len(matrix.columns)))
    keys, by_column, found = list(rows), uses.tocsc(), {}
    for key, j in columns.items():
        entries = slice(by_column.indptr[j], by_column.indptr[j + 1])
        found[key] = SharedColumn(
            float(matrix.c[j]),
            float(matrix.col_lower[j]),
            float(matrix.col_upper[j]),
            {keys[r]: x for r, x in zip(by_column.indices[entries].tolist(), by_column.data[entries].tolist(), strict=True)},
        )
    keep = np.ones(len(matrix.columns))
    keep[own] = 0.0
    limits = {key: (float(matrix.row_lower[r]) * unit, float(matrix.row_upper[r]) * unit) for key, r in rows.items()}
    return Shared(limits, found, unit, places, own, csr_array(uses.multiply(keep[None, :])))


def _items(built: Built, block: str, name: str) -> list[tuple[Hashable, int]]:
    """Members of a family by key; none where the model has no such part."""
    family = getattr(getattr(built.model, block, None), name, None)
    return [] if family is None else list(family.items())


__all__ = ["BUDGET", "Key", "Prices", "Shared", "SharedColumn", "shared_of"]
