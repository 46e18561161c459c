"""Named costs and long linear expressions: how parts hand their money to the objective and rows to the solver quickly.

Pyomo's LinearExpression built from its terms is several times faster than a sum of products.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression


class Terms:
    """A linear expression being gathered: constant + Σ coef · variable over `parts`."""

    __slots__ = ("constant", "parts")

    def __init__(self) -> None:
        self.parts: list[tuple[float, Any]] = []
        self.constant = 0.0

    def add(self, coef: float, var: Any) -> None:
        if coef:
            self.parts.append((float(coef), var))

    def extend(self, other: Terms, factor: float = 1.0) -> None:
        self.parts += [(factor * coef, var) for coef, var in other.parts]
        self.constant += factor * other.constant

    def value(self) -> float:
        """Value at the variables' present values."""
        return float(self.constant + sum(coef * var.value for coef, var in self.parts))

    def linear(self) -> LinearExpression:
        """The terms, without the constant, as Pyomo knows them."""
        return LinearExpression(list(map(MonomialTermExpression, self.parts)))


Row = tuple[float | None, Terms, float | None]


def add_rows(block: pyo.Block, name: str, rows: Mapping[Any, Row]) -> None:
    """Add a Constraint indexed by the rows' keys.

    A row without variables is kept with a column that is always zero, so that a demand nothing can meet makes the model
    infeasible instead of vanishing.
    """
    kept: dict[Any, tuple[float | None, LinearExpression, float | None]] = {}
    for key, (low, terms, high) in rows.items():
        if not terms.parts:
            if not hasattr(block, "nothing"):
                block.nothing = pyo.Var(bounds=(0.0, 0.0))
            terms.add(1.0, block.nothing)
        kept[key] = (None if low is None else low - terms.constant, terms.linear(), None if high is None else high - terms.constant)
    block.add_component(name, pyo.Constraint(list(kept), rule=lambda _, *key: kept[key if len(key) > 1 else key[0]]))


def add_goals(block: pyo.Block, name: str, rows: Mapping[Any, Row], gives: Mapping[Any, tuple[float, Any]] | None = None) -> None:
    """Rows that are somebody's wish, not physics: for diagnosis each may give way, by so much per unit of a give column.

    `gives` says for each row how much and which column (see `cells.py`); None or no entry: it holds. Priced against everything
    else nowhere: a price dearer than everything makes gaps worthless.
    """
    for key, (low, terms, _) in rows.items():
        if gives is not None and key in gives:
            amount, column = gives[key]
            terms.add(amount if low is not None else -amount, column)
    add_rows(block, name, rows)


def add_limits(block: pyo.Block, name: str, limits: Mapping[Any, tuple[Any, float]], gives: Mapping[Any, Any]) -> None:
    """Upper limits on single columns: bounds, or rows where a give column may lift them."""
    rows: dict[Any, Row] = {}
    for key, (column, most) in limits.items():
        if key in gives:
            rows[key] = (None, Terms(), most)
            rows[key][1].add(1.0, column)
            rows[key][1].add(-1.0, gives[key])
        else:
            column.setub(most)
    add_rows(block, name, rows)


def nonnegative(index: Iterable[Any]) -> pyo.Var:
    """A non-negative variable over an index list."""
    return pyo.Var(list(index), domain=pyo.NonNegativeReals)


@dataclass
class Ledger:
    """Costs by term, period and scenario (scaled money per year, undiscounted), and lumps already discounted.

    `entries[term][t, w]` and `lumps[term]` are linear; the objective discounts, weighs and adds them.
    """

    entries: dict[str, dict[tuple[int, int], Terms]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Terms)))
    lumps: dict[str, Terms] = field(default_factory=lambda: defaultdict(Terms))

    def add(self, term: str, t: int, w: int, coef: float, var: Any) -> None:
        if coef:
            self.entries[term][t, w].parts.append((float(coef), var))

    def add_lump(self, term: str, coef: float, var: Any) -> None:
        self.lumps[term].add(coef, var)
