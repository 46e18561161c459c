"""Who pays what, and what for: payments by plant and tonne, price measures, contracts, grants and stocks with their costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from orepact.analysis.derived import Frame, Row, records
from orepact.analysis.view import View, single
from orepact.solution.indicators import REVENUE
from orepact.solution.schema import EXPECTED

FOR_PLANTS = ("offtake", "support", "grant")
"""Instruments that are paid for a plant."""


def who_pays(view: View) -> Iterator[Row]:
    """Member, instrument and plant: money and tonnes."""
    payments = view.table("payments")
    payments = payments[payments["instrument"].isin(FOR_PLANTS)]
    extra = additional_tonnes(view)
    above = _above_world(view, payments)
    rows = []
    for (member, instrument, facility), own in payments.groupby(["member", "instrument", "facility"], sort=False):
        mean, cases = own[own["scenario"] == EXPECTED], single(own)
        expected = float((mean["usd_a"] * view.years_of(mean)).sum())
        supported = _supported_tonnes(view, str(facility), str(instrument), str(member))
        beyond = extra.get(str(facility))
        worst = cases.loc[cases["usd_a"].idxmax()] if len(cases) else None
        rows.append(
            {
                "member": member,
                "instrument": instrument,
                **view.plant(str(facility)),
                "expected_usd": expected,
                "worst_usd_a": None if worst is None else float(worst["usd_a"]),
                "worst_scenario": "" if worst is None else worst["scenario"],
                "supported_t": supported,
                "additional_t": beyond,
                "usd_per_supported_t": _over(expected, supported),
                "usd_per_additional_t": _over(expected, beyond),
                "above_world_usd_t": above.get(str(facility)),
            }
        )
    yield from sorted(rows, key=lambda row: -row["expected_usd"])


def _over(usd: float, tonnes: float | None) -> float | None:
    return usd / tonnes if tonnes is not None and tonnes > 1e-6 else None


def additional_tonnes(view: View) -> dict[str, float]:
    """Expected tonnes over the horizon that a plant makes beyond what it would make without policy; plants of a run with a baseline only."""
    table = view.table("additional")
    table = table[table["before_output_t_a"].notna()]
    more = (table["output_t_a"] - table["before_output_t_a"]) * view.years_of(table)
    return {str(code): float(total) for code, total in more.groupby(table["facility"]).sum().items()}


def _supported_tonnes(view: View, facility: str, instrument: str, member: str) -> float:
    """Expected output over the years in which a contract runs, times the share under contract; for a grant all output."""
    output = view.table("additional")
    output = output[output["facility"] == facility]
    if instrument == "grant":
        return float((output["output_t_a"] * view.years_of(output)).sum())
    contracts = view.table("contracts")
    own = contracts[(contracts["facility"] == facility) & (contracts["instrument"] == instrument) & (contracts["payer"] == member)]
    opening = view.plants.get(facility, {}).get("first_output_year")
    begin = view.years[0] if pd.isna(opening) else max(float(opening), view.years[0])
    total = 0.0
    for share, window in zip(own["share_of_capacity"], own["window"], strict=True):
        end = float("inf") if pd.isna(window) else begin + float(window)
        for year, made in zip(output["first_year"], output["output_t_a"], strict=True):
            covered = max(0.0, min(end, view.last_year(year) + 1) - year)
            total += float(share) * float(made) * min(covered, view.lengths[year])
    return total


def _above_world(view: View, payments: Frame) -> dict[str, float]:
    """USD per tonne made that users (through the zone's price) and treasuries pay above the world price, expected."""
    supported = set(payments["facility"])
    output = view.table("output")
    output = output[output["facility"].isin(supported)]
    output = output.assign(product=output["facility"].map({code: row["product"] for code, row in view.plants.items()}))
    prices = view.table("prices")
    if prices.empty:
        return {}
    joined = output.merge(prices, on=["product", "first_year", "scenario"])
    weight = joined["scenario"].map(view.probability).astype(float) * view.years_of(joined)
    tonnes = (joined["output_t_a"] * weight).groupby(joined["facility"]).sum()
    uplift = ((joined["zone_price"] - joined["world_price"]) * joined["output_t_a"] * weight).groupby(joined["facility"]).sum()
    mean = payments[payments["scenario"] == EXPECTED]
    paid = (mean["usd_a"] * view.years_of(mean)).groupby(mean["facility"]).sum()
    return {str(code): float((uplift[code] + paid.get(code, 0.0)) / tonnes[code]) for code in tonnes.index if tonnes[code] > 1e-6}


def member_payments(view: View) -> Iterator[Row]:
    """Member by instrument, revenue last."""
    payments = view.table("payments")
    rows = []
    for (member, instrument), own in payments.groupby(["member", "instrument"], sort=False):
        yearly = own.groupby(["scenario", "first_year"])["usd_a"].sum()
        expected = sum(usd * view.lengths.get(year, 0) for (scenario, year), usd in yearly.items() if scenario == EXPECTED)
        cases = yearly[yearly.index.get_level_values("scenario") != EXPECTED]
        spent = instrument not in REVENUE and len(cases)
        scenario, year = cases.idxmax() if spent else ("", None)
        rows.append(
            {
                "member": member,
                "instrument": instrument,
                "expected_usd": float(expected),
                "expected_usd_a": float(expected) / view.horizon,
                "worst_usd_a": float(cases.max()) if spent else None,
                "worst_scenario": scenario,
                "worst_year": year,
            }
        )
    yield from sorted(rows, key=lambda row: (row["member"], row["instrument"] in REVENUE, row["instrument"]))


def price_measures(view: View) -> Iterator[Row]:
    """Every spell of a rung, with what it brings in and what users pay for it."""
    flows, balance, prices = view.table("flows"), view.table("balance"), view.table("prices")
    if prices.empty:
        return
    key = ["product", "first_year", "scenario"]
    imports = flows[(flows["kind"] == "import") & flows["destination"].isin(view.members)].merge(prices, on=key)
    imports = imports.assign(usd_a=(imports["zone_price"] - imports["price_usd_t"]) * imports["amount_t_a"])
    used = balance[balance["node"].isin(view.members)].merge(prices, on=key)
    used = used.assign(usd_a=(used["zone_price"] - used["world_price"]) * used["demand"])
    for spell in _spells(view):
        years = spell.pop("years")
        shown = prices[(prices["product"] == spell["product"]) & prices["first_year"].isin(years) & (prices["scenario"] == view.reference)]
        levy, users = (_by_scenario(view, table, spell["product"], years) for table in (imports, used))
        least = min(levy, key=lambda code: levy[code], default="")
        most = max(users, key=lambda code: users[code], default="")
        weights = view.years_of(shown)
        yield {
            **spell,
            "name": view.product_name(spell["product"]),
            "world_price": float((shown["world_price"] * weights).sum() / weights.sum()),
            "zone_price": float((shown["zone_price"] * weights).sum() / weights.sum()),
            "levy_usd_a": sum(view.probability[code] * usd for code, usd in levy.items()),
            "least_levy_usd_a": levy.get(least),
            "least_scenario": least,
            "users_usd_a": sum(view.probability[code] * usd for code, usd in users.items()),
            "most_users_usd_a": users.get(most),
            "most_scenario": most,
        }


def _spells(view: View) -> Iterator[dict[str, Any]]:
    """Periods in a row on the same rung, free trade left out."""
    for product, own in view.table("rungs").groupby("product", sort=False):
        spell: list[Row] = []
        for row in [*records(own), None]:
            if spell and (row is None or row["rung"] != spell[0]["rung"]):
                if spell[0]["kind"] != "free":
                    first, last = spell[0], spell[-1]
                    yield {
                        "product": product,
                        "from_year": first["first_year"],
                        "to_year": view.last_year(last["first_year"]),
                        "rung": first["rung"],
                        "kind": first["kind"],
                        "level": first["level"],
                        "years": [each["first_year"] for each in spell],
                    }
                spell = []
            if row is not None:
                spell.append(row)


def _by_scenario(view: View, table: Frame, product: str, years: list[int]) -> dict[str, float]:
    """Mean USD/a over the years given, by scenario; scenarios without a row bring nothing."""
    own = table[(table["product"] == product) & table["first_year"].isin(years)]
    total = (own["usd_a"] * view.years_of(own)).groupby(own["scenario"]).sum()
    span = sum(view.lengths[year] for year in years)
    return {code: float(total.get(code, 0.0)) / span for code in view.probability}


def contract_costs(view: View) -> Iterator[Row]:
    """Contracts with the plant's name."""
    for row in records(view.table("contracts")):
        same = {name: row[name] for name in ("contract", "instrument", "payer", "start_year", "volume_t_a", "share_of_capacity", "strike")}
        terms = {name: row[name] for name in ("premium", "upside_share", "ceiling", "window", "weight")}
        costs = {"expected_usd_a": row["expected_payment_usd_a"], "worst_usd_a": row["worst_payment_usd_a"]}
        yield {**view.plant(row["facility"]), **same, **terms, **costs}


def grant_costs(view: View) -> Iterator[Row]:
    """Grants with the plant's name."""
    for row in records(view.table("grants")):
        yield {**view.plant(row["facility"]), **{name: row[name] for name in ("payer", "start_year", "grant_usd", "share_of_capex")}}


def stock_costs(view: View) -> Iterator[Row]:
    """Stocks that are held, with the cost of what is bought at the zone's price."""
    stock = view.table("stock")
    priced = stock.merge(view.table("prices"), on=["product", "first_year", "scenario"], how="left")
    for (product, country), own in priced.groupby(["product", "country"], sort=False):
        if own["level_t"].max() <= 0 and own["purchase_t_a"].max() <= 0:
            continue
        once = own.drop_duplicates("first_year")
        spent = (own["purchase_t_a"] * own["zone_price"] * view.years_of(own)).groupby(own["scenario"]).sum()
        known = own["zone_price"].notna().all()
        yield {
            "product": product,
            "name": view.product_name(str(product)),
            "country": country,
            "highest_t": float(own["level_t"].max()),
            "bought_t": float((once["purchase_t_a"] * view.years_of(once)).sum()),
            "purchase_usd": sum(view.probability.get(str(code), 0.0) * float(usd) for code, usd in spent.items()) if known else None,
            "worst_purchase_usd": float(spent.max()) if known else None,
            "worst_scenario": spent.idxmax() if known and spent.max() > 0 else "",
            "most_released_t_a": float(own["release_t_a"].max()),
        }


def cost_change(view: View) -> Iterator[Row]:
    """Terms of the cost, those that change most first."""
    before = view.solution.baseline.get("cost_terms") or {}
    names = dict.fromkeys([*view.solution.cost_terms, *before])
    rows = []
    for name in names:
        usd = float(view.solution.cost_terms.get(name, 0.0))
        former = float(before.get(name, 0.0)) if before else None
        rows.append({"term": name, "before_usd": former, "usd": usd, "change_usd": None if former is None else usd - former})
    yield from sorted(rows, key=lambda row: (-abs(row["change_usd"] or 0.0), row["term"]))
