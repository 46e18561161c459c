"""The same cost counted from the other side: what every party gains or loses, by scenario (W,), discounted USD.

    users        use forgone + shortage + P (D − short)
    plants       Σ a P x − operation − capital + support + grants − what exports and dumped tonnes fall short of P
    treasuries   what the table of payments says, and the duties of partners where they count
    dealers      (P − π) release                           stock is sold at π and used at P
    carriers, store-keepers, foreign owners                are paid in full
    wedge        (P − π) on goods sold to partners         who pay the world price

Payments inside the perimeter cancel because goods balance at every place, so the two counts agree only if balances hold, prices
are the path's, stated payments are right, and no part of the objective counts a transfer. Market runs only: the planner has no prices.
"""

from __future__ import annotations

import numpy as np

from orepact.solution.verification.costs import Costs
from orepact.solution.verification.money import SPENT
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array, annuity


class Parties:
    """Losses of all parties; `size` is the sum of everything that changes hands."""

    def __init__(self, study: Study, terms: Terms, costs: Costs) -> None:
        self.study, self.terms, self.costs = study, terms, costs
        self.economics = study.facts.settings.economics
        self.discount = study.facts.time.discount(self.economics.social_rate)
        self.loss, self.size = np.zeros(study.facts.W), np.zeros(study.facts.W)
        self._users()
        self._plants()
        self._importers()
        self._trade()
        self._surplus()
        self._stock()
        self._treasuries()

    def lose(self, yearly: Array) -> None:
        """Take in what a party loses, USD a year (T, W) or by anything before these."""
        flat = (yearly * self.study.stored.shown).reshape(-1, *yearly.shape[-2:])
        self.loss = self.loss + self.discount @ flat.sum(axis=0)
        self.size = self.size + self.discount @ np.abs(flat).sum(axis=0)

    def _users(self) -> None:
        study, facts = self.study, self.study.facts
        inside = facts.counted[None, :, None, None]
        self.lose(self.costs.shortage())
        self.lose((study.demand - study.stored.shortage) * study.path.price[:, None] * inside)
        nodes = facts.counted[: facts.I]
        self.lose(facts.D0[nodes] * study.path.forgone)
        self.lose((study.path.demand * facts.to_node[:, :, None, None])[nodes])

    def _plants(self) -> None:
        study, plants, facts = self.study, self.study.plants, self.study.facts
        inside = facts.counted[plants.node] & study.stored.stands
        per_tonne = study.path.margin.copy()
        pooled = ~facts.routed
        haul = np.maximum(plants.a, 0) * facts.from_node[plants.node] + np.maximum(-plants.a, 0) * facts.to_node[plants.node]
        per_tonne -= haul[:, pooled].sum(axis=1)[:, None, None]
        self.lose(-(per_tonne * study.stored.output)[inside])
        yearly = np.where(plants.candidate, annuity(self.economics.social_rate, plants.life) * plants.capex, 0.0)
        self.lose((yearly[:, None, None] * study.stored.B)[inside])
        for d in range(self.terms.D):
            f = int(self.terms.f[d])
            if inside[f]:
                grant = float(annuity(self.economics.social_rate, plants.life[f])) * self.terms.g[d] * study.stored.B[f]
                self.lose(-(self.terms.pay[d] * self.terms.h[d] + grant))
                once = np.zeros((facts.T, facts.W))
                once[0] = self.terms.rent[d] / self.discount[0]
                self.lose(once)

    def _importers(self) -> None:
        """They pay the seller and the duty and sell at P: what is left is freight."""
        facts, imports = self.study.facts, self.study.stored.imports
        _, freight, _ = facts.import_way
        self.lose((imports * freight[:, :, None, None])[:, facts.counted])
        partners = facts.counted & ~facts.is_member
        duty = self.economics.levy_capture * imports * self.study.path.levy[:, None]
        self.lose(-duty[:, partners])

    def _trade(self) -> None:
        study, facts, stored = self.study, self.study.facts, self.study.stored
        wedge, freight = np.zeros((facts.T, facts.W)), np.zeros((facts.T, facts.W))
        for n in np.flatnonzero(stored.flow_inside):
            k, a, b, at = int(stored.flow_product[n]), int(stored.flow_from[n]), int(stored.flow_to[n]), (stored.flow_t[n], stored.flow_w[n])
            if facts.counted[a] or facts.counted[b]:
                freight[at] += self.costs.freight(k, a, b) * stored.flow_amount[n]
            if facts.counted[a] and not facts.counted[b]:
                wedge[at] += (study.path.price[k][at] - facts.pi[k][at]) * stored.flow_amount[n]
        self.lose(wedge)
        self.lose(freight)

    def _surplus(self) -> None:
        facts, out = self.study.facts, self.study.stored.out
        inside = facts.counted[None, :, None, None]
        for way, share in (("export", 1 - self.economics.export_discount), ("overflow", self.economics.resale)):
            self.lose(out[way] * (self.study.path.price - share * facts.pi)[:, None] * inside)

    def _stock(self) -> None:
        study, facts = self.study, self.study.facts
        self.lose(-study.releases * (study.path.price - facts.pi)[:, None])
        for term in ("stock holding", "stock left"):
            self.lose(self.costs.terms[term] / self.discount[:, None])

    def _treasuries(self) -> None:
        """From the stated payments; grants at the social annuity, as the plants got them."""
        study, facts, stored, terms = self.study, self.study.facts, self.study.stored, self.terms
        frame = stored.tables["payments"]
        net = np.zeros((facts.M, facts.T, facts.W))
        rows = zip(frame["member"], frame["instrument"], frame["first_year"], frame["scenario"], frame["usd_a"], strict=True)
        for member, instrument, year, scenario, usd in rows:
            if instrument in (*SPENT, "levy", "release") and scenario in facts.scenario and member in stored.member and year in facts.time.index:
                net[stored.member[member], facts.time.index[year], facts.scenario[scenario]] += usd
        self.lose(net)
        self.lose(self.economics.public_money_premium * np.maximum(net, 0.0))
        for d in np.flatnonzero(terms.g > 0):
            yearly = float(annuity(self.economics.social_rate, study.plants.life[terms.f[d]])) * terms.g[d] * stored.B[terms.f[d]]
            self.lose((1 + self.economics.public_money_premium) * yearly)
