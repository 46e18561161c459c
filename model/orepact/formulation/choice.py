"""Price paths: each chain of products follows exactly one of its listed price paths.

    Σ_p y_cp = 1                                  for every chain c
    z_klt = Σ_{p: rung of k at t is l} y_cp       for every product k, period t, rung l

Everything that a rung decides (prices, levies, who may sell, how much is wanted) hangs on z; only owners' answers and
scarcity hang on whole paths. The planner has no paths: there z is any mix of the rungs offered, Σ_l z_klt = 1.

Reads: the listed paths. Adds: y (chain, path; binary), z (product, period, rung; 0..1).
Assumes: rungs are decided before the scenario is known; a repeal scenario changes what a rung does, not the rung.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_rows


def add_choice(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add the choice of path per chain and the rung weights that follow from it."""
    block = model.choice = pyo.Block()
    rungs = [(k, t, l) for (k, t), ls in case.rungs.items() for l in ls]
    block.z = pyo.Var(rungs, bounds=(0.0, 1.0))
    if case.planner:
        add_rows(block, "one_mix", {(k, t): (1.0, _sum(block.z[k, t, l] for l in ls), 1.0) for (k, t), ls in case.rungs.items()})
        return block
    block.y = pyo.Var([(c, j) for c, paths in enumerate(case.chain_paths) for j in range(len(paths))], domain=pyo.Binary)
    add_rows(block, "one_path", {c: (1.0, _sum(block.y[c, j] for j in range(len(paths))), 1.0) for c, paths in enumerate(case.chain_paths)})
    rows = {}
    for c, products in enumerate(case.chains):
        for k in products:
            for t in case.periods:
                for l in case.rungs[k, t]:
                    terms = _sum(block.y[c, j] for j, path in enumerate(case.chain_paths[c]) if path.rungs[k][t] == l)
                    terms.add(-1.0, block.z[k, t, l])
                    rows[k, t, l] = (0.0, terms, 0.0)
    add_rows(block, "rung_of_path", rows)
    return block


def _sum(variables: Iterable[Any]) -> Terms:
    terms = Terms()
    for v in variables:
        terms.add(1.0, v)
    return terms
