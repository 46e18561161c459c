"""Numbers that scale: how far the numbers of a model are apart, in words, and which input figure is to blame.

A solver works with 16 digits and tolerances of 1e-9. Where the largest coefficient is a million times the smallest, answers
deserve a warning; beyond a thousand million they mean nothing, and the model is refused before the solve.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.errors import InstanceError, Problem
from orepact.formulation.case import Case
from orepact.instance.schema import SCHEMA, Column
from orepact.market.world import World
from orepact.solver.matrix import FloatArray, Matrix

WARN, REFUSE = 1e6, 1e9
"""Largest over smallest number of one kind: above the first a warning, above the second no solve."""

FAR = 3.0
"""Powers of ten from the usual at which a figure is to blame; ores, freight and alloys differ by less."""

KINDS = {"matrix": "coefficients", "cost": "costs", "bounds": "bounds", "rhs": "right-hand sides"}

FIRST_INDEX = {
    "activity": "plant", "activity.q": "product", "activity.short_on_this_path": "product", "want": "plant", "want.idle_for_want": "product",
    "owners": "plant", "owners.weight": "deal", "owners.volume": "deal", "owners.grant": "deal", "owners.corner": "deal", "owners.mix_of_corners": "deal",
    "imports.amount": "source", "imports.what_sources_have": "source", "imports.all_at_some_rung": "product", "choice.z": "product",
    "trade.goods": "product", "trade.swap": "product", "trade.goods_at_some_price": "product", "trade.price_in_force": "product",
    "balance": "product", "surplus": "product", "demand": "product", "stockpile": "stock", "treasury": "member",
    "shares": "target", "reliance": "target", "outage": "target", "stock_days": "target",
}  # fmt: skip
"""What the first index of a block's rows and columns counts; a component of its own where it differs from its block's."""

_log = logging.getLogger("orepact.solver")

ROUNDING = 1e-13
"""Numbers of the scaled model below this are what is left of a difference of equal numbers."""


@dataclass(frozen=True)
class Spread:
    """How far numbers of one kind are apart, and the rows and columns that hold the smallest and the largest."""

    kind: str
    smallest: float
    largest: float
    small_at: tuple[Any, ...]
    large_at: tuple[Any, ...]

    @property
    def ratio(self) -> float:
        """Largest over smallest."""
        return self.largest / self.smallest

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} from {self.smallest:.2g} to {self.largest:.2g} (a factor of {self.ratio:.1e})"


@dataclass(frozen=True)
class Figure:
    """A number of the input and how many powers of ten it is from what is usual for its kind (`usual`, canonical unit)."""

    table: str
    row: int
    column: Column
    value: float
    usual: float

    @property
    def distance(self) -> float:
        """Powers of ten from the usual."""
        return abs(math.log10(abs(self.value) / self.usual))

    @property
    def others(self) -> str:
        """What is usual, in words."""
        return f"others are about {self.usual:,.6g} {self.column.unit or ''}".strip()


def spreads(matrix: Matrix) -> list[Spread]:
    """The spread of every kind of number in the matrix that has any, zeros and infinities aside."""
    columns, rows = matrix.columns, matrix.rows
    n, m = len(columns), len(rows)
    entries = matrix.entry_columns

    def find(kind: str, values: FloatArray, at: Any) -> Iterator[Spread]:
        size = np.abs(values)
        usable: NDArray[np.int64] = np.flatnonzero((size > ROUNDING) & np.isfinite(size))
        if usable.size:
            low, high = int(usable[size[usable].argmin()]), int(usable[size[usable].argmax()])
            yield Spread(kind, float(size[low]), float(size[high]), at(low), at(high))

    return [
        *find("matrix", matrix.A.data, lambda p: (rows[int(matrix.A.indices[p])], columns[int(entries[p])])),
        *find("cost", matrix.c, lambda j: (columns[j],)),
        *find("bounds", np.concatenate((matrix.col_lower, matrix.col_upper)), lambda j: (columns[j % n],)),
        *find("rhs", np.concatenate((matrix.row_lower, matrix.row_upper)), lambda i: (rows[i % m],)),
    ]


def check_scale(matrix: Matrix, case: Case) -> None:
    """Log the spreads in words. Raises InstanceError, with the figure to blame, if one is beyond what can be solved."""
    found = spreads(matrix)
    _log.info("%d rows, %d columns; %s", len(matrix.rows), len(matrix.columns), "; ".join(map(str, found)))
    problems, entered = [], Entered(case.world)
    for spread in found:
        if spread.ratio > REFUSE:
            figure = to_blame(spread, case, entered)
            rule = f"the numbers of the model would be too far apart to solve (more than {REFUSE:.0e}): {_in_words(spread, case)}"
            if figure is None:
                problems.append(Problem("instance.toml", None, None, None, rule))
            else:
                value = f"{figure.value:.6g}"
                problems.append(Problem(f"{figure.table}.csv", figure.row, figure.column.name, value, f"{rule}; {figure.others}"))
    if problems:
        raise InstanceError(list({(p.file, p.row, p.column): p for p in problems}.values()))


def scale_notes(matrix: Matrix, case: Case) -> list[str]:
    """A sentence for each spread that deserves a warning, with the figure to blame."""
    notes, entered = [], Entered(case.world)
    for spread in spreads(matrix):
        if spread.ratio > WARN:
            figure = to_blame(spread, case, entered)
            blame = "" if figure is None else f" Look at {figure.table}.csv, row {figure.row}, {figure.column.name} = {figure.value:.6g}: {figure.others}."
            notes.append(f"The numbers of the model are far apart (more than {WARN:.0e}): {_in_words(spread, case)}.{blame}")
    return notes


class Entered:
    """Figures of the input with the codes that stand in their rows; looked up once somebody asks."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def figures(self) -> list[tuple[Figure, set[str]]]:
        """Every figure, and the codes beside it."""
        tables, lines = self._world.tables, self._world.lines
        codes = {(name, line): _texts(row) for name, rows in tables.items() for line, row in zip(lines[name], rows, strict=True)}
        return [(figure, codes[figure.table, figure.row]) for figure in figures(self._world)]


