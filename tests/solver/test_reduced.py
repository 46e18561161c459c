"""A matrix cut down to what is left once some columns are fixed answers as the whole matrix with bounds does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from example_models import Column, Row, places, switch, toy
from orepact.solver.answer import AnswerStatus
from orepact.solver.highs import Session
from orepact.solver.matrix import Matrix
from orepact.solver.reduced import cut, reduce


def random_matrix(seed: int) -> Matrix:
    """Twelve columns, some binary, some free; twenty rows, a third of them links `sum of amounts <= capacity · switch`."""
    dice = np.random.default_rng(seed)
    amounts, switches = [f"x_{n}" for n in range(8)], [f"b_{n}" for n in range(4)]
    names, rows = [*amounts, "f_0", "f_1", *switches], dict[str, Row]()
    for n in range(20):
        chosen = dice.choice(len(names), size=3, replace=False)
        if n % 3 == 0:
            first, second = dice.choice(8, size=2, replace=False)
            capacity, on = float(dice.integers(1, 9)), int(dice.integers(4))
            rows[f"row_{n}"] = Row(None, {amounts[first]: 1, amounts[second]: 1, switches[on]: -capacity}, 0)
        else:
            left = {names[j]: float(dice.integers(-4, 5) or 1) for j in chosen}
            rows[f"row_{n}"] = Row(None, left, float(dice.integers(0, 20))) if n % 2 else Row(-float(dice.integers(0, 20)), left, None)
    kinds = {name: Column(high=9) if name in amounts else switch() if name in switches else Column(low=-5, high=5) for name in names}
    return toy({name: kind._replace(cost=float(dice.integers(-9, 10))) for name, kind in kinds.items()}, rows)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), closed=st.sets(st.integers(0, 3), max_size=4), opened=st.booleans())
def test_the_reduced_matrix_answers_as_the_whole(seed: int, closed: set[int], opened: bool) -> None:
    whole = random_matrix(seed)
    columns = whole.integer_indices[sorted(closed)].astype(np.int64)
    values = np.full(len(columns), 1.0 if opened else 0.0)
    session = Session(whole, threads=1)
    session.set_bounds(columns, values, values)
    before = session.solve(gap=0.0)
    part = reduce(whole, columns, values)
    after = Session(part.matrix, threads=1).solve(gap=0.0)
    assert after.status is before.status
    if before.status is AnswerStatus.OPTIMAL:
        assert after.objective == pytest.approx(before.objective, abs=1e-6)
        assert after.values is not None
        expanded = part.expand(after.values)
        assert whole.objective(expanded) == pytest.approx(before.objective, abs=1e-6)
        assert whole.violations(expanded).rows < 1e-6
        assert expanded[columns].tolist() == values.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_duals_of_the_reduced_matrix_price_its_columns_in_the_whole(seed: int) -> None:
    whole = random_matrix(seed)
    part = reduce(whole, whole.integer_indices[:2].astype(np.int64), np.array([1.0, 0.0]))
    duals = np.random.default_rng(seed).normal(size=len(part.matrix.rows))
    expanded = part.expand_duals(duals)
    assert expanded.shape == (len(whole.rows),)
    reduced_costs = part.matrix.c - part.matrix.A.T @ duals
    assert (whole.c - whole.A.T @ expanded)[part.kept] == pytest.approx(reduced_costs, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_serves_other_costs(seed: int) -> None:
    whole = random_matrix(seed)
    columns, values = whole.integer_indices[:2].astype(np.int64), np.array([1.0, 0.0])
    dearer = replace(whole, c=np.random.default_rng(seed).normal(size=len(whole.c)))
    once, anew = cut(whole, columns, values).of(dearer).matrix, reduce(dearer, columns, values).matrix
    assert (once.A != anew.A).nnz == 0
    for name in ("c", "row_lower", "row_upper", "col_lower", "col_upper", "integrality", "offset"):
        assert np.array_equal(getattr(once, name), getattr(anew, name))


def test_what_can_only_be_zero_goes_with_its_switch() -> None:
    whole = toy(
        {"on": switch(cost=1), "x_1": Column(cost=1), "x_2": Column(cost=1), "y": Column(cost=1)},
        {"capacity": Row(None, {"x_1": 1, "x_2": 1, "on": -5}, 0), "follows": Row(None, {"y": 1, "x_1": -1}, 0)},
    )
    part = reduce(whole, places(whole, "on"), np.array([0.0]))
    assert (len(part.matrix.columns), len(part.matrix.rows)) == (0, 0)
    kept = reduce(whole, places(whole, "on"), np.array([1.0]))
    assert (len(kept.matrix.columns), len(kept.matrix.rows), kept.matrix.offset) == (3, 2, 1.0)
    assert [column.name for column in kept.matrix.columns] == ["x_1", "x_2", "y"]
    assert [row.name for row in kept.matrix.rows[1:]] == ["follows"]


def test_a_row_that_cannot_hold_stays() -> None:
    whole = toy({"on": switch(cost=1), "x": Column(cost=1, high=1)}, {"needed": Row(1, {"on": 2}, None)})
    part = reduce(whole, places(whole, "on"), np.array([0.0]))
    assert Session(part.matrix, threads=1).solve("lp").status is AnswerStatus.INFEASIBLE
    nothing_left = reduce(whole, np.array([0, 1], dtype=np.int64), np.zeros(2))
    assert Session(nothing_left.matrix, threads=1).solve("lp").status is AnswerStatus.INFEASIBLE


def test_a_column_that_must_be_positive_is_not_closed() -> None:
    """x <= 5 on, and x at least 1: with `on` at zero there is no plan, which a solver must be able to see."""
    whole = toy({"on": switch(), "x": Column(low=1, high=9)}, {"capacity": Row(None, {"x": 1, "on": -5}, 0)})
    part = reduce(whole, places(whole, "on"), np.array([0.0]))
    assert [column.name for column in part.matrix.columns] == ["x"]
    assert Session(part.matrix, threads=1).solve("lp").status is AnswerStatus.INFEASIBLE
