"""What the kinds of target share: which periods and scenarios they cover, and use, the denominator of them all.

    USE_k(area) = Σ_κ e(k, κ) · Σ_{p in area} (D_κ + r_κ (D0_κ − D_κ))

Intake, shortage and exports don't change it, and users driven abroad don't make the zone safer: the relocated share r of the
demand lost stays in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.cells import Cell, give, position
from orepact.formulation.choice import by_rung
from orepact.formulation.model import Block, Model
from orepact.formulation.terms import FloatArray, IntArray, Numbers, Terms
from orepact.market.shocks import given

Row = dict[str, Any]


def targets_of(case: Case, kind: str) -> list[Row]:
    """Targets of one kind; none where the rules switch targets off."""
    return [r for r in case.world.tables["targets"] if r["kind"] == kind] if case.rules.targets else []


def tested(case: Case, target: Row) -> tuple[IntArray, IntArray]:
    """Periods and scenarios in which a target must hold."""
    first, last = target["first_year"], target["last_year"]
    covered = case.world.horizon.covered(first if given(first) else None, last if given(last) else None)
    t, w = np.nonzero(covered[:, None] & case.modelled & case.world.normal)
    return t, w


def asked(case: Case, *kinds: str) -> Iterator[tuple[Row, IntArray, IntArray]]:
    """Targets of these kinds that must hold somewhere, with their periods and scenarios."""
    for kind in kinds:
        for target in targets_of(case, kind):
            t, w = tested(case, target)
            if t.size:
                yield target, t, w


def nodes_in(case: Case, target: Row) -> list[int]:
    """Nodes of a target's area."""
    return [case.world.nodes.index(target["area"])] if given(target["area"]) else list(range(len(case.world.nodes)))


def denominator(case: Case, target: Row) -> int:
    """Product whose use is the denominator."""
    return case.world.product(target["use_of"] if given(target["use_of"]) else target["products"][0])


def available(case: Case, k: int) -> FloatArray:
    """What each source of a product has (O, T, W), in the order of the ladder's sources."""
    ladder = case.market.ladders[k]
    return np.array([case.world.sources[o].available for o in ladder.sources]).reshape(ladder.selling.shape[1:])


def use(model: Model, case: Case, k: int, nodes: list[int], t: Numbers, w: Numbers) -> Terms:
    """USE of product k in an area, one sum for each period and scenario."""
    terms = Terms(np.size(t))
    add_use(model, case, terms, np.arange(terms.size), k, nodes, t, w)
    return terms


def add_use(model: Model, case: Case, terms: Terms, cell: IntArray, k: int, nodes: list[int], t: Numbers, w: Numbers, factor: float = 1.0) -> None:
    """Add factor · USE of product k in an area; `cell` may hold several rows of sums over the same periods and scenarios."""
    for kappa in np.flatnonzero(case.world.embodied[k] > 0):
        base, kept, moved = _response(case, int(kappa), nodes)
        by_rung(model, terms, cell, int(kappa), t, w, factor * case.world.embodied[k, kappa] * base * (kept + moved * (1 - kept)))


def add_relocated(model: Model, case: Case, terms: Terms, cell: IntArray, kappa: int, nodes: list[int], t: Numbers, w: Numbers, factor: float) -> None:
    """Add factor · r (D0 − D): use that moved abroad and now depends on the dominant source."""
    base, kept, moved = _response(case, kappa, nodes)
    by_rung(model, terms, cell, kappa, t, w, factor * base * moved * (1 - kept))


def _response(case: Case, kappa: int, nodes: list[int]) -> tuple[FloatArray, FloatArray, float]:
    """D0 of an area (T, W), the share kept at every rung (rung, T, W), and the share r of the rest that moves abroad."""
    return case.world.demand[nodes, kappa].sum(axis=0), case.market.ladders[kappa].kept, float(case.world.relocated[kappa])


def gives(model: Model, case: Case, target: Row, t: IntArray, w: IntArray) -> tuple[FloatArray, IntArray]:
    """How a target's rows give way per unit of its value: by the least use of any path in play."""
    k, nodes, least = denominator(case, target), nodes_in(case, target), np.zeros(case.span)
    for kappa in np.flatnonzero(case.world.embodied[k] > 0):
        base, kept, moved = _response(case, int(kappa), nodes)
        staying = np.where(case.played[kappa][:, :, None], kept + moved * (1 - kept), np.inf)
        least += case.world.embodied[k, kappa] * base * staying.min(axis=0)
    cell = Cell("targets", position(case, "targets", "target", target["target"]), "value")
    return least[t, w] / _days(target), np.full(t.shape, give(model, cell))


def _days(target: Row) -> float:
    """Units of the target's value in a year's use."""
    return 365.0 if target["kind"] == "stock_days" else 1.0


class Goals:
    """Rows of several targets on their way to being one family: what counts towards each, less its value times use."""

    def __init__(self, model: Model, case: Case) -> None:
        self._model, self._case = model, case
        self._index: list[tuple[Numbers, ...]] = []
        self._terms: list[Terms] = []
        self._gives: list[tuple[FloatArray, IntArray]] = []

    def add(self, target: Row, terms: Terms, t: IntArray, w: IntArray, *between: Numbers) -> None:
        """Add sums of what counts: for each case that `between` tells apart (its arrays are (case, 1)), one per period and scenario."""
        if not terms.size:
            return
        model, case = self._model, self._case
        cell = np.arange(terms.size).reshape(-1, t.size)
        add_use(model, case, terms, cell, denominator(case, target), nodes_in(case, target), t, w, -float(target["value"]) / _days(target))
        self._terms.append(terms)
        self._index.append(tuple(np.broadcast_to(part, cell.shape).ravel() for part in (target["target"], *between, t, w)))
        if case.rules.elastic:
            amount, column = gives(model, case, target, t, w)
            self._gives.append((np.tile(amount, len(cell)), np.tile(column, len(cell))))

    def rows(self, block: Block, name: str, low: float | None, high: float | None) -> None:
        """Make the family."""
        whole, first = Terms(sum(terms.size for terms in self._terms)), 0
        for terms in self._terms:
            whole.extend(terms, 1.0, first + np.arange(terms.size))
            first += terms.size
        index = tuple(np.concatenate(parts) for parts in zip(*self._index, strict=True))
        amount, column = (np.concatenate(parts) for parts in zip(*self._gives, strict=True)) if self._gives else (0.0, -1)
        block.goals(name, index, low, whole, high, (amount, column))
