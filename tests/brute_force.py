"""An independent answer to tiny instances: every price path and every pattern of starts, one LP each.

The model lists the vertices of what each owner would sign and lets one MILP pick. Here nothing is
listed: in each case (a rung for every product and period, a start or none for every candidate) the
contract volumes and the grants are variables, the owners' conditions are rows written for every
contract and payer, multiplied through by the contract's weight, and the cheapest case wins. The only
binaries left, "this feed is short and drawn to the last tonne", are enumerated by branching.
It shares no code with market, formulation or solver. Units: t, USD, year; rows are scaled inside.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from brute_facts import FREE, MEMBERS, Facts, Plant, Row, annuity, either, given, less, names
from brute_market import Bands, Ladders, Market, Offer, Path, response
from brute_program import DOLLARS, TONNES, Lin, Program, of, total

Starts = dict[str, int | None]
"""candidate -> year of the decision to build, or None."""


@dataclass(frozen=True)
class CaseResult:
    """One price path and one pattern of starts: its least cost, or None where nothing is feasible."""

    objective: float | None
    terms: dict[str, float] = field(default_factory=dict)
    """Name -> expected discounted USD; their sum is the expected cost."""
    solves: int = 0
    detail: dict[str, float] = field(default_factory=dict)
    """Named amounts (t/a, USD) that help to find a difference."""


class Case:
    """The LP of one case. `market` is None for the planner."""

    def __init__(self, study: Study, market: Market | None, starts: Mapping[str, int | None], behaviour: str) -> None:
        self.study, self.facts, self.market = study, study.facts, market
        self.settings, self.behaviour = study.facts.settings, behaviour
        self.starts = starts
        self.zone = self.settings.economics.perimeter == "zone"
        self.lp = Program()
        self.TW = [(t, w) for t in self.facts.T for w in self.facts.W]
        self.costs: dict[tuple[str, str], Lin] = {}
        self.outlay: dict[tuple[str, str, int, str], Lin] = {}
        self.relief: dict[tuple[str, int, str], Lin] = {}
        self.grants: dict[tuple[str, int], Lin] = {}
        self.forced: dict[tuple[str, str, int], Lin] = {}
        self.watch: dict[str, Lin] = {}

    # small helpers
    def charge(self, term: str, t: int, w: str, amount: Lin, usd: float = 1.0) -> None:
        self.costs.setdefault((term, w), Lin()).plus(amount, usd * self.facts.d(t))

    def spend(self, member: str, instrument: str, t: int, w: str, amount: Lin, usd: float = 1.0) -> None:
        self.outlay.setdefault((member, instrument, t, w), Lin()).plus(amount, usd)

    def relieve(self, member: str, t: int, w: str, amount: Lin, usd: float) -> None:
        self.relief.setdefault((member, t, w), Lin()).plus(amount, usd)

    def shares(self, k: str, node: str) -> dict[str, float]:
        """Who carries money that arises at a node: the member itself where goods are routed, else all by demand."""
        if self.facts.pooled(k) or not self.facts.is_member_node[node]:
            return self.facts.burden
        return {node: 1.0}

    def counts(self, node: str) -> bool:
        """Whether costs at this node or block are the alliance's."""
        return self.zone or self.facts.is_member_node[node]

    def built(self) -> Iterator[tuple[Plant, int | None]]:
        for f in self.facts.plants.values():
            if f.existing:
                yield f, None
            elif self.starts.get(f.code) is not None:
                yield f, self.starts[f.code]

    # ---- solve --------------------------------------------------------------------------------
    def solve(self, cutoff: float = math.inf) -> CaseResult:
        self._short_feeds()
        if not (self._planned_plants() if self.market is None else self._owners()):
            return CaseResult(None)
        self._demand()
        self._trade()
        self._stock()
        self._operation()
        if self.market is not None:
            self._public_money()
        if self.behaviour == "market":
            self._budgets()
        if self.behaviour != "baseline":
            self._targets()
        cost = self._objective()
        found = self.lp.minimise(cost, cutoff)
        if found is None:
            return CaseResult(None, solves=self.lp.solves)
        objective, x = found
        terms: dict[str, float] = {}
        for (term, w), lin in self.costs.items():
            terms[term] = terms.get(term, 0.0) + self.facts.p[w] * lin.value(x)
        detail = {name: lin.value(x) for name, lin in self.watch.items()}
        return CaseResult(objective, terms, self.lp.solves, detail)

    def _objective(self) -> Lin:
        economics, p = self.settings.economics, self.facts.p
        per_scenario: dict[str, Lin] = {w: Lin() for w in self.facts.W if p[w] > 0}
        for (_, w), lin in self.costs.items():
            if w in per_scenario:
                per_scenario[w].plus(lin)
        omega, beta = economics.cvar_weight, economics.cvar_level
        cost = total(lin * ((1 - omega) * p[w]) for w, lin in per_scenario.items())
        if omega > 0:
            eta = self.lp.var(DOLLARS, low=-math.inf)
            cost.add(eta, omega)
            for w, lin in per_scenario.items():
                beyond = self.lp.var(DOLLARS)
                self.lp.nonpositive(lin - of(eta) - of(beyond))
                cost.add(beyond, omega * p[w] / (1 - beta))
        return cost

    # ---- owners and plants --------------------------------------------------------------------
    def _short_feeds(self) -> None:
        self.q: dict[tuple[str, int, str], int] = {}
        if self.market is not None:
            for k, t, w in sorted(self.market.short):
                if w in self.facts.W:
                    self.q[k, t, w] = self.lp.yes_or_no()

    def _owners(self) -> bool:
        assert self.market is not None
        facts, lp, social = self.facts, self.lp, self.settings.economics.social_rate
        self.x: dict[tuple[str, int, str], Lin] = {}
        for f in facts.plants.values():
            if f.existing or self.starts.get(f.code) is not None:
                continue
            if self.study.must_build(self.market, f, None, self.behaviour):
                return False
        for f, start in self.built():
            if self.study.must_build(self.market, f, start, self.behaviour):
                return False
            offers = self.study.offers(self.market, f, start, self.behaviour)
            if not offers:
                return False
            weights = Lin()
            npv, bank = Lin(), {key: Lin() for key in offers[0].bank}
            output = {key: Lin() for key in self.TW}
            for number, offer in enumerate(offers):
                weight = lp.var(1.0)
                weights.add(weight)
                volume = grant = None
                if offer.contract is not None:
                    volume = lp.var(TONNES)
                    lp.nonpositive(of(weight, offer.least) - of(volume))
                    lp.nonpositive(of(volume) - of(weight, offer.most))
                if offer.grant > 0:
                    grant = lp.var(DOLLARS)
                    lp.nonpositive(of(grant) - of(weight, offer.grant))
                label = f"{f.code}|{number}|{offer.contract['contract'] if offer.contract else 'none'}|{offer.payer}"
                self.watch[f"weight {label}"] = of(weight)
                if volume is not None:
                    self.watch[f"volume {label}"] = of(volume)
                if grant is not None:
                    self.watch[f"grant {label}"] = of(grant)

                def combine(a: tuple[float, ...], weight: int = weight, volume: int | None = volume, grant: int | None = grant) -> Lin:
                    lin = of(weight, a[0])
                    if volume is not None:
                        lin.add(volume, a[1])
                    if grant is not None and len(a) > 2:
                        lin.add(grant, a[2])
                    return lin

                worth = combine(offer.npv)
                if not offer.free_of_tests:
                    lp.nonpositive(worth * -1.0)
                    lp.nonpositive(worth - of(weight, self.settings.owners.rent_cap * f.capex))
                    for surplus in offer.bank.values():
                        lp.nonpositive(combine(surplus) * -1.0)
                npv.plus(worth)
                for key, surplus in offer.bank.items():
                    bank[key].plus(combine(surplus))
                for key in self.TW:
                    output[key].plus(combine(offer.output[key]))
                    if volume is not None:
                        self._pay(f, offer, volume, *key)
                if volume is not None:
                    for t, amount in offer.bought.items():
                        at = MEMBERS if facts.pooled(f.main) else str(offer.payer)  # payers who share a stock buy for it together
                        self.forced.setdefault((f.main, at, t), Lin()).add(volume, amount)
                if grant is not None:
                    self._grant(f, start, str(offer.payer), grant, social)
                if f.foreign > 0 and (self.zone or f.member):
                    rent = lp.var(DOLLARS)
                    lp.nonpositive(combine(offer.social) * f.foreign - of(rent))
                    for w in facts.W:
                        self.costs.setdefault(("foreign_rent", w), Lin()).add(rent)
            lp.zero(weights - 1.0)
            self._idle(f, output, npv, bank)
        return True

    def _pay(self, f: Plant, offer: Offer, volume: int, t: int, w: str) -> None:
        assert offer.contract is not None
        amount = of(volume, offer.pay[t, w])
        self.spend(str(offer.payer), offer.contract["instrument"], t, w, amount)
        if not self.zone and not f.member:
            self.charge("payments_to_partners", t, w, amount)

    def _grant(self, f: Plant, start: int | None, payer: str, grant: int, social: float) -> None:
        assert start is not None
        self.grants.setdefault((payer, start), Lin()).add(grant)
        premium = self.settings.economics.public_money_premium
        weight = premium if self.zone or f.member else 1 + premium
        for t, w in self.TW:
            self.charge("grants", t, w, of(grant), weight * annuity(social, f.lifetime) * self.facts.B(f, start, t, w))

    def _idle(self, f: Plant, output: dict[tuple[int, str], Lin], npv: Lin, bank: dict[tuple[int, str], Lin]) -> None:
        assert self.market is not None
        facts, lp = self.facts, self.lp
        idle_cost = Lin()
        for t, w in self.TW:
            short = [self.q[k, t, w] for k in f.amounts if f.used(k) > 0 and (k, t, w) in self.q]
            free = not facts.normal[w] and facts.cut(f, t, w)
            x = output[t, w]
            if free or short:
                idle = lp.var(TONNES)
                x = x - of(idle)
                lp.nonpositive(x * -1.0)
                if not free:
                    lp.nonpositive(of(idle) - total(of(q, facts.A_most(f, t, w) * f.capacity) for q in short))
                margin = max(self.market.mu[f.code, t, w], 0.0)
                idle_cost.add(idle, facts.p[w] * facts.discount(t, f.hurdle) * margin)
                if (t, w) in bank:
                    bank[t, w].add(idle, -margin)
                    if not f.existing:
                        lp.nonpositive(bank[t, w] * -1.0)
                self.watch[f"idle {f.code} {t} {w}"] = of(idle)
            self.x[f.code, t, w] = x
            self.watch[f"output {f.code} {t} {w}"] = x
        if not f.existing and idle_cost.terms:
            lp.nonpositive(idle_cost - npv)

    def _planned_plants(self) -> bool:
        self.x = {}
        for f, start in self.built():
            for t, w in self.TW:
                self.x[f.code, t, w] = of(self.lp.var(TONNES, high=f.capacity * self.facts.A(f, start, t, w)))
                self.watch[f"output {f.code} {t} {w}"] = self.x[f.code, t, w]
        return True

    def gross(self, k: str, t: int, w: str, plants: Iterable[Plant]) -> Lin:
        """Gross output of a product, t/a."""
        return total(self.x[f.code, t, w] * f.made(k) for f in plants if f.made(k) > 0 and (f.code, t, w) in self.x)

    # ---- demand -------------------------------------------------------------------------------
    def _demand(self) -> None:
        facts = self.facts
        self.D: dict[tuple[str, str, int, str], Lin] = {}
        V: dict[tuple[str, str, int, str], Lin] = {}
        if self.market is not None:
            for key in self.market.D:
                self.D[key], V[key] = Lin(self.market.D[key]), Lin(self.market.V[key])
        else:
            mix: dict[tuple[str, int], list[tuple[str, int]]] = {}
            for k in facts.products:
                for t in facts.T:
                    mix[k, t] = [(rung, self.lp.var(1.0)) for rung in self.study.ladders.offered(k, t)]
                    self.lp.zero(total(of(z) for _, z in mix[k, t]) - 1.0)
            for c, k in facts.users:
                for t, w in self.TW:
                    D, value = Lin(), Lin()
                    for rung, z in mix[k, t]:
                        price = self.study.ladders.rung(k, t, w, rung).price
                        want, lost = response(facts, k, facts.D0[c, k, t, w], facts.pi[k, t, w], price)
                        D.add(z, want)
                        value.add(z, lost)
                    self.D[c, k, t, w], V[c, k, t, w] = D, value
        for c, k in facts.users:
            for t, w in self.TW:
                if self.counts(facts.node(c)):
                    self.charge("use_forgone", t, w, V[c, k, t, w])

    def use(self, k: str, t: int, w: str, area: str | None = None) -> Lin:
        """Tonnes of k embodied in final use, the part driven abroad included."""
        result = Lin()
        for c, j in self.facts.users:
            if self.facts.e[k, j] != 0 and (area is None or self.facts.node(c) == area):
                result.plus(self.D[c, j, t, w], self.facts.e[k, j])
                result.plus(self.moved(c, j, t, w), self.facts.e[k, j])
        return result

    def moved(self, c: str, j: str, t: int, w: str) -> Lin:
        """Final use of j that moved abroad."""
        relocated = float(either(self.facts.product[j]["relocated"], 0.0))
        return (Lin(self.facts.D0[c, j, t, w]) - self.D[c, j, t, w]) * relocated

    # ---- goods --------------------------------------------------------------------------------
    def _trade(self) -> None:
        self.imports: dict[tuple[str, str, str, int, str], Lin] = {}
        self.flow: dict[tuple[str, str, str, int, str], Lin] = {}
        self.away: dict[tuple[str, str, int, str], Lin] = {}
        self.balance: dict[tuple[str, str, int, str], Lin] = {}
        self.leaving: dict[tuple[str, int, str], Lin] = {}
        used: dict[tuple[int, str, int, str], Lin] = {}
        for k in self.facts.products:
            for t, w in self.TW:
                self._product(k, t, w, used)
        for (number, _, _, _), amount in used.items():
            limit = self.facts.tables["freight"][number]["capacity"]
            if given(limit):
                self.lp.nonpositive(amount - float(limit))

    def permitted(self, k: str, t: int, w: str) -> dict[str, float]:
        """Sources that may sell -> what is paid per tonne."""
        if self.market is not None:
            return self.market.rung[k, t, w].paid
        rungs = [self.study.ladders.rung(k, t, w, name) for name in self.study.ladders.offered(k, t)]
        world = self.facts.pi[k, t, w]
        return {o: max(world, self.facts.cost[o, k, t]) for o in self.facts.sources[k] if any(o in r.paid for r in rungs)}

    def _product(self, k: str, t: int, w: str, used: dict[tuple[int, str, int, str], Lin]) -> None:
        facts, lp = self.facts, self.lp
        nodes, pooled, routes = facts.nodes(k), facts.pooled(k), facts.routes[k]
        world = facts.pi[k, t, w]
        net = {node: Lin() for node in nodes}
        own = {node: Lin() for node in nodes}
        out = {node: Lin() for node in nodes}
        for f, _ in self.built():
            here = facts.place(k, f.node)
            net[here].plus(self.x[f.code, t, w], f.made(k) - f.used(k))
            own[here].plus(self.x[f.code, t, w], f.made(k))
        for c, j in facts.users:
            if j == k:
                net[facts.place(k, facts.node(c))].plus(self.D[c, k, t, w], -1.0)

        # imports
        paid = self.permitted(k, t, w)
        by_source: dict[str, Lin] = {o: Lin() for o in paid}
        for o, price in paid.items():
            for node in nodes:
                if not pooled and (o, node) not in routes:
                    continue
                v = lp.var(TONNES)
                self.imports[o, k, node, t, w] = of(v)
                by_source[o].add(v)
                net[node].add(v)
                self.watch[f"import {o} {k} {node} {t} {w}"] = of(v)
                if not pooled:
                    used.setdefault((routes[o, node], k, t, w), Lin()).add(v)
                if self.counts(node):
                    self.charge("imports", t, w, of(v), price)
                    self.charge("freight", t, w, of(v), facts.freight(k, o, "ZONE" if pooled else node))
                levy = self.market.rung[k, t, w].levy.get(o, 0.0) if self.market is not None else 0.0
                if levy > 0 and facts.is_member_node[node]:
                    who = facts.burden if self.settings.economics.levy_pooled else self.shares(k, node)
                    for m, share in who.items():
                        self.relieve(m, t, w, of(v), share * self.settings.economics.levy_capture * levy)
            lp.nonpositive(by_source[o] - facts.avail[o, k, t, w])
        everything = total(by_source.values())
        self._bands(k, t, w, by_source, everything)

        # between nodes
        pairs = [(a, b) for a in nodes for b in nodes if a != b and (pooled or (a, b) in routes)]
        for a, b in pairs:
            v = lp.var(TONNES)
            self.flow[a, b, k, t, w] = of(v)
            net[a].add(v, -1.0)
            net[b].add(v)
            out[a].add(v)
            self.watch[f"flow {a} {b} {k} {t} {w}"] = of(v)
            if not pooled:
                used.setdefault((routes[a, b], k, t, w), Lin()).add(v)
            self._pay_for_flow(k, a, b, t, w, v)

        # out of the zone
        away = self._leave(k, t, w, nodes, world)
        for node in nodes:
            net[node].plus(away[node], -1.0)
            lp.nonpositive(out[node] + away[node] - own[node])
            self.away[k, node, t, w] = away[node]
        self.leaving[k, t, w] = total(away.values())

        self._go_without(k, t, w, nodes, net)
        for node in nodes:
            self.balance[k, node, t, w] = net[node]

        if (k, t, w) in self.q:
            q = self.q[k, t, w]
            supply = sum(facts.avail[o, k, t, w] for o in paid)
            big = sum(f.made(k) * f.capacity for f in facts.plants.values())
            lp.nonpositive(of(q, supply) - everything)
            lp.nonpositive(self.leaving[k, t, w] - big + of(q, big))

    def _pay_for_flow(self, k: str, a: str, b: str, t: int, w: str, v: int) -> None:
        """Goods between members and partners, and freight."""
        facts, world = self.facts, self.facts.pi[k, t, w]
        from_member, to_member = facts.is_member_node[a], facts.is_member_node[b]
        if facts.pooled(k):
            freight = facts.hub_exit(k) if to_member and not from_member and not self.zone else 0.0
        else:
            freight = facts.freight(k, a, b) if self.zone or from_member or to_member else 0.0
        self.charge("freight", t, w, of(v), freight)
        if self.zone:
            return
        if to_member and not from_member:
            if self.market is not None:
                price = self.market.P[k, t, w]
            else:
                ceilings = [
                    either(c["ceiling"], c["strike"]) for c in facts.tables["contracts"]
                    if either(c["upside_share"], 0.0) > 0 and {k, "*"} & set(names(c["products"])) and given(either(c["ceiling"], c["strike"]))
                ]  # fmt: skip
                price = min([world, *ceilings])
            self.charge("partner_goods", t, w, of(v), price)
        elif from_member and not to_member:
            self.charge("sales_to_partners", t, w, of(v), -world)

    def _leave(self, k: str, t: int, w: str, nodes: list[str], world: float) -> dict[str, Lin]:
        """Exports, overflow and glut by node."""
        facts, lp, economics = self.facts, self.lp, self.settings.economics
        high = world if self.market is None else self.market.P[k, t, w]
        away = {node: Lin() for node in nodes}
        if high > world:
            for node in nodes:
                v = lp.var(TONNES)
                away[node].add(v)
                self.watch[f"glut {k} {node} {t} {w}"] = of(v)
                if self.counts(node):
                    self.charge("glut", t, w, of(v), -economics.resale * world)
                else:
                    self.charge("glut", t, w, of(v), high - economics.resale * world)
                for m, share in self.shares(k, node).items():
                    self.spend(m, "intervention", t, w, of(v), share * (high - economics.resale * world))
            return away
        exports = Lin()
        for node in nodes:
            sold, dumped = lp.var(TONNES), lp.var(TONNES)
            exports.add(sold)
            away[node].add(sold).add(dumped)
            self.watch[f"export {k} {node} {t} {w}"] = of(sold)
            self.watch[f"overflow {k} {node} {t} {w}"] = of(dumped)
            if self.counts(node):
                self.charge("exports", t, w, of(sold), -(1 - economics.export_discount) * world)
                self.charge("overflow", t, w, of(dumped), -economics.resale * world)
        lp.nonpositive(exports - facts.limit[k, t])
        return away

    def _bands(self, k: str, t: int, w: str, by_source: dict[str, Lin], everything: Lin) -> None:
        if self.market is None or (k, t, w) not in self.market.bands:
            return
        bands = self.market.bands[k, t, w]
        slack = Lin()
        if (k, t, w) in self.q:
            slack = of(self.q[k, t, w], sum(self.facts.avail[o, k, t, w] for o in by_source))
        for o, share in bands.upper.items():
            self.lp.nonpositive(by_source[o] - everything * share - slack)
        for o, share in bands.lower.items():
            self.lp.nonpositive(everything * share - by_source[o] - slack)

    def _go_without(self, k: str, t: int, w: str, nodes: list[str], net: dict[str, Lin]) -> None:
        """Shortage, in blocks of final demand."""
        facts, lp = self.facts, self.lp
        allowed = (k, t, w) in (self.market.may_go_without if self.market is not None else self.study.may_go_without)
        if not allowed:
            return
        long = facts.long_cut(k, w)
        for node in nodes:
            demand = total(self.D[c, k, t, w] for c, j in facts.users if j == k and facts.place(k, facts.node(c)) == node)
            for block in facts.tables["shortage_costs"]:
                if block["product"] != k or not (demand.terms or demand.const > 0):
                    continue
                v = lp.var(TONNES)
                lp.nonpositive(of(v) - demand * float(block["share"]))
                net[node].add(v)
                multiple = either(block["price_multiple_long"], block["price_multiple"]) if long else block["price_multiple"]
                self.charge("shortage", t, w, of(v), multiple * facts.pi[k, t, facts.ref])
                self.watch[f"shortage {k} {node} {block['block']} {t} {w}"] = of(v)

    # ---- stock --------------------------------------------------------------------------------
    def _stock(self) -> None:
        facts, lp, economics = self.facts, self.lp, self.settings.economics
        refusing = {r["member"] for r in facts.tables["refusals"] if r["instrument"] == "stockpile"}
        self.level: dict[tuple[str, str, int, str], Lin] = {}
        self.initial: dict[str, float] = dict.fromkeys(facts.products, 0.0)
        bought: dict[tuple[str, str, int], Lin] = {}
        self.purchase: dict[tuple[str, str, int], Lin] = bought
        rows = [] if self.behaviour == "baseline" else facts.tables["stockpiles"]
        for r in rows:
            k = r["product"]
            node = MEMBERS if facts.pooled(k) else facts.node(r["country"])
            who = self.shares(k, node)
            # a member that refuses can't be made to pay its part: nothing is bought into a stock it would share
            refused = self.behaviour == "market" and any(m in refusing for m in who)
            self.initial[k] += r["initial"]
            for t in facts.T:
                b = of(lp.var(TONNES, high=0.0 if refused else r["max_purchase"]))
                bought[k, node, t] = b
                self.watch[f"purchase {k} {node} {t}"] = b
            for w in facts.W:
                before = Lin(r["initial"])
                for t in facts.T:
                    level = of(lp.var(TONNES, high=float(either(r["max_level"], math.inf))))
                    release = Lin()
                    if not facts.normal[w]:
                        release = of(lp.var(TONNES))
                        self.watch[f"release {k} {node} {t} {w}"] = release
                    lp.zero(level - before - (bought[k, node, t] - release) * facts.n[t])
                    self.balance[k, node, t, w].plus(release).plus(bought[k, node, t], -1.0)
                    self.level[k, node, t, w] = level
                    self.charge("stock_holding", t, w, level, facts.product[k]["holding_cost"] * facts.pi[k, t, w])
                    if t == facts.T[-1]:
                        self.charge("stock_left", t, w, level, -economics.resale * facts.pi[k, t, w] / facts.n[t])
                    if self.market is not None:
                        for m, share in who.items():
                            self.spend(m, "stockpile", t, w, bought[k, node, t], share * self.market.P[k, t, w])
                            self.relieve(m, t, w, release, share * facts.pi[k, t, w])
                    before = level
        for (k, at, t), tonnes in self.forced.items():
            lp.nonpositive(tonnes - bought.get((k, at, t), Lin()))
        for (k, t, _), q in self.q.items():
            for (j, _, s), b in bought.items():
                if (j, s) == (k, t):
                    most = max(float(r["max_purchase"]) for r in rows if r["product"] == k)
                    lp.nonpositive(b - most + of(q, most))
        for net in self.balance.values():
            lp.zero(net)

    # ---- cost of plants and freight of pooled goods -------------------------------------------
    def _operation(self) -> None:
        facts, social = self.facts, self.settings.economics.social_rate
        for f, start in self.built():
            if not self.counts(f.node):
                continue
            haul = sum(
                f.made(k) * facts.freight(k, f.node, "ZONE") + f.used(k) * facts.freight(k, "ZONE", f.node)
                for k in f.amounts if facts.pooled(k)
            )  # fmt: skip
            for t, w in self.TW:
                self.charge("operation", t, w, self.x[f.code, t, w], facts.opex(f, t) - f.premium)
                self.charge("freight", t, w, self.x[f.code, t, w], haul)
                if start is not None:
                    self.charge("capital", t, w, Lin(annuity(social, f.lifetime) * f.capex * facts.B(f, start, t, w)))
        for c, k in facts.users:
            if facts.pooled(k) and self.counts(facts.node(c)):
                for t, w in self.TW:
                    self.charge("freight", t, w, self.D[c, k, t, w], facts.freight(k, "ZONE", facts.node(c)))

    # ---- public money -------------------------------------------------------------------------
    def spending(self, member: str, t: int, w: str, instruments: Iterable[str]) -> Lin:
        return total(self.outlay[key] for i in instruments if (key := (member, i, t, w)) in self.outlay)

    def _public_money(self) -> None:
        premium = self.settings.economics.public_money_premium
        for m in self.facts.members:
            for t, w in self.TW:
                need = self.spending(m, t, w, ("offtake", "support", "intervention", "stockpile"))
                need = need - self.relief.get((m, t, w), Lin())
                F = self.lp.var(DOLLARS)
                self.lp.nonpositive(need - of(F))
                self.charge("public_money", t, w, of(F), premium)
                self.watch[f"public money {m} {t} {w}"] = of(F)

    def _budgets(self) -> None:
        facts, lp = self.facts, self.lp
        everything = ("offtake", "support", "intervention", "stockpile")
        for r in facts.tables["budgets"]:
            for t, w in self.TW:
                if facts.p[w] <= 0 or not facts.covers(r, t):
                    continue
                kinds = everything if r["instrument"] == "all" else (r["instrument"],)
                amount = self.spending(r["member"], t, w, kinds)
                if r["instrument"] in ("all", "grant"):
                    amount.plus(self.grants.get((r["member"], t), Lin()), 1 / facts.n[t])
                lp.nonpositive(amount - float(r["limit"]))
        spent = {m: Lin() for m in facts.members}
        for m in facts.members:
            for t, w in self.TW:
                spent[m].plus(self.spending(m, t, w, everything), facts.p[w] * facts.d(t))
            for t in facts.T:
                spent[m].plus(self.grants.get((m, t), Lin()), facts.d(t) / facts.n[t])
        all_spent = total(spent.values())
        for r in facts.tables["contributions"]:
            off = spent[r["member"]] - all_spent * r["key"]
            lp.nonpositive(off - all_spent * r["tolerance"])
            lp.nonpositive(off * -1.0 - all_spent * r["tolerance"])

    # ---- targets ------------------------------------------------------------------------------
    def _targets(self) -> None:
        kinds = {
            "zone_share": self._zone_share, "activity_share": self._activity_share, "reliance_cap": self._reliance_cap,
            "n_minus_1": self._n_minus_1, "stock_days": self._stock_days,
        }  # fmt: skip
        for r in self.facts.tables["targets"]:
            for t, w in self.TW:
                if self.facts.normal[w] and self.facts.covers(r, t):
                    kinds[r["kind"]](r, t, w)

    def _zone_share(self, r: Row, t: int, w: str) -> None:
        area = either(r["area"], None)
        made = Lin()
        for k in names(r["products"]):
            nodes = [n for n in self.facts.nodes(k) if area is None or n == area]
            made.plus(self.gross(k, t, w, self._in(area)))
            for node in nodes:
                made.plus(self.away[k, node, t, w], -1.0)
                made.plus(self.purchase.get((k, node, t), Lin()), -1.0)
                if area is not None:
                    for (a, b, j, s, v), amount in self.flow.items():
                        if (j, s, v) == (k, t, w) and node in (a, b):
                            made.plus(amount, 1.0 if b == node else -1.0)
        self.lp.nonpositive(self.use(self._denominator(r), t, w, area) * r["value"] - made)

    def _activity_share(self, r: Row, t: int, w: str) -> None:
        area = either(r["area"], None)
        plants = [f for f in self._in(area) if r["activity"] in f.activities]
        made = total(self.gross(k, t, w, plants) for k in names(r["products"]))
        self.lp.nonpositive(self.use(self._denominator(r), t, w, area) * r["value"] - made)

    def _in(self, area: str | None) -> list[Plant]:
        return [f for f in self.facts.plants.values() if area is None or f.node == area]

    @staticmethod
    def _denominator(r: Row) -> str:
        return str(either(r["use_of"], names(r["products"])[0]))

    def _reliance_cap(self, r: Row, t: int, w: str) -> None:
        facts = self.facts
        k, area = names(r["products"])[0], either(r["area"], None)
        deep = bool(either(r["upstream"], True))
        stages = [j for j in facts.products if (facts.e[k, j] > 0 if deep else j == k)]
        feed: dict[tuple[str, str], dict[str, float]] = {}
        for row in facts.tables["feedstock"]:
            if row["feed"] == k:
                feed.setdefault((row["country"], row["product"]), {})[row["origin"]] = row["share"]
        everyone = {o for j in stages for o in facts.sources[j]} | {row["origin"] for row in facts.tables["feedstock"]}
        for s in sorted(everyone) if r["source_country"] == "*" else [r["source_country"]]:
            relied = Lin()
            for (o, j, node, period, v), amount in self.imports.items():
                if (period, v) != (t, w) or j not in stages or (area is not None and node != area):
                    continue
                if j == k:
                    share = float(o == s)
                else:
                    origins = feed.get((o, j), {})
                    share = facts.e[k, j] * (origins.get(s, 0.0) + (1 - sum(origins.values()) if o == s else 0.0))
                relied.plus(amount, share)
            for c, j in facts.users:
                if j in stages and facts.product[j]["dominant"] == s and (area is None or facts.node(c) == area):
                    relied.plus(self.moved(c, j, t, w), facts.e[k, j])
            self.lp.nonpositive(relied - self.use(k, t, w, area) * r["value"])

    def _n_minus_1(self, r: Row, t: int, w: str) -> None:
        facts = self.facts
        k = names(r["products"])[0]
        deep = bool(either(r["upstream"], True))
        length = float(either(r["outage_years"], self.settings.policy.outage_years))
        stages = [j for j in facts.products if (facts.e[j, k] > 0 if deep else j == k)]
        chain = next(c for c in facts.chains if k in c)
        lost: list[str] = []
        for code in names(r["outage"]):
            if code == "*":
                lost += [f.node for f in facts.plants.values() if any(f.made(j) or f.used(j) for j in chain)]
                lost += [o for j in chain for o in facts.sources[j]]
            else:
                lost.append(code)
        groups: dict[str, set[str]] = {}
        for row in facts.tables["groups"]:
            groups.setdefault(row["group"], set()).add(row["country"])
        for code in dict.fromkeys(lost):
            gone = groups.get(code, {code})
            stay = [
                f for f in facts.plants.values()
                if f.country not in gone and f.treasury not in gone and not (code not in facts.role and code not in groups and f.group == code)
            ]  # fmt: skip
            for j in stages:
                have = (self.gross(j, t, w, stay) + self._stock_before(j, t, w) * (1 / length)) * (1 / facts.e[j, k])
                for i in stages:
                    if facts.e[j, i] > 0:
                        left = sum(facts.avail[o, i, t, w] for o in self.permitted(i, t, w) if o not in gone)
                        have = have + left / facts.e[i, k]
                        if i != j:
                            have.plus(self._stock_before(i, t, w), 1 / (length * facts.e[i, k]))
                self.lp.nonpositive(self.use(k, t, w) * r["value"] - have)

    def held(self, k: str, t: int, w: str, area: str | None = None) -> Lin:
        """Stock at the end of a period, in one place or everywhere, t."""
        return total(level for (j, node, s, v), level in self.level.items() if (j, s, v) == (k, t, w) and area in (None, node))

    def _stock_before(self, k: str, t: int, w: str) -> Lin:
        return Lin(self.initial[k]) if t == 0 else self.held(k, t - 1, w)

    def _stock_days(self, r: Row, t: int, w: str) -> None:
        # with an area: the stock held there against the use there
        k, area = names(r["products"])[0], either(r["area"], None)
        self.lp.nonpositive(self.use(k, t, w, area) * (r["value"] / 365) - self.held(k, t, w, area))


