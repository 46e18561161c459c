"""What starts are worth to owners and lenders, without support and per unit of capacity under a contract.

    support       s = premium + max(0, strike − P) − share · max(0, P − ceiling), not below −max(μ, 0) nor below −cap / h_ref
    gain per h    ad = A^T (max(μ + s, 0) − max(μ, 0))      payment A^T s [μ + s >= 0]
    alone         Σ_t dh_t E[cap·m − crf·capex·B]           m = A·max(μ, 0)

dh discounts at the owner's hurdle rate; A and B are the timing arrays of `plants.py`, A^T those inside the contract's window. A *look* is one
plant at the prices of one response class. Starts and terms of many looks are laid end to end and worked out with arrays (n, T, W), since
a basket asks for tens of thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from orepact.market.deals import TIE, Response
from orepact.market.horizon import Array, recovery_factor
from orepact.market.plants import window_share
from orepact.market.shocks import Row, given
from orepact.market.world import World

IntArray = NDArray[np.int64]
Flags = NDArray[np.bool_]
Fields = TypeVar("Fields", "Unsupported", "Promise", "Terms", Response)


@dataclass(frozen=True)
class Unsupported:
    """Starts without support (n,): owner's NPV `value` and what a unit of grant adds to it, both also at the social rate;
    lenders' surplus `spare` (n, T, W) with what a unit of grant adds; where lenders test; whether owner and lenders agree."""

    value: Array
    grant: Array
    social: Array
    grant_social: Array
    spare: Array
    spare_grant: Array
    tested: Flags
    holds: Flags


@dataclass(frozen=True)
class Promise:
    """What contracts do to a tonne of capacity under them, whenever the plant starts; all (n, T, W).

    `runs`: whether it runs · `extra`: the change in that · `pay`: what is paid · `gain`: what the owner's margin gains ·
    `spare`: what lenders see of the gain, who fear that policy is repealed.
    """

    runs: Flags
    extra: Array
    pay: Array
    gain: Array
    spare: Array


@dataclass(frozen=True)
class Terms:
    """What contracts add per unit of capacity under them: output and payment (n, T, W), tonnes for stock (n, T), owner's NPV at
    the hurdle and the social rate (n,), lenders' surplus (n, T, W)."""

    extra: Array
    pay: Array
    stockpiled: Array
    value: Array
    social: Array
    spare: Array


@dataclass(frozen=True)
class Menu:
    """Figures of the contracts (N,), scaled where they are prices, money or mass; NaN where a cell is blank."""

    premium: Array
    strike: Array
    ceiling: Array
    upside_share: Array
    yearly_cap: Array
    reference_volume: Array
    max_share: Array
    window: Array
    stockpiled: Flags

    @classmethod
    def of(cls, rows: Sequence[Row], world: World) -> Menu:
        def column(name: str, unit: float = 1.0) -> Array:
            return np.array([float(r[name]) / unit if given(r[name]) else np.nan for r in rows])

        strike, ceiling = column("strike", world.price_unit), column("ceiling", world.price_unit)
        return cls(
            premium=column("premium", world.price_unit),
            strike=strike,
            ceiling=np.where(np.isnan(ceiling), strike, ceiling),
            upside_share=column("upside_share"),
            yearly_cap=column("yearly_cap", world.money_unit),
            reference_volume=column("reference_volume", world.mass_unit),
            max_share=column("max_share"),
            window=column("window"),
            stockpiled=np.array([bool(r["stockpiled"]) for r in rows], dtype=bool),
        )


