"""What the brute force works out once a price path is set: prices, demand, permissions, what owners could sign.

Part of the independent check of tests/brute_force.py; shares no code with the model. Units: t, USD, year.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from brute_facts import FREE, Facts, Plant, Row, annuity, either, given, less, names

Path = dict[tuple[str, int], str]
"""(product, first year of the period) -> rung; products not named are at free trade."""


@dataclass(frozen=True)
class Rung:
    """What a rung does to one product in one period and scenario."""

    price: float
    paid: dict[str, float]
    """Sources in the money -> what the alliance pays per tonne."""
    levy: dict[str, float]
    """Sources in the money -> levy per tonne, before the part that leaks."""


@dataclass
class Offer:
    """What one owner could sign with one payer: a polytope in (weight, contracted t/a, grant)."""

    contract: Row | None
    payer: str | None
    least: float = 0.0
    most: float = 0.0
    grant: float = 0.0
    free_of_tests: bool = False
    plain: bool = False
    output: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    """(t, w) -> output per weight, per contracted tonne."""
    pay: dict[tuple[int, str], float] = field(default_factory=dict)
    """(t, w) -> payment per contracted tonne."""
    npv: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """At the hurdle rate: per weight, per contracted tonne, per USD of grant."""
    social: tuple[float, float, float] = (0.0, 0.0, 0.0)
    bank: dict[tuple[int, str], tuple[float, float, float]] = field(default_factory=dict)
    """Tested (t, w) -> surplus over debt service: per weight, per contracted tonne, per USD of grant."""
    bought: dict[int, float] = field(default_factory=dict)
    """t -> tonnes that go to the stockpile per contracted tonne."""


class Ladders:
    """Rungs by product and period, cached over paths."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.rows: dict[tuple[str, str], Row] = {(r["product"], r["rung"]): r for r in facts.tables["ladder"]}
        self._memo: dict[tuple[str, int, str, str], Rung] = {}

    def step(self, k: str, rung: str) -> int:
        return 0 if rung == FREE else int(self.rows[k, rung]["step"])

    def offered(self, k: str, t: int) -> list[str]:
        found = [FREE]
        for (product, rung), row in self.rows.items():
            if product == k and self.facts.covers(row, t):
                ref = self.facts.ref
                pi = self.facts.pi[k, t, ref]
                if given(row["legal_limit"]) and less(row["legal_limit"] * pi, self.rung(k, t, ref, rung).price - pi):
                    continue
                found.append(rung)
        return found

    def rung(self, k: str, t: int, w: str, name: str) -> Rung:
        key = (k, t, w, name)
        if key not in self._memo:
            self._memo[key] = self._work_out(k, t, w, name)
        return self._memo[key]

    def _work_out(self, k: str, t: int, w: str, name: str) -> Rung:
        facts, pi = self.facts, self.facts.pi[k, t, w]
        sources = facts.sources[k]
        cost = {o: facts.cost[o, k, t] for o in sources}
        if name == FREE or facts.repealed(t, w):
            return Rung(pi, {o: pi for o in sources if cost[o] <= pi}, {})
        row = self.rows[k, name]
        kind = row["kind"]
        if kind in ("standard", "minimum"):
            high = pi * (1 + row["rate"]) if kind == "standard" else max(pi, row["price"])
            inside = [o for o in sources if cost[o] <= high and (kind == "minimum" or facts.compliant[o, k])]
            return Rung(high, dict.fromkeys(inside, high), {})
        origins = names(row["origins"])
        dutiable = [o for o in sources if o in (origins or sources) and o not in names(row["exempt"])]
        high = max(pi, row["price"]) if kind == "reference" else pi * (1 + row["rate"])
        if kind == "tariff" and origins and not self._bites(k, t, w, dutiable):
            return Rung(pi, {o: pi for o in sources if o not in dutiable and cost[o] <= pi}, {})
        kept = facts.settings.economics.levy_capture
        paid, levy = {}, {}
        for o in sources:
            if o in dutiable and cost[o] <= pi:
                paid[o], levy[o] = pi + (1 - kept) * (high - pi), high - pi
            elif o not in dutiable and cost[o] <= high:
                paid[o] = high
        return Rung(high, paid, levy)

    def _bites(self, k: str, t: int, w: str, taxed: list[str]) -> bool:
        """Whether the untaxed can't cover what demand and running users take beyond the zone's own output."""
        facts = self.facts
        untaxed = sum(facts.avail[o, k, t, w] for o in facts.sources[k] if o not in taxed and facts.cost[o, k, t] <= facts.pi[k, t, w])
        wanted = facts.demand0(k, t, w)
        for f in facts.plants.values():
            if f.existing and facts.mu_free[f.code, t, w] >= 0:
                wanted += (f.used(k) - f.made(k)) * f.capacity * facts.A(f, None, t, w)
        return less(untaxed, wanted)

    # ---- paths --------------------------------------------------------------------------------
    def paths(self) -> Iterator[Path]:
        """Every path: the product over chains of the paths of each."""
        per_chain = []
        for chain in self.facts.chains:
            found: dict[tuple[tuple[tuple[str, int], str], ...], None] = {}
            for combination in itertools.product(*(list(self._climbs(k)) for k in chain)):
                path = {(k, self.facts.S[t]): rungs[t] for k, rungs in zip(chain, combination, strict=True) for t in self.facts.T}
                found[tuple(sorted(path.items()))] = None
            for path in self._own(chain):
                found[tuple(sorted(path.items()))] = None
            per_chain.append(list(found))
        for parts in itertools.product(*per_chain):
            yield dict(itertools.chain.from_iterable(parts))

    def _climbs(self, k: str) -> Iterator[tuple[str, ...]]:
        facts, policy = self.facts, self.facts.settings.policy
        for rungs in itertools.product(*(self.offered(k, t) for t in facts.T)):
            for t in list(facts.T)[1:]:
                if policy.max_step and abs(self.step(k, rungs[t]) - self.step(k, rungs[t - 1])) > policy.max_step:
                    break
                if policy.revision_years and rungs[t] != rungs[t - 1] and facts.S[t] not in policy.revision_years:
                    break
            else:
                yield rungs

    # the user's own paths are taken as given: no steps, dates, years or legal limits are asked of them
    def _own(self, chain: list[str]) -> Iterator[Path]:
        rows = self.facts.tables["price_paths"]
        for label in dict.fromkeys(r["path"] for r in rows):
            path: Path = {}
            for k in chain:
                mine = sorted((int(r["year"]), r["rung"]) for r in rows if r["path"] == label and r["product"] == k)
                for t in self.facts.T:
                    so_far = [rung for year, rung in mine if year <= self.facts.S[t]]
                    path[k, self.facts.S[t]] = so_far[-1] if so_far else FREE
            yield path


