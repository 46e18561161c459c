"""Stockpile: bought before the scenario is known, released only when things are not normal.

    level_stw = level_s,t−1,w + n_t (Σ_g buy_stg − release_stw),   level <= most
    Σ_g buy_stg <= most per year,   buy_stg <= most per year · z_g for the price group g in force
    Σ_g buy_stg >= Σ_d stockpiled_dt H_d                    contracts whose tonnes are stockpiled force the purchase

Reads: stock sites, z, deals. Adds: buy (site, period, price group; mass per year), level (site, period, scenario; mass),
release (site, period, scenario; mass per year). Costs: stock holding, less the value left at the end.
Assumes: purchases are the same in all scenarios and drawn from the market; stock at the end is worth resale · π per tonne.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import MEMBERS, Case
from orepact.formulation.cells import give, stock_cell
from orepact.formulation.ledger import Ledger, Terms, add_goals, add_limits, add_rows, nonnegative


def add_stockpile(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add purchases, releases and levels of every stock that may be held."""
    block = model.stockpile = pyo.Block()
    world = case.world
    sites = [s for s in range(len(world.stock_sites)) if case.rules.stock]
    block.groups = {}
    for s in sites:
        for t in case.periods:
            by_price: dict[tuple[float, ...], list[int]] = defaultdict(list)
            for l in case.rungs[world.stock_sites[s].product, t]:
                prices = tuple(case.price(world.stock_sites[s].product, l, t, w) for w in case.scenarios)
                by_price[() if case.planner else prices].append(l)
            for g, (prices, rungs) in enumerate(by_price.items()):
                block.groups[s, t, g] = (dict(zip(case.scenarios, prices, strict=False)), rungs)
    block.buy = nonnegative(list(block.groups))
    block.level = nonnegative([(s, t, w) for s in sites for t in case.periods for w in case.scenarios])
    block.release = nonnegative([(s, t, w) for s in sites for t in case.periods for w in case.scenarios if not case.normal(w)])
    block.purchases = {(s, t): [block.buy[key] for key in block.groups if key[:2] == (s, t)] for s in sites for t in case.periods}
    _levels(model, block, case, ledger)
    _purchases(model, block, case)
    return block


def site_place(case: Case, s: int) -> int:
    """Place where a stock is held."""
    node = case.world.stock_sites[s].node
    return MEMBERS if node < 0 else node


def _levels(model: pyo.ConcreteModel, block: pyo.Block, case: Case, ledger: Ledger) -> None:
    world = case.world
    last = case.periods[-1]
    rows, limits, gives = {}, {}, {}
    for s, t, w in block.level:
        site, years = world.stock_sites[s], float(world.horizon.length[t])
        price = world.price[site.product, t, w]
        if site.max_level < np.inf:
            limits[s, t, w] = (block.level[s, t, w], site.max_level)
            if case.rules.elastic:
                gives[s, t, w] = give(model, stock_cell(world, s, "max_level"))
        ledger.add("stock holding", t, w, world.holding[site.product] * price, block.level[s, t, w])
        if t == last:
            ledger.add("stock left", t, w, -world.settings.economics.resale * price / years, block.level[s, t, w])
        terms = Terms()
        terms.add(1.0, block.level[s, t, w])
        for column in block.purchases[s, t]:
            terms.add(-years, column)
        if (s, t, w) in block.release:
            terms.add(years, block.release[s, t, w])
        if t > 0:
            terms.add(-1.0, block.level[s, t - 1, w])
        rows[s, t, w] = (site.initial, terms, site.initial) if t == 0 else (0.0, terms, 0.0)
    add_limits(block, "most_held", limits, gives)
    add_rows(block, "stock_carried_over", rows)


def _purchases(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    world = case.world
    most, in_force, gives = {}, {}, {}
    forced: dict[tuple[int | None, int], Terms] = {}
    for (s, t), columns in block.purchases.items():
        site, terms = world.stock_sites[s], Terms()
        refused = any(case.market.refuses(m, "stockpile") for m in ([site.node] if site.node >= 0 else range(world.members)))
        for column in columns:
            terms.add(1.0, column)
        most[s, t] = (None, terms, 0.0 if refused and not case.planner else site.max_purchase)
        if case.rules.elastic and not (refused and not case.planner):
            gives[s, t] = (1.0, give(model, stock_cell(world, s, "max_purchase")))
    for (s, t, g), (_, rungs) in block.groups.items():
        if not case.planner and len(rungs) < len(case.rungs[world.stock_sites[s].product, t]):
            terms = Terms()
            terms.add(1.0, block.buy[s, t, g])
            for l in rungs:
                terms.add(-world.stock_sites[s].max_purchase, model.choice.z[world.stock_sites[s].product, t, l])
            in_force[s, t, g] = (None, terms, 0.0)
    if not case.planner:
        for d, x in enumerate(case.deals):
            if x.deal.stockpiled.any():
                s = case.stock_site(x.facility, x.payer)
                for t in np.flatnonzero(x.deal.stockpiled):
                    row = forced.setdefault((s, int(t)), Terms())
                    row.add(-float(x.deal.stockpiled[t]), model.owners.volume[d])
        for (s, t), row in forced.items():
            for column in block.purchases[s, t]:
                row.add(1.0, column)
    add_goals(block, "most_per_year", most, gives)
    add_rows(block, "price_in_force", in_force)
    add_rows(block, "contracted_for_stock", {key: (0.0, terms, None) for key, terms in forced.items()})
