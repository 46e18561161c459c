"""How a search ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.solver.batch import Plan
from orepact.solver.examine import Record
from orepact.solver.result import Status
from orepact.solver.shared import Prices

Adjust = Callable[[Path], Path]
"""What a user's package fixes on every path."""


@dataclass(frozen=True)
class PartBound:
    """What a basket's bound rests on in one part: no plan on these of its paths costs less than `least` (its scaled money) at the prices."""

    market: Market
    paths: tuple[Path, ...]
    least: float


@dataclass(frozen=True)
class Pricing:
    """A basket's bound in full: prices of what the parts share, each part's bound at them, and the bound they add up to, USD."""

    prices: Prices
    parts: tuple[PartBound, ...]
    bound: float


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
    pricing: Pricing | None = None

    @property
    def examined(self) -> int:
        """Paths of which something is known; a run that is stopped leaves some of its list untouched."""
        return sum(r.bound is not None or r.objective is not None for r in self.records)
