"""Instances from strangers: a seeded mutator over every table and instance.toml. See tests/mutations.py for the kinds.

Every failure ever found stays as a test of its own in test_kept.py.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest

import orepact
from mutations import Files, Mutation, mutate
from orepact import cli
from orepact.errors import InstanceError, OrepactError
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from orepact.options import SolveOptions

ROOT = Path(__file__).parents[2]
SMALL = ("tests/data/border", "tests/data/routes", "tests/data/smelter", "tests/data/stock", "instances/tutorial")
LARGE = ("instances/magnet-rare-earths", "instances/magnet-rare-earths-2024")
ALL = 2400
BATCH = 60
"""Seeds per test; the default suite runs 5 % of them."""

SOLVE = SolveOptions(path_list=2, neighbours=False, max_paths=2, time_limit=20, threads=1, stress=False, baseline=False, progress=False)


@cache
def files_of(place: str) -> Files:
    """The files of an instance."""
    folder = ROOT / place
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".csv" or path.name == "instance.toml"}


@cache
def digest_of(place: str) -> str:
    return read(ROOT / place).digest


def base_of(seed: int) -> str:
    """Which instance a seed mutates: one in fifteen is large."""
    return LARGE[seed // 15 % 2] if seed % 15 == 14 else SMALL[seed % 5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("hostile")
    yield place
    shutil.rmtree(place, ignore_errors=True)


def written(folder: Path, files: Files) -> Path:
    place = folder / "instance"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place


@pytest.mark.parametrize("first", [pytest.param(n, marks=() if n < ALL // 20 else pytest.mark.slow) for n in range(0, ALL, BATCH)])
def test_mutated_instances(first: int, folder: Path) -> None:
    for seed in range(first, first + BATCH):
        place = base_of(seed)
        check(mutate(seed, files_of(place)), place, folder, thorough=seed % 5 == 0)


def check(mutation: Mutation, place: str, folder: Path, *, thorough: bool) -> None:
    """What must follow from a mutation of this kind."""
    where = written(folder, mutation.files)
    error, instance = None, None
    try:
        instance = read(where)
    except InstanceError as refused:
        error = refused
    if thorough:
        command_line_answers(where, refused=error is not None)
    if error is not None:
        assert error.problems
        assert all(c.isprintable() or c == "\n" for c in str(error)), mutation.what
    if mutation.kind == "planted":
        assert error is not None, f"accepted: {mutation.what}"
        found = {(p.file, p.row, p.column) for p in error.problems}
        assert mutation.place in found, f"{mutation.what}: expected {mutation.place}, found {sorted(found, key=str)[:5]}"
    elif mutation.kind == "harmless":
        assert error is None, f"{mutation.what}: {error}"
        assert instance is not None
        assert instance.digest == digest_of(place), mutation.what
    elif instance is not None and place not in LARGE:
        solves(instance, mutation)


def command_line_answers(where: Path, *, refused: bool) -> None:
    """One JSON object on standard output, exit code 0 or 2, and no traceback."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(["validate", str(where), "--json"])
    assert code == (2 if refused else 0)
    assert all(c.isprintable() or c == "\n" for c in out.getvalue())
    assert bool(json.loads(out.getvalue())["problems"]) == refused
    assert "Traceback" not in err.getvalue()


def solves(instance: Instance, mutation: Mutation) -> None:
    """A run of an accepted instance ends with a status, or with an error of its own name."""
    ended, fault = "", None
    try:
        ended = orepact.solve(instance, SOLVE).result.status.value
    except OrepactError as error:
        fault = error
    assert fault is None or fault.exit_code == 2, f"{mutation.what}: {fault}"
    assert fault or ended in ("solved", "limit", "infeasible", "no plan")
