"""Is there a plan with these changes? Solved for real: on the planner, or on price paths one by one until one has a plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from orepact.errors import InstanceError, OptionError
from orepact.formulation.case import Rules
from orepact.formulation.cells import Cell, effort
from orepact.instance.changes import Change, changed
from orepact.instance.instance import Instance
from orepact.instance.package import Package
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus
from orepact.solver.batch import FIRST, Batch, open_solver, prepare
from orepact.solver.clock import Clock
from orepact.solver.diagnosis.rule import Rule, ways
from orepact.solver.packaged import Packaged
from orepact.solver.search import market_rules

Changes = frozenset[Change]

PLANNER = "the planner"

NOTHING = 1e-7
"""Effort below which a cell has not given way."""


class OutOfTimeError(Exception):
    """The clock of a diagnosis ran out: what is known so far stands."""


@dataclass
class Oracle:
    """Answers whether an instance with changes has a plan; keeps every answer. `paths` None: the planner is asked. With a `package` imposed it
    need not meet the targets, caps and budgets.

    Changes that break a rule of the format count as no plan; `invalid` says what they broke.
    """

    instance: Instance
    options: SolveOptions
    clock: Clock
    paths: Sequence[Path] | None
    package: Package | None = None
    solves: int = 0
    invalid: list[str] = field(default_factory=list)
    _known: dict[Changes, Path | str | None] = field(default_factory=dict)
    _last: int = 0

    def plan(self, changes: Iterable[Change] = ()) -> Path | str | None:
        """Where there is a plan: the path (or the planner), None if nowhere. Raises OutOfTimeError."""
        asked = frozenset(changes)
        if asked not in self._known:
            if self.clock.over:
                raise OutOfTimeError
            self.solves += 1
            self._known[asked] = self._find(tuple(changes))
        return self._known[asked]

    def without(self, rules: Sequence[Rule], base: Iterable[Change] = ()) -> Path | str | None:
        """Where there is a plan with these rules dropped, in whichever way, on top of the changes in `base`."""
        found = (self.plan((*base, *changes)) for changes in ways(rules))
        return next((where for where in found if where is not None), None)

    def market(self, changes: Iterable[Change]) -> Market:
        """The market of the instance with changes. Raises InstanceError where they break a rule of the format."""
        market = Market(world_of(changed(self.instance, changes)))
        if self.package is not None:
            Packaged(market, self.package)
        return market

    def rules(self, market: Market) -> Rules:
        """What a plan has to meet on a price path."""
        return replace(market_rules(market), targets=self.package is None)

    def _find(self, changes: tuple[Change, ...]) -> Path | str | None:
        """None too where the changes make no valid instance, or one whose numbers are too far apart to be solved."""
        try:
            return self._search(self.market(changes))
        except (InstanceError, OptionError) as error:
            self.invalid.append(str(error))
            return None

    def _search(self, market: Market) -> Path | str | None:
        if self.paths is None:
            _, matrix = prepare(market, [market.free], Rules(behaviour="planner"), self.clock)
            answer = open_solver(matrix, self.options, self.clock).solve("mip", gap=1.0, time_limit=self.clock.left)
            return PLANNER if self._has_plan(answer) else None
        batch = Batch(market, self.paths, self.rules(market), self.options, self.clock)
        order = [self._last, *(p for p in range(len(self.paths)) if p != self._last)]
        for p in order:
            path = batch.solver_for(p, FIRST)
            if self._refused(path.solve("lp", time_limit=self.clock.left)):
                continue
            if self._has_plan(path.solve("mip", gap=1.0, time_limit=self.clock.left)):
                self._last = p
                return self.paths[p]
        return None

    def _has_plan(self, answer: Answer) -> bool:
        if answer.values is None and answer.status is AnswerStatus.LIMIT:
            raise OutOfTimeError
        return answer.values is not None

    def _refused(self, answer: Answer) -> bool:
        if answer.status is AnswerStatus.LIMIT and self.clock.over:
            raise OutOfTimeError
        return answer.status is AnswerStatus.INFEASIBLE


class Elastic:
    """The elastic model of an instance with changes: by how much cells must give way for there to be a plan."""

    def __init__(self, oracle: Oracle, changes: Iterable[Change] = ()) -> None:
        self.oracle = oracle
        self.market = oracle.market(changes)
        self.world = self.market.world
        if oracle.paths is None:
            rules = Rules(behaviour="planner", elastic=True)
            self._built, self._matrix = prepare(self.market, [self.market.free], rules, oracle.clock)
        else:
            self._rules = replace(oracle.rules(self.market), elastic=True)
            self._batch = Batch(self.market, oracle.paths, self._rules, oracle.options, oracle.clock)

    def least(self, allowed: Iterable[Cell]) -> dict[Cell, float] | None:
        """How far each of the allowed cells gives way (scaled), all others holding, at the least effort; None if that is not enough."""
        wanted = set(allowed)
        if self.oracle.clock.over:
            raise OutOfTimeError
        self.oracle.solves += 1
        if self.oracle.paths is None:
            return self._on_planner(wanted)
        columns = self._held(self._batch, wanted)
        bounds = {}
        for p in range(len(self._batch.paths)):
            answer = self._batch.solver_for(p, FIRST, columns).solve("lp", time_limit=self.oracle.clock.left)
            if answer.status is AnswerStatus.OPTIMAL and answer.objective is not None:
                bounds[p] = answer.objective
        best: tuple[float, dict[Cell, float]] | None = None
        for p in sorted(bounds, key=lambda p: (bounds[p], p)):
            if best is not None and bounds[p] >= best[0] * (1 - 1e-6) - NOTHING:
                break
            found = self._on_path(self._batch.paths[p], wanted)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return None if best is None else best[1]

    def _held(self, batch: Batch, wanted: set[Cell]) -> list[int]:
        gives = batch.built.model.gives
        return [column for cell, column in gives.items() if cell not in wanted]

    def _on_path(self, path: Path, wanted: set[Cell]) -> tuple[float, dict[Cell, float]] | None:
        """On one path alone, where use is a number and gives are exact."""
        batch = Batch(self.market, [path], self._rules, self.oracle.options, self.oracle.clock)
        answer = batch.solver_for(0, FIRST, self._held(batch, wanted)).solve("mip", gap=1e-4, time_limit=self.oracle.clock.left)
        if answer.values is None or answer.objective is None:
            return None
        gives = batch.built.model.gives
        return answer.objective, self._given({cell: float(answer.values[column]) for cell, column in gives.items()})

    def _on_planner(self, wanted: set[Cell]) -> dict[Cell, float] | None:
        solver = open_solver(self._matrix, self.oracle.options, self.oracle.clock)
        gives = self._built.model.gives
        held = np.array([column for cell, column in gives.items() if cell not in wanted], dtype=np.int64)
        solver.set_bounds(held, 0.0, 0.0)
        answer = solver.solve("mip", gap=1e-4, time_limit=self.oracle.clock.left)
        if answer.values is None:
            return None
        return self._given({cell: float(answer.values[column]) for cell, column in gives.items()})

    def _given(self, amounts: dict[Cell, float]) -> dict[Cell, float]:
        return {cell: amount for cell, amount in amounts.items() if amount * effort(self.world, cell) > NOTHING and math.isfinite(amount)}
