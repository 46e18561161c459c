"""Raw sheets: the rows of a CSV file, a worksheet or a DataFrame before anything is known about their columns.

Each reader returns the sheet (None if it can't be made out at all) and every problem met on the way.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

from orepact.errors import Problem
from orepact.instance.intake import COLUMNS, ROWS
from orepact.texts import unguarded

CellRow = tuple[ReadOnlyCell | EmptyCell, ...]
"""A worksheet's row as the library gives it."""

REACHES_OUT = re.compile(r"(^|[^\w\]])\[[^\[\]]+\][^\[\]()]*!|\||\b(WEBSERVICE|RTD|CALL|REGISTER\.ID|IMAGE|CUBE\w+|SQL\.REQUEST)\s*\(", re.IGNORECASE)
"""A formula that takes its value from another file, program or site."""

HEADING = re.compile(r"([^\[\]]*?)\s*(?:\[([^\[\]]*)\])?")


@dataclass(frozen=True)
class Heading:
    """A column's heading, `name [unit]`; `unit` is None where none is written."""

    name: str
    unit: str | None


@dataclass(frozen=True)
class Sheet:
    """Rows of cells under headings; each row carries its line number, and the header is line 1."""

    file: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[int, tuple[object, ...]], ...]


def from_csv(file: str, content: bytes) -> tuple[Sheet | None, list[Problem]]:
    """A CSV file: UTF-8 with or without a byte order mark, commas, any line ends; blank lines are skipped.

    An apostrophe that keeps a spreadsheet from taking a cell for a formula is taken away.
    """
    text, problem = decode(file, content)
    if text is None:
        return None, [problem] if problem else []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[object]]] = []
    line = 1
    try:
        for cells in reader:
            if len(cells) > COLUMNS:
                return None, [Problem(file, line, None, None, f"row has {len(cells)} cells; a table has at most {COLUMNS} columns")]
            if len(rows) > ROWS:
                return None, [Problem(file, line, None, None, f"a table has at most {ROWS:,} rows")]
            if any(cells):
                rows.append((line, [unguarded(cell) for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        return None, [Problem(file, line, None, None, f"not a proper CSV row: {error}")]
    return _sheet(file, rows, ragged=True)


def from_worksheet(file: str, values: Mapping[int, CellRow], formulas: Mapping[int, CellRow]) -> tuple[Sheet | None, list[Problem], list[Problem]]:
    """A worksheet's rows by line, read twice: with stored values and with formulas as they are written; faults, then warnings.

    A formula means the value that the workbook stores for it: nothing is worked out here.
    """
    rows: list[tuple[int, list[object]]] = []
    problems: list[Problem] = []
    trusted: list[Problem] = []
    for line in sorted(values.keys() | formulas.keys()):
        cells, sources = values.get(line, ()), formulas.get(line, ())
        for cell in cells:
            if cell.data_type == "e":
                problems.append(Problem(file, line, cell.column_letter, str(cell.value), "the formula ends in an error"))
        for j, source in enumerate(sources):
            if source.data_type != "f":
                continue
            said = str(getattr(source.value, "text", source.value))
            if REACHES_OUT.search(said):
                rule = "formula that takes its value from another file, program or site; write the value itself"
                problems.append(Problem(file, line, source.column_letter, said, rule))
            elif j >= len(cells) or cells[j].value is None:
                problems.append(Problem(file, line, source.column_letter, said, "formula without a stored value; open and save the workbook"))
            else:
                trusted.append(Problem(file, line, source.column_letter, said, f"formula; its stored value is used: {cells[j].value}"))
        rows.append((line, [cell.value for cell in cells]))
    sheet, more = _sheet(file, rows, ragged=False)
    return sheet, problems + more, trusted


def from_records(file: str, rows: pd.DataFrame | Sequence[Mapping[str, object]]) -> Sheet:
    """A DataFrame or a list of rows held in memory.

    Lines are taken from the DataFrame's index where it can be line numbers (whole, unique, from 2 on), else counted.
    """
    if isinstance(rows, pd.DataFrame):
        index = rows.index
        numbered = pd.api.types.is_integer_dtype(index.dtype) and index.is_unique and (len(index) == 0 or int(index.min()) >= 2)
        lines = [int(i) for i in index] if numbered else list(range(2, len(rows) + 2))
        names = [str(name) for name in rows.columns]
        columns = [rows.iloc[:, j].tolist() for j in range(len(names))]
        cells: Iterable[tuple[object, ...]] = zip(*columns, strict=True) if columns else [() for _ in lines]
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = list(range(2, len(rows) + 2))
        cells = [tuple(row.get(name) for name in names) for row in rows]
    return Sheet(file, tuple(heading(name) for name in names), tuple(zip(lines, cells, strict=True)))


def decode(file: str, content: bytes) -> tuple[str | None, Problem | None]:
    """The text of a UTF-8 file, or the problem that it isn't one, with the line of the first bad byte."""
    if content.count(b"\0") > len(content) // 8:  # a stray one is a fault of its cell
        line = content[: content.index(b"\0")].count(b"\n") + 1
        return None, Problem(file, line, None, None, "not UTF-8 text (it holds NUL bytes, as UTF-16 does); save it as 'CSV UTF-8'")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start : error.start + 1]
        return None, Problem(file, line, None, repr(byte), "not UTF-8 text; save it as 'CSV UTF-8'")


def heading(text: str) -> Heading:
    """Split `capacity [kt/a]` into name and unit; brackets in odd places stay in the name, where they are refused."""
    match = HEADING.fullmatch(text.strip())
    if match is None:
        return Heading(text.strip(), None)
    name, unit = match.groups()
    return Heading(name.strip(), None if unit is None else unit.strip())


def renamed(sheet: Sheet, file: str) -> Sheet:
    """The same sheet under another file name."""
    return replace(sheet, file=file)


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip() == "")


def _sheet(file: str, rows: list[tuple[int, list[object]]], *, ragged: bool) -> tuple[Sheet | None, list[Problem]]:
    """Find the header, drop blank rows and nameless blank columns, and see that every row fits the header."""
    filled = [(line, cells) for line, cells in rows if not all(_blank(cell) for cell in cells)]
    if not filled:
        return None, [Problem(file, 1, None, None, "empty: the first row must be the header")]
    (header_line, header), *body = filled
    while header and _blank(header[-1]):
        header = header[:-1]
    if len(header) == 1 and any(mark in str(header[0]) for mark in ";\t"):
        return None, [Problem(file, header_line, None, str(header[0]), "columns are separated by commas, not by semicolons or tabs")]
    width = len(header)
    problems: list[Problem] = []
    kept: list[tuple[int, tuple[object, ...]]] = []
    for line, cells in body:
        beyond = [cell for cell in cells[width:] if not _blank(cell)]
        if beyond:
            problems.append(Problem(file, line, None, str(beyond[0]), f"row has more cells than the header's {width}; a comma inside a cell needs quotes"))
        elif ragged and len(cells) < width:
            problems.append(Problem(file, line, None, None, f"row has {len(cells)} cells, but the header has {width}"))
        else:
            kept.append((line, tuple(cells[:width]) + (None,) * (width - len(cells))))
    headings = [heading("" if _blank(cell) else str(cell)) for cell in header]
    nameless = [j for j, found in enumerate(headings) if not found.name]
    for j in nameless:
        line, cell = next(((line, cells[j]) for line, cells in kept if not _blank(cells[j])), (header_line, None))
        if cell is not None:
            problems.append(Problem(file, header_line, None, None, f"column {j + 1} has no name, but row {line} has {cell!s} in it"))
    named = [j for j in range(width) if j not in nameless]
    return Sheet(file, tuple(headings[j] for j in named), tuple((line, tuple(cells[j] for j in named)) for line, cells in kept)), problems
