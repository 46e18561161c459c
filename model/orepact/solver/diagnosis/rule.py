"""A rule: one of the user's inputs in words, how it is dropped altogether, and how it is eased step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from orepact.formulation.cells import Cell
from orepact.instance.changes import Change
from orepact.market.world import World

YEAR = 10.0
"""Points of effort of a year's delay, or of a year won."""

HIGHER = (1.1, 1.25, 1.5, 2.0, 3.0)
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Ease:
    """One step of easing: what to change, and its effort in points."""

    changes: tuple[Change, ...]
    effort: float


@dataclass(frozen=True)
class Lever:
    """A way to ease a rule: a cell that the elastic model knows, or steps in rising order of effort."""

    cell: Cell | None = None
    steps: tuple[Ease, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One input in the user's words; `places` are (row, column) of its table, rows from 0. `group` is tested as a whole first.
    `name` is the table and the name under which a solution shows it, `figure` what is asked. `otherwise` are other ways to drop it,
    for an input of which no value is the loosest."""

    group: str
    words: str
    table: str
    places: tuple[tuple[int | None, str], ...]
    decided: bool
    dropped: tuple[Change, ...]
    levers: tuple[Lever, ...]
    name: tuple[str, str] | None = None
    figure: float = 0.0
    otherwise: tuple[tuple[Change, ...], ...] = ()


def number(value: float) -> str:
    """A figure for a sentence."""
    return f"{value:,.6g}"


def rounded(value: float) -> float:
    """Three digits: a figure that somebody could have meant."""
    return float(f"{value:.3g}")


def cell_step(world: World, cell: Cell, amount: float, effort: float) -> Ease:
    """What to write where a cell gives way by `amount` (scaled): rounded to the loose side, to a tenth of a point or three digits."""
    row = world.tables[cell.table][cell.row]
    old = float(row[cell.column])
    if cell.table == "targets":
        cap, days = row["kind"] == "reliance_cap", row["kind"] == "stock_days"
        size = 1.0 if days else 1000.0
        new = np.ceil((old + amount) * size - 1e-6) / size if cap else max(0.0, np.floor((old - amount) * size + 1e-6) / size)
        return Ease((Change(cell.table, cell.row, cell.column, float(new)),), effort)
    if cell.table == "outside_supply":
        same = [n for n, r in enumerate(world.tables["outside_supply"]) if (r["country"], r["product"]) == (row["country"], row["product"])]
        return Ease(tuple(Change(cell.table, n, cell.column, _up(world.tables["outside_supply"][n]["available"] * (1 + amount))) for n in same), effort)
    unit = world.money_unit if cell.table == "budgets" else world.mass_unit
    return Ease((Change(cell.table, cell.row, cell.column, _up(old + amount * unit)),), effort)


def _up(value: float) -> float:
    """Three digits, rounded up."""
    if value <= 0:
        return 0.0
    size = 10.0 ** (np.floor(np.log10(value)) - 2)
    return float(f"{np.ceil(value / size - 1e-6) * size:.6g}")


def ways(rules: Sequence[Rule]) -> Iterator[tuple[Change, ...]]:
    """What dropping several rules comes to; then the same with those that have other ways dropped in the second way, the third, ..."""
    yield tuple(change for rule in rules for change in rule.dropped)
    for n in range(max((len(rule.otherwise) for rule in rules), default=0)):
        yield tuple(change for rule in rules for change in ((rule.dropped, *rule.otherwise)[min(n + 1, len(rule.otherwise))]))
