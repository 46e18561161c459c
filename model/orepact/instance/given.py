"""What the checks look at: settings and typed tables, with the few look-ups that several checks share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from orepact.errors import Problem
from orepact.instance.cells import as_text
from orepact.instance.tables import Plain, Tables
from orepact.options import Settings

Points = list[tuple[int, float]]


class FaultyError(Exception):
    """A check asked for something whose faults are reported already; it can say nothing of its own."""


class Row(dict[str, Any]):
    """One row of a table as column → value, with None for 'not given'; `line` is its line in the file."""

    line: int


class Period(NamedTuple):
    """A period: its first year, and the first year after it."""

    start: int
    end: int


class Given:
    """Settings and tables of an instance under check.

    Asking for a table in `faulty`, or for settings that could not be read (None), raises `FaultyError`: the check
    that asked is left out, so that one fault never makes a second, misleading message.
    """

    def __init__(self, settings: Settings | None, tables: Tables, faulty: Collection[str] = ()) -> None:
        self._settings = settings
        self._tables = tables
        self._faulty = frozenset(faulty)
        self._rows: dict[str, list[Row]] = {}

    @property
    def settings(self) -> Settings:
        """The settings."""
        if self._settings is None:
            raise FaultyError
        return self._settings

    def is_faulty(self, table: str) -> bool:
        """Whether a table has faults already."""
        return table in self._faulty

    def rows(self, table: str) -> list[Row]:
        """The rows of a table, in order."""
        if table in self._faulty:
            raise FaultyError
        if table not in self._rows:
            self._rows[table] = list(_rows(self._tables.plain(table)))
        return self._rows[table]

    def frame(self, table: str) -> pd.DataFrame:
        """The typed table itself."""
        if table in self._faulty:
            raise FaultyError
        return self._tables[table]

    @cached_property
    def roles(self) -> dict[str, str]:
        """Role by country."""
        return {row["country"]: row["role"] for row in self.rows("countries")}

    @cached_property
    def nodes(self) -> dict[str, str]:
        """By country the place where it trades: its treasury, or itself."""
        return {row["country"]: row["treasury"] or row["country"] for row in self.rows("countries")}

    @cached_property
    def treasuries(self) -> set[str]:
        """Members that are their own treasury."""
        return {country for country, role in self.roles.items() if role == "member" and self.nodes[country] == country}

    @cached_property
    def trade(self) -> dict[str, str]:
        """Way of trading by product: pooled or routed."""
        return {row["product"]: row["trade"] for row in self.rows("products")}

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """Outside countries that sell a product, by product, in table order."""
        found: dict[str, dict[str, None]] = {}
        for row in self.rows("outside_supply"):
            found.setdefault(row["product"], {})[row["country"]] = None
        return {product: list(countries) for product, countries in found.items()}

    @cached_property
    def flows(self) -> dict[str, dict[str, float]]:
        """Amounts by process and product, t per t of main output."""
        found: dict[str, dict[str, float]] = {}
        for row in self.rows("process_flows"):
            found.setdefault(row["process"], {})[row["product"]] = row["amount"]
        return found

    @cached_property
    def mains(self) -> dict[str, str]:
        """Main output by process: the marked one, else the output worth most at base prices."""
        marked = {row["process"]: row["product"] for row in self.rows("process_flows") if row["main"]}
        found = {}
        for process, flows in self.flows.items():
            outputs = [product for product, amount in flows.items() if amount > 0]
            if process in marked:
                found[process] = marked[process]
            elif len(outputs) == 1:
                found[process] = outputs[0]
            elif outputs:
                found[process] = max(outputs, key=lambda p, flows=flows: (flows[p] * self.mean_price(p), flows[p] == 1.0))  # type: ignore[misc]
        return found

    @cached_property
    def periods(self) -> list[Period]:
        """The horizon's periods."""
        periods, year = [], self.settings.horizon.start_year
        for length in self.settings.horizon.period_years:
            periods.append(Period(year, year + length))
            year += length
        return periods

    @property
    def first_year(self) -> int:
        """First year of the horizon."""
        return self.periods[0].start

    @property
    def last_year(self) -> int:
        """Last year of the horizon."""
        return self.periods[-1].end - 1

    @property
    def years(self) -> range:
        """Every year of the horizon."""
        return range(self.first_year, self.last_year + 1)

    @cached_property
    def prices(self) -> dict[str, Points]:
        """Points of the world price by product, base case, USD/t."""
        found: dict[str, Points] = {}
        for row in self.rows("prices"):
            if row["case"] == "base":
                found.setdefault(row["product"], []).append((row["year"], row["price"]))
        return found

    def mean_price(self, product: str) -> float:
        """Mean world price over the horizon, base case, USD/t; 0 where there is none."""
        return float(self.yearly(self.prices.get(product, [])).mean())

    def yearly(self, points: Points) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """A series on every year of the horizon: linear between its points, held outside, 0 without any."""
        ordered = sorted(points) or [(self.first_year, 0.0)]
        return np.interp(self.years, [year for year, _ in ordered], [value for _, value in ordered])


def problem(table: str, row: Row | None, column: str | None, rule: str) -> Problem:
    """A problem in a cell of a table; the table's name stands for its file until the reader knows better."""
    value = None if row is None or column is None else as_text(row.get(column))
    return Problem(table, None if row is None else row.line, column, value, rule)


def _rows(plain: Plain) -> Iterator[Row]:
    for line, *cells in zip(plain.lines, *plain.columns.values(), strict=True):
        row = Row(zip(plain.columns, cells, strict=True))
        row.line = line
        yield row
