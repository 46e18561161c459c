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

from orepact.solver.matrix import FloatArray, Matrix

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
    """What is left of a matrix where some columns are fixed, whatever its costs: places of columns, rows and entries.

    A basket keeps one for every path that it examines.
    """

    kept: NDArray[np.int32]
    held: NDArray[np.int32]
    entries: NDArray[np.int32]
    rows: NDArray[np.int32]  # of the entries, among those held
    starts: NDArray[np.int32]
    moved: FloatArray  # what the fixed columns put into the rows held
    columns: NDArray[np.int64]  # fixed at a value that is not zero
    values: FloatArray

    def of(self, whole: Matrix) -> Reduced:
        """The matrix that it was made for, or the same one with other costs, cut down."""
        fixed = np.zeros(len(whole.columns))
        fixed[self.columns] = self.values
        matrix = replace(
            whole,
            columns=Picked(whole.columns, self.kept),
            rows=Picked(whole.rows, self.held),
            c=whole.c[self.kept],
            A=csc_array((whole.A.data[self.entries], self.rows, self.starts), shape=(self.held.size, self.kept.size)),
            row_lower=whole.row_lower[self.held] - self.moved,
            row_upper=whole.row_upper[self.held] - self.moved,
            col_lower=whole.col_lower[self.kept],
            col_upper=whole.col_upper[self.kept],
            integrality=whole.integrality[self.kept],
            offset=whole.offset + float(whole.c @ fixed),
        )
        return Reduced(whole, matrix, self.kept, fixed)


def cut(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Cut:
    """Fix `columns` (distinct) at `values`, and at zero whatever must then be zero.

    Rows that hold whatever the live columns are go; one that can't hold stays, so that a solver says so.
    """
    A, chosen = whole.A, np.flatnonzero(values)
    columns_moved, values_moved = columns[chosen], values[chosen]
    entry, of = _entries(A.indptr, columns_moved)
    moved = np.bincount(A.indices[entry], weights=A.data[entry] * values_moved[of], minlength=len(whole.rows))
    lower, upper = whole.row_lower - moved, whole.row_upper - moved
    live = np.ones(len(whole.columns), dtype=bool)
    live[columns] = False
    falling, rising = (side @ live.astype(np.float32) for side in (whole.falling, whole.rising))
    at_most, at_least = np.abs(upper) <= SLIP, np.abs(lower) <= SLIP
    settled = np.zeros(len(lower), dtype=bool)
    while True:  # in a settled row nothing that moves it may differ from zero
        rows = np.flatnonzero(((falling == 0) & at_most | (rising == 0) & at_least) & ~settled)
        settled[rows] = True
        entry, _ = _entries(whole.by_row.indptr, rows)
        zero = np.zeros_like(live)
        zero[whole.by_row.indices[entry]] = True
        dead = np.flatnonzero(zero & live & (whole.col_lower == 0))
        if not dead.size:
            break
        live[dead] = False
        entry, _ = _entries(A.indptr, dead)
        row = A.indices[entry]
        falling -= np.bincount(row, weights=whole.entry_falls[entry], minlength=len(lower))
        rising -= np.bincount(row, weights=whole.entry_rises[entry], minlength=len(lower))
    held = ~(((falling == 0) & (lower <= SLIP) | (lower == -np.inf)) & ((rising == 0) & (upper >= -SLIP) | (upper == np.inf)))
    kept, rank = np.flatnonzero(live), np.cumsum(held, dtype=np.int32) - 1
    entry, of = _entries(A.indptr, kept)
    of_held = np.flatnonzero(held[A.indices[entry]])
    return Cut(
        kept=kept.astype(np.int32),
        held=np.flatnonzero(held).astype(np.int32),
        entries=entry[of_held].astype(np.int32),
        rows=rank[A.indices[entry[of_held]]],
        starts=np.append(np.int32(0), np.cumsum(np.bincount(of[of_held], minlength=kept.size), dtype=np.int32)),
        moved=moved[held],
        columns=columns_moved,
        values=values_moved,
    )


def _entries(starts: NDArray[np.int32], which: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the entries of some columns (or rows) of a sparse matrix, and of which of them each is."""
    first, count = starts[which], starts[which + 1] - starts[which]
    of = np.repeat(np.arange(which.size), count)
    return np.arange(of.size) + np.repeat(first - (np.cumsum(count) - count), count), of


def reduce(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Reduced:
    """What `cut` leaves of a matrix."""
    return cut(whole, columns, values).of(whole)
