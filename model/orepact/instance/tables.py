"""Typed tables: a raw sheet read against its schema, in canonical units, with every faulty cell reported.

Also the two rules about whole tables that the schema itself states: keys are unique, references exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from orepact.errors import Problem
from orepact.instance.cells import CellError, Value, as_text, parse, quoted
from orepact.instance.naming import nearest, suggestion
from orepact.instance.schema import ALL, SCHEMA, Column, Table
from orepact.instance.sheets import Heading, Sheet
from orepact.instance.units import GROUPS, UnitError, factor, in_table_units, is_calendar

DTYPES = {"text": "str", "code": "str", "choice": "str", "codes": "object", "choices": "object", "float": "float64"}


def dtype(column: Column) -> str:
    """The pandas type of a column; numbers and flags that may be missing get the nullable ones."""
    always = column.required or column.default is not None
    if column.kind == "int":
        return "int64" if always else "Int64"
    if column.kind == "bool":
        return "bool" if always else "boolean"
    return DTYPES[column.kind]


@dataclass(frozen=True)
class Plain:
    """A typed table as plain columns, None being 'not given': what checks and digests read, at a fraction of a frame's cost."""

    lines: list[int]
    columns: dict[str, list[Value]]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The table row by row, made once; whoever takes it leaves it as it is."""
        return [dict(zip(self.columns, cells, strict=True)) for cells in zip(*self.columns.values(), strict=True)]


class Tables(Mapping[str, pd.DataFrame]):
    """Typed tables by name, each made into a DataFrame when it is first asked for.

    Whoever takes one gets a lazy copy, so nobody can change the original.
    """

    def __init__(self, plain: Mapping[str, Plain]) -> None:
        self._plain = dict(plain)
        self._frames: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self._frames[name] = _frame(SCHEMA[name], self._plain[name])
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)

    def __contains__(self, name: object) -> bool:
        return name in self._plain

    def plain(self, name: str) -> Plain:
        """A table as plain columns."""
        return self._plain[name]


def empty(table: Table) -> Plain:
    """The table without rows."""
    return Plain([], {column.name: [] for column in table.columns})


def _frame(table: Table, plain: Plain) -> pd.DataFrame:
    """A DataFrame with the schema's columns in order, its types, and line numbers as the index."""
    index = pd.Index(plain.lines, dtype="int64", name="row")
    return pd.DataFrame({c.name: _array(plain.columns[c.name], dtype(c)) for c in table.columns}, index=index)


def _array(values: list[Value], kind: str) -> Any:
    """A column's array; built directly, since a Series for each would take most of the time."""
    if kind == "object":
        lists = np.empty(len(values), dtype=object)
        for n, value in enumerate(values):
            lists[n] = value
        return lists
    return np.array(values, dtype=kind) if kind in ("int64", "float64", "bool") else pd.array(values, dtype=kind)  # type: ignore[call-overload]


def typed(table: Table, sheet: Sheet, units: Mapping[str, str]) -> tuple[Plain, list[Problem]]:
    """Read a sheet as this table.

    `units` are those declared for the table in instance.toml, by column or by group (mass, money).
    A faulty cell is reported and replaced by the column's default or a neutral value, so that reading goes on.
    """
    if not sheet.headings and not sheet.rows:
        return empty(table), [Problem(sheet.file, None, None, None, "table needs at least one row")] if table.required else []
    known = {column.name: column for column in table.columns}
    problems: list[Problem] = []
    meant: set[str | None] = set()
    given: dict[str, int] = {}
    for j, heading in enumerate(sheet.headings):
        if heading.name not in known:
            meant.add(nearest(heading.name, known))
            problems.append(Problem(sheet.file, 1, heading.name, None, f"unknown column in table {table.name}{suggestion(heading.name, known)}"))
        elif heading.name in given:
            problems.append(Problem(sheet.file, 1, heading.name, None, "column appears twice"))
        else:
            given[heading.name] = j
    columns: dict[str, list[Value]] = {}
    for column in table.columns:
        if column.name not in given:
            if column.required and column.name not in meant:
                problems.append(Problem(sheet.file, 1, column.name, None, "required column is missing"))
            columns[column.name] = [_blank(column)] * len(sheet.rows)
            continue
        j = given[column.name]
        try:
            scale = _factor(column, sheet.headings[j], units)
        except UnitError as error:
            if str(error):
                problems.append(Problem(sheet.file, 1, column.name, sheet.headings[j].unit, str(error)))
            columns[column.name] = [_blank(column)] * len(sheet.rows)
            continue
        columns[column.name] = values = []
        for line, cells in sheet.rows:
            try:
                values.append(parse(column, cells[j], scale))
            except CellError as error:
                problems.append(Problem(sheet.file, line, column.name, quoted(cells[j]), str(error)))
                values.append(_blank(column))
    if table.required and not sheet.rows and not problems:
        problems.append(Problem(sheet.file, None, None, None, "table needs at least one row"))
    return Plain([line for line, _ in sheet.rows], columns), problems


