"""Demand: a higher zone price drives users to save material or to leave; what they forgo is a cost.

    D_kptw = D0_kptw · Σ_l q_l z_klt,   q = (P/π)^−ε
    use forgone = D0 · π · Σ_l v_l z_klt,   v = (1 − q^(1−1/ε)) / (1 − 1/ε)
    short_kptwb <= share_b · D_kptw

Shortage is possible in scenarios that are not normal; in normal ones only on paths whose reachable supply may not cover
intake and demand (data test), never to meet a target cheaply.

Reads: z, demand response (market/ladder.py), shortage blocks, scarcity. Adds: short (product, place, period, scenario, block;
mass per year). Costs: use forgone, shortage, freight to users of pooled goods.
Assumes: shortage falls on final demand only, easiest uses first; a long cut costs less per tonne because users adapt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.rungs import in_play, stacked
from orepact.formulation.terms import FloatArray, Numbers, Terms
from orepact.market.permissions import Shares, market_shares

Flags = NDArray[np.bool_]


def add_demand(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add use forgone and shortage."""
    block, world = model.block("demand"), case.world
    allowed = None if case.planner else _paths_that_may_run_short(case)
    tight = _any_path_may_run_short(case) if allowed is None else allowed.any(axis=0)
    blocks = _shortage_blocks(case)
    spots = (case.wanted > 0) & ((tight | ~world.normal) & case.modelled)[:, None]
    cut = spots[..., None] & np.isfinite(blocks[:, None, None, None, :, 0])
    k, p, t, w, b = case.spots(cut)
    short = block.columns("short", (k, p, t, w, b), cut.shape)

    _charge_users(model, case, ledger)
    share, multiple, multiple_long = blocks[k, b].T
    long = world.longest_cut[k, w] >= world.longer_after[k]
    ledger.add("shortage", t, w, np.where(long, multiple_long, multiple) * world.price[k, t, world.reference], short.ids)
    kept, l = _kept(case), np.arange(model.choice.z.shape[-1])
    within, row = Terms(short.size), np.arange(short.size)
    within.add(row, 1.0, short.ids)
    within.add(row[:, None], -(share * case.wanted[k, p, t, w])[:, None] * kept[k, t, w], model.choice.z.at(k[:, None], t[:, None], l))
    block.rows("within_block", short.index, None, within, 0.0)
    if allowed is not None:
        _short_only_if_supply_is(model, block, case, allowed)
    return block


def used(model: Model, case: Case, terms: Terms, cell: Numbers, k: int, p: int, t: Numbers, w: Numbers, factor: Numbers = 1.0) -> None:
    """Add `factor` times final demand D (mass per year) of a product at a place to every cell, in its period t and scenario w."""
    kept = case.market.ladders[k].kept
    l = np.arange(len(kept)).reshape(-1, *[1] * np.broadcast(cell, t, w).ndim)
    terms.add(cell, factor * case.wanted[k, p, t, w] * kept[l, t, w], model.choice.z.at(k, t, l))


def _kept(case: Case) -> FloatArray:
    """Share of demand kept (product, period, scenario, rung)."""
    return stacked(case, [ladder.kept for ladder in case.market.ladders])


def _charge_users(model: Model, case: Case, ledger: Ledger) -> None:
    """Use forgone and freight to users of pooled goods, wherever costs count."""
    world, w = case.world, np.array(case.scenarios)
    demand = world.demand * case.counted_places[: len(world.nodes), None, None, None]
    freight = np.einsum("ik,iktw->ktw", world.hub_in * ~world.routed, demand)
    z = model.choice.z
    k, t, l = (part[:, None] for part in z.index)
    forgone = stacked(case, [ladder.forgone for ladder in case.market.ladders])
    ledger.add("use forgone", t, w, demand.sum(axis=0)[k, t, w] * forgone[k, t, w, l], z.ids[:, None])
    ledger.add("freight", t, w, freight[k, t, w] * _kept(case)[k, t, w, l], z.ids[:, None])


