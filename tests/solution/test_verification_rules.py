"""Every rule of the certificate can fail: a plan is held against an instance, or a package, that it was not made for.

The verifier takes the plan as it is and the other instance as the truth; the rule that is named must be among those broken, in a
row that is about amounts (not about a missing line of a table).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import orepact
from orepact.errors import InstanceError
from orepact.instance.instance import Instance
from orepact.options import SolveOptions
from orepact.solution.solution import Solution
from orepact.solution.verification.certificate import Certificate
from orepact.solution.verification.rules import RULES
from orepact.solution.verification.verify import verify
from tampering import NAMES, TAMPERING, NotHereError, Plan, instance_of, plan_of, solved
from tiny_instances import Tables, plant, tiny

Change = Callable[[Plan], Plan]


def table(name: str, column: str, value: Any, where: Callable[[Any], Any] | None = None) -> Change:
    """Every row of a table (or those that match) with another value; a function of the old one, or the value itself."""

    def change(plan: Plan) -> Plan:
        rows = plan.instance.table(name)
        chosen = rows.index if where is None else rows.index[where(rows).fillna(False).astype(bool)]
        if not len(chosen):
            raise NotHereError
        rows = rows.astype({column: "object"})
        rows.loc[chosen, column] = [value(old) if callable(value) else value for old in rows.loc[chosen, column]]
        return against(plan, plan.instance.with_table(name, rows))

    return change


def setting(path: str, value: Any) -> Change:
    return lambda plan: against(plan, plan.instance.with_setting(path, value))


def both(*changes: Change) -> Change:
    def change(plan: Plan) -> Plan:
        for each in changes:
            plan = each(plan)
        return plan

    return change


def against(plan: Plan, instance: Instance) -> Plan:
    return replace(plan, instance=instance)


def target(**cells: Any) -> Change:
    """One more target, which the plan can't meet."""

    def change(plan: Plan) -> Plan:
        rows: list[Any] = plan.instance.table("targets").to_dict("records")
        product = plan.instance.table("demand")["product"].iloc[0]
        return against(plan, plan.instance.with_table("targets", [*rows, {"target": "more", "products": product, **cells}]))

    return change


def _fallen_asleep(plan: Plan) -> Plan:
    """Every candidate that stands makes nothing."""
    plants = plan.table("facilities")
    asleep = plan.table("output")["facility"].isin(plants[(plants["status"] == "candidate") & plants["built"]]["facility"])
    if not asleep.any():
        raise NotHereError
    plan.table("output").loc[asleep, "idle_t_a"] += plan.table("output").loc[asleep, "output_t_a"]
    plan.table("output").loc[asleep, "output_t_a"] = 0.0
    return plan


def _exported_tenfold(plan: Plan) -> Plan:
    plan.scale("flows", "amount_t_a", 10.0, kind="export")
    return plan


def _refused(plan: Plan) -> Plan:
    """No member uses contracts."""
    members = plan.instance.table("countries").query("role == 'member' and treasury.isna()")["country"]
    rows = [{"member": member, "instrument": instrument} for member in members for instrument in ("offtake", "support")]
    return against(plan, plan.instance.with_table("refusals", rows))


def _nothing_bought(plan: Plan) -> Plan:
    plan.table("stock")["purchase_t_a"] = 0.0
    return plan


def _another_package(plan: Plan) -> Plan:
    rows = plan.table("facilities")
    built = rows[(rows["status"] == "candidate") & rows["built"]]
    if built.empty:
        raise NotHereError
    plan.summary["package"] = {"rest": "free", "start": [{"facility": built["facility"].iloc[0], "built": False}]}
    return plan