class Market:
    """Prices, margins, permissions and offers on one price path."""

    def __init__(self, facts: Facts, ladders: Ladders, path: Path) -> None:
        self.facts, self.path, self.settings = facts, path, facts.settings
        self.TW = [(t, w) for t in facts.T for w in facts.p]
        self.rung: dict[tuple[str, int, str], Rung] = {
            (k, t, w): ladders.rung(k, t, w, path.get((k, facts.S[t]), FREE)) for k in facts.products for t, w in self.TW
        }
        self.P = {key: rung.price for key, rung in self.rung.items()}
        self.mu: dict[tuple[str, int, str], float] = {}
        for f in facts.plants.values():
            for t, w in self.TW:
                self.mu[f.code, t, w] = facts.margin(f, t, {k: self.P[k, t, w] for k in f.amounts})
        self.D: dict[tuple[str, str, int, str], float] = {}
        self.V: dict[tuple[str, str, int, str], float] = {}
        for c, k in facts.users:
            for t, w in self.TW:
                key = (c, k, t, w)
                self.D[key], self.V[key] = response(facts, k, facts.D0[key], facts.pi[k, t, w], self.P[k, t, w])
        self._permissions()

    def demand(self, k: str, t: int, w: str) -> float:
        return sum(self.D[c, k, t, w] for c, j in self.facts.users if j == k)

    def _permissions(self) -> None:
        facts = self.facts
        inputs = {k for f in facts.plants.values() for k in facts.products if f.used(k) > 0}
        self.short: set[tuple[str, int, str]] = set()
        self.may_go_without: set[tuple[str, int, str]] = set()
        self.bands: dict[tuple[str, int, str], Bands] = {}
        for k in facts.products:
            for t, w in self.TW:
                sources = list(self.rung[k, t, w].paid)
                supply = sum(facts.avail[o, k, t, w] for o in sources)
                made, used = 0.0, self.demand(k, t, w)
                for f in facts.plants.values():
                    if f.existing:
                        if self.mu[f.code, t, w] >= 0:
                            made += f.made(k) * f.capacity * facts.A(f, None, t, w)
                            used += f.used(k) * f.capacity * facts.A(f, None, t, w)
                    else:
                        used += f.used(k) * f.capacity * facts.A_most(f, t, w)
                if k in inputs and less(supply + made, used):
                    self.short.add((k, t, w))
                band = Bands.work_out(self, k, t, w)
                if facts.normal[w] and len(sources) >= 2:
                    self.bands[k, t, w] = band
                if not facts.normal[w] or less(band.reach + made, used) or not self.reached(k, t, w, band):
                    self.may_go_without.add((k, t, w))

    def reached(self, k: str, t: int, w: str, band: Bands) -> bool:
        """Routed products: whether every user has an uncapacitated route from the source that takes up the rest."""
        facts = self.facts
        if facts.pooled(k):
            return True
        users = {facts.node(c) for c, j in facts.users if j == k and self.D[c, k, t, w] > 0}
        for node in users:
            number = facts.routes[k].get((band.residual, node)) if band.residual is not None else None
            if number is None or given(facts.tables["freight"][number]["capacity"]):
                return False
        return True

    # ---- owners -------------------------------------------------------------------------------
    def support(self, f: Plant, contract: Row, mu: float, price: float) -> float:
        """Payment per contracted tonne at a margin and a price; negative: the owner pays."""
        s = float(either(contract["premium"], 0.0))
        strike, ceiling = contract["strike"], either(contract["ceiling"], contract["strike"])
        if given(strike):
            s += max(0.0, strike - price)
        if given(ceiling):
            s -= either(contract["upside_share"], 0.0) * max(0.0, price - ceiling)
        s = max(s, -max(mu, 0.0))
        if given(contract["yearly_cap"]):
            volume = either(contract["reference_volume"], contract["max_share"] * f.capacity)
            s = max(s, -contract["yearly_cap"] / volume)
        return s

    def offer(self, f: Plant, start: int | None, contract: Row | None, payer: str | None) -> Offer:
        """Coefficients of what an owner could sign (its bounds are set by `offers`)."""
        facts, owners = self.facts, self.settings.owners
        social = self.settings.economics.social_rate
        theta, cap = owners.repeal_weight, f.capacity
        ds = owners.cover * owners.debt_share * annuity(owners.debt_rate, owners.debt_tenor)
        window = either(contract["window"], math.inf) if contract else 0.0
        stockpiled = bool(contract and given(contract["stockpiled"]) and contract["stockpiled"])
        offer = Offer(contract, payer)
        npv = {rate: [0.0, 0.0, 0.0] for rate in (f.hurdle, social)}
        for t, w in self.TW:
            mu, mu_free = self.mu[f.code, t, w], facts.mu_free[f.code, t, w]
            A, B = facts.A(f, start, t, w), facts.B(f, start, t, w)
            run = float(mu >= 0)
            m, m_free = A * max(mu, 0.0), A * max(mu_free, 0.0)
            ad = ad_free = extra = 0.0
            if contract:
                AT = facts.A(f, start, t, w, window)
                s = self.support(f, contract, mu, self.P[f.main, t, w])
                rc = float(mu + s >= 0)
                ad = AT * (max(mu + s, 0.0) - max(mu, 0.0))
                s_free = self.support(f, contract, mu_free, facts.pi[f.main, t, w])
                ad_free = AT * (max(mu_free + s_free, 0.0) - max(mu_free, 0.0))
                extra = AT * (rc - run)
                offer.pay[t, w] = AT * s * rc
                if stockpiled and w == facts.ref:
                    offer.bought[t] = AT * rc
            offer.output[t, w] = (A * cap * run, extra)
            for rate, sums in npv.items():
                weight = facts.discount(t, rate) * facts.p[w]
                sums[0] += weight * cap * m
                sums[1] += weight * ad
                if not f.existing:
                    share = weight * annuity(rate, f.lifetime) * B
                    sums[0] -= share * f.capex
                    sums[2] += share
            tested = not f.existing and owners.cover > 0 and facts.downside[w] and w in facts.W and B > 0
            if tested:
                s0, _ = facts.life(f, start, w)
                if max(facts.S[t], s0) >= s0 + f.ramp:
                    base = cap * ((1 - theta) * m + theta * m_free) - ds * B * f.capex
                    offer.bank[t, w] = (base, (1 - theta) * ad + theta * ad_free, ds * B)
        offer.npv = tuple(npv[f.hurdle])  # type: ignore[assignment]
        offer.social = tuple(npv[social])  # type: ignore[assignment]
        return offer

    def merchant(self, f: Plant, start: int | None) -> Offer | None:
        """The plain merchant offer, where its owner would take it."""
        offer = self.offer(f, start, None, None)
        offer.plain = offer.free_of_tests = True
        if f.existing or (offer.npv[0] >= 0 and all(base >= 0 for base, _, _ in offer.bank.values())):
            return offer
        return None

    def offers(self, f: Plant, start: int | None, additional: bool) -> list[Offer]:
        """Everything the owner could sign if it starts then."""
        plain = self.merchant(f, start)
        found = [plain] if plain else []
        if not additional:
            return found
        refuses = {(r["member"], r["instrument"]) for r in self.facts.tables["refusals"]}
        for payer in [f.treasury] if f.treasury is not None else self.facts.members:
            grant = 0.0 if f.existing or (payer, "grant") in refuses else grant_limit(self.facts, f)
            if grant > 0:
                offer = self.offer(f, start, None, payer)
                offer.grant = grant
                found.append(offer)
            for contract in self.facts.tables["contracts"]:
                if not applies(f, contract) or (payer, contract["instrument"]) in refuses:
                    continue
                offer = self.offer(f, start, contract, payer)
                offer.least, offer.most = contract["min_share"] * f.capacity, contract["max_share"] * f.capacity
                offer.grant = grant
                if offer.npv[1] < 0 or (offer.bought and not self._site(f.main, payer)):
                    continue
                if f.existing:
                    changes = any(extra != 0 for (t, w), (_, extra) in offer.output.items() if w in self.facts.W)
                    if not (given(contract["existing"]) and contract["existing"]) or not changes:
                        continue
                    offer.free_of_tests = True
                found.append(offer)
        return found

    def _site(self, k: str, payer: str | None) -> bool:
        """Whether there is a stockpile that a contract can fill: the zone's, or the payer's own where goods are routed."""
        sites = {r["country"] for r in self.facts.tables["stockpiles"] if r["product"] == k}
        return bool(sites) if self.facts.pooled(k) else payer in sites


