"""Price paths: each chain of products follows exactly one of its listed price paths.

    Σ_p y_cp = 1                                  for every chain c
    z_klt = Σ_{p: rung of k at t is l} y_cp       for every product k, period t, rung l

Everything that a rung decides (prices, levies, who may sell, how much is wanted) hangs on z; only owners' answers and
scarcity hang on whole paths. The planner has no paths: there z is any mix of the rungs offered, Σ_l z_klt = 1.

Reads: the listed paths. Adds: y (chain, path; binary), z (product, period, rung; 0..1).
Assumes: rungs are decided before the scenario is known; a repeal scenario changes what a rung does, not the rung.
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.terms import FloatArray, Numbers, Terms


def add_choice(model: Model, case: Case) -> Block:
    """Add the choice of path per chain and the rung weights that follow from it."""
    block = model.block("choice")
    products, periods = len(case.world.products), len(case.periods)
    k, t, l = np.array([(k, t, l) for (k, t), ls in case.rungs.items() for l in ls], dtype=np.int64).reshape(-1, 3).T
    z = block.columns("z", (k, t, l), (products, periods, max(len(ladder.rungs) for ladder in case.market.ladders)), upper=1.0)
    if case.planner:
        one = Terms(products * periods)
        one.add(k * periods + t, 1.0, z.ids)
        block.rows("one_mix", np.divmod(np.arange(one.size), periods), 1.0, one, 1.0)
        return block
    chains = len(case.chains)
    c, j = np.array([(c, j) for c, paths in enumerate(case.chain_paths) for j in range(len(paths))], dtype=np.int64).reshape(-1, 2).T
    y = block.columns("y", (c, j), (chains, max(map(len, case.chain_paths))), upper=1.0, whole=True)
    one = Terms(chains)
    one.add(c, 1.0, y.ids)
    block.rows("one_path", (np.arange(chains),), 1.0, one, 1.0)
    rung = Terms(z.size)
    rung.add(np.arange(z.size), -1.0, z.ids)
    for chain, paths in enumerate(case.chain_paths):
        taken = np.array([path.rungs for path in paths], dtype=np.int64)  # (path, product, period)
        own = np.flatnonzero(case.world.chain[k] == chain)
        of, path = np.nonzero(taken[:, k[own], t[own]].T == l[own, None])
        rung.add(own[of], 1.0, y.at(chain, path))
    block.rows("rung_of_path", (k, t, l), 0.0, rung, 0.0)
    return block


def by_rung(model: Model, terms: Terms, cell: Numbers, k: int, t: Numbers, w: Numbers, amount: FloatArray) -> None:
    """Add Σ_l amount[l, t, w] · z_klt to each cell; `amount` (rung, period, scenario) of product k, of which rungs in play count."""
    l = np.arange(len(amount)).reshape(-1, *[1] * np.broadcast(cell, t, w).ndim)
    terms.add(cell, amount[l, t, w], model.choice.z.at(k, t, l))
