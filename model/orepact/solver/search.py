"""The search: the cheapest package over the listed price paths and their neighbours, or one model of them all.

    list       free trade, the user's own paths, floors and tariffs by stage, graded and constant (market/paths.py)
    examine    an LP bound for each path, MIPs in rising order while a bound beats the best plan (examine.py)
    improve    neighbours of the best path (neighbourhood.py), until none helps
    basket     where chains meet only in treasuries: each by itself, at prices on what they share (basket.py)

What is proven: no package on any path examined costs less than the bound. The one MILP over the same list is the cross-check.
Where no path has a plan, the paths that miss the targets least guide the search; then the planner, a relaxation of every path,
tells an infeasible instance from one whose paths were not enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from orepact.formulation.build import Built
from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.market.parts import parts_of
from orepact.market.paths import Path, distinct, listed_paths, own_paths
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.basket import Basket
from orepact.solver.batch import Plan, describe, open_solver, prepare
from orepact.solver.clock import Clock, TimeOver
from orepact.solver.examine import Examiner, Record
from orepact.solver.matrix import FloatArray, Matrix
from orepact.solver.memory import Memory
from orepact.solver.neighbourhood import improve, is_infeasible, towards_feasible
from orepact.solver.outcome import Adjust, Outcome
from orepact.solver.progress import Listener
from orepact.solver.question import kind_of
from orepact.solver.result import Status


def search(
    market: Market,
    options: SolveOptions,
    clock: Clock,
    listener: Listener | None = None,
    adjust: Adjust | None = None,
    rules: Rules | None = None,
    first: Sequence[Path] = (),
    memory: Memory | None = None,
) -> Outcome:
    """Find the cheapest plan by the method and behaviour asked; `adjust` imposes a user's package on every path, `first` come before all others.

    `memory` keeps what was found, for the next search that differs little; a package leaves it aside, since it forbids paths.
    """
    fixed, memory = (adjust, None) if adjust else (lambda path: path, memory)
    paths = distinct(fixed(p) for p in (*first, *starting_list(market, options)))
    if options.behaviour == "planner":
        return _one_model(market, paths, Rules(behaviour="planner"), options, clock, "the planner's problem, a bound on every policy", listener)
    rules = rules or market_rules(market)
    if options.method == "milp":
        return _one_model(market, paths, rules, options, clock, f"over {len(paths)} paths in one model", listener)
    parts = parts_of(market.world)
    if len(parts) > 1 and options.solver == "highs":  # another solver gets the whole model, whose rows can't be priced
        return _by_parts(Basket(market, parts, rules, options, clock, listener, fixed, memory), paths)
    return _by_paths(Examiner(market, rules, options, clock, listener), paths, fixed, memory)


def starting_list(market: Market, options: SolveOptions) -> list[Path]:
    """Paths to begin with."""
    if options.own_paths_only:
        return own_paths(market.world, market.ladders) or [market.free]
    listed = listed_paths(market.world, market.ladders)
    return listed[: options.path_list] if options.path_list else listed


def market_rules(market: Market) -> Rules:
    """The rules of a market run, as the instance sets them."""
    return Rules(duty=market.world.settings.owners.entry == "duty")


def one_model(market: Market, options: SolveOptions) -> Matrix:
    """The one model over the listed paths."""
    rules = market_rules(market) if options.behaviour == "market" else Rules(behaviour="planner")
    _, matrix = prepare(market, starting_list(market, options), rules, Clock(options.time_limit))
    return matrix


BASELINE = Rules(support=False, targets=False, stock=False, duty=True)
"""No policy: free trade, plain merchant offers, whoever can earn its cost builds."""


def _one_model(market: Market, paths: Sequence[Path], rules: Rules, options: SolveOptions, clock: Clock, scope: str, listener: Listener | None) -> Outcome:
    """One MILP over all the paths at once."""
    try:
        built, matrix = prepare(market, paths, rules, clock, hurried=True)
    except TimeOver:
        return _without_plan((), len(paths), {}, clock.limit_reached, False)
    solver = open_solver(matrix, options, clock)
    examiner = Examiner(market, rules, options, clock, listener)
    examiner.listed = len(paths)
    with clock.phase("solve"):
        answer = solver.solve("mip", gap=0.9 * options.gap, time_limit=clock.left, listener=examiner.hear)
        answer = solver.polish(answer) if answer.values is not None else answer
    size = describe(matrix, answer)
    plan = None
    if answer.values is not None and answer.objective is not None:
        plan = Plan(
            built,
            matrix,
            answer.values,
            answer.objective,
            paths[0] if rules.behaviour == "planner" else _chosen(market, plan_paths=paths, built=built, values=answer.values),
        )
        examiner.plan = plan
        examiner.tidy()
        plan = examiner.plan
    records = tuple(Record(p, bound=answer.bound, status="in the one model") for p in paths) if rules.behaviour == "market" else ()
    if answer.status is AnswerStatus.OPTIMAL:
        return Outcome(Status.SOLVED, plan, answer.bound, records, len(paths), f"{scope}: solved to the gap asked", None, size)
    if answer.status is AnswerStatus.INFEASIBLE and rules.behaviour == "planner":
        return Outcome(Status.INFEASIBLE, None, None, records, len(paths), "even the planner's relaxation has no plan", None, size)
    if answer.status is AnswerStatus.INFEASIBLE:
        return _without_plan(records, len(paths), size, None, is_infeasible(market, options, clock))
    limit = answer.limit or answer.message
    status = Status.NO_PLAN if plan is None else Status.LIMIT
    return Outcome(status, plan, answer.bound, records, len(paths), f"{scope}: stopped ({limit})", limit, size)


def _chosen(market: Market, plan_paths: Sequence[Path], built: Built, values: FloatArray) -> Path:
    """The whole path that the chains' own choices make up."""
    rungs = list(market.free.rungs)
    label = []
    for (c, j), y in built.model.choice.y.items():
        if values[y] > 0.5:
            path = built.case.chain_paths[c][j]
            label.append(path.label)
            for k in built.case.chains[c]:
                rungs[k] = path.rungs[k]
    whole = Path(tuple(rungs), "; ".join(dict.fromkeys(label)))
    return next((p for p in plan_paths if p == whole), whole)


