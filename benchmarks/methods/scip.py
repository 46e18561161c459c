"""The exported file by SCIP, with SCIP's own tolerances."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from methods.job import Job, Reply, Stopwatch, answer


def solve(job: Job) -> Reply:
    """Read the MPS file and solve; money is in the file's own unit."""
    if not find_spec("pyscipopt"):
        return Reply("not run", note="PySCIPOpt is not installed")
    model = import_module("pyscipopt").Model()
    watch = Stopwatch()
    model.hideOutput()
    model.readProblem(str(Path(job.folder) / "model.mps"))
    watch.mark("read the file")
    model.setParam("limits/gap", job.gap)
    model.setParam("limits/time", max(1.0, job.limit - watch.seconds))
    model.optimize()
    watch.mark("solve")
    ended, bound = model.getStatus(), model.getDualbound()
    return Reply(
        status="solved" if ended in ("optimal", "gaplimit") else "limit" if ended == "timelimit" else ended,
        seconds=watch.seconds,
        objective=model.getObjVal() if model.getNSols() else None,
        bound=bound if math.isfinite(bound) and abs(bound) < model.infinity() else None,
        parts=watch.parts,
    )


if __name__ == "__main__":
    answer(solve)
