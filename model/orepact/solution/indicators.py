"""The figures that sum a plan up, by name: what each means, and those that the tables already show.

Three of them are scoreboards (welfare: `extra_cost_usd`; budget: `public_outlay_usd` less `public_revenue_usd`;
users: `user_bill_usd`). They count the same money from three sides and are never added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import pandas as pd

from orepact.options import Settings
from orepact.solution.schema import EXPECTED
from orepact.solution.tables import complete

REVENUE = ("levy", "release")
"""Instruments in the payments table that bring money in."""


@dataclass(frozen=True)
class Indicator:
    """What one figure means."""

    unit: str
    description: str


INDICATORS: Mapping[str, Indicator] = MappingProxyType(
    {
        "extra_cost_usd": Indicator("USD", "welfare board: cost of the plan less cost without policy, expected and discounted"),
        "public_outlay_usd": Indicator("USD", "budget board: public spending of all members, grants included, gross of revenue, expected and discounted"),
        "public_revenue_usd": Indicator("USD", "budget board: revenue from levies and stock released, expected and discounted"),
        "user_bill_usd": Indicator("USD", "user board: what users pay for final demand at the zone's prices, expected and discounted"),
        "user_bill_before_usd": Indicator("USD", "the same without policy"),
        "shortage_t": Indicator("t", "expected demand that goes without, all products, sum over years"),
        "shortage_before_t": Indicator("t", "the same without policy"),
        "targets": Indicator("", "number of targets and caps"),
        "targets_met": Indicator("", "targets and caps met in every case, period and normal scenario"),
        "targets_met_before": Indicator("", "the same without policy"),
        "assumed_share": Indicator("1", "share of the instance's figures that are assumed"),
    }
)
"""Every indicator a solution may carry."""


def period_years(settings: Settings) -> dict[int, int]:
    """Years in each period, by its first year."""
    lengths = settings.horizon.period_years
    return dict(zip(accumulate(lengths[:-1], initial=settings.horizon.start_year), lengths, strict=True))


def derived_indicators(tables: Mapping[str, Any], settings: Settings, objective: float | None, baseline: Mapping[str, Any]) -> dict[str, float]:
    """The indicators that follow from the tables of a plan; those that need a baseline are left out without one."""
    tables = complete(tables)
    found = _target_counts(tables["targets"]) | _money(tables["payments"], settings)
    before = baseline.get("objective")
    if objective is not None and before is not None:
        found["extra_cost_usd"] = objective - float(before)
    scenarios = tables["scenarios"]
    if len(scenarios):
        found["shortage_t"] = float((scenarios["probability"] * scenarios["shortage_t"]).sum())
        if scenarios["before_shortage_t"].notna().any():
            found["shortage_before_t"] = float((scenarios["probability"] * scenarios["before_shortage_t"]).sum())
    return found | input_quality(tables["sources"])


def input_quality(sources: pd.DataFrame) -> dict[str, float]:
    """Which share of the instance's figures is assumed; nothing where no figure has a quality."""
    figures = int(sources["figures"].sum())
    return {"assumed_share": float((sources["figures"] * sources["assumed_share"]).sum()) / figures} if figures else {}


def _target_counts(targets: pd.DataFrame) -> dict[str, float]:
    missed = targets.loc[targets["slack"] < -tolerance(targets["value"]), "target"]
    names = targets["target"].nunique()
    counts = {"targets": float(names), "targets_met": float(names - missed.nunique())}
    if targets["before"].notna().any():
        counts["targets_met_before"] = float(names - targets.loc[missed_before(targets), "target"].nunique())
    return counts


def tolerance(values: pd.Series[Any]) -> pd.Series[Any]:
    """How far below its requirement a target may stay and still count as met: what a solver's tolerance leaves."""
    return 1e-6 * values.abs().clip(lower=1.0)


def missed_before(targets: pd.DataFrame) -> pd.Series[Any]:
    """Where a target or cap is missed without policy."""
    is_cap = targets["kind"] == "reliance_cap"
    room = (targets["before"] - targets["value"]).where(~is_cap, targets["value"] - targets["before"])
    return room < -tolerance(targets["value"])


def _money(payments: pd.DataFrame, settings: Settings) -> dict[str, float]:
    years = payments["first_year"].map(period_years(settings)).astype("float64")
    middle = payments["first_year"] - settings.horizon.start_year + years / 2
    discounted = payments["usd_a"] * years * (1 + settings.economics.social_rate) ** -middle
    expected, revenue = payments["scenario"] == EXPECTED, payments["instrument"].isin(REVENUE)
    return {
        "public_outlay_usd": float(discounted[expected & ~revenue].sum()),
        "public_revenue_usd": 0.0 - float(discounted[expected & revenue].sum()),
    }
