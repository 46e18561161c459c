"""The folder of a sweep: what was asked, a run folder per case, and the tables made of them. Every file appears whole or not at all.

    sweep.json       what was asked: instance, options, versions, every case with its values and its key
    cases/KEY/       one run folder per case (`store.py`); KEY is the digest of everything the case's answer depends on
    sweep.csv        one row per case; only there once every case has ended
    seconds.csv      what each case took; apart, since it never repeats

Whoever works on the folder holds its lock, which the system lets go when the process dies. What a killed process left behind
half-written has a hidden name and is cleared away by the next one.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from numbers import Real
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from orepact.solution.store import RunError, flush_folder, json_bytes, read_summary
from orepact.texts import guarded

ASKED, TABLE, SECONDS, CASES = "sweep.json", "sweep.csv", "seconds.csv", "cases"
KIND = "orepact sweep"
FORMAT = 1

WITHOUT_EFFECT = ("progress", "isolated", "memory_limit")
"""Options that change how a run goes about it, never its answer."""

Row = Mapping[str, Any]


def key_of(digests: Mapping[str, str], options: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """One name for a case: the same inputs, options and versions have the same."""
    told = {name: value for name, value in options.items() if name not in WITHOUT_EFFECT}
    content = json.dumps({"digests": dict(digests), "options": told, "versions": dict(versions)}, sort_keys=True, ensure_ascii=False)
    return sha256(content.encode()).hexdigest()[:20]


class SweepFolder:
    """One sweep's folder, held by this process alone while `held` lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cases = folder / CASES

    @contextmanager
    def held(self, instance: str) -> Iterator[None]:
        """The folder for this process alone, cleared of what a killed one left behind.

        Raises RunError if it can't be made, holds something else, or another sweep is at work in it.
        """
        self._check(instance)
        try:
            self.cases.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=0):
                for leftover in (*self.folder.glob(".*.part"), *self.cases.glob(".*.part"), *self.cases.glob(".*.old")):
                    if leftover.is_dir():
                        shutil.rmtree(leftover, ignore_errors=True)
                    else:
                        leftover.unlink(missing_ok=True)
                yield
        except Timeout as error:
            raise RunError(f"{self.folder}: another sweep is at work in this folder") from error

    def _check(self, instance: str) -> None:
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise RunError(f"{self.folder}: is a file; a sweep needs a folder")
        asked = self.folder / ASKED
        if asked.is_file():
            try:
                content = json.loads(asked.read_bytes())
                kind, name = content["kind"], content["instance"]["name"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise RunError(f"{asked}: can't be read as what a sweep was asked") from error
            if kind != KIND or name != instance:
                raise RunError(f"{self.folder}: holds a sweep of {name!r}; choose another folder for {instance!r}")
        elif any(not path.name.startswith(".") and path.name != CASES for path in self.folder.iterdir()):
            raise RunError(f"{self.folder}: exists and is not the folder of a sweep; choose another")

    def case(self, key: str) -> Path:
        """Run folder of a case."""
        return self.cases / key

    def finished(self, key: str) -> dict[str, Any] | None:
        """What solution.json of a case says; None if the case is not there whole, or is not what its name says."""
        try:
            summary = read_summary(self.case(key))
            own = key_of(summary["instance"]["digests"], summary["options"], summary["versions"])
        except (RunError, KeyError, TypeError):
            return None
        return summary if own == key else None

    def drop(self, key: str) -> None:
        """Remove what stands in the place of a case that is not finished."""
        shutil.rmtree(self.case(key), ignore_errors=True)

    def begin(self, asked: Mapping[str, Any]) -> None:
        """Say what is asked, and take away the tables of an earlier question."""
        content = json_bytes({"kind": KIND, "format": FORMAT, **asked})
        path = self.folder / ASKED
        if path.is_file() and path.read_bytes() == content:
            return
        for name in (TABLE, SECONDS):
            (self.folder / name).unlink(missing_ok=True)
        self._write(ASKED, content)

    def write_table(self, name: str, rows: Sequence[Row]) -> None:
        """A table of rows that all have the same columns."""
        out = StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0] if rows else ())
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
        self._write(name, out.getvalue().encode())

    def _write(self, name: str, content: bytes) -> None:
        part = self.folder / f".{name}.{uuid4().hex[:8]}.part"
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
        except OSError as error:
            raise RunError(f"{self.folder / name}: could not be written: {error.strerror or error}") from error
        finally:
            part.unlink(missing_ok=True)
        flush_folder(self.folder)


def _cell(value: Any) -> str:
    """A value as it stands in a CSV file of ours (`store.py`)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Real):
        return repr(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return guarded(text)
