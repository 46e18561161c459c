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
from orepact.formulation.case import MEMBERS, PARTNERS, Case
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from orepact.market.horizon import recovery_factor
from random_instances import random_instance

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
        for terms in self.plan.built.ledger.lumps.values():
            self.accounts["foreign owners"] -= self.plan.sum(terms)

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
                for m, share in self._owners_of(p, pooled=self.economics.levy_pooled):
                    self.outlay[m, t, w] -= duty * share
            # who imports pays the seller and the duty, and sells at P: nothing is left
            self.add("sellers abroad", t, w, 0.0)
            if world.routed[k]:
                source = world.sources[o].country
                freight = next(r.cost for r in world.routes if r.product == k and r.source == source and r.destination == p)
            else:
                freight = world.hub_source[world.sources[o].country, k]
            self.add("carriers", t, w, -freight * amount)

    def _owners_of(self, p: int, pooled: bool = False) -> list[tuple[int, float]]:
        return [(p, 1.0)] if p >= 0 and not pooled else [(m, float(b)) for m, b in enumerate(self.world.burden)]

    def _trade(self) -> None:
        world, case = self.world, self.case
        for (r, t, w), column in self.model.trade.flow.items():
            route = world.routes[r]
            self._move(route.product, route.origin, route.destination, t, w, self.plan.value(column), route.cost)
        for (k, way, t, w), column in self.model.trade.swap.items():
            makers = sorted({i for i in range(world.members, len(world.nodes)) for f in range(len(world.plants)) if world.flow[f, k] > 0 and case.plant_place[f] == i})
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
        owners = [(p, 1.0)] if 0 <= p < self.world.members else [(m, float(b)) for m, b in enumerate(self.world.burden)]
        for m, share in owners:
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


def check(instance: Instance, **more: object) -> set[str]:
    """Both counts agree for the cheapest plan; the accounts that something went through."""
    plan = optimum(instance, **more)  # type: ignore[arg-type]
    if plan is None:
        return set()
    both = Accounts(plan)
    total = sum(plan.terms.values())
    size = sum(abs(usd) for usd in plan.terms.values())
    assert both.cost == pytest.approx(total, rel=1e-6, abs=1e-6 * size)
    if instance.settings.economics.cvar_weight == 0:
        assert total == pytest.approx(plan.objective, rel=1e-9, abs=1e-9 * size)
    return {name for name, money in both.accounts.items() if abs(money) > 1e-9}


@pytest.mark.parametrize("perimeter", ["members", "zone"])
@pytest.mark.parametrize("name", ["border", "smelter", "routes", "stock"])
def test_both_counts_agree_on_tiny_instances(name: str, perimeter: str) -> None:
    assert check(read(DATA / name).with_setting("economics.perimeter", perimeter))


@pytest.mark.parametrize("seed", range(12))
def test_both_counts_agree_on_random_instances(seed: int) -> None:
    check(random_instance(seed))


def test_every_account_is_tried() -> None:
    """Otherwise the law would say little."""
    tried: set[str] = set()
    for name in ("border", "smelter", "routes", "stock"):
        tried |= check(read(DATA / name))
    assert tried >= {"users", "plants", "treasuries", "carriers", "store-keepers", "what is left", "foreign owners", "cost of public money"}
