"""The textbook form (`textbook.py`), handed over to HiGHS as fast as this model's own."""

from __future__ import annotations

from methods.job import Job, Reply, Stopwatch, answer
from methods.listed import listed
from orepact.solver.batch import open_solver
from orepact.solver.clock import Clock, collector_rests
from orepact.solver.matrix import matrix_of
from textbook import TextbookCase, build_textbook


def solve(job: Job) -> Reply:
    """Build, hand over and solve."""
    watch = Stopwatch()
    with collector_rests():
        market, paths, rules, options = listed(job)
        watch.mark("read")
        model = build_textbook(TextbookCase(market, paths, rules))
        watch.mark("build")
        matrix = matrix_of(model)
        solver = open_solver(matrix, options, Clock(job.limit))
        watch.mark("hand over")
        found = solver.solve("mip", gap=job.gap, time_limit=max(1.0, job.limit - watch.seconds))
        watch.mark("solve")
    unit = market.world.money_unit
    return Reply(
        status="solved" if found.status == "optimal" else found.status.value,
        seconds=watch.seconds,
        objective=None if found.objective is None else found.objective * unit,
        bound=None if found.bound is None else found.bound * unit,
        parts=watch.parts,
        facts={"paths": len(paths), **matrix.size()},
    )


if __name__ == "__main__":
    answer(solve)
