"""Plans to spoil, and sixty ways to do it, with the rules of the certificate of which at least one must name each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import orepact
from orepact.instance.instance import Instance
from orepact.options import SolveOptions
from orepact.solution.solution import Solution
from orepact.solution.verification.certificate import Certificate
from orepact.solution.verification.verify import verify
from random_instances import random_instance
from tiny_instances import countries, demand_rows, plant, tiny

ROOT = Path(__file__).parents[1]
NAMES = ("border", "smelter", "stock", "routes", "tutorial", "random 3", "random 7", "exports", "shared stock")


@dataclass
class Plan:
    """A plan that a test may spoil."""

    instance: Instance
    summary: dict[str, Any]
    tables: dict[str, Any]

    def certificate(self) -> Certificate:
        return verify(self.instance, self.summary, self.tables)

    def table(self, name: str) -> Any:
        return self.tables[name]

    def largest(self, name: str, column: str, **where: Any) -> int:
        """The row with the largest figure among those that match."""
        rows = self.tables[name]
        for key, value in where.items():
            rows = rows[rows[key] == value]
        if rows.empty or not rows[column].abs().max() > 1e-5:  # less is rounding
            raise NotHereError
        return int(rows[column].abs().idxmax())

    def scale(self, name: str, column: str, factor: float = 1.01, **where: Any) -> None:
        self.tables[name].loc[self.largest(name, column, **where), column] *= factor

    def drop(self, name: str, row: int) -> None:
        self.tables[name] = self.tables[name].drop(index=row).reset_index(drop=True)


class NotHereError(Exception):
    """The plan has nothing of the kind to tamper with."""


@cache
def instance_of(name: str) -> Instance:
    _kind, _, seed = name.partition(" ")
    if name == "exports":
        return tiny({"facilities": [plant(capacity=2000.0)], "outside_sales": [{"product": "M", "year": 2026, "limit": 600.0}]})
    if name == "shared stock":
        return tiny(
            {
                "countries": countries(USA="member", EU="member", CHN="outside"),
                "demand": demand_rows(USA=600.0, EU=400.0),
                "facilities": [plant(capacity=50.0, opex=120.0)],
                "contracts": [{"contract": "c", "products": "M", "strike": 130.0, "existing": True, "stockpiled": True}],
                "stockpiles": [{"product": "M", "max_purchase": 50.0}],
                "targets": [{"target": "own", "kind": "activity_share", "products": "M", "activity": "processing", "value": 0.04}],
                "contributions": [{"member": "USA", "key": 0.6, "tolerance": 0.3}, {"member": "EU", "key": 0.4, "tolerance": 0.3}],
            }
        )
    if seed:
        return random_instance(int(seed))
    return orepact.read(ROOT / "instances" / name if name == "tutorial" else ROOT / "tests" / "data" / name)


@cache
def solved(name: str, behaviour: str = "market") -> Solution:
    options = SolveOptions.model_validate({"behaviour": behaviour, "threads": 1, "progress": False, "neighbours": False})
    return orepact.solve(instance_of(name), options)


def plan_of(solution: Solution, instance: Instance) -> Plan:
    return Plan(instance, copy.deepcopy(solution.summary()), {name: table.copy() for name, table in solution.tables.items()})


# ---- tampering ----------------------------------------------------------------------------------------------------
def _start(plan: Plan) -> None:
    rows = plan.table("facilities")
    built = rows[(rows["status"] == "candidate") & rows["built"]]
    if built.empty or len(plan.summary["settings"]["horizon"]["period_years"]) < 2:
        raise NotHereError
    starts = sorted(set(plan.table("rungs")["first_year"]))
    old = built["start_year"].iloc[0]
    rows.loc[built.index[0], "start_year"] = next(year for year in reversed(starts) if year != old)


def _not_built(plan: Plan) -> None:
    rows = plan.table("facilities")
    built = rows[(rows["status"] == "candidate") & rows["built"]]
    if built.empty:
        raise NotHereError
    rows.loc[built.index[0], "built"] = False


def _rung(plan: Plan) -> None:
    rows = plan.table("rungs")
    lifted = rows[rows["rung"] != "free"]
    if lifted.empty:
        raise NotHereError
    rows.loc[lifted.index[0], "rung"] = "free"


def _idle(plan: Plan) -> None:
    n = plan.largest("output", "output_t_a")
    plan.table("output").loc[n, "idle_t_a"] += 0.5 * plan.table("output").loc[n, "output_t_a"]
    plan.table("output").loc[n, "output_t_a"] *= 0.5


def _twice(plan: Plan) -> None:
    plan.tables["balance"] = pd.concat([plan.table("balance"), plan.table("balance").iloc[[0]]], ignore_index=True)


def _figure(key: str, factor: float) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        if not plan.summary[key]:
            raise NotHereError
        plan.summary[key] = plan.summary[key] * factor

    return change


def _flag(column: str) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        rows = plan.table("facilities")
        candidates = rows[rows["status"] == "candidate"]
        if candidates.empty:
            raise NotHereError
        rows.loc[candidates.index[0], column] = not rows.loc[candidates.index[0], column]

    return change


def _without(name: str, column: str, **where: Any) -> Callable[[Plan], None]:
    return lambda plan: plan.drop(name, plan.largest(name, column, **where))


def _scaled(name: str, column: str, factor: float = 1.01, **where: Any) -> Callable[[Plan], None]:
    return lambda plan: plan.scale(name, column, factor, **where)


def _target(plan: Plan) -> None:
    plan.scale("targets", "achieved", 1.02)


def _coded(plan: Plan) -> None:
    plan.table("flows").loc[plan.largest("flows", "amount_t_a"), "product"] = "moonrock"


def _instance(plan: Plan) -> None:
    plan.summary["instance"]["digests"]["prices"] = "0" * 64


def _setting(plan: Plan) -> None:
    plan.summary["settings"]["economics"]["social_rate"] += 0.01


def _term(plan: Plan) -> None:
    term = max(plan.summary["cost_terms"], key=lambda name: abs(plan.summary["cost_terms"][name]))
    plan.summary["cost_terms"][term] *= 1.001


def _baseline(plan: Plan) -> None:
    plan.summary["baseline"]["objective"] *= 1.001


def _indicator(plan: Plan) -> None:
    plan.summary["indicators"]["user_bill_usd"]["value"] *= 1.001


def _probability(plan: Plan) -> None:
    plan.scale("scenarios", "probability", 0.9)


def _stress(plan: Plan) -> None:
    plan.table("scenarios").loc[0, "normal"] = not plan.table("scenarios").loc[0, "normal"]


def _missing_scenario(plan: Plan) -> None:
    plan.drop("scenarios", plan.largest("scenarios", "probability"))


TARGETS = {"zone shares", "activity shares", "reliance caps", "N-1", "stock days"}
TAMPERING: dict[str, tuple[Callable[[Plan], None], set[str]]] = {
    # name: what is changed, the rules of which at least one must name it
    "an import": (_scaled("flows", "amount_t_a", kind="import"), {"balance"}),
    "an export": (_scaled("flows", "amount_t_a", kind="export"), {"balance"}),
    "the price of a flow": (_scaled("flows", "price_usd_t"), {"price of a flow"}),
    "a flow left out": (_without("flows", "amount_t_a"), {"balance"}),
    "a flow of a product that is none": (_coded, {"rows"}),
    "a negative flow": (_scaled("flows", "amount_t_a", -1.0), {"rows"}),
    "demand": (_scaled("balance", "demand"), {"demand"}),
    "made": (_scaled("balance", "made"), {"balance stated"}),
    "a shortage": (_scaled("balance", "shortage", 0.9), {"balance"}),
    "a balance row twice": (_twice, {"rows"}),
    "a balance row left out": (_without("balance", "demand"), {"demand"}),
    "output": (_scaled("output", "output_t_a"), {"running"}),
    "output left out": (_without("output", "output_t_a"), {"rows"}),
    "a plant put to sleep": (_idle, {"idling"}),
    "a margin": (_scaled("output", "margin_usd_t"), {"margins"}),
    "a year of building": (_start, {"starts", "rows"}),
    "a plant not built after all": (_not_built, {"starts"}),
    "capital cost": (_scaled("facilities", "capex_usd"), {"starts"}),
    "an owner's NPV": (_scaled("facilities", "owner_npv_usd"), {"owners' figures"}),
    "a rent": (_scaled("facilities", "rent_usd"), {"owners' figures"}),
    "a cover ratio": (_scaled("facilities", "cover_ratio"), {"owners' figures"}),
    "kept out": (_flag("kept_out"), {"owners' figures"}),
    "would be built anyway": (_flag("would_build_anyway"), {"owners' figures"}),
    "supported": (_flag("supported"), {"owners' figures"}),
    "a weight": (_scaled("offers", "weight", 0.9), {"weights"}),
    "a contracted volume": (_scaled("offers", "volume_t_a"), {"payments", "contract figures"}),
    "a grant": (_scaled("offers", "grant_usd"), {"payments"}),
    "a signed offer left out": (_without("offers", "weight"), {"weights"}),
    "a contract's volume": (_scaled("contracts", "volume_t_a"), {"contract figures"}),
    "a contract's strike": (_scaled("contracts", "strike"), {"contract figures"}),
    "a contract's payment": (_scaled("contracts", "expected_payment_usd_a"), {"contract figures"}),
    "a contract left out": (_without("contracts", "volume_t_a"), {"contract figures"}),
    "a payment": (_scaled("payments", "usd_a"), {"payments"}),
    "a payment left out": (_without("payments", "usd_a"), {"payments"}),
    "a levy": (_scaled("payments", "usd_a", instrument="levy"), {"second accounting"}),
    "a zone price": (_scaled("rungs", "zone_price"), {"prices"}),
    "a world price": (_scaled("rungs", "world_price"), {"prices"}),
    "a floor": (_scaled("rungs", "level"), {"prices"}),
    "a rung": (_rung, {"prices"}),
    "a rung left out": (_without("rungs", "zone_price"), {"rows"}),
    "a stock level": (_scaled("stock", "level_t"), {"stock"}),
    "a purchase": (_scaled("stock", "purchase_t_a"), {"stock"}),
    "a release": (_scaled("stock", "release_t_a"), {"stock"}),
    "a stock row left out": (_without("stock", "level_t"), {"rows"}),
    "what a target reaches": (_target, TARGETS),
    "a target's slack": (_scaled("targets", "slack", -1.0), TARGETS),
    "a target left out": (_without("targets", "value"), TARGETS),
    "reliance": (_scaled("reliance", "look_through_share"), {"reliance"}),
    "a budget": (_scaled("limits", "used", kind="budget"), {"budgets"}),
    "a term of the cost": (_scaled("cost_terms", "usd", 1.001), {"cost terms"}),
    "a term left out": (_without("cost_terms", "usd"), {"cost terms"}),
    "an expected term": (_term, {"cost terms"}),
    "the objective": (_figure("objective", 1.0001), {"objective"}),
    "the bound": (_figure("bound", 1.1), {"bound"}),
    "the cost of a scenario": (_scaled("scenarios", "cost_usd"), {"scenarios"}),
    "a probability": (_probability, {"scenarios"}),
    "a scenario's flag": (_stress, {"scenarios"}),
    "a scenario left out": (_missing_scenario, {"rows"}),
    "an indicator": (_indicator, {"indicators"}),
    "the baseline": (_baseline, {"baseline"}),
    "another instance": (_instance, {"instance"}),
    "another setting": (_setting, {"instance"}),
}
