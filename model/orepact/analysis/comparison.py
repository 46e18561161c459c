"""Several runs side by side: what differs in the input, what differs in the plan, and what every plan does all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from orepact.analysis.compared import COMPARED
from orepact.analysis.dependence import reliance_summary, target_summary
from orepact.analysis.derived import Row, frame, records
from orepact.analysis.input_differences import Compared, input_cells, input_tables
from orepact.analysis.money import member_payments, price_measures
from orepact.analysis.view import View
from orepact.errors import OptionError
from orepact.solver.result import Status

REASONS = {
    Status.INFEASIBLE: "infeasible: even with free prices and willing owners there is no plan",
    Status.NO_PLAN: "no plan was found, and none was ruled out",
    Status.LIMIT: "stopped at a limit with the best plan so far",
    Status.MISSED: "the package can't meet the targets, caps and budgets",
}
FEWEST, MOST = 2, 50


def comparison_tables(runs: list[Compared]) -> dict[str, pd.DataFrame]:
    """Every table of a comparison by name; the first run is the baseline. Raises OptionError unless there are 2 to 50 runs."""
    if not FEWEST <= len(runs) <= MOST:
        raise OptionError(f"a comparison takes {FEWEST} to {MOST} runs, not {len(runs)}")
    views = {run.name: View(run.solution) for run in runs}
    plans = {name: view for name, view in views.items() if view.solution.has_plan}
    rows: dict[str, Any] = {
        "runs": _runs(runs, views),
        "input_tables": input_tables(runs),
        "input_cells": input_cells(runs),
        "choices": choices(plans),
        "projects": _projects(plans),
        "cost_terms": _cost_terms(runs[0].name, plans),
        "targets": _targets(plans),
        "reliance": _reliance(plans),
        "payments": _payments(plans),
        "not_shared": _not_shared(plans),
    }
    return {name: frame(name, rows[name], COMPARED) for name in COMPARED}


def reason(view: View) -> str:
    """Why a run has no plan, or stopped; empty if it was solved."""
    result = view.solution.result
    if result.status is Status.SOLVED:
        return ""
    text = REASONS.get(result.status, result.status.value)
    said = [result.proven] if result.proven else []
    said += [note for note in view.solution.notes if note != result.proven][: 0 if view.solution.has_plan else 3]
    return f"{text}; {'; '.join(said)}" if said else text


def _runs(runs: list[Compared], views: dict[str, View]) -> Iterator[Row]:
    base = runs[0].solution.result.objective
    for run in runs:
        solution, view = run.solution, views[run.name]
        found, result = solution.indicators, solution.result
        row: Row = {
            "run": run.name,
            "instance": solution.name,
            "status": result.status.value + (", evaluated package" if solution.package else ""),
            "reason": reason(view),
            "paths": result.paths_examined,
            "seconds": result.seconds,
            "digest": solution.digest,
        }
        if solution.has_plan:
            change = found["user_bill_usd"] - found["user_bill_before_usd"] if "user_bill_before_usd" in found else None
            shares = [each["true_after"] for each in reliance_summary(view)]
            facilities = view.table("facilities")
            row |= {
                "cost_usd": result.objective,
                "extra_usd": found.get("extra_cost_usd"),
                "against_usd": None if base is None or result.objective is None else result.objective - base,
                "bound_usd": result.bound,
                "gap": result.gap,
                "outlay_usd": found.get("public_outlay_usd"),
                "revenue_usd": found.get("public_revenue_usd"),
                "user_bill_change_usd": change,
                "shortage_t": found.get("shortage_t"),
                "targets": found.get("targets"),
                "targets_met": found.get("targets_met"),
                "worst_reliance": max(shares, default=None),
                "built": int(facilities["start_year"].notna().sum()),
                "measures": len(list(price_measures(view))),
                "contracts": len(view.table("contracts")),
                "grants": len(view.table("grants")),
            }
        yield row


Choice = tuple[str, str, str]


def choices(plans: dict[str, View]) -> Iterator[Row]:
    """What plans do, robust choices first."""
    made: dict[Choice, list[str]] = {}
    for name, view in plans.items():
        for choice in dict.fromkeys(_choices_of(view)):
            made.setdefault(choice, []).append(name)
    order = ("project", "price measure", "offtake", "support", "grant", "stockpile")
    for (kind, subject, what), names in sorted(made.items(), key=lambda item: (-len(item[1]), order.index(item[0][0]), item[0])):
        verdict = "robust" if len(names) == len(plans) else "contested"
        yield {"kind": kind, "subject": subject, "what": what, "verdict": verdict, "count": len(names), "plans": len(plans), "runs": ", ".join(names)}


def _choices_of(view: View) -> Iterator[Choice]:
    def plant(code: str) -> str:
        return str(view.plant(code)["name"])

    facilities = view.table("facilities")
    for code in facilities.loc[facilities["start_year"].notna(), "facility"]:
        yield "project", plant(code), "built"
    for row in records(view.table("rungs")):
        if row["kind"] != "free":
            yield "price measure", view.product_name(row["product"]), f"{row['rung']} from {row['first_year']} to {view.last_year(row['first_year'])}"
    for row in records(view.table("contracts")):
        yield row["instrument"], plant(row["facility"]), f"{row['contract']}, paid by {row['payer']}"
    for row in records(view.table("grants")):
        yield "grant", plant(row["facility"]), f"paid by {row['payer']}"
    stock = view.table("stock")
    bought = stock[stock["purchase_t_a"] > 1e-6]
    for product, country in zip(bought["product"], bought["country"], strict=True):
        yield "stockpile", view.product_name(product), f"bought for {view.country_names.get(country, country)}"


def _projects(plans: dict[str, View]) -> Iterator[Row]:
    """Candidates that some plan builds, those of most plans first."""
    built: dict[str, int] = {}
    for view in plans.values():
        facilities = view.table("facilities")
        for code in facilities.loc[facilities["start_year"].notna(), "facility"]:
            built[code] = built.get(code, 0) + 1
    for code in sorted(built, key=lambda code: -built[code]):
        for name, view in plans.items():
            if code in view.plants:
                row = view.plants[code]
                year = None if pd.isna(row["start_year"]) else row["start_year"]
                yield {"facility": code, "name": view.plant(code)["name"], "run": name, "start_year": year, "supported": bool(row["supported"])}


def _cost_terms(baseline: str, plans: dict[str, View]) -> Iterator[Row]:
    base = dict(plans[baseline].solution.cost_terms) if baseline in plans else None
    terms = dict.fromkeys(term for view in plans.values() for term in view.solution.cost_terms)
    for term in terms:
        for name, view in plans.items():
            usd = float(view.solution.cost_terms.get(term, 0.0))
            yield {"term": term, "run": name, "usd": usd, "against_usd": None if base is None else usd - float(base.get(term, 0.0))}


def _each(plans: dict[str, View], rows_of: Callable[[View], Iterator[Row]], columns: tuple[str, ...]) -> Iterator[Row]:
    for name, view in plans.items():
        for row in rows_of(view):
            yield {"run": name, **{column: row[column] for column in columns}}


def _targets(plans: dict[str, View]) -> Iterator[Row]:
    return _each(plans, target_summary, ("target", "kind", "required", "before", "after", "met", "binding"))


def _reliance(plans: dict[str, View]) -> Iterator[Row]:
    for name, view in plans.items():
        largest: dict[str, Row] = {}
        for row in reliance_summary(view):
            if row["product"] not in largest or row["true_after"] > largest[row["product"]]["true_after"]:
                largest[row["product"]] = row
        for product, row in largest.items():
            yield {"run": name, "product": product, "source": row["source"], "share": float(row["true_after"])}


def _payments(plans: dict[str, View]) -> Iterator[Row]:
    return _each(plans, member_payments, ("member", "instrument", "expected_usd"))


def _not_shared(plans: dict[str, View]) -> Iterator[Row]:
    """Codes that some plans have and others lack."""

    def codes(view: View) -> dict[str, list[str]]:
        facilities = view.table("facilities")
        countries = view.table("countries")
        return {
            "product": list(dict.fromkeys(view.table("rungs")["product"])),
            "target": list(dict.fromkeys(view.table("targets")["target"])),
            "member": list(countries.loc[(countries["role"] == "member") & (countries["treasury"] == ""), "country"]),
            "candidate": list(facilities.loc[facilities["status"] == "candidate", "facility"]),
            "scenario": list(view.scenario_names),
        }

    found: dict[tuple[str, str], list[str]] = {}
    for name, view in plans.items():
        for what, names in codes(view).items():
            for code in names:
                found.setdefault((what, code), []).append(name)
    for (what, code), names in found.items():
        if len(names) < len(plans):
            yield {"what": what, "code": code, "runs": ", ".join(names)}
