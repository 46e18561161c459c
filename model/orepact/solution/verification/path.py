"""What the chosen price path decides: prices, sellers, what is paid, how sources share the market, where goods may be short.

For the planner, who follows no path, the permissions of all rungs are united and demand is the mix that the plan states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orepact.solution.verification.facts import ALIKE, Facts
from orepact.solution.verification.ladders import Ladder, ladders_of
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.timeline import Array, Flags

Shares = dict[int, float]


@dataclass(frozen=True)
class Sharing:
    """How sources share one market: the one that takes up the rest, limits on the shares of the others, the most they let in."""

    residual: int | None
    upper: Shares
    lower: Shares
    most: float


class Path:
    """Data of a path given as weights of rungs, one (L, T) array per product: one rung a period, or the planner's mix."""

    def __init__(self, facts: Facts, plants: Plants, weights: list[Array] | None, planner: bool, ladders: list[Ladder] | None = None) -> None:
        self.facts, self.plants, self.planner = facts, plants, planner
        self.ladders = ladders or ladders_of(facts, plants)
        self.weights = weights or [_free(ladder) for ladder in self.ladders]
        self.price = facts.pi if planner else self._mix("price")
        """Zone prices (K, T, W)."""
        self.kept, self.forgone = self._mix("kept"), self._mix("forgone")
        self.demand = facts.D0 * self.kept
        """Final demand (I, K, T, W)."""
        self._sellers()

    def _mix(self, of: str) -> Array:
        return np.stack([np.einsum("lt,ltw->tw", w, getattr(ladder, of)) for w, ladder in zip(self.weights, self.ladders, strict=True)])

    def _sellers(self) -> None:
        facts, shape = self.facts, (self.facts.O, self.facts.T, self.facts.W)
        self.sells, self.taxed = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for k, ladder in enumerate(self.ladders):
            own = np.flatnonzero(facts.sold == k)
            weights = ladder.offered if self.planner else self.weights[k] > 0.5
            self.sells[own] = np.einsum("lt,lotw->otw", weights.astype(int), ladder.sells.astype(int)) > 0
            if not self.planner:
                self.taxed[own] = (np.einsum("lt,lo->ot", weights.astype(int), ladder.taxed.astype(int)) > 0)[:, :, None]
        self.offered = facts.available * self.sells
        """What each source may sell (O, T, W)."""
        price, pi = self.price[facts.sold], facts.pi[facts.sold]
        self.levy = np.where(self.taxed, price - pi, 0.0)
        """Levy per tonne (O, T, W)."""
        if self.planner:
            self.paid = np.maximum(pi, facts.cost[:, :, None])
        else:
            self.paid = np.where(self.taxed, pi + (1 - facts.settings.economics.levy_capture) * (price - pi), price)
        """What the importer's country pays per tonne (O, T, W)."""

    @cached_property
    def lifted(self) -> Flags:
        """Whether the path holds the zone's price above the world's (K, T, W)."""
        return np.asarray(self.price > self.facts.pi * (1 + 1e-12))

    @cached_property
    def margin(self) -> Array:
        """Margin per tonne of main output (F, T, W)."""
        return self.plants.margin(self.price)

    @cached_property
    def runs(self) -> Flags:
        """Whether a plant covers its cash cost (F, T, W); no margin at all is enough."""
        return np.asarray(self.margin >= -ALIKE * self.plants.gross(self.price))

    # -- data tests -----------------------------------------------------------------------------------------------

    def sharing(self, k: int, t: int, w: int, number: int | None = None) -> Sharing:
        """How sources share a market on this path, or at a rung."""
        facts = self.facts
        own = np.flatnonzero(facts.sold == k)
        ladder = self.ladders[k]
        if number is None:
            number = int(np.argmax(self.weights[k][:, t]))
        selling = [int(o) for x, o in enumerate(own) if ladder.sells[number, x, t, w]]
        have = {o: float(facts.available[o, t, w]) for o in selling}
        total = sum(have.values())
        if len(selling) < 2 or not facts.normal[w]:
            return Sharing(selling[0] if selling else None, {}, {}, total)
        weight = sum(facts.base_share[o] for o in selling)
        share = {o: float(facts.base_share[o] / weight) if weight > 0 else 1 / len(selling) for o in selling}
        dominant = [int(o) for o in own if facts.seller[o] == facts.dominant[k]]
        residual = dominant[0] if dominant and dominant[0] in selling else max(selling, key=lambda o: share[o])
        band, others = facts.settings.trade.band, [o for o in selling if o != residual]
        demand = float(facts.D0[:, k, t, w].sum() * ladder.kept[number, t, w])
        wanted = min(total, demand + float(self.plants.capacity @ np.maximum(-self.plants.a[:, k], 0.0)))
        before = {o: float(facts.available[o, t, facts.ref]) for o in selling}
        rest = max(0.0, 1 - sum(share[o] + band for o in others)) * wanted
        lost = (bool(dominant) and dominant[0] not in selling) or have[residual] < before[residual] * (1 - 1e-9) or have[residual] < rest * (1 - 1e-9)
        upper = {} if lost else {o: share[o] + band for o in others}
        lower = {
            o: share[o] - band for o in others if share[o] > band and have[o] >= before[o] * (1 - 1e-9) and have[o] >= (share[o] - band) * wanted * (1 - 1e-9)
        }
        return Sharing(residual, upper, lower, _most_within(have, upper))

    @cached_property
    def need(self) -> Array:
        """Final demand, intake of running existing plants and of all candidates (K, T, W)."""
        plants = self.plants
        taking = np.where(plants.candidate[:, None, None], plants.most, plants.most * self.runs)
        return np.asarray(self.demand.sum(axis=0) + np.einsum("fk,ftw->ktw", np.maximum(-plants.a, 0.0), taking))

    @cached_property
    def own(self) -> Array:
        """Output of the existing plants that run (K, T, W)."""
        standing = np.where(self.plants.candidate[:, None, None], 0.0, self.plants.most * self.runs)
        return np.asarray(np.einsum("fk,ftw->ktw", np.maximum(self.plants.a, 0.0), standing))

    @cached_property
    def supply(self) -> Array:
        """What all sources may sell (K, T, W)."""
        found = np.zeros_like(self.price)
        np.add.at(found, self.facts.sold, self.offered)
        return found

    @cached_property
    def short(self) -> Flags:
        """Whether supply and own output can't cover what is needed (K, T, W)."""
        return np.asarray(self.supply + self.own < self.need * (1 - 1e-9))

    @cached_property
    def shortage_allowed(self) -> Flags:
        """Where users may go without (K, T, W): outside normal scenarios; in them, where supply may not reach them."""
        facts = self.facts
        found = np.ones((facts.K, facts.T, facts.W), dtype=bool)
        test = self._planner_may_lack if self.planner else self._may_lack
        for w in np.flatnonzero(facts.normal):
            for k in range(facts.K):
                for t in range(facts.T):
                    found[k, t, w] = test(k, t, int(w))
        return found

    def _may_lack(self, k: int, t: int, w: int) -> bool:
        sharing = self.sharing(k, t, w)
        return bool(self.own[k, t, w] + sharing.most < self.need[k, t, w] * (1 - 1e-9)) or not self._reaches_all(k, sharing, t, w)

    def _planner_may_lack(self, k: int, t: int, w: int) -> bool:
        offered = np.flatnonzero(self.ladders[k].offered[:, t])
        shares = [self.sharing(k, t, w, int(n)) for n in offered]
        intake = float((np.maximum(-self.plants.a[:, k], 0.0) * self.plants.most[:, t, w]).sum())
        wanted = float(self.facts.D0[:, k, t, w].sum() * self.ladders[k].kept[offered, t, w].max()) + intake
        return min(s.most for s in shares) < wanted * (1 - 1e-9) or not all(self._reaches_all(k, s, t, w) for s in shares)

    def _reaches_all(self, k: int, sharing: Sharing, t: int, w: int) -> bool:
        """Routed goods: whether the source that takes up the rest has an unlimited route to every user."""
        if not self.facts.routed[k]:
            return True
        if sharing.residual is None:
            return False
        way, _, most = self.facts.import_way
        users = np.flatnonzero(self.facts.D0[:, k, t, w] > 0)
        return bool((way[sharing.residual, users] & np.isinf(most[sharing.residual, users])).all())


def _free(ladder: Ladder) -> Array:
    weights = np.zeros(ladder.offered.shape)
    weights[0] = 1.0
    return weights


def _most_within(have: Shares, upper: Shares) -> float:
    """The largest total with Σ min(have, upper share of the total) at least the total."""
    loose = sum(amount for o, amount in have.items() if o not in upper)
    if not upper:
        return loose

    def left(total: float) -> float:
        return loose + sum(min(have[o], share * total) for o, share in upper.items()) - total

    kinks = sorted({have[o] / share for o, share in upper.items() if share > 0} | {0.0}, reverse=True)
    for kink in kinks:
        spare = left(kink)
        if spare >= 0:
            slope = 1 - sum(share for o, share in upper.items() if share > 0 and have[o] / share > kink)
            return min(kink + (spare / slope if slope > 0 else 0.0), sum(have.values()))
    return 0.0
