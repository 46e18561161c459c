"""Stockpile: bought before the scenario is known, released only when things are not normal.

    level_stw = level_s,t−1,w + n_t (Σ_g buy_stg − release_stw),   level <= most
    Σ_g buy_stg <= most per year,   buy_stg <= most per year · z_g for the price group g in force
    Σ_g buy_stg >= Σ_d stockpiled_dt H_d                    contracts whose tonnes are stockpiled force the purchase

Reads: stock sites, z, deals. Adds: buy (site, period, price group; mass per year), level (site, period, scenario; mass),
release (site, period, scenario; mass per year). Costs: stock holding, less the value left at the end.
Assumes: purchases are the same in all scenarios and drawn from the market; stock at the end is worth resale · π per tonne.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orepact.formulation.case import MEMBERS, Case
from orepact.formulation.cells import give, stock_cell
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.rungs import equal, first_alike, firsts, in_play, stacked
from orepact.formulation.terms import FloatArray, IntArray, Terms
from orepact.market.world import StockSite


@dataclass(frozen=True)
class Groups:
    """Price groups: rungs in play at which a stock is filled at the same price in every scenario of the model.

    `site`, `period`, `number` (group,) · `paid` (group, scenario): the price · `of`, `rung` (member,): which rung belongs to which group.
    """

    site: IntArray
    period: IntArray
    number: IntArray
    paid: FloatArray
    of: IntArray
    rung: IntArray


def add_stockpile(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add purchases, releases and levels of every stock that may be held; `paid` is what each purchase costs per tonne (buy, scenario)."""
    block, sites, groups = model.block("stockpile"), _sites(case), _groups(case)
    block.paid = groups.paid
    most = max(len(ladder.rungs) for ladder in case.market.ladders)
    block.columns("buy", (groups.site, groups.period, groups.number), (len(sites), case.span[0], most))
    held = np.broadcast_to(case.modelled, (len(sites), *case.span))
    block.columns("level", np.nonzero(held), held.shape)
    block.columns("release", np.nonzero(held & ~case.world.normal), held.shape)
    _levels(model, block, case, ledger)
    _purchases(model, block, case)
    if not case.planner:
        _in_force(model, block, case, groups)
        _contracted(model, block, case)
    return block


def site_place(case: Case, s: int) -> int:
    """Place where a stock is held."""
    node = case.world.stock_sites[s].node
    return MEMBERS if node < 0 else node


def _sites(case: Case) -> tuple[StockSite, ...]:
    return case.world.stock_sites if case.rules.stock else ()


def _products(case: Case) -> IntArray:
    """Product of every site."""
    return np.array([site.product for site in _sites(case)], dtype=np.int64)


def _groups(case: Case) -> Groups:
    """The price groups of every site and period, in the order of their first rung; the planner has one, which pays nothing."""
    product, played = _products(case), np.asarray(in_play(case).any(axis=2))
    price = stacked(case, [ladder.price * (not case.planner) for ladder in case.market.ladders])
    same = np.asarray(equal(price[:, :, case.scenarios]).all(axis=2))
    alike = first_alike(played, same)[product]  # site, period, rung
    leads = firsts(alike)
    s, t, l = np.nonzero(leads)
    group = leads.cumsum().reshape(leads.shape) - 1
    site, period, rung = np.nonzero(alike >= 0)
    of = group[site, period, alike[site, period, rung]]
    return Groups(s, t, (leads.cumsum(axis=2) - 1)[s, t, l], price[product[s], t, :, l], of, rung)


