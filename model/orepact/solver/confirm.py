"""The stated bound, confirmed: everything a run claims is solved a second time, by HiGHS with other settings or by SCIP.

    solved        no plan on any path examined is cheaper than the plan by more than the gap, and the plan's path has a plan that cheap
    stopped       no plan on any path examined is cheaper than the stated bound by more than the gap
    no plan       none of the paths examined has a plan
    infeasible    not even the planner's relaxation of every path has one

For each path an LP, and where that does not settle it a MIP, each from scratch: nothing of the first solve is used but the list of
paths and the cost to beat. The models are built anew from the same instance: what is confirmed is the solver, not the formulation
(`benchmarks` and tests compare that with brute force). A contradiction makes the run *disputed*; time running out leaves it unconfirmed.
"""

from __future__ import annotations

import gc
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus, Solver
from orepact.solver.batch import BOUND, HIGHS, SEARCH, Batch, cores, prepare
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.handover import Matrix
from orepact.solver.highs import Session
from orepact.solver.outcome import Outcome
from orepact.solver.progress import Listener, Progress, money
from orepact.solver.reduced import reduce
from orepact.solver.result import Status
from orepact.solver.scip import ScipSession
from orepact.solver.search import starting_list

TOGETHER = 64
"""Paths in one model."""

FREELY: dict[str, bool | int | float | str] = {name: value for name, value in SEARCH.items() if name not in HIGHS} | BOUND
"""The search's settings at HiGHS's own tolerances, which are far finer than any gap: without presolve the simplex method turns in circles at finer ones."""

LP_PATIENCE = 30.0
"""Seconds for one LP; the MIP then has to settle the path."""

DECIMALS = 1e-9
"""Relative: two costs this close are one."""


@dataclass(frozen=True)
class Claim:
    """What must hold of every path (scaled money): no plan costs less than `floor`; on `best` there is one that costs no more than `roof`."""

    floor: float
    best: Path | None = None
    roof: float = math.inf


class Contradiction(Exception):
    """What the second solve found against the first, as a sentence."""


def confirmed(market: Market, rules: Rules, options: SolveOptions, clock: Clock, outcome: Outcome, listener: Listener | None = None) -> Outcome:
    """The outcome with what a second solve says about it: status DISPUTED where it contradicts the first."""
    second = _Second(market, rules, options, clock, listener)
    try:
        if outcome.status is Status.INFEASIBLE:
            said = second.no_plan_at_all()
        elif options.behaviour == "planner" or options.method == "milp":
            said = second.one_model(outcome)
        else:
            said = second.paths(outcome)
    except TimeOver:
        return replace(outcome, confirmation=f"Not confirmed by {second.name}: no time was left for it.")
    except Contradiction as against:
        return replace(outcome, status=Status.DISPUTED, confirmation=f"Disputed by {second.name}: {against}.")
    return replace(outcome, confirmation=said)


