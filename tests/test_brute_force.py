"""The model against brute force: 2,000 tiny random instances, every price path and every pattern of starts.

The first 200 are compared in every way there is, the rest in the one that counts.

The brute force is itself tested first, on cases whose answer is a sum that can be written out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

import orepact
from brute_facts import FREE, Facts
from brute_force import Study, solve_by_enumeration, solve_case
from brute_market import Ladders, Market
from orepact.instance.instance import Instance
from orepact.options import SolveOptions
from random_instances import random_instance

QUICK = 10
SEEDS = [pytest.param(seed, marks=() if seed < QUICK else pytest.mark.slow) for seed in range(200)]
MANY = [pytest.param(first, marks=pytest.mark.slow if first > 200 else ()) for first in range(200, 2000, 25)]
CLOSE = 1e-6
KG = 1000.0
"""USD/kg in USD/t."""


def only(instance: Instance, paths: Iterable[Mapping[tuple[str, int], str]]) -> Instance:
    """The instance with these price paths, (product, year) → rung, as its own."""
    rows = [{"path": f"p{n}", "product": k, "year": year, "rung": rung} for n, path in enumerate(paths) for (k, year), rung in path.items()]
    return instance.with_table("price_paths", rows)


def model_objective(instance: Instance, behaviour: str = "market", method: str = "milp") -> float | None:
    """What the model answers over the instance's own paths, USD; None: no plan."""
    options = SolveOptions.model_validate(
        {
            "behaviour": behaviour, "method": method, "gap": 0.0, "threads": 1, "own_paths_only": True,
            "baseline": False, "stress": False, "progress": False,
        }
    )  # fmt: skip
    return orepact.solve(instance, options).result.objective


def agrees(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(expected, rel=CLOSE, abs=1.0)


@pytest.mark.parametrize("behaviour", ["market", "planner"])
@pytest.mark.parametrize("seed", SEEDS)
def test_model_equals_brute_force(seed: int, behaviour: str) -> None:
    instance = random_instance(seed)
    every = only(instance, Study(instance).ladders.paths())
    assert agrees(model_objective(every, behaviour), solve_by_enumeration(instance, behaviour).objective)


@pytest.mark.parametrize("first", MANY)
def test_model_equals_brute_force_on_many(first: int) -> None:
    different = {}
    for seed in range(first, first + 25):
        instance = random_instance.__wrapped__(seed)  # not kept: there are many
        found = model_objective(only(instance, Study(instance).ladders.paths()))
        expected = solve_by_enumeration(instance).objective
        if not agrees(found, expected):
            different[seed] = (found, expected)
    assert not different


@pytest.mark.parametrize("seed", SEEDS)
def test_one_model_and_the_search_over_paths_agree(seed: int) -> None:
    instance = random_instance(seed)
    every = only(instance, Study(instance).ladders.paths())
    assert agrees(model_objective(every, method="paths"), model_objective(every))


@pytest.mark.parametrize("seed", SEEDS)
def test_model_equals_brute_force_on_one_path(seed: int) -> None:
    """A path drawn at random brings up what the best path avoids."""
    instance = random_instance(seed)
    paths = list(Study(instance).ladders.paths())
    path = random.Random(seed).choice([p for p in paths if set(p.values()) != {FREE}] or paths)
    found = model_objective(only(instance, [path]))
    assert agrees(found, solve_by_enumeration(instance, paths=[path]).objective)


# ---- the brute force itself -------------------------------------------------------------------
Rows = list[dict[str, Any]]


def world(
    *, tables: dict[str, Rows] | None = None, years: tuple[int, ...] = (1,), price: float = 60 * KG, demand: float = 5000, available: float = 1e5,
    product: dict[str, Any] | None = None, **settings: dict[str, Any],
) -> Instance:  # fmt: skip
    """One member that uses one metal from one source at a social rate of 0, so that sums are plain."""
    given: dict[str, Rows] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "CHN", "role": "outside"}],
        "products": [{"product": "M", "mineral": "m", "stage": "metal", **(product or {})}],
        "processes": [{"process": "make", "activities": "processing"}],
        "process_flows": [{"process": "make", "product": "M", "amount": 1.0}],
        "prices": [{"product": "M", "year": 2026, "price": price}],
        "demand": [{"country": "USA", "product": "M", "year": 2026, "demand": demand}],
        "outside_supply": [{"country": "CHN", "product": "M", "year": 2026, "available": available}],
        "scenarios": [{"scenario": "s", "probability": 1.0}],
    }
    given |= tables or {}
    economics = {"social_rate": 0.0, **settings.pop("economics", {})}
    return Instance.from_tables(
        {"instance": {"name": "world"}, "horizon": {"start_year": 2026, "period_years": years}, "economics": economics, **settings}, given
    )


