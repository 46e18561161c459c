"""Any other solver by name, through Pyomo, behind the same questions and the same `Answer`.

Slower than HiGHS in memory (Pyomo writes the model out for every solve) and with fewer services: no warm start, no
first values, no cutoff, no progress within a solve, and `stop` is heeded between solves only. It works on the model
that the matrix was compiled from: `set_bounds` changes the bounds of its variables, a solve their values.
"""

from __future__ import annotations

import difflib
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.errors import ApplicationError
from pyomo.core.base.set_types import Reals
from pyomo.opt import SolverFactory, TerminationCondition

from orepact.errors import OptionError, SolverError
from orepact.solver.answer import Answer, AnswerStatus, Request, Solver
from orepact.solver.highs import WITHOUT_AGGREGATOR, set_pool
from orepact.solver.in_pyomo import in_pyomo
from orepact.solver.matrix import FloatArray, Matrix


@dataclass(frozen=True)
class Dialect:
    """What a solver calls the options that every solver has (None: it has none)."""

    gap: str
    threads: str | None = None
    seed: str | None = None


_HIGHS = Dialect("mip_rel_gap", "threads", "random_seed")
_GUROBI = Dialect("MIPGap", "Threads", "Seed")
_SCIP = Dialect("limits/gap", seed="randomization/randomseedshift")
_CPLEX = Dialect("mip_tolerances_mipgap", "threads", "randomseed")

DIALECTS: Mapping[str, Dialect] = {
    "highs": _HIGHS,
    "appsi_highs": _HIGHS,
    "cbc": Dialect("ratioGap", "threads", "randomCbcSeed"),
    "glpk": Dialect("mipgap", seed="seed"),
    "scip": _SCIP,
    "scip_direct": _SCIP,
    "gurobi": _GUROBI,
    "gurobi_direct": _GUROBI,
    "cplex": _CPLEX,
    "cplex_direct": _CPLEX,
}
"""For a solver that is not here, gap, threads and seed are left at the solver's own defaults, and the answers say so."""

_LIMITS = {
    TerminationCondition.maxTimeLimit: "time",
    TerminationCondition.userInterrupt: "interrupt",
    TerminationCondition.maxIterations: "iterations",
    TerminationCondition.maxEvaluations: "evaluations",
    TerminationCondition.resourceInterrupt: "resources",
}


