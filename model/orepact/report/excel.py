"""The report as an Excel workbook: key figures first, then every table with its units, as numbers and text, never as formulas."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from orepact.instance.columns import Table
from orepact.report.document import Document, plain_text
from orepact.report.figures import plain

TITLES = {"key_figures": "Key figures"}
MOST_ROWS = 1_000_000
LONGEST_CELL = 32_000
"""Excel holds a little more characters than this in a cell, and a few more rows than the line above in a sheet."""


def workbook(document: Document) -> bytes:
    """The whole workbook."""
    out = BytesIO()
    with Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}
    ) as book:
        book.set_properties({"title": plain(document.title)[:200], "comments": "Made by Orepact"})
        formats = _formats(book)
        names = [name for name, table in document.tables.items() if len(table)]
        first = next(iter(document.tables))
        _first_sheet(book.add_worksheet(TITLES.get(first, "Overview")), document, first, formats)
        _contents(book.add_worksheet("Contents"), document, names, formats)
        for name in names:
            if name != first:
                _sheet(book.add_worksheet(_sheet_name(name)), document.tables[name], document.schema.get(name), formats, 0)
    return out.getvalue()


def _formats(book: Workbook) -> dict[str, Format]:
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "unit": book.add_format({"italic": True, "font_color": "#666666"}),
        "share": book.add_format({"num_format": "0.0%"}),
        "whole": book.add_format({"num_format": "#,##0"}),
        "fine": book.add_format({"num_format": "#,##0.###"}),
        "plain": book.add_format({"num_format": "0"}),
        "link": book.add_format({"font_color": "#0b5394", "underline": 1}),
    }


def _first_sheet(sheet: Worksheet, document: Document, name: str, formats: dict[str, Format]) -> None:
    """Question and answer, then the key figures."""
    sheet.write_string(0, 0, plain(document.title)[:LONGEST_CELL], formats["title"])
    sheet.write_string(1, 0, plain(document.status)[:LONGEST_CELL])
    lines = [document.question, *(plain_text(text) for text in document.answer)]
    for n, line in enumerate(lines):
        sheet.merge_range(2 + n, 0, 2 + n, 4, "", formats["wrap"])
        sheet.write_string(2 + n, 0, plain(line)[:LONGEST_CELL], formats["wrap"])
        sheet.set_row(2 + n, 15 * (1 + len(line) // 110))
    _sheet(sheet, document.tables[name], document.schema.get(name), formats, 3 + len(lines))


def _contents(sheet: Worksheet, document: Document, names: list[str], formats: dict[str, Format]) -> None:
    for column, text in enumerate(("sheet", "rows", "what it holds")):
        sheet.write_string(0, column, text, formats["head"])
    for n, name in enumerate(names, start=1):
        target = TITLES.get(name, _sheet_name(name))
        sheet.write_url(n, 0, f"internal:'{target}'!A1", formats["link"], target)
        sheet.write_number(n, 1, len(document.tables[name]))
        sheet.write_string(n, 2, document.schema[name].description if name in document.schema else "")
    sheet.set_column(0, 0, 24)
    sheet.set_column(2, 2, 120)
    sheet.freeze_panes(1, 0)


def _sheet_name(name: str) -> str:
    """A name that Excel takes: at most 31 characters, none of []:*?/\\."""
    return "".join("_" if c in "[]:*?/\\'" else c for c in name)[:31]


def _sheet(sheet: Worksheet, table: pd.DataFrame, schema: Table | None, formats: dict[str, Format], top: int) -> None:
    """A header row, a row of units, the rows."""
    units = {column.name: column.unit or "" for column in schema.columns} if schema else {}
    for n, name in enumerate(map(str, table.columns)):
        sheet.write_string(top, n, name, formats["head"])
        sheet.write_string(top + 1, n, units.get(name, ""), formats["unit"])
        cells = table[table.columns[n]].head(MOST_ROWS).tolist()
        of_rows = table["unit"].tolist() if name in ("value", "limit", "used") and "unit" in table.columns else None
        widest = len(name)
        for row, value in enumerate(cells):
            unit = units.get(name, "") if of_rows is None else str(of_rows[row])
            widest = max(widest, _write(sheet, top + 2 + row, n, value, _number_format(unit, name, value, formats)))
        sheet.set_column(n, n, min(48, max(9, widest + 2)))
    last = top + 1 + min(len(table), MOST_ROWS)
    if len(table.columns):
        sheet.autofilter(top + 1, 0, max(last, top + 1), len(table.columns) - 1)
    sheet.freeze_panes(top + 2, 1)


def _number_format(unit: str, name: str, value: Any, formats: dict[str, Format]) -> Format:
    """How a number is shown; the cell holds all its digits."""
    if unit == "year" or name.endswith("year"):
        return formats["plain"]
    if unit == "1":
        return formats["share"]
    whole = isinstance(value, int) or (isinstance(value, float) and (abs(value) >= 1000 or value == round(value, 0)))
    return formats["whole"] if whole else formats["fine"]


def _write(sheet: Worksheet, row: int, column: int, value: Any, shape: Format) -> int:
    """Write one cell and say how wide it is."""
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
        return 5
    if isinstance(value, int | float):
        sheet.write_number(row, column, value, shape)
        return len(f"{value:,.0f}")
    text = plain(value)[:LONGEST_CELL]
    if text:
        sheet.write_string(row, column, text)
    return len(text)
