"""What prices alone decide about quantities: where feed is short, where supply is cut, how sources share a market.

These are data tests. They are made per price path before the solve, so that the model needs no big-M on a price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from orepact.market.horizon import Array
from orepact.market.ladder import Ladder
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import World

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scarcity:
    """On several paths, per product (path, K, T, W): `supply` in-the-money outside supply S, `own` output of running existing plants Z,
    `need` U = their and all candidates' intake plus final demand; `short` S + Z < U; `reachable` what bands let in, plus Z."""

    supply: Array
    own: Array
    need: Array
    reachable: Array

    @cached_property
    def short(self) -> Flags:
        return np.asarray(self.supply + self.own < self.need * (1 - 1e-9))

    @cached_property
    def may_run_short(self) -> Flags:
        """Where even what can be reached may not cover intake and demand, so that shortage must be allowed."""
        return np.asarray(self.reachable < self.need * (1 - 1e-9))


def scarcity(market: Market, paths: Sequence[Path], products: Sequence[int]) -> Scarcity:
    """Data tests of paths; only these products are looked at."""
    world, periods = market.world, np.arange(market.world.horizon.periods)
    supply, own, need, importable = np.zeros((4, len(paths), *world.price.shape))
    for k in products:
        ladder, taken = market.ladders[k], np.array([path.rungs[k] for path in paths])  # taken: (path, period)
        need[:, k] = world.demand[:, k].sum(axis=0) * ladder.kept[taken, periods]
        available = np.array([world.sources[o].available for o in ladder.sources]).reshape(len(ladder.sources), *world.price.shape[1:])
        in_the_money, most = np.zeros((2, *ladder.price.shape))
        for l in np.unique(taken).tolist():
            in_the_money[l] = (available * ladder.selling[l]).sum(axis=0)
            most[l] = market_shares(market, k, l).most
        supply[:, k], importable[:, k] = in_the_money[taken, periods], most[taken, periods]
    flow = np.zeros_like(world.flow)
    flow[:, products] = world.flow[:, products]
    candidate = np.array([plant.candidate for plant in world.plants], dtype=bool)
    involved = flow.any(axis=1)
    need -= np.einsum("fk,ftw->ktw", np.minimum(flow[candidate], 0.0), world.most_output[candidate])
    running = np.flatnonzero(involved & ~candidate)
    classes = market.response_classes(running.tolist(), paths)
    for f in running.tolist():
        answers, number = np.unique(classes[f], return_inverse=True)
        runs = np.array([market.response(f, v).runs for v in answers.tolist()])[number]
        full = world.most_output[f] * runs
        for k in np.flatnonzero(flow[f]).tolist():
            if flow[f, k] > 0:
                own[:, k] += flow[f, k] * full
            else:
                need[:, k] -= flow[f, k] * full
    return Scarcity(supply, own, need, own + importable)


@dataclass(frozen=True)
class Sharing:
    """How outside sources share the imports of one product at one rung, period and scenario.

    `upper`, `lower`: source → largest and smallest share of all imports (missing: no limit); `residual` takes the rest;
    `most`: the largest total that these limits let in, mass per year.
    """

    residual: int | None
    upper: dict[int, float]
    lower: dict[int, float]
    most: float


@dataclass(frozen=True)
class Shares:
    """`Sharing` of one product at one rung as arrays; sources by their place in the product's ladder, O of them.

    residual (T, W): -1 for none · upper, lower (O, T, W): limits on the share of all imports, infinite for none · most (T, W).
    """

    residual: NDArray[np.int64]
    upper: Array
    lower: Array
    most: Array


def market_shares(market: Market, k: int, rung: int) -> Shares:
    """How sources share the market of product k at a rung, in every period and scenario; worked out once per market."""
    if (k, rung) not in market.shares:
        market.shares[k, rung] = _shares_of(market.world, market.ladders[k], rung)
    found: Shares = market.shares[k, rung]
    return found


def _shares_of(world: World, ladder: Ladder, rung: int) -> Shares:
    sources, span = ladder.sources, world.price.shape[1:]
    place = {o: x for x, o in enumerate(sources)}
    found = Shares(np.full(span, -1), np.full((len(sources), *span), np.inf), np.full((len(sources), *span), -np.inf), np.zeros(span))
    for t, w in np.ndindex(*span):
        share = sharing(world, ladder, rung, t, w)
        found.most[t, w] = share.most
        if share.residual is not None:
            found.residual[t, w] = place[share.residual]
        for limits, array in ((share.upper, found.upper), (share.lower, found.lower)):
            for o, limit in limits.items():
                array[place[o], t, w] = limit
    return found


