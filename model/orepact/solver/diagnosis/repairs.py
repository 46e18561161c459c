"""The least change that gives a plan: each rule of a conflict by itself, else two or three together; every one solved again with it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orepact.formulation.cells import Cell, effort
from orepact.instance.changes import Change
from orepact.market.paths import Path
from orepact.solver.diagnosis.conflict import irreducible
from orepact.solver.diagnosis.oracle import Elastic, Oracle
from orepact.solver.diagnosis.rule import Ease, Lever, Rule, cell_step

MOST_LEVERS = 6
"""Levers tried per rule: of a rule about twenty plants, the largest ones."""

ROUNDS = 4
"""Times that the elastic model is asked how far a figure must go."""

MOST_PAIRS = 3
"""Rules of a conflict from which a repair of several changes starts."""


@dataclass(frozen=True)
class Found:
    """A repair that works: the rules it eases, what to change, and where the plan was found."""

    rules: tuple[Rule, ...]
    ease: Ease
    where: Path | str


class Repairer:
    """Looks for repairs of an instance; an oracle answers, elastic models say how far."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._elastic: dict[frozenset[Change], Elastic] = {}

    def single(self, conflict: Sequence[Rule]) -> Iterator[Found]:
        """Repairs that ease one rule."""
        for rule in sorted(conflict, key=lambda rule: not rule.decided):
            yield from (Found((rule,), ease, self._where(ease.changes)) for ease in self._eases(rule, ()))

    def several(self, conflict: Sequence[Rule], rules: Sequence[Rule]) -> Iterator[Found]:
        """Repairs that ease several rules: all that the alliance decides at the least effort together, then pair by pair."""
        for cells in (
            [lever.cell for rule in rules if rule.decided for lever in rule.levers if lever.cell],
            [lever.cell for rule in rules for lever in rule.levers if lever.cell],
        ):
            found = self._together(rules, cells)
            if found is not None:
                yield found
                break
        for rule in sorted(conflict, key=lambda rule: not rule.decided)[:MOST_PAIRS]:
            if found := self._pair(rule, [other for other in rules if other is not rule]):
                yield found

    def _together(self, rules: Sequence[Rule], cells: Sequence[Cell]) -> Found | None:
        """Everything at once, as the elastic model spreads it."""
        elastic = self._model(())
        amounts = elastic.least(cells)
        if not amounts:
            return None
        for more in (1.0, 1.02, 1.1):
            parts = [cell_step(elastic.world, cell, amount * more, amount * effort(elastic.world, cell)) for cell, amount in amounts.items()]
            ease = Ease(tuple(change for part in parts for change in part.changes), sum(part.effort for part in parts))
            where = self.oracle.plan(ease.changes)
            if where is not None:
                eased = [rule for rule in rules if any(lever.cell in amounts for lever in rule.levers)]
                return Found(tuple(eased), ease, where)
        return None

    def _pair(self, rule: Rule, others: Sequence[Rule]) -> Found | None:
        """Drop one rule, see what still conflicts, ease that by the least; then give back what need not be dropped."""
        base = rule.dropped
        second = irreducible(others, lambda dropped: self.oracle.without(dropped, base) is not None)
        best: Found | None = None
        for other in sorted(second or [], key=lambda r: not r.decided):
            for ease in self._eases(other, base):
                for own in self._eases(rule, ease.changes):
                    both = Ease((*ease.changes, *own.changes), ease.effort + own.effort)
                    if best is None or both.effort < best.ease.effort:
                        best = Found((rule, other), both, self._where(both.changes))
        return best

    def _eases(self, rule: Rule, base: tuple[Change, ...]) -> Iterator[Ease]:
        """The least step of each lever that gives a plan on top of the changes in `base`."""
        for lever in rule.levers[:MOST_LEVERS]:
            ease = self._by_cell(lever, base) if lever.cell else self._by_steps(lever, base, bool(rule.otherwise))
            if ease is not None:
                yield ease

    def _by_cell(self, lever: Lever, base: tuple[Change, ...]) -> Ease | None:
        """As far as the elastic model says; where that is not enough, on from there.

        The model takes the rest of the world as it stands, and a change may move it: with more supply, say, nobody may go short any more.
        """
        assert lever.cell is not None
        changes, spent = base, 0.0
        for _ in range(ROUNDS):
            elastic = self._model(changes)
            amounts = elastic.least([lever.cell])
            if not amounts:
                return None
            for more in (1.0, 1.01, 1.05, 1.2):
                amount = amounts[lever.cell] * more
                ease = cell_step(elastic.world, lever.cell, amount, spent + amount * effort(elastic.world, lever.cell))
                if self.oracle.plan((*base, *ease.changes)) is not None:
                    return ease
            changes, spent = (*base, *ease.changes), ease.effort
        return None

    def _by_steps(self, lever: Lever, base: tuple[Change, ...], one_by_one: bool) -> Ease | None:
        """The first step that works. Unless they are tried one by one, all that come after a working one are taken to work too."""
        steps = lever.steps
        if one_by_one:
            return next((step for step in steps if self.oracle.plan((*base, *step.changes)) is not None), None)
        if not steps or self.oracle.plan((*base, *steps[-1].changes)) is None:
            return None
        low, high = 0, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            if self.oracle.plan((*base, *steps[middle].changes)) is None:
                low = middle + 1
            else:
                high = middle
        return steps[high]

    def _model(self, base: Iterable[Change]) -> Elastic:
        key = frozenset(base)
        if key not in self._elastic:
            self._elastic = {key: Elastic(self.oracle, tuple(base))}  # one at a time: they are large
        return self._elastic[key]

    def _where(self, changes: tuple[Change, ...]) -> Path | str:
        where = self.oracle.plan(changes)
        assert where is not None
        return where
