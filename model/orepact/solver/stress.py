"""After the search: what happens without policy, and how the plan fares in scenarios that it was not made for."""

from __future__ import annotations

import numpy as np

from orepact.formulation.build import Built
from orepact.formulation.case import Rules
from orepact.market.offers import Market
from orepact.options import SolveOptions
from orepact.solver.batch import Plan, open_solver, prepare
from orepact.solver.clock import Clock


def without_policy(market: Market, rules: Rules, options: SolveOptions, clock: Clock) -> Plan | None:
    """The baseline: free trade and plain merchant offers; None where time ran out."""
    built, matrix = prepare(market, [market.free], rules, clock)
    solver = open_solver(matrix, options, clock)
    with clock.phase("solve"):
        answer = solver.solve("mip", gap=options.gap, time_limit=max(clock.left, 10.0))
        answer = solver.polish(answer)
    if answer.values is None or answer.objective is None:
        return None
    return Plan(built, matrix, answer.values, answer.objective, market.free, answer.bound)


def play(market: Market, plan: Plan, options: SolveOptions, clock: Clock) -> dict[int, Plan | None]:
    """Each scenario outside the model on its own, with weight 1, everything decided before it fixed, and targets off."""
    world, case = market.world, plan.built.case
    decided = _decided(plan.built)
    found: dict[int, Plan | None] = {}
    for w in np.flatnonzero(~world.in_model):
        if clock.stop.is_set():
            break
        rules = Rules(behaviour=case.rules.behaviour, support=case.rules.support, targets=False, stock=case.rules.stock)
        built, matrix = prepare(market, [plan.path], rules, clock, scenarios=[int(w)])
        solver = open_solver(matrix, options, clock)
        values: dict[int, float] = {}
        for name, columns in _decided(built).items():
            values[columns[0]] = float(plan.values[decided.get(name, [])].sum())
            values.update(dict.fromkeys(columns[1:], 0.0))
        solver.set_bounds(list(values), list(values.values()), list(values.values()))
        with clock.phase("solve"):
            answer = solver.polish(solver.solve("mip", gap=options.gap, time_limit=max(clock.left, 10.0)))
        found[int(w)] = None if answer.values is None or answer.objective is None else Plan(built, matrix, answer.values, answer.objective, plan.path)
    return found


def _decided(built: Built) -> dict[tuple[object, ...], list[int]]:
    """Columns of everything decided before the scenario is known, by names that hold in every model of the same market.

    Purchases for stock are split by price in a model of several paths; here they count together.
    """
    model, case = built.model, built.case
    found: dict[tuple[object, ...], list[int]] = {("built", *key): [column] for key, column in model.owners.u.items()}
    if case.planner:
        found.update({("rung", *key): [column] for key, column in model.choice.z.items()})
    else:
        for d, x in enumerate(case.deals):
            name = (x.facility, x.payer, id(x.deal))
            for part in ("weight", "volume", "grant"):
                if d in getattr(model.owners, part):
                    found[part, *name] = [getattr(model.owners, part)[d]]
            for i in range(len(x.deal.corners)):
                if (d, i) in model.owners.corner:
                    found["corner", *name, i] = [model.owners.corner[d, i]]
    for (s, t, _), column in model.stockpile.buy.items():
        found.setdefault(("bought", s, t), []).append(column)
    return found
