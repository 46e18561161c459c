"""The textbook form: prices are variables, owners' answers are rows, products are linearised. For comparison only.

The form that a modeller writes down first, and that this model avoids by working out every owner's answer beforehand
(`orepact.market.offers`). It asks exactly the same question, so its optimum is the same:

    P_ktw = Σ_l price_kltw z_klt                          the zone price is a variable, decided by the rungs
    μ_ftw = Σ_k a_fk P_ktw + premium − opex               margin
    μ <= M⁺ r,  μ >= −M⁻ (1 − r)                          a plant runs if it earns its cash cost: r binary, by big-M
    μ + s <= M⁺ r',  μ + s >= −M⁻ (1 − r')                likewise under a contract that pays s a tonne
    Λ r, h r', h r r', idle r                             quantity × running: McCormick, exact since r is binary
    q P_k = Σ_l price_l (q z_l),  Σ_l q z_l = q,  0 <= q z_l <= max q · z_l        quantity × price, exact since z is
    gain = h r' s + h r' (1 − r) μ − h r (1 − r') μ       support; the margin of what would stand still; an owner pays back its margin at most
    Σ_tw p d (cap A Λ r μ + A^T gain) − annuity (capex Λ − G) >= 0      worth building to the owner
    cap A Λ r μ + … >= debt service (capex Λ − G)         accepted by lenders, in every downside scenario
    worth <= rent cap · capex Λ                           with support

per deal (plant, start, contract, payer) with weight Λ, contracted capacity h and grant G, Σ Λ = u at each start.

It is written with care: the M are bounds from the data of each plant, period and scenario; where a margin has one sign on all rungs
there is no binary; rungs that mean the same price are one; the products with z are of the sharp kind (their sum is the
quantity), not four loose envelopes each. What does not hang on the owners is the model's own code, row by row: the choice of path,
imports and how sources share the market, trade, demand, surplus, stocks, treasuries, budgets, targets and the cost. So are, from data on
each path, where feed may be short, who is held to a duty to build, and who would build anyway. The model's rows that only bring its
relaxation closer (`formulation/want.py`) are left out.

Not covered: packages of a user's own.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from by_row import Growing, Row, Terms, add_rows, columns, together
from orepact.formulation import activity, owners, treasury
from orepact.formulation.balance import add_balance
from orepact.formulation.case import Case, ChosenDeal
from orepact.formulation.choice import add_choice
from orepact.formulation.cost import add_cost
from orepact.formulation.demand import add_demand
from orepact.formulation.imports import add_imports
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Model
from orepact.formulation.stockpile import add_stockpile
from orepact.formulation.surplus import add_surplus
from orepact.formulation.targets.outage import add_outage
from orepact.formulation.targets.reliance import add_reliance
from orepact.formulation.targets.shares import add_shares
from orepact.formulation.targets.stock_days import add_stock_days
from orepact.formulation.trade import add_trade
from orepact.market.deals import TIE, Deal, Response
from orepact.market.horizon import recovery_factor
from orepact.solver.clock import collector_rests
from products import Binary, Products, Quantity, Switch, line

Array = NDArray[np.float64]
Spot = tuple[int, int]
"""Period and scenario."""
Answers = dict[str, dict[Any, Row]]
"""Rows of owners and lenders, by law and key."""


def build_textbook(case: TextbookCase) -> Model:
    """The whole model of a case."""
    ledger, model = Ledger(), Model()
    with collector_rests():
        add_choice(model, case)
        answers = Owners(model, case, ledger)
        for part in (add_imports, add_trade, add_surplus, add_demand, add_stockpile):
            part(model, case, ledger)
        answers.fill_stocks()
        _treasury(model, case, ledger, answers)
        for rule in (add_balance, add_shares, add_reliance, add_outage, add_stock_days):
            rule(model, case)
        add_cost(model, case, ledger)
    return model


class TextbookCase(Case):
    """A case whose deals are all that could be signed at some price, not those that are signed at a path's."""

    @cached_property
    def deals(self) -> list[ChosenDeal]:
        """One per plant, start, contract (-1: none) and payer (-1: nobody)."""
        found: list[ChosenDeal] = []
        for f, plant in enumerate(self.world.plants):
            contracts = self.market.offered_contracts(f) if self.rules.support else []
            if plant.candidate:
                helped = self.rules.support and not self.market.would_build_anyway(f)
                alone = [-1] if self.market.grant_limit(f) > 0 else []
                menu = [*alone, *contracts] if helped else []
            else:
                menu = [n for n in contracts if self.market.contracts[n]["existing"]]
            for tau in self.world.starts[f] if plant.candidate else (0,):
                found.append(ChosenDeal(f, 0, -1, self._deal(tau, -1, 0.0)))
                for n in menu:
                    deal = self._deal(tau, n, self.market.grant_limit(f) if plant.candidate else 0.0)
                    found += [ChosenDeal(f, 0, m, deal) for m in self._payers(f, n)]
        return found

    def price(self, k: int, l: int, t: int, w: int) -> float:
        """Zone price of a product under a rung."""
        return float(self.market.ladders[k].price[l, t, w])

    def _deal(self, tau: int, contract: int, grant: float) -> Deal:
        """The names of a deal; what it is worth is a matter of rows."""
        nothing = np.zeros(self.world.price.shape[1:])
        none = np.zeros(len(nothing))
        return Deal(tau, contract, nothing, nothing, none, 0.0, 0.0, 0.0, nothing, nothing, nothing, np.array([[0.0, grant]]), np.zeros(1))


