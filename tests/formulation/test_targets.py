"""Shares to reach, caps to keep, outages to survive, days of stock: rows and tiny instances."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, countries, plant, project, rung, sellers, tiny, two_stages

WHO = countries(USA="member", EU="member", AUS="partner", CHN="outside", MMR="outside")
USE = [{"country": c, "product": "M", "year": 2026, "demand": d} for c, d in (("USA", 700.0), ("EU", 200.0), ("AUS", 100.0))]


def target(kind: str, value: float, products: str = "M", **cells: Any) -> Row:
    return {"target": "t", "kind": kind, "products": products, "value": value, **cells}


# ---- use --------------------------------------------------------------------------------------
def test_use_counts_embodied_tonnes_and_users_who_left() -> None:
    # 2 t of ore per tonne of metal; of the 200 t lost at a price of 125 half moved abroad and stay in
    tables = {
        "facilities": [plant(process="smelt")],
        "ladder": [rung("duty", "tariff", 0.25)],
        "demand": [*USE[:1], {"country": "USA", "product": "O", "year": 2026, "demand": 50.0}],
        "targets": [target("zone_share", 0.1, "O")],
    }
    built = model_of(two_stages(tables, product={"elasticity": 1.0, "relocated": 0.5}), [{}, {"M": "duty"}])
    (found,) = rows(built, "shares.share").values()
    use = {"z[O,2026,free]": -0.1 * 50, "z[M,2026,free]": -0.1 * 2 * 700, "z[M,2026,duty]": -0.1 * 2 * (560 + 0.5 * 140)}
    assert found == at_least(use)


def test_targets_hold_in_normal_scenarios_of_the_periods_they_cover() -> None:
    scenarios = [
        {"scenario": "s", "probability": 0.5}, {"scenario": "ban", "probability": 0.5},
        {"scenario": "mild", "probability": 0.0, "normal": True}, {"scenario": "low", "probability": 0.0, "downside": True},
    ]  # fmt: skip
    tables = {
        "scenarios": scenarios,
        "shocks": [{"scenario": "ban", "kind": "supply", "value": 0.9}],
        "facilities": [plant()],
        "targets": [target("zone_share", 0.1, first_year=2027, last_year=2028)],
    }
    found = rows(model_of(tiny(tables, years=(1, 1, 2, 2))), "shares.share")
    assert list(found) == [("t", t, w) for t in (1, 2) for w in (0, 2)]
    assert not rows(model_of(tiny(tables), rules=Rules(targets=False)), "shares.share")


# ---- shares -----------------------------------------------------------------------------------
def test_a_zone_share_counts_what_stays() -> None:
    tables = {
        "countries": WHO, "demand": USE, "facilities": [plant(), plant(facility="away", country="AUS")], "ladder": [rung("floor", "reference", 110.0)],
        "outside_sales": [{"product": "M", "year": 2026, "limit": 10.0}], "stockpiles": [{"product": "M", "max_purchase": 10.0}],
        "targets": [target("zone_share", 0.4)],
    }  # fmt: skip
    built = model_of(tiny(tables), [{}, {"M": "floor"}])
    leaving = [f"{way}[M,{p},2026,s{price}]" for p in ("members", "partners") for way, price in (("export", ""), ("overflow", ""), ("glut", ",110.0"))]
    assert rows(built, "shares.share")["t", 0, 0] == at_least(
        {
            "x[old,2026,s]": 1,
            "x[away,2026,s]": 1,
            **dict.fromkeys([*leaving, "buy[M,2026,0]", "buy[M,2026,1]"], -1),
            "z[M,2026,free]": -400,
            "z[M,2026,floor]": -400,
        }
    )


def test_a_members_share_counts_what_it_gets_from_the_zone() -> None:
    freight = [{"product": "M", "origin": a, "destination": b} for a, b in (("AUS", "EU"), ("EU", "USA"), ("CHN", "EU"), ("CHN", "USA"), ("CHN", "AUS"))]
    tables = {
        "countries": WHO, "demand": USE, "freight": freight, "facilities": [plant(country="EU"), plant(facility="away", country="AUS")],
        "stockpiles": [{"product": "M", "country": "EU", "max_purchase": 10.0}], "targets": [target("zone_share", 0.9, area="EU")],
    }  # fmt: skip
    built = model_of(tiny(tables, product={"trade": "routed"}))
    assert rows(built, "shares.share")["t", 0, 0] == at_least(
        {
            "x[old,2026,s]": 1, "flow[AUS→EU,2026,s]": 1, "flow[EU→USA,2026,s]": -1, "overflow[M,EU,2026,s]": -1, "buy[M@EU,2026,0]": -1,
            "z[M,2026,free]": -0.9 * 200,
        }
    )  # fmt: skip


def test_an_activity_share_counts_plants_of_that_kind_in_the_area() -> None:
    tables = {
        "countries": [*WHO, *countries(FRA="member:EU")],
        "processes": [{"process": "make", "activities": "processing"}, {"process": "recycle", "activities": "recycling;processing"}],
        "process_flows": [{"process": p, "product": "M", "amount": 1.0} for p in ("make", "recycle")],
        "facilities": [plant(), plant(facility="us", process="recycle"), plant(facility="fr", process="recycle", country="FRA")],
        "demand": [*USE, {"country": "FRA", "product": "M", "year": 2026, "demand": 50.0}],
    }
    for area, activity, plants, use in (
        (None, "recycling", ("us", "fr"), 1050),
        (None, "processing", ("old", "us", "fr"), 1050),
        ("EU", "recycling", ("fr",), 250),
    ):
        wish = target("activity_share", 0.25, activity=activity, **({"area": area} if area else {}))
        (found,) = rows(model_of(tiny({**tables, "targets": [wish]})), "shares.share").values()
        assert found == at_least({**{f"x[{f},2026,s]": 1 for f in plants}, "z[M,2026,free]": -0.25 * use})


def test_tonnes_of_several_products_add_up_against_the_use_of_one() -> None:
    tables = {
        "facilities": [plant(process="smelt"), plant(facility="mine", process="mine", opex=5.0)],
        "targets": [target("zone_share", 0.5, "O;M", use_of="M")],
    }
    (found,) = rows(model_of(two_stages(tables)), "shares.share").values()
    assert found == at_least(
        {"x[old,2026,s]": 1, "x[mine,2026,s]": 1, "overflow[O,members,2026,s]": -1, "overflow[M,members,2026,s]": -1, "z[M,2026,free]": -500}
    )


def test_a_share_is_met_by_the_cheapest_project() -> None:
    # imports cost 100 USD/t; 500 t at 105 + 10 of capital under a bonus of 15, or at 110 + 4 under one of 14; a quarter of what is paid
    plants = [project(opex=105.0, capex=50_000.0), project(facility="other", opex=110.0, capex=20_000.0)]
    menu = [{"contract": f"b{n}", "instrument": "support", "products": "M", "premium": float(n)} for n in (14, 15)]
    plan = optimum(tiny({"facilities": plants, "contracts": menu, "targets": [target("zone_share", 0.5)]}, economics={"public_money_premium": 0.25}))
    assert plan is not None
    assert plan.starts == {"other": 2026}
    assert plan.objective == pytest.approx(500 * 100 + 500 * (110 + 4) + 0.25 * 500 * 14)


# ---- reliance ---------------------------------------------------------------------------------
def reliant(tables: dict[str, Any], **more: Any) -> Instance:
    feedstock = [
        {"country": "CHN", "product": "M", "feed": "O", "origin": "MMR", "share": 0.3},
        {"country": "MMR", "product": "M", "feed": "O", "origin": "CHN", "share": 0.2},
    ]
    supply = [*sellers("O", CHN=5000.0, MMR=1000.0), *sellers("M", CHN=5000.0, MMR=1000.0)]
    given = {"countries": WHO, "demand": USE, "outside_supply": supply, "feedstock": feedstock, "facilities": [plant(process="smelt")]}
    return two_stages({**given, **tables}, **more)


def imports(product: str, country: str) -> list[str]:
    return [f"im[{country} {product},{p},2026,s]" for p in ("members", "partners")]


def test_a_cap_counts_direct_imports_and_users_who_left_for_the_dominant_source() -> None:
    tables = {"ladder": [rung("duty", "tariff", 0.25)], "targets": [target("reliance_cap", 0.65, source_country="CHN")]}
    built = model_of(reliant(tables, product={"elasticity": 1.0, "relocated": 0.5, "dominant": "CHN"}), [{}, {"M": "duty"}])
    use = {"z[M,2026,free]": -0.65 * 1000, "z[M,2026,duty]": 0.5 * 200 - 0.65 * (800 + 0.5 * 200)}
    assert rows(built, "reliance.cap") == {("t", "CHN", 0, 0): at_most({**dict.fromkeys(imports("M", "CHN"), 1), **use})}


def test_a_cap_looks_through_to_where_feed_came_from() -> None:
    built = model_of(reliant({"targets": [target("reliance_cap", 0.5, "O", source_country="MMR")]}))
    assert rows(built, "reliance.cap")["t", "MMR", 0, 0] == at_most(
        {
            **dict.fromkeys(imports("O", "MMR"), 1),
            **dict.fromkeys(imports("M", "MMR"), 2 * (1 - 0.2)),  # its own ore but for what it bought from China
            **dict.fromkeys(imports("M", "CHN"), 2 * 0.3),
            "z[M,2026,free]": -0.5 * 2 * 1000,
        }
    )


def test_a_cap_may_look_no_further_than_its_stage_and_at_one_member() -> None:
    direct = target("reliance_cap", 0.5, "O", source_country="MMR", upstream=False)
    assert rows(model_of(reliant({"targets": [direct]})), "reliance.cap")["t", "MMR", 0, 0] == at_most(
        {**dict.fromkeys(imports("O", "MMR"), 1), "z[M,2026,free]": -1000}
    )
    freight = [{"product": "*", "origin": a, "destination": b} for a, b in (("CHN", "EU"), ("CHN", "USA"), ("USA", "EU"), ("CHN", "AUS"))]
    member = target("reliance_cap", 0.5, "M", source_country="CHN", area="EU")
    tables = {"freight": freight, "targets": [member]}
    built = model_of(reliant(tables, product={"trade": "routed"}, ore={"trade": "routed"}))
    assert rows(built, "reliance.cap")["t", "CHN", 0, 0] == at_most({"im[CHN M,EU,2026,s]": 1, "z[M,2026,free]": -100})


def test_a_cap_on_each_source_names_sellers_and_origins_behind_the_product() -> None:
    built = model_of(reliant({"targets": [target("reliance_cap", 0.5, "O", source_country="*")]}))
    assert [key[1] for key in rows(built, "reliance.cap")] == ["CHN", "MMR"]


def test_a_cap_brings_in_another_source() -> None:
    # under a cap of 0.65 Myanmar sells 350 t although its freight is dearer
    freight = [{"product": "M", "origin": c, "destination": "ZONE", "cost": x} for c, x in (("CHN", 1.0), ("MMR", 9.0))]
    tables = {
        "countries": WHO,
        "outside_supply": sellers(CHN=5000.0, MMR=5000.0),
        "freight": freight,
        "targets": [target("reliance_cap", 0.65, source_country="CHN")],
    }
    plan = optimum(tiny(tables, trade={"band": 1.0}))
    assert plan is not None
    assert plan.objective == pytest.approx(1000 * 100 + 650 * 1 + 350 * 9)


# ---- outages ----------------------------------------------------------------------------------
def lost(outage: str, **more: Any) -> Instance:
    tables = {
        "countries": [*WHO, *countries(FRA="member:EU")],
        "facilities": [
            plant(process="smelt", country="FRA"),
            plant(facility="mine", process="mine", country="AUS", opex=5.0),
            plant(facility="us", process="smelt"),
        ],
        "outside_supply": [*sellers("O", CHN=600.0, MMR=400.0), *sellers("M", CHN=900.0, MMR={"available": 300.0, "cost": 105.0})],
        "stockpiles": [{"product": "O", "initial": 50.0, "max_purchase": 10.0}, {"product": "M", "initial": 20.0, "max_purchase": 10.0}],
        "ladder": [rung("floor", "reference", 110.0, exempt="MMR")],
        "groups": [{"group": "both", "country": "CHN"}, {"group": "both", "country": "MMR"}],
        "targets": [target("n_minus_1", 0.6, outage=outage, outage_years=0.5, **more.pop("cells", {}))],
    }
    return two_stages({**tables, **more}, years=(1, 1))


def test_what_is_left_at_each_stage_when_a_country_is_lost() -> None:
    built = model_of(lost("CHN"), [{}, {"M": "floor"}])
    found = rows(built, "outage.n_minus_1")
    assert list(found) == [("t", "CHN", kappa, t, 0) for kappa in (0, 1) for t in (0, 1)]
    use = {"z[M,2026,free]": -600, "z[M,2026,floor]": 300 - 600}
    metal = {"x[old,2026,s]": 1, "x[us,2026,s]": 1, **use}
    assert found["t", "CHN", 1, 0, 0] == at_least(metal, -20 / 0.5)
    # from ore on: the mine and Myanmar's ore at 2 t per tonne, both stocks, and Myanmar's metal
    ore = {"x[mine,2026,s]": 1 / 2, "z[O,2026,free]": 400 / 2, **use}
    assert found["t", "CHN", 0, 0, 0] == at_least(ore, -50 / (0.5 * 2) - 20 / 0.5)
    later = found["t", "CHN", 0, 1, 0]
    assert (later.terms["stock[O,2026,s]"], later.terms["stock[M,2026,s]"]) == pytest.approx((1 / (0.5 * 2), 1 / 0.5))
    assert later.lower == 0


def test_a_host_or_a_group_may_be_lost() -> None:
    built = model_of(lost("EU;both;AUS"))
    found = rows(built, "outage.n_minus_1")
    assert found["t", "EU", 1, 0, 0].terms == pytest.approx({"x[us,2026,s]": 1, "z[M,2026,free]": 900 - 600})
    assert found["t", "both", 1, 0, 0].terms == pytest.approx({"x[old,2026,s]": 1, "x[us,2026,s]": 1, "z[M,2026,free]": -600})
    assert "x[mine,2026,s]" not in found["t", "AUS", 0, 0, 0].terms
    everyone = rows(model_of(lost("*")), "outage.n_minus_1")
    assert {key[1] for key in everyone} == {"EU", "AUS", "USA", "CHN", "MMR"}


def test_an_outage_at_its_own_stage_only() -> None:
    assert {key[2] for key in rows(model_of(lost("CHN", cells={"upstream": False})), "outage.n_minus_1")} == {1}


@pytest.mark.parametrize(("value", "enough"), [(0.54, True), (0.541, False)])
def test_the_loss_of_a_source_is_survived_on_plants_and_stock(value: float, enough: bool) -> None:
    tables = {
        "facilities": [plant()],
        "stockpiles": [{"product": "M", "initial": 20.0, "max_purchase": 0.0}],
        "targets": [target("n_minus_1", value, outage="CHN", outage_years=0.5)],
    }
    assert (optimum(tiny(tables)) is not None) == enough  # 500 + 20 / 0.5 of 1000 t


def test_an_outage_is_cheaper_to_survive_with_a_second_source_that_a_floor_lets_in() -> None:
    supply = sellers(CHN=2000.0, MMR={"available": 300.0, "cost": 105.0})
    tables = {
        "countries": WHO,
        "outside_supply": supply,
        "ladder": [rung("floor", "reference", 110.0, exempt="MMR")],
        "targets": [target("n_minus_1", 0.3, outage="CHN")],
    }
    plan = optimum(tiny(tables, trade={"band": 1.0}, economics={"levy_capture": 0.9}))
    assert plan is not None
    assert plan.objective == pytest.approx(1000 * (100 + 0.1 * 10))  # it need not buy there


# ---- stock ------------------------------------------------------------------------------------
def test_days_of_stock() -> None:
    tables = {
        "countries": WHO, "demand": USE,
        "stockpiles": [{"product": "M", "country": c, "max_purchase": 100.0} for c in ("USA", "EU")],
    }  # fmt: skip
    routed = {"trade": "routed"}
    freight = [{"product": "M", "origin": "CHN", "destination": c} for c in ("USA", "EU", "AUS")]
    built = model_of(tiny({**tables, "freight": freight, "targets": [target("stock_days", 73.0)]}, product=routed))
    (found,) = rows(built, "stock_days.days").values()
    assert found == at_least({"stock[M@USA,2026,s]": 1, "stock[M@EU,2026,s]": 1, "z[M,2026,free]": -0.2 * 1000})
    member = model_of(tiny({**tables, "freight": freight, "targets": [target("stock_days", 73.0, area="EU")]}, product=routed))
    (found,) = rows(member, "stock_days.days").values()
    assert found == at_least({"stock[M@EU,2026,s]": 1, "z[M,2026,free]": -0.2 * 200})


def test_days_of_stock_are_bought_and_held() -> None:
    tables = {"stockpiles": [{"product": "M", "max_purchase": 1000.0}], "targets": [target("stock_days", 36.5)]}
    plan = optimum(tiny(tables, product={"holding_cost": 0.05}, economics={"resale": 0.8, "public_money_premium": 0.25}))
    assert plan is not None
    held = 1000 / 10
    assert plan.objective == pytest.approx((1000 + held) * 100 + (0.05 - 0.8 + 0.25) * held * 100)
