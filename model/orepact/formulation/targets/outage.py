"""N-1: use stays covered when any one country, or any named group of them, drops out.

For product k, lost country or group j, and every stage κ at or before k:

    [Σ_{f not in j} a⁺ x + stock_κ / Δ] / e(κ, k) + Σ_{κ <= κ' <= k} Σ_{o not in j} available / e(κ', k)
      + Σ_{κ < κ' <= k} stock_κ' / (Δ e(κ', k)) >= α · USE_k

Reads: activity, what sources sell at the rung in force, stock at the end of the period before. Adds: rows per (target, lost,
stage, period, normal scenario). Assumes: plants run at the rate the plan gives them; outage of Δ years; the zone as a whole.
Source: Reg. (EU) 2017/1938, annex II, for gas.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.targets.common import Goals, Row, asked, available
from orepact.formulation.terms import IntArray, Numbers, Terms
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_outage(model: Model, case: Case) -> Block:
    """Add N-1 targets."""
    block, goals = model.block("outage"), Goals(model, case)
    for target, t, w in asked(case, "n_minus_1"):
        lost = losses(case, target)
        for kappa in stages(case, case.world.product(target["products"][0]), bool(target["upstream"])):
            terms = _remaining(model, case, target, lost.values(), kappa, t, w)
            goals.add(target, terms, t, w, np.array(list(lost))[:, None], kappa)
    goals.rows(block, "n_minus_1", 0.0, None)
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


def remaining(model: Model, case: Case, target: Row, lost: set[str], kappa: int, t: Numbers, w: Numbers) -> Terms:
    """Supply left, in tonnes of the target's product, if everything from stage κ on came without the lost countries.

    One sum for each period and scenario.
    """
    return _remaining(model, case, target, [lost], kappa, np.atleast_1d(t), np.atleast_1d(w))


def _remaining(model: Model, case: Case, target: Row, losses: Collection[set[str]], kappa: int, t: IntArray, w: IntArray) -> Terms:
    """The same for several losses: for each, one sum for each period and scenario."""
    world, e = case.world, case.world.embodied
    k = world.product(target["products"][0])
    outage = float(target["outage_years"]) if given(target["outage_years"]) else world.settings.policy.outage_years
    terms = Terms(len(losses) * t.size)
    cell = np.arange(terms.size).reshape(len(losses), 1, t.size)
    f = np.flatnonzero(world.flow[:, kappa] > 0)
    made = _plants_left(case, losses, f) * world.flow[f, kappa] / e[kappa, k]
    terms.add(cell, made[:, :, None], model.activity.x.at(f[:, None], t, w))
    for j in np.flatnonzero((e[kappa] > 0) & (e[:, k] > 0)):
        _add_sources_left(model, case, terms, cell, losses, int(j), 1.0 / e[j, k], t, w)
        for s, site in enumerate(world.stock_sites):
            if site.product == j and case.rules.stock:
                terms.constant += np.tile((t == 0) * site.initial / (outage * e[j, k]), len(losses))
                terms.add(cell, (t > 0) / (outage * e[j, k]), model.stockpile.level.at(s, t - 1, w))
    return terms


def _plants_left(case: Case, losses: Collection[set[str]], f: IntArray) -> NDArray[np.bool_]:
    """Which plants are in none of the countries, treasuries and groups lost (loss, plant)."""
    plants = [case.world.plants[n] for n in f]
    where = [{plant.country, case.world.nodes[case.plant_place[n]], plant.group or plant.country} for n, plant in zip(f, plants, strict=True)]
    return np.array([[lost.isdisjoint(codes) for codes in where] for lost in losses], dtype=bool).reshape(len(losses), len(where))


def _add_sources_left(
    model: Model, case: Case, terms: Terms, cell: IntArray, losses: Collection[set[str]], j: int, worth: float, t: IntArray, w: IntArray
) -> None:
    """What sources outside the lost countries have of product j where the rung lets them sell (the planner unites all rungs' permissions)."""
    ladder = case.market.ladders[j]
    left = np.array([[case.world.sources[o].country not in lost for o in ladder.sources] for lost in losses], dtype=float)
    left = left.reshape(len(losses), len(ladder.sources))
    has = worth * available(case, j)
    if case.planner:
        sold = has * (ladder.selling & case.played[j][:, None, :, None]).any(axis=0)
        terms.constant += (left @ sold[:, t, w]).ravel()
    else:
        sold = (has * ladder.selling).swapaxes(0, 1)[:, :, t, w]
        rungs = np.arange(len(ladder.rungs))[:, None]
        terms.add(cell, np.tensordot(left, sold, axes=1), model.choice.z.at(j, t, rungs))
