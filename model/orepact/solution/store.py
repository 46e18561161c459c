"""The run folder: solution.json, a CSV file per table, the instance, the certificate and manifest.json, moved into place whole.

A run is written to a hidden sibling, flushed to disk and renamed, so that a folder of that name is either complete or
absent, whenever the process is killed. (An older run that is being replaced steps aside under a hidden name for the
moment its successor needs; killed in that moment, it is still there, whole.) `manifest.json` lists every other file with its SHA-256; reading refuses a run
that lacks a file or was altered.

CSV: UTF-8, comma, one header row, numbers in their shortest exact form, `true` and `false`, blank for "not given".
A spreadsheet would run a text cell that begins with = + - @ or a tab as a formula; such a cell, and one that begins
with an apostrophe, is written with an apostrophe in front, and reading takes it away again.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pandas as pd

from orepact.errors import OrepactError
from orepact.instance.intake import IntakeError, read_file
from orepact.instance.schema import SCHEMA
from orepact.solution.schema import OUTPUT
from orepact.solution.tables import as_table, dtype_of
from orepact.texts import UNSAFE, UNSAFE_RULE, guarded, unguarded

SUMMARY = "solution.json"
MANIFEST = "manifest.json"
CERTIFICATE, CERTIFICATE_TABLE = "certificate.json", "certificate.csv"
INSTANCE = "instance"
"""Folder that holds the instance as it was solved."""
KIND = "orepact run"
FORMAT = 1
"""Version of the solution format; raised when a file changes its meaning."""

_KNOWN = (
    {SUMMARY, CERTIFICATE, CERTIFICATE_TABLE, f"{INSTANCE}/instance.toml"}
    | {f"{table}.csv" for table in OUTPUT}
    | {f"{INSTANCE}/{table}.csv" for table in SCHEMA}
)
"""Every file that a manifest may list."""

LARGEST = 500_000_000
"""Bytes of one file that are read."""


@dataclass(frozen=True)
class Run:
    """What a run folder holds: what solution.json says, the tables (none without a plan), and as texts by file name the
    instance and the certificate, if there are any."""

    summary: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    instance: Mapping[str, str] = field(default_factory=dict)
    certificate: Mapping[str, str] = field(default_factory=dict)


class RunError(OrepactError):
    """A run folder can't be written where it was asked for, or what it holds can't be trusted."""

    exit_code = 2


def check_target(folder: Path) -> None:
    """Raise RunError unless a run may be written to `folder`: absent, empty, or an older run and nothing else."""
    folder = folder.resolve()
    if not folder.exists():
        above = next(parent for parent in folder.parents if parent.exists())
        if not above.is_dir():
            raise RunError(f"{folder}: {above} is not a folder")
        if not os.access(above, os.W_OK):
            raise RunError(f"{folder}: {above} can't be written to")
        return
    if not folder.is_dir():
        raise RunError(f"{folder}: is a file; a run needs a folder")
    present = {path.name for path in folder.iterdir()}
    if not present:
        return
    if MANIFEST not in present:
        raise RunError(f"{folder}: exists and is not a run folder; choose another")
    foreign = present - {name.partition("/")[0] for name in _manifest(folder)} - {MANIFEST}
    if INSTANCE in present - foreign:
        foreign |= {f"{INSTANCE}/{path.name}" for path in (folder / INSTANCE).iterdir()} - set(_manifest(folder))
    if foreign:
        raise RunError(f"{folder}: also holds {', '.join(sorted(foreign))}, which no run wrote; choose another")


def write_run(folder: Path, run: Run) -> Path:
    """Write one run to `folder`, whole or not at all; an older run there is replaced. Returns the folder."""
    check_target(folder)
    target = folder.resolve()
    with _staged(target, run) as part:
        _replace(part, target)
    return folder


def write_new_run(stem: str, run: Run, parent: Path = Path("runs")) -> Path:
    """Write one run to a folder that did not exist: parent/stem, with -2, -3, ... behind it if that is taken. Returns it."""
    check_target(parent / stem / "new")
    with _staged(parent.resolve() / stem, run) as part:
        for n in count(1):
            folder = parent / (stem if n == 1 else f"{stem}-{n}")
            if folder.exists():
                continue
            try:
                part.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another run took the name in this very moment
                    raise
            else:
                flush_folder(folder.resolve().parent)
                return folder
    raise AssertionError("count() never ends")


@contextmanager
def _staged(target: Path, run: Run) -> Iterator[Path]:
    """A hidden sibling of `target` that holds the whole run, on disk; gone afterwards unless it was moved."""
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        _fill(part, run)
        yield part
    except OSError as error:
        raise RunError(f"{target}: could not be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(part: Path, run: Run) -> None:
    files = {f"{name}.csv": _csv_bytes(name, table) for name, table in run.tables.items()}
    files[SUMMARY] = json_bytes(run.summary)
    files |= {f"{INSTANCE}/{name}": text.encode() for name, text in run.instance.items()}
    files |= {name: text.encode() for name, text in run.certificate.items()}
    listed = {name: sha256(content).hexdigest() for name, content in files.items()}
    files[MANIFEST] = json_bytes({"kind": KIND, "format": FORMAT, "files": listed, **_provenance(run.summary)})
    if run.instance:
        (part / INSTANCE).mkdir()
    for name, content in files.items():
        with (part / name).open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    if run.instance:
        flush_folder(part / INSTANCE)
    flush_folder(part)


def _provenance(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a run must be given to be had again: instance by table, options, seed, versions, platform, limits."""
    options = summary["options"]
    kept = {name: summary[name] for name in ("instance", "package", "options", "seed", "threads", "versions", "platform")}
    return kept | {"limits": {name: options[name] for name in ("time_limit", "memory_limit", "max_paths", "gap")}}


