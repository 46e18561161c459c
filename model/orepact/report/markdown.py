"""The report as a Markdown page: the same text and tables, without charts. What an instance says is text: no markup, no links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orepact.report.cells import Grid
from orepact.report.charts.style import Chart
from orepact.report.document import Document, Shown, Text, plain_text
from orepact.report.figures import plain

MOST_ROWS = 40
"""Rows of a table on the page; the workbook has them all."""

_SPECIAL = re.compile(r"([\\`*\[\]#!|~$<>&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def markdown(document: Document) -> str:
    """The whole page."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {escaped(document.title)}\n"
    yield f"*{escaped(document.kicker)}.* {escaped(document.question)}\n"
    for text in document.answer:
        yield f"- {_running(text)}"
    yield ""
    for board in document.boards:
        for big, small in board.lines:
            yield f"- **{escaped(board.title)}**: {_running(big)}, {escaped(small)}"
    if document.boards:
        yield "\nWelfare, public budgets and users' bill count the same money from three sides: never add them.\n"
    yield f"{escaped(document.status)}.\n"
    if document.notices:
        yield "## Read this before quoting a number\n"
        yield from (f"- {_running(text)}" for text in document.notices)
        yield ""
    for n, section in enumerate(document.sections, start=1):
        yield f"## {n}. {escaped(section.title)}\n"
        for text in section.lead:
            yield f"{_running(text)}\n"
        for item in section.items:
            yield from _chart(item) if isinstance(item, Chart) else _table(item)
    yield "---\n"
    yield from (f"{escaped(line)}  " for line in document.footer)


def _chart(chart: Chart) -> Iterator[str]:
    """A chart is told in its sentence."""
    yield f"**{escaped(chart.title)}.** {escaped(chart.says)}\n"


def _table(shown: Shown) -> Iterator[str]:
    yield f"### {escaped(shown.title)}\n"
    if shown.grid.rows:
        yield from _rows(shown.grid)
    if shown.note:
        yield f"{escaped(shown.note)}\n"


def _rows(grid: Grid) -> Iterator[str]:
    yield "| " + " | ".join(escaped(label) + (f" ({escaped(unit)})" if unit else "") for label, unit in grid.heads) + " |"
    yield "|" + "|".join(" ---: " if numeric else " --- " for numeric in grid.numeric) + "|"
    for row in grid.rows[:MOST_ROWS]:
        yield "| " + " | ".join(cell.text if cell.is_number else escaped(cell.text) for cell in row) + " |"
    left = len(grid.rows) - MOST_ROWS + grid.left_out
    yield f"\n{left} more rows: in the workbook.\n" if left > 0 else ""


def _running(text: Text) -> str:
    return escaped(plain_text(text))


def escaped(text: str) -> str:
    """Text in one line that Markdown shows as it is. A colon after a scheme's name is set apart, so that nothing becomes a link."""
    line = _SPECIAL.sub(r"\\\1", plain(text))
    line = re.sub(r"(?i)\b(https?|ftp|mailto|javascript|data|file):", r"\1&#58;", line)
    line = re.sub(r"(?i)\bwww\.", "www&#46;", line).replace("@", "&#64;")
    return re.sub(r"^(\d+)([.)] )", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", line))
