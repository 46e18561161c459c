"""The planner's problem built in linopy (`physical.py`) and handed to HiGHS by linopy."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec

import highspy

from methods.job import Job, Reply, Stopwatch, answer
from methods.listed import listed
from orepact.formulation.case import Case, Rules


def solve(job: Job) -> Reply:
    """Build, hand over and solve."""
    if not find_spec("linopy"):
        return Reply("not run", note="linopy is not installed")
    physical, io = import_module("physical"), import_module("linopy.io")
    watch = Stopwatch()
    market, _, _, _ = listed(job)
    case = Case(market, [market.free], Rules(behaviour="planner"))
    watch.mark("read")
    try:
        model = physical.build_physical(case)
    except ValueError as error:
        return Reply("not run", note=str(error))
    watch.mark("build")
    highs = io.to_highspy(model)
    watch.mark("hand over")
    for name, value in {"output_flag": False, "threads": job.threads, "mip_rel_gap": job.gap, "time_limit": max(1.0, job.limit - watch.seconds)}.items():
        highs.setOptionValue(name, value)
    highs.run()
    watch.mark("solve")
    facts, unit, ended = highs.getInfo(), market.world.money_unit, highs.getModelStatus()
    feasible = facts.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    return Reply(
        status="solved" if ended == highspy.HighsModelStatus.kOptimal else "limit" if ended == highspy.HighsModelStatus.kTimeLimit else str(ended),
        seconds=watch.seconds,
        objective=facts.objective_function_value * unit if feasible else None,
        bound=facts.mip_dual_bound * unit if math.isfinite(facts.mip_dual_bound) else None,
        parts=watch.parts,
        facts={"rows": highs.getNumRow(), "columns": highs.getNumCol()},
    )


if __name__ == "__main__":
    answer(solve)
