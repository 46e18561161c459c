"""What each kind of rung does to prices, sources, levies and demand, with the sum written out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orepact.market.ladder import Ladder, demand_response, ladders_of
from orepact.market.world import World, world_of
from tiny_instances import Row, Tables, countries, plant, rung, sellers, tiny

WHO = countries(USA="member", CHN="outside", CHL="outside", MMR="outside")
SUPPLY = sellers(CHN=2000.0, CHL={"available": 300.0, "cost": 120.0}, MMR={"available": 200.0, "cost": 105.0, "compliant": False})
"""China sells at the world price of 100, Myanmar from 105 (to no standard), Chile from 120."""


@dataclass(frozen=True)
class Seen:
    """One rung in one period and scenario, in USD/t, by country."""

    world: World
    ladder: Ladder
    rung: int
    t: int = 0
    w: int = 0

    def usd(self, array: Any) -> float:
        return float(array[self.rung, self.t, self.w] * self.world.price_unit)

    @property
    def price(self) -> float:
        return self.usd(self.ladder.price)

    @property
    def levy(self) -> float:
        return self.usd(self.ladder.levy)

    @property
    def paid(self) -> dict[str, float]:
        """What members pay each source that sells."""
        found = {}
        for x, o in enumerate(self.ladder.sources):
            if self.ladder.selling[self.rung, x, self.t, self.w]:
                dutiable = self.ladder.dutiable[self.rung, x]
                found[self.world.sources[o].country] = self.usd(self.ladder.paid_dutiable if dutiable else self.ladder.paid_exempt)
        return found


def seen(row: Row | None, tables: Tables | None = None, *, t: int = 0, w: int = 0, years: tuple[int, ...] = (1,)) -> Seen:
    """The tiny world's only rung besides free trade (or free trade itself); nine tenths of levies reach the treasury."""
    given = {"countries": WHO, "outside_supply": SUPPLY, "ladder": [row] if row else [], **(tables or {})}
    world = world_of(tiny(given, years=years, economics={"levy_capture": 0.9}))
    return Seen(world, ladders_of(world)[0], 1 if row else 0, t, w)


def test_free_trade_lets_sell_who_can_at_the_world_price() -> None:
    free = seen(None)
    assert free.price == 100
    assert free.paid == {"CHN": 100}
    assert not free.ladder.floors(free.world.price[0]).any()


def test_a_reference_price_is_held_up_by_a_levy_of_which_a_tenth_leaks() -> None:
    floor = seen(rung("floor", "reference", 110.0))
    assert floor.price == pytest.approx(110)
    assert floor.levy == pytest.approx(110 - 100)
    assert floor.paid == pytest.approx({"CHN": 100 + 0.1 * (110 - 100)})  # the others ask for more than the 100 left to them
    assert floor.ladder.floors(floor.world.price[0])[1].all()


def test_a_reference_price_below_the_world_price_does_nothing() -> None:
    floor = seen(rung("floor", "reference", 90.0))
    assert (floor.price, floor.levy, floor.paid) == (100, 0, {"CHN": 100})
    assert not floor.ladder.floors(floor.world.price[0]).any()


def test_who_is_exempt_is_paid_the_reference_price() -> None:
    floor = seen(rung("floor", "reference", 110.0, exempt="MMR;CHL"))
    assert floor.paid == pytest.approx({"CHN": 101, "MMR": 110})  # Chile asks for 120


def test_a_tariff_on_all_origins() -> None:
    tariff = seen(rung("duty", "tariff", 0.25, exempt="CHL"))
    assert tariff.price == pytest.approx(100 * 1.25)
    assert tariff.levy == pytest.approx(25)
    assert tariff.paid == pytest.approx({"CHN": 100 + 0.1 * 25, "CHL": 125})


NAMED = rung("duty", "tariff", 0.25, origins="CHN")


def test_a_tariff_on_named_origins_lifts_the_price_while_the_others_fall_short() -> None:
    tariff = seen(NAMED, {"outside_supply": sellers(CHN=2000.0, CHL={"available": 300.0, "cost": 120.0}, MMR=999.0)})
    assert tariff.price == pytest.approx(125)
    assert tariff.paid == pytest.approx({"CHN": 102.5, "CHL": 125, "MMR": 125})


def test_a_tariff_on_named_origins_shuts_them_out_where_the_others_suffice() -> None:
    tariff = seen(NAMED, {"outside_supply": sellers(CHN=2000.0, CHL={"available": 300.0, "cost": 120.0}, MMR=1000.0)})
    assert tariff.price == 100
    assert tariff.levy == 0
    assert tariff.paid == {"MMR": 100}  # 1000 of 1000 t at the world price, for which Chile sells nothing


@pytest.mark.parametrize(
    ("plants", "untaxed", "holds"),
    [
        ([plant(capacity=300.0)], 699.0, True),  # 1000 - 300 t are left to buy
        ([plant(capacity=300.0)], 700.0, False),
        ([plant(capacity=300.0, opex=101.0)], 700.0, True),  # it would not run at 100
        ([plant(capacity=300.0, availability=0.5)], 849.0, True),
        ([plant(capacity=300.0, availability=0.5)], 850.0, False),
        ([plant(capacity=300.0, status="candidate")], 700.0, True),  # not built yet
    ],
)
def test_running_plants_leave_less_to_buy(plants: list[Row], untaxed: float, holds: bool) -> None:
    tariff = seen(NAMED, {"outside_supply": sellers(CHN=2000.0, MMR=untaxed), "facilities": plants})
    assert tariff.price == pytest.approx(125 if holds else 100)
    assert ("CHN" in tariff.paid) == holds


