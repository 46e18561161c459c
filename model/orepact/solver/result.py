"""The result of a run as one typed value: what was asked, what was found, what is proven, what it took.

`SolveResult` is plain data: it is written to solution.json and read back without a solver. Objective and bound are in
discounted USD, seconds are wall-clock, memory in MB (10**6 bytes).
"""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from importlib import import_module, metadata
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from orepact.errors import InfeasibleError, NoSolutionError, SolverError
from orepact.options import SolveOptions

_resource: ModuleType | None = import_module("resource") if find_spec("resource") else None
"""What tells the memory used; Windows has none."""

PACKAGES = ("orepact", "pyomo", "highspy", "numpy", "pandas")
"""Whose versions a result carries, besides Python's own."""

PHASES = ("read", "price", "offer", "build", "hand over", "solve", "extract", "verify", "other")
"""The phases of a run, in their order."""


class Status(StrEnum):
    """How a run ended."""

    SOLVED = "solved"
    """to the gap asked"""
    LIMIT = "limit"
    """stopped at a limit, with a plan"""
    INFEASIBLE = "infeasible"
    """not even the planner has a plan"""
    NO_PLAN = "no plan"
    """none within the limit or on the paths examined"""
    DISPUTED = "disputed"
    """a second solve contradicts the first"""
    FAILED = "solver failed"
    """it aborted, hung or ran out of memory, and so did the second try with safer settings"""

    CERTIFICATE_FAILED = "certificate failed"
    """a plan that does not stand up to checking anew"""
    MISSED = "targets missed"
    """a package was evaluated that can't meet the targets, caps and budgets; shown with them left aside"""
    BENT = "rules bent"
    """no plan for what was asked; the nearest question that has one was solved instead"""

    @property
    def exit_code(self) -> int:
        """What the command line returns."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Status.SOLVED: 0,
    Status.LIMIT: 3,
    Status.INFEASIBLE: InfeasibleError.exit_code,
    Status.NO_PLAN: NoSolutionError.exit_code,
    Status.DISPUTED: 7,
    Status.FAILED: SolverError.exit_code,
    Status.CERTIFICATE_FAILED: 6,
    Status.MISSED: 8,
    Status.BENT: NoSolutionError.exit_code,
}


@dataclass(frozen=True)
class SolveResult:
    """One run's outcome.

    `proven` is a sentence; `limit` names the limit that ended the run ("time", "interrupt", "paths", ...), None if none
    did. `confirmation` says what a second solve confirmed or contradicts; empty if none was asked
    for. `asked` is the status of the question as it was asked, where rules were bent to get a plan. `phases`: seconds by phase. `size`: rows, columns, binaries, nonzeros, coefficient range, root gap.
    Raises ValueError for a combination that would mislead: numbers without a plan, or a plan without its numbers.
    """

    status: Status
    behaviour: str
    method: str
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    seconds: float = 0.0
    paths_examined: int = 0
    paths_listed: int = 0
    proven: str = ""
    requirements_held: bool = True
    limit: str | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    size: Mapping[str, Any] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    threads: int = 0
    platform: str = ""
    confirmation: str = ""
    asked: str = ""

    def __post_init__(self) -> None:
        if (self.status is Status.BENT) != bool(self.asked):
            raise ValueError("rules are bent exactly where the question as asked has a status of its own")
        if self.has_plan != (self.objective is not None):
            raise ValueError(f"status {self.status.value!r} does not go with objective {self.objective}")
        for name in ("objective", "bound", "gap"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number or None, not {value}")
        if self.status is Status.MISSED and self.requirements_held:
            raise ValueError("targets are missed only where they were left aside")
        if self.status is Status.LIMIT and not self.limit:
            raise ValueError("a run stopped at a limit must say at which")

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to show."""
        kept = (Status.SOLVED, Status.LIMIT, Status.MISSED, Status.BENT, Status.CERTIFICATE_FAILED)
        return self.status in kept or (self.status is Status.DISPUTED and self.objective is not None)

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0 solved, 1 solver failed, 3 limit with a plan, 4 infeasible, 5 no plan, 6 certificate failed, 7 disputed,
        8 targets missed; with rules bent 4 or 5, as without."""
        return Status(self.asked).exit_code if self.status is Status.BENT else self.status.exit_code

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, in values that JSON can carry."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "status": self.status.value,
            "phases": dict(self.phases),
            "size": {k: list(v) if isinstance(v, tuple) else v for k, v in self.size.items()},
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> SolveResult:
        """The result that `to_dict` wrote; ValueError for an unknown field or status, or a missing one."""
        unknown = set(stored) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"not a field of a result: {', '.join(sorted(unknown))}")
        missing = {"status", "behaviour", "method"} - set(stored)
        if missing:
            raise ValueError(f"the result lacks {', '.join(sorted(missing))}")
        return cls(**{**stored, "status": Status(stored["status"])})


def versions(options: SolveOptions | None = None) -> dict[str, str]:
    """Versions of Python and of the packages an answer depends on; "not installed" where one is run from its source."""
    scip = ("pyscipopt",) if options is not None and options.confirm == "scip" else ()
    found = {"python": platform.python_version()}
    for package in PACKAGES + scip:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def this_platform() -> str:
    """System, processor and number of cores."""
    return f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores"


def peak_memory_mb() -> float | None:
    """Most memory this process ever held, MB; None where the system does not say."""
    if _resource is None:
        return None
    peak = float(_resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
