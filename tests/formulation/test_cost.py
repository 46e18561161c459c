"""The objective: named costs discounted, expected, and with the worst outcomes weighted as asked."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import Names, at_most, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import Row, plant, project, tiny

SCENARIOS = [{"scenario": "s", "probability": 0.8}, {"scenario": "dear", "probability": 0.2}]
SHOCKS = [{"scenario": "dear", "kind": "price", "value": 1.5}]


def risky(tables: dict[str, Any] | None = None, years: tuple[int, ...] = (1,), **economics: float) -> Instance:
    return tiny({"scenarios": SCENARIOS, "shocks": SHOCKS, **(tables or {})}, years=years, economics=economics)


def test_costs_are_discounted_from_the_middle_of_each_period() -> None:
    plan = optimum(risky(years=(1, 3), social_rate=0.05))
    assert plan is not None
    year = 0.8 * 100_000 + 0.2 * 150_000
    assert plan.objective == pytest.approx(year * 1.05**-0.5 + 3 * year * 1.05**-2.5)
    assert plan.terms == pytest.approx({"imports": plan.objective})


def test_the_objective_is_the_sum_of_its_named_terms() -> None:
    new = project(opex=60.0, foreign_share=0.5)
    tables: dict[str, list[Row]] = {"facilities": [plant(), new], "freight": [{"product": "M", "origin": "USA", "destination": "ZONE", "cost": 1.0}]}
    plan = optimum(risky(tables, years=(1, 1), social_rate=0.04))
    assert plan is not None
    assert set(plan.terms) >= {"capital", "operation", "freight", "foreign rent"}
    assert sum(plan.terms.values()) == pytest.approx(plan.objective)


def test_rows_of_the_worst_outcomes() -> None:
    built = model_of(risky(cvar_weight=0.4, cvar_level=0.8, social_rate=0.05))
    usd, d = 1000 * 100, 1.05**-0.5
    assert usd == 100_000
    assert rows(built, "cost.worst_outcomes", "w") == {
        "s": at_most({"im[CHN,members,2026,s]": 100 * d, "threshold": -1, "excess[s]": -1}),
        "dear": at_most({"im[CHN,members,2026,dear]": 150 * d, "threshold": -1, "excess[dear]": -1}),
    }
    names, unit = Names(built), built.case.world.money_unit
    _, coefs, columns = built.model.objective.entries()
    found = {names.column(v)[0]: c * unit / names.column(v)[1] for c, v in zip(coefs, columns.tolist(), strict=True)}
    assert found == pytest.approx(
        {
            "im[CHN,members,2026,s]": 0.6 * 0.8 * 100 * d, "im[CHN,members,2026,dear]": 0.6 * 0.2 * 150 * d,
            "threshold": 0.4, "excess[s]": 0.4 * 0.8 / 0.2, "excess[dear]": 0.4 * 0.2 / 0.2,
        }
    )  # fmt: skip


@pytest.mark.parametrize(("level", "tail"), [(0.8, 150_000.0), (0.5, (0.2 * 150_000 + 0.3 * 100_000) / 0.5), (0.0, 0.8 * 100_000 + 0.2 * 150_000)])
def test_worst_outcomes_weigh_in(level: float, tail: float) -> None:
    plan = optimum(risky(cvar_weight=0.4, cvar_level=level))
    assert plan is not None
    assert plan.objective == pytest.approx(0.6 * (0.8 * 100_000 + 0.2 * 150_000) + 0.4 * tail)


def test_a_lump_is_paid_in_every_outcome() -> None:
    # rent leaves whatever happens: half of 40 * 500 - 10,000 a year
    new = project(opex=60.0, foreign_share=0.5, latest_start=2026)
    tables = {"facilities": [new], "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}]}
    costs = {w: 500 * 60 + 10_000 + 500 * p for w, p in (("s", 100), ("dear", 150))}
    rent = 0.5 * (0.8 * 500 * 40 + 0.2 * 500 * 90 - 10_000)
    expected = 0.8 * costs["s"] + 0.2 * costs["dear"] + rent
    plan = optimum(risky(tables, cvar_weight=0.25, cvar_level=0.8))
    assert plan is not None
    assert plan.objective == pytest.approx(0.75 * expected + 0.25 * (costs["dear"] + rent))


def test_for_diagnosis_the_least_effort() -> None:
    # 500 of 900 t can be the zone's own; a cap of 0.3 leaves 200 t of China's too many; the budget is not touched. In points of use
    targets = [
        {"target": "own", "kind": "zone_share", "products": "M", "value": 0.9},
        {"target": "cap", "kind": "reliance_cap", "products": "M", "source_country": "CHN", "value": 0.3},
    ]
    tables = {"facilities": [plant()], "targets": targets, "budgets": [{"member": "USA", "limit": 1.0}]}
    plan = optimum(tiny(tables), rules=Rules(elastic=True))
    assert plan is not None
    assert plan.objective / plan.world.money_unit == pytest.approx(40 + 20)
    assert optimum(tiny(tables)) is None