class Owners:
    """Owners' answers as rows: who runs, who builds, what it is worth to owners and lenders."""

    def __init__(self, model: Model, case: TextbookCase, ledger: Ledger) -> None:
        self.model, self.case, self.market, self.world, self.ledger = model, case, case.market, case.world, ledger
        self.products = Products(model)
        self._binaries = Growing(model.block("owners"), "runs", upper=1.0, whole=True)
        self.paid: dict[tuple[int, int, int], Terms] = {}
        """What deal d is paid, by (d, t, w)."""
        self._sold: dict[tuple[int, int, int], list[int]] = {}  # what is sold under deal d, by (d, t, w)
        self._support: dict[tuple[int, int], list[Array]] = {}
        self._contracted_runs: dict[tuple[int, int, int, int], Switch] = {}
        self._prices()
        self._decisions()
        self._runs = {(f, t, w): self._sign(f, None, t, w) for f in range(len(self.world.plants)) for t, w in self._spots(f)}
        self._activity()
        self.products.finish()

    # -- prices and decisions -----------------------------------------------------------------------------------

    def _prices(self) -> None:
        """P_ktw = Σ_l price z."""
        case, block = self.case, self.model.block("price")
        spots = [(k, t, w) for (k, t), ls in case.rungs.items() for w in case.scenarios if len({case.price(k, l, t, w) for l in ls}) > 1]
        level = columns(block, "level", spots, self.world.price.shape)
        rows: dict[tuple[int, int, int], Row] = {}
        for n, (k, t, w) in enumerate(spots):
            prices = {l: case.price(k, l, t, w) for l in case.rungs[k, t]}
            level.lower[n], level.upper[n] = min(prices.values()), max(prices.values())
            terms = Terms()
            terms.add(-1.0, level[k, t, w])
            for l, price in prices.items():
                terms.add(price, self.model.choice.z[k, t, l])
            rows[k, t, w] = (0.0, terms, 0.0)
        add_rows(block, "price_of_rung", rows)
        self._level = level

    def _decisions(self) -> None:
        """u, and weight, contracted capacity and grant of every deal."""
        case, world, block, deals = self.case, self.world, self.model.owners, self.case.deals
        candidates = [f for f, plant in enumerate(world.plants) if plant.candidate]
        starts, size = [(f, tau) for f in candidates for tau in world.starts[f]], (len(deals),)
        owners._capital(columns(block, "u", starts, (len(world.plants), case.span[0]), upper=1.0, whole=True), case, self.ledger)
        columns(block, "weight", range(len(deals)), size, upper=1.0)
        columns(block, "volume", [], size)  # the treasury's part looks here for deals that pay the same whatever the price
        columns(block, "contracted", [d for d, x in enumerate(deals) if x.deal.contract >= 0], size)
        columns(block, "grant", [d for d, x in enumerate(deals) if x.deal.corners[0, 1] > 0 and x.payer >= 0], size)
        at_start: dict[tuple[int, int], Terms] = defaultdict(Terms)
        shares: dict[str, dict[int, Row]] = defaultdict(dict)
        for d, x in enumerate(deals):
            plant, weight = world.plants[x.facility], block.weight[d]
            at_start[x.facility, x.deal.start if plant.candidate else -1].add(1.0, weight)
            if d in block.grant:
                if self.market.refuses(x.payer, "grant"):
                    block.grant.upper[block.grant[d] - block.grant.first] = 0.0
                shares["grant_within_limit"][d] = (None, line((1.0, block.grant[d]), (-float(x.deal.corners[0, 1]), weight)), 0.0)
            if d in block.contracted:
                row, volume = self.market.contracts[x.deal.contract], block.contracted[d]
                least, most = float(row["min_share"]), float(row["max_share"])
                least = most if not plant.candidate and least == 0 else least
                shares["most_contracted"][d] = (None, line((1.0, volume), (-most * plant.capacity, weight)), 0.0)
                shares["least_contracted"][d] = (0.0, line((1.0, volume), (-least * plant.capacity, weight)), None)
        for (f, tau), terms in at_start.items():
            if tau >= 0:
                terms.add(-1.0, block.u[f, tau])
        add_rows(block, "built_once", {f: (None, line(*((1.0, block.u[f, tau]) for tau in world.starts[f])), 1.0) for f in candidates if world.starts[f]})
        add_rows(block, "deal_of_start", {key: ((0.0, terms, 0.0) if key[1] >= 0 else (1.0, terms, 1.0)) for key, terms in at_start.items()})
        for name, rows in shares.items():
            add_rows(block, name, rows)
        owners._support_costs(block, case, self.ledger, owners._corners(case), block.weight.ids)
        if case.rules.duty:
            self._duty()

    def _duty(self) -> None:
        """Whoever can earn its cost without support builds, at the earliest such start or before."""
        case, rows = self.case, {}
        for f, plant in enumerate(self.world.plants):
            for j, v in enumerate(case.response_classes[f] if plant.candidate else ()):
                if starts := self.market.plain_starts(f, v):
                    early = line(*((1.0, self.model.owners.u[f, tau]) for tau in self.world.starts[f] if tau <= starts[0]))
                    early.add(-1.0, self.model.choice.y[case.chain_of[f], j])
                    rows[f, j] = (0.0, early, None)
        add_rows(self.model.owners, "duty_to_build", rows)

    # -- running by big-M ---------------------------------------------------------------------------------------

    def _spots(self, f: int) -> list[Spot]:
        return [(t, w) for t in self.case.periods for w in self.case.scenarios if self.case.most_output[f, t, w] > 0]

    def _touched(self, f: int) -> list[int]:
        return [int(k) for k in np.flatnonzero(self.world.flow[f])]

    def support(self, f: int, n: int) -> list[Array]:
        """s of contract n per rung of the main output, each (T, W)."""
        if (f, n) not in self._support:
            endless = np.full(self.world.price.shape[1:], np.inf)  # an owner never pays back more than its margin: checked in _sign
            ladder = self.market.ladders[self.world.plants[f].main]
            self._support[f, n] = [self.market.support(f, n, Response(endless, price)) for price in ladder.price]
        return self._support[f, n]

    def _inside(self, f: int, tau: int, n: int) -> Array:
        """Output per unit of capacity inside the window of contract n (T, W)."""
        return np.asarray(self.market.owners.inside(np.array([f]), np.array([tau]), np.array([n]))[0])

    def _sign(self, f: int, contract: int | None, t: int, w: int) -> Switch:
        """Whether the plant runs, by itself or under a contract: from data if all rungs say the same, else by big-M."""
        world, case, plant = self.world, self.case, self.world.plants[f]
        low = high = float(plant.premium - plant.opex[t])
        margin = Terms()
        margin.constant = low
        for k in self._touched(f):
            amount, prices = float(world.flow[f, k]), {l: case.price(k, l, t, w) for l in case.rungs[k, t]}
            worth = {l: amount * price for l, price in prices.items()}
            if (k, t, w) in self._level:
                margin.add(amount, self._level[k, t, w])
            else:
                margin.constant += next(iter(worth.values()))
            if contract is not None and k == plant.main:
                paid = {l: float(self.support(f, contract)[l][t, w]) for l in worth}
                worth = {l: value + paid[l] for l, value in worth.items()}
                if len(set(paid.values())) > 1:
                    for l, pay in paid.items():
                        margin.add(pay, self.model.choice.z[k, t, l])
                else:
                    margin.constant += next(iter(paid.values()))
            low, high = low + min(worth.values()), high + max(worth.values())
        if low >= -TIE:
            return True
        if high < -TIE:
            return False
        runs = self._binaries.add()
        above, below = Terms(), Terms()
        above.extend(margin)
        above.add(-high, runs)
        below.extend(margin)
        below.add(low, runs)
        name = "runs_if_it_pays" if contract is None else "runs_if_the_contract_pays"
        self.products.row(name, None, above, 0.0)
        self.products.row(name, low, below, None)
        return Binary(runs)

    def _may_pay_all_back(self, f: int, n: int, t: int, w: int) -> bool:
        """Whether on some rung the owner would pay back more than its margin, which then is all that it pays."""
        case, plant, flow = self.case, self.world.plants[f], self.world.flow[f]
        least = {k: {l: float(flow[k]) * case.price(k, l, t, w) for l in case.rungs[k, t]} for k in self._touched(f)}
        others = float(plant.premium - plant.opex[t]) + sum(min(worth.values()) for k, worth in least.items() if k != plant.main)
        paid = {l: float(self.support(f, n)[l][t, w]) for l in case.rungs[plant.main, t]}
        return any(pay < 0 and others + least[plant.main][l] + pay < 0 for l, pay in paid.items())

    def _runs_under(self, f: int, n: int, t: int, w: int) -> Switch:
        """r': whether μ + s >= 0, s before it is cut to the margin."""
        key = (f, n, t, w)
        if key not in self._contracted_runs:
            own = self._runs[f, t, w]
            sure = own is True and not self._may_pay_all_back(f, n, t, w)
            self._contracted_runs[key] = True if sure else self._sign(f, n, t, w)
        return self._contracted_runs[key]

    # -- money --------------------------------------------------------------------------------------------------

    def _margin_on(self, f: int, quantity: Quantity | None, t: int, w: int) -> Terms:
        """Quantity × μ."""
        terms = Terms()
        if quantity is None:
            return terms
        plant, case = self.world.plants[f], self.case
        terms.add(float(plant.premium - plant.opex[t]), quantity.column)
        for k in self._touched(f):
            values = {l: (case.price(k, l, t, w),) for l in case.rungs[k, t]}
            for column, (price,) in self.products.by_rung(quantity, k, t, values):
                terms.add(float(self.world.flow[f, k]) * price, column)
        return terms

    def _pay_on(self, f: int, n: int, quantity: Quantity, t: int, w: int) -> Terms:
        """Quantity × s."""
        terms, main = Terms(), self.world.plants[f].main
        values = {l: (float(self.support(f, n)[l][t, w]),) for l in self.case.rungs[main, t]}
        for column, (pay,) in self.products.by_rung(quantity, main, t, values):
            terms.add(pay, column)
        return terms

    # -- activity -----------------------------------------------------------------------------------------------

    def _activity(self) -> None:
        """x + idle = what the deals make; what every deal is worth."""
        case, world, block = self.case, self.world, self.model.block("activity")
        keys = [(f, t, w) for f in range(len(world.plants)) for t, w in self._spots(f)]
        columns(block, "x", keys, case.most_output.shape)
        freight = activity._hub_freight(case)
        for f, t, w in keys:
            plant, node = world.plants[f], case.plant_place[f]
            if case.counted(node):
                self.ledger.add("operation", t, w, plant.opex[t] - plant.premium, block.x[f, t, w])
                self.ledger.add("freight", t, w, freight[f], block.x[f, t, w])
        activity._feed_shortage(self.model, block, case)
        block.could_idle = np.zeros(case.most_output.shape, dtype=bool)
        for f, t, w in keys:
            block.could_idle[f, t, w] = (not case.normal(w) and case.feed_is_cut[f, t, w]) or any((k, t, w) in block.q for k in case.inputs[f])
        columns(block, "idle", [(f, -1, t, w) for f, t, w in keys if block.could_idle[f, t, w]], (len(world.plants), 1, *case.span))
        made = {key: Terms() for key in keys}
        for (f, t, w), terms in made.items():
            terms.add(-1.0, block.x[f, t, w])
            if block.could_idle[f, t, w]:
                terms.add(-1.0, block.idle[f, -1, t, w])
        answers: Answers = defaultdict(dict)
        for f, plant in enumerate(world.plants):
            (self._candidate if plant.candidate else self._existing)(f, made, answers)
        for name, rows in answers.items():
            add_rows(self.model.owners, name, rows)
        add_rows(block, "runs_as_agreed", {key: (0.0, terms, 0.0) for key, terms in made.items()})
        activity._want_of_feed(block, case)

    def _existing(self, f: int, made: dict[tuple[int, int, int], Terms], answers: Answers) -> None:
        """A standing plant: makes what pays, and more under a contract."""
        world, plant = self.world, self.world.plants[f]
        for t, w in self._spots(f):
            own, full = self._runs[f, t, w], float(plant.capacity * world.output[f, 0, t, w])
            if isinstance(own, bool):
                made[f, t, w].constant += own * full
            else:
                made[f, t, w].add(full, own.column)
        at_social = self._weights(world.settings.economics.social_rate)
        for d, x in self._deals_of(f):
            weight, long_run = self.model.owners.weight[d], Terms()
            if x.deal.contract >= 0:
                self._only_if_it_changes_something(d, x, answers)
                for (t, w), gain in self._contract(d, x, made, answers).items():
                    long_run.extend(gain, float(at_social[t, w]))
            if self._rent_leaves(f):
                for t, w in self._spots(f):
                    running = self.products.where(Quantity(weight, 1.0), self._runs[f, t, w])
                    long_run.extend(self._margin_on(f, running, t, w), float(at_social[t, w] * plant.capacity * world.output[f, 0, t, w]))
                self._foreign_rent(d, long_run, plant.foreign, answers)

    def _only_if_it_changes_something(self, d: int, x: ChosenDeal, answers: Answers) -> None:
        """A standing plant is offered a contract only where it makes the plant run that would stand still."""
        f, n = x.facility, x.deal.contract
        changes = line((-1.0, self.model.owners.weight[d]))
        for t, w in self._spots(f):
            own, under = self._runs[f, t, w], self._runs_under(f, n, t, w)
            if self._inside(f, 0, n)[t, w] <= 0 or own == under or own is True or under is False:
                continue
            starts = self.products.new()
            self.products.row("starts_by_contract", None, line((1.0, starts), *_if_open(-1.0, under)), float(under is True))
            self.products.row("stood_still_without", None, line((1.0, starts), *_if_open(1.0, own)), 1.0)
            changes.add(1.0, starts)
        answers["contract_changes_something"][d] = (0.0, changes, None)

    def _weights(self, rate: float) -> Array:
        """Weights of an expected, discounted sum, (T, W)."""
        return np.outer(self.world.horizon.discount(rate), self.world.probability)

    def _rent_leaves(self, f: int) -> bool:
        """Whether what the plant earns above its cost is a cost to the alliance."""
        return self.world.plants[f].foreign > 0 and self.case.counted(self.case.plant_place[f])

    def _deals_of(self, f: int) -> list[tuple[int, ChosenDeal]]:
        return [(d, x) for d, x in enumerate(self.case.deals) if x.facility == f]

    def _contract(self, d: int, x: ChosenDeal, made: dict[tuple[int, int, int], Terms], answers: Answers) -> dict[Spot, Terms]:
        """Output and payments under a contract; what the owner gains by it a year, which must be something on the whole."""
        f, n, gains, gained = x.facility, x.deal.contract, {}, Terms()
        weights = self._weights(self.world.plants[f].hurdle)
        inside = self._inside(f, x.deal.start, n)
        h = Quantity(self.model.owners.contracted[d], float(self.market.contracts[n]["max_share"]) * self.world.plants[f].capacity)
        for t, w in self._spots(f):
            share = float(inside[t, w])
            if share <= 0:
                continue
            sold, more, back = self._sold_under(f, n, h, t, w)
            pay = Terms()
            if sold is not None:
                pay.extend(self._pay_on(f, n, sold, t, w))
            pay.extend(self._margin_on(f, back, t, w), -1.0)
            gains[t, w], self.paid[d, t, w] = Terms(), Terms()
            self.paid[d, t, w].extend(pay, share)
            gains[t, w].extend(pay, share)
            gains[t, w].extend(self._margin_on(f, more, t, w), share)
            gained.extend(gains[t, w], float(weights[t, w]))
            self._sold[d, t, w] = [part.column for part in (sold, back) if part is not None]
            if more is not None:
                made[f, t, w].add(share, more.column)
        if gained.parts:
            answers["contract_worth_signing"][d] = (0.0, gained, None)
        return gains

    def _sold_under(self, f: int, n: int, h: Quantity, t: int, w: int) -> tuple[Quantity | None, Quantity | None, Quantity | None]:
        """h r'; h r' (1 − r), what would stand still without the contract; h r (1 − r'), what is sold with the whole margin paid back."""
        own, under, products = self._runs[f, t, w], self._runs_under(f, n, t, w), self.products
        sold, alone = products.where(h, under), products.where(h, own)
        pays_all_back = self._may_pay_all_back(f, n, t, w)
        if sold is None or alone is None:
            return sold, sold, alone if pays_all_back else None
        if not pays_all_back:
            both: Quantity | None = alone
        else:
            both = products.where(alone, under)
        return sold, self._less(sold, both), self._less(alone, both)

    def _less(self, whole: Quantity, part: Quantity | None) -> Quantity | None:
        """What is left of a quantity without a part of it."""
        if part is None or whole.column == part.column:
            return None if part is not None else whole
        left = Quantity(self.products.new(), whole.most)
        self.products.row("what_is_left", 0.0, line((1.0, left.column), (1.0, part.column), (-1.0, whole.column)), 0.0)
        return left

    def _candidate(self, f: int, made: dict[tuple[int, int, int], Terms], answers: Answers) -> None:
        """A project: each deal must be worth it to the owner and good enough for lenders; so must all, less what idling costs."""
        world, plant, settings = self.world, self.world.plants[f], self.world.settings
        social = settings.economics.social_rate
        at_hurdle, at_social = self._weights(plant.hurdle), self._weights(social)
        terms_of = settings.owners
        service = terms_of.cover * terms_of.debt_share * recovery_factor(terms_of.debt_rate, terms_of.debt_tenor)
        theta, free = terms_of.repeal_weight, self.market.free_response(f)
        grants = dict(self.model.owners.grant.items())
        worth, earned, spare = Terms(), {}, {}
        for d, x in self._deals_of(f):
            tau, weight = x.deal.start, Quantity(self.model.owners.weight[d], 1.0)
            output, alive = world.output[f, tau], world.alive[f, tau]
            gains = self._contract(d, x, made, answers) if x.deal.contract >= 0 else {}
            value, long_run = Terms(), Terms()
            for t, w in self._spots(f):
                if output[t, w] <= 0:
                    continue
                running = self.products.where(weight, self._runs[f, t, w])
                earned[d, t, w] = Terms()
                earned[d, t, w].extend(self._margin_on(f, running, t, w), float(plant.capacity * output[t, w]))
                if running is not None:
                    made[f, t, w].add(float(plant.capacity * output[t, w]), running.column)
                for total, weights in ((value, at_hurdle), (long_run, at_social)):
                    total.extend(earned[d, t, w], float(weights[t, w]))
                    if (t, w) in gains:
                        total.extend(gains[t, w], float(weights[t, w]))
            grant = grants.get(d)
            for total, weights, rate in ((value, at_hurdle, plant.hurdle), (long_run, at_social, social)):
                annuity = recovery_factor(rate, plant.life) * float((weights * alive).sum())
                total.add(-annuity * plant.capex, weight.column)
                if grant is not None:
                    total.add(annuity, grant)
            answers["worth_building"][d] = (0.0, value, None)
            worth.extend(value)
            if x.payer >= 0:
                rent = Terms()
                rent.extend(value)
                rent.add(-terms_of.rent_cap * plant.capex, weight.column)
                answers["rent_within_cap"][d] = (None, rent, 0.0)
            if self._rent_leaves(f):
                self._foreign_rent(d, long_run, plant.foreign, answers)
            for t, w in self._spots(f):
                if service > 0 and world.downside[w] and world.tested[f, tau, t, w]:
                    left = spare[d, t, w] = Terms()
                    left.extend(earned.get((d, t, w), Terms()), 1 - theta)
                    left.add(theta * float(plant.capacity * output[t, w] * free.earning[t, w]) - service * plant.capex * float(alive[t, w]), weight.column)
                    if (t, w) in gains:
                        left.extend(gains[t, w], 1 - theta)
                    if x.deal.contract >= 0 and theta > 0:
                        n = x.deal.contract
                        if_repealed = max(float(free.margin[t, w] + self.market.support(f, n, free)[t, w]), 0.0) - float(free.earning[t, w])
                        left.add(theta * float(self._inside(f, tau, n)[t, w]) * if_repealed, self.model.owners.contracted[d])
                    if grant is not None:
                        left.add(service * float(alive[t, w]), grant)
                    answers["lenders_content"][d, t, w] = (0.0, left, None)
        self._bears_idling(f, worth, earned, spare, at_hurdle, answers)

    def _foreign_rent(self, d: int, long_run: Terms, foreign: float, answers: Answers) -> None:
        """Rent that leaves with foreign owners: a share of what the deal is worth at the social rate, if that is anything."""
        column = self.products.new()
        row = Terms()
        row.extend(long_run, -foreign)
        row.add(1.0, column)
        answers["foreign_rent"][d] = (0.0, row, None)
        self.ledger.add_lump("foreign rent", 1.0, column)

    def _bears_idling(
        self, f: int, worth: Terms, earned: dict[tuple[int, int, int], Terms], spare: dict[tuple[int, int, int], Terms], weights: Array, answers: Answers
    ) -> None:
        """What a project loses by standing idle for want of feed comes off what it is worth, and off what lenders see."""
        world, idles = self.world, False
        for t, w in self._spots(f):
            if not self.model.activity.could_idle[f, t, w]:
                continue
            idle = self.products.where(Quantity(self.model.activity.idle[f, -1, t, w], float(self.case.most_output[f, t, w])), self._runs[f, t, w])
            lost = self._margin_on(f, idle, t, w)
            if not lost.parts:
                continue
            idles = True
            worth.extend(lost, -float(weights[t, w]))
            if world.downside[w] and world.settings.owners.cover > 0:
                row = Terms()
                row.extend(lost, -1.0)
                for d, _ in self._deals_of(f):
                    row.extend(spare.get((d, t, w)) or earned.get((d, t, w), Terms()))
                answers["lenders_still_content"][f, t, w] = (0.0, row, None)
        if idles:
            answers["still_worth_building"][f] = (0.0, worth, None)

    # -- what hangs on contracts elsewhere ----------------------------------------------------------------------

    def fill_stocks(self) -> None:
        """Contracts whose tonnes are stockpiled force the purchase."""
        case, buy, forced = self.case, self.model.stockpile.buy, {}
        for (d, t, w), sold in self._sold.items():
            x = case.deals[d]
            if w == self.world.reference and self.market.contracts[x.deal.contract]["stockpiled"]:
                s = case.stock_site(x.facility, x.payer)
                assert s is not None
                if (s, t) not in forced:
                    forced[s, t] = line(*((1.0, column) for key, column in buy.items() if key[:2] == (s, t)))
                for column in sold:
                    forced[s, t].add(-float(self._inside(x.facility, x.deal.start, x.deal.contract)[t, w]), column)
        add_rows(self.model.owners, "contracted_for_stock", {key: (0.0, terms, None) for key, terms in forced.items()})


