"""How results and times change with the number of threads.

    python benchmarks/threads.py [INSTANCE ...] [--threads 1 2] [--gap 0.005] [--limit 600]

Whatever the number, what is proven must agree: no plan may cost less than the bound of another run. Ends with 1 if one does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from methods.job import Job, Reply, ask

INSTANCES = Path(__file__).parent.parent / "instances"
HEAD = f"{'instance':<22}{'threads':>8}{'seconds':>9}{'ratio':>7}{'MUSD':>14}{'bound':>14}{'gap':>9}{'paths':>7}{'peak MB':>9}  what"


def line(name: str, threads: int, reply: Reply, first: Reply) -> str:
    """One row; the ratio is of seconds to the first number of threads."""
    if reply.seconds is None or reply.objective is None or reply.bound is None:
        return f"{name:<22}{threads:>8}  {reply.status}: {reply.note}"
    ratio = f"{reply.seconds / first.seconds:.2f}" if first.seconds else ""
    return (
        f"{name:<22}{threads:>8}{reply.seconds:>9.1f}{ratio:>7}{reply.objective / 1e6:>14,.2f}{reply.bound / 1e6:>14,.2f}"
        f"{reply.gap or 0.0:>9.3%}{reply.facts.get('paths', 0):>7}{reply.memory or 0.0:>9.0f}  {reply.status}"
    )


def table(paths: Sequence[Path], threads: Sequence[int], job: Job) -> tuple[list[str], bool]:
    """Solve with each number of threads, printing a row each; the rows, and whether all agree."""
    rows, agree = [HEAD], True
    print(HEAD)
    for path in paths:
        found: list[Reply] = []
        for number in threads:
            found.append(ask("ours", replace(job, instance=str(path.resolve()), threads=number)))
            rows.append(line(path.name, number, found[-1], found[0]))
            print(rows[-1], flush=True)
        objectives = [reply.objective for reply in found if reply.objective is not None]
        bounds = [reply.bound for reply in found if reply.bound is not None]
        if objectives and bounds and min(objectives) < max(bounds) - 1e-6 * abs(max(bounds)):
            rows.append(f"DISAGREE on {path.name}: a plan costs less than another run's bound")
            print(rows[-1])
            agree = False
    return rows, agree


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if two runs disagree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instances", nargs="*", type=Path, default=[INSTANCES / name for name in ("tutorial", "magnet-rare-earths")])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=600.0)
    asked = parser.parse_args(arguments)
    _, agree = table(asked.instances, asked.threads, Job("", gap=asked.gap, limit=asked.limit, neighbours=True))
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