def _shortage_blocks(case: Case) -> FloatArray:
    """Share of demand, cost multiple and multiple in long cuts of each product's blocks (product, block, 3); NaN beyond the last block."""
    given = case.world.shortage_blocks
    found = np.full((len(given), max(map(len, given)), 3), np.nan)
    for k, blocks in enumerate(given):
        found[k, : len(blocks)] = np.array(blocks).reshape(-1, 3)
    return found


def _short_only_if_supply_is(model: Model, block: Block, case: Case, allowed: Flags) -> None:
    """In normal scenarios users go short only on paths whose supply may not reach them all."""
    world = case.world
    k, p, t, w, _ = block.short.index
    paths = np.array([len(paths) for paths in case.chain_paths])[world.chain]
    barred = world.normal[w] & (allowed.sum(axis=0)[k, t, w] < paths[k])
    row, j = np.nonzero(allowed[:, k, t, w].T & barred[:, None])
    only = Terms(block.short.size)
    only.add(np.arange(only.size), 1.0, block.short.ids)
    only.add(row, -case.wanted[k, p, t, w][row], model.choice.y.at(world.chain[k[row]], j))
    block.rows("short_only_if_supply_is", block.short.index, None, only, 0.0, where=barred)


def _any_path_may_run_short(case: Case) -> Flags:
    """The planner relaxes every path: the least that any rung lets in against the most that could ever be wanted (product, period, scenario)."""
    world, played = case.world, in_play(case)
    reached, most = np.ones(played.shape, dtype=bool), np.full(played.shape, np.inf)
    for k, l in np.argwhere(played.any(axis=(1, 2))).tolist():
        shares = market_shares(case.market, k, l)
        reached[k, :, :, l], most[k, :, :, l] = _everyone_reached(case, k, shares), shares.most
    intake = np.einsum("fk,ftw->ktw", np.maximum(-world.flow, 0.0), case.most_output)
    wanted = world.demand.sum(axis=0) * np.where(played, _kept(case), 0.0).max(axis=-1) + intake
    return np.asarray((np.where(played, most, np.inf).min(axis=-1) < wanted * (1 - 1e-9)) | ~(reached | ~played).all(axis=-1))


def _paths_that_may_run_short(case: Case) -> Flags:
    """Paths of each product's chain on which reachable supply may not cover intake and demand, or may not reach every user.

    (path, product, period, scenario); False beyond the chain's last path.
    """
    periods = np.arange(case.span[0])
    found = np.zeros((max(map(len, case.chain_paths)), len(case.world.products), *case.span), dtype=bool)
    for products, paths, scarce in zip(case.chains, case.chain_paths, case.scarcity, strict=True):
        found[: len(paths), products] = scarce.may_run_short[:, products]
        for k in products:
            if case.world.routed[k]:
                taken = np.array([path.rungs[k] for path in paths])  # (path, period)
                reached = np.zeros((len(case.market.ladders[k].rungs), *case.span), dtype=bool)
                for l in np.unique(taken).tolist():
                    reached[l] = _everyone_reached(case, k, market_shares(case.market, k, l))
                found[: len(paths), k] |= ~reached[taken, periods]
    return found


def _everyone_reached(case: Case, k: int, shares: Shares) -> Flags:
    """Whether the residual source has an unlimited route to every node that uses a routed product (period, scenario)."""
    world = case.world
    if not world.routed[k]:
        return np.ones(case.span, dtype=bool)
    place = {world.sources[o].country: x for x, o in enumerate(case.market.ladders[k].sources)}
    unlimited = np.zeros((len(place) + 1, len(world.nodes)), dtype=bool)  # the last row is that of no residual
    for route in world.routes:
        if route.product == k and route.source in place and route.capacity == np.inf:
            unlimited[place[route.source], route.destination] = True
    cut_off = (world.demand[:, k] > 0) & ~unlimited[shares.residual].transpose(2, 0, 1)
    return np.asarray((shares.residual >= 0) & ~cut_off.any(axis=0))
