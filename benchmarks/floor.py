"""Everything outside HiGHS against the floor: assembling and handing over the very same matrices straight from numpy.

    python benchmarks/floor.py [INSTANCE ...] [--gap 0.005] [--limit 600] [--threads 1] [--paths 0]

The floor counts, for every matrix that the run hands to HiGHS (each path's LP, each MIP): concatenating triples that are known already,
sorting them into columns, a new HiGHS, passing the model. It does not count what makes the numbers: reading and checking the tables,
prices, demand, owners' offers, scarcity; nor names, nor looking at the answer. So the ratio can't reach 1. "and numbers" adds to the floor
what our formulation takes to make the numbers of its batches, with numpy and nothing else: building straight from numpy, numbers included.

"built" is building the model and handing it over, which is what the floor does in another way; "handed on" adds reading, pricing and
offers; "outside" is every second of the run in which HiGHS does not run, imports aside: reading answers, choosing paths, the master, tables and
certificate too. Each with its ratio to the floor, and to the floor and numbers. Asked is at most 1.5 on the basket.

With several threads a part of a basket is built while another is solved, which costs no second of the run; the floor is made by one thread, and
waits for nobody. With one thread nothing is done at the same time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from methods.job import Job, Reply, ask

INSTANCES = Path(__file__).parent.parent / "instances"
NAMES = ("tutorial", "magnet-rare-earths", "alliance-basket")
BUILT = ("build", "hand over")
BEFORE = ("read", "price", "offer", *BUILT)
PHASES = (*BEFORE, "extract", "verify", "other")


def line(name: str, reply: Reply) -> str:
    """One row: the floor, seconds outside HiGHS by how much is counted, and the share of the run."""
    if reply.seconds is None or "assemble" not in reply.facts:
        return f"{name:<20}{reply.status}: {reply.note}"
    floor = reply.facts["assemble"] + reply.facts["pass"]
    numbers = floor + reply.parts.get("build", 0.0)
    built, before = (sum(reply.parts.get(phase, 0.0) for phase in phases) for phases in (BUILT, BEFORE))
    outside = reply.seconds - reply.facts["highs"]
    seconds = "".join(f"{x:>11.2f}{x / floor:>7.1f}{x / numbers:>7.1f}" for x in (built, before, outside))
    phases = ", ".join(f"{phase} {reply.parts.get(phase, 0.0):.2f}" for phase in PHASES)
    floors = f"floor: assemble {reply.facts['assemble']:.2f}, pass {reply.facts['pass']:.2f}"
    return (
        f"{name:<20}{reply.seconds:>8.1f}{reply.facts['matrices']:>10}{reply.facts['nonzeros']:>13,}{floor:>8.2f}{numbers:>14.2f}{seconds}"
        f"{outside / reply.seconds:>8.0%}  {phases}; {floors}"
    )


HEAD = (
    f"{'instance':<20}{'run, s':>8}{'matrices':>10}{'nonzeros':>13}{'floor':>8}{'and numbers':>14}"
    + "".join(f"{name:>11}{'ratio':>7}{'num.':>7}" for name in ("built", "handed on", "outside"))
    + f"{'share':>8}  seconds"
)


def table(paths: Sequence[Path], job: Job) -> list[str]:
    """Measure every instance, printing a row each; the rows."""
    rows = [HEAD]
    print(HEAD)
    for path in paths:
        reply = ask("floor_of", replace(job, instance=str(path.resolve())), runs=3) if path.is_dir() else Reply("not here, skipped")
        rows.append(line(path.name, reply))
        print(rows[-1], flush=True)
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instances", nargs="*", type=Path, default=[INSTANCES / name for name in NAMES])
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=600.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--paths", type=int, default=0, help="only the first so many listed price paths, without neighbours; 0 = the search as it is used")
    asked = parser.parse_args(arguments)
    table(asked.instances, Job("", gap=asked.gap, limit=asked.limit, threads=asked.threads, paths=asked.paths, neighbours=not asked.paths))
    return 0


if __name__ == "__main__":
    sys.exit(main())
