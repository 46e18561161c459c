"""Plants and when they can make what: the timing arrays A (output) and B (alive) behind every offer.

A_ftw = availability × share of period t after first output, rising over the ramp-up, within life × scenario's output factor.
B_ftw = share of period t after first output and within life, without ramp or scenario factor. A delay shifts both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.market.horizon import Array, Horizon, Years
from orepact.market.shocks import Shocks, given

Row = dict[str, Any]


@dataclass(frozen=True)
class Plant:
    """One row of `facilities` with what its process adds, in the world's scaled units; `opex` is (T,), raw materials included."""

    code: str
    name: str
    country: str
    process: str
    activities: tuple[str, ...]
    main: int
    candidate: bool
    capacity: float
    opening: float
    retirement: float
    earliest: float
    latest: float
    lead: float
    ramp: float
    life: float
    capex: float
    opex: Array
    premium: float
    hurdle: float
    foreign: float
    availability: float
    group: str | None


@dataclass(frozen=True)
class Timing:
    """When one plant can produce, per start τ: shapes (τ, T, W), `first_output` (τ, W)."""

    starts: tuple[int, ...]
    output: Array
    alive: Array
    tested: NDArray[np.bool_]
    first_output: Array


def plant_of(row: Row, main: int, activities: tuple[str, ...], materials: Array | float, horizon: Horizon, mass: float, per_tonne: float) -> Plant:
    """Read one row of `facilities`, scaling tonnes by `mass` and prices by `per_tonne`."""

    def number(column: str, blank: float) -> float:
        return float(row[column]) if given(row[column]) else blank

    candidate = row["status"] == "candidate"
    return Plant(
        code=row["facility"],
        name=row["name"] or row["facility"],
        country=row["country"],
        process=row["process"],
        activities=activities,
        main=main,
        candidate=candidate,
        capacity=float(row["capacity"]) / mass,
        opening=number("opening_year", -np.inf),
        retirement=number("retirement_year", np.inf),
        earliest=number("earliest_start", -np.inf),
        latest=number("latest_start", np.inf),
        lead=float(row["lead_time"]),
        ramp=float(row["ramp_up"]),
        life=float(row["lifetime"]),
        capex=float(row["capex"]) / (mass * per_tonne) if candidate else 0.0,
        opex=(float(row["opex"]) + np.zeros(horizon.periods) + materials) / per_tonne,
        premium=float(row["quality_premium"]) / per_tonne,
        hurdle=float(row["hurdle_rate"]),
        foreign=float(row["foreign_share"]),
        availability=float(row["availability"]),
        group=row["group"] if given(row["group"]) else None,
    )


def life_of(plant: Plant, first_output: Years) -> Years:
    """End of output of a plant that starts at `first_output`."""
    return first_output + plant.life if plant.candidate else plant.retirement


def timing(plant: Plant, countries: dict[str, Row], product: str, shocks: Shocks, horizon: Horizon, scenarios: int) -> Timing:
    """A, B and the lenders' test of one plant for every start and scenario; existing plants fill τ = 0 only."""
    periods, treasury = horizon.periods, countries[plant.country]["treasury"]
    places = (plant.country, treasury) if given(treasury) else (plant.country,)
    factor = np.stack([horizon.mean(shocks.multiplier(w, "output", product, places, plant.code)) for w in range(scenarios)], axis=1)
    if plant.candidate:
        decided = horizon.start
        starts = np.flatnonzero((plant.earliest <= decided) & (decided <= plant.latest) & (decided + plant.lead < horizon.end))
        begin = (decided[starts] + plant.lead)[:, None] + np.array([shocks.delay(w, product, places, plant.code) for w in range(scenarios)])
    else:
        starts, begin = np.zeros(1, dtype=np.int64), np.full((1, scenarios), plant.opening)
    end = life_of(plant, begin)
    output, alive = np.zeros((2, periods, periods, scenarios))
    tested, first = np.zeros(output.shape, dtype=bool), np.full((periods, scenarios), np.inf)
    first[starts] = begin
    output[starts] = plant.availability * factor * horizon.ramped_share(begin, end, plant.ramp).transpose(0, 2, 1)
    alive[starts] = horizon.share(begin, end).transpose(0, 2, 1)
    fully = np.maximum(horizon.start[:, None], begin[:, None, :]) >= begin[:, None, :] + plant.ramp
    tested[starts] = (alive[starts] > 0) & fully
    return Timing(tuple(starts.tolist()), output, alive, tested, first)


def window_share(plants: Sequence[Plant], first_output: Array, window: float, horizon: Horizon) -> Array:
    """A^T / A (F, ..., T): share of each period's output that falls in a contract's window, for first outputs (F, ...) of plants; 0 where infinite.

    The window counts from first output; for a plant older than the horizon from the horizon's first year.
    """

    def of(figures: list[float]) -> Array:
        return np.array(figures, dtype=float).reshape(-1, *(1,) * (first_output.ndim - 1))

    candidate, ramp = of([plant.candidate for plant in plants]) > 0, of([plant.ramp for plant in plants])
    first = np.where(first_output < np.inf, first_output, horizon.end)
    end = np.where(candidate, first + of([plant.life for plant in plants]), of([plant.retirement for plant in plants]))
    begin = np.where(candidate, first, np.maximum(first, horizon.start[0]))
    whole, after, before = (horizon.ramped_share(first, finish, ramp) for finish in (end, np.minimum(end, begin + window), np.minimum(end, begin)))
    return np.asarray(np.divide(after - before, whole, out=np.zeros_like(whole), where=whole > 0))
