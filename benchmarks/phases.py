"""Where the time of a run goes: seconds by phase, how much of it HiGHS takes, the size of the model and the peak memory.

    python benchmarks/phases.py [INSTANCE ...] [--threads N]

Each instance is solved in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import orepact
from orepact.solver.result import PHASES, SolveResult

AROUND = "around"
"""Starting the child process, and what passes between it and this one."""

INSTANCES = Path(__file__).parent.parent / "instances"


def run(path: Path, threads: int) -> tuple[SolveResult, dict[str, float]]:
    """Read and solve an instance; its result, and seconds by phase, importing and reading included."""
    start = time.perf_counter()
    read, solve = orepact.read, orepact.solve  # first use imports everything behind them
    imported = time.perf_counter()
    instance = read(path)
    ready = time.perf_counter()
    result = solve(instance, orepact.SolveOptions(threads=threads, progress=False)).result
    solved = time.perf_counter() - ready
    around = solved - sum(seconds for phase, seconds in result.phases.items() if phase != "read")
    return result, {"import": imported - start, **result.phases, "read": ready - imported, AROUND: around}


def report(path: Path, result: SolveResult, phases: dict[str, float]) -> None:
    """Print one result."""
    objective = "no plan" if result.objective is None else f"{result.objective / 1e6:,.2f} MUSD"
    gap = "" if result.gap is None else f", gap {result.gap:.3%}"
    total = sum(phases.values())
    outside = total - phases.get("solve", 0.0)
    print(
        f"{path.name}: {result.status.value}, {objective}{gap}, {result.paths_examined} price paths, {total:.1f} s, {outside:.1f} s outside HiGHS ({outside / total:.0%})"
    )
    for phase in ("import", *PHASES, AROUND):
        print(f"  {phase:<20}{phases.get(phase, 0.0):8.2f} s")
    for name, value in result.size.items():
        print(f"  {name:<20}{value!s:>10}")
    if result.peak_memory_mb is not None:
        print(f"  {'peak memory':<20}{result.peak_memory_mb:8.0f} MB")


def main() -> None:
    """Run every instance named, or all of the project's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instances", nargs="*", type=Path, default=sorted(p.parent for p in INSTANCES.glob("*/instance.toml")))
    parser.add_argument("--threads", type=int, default=0, help="threads for the solver; 0 = as many as there are cores")
    asked = parser.parse_args()
    for path in asked.instances:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            report(path, *pool.submit(run, path, asked.threads).result())


if __name__ == "__main__":
    main()