def duplicate_keys(table: Table, rows: Plain, file: str, found: Sequence[Problem] = ()) -> list[Problem]:
    """Rows that repeat the key of an earlier row, leaving out those whose key has been `found` faulty."""
    faulty = {problem.row for problem in found if problem.column in table.key}
    if not table.key or 1 in faulty:
        return []
    first: dict[tuple[str, ...], int] = {}
    problems = []
    for line, *cells in zip(rows.lines, *(rows.columns[name] for name in table.key), strict=True):
        key = tuple(as_text(cell) for cell in cells)
        if key not in first:
            first[key] = line
        elif line not in faulty:
            problems.append(Problem(file, line, ", ".join(table.key), ", ".join(key), f"same key as row {first[key]}"))
    return problems


def broken_references(tables: Tables, files: Mapping[str, str], unsure: Collection[str] = ()) -> list[Problem]:
    """Codes that name nothing in the table they refer to; `unsure` are the `table.column` whose codes are not all known."""
    problems = []
    for table in SCHEMA.values():
        for column in table.columns:
            targets = column.refers.split("|") if column.refers else []
            if not targets or not set(targets).isdisjoint(unsure):
                continue
            known = _referable(tables, targets) | set(column.also)
            where = " or ".join(target.partition(".")[0] for target in targets)
            for line, code in _codes(tables.plain(table.name), column.name):
                if code not in known and not (code == ALL and column.wild):
                    problems.append(Problem(files[table.name], line, column.name, code, f"not in {where}{suggestion(code, known)}"))
    return problems


def check_units(declared: Mapping[str, Mapping[str, str]], file: str) -> list[Problem]:
    """Faults in the units declared in instance.toml: unknown tables, columns and groups, wrong dimensions."""
    problems = []
    for name, units in declared.items():
        if name not in SCHEMA:
            problems.append(Problem(file, None, f"units.{name}", None, f"unknown table{suggestion(name, SCHEMA)}"))
            continue
        known = {column.name: column for column in SCHEMA[name].columns}
        for what, unit in units.items():
            if what not in known and what not in GROUPS:
                problems.append(Problem(file, None, f"units.{name}.{what}", unit, f"unknown column{suggestion(what, [*known, *GROUPS])}"))
                continue
            trouble = _unit_trouble(unit, GROUPS[what]) if what in GROUPS else _column_trouble(known[what], unit)
            if trouble is not None:
                problems.append(Problem(file, None, f"units.{name}.{what}", unit, trouble))
    return problems


def _blank(column: Column) -> Value:
    """What stands in for a cell that is missing or faulty."""
    if column.kind in ("codes", "choices"):
        return tuple(as_text(column.default).split(";")) if column.default else ()
    if column.default is None and column.required:
        return {"int": 0, "bool": False}.get(column.kind)
    return column.default


def _factor(column: Column, heading: Heading, units: Mapping[str, str]) -> Fraction | None:
    """The factor to canonical units (None: already canonical).

    Raises `UnitError` with the rule that the header breaks, or without text where `check_units` has reported it.
    """
    declared = units.get(column.name)
    unit = declared if heading.unit is None else heading.unit
    if heading.unit is not None and declared is not None and heading.unit != declared:
        raise UnitError(f"the header says {heading.unit!r}, but instance.toml says {declared!r}")
    if unit is not None:
        trouble = _column_trouble(column, unit)
    else:
        groups = {group: units[group] for group in GROUPS if group in units}
        if not groups or not column.unit or is_calendar(column):
            return None
        unit = in_table_units(column.unit, groups)
        trouble = _unit_trouble(unit, column.unit)
    if trouble is not None:
        raise UnitError(trouble if heading.unit is not None else "")
    scale = factor(unit, column.unit or "")
    return None if scale == 1 else scale


def _column_trouble(column: Column, unit: str) -> str | None:
    if column.unit is None or column.kind not in ("float", "int"):
        return "this column is not a quantity and takes no unit"
    if is_calendar(column):
        return None if unit in ("year", "a", "yr") else "a year of the calendar takes no other unit than year"
    if column.kind == "int" and column.unit == "":
        return "this column is a count and takes no unit"
    return _unit_trouble(unit, column.unit)


def _unit_trouble(unit: str, canonical: str) -> str | None:
    try:
        factor(unit, canonical)
    except UnitError as error:
        return str(error)
    return None


def _codes(rows: Plain, column: str) -> Iterator[tuple[int, str]]:
    """Every code given in a column, with its line."""
    for line, cell in zip(rows.lines, rows.columns[column], strict=True):
        if cell is not None:
            yield from ((line, str(code)) for code in (cell if isinstance(cell, tuple) else (cell,)))


def _referable(tables: Tables, targets: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for target in targets:
        table, _, name = target.partition(".")
        known.update(code for _, code in _codes(tables.plain(table), name))
    return known
