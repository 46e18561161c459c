"""Reports as HTML, Excel and Markdown: what they hold, that they need no solver, and that text from an instance stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from openpyxl import load_workbook
from plotly import graph_objects

import example_solution
import orepact
from orepact.errors import OptionError
from orepact.report.charts.style import Chart
from orepact.report.document import plain_text
from orepact.report.markdown import escaped
from orepact.report.written import Report, report_on
from orepact.solution.solution import Solution
from orepact.solution.store import RunError
from orepact.solver.result import Status
from tutorial_runs import EVIL, FORMULA, LONG, hostile, plan, variants

REPORTS: dict[str, Callable[[], Solution]] = {
    "tutorial": plan,
    "made up": example_solution.solution,
    "without a plan": example_solution.without_plan,
    "hostile": hostile,
    "doing nothing": lambda: example_solution.solution(tables={}, cost_terms={}, indicators={}, baseline={}, notes=(), warnings=()),
    "stopped": lambda: example_solution.solution(result=example_solution.result(status=Status.LIMIT, gap=None, bound=None, limit="time")),
    "planner": lambda: example_solution.solution(result=example_solution.result(behaviour="planner")),
}


def charts(report: Report) -> list[Chart]:
    return [item for section in report.document.sections for item in section.items if isinstance(item, Chart)]


@pytest.mark.parametrize("name", REPORTS)
def test_every_kind_of_run_has_a_report(name: str) -> None:
    report = report_on(REPORTS[name]())
    assert report.html.startswith("<!DOCTYPE html>")
    assert report.markdown.startswith("# ")
    assert load_workbook(BytesIO(report.excel)).sheetnames[0] == "Key figures"


@pytest.mark.parametrize("name", ["tutorial", "made up", "hostile"])
def test_charts_are_what_plotly_draws(name: str) -> None:
    """Plotly's own validation of every property; each chart has a title, words that stand for it, and a table with rows."""
    report = report_on(REPORTS[name]())
    assert charts(report)
    for chart in charts(report):
        graph_objects.Figure(chart.figure())
        assert chart.title
        assert chart.says
        assert len(report.tables[chart.table])


def test_the_first_screen_answers() -> None:
    first = report_on(plan()).document
    text = " ".join(plain_text(sentence) for sentence in first.answer)
    assert len(first.answer) == 3
    for words in (
        "free trade throughout, 1 contract",
        "2 of 3 candidate plants are built, 1 of them only because of it",
        "+0.98 MUSD against no policy (+0.2 %)",
        "meets 1 of 1",
    ):
        assert words in text
    assert [board.title for board in first.boards] == ["Welfare", "Public budgets", "Users' bill", "What that buys", "How sure"]
    assert [section.title for section in first.sections] == [
        "Who pays what, for which tonne", "The package", "Dependence, before and after", "The chain, mine to market", "If they flood, if they ban",
        "Would they build anyway?", "What it hangs on", "Every figure's source",
    ]  # fmt: skip


def test_without_a_plan_the_reason_is_all_there_is() -> None:
    report = report_on(example_solution.without_plan())
    assert [section.title for section in report.document.sections] == ["Why there is no plan"]
    assert report.document.boards == ()
    assert "Owner of refinery would not sign." in report.markdown
    assert "USD" not in re.sub(r"Instance digest.*", "", report.markdown)


def test_a_run_without_baseline_claims_no_difference() -> None:
    bare = example_solution.solution(baseline={}, indicators={})
    text = " ".join(plain_text(sentence) for sentence in report_on(bare).document.answer)
    assert "no baseline" in text
    assert "against no policy" not in text


def test_an_older_run_without_the_newer_tables_is_shown() -> None:
    old = {
        name: table
        for name, table in plan().tables.items()
        if name not in ("prices", "additional", "supply", "outages", "recipes", "origins", "products", "countries")
    }
    solution = Solution(plan().result, plan().settings, plan().options, plan().digests, old, plan().cost_terms, plan().baseline, plan().indicators)
    report = report_on(solution)
    assert "older version" in report.html
    assert report.tables["merit_order"].empty


def test_the_page_asks_for_nothing_and_runs_nothing_of_an_instance() -> None:
    html = report_on(hostile()).html
    head = html.partition("<script")[0]
    assert "default-src &#39;none&#39;" in head
    assert re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data:)[^\"']*", head) == []
    assert EVIL not in html
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
    own = re.findall(r"<script(?: [^>]*)?>", html)
    assert len(own) == 4
    embedded = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert len([json.loads(text) for text in embedded]) == 2


def test_no_cell_of_the_workbook_is_a_formula() -> None:
    book = load_workbook(BytesIO(report_on(hostile()).excel))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    assert any(cell.value == f"{FORMULA} 1" for cell in cells)
    assert all(cell.hyperlink is None or (cell.hyperlink.target is None and cell.hyperlink.location) for cell in cells)


