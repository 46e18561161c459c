"""The parts of the instance format: what a column and a table say about themselves, and columns that recur."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "code", "codes", "int", "float", "bool", "choice", "choices"]
"""`code` is a short identifier; `codes` and `choices` are lists in one cell, separated by semicolons."""

ALL = "*"
"""In a column that refers to another table: every row of it."""

ZONE = "ZONE"
"""In freight: the hub through which pooled goods move."""

QUALITIES = ("reported", "derived", "recalled", "assumed")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `refers` names `table.column`; several separated by `|`. `wild` allows `*`, `also` names what else is allowed.
    `unit` is the canonical unit (None: not a quantity); `low`/`high` bound it, inclusive unless `above`.
    A column with `default=None` and `required=False` may be blank, and blank then means "not given".
    """

    name: str
    kind: Kind
    description: str
    unit: str | None = None
    required: bool = False
    default: str | int | float | bool | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    refers: str | None = None
    wild: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: `key` columns together identify a row (empty: rows may repeat)."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False
    years: str | None = field(default=None)
    """Column that holds a year when rows are points of a series: values between two given years are
    interpolated linearly, before the first and after the last they are held; a period takes the mean of its years."""

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


# fmt: off
PROVENANCE = (
    Column("source", "text", "where the figure comes from", default=""),
    Column("quality", "choice", "how good it is", default="assumed", choices=QUALITIES),
    Column("note", "text", "anything a reader should know", default=""),
)

YEARS = (
    Column("first_year", "int", "first year it holds; blank: the start of the horizon", unit="year", low=1900, high=2200),
    Column("last_year", "int", "last year it holds; blank: the end of the horizon", unit="year", low=1900, high=2200),
)


# fmt: on


def year(description: str = "year of the point") -> Column:
    """The column of a series' years."""
    return Column("year", "int", description, unit="year", required=True, low=1900, high=2200)
