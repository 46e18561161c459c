"""Plants: what is built, what it makes, what its owner and lenders get out of it, and what would have happened anyway."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from orepact.market.deals import TIE
from orepact.market.horizon import Array
from orepact.solution.extraction.outturn import Outturn, Signed

Row = dict[str, Any]


@dataclass(frozen=True)
class Owner:
    """One plant's side of the plan; money in scaled units. `deals` are those in force, none for the planner."""

    out: Outturn
    f: int
    deals: tuple[Signed, ...]

    @cached_property
    def margin(self) -> Array:
        """Price less cash cost per tonne of main output, before support (T, W)."""
        world, plant = self.out.world, self.out.world.plants[self.f]
        return np.asarray(np.einsum("k,ktw->tw", world.flow[self.f], self.out.price) + plant.premium - plant.opex[:, None])

    @property
    def supported(self) -> bool:
        """Whether it has a contract or a grant."""
        return any(signed.volume > 0 or signed.grant > 0 for signed in self.deals)

    @property
    def grant(self) -> float:
        """Capital grants."""
        return sum(signed.grant for signed in self.deals)

    @cached_property
    def value_if_fed(self) -> float:
        """Expected net present value at the hurdle rate of what was signed, before anything stands idle."""
        return sum(s.deal.value0 * s.weight + s.deal.value1 * s.volume + s.deal.valueg * s.grant for s in self.deals)

    @cached_property
    def _forgone(self) -> Array:
        """Margin lost to idling, money per year (T, W)."""
        return np.asarray(np.maximum(self.margin, 0.0) * self.out.idle[self.f])

    @cached_property
    def value(self) -> float | None:
        """Expected net present value at the hurdle rate; None where nobody signed."""
        if not self.deals:
            return None
        world = self.out.world
        return self.value_if_fed - float(world.horizon.discount(world.plants[self.f].hurdle) @ self.out.expected(self._forgone))

    @property
    def rent(self) -> float:
        """What support leaves with the owner: of a project all it earns above the hurdle, of a plant that stands anyway what support adds."""
        if not self.supported:
            return 0.0
        if self.out.world.plants[self.f].candidate:
            return max(0.0, self.value or 0.0)
        return max(0.0, sum(s.deal.value1 * s.volume + s.deal.valueg * s.grant for s in self.deals))

    @cached_property
    def cover(self) -> float | None:
        """Lowest debt service cover in the downside years that lenders test; None without such a year or without debt."""
        world, plant = self.out.world, self.out.world.plants[self.f]
        asked = world.settings.owners.cover
        if not self.deals or not plant.candidate or asked <= 0:
            return None
        # what lenders look at is cash less `asked` times the debt service, so that the service comes back by adding it
        service = self.deals[0].deal.spare_g * (plant.capex * sum(s.weight for s in self.deals))
        cash = sum((s.deal.spare * s.weight + s.deal.spare_h * s.volume for s in self.deals), start=service) - self._forgone
        owed = service - self.deals[0].deal.spare_g * self.grant
        tested = world.tested[self.f, self.deals[0].deal.start] & (world.downside & world.in_model) & (owed > 1e-9 * plant.capex)
        return asked * float((cash[tested] / owed[tested]).min()) if tested.any() else None

    @property
    def kept_out(self) -> bool:
        """Whether it could pay its way at the chosen prices and is not built."""
        market = self.out.case.market
        if self.out.planner or self.out.stands(self.f):
            return False
        return bool(market.plain_starts(self.f, market.response_class(self.f, self.out.plan.path)))


def owners(out: Outturn) -> list[Owner]:
    """Every plant's side."""
    signed: list[list[Signed]] = [[] for _ in out.world.plants]
    for deal in out.signed:
        signed[deal.facility].append(deal)
    return [Owner(out, f, tuple(deals)) for f, deals in enumerate(signed)]


def facilities(out: Outturn, sides: list[Owner]) -> list[Row]:
    """Every plant, built or not."""
    world, market, money = out.world, out.case.market, out.world.money_unit
    normal = [w for w in out.case.scenarios if world.normal[w]]
    years = world.horizon.length / world.horizon.length.sum()
    rows = []
    for f, (plant, owner) in enumerate(zip(world.plants, sides, strict=True)):
        node = out.case.plant_place[f]
        start = int(world.horizon.start[out.starts[f]]) if f in out.starts else None
        opening = plant.opening if not plant.candidate else None if start is None else start + plant.lead
        alone = market.best_alone(f) if plant.candidate else None
        rows.append(
            {
                "facility": plant.code,
                "name": plant.name,
                "country": plant.country,
                "treasury": world.nodes[node] if node < world.members else "",
                "process": plant.process,
                "product": world.products[plant.main],
                "status": "candidate" if plant.candidate else "existing",
                "capacity_t_a": plant.capacity * world.mass_unit,
                "built": out.stands(f),
                "start_year": start,
                "first_output_year": None if opening is None or opening < world.horizon.start[0] else opening,
                "capex_usd": plant.capex * money if start is not None else 0.0,
                "expected_output_t_a": float(years @ out.expected(out.activity[f])) * world.mass_unit,
                "owner_npv_usd": None if owner.value is None else owner.value * money,
                "owner_npv_without_usd": None if alone is None else alone * money,
                "npv_rate": plant.hurdle,
                "cover_ratio": owner.cover,
                "rent_usd": owner.rent * money,
                "supported": owner.supported,
                "kept_out": owner.kept_out,
                "idle_in_normal_t_a": float(out.idle[f][:, normal].max(initial=0.0)) * world.mass_unit,
                "would_build_anyway": plant.candidate and market.would_build_anyway(f),
            }
        )
    return rows


def output(out: Outturn, sides: list[Owner]) -> dict[str, Any]:
    """What each plant that stands makes, wherever it could make anything; as columns."""
    world = out.world
    possible = np.zeros_like(out.activity, dtype=bool)
    for f in range(len(world.plants)):
        if out.stands(f):
            possible[f][:, out.scenarios] = world.output[f, out.starts.get(f, 0)][:, out.scenarios] > 0
    at = np.nonzero(possible)
    margin = np.stack([owner.margin for owner in sides])[at] if sides else np.zeros(0)
    return {
        "facility": [world.plants[f].code for f in at[0]],
        "first_year": world.horizon.start[at[1]],
        "scenario": [world.scenarios[w] for w in at[2]],
        "output_t_a": out.activity[at] * world.mass_unit,
        "idle_t_a": out.idle[at] * world.mass_unit,
        "margin_usd_t": margin * world.price_unit,
        "runs": margin >= -TIE,
    }
