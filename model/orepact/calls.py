"""The public calls. Each solve runs in a child process that is watched, and is tried again after a fault of the solver.

    asked        the run as asked for
    safer        after a fault: presolve off, one path at a time, the best price path found so far first
    rescue       after another: only that best price path, so that its plan is not lost

An abort, a hang, memory beyond its limit and a plan that does not meet its own model are faults. A run that fails all the same ends
as a Solution with the status "solver failed" and the reason. `isolated=False` solves in this process instead: no start-up time and
no watch, so a solver that aborts or hangs takes its caller along.

This module imports no solver: the child does.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import pandas as pd

from orepact.analysis.sweep import cases_of
from orepact.analysis.sweep import sweep as run_sweep
from orepact.errors import Problem, SolverFault
from orepact.formulation.arithmetic import impossible_targets
from orepact.instance.instance import Instance
from orepact.instance.package import Package
from orepact.instance.reader import read as read_instance
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solution.solution import Solution
from orepact.solver.child import resolve
from orepact.solver.diagnosis.diagnosis import Diagnosis
from orepact.solver.isolation import Guards, a_worker
from orepact.solver.progress import Listener, Progress, keep_plan_on_interrupt
from orepact.solver.result import SolveResult, Status, this_platform, versions

RUN = "orepact.api:run"
SENSITIVITY = "orepact.analysis.sensitivity:sensitivity"
"""Named, not imported, since they need a solver."""

SAFER: dict[str, Any] = {"presolve": False, "threads": 1}
ONLY_ONE_PATH: dict[str, Any] = {"path_list": 1, "neighbours": False, "method": "paths"}


def read(path: str | FilePath) -> Instance:
    """Read and check an instance folder or workbook. Raises InstanceError with every problem found."""
    return read_instance(FilePath(path))


def validate(instance: str | FilePath | Instance) -> list[Problem]:
    """Warnings of a valid instance, targets included that sums alone prove impossible. Raises InstanceError with every problem of an invalid one."""
    given = instance if isinstance(instance, Instance) else read(instance)
    return [*given.warnings, *impossible_targets(given, world_of(given))]


def solve(instance: Instance, options: SolveOptions | None = None, listener: Listener | None = None, stop: threading.Event | None = None) -> Solution:
    """Find the cheapest secure plan. The status says what was proven; a run without a plan carries no numbers.

    `listener` hears of progress; setting `stop` from another thread ends the run with its best plan.
    """
    return Run(instance, options or SolveOptions(), None, listener, stop or threading.Event()).solution()


def explain(instance: Instance, options: SolveOptions | None = None, listener: Listener | None = None) -> Diagnosis:
    """Why an instance has no plan, and which changes of its own figures give one; status "solved" where it has a plan."""
    asked = (options or SolveOptions()).model_copy(
        update={"gap": 1.0, "neighbours": False, "baseline": False, "stress": False, "explain": True, "relax": False}
    )
    solution = solve(instance, asked, listener)
    return solution.diagnosis or Diagnosis(solution.result.status.value, "", notes=("There is a plan: nothing to explain.",), seconds=solution.result.seconds)


def evaluate(
    instance: Instance,
    package: Package,
    options: SolveOptions | None = None,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> Solution:
    """What somebody else's package comes to: what it fixes stays fixed, the rest is left to the model as the package says.

    Owners who would not sign what the package gives them are named in the solution's notes, and their plants stay unbuilt. A package
    that can't meet the targets, caps and budgets is worked out without them: status "targets missed".
    """
    return Run(instance, options or SolveOptions(), package, listener, stop or threading.Event()).solution()


def sensitivity(
    instance: Instance,
    options: SolveOptions | None = None,
    top: int = 5,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Which assumed figures matter most; see `orepact.analysis.sensitivity`. A fault of the solver is raised as SolverFault."""
    options, stop = options or SolveOptions(), stop or threading.Event()
    with keep_plan_on_interrupt(stop):
        if not options.isolated:
            return pd.DataFrame(resolve(SENSITIVITY)(instance, options, top, listener=listener, stop=stop))
        with a_worker() as worker:
            guards = replace(Guards.of(options.time_limit, options.memory_limit), time_limit=math.inf, whole=math.inf)  # many solves, each with its limit
            return pd.DataFrame(worker.run(SENSITIVITY, (instance, options, top), guards, listener, stop))


