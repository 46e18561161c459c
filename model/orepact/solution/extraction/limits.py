"""Limits besides targets: budgets and contribution keys always, the others where they leave no room.

Budgets hold in every scenario, so the one that comes nearest is shown. Physical limits are shown for the reference scenario.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.formulation.treasury import INSTRUMENTS
from orepact.instance.schema import ALL, ZONE
from orepact.market.horizon import Array
from orepact.market.shocks import given
from orepact.solution.extraction.accounts import Account
from orepact.solution.extraction.outturn import Outturn
from orepact.solution.extraction.plants import Owner
from orepact.solution.schema import EXPECTED

Row = dict[str, Any]

FULL = 1 - 1e-6
"""Share of a limit at which it counts as used up."""


def limits(out: Outturn, accounts: dict[Account, Array], sides: list[Owner]) -> Iterator[Row]:
    """All of them."""
    if not out.planner:
        yield from _budgets(out, accounts)
        yield from _contributions(out, accounts)
        yield from _owners(out, sides)
    yield from _goods(out)
    yield from _stocks(out)
    if not out.planner:
        yield from _ladder_ends(out)
        yield from _menu_ends(out)


def _row(kind: str, name: str, first_year: int | None, scenario: str, limit: float, used: float, unit: str, binding: bool = True) -> Row:
    return {"kind": kind, "name": name, "first_year": first_year, "scenario": scenario, "limit": limit, "used": used, "unit": unit, "binding": binding}


def _budgets(out: Outturn, accounts: dict[Account, Array]) -> Iterator[Row]:
    world = out.world
    likely = np.flatnonzero(world.probability > 0)
    for r in world.tables["budgets"]:
        m, counted = world.nodes.index(r["member"]), (*INSTRUMENTS, "grant") if r["instrument"] == "all" else (r["instrument"],)
        own = (amounts for (member, instrument, _), amounts in accounts.items() if member == m and instrument in counted)
        spent = sum(own, start=np.zeros_like(world.price[0]))
        covered = world.horizon.covered(r["first_year"] if given(r["first_year"]) else None, r["last_year"] if given(r["last_year"]) else None)
        for t in np.flatnonzero(covered):
            w = int(likely[np.argmax(spent[t, likely])])
            used, name = float(spent[t, w]) * world.money_unit, f"{r['member']} {r['instrument']}"
            yield _row("budget", name, int(world.horizon.start[t]), world.scenarios[w], r["limit"], used, "USD/a", used >= r["limit"] * FULL)


def _contributions(out: Outturn, accounts: dict[Account, Array]) -> Iterator[Row]:
    world = out.world
    spent = np.zeros(world.members)
    for (m, instrument, _), amounts in accounts.items():
        if instrument in (*INSTRUMENTS, "grant"):
            spent[m] += float(world.discount @ out.expected(amounts))
    total = float(spent.sum())
    for r in world.tables["contributions"] if total > 0 else ():
        share = float(spent[world.nodes.index(r["member"])]) / total
        off = share - r["key"]
        limit = r["key"] + (r["tolerance"] if off >= 0 else -r["tolerance"])
        yield _row("contribution", r["member"], None, EXPECTED, limit, share, "1", abs(off) >= r["tolerance"] - (1 - FULL))


def _owners(out: Outturn, sides: list[Owner]) -> Iterator[Row]:
    """Grants at their limit, owners who keep all the rent they may, projects that lenders barely accept."""
    world, settings = out.world, out.world.settings.owners
    for owner in sides:
        if not owner.supported or owner.f not in out.starts:
            continue
        plant, year = world.plants[owner.f], int(world.horizon.start[out.starts[owner.f]])
        most = out.case.market.grant_limit(owner.f)
        if owner.grant >= most * FULL and most > 0:
            yield _row("grant", plant.code, year, "", most * world.money_unit, owner.grant * world.money_unit, "USD")
        rent = settings.rent_cap * plant.capex
        if owner.value_if_fed >= rent - (1 - FULL) * plant.capex:
            yield _row("rent", plant.code, None, "", rent * world.money_unit, owner.value_if_fed * world.money_unit, "USD")
        if owner.cover is not None and owner.cover <= settings.cover / FULL:
            yield _row("cover", plant.code, None, "", settings.cover, owner.cover, "1")


def _goods(out: Outturn) -> Iterator[Row]:
    """Sources sold out, exports at their limit, full routes."""
    world = out.world
    for o, source in enumerate(world.sources):
        yield from _full(out, "supply", f"{world.products[source.product]} {source.country}", out.imports[o].sum(axis=0), out.available[o])
    for k, product in enumerate(world.products):
        yield from _full(out, "export", product, out.exports[k].sum(axis=0), np.broadcast_to(world.export_limit[k][:, None], world.price[k].shape))
    for r, route in enumerate(world.routes):
        if route.capacity < np.inf:
            arriving = [o for o in world.sources_of(route.product) if world.sources[o].country == route.source]
            moved = out.shipped[r] if route.origin >= 0 else out.imports[arriving, route.destination].sum(axis=0)
            origin = world.nodes[route.origin] if route.origin >= 0 else route.source
            name = f"{world.products[route.product]} {origin} to {world.nodes[route.destination]}"
            yield from _full(out, "route", name, moved, np.full_like(moved, route.capacity))


def _stocks(out: Outturn) -> Iterator[Row]:
    """Full stocks, and purchases at their limit."""
    world = out.world
    for s, site in enumerate(world.stock_sites):
        name = f"{world.products[site.product]} {ZONE if site.node < 0 else world.nodes[site.node]}"
        if site.max_level < np.inf:
            yield from _full(out, "stock", name, out.level[s], np.full_like(out.level[s], site.max_level), "t")
        for t in np.flatnonzero((out.bought[s] > 0) & (out.bought[s] >= site.max_purchase * FULL)):
            most, bought = site.max_purchase * world.mass_unit, float(out.bought[s, t]) * world.mass_unit
            yield _row("stock", f"{name}, purchases", int(world.horizon.start[t]), "", most, bought, "t/a")


def _ladder_ends(out: Outturn) -> Iterator[Row]:
    """Rungs in force that are the highest of their kind on offer: a higher one might have been chosen."""
    world = out.world
    for k, (ladder, path) in enumerate(zip(out.case.market.ladders, out.plan.path.rungs, strict=True)):
        for t, rung in enumerate(path):
            column, unit = ("price", "USD/t") if ladder.kinds[rung] in ("reference", "minimum") else ("rate", "1")
            rivals = [row for l, row in enumerate(ladder.rows) if row is not None and ladder.kinds[l] == ladder.kinds[rung] and ladder.offered[l, t]]
            own = ladder.rows[rung]
            if own is not None and float(own[column]) >= max((float(row[column]) for row in rivals), default=math.inf):
                name = f"{world.products[k]} {ladder.rungs[rung]}"
                yield _row("ladder", name, int(world.horizon.start[t]), "", float(own[column]), float(own[column]), unit)


def _menu_ends(out: Outturn) -> Iterator[Row]:
    """Contracts in force with the highest strike, or the highest premium, that the menu offers to such a plant."""
    world, menu, seen = out.world, out.case.market.contracts, set()
    for signed in out.signed:
        plant, own = world.plants[signed.facility], menu[signed.deal.contract] if signed.deal.contract >= 0 else None
        if own is None or signed.volume <= 0 or (signed.facility, own["contract"]) in seen:
            continue
        seen.add((signed.facility, own["contract"]))
        column = "strike" if given(own["strike"]) else "premium"
        product = world.products[plant.main]
        rivals = [float(r[column]) for r in menu if r["instrument"] == own["instrument"] and {ALL, product} & set(r["products"]) and given(r[column])]
        if float(own[column]) >= max(rivals):
            yield _row("menu", f"{plant.code} {own['contract']}", None, "", float(own[column]), float(own[column]), "USD/t")


def _full(out: Outturn, kind: str, name: str, used: Array, limit: Array, unit: str = "t/a") -> Iterator[Row]:
    """Rows where a limit (T, W) is used up in the reference scenario."""
    world, w = out.world, out.world.reference
    for t in np.flatnonzero((used[:, w] > 0) & (used[:, w] >= limit[:, w] * FULL)):
        amounts = float(limit[t, w]) * world.mass_unit, float(used[t, w]) * world.mass_unit
        yield _row(kind, name, int(world.horizon.start[t]), world.scenarios[w], *amounts, unit)
