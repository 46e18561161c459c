"""What each member spends, what it may spend, and what public money costs."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_least, at_most, costs, equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, countries, plant, project, rung, tiny

FLOOR = {"contract": "floor", "products": "M", "strike": 110.0, "existing": True, "min_share": 1.0}
OWN = {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}
WHO = countries(USA="member", EU="member", AUS="partner", CHN="outside")
USE = [{"country": c, "product": "M", "year": 2026, "demand": d} for c, d in (("USA", 750.0), ("EU", 250.0))]
MONEY = {"public_money_premium": 0.25, "levy_capture": 0.9, "resale": 0.8}


def guaranteed(tables: dict[str, Any] | None = None, **settings: Any) -> Instance:
    """A plant of 500 t at 105 USD/t that a floor of 110 keeps running: paid 10 a tonne, and half of use must be the zone's own."""
    given = {"facilities": [plant(opex=105.0)], "contracts": [FLOOR], "targets": [OWN]}
    return tiny({**given, **(tables or {})}, economics={**MONEY, **settings.pop("economics", {})}, **settings)


def test_payments_are_spent_by_instrument() -> None:
    menu = [FLOOR, {"contract": "bonus", "instrument": "support", "products": "M", "premium": 7.0, "existing": True}]
    built = model_of(guaranteed({"contracts": menu}))
    assert rows(built, "treasury.spent", "m n t w") == {
        ("USA", "offtake", 2026, "s"): equal({"volume[old floor]": 10, "spending[USA,offtake,2026,s]": -1}),
        ("USA", "support", 2026, "s"): equal({"volume[old bonus]": 7, "spending[USA,support,2026,s]": -1}),
    }
    assert rows(built, "treasury.outlay_less_revenue", "m t w") == {
        ("USA", 2026, "s"): at_least({"net[USA,2026,s]": 1, "spending[USA,offtake,2026,s]": -1, "spending[USA,support,2026,s]": -1}),
    }
    assert costs(built, "public money") == {(2026, "s"): {"net[USA,2026,s]": pytest.approx(0.25)}}


def test_a_payment_costs_what_raising_it_costs() -> None:
    plan = optimum(guaranteed())
    assert plan is not None
    assert plan.objective == pytest.approx(500 * 105 + 500 * 100 + 0.25 * 500 * 10)


def test_payments_to_partners_plants_are_gone() -> None:
    instance = guaranteed({"countries": WHO, "facilities": [plant(opex=105.0, country="AUS")], "demand": USE})
    built = model_of(instance)
    assert rows(built, "treasury.paid_abroad", "t w") == {
        (2026, "s"): equal({"volume[old floor USA]": 10, "volume[old floor EU]": 10, "abroad[2026,s]": -1}),
    }
    assert costs(built, "payments to partners") == {(2026, "s"): {"abroad[2026,s]": 1}}
    plan = optimum(instance)
    assert plan is not None
    assert plan.objective == pytest.approx(500 * 100 + 500 * 100 + (1 + 0.25) * 500 * 10)
    zone = optimum(instance.with_setting("economics.perimeter", "zone"))
    assert zone is not None
    assert zone.objective == pytest.approx(500 * 105 + 500 * 100 + 0.25 * 500 * 10)


LEVIED = {"ladder": [rung("f105", "reference", 105.0)], "countries": WHO, "demand": USE, "contracts": [{**FLOOR, "strike": 120.0}]}


def test_levies_on_pooled_imports_are_shared_by_demand_and_offset_outlays() -> None:
    built = model_of(guaranteed({**LEVIED, "facilities": [plant(opex=106.0), plant(facility="eu", country="EU", opex=106.0)]}), [{"M": "f105"}])
    found = rows(built, "treasury.outlay_less_revenue", "m t w")
    for m, share in (("USA", 0.75), ("EU", 0.25)):
        spent = {f"spending[{m},{instrument},2026,s]": -1 for instrument in ("offtake", "intervention")}
        assert found[m, 2026, "s"] == at_least({f"net[{m},2026,s]": 1, **spent, "im[CHN,members,2026,s]": share * 0.9 * 5})


def routed(**economics: Any) -> Instance:
    freight = [{"product": "M", "origin": "CHN", "destination": c} for c in ("USA", "EU", "AUS")]
    tables = {**LEVIED, "facilities": [plant(opex=106.0), plant(facility="eu", country="EU", opex=106.0)], "freight": freight}
    return guaranteed(tables, product={"trade": "routed"}, economics=economics)


