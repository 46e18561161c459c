"""Writing and reading back gives an equal instance, in a folder and in a workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from orepact.errors import InstanceError, OptionError
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from orepact.instance.writer import write
from orepact.texts import FORMULA, UNSAFE

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t,;\"'=+-@[]#"), max_size=20).filter(
    lambda text: not UNSAFE.search(text)
)
CODES = st.text(st.characters(codec="utf-8", categories=("L", "N"), include_characters="-+_./#%&"), min_size=1, max_size=8).filter(
    lambda code: not FORMULA.match(code)
)
AMOUNTS = st.just(0.0) | st.floats(1e-12, 1e12)


@pytest.mark.parametrize("place", ["folder", "book.xlsx"])
def test_a_whole_instance_comes_back_equal(place: str, tmp_path: Path, content: Content, tables: Tables) -> None:
    content["policy"] = {"revision_years": [2028], "reference_scenario": "calm"}
    content["instance"]["description"] = 'Said in "quotes",\non two lines, with \\ and ü'
    instance = Instance.from_tables(content, tables)
    write(instance, tmp_path / place)
    again = read(tmp_path / place)
    assert again == instance
    assert again.settings == instance.settings
    assert again.digests == instance.digests


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=st.data())
def test_anything_the_format_allows_comes_back_equal(drawn: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    products = drawn.draw(st.lists(CODES.filter(lambda code: code not in ("true", "false")), min_size=1, max_size=3, unique=True))
    amounts = drawn.draw(st.lists(AMOUNTS, min_size=len(products), max_size=len(products)))
    texts = drawn.draw(st.lists(TEXTS, min_size=len(products), max_size=len(products)))
    instance = Instance.from_tables(
        {"instance": {"name": "x", "title": drawn.draw(TEXTS)}, "horizon": {"start_year": 2026, "period_years": [1]}},
        {
            "countries": [{"country": "USA", "role": "member", "risk": drawn.draw(st.none() | st.just(0.0) | st.floats(1e-12, 1))}],
            "products": [{"product": p, "mineral": "m", "stage": "s", "name": text} for p, text in zip(products, texts, strict=True)],
            "demand": [{"country": "USA", "product": p, "year": 2026, "demand": a} for p, a in zip(products, amounts, strict=True)],
            "scenarios": [{"scenario": "w", "probability": 1, "normal": drawn.draw(st.none() | st.booleans())}],
            "processes": [{"process": "p", "activities": drawn.draw(st.lists(st.sampled_from(["extraction", "recycling"]), unique=True))}],
            "process_flows": [{"process": "p", "product": products[0], "amount": 1}],
        },
    )
    folder = tmp_path_factory.mktemp("round")
    for place in (folder / "folder", folder / "book.xlsx"):
        write(instance, place)
        assert read(place) == instance


def test_only_what_is_said_is_written(tmp_path: Path, content: Content, tables: Tables) -> None:
    del tables["embodied"]
    write(Instance.from_tables(content, tables), tmp_path / "x")
    assert not (tmp_path / "x" / "embodied.csv").exists()
    assert (tmp_path / "x" / "raw_materials.csv").read_text() == "material,year,price [USD/t]\nacid,2026,50\n"


def test_nothing_is_overwritten(tmp_path: Path, content: Content, tables: Tables) -> None:
    instance = Instance.from_tables(content, tables)
    (tmp_path / "book.xlsx").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    for place in ("book.xlsx", "folder", "folder/file"):
        with pytest.raises(OptionError, match="exists already"):
            write(instance, tmp_path / place)
    (tmp_path / "empty").mkdir()
    write(instance, tmp_path / "empty")


@pytest.fixture
def book(tmp_path: Path, content: Content, tables: Tables) -> Path:
    """A good instance in a workbook."""
    write(Instance.from_tables(content, tables), tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def change(book: Path, sheet: str, cell: str, value: object) -> None:
    workbook = load_workbook(book)
    workbook[sheet][cell] = value
    workbook.save(book)


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "row", "column", "rule"),
    [
        ("demand", "B2", "metall", 2, "product", "nearest known: metal"),
        ("demand", "E3", "many", 3, "demand", "must be a number"),
        ("demand", "A1", "contry", 1, "contry", "nearest known: country"),
        ("demand", "E4", "=E2+E3", 4, "E", "formula without a stored value"),
        ("demand", "E4", "#DIV/0!", 4, "E", "ends in an error"),
        ("settings", "C10", 7, 10, "economics.social_rate", "less than or equal to 1"),
        ("settings", "B10", "social_rat", 10, "economics.social_rat", "nearest known: social_rate"),
        ("settings", "B1", "keys", 1, "keys", "nearest known: key"),
    ],
)
def test_faults_in_a_workbook_are_located(book: Path, sheet: str, cell: str, value: object, row: int, column: str, rule: str) -> None:
    change(book, sheet, cell, value)
    with pytest.raises(InstanceError) as error:
        read(book)
    problem = error.value.problems[0]
    assert (problem.file, problem.row, problem.column) == (f"book.xlsx:{sheet}", row, column)
    assert rule in problem.rule


def test_a_workbook_made_by_hand_is_read(tmp_path: Path) -> None:
    workbook = Workbook()
    sheets: dict[str, Any] = {
        "settings": [
            ["section", "key", "value"],
            ["instance", "name", "hand"],
            ["horizon", "start_year", 2026],
            ["horizon", "period_years", "2; 3"],
            ["units", "demand.demand", "kt/a"],
            ["policy", "revision_years", 2028],
            ["instance", "title", None],
            ["economics", "levy_pooled", True],
        ],
        "countries": [["country", "role", None], ["USA", "member"], [None, None], ["CHN", "outside"]],
        "products": [["product", "mineral", "stage"], [42, "m", "s"]],
        "demand": [["country", "product", "year", "demand"], ["USA", 42, 2026.0, 1.5]],
        "scenarios": [["scenario", "probability"], ["w", 1]],
    }
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del workbook["Sheet"]
    workbook.save(tmp_path / "hand.xlsx")
    instance = read(tmp_path / "hand.xlsx")
    assert instance.settings.horizon.period_years == (2, 3)
    assert instance.settings.policy.revision_years == (2028,)
    assert instance.settings.economics.levy_pooled
    assert instance.table("products")["product"].tolist() == ["42"]
    assert instance.table("demand")["demand"].tolist() == [1500.0]
    assert instance.table("countries").index.tolist() == [2, 4]
    workbook.create_sheet("Notes")
    workbook.save(tmp_path / "more.xlsx")
    with pytest.raises(InstanceError, match=r"more.xlsx: 'Notes': not a sheet of an instance"):
        read(tmp_path / "more.xlsx")
    del workbook["Notes"], workbook["settings"], workbook["scenarios"]
    workbook.save(tmp_path / "less.xlsx")
    with pytest.raises(InstanceError) as error:
        read(tmp_path / "less.xlsx")
    assert [str(p) for p in error.value.problems] == [
        "less.xlsx:settings: required sheet is missing: columns section, key, value",
        "scenarios.csv: required table scenarios is missing",
    ]


def test_a_damaged_workbook_is_refused(book: Path) -> None:
    content = bytearray(book.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 50] = b"x" * 50
    book.write_bytes(content)
    with pytest.raises(InstanceError, match=r"book\.xlsx: not an \.xlsx workbook, or a damaged one"):
        read(book)
