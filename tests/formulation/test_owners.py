"""Who builds, at which start, under which mix of offers; what capital, grants and foreign rent cost."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import countries, plant, project, rung, tiny

FLOOR = {"contract": "floor", "products": "M", "strike": 110.0}
OWN = {"target": "own", "kind": "zone_share", "products": "M", "value": 1.0}


def needy(cells: dict[str, Any] | None = None, tables: dict[str, Any] | None = None, **settings: Any) -> Instance:
    """Two years; 1000 t/a at 95 USD/t and 100,000 USD over ten years: 5,000 a year short, unless a floor of 110 or a grant helps."""
    new = project(**{"capacity": 1000.0, "opex": 95.0, "latest_start": 2026, **(cells or {})})
    owners = {"rent_cap": 0.15, **settings.pop("owners", {})}
    return tiny({"facilities": [new], "contracts": [FLOOR], **(tables or {})}, years=(1, 1), owners=owners, **settings)


def test_a_plant_is_built_once() -> None:
    built = model_of(needy({"latest_start": 2027}))
    assert rows(built, "owners.built_once", "f") == {"new": at_most({"u[new,2026]": 1, "u[new,2027]": 1}, 1)}
    assert rows(built, "owners.start_of_deal", "f t") == {
        ("new", 2026): equal({"weight[new floor 2026]": 1, "u[new,2026]": -1}),
        ("new", 2027): equal({"weight[new floor 2027]": 1, "u[new,2027]": -1}),
    }
    assert built.model.owners.u.whole
    assert built.model.owners.u.upper.tolist() == [1.0] * len(built.model.owners.u)


def test_offers_mix_the_corners_of_what_owners_sign() -> None:
    built = model_of(needy(owners={"grant_cap": 0.45}))
    deal = "new floor 2026"
    names = [f"corner[{deal},{i}]" for i in range(5)]
    found = rows(built, "owners.mix_of_corners")
    assert found[0, "weight"] == equal({**dict.fromkeys(names, 1), f"weight[{deal}]": -1})
    volumes = {n: found[0, "volume"].terms.get(n, 0.0) for n in names}
    grants = {n: found[0, "grant"].terms.get(n, 0.0) for n in names}
    assert sorted((round(volumes[n], 6), round(grants[n], 6)) for n in names) == [(50, 45_000), (500, 0), (800, 45_000), (1000, 0), (1000, 25_000)]
    assert found[0, "volume"].terms[f"volume[{deal}]"] == pytest.approx(-1)
    assert found[0, "grant"].terms[f"grant[{deal}]"] == pytest.approx(-1)


def test_deals_belong_to_paths_with_the_same_response() -> None:
    ladder = [rung("low", "reference", 99.0), rung("f102", "reference", 102.0, step=2), rung("m102", "minimum", 102.0, step=3)]
    paths = [{}, {"M": "low"}, {"M": "f102"}, {"M": "m102"}]
    built = model_of(needy(tables={"ladder": ladder, "facilities": [project(capacity=1000.0, opex=95.0, latest_start=2026), plant()]}), paths)
    assert rows(built, "owners.deal_of_path", "f n") == {
        ("new", 0): at_most({"weight[new floor 2026 class 0]": 1, "y[free]": -1, "y[M low]": -1}),
        ("new", 1): at_most({"weight[new floor 2026 class 1]": 1, "y[M f102]": -1, "y[M m102]": -1}),
        ("old", 0): equal({"weight[old plain class 0]": 1, "y[free]": -1, "y[M low]": -1}),
        ("old", 1): equal({"weight[old plain class 1]": 1, "y[M f102]": -1, "y[M m102]": -1}),
    }


def test_duty_to_build_at_the_earliest_start_that_pays() -> None:
    prices = [{"product": "M", "year": year, "price": price} for year, price in ((2026, 80.0), (2027, 104.9), (2028, 105.0))]
    instance = tiny({"facilities": [project(capacity=1000.0, opex=95.0)], "prices": prices, "ladder": [rung("f", "reference", 105.0)]}, years=(1, 1, 1))
    duty = model_of(instance, [{}, {"M": "f"}], rules=Rules(duty=True))
    assert rows(duty, "owners.duty_to_build") == {
        (0, 0): at_least({"u[new,2026]": 1, "u[new,2027]": 1, "u[new,2028]": 1, "y[free]": -1}),
        (0, 1): at_least({"u[new,2026]": 1, "y[M f]": -1}),
    }
    assert not hasattr(model_of(instance, [{}, {"M": "f"}]).model.owners, "duty_to_build")


def test_capital_is_an_annuity_while_the_plant_is_alive() -> None:
    built = model_of(needy({"lead_time": 0.5, "hurdle_rate": 0.2}, economics={"social_rate": 0.03}))
    annuity = 100_000 * 0.03 / (1 - 1.03**-10)
    assert costs(built, "capital") == {(2026, "s"): {"u[new,2026]": pytest.approx(annuity / 2)}, (2027, "s"): {"u[new,2026]": pytest.approx(annuity)}}


def abroad(**settings: Any) -> Instance:
    """The project stands in a partner country; any member may pay."""
    tables = {"countries": countries(USA="member", EU="member", AUS="partner", CHN="outside")}
    return needy({"country": "AUS"}, tables, owners={"grant_cap": 0.45}, **settings)


def test_a_grant_costs_its_premium_at_home_and_itself_too_abroad() -> None:
    home = model_of(needy(owners={"grant_cap": 0.45}, economics={"public_money_premium": 0.25}))
    assert costs(home, "grants")[2026, "s"] == pytest.approx({"grant[new floor 2026]": 0.25 / 10})
    away = model_of(abroad(economics={"public_money_premium": 0.25}))
    assert costs(away, "grants")[2026, "s"] == pytest.approx({"grant[new floor 2026 USA]": 1.25 / 10, "grant[new floor 2026 EU]": 1.25 / 10})
    assert costs(away, "capital") == {}
    zone = model_of(abroad(economics={"public_money_premium": 0.25, "perimeter": "zone"}))
    assert costs(zone, "grants")[2026, "s"] == pytest.approx({"grant[new floor 2026 USA]": 0.25 / 10, "grant[new floor 2026 EU]": 0.25 / 10})
    assert costs(zone, "capital")[2026, "s"] == pytest.approx({"u[new,2026]": 100_000 / 10})


def test_rent_leaves_with_foreign_owners() -> None:
    built = model_of(needy({"foreign_share": 0.4}))
    (lump,) = costs(built, "foreign rent").values()
    volume = rows(built, "owners.mix_of_corners")[0, "volume"].terms
    assert lump == pytest.approx({n: 0.4 * 2 * (10 * volume[n] - 5000) for n in lump})
    assert sum(lump.values()) == pytest.approx(0.4 * 2 * (10 * 1000 - 5000))
    away = model_of(needy({"foreign_share": 0.4, "country": "AUS"}, {"countries": countries(USA="member", AUS="partner", CHN="outside")}))
    assert costs(away, "foreign rent") == {}


def test_the_least_support_that_an_owner_takes() -> None:
    # all metal from the project: 500 t under the floor, paid 10 a tonne, cost a quarter of that
    plan = optimum(needy(tables={"targets": [OWN]}, economics={"public_money_premium": 0.25}))
    assert plan is not None
    assert plan.objective == pytest.approx(2 * (1000 * 95 + 100_000 / 10 + 0.25 * 500 * 10))
    assert plan.starts == {"new": 2026}
    assert optimum(needy(tables={"targets": [OWN], "contracts": []})) is None


def test_a_merchant_project_needs_nobody() -> None:
    # 20 earned of 20 asked: it is built because 80 + 20 is no more than 100
    cheap = needy({"capex": 199_999.0, "opex": 80.0}, {"contracts": []})
    plan = optimum(cheap)
    assert plan is not None
    assert plan.objective == pytest.approx(2 * (1000 * 80 + 19_999.9))
    kept_out = optimum(cheap.with_table("facilities", [project(capacity=1000.0, opex=80.0, capex=200_100.0)]))
    assert kept_out is not None
    assert kept_out.objective == pytest.approx(2 * 1000 * 100)


def test_a_glut_is_the_price_of_a_duty_to_build() -> None:
    # at a floor of 110 a project of 2000 t just earns its cost, but only 1000 t are wanted: the rest is bought at 110 and resold at 80
    tables = {"facilities": [project(capacity=2000.0, opex=105.0, capex=100_000.0)], "ladder": [rung("floor", "reference", 110.0)]}
    instance = tiny(tables, economics={"resale": 0.8, "public_money_premium": 0.25})
    with_duty, without = (optimum(instance.with_setting("owners.entry", entry), [{"M": "floor"}]) for entry in ("duty", "free"))
    assert with_duty is not None
    assert with_duty.objective == pytest.approx(2000 * 105 + 10_000 - 1000 * 80 + 0.25 * 1000 * (110 - 80))
    assert without is not None
    assert without.objective == pytest.approx(1000 * (100 + 0.1 * 10))
