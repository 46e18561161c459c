"""Price paths: one rung per product and period, the lists worth trying, and their neighbours.

A path is lawful when every rung is offered in its period, moves at most `policy.max_step` rungs between consecutive
periods and changes only in revision years. The user's own paths need only name rungs that exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from orepact.market.ladder import Ladder
from orepact.market.world import World

Rungs = tuple[tuple[int, ...], ...]
"""Rung number per product (K) and period (T)."""


@dataclass(frozen=True)
class Path:
    """A price path; two paths are the same when their rungs are, whatever their labels."""

    rungs: Rungs
    label: str = field(compare=False, default="")

    def with_product(self, k: int, rungs: tuple[int, ...], label: str) -> Path:
        return Path((*self.rungs[:k], rungs, *self.rungs[k + 1 :]), label)


def free_trade(world: World) -> Path:
    """The path on which every product trades freely throughout."""
    return Path(((0,) * world.horizon.periods,) * len(world.products), "free trade")


def revisions(world: World) -> list[int]:
    """Periods at whose start rungs may change; the first period always counts."""
    years = world.settings.policy.revision_years
    return [0] + [t for t in range(1, world.horizon.periods) if not years or int(world.horizon.start[t]) in years]


def lawful(world: World, ladders: tuple[Ladder, ...], path: Path) -> bool:
    """Whether rungs are offered, steps small enough, and changes only in revision years."""
    step = world.settings.policy.max_step
    may_change = set(revisions(world))
    for ladder, rungs in zip(ladders, path.rungs, strict=True):
        if not all(ladder.offered[rung, t] for t, rung in enumerate(rungs)):
            return False
        for t in range(1, len(rungs)):
            if rungs[t] != rungs[t - 1] and (t not in may_change or (step and abs(ladder.steps[rungs[t]] - ladder.steps[rungs[t - 1]]) > step)):
                return False
    return True


def own_paths(world: World, ladders: tuple[Ladder, ...]) -> list[Path]:
    """The instance's own `price_paths`; a row holds from the first period that starts in or after its year."""
    named: dict[str, list[tuple[str, float, str]]] = {}
    for r in world.tables["price_paths"]:
        named.setdefault(r["path"], []).append((r["product"], r["year"], r["rung"]))
    found = []
    for label, rows in named.items():
        rungs = [[0] * world.horizon.periods for _ in world.products]
        for product, year, rung in sorted(rows, key=lambda x: x[1]):
            k = world.product(product)
            for t in np.flatnonzero(world.horizon.start >= year):
                rungs[k][t] = ladders[k].rungs.index(rung)
        found.append(Path(tuple(map(tuple, rungs)), label))
    return found


def listed_paths(world: World, ladders: tuple[Ladder, ...]) -> list[Path]:
    """The list to start from, most telling first, without repeats.

    Free trade; the user's own; every product alone, refined goods with more and more of what is made from them, and all together
    at low, middle and high reference prices; the low ones from the second revision on, when there is something to protect; graded up
    and down over time; the highest tariffs of the same groups.
    """
    free = free_trade(world)
    candidates: list[Path] = [free, *own_paths(world, ladders)]
    laddered = [k for k in range(len(world.products)) if len(ladders[k].rungs) > 1]
    floors = {k: [x for x, kind in enumerate(ladders[k].kinds) if kind in ("reference", "minimum", "standard")] for k in laddered}
    tariffs = {k: [x for x, kind in enumerate(ladders[k].kinds) if kind == "tariff"] for k in laddered}
    runs = [group for chain in sorted(set(world.chain[laddered].tolist())) for group in _stage_runs(world, [k for k in laddered if world.chain[k] == chain])]
    levels = {"low": 0.0, "middle": 0.5, "high": 1.0}
    for name, level in levels.items():
        for group in runs:
            choice = {k: floors[k][round(level * (len(floors[k]) - 1))] for k in group if floors[k]}
            candidates.append(_constant(world, ladders, free, choice, f"{name} floors: {_names(world, choice)}"))
    for group in runs:
        choice = {k: tariffs[k][-1] for k in group if tariffs[k]}
        candidates.append(_constant(world, ladders, free, choice, f"top tariffs: {_names(world, choice)}"))
    for group in runs:
        choice = {k: floors[k][0] for k in group if floors[k]}
        candidates.append(_late(world, ladders, free, choice, f"late floors: {_names(world, choice)}"))
        if len(group) == 1 or group == runs[-1]:
            for name, falling in (("rising", False), ("falling", True)):
                choice = {k: floors[k][-1] for k in group if floors[k]}
                candidates.append(_graded(world, ladders, free, choice, falling, f"{name} floors: {_names(world, choice)}"))
    for k in laddered:
        for rung in range(1, len(ladders[k].rungs)):
            candidates.append(_constant(world, ladders, free, {k: rung}, f"{world.products[k]} at {ladders[k].rungs[rung]}"))
    own = len(own_paths(world, ladders)) + 1
    return distinct(candidates[:own] + [p for p in candidates[own:] if lawful(world, ladders, p)])


