"""A matrix as a Pyomo model: for solvers that Pyomo reaches by name, for model files, and for whoever wants to go on from it in Pyomo.

Blocks, variables and constraints are called as in the formulation: `activity.x[0,2,1]`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base.PyomoModel import ConcreteModel
from pyomo.core.base.var import VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression

from orepact.formulation.model import Label
from orepact.solver.matrix import Matrix

__all__ = ["ConcreteModel", "PyomoModel", "in_pyomo"]


@dataclass(frozen=True, eq=False)
class PyomoModel:
    """The model, and its variables in the order of the matrix's columns."""

    model: ConcreteModel
    variables: list[VarData]


def in_pyomo(matrix: Matrix) -> PyomoModel:
    """The model that a matrix is."""
    with PauseGC():  # many small objects, none of them garbage
        model = ConcreteModel()
        variables = _variables(model, matrix)
        A, limits = matrix.A.tocsr(), (matrix.row_lower.tolist(), matrix.row_upper.tolist())
        starts, columns, values = A.indptr.tolist(), A.indices.tolist(), A.data.tolist()

        def row(n: int) -> Any:
            low, high = (None if np.isinf(side[n]) else side[n] for side in limits)
            if low is None and high is None:
                return pyo.Constraint.Skip
            terms = [(values[e], variables[columns[e]]) for e in range(starts[n], starts[n + 1])]
            return low, _sum(terms or [(0.0, variable) for variable in variables[:1]]), high  # some solvers take no row without a variable

        for (block, family), members in _families(matrix.rows).items():
            made = {key: row(n) for key, n in members.items()}
            _within(model, block).add_component(family, _constraint(made))
        cost = _sum((float(matrix.c[j]), variables[j]) for j in np.flatnonzero(matrix.c))
        _within(model, "cost").objective = pyo.Objective(expr=LinearExpression([matrix.offset, *cost.args]))
    return PyomoModel(model, variables)


def _variables(model: ConcreteModel, matrix: Matrix) -> list[VarData]:
    found: list[Any] = [None] * len(matrix.columns)
    for (block, family), members in _families(matrix.columns).items():
        scalar = list(members) == [()]
        component = pyo.Var() if scalar else pyo.Var(list(members))
        _within(model, block).add_component(family, component)
        for key, n in members.items():
            found[n] = component if scalar else component[key]
    for variable, low, high, whole in zip(found, matrix.col_lower.tolist(), matrix.col_upper.tolist(), matrix.integrality.tolist(), strict=True):
        if whole:
            variable.domain = pyo.Binary if low >= 0 and high <= 1 else pyo.Integers
        variable.setlb(None if np.isinf(low) else low)
        variable.setub(None if np.isinf(high) else high)
    return found


def _constraint(made: dict[Any, Any]) -> pyo.Constraint:
    if list(made) == [()]:
        return pyo.Constraint(expr=made[()])
    return pyo.Constraint(list(made), rule=lambda _, *key: made[key if len(key) > 1 else key[0]])


def _families(labels: Sequence[Label]) -> dict[tuple[str, str], dict[Any, int]]:
    """Places of the members of every family, by block and name."""
    found: dict[tuple[str, str], dict[Any, int]] = defaultdict(dict)
    for n, label in enumerate(labels):
        found[label.block, label.family][label.key] = n
    return found


def _within(model: ConcreteModel, block: str) -> pyo.Block:
    """The block of that name; the model itself where there is no name."""
    if not block:
        return model
    if model.component(block) is None:
        model.add_component(block, pyo.Block())
    return model.component(block)


def _sum(terms: Any) -> LinearExpression:
    return LinearExpression([MonomialTermExpression(term) for term in terms])
