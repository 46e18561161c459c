"""Variants of the basket: one more member, or a stricter set of targets, written as an instance of its own.

    python instances/alliance-basket/variants.py stricter runs/basket-stricter
    orepact solve runs/basket-stricter

Names: stricter, korea, canada, australia, britain, india. SOURCES.md says where the budgets of further members come from.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orepact

HERE = Path(__file__).parent
MUSD = 1e6
LITERAL, STRICT = 0.65, 0.60  # one source's largest share of use: the EU's of 2030, and the British one of 2035
HARDER = {"cap_gr_anode": 0.65, "cap_mg_refined": 0.72, "proc_gr": 0.30, "proc_mg": 0.20}  # where the standard set asks less than the literal figure
LONGER = {"stock_ga": 90.0, "stock_ge": 90.0, "stock_w": 60.0, "stock_sb": 60.0}  # days


def _rows(instance: orepact.Instance, table: str) -> list[dict[str, Any]]:
    return [{str(column): cell for column, cell in row.items()} for row in instance.table(table).to_dict("records")]


def stricter(instance: orepact.Instance) -> orepact.Instance:
    """No country above 60 % instead of 65 %, longer stocks, and more of what the standard set asks too little of."""
    rows = _rows(instance, "targets")
    for row in rows:
        if row["kind"] == "reliance_cap" and row["value"] == LITERAL:
            row["value"] = STRICT
        row["value"] = {**HARDER, **LONGER}.get(row["target"], row["value"])
    return instance.with_tables({"targets": rows})


def with_member(instance: orepact.Instance, country: str, budget: float) -> orepact.Instance:
    """A partner becomes a member: it pays and its costs count. Budget in USD a year."""
    countries, budgets = _rows(instance, "countries"), _rows(instance, "budgets")
    next(row for row in countries if row["country"] == country)["role"] = "member"
    budgets.append({**budgets[0], "member": country, "limit": budget, "source": "K_POLICY", "quality": "assumed", "note": "see SOURCES.md"})
    return instance.with_tables({"countries": countries, "budgets": budgets})


VARIANTS: dict[str, Callable[[orepact.Instance], orepact.Instance]] = {
    "stricter": stricter,
    "korea": partial(with_member, country="KOR", budget=150 * MUSD),
    "canada": partial(with_member, country="CAN", budget=250 * MUSD),
    "australia": partial(with_member, country="AUS", budget=200 * MUSD),
    "britain": partial(with_member, country="GBR", budget=60 * MUSD),
    "india": partial(with_member, country="IND", budget=300 * MUSD),
}


def main() -> None:
    """Write one variant as a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("variant", choices=sorted(VARIANTS))
    parser.add_argument("folder", type=Path, help="where to write it; must not exist or be empty")
    given = parser.parse_args()
    orepact.write(VARIANTS[given.variant](orepact.read(HERE)), given.folder)


if __name__ == "__main__":
    main()
