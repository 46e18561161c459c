"""One run from an instance to a Solution, written here, once, in this very process; what programs call is in `calls.py`.

    read ─▶ world ─▶ market ─▶ search ─▶ baseline, stress tests ─▶ extract ─▶ verify ─▶ Solution

Nothing here prints, and nothing is kept between calls: each makes its own market, so calls may run in threads or processes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import pandas as pd

from orepact.errors import OptionError
from orepact.formulation.arithmetic import impossible_targets
from orepact.formulation.case import Rules
from orepact.instance.changes import changed
from orepact.instance.instance import Instance
from orepact.instance.package import Package
from orepact.instance.writer import texts
from orepact.market.offers import Market
from orepact.market.paths import Path, Rungs
from orepact.market.stress import with_lost_countries
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solution.explained import marked
from orepact.solution.extraction import extract
from orepact.solution.indicators import input_quality
from orepact.solution.solution import Solution
from orepact.solution.verification.verify import verify
from orepact.solver.batch import check_point
from orepact.solver.clock import Clock, Timesheet, collector_rests
from orepact.solver.confirm import confirmed
from orepact.solver.diagnosis.diagnose import Bending, bent, diagnose
from orepact.solver.memory import Memory
from orepact.solver.outcome import Outcome
from orepact.solver.packaged import Packaged
from orepact.solver.progress import Listener, keep_plan_on_interrupt
from orepact.solver.result import SolveResult, Status, peak_memory_mb, this_platform, versions
from orepact.solver.scale import scale_notes
from orepact.solver.search import BASELINE, market_rules, one_model, search
from orepact.solver.settle import settle
from orepact.solver.stress import play, without_policy

if TYPE_CHECKING:
    from orepact.solver.in_pyomo import ConcreteModel


def pyomo_model(instance: Instance, options: SolveOptions | None = None) -> ConcreteModel:
    """The one model over the listed paths as a Pyomo ConcreteModel, to add rows to or to solve in your own way.

    Blocks and indices are those of docs/mathematics.md; amounts are in powers of ten of t and USD near the instance's
    median amount and price (`World.mass_unit`, `money_unit`). Raises InstanceError where its numbers are too far apart to be solved.
    """
    from orepact.solver.in_pyomo import in_pyomo  # Pyomo takes longer to load than most other things take

    return in_pyomo(one_model(Market(world_of(instance)), options or SolveOptions())).model


def export(instance: Instance, options: SolveOptions, path: str | FilePath, format: str) -> None:
    """Write the one model over the listed paths as an LP or MPS file, with names a person can read."""
    if format not in ("lp", "mps"):
        raise OptionError(f"format must be lp or mps, not {format!r}")
    pyomo_model(instance, options).write(str(path), format=format, io_options={"symbolic_solver_labels": True})


def run(
    instance: Instance,
    options: SolveOptions,
    package: Package | None = None,
    first: Sequence[Rungs] = (),
    *,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
    memory: Memory | None = None,
) -> Solution:
    """One run, with the clock on every phase; `first` are price paths to begin with, `stop` ends it early, `memory` is a Resolver's.

    Raises SolverFault for a plan that does not meet its own model.
    """
    clock = Clock(options.time_limit, stop=stop or threading.Event(), sheet=Timesheet(read=instance.seconds))
    with keep_plan_on_interrupt(clock.stop), collector_rests():
        with clock.phase("price"):
            played = with_lost_countries(instance) if options.lose_countries else instance
            market = Market(world_of(played))
            packaged = Packaged(market, package) if package else None
        begin = [Path(rungs, "best so far") for rungs in first]
        rules = Rules(behaviour="planner") if options.behaviour == "planner" else market_rules(market)
        outcome = search(market, options, clock, listener, packaged, first=begin, memory=memory)
        if packaged and outcome.plan is None and not clock.over:
            rules = replace(rules, targets=False)
            missed = search(market, options, clock, listener, packaged, rules)
            outcome = replace(missed, proven=f"with the targets, caps and budgets left aside, which the package can't meet; {missed.proven}")
        if outcome.plan is not None:
            outcome = replace(outcome, plan=settle(outcome.plan, options, clock))
        if options.solver == "highs":  # other solvers have tolerances of their own
            check_point(outcome.plan)
        if options.confirm != "no":
            outcome = confirmed(market, rules, options, replace(clock, limit=clock.seconds + options.confirm_time), outcome, listener)
        found = None
        if outcome.plan is None and (options.explain or options.relax) and not clock.stop.is_set():
            found, repairs = diagnose(played, outcome.status, outcome.records, options, Clock(options.explain_time, stop=clock.stop), package)
            if options.relax and repairs and package is None:
                solution = _bent(played, options, clock, outcome, bent(found, repairs), listener)
                if solution is not None:
                    return solution
                found = replace(found, notes=(*found.notes, "The nearest question that has a plan was not solved in the time of a run."))
        return replace(_solution(instance, market, options, clock, outcome, package, packaged), diagnosis=found)


class Resolver:
    """Solves instances that differ little from one another, keeping in memory what is of use to the next.

    Parts of a basket that did not change are taken over whole; where figures changed alone, the search begins with the paths examined before,
    each LP from where it ended and from what was built. For many questions about one instance, in this very process (no child watches over
    the solver). An answer is proven like any other; within its gap it may be another plan than a fresh solve finds. Not for use by two
    threads at once.
    """

    def __init__(self, options: SolveOptions | None = None) -> None:
        self.options = options or SolveOptions()
        self._memory = Memory()

    def solve(self, instance: Instance, listener: Listener | None = None, stop: threading.Event | None = None) -> Solution:
        """As `orepact.solve`, from what earlier calls found."""
        return run(instance, self.options, listener=listener, stop=stop, memory=self._memory)


def _bent(played: Instance, options: SolveOptions, clock: Clock, outcome: Outcome, bending: Bending, listener: Listener | None) -> Solution | None:
    """The nearest plan: the same run once more with the repair made; None if it finds none in the time of a run of its own.

    The solution is one of the eased instance, so that it can be verified; its diagnosis says what was eased.
    """
    eased = changed(played, bending.changes)
    again = Clock(options.time_limit, stop=clock.stop, sheet=clock.sheet)
    market = Market(world_of(eased))
    nearest = search(market, options, again, listener)
    if nearest.plan is None:
        return None
    nearest = replace(nearest, plan=settle(nearest.plan, options, again))
    solution = _solution(eased, market, options, again, nearest, None, None)
    proven = f"as asked: {outcome.status.value}; with rules bent: {solution.result.status.value}, {nearest.proven}"
    status = solution.result.status if solution.result.status is Status.CERTIFICATE_FAILED else Status.BENT
    result = replace(solution.result, status=status, asked=outcome.status.value, proven=proven, seconds=clock.seconds)
    notes = tuple(f"RULE BENT: {step.sentence}" for step in (bending.diagnosis.bent.steps if bending.diagnosis.bent else ()))
    return replace(
        solution,
        result=result,
        tables=marked(solution.tables, bending.asked),
        notes=(*notes, *solution.notes),
        diagnosis=bending.diagnosis,
    )


def _solution(
    instance: Instance, market: Market, options: SolveOptions, clock: Clock, outcome: Outcome, package: Package | None, packaged: Packaged | None
) -> Solution:
    """Everything after the search: what happens without policy, the stress tests, the tables."""
    unit = market.world.money_unit
    warnings = tuple(str(w) for w in (*instance.warnings, *impossible_targets(instance, market.world)))
    notes = tuple(packaged.notes(outcome.plan.path if outcome.plan else packaged(market.free))) if packaged else ()
    content = package.content() if package else {}
    if outcome.plan is None:
        result = _result(options, clock, outcome, None, None)
        return Solution(
            result,
            instance.settings,
            options,
            dict(instance.digests),
            package=content,
            warnings=warnings,
            notes=(*notes, outcome.proven),
            instance_files=texts(instance),
        )
    plain = Market(market.world) if packaged else market
    baseline = without_policy(plain, BASELINE, options, clock) if options.baseline else None
    baseline = settle(baseline, options, clock) if baseline else None
    stress = play(market, outcome.plan, options, clock) if options.stress else {}
    before = play(plain, baseline, options, clock) if options.stress and baseline else {}
    with clock.phase("extract"):
        found = extract(outcome.plan, baseline, stress, before, outcome, asked_gap=options.gap)
        tables = {**found.tables, "sources": instance.quality_counts(), "citations": _citations(instance)}
    objective = outcome.plan.objective * unit
    result = _result(options, clock, outcome, objective, None if outcome.bound is None else min(outcome.bound * unit, objective))
    plan = Solution(
        result,
        instance.settings,
        options,
        dict(instance.digests),
        tables=tables,
        cost_terms=found.cost_terms,
        baseline=found.baseline,
        indicators={**found.indicators, **input_quality(tables["sources"])},
        package=content,
        warnings=warnings,
        notes=(*notes, *scale_notes(outcome.plan.matrix, outcome.plan.built.case), *found.notes),
        instance_files=texts(instance),
    )
    with clock.phase("verify"):
        certified = plan.certified(verify(instance, plan.summary(), plan.tables))
    return replace(certified, result=replace(certified.result, phases=clock.sheet.phases, seconds=clock.seconds))


def _result(options: SolveOptions, clock: Clock, outcome: Outcome, objective: float | None, bound: float | None) -> SolveResult:
    gap = None if objective is None or bound is None else abs(objective - bound) / max(abs(objective), 1e-9)
    held = outcome.plan is None or outcome.plan.built.case.rules.targets
    status = Status.MISSED if not held and outcome.status in (Status.SOLVED, Status.LIMIT) else outcome.status
    return SolveResult(
        status=status,
        behaviour=options.behaviour,
        method=options.method,
        objective=objective,
        bound=bound,
        gap=gap,
        seconds=clock.seconds,
        paths_examined=outcome.examined,
        paths_listed=outcome.listed,
        proven=outcome.proven,
        requirements_held=held,
        limit=outcome.limit,
        phases=clock.sheet.phases,
        size=outcome.size,
        peak_memory_mb=peak_memory_mb(),
        versions=versions(options),
        seed=options.seed,
        threads=options.threads,
        platform=this_platform(),
        confirmation=outcome.confirmation,
    )


def _citations(instance: Instance) -> pd.DataFrame:
    return instance.table("sources")[["id", "citation", "licence"]]
