"""What owners, lenders and treasuries get out of the offers signed, worked out anew.

    m = A max(μ, 0),  s = premium + max(0, strike − P) − share max(0, P − ceiling), not below −max(μ, 0) nor −cap / h_ref
    a0 = Σ dh p (cap m − crf capex B),   a1 = Σ dh p A^T (max(μ + s, 0) − max(μ, 0)),   a2 = crf Σ dh p B

per unit of weight, of contracted tonnes a year and of grant; the same at the social rate for rent that leaves with foreign
owners; and with free-trade prices blended in (~) for lenders. D offers; T, W.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orepact.instance.given import Row
from orepact.solution.verification.facts import ALIKE, Facts
from orepact.solution.verification.path import Path
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.stored import Stored
from orepact.solution.verification.timeline import Array, Flags, annuity


class Alone:
    """Every plant at every start without support: `value` (F, S) at the hurdle rate, lenders' `spare` (F, S, T, W) and where they look."""

    def __init__(self, facts: Facts, plants: Plants, path: Path, free: Path) -> None:
        owners = facts.settings.owners
        theta, self.may_start = owners.repeal_weight, plants.may_start
        self.capital = np.where(plants.candidate, annuity(plants.hurdle, plants.life) * plants.capex, 0.0)
        """Yearly capital cost to the owner (F,)."""
        weights = facts.time.discounts(plants.hurdle)[:, :, None] * facts.p
        earning = plants.capacity[:, None, None] * np.maximum(path.margin, 0.0)
        free_earning = plants.capacity[:, None, None] * np.maximum(free.margin, 0.0)
        earned = plants.A * earning[:, None]
        owed = self.capital[:, None, None, None] * plants.B
        self.value = np.einsum("ftw,fstw->fs", weights, earned - owed)
        self.gross = np.einsum("ftw,fstw->fs", weights, earned + owed)
        service = owners.cover * owners.debt_share * float(annuity(owners.debt_rate, owners.debt_tenor))
        self.service = np.where(plants.candidate, service, 0.0)
        """Cash that lenders ask for, per year and dollar borrowed on (F,)."""
        debt = (self.service * plants.capex)[:, None, None, None] * plants.B
        cash = plants.A * ((1 - theta) * earning + theta * free_earning)[:, None]
        self.spare, self.spare_gross = cash - debt, cash + debt
        looked_at = facts.downside & facts.modelled
        self.tested = plants.tested & looked_at & (self.service > 0)[:, None, None, None] & plants.may_start[:, :, None, None]

    def holds(self, slack: float) -> Flags:
        """Allowed starts (F, S) at which owner and lenders agree without support, with `slack` to spare (relative; negative: almost)."""
        cash = (~self.tested | (self.spare >= slack * self.spare_gross)).all(axis=(2, 3))
        return np.asarray(self.may_start & cash & (self.value >= slack * self.gross))


