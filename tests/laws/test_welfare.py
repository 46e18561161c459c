"""The alliance's cost counted twice: what resources it uses up, and who gains or loses how much.

The objective adds resource costs and leaves out every payment inside the perimeter. Here each party has an account instead:

    users        use forgone + shortage + P (D − short)
    plants       Σ a P x − operation − capital + support + grants − what exports and dumped tonnes fall short of P
    treasuries   ρ · levies − support − grants − (P − resale π) glut − P purchases + π release
    dealers      (P − π) release                             stock is sold at π and used at P
    carriers, store-keepers, foreign owners                  are paid in full
    wedge        (P − π) on goods sold to partners           who pay the world price

Payments inside the perimeter cancel because goods balance at every place; so the two sums agree only if balances hold, prices are
those of the path and no part of the objective counts a transfer. Accounts are drawn up from amounts and the chosen path alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path as Folder

import pytest

from model_solves import Plan, optimum
from orepact.formulation.case import MEMBERS, PARTNERS
from orepact.instance.reader import read
from orepact.market.horizon import recovery_factor
from random_instances import random_instance
from tiny_instances import Tables, countries, demand_rows, plant, project, rung, sellers, tiny

DATA = Folder(__file__).parent.parent / "data"
Spot = tuple[int, int, int, int]


class Accounts:
    """Who pays and gets what under a plan, expected and discounted; scaled money until read."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.case, self.world = plan, plan.built.case, plan.world
        self.model = plan.built.model
        self.economics = self.world.settings.economics
        self.accounts: dict[str, float] = defaultdict(float)
        self.outlay: dict[tuple[int, int, int], float] = defaultdict(float)
        """Spending less revenue per member, period and scenario."""
        self.rung = {k: [0] * len(self.case.periods) for k in range(len(self.world.products))}
        for (c, j), y in self.model.choice.y.items():
            if plan.value(y) > 0.5:
                self.rung.update({k: list(self.case.chain_paths[c][j].rungs[k]) for k in self.case.chains[c]})
        self._users()
        self._plants()
        self._imports()
        self._trade()
        self._surplus()
        self._stocks()
        self._support()
        self._public_money()

    @property
    def cost(self) -> float:
        """USD: what all accounts lose together."""
        return -sum(self.accounts.values()) * self.world.money_unit

    def add(self, account: str, t: int, w: int, money: float) -> None:
        self.accounts[account] += self.case.weight[w] * float(self.world.discount[t]) * money

    def price(self, k: int, t: int, w: int) -> float:
        return float(self.case.market.ladders[k].price[self.rung[k][t], t, w])

    def world_price(self, k: int, t: int, w: int) -> float:
        return float(self.world.price[k, t, w])

    # ---- parties ------------------------------------------------------------------------------
    def _users(self) -> None:
        for k in range(len(self.world.products)):
            for p in self.case.places[k]:
                for t in self.case.periods:
                    for w in self.case.scenarios:
                        self._use(k, p, t, w)

    def _use(self, k: int, p: int, t: int, w: int) -> None:
        world, price, pi = self.world, self.price(k, t, w), self.world_price(k, t, w)
        nodes = {MEMBERS: range(world.members), PARTNERS: range(world.members, len(world.nodes))}.get(p, range(p, p + 1))
        short, loss = 0.0, 0.0
        for b, (_, multiple, multiple_long) in enumerate(world.shortage_blocks[k]):
            if (k, p, t, w, b) in self.model.demand.short:
                amount = self.plan.value(self.model.demand.short[k, p, t, w, b])
                long = world.longest_cut[k, w] >= world.longer_after[k]
                short += amount
                loss += amount * (multiple_long if long else multiple) * self.world_price(k, t, world.reference)
        self.add("users", t, w, -loss)
        if not self.case.counted(p):
            return
        base = sum(float(world.demand[i, k, t, w]) for i in nodes)
        kept, forgone = response(price, pi, float(world.elasticity[k]))
        self.add("users", t, w, -base * forgone * pi - price * (base * kept - short))
        if not world.routed[k]:
            self.add("carriers", t, w, -sum(float(world.demand[i, k, t, w] * world.hub_in[i, k]) for i in nodes) * kept)

    def _plants(self) -> None:
        world, case = self.world, self.case
        for (f, t, w), column in self.model.activity.x.items():
            node = world.node_of(world.plants[f].country)
            if case.counted(node):
                x, plant = self.plan.value(column), world.plants[f]
                sales = sum(float(world.flow[f, k]) * self.price(k, t, w) for k in range(len(world.products)))
                self.add("plants", t, w, (sales + plant.premium - float(plant.opex[t])) * x)
                for k in range(len(world.products)):
                    if not world.routed[k]:
                        a = float(world.flow[f, k])
                        self.add("carriers", t, w, -(max(a, 0.0) * world.hub_out[node, k] + max(-a, 0.0) * world.hub_in[node, k]) * x)
        for (f, tau), u in self.model.owners.u.items():
            plant = world.plants[f]
            if case.counted(world.node_of(plant.country)):
                yearly = recovery_factor(self.economics.social_rate, plant.life) * plant.capex * self.plan.value(u)
                for t in case.periods:
                    for w in case.scenarios:
                        self.add("plants", t, w, -yearly * float(world.alive[f, tau, t, w]))
        for coef, column in self.plan.built.ledger.lumps.values():
            self.accounts["foreign owners"] -= float(coef @ self.plan.values[column])

    def _imports(self) -> None:
        world, case = self.world, self.case
        for (o, p, t, w), column in self.model.imports.amount.items():
            if not case.counted(p):
                continue
            k, amount = world.sources[o].product, self.plan.value(column)
            ladder, rung = case.market.ladders[k], self.rung[k][t]
            dutiable = bool(ladder.dutiable[rung, ladder.sources.index(o)])
            duty = self.economics.levy_capture * (self.price(k, t, w) - self.world_price(k, t, w)) * amount if dutiable else 0.0
            self.add("treasuries", t, w, duty)
            if case.is_member(p):
                for m, share in self._shares(-1 if self.economics.levy_pooled else p):
                    self.outlay[m, t, w] -= duty * share
            # who imports pays the seller and the duty, and sells at P: nothing is left to it
            if world.routed[k]:
                source = world.sources[o].country
                freight = next(r.cost for r in world.routes if r.product == k and r.source == source and r.destination == p)
            else:
                freight = world.hub_source[world.sources[o].country, k]
            self.add("carriers", t, w, -freight * amount)

    def _shares(self, p: int) -> list[tuple[int, float]]:
        """Members who carry what is spent or earned at a place."""
        return [(p, 1.0)] if 0 <= p < self.world.members else [(m, float(b)) for m, b in enumerate(self.world.burden)]

    def _trade(self) -> None:
        world, case = self.world, self.case
        for (r, t, w), column in self.model.trade.flow.items():
            route = world.routes[r]
            self._move(route.product, route.origin, route.destination, t, w, self.plan.value(column), route.cost)
        for (k, way, t, w), column in self.model.trade.swap.items():
            makers = sorted(
                {i for i in range(world.members, len(world.nodes)) for f in range(len(world.plants)) if world.flow[f, k] > 0 and case.plant_place[f] == i}
            )
            mean = sum(float(world.hub_out[i, k]) for i in makers) / len(makers) if makers else 0.0
            ends = (PARTNERS, MEMBERS) if way == "in" else (MEMBERS, PARTNERS)
            freight = mean if way == "in" and not case.zone_perimeter else 0.0
            self._move(k, *ends, t, w, self.plan.value(column), freight)

    def _move(self, k: int, origin: int, destination: int, t: int, w: int, amount: float, freight: float) -> None:
        case = self.case
        if case.counted(origin) or case.counted(destination):
            self.add("carriers", t, w, -freight * amount)
        if case.counted(origin) and not case.counted(destination):
            self.add("wedge", t, w, -(self.price(k, t, w) - self.world_price(k, t, w)) * amount)

    def _surplus(self) -> None:
        surplus, resale = self.model.surplus, self.economics.resale
        for variable, share in ((surplus.export, 1 - self.economics.export_discount), (surplus.overflow, resale)):
            for (k, p, t, w), column in variable.items():
                if self.case.counted(p):
                    self.add("plants", t, w, (share * self.world_price(k, t, w) - self.price(k, t, w)) * self.plan.value(column))
        for (k, p, t, w, _), column in surplus.glut.items():
            loss = (self.price(k, t, w) - resale * self.world_price(k, t, w)) * self.plan.value(column)
            self._spend(p, t, w, loss)

    def _spend(self, p: int, t: int, w: int, money: float) -> None:
        """Members spend for something at a place."""
        self.add("treasuries", t, w, -money)
        for m, share in self._shares(p):
            self.outlay[m, t, w] += share * money

    def _stocks(self) -> None:
        stock, world = self.model.stockpile, self.world
        for (s, t, _), column in stock.buy.items():
            for w in self.case.scenarios:
                self._spend(world.stock_sites[s].node, t, w, self.price(world.stock_sites[s].product, t, w) * self.plan.value(column))
        for (s, t, w), column in stock.release.items():
            k, amount = world.stock_sites[s].product, self.plan.value(column)
            self._spend(world.stock_sites[s].node, t, w, -self.world_price(k, t, w) * amount)
            self.add("dealers", t, w, (self.price(k, t, w) - self.world_price(k, t, w)) * amount)
        for (s, t, w), column in stock.level.items():
            k, level = world.stock_sites[s].product, self.plan.value(column)
            self.add("store-keepers", t, w, -float(world.holding[k]) * self.world_price(k, t, w) * level)
            if t == len(self.case.periods) - 1:
                self.add("what is left", t, w, self.economics.resale * self.world_price(k, t, w) * level / float(world.horizon.length[t]))

    def _support(self) -> None:
        owners, world = self.model.owners, self.world
        for d, x in enumerate(self.case.deals):
            inside = self.case.counted(self.case.plant_place[x.facility])
            h = self.plan.value(owners.volume[d]) if d in owners.volume else 0.0
            g = self.plan.value(owners.grant[d]) if d in owners.grant else 0.0
            yearly = recovery_factor(self.economics.social_rate, world.plants[x.facility].life) * g
            for t in self.case.periods:
                for w in self.case.scenarios:
                    pay = float(x.deal.pay[t, w]) * h
                    grant = yearly * float(world.alive[x.facility, x.deal.start, t, w]) if g else 0.0
                    self.add("treasuries", t, w, -pay - grant)
                    self.add("cost of public money", t, w, -self.economics.public_money_premium * grant)
                    if x.payer >= 0:
                        self.outlay[x.payer, t, w] += pay
                    if inside:
                        self.add("plants", t, w, pay + grant)

    def _public_money(self) -> None:
        for (_, t, w), outlay in self.outlay.items():
            self.add("cost of public money", t, w, -self.economics.public_money_premium * max(0.0, outlay))


