"""What a scenario does to prices, demand, supply and output, and to the order of events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orepact.market.shocks import Shocks
from orepact.market.world import World, world_of
from tiny_instances import Row, Tables, countries, facility, plant, project, rung, sellers, source, tiny, two_stages


def shocked(shocks: Sequence[Row], tables: Tables | None = None) -> World:
    """The tiny world, 2026 to 2029, with a second scenario "w" of these shocks."""
    scenarios = [{"scenario": "s", "probability": 0.6}, {"scenario": "w", "probability": 0.4}]
    return world_of(tiny({"scenarios": scenarios, "shocks": [{"scenario": "w", **s} for s in shocks], **(tables or {})}, years=(2, 2)))


def prices(world: World, w: int = 1) -> list[float]:
    return [float(x) for x in world.price[0, :, w] * world.price_unit]


def test_multipliers_multiply_in_the_years_they_name() -> None:
    world = shocked([{"kind": "price", "value": 0.5, "first_year": 2027}, {"kind": "price", "product": "M", "value": 3.0, "last_year": 2027}])
    assert prices(world, 0) == pytest.approx([100, 100])
    assert prices(world) == pytest.approx([(300 + 150) / 2, 50])


def test_the_last_price_case_wins_in_its_years() -> None:
    given = [{"product": "M", "case": case, "year": 2026, "price": price} for case, price in (("base", 100.0), ("boom", 200.0), ("bust", 20.0))]
    cases: list[Row] = [{"kind": "price_case", "case": "boom"}, {"kind": "price_case", "case": "bust", "first_year": 2029}, {"kind": "price", "value": 0.5}]
    assert prices(shocked(cases, {"prices": given})) == pytest.approx([100, (100 + 10) / 2])
    unknown = [{"product": "M", "case": "base", "year": 2026, "price": 100.0}, {"product": "N", "case": "boom", "year": 2026, "price": 9.0}]
    products = [{"product": k, "mineral": "m", "stage": "metal"} for k in ("M", "N")]
    base = {"product": "N", "case": "base", "year": 2026, "price": 7.0}
    assert prices(shocked(cases[:1], {"prices": [*unknown, base], "products": products})) == pytest.approx([100, 100])  # no boom for M


def test_demand_of_one_country_may_surge() -> None:
    wanted = [{"country": c, "product": "M", "year": 2026, "demand": 1000.0} for c in ("EU", "FRA", "USA")]
    wanted.append({"country": "USA", "product": "M", "case": "surge", "year": 2026, "demand": 1700.0})
    who = countries(USA="member", EU="member", FRA="member:EU", CHN="outside")
    world = shocked([{"kind": "demand", "country": "FRA", "value": 1.5}, {"kind": "demand_case", "case": "surge"}], {"countries": who, "demand": wanted})
    found = {world.nodes[i]: world.demand[i, 0, 0, 1] * world.mass_unit for i in range(2)}
    assert found == pytest.approx({"USA": 1700, "EU": 1000 + 1500})


def test_supply_is_cut_by_country_and_product_and_the_scenario_is_not_normal() -> None:
    who = countries(USA="member", CHN="outside", CHL="outside")
    tables = {"countries": who, "outside_supply": sellers(CHN=400.0, CHL=200.0)}
    world = shocked([{"kind": "supply", "country": "CHN", "value": 0.25, "first_year": 2027}], tables)
    left = world.sources[source(world, "CHN")].available[:, 1] * world.mass_unit
    assert left.tolist() == pytest.approx([(400 + 100) / 2, 100])
    assert (world.sources[source(world, "CHL")].available[:, 1] * world.mass_unit).tolist() == pytest.approx([200, 200])
    assert world.normal.tolist() == [True, False]
    assert world.longest_cut[0].tolist() == [0, 3]


def test_more_supply_leaves_a_scenario_normal() -> None:
    assert shocked([{"kind": "supply", "value": 1.2}]).normal.tolist() == [True, True]


def test_a_cut_upstream_counts_as_long_for_what_is_made_of_it() -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "w", "probability": 0.5}]
    shock = {"scenario": "w", "kind": "supply", "product": "O", "value": 0.0, "first_year": 2025, "last_year": 2027}
    smelter = plant(process="smelt")
    world = world_of(two_stages({"scenarios": scenarios, "shocks": [shock], "facilities": [smelter]}, years=(2, 2)))
    assert world.longest_cut[:, 1].tolist() == [2, 2]  # 2026 and 2027; 2025 is before the horizon
    assert world_of(two_stages({"scenarios": scenarios, "shocks": [shock]}, years=(2, 2))).longest_cut[:, 1].tolist() == [2, 0]


def test_output_falls_at_the_plants_named() -> None:
    plants = [plant(), plant(facility="other")]
    shocks: list[Row] = [{"kind": "output", "facility": "old", "value": 0.6}, {"kind": "output", "country": "USA", "value": 0.5, "last_year": 2026}]
    world = shocked(shocks, {"facilities": plants})
    assert world.output[facility(world, "old"), 0, :, 1].tolist() == pytest.approx([(0.3 + 0.6) / 2, 0.6])
    assert world.output[facility(world, "other"), 0, :, 1].tolist() == pytest.approx([0.75, 1])
    assert world.output[:, 0, :, 0].min() == 1


def test_delays_add_up_and_ignore_years() -> None:
    late = [{"kind": "delay", "value": 1.0, "first_year": 2040}, {"kind": "delay", "facility": "new", "value": 0.5}]
    world = shocked(late, {"facilities": [project(lead_time=1.0)]})
    assert world.first_output[0, 0].tolist() == [2027, 2028.5]
    assert world.output[0, 0, :, 1].tolist() == pytest.approx([0, 1.5 / 2])


def test_repeal_covers_periods_that_begin_in_its_years() -> None:
    world = shocked([{"kind": "repeal", "first_year": 2027}], {"ladder": [rung("r", "tariff", 0.1)]})
    assert world.repealed.tolist() == [[False, False], [False, True]]


def test_a_blank_scenario_changes_nothing() -> None:
    world = shocked([])
    assert prices(world) == prices(world, 0)
    assert Shocks.of([], ("s",), world.horizon).multiplier(0, "price", product="M").tolist() == [1, 1, 1, 1]
