"""Feasible but mad: what makes a plan hard to believe although every rule holds, in sentences.

Read from the finished tables, so that every sentence can be checked against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from orepact.instance.schema import ALL
from orepact.market.shocks import given
from orepact.solution.extraction.outturn import Outturn
from orepact.solver.examine import Record

CARRIES = 0.05
"""Share of the cost, or of the output of a product, from which shortage or glut is said to carry a plan."""

MOST = 4
"""Things named in one sentence."""


def doubts(out: Outturn, tables: Mapping[str, pd.DataFrame], costs: Mapping[str, float], records: Iterable[Record], gap: float) -> tuple[str, ...]:
    """Every doubt about a plan; `gap` is the relative gap asked for."""
    found = [*_shortage(costs), *_glut(tables["balance"]), *_assumed(out, tables)]
    if not out.planner:
        found += [*_last_rungs(out, tables["rungs"]), *_last_contracts(out, tables["contracts"]), *_twins(out, records, gap)]
    return tuple(found)


def _shortage(costs: Mapping[str, float]) -> Iterator[str]:
    whole, short = sum(abs(usd) for usd in costs.values()), costs.get("shortage", 0.0)
    if whole > 0 and short > CARRIES * whole:
        yield (
            f"SHORTAGE CARRIES THIS PLAN: going without makes up {100 * short / whole:.0f} % of its cost. "
            "The answer hangs on what shortage_costs says a missing tonne is worth."
        )


def _glut(balance: pd.DataFrame) -> Iterator[str]:
    """Products of which much is made only to be bought up or dumped, in the worst scenario."""
    for product, rows in balance.groupby("product", sort=False):
        sums = rows.groupby("scenario")[["made", "glut", "overflow"]].sum()
        sums = sums[sums["made"] > 0]
        share = (sums["glut"] + sums["overflow"]) / sums["made"]
        if len(share) and share.max() > CARRIES:
            worst = str(share.idxmax())
            bought, dumped = float(sums["glut"][worst]), float(sums["overflow"][worst])
            how = "bought up by treasuries and resold at a loss" if bought > dumped else "dumped outside at a loss"
            yield f"GLUT: in {worst}, {100 * share.max():.0f} % of the {product} that the zone makes is {how}."


def _last_rungs(out: Outturn, rungs: pd.DataFrame) -> Iterator[str]:
    """Rungs in force that are the highest of their kind that the ladder has: a higher one was never tried."""
    ends = []
    for k, ladder in enumerate(out.case.market.ladders):
        product = out.world.products[k]
        for kind in dict.fromkeys(ladder.kinds[1:]):
            last = [name for name, own in zip(ladder.rungs, ladder.kinds, strict=True) if own == kind][-1]
            if ((rungs["product"] == product) & (rungs["rung"] == last)).any():
                ends.append(f"{product} at {last}")
    if ends:
        yield f"At the end of the ladder: {_some(ends)}. The highest rung of its kind is in force; extend the table ladder to see whether a higher one does better."


def _last_contracts(out: Outturn, contracts: pd.DataFrame) -> Iterator[str]:
    """Contracts signed at the highest strike or premium that the menu has for the product, or for all that they may cover."""
    menu, ends = out.world.tables["contracts"], []
    products = {plant.code: out.world.products[plant.main] for plant in out.world.plants}
    by_code = {row["contract"]: row for row in menu}
    for signed in contracts.to_dict("records"):
        row, product = by_code[signed["contract"]], products[signed["facility"]]
        rivals = [r for r in menu if ALL in r["products"] or product in r["products"]]
        column = "strike" if given(row["strike"]) else "premium"
        highest = max((r[column] for r in rivals if given(r[column])), default=None)
        if row["max_share"] < 1 and signed["share_of_capacity"] >= row["max_share"] * signed["weight"] * (1 - 1e-6):
            ends.append(f"{signed['facility']} at the largest share of {signed['contract']}")
        elif len(rivals) > 1 and row[column] == highest:
            ends.append(f"{signed['facility']} on {signed['contract']}, the highest {column} for {product}")
    if ends:
        yield f"At the end of the contract menu: {_some(ends)}. Extend the table contracts to see whether more does better."


def _twins(out: Outturn, records: Iterable[Record], gap: float) -> Iterator[str]:
    """Other price paths with a plan that the gap can't tell from this one."""
    best, path = out.plan.objective, out.plan.path
    near = [r for r in records if r.path != path and r.objective is not None and r.objective <= best + max(gap, 1e-9) * abs(best)]
    if near:
        names = [r.path.label for r in sorted(near, key=lambda r: r.objective or 0.0)]
        yield f"Within the gap of {100 * gap:g} % of this plan, and so not told from it: {_some(names)}. Ask for a smaller gap, or look at both."


def _assumed(out: Outturn, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """What binds and rests on figures that somebody assumed."""
    weak = _weak(out.world.tables["targets"], "target") & set(tables["targets"].loc[tables["targets"]["binding"], "target"])
    named = [f"target {name}" for name in sorted(weak)]
    limits = tables["limits"][tables["limits"]["binding"]]
    supply = {f"{r['product']} {r['country']}" for r in out.world.tables["outside_supply"] if r["quality"] == "assumed"}
    named += [f"supply of {name}" for name in sorted(supply & set(limits.loc[limits["kind"] == "supply", "name"]))]
    budgets = {f"{r['member']} {r['instrument']}" for r in out.world.tables["budgets"] if r["quality"] == "assumed"}
    named += [f"budget {name}" for name in sorted(budgets & set(limits.loc[limits["kind"] == "budget", "name"]))]
    if named:
        yield f"What binds rests on assumed figures: {_some(named)}. `orepact sensitivity` says what they are worth."


def _weak(rows: Iterable[Mapping[str, Any]], key: str) -> set[str]:
    return {str(row[key]) for row in rows if row["quality"] == "assumed"}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{'; '.join(names[:MOST])}{more}"
