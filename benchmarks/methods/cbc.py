"""The exported file by CBC: the program `cbc` on the path, or the one that the package cbcbox brings."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from methods.job import Job, Reply, Stopwatch, answer, peak_memory


def program() -> str | None:
    """Where CBC is, if anywhere."""
    if find_spec("cbcbox"):
        return str(import_module("cbcbox").cbc_bin_path())
    return shutil.which("cbc")


def solve(job: Job) -> Reply:
    """Read the MPS file and solve, with CBC's own tolerances; money is in the file's own unit."""
    cbc = program()
    if cbc is None:
        return Reply("not run", note="no CBC on this machine (program cbc, or pip install cbcbox)")
    watch = Stopwatch()
    asked = ["-sec", f"{job.limit:.0f}", "-timeMode", "elapsed", "-ratioGap", str(job.gap), "-threads", str(job.threads if job.threads > 1 else 0)]
    done = subprocess.run([cbc, str(Path(job.folder) / "model.mps"), *asked, "-solve", "-quit"], capture_output=True, text=True, check=False)
    watch.mark("read the file and solve")
    said = done.stdout
    objective, bound = (_figure(said, label) for label in ("Objective value", "Lower bound"))
    optimal = "Optimal solution found" in said
    if optimal and bound is None and objective is not None:
        bound = objective - job.gap * abs(objective)  # CBC names no bound where it stops within the gap
    return Reply(
        status="solved" if optimal else "limit" if "Stopped on time" in said or "time limit" in said else "failed",
        seconds=watch.seconds,
        objective=objective,
        bound=bound,
        memory=peak_memory(children=True),
        note="" if done.returncode == 0 else f"ended with {done.returncode}",
        parts=watch.parts,
    )


def _figure(said: str, label: str) -> float | None:
    """The last figure of that name in CBC's summary."""
    found = re.findall(rf"^{label}:\s+(\S+)", said, re.MULTILINE)
    return float(found[-1]) if found and abs(float(found[-1])) < 1e49 else None


if __name__ == "__main__":
    answer(solve)
