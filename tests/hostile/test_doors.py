"""Every other way in and out: folders, packages, --set, stored runs; what is printed and what a spreadsheet would open."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import orepact
from example_solution import solution
from orepact import cli
from orepact.errors import InstanceError
from orepact.instance import intake
from orepact.instance.instance import Instance
from orepact.instance.package import parse_package
from orepact.instance.reader import read
from orepact.instance.writer import write
from orepact.solution.solution import Solution
from orepact.solution.store import RunError
from orepact.texts import guarded, printable, unguarded

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a small instance, to be spoilt."""
    return Path(shutil.copytree(ROOT / "tests/data/border", tmp_path / "instance"))


def only_problem(folder: Path) -> tuple[str, str]:
    with pytest.raises(InstanceError) as error:
        read(folder)
    (problem,) = error.value.problems
    return problem.file, problem.rule


# ---- folders ----------------------------------------------------------------------------------
@POSIX
@pytest.mark.parametrize("name", ["prices.csv", "instance.toml"])
def test_links_out_of_the_folder_are_not_followed(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert only_problem(folder) == (name, "is a link that leads out of the folder")


@POSIX
def test_links_within_the_folder_are(folder: Path) -> None:
    good = read(folder)
    (folder / "prices.csv").rename(folder / "old.txt")
    (folder / "prices.csv").symlink_to("old.txt")
    assert read(folder) == good


@POSIX
@pytest.mark.parametrize("name", ["prices.csv", "instance.toml"])
def test_pipes_devices_folders_and_loose_links_are_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert only_problem(folder) == (name, "is not a plain file")
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    assert only_problem(folder) == (name, "is a link that leads out of the folder")
    (folder / name).unlink()
    (folder / name).mkdir()
    assert only_problem(folder) == (name, "is not a plain file")
    (folder / name).rmdir()
    (folder / name).symlink_to("nowhere")
    with pytest.raises(InstanceError, match="can't be read: No such file"):
        read(folder)
    (folder / name).unlink()
    (folder / name).symlink_to(name)
    with pytest.raises(InstanceError, match="can't be read"):
        read(folder)


@POSIX
def test_devices_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").symlink_to("/dev/zero")
    with pytest.raises(InstanceError, match="is not a plain file"):
        read(tmp_path / "book.xlsx")


def test_files_and_tables_of_impossible_size(folder: Path) -> None:
    head = (folder / "prices.csv").read_bytes()
    (folder / "prices.csv").write_bytes(head + b"x" * intake.LARGEST_FILE)
    assert only_problem(folder) == ("prices.csv", "is larger than 32 MB, the most that is read")
    (folder / "prices.csv").write_bytes(head.partition(b"\n")[0] + b"\n" + b"x\n" * (intake.ROWS + 1))
    assert only_problem(folder) == ("prices.csv", "a table has at most 100,000 rows")
    (folder / "prices.csv").write_bytes(head + b"," * 5000 + b"\n")
    assert only_problem(folder) == ("prices.csv", "row has 5001 cells; a table has at most 1000 columns")
    (folder / "prices.csv").write_bytes(head)
    (folder / "instance.toml").write_bytes(b"#" * (intake.LARGEST_TOML + 1))
    assert only_problem(folder) == ("instance.toml", "is larger than 0.256 MB, the most that is read")


def test_a_name_never_leads_out_of_the_output_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (folder / "instance.toml").read_text()
    for name in ("..", "../x", "/etc/x", "a/b", "a\\\\b", "C:x", "NUL", "con.txt", "a.", "", "x" * 65, "a\\u0000", "-x", "~x"):
        (folder / "instance.toml").write_text(text.replace('name = "border"', f'name = "{name}"'))
        with pytest.raises(InstanceError, match=r"instance\.name"):
            read(folder)
    monkeypatch.chdir(tmp_path)
    (folder / "instance.toml").write_text(text.replace('name = "border"', 'name = "a..b"'))
    run = solution_named(read(folder).name).save()
    assert run.resolve().parent == (tmp_path / "runs").resolve()


def solution_named(name: str) -> Solution:
    made = solution()
    settings = made.settings.model_copy(update={"instance": made.settings.instance.model_copy(update={"name": name})})
    return Solution(made.result, settings, made.options, made.digests)


# ---- what is printed --------------------------------------------------------------------------
def printed(*words: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(list(words))
    return code, out.getvalue() + err.getvalue()


STEERING = ("\x1b[2J", "\x9b31m", "\x1b]0;title\x07", "\u202egnp.exe", "\u200b", "\x08\x08", "\r")


@pytest.mark.parametrize("steering", STEERING)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_input_steers_the_terminal(steering: str, as_json: bool, folder: Path) -> None:
    head, _, body = (folder / "prices.csv").read_text().partition("\n")
    (folder / "prices.csv").write_text(f'{head},"x{steering}y"\n{body}', encoding="utf-8", newline="")
    (folder / f"demand{steering}.csv").write_text("x")
    (folder / "instance.toml").write_text((folder / "instance.toml").read_text() + f'\n["x{steering}"]\na = 1\n', encoding="utf-8", newline="")
    code, text = printed("validate", str(folder), *(["--json"] if as_json else []))
    assert code == 2
    assert all(c.isprintable() or c == "\n" for c in text)


def test_markup_is_shown_as_text(folder: Path) -> None:
    (folder / "instance.toml").write_text(
        (folder / "instance.toml").read_text().replace('name = "border"', 'name = "border"\ntitle = "[red]a[/red] :boom: <b>"')
    )
    code, text = printed("solve", str(folder), "--out", str(folder.parent / "run"), "--quiet", "--set", "solve.stress=false")
    assert code == 0
    assert "[red]a[/red] :boom: <b>" in text


def test_printable_says_what_was_there() -> None:
    assert printable("a\x1b[31m\u202eü\nb\t") == "a\\x1b[31m\\u202eü\nb\\t"
    assert printable("x" * 500, 10) == "xxxxxxxxxx... (500 characters)"


# ---- spreadsheets -----------------------------------------------------------------------------
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "=cmd|' /C calc'!A0", "'=1", "''", "'quoted' text", "＝1", "-", "--- n/a ---")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula_in_a_csv_file(text: str, folder: Path, tmp_path: Path) -> None:
    instance = read(folder)
    rows = instance.table("prices").assign(note=text)
    changed = instance.with_table("prices", rows)
    write(changed, tmp_path / "written")
    for row in csv.reader(io.StringIO((tmp_path / "written" / "prices.csv").read_text(encoding="utf-8"), newline="")):
        assert not any(cell.lstrip()[:1] in tuple("=+-@＝") and not is_number(cell) for cell in row if cell)
    assert read(tmp_path / "written") == changed
    write(changed, tmp_path / "book.xlsx")
    assert read(tmp_path / "book.xlsx") == changed


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_guarding_is_undone_exactly() -> None:
    dice = random.Random(1)
    for _ in range(2000):
        text = "".join(dice.choice("'=+-@ \t\nax1＝") for _ in range(dice.randint(0, 5)))
        assert unguarded(guarded(text)) == text
        assert guarded(text).lstrip()[:1] not in ("=", "+", "-", "@", "＝")


# ---- packages and --set -----------------------------------------------------------------------
@pytest.fixture(scope="module")
def tutorial() -> Instance:
    return read(ROOT / "instances/tutorial")


SCRAPS = (
    "rest = 1", "[[rung]]", "rung = 1", "[rung]\nproduct = 1", "[[contract]]\nshare = inf", "[[contract]]\nshare = nan", "[[grant]]\nusd = 1e400", "x = " + "[" * 2000,
    "[[start]]\nyear = 2028-01-01", "[[start]]\nyear = 99999999999999999999999", '[[rung]]\nproduct = "\\u001b[2J"', "[[grant]]\nusd = true", "a" + ".a" * 3000 + " = 1",
    '[[rung]]\n"\\u001b" = 1', "[[rung]]\nproduct = {a = 1}", "[[rung]]\nproduct = ['x']", "x = " + "9" * 5000, "\x00", "rest = 'none'\nrest = 'free'",
)  # fmt: skip


@pytest.mark.parametrize("seed", [*range(15), *(pytest.param(n, marks=pytest.mark.slow) for n in range(15, 300))])
def test_mutated_packages(seed: int, tutorial: Instance) -> None:
    dice = random.Random(seed)
    text = (ROOT / "instances/tutorial/packages" / dice.choice(("brena.toml", "floor.toml", "small.toml"))).read_text()
    for _ in range(dice.choice((1, 1, 3))):
        lines = text.split("\n")
        at = dice.randrange(len(lines) + 1)
        match dice.choice(("scrap", "drop", "twice", "value", "flip")):
            case "scrap":
                lines[at:at] = [dice.choice(SCRAPS)]
            case "drop":
                del lines[at : at + 1]
            case "twice":
                lines[at:at] = lines[at : at + 1]
            case "value":
                value = dice.choice(("-1", "0", "1e308", "nan", "true", '""', '"\\u202E"', "[]", "{}", "1e-9", '"x"', "2028", "9" * 30))
                lines = [line.partition("=")[0] + "= " + value if n == at and "=" in line else line for n, line in enumerate(lines)]
            case _:
                where = dice.randrange(len(text))
                lines = (text[:where] + chr(dice.randrange(1, 0x250)) + text[where + 1 :]).split("\n")
        text = "\n".join(lines)
    package, refusal = None, None
    try:
        package = parse_package(text, tutorial, "package.toml")
    except InstanceError as error:
        refusal = error
    if refusal is not None:
        assert refusal.problems
        assert all(c.isprintable() or c == "\n" for c in str(refusal))
    else:
        assert package is not None
        assert orepact.package_from(package.content(), tutorial) == package


@pytest.mark.parametrize("value", ["1e308", "[" * 3000, "9" * 5000, "\x1b[2J", "nan", "2026-01-01", "a\nb = 1", "{a=1}", "'", '"\\u001b"', "[1, [2]]"])
def test_any_value_of_set_is_an_option_error_at_most(value: str) -> None:
    for path in ("economics.social_rate", "instance.title", "instance.name", "solve.gap", "solve.solver", "horizon.period_years"):
        code, text = printed("validate", str(ROOT / "tests/data/border"), "--set", f"{path}={value}")
        assert code in (0, 2)
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "internal fault" not in text


# ---- stored runs ------------------------------------------------------------------------------
Change = Callable[[dict[str, Any]], object]


def tampered(folder: Path, name: str, content: bytes) -> Path:
    """A run folder with one file replaced and the manifest made to agree: what somebody could hand in."""
    run = solution().save(folder / "run")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"][name] = sha256(content).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / name).write_bytes(content)
    return run


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"7", b'"x"', b"{}", b"[" * 100_000, b'{"a":' * 50_000, b'{"kind": NaN}', b"\xff\xfe", b"9" * 5000, b'{"a": 1, "a": 2}',
        b'{"kind": "orepact run", "format": 1, "files": []}', b'{"kind": "orepact run", "format": 1, "files": {"../x.csv": "0"}}',
        b'{"kind": "orepact run", "format": 1, "files": {"/etc/passwd": "0"}}', b'{"kind": "orepact run", "format": 1, "files": 7}',
        b'{"kind": "orepact run", "format": 1, "files": ["ab"]}', b'{"kind": "orepact run", "format": 1, "files": {"solution.json": 7}}',
    ],
)  # fmt: skip
def test_manifests_and_summaries_that_are_none(content: bytes, tmp_path: Path) -> None:
    for name in ("manifest.json", "solution.json"):
        with pytest.raises(RunError):
            orepact.load(tampered(tmp_path / name, name, content))


