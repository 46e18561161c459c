"""Ranges: which cells a row of the table `ranges` multiplies, and multiplying them."""

from __future__ import annotations

import pandas as pd

from orepact.instance.cells import as_text
from orepact.options import Settings

SETTINGS = "settings"
"""In the column `table`: the range is on a setting."""


class WhereError(ValueError):
    """The `where` of a range can't be understood; the message is the rule."""


def conditions(where: str) -> dict[str, list[str]]:
    """`country=USA;product=ndpr|dytb` as values allowed by column."""
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in where.split(";"))):
        column, equals, values = part.partition("=")
        if not equals or not column.strip() or not values.strip():
            raise WhereError(f"must be column=value;column=value|value, and {part!r} is not")
        if column.strip() in found:
            raise WhereError(f"names column {column.strip()} twice")
        found[column.strip()] = [value.strip() for value in values.split("|")]
    return found


def matching(rows: pd.DataFrame, where: str) -> pd.Series:
    """Which rows the condition names; a list matches if one of its items does."""
    chosen = pd.Series(True, index=rows.index, dtype="bool")
    for column, values in conditions(where).items():
        cells = rows[column].astype(object)
        chosen &= cells.map(lambda cell, values=values: bool(set(cell if isinstance(cell, tuple) else (as_text(cell),)).intersection(values))).astype("bool")
    return chosen


def scaled(rows: pd.DataFrame, column: str, where: str, factor: float) -> pd.DataFrame:
    """The table with the range's cells multiplied."""
    changed = rows.copy()
    changed.loc[matching(rows, where), column] *= factor
    return changed


def setting(settings: Settings, path: str) -> float:
    """The value of a setting by its dotted path. Raises `KeyError` if it is not a number of that path."""
    section, _, key = path.partition(".")
    value = getattr(getattr(settings, section, None), key, None)
    if isinstance(value, bool) or not isinstance(value, float):
        raise KeyError(path)
    return value
