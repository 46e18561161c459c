"""What Python calls: `orepact.report(run)` and `orepact.compare(runs)`. The libraries of the extra `report` are loaded here, when needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from orepact.errors import OptionError
from orepact.solution.solution import Solution

if TYPE_CHECKING:
    from orepact.report.written import Report

NEEDED = ("jinja2", "plotly", "xlsxwriter")
"""Libraries of the extra `report`."""


def report(run: Solution | str | Path, *, year: int | None = None, sensitivity: pd.DataFrame | str | Path | None = None) -> Report:
    """The report on a run: a Solution, or the folder of a stored one.

    `year` is the first year of the period that charts of one period show (default: the last); `sensitivity` what
    `orepact.sensitivity` returned, or a file of what `orepact sensitivity --json` printed. The result has `.html`, `.markdown`,
    `.excel` and `.tables` (DataFrames by name), and `.save(folder, formats)`. Raises RunError on a folder that can't be trusted,
    OptionError where the extra is not installed or the year begins no period.
    """
    return _written().report_on(run, year, sensitivity)  # type: ignore[no-any-return]


def compare(runs: Sequence[Solution | str | Path] | Mapping[str, Solution | str | Path], *, baseline: Solution | str | Path | None = None) -> Report:
    """The comparison of two to fifty runs: Solutions, folders of stored runs, or either by the name to show.

    `baseline` is the run that the others are measured against (default: the first). Runs without a plan are shown with their reason.
    """
    return _written().comparison_of(runs, baseline)  # type: ignore[no-any-return]


def _written() -> Any:
    try:
        return import_module("orepact.report.written")
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in NEEDED:
            raise OptionError(f"reports need the library {error.name}: python -m pip install 'orepact[report]'") from error
        raise