def _replace(part: Path, target: Path) -> None:
    """Rename `part` to `target`. An older run steps aside first and comes back if its successor can't take the place."""
    if target.exists() and any(target.iterdir()):
        aside = part.with_suffix(".old")
        target.rename(aside)
        try:
            part.replace(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        part.replace(target)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Bring a folder's list of entries to disk."""
    if os.name == "posix":  # elsewhere a folder can't be opened, and its entries are flushed with the files
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_run(folder: Path) -> Run:
    """Everything that a run folder holds, no tables if there was no plan. Raises RunError on any doubt about a file."""
    contents = _contents(folder)
    summary, tables, instance, certificate = _summary(folder, contents.pop(SUMMARY)), {}, {}, {}
    for name, content in contents.items():
        try:
            if name.startswith(f"{INSTANCE}/"):
                instance[name.removeprefix(f"{INSTANCE}/")] = content.decode()
            elif name in (CERTIFICATE, CERTIFICATE_TABLE):
                certificate[name] = content.decode()
                if name == CERTIFICATE:
                    _json(content)
            else:
                tables[name.removesuffix(".csv")] = _table(name.removesuffix(".csv"), content)
        except (ValueError, OverflowError, csv.Error) as error:
            raise RunError(f"{folder / name}: {error}") from error
    return Run(summary, tables, instance, certificate)


def read_summary(folder: Path) -> dict[str, Any]:
    """What solution.json says, without reading the tables; they must be there and unaltered all the same."""
    return _summary(folder, _contents(folder)[SUMMARY])


def _summary(folder: Path, content: bytes) -> dict[str, Any]:
    try:
        summary = _json(content)
    except (ValueError, OverflowError) as error:
        raise RunError(f"{folder / SUMMARY}: {error}") from error
    if not isinstance(summary, dict):
        raise RunError(f"{folder / SUMMARY}: is no object")
    return summary


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run by name, as its manifest says it must be."""
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run folder")
    if not (folder / MANIFEST).is_file():
        raise RunError(f"{folder}: not a run folder: {MANIFEST} is missing")
    contents = {}
    for name, digest in _manifest(folder).items():
        try:
            contents[name] = read_file(folder / name, inside=folder, largest=LARGEST)
        except IntakeError as error:
            raise RunError(f"{folder / name}: {error}") from error
        except OSError as error:
            raise RunError(f"{folder / name}: missing or unreadable; the run is incomplete") from error
        if sha256(contents[name]).hexdigest() != digest:
            raise RunError(f"{folder / name}: altered since the run was written")
    if SUMMARY not in contents:
        raise RunError(f"{folder / MANIFEST}: lists no {SUMMARY}")
    return contents


def _manifest(folder: Path) -> dict[str, str]:
    """The files of a run and their digests."""
    path = folder / MANIFEST
    try:
        manifest = _json(read_file(path, inside=folder, largest=LARGEST))
        kind, version, files = manifest["kind"], manifest["format"], dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: can't be read as the manifest of a run") from error
    if kind != KIND:
        raise RunError(f"{path}: not the manifest of a run")
    if version != FORMAT:
        raise RunError(f"{path}: format {version}; this version reads format {FORMAT}")
    for name in files:
        if name not in _KNOWN:
            raise RunError(f"{path}: lists {name!r}, which is no file of a run")
    return {name: str(digest) for name, digest in files.items()}


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A JSON file of ours: keys sorted, one per line."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _json(content: bytes) -> Any:
    """What a JSON file says. ValueError for anything beyond the standard, nesting without end, or text that steers a terminal."""
    try:
        return json.loads(content, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_shown_once)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _shown_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are distinct and whose texts can be shown."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("names something twice")
    for key, value in pairs:
        if any(UNSAFE.search(text) for text in (key, *_texts(value))):
            raise ValueError(f"{key!r}: {UNSAFE_RULE}")
    return found


def _texts(value: Any) -> Iterator[str]:
    """The texts of a value, those of lists in it included; objects in it have been looked at already."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _csv_bytes(name: str, table: pd.DataFrame) -> bytes:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    columns = [_cells(table[column.name], dtype_of(column)) for column in OUTPUT[name].columns]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue().encode()


def _cells(cells: pd.Series[Any], dtype: str) -> list[str]:
    match dtype:
        case "str":
            return [guarded(text) for text in cells]
        case "bool":
            return ["true" if value else "false" for value in cells]
        case _:
            # a plain float prints in the shortest form that reads back exactly
            return ["" if pd.isna(value) else repr(value) for value in cells.tolist()]


def _table(name: str, content: bytes) -> pd.DataFrame:
    text = content.decode()
    if UNSAFE.search(text):
        raise ValueError(UNSAFE_RULE)
    header, *rows = csv.reader(StringIO(text, newline=""))
    kinds = {column.name: dtype_of(column) for column in OUTPUT[name].columns}
    if header != list(kinds):
        raise ValueError(f"columns {', '.join(header)}, where this version has {', '.join(kinds)}")
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row has more or fewer cells than the header")
    return as_table(name, {column: [_value(row[n], kind) for row in rows] for n, (column, kind) in enumerate(kinds.items())})


def _value(cell: str, dtype: str) -> Any:
    """What a cell says; the inverse of `_cells`."""
    match dtype:
        case "str":
            return unguarded(cell)
        case "bool":
            return {"true": True, "false": False}.get(cell, cell)
        case "float64":
            return float(cell) if cell else None
        case _:
            return int(cell) if cell else None