def sweep(
    instance: Instance,
    vary: Mapping[str, Sequence[Any]] | None = None,
    options: SolveOptions | None = None,
    *,
    cases: Sequence[Mapping[str, Any]] = (),
    out: str | FilePath | None = None,
    workers: int = 0,
    executor: Executor | None = None,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Solve many cases of an instance and return them as a table, one row per case; `table.attrs["folder"]` is where it is stored.

    `vary` gives values by dotted path (`{"economics.social_rate": [0.02, 0.03]}`): every combination is a case. `cases` lists values by
    path, one mapping per case; with both, every row of the list meets every combination. Cases run side by side, each on one thread unless
    the options say otherwise, in child processes of `workers` threads (0: as many as there are cores), or on any concurrent.futures
    `executor`. What is stored in `out` (default: a folder under runs/ named after the question) is not solved again.
    Child processes share the machine's memory equally; how many run side by side on an executor is not known here, so give it a `memory_limit`.

    Raises OptionError before anything is solved if a path is unknown or a value out of its range, StoppedError if stopped by ctrl-C.
    """
    found = cases_of(instance, vary or {}, cases, options or SolveOptions())
    table, folder = run_sweep(found, None if out is None else FilePath(out), _one_of_many, executor, workers, listener, stop)
    table.attrs["folder"] = str(folder)
    return table


def _one_of_many(instance: Instance, options: SolveOptions, *, stop: threading.Event | None = None, side_by_side: int = 1) -> Solution:
    """`solve` for a case of a sweep: cases that run side by side share the machine's memory."""
    return Run(instance, options, None, None, stop or threading.Event(), side_by_side=side_by_side).solution()


@dataclass
class Run:
    """One run and what became of its attempts."""

    instance: Instance
    options: SolveOptions
    package: Package | None
    listener: Listener | None
    stop: threading.Event
    best: tuple[tuple[int, ...], ...] | None = None
    side_by_side: int = 1

    def solution(self) -> Solution:
        """The first attempt that ends without a fault, or what can be said after the last."""
        self._began = time.perf_counter()
        faults: list[str] = []
        with keep_plan_on_interrupt(self.stop):
            for changes, only_best in (({}, False), (SAFER, False), (SAFER | ONLY_ONE_PATH, True)):
                if faults and (self.stop.is_set() or (only_best and self.best is None)):
                    break
                try:
                    return self._told(self._attempt(changes, again=bool(faults)), faults, only_best)
                except SolverFault as fault:
                    faults.append(f"after {self.seconds:.0f} s, {fault.reason}")
        return self._failed(faults)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def _attempt(self, changes: dict[str, Any], again: bool) -> Solution:
        """One attempt. A later one gets the time that is left, and a quarter of the limit at the least."""
        limit = self.options.time_limit
        if again:
            changes = changes | {"time_limit": max(limit - self.seconds, limit / 4)}
        options = self.options.model_copy(update=changes)
        first: Sequence[Any] = [self.best] if self.best is not None else []
        arguments = (self.instance, options, self.package, first)
        if not self.options.isolated:
            found: Solution = resolve(RUN)(*arguments, listener=self._hear, stop=self.stop)
        else:
            with a_worker() as worker:
                whole = options.time_limit + (options.confirm_time if options.confirm != "no" else 0.0)
                guards = Guards.of(whole, options.memory_limit, self.side_by_side)
                found = worker.run(RUN, arguments, guards, self._hear, self.stop)
        return found

    def _hear(self, event: Progress) -> None:
        if event.rungs is not None:
            self.best = event.rungs
        if self.listener is not None:
            self.listener(event)

    def _told(self, solution: Solution, faults: list[str], only_best: bool) -> Solution:
        """The solution of the attempt that ended well, which says what went wrong before it."""
        if not faults:
            return solution
        result = replace(solution.result, threads=self.options.threads, seconds=self.seconds)
        if only_best and result.has_plan:
            proven = "the solver failed twice; this is the best plan until then, solved again, and no bound is known"
            status = Status.MISSED if result.status is Status.MISSED else Status.LIMIT
            result = replace(result, status=status, limit="solver fault", proven=proven, bound=None, gap=None)
        note = f"The solver failed: {'; then '.join(faults)}. What is shown was solved again with safer settings (no presolve, one thread)."
        return replace(solution, result=result, options=self.options, notes=(note, *solution.notes))

    def _failed(self, faults: list[str]) -> Solution:
        """What is left to say: no plan, no numbers, the reason."""
        reason = f"the solver failed: {'; then, with safer settings, '.join(faults)}"
        lost = "" if self.best is None else " A plan had been found and is lost with it."
        result = SolveResult(
            status=Status.FAILED,
            behaviour=self.options.behaviour,
            method=self.options.method,
            seconds=self.seconds,
            proven=reason,
            versions=versions(self.options),
            seed=self.options.seed,
            threads=self.options.threads,
            platform=this_platform(),
        )
        return Solution(
            result,
            self.instance.settings,
            self.options,
            dict(self.instance.digests),
            package=self.package.content() if self.package else {},
            warnings=tuple(str(w) for w in self.instance.warnings),
            notes=(f"{reason[0].upper()}{reason[1:]}.{lost}",),
        )