class _Second:
    """Whoever solves a second time."""

    def __init__(self, market: Market, rules: Rules, options: SolveOptions, clock: Clock, listener: Listener | None) -> None:
        self.market, self.rules, self.options, self.clock, self.listener = market, rules, options, clock, listener
        self.scip = options.confirm == "scip"
        self.name = "SCIP" if self.scip else f"a second solve (HiGHS, {'no presolve' if options.presolve else 'presolve'}, seed {options.seed + 1})"

    def solver_for(self, matrix: Matrix, one_of_many: bool) -> Solver:
        """A solver unlike the first."""
        if self.scip:
            return ScipSession(matrix, seed=self.options.seed + 1, stop_event=self.clock.stop)
        presolve = {"presolve": "off" if self.options.presolve else "on"}
        own = (FREELY if one_of_many else BOUND) | presolve
        threads = 1 if one_of_many else self.options.threads
        return Session(matrix, threads=threads, seed=self.options.seed + 1, extra=own, stop_event=self.clock.stop, watch_lp=not one_of_many)

    def no_plan_at_all(self) -> str:
        """Infeasible: the planner's relaxation again."""
        _, matrix = prepare(self.market, [self.market.free], Rules(behaviour="planner"), self.clock, hurried=True)
        with self.clock.phase("confirm"):
            answer = self.solver_for(matrix, False).solve("mip", gap=1.0, time_limit=self.clock.left)
        if answer.status is AnswerStatus.INFEASIBLE:
            return f"Confirmed by {self.name}: not even the planner's relaxation has a plan."
        if answer.values is not None:
            raise Contradiction("the planner's relaxation has a plan")
        return f"Not confirmed by {self.name}: {answer.limit or answer.message}."

    def one_model(self, outcome: Outcome) -> str:
        """One MIP over all paths, or the planner's, again."""
        if outcome.bound is None:
            return f"Nothing to confirm by {self.name}: no bound is stated."
        _, matrix = prepare(self.market, starting_list(self.market, self.options), self.rules, self.clock, hurried=True)
        with self.clock.phase("confirm"):
            answer = self.solver_for(matrix, False).solve("mip", gap=self.options.gap / 2, time_limit=self.clock.left)
        claim = _claim(outcome, self.options.gap)
        self._compare(answer, claim, math.inf if claim.best is None else claim.roof, "in the one model")
        if answer.status is not AnswerStatus.OPTIMAL:
            return f"Not confirmed by {self.name}: {answer.limit or answer.message}."
        return f"Confirmed by {self.name}: no plan in the one model costs less than {self._money(claim.floor)}, within the gap."

    def paths(self, outcome: Outcome) -> str:
        """Every path examined, again."""
        listed = [r.path for r in outcome.records if r.bound is not None or r.objective is not None]
        if not listed or (outcome.bound is None and outcome.plan is not None) or (outcome.plan is None and outcome.limit):
            return f"Nothing to confirm by {self.name}: no bound is stated."
        claim, settled = _claim(outcome, self.options.gap), 0
        for start in range(0, len(listed), TOGETHER):
            together = listed[start : start + TOGETHER]
            try:
                batch = Batch(self.market, together, self.rules, self.options, self.clock)
            except TimeOver:
                break
            with self.clock.phase("confirm"), ThreadPoolExecutor(1 if self.scip else max(1, self.options.threads or cores())) as pool:
                for n, answered in enumerate(pool.map(lambda p, batch=batch: self._settled(batch, p, claim), range(len(together))), start=1):
                    settled += answered
                    self._tell(start + n, len(listed))
            del batch
            gc.collect()  # the collector rests during a run
        if settled < len(listed):
            return f"Not confirmed by {self.name}: {settled} of {len(listed)} paths were settled in the time left, none against."
        what = "there is no plan" if math.isinf(claim.floor) else f"no plan costs less than {self._money(claim.floor)}, the cost less the gap"
        if outcome.status is Status.LIMIT:
            what = f"no plan costs less than {self._money(claim.floor)}, the bound less the gap"
        return f"Confirmed by {self.name}: on the {len(listed)} paths examined {what}."

    def _settled(self, batch: Batch, p: int, claim: Claim) -> bool:
        """Whether a path is settled; raises Contradiction."""
        path, best = batch.paths[p], batch.paths[p] == claim.best
        if self.clock.over:
            return False
        solver = self.solver_for(reduce(batch.matrix, *batch.fixed(path)).matrix, True)
        where = f"on the path {path.label!r}"
        relaxed = solver.solve("lp", time_limit=min(self.clock.left, LP_PATIENCE))
        if relaxed.status is AnswerStatus.INFEASIBLE and not best:
            return True
        if relaxed.status is AnswerStatus.OPTIMAL and relaxed.objective is not None and relaxed.objective >= claim.floor and not best:
            return True
        cutoff = None if best or math.isinf(claim.floor) else claim.floor
        answer = solver.solve("mip", gap=self.options.gap / 2, time_limit=self.clock.left, cutoff=cutoff)
        self._compare(answer, claim, claim.roof if best else math.inf, where)
        if answer.status in (AnswerStatus.INFEASIBLE, AnswerStatus.CUTOFF):
            return True
        return answer.status is AnswerStatus.OPTIMAL or (not best and answer.bound is not None and answer.bound >= claim.floor)

    def _compare(self, answer: Answer, claim: Claim, roof: float, where: str) -> None:
        """Raise Contradiction if an answer can't be true together with the claim."""
        if answer.objective is not None and answer.objective < claim.floor - DECIMALS * abs(answer.objective):
            below = "where there should be none" if math.isinf(claim.floor) else f"below {self._money(claim.floor)}, the least that was possible"
            raise Contradiction(f"{where} there is a plan for {self._money(answer.objective)}, {below}")
        if math.isfinite(roof) and answer.status in (AnswerStatus.INFEASIBLE, AnswerStatus.CUTOFF):
            raise Contradiction(f"{where} there is no plan, although one was found")
        if answer.bound is not None and answer.bound > roof + DECIMALS * abs(roof):
            raise Contradiction(f"{where} no plan costs less than {self._money(answer.bound)}, although one was found that does")

    def _money(self, scaled: float) -> str:
        return money(scaled * self.market.world.money_unit)

    def _tell(self, done: int, of: int) -> None:
        if self.listener is not None:
            self.listener(Progress("confirm", self.clock.seconds, paths_examined=done, paths_listed=of))


def _claim(outcome: Outcome, gap: float) -> Claim:
    """What an outcome claims."""
    if outcome.plan is None:
        return Claim(math.inf)
    cost = outcome.plan.objective
    stated = cost if outcome.status is Status.SOLVED or outcome.bound is None else outcome.bound
    return Claim(stated - max(gap, DECIMALS) * abs(stated), outcome.plan.path, cost + max(gap, DECIMALS) * abs(cost))