def sharing(world: World, ladder: Ladder, rung: int, t: int, w: int) -> Sharing:
    """Base-year shares, give or take the band, hold for every source but the dominant one, which is the residual.

    Without a dominant source in the money, the largest source is the residual. Rows that a cut or plain lack of supply would
    make impossible are dropped: a lower limit where the source is cut or small, all upper ones where the residual can't fill in.
    """
    selling = [o for x, o in enumerate(ladder.sources) if ladder.selling[rung, x, t, w]]
    available = {o: float(world.sources[o].available[t, w]) for o in selling}
    total = sum(available.values())
    if len(selling) < 2 or not world.normal[w]:
        return Sharing(selling[0] if selling else None, {}, {}, total)
    k, band = ladder.product, world.settings.trade.band
    base = _base_shares(world, ladder)
    weight = sum(base[o] for o in selling)
    share = {o: base[o] / weight if weight > 0 else 1.0 / len(selling) for o in selling}
    dominant = [o for o in ladder.sources if world.sources[o].country == world.dominant[k]]
    residual = dominant[0] if dominant and dominant[0] in selling else max(selling, key=lambda o: share[o])
    others = [o for o in selling if o != residual]
    ref = world.reference
    wanted = min(total, float(world.demand[:, k, t, w].sum() * ladder.kept[rung, t, w] + nameplate_intake(world, k)))
    can_fill = available[residual] >= (1 - sum(share[o] + band for o in others)) * wanted * (1 - 1e-9)
    cut = available[residual] < world.sources[residual].available[t, ref] * (1 - 1e-9)
    shut_out = bool(dominant) and dominant[0] not in selling
    upper = {} if cut or shut_out or not can_fill else {o: share[o] + band for o in others}
    lower = {
        o: share[o] - band
        for o in others
        if share[o] > band and available[o] >= world.sources[o].available[t, ref] * (1 - 1e-9) and available[o] >= (share[o] - band) * wanted * (1 - 1e-9)
    }
    return Sharing(residual, upper, lower, _most_importable(available, upper, total))


def _most_importable(available: dict[int, float], upper: dict[int, float], total: float) -> float:
    """Largest IM with Σ min(available, upper share · IM) >= IM: concave in IM, so the last crossing is found by its kinks."""
    if not upper:
        return total
    kinks = sorted({total, *(available[o] / s for o, s in upper.items() if s > 0)})
    best = 0.0
    fixed = sum(a for o, a in available.items() if o not in upper)
    for low, high in zip([0.0, *kinks], kinks, strict=False):
        slope = sum(s for o, s in upper.items() if available[o] >= s * (low + high) / 2)
        const = fixed + sum(available[o] for o, s in upper.items() if available[o] < s * (low + high) / 2)
        if const + slope * high >= high:
            best = high
        elif slope < 1 and low <= const / (1 - slope) <= high:
            best = const / (1 - slope)
    return min(best, total)


def _base_shares(world: World, ladder: Ladder) -> dict[int, float]:
    """Base-year share of each source; where none is given, by availability in the reference scenario's first period."""
    given = {o: world.sources[o].base_share for o in ladder.sources}
    known = sum(s for s in given.values() if s == s)
    blank = [o for o, s in given.items() if s != s]
    size = {o: float(world.sources[o].available[0, world.reference]) for o in blank}
    all_blank = sum(size.values())
    rest = max(0.0, 1.0 - known)
    return {o: s if s == s else (rest * size[o] / all_blank if all_blank > 0 else 0.0) for o, s in given.items()}


def nameplate_intake(world: World, k: int) -> float:
    """What all plants together could take in of a product at full capacity, mass per year."""
    return float(sum(plant.capacity * max(0.0, -world.flow[f, k]) for f, plant in enumerate(world.plants)))


def feed_is_cut(world: World) -> Flags:
    """cut (F, T, W): some feed of the plant, at any stage upstream, has less supply or plant output than in the reference scenario."""
    ref = world.reference
    less = np.zeros(world.price.shape, dtype=bool)
    for source in world.sources:
        less[source.product] |= source.available < source.available[:, [ref]] * (1 - 1e-9)
    for f in range(len(world.plants)):
        fewer = (world.output[f] < world.output[f][:, :, [ref]] * (1 - 1e-9)).any(axis=0)
        for k in world.outputs(f):
            less[k] |= fewer
    found = np.zeros((len(world.plants), *world.price.shape[1:]), dtype=bool)
    for f in range(len(world.plants)):
        inputs = world.inputs(f)
        if inputs:
            upstream = np.flatnonzero((world.embodied[:, inputs] > 0).any(axis=1))
            found[f] = less[upstream].any(axis=0)
    return found
