"""Where feed is short, how sources share a market, where supply is cut: tests on the data, path by path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.permissions import Scarcity, Sharing, feed_is_cut, scarcity, sharing
from tiny_instances import countries, facility, market_of, plant, project, rung, sellers, source, tiny, two_stages

WHO = countries(USA="member", CHN="outside", CHL="outside", MMR="outside")


def amounts(market: Market, tonnes: Any) -> dict[str, list[list[float]]]:
    """(K, T, W) in t/a by product."""
    return {p: (tonnes[k] * market.world.mass_unit).tolist() for k, p in enumerate(market.world.products)}


# ---- scarcity ---------------------------------------------------------------------------------
def looked_at(market: Market, path: Path) -> Scarcity:
    """The data tests of one path, without the axis of paths."""
    found = scarcity(market, [path], range(len(market.world.products)))
    return Scarcity(found.supply[0], found.own[0], found.need[0], found.reachable[0])


def feeding(ore: float, **tables: Any) -> Market:
    """A smelter of 300 t and a project of 200 t, two tonnes of ore each; a mine of 100 t and ore from outside."""
    plants = [
        plant(process="smelt", capacity=300.0),
        project(process="smelt", capacity=200.0, lead_time=1.0, ramp_up=2.0),
        plant(facility="mine", process="mine", capacity=100.0, opex=5.0),
    ]
    supply = [*sellers("M", CHN=10_000.0), *sellers("O", CHN=ore)]
    return market_of(two_stages({"facilities": plants, "outside_supply": supply, **tables}, years=(2, 2)))


def test_feed_is_short_where_supply_and_mines_fall_below_what_plants_could_take() -> None:
    found = looked_at(market := feeding(ore=700.0), market.free)
    project_takes = [2 * 200 * 0.25 / 2, 2 * 200 * (0.75 + 1) / 2]  # started at once; a later start makes less
    assert amounts(market, found.supply)["O"] == [[700], [700]]
    assert amounts(market, found.own) == {"O": [[100], [100]], "M": [[300], [300]]}
    assert amounts(market, found.need)["O"] == [[pytest.approx(2 * 300 + x)] for x in project_takes]
    assert amounts(market, found.need)["M"] == [[1000], [1000]]
    assert found.short[0].tolist() == [[False], [True]]  # 800 of 650 and of 950


@pytest.mark.parametrize(("ore", "short"), [(849.0, True), (850.0, False)])
def test_just_enough_feed_is_enough(ore: float, short: bool) -> None:
    market = feeding(ore)
    assert bool(looked_at(market, market.free).short[0, 1, 0]) == short


def test_only_plants_that_run_on_the_path_count() -> None:
    # a floor of 29 on ore leaves the smelter 100 - 2 * 29 - 40 = 2 USD/t, one of 31 shuts it
    ladder = [rung("29", "reference", 29.0, product="O"), rung("31", "reference", 31.0, step=2, product="O")]
    market = feeding(700.0, ladder=ladder)
    free, mild, dear = (looked_at(market, Path(((n, n), (0, 0)))) for n in range(3))
    assert amounts(market, mild.need) == amounts(market, free.need)
    assert amounts(market, dear.need)["O"][1] == [pytest.approx(350)]  # the project may find other support
    assert amounts(market, dear.own) == {"O": [[100], [100]], "M": [[0], [0]]}


def test_demand_on_the_path_is_what_is_left_at_its_price() -> None:
    market = market_of(tiny({"ladder": [rung("duty", "tariff", 0.25)]}, product={"elasticity": 1.0}))
    assert amounts(market, looked_at(market, Path(((1,),))).need)["M"] == [[pytest.approx(1000 / 1.25)]]


def test_who_is_shut_out_supplies_nothing() -> None:
    supply = sellers(CHN=2000.0, MMR={"available": 500.0, "compliant": False})
    market = market_of(tiny({"countries": WHO, "outside_supply": supply, "ladder": [rung("clean", "standard", 0.1)]}))
    assert [amounts(market, looked_at(market, Path(((n,),))).supply)["M"] for n in range(2)] == [[[2500]], [[2000]]]


# ---- sharing ----------------------------------------------------------------------------------
SHARES = {"CHN": 0.6, "CHL": 0.3, "MMR": 0.1}


def shares(available: dict[str, float], demand: float, *, band: float = 0.05, row: int = 0, **more: Any) -> tuple[dict[str, Any], Market]:
    """Limits by country (CHN dominates), and the most that they let in, t/a."""
    given = more.pop("shares", SHARES)
    cells: dict[str, Any] = {c: {"available": a, **({} if given.get(c) is None else {"base_share": given[c]}), **more.pop(c, {})} for c, a in available.items()}
    tables = {
        "countries": WHO,
        "outside_supply": sellers(**cells),
        "demand": [{"country": "USA", "product": "M", "year": 2026, "demand": demand}],
        **more.pop("tables", {}),
    }
    product = {"dominant": "CHN"} if more.pop("dominant", True) else {}
    market = market_of(tiny(tables, product=product, trade={"band": band}))
    return told(market, sharing(market.world, market.ladders[0], row, 0, more.pop("w", 0))), market


def told(market: Market, found: Sharing) -> dict[str, Any]:
    name = {o: s.country for o, s in enumerate(market.world.sources)}
    return {
        "residual": None if found.residual is None else name[found.residual],
        "upper": {name[o]: pytest.approx(x) for o, x in found.upper.items()},
        "lower": {name[o]: pytest.approx(x) for o, x in found.lower.items()},
        "most": pytest.approx(found.most * market.world.mass_unit),
    }


def test_everyone_but_the_dominant_source_keeps_its_share() -> None:
    found, _ = shares({"CHN": 800.0, "CHL": 400.0, "MMR": 300.0}, 900.0)
    assert found == {"residual": "CHN", "upper": {"CHL": 0.35, "MMR": 0.15}, "lower": {"CHL": 0.25, "MMR": 0.05}, "most": (800 + 400) / 0.85}


def test_bands_limit_what_can_come_in() -> None:
    found, _ = shares({"CHN": 400.0, "CHL": 1000.0, "MMR": 1000.0}, 700.0)
    assert found["most"] == 800  # 400 + 0.35 IM + 0.15 IM = IM


def test_lower_limits_fall_for_who_cannot_deliver() -> None:
    found, _ = shares({"CHN": 600.0, "CHL": 200.0, "MMR": 100.0}, 1000.0)
    assert found["lower"] == {"MMR": 0.05}  # 0.25 of the 900 t on offer is more than Chile's 200


def test_what_plants_could_take_in_counts_as_wanted() -> None:
    tables: dict[str, Any] = {
        "products": [{"product": k, "mineral": "m", "stage": k, "dominant": "CHN"} for k in ("M", "part")],
        "prices": [{"product": k, "year": 2026, "price": 100.0} for k in ("M", "part")],
        "process_flows": [{"process": "make", "product": "part", "amount": 1.0}, {"process": "make", "product": "M", "amount": -1.0}],
        "facilities": [plant(capacity=500.0, availability=0.5)],
    }
    assert shares({"CHN": 300.0, "CHL": 1000.0}, 100.0)[0]["upper"] != {}
    assert shares({"CHN": 300.0, "CHL": 1000.0}, 100.0, tables=tables)[0]["lower"] == {"CHL": pytest.approx(0.3 / 0.9 - 0.05)}
    # 0.283 of 600 t is more than 150
    assert shares({"CHN": 1500.0, "CHL": 150.0}, 100.0, tables=tables)[0]["lower"] == {}
    assert shares({"CHN": 1500.0, "CHL": 150.0}, 100.0)[0]["lower"] != {}


def test_upper_limits_fall_where_the_dominant_source_cannot_fill_in() -> None:
    assert shares({"CHN": 349.0, "CHL": 500.0, "MMR": 500.0}, 700.0)[0]["upper"] == {}  # 0.5 of 700
    assert shares({"CHN": 350.0, "CHL": 500.0, "MMR": 500.0}, 700.0)[0]["upper"] != {}


def cut(country: str) -> dict[str, Any]:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "cut", "probability": 0.5, "normal": True}]
    return {"scenarios": scenarios, "shocks": [{"scenario": "cut", "kind": "supply", "country": country, "value": 0.9}]}


def test_a_cut_frees_who_is_cut_and_who_must_fill_in() -> None:
    available = {"CHN": 2000.0, "CHL": 900.0, "MMR": 900.0}
    found, _ = shares(available, 900.0, tables=cut("CHL"), w=1)
    assert found == {"residual": "CHN", "upper": {"CHL": 0.35, "MMR": 0.15}, "lower": {"MMR": 0.05}, "most": (2000 + 0.9 * 900) / 0.85}
    found, _ = shares(available, 900.0, tables=cut("CHN"), w=1)
    assert (found["upper"], found["lower"]) == ({}, {"CHL": 0.25, "MMR": 0.05})


def test_no_limits_outside_normal_scenarios_or_with_one_seller() -> None:
    tables = cut("CHL")
    tables["scenarios"][1] = {"scenario": "cut", "probability": 0.5}
    found, _ = shares({"CHN": 400.0, "CHL": 400.0}, 700.0, tables=tables, w=1)
    assert found == {"residual": "CHN", "upper": {}, "lower": {}, "most": 760}
    found, _ = shares({"CHN": 400.0}, 700.0)
    assert found == {"residual": "CHN", "upper": {}, "lower": {}, "most": 400}


def test_shares_are_those_of_who_sells() -> None:
    found, _ = shares({"CHN": 900.0, "CHL": 900.0, "MMR": 900.0}, 700.0, MMR={"cost": 101.0})
    assert found["upper"] == {"CHL": pytest.approx(0.3 / 0.9 + 0.05)}
    assert found["lower"] == {"CHL": pytest.approx(0.3 / 0.9 - 0.05)}


def test_without_a_dominant_source_that_sells_the_largest_is_the_residual() -> None:
    available = {"CHN": 2000.0, "CHL": 2000.0, "MMR": 2000.0}
    assert shares(available, 900.0, dominant=False)[0]["residual"] == "CHN"
    found = shares(available, 900.0, dominant=False, shares={"CHN": 0.2, "CHL": 0.5, "MMR": 0.3})[0]
    assert (found["residual"], found["upper"]) == ("CHL", {"CHN": 0.25, "MMR": 0.35})
    # a tariff that shuts the dominant source out leaves no upper limits
    tables = {"ladder": [rung("duty", "tariff", 0.2, origins="CHN")]}
    found = shares(available, 900.0, tables=tables, row=1)[0]
    assert (found["residual"], found["upper"], found["lower"]) == ("CHL", {}, {"MMR": pytest.approx(0.25 - 0.05)})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"CHL": 0.3, "MMR": 0.2}),  # by availability: 500, 300, 200 t
        ({"CHN": 0.6}, {"CHL": 0.4 * 0.6, "MMR": 0.4 * 0.4}),
        ({"CHN": 0.6, "CHL": 0.3}, {"CHL": 0.3, "MMR": 0.1}),
        ({"CHN": 0.5, "CHL": 0.25, "MMR": 0.05}, {"CHL": 0.25 / 0.8, "MMR": 0.05 / 0.8}),  # of those who sell
    ],
)
def test_blank_shares_are_filled_by_availability(given: dict[str, float], expected: dict[str, float]) -> None:
    found, _ = shares({"CHN": 500.0, "CHL": 300.0, "MMR": 200.0}, 300.0, band=0.0, shares=given)
    assert found["upper"] == {c: pytest.approx(s) for c, s in expected.items()}


AVAILABLE = st.integers(1, 2000).map(float)
_, THREE = shares({"CHN": 1.0, "CHL": 1.0, "MMR": 1.0}, 1.0)


@given(st.tuples(AVAILABLE, AVAILABLE, AVAILABLE), st.integers(0, 10), st.integers(1, 10), st.integers(1, 3000))
def test_the_most_that_bands_let_in_is_the_last_that_fits(available: tuple[float, ...], chl: int, mmr: int, demand: int) -> None:
    sources = tuple(
        replace(s, available=np.full((1, 1), a), base_share=b) for s, a, b in zip(THREE.world.sources, available, (0.4, chl / 100, mmr / 100), strict=True)
    )
    world = replace(THREE.world, sources=sources, demand=np.full_like(THREE.world.demand, float(demand)))
    found = sharing(world, THREE.ladders[0], 0, 0, 0)

    def fits(imports: float) -> bool:
        return sum(min(a, found.upper.get(o, 1e9) * imports) for o, a in enumerate(available)) >= imports

    assert fits(found.most * (1 - 1e-9))
    assert found.most == pytest.approx(sum(available)) or not any(fits(found.most * more) for more in (1.0001, 1.1, 2, 10))


# ---- cut feed ---------------------------------------------------------------------------------
def test_feed_is_cut_by_a_ban_or_an_outage_at_any_stage_upstream() -> None:
    scenarios = [{"scenario": w, "probability": 0.25} for w in ("s", "ban", "mine", "metal")]
    shocks = [
        {"scenario": "ban", "kind": "supply", "product": "O", "country": "CHN", "value": 0.5, "first_year": 2027},
        {"scenario": "mine", "kind": "output", "facility": "mine", "value": 0.5},
        {"scenario": "metal", "kind": "supply", "product": "M", "country": "CHN", "value": 0.5},
    ]
    plants = [plant(process="smelt"), plant(facility="mine", process="mine", opex=5.0)]
    world = market_of(two_stages({"scenarios": scenarios, "shocks": shocks, "facilities": plants}, years=(1, 1))).world
    found = feed_is_cut(world)
    assert found[facility(world, "old")].tolist() == [[False, False, True, False], [False, True, True, False]]
    assert not found[facility(world, "mine")].any()
    assert world.sources[source(world, "CHN", "M")].available[0, 3] < world.sources[source(world, "CHN", "M")].available[0, 0]


def test_a_delay_upstream_cuts_feed() -> None:
    scenarios = [{"scenario": w, "probability": 0.5} for w in ("s", "late")]
    shocks = [{"scenario": "late", "kind": "delay", "facility": "new", "value": 1.0}]
    plants = [plant(process="smelt"), project(process="mine", opex=5.0, latest_start=2026)]
    world = market_of(two_stages({"scenarios": scenarios, "shocks": shocks, "facilities": plants}, years=(1, 1))).world
    assert feed_is_cut(world)[0].tolist() == [[False, True], [False, False]]
