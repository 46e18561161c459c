"""What all checks share: the facts, the plan, the path's data, owners' sums, who must hold to what, and where findings go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from orepact.solution.verification.facts import Facts
from orepact.solution.verification.findings import Findings, Names
from orepact.solution.verification.path import Path
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.stored import Stored
from orepact.solution.verification.timeline import Array


@dataclass(frozen=True)
class Study:
    """One plan under verification. `summary` is what solution.json says; `required`: targets, caps and budgets must hold."""

    facts: Facts
    plants: Plants
    path: Path
    free: Path
    stored: Stored
    summary: Mapping[str, Any]
    planner: bool
    required: bool
    findings: Findings

    @cached_property
    def package(self) -> Mapping[str, Any]:
        """What was fixed beforehand; empty if nothing was."""
        return self.summary.get("package") or {}

    @cached_property
    def size(self) -> Array:
        """Size of each product's market by the instance's figures (K,), t/a: the scale of rows in tonnes."""
        plants, facts = self.plants, self.facts
        amounts = facts.D0.sum(axis=0) + np.einsum("fk,ftw->ktw", np.abs(plants.a), plants.most)
        found = amounts.max(axis=(1, 2), initial=0.0)
        return np.asarray(np.where(found > 0, found, max(float(found.max(initial=0.0)), 1.0)))

    @cached_property
    def spots(self) -> Names:
        """Names along product, place, period, scenario."""
        return self.facts.products, self.facts.places, self.stored.years, self.facts.scenarios

    @cached_property
    def products_in_time(self) -> Names:
        """Names along product, period, scenario."""
        return self.facts.products, self.stored.years, self.facts.scenarios

    @cached_property
    def plants_in_time(self) -> Names:
        """Names along plant, period, scenario."""
        return self.plants.codes, self.stored.years, self.facts.scenarios

    @cached_property
    def made(self) -> Array:
        """Output of plants by product and place (K, P, T, W)."""
        return self._at_places(np.maximum(self.plants.a, 0.0))

    @cached_property
    def used(self) -> Array:
        """Intake of plants by product and place (K, P, T, W)."""
        return self._at_places(np.maximum(-self.plants.a, 0.0))

    def _at_places(self, per_tonne: Array) -> Array:
        facts, found = self.facts, np.zeros((self.facts.K, self.facts.P, self.facts.T, self.facts.W))
        for f, k in np.argwhere(per_tonne > 0):
            found[k, facts.place_of[self.plants.node[f], k]] += per_tonne[f, k] * self.stored.output[f]
        return found

    @cached_property
    def demand(self) -> Array:
        """Final demand at places (K, P, T, W)."""
        return self.facts.at_places(self.path.demand)

    @cached_property
    def imported(self) -> Array:
        """Imports at places (K, P, T, W)."""
        found = np.zeros((self.facts.K, self.facts.P, self.facts.T, self.facts.W))
        np.add.at(found, self.facts.sold, self.stored.imports)
        return found

    @cached_property
    def leaving(self) -> Array:
        """Exports, glut and overflow (K, P, T, W)."""
        return np.asarray(sum(self.stored.out.values()))

    def _of_sites(self, amounts: Array) -> Array:
        found = np.zeros((self.facts.K, self.facts.P, self.facts.T, self.facts.W))
        np.add.at(found, (self.stored.site_product, self.stored.site_place), amounts)
        return found

    @cached_property
    def purchases(self) -> Array:
        """Bought for stock (K, P, T, W)."""
        return self._of_sites(self.stored.bought)

    @cached_property
    def releases(self) -> Array:
        """Released from stock (K, P, T, W)."""
        return self._of_sites(self.stored.released)

    @cached_property
    def shown_weight(self) -> Array:
        """Probability of the scenarios shown (W,)."""
        return np.asarray(self.facts.p * self.stored.shown)
