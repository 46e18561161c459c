"""Alliance cost: what the plan costs the perimeter, expected and discounted, with the worst outcomes weighted as asked.

    C_w = Σ_t d_t Σ_terms cost_tw + lumps
    minimise (1 − ω) Σ_w p_w C_w + ω (η + Σ_w p_w ξ_w / (1 − β)),   ξ_w >= C_w − η,  ξ_w >= 0

Reads: every part's named costs. Adds: η, ξ (scenario) where ω > 0. Assumes: real money of the base year, d_t at the social rate.
Source: Rockafellar and Uryasev (2000) for the conditional value at risk.
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.cells import effort
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.terms import Terms


def add_cost(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add the objective."""
    block, total = model.block("cost"), model.objective
    if case.rules.elastic:  # how far the user's figures give way, in points of effort: a guide for diagnosis, not a cost
        for cell, give in model.gives.items():
            total.add(0, effort(case.world, cell), give)
        return block
    economics = case.world.settings.economics
    weight, scenarios = economics.cvar_weight, np.array(case.scenarios)
    outcome = Terms(case.span[1])  # cost C_w of each scenario
    for entry in ledger.entries.values():
        outcome.add(entry.w, case.world.discount[entry.t] * entry.coef, entry.column)
    for coef, column in ledger.lumps.values():
        outcome.add(scenarios[:, None], coef, column)
    total.extend(outcome, case.weights * (1 - weight), np.zeros(outcome.size, dtype=np.int64))
    if weight > 0:
        threshold = block.columns("threshold", (), lower=-np.inf, size=1)
        excess = block.columns("excess", (scenarios,), case.span[1:])
        beyond = Terms(len(scenarios))
        place, every = np.full(case.span[1], -1), np.arange(len(scenarios))
        place[scenarios] = every
        beyond.extend(outcome, 1.0, place)
        beyond.add(every, -1.0, threshold.first)
        beyond.add(every, -1.0, excess.ids)
        total.add(0, weight * case.weights[scenarios] / (1 - economics.cvar_level), excess.ids)
        total.add(0, weight, threshold.first)
        block.rows("worst_outcomes", (scenarios,), None, beyond, 0.0)
    return block
