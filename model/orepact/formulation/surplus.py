"""Surplus: what the zone makes beyond its needs is sold outside, dumped, or bought up to hold a floor.

    Σ_p export_kptw <= limit_kt · Σ_{l: P = π} z_klt        at (1 − discount) π, under open rungs only
    overflow_kptw <= Ō · Σ_{l: P = π} z_klt                 at resale · π: a real loss to those who dump
    glut_kptwl <= Ō z_klt where P_l > π                     bought at P by the treasury, resold at resale · π

Reads: z, limits, world prices, zone capacity Ō. Adds: export, overflow (product, place, period, scenario), glut (with the price).
Costs: exports, glut and overflow. Assumes: only places with plants have a surplus; owners are paid P for all they make.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.rungs import equal, first_alike, firsts, in_play, stacked
from orepact.formulation.terms import FloatArray, IntArray, Terms

Flags = NDArray[np.bool_]


def add_surplus(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add the three ways out for surplus goods, with their revenue, loss and outlay; `full` is what plants at a place could make."""
    block = model.block("surplus")
    world, economics = case.world, case.world.settings.economics
    block.full = _full(case)
    spots = (block.full > 0) & case.modelled
    played = in_play(case)
    lifted = played & stacked(case, case.raised) & (not case.planner)
    under_open = played & ~lifted  # rungs that leave the zone price at the world price
    may_open = spots & under_open.any(axis=-1)[:, None]
    export = block.columns("export", case.spots(may_open & (world.export_limit > 0)[:, None, :, None]), spots.shape)
    overflow = block.columns("overflow", case.spots(may_open), spots.shape)
    prices = stacked(case, [ladder.price for ladder in case.market.ladders])
    alike = first_alike(lifted, equal(prices))
    *spot, first = case.spots(spots[..., None] & firsts(alike)[:, None])
    k, p, t, w = spot
    price = prices[k, t, w, first]
    glut = block.columns("glut", (*spot, price))

    counted, world_price = case.counted_places, world.price
    ledger.add("surplus", t, w, np.where(counted[p], 0.0, price) - economics.resale * world_price[k, t, w], glut.ids)
    k, p, t, w = export.index
    ledger.add("exports", t, w, -(1 - economics.export_discount) * world_price[k, t, w] * counted[p], export.ids)
    k, p, t, w = overflow.index
    ledger.add("surplus", t, w, -economics.resale * world_price[k, t, w] * counted[p], overflow.ids)
    _ways_out_where_open(model, block, case, lifted, under_open)
    _buying_where_lifted(model, block, alike, first)
    return block


def _full(case: Case) -> FloatArray:
    """What plants at a place could make of each product (product, place, period, scenario)."""
    world = case.world
    full = np.zeros((len(world.products), case.slots, *case.span))
    f, k = np.nonzero(world.flow > 0)
    place = case.place_of[np.array(case.plant_place, dtype=np.int64)[f], k]
    np.add.at(full, (k, place), world.flow[f, k][:, None, None] * case.most_output[f])
    return full


def _ways_out_where_open(model: Model, block: Block, case: Case, lifted: Flags, under_open: Flags) -> None:
    """Exports within their limit; exports and dumping only under a rung that leaves the zone price at the world price."""
    closable = np.asarray(lifted.any(axis=-1))  # (product, period, scenario): elsewhere every rung allows it
    k, p, t, w = block.export.index
    sold = np.zeros(closable.shape, dtype=bool)
    sold[k, t, w] = True
    cell = np.cumsum(sold).reshape(sold.shape) - 1
    exported = Terms(int(sold.sum()))
    exported.add(cell[k, t, w], 1.0, block.export.ids)
    k, t, w = np.nonzero(sold)
    limit, switched = case.world.export_limit[k, t], closable[k, t, w]
    _only_under(model, exported, k, t, np.where(switched, limit, 0.0), under_open[k, t, w])
    block.rows("export_limit", (k, t, w), None, exported, np.where(switched, 0.0, limit))

    k, p, t, w = block.overflow.index
    dumped = Terms(block.overflow.size)
    dumped.add(np.arange(dumped.size), 1.0, block.overflow.ids)
    _only_under(model, dumped, k, t, block.full[k, p, t, w], under_open[k, t, w])
    block.rows("dumping_where_open", block.overflow.index, None, dumped, 0.0, where=closable[k, t, w])


def _buying_where_lifted(model: Model, block: Block, alike: IntArray, first: IntArray) -> None:
    """Buying up only under a rung with the price that is paid; `first` is the first such rung of each glut."""
    k, p, t, w, _ = block.glut.index
    bought = Terms(block.glut.size)
    bought.add(np.arange(bought.size), 1.0, block.glut.ids)
    _only_under(model, bought, k, t, block.full[k, p, t, w], alike[k, t, w] == first[:, None])
    block.rows("buying_where_lifted", block.glut.index, None, bought, 0.0)


def _only_under(model: Model, terms: Terms, k: IntArray, t: IntArray, most: FloatArray, rungs: Flags) -> None:
    """Take `most` times the weight of the given rungs (sum, rung) off every sum."""
    row, l = np.nonzero(rungs)
    terms.add(row, -most[row], model.choice.z.at(k[row], t[row], l))
