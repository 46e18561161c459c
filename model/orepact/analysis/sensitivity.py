"""Which assumed figures matter most: the instance's `ranges` at their low and high ends.

First every range is screened: the bound of the best plan's own price path with the figures at either end (an LP each, under a
second). The ranges whose two bounds lie furthest apart are then solved again in full, search over paths included, each from where
the central case ended.
"""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any, Literal

import pandas as pd

from orepact.errors import OptionError, StoppedError
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import Batch
from orepact.solver.clock import Clock
from orepact.solver.memory import Memory
from orepact.solver.outcome import Outcome
from orepact.solver.progress import Listener
from orepact.solver.search import market_rules, search

ENDS: tuple[Literal["low"], Literal["high"]] = ("low", "high")
NOT_SOLVED = "not solved again"


def sensitivity(
    instance: Instance, options: SolveOptions | None = None, top: int = 5, listener: Listener | None = None, stop: threading.Event | None = None
) -> pd.DataFrame:
    """Cost at the ends of the ranges that matter most; one row per range, most telling first.

    Columns: `range`, `name`, `low_factor`, `high_factor`, `objective` (central case), `bound_low`, `bound_high` (on the central
    plan's price path), `swing_usd` (distance of the two; infinite where an end has no plan on that path), `objective_low`,
    `objective_high`, `status_low`, `status_high` for the first `top` rows; USD, expected and discounted. `options.time_limit`
    holds for each solve. Raises OptionError for an instance without ranges, StoppedError once `stop` is set: half an analysis says nothing.
    """
    stop = stop or threading.Event()
    options = (options or SolveOptions()).model_copy(update={"baseline": False, "stress": False})
    ranges = instance.table("ranges").to_dict("records")
    if not ranges:
        raise OptionError(f"instance {instance.name} has no table of ranges: name there the figures to vary, with a low and a high factor")
    memory = Memory()
    central, market = _solve(instance, options, memory, listener, stop)
    objective = None if central.plan is None else central.plan.objective * market.world.money_unit
    rows: list[dict[str, Any]] = []
    for r in ranges:
        row = {"range": r["range"], "name": r["name"], "low_factor": r["low"], "high_factor": r["high"], "objective": objective}
        for end in ENDS:
            row[f"bound_{end}"] = None if central.plan is None else _bound(instance.with_ranges({r["range"]: end}), central.plan.path, options)
        bounds = [row[f"bound_{end}"] for end in ENDS]
        row["swing_usd"] = math.inf if None in bounds else abs(bounds[1] - bounds[0])
        rows.append(row)
    order = sorted(range(len(rows)), key=lambda n: -rows[n]["swing_usd"])
    for place, n in enumerate(order):
        for end in ENDS:
            objective_there, status = None, NOT_SOLVED
            if place < top:
                found, there = _solve(instance.with_ranges({ranges[n]["range"]: end}), options, memory.branch(), listener, stop)
                objective_there, status = None if found.plan is None else found.plan.objective * there.world.money_unit, found.status.value
            rows[n] |= {f"objective_{end}": objective_there, f"status_{end}": status}
    amounts = ["objective", "swing_usd", *(f"{what}_{end}" for what in ("bound", "objective") for end in ENDS)]
    return pd.DataFrame([rows[n] for n in order]).astype(dict.fromkeys(amounts, "float64"))


def _solve(instance: Instance, options: SolveOptions, memory: Memory, listener: Listener | None, stop: threading.Event) -> tuple[Outcome, Market]:
    market = Market(world_of(instance))
    outcome = search(market, options, Clock(options.time_limit, stop), listener, memory=memory)
    if stop.is_set():
        raise StoppedError("stopped before every range was looked at")
    # what a plan stands on is large; only its cost and its path are wanted here
    return replace(outcome, records=()), market


def _bound(instance: Instance, path: Path, options: SolveOptions) -> float | None:
    """LP bound on one path, USD; None where the path has no plan."""
    market = Market(world_of(instance))
    batch = Batch(market, [path], market_rules(market), options, Clock(math.inf))
    answer = batch.bounds([0], lambda _: None)[0]
    if answer.status is not AnswerStatus.OPTIMAL or answer.objective is None:
        return None
    return answer.objective * market.world.money_unit
