"""From a Pyomo model to arrays that a solver takes in one call.

Pyomo's own interface to HiGHS walks every expression once more and adds rows one by one. A model of plain sums is turned
into sparse arrays at once (`sums.py`), any other linear one by Pyomo's standard-form compiler. `compile_matrix` calls
these and completes what they leave out: bounds and integrality of the columns, columns that appear in no row, a row
with two limits (the compiler writes it twice), and checks that every number is one a solver can use.

The model must be linear and minimise exactly one active objective. Variables fixed in Pyomo become constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.enums import ObjectiveSense
from pyomo.common.errors import InfeasibleConstraintException, InvalidConstraintError, InvalidExpressionError, InvalidValueError
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.objective import Objective
from pyomo.core.base.PyomoModel import ConcreteModel
from pyomo.core.base.var import Var, VarData
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csc_array

from orepact.errors import InfeasibleError, SolverError
from orepact.solver.sums import Sums, sums_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int32]


@dataclass(frozen=True)
class Violations:
    """By how much values miss the model, largest over all rows or columns (0 = exactly met)."""

    rows: float
    bounds: float
    integrality: float


@dataclass(frozen=True, eq=False)
class Matrix:
    """Minimise c·x + offset subject to row_lower <= A·x <= row_upper, col_lower <= x <= col_upper.

    `model` is what it was compiled from. Infinite limits are plus or minus infinity. `rows` pairs each row with the side it bounds:
    -1 below, +1 above, 0 both (an equation or a range). `integrality` is True where a column is integer.
    """

    model: ConcreteModel
    columns: Sequence[VarData]
    rows: Sequence[tuple[ConstraintData, int]]
    c: FloatArray
    A: csc_array
    row_lower: FloatArray
    row_upper: FloatArray
    col_lower: FloatArray
    col_upper: FloatArray
    integrality: BoolArray
    offset: float

    @cached_property
    def _place(self) -> dict[int, int]:
        return {id(v): j for j, v in enumerate(self.columns)}

    @cached_property
    def entry_columns(self) -> NDArray[np.int64]:
        """Column of every entry of A."""
        return np.repeat(np.arange(len(self.columns)), np.diff(self.A.indptr))

    @cached_property
    def entry_rows(self) -> NDArray[np.int64]:
        """Row of every entry of A, in the type that numpy looks up fastest."""
        return np.asarray(self.A.indices, dtype=np.int64)

    @cached_property
    def entry_falls(self) -> BoolArray:
        """Whether an entry's column can make its row fall below what it is with the column at zero."""
        return np.asarray((self.A.data < 0) | (self.col_lower < 0)[self.entry_columns])

    @cached_property
    def entry_rises(self) -> BoolArray:
        """Whether an entry's column can make its row rise."""
        return np.asarray((self.A.data > 0) | (self.col_lower < 0)[self.entry_columns])

    @cached_property
    def integer_indices(self) -> IntArray:
        """Columns that must take whole values."""
        return np.flatnonzero(self.integrality).astype(np.int32)

    def index(self, variable: VarData) -> int:
        """Column of a variable; KeyError if it was fixed in Pyomo or belongs to another model."""
        try:
            return self._place[id(variable)]
        except KeyError:
            raise KeyError(f"{variable.name} is not a column: it was fixed, or is of another model") from None

    def indices(self, variables: Iterable[VarData]) -> IntArray:
        """Columns of several variables, in their order."""
        return np.fromiter((self.index(v) for v in variables), dtype=np.int32)

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


def compile_matrix(model: ConcreteModel) -> Matrix:
    """Compile a Pyomo model.

    Raises SolverError if the model is not linear, has not exactly one active objective to minimise, or holds a number
    that is not one; InfeasibleError if a row without variables does not hold.
    """
    with PauseGC():  # many small objects, none of them garbage
        return _compile(model)


def _compile(model: ConcreteModel) -> Matrix:
    objectives = list(model.component_data_objects(Objective, active=True))
    if len(objectives) != 1 or objectives[0].sense != ObjectiveSense.minimize:
        raise SolverError("the model must have exactly one active objective, and minimise it")
    form = sums_of(model, objectives[0]) or _general(model)
    lower, upper, integrality = _column_limits(form.columns)
    matrix = Matrix(
        model=model,
        columns=tuple(form.columns),
        rows=tuple(form.rows),
        c=form.c,
        A=_widened(form.A, len(form.columns)),
        row_lower=form.row_lower,
        row_upper=form.row_upper,
        col_lower=lower,
        col_upper=upper,
        integrality=integrality,
        offset=form.offset,
    )
    _check_numbers(matrix)
    return matrix