class Owners:
    """Owners of all plants of a world, and the contracts on its menu. Plants `f`, starts `tau`, contracts `n` are arrays of numbers."""

    def __init__(self, world: World, contracts: Sequence[Row]) -> None:
        self.world, self.menu, self._settings = world, Menu.of(contracts, world), world.settings.owners
        figures = [(p.capacity, p.capex, p.foreign, p.hurdle, p.life) for p in world.plants]
        self.capacity, self.capex, self.foreign, hurdle, life = np.array(figures, dtype=float).reshape(-1, 5).T.copy()
        self.candidate = np.array([p.candidate for p in world.plants], dtype=bool)
        social = world.settings.economics.social_rate
        self.at_social = np.outer(world.discount, world.probability)
        """d_t · p_w (T, W): weights of an expected, discounted sum at the social rate."""
        discounts = {rate: world.horizon.discount(rate) for rate in set(hurdle.tolist())}
        at_hurdle = np.array([discounts[rate] for rate in hurdle.tolist()]).reshape(-1, world.horizon.periods)
        self.at_hurdle = at_hurdle[:, :, None] * world.probability
        """The same at each owner's hurdle rate (F, T, W)."""
        self._annuity, self._annuity_social = (
            np.array([recovery_factor(r, years) if c else 0.0 for r, years, c in zip(rates, life, self.candidate, strict=True)])
            for rates in (hurdle, np.full(len(life), social))
        )
        owed = self._settings.cover * self._settings.debt_share * recovery_factor(self._settings.debt_rate, self._settings.debt_tenor)
        self._service = np.where(self.candidate, owed, 0.0)

    @cached_property
    def _windows(self) -> dict[float, Array]:
        """A^T (F, τ, T, W) by length of a contract's window: output per unit of capacity inside it."""
        world = self.world
        lengths = set(self.menu.window[~np.isnan(self.menu.window)].tolist())
        return {years: world.output * window_share(world.plants, world.first_output, years, world.horizon).transpose(0, 1, 3, 2) for years in lengths}

    def inside(self, f: IntArray, tau: IntArray, n: IntArray) -> Array:
        """Output per unit of capacity inside the window of each contract (n, T, W)."""
        found = self.world.output[f, tau]
        window = self.menu.window[n]
        for years, output in self._windows.items():
            own = window == years
            found[own] = output[f[own], tau[own]]
        return found

    def _blend(self, now: Array, free: Array) -> Array:
        theta = self._settings.repeal_weight
        return (1 - theta) * now + theta * free if theta > 0 else now

    def alone(self, f: IntArray, tau: IntArray, earning: Array, free: Array) -> Unsupported:
        """What starts are worth without support, where a tonne earns `earning` (n, T, W), and `free` under free trade."""
        world, capex, service = self.world, self.capex[f], self._service[f]
        output, alive = world.output[f, tau], world.alive[f, tau]
        earned, at_hurdle = self.capacity[f, None, None] * output, self.at_hurdle[f]
        yearly = earned * earning
        spare = earned * self._blend(earning, free) - (service * capex)[:, None, None] * alive
        tested = world.tested[f, tau] & (world.downside & world.in_model) & (service > 0)[:, None, None]
        grant, grant_social = self._annuity[f] * _sum(at_hurdle * alive), self._annuity_social[f] * _sum(self.at_social * alive)
        value, tie = _sum(at_hurdle * yearly) - grant * capex, -TIE * np.maximum(np.maximum(capex, self.capacity[f]), 1e-9)
        return Unsupported(
            value=value,
            grant=grant,
            social=_sum(self.at_social * yearly) - grant_social * capex,
            grant_social=grant_social,
            spare=spare,
            spare_grant=service[:, None, None] * alive,
            tested=tested,
            holds=(value >= tie) & (np.where(tested, spare, np.inf).min(axis=(1, 2), initial=np.inf) >= tie),
        )

    def support(self, f: IntArray, n: IntArray, seen: Response) -> Array:
        """s (n, T, W): support per tonne under contracts, negative where the owner pays back."""
        menu = self.menu
        premium, strike, ceiling, share, cap = (x[n, None, None] for x in (menu.premium, menu.strike, menu.ceiling, menu.upside_share, menu.yearly_cap))
        s = premium + np.where(np.isnan(strike), 0.0, np.maximum(0.0, strike - seen.main_price))
        s = s - np.where(np.isnan(ceiling) | ~(share > 0), 0.0, share * np.maximum(0.0, seen.main_price - ceiling))
        reference = menu.reference_volume[n]
        volume = np.where(np.isnan(reference), menu.max_share[n] * self.capacity[f], reference)[:, None, None]
        s = np.maximum(s, -seen.earning)
        return np.asarray(np.where(np.isnan(cap), s, np.maximum(s, -cap / volume)))

    def promise(self, f: IntArray, n: IntArray, seen: Response, free: Response) -> Promise:
        """What contracts do at the prices `seen`; lenders also think of `free` trade."""
        support, earning = self.support(f, n, seen), seen.earning
        runs = seen.margin + support >= -TIE
        gain = np.maximum(seen.margin + support, 0.0) - earning
        spare = gain
        if self._settings.repeal_weight > 0:
            spare = self._blend(gain, np.maximum(free.margin + self.support(f, n, free), 0.0) - free.earning)
        return Promise(runs, runs.astype(float) - seen.runs, support * runs, gain, spare)

    def terms(self, f: IntArray, tau: IntArray, n: IntArray, promise: Promise) -> Terms:
        """What contracts add at starts."""
        inside = self.inside(f, tau, n)
        gain, stored = inside * promise.gain, self.menu.stockpiled[n]
        stockpiled = np.zeros(inside.shape[:2])
        stockpiled[stored] = (inside * promise.runs)[stored][:, :, self.world.reference]
        return Terms(
            extra=inside * promise.extra,
            pay=inside * promise.pay,
            stockpiled=stockpiled,
            value=_sum(self.at_hurdle[f] * gain),
            social=_sum(self.at_social * gain),
            spare=inside * promise.spare if self._settings.repeal_weight > 0 else gain,
        )


def _sum(parts: Array) -> Array:
    """Over periods and scenarios (n,)."""
    return np.asarray(parts.sum(axis=(1, 2)))


def picked(fields: Fields, which: IntArray) -> Fields:
    """Some of what is laid end to end."""
    return type(fields)(**{name: value[which] for name, value in vars(fields).items()})
