"""The whole model of four tiny instances as LP files: whoever changes the formulation sees here, row by row, what that does.

`OREPACT_WRITE_GOLDEN=1 pytest tests/formulation/test_golden.py` writes the files anew; look at what changed before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyomo.repn.tests.lp_diff import load_and_compare_lp_baseline

from model_solves import every_path
from orepact.formulation.case import Rules
from orepact.instance.reader import read
from orepact.solver.batch import prepare
from orepact.solver.clock import Clock
from orepact.solver.in_pyomo import in_pyomo
from orepact.solver.search import BASELINE
from tiny_instances import market_of

TESTS = Path(__file__).parent.parent
CASES = {
    "border": ("border", Rules()),
    "smelter": ("smelter", Rules()),
    "smelter-planner": ("smelter", Rules(behaviour="planner")),
    "routes": ("routes", Rules()),
    "stock": ("stock", Rules()),
    "stock-baseline": ("stock", BASELINE),
}


def written(name: str, folder: Path) -> Path:
    """The LP file of a case: every lawful path of a folder in tests/data."""
    instance, rules = CASES[name]
    market = market_of(read(TESTS / "data" / instance))
    paths = every_path(market) if rules.targets and rules.behaviour == "market" else [market.free]
    _, matrix = prepare(market, paths, rules, Clock(60.0))
    path = folder / f"{name}.lp"
    in_pyomo(matrix).model.write(str(path), io_options={"symbolic_solver_labels": True})
    return path


@pytest.mark.parametrize("name", CASES)
def test_the_model_is_the_one_on_file(name: str, tmp_path: Path) -> None:
    golden = TESTS / "golden" / f"{name}.lp"
    if os.environ.get("OREPACT_WRITE_GOLDEN"):
        written(name, golden.parent)
    expected, found = load_and_compare_lp_baseline(str(golden), str(written(name, tmp_path)))
    assert expected == found
