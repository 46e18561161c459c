"""The run folder: whole or absent, exact, tamper-evident, and never at the expense of somebody else's files."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from example_solution import solution
from orepact.solution import store
from orepact.solution.schema import OUTPUT
from orepact.solution.solution import load
from orepact.solution.store import Run, RunError, check_target, write_new_run
from orepact.solution.tables import as_table
from orepact.texts import UNSAFE


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_holds_summary_manifest_and_a_file_per_table(tmp_path: Path) -> None:
    folder = solution().save(tmp_path / "deep" / "run")
    assert {path.name for path in folder.iterdir()} == {"solution.json", "manifest.json"} | {f"{name}.csv" for name in OUTPUT}
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_the_same_solution_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = solution()
    assert contents(plan.save(tmp_path / "a")) == contents(plan.save(tmp_path / "b"))


def test_keys_are_sorted_and_numbers_are_exact(tmp_path: Path) -> None:
    folder = solution().save(tmp_path / "run")
    summary = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    assert list(summary) == sorted(summary)
    assert (folder / "output.csv").read_text(encoding="utf-8").splitlines()[1] == "refinery,2030,base,1100.0,0.30000000000000004,-1e-07,true"


def test_a_spreadsheet_runs_no_cell(tmp_path: Path) -> None:
    folder = solution().save(tmp_path / "run")
    assert "'=Refinery" in (folder / "facilities.csv").read_text(encoding="utf-8")
    assert load(folder).table("facilities").at[0, "name"] == "=Refinery [bold]One[/bold]"


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8")).filter(lambda text: not UNSAFE.search(text)), st.floats(allow_nan=False, allow_infinity=False)),
        max_size=5,
    )
)
@settings(max_examples=40)
def test_any_text_and_any_number_survive(cells: list[tuple[str, float]]) -> None:
    rows = [{"path": text, "objective": number, "bound": None, "status": text[::-1], "rank": n} for n, (text, number) in enumerate(cells)]
    table = as_table("paths", rows)
    written = store._csv_bytes("paths", table)
    assert store._table("paths", written).equals(table)


@pytest.mark.parametrize("failing", ["_csv_bytes", "json_bytes", "flush_folder", "_replace"])
def test_a_run_that_fails_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, failing, fail)
    with pytest.raises(RunError, match="No space left on device"):
        solution().save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_between_two_files_leaves_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed means that nothing cleans up; what is left is hidden and no run."""
    flushed: list[int] = []
    flush = os.fsync

    def killed(handle: int) -> None:
        flushed.append(handle)
        if len(flushed) == 3:
            raise KeyboardInterrupt
        flush(handle)

    monkeypatch.setattr(os, "fsync", killed)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        solution().save(tmp_path / "run")
    left = list(tmp_path.iterdir())
    assert [path.name[0] for path in left] == ["."]
    with pytest.raises(RunError, match="not a run folder"):
        load(left[0])


def test_an_older_run_is_replaced_whole(tmp_path: Path) -> None:
    folder = solution(notes=("first",)).save(tmp_path / "run")
    solution(notes=("second",)).save(folder)
    assert load(folder).notes == ("second",)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_older_run_survives_a_failed_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = solution(notes=("first",)).save(tmp_path / "run")

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RunError, match="Input/output error"):
        solution(notes=("second",)).save(folder)
    assert load(folder).notes == ("first",)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(RunError, match="not a run folder"):
        solution().save(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_run_folder_with_other_files_in_it_is_refused(tmp_path: Path) -> None:
    folder = solution().save(tmp_path / "run")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match=r"also holds notes\.txt"):
        solution().save(folder)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for target in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RunError, match="folder"):
            check_target(target)


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert load(solution().save(tmp_path / "run")).has_plan


def test_runs_of_the_same_second_get_names_of_their_own(tmp_path: Path) -> None:
    plan = solution()
    folders = [write_new_run("two-stages-20260101-120000", Run(plan.summary(), plan.tables), tmp_path) for _ in range(3)]
    assert [folder.name for folder in folders] == ["two-stages-20260101-120000", "two-stages-20260101-120000-2", "two-stages-20260101-120000-3"]


def test_without_a_folder_a_run_goes_to_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = solution().save()
    assert re.fullmatch(r"runs/two-stages-\d{8}-\d{6}", folder.as_posix())
    assert load(folder).name == "two-stages"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "rungs.csv").unlink(), r"rungs\.csv: missing"),
        (lambda folder: (folder / "rungs.csv").write_text("product\n", encoding="utf-8"), r"rungs\.csv: altered"),
        (lambda folder: (folder / "solution.json").write_text("{}", encoding="utf-8"), r"solution\.json: altered"),
        (lambda folder: (folder / "solution.json").unlink(), r"solution\.json: missing"),
        (lambda folder: (folder / "manifest.json").unlink(), r"manifest\.json is missing"),
        (lambda folder: (folder / "manifest.json").write_text("[]", encoding="utf-8"), r"manifest\.json: can't be read"),
        (lambda folder: (folder / "manifest.json").write_text('{"kind": "x", "format": 1, "files": {}}', encoding="utf-8"), "not the manifest of a run"),
        (
            lambda folder: (folder / "manifest.json").write_text('{"kind": "orepact run", "format": 2, "files": {}}', encoding="utf-8"),
            "format 2; this version reads format 1",
        ),
        (
            lambda folder: (folder / "manifest.json").write_text('{"kind": "orepact run", "format": 1, "files": {"../x": ""}}', encoding="utf-8"),
            "no file of a run",
        ),
        (
            lambda folder: (folder / "manifest.json").write_text('{"kind": "orepact run", "format": 1, "files": {}}', encoding="utf-8"),
            r"lists no solution\.json",
        ),
    ],
)
def test_an_incomplete_or_altered_run_is_refused(tmp_path: Path, spoil: Any, message: str) -> None:
    folder = solution().save(tmp_path / "run")
    spoil(folder)
    with pytest.raises(RunError, match=message):
        load(folder)


def test_no_folder_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        load(tmp_path / "nowhere")
