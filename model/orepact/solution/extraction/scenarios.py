"""How each scenario ends under the plan, and how it ends without policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.market.horizon import Array
from orepact.solution.extraction.accounts import Account, outlay
from orepact.solution.extraction.outturn import Outturn

Row = dict[str, Any]


def scenarios(out: Outturn, before: Outturn | None, accounts: dict[Account, Array]) -> Iterator[Row]:
    """Every scenario that has a solution, stress tests last."""
    world = out.world
    names = {r["scenario"]: r["name"] for r in world.tables["scenarios"]}
    cost, short, spent = _cost(out), _shortage(out), outlay(out, accounts) * world.money_unit
    former = None if before is None else (_cost(before), _shortage(before))
    lost = out.costs["shortage"].sum(axis=0) * world.money_unit if "shortage" in out.costs else np.zeros(len(world.scenarios))
    for w in out.scenarios:
        known = former is not None and before is not None and w in before.scenarios
        yield {
            "scenario": world.scenarios[w],
            "name": names[world.scenarios[w]],
            "probability": float(world.probability[w]),
            "normal": bool(world.normal[w]),
            "downside": bool(world.downside[w]),
            "stress_test": w in out.stress,
            "cost_usd": float(cost[w]),
            "before_cost_usd": float(former[0][w]) if former and known else None,
            "shortage_t": float(short[w]),
            "before_shortage_t": float(former[1][w]) if former and known else None,
            "shortage_usd": float(lost[w]),
            "outlay_usd": float(spent[w]),
            "idle_plants": int(out.idle[:, :, w].any(axis=1).sum()),
            "note": "" if before is None or known else "no solution without policy",
        }


def _cost(out: Outturn) -> Array:
    """Discounted USD (W,)."""
    return np.asarray(sum((cost.sum(axis=0) for cost in out.costs.values()), start=np.zeros(len(out.world.scenarios)))) * out.world.money_unit


def _shortage(out: Outturn) -> Array:
    """Tonnes over all years (W,)."""
    return np.asarray(np.einsum("kptw,t->w", out.shortage, out.world.horizon.length.astype(float)) * out.world.mass_unit)
