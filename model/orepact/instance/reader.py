"""Reading an instance from a folder (instance.toml and a CSV file per table) or from one workbook (a sheet per table).

Everything that is wrong is found in one go and raised together as `InstanceError`. The only module of this layer,
besides the writer and the starter, that touches files.
"""

from __future__ import annotations

import io
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from orepact.errors import InstanceError, Problem
from orepact.instance.instance import Instance, assemble
from orepact.instance.intake import CELLS, COLUMNS, LARGEST_TOML, LAST_ROW, ROWS, IntakeError, check_workbook, read_file
from orepact.instance.naming import suggestion
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import SCHEMA
from orepact.instance.settings import FILE, key_lines, locate, parse_sheet, parse_toml
from orepact.instance.sheets import CellRow, Sheet, decode, from_csv, from_worksheet

TABULAR = {".csv", ".tsv", ".xlsx", ".xls", ".xlsm", ".ods"}
"""Endings of files that hold tables; such a file in an instance folder must be one of its tables."""


def read(path: str | Path) -> Instance:
    """Read and check an instance.

    `path` is a folder or an .xlsx workbook. Raises `InstanceError` with every problem found.
    """
    place, began = Path(path), time.perf_counter()
    instance = _read(place)
    return replace(instance, seconds=time.perf_counter() - began)


def _read(place: Path) -> Instance:
    try:
        if place.is_dir():
            return _read_folder(place)
        if not place.exists():
            raise InstanceError([Problem(str(place), None, None, None, "there is no such folder or workbook")])
        if place.suffix.lower() != ".xlsx":
            raise InstanceError([Problem(str(place), None, None, None, "an instance is a folder or an .xlsx workbook")])
        return _read_workbook(place)
    except OSError as error:
        raise InstanceError([Problem(str(error.filename or place), None, None, None, f"can't be read: {error.strerror}")]) from error


def _read_folder(folder: Path) -> Instance:
    problems: list[Problem] = []
    unreadable: set[str] = set()
    sheets: dict[str, Sheet] = {}
    expected = {f"{name}.csv" for name in SCHEMA}
    for file in sorted(folder.iterdir()):
        if file.name in expected:
            sheet, found = _read_table(folder, file)
            problems += found
            if sheet is not None:
                sheets[file.stem] = sheet
            if found:
                unreadable.add(file.stem)
        elif file.is_file() and _looks_like_table(file):
            problems.append(Problem(file.name, None, None, None, f"not a table of an instance{suggestion(file.name, expected)}"))
    content, lines, found = _read_settings(folder)
    if found:
        unreadable.add(SETTINGS)
    return _assemble(content, lines, sheets, problems + found, FILE, unreadable)


def _read_table(folder: Path, file: Path) -> tuple[Sheet | None, list[Problem]]:
    try:
        return from_csv(file.name, read_file(file, inside=folder))
    except (IntakeError, IsADirectoryError) as error:
        return None, [Problem(file.name, None, None, None, "is not a plain file" if isinstance(error, OSError) else str(error))]


def _read_settings(folder: Path) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    file = folder / FILE
    if not os.path.lexists(file):
        other = [p.name for p in folder.glob("*.toml") if p.name != "expected.toml"]
        return {}, {}, [Problem(FILE, None, None, None, "required, but missing" + (suggestion(FILE, other) if other else ""))]
    try:
        content = read_file(file, inside=folder, largest=LARGEST_TOML)
    except (IntakeError, IsADirectoryError) as error:
        return {}, {}, [Problem(FILE, None, None, None, "is not a plain file" if isinstance(error, OSError) else str(error))]
    text, problem = decode(FILE, content)
    if text is None:
        return {}, {}, [problem] if problem else []
    settings, found = parse_toml(text)
    lines = key_lines(text)
    return settings, lines, [locate([p], lines)[0] for p in found]


