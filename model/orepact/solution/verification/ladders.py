"""What every rung of a product's ladder does to prices, sellers, levies and demand, worked out anew.

    free        P = π                      reference, minimum   P = max(π, F)
    tariff      P = π (1 + rate)           standard             P = π (1 + premium)

Sources sell if their cost is at most π where they pay the levy P − π, at most P where they don't.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orepact.instance.given import Row
from orepact.solution.verification.facts import ALIKE, Facts
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.timeline import Array, Flags

FREE = "free"


@dataclass(frozen=True)
class Ladder:
    """Rungs of one product (L), free trade first, with its sources (O of the product): `price`, `kept`, `forgone` (L, T, W);
    `sells` (L, O, T, W); `taxed` (L, O); `offered` (L, T). `forgone` is the value lost per tonne of demand at world prices."""

    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    steps: tuple[int, ...]
    levels: tuple[float | None, ...]
    price: Array
    kept: Array
    forgone: Array
    sells: Flags
    taxed: Flags
    offered: Flags

    @cached_property
    def number(self) -> dict[str, int]:
        """Rung by code."""
        return {code: number for number, code in enumerate(self.codes)}


def ladders_of(facts: Facts, plants: Plants) -> list[Ladder]:
    """Every product's ladder."""
    running = plants.margin(facts.pi) >= -ALIKE * plants.gross(facts.pi)
    return [_ladder(facts, plants, running, k) for k in range(facts.K)]


def _ladder(facts: Facts, plants: Plants, running: Flags, k: int) -> Ladder:
    pi, own = facts.pi[k], np.flatnonzero(facts.sold == k)
    rows: list[Row | None] = [None, *sorted((r for r in facts.rows["ladder"] if r["product"] == facts.products[k]), key=lambda r: r["step"])]
    price = np.stack([pi] * len(rows))
    cost = facts.cost[own][:, :, None]
    at_world = np.broadcast_to(cost <= pi * (1 + 1e-12), (len(own), facts.T, facts.W))
    sells = np.stack([at_world] * len(rows))
    taxed = np.zeros((len(rows), len(own)), dtype=bool)
    offered = np.ones((len(rows), facts.T), dtype=bool)
    for n, r in enumerate(rows):
        if r is None:
            continue
        lifted = np.maximum(pi, r["price"]) if r["kind"] in ("reference", "minimum") else pi * (1 + r["rate"])
        at_price = cost <= lifted * (1 + 1e-12)
        if r["kind"] == "standard":
            sells[n] = at_price & facts.compliant[own][:, None, None]
        elif r["kind"] == "minimum":
            sells[n] = at_price
        else:
            named = [not r["origins"] or facts.seller[o] in r["origins"] for o in own]
            taxed[n] = np.array(named, dtype=bool) & ~np.array([facts.seller[o] in r["exempt"] for o in own], dtype=bool)
            sells[n] = np.where(taxed[n][:, None, None], at_world, at_price)
            if r["kind"] == "tariff" and r["origins"]:
                bites = _untaxed_fall_short(facts, plants, running, k, own[~taxed[n]])
                sells[n] = np.where(bites, sells[n], at_world & ~taxed[n][:, None, None])
                lifted = np.where(bites, lifted, pi)
        price[n] = np.where(facts.repealed, pi, lifted)
        sells[n] = np.where(facts.repealed, at_world, sells[n])
        offered[n] = facts.time.covers(r)
        if r["legal_limit"] is not None:
            base = pi[:, facts.ref]
            duty = (price[n][:, facts.ref] - base) / np.where(base > 0, base, 1.0)
            offered[n] &= (base <= 0) | (duty <= r["legal_limit"] + 1e-12)
    kept, forgone = demand_response(price, pi, float(facts.rows["products"][k]["elasticity"]))
    return Ladder(
        codes=(FREE, *(r["rung"] for r in rows if r)),
        kinds=(FREE, *(r["kind"] for r in rows if r)),
        steps=(0, *(int(r["step"]) for r in rows if r)),
        levels=(None, *(r["price" if r["kind"] in ("reference", "minimum") else "rate"] for r in rows if r)),
        price=price,
        kept=kept,
        forgone=forgone * pi,
        sells=sells,
        taxed=taxed,
        offered=offered,
    )


def _untaxed_fall_short(facts: Facts, plants: Plants, running: Flags, k: int, untaxed: Array) -> Flags:
    """Whether what the untaxed have at world prices is less than demand and running users take beyond the zone's own output."""
    need = facts.D0[:, k].sum(axis=0)
    for f in np.flatnonzero(~plants.candidate & (plants.a[:, k] != 0)):
        need = need - plants.a[f, k] * plants.most[f] * running[f]
    supply = np.zeros_like(need)
    for o in untaxed.astype(int):
        supply = supply + facts.available[o] * (facts.cost[o][:, None] <= facts.pi[k] * (1 + 1e-12))
    return np.asarray(need > supply)


def demand_response(price: Array, world: Array, elasticity: float) -> tuple[Array, Array]:
    """Demand that remains and the value of the use forgone, as shares of demand and its value at world prices."""
    if elasticity == 0:
        return np.ones_like(price), np.zeros_like(price)
    log = np.log(np.where(world > 0, price / np.where(world > 0, world, 1.0), 1.0))
    kept = np.exp(-elasticity * log)
    if abs(elasticity - 1) < 1e-12:
        return kept, log
    return kept, -np.expm1((1 - elasticity) * log) / (1 - 1 / elasticity)
