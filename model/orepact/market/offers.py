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

from functools import cached_property
from typing import Any

import numpy as np

from orepact.instance.schema import ALL
from orepact.market.deals import TIE, Choice, Deal, Imposed, Promise, Response, Terms, Unsupported
from orepact.market.horizon import Array, recovery_factor
from orepact.market.ladder import Ladder, ladders_of
from orepact.market.paths import Path, free_trade
from orepact.market.plants import window_share
from orepact.market.polygon import clip, split
from orepact.market.shocks import Row, given
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
        self._anyway: dict[int, bool] = {}
        self._expectation: dict[float, Array] = {}
        self._windows: dict[tuple[int, int, float], Array] = {}
        self.shares: dict[tuple[int, int], Any] = {}  # filled by permissions.market_shares

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
        if f not in self._anyway:
            self._anyway[f] = any(self._alone(f, tau, self.free_response(f)).holds for tau in self.world.starts[f])
        return self._anyway[f]

    def best_alone(self, f: int) -> float | None:
        """Owner's NPV at free trade without support, at the best start, scaled money; None if it can't start in time."""
        return max((self._alone(f, tau, self.free_response(f)).value for tau in self.world.starts[f]), default=None)

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
            return np.asarray(world.output[f, tau])
        key = (f, tau, float(window))
        if key not in self._windows:
            inside = np.empty_like(world.output[f, tau])
            for begin in set(world.first_output[f, tau]):
                same = world.first_output[f, tau] == begin
                inside[:, same] = world.output[f, tau][:, same] * window_share(plant, begin, float(window), world.horizon)[:, None]
            self._windows[key] = inside
        return self._windows[key]

    def _weights(self, rate: float) -> Array:
        """d_t(rate) · p_w (T, W): weights of an expected, discounted sum."""
        if rate not in self._expectation:
            self._expectation[rate] = np.outer(self.world.horizon.discount(rate), self.world.probability)
        return self._expectation[rate]

    def _blend(self, now: Array, free: Array) -> Array:
        theta = self.world.settings.owners.repeal_weight
        return (1 - theta) * now + theta * free

    def _alone(self, f: int, tau: int, response: Response) -> Unsupported:
        """What a start is worth to owner and lenders without support."""
        world, plant, owners = self.world, self.world.plants[f], self.world.settings.owners
        output, alive = world.output[f, tau], world.alive[f, tau]
        social = world.settings.economics.social_rate
        hurdle_annuity, social_annuity = (recovery_factor(r, plant.life) if plant.candidate else 0.0 for r in (plant.hurdle, social))
        service = owners.cover * owners.debt_share * recovery_factor(owners.debt_rate, owners.debt_tenor) if plant.candidate else 0.0
        earned = plant.capacity * output
        money = max(plant.capex, plant.capacity, 1e-9)
        yearly = earned * response.earning
        spare = earned * self._blend(response.earning, self.free_response(f).earning) - service * plant.capex * alive
        where = world.tested[f, tau] & (world.downside & world.in_model)[None, :] if service > 0 else np.zeros(alive.shape, dtype=bool)
        at_hurdle, at_social = self._weights(plant.hurdle), self._weights(social)
        grant, grant_social = hurdle_annuity * float((at_hurdle * alive).sum()), social_annuity * float((at_social * alive).sum())
        value = float((at_hurdle * yearly).sum()) - grant * plant.capex
        return Unsupported(
            value=value,
            grant=grant,
            social=float((at_social * yearly).sum()) - grant_social * plant.capex,
            grant_social=grant_social,
            spare=spare,
            spare_grant=service * alive,
            tested=where,
            holds=value >= -TIE * money and bool((spare[where] >= -TIE * money).all()),
        )

    def _candidate_deals(self, f: int, response: Response) -> list[Deal]:
        imposed = self.imposed.get(f)
        plain, menu, grants = self._on_the_table(f, response, imposed)
        starts = self.world.starts[f] if imposed is None or imposed.starts is None else imposed.starts
        found: list[Deal] = []
        for tau in starts:
            alone = self._alone(f, tau, response)
            if plain and alone.holds:
                found.append(self._plain(f, tau, alone, np.zeros((1, 2))))
            capped = imposed is None or not imposed.supports
            if grants is not None and grants[1] > 0:
                rectangle = np.array([[0.0, grants[0]], [0.0, grants[1]]])
                corners = self._agreed(f, alone, 0.0, rectangle, np.zeros_like(alone.spare), capped)
                if len(corners):
                    found.append(self._plain(f, tau, alone, corners))
            for promise, (low, high), (least, most) in menu:
                terms = self._terms(f, tau, promise)
                best = alone.value + terms.value * high + alone.grant * most
                if terms.value < -TIE or best < -1e-7 * max(1.0, self.world.plants[f].capex):
                    continue
                rectangle = np.array([[low, least], [high, least], [high, most], [low, most]])
                corners = self._agreed(f, alone, terms.value, rectangle, terms.spare, capped)
                if len(corners):
                    found.append(self._supported(f, tau, promise.number, alone, terms, corners))
        return found

    def _on_the_table(self, f: int, response: Response, imposed: Imposed | None) -> tuple[bool, list[Choice], tuple[float, float] | None]:
        """What may be offered: plain merchant or not, contracts with ranges of volume and grant, range of a grant alone."""
        capacity, limit = self.world.plants[f].capacity, self.grant_limit(f)
        if imposed is None or (imposed.rest and not imposed.supports):
            if self.would_build_anyway(f):
                return True, [], None
            menu: list[Choice] = [
                (self._promise(f, n, response), (self.contracts[n]["min_share"] * capacity, self.contracts[n]["max_share"] * capacity), (0.0, limit))
                for n in self.offered_contracts(f)
            ]
            return True, menu, (0.0, limit)
        fixed = (0.0, limit if imposed.rest else 0.0) if imposed.grant is None else (imposed.grant, imposed.grant)
        if imposed.contract is not None and imposed.volume is not None:
            return False, [(self._promise(f, imposed.contract, response), (imposed.volume, imposed.volume), fixed)], None
        return not imposed.supports, [], fixed if imposed.grant is not None else None

    def _agreed(self, f: int, alone: Unsupported, per_volume: float, rectangle: Array, spare: Array, capped: bool) -> Array:
        """Corners of what owner, lenders and (if `capped`) the limit on rent leave of a rectangle of (h, g)."""
        tested = alone.tested
        most_rent = self.world.settings.owners.rent_cap * self.world.plants[f].capex
        owner = [[alone.value, per_volume, alone.grant], [most_rent - alone.value, -per_volume, -alone.grant]][: 1 + capped]
        lenders = np.stack([alone.spare[tested], spare[tested], alone.spare_grant[tested]], axis=1)
        return clip(rectangle, np.vstack([np.array(owner), lenders]))

    def _promise(self, f: int, contract: int, response: Response) -> Promise:
        support, earning = self.support(f, contract, response), response.earning
        runs = response.margin + support >= -TIE
        gain = np.maximum(response.margin + support, 0.0) - earning
        spare = gain
        if self.world.settings.owners.repeal_weight > 0:
            free = self.free_response(f)
            spare = self._blend(gain, np.maximum(free.margin + self.support(f, contract, free), 0.0) - free.earning)
        return Promise(contract, runs, runs.astype(float) - response.runs, support * runs, gain, spare)

    def _terms(self, f: int, tau: int, promise: Promise) -> Terms:
        """What a contract adds at a start, per unit of capacity under it."""
        plant, inside = self.world.plants[f], self._window(f, tau, promise.number)
        stockpiled = self.contracts[promise.number]["stockpiled"]
        gain = inside * promise.gain
        return Terms(
            extra=inside * promise.extra,
            pay=inside * promise.pay,
            stockpiled=(inside * promise.runs)[:, self.world.reference] if stockpiled else np.zeros(len(inside)),
            value=float((self._weights(plant.hurdle) * gain).sum()),
            social=float((self._weights(self.world.settings.economics.social_rate) * gain).sum()),
            spare=gain if promise.spare is promise.gain else inside * promise.spare,
        )

    def _plain(self, f: int, tau: int, alone: Unsupported, corners: Array) -> Deal:
        zero = np.zeros_like(alone.spare)
        return self._supported(f, tau, -1, alone, Terms(zero, zero, np.zeros(len(zero)), 0.0, 0.0, zero), corners)

    def _supported(self, f: int, tau: int, contract: int, alone: Unsupported, terms: Terms, corners: Array) -> Deal:
        """A deal; its corners are split where foreign rent starts, so that rent is linear between them."""
        foreign = self.world.plants[f].foreign
        line = np.array([alone.social, terms.social, alone.grant_social])
        if foreign > 0 and len(corners) > 1:
            corners = np.vstack(split(corners, line))
        return Deal(
            start=tau,
            contract=contract,
            extra=terms.extra,
            pay=terms.pay,
            stockpiled=terms.stockpiled,
            value0=alone.value,
            value1=terms.value,
            valueg=alone.grant,
            spare=alone.spare,
            spare_h=terms.spare,
            spare_g=alone.spare_grant,
            corners=corners,
            rent=foreign * np.maximum(0.0, line[0] + corners @ line[1:]),
        )

    def _existing_deals(self, f: int, response: Response) -> list[Deal]:
        """Merchant, and contracts marked for existing plants that change when the plant runs, at either end of their volume."""
        world, plant, imposed = self.world, self.world.plants[f], self.imposed.get(f)
        alone = self._alone(f, 0, response)
        merchant = self._plain(f, 0, alone, np.zeros((1, 2)))
        if imposed is not None and imposed.contract is not None and imposed.volume is not None:
            terms = self._terms(f, 0, self._promise(f, imposed.contract, response))
            signed = [self._supported(f, 0, imposed.contract, alone, terms, np.array([[imposed.volume, 0.0]]))]
            return signed if terms.value >= -TIE else [merchant]
        found = [merchant]
        for n in self.offered_contracts(f) if imposed is None or imposed.rest else []:
            row = self.contracts[n]
            if row["existing"]:
                terms = self._terms(f, 0, self._promise(f, n, response))
                ends = [v * plant.capacity for v in sorted({row["min_share"], row["max_share"]}) if v > 0]
                if terms.extra[:, world.in_model].any() and terms.value >= -TIE:
                    found.append(self._supported(f, 0, n, alone, terms, np.array([[h, 0.0] for h in ends])))
        return found
