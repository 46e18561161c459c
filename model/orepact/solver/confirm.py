"""The stated bound, confirmed: everything a run claims is solved a second time, by HiGHS with other settings or by SCIP.

    solved        no plan on any path examined is cheaper than the plan by more than the gap, and the plan's path has a plan that cheap
    stopped       no plan on any path examined is cheaper than the stated bound by more than the gap
    basket        at the prices of the bound no plan on any path of a part costs less than the bound says, and there is the plan of the whole
    no plan       none of the paths examined has a plan
    infeasible    not even the planner's relaxation of every path has one

For each path an LP, and where that does not settle it a MIP that looks for nothing dearer than the claim: a bound above the claim is
all that is asked, not an optimum. That there is a plan is shown with its starts given. Each solve is from scratch: nothing of the first is
used but the list of paths, the cost to beat and those starts. The models are built anew from the same instance: what is confirmed is the
solver, not the formulation (`benchmarks` and tests compare that with brute force). A contradiction makes the run *disputed*; time running
out leaves it unconfirmed. Paths that came nearest to the plan are solved first.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.build import Built
from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus, Kind, Solver
from orepact.solver.batch import BOUND, HIGHS, SEARCH, Batch, Plan, cores, prepare
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.highs import Session
from orepact.solver.matrix import FloatArray, Matrix
from orepact.solver.outcome import Outcome, Pricing
from orepact.solver.progress import Listener, Progress, money
from orepact.solver.reduced import reduce
from orepact.solver.result import Status
from orepact.solver.scip import ScipSession
from orepact.solver.search import starting_list
from orepact.solver.shared import Prices

TOGETHER = 64
"""Paths in one model."""

FREELY: dict[str, bool | int | float | str] = {name: value for name, value in SEARCH.items() if name not in HIGHS} | BOUND
"""The search's settings at HiGHS's own tolerances, which are far finer than any gap: without presolve the simplex method turns in circles at finer ones."""

LP_PATIENCE = 30.0
"""Seconds for one LP; the MIP then has to settle the path."""

SLACK = 0.05
"""Of the gap, by how much the second solve of a basket's part may fall short of the first: each was proven within a gap of its own."""

DECIMALS = 1e-9
"""Relative: two costs this close are one."""