@pytest.mark.parametrize(("pooled", "shares"), [(False, (1.0, 0.0)), (True, (0.75, 0.75))])
def test_levies_on_routed_imports_stay_with_the_importer_unless_pooled(pooled: bool, shares: tuple[float, float]) -> None:
    found = rows(model_of(routed(levy_pooled=pooled), [{"M": "f105"}]), "treasury.outlay_less_revenue", "m t w")["USA", 2026, "s"].terms
    assert {c: found.get(f"im[CHN,{c},2026,s]", 0.0) for c in ("USA", "EU")} == pytest.approx(
        {c: s * 0.9 * 5 for c, s in zip(("USA", "EU"), shares, strict=True)}
    )
    assert "im[CHN,AUS,2026,s]" not in found


def test_levy_revenue_offsets_outlays_but_never_more() -> None:
    # 500 t come in at 100 + 0.1 * 4; the treasury gets 0.9 * 4 on each and pays the plant the rest of its strike on 500 t
    ladder = [rung("f104", "reference", 104.0)]
    for strike, net in ((110.0, (110 - 104) * 500 - 0.9 * 4 * 500), (106.0, 0.0)):
        menu = [{**FLOOR, "strike": strike}]
        plan = optimum(guaranteed({"ladder": ladder, "contracts": menu}), [{"M": "f104"}])
        assert plan is not None
        assert plan.objective == pytest.approx(500 * 105 + 500 * (100 + 0.1 * 4) + 0.25 * net)


def test_clawback_is_revenue_against_other_spending() -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "high", "probability": 0.5}]
    shocks = [{"scenario": "high", "kind": "price", "value": 1.2}]
    menu = [{**FLOOR, "upside_share": 0.25, "ceiling": 116.0}]
    plan = optimum(guaranteed({"scenarios": scenarios, "shocks": shocks, "contracts": menu}))
    assert plan is not None
    spending = plan.built.model.treasury.spending
    assert plan.money(spending, 0, "offtake", 0, 1) == pytest.approx(-500 * 0.25 * (120 - 116))
    # nothing else is spent in that year: what comes back is not worth more than itself
    assert plan.objective == pytest.approx(500 * 105 + 0.5 * 500 * 100 + 0.5 * 500 * 120 + 0.25 * 0.5 * 500 * 10)


def test_gluts_and_stocks_are_carried_by_the_members_whose_they_are() -> None:
    tables = {
        "countries": WHO, "demand": USE, "facilities": [plant(capacity=2000.0)], "ladder": [rung("floor", "reference", 110.0)],
        "stockpiles": [{"product": "M", "max_purchase": 10.0}],
    }  # fmt: skip
    found = rows(model_of(guaranteed(tables), [{"M": "floor"}]), "treasury.spent", "m n t w")
    glut = "glut[M,members,2026,s,110.0]"
    assert found["USA", "intervention", 2026, "s"] == equal({glut: 0.75 * (110 - 80), "spending[USA,intervention,2026,s]": -1})
    assert found["EU", "intervention", 2026, "s"] == equal({glut: 0.25 * (110 - 80), "spending[EU,intervention,2026,s]": -1})
    assert found["EU", "stockpile", 2026, "s"] == equal({"buy[M,2026,0]": 0.25 * 110, "spending[EU,stockpile,2026,s]": -1})


# ---- limits -----------------------------------------------------------------------------------
def budget(**cells: Any) -> Row:
    return {"member": "USA", "instrument": "all", "limit": 6000.0, **cells}


def test_a_budget_holds_in_its_years_and_in_every_scenario_that_may_come() -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "w", "probability": 0.5}, {"scenario": "test", "probability": 0.0, "normal": True}]
    new = project(opex=105.0, latest_start=2027, capex=10_000.0)
    tables = {
        "scenarios": scenarios, "facilities": [plant(opex=105.0), new], "targets": [],
        "budgets": [budget(first_year=2027), budget(instrument="grant", limit=70.0), budget(instrument="support", limit=5.0)],
    }  # fmt: skip
    instance = tiny({**tables, "contracts": [FLOOR]}, years=(1, 2), owners={"grant_cap": 0.5, "rent_cap": 10.0})
    found = rows(model_of(instance), "treasury.budget", "n t w")
    grants = {y: dict.fromkeys((f"grant[new floor {y}]",), 1 / x) for y, x in ((2026, 1), (2027, 2))}
    assert found == {
        **{(0, 2027, w): at_most({f"spending[USA,offtake,2027,{w}]": 1, **grants[2027]}, 6000) for w in ("s", "w")},
        **{(1, y, w): at_most(grants[y], 70) for y in (2026, 2027) for w in ("s", "w")},
    }
    assert not hasattr(model_of(instance, rules=Rules(targets=False)).model.treasury, "budget")


