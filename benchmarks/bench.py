"""Every benchmark in one run, and one table of ratios at the end: what `make bench` does.

    python benchmarks/bench.py [--quick] [--gap 0.005] [--limit 300]

`--quick`: small sizes and short limits, to see that everything works (some minutes). The whole takes two hours or so; figures mean
something only where nothing else runs. Ends with 1 if two methods disagree about what is proven.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import against_others
import floor
import growth
import threads
from generated import Size
from methods.job import Job, Reply

HERE = Path(__file__).parent
PACKAGES = ("pyomo", "highspy", "numpy", "pandas", "pyscipopt", "linopy", "cbcbox")
OTHERS = ("one model", "textbook form", "Pyomo highs", "raw matrix", "SCIP", "CBC", "GLPK")
BUILT = ("build", "hand over")


def machine() -> str:
    """Machine, versions and how busy it is."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    busy = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.platform()}, {processor()}, {os.cpu_count()} cores{busy}; Python {platform.python_version()}, {', '.join(versions)}"


def processor() -> str:
    """Name of the processor."""
    described = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in described.read_text().splitlines() if line.startswith("model name")] if described.exists() else []
    return names[0] if names else platform.processor()


def ratios(found: Sequence[against_others.Found]) -> list[str]:
    """The final table, as Markdown: per instance our seconds and memory, and for every other way seconds over ours and its own memory."""
    rows = ["| instance | ours | " + " | ".join(OTHERS) + " | linopy / planner, built |", "|---|---:|" + "---:|" * (len(OTHERS) + 1)]
    for instance in dict.fromkeys(x.instance for x in found):
        here = {x.method.label: x.reply for x in found if x.instance == instance}
        ours, cells = here["ours"], []
        for name in OTHERS:
            cells.append(_cell(here[name], ours) if name in here else "")
        rows.append(f"| {instance} | {_own(ours)} | " + " | ".join(cells) + f" | {_built(here.get('linopy'), here.get('planner'))} |")
    return rows


def _own(reply: Reply) -> str:
    if reply.seconds is None:
        return reply.status
    return f"{reply.seconds:.1f} s, {reply.memory or 0:.0f} MB" + ("" if reply.status == "solved" else f", {_unsolved(reply)}")


def _unsolved(reply: Reply) -> str:
    return "no plan" if reply.gap is None else f"gap {reply.gap:.1%}"


def _cell(reply: Reply, ours: Reply) -> str:
    """Ratio and memory; where the limit was reached, at least that ratio and the gap there."""
    if reply.status in ("not run", "failed", "killed") or reply.seconds is None or not ours.seconds:
        return reply.status
    ratio, memory = f"{reply.seconds / ours.seconds:.2f}", f"{reply.memory or 0:.0f} MB"
    return f"{ratio}, {memory}" if reply.status in ("solved", "optimal") else f"> {ratio} ({_unsolved(reply)}), {memory}"


def _built(linopy: Reply | None, planner: Reply | None) -> str:
    """Building and handing over the physical half: linopy's seconds over ours."""
    if linopy is None or planner is None or linopy.status != "solved" or planner.status != "solved":
        return "not run" if linopy is None else linopy.note or linopy.status
    theirs, own = (sum(reply.parts.get(part, 0.0) for part in BUILT) for reply in (linopy, planner))
    return f"{theirs / own:.1f}, {linopy.memory or 0:.0f} MB against {planner.memory or 0:.0f}"


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print the final table; 1 if anything disagrees."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=300.0)
    asked = parser.parse_args(arguments)
    limit = min(60.0, asked.limit) if asked.quick else asked.limit
    before = machine()
    print(before, flush=True)
    for script in ("phases", "handover", *(() if asked.quick else ("variants", "again"))):
        print(f"\n== {script}.py", flush=True)
        small = [str(HERE.parent / "instances" / "tutorial")] if asked.quick else []
        subprocess.run([sys.executable, str(HERE / f"{script}.py"), *small], check=False)
    print("\n== against_others.py", flush=True)
    named = [HERE.parent / "instances" / "tutorial"] if asked.quick else []
    found, wrong = against_others.table(named, Job("", paths=6, gap=asked.gap, limit=limit))
    print("\n== growth.py", flush=True)
    minerals = [1, 2] if asked.quick else [2, 4, 8, 12]
    runs = growth.measure(minerals, Size(), 1, Job("", gap=asked.gap, limit=2 * limit, neighbours=True))
    print("\n== floor.py", flush=True)
    names = floor.NAMES[:1] if asked.quick else floor.NAMES
    floors = floor.table([floor.INSTANCES / name for name in names], Job("", gap=asked.gap, limit=2 * limit, neighbours=True))
    print("\n== threads.py", flush=True)
    solved = [threads.INSTANCES / name for name in ("tutorial", *(() if asked.quick else ("magnet-rare-earths",)))]
    by_threads, agree = threads.table(solved, [1, 2], Job("", gap=asked.gap, limit=2 * limit, neighbours=True))

    print(f"\n== Ratios at a gap of {asked.gap:.1%}, limit {limit:.0f} s, one thread: seconds over ours, peak memory\n\n{before}\n")
    print("\n".join(ratios(found)))
    print("\n".join(["\nGrowth with the number of minerals", growth.HEAD, *(growth.line(run) for run in runs)]))
    print("\n".join(["\nOutside HiGHS", *floors, "\nThreads", *by_threads]))
    print("\n".join(wrong) or "\nAll methods agree within their gaps.")
    return 0 if agree and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
