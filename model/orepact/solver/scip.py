"""SCIP in memory, through PySCIPOpt (the extra `scip`): a second opinion that shares no code with HiGHS.

Slower to fill than HiGHS, and a stop is heeded between solves only; used to confirm, not to search.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.errors import SolverError
from orepact.solver.answer import Answer, AnswerStatus, Request, Solver
from orepact.solver.matrix import Matrix

_LIMITS = {"timelimit": "time", "userinterrupt": "interrupt", "memlimit": "memory", "nodelimit": "solutions or nodes"}


class ScipSession(Solver):
    """A matrix for SCIP. Raises SolverError where PySCIPOpt is not installed."""

    def __init__(self, matrix: Matrix, *, seed: int = 0, stop_event: threading.Event | None = None) -> None:
        super().__init__(matrix, stop_event)
        if not find_spec("pyscipopt"):
            raise SolverError("confirming with scip needs PySCIPOpt: pip install orepact[scip]")
        self._scip: Any = import_module("pyscipopt")
        self._seed = seed

    def _run(self, request: Request) -> Answer:
        began = time.perf_counter()
        model, columns = self._filled(relaxed=request.kind == "lp")
        model.setParam("randomization/randomseedshift", self._seed)
        model.setParam("limits/gap", request.gap if request.kind == "mip" else 0.0)
        if math.isfinite(request.time_limit):
            model.setParam("limits/time", max(0.0, request.time_limit - (time.perf_counter() - began)))
        if request.cutoff is not None:
            model.setObjlimit(request.cutoff)
        model.optimize()
        answer = self._read(request, model, columns)
        return replace(answer, seconds=time.perf_counter() - began, message=f"SCIP answers {model.getStatus()!r}")

    def _read(self, request: Request, model: Any, columns: list[Any]) -> Answer:
        ended = model.getStatus()
        solution = model.getBestSol() if model.getNSols() else None
        values = None if solution is None else np.clip(np.array([solution[x] for x in columns]), self._lower, self._upper)
        objective = None if values is None else self.matrix.objective(values)
        if ended in ("optimal", "gaplimit") and objective is not None and values is not None:
            bound = min(float(model.getDualbound()), objective)
            return Answer(AnswerStatus.OPTIMAL, objective, bound, values)
        if ended == "infeasible":
            return Answer(AnswerStatus.INFEASIBLE) if request.cutoff is None else Answer(AnswerStatus.CUTOFF, bound=request.cutoff)
        if ended == "unbounded":
            return Answer(AnswerStatus.UNBOUNDED)
        if ended not in _LIMITS:
            return Answer(AnswerStatus.ERROR)
        if request.kind == "lp":
            return Answer(AnswerStatus.LIMIT, limit=_LIMITS[ended])
        bound = float(model.getDualbound())
        return Answer(AnswerStatus.LIMIT, objective, None if abs(bound) >= model.infinity() else bound, values, limit=_LIMITS[ended])

    def _filled(self, relaxed: bool) -> tuple[Any, list[Any]]:
        """A SCIP model of the matrix and its variables in the order of the columns."""
        m, model = self.matrix, self._scip.Model()
        model.hideOutput()
        whole = np.zeros(len(m.columns), dtype=bool) if relaxed else m.integrality
        columns = [
            model.addVar(lb=_finite(low), ub=_finite(high), obj=float(cost), vtype="I" if integer else "C")
            for low, high, cost, integer in zip(self._lower, self._upper, m.c, whole, strict=True)
        ]
        model.addObjoffset(m.offset)
        rows = m.A.tocsr()
        for r in range(rows.shape[0]):
            place = slice(rows.indptr[r], rows.indptr[r + 1])
            terms = [float(a) * columns[j] for a, j in zip(rows.data[place], rows.indices[place], strict=True)]
            low, high = float(m.row_lower[r]), float(m.row_upper[r])
            if not terms:
                terms = [0.0 * columns[0]]
            total = self._scip.quicksum(terms)
            if low == high:
                model.addCons(total == low)
                continue
            if math.isfinite(high):
                model.addCons(total <= high)
            if math.isfinite(low):
                model.addCons(total >= low)
        return model, columns

    def _send_bounds(self, index: NDArray[np.int32]) -> None:
        """Nothing to send: every solve fills a new model with the bounds as they are."""


def _finite(bound: float) -> float | None:
    return float(bound) if math.isfinite(bound) else None
