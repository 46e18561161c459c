"""A run of this model, and what it takes to assemble and hand over the very same matrices straight from numpy.

The run is made twice: once undisturbed, for its seconds by phase and those in which HiGHS runs; once recording every matrix that is handed
to HiGHS. Of each recorded
matrix the triples (row, column, value) are laid out by rule, as a numpy modeller would have them, before the clock starts; the clock
counts concatenating them, sorting them into columns, a new HiGHS and `passModel`.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from methods.job import Job, Reply, Stopwatch, answer
from orepact.api import run
from orepact.instance.reader import read
from orepact.options import SolveOptions
from orepact.solver import batch
from orepact.solver.clock import SOLVE, Timesheet, collector_rests
from orepact.solver.highs import Session
from orepact.solver.matrix import Matrix

Array = NDArray[Any]
REPEATS = 3


@dataclass(frozen=True)
class Blocks:
    """A model as numpy code would leave it: triples and limits by rule, one cost and pair of bounds per column."""

    triples: list[tuple[Array, Array, Array]]
    limits: list[tuple[Array, Array]]
    columns: tuple[Array, Array, Array, Array]
    offset: float

    def hand_over(self, watch: Stopwatch) -> None:
        """Assemble and pass."""
        row, column, value = (np.concatenate(part) for part in zip(*self.triples, strict=True))
        lower, upper = (np.concatenate(part) for part in zip(*self.limits, strict=True))
        c, low, high, integer = self.columns
        A = coo_array((value, (row, column)), shape=(len(lower), len(c))).tocsc()
        watch.mark("assemble")
        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        highs.setOptionValue("output_flag", False)
        highs.passModel(
            len(c), len(lower), A.nnz, int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), self.offset,
            c, low, high, lower, upper, A.indptr.astype(np.int32), A.indices.astype(np.int32), A.data, integer,
        )  # fmt: skip
        watch.mark("pass to HiGHS")


def blocks_of(matrix: Matrix) -> Blocks:
    """Lay a matrix out by the rule that each row belongs to."""
    by_rule: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, row in enumerate(matrix.rows):
        by_rule[row.block, row.family].append(n)
    rows, triples, limits, first = matrix.A.tocsr(), [], [], 0
    for members in by_rule.values():
        part = rows[members].tocoo()
        triples.append(((part.row + first).astype(np.int64), part.col.astype(np.int64), part.data.copy()))
        limits.append((matrix.row_lower[members], matrix.row_upper[members]))
        first += len(members)
    return Blocks(triples, limits, (matrix.c, matrix.col_lower, matrix.col_upper, matrix.integrality.astype(np.int32)), matrix.offset)


class Recorder(Session):
    """A session that remembers what it was given."""

    seen: list[Blocks] = []  # noqa: RUF012

    def __init__(self, matrix: Matrix, **asked: Any) -> None:
        Recorder.seen.append(blocks_of(matrix))
        super().__init__(matrix, **asked)


def counted_in(sheet: Timesheet, run: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, counted as solving, in one thread or several at a time."""

    def counted(*given: Any) -> Any:
        with sheet.phase(SOLVE):
            return run(*given)

    return counted


def floor_of(job: Job) -> Reply:
    """Run twice, then assemble everything that was handed over, as often as it was."""
    options = SolveOptions(
        gap=job.gap, time_limit=job.limit, threads=job.threads, path_list=job.paths, neighbours=job.neighbours,
        stress=False, baseline=False, explain=False, progress=False,
    )  # fmt: skip
    sheet, watch = Timesheet(), Stopwatch()
    with patch.object(Session, "_run_highs", counted_in(sheet, Session._run_highs)):
        result = run(read(Path(job.instance)), options).result
    seconds = watch.seconds
    with patch.object(batch, "Session", Recorder):
        run(read(Path(job.instance)), options)
    best: dict[str, float] = {}
    with collector_rests():
        for _ in range(REPEATS):
            gc.collect()
            timed = Stopwatch()
            for blocks in Recorder.seen:
                blocks.hand_over(timed)
            if not best or sum(timed.parts.values()) < sum(best.values()):
                best = timed.parts
    entries = sum(len(value) for blocks in Recorder.seen for _, _, value in blocks.triples)
    return Reply(
        status=result.status.value,
        seconds=seconds,
        objective=result.objective,
        bound=result.bound,
        parts=dict(result.phases),
        facts={"highs": sheet.phases[SOLVE], "assemble": best["assemble"], "pass": best["pass to HiGHS"], "matrices": len(Recorder.seen), "nonzeros": entries},
    )


if __name__ == "__main__":
    answer(floor_of)
