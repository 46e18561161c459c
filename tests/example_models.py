"""Small models whose answers are known, for the tests of solvers and of the arrays that they are given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from orepact.formulation.model import Model
from orepact.formulation.terms import IntArray, Terms
from orepact.solver.matrix import Matrix, matrix_of


class Column(NamedTuple):
    """A column: low <= x <= high at `cost` each, in whole numbers only if `whole`."""

    cost: float = 0.0
    low: float = 0.0
    high: float = math.inf
    whole: bool = False


class Row(NamedTuple):
    """A row: low <= Σ coefficient · column <= high; no limit where there is None."""

    low: float | None
    terms: Mapping[str, float]
    high: float | None


def switch(cost: float = 0.0) -> Column:
    """A column that is 0 or 1."""
    return Column(cost, high=1.0, whole=True)


def toy_model(columns: Mapping[str, Column], rows: Mapping[str, Row], constant: float = 0.0) -> Model:
    """A model of single columns and rows, each of a name of its own; `constant` is paid in any case."""
    model = Model()
    block = model.block("")
    for name, (cost, low, high, whole) in columns.items():
        family = block.columns(name, (), lower=low, upper=high, whole=whole, size=1)
        model.objective.add(0, cost, family.ids)
    number = {label.name: n for n, label in enumerate(model.columns)}
    for name, row in rows.items():
        terms = Terms(1)
        for column, coefficient in row.terms.items():
            terms.add(0, coefficient, number[column])
        block.rows(name, (), row.low, terms, row.high)
    model.objective.constant += constant
    return model


def toy(columns: Mapping[str, Column], rows: Mapping[str, Row], constant: float = 0.0) -> Matrix:
    """The arrays of `toy_model`."""
    return matrix_of(toy_model(columns, rows, constant))


def places(matrix: Matrix, *names: str) -> IntArray:
    """Numbers of the columns of these names."""
    found = [column.name for column in matrix.columns]
    return np.array([found.index(name) for name in names], dtype=np.int64)


def two_plants(columns: Mapping[str, Column] | None = None, rows: Mapping[str, Row] | None = None) -> Matrix:
    """Build either of two plants or both; 7 t are needed. Cheapest: plant 0 alone makes 5 t, the other 2 t are bought.

    Cost of that: 100 (constant) + 10 (plant 0) + 1 * 5 + 4 * 2 = 123. Both plants: 100 + 10 + 12 + 1 * 5 + 2 * 2 = 131.
    Further columns and rows, or others of the same names, may be given.
    """
    own_columns = {
        "built_0": switch(cost=10),
        "built_1": switch(cost=12),
        "output_0": Column(cost=1),
        "output_1": Column(cost=2),
        "bought": Column(cost=4, high=100),
    }
    own_rows = {
        "capacity_0": Row(None, {"output_0": 1, "built_0": -5}, 0),
        "capacity_1": Row(None, {"output_1": 1, "built_1": -5}, 0),
        "demand": Row(7, {"output_0": 1, "output_1": 1, "bought": 1}, 7),
    }
    return toy(own_columns | dict(columns or {}), own_rows | dict(rows or {}), constant=100)


TWO_PLANTS_COST = 100 + 10 + 1 * 5 + 4 * 2
TWO_PLANTS_RELAXED = TWO_PLANTS_COST
"""A fraction of plant 1 would cost 12/5 + 2 = 4.40 per t, more than buying at 4: the relaxation is the plan itself."""


def market_split(rows: int = 4, columns: int = 30, seed: int = 1) -> Matrix:
    """Split customers so that each product is shared half and half, missing by as little as possible: easy to begin, very hard to prove."""
    draw = np.random.default_rng(seed)
    weight = draw.integers(0, 100, (rows, columns))
    half = weight.sum(axis=1) // 2
    model = Model()
    block = model.block("")
    taken = block.columns("taken", (np.arange(columns),), upper=1.0, whole=True)
    over, under = (block.columns(name, (np.arange(rows),)) for name in ("over", "under"))
    split = Terms(rows)
    split.add(np.arange(rows)[:, None], weight, taken.ids)
    split.add(np.arange(rows), -1.0, over.ids)
    split.add(np.arange(rows), 1.0, under.ids)
    block.rows("split", (np.arange(rows),), half, split, half)
    for missed in (over, under):
        model.objective.add(0, 1.0, missed.ids)
    return matrix_of(model)


def knapsack(cost: list[int], weight: list[int], need: int) -> Matrix:
    """Choose things that weigh at least what is needed; 3 is paid in any case."""
    things = {f"x_{j}": switch(each) for j, each in enumerate(cost)}
    return toy(things, {"needed": Row(need, dict(zip(things, weight, strict=True)), None)}, constant=3)
