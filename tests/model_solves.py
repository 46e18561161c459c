"""Solving tiny instances to the last digit, and reading the plan by codes and in plain units."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.build import Built
from orepact.formulation.case import Case, Rules
from orepact.formulation.terms import Terms
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.paths import Path, distinct, lawful, own_paths
from orepact.market.world import World
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import open_solver, prepare
from orepact.solver.clock import Clock
from orepact.solver.matrix import Matrix
from orepact.solver.search import market_rules
from tiny_instances import market_of

Rungs = Mapping[str, str | Sequence[str]]
"""Product → rung throughout, or one per period; products not named trade freely."""


@dataclass(frozen=True)
class Plan:
    """A model solved to optimality. Money in USD, mass in t, per year unless it says otherwise."""

    market: Market
    built: Built
    matrix: Matrix
    values: NDArray[np.float64]
    objective: float

    @property
    def world(self) -> World:
        return self.market.world

    def value(self, column: int) -> float:
        """Value of a column, in the model's units."""
        return float(self.values[column])

    def sum(self, terms: Terms) -> float:
        """Value of linear expressions added up, in the model's units."""
        return float(terms.value(self.values).sum())

    @cached_property
    def terms(self) -> dict[str, float]:
        """Expected discounted USD by cost term; terms that come to nothing are left out."""
        world, case = self.world, self.built.case
        found: dict[str, float] = defaultdict(float)
        for term, entry in self.built.ledger.entries.items():
            found[term] += float((case.weights[entry.w] * world.discount[entry.t] * entry.coef) @ self.values[entry.column]) * world.money_unit
        for term, (coef, column) in self.built.ledger.lumps.items():
            found[term] += float(coef @ self.values[column]) * world.money_unit
        return {term: usd for term, usd in found.items() if abs(usd) > 1e-6}

    def mass(self, variable: Any, *key: Any) -> float:
        """Value of a mass column in t; 0 where it does not exist."""
        return self.value(variable[key]) * self.world.mass_unit if key in variable else 0.0

    def money(self, variable: Any, *key: Any) -> float:
        """Value of a money column in USD; 0 where it does not exist."""
        return self.value(variable[key]) * self.world.money_unit if key in variable else 0.0

    @cached_property
    def starts(self) -> dict[str, int]:
        """First year of the period in which each candidate is started, if it is."""
        u, world = self.built.model.owners.u, self.world
        return {world.plants[f].code: int(world.horizon.start[tau]) for (f, tau), column in u.items() if self.value(column) > 0.5}


def every_path(market: Market) -> list[Path]:
    """Every lawful path, and the user's own: for tiny instances only."""
    world, ladders = market.world, market.ladders
    ways = []
    for k, ladder in enumerate(ladders):
        every = itertools.product(range(len(ladder.rungs)), repeat=world.horizon.periods)
        ways.append([rungs for rungs in every if lawful(world, ladders, market.free.with_product(k, rungs, ""))])
    return distinct([*(Path(rungs) for rungs in itertools.product(*ways)), *own_paths(world, ladders)])


def path_of(market: Market, rungs: Rungs) -> Path:
    """The path with these rungs."""
    world = market.world
    named = {p: (r,) * world.horizon.periods if isinstance(r, str) else tuple(r) for p, r in rungs.items()}
    return Path(tuple(tuple(market.ladders[k].rungs.index(r) for r in named[p]) if p in named else market.free.rungs[k] for k, p in enumerate(world.products)))


def optimum(
    instance: Instance | Market,
    paths: Sequence[Rungs] | Sequence[Path] | None = None,
    *,
    rules: Rules | None = None,
    behaviour: str = "market",
) -> Plan | None:
    """The cheapest plan over the paths given (default: every lawful one), proven to a gap of 0; None if there is none."""
    market = instance if isinstance(instance, Market) else market_of(instance)
    listed = every_path(market) if paths is None else [p if isinstance(p, Path) else path_of(market, p) for p in paths]
    rules = rules or (Rules(behaviour="planner") if behaviour == "planner" else market_rules(market))
    clock = Clock(600.0)
    built, matrix = prepare(market, [market.free] if rules.behaviour == "planner" else listed, rules, clock)
    solver = open_solver(matrix, SolveOptions(threads=1), clock)
    answer = solver.solve("mip", gap=0.0)
    if answer.status is AnswerStatus.INFEASIBLE:
        return None
    answer = solver.polish(answer)
    assert answer.status is AnswerStatus.OPTIMAL, answer.message
    assert answer.values is not None
    assert answer.objective is not None
    return Plan(market, built, matrix, answer.values, answer.objective * market.world.money_unit)


def cost(instance: Instance | Market, paths: Sequence[Rungs] | Sequence[Path] | None = None, **more: Any) -> float | None:
    """Cost of the cheapest plan, USD; None if there is none."""
    plan = optimum(instance, paths, **more)
    return None if plan is None else plan.objective


def model_of(instance: Instance, paths: Sequence[Rungs] | None = None, *, rules: Rules | None = None) -> Built:
    """The model built over the paths given (default: free trade), not solved."""
    market = market_of(instance)
    listed = [path_of(market, p) for p in (paths if paths is not None else [{}])]
    return prepare(market, listed, rules or market_rules(market), Clock(60.0))[0]


__all__ = ["Case", "Plan", "cost", "every_path", "model_of", "optimum", "path_of"]
