"""Runs side by side: what differs in the input to the cell, what plans agree on, what is said of runs without a plan."""

from __future__ import annotations

import pytest

from orepact.analysis.compared import COMPARED
from orepact.analysis.comparison import comparison_tables
from orepact.analysis.input_differences import Compared
from orepact.errors import OptionError
from tutorial_runs import plan, variants


def runs(*names: str, with_instance: bool = True) -> list[Compared]:
    return [Compared(name, variants()[name][1], variants()[name][0] if with_instance else None) for name in names]


def test_tables_have_exactly_their_columns() -> None:
    tables = comparison_tables(runs(*variants()))
    assert list(tables) == list(COMPARED)
    for name, about in COMPARED.items():
        assert list(tables[name].columns) == [column.name for column in about.columns]
        assert not tables[name].duplicated(list(about.key)).any(), name


def test_a_changed_cell_is_named_with_both_values() -> None:
    cells = comparison_tables(runs("plan", "tighter cap"))["input_cells"]
    assert cells.to_dict("records") == [
        {"table": "targets", "row": "metal_from_corva", "column": "value", "baseline": "0.65", "value": "0.6", "runs": "tighter cap", "count": 1}
    ]


def test_rows_that_are_gone_are_named_once() -> None:
    tables = comparison_tables(runs("plan", "no instruments"))
    rows = tables["input_cells"].query("table == 'contracts'")
    assert set(rows["column"]) == {"(row)"}
    assert set(rows["baseline"]) == {"present"}
    counts = tables["input_tables"].set_index("table")
    assert counts.at["contracts", "rows_removed"] == len(rows) == 2
    assert counts.at["contracts", "cells"] == 0


def test_settings_options_and_packages_are_compared_by_path() -> None:
    cells = comparison_tables(runs("plan", "another world", "free trade"))["input_cells"]
    found = {(row["table"], row["column"]): (row["baseline"], row["value"], row["runs"]) for row in cells.to_dict("records")}
    assert found["settings", "economics.social_rate"] == ("0", "0.05", "another world")
    assert found["package", "rest"] == ("absent", "none", "free trade")


def test_without_the_instance_digests_still_tell() -> None:
    tables = comparison_tables(runs("plan", "tighter cap", with_instance=False))
    assert tables["input_cells"].empty
    row = tables["input_tables"].iloc[0]
    assert (row["table"], row["note"]) == ("targets", "the run does not hold its instance: only the table's digest is known")


def test_runs_without_a_plan_keep_their_row_and_reason() -> None:
    table = comparison_tables(runs(*variants()))["runs"].set_index("run")
    assert table.index.tolist() == list(variants())
    assert "no plan on the 1 paths examined" in str(table.at["no instruments", "reason"])
    assert table.loc["no instruments", ["cost_usd", "extra_usd", "worst_reliance"]].isna().all()
    assert table.at["plan", "against_usd"] == pytest.approx(980_000)
    assert table.at["tighter cap", "worst_reliance"] == pytest.approx(0.6)


def test_robust_choices_are_in_every_plan() -> None:
    choices = comparison_tables(runs("free trade", "plan", "tighter cap", "no instruments"))["choices"]
    found = {(row["subject"], row["what"]): (row["verdict"], row["count"], row["plans"]) for row in choices.to_dict("records")}
    assert found["Brena's new mine", "built"] == ("robust", 3, 3)
    assert found["Alda's new smelter", "built"] == ("contested", 2, 3)
    assert choices["verdict"].tolist() == sorted(choices["verdict"], reverse=True)


def test_costs_by_term_add_up_to_the_difference() -> None:
    tables = comparison_tables(runs("free trade", "plan", "tighter cap"))
    by_run = tables["cost_terms"].groupby("run")[["usd", "against_usd"]].sum()
    stated = tables["runs"].set_index("run")
    for name in by_run.index:
        assert by_run.at[name, "usd"] == pytest.approx(stated.at[name, "cost_usd"])
        assert by_run.at[name, "against_usd"] == pytest.approx(stated.at[name, "against_usd"], abs=1e-3)


def test_equal_runs_differ_in_nothing() -> None:
    tables = comparison_tables([Compared("a", plan()), Compared("b", plan())])
    assert tables["input_cells"].empty
    assert tables["input_tables"].empty
    assert set(tables["choices"]["verdict"]) == {"robust"}


@pytest.mark.parametrize("number", [0, 1, 51])
def test_two_to_fifty(number: int) -> None:
    with pytest.raises(OptionError, match=f"2 to 50 runs, not {number}"):
        comparison_tables([Compared(str(n), plan()) for n in range(number)])
