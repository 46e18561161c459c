"""What a solver answers, as one typed value, whichever solver it was.

No values without a plan: `objective` and `values` are None unless the solver holds a feasible point, `bound` is None
unless it is proven. A solve stopped at a limit says which limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from orepact.solver.handover import FloatArray, IntArray, Matrix, Violations
from orepact.solver.progress import Listener, relative_gap

Kind = Literal["lp", "mip"]
Indices = IntArray | NDArray[np.int64] | Sequence[int]
Limits = FloatArray | Sequence[float] | float


class AnswerStatus(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    """solved to the gap asked"""
    INFEASIBLE = "infeasible"
    """no point meets every row and bound"""
    UNBOUNDED = "unbounded"
    """the cost can fall without end"""
    LIMIT = "limit"
    """stopped early, with a plan or without"""
    CUTOFF = "cutoff"
    """nothing cheaper than the cutoff exists (perhaps nothing at all)"""
    ERROR = "error"
    """the solver failed; the message says how"""


@dataclass(frozen=True, eq=False)
class Answer:
    """The outcome of one solve of a `Matrix`.

    `values` are in the order of `matrix.columns`; `duals` (LP, solved to optimality) in the order of `matrix.rows`:
    the change of the cost per unit of the row's right-hand side. `bound`: no plan costs less. `root_bound` is the bound when branching
    began (MIP). `limit` is "time", "interrupt" or another limit's name where status is LIMIT. `violations` measures the
    values against the model. `message` is for people.
    """

    status: AnswerStatus
    objective: float | None = None
    bound: float | None = None
    values: FloatArray | None = None
    duals: FloatArray | None = None
    seconds: float = 0.0
    nodes: int = 0
    root_bound: float | None = None
    limit: str | None = None
    violations: Violations | None = None
    message: str = ""

    @property
    def gap(self) -> float | None:
        """Relative distance between objective and bound; None where either is missing."""
        return relative_gap(self.objective, self.bound)

    @property
    def root_gap(self) -> float | None:
        """Relative distance between the final objective and the bound at the root."""
        return relative_gap(self.objective, self.root_bound)


class Solver(Protocol):
    """One matrix held by one solver: change bounds, solve, repeat. Not for use by two threads at once."""

    matrix: Matrix

    def set_bounds(self, indices: Indices, lower: Limits, upper: Limits) -> None:
        """Replace the bounds of these columns."""

    def reset_bounds(self) -> None:
        """Return every bound to what the matrix says."""

    def solve(
        self,
        kind: Kind = "mip",
        *,
        gap: float = 0.0,
        time_limit: float = float("inf"),
        cutoff: float | None = None,
        warm: bool = True,
        start: FloatArray | None = None,
        listener: Listener | None = None,
    ) -> Answer:
        """Solve the MIP, or its LP relaxation."""

    def polish(self, answer: Answer) -> Answer:
        """Solve again with the integers fixed at their rounded values, so that the plan is exact."""

    def stop(self) -> None:
        """Ask a running solve, from another thread, to end with what it has."""
