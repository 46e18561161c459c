"""Check a stored plan anew: everything is derived from the instance's tables and the plan's, with arithmetic of its own.

Shares no code with market, formulation, solver or extraction, and needs neither Pyomo nor a solver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from orepact.instance.instance import Instance
from orepact.solution.verification.certificate import Certificate
from orepact.solution.verification.check_goods import check_goods
from orepact.solution.verification.check_money import check_money
from orepact.solution.verification.check_objective import check_objective
from orepact.solution.verification.check_owners import check_owners
from orepact.solution.verification.check_plants import check_plants
from orepact.solution.verification.check_prices import check_prices
from orepact.solution.verification.check_targets import check_targets
from orepact.solution.verification.facts import Facts
from orepact.solution.verification.findings import Findings
from orepact.solution.verification.fixed import check_package
from orepact.solution.verification.ladders import ladders_of
from orepact.solution.verification.money import Money
from orepact.solution.verification.path import Path
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.rules import NOT_CHECKED
from orepact.solution.verification.stored import Stored
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms


def verify(instance: Instance, summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Certificate:
    """The certificate of a plan: `summary` is what solution.json says, `tables` are all of the solution's tables.

    A wrong plan is never an exception: each violation names its rule and row. Raises ValueError for a run without a plan.
    """
    if summary["objective"] is None:
        raise ValueError("a run without a plan has nothing to verify")
    findings = Findings()
    facts = Facts(instance, bool(summary["options"]["lose_countries"]))
    _same_instance(instance, summary, findings)
    plants = Plants(facts)
    planner = summary["behaviour"] == "planner"
    ladders = ladders_of(facts, plants)
    stored = Stored(facts, plants, ladders, tables, planner, findings)
    path = Path(facts, plants, stored.weights, planner, ladders)
    free = Path(facts, plants, None, False, ladders)
    study = Study(facts, plants, path, free, stored, summary, planner, bool(summary["requirements_held"]), findings)
    terms = Terms(facts, plants, path, free, stored)
    money = Money(study, terms)
    check_prices(study)
    check_owners(study, terms)
    check_package(study, terms)
    check_plants(study, terms)
    check_goods(study)
    check_money(study, terms, money)
    check_targets(study)
    check_objective(study, terms, money)
    return Certificate.of(findings, (*NOT_CHECKED, *_also_not_checked(study)), instance.digest)


def _same_instance(instance: Instance, summary: Mapping[str, Any], findings: Findings) -> None:
    stated = summary["instance"]["digests"]
    for name, digest in instance.digests.items():
        findings.holds("instance", name, stated.get(name) == digest, (), stated=stated.get(name), derived=digest)
    settings = instance.settings.model_dump(mode="json")
    findings.holds("instance", "solution.json, settings", summary["settings"] == settings, (), stated="other settings", derived="the instance's")


def _also_not_checked(study: Study) -> list[str]:
    """What this plan in particular leaves unchecked."""
    found = []
    missing = [study.facts.scenarios[w] for w in np.flatnonzero(~study.stored.shown & ~study.facts.modelled)]
    if missing:
        found.append(f"stress tests without a solution: {', '.join(missing)}")
    if study.planner:
        found.append("the second accounting: the planner has no prices and no payments")
    if not study.required:
        found.append("that targets, caps, budgets and contribution keys are held: the package can't meet them, and they were left aside")
    if study.package and study.package.get("rest", "free") == "free":
        found.append("lawful steps of the rungs that the package fixes")
    return found
