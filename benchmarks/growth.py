"""How time grows with the number of minerals, at equal gap: slack budgets, where minerals are separate questions, and binding ones.

    python benchmarks/growth.py [--minerals 2 4 8 12] [--gap 0.005] [--limit 600] [--threads 1] [--facilities 6] [--scenarios 4] [--seed 1]

Generated instances (`generated.py`); the one of 12 minerals contains those of 2, 4 and 8. Each is solved in a process of its own, by the
method that the model chooses by itself. Growth is the time over that of the smallest, divided by the ratio of minerals: 1.0 is linear.
Minerals differ, so the time over the sum of those of the minerals alone, each in its own instance, is given beside it ("together /
alone"): growth without that luck. Asked is growth within 1.3 when budgets are slack and within 2 when they bind.
Ends with 1 if a run has no plan at the gap, or grows faster.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from generated import Budgets, Size, alone, generate
from methods.job import Job, Reply, ask
from orepact.instance.writer import write

ALLOWED: dict[Budgets, float] = {"slack": 1.3, "binding": 2.0}


@dataclass(frozen=True)
class Run:
    """One instance solved; `growth` is 1 for the first of its budgets, `together` is its time over that of its minerals alone."""

    budgets: Budgets
    minerals: int
    reply: Reply
    growth: float | None
    together: float | None

    @property
    def kept(self) -> bool:
        """Whether it ended at the gap and grew no faster than allowed."""
        return self.reply.status == "solved" and self.growth is not None and self.growth <= ALLOWED[self.budgets]


def measure(minerals: list[int], size: Size, seed: int, job: Job) -> list[Run]:
    """Solve every instance, printing a row each."""
    print(HEAD)
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch:
        single: list[float | None] = []
        for number in range(max(minerals)):
            folder = Path(scratch) / f"alone {number}"
            write(alone(size, seed, number), folder)
            single.append(ask("ours", replace(job, instance=str(folder))).seconds)
        for budgets in ALLOWED:
            first: Run | None = None
            for n in minerals:
                folder = Path(scratch) / f"{budgets} {n}"
                write(generate(replace(size, minerals=n), seed, budgets), folder)
                reply = ask("ours", replace(job, instance=str(folder)))
                before = first or Run(budgets, n, reply, 1.0, None)
                growth = None
                if reply.seconds is not None and before.reply.seconds:
                    growth = reply.seconds / before.reply.seconds / (n / before.minerals)
                known = [seconds for seconds in single[:n] if seconds is not None]
                together = reply.seconds / sum(known) if reply.seconds is not None and len(known) == n else None
                runs.append(Run(budgets, n, reply, growth, together))
                first = first or runs[-1]
                print(line(runs[-1]), flush=True)
    return runs


HEAD = f"{'budgets':<9}{'minerals':>9}{'seconds':>9}{'per mineral':>12}{'growth':>8}{'together / alone':>18}{'gap':>9}{'MUSD':>13}{'peak MB':>9}  what"


def line(run: Run) -> str:
    """One row."""
    reply = run.reply
    seconds = "" if reply.seconds is None else f"{reply.seconds:.1f}"
    each = "" if reply.seconds is None else f"{reply.seconds / run.minerals:.2f}"
    growth, together = ("" if x is None else f"{x:.2f}" for x in (run.growth, run.together))
    gap = "" if reply.gap is None else f"{reply.gap:.3%}"
    cost = "" if reply.objective is None else f"{reply.objective / 1e6:,.1f}"
    memory = "" if reply.memory is None else f"{reply.memory:.0f}"
    what = "; ".join(filter(None, (reply.status, reply.note, f"{reply.facts.get('paths', '?')} paths", "" if run.kept else "MORE THAN ASKED")))
    return f"{run.budgets:<9}{run.minerals:>9}{seconds:>9}{each:>12}{growth:>8}{together:>18}{gap:>9}{cost:>13}{memory:>9}  {what}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if growth is faster than asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minerals", type=int, nargs="+", default=[2, 4, 8, 12])
    parser.add_argument("--facilities", type=int, default=6)
    parser.add_argument("--scenarios", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for each instance")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    size = Size(facilities=asked.facilities, scenarios=asked.scenarios)
    runs = measure(asked.minerals, size, asked.seed, Job("", gap=asked.gap, limit=asked.limit, threads=asked.threads, neighbours=True))
    return 0 if all(run.kept for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
