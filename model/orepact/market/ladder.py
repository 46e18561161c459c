"""The price ladder as arrays: what every rung does to prices, sources, levies and demand in every period and scenario.

Rung 0 of every product is free trade; the others follow the ladder's steps. A rung's law is written once, in `_law`:

    reference   P = max(π, F)          dutiable sources pay the levy P − π, exempt ones are paid P
    tariff      P = π(1 + τ)           likewise; on named origins only while the others can't serve the market
    standard    P = π(1 + premium)     sources that don't comply are shut out; no levy
    minimum     P = max(π, F)          sources invoice P; no levy

Source: EU variable levies to 1995 and the 2013 minimum import price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orepact.market.horizon import Array
from orepact.market.shocks import Row, given
from orepact.market.world import World

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Ladder:
    """One product's rungs at their steps of the ladder; L rungs, O sources of the product. Prices in scaled units.

    price (L, T, W) zone price P · paid_dutiable, paid_exempt (L, T, W): what a member pays per imported tonne ·
    levy (L, T, W): P − π on dutiable tonnes · selling (L, O, T, W): source is in the money · dutiable (L, O) ·
    kept (L, T, W): demand kept q = D/D0 · forgone (L, T, W): use value forgone per tonne of D0 · offered (L, T).
    """

    product: int
    rungs: tuple[str, ...]
    steps: tuple[int, ...]
    kinds: tuple[str, ...]
    rows: tuple[Row | None, ...]
    sources: tuple[int, ...]
    price: Array
    paid_dutiable: Array
    paid_exempt: Array
    levy: Array
    selling: Flags
    dutiable: Flags
    kept: Array
    forgone: Array
    offered: Flags

    def floors(self, world_price: Array) -> Flags:
        """Where a rung lifts the zone price above the world price, (L, T, W)."""
        return np.asarray(self.price > world_price * (1 + 1e-12))


def ladders_of(world: World) -> tuple[Ladder, ...]:
    """All products' ladders, free trade first."""
    rows: dict[str, list[Row]] = {p: [] for p in world.products}
    for r in world.tables["ladder"]:
        rows[r["product"]].append(r)
    return tuple(_ladder(world, k, sorted(rows[p], key=lambda r: r["step"])) for k, p in enumerate(world.products))


def _ladder(world: World, k: int, rows: list[Row]) -> Ladder:
    """Build the arrays of one product's ladder."""
    own = world.sources_of(k)
    pi = world.price[k]
    laws = [_law(world, k, own, None)] + [_law(world, k, own, r) for r in rows]
    price = np.stack([law.price for law in laws])
    selling = np.stack([law.selling for law in laws])
    levy = np.stack([law.levy for law in laws])
    exempt = np.stack([law.exempt_price for law in laws])
    capture = world.settings.economics.levy_capture
    gone = world.repealed  # (T, W): every rung acts as free trade
    free = [x[:1].repeat(len(laws), axis=0) for x in (price, levy, exempt)]
    price, levy, exempt = (np.where(gone, f, x) for f, x in zip(free, (price, levy, exempt), strict=True))
    selling = np.where(gone, selling[:1], selling)
    kept, forgone = demand_response(price, pi, float(world.elasticity[k]))
    offered = np.ones((len(laws), world.horizon.periods), dtype=bool)
    for rung, r in enumerate(rows, start=1):
        first, last = r["first_year"], r["last_year"]
        offered[rung] = world.horizon.covered(first if given(first) else None, last if given(last) else None)
        if given(r["legal_limit"]):
            base = pi[:, world.reference]
            duty = np.divide(price[rung, :, world.reference] - base, base, out=np.zeros_like(base), where=base > 0)
            offered[rung] &= duty <= r["legal_limit"] + 1e-12
    return Ladder(
        product=k,
        rungs=("free", *(r["rung"] for r in rows)),
        steps=(0, *(int(r["step"]) for r in rows)),
        kinds=("free", *(r["kind"] for r in rows)),
        rows=(None, *rows),
        sources=tuple(own),
        price=price,
        paid_dutiable=pi + (1 - capture) * (price - pi),
        paid_exempt=exempt,
        levy=levy,
        selling=selling,
        dutiable=np.stack([law.dutiable for law in laws]),
        kept=kept,
        forgone=forgone * pi,
        offered=offered,
    )


@dataclass(frozen=True)
class _Law:
    price: Array
    exempt_price: Array
    levy: Array
    selling: Flags
    dutiable: Flags


def _law(world: World, k: int, own: list[int], row: Row | None) -> _Law:
    """What one rung does, before any repeal: shapes (T, W), sources (O, T, W) and (O,)."""
    pi = world.price[k]
    cost = np.array([world.sources[o].cost for o in own]).reshape(len(own), world.horizon.periods, 1)
    country = [world.sources[o].country for o in own]
    nobody = np.zeros(len(own), dtype=bool)
    at_world = np.broadcast_to(cost <= pi * (1 + 1e-12), (len(own), *pi.shape))
    if row is None:
        return _Law(pi, pi, np.zeros_like(pi), at_world, nobody)
    kind = row["kind"]
    price = np.maximum(pi, row["price"] / world.price_unit) if kind in ("reference", "minimum") else pi * (1 + row["rate"])
    at_price = np.broadcast_to(cost <= price * (1 + 1e-12), at_world.shape)
    if kind == "minimum":
        return _Law(price, price, np.zeros_like(pi), at_price, nobody)
    if kind == "standard":
        complies = np.array([world.sources[o].compliant for o in own], dtype=bool)[:, None, None]
        return _Law(price, price, np.zeros_like(pi), at_price & complies, nobody)
    exempt = np.array([c in row["exempt"] for c in country], dtype=bool)
    named = np.array([not row["origins"] or c in row["origins"] for c in country], dtype=bool)
    dutiable = named & ~exempt
    selling = np.where(dutiable[:, None, None], at_world, at_price)
    if kind == "tariff" and row["origins"]:
        holds = _untaxed_fall_short(world, k, own, dutiable)
        price = np.where(holds, price, pi)
        untaxed_only = at_world & ~dutiable[:, None, None]
        selling = np.where(holds, selling, untaxed_only)
    return _Law(price, price, price - pi, selling, dutiable)


def _untaxed_fall_short(world: World, k: int, own: list[int], dutiable: Flags) -> Flags:
    """Whether the untaxed sources can't cover demand and running users' intake less zone output at world prices, (T, W)."""
    need = world.demand[:, k].sum(axis=0)
    for f, plant in enumerate(world.plants):
        if not plant.candidate and world.flow[f, k] != 0:
            margin = np.einsum("k,ktw->tw", world.flow[f], world.price) + plant.premium - plant.opex[:, None]
            need = need - world.flow[f, k] * plant.capacity * world.output[f, 0] * (margin >= -1e-9)
    for x, o in enumerate(own):
        if not dutiable[x]:
            source = world.sources[o]
            need = need - source.available * (source.cost[:, None] <= world.price[k] * (1 + 1e-12))
    return np.asarray(need > 0)


def demand_response(price: Array, world_price: Array, elasticity: float) -> tuple[Array, Array]:
    """Demand kept q = (P/π)^−ε and use value forgone per tonne of D0, as a share of π (both the shape of `price`)."""
    ratio = np.divide(price, world_price, out=np.ones_like(price), where=world_price > 0)
    if elasticity == 0:
        return np.ones_like(price), np.zeros_like(price)
    kept = ratio**-elasticity
    if abs(elasticity - 1) < 1e-12:
        return kept, -np.log(kept)
    power = 1 - 1 / elasticity
    return kept, (1 - kept**power) / power