def response(price: float, world_price: float, elasticity: float) -> tuple[float, float]:
    """Demand kept and the worth of what is given up, as a share of the world price: the area under the demand curve."""
    if elasticity == 0 or world_price == 0:
        return 1.0, 0.0
    kept = (price / world_price) ** -elasticity
    if elasticity == 1:
        return kept, -math.log(kept)
    return kept, (1 - kept ** (1 - 1 / elasticity)) / (1 - 1 / elasticity)


def check(plan: Plan) -> set[str]:
    """Both counts agree for a plan; the accounts that something went through."""
    both = Accounts(plan)
    total = sum(plan.terms.values())
    size = sum(abs(usd) for usd in plan.terms.values())
    assert both.cost == pytest.approx(total, rel=1e-6, abs=1e-6 * size)
    if plan.world.settings.economics.cvar_weight == 0:
        assert total == pytest.approx(plan.objective, rel=1e-9, abs=1e-9 * size)
    return {name for name, money in both.accounts.items() if abs(money) > 1e-9}


@pytest.mark.parametrize("perimeter", ["members", "zone"])
@pytest.mark.parametrize("name", ["border", "smelter", "routes", "stock"])
def test_both_counts_agree_on_tiny_instances(name: str, perimeter: str) -> None:
    plan = optimum(read(DATA / name).with_setting("economics.perimeter", perimeter))
    assert plan is not None
    check(plan)


