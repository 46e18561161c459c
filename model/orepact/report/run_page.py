"""What the pages of a report on one run are written from: its tables, names and key figures, at hand together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from orepact.analysis.derived import DERIVED
from orepact.report.cells import Grid, grid
from orepact.report.document import Figure, KeyFigures
from orepact.report.labels import Names
from orepact.solution.schema import OUTPUT
from orepact.solution.solution import Solution

SCHEMA = {**DERIVED, **OUTPUT}


class Page:
    """Tables, names and figures of one run at hand while its sections are written."""

    def __init__(
        self, solution: Solution, tables: dict[str, pd.DataFrame], sensitivity: pd.DataFrame | None = None, files: Mapping[str, str] | None = None
    ) -> None:
        self.solution = solution
        self.tables = tables
        self.names = Names(tables)
        self.figure = KeyFigures(tables["key_figures"])
        self.sensitivity = sensitivity
        self.files = files or {}

    def grid(self, name: str, columns: Sequence[str] = (), table: pd.DataFrame | None = None, most: int = 400) -> Grid:
        """Some columns of a table, ready to be shown."""
        return grid(name, self.tables[name] if table is None else table, SCHEMA[name], self.names, columns, most)

    def cell(self, table: str, row: int, column: str, text: str) -> Figure:
        """A figure that stands for a cell."""
        return Figure(text, table, row, column)
