"""Balance: at every place what comes in goes out, and nobody ships on what it didn't make.

    Σ_f a_fk x_f + imports + in − out + short + release = D + purchases + exports + overflow + glut
    out + exports + overflow + glut <= Σ_f a⁺_fk x_f

The second row stops goods from outside being passed on as the zone's own.

Reads: activity, imports, trade, demand, surplus, stockpile. Adds: rows only (product, place, period, scenario).
Assumes: a stock is filled from the same market, imports included.
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.choice import by_rung
from orepact.formulation.demand import used
from orepact.formulation.model import Block, Model
from orepact.formulation.stockpile import site_place
from orepact.formulation.targets.common import available
from orepact.formulation.terms import IntArray, Numbers, Terms


def add_balance(model: Model, case: Case) -> Block:
    """Add the balance of every product at every place, and the rule against passing on."""
    block = model.block("balance")
    shape = (len(case.world.products), case.slots, *case.span)
    net, leaving = (Terms(int(np.prod(shape))) for _ in range(2))
    _made(model, case, net, leaving)
    _moved(model, case, net, leaving)
    _stocked(model, case, net)
    _used(model, case, net)
    k, p, t, w = np.indices(shape).reshape(4, -1)
    index = k, np.where(p < len(case.world.nodes), p, p - case.slots), t, w
    block.rows("goods", index, 0.0, net, 0.0, net.filled())
    spot, coef, _ = leaving.entries()
    leaves = np.zeros(leaving.size, dtype=bool)
    leaves[spot[coef > 0]] = True
    block.rows("own_output_only", index, None, leaving, 0.0, leaves)
    if not case.planner:
        _nothing_leaves_while_short(model, block, case)
    return block


def _spot(case: Case, k: Numbers, p: Numbers, t: Numbers, w: Numbers) -> IntArray:
    """The sum of a product, place, period and scenario, where there is one for each."""
    return np.asarray(((k * case.slots + p % case.slots) * case.span[0] + t) * case.span[1] + w)


def _made(model: Model, case: Case, net: Terms, leaving: Terms) -> None:
    """What plants make and take, and what of their own output may leave."""
    f, k = (part[:, None] for part in np.nonzero(case.world.flow))
    t, w = case.every
    flow, column = case.world.flow[f, k], model.activity.x.at(f, t, w)
    spot = _spot(case, k, case.place_of[np.array(case.plant_place, dtype=np.int64)[f], k], t, w)
    net.add(spot, flow, column)
    leaving.add(spot, -np.maximum(flow, 0.0), column)


def _moved(model: Model, case: Case, net: Terms, leaving: Terms) -> None:
    """What arrives and departs, as imports, trade or surplus, and what is wanting."""
    amount, (o, p, t, w) = model.imports.amount, model.imports.amount.index
    net.add(_spot(case, case.product_of_source[o], p, t, w), 1.0, amount.ids)
    k, origin, destination, t, w, column = model.trade.moves
    net.add(_spot(case, k, destination, t, w), 1.0, column)
    for terms, sign in ((net, -1.0), (leaving, 1.0)):
        terms.add(_spot(case, k, origin, t, w), sign, column)
        for family in (model.surplus.export, model.surplus.overflow, model.surplus.glut):
            terms.add(_spot(case, *family.index[:4]), sign, family.ids)
    net.add(_spot(case, *model.demand.short.index[:4]), 1.0, model.demand.short.ids)


def _stocked(model: Model, case: Case, net: Terms) -> None:
    """What goes into stocks and comes out of them."""
    sites = case.world.stock_sites
    product = np.array([site.product for site in sites], dtype=np.int64)
    place = np.array([site_place(case, s) for s in range(len(sites))], dtype=np.int64)
    buy, (s, t, _) = model.stockpile.buy, (part[:, None] for part in model.stockpile.buy.index)
    net.add(_spot(case, product[s], place[s], t, np.array(case.scenarios)), -1.0, buy.ids[:, None])
    release, (s, t, w) = model.stockpile.release, model.stockpile.release.index
    net.add(_spot(case, product[s], place[s], t, w), 1.0, release.ids)


def _used(model: Model, case: Case, net: Terms) -> None:
    """Final demand at every place."""
    for k, wanted in enumerate(case.wanted):
        spots: tuple[Numbers, ...] = np.nonzero(wanted * case.modelled)
        p, t, w = spots
        used(model, case, net, _spot(case, k, p, t, w), k, p, t, w, -1.0)


def _nothing_leaves_while_short(model: Model, block: Block, case: Case) -> None:
    """Where feed k counts as short, all of it is bought and none is exported, dumped, bought up or stockpiled."""
    world, q = case.world, model.activity.q
    k, t, w = q.index
    bought, most = Terms(q.size), np.zeros(q.size)
    for product in np.unique(k):
        own = np.flatnonzero(k == product)
        offered = (case.market.ladders[product].selling * available(case, product)).sum(axis=1)
        by_rung(model, bought, own, product, t[own], w[own], -offered)
        most[own] = np.where(case.played[product][:, :, None], offered, 0.0).max(axis=0)[t[own], w[own]]
    o, _, period, scenario = model.imports.amount.index
    bought.add(q.at(case.product_of_source[o], period, scenario) - q.first, 1.0, model.imports.amount.ids)
    bought.add(np.arange(q.size), -most, q.ids)
    block.rows("all_supply_bought_when_short", q.index, -most, bought, None)

    kept, limit = Terms(q.size), model.surplus.full.sum(axis=1)[q.index]
    for family in (model.surplus.export, model.surplus.overflow, model.surplus.glut):
        product, _, period, scenario = family.index[:4]
        kept.add(q.at(product, period, scenario) - q.first, 1.0, family.ids)
    s, period = (part[:, None] for part in model.stockpile.buy.index[:2])
    product = np.array([site.product for site in world.stock_sites], dtype=np.int64)
    kept.add(q.at(product[s], period, case.scenarios) - q.first, 1.0, model.stockpile.buy.ids[:, None])
    leaves = kept.filled()
    if case.rules.stock:
        limit += sum((k == site.product) * site.max_purchase for site in world.stock_sites)
    kept.add(np.arange(q.size), limit, q.ids)
    block.rows("nothing_leaves_when_short", q.index, None, kept, limit, leaves)