@pytest.mark.parametrize("seed", range(12))
def test_both_counts_agree_on_random_instances(seed: int) -> None:
    plan = optimum(random_instance(seed))
    if plan is not None:
        check(plan)


WHO = countries(USA="member", EU="member", AUS="partner", CHN="outside")
FLOOR = [rung("floor", "reference", 110.0)]
BAN: Tables = {
    "scenarios": [{"scenario": "s", "probability": 0.75}, {"scenario": "ban", "probability": 0.25}],
    "shocks": [{"scenario": "ban", "kind": "supply", "value": 0.5, "first_year": 2028}],
    "shortage_costs": [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 3.0}],
}
FREIGHT = [{"product": "M", "origin": a, "destination": b, "cost": x} for a, b, x in (("AUS", "ZONE", 4.0), ("ZONE", "EU", 2.0), ("USA", "ZONE", 1.0))]


TRADE: dict[str, tuple[Tables, set[str], set[str]]] = {
    # name: tables, cost terms and accounts that something goes through
    "members sell to partners": (
        {"facilities": [plant(capacity=2000.0)], "demand": demand_rows(USA=500.0, AUS=900.0)}, {"sales to partners", "surplus", "public money"}, {"wedge", "treasuries"},
    ),
    "partners sell to members": (
        {"facilities": [plant(country="AUS", capacity=2500.0), plant(facility="home", foreign_share=0.5)], "demand": demand_rows(USA=1500.0, EU=300.0)},
        {"partner goods", "surplus"}, {"treasuries"},
    ),
    "a partner's project is helped": (
        {
            "facilities": [project(country="AUS", capacity=1000.0, opex=112.0, latest_start=2026)], "demand": demand_rows(USA=1500.0, EU=300.0),
            "contracts": [{"contract": "c", "products": "M", "strike": 122.0, "max_share": 0.9}],
            "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.45}],
        },
        {"partner goods", "payments to partners", "grants", "imports"}, {"treasuries", "cost of public money"},
    ),
    "a stock is released at a floor": (
        {**BAN, "stockpiles": [{"product": "M", "initial": 200.0, "max_purchase": 100.0}], "outside_supply": sellers(CHN=1300.0)},
        {"shortage", "stock holding", "stock left"}, {"dealers", "store-keepers"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("perimeter", ["members", "zone"])
@pytest.mark.parametrize("pooled", [True, False], ids=["own levies", "shared levies"])
@pytest.mark.parametrize("name", TRADE)
def test_both_counts_agree_where_a_floor_lifts_the_price(name: str, pooled: bool, perimeter: str) -> None:
    tables, terms, accounts = TRADE[name]
    economics = {"public_money_premium": 0.3, "levy_capture": 0.8, "social_rate": 0.03, "levy_pooled": pooled, "perimeter": perimeter}
    instance = tiny(
        {"countries": WHO, "ladder": FLOOR, "freight": FREIGHT, **tables},
        years=(2, 2), product={"elasticity": 0.5}, economics=economics, owners={"grant_cap": 0.3, "rent_cap": 5.0},
    )  # fmt: skip
    plan = optimum(instance, [{"M": "floor"}])
    assert plan is not None
    tried = check(plan)
    if perimeter == "members":
        assert set(plan.terms) >= terms
        assert tried >= accounts
