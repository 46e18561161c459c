"""Checks on targets, and on ranges for sensitivity runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from orepact.errors import Problem
from orepact.instance.given import Given, Row, problem
from orepact.instance.naming import suggestion
from orepact.instance.ranges import SETTINGS, WhereError, conditions, matching, setting
from orepact.instance.schema import ALL, SCHEMA, Column
from orepact.instance.settings import numeric_settings, with_value

NEEDS: dict[str, dict[str, bool]] = {
    "zone_share": {"use_of": False, "area": False},
    "activity_share": {"use_of": False, "area": False, "activity": True},
    "reliance_cap": {"area": False, "source_country": True},
    "n_minus_1": {"outage": True, "outage_years": False},
    "stock_days": {"area": False},
}
"""Columns each kind of target reads, and whether it needs them; the others must be blank."""

LISTS = ("zone_share", "activity_share")
"""Kinds that add the tonnes of several products; the others are about one."""


def targets_have_what_they_need(given: Given) -> Iterator[Problem]:
    """A target has the columns that its kind needs and no others; its value is a share, or days of stock."""
    for row in given.rows("targets"):
        kind = row["kind"]
        for column in ("use_of", "area", "activity", "source_country", "outage", "outage_years"):
            blank = row[column] is None or row[column] == ()
            if blank and NEEDS[kind].get(column):
                yield problem("targets", row, column, f"required for a target of kind {kind}, but blank")
            elif not blank and column not in NEEDS[kind]:
                hint = "; it is about the whole zone" if column == "area" else ""
                yield problem("targets", row, column, f"a target of kind {kind} has no {column}; leave it blank{hint}")
        if kind not in LISTS and len(row["products"]) > 1:
            yield problem("targets", row, "products", f"a target of kind {kind} is about one product")
        if kind != "stock_days" and row["value"] > 1:
            yield problem("targets", row, "value", "must be a share of use, 0 to 1")


def areas_are_treasuries(given: Given) -> Iterator[Problem]:
    """The area of a target is a member that is its own treasury."""
    for row in given.rows("targets"):
        if row["area"] is not None and row["area"] not in given.treasuries:
            yield problem("targets", row, "area", f"must be a member that is its own treasury{suggestion(row['area'], given.treasuries)}")


def areas_need_routes(given: Given) -> Iterator[Problem]:
    """A zone share, reliance cap or stock of one member is about routed products, at every stage that it looks through to."""
    for row in given.rows("targets"):
        if row["area"] is None or row["kind"] not in ("zone_share", "reliance_cap", "stock_days"):
            continue
        wanted = list(row["products"])
        if row["kind"] == "reliance_cap" and row["upstream"]:
            wanted += [product for product in given.sources if product not in wanted and _embodies(given, row["products"][0], product)]
        pooled = [product for product in wanted if given.trade[product] == "pooled"]
        if pooled:
            rule = f"a target of kind {row['kind']} for one member needs routed products, and {', '.join(pooled)} is pooled"
            yield problem("targets", row, "area", rule)


def sources_can_be_relied_on(given: Given) -> Iterator[Problem]:
    """The source of a reliance cap is outside the zone, or an origin of feedstock."""
    origins = {row["origin"] for row in given.rows("feedstock")}
    for row in given.rows("targets"):
        source = row["source_country"]
        if source not in (None, ALL) and given.roles[source] != "outside" and source not in origins:
            yield problem("targets", row, "source_country", f"{source} is in the zone and no origin of feedstock: nothing is imported from it")


def stock_targets_have_a_stockpile(given: Given) -> Iterator[Problem]:
    """The product of a target on days of stock has a row in `stockpiles`."""
    held = {(row["product"], row["country"]) for row in given.rows("stockpiles")}
    for row in given.rows("targets"):
        product = row["products"][0]
        if row["kind"] == "stock_days" and not any(p == product and row["area"] in (None, place) for p, place in held):
            yield problem("targets", row, "products", f"there is no row in stockpiles for {product}")


def ranges_can_be_applied(given: Given) -> Iterator[Problem]:
    """A range names figures that exist, and at both its ends they stay within what the format allows."""
    for row in given.rows("ranges"):
        if row["low"] > row["high"]:
            yield problem("ranges", row, "low", f"must be at most the high factor {row['high']:g}")
        elif row["table"] == SETTINGS:
            yield from _setting_range(given, row)
        elif row["table"] not in SCHEMA:
            yield problem("ranges", row, "table", f"unknown table{suggestion(row['table'], [*SCHEMA, SETTINGS])}")
        elif not given.is_faulty(row["table"]):
            yield from _table_range(given, row)


def _setting_range(given: Given, row: Row) -> Iterator[Problem]:
    path = row["column"]
    if path not in numeric_settings():
        yield problem("ranges", row, "column", f"not a setting with a decimal number{suggestion(path, numeric_settings())}")
        return
    if row["where"]:
        yield problem("ranges", row, "where", "a range of a setting has no rows; leave it blank")
    for end in ("low", "high"):
        value = setting(given.settings, path) * row[end]
        found = with_value(given.settings, path, value)[1]
        if found:
            yield problem("ranges", row, end, f"makes {path} {value:.6g}: {found[0].rule}")


def _table_range(given: Given, row: Row) -> Iterator[Problem]:
    table = SCHEMA[row["table"]]
    numbers = [column.name for column in table.columns if column.kind == "float"]
    if row["column"] not in numbers:
        yield problem("ranges", row, "column", f"not a column of {table.name} with decimal numbers{suggestion(row['column'], numbers)}")
        return
    names = [column.name for column in table.columns]
    try:
        wrong = [name for name in conditions(row["where"]) if name not in names]
    except WhereError as error:
        yield problem("ranges", row, "where", str(error))
        return
    if wrong:
        yield problem("ranges", row, "where", f"{wrong[0]} is not a column of {table.name}{suggestion(wrong[0], names)}")
        return
    rows = given.frame(table.name)
    cells = rows.loc[matching(rows, row["where"]), row["column"]].dropna()
    if cells.empty:
        yield problem("ranges", row, "where", f"no row of {table.name} with a figure in {row['column']} is named")
    for end in ("low", "high"):
        yield from _end_is_allowed(row, end, cells, table.column(row["column"]))


def _end_is_allowed(row: Row, end: str, cells: pd.Series, column: Column) -> Iterator[Problem]:
    """The first cell that a factor takes out of its column's range."""
    low, high = -np.inf if column.low is None else column.low, np.inf if column.high is None else column.high
    for line, value in cells.items():
        moved = value * row[end]
        if not low <= moved <= high or (column.above is not None and moved <= column.above):
            yield problem("ranges", row, end, f"makes {column.name} in row {line} of {row['table']} {moved:.6g}, which is out of its range")
            return


def _embodies(given: Given, product: str, within: str) -> bool:
    """Whether, by the plants' recipes or the table `embodied`, some of `product` is in `within`."""
    makers: dict[str, set[str]] = {}
    for facility in given.rows("facilities"):
        main = given.mains.get(facility["process"])
        if main is not None:
            makers.setdefault(main, set()).update(p for p, amount in given.flows[facility["process"]].items() if amount < 0)
    for row in given.rows("embodied"):
        if (row["product"], row["within"]) == (product, within):
            return bool(row["amount"] > 0)
    reached, frontier = {within}, [within]
    while frontier:
        for used in makers.get(frontier.pop(), ()):
            if used not in reached:
                reached.add(used)
                frontier.append(used)
    return product in reached
