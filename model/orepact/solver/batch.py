"""One model for many price paths, and a solver for any one of them.

A path is chosen by fixing columns: its own y and rungs at 1, every other at 0, and every deal of another response class at 0.
A solver gets only what is left (`reduced.py`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.errors import SolverFault
from orepact.formulation.build import Built, build
from orepact.formulation.case import Case, Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus, Basis, Kind, Solver
from orepact.solver.clock import Clock
from orepact.solver.crew import crew, each
from orepact.solver.highs import Session
from orepact.solver.matrix import FloatArray, Matrix, matrix_of
from orepact.solver.progress import Listener
from orepact.solver.reduced import Cut, Reduced, cut
from orepact.solver.scale import check_scale, spreads
from orepact.solver.shared import Prices, shared_of

HIGHS: dict[str, bool | int | float | str] = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "simplex_scale_strategy": 0,
}
"""Tight tolerances: a plan is money and tonnes that must add up. The model is scaled already; scaling again slows LPs by 40 %."""

SEARCH: dict[str, bool | int | float | str] = {
    **HIGHS,
    "mip_allow_restart": False,
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_feasibility_jump": False,
}
"""On one path the bound is close and branching finds plans by itself; most of HiGHS's time would go into sub-MIPs and restarts."""

BOUND: dict[str, bool | int | float | str] = {"simplex_scale_strategy": 0, "simplex_dual_edge_weight_strategy": 1}
"""An LP that only gives a bound keeps HiGHS's own tolerances: at tighter ones the simplex method now and then turns in circles.
Devex pricing takes a fifth of the time off."""

CAREFUL: tuple[dict[str, bool | int | float | str], ...] = ({"simplex_scale_strategy": 2}, {"solver": "ipm"})
"""For an LP that fails or turns in circles: HiGHS's own tolerances and scaling, then the interior point method."""

PATIENCE = 20.0
"""An LP that takes so many times longer than any before it in its batch (and 5 seconds at the least) is turning in circles."""

FIRST: dict[str, bool | int | float | str] = {**SEARCH, "mip_heuristic_run_rens": True}
"""As long as no plan is known, one sub-MIP around the LP's answer pays."""


Starts = frozenset[tuple[str, int]]
"""Plants and the period in which each is built."""


@dataclass(frozen=True)
class Plan:
    """A solved model: values in the order of `matrix.columns`; no plan of its kind costs less than `bound`."""

    built: Built
    matrix: Matrix
    values: NDArray[np.float64]
    objective: float
    path: Path
    bound: float | None = None

    def building(self) -> Starts:
        """Which plants it builds, and in which period each."""
        plants = self.built.case.world.plants
        return frozenset((plants[f].code, tau) for (f, tau), value in self.starts().items() if value > 0.5)

    def starts(self) -> dict[tuple[int, int], float]:
        """What is built when: u by plant and start."""
        u = self.built.model.owners.u
        return dict(zip(u, self.values[u.ids].tolist(), strict=True))


MISS = 1e-6
"""By how much a plan from a solver may miss a row, a bound or a whole number of the scaled model before it is called numerically bad."""


def check_point(plan: Plan | None) -> None:
    """Raise SolverFault for a plan that does not meet its own model."""
    if plan is None:
        return
    miss = plan.matrix.violations(plan.values)
    if not max(miss.rows, miss.bounds, miss.integrality) <= MISS or not math.isfinite(plan.objective):
        worst = f"rows by {miss.rows:.1e}, bounds by {miss.bounds:.1e}, whole numbers by {miss.integrality:.1e}"
        raise SolverFault("bad point", f"the solver's plan misses the model it was found in: {worst}")


def open_solver(matrix: Matrix, options: SolveOptions, clock: Clock) -> Solver:
    """A solver holding the matrix: HiGHS in memory, or another one by name."""
    if options.solver == "highs":
        return Session(matrix, threads=options.threads, seed=options.seed, extra=HIGHS | _presolve(options), stop_event=clock.stop)
    from orepact.solver.other import OtherSolver  # it loads Pyomo, which takes longer than a small model

    return OtherSolver(matrix, options.solver, threads=options.threads, seed=options.seed, stop_event=clock.stop)


