"""Units of measurement: what a column may be given in, and the factor that brings it to t, USD and year.

The registry is small on purpose: only units that make sense here are known, and money is a dimension of its own.
Factors are exact fractions, so that 4.35 kt and 4350 t are the same figure to the last digit.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

import pint

from orepact.instance.schema import Column

DEFINITIONS = (
    "tonne = [mass] = t",
    "gram = 1e-6 tonne = g",
    "pound = 453.59237 gram = lb",
    "troy_ounce = 31.1034768 gram = ozt",
    "US_dollar = [money] = USD",
    "billion_US_dollars = 1e9 US_dollar = BUSD",
    "year = [time] = a = yr",
    "month = year / 12",
    "day = year / 365",
    "percent = 0.01",
    "kilo- = 1e3 = k-",
    "mega- = 1e6 = M-",
    "giga- = 1e9 = G-",
)
"""The units that may be declared; prefixes k, M and G go with any of them (kt, MUSD, kg)."""

GROUPS = {"mass": "t", "money": "USD"}
"""What may be declared for a whole table, and the canonical unit it stands in for."""


DIMENSIONS = {"t": "mass", "USD": "money", "a": "time", "year": "time"}
"""The dimensions in words, by canonical unit."""

WRITTEN = re.compile(r"(%|[A-Za-z_]{1,30})( ?[*/] ?[A-Za-z_]{1,30}){0,3}|")


class UnitError(ValueError):
    """A unit is unknown or of another dimension; the message is the rule for a Problem."""


def is_calendar(column: Column) -> bool:
    """Whether the column holds a year of the calendar (never converted), not a length of time."""
    return column.unit == "year" and column.low is not None and column.low >= 1800


@cache
def _registry() -> pint.UnitRegistry[Fraction]:
    registry: pint.UnitRegistry[Fraction] = pint.UnitRegistry(None, non_int_type=Fraction)
    for line in DEFINITIONS:
        registry.define(line)
    return registry


@cache
def factor(unit: str, canonical: str) -> Fraction:
    """How many `canonical` units one `unit` is.

    Raises `UnitError` for an unknown unit or one of the wrong dimension.
    """
    if not WRITTEN.fullmatch(unit):
        raise UnitError(f"a unit is written like kt, MUSD or kUSD/t, not {unit!r}")
    registry = _registry()
    target = registry.Unit(_parsed(canonical))
    try:
        given = registry.Quantity(Fraction(1), _parsed(unit))
    except pint.UndefinedUnitError as error:
        raise UnitError(f"unknown unit {unit!r}; this column is in {canonical or 'shares, without unit'}") from error
    if given.dimensionality != target.dimensionality:
        raise UnitError(f"{unit!r} is of another dimension; expected {dimension(canonical)}")
    return Fraction(given.to(target).magnitude)


def dimension(canonical: str) -> str:
    """The dimension of a canonical unit in words: `mass/time, as in t/a`."""
    if canonical in ("", "t/t"):
        return "a share, without unit"
    return "/".join(DIMENSIONS[part] for part in canonical.split("/")) + f", as in {canonical}"


def in_table_units(canonical: str, group_units: dict[str, str]) -> str:
    """The unit of a column with this canonical unit when its table is declared in `group_units` (mass, money)."""
    stands_for = {GROUPS[group]: unit for group, unit in group_units.items()}
    return "/".join(stands_for.get(part, part) for part in canonical.split("/"))


def _parsed(unit: str) -> str:
    return unit.replace("%", "percent") or "dimensionless"
