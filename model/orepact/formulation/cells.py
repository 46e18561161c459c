"""Cells: figures of the user's that rows enforce, and how far each gives way. For diagnosis only.

    minimise Σ_cells effort_c · give_c,   give_c >= 0, in the unit of the cell's column

A rule that a minister could be told about (a target, a cap, a budget, a route) gives way by one column, whatever the number of
its rows: a share v becomes v − give in every period and scenario at once. Efforts make unlike things comparable: a point of a
target, a hundredth of a year's use in money or in tonnes, all weigh 1; what is not the alliance's to decide weighs three times that.

Reads: targets, budgets, contribution keys, stock limits, route capacities, outside supply. Adds: give (cell). Assumes: on one price
path use is a number, so that a share's give is exact there; over several paths the least use counts, so that it is never too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.instance.schema import ALL, ZONE
from orepact.market.world import World

FOREIGN = 3.0
"""How much more a change weighs that the alliance can't decide by itself."""

POINT = 0.01


@dataclass(frozen=True)
class Cell:
    """A figure of the instance that rows enforce: its table, the place of its row (from 0) and its column."""

    table: str
    row: int
    column: str


def give(model: Model, cell: Cell) -> int:
    """The column by which a cell gives way; made when first asked for."""
    if cell not in model.gives:
        model.gives[cell] = Block(model, "").columns("give", ([len(model.gives) + 1],)).first
    return model.gives[cell]


def position(case: Case, table: str, column: str, code: object) -> int:
    """Place of the first row of a table whose column says `code`."""
    return next(n for n, row in enumerate(case.world.tables[table]) if row[column] == code)


def source_cell(world: World, o: int) -> Cell:
    """What a source has: the first point of its series stands for all."""
    source = world.sources[o]
    same = (n for n, r in enumerate(world.tables["outside_supply"]) if (r["country"], r["product"]) == (source.country, world.products[source.product]))
    return Cell("outside_supply", next(same), "available")


def route_cell(world: World, k: int, origin: str, destination: str) -> Cell:
    """Capacity of a route: its own row, or else the one for all products."""
    rows = {(r["product"], r["origin"], r["destination"]): n for n, r in enumerate(world.tables["freight"])}
    own = rows.get((world.products[k], origin, destination))
    return Cell("freight", rows[ALL, origin, destination] if own is None else own, "capacity")


def stock_cell(world: World, s: int, column: str) -> Cell:
    """A limit of a stock."""
    site = world.stock_sites[s]
    place = ZONE if site.node < 0 else world.nodes[site.node]
    row = next(n for n, r in enumerate(world.tables["stockpiles"]) if (r["product"], r["country"]) == (world.products[site.product], place))
    return Cell("stockpiles", row, column)


def yearly_use(world: World, k: int) -> float:
    """Use of a product a year, hidden in other goods or not, mean over the horizon in the reference scenario; scaled mass, never zero."""
    used = float((world.embodied[k] @ world.demand[:, :, :, world.reference].sum(axis=0)).mean())
    made = sum(float(plant.capacity * abs(world.flow[f, k])) for f, plant in enumerate(world.plants))
    return used or made or 1.0


def yearly_value(world: World) -> float:
    """Value of final demand a year at world prices, scaled money, never zero."""
    w = world.reference
    return float(np.einsum("ikt,kt->t", world.demand[:, :, :, w], world.price[:, :, w]).mean()) or 1.0


def effort(world: World, cell: Cell) -> float:
    """Points of effort per unit of give (scaled mass, money; shares, days)."""
    row = world.tables[cell.table][cell.row]
    match cell.table, cell.column:
        case "targets", _:
            return 1 / (365 * POINT) if row["kind"] == "stock_days" else 1 / POINT
        case "budgets" | "contributions", _:
            return 1 / (POINT * yearly_value(world))
        case "stockpiles", _:
            return 1 / (POINT * yearly_use(world, world.product(row["product"])))
        case "freight", _:
            products = range(len(world.products)) if row["product"] == ALL else [world.product(row["product"])]
            return FOREIGN / (POINT * max(yearly_use(world, k) for k in products))
        case _:  # outside supply gives way by a share of itself
            k = world.product(row["product"])
            most = max((float(s.available[:, world.reference].mean()) for s in world.sources if s.product == k and s.country == row["country"]), default=1.0)
            return FOREIGN * max(most / yearly_use(world, k), 1e-6) / POINT