def prepare(
    market: Market, paths: Sequence[Path], rules: Rules, clock: Clock, scenarios: list[int] | None = None, hurried: bool = False
) -> tuple[Built, Matrix]:
    """Work out the offers on the paths, build the model and turn it into arrays.

    Raises InstanceError if the numbers of the model are too far apart to be solved; if `hurried`, TimeOver once the clock has run out.
    """
    case = Case(market, list(paths), rules, scenarios)
    with clock.phase("offer"):
        if not case.planner:
            _ = case.deals, case.scarcity
    if hurried:
        clock.check()
    with clock.phase("build"):
        built = build(case)
    if hurried:
        clock.check()
    with clock.phase("hand over"):
        matrix = matrix_of(built.model)
        check_scale(matrix, case)
        return built, matrix


class OnePath:
    """A solver for one path of a batch; answers carry values of the whole batch's columns, and duals of its rows."""

    def __init__(self, solver: Solver, part: Reduced) -> None:
        self._solver, self._part = solver, part

    def solve(self, kind: Kind, polish: bool = False, known: Iterable[tuple[int, float]] = (), **asked: Any) -> Answer:
        """As `Solver.solve`, with `known` first values by column of the batch; a plan is polished on request."""
        start = None
        if known:
            start = np.full(len(self._part.whole.columns), np.nan)
            for column, value in known:
                start[column] = value
            start = start[self._part.kept]
        answer = self._solver.solve(kind, start=start, **asked)
        if polish and answer.values is not None:
            answer = self._solver.polish(answer)
        if answer.values is None:
            return answer
        duals = None if answer.duals is None else self._part.expand_duals(answer.duals)
        return replace(answer, values=self._part.expand(answer.values), duals=duals)


