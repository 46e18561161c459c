"""What an owner would sign: every deal that is worth its while and that its lenders accept, worked out before the solve.

Governments move first, so at given prices an owner's answer follows. For plant f, contract n, start τ on a price path the
owner's problem in h (capacity under contract, mass per year) and g (grant, money) is a small polygon; its corners are listed
as offers and the model mixes them at one start.

    margin        μ = Σ_k a_k P_k + premium − opex          runs if μ >= 0
    support       s = premium + max(0, strike − P) − share · max(0, P − ceiling), not below −max(μ, 0) nor below −cap / h_ref
    gain per h    ad = A^T (max(μ + s, 0) − max(μ, 0))      payment A^T s [μ + s >= 0]
    participation Σ_t dh_t E[cap·m − crf·capex·B + h·ad + crf·g·B] >= 0, and <= rent cap · capex if supported
    lenders       cap·m~ + h·ad~ + ds·B·g >= ds·B·capex     in every downside scenario once fully ramped up

m = A·max(μ, 0); ~ blends in free-trade prices with the repeal weight θ; ds = cover · debt share · crf(debt rate, tenor).
A project that would be built anyway gets no support (additionality); an existing plant only a contract that makes it run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.instance.schema import ALL
from orepact.market.horizon import Array, recovery_factor
from orepact.market.ladder import Ladder, ladders_of
from orepact.market.paths import Path, free_trade
from orepact.market.plants import window_share
from orepact.market.polygon import clip, split
from orepact.market.shocks import Row, given
from orepact.market.world import World

TIE = 1e-9  # margins this close to zero (scaled price) count as zero: the plant runs


@dataclass(frozen=True)
class Response:
    """How prices of one path look to one plant: margin μ and price of the main output, both (T, W)."""

    margin: Array
    main_price: Array

    @property
    def runs(self) -> NDArray[np.bool_]:
        return np.asarray(self.margin >= -TIE)

    @property
    def earning(self) -> Array:
        return np.maximum(self.margin, 0.0)


@dataclass(frozen=True)
class Deal:
    """One contract (or none) at one start: data per unit of capacity under contract, and the corners of the owner's polygon.

    `extra` (T, W) output added per h · `pay` (T, W) payment per h · `stockpiled` (T,) tonnes that must be bought per h ·
    `value0/1/g`: owner's NPV = value0 + value1·h + valueg·g · `spare` (T, W), `spare_h` (T, W), `spare_g` (T, W): lenders' surplus likewise ·
    `corners` (n, 2) of (h, g) with `rent` (n,) foreign rent at the social rate.
    """

    start: int
    contract: int  # -1: none
    extra: Array
    pay: Array
    stockpiled: Array
    value0: float
    value1: float
    valueg: float
    spare: Array
    spare_h: Array
    spare_g: Array
    corners: Array
    rent: Array

    @property
    def plain(self) -> bool:
        """A merchant offer without any support."""
        return self.contract < 0 and not self.corners.any()


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
        self._windows: dict[tuple[int, int, float], Array] = {}
        self.sharings: dict[tuple[int, int, int, int], Any] = {}  # filled by permissions.market_sharing

    @cached_property
    def _touched(self) -> list[list[int]]:
        return [[int(k) for k in np.flatnonzero(row)] for row in self.world.flow]

    def response_class(self, f: int, path: Path) -> int:
        """Number of the response class of plant f on a path: equal numbers mean equal margins wherever it could run."""
        touched = self._touched[f]
        key = tuple(path.rungs[k] for k in touched)
        known = self._by_rungs[f].get(key)
        if known is not None:
            return known
        world, plant = self.world, self.world.plants[f]
        periods = np.arange(world.horizon.periods)
        margin = np.full(world.price.shape[1:], plant.premium) - plant.opex[:, None]
        for k in touched:
            margin = margin + world.flow[f, k] * self.ladders[k].price[list(path.rungs[k]), periods]
        main = self.ladders[plant.main].price[list(path.rungs[plant.main]), periods]
        possible = world.largest_output(f) > 0
        margin, main = np.where(possible, margin, 0.0), np.where(possible, main, 0.0)
        found = self._class_of[f].setdefault(margin.round(12).tobytes() + main.round(12).tobytes(), len(self._responses[f]))
        if found == len(self._responses[f]):
            self._responses[f].append(Response(margin, main))
        self._by_rungs[f][key] = found
        return found

    def response(self, f: int, v: int) -> Response:
        return self._responses[f][v]

    def free_response(self, f: int) -> Response:
        return self.response(f, self.response_class(f, self.free))

    def deals(self, f: int, v: int) -> tuple[Deal, ...]:
        """Every deal the owner of plant f would sign in response class v."""
        if (f, v) not in self._deals:
            find = self._candidate_deals if self.world.plants[f].candidate else self._existing_deals
            self._deals[f, v] = tuple(find(f, self.response(f, v)))
        return self._deals[f, v]

    def plain_starts(self, f: int, v: int) -> list[int]:
        """Starts at which the plant would be built without support, earliest first."""
        return sorted(d.start for d in self.deals(f, v) if d.plain)

    def would_build_anyway(self, f: int) -> bool:
        """Additionality: at free trade the plant pays its way without support at some start."""
        return any(self._plain_holds(f, tau, self.free_response(f)) for tau in self.world.starts[f])

    def payers(self, f: int) -> list[int]:
        """Members whose treasury may support the plant: the host's, or any where the host is a partner."""
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
        row, world, plant = self.contracts[contract], self.world, self.world.plants[f]
        unit = world.price_unit
        s = np.full_like(response.margin, row["premium"] / unit)
        ceiling = row["ceiling"] if given(row["ceiling"]) else row["strike"]
        if given(row["strike"]):
            s = s + np.maximum(0.0, row["strike"] / unit - response.main_price)
        if given(ceiling) and row["upside_share"] > 0:
            s = s - row["upside_share"] * np.maximum(0.0, response.main_price - ceiling / unit)
        s = np.maximum(s, -response.earning)
        if given(row["yearly_cap"]):
            volume = row["reference_volume"] / world.mass_unit if given(row["reference_volume"]) else row["max_share"] * plant.capacity
            s = np.maximum(s, -row["yearly_cap"] / world.money_unit / volume)
        return np.asarray(s)

    def offered_contracts(self, f: int) -> list[int]:
        """Contracts of the menu that this plant may be offered."""
        world, plant = self.world, self.world.plants[f]
        product, places = world.products[plant.main], (plant.country, world.nodes[world.node_of(plant.country)])
        return [
            n
            for n, r in enumerate(self.contracts)
            if (ALL in r["products"] or product in r["products"]) and (ALL in r["countries"] or any(p in r["countries"] for p in places))
        ]

    def _window(self, f: int, tau: int, contract: int) -> Array:
        """A^T (T, W): output per unit of capacity inside the contract's window."""
        world, plant = self.world, self.world.plants[f]
        window = self.contracts[contract]["window"]
        if not given(window):
            return world.output[f, tau]
        key = (f, tau, float(window))
        if key not in self._windows:
            begins = {begin: np.flatnonzero(world.first_output[f, tau] == begin) for begin in set(world.first_output[f, tau])}
            inside = np.empty_like(world.output[f, tau])
            for begin, scenarios in begins.items():
                inside[:, scenarios] = world.output[f, tau][:, scenarios] * window_share(plant, begin, float(window), world.horizon)[:, None]
            self._windows[key] = inside
        return self._windows[key]

    def _expected(self, f: int, values: Array, rate: float) -> float:
        """Σ_t d_t(rate) Σ_w p_w values_tw."""
        return float(self.world.horizon.discount(rate) @ (values @ self.world.probability))

    def _debt_service(self) -> float:
        owners = self.world.settings.owners
        return owners.cover * owners.debt_share * recovery_factor(owners.debt_rate, owners.debt_tenor)

    def _blend(self, now: Array, free: Array) -> Array:
        theta = self.world.settings.owners.repeal_weight
        return (1 - theta) * now + theta * free

    def _lenders(self, f: int, tau: int, response: Response) -> tuple[Array, NDArray[np.bool_]]:
        """Lenders' surplus without support (T, W), and where they test it (in-model downside scenarios once ramped up)."""
        world, plant = self.world, self.world.plants[f]
        output, free = world.output[f, tau], self.free_response(f)
        surplus = plant.capacity * output * self._blend(response.earning, free.earning) - self._debt_service() * world.alive[f, tau] * plant.capex
        where = world.tested[f, tau] & (world.downside & world.in_model)[None, :]
        return surplus, where if self._debt_service() > 0 else np.zeros_like(where)

    def _plain_value(self, f: int, tau: int, response: Response, rate: float) -> float:
        """NPV at a rate of the plant without support, capital cost as an annuity over its life."""
        world, plant = self.world, self.world.plants[f]
        yearly = plant.capacity * world.output[f, tau] * response.earning
        if plant.candidate:
            yearly = yearly - recovery_factor(rate, plant.life) * plant.capex * world.alive[f, tau]
        return self._expected(f, yearly, rate)

    def _plain_holds(self, f: int, tau: int, response: Response) -> bool:
        plant = self.world.plants[f]
        surplus, where = self._lenders(f, tau, response)
        money = max(plant.capex, plant.capacity, 1e-9)
        return self._plain_value(f, tau, response, plant.hurdle) >= -TIE * money and bool((surplus[where] >= -TIE * money).all())

    def _candidate_deals(self, f: int, response: Response) -> list[Deal]:
        plant = self.world.plants[f]
        anyway = self.would_build_anyway(f)
        found: list[Deal] = []
        for tau in self.world.starts[f]:
            if self._plain_holds(f, tau, response):
                found.append(self._deal(f, tau, -1, response, np.zeros((1, 2))))
            if anyway:
                continue
            limit = self.grant_limit(f)
            if limit > 0:
                found += self._supported(f, tau, -1, response, (0.0, 0.0), limit)
            for n in self.offered_contracts(f):
                row = self.contracts[n]
                volume = (row["min_share"] * plant.capacity, row["max_share"] * plant.capacity)
                found += self._supported(f, tau, n, response, volume, limit)
        return found

    def _supported(self, f: int, tau: int, contract: int, response: Response, volume: tuple[float, float], limit: float) -> list[Deal]:
        """The polygon of (h, g) that owner and lenders accept, as a deal; nothing if it is empty or harms the owner."""
        world, plant = self.world, self.world.plants[f]
        deal = self._deal(f, tau, contract, response, np.zeros((1, 2)))
        if deal.value1 < -TIE:
            return []
        surplus, where = self._lenders(f, tau, response)
        most_rent = world.settings.owners.rent_cap * plant.capex
        cuts = [[deal.value0, deal.value1, deal.valueg], [most_rent - deal.value0, -deal.value1, -deal.valueg]]
        tests = np.stack([surplus[where], deal.spare_h[where], deal.spare_g[where]], axis=1)
        rectangle = np.array([[volume[0], 0.0], [volume[1], 0.0], [volume[1], limit], [volume[0], limit]])
        corners = clip(rectangle, np.vstack([np.array(cuts), tests]))
        if not len(corners):
            return []
        return [self._deal(f, tau, contract, response, corners)]

    def _deal(self, f: int, tau: int, contract: int, response: Response, corners: Array) -> Deal:
        """Fill in a deal's data; corners are split where foreign rent starts, so that rent is linear between them."""
        world, plant = self.world, self.world.plants[f]
        zero = np.zeros_like(response.margin)
        extra, pay, gain, spare_h, stockpiled = zero, zero, zero, zero, np.zeros(world.horizon.periods)
        if contract >= 0:
            inside = self._window(f, tau, contract)
            extra, pay, gain = self._contract_terms(f, contract, response, inside)
            free = self._contract_terms(f, contract, self.free_response(f), inside)[2] if world.settings.owners.repeal_weight > 0 else gain
            spare_h = self._blend(gain, free)
            if self.contracts[contract]["stockpiled"]:
                runs = response.margin + self.support(f, contract, response) >= -TIE
                stockpiled = (inside * runs)[:, world.reference]
        surplus, _ = self._lenders(f, tau, response)
        alive = world.alive[f, tau] if plant.candidate else zero
        social = world.settings.economics.social_rate
        hurdle_annuity, social_annuity = (recovery_factor(r, plant.life) if plant.candidate else 0.0 for r in (plant.hurdle, social))
        line = np.array(
            [self._plain_value(f, tau, response, social), self._expected(f, gain, social), self._expected(f, social_annuity * alive, social)]
        )
        parts = split(corners, line) if plant.foreign > 0 and len(corners) > 1 else [corners]
        corners = np.vstack(parts)
        return Deal(
            start=tau,
            contract=contract,
            extra=extra,
            pay=pay,
            stockpiled=stockpiled,
            value0=self._plain_value(f, tau, response, plant.hurdle),
            value1=self._expected(f, gain, plant.hurdle),
            valueg=self._expected(f, hurdle_annuity * alive, plant.hurdle),
            spare=surplus,
            spare_h=spare_h,
            spare_g=self._debt_service() * alive,
            corners=corners,
            rent=plant.foreign * np.maximum(0.0, line[0] + corners @ line[1:]),
        )

    def _contract_terms(self, f: int, contract: int, response: Response, inside: Array) -> tuple[Array, Array, Array]:
        """Per unit of capacity under contract (T, W): output added, payment, owner's gain."""
        s = self.support(f, contract, response)
        runs = response.margin + s >= -TIE
        extra = inside * (runs.astype(float) - response.runs)
        gain = inside * (np.maximum(response.margin + s, 0.0) - response.earning)
        return extra, inside * s * runs, gain

    def _existing_deals(self, f: int, response: Response) -> list[Deal]:
        """Merchant, and contracts marked for existing plants that change when the plant runs, at either end of their volume."""
        world, plant = self.world, self.world.plants[f]
        found = [self._deal(f, 0, -1, response, np.zeros((1, 2)))]
        for n in self.offered_contracts(f):
            row = self.contracts[n]
            if not row["existing"]:
                continue
            ends = [v * plant.capacity for v in sorted({row["min_share"], row["max_share"]}) if v > 0]
            deal = self._deal(f, 0, n, response, np.array([[h, 0.0] for h in ends]))
            if deal.extra[:, world.in_model].any() and deal.value1 >= -TIE:
                found.append(deal)
        return found
