"""The market behind the plan: prices in every scenario, who could sell each product at what cost, and what is inside what.

The supply table is drawn for the reference scenario. A plant's cost is the price of its main product at which it just covers its
cash cost, feed at the zone's prices and by-products credited: P_main less its margin. Outside sources sell at the world price, or
at their own cost where that is higher.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.formulation.targets.reliance import capped_sources, embodied_shares
from orepact.instance.schema import ALL
from orepact.market.deals import TIE
from orepact.market.horizon import recovery_factor
from orepact.market.shocks import given
from orepact.solution.extraction.outturn import NEGLIGIBLE, Outturn
from orepact.solution.extraction.plants import Owner

Row = dict[str, Any]


def prices(out: Outturn) -> Iterator[Row]:
    """World and zone price of every product, period and scenario."""
    world = out.world
    for k, product in enumerate(world.products):
        for t, year in enumerate(world.horizon.start.tolist()):
            for w in out.scenarios:
                yield {
                    "product": product,
                    "first_year": year,
                    "scenario": world.scenarios[w],
                    "world_price": float(world.price[k, t, w]) * world.price_unit,
                    "zone_price": float(out.price[k, t, w]) * world.price_unit,
                }


def additional(out: Outturn, before: Outturn | None) -> Iterator[Row]:
    """Expected output of every plant that makes anything with the plan or without policy."""
    world = out.world
    for f, plant in enumerate(world.plants):
        made = out.expected(out.activity[f]) * world.mass_unit
        former = None if before is None else before.expected(before.activity[f]) * world.mass_unit
        for t, year in enumerate(world.horizon.start.tolist()):
            if made[t] or (former is not None and former[t]):
                yield {
                    "facility": plant.code,
                    "first_year": year,
                    "output_t_a": float(made[t]),
                    "before_output_t_a": None if former is None else float(former[t]),
                }


def supply(out: Outturn, sides: list[Owner]) -> Iterator[Row]:
    """Everybody who could sell, reference scenario."""
    world = out.world
    for k in range(len(world.products)):
        for t, year in enumerate(world.horizon.start.tolist()):
            for row in (*_plants(out, sides, k, t), *_sources(out, k, t)):
                yield {"product": world.products[k], "first_year": year, **row}


def _plants(out: Outturn, sides: list[Owner], k: int, t: int) -> Iterator[Row]:
    world, w = out.world, out.world.reference
    for f, plant in enumerate(world.plants):
        if plant.main != k:
            continue
        possible = world.output[f, out.starts.get(f, 0)] if out.stands(f) else world.largest_output(f)
        if possible[t, w] <= 0:
            continue
        cost = float(out.price[k, t, w] - sides[f].margin[t, w])
        capital = plant.capex * recovery_factor(plant.hurdle, plant.life) / (plant.capacity * plant.availability) if plant.candidate else None
        yield {
            "seller": plant.code,
            "name": plant.name,
            "country": plant.country,
            "kind": "candidate" if plant.candidate else "existing",
            "available_t_a": plant.capacity * float(possible[t, w]) * world.mass_unit,
            "cost_usd_t": cost * world.price_unit,
            "full_cost_usd_t": None if capital is None else (cost + capital) * world.price_unit,
            "sold_t_a": float(out.activity[f, t, w]) * world.mass_unit,
            "state": _plant_state(out, sides[f], t),
        }


def _plant_state(out: Outturn, side: Owner, t: int) -> str:
    w = out.world.reference
    if not out.stands(side.f):
        return "kept out" if side.kept_out else "not built"
    earns = side.margin[t, w] >= -TIE
    if out.activity[side.f, t, w] <= NEGLIGIBLE:
        return "no feed" if out.idle[side.f, t, w] > NEGLIGIBLE else "idle" if earns else "loses money"
    if not earns:
        return "runs on a contract"
    return "runs in part" if out.idle[side.f, t, w] > NEGLIGIBLE else "runs"


def _sources(out: Outturn, k: int, t: int) -> Iterator[Row]:
    world, w = out.world, out.world.reference
    for o in world.sources_of(k):
        source = world.sources[o]
        offered, sold = float(source.available[t, w]), float(out.imports[o, :, t, w].sum())
        if offered <= 0:
            continue
        if out.available[o, t, w] <= 0:
            state = "too dear" if source.cost[t] > world.price[k, t, w] else "shut out"
        else:
            state = "sold out" if sold >= offered * (1 - 1e-6) else "sells" if sold > NEGLIGIBLE else "not needed"
        yield {
            "seller": source.country,
            "name": str(world.countries[source.country]["name"] or source.country),
            "country": source.country,
            "kind": "outside",
            "available_t_a": offered * world.mass_unit,
            "cost_usd_t": float(max(world.price[k, t, w], source.cost[t])) * world.price_unit,
            "full_cost_usd_t": None,
            "sold_t_a": sold * world.mass_unit,
            "state": state,
        }


def recipes(out: Outturn) -> list[Row]:
    """What each process uses and makes per tonne of its main output."""
    world, rows = out.world, {}
    for f, plant in enumerate(world.plants):
        for k in np.flatnonzero(world.flow[f]):
            rows[plant.process, int(k)] = float(world.flow[f, k])
    return [{"process": process, "product": world.products[k], "amount": amount} for (process, k), amount in rows.items()]


def origins(out: Outturn) -> Iterator[Row]:
    """Which country's feed stands behind what outside countries sell."""
    world = out.world
    countries = [capped_sources(out.case, {"source_country": ALL, "products": [product]}) for product in world.products]
    shares = [embodied_shares(out.case, k, named, True) for k, named in enumerate(countries)]
    for o, source in enumerate(world.sources):
        for k in np.flatnonzero(world.embodied[:, source.product] > 0).tolist():
            for country, amount in zip(countries[k], shares[k][:, o].tolist(), strict=True):
                if amount > 0:
                    yield {
                        "source": source.country,
                        "product": world.products[source.product],
                        "feed": world.products[k],
                        "origin": country,
                        "amount": amount,
                    }


def products(out: Outturn) -> list[Row]:
    """What products are called."""
    return [
        {"product": r["product"], "name": r["name"] if given(r["name"]) else "", "mineral": r["mineral"], "stage": r["stage"], "trade": r["trade"]}
        for r in out.world.tables["products"]
    ]


def countries(out: Outturn) -> list[Row]:
    """What countries are called, and on which side they stand."""
    return [
        {
            "country": code,
            "name": r["name"] if given(r["name"]) else "",
            "role": r["role"],
            "treasury": r["treasury"] if given(r["treasury"]) else "",
        }
        for code, r in out.world.countries.items()
    ]