def _read_workbook(file: Path) -> Instance:
    problems: list[Problem] = []
    unreadable: set[str] = set()
    sheets: dict[str, Sheet] = {}
    stored: list[Problem] = []
    packed = _packed(file)
    formulas = _worksheets(file, packed, values=False)
    for name, rows in _worksheets(file, packed, values=True).items():
        if name != SETTINGS and name not in SCHEMA:
            problems.append(Problem(file.name, None, None, name, f"not a sheet of an instance{suggestion(name, [*SCHEMA, SETTINGS])}"))
            continue
        sheet, found, trusted = from_worksheet(f"{file.name}:{name}", rows, formulas.get(name, {}))
        problems += found
        stored += trusted
        if sheet is not None:
            sheets[name] = sheet
        if found:
            unreadable.add(name)
    place = f"{file.name}:{SETTINGS}"
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if SETTINGS in sheets:
        content, lines, found = parse_sheet(sheets.pop(SETTINGS))
        problems += found
        unreadable |= {SETTINGS} if found else set()
    elif SETTINGS not in unreadable:
        problems.append(Problem(place, None, None, None, "required sheet is missing: columns section, key, value"))
        unreadable.add(SETTINGS)
    instance = _assemble(content, lines, sheets, problems, place, unreadable)
    return replace(instance, warnings=(*instance.warnings, *stored))


def _packed(file: Path) -> bytes:
    """The bytes of a workbook that unpacks to something sane."""
    try:
        content = read_file(file)
        check_workbook(content)
    except IntakeError as error:
        raise InstanceError([Problem(file.name, None, None, None, str(error))]) from error
    except OSError:
        raise
    except Exception as error:  # a damaged archive makes the library raise whatever it stumbles over
        raise InstanceError([Problem(file.name, None, None, None, f"not an .xlsx workbook, or a damaged one: {error}")]) from error
    return content


def _worksheets(file: Path, packed: bytes, *, values: bool) -> dict[str, dict[int, CellRow]]:
    """Filled rows of cells by sheet and line, with stored `values` or with formulas as they are written."""
    found: dict[str, dict[int, CellRow]] = {}
    room = CELLS
    try:
        workbook = load_workbook(io.BytesIO(packed), read_only=True, data_only=values, keep_links=False)
        for sheet in workbook.worksheets:
            if sheet.title in found:
                raise IntakeError(f"has two sheets called {sheet.title!r}")
            sheet.reset_dimensions()  # what the sheet says of its own size may be anything
            found[sheet.title] = rows = {}
            for line, cells in enumerate(sheet.iter_rows(), start=1):
                filled = [j for j, cell in enumerate(cells) if cell.value is not None]
                if filled:
                    rows[line] = cells[: filled[-1] + 1]
                    room -= len(filled)
                if line > LAST_ROW or len(rows) > ROWS + 1:
                    raise IntakeError(f"sheet {sheet.title!r}, row {line}: a table has at most {ROWS:,} rows")
                if filled and filled[-1] >= COLUMNS:
                    raise IntakeError(f"sheet {sheet.title!r}, row {line}: a table has at most {COLUMNS:,} columns")
                if room < 0:
                    raise IntakeError(f"has more than {CELLS:,} filled cells")
    except IntakeError as error:
        raise InstanceError([Problem(file.name, None, None, None, str(error))]) from error
    except Exception as error:  # a damaged workbook makes the library raise whatever it stumbles over
        raise InstanceError([Problem(file.name, None, None, None, f"not an .xlsx workbook, or a damaged one: {error}")]) from error
    return found


def _assemble(
    content: dict[str, Any], lines: dict[str, int], sheets: dict[str, Sheet], problems: list[Problem], settings_file: str, unreadable: set[str]
) -> Instance:
    """Assemble, adding to problems in the settings the lines on which they stand."""
    try:
        instance = assemble(content, sheets, problems, settings_file, unreadable)
    except InstanceError as error:
        raise InstanceError(_sorted(_located(error.problems, lines, settings_file))) from None
    return replace(instance, warnings=tuple(_located(list(instance.warnings), lines, settings_file)))


def _located(problems: list[Problem], lines: dict[str, int], settings_file: str) -> list[Problem]:
    return [locate([p], lines)[0] if p.file == settings_file else p for p in problems]


def _sorted(problems: list[Problem]) -> list[Problem]:
    """By file and row, the order in which they are mended."""
    return sorted(problems, key=lambda p: (p.file, p.row or 0))


def _looks_like_table(file: Path) -> bool:
    if file.name.startswith((".", "~$")) or file.suffix == ".md":
        return False
    return file.suffix.lower() in TABULAR or file.name.split(".")[0].lower() in SCHEMA
