"""Small Pyomo models whose answers are known, for the tests of the solver hand-over."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo


def two_plants() -> pyo.ConcreteModel:
    """Build either of two plants or both; 7 t are needed. Cheapest: plant 0 alone makes 5 t, the other 2 t are bought.

    Cost of that: 100 (constant) + 10 (plant 0) + 1 * 5 + 4 * 2 = 123. Both plants: 100 + 10 + 12 + 1 * 5 + 2 * 2 = 131.
    """
    m = pyo.ConcreteModel()
    m.PLANTS = pyo.Set(initialize=[0, 1])
    m.built = pyo.Var(m.PLANTS, domain=pyo.Binary)
    m.output = pyo.Var(m.PLANTS, domain=pyo.NonNegativeReals)
    m.bought = pyo.Var(bounds=(0, 100))
    m.capacity = pyo.Constraint(m.PLANTS, rule=lambda m, f: m.output[f] <= 5 * m.built[f])
    m.demand = pyo.Constraint(expr=m.output[0] + m.output[1] + m.bought == 7)
    m.cost = pyo.Objective(expr=100 + 10 * m.built[0] + 12 * m.built[1] + m.output[0] + 2 * m.output[1] + 4 * m.bought)
    return m


TWO_PLANTS_COST = 100 + 10 + 1 * 5 + 4 * 2
TWO_PLANTS_RELAXED = TWO_PLANTS_COST
"""A fraction of plant 1 would cost 12/5 + 2 = 4.40 per t, more than buying at 4: the relaxation is the plan itself."""


def market_split(rows: int = 4, columns: int = 30, seed: int = 1) -> pyo.ConcreteModel:
    """Split customers so that each product is shared half and half, missing by as little as possible: easy to begin, very hard to prove."""
    draw = np.random.default_rng(seed)
    weight = draw.integers(0, 100, (rows, columns))
    m = pyo.ConcreteModel()
    m.taken = pyo.Var(range(columns), domain=pyo.Binary)
    m.over = pyo.Var(range(rows), domain=pyo.NonNegativeReals)
    m.under = pyo.Var(range(rows), domain=pyo.NonNegativeReals)
    m.split = pyo.Constraint(
        range(rows),
        rule=lambda m, i: sum(int(weight[i, j]) * m.taken[j] for j in range(columns)) - m.over[i] + m.under[i] == int(weight[i].sum()) // 2,
    )
    m.cost = pyo.Objective(expr=sum(m.over[i] + m.under[i] for i in range(rows)))
    return m


def knapsack(cost: list[int], weight: list[int], need: int) -> pyo.ConcreteModel:
    """Choose things that weigh at least what is needed; 3 is paid in any case."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(len(cost)), domain=pyo.Binary)
    m.row = pyo.Constraint(expr=sum(w * m.x[j] for j, w in enumerate(weight)) >= need)
    m.cost = pyo.Objective(expr=sum(a * m.x[j] for j, a in enumerate(cost)) + 3)
    return m