def _stage_runs(world: World, products: list[int]) -> list[list[int]]:
    """Groups of one chain's products that are lifted together: each alone, the last two stages, refined goods and on downstream
    one by one, and everything. Mined goods are what plants make from nothing."""
    depth = {k: int(np.count_nonzero(world.embodied[:, k] > 0)) for k in products}
    ordered = sorted(products, key=lambda k: (depth[k], k))
    makers = {k: np.flatnonzero(world.flow[:, k] > 0) for k in products}
    refined = [k for k in ordered if (world.flow[makers[k]] < 0).any()]
    groups = [[k] for k in reversed(ordered)] + [ordered[-2:]] + [refined[:n] for n in range(2, len(refined) + 1)] + [ordered]
    return [group for n, group in enumerate(groups) if group and group not in groups[:n]]


def _constant(world: World, ladders: tuple[Ladder, ...], base: Path, choice: dict[int, int], label: str) -> Path:
    path = base
    for k, rung in choice.items():
        path = path.with_product(k, tuple(_nearest(ladders[k], rung, t) for t in range(world.horizon.periods)), label)
    return path


def _graded(world: World, ladders: tuple[Ladder, ...], base: Path, choice: dict[int, int], falling: bool, label: str) -> Path:
    """Rungs that climb (or descend) one step per revision up to the chosen rung."""
    marks = revisions(world)
    path = base
    for k, top in choice.items():
        climb = [min(top, sum(1 for m in marks if m <= t)) for t in range(world.horizon.periods)]
        steps = [max(0, top + 1 - c) for c in climb] if falling else climb
        path = path.with_product(k, tuple(_nearest(ladders[k], s, t) for t, s in enumerate(steps)), label)
    return path


def _late(world: World, ladders: tuple[Ladder, ...], base: Path, choice: dict[int, int], label: str) -> Path:
    """Rungs that are reached from the second revision on, as fast as the steps allow."""
    marks, path = revisions(world), base
    for k, top in choice.items() if len(marks) > 1 else ():
        path = path.with_product(k, _towards(world, ladders[k], path.rungs[k], top, marks[1]), label)
    return path


def _towards(world: World, ladder: Ladder, own: tuple[int, ...], rung: int, first: int) -> tuple[int, ...]:
    """Rungs as they are before period `first`; from then on towards a rung, at each revision as far as the largest step allows."""
    marks, step, found = set(revisions(world)), world.settings.policy.max_step, list(own[:first])
    for t in range(first, len(own)):
        now = found[-1]
        near = [x for x in range(len(ladder.rungs)) if ladder.offered[x, t] and (not step or abs(ladder.steps[x] - ladder.steps[now]) <= step)]
        found.append(min(near, key=lambda x: abs(ladder.steps[x] - ladder.steps[rung])) if t in marks and near else now)
    return tuple(found)


def _nearest(ladder: Ladder, rung: int, t: int) -> int:
    """The highest rung up to the wanted one that is offered in period t."""
    return next(x for x in range(rung, -1, -1) if ladder.offered[x, t])


def _names(world: World, choice: Iterable[int]) -> str:
    return ", ".join(world.products[k] for k in choice)


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Paths without repeats, in order."""
    return list(dict.fromkeys(paths))


def neighbours(world: World, ladders: tuple[Ladder, ...], path: Path, fine: bool) -> Iterator[Path]:
    """Lawful neighbours: one product to any rung over the whole horizon; `fine`: one rung in one window, or towards it from one revision on."""
    marks = [*revisions(world), world.horizon.periods]
    for k, ladder in enumerate(ladders):
        own = path.rungs[k]
        for rung in range(len(ladder.rungs)):
            if not fine:
                options = [tuple(_nearest(ladder, rung, t) for t in range(len(own)))]
                labels = [f"{world.products[k]} at {ladder.rungs[rung]}"]
            else:
                options = [own[:a] + (rung,) * (b - a) + own[b:] for a, b in pairwise(marks)]
                labels = [f"{world.products[k]} at {ladder.rungs[rung]} in {_years(world, a, b)}" for a, b in pairwise(marks)]
                options += [_towards(world, ladder, own, rung, a) for a in marks[1:-2]]
                labels += [f"{world.products[k]} to {ladder.rungs[rung]} from {int(world.horizon.start[a])} on" for a in marks[1:-2]]
            for option, label in zip(options, labels, strict=True):
                if option != own:
                    near = path.with_product(k, option, f"{path.label}; {label}" if path.label else label)
                    if lawful(world, ladders, near):
                        yield near


def _years(world: World, first: int, last: int) -> str:
    end = int(world.horizon.start[last - 1] + world.horizon.length[last - 1] - 1)
    return f"{int(world.horizon.start[first])}–{end}"


__all__ = ["Path", "Rungs", "distinct", "free_trade", "lawful", "listed_paths", "neighbours", "own_paths", "revisions"]
