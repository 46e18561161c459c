"""Trade inside the zone: routed goods move on listed routes, pooled goods between the members' and the partners' hub.

    flow_r <= capacity_r                                  listed, direct routes only
    Σ_g goods_g = Σ partner → member flows                split by the price P_g of the rung in force
    goods_g <= Ō z_g

Members pay P (and freight) for partners' goods; partners pay π less freight for members'. Inside the whole-zone perimeter
both are transfers and only freight counts.

Reads: routes, z. Adds: flow (route, period, scenario), swap (product, direction, period, scenario), goods (product, price
group, period, scenario). Costs: partner goods, sales to partners, freight.
Assumes: the pooled partner hub's freight is the mean over partners with plants that make the product. The planner pays
partners the world price, or the lowest ceiling of the contract menu where that is less (an owner may pay back above it).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import MEMBERS, PARTNERS, Case
from orepact.formulation.cells import give, route_cell
from orepact.formulation.ledger import Ledger, Terms, add_limits, add_rows, nonnegative
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_trade(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add trade between places and what it costs the perimeter."""
    block = model.trade = pyo.Block()
    world = case.world
    inside = [(r, route) for r, route in enumerate(world.routes) if route.origin >= 0]
    block.flow = nonnegative([(r, t, w) for r, _ in inside for t in case.periods for w in case.scenarios])
    pooled = [k for k in range(len(world.products)) if not world.routed[k] and len(case.places[k]) > 1]
    block.swap = nonnegative([(k, way, t, w) for k in pooled for way in ("in", "out") for t in case.periods for w in case.scenarios])
    block.outgoing, block.incoming, block.from_partners = defaultdict(list), defaultdict(list), defaultdict(list)
    limits, gives = {}, {}
    for r, route in inside:
        for t in case.periods:
            for w in case.scenarios:
                column = block.flow[r, t, w]
                if route.capacity < np.inf:
                    limits[r, t, w] = (column, route.capacity)
                    if case.rules.elastic:
                        gives[r, t, w] = give(model, route_cell(world, route.product, world.nodes[route.origin], world.nodes[route.destination]))
                block.outgoing[route.product, route.origin, t, w].append(column)
                block.incoming[route.product, route.destination, t, w].append(column)
                _charge(block, case, ledger, route.product, route.origin, route.destination, route.cost, t, w, column)
    add_limits(block, "capacity_of_route", limits, gives)
    for k in pooled:
        mean = _partner_freight(case, k)
        for t in case.periods:
            for w in case.scenarios:
                for way, origin, destination in (("in", PARTNERS, MEMBERS), ("out", MEMBERS, PARTNERS)):
                    column = block.swap[k, way, t, w]
                    block.outgoing[k, origin, t, w].append(column)
                    block.incoming[k, destination, t, w].append(column)
                    cost = mean if way == "in" and not case.zone_perimeter else 0.0
                    _charge(block, case, ledger, k, origin, destination, cost, t, w, column)
    if not case.zone_perimeter:
        _pay_partners(model, block, case, ledger)
    return block


def _charge(block: pyo.Block, case: Case, ledger: Ledger, k: int, origin: int, destination: int, freight: float, t: int, w: int, column: pyo.Var) -> None:
    """Freight and price of one flow, as the perimeter sees them."""
    sells, buys = case.is_member(origin), case.is_member(destination)
    if buys or sells or case.zone_perimeter:
        ledger.add("freight", t, w, freight, column)
    if case.zone_perimeter:
        return
    if buys and not sells:
        block.from_partners[k, t, w].append(column)
    if sells and not buys:
        ledger.add("sales to partners", t, w, -float(case.world.price[k, t, w]), column)


def _partner_freight(case: Case, k: int) -> float:
    """Mean freight to the hub over partner nodes with a plant that makes the product."""
    world = case.world
    nodes = {case.plant_place[f] for f in range(len(world.plants)) if world.flow[f, k] > 0 and not case.is_member(case.plant_place[f])}
    return float(np.mean([world.hub_out[i, k] for i in sorted(nodes)])) if nodes else 0.0


def _pay_partners(model: pyo.ConcreteModel, block: pyo.Block, case: Case, ledger: Ledger) -> None:
    """Members pay partners the price of the rung in force."""
    world = case.world
    groups: dict[tuple[int, int, int, float], list[int]] = defaultdict(list)
    for (k, t, w), columns in block.from_partners.items():
        if case.planner:
            for column in columns:
                ledger.add("partner goods", t, w, _planner_price(case, k, t, w), column)
            continue
        for l in case.rungs[k, t]:
            groups[k, t, w, case.price(k, l, t, w)].append(l)
    block.goods = nonnegative(list(groups))
    split: dict[tuple[int, int, int], Terms] = defaultdict(Terms)
    limit = {}
    for (k, t, w, price), rungs in groups.items():
        column = block.goods[k, t, w, price]
        ledger.add("partner goods", t, w, price, column)
        split[k, t, w].add(1.0, column)
        if len(rungs) < len(case.rungs[k, t]):
            row = Terms()
            row.add(1.0, column)
            most = sum(float(case.most_output[f, t, w] * world.flow[f, k]) for f in range(len(world.plants)) if world.flow[f, k] > 0)
            for l in rungs:
                row.add(-most, model.choice.z[k, t, l])
            limit[k, t, w, price] = (None, row, 0.0)
    for key, terms in split.items():
        for column in block.from_partners[key]:
            terms.add(-1.0, column)
    add_rows(block, "goods_at_some_price", {key: (0.0, terms, 0.0) for key, terms in split.items()})
    add_rows(block, "price_in_force", limit)


def _planner_price(case: Case, k: int, t: int, w: int) -> float:
    """The least that any policy could pay a partner per tonne."""
    ceilings = [
        (r["ceiling"] if given(r["ceiling"]) else r["strike"]) / case.world.price_unit
        for r in case.market.contracts
        if r["upside_share"] > 0 and (ALL in r["products"] or case.world.products[k] in r["products"]) and (given(r["ceiling"]) or given(r["strike"]))
    ]
    return float(min([case.world.price[k, t, w], *ceilings]))
