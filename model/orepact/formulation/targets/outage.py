"""N-1: use stays covered when any one country, or any named group of them, drops out.

For product k, lost country or group j, and every stage κ at or before k:

    [Σ_{f not in j} a⁺ x + stock_κ / Δ] / e(κ, k) + Σ_{κ <= κ' <= k} Σ_{o not in j} available / e(κ', k)
      + Σ_{κ < κ' <= k} stock_κ' / (Δ e(κ', k)) >= α · USE_k

Reads: activity, what sources sell at the rung in force, stock at the end of the period before. Adds: rows per (target, lost,
stage, period, normal scenario). Assumes: plants run at the rate the plan gives them; outage of Δ years; the zone as a whole.
Source: Reg. (EU) 2017/1938, annex II, for gas.
"""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_goals
from orepact.formulation.targets.common import Row, denominator, gives, nodes_in, targets_of, tested, use
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_outage(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add N-1 targets."""
    block = model.outage = pyo.Block()
    rows, slack = {}, {}
    for target in targets_of(case, "n_minus_1"):
        k = case.world.product(target["products"][0])
        for name, lost in losses(case, target).items():
            for kappa in stages(case, k, bool(target["upstream"])):
                for t, w in tested(case, target):
                    terms = remaining(model, case, target, lost, kappa, t, w)
                    terms.extend(use(model, case, denominator(case, target), nodes_in(case, target), t, w), -float(target["value"]))
                    rows[target["target"], name, kappa, t, w] = (0.0, terms, None)
                    if case.rules.elastic:
                        slack[target["target"], name, kappa, t, w] = gives(model, case, target, t, w)
    add_goals(block, "n_minus_1", rows, slack)
    return block


def stages(case: Case, k: int, upstream: bool) -> list[int]:
    """Products at or before k."""
    return [int(x) for x in np.flatnonzero(case.world.embodied[:, k] > 0)] if upstream else [k]


def losses(case: Case, target: Row) -> dict[str, set[str]]:
    """What is lost in turn: name → codes of countries, treasuries and plant groups."""
    world = case.world
    groups: dict[str, set[str]] = {}
    for r in world.tables["groups"]:
        groups.setdefault(r["group"], set()).add(r["country"])
    if ALL in target["outage"]:
        chain = [j for j in range(len(world.products)) if world.chain[j] == world.chain[world.product(target["products"][0])]]
        hosts = [world.nodes[case.plant_place[f]] for f, plant in enumerate(world.plants) if plant.main in chain]
        sellers = [s.country for s in world.sources if s.product in chain]
        names = list(dict.fromkeys(hosts + sellers))
    else:
        names = list(target["outage"])
    return {name: groups.get(name, {name}) for name in names}


def remaining(model: pyo.ConcreteModel, case: Case, target: Row, lost: set[str], kappa: int, t: int, w: int) -> Terms:
    """Supply left, in tonnes of the target's product, if everything from stage κ on came without the lost countries."""
    world, terms = case.world, Terms()
    k = world.product(target["products"][0])
    e = world.embodied
    outage = float(target["outage_years"]) if given(target["outage_years"]) else world.settings.policy.outage_years
    for f, plant in enumerate(world.plants):
        survives = not {plant.country, world.nodes[case.plant_place[f]], plant.group or plant.country} & lost
        if survives and world.flow[f, kappa] > 0 and (f, t, w) in model.activity.x:
            terms.add(world.flow[f, kappa] / e[kappa, k], model.activity.x[f, t, w])
    for j in np.flatnonzero((e[kappa] > 0) & (e[:, k] > 0)):
        ladder = case.market.ladders[j]
        for x, o in enumerate(ladder.sources):
            if world.sources[o].country in lost:
                continue
            available = float(world.sources[o].available[t, w]) / e[j, k]
            selling = [l for l in case.rungs[int(j), t] if ladder.selling[l, x, t, w]]
            if case.planner and selling:
                terms.constant += available
            else:
                for l in selling:
                    terms.add(available, model.choice.z[int(j), t, l])
        for s, site in enumerate(world.stock_sites):
            if site.product == j and case.rules.stock:
                if t == 0:
                    terms.constant += site.initial / (outage * e[j, k])
                else:
                    terms.add(1.0 / (outage * e[j, k]), model.stockpile.level[s, t - 1, w])
    return terms