@POSIX
def test_a_run_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    run = solution().save(tmp_path / "run")
    (run / "rungs.csv").rename(tmp_path / "elsewhere.csv")
    (run / "rungs.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(RunError, match=r"rungs\.csv: is a link that leads out of the folder"):
        orepact.load(run)
    (run / "rungs.csv").unlink()
    os.mkfifo(run / "rungs.csv")
    with pytest.raises(RunError, match=r"rungs\.csv: is not a plain file"):
        orepact.load(run)


JUNK: tuple[Any, ...] = (None, "x", "\x1b[2J", -1, 1e308, 10**400, [], {}, True, ["x"], {"x": 1}, "9", "‮", [[[]]], 0.5, "nan")


def spoilt(dice: random.Random, value: Any) -> Any:
    """The value with one entry somewhere in it replaced, dropped or added."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(sorted(value))
        match dice.choice(("in", "in", "in", "in", "drop", "add")):
            case "drop":
                return {k: v for k, v in value.items() if k != key}
            case "add":
                return {**value, dice.choice(("x", "", "\x1b[2J", "status")): dice.choice(JUNK)}
        return {**value, key: spoilt(dice, value[key])}
    if isinstance(value, list) and value and dice.random() < 0.7:
        n = dice.randrange(len(value))
        return [*value[:n], spoilt(dice, value[n]), *value[n + 1 :]]
    return dice.choice(JUNK)


@pytest.mark.parametrize("first", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(20, 400, 20))])
def test_mutated_runs(first: int, tmp_path: Path) -> None:
    """A run that somebody wrote is refused or shown; it never ends in a traceback and never steers the terminal."""
    run = solution().save(tmp_path / "run")
    whole = {path.name: path.read_bytes() for path in run.iterdir()}
    for seed in range(first, first + 20):
        dice = random.Random(seed)
        name = "solution.json" if dice.random() < 0.6 else dice.choice(sorted(n for n in whole if n.endswith(".csv") and whole[n].count(b"\n") > 1))
        if name == "solution.json":
            content = json.dumps(spoilt(dice, copy.deepcopy(json.loads(whole[name])))).encode()
        else:
            rows = list(csv.reader(io.StringIO(whole[name].decode(), newline="")))
            row = dice.choice(rows)
            row[dice.randrange(len(row))] = dice.choice(("", "x", "nan", "inf", "1e400", "9" * 400, "\x1b[2J", "‮", "-1", "true", "=1", "'", "1,5", "９"))
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            content = text.getvalue().encode()
        for other, old in whole.items():
            (run / other).write_bytes(old)
        (run / name).write_bytes(content)
        manifest = json.loads(whole["manifest.json"])
        manifest["files"][name] = sha256(content).hexdigest()
        (run / "manifest.json").write_text(json.dumps(manifest))
        code, text_out = printed("show", str(run))
        assert code in (0, 2), f"{seed} {name}: {text_out[-300:]}"
        assert all(c.isprintable() or c == "\n" for c in text_out), f"{seed} {name}"
