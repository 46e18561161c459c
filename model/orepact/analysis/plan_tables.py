"""All tables behind a report on one run: those of the solution, and those derived from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from orepact.analysis import chain, dependence, money, outlook
from orepact.analysis.derived import DERIVED, Frame, Row, frame
from orepact.analysis.view import View
from orepact.solution.indicators import INDICATORS, REVENUE
from orepact.solution.schema import OUTPUT
from orepact.solution.solution import Solution

_MAKERS = {
    "target_summary": dependence.target_summary,
    "who_pays": money.who_pays,
    "member_payments": money.member_payments,
    "price_measures": money.price_measures,
    "contract_costs": money.contract_costs,
    "grant_costs": money.grant_costs,
    "stock_costs": money.stock_costs,
    "reliance_summary": dependence.reliance_summary,
    "reliance_heat": dependence.reliance_heat,
    "outage_bars": dependence.outage_bars,
    "trade_map": dependence.trade_map,
    "chain_links": chain.chain_links,
    "merit_order": chain.merit_order,
    "fan": outlook.fan,
    "endings": outlook.endings,
    "projects": outlook.projects,
    "hangs_on": outlook.hangs_on,
    "cost_change": money.cost_change,
}


def plan_tables(solution: Solution, year: int | None = None) -> dict[str, pd.DataFrame]:
    """Every table by name: the derived ones, then those of the solution. Without a plan there are key figures only.

    `year` is the first year of the period that charts of one period show; by default the last.
    """
    view = View(solution, year)
    found = {name: frame(name, maker(view)) if solution.has_plan else frame(name, ()) for name, maker in _MAKERS.items()}
    found["chain_links"] = chain.merged(found["chain_links"])
    figures = frame("key_figures", key_figures(view, found))
    derived = {"key_figures": figures, **found}
    return {name: derived[name] for name in DERIVED} | {name: solution.table(name) for name in OUTPUT}


def key_figures(view: View, tables: Mapping[str, Frame]) -> Iterator[Row]:
    """What the first screen says, each with the cell it comes from."""
    result, solution = view.solution.result, view.solution

    def row(figure: str, label: str, value: float | None, unit: str, source: str) -> Iterator[Row]:
        if value is not None:
            yield {"figure": figure, "label": label, "value": float(value), "unit": unit, "source": source}

    before = solution.baseline.get("objective")
    yield from row("cost", "cost of the plan, expected and discounted", result.objective, "USD", "solution.json: objective")
    yield from row("cost_before", "cost without policy", before, "USD", "solution.json: baseline.objective")
    for name in INDICATORS:
        value = solution.indicators.get(name)
        label = INDICATORS[name].description.split(": ", 1)[-1]
        label = {"user_bill_before_usd": "users' bill without policy", "shortage_before_t": "shortage without policy"}.get(name, label)
        yield from row(name, label.replace("the same", "targets met"), value, INDICATORS[name].unit, f"solution.json: indicators.{name}")
    found = solution.indicators
    if before and "extra_cost_usd" in found:
        yield from row("extra_cost_share", "extra cost over cost without policy", found["extra_cost_usd"] / abs(before), "1", "extra_cost_usd / cost_before")
    if "user_bill_before_usd" in found:
        more = found["user_bill_usd"] - found["user_bill_before_usd"]
        yield from row("user_bill_change_usd", "what users pay more", more, "USD", "user_bill_usd - user_bill_before_usd")
    if "shortage_before_t" in found:
        yield from row(
            "shortage_avoided_t", "expected shortage avoided", found["shortage_before_t"] - found["shortage_t"], "t", "shortage_before_t - shortage_t"
        )
    yield from row("bound", "no plan on the paths examined costs less", result.bound, "USD", "solution.json: bound")
    yield from row("gap", "gap to that bound", result.gap, "1", "solution.json: gap")
    yield from row("gap_asked", "gap asked for", solution.options.gap, "1", "solution.json: options.gap")
    yield from row("paths_examined", "price paths examined", result.paths_examined, "", "solution.json: paths_examined")
    yield from row("seconds", "time of the run", result.seconds, "s", "solution.json: seconds")
    if solution.has_plan:
        yield from _counts(view, tables, row)


def _counts(view: View, tables: Mapping[str, Frame], row: Callable[..., Iterator[Row]]) -> Iterator[Row]:
    projects, facilities = tables["projects"], view.table("facilities")
    built = projects["start_year"].notna()
    yield from row("candidates", "candidate plants", len(projects), "", "projects: rows")
    yield from row("built", "candidates built", int(built.sum()), "", "projects: rows with a start_year")
    anyway = int((built & projects["would_build_anyway"].astype(bool)).sum()) if len(projects) else 0
    yield from row("built_anyway", "of these, built without policy too", anyway, "", "projects: would_build_anyway")
    yield from row("built_because", "built because of the policy", int(built.sum()) - anyway, "", "built - built_anyway")
    yield from row("supported", "plants with a contract or a grant", int(facilities["supported"].sum()), "", "facilities: supported")
    yield from row("rent", "rent left with supported owners", float(facilities["rent_usd"].sum()), "USD", "facilities: rent_usd")
    yield from row("price_measures", "price measures", len(tables["price_measures"]), "", "price_measures: rows")
    yield from row("contracts", "contracts", len(tables["contract_costs"]), "", "contract_costs: rows")
    yield from row("grants", "grants", len(tables["grant_costs"]), "", "grant_costs: rows")
    yield from row("stocks", "products held in stock", int((tables["stock_costs"]["highest_t"] > 0).sum()), "", "stock_costs: rows")
    payments = tables["member_payments"]
    revenue = payments["instrument"].isin(REVENUE)
    yield from row(
        "gross_usd_a",
        "public spending, mean per year, undiscounted",
        float(payments.loc[~revenue, "expected_usd_a"].sum()),
        "USD/a",
        "member_payments: expected_usd_a",
    )
    yield from row(
        "revenue_usd_a",
        "public revenue, mean per year, undiscounted",
        0.0 - float(payments.loc[revenue, "expected_usd_a"].sum()),
        "USD/a",
        "member_payments: expected_usd_a",
    )
