"""What may happen, and what would have happened: the fan over scenarios, how each ends, projects with and without policy, what binds."""

from __future__ import annotations

from collections.abc import Iterator

from orepact.analysis.derived import Frame, Row, records
from orepact.analysis.view import View, single
from orepact.solution.schema import EXPECTED


def fan(view: View) -> Iterator[Row]:
    """Prices, net public spending and shortage, by scenario and period."""
    rows = records(view.table("scenarios"))
    about = {
        row["scenario"]: {name: row[name] for name in ("scenario", "probability", "stress_test")} | {"name": view.scenario_names[row["scenario"]]}
        for row in rows
    }
    for row in records(view.table("prices")):
        yield {
            "measure": "price",
            "product": row["product"],
            **about[row["scenario"]],
            "first_year": row["first_year"],
            "value": row["zone_price"],
            "world": row["world_price"],
        }
    spent = single(view.table("payments")).groupby(["scenario", "first_year"])["usd_a"].sum()
    balance = view.table("balance")
    short = balance.groupby(["product", "scenario", "first_year"])["shortage"].sum()
    for code, who in about.items():
        for year in view.years:
            yield {"measure": "payments", "product": "", **who, "first_year": year, "value": float(spent.get((code, year), 0.0))}
    for product in dict.fromkeys(balance.loc[balance["shortage"] > 1e-6, "product"]):
        for code, who in about.items():
            for year in view.years:
                yield {"measure": "shortage", "product": product, **who, "first_year": year, "value": float(short.get((product, code, year), 0.0))}


def endings(view: View) -> Iterator[Row]:
    """Every scenario, the dearest first, stress tests after those that may happen."""
    rows = sorted(records(view.table("scenarios")), key=lambda row: (row["stress_test"], -row["cost_usd"]))
    for row in rows:
        same = (
            "scenario",
            "probability",
            "stress_test",
            "normal",
            "before_cost_usd",
            "cost_usd",
            "before_shortage_t",
            "shortage_t",
            "outlay_usd",
            "idle_plants",
        )
        before = row["before_cost_usd"]
        yield {
            **{name: row[name] for name in same},
            "name": view.scenario_names[row["scenario"]],
            "extra_usd": None if before is None else row["cost_usd"] - before,
        }


def projects(view: View) -> Iterator[Row]:
    """Every candidate, those built first."""
    payments = view.table("payments")
    mean = payments[(payments["scenario"] == EXPECTED) & (payments["facility"] != "")]
    support = (mean["usd_a"] * view.years_of(mean)).groupby(mean["facility"]).sum()
    rows = []
    for row in records(view.table("facilities")):
        if row["status"] != "candidate":
            continue
        built = "built with support" if row["supported"] else "built without support"
        lead = None if row["first_output_year"] is None or row["start_year"] is None else row["first_output_year"] - row["start_year"]
        rows.append(
            {
                **view.plant(row["facility"]),
                "capacity_t_a": row["capacity_t_a"],
                "outcome": built if row["built"] else "kept out" if row["kept_out"] else "not built",
                "would_build_anyway": row["would_build_anyway"],
                "start_year": row["start_year"],
                "first_output_year": row["first_output_year"],
                "lead_years": lead,
                "capex_usd": row["capex_usd"] if row["built"] else None,
                "npv_without_usd": row["owner_npv_without_usd"],
                "npv_with_usd": row["owner_npv_usd"],
                "rate": row["npv_rate"],
                "cover_ratio": row["cover_ratio"],
                "rent_usd": row["rent_usd"] if row["supported"] else None,
                "support_usd": float(support.get(row["facility"], 0.0)) if row["supported"] else None,
            }
        )
    order = ("built with support", "built without support", "kept out", "not built")
    yield from sorted(rows, key=lambda row: (order.index(row["outcome"]), row["start_year"] or 0, -(row["capex_usd"] or 0.0)))


def hangs_on(view: View) -> Iterator[Row]:
    """What leaves no room."""
    targets = view.table("targets")
    for (target, case), own in targets[targets["binding"]].groupby(["target", "case"], sort=False):
        top = own.iloc[0]
        days = top["kind"] == "stock_days"
        name = f"{target} ({case})" if case else str(target)
        yield {"kind": "target", "name": name, "years": _years(own), "limit": top["value"], "used": top["achieved"], "unit": "d" if days else "1"}
    limits = view.table("limits")
    for (kind, name), own in limits[limits["binding"]].groupby(["kind", "name"], sort=False):
        top = own.loc[own["used"].idxmax()]
        yield {"kind": kind, "name": name, "years": _years(own), "limit": top["limit"], "used": top["used"], "unit": top["unit"]}


def _years(rows: Frame) -> str:
    return ", ".join(str(int(year)) for year in sorted(set(rows["first_year"].dropna())))