def to_blame(spread: Spread, case: Case, entered: Entered) -> Figure | None:
    """The figure furthest from the usual among those of the plants, products, ... that hold the extremes; failing that, of all."""
    codes = {code for place in (spread.small_at, spread.large_at) for part in place for code in _codes(part, case)}
    own = [figure for figure, beside in entered.figures if not codes.isdisjoint(beside)]
    for group in (own, [figure for figure, _ in entered.figures]):
        worst = max(group, key=lambda figure: figure.distance, default=None)
        if worst is not None and worst.distance >= FAR:
            return worst
    return None


def figures(world: World) -> Iterator[Figure]:
    """Every decimal number of the tables that enters the model, zeros aside."""
    units = {"t": world.mass_unit, "t/a": world.mass_unit, "USD/t": world.price_unit, "USD": world.money_unit, "USD/a": world.money_unit, "": 1.0, "t/t": 1.0}
    for name, rows in world.tables.items():
        for column in SCHEMA[name].columns:
            if column.kind != "float" or column.unit not in units or name == "ranges":
                continue
            given = [(line, float(row[column.name])) for line, row in zip(world.lines[name], rows, strict=True) if _counts(row[column.name])]
            sizes = [abs(value) for _, value in given]
            # Whatever is usual for its kind or for its column is no slip, whether or not it is for the other.
            usual = [units[column.unit], *([float(np.median(sizes))] if len(sizes) >= 3 else [])]
            for line, value in given:
                yield Figure(name, line, column, value, min(usual, key=lambda size, value=value: abs(math.log(abs(value) / size))))  # type: ignore[misc]


def _counts(value: Any) -> bool:
    return value is not None and value == value and value != 0


def _texts(row: dict[str, Any]) -> set[str]:
    return {item for value in row.values() for item in (value if isinstance(value, tuple | list) else (value,)) if isinstance(item, str)}


def _in_words(spread: Spread, case: Case) -> str:
    return f"{spread}, the smallest {_where(spread.small_at, case)}, the largest {_where(spread.large_at, case)}"


def _where(place: tuple[Any, ...], case: Case) -> str:
    """The plants, products, ... whose rows and columns these are; the rule's own name where there is none."""
    named = list(dict.fromkeys(word for part in place for word in [_subject(part, case)] if word))
    return f"at {' and '.join(named)}" if named else f"in the rule {place[0].family.replace('_', ' ')!r}"


def _subject(part: Any, case: Case) -> str:
    kind, index = _first(part)
    world = case.world
    match kind:
        case "plant":
            return f"plant {world.plants[index].code}"
        case "deal":
            return f"plant {world.plants[case.deals[index].facility].code}"
        case "product":
            return f"product {world.products[index]}"
        case "source":
            return f"{world.sources[index].country}'s supply of {world.products[world.sources[index].product]}"
        case "stock":
            return f"the stock of {world.products[world.stock_sites[index].product]}"
        case "member":
            return f"the budget of {world.nodes[index]}"
        case "target":
            return f"target {index}"
    return ""


def _codes(part: Any, case: Case) -> list[str]:
    """Codes by which the input calls what a row or column is about."""
    kind, index = _first(part)
    world = case.world
    match kind:
        case "plant" | "deal":
            f = case.deals[index].facility if kind == "deal" else index
            plant = world.plants[f]
            return [plant.code, plant.process, *(world.products[k] for k in np.flatnonzero(world.flow[f]))]
        case "product":
            return [world.products[index]]
        case "source":
            return [world.products[world.sources[index].product]]
        case "stock":
            return [world.products[world.stock_sites[index].product]]
        case "member":
            return [world.nodes[index]]
        case "target":
            return [index]
    return []


def _first(part: Any) -> tuple[str, Any]:
    """What the first index of a row or column counts ('' if nothing with a name), and that index."""
    kind = FIRST_INDEX.get(f"{part.block}.{part.family}", FIRST_INDEX.get(part.block, ""))
    first = part.key[0] if isinstance(part.key, tuple) and part.key else part.key
    whole = isinstance(first, int | np.integer) and first >= 0
    return (kind, first) if kind and (whole or (kind == "target" and isinstance(first, str))) else ("", first)
