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

import numpy as np

from orepact.formulation.case import MEMBERS, PARTNERS, Case
from orepact.formulation.cells import give, route_cell
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.rungs import equal, first_alike, firsts, in_play, stacked
from orepact.formulation.terms import FloatArray, Numbers, Terms
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_trade(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add trade between places and what it costs the perimeter.

    `moves`: product, origin, destination, period, scenario and column of every flow and swap; `from_partners`: product, period,
    scenario and column of those that members pay for.
    """
    block = model.block("trade")
    *moves, freight = (np.concatenate(both) for both in zip(_routed(model, block, case), _pooled(block, case), strict=True))
    block.moves = tuple(moves)
    k, origin, destination, t, w, column = moves
    sells, buys = case.member_places[origin], case.member_places[destination]
    ledger.add("freight", t, w, np.where(sells | buys | case.zone_perimeter, freight, 0.0), column)
    bought = np.flatnonzero(buys & ~sells & (not case.zone_perimeter))
    block.from_partners = k[bought], t[bought], w[bought], column[bought]
    if not case.zone_perimeter:
        ledger.add("sales to partners", t, w, np.where(sells & ~buys, -case.world.price[k, t, w], 0.0), column)
        _pay_partners(model, block, case, ledger)
    return block


def _routed(model: Model, block: Block, case: Case) -> tuple[Numbers, ...]:
    """Flows on routes inside the zone, within their capacity; as `moves`, with the freight per tonne."""
    world = case.world
    inside = np.array([route.origin >= 0 for route in world.routes], dtype=bool)
    ends = np.array([(route.product, route.origin, route.destination) for route in world.routes], dtype=np.int64).reshape(-1, 3)
    freight, capacity = np.array([(route.cost, route.capacity) for route in world.routes]).reshape(-1, 2).T
    r, t, w = np.nonzero(np.broadcast_to(inside[:, None, None] & case.modelled, (len(inside), *case.span)))
    flow = block.columns("flow", (r, t, w), (len(inside), *case.span))
    limited = np.flatnonzero(capacity[r] < np.inf)
    gives = None
    if case.rules.elastic:
        cells = [route_cell(world, k, world.nodes[i], world.nodes[j]) for k, i, j in ends[r[limited]].tolist()]
        gives = np.array([give(model, cell) for cell in cells], dtype=np.int64)
    block.limits("capacity_of_route", flow, limited, capacity[r[limited]], gives)
    return *ends[r].T, t, w, flow.ids, freight[r]


def _pooled(block: Block, case: Case) -> tuple[Numbers, ...]:
    """Swaps between the hubs of pooled products, in and out; as `moves`, with the freight per tonne."""
    world = case.world
    pooled = ~world.routed & (len(world.nodes) > world.members)
    freight = np.zeros((len(pooled), 2))
    if not case.zone_perimeter:
        freight[:, 0] = [_partner_freight(case, k) if pooled[k] else 0.0 for k in range(len(pooled))]
    k, out, t, w = np.nonzero(np.broadcast_to(pooled[:, None, None, None] & case.modelled, (len(pooled), 2, *case.span)))
    swap = block.columns("swap", (k, np.array(["in", "out"])[out], t, w))
    return k, np.where(out, MEMBERS, PARTNERS), np.where(out, PARTNERS, MEMBERS), t, w, swap.ids, freight[k, out]


def _partner_freight(case: Case, k: int) -> float:
    """Mean freight to the hub over partner nodes with a plant that makes the product."""
    node = np.array(case.plant_place, dtype=np.int64)
    nodes = np.unique(node[(case.world.flow[:, k] > 0) & (node >= case.world.members)])
    return float(case.world.hub_out[nodes, k].mean()) if nodes.size else 0.0


def _pay_partners(model: Model, block: Block, case: Case, ledger: Ledger) -> None:
    """Members pay partners the price of the rung in force."""
    world = case.world
    k, t, w, column = block.from_partners
    if case.planner:
        least = np.stack([_planner_price(case, product) for product in range(len(world.products))])
        ledger.add("partner goods", t, w, least[k, t, w], column)
        return
    used = np.zeros((len(world.products), *case.span), dtype=bool)
    used[k, t, w] = True
    cell = np.cumsum(used).reshape(used.shape) - 1
    played, prices = in_play(case) & used[..., None], stacked(case, [ladder.price for ladder in case.market.ladders])
    alike = first_alike(played, equal(prices))
    spot, first = (found := np.nonzero(firsts(alike)))[:3], found[3]
    price = prices[found]
    goods = block.columns("goods", (*spot, price))
    ledger.add("partner goods", spot[1], spot[2], price, goods.ids)
    split = Terms(int(used.sum()))
    split.add(cell[spot], 1.0, goods.ids)
    split.add(cell[k, t, w], -1.0, column)
    block.rows("goods_at_some_price", np.nonzero(used), 0.0, split, 0.0)

    k, t, w = spot
    most = np.einsum("fk,ftw->ktw", np.maximum(world.flow, 0.0), case.most_output)
    same_price = alike[k, t, w] == first[:, None]
    row, l = np.nonzero(same_price)
    limit = Terms(goods.size)
    limit.add(np.arange(goods.size), 1.0, goods.ids)
    limit.add(row, -most[k, t, w][row], model.choice.z.at(k[row], t[row], l))
    block.rows("price_in_force", goods.index, None, limit, 0.0, where=same_price.sum(axis=1) < played[k, t, w].sum(axis=1))


def _planner_price(case: Case, k: int) -> FloatArray:
    """The least that any policy could pay a partner per tonne (period, scenario)."""
    ceilings = [
        (r["ceiling"] if given(r["ceiling"]) else r["strike"]) / case.world.price_unit
        for r in case.market.contracts
        if r["upside_share"] > 0 and (ALL in r["products"] or case.world.products[k] in r["products"]) and (given(r["ceiling"]) or given(r["strike"]))
    ]
    return np.asarray(np.minimum(case.world.price[k], min(ceilings, default=np.inf)))
