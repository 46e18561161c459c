"""Words of the command line: what commands may be told, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orepact.errors import OptionError
from orepact.instance.intake import LARGEST_TOML, IntakeError, read_file

if TYPE_CHECKING:
    from orepact.instance.instance import Instance
    from orepact.solution.solution import Solution

STATUSES = {2: "bad input", 3: "stopped", 4: "infeasible", 5: "no plan"}
"""Status by the exit code of an error; an internal fault for any other."""

SUMMARY_KEYS = (
    "status",
    "objective",
    "bound",
    "gap",
    "seconds",
    "paths_examined",
    "limit",
    "proven",
    "confirmation",
    "cost_terms",
    "baseline",
    "indicators",
    "notes",
    "diagnosis",
    "warnings",
    "versions",
    "certificate",
)


@dataclass(frozen=True)
class Answer:
    """What a command ends with: its exit code, and what `--json` prints."""

    exit_code: int = 0
    content: Mapping[str, Any] = field(default_factory=dict)


InstancePath = Annotated[Path, typer.Argument(metavar="INSTANCE", help="folder of instance.toml and CSV tables, or one Excel workbook", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="run folder to write; an older run there is replaced [default: a new one under runs/]", show_default=False),
]
Gap = Annotated[float | None, typer.Option("--gap", help="relative gap at which a plan counts as proven [default: 0.001]", show_default=False)]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", metavar="SECONDS", help="seconds for the whole run [default: 300]", show_default=False)]
Behaviour = Annotated[
    str | None, typer.Option("--behaviour", metavar="market|planner", help="owners respond to policy, or the first best [default: market]", show_default=False)
]
Method = Annotated[
    str | None, typer.Option("--method", metavar="paths|milp", help="search price paths one by one, or all in one model [default: paths]", show_default=False)
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="change a setting (economics.social_rate=0.05) or a run option (solve.path_list=12); may be repeated",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on standard output and nothing else there")]
Quiet = Annotated[bool, typer.Option("--quiet", help="show no progress")]
Threads = Annotated[int | None, typer.Option("--threads", help="threads for the solver; 0 = as many as there are cores [default: 0]", show_default=False)]
Seed = Annotated[int | None, typer.Option("--seed", help="random seed of the solver [default: 0]", show_default=False)]
Solver = Annotated[str | None, typer.Option("--solver", metavar="NAME", help="highs, or a solver that Pyomo can reach [default: highs]", show_default=False)]
Confirm = Annotated[bool, typer.Option("--confirm", help="solve a second time with other settings: the bound must be found again")]
ConfirmWith = Annotated[
    str | None,
    typer.Option("--confirm-with", metavar="highs|scip", help="the same, with another solver: scip needs pip install orepact[scip]", show_default=False),
]
NoExplain = Annotated[bool, typer.Option("--no-explain", help="do not find out why there is no plan, where there is none")]
LoseCountries = Annotated[bool, typer.Option("--lose-countries", help="add a stress test for the loss of every source and host country")]
ReportOut = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="folder to write to", show_default=False)]
Formats = Annotated[
    list[str] | None, typer.Option("--format", metavar="html|xlsx|md", help="write this format; may be repeated [default: all three]", show_default=False)
]


def text_of(path: Path) -> str:
    """A text file that the user named."""
    try:
        return read_file(path, largest=LARGEST_TOML).decode("utf-8-sig")
    except IntakeError as error:
        raise OptionError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: can't be read: {error}") from error


def told_of(solution: Solution, run: Path) -> dict[str, Any]:
    """What `--json` says of a run."""
    summary = solution.summary()
    return {"run": str(run)} | {key: summary[key] for key in SUMMARY_KEYS}


def changed(instance: Instance, settings: Mapping[str, Any]) -> Instance:
    """The instance with settings changed, by path."""
    for name, value in settings.items():
        instance = instance.with_setting(name, value)
    return instance
