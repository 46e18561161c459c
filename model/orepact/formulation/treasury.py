"""Treasuries: what each member spends, what it may spend, and what public money costs.

    spending_m,instrument,tw = Σ_d pay_dtw H_d (offtake, support) | Σ (P − resale·π) glut | Σ P · buy
    F_mtw >= Σ_instruments spending − ρ Σ levy − Σ π release,   F >= 0          cost λ F
    spending + Σ_{starts in t} G / n_t <= limit             every scenario with p > 0, each budget's periods
    |T_m − key_m Σ T| <= tolerance Σ T,   T_m = Σ_w p_w Σ_t d_t Σ spending + Σ d_τ/n_τ G          contribution keys

A subsidy is a transfer: it costs the alliance λ per dollar, and the dollar itself only where it leaves the perimeter. Levy
revenue offsets outlays, never more.

Reads: deals' payments, glut, purchases, levies, releases. Adds: spending (member, instrument, period, scenario; money per
year), F (member, period, scenario). Costs: public money, payments to partners' plants.
Assumes: spending that no one member owns (pooled stocks and gluts, levies on pooled imports) is shared by value of demand.
"""

from __future__ import annotations

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.cells import Cell, give
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Columns, Model
from orepact.formulation.stockpile import site_place
from orepact.formulation.terms import FloatArray, IntArray, Numbers, Terms
from orepact.market.shocks import given

INSTRUMENTS = ("offtake", "support", "intervention", "stockpile")


