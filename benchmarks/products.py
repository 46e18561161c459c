"""Products that are exact: of a quantity with a binary, and with what the rung in force decides.

q r:    0 <= v <= q,  v <= M r,  v >= q − M (1 − r)             McCormick; exact since r is 0 or 1, M the most that q can be
q z_l:  v_l <= M z_l,  Σ_l v_l = q                              over rungs that mean the same; exact since Σ_l z_l = 1 and z is whole
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from by_row import Growing, Row, Terms, add_rows
from orepact.formulation.model import Model


@dataclass(frozen=True)
class Binary:
    """A column that is 0 or 1."""

    column: int


Switch = bool | Binary
"""Whether something runs: known, or a binary."""


def line(*parts: tuple[float, int]) -> Terms:
    """A sum of columns."""
    terms = Terms()
    for coef, column in parts:
        terms.add(coef, column)
    return terms


@dataclass(frozen=True)
class Quantity:
    """A column and the most it can be."""

    column: int
    most: float


class Products:
    """Products of a quantity with a binary, or with what a rung decides."""

    def __init__(self, model: Model) -> None:
        self._z = model.choice.z
        self._block = model.block("products")
        self._part = Growing(self._block, "part")
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._known: dict[tuple[Any, ...], list[int]] = {}

    def new(self) -> int:
        """A column for a product."""
        return self._part.add()

    def row(self, name: str, low: float | None, terms: Terms, high: float | None) -> None:
        """A row of that name, to be added by `finish`."""
        self._rows[name].append((low, terms, high))

    def finish(self) -> None:
        """Add the rows to the model."""
        for name, rows in self._rows.items():
            add_rows(self._block, name, dict(enumerate(rows)))

    def where(self, quantity: Quantity, switch: Switch) -> Quantity | None:
        """Quantity × switch by McCormick; None where it is zero."""
        if isinstance(switch, bool):
            return quantity if switch else None
        key = (quantity.column, switch)
        if key not in self._known:
            product, most = self.new(), quantity.most
            self.row("no_more_than_the_quantity", None, line((1.0, product), (-1.0, quantity.column)), 0.0)
            self.row("only_where_it_runs", None, line((1.0, product), (-most, switch.column)), 0.0)
            self.row("all_where_it_runs", -most, line((1.0, product), (-1.0, quantity.column), (-most, switch.column)), None)
            self._known[key] = [product]
        return Quantity(self._known[key][0], quantity.most)

    def by_rung(self, quantity: Quantity, k: int, t: int, values: Mapping[int, tuple[float, ...]]) -> list[tuple[int, tuple[float, ...]]]:
        """The quantity split by what the rung in force decides: columns with the values of their rungs."""
        groups: dict[tuple[float, ...], list[int]] = defaultdict(list)
        for l, value in values.items():
            groups[value].append(l)
        if len(groups) == 1:
            return [(quantity.column, value) for value in groups]
        key = (quantity.column, k, t, tuple(map(tuple, groups.values())))
        if key not in self._known:
            columns = [self.new() for _ in groups]
            for column, rungs in zip(columns, groups.values(), strict=True):
                self.row("only_at_its_rung", None, line((1.0, column), *((-quantity.most, self._z[k, t, l]) for l in rungs)), 0.0)
            self.row("all_at_some_rung", 0.0, line(*((1.0, column) for column in columns), (-1.0, quantity.column)), 0.0)
            self._known[key] = columns
        return list(zip(self._known[key], groups, strict=True))
