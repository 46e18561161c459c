"""The one model over the listed paths as an MPS file and as arrays, for the methods that start from those."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from methods.job import Job, Reply, Stopwatch, answer
from methods.listed import listed
from orepact.solver.batch import prepare
from orepact.solver.clock import Clock
from orepact.solver.in_pyomo import in_pyomo

ARRAYS = ("c", "col_lower", "col_upper", "row_lower", "row_upper")


def export(job: Job) -> Reply:
    """Write `model.mps` and `model.npz` into the job's folder."""
    watch, folder = Stopwatch(), Path(job.folder)
    market, paths, rules, _ = listed(job)
    watch.mark("read")
    _, matrix = prepare(market, paths, rules, Clock(job.limit))
    watch.mark("build and compile")
    in_pyomo(matrix).model.write(str(folder / "model.mps"))
    watch.mark("write MPS")
    np.savez(
        folder / "model.npz",
        unit=market.world.money_unit,
        offset=matrix.offset,
        start=matrix.A.indptr,
        index=matrix.A.indices,
        value=matrix.A.data,
        integer=matrix.integrality.astype(np.int32),
        **{name: getattr(matrix, name) for name in ARRAYS},
    )
    return Reply("written", watch.seconds, parts=watch.parts, facts={"paths": len(paths), "unit": market.world.money_unit, **matrix.size()})


if __name__ == "__main__":
    answer(export)