class Terms:
    """See the module's first lines."""

    def __init__(self, facts: Facts, plants: Plants, path: Path, free: Path, stored: Stored) -> None:
        self.facts, self.plants, self.path, self.free, self.stored = facts, plants, path, free, stored
        self.contracts: list[Row] = facts.rows["contracts"]
        self.f, self.n = stored.offer_plant, stored.offer_contract
        self.tau = stored.start[self.f]
        self.w, self.h, self.g = stored.weight, stored.volume, stored.grant
        self.D = len(self.f)
        self._windows: dict[float | None, Array] = {}

    @cached_property
    def alone(self) -> Alone:
        """Plants without support on the path chosen."""
        return Alone(self.facts, self.plants, self.path, self.free)

    @cached_property
    def alone_free(self) -> Alone:
        """Plants without support at free trade."""
        return Alone(self.facts, self.plants, self.free, self.free)

    def _support(self, path: Path, d: int) -> Array:
        """Payment per tonne under an offer's contract (T, W)."""
        f, r = self.f[d], self.contracts[self.n[d]]
        price = path.price[self.plants.main[f]]
        s = np.full(price.shape, float(r["premium"]))
        ceiling = r["strike"] if r["ceiling"] is None else r["ceiling"]
        if r["strike"] is not None:
            s += np.maximum(0.0, r["strike"] - price)
        if ceiling is not None:
            s -= r["upside_share"] * np.maximum(0.0, price - ceiling)
        s = np.maximum(s, -np.maximum(path.margin[f], 0.0))
        if r["yearly_cap"] is not None:
            volume = r["max_share"] * self.plants.capacity[f] if r["reference_volume"] is None else r["reference_volume"]
            s = np.maximum(s, -r["yearly_cap"] / volume)
        return np.asarray(s)

    def _inside(self, d: int) -> Array:
        """A of the years under contract (T, W)."""
        window = self.contracts[self.n[d]]["window"]
        if window not in self._windows:
            self._windows[window] = self.plants.in_window(window)
        return np.asarray(self._windows[window][self.f[d], self.tau[d]])

    @cached_property
    def _contracted(self) -> tuple[Array, Array, Array, Array]:
        """Per contracted tonne a year (D, T, W): payment, extra output, owner's gain, its gain at free trade; zero without a contract."""
        shape = (self.D, self.facts.T, self.facts.W)
        pay, extra, gain, free_gain = (np.zeros(shape) for _ in range(4))
        gross, free_gross = self.plants.gross(self.path.price), self.plants.gross(self.free.price)
        for d in np.flatnonzero(self.n >= 0):
            f, inside = self.f[d], self._inside(int(d))
            for path, size, into in ((self.path, gross, gain), (self.free, free_gross, free_gain)):
                s, margin = self._support(path, int(d)), path.margin[f]
                into[d] = inside * (np.maximum(margin + s, 0.0) - np.maximum(margin, 0.0))
                if path is self.path:
                    runs = margin + s >= -ALIKE * size[f]
                    pay[d] = inside * s * runs
                    extra[d] = inside * (runs.astype(float) - path.runs[f])
        return pay, extra, gain, free_gain

    @property
    def pay(self) -> Array:
        """Payment per contracted tonne (D, T, W)."""
        return self._contracted[0]

    @property
    def extra(self) -> Array:
        """Output that a contracted tonne adds (D, T, W)."""
        return self._contracted[1]

    @cached_property
    def stockpiled(self) -> Array:
        """Tonnes that must be bought for stock per contracted tonne (D, T)."""
        found = np.zeros((self.D, self.facts.T))
        for d in np.flatnonzero(self.n >= 0):
            if self.contracts[self.n[d]]["stockpiled"]:
                inside, ref = self._inside(int(d))[:, self.facts.ref], self.facts.ref
                runs = self.extra[d][:, ref] + inside * self.path.runs[self.f[d]][:, ref]
                found[d] = runs
        return found

    # -- sums over time -------------------------------------------------------------------------------------------

    def _weights(self, rates: Array) -> Array:
        """Discounted probability (D, T, W)."""
        return np.asarray(self.facts.time.discounts(rates)[:, :, None] * self.facts.p)

    def _npv(self, rates: Array) -> tuple[Array, Array, Array, Array]:
        """NPV of each offer signed (D,), its parts from weight, contract and grant, and the size of the sum."""
        plants, weights = self.plants, self._weights(rates)
        candidate = plants.candidate[self.f]
        capital = np.where(candidate, annuity(rates, plants.life[self.f]), 0.0)
        earned = (plants.capacity[self.f])[:, None, None] * self.stored.A[self.f] * np.maximum(self.path.margin[self.f], 0.0)
        stands = np.einsum("dtw,dtw->d", weights, self.stored.B[self.f]) * capital
        income = np.einsum("dtw,dtw->d", weights, earned)
        alone = (income - stands * plants.capex[self.f]) * self.w
        contract = np.einsum("dtw,dtw->d", weights, self._contracted[2]) * self.h
        size = (income + stands * plants.capex[self.f]) * self.w + np.abs(contract) + stands * self.g
        return alone, contract, stands * self.g, size

    @cached_property
    def npv(self) -> tuple[Array, Array, Array, Array]:
        """NPV at the hurdle rate: from the plant alone, from its contract, from its grant; size."""
        return self._npv(self.plants.hurdle[self.f])

    @cached_property
    def social(self) -> tuple[Array, Array, Array, Array]:
        """The same at the social rate."""
        return self._npv(np.full(self.D, self.facts.settings.economics.social_rate))

    @cached_property
    def rent(self) -> Array:
        """What leaves with foreign owners (D,), expected and discounted."""
        alone, contract, grant, _ = self.social
        return np.asarray(self.plants.foreign[self.f] * np.maximum(0.0, alone + contract + grant))

    @cached_property
    def bank(self) -> tuple[Array, Array]:
        """Lenders' surplus of each offer (D, T, W) and its size; what lenders test is `tested`."""
        theta = self.facts.settings.owners.repeal_weight
        alone, at = self.alone, (self.f, self.tau)
        _, _, gain, free_gain = self._contracted
        blended = (1 - theta) * gain + theta * free_gain
        granted = (alone.service[self.f] * self.g)[:, None, None] * self.stored.B[self.f]
        surplus = alone.spare[at] * self.w[:, None, None] + blended * self.h[:, None, None] + granted
        size = alone.spare_gross[at] * self.w[:, None, None] + np.abs(blended) * self.h[:, None, None] + granted
        return np.asarray(surplus), np.asarray(size)

    @cached_property
    def tested(self) -> Flags:
        """Where lenders test each plant at its start (F, T, W)."""
        stands = self.stored.stands[:, None, None]
        return np.asarray(self.alone.tested[np.arange(self.plants.F), self.stored.start] & stands)

    def by_plant(self, amounts: Array) -> Array:
        """Amounts of offers (D, ...) summed by plant (F, ...)."""
        found = np.zeros((self.plants.F, *amounts.shape[1:]))
        np.add.at(found, self.f, amounts)
        return found

    @cached_property
    def forgone(self) -> Array:
        """Margin lost to standing idle (F, T, W), USD a year."""
        return np.asarray(np.maximum(self.path.margin, 0.0) * self.stored.idle)

    @cached_property
    def idling(self) -> Array:
        """The same, expected and discounted at the hurdle rate (F,)."""
        discount = self.facts.time.discounts(self.plants.hurdle)
        return np.asarray(np.einsum("ft,ftw,w->f", discount, self.forgone, self.facts.p))

    def grant_limit(self, f: int) -> float:
        """Largest grant to a plant, USD."""
        plants = self.plants
        for place in (plants.country[f], self.facts.treasury[plants.country[f]]):
            for r in self.facts.rows["aid_limits"]:
                if r["country"] == place:
                    most = np.inf if r["grant_max"] is None else r["grant_max"]
                    return float(min(r["grant_share"] * plants.capex[f], most))
        return float(self.facts.settings.owners.grant_cap * plants.capex[f])
