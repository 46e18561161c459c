"""What owners would sign, against sums and polygons worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orepact.instance.instance import Instance
from orepact.market.deals import Deal
from orepact.market.horizon import Array
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import World
from tiny_instances import countries, facility, market_of, plant, project, rung, tiny, two_stages

FREE: dict[str, int] = {}
KG = 1000.0
"""USD/kg in USD/t."""


def path(market: Market, rungs: dict[str, int]) -> Path:
    """The same rung throughout for the products named, free trade for the others."""
    world = market.world
    return Path(tuple((rungs.get(p, 0),) * world.horizon.periods for p in world.products))


def deals(instance: Instance, code: str = "new", rungs: dict[str, int] = FREE) -> tuple[World, tuple[Deal, ...]]:
    market = market_of(instance)
    f = facility(market.world, code)
    return market.world, market.deals(f, market.response_class(f, path(market, rungs)))


def signed(instance: Instance, contract: int, code: str = "new", rungs: dict[str, int] = FREE) -> tuple[World, Deal]:
    """The one deal with this contract (-1: a grant alone)."""
    world, found = deals(instance, code, rungs)
    (deal,) = [d for d in found if d.contract == contract and not d.plain]
    return world, deal


def corners(world: World, deal: Deal) -> list[tuple[float, float]]:
    """(t/a under contract, USD of grant), in order of size."""
    return sorted((round(float(h * world.mass_unit), 6) + 0.0, round(float(g * world.money_unit), 4) + 0.0) for h, g in deal.corners)


def usd_t(world: World, array: Array) -> Array:
    return np.asarray(array * world.price_unit)


# ---- the polygon ------------------------------------------------------------------------------
# Two years; 1000 t/a at 95 USD/t cost, 100,000 USD over ten years: 5,000 a year earned of 10,000 asked. A floor of 110 adds
# 10 USD per tonne and year, a grant saves a tenth of itself a year.
SHORTFALL = 2 * (1000 * (100 - 95) - 100_000 / 10)
FLOOR = {"contract": "floor", "products": "M", "strike": 110.0}


def needy(scenarios: list[dict[str, Any]] | None = None, shocks: list[dict[str, Any]] | None = None, **given: Any) -> Instance:
    """The project above with the floor on offer; cells of the project and of the contract, settings of owners."""
    contract = {**FLOOR, **given.pop("contract", {})}
    tables: dict[str, Any] = {
        "facilities": [project(**{"capacity": 1000.0, "opex": 95.0, "latest_start": 2026, **given.pop("cells", {})})],
        "contracts": [contract],
        **given.pop("tables", {}),
    }
    if scenarios:
        tables |= {"scenarios": scenarios, "shocks": shocks or []}
    return tiny(tables, years=(1, 1), owners={"grant_cap": 0.5, "rent_cap": 0.15, **given.pop("owners", {})}, **given)


def test_an_owner_signs_what_pays_its_way_and_no_more_than_the_rent_cap() -> None:
    world, deal = signed(needy(), 0)
    assert deal.value0 * world.money_unit == pytest.approx(SHORTFALL)
    assert deal.value1 * world.price_unit == pytest.approx(2 * (110 - 100))
    assert deal.valueg == pytest.approx(2 / 10)
    # 20 h + 0.2 g between 10,000 and 25,000 on 0..1000 t and 0..50,000 USD
    assert corners(world, deal) == [(0, 50_000), (500, 0), (750, 50_000), (1000, 0), (1000, 25_000)]


def test_a_grant_alone() -> None:
    assert [d.contract for d in deals(needy(owners={"grant_cap": 0.49}))[1]] == [0]
    world, deal = signed(needy(owners={"grant_cap": 0.6}), -1)
    assert corners(world, deal) == [(0, 50_000), (0, 60_000)]


def test_volume_limits_of_a_contract() -> None:
    world, deal = signed(needy(contract={"min_share": 0.6, "max_share": 0.8}, owners={"grant_cap": 0.0}), 0)
    assert corners(world, deal) == [(600, 0), (800, 0)]
    assert deals(needy(contract={"max_share": 0.49}, owners={"grant_cap": 0.0}))[1] == ()
    world, deal = signed(needy(contract={"min_share": 0.5, "max_share": 0.5}, owners={"grant_cap": 0.0}), 0)
    assert corners(world, deal) == [(500, 0)]


def test_the_hurdle_is_the_owners_own() -> None:
    world, deal = signed(needy(cells={"hurdle_rate": 0.1}, contract={"strike": 115.0}, owners={"grant_cap": 0.0}), 0)
    years = 1.1**-0.5 + 1.1**-1.5
    annuity = 100_000 * 0.1 / (1 - 1.1**-10)
    assert deal.value0 * world.money_unit == pytest.approx(years * (5000 - annuity))
    assert deal.value1 * world.price_unit == pytest.approx(years * 15)
    assert np.array(corners(world, deal)) == pytest.approx(np.array([((annuity - 5000) / 15, 0), (1000, 0)]))


def lenders(**owners: Any) -> Instance:
    """The same with lenders who look at a year of 90 USD/t that nobody expects: 6,000 a year is to be covered."""
    scenarios = [{"scenario": "s", "probability": 1.0}, {"scenario": "low", "probability": 0.0, "downside": True}]
    shocks = [{"scenario": "low", "kind": "price", "value": 0.9}]
    return needy(scenarios, shocks, owners={"cover": 1.2, "debt_share": 0.5, "debt_rate": 0.0, "debt_tenor": 10, **owners})


def test_lenders_want_debt_service_covered_in_every_downside() -> None:
    world, deal = signed(lenders(), 0)
    # at 90 the plant loses 5 a tonne and earns 15 under the contract: 15 h + 0.06 g >= 6,000, too
    service = 1.2 * 0.5 / 10
    assert deal.spare[0, 1] * world.money_unit == pytest.approx(-service * 100_000)
    assert deal.spare_h[0, 1] * world.price_unit == pytest.approx(110 - 95)
    assert deal.spare_g[0, 1] == pytest.approx(service)
    kink = 1500 / 0.09  # where 20 h + 0.2 g = 10,000 meets 15 h + 0.06 g = 6,000
    expected = [(200, 50_000), ((10_000 - 0.2 * kink) / 20, kink), (500, 0), (750, 50_000), (1000, 0), (1000, 25_000)]
    assert np.array(corners(world, deal)) == pytest.approx(np.array(sorted(expected)), rel=1e-6)


def test_lenders_wait_for_the_ramp() -> None:
    cells = {"capacity": 1000.0, "opex": 95.0, "latest_start": 2026}
    # A ramp of two years is not over when the second year begins: nobody asks. Output of 0.25 and 0.75 makes
    # -15,000 + 10 h + 0.2 g, and 500 t with the whole grant are enough.
    world, deal = signed(lenders().with_table("facilities", [project(**cells, ramp_up=2.0)]), 0)
    assert not world.tested.any()
    assert corners(world, deal) == [(500, 50_000), (1000, 25_000), (1000, 50_000)]
    # A ramp of one year: -12,500 + 15 h + 0.2 g to the owner, and in the second year 15 h + 0.06 g of 6,000 to lenders.
    world, deal = signed(lenders().with_table("facilities", [project(**cells, ramp_up=1.0)]), 0)
    assert world.tested[0, 0].tolist() == [[False, False], [True, True]]
    grant = 6500 / 0.14
    expected = [(200, 50_000), ((12_500 - 0.2 * grant) / 15, grant), (12_500 / 15, 0), (1000, 0), (1000, 50_000)]
    assert np.array(corners(world, deal)) == pytest.approx(np.array(expected), rel=1e-6)


def test_lenders_weigh_the_repeal_of_a_floor() -> None:
    scenarios = [{"scenario": "s", "probability": 1.0, "downside": True}]
    owners = {"cover": 1.2, "debt_share": 0.5, "debt_rate": 0.0, "debt_tenor": 10, "grant_cap": 0.0, "rent_cap": 10.0, "repeal_weight": 0.25}
    instance = needy(scenarios, owners=owners, tables={"ladder": [rung("floor", "reference", 108.0)]})
    world, deal = signed(instance, 0, rungs={"M": 1})
    # 13 a tonne at the floor of 108, 5 without it; the contract adds 2 and 10
    assert deal.spare[0, 0] * world.money_unit == pytest.approx(1000 * (0.75 * 13 + 0.25 * 5) - 6000)
    assert deal.spare_h[0, 0] * world.price_unit == pytest.approx(0.75 * 2 + 0.25 * 10)


def test_no_lenders_test_without_cover() -> None:
    assert corners(*signed(lenders(cover=0.0), 0)) == corners(*signed(needy(), 0))


def test_a_contract_that_costs_its_owner_is_dropped() -> None:
    assert [d.contract for d in deals(needy(contract={"strike": 90.0, "upside_share": 0.5, "ceiling": 95.0}, owners={"grant_cap": 0.6}))[1]] == [-1]


def test_who_would_build_anyway_gets_no_support() -> None:
    rich = needy(cells={"capex": 50_000.0})
    world, found = deals(rich)
    assert [(d.contract, d.plain) for d in found] == [(-1, True)]
    assert found[0].value0 * world.money_unit == pytest.approx(0, abs=1e-6)
    market = market_of(rich)
    assert market.would_build_anyway(0)
    # not even where a path makes it worse off
    poor = market_of(needy(cells={"capex": 50_000.0, "process": "smelt"}, tables=ORE_LADDER))
    assert poor.would_build_anyway(0)
    assert poor.deals(0, poor.response_class(0, path(poor, {"O": 1}))) == ()


ORE_LADDER: dict[str, Any] = {
    "products": [{"product": k, "mineral": "m", "stage": k} for k in ("O", "M")],
    "prices": [{"product": "O", "year": 2026, "price": 10.0}, {"product": "M", "year": 2026, "price": 120.0}],
    "processes": [{"process": "smelt"}],
    "process_flows": [{"process": "smelt", "product": "M", "amount": 1.0}, {"process": "smelt", "product": "O", "amount": -2.0}],
    "ladder": [rung("floor", "reference", 12.0, product="O")],
}


def test_additionality_looks_at_every_start_and_at_lenders() -> None:
    later = [{"product": "M", "year": year, "price": price} for year, price in ((2026, 90.0), (2027, 120.0))]
    start = {"latest_start": 2027}
    assert market_of(needy(cells=start, tables={"prices": later})).would_build_anyway(0)
    refused = lenders().with_table("prices", [{"product": "M", "year": 2026, "price": 105.5}])
    assert not market_of(refused).would_build_anyway(0)  # 10.5 earned of 10, but 0 of 6 in the low year
    assert market_of(refused.with_setting("owners.cover", 0.0)).would_build_anyway(0)


def test_margins_count_inputs_by_products_and_premium() -> None:
    market = market_of(two_stages({"facilities": [plant(process="smelt", quality_premium=3.0)]}))
    response = market.free_response(0)
    assert usd_t(market.world, response.margin).tolist() == [[pytest.approx(100 - 2 * 10 + 3 - 40)]]
    assert usd_t(market.world, response.main_price).tolist() == [[pytest.approx(100)]]


def test_a_plant_runs_when_it_just_pays_its_cash_cost() -> None:
    for opex, runs in ((99.0, True), (100.0, True), (100.001, False)):
        assert bool(market_of(tiny({"facilities": [plant(opex=opex)]})).free_response(0).runs[0, 0]) == runs


def test_a_floor_at_the_mine_alone_raises_refiners_cost_and_shuts_them() -> None:
    instance = two_stages({"facilities": [plant(process="smelt", opex=75.0)], "ladder": [rung("floor", "reference", 14.0, product="O")]})
    market = market_of(instance)
    free, floored = (market.response(0, market.response_class(0, path(market, rungs))) for rungs in (FREE, {"O": 1}))
    assert float(usd_t(market.world, floored.margin - free.margin)[0, 0]) == pytest.approx(-2 * (14 - 10))
    assert (bool(free.runs[0, 0]), bool(floored.runs[0, 0])) == (True, False)


def test_paths_that_a_plant_cannot_tell_apart_are_one_response_class() -> None:
    ladder = [rung("low", "reference", 90.0), rung("floor", "reference", 110.0, step=2), rung("least", "minimum", 110.0, step=3)]
    tables = {"facilities": [plant(), plant(facility="mine", process="dig")], "ladder": ladder}
    tables["products"] = [{"product": k, "mineral": "m", "stage": k} for k in ("M", "O")]
    tables["prices"] = [{"product": k, "year": 2026, "price": 100.0} for k in ("M", "O")]
    tables["processes"] = [{"process": p} for p in ("make", "dig")]
    tables["process_flows"] = [{"process": p, "product": k, "amount": 1.0} for p, k in (("make", "M"), ("dig", "O"))]
    market = market_of(tiny(tables))
    classes = [market.response_class(0, path(market, {"M": l})) for l in range(4)]
    assert classes[0] == classes[1] != classes[2] == classes[3]
    assert len({market.response_class(1, path(market, {"M": l})) for l in range(4)}) == 1


# ---- support ----------------------------------------------------------------------------------
def support(price: float, opex: float = 40.0, capacity: float = 5000.0, **terms: Any) -> float:
    """s in USD/t of the only contract for a running plant."""
    contract = {"contract": "c", "products": "M", **terms}
    prices = [{"product": "M", "year": 2026, "price": price}]
    market = market_of(tiny({"facilities": [plant(opex=opex, capacity=capacity)], "contracts": [contract], "prices": prices}))
    return float(usd_t(market.world, market.support(0, 0, market.free_response(0)))[0, 0])


def test_a_floor_of_110_at_60_pays_250_million() -> None:
    assert support(60 * KG, opex=50 * KG, strike=110 * KG) * 5000 == pytest.approx(250e6)


@pytest.mark.parametrize(("price", "back"), [(150, 0.0), (155, 7.5e6), (156.66, 9.99e6), (156.67, 10e6), (160, 10e6), (400, 10e6)])
def test_thirty_per_cent_above_150_is_capped_at_10_million(price: float, back: float) -> None:
    shared = {"strike": 110 * KG, "upside_share": 0.3, "ceiling": 150 * KG, "yearly_cap": 10e6}
    assert -support(price * KG, opex=40 * KG, **shared) * 5000 == pytest.approx(back)
    assert 10e6 / (0.3 * 5000) + 150 * KG == pytest.approx(156_666.67)


def test_the_cap_holds_at_its_reference_volume() -> None:
    shared = {"strike": 110.0, "upside_share": 0.5, "ceiling": 120.0, "yearly_cap": 1000.0}
    assert support(160.0, max_share=0.5, **shared) == pytest.approx(-1000 / 2500)
    assert support(160.0, reference_volume=100.0, **shared) == pytest.approx(-1000 / 100)


def test_a_strike_below_the_price_pays_nothing() -> None:
    assert support(100.0, strike=90.0) == 0
    assert support(100.0, strike=100.0) == 0


def test_upside_is_shared_above_the_ceiling_or_else_the_strike() -> None:
    assert support(100.0, strike=90.0, upside_share=0.3) == pytest.approx(-0.3 * 10)
    assert support(100.0, strike=90.0, ceiling=95.0, upside_share=0.3) == pytest.approx(-0.3 * 5)
    assert support(80.0, strike=90.0, upside_share=0.3) == pytest.approx(10)


def test_a_premium_is_paid_at_any_price() -> None:
    assert support(100.0, premium=7.0) == pytest.approx(7)
    assert support(100.0, premium=7.0, strike=110.0) == pytest.approx(7 + 10)
    assert support(100.0, premium=7.0, upside_share=0.5, ceiling=90.0) == pytest.approx(7 - 5)


def test_nobody_pays_back_more_than_it_earns() -> None:
    assert support(100.0, opex=98.0, strike=50.0, upside_share=1.0) == pytest.approx(-(100 - 98))
    assert support(100.0, opex=101.0, strike=50.0, upside_share=1.0) == 0


# ---- what a deal does -------------------------------------------------------------------------
def test_what_is_paid_and_made_per_tonne_under_contract() -> None:
    world, deal = signed(lenders(), 0)
    assert usd_t(world, deal.pay).tolist() == [[pytest.approx(10), pytest.approx(20)]] * 2
    assert deal.extra.tolist() == [[0, 1], [0, 1]]  # at 90 it runs for the contract only
    assert deal.stockpiled.tolist() == [0, 0]


def test_a_contract_is_not_paid_where_even_it_does_not_make_the_plant_run() -> None:
    scenarios = [{"scenario": "s", "probability": 0.9}, {"scenario": "war", "probability": 0.1}]
    shocks = [{"scenario": "war", "kind": "price", "value": 0.2}]
    contract = {"strike": None, "premium": 60.0}
    world, deal = signed(needy(scenarios, shocks, contract=contract, owners={"grant_cap": 0.0, "rent_cap": 100.0}), 0)
    assert usd_t(world, deal.pay).tolist() == [[pytest.approx(60), 0]] * 2  # 20 + 60 < 95


def test_a_window_ends_the_contract_but_not_the_plant() -> None:
    world, deal = signed(needy(contract={"window": 1.5, "strike": 130.0}, owners={"rent_cap": 10.0}), 0)
    assert usd_t(world, deal.pay).tolist() == [[pytest.approx(30)], [pytest.approx(0.5 * 30)]]
    assert deal.value1 * world.price_unit == pytest.approx(30 + 15)
    assert deal.value0 * world.money_unit == pytest.approx(SHORTFALL)


def test_stockpiled_tonnes_are_those_of_the_reference_scenario() -> None:
    scenarios = [{"scenario": "s", "probability": 0.9}, {"scenario": "slow", "probability": 0.1}]
    shocks = [{"scenario": "slow", "kind": "output", "value": 0.5}]
    tables = {"stockpiles": [{"product": "M", "max_purchase": 1000.0}]}
    world, deal = signed(needy(scenarios, shocks, contract={"stockpiled": True, "window": 1.5}, tables=tables, owners={"rent_cap": 10.0}), 0)
    assert deal.stockpiled.tolist() == pytest.approx([1, 0.5])
    assert (world.scenarios[world.reference], deal.extra.any()) == ("s", np.False_)


def test_foreign_rent_is_linear_between_corners() -> None:
    instance = needy(cells={"foreign_share": 0.4, "hurdle_rate": 0.1}, contract={"strike": 115.0}, owners={"grant_cap": 0.0, "rent_cap": 10.0})
    world, deal = signed(instance, 0)
    # at a social rate of 0 the owner of h tonnes keeps 2 (15 h - 5,000), of which four tenths leave: everywhere, as it asks for 10 %
    rents = {h: rent for (h, _), rent in zip(corners(world, deal), sorted(deal.rent * world.money_unit), strict=True)}
    assert rents == pytest.approx({h: 0.4 * 2 * (15 * h - 5000) for h in rents}, abs=1e-2)
    assert rents[1000.0] == pytest.approx(0.4 * 20_000)
    # at 12 % society asks for more than the owner does: the polygon is split where nothing is left
    world, deal = signed(instance.with_setting("economics.social_rate", 0.12), 0)
    years, annuity = 1.12**-0.5 + 1.12**-1.5, 100_000 * 0.12 / (1 - 1.12**-10)
    zero = (annuity - 5000) / 15
    assert [h for h, _ in corners(world, deal)][1] == pytest.approx(zero)
    assert sorted(float(r * world.money_unit) for r in deal.rent) == pytest.approx([0, 0, 0, 0.4 * years * 15 * (1000 - zero)], abs=1e-6)


# ---- who is asked, who pays -------------------------------------------------------------------
def test_contracts_are_offered_by_product_and_country() -> None:
    menu = [
        {"contract": "all", "products": "*", "premium": 1.0},
        {"contract": "ore", "products": "O", "premium": 1.0},
        {"contract": "both", "products": "O;M", "premium": 1.0},
        {"contract": "france", "products": "M", "countries": "FRA", "premium": 1.0},
        {"contract": "europe", "products": "M", "countries": "EU;USA", "premium": 1.0},
        {"contract": "japan", "products": "M", "countries": "JPN", "premium": 1.0},
    ]
    who = countries(USA="member", EU="member", FRA="member:EU", JPN="member", CHN="outside")
    plants = [plant(process="smelt", country="FRA"), plant(facility="eu", process="smelt", country="EU")]
    market = market_of(two_stages({"countries": who, "contracts": menu, "facilities": plants}))
    offered = [[menu[n]["contract"] for n in market.offered_contracts(f)] for f in range(2)]
    assert offered == [["all", "both", "france", "europe"], ["all", "both", "europe"]]


def test_the_host_pays_or_any_member_for_a_partners_plant() -> None:
    who = countries(USA="member", EU="member", FRA="member:EU", AUS="partner", CHN="outside")
    plants = [plant(facility=c, country=c) for c in ("USA", "FRA", "AUS")]
    refused = [{"member": "EU", "instrument": "grant"}]
    market = market_of(tiny({"countries": who, "facilities": plants, "refusals": refused}))
    assert [[market.world.nodes[m] for m in market.payers(f)] for f in range(3)] == [["USA"], ["EU"], ["USA", "EU"]]
    assert [market.refuses(m, "grant") for m in range(2)] == [False, True]
    assert not market.refuses(1, "offtake")


def test_grants_are_limited_by_the_host_or_else_its_treasury() -> None:
    who = countries(USA="member", EU="member", FRA="member:EU", CHN="outside")
    limits = [{"country": "EU", "grant_share": 0.4, "grant_max": 30_000.0}, {"country": "FRA", "grant_share": 0.2}]
    plants = [project(facility=c, country=c) for c in ("USA", "EU", "FRA")]
    market = market_of(tiny({"countries": who, "facilities": plants, "aid_limits": limits}, owners={"grant_cap": 0.1}))
    assert [market.grant_limit(f) * market.world.money_unit for f in range(3)] == pytest.approx([10_000, 30_000, 20_000])
    alone = market_of(tiny({"countries": who, "facilities": plants, "aid_limits": limits[:1]}))
    assert alone.grant_limit(2) * alone.world.money_unit == pytest.approx(30_000)


# ---- existing plants --------------------------------------------------------------------------
def test_an_existing_plant_signs_only_what_makes_it_run() -> None:
    menu = [
        {"contract": "floor", "products": "M", "strike": 110.0, "existing": True, "min_share": 0.2, "max_share": 0.8},
        {"contract": "low", "products": "M", "strike": 104.0, "existing": True},
        {"contract": "new", "products": "M", "strike": 110.0},
        {"contract": "whole", "products": "M", "strike": 110.0, "existing": True},
    ]
    world, found = deals(tiny({"facilities": [plant(opex=105.0)], "contracts": menu}), "old")
    assert [(d.contract, corners(world, d)) for d in found] == [(-1, [(0, 0)]), (0, [(100, 0), (400, 0)]), (3, [(500, 0)])]
    assert (found[1].extra.tolist(), usd_t(world, found[1].pay).tolist()) == ([[1]], [[pytest.approx(10)]])
    assert [d.contract for d in deals(tiny({"facilities": [plant(opex=95.0)], "contracts": menu}), "old")[1]] == [-1]


def test_a_contract_on_an_old_plant_counts_from_the_horizons_first_year() -> None:
    menu = [{"contract": "floor", "products": "M", "strike": 110.0, "existing": True, "window": 1.0}]
    _, found = deals(tiny({"facilities": [plant(opex=105.0)], "contracts": menu}, years=(2, 2)), "old")
    assert found[1].extra.tolist() == [[0.5], [0]]


def test_a_loss_that_a_contract_would_bring_over_the_years_is_not_signed() -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "boom", "probability": 0.5}]
    shocks = [{"scenario": "boom", "kind": "price", "value": 1.3}]
    shared = {"contract": "shared", "products": "M", "strike": 106.0, "upside_share": 0.5, "existing": True}
    tables = {"facilities": [plant(opex=105.0)], "contracts": [shared], "scenarios": scenarios, "shocks": shocks}
    # gains 1 where it stood still, gives 12 of 25 at a price of 130
    assert [d.contract for d in deals(tiny(tables), "old")[1]] == [-1]
    tables["contracts"] = [{**shared, "upside_share": 0.04}]
    assert [d.contract for d in deals(tiny(tables), "old")[1]] == [-1, 0]
