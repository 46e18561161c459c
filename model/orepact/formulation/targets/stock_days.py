"""Days of stock: the public stock covers so many days of use.

    Σ_s level_stw >= days / 365 · USE_k        at the end of every period covered

Reads: stock levels. Adds: rows per (target, period, normal scenario).
Source: Japan's 60 to 180 days for rare metals (IEA policies database).
"""

from __future__ import annotations

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_goals
from orepact.formulation.targets.common import denominator, gives, nodes_in, targets_of, tested, use


def add_stock_days(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add stock targets."""
    block = model.stock_days = pyo.Block()
    rows, slack = {}, {}
    for target in targets_of(case, "stock_days"):
        held = {case.world.product(p) for p in target["products"]}
        nodes = nodes_in(case, target)
        for t, w in tested(case, target):
            terms = Terms()
            for s, site in enumerate(case.world.stock_sites):
                if site.product in held and (site.node < 0 or site.node in nodes) and case.rules.stock:
                    terms.add(1.0, model.stockpile.level[s, t, w])
            terms.extend(use(model, case, denominator(case, target), nodes, t, w), -float(target["value"]) / 365.0)
            rows[target["target"], t, w] = (0.0, terms, None)
            if case.rules.elastic:
                slack[target["target"], t, w] = gives(model, case, target, t, w)
    add_goals(block, "days", rows, slack)
    return block