@dataclass(frozen=True)
class Claim:
    """What must hold of every path (scaled money): no plan costs less than `floor`; that of the plan has one that costs no more than `roof`."""

    floor: float
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
        elif outcome.pricing is not None:
            said = second.parts(outcome, outcome.pricing)
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
            settled = self._nothing_below(self.solver_for(matrix, False), Claim(math.inf), "in the planner's relaxation")
        if settled:
            return f"Confirmed by {self.name}: not even the planner's relaxation has a plan."
        return f"Not confirmed by {self.name}: the planner's relaxation was not settled in the time left."

    def one_model(self, outcome: Outcome) -> str:
        """One MIP over all paths, or the planner's, again."""
        if outcome.bound is None and (outcome.plan is not None or outcome.limit):
            return f"Nothing to confirm by {self.name}: no bound is stated."
        listed = [r.path for r in outcome.records] or starting_list(self.market, self.options)
        built, matrix = prepare(self.market, listed, self.rules, self.clock, hurried=True)
        claim, where = _claim(outcome, self.options.gap), "in the one model"
        with self.clock.phase("confirm"):
            settled = self._nothing_below(self.solver_for(matrix, False), claim, where) is not None
            if outcome.plan is not None and settled and built.case.planner:
                settled = self._there_is(built, matrix, np.zeros(0, dtype=np.int64), np.zeros(0), outcome.plan, claim, where)
            elif outcome.plan is not None and settled:
                batch = Batch(self.market, [outcome.plan.path], self.rules, self.options, self.clock)
                settled = self._there_is(batch.built, batch.matrix, *batch.fixed(outcome.plan.path), outcome.plan, claim, where)
        if settled:
            what = "there is no plan" if math.isinf(claim.floor) else f"no plan costs less than {self._money(claim.floor)}, within the gap"
            return f"Confirmed by {self.name}: in the one model {what}."
        return f"Not confirmed by {self.name}: the one model was not settled in the time left."

    def paths(self, outcome: Outcome) -> str:
        """Every path examined, again."""
        listed = [r.path for r in outcome.records if r.bound is not None or r.objective is not None]
        if not listed or (outcome.bound is None and outcome.plan is not None) or (outcome.plan is None and outcome.limit):
            return f"Nothing to confirm by {self.name}: no bound is stated."
        claim = _claim(outcome, self.options.gap)
        settled, branched = self._all_settled(self.market, listed, claim, outcome.plan, None, len(listed))
        if settled < len(listed):
            return f"Not confirmed by {self.name}: {settled} of {len(listed)} paths were settled in the time left, none against."
        what = "there is no plan" if math.isinf(claim.floor) else f"no plan costs less than {self._money(claim.floor)}, the cost less the gap"
        if outcome.status is Status.LIMIT:
            what = f"no plan costs less than {self._money(claim.floor)}, the bound less the gap"
        return f"Confirmed by {self.name}: on the {len(listed)} paths examined {what} ({len(listed) - branched} by their LP alone)."

    def parts(self, outcome: Outcome, pricing: Pricing) -> str:
        """Every path of every part of a basket at the prices of its bound, and the plan of the whole, again."""
        everything = sum(len(bounded.paths) for bounded in pricing.parts)
        settled, branched, slack = 0, 0, 0.0
        for bounded in pricing.parts:
            room = SLACK * max(self.options.gap, DECIMALS) * abs(bounded.least)
            slack += room * bounded.market.world.money_unit
            found = self._all_settled(bounded.market, bounded.paths, Claim(bounded.least - room), None, pricing.prices, everything, settled)
            settled, branched = settled + found[0], branched + found[1]
        if settled < everything:
            return f"Not confirmed by {self.name}: {settled} of {everything} paths were settled in the time left, none against."
        if outcome.plan is not None:
            claim, where = _claim(outcome, self.options.gap), "on the plan's path"
            batch = Batch(self.market, [outcome.plan.path], self.rules, self.options, self.clock)
            with self.clock.phase("confirm"):
                if not self._there_is(batch.built, batch.matrix, *batch.fixed(outcome.plan.path), outcome.plan, claim, where):
                    return f"Not confirmed by {self.name}: the plan itself was not settled in the time left."
        floor = money(pricing.bound - slack)
        return (
            f"Confirmed by {self.name}: no combination of the {everything} paths examined, one in each of {len(pricing.parts)} parts, "
            f"costs less than {floor} ({everything - branched} of the paths by their LP alone)."
        )

    def _all_settled(
        self, market: Market, listed: Sequence[Path], claim: Claim, plan: Plan | None, prices: Prices | None, of: int, done: int = 0
    ) -> tuple[int, int]:
        """How many of these paths are settled, and how many of them took a MIP; stops where time runs out."""
        settled, branched = 0, 0
        for start in range(0, len(listed), TOGETHER):
            together = list(listed[start : start + TOGETHER])
            try:
                batch = Batch(market, together, self.rules, self.options, self.clock, prices)
            except TimeOver:
                break
            with self.clock.phase("confirm"), ThreadPoolExecutor(1 if self.scip else max(1, self.options.threads or cores())) as pool:
                for n, how in enumerate(pool.map(lambda p, batch=batch: self._settled(batch, p, claim, plan), range(len(together))), start=1):
                    settled, branched = settled + bool(how), branched + (how == "mip")
                    self._tell(done + start + n, of)
            del batch
            gc.collect()  # the collector rests during a run
        return settled, branched

    def _settled(self, batch: Batch, p: int, claim: Claim, plan: Plan | None) -> Kind | None:
        """What settled a path, its LP or a MIP; None if time ran out. Raises Contradiction."""
        path = batch.paths[p]
        if self.clock.over:
            return None
        columns, values = batch.fixed(path)
        where = f"on the path {path.label!r}"
        if plan is not None and path == plan.path and not self._there_is(batch.built, batch.matrix, columns, values, plan, claim, where):
            return None
        return self._nothing_below(self.solver_for(reduce(batch.matrix, columns, values).matrix, True), claim, where)

    def _nothing_below(self, solver: Solver, claim: Claim, where: str) -> Kind | None:
        """What shows that there is no plan below the claim's floor, the LP or the MIP; None if time ran out. Raises Contradiction."""
        relaxed = solver.solve("lp", time_limit=min(self.clock.left, LP_PATIENCE))
        if relaxed.status is AnswerStatus.INFEASIBLE or (relaxed.status is AnswerStatus.OPTIMAL and (relaxed.objective or 0.0) >= claim.floor):
            return "lp"
        cutoff = None if math.isinf(claim.floor) else claim.floor
        answer = solver.solve("mip", gap=1.0 if cutoff is None else 0.0, time_limit=self.clock.left, cutoff=cutoff)
        if answer.objective is not None and answer.objective < claim.floor - DECIMALS * abs(answer.objective):
            below = "where there should be none" if cutoff is None else f"below {self._money(claim.floor)}, the least that was possible"
            raise Contradiction(f"{where} there is a plan for {self._money(answer.objective)}, {below}")
        settled = answer.status in (AnswerStatus.INFEASIBLE, AnswerStatus.CUTOFF, AnswerStatus.OPTIMAL)
        return "mip" if settled or (answer.bound is not None and answer.bound >= claim.floor) else None

    def _there_is(self, built: Built, matrix: Matrix, columns: NDArray[np.int64], values: FloatArray, plan: Plan, claim: Claim, where: str) -> bool:
        """Whether a plan as cheap as the one found is there once `columns` stand at `values`, and starts at what it builds; False if time
        ran out. Raises Contradiction."""
        starts, u = plan.starts(), built.model.owners.u
        fixed = np.concatenate((columns, u.ids)).astype(np.int64)
        built_then = [float(round(starts.get(key, 0.0))) for key in u]
        part = reduce(matrix, fixed, np.concatenate((values, built_then)))
        answer = self.solver_for(part.matrix, True).solve("mip", gap=self.options.gap / 2, time_limit=self.clock.left)
        if answer.status is AnswerStatus.INFEASIBLE:
            raise Contradiction(f"{where} there is no plan that builds what the one found does")
        if answer.bound is not None and answer.bound > claim.roof + DECIMALS * abs(claim.roof):
            raise Contradiction(f"{where} no plan that builds the same costs less than {self._money(answer.bound)}, although one was found")
        return answer.values is not None

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
    return Claim(stated - max(gap, DECIMALS) * abs(stated), cost + max(gap, DECIMALS) * abs(cost))
