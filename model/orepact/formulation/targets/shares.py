"""Shares: how much of use the zone supplies itself, and how much its mines, refineries and recyclers make.

    zone share      Σ_k (Σ_f a⁺ x − exports − overflow − glut − purchases) >= v · USE
                    of one member: own output + arrivals − departures, less the same
    activity share  Σ_k Σ_{f of that activity, in the area} a⁺ x >= v · USE

Reads: activity, surplus, stock purchases, trade. Adds: rows per (target, period, normal scenario).
Assumes: a plant counts for every activity its process names. Source: Reg. (EU) 2024/1252, art. 5.
"""

from __future__ import annotations

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_goals
from orepact.formulation.stockpile import site_place
from orepact.formulation.targets.common import Row, denominator, gives, nodes_in, targets_of, tested, use
from orepact.market.shocks import given


def add_shares(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add zone shares and activity shares."""
    block = model.shares = pyo.Block()
    rows, slack = {}, {}
    for kind, supplied in (("zone_share", zone_supply), ("activity_share", activity_output)):
        for target in targets_of(case, kind):
            for t, w in tested(case, target):
                terms = supplied(model, case, target, t, w)
                terms.extend(use(model, case, denominator(case, target), nodes_in(case, target), t, w), -float(target["value"]))
                rows[target["target"], t, w] = (0.0, terms, None)
                if case.rules.elastic:
                    slack[target["target"], t, w] = gives(model, case, target, t, w)
    add_goals(block, "share", rows, slack)
    return block


def zone_supply(model: pyo.ConcreteModel, case: Case, target: Row, t: int, w: int) -> Terms:
    """Net supply from inside the zone of the target's products."""
    terms = Terms()
    nodes = nodes_in(case, target)
    for k in (case.world.product(p) for p in target["products"]):
        places = {case.place(i, k) for i in nodes}
        _add_output(model, case, terms, k, nodes, "", t, w)
        for variable in (model.surplus.export, model.surplus.overflow, model.surplus.glut):
            for key, column in variable.items():
                if key[0] == k and key[1] in places and key[2:4] == (t, w):
                    terms.add(-1.0, column)
        for (s, period), columns in model.stockpile.purchases.items():
            if case.world.stock_sites[s].product == k and period == t and site_place(case, s) in places:
                for column in columns:
                    terms.add(-1.0, column)
        if given(target["area"]):
            for p in places:
                for column in model.trade.incoming.get((k, p, t, w), []):
                    terms.add(1.0, column)
                for column in model.trade.outgoing.get((k, p, t, w), []):
                    terms.add(-1.0, column)
    return terms


def activity_output(model: pyo.ConcreteModel, case: Case, target: Row, t: int, w: int) -> Terms:
    """Gross output of plants with the target's activity in its area."""
    terms = Terms()
    for k in (case.world.product(p) for p in target["products"]):
        _add_output(model, case, terms, k, nodes_in(case, target), target["activity"], t, w)
    return terms


def _add_output(model: pyo.ConcreteModel, case: Case, terms: Terms, k: int, nodes: list[int], activity: str, t: int, w: int) -> None:
    world = case.world
    for f, plant in enumerate(world.plants):
        if world.flow[f, k] > 0 and case.plant_place[f] in nodes and (not activity or activity in plant.activities) and (f, t, w) in model.activity.x:
            terms.add(world.flow[f, k], model.activity.x[f, t, w])
