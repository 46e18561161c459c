"""Time: periods, discounting, and how a yearly series becomes one number per period.

Arrays are indexed by period t = 0..T-1. A yearly figure's value in a period is the mean over the period's calendar
years, each year's value being interpolated between the given years and multiplied by the shocks active in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Years = float | Array
"""Calendar years, or lengths in years, of one plant or of many (...)."""


@dataclass(frozen=True)
class Horizon:
    """Periods of the plan: `start` (first calendar year) and `length` (years), both of shape (T,)."""

    start: NDArray[np.int64]
    length: NDArray[np.int64]

    @classmethod
    def of(cls, first_year: int, period_years: Sequence[int]) -> Horizon:
        length = np.asarray(period_years, dtype=np.int64)
        start = first_year + np.concatenate([[0], np.cumsum(length)[:-1]])
        return cls(start.astype(np.int64), length)

    @property
    def periods(self) -> int:
        return len(self.start)

    @property
    def years(self) -> NDArray[np.int64]:
        """Every calendar year of the horizon."""
        return np.arange(self.start[0], self.start[-1] + self.length[-1])

    @property
    def end(self) -> int:
        """First year after the horizon."""
        return int(self.start[-1] + self.length[-1])

    def discount(self, rate: float) -> Array:
        """d_t = n_t (1+r)^-mid_t: weight of one dollar a year during period t, shape (T,)."""
        mid = self.start - self.start[0] + self.length / 2
        return np.asarray(self.length * (1.0 + rate) ** -mid)

    def mean(self, yearly: Array) -> Array:
        """Mean per period of a yearly array (..., years) → (..., T)."""
        edges = np.concatenate([[0], np.cumsum(self.length)[:-1]])
        return np.asarray(np.add.reduceat(yearly, edges, axis=-1) / self.length)

    def series(self, points: Iterable[tuple[float, float]]) -> Array:
        """Yearly values (years,) of a series given as (year, value) points: linear between, held outside."""
        ordered = sorted(points)
        return np.interp(self.years, [p[0] for p in ordered], [p[1] for p in ordered])

    def active(self, first: float | None, last: float | None) -> NDArray[np.bool_]:
        """Which calendar years lie in first..last, both inclusive; None is open."""
        lo = -np.inf if first is None else first
        hi = np.inf if last is None else last
        return np.asarray((self.years >= lo) & (self.years <= hi))

    def covered(self, first: float | None, last: float | None) -> NDArray[np.bool_]:
        """Periods whose first year lies in first..last: how rules with years apply, shape (T,)."""
        lo = -np.inf if first is None else first
        hi = np.inf if last is None else last
        return np.asarray((self.start >= lo) & (self.start <= hi))

    def overlap(self, begin: Years, finish: Years) -> tuple[Array, Array]:
        """Where [begin, finish) meets each period: lower and upper ends, shape (..., T) each (equal where it doesn't)."""
        low = np.maximum(self.start, np.asarray(begin, dtype=float)[..., None])
        high = np.minimum(self.start + self.length, np.asarray(finish, dtype=float)[..., None])
        return low, np.maximum(low, high)

    def share(self, begin: Years, finish: Years) -> Array:
        """Share of each period inside [begin, finish), shape (..., T)."""
        low, high = self.overlap(begin, finish)
        return np.asarray((high - low) / self.length)

    def ramped_share(self, begin: Years, finish: Years, ramp: Years) -> Array:
        """Share of full output in each period (..., T) of a plant that starts at `begin`, rises linearly over `ramp` years, ends at `finish`."""
        low, high = self.overlap(begin, finish)
        begun, rising = (np.asarray(x, dtype=float)[..., None] for x in (begin, ramp))
        at_once = (rising <= 0) | (begun == -np.inf)
        begun, rising = np.where(at_once, 0.0, begun), np.where(at_once, 1.0, rising)
        slow = _ramp_area(high - begun, rising) - _ramp_area(low - begun, rising)
        return np.asarray(np.where(at_once, high - low, slow) / self.length)


def recovery_factor(rate: float, years: float) -> float:
    """crf(r, n): the yearly payment that repays one dollar over n years at rate r; 1/n at r = 0."""
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def _ramp_area(age: Array, ramp: Array) -> Array:
    """Full-output years earned up to `age` by a plant that ramps up over `ramp` years."""
    return np.where(age < ramp, age * age / (2 * ramp), age - ramp / 2)
