"""A matrix with some columns fixed, written without them: what is left of a model once a price path is chosen.

Of a model over dozens of paths one path needs a small part. Cutting it out with arrays takes a fraction of what a solver's presolve
needs to find the same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from orepact.solver.handover import FloatArray, Matrix

SLIP = 1e-12
"""A right-hand side this close to zero is zero: what is left of 1 − 1 in floating point."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """`matrix` holds the columns `kept` of `whole`; all others stand at `fixed`."""

    whole: Matrix
    matrix: Matrix
    kept: NDArray[np.int64]
    fixed: FloatArray

    def expand(self, values: FloatArray) -> FloatArray:
        """Values of the whole matrix's columns."""
        found = self.fixed.copy()
        found[self.kept] = values
        return found


def reduce(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Reduced:
    """Fix `columns` (distinct) at `values`, and at zero whatever must then be zero.

    Rows that hold whatever the live columns are go; one that can't hold stays, so that a solver says so.
    """
    fixed, live = np.zeros(len(whole.columns)), np.ones(len(whole.columns), dtype=bool)
    fixed[columns], live[columns] = values, False
    moved = whole.A @ fixed
    lower, upper = whole.row_lower - moved, whole.row_upper - moved
    row, column, coefficient = whole.A.indices, whole.entry_columns, whole.A.data
    at_most, at_least = np.abs(upper) <= SLIP, np.abs(lower) <= SLIP
    while True:
        entry = np.flatnonzero(live[column])
        row, column, coefficient = row[entry], column[entry], coefficient[entry]
        free = whole.col_lower[column] < 0
        never_falls = np.bincount(row[(coefficient < 0) | free], minlength=len(lower)) == 0
        never_rises = np.bincount(row[(coefficient > 0) | free], minlength=len(lower)) == 0
        zero = np.zeros_like(live)
        zero[column[(never_falls & at_most | never_rises & at_least)[row]]] = True
        zero &= whole.col_lower == 0
        if not zero.any():
            break
        live &= ~zero
    held = ~((never_falls & (lower <= SLIP) | (lower == -np.inf)) & (never_rises & (upper >= -SLIP) | (upper == np.inf)))
    kept, stays = np.flatnonzero(live), held[row]
    starts = np.concatenate(([0], np.cumsum(np.bincount(column[stays], minlength=len(live))[kept])))
    rank = (np.cumsum(held) - 1).astype(np.int32)
    A = csc_array((coefficient[stays], rank[row[stays]], starts.astype(np.int32)), shape=(int(held.sum()), kept.size))
    matrix = replace(
        whole,
        columns=tuple(itertools.compress(whole.columns, live)),
        rows=tuple(itertools.compress(whole.rows, held)),
        c=whole.c[kept],
        A=A,
        row_lower=lower[held],
        row_upper=upper[held],
        col_lower=whole.col_lower[kept],
        col_upper=whole.col_upper[kept],
        integrality=whole.integrality[kept],
        offset=whole.offset + float(whole.c @ fixed),
    )
    return Reduced(whole, matrix, kept, fixed)
