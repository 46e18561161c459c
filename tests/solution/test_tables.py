"""The tables of a solution: exactly their columns and dtypes, and nothing that does not fit."""

from __future__ import annotations

import pandas as pd
import pytest

from example_solution import tables
from orepact.solution.schema import OUTPUT
from orepact.solution.tables import as_table, complete, dtype_of, empty_tables

GRANT = {"facility": "mill", "payer": "EU", "start_year": 2028, "grant_usd": 8e7, "share_of_capex": 0.2}


@pytest.mark.parametrize("name", OUTPUT)
def test_a_table_has_exactly_its_columns_and_dtypes(name: str) -> None:
    for table in (as_table(name, tables()[name]), as_table(name, [])):
        assert {str(column): str(dtype) for column, dtype in table.dtypes.items()} == {c.name: dtype_of(c) for c in OUTPUT[name].columns}
        assert list(table.index) == list(range(len(table)))


def test_rows_columns_and_frames_give_the_same_table() -> None:
    frame = pd.DataFrame([GRANT])[["share_of_capex", "grant_usd", "payer", "start_year", "facility"]]
    by_column = {key: [value] for key, value in GRANT.items()}
    assert as_table("grants", [GRANT]).equals(as_table("grants", frame))
    assert as_table("grants", [GRANT]).equals(as_table("grants", by_column))


def test_blank_is_nan_na_or_empty_text() -> None:
    row = {**tables()["facilities"][2], "treasury": None, "start_year": None, "owner_npv_without_usd": None}
    table = as_table("facilities", [row])
    assert table.at[0, "treasury"] == ""
    assert table.at[0, "start_year"] is pd.NA
    assert table["owner_npv_without_usd"].isna().all()


def test_a_column_that_may_be_blank_may_be_left_out() -> None:
    rows = [{key: value for key, value in row.items() if key != "level"} for row in tables()["rungs"]]
    assert as_table("rungs", rows)["level"].isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grant": 1.0}, "has no column 'grant'; nearest known: grant_usd"),
        ({"start_year": None}, "column start_year: row 0 is blank"),
        ({"start_year": 2028.5}, "column start_year: must be whole numbers"),
        ({"grant_usd": "much"}, "column grant_usd"),
        ({"grant_usd": float("nan")}, "column grant_usd: row 0 is blank"),
        ({"grant_usd": float("inf")}, "column grant_usd: infinite"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_table("grants", [GRANT | change])


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks column grant_usd"):
        as_table("grants", [{key: value for key, value in GRANT.items() if key != "grant_usd"}])


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="nearest known: grants"):
        complete({"grant": []})


def test_empty_tables_are_all_there() -> None:
    assert list(empty_tables()) == list(OUTPUT)
    assert not any(len(table) for table in empty_tables().values())


def test_keys_name_columns() -> None:
    for table in OUTPUT.values():
        assert set(table.key) <= {column.name for column in table.columns}, table.name
