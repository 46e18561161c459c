"""The arrays say what the Pyomo model says, and every number in them is one."""

from __future__ import annotations

import math

import numpy as np
import pyomo.core.base.constraint as pyomo_constraint
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyomo.common.dependencies import scipy as pyomo_scipy
from pyomo.core.expr.numeric_expr import LinearExpression

from example_models import two_plants
from orepact.errors import InfeasibleError, SolverError
from orepact.solver import handover
from orepact.solver.handover import compile_matrix
from orepact.solver.sums import sums_of


def test_arrays_are_the_model_written_out() -> None:
    m = two_plants()
    matrix = compile_matrix(m)
    order = [m.built[0], m.built[1], m.output[0], m.output[1], m.bought]
    at = matrix.indices(order)
    assert sorted(at.tolist()) == [0, 1, 2, 3, 4]
    assert matrix.offset == 100
    assert matrix.c[at].tolist() == [10, 12, 1, 2, 4]
    assert matrix.col_lower[at].tolist() == [0, 0, 0, 0, 0]
    assert matrix.col_upper[at].tolist() == [1, 1, math.inf, math.inf, 100]
    assert matrix.integrality[at].tolist() == [True, True, False, False, False]
    rows = {row.name: (side, low, high) for (row, side), low, high in zip(matrix.rows, matrix.row_lower, matrix.row_upper, strict=True)}
    assert rows == {"capacity[0]": (1, -math.inf, 0), "capacity[1]": (1, -math.inf, 0), "demand": (0, 7, 7)}
    dense = matrix.A.toarray()[:, at]
    names = [row.name for row, _ in matrix.rows]
    assert dense[names.index("capacity[0]")].tolist() == [-5, 0, 1, 0, 0]
    assert dense[names.index("demand")].tolist() == [0, 0, 1, 1, 1]
    assert matrix.A.indices.dtype == np.int32
    assert matrix.A.indptr.dtype == np.int32


def test_size_counts_binaries_apart_from_other_integers() -> None:
    m = two_plants()
    m.shifts = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    m.work = pyo.Constraint(expr=m.bought <= 50 * m.shifts)
    assert compile_matrix(m).size() == {"rows": 4, "columns": 6, "binaries": 2, "integers": 1, "nonzeros": 2 + 2 + 3 + 2}


def test_row_with_two_limits_stays_one_row() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3))
    m.first = pyo.Constraint(expr=m.x[0] + m.x[1] >= 1)
    m.span = pyo.Constraint(expr=pyo.inequality(-2, m.x[1] - m.x[2] + 1, 5))
    m.last = pyo.Constraint(expr=m.x[2] <= 9)
    m.cost = pyo.Objective(expr=m.x[0])
    matrix = compile_matrix(m)
    assert [(row.name, side) for row, side in matrix.rows] == [("first", -1), ("span", 0), ("last", 1)]
    assert matrix.row_lower.tolist() == [1, -3, -math.inf]
    assert matrix.row_upper.tolist() == [math.inf, 4, 9]
    assert matrix.A.shape == (3, 3)


def test_fixed_variables_become_constants() -> None:
    m = two_plants()
    m.built[0].fix(1)
    matrix = compile_matrix(m)
    assert matrix.offset == 100 + 10
    assert len(matrix.columns) == 4
    with pytest.raises(KeyError, match=r"built\[0\] is not a column"):
        matrix.index(m.built[0])
    limits = {row.name: high for (row, _), high in zip(matrix.rows, matrix.row_upper, strict=True)}
    assert limits["capacity[0]"] == 5


def test_variable_of_another_model_is_no_column() -> None:
    with pytest.raises(KeyError, match="another model"):
        compile_matrix(two_plants()).index(two_plants().bought)


def test_variables_in_no_row_are_columns_all_the_same() -> None:
    m = two_plants()
    m.idle = pyo.Var(range(2), bounds=(-1, 2))
    m.cancelled = pyo.Var(domain=pyo.Binary)
    m.nothing = pyo.Constraint(expr=m.bought + 0 * m.cancelled <= 60)
    matrix = compile_matrix(m)
    assert matrix.A.shape == (4, 8)
    at = matrix.indices([m.idle[0], m.idle[1], m.cancelled])
    assert matrix.col_lower[at].tolist() == [-1, -1, 0]
    assert matrix.A[:, at].nnz == 0
    assert matrix.c[at].tolist() == [0, 0, 0]


def test_model_without_rows() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(1, 4))
    m.cost = pyo.Objective(expr=3 * m.x + 2)
    matrix = compile_matrix(m)
    assert matrix.A.shape == (0, 1)
    assert matrix.objective(np.array([1.0])) == 3 * 1 + 2


