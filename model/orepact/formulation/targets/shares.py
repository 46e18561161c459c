"""Shares: how much of use the zone supplies itself, and how much its mines, refineries and recyclers make.

    zone share      Σ_k (Σ_f a⁺ x − exports − overflow − glut − purchases) >= v · USE
                    of one member: own output + arrivals − departures, less the same
    activity share  Σ_k Σ_{f of that activity, in the area} a⁺ x >= v · USE

Reads: activity, surplus, stock purchases, trade. Adds: rows per (target, period, normal scenario).
Assumes: a plant counts for every activity its process names. Source: Reg. (EU) 2024/1252, art. 5.
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.stockpile import site_place
from orepact.formulation.targets.common import Goals, Row, asked, nodes_in
from orepact.formulation.terms import IntArray, Numbers, Terms
from orepact.market.shocks import given


def add_shares(model: Model, case: Case) -> Block:
    """Add zone shares and activity shares."""
    block, goals = model.block("shares"), Goals(model, case)
    for kind, supplied in (("zone_share", zone_supply), ("activity_share", activity_output)):
        for target, t, w in asked(case, kind):
            goals.add(target, supplied(model, case, target, t, w), t, w)
    goals.rows(block, "share", 0.0, None)
    return block


def zone_supply(model: Model, case: Case, target: Row, t: Numbers, w: Numbers) -> Terms:
    """Net supply from inside the zone of the target's products, one sum for each period and scenario."""
    terms, nodes = Terms(np.size(t)), nodes_in(case, target)
    sum_of = np.full(case.span, -1)
    sum_of[t, w] = np.arange(terms.size)
    for k in (case.world.product(p) for p in target["products"]):
        places = np.unique(case.place_of[nodes, k])
        _add_output(model, case, terms, k, nodes, "", t, w)
        _less_surplus(model, terms, k, places, sum_of)
        _less_purchases(model, case, terms, k, places, sum_of)
        if given(target["area"]):
            own = np.flatnonzero(model.trade.moves[0] == k)
            origin, destination, period, scenario, column = (part[own] for part in model.trade.moves[1:])
            terms.add(sum_of[period, scenario], np.isin(destination, places) * 1.0 - np.isin(origin, places), column)
    return terms


def _less_surplus(model: Model, terms: Terms, k: int, places: IntArray, sum_of: IntArray) -> None:
    """What leaves the places as surplus of product k; `sum_of` says to which sum a period and scenario (T, W) belong."""
    for family in (model.surplus.export, model.surplus.overflow, model.surplus.glut):
        own = np.flatnonzero(family.index[0] == k)
        p, t, w = (part[own] for part in family.index[1:4])
        terms.add(sum_of[t, w], np.where(np.isin(p, places), -1.0, 0.0), family.ids[own])


def _less_purchases(model: Model, case: Case, terms: Terms, k: int, places: IntArray, sum_of: IntArray) -> None:
    """What goes into stocks of product k at the places."""
    s, t, _ = model.stockpile.buy.index
    filled = [n for n, site in enumerate(case.world.stock_sites) if site.product == k and site_place(case, n) in places]
    own = np.isin(s, filled)
    terms.add(sum_of[t[own]], -1.0, model.stockpile.buy.ids[own, None])


def activity_output(model: Model, case: Case, target: Row, t: Numbers, w: Numbers) -> Terms:
    """Gross output of plants with the target's activity in its area, one sum for each period and scenario."""
    terms = Terms(np.size(t))
    for k in (case.world.product(p) for p in target["products"]):
        _add_output(model, case, terms, k, nodes_in(case, target), target["activity"], t, w)
    return terms


def _add_output(model: Model, case: Case, terms: Terms, k: int, nodes: list[int], activity: str, t: Numbers, w: Numbers) -> None:
    world = case.world
    made = np.flatnonzero(world.flow[:, k] > 0)
    f = np.array([n for n in made if case.plant_place[n] in nodes and (not activity or activity in world.plants[n].activities)], dtype=np.int64)
    terms.add(np.arange(terms.size), world.flow[f, k, None], model.activity.x.at(f[:, None], t, w))