def response(facts: Facts, k: str, want: float, world: float, price: float) -> tuple[float, float]:
    """Final demand at a price, and the value of the use forgone."""
    elasticity = float(either(facts.product[k]["elasticity"], 0.0))
    q = 1.0 if world == 0 else float((price / world) ** -elasticity)
    if elasticity == 0:
        v = 0.0
    elif elasticity == 1:
        v = -math.log(q)
    else:
        v = (1 - q ** (1 - 1 / elasticity)) / (1 - 1 / elasticity)
    return want * q, want * world * v


def applies(f: Plant, contract: Row) -> bool:
    products, places = names(contract["products"]), names(contract["countries"]) or ("*",)
    return (f.main in products or "*" in products) and bool({f.country, f.treasury, "*"} & set(places))


def grant_limit(facts: Facts, f: Plant) -> float:
    """Largest grant, USD."""
    rows = {r["country"]: r for r in facts.tables["aid_limits"]}
    for place in (f.country, f.treasury):
        if place in rows:
            return float(min(rows[place]["grant_share"] * f.capex, either(rows[place]["grant_max"], math.inf)))
    return float(facts.settings.owners.grant_cap * f.capex)


@dataclass(frozen=True)
class Bands:
    """How the sources in the money share a market: limits on shares of all imports."""

    residual: str | None
    lower: dict[str, float]
    upper: dict[str, float]
    reach: float
    """The most that can be imported within the upper limits, t/a."""

    @staticmethod
    def work_out(market: Market, k: str, t: int, w: str) -> Bands:
        facts, band = market.facts, market.settings.trade.band
        sources = list(market.rung[k, t, w].paid)
        avail = {o: facts.avail[o, k, t, w] for o in sources}
        everything = sum(avail.values())
        if len(sources) < 2:
            return Bands(sources[0] if sources else None, {}, {}, everything)
        raw = base_shares(facts, k)
        inside = sum(raw[o] for o in sources)
        sigma = {o: raw[o] / inside if inside > 0 else 1 / len(sources) for o in sources}
        dominant = facts.product[k]["dominant"]
        # a dominant country that sells none of this product counts as no dominant source at all
        shut_out = given(dominant) and dominant in facts.sources[k] and dominant not in sources
        residual = dominant if dominant in sources else max(sources, key=lambda o: sigma[o])
        others = [o for o in sources if o != residual]
        wanted = market.demand(k, t, w) + sum(f.capacity * f.used(k) for f in facts.plants.values())
        R = min(everything, wanted)
        lower = {}
        for o in others:
            cut = less(avail[o], facts.avail[o, k, t, facts.ref])
            if sigma[o] > band and not cut and not less(avail[o], (sigma[o] - band) * R):
                lower[o] = sigma[o] - band
        rest = 1 - sum(sigma[o] + band for o in others)
        loose = shut_out or less(avail[residual], facts.avail[residual, k, t, facts.ref]) or less(avail[residual], rest * R)
        if loose:
            return Bands(residual, lower, {}, everything)
        upper = {o: sigma[o] + band for o in others}
        return Bands(residual, lower, upper, most_within(avail, upper))


