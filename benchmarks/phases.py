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

INSTANCES = Path(__file__).parent.parent / "instances"


def run(path: Path, threads: int) -> tuple[SolveResult, float]:
    """Read and solve an instance; its result, and the wall-clock seconds that the caller saw."""
    started = time.perf_counter()
    solution = orepact.solve(orepact.read(path), orepact.SolveOptions(threads=threads, progress=False))
    return solution.result, time.perf_counter() - started


def report(path: Path, result: SolveResult, seconds: float) -> None:
    """Print one result."""
    objective = "no plan" if result.objective is None else f"{result.objective / 1e6:,.2f} MUSD"
    gap = "" if result.gap is None else f", gap {result.gap:.3%}"
    print(f"{path.name}: {result.status.value}, {objective}{gap}, {result.paths_examined} price paths, {seconds:.1f} s")
    for phase in PHASES:
        print(f"  {phase:<20}{result.phases.get(phase, 0.0):8.2f} s")
    outside = seconds - result.phases.get("solve", 0.0)
    print(f"  {'outside HiGHS':<20}{outside:8.2f} s, {outside / seconds:.0%}")
    for name, value in result.size.items():
        print(f"  {name:<20}{value if isinstance(value, str | int) else value!s:>10}")
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