def test_deactivated_rows_blocks_and_objectives_are_left_out() -> None:
    m = two_plants()
    m.other_cost = pyo.Objective(expr=m.bought)
    m.other_cost.deactivate()
    m.part = pyo.Block()
    m.part.x = pyo.Var()
    m.part.row = pyo.Constraint(expr=m.part.x >= 1)
    m.part.deactivate()
    m.capacity[1].deactivate()
    matrix = compile_matrix(m)
    assert [row.name for row, _ in matrix.rows] == ["capacity[0]", "demand"]
    assert len(matrix.columns) == 5


def test_templatised_rows_give_the_same_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> pyo.ConcreteModel:
        m = pyo.ConcreteModel()
        m.I, m.J = pyo.RangeSet(0, 3), pyo.RangeSet(0, 2)
        m.a = pyo.Param(m.I, m.J, initialize=lambda _, i, j: 1 + i + 10 * j)
        m.x = pyo.Var(m.I, m.J, domain=pyo.NonNegativeReals)
        m.row = pyo.Constraint(m.I, rule=lambda m, i: sum(m.a[i, j] * m.x[i, j] for j in m.J) >= 5)
        m.cost = pyo.Objective(expr=sum(m.x[i, j] for i in m.I for j in m.J))
        m.x[0, 0].fix(2)
        return m

    plain = compile_matrix(build())
    monkeypatch.setattr(pyomo_constraint, "TEMPLATIZE_CONSTRAINTS", True)
    model = build()
    assert hasattr(model.row[1], "template_expr")
    template = compile_matrix(model)
    assert [v.name for v in template.columns] == [v.name for v in plain.columns]
    assert (template.A != plain.A).nnz == 0
    assert template.row_lower.tolist() == plain.row_lower.tolist() == [5 - 1 * 2, 5, 5, 5]


@pytest.mark.parametrize("sense", [None, pyo.maximize])
def test_exactly_one_objective_to_minimise(sense: object) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    if sense is not None:
        m.cost = pyo.Objective(expr=m.x, sense=sense)
    with pytest.raises(SolverError, match="exactly one active objective"):
        compile_matrix(m)


def test_nonlinear_row_is_refused_by_name() -> None:
    m = two_plants()
    m.bent = pyo.Constraint(expr=m.output[0] * m.output[1] <= 1)
    with pytest.raises(SolverError, match=r"not linear.*bent"):
        compile_matrix(m)


def test_row_without_variables_that_fails_is_infeasible() -> None:
    m = two_plants()
    m.target = pyo.Constraint(expr=(3.0, 0 * m.bought, None))
    with pytest.raises(InfeasibleError, match="target"):
        compile_matrix(m)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("coefficient", r"coefficient of bought in spoilt"),
        ("cost", r"cost of bought"),
        ("constant", r"objective's constant"),
    ],
)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_is_refused(bad: float, place: str, message: str) -> None:
    m = two_plants()
    m.weight = pyo.Param(initialize=bad, mutable=True, within=pyo.Any)
    if place == "coefficient":
        m.spoilt = pyo.Constraint(expr=m.weight * m.bought + m.output[0] <= 1)
    else:
        m.cost.set_value(m.weight * m.bought if place == "cost" else m.weight + m.bought)
    with pytest.raises(SolverError, match="'weight' evaluated to a nonnumeric value" if math.isnan(bad) else message):
        compile_matrix(m)


def test_right_hand_side_that_is_not_a_number_is_named() -> None:
    m = two_plants()
    m.limit = pyo.Param(initialize=math.nan, mutable=True, within=pyo.Any)
    m.spoilt = pyo.Constraint(expr=m.bought + m.output[0] <= m.limit)
    with pytest.raises(SolverError, match="spoilt"):
        compile_matrix(m)


def test_coefficient_ranges_leave_out_zeros_and_infinities() -> None:
    ranges = compile_matrix(two_plants()).coefficient_ranges()
    assert ranges == {"matrix": (1, 5), "cost": (1, 12), "bounds": (1, 100), "rhs": (7, 7)}
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.cost = pyo.Objective(expr=2 * m.x)
    assert compile_matrix(m).coefficient_ranges() == {"matrix": None, "cost": (2, 2), "bounds": None, "rhs": None}


def test_violations_measure_the_worst_of_each_kind() -> None:
    m = two_plants()
    matrix = compile_matrix(m)
    values = np.zeros(5)
    values[matrix.indices([m.built[0], m.output[0], m.bought])] = 0.9, 5.0, -1.0
    found = matrix.violations(values)
    assert found.rows == 7 - (5.0 - 1.0)
    assert found.bounds == 1.0
    assert found.integrality == pytest.approx(1 - 0.9)


coefficients = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))


