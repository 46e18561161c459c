"""This model as it is used: the search over price paths. The seconds are those to the answer; extraction and verification are told apart."""

from __future__ import annotations

import threading
from pathlib import Path

from methods.job import Job, Reply, Stopwatch, answer
from orepact.api import run
from orepact.instance.reader import read
from orepact.options import SolveOptions


def solve(job: Job, **changes: object) -> Reply:
    """Read and solve; `changes` to the options."""
    watch = Stopwatch()
    instance = read(Path(job.instance))
    options = SolveOptions(
        gap=job.gap, time_limit=job.limit, threads=job.threads, path_list=job.paths, neighbours=job.neighbours,
        stress=False, baseline=False, explain=False, progress=False,
    ).model_copy(update=changes)  # fmt: skip
    result = run(instance, options, stop=threading.Event()).result
    after = sum(result.phases.get(phase, 0.0) for phase in ("extract", "verify"))
    return Reply(
        status=result.status.value,
        seconds=watch.seconds - after,
        objective=result.objective,
        bound=result.bound,
        parts=dict(result.phases),
        facts={"paths": result.paths_examined, **{name: result.size.get(name) for name in ("rows", "columns", "binaries")}},
    )


if __name__ == "__main__":
    answer(solve)
