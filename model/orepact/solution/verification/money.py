"""Who pays what to whom: payments by member, instrument and plant, worked out from amounts and prices."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array

SPENT = ("offtake", "support", "intervention", "stockpile")
"""Instruments that cost money in every scenario of its own; grants are spread over the years of the period in which building starts."""

Account = tuple[int, str, int]
"""Member, instrument, plant (-1: none)."""


class Money:
    """Payments (T, W) of every account, USD a year, revenue negative; nothing for the planner."""

    def __init__(self, study: Study, terms: Terms) -> None:
        self.study, self.terms = study, terms
        self.accounts: dict[Account, Array] = {}
        if study.planner:
            return
        self._contracts()
        self._places()

    def _add(self, account: Account, amount: Array) -> None:
        if account in self.accounts:
            self.accounts[account] = self.accounts[account] + amount
        else:
            self.accounts[account] = amount

    def _contracts(self) -> None:
        study, terms, shown = self.study, self.terms, self.study.stored.shown
        for d in range(terms.D):
            m, f = int(study.stored.offer_payer[d]), int(terms.f[d])
            if terms.n[d] >= 0:
                self._add((m, terms.contracts[terms.n[d]]["instrument"], f), terms.pay[d] * terms.h[d] * shown)
            if terms.g[d] > 0:
                paid = np.zeros((study.facts.T, study.facts.W))
                tau = int(terms.tau[d])
                paid[tau] = terms.g[d] / study.facts.time.length[tau] * shown
                self._add((m, "grant", f), paid)

    def _places(self) -> None:
        """Spending and revenue that arise at places, borne by the member there or by all in the shares of their demand."""
        study, facts, stored = self.study, self.study.facts, self.study.stored
        economics, carries = facts.settings.economics, facts.carries
        price, pi = study.path.price[:, None], facts.pi[:, None]
        glut = (stored.out["glut"] * (price - economics.resale * pi)).sum(axis=0)
        bought = (study.purchases * stored.shown * price).sum(axis=0)
        released = (study.releases * pi).sum(axis=0)
        levies = np.einsum("optw,otw->ptw", stored.imports, study.path.levy) * economics.levy_capture * facts.is_member[:, None, None]
        shares = np.tile(facts.burden, (facts.P, 1)) if economics.levy_pooled else carries
        for instrument, amounts, weights in (
            ("intervention", glut, carries),
            ("stockpile", bought, carries),
            ("levy", -levies, shares),
            ("release", -released, carries),
        ):
            for m in range(facts.M):
                self._add((m, instrument, -1), np.einsum("p,ptw->tw", weights[:, m], amounts))

    def spent(self, m: int, instruments: tuple[str, ...]) -> Array:
        """What a member pays by some instruments (T, W)."""
        nothing = np.zeros((self.study.facts.T, self.study.facts.W))
        return np.asarray(sum((a for (member, instrument, _), a in self.accounts.items() if member == m and instrument in instruments), start=nothing))

    @cached_property
    def net(self) -> Array:
        """Outlay less revenue, never below zero, of each member (M, T, W)."""
        kinds = (*SPENT, "levy", "release")
        shape = (self.study.facts.M, self.study.facts.T, self.study.facts.W)
        found = np.stack([self.spent(m, kinds) for m in range(self.study.facts.M)]) if self.study.facts.M else np.zeros(shape)
        return np.asarray(np.maximum(found, 0.0))

    @cached_property
    def scale(self) -> Array:
        """Size of a period's and scenario's public money (T, W), USD a year: what rows of small accounts are measured by."""
        nothing = np.zeros((self.study.facts.T, self.study.facts.W))
        return np.asarray(sum((np.abs(a) for a in self.accounts.values()), start=nothing))
