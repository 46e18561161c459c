"""The starter instance is good, explained and never written over anything; the page of the format is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

import orepact.options
from orepact.errors import OptionError
from orepact.instance.docs import instance_format_page
from orepact.instance.reader import read
from orepact.instance.schema import SCHEMA
from orepact.instance.settings import options_of
from orepact.instance.starter import new_instance, starter

PAGE = Path(__file__).parents[2] / "docs" / "instance-format.md"


def test_the_starter_is_good_and_explained(tmp_path: Path) -> None:
    new_instance(tmp_path / "mine")
    instance = read(tmp_path / "mine")
    assert instance == starter("mine")
    assert instance.warnings == ()
    text = (tmp_path / "mine" / "instance.toml").read_text(encoding="utf-8")
    for section in options_of(""):
        for key, option in options_of(section).items():
            assert f"{key} = " in text
            assert option.description is not None
            assert f"# {option.description}\n" in text
    for table in SCHEMA.values():
        header = (tmp_path / "mine" / f"{table.name}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert [cell.split(" ")[0] for cell in header.split(",")] == [column.name for column in table.columns]


def test_a_folder_whose_name_is_no_name_makes_a_starter(tmp_path: Path) -> None:
    new_instance(tmp_path / "my first one")
    assert read(tmp_path / "my first one").name == "starter"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    new_instance(tmp_path / "mine")
    with pytest.raises(OptionError, match="is not an empty folder"):
        new_instance(tmp_path / "mine")


def test_the_page_of_the_format_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == instance_format_page(), "run `make docs`"


def test_the_page_names_everything() -> None:
    page = instance_format_page()
    for table in SCHEMA.values():
        assert f"### {table.name}\n" in page
        assert all(f"| `{column.name}` |" in page for column in table.columns if column.name not in ("source", "quality", "note"))
    assert all(f"| `{key}` |" in page for section in options_of("") for key in options_of(section))
    assert orepact.options.Settings.model_fields.keys() == options_of("").keys()


def test_the_schema_is_sound() -> None:
    for table in SCHEMA.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert set(table.key) <= set(names)
        assert table.years is None or table.years in table.key
        for column in table.columns:
            assert not (column.required and column.default is not None), (table.name, column.name)
            assert (column.kind in ("choice", "choices")) == bool(column.choices)
            assert column.unit is None or column.kind in ("int", "float")
            assert column.kind not in ("int", "float") or (column.high is not None and (column.low is not None or column.above is not None))
            for target in (column.refers or "").split("|"):
                if target:
                    SCHEMA[target.split(".")[0]].column(target.split(".")[1])