class Batch:
    """A model over a batch of paths, of a whole market or, with `prices`, of a part that shares rows with others (`shared.py`).

    `bases` is where the LPs of the same paths ended in a batch that differs little. Raises TimeOver where there is no time left to make it.
    """

    def __init__(
        self,
        market: Market,
        paths: Sequence[Path],
        rules: Rules,
        options: SolveOptions,
        clock: Clock,
        prices: Prices | None = None,
        bases: Mapping[Path, Basis] | None = None,
    ) -> None:
        self.paths = list(paths)
        self.bases: dict[Path, Basis] = dict(bases or {})  # of each path's last LP, to start the next one from
        self._cuts: dict[int, Cut] = {}
        self.options, self.clock = options, clock
        self.built, self.unpriced = prepare(market, self.paths, rules, clock, hurried=True)
        self.matrix = self.unpriced
        self.shared = None if prices is None else shared_of(self.built, self.unpriced)
        self.price(prices or {})
        with clock.phase("hand over"):
            owners = self.built.model.owners
            families = (owners.weight, owners.volume, owners.grant, owners.corner)
            self._deals = np.concatenate([family.ids for family in families])
            self._deal_of = np.concatenate([family.index[0] for family in families])

    def price(self, prices: Prices) -> None:
        """Put other prices on the shared rows of a part."""
        if self.shared is not None:
            with self.clock.phase("hand over"):
                self.matrix = self.shared.priced(self.unpriced, prices)

    def fixed(self, path: Path) -> tuple[NDArray[np.int64], FloatArray]:
        """The columns that choose a path, and their values."""
        case = self.built.case
        number = np.array([case.path_number(c, path) for c in range(len(case.chains))])
        answer = np.array([classes[number[c]] for classes, c in zip(case.response_classes, case.chain_of, strict=True)], dtype=np.int64)
        other = case.deal.response != answer[case.deal.facility]
        closed = self._deals[other[self._deal_of]]
        y, z = self.built.model.choice.y, self.built.model.choice.z
        (chain, j), (k, t, l) = y.index, z.index
        chosen, rung = number[chain] == j, np.array(path.rungs)[k, t] == l
        return np.concatenate((y.ids, z.ids, closed)), np.concatenate((chosen, rung, np.zeros(len(closed)))).astype(float)

    def beyond(self, starts: Starts) -> list[int]:
        """The columns that build anything but these."""
        plants = self.built.case.world.plants
        return [column for (f, tau), column in self.built.model.owners.u.items() if (plants[f].code, tau) not in starts]

    def solver_for(self, p: int, settings: dict[str, bool | int | float | str] | None = None, closed: Sequence[int] = ()) -> OnePath:
        """A solver for path p; HiGHS on one thread with these settings. Columns `closed` stand at zero."""
        with self.clock.phase("hand over"):
            part = self._part(p, closed)
            if self.options.solver != "highs":
                return OnePath(open_solver(part.matrix, self.options, self.clock), part)
            extra = (settings or SEARCH) | _presolve(self.options)
            session = Session(part.matrix, threads=1, seed=self.options.seed, extra=extra, stop_event=self.clock.stop, watch_lp=False)
            return OnePath(session, part)

    def _fixed_and(self, p: int, closed: Sequence[int]) -> tuple[NDArray[np.int64], FloatArray]:
        """The columns that choose path p, and those that stand at zero, with their values."""
        columns, values = self.fixed(self.paths[p])
        return np.concatenate((columns, np.array(closed, dtype=np.int64))), np.concatenate((values, np.zeros(len(closed))))

    def _part(self, p: int, closed: Sequence[int]) -> Reduced:
        """What is left of the model on path p: cut out once, since prices change nothing but costs."""
        if closed:
            return cut(self.matrix, *self._fixed_and(p, closed)).of(self.matrix)
        if p not in self._cuts:
            self._cuts[p] = cut(self.matrix, *self.fixed(self.paths[p]))
        return self._cuts[p].of(self.matrix)

    @property
    def workers(self) -> int:
        """How many paths to solve at a time: Pyomo's interfaces to other solvers are for one at a time."""
        return 1 if self.options.solver != "highs" else self.options.threads or cores()

    def bounds(self, wanted: Sequence[int], heard: Callable[[int], None]) -> dict[int, Answer]:
        """LP bound of each wanted path, shared between workers; `heard` is told how many are done."""
        found: dict[int, Answer] = {}

        slowest = 0.0

        def work(p: int) -> None:
            nonlocal slowest
            if self.clock.over:
                return
            patience = max(5.0, PATIENCE * slowest)
            path = self.solver_for(p, BOUND)
            with self.clock.phase("solve"):
                answer = path.solve("lp", time_limit=min(self.clock.left, patience), basis=self.bases.get(self.paths[p]))
                for settings in CAREFUL if self.options.solver == "highs" else ():
                    if answer.status not in (AnswerStatus.LIMIT, AnswerStatus.ERROR) or self.clock.over:
                        break
                    patience *= 10
                    answer = self.solver_for(p, settings).solve("lp", time_limit=min(self.clock.left, patience))
            slowest = max(slowest, answer.seconds)
            if answer.basis is not None:
                self.bases[self.paths[p]] = answer.basis
            found[p] = answer
            heard(len(found))

        each(work, wanted, crew(self.workers))
        return found

    def plan(self, p: int, cutoff: float | None, known: Plan | None, listener: Listener | None, closed: Sequence[int] = ()) -> Answer:
        """The MIP of a path, from what a known plan builds. Columns `closed` stand at zero."""
        u = self.built.model.owners.u
        first = [] if known is None else [(u[key], value) for key, value in known.starts().items() if key in u]
        path = self.solver_for(p, FIRST if known is None else SEARCH, closed)
        with self.clock.phase("solve"):
            return path.solve("mip", polish=True, known=first, gap=self.options.gap / 2, time_limit=self.clock.left, cutoff=cutoff, listener=listener)


def _presolve(options: SolveOptions) -> dict[str, bool | int | float | str]:
    """HiGHS's own default, or off: much of what goes wrong in a solver goes wrong there."""
    return {} if options.presolve else {"presolve": "off"}


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(matrix: Matrix, answer: Answer) -> dict[str, object]:
    """Size of a model and what its root said, for the record."""
    ranges = matrix.coefficient_ranges()["matrix"]
    gap = answer.root_gap
    return {
        **matrix.size(),
        "coefficient_range": list(ranges) if ranges else None,
        "ranges": [str(spread) for spread in spreads(matrix)],
        "root_gap": None if gap is None or math.isinf(gap) else gap,
        "nodes": answer.nodes,
    }