def plant(**cells: Any) -> Rows:
    return [{"facility": "old", "country": "USA", "process": "make", "status": "existing", "capacity": 5000.0, "opex": 40 * KG, **cells}]


def project(**cells: Any) -> Rows:
    return plant(**{"facility": "new", "status": "candidate", "lifetime": 10.0, "capex": 100e6, "hurdle_rate": 0.0, **cells})


OWN = {"target": "own", "kind": "zone_share", "products": "M", "value": 1.0}


def test_one_plant_one_price() -> None:
    answer = solve_by_enumeration(world(tables={"facilities": plant(capacity=2000.0)}, years=(2,), economics={"social_rate": 0.03}))
    assert answer.cases == 1
    assert answer.objective == pytest.approx((2000 * 40 * KG + 3000 * 60 * KG) * 2 * 1.03**-1)


def floor(**cells: Any) -> dict[str, Rows]:
    """A plant at 80 USD/kg that stands still at 60 unless it is guaranteed 110, and use that must be the zone's own."""
    contract = {"contract": "floor", "products": "M", "strike": 110 * KG, "min_share": 1.0, "existing": True, **cells}
    return {"facilities": plant(opex=80 * KG), "contracts": [contract], "targets": [OWN]}


def test_floor_of_110_at_a_price_of_60_pays_250_million() -> None:
    answer = solve_by_enumeration(world(tables=floor(), economics={"public_money_premium": 0.25}))
    payment = (110 - 60) * KG * 5000
    assert payment == 250e6
    assert answer.objective == pytest.approx(5000 * 80 * KG + 0.25 * payment)
    assert answer.terms["public_money"] == pytest.approx(0.25 * payment)


@pytest.mark.parametrize(("limit", "feasible"), [(250.001e6, True), (249.999e6, False)])
def test_a_budget_of_the_payment_is_just_enough(limit: float, feasible: bool) -> None:
    budget = {"member": "USA", "instrument": "offtake", "limit": limit}
    answer = solve_by_enumeration(world(tables={**floor(), "budgets": [budget]}))
    assert (answer.objective is not None) == feasible


@pytest.mark.parametrize(("price", "paid"), [(150, 0.0), (155, 7.5e6), (156.66, 9.99e6), (156.67, 10e6), (160, 10e6)])
def test_upside_of_30_percent_above_150_is_capped_at_10_million(price: float, paid: float) -> None:
    terms = {"contract": "shared", "products": "M", "strike": 110 * KG, "upside_share": 0.3, "ceiling": 150 * KG, "yearly_cap": 10e6}
    instance = world(tables={"facilities": plant(), "contracts": [terms]}, price=price * KG)
    facts = Facts(instance)
    market = Market(facts, Ladders(facts), {})
    margin = (price - 40) * KG
    assert 5000 * market.support(facts.plants["old"], facts.tables["contracts"][0], margin, price * KG) == pytest.approx(-paid)


def test_levy_revenue_offsets_outlays_but_never_more() -> None:
    # a floor of 70 at the border: imports pay 61, 9 of the 10 reach the treasury; the contract pays 110 - 70 on 5000 t
    ladder = [{"product": "M", "rung": "floor", "step": 1, "kind": "reference", "price": 70 * KG}]
    tables = {**floor(), "ladder": ladder, "targets": [{**OWN, "value": 0.25}]}
    instance = world(tables=tables, demand=20000, economics={"levy_capture": 0.9, "public_money_premium": 0.25})
    case = solve_case(instance, {("M", 2026): "floor"}, {})
    outlay, levy = (110 - 70) * KG * 5000, 0.9 * (70 - 60) * KG * 15000
    assert case.terms["imports"] == pytest.approx(15000 * (60 + 0.1 * 10) * KG)
    assert case.terms["public_money"] == pytest.approx(0.25 * (outlay - levy))
    small = solve_case(instance.with_table("contracts", [{**tables["contracts"][0], "strike": 80 * KG + 1}]), {("M", 2026): "floor"}, {})
    assert (80 - 70) * KG * 5000 < levy
    assert small.terms["public_money"] == pytest.approx(0.0, abs=1e-3)


