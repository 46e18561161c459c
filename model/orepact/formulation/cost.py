"""Alliance cost: what the plan costs the perimeter, expected and discounted, with the worst outcomes weighted as asked.

    C_w = Σ_t d_t Σ_terms cost_tw + lumps
    minimise (1 − ω) Σ_w p_w C_w + ω (η + Σ_w p_w ξ_w / (1 − β)),   ξ_w >= C_w − η,  ξ_w >= 0

Reads: every part's named costs. Adds: η, ξ (scenario) where ω > 0. Assumes: real money of the base year, d_t at the social rate.
Source: Rockafellar and Uryasev (2000) for the conditional value at risk.
"""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression

from orepact.formulation.case import Case
from orepact.formulation.cells import effort
from orepact.formulation.ledger import Ledger, Terms, add_rows, nonnegative


def add_cost(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add the objective."""
    block = model.cost = pyo.Block()
    if case.rules.elastic:
        _least_effort(model, block, case)
        return block
    economics = case.world.settings.economics
    discount, weight = case.world.discount, economics.cvar_weight
    total = Terms()
    by_scenario: dict[int, Terms] = {w: Terms() for w in case.scenarios}
    for entries in ledger.entries.values():
        for (t, w), terms in entries.items():
            (by_scenario[w] if weight > 0 else total).extend(terms, float(discount[t]) * (1.0 if weight > 0 else case.weight[w]))
    for terms in ledger.lumps.values():
        total.extend(terms)
        for own in by_scenario.values():
            own.extend(terms)
    if weight > 0:
        total = Terms()
        block.threshold = pyo.Var()
        block.excess = nonnegative(case.scenarios)
        rows = {}
        for w, own in by_scenario.items():
            total.extend(own, (1 - weight) * case.weight[w])
            total.add(weight * case.weight[w] / (1 - economics.cvar_level), block.excess[w])
            own.add(-1.0, block.threshold)
            own.add(-1.0, block.excess[w])
            rows[w] = (None, own, 0.0)
        total.add(weight, block.threshold)
        add_rows(block, "worst_outcomes", rows)
    block.objective = pyo.Objective(expr=_linear(total))
    return block


def _least_effort(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """How far the user's figures give way, in points of effort: a guide for diagnosis, not a cost."""
    total = Terms()
    for cell, column in getattr(model, "gives", {}).items():
        total.add(effort(case.world, cell), column)
    block.objective = pyo.Objective(expr=_linear(total))


def _linear(total: Terms) -> LinearExpression:
    """One coefficient per column."""
    merged: dict[int, tuple[float, pyo.Var]] = {}
    for coef, var in total.parts:
        known = merged.get(id(var))
        merged[id(var)] = (coef + known[0] if known else coef, var)
    return LinearExpression([total.constant, *map(MonomialTermExpression, merged.values())])
