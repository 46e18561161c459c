"""A made-up solution for the tests of store, plan card and command line: every table has rows, every awkward case is there."""

from __future__ import annotations

from typing import Any

from orepact.options import Settings, SolveOptions
from orepact.solution.indicators import derived_indicators
from orepact.solution.solution import Solution
from orepact.solver.result import SolveResult, Status

SETTINGS = Settings.model_validate(
    {
        "instance": {"name": "two-stages", "title": "Two stages of one mineral"},
        "horizon": {"start_year": 2026, "period_years": [2, 2, 4]},
    }
)
STARTS = (2026, 2028, 2030)


def result(**changes: Any) -> SolveResult:
    """How the made-up run ended."""
    values: dict[str, Any] = {
        "status": Status.SOLVED,
        "behaviour": "market",
        "method": "paths",
        "objective": 1_250e6,
        "bound": 1_249.5e6,
        "gap": 0.0004,
        "seconds": 12.345,
        "paths_examined": 43,
        "paths_listed": 17,
        "proven": "No plan on the 43 price paths examined costs over 0.04 % less.",
        "limit": None,
        "phases": {"read": 0.2, "price": 0.1, "offer": 0.4, "build": 1.1, "hand over": 0.3, "solve": 9.9, "extract": 0.3},
        "size": {"rows": 12345, "columns": 23456, "binaries": 61, "nonzeros": 98765, "coefficients": [0.001, 100.0], "root_gap": 0.0123},
        "peak_memory_mb": 312.5,
        "versions": {"orepact": "0.1.0", "highspy": "1.15.1"},
        "seed": 0,
        "threads": 2,
    }
    return SolveResult(**(values | changes))


