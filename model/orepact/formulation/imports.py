"""Imports: outside sources sell what they have at prices that the rung decides, and the dominant one is the residual.

    im_optw <= capacity of the route,  Σ_p im_optw <= available_otw · Σ_{l: o sells} z_klt
    Σ_l level_kltwdm = Σ_{o of duty class d} im_o,m     split by rung, since what is paid depends on it
    level_kltwdm <= Σ available · z_klt
    im_o <= (σ_o + b) IM + A_o (1 − Z_s) + (A_o − (σ_o + b) S)⁺ q           per set s of rungs with equal limits
    im_o >= (σ_o − b) IM − (σ_o − b) S (1 − Z_s) − ((σ_o − b) S − A_o)⁺ q

Where q = 1 all that is on sale is bought, im_o = A_o and IM = S, and the limits give way by just so much: a solver that takes a
fraction of q must not loosen them by that fraction of the whole market (it lowered the bound by 1 % on the magnet instance).

Members pay π + (1 − ρ)(P − π) per dutiable tonne and P per exempt one; the levy P − π goes to the importer's treasury, ρ of it.
The planner pays max(π, cost) and sees no bands.

Reads: what each rung lets sell (market/ladder.py), shares and bands (market/permissions.py), z, q.
Adds: im (source, place, period, scenario; mass per year), level (product, rung group, class, place, period, scenario).
Cost: imports; freight. Assumes: base-year shares persist in normal scenarios, give or take the band.
Routed products need a route from the source; pooled ones reach the hub at the hub's freight.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.cells import give, route_cell, source_cell
from orepact.formulation.ledger import Ledger, Terms, add_limits, add_rows, nonnegative
from orepact.market.permissions import Sharing, market_sharing

Group = tuple[float, float]
"""What is paid per tonne, and the levy in it."""

Class = tuple[int, int, int, int, int]
"""Imports that are taxed alike: product, place, period, scenario, and the number of the set of rungs on which they are dutiable."""


def add_imports(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add imports by source and place, what is paid for them, and how sources share the market."""
    block = model.imports = pyo.Block()
    world = case.world
    freight, capacity = _ways_in(case)
    keys = [
        (o, p, t, w)
        for o, source in enumerate(world.sources)
        for p in case.places[source.product]
        if (o, p) in freight
        for t in case.periods
        for w in case.scenarios
        if source.available[t, w] > 0 and any(_sells(case, o, l, t, w) for l in case.rungs[source.product, t])
    ]
    block.amount = nonnegative(keys)
    block.of_source, block.of_product, block.at_place = defaultdict(list), defaultdict(list), defaultdict(list)
    limits, gives = {}, {}
    for o, p, t, w in keys:
        column, k = block.amount[o, p, t, w], world.sources[o].product
        if (o, p) in capacity:
            limits[o, p, t, w] = (column, capacity[o, p])
            if case.rules.elastic:
                gives[o, p, t, w] = give(model, route_cell(world, k, world.sources[o].country, world.nodes[p]))
        block.of_source[o, t, w].append(column)
        block.of_product[k, t, w].append(column)
        block.at_place[k, p, t, w].append((o, column))
        if case.counted(p):
            ledger.add("freight", t, w, freight[o, p], column)
    add_limits(block, "capacity_of_route", limits, gives)
    add_rows(block, "what_sources_have", {key: _offer_row(model, case, key, columns) for key, columns in block.of_source.items()})
    if case.planner:
        for o, p, t, w in keys:
            if case.counted(p):
                ledger.add("imports", t, w, max(float(world.price[world.sources[o].product, t, w]), float(world.sources[o].cost[t])), block.amount[o, p, t, w])
        return block
    _payments(model, block, case, ledger)
    _bands(model, block, case)
    return block


def _ways_in(case: Case) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
    """Freight per tonne of each source to each place it can reach, and the capacity of the route where it is limited."""
    world = case.world
    freight: dict[tuple[int, int], float] = {}
    capacity: dict[tuple[int, int], float] = {}
    for o, source in enumerate(world.sources):
        k = source.product
        if not world.routed[k]:
            freight.update({(o, p): world.hub_source[source.country, k] for p in case.places[k]})
    for route in world.routes:
        if route.origin < 0:
            for o in world.sources_of(route.product):
                if world.sources[o].country == route.source:
                    freight[o, route.destination] = route.cost
                    if route.capacity < np.inf:
                        capacity[o, route.destination] = route.capacity
    return freight, capacity


def _sells(case: Case, o: int, l: int, t: int, w: int) -> bool:
    ladder = case.market.ladders[case.world.sources[o].product]
    return bool(ladder.selling[l, ladder.sources.index(o), t, w])


def _offer_row(model: pyo.ConcreteModel, case: Case, key: tuple[int, int, int], columns: list[pyo.Var]) -> tuple[None, Terms, float]:
    """A source sells up to what it has, where the rung leaves it in the money (the planner unites all rungs' permissions)."""
    o, t, w = key
    source, terms = case.world.sources[o], Terms()
    for column in columns:
        terms.add(1.0, column)
    rungs = case.rungs[source.product, t]
    selling = [l for l in rungs if _sells(case, o, l, t, w)]
    if case.rules.elastic:
        terms.add(-float(source.available[t, w]), give(model, source_cell(case.world, o)))
    if case.planner or len(selling) == len(rungs):
        return None, terms, float(source.available[t, w])
    for l in selling:
        terms.add(-float(source.available[t, w]), model.choice.z[source.product, t, l])
    return None, terms, 0.0


