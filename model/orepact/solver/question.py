"""Which questions are the same, and which differ in figures alone: what a search may keep of an earlier one (memory.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from orepact.formulation.case import Rules
from orepact.instance.schema import SCHEMA
from orepact.market.offers import Market
from orepact.market.shocks import given
from orepact.market.world import Row
from orepact.options import SolveOptions

ASKED = ("gap", "seed", "threads", "presolve", "neighbours", "path_list", "max_paths", "own_paths_only")
"""Options that a search depends on."""

FIGURES = {name: tuple(column.name for column in table.columns if column.kind == "float") for name, table in SCHEMA.items()}
"""Columns of every table whose figures may differ without another list of rungs, plants, products or periods."""

BUDGETS = {"budgets": ("limit",)}
"""The size of budgets is nothing to a part of a basket: what they limit is priced there."""


def digest(market: Market, rules: Rules, options: SolveOptions) -> str:
    """The same for parts of baskets that are searched alike at any prices."""
    settings = market.world.settings.model_dump_json()
    return _hash(settings, _without(market.world.tables, BUDGETS), market.world.burden.tolist(), rules, _asked(options), market.imposed)


def kind_of(market: Market, rules: Rules, options: SolveOptions) -> str:
    """The same for questions that differ in figures alone: their paths are the same, and their models alike."""
    horizon = market.world.settings.horizon
    return _hash(horizon.model_dump_json(), _without(market.world.tables, FIGURES), rules, _asked(options), sorted(market.imposed))


def _asked(options: SolveOptions) -> dict[str, Any]:
    return options.model_dump(include=set(ASKED))


def _without(tables: Mapping[str, list[Row]], aside: Mapping[str, tuple[str, ...]]) -> dict[str, list[Row]]:
    """Tables with some columns' figures left aside; whether a cell is given stays."""
    return {name: [row | {c: 0.0 for c in aside.get(name, ()) if given(row[c])} for row in table] for name, table in tables.items()}


def _hash(*content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


__all__ = ["digest", "kind_of"]
