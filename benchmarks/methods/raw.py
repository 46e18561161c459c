"""The floor: the one model's arrays, ready in memory, passed to HiGHS in one call and solved. No Pyomo, none of this model's code.

The options are those this model sets (`orepact.solver.batch.HIGHS`, and without the presolve rule that gives false optima).
"""

from __future__ import annotations

import math
from pathlib import Path

import highspy
import numpy as np

from methods.job import Job, Reply, Stopwatch, answer

TIGHT = 1e-9
WITHOUT_AGGREGATOR = 1 << 12


def solve(job: Job) -> Reply:
    """Load the arrays; time what comes after."""
    with np.load(Path(job.folder) / "model.npz") as stored:
        m = {name: stored[name] for name in stored.files}
    watch = Stopwatch()
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options = {"primal_feasibility_tolerance": TIGHT, "dual_feasibility_tolerance": TIGHT, "mip_feasibility_tolerance": TIGHT}
    options |= {"output_flag": False, "simplex_scale_strategy": 0, "presolve_rule_off": WITHOUT_AGGREGATOR}
    for name, value in {**options, "threads": job.threads, "mip_rel_gap": job.gap, "time_limit": job.limit}.items():
        highs.setOptionValue(name, value)
    rows, columns = len(m["row_lower"]), len(m["c"])
    highs.passModel(
        columns, rows, len(m["value"]), int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), float(m["offset"]),
        m["c"], m["col_lower"], m["col_upper"], m["row_lower"], m["row_upper"], m["start"], m["index"], m["value"], m["integer"],
    )  # fmt: skip
    watch.mark("hand over")
    highs.run()
    watch.mark("solve")
    facts, unit = highs.getInfo(), float(m["unit"])
    feasible = facts.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    ended = highs.getModelStatus()
    return Reply(
        status="solved" if ended == highspy.HighsModelStatus.kOptimal else "limit" if ended == highspy.HighsModelStatus.kTimeLimit else str(ended),
        seconds=watch.seconds,
        objective=facts.objective_function_value * unit if feasible else None,
        bound=facts.mip_dual_bound * unit if math.isfinite(facts.mip_dual_bound) else None,
        parts=watch.parts,
        facts={"rows": rows, "columns": columns, "binaries": int(m["integer"].sum())},
    )


if __name__ == "__main__":
    answer(solve)
