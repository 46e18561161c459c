"""A plan that can be signed: no slivers of contracts, one payer per contract, at (almost) the same cost."""

from __future__ import annotations

import numpy as np
import pytest

from model_solves import optimum
from orepact.options import SolveOptions
from orepact.solver.batch import Plan
from orepact.solver.clock import Clock
from orepact.solver.tidy import tidied
from tiny_instances import countries, demand_rows, plant, tiny

OPTIONS = SolveOptions(threads=1)
ROUNDING = 1e-9


def shared_plan() -> Plan:
    """A partner's plant that runs only at 130, needed for half of use, paid for by either of two members; here by both, 30 and 70 %."""
    tables = {
        "countries": countries(USA="member", EU="member", AUS="partner", CHN="outside"),
        "demand": demand_rows(USA=500.0, EU=500.0),
        "facilities": [plant(country="AUS", opex=120.0)],
        "contracts": [{"contract": "c", "products": "M", "strike": 130.0, "existing": True, "min_share": 1.0}],
        "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}],
    }
    best = optimum(tiny(tables), [{}])
    assert best is not None
    owners, case, values = best.built.model.owners, best.built.case, best.values.copy()
    supported = [d for d, x in enumerate(case.deals) if x.payer >= 0]
    assert len(supported) == 2
    for part in (owners.weight, owners.volume):
        total = sum(float(values[part[d]]) for d in supported)
        for d, share in zip(supported, (0.3, 0.7), strict=True):
            values[part[d]] = share * total
    return Plan(best.built, best.matrix, values, best.objective / best.world.money_unit, best.market.free)


def weights(plan: Plan) -> list[float]:
    return [float(value) for value in plan.values[plan.built.model.owners.weight.ids]]


def test_the_larger_payer_takes_the_whole_contract() -> None:
    plan = shared_plan()
    tidy = tidied(plan, OPTIONS, Clock(60.0), plan.objective * (1 + ROUNDING))
    assert sorted(weights(plan)) == pytest.approx([0.0, 0.3, 0.7])
    assert sorted(weights(tidy)) == pytest.approx([0.0, 0.0, 1.0])
    assert np.argmax(weights(tidy)) == np.argmax(weights(plan))
    assert tidy.objective == pytest.approx(plan.objective)
    assert tidy.matrix.violations(tidy.values).rows == pytest.approx(0.0, abs=1e-7)


def test_what_would_cost_more_than_allowed_stays() -> None:
    plan = shared_plan()
    same = tidied(plan, OPTIONS, Clock(60.0), plan.objective * (1 - 1e-6))
    assert same is plan
