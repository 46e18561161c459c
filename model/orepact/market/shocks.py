"""What happens in a scenario, as multipliers per calendar year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orepact.instance.schema import ALL
from orepact.market.horizon import Array, Horizon

Row = dict[str, Any]


def given(value: Any) -> bool:
    """Whether a cell that may be blank was filled in."""
    return value is not None and not (np.isscalar(value) and value != value) and value is not pd.NA


@dataclass(frozen=True)
class Shocks:
    """The shocks table by scenario; years outside the horizon never matter."""

    scenarios: tuple[str, ...]
    by_scenario: tuple[tuple[Row, ...], ...]
    horizon: Horizon

    @classmethod
    def of(cls, rows: list[Row], scenarios: tuple[str, ...], horizon: Horizon) -> Shocks:
        return cls(scenarios, tuple(tuple(r for r in rows if r["scenario"] == s) for s in scenarios), horizon)

    def _active(self, row: Row) -> NDArray[np.bool_]:
        first, last = row["first_year"], row["last_year"]
        return self.horizon.active(float(first) if given(first) else None, float(last) if given(last) else None)

    def multiplier(self, w: int, kind: str, product: str, country: str | tuple[str, ...] | None = None, facility: str | None = None) -> Array:
        """Product of the multipliers of one kind that apply, per calendar year; countries may be a host and its treasury."""
        factor = np.ones(len(self.horizon.years))
        for r in self.by_scenario[w]:
            if r["kind"] == kind and _applies(r, product, country, facility):
                factor = np.where(self._active(r), factor * float(r["value"]), factor)
        return factor

    def cases(self, w: int, kind: str, product: str, country: str | None) -> list[tuple[str, NDArray[np.bool_]]]:
        """Named price or demand cases that replace the base case, with the years in which they do."""
        return [(r["case"], self._active(r)) for r in self.by_scenario[w] if r["kind"] == kind and _applies(r, product, country, None)]

    def delay(self, w: int, product: str, country: tuple[str, ...], facility: str) -> float:
        """Years by which a candidate's first output comes later."""
        return float(sum(r["value"] for r in self.by_scenario[w] if r["kind"] == "delay" and _applies(r, product, country, facility)))

    def cuts_supply(self, w: int) -> bool:
        return any(r["kind"] == "supply" and r["value"] < 1 for r in self.by_scenario[w])

    def longest_cut(self, w: int, products: list[str]) -> float:
        """Years of the longest supply cut on any of the products, within the horizon."""
        years = [
            int(self._active(r).sum())
            for r in self.by_scenario[w]
            if r["kind"] == "supply" and r["value"] < 1 and (r["product"] == ALL or r["product"] in products)
        ]
        return float(max(years, default=0))

    def repealed(self, horizon: Horizon) -> NDArray[np.bool_]:
        """Periods and scenarios (T, W) in which every price measure has ended."""
        gone = np.zeros((horizon.periods, len(self.scenarios)), dtype=bool)
        for w, rows in enumerate(self.by_scenario):
            for r in rows:
                if r["kind"] == "repeal":
                    first, last = r["first_year"], r["last_year"]
                    gone[:, w] |= horizon.covered(first if given(first) else None, last if given(last) else None)
        return gone


def _applies(row: Row, product: str, country: str | tuple[str, ...] | None, facility: str | None) -> bool:
    if row["product"] not in (ALL, product):
        return False
    if country is not None and row["country"] != ALL and row["country"] not in ((country,) if isinstance(country, str) else country):
        return False
    return facility is None or row["facility"] in (ALL, facility)
