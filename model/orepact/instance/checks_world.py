"""Checks on the tables that describe the world: countries, products, processes, plants, supply, demand, freight."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orepact.errors import Problem
from orepact.instance.given import Given, Row, problem
from orepact.instance.schema import ALL, ZONE

SLACK = 1e-9
"""How far a sum of shares may exceed 1 by rounding."""

RESERVED = {("countries", "country"): ZONE, ("scenarios", "scenario"): "expected", ("ladder", "rung"): "free"}


def codes_are_not_reserved(given: Given) -> Iterator[Problem]:
    """A country may not be called ZONE, a scenario `expected`, or a rung `free`."""
    for (table, column), reserved in RESERVED.items():
        if given.is_faulty(table):
            continue
        for row in given.rows(table):
            if str(row[column]).casefold() == reserved.casefold():
                yield problem(table, row, column, f"the code {reserved} has a meaning of its own and can't be given")


def there_is_a_member(given: Given) -> Iterator[Problem]:
    """At least one country is a member."""
    if "member" not in given.roles.values():
        yield problem("countries", None, "role", "at least one country must be a member")


def treasuries_are_members(given: Given) -> Iterator[Problem]:
    """Only members have a treasury; it is a member that is its own treasury."""
    for row in given.rows("countries"):
        treasury = row["treasury"]
        if treasury is None:
            continue
        if row["role"] != "member":
            yield problem("countries", row, "treasury", f"only members have a treasury, and {row['country']} is {_a(row['role'])}")
        elif given.roles[treasury] != "member":
            yield problem("countries", row, "treasury", f"must be a member, and {treasury} is {_a(given.roles[treasury])}")
        elif given.nodes[treasury] != treasury:
            yield problem("countries", row, "treasury", f"must be its own treasury, but {treasury} belongs to {given.nodes[treasury]}")


def outside_countries_are_outside(given: Given) -> Iterator[Problem]:
    """Dominant sources, countries in `outside_supply` and countries in `feedstock` are outside the zone."""
    for table, column in (("products", "dominant"), ("outside_supply", "country"), ("feedstock", "country")):
        if given.is_faulty(table):
            continue
        for row in given.rows(table):
            if row[column] is not None and given.roles[row[column]] != "outside":
                yield problem(table, row, column, f"must be outside the zone, and {row[column]} is {_a(given.roles[row[column]])}")


def zone_countries_are_inside(given: Given) -> Iterator[Problem]:
    """Countries of facilities, demand and aid limits are members or partners."""
    for table, column in (("facilities", "country"), ("demand", "country"), ("aid_limits", "country")):
        if given.is_faulty(table):
            continue
        for row in given.rows(table):
            if given.roles[row[column]] == "outside":
                yield problem(table, row, column, f"must be a member or partner, and {row[column]} is outside")


def processes_have_one_main_output(given: Given) -> Iterator[Problem]:
    """A process has exactly one main output (marked, or worth most), and its amount is 1."""
    for process in given.rows("processes"):
        rows = [row for row in given.rows("process_flows") if row["process"] == process["process"]]
        outputs = [row for row in rows if row["amount"] > 0]
        marked = [row for row in rows if row["main"]]
        if not outputs:
            yield problem("processes", process, "process", "makes nothing: process_flows needs a row with a positive amount")
        elif len(marked) > 1:
            yield problem("process_flows", marked[1], "main", f"only one main output per process; row {marked[0].line} is marked too")
        elif marked:
            if marked[0]["amount"] != 1:
                yield problem("process_flows", marked[0], "amount", "the main output's amount must be 1")
        else:
            main = given.mains[process["process"]]
            row = next(row for row in outputs if row["product"] == main)
            if row["amount"] != 1:
                rest = "" if len(outputs) == 1 else f" ({main} is worth most; mark another as main if that is meant)"
                yield problem("process_flows", row, "amount", f"the main output's amount must be 1{rest}")


def flows_are_not_zero(given: Given) -> Iterator[Problem]:
    """Amounts in `process_flows` are not 0."""
    for row in given.rows("process_flows"):
        if row["amount"] == 0:
            yield problem("process_flows", row, "amount", "must be positive (made) or negative (used)")


def recipes_end(given: Given) -> Iterator[Problem]:
    """Following inputs up the stages comes to an end: no product needs a tonne or more of itself per tonne."""
    products = [row["product"] for row in given.rows("products")]
    index = {product: k for k, product in enumerate(products)}
    used, made = np.zeros((len(products), len(products))), np.zeros(len(products))
    for row in given.rows("facilities"):
        main = given.mains.get(row["process"])
        if main is None:
            continue  # a process that makes nothing is reported by its own check
        made[index[main]] += row["capacity"]
        for product, amount in given.flows[row["process"]].items():
            used[index[product], index[main]] += row["capacity"] * max(-amount, 0.0)
    recipe = used / np.where(made > 0, made, 1.0)
    values, vectors = np.linalg.eig(recipe)
    worst = int(np.argmax(np.abs(values)))
    if abs(values[worst]) >= 1 - SLACK:
        circle = [products[k] for k in np.flatnonzero(np.abs(vectors[:, worst]) > SLACK)]
        row = next(r for r in given.rows("process_flows") if r["amount"] < 0 and r["product"] in circle and given.mains.get(r["process"]) in circle)
        yield problem("process_flows", row, "amount", f"the plants' recipes go round in a circle that uses up all it makes: {', '.join(circle)}")


def plant_years_are_in_order(given: Given) -> Iterator[Problem]:
    """A plant opens before it retires, and its earliest start is not after its latest."""
    for row in given.rows("facilities"):
        if row["opening_year"] is not None and row["retirement_year"] is not None and row["opening_year"] >= row["retirement_year"]:
            yield problem("facilities", row, "retirement_year", f"must be after the opening year {row['opening_year']:g}")
        if row["earliest_start"] is not None and row["latest_start"] is not None and row["latest_start"] < row["earliest_start"]:
            yield problem("facilities", row, "latest_start", f"must not be before the earliest start {row['earliest_start']}")


def series_have_a_base_case(given: Given) -> Iterator[Problem]:
    """A product with prices, and a user with demand, has rows of case `base`."""
    for table, key in (("prices", ("product",)), ("demand", ("country", "product"))):
        if given.is_faulty(table):
            continue
        rows = given.rows(table)
        based = {tuple(row[c] for c in key) for row in rows if row["case"] == "base"}
        first: dict[tuple[str, ...], Row] = {}
        for row in rows:
            first.setdefault(tuple(row[c] for c in key), row)
        for series, row in first.items():
            if series not in based:
                yield problem(table, row, "case", f"{', '.join(series)} has no rows of case base")


def source_traits_stay_the_same(given: Given) -> Iterator[Problem]:
    """`base_share` and `compliant` of a source do not change from year to year."""
    first: dict[tuple[str, str], Row] = {}
    for row in given.rows("outside_supply"):
        own = first.setdefault((row["country"], row["product"]), row)
        if row["compliant"] != own["compliant"]:
            yield problem("outside_supply", row, "compliant", f"must be the same in every year; row {own.line} says {str(own['compliant']).lower()}")
        if row["base_share"] is not None and row["base_share"] != own["base_share"]:
            yield problem("outside_supply", row, "base_share", f"must be the same in every year; row {own.line} says {own['base_share'] or 'nothing'}")


def base_shares_fit(given: Given) -> Iterator[Problem]:
    """Base shares of a product's sources sum to at most 1."""
    first: dict[tuple[str, str], Row] = {}
    for row in given.rows("outside_supply"):
        first.setdefault((row["product"], row["country"]), row)
    yield from _shares_fit("outside_supply", "base_share", list(first.values()), ("product",))


