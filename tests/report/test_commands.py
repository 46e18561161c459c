"""`orepact report` and `orepact compare` from the command line: files, formats, places, refusals, and what the terminal shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

import example_solution
import orepact
from orepact.cli import main
from orepact.solution.solution import Solution
from orepact.solver.result import Status
from tutorial_runs import plan, variants

FORMATS = ("html", "xlsx", "md")
PROOF = "even the planner's relaxation of every path has no plan"
STOPPED = example_solution.solution(result=example_solution.result(status=Status.LIMIT, limit="time", proven="stopped with the gap still open, over 43 paths"))
INFEASIBLE = example_solution.without_plan(result=example_solution.result(status=Status.INFEASIBLE, objective=None, bound=None, gap=None, proven=PROOF))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Run folders by what they hold."""
    folder = tmp_path_factory.mktemp("runs")
    solutions: dict[str, Solution] = {
        "plan": plan(),
        "tighter": variants()["tighter cap"][1],
        "without": variants()["no instruments"][1],
        "stopped": STOPPED,
        "infeasible": INFEASIBLE,
    }
    return {name: solution.save(folder / name) for name, solution in solutions.items()}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on the terminal, without its line breaks."""
    return " ".join(capsys.readouterr().out.split())


def check_written(folder: Path, stem: str, names: tuple[str, ...], formats: tuple[str, ...] = FORMATS) -> None:
    """The files of these formats, and no others, each about these names."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{stem}.{each}" for each in formats)
    for each in formats:
        content = (folder / f"{stem}.{each}").read_bytes()
        if each == "xlsx":
            cells = {str(cell.value) for sheet in load_workbook(BytesIO(content)) for row in sheet.iter_rows() for cell in row}
            assert all(any(name in cell for cell in cells) for name in names)
        else:
            assert all(name in content.decode() for name in names)
    if "html" in formats:
        assert (folder / f"{stem}.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_a_report_is_written_in_all_three_formats(runs: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(runs["plan"]), "--out", str(tmp_path / "new" / "folder")]) == 0
    out = capsys.readouterr().out
    assert out.split() == [str(tmp_path / "new" / "folder" / f"plan-report.{each}") for each in FORMATS]
    check_written(tmp_path / "new" / "folder", "plan-report", ("Alda's new smelter",))


def test_a_report_stands_beside_its_run_by_default(tmp_path: Path) -> None:
    run = plan().save(tmp_path / "beside" / "run")
    assert main(["report", str(run), "--format", "md"]) == 0
    assert sorted(path.name for path in (tmp_path / "beside").iterdir()) == ["run", "run-report.md"]
    assert main(["verify", str(run)]) == 0  # nothing was put into the run


@pytest.mark.parametrize("formats", [("html",), ("xlsx",), ("md",), ("md", "html")])
def test_only_the_formats_asked_for(runs: Mapping[str, Path], tmp_path: Path, formats: tuple[str, ...]) -> None:
    words = [word for each in formats for word in ("--format", each)]
    assert main(["report", str(runs["plan"]), "--out", str(tmp_path / "out"), *words]) == 0
    check_written(tmp_path / "out", "plan-report", ("Alda's new smelter",), formats)
    assert main(["compare", str(runs["plan"]), str(runs["tighter"]), "--out", str(tmp_path / "side"), *words]) == 0
    check_written(tmp_path / "side", "comparison", ("plan", "tighter"), formats)


@pytest.mark.parametrize(("name", "words"), [("stopped", "Stopped at the time limit"), ("infeasible", "Infeasible"), ("without", "No plan found")])
def test_a_run_that_did_not_end_well_has_a_report_that_says_so(runs: Mapping[str, Path], tmp_path: Path, name: str, words: str) -> None:
    assert main(["report", str(runs[name]), "--out", str(tmp_path / "out"), "--format", "md", "--format", "html"]) == 0
    check_written(tmp_path / "out", f"{name}-report", (words,), ("html", "md"))


def test_json_names_the_files_and_says_nothing_else(runs: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(runs["plan"]), "--out", str(tmp_path / "out"), "--format", "md", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"status": "written", "files": [str(tmp_path / "out" / "plan-report.md")]}
    assert main(["compare", str(runs["plan"]), str(runs["tighter"]), "--out", str(tmp_path / "out"), "--format", "md", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"status": "written", "files": [str(tmp_path / "out" / "comparison.md")]}


def test_a_comparison_is_shown_and_written_here(runs: Mapping[str, Path], elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs["plan"]), str(runs["tighter"])]) == 0
    text = said(capsys)
    for words in (
        "plan solved",
        "tighter solved",
        "1/1",
        "tighter: targets differs (1 values)",
        "choices are in every plan",
        *(f"comparison.{e}" for e in FORMATS),
    ):
        assert words in text
    check_written(elsewhere, "comparison", ("plan", "tighter"))


