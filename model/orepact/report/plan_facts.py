"""What the plan card says, drawn from the tables of a solution: one small frozen record per line of the card.

Nothing here knows about layout; the same records can feed any other report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orepact.report.figures import mass, money, number, price, share, years
from orepact.solution.indicators import REVENUE, missed_before, period_years, tolerance
from orepact.solution.schema import EXPECTED
from orepact.solution.solution import Solution

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """One instrument: what it is, for whom, when (may be empty) and on which terms."""

    instrument: str
    subject: str
    when: str
    terms: str

    @property
    def line(self) -> str:
        """All but the instrument in one line."""
        return f"{self.subject}{', ' if self.when else ''}{self.when}: {self.terms}"


@dataclass(frozen=True)
class TargetLine:
    """One target or cap at its tightest: amounts are shares of use, or days where `in_days`."""

    target: str
    kind: str
    required: float
    before: float | None
    after: float
    slack: float
    tightest: str
    binding: bool
    missed: bool
    is_cap: bool
    in_days: bool
    asked: float | None = None


@dataclass(frozen=True)
class Payment:
    """What one member pays for one instrument: mean per year, and the dearest year of any scenario (USD/a)."""

    member: str
    instrument: str
    expected: float
    worst: float
    worst_in: str


@dataclass(frozen=True)
class Ending:
    """How one scenario ends: discounted cost (USD) and demand that goes without (t), before and after."""

    name: str
    probability: float
    stress_test: bool
    cost_before: float | None
    cost: float
    shortage_before: float | None
    shortage: float
    idle_plants: int


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings; cells that are not given are None."""
    plain = table.astype("object").where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


def measures(solution: Solution) -> list[Measure]:
    """Every instrument of the plan: prices, contracts, grants, stock."""
    return [*_rungs(solution), *_contracts(solution), *_grants(solution), *_stock(solution)]


def free_products(solution: Solution) -> list[str]:
    """Products that stay at free trade throughout."""
    rungs = solution.table("rungs")
    return sorted(set(rungs["product"]) - set(rungs.loc[rungs["kind"] != "free", "product"]))


_PRICE_WORDS = {"reference": "Price floor", "tariff": "Tariff", "standard": "Standard", "minimum": "Minimum price"}


def _rungs(solution: Solution) -> Iterator[Measure]:
    """One line per product and stretch of periods on the same rung."""
    lengths = period_years(solution.settings)
    ends = {first: first + n - 1 for first, n in lengths.items()}
    rows = sorted(records(solution.table("rungs")), key=lambda row: (row["product"], row["first_year"]))
    start = 0
    for n, row in enumerate(rows):
        following = rows[n + 1] if n + 1 < len(rows) else None
        if following and (following["product"], following["rung"]) == (row["product"], row["rung"]):
            continue
        first, start = rows[start], n + 1
        if row["kind"] != "free":
            when = years(first["first_year"], ends.get(row["first_year"], row["first_year"]))
            yield Measure(_PRICE_WORDS.get(row["kind"], row["kind"]), row["product"], when, f"{_price_terms(row)} ({row['rung']})")


def _price_terms(row: Row) -> str:
    level = row["level"] or 0.0
    match row["kind"]:
        case "reference":
            return f"no lower than {price(level)}, held up by a levy"
        case "tariff":
            return f"{share(level)} on top of the world price"
        case "standard":
            return f"compliant sources only, {share(level)} above the world price"
        case _:
            return f"imports at {price(level)} or more"


def _contracts(solution: Solution) -> Iterator[Measure]:
    names = plant_names(solution)
    for row in records(solution.table("contracts")):
        terms = f"{mass(row['volume_t_a'], '/a')} ({share(row['share_of_capacity'])} of capacity)"
        if row["strike"] is not None:
            terms += f" at {price(row['strike'])} or more"
        if row["premium"]:
            terms += f" plus {price(row['premium'])}"
        if row["upside_share"]:
            terms += f", {share(row['upside_share'])} back" + ("" if row["ceiling"] is None else f" above {price(row['ceiling'])}")
        if row["window"] is not None:
            terms += f", {number(row['window'])} years"
        terms += f" ({row['contract']}); {row['payer']} pays {money(row['expected_payment_usd_a'], '/a')}, at worst {money(row['worst_payment_usd_a'], '/a')}"
        when = "" if row["start_year"] is None else f"from {row['start_year']}"
        yield Measure("Offtake" if row["instrument"] == "offtake" else "Support", names.get(row["facility"], row["facility"]), when, terms)


def _grants(solution: Solution) -> Iterator[Measure]:
    names = plant_names(solution)
    for row in records(solution.table("grants")):
        terms = f"{money(row['grant_usd'])} ({share(row['share_of_capex'])} of capital cost); {row['payer']} pays"
        yield Measure("Grant", names.get(row["facility"], row["facility"]), str(row["start_year"]), terms)


def _stock(solution: Solution) -> Iterator[Measure]:
    lengths = period_years(solution.settings)
    stock = solution.table("stock")
    for (product, country), rows in stock.groupby(["product", "country"], sort=False):
        bought = rows[rows["purchase_t_a"] > 0]
        level, release = float(rows["level_t"].max()), float(rows["release_t_a"].max())
        if level <= 0 and bought.empty:
            continue
        once = bought.drop_duplicates("first_year")
        total = float((once["purchase_t_a"] * once["first_year"].map(lengths)).sum())
        terms = f"up to {mass(level)} held, {mass(total)} bought" + (f", up to {mass(release, '/a')} released" if release > 0 else "")
        last = 0 if bought.empty else int(once["first_year"].max())
        when = "" if bought.empty else years(int(once["first_year"].min()), last + lengths.get(last, 1) - 1)
        yield Measure("Stockpile", str(product) if country == "ZONE" else f"{product} ({country})", when, terms)


