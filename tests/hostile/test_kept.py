"""Every failure that the mutator, the random instances or a reader ever found, kept as it was found.

Each test says what went wrong before it was mended.
"""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

import orepact
from example_solution import solution
from orepact.errors import InstanceError
from orepact.instance.instance import Instance
from orepact.instance.intake import IntakeError, load_toml
from orepact.instance.overrides import value_of
from orepact.instance.reader import read
from orepact.solution.store import RunError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "tests/data/border", tmp_path / "instance"))


def refused(folder: Path) -> tuple[str, int | None, str | None, str]:
    with pytest.raises(InstanceError) as error:
        read(folder)
    problem = error.value.problems[0]
    return problem.file, problem.row, problem.column, problem.rule


def with_setting(folder: Path, text: str) -> Path:
    with (folder / "instance.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    return folder


def with_price(folder: Path, cell: str, unit: str = "") -> Path:
    (folder / "prices.csv").write_text(f"product,year,price{unit}\nmetal,2026,{cell}\n", encoding="utf-8")
    return folder


def test_a_date_in_the_settings(folder: Path) -> None:
    """Ended in a traceback: the message could not quote a date."""
    (folder / "instance.toml").write_text((folder / "instance.toml").read_text().replace("start_year = 2026", "start_year = 2026-01-01"))
    assert refused(folder)[2:] == ("horizon.start_year", "is a date or time; write a plain number or text")


def test_brackets_without_end(folder: Path) -> None:
    """Ended in a RecursionError."""
    assert "is nested too deeply" in refused(with_setting(folder, "x = " + "[" * 5000))[3]


def test_a_number_of_thousands_of_digits(folder: Path) -> None:
    """Ended in a ValueError of Python's own: in the settings, in a cell, in --set."""
    assert "out of all bounds" in refused(with_setting(folder, "x = " + "9" * 5000))[3]
    assert value_of("9" * 5000) == "9" * 5000


def test_a_long_number_in_a_cell_with_a_unit(folder: Path) -> None:
    """Ended in a ValueError: exact fractions are made from the text."""
    assert "at most 60 characters" in refused(with_price(folder, "1" * 5000, " [kUSD/t]"))[3]


def test_a_large_exponent_in_a_cell_with_a_unit(folder: Path) -> None:
    """Ended in an OverflowError: the exact fraction does not fit a float."""
    assert "finite" in refused(with_price(folder, "1e999", " [kUSD/t]"))[3]


def test_a_number_too_small_to_be_one(folder: Path) -> None:
    """Was taken for 0."""
    assert "too close to zero" in refused(with_price(folder, "1e-400"))[3]


def test_a_key_of_very_many_parts() -> None:
    """Took minutes: the parser's time grows with the square of the parts."""
    with pytest.raises(IntakeError, match="more than 15 parts"):
        load_toml("a" + ".a" * 100_000 + " = 1")
    assert load_toml('a = "x.y.z"\n"b.c".d = 1\n') == {"a": "x.y.z", "b.c": {"d": 1}}


def test_a_title_that_clears_the_screen(folder: Path) -> None:
    """Was taken: TOML may write any character as an escape."""
    (folder / "instance.toml").write_text((folder / "instance.toml").read_text().replace('name = "border"', 'name = "border"\ntitle = "\\u001b[2J"'))
    assert refused(folder)[2] == "instance.title"


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_pipe_for_a_table(folder: Path) -> None:
    """Was overlooked as if the table were not there."""
    (folder / "freight.csv").unlink(missing_ok=True)
    os.mkfifo(folder / "freight.csv")
    assert refused(folder)[::3] == ("freight.csv", "is not a plain file")


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_links_in_a_circle(folder: Path) -> None:
    """Ended in a RuntimeError."""
    (folder / "prices.csv").unlink()
    (folder / "prices.csv").symlink_to("prices.csv")
    assert "can't be read" in refused(folder)[3]


def test_a_stray_nul_byte_is_a_fault_of_its_cell(folder: Path) -> None:
    """Was reported for the file as a whole, without the column."""
    assert refused(with_price(folder, "1\x00"))[:3] == ("prices.csv", 2, "price")


def test_a_whole_number_out_of_all_bounds_in_memory() -> None:
    """Ended in a ValueError of Python's own."""
    tables = {"countries": [{"country": "USA", "role": "member", "risk": 10**5000}]}
    with pytest.raises(InstanceError, match="number of usual size"):
        Instance.from_tables({"instance": {"name": "x"}, "horizon": {"start_year": 2026, "period_years": [1]}}, tables)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda summary: summary["size"].update(rows="x"),
        lambda summary: summary["cost_terms"].update({next(iter(summary["cost_terms"])): "x"}),
        lambda summary: summary["indicators"].pop("public_revenue_usd"),
        lambda summary: summary["baseline"].update(objective={}),
        lambda summary: summary.update(package=[1]),
        lambda summary: summary.update(notes="x"),
    ],
)
def test_a_run_whose_figures_are_none(spoil: object, tmp_path: Path) -> None:
    """Was loaded, and ended in a traceback when it was shown."""
    run = solution().save(tmp_path / "run")
    summary = json.loads((run / "solution.json").read_text())
    spoil(summary)  # type: ignore[operator]
    content = json.dumps(summary).encode()
    (run / "solution.json").write_bytes(content)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["solution.json"] = sha256(content).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match=r"solution\.json"):
        orepact.load(run)
