"""A matrix with some columns fixed, written without them: what is left of a model once a price path is chosen.

Of a model over dozens of paths one path needs a small part. Cutting it out with arrays takes a fraction of what a solver's presolve
needs to find the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from orepact.solver.handover import FloatArray, Matrix

Item = TypeVar("Item")

SLIP = 1e-12
"""A right-hand side this close to zero is zero: what is left of 1 − 1 in floating point."""


class Picked(Sequence[Item]):
    """Some items of a sequence, looked up when they are asked for: most solves never ask for a name."""

    def __init__(self, whole: Sequence[Item], places: NDArray[np.int32]) -> None:
        self._whole, self._places = whole, places

    def __len__(self) -> int:
        return int(self._places.size)

    @overload
    def __getitem__(self, n: int) -> Item: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[Item]: ...
    def __getitem__(self, n: int | slice) -> Item | Sequence[Item]:
        return Picked(self._whole, self._places[n]) if isinstance(n, slice) else self._whole[int(self._places[n])]

    def __iter__(self) -> Iterator[Item]:
        return map(self._whole.__getitem__, self._places.tolist())


@dataclass(frozen=True, eq=False)
class Reduced:
    """`matrix` holds the columns `kept` of `whole`; all others stand at `fixed`."""

    whole: Matrix
    matrix: Matrix
    kept: NDArray[np.int32]
    fixed: FloatArray

    def expand(self, values: FloatArray) -> FloatArray:
        """Values of the whole matrix's columns."""
        found = self.fixed.copy()
        found[self.kept] = values
        return found


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of a matrix where some columns are fixed, whatever its costs: places of columns and rows, a bit for each entry.

    A basket keeps one for every path that it examines, so they are small.
    """

    kept: NDArray[np.int32]
    held: NDArray[np.int32]
    entries: NDArray[np.uint8]
    columns: NDArray[np.int64]  # fixed at a value that is not zero
    values: FloatArray

    def of(self, whole: Matrix) -> Reduced:
        """The matrix that it was made for, or the same one with other costs, cut down."""
        fixed, moved = np.zeros(len(whole.columns)), _moved(whole, self.columns, self.values)
        fixed[self.columns] = self.values
        entry = np.flatnonzero(np.unpackbits(self.entries, count=whole.A.nnz).view(bool))
        rank = np.empty(len(whole.rows), dtype=np.int32)
        rank[self.held] = np.arange(self.held.size, dtype=np.int32)
        starts = np.searchsorted(entry, whole.A.indptr[self.kept]).astype(np.int32)
        A = (whole.A.data[entry], rank[whole.A.indices[entry]], np.append(starts, np.int32(entry.size)))
        matrix = replace(
            whole,
            columns=Picked(whole.columns, self.kept),
            rows=Picked(whole.rows, self.held),
            c=whole.c[self.kept],
            A=csc_array(A, shape=(self.held.size, self.kept.size)),
            row_lower=(whole.row_lower - moved)[self.held],
            row_upper=(whole.row_upper - moved)[self.held],
            col_lower=whole.col_lower[self.kept],
            col_upper=whole.col_upper[self.kept],
            integrality=whole.integrality[self.kept],
            offset=whole.offset + float(whole.c @ fixed),
        )
        return Reduced(whole, matrix, self.kept, fixed)


def _moved(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> FloatArray:
    """What a few columns at these values contribute to every row."""
    A, moved = whole.A, np.zeros(len(whole.rows))
    for j, value in zip(columns.tolist(), values.tolist(), strict=True):
        entries = slice(A.indptr[j], A.indptr[j + 1])
        moved[A.indices[entries]] += value * A.data[entries]
    return moved


def nothing_fixed(whole: Matrix) -> Reduced:
    """A matrix that is its own remainder."""
    return Reduced(whole, whole, np.arange(len(whole.columns), dtype=np.int32), np.zeros(len(whole.columns)))


def cut(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Cut:
    """Fix `columns` (distinct) at `values`, and at zero whatever must then be zero.

    Rows that hold whatever the live columns are go; one that can't hold stays, so that a solver says so.
    """
    live = np.ones(len(whole.columns), dtype=bool)
    live[columns] = False
    moved = _moved(whole, columns[values != 0], values[values != 0])
    lower, upper = whole.row_lower - moved, whole.row_upper - moved
    row, column, falls, rises = whole.entry_rows, whole.entry_columns, whole.entry_falls, whole.entry_rises
    entry = np.arange(row.size)
    at_most, at_least = np.abs(upper) <= SLIP, np.abs(lower) <= SLIP
    while True:
        left = np.flatnonzero(live[column])  # positions, not masks: several times faster
        entry, row, column, falls, rises = entry[left], row[left], column[left], falls[left], rises[left]
        never_falls, never_rises = np.ones(len(lower), dtype=bool), np.ones(len(lower), dtype=bool)
        never_falls[row[np.flatnonzero(falls)]] = False
        never_rises[row[np.flatnonzero(rises)]] = False
        zero = np.zeros_like(live)
        zero[column[np.flatnonzero((never_falls & at_most | never_rises & at_least)[row])]] = True
        zero &= whole.col_lower == 0
        if not zero.any():
            break
        live &= ~zero
    held = ~((never_falls & (lower <= SLIP) | (lower == -np.inf)) & (never_rises & (upper >= -SLIP) | (upper == np.inf)))
    entries = np.zeros(whole.A.nnz, dtype=bool)
    entries[entry[np.flatnonzero(held[row])]] = True
    chosen = np.flatnonzero(values)
    return Cut(np.flatnonzero(live).astype(np.int32), np.flatnonzero(held).astype(np.int32), np.packbits(entries), columns[chosen], values[chosen])


def reduce(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Reduced:
    """What `cut` leaves of a matrix."""
    return cut(whole, columns, values).of(whole)
