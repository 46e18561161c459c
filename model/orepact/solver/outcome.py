"""How a search ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orepact.market.paths import Path
from orepact.solver.batch import Plan
from orepact.solver.examine import Record
from orepact.solver.result import Status

Adjust = Callable[[Path], Path]
"""What a user's package fixes on every path."""


@dataclass(frozen=True)
class Outcome:
    """How a search ended; money in the world's scaled units. `plan` is None unless the status has one."""

    status: Status
    plan: Plan | None
    bound: float | None
    records: tuple[Record, ...]
    listed: int
    proven: str
    limit: str | None
    size: dict[str, object]
    confirmation: str = ""

    @property
    def examined(self) -> int:
        """Paths of which something is known; a run that is stopped leaves some of its list untouched."""
        return sum(r.bound is not None or r.objective is not None for r in self.records)