def test_the_baseline_is_the_first_column(runs: Mapping[str, Path], elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs["plan"]), str(runs["tighter"]), "--baseline", str(runs["tighter"]), "--format", "md"]) == 0
    text = said(capsys)
    assert text.index("tighter solved") < text.index("plan solved")
    assert "plan: targets differs" in text
    assert "Baseline: tighter." in (elsewhere / "comparison.md").read_text(encoding="utf-8")
    assert main(["compare", str(runs["plan"]), "--baseline", str(runs["tighter"]), "--format", "md"]) == 0  # the baseline is a run too
    assert "Baseline: tighter." in (elsewhere / "comparison.md").read_text(encoding="utf-8")


def test_runs_that_did_not_end_well_are_shown_with_their_reason(runs: Mapping[str, Path], elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("plan", "without", "stopped", "infeasible")
    assert main(["compare", *(str(runs[name]) for name in names), "--format", "md"]) == 0
    text, page = said(capsys), (elsewhere / "comparison.md").read_text(encoding="utf-8")
    assert "stopped limit" in text
    assert "stopped: stopped at a limit with the best plan so far; stopped with the gap still open, over 43 paths" in text
    for words in ("no plan on the 1 paths examined", PROOF):
        assert words.split()[-1] in text  # the table folds the reason over several lines
        assert words in page
    assert "4 runs" in page
    assert "stopped with the gap still open" in page


def test_comparisons_of_runs_in_memory_name_the_cell_too() -> None:
    report = orepact.compare({"plan": plan(), "tighter": variants()["tighter cap"][1], "bare": variants()["no instruments"][1]})
    cells = report.tables["input_cells"]
    found = {(row["table"], row["row"], row["column"]): (row["baseline"], row["value"], row["runs"]) for row in cells.to_dict("records")}
    assert found["targets", "metal_from_corva", "value"] == ("0.65", "0.6", "tighter")
    assert {key[0] for key, (_, _, names) in found.items() if names == "bare"} == {"contracts", "ladder"}


def nothing(folder: Path) -> Path:
    return folder / "nothing"


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("solution.json", encoding="utf-8")
    return folder / "file"


def altered(folder: Path) -> Path:
    run = plan().save(folder / "altered")
    (run / "solution.json").write_text((run / "solution.json").read_text(encoding="utf-8").replace("solved", "SOLVED"), encoding="utf-8")
    return run


def bereft(folder: Path) -> Path:
    run = plan().save(folder / "bereft")
    (run / "contracts.csv").unlink()
    return run


@pytest.mark.parametrize("bad", [nothing, empty, a_file, altered, bereft])
@pytest.mark.parametrize("command", ["report", "compare", "baseline"])
def test_a_folder_that_is_no_run_is_refused(
    bad: object, command: str, runs: Mapping[str, Path], tmp_path: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(bad)
    run = bad(tmp_path)
    words = {
        "report": ["report", str(run)],
        "compare": ["compare", str(runs["plan"]), str(run)],
        "baseline": ["compare", str(runs["plan"]), "--baseline", str(run)],
    }[command]
    before = sorted(path for path in tmp_path.rglob("*"))
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.err.startswith("orepact: ")
    assert run.name in told.err
    assert "Traceback" not in told.err
    assert not told.out
    assert sorted(path for path in tmp_path.rglob("*")) == before  # nothing was written
    assert main([*words, "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "bad input"
    assert run.name in answer["error"]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "plan", "--format", "pdf"], "a report is written as html, xlsx, md, not 'pdf'"),
        (["compare", "plan", "tighter", "--format", "pdf"], "a report is written as html, xlsx, md, not 'pdf'"),
        (["compare", "plan"], "a comparison takes 2 to 50 runs, not 1"),
        (["report", "plan", "--year", "1999"], "1999"),
        (["report", "plan", "--sensitivity", "missing.json"], "missing.json: not what “orepact sensitivity INSTANCE --json” prints"),
        (["report", "plan", "--out", "taken/below"], "could not be written"),
    ],
)
def test_what_can_not_be_done_is_refused(words: list[str], message: str, runs: Mapping[str, Path], elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "taken").write_text("a file", encoding="utf-8")
    assert main([str(runs[word]) if word in runs else word for word in words]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in elsewhere.iterdir()] == ["taken"]
