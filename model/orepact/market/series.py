"""Yearly series of the tables as means per period, under every scenario's cases and multipliers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from orepact.market.horizon import Array, Horizon
from orepact.market.shocks import Row, Shocks


def by(rows: list[Row], column: str, codes: Iterable[str]) -> Iterator[tuple[str, list[Row]]]:
    """Rows by what they say in a column, for each of the codes in turn."""
    found: dict[str, list[Row]] = {}
    for r in rows:
        found.setdefault(r[column], []).append(r)
    return ((code, found.get(code, [])) for code in codes)


def points(rows: list[Row], column: str, horizon: Horizon, **match: str) -> Array:
    """Period means (T,) of the series of the rows that match; zero if there is none."""
    known = [(r["year"], r[column]) for r in rows if all(r[c] == v for c, v in match.items())]
    return horizon.mean(horizon.series(known)) if known else np.zeros(horizon.periods)


def series_with_shocks(rows: list[Row], kind: str, shocks: Shocks, horizon: Horizon, product: str, country: str | None = None) -> Array:
    """Period means (T, W) of the price or demand series of a product (and country) that the rows give, under every scenario."""
    by_case: dict[str, list[tuple[float, float]]] = {}
    for r in rows:
        by_case.setdefault(r["case"], []).append((r["year"], r[kind]))
    if not by_case:
        return np.zeros((horizon.periods, len(shocks.scenarios)))
    cases = {case: horizon.series(known) for case, known in by_case.items()}
    base = cases.get("base", np.zeros(len(horizon.years)))
    yearly = np.empty((len(shocks.scenarios), len(base)))
    for w in range(len(yearly)):
        yearly[w] = base
        for case, active in shocks.cases(w, f"{kind}_case", product, country):
            if case in cases:
                yearly[w, active] = cases[case][active]
        yearly[w] *= shocks.multiplier(w, kind, product=product, country=country)
    return horizon.mean(yearly).T


def material_cost(rows: dict[str, list[Row]], horizon: Horizon) -> dict[str, Array]:
    """Raw-material cost per process, USD per t of main output, (T,)."""
    cost: dict[str, Array] = {}
    for r in rows["process_materials"]:
        price = points(rows["raw_materials"], "price", horizon, material=r["material"])
        cost[r["process"]] = cost.get(r["process"], np.zeros(horizon.periods)) + r["amount"] * price
    return cost
