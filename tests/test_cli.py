"""The command line: what it asks of the API, what it prints, and how it ends. The API itself is a stand-in here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pytest

import orepact
from example_solution import SETTINGS, result, solution, without_plan
from orepact.cli import main
from orepact.errors import InfeasibleError, InstanceError, NoSolutionError, OptionError, Problem, SolverError
from orepact.options import SolveOptions
from orepact.solution.solution import Solution, load
from orepact.solver.diagnosis.diagnosis import Conflict, Diagnosis, Place, Repair, Step
from orepact.solver.result import Status

ROOT = Path(__file__).parents[1]
PROBLEM = Problem("demand.csv", 4, "product", "oxid", "unknown product; nearest known: oxide")


CELL = Place("targets.csv", 3, "value", "0.65")
REPAIR = Repair("target own", 7.0, True, (Step(CELL, "0.58", "targets.csv row 3, value: 0.65 → 0.58"),), "solved again: a plan on price path: free trade")


class StandIn:
    """An instance that remembers what was changed."""

    name = SETTINGS.instance.name
    warnings = (Problem("demand.csv", 4, None, None, "supply cannot reach it"),)

    def __init__(self, **changed: Any) -> None:
        self.changed = changed

    def with_setting(self, path: str, value: object) -> StandIn:
        return StandIn(**self.changed, **{path: value})


class Api:
    """The public API as the command line sees it: it notes every call and answers as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answer: Solution | Exception = solution()
        self.problems: list[Problem] = []
        self.listener = StringIO()  # something with an end
        self.quiet: bool | None = None
        self.diagnosis = Diagnosis("no plan", "on all 3 price paths examined", (Conflict("target own, M: too much", True, (CELL,)),), True, (REPAIR,))

    def read(self, path: Path) -> StandIn:
        if self.problems:
            raise InstanceError(self.problems)
        return StandIn(path=path)

    def solve(self, instance: StandIn, options: SolveOptions, listener: object = None) -> Solution:
        self.calls.append(("solve", instance.changed, options, listener))
        print("chatter of some library")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def evaluate(self, instance: StandIn, package: object, options: SolveOptions, listener: object = None) -> Solution:
        self.calls.append(("evaluate", package))
        return self.solve(instance, options, listener)

    def export(self, instance: StandIn, options: SolveOptions, path: Path, format: str) -> None:
        self.calls.append(("export", instance.changed, options.behaviour, path, format))

    def sensitivity(self, instance: StandIn, options: SolveOptions, top: int = 5, listener: object = None) -> pd.DataFrame:
        self.calls.append(("sensitivity", instance.changed, options, top, listener))
        factors = {"range": "r", "name": "price of ore", "low_factor": 0.8, "high_factor": 1.2, "swing_usd": 1e8}
        return pd.DataFrame([factors | {"objective": 1e9, "objective_low": 0.9e9, "objective_high": None, "status_low": "limit", "status_high": "infeasible"}])

    def validate(self, instance: StandIn) -> list[Problem]:
        return list(instance.warnings)

    def explain(self, instance: StandIn, options: SolveOptions, listener: object = None) -> Diagnosis:
        self.calls.append(("explain", instance.changed, options, listener))
        return self.diagnosis

    def reporter(self, stream: TextIO, quiet: bool) -> StringIO:
        assert stream is sys.stderr
        self.quiet = quiet
        return self.listener


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    stand_in = Api()
    for name in ("read", "solve", "evaluate", "export", "sensitivity", "validate", "explain", "reporter"):
        monkeypatch.setitem(orepact.__dict__, name, getattr(stand_in, name))
    monkeypatch.setitem(orepact.__dict__, "parse_package", lambda *words: (words[0], words[2]))
    monkeypatch.chdir(tmp_path)
    return stand_in


