"""Everything that a solved plan has to say, as the tables, figures and notes of a Solution."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orepact.solution.extraction.accounts import cost_rows, expected_costs, payment_rows, payments, user_bill
from orepact.solution.extraction.doubts import doubts
from orepact.solution.extraction.goods import balance, flows
from orepact.solution.extraction.limits import limits
from orepact.solution.extraction.measures import contracts, grants, offers, rung_mix, rungs, stock
from orepact.solution.extraction.notes import notes
from orepact.solution.extraction.outturn import Outturn
from orepact.solution.extraction.plants import facilities, output, owners
from orepact.solution.extraction.scenarios import scenarios
from orepact.solution.extraction.security import outages, reliance, targets
from orepact.solution.extraction.supply import additional, countries, origins, prices, products, recipes, supply
from orepact.solution.indicators import derived_indicators
from orepact.solution.tables import as_table
from orepact.solver.batch import Plan
from orepact.solver.examine import Record
from orepact.solver.outcome import Outcome
from orepact.solver.progress import relative_gap

Row = dict[str, Any]


@dataclass(frozen=True)
class Extracted:
    """What a `Solution` takes from a plan; canonical units.

    `tables`: all but `sources` and `citations` · `cost_terms`: expected discounted USD by term, which add up to the objective
    unless worst outcomes have a weight of their own · `baseline`: status, objective, bound, gap, cost_terms; empty if not
    solved · `indicators`: all but those of the input's quality · `notes`: sentences.
    """

    tables: Mapping[str, pd.DataFrame]
    cost_terms: Mapping[str, float]
    baseline: Mapping[str, Any]
    indicators: Mapping[str, float]
    notes: tuple[str, ...]


def extract(
    plan: Plan,
    baseline: Plan | None,
    stress: Mapping[int, Plan | None],
    baseline_stress: Mapping[int, Plan | None],
    outcome: Outcome,
    gap: float | None = None,
    asked_gap: float = 0.0,
) -> Extracted:
    """Read a plan and the same world without policy (`baseline`, if it was solved).

    `stress` and `baseline_stress` give the stress tests by scenario, None where there is no solution. `gap` is the relative
    gap at which the baseline counts as solved; None: any; `asked_gap` the one that the plan was asked for. Sets the variables of all these models to their solutions.
    """
    out = Outturn(plan, stress)
    before = None if baseline is None else Outturn(baseline, baseline_stress)
    sides, accounts, unit = owners(out), payments(out), out.world.money_unit
    rows: dict[str, Any] = {
        "rungs": rungs(out),
        "rung_mix": rung_mix(out),
        "offers": offers(out),
        "contracts": contracts(out),
        "grants": grants(out),
        "stock": stock(out),
        "facilities": facilities(out, sides),
        "output": output(out, sides),
        "flows": flows(out),
        "balance": balance(out),
        "targets": targets(out, before),
        "reliance": reliance(out, before),
        "limits": limits(out, accounts, sides),
        "cost_terms": cost_rows(out, before),
        "payments": payment_rows(out, accounts),
        "scenarios": scenarios(out, before, accounts),
        "prices": prices(out),
        "additional": additional(out, before),
        "supply": supply(out, sides),
        "outages": outages(out, before),
        "recipes": recipes(out),
        "origins": origins(out),
        "products": products(out),
        "countries": countries(out),
        "paths": paths(outcome.records, unit),
    }
    tables = {name: as_table(name, content) for name, content in rows.items()}
    former = _summary(before, gap) if before else {}
    summed_up = {name: tables[name] for name in ("targets", "payments", "scenarios")}
    indicators = derived_indicators(summed_up, out.world.settings, plan.objective * unit, former)
    if out.planner:  # it has no treasuries and no prices of its own
        indicators = {name: value for name, value in indicators.items() if not name.startswith("public_")}
    else:
        indicators["user_bill_usd"] = user_bill(out)
        if before is not None:
            indicators["user_bill_before_usd"] = user_bill(before)
    costs = expected_costs(out)
    said = (*notes(out, sides, stress), *doubts(out, tables, costs, outcome.records, asked_gap))
    return Extracted(tables, costs, former, indicators, said)


def _summary(before: Outturn, gap: float | None) -> dict[str, Any]:
    """What happens without policy, in a few figures."""
    unit, bound = before.world.money_unit, before.plan.bound
    found = relative_gap(before.plan.objective, bound)
    return {
        "status": "solved" if found is not None and (gap is None or found <= gap) else "limit",
        "objective": before.plan.objective * unit,
        "bound": None if bound is None else bound * unit,
        "gap": found,
        "cost_terms": expected_costs(before),
    }


def paths(records: Iterable[Record], unit: float) -> Iterator[Row]:
    """The price paths examined, best first; `unit` turns scaled money into USD."""

    def figure(value: float | None) -> float | None:
        return None if value is None or math.isinf(value) else value * unit

    def order(record: Record) -> tuple[float, float]:
        return (math.inf if record.objective is None else record.objective, math.inf if record.bound is None else record.bound)

    for rank, record in enumerate(sorted(records, key=order), start=1):
        yield {"path": record.path.label, "objective": figure(record.objective), "bound": figure(record.bound), "status": record.status, "rank": rank}
