"""What outside sources sell, what is paid for it, and how they share the market."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from tiny_instances import Row, countries, plant, rung, sellers, tiny, two_stages

WHO = countries(USA="member", CHN="outside", CHL="outside")
FLOOR = rung("floor", "reference", 110.0)
LEAK = {"levy_capture": 0.9}


def test_a_source_sells_what_it_has_where_the_rung_lets_it() -> None:
    supply = sellers(CHN=2000.0, CHL={"available": 300.0, "cost": 105.0})
    ladder = [{**FLOOR, "exempt": "CHL"}, rung("high", "reference", 120.0, step=2, exempt="CHL"), rung("mild", "reference", 104.0, step=3)]
    built = model_of(tiny({"countries": WHO, "outside_supply": supply, "ladder": ladder}), [{}, {"M": "floor"}, {"M": "high"}, {"M": "mild"}])
    found = rows(built, "imports.what_sources_have", "o t w")
    assert found["CHN", 2026, "s"] == at_most({"im[CHN,members,2026,s]": 1}, 2000)
    assert found["CHL", 2026, "s"] == at_most({"im[CHL,members,2026,s]": 1, "z[M,2026,floor]": -300, "z[M,2026,high]": -300})
    planner = model_of(tiny({"countries": WHO, "outside_supply": supply, "ladder": ladder}), rules=Rules(behaviour="planner"))
    found = rows(planner, "imports.what_sources_have", "o t w")
    assert found["CHL", 2026, "s"] == at_most({"im[CHL,members,2026,s]": 1}, 300)
    assert costs(planner, "imports")[2026, "s"] == pytest.approx({"im[CHN,members,2026,s]": 100, "im[CHL,members,2026,s]": 105})


def test_one_source_never_lets_in_costs_no_column() -> None:
    supply = sellers(CHN=2000.0, CHL={"available": 300.0, "cost": 105.0})
    built = model_of(tiny({"countries": WHO, "outside_supply": supply}))
    assert len(built.model.imports.amount) == 1


def test_what_is_paid_depends_on_the_rung_and_on_who_is_exempt() -> None:
    tables = {"countries": WHO, "outside_supply": sellers(CHN=2000.0, CHL=300.0), "ladder": [{**FLOOR, "exempt": "CHL"}]}
    built = model_of(tiny(tables, economics=LEAK), [{}, {"M": "floor"}])
    paid = costs(built, "imports")[2026, "s"]
    assert sorted(paid.values()) == pytest.approx([100, 100, 100 + 0.1 * 10, 110])
    split = rows(built, "imports.all_at_some_rung", "k p t w n")
    dutiable, exempt = (split["M", "members", 2026, "s", taxed] for taxed in (True, False))
    at = {round(usd): name for name, usd in paid.items() if name in dutiable.terms}
    assert dutiable == equal({at[100]: 1, at[101]: 1, "im[CHN,members,2026,s]": -1})
    assert {name for name in exempt.terms if name.startswith("im")} == {"im[CHL,members,2026,s]"}
    in_force = {next(n for n in r.terms if n.startswith("level")): r for r in rows(built, "imports.rung_in_force").values()}
    assert in_force[at[100]] == at_most({at[100]: 1, "z[M,2026,free]": -2300})
    assert in_force[at[101]] == at_most({at[101]: 1, "z[M,2026,floor]": -2300})


def test_one_price_needs_no_split() -> None:
    built = model_of(tiny({"ladder": [FLOOR]}, economics=LEAK), [{"M": "floor"}])
    assert costs(built, "imports") == {(2026, "s"): {"im[CHN,members,2026,s]": pytest.approx(101)}}
    assert len(built.model.imports.level) == 0


def banded(**more: Any) -> dict[str, Any]:
    supply = sellers(CHN={"available": 2000.0, "base_share": 0.7}, CHL={"available": 2000.0, "base_share": 0.3})
    return {"countries": WHO, "outside_supply": supply, **more}


def test_the_others_keep_their_share_of_all_imports() -> None:
    built = model_of(tiny(banded(), product={"dominant": "CHN"}, trade={"band": 0.05}))
    chn, chl = "im[CHN,members,2026,s]", "im[CHL,members,2026,s]"
    assert rows(built, "imports.shares_of_sources", "n o t w n") == {
        ("upper", "CHL", 2026, "s", 0): at_most({chl: 1 - 0.35, chn: -0.35}),
        ("lower", "CHL", 2026, "s", 0): at_most({chl: -(1 - 0.25), chn: 0.25}),
    }


def test_shares_bind_only_under_the_rungs_they_belong_to() -> None:
    # under the tariff that shuts China out, Chile is alone
    ladder = [rung("duty", "tariff", 0.2, origins="CHN")]
    built = model_of(tiny(banded(ladder=ladder), product={"dominant": "CHN"}, trade={"band": 0.05}), [{}, {"M": "duty"}])
    chn, chl = "im[CHN,members,2026,s]", "im[CHL,members,2026,s]"
    found = rows(built, "imports.shares_of_sources", "n o t w n")
    assert found["upper", "CHL", 2026, "s", 0] == at_most({chl: 0.65, chn: -0.35, "z[M,2026,free]": 2000}, 2000)
    assert found["lower", "CHL", 2026, "s", 0] == at_most({chl: -0.75, chn: 0.25, "z[M,2026,free]": 0.25 * 4000}, 0.25 * 4000)


def test_a_shortage_of_feed_lifts_the_bands_just_as_far_as_buying_all_supply_needs() -> None:
    offers: dict[str, dict[str, object]] = {
        "CHN": {"available": 400.0, "base_share": 0.5}, "CHL": {"available": 150.0, "base_share": 0.1}, "PER": {"available": 50.0, "base_share": 0.4},
    }  # fmt: skip
    who = countries(USA="member", CHN="outside", CHL="outside", PER="outside")
    tables = {"countries": who, "outside_supply": [*sellers("O", **offers), *sellers("M", CHN=5000.0)], "facilities": [plant(process="smelt")]}
    built = model_of(two_stages(tables, ore={"dominant": "CHN"}, trade={"band": 0.05}))
    found = rows(built, "imports.shares_of_sources", "n o t w n")
    chn, chl, per = "im[CHN O,members,2026,s]", "im[CHL,members,2026,s]", "im[PER,members,2026,s]"
    # all 600 t: Chile's 150 are 60 more than its 0.15; Peru's 50 stay below its 0.45 and can't reach its 0.35, so that has no row
    assert found == {
        ("upper", "CHL", 2026, "s", 0): at_most({chl: 0.85, chn: -0.15, per: -0.15, "q[O,2026,s]": -(150 - 0.15 * 600)}),
        ("lower", "CHL", 2026, "s", 0): at_most({chl: -0.95, chn: 0.05, per: 0.05}),
        ("upper", "PER", 2026, "s", 0): at_most({per: 0.55, chn: -0.45, chl: -0.45}),
    }


def test_sources_keep_to_their_bands_at_what_they_are_paid() -> None:
    # under a floor of 110 exempt Chile is paid 110 and China 101: Chile keeps 0.25 of imports
    tables = banded(ladder=[{**FLOOR, "exempt": "CHL"}])
    plan = optimum(tiny(tables, product={"dominant": "CHN"}, trade={"band": 0.05}, economics=LEAK), [{"M": "floor"}])
    assert plan is not None
    assert plan.objective == pytest.approx(1000 * (0.75 * 101 + 0.25 * 110))


def test_routed_imports_need_a_route_and_keep_to_its_capacity() -> None:
    freight: list[Row] = [
        {"product": "M", "origin": "CHN", "destination": "USA", "cost": 2.0, "capacity": 600.0},
        {"product": "*", "origin": "CHL", "destination": "USA", "cost": 5.0},
        {"product": "M", "origin": "CHN", "destination": "EU", "cost": 3.0},
    ]
    tables = {"countries": [*WHO, *countries(EU="member")], "outside_supply": sellers(CHN=2000.0, CHL=2000.0), "freight": freight}
    instance = tiny(tables, product={"trade": "routed"}, trade={"band": 1.0})
    built = model_of(instance)
    amount = built.model.imports.amount
    assert sorted(key[:2] for key in amount) == [(0, 0), (0, 1), (1, 0)]
    assert amount.upper[amount[0, 0, 0, 0] - amount.first] * built.case.world.mass_unit == pytest.approx(600)
    assert costs(built, "freight")[2026, "s"] == pytest.approx({"im[CHN,USA,2026,s]": 2, "im[CHN,EU,2026,s]": 3, "im[CHL,USA,2026,s]": 5})
    plan = optimum(instance)
    assert plan is not None
    assert plan.objective == pytest.approx(1000 * 100 + 600 * 2 + 400 * 5)


def test_imports_into_partners_are_their_own_affair() -> None:
    tables = {
        "countries": [*WHO, *countries(AUS="partner")],
        "demand": [{"country": "AUS", "product": "M", "year": 2026, "demand": 400.0}],
        "freight": [{"product": "M", "origin": "CHN", "destination": "ZONE", "cost": 2.0}],
    }
    for perimeter, usd in (("members", 0.0), ("zone", 400 * 102.0)):
        plan = optimum(tiny(tables, economics={"perimeter": perimeter}))
        assert plan is not None
        assert plan.objective == pytest.approx(usd)


def test_each_source_pays_the_duty_of_the_rung_in_force() -> None:
    """China pays the duty and the levy of the floor, Chile only the levy: the model of both paths says what the cheaper alone says."""
    ladder = [{**rung("duty", "tariff", 0.05, origins="CHN"), "step": 1}, {**FLOOR, "step": 2}]
    supply = sellers(CHN={"available": 2000.0, "base_share": 0.7}, CHL={"available": 500.0, "base_share": 0.3})
    instance = tiny({"countries": WHO, "outside_supply": supply, "ladder": ladder}, product={"dominant": "CHN"}, trade={"band": 0.4}, economics=LEAK)
    duty, floor, together = (optimum(instance, paths) for paths in ([{"M": "duty"}], [{"M": "floor"}], [{"M": "duty"}, {"M": "floor"}]))
    assert duty is not None
    assert floor is not None
    assert together is not None
    assert together.objective == pytest.approx(duty.objective)
    assert duty.objective < floor.objective
