"""The public calls: read, validate, solve, evaluate, export. One run from an instance to a Solution is written here, once.

    read ─▶ world ─▶ market ─▶ search ─▶ baseline, stress tests ─▶ extract ─▶ Solution

Nothing here prints, and nothing is kept between calls: each makes its own market, so calls may run in threads or processes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

import pandas as pd

from orepact.errors import OptionError, Problem
from orepact.instance.instance import Instance
from orepact.instance.package import Package
from orepact.instance.reader import read as read_instance
from orepact.market.offers import Market
from orepact.market.stress import with_lost_countries
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solution.extraction import extract
from orepact.solution.indicators import input_quality
from orepact.solution.solution import Solution
from orepact.solver.clock import Clock, collector_rests
from orepact.solver.packaged import Packaged
from orepact.solver.progress import Listener, keep_plan_on_interrupt
from orepact.solver.result import SolveResult, peak_memory_mb, versions
from orepact.solver.scale import scale_notes
from orepact.solver.search import BASELINE, Outcome, market_rules, search, write_model
from orepact.solver.stress import play, without_policy


def read(path: str | FilePath) -> Instance:
    """Read and check an instance folder or workbook. Raises InstanceError with every problem found."""
    return read_instance(FilePath(path))


def validate(path: str | FilePath) -> list[Problem]:
    """Warnings of a valid instance. Raises InstanceError with every problem of an invalid one."""
    return list(read(path).warnings)


def solve(instance: Instance, options: SolveOptions | None = None, listener: Listener | None = None) -> Solution:
    """Find the cheapest secure plan. The status says what was proven; a run without a plan carries no numbers."""
    return _run(instance, options or SolveOptions(), listener, None)


def evaluate(instance: Instance, package: Package, options: SolveOptions | None = None, listener: Listener | None = None) -> Solution:
    """What somebody else's package comes to: what it fixes stays fixed, the rest is left to the model as the package says.

    Owners who would not sign what the package gives them are named in the solution's notes, and their plants stay unbuilt.
    """
    return _run(instance, options or SolveOptions(), listener, package)


def export(instance: Instance, options: SolveOptions, path: str | FilePath, format: str) -> None:
    """Write the one model over the listed paths as an LP or MPS file, with names a person can read."""
    if format not in ("lp", "mps"):
        raise OptionError(f"format must be lp or mps, not {format!r}")
    write_model(Market(world_of(instance)), options, FilePath(path), format)


def _run(instance: Instance, options: SolveOptions, listener: Listener | None, package: Package | None) -> Solution:
    """One run, with the clock on every phase."""
    clock = Clock(options.time_limit, phases={"read": instance.seconds})
    with keep_plan_on_interrupt(clock.stop), collector_rests():
        with clock.phase("price"):
            played = with_lost_countries(instance) if options.lose_countries else instance
            market = Market(world_of(played))
            packaged = Packaged(market, package) if package else None
        outcome = search(market, options, clock, listener, packaged)
        if packaged and outcome.plan is None and not clock.over:
            missed = search(market, options, clock, listener, packaged, replace(market_rules(market), targets=False))
            outcome = replace(missed, proven=f"with the targets, caps and budgets left aside, which the package can't meet; {missed.proven}")
        return _solution(instance, market, options, clock, outcome, package, packaged)


def _solution(
    instance: Instance, market: Market, options: SolveOptions, clock: Clock, outcome: Outcome, package: Package | None, packaged: Packaged | None
) -> Solution:
    """Everything after the search: what happens without policy, the stress tests, the tables."""
    unit = market.world.money_unit
    warnings = tuple(str(w) for w in instance.warnings)
    notes = tuple(packaged.notes(outcome.plan.path if outcome.plan else packaged(market.free))) if packaged else ()
    content = package.content() if package else {}
    if outcome.plan is None:
        result = _result(options, clock, outcome, None, None)
        return Solution(result, instance.settings, options, dict(instance.digests), package=content, warnings=warnings, notes=(*notes, outcome.proven))
    plain = Market(market.world) if packaged else market
    baseline = without_policy(plain, BASELINE, options, clock) if options.baseline else None
    stress = play(market, outcome.plan, options, clock) if options.stress else {}
    before = play(plain, baseline, options, clock) if options.stress and baseline else {}
    with clock.phase("extract"):
        found = extract(outcome.plan, baseline, stress, before, outcome)
        tables = {**found.tables, "sources": instance.quality_counts(), "citations": _citations(instance)}
    objective = outcome.plan.objective * unit
    result = _result(options, clock, outcome, objective, None if outcome.bound is None else min(outcome.bound * unit, objective))
    return Solution(
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
    )


def _result(options: SolveOptions, clock: Clock, outcome: Outcome, objective: float | None, bound: float | None) -> SolveResult:
    gap = None if objective is None or bound is None else abs(objective - bound) / max(abs(objective), 1e-9)
    return SolveResult(
        status=outcome.status,
        behaviour=options.behaviour,
        method=options.method,
        objective=objective,
        bound=bound,
        gap=gap,
        seconds=clock.seconds,
        paths_examined=outcome.examined,
        paths_listed=outcome.listed,
        proven=outcome.proven,
        limit=outcome.limit,
        phases=dict(clock.phases),
        size=outcome.size,
        peak_memory_mb=peak_memory_mb(),
        versions=versions(),
        seed=options.seed,
        threads=options.threads,
    )


def _citations(instance: Instance) -> pd.DataFrame:
    return instance.table("sources")[["id", "citation", "licence"]]
