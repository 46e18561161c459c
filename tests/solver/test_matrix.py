"""The arrays say what the families of columns and rows say, and every number in them is one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from example_models import Column, Row, places, switch, toy, toy_model, two_plants
from orepact.errors import SolverError
from orepact.formulation.model import Model
from orepact.formulation.terms import FloatArray, Terms
from orepact.solver.answer import AnswerStatus
from orepact.solver.highs import Session
from orepact.solver.matrix import matrix_of


def dense(terms: Terms, width: int) -> list[list[float]]:
    """Coefficients of every sum."""
    found = np.zeros((terms.size, width))
    cell, coef, column = terms.entries()
    np.add.at(found, (cell, column), coef)
    return [list(map(float, row)) for row in found]


class TestTerms:
    def test_whatever_is_added_is_broadcast(self) -> None:
        terms = Terms(2)
        terms.add(0, 3.0, 1)
        terms.add([[0], [1]], [[1.0, 2.0], [4.0, 8.0]], [0, 2])  # one row of coefficients for each sum
        terms.add([0, 1], -1.0, 3)
        assert dense(terms, 4) == [[1, 3, 2, -1], [4, 0, 8, -1]]

    def test_what_does_not_exist_adds_nothing(self) -> None:
        terms = Terms(3)
        terms.add([0, 1, 2, -1], [1.0, 0.0, 2.0, 5.0], [4, 1, -1, 2])
        cell, coef, column = terms.entries()
        assert (cell.tolist(), coef.tolist(), column.tolist()) == ([0], [1.0], [4])
        assert terms.filled().tolist() == [True, False, False]

    def test_none_at_all(self) -> None:
        terms = Terms(2)
        terms.add(np.zeros(0, dtype=int), np.zeros(0), np.zeros(0, dtype=int))
        terms.add([], [], 3)
        assert [part.size for part in terms.entries()] == [0, 0, 0]
        assert terms.filled().tolist() == [False, False]
        assert terms.value(np.ones(3)).tolist() == [0, 0]

    def test_more_may_be_added_after_a_look(self) -> None:
        terms = Terms(2)
        terms.add(0, 1.0, 0)
        assert terms.filled().tolist() == [True, False]
        terms.add(1, 2.0, 1)
        terms.add(0, 4.0, 0)
        assert dense(terms, 2) == [[5, 0], [0, 2]]

    @staticmethod
    def pair() -> Terms:
        """x0 + 10 and 2 x1 + 20."""
        terms = Terms(2)
        terms.add([0, 1], [1.0, 2.0], [0, 1])
        terms.constant += [10.0, 20.0]
        return terms

    def test_sums_are_added_to_sums(self) -> None:
        terms = self.pair()
        terms.extend(self.pair())
        assert dense(terms, 2) == [[2, 0], [0, 4]]
        assert terms.constant.tolist() == [20, 40]

    @pytest.mark.parametrize(("factor", "rows", "constant"), [(3.0, [[3, 0], [0, 6]], [30, 60]), ([0.0, -1.0], [[0, 0], [0, -2]], [0, -20])])
    def test_times_a_number_or_one_for_each(self, factor: float | list[float], rows: list[list[float]], constant: list[float]) -> None:
        terms = Terms(2)
        terms.extend(self.pair(), factor)
        assert dense(terms, 2) == rows
        assert terms.constant.tolist() == constant

    @pytest.mark.parametrize(
        ("cell", "rows", "constant"),
        [
            ([2, 0], [[0, 2], [0, 0], [1, 0]], [20, 0, 10]),
            ([1, 1], [[0, 0], [1, 2], [0, 0]], [0, 30, 0]),  # both to the same sum
            ([-1, 1], [[0, 0], [0, 2], [0, 0]], [0, 20, 0]),  # the first to none
        ],
    )
    def test_to_other_cells(self, cell: list[int], rows: list[list[float]], constant: list[float]) -> None:
        terms = Terms(3)
        terms.extend(self.pair(), 1.0, cell)
        assert dense(terms, 2) == rows
        assert terms.constant.tolist() == constant

    def test_value(self) -> None:
        terms = self.pair()
        terms.add(0, 5.0, 2)
        assert terms.value(np.array([1.0, 2.0, 3.0])).tolist() == [10 + 1 + 15, 20 + 4]


def test_arrays_are_the_model_written_out() -> None:
    matrix = two_plants()
    assert [column.name for column in matrix.columns] == ["built_0", "built_1", "output_0", "output_1", "bought"]
    assert matrix.offset == 100
    assert matrix.c.tolist() == [10, 12, 1, 2, 4]
    assert matrix.col_lower.tolist() == [0, 0, 0, 0, 0]
    assert matrix.col_upper.tolist() == [1, 1, math.inf, math.inf, 100]
    assert matrix.integrality.tolist() == [True, True, False, False, False]
    assert matrix.integer_indices.tolist() == [0, 1]
    rows = {row.name: (low, high) for row, low, high in zip(matrix.rows, matrix.row_lower, matrix.row_upper, strict=True)}
    assert rows == {"capacity_0": (-math.inf, 0), "capacity_1": (-math.inf, 0), "demand": (7, 7)}
    assert matrix.A.toarray().tolist() == [[-5, 0, 1, 0, 0], [0, -5, 0, 1, 0], [0, 0, 1, 1, 1]]
    assert matrix.A.indices.dtype == np.int32
    assert matrix.A.indptr.dtype == np.int32


def test_families_are_laid_end_to_end_and_keep_their_names() -> None:
    model = Model()
    one, other = model.block("activity"), model.block("trade")
    x = one.columns("x", ([0, 0, 2], [1, 3, 0]), (3, 4))
    empty = one.columns("idle", (np.zeros(0, dtype=int),))
    price = other.columns("glut", (np.array([0, 1]), np.array([99.5, 120.0])))
    level = other.columns("level", (), size=1)
    way = Terms(2)
    way.add([0, 1], 1.0, price.ids)
    other.rows("swap", (np.array(["in", "out"]),), 1.0, way, None)
    whole = Terms(1)
    whole.add(0, 1.0, x.ids)
    one.rows("sum", (), None, whole, 5.0)
    matrix = matrix_of(model)
    assert [column.name for column in matrix.columns] == [
        *("activity.x[0,1]", "activity.x[0,3]", "activity.x[2,0]"),
        *("trade.glut[0,99.5]", "trade.glut[1,120.0]", "trade.level"),
    ]
    assert [row.name for row in matrix.rows] == ["trade.swap[in]", "trade.swap[out]", "activity.sum"]
    last, first = matrix.columns[-1], matrix.columns[0:1][0]
    assert (last.block, last.family, last.key) == ("trade", "level", ())
    assert (first.block, first.family, first.key) == ("activity", "x", (0, 1))
    assert matrix.A.toarray().tolist() == [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0]]
    assert (dict(x), dict(empty), dict(level)) == ({(0, 1): 0, (0, 3): 1, (2, 0): 2}, {}, {(): 5})
    assert price[1, 120.0] == 4
    assert x.at(0, np.arange(4)).tolist() == [-1, 0, -1, 1]
    assert x.at([[0], [2]], [0, 1]).tolist() == [[-1, 0], [2, -1]]
    with pytest.raises(IndexError):
        matrix.columns[6]
    with pytest.raises(AttributeError, match="the part 'activity' has no 'y'"):
        _ = one.y


def test_size_counts_binaries_apart_from_other_integers() -> None:
    matrix = two_plants({"shifts": Column(high=3, whole=True)}, {"work": Row(None, {"bought": 1, "shifts": -50}, 0)})
    assert matrix.size() == {"rows": 4, "columns": 6, "binaries": 2, "integers": 1, "nonzeros": 2 + 2 + 3 + 2}


def test_row_with_two_limits_stays_one_row_and_constants_move_to_its_limits() -> None:
    model = toy_model({"x": Column(), "y": Column(low=-math.inf), "z": Column()}, {"first": Row(1, {"x": 1, "y": 1}, None)})
    between = Terms(1)
    between.add(0, [1.0, -1.0], [1, 2])
    between.constant += 1.0
    model.block("part").rows("span", (), -2.0, between, 5.0)
    matrix = matrix_of(model)
    assert [row.name for row in matrix.rows] == ["first", "part.span"]
    assert matrix.row_lower.tolist() == [1, -3]
    assert matrix.row_upper.tolist() == [math.inf, 4]
    assert matrix.A.toarray().tolist() == [[1, 1, 0], [0, 1, -1]]


def test_columns_in_no_row_are_columns_all_the_same() -> None:
    idle = Column(low=-1, high=2)
    matrix = two_plants({"idle_0": idle, "idle_1": idle, "cancelled": switch()}, {"limit": Row(None, {"bought": 1, "cancelled": 0}, 60)})
    assert matrix.A.shape == (4, 8)
    at = places(matrix, "idle_0", "idle_1", "cancelled")
    assert matrix.col_lower[at].tolist() == [-1, -1, 0]
    assert matrix.A[:, at].nnz == 0
    assert matrix.c[at].tolist() == [0, 0, 0]


def test_model_without_rows() -> None:
    matrix = toy({"x": Column(cost=3, low=1, high=4)}, {}, constant=2)
    assert matrix.A.shape == (0, 1)
    assert matrix.objective(np.array([1.0])) == 3 * 1 + 2


def test_model_of_nothing_but_a_constant() -> None:
    matrix = toy({}, {}, constant=2)
    assert matrix.A.shape == (0, 0)
    assert Session(matrix).solve().objective == 2


def test_duplicates_are_added_up_and_zeros_dropped() -> None:
    model = toy_model({"x": Column(cost=1), "y": Column(cost=5)}, {})
    model.objective.add(0, [2.0, -5.0], [0, 1])
    terms = Terms(1)
    terms.add(0, [1.0, 0.5, 3.0, -3.0], [0, 0, 1, 1])
    model.block("part").rows("sum", (), 1.0, terms, None)
    matrix = matrix_of(model)
    assert matrix.c.tolist() == [1 + 2, 0]
    assert matrix.A.toarray().tolist() == [[1.5, 0]]
    assert matrix.A.nnz == 1


@pytest.mark.parametrize(("low", "high", "status"), [(3.0, None, AnswerStatus.INFEASIBLE), (None, 3.0, AnswerStatus.OPTIMAL)])
def test_a_row_without_columns_is_kept_with_nothing(low: float | None, high: float | None, status: AnswerStatus) -> None:
    """One column that is always zero serves all such rows of a part."""
    matrix = two_plants(rows={"target": Row(low, {"bought": 0}, high), "another": Row(None, {}, 1)})
    assert [column.name for column in matrix.columns[5:]] == ["nothing"]
    assert (matrix.col_lower[5], matrix.col_upper[5]) == (0, 0)
    assert [row.name for row in matrix.rows[3:]] == ["target", "another"]
    assert matrix.A.toarray()[3:].tolist() == [[0, 0, 0, 0, 0, 1]] * 2
    assert Session(matrix, threads=1).solve().status is status


class TestWaysToAddRows:
    """The rows of x0 .. x3, of which some are wanted, may give way, or are bounds."""

    @staticmethod
    def begun() -> tuple[Model, Terms]:
        """Four columns of one family, and their doubles as sums."""
        model = Model()
        x = model.block("part").columns("x", (np.arange(4),), (4,))
        terms = Terms(4)
        terms.add(np.arange(4), 2.0, x.ids)
        terms.constant += 1.0
        return model, terms

    @pytest.mark.parametrize("kept", [[0, 1, 2, 3], [1, 3], []])
    def test_some_of_the_sums(self, kept: list[int]) -> None:
        model, terms = self.begun()
        rows = model.part.rows("r", (np.arange(4) * 10,), np.arange(4), terms, None, where=np.isin(np.arange(4), kept))
        matrix = matrix_of(model)
        assert list(rows) == [10 * n for n in kept]
        assert matrix.row_lower.tolist() == [n - 1 for n in kept]
        assert matrix.A.toarray().tolist() == (2 * np.eye(4))[kept].tolist()

    @pytest.mark.parametrize(("low", "high", "sign"), [(1.0, None, 1), (None, 1.0, -1)])
    def test_a_goal_gives_way_by_so_much_per_unit(self, low: float | None, high: float | None, sign: int) -> None:
        """More of the give column makes either side easier; -1 stands for a goal that holds."""
        model, terms = self.begun()
        give = model.block("gives").columns("by", (np.arange(2),))
        model.part.goals("r", (np.arange(4),), low, terms, high, gives=(np.array([3.0, 4.0, 5.0, 6.0]), np.array([-1, give.first, give.first + 1, -1])))
        assert matrix_of(model).A.toarray()[:, 4:].tolist() == [[0, 0], [sign * 4, 0], [0, sign * 5], [0, 0]]

    def test_limits_are_bounds_unless_they_may_be_lifted(self) -> None:
        model, _ = self.begun()
        model.part.limits("most", model.part.x, np.array([1, 2]), np.array([7.0, 8.0]))
        matrix = matrix_of(model)
        assert matrix.col_upper.tolist() == [math.inf, 7, 8, math.inf]
        assert matrix.A.shape == (0, 4)
        model, _ = self.begun()
        give = model.block("gives").columns("by", (np.arange(2),))
        model.part.limits("most", model.part.x, np.array([1, 2]), np.array([7.0, 8.0]), np.array([give.first, -1]))
        matrix = matrix_of(model)
        assert matrix.col_upper.tolist() == [math.inf] * 6
        assert [row.name for row in matrix.rows] == ["part.most[1]", "part.most[2]"]
        assert matrix.row_upper.tolist() == [7, 8]
        assert matrix.A.toarray().tolist() == [[0, 1, 0, 0, -1, 0], [0, 0, 1, 0, 0, 0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused_by_name(bad: float) -> None:
    with pytest.raises(SolverError, match=r"the coefficient of bought in spoilt is not a number"):
        two_plants(rows={"spoilt": Row(None, {"output_0": 1, "bought": bad}, 1)})
    with pytest.raises(SolverError, match=r"the cost of bought is not a number"):
        two_plants({"bought": Column(cost=bad)})
    with pytest.raises(SolverError, match=r"the objective's constant is not a number"):
        toy({"x": Column()}, {}, constant=bad)


@pytest.mark.parametrize(("low", "high"), [(math.nan, None), (None, math.nan), (math.inf, None), (None, -math.inf)])
def test_right_hand_side_that_is_not_a_number_is_named(low: float | None, high: float | None) -> None:
    with pytest.raises(SolverError, match=r"the right-hand side of spoilt is not a number"):
        two_plants(rows={"spoilt": Row(low, {"output_0": 1, "bought": 1}, high)})


@pytest.mark.parametrize("bounds", [(math.nan, 1.0), (0.0, math.nan)])
def test_bound_that_is_not_a_number_is_named(bounds: tuple[float, float]) -> None:
    with pytest.raises(SolverError, match=r"a bound of bought is not a number"):
        two_plants({"bought": Column(low=bounds[0], high=bounds[1])})


def test_coefficient_ranges_leave_out_zeros_and_infinities() -> None:
    ranges = two_plants().coefficient_ranges()
    assert ranges == {"matrix": (1, 5), "cost": (1, 12), "bounds": (1, 100), "rhs": (7, 7)}
    free = toy({"x": Column(cost=2, low=-math.inf)}, {})
    assert free.coefficient_ranges() == {"matrix": None, "cost": (2, 2), "bounds": None, "rhs": None}


def test_violations_measure_the_worst_of_each_kind() -> None:
    matrix = two_plants()
    values = np.zeros(5)
    values[places(matrix, "built_0", "output_0", "bought")] = 0.9, 5.0, -1.0
    found = matrix.violations(values)
    assert found.rows == 7 - (5.0 - 1.0)
    assert found.bounds == 1.0
    assert found.integrality == pytest.approx(1 - 0.9)


coefficients = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))
additions = st.lists(st.tuples(st.integers(-1, 2), coefficients, st.integers(-1, 3)), max_size=12)
"""Terms: cell, coefficient, column."""


def by_hand(added: Sequence[tuple[int, float, int]], point: FloatArray) -> FloatArray:
    """What the sums come to, term by term."""
    found = np.zeros(3)
    for cell, coef, column in added:
        if cell >= 0 and column >= 0:
            found[cell] += coef * point[column]
    return found


@settings(max_examples=60, deadline=None)
@given(
    added=additions,
    later=additions,
    factor=st.lists(coefficients, min_size=3, max_size=3),
    cost=st.lists(coefficients, min_size=4, max_size=4),
    constant=coefficients,
    point=st.lists(coefficients, min_size=4, max_size=4).map(np.array),
)
def test_any_model_keeps_its_costs_and_rows(
    added: list[tuple[int, float, int]],
    later: list[tuple[int, float, int]],
    factor: list[float],
    cost: list[float],
    constant: float,
    point: FloatArray,
) -> None:
    model = Model()
    block = model.block("part")
    x = block.columns("x", (np.arange(4),), (4,), lower=-math.inf)
    sums = []
    for part in (added, later):
        sums.append(Terms(3))
        for term in part:
            sums[-1].add(*term)
        sums[-1].constant += constant
    terms = sums[0]
    terms.extend(sums[1], factor)
    model.objective.add(0, cost, x.ids)
    model.objective.constant += constant
    expected = by_hand(added, point) + np.array(factor) * by_hand(later, point) + constant * (1 + np.array(factor))
    assert terms.value(point) == pytest.approx(expected, abs=1e-6)
    block.rows("r", (np.arange(3),), -1e9, terms, 1e9)
    matrix = matrix_of(model)
    values = np.concatenate((point, np.zeros(len(matrix.columns) - 4)))  # nothing, where a row needs it
    assert matrix.objective(values) == pytest.approx(float(np.dot(cost, point)) + constant, abs=1e-9)
    for limit, side in ((matrix.row_upper, 1e9), (matrix.row_lower, -1e9)):
        assert matrix.A @ values - limit == pytest.approx(expected - side, abs=1e-4)
