"""Plans that hold every rule and are hard to believe all the same: what the notes say of them, and where they are silent."""

from __future__ import annotations

from typing import Any

import orepact
from orepact.instance.instance import Instance
from tiny_instances import plant, project, rung, tiny

OPTIONS = orepact.SolveOptions(threads=1, gap=0.01)


def notes(instance: Instance) -> str:
    solution = orepact.solve(instance, OPTIONS)
    assert solution.has_plan
    return "\n".join(solution.notes)


def test_a_plain_plan_raises_no_doubt() -> None:
    found = notes(tiny({"facilities": [plant(capacity=100.0)]}))
    for word in ("SHORTAGE", "GLUT", "end of the", "Within the gap", "assumed"):
        assert word not in found


def test_going_without_carries_the_plan() -> None:
    blocks = [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 5.0}]
    assert "SHORTAGE CARRIES THIS PLAN" in notes(tiny({"shortage_costs": blocks}, available=600.0))


def test_what_is_made_only_to_be_dumped() -> None:
    # 1500 t are made where 1000 are used
    assert "GLUT: in s, 33 % of the M that the zone makes is dumped" in notes(tiny({"facilities": [plant(capacity=1500.0)]}))


def own(**cells: Any) -> dict[str, Any]:
    return {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5, **cells}


def test_the_highest_rung_is_in_force_and_the_target_is_assumed() -> None:
    # without the floor the project, at 110 USD/t of cash and capital cost, is not worth building
    dear = project(opex=100.0, capex=50_000.0)
    tables = {"facilities": [dear], "targets": [own()], "ladder": [rung("floor", "reference", 120.0)]}
    found = notes(tiny(tables))
    assert "At the end of the ladder: M at floor" in found
    assert "What binds rests on assumed figures: target own" in found
    assert "assumed figures" not in notes(tiny({**tables, "targets": [own(quality="reported")]}))


def test_the_last_contract_of_the_menu() -> None:
    dear = project(opex=100.0, capex=50_000.0)
    menu = [{"contract": f"at{p:g}", "products": "M", "strike": p} for p in (105.0, 115.0)]
    found = notes(tiny({"facilities": [dear], "targets": [own()], "contracts": menu}, owners={"rent_cap": 1.0}))
    assert "At the end of the contract menu: new on at115, the highest strike for M" in found


def test_two_paths_that_cannot_be_told_apart() -> None:
    # a floor far below the price does nothing: the same plan on another path
    found = notes(tiny({"ladder": [rung("low", "reference", 1.0), rung("lower", "reference", 0.5, step=2)]}))
    assert "Within the gap of 1 % of this plan" not in found or "M at" in found
