"""The comparison in its three formats, from Python, and on the terminal."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from plotly import graph_objects

import example_solution
import orepact
from orepact.errors import OptionError
from orepact.report.charts.style import Chart
from orepact.report.document import plain_text
from orepact.report.on_screen import print_comparison
from orepact.report.written import comparison_of
from orepact.solution.solution import Solution
from tutorial_runs import plan, variants


def solutions(*names: str) -> dict[str, Solution]:
    return {name: variants()[name][1] for name in (names or variants())}


def test_every_run_is_on_every_page() -> None:
    report = comparison_of(solutions())
    for name in variants():
        assert name in report.markdown
        assert name in report.html
    assert "no instruments has no plan" in report.markdown
    assert [section.title for section in report.document.sections][:3] == ["Runs side by side", "What differs in the input", "What differs in the plan"]
    assert load_workbook(BytesIO(report.excel)).sheetnames[:3] == ["Key figures", "Contents", "runs"]


def test_charts_are_what_plotly_draws() -> None:
    report = comparison_of(solutions())
    drawn = [item for section in report.document.sections for item in section.items if isinstance(item, Chart)]
    assert {chart.code.split("-")[0] for chart in drawn} >= {"scatter", "agreement", "project", "steps", "target", "reliance", "paid"}
    for chart in drawn:
        graph_objects.Figure(chart.figure())


def test_the_baseline_comes_first(tmp_path: Path) -> None:
    folders = [solution.save(tmp_path / name.replace(" ", "-")) for name, solution in solutions("free trade", "plan").items()]
    report = orepact.compare(folders, baseline=folders[1])
    assert report.tables["runs"]["run"].tolist() == ["plan", "free-trade"]
    added = orepact.compare(folders[:1], baseline=folders[1])
    assert added.tables["runs"]["run"].tolist() == ["plan", "free-trade"]


def test_a_run_folder_with_its_instance_is_compared_to_the_cell(tmp_path: Path) -> None:
    folders = [variants()[name][1].save(tmp_path / name) for name in ("plan", "tighter cap", "no instruments")]
    cells = comparison_of(folders).tables["input_cells"]
    assert cells.query("runs == 'tighter cap'")["value"].tolist() == ["0.6"]
    assert set(cells.query("runs == 'no instruments'")["table"]) == {"contracts", "ladder"}


def test_runs_of_different_instances_say_what_they_do_not_share() -> None:
    report = comparison_of({"tutorial": plan(), "made up": example_solution.solution()})
    assert "different instances: tutorial, two-stages" in report.markdown
    missing = set(report.tables["not_shared"]["code"])
    assert {"metal", "oxide", "metal_from_corva"} <= missing


def test_nothing_but_runs_without_a_plan() -> None:
    report = comparison_of({"a": example_solution.without_plan(), "b": example_solution.without_plan()})
    assert "0 of 2 runs have a plan" in plain_text(report.document.answer[0])
    assert report.html
    assert report.excel


def test_equal_names_are_told_apart() -> None:
    assert comparison_of([plan(), plan()]).tables["runs"]["run"].tolist() == ["tutorial", "tutorial (2)"]


def test_one_run_is_no_comparison() -> None:
    with pytest.raises(OptionError, match="2 to 50 runs, not 1"):
        comparison_of([plan()])


def test_the_terminal_shows_a_short_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(comparison_of(solutions()).tables)
    text = " ".join(capsys.readouterr().out.split())
    for words in ("tighter cap", "0/1", "1/1", "no plan on the 1 paths examined", "targets differs", "choices are in every plan"):
        assert words in text


def test_fifty_runs() -> None:
    report = comparison_of({f"run {n}": plan() for n in range(50)})
    assert len(report.html.encode()) < 8_000_000
    assert len(report.tables["runs"]) == 50