def tables() -> dict[str, list[dict[str, Any]]]:
    """Rows of the made-up plan."""
    ore = [{"product": "ore", "first_year": year, "rung": "free", "kind": "free", "world_price": 9e3, "zone_price": 9e3, "level": None} for year in STARTS]
    oxide = [
        {"product": "oxide", "first_year": 2026, "rung": "free", "kind": "free", "world_price": 6e4, "zone_price": 6e4, "level": None},
        {"product": "oxide", "first_year": 2028, "rung": "floor-110", "kind": "reference", "world_price": 6e4, "zone_price": 1.1e5, "level": 1.1e5},
        {"product": "oxide", "first_year": 2030, "rung": "floor-110", "kind": "reference", "world_price": 6e4, "zone_price": 1.1e5, "level": 1.1e5},
    ]
    contract = {
        "facility": "refinery", "contract": "offtake-110", "instrument": "offtake", "payer": "EU", "start_year": 2028, "weight": 1.0, "volume_t_a": 1200.0,
        "share_of_capacity": 0.6, "strike": 1.1e5, "premium": 0.0, "upside_share": 0.3, "ceiling": 1.5e5, "window": 10.0,
        "expected_payment_usd_a": 12.5e6, "worst_payment_usd_a": 60e6,
    }  # fmt: skip
    plant = {
        "facility": "refinery", "name": "=Refinery [bold]One[/bold]", "country": "FRA", "treasury": "EU", "process": "refining", "product": "oxide",
        "status": "candidate", "capacity_t_a": 2000.0, "built": True, "start_year": 2028, "first_output_year": 2030.0, "capex_usd": 4e8,
        "expected_output_t_a": 1100.0, "owner_npv_usd": 1.2e7, "owner_npv_without_usd": -3.4e7, "npv_rate": 0.1, "cover_ratio": 1.25, "rent_usd": 1.2e7,
        "supported": True, "kept_out": False, "idle_in_normal_t_a": 0.0, "would_build_anyway": False,
    }  # fmt: skip
    not_built = {
        "built": False, "start_year": None, "first_output_year": None, "capex_usd": 0.0, "expected_output_t_a": 0.0, "owner_npv_usd": None,
        "cover_ratio": None, "rent_usd": 0.0, "supported": False,
    }  # fmt: skip
    plants = [
        plant,
        plant | not_built | {"facility": "rival", "name": "Rival", "country": "AUS", "treasury": "", "kept_out": True},
        plant | {"facility": "mine", "name": "Old mine", "country": "USA", "treasury": "USA", "process": "mining", "product": "ore", "status": "existing"}
        | {"start_year": None, "first_output_year": None, "owner_npv_without_usd": None, "capex_usd": 0.0, "rent_usd": 0.0, "supported": False, "idle_in_normal_t_a": 150.0},
    ]  # fmt: skip
    target = {"area": "", "first_year": 2030, "scenario": "base", "binding": False}
    targets = [
        target | {"target": "refined-40", "kind": "zone_share", "products": "oxide", "case": "", "value": 0.4, "achieved": 0.52, "slack": 0.12, "before": 0.05},
        target | {"target": "cap-65", "kind": "reliance_cap", "products": "oxide", "case": "CHN", "value": 0.65, "achieved": 0.65, "slack": 0.0, "before": 0.93, "binding": True},
        target | {"target": "cap-65", "kind": "reliance_cap", "products": "oxide", "case": "MMR", "value": 0.65, "achieved": 0.1, "slack": 0.55, "before": 0.12},
        target | {"target": "days", "kind": "stock_days", "products": "oxide", "case": "", "value": 30.0, "achieved": 30.0, "slack": 0.0, "before": 0.0, "binding": True},
    ]  # fmt: skip
    scenario = {"normal": True, "downside": False, "stress_test": False, "idle_plants": 0, "note": "", "shortage_usd": 0.0}
    scenarios = [
        scenario | {"scenario": "base", "name": "Business as usual", "probability": 0.6, "cost_usd": 1.1e9, "before_cost_usd": 0.9e9, "shortage_t": 0.0, "before_shortage_t": 0.0, "outlay_usd": 2e8},
        scenario | {"scenario": "flood", "name": "Flooding", "probability": 0.2, "cost_usd": 1.2e9, "before_cost_usd": 0.8e9, "shortage_t": 0.0, "before_shortage_t": 0.0, "outlay_usd": 6e8, "downside": True},
        scenario | {"scenario": "ban", "name": "Export ban", "probability": 0.2, "cost_usd": 1.75e9, "before_cost_usd": 2.5e9, "shortage_t": 400.0, "before_shortage_t": 14400.0, "outlay_usd": 1e8, "normal": False, "shortage_usd": 9e8, "idle_plants": 1},
        scenario | {"scenario": "lose-CHN", "name": "", "probability": 0.0, "cost_usd": 3.5e9, "before_cost_usd": 9e9, "shortage_t": 900.0, "before_shortage_t": 22000.0, "outlay_usd": 1e8, "normal": False, "stress_test": True, "idle_plants": 2},
    ]  # fmt: skip
    payments = [
        {"member": "EU", "instrument": instrument, "facility": facility, "first_year": year, "scenario": scenario, "usd_a": usd}
        for instrument, facility, year, scenario, usd in (
            ("offtake", "refinery", 2030, "expected", 12.5e6),
            ("offtake", "refinery", 2030, "base", 0.0),
            ("offtake", "refinery", 2030, "flood", 60e6),
            ("grant", "refinery", 2028, "expected", 40e6),
            ("grant", "refinery", 2028, "base", 40e6),
            ("levy", "", 2030, "expected", -30e6),
            ("levy", "", 2030, "base", -35e6),
        )
    ]
    stock = [
        {"product": "oxide", "country": "ZONE", "first_year": year, "scenario": scenario, "level_t": level, "purchase_t_a": bought, "release_t_a": released}
        for year, scenario, level, bought, released in (
            (2026, "base", 0.0, 0.0, 0.0),
            (2028, "base", 80.0, 40.0, 0.0),
            (2028, "ban", 40.0, 40.0, 20.0),
            (2030, "base", 80.0, 0.0, 0.0),
        )
    ]
    amounts = dict.fromkeys(
        ("made", "used", "imports", "trade_in", "trade_out", "shortage", "release", "demand", "purchases", "exports", "glut", "overflow"), 0.0
    )
    return {
        "rungs": ore + oxide,
        "rung_mix": [{"product": "oxide", "first_year": 2030, "rung": "free", "weight": 0.25}],
        "offers": [{"facility": "refinery", "contract": "offtake-110", "payer": "EU", "weight": 1.0, "volume_t_a": 1200.0, "grant_usd": 8e7}],
        "contracts": [contract],
        "grants": [{"facility": "refinery", "payer": "EU", "start_year": 2028, "grant_usd": 8e7, "share_of_capex": 0.2}],
        "stock": stock,
        "facilities": plants,
        "output": [{"facility": "refinery", "first_year": 2030, "scenario": "base", "output_t_a": 1100.0, "idle_t_a": 0.1 + 0.2, "margin_usd_t": -1e-7, "runs": True}],
        "flows": [{"product": "oxide", "kind": "import", "origin": "CHN", "destination": "EU", "first_year": 2030, "scenario": "base", "amount_t_a": 2e3, "price_usd_t": 1.1e5}],
        "balance": [{"product": "oxide", "node": "EU", "first_year": 2030, "scenario": "base"} | amounts | {"made": 1100.0, "imports": 2000.0, "demand": 3100.0}],
        "targets": targets,
        "reliance": [
            {"product": "oxide", "area": "", "source": "CHN", "first_year": 2030, "scenario": "base"}
            | {"direct_share": 0.6, "look_through_share": 0.65, "before_direct_share": 0.9, "before_look_through_share": 0.93}
        ],
        "limits": [
            {"kind": "budget", "name": "EU all", "first_year": 2028, "scenario": "flood", "limit": 1e8, "used": 1e8, "unit": "USD/a", "binding": True},
            {"kind": "contribution", "name": "USA", "first_year": None, "scenario": "expected", "limit": 0.5, "used": 0.4, "unit": "1", "binding": False},
        ],
        "cost_terms": [{"term": "imports", "first_year": 2026, "scenario": "expected", "usd": 9e8, "before_usd": 9.5e8}],
        "payments": payments,
        "scenarios": scenarios,
        "sources": [
            {"table": "facilities", "rows": 3, "reported": 1, "derived": 0, "recalled": 1, "assumed": 1, "figures": 30, "assumed_share": 0.5},
            {"table": "prices", "rows": 20, "reported": 20, "derived": 0, "recalled": 0, "assumed": 0, "figures": 20, "assumed_share": 0.0},
        ],
        "citations": [{"id": "S1", "citation": "A survey,\nwith \"quotes\" and a second line", "licence": "CC BY 4.0"}],
        "paths": [{"path": "floor-110 from 2028", "objective": 1250e6, "bound": 1249.5e6, "status": "solved", "rank": 1}],
        "conflicts": [{"rule": 1, "words": "at least 90 %", "decided": True, "file": "targets.csv", "row": 2, "column": "value", "value": "0.9"}],
        "repairs": [
            {
                "rank": 1, "effort": 40.0, "decided": True, "file": "targets.csv", "row": 2, "column": "value", "value": "0.9", "new": "0.5",
                "change": "targets.csv row 2, value: 0.9 → 0.5", "verified": "on the planner's relaxation", "bent": False,
            }
        ],
        "prices": [
            {"product": product, "first_year": year, "scenario": scenario, "world_price": world, "zone_price": world if year == 2026 else zone}
            for product, world, zone in (("ore", 9e3, 9e3), ("oxide", 6e4, 1.1e5)) for year in STARTS for scenario in ("base", "flood", "ban", "lose-CHN")
        ],
        "additional": [{"facility": "refinery", "first_year": 2030, "output_t_a": 1100.0, "before_output_t_a": 0.0}],
        "supply": [
            {"product": "oxide", "first_year": 2030, "seller": "refinery", "name": "=Refinery [bold]One[/bold]", "country": "FRA", "kind": "candidate",
             "available_t_a": 2000.0, "cost_usd_t": 7e4, "full_cost_usd_t": 9e4, "sold_t_a": 1100.0, "state": "runs in part"},
            {"product": "oxide", "first_year": 2030, "seller": "CHN", "name": "", "country": "CHN", "kind": "outside", "available_t_a": 9000.0,
             "cost_usd_t": 6e4, "full_cost_usd_t": None, "sold_t_a": 900.0, "state": "sells"},
        ],
        "outages": [{"product": "oxide", "lost": "CHN", "first_year": 2030, "left_share": 0.4, "before_left_share": None}],
        "recipes": [{"process": "refining", "product": "ore", "amount": -1.1}, {"process": "refining", "product": "oxide", "amount": 1.0}],
        "origins": [{"source": "CHN", "product": "oxide", "feed": "ore", "origin": "MMR", "amount": 0.5}],
        "products": [
            {"product": "ore", "name": "Ore", "mineral": "m", "stage": "mined", "trade": "pooled"},
            {"product": "oxide", "name": "Oxide (85 %)", "mineral": "m", "stage": "refined", "trade": "pooled"},
        ],
        "countries": [{"country": "EU", "name": "European Union", "role": "member", "treasury": ""}, {"country": "CHN", "name": "", "role": "outside", "treasury": ""}],
    }  # fmt: skip


