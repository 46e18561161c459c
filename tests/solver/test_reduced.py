"""A matrix cut down to what is left once some columns are fixed answers as the whole matrix with bounds does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orepact.solver.answer import AnswerStatus
from orepact.solver.handover import Matrix, compile_matrix
from orepact.solver.highs import Session
from orepact.solver.reduced import cut, reduce


def random_matrix(seed: int) -> Matrix:
    """Twelve columns, some binary, some free; twenty rows, a third of them links `sum of amounts <= capacity · switch`."""
    dice = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(8), bounds=(0, 9))
    m.f = pyo.Var(range(2), bounds=(-5, 5))
    m.b = pyo.Var(range(4), domain=pyo.Binary)
    columns = [*m.x.values(), *m.f.values(), *m.b.values()]
    m.rows = pyo.ConstraintList()
    for n in range(20):
        chosen = dice.choice(len(columns), size=3, replace=False)
        if n % 3 == 0:
            amounts = dice.choice(8, size=2, replace=False)
            m.rows.add(sum(m.x[int(j)] for j in amounts) <= float(dice.integers(1, 9)) * m.b[int(dice.integers(4))])
        else:
            left = sum(float(dice.integers(-4, 5) or 1) * columns[j] for j in chosen)
            m.rows.add((None, left, float(dice.integers(0, 20))) if n % 2 else (-float(dice.integers(0, 20)), left, None))
    m.cost = pyo.Objective(expr=sum(float(dice.integers(-9, 10)) * v for v in columns))
    return compile_matrix(m)


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
def test_a_cut_serves_other_costs(seed: int) -> None:
    whole = random_matrix(seed)
    columns, values = whole.integer_indices[:2].astype(np.int64), np.array([1.0, 0.0])
    dearer = replace(whole, c=np.random.default_rng(seed).normal(size=len(whole.c)))
    once, anew = cut(whole, columns, values).of(dearer).matrix, reduce(dearer, columns, values).matrix
    assert (once.A != anew.A).nnz == 0
    for name in ("c", "row_lower", "row_upper", "col_lower", "col_upper", "integrality", "offset"):
        assert np.array_equal(getattr(once, name), getattr(anew, name))


def test_what_can_only_be_zero_goes_with_its_switch() -> None:
    m = pyo.ConcreteModel()
    m.on, m.x, m.y = pyo.Var(domain=pyo.Binary), pyo.Var([1, 2], bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.capacity = pyo.Constraint(expr=m.x[1] + m.x[2] <= 5 * m.on)
    m.follows = pyo.Constraint(expr=m.y <= m.x[1])
    m.cost = pyo.Objective(expr=m.x[1] + m.x[2] + m.y + m.on)
    whole = compile_matrix(m)
    part = reduce(whole, np.array([whole.index(m.on)], dtype=np.int64), np.array([0.0]))
    assert (len(part.matrix.columns), len(part.matrix.rows)) == (0, 0)
    kept = reduce(whole, np.array([whole.index(m.on)], dtype=np.int64), np.array([1.0]))
    assert (len(kept.matrix.columns), len(kept.matrix.rows), kept.matrix.offset) == (3, 2, 1.0)


def test_a_row_that_cannot_hold_stays() -> None:
    m = pyo.ConcreteModel()
    m.on, m.x = pyo.Var(domain=pyo.Binary), pyo.Var(bounds=(0, 1))
    m.needed = pyo.Constraint(expr=2 * m.on >= 1)
    m.cost = pyo.Objective(expr=m.x + m.on)
    whole = compile_matrix(m)
    part = reduce(whole, np.array([whole.index(m.on)], dtype=np.int64), np.array([0.0]))
    assert Session(part.matrix, threads=1).solve("lp").status is AnswerStatus.INFEASIBLE
    nothing_left = reduce(whole, np.array([0, 1], dtype=np.int64), np.zeros(2))
    assert Session(nothing_left.matrix, threads=1).solve("lp").status is AnswerStatus.INFEASIBLE
