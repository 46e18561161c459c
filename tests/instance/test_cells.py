"""One cell at a time: what each kind of column takes and refuses, and units on the way in."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orepact.errors import InstanceError
from orepact.instance.cells import TINY, CellError, as_text, parse
from orepact.instance.columns import Column, Kind
from orepact.instance.instance import Instance
from orepact.instance.naming import nearest, suggestion
from orepact.instance.settings import numeric_settings, setting_paths
from orepact.instance.units import UnitError, factor, in_table_units

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]


def column(kind: Kind, **traits: Any) -> Column:
    return Column("it", kind, "what is tried", **traits)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        (np.float64(2.0), "2"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"),
        (True, "true"),
        (np.bool_(False), "false"),
        (np.int64(7), "7"),
        (("a", "b"), "a;b"),
        ("  a\r\nb ", "a\nb"),
        (-0.0, "0"),
    ],
)
def test_every_cell_is_text_first(cell: object, text: str) -> None:
    assert as_text(cell) == text


def test_dates_are_refused() -> None:
    with pytest.raises(CellError, match="date or time"):
        as_text(date(2026, 1, 1))


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number == 0 or abs(number) >= TINY))
def test_numbers_survive_as_text(number: float) -> None:
    assert parse(column("float"), as_text(number)) == number


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "1.", "1e3", "1E-3", " 2 "])
def test_numbers_are_read(text: str) -> None:
    assert parse(column("float"), text) == float(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1,5", "not with a comma"),
        ("1.234,5", "not with a comma"),
        ("1,234.5", "not with a comma"),
        ("1_000", "must be a number"),
        ("0x1F", "must be a number"),
        ("NaN", "finite"),
        ("inf", "finite"),
        ("-Infinity", "finite"),
        ("1e999", "finite"),
        ("1e99999", "must be a number"),
        ("five", "must be a number"),
        ("#DIV/0!", "must be a number"),
        ("١", "must be a number"),
        ("1 000", "must be a number"),
        ("50%", "must be a number"),
    ],
)
def test_other_numbers_are_refused(text: str, rule: str) -> None:
    with pytest.raises(CellError, match=rule):
        parse(column("float"), text)


def test_bounds_are_in_canonical_units_and_the_message_says_so() -> None:
    capacity = column("float", unit="t/a", above=0, high=1e6)
    assert parse(capacity, "4.35", Fraction(1000)) == 4350.0
    with pytest.raises(CellError, match=r"at most 1e\+06 t/a \(it is 2e\+06 t/a\)"):
        parse(capacity, "2000", Fraction(1000))
    with pytest.raises(CellError, match="must be above 0"):
        parse(capacity, "0")
    assert parse(column("float", low=0), "0") == 0


def test_whole_numbers_flags_and_choices() -> None:
    assert parse(column("int"), "2026.0") == 2026
    assert [parse(column("bool"), text) for text in ("TRUE", "no", "1", "0")] == [True, False, True, False]
    with pytest.raises(CellError, match="whole number"):
        parse(column("int"), "2026.5")
    with pytest.raises(CellError, match="must be one of member, partner; nearest known: partner"):
        parse(column("choice", choices=("member", "partner")), "Partners")
    assert parse(column("choices", choices=("a", "b")), "b; a") == ("b", "a")


def test_codes_and_lists() -> None:
    assert parse(column("code"), "Dy/Tb-oxide_2.0+") == "Dy/Tb-oxide_2.0+"
    assert parse(column("code"), 2026.0) == "2026"
    assert parse(column("codes", wild=True), "*") == ("*",)
    assert parse(column("codes"), " a ; b;") == ("a", "b")
    assert parse(column("codes"), "") == ()
    for text in ("two words", "a=b", "a|b", "*", "x" * 65, "a[b]", 'say"so'):
        with pytest.raises(CellError, match="short code"):
            parse(column("code"), text)
    with pytest.raises(CellError, match="separated by semicolons"):
        parse(column("codes"), ";")


@pytest.mark.parametrize(
    ("unit", "canonical", "expected"),
    [
        ("kt/a", "t/a", "1000"),
        ("kg", "t", "1/1000"),
        ("USD/kg", "USD/t", "1000"),
        ("MUSD", "USD", "1000000"),
        ("GUSD", "USD", "1000000000"),
        ("BUSD", "USD", "1000000000"),
        ("kUSD/t", "USD/t", "1000"),
        ("month", "year", "1/12"),
        ("%", "", "1/100"),
        ("kg/t", "t/t", "1/1000"),
        ("yr", "year", "1"),
        ("t/year", "t/a", "1"),
        ("USD/lb", "USD/t", "100000000000/45359237"),
        ("Mt / a", "t/a", "1000000"),
        ("t", "t", "1"),
    ],
)
def test_units_are_exact_fractions(unit: str, canonical: str, expected: str) -> None:
    assert factor(unit, canonical) == Fraction(expected)


@pytest.mark.parametrize(
    ("unit", "canonical", "rule"),
    [
        ("USD", "t", "expected mass, as in t"),
        ("t", "", "expected a share, without unit"),
        ("t/USD", "USD/t", "expected money/mass, as in USD/t"),
        ("bushel", "t", "unknown unit 'bushel'; this column is in t"),
        ("2 t", "t", "a unit is written like"),
        ("t**2", "t", "a unit is written like"),
    ],
)
def test_other_units_are_refused(unit: str, canonical: str, rule: str) -> None:
    with pytest.raises(UnitError, match=rule):
        factor(unit, canonical)


def test_a_table_may_have_units_of_its_own() -> None:
    assert in_table_units("USD/t", {"mass": "kg", "money": "kUSD"}) == "kUSD/kg"
    assert in_table_units("t/a", {"mass": "kt"}) == "kt/a"
    assert in_table_units("", {"mass": "kt"}) == ""


def test_units_are_converted_once_wherever_they_are_declared(content: Content, tables: Tables) -> None:
    good = Instance.from_tables(content, tables)
    for row in tables["facilities"]:
        row["capacity"] /= 1000
        row["opex"] = row["opex"] * 1000 / 1e6
        if "capex" in row:
            row["capex"] /= 1e6
    for row in tables["demand"]:
        row["demand"] *= 1000
    for row in tables["prices"]:
        row["price [USD/kg]"] = row.pop("price") / 1000
    units = {"facilities": {"mass": "kt", "money": "MUSD"}, "demand.demand": "kg/a"}
    assert Instance.from_tables(content | {"units": units}, tables) == good


def test_a_unit_of_a_column_goes_before_that_of_its_table(content: Content, tables: Tables) -> None:
    good = Instance.from_tables(content, tables)
    for row in tables["facilities"]:
        row["capacity"] /= 1000
        row["lead_time [month]"] = 0
    content["units"] = {"facilities": {"mass": "kg", "capacity": "kt/a", "opex": "USD/t"}}
    instance = Instance.from_tables(content, tables)
    assert instance == good
    assert instance.units == {"facilities": {"mass": "kg", "capacity": "kt/a", "opex": "USD/t"}}
    assert instance.with_setting("policy.max_step", 2).with_setting("policy.max_step", 1) == good


def test_a_faulty_unit_makes_one_problem_only(content: Content, tables: Tables) -> None:
    content["units"] = {"facilities": {"capacity": "kUSD"}}
    with pytest.raises(InstanceError) as error:
        Instance.from_tables(content, tables)
    assert [(p.file, p.column, p.value) for p in error.value.problems] == [("instance.toml", "units.facilities.capacity", "kUSD")]


def test_names_are_suggested() -> None:
    assert nearest("Capcity", ["capacity", "capex"]) == "capacity"
    assert nearest("zzz", ["capacity"]) is None
    assert suggestion("zzz", ["b", "a"]) == "; known: a, b"
    assert suggestion("zzz", []) == "; none is known"
    assert "economics.social_rate" in numeric_settings()
    assert set(numeric_settings()) < set(setting_paths())
