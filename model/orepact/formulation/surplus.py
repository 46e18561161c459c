"""Surplus: what the zone makes beyond its needs is sold outside, dumped, or bought up to hold a floor.

    Σ_p export_kptw <= limit_kt · Σ_{l: P = π} z_klt        at (1 − discount) π, under open rungs only
    overflow_kptw <= Ō · Σ_{l: P = π} z_klt                 at resale · π: a real loss to those who dump
    glut_kptwl <= Ō z_klt where P_l > π                     bought at P by the treasury, resold at resale · π

Reads: z, limits, world prices, zone capacity Ō. Adds: export, overflow (product, place, period, scenario), glut (with the price).
Costs: exports, glut and overflow. Assumes: only places with plants have a surplus; owners are paid P for all they make.
"""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger, Terms, add_rows, nonnegative


def add_surplus(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add the three ways out for surplus goods, with their revenue, loss and outlay."""
    block = model.surplus = pyo.Block()
    world, resale = case.world, case.world.settings.economics.resale
    full: dict[tuple[int, int, int, int], float] = defaultdict(float)  # what plants at a place could make
    for f in range(len(world.plants)):
        for k in case.outputs[f]:
            p = case.place(case.plant_place[f], k)
            for t in case.periods:
                for w in case.scenarios:
                    full[k, p, t, w] += float(world.flow[f, k] * case.most_output[f, t, w])
    block.full = full
    spots = [key for key, most in full.items() if most > 0]
    lifted = {(k, t, w): [l for l in case.rungs[k, t] if not case.planner and case.lifted(k, l, t, w)] for k, _, t, w in spots}
    open_somewhere = [key for key in spots if len(lifted[key[0], key[2], key[3]]) < len(case.rungs[key[0], key[2]])]
    block.export = nonnegative([key for key in open_somewhere if world.export_limit[key[0], key[2]] > 0])
    block.overflow = nonnegative(open_somewhere)
    gluts: dict[tuple[int, int, int, int, float], list[int]] = defaultdict(list)
    for k, p, t, w in spots:
        for l in lifted[k, t, w]:
            gluts[k, p, t, w, case.price(k, l, t, w)].append(l)
    block.glut = nonnegative(list(gluts))

    for k, p, t, w in block.export:
        if case.counted(p):
            ledger.add("exports", t, w, -(1 - world.settings.economics.export_discount) * world.price[k, t, w], block.export[k, p, t, w])
    for k, p, t, w in block.overflow:
        if case.counted(p):
            ledger.add("surplus", t, w, -resale * world.price[k, t, w], block.overflow[k, p, t, w])
    for k, p, t, w, price in block.glut:
        cost = (0.0 if case.counted(p) else price) - resale * world.price[k, t, w]
        ledger.add("surplus", t, w, cost, block.glut[k, p, t, w, price])
    _limits(model, block, case, lifted, dict(gluts))
    return block


def _limits(
    model: pyo.ConcreteModel,
    block: pyo.Block,
    case: Case,
    lifted: dict[tuple[int, int, int], list[int]],
    gluts: dict[tuple[int, int, int, int, float], list[int]],
) -> None:
    """Exports within their limit; every way out only under a rung that allows it."""
    exports: dict[tuple[int, int, int], Terms] = defaultdict(Terms)
    for k, p, t, w in block.export:
        exports[k, t, w].add(1.0, block.export[k, p, t, w])

    def right(k: int, t: int, w: int, most: float, terms: Terms) -> tuple[None, Terms, float]:
        if not lifted[k, t, w]:
            return None, terms, most
        for l in case.rungs[k, t]:
            if l not in lifted[k, t, w]:
                terms.add(-most, model.choice.z[k, t, l])
        return None, terms, 0.0

    add_rows(block, "export_limit", {(k, t, w): right(k, t, w, float(case.world.export_limit[k, t]), terms) for (k, t, w), terms in exports.items()})
    dumped = {}
    for k, p, t, w in block.overflow:
        if lifted[k, t, w]:
            terms = Terms()
            terms.add(1.0, block.overflow[k, p, t, w])
            dumped[k, p, t, w] = right(k, t, w, block.full[k, p, t, w], terms)
    add_rows(block, "dumping_where_open", dumped)
    bought = {}
    for (k, p, t, w, price), rungs in gluts.items():
        terms = Terms()
        terms.add(1.0, block.glut[k, p, t, w, price])
        for l in rungs:
            terms.add(-block.full[k, p, t, w], model.choice.z[k, t, l])
        bought[k, p, t, w, price] = (None, terms, 0.0)
    add_rows(block, "buying_where_lifted", bought)
