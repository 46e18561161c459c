"""The alliance's cost, counted from resources: every term by period and scenario (T, W), discounted USD, from amounts and prices.

`sizes` holds the sum of the absolute parts of each term: the scale of its rows.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from orepact.instance.schema import ZONE
from orepact.solution.verification.check_prices import partner_price
from orepact.solution.verification.money import Money
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array, annuity


class Costs:
    """See the module's first lines."""

    def __init__(self, study: Study, terms: Terms, money: Money) -> None:
        self.study, self.signed, self.money = study, terms, money
        self.economics = study.facts.settings.economics
        self.discount = study.facts.time.discount(self.economics.social_rate)[:, None]
        nothing = np.zeros((study.facts.T, study.facts.W))
        self.terms: dict[str, Array] = defaultdict(lambda: nothing)
        self.sizes: dict[str, Array] = defaultdict(lambda: nothing)
        self._plants()
        self._imports()
        self._moves()
        self._surplus()
        self._users()
        self._stock()
        if not study.planner:
            self._public()

    def add(self, term: str, yearly: Array, size: Array | None = None) -> None:
        """Add yearly USD (T, W) to a term; `size` where its parts have both signs."""
        cost = self.discount * yearly * self.study.stored.shown
        self.terms[term] = self.terms[term] + cost
        self.sizes[term] = self.sizes[term] + (np.abs(cost) if size is None else self.discount * size * self.study.stored.shown)

    def _plants(self) -> None:
        study, plants, facts = self.study, self.study.plants, self.study.facts
        for f in np.flatnonzero(facts.counted[plants.node] & study.stored.stands):
            output, k = study.stored.output[f], ~facts.routed
            self.add("operation", (plants.opex[f] - plants.premium[f])[:, None] * output)
            haul = float(np.maximum(plants.a[f], 0)[k] @ facts.from_node[plants.node[f], k] + np.maximum(-plants.a[f], 0)[k] @ facts.to_node[plants.node[f], k])
            self.add("freight", haul * output)
            if plants.candidate[f]:
                self.add("capital", float(annuity(self.economics.social_rate, plants.life[f])) * plants.capex[f] * study.stored.B[f])

    def _imports(self) -> None:
        facts, imports = self.study.facts, self.study.stored.imports[:, self.study.facts.counted]
        _, freight, _ = facts.import_way
        self.add("imports", np.einsum("optw,otw->tw", imports, self.study.path.paid))
        self.add("freight", np.einsum("optw,op->tw", imports, freight[:, facts.counted]))

    def _moves(self) -> None:
        """Freight inside the zone; goods that members buy from partners and sell to them."""
        study, facts, stored = self.study, self.study.facts, self.study.stored
        price = partner_price(study) if study.planner else study.path.price
        yearly: dict[str, Array] = {term: np.zeros((facts.T, facts.W)) for term in ("freight", "partner goods", "sales to partners")}
        for n in np.flatnonzero(stored.flow_inside):
            k, a, b, at = int(stored.flow_product[n]), int(stored.flow_from[n]), int(stored.flow_to[n]), (stored.flow_t[n], stored.flow_w[n])
            amount = stored.flow_amount[n]
            sells, buys = facts.is_member[a], facts.is_member[b]
            if sells or buys or facts.whole_zone:
                yearly["freight"][at] += self.freight(k, a, b) * amount
            if facts.whole_zone:
                continue
            if buys and not sells:
                yearly["partner goods"][at] += price[k][at] * amount
            elif sells and not buys:
                yearly["sales to partners"][at] -= facts.pi[k][at] * amount
        for term, cost in yearly.items():
            if cost.any():
                self.add(term, cost)

    def freight(self, k: int, a: int, b: int) -> float:
        """Freight per tonne between two places; pooled goods from partners pay the mean of their makers' way to the hub."""
        facts, plants = self.study.facts, self.study.plants
        if facts.routed[k]:
            return facts.freight(k, facts.places[a], facts.places[b])
        if facts.whole_zone or facts.is_member[a]:
            return 0.0
        makers = sorted({int(plants.node[f]) for f in range(plants.F) if plants.a[f, k] > 0 and plants.node[f] >= facts.M})
        return float(np.mean([facts.freight(k, facts.nodes[i], ZONE) for i in makers])) if makers else 0.0

    def _surplus(self) -> None:
        study, facts, out = self.study, self.study.facts, self.study.stored.out
        inside = facts.counted[None, :, None, None]
        pi, price = facts.pi[:, None], study.path.price[:, None]
        resale = self.economics.resale
        self.add("exports", -((1 - self.economics.export_discount) * pi * out["export"] * inside).sum(axis=(0, 1)))
        self.add("surplus", -(resale * pi * out["overflow"] * inside).sum(axis=(0, 1)))
        glut = np.where(inside, 0.0, price) - resale * pi
        self.add("surplus", (glut * out["glut"]).sum(axis=(0, 1)), (np.abs(glut) * out["glut"]).sum(axis=(0, 1)))

    def _users(self) -> None:
        study, facts = self.study, self.study.facts
        inside = facts.counted[: facts.I]
        self.add("use forgone", np.einsum("iktw,ktw->tw", facts.D0[inside], study.path.forgone))
        self.add("freight", np.einsum("iktw,ik->tw", study.path.demand[inside][:, ~facts.routed], facts.to_node[inside][:, ~facts.routed]))
        self.add("shortage", self.shortage().sum(axis=(0, 1)))

    def shortage(self) -> Array:
        """What going without costs (K, P, T, W): the easiest uses first."""
        study, facts = self.study, self.study.facts
        found = np.zeros_like(study.stored.shortage)
        for k, product in enumerate(facts.products):
            if not study.stored.shortage[k].any():
                continue
            blocks = [r for r in facts.rows["shortage_costs"] if r["product"] == product]
            stages = {facts.products[j] for j in np.flatnonzero(study.plants.e[:, k] > 0)}
            for w in range(facts.W):
                long = facts.longest_cut(w, stages) >= facts.rows["products"][k]["longer_after"]
                costs = [(r["price_multiple_long"] if long and r["price_multiple_long"] is not None else r["price_multiple"], r["share"]) for r in blocks]
                left = study.stored.shortage[k, :, :, w].copy()
                for multiple, share in sorted(costs):
                    here = np.minimum(left, share * study.demand[k, :, :, w])
                    found[k, :, :, w] += multiple * facts.pi[k, :, facts.ref] * here
                    left -= here
        return found

    def _stock(self) -> None:
        _study, facts, stored = self.study, self.study.facts, self.study.stored
        if not stored.site_names:
            return
        price = facts.pi[stored.site_product]
        holding = np.array([facts.rows["products"][k]["holding_cost"] for k in stored.site_product], dtype=float)[:, None, None]
        self.add("stock holding", (holding * price * stored.level).sum(axis=0))
        left = np.zeros((facts.T, facts.W))
        left[-1] = -self.economics.resale * (price[:, -1] * stored.level[:, -1]).sum(axis=0) / facts.time.length[-1]
        self.add("stock left", left)

    def _public(self) -> None:
        """Public money at its premium; grants; what leaves for partners' plants and foreign owners."""
        study, facts, plants, signed = self.study, self.study.facts, self.study.plants, self.signed
        premium = self.economics.public_money_premium
        self.add("public money", premium * self.money.net.sum(axis=0), premium * self.money.scale)
        for d in range(signed.D):
            f = int(signed.f[d])
            inside = bool(facts.counted[plants.node[f]])
            if signed.g[d] > 0:
                factor = float(annuity(self.economics.social_rate, plants.life[f])) * (premium if inside else 1 + premium)
                self.add("grants", factor * signed.g[d] * study.stored.B[f])
            if signed.n[d] >= 0 and not inside:
                paid = signed.pay[d] * signed.h[d]
                self.add("payments to partners", paid)
            if inside and plants.foreign[f] > 0:
                rent = np.zeros((facts.T, facts.W))
                rent[0] = signed.rent[d]
                rough = np.zeros((facts.T, facts.W))
                rough[0] = plants.foreign[f] * signed.social[3][d]
                self.add("foreign rent", rent / self.discount, rough / self.discount)

    def by_scenario(self) -> Array:
        """Cost of every scenario (W,)."""
        return np.asarray(sum((cost.sum(axis=0) for cost in self.terms.values()), start=np.zeros(self.study.facts.W)))
