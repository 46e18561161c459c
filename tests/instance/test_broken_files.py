"""Broken instance folders: each one is answered with the exact cell and rule, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from orepact.errors import InstanceError, Problem
from orepact.instance import reader
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from orepact.instance.writer import write

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]
Break = Callable[[Path], None]


class Broken(NamedTuple):
    """What is done to a good folder, and the one problem that must come of it.

    `row` is a line or some text that stands on it; `rule` is part of the rule's text.
    """

    name: str
    done: Break
    file: str
    row: int | str | None
    column: str | None
    value: str | None
    rule: str


def swap(file: str, old: str, new: str) -> Break:
    """Replace the first occurrence of a text that must be there."""

    def done(folder: Path) -> None:
        content = (folder / file).read_bytes()
        assert old.encode() in content, content
        (folder / file).write_bytes(content.replace(old.encode(), new.encode("latin-1" if "\xfc" in new else "utf-8"), 1))

    return done


def append(file: str, text: str) -> Break:
    """Add text at the end of a file, or in a new one."""

    def done(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8", newline="") as stream:
            stream.write(text)

    return done


def both(*breaks: Break) -> Break:
    """Several breaks, in order."""

    def done(folder: Path) -> None:
        for one in breaks:
            one(folder)

    return done


def remove(file: str) -> Break:
    return lambda folder: (folder / file).unlink()


def rename(file: str, new: str) -> Break:
    def done(folder: Path) -> None:
        (folder / file).rename(folder / new)

    return done


def empty(file: str) -> Break:
    def done(folder: Path) -> None:
        (folder / file).write_text("\n")

    return done


BROKEN = [
    Broken("decimal comma", swap("prices.csv", "metal,base,2026,100", 'metal,base,2026,"100,5"'), "prices.csv", 4, "price", "100,5", "not with a comma"),
    Broken("text for a number", swap("facilities.csv", "candidate,50,", "candidate,fifty,"), "facilities.csv", 3, "capacity", "fifty", "must be a number"),
    Broken("unknown column", swap("outside_supply.csv", "base_share", "base_shar"), "outside_supply.csv", 1, "base_shar", None, "nearest known: base_share"),
    Broken("required column misspelt", swap("demand.csv", "demand [t/a]", "demnd [t/a]"), "demand.csv", 1, "demnd", None, "nearest known: demand"),
    Broken(
        "required column missing",
        swap("raw_materials.csv", "material,year,price [USD/t]\nacid,2026,50", "material,year\nacid,2026"),
        "raw_materials.csv",
        1,
        "price",
        None,
        "required column is missing",
    ),
    Broken("column twice", swap("sources.csv", "id,citation,licence", "id,citation,citation"), "sources.csv", 1, "citation", None, "column appears twice"),
    Broken("unknown table", rename("aid_limits.csv", "aid_limit.csv"), "aid_limit.csv", None, None, None, "nearest known: aid_limits.csv"),
    Broken("required table missing", remove("scenarios.csv"), "scenarios.csv", None, None, None, "required table scenarios is missing"),
    Broken("settings missing", rename("instance.toml", "instnace.toml"), "instance.toml", None, None, None, "nearest known: instnace.toml"),
    Broken("not TOML", swap("instance.toml", "start_year = 2026", "start_year = "), "instance.toml", "start_year", None, None, "not TOML"),
    Broken(
        "unknown option",
        swap("instance.toml", "social_rate = 0.03", "social_rates = 0.03"),
        "instance.toml",
        "social_rates",
        "economics.social_rates",
        "0.03",
        "nearest known: social_rate",
    ),
    Broken("unknown section", swap("instance.toml", "[owners]", "[onwers]"), "instance.toml", "[onwers]", "onwers", None, "nearest known: owners"),
    Broken(
        "option out of range",
        swap("instance.toml", "cvar_weight = 0.0", "cvar_weight = 1.5"),
        "instance.toml",
        "cvar_weight",
        "economics.cvar_weight",
        "1.5",
        "less than or equal to 1",
    ),
    Broken(
        "option of another type",
        swap("instance.toml", "period_years = [2, 3]", 'period_years = [2, "three"]'),
        "instance.toml",
        "period_years",
        "horizon.period_years.1",
        "three",
        "valid integer",
    ),
    Broken(
        "revision between periods",
        swap("instance.toml", "revision_years = []", "revision_years = [2027]"),
        "instance.toml",
        "revision_years",
        "policy.revision_years",
        None,
        "first years of periods",
    ),
    Broken("out of range", swap("scenarios.csv", "0.75", "1.75"), "scenarios.csv", 2, "probability", "1.75", "must be at most 1"),
    Broken("far too large", swap("demand.csv", ",30\n", ",1e308\n"), "demand.csv", 2, "demand", "1e308", "must be at most 1e+12 t/a"),
    Broken("overflow", swap("demand.csv", ",30\n", ",1e999\n"), "demand.csv", 2, "demand", "1e999", "finite"),
    Broken("not a number", swap("demand.csv", ",30\n", ",NaN\n"), "demand.csv", 2, "demand", "NaN", "leave the cell blank"),
    Broken("fraction of a year", swap("raw_materials.csv", "2026", "2026.5"), "raw_materials.csv", 2, "year", "2026.5", "whole number"),
    Broken("unknown choice", swap("countries.csv", "AUS,partner", "AUS,ally"), "countries.csv", 5, "role", "ally", "one of member, partner, outside"),
    Broken("bad flag", swap("scenarios.csv", "true", "perhaps"), "scenarios.csv", 3, "downside", "perhaps", "true or false"),
    Broken("required cell blank", swap("groups.csv", "asia,VNM", "asia,"), "groups.csv", 3, "country", "", "required, but blank"),
    Broken("bad code", swap("sources.csv", "usgs", "the usgs"), "sources.csv", 2, "id", "the usgs", "short code"),
    Broken(
        "unknown reference",
        swap("demand.csv", "FRA,metal,base", "FRA,metall,base"),
        "demand.csv",
        3,
        "product",
        "metall",
        "not in products; nearest known: metal",
    ),
    Broken(
        "unknown reference in a list",
        swap("targets.csv", "asia;AUS", "asia;AUT"),
        "targets.csv",
        5,
        "outage",
        "AUT",
        "not in countries or groups; nearest known: AUS",
    ),
    Broken("key twice", append("aid_limits.csv", "USA,0.3\n"), "aid_limits.csv", 3, "country", "USA", "same key as row 2"),
    Broken("key of several columns twice", append("groups.csv", "asia,CHN\n"), "groups.csv", 4, "group, country", "asia, CHN", "same key as row 2"),
    Broken("too many cells", append("groups.csv", "asia,AUS,EU\n"), "groups.csv", 4, None, "EU", "more cells than the header's 2"),
    Broken("too few cells", append("groups.csv", "asia\n"), "groups.csv", 4, None, None, "1 cells, but the header has 2"),
    Broken("not UTF-8", swap("sources.csv", "USGS", "Gr\xfcnde"), "sources.csv", 2, None, "b'\\xfc'", "not UTF-8"),
    Broken("open quote", append("groups.csv", '"asia,AUS\n'), "groups.csv", 4, None, None, "not a proper CSV row"),
    Broken(
        "semicolons",
        swap("groups.csv", "group,country\nasia,CHN\nasia,VNM", "group;country\nasia;CHN\nasia;VNM"),
        "groups.csv",
        1,
        None,
        "group;country",
        "separated by commas",
    ),
    Broken("empty file", empty("groups.csv"), "groups.csv", 1, None, None, "empty"),
    Broken("nameless column", swap("groups.csv", "group,country\nasia,CHN", "group,country,,\nasia,CHN,,x"), "groups.csv", 2, None, "x", "more cells"),
    Broken("unit of another dimension", swap("demand.csv", "[t/a]", "[USD/a]"), "demand.csv", 1, "demand", "USD/a", "expected mass/time, as in t/a"),
    Broken("unknown unit", swap("demand.csv", "[t/a]", "[tons/a]"), "demand.csv", 1, "demand", "tons/a", "unknown unit 'tons/a'"),
    Broken("unit of what is no quantity", swap("groups.csv", "country", "country [t]"), "groups.csv", 1, "country", "t", "takes no unit"),
    Broken("unit of a calendar year", swap("raw_materials.csv", "year", "year [month]"), "raw_materials.csv", 1, "year", "month", "no other unit than year"),
    Broken(
        "unit of an unknown column",
        append("instance.toml", '\n[units]\n"demand.deman" = "kt/a"\n'),
        "instance.toml",
        "demand.deman",
        "units.demand.deman",
        "kt/a",
        "nearest known: demand",
    ),
    Broken(
        "unit of an unknown table",
        append("instance.toml", '\n[units]\n"demands.demand" = "kt/a"\n'),
        "instance.toml",
        "demands.demand",
        "units.demands",
        None,
        "nearest known: demand",
    ),
    Broken(
        "wrong unit of a table",
        append("instance.toml", '\n[units.facilities]\nmass = "MUSD"\n'),
        "instance.toml",
        "mass =",
        "units.facilities.mass",
        "MUSD",
        "expected mass, as in t",
    ),
    Broken(
        "wrong unit declared",
        both(swap("freight.csv", " [USD/t]", ""), append("instance.toml", '\n[units]\nfreight = { cost = "t" }\n')),
        "instance.toml",
        "freight =",
        "units.freight.cost",
        "t",
        "expected money/mass, as in USD/t",
    ),
    Broken("two units", append("instance.toml", '\n[units]\n"demand.demand" = "kt/a"\n'), "demand.csv", 1, "demand", "t/a", "instance.toml says 'kt/a'"),
    Broken(
        "unit that is no text", append("instance.toml", "\n[units]\ndemand = 3\n"), "instance.toml", "demand = 3", "units.demand", "3", "units are declared as"
    ),
    Broken("stray workbook", append("book.xlsx", "x"), "book.xlsx", None, None, None, "not a table of an instance"),
    Broken("stray copy of a table", append("demand.csv.bak", "x"), "demand.csv.bak", None, None, None, "nearest known: demand.csv"),
    Broken(
        "a cell of control characters",
        swap("sources.csv", "public domain", "public\x01domain"),
        "sources.csv",
        2,
        "licence",
        "public\x01domain",
        "no control or invisible characters",
    ),
    Broken("all and some", swap("contracts.csv", "USA;FRA", "USA;*"), "contracts.csv", 3, "countries", "USA;*", "* stands alone"),
    Broken("same item twice", swap("contracts.csv", "USA;FRA", "USA;USA"), "contracts.csv", 3, "countries", "USA;USA", "names something twice"),
]


@pytest.fixture
def folder(tmp_path: Path, content: Content, tables: Tables) -> Path:
    """A good instance in a folder, to be broken."""
    place = tmp_path / "good"
    write(Instance.from_tables(content, tables), place)
    return place


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1) if text in line)


def problems(path: Path) -> list[Problem]:
    with pytest.raises(InstanceError) as error:
        read(path)
    return error.value.problems


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_a_fault_is_answered_with_its_cell_and_rule(case: Broken, folder: Path) -> None:
    case.done(folder)
    (problem,) = problems(folder)
    row = case.row if not isinstance(case.row, str) else line_of(folder / case.file, case.row)
    assert (problem.file, problem.row, problem.column, problem.value) == (case.file, row, case.column, case.value)
    assert case.rule in problem.rule


def test_all_faults_come_at_once(folder: Path) -> None:
    chosen = [case for case in BROKEN if case.name in ("decimal comma", "unknown option", "unknown reference", "key twice", "bad flag", "stray workbook")]
    for case in chosen:
        case.done(folder)
    found = problems(folder)
    assert {(p.file, p.column, p.value) for p in found} == {(case.file, case.column, case.value) for case in chosen}
    assert found == sorted(found, key=lambda p: (p.file, p.row or 0))


def test_there_must_be_something_to_read(tmp_path: Path) -> None:
    assert "no such folder or workbook" in problems(tmp_path / "nothing")[0].rule
    (tmp_path / "file.txt").write_text("x")
    assert "a folder or an .xlsx workbook" in problems(tmp_path / "file.txt")[0].rule
    (tmp_path / "file.xlsx").write_text("x")
    assert "not an .xlsx workbook" in problems(tmp_path / "file.xlsx")[0].rule
    (tmp_path / "empty").mkdir()
    assert {p.file for p in problems(tmp_path / "empty")} == {"instance.toml", "countries.csv", "products.csv", "scenarios.csv"}


def test_a_file_that_must_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(reader, "read_file", refuse)
    (problem,) = problems(folder)
    assert problem.file.endswith(".csv")
    assert problem.rule == "can't be read: Permission denied"


def test_habits_of_spreadsheets_are_tolerated(folder: Path) -> None:
    good = read(folder)
    for file in folder.glob("*.csv"):
        lines = file.read_text(encoding="utf-8").split("\n")
        lines = [line + ",," if line else line for line in lines]
        lines.insert(1, "," * lines[0].count(","))
        file.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    (folder / "instance.toml").write_bytes(b"\xef\xbb\xbf" + (folder / "instance.toml").read_bytes().replace(b"\n", b"\r\n"))
    (folder / "SOURCES.md").write_text("notes are welcome")
    (folder / "expected.toml").write_text("objective = 1")
    (folder / ".hidden.csv").write_text("x")
    (folder / "notes").mkdir()
    (folder / "notes" / "demand.csv").write_text("not read")
    again = read(folder)
    assert again == good
    assert again.table("groups").index.tolist() == [3, 4]


def test_rows_after_a_cell_of_several_lines_are_counted_right(folder: Path) -> None:
    (folder / "sources.csv").write_text('id,citation\na,"one\ntwo\nthree"\nb,\n', encoding="utf-8")
    assert [(p.file, p.row, p.column) for p in problems(folder)] == [("sources.csv", 5, "citation")]