def test_solve_hands_over_what_was_asked(api: Api) -> None:
    words = [
        "solve",
        "inst",
        "--gap",
        "0.01",
        "--time-limit",
        "60",
        "--behaviour",
        "planner",
        "--method",
        "milp",
        "--threads",
        "2",
        "--seed",
        "7",
        "--solver",
        "cbc",
    ]
    assert (
        main([*words, "--lose-countries", "--quiet", "--set", "economics.social_rate=0.05", "--set", "owners.entry=duty", "--set", "solve.path_list=12"]) == 0
    )
    wanted = SolveOptions(
        gap=0.01, time_limit=60, behaviour="planner", method="milp", threads=2, seed=7, solver="cbc", lose_countries=True, progress=False, path_list=12
    )
    assert api.calls == [("solve", {"path": Path("inst"), "economics.social_rate": 0.05, "owners.entry": "duty"}, wanted, api.listener)]
    assert api.quiet is True
    assert api.listener.closed


def test_what_is_not_asked_keeps_its_default(api: Api) -> None:
    assert main(["solve", "inst"]) == 0
    assert api.calls[0][2] == SolveOptions()
    assert api.quiet is False


@pytest.mark.usefixtures("api")
def test_solve_prints_the_card_and_stores_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "inst", "--out", "here"]) == 0
    out = capsys.readouterr().out
    assert "Two stages of one mineral" in out
    assert out.endswith("Run folder: here\n")
    assert load("here").summary() == solution().summary()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (solution(), 0),
        (solution(result=result(status=Status.LIMIT, limit="time")), 3),
        (without_plan(Status.INFEASIBLE), 4),
        (without_plan(Status.NO_PLAN), 5),
        (InfeasibleError("even the planner has no plan"), 4),
        (NoSolutionError("no plan on 43 paths"), 5),
        (OptionError("no such solver"), 2),
        (SolverError("no answer"), 1),
        (RuntimeError("broken"), 1),
    ],
)
def test_exit_codes_and_one_json_object(api: Api, capsys: pytest.CaptureFixture[str], answer: Solution | Exception, code: int) -> None:
    api.answer = answer
    assert main(["solve", "inst", "--json"]) == code
    out = capsys.readouterr().out
    said = json.loads(out)
    assert out.count("\n") == 1
    statuses = {0: "solved", 1: "internal fault", 2: "bad input", 3: "limit", 4: "infeasible", 5: "no plan"}
    assert said["status"] == statuses[code]
    if isinstance(answer, Solution):
        assert {"status", "objective", "bound", "gap", "seconds", "paths_examined", "cost_terms", "baseline", "run", "versions"} <= set(said)
        assert load(said["run"]).result == answer.result
    else:
        assert said["error"]
        assert not Path("runs").exists()