class OtherSolver(Solver):
    """A matrix as a Pyomo model, and a solver that Pyomo reaches by name.

    `threads` 0 leaves the number to the solver; `extra` are further options by the solver's own names.
    Raises OptionError for a name that Pyomo does not know, SolverError for a solver that is not installed.
    """

    def __init__(
        self,
        matrix: Matrix,
        name: str,
        *,
        threads: int = 0,
        seed: int = 0,
        extra: Mapping[str, bool | int | float | str] | None = None,
        stop_event: threading.Event | None = None,
    ) -> None:
        super().__init__(matrix, stop_event)
        self._made = in_pyomo(matrix)
        self._name = name
        self._solver = _find(name)
        self._dialect = DIALECTS.get(name)
        self._options = dict(extra or {})
        if self._dialect and self._dialect.threads and threads:
            self._options[self._dialect.threads] = threads
        if self._dialect and self._dialect.seed and seed:
            self._options[self._dialect.seed] = seed

    def _run(self, request: Request) -> Answer:
        began = time.perf_counter()
        options = dict(self._options)
        if self._dialect and request.kind == "mip":
            options[self._dialect.gap] = request.gap
            if self._dialect is _HIGHS:
                options.setdefault("presolve_rule_off", WITHOUT_AGGREGATOR)
        limit = None if math.isinf(request.time_limit) else math.ceil(request.time_limit)  # some take whole seconds only
        if self._dialect is _HIGHS:
            set_pool(None)  # with a pool of another size, left by a solve in memory, HiGHS refuses to run
        with self._domains(relaxed=request.kind == "lp"):
            try:
                results = self._solver.solve(self._made.model, load_solutions=False, timelimit=limit, options=options)
            except (ApplicationError, RuntimeError, ValueError) as error:
                raise SolverError(f"solver {self._name!r} failed: {error}") from error
        answer = self._read(request, results.solver.termination_condition, self._values(results), results)
        if answer.status is AnswerStatus.ERROR and request.kind == "mip":
            # Some solvers have no word for a MIP without a plan; the LP may tell.
            relaxed = self._run(replace(request, kind="lp"))
            answer = relaxed if relaxed.status is AnswerStatus.INFEASIBLE else answer
        return replace(answer, seconds=time.perf_counter() - began)

    def _read(self, request: Request, ended: Any, values: FloatArray | None, results: Any) -> Answer:
        note = "" if self._dialect else f"gap, threads and seed are those of {self._name!r} itself"
        if ended == TerminationCondition.infeasible:
            return Answer(AnswerStatus.INFEASIBLE, message=note)
        if ended == TerminationCondition.unbounded:
            return Answer(AnswerStatus.UNBOUNDED, message=note)
        optimal = ended == TerminationCondition.optimal and values is not None
        status = AnswerStatus.OPTIMAL if optimal else AnswerStatus.LIMIT if ended in _LIMITS else AnswerStatus.ERROR
        message = note if optimal else "; ".join(filter(None, (f"{self._name} answers {str(ended)!r}", note)))
        stopped = Answer(status, limit=_LIMITS.get(ended), message=message)
        if values is None or status is AnswerStatus.ERROR or (request.kind == "lp" and not optimal):
            return stopped
        objective = self.matrix.objective(values)
        bound = objective if request.kind == "lp" else self._bound(results, objective, request.gap if optimal else None)
        return replace(stopped, objective=objective, bound=bound, values=values)

    def _send_bounds(self, index: NDArray[np.int32]) -> None:
        for j in index:
            low, high = float(self._lower[j]), float(self._upper[j])
            self._made.variables[j].setlb(None if math.isinf(low) else low)
            self._made.variables[j].setub(None if math.isinf(high) else high)

    @contextmanager
    def _domains(self, relaxed: bool) -> Iterator[None]:
        """The integer columns as real ones, with the bounds they have, for as long as this lasts."""
        whole = self.matrix.integer_indices if relaxed else self.matrix.integer_indices[:0]
        variables = self._made.variables
        domains = [variables[j].domain for j in whole]
        for j in whole:
            variables[j].domain = Reals
        self._send_bounds(whole)
        try:
            yield
        finally:
            for j, domain in zip(whole, domains, strict=True):
                variables[j].domain = domain

    def _values(self, results: Any) -> FloatArray | None:
        """The values of the plan that came back, in the order of the columns; None if none did."""
        if not len(results.solution):
            return None
        self._made.model.solutions.load_from(results)
        # A column in no row and no cost may come back without a value: any value within its bounds will do.
        raw = (0.0 if column.value is None else column.value for column in self._made.variables)
        values: FloatArray = np.clip(np.fromiter(raw, dtype=float), self._lower, self._upper)
        return values

    def _bound(self, results: Any, objective: float, gap: float | None) -> float | None:
        """The bound that the solver proved; failing that, what "optimal within this gap" implies."""
        reported = results.problem.lower_bound
        if isinstance(reported, int | float) and math.isfinite(reported):
            return min(float(reported), objective)
        return None if gap is None or self._dialect is None else objective - gap * abs(objective)


def _find(name: str) -> Any:
    """The solver of that name, ready to be asked."""
    known = sorted(n for n in SolverFactory if not n.startswith("_"))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise OptionError(f"unknown solver {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    solver = SolverFactory(name)
    if not solver.available(exception_flag=False):
        raise SolverError(f"solver {name!r} is not installed or has no licence: Pyomo finds neither its program nor its Python package")
    return solver
