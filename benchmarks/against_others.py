"""This model against the usual ways of answering the same question, at equal gap: seconds, ratios, peak memory, and whether all agree.

    python benchmarks/against_others.py [INSTANCE ...] [--gap 0.005] [--limit 300] [--threads 1] [--paths 6] [--only METHOD ...]

Without instances: the tutorial, magnet-rare-earths over its first price paths, alliance-basket if it is there, and three generated ones.
Every method runs in a process of its own, from files, so that its peak memory is its own; imports are not timed, nor what
comes after the answer: this model's tables and their verification, which the others don't have (their seconds are listed). Methods (`methods/`):

    ours            the search over price paths, as it is used, over the same list as all others
    ours, all paths the same over the whole list and its neighbours: the full question
    one model       all listed paths as one MILP, our building and hand-over
    textbook form   prices as variables, owners' answers as rows with big-M and McCormick products (`textbook.py`)
    Pyomo highs     the one model through Pyomo's own interface to HiGHS
    raw matrix      the one model's arrays passed straight to HiGHS: the floor
    SCIP, CBC, GLPK the one model's exported MPS file; the seconds are of reading and solving it
    planner         the physical half alone, our building and hand-over
    linopy          the physical half built in linopy (`physical.py`)

What is proven must agree: all methods answer with a plan and a bound, and no plan may cost less than another method's bound. With several
chains the one model may also combine the listed paths chain by chain, so ours is held against it from one side only.
Ends with 1 if any two disagree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import generated
from methods.job import Job, Reply, ask
from orepact.instance.reader import read
from orepact.instance.writer import write
from orepact.market.world import world_of

INSTANCES = Path(__file__).parent.parent / "instances"
ROUNDING = 1e-6
"""Solvers keep to rows within tolerances; costs may differ by that much."""


@dataclass(frozen=True)
class Method:
    """A row of the table: what it is called, its module, what it starts from, and the question it answers."""

    label: str
    module: str
    question: str
    from_file: bool = False


METHODS = (
    Method("ours", "ours", "list"),
    Method("ours, all paths", "ours", "all"),
    Method("one model", "milp", "one model"),
    Method("textbook form", "textbook_form", "one model"),
    Method("Pyomo highs", "pyomo_way", "one model"),
    Method("raw matrix", "raw", "one model", from_file=True),
    Method("SCIP", "scip", "one model", from_file=True),
    Method("CBC", "cbc", "one model", from_file=True),
    Method("GLPK", "glpk", "one model", from_file=True),
    Method("planner", "planner", "planner"),
    Method("linopy", "linopy_way", "planner"),
)

GENERATED = (generated.Size(1, 6, 4, 3), generated.Size(2, 8, 5, 4), generated.Size(4, 12, 6, 5))


@dataclass(frozen=True)
class Found:
    """What a method replied on an instance."""

    instance: str
    method: Method
    reply: Reply


def compare(label: str, job: Job, wanted: Sequence[str]) -> list[Found]:
    """Run every method on one instance, in turn."""
    found: list[Found] = []
    for method in METHODS:
        if wanted and method.label not in wanted:
            continue
        reply = _in_usd(ask(method.module, replace(job, paths=0, neighbours=True) if method.question == "all" else job), method, job)
        found.append(Found(label, method, reply))
        print(line(found[-1], found[0].reply), flush=True)
    return found


def _in_usd(reply: Reply, method: Method, job: Job) -> Reply:
    """Solvers that only see the file answer in its unit of money."""
    if method.module not in ("scip", "cbc", "glpk"):
        return reply
    unit = world_of(read(Path(job.instance))).money_unit
    return replace(
        reply,
        objective=None if reply.objective is None else reply.objective * unit,
        bound=None if reply.bound is None else reply.bound * unit,
    )


HEAD = f"{'instance':<22}{'method':<17}{'seconds':>9}{'ratio':>8}{'MUSD':>14}{'gap':>9}{'peak MB':>9}  what"


def line(found: Found, ours: Reply) -> str:
    """One row of the table; the ratio is of seconds to ours."""
    reply = found.reply
    seconds = "" if reply.seconds is None else f"{reply.seconds:.2f}"
    same = found.method.question in ("list", "one model") and reply.status != "failed"
    ratio = ""
    if same and reply.seconds is not None and ours.seconds:
        ratio = f"{'' if reply.status == 'solved' else '> '}{reply.seconds / ours.seconds:.2f}"
    cost = "" if reply.objective is None else f"{reply.objective / 1e6:,.2f}"
    gap = "" if reply.gap is None else f"{reply.gap:.3%}"
    memory = "" if reply.memory is None or reply.seconds is None else f"{reply.memory:.0f}"
    what = "; ".join(filter(None, ("" if reply.status in ("solved", "optimal") else reply.status, reply.note, _parts(reply))))
    return f"{found.instance:<22}{found.method.label:<17}{seconds:>9}{ratio:>8}{cost:>14}{gap:>9}{memory:>9}  {what}"


def _parts(reply: Reply) -> str:
    size = ", ".join(f"{reply.facts[name]:,} {name}" for name in ("rows", "columns", "binaries", "paths") if reply.facts.get(name))
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in reply.parts.items() if seconds >= 0.005)
    return "; ".join(filter(None, (parts, size)))


def disagreements(found: Sequence[Found], one_chain: bool) -> Iterator[str]:
    """Pairs of methods that can't both be right: a plan of one costs less than the other's bound.

    The list alone and the one model ask the same where there is one chain; else the one model's bound is below the list's plan.
    """
    for plan in found:
        for bound in found:
            asked, proven = plan.method.question, bound.method.question
            comparable = asked == proven or (asked == "list" and proven == "one model") or (one_chain and (asked, proven) == ("one model", "list"))
            if not comparable or plan.reply.objective is None or bound.reply.bound is None:
                continue
            if plan.reply.objective < bound.reply.bound - ROUNDING * abs(plan.reply.objective):
                yield (
                    f"DISAGREE on {plan.instance}: {plan.method.label} has a plan for {plan.reply.objective / 1e6:,.4f} MUSD, "
                    f"{bound.method.label} proves that none costs less than {bound.reply.bound / 1e6:,.4f}"
                )
        others = [x for x in found if x.method.question == plan.method.question and x.reply.objective is not None]
        if plan.reply.status in ("infeasible", "no plan") and others:
            yield f"DISAGREE on {plan.instance}: {plan.method.label} finds no plan, {others[0].method.label} does"


def cases(folder: Path, named: Sequence[Path], paths: int) -> Iterator[tuple[str, Path, int]]:
    """What to compare on: label, instance folder, number of paths; generated instances are written to `folder`."""
    if named:
        yield from ((path.name, path, paths) for path in named)
        return
    yield "tutorial", INSTANCES / "tutorial", 0
    for name in ("magnet-rare-earths", "alliance-basket"):
        if (INSTANCES / name).is_dir():
            yield name, INSTANCES / name, paths
        else:
            print(f"{name}: not here, skipped")
    for size in GENERATED:
        write(generated.generate(size), folder / f"generated-{size}")
        yield f"generated {size}", folder / f"generated-{size}", 0 if size.minerals == 1 else paths


def table(named: Sequence[Path], job: Job, wanted: Sequence[str] = ()) -> tuple[list[Found], list[str]]:
    """Compare on every instance; what was found, and who disagrees with whom."""
    found: list[Found] = []
    wrong: list[str] = []
    print(HEAD)
    with tempfile.TemporaryDirectory() as scratch:
        for label, path, paths in cases(Path(scratch), named, job.paths):
            files = Path(scratch) / f"files of {label}"
            files.mkdir()
            own = replace(job, instance=str(path.resolve()), folder=str(files), paths=paths)
            written = ask("export", own)
            if written.status != "written":
                print(f"{label}: could not be exported: {written.note}")
            here = compare(label, own, wanted)
            chains = int(world_of(read(path)).chain.max()) + 1
            problems = list(disagreements(here, chains == 1))
            print("\n".join(problems) or f"{label}: all agree ({written.facts.get('paths')} paths, {chains} chain{'s' * (chains > 1)})")
            found, wrong = found + here, wrong + problems
    return found, wrong


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if any two methods disagree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instances", nargs="*", type=Path)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for each method on each instance")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--paths", type=int, default=6, help="price paths, where the list is cut so that one model can end; 0 = all")
    parser.add_argument("--only", nargs="*", default=(), choices=[method.label for method in METHODS])
    asked = parser.parse_args(arguments)
    _, wrong = table(asked.instances, Job("", paths=asked.paths, gap=asked.gap, limit=asked.limit, threads=asked.threads), asked.only)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
