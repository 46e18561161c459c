"""Balance: at every place what comes in goes out, and nobody ships on what it didn't make.

    Σ_f a_fk x_f + imports + in − out + short + release = D + purchases + exports + overflow + glut
    out + exports + overflow + glut <= Σ_f a⁺_fk x_f

The second row stops goods from outside being passed on as the zone's own.

Reads: activity, imports, trade, demand, surplus, stockpile. Adds: rows only (product, place, period, scenario).
Assumes: a stock is filled from the same market, imports included.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_rows
from orepact.formulation.stockpile import site_place

Spot = tuple[int, int, int, int]


def add_balance(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add the balance of every product at every place, and the rule against passing on."""
    block = model.balance = pyo.Block()
    world = case.world
    net: dict[Spot, Terms] = defaultdict(Terms)
    leaving: dict[Spot, Terms] = defaultdict(Terms)
    for (f, t, w), x in model.activity.x.items():
        for k in (*case.outputs[f], *case.inputs[f]):
            spot = (k, case.place(case.plant_place[f], k), t, w)
            net[spot].add(world.flow[f, k], x)
            if world.flow[f, k] > 0:
                leaving[spot].add(-world.flow[f, k], x)
    for spot, sources in model.imports.at_place.items():
        for _, column in sources:
            net[spot].add(1.0, column)
    for spot, columns in model.trade.incoming.items():
        for column in columns:
            net[spot].add(1.0, column)
    for spot, columns in model.trade.outgoing.items():
        for column in columns:
            net[spot].add(-1.0, column)
            leaving[spot].add(1.0, column)
    for variable in (model.surplus.export, model.surplus.overflow, model.surplus.glut):
        for key, column in variable.items():
            net[key[:4]].add(-1.0, column)
            leaving[key[:4]].add(1.0, column)
    for (k, p, t, w, _), column in model.demand.short.items():
        net[k, p, t, w].add(1.0, column)
    for (s, t), columns in model.stockpile.purchases.items():
        k, p = world.stock_sites[s].product, site_place(case, s)
        for w in case.scenarios:
            for column in columns:
                net[k, p, t, w].add(-1.0, column)
    for (s, t, w), column in model.stockpile.release.items():
        net[world.stock_sites[s].product, site_place(case, s), t, w].add(1.0, column)
    for k in range(len(world.products)):
        for p in case.places[k]:
            for t in case.periods:
                for w in case.scenarios:
                    if case.demand_at(k, p, t, w) > 0:
                        net[k, p, t, w].extend(model.demand.used(k, p, t, w), -1.0)
    add_rows(block, "goods", {spot: (0.0, terms, 0.0) for spot, terms in net.items()})
    add_rows(block, "own_output_only", {spot: (None, terms, 0.0) for spot, terms in leaving.items() if any(coef > 0 for coef, _ in terms.parts)})
    _nothing_leaves_while_short(model, block, case)
    return block


def _nothing_leaves_while_short(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """Where feed k counts as short, all of it is bought and none is exported, dumped, bought up or stockpiled."""
    if case.planner:
        return
    world = case.world
    bought, kept = {}, {}
    dumped: dict[tuple[int, int, int], list[pyo.Var]] = defaultdict(list)
    for key, column in model.surplus.glut.items():
        dumped[key[0], key[2], key[3]].append(column)
    stocked: dict[tuple[int, int], list[tuple[int, list[pyo.Var]]]] = defaultdict(list)
    for (s, t), columns in model.stockpile.purchases.items():
        stocked[world.stock_sites[s].product, t].append((s, columns))
    offered = {k: _offered(case, k) for k in {k for k, _, _ in model.activity.q}}
    for k, t, w in model.activity.q:
        available = {l: float(offered[k][l, t, w]) for l in case.rungs[k, t]}
        most, row = max(available.values()), Terms()
        for l, amount in available.items():
            row.add(-amount, model.choice.z[k, t, l])
        for column in model.imports.of_product.get((k, t, w), []):
            row.add(1.0, column)
        row.add(-most, model.activity.q[k, t, w])
        bought[k, t, w] = (-most, row, None)
        out, limit = Terms(), 0.0
        for p in case.places[k]:
            for variable in (model.surplus.export, model.surplus.overflow):
                if (k, p, t, w) in variable:
                    out.add(1.0, variable[k, p, t, w])
            limit += model.surplus.full.get((k, p, t, w), 0.0)
        for column in dumped.get((k, t, w), ()):
            out.add(1.0, column)
        for s, columns in stocked.get((k, t), ()):
            limit += world.stock_sites[s].max_purchase
            for column in columns:
                out.add(1.0, column)
        if out.parts:
            out.add(limit, model.activity.q[k, t, w])
            kept[k, t, w] = (None, out, limit)
    add_rows(block, "all_supply_bought_when_short", bought)
    add_rows(block, "nothing_leaves_when_short", kept)


def _offered(case: Case, k: int) -> NDArray[np.float64]:
    """What sources that sell at a rung could sell of a product (L, T, W)."""
    ladder = case.market.ladders[k]
    available = np.array([case.world.sources[o].available for o in ladder.sources]).reshape(ladder.selling.shape[1:])
    return np.asarray((ladder.selling * available).sum(axis=1))
