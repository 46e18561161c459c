"""The policy itself: rungs in force, contracts signed, grants paid, stock held. The planner has none of the first three."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.instance.schema import ZONE
from orepact.market.plants import life_of
from orepact.market.shocks import given
from orepact.solution.extraction.outturn import Outturn, Signed

Row = dict[str, Any]


def rungs(out: Outturn) -> list[Row]:
    """The rung of every product and period, with prices in the reference scenario."""
    if out.planner:
        return []
    world, rows = out.world, []
    for k, ladder in enumerate(out.case.market.ladders):
        for t, rung in enumerate(out.plan.path.rungs[k]):
            kind, row = ladder.kinds[rung], ladder.rows[rung]
            level = None if row is None else row["price" if kind in ("reference", "minimum") else "rate"]
            rows.append(
                {
                    "product": world.products[k],
                    "first_year": int(world.horizon.start[t]),
                    "rung": ladder.rungs[rung],
                    "kind": kind,
                    "world_price": float(world.price[k, t, world.reference]) * world.price_unit,
                    "zone_price": float(ladder.price[rung, t, world.reference]) * world.price_unit,
                    "level": level,
                }
            )
    return rows


def rung_mix(out: Outturn) -> list[Row]:
    """Weights of the rungs between which the planner chooses its prices."""
    if not out.planner:
        return []
    world = out.world
    return [
        {"product": world.products[k], "first_year": int(world.horizon.start[t]), "rung": ladder.rungs[l], "weight": float(out.rungs[k][l, t])}
        for k, ladder in enumerate(out.case.market.ladders)
        for t in out.case.periods
        for l in range(len(ladder.rungs))
        if out.rungs[k][l, t] > 0
    ]


def offers(out: Outturn) -> list[Row]:
    """Deals in force, one row per plant, contract and payer."""
    world = out.world
    held: dict[tuple[int, int, int], NDArray[np.float64]] = defaultdict(lambda: np.zeros(3))
    for signed in out.signed:
        held[signed.facility, signed.deal.contract, signed.payer] += signed.weight, signed.volume, signed.grant
    return [
        {
            "facility": world.plants[f].code,
            "contract": out.case.market.contracts[n]["contract"] if n >= 0 else "",
            "payer": world.nodes[payer] if payer >= 0 else "",
            "weight": float(weight),
            "volume_t_a": float(volume) * world.mass_unit,
            "grant_usd": float(grant) * world.money_unit,
        }
        for (f, n, payer), (weight, volume, grant) in held.items()
    ]


def contracts(out: Outturn) -> list[Row]:
    """Contracts in force, one row per plant, contract and payer."""
    world = out.world
    held: dict[tuple[int, int, int], list[Signed]] = defaultdict(list)
    for signed in out.signed:
        if signed.volume > 0:
            held[signed.facility, signed.deal.contract, signed.payer].append(signed)
    rows = []
    for (f, n, payer), parts in held.items():
        plant, terms, first = world.plants[f], out.case.market.contracts[n], parts[0]
        volume = sum(part.volume for part in parts)
        paid = sum((part.deal.pay * part.volume for part in parts), start=np.zeros_like(first.deal.pay)) * world.money_unit
        years = _years_in_force(out, first)
        rows.append(
            {
                "facility": plant.code,
                "contract": terms["contract"],
                "instrument": terms["instrument"],
                "payer": world.nodes[payer],
                "start_year": int(world.horizon.start[first.deal.start]) if plant.candidate else None,
                "weight": sum(part.weight for part in parts),
                "volume_t_a": volume * world.mass_unit,
                "share_of_capacity": volume / plant.capacity,
                "strike": terms["strike"],
                "premium": terms["premium"],
                "upside_share": terms["upside_share"],
                "ceiling": terms["ceiling"] if given(terms["ceiling"]) or not terms["upside_share"] else terms["strike"],
                "window": terms["window"],
                "expected_payment_usd_a": float(world.horizon.length @ out.expected(paid)) / years if years > 0 else 0.0,
                "worst_payment_usd_a": float(paid[:, out.scenarios].max()),
            }
        )
    return rows


def _years_in_force(out: Outturn, signed: Signed) -> float:
    """Expected years of the horizon in which a contract pays."""
    world, plant = out.world, out.world.plants[signed.facility]
    window = out.case.market.contracts[signed.deal.contract]["window"]
    horizon, years = world.horizon, 0.0
    for w in np.flatnonzero(world.probability):
        opening = float(world.first_output[signed.facility, signed.deal.start, w])
        begin = opening if plant.candidate else max(opening, float(horizon.start[0]))
        end = min(life_of(plant, opening), begin + float(window) if given(window) else np.inf)
        years += float(world.probability[w] * (horizon.length @ horizon.share(begin, end)))
    return years


def grants(out: Outturn) -> list[Row]:
    """Grants, one row per plant and payer."""
    paid: dict[tuple[int, int, int], float] = defaultdict(float)
    for signed in out.signed:
        if signed.grant > 0:
            paid[signed.facility, signed.payer, signed.deal.start] += signed.grant
    return [
        {
            "facility": out.world.plants[f].code,
            "payer": out.world.nodes[payer],
            "start_year": int(out.world.horizon.start[start]),
            "grant_usd": grant * out.world.money_unit,
            "share_of_capex": grant / out.world.plants[f].capex,
        }
        for (f, payer, start), grant in paid.items()
    ]


def stock(out: Outturn) -> Iterator[Row]:
    """Every stock that may be held, in every period and scenario."""
    world = out.world
    for s, site in enumerate(world.stock_sites):
        for t, year in enumerate(world.horizon.start.tolist()):
            for w in out.scenarios:
                yield {
                    "product": world.products[site.product],
                    "country": ZONE if site.node < 0 else world.nodes[site.node],
                    "first_year": year,
                    "scenario": world.scenarios[w],
                    "level_t": float(out.level[s, t, w]) * world.mass_unit,
                    "purchase_t_a": float(out.bought[s, t]) * world.mass_unit,
                    "release_t_a": float(out.released[s, t, w]) * world.mass_unit,
                }
