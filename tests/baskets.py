"""Small baskets, and how their tests solve them."""

from __future__ import annotations

from typing import Any

import orepact
from orepact import api
from orepact.instance.instance import Instance
from orepact.options import SolveOptions
from tiny_instances import plant, two_metals

EXACT = SolveOptions(gap=1e-7, threads=1, stress=False, baseline=False, neighbours=False, explain=False)
SHARING = [20, 51, 56, 109, 122, 123, 129, 149, 156, 158, 159, 162, 183]
"""Random instances of several parts with budgets, contribution keys or a weight on the worst outcomes."""

WITH_PLAN = [seed for seed in SHARING if seed not in (109, 183)]


def guarantee(product: str) -> dict[str, object]:
    return {"contract": f"floor_{product}", "instrument": "offtake", "products": [product], "strike": 140.0, "window": 30, "max_share": 0.5, "existing": True}


def mill(product: str, opex: float) -> dict[str, object]:
    return plant(facility=f"mill_{product}", process=f"make_{product}", opex=opex)


def own_share(product: str) -> dict[str, object]:
    return {"target": f"own_{product}", "kind": "zone_share", "products": [product], "value": 0.25}


def supported(budget: float | None = None, targets: str = "AB", **settings: Any) -> Instance:
    """Both metals have a mill of 500 t/a that runs only under a guarantee; a target asks for a quarter of 1,000 t from the zone."""
    tables: dict[str, Any] = {
        "facilities": [mill("A", 120.0), mill("B", 110.0)],
        "contracts": [guarantee("A"), guarantee("B")],
        "targets": [own_share(m) for m in targets],
    }
    if budget is not None:
        tables["budgets"] = [{"member": "USA", "instrument": "all", "limit": budget}]
    return two_metals(tables, **settings)


def solved(instance: Instance, options: SolveOptions = EXACT) -> orepact.Solution:
    return api.run(instance, options)


def cost(instance: Instance, **options: object) -> float:
    solution = solved(instance, EXACT.model_copy(update=options))
    assert solution.result.objective is not None, solution.result.proven
    return solution.result.objective
