"""Rows of the model as a test would write them: codes for indices, plain units for numbers.

    rows(built, "balance.goods")["M", "ZONE", 2026, "s"]  →  Row({"x[old,2026,s]": 1, "im[CHN,2026,s]": 1, "z[M,2026,free]": -1000}, 0, 0)

Tonnes, USD and USD/t; a column with one of each index says so in its name. A row is multiplied so that it is in t, USD or
plain numbers, as its part means it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from orepact.formulation.build import Built
from orepact.formulation.case import MEMBERS, PARTNERS

COLUMNS = {
    "choice.y": ("y", "path", "1"),
    "choice.z": ("z", "k t l", "1"),
    "owners.u": ("u", "f t", "1"),
    "owners.weight": ("weight", "deal", "1"),
    "owners.volume": ("volume", "deal", "t"),
    "owners.grant": ("grant", "deal", "USD"),
    "owners.corner": ("corner", "corner", "1"),
    "activity.x": ("x", "f t w", "t"),
    "activity.idle": ("idle", "idle", "t"),
    "activity.q": ("q", "k t w", "1"),
    "demand.short": ("short", "k p t w n", "t"),
    "imports.amount": ("im", "o p t w", "t"),
    "imports.level": ("level", "k p t w n n", "t"),
    "trade.flow": ("flow", "r t w", "t"),
    "trade.swap": ("swap", "k n t w", "t"),
    "trade.goods": ("goods", "k t w price", "t"),
    "surplus.export": ("export", "k p t w", "t"),
    "surplus.overflow": ("overflow", "k p t w", "t"),
    "surplus.glut": ("glut", "k p t w price", "t"),
    "stockpile.buy": ("buy", "s t n", "t"),
    "stockpile.level": ("stock", "s t w", "t"),
    "stockpile.release": ("release", "s t w", "t"),
    "treasury.spending": ("spending", "m n t w", "USD"),
    "treasury.abroad": ("abroad", "t w", "USD"),
    "treasury.net": ("net", "m t w", "USD"),
    "cost.threshold": ("threshold", "", "USD"),
    "cost.excess": ("excess", "w", "USD"),
}
"""Every variable of the model: short name, what its indices are, the unit it is in."""

PLAIN_ROWS = {"choice", "owners.built_once", "owners.start_of_deal", "owners.deal_of_path", "owners.duty_to_build", "activity.short_on_this_path"}
MONEY_ROWS = {"treasury", "cost", "activity.still_worth_building", "activity.lenders_still_content"}


@dataclass(frozen=True)
class Row:
    """lower <= Σ coefficient · column <= upper, None being no limit."""

    terms: dict[str, float]
    lower: float | None
    upper: float | None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return _close(self.terms, other.terms) and _close({"": self.lower}, {"": other.lower}) and _close({"": self.upper}, {"": other.upper})


def row(lower: float | None, terms: Mapping[str, float], upper: float | None) -> Row:
    """What a test expects: lower <= terms <= upper."""
    return Row(dict(terms), lower, upper)


def at_most(terms: Mapping[str, float], right: float = 0.0) -> Row:
    return Row(dict(terms), None, right)


def at_least(terms: Mapping[str, float], right: float = 0.0) -> Row:
    return Row(dict(terms), right, None)


def equal(terms: Mapping[str, float], right: float = 0.0) -> Row:
    return Row(dict(terms), right, right)


def _close(found: Mapping[str, float | None], expected: Mapping[str, float | None]) -> bool:
    if found.keys() != expected.keys():
        return False
    return all(a is b if a is None or b is None else a == pytest.approx(b, rel=1e-9, abs=1e-9) for a, b in ((found[n], expected[n]) for n in found))


class Names:
    """Codes for the model's index numbers."""

    def __init__(self, built: Built) -> None:
        self.built, self.case = built, built.case
        self.world = built.case.world
        self._columns = {column: (name, key) for name in COLUMNS for key, column in self._family(name)}

    def _family(self, name: str) -> list[tuple[tuple[Any, ...], int]]:
        block, _, family = name.partition(".")
        found = getattr(getattr(self.built.model, block, None), family, None)
        return [] if found is None else [(key if isinstance(key, tuple) else (key,), column) for key, column in found.items()]

    def column(self, number: int) -> tuple[str, float]:
        """Name of a column and its unit, in t, USD or 1."""
        place, key = self._columns[number]
        name, shape, unit = COLUMNS[place]
        size = {"1": 1.0, "t": self.world.mass_unit, "USD": self.world.money_unit}[unit]
        inside = ",".join(str(x) for x in self.key(shape, key))
        return (f"{name}[{inside}]" if inside else name), size

    def key(self, shape: str, key: tuple[Any, ...]) -> list[Any]:
        """Index numbers as codes; shapes name one kind of index after the other."""
        if shape == "path":
            paths = self.case.chain_paths[key[0]]
            return ["/".join(self._rungs(key[0], paths[key[1]]))]
        if shape == "deal":
            return [self.deal(key[0])]
        if shape == "corner":
            return [self.deal(key[0]), key[1]]
        if shape == "idle":
            f, v, t, w = key
            several = v >= 0 and len(set(self.case.response_classes[f])) > 1
            return [*self.key("f", (f,)), *([f"class {v}"] if several else []), *self.key("t w", (t, w))]
        if not shape:
            return []
        return [self._code(kind, n, key) for kind, n in zip(shape.split(), key, strict=True)]

    def _rungs(self, c: int, path: Any) -> list[str]:
        found = []
        for k in self.case.chains[c]:
            rungs = [self.case.market.ladders[k].rungs[l] for l in path.rungs[k]]
            if any(r != "free" for r in rungs):
                found.append(f"{self.world.products[k]} {'-'.join(dict.fromkeys(rungs))}")
        return found or ["free"]

    def deal(self, d: int) -> str:
        """Plant, contract, start and payer of a deal, so far as there is a choice; the response class if there are several."""
        x, world = self.case.deals[d], self.world
        parts = [world.plants[x.facility].code]
        parts.append(
            "grant" if x.deal.contract < 0 and not x.deal.plain else "plain" if x.deal.contract < 0 else self.case.market.contracts[x.deal.contract]["contract"]
        )
        if world.plants[x.facility].candidate:
            parts.append(str(int(world.horizon.start[x.deal.start])))
        if x.payer >= 0 and len(self.case.market.payers(x.facility)) > 1:
            parts.append(world.nodes[x.payer])
        if len(set(self.case.response_classes[x.facility])) > 1:
            parts.append(f"class {x.response}")
        return " ".join(parts)

    def _code(self, kind: str, n: Any, key: tuple[Any, ...]) -> Any:
        world = self.world
        if kind == "k":
            return world.products[n]
        if kind == "t":
            return int(world.horizon.start[n])
        if kind == "w":
            return world.scenarios[n]
        if kind == "f":
            return world.plants[n].code
        if kind == "l":
            return self.case.market.ladders[key[0]].rungs[n]
        if kind == "m":
            return world.nodes[n]
        if kind == "p":
            return {MEMBERS: "members", PARTNERS: "partners"}.get(n) or world.nodes[n]
        if kind == "o":
            several = sum(s.country == world.sources[n].country for s in world.sources) > 1
            return world.sources[n].country + (f" {world.products[world.sources[n].product]}" if several else "")
        if kind == "r":
            r = world.routes[n]
            several = sum((x.origin, x.destination) == (r.origin, r.destination) for x in world.routes) > 1
            return f"{world.nodes[r.origin]}→{world.nodes[r.destination]}" + (f" {world.products[r.product]}" if several else "")
        if kind == "s":
            site = world.stock_sites[n]
            return world.products[site.product] + (f"@{world.nodes[site.node]}" if site.node >= 0 else "")
        if kind == "price":
            return round(n * world.price_unit, 6)
        return n


