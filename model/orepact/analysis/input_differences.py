"""What differs in the input of runs: settings, options, fixed packages, and cells of the instance's tables.

Cells are compared where the run holds its instance, stored or in memory; where it doesn't, the tables' digests still say which table differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from orepact.analysis.derived import Row
from orepact.instance.columns import PROVENANCE
from orepact.instance.instance import Instance
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import SCHEMA
from orepact.solution.solution import Solution

WHOLE_ROW = "(row)"
PRESENT, ABSENT = "present", "absent"
_SOURCING = {column.name for column in PROVENANCE}


@dataclass(frozen=True)
class Compared:
    """One run of a comparison: what it is called, what it answered, and its instance where it holds one."""

    name: str
    solution: Solution
    instance: Instance | None = None


Cells = dict[tuple[str, str, str], str]
"""Value as text by table, row and column."""


def input_cells(runs: list[Compared]) -> Iterator[Row]:
    """Cells that are not the same everywhere, each differing value with the runs that have it; the first run is the baseline."""
    first, others = runs[0], runs[1:]
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    given: Cells = {}
    for run in others:
        for key, (own, former) in _differences(first, run).items():
            given[key] = former
            found.setdefault(key, {}).setdefault(own, []).append(run.name)
    for key in sorted(found, key=_order):
        for value, names in found[key].items():
            table, row, column = key
            yield {
                "table": table, "row": row, "column": column, "baseline": given[key], "value": value,
                "runs": ", ".join(names), "count": len(names),
            }  # fmt: skip


def _order(key: tuple[str, str, str]) -> tuple[int, str, str, str]:
    """Options, package and settings first, then the instance's tables in their order."""
    leading = ["options", "package", SETTINGS, *SCHEMA]
    return (leading.index(key[0]) if key[0] in leading else len(leading), *key)


def input_tables(runs: list[Compared]) -> Iterator[Row]:
    """Which parts of the input differ from the baseline run, and by how much."""
    first = runs[0]
    for run in runs[1:]:
        cells = _differences(first, run)
        parts = dict.fromkeys(key[0] for key in sorted(cells, key=_order))
        for table in parts:
            own = {key: values for key, values in cells.items() if key[0] == table}
            added = sum(values == (PRESENT, ABSENT) and key[2] == WHOLE_ROW for key, values in own.items())
            removed = sum(values == (ABSENT, PRESENT) and key[2] == WHOLE_ROW for key, values in own.items())
            yield {"table": table, "run": run.name, "cells": len(own) - added - removed, "rows_added": added, "rows_removed": removed, "note": ""}
        for table in changed_tables(first.solution, run.solution):
            if table not in parts and table != SETTINGS:
                known = first.instance is not None and run.instance is not None
                note = "only sources, qualities or notes differ" if known else "the run does not hold its instance: only the table's digest is known"
                yield {"table": table, "run": run.name, "cells": 0 if known else None, "rows_added": None, "rows_removed": None, "note": note}


def changed_tables(first: Solution, second: Solution) -> list[str]:
    """Tables of the instance whose digests differ."""
    return [name for name in dict.fromkeys([*first.digests, *second.digests]) if first.digests.get(name) != second.digests.get(name)]


def _differences(first: Compared, run: Compared) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Value in the run and in the baseline run, for every cell that differs."""
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for part, own, former in (
        ("options", run.solution.options.model_dump(mode="json"), first.solution.options.model_dump(mode="json")),
        ("package", dict(run.solution.package), dict(first.solution.package)),
        (SETTINGS, run.solution.settings.model_dump(mode="json"), first.solution.settings.model_dump(mode="json")),
    ):
        mine, theirs = _flat(own), _flat(former)
        for path in dict.fromkeys([*theirs, *mine]):
            if mine.get(path) != theirs.get(path):
                found[part, "", path] = (mine.get(path, ABSENT), theirs.get(path, ABSENT))
    if run.instance is not None and first.instance is not None:
        for table in changed_tables(first.solution, run.solution):
            if table in SCHEMA:
                found |= _table_differences(table, run.instance.table(table), first.instance.table(table))
    return found


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Nested settings by their path, as text."""
    if isinstance(value, Mapping):
        return {key: text for name, each in value.items() for key, text in _flat(each, f"{path}.{name}" if path else str(name)).items()}
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        return {key: text for n, each in enumerate(value, start=1) for key, text in _flat(each, f"{path}[{n}]").items()}
    return {path: _text(value)}


def _table_differences(name: str, own: pd.DataFrame, former: pd.DataFrame) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Rows that one side lacks, and cells that differ in rows that both have."""
    mine, theirs = _rows(name, own), _rows(name, former)
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for key in dict.fromkeys([*theirs, *mine]):
        if key not in theirs:
            found[name, key, WHOLE_ROW] = (PRESENT, ABSENT)
        elif key not in mine:
            found[name, key, WHOLE_ROW] = (ABSENT, PRESENT)
        else:
            for column, value in mine[key].items():
                if value != theirs[key].get(column):
                    found[name, key, column] = (value, theirs[key].get(column, ""))
    return found


def _rows(name: str, table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Rows by their key as text; rows of a table without a key by all that they say, counted where they repeat."""
    columns = [str(c) for c in table.columns if c not in _SOURCING]
    key = SCHEMA[name].key or tuple(columns)
    found: dict[str, dict[str, str]] = {}
    for row in table[columns].to_dict("records"):
        cells = {str(column): _text(value) for column, value in row.items()}
        label = ", ".join(cells[column] for column in key if cells[column])
        if not SCHEMA[name].key:
            label = f"{label} (again)" if label in found else label
        found[label] = cells
    return found


def _text(value: Any) -> str:
    """A value as a reader would write it."""
    if isinstance(value, list | tuple):
        return ";".join(_text(each) for each in value)
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