def plant_names(solution: Solution) -> dict[str, str]:
    """What to call each plant: its name, or its code, and the country it stands in."""
    return {row["facility"]: f"{row['name'] or row['facility']} ({row['country']})" for row in records(solution.table("facilities"))}


def target_lines(solution: Solution) -> list[TargetLine]:
    """Each target and cap where it is tightest; `before` is its own worst without policy."""
    targets = solution.table("targets")
    targets["missed"] = targets["slack"] < -tolerance(targets["value"])
    targets["missed_before"] = missed_before(targets)
    return [_target_line(str(name), rows) for name, rows in targets.groupby("target", sort=False)]


def _target_line(name: str, rows: pd.DataFrame) -> TargetLine:
    tightest = records(rows.loc[[rows["slack"].idxmin()]])[0]
    cap = tightest["kind"] == "reliance_cap"
    before = (rows["before"].max() if cap else rows["before"].min()) if rows["before"].notna().any() else None
    place = [str(part) for part in (tightest["case"], tightest["first_year"], tightest["scenario"]) if part]
    return TargetLine(
        target=name,
        kind=tightest["kind"],
        required=tightest["value"],
        before=None if before is None else float(before),
        after=tightest["achieved"],
        slack=tightest["slack"],
        tightest=", ".join(place),
        binding=bool(rows["binding"].any()),
        missed=bool(rows["missed"].any()),
        is_cap=cap,
        in_days=tightest["kind"] == "stock_days",
        asked=tightest["asked"],
    )


def payments(solution: Solution) -> list[Payment]:
    """Member by instrument; revenue comes last and is negative."""
    table = solution.table("payments")
    lengths = period_years(solution.settings)
    names = scenario_names(solution)
    horizon = sum(lengths.values())
    lines = []
    for (member, instrument), rows in table.groupby(["member", "instrument"], sort=False):
        yearly: dict[tuple[str, int], float] = {}
        for scenario, year, usd in zip(rows["scenario"].tolist(), rows["first_year"].tolist(), rows["usd_a"].tolist(), strict=True):
            yearly[scenario, year] = yearly.get((scenario, year), 0.0) + usd
        expected = sum(usd * lengths.get(year, 0) for (scenario, year), usd in yearly.items() if scenario == EXPECTED) / horizon
        single = [(usd, scenario, year) for (scenario, year), usd in yearly.items() if scenario != EXPECTED]
        worst, scenario, year = max(single, key=lambda entry: entry[0], default=(expected, "", 0))
        worst_in = f"{names.get(scenario, scenario)}, {year}" if scenario and worst > 0 else ""
        if expected or worst:
            lines.append(Payment(str(member), str(instrument), expected, worst, worst_in))
    return sorted(lines, key=lambda line: (line.member, line.instrument in REVENUE, line.instrument))


def scenario_names(solution: Solution) -> dict[str, str]:
    """What to call each scenario: its name, or its code."""
    return {row["scenario"]: row["name"] or row["scenario"] for row in records(solution.table("scenarios"))}


def worst_endings(solution: Solution, most: int = 3) -> list[Ending]:
    """The dearest scenarios that may happen, then the dearest stress tests, `most` of each."""
    rows = sorted(records(solution.table("scenarios")), key=lambda row: -row["cost_usd"])
    chosen = [row for row in rows if not row["stress_test"]][:most] + [row for row in rows if row["stress_test"]][:most]
    return [
        Ending(
            name=row["name"] or row["scenario"],
            probability=row["probability"],
            stress_test=row["stress_test"],
            cost_before=row["before_cost_usd"],
            cost=row["cost_usd"],
            shortage_before=row["before_shortage_t"],
            shortage=row["shortage_t"],
            idle_plants=row["idle_plants"],
        )
        for row in chosen
    ]


def binding(solution: Solution) -> list[str]:
    """What leaves no room: targets and caps with the cases and years where they bind, then other limits."""
    lines = []
    targets = solution.table("targets")
    for (target, case), rows in targets[targets["binding"]].groupby(["target", "case"], sort=False):
        when = ", ".join(map(str, sorted(set(rows["first_year"]))))
        lines.append(f"target {target}{f' ({case})' if case != '' else ''}: {when}")
    limits = solution.table("limits")
    for (kind, name), rows in limits[limits["binding"]].groupby(["kind", "name"], sort=False):
        when = ", ".join(map(str, sorted(set(rows["first_year"].dropna()))))
        top = records(rows.loc[[rows["used"].idxmax()]])[0]
        amount = money(top["limit"], "/a") if top["unit"] == "USD/a" else f"{number(top['limit'])} {top['unit']}".strip()
        lines.append(f"{kind} {name} ({amount})" + (f": {when}" if when else ""))
    return lines


def cost_changes(solution: Solution, most: int = 5) -> list[tuple[str, float, float]]:
    """The cost terms that change most against no policy: name, without, with (expected, discounted USD)."""
    before = solution.baseline.get("cost_terms") or {}
    terms = [(name, float(before.get(name, 0.0)), float(usd)) for name, usd in solution.cost_terms.items()]
    terms += [(name, float(usd), 0.0) for name, usd in before.items() if name not in solution.cost_terms]
    changed = [term for term in terms if abs(term[2] - term[1]) > 1e-9 * max(1.0, abs(term[1]))]
    return sorted(changed, key=lambda term: -abs(term[2] - term[1]))[:most] if before else []
