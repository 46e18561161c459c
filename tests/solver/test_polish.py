"""Polishing: a plan with its whole numbers exact, or the plan as it was and the reason."""

from __future__ import annotations

import numpy as np
import pytest

from example_models import TWO_PLANTS_COST, Column, Row, places, switch, toy, two_plants
from orepact.solver.answer import Answer, AnswerStatus
from orepact.solver.highs import Session


def test_polish_makes_whole_numbers_exact() -> None:
    matrix = two_plants()
    session = Session(matrix, threads=1)
    rough = session.solve()
    assert rough.values is not None
    values = rough.values.copy()
    values[matrix.integer_indices] -= 4e-7 * (values[matrix.integer_indices] > 0.5)
    exact = session.polish(Answer(AnswerStatus.OPTIMAL, objective=matrix.objective(values), bound=rough.bound, values=values))
    assert exact.values is not None
    assert set(exact.values[matrix.integer_indices]) <= {0.0, 1.0}
    assert exact.objective == pytest.approx(TWO_PLANTS_COST, abs=1e-9)
    assert matrix.violations(exact.values).integrality == 0
    assert exact.message == ""
    assert session.solve().objective == pytest.approx(TWO_PLANTS_COST)  # the bounds are as before


def test_polish_that_fails_says_so_and_keeps_the_plan() -> None:
    linked = toy({"on": switch(cost=1), "y": Column(low=0.5, high=1)}, {"link": Row(None, {"y": 1, "on": -1e6}, 0)})
    values = np.zeros(2)
    values[places(linked, "on", "y")] = 5e-7, 0.5
    before = Answer(AnswerStatus.OPTIMAL, objective=5e-7, bound=0.0, values=values)
    after = Session(linked, threads=1).polish(before)
    assert after.values is values
    assert after.objective == before.objective
    assert "not polished" in after.message
    assert "5.0e-07" in after.message


def test_polish_after_a_stop_still_works() -> None:
    session = Session(two_plants(), threads=1)
    rough = session.solve()
    session.stop()
    exact = session.polish(rough)
    assert exact.message == ""
    assert exact.objective == pytest.approx(TWO_PLANTS_COST)