# ---- all cases --------------------------------------------------------------------------------
@dataclass(frozen=True)
class BruteForce:
    """The cheapest of all cases; objective None: none is feasible."""

    objective: float | None
    path: Path
    starts: Starts
    terms: dict[str, float]
    cases: int
    feasible: int
    solves: int
    detail: dict[str, float]


class Study:
    """An instance, and what its cases share."""

    def __init__(self, instance: Any) -> None:
        self.facts = Facts(instance)
        self.ladders = Ladders(self.facts)
        self._markets: dict[tuple[tuple[tuple[str, int], str], ...], Market] = {}
        self._offers: dict[tuple[int, str, int | None], list[Offer]] = {}
        self._latest: dict[tuple[int, str], int | None] = {}
        free = self.market({})
        self.additional = {f.code: f.existing or all(free.merchant(f, t) is None for t in f.starts) for f in self.facts.plants.values()}
        """Plants that wouldn't be built at free trade; only these may be supported."""

    def market(self, path: Path) -> Market:
        key = tuple(sorted((k, v) for k, v in path.items() if v != FREE))
        if key not in self._markets:
            self._markets[key] = Market(self.facts, self.ladders, dict(key))
        return self._markets[key]

    @cached_property
    def may_go_without(self) -> set[tuple[str, int, str]]:
        """Where the planner may leave demand unmet: wherever the market might have to, on some path."""
        facts = self.facts
        found = set()
        for k, t, w in itertools.product(facts.products, facts.T, facts.W):
            feed = sum(f.capacity * facts.A_most(f, t, w) * f.used(k) for f in facts.plants.values())
            reach, use, reached = math.inf, 0.0, True
            for rung in self.ladders.offered(k, t):
                market = self.market({(k, facts.S[t]): rung})
                bands = Bands.work_out(market, k, t, w)
                reach, use = min(reach, bands.reach), max(use, market.demand(k, t, w))
                reached = reached and market.reached(k, t, w, bands)
            if not facts.normal[w] or less(reach, use + feed) or not reached:
                found.add((k, t, w))
        return found

    def offers(self, market: Market, f: Plant, start: int | None, behaviour: str) -> list[Offer]:
        key = (id(market), f.code, start)
        if key not in self._offers:
            self._offers[key] = market.offers(f, start, self.additional[f.code])
        return [o for o in self._offers[key] if o.plain] if behaviour == "baseline" else self._offers[key]

    def must_build(self, market: Market, f: Plant, start: int | None, behaviour: str) -> bool:
        """Whether the duty to build is broken by this start (None: not built)."""
        duty = behaviour == "baseline" or self.facts.settings.owners.entry == "duty"
        if not duty or f.existing:
            return False
        key = (id(market), f.code)
        if key not in self._latest:
            self._latest[key] = next((t for t in f.starts if market.merchant(f, t) is not None), None)
        latest = self._latest[key]
        return latest is not None and (start is None or start > latest)

    def patterns(self) -> Iterator[dict[str, int | None]]:
        candidates = [f for f in self.facts.plants.values() if not f.existing]
        for choice in itertools.product(*((None, *f.starts) for f in candidates)):
            yield {f.code: t for f, t in zip(candidates, choice, strict=True)}

    def cases(self, behaviour: str, paths: Iterable[Path] | None = None) -> Iterator[tuple[Path, dict[str, int | None]]]:
        if paths is None:
            paths = self.ladders.paths() if behaviour == "market" else [{}]
        for path in paths:
            for pattern in self.patterns():
                yield path, pattern

    def solve(self, behaviour: str, path: Path, pattern: Mapping[str, int | None], cutoff: float = math.inf) -> CaseResult:
        market = None if behaviour == "planner" else self.market(path)
        return Case(self, market, pattern, behaviour).solve(cutoff)


