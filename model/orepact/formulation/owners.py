"""Owners: a candidate is built at one start at most, under a mix of the offers its owner would sign at the chosen path.

    Σ_d∈(f,v) Λ_d <= Σ_{p: f answers with v} y_p      deals of response class v need a path with that response
    u_fτ = Σ_{d at τ} Λ_d ∈ {0,1},  Σ_τ u_fτ <= 1     phased building is cheaper on paper and not real
    Λ_d = Σ_i λ_di,  H_d = Σ_i h_di λ_di,  G_d = Σ_i g_di λ_di    the corners i of the deal's polygon
    Σ_{τ <= τ*_p} u_fτ >= y_p                         duty to build, where the entry rule is `duty`

Existing plants always take part: Σ_d∈(f,v) Λ_d = Σ_{p: v} y_p. The planner keeps only u.

Reads: deals (market/offers.py), capital cost, life. Adds: u (plant, start; binary), Λ, H (mass per year under contract),
G (money) per deal, λ per corner. Costs: capital (annuity at the social rate while alive), grants, foreign rent.
Assumes: payer shares are fixed before the scenario; a mix of contracts on one plant is a portfolio.
"""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger, Terms, add_rows, nonnegative
from orepact.market.horizon import recovery_factor


def add_owners(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add building decisions and, in the market, the deals that go with them."""
    block = model.owners = pyo.Block()
    world = case.world
    candidates = [f for f, plant in enumerate(world.plants) if plant.candidate]
    block.u = pyo.Var([(f, tau) for f in candidates for tau in world.starts[f]], domain=pyo.Binary)
    add_rows(block, "built_once", {f: (None, _sum_starts(block, case, f), 1.0) for f in candidates if world.starts[f]})
    _capital(block, case, ledger)
    if not case.planner:
        _deals(block, case)
        _links(model, block, case)
        _support_costs(block, case, ledger)
        if case.rules.duty:
            _duty(model, block, case)
        _as_imposed(model, block, case)
    return block


def _sum_starts(block: pyo.Block, case: Case, f: int) -> Terms:
    terms = Terms()
    for tau in case.world.starts[f]:
        terms.add(1.0, block.u[f, tau])
    return terms


def _capital(block: pyo.Block, case: Case, ledger: Ledger) -> None:
    """crf(social, life) · capex · B of plants inside the perimeter."""
    world = case.world
    for f, tau in block.u:
        plant = world.plants[f]
        if case.counted(case.plant_place[f]):
            annuity = recovery_factor(world.settings.economics.social_rate, plant.life) * plant.capex
            for t in case.periods:
                for w in case.scenarios:
                    ledger.add("capital", t, w, annuity * world.alive[f, tau, t, w], block.u[f, tau])


def _deals(block: pyo.Block, case: Case) -> None:
    """Columns of every deal and the corners of its polygon."""
    deals = case.deals
    block.weight = nonnegative(range(len(deals)))
    block.volume = nonnegative([d for d, x in enumerate(deals) if x.deal.contract >= 0])
    block.grant = nonnegative([d for d, x in enumerate(deals) if x.deal.corners[:, 1].any()])
    for d, column in block.grant.items():
        if case.market.refuses(deals[d].payer, "grant"):
            column.setub(0.0)
    block.corner = nonnegative([(d, i) for d, x in enumerate(deals) for i in range(len(x.deal.corners)) if len(x.deal.corners) > 1])
    rows = {}
    weight, volume, grant, corner = (dict(part.items()) for part in (block.weight, block.volume, block.grant, block.corner))
    for d, x in enumerate(deals):
        corners = x.deal.corners
        mixed = [corner[d, i] for i in range(len(corners))] if len(corners) > 1 else [weight[d]]
        for name, column, values in (("weight", weight, np.ones(len(corners))), ("volume", volume, corners[:, 0]), ("grant", grant, corners[:, 1])):
            if d not in column or (name == "weight" and len(corners) == 1):
                continue
            terms = Terms()
            for value, part in zip(values.tolist(), mixed, strict=True):
                terms.add(value, part)
            terms.add(-1.0, column[d])
            rows[d, name] = (0.0, terms, 0.0)
    add_rows(block, "mix_of_corners", rows)


def _links(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """Deals belong to a response class, classes to paths, starts to one decision."""
    built: dict[tuple[int, int], Terms] = {key: Terms() for key in block.u}
    answered: dict[tuple[int, int], Terms] = {(f, v): Terms() for f, classes in enumerate(case.response_classes) for v in set(classes)}
    for d, x in enumerate(case.deals):
        answered[x.facility, x.response].add(1.0, block.weight[d])
        if case.world.plants[x.facility].candidate:
            built[x.facility, x.deal.start].add(1.0, block.weight[d])
    for (f, tau), terms in built.items():
        terms.add(-1.0, block.u[f, tau])
    add_rows(block, "start_of_deal", {key: (0.0, terms, 0.0) for key, terms in built.items()})
    rows = {}
    for (f, v), terms in answered.items():
        if not terms.parts:
            continue
        c = case.chain_of[f]
        for j, own in enumerate(case.response_classes[f]):
            if own == v:
                terms.add(-1.0, model.choice.y[c, j])
        rows[f, v] = (None if case.world.plants[f].candidate else 0.0, terms, 0.0)
    add_rows(block, "deal_of_path", rows)


def _support_costs(block: pyo.Block, case: Case, ledger: Ledger) -> None:
    """Grants at the cost of public money (in full where they leave the perimeter) and rent that leaves with foreign owners."""
    world = case.world
    premium = world.settings.economics.public_money_premium
    social = world.settings.economics.social_rate
    grants = dict(block.grant.items())
    for d, x in enumerate(case.deals):
        plant = world.plants[x.facility]
        inside = case.counted(case.plant_place[x.facility])
        if d in grants:
            factor = recovery_factor(social, plant.life) * (premium if inside else 1 + premium)
            for t, w, cost in case.cells(factor * world.alive[x.facility, x.deal.start]):
                ledger.add("grants", t, w, cost, grants[d])
        if inside and x.deal.rent.any():
            for i, rent in enumerate(x.deal.rent):
                ledger.add_lump("foreign rent", rent, block.corner[d, i] if len(x.deal.corners) > 1 else block.weight[d])


def _duty(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """Whoever can earn its cost without support builds, at the earliest such start or before."""
    rows = {}
    for f, plant in enumerate(case.world.plants):
        if not plant.candidate:
            continue
        c = case.chain_of[f]
        for j, v in enumerate(case.response_classes[f]):
            starts = case.market.plain_starts(f, v)
            if starts:
                terms = Terms()
                for tau in case.world.starts[f]:
                    if tau <= starts[0]:
                        terms.add(1.0, block.u[f, tau])
                terms.add(-1.0, model.choice.y[c, j])
                rows[f, j] = (0.0, terms, None)
    add_rows(block, "duty_to_build", rows)


def _as_imposed(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """A plant that a user's package builds is built on every path on which its owner signs."""
    rows = {}
    for f, imposed in case.market.imposed.items():
        if imposed.built and case.world.plants[f].candidate:
            for j, v in enumerate(case.response_classes[f]):
                if case.market.deals(f, v):
                    terms = _sum_starts(block, case, f)
                    terms.add(-1.0, model.choice.y[case.chain_of[f], j])
                    rows[f, j] = (0.0, terms, None)
    add_rows(block, "built_as_imposed", rows)
