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
        kept = [n for n, row in enumerate(table) if name in WHOLE or _belongs(name, row, codes)]
        rows[name] = [table[n] for n in kept]
        lines[name] = [world.lines[name][n] for n in kept]
    return replace(world_from(world.settings, rows, lines), burden=world.burden)


def _belongs(table: str, row: Row, codes: dict[str, set[str]]) -> bool:
    """Whether everything that a row names is in the part; rows about countries, members and scenarios belong everywhere."""
    if table in codes:
        key = SCHEMA[table].key[0]
        return row[key] in codes[table]
    for column in SCHEMA[table].columns:
        known = codes.get((column.refers or "").partition(".")[0])
        if known is None:
            continue
        value = row[column.name]
        named = () if not given(value) else value if column.kind == "codes" else (value,)
        if not all(code in known or code == ALL for code in named):
            return False
    return True


__all__ = ["part", "parts_of"]