def _if_open(coef: float, switch: Switch) -> list[tuple[float, int]]:
    """coef · switch, where it is not known."""
    return [] if isinstance(switch, bool) else [(coef, switch.column)]


def _treasury(model: Model, case: TextbookCase, ledger: Ledger, answers: Owners) -> None:
    """Treasuries as in the model, but for what contracts pay, which is a product here."""
    block, instruments, span = model.block("treasury"), treasury.INSTRUMENTS, case.span
    accounts, abroad = treasury._outlays(model, case)
    own, leaving = [], []
    for (d, t, w), paid in answers.paid.items():
        x = case.deals[d]
        account = x.payer * len(instruments) + instruments.index(case.market.contracts[x.deal.contract]["instrument"])
        own.append((int(treasury._cell(case, account, t, w)), paid))
        if not case.counted(case.plant_place[x.facility]):
            leaving.append((int(treasury._cell(case, 0, t, w)), paid))
    accounts.extend(together(own, accounts.size))
    abroad.extend(together(leaving, abroad.size))
    used, (cell, coef, column) = np.flatnonzero(accounts.filled()), abroad.entries()
    member, instrument, *spot = np.unravel_index(used, (case.world.members, len(instruments), *span))
    spending = block.columns("spending", (member, np.array(instruments)[instrument], *spot), lower=-np.inf)
    treasury._settle(block, "spent", spending, accounts, used)
    ledger.add("payments to partners", cell // span[1], cell % span[1], coef, column)
    treasury._fiscal(model, block, case, ledger)
    if case.rules.targets:
        treasury._budgets(model, block, case)
        treasury._contributions(model, block, case)
