"""Changes to single cells and rows of an instance: what a repair is made of, and how it reads.

A change is said in the user's own places: file, row as an editor shows it, column, old and new value in canonical units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from orepact.instance.cells import as_text
from orepact.instance.instance import Instance
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import SCHEMA
from orepact.instance.settings import FILE

Row = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One cell changed (`row` from 0, `column`, `value`; None: blank), one row taken out (no column), or one added (no row).

    For table `settings` the column is the dotted path and there is no row. `cells` are those of a row that is added.
    """

    table: str
    row: int | None = None
    column: str = ""
    value: Any = None
    cells: tuple[tuple[str, Any], ...] = field(default=())

    @classmethod
    def added(cls, table: str, **cells: Any) -> Change:
        """A row to add."""
        return cls(table, cells=tuple(cells.items()))


def changed(instance: Instance, changes: Iterable[Change]) -> Instance:
    """The instance with the changes made, checked anew; rows are counted in the instance as it was, later changes of one cell win.

    Raises `InstanceError` (or `OptionError` for a setting) if the outcome is not valid.
    """
    by_table: dict[str, list[Change]] = {}
    for change in changes:
        if change.table == SETTINGS:
            instance = instance.with_setting(change.column, change.value)
        else:
            by_table.setdefault(change.table, []).append(change)
    return instance.with_tables({name: _edited(instance.tables[name], own) for name, own in by_table.items()}) if by_table else instance


def _edited(table: pd.DataFrame, changes: list[Change]) -> list[Row]:
    rows: list[Row] = [{str(name): None if _blank(cell) else cell for name, cell in row.items()} for row in table.to_dict("records")]
    gone = {change.row for change in changes if change.row is not None and not change.column}
    for change in changes:
        if change.row is not None and change.column:
            rows[change.row][change.column] = change.value
    return [row for n, row in enumerate(rows) if n not in gone] + [dict(change.cells) for change in changes if change.row is None]


def _blank(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell)


def line_of(instance: Instance, table: str, row: int | None) -> int | None:
    """The line of a row in its file, as an editor shows it."""
    return None if row is None or table == SETTINGS else int(instance.tables[table].index[row])


def old_value(instance: Instance, change: Change) -> str:
    """What stands in the cell now; for a row the codes that name it, blank for one that is not there."""
    if change.table == SETTINGS:
        section, _, key = change.column.partition(".")
        return as_text(getattr(getattr(instance.settings, section), key))
    if change.row is None:
        return ""
    row = instance.tables[change.table].iloc[change.row]
    return as_text(row[change.column]) if change.column else ", ".join(as_text(row[c]) for c in SCHEMA[change.table].key)


def new_value(change: Change) -> str:
    """What would stand there."""
    if change.row is None and change.cells:
        return ", ".join(f"{name} {as_text(value)}" for name, value in change.cells if value is not None)
    return as_text(change.value) if change.column else ""


def unit_of(change: Change) -> str:
    """Unit of the cell; empty for shares, codes and rows."""
    if change.table == SETTINGS or not change.column:
        return ""
    return SCHEMA[change.table].column(change.column).unit or ""


def sentence(instance: Instance, change: Change) -> str:
    """`targets.csv row 3, value: 0.65 → 0.58`."""
    old, new, unit = old_value(instance, change), new_value(change), unit_of(change)
    if change.table == SETTINGS:
        return f"{FILE}, {change.column}: {old} → {new}"
    if change.row is None:
        return f"{change.table}.csv, a row more: {new}"
    place = f"{change.table}.csv row {line_of(instance, change.table, change.row)}"
    if not change.column:
        return f"{place} ({old}): taken out"
    return f"{place}, {change.column}: {old or 'blank'} → {new or 'blank'}{f' {unit}' if unit and new else ''}"
