"""What the kinds of target share: which periods and scenarios they cover, and use, the denominator of them all.

    USE_k(area) = Σ_κ e(k, κ) · Σ_{p in area} (D_κ + r_κ (D0_κ − D_κ))

Intake, shortage and exports don't change it, and users driven abroad don't make the zone safer: the relocated share r of the
demand lost stays in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.cells import Cell, give, position
from orepact.formulation.ledger import Terms
from orepact.market.shocks import given

Row = dict[str, Any]


def targets_of(case: Case, kind: str) -> list[Row]:
    """Targets of one kind; none where the rules switch targets off."""
    return [r for r in case.world.tables["targets"] if r["kind"] == kind] if case.rules.targets else []


def tested(case: Case, target: Row) -> Iterator[tuple[int, int]]:
    """Periods and scenarios in which a target must hold."""
    first, last = target["first_year"], target["last_year"]
    covered = case.world.horizon.covered(first if given(first) else None, last if given(last) else None)
    return ((t, w) for t in case.periods if covered[t] for w in case.scenarios if case.normal(w))


def nodes_in(case: Case, target: Row) -> list[int]:
    """Nodes of a target's area."""
    return [case.world.nodes.index(target["area"])] if given(target["area"]) else list(range(len(case.world.nodes)))


def denominator(case: Case, target: Row) -> int:
    """Product whose use is the denominator."""
    return case.world.product(target["use_of"] if given(target["use_of"]) else target["products"][0])


def use(model: pyo.ConcreteModel, case: Case, k: int, nodes: list[int], t: int, w: int) -> Terms:
    """USE of product k in an area."""
    terms = Terms()
    for kappa in np.flatnonzero(case.world.embodied[k] > 0):
        terms.extend(final_use(model, case, int(kappa), nodes, t, w), float(case.world.embodied[k, kappa]))
    return terms


def gives(model: pyo.ConcreteModel, case: Case, target: Row, t: int, w: int) -> tuple[float, pyo.Var]:
    """How a target's row gives way per unit of its value: by the least use of any path in play."""
    k, nodes, world = denominator(case, target), nodes_in(case, target), case.world
    least = 0.0
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        kept = [float(case.market.ladders[kappa].kept[l, t, w]) for l in case.rungs[int(kappa), t]]
        moved, base = float(world.relocated[kappa]), float(world.demand[nodes, kappa, t, w].sum())
        least += float(world.embodied[k, kappa]) * base * min(q + moved * (1 - q) for q in kept)
    cell = Cell("targets", position(case, "targets", "target", target["target"]), "value")
    return least / (365.0 if target["kind"] == "stock_days" else 1.0), give(model, cell)


def final_use(model: pyo.ConcreteModel, case: Case, kappa: int, nodes: list[int], t: int, w: int) -> Terms:
    """D + r (D0 − D) of one product in an area."""
    world, terms = case.world, Terms()
    base, moved = float(world.demand[nodes, kappa, t, w].sum()), float(world.relocated[kappa])
    for l in case.rungs[kappa, t]:
        kept = float(case.market.ladders[kappa].kept[l, t, w])
        terms.add(base * (kept + moved * (1 - kept)), model.choice.z[kappa, t, l])
    return terms


def relocated(model: pyo.ConcreteModel, case: Case, kappa: int, nodes: list[int], t: int, w: int) -> Terms:
    """r (D0 − D): use that moved abroad and now depends on the dominant source."""
    world, terms = case.world, Terms()
    base, moved = float(world.demand[nodes, kappa, t, w].sum()), float(world.relocated[kappa])
    for l in case.rungs[kappa, t]:
        terms.add(base * moved * (1 - float(case.market.ladders[kappa].kept[l, t, w])), model.choice.z[kappa, t, l])
    return terms
