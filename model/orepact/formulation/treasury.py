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

from collections import defaultdict

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.cells import Cell, give
from orepact.formulation.ledger import Ledger, Terms, add_goals, add_rows, nonnegative
from orepact.formulation.stockpile import site_place
from orepact.market.shocks import given

INSTRUMENTS = ("offtake", "support", "intervention", "stockpile")
Account = tuple[int, str, int, int]


def add_treasury(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add spending by member and instrument, its cost, and the limits on it."""
    block = model.treasury = pyo.Block()
    if case.planner:
        return block
    accounts, abroad = _outlays(model, case)
    block.spending = pyo.Var(list(accounts))
    add_rows(block, "spent", {key: (0.0, _minus(terms, block.spending[key]), 0.0) for key, terms in accounts.items()})
    block.abroad = pyo.Var(list(abroad))
    add_rows(block, "paid_abroad", {key: (0.0, _minus(terms, block.abroad[key]), 0.0) for key, terms in abroad.items()})
    for (t, w), column in block.abroad.items():
        ledger.add("payments to partners", t, w, 1.0, column)
    _fiscal(model, block, case, ledger)
    if case.rules.targets:
        _budgets(model, block, case)
        _contributions(model, block, case)
    return block


def _minus(terms: Terms, column: pyo.Var) -> Terms:
    terms.add(-1.0, column)
    return terms


def _outlays(model: pyo.ConcreteModel, case: Case) -> tuple[dict[Account, Terms], dict[tuple[int, int], Terms]]:
    """Outlays per account, and contract payments that leave the perimeter for partners' plants."""
    world = case.world
    accounts: dict[Account, Terms] = defaultdict(Terms)
    abroad: dict[tuple[int, int], Terms] = defaultdict(Terms)
    volumes = dict(model.owners.volume.items())
    for d, x in enumerate(case.deals):
        if d not in volumes:
            continue
        instrument = case.market.contracts[x.deal.contract]["instrument"]
        leaves = not case.counted(case.plant_place[x.facility])
        volume = volumes[d]
        for t, w, pay in case.cells(x.deal.pay):
            accounts[x.payer, instrument, t, w].parts.append((pay, volume))
            if leaves:
                abroad[t, w].parts.append((pay, volume))
    resale = world.settings.economics.resale
    for (k, p, t, w, price), column in model.surplus.glut.items():
        for m, share in case.carriers(p):
            accounts[m, "intervention", t, w].add(share * (price - resale * float(world.price[k, t, w])), column)
    for (s, t, g), (prices, _) in model.stockpile.groups.items():
        for m, share in case.carriers(site_place(case, s)):
            for w in case.scenarios:
                accounts[m, "stockpile", t, w].add(share * prices[w], model.stockpile.buy[s, t, g])
    return {key: terms for key, terms in accounts.items() if terms.parts}, dict(abroad)


def revenue(model: pyo.ConcreteModel, case: Case) -> dict[tuple[int, int, int], Terms]:
    """Levies that reach a member's treasury, and its stock releases, per (member, period, scenario)."""
    world, economics = case.world, case.world.settings.economics
    found: dict[tuple[int, int, int], Terms] = defaultdict(Terms)
    for (_, p, t, w), levies in model.imports.levies.items():
        if case.is_member(p):
            shares = list(enumerate(world.burden)) if economics.levy_pooled else case.carriers(p)
            for levy, column in levies:
                for m, share in shares:
                    found[m, t, w].add(economics.levy_capture * levy * float(share), column)
    for (s, t, w), column in model.stockpile.release.items():
        for m, share in case.carriers(site_place(case, s)):
            found[m, t, w].add(share * float(world.price[world.stock_sites[s].product, t, w]), column)
    return found


def _fiscal(model: pyo.ConcreteModel, block: pyo.Block, case: Case, ledger: Ledger) -> None:
    """Net outlay, never below zero, at the cost premium of public money."""
    premium = case.world.settings.economics.public_money_premium
    earned = revenue(model, case)
    by_member: dict[tuple[int, int, int], Terms] = defaultdict(Terms)
    for (m, _, t, w), column in block.spending.items():
        by_member[m, t, w].add(-1.0, column)
    block.net = nonnegative(list(by_member))
    rows = {}
    for key, terms in by_member.items():
        terms.add(1.0, block.net[key])
        if key in earned:
            terms.extend(earned[key])
        rows[key] = (0.0, terms, None)
        ledger.add("public money", key[1], key[2], premium, block.net[key])
    add_rows(block, "outlay_less_revenue", rows)


def _grants(model: pyo.ConcreteModel, case: Case, member: int | None, t: int | None) -> list[tuple[int, pyo.Var]]:
    """Grant columns with their start period, of one member (or all) and one start period (or all)."""
    return [
        (x.deal.start, model.owners.grant[d])
        for d, x in enumerate(case.deals)
        if d in model.owners.grant and (member is None or x.payer == member) and (t is None or x.deal.start == t)
    ]


def _budgets(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    world = case.world
    rows, slack = {}, {}
    for n, r in enumerate(world.tables["budgets"]):
        m = world.nodes.index(r["member"])
        covered = world.horizon.covered(r["first_year"] if given(r["first_year"]) else None, r["last_year"] if given(r["last_year"]) else None)
        for t in case.periods:
            if not covered[t]:
                continue
            grants = _grants(model, case, m, t) if r["instrument"] in ("all", "grant") else []
            for w in case.scenarios:
                if world.probability[w] > 0:
                    terms = Terms()
                    for instrument in INSTRUMENTS:
                        if r["instrument"] in ("all", instrument) and (m, instrument, t, w) in block.spending:
                            terms.add(1.0, block.spending[m, instrument, t, w])
                    for _, column in grants:
                        terms.add(1.0 / float(world.horizon.length[t]), column)
                    if terms.parts:
                        rows[n, t, w] = (None, terms, r["limit"] / world.money_unit)
                        if case.rules.elastic:
                            slack[n, t, w] = (1.0, give(model, Cell("budgets", n, "limit")))
    add_goals(block, "budget", rows, slack)


def _contributions(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    world, keys = case.world, case.world.tables["contributions"]
    if not keys:
        return
    discount = world.discount
    total: dict[int, Terms] = {m: Terms() for m in range(world.members)}
    for (m, _, t, w), column in block.spending.items():
        total[m].add(case.weight[w] * float(discount[t]), column)
    for m in total:
        for start, column in _grants(model, case, m, None):
            total[m].add(float(discount[start] / world.horizon.length[start]), column)
    rows, slack = {}, {}
    for n, r in enumerate(keys):
        m = world.nodes.index(r["member"])
        for side, sign in (("most", 1.0), ("least", -1.0)):
            terms = Terms()
            terms.extend(total[m], sign)
            for other in total.values():
                terms.extend(other, -sign * r["key"] - r["tolerance"])
            rows[m, side] = (None, terms, 0.0)
            if case.rules.elastic:  # in money a year: a share of what is spent would not be linear
                slack[m, side] = (float(discount.sum()), give(model, Cell("contributions", n, "tolerance")))
    add_goals(block, "contribution", {key: row for key, row in rows.items() if row[1].parts}, slack)