def test_the_workbook_holds_every_table_with_its_numbers() -> None:
    report = report_on(plan())
    book = load_workbook(BytesIO(report.excel))
    assert book.sheetnames[:2] == ["Key figures", "Contents"]
    assert set(book.sheetnames[2:]) == {name for name, table in report.tables.items() if len(table) and name != "key_figures"}
    for name, table in report.tables.items():
        if len(table) and name != "key_figures":
            rows = list(book[name].iter_rows(values_only=True))
            assert list(rows[0]) == list(table.columns)
            assert len(rows) == len(table) + 2
            number = next((n for n, column in enumerate(table.columns) if table[column].dtype == "float64"), None)
            if number is not None:
                seen = [row[number] for row in rows[2:]]
                assert [value for value in seen if value is not None] == pytest.approx(table[table.columns[number]].dropna().tolist())


def test_libreoffice_opens_the_workbook(soffice: str, tmp_path: Path) -> None:
    """What it reads from the first sheet are our key figures, and nothing was mended on the way."""
    (file,) = report_on(hostile()).save(tmp_path, ["xlsx"])
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    done = subprocess.run(
        [soffice, profile, "--headless", "--convert-to", "csv", "--outdir", str(tmp_path), str(file)], capture_output=True, text=True, check=True
    )
    lines = file.with_suffix(".csv").read_text(encoding="utf-8", errors="replace").splitlines()
    assert "repair" not in (done.stdout + done.stderr).lower()
    assert any(line.startswith("figure,label,value,unit,source") for line in lines)
    assert any(line.startswith("cost,") and "581180000" in line.replace('"', "").replace(",", "") for line in lines)


def test_the_markdown_renders_and_text_stays_text() -> None:
    html = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(report_on(hostile()).markdown)
    assert "<table>" in html
    assert not re.search(r"<(script|img|b|a|code)\b", html)
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in html


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        FORMULA,
        "# no heading",
        "1. no list",
        "- no list",
        "> no quote",
        "a | b",
        "[link](x)",
        "`code`",
        "**bold**",
        "_x_",
        "www.x.org",
        "me@x.org",
        "https://x.org",
        "\\",
        "&lt;",
        "---",
        "+ x",
        "~~x~~",
        "snake_case",
    ],
)
def test_escaped_text_renders_as_itself(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(escaped(text))
    plain = rendered.strip().removeprefix("<p>").removesuffix("</p>")
    assert "<" not in plain
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    assert plain == text


def test_python_gets_the_tables_and_the_files(tmp_path: Path) -> None:
    run = plan().save(tmp_path / "run")
    report = orepact.report(run)
    assert isinstance(report.tables["who_pays"], pd.DataFrame)
    files = report.save(tmp_path / "new folder")
    assert [file.name for file in files] == ["run-report.html", "run-report.xlsx", "run-report.md"]
    assert [file.name for file in (tmp_path / "new folder").iterdir() if file.name.startswith(".")] == []
    assert "solution.json" in report.html
    with pytest.raises(OptionError, match="html, xlsx, md, not 'pdf'"):
        report.save(tmp_path, ["pdf"])


def test_what_can_not_be_reported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        report_on(tmp_path / "nowhere")
    with pytest.raises(OptionError, match=r"2026, 2031\), not 2027"):
        report_on(plan(), year=2027)
    (tmp_path / "ranges.json").write_text("[]", encoding="utf-8")
    with pytest.raises(OptionError, match="orepact sensitivity INSTANCE --json"):
        report_on(plan(), sensitivity=tmp_path / "ranges.json")


def test_the_year_chosen_is_shown() -> None:
    assert set(report_on(plan(), year=2026).tables["merit_order"]["first_year"]) == {2026}
    assert set(report_on(plan()).tables["merit_order"]["first_year"]) == {2031}


def test_sensitivities_are_shown_where_given(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"range": "opex", "name": EVIL, "swing_usd": 5.0, "objective_low": None}]
    file = tmp_path / "ranges.json"
    file.write_text(json.dumps({"status": "solved", "ranges": rows}), encoding="utf-8")
    assert "Which assumed figures matter" in report_on(plan(), sensitivity=file).markdown
    assert "was not measured" in report_on(plan()).markdown


WITHOUT_A_SOLVER = """
import sys
import orepact
report = orepact.report(sys.argv[1])
report.html, report.excel, report.markdown
orepact.compare([sys.argv[1], sys.argv[1]]).html
assert not {name.split(".")[0] for name in sys.modules} & {"pyomo", "highspy"}
"""


def test_reports_need_no_solver(tmp_path: Path) -> None:
    run = plan().save(tmp_path / "run")
    subprocess.run([sys.executable, "-c", WITHOUT_A_SOLVER, str(run)], check=True)


WITHOUT_PLOTLY = """
import sys
sys.modules["plotly"] = None
import orepact
try:
    orepact.report("anywhere")
except orepact.OptionError as error:
    assert "orepact[report]" in str(error), error
else:
    raise SystemExit("no error")
"""


def test_a_missing_library_is_named() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_PLOTLY], check=True)


def test_endless_names_are_cut_in_running_text_only() -> None:
    report = report_on(hostile())
    assert LONG in report.html
    assert all(len(chart.title) < 250 for chart in charts(report))
    assert set(variants())
