"""What happens in scenarios that count for nothing in the objective, settled at least cost all the same.

A scenario of probability 0 may be part of the model because a lender tests it or a target must hold in it. Its imports, shortages
and payments cost the objective nothing, so a solver may leave them anywhere; a reader takes them for what would happen. With
everything decided beforehand fixed, each such scenario is solved with weight 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pyomo.core.base.var import VarData

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
    for entries in built.ledger.entries.values():
        for (t, w), terms in entries.items():
            if w in idle and terms.parts:
                columns = matrix.indices(column for _, column in terms.parts)
                np.add.at(cost, columns, float(case.world.discount[t]) * np.array([coef for coef, _ in terms.parts]))
    fixed = matrix.indices(_decided(built, idle))
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


def _decided(built: Built, idle: set[int]) -> list[VarData]:
    """Columns of everything decided before the scenario is known, and of what feeds are short in the scenarios that count."""
    model, found = built.model, list[VarData]()
    for block in (model.choice, model.owners):
        for name in ("y", "z", "u", "weight", "volume", "grant", "corner"):
            if (part := getattr(block, name, None)) is not None:
                found += part.values()
    found += model.stockpile.buy.values()
    if (q := getattr(model.activity, "q", None)) is not None:
        found += [column for (_, _, w), column in q.items() if w not in idle]
    return found