def feedstock_shares_fit(given: Given) -> Iterator[Problem]:
    """Feedstock shares of one source, product and feed sum to at most 1."""
    yield from _shares_fit("feedstock", "share", given.rows("feedstock"), ("country", "product", "feed"))


def shortage_blocks_fit(given: Given) -> Iterator[Problem]:
    """Shares of a product's shortage blocks sum to at most 1."""
    yield from _shares_fit("shortage_costs", "share", given.rows("shortage_costs"), ("product",))


def freight_ends_fit(given: Given) -> Iterator[Problem]:
    """Freight of pooled products has ZONE at one end, of routed ones at none; members of another treasury use its code; only routes have a capacity."""
    for row in given.rows("freight"):
        trade = None if row["product"] == ALL else given.trade[row["product"]]
        hubs = [column for column in ("origin", "destination") if row[column] == ZONE]
        if row["origin"] == row["destination"]:
            yield problem("freight", row, "destination", "must differ from the origin")
        elif trade == "pooled" and not hubs:
            yield problem("freight", row, "destination", f"{row['product']} is pooled: one end must be {ZONE}, the hub")
        elif trade == "routed" and hubs:
            yield problem("freight", row, hubs[0], f"{row['product']} is routed: {ZONE} is for pooled products")
        if row["capacity"] is not None and hubs:
            yield problem("freight", row, "capacity", "only routes of routed products have a capacity")
        for column in ("origin", "destination"):
            if row[column] != ZONE and given.nodes[row[column]] != row[column]:
                yield problem("freight", row, column, f"{row[column]} trades as {given.nodes[row[column]]}: use its treasury's code")


def embodied_is_about_others(given: Given) -> Iterator[Problem]:
    """`embodied` relates two different products."""
    for row in given.rows("embodied"):
        if row["product"] == row["within"]:
            yield problem("embodied", row, "within", "must be another product")


def groups_are_not_countries(given: Given) -> Iterator[Problem]:
    """A group's code is not that of a country."""
    for row in given.rows("groups"):
        if row["group"] in given.roles:
            yield problem("groups", row, "group", "is the code of a country; give the group another")


def years_are_in_order(given: Given) -> Iterator[Problem]:
    """`last_year` is not before `first_year`."""
    for table in ("shocks", "ladder", "targets", "budgets"):
        if given.is_faulty(table):
            continue
        for row in given.rows(table):
            if row["first_year"] is not None and row["last_year"] is not None and row["last_year"] < row["first_year"]:
                yield problem(table, row, "last_year", f"must not be before the first year {row['first_year']}")


def _shares_fit(table: str, column: str, rows: list[Row], key: tuple[str, ...]) -> Iterator[Problem]:
    """Shares under one key sum to at most 1; the row that goes beyond is named."""
    total: dict[tuple[str, ...], float] = {}
    for row in rows:
        group = tuple(row[c] for c in key)
        before = total.get(group, 0.0)
        total[group] = before + (row[column] or 0.0)
        if before <= 1 + SLACK < total[group]:
            yield problem(table, row, column, f"shares of {', '.join(group)} sum to more than 1 ({total[group]:.6g} up to this row)")


def _a(role: str) -> str:
    return role if role == "outside" else f"a {role}"
