"""Sums that need no solver: targets which nothing in the instance can meet, year by year.

Every sum is the most that could ever be there (all plants built at their best start, every source selling, every stock full) against the
least that could ever be asked (use at the rung that lowers it most). What fails here is impossible; what passes may still be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orepact.errors import Problem
from orepact.formulation.case import Case, Rules
from orepact.formulation.targets.common import Row, denominator, nodes_in, targets_of, tested
from orepact.formulation.targets.outage import losses, stages
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.shocks import given
from orepact.market.world import World

SLIP = 1e-6
"""Relative: sums this close are equal."""


@dataclass(frozen=True)
class Shortfall:
    """A target that can't be met in one period: `most` and `needed` in t a year (t for stocks), `reach` the highest value that could be."""

    target: str
    year: int
    what: str
    most: float
    needed: float
    reach: float
    days: bool


def impossible(world: World) -> list[Shortfall]:
    """Every target and period for which the sums don't come out, in the scenario where they fall shortest."""
    market = Market(world)
    case = Case(market, [market.free], Rules(behaviour="planner"))
    worst: dict[tuple[str, int], Shortfall] = {}
    for found in (*_shares(case), *_outages(case), *_stocks(case)):
        known = worst.get((found.target, found.year))
        if known is None or found.reach < known.reach:
            worst[found.target, found.year] = found
    return sorted(worst.values(), key=lambda s: (s.target, s.year))


def _cells(case: Case, target: Row) -> Iterator[tuple[int, int]]:
    """Periods and scenarios in which a target must hold, one by one."""
    return zip(*(part.tolist() for part in tested(case, target)), strict=True)


def least_use(case: Case, target: Row, t: int, w: int) -> float:
    """Use of the target's denominator at the rungs that lower it most."""
    k, nodes, world = denominator(case, target), nodes_in(case, target), case.world
    total = 0.0
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        kept, moved = [float(case.market.ladders[kappa].kept[l, t, w]) for l in case.rungs[int(kappa), t]], float(world.relocated[kappa])
        total += float(world.embodied[k, kappa] * world.demand[nodes, kappa, t, w].sum()) * min(q + moved * (1 - q) for q in kept)
    return total


def most_offered(case: Case, j: int, t: int, w: int, lost: frozenset[str] = frozenset()) -> float:
    """What sources could sell of a product, each at the rung that lets it."""
    ladder = case.market.ladders[j]
    return sum(
        float(case.world.sources[o].available[t, w])
        for x, o in enumerate(ladder.sources)
        if case.world.sources[o].country not in lost and any(ladder.selling[l, x, t, w] for l in case.rungs[j, t])
    )


def most_made(case: Case, k: int, plants: list[int], t: int, w: int) -> float:
    """What these plants could make of a product, no more than each feed allows."""
    world = case.world
    full = {f: float(world.flow[f, k] * case.most_output[f, t, w]) for f in plants if world.flow[f, k] > 0}
    best = sum(full.values())
    for j in range(len(world.products)):
        users = [f for f in full if world.flow[f, j] < 0]
        if users:
            feed = most_offered(case, j, t, w) + float(np.maximum(world.flow[:, j], 0.0) @ case.most_output[:, t, w])
            feed += sum(site.max_level if t > 0 else site.initial for site in world.stock_sites if site.product == j) if not case.normal(w) else 0.0
            yields = max(float(world.flow[f, k] / -world.flow[f, j]) for f in users)
            best = min(best, sum(full[f] for f in full if f not in users) + yields * feed)
    return best


def _found(case: Case, target: Row, t: int, what: str, most: float, use: float) -> Iterator[Shortfall]:
    """The shortfall, if there is one; `most` and `use` scaled, `most` in the units of the target's value times use."""
    days = target["kind"] == "stock_days"
    needed = float(target["value"]) * use / (365.0 if days else 1.0)
    if most < needed * (1 - SLIP):
        mass = case.world.mass_unit
        reach = most / use * (365.0 if days else 1.0)
        yield Shortfall(target["target"], int(case.world.horizon.start[t]), what, most * mass, needed * mass, reach, days)


def _shares(case: Case) -> Iterator[Shortfall]:
    world = case.world
    for kind in ("zone_share", "activity_share"):
        for target in targets_of(case, kind):
            activity = target["activity"] if kind == "activity_share" else None
            nodes = nodes_in(case, target) if activity else range(len(world.nodes))
            plants = [f for f, p in enumerate(world.plants) if case.plant_place[f] in nodes and (not activity or activity in p.activities)]
            what = f"all plants and projects{f' of {activity}' if activity else ''} together can make"
            for t, w in _cells(case, target):
                most = sum(most_made(case, world.product(p), plants, t, w) for p in target["products"])
                yield from _found(case, target, t, what, most, least_use(case, target, t, w))


def _outages(case: Case) -> Iterator[Shortfall]:
    world, e = case.world, case.world.embodied
    for target in targets_of(case, "n_minus_1"):
        k = world.product(target["products"][0])
        outage = float(target["outage_years"]) if given(target["outage_years"]) else world.settings.policy.outage_years
        for name, lost in losses(case, target).items():
            left = [f for f, p in enumerate(world.plants) if not {p.country, world.nodes[case.plant_place[f]], p.group or p.country} & lost]
            for kappa in stages(case, k, bool(target["upstream"])):
                made = np.tensordot(np.maximum(world.flow[left, kappa], 0.0), case.most_output[left], axes=1)
                for t, w in _cells(case, target):
                    most = float(made[t, w]) / e[kappa, k]
                    for j in (int(j) for j in np.flatnonzero((e[kappa] > 0) & (e[:, k] > 0))):
                        held = sum(site.initial if t == 0 else site.max_level for site in world.stock_sites if site.product == j)
                        most += (most_offered(case, j, t, w, frozenset(lost)) + held / outage) / e[j, k]
                    yield from _found(case, target, t, f"without {name} there can be at most", float(most), least_use(case, target, t, w))


def _stocks(case: Case) -> Iterator[Shortfall]:
    world = case.world
    for target in targets_of(case, "stock_days"):
        k, nodes = world.product(target["products"][0]), nodes_in(case, target)
        sites = [site for site in world.stock_sites if site.product == k and (site.node < 0 or site.node in nodes)]
        for t, w in _cells(case, target):
            years = float(world.horizon.length[: t + 1].sum())
            most = sum(min(site.max_level, site.initial + years * site.max_purchase) for site in sites)
            yield from _found(case, target, t, "stocks can hold at most", most, least_use(case, target, t, w))


def impossible_targets(instance: Instance, world: World) -> list[Problem]:
    """One warning per target that nothing in the instance can meet, with its figures year by year."""
    found = list(impossible(world))
    targets, by_target = instance.table("targets"), dict.fromkeys(s.target for s in found)
    problems = []
    for name in by_target:
        own = [s for s in found if s.target == name]
        row = targets[targets["target"] == name]
        unit, places = ("t", ".0f") if own[0].days else ("t/a", ".1%")
        years = "; ".join(
            f"{s.year}: {s.most:,.4g} of the {s.needed:,.4g} {unit} asked, which is {s.reach:{places}}{' days' if s.days else ''} at most" for s in own
        )
        problems.append(Problem("targets.csv", int(row.index[0]), "value", f"{row['value'].iloc[0]:g}", f"can't be met: {own[0].what} {years}"))
    return problems
