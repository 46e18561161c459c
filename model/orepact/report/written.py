"""Reports in the three formats, as text and bytes or as files written whole. The tables behind them are DataFrames."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import pandas as pd

from orepact.analysis.comparison import FEWEST, MOST
from orepact.analysis.input_differences import Compared
from orepact.errors import OptionError
from orepact.instance.instance import Instance
from orepact.instance.kept import instance_of
from orepact.report.comparison_content import comparison_document
from orepact.report.document import Document
from orepact.report.excel import workbook
from orepact.report.html import html_page
from orepact.report.markdown import markdown
from orepact.report.run_content import run_document
from orepact.solution.solution import Solution
from orepact.solution.store import MANIFEST, RunError

FORMATS = ("html", "xlsx", "md")


@dataclass(frozen=True, eq=False)
class Report:
    """A report: `html`, `markdown` and `excel` are its forms, `tables` the DataFrames behind it, `save` writes files."""

    document: Document
    stem: str

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table behind the report by name."""
        return self.document.tables

    @cached_property
    def html(self) -> str:
        """One self-contained HTML page."""
        return html_page(self.document)

    @cached_property
    def markdown(self) -> str:
        """A Markdown page."""
        return markdown(self.document)

    @cached_property
    def excel(self) -> bytes:
        """An Excel workbook."""
        return workbook(self.document)

    def save(self, folder: str | Path = ".", formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write the formats asked for to `folder`, each file whole or not at all; older reports there are replaced. Returns the files.

        Raises OptionError on an unknown format and RunError if a file can't be written.
        """
        if wrong := [each for each in formats if each not in FORMATS]:
            raise OptionError(f"a report is written as {', '.join(FORMATS)}, not {wrong[0]!r}")
        contents = {"html": lambda: self.html.encode(), "xlsx": lambda: self.excel, "md": lambda: self.markdown.encode()}
        made = {Path(folder) / f"{self.stem}.{each}": contents[each]() for each in dict.fromkeys(formats)}
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for path, content in made.items():
                _write_whole(path, content)
        except OSError as error:
            raise RunError(f"{Path(folder)}: could not be written: {error.strerror or error}") from error
        return list(made)


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def report_on(run: Solution | str | Path, year: int | None = None, sensitivity: pd.DataFrame | str | Path | None = None) -> Report:
    """The report on one run: a Solution, or the folder of a stored one."""
    found = sensitivity if sensitivity is None or isinstance(sensitivity, pd.DataFrame) else read_sensitivity(Path(sensitivity))
    if isinstance(run, Solution):
        return Report(run_document(run, year, found), f"{run.name}-report")
    folder = Path(run)
    return Report(run_document(Solution.load(folder), year, found, manifest_of(folder)), f"{folder.resolve().name}-report")


def manifest_of(folder: Path) -> dict[str, str]:
    """Files of a stored run with their digests."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {str(name): str(digest) for name, digest in manifest["files"].items()}


def read_sensitivity(path: Path) -> pd.DataFrame:
    """What `orepact sensitivity --json` printed."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["ranges"]
        return pd.DataFrame([{str(key): value for key, value in row.items()} for row in rows])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{path}: not what “orepact sensitivity INSTANCE --json” prints ({error})") from error


def comparison_of(runs: Sequence[Solution | str | Path] | Mapping[str, Solution | str | Path], baseline: Solution | str | Path | None = None) -> Report:
    """The comparison of runs, by the names given or by those of their folders; the baseline comes first."""
    named = list(runs.items()) if isinstance(runs, Mapping) else [(_name(run), run) for run in runs]
    if baseline is not None:
        place = next((n for n, (_, run) in enumerate(named) if _same(run, baseline)), None)
        named = [named.pop(place), *named] if place is not None else [(_name(baseline), baseline), *named]
    names = _distinct([name for name, _ in named])
    if not FEWEST <= len(named) <= MOST:
        raise OptionError(f"a comparison takes {FEWEST} to {MOST} runs, not {len(named)}")
    solutions = [run if isinstance(run, Solution) else Solution.load(run) for _, run in named]
    known: dict[str, Instance] = {}
    compared = []
    for name, solution in zip(names, solutions, strict=True):
        if solution.digest not in known and solution.instance_files:
            known[solution.digest] = instance_of(solution.instance_files)
        compared.append(Compared(name, solution, known.get(solution.digest)))
    return Report(comparison_document(compared), "comparison")


def _name(run: Solution | str | Path) -> str:
    return run.name if isinstance(run, Solution) else Path(run).resolve().name


def _same(run: Solution | str | Path, other: Solution | str | Path) -> bool:
    if isinstance(run, Solution) or isinstance(other, Solution):
        return run is other
    return Path(run).resolve() == Path(other).resolve()


def _distinct(names: list[str]) -> list[str]:
    """Names made different by a number where they repeat."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
