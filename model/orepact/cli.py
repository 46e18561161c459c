"""The command line: thin. It parses words, hands over to the public API and turns the answer into text, JSON and an exit code.

Exit codes: 0 solved to the gap asked; 2 bad input or option; 3 stopped at a limit with a plan; 4 infeasible; 5 no plan
found; 6 certificate failed; 7 disputed; 8 targets missed by a package that was evaluated; 1 an internal fault, the solver's included. With `--json`, standard output carries exactly one JSON object, also when something is wrong.
Everything heavy is reached through the lazy public API, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import orepact
from orepact.cli_words import (
    STATUSES,
    Answer,
    AsJson,
    Behaviour,
    Changes,
    Confirm,
    ConfirmWith,
    Formats,
    Gap,
    InstancePath,
    LoseCountries,
    Method,
    NoExplain,
    Out,
    Quiet,
    ReportOut,
    Seed,
    Solver,
    Threads,
    TimeLimit,
    changed,
    text_of,
    told_of,
)
from orepact.errors import InstanceError, OptionError, OrepactError
from orepact.texts import printable, printable_json

if TYPE_CHECKING:
    from orepact import Instance, Solution, SolveOptions
    from orepact.report.written import Report

app = typer.Typer(
    help="Finds the cheapest package of policies that makes an alliance's supply of critical minerals secure.",
    epilog="Add --debug to any command to see the full traceback of an internal fault.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None, program: str = "orepact") -> int:
    """Run the command line on `arguments` (by default the process's) and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json, debug = "--json" in words, "--debug" in words
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")  # a terminal without some character must not end a run
    try:
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            answer = _run([word for word in words if word != "--debug"], program)
    except OrepactError as error:
        answer = _refusal(error, as_json)
    except Exception as error:
        if debug:
            raise
        answer = _fault(error, as_json)
    if as_json:
        print(printable_json(json.dumps(answer.content, ensure_ascii=False, allow_nan=False)))
    return answer.exit_code


def _run(words: list[str], program: str) -> Answer:
    try:
        ended = typer.main.get_command(app)(args=words, prog_name=program, standalone_mode=False)
    except typer.Abort:
        ended = 130
    return ended if isinstance(ended, Answer) else Answer(ended or 0)


def _refusal(error: OrepactError, as_json: bool) -> Answer:
    """An error raised on purpose: its message, and what is wrong one by one."""
    problems = error.problems if isinstance(error, InstanceError) else []
    if not as_json:
        print(f"orepact: {printable(str(error))}", file=sys.stderr)
    status = STATUSES.get(error.exit_code, "internal fault")
    return Answer(error.exit_code, {"status": status, "error": str(error), "problems": [asdict(problem) for problem in problems]})


def _fault(error: Exception, as_json: bool) -> Answer:
    """A command that was not understood (the parser knows how to say so), or a fault of ours."""
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if show is not None and isinstance(code, int):
        if not as_json:
            show()
        return Answer(code, {"status": STATUSES.get(code, "internal fault"), "error": error.format_message(), "problems": []})  # type: ignore[attr-defined]
    message = f"internal fault: {type(error).__name__}: {error}"
    if not as_json:
        print(
            f"orepact: {printable(message)}\nThis is a fault of Orepact. Please report it to its issue tracker with the output of the same command and --debug.",
            file=sys.stderr,
        )
    return Answer(1, {"status": "internal fault", "error": message, "problems": []})


@app.command()
def solve(
    instance: InstancePath,
    out: Out = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    behaviour: Behaviour = None,
    method: Method = None,
    changes: Changes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    threads: Threads = None,
    seed: Seed = None,
    solver: Solver = None,
    lose_countries: LoseCountries = False,
    confirm: Confirm = False,
    confirm_with: ConfirmWith = None,
    no_explain: NoExplain = False,
    relax: Annotated[bool, typer.Option("--relax", help="where there is no plan, solve the nearest question that has one; every bent rule is marked")] = False,
) -> Answer:
    """Find the cheapest secure plan, prove it, print its card and store the run."""
    flags = {"gap": gap, "time_limit": time_limit, "behaviour": behaviour, "method": method, "threads": threads, "seed": seed, "solver": solver}
    flags |= {"confirm": confirm_with or ("highs" if confirm else None), "explain": False if no_explain else None, "relax": relax or None}
    flags |= {"lose_countries": lose_countries or None, "progress": False if quiet else None}
    given, options = _asked(instance, changes, flags, out)
    with closing(orepact.reporter(sys.stderr, quiet)) as listener:
        solution = orepact.solve(given, options, listener)
    return _answer(solution, out, as_json)


@app.command()
def evaluate(
    instance: InstancePath,
    package: Annotated[Path, typer.Option("--package", metavar="FILE", help="TOML file of rungs, starts, contracts and grants to fix", show_default=False)],
    out: Out = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    changes: Changes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    threads: Threads = None,
    seed: Seed = None,
    solver: Solver = None,
    lose_countries: LoseCountries = False,
    no_explain: NoExplain = False,
) -> Answer:
    """Work out what a package of measures of your own would do: all of it, or the best around what is fixed."""
    flags = {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed, "solver": solver}
    given, options = _asked(
        instance,
        changes,
        {**flags, "lose_countries": lose_countries or None, "explain": False if no_explain else None, "progress": False if quiet else None},
        out,
    )
    fixed = orepact.parse_package(text_of(package), given, package.name)
    with closing(orepact.reporter(sys.stderr, quiet)) as listener:
        solution = orepact.evaluate(given, fixed, options, listener)
    return _answer(solution, out, as_json)


@app.command()
def explain(
    instance: InstancePath,
    time_limit: TimeLimit = None,
    behaviour: Behaviour = None,
    changes: Changes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    threads: Threads = None,
) -> Answer:
    """Find out why an instance has no plan: which of its figures can't all hold, and the least changes that give one."""
    flags = {"time_limit": time_limit, "behaviour": behaviour, "threads": threads, "progress": False if quiet else None}
    given, options = _asked(instance, changes, flags, None)
    with closing(orepact.reporter(sys.stderr, quiet)) as listener:
        diagnosis = orepact.explain(given, options, listener)
    if not as_json:
        orepact.print_diagnosis(diagnosis)
    return Answer(orepact.Status(diagnosis.status).exit_code, {"status": diagnosis.status, "diagnosis": diagnosis.to_dict()})


@app.command()
def validate(instance: InstancePath, changes: Changes = None, as_json: AsJson = False) -> Answer:
    """Check an instance: every problem with its file, row, column, value and rule; then warnings."""
    given = changed(orepact.read(instance), orepact.overrides.parse(changes or []).settings)
    warnings = orepact.validate(given)
    if not as_json:
        for problem in warnings:
            print(f"warning: {problem}")
        print(f"{instance}: valid" + (f", with {len(warnings)} warning(s)" if warnings else ""))
    return Answer(0, {"status": "valid", "problems": [], "warnings": [asdict(problem) for problem in warnings]})


@app.command()
def new(name: Annotated[Path, typer.Argument(metavar="NAME", help="folder to make, e.g. instances/my-question", show_default=False)]) -> Answer:
    """Make a commented starter instance."""
    orepact.new_instance(name)
    print(f"{name}: made; edit it, then: orepact validate {name}")
    return Answer()


@app.command()
def export(
    instance: InstancePath,
    format: Annotated[str, typer.Option("--format", metavar="lp|mps", help="file format", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="file to write [default: NAME.lp or NAME.mps]", show_default=False)] = None,
    behaviour: Behaviour = None,
    changes: Changes = None,
) -> Answer:
    """Write the one model over all listed price paths for another solver."""
    if format not in ("lp", "mps"):
        raise OptionError(f"--format is lp or mps, not {format!r}")
    given, options = _asked(instance, changes, {"behaviour": behaviour, "isolated": False}, None)
    path = out or Path(f"{given.name}.{format}")
    orepact.export(given, options, path, format)
    print(f"{path}: written")
    return Answer()


@app.command()
def show(run: Annotated[Path, typer.Argument(metavar="RUN", help="run folder", show_default=False)], as_json: AsJson = False) -> Answer:
    """Print the plan card of a stored run."""
    solution = orepact.load(run)
    if not as_json:
        orepact.print_plan_card(solution)
    return Answer(0, told_of(solution, run))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="run folder", show_default=False)],
    out: ReportOut = None,
    formats: Formats = None,
    year: Annotated[
        int | None, typer.Option("--year", help="period that charts of one period show, by its first year [default: the last]", show_default=False)
    ] = None,
    sensitivity: Annotated[
        Path | None, typer.Option("--sensitivity", metavar="FILE", help="what `orepact sensitivity --json` printed, to be shown too", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Write a report on a stored run: one HTML file, an Excel workbook, a Markdown page, beside the run folder or in --out."""
    return _written(orepact.report(run, year=year, sensitivity=sensitivity), out or run.parent, formats, as_json)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN ...", help="two to fifty run folders", show_default=False)],
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="RUN", help="run to measure the others against [default: the first]", show_default=False)
    ] = None,
    out: ReportOut = None,
    formats: Formats = None,
    as_json: AsJson = False,
) -> Answer:
    """Put stored runs side by side: what differs in the input and in the plan; written like a report, here or in --out."""
    comparison = orepact.compare(runs, baseline=baseline)
    if not as_json:
        orepact.print_comparison(comparison.tables)
    return _written(comparison, out or Path(), formats, as_json)


def _written(made: Report, out: Path, formats: list[str] | None, as_json: bool) -> Answer:
    files = [str(path) for path in (made.save(out, formats) if formats else made.save(out))]
    if not as_json:
        print("\n".join(files))
    return Answer(0, {"status": "written", "files": files})


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="run folder", show_default=False)],
    instance: Annotated[
        Path | None, typer.Option("--instance", metavar="PATH", help="check against this instance instead of the one kept with the run", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Check a stored run anew, with arithmetic of its own, and store the certificate with it; needs no solver."""
    solution = orepact.load(run)
    certificate = orepact.verify(solution, instance)
    checked = solution.certified(certificate)
    if not as_json:
        orepact.print_certificate(certificate)
    if certificate != solution.certificate:
        checked.save(run)
        if not as_json:
            print(f"Certificate stored in {run}")
    status = "verified" if certificate.holds else "certificate failed"
    return Answer(0 if certificate.holds else 6, {"run": str(run), "status": status, "certificate": certificate.content()})


@app.command()
def sensitivity(
    instance: InstancePath,
    top: Annotated[int, typer.Option("--top", min=1, help="solve so many ranges again in full, those that matter most")] = 5,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    changes: Changes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    threads: Threads = None,
) -> Answer:
    """Solve again at the low and the high end of the instance's ranges: which assumed figures matter most."""
    flags = {"gap": gap, "time_limit": time_limit, "threads": threads, "progress": False if quiet else None}
    given, options = _asked(instance, changes, flags, None)
    with closing(orepact.reporter(sys.stderr, quiet)) as listener:
        table = orepact.sensitivity(given, options, top, listener)
    if not as_json:
        orepact.print_sensitivity(table)
    return Answer(0, {"status": "solved", "ranges": json.loads(table.to_json(orient="records"))})


@app.command()
def sweep(
    instance: InstancePath,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="PATH=A,B,C", help="values of a setting or run option; may be repeated: then every combination", show_default=False),
    ] = None,
    cases: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="CSV file of cases: a column per path, a row per case", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="the sweep's folder; what is stored there is not solved again [default: one under runs/]", show_default=False
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="cases to solve side by side; 0 = as many as there are cores")] = 0,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    behaviour: Behaviour = None,
    method: Method = None,
    changes: Changes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    threads: Annotated[int | None, typer.Option("--threads", help="threads for each case [default: 1]", show_default=False)] = None,
    seed: Seed = None,
    solver: Solver = None,
) -> Answer:
    """Solve many cases of one instance, side by side, into one table; a sweep that was stopped goes on where it was."""
    grid = orepact.parse_vary(vary or [])
    listed = orepact.parse_list(text_of(cases), cases.name) if cases else []
    if not grid and not listed:
        raise OptionError("nothing varies: give --vary PATH=A,B,C or --list FILE")
    flags = {"gap": gap, "time_limit": time_limit, "behaviour": behaviour, "method": method, "threads": threads, "seed": seed, "solver": solver}
    given, options = _asked(instance, changes, {**flags, "progress": False if quiet else None}, None)
    with closing(orepact.reporter(sys.stderr, quiet)) as listener:
        table = orepact.sweep(given, grid, options, cases=listed, out=out, workers=workers, listener=listener)
    folder = table.attrs["folder"]
    if not as_json:
        orepact.print_sweep(table, list(dict.fromkeys([*(path for row in listed for path in row), *grid])))
        print(f"Sweep folder: {folder}")
    failed = bool((table["status"] == "solver failed").any())
    return Answer(int(failed), {"status": "complete", "folder": folder, "cases": json.loads(table.to_json(orient="records"))})


@app.command()
def version() -> Answer:
    """Print the versions of Orepact and of what its answers depend on."""
    for name, number in orepact.versions().items():
        print(f"{name} {number}")
    return Answer()


def _asked(path: Path, changes: list[str] | None, flags: Mapping[str, Any], out: Path | None) -> tuple[Instance, SolveOptions]:
    """The instance and the options of a run. What is wrong with the options or the run folder is said before anything is read."""
    overrides = orepact.overrides.parse(changes or [])
    options = orepact.overrides.solve_options(overrides.options, flags)
    if out is not None:
        orepact.check_target(out)
    if options.isolated:
        orepact.warm_up()  # the solver's process gets ready while the instance is read
    return changed(orepact.read(path), overrides.settings), options


def _answer(solution: Solution, out: Path | None, as_json: bool) -> Answer:
    """Show the run and store it (in this order: a full disk must not hide the plan); end with the exit code of its status."""
    if not as_json:
        orepact.print_plan_card(solution)
    run = solution.save(out)
    if not as_json:
        print(f"Run folder: {run}")
    return Answer(solution.result.exit_code, told_of(solution, run))
