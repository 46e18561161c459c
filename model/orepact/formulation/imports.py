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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.cells import give, route_cell, source_cell
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Columns, Model
from orepact.formulation.rungs import equal, first_alike, firsts, in_play, stacked
from orepact.formulation.terms import FloatArray, IntArray, Terms
from orepact.market.permissions import market_shares

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Offers:
    """What outside sources offer; the arrays of rungs have a rung as their last index, K products, O sources, L rungs.

    product (O,) · available (O, T, W) · played (K, T, W, L): rungs that may be in force · selling (O, T, W, L): those on which the
    source is in the money · dutiable (O, T, W, L): those on which it is dutiable.
    """

    product: IntArray
    available: FloatArray
    played: Flags
    selling: Flags
    dutiable: Flags


def add_imports(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add imports by source and place, what is paid for them, and how sources share the market.

    `levies`: place, period, scenario, levy per tonne and column, wherever a levy is paid.
    """
    block, world, offers = model.block("imports"), case.world, _offers(case)
    freight, capacity = _ways_in(case)
    sold = (offers.available > 0) & offers.selling.any(axis=-1)
    o, p, t, w = case.spots(np.isfinite(freight)[:, :, None, None] & sold[:, None])
    amount = block.columns("amount", (o, p, t, w), (len(world.sources), case.slots, *case.span))
    ledger.add("freight", t, w, np.where(case.counted_places[p], freight[o, p], 0.0), amount.ids)
    limited = np.flatnonzero(capacity[o, p] < np.inf)
    gives = None
    if case.rules.elastic:
        cells = [route_cell(world, int(offers.product[i]), world.sources[i].country, world.nodes[j]) for i, j in zip(o[limited], p[limited], strict=True)]
        gives = np.array([give(model, cell) for cell in cells], dtype=np.int64)
    block.limits("capacity_of_route", amount, limited, capacity[o, p][limited], gives)
    _what_sources_have(model, block, case, offers)
    if case.planner:
        cost = np.array([source.cost for source in world.sources]).reshape(-1, case.span[0])
        least = np.maximum(world.price[offers.product[o], t, w], cost[o, t])
        ledger.add("imports", t, w, np.where(case.counted_places[p], least, 0.0), amount.ids)
        return block
    _payments(model, block, case, ledger, offers)
    _bands(model, block, case, offers)
    return block


def _offers(case: Case) -> Offers:
    world, ladders = case.world, case.market.ladders
    played = in_play(case)
    selling = np.zeros((len(world.sources), *played.shape[1:]), dtype=bool)
    dutiable = np.zeros_like(selling)
    for ladder in ladders:
        own = list(ladder.sources)
        selling[own, :, :, : len(ladder.rungs)] = ladder.selling.transpose(1, 2, 3, 0)
        dutiable[own, :, :, : len(ladder.rungs)] = ladder.dutiable.T[:, None, None]
    in_force = played[case.product_of_source]
    available = np.array([source.available for source in world.sources]).reshape(-1, *case.span)
    return Offers(case.product_of_source, available, played, selling & in_force, dutiable & in_force)


def _ways_in(case: Case) -> tuple[FloatArray, FloatArray]:
    """Freight per tonne of each source to each place (source, place), infinite where it can't get there, and capacity of the route."""
    world = case.world
    freight, capacity = np.full((2, len(world.sources), case.slots), np.inf)
    for o, source in enumerate(world.sources):
        if not world.routed[source.product]:
            freight[o, case.places[source.product]] = world.hub_source[source.country, source.product]
    sources = {(source.country, source.product): o for o, source in enumerate(world.sources)}
    for route in world.routes:
        if (o := sources.get((route.source, route.product), -1)) >= 0:
            freight[o, route.destination], capacity[o, route.destination] = route.cost, route.capacity
    return freight, capacity


def _what_sources_have(model: Model, block: Block, case: Case, offers: Offers) -> None:
    """A source sells up to what it has, where the rung leaves it in the money (the planner unites all rungs' permissions)."""
    o, _, t, w = block.amount.index
    sells = np.zeros(offers.available.shape, dtype=bool)
    sells[o, t, w] = True
    cell = np.cumsum(sells).reshape(sells.shape) - 1
    terms = Terms(int(sells.sum()))
    terms.add(cell[o, t, w], 1.0, block.amount.ids)
    o, t, w = np.nonzero(sells)
    k, most, selling = offers.product[o], offers.available[o, t, w], offers.selling[o, t, w]
    if case.rules.elastic:
        terms.add(np.arange(terms.size), -most, [give(model, source_cell(case.world, source)) for source in o.tolist()])
    always = case.planner | (selling.sum(axis=1) == offers.played[k, t, w].sum(axis=1))
    row, l = np.nonzero(selling & ~always[:, None])
    terms.add(row, -most[row], model.choice.z.at(k[row], t[row], l))
    block.rows("what_sources_have", (o, t, w), None, terms, np.where(always, most, 0.0))


def _payments(model: Model, block: Block, case: Case, ledger: Ledger, offers: Offers) -> None:
    """Split imports by rung wherever rungs differ in what is paid; collect levies per place."""
    exempt, taxed, duty = (stacked(case, [getattr(ladder, name) for ladder in case.market.ladders]) for name in ("paid_exempt", "paid_dutiable", "levy"))
    paid = np.where(offers.dutiable, taxed[offers.product], exempt[offers.product])
    levy = np.where(offers.dutiable, duty[offers.product], 0.0)
    alike = first_alike(offers.played[offers.product], equal(paid) & equal(levy))
    counted = np.flatnonzero(case.counted_places[block.amount.index[1]])
    o, p, t, w = (part[counted] for part in block.amount.index)
    number = _class_numbers(case, offers, o, p, t, w)
    several = firsts(alike).sum(axis=-1)[o, t, w] > 1
    whole, split = counted[~several], counted[several]  # those that cost the same whatever the rung, and the others
    source, level = _levels(model, block, case, offers, alike, split, number[several])
    o, p, t, w = (part[whole] for part in block.amount.index)
    _, level_p, level_t, level_w, _, level_l = level.index

    at = np.concatenate((o, source)), np.concatenate((t, level_t)), np.concatenate((w, level_w))
    l = np.concatenate((firsts(alike).argmax(axis=-1)[o, t, w], level_l))
    column = np.concatenate((block.amount.ids[whole], level.ids))
    ledger.add("imports", at[1], at[2], paid[*at, l], column)
    due = np.flatnonzero(levy[*at, l] > 0)
    block.levies = np.concatenate((p, level_p))[due], at[1][due], at[2][due], levy[*at, l][due], column[due]


def _class_numbers(case: Case, offers: Offers, o: IntArray, p: IntArray, t: IntArray, w: IntArray) -> IntArray:
    """Number of the set of rungs in play on which imports are dutiable: 0 for none, the others counted place by place as they appear."""
    bits = np.packbits(offers.dutiable[o, t, w], axis=-1)
    kind = np.ascontiguousarray(bits).view(f"S{bits.shape[1]}").ravel()
    opened = np.zeros((len(offers.played), case.slots, *case.span), dtype=np.int64)  # which imports are a place's first
    opened[offers.product[o][::-1], p[::-1], t[::-1], w[::-1]] = np.arange(len(o))[::-1]
    order = np.argsort(opened[offers.product[o], p, t, w], kind="stable")
    _, found, of = np.unique(np.concatenate(([b""], kind[order])), return_index=True, return_inverse=True)
    number = np.empty(len(o), dtype=np.int64)
    number[order] = np.argsort(np.argsort(found))[of[1:]]
    return number


def _levels(model: Model, block: Block, case: Case, offers: Offers, alike: IntArray, split: IntArray, number: IntArray) -> tuple[IntArray, Columns]:
    """Levels into which the imports at these places of the family are split, and a source of each level.

    Imports of a product into a place that are dutiable on the same rungs are one class, with a number. Its levels are what is
    imported under rungs that come to the same payment, known by the first of them.
    """
    o, p, t, w = (part[split] for part in block.amount.index)
    classes, of, which = _distinct(offers.product[o], p, t, w, number)
    row, first = np.nonzero(firsts(alike)[o[of], t[of], w[of]])
    key = tuple(part[row] for part in classes)
    level = block.columns("level", (*key, first))
    sums = Terms(len(of))
    sums.add(row, 1.0, level.ids)
    sums.add(which, -1.0, block.amount.ids[split])
    block.rows("all_at_some_rung", classes, 0.0, sums, 0.0)
    source = o[of][row]
    _rung_in_force(model, block, case, offers, alike[source, key[2], key[3]] == first[:, None])
    return source, level


def _distinct(*index: IntArray) -> tuple[tuple[IntArray, ...], IntArray, IntArray]:
    """Distinct entries of several arrays of indices; where each is found first; and which of them each entry is."""
    low = [int(part.min(initial=0)) for part in index]
    shape = [int(part.max(initial=0)) - least + 1 for part, least in zip(index, low, strict=True)]
    number = np.ravel_multi_index(tuple(part - least for part, least in zip(index, low, strict=True)), shape)
    _, of, group = np.unique(number, return_index=True, return_inverse=True)
    return tuple(part[of] for part in index), of, group


def _rung_in_force(model: Model, block: Block, case: Case, offers: Offers, paying: Flags) -> None:
    """Something is imported at a level only under the rungs that come to this payment (level, rung)."""
    k, _, t, w, _, _ = block.level.index
    most = _by_product(offers, offers.available)
    limit = Terms(block.level.size)
    limit.add(np.arange(limit.size), 1.0, block.level.ids)
    row, l = np.nonzero(paying)
    limit.add(row, -most[k, t, w][row], model.choice.z.at(k[row], t[row], l))
    if case.rules.elastic:
        for rows, o, column in _gives(model, block, case, offers, k):
            limit.add(rows, -offers.available[o, t[rows], w[rows]], column)
    block.rows("rung_in_force", block.level.index, None, limit, 0.0)


def _bands(model: Model, block: Block, case: Case, offers: Offers) -> None:
    """Every source but the residual keeps its base-year share, give or take the band, in normal scenarios."""
    limit, alike = _share_limits(case, offers)
    bought = np.zeros(alike.shape[:3], dtype=bool)
    bought[offers.product[block.amount.index[0]], *block.amount.index[2:]] = True
    leading = firsts(alike) & (bought & case.world.normal)[..., None]
    side, o, t, w, first = np.nonzero(np.isfinite(limit) & leading[offers.product])
    k, share, sign = offers.product[o], limit[side, o, t, w, first], np.where(side == 0, 1.0, -1.0)
    available, rows = offers.available[o, t, w], np.arange(len(o))
    terms = Terms(len(rows))
    for product, ladder in enumerate(case.market.ladders):
        own = np.flatnonzero(k == product)[:, None, None]
        source, place = np.array(ladder.sources, dtype=np.int64)[:, None], np.array(case.places[product])
        terms.add(own, sign[own] * ((source == o[own]) - share[own]), block.amount.at(source, place, t[own], w[own]))

    on_sale, same = _by_product(offers, offers.available[..., None] * offers.selling)[k, t, w], alike[k, t, w] == first[:, None]
    gap = np.where(same, sign[:, None] * (available[:, None] - share[:, None] * on_sale), 0.0).max(axis=1, initial=0.0)
    terms.add(rows, -gap, model.activity.q.at(k, t, w))

    switched = leading.sum(axis=-1)[k, t, w] > 1  # other rungs in play set other limits
    right = np.where(switched, np.where(side == 0, available, share * on_sale.max(axis=1, initial=0.0)), 0.0)
    row, l = np.nonzero(same)
    terms.add(row, right[row], model.choice.z.at(k[row], t[row], l))
    if case.rules.elastic:
        for own, x, column in _gives(model, block, case, offers, np.where(switched, k, -1)):
            weight = np.where(side[own] == 1, share[own], x == o[own])
            terms.add(own, -offers.available[x, t[own], w[own]] * weight, column)
    block.rows("shares_of_sources", (np.array(["upper", "lower"])[side], o, t, w, first), None, terms, right)


def _share_limits(case: Case, offers: Offers) -> tuple[FloatArray, IntArray]:
    """Limits on each source's share of imports (upper or lower, source, period, scenario, rung), infinite for none; and for each rung
    in play (product, period, scenario, rung) the first one on which all limits of the product's sources are the same."""
    played = offers.played
    limit = np.full((2, *offers.selling.shape), np.inf)
    alike = np.full(played.shape, -1)
    for k, ladder in enumerate(case.market.ladders):
        own = list(ladder.sources)
        for l in np.flatnonzero(played[k].any(axis=(0, 1))).tolist():
            shares = market_shares(case.market, k, l)
            limit[0, own, :, :, l], limit[1, own, :, :, l] = shares.upper, shares.lower
        alike[k] = first_alike(played[k], np.asarray(equal(limit[:, own]).all(axis=(0, 1))))
    return limit, alike


def _by_product(offers: Offers, amount: FloatArray) -> FloatArray:
    """Sums over the sources of each product (product, …) of amounts (source, …)."""
    of = np.arange(len(offers.played))[:, None] == offers.product
    return np.asarray(np.einsum("ko,o...->k...", of, amount))


def _gives(model: Model, block: Block, case: Case, offers: Offers, k: IntArray) -> Iterator[tuple[IntArray, int, int]]:
    """For rows of products k: the rows of one product, one of its sources and the column by which this gives way; -1: no product."""
    for product in dict.fromkeys(offers.product[block.amount.index[0]].tolist()):
        rows = np.flatnonzero(k == product)
        for o in case.market.ladders[product].sources if rows.size else ():
            yield rows, o, give(model, source_cell(case.world, o))
