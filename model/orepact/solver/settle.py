"""What happens in scenarios that count for nothing in the objective, settled at least cost all the same.

A scenario of probability 0 may be part of the model because a lender tests it or a target must hold in it. Its imports, shortages
and payments cost the objective nothing, so a solver may leave them anywhere; a reader takes them for what would happen. With
everything decided beforehand fixed, each such scenario is solved with weight 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.build import Built
from orepact.options import SolveOptions
from orepact.solver.batch import HIGHS, Plan
from orepact.solver.clock import Clock
from orepact.solver.highs import Session

CLOSE = 1e-9
"""By how much, relatively, the plan may look dearer afterwards: rounding."""


def settle(plan: Plan, options: SolveOptions, clock: Clock) -> Plan:
    """The plan with the scenarios of no weight at least cost; the plan as it was where there is none, or nothing better is found."""
    built, matrix, case = plan.built, plan.matrix, plan.built.case
    # where only the worst outcomes count, every other scenario counts for nothing
    everything = case.world.settings.economics.cvar_weight == 1
    idle = {w for w in case.scenarios if everything or case.weight[w] == 0}
    if not idle or len(case.scenarios) == 1:
        return plan
    cost = matrix.c.copy()
    for entry in built.ledger.entries.values():
        settled = np.isin(entry.w, list(idle))
        np.add.at(cost, entry.column[settled], (case.world.discount[entry.t] * entry.coef)[settled])
    fixed = _decided(built, idle)
    values = plan.values[fixed]
    session = Session(replace(matrix, c=cost), threads=options.threads, seed=options.seed, extra=HIGHS, stop_event=None, watch_lp=False)
    session.set_bounds(fixed, values, values)
    with clock.phase("solve"):
        answer = session.polish(session.solve("mip", gap=options.gap, time_limit=max(clock.left, 10.0)))
    if answer.values is None:
        return plan
    objective = matrix.objective(answer.values)
    if objective > plan.objective + CLOSE * max(1.0, abs(plan.objective)):
        return plan
    return replace(plan, values=answer.values, objective=objective)


def _decided(built: Built, idle: set[int]) -> NDArray[np.int64]:
    """Columns of everything decided before the scenario is known, and of what feeds are short in the scenarios that count."""
    model = built.model
    families = [getattr(block, name, None) for block in (model.choice, model.owners) for name in ("y", "z", "u", "weight", "volume", "grant", "corner")]
    found = [family.ids for family in (*families, model.stockpile.buy) if family is not None]
    if (q := getattr(model.activity, "q", None)) is not None:
        found.append(q.ids[~np.isin(q.index[2], list(idle))])
    return np.concatenate(found)
