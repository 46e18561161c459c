"""How everybody answers to price paths, each answer worked out once: response classes, what is on an owner's table, the deals.

    margin        μ = Σ_k a_k P_k + premium − opex          runs if μ >= 0

Paths on which a plant's margins and the price of its main output are the same wherever it could run are one response class of it. A project
that would be built anyway gets no support (additionality); an existing plant only a contract that makes it run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from orepact.instance.schema import ALL
from orepact.market.deals import Choice, Deal, Imposed, Response
from orepact.market.horizon import Array
from orepact.market.ladder import Ladder, ladders_of
from orepact.market.owners import IntArray, Owners, Unsupported
from orepact.market.paths import Path, free_trade
from orepact.market.shocks import Row, given
from orepact.market.signing import Look, signed
from orepact.market.world import World


class Market:
    """Everybody's answers to price paths, each worked out once. Not thread-safe; cheap to make per run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ladders: tuple[Ladder, ...] = ladders_of(world)
        self.contracts: list[Row] = world.tables["contracts"]
        self._responses: list[list[Response]] = [[] for _ in world.plants]
        self._class_of: list[dict[bytes, int]] = [{} for _ in world.plants]
        self._by_rungs: list[dict[tuple[tuple[int, ...], ...], int]] = [{} for _ in world.plants]
        self._deals: dict[tuple[int, int], tuple[Deal, ...]] = {}
        self.free = free_trade(world)
        self.imposed: dict[int, Imposed] = {}
        self.shares: dict[tuple[int, int], Any] = {}  # filled by permissions.market_shares

    @cached_property
    def owners(self) -> Owners:
        """What starts are worth to owners and lenders."""
        return Owners(self.world, self.contracts)

    @cached_property
    def _touched(self) -> list[tuple[int, ...]]:
        """Products that each plant makes or uses."""
        return [tuple(np.flatnonzero(row).tolist()) for row in self.world.flow]

    def response_classes(self, plants: Iterable[int], paths: Sequence[Path]) -> dict[int, list[int]]:
        """Number of the response class of each plant on every path: equal numbers mean equal margins wherever it could run."""
        found, by_touched = {}, {}
        for f in plants:
            touched, known = self._touched[f], self._by_rungs[f]
            if touched not in by_touched:
                by_touched[touched] = [tuple([path.rungs[k] for k in touched]) for path in paths]
            keys = by_touched[touched]
            if unknown := [key for key in dict.fromkeys(keys) if key not in known]:
                self._look(f, unknown)
            found[f] = [known[key] for key in keys]
        return found

    def response_class(self, f: int, path: Path) -> int:
        """The same of one plant on one path."""
        return self.response_classes([f], [path])[f][0]

    def _look(self, f: int, keys: Sequence[tuple[tuple[int, ...], ...]]) -> None:
        """Work out how prices look to plant f at rungs of what it touches, not seen before."""
        world, plant = self.world, self.world.plants[f]
        periods, taken = np.arange(world.horizon.periods), np.array(keys)  # taken: (key, product, period)
        main = np.zeros((len(keys), *world.price.shape[1:]))
        margin = main + plant.premium - plant.opex[:, None]
        for x, k in enumerate(self._touched[f]):
            price = self.ladders[k].price[taken[:, x], periods]
            margin = margin + world.flow[f, k] * price
            main = price if k == plant.main else main
        possible = world.largest_output(f) > 0
        margin, main = np.where(possible, margin, 0.0), np.where(possible, main, 0.0)
        for n, (key, rounded, also) in enumerate(zip(keys, margin.round(12), main.round(12), strict=True)):
            v = self._class_of[f].setdefault(rounded.tobytes() + also.tobytes(), len(self._responses[f]))
            if v == len(self._responses[f]):
                self._responses[f].append(Response(margin[n], main[n]))
            self._by_rungs[f][key] = v

    def response(self, f: int, v: int) -> Response:
        return self._responses[f][v]

    def free_response(self, f: int) -> Response:
        return self.response(f, self.response_class(f, self.free))

    def deals(self, f: int, v: int) -> tuple[Deal, ...]:
        """Every deal the owner of plant f would sign in response class v."""
        if (f, v) not in self._deals:
            self.sign([(f, v)])
        return self._deals[f, v]

    def plain_starts(self, f: int, v: int) -> list[int]:
        """Starts at which the plant would be built without support, earliest first."""
        return sorted(d.start for d in self.deals(f, v) if d.plain)

    def would_build_anyway(self, f: int) -> bool:
        """Additionality: at free trade the plant pays its way without support at some start."""
        f_of, alone = self._at_free_trade
        return bool(alone.holds[f_of == f].any())

    def best_alone(self, f: int) -> float | None:
        """Owner's NPV at free trade without support, at the best start, scaled money; None if it can't start in time."""
        f_of, alone = self._at_free_trade
        return max(alone.value[f_of == f].tolist(), default=None)

    @cached_property
    def _at_free_trade(self) -> tuple[IntArray, Unsupported]:
        """Plants, and what each of their starts is worth without policy and support."""
        f, tau = np.array([(f, tau) for f, starts in enumerate(self.world.starts) for tau in starts], dtype=np.int64).reshape(-1, 2).T
        earning = np.array([self.free_response(g).earning for g in range(len(self.world.plants))])[f]
        return f, self.owners.alone(f, tau, earning, earning)

    def payers(self, f: int) -> list[int]:
        """Members whose treasury may support the plant: the host's, or any where the host is a partner."""
        imposed = self.imposed.get(f)
        if imposed is not None and imposed.payer is not None:
            return [imposed.payer]
        node = self.world.node_of(self.world.plants[f].country)
        return [node] if node < self.world.members else list(range(self.world.members))

    def refuses(self, member: int, instrument: str) -> bool:
        return any(r["member"] == self.world.nodes[member] and r["instrument"] == instrument for r in self.world.tables["refusals"])

    def grant_limit(self, f: int) -> float:
        """Largest grant to a plant, scaled money."""
        plant, world = self.world.plants[f], self.world
        places = (plant.country, world.nodes[world.node_of(plant.country)])
        for place in places:
            for r in world.tables["aid_limits"]:
                if r["country"] == place:
                    most = r["grant_max"] / world.money_unit if given(r["grant_max"]) else np.inf
                    return float(min(r["grant_share"] * plant.capex, most))
        return world.settings.owners.grant_cap * plant.capex

    # -- the owner's problem ------------------------------------------------------------------------------------

    def support(self, f: int, contract: int, response: Response) -> Array:
        """s (T, W): support per tonne under a contract, negative where the owner pays back."""
        seen = Response(response.margin[None], response.main_price[None])
        return np.asarray(self.owners.support(np.array([f]), np.array([contract]), seen)[0])

    def offered_contracts(self, f: int) -> list[int]:
        """Contracts of the menu that this plant may be offered."""
        world, plant = self.world, self.world.plants[f]
        product, places = world.products[plant.main], (plant.country, world.nodes[world.node_of(plant.country)])
        return [
            n
            for n, r in enumerate(self.contracts)
            if (ALL in r["products"] or product in r["products"]) and (ALL in r["countries"] or any(p in r["countries"] for p in places))
        ]

    def sign(self, asked: Iterable[tuple[int, int]]) -> None:
        """Work out the deals of plants in response classes, those not known yet, all at once."""
        new = [pair for pair in dict.fromkeys(asked) if pair not in self._deals]
        own = {f: (self.free_response(f), self._starts(f), self._on_the_table(f), self.imposed.get(f)) for f in dict.fromkeys(f for f, _ in new)}
        looks = [Look(f, self.response(f, v), *own[f]) for f, v in new]
        if looks:
            self._deals.update(zip(new, signed(self.owners, looks), strict=True))

    def _starts(self, f: int) -> tuple[int, ...]:
        imposed = self.imposed.get(f)
        if imposed is None or imposed.starts is None or not self.world.plants[f].candidate:
            return self.world.starts[f]
        return imposed.starts

    def _on_the_table(self, f: int) -> list[Choice]:
        """What may be offered to a plant: no support, a grant alone, contracts with ranges of volume and grant."""
        plant, imposed, limit = self.world.plants[f], self.imposed.get(f), self.grant_limit(f)
        if not plant.candidate:
            return [Choice(-1), *self._for_existing(f, imposed)]
        if imposed is None or (imposed.rest and not imposed.supports):
            if self.would_build_anyway(f):
                return [Choice(-1)]
            shares = [(n, self.contracts[n]["min_share"], self.contracts[n]["max_share"]) for n in self.offered_contracts(f)]
            contracts = [Choice(n, (low * plant.capacity, high * plant.capacity), (0.0, limit)) for n, low, high in shares]
            return [Choice(-1), *self._granted(0.0, limit), *contracts]
        fixed = (0.0, limit if imposed.rest else 0.0) if imposed.grant is None else (imposed.grant, imposed.grant)
        if imposed.contract is not None and imposed.volume is not None:
            return [Choice(imposed.contract, (imposed.volume, imposed.volume), fixed)]
        return [*([] if imposed.supports else [Choice(-1)]), *([] if imposed.grant is None else self._granted(*fixed))]

    def _granted(self, least: float, most: float) -> list[Choice]:
        return [Choice(-1, grant=(least, most))] if most > 0 else []

    def _for_existing(self, f: int, imposed: Imposed | None) -> list[Choice]:
        """Contracts marked for existing plants, or the one imposed; never with a grant."""
        if imposed is not None and imposed.contract is not None and imposed.volume is not None:
            return [Choice(imposed.contract, (imposed.volume, imposed.volume))]
        capacity, rows = self.world.plants[f].capacity, self.contracts
        offered = self.offered_contracts(f) if imposed is None or imposed.rest else []
        return [Choice(n, (rows[n]["min_share"] * capacity, rows[n]["max_share"] * capacity)) for n in offered if rows[n]["existing"]]
