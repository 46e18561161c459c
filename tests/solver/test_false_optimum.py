"""Answers of HiGHS that were wrong, kept: the same model with its rows and columns in another order has the same optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from brute_force import Study, solve_by_enumeration
from orepact.market.offers import Market
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.batch import HIGHS, SEARCH, prepare
from orepact.solver.clock import Clock
from orepact.solver.highs import Session
from orepact.solver.matrix import Matrix
from orepact.solver.search import market_rules, starting_list
from random_instances import random_instance
from test_brute_force import only


def shuffled(matrix: Matrix, seed: int) -> Matrix:
    dice = np.random.default_rng(seed)
    columns, rows = dice.permutation(len(matrix.columns)), dice.permutation(len(matrix.rows))
    A = csc_array(matrix.A[rows][:, columns])
    A.sort_indices()
    return replace(
        matrix,
        columns=tuple(matrix.columns[j] for j in columns),
        rows=tuple(matrix.rows[i] for i in rows),
        c=matrix.c[columns],
        A=csc_array((A.data, A.indices.astype(np.int32), A.indptr.astype(np.int32)), shape=A.shape),
        row_lower=matrix.row_lower[rows],
        row_upper=matrix.row_upper[rows],
        col_lower=matrix.col_lower[columns],
        col_upper=matrix.col_upper[columns],
        integrality=matrix.integrality[columns],
    )


@pytest.mark.parametrize("settings", [HIGHS, SEARCH], ids=["one model", "search"])
def test_the_order_of_rows_and_columns_does_not_matter(settings: dict[str, bool | int | float | str]) -> None:
    instance = random_instance(10)
    every = only(instance, Study(instance).ladders.paths())
    market = Market(world_of(every))
    _, matrix = prepare(market, starting_list(market, SolveOptions(own_paths_only=True)), market_rules(market), Clock(60.0))
    truth = solve_by_enumeration(instance, "market").objective
    assert truth is not None
    for seed in range(30):
        answer = Session(shuffled(matrix, seed), threads=1, extra=settings).solve("mip", gap=0.0)
        assert answer.objective == pytest.approx(truth / market.world.money_unit, rel=1e-7), seed