def test_running_users_of_a_product_need_it_too() -> None:
    tables: dict[str, list[Row]] = {
        "products": [{"product": k, "mineral": "m", "stage": "metal"} for k in ("M", "part")],
        "prices": [{"product": "M", "year": 2026, "price": 100.0}, {"product": "part", "year": 2026, "price": 500.0}],
        "process_flows": [{"process": "make", "product": "part", "amount": 1.0}, {"process": "make", "product": "M", "amount": -2.0}],
        "facilities": [plant(capacity=100.0)],
    }
    assert seen(NAMED, {"outside_supply": sellers(CHN=2000.0, MMR=1199.0), **tables}).price == pytest.approx(125)
    assert seen(NAMED, {"outside_supply": sellers(CHN=2000.0, MMR=1200.0), **tables}).price == pytest.approx(100)


def test_a_standard_shuts_out_who_does_not_comply() -> None:
    standard = seen(rung("clean", "standard", 0.2))
    assert standard.price == pytest.approx(120)
    assert standard.levy == 0
    assert standard.paid == pytest.approx({"CHN": 120, "CHL": 120})


def test_a_minimum_import_price_is_invoiced_by_the_seller() -> None:
    minimum = seen(rung("least", "minimum", 115.0))
    assert minimum.price == pytest.approx(115)
    assert minimum.levy == 0
    assert minimum.paid == pytest.approx({"CHN": 115, "MMR": 115})


@pytest.mark.parametrize("row", [rung("r", "reference", 110.0, exempt="MMR"), NAMED, rung("r", "standard", 0.2), rung("r", "minimum", 115.0)])
def test_a_repeal_turns_every_rung_into_free_trade(row: Row) -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "gone", "probability": 0.5}]
    shocks = [{"scenario": "gone", "kind": "repeal", "first_year": 2027}]
    for t, w, repealed in ((0, 0, False), (1, 0, False), (0, 1, False), (1, 1, True)):
        now = seen(row, {"scenarios": scenarios, "shocks": shocks}, t=t, w=w, years=(1, 1))
        assert ((now.price, now.levy, now.paid) == (100, 0, {"CHN": 100})) == repealed
        assert now.ladder.floors(now.world.price[0])[1, t, w] != repealed


def test_the_law_limits_the_duty_at_reference_prices() -> None:
    prices = [{"product": "M", "year": year, "price": price} for year, price in ((2026, 100.0), (2027, 80.0))]
    # 10 % of 100 is lawful, 37.5 % of 80 is not
    for limit, offered in ((0.05, [False, False]), (0.1, [True, False]), (0.4, [True, True])):
        row = rung("floor", "reference", 110.0, legal_limit=limit)
        assert seen(row, {"prices": prices}, years=(1, 1)).ladder.offered.tolist() == [[True, True], offered]


def test_a_rung_is_offered_in_its_years() -> None:
    row = rung("floor", "reference", 110.0, first_year=2027, last_year=2028)
    assert seen(row, years=(1, 1, 2, 1)).ladder.offered.tolist() == [[True] * 4, [False, True, True, False]]


def test_rungs_stand_in_the_order_of_their_steps() -> None:
    rows = [rung("high", "tariff", 0.5, step=2), rung("low", "tariff", 0.1, step=1)]
    world = world_of(tiny({"ladder": rows}))
    assert ladders_of(world)[0].rungs == ("free", "low", "high")
    assert ladders_of(world)[0].kinds == ("free", "tariff", "tariff")


def test_demand_falls_and_use_is_forgone() -> None:
    world = world_of(tiny({"ladder": [rung("duty", "tariff", 0.21)]}, product={"elasticity": 0.5}))
    ladder = ladders_of(world)[0]
    assert ladder.kept[:, 0, 0].tolist() == pytest.approx([1, 1 / 1.1])
    # the worth of the tonnes given up, from 1/1.1 to 1 under 100 q^-2: 100 (1.1 - 1)
    assert (ladder.forgone[:, 0, 0] * world.price_unit).tolist() == pytest.approx([0, 100 * 0.1])


def response(ratio: float, elasticity: float) -> tuple[float, float]:
    kept, forgone = demand_response(np.array([100.0 * ratio]), np.array([100.0]), elasticity)
    return float(kept[0]), float(forgone[0])


def test_demand_without_elasticity_stays() -> None:
    assert response(1.5, 0.0) == (1, 0)


def test_demand_of_elasticity_one() -> None:
    assert response(1.5, 1.0) == pytest.approx((1 / 1.5, math.log(1.5)))
    assert response(1.5, 1.0) == pytest.approx(response(1.5, 1 + 1e-7), rel=1e-6)


def test_a_worthless_product_is_wanted_all_the_same() -> None:
    kept, forgone = demand_response(np.array([50.0]), np.array([0.0]), 0.7)
    assert (kept.tolist(), forgone.tolist()) == ([1.0], [0.0])


@given(st.floats(1, 4), st.floats(0.05, 3))
def test_use_forgone_is_the_area_under_the_demand_curve(ratio: float, elasticity: float) -> None:
    kept, forgone = response(ratio, elasticity)
    steps = 2000
    q = kept + (np.arange(steps) + 0.5) * (1 - kept) / steps  # tonnes given up one after the other
    assert kept == pytest.approx(ratio**-elasticity)
    assert forgone == pytest.approx(float((q ** (-1 / elasticity)).sum() * (1 - kept) / steps), rel=1e-4, abs=1e-12)


@given(st.floats(1, 4), st.floats(0.05, 3))
def test_what_is_forgone_is_worth_between_old_and_new_price(ratio: float, elasticity: float) -> None:
    kept, forgone = response(ratio, elasticity)
    assert (1 - kept) * (1 - 1e-9) <= forgone <= ratio * (1 - kept) * (1 + 1e-9) + 1e-12
