"""Deals of many plants worked out at once; the sums behind each are in test_offers.py."""

from __future__ import annotations

import numpy as np
import pytest

from orepact.market.deals import Imposed
from tiny_instances import market_of, plant, project, tiny

FLOOR = {"contract": "floor", "products": "M", "strike": 110.0}


def test_deals_of_many_plants_at_once_are_those_of_each_alone() -> None:
    """Signing in one go or one by one, and in whatever order, gives the same deals."""
    tables = {"facilities": [project(), project(facility="late", earliest_start=2027), plant(opex=120.0)], "contracts": [FLOOR | {"existing": True}]}
    together, apart = (market_of(tiny(tables, years=(1, 1))) for _ in range(2))
    looks = [(f, together.response_class(f, together.free)) for f in range(3)]
    together.sign(looks)
    for f, v in reversed(looks):
        assert apart.response_class(f, apart.free) == v
        ours, alone = together.deals(f, v), apart.deals(f, v)
        assert [(d.start, d.contract) for d in ours] == [(d.start, d.contract) for d in alone]
        for mine, other in zip(ours, alone, strict=True):
            for name in ("extra", "pay", "spare", "spare_h", "corners", "rent"):
                assert np.array_equal(getattr(mine, name), getattr(other, name)), name


def test_a_project_without_a_start_signs_nothing() -> None:
    market = market_of(tiny({"facilities": [project(lead_time=40.0)], "contracts": [FLOOR]}))
    assert market.deals(0, market.response_class(0, market.free)) == ()
    assert market.best_alone(0) is None
    assert not market.would_build_anyway(0)


@pytest.mark.parametrize(("opex", "terms", "contract"), [(120.0, {"strike": 130.0}, 0), (40.0, {"strike": 80.0, "ceiling": 80.0, "upside_share": 0.5}, -1)])
def test_a_package_puts_its_contract_in_place_of_an_old_plants_own_way(opex: float, terms: dict[str, float], contract: int) -> None:
    """At a price of 100 USD/t a plant that costs 120 signs a floor of 130; one that costs 40 signs nothing that takes half of what is above 80."""
    market = market_of(tiny({"facilities": [plant(opex=opex)], "contracts": [FLOOR | terms | {"existing": True}]}))
    half = 0.5 * market.world.plants[0].capacity
    market.imposed[0] = Imposed(0, half, None, None, None, False, True)
    (deal,) = market.deals(0, market.response_class(0, market.free))
    assert deal.contract == contract
    assert deal.corners.tolist() == [[half if contract == 0 else 0.0, 0.0]]