def test_worst_outcomes_weigh_in() -> None:
    scenarios = [{"scenario": "s", "probability": 0.8}, {"scenario": "dear", "probability": 0.2}]
    shocks = [{"scenario": "dear", "kind": "price", "value": 1.5}]
    tables = {"scenarios": scenarios, "shocks": shocks}
    answer = solve_by_enumeration(world(tables=tables, economics={"cvar_weight": 0.4, "cvar_level": 0.8}))
    usual, dear = 5000 * 60 * KG, 5000 * 90 * KG
    assert answer.objective == pytest.approx(0.6 * (0.8 * usual + 0.2 * dear) + 0.4 * dear)
    # with a tail of half the outcomes, the worst 0.5 is 0.2 of dear years and 0.3 of usual ones
    answer = solve_by_enumeration(world(tables=tables, economics={"cvar_weight": 0.4, "cvar_level": 0.5}))
    assert answer.objective == pytest.approx(0.6 * (0.8 * usual + 0.2 * dear) + 0.4 * (0.2 * dear + 0.3 * usual) / 0.5)


def test_the_smallest_grant_that_an_owner_takes() -> None:
    # two years of 10 USD/kg on 5000 t against two of ten years of capital
    tables = {"facilities": project(opex=58.5 * KG), "targets": [OWN]}
    instance = world(tables=tables, years=(2,), owners={"cover": 0.0, "grant_cap": 0.5}, economics={"public_money_premium": 0.25})
    margin, annuity = 1.5 * KG * 5000, 100e6 / 10
    answer = solve_by_enumeration(instance)
    assert answer.starts == {"new": 2026}
    assert answer.terms["grants"] == pytest.approx(0.25 * 2 * (annuity - margin))
    assert answer.objective == pytest.approx(2 * (5000 * 58.5 * KG + annuity) + 0.25 * 2 * (annuity - margin))
    assert solve_by_enumeration(instance.with_setting("owners.grant_cap", 0.2)).objective is None


def test_lenders_ask_for_cover_in_a_downside() -> None:
    # debt service 1.2 * 0.5 * 10 MUSD on a margin of 5 MUSD: the grant must carry the rest of 1 MUSD of service
    tables: dict[str, Rows] = {
        "facilities": project(opex=59 * KG, lifetime=100.0), "targets": [OWN], "scenarios": [{"scenario": "s", "probability": 1.0, "downside": True}],
    }  # fmt: skip
    owners = {"cover": 1.2, "debt_share": 0.5, "debt_rate": 0.0, "debt_tenor": 10, "grant_cap": 0.5, "rent_cap": 1.0}
    answer = solve_by_enumeration(world(tables=tables, owners=owners))
    service = 1.2 * 0.5 * 100e6 / 10
    grant = 100e6 * (service - 5e6) / service
    assert answer.terms["grants"] == pytest.approx(0.25 * grant / 100)


def test_shortage_takes_the_easiest_use_first() -> None:
    blocks = [{"product": "M", "block": 1, "share": 0.4, "price_multiple": 2.0}, {"product": "M", "block": 2, "share": 0.6, "price_multiple": 5.0}]
    answer = solve_by_enumeration(world(tables={"shortage_costs": blocks}, available=2000))
    assert answer.objective == pytest.approx(2000 * 60 * KG + 5000 * 0.4 * 120 * KG + 1000 * 300 * KG)


def test_dear_metal_drives_users_away() -> None:
    ladder = [{"product": "M", "rung": "duty", "step": 1, "kind": "tariff", "rate": 0.21}]
    instance = world(tables={"ladder": ladder}, product={"elasticity": 0.5}, economics={"levy_capture": 1.0})
    case = solve_case(instance, {("M", 2026): "duty"}, {})
    use = 5000 / math.sqrt(1.21)
    assert case.terms["imports"] == pytest.approx(use * 60 * KG)
    # the triangle under q^(-1/eps): integral of 60 q^-2 from use/5000 to 1
    assert case.terms["use_forgone"] == pytest.approx(5000 * 60 * KG * (1 / (use / 5000) - 1))


