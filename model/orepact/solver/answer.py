"""What every solver can be asked, and what it answers, as typed values.

`highs.Session` keeps a HiGHS instance in memory; `other.OtherSolver` goes through Pyomo to any other solver. The search is
written against `Solver` and takes either. An `Answer` has no values without a plan: `objective` and `values` are None
unless the solver holds a feasible point, `bound` is None unless it is proven, a solve stopped at a limit says which.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from orepact.errors import SolverError
from orepact.solver.matrix import FloatArray, Matrix
from orepact.solver.progress import Listener, relative_gap

Kind = Literal["lp", "mip"]
Indices = NDArray[np.int32] | NDArray[np.int64] | Sequence[int]
Limits = FloatArray | Sequence[float] | float
Basis = Any
"""What a solver knows of an LP's optimal basis; only for a solver of the same kind and a matrix of the same rows and columns."""


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

    `values` are in the order of `matrix.columns`; `duals` (LP, solved to optimality, on request) in the order of `matrix.rows`:
    the change of the cost per unit of the row's right-hand side; `basis` (LP, where the solver tells) is where it stands.
    `bound`: no plan costs less. `root_bound` is the bound when branching began (MIP). `limit` is "time", "interrupt" or another
    limit's name where status is LIMIT. `message` is for people.
    """

    status: AnswerStatus
    objective: float | None = None
    bound: float | None = None
    values: FloatArray | None = None
    duals: FloatArray | None = None
    basis: Basis | None = None
    seconds: float = 0.0
    nodes: int = 0
    root_bound: float | None = None
    limit: str | None = None
    message: str = ""

    @property
    def gap(self) -> float | None:
        """Relative distance between objective and bound; None where either is missing."""
        return relative_gap(self.objective, self.bound)

    @property
    def root_gap(self) -> float | None:
        """Relative distance between the final objective and the bound at the root."""
        return relative_gap(self.objective, self.root_bound)


@dataclass(frozen=True, eq=False)
class Request:
    """One solve as asked for; see `Solver.solve`."""

    kind: Kind
    stop: threading.Event
    gap: float = 0.0
    time_limit: float = math.inf
    cutoff: float | None = None
    basis: Basis | None = None
    start: FloatArray | None = None
    listener: Listener | None = None
    duals: bool = False


class Solver(ABC):
    """One matrix held by one solver. Not for use by two threads at once; `stop` alone may come from any thread.

    `stop_event` may be shared by several solvers: setting it ends every solve that runs, and every later one, at once.
    """

    def __init__(self, matrix: Matrix, stop_event: threading.Event | None = None) -> None:
        self.matrix = matrix
        self.stop_event = threading.Event() if stop_event is None else stop_event
        self._lower, self._upper = matrix.col_lower.copy(), matrix.col_upper.copy()

    def set_bounds(self, indices: Indices, lower: Limits, upper: Limits) -> None:
        """Replace the bounds of these columns (arrays as long as `indices`, or one number for all)."""
        if np.isnan(lower).any() or np.isnan(upper).any():
            raise SolverError("a bound is not a number")
        index = np.asarray(indices, dtype=np.int32)
        self._lower[index], self._upper[index] = lower, upper
        if index.size:
            self._send_bounds(np.unique(index))

    def reset_bounds(self) -> None:
        """Return every bound to what the matrix says."""
        changed = np.flatnonzero((self._lower != self.matrix.col_lower) | (self._upper != self.matrix.col_upper))
        self.set_bounds(changed, self.matrix.col_lower[changed], self.matrix.col_upper[changed])

    def solve(
        self,
        kind: Kind = "mip",
        *,
        gap: float = 0.0,
        time_limit: float = math.inf,
        cutoff: float | None = None,
        basis: Basis | None = None,
        start: FloatArray | None = None,
        listener: Listener | None = None,
        duals: bool = False,
    ) -> Answer:
        """Solve the MIP, or its LP relaxation (`kind="lp"`).

        `gap` is relative (MIP), `time_limit` in seconds for this solve alone. With a `cutoff` only plans at most that
        dear are sought: status CUTOFF if there is none (a solver, or an LP, may also ignore it). `basis` lets an LP start from
        where another one ended: faster where little has moved since (a solver may ignore it). `start` gives a MIP first values
        (NaN: not known). The listener hears of progress from within the solve; an exception it raises ends the solve and is raised
        again here.
        """
        return self._answer(Request(kind, self.stop_event, gap, time_limit, cutoff, basis, start, listener, duals))

    def polish(self, answer: Answer) -> Answer:
        """Fix every integer at its rounded value and solve the LP that is left, so that the plan is exact.

        Where that LP has no optimum, the answer comes back unchanged but for a message that says so.
        """
        whole = self.matrix.integer_indices
        if answer.values is None or not whole.size:
            return answer
        lower, upper = self._lower[whole], self._upper[whole]
        rounded = np.clip(np.round(answer.values[whole]), lower, upper)
        self.set_bounds(whole, rounded, rounded)
        try:
            # Not with the shared event: a plan found just before a stop is polished all the same.
            exact = self._answer(Request("lp", threading.Event()))
        finally:
            self.set_bounds(whole, lower, upper)
        seconds = answer.seconds + exact.seconds
        if exact.status is not AnswerStatus.OPTIMAL or exact.values is None:
            worst = self.matrix.violations(answer.values).integrality
            note = f"not polished: with the integers rounded the LP is {exact.status}; they are off by up to {worst:.1e}"
            return replace(answer, seconds=seconds, message="; ".join(filter(None, (answer.message, note))))
        values = exact.values.copy()
        values[whole] = rounded
        objective = self.matrix.objective(values)
        bound = None if answer.bound is None else min(answer.bound, objective)
        return replace(answer, values=values, objective=objective, bound=bound, seconds=seconds)

    def stop(self) -> None:
        """Ask a running solve to end with what it has; may be called from any thread."""
        self.stop_event.set()

    def _answer(self, request: Request) -> Answer:
        """Answer a request, after the cases that need no solver."""
        if request.stop.is_set() or request.time_limit <= 0:
            limit = "interrupt" if request.stop.is_set() else "time"
            return Answer(AnswerStatus.LIMIT, limit=limit, message="stopped before it began")
        if not self.matrix.columns:
            cost, none = self.matrix.offset, np.zeros(0)
            if self.matrix.violations(none).rows > 1e-9:
                return Answer(AnswerStatus.INFEASIBLE, message="a row without columns does not hold")
            return Answer(AnswerStatus.OPTIMAL, objective=cost, bound=cost, values=none)
        if (self._lower > self._upper).any():
            return Answer(AnswerStatus.INFEASIBLE, message="a lower bound is above its upper bound")
        return self._run(request)

    @abstractmethod
    def _run(self, request: Request) -> Answer:
        """Solve the matrix with the bounds last sent."""

    @abstractmethod
    def _send_bounds(self, index: NDArray[np.int32]) -> None:
        """Pass on the bounds of these columns (distinct, in order)."""