def solve_by_enumeration(instance: Any, behaviour: str = "market", paths: Iterable[Path] | None = None) -> BruteForce:
    """The best of every price path (or of the paths given) and every pattern of starts.

    `behaviour` is market, planner or baseline. `objective` is in USD, or None where no case is feasible.
    """
    study = Study(instance)
    best: tuple[float, Path, dict[str, int | None], CaseResult] | None = None
    cases = feasible = solves = 0
    for path, pattern in study.cases(behaviour, paths):
        cases += 1
        result = study.solve(behaviour, path, pattern)
        solves += result.solves
        if result.objective is not None:
            feasible += 1
            if best is None or result.objective < best[0]:
                best = (result.objective, path, pattern, result)
    if best is None:
        return BruteForce(None, {}, {}, {}, cases, feasible, solves, {})
    objective, path, pattern, result = best
    starts = {f: None if t is None else study.facts.S[t] for f, t in pattern.items()}
    return BruteForce(objective, path, starts, result.terms, cases, feasible, solves, result.detail)


def solve_case(instance: Any, path: Path, starts: Starts, behaviour: str = "market") -> CaseResult:
    """One path and one pattern of starts (years), with named cost terms: helps to find where two answers part."""
    study = Study(instance)
    pattern = {f: None if year is None else study.facts.S.index(year) for f, year in starts.items()}
    return study.solve(behaviour, path, pattern)
