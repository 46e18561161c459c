"""A plan that can be signed: contracts too small to negotiate go, and so do second payers of one contract, where that costs next to nothing.

Among plans of the same cost a solver takes any: a corner of an offer at 2 % of a plant, a contract shared by three treasuries
because none is cheaper. Everything whole (path, starts, feeds that count as short) stays; the rest is solved again without them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import Plan, open_solver
from orepact.solver.clock import Clock
from orepact.solver.reduced import reduce

SMALL = 0.05
"""Share of a plant below which a contract is not worth negotiating."""

USED = 1e-6
"""Share of a plant below which a deal is not in the plan."""


def tidied(plan: Plan, options: SolveOptions, clock: Clock, allowed: float) -> Plan:
    """The plan without what should not be in it, as far as its cost stays within `allowed` (scaled money); all at once, else plant by plant."""
    if plan.built.case.planner:
        return plan
    closed: list[int] = []
    groups = _superfluous(plan)
    if groups and (simpler := _without(plan, [d for group in groups for d in group], options, clock, allowed)):
        return simpler
    for group in groups:
        if clock.stop.is_set():
            break
        if simpler := _without(plan, [*closed, *group], options, clock, allowed):
            closed, plan = [*closed, *group], simpler
    return plan


def _superfluous(plan: Plan) -> list[list[int]]:
    """Deals to do without, plant by plant: small ones beside others, and all but the largest payer of the same contract."""
    case, owners = plan.built.case, plan.built.model.owners
    weight = dict(zip(owners.weight, plan.values[owners.weight.ids].tolist(), strict=True))
    by_plant: dict[int, list[int]] = defaultdict(list)
    for d, share in weight.items():
        if share > USED:
            by_plant[case.deals[d].facility].append(d)
    found = []
    for deals in by_plant.values():
        payers: dict[tuple[int, int], list[int]] = defaultdict(list)
        for d in deals:
            if case.deals[d].payer >= 0:
                payers[case.deals[d].deal.start, case.deals[d].deal.contract].append(d)
        group = {d for same in payers.values() for d in same if d != max(same, key=lambda d: weight[d])}
        group |= {d for d in deals if weight[d] < SMALL} if len(deals) > 1 else set()
        if group and len(group) < len(deals):
            found.append(sorted(group))
    return found


def _without(plan: Plan, closed: list[int], options: SolveOptions, clock: Clock, allowed: float) -> Plan | None:
    """The plan solved again with these deals closed; None if that is impossible or too dear."""
    case, matrix, owners = plan.built.case, plan.matrix, plan.built.model.owners
    values = dict(zip(matrix.integer_indices.tolist(), np.round(plan.values[matrix.integer_indices]).tolist(), strict=True))
    for d, x in enumerate(case.deals):
        column = owners.weight[d]
        if d in closed or (x.payer >= 0 and plan.values[column] <= USED):  # nothing new may come in for what goes
            values[column] = 0.0
    part = reduce(matrix, np.array(list(values), dtype=np.int64), np.array(list(values.values())))
    if options.solver == "highs":
        answer = open_solver(part.matrix, options, clock).solve("lp")
        found = None if answer.values is None else part.expand(answer.values)
    else:
        solver = open_solver(matrix, options, clock)
        solver.set_bounds(list(values), list(values.values()), list(values.values()))
        answer = solver.solve("lp")
        found = answer.values
    if answer.status is not AnswerStatus.OPTIMAL or found is None or answer.objective is None or answer.objective > allowed:
        return None
    return replace(plan, values=found, objective=answer.objective)
