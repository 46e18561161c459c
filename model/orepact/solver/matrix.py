"""A model as one sparse matrix, in arrays that a solver takes in one call.

The families of rows and columns of the formulation are laid end to end (`matrix_of`); every number is checked to be one that a
solver can use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from orepact.errors import SolverError
from orepact.formulation.model import Label, Model

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int32]

RISE = 1 << 20
"""What a rise counts in `Matrix.movers`: more than there are entries in any row."""


@dataclass(frozen=True)
class Violations:
    """By how much values miss the model, largest over all rows or columns (0 = exactly met)."""

    rows: float
    bounds: float
    integrality: float


@dataclass(frozen=True, eq=False)
class Matrix:
    """Minimise c·x + offset subject to row_lower <= A·x <= row_upper, col_lower <= x <= col_upper.

    `columns` and `rows` say what they are called. Infinite limits are plus or minus infinity. `integrality` is True where a column is integer.
    """

    columns: Sequence[Label]
    rows: Sequence[Label]
    c: FloatArray
    A: csc_array
    row_lower: FloatArray
    row_upper: FloatArray
    col_lower: FloatArray
    col_upper: FloatArray
    integrality: BoolArray
    offset: float

    @cached_property
    def entry_columns(self) -> NDArray[np.int64]:
        """Column of every entry of A."""
        return np.repeat(np.arange(len(self.columns)), np.diff(self.A.indptr))

    @cached_property
    def by_row(self) -> csr_array:
        """A, row after row."""
        return self.A.tocsr()

    @cached_property
    def movers(self) -> csc_array:
        """For every entry 1 if its column can make the row fall below what it is with the column at zero, plus RISE if it can make it rise.

        Times columns that live: how many entries can do either in each row.
        """
        free = (self.col_lower < 0)[self.entry_columns]
        falls, rises = (self.A.data < 0) | free, (self.A.data > 0) | free
        return csc_array((falls + float(RISE) * rises, self.A.indices, self.A.indptr), shape=self.A.shape)

    @cached_property
    def integer_indices(self) -> IntArray:
        """Columns that must take whole values."""
        return np.flatnonzero(self.integrality).astype(np.int32)

    def size(self) -> dict[str, int]:
        """Rows, columns, binaries and other integers, nonzeros."""
        whole = self.integrality
        binary = whole & (self.col_lower >= 0) & (self.col_upper <= 1)
        return {
            "rows": len(self.rows),
            "columns": len(self.columns),
            "binaries": int(binary.sum()),
            "integers": int(whole.sum() - binary.sum()),
            "nonzeros": int(self.A.nnz),
        }

    def coefficient_ranges(self) -> dict[str, tuple[float, float] | None]:
        """Smallest and largest absolute value, zeros and infinities aside, of matrix, cost, bounds and rhs.

        None where every entry is zero or infinite.
        """
        parts = {
            "matrix": self.A.data,
            "cost": self.c,
            "bounds": np.concatenate((self.col_lower, self.col_upper)),
            "rhs": np.concatenate((self.row_lower, self.row_upper)),
        }
        return {name: _range(values) for name, values in parts.items()}

    def objective(self, values: FloatArray) -> float:
        """Cost of the values, offset included."""
        return float(self.c @ values) + self.offset

    def violations(self, values: FloatArray) -> Violations:
        """How far the values are from the model as compiled (bounds changed in a session are not seen)."""
        activity = self.A @ values
        whole = values[self.integrality]
        return Violations(
            rows=_excess(activity, self.row_lower, self.row_upper),
            bounds=_excess(values, self.col_lower, self.col_upper),
            integrality=float(np.abs(whole - np.round(whole)).max(initial=0.0)),
        )


def matrix_of(model: Model) -> Matrix:
    """The arrays of a model. Raises SolverError if it holds a number that is not one."""
    entries = [(family.first, family.terms.entries()) for family in model.row_families]
    row, value, column = (np.concatenate([(first + part[0]) if n == 0 else part[n] for first, part in entries] or [np.zeros(0)]) for n in range(3))
    A = coo_array((value, (row.astype(np.int32), column.astype(np.int32))), shape=(model.height, model.width)).tocsc()
    A.sum_duplicates()
    A.eliminate_zeros()
    _, cost, priced = model.objective.entries()
    matrix = Matrix(
        columns=model.columns,
        rows=model.rows,
        c=np.bincount(priced, weights=cost, minlength=model.width).astype(float),
        A=csc_array((A.data, A.indices.astype(np.int32), A.indptr.astype(np.int32)), shape=A.shape),
        row_lower=_laid([family.lower for family in model.row_families]),
        row_upper=_laid([family.upper for family in model.row_families]),
        col_lower=_laid([family.lower for family in model.column_families]),
        col_upper=_laid([family.upper for family in model.column_families]),
        integrality=np.repeat([family.whole for family in model.column_families], [family.size for family in model.column_families]).astype(bool),
        offset=float(model.objective.constant[0]),
    )
    check_numbers(matrix)
    return matrix


def _laid(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0), *parts])


def check_numbers(matrix: Matrix) -> None:
    """A NaN or an infinity where none may be would make a solver answer nonsense: name the place instead."""
    if not np.isfinite(matrix.offset):
        raise SolverError("the objective's constant is not a number")
    for j in np.flatnonzero(~np.isfinite(matrix.c)):
        raise SolverError(f"the cost of {matrix.columns[int(j)].name} is not a number")
    for p in np.flatnonzero(~np.isfinite(matrix.A.data)):
        column = int(np.searchsorted(matrix.A.indptr, p, side="right")) - 1
        row = matrix.rows[int(matrix.A.indices[p])]
        raise SolverError(f"the coefficient of {matrix.columns[column].name} in {row.name} is not a number")
    wrong = np.isnan(matrix.row_lower) | np.isnan(matrix.row_upper)
    wrong |= (matrix.row_lower == np.inf) | (matrix.row_upper == -np.inf)
    for i in np.flatnonzero(wrong):
        raise SolverError(f"the right-hand side of {matrix.rows[int(i)].name} is not a number")
    for j in np.flatnonzero(np.isnan(matrix.col_lower) | np.isnan(matrix.col_upper)):
        raise SolverError(f"a bound of {matrix.columns[int(j)].name} is not a number")


def _range(values: FloatArray) -> tuple[float, float] | None:
    size = np.abs(values)
    size = size[(size > 0) & np.isfinite(size)]
    return (float(size.min()), float(size.max())) if size.size else None


def _excess(values: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    return float(np.maximum(lower - values, values - upper).max(initial=0.0))
