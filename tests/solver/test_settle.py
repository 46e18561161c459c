"""Scenarios that count for nothing in the objective are settled at least cost all the same."""

from __future__ import annotations

import pytest

import orepact
from orepact.options import SolveOptions
from tiny_instances import sellers, tiny


def test_users_go_without_the_easiest_uses_first_in_a_test_of_lenders() -> None:
    """600 of 1000 t are cut: 400 t at three times the price, 200 t at nine times; nothing makes the objective care."""
    instance = tiny(
        {
            "scenarios": [{"scenario": "s", "probability": 1.0}, {"scenario": "test", "probability": 0.0, "downside": True}],
            "shocks": [{"scenario": "test", "kind": "supply", "value": 0.4}],
            "outside_supply": sellers(CHN=1000.0),
            "shortage_costs": [
                {"product": "M", "block": 1, "share": 0.4, "price_multiple": 3.0},
                {"product": "M", "block": 2, "share": 0.6, "price_multiple": 9.0},
            ],
        }
    )
    solution = orepact.solve(instance, SolveOptions(threads=1, progress=False))
    scenario = solution.table("scenarios").set_index("scenario").loc["test"]
    assert scenario["shortage_usd"] == pytest.approx(400 * 300 + 200 * 900)
    assert scenario["cost_usd"] == pytest.approx(400 * 100 + 400 * 300 + 200 * 900)
    assert scenario["before_cost_usd"] == scenario["cost_usd"]
    assert solution.result.objective == pytest.approx(1000 * 100)
