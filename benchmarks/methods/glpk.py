"""The exported file by GLPK, where the program glpsol is on the path; it is no dependency of anything here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from methods.job import Job, Reply, Stopwatch, answer, peak_memory


def solve(job: Job) -> Reply:
    """Read the MPS file and solve; money is in the file's own unit."""
    glpsol = shutil.which("glpsol")
    if glpsol is None:
        return Reply("not run", note="no GLPK on this machine (program glpsol)")
    watch = Stopwatch()
    asked = ["--mipgap", str(job.gap), "--tmlim", f"{job.limit:.0f}"]
    done = subprocess.run([glpsol, "--freemps", str(Path(job.folder) / "model.mps"), *asked], capture_output=True, text=True, check=False)
    watch.mark("read the file and solve")
    within = "GAP TOLERANCE REACHED" in done.stdout or "INTEGER OPTIMAL" in done.stdout
    steps = re.findall(r"^\+\s*\d+: (?:mip|>>>>>) =?\s*(\S+) >=\s+(\S+)", done.stdout, re.MULTILINE)
    figures = [float(x) if re.match(r"^[-+0-9.e]+$", x) else None for x in (steps[-1] if steps else ())]
    return Reply(
        status="solved" if within else "limit",
        seconds=watch.seconds,
        objective=figures[0] if figures else None,
        bound=figures[1] if figures else None,
        memory=peak_memory(children=True),
        parts=watch.parts,
    )


if __name__ == "__main__":
    answer(solve)
