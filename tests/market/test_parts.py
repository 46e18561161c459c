"""Parts of a basket: who belongs together, and a part's world is the whole's, cut down."""

from __future__ import annotations

import numpy as np
import pytest

from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.parts import part, parts_of
from orepact.market.world import World, world_of
from random_instances import random_instance
from tiny_instances import two_metals

SEVERAL = [9, 20, 35, 51, 56, 129, 159]
"""Random instances of several parts."""


def parts_by_name(instance: Instance) -> list[set[str]]:
    world = world_of(instance)
    return [{world.products[k] for k in products} for products in parts_of(world)]


def test_products_that_no_process_joins_are_parts_of_their_own() -> None:
    assert parts_by_name(two_metals()) == [{"A"}, {"B"}]


@pytest.mark.parametrize(
    "tables",
    [
        {"targets": [{"target": "both", "kind": "zone_share", "products": ["A", "B"], "value": 0.1}]},
        {"targets": [{"target": "in_b", "kind": "zone_share", "products": ["A"], "use_of": "B", "value": 0.1}]},
        {"embodied": [{"product": "A", "within": "B", "amount": 0.5}]},
        {"feedstock": [{"country": "CHN", "product": "B", "feed": "A", "origin": "CHN", "share": 1.0}]},
    ],
    ids=["a target adds them up", "a target's use", "embodied", "feed"],
)
def test_a_row_that_names_both_ties_them_together(tables: dict[str, list[dict[str, object]]]) -> None:
    assert parts_by_name(two_metals(tables)) == [{"A", "B"}]


def test_a_contract_for_both_ties_nothing() -> None:
    contract = {"contract": "floor", "instrument": "offtake", "products": ["A", "B"], "strike": 120.0, "window": 5, "max_share": 1.0}
    assert parts_by_name(two_metals({"contracts": [contract]})) == [{"A"}, {"B"}]


@pytest.mark.parametrize("seed", SEVERAL)
def test_a_part_sees_what_the_whole_sees(seed: int) -> None:
    whole = world_of(random_instance(seed))
    groups = parts_of(whole)
    assert sorted(k for products in groups for k in products) == list(range(len(whole.products)))
    plants = []
    for products in groups:
        own, chosen = part(whole, products), list(products)
        assert own.products == tuple(whole.products[k] for k in products)
        np.testing.assert_allclose(own.price * own.price_unit, whole.price[chosen] * whole.price_unit)
        np.testing.assert_allclose(own.demand * own.mass_unit, whole.demand[:, chosen] * whole.mass_unit)
        np.testing.assert_allclose(own.burden, whole.burden)
        np.testing.assert_allclose(own.longest_cut, whole.longest_cut[chosen])
        np.testing.assert_allclose(own.embodied, whole.embodied[np.ix_(chosen, chosen)])
        assert (own.nodes, own.scenarios, own.reference) == (whole.nodes, whole.scenarios, whole.reference)
        assert [s.country for s in own.sources] == [s.country for s in whole.sources if s.product in products]
        assert len(own.stock_sites) == sum(site.product in products for site in whole.stock_sites)
        plants += [plant.code for plant in own.plants]
        _same_answers(whole, own)
    assert sorted(plants) == sorted(plant.code for plant in whole.plants)


def _same_answers(whole: World, own: World) -> None:
    """Owners answer alike: the same deals at free trade, in the part's units."""
    ours, theirs = Market(own), Market(whole)
    number = {plant.code: f for f, plant in enumerate(whole.plants)}
    for f, plant in enumerate(own.plants):
        g = number[plant.code]
        mine = ours.deals(f, ours.response_class(f, ours.free))
        other = theirs.deals(g, theirs.response_class(g, theirs.free))
        assert [(d.contract, d.start, len(d.corners)) for d in mine] == [(d.contract, d.start, len(d.corners)) for d in other]