def add_treasury(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add spending by member and instrument, its cost, and the limits on it."""
    block = model.block("treasury")
    if case.planner:
        return block
    accounts, abroad = _outlays(model, case)
    used, left = (np.flatnonzero(terms.filled()) for terms in (accounts, abroad))
    m, instrument, t, w = np.unravel_index(used, (case.world.members, len(INSTRUMENTS), *case.span))
    _settle(block, "spent", block.columns("spending", (m, np.array(INSTRUMENTS)[instrument], t, w), lower=-np.inf), accounts, used)
    t, w = np.unravel_index(left, case.span)
    _settle(block, "paid_abroad", block.columns("abroad", (t, w), lower=-np.inf), abroad, left)
    ledger.add("payments to partners", t, w, 1.0, block.abroad.ids)
    _fiscal(model, block, case, ledger)
    if case.rules.targets:
        _budgets(model, block, case)
        _contributions(model, block, case)
    return block


def _settle(block: Block, name: str, columns: Columns, terms: Terms, cells: IntArray) -> None:
    """Each column is the sum of one of the cells."""
    sums = _only(terms, cells)
    sums.add(np.arange(cells.size), -1.0, columns.ids)
    block.rows(name, columns.index, 0.0, sums, 0.0)


def _only(terms: Terms, cells: IntArray) -> Terms:
    """The sums of these cells."""
    place, found = np.full(terms.size, -1), Terms(cells.size)
    place[cells] = np.arange(cells.size)
    found.extend(terms, 1.0, place)
    return found


def _cell(case: Case, m: Numbers, t: Numbers, w: Numbers) -> IntArray:
    """The sum of a member, period and scenario, where there is one for each."""
    return np.asarray((m * case.span[0] + t) * case.span[1] + w)


def _carried(case: Case) -> FloatArray:
    """Share of public spending at each place that each member carries (P, M)."""
    members = case.world.members
    found = np.tile(case.world.burden, (case.slots, 1))
    found[:members] = np.eye(members)
    return found


def _site_places(case: Case) -> IntArray:
    return np.array([site_place(case, s) for s in range(len(case.world.stock_sites))], dtype=np.int64)


def _outlays(model: Model, case: Case) -> tuple[Terms, Terms]:
    """Outlays per account (member, instrument, period, scenario), and contract payments that leave the perimeter (period, scenario)."""
    accounts, abroad = (Terms(n * case.span[0] * case.span[1]) for n in (case.world.members * len(INSTRUMENTS), 1))
    _contracts(model, case, accounts, abroad)
    world, carried, members = case.world, _carried(case), np.arange(case.world.members)

    k, p, t, w, price = model.surplus.glut.index
    loss = price.astype(float) - world.settings.economics.resale * world.price[k, t, w]
    account = members * len(INSTRUMENTS) + INSTRUMENTS.index("intervention")
    accounts.add(_cell(case, account, t[:, None], w[:, None]), carried[p] * loss[:, None], model.surplus.glut.ids[:, None])

    s, t, _ = model.stockpile.buy.index
    account = members[:, None] * len(INSTRUMENTS) + INSTRUMENTS.index("stockpile")
    paid = carried[_site_places(case)[s], :, None] * model.stockpile.paid[:, None, case.scenarios]
    accounts.add(_cell(case, account, t[:, None, None], np.array(case.scenarios)), paid, model.stockpile.buy.ids[:, None, None])
    return accounts, abroad


def _contracts(model: Model, case: Case, accounts: Terms, abroad: Terms) -> None:
    """What members pay under contracts, and what of it leaves the perimeter for partners' plants."""
    deal = case.deal
    if not model.owners.volume.size:
        return
    pay = deal.stacked("pay") * case.modelled
    d, t, w = np.nonzero(pay)
    amount, volume = pay[d, t, w], model.owners.volume.at(d)
    instrument = np.array([INSTRUMENTS.index(r["instrument"]) for r in case.market.contracts])[deal.contract[d]]
    accounts.add(_cell(case, deal.payer[d] * len(INSTRUMENTS) + instrument, t, w), amount, volume)
    leaves = np.flatnonzero(~case.counted_places[np.array(case.plant_place)][deal.facility[d]])
    abroad.add(_cell(case, 0, t[leaves], w[leaves]), amount[leaves], volume[leaves])


def revenue(model: Model, case: Case) -> Terms:
    """Levies that reach a member's treasury, and its stock releases: one sum per member, period and scenario, in this order."""
    world, economics, carried = case.world, case.world.settings.economics, _carried(case)
    found, members = Terms(world.members * case.span[0] * case.span[1]), np.arange(world.members)

    p, t, w, levy, column = (part[:, None] for part in model.imports.levies)
    shares = world.burden if economics.levy_pooled else carried[p[:, 0]]
    found.add(_cell(case, members, t, w), economics.levy_capture * levy * case.member_places[p] * shares, column)

    s, t, w = model.stockpile.release.index
    price = world.price[np.array([site.product for site in world.stock_sites], dtype=np.int64)[s], t, w]
    cell = _cell(case, members, t[:, None], w[:, None])
    found.add(cell, carried[_site_places(case)[s]] * price[:, None], model.stockpile.release.ids[:, None])
    return found


def _fiscal(model: Model, block: Block, case: Case, ledger: Ledger) -> None:
    """Net outlay, never below zero, at the cost premium of public money."""
    m, _, t, w = block.spending.index
    balance = Terms(case.world.members * case.span[0] * case.span[1])
    balance.add(_cell(case, m, t, w), -1.0, block.spending.ids)
    spending = np.flatnonzero(balance.filled())
    m, t, w = np.unravel_index(spending, (case.world.members, *case.span))
    net = block.columns("net", (m, t, w))
    balance.extend(revenue(model, case))
    rows = _only(balance, spending)
    rows.add(np.arange(net.size), 1.0, net.ids)
    block.rows("outlay_less_revenue", net.index, 0.0, rows, None)
    ledger.add("public money", t, w, case.world.settings.economics.public_money_premium, net.ids)


def _grants(model: Model, case: Case) -> tuple[IntArray, IntArray, IntArray]:
    """Who pays every grant, the period in which building starts, and its column."""
    d = model.owners.grant.index[0]
    return case.deal.payer[d], case.deal.start[d], model.owners.grant.ids


def _budgets(model: Model, block: Block, case: Case) -> None:
    """Spending within every budget's limit, in each of its periods and every scenario that may happen."""
    world, budgets = case.world, case.world.tables["budgets"]
    m, instrument, t, w = block.spending.index
    payer, start, grant = _grants(model, case)
    likely = case.modelled & (world.probability > 0)
    terms = Terms(len(budgets) * case.span[0] * case.span[1])
    for n, r in enumerate(budgets):
        member, anything = world.nodes.index(r["member"]), r["instrument"] == "all"
        covered = world.horizon.covered(*(r[year] if given(r[year]) else None for year in ("first_year", "last_year")))
        own = (m == member) & (anything | (instrument == r["instrument"])) & covered[t] & likely[w]
        terms.add(_cell(case, n, t[own], w[own]), 1.0, block.spending.ids[own])
        if anything or r["instrument"] == "grant":
            own = (payer == member) & covered[start]
            terms.add(_cell(case, n, start[own, None], np.flatnonzero(likely)), 1.0 / world.horizon.length[start[own, None]], grant[own, None])
    kept: IntArray = np.flatnonzero(terms.filled())
    number, t, w = np.unravel_index(kept, (len(budgets), *case.span))
    limit = np.array([r["limit"] / world.money_unit for r in budgets])[number]
    gives = np.array([give(model, Cell("budgets", int(x), "limit")) if case.rules.elastic else -1 for x in number], dtype=np.int64)
    block.goals("budget", (number, t, w), None, _only(terms, kept), limit, (1.0, gives))


def _contributions(model: Model, block: Block, case: Case) -> None:
    """Every member that has a key carries that share of all spending, give or take the tolerance."""
    world, keys = case.world, case.world.tables["contributions"]
    if not keys:
        return
    m, _, t, w = block.spending.index
    payer, start, grant = _grants(model, case)
    total = Terms(world.members)
    total.add(m, case.weights[w] * world.discount[t], block.spending.ids)
    total.add(payer, world.discount[start] / world.horizon.length[start], grant)
    n = np.repeat(np.arange(len(keys)), 2)
    member = np.array([world.nodes.index(r["member"]) for r in keys])[n]
    sign = np.tile([1.0, -1.0], len(keys))
    key, tolerance = (np.array([r[name] for r in keys])[n] for name in ("key", "tolerance"))
    terms = Terms(n.size)
    of, coef, column = total.entries()
    terms.add(np.arange(n.size)[:, None], sign[:, None] * (of == member[:, None]) * coef, column)
    terms.add(np.arange(n.size)[:, None], (-sign * key - tolerance)[:, None] * coef, column)
    # in money a year: a share of what is spent would not be linear
    gives = np.array([give(model, Cell("contributions", int(x), "tolerance")) if case.rules.elastic else -1 for x in n])
    if column.size:
        side = np.tile(["most", "least"], len(keys))
        block.goals("contribution", (member, side), None, terms, 0.0, (float(world.discount.sum()), gives))
