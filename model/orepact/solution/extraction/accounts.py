"""Money: the terms of the cost, what every member pays for what, and what users pay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.formulation.stockpile import site_place
from orepact.formulation.treasury import revenue
from orepact.market.horizon import Array
from orepact.solution.extraction.outturn import Outturn, settled
from orepact.solution.indicators import REVENUE
from orepact.solution.schema import EXPECTED

Row = dict[str, Any]
Account = tuple[int, str, int]
"""Member, instrument, and the plant it is for (-1: none)."""


def payments(out: Outturn) -> dict[Account, Array]:
    """What each member pays (T, W), scaled money per year, revenue negative; nothing for the planner.

    A grant is spread evenly over the years of the period in which building starts.
    """
    if out.planner:
        return {}
    world = out.world
    found: dict[Account, Array] = defaultdict(lambda: np.zeros((world.horizon.periods, len(world.scenarios))))
    for signed in out.signed:
        if signed.volume > 0:
            instrument = out.case.market.contracts[signed.deal.contract]["instrument"]
            found[signed.payer, instrument, signed.facility] += signed.deal.pay * signed.volume
        if signed.grant > 0:
            found[signed.payer, "grant", signed.facility][signed.deal.start] += signed.grant / float(world.horizon.length[signed.deal.start])
    for plan in out.plans:
        model, case = plan.built.model, plan.built.case
        for (m, instrument, t, w), column in model.treasury.spending.items():
            if instrument in ("stockpile", "intervention"):
                found[m, instrument, -1][t, w] += plan.values[column]
        for m, earned in enumerate(revenue(model, case).value(plan.values).reshape(world.members, *case.span)):
            found[m, "levy", -1] -= earned
    for s, site in enumerate(world.stock_sites):
        for m, share in out.case.carriers(site_place(out.case, s)):
            earned = share * world.price[site.product] * out.released[s]
            found[m, "release", -1] -= earned
            found[m, "levy", -1] += earned  # `revenue` counts both
    shown = np.zeros(len(world.scenarios))
    shown[list(out.scenarios)] = 1.0
    return {account: amounts for account, raw in found.items() if (amounts := settled(raw * shown)).any()}


def payment_rows(out: Outturn, accounts: dict[Account, Array]) -> Iterator[Row]:
    """The payments table: every scenario, and the mean."""
    world = out.world
    for (m, instrument, f), amounts in accounts.items():
        expected = out.expected(amounts)
        for t, year in enumerate(world.horizon.start.tolist()):
            named = [(world.scenarios[w], amounts[t, w]) for w in out.scenarios]
            for scenario, amount in (*named, (EXPECTED, expected[t])):
                if amount:
                    yield {
                        "member": world.nodes[m],
                        "instrument": instrument,
                        "facility": world.plants[f].code if f >= 0 else "",
                        "first_year": year,
                        "scenario": scenario,
                        "usd_a": float(amount) * world.money_unit,
                    }


def expected_costs(out: Outturn) -> dict[str, float]:
    """Expected discounted USD by cost term."""
    return {term: float(out.expected(cost).sum()) * out.world.money_unit for term, cost in out.costs.items()}


def cost_rows(out: Outturn, before: Outturn | None) -> Iterator[Row]:
    """The cost terms of every scenario, and the mean, by period; what is zero with and without policy is left out."""
    world, nothing = out.world, np.zeros((out.world.horizon.periods, len(out.world.scenarios)))
    for term in dict.fromkeys([*out.costs, *(before.costs if before else ())]):
        own = out.costs.get(term, nothing)
        former = before.costs.get(term, nothing) if before else nothing
        means = out.expected(own), out.expected(former)
        for t, year in enumerate(world.horizon.start.tolist()):
            cells = [(world.scenarios[w], own[t, w], former[t, w] if before and w in before.scenarios else None) for w in out.scenarios]
            for scenario, usd, usd_before in (*cells, (EXPECTED, means[0][t], means[1][t] if before else None)):
                if usd or usd_before:
                    yield {
                        "term": term,
                        "first_year": year,
                        "scenario": scenario,
                        "usd": float(usd) * world.money_unit,
                        "before_usd": None if usd_before is None else float(usd_before) * world.money_unit,
                    }


def user_bill(out: Outturn) -> float:
    """What members' users pay for final demand at the zone's prices, expected and discounted, USD."""
    world = out.world
    bill = np.einsum("iktw,ktw->tw", out.demand[: world.members], out.price)
    return float(world.discount @ out.expected(bill)) * world.money_unit


def outlay(out: Outturn, accounts: dict[Account, Array]) -> Array:
    """Public spending in each scenario (W,), gross of revenue, summed over the years, undiscounted, scaled money."""
    spent = [amounts for (_, instrument, _), amounts in accounts.items() if instrument not in REVENUE]
    return np.asarray(out.world.horizon.length @ sum(spent, start=np.zeros((out.world.horizon.periods, len(out.world.scenarios)))))
