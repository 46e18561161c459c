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

from orepact.market.laid import spread
from orepact.solver.matrix import RISE, FloatArray, Matrix

Flags = NDArray[np.bool_]
Places = NDArray[np.int32]

Item = TypeVar("Item")

SLIP = 1e-12
"""A right-hand side this close to zero is zero: what is left of 1 − 1 in floating point."""


class Picked(Sequence[Item]):
    """Some items of a sequence, looked up when they are asked for: most solves never ask for a name."""

    def __init__(self, whole: Sequence[Item], places: Places) -> None:
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
    """`matrix` holds the columns `kept` and the rows `held` of `whole`; of the other columns, `columns` stand at `values`, the rest at zero."""

    whole: Matrix
    matrix: Matrix
    kept: Places
    held: Places
    columns: NDArray[np.int64]
    values: FloatArray

    def expand(self, values: FloatArray) -> FloatArray:
        """Values of the whole matrix's columns."""
        found = np.zeros(len(self.whole.columns))
        found[self.columns] = self.values
        found[self.kept] = values
        return found

    def expand_duals(self, duals: FloatArray) -> FloatArray:
        """Duals of the whole matrix's rows: nothing where a row holds anyway."""
        found = np.zeros(len(self.whole.rows))
        found[self.held] = duals
        return found


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of a matrix whatever its costs: places of columns and rows, their entries, and what the fixed columns put into the rows.

    A basket keeps one for every path that it examines, so it holds no more than that.
    """

    kept: Places
    held: Places
    A: csc_array
    moved: FloatArray
    columns: NDArray[np.int64]  # fixed at a value that is not zero
    values: FloatArray

    def of(self, whole: Matrix) -> Reduced:
        """The matrix that it was made for, or the same one with other costs, cut down."""
        matrix = replace(
            whole,
            columns=Picked(whole.columns, self.kept),
            rows=Picked(whole.rows, self.held),
            c=whole.c[self.kept],
            A=self.A,
            row_lower=whole.row_lower[self.held] - self.moved,
            row_upper=whole.row_upper[self.held] - self.moved,
            col_lower=whole.col_lower[self.kept],
            col_upper=whole.col_upper[self.kept],
            integrality=whole.integrality[self.kept],
            offset=whole.offset + float(whole.c[self.columns] @ self.values),
        )
        return Reduced(whole, matrix, self.kept, self.held, self.columns, self.values)


def cut(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Cut:
    """Fix `columns` (distinct) at `values`, and at zero whatever must then be zero.

    Rows that hold whatever the live columns are go; one that can't hold stays, so that a solver says so.
    """
    chosen = np.flatnonzero(values)
    columns, live, values = columns[chosen], _live(whole, columns), values[chosen]
    moved = whole.A[:, columns] @ values
    lower, upper = whole.row_lower - moved, whole.row_upper - moved
    falls, rises = _settle(whole, live, np.abs(lower) <= SLIP, np.abs(upper) <= SLIP)
    always = (~falls & (lower <= SLIP) | (lower == -np.inf)) & (~rises & (upper >= -SLIP) | (upper == np.inf))
    kept, held = np.flatnonzero(live).astype(np.int32), np.flatnonzero(~always).astype(np.int32)
    return Cut(kept, held, whole.A[:, kept][held], moved[held], columns, values)


def reduce(whole: Matrix, columns: NDArray[np.int64], values: FloatArray) -> Reduced:
    """What `cut` leaves of a matrix."""
    return cut(whole, columns, values).of(whole)


def _live(whole: Matrix, fixed: NDArray[np.int64]) -> Flags:
    live = np.ones(len(whole.columns), dtype=bool)
    live[fixed] = False
    return live


def _settle(whole: Matrix, live: Flags, at_least: Flags, at_most: Flags) -> tuple[Flags, Flags]:
    """Close in `live` every column that must be zero, since it can only move a row off the limit of zero that it has reached
    (`at_least`, `at_most`). Gives whether what then lives can make a row fall, and rise."""
    A, by_row, can_die = whole.A, whole.by_row, whole.col_lower == 0
    in_column, in_row = np.diff(A.indptr), np.diff(by_row.indptr)
    movers, settled = whole.movers @ live.astype(float), np.zeros(len(whole.rows), dtype=bool)
    while True:
        falls, rises = (movers.astype(np.int64) & (RISE - 1)) > 0, movers >= RISE
        rows = np.flatnonzero((~falls & at_most & rises | ~rises & at_least & falls) & ~settled)
        settled[rows] = True
        _, entry = spread(in_row[rows], by_row.indptr[rows])
        stuck = np.zeros_like(live)
        stuck[by_row.indices[entry]] = True
        dead = np.flatnonzero(stuck & live & can_die)
        if not dead.size:
            return falls, rises
        live[dead] = False
        _, entry = spread(in_column[dead], A.indptr[dead])
        movers -= np.bincount(A.indices[entry], weights=whole.movers.data[entry], minlength=len(movers))
