"""A report before it takes a form: text, figures that name their cell, tables and charts in sections. HTML and Markdown draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from orepact.analysis.derived import Frame
from orepact.instance.columns import Table
from orepact.report.cells import Grid, figure_text
from orepact.report.charts.style import Chart


@dataclass(frozen=True)
class Figure:
    """A number in running text, and the cell it equals: table, row (from 0) and column."""

    text: str
    table: str
    row: int
    column: str

    @property
    def where(self) -> str:
        """The cell in words."""
        return f"table {self.table}, row {self.row + 1}, column {self.column}"


Text = tuple["str | Figure", ...]
"""Running text with figures in it."""


@dataclass(frozen=True)
class Shown:
    """A table on a page, with a title and a note under it. `wide`: it is read by opening it."""

    title: str
    grid: Grid
    note: str = ""
    closed: bool = False


@dataclass(frozen=True)
class Section:
    """One page of the report: an anchor, a title, paragraphs, then tables and charts in order."""

    code: str
    title: str
    lead: Sequence[Text]
    items: Sequence[Shown | Chart] = ()


@dataclass(frozen=True)
class Board:
    """A group of figures of the first screen: its title, lines of (big text, small text), and a remark."""

    title: str
    lines: Sequence[tuple[Text, str]]
    remark: Text = ()


@dataclass(frozen=True)
class Document:
    """The whole report. `tables` are all tables behind it by name, `schema` says what their columns mean."""

    title: str
    name: str
    kicker: str
    question: str
    answer: Sequence[Text]
    boards: Sequence[Board]
    sections: Sequence[Section]
    tables: Mapping[str, pd.DataFrame]
    schema: Mapping[str, Table]
    status: str = ""
    notices: Sequence[Text] = ()
    footer: Sequence[str] = field(default_factory=tuple)


class KeyFigures:
    """Key figures by name, as figures that name their cell."""

    def __init__(self, table: Frame) -> None:
        self._rows = {str(code): n for n, code in enumerate(table["figure"])}
        self._table = table

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def value(self, name: str) -> float:
        """The value itself, for choosing words."""
        return float(self._table.at[self._rows[name], "value"])

    def __call__(self, name: str, sign: bool = False) -> Figure:
        """The figure as text; `sign`: with a plus where it is above zero."""
        row = self._rows[name]
        value, unit = float(self._table.at[row, "value"]), str(self._table.at[row, "unit"])
        return Figure(("+" if sign and value > 0 else "") + figure_text(value, unit), "key_figures", row, "value")


def plain_text(text: Text) -> str:
    """Running text without its references."""
    return "".join(part if isinstance(part, str) else part.text for part in text)


def pair(figure: KeyFigures, first: str, second: str) -> Text:
    """Two figures with an arrow between them; a unit that both share is said once."""
    before, after = figure(first), figure(second)
    unit = after.text.partition(" ")[2]
    if unit and before.text.endswith(f" {unit}"):
        before = Figure(before.text.removesuffix(f" {unit}"), before.table, before.row, before.column)
    return (before, " → ", after)
