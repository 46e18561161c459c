"""The same one model through Pyomo's own interface to HiGHS, `SolverFactory("highs")`, with the tolerances that this model uses."""

from __future__ import annotations

import math

from pyomo.opt import SolverFactory

from methods.job import Job, Reply, Stopwatch, answer
from methods.listed import listed
from orepact.formulation.build import build
from orepact.formulation.case import Case
from orepact.solver.batch import HIGHS
from orepact.solver.highs import WITHOUT_AGGREGATOR
from orepact.solver.in_pyomo import in_pyomo
from orepact.solver.matrix import matrix_of


def solve(job: Job) -> Reply:
    """Build with the model's own parts, as a Pyomo model; everything after that is Pyomo's."""
    watch = Stopwatch()
    market, paths, rules, _ = listed(job)
    watch.mark("read")
    model = in_pyomo(matrix_of(build(Case(market, paths, rules)).model)).model
    watch.mark("build")
    options = {**HIGHS, "presolve_rule_off": WITHOUT_AGGREGATOR, "mip_rel_gap": job.gap, "threads": job.threads}
    limit = max(1.0, job.limit - watch.seconds)
    results = SolverFactory("highs").solve(model, load_solutions=False, timelimit=limit, options=options)
    watch.mark("hand over and solve")
    unit, ended = market.world.money_unit, str(results.solver.termination_condition)
    objective, bound = (_figure(x) * unit for x in (results.problem.upper_bound, results.problem.lower_bound))
    return Reply(
        status="solved" if ended == "optimal" else "limit" if "Time" in ended else ended,
        seconds=watch.seconds,
        objective=objective if math.isfinite(objective) else None,
        bound=bound if math.isfinite(bound) else None,
        parts=watch.parts,
        facts={"paths": len(paths)},
    )


def _figure(given: object) -> float:
    """A figure of Pyomo's results; not a number where it gives none."""
    return float(given) if isinstance(given, int | float) else math.nan


if __name__ == "__main__":
    answer(solve)
