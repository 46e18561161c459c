"""Parts of a basket: groups of chains that meet others only in the treasuries, each as a world of its own.

Chains belong together where a target adds up their products or one product is embodied in, or feeds, another. What a part
sees of the rest is money alone: budgets, contribution keys, the net outlay of each treasury, the worst outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from orepact.instance.schema import ALL, SCHEMA
from orepact.market.shocks import given
from orepact.market.world import Row, World, world_from

WHOLE = ("contracts",)
"""Tables that every part keeps as they are, so that a row has the same number in each."""


def parts_of(world: World) -> list[tuple[int, ...]]:
    """Products of each part, in order of the first."""
    label = world.chain.copy()
    for together in _ties(world):
        chains = {int(label[world.product(p)]) for p in together}
        label[np.isin(label, list(chains))] = min(chains)
    return [tuple(int(k) for k in np.flatnonzero(label == group)) for group in dict.fromkeys(label.tolist())]


def _ties(world: World) -> Iterable[list[str]]:
    """Products that one row of the instance ties together."""
    for r in world.tables["targets"]:
        yield [*r["products"], *([r["use_of"]] if given(r["use_of"]) else [])]
    for r in world.tables["embodied"]:
        yield [r["product"], r["within"]]
    for r in world.tables["feedstock"]:
        yield [r["product"], r["feed"]]


def part(world: World, products: tuple[int, ...]) -> World:
    """The world with these products alone; who carries pooled spending stays as it is in the whole."""
    named = {world.products[k] for k in products}
    codes = {"products": named}
    elsewhere = {r["process"] for r in world.tables["process_flows"] if r["product"] not in named}
    codes["processes"] = {r["process"] for r in world.tables["process_flows"]} - elsewhere
    codes["facilities"] = {r["facility"] for r in world.tables["facilities"] if r["process"] in codes["processes"]}
    rows, lines = {}, {}
    for name, table in world.tables.items():
        said = _says(name, codes)
        kept = [n for n, row in enumerate(table) if name in WHOLE or _belongs(row, said)]
        rows[name] = [table[n] for n in kept]
        lines[name] = [world.lines[name][n] for n in kept]
    return replace(world_from(world.settings, rows, lines), burden=world.burden)


def _says(table: str, codes: dict[str, set[str]]) -> list[tuple[str, bool, set[str]]]:
    """Columns of a table that name what may not be in the part; whether a column holds several codes, and those that are in the part."""
    if table in codes:
        return [(SCHEMA[table].key[0], False, codes[table])]
    asked = ((column, codes.get((column.refers or "").partition(".")[0])) for column in SCHEMA[table].columns)
    return [(column.name, column.kind == "codes", known) for column, known in asked if known is not None]


def _belongs(row: Row, said: list[tuple[str, bool, set[str]]]) -> bool:
    """Whether everything that a row names is in the part; rows about countries, members and scenarios belong everywhere."""
    for column, several, known in said:
        value = row[column]
        named = () if not given(value) else value if several else (value,)
        if not all(code in known or code == ALL for code in named):
            return False
    return True


__all__ = ["part", "parts_of"]
