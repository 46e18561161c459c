"""The same models by another solver: SCIP shares no code with HiGHS, so that a slip of either shows.

Needs PySCIPOpt, which `pip install orepact[scip]` brings.
"""

from __future__ import annotations

import pytest

import orepact
from brute_force import Study
from orepact.options import SolveOptions
from orepact.solver.result import SolveResult, Status
from random_instances import random_instance
from test_brute_force import agrees, only

pytest.importorskip("pyscipopt")

SEEDS = [pytest.param(seed, marks=() if seed < 3 else pytest.mark.slow) for seed in range(250)]


def result(seed: int, solver: str) -> SolveResult:
    """What a solver answers over every price path of a random instance."""
    instance = random_instance(seed)
    options = SolveOptions.model_validate(
        {"method": "milp", "gap": 0.0, "threads": 1, "own_paths_only": True, "baseline": False, "stress": False, "progress": False, "solver": solver}
    )
    return orepact.solve(only(instance, Study(instance).ladders.paths()), options).result


@pytest.mark.parametrize("seed", SEEDS)
def test_scip_and_highs_agree(seed: int) -> None:
    ours, theirs = result(seed, "highs"), result(seed, "scip_direct")
    assert theirs.status in (Status.SOLVED, Status.INFEASIBLE, Status.NO_PLAN)
    assert theirs.status == ours.status
    assert agrees(theirs.objective, ours.objective)
