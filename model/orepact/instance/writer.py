"""Writing an instance as a folder or as one workbook, in canonical units; reading it back gives an equal instance."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from orepact.errors import OptionError
from orepact.instance.cells import as_text
from orepact.instance.instance import Instance
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import SCHEMA, Column, Table
from orepact.instance.settings import FILE, toml_text
from orepact.instance.tables import Plain
from orepact.instance.units import is_calendar
from orepact.texts import guarded


def write(instance: Instance, path: str | Path) -> None:
    """Write an instance to a new or empty folder, or to a new .xlsx workbook.

    Tables without rows and columns that say nothing beyond their defaults are left out. Raises `OptionError` rather
    than touch anything that exists.
    """
    place = Path(path)
    if place.suffix.lower() == ".xlsx":
        if place.exists():
            raise OptionError(f"{place} exists already")
        _write_workbook(instance, place)
        return
    make_empty_folder(place)
    for name, text in texts(instance).items():
        (place / name).write_text(text, encoding="utf-8", newline="")


def texts(instance: Instance) -> dict[str, str]:
    """The files of an instance folder by name, as `write` writes them."""
    tables = {f"{name}.csv": csv_text(SCHEMA[name], rows) for name, rows in _written_tables(instance)}
    return {FILE: toml_text(instance.settings), **tables}


def make_empty_folder(folder: Path) -> None:
    """Make a folder, or take an empty one. Raises `OptionError` if anything is in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OptionError(f"{folder} exists already and is not an empty folder")
    folder.mkdir(parents=True, exist_ok=True)


def csv_text(table: Table, rows: Plain, *, all_columns: bool = False) -> str:
    """A typed table as the text of its CSV file, without columns that say nothing unless `all_columns`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for cells in _lines(table, rows, all_columns=all_columns):
        writer.writerow([guarded(as_text(cell)) if isinstance(cell, str) else as_text(cell) for cell in cells])
    return text.getvalue()


def heading(column: Column) -> str:
    """A column's heading with its canonical unit, `capacity [t/a]`."""
    return f"{column.name} [{column.unit}]" if column.unit and not is_calendar(column) else column.name


def _written_tables(instance: Instance) -> Iterator[tuple[str, Plain]]:
    for name in instance.tables:
        rows = instance.tables.plain(name)
        if rows.lines or SCHEMA[name].required:
            yield name, rows


def _lines(table: Table, rows: Plain, *, all_columns: bool = False) -> Iterator[list[object]]:
    """The header and the rows, without the columns that hold nothing but their default unless `all_columns`."""
    columns = [column for column in table.columns if column.required or all_columns or _says_something(column, rows)]
    yield [heading(column) for column in columns]
    yield from (list(row) for row in zip(*(rows.columns[column.name] for column in columns), strict=True))


def _says_something(column: Column, rows: Plain) -> bool:
    return any(as_text(cell) != as_text(column.default) for cell in rows.columns[column.name])


def _write_workbook(instance: Instance, file: Path) -> None:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(SETTINGS)
    _append(sheet, ["section", "key", "value"], header=True)
    for section, options in instance.settings.model_dump().items():
        for key, value in options.items():
            _append(sheet, [section, key, value])
    for name, rows in _written_tables(instance):
        sheet = workbook.create_sheet(name)
        for number, cells in enumerate(_lines(SCHEMA[name], rows)):
            _append(sheet, cells, header=number == 0)
    file.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(file)


def _append(sheet: WriteOnlyWorksheet, cells: list[object], *, header: bool = False) -> None:
    """Append a row; numbers and flags as such, everything else as text, never as a formula."""
    row = []
    for cell in cells:
        text = as_text(cell)
        written = WriteOnlyCell(sheet, value=cell if isinstance(cell, bool) else text or None)
        if text and not isinstance(cell, bool):
            # The library would cut numbers to 16 digits and take a leading = for a formula; as typed text it does neither.
            written.data_type = "n" if isinstance(cell, (int, float)) else "s"
        if header:
            written.font = Font(bold=True)
        row.append(written)
    sheet.append(row)