def _payments(model: pyo.ConcreteModel, block: pyo.Block, case: Case, ledger: Ledger) -> None:
    """Split imports by rung wherever rungs differ in what is paid; collect levies per place."""
    world = case.world
    block.levies = defaultdict(list)  # (k, p, t, w) → [(levy per tonne, column)]
    classes: dict[tuple[int, ...], int] = {(): 0}  # rungs on which a source is dutiable → class; 0: on none of those in play
    patterns: list[tuple[int, ...]] = [()]
    members: dict[Class, list[pyo.Var]] = defaultdict(list)
    for (k, p, t, w), sources in block.at_place.items():
        if not case.counted(p):
            continue
        ladder = case.market.ladders[k]
        for o, column in sources:
            pattern = tuple(l for l in case.rungs[k, t] if ladder.dutiable[l, ladder.sources.index(o)])
            if pattern not in classes:
                classes[pattern] = len(patterns)
                patterns.append(pattern)
            members[k, p, t, w, classes[pattern]].append(column)
    groups: list[tuple[Class, Group, list[int]]] = []
    for key, columns in members.items():
        k, p, t, w, kind = key
        by_group = _by_payment(case, k, t, w, patterns[kind])
        if len(by_group) > 1:
            groups += [(key, group, rungs) for group, rungs in by_group.items()]
            continue
        ((paid, levy),) = by_group
        for column in columns:
            ledger.add("imports", t, w, paid, column)
            if levy > 0:
                block.levies[k, p, t, w].append((levy, column))
    block.level = nonnegative(range(len(groups)))
    split: dict[Class, Terms] = defaultdict(Terms)
    limit = {}
    for n, (key, (paid, levy), rungs) in enumerate(groups):
        k, p, t, w, _ = key
        ledger.add("imports", t, w, paid, block.level[n])
        if levy > 0:
            block.levies[k, p, t, w].append((levy, block.level[n]))
        split[key].add(1.0, block.level[n])
        row, most = Terms(), sum(float(world.sources[o].available[t, w]) for o in case.market.ladders[k].sources)
        row.add(1.0, block.level[n])
        for l in rungs:
            row.add(-most, model.choice.z[k, t, l])
        if case.rules.elastic:
            for o in case.market.ladders[k].sources:
                row.add(-float(world.sources[o].available[t, w]), give(model, source_cell(world, o)))
        limit[n] = (None, row, 0.0)
    for key, whole in split.items():
        for column in members[key]:
            whole.add(-1.0, column)
    add_rows(block, "all_at_some_rung", {key: (0.0, terms, 0.0) for key, terms in split.items()})
    add_rows(block, "rung_in_force", limit)


def _by_payment(case: Case, k: int, t: int, w: int, dutiable: tuple[int, ...]) -> dict[Group, list[int]]:
    """Rungs in play by what they make a tonne cost that is dutiable on some of them."""
    ladder = case.market.ladders[k]
    found: dict[Group, list[int]] = defaultdict(list)
    for l in case.rungs[k, t]:
        taxed = l in dutiable
        paid = ladder.paid_dutiable[l, t, w] if taxed else ladder.paid_exempt[l, t, w]
        found[float(paid), float(ladder.levy[l, t, w]) if taxed else 0.0].append(l)
    return found


def _bands(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """Every source but the residual keeps its base-year share, give or take the band, in normal scenarios."""
    rows = {}
    for (k, t, w), columns in block.of_product.items():
        if not case.normal(w):
            continue
        by_limits: dict[tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]], list[int]] = defaultdict(list)
        for l in case.rungs[k, t]:
            share = market_sharing(case.market, k, l, t, w)
            by_limits[_frozen(share)].append(l)
        own = case.market.ladders[k].sources
        available = {o: float(case.world.sources[o].available[t, w]) for o in own}
        on_sale = {l: sum(available[o] for o in own if _sells(case, o, l, t, w)) for l in case.rungs[k, t]}
        for (upper, lower), rungs in by_limits.items():
            for side, limits, sign in (("upper", upper, 1.0), ("lower", lower, -1.0)):
                for o, limit in limits:
                    terms, right = Terms(), 0.0
                    for column in block.of_source.get((o, t, w), []):
                        terms.add(sign, column)
                    for column in columns:
                        terms.add(-sign * limit, column)
                    if (k, t, w) in model.activity.q:
                        terms.add(-max(0.0, *(sign * (available[o] - limit * on_sale[l]) for l in rungs)), model.activity.q[k, t, w])
                    if len(by_limits) > 1:
                        right = available[o] if side == "upper" else limit * max(on_sale.values())
                        for l in rungs:
                            terms.add(right, model.choice.z[k, t, l])
                        for x in own if case.rules.elastic else []:
                            terms.add(-available[x] * (limit if side == "lower" else float(x == o)), give(model, source_cell(case.world, x)))
                    rows[side, o, t, w, rungs[0]] = (None, terms, right)
    add_rows(block, "shares_of_sources", rows)


def _frozen(share: Sharing) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]:
    return tuple(sorted(share.upper.items())), tuple(sorted(share.lower.items()))
