"""Why there is no plan, on instances small enough to know the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import orepact
from orepact.solver.diagnosis.diagnosis import Diagnosis
from planted import written
from tiny_instances import countries, demand_rows, plant, project, sellers, tiny

QUICK = orepact.SolveOptions(baseline=False, stress=False, threads=1)


def target(**cells: Any) -> dict[str, Any]:
    return {"target": "own", "kind": "zone_share", "products": "M", **cells}


def explained(instance: orepact.Instance) -> Diagnosis:
    found = orepact.explain(instance, QUICK)
    assert found.irreducible, found.notes
    return found


def spots(found: Diagnosis) -> set[tuple[str, int | None, str]]:
    return {(p.file, p.row, p.column) for c in found.conflicts for p in c.places}


def sentences(found: Diagnosis) -> list[list[str]]:
    return [[step.sentence for step in repair.steps] for repair in found.repairs]


def test_a_share_that_capacity_does_not_allow() -> None:
    # 500 t of the 1000 t used can be made: half of use at most
    found = explained(tiny({"facilities": [plant()], "targets": [target(value=0.9)]}))
    assert found.status == "infeasible"
    assert spots(found) == {("targets.csv", 2, "value"), ("facilities.csv", 2, "capacity")}
    assert sentences(found)[0] == ["targets.csv row 2, value: 0.9 → 0.5"]
    assert found.repairs[0].effort == pytest.approx(40.0)
    assert ["facilities.csv row 2, capacity: 500 → 1000 t/a"] in sentences(found)


def test_a_target_later_is_a_repair() -> None:
    # first output comes after two of the four years: the target can hold from the second period on
    late = project(lead_time=2.0, capacity=1000.0, opex=1.0, capex=1000.0)
    found = explained(tiny({"facilities": [late], "targets": [target(value=0.5, first_year=2026)]}, years=(2, 2)))
    assert ("facilities.csv", 2, "lead_time") in spots(found)
    assert ["targets.csv row 2, first_year: 2026 → 2028 year"] in sentences(found)


def test_a_budget_too_small_for_what_a_target_needs() -> None:
    # opex 130, price 100: a strike of 130 pays 30 USD/t on 500 t; the budget allows a third of it
    deal = {"contract": "deal", "products": "M", "strike": 140.0, "existing": True}
    tables = {
        "facilities": [plant(opex=130.0)],
        "contracts": [deal],
        "targets": [target(value=0.5)],
        "budgets": [{"member": "USA", "instrument": "offtake", "limit": 5_000.0}],
    }
    instance = tiny(tables)
    found = explained(instance)
    assert found.status == "no plan"
    assert {("targets.csv", 2, "value"), ("budgets.csv", 2, "limit")} <= spots(found)
    raised = [s for s in sentences(found) if s[0].startswith("budgets.csv")]
    assert raised == [["budgets.csv row 2, limit: 5000 → 20000 USD/a"]]


def test_a_member_that_refuses_what_is_needed() -> None:
    deal = {"contract": "deal", "products": "M", "strike": 140.0, "existing": True}
    refusal = {"member": "USA", "instrument": "offtake"}
    found = explained(tiny({"facilities": [plant(opex=130.0)], "contracts": [deal], "targets": [target(value=0.5)], "refusals": [refusal]}))
    assert ("refusals.csv", 2, "instrument") in spots(found)
    assert ["refusals.csv row 2 (USA, offtake): taken out"] in sentences(found)


def test_a_route_that_is_missing() -> None:
    # both members use metal; the only route goes to the United States
    tables: dict[str, list[dict[str, Any]]] = {
        "countries": countries(USA="member", EUU="member", CHN="outside"),
        "demand": demand_rows(USA=100.0, EUU=100.0),
        "outside_supply": sellers(CHN=1000.0),
        "freight": [{"product": "M", "origin": "CHN", "destination": "USA", "cost": 1.0}],
    }
    found = explained(tiny(tables, product={"trade": "routed"}))
    assert [c.words for c in found.conflicts] == ["no route for M from USA to EUU, from EUU to USA, from CHN to EUU"]
    assert sentences(found) == [["freight.csv, a row more: product M, origin CHN, destination EUU, cost 1"]]


def test_nobody_makes_or_sells_a_product() -> None:
    found = explained(tiny({"outside_supply": []}))
    assert [c.words for c in found.conflicts] == ["nobody makes or sells M"]
    assert found.repairs


def test_two_conflicts_take_two_changes() -> None:
    # half of use can be made, and of N (which nobody in the zone makes) nothing: no single change helps
    tables: dict[str, list[dict[str, Any]]] = {
        "products": [{"product": k, "mineral": "m", "stage": "metal"} for k in ("M", "N")],
        "prices": [{"product": k, "year": 2026, "price": 100.0} for k in ("M", "N")],
        "demand": [{"country": "USA", "product": k, "year": 2026, "demand": 1000.0} for k in ("M", "N")],
        "outside_supply": [*sellers("M", CHN=10_000.0), *sellers("N", CHN=10_000.0)],
        "facilities": [plant()],
        "targets": [target(value=0.9), target(target="cap", kind="reliance_cap", products="N", source_country="CHN", value=0.4)],
    }
    instance = tiny(tables)
    found = explained(instance)
    assert found.repairs
    assert sorted(sentences(found)[0]) == ["targets.csv row 2, value: 0.9 → 0.5", "targets.csv row 3, value: 0.4 → 1"]
    assert orepact.solve(written(instance, found.repairs[0]), QUICK).has_plan


def test_a_plan_has_nothing_to_explain() -> None:
    found = orepact.explain(tiny(), QUICK)
    assert found.status == "solved"
    assert not found.conflicts


def test_out_of_time_says_so() -> None:
    instance = tiny({"facilities": [plant()], "targets": [target(value=0.9)]})
    found = orepact.solve(instance, QUICK.model_copy(update={"explain_time": 1e-6})).diagnosis
    assert found is not None
    assert not found.irreducible
    assert "time limit" in found.notes[0]


def test_a_run_without_a_plan_stores_why(tmp_path: Path) -> None:
    solution = orepact.solve(tiny({"facilities": [plant()], "targets": [target(value=0.9)]}), QUICK)
    assert solution.result.exit_code == 4
    loaded = orepact.load(solution.save(tmp_path / "run"))
    assert loaded.diagnosis == solution.diagnosis
    assert list(loaded.table("conflicts")["file"]) == ["targets.csv", "facilities.csv"]
    assert loaded.table("repairs")["change"].iloc[0] == "targets.csv row 2, value: 0.9 → 0.5"
    assert (tmp_path / "run" / "repairs.csv").is_file()
    assert not (tmp_path / "run" / "targets.csv").exists()
    card = orepact.plan_card_text(loaded)
    assert "targets.csv row 2, value: 0.9 → 0.5" in card


def test_bent_rules_are_marked_everywhere(tmp_path: Path) -> None:
    instance = tiny({"facilities": [plant()], "targets": [target(value=0.9)]})
    solution = orepact.solve(instance, QUICK.model_copy(update={"relax": True}))
    assert solution.result.status is orepact.Status.BENT
    assert solution.result.exit_code == 4  # as asked it is infeasible, plan or no plan
    assert {name for name, digest in solution.digests.items() if instance.digests[name] != digest} == {"targets"}  # of what was solved
    loaded = orepact.load(solution.save(tmp_path / "run"))
    assert loaded.table("targets")[["value", "asked"]].drop_duplicates().to_numpy().tolist() == [[0.5, 0.9]]
    assert loaded.summary()["status"] == "rules bent"
    assert loaded.table("repairs")["bent"].tolist()[0]
    card = orepact.plan_card_text(loaded)
    assert "RULES BENT" in card
    assert "BENT, 90 % asked" in card


def test_no_diagnosis_where_none_is_asked() -> None:
    instance = tiny({"facilities": [plant()], "targets": [target(value=0.9)]})
    assert orepact.solve(instance, QUICK.model_copy(update={"explain": False})).diagnosis is None