def _by_paths(examiner: Examiner, paths: list[Path], fixed: Adjust, memory: Memory | None) -> Outcome:
    """Path search: the list, then neighbours of the best until none helps."""
    market, rules, options, clock = examiner.market, examiner.rules, examiner.options, examiner.clock
    examiner.listed = len(paths)
    kind = "" if memory is None else kind_of(market, rules, options)
    if memory is not None and kind in memory.trails:
        examiner.repeat(memory.trails[kind], paths)
    examiner.examine(paths)
    infeasible = examiner.plan is None and is_infeasible(market, options, clock)
    if examiner.plan is None and not clock.over and not options.own_paths_only:
        towards_feasible(market, examiner, paths, rules, options, clock, fixed, once=infeasible)
    exhausted = improve(market, examiner, options, fixed)
    if memory is not None:
        memory.trails[kind] = examiner.trail
    examiner.tidy()
    records = tuple(sorted(examiner.records.values(), key=_rank))
    bound = examiner.bound
    if examiner.plan is None:
        return _without_plan(records, len(paths), examiner.size, clock.limit_reached, infeasible)
    open_gap = not examiner.proven
    limit = None
    if open_gap:
        limit = "interrupt" if clock.stop.is_set() else "time"
        proven = "stopped before every path had a bound" if bound is None else f"stopped with the gap still open, over {len(records)} paths"
    else:
        reach = "no neighbour is better" if exhausted else "neighbours not all examined"
        proven = f"proven over {len(records)} paths; {reach}" if options.neighbours and not options.own_paths_only else f"proven over {len(records)} paths"
    return Outcome(Status.LIMIT if open_gap else Status.SOLVED, examiner.plan, bound, records, len(paths), proven, limit, examiner.size)


def _by_parts(basket: Basket, paths: list[Path]) -> Outcome:
    """Path search part by part, at prices on what the parts share."""
    clock = basket.clock
    basket.search(paths)
    records = tuple(sorted(basket.records(), key=_rank))
    if basket.plan is None:
        infeasible = is_infeasible(basket.market, basket.options, clock)
        return _without_plan(records, len(paths), basket.size, clock.limit_reached, infeasible)
    proven = f"over {basket.counted}; {'no neighbour is better' if basket.exhausted else 'neighbours not all examined'}"
    if basket.proven:
        return Outcome(Status.SOLVED, basket.plan, basket.bound, records, len(paths), f"proven {proven}", None, basket.size, pricing=basket.pricing)
    limit, proven = "interrupt" if clock.stop.is_set() else "time" if clock.over else "rounds", f"stopped with the gap still open, {proven}"
    return Outcome(Status.LIMIT, basket.plan, basket.bound, records, len(paths), proven, limit, basket.size, pricing=basket.pricing)


def _rank(record: Record) -> tuple[float, float]:
    return (math.inf if record.objective is None else record.objective, math.inf if record.bound is None else record.bound)


def _without_plan(records: tuple[Record, ...], listed: int, size: dict[str, object], limit: str | None, infeasible: bool) -> Outcome:
    """Tell an infeasible instance from one whose paths (or time) were not enough."""
    if infeasible:
        return Outcome(Status.INFEASIBLE, None, None, records, listed, "even the planner's relaxation of every path has no plan", None, size)
    proven = f"no plan on the {len(records)} paths examined" if limit is None else f"stopped by {limit} before a plan was found"
    return Outcome(Status.NO_PLAN, None, None, records, listed, proven, limit, size)
