"""Residuals, gathered rule by rule: how far each row is from holding, relative to the row's scale, and which rows don't hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from orepact.solution.verification.rules import RULES
from orepact.solution.verification.timeline import Flags

TOLERANCE = 1e-6
"""A residual above this, relative to the row's scale, is a violation. Nothing may loosen it."""

MOST_NAMED = 20
"""Violations of one rule that are named; all are counted."""

Names = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Violation:
    """One row that doesn't hold: where, what the plan states, what was derived (a value, or a limit), the relative residual."""

    row: str
    stated: float | str | None
    derived: float | str | None
    residual: float


@dataclass
class Tally:
    """What one rule has come to so far."""

    rows: int = 0
    residual: float = 0.0
    failed: int = 0
    violations: list[Violation] = field(default_factory=list)


class Findings:
    """Tallies of every rule. Checks call `equal`, `at_most` or `holds`; arrays of any shape, with names along each axis."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {name: Tally() for name in RULES}

    def equal(self, rule: str, what: str, stated: ArrayLike, derived: ArrayLike, scale: ArrayLike, names: Names, where: ArrayLike | None = None) -> None:
        """Rows that must be equal; `scale` is never less than either side."""
        stated, derived = np.broadcast_arrays(np.asarray(stated, dtype=float), np.asarray(derived, dtype=float))
        least = np.maximum(np.abs(stated), np.abs(derived))
        self._record(rule, what, stated, derived, np.abs(stated - derived), np.maximum(np.asarray(scale), least), names, where)

    def at_most(self, rule: str, what: str, amount: ArrayLike, limit: ArrayLike, scale: ArrayLike, names: Names, where: ArrayLike | None = None) -> None:
        """Rows in which an amount may not exceed a limit (infinite: none)."""
        amount, limit = np.broadcast_arrays(np.asarray(amount, dtype=float), np.asarray(limit, dtype=float))
        bounded = np.isfinite(limit)
        over = np.maximum(amount - np.where(bounded, limit, np.inf), 0.0)
        wanted = bounded if where is None else bounded & np.asarray(where)
        least = np.maximum(np.abs(amount), np.where(bounded, np.abs(limit), 0.0))
        self._record(rule, what, amount, limit, over, np.maximum(np.asarray(scale), least), names, wanted)

    def holds(self, rule: str, what: str, true: ArrayLike, names: Names, where: ArrayLike | None = None, stated: object = None, derived: object = None) -> None:
        """Rows that are true or not."""
        flags = np.asarray(true, dtype=bool)
        self._record(rule, what, None, None, np.where(flags, 0.0, 1.0), np.ones(flags.shape), names, where, (stated, derived))

    def wrong(self, rule: str, row: str, stated: float | str | None = None, derived: float | str | None = None) -> None:
        """One row that is wrong as it stands."""
        tally = self.tallies[rule]
        tally.rows += 1
        self._fail(tally, 1, [Violation(row, stated, derived, 1.0)])
        tally.residual = max(tally.residual, 1.0)

    def _record(
        self,
        rule: str,
        what: str,
        stated: np.ndarray | None,
        derived: np.ndarray | None,
        off: np.ndarray,
        scale: np.ndarray,
        names: Names,
        where: ArrayLike | None,
        words: tuple[object, object] = (None, None),
    ) -> None:
        tally = self.tallies[rule]
        chosen: Flags = np.ones(off.shape, dtype=bool) if where is None else np.broadcast_to(np.asarray(where, dtype=bool), off.shape)
        count = int(chosen.sum())
        tally.rows += count
        if not count:
            return
        scale = np.broadcast_to(scale, off.shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            residual = np.where(off == 0, 0.0, off / scale)
        residual = np.where(np.isnan(residual), np.inf, residual)[chosen]
        tally.residual = max(tally.residual, float(residual.max()))
        bad = residual > TOLERANCE
        if not bad.any():
            return
        places = np.argwhere(chosen)[bad]
        order = np.argsort(-residual[bad], kind="stable")[:MOST_NAMED]
        found = []
        for n in order:
            at = tuple(int(i) for i in places[n])
            row = ", ".join([what, *(str(axis[i]) for axis, i in zip(names, at, strict=True))])
            sides = words if stated is None or derived is None else (float(stated[at]), float(derived[at]))
            found.append(Violation(row, sides[0], sides[1], float(residual[bad][n])))  # type: ignore[arg-type]
        self._fail(tally, int(bad.sum()), found)

    def _fail(self, tally: Tally, count: int, found: list[Violation]) -> None:
        tally.failed += count
        tally.violations = sorted([*tally.violations, *found], key=lambda v: -v.residual)[:MOST_NAMED]
