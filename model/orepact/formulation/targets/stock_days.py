"""Days of stock: the public stock covers so many days of use.

    Σ_s level_stw >= days / 365 · USE_k        at the end of every period covered

Reads: stock levels. Adds: rows per (target, period, normal scenario).
Source: Japan's 60 to 180 days for rare metals (IEA policies database).
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.targets.common import Goals, asked, nodes_in
from orepact.formulation.terms import Terms


def add_stock_days(model: Model, case: Case) -> Block:
    """Add stock targets."""
    block, goals = model.block("stock_days"), Goals(model, case)
    for target, t, w in asked(case, "stock_days"):
        terms, nodes = Terms(t.size), nodes_in(case, target)
        held = {case.world.product(p) for p in target["products"]}
        sites = [s for s, site in enumerate(case.world.stock_sites) if site.product in held and (site.node < 0 or site.node in nodes) and case.rules.stock]
        if sites:
            terms.add(np.arange(t.size), 1.0, model.stockpile.level.at(np.array(sites)[:, None], t, w))
        goals.add(target, terms, t, w)
    goals.rows(block, "days", 0.0, None)
    return block