def canonical(built: Built, name: str, entries: Mapping[int, float], limits: tuple[float, float], names: Names | None = None) -> Row:
    """One row in plain units: {column: coefficient}, lower and upper limit."""
    names = names or Names(built)
    world = built.case.world
    size = 1.0 if _among(name, PLAIN_ROWS) else world.money_unit if _among(name, MONEY_ROWS) else world.mass_unit
    terms: dict[str, float] = {}
    units = set()
    for column, coefficient in entries.items():
        label, unit = names.column(column)
        units.add(unit)
        terms[label] = coefficient / unit
    if name == "owners.mix_of_corners":
        size = max(units)  # a weight, a volume or a grant
    lower, upper = (None if math.isinf(limit) else limit * size for limit in limits)
    return Row({label: c * size for label, c in terms.items() if c != 0}, lower, upper)


def _among(name: str, places: set[str]) -> bool:
    return name in places or name.partition(".")[0] in places


def rows(built: Built, name: str, shape: str = "") -> dict[Any, Row]:
    """All rows of a constraint, such as "balance.goods", by key; `shape` says what the key's numbers are: "k p t w"."""
    block, _, constraint = name.partition(".")
    names = Names(built)
    family = getattr(getattr(built.model, block), constraint)
    entries: list[dict[int, float]] = [defaultdict(float) for _ in range(family.size)]
    for row, coefficient, column in zip(*(part.tolist() for part in family.terms.entries()), strict=True):
        entries[row][column] += coefficient
    found = {}
    for key, one, *limits in zip(family, entries, family.lower.tolist(), family.upper.tolist(), strict=True):
        numbers = key if isinstance(key, tuple) else (key,)
        told = tuple(names.key(shape, numbers)) if shape else numbers
        found[told if len(told) > 1 else told[0]] = canonical(built, name, one, (limits[0], limits[1]), names)
    return found


def costs(built: Built, term: str) -> dict[tuple[Any, ...], dict[str, float]]:
    """A cost term as {(year, scenario): {column: USD per year per unit of the column}}; lumps under ()."""
    names, world = Names(built), built.case.world
    found: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def add(key: tuple[Any, ...], coefficient: float, column: int) -> None:
        label, unit = names.column(column)
        found[key][label] += coefficient * world.money_unit / unit

    if (entry := built.ledger.entries.get(term)) is not None:
        for t, w, coefficient, column in zip(entry.t.tolist(), entry.w.tolist(), entry.coef.tolist(), entry.column.tolist(), strict=True):
            add(tuple(names.key("t w", (t, w))), coefficient, column)
    for coefficient, column in zip(*(part.tolist() for part in built.ledger.lumps.get(term, ())), strict=True):
        add((), coefficient, column)
    return {key: dict(amounts) for key, amounts in found.items()}
