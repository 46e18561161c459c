"""HiGHS in memory: one instance holds one matrix and is asked again and again with other bounds.

An LP starts from scratch (presolve and simplex) or from a basis that it is given (dual simplex without presolve). The same LP
at other prices or with another figure in a target takes a tenth of the time or less from its own basis; from that of another
price path it takes twice as long as from scratch (15,000 columns). A MIP starts from scratch: its answer does not depend on
what was solved before.

HiGHS releases Python's lock while it runs: sessions in several Python threads solve at the same time. One session serves one
thread at a time, cannot be pickled, and must not be carried over a fork (start worker processes by spawning).
"""

from __future__ import annotations

import difflib
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import replace

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus
from numpy.typing import NDArray

from orepact.errors import OptionError, SolverError
from orepact.solver.answer import Answer, AnswerStatus, Request, Solver
from orepact.solver.matrix import Matrix
from orepact.solver.pulse import PULSE
from orepact.solver.watch import WATCHED, Post, Watch, finite, on_callback

WITHOUT_AGGREGATOR = 1 << 12
"""HiGHS option `presolve_rule_off` for MIPs: with this rule of its presolve HiGHS 1.15.1 called a dearer plan optimal in 12 of 60
orders of the columns of one tiny model (tests/solver/test_false_optimum.py), without it in none. LPs are checked again after
presolve by HiGHS itself, so they keep it."""

_OWN = ("output_flag", "threads", "random_seed", "mip_rel_gap", "time_limit", "objective_bound", "solve_relaxation")
"""Options that a session sets itself: `extra` may not."""

_LIMITS = {
    HighsModelStatus.kTimeLimit: "time",
    HighsModelStatus.kInterrupt: "interrupt",
    HighsModelStatus.kIterationLimit: "iterations",
    HighsModelStatus.kSolutionLimit: "solutions or nodes",
    HighsModelStatus.kMemoryLimit: "memory",
}

_ANSWERED = (
    HighsModelStatus.kOptimal,
    HighsModelStatus.kInfeasible,
    HighsModelStatus.kUnbounded,
    HighsModelStatus.kUnboundedOrInfeasible,
    HighsModelStatus.kObjectiveBound,
)

_scheduler = threading.local()
"""HiGHS keeps one pool of workers per Python thread; another number of threads needs another pool."""


def set_pool(threads: int | None) -> None:
    """Make this Python thread's pool one of `threads` workers; None: of whatever number the next solve asks for."""
    if threads is None or getattr(_scheduler, "threads", None) != threads:
        highspy.Highs.resetGlobalScheduler(True)
        _scheduler.threads = threads


