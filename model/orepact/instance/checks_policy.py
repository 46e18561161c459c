"""Checks on scenarios and the policy menu: shocks, price ladders and paths, contracts, stockpiles, refusals, spending limits."""

from __future__ import annotations

from collections.abc import Iterator

from orepact.errors import Problem
from orepact.instance.given import Given, Row, problem
from orepact.instance.naming import suggestion
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import ALL, ZONE

CLOSE = 1e-6
"""How far shares that sum to 1 may be off by rounding."""

SHOCK_NEEDS = {
    "supply": ("value",),
    "price": ("value",),
    "demand": ("value",),
    "output": ("value",),
    "delay": ("value",),
    "price_case": ("case",),
    "demand_case": ("case",),
    "repeal": (),
}
"""Which of value and case each kind of shock needs; the other must be blank."""

SHOCK_SCOPE = {
    "supply": ("product", "country"),
    "price": ("product",),
    "demand": ("product", "country"),
    "output": ("product", "country", "facility"),
    "delay": ("product", "country", "facility"),
    "price_case": ("product",),
    "demand_case": ("product", "country"),
    "repeal": (),
}
"""What each kind of shock may be narrowed to; the others must be *."""

RUNG_NEEDS = {"reference": "price", "minimum": "price", "tariff": "rate", "standard": "rate"}
"""Whether a kind of rung is set by a price or by a rate; the other must be blank."""

RUNG_EXTRAS = {"reference": ("exempt",), "minimum": (), "tariff": ("origins", "exempt"), "standard": ()}
"""Which lists of origins a kind of rung reads."""


def probabilities_sum_to_one(given: Given) -> Iterator[Problem]:
    """Probabilities of scenarios sum to 1."""
    total = sum(row["probability"] for row in given.rows("scenarios"))
    if abs(total - 1) > CLOSE:
        yield Problem("scenarios", None, "probability", f"{total:.6g}", "probabilities must sum to 1")


def reference_scenario_is_likely(given: Given) -> Iterator[Problem]:
    """`policy.reference_scenario` is a scenario with a probability above 0."""
    named = given.settings.policy.reference_scenario
    probabilities = {row["scenario"]: row["probability"] for row in given.rows("scenarios")}
    if named and probabilities.get(named, 0) <= 0:
        rule = f"not in scenarios{suggestion(named, probabilities)}" if named not in probabilities else "must have a probability above 0"
        yield Problem(SETTINGS, None, "policy.reference_scenario", named, rule)


def repeal_is_counted_once(given: Given) -> Iterator[Problem]:
    """With a scenario that repeals price measures, `owners.repeal_weight` is 0: a repeal is counted once."""
    likely = {row["scenario"] for row in given.rows("scenarios") if row["probability"] > 0}
    weight = given.settings.owners.repeal_weight
    row = next((row for row in given.rows("shocks") if row["kind"] == "repeal" and row["scenario"] in likely), None)
    if weight > 0 and row is not None:
        yield Problem(SETTINGS, None, "owners.repeal_weight", f"{weight:g}", f"must be 0 where a scenario repeals price measures (shocks, row {row.line})")


def shocks_have_what_they_need(given: Given) -> Iterator[Problem]:
    """A shock has the value or the case that its kind needs and not the other; it is narrowed only to what its kind can be narrowed to."""
    for row in given.rows("shocks"):
        for column in ("value", "case"):
            if column in SHOCK_NEEDS[row["kind"]] and row[column] is None:
                yield problem("shocks", row, column, f"required for a shock of kind {row['kind']}, but blank")
            elif column not in SHOCK_NEEDS[row["kind"]] and row[column] is not None:
                yield problem("shocks", row, column, f"a shock of kind {row['kind']} has no {column}; leave it blank")
        for column in ("product", "country", "facility"):
            if row[column] != ALL and column not in SHOCK_SCOPE[row["kind"]]:
                yield problem("shocks", row, column, f"a shock of kind {row['kind']} can't be narrowed to one {column}; leave it blank or {ALL}")


def shocks_hit_something(given: Given) -> Iterator[Problem]:
    """A supply shock is on an outside source that sells, a demand shock on a user, an output shock or delay on the zone; a case exists."""
    for row in given.rows("shocks"):
        country = None if row["country"] == ALL else row["country"]
        kind = row["kind"]
        if country is not None and kind == "supply" and given.roles[country] != "outside":
            yield problem("shocks", row, "country", f"a supply shock is on an outside source, and {country} is in the zone; use kind output for its plants")
        elif country is not None and kind in ("demand", "demand_case", "output", "delay") and given.roles[country] == "outside":
            yield problem("shocks", row, "country", f"a shock of kind {kind} is on the zone, and {country} is outside")
        elif kind == "supply" and not any(_matches(row, other, "product", "country") for other in given.rows("outside_supply")):
            yield problem("shocks", row, "product", "no outside country in outside_supply sells this")
        elif kind == "demand" and not any(_matches(row, other, "product", "country") for other in given.rows("demand")):
            yield problem("shocks", row, "product", "no row of demand is hit")
        elif kind in ("price_case", "demand_case") and row["case"] is not None:
            table, scope = ("prices", ("product",)) if kind == "price_case" else ("demand", ("product", "country"))
            cases = {other["case"] for other in given.rows(table) if _matches(row, other, *scope)}
            if row["case"] not in cases:
                yield problem("shocks", row, "case", f"no such case in {table} for what the shock is on{suggestion(row['case'], cases)}")