def _levels(model: Model, block: Block, case: Case, ledger: Ledger) -> None:
    """Levels carried over from period to period, their limit, what holding costs and what is left at the end."""
    world, level, buy, sites = case.world, block.level, block.buy, _sites(case)
    s, t, w = level.index
    k = _products(case)[s]
    years, price = world.horizon.length.astype(float), world.price[k, t, w]
    most = np.array([site.max_level for site in sites])[s]
    limited = np.flatnonzero(most < np.inf)
    block.limits("most_held", level, limited, most[limited], _gives(model, case, s[limited], "max_level") if case.rules.elastic else None)
    ledger.add("stock holding", t, w, world.holding[k] * price, level.ids)
    ledger.add("stock left", t, w, -world.settings.economics.resale * price / years[t] * (t == case.periods[-1]), level.ids)
    terms = Terms(level.size)
    cell = np.arange(terms.size)
    terms.add(cell, 1.0, level.ids)
    terms.add(cell, years[t], block.release.at(s, t, w))
    terms.add(cell, np.where(t > 0, -1.0, 0.0), level.at(s, t - 1, w))
    site, period = (part[:, None] for part in buy.index[:2])
    terms.add(level.at(site, period, case.scenarios) - level.first, -years[period], buy.ids[:, None])
    before = np.where(t == 0, np.array([site.initial for site in sites])[s], 0.0)
    block.rows("stock_carried_over", level.index, before, terms, before)


def _gives(model: Model, case: Case, s: IntArray, column: str) -> IntArray:
    """The columns by which a limit of these sites gives way."""
    return np.array([give(model, stock_cell(case.world, int(n), column)) for n in s], dtype=np.int64)


def _purchases(model: Model, block: Block, case: Case) -> None:
    """Limits on what is bought in a year at whatever price; nothing where somebody who would pay refuses to."""
    s, t, bought = _bought(block, case)
    refused = np.array([_refused(case, site) for site in _sites(case)], dtype=bool)[s]
    most = np.array([site.max_purchase for site in _sites(case)])[s]
    gives = np.full(s.size, -1)
    if case.rules.elastic:
        gives[~refused] = _gives(model, case, s[~refused], "max_purchase")
    block.goals("most_per_year", (s, t), None, bought, np.where(refused, 0.0, most), (1.0, gives))


def _bought(block: Block, case: Case) -> tuple[IntArray, IntArray, Terms]:
    """Every site and period, and what is bought there at any price."""
    site, period, _ = block.buy.index
    s, t = np.divmod(np.arange(len(_sites(case)) * case.span[0]), case.span[0])
    bought = Terms(s.size)
    bought.add(site * case.span[0] + period, 1.0, block.buy.ids)
    return s, t, bought


def _refused(case: Case, site: StockSite) -> bool:
    """Whether a member that would pay for a stock refuses to; the planner asks nobody."""
    payers = [site.node] if site.node >= 0 else range(case.world.members)
    return not case.planner and any(case.market.refuses(m, "stockpile") for m in payers)


def _in_force(model: Model, block: Block, case: Case, groups: Groups) -> None:
    """A stock is filled at the price of the rung in force, where there are several."""
    buy = block.buy
    s, t = groups.site[groups.of], groups.period[groups.of]
    most = np.array([site.max_purchase for site in _sites(case)])[s]
    terms = Terms(buy.size)
    terms.add(np.arange(terms.size), 1.0, buy.ids)
    terms.add(groups.of, -most, model.choice.z.at(_products(case)[s], t, groups.rung))
    spot = groups.site * case.span[0] + groups.period
    block.rows("price_in_force", buy.index, None, terms, 0.0, np.bincount(spot)[spot] > 1)


def _contracted(model: Model, block: Block, case: Case) -> None:
    """What contracts for the stock make is bought at least."""
    if not any(r["stockpiled"] for r in case.market.contracts) or not _sites(case) or not len(case.deal):
        return
    world, deal = case.world, case.deal
    site_of = np.full((len(world.products), len(world.nodes) + 1), -1)  # at the end: pooled stocks, node -1
    for s, site in reversed(list(enumerate(_sites(case)))):
        site_of[site.product, site.node] = s
    tonnes = deal.stacked("stockpiled")
    d, period = np.nonzero(tonnes)
    main = np.array([plant.main for plant in world.plants])[deal.facility[d]]
    s = site_of[main, np.where(world.routed[main], deal.payer[d], -1)]
    forced = Terms(len(_sites(case)) * case.span[0])
    forced.add(s * case.span[0] + period, -tonnes[d, period], model.owners.volume.at(d))
    asked = forced.filled()
    sites, periods, bought = _bought(block, case)
    forced.extend(bought)
    block.rows("contracted_for_stock", (sites, periods), 0.0, forced, None, asked)