COUNTER: dict[str, Change] = {
    # rule: what would break it
    "price path": table("ladder", "last_year", 1990),
    "shortage": table("shortage_costs", "share", 1e-4),
    "menu": _refused,
    "contracted volume": table("contracts", "max_share", 0.01),
    "grant limit": both(setting("owners.grant_cap", 0.0), lambda plan: against(plan, plan.instance.with_table("aid_limits", []))),
    "participation": table("facilities", "hurdle_rate", 0.95),
    "rent cap": setting("owners.rent_cap", 0.0),
    "lenders": both(table("scenarios", "downside", True), setting("owners.cover", 10.0)),
    "idling paid for": _fallen_asleep,
    "duty to build": both(setting("owners.entry", "duty"), table("facilities", "capex", 1.0), table("facilities", "opex", 0.0)),
    "package": _another_package,
    "own output only": _exported_tenfold,
    "routes": table("freight", "capacity", 1.0),
    "supply": table("outside_supply", "available", lambda old: 0.1 * old),
    "shares of sources": both(setting("trade.band", 0.0), table("outside_supply", "available", lambda old: 100.0 * old)),
    "surplus": table("outside_sales", "limit", 1.0),
    "stock": table("stockpiles", "max_purchase", 1e-3),
    "contracted for stock": _nothing_bought,
    "budgets": table("budgets", "limit", 1.0),
    "contribution keys": both(table("contributions", "key", lambda old: 1 - old), table("contributions", "tolerance", 0.0)),
    "zone shares": target(kind="zone_share", value=1.0),
    "activity shares": target(kind="activity_share", activity="processing", value=1.0),
    "reliance caps": target(kind="reliance_cap", source_country="CHN", value=0.0),
    "N-1": target(kind="n_minus_1", outage="*", value=1.0),
    "stock days": target(kind="stock_days", value=10000.0),
}
"""Rules that a lie in a table doesn't test: limits, permissions, requirements."""


@cache
def broken(rule: str) -> list[str]:
    """Plans in which the counter-instance breaks its rule, up to the first."""
    for name in NAMES:
        try:
            certificate = (changed := COUNTER[rule](plan_of(solved(name), instance_of(name)))).certificate()
        except (NotHereError, InstanceError):
            continue
        assert changed is not None
        if amounts(certificate, rule):
            return [name]
    return []


def amounts(certificate: Certificate, rule: str) -> list[str]:
    """Violations of a rule that are not about a line missing from a table."""
    return [v.row for r, v in certificate.failures if r == rule and v.stated != "missing"]


@pytest.mark.parametrize("rule", COUNTER)
def test_a_limit_that_the_plan_exceeds_is_named(rule: str) -> None:
    assert broken(rule) != []


def test_every_rule_has_something_that_breaks_it() -> None:
    lies = set().union(*(rules for _, rules in TAMPERING.values()))
    assert set(RULES) - lies - set(COUNTER) == set()


@cache
def evaluated(text: str) -> Solution:
    instance = instance_of("tutorial")
    return orepact.evaluate(instance, orepact.parse_package(text, instance), SolveOptions(threads=1, progress=False))


@pytest.mark.parametrize("rest", ["none", "free"])
def test_a_package_of_somebody_else_is_verified(rest: str) -> None:
    facility = instance_of("tutorial").table("facilities").query("status == 'candidate'")["facility"].iloc[0]
    solution = evaluated(f'rest = "{rest}"\n[[start]]\nfacility = "{facility}"\nbuilt = false\n')
    assert solution.certificate is not None
    assert solution.certificate.holds
    package = next(result for result in solution.certificate.results if result.rule == "package")
    assert package.rows > 0


def test_a_package_that_misses_the_targets_says_so_in_its_certificate() -> None:
    solution = evaluated('rest = "none"\n')
    assert not solution.result.requirements_held
    assert solution.certificate is not None
    assert solution.certificate.holds
    assert any("left aside" in text for text in solution.certificate.not_checked)
    certificate = verify(instance_of("tutorial"), {**solution.summary(), "requirements_held": True}, solution.tables)
    assert not certificate.holds


@pytest.mark.parametrize("behaviour", ["market", "planner"])
@pytest.mark.parametrize("tables", [{}, {"outside_supply": [], "facilities": [plant(capacity=1500.0)]}], ids=["no plants", "no sellers"])
def test_a_world_that_lacks_plants_or_sellers_is_verified(tables: Tables, behaviour: str) -> None:
    solution = orepact.solve(tiny(tables), SolveOptions.model_validate({"behaviour": behaviour, "threads": 1, "progress": False}))
    assert solution.certificate is not None
    assert solution.certificate.holds
