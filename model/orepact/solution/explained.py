"""A diagnosis as tables of the solution: conflicts and repairs, and what was bent marked in targets and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from orepact.solution.tables import as_table
from orepact.solver.diagnosis.diagnosis import Diagnosis

TABLES = ("conflicts", "repairs")
"""Tables that a run without a plan may have."""


def diagnosis_tables(diagnosis: Diagnosis) -> dict[str, pd.DataFrame]:
    """The two tables of a diagnosis."""
    conflicts: list[dict[str, Any]] = [
        {"rule": n, "words": c.words, "decided": c.decided, "file": p.file, "row": p.row, "column": p.column, "value": p.value}
        for n, c in enumerate(diagnosis.conflicts, 1)
        for p in c.places
    ]
    repairs: list[dict[str, Any]] = [
        {
            "rank": n,
            "effort": r.effort,
            "decided": r.decided,
            "file": s.place.file,
            "row": s.place.row,
            "column": s.place.column,
            "value": s.place.value,
            "new": s.new,
            "change": s.sentence,
            "verified": r.verified,
            "bent": r == diagnosis.bent,
        }
        for n, r in enumerate(diagnosis.repairs, 1)
        for s in r.steps
    ]
    return {"conflicts": as_table("conflicts", conflicts), "repairs": as_table("repairs", repairs)}


def marked(tables: Mapping[str, pd.DataFrame], asked: Mapping[tuple[str, str], float]) -> dict[str, pd.DataFrame]:
    """Tables with the figure that was asked for beside every target or budget that was bent; keys are (targets, target) or (limits, name)."""
    found = dict(tables)
    for name, column in (("targets", "target"), ("limits", "name")):
        table = found[name].copy()
        for (where, code), value in asked.items():
            if where == name:
                chosen = table[column] == code
                if name == "limits":
                    chosen &= table["kind"] == "budget"
                table.loc[chosen, "asked"] = value
        found[name] = table
    return found
