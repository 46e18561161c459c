"""Every instance still has the answer that its expected.toml gives: an answer that moves is meant to, and listed in CHANGELOG.md."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import orepact

EXPECTED = sorted((Path(__file__).parent.parent / "instances").glob("*/expected.toml"))
QUICK = {"tutorial"}


@pytest.mark.parametrize("file", [pytest.param(f, id=f.parent.name, marks=[] if f.parent.name in QUICK else pytest.mark.slow) for f in EXPECTED])
def test_the_answer_has_not_moved(file: Path) -> None:
    expected = tomllib.loads(file.read_text(encoding="utf-8"))
    options = orepact.SolveOptions(gap=expected["tolerance"] / 2, time_limit=1200, progress=False)
    solution = orepact.solve(orepact.read(file.parent), options)
    assert solution.result.status == "solved"
    assert solution.result.objective == pytest.approx(expected["objective"], rel=expected["tolerance"]), expected["why"]


def test_every_instance_says_what_it_expects_and_where_its_figures_come_from() -> None:
    folders = [file.parent for file in (Path(__file__).parent.parent / "instances").glob("*/instance.toml")]
    assert folders
    assert [f"{folder.name}/{name}" for folder in folders for name in ("expected.toml", "SOURCES.md") if not (folder / name).exists()] == []
