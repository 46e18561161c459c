"""Goods: where tonnes come from and go to, as flows and as a balance for every product and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from orepact.formulation.case import MEMBERS, PARTNERS
from orepact.formulation.stockpile import site_place
from orepact.market.horizon import Array
from orepact.solution.extraction.outturn import Outturn, spots

Columns = dict[str, list[Any]]

SIDES = ("made", "used", "imports", "trade_in", "trade_out", "shortage", "release", "demand", "purchases", "exports", "glut", "overflow")
"""Columns of the balance."""


def place_name(out: Outturn, p: int) -> str:
    """A node's code; `members` or `partners` for the hubs of pooled products."""
    return {MEMBERS: "members", PARTNERS: "partners"}.get(p) or out.world.nodes[p]


def balance(out: Outturn) -> dict[str, Any]:
    """Sources and uses of every product at every place where anything happens; as columns."""
    world = out.world
    sides = _sides(out)
    active = np.any([amounts != 0 for amounts in sides.values()], axis=0)
    at = tuple(np.array(list(spots(active, out.scenarios)), dtype=np.int64).reshape(-1, 4).T)
    names = [*world.nodes, place_name(out, PARTNERS), place_name(out, MEMBERS)]  # in the order in which arrays hold places
    return {
        "product": [world.products[k] for k in at[0]],
        "node": [names[p] for p in at[1]],
        "first_year": world.horizon.start[at[2]],
        "scenario": [world.scenarios[w] for w in at[3]],
        **{side: amounts[at] * world.mass_unit for side, amounts in sides.items()},
    }


def _sides(out: Outturn) -> dict[str, Array]:
    """Each column of the balance (K, P, T, W), scaled mass per year."""
    world, case = out.world, out.case
    sides = {side: np.zeros_like(out.exports) for side in SIDES}
    sides |= {"shortage": out.shortage, "exports": out.exports, "glut": out.glut, "overflow": out.overflow}
    for f, node in enumerate(case.plant_place):
        for k in (*case.outputs[f], *case.inputs[f]):
            sides["made" if world.flow[f, k] > 0 else "used"][k, case.place(node, k)] += abs(world.flow[f, k]) * out.activity[f]
    for o, source in enumerate(world.sources):
        sides["imports"][source.product] += out.imports[o]
    for r, route in enumerate(world.routes):
        if route.origin >= 0:
            sides["trade_out"][route.product, route.origin] += out.shipped[r]
            sides["trade_in"][route.product, route.destination] += out.shipped[r]
    for way, origin, destination in ((0, PARTNERS, MEMBERS), (1, MEMBERS, PARTNERS)):
        sides["trade_out"][:, origin] += out.swapped[:, way]
        sides["trade_in"][:, destination] += out.swapped[:, way]
    for k in range(len(world.products)):
        for i in range(len(world.nodes)):
            sides["demand"][k, case.place(i, k)] += out.demand[i, k]
    for s, site in enumerate(world.stock_sites):
        sides["release"][site.product, site_place(case, s)] += out.released[s]
        sides["purchases"][site.product, site_place(case, s)] += out.bought[s][:, None]
    return sides


def flows(out: Outturn) -> Columns:
    """Everything that moves, with what is paid or earned per tonne; as columns."""
    world, economics = out.world, out.world.settings.economics
    columns: Columns = {name: [] for name in ("product", "kind", "origin", "destination", "first_year", "scenario", "amount_t_a", "price_usd_t")}
    years = world.horizon.start.tolist()

    def add(kind: str, k: int, origin: str, destination: str, amounts: Array, price: Array) -> None:
        for t, w in spots(amounts, out.scenarios):
            amount, paid = float(amounts[t, w]) * world.mass_unit, float(price[t, w]) * world.price_unit
            row = (world.products[k], kind, origin, destination, years[t], world.scenarios[w], amount, paid)
            for column, cell in zip(columns.values(), row, strict=True):
                column.append(cell)

    for o, source in enumerate(world.sources):
        paid = import_price(out, o)
        for p in out.case.places[source.product]:
            add("import", source.product, source.country, place_name(out, p), out.imports[o, p], paid)
    _inside(out, add)
    for kind, amounts, share in (
        ("export", out.exports, 1 - economics.export_discount),
        ("glut", out.glut, economics.resale),
        ("overflow", out.overflow, economics.resale),
    ):
        for k, places in enumerate(out.case.places):
            for p in places:
                add(kind, k, place_name(out, p), "", amounts[k, p], share * world.price[k])
    return columns


def _inside(out: Outturn, add: Callable[[str, int, str, str, Array, Array], None]) -> None:
    """Trade inside the zone, at the price of the rung in force; partners buy from members at the world price."""
    world = out.world
    moves = [(route.product, route.origin, route.destination, out.shipped[r]) for r, route in enumerate(world.routes) if route.origin >= 0]
    for k in range(len(world.products)):
        moves += [(k, PARTNERS, MEMBERS, out.swapped[k, 0]), (k, MEMBERS, PARTNERS, out.swapped[k, 1])]
    charged = _planner_prices(out) if out.planner else out.price
    for k, origin, destination, amounts in moves:
        sells, buys = out.case.is_member(origin), out.case.is_member(destination)
        kind = {
            (True, True): "between_members",
            (True, False): "member_to_partner",
            (False, True): "partner_to_member",
            (False, False): "between_partners",
        }[sells, buys]
        price = charged[k] if buys or not sells else world.price[k]
        add(kind, k, place_name(out, origin), place_name(out, destination), amounts, price)


def import_price(out: Outturn, o: int) -> Array:
    """What is paid per tonne from a source, levy revenue kept at home taken off (T, W); the planner pays no less than cost."""
    source = out.world.sources[o]
    ladder = out.case.market.ladders[source.product]
    if out.planner:
        return np.asarray(np.maximum(out.world.price[source.product], source.cost[:, None]))
    taxed = ladder.dutiable[:, ladder.sources.index(o)][:, None, None]
    return out.in_force(source.product, np.where(taxed, ladder.paid_dutiable, ladder.paid_exempt))


def _planner_prices(out: Outturn) -> Array:
    """What the planner pays partners per tonne (K, T, W), as its own costs say; the world price where it counts nothing."""
    price = out.world.price.copy()
    for plan in out.plans:
        if (entry := plan.built.ledger.entries.get("partner goods")) is not None:
            k, t, w, column = plan.built.model.trade.from_partners
            charged = np.full(len(plan.values), np.nan)
            charged[entry.column] = entry.coef
            known = ~np.isnan(charged[column])
            price[k[known], t[known], w[known]] = charged[column[known]]
    return price