def test_days_of_stock_are_bought_and_held() -> None:
    tables: dict[str, Rows] = {
        "stockpiles": [{"product": "M", "country": "ZONE", "max_purchase": 1000.0}],
        "targets": [{"target": "days", "kind": "stock_days", "products": "M", "value": 36.5}],
    }
    answer = solve_by_enumeration(world(tables=tables, product={"holding_cost": 0.05}, economics={"resale": 0.8, "public_money_premium": 0.25}))
    held = 5000 / 10
    assert answer.objective == pytest.approx((5000 + held) * 60 * KG + (0.05 - 0.8 + 0.25) * held * 60 * KG)


def test_a_refiner_may_idle_only_while_every_tonne_of_feed_is_drawn() -> None:
    # two tonnes of ore per tonne of metal, ore for 500 t only: the refiner of 1000 t idles half
    tables: dict[str, Rows] = {
        "products": [{"product": "M", "mineral": "m", "stage": "metal"}, {"product": "O", "mineral": "m", "stage": "mined"}],
        "process_flows": [{"process": "make", "product": "M", "amount": 1.0}, {"process": "make", "product": "O", "amount": -2.0}],
        "prices": [{"product": k, "year": 2026, "price": price} for k, price in (("M", 60 * KG), ("O", 10 * KG))],
        "outside_supply": [{"country": "CHN", "product": k, "year": 2026, "available": most} for k, most in (("M", 1e5), ("O", 1000.0))],
        "facilities": plant(capacity=1000.0, opex=30 * KG),
    }
    answer = solve_by_enumeration(world(tables=tables))
    assert answer.objective == pytest.approx(500 * 30 * KG + 1000 * 10 * KG + 4500 * 60 * KG)
    assert answer.detail["idle old 0 s"] == pytest.approx(500)


def test_every_path_and_start_is_a_case() -> None:
    ladder = [{"product": "M", "rung": f"r{n}", "step": n, "kind": "tariff", "rate": 0.1 * n} for n in (1, 2)]
    tables: dict[str, Rows] = {"ladder": ladder, "facilities": project(latest_start=2027)}
    study = Study(world(tables=tables, years=(1, 1, 1), policy={"max_step": 1}))
    paths = list(study.ladders.paths())
    assert len(paths) == 17  # words of length 3 over three rungs whose neighbours differ by one step at most
    assert len(list(study.cases("market"))) == 17 * 3


def test_sources_keep_to_their_bands() -> None:
    # under a floor of 70 the exempt source is paid 70 and the dominant one 61: the exempt one keeps 0.4 - 0.05 of imports
    tables: dict[str, Rows] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "CHN", "role": "outside"}, {"country": "CHL", "role": "outside"}],
        "outside_supply": [{"country": c, "product": "M", "year": 2026, "available": 1e5, "base_share": share} for c, share in (("CHN", 0.6), ("CHL", 0.4))],
        "ladder": [{"product": "M", "rung": "floor", "step": 1, "kind": "reference", "price": 70 * KG, "exempt": "CHL"}],
    }
    case = solve_case(world(tables=tables, product={"dominant": "CHN"}), {("M", 2026): "floor"}, {})
    assert case.terms["imports"] == pytest.approx(5000 * (0.65 * 61 + 0.35 * 70) * KG)


@pytest.mark.parametrize(("value", "feasible"), [(0.4399, True), (0.4401, False)])
def test_the_loss_of_a_source_is_survived_on_plants_and_stock(value: float, feasible: bool) -> None:
    # 2000 t/a of plants and 100 t of stock for half a year, of 5000 t/a
    tables: dict[str, Rows] = {
        "facilities": plant(capacity=2000.0),
        "stockpiles": [{"product": "M", "country": "ZONE", "initial": 100.0, "max_purchase": 0.0}],
        "targets": [{"target": "loss", "kind": "n_minus_1", "products": "M", "outage": "CHN", "outage_years": 0.5, "value": value}],
    }
    assert (solve_by_enumeration(world(tables=tables)).objective is not None) == feasible