def rungs_have_what_they_need(given: Given) -> Iterator[Problem]:
    """Reference and minimum rungs have a price, tariffs and standards a rate; only tariffs name origins, only tariffs and reference rungs exempt some."""
    for row in given.rows("ladder"):
        needed = RUNG_NEEDS[row["kind"]]
        for column in ("price", "rate"):
            if column == needed and row[column] is None:
                yield problem("ladder", row, column, f"required for a rung of kind {row['kind']}, but blank")
            elif column != needed and row[column] is not None:
                yield problem("ladder", row, column, f"a rung of kind {row['kind']} has no {column}; leave it blank")
        for column in ("origins", "exempt"):
            if row[column] and column not in RUNG_EXTRAS[row["kind"]]:
                yield problem("ladder", row, column, f"a rung of kind {row['kind']} has no {column}; leave it blank")
            for country in row[column]:
                if given.roles[country] != "outside":
                    yield problem("ladder", row, column, f"price measures are on outside countries, and {country} is {given.roles[country]}")


def steps_are_distinct(given: Given) -> Iterator[Problem]:
    """A product's ladder has one rung per step."""
    first: dict[tuple[str, int], Row] = {}
    for row in given.rows("ladder"):
        own = first.setdefault((row["product"], row["step"]), row)
        if own is not row:
            yield problem("ladder", row, "step", f"same step of {row['product']} as row {own.line}")


def paths_use_rungs_of_the_ladder(given: Given) -> Iterator[Problem]:
    """Price paths name rungs of the product's ladder, or `free`."""
    rungs: dict[str, set[str]] = {}
    for row in given.rows("ladder"):
        rungs.setdefault(row["product"], {"free"}).add(row["rung"])
    for row in given.rows("price_paths"):
        known = rungs.get(row["product"], {"free"})
        if row["rung"] not in known:
            yield problem("price_paths", row, "rung", f"not a rung of {row['product']}'s ladder{suggestion(row['rung'], known)}")


def contracts_make_sense(given: Given) -> Iterator[Problem]:
    """A contract pays something; its shares are in order; a ceiling is at least the strike; what belongs to an upside share comes with one."""
    for row in given.rows("contracts"):
        if row["min_share"] > row["max_share"]:
            yield problem("contracts", row, "min_share", f"must be at most the largest share {row['max_share']:g}")
        if row["strike"] is not None and row["ceiling"] is not None and row["ceiling"] < row["strike"]:
            yield problem("contracts", row, "ceiling", f"must be at least the strike {row['strike']:g} USD/t")
        if row["upside_share"] > 0 and row["strike"] is None and row["ceiling"] is None:
            yield problem("contracts", row, "ceiling", "required where an upside is shared and there is no strike, but blank")
        if row["strike"] is None and row["premium"] == 0 and row["upside_share"] == 0:
            yield problem("contracts", row, "strike", "the contract pays nothing: give a strike, a premium or an upside share")
        for column in ("ceiling", "yearly_cap"):
            if row[column] is not None and row["upside_share"] == 0:
                yield problem("contracts", row, column, "says nothing where no upside is shared; leave it blank or give an upside share")
        if row["reference_volume"] is not None and row["yearly_cap"] is None:
            yield problem("contracts", row, "reference_volume", "says nothing without a yearly cap; leave it blank")


def contracts_are_offered_in_the_zone(given: Given) -> Iterator[Problem]:
    """Contracts are offered in members and partners."""
    for row in given.rows("contracts"):
        for country in row["countries"]:
            if country != ALL and given.roles[country] == "outside":
                yield problem("contracts", row, "countries", f"must be members or partners, and {country} is outside")


def stockpiled_tonnes_have_a_stockpile(given: Given) -> Iterator[Problem]:
    """Products of a contract for stockpiled tonnes have a row in `stockpiles`."""
    held = {row["product"] for row in given.rows("stockpiles")}
    for row in given.rows("contracts"):
        missing = [product for product in row["products"] if product not in held and not (product == ALL and held)]
        if row["stockpiled"] and missing:
            yield problem("contracts", row, "stockpiled", f"there is no row in stockpiles for {', '.join(missing)}")


def stockpiles_stand_somewhere(given: Given) -> Iterator[Problem]:
    """A pooled product is stockpiled in ZONE, a routed one in a member that is its own treasury; the first stock is within the largest."""
    for row in given.rows("stockpiles"):
        trade = given.trade[row["product"]]
        if trade == "pooled" and row["country"] != ZONE:
            yield problem("stockpiles", row, "country", f"{row['product']} is pooled and held for all members: use {ZONE}")
        elif trade == "routed" and row["country"] not in given.treasuries:
            known = suggestion(row["country"], given.treasuries)
            yield problem("stockpiles", row, "country", f"{row['product']} is routed: must be a member that is its own treasury{known}")
        if row["max_level"] is not None and row["initial"] > row["max_level"]:
            yield problem("stockpiles", row, "initial", f"must be at most the largest stock {row['max_level']:g} t")


def payers_are_treasuries(given: Given) -> Iterator[Problem]:
    """Budgets, contributions and refusals are of members that are their own treasury."""
    for table in ("refusals", "budgets", "contributions"):
        if given.is_faulty(table):
            continue
        for row in given.rows(table):
            if row["member"] not in given.treasuries:
                yield problem(table, row, "member", f"must be a member that is its own treasury{suggestion(row['member'], given.treasuries)}")


def contributions_sum_to_one(given: Given) -> Iterator[Problem]:
    """Contribution keys sum to 1."""
    rows = given.rows("contributions")
    total = sum(row["key"] for row in rows)
    if rows and abs(total - 1) > CLOSE:
        yield Problem("contributions", None, "key", f"{total:.6g}", "keys must sum to 1")


def _matches(shock: Row, other: Row, *columns: str) -> bool:
    """Whether a row is within what a shock is on."""
    return all(shock[column] in (ALL, other[column]) for column in columns)
