"""Time, for the verifier: periods, yearly series, discounting. Everything is in years, t and USD."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.options import Settings

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Row = Mapping[str, Any]


class Timeline:
    """Periods of the horizon: `start` and `length` (T,) in years, `years` (Y,), `average` (T, Y) takes yearly to period means."""

    def __init__(self, settings: Settings) -> None:
        self.length = np.array(settings.horizon.period_years, dtype=float)
        self.start = settings.horizon.start_year + np.cumsum(self.length) - self.length
        self.finish = self.start + self.length
        self.years = np.arange(self.start[0], self.finish[-1])
        inside = (self.years >= self.start[:, None]) & (self.years < self.finish[:, None])
        self.average = inside / self.length[:, None]
        self.index = {int(year): t for t, year in enumerate(self.start)}

    def discount(self, rate: float) -> Array:
        """Weight of a dollar a year through each period (T,): its years, discounted from the period's middle."""
        return np.asarray(self.length / (1 + rate) ** (self.start - self.start[0] + self.length / 2))

    def discounts(self, rates: Array) -> Array:
        """The same for several rates (N, T)."""
        middle = self.start - self.start[0] + self.length / 2
        return np.asarray(self.length / (1 + rates[:, None]) ** middle)

    def yearly(self, points: Iterable[tuple[float, float]]) -> Array:
        """A series on every year, linear between its points and held outside."""
        ordered = sorted(points)
        return np.interp(self.years, [year for year, _ in ordered], [value for _, value in ordered])

    def active(self, row: Row) -> Flags:
        """Calendar years between a row's first and last year."""
        return _between(self.years, row)

    def covers(self, row: Row) -> Flags:
        """Periods that start between a row's first and last year."""
        return _between(self.start, row)


def _between(years: Array, row: Row) -> Flags:
    first, last = row["first_year"], row["last_year"]
    return np.asarray((years >= (-np.inf if first is None else first)) & (years <= (np.inf if last is None else last)))


def annuity(rate: Array | float, years: Array | float) -> Array:
    """Yearly payment that repays a dollar over so many years at a rate."""
    rate, years = np.broadcast_arrays(np.asarray(rate, dtype=float), np.asarray(years, dtype=float))
    growing = rate > 0
    safe = np.where(growing, rate, 1.0)
    return np.asarray(np.where(growing, safe / (1 - (1 + safe) ** -years), 1 / years))
