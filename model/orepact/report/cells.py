"""Cells as text: one unit per column, said in its heading, and rounding that suits the amounts. Nothing is worked out here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orepact.instance.columns import Column, Table
from orepact.report.figures import MASS, MONEY, Units, number, plain, share
from orepact.report.labels import Names, heading, word

YES, NO, NONE = "yes", "no", "–"


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what it is worth for sorting (None: text), and whether it is a number."""

    text: str
    value: Any
    is_number: bool


@dataclass(frozen=True)
class Grid:
    """A table ready to be shown: its name, heads (text and unit) and rows of cells, and how many rows were left out."""

    name: str
    columns: tuple[str, ...]
    heads: tuple[tuple[str, str], ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0


def _scale(column: Column, values: pd.Series[Any]) -> tuple[str, float]:
    """Unit of a column of numbers and how much of the canonical unit it is."""
    unit, family = column.unit or "", None
    if unit in ("USD", "USD/a"):
        family = MONEY
    elif unit in ("t", "t/a"):
        family = MASS
    if family is None:
        return {"1": "%", "year": "", "d": "days", "1 or d": "% or days", "USD/t or 1": "USD/t or %", "see unit": "", "see measure": "", "1/a": "%"}.get(
            unit, unit
        ), 1.0
    largest = float(values.abs().max()) if values.notna().any() else 0.0
    name, size = _suited(largest, family)
    return name + unit[len(family.small) :], size


def _suited(largest: float, family: Units) -> tuple[str, float]:
    return (family.big, family.big_size) if largest >= 10 * family.big_from or (family is MONEY and largest >= family.big_from) else (family.small, 1.0)


def grid(name: str, table: pd.DataFrame, schema: Table, names: Names, columns: Sequence[str] = (), most: int = 400) -> Grid:
    """Some columns of a table as text; rows beyond `most` are counted, not shown."""
    shown = tuple(columns) or tuple(str(c) for c in table.columns)
    about = {each.name: each for each in schema.columns}
    scales = {c: _scale(about[c], table[c]) if about[c].kind in ("float", "int") else ("", 1.0) for c in shown}
    rows = []
    for record in table.head(most).to_dict("records"):
        rows.append(tuple(cell(about[c], record[c], scales[c][1], names, {str(k): v for k, v in record.items()}) for c in shown))
    numeric = tuple(about[c].kind in ("float", "int") for c in shown)
    return Grid(name, shown, tuple((heading(c), scales[c][0]) for c in shown), numeric, tuple(rows), max(0, len(table) - most))


def cell(column: Column, value: Any, size: float, names: Names, row: dict[str, Any]) -> Cell:
    """One cell as text."""
    if value is None or pd.isna(value):
        return Cell(NONE, None, column.kind in ("float", "int"))
    if column.kind == "bool":
        return Cell(YES if value else NO, None, False)
    if column.kind == "choice":
        return Cell(plain(word(value)), None, False)
    if column.kind not in ("float", "int"):
        return Cell(plain(names.say(column.name, value)) or NONE, None, False)
    return Cell(_number(column, float(value), size, row), float(value), True)


def _number(column: Column, value: float, size: float, row: dict[str, Any]) -> str:
    unit = column.unit or ""
    if unit == "1 or d":
        return f"{number(value)} d" if row.get("kind") == "stock_days" else share(value)
    if unit == "USD/t or 1":
        return share(value) if row.get("kind") in ("tariff", "standard") else number(value)
    if unit == "see unit":
        return _in_unit(value, str(row.get("unit", "")))
    if unit in ("1", "1/a"):
        return share(value).removesuffix(" %")
    if unit == "year":
        return f"{value:g}"
    return number(value / size)


def _in_unit(value: float, unit: str) -> str:
    """A number whose unit stands in another column."""
    if unit == "1":
        return share(value)
    if unit.startswith("USD") and not unit.startswith("USD/t") and abs(value) >= MONEY.big_from:
        return f"{number(value / MONEY.big_size)} M{unit}"
    return f"{number(value)} {unit}".strip()


def figure_text(value: float, unit: str) -> str:
    """A key figure with its unit."""
    if unit == "1":
        return share(value)
    if unit in ("USD", "USD/a"):
        size, name = (1e9, "bn USD") if abs(value) >= 1e9 else (1e6, "MUSD") if abs(value) >= 1e5 else (1.0, "USD")
        return f"{number(value / size)} {name}{unit[3:]}"
    if unit == "t" and abs(value) >= 1e5:
        return f"{number(value / 1e3)} kt"
    return f"{number(value)} {unit}".strip()


def pivot(name: str, table: pd.DataFrame, schema: Table, names: Names, rows: Sequence[str], across: str, value: str, columns: Sequence[str]) -> Grid:
    """A long table with one column per value of `across`; `columns` says which and in which order, a blank where there is no cell."""
    about = {each.name: each for each in schema.columns}
    unit, size = _scale(about[value], table[value])
    found: dict[tuple[Any, ...], dict[str, tuple[Any, dict[str, Any]]]] = {}
    for record in table.to_dict("records"):
        found.setdefault(tuple(record[row] for row in rows), {})[str(record[across])] = (record[value], {str(k): v for k, v in record.items()})
    lines = []
    for key, cells in found.items():
        lead = tuple(cell(about[row], code, 1.0, names, {}) for row, code in zip(rows, key, strict=True))
        lines.append((*lead, *(cell(about[value], *_one(cells, c, size, names)) for c in columns)))
    heads = (*((heading(row), "") for row in rows), *((plain(c), unit) for c in columns))
    return Grid(name, (*rows, *columns), heads, (*(False for _ in rows), *(True for _ in columns)), tuple(lines))


def _one(cells: dict[str, tuple[Any, dict[str, Any]]], column: str, size: float, names: Names) -> tuple[Any, float, Names, dict[str, Any]]:
    value, row = cells.get(column, (None, {}))
    return value, size, names, row
