"""The Pyomo model is the matrix written out: the same names, numbers and optimum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from example_models import TWO_PLANTS_COST, TWO_PLANTS_RELAXED, Row, knapsack, places, two_plants
from orepact.formulation.model import Model
from orepact.formulation.terms import Terms
from orepact.solver.answer import AnswerStatus
from orepact.solver.highs import Session
from orepact.solver.in_pyomo import in_pyomo
from orepact.solver.matrix import Matrix, matrix_of
from orepact.solver.reduced import reduce


def chain() -> Matrix:
    """Two parts; keys that are numbers, prices and words; a range, a limit on one side, an equation; a family of one."""
    model = Model()
    activity, trade = model.block("activity"), model.block("trade")
    x = activity.columns("x", ([0, 0, 2], [1, 3, 0]), upper=9.0)
    on = activity.columns("on", ([0, 2],), upper=1.0, whole=True)
    lots = activity.columns("lots", ([0],), lower=2.0, upper=6.0, whole=True)
    glut = trade.columns("glut", (["in", "out"], [99.5, 120.0]), lower=-math.inf)
    level = trade.columns("level", (), lower=-1.0, size=1)
    capacity = Terms(2)
    capacity.add([0, 0, 1], 1.0, x.ids)
    capacity.add([0, 1], -4.0, on.ids)
    activity.rows("capacity", ([0, 2],), None, capacity, 0.0)
    span = Terms(1)
    span.add(0, [1.0, -1.0, 0.5], [level.first, *glut.ids])
    trade.rows("span", (), -3.0, span, 8.0)
    tied = Terms(2)
    tied.add([0, 1], 1.0, glut.ids)
    tied.add([0, 1], -1.0, [x[0, 1], lots.first])
    trade.rows("tied", (["in", "out"], [99.5, 120.0]), [2.0, 1.0], tied, [2.0, np.inf])
    model.objective.add(0, [3.0, 1.0, 2.0], [x[2, 0], level.first, lots.first])
    model.objective.constant += 7.0
    return matrix_of(model)


def test_names_are_those_of_the_columns_and_rows() -> None:
    matrix = chain()
    made = in_pyomo(matrix)
    # Pyomo puts what is not an identifier in quotes.
    plain = [variable.name.replace("'", "") for variable in made.variables]
    assert plain == [column.name for column in matrix.columns]
    assert {row.name.replace("'", "") for row in made.model.component_data_objects(pyo.Constraint)} == {row.name for row in matrix.rows}
    assert made.variables[0] is made.model.activity.x[0, 1]
    assert made.model.trade.tied["out", 120.0].equality is False
    assert [objective.name for objective in made.model.component_data_objects(pyo.Objective)] == ["cost.objective"]


def test_domains_and_bounds_are_those_of_the_columns() -> None:
    m = in_pyomo(chain()).model
    assert (m.activity.on[0].is_binary(), m.activity.lots[0].is_binary(), m.activity.lots[0].is_integer()) == (True, False, True)
    assert all(variable.is_continuous() for variable in (m.activity.x[0, 1], m.trade.glut["in", 99.5], m.trade.level))
    bounds = {variable.local_name: variable.bounds for variable in (m.activity.x[0, 1], m.activity.on[2], m.activity.lots[0], m.trade.level)}
    assert bounds == {"x[0,1]": (0, 9), "on[2]": (0, 1), "lots[0]": (2, 6), "level": (-1, None)}
    assert m.trade.glut["out", 120.0].bounds == (None, None)


def test_rows_say_what_the_matrix_says() -> None:
    m = in_pyomo(chain()).model
    for variable in m.component_data_objects(pyo.Var):
        variable.set_value(1, skip_validation=True)
    m.trade.level.set_value(5)
    said = {
        row.local_name.replace("'", ""): (pyo.value(row.lower), pyo.value(row.body), pyo.value(row.upper)) for row in m.component_data_objects(pyo.Constraint)
    }
    assert said == {
        "capacity[0]": (None, 1 + 1 - 4, 0),
        "capacity[2]": (None, 1 - 4, 0),
        "span": (-3, 5 - 1 + 0.5, 8),
        "tied[in,99.5]": (2, 0, 2),
        "tied[out,120.0]": (1, 0, None),
    }
    assert m.trade.tied["in", 99.5].equality
    assert pyo.value(m.cost.objective) == 3 + 5 + 2 + 7


numbers = st.integers(-8, 8).map(float)
limits = st.one_of(st.none(), numbers)


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """A few families of columns and rows in two blocks, with all kinds of limits; every row has one and, as in any `matrix_of`, a column."""
    model = Model()
    blocks = [model.block(""), model.block("part")]
    for n in range(draw(st.integers(1, 3))):
        size, low, high = draw(st.integers(1, 3)), draw(st.sampled_from([0.0, -3.0, -math.inf])), draw(st.sampled_from([1.0, 7.0, math.inf]))
        index = (np.arange(size),) if draw(st.booleans()) else (np.arange(size), np.arange(size) + 0.5)
        draw(st.sampled_from(blocks)).columns(f"x{n}", index, lower=low, upper=high, whole=draw(st.booleans()))
    width = model.width
    for n in range(draw(st.integers(0, 2))):
        size = draw(st.integers(0, 3))
        terms, lower, upper = Terms(size), np.full(size, -np.inf), np.full(size, np.inf)
        for row in range(size):
            terms.add(row, draw(st.lists(numbers, min_size=width, max_size=width)), np.arange(width))
            least, most = draw(st.tuples(limits, limits).filter(lambda pair: pair != (None, None)))
            lower[row] = -np.inf if least is None else least
            upper[row] = np.inf if most is None else max(most, lower[row])
        draw(st.sampled_from(blocks)).rows(f"r{n}", (np.arange(size),), lower, terms, upper)
    model.objective.add(0, draw(st.lists(numbers, min_size=width, max_size=width)), np.arange(width))
    model.objective.constant += draw(numbers)
    return matrix_of(model)


@settings(max_examples=100, deadline=None)
@given(matrix=matrices())
def test_pyomo_compiles_it_to_the_same_numbers(matrix: Matrix) -> None:
    made = in_pyomo(matrix)
    form: Any = LinearStandardFormCompiler().write(made.model, mixed_form=True, set_sense=None)
    number = {id(variable): j for j, variable in enumerate(made.variables)}
    columns = [number[id(variable)] for variable in form.columns]  # those in a row or a cost
    cost, table = np.zeros(len(made.variables)), np.zeros((len(form.rows), len(made.variables)))
    cost[columns], table[:, columns] = form.c.toarray()[0], form.A.toarray()
    assert np.array_equal(cost, matrix.c)
    assert float(form.c_offset[0]) == matrix.offset
    found: dict[str, dict[int, tuple[list[float], float]]] = {}
    for n, (row, side) in enumerate(form.rows):
        found.setdefault(row.name, {})[side] = (table[n].tolist(), float(form.rhs[n]))
    for label, coefs, low, high in zip(matrix.rows, matrix.A.toarray().tolist(), matrix.row_lower, matrix.row_upper, strict=True):
        sides = {0: low} if low == high else {side: limit for side, limit in ((-1, low), (1, high)) if np.isfinite(limit)}
        assert found.pop(label.name) == {side: (coefs, limit) for side, limit in sides.items()}
    assert not found
    for variable, low, high, whole in zip(made.variables, matrix.col_lower, matrix.col_upper, matrix.integrality, strict=True):
        assert [-math.inf if variable.lb is None else variable.lb, math.inf if variable.ub is None else variable.ub] == [low, high]
        assert variable.is_continuous() != whole


THINGS = knapsack([21, 34, 13, 55, 8], [5, 9, 3, 14, 2], 17)


@pytest.mark.parametrize("matrix", [two_plants(), THINGS, chain()], ids=["two plants", "knapsack", "chain"])
def test_pyomos_own_way_to_highs_finds_the_same_optimum(matrix: Matrix) -> None:
    made = in_pyomo(matrix)
    ours = Session(matrix, threads=1).solve(gap=0.0)
    pyo.SolverFactory("highs").solve(made.model)
    assert pyo.value(made.model.cost.objective) == pytest.approx(ours.objective)
    values = np.array([variable.value for variable in made.variables])
    assert matrix.objective(values) == pytest.approx(ours.objective)
    assert matrix.violations(values).rows < 1e-6


def test_known_optima() -> None:
    made = in_pyomo(two_plants())
    pyo.SolverFactory("highs").solve(made.model)
    assert pyo.value(made.model.cost.objective) == pytest.approx(TWO_PLANTS_COST)
    pyo.TransformationFactory("core.relax_integer_vars").apply_to(made.model)
    pyo.SolverFactory("highs").solve(made.model)
    assert pyo.value(made.model.cost.objective) == pytest.approx(TWO_PLANTS_RELAXED)


def test_what_is_left_of_a_matrix_has_the_names_of_the_whole() -> None:
    matrix = two_plants()
    part = reduce(matrix, places(matrix, "built_0", "bought"), np.array([1.0, 2.0]))
    made = in_pyomo(part.matrix)
    assert [variable.name for variable in made.variables] == ["built_1", "output_0", "output_1"]
    assert {row.name for row in made.model.component_data_objects(pyo.Constraint)} == {"capacity_0", "capacity_1", "demand"}
    pyo.SolverFactory("highs").solve(made.model)
    assert pyo.value(made.model.cost.objective) == pytest.approx(TWO_PLANTS_COST)


def test_a_row_without_limits_says_nothing() -> None:
    matrix = two_plants(rows={"watched": Row(None, {"bought": 1}, None)})
    made = in_pyomo(matrix)
    assert Session(matrix, threads=1).solve().status is AnswerStatus.OPTIMAL
    pyo.SolverFactory("highs").solve(made.model)
    assert pyo.value(made.model.cost.objective) == pytest.approx(TWO_PLANTS_COST)