def base_shares(facts: Facts, k: str) -> dict[str, float]:
    """Shares of the zone's imports in the base year; sources that give none split the rest by what they can supply."""
    told = {o: float(facts.share[o, k]) for o in facts.sources[k] if given(facts.share[o, k])}
    silent = {o: facts.avail[o, k, 0, facts.ref] for o in facts.sources[k] if o not in told}
    rest, supply = max(0.0, 1 - sum(told.values())), sum(silent.values())
    return told | {o: rest * a / supply if supply > 0 else 0.0 for o, a in silent.items()}


def most_within(avail: Mapping[str, float], upper: Mapping[str, float]) -> float:
    """The largest I with: sum over banded of min(avail, upper * I) + the others' avail >= I."""
    loose = sum(a for o, a in avail.items() if o not in upper)

    def reach(imports: float) -> float:
        return loose + sum(min(avail[o], upper[o] * imports) for o in upper) - imports

    # piecewise linear and concave: walk down the kinks until one is within reach, then go up the piece above it
    kinks = sorted({avail[o] / upper[o] for o in upper if upper[o] > 0} | {0.0}, reverse=True)
    for kink in kinks:
        if reach(kink) >= 0:
            slope = sum(upper[o] for o in upper if upper[o] > 0 and avail[o] / upper[o] > kink) - 1
            return kink + reach(kink) / -slope
    return 0.0