def test_bad_input_lists_every_problem_and_writes_nothing(api: Api, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    api.problems = [PROBLEM, Problem("prices.csv", None, None, None, "is missing")]
    assert main(["solve", "inst", "--out", "here"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "demand.csv, row 4, column product: 'oxid': unknown product; nearest known: oxide" in said.err
    assert "prices.csv: is missing" in said.err
    assert main(["validate", "inst", "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], len(answer["problems"]), answer["problems"][0]["row"]) == ("bad input", 2, 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gap", "2"], "option gap: 2.0: input should be less than or equal to 1"),
        (["--behaviour", "free"], "option behaviour: 'free': input should be 'market' or 'planner'"),
        (["--set", "solve.gap=much"], "option gap: 'much': input should be a valid number"),
        (["--set", "solve.gapp=0.1"], "unknown option 'solve.gapp'; nearest known: solve.gap"),
        (["--set", "economics.social=0.1"], "unknown option 'economics.social'; nearest known: economics.social_rate"),
        (["--set", "gap"], "write it as path.to.option=value"),
        (["--set", "solve.gap=0.1", "--gap", "0.1"], "given both as --gap and as --set solve.gap"),
        (["--set", "solve.gap=0.1", "--set", "solve.gap=0.2"], "solve.gap is given twice"),
        (["--gapp", "0.1"], "No such option: --gapp"),
        (["--gap", "much"], "Invalid value for '--gap'"),
        (["--out", "taken"], "exists and is not a run folder"),
    ],
)
def test_a_bad_option_is_refused_before_anything_is_solved(api: Api, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    Path("taken").mkdir()
    (Path("taken") / "thesis.txt").touch()
    assert main(["solve", "inst", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert main(["solve", "inst", *words, "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "bad input"
    assert message in answer["error"]
    assert api.calls == []


def test_an_internal_fault_is_short_unless_debugged(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = RuntimeError("broken")
    assert main(["solve", "inst"]) == 1
    said = capsys.readouterr().err
    assert "internal fault: RuntimeError: broken" in said
    assert "report" in said
    assert "Traceback" not in said
    with pytest.raises(RuntimeError, match="broken"):
        main(["solve", "inst", "--debug"])


@pytest.mark.usefixtures("api")
def test_ctrl_c_ends_without_a_traceback() -> None:
    def interrupted(*_: object) -> Solution:
        raise KeyboardInterrupt

    orepact.__dict__["solve"] = interrupted
    assert main(["solve", "inst"]) == 130


@pytest.mark.usefixtures("api")
def test_validate_lists_warnings_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "inst"]) == 0
    assert capsys.readouterr().out == "warning: demand.csv, row 4: supply cannot reach it\ninst: valid, with 1 warning(s)\n"
    assert main(["validate", "inst", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"][0]["rule"] == "supply cannot reach it"


def test_explain_says_why_and_what_would_help(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "inst", "--time-limit", "60"]) == 5
    out = capsys.readouterr().out
    assert "target own, M: too much (targets.csv row 3, value)" in out
    assert "1. targets.csv row 3, value: 0.65 → 0.58" in out
    assert api.calls[0] == ("explain", {"path": Path("inst")}, SolveOptions(time_limit=60), api.listener)
    assert main(["explain", "inst", "--json"]) == 5
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["diagnosis"]["repairs"][0]["steps"][0]["new"]) == ("no plan", "0.58")


def test_explaining_and_bending_are_options_of_solve(api: Api) -> None:
    assert main(["solve", "inst", "--no-explain", "--relax"]) == 0
    assert api.calls[0][2] == SolveOptions(explain=False, relax=True)


def test_evaluate_reads_the_package(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text("rest = 'none'", encoding="utf-8")
    assert main(["evaluate", "inst", "--package", "mine.toml", "--json"]) == 0
    assert api.calls[0] == ("evaluate", ("rest = 'none'", "mine.toml"))
    assert json.loads(capsys.readouterr().out)["status"] == "solved"
    assert main(["evaluate", "inst", "--package", "nowhere.toml"]) == 2


def test_export_names_its_file_after_the_instance(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "inst", "--format", "mps"]) == 0
    assert main(["export", "inst", "--format", "lp", "--out", "x.lp", "--behaviour", "planner"]) == 0
    assert main(["export", "inst", "--format", "xls"]) == 2
    asked = {"path": Path("inst")}
    assert api.calls == [("export", asked, "market", Path("two-stages.mps"), "mps"), ("export", asked, "planner", Path("x.lp"), "lp")]
    assert capsys.readouterr().out == "two-stages.mps: written\nx.lp: written\n"


@pytest.mark.usefixtures("api")
def test_show_prints_a_stored_run(capsys: pytest.CaptureFixture[str]) -> None:
    solution().save("here")
    assert main(["show", "here"]) == 0
    assert "Two stages of one mineral" in capsys.readouterr().out
    assert main(["show", "here", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "here"
    (Path("here") / "rungs.csv").unlink()
    assert main(["show", "here"]) == 2
    assert "rungs.csv: missing" in capsys.readouterr().err


def test_sensitivity_shows_both_ends(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensitivity", "inst", "--top", "3"]) == 0
    assert api.calls == [("sensitivity", {"path": Path("inst")}, SolveOptions(), 3, api.listener)]
    line = capsys.readouterr().out.splitlines()[1]
    assert "price of ore" in line
    assert "900 MUSD (-100 MUSD) (limit)" in line
    assert "infeasible" in line
    assert main(["sensitivity", "inst", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ranges"][0]["objective_high"] is None


@pytest.mark.usefixtures("api")
def test_new_makes_a_starter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made: list[Path] = []
    monkeypatch.setitem(orepact.__dict__, "new_instance", made.append)
    assert main(["new", "instances/mine"]) == 0
    assert made == [Path("instances/mine")]
    assert "orepact validate instances/mine" in capsys.readouterr().out


def test_version_names_what_answers_depend_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["python", "orepact", "pyomo", "highspy", "numpy", "pandas"]


def ran(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": str(ROOT / "model"), "PATH": "", **environment}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=paths, cwd=ROOT)


HEAVY = "import sys; sys.argv = ['orepact', '--help']; from orepact.cli import main; code = main(); print({n.split('.')[0] for n in sys.modules} & {'pandas', 'pyomo', 'pydantic', 'highspy'}); sys.exit(code)"
IMPORT = "import sys, orepact; print({n.split('.')[0] for n in sys.modules} & {'pandas', 'pyomo', 'pydantic', 'numpy', 'typer', 'rich'})"


@pytest.mark.parametrize("program", [HEAVY, IMPORT])
def test_help_and_import_load_nothing_heavy(program: str) -> None:
    answer = ran("-c", program)
    assert (answer.returncode, answer.stdout.splitlines()[-1]) == (0, "set()"), answer.stderr


def test_solve_py_is_orepact_solve() -> None:
    answer = ran("solve.py", "--help")
    assert answer.returncode == 0
    assert "--time-limit" in answer.stdout


def test_solve_py_says_how_to_install() -> None:
    answer = ran("-S", "solve.py", "instances/tutorial", PYTHONPATH="")
    assert answer.returncode == 1
    assert "pip install -e ." in answer.stderr
    assert "make solve" in answer.stderr


def test_python_dash_m_is_the_command_line() -> None:
    assert "validate" in ran("-m", "orepact", "--help").stdout


def test_every_lazy_name_is_declared_for_type_checkers() -> None:
    source = (ROOT / "model" / "orepact" / "__init__.py").read_text(encoding="utf-8").split("_WHERE")[0]
    for name in orepact.__all__:
        assert f" as {name}\n" in source or f"    {name}: str\n" in source, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sovle'"):
        _: Callable[..., Any] = orepact.sovle


def test_a_plan_that_fails_its_certificate_ends_with_a_code_of_its_own(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = solution(result=result(status=Status.CERTIFICATE_FAILED))
    assert main(["solve", "inst", "--out", "here", "--json"]) == 6
    assert json.loads(capsys.readouterr().out)["status"] == "certificate failed"


@pytest.fixture
def border_run(tmp_path: Path) -> Path:
    given = orepact.read(ROOT / "tests" / "data" / "border")
    return orepact.solve(given, SolveOptions(threads=1, progress=False, neighbours=False)).save(tmp_path / "run")


def test_verify_prints_every_rule_and_what_was_not_checked(border_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(border_run)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"balance +goods +\d+ +[\d.e+-]+ +holds", out)
    assert "Not checked:" in out
    assert "checked independently" in out
    assert main(["verify", str(border_run), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["status"], content["certificate"]["holds"]) == ("verified", True)


def test_verify_names_what_does_not_hold_and_marks_the_run(border_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load(border_run)
    flows = plan.table("flows")
    flows["amount_t_a"] *= 1.01
    replace(plan, tables={**plan.tables, "flows": flows}).save(border_run)
    assert main(["verify", str(border_run)]) == 6
    out = capsys.readouterr().out
    assert re.search(r"balance stated: balance\.csv, imports, .*: the plan says .*, derived ", out)
    assert "certificate failed" in out
    marked = load(border_run)
    assert marked.result.status is Status.CERTIFICATE_FAILED
    assert marked.certificate is not None
    assert not marked.certificate.holds
    assert main(["show", str(border_run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["certificate"]["holds"] is False


def test_verify_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up = solution().save(tmp_path / "run")
    assert main(["verify", str(made_up)]) == 2
    assert "--instance" in capsys.readouterr().err
    assert main(["verify", str(without_plan().save(tmp_path / "none"))]) == 2
    assert "nothing to verify" in capsys.readouterr().err
