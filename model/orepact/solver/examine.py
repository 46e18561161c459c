"""Examine price paths: one model for a batch of paths, an LP bound for each, a MIP for those that may beat the best plan.

A path is fixed by column bounds: its own y at 1, every other y at 0, and every deal of another response class at 0.
Two workers with a solver each share the LPs; the MIPs run in rising order of their bounds and stop at the first that can't
beat the incumbent by more than the gap.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.build import Built, build
from orepact.formulation.case import Case, Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus, Solver
from orepact.solver.handover import Matrix, compile_matrix
from orepact.solver.highs import Session
from orepact.solver.other import OtherSolver
from orepact.solver.progress import Listener, Progress, relative_gap


HIGHS = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9, "simplex_scale_strategy": 0}
"""Tight tolerances: a plan is money and tonnes that must add up. The model is scaled already; scaling again slows LPs by 40 %."""

ROUNDING = 1e-9
"""Relative: two costs this close are one cost that was added up in another order."""


@dataclass
class Clock:
    """Time left for a run, and where its seconds went; `stop` ends it early from any thread."""

    limit: float
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        return max(0.0, self.limit - self.seconds)

    @property
    def over(self) -> bool:
        return self.stop.is_set() or self.left <= 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what happens inside towards a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.phases[name] = self.phases.get(name, 0.0) + time.perf_counter() - start


@dataclass
class Record:
    """What is known of one path: a bound below every plan on it, the best plan found, and how it was examined."""

    path: Path
    bound: float | None = None
    objective: float | None = None
    status: str = "not examined"
    root_bound: float | None = None


@dataclass(frozen=True)
class Plan:
    """A solved model: values in the order of `matrix.columns`; no plan of its kind costs less than `bound`."""

    built: Built
    matrix: Matrix
    values: NDArray[np.float64]
    objective: float
    path: Path
    bound: float | None = None


def open_solver(matrix: Matrix, options: SolveOptions, clock: Clock, threads: int | None = None) -> Solver:
    """A solver holding the matrix: HiGHS in memory, or another one by name."""
    wanted = options.threads if threads is None else threads
    if options.solver == "highs":
        return Session(matrix, threads=wanted, seed=options.seed, extra=HIGHS, stop_event=clock.stop)
    return OtherSolver(matrix, options.solver, threads=wanted, seed=options.seed, stop_event=clock.stop)


def prepare(market: Market, paths: Sequence[Path], rules: Rules, clock: Clock, scenarios: list[int] | None = None) -> tuple[Built, Matrix]:
    """Work out the offers on the paths, build the model and turn it into arrays."""
    case = Case(market, list(paths), rules, scenarios)
    with clock.phase("offer"):
        if not case.planner:
            _ = case.deals, case.scarcity
    with clock.phase("build"):
        built = build(case)
    with clock.phase("hand over"):
        return built, compile_matrix(built.model)


class Batch:
    """A model over a batch of paths, ready to be fixed to one of them."""

    def __init__(self, market: Market, paths: Sequence[Path], rules: Rules, options: SolveOptions, clock: Clock) -> None:
        self.paths = list(paths)
        self.options, self.clock = options, clock
        self.built, self.matrix = prepare(market, self.paths, rules, clock)
        with clock.phase("hand over"):
            self._columns = self._switchable()

    def _switchable(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
        """Per path: indices, lower and upper bounds of the columns that fix it."""
        model, case, matrix = self.built.model, self.built.case, self.matrix
        owners = model.owners
        choices = [(c, j, matrix.index(y)) for (c, j), y in model.choice.y.items()]
        groups: list[list[int]] = []
        for d in range(len(case.deals)):
            own = [matrix.index(owners.weight[d])]
            own += [matrix.index(part[d]) for part in (owners.volume, owners.grant) if d in part]
            own += [matrix.index(owners.corner[d, i]) for i in range(len(case.deals[d].deal.corners)) if (d, i) in owners.corner]
            groups.append(own)
        found = []
        for path in self.paths:
            number = [case.path_number(c, path) for c in range(len(case.chains))]
            index = [column for _, _, column in choices]
            value = [1.0 if number[c] == j else 0.0 for c, j, _ in choices]
            lower, upper = list(value), list(value)
            for d, x in enumerate(case.deals):
                in_force = case.response_classes[x.facility][number[case.chain_of[x.facility]]] == x.response
                index += groups[d]
                lower += [0.0] * len(groups[d])
                upper += [math.inf if in_force else 0.0] * len(groups[d])
            found.append((np.array(index), np.array(lower), np.array(upper)))
        return found

    def fix(self, solver: Solver, p: int) -> None:
        """Leave only path p open."""
        solver.set_bounds(*self._columns[p])

    def bounds(self, wanted: Sequence[int], listener: Callable[[int], None]) -> dict[int, Answer]:
        """LP bound of each wanted path, shared between workers; `listener` hears how many are done."""
        workers = max(1, min(len(wanted), self.options.threads or _cores()))
        if self.options.solver != "highs":
            workers = 1
        queues = [wanted[n::workers] for n in range(workers)]
        found: dict[int, Answer] = {}

        def work(queue: Sequence[int]) -> None:
            solver = open_solver(self.matrix, self.options, self.clock, threads=1)
            for p in queue:
                if self.clock.over:
                    return
                self.fix(solver, p)
                found[p] = solver.solve("lp", time_limit=self.clock.left, warm=False)
                listener(len(found))

        with self.clock.phase("solve"), ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(work, queue) for queue in queues]:
                done.result()
        return found


class Examiner:
    """Keeps the best plan over every path examined so far. Objectives are in the world's scaled money until read."""

    def __init__(self, market: Market, rules: Rules, options: SolveOptions, clock: Clock, listener: Listener | None) -> None:
        self.market, self.rules, self.options, self.clock = market, rules, options, clock
        self.listener = listener
        self.records: dict[Path, Record] = {}
        self.plan: Plan | None = None
        self.size: dict[str, object] = {}
        self.listed = 0

    @property
    def unit(self) -> float:
        return self.market.world.money_unit

    @property
    def best(self) -> float:
        return math.inf if self.plan is None else self.plan.objective

    @property
    def bound(self) -> float | None:
        """No plan on any path examined costs less; None while some path has no bound yet."""
        bounds = [r.bound for r in self.records.values()]
        if not bounds or any(b is None for b in bounds):
            return None
        return min(min(b for b in bounds if b is not None), self.best)

    def good_enough(self, bound: float) -> bool:
        """Whether a path with this bound can't beat the best plan by more than the gap."""
        return bound >= self.best - max(self.options.gap, ROUNDING) * abs(self.best)

    def examine(self, paths: Sequence[Path]) -> bool:
        """Examine paths not seen before; whether the best plan improved."""
        fresh = [p for p in dict.fromkeys(paths) if p not in self.records][: max(0, self.options.max_paths - len(self.records))]
        if not fresh or self.clock.over:
            return False
        before = self.best
        batch = Batch(self.market, fresh, self.rules, self.options, self.clock)
        done = len(self.records)
        self.records.update({p: Record(p) for p in fresh})
        answers = batch.bounds(range(len(fresh)), lambda n: self._tell("bounds", done + n))
        for p, answer in answers.items():
            record = self.records[fresh[p]]
            record.status = f"LP {answer.status}"
            if answer.status is AnswerStatus.INFEASIBLE:
                record.bound, record.status = math.inf, "no plan: its LP has none"
            elif answer.status is AnswerStatus.OPTIMAL:
                record.bound, record.status = answer.objective, "bound by LP"
        open_paths = sorted((p for p in answers if answers[p].status is AnswerStatus.OPTIMAL), key=lambda p: self.records[fresh[p]].bound or 0.0)
        solver = open_solver(batch.matrix, self.options, self.clock) if open_paths else None
        for p in open_paths:
            record = self.records[fresh[p]]
            if self.clock.over or solver is None or record.bound is None or self.good_enough(record.bound):
                break
            self._solve(batch, solver, p, record)
        return self.best < before

    def _solve(self, batch: Batch, solver: Solver, p: int, record: Record) -> None:
        """The MIP of one path, with the best plan so far as cutoff."""
        batch.fix(solver, p)
        cutoff = None if self.plan is None else self.best
        with self.clock.phase("solve"):
            answer = solver.solve("mip", gap=self.options.gap / 2, time_limit=self.clock.left, cutoff=cutoff, listener=self.hear)
            if answer.values is not None and answer.objective is not None and answer.objective < self.best:
                answer = solver.polish(answer)
        relaxed = record.bound
        if answer.bound is not None:
            record.bound = max(answer.bound, relaxed or -math.inf)
        record.root_bound = answer.root_bound
        if answer.status is AnswerStatus.INFEASIBLE:
            record.bound, record.status = math.inf, "no plan"
        elif answer.status is AnswerStatus.CUTOFF:
            record.bound, record.status = max(self.best, relaxed or -math.inf), "solved: no better than the best"
        elif answer.status is AnswerStatus.OPTIMAL:
            record.status = "solved"
        else:
            record.status = f"stopped: {answer.limit or answer.message}"
        if answer.values is None or answer.objective is None:
            return
        record.objective = answer.objective
        if answer.objective < self.best:
            self.plan = Plan(batch.built, batch.matrix, answer.values, answer.objective, batch.paths[p])
            self.size = describe(batch.matrix, answer)
            self._tell("better plan", len(self.records))

    def hear(self, event: Progress) -> None:
        """Pass on progress from within a solve."""
        if self.listener is not None:
            best = min(self.best, event.incumbent if event.incumbent is not None else math.inf)
            self._tell("solve", len(self.records), None if best == math.inf else best)

    def _tell(self, phase: str, examined: int, incumbent: float | None = None) -> None:
        if self.listener is None:
            return
        best = incumbent if incumbent is not None else (None if self.plan is None else self.best)
        bound = self.bound
        scaled = (None if x is None or math.isinf(x) else x * self.unit for x in (best, bound))
        best, bound = scaled
        self.listener(
            Progress(
                phase=phase,
                seconds=self.clock.seconds,
                incumbent=best,
                bound=bound,
                gap=relative_gap(best, bound),
                paths_examined=examined,
                paths_listed=self.listed,
            )
        )


def describe(matrix: Matrix, answer: Answer) -> dict[str, object]:
    """Size of a model and what its root said, for the record."""
    ranges = matrix.coefficient_ranges()["matrix"]
    return {**matrix.size(), "coefficient_range": list(ranges) if ranges else None, "root_gap": answer.root_gap, "nodes": answer.nodes}


def _cores() -> int:

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["Batch", "Clock", "Examiner", "Plan", "Record", "describe", "open_solver", "prepare"]