def solution(**changes: Any) -> Solution:
    """The made-up plan; `changes` replace fields of the Solution."""
    baseline = {"status": "solved", "objective": 1_200e6, "bound": 1_199.9e6, "gap": 0.0001, "cost_terms": {"imports": 9.5e8, "shortage": 2.5e8}}
    rows = tables()
    found = derived_indicators(rows, SETTINGS, 1_250e6, baseline) | {"user_bill_usd": 9.8e8, "user_bill_before_usd": 9.1e8}
    values: dict[str, Any] = {
        "result": result(),
        "settings": SETTINGS,
        "options": SolveOptions(),
        "digests": {"countries": "1" * 64, "settings": "2" * 64},
        "tables": rows,
        "cost_terms": {"imports": 9e8, "shortage": 2e7, "public_money": 3.3e8},
        "baseline": baseline,
        "indicators": found,
        "warnings": ("demand.csv, row 4: supply cannot reach it",),
        "notes": ("Refinery holds a portfolio of contracts.",),
    }
    return Solution(**(values | changes))


def without_plan(status: Status = Status.NO_PLAN, **changes: Any) -> Solution:
    """A made-up run that found nothing."""
    ended = result(status=status, objective=None, bound=None, gap=None, proven="None of the 43 price paths examined has a plan.")
    values: dict[str, Any] = {
        "result": ended,
        "tables": {},
        "cost_terms": {},
        "baseline": {},
        "indicators": {},
        "notes": ("Owner of refinery would not sign.",),
    }
    return solution(**(values | changes))