def _general(model: ConcreteModel) -> Sums:
    """Pyomo's own compiler, for any linear model."""
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
        offset, rhs = float(form.c_offset[0]), np.asarray(form.rhs, dtype=float)
    except InvalidValueError as error:
        raise SolverError(f"a number of the model is not one: {error}") from error
    except (InvalidConstraintError, InvalidExpressionError) as error:
        raise SolverError(f"the model is not linear: {error}") from error
    except InfeasibleConstraintException as error:
        raise InfeasibleError(f"a row without variables does not hold: {error}") from error

    A, rows, row_lower, row_upper = _merge_ranges(form.A, form.rows, rhs)
    columns, unused = list(form.columns), _unused(model, form.columns)
    return Sums(columns + unused, rows, np.concatenate((form.c.toarray()[0], np.zeros(len(unused)))), offset, A, row_lower, row_upper)


def _unused(model: ConcreteModel, used: Iterable[VarData]) -> list[VarData]:
    """Free variables that no row and no cost mentions: columns all the same, so that bounds on them mean something."""
    seen = {id(v) for v in used}
    return [v for v in model.component_data_objects(Var, active=True) if not v.fixed and id(v) not in seen]


def _column_limits(columns: list[VarData]) -> tuple[FloatArray, FloatArray, BoolArray]:
    n = len(columns)
    lower, upper, whole = np.full(n, -np.inf), np.full(n, np.inf), np.zeros(n, dtype=bool)
    for j, variable in enumerate(columns):
        low, high = variable.bounds
        if low is not None:
            lower[j] = low
        if high is not None:
            upper[j] = high
        whole[j] = not variable.is_continuous()
    return lower, upper, whole


def _merge_ranges(A: csc_array, entries: list[Any], rhs: FloatArray) -> tuple[csc_array, list[tuple[ConstraintData, int]], FloatArray, FloatArray]:
    """One row per constraint: the compiler writes lower <= body <= upper as an upper row followed by a lower row."""
    kind = np.fromiter((entry.bound_type for entry in entries), dtype=np.int8, count=len(entries))
    lower, upper = np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf)
    second = [i for i in range(1, len(entries)) if entries[i].constraint is entries[i - 1].constraint]
    rows = [(entry.constraint, int(entry.bound_type)) for entry in entries]
    if not second:
        return A, rows, lower, upper
    keep = np.ones(len(entries), dtype=bool)
    for i in second:
        keep[i], lower[i - 1], rows[i - 1] = False, lower[i], (rows[i][0], 0)
    return A.tocsr()[keep].tocsc(), [r for r, k in zip(rows, keep, strict=True) if k], lower[keep], upper[keep]


def _widened(A: csc_array, width: int) -> csc_array:
    """The matrix with empty columns appended, its arrays in the types a solver takes."""
    start = np.concatenate((A.indptr, np.full(width - A.shape[1], A.indptr[-1]))).astype(np.int32)
    return csc_array((A.data, A.indices.astype(np.int32), start), shape=(A.shape[0], width))


def _check_numbers(matrix: Matrix) -> None:
    """A NaN or an infinity where none may be would make a solver answer nonsense: name the place instead."""
    if not np.isfinite(matrix.offset):
        raise SolverError("the objective's constant is not a number")
    for j in np.flatnonzero(~np.isfinite(matrix.c)):
        raise SolverError(f"the cost of {matrix.columns[int(j)].name} is not a number")
    for p in np.flatnonzero(~np.isfinite(matrix.A.data)):
        column = int(np.searchsorted(matrix.A.indptr, p, side="right")) - 1
        row = matrix.rows[int(matrix.A.indices[p])][0]
        raise SolverError(f"the coefficient of {matrix.columns[column].name} in {row.name} is not a number")
    wrong = np.isnan(matrix.row_lower) | np.isnan(matrix.row_upper)
    wrong |= (matrix.row_lower == np.inf) | (matrix.row_upper == -np.inf)
    for i in np.flatnonzero(wrong):
        raise SolverError(f"the right-hand side of {matrix.rows[int(i)][0].name} is not a number")
    for j in np.flatnonzero(np.isnan(matrix.col_lower) | np.isnan(matrix.col_upper)):
        raise SolverError(f"a bound of {matrix.columns[int(j)].name} is not a number")


def _range(values: FloatArray) -> tuple[float, float] | None:
    size = np.abs(values)
    size = size[(size > 0) & np.isfinite(size)]
    return (float(size.min()), float(size.max())) if size.size else None


def _excess(values: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    return float(np.maximum(lower - values, values - upper).max(initial=0.0))
