"""Demand: a higher zone price drives users to save material or to leave; what they forgo is a cost.

    D_kptw = D0_kptw · Σ_l q_l z_klt,   q = (P/π)^−ε
    use forgone = D0 · π · Σ_l v_l z_klt,   v = (1 − q^(1−1/ε)) / (1 − 1/ε)
    short_kptwb <= share_b · D_kptw

Shortage is possible in scenarios that are not normal; in normal ones only on paths whose reachable supply may not cover
intake and demand (data test), never to meet a target cheaply.

Reads: z, demand response (market/ladder.py), shortage blocks, scarcity. Adds: short (product, place, period, scenario, block;
mass per year). Costs: use forgone, shortage, freight to users of pooled goods.
Assumes: shortage falls on final demand only, easiest uses first; a long cut costs less per tonne because users adapt.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger, Terms, add_rows, nonnegative
from orepact.market.permissions import market_sharing


def add_demand(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add use forgone and shortage; `model.demand.used(k, p, t, w)` is final demand as terms."""
    block = model.demand = pyo.Block()
    world = case.world
    block.used = partial(used, model, case)
    spots = [
        (k, p, t, w) for k in range(len(world.products)) for p in case.places[k] for t in case.periods for w in case.scenarios if case.demand_at(k, p, t, w) > 0
    ]
    block.short = nonnegative(
        [(*spot, b) for spot in spots for b in range(len(world.shortage_blocks[spot[0]])) if _shortage_possible(case, spot[0], *spot[2:])]
    )
    for k, p, t, w in spots:
        if case.counted(p):
            freight = 0.0 if world.routed[k] else sum(world.hub_in[i, k] * world.demand[i, k, t, w] for i in case.nodes_at(p))
            for l in case.rungs[k, t]:
                ladder = case.market.ladders[k]
                ledger.add("use forgone", t, w, case.demand_at(k, p, t, w) * ladder.forgone[l, t, w], model.choice.z[k, t, l])
                ledger.add("freight", t, w, freight * ladder.kept[l, t, w], model.choice.z[k, t, l])
    rows, normal_rows = {}, {}
    for k, p, t, w, b in block.short:
        share, multiple, multiple_long = world.shortage_blocks[k][b]
        long = world.longest_cut[k, w] >= world.longer_after[k]
        ledger.add("shortage", t, w, (multiple_long if long else multiple) * world.price[k, t, world.reference], block.short[k, p, t, w, b])
        terms = Terms()
        terms.add(1.0, block.short[k, p, t, w, b])
        terms.extend(used(model, case, k, p, t, w), -share)
        rows[k, p, t, w, b] = (None, terms, 0.0)
        allowed = _paths_that_may_run_short(case, k, t, w) if case.normal(w) and not case.planner else []
        if case.normal(w) and not case.planner and len(allowed) < len(case.chain_paths[int(world.chain[k])]):
            only = Terms()
            only.add(1.0, block.short[k, p, t, w, b])
            for j in allowed:
                only.add(-case.demand_at(k, p, t, w), model.choice.y[int(world.chain[k]), j])
            normal_rows[k, p, t, w, b] = (None, only, 0.0)
    add_rows(block, "within_block", rows)
    add_rows(block, "short_only_if_supply_is", normal_rows)
    return block


def used(model: pyo.ConcreteModel, case: Case, k: int, p: int, t: int, w: int) -> Terms:
    """Final demand D at a place, mass per year."""
    terms, base = Terms(), case.demand_at(k, p, t, w)
    for l in case.rungs[k, t]:
        terms.add(base * float(case.market.ladders[k].kept[l, t, w]), model.choice.z[k, t, l])
    return terms


def _shortage_possible(case: Case, k: int, t: int, w: int) -> bool:
    """Anywhere in scenarios that are not normal; in normal ones where some path may run short."""
    if not case.normal(w):
        return True
    return _any_path_may_run_short(case, k, t, w) if case.planner else bool(_paths_that_may_run_short(case, k, t, w))


def _any_path_may_run_short(case: Case, k: int, t: int, w: int) -> bool:
    """The planner relaxes every path: the least that any rung lets in against the most that could ever be wanted."""
    world, rungs, ladder = case.world, case.rungs[k, t], case.market.ladders[k]
    least = min(market_sharing(case.market, k, l, t, w).most for l in rungs)
    intake = sum(float(case.most_output[f, t, w]) * max(0.0, -float(world.flow[f, k])) for f in range(len(world.plants)))
    wanted = float(world.demand[:, k, t, w].sum()) * max(float(ladder.kept[l, t, w]) for l in rungs) + intake
    return least < wanted * (1 - 1e-9) or not all(_everyone_reached(case, k, l, t, w) for l in rungs)


def _paths_that_may_run_short(case: Case, k: int, t: int, w: int) -> list[int]:
    """Paths of the chain on which reachable supply may not cover intake and demand, or may not reach every user."""
    c = int(case.world.chain[k])
    reached = {l: _everyone_reached(case, k, l, t, w) for l in case.rungs[k, t]}
    return [j for j, path in enumerate(case.chain_paths[c]) if case.scarcity[c][j].may_run_short[k, t, w] or not reached[path.rungs[k][t]]]


def _everyone_reached(case: Case, k: int, l: int, t: int, w: int) -> bool:
    """Whether the residual source has an unlimited route to every node that uses a routed product."""
    world = case.world
    if not world.routed[k]:
        return True
    residual = market_sharing(case.market, k, l, t, w).residual
    if residual is None:
        return False
    users = {int(i) for i in np.flatnonzero(world.demand[:, k, t, w] > 0)}
    reached: dict[int, float] = defaultdict(float)
    for route in world.routes:
        if route.product == k and route.source == world.sources[residual].country:
            reached[route.destination] = route.capacity
    return all(reached[i] == np.inf for i in users)