class Session(Solver):
    """One HiGHS instance holding one matrix.

    `threads` 0 means as many as there are cores; `extra` are further HiGHS options by their own names. HiGHS asks after every step
    of an LP whether to go on, and waits each time for Python's lock: where several sessions solve small LPs at the same time,
    `watch_lp` False is 1.5 times faster; a stop is then heeded between LPs and within the tree of a MIP.
    Raises OptionError for an option that HiGHS does not know or a value it refuses, SolverError if it refuses the matrix.
    """

    def __init__(
        self,
        matrix: Matrix,
        *,
        threads: int = 0,
        seed: int = 0,
        extra: Mapping[str, bool | int | float | str] | None = None,
        stop_event: threading.Event | None = None,
        watch_lp: bool = True,
    ) -> None:
        super().__init__(matrix, stop_event)
        self.threads = threads or _cores()
        self._relaxed = False
        self._rules_off = int((extra or {}).get("presolve_rule_off", 0))
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("output_flag", False)
        self._set("threads", self.threads)
        self._set("random_seed", seed)
        for name, value in (extra or {}).items():
            if name in _OWN:
                raise OptionError(f"solver option {name!r} is set by its own argument")
            self._set(name, value)
        self._pass_matrix()
        self._post = Post()
        self._highs.setCallback(on_callback, self._post)
        for kind in WATCHED if watch_lp else WATCHED[:1]:
            self._highs.startCallback(kind)

    def _run(self, request: Request) -> Answer:
        watch = Watch(request.stop, request.listener)
        self._relax(request.kind == "lp" or not self.matrix.integer_indices.size)  # HiGHS answers a MIP without integers as an LP
        self._highs.clearSolver()
        warm = self._relaxed and request.basis is not None and self._highs.setBasis(request.basis) == HighsStatus.kOk
        if not self._relaxed and request.start is not None:
            known = np.flatnonzero(~np.isnan(request.start)).astype(np.int32)
            self._highs.setSolution(known.size, known, np.ascontiguousarray(request.start[known], dtype=float))
        self._set("presolve_rule_off", self._rules_off or (0 if self._relaxed else WITHOUT_AGGREGATOR))
        self._set("mip_rel_gap", request.gap)
        self._set("objective_bound", math.inf if request.cutoff is None else request.cutoff)
        status = self._run_highs(watch, request.time_limit)
        if warm and status not in _ANSWERED and status not in _LIMITS:
            self._highs.clearSolver()
            status = self._run_highs(watch, request.time_limit)
        if status == HighsModelStatus.kUnboundedOrInfeasible:
            status = self._tell_unbounded(watch, request.time_limit)
            answer = self._without_plan(status, request.cutoff)
        else:
            answer = self._read(status, request.cutoff, watch.root_bound, request.duals)
        return replace(answer, seconds=watch.seconds())

    def _run_highs(self, watch: Watch, time_limit: float) -> HighsModelStatus:
        set_pool(self.threads)
        left = max(0.0, time_limit - watch.seconds())
        # HiGHS counts the time of an LP from the instance's first run, that of a MIP from this one.
        self._set("time_limit", left + self._highs.getRunTime() if self._relaxed else left)
        self._post.watch = watch
        with PULSE.running():
            self._highs.run()
        self._post.watch = None
        if watch.fault is not None:
            raise watch.fault
        return self._highs.getModelStatus()

    def _tell_unbounded(self, watch: Watch, time_limit: float) -> HighsModelStatus:
        """Is there any point at all? Asked without a cost: if so, the problem with its cost is unbounded."""
        n = len(self.matrix.columns)
        every = np.arange(n, dtype=np.int32)
        self._highs.changeColsCost(n, every, np.zeros(n))
        self._set("objective_bound", math.inf)
        self._highs.clearSolver()
        try:
            status = self._run_highs(watch, time_limit)
        finally:
            self._highs.changeColsCost(n, every, self.matrix.c)
        return HighsModelStatus.kUnbounded if status == HighsModelStatus.kOptimal else status

    def _read(self, status: HighsModelStatus, cutoff: float | None, root_bound: float | None, duals: bool) -> Answer:
        facts, solution = self._highs.getInfo(), self._highs.getSolution()
        feasible = facts.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        optimal = status == HighsModelStatus.kOptimal
        if not (feasible and solution.value_valid and (optimal or not self._relaxed)):
            return self._without_plan(status, cutoff)
        values = np.clip(np.array(solution.col_value), self._lower, self._upper)
        objective = self.matrix.objective(values)
        bound = objective if self._relaxed else _least(finite(facts.mip_dual_bound), objective, cutoff)
        plan = Answer(
            AnswerStatus.OPTIMAL,
            objective=objective,
            bound=bound,
            values=values,
            duals=np.array(solution.row_dual) if duals and self._relaxed else None,
            basis=self._highs.getBasis() if self._relaxed and optimal else None,
            nodes=max(0, int(facts.mip_node_count)),
            root_bound=None if self._relaxed else bound if facts.mip_node_count <= 1 else root_bound,
        )
        message = self._highs.modelStatusToString(status)
        if status in _LIMITS:
            return replace(plan, status=AnswerStatus.LIMIT, limit=_LIMITS[status], message=message)
        if not optimal:
            return replace(plan, status=AnswerStatus.ERROR, message=f"HiGHS answers {message!r}")
        if not self._relaxed and cutoff is not None and objective > cutoff + 1e-6 * max(1.0, abs(cutoff)):
            # HiGHS calls a dearer plan optimal although it looked at nothing dearer than the cutoff.
            return replace(plan, status=AnswerStatus.CUTOFF, message=f"nothing cheaper than {cutoff:g}")
        return plan

    def _without_plan(self, status: HighsModelStatus, cutoff: float | None) -> Answer:
        message, facts = self._highs.modelStatusToString(status), self._highs.getInfo()
        nodes = max(0, int(facts.mip_node_count))
        if status in _LIMITS:
            bound = None if self._relaxed else _least(finite(facts.mip_dual_bound), cutoff)
            return Answer(AnswerStatus.LIMIT, bound=bound, nodes=nodes, limit=_LIMITS[status], message=message)
        if status == HighsModelStatus.kUnbounded:
            return Answer(AnswerStatus.UNBOUNDED, message=message)
        if cutoff is not None and status in (HighsModelStatus.kObjectiveBound, HighsModelStatus.kInfeasible):
            return Answer(AnswerStatus.CUTOFF, bound=cutoff, nodes=nodes, message=f"nothing cheaper than {cutoff:g}")
        if status == HighsModelStatus.kInfeasible:
            return Answer(AnswerStatus.INFEASIBLE, nodes=nodes, message=message)
        return Answer(AnswerStatus.ERROR, nodes=nodes, message=f"HiGHS answers {message!r}")

    def _set(self, name: str, value: bool | int | float | str) -> None:
        if self._highs.setOptionValue(name, value) == HighsStatus.kOk:
            return
        known = [o for o in dir(self._highs.getOptions()) if not o.startswith("_")]
        if name in known:
            raise OptionError(f"solver option {name!r} cannot be {value!r}")
        near = difflib.get_close_matches(name, known, n=1)
        raise OptionError(f"unknown solver option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))

    def _pass_matrix(self) -> None:
        m = self.matrix
        status = self._highs.passModel(
            len(m.columns),
            len(m.rows),
            m.A.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            m.offset,
            m.c,
            m.col_lower,
            m.col_upper,
            m.row_lower,
            m.row_upper,
            m.A.indptr,
            m.A.indices,
            m.A.data,
            m.integrality.astype(np.int32),
        )
        if status == HighsStatus.kError:
            raise SolverError(f"HiGHS refuses the model; coefficient ranges: {m.coefficient_ranges()}")

    def _send_bounds(self, index: NDArray[np.int32]) -> None:
        if self._highs.changeColsBounds(index.size, index, self._lower[index], self._upper[index]) == HighsStatus.kError:
            raise SolverError("HiGHS refuses the bounds")

    def _relax(self, relaxed: bool) -> None:
        whole = self.matrix.integer_indices
        if relaxed != self._relaxed and whole.size:
            kind = highspy.HighsVarType.kContinuous if relaxed else highspy.HighsVarType.kInteger
            self._highs.changeColsIntegrality(whole.size, whole, np.full(whole.size, int(kind), dtype=np.uint8))
        self._relaxed = relaxed


def _least(bound: float | None, *others: float | None) -> float | None:
    """The bound, no higher than the other figures that are known."""
    return None if bound is None else min([bound, *(o for o in others if o is not None)])


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