@pytest.mark.parametrize(("value", "feasible"), [(0.801, True), (0.799, False)])
def test_a_cap_looks_through_to_the_origin_of_feed(value: float, feasible: bool) -> None:
    tables: dict[str, Rows] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "CHN", "role": "outside"}, {"country": "MMR", "role": "outside"}],
        "products": [{"product": "M", "mineral": "m", "stage": "metal"}, {"product": "O", "mineral": "m", "stage": "mined"}],
        "prices": [{"product": k, "year": 2026, "price": price} for k, price in (("M", 60 * KG), ("O", 10 * KG))],
        "embodied": [{"product": "O", "within": "M", "amount": 2.0}],
        "feedstock": [{"country": "CHN", "product": "M", "feed": "O", "origin": "MMR", "share": 0.8}],
        "targets": [{"target": "cap", "kind": "reliance_cap", "products": "O", "source_country": "MMR", "value": value}],
    }
    assert (solve_by_enumeration(world(tables=tables)).objective is not None) == feasible


def test_a_floor_makes_a_glut_that_is_bought_and_resold() -> None:
    # a partner's 2000 t against use of 1000 t: half sold to the member at the floor, half bought at 70 and resold at 48
    tables: dict[str, Rows] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "AUS", "role": "partner"}, {"country": "CHN", "role": "outside"}],
        "facilities": plant(country="AUS", capacity=2000.0),
        "ladder": [{"product": "M", "rung": "floor", "step": 1, "kind": "reference", "price": 70 * KG}],
    }
    economics = {"resale": 0.8, "public_money_premium": 0.25}
    case = solve_case(world(tables=tables, demand=1000, economics=economics), {("M", 2026): "floor"}, {})
    loss = 1000 * (70 - 0.8 * 60) * KG
    assert case.objective == pytest.approx(1000 * 70 * KG + 1.25 * loss)
    # seen from the whole zone only operation and the resale count, and the levy on nothing
    case = solve_case(world(tables=tables, demand=1000, economics={**economics, "perimeter": "zone"}), {("M", 2026): "floor"}, {})
    assert case.objective == pytest.approx(2000 * 40 * KG - 1000 * 48 * KG + 0.25 * loss)


def test_whoever_can_earn_its_cost_must_build() -> None:
    # at a floor of 80 the project earns 40 MUSD a year on 10 MUSD of capital, though nobody wants its metal at that price
    tables: dict[str, Rows] = {
        "facilities": project(opex=72 * KG),
        "ladder": [{"product": "M", "rung": "floor", "step": 1, "kind": "reference", "price": 80 * KG}],
    }
    path = {("M", 2026): "floor"}
    for entry, idle_allowed in (("free", True), ("duty", False)):
        instance = world(tables=tables, owners={"entry": entry, "rent_cap": 1.0})
        assert (solve_case(instance, path, {"new": None}).objective is not None) == idle_allowed
        assert solve_case(instance, path, {"new": 2026}).objective == pytest.approx(5000 * 72 * KG + 100e6 / 10)


def test_routes_carry_what_they_can_and_cost_what_they_cost() -> None:
    tables: dict[str, Rows] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "EU", "role": "member"}, {"country": "CHN", "role": "outside"}],
        "facilities": plant(capacity=5000.0, country="EU"),
        "freight": [
            {"product": "M", "origin": "EU", "destination": "USA", "cost": 1 * KG, "capacity": 3000.0},
            {"product": "M", "origin": "CHN", "destination": "USA", "cost": 2 * KG},
        ],
        "outside_sales": [{"product": "M", "year": 2026, "limit": 500.0}],
    }
    answer = solve_by_enumeration(world(tables=tables, product={"trade": "routed"}, economics={"export_discount": 0.02, "resale": 0.8}))
    goods = 5000 * 40 + 2000 * 60 + 3000 * 1 + 2000 * 2 - 500 * 0.98 * 60 - 1500 * 0.8 * 60
    assert answer.objective == pytest.approx(goods * KG)


def test_the_planner_shares_a_price_between_rungs() -> None:
    # use must fall by a fifth for the cap on imports; the planner mixes free trade with the rung, owners and levies aside
    ladder = [{"product": "M", "rung": "duty", "step": 1, "kind": "tariff", "rate": 0.5}]
    tables: dict[str, Rows] = {"ladder": ladder, "outside_supply": [{"country": "CHN", "product": "M", "year": 2026, "available": 4000.0}]}
    instance = world(tables=tables, product={"elasticity": 1.0})
    share = (5000 - 4000) / (5000 - 5000 / 1.5)
    answer = solve_by_enumeration(instance, "planner")
    assert answer.objective == pytest.approx(4000 * 60 * KG + share * 5000 * 60 * KG * math.log(1.5))