@pytest.mark.parametrize(("limit", "enough"), [(5000.0, True), (4999.0, False)])
def test_a_budget_of_the_payment_is_just_enough(limit: float, enough: bool) -> None:
    assert (optimum(guaranteed({"budgets": [budget(instrument="offtake", limit=limit)]})) is not None) == enough


def test_contribution_keys() -> None:
    keys = [{"member": "USA", "key": 0.6, "tolerance": 0.05}, {"member": "EU", "key": 0.4, "tolerance": 1.0}]
    tables = {"countries": WHO, "demand": USE, "facilities": [plant(opex=105.0, country="AUS")], "contributions": keys}
    instance = guaranteed(tables)
    spent = {m: f"spending[{m},offtake,2026,s]" for m in ("USA", "EU")}
    found = rows(model_of(instance), "treasury.contribution", "m n")
    assert found["USA", "most"] == at_most({spent["USA"]: 1 - 0.6 - 0.05, spent["EU"]: -0.6 - 0.05})
    assert found["USA", "least"] == at_most({spent["USA"]: -1 + 0.6 - 0.05, spent["EU"]: 0.6 - 0.05})
    plan = optimum(instance)
    assert plan is not None
    shares = [plan.money(plan.built.model.treasury.spending, m, "offtake", 0, 0) / 5000 for m in range(2)]
    assert sum(shares) == pytest.approx(1)
    assert 0.55 - 1e-9 <= shares[0] <= 0.65 + 1e-9


def test_contributions_count_grants_from_their_start() -> None:
    keys = [{"member": m, "key": 0.5, "tolerance": 0.1} for m in ("USA", "EU")]
    new = project(opex=95.0, latest_start=2026, country="AUS", capex=30_000.0)
    tables = {"countries": WHO, "demand": USE, "facilities": [new], "contracts": [], "contributions": keys, "targets": [OWN]}
    instance = tiny(tables, years=(2,), owners={"grant_cap": 0.5, "rent_cap": 10.0}, economics={**MONEY, "social_rate": 0.05})
    found = rows(model_of(instance), "treasury.contribution", "m n")["USA", "most"]
    discount = 1.05**-1  # mid-period of two years, per year
    assert found == at_most({"grant[new grant 2026 USA]": 0.4 * discount, "grant[new grant 2026 EU]": -0.6 * discount})
    plan = optimum(instance)
    assert plan is not None
    grants = [plan.value(g) * plan.world.money_unit for g in plan.built.model.owners.grant.values()]
    assert sum(grants) == pytest.approx(30_000 - 10 * 2500)
    assert max(grants) <= 0.6 * 5000 + 1e-6


def refusing(*refused: tuple[str, str], **tables: Any) -> Instance:
    """A project of a partner that lacks 1,000 of 3,000 USD a year; a floor pays half of that, a grant up to half of 30,000 helps with the rest."""
    given = {
        "countries": WHO,
        "demand": USE,
        "facilities": [project(opex=96.0, latest_start=2026, country="AUS", capex=30_000.0)],
        "contracts": [{**FLOOR, "strike": 105.0, "min_share": 0.0, "max_share": 0.2}],
        "refusals": [{"member": member, "instrument": instrument} for member, instrument in refused],
        "targets": [OWN],
    }
    return tiny({**given, **tables}, owners={"grant_cap": 0.5, "rent_cap": 10.0})


def test_an_instrument_that_a_member_refuses_makes_no_column() -> None:
    whole = [{**FLOOR, "strike": 105.0}]
    for instrument, contract in (("offtake", 0), ("grant", -1)):
        built = model_of(refusing(("EU", instrument), facilities=[project(opex=96.0, latest_start=2026, country="AUS", capex=25_000.0)], contracts=whole))
        payers = {built.case.world.nodes[x.payer] for x in built.case.deals if x.deal.contract == contract}
        assert payers == {"USA"}


def test_who_refuses_grants_pays_none_beside_a_contract() -> None:
    assert optimum(refusing()) is not None
    assert optimum(refusing(("EU", "offtake"), ("EU", "grant"), ("USA", "grant"))) is None
    enough = [{**FLOOR, "strike": 105.0, "min_share": 0.0, "max_share": 0.4}]
    plan = optimum(refusing(("EU", "offtake"), ("EU", "grant"), ("USA", "grant"), contracts=enough))
    assert plan is not None
    assert sum(plan.value(g) for g in plan.built.model.owners.grant.values()) == pytest.approx(0)
    assert plan.terms["payments to partners"] == pytest.approx(1000)


def test_the_planner_has_no_treasury() -> None:
    built = model_of(guaranteed(), rules=Rules(behaviour="planner"))
    assert not hasattr(built.model.treasury, "spending")
    assert costs(built, "public money") == {}
