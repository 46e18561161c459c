"""Path search on one market: neighbours of the best path, paths that miss the targets least where none has a plan, and the planner's word.

improve    one product to any rung throughout; then one rung in one window, or towards it from one revision on; until none helps
no plan    the paths that miss the targets least guide the search; then the planner, a relaxation of every path, tells an
           infeasible instance from one whose paths were not enough
"""

from __future__ import annotations

from collections.abc import Sequence

from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.paths import Path, distinct, neighbours
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, AnswerStatus
from orepact.solver.batch import Batch, open_solver, prepare
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.examine import Examiner
from orepact.solver.outcome import Adjust


def improve(market: Market, examiner: Examiner, options: SolveOptions, fixed: Adjust) -> bool:
    """Examine neighbours of the best path until none helps; whether the neighbourhood was exhausted."""
    if not options.neighbours or options.own_paths_only:
        return False
    while examiner.plan is not None and examiner.may_go_on:
        for fine in (False, True):
            near = distinct(fixed(p) for p in neighbours(market.world, market.ladders, examiner.plan.path, fine))
            if examiner.examine(near):
                break
        else:
            return examiner.may_go_on
    return False


def towards_feasible(
    market: Market, examiner: Examiner, paths: Sequence[Path], rules: Rules, options: SolveOptions, clock: Clock, fixed: Adjust, once: bool
) -> None:
    """Where no path has a plan: follow the neighbours that miss the targets least until one has; `once`: only rank the list."""
    elastic = Rules(support=rules.support, targets=True, stock=rules.stock, duty=rules.duty, elastic=True)
    known: dict[Path, float] = {}
    frontier = list(paths)
    while frontier and examiner.plan is None and examiner.may_go_on:
        try:
            batch = Batch(market, frontier, elastic, options, clock)
        except TimeOver:
            return
        answers = batch.bounds(range(len(frontier)), lambda _: None)
        known.update({frontier[p]: a.objective for p, a in answers.items() if a.status is AnswerStatus.OPTIMAL and a.objective is not None})
        if not known:
            return
        for path in known.keys() & examiner.records.keys():
            examiner.records[path].missed = known[path]
        if once:
            return
        best = min(known, key=lambda p: known[p])
        frontier = [p for p in distinct(fixed(p) for p in neighbours(market.world, market.ladders, best, False)) if p not in known]
        if known[best] <= 1e-7 and best not in examiner.records:
            examiner.examine([best])
        examiner.examine(frontier)
        if best not in batch.paths:
            return


def is_infeasible(market: Market, options: SolveOptions, clock: Clock) -> bool:
    """Whether even the planner's relaxation of every path has no plan; False where time ran out."""
    return not clock.over and planner_answer(market, options, clock).status is AnswerStatus.INFEASIBLE


def planner_answer(market: Market, options: SolveOptions, clock: Clock) -> Answer:
    """Whether the planner's relaxation of every path has any plan at all."""
    _, matrix = prepare(market, [market.free], Rules(behaviour="planner"), clock)
    with clock.phase("solve"):
        return open_solver(matrix, options, clock).solve("mip", gap=1.0, time_limit=clock.left)