@settings(max_examples=30, deadline=None)
@given(
    table=st.lists(st.lists(coefficients, min_size=4, max_size=4), min_size=1, max_size=4),
    cost=st.lists(coefficients, min_size=4, max_size=4),
    constant=coefficients,
    point=st.lists(coefficients, min_size=4, max_size=4),
    fixed=st.sets(st.integers(0, 3), max_size=2),
)
def test_any_linear_model_keeps_its_costs_and_rows(table: list[list[float]], cost: list[float], constant: float, point: list[float], fixed: set[int]) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4), initialize=dict(enumerate(point)))
    m.row = pyo.Constraint(range(len(table)), rule=lambda m, i: (-1e9, sum(a * m.x[j] for j, a in enumerate(table[i])) + constant, 1e9))
    m.cost = pyo.Objective(expr=sum(a * m.x[j] for j, a in enumerate(cost)) + constant)
    for j in fixed:
        m.x[j].fix()
    matrix = compile_matrix(m)
    values = np.array([v.value for v in matrix.columns], dtype=float)
    assert matrix.objective(values) == pytest.approx(pyo.value(m.cost), abs=1e-9)
    activity = matrix.A @ values
    for (row, _), found, high in zip(matrix.rows, activity, matrix.row_upper, strict=True):
        assert found - high == pytest.approx(pyo.value(row.body) - 1e9, abs=1e-4)


def test_pyomo_finds_scipy() -> None:
    """The standard-form compiler builds its arrays with scipy, which Pyomo does not install by itself."""
    assert pyomo_scipy.sparse.csc_array is not None


class TestPlainSums:
    """A model of LinearExpressions is turned into arrays without Pyomo's compiler; both must say the same."""

    @staticmethod
    def model(low: float | None = -4.0, high: float | None = 9.0, constant: float = 7.0) -> pyo.ConcreteModel:
        m = pyo.ConcreteModel()
        m.unused = pyo.Var(bounds=(-1, 2))
        m.x = pyo.Var(range(4), bounds=(0, 5))
        m.b = pyo.Var(domain=pyo.Binary)
        m.part = pyo.Block()
        m.part.y = pyo.Var()
        m.row = pyo.Constraint(range(4), rule=lambda m, i: (low, _sum([2.0, -1.0, 0.5, 1.0], [m.x[i], m.part.y, m.x[i], m.b]), high))
        m.part.equal = pyo.Constraint(expr=(3.0, _sum([1.0, 1.0], [m.x[0], m.part.y]), 3.0))
        m.cost = pyo.Objective(expr=LinearExpression(constant=constant, linear_coefs=[3, 1.0, 2.0], linear_vars=[m.x[2], m.b, m.x[2]]))
        return m

    @pytest.mark.parametrize(("low", "high"), [(-4.0, 9.0), (None, 9.0), (-4.0, None)])
    @pytest.mark.parametrize("constant", [7.0, 0.0])
    def test_the_same_arrays_as_pyomo(self, low: float | None, high: float | None, constant: float, monkeypatch: pytest.MonkeyPatch) -> None:
        m = self.model(low, high, constant)
        assert sums_of(m, m.cost) is not None
        ours = compile_matrix(m)
        monkeypatch.setattr(handover, "sums_of", lambda *_: None)
        theirs = compile_matrix(m)
        order = ours.indices(theirs.columns)
        assert sorted(order.tolist()) == list(range(len(ours.columns)))
        assert np.array_equal(ours.A.toarray()[:, order], theirs.A.toarray())
        assert ours.rows == theirs.rows
        for name in ("c", "col_lower", "col_upper", "integrality"):
            assert np.array_equal(getattr(ours, name)[order], getattr(theirs, name)), name
        assert np.array_equal(ours.row_lower, theirs.row_lower)
        assert np.array_equal(ours.row_upper, theirs.row_upper)
        assert ours.offset == theirs.offset == constant

    def test_anything_else_is_left_to_pyomo(self) -> None:
        fixed, other, absent = (self.model() for _ in range(3))
        fixed.x[1].fix(2.0)
        other.bent = pyo.Constraint(expr=other.x[0] + 2 * other.x[1] <= 3)
        absent.part.deactivate()
        for m in (fixed, other, absent, two_plants()):
            assert sums_of(m, m.cost) is None
        assert compile_matrix(fixed).row_lower[1] == -4.0 - 2.5 * 2.0

    def test_what_is_not_a_number_is_named(self) -> None:
        m = self.model()
        m.spoilt = pyo.Constraint(expr=(None, _sum([math.inf, 1.0], [m.x[0], m.x[1]]), 1.0))
        with pytest.raises(SolverError, match=r"coefficient of x\[0\] in spoilt"):
            compile_matrix(m)


def _sum(coefs: list[float], variables: list[pyo.Var]) -> LinearExpression:
    return LinearExpression(constant=0.0, linear_coefs=coefs, linear_vars=variables)
