"""The starter instance: small, made up, complete; every key explained, every table there with all its columns.

It validates and solves as it is, so that a newcomer changes something that works.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from orepact.instance.instance import Instance
from orepact.instance.schema import SCHEMA
from orepact.instance.settings import FILE, toml_text
from orepact.instance.writer import csv_text, make_empty_folder

Rows = list[dict[str, Any]]

SETTINGS: dict[str, dict[str, Any]] = {
    "instance": {
        "name": "starter",
        "title": "A metal that one country dominates",
        "description": "Which mix of price floor, contracts and stock lets two allies make enough of a metal themselves?",
        "licence": "made-up figures; do with them what you like",
        "price_base_year": 2025,
    },
    "horizon": {"start_year": 2026, "period_years": [2, 2, 3, 3]},
    "owners": {"grant_cap": 0.2},
}

TABLES: dict[str, Rows] = {
    "countries": [
        {"country": "USA", "name": "United States", "role": "member"},
        {"country": "AUS", "name": "Australia", "role": "partner"},
        {"country": "CHN", "name": "China", "role": "outside", "risk": 0.5},
    ],
    "products": [
        {"product": "ore", "name": "Concentrate", "mineral": "metal", "stage": "mined", "dominant": "CHN"},
        {"product": "metal", "name": "Metal", "mineral": "metal", "stage": "refined", "dominant": "CHN", "elasticity": 0.3, "relocated": 1.0},
    ],
    "shortage_costs": [
        {"product": "metal", "block": 1, "share": 0.3, "price_multiple": 3.0, "price_multiple_long": 2.0, "note": "users who can wait or substitute"},
        {"product": "metal", "block": 2, "share": 0.7, "price_multiple": 10.0, "price_multiple_long": 6.0, "note": "users who stand still"},
    ],
    "processes": [
        {"process": "mining", "name": "Mine and mill", "activities": "extraction"},
        {"process": "smelting", "name": "Smelter", "activities": "processing"},
    ],
    "process_flows": [
        {"process": "mining", "product": "ore", "amount": 1.0, "main": True},
        {"process": "smelting", "product": "metal", "amount": 1.0, "main": True},
        {"process": "smelting", "product": "ore", "amount": -2.0, "note": "2 t of ore per t of metal"},
    ],
    "process_materials": [{"process": "smelting", "material": "reagent", "amount": 0.1}],
    "raw_materials": [{"material": "reagent", "year": 2026, "price": 400.0}],
    "facilities": [
        {"facility": "old-mine", "country": "AUS", "process": "mining", "status": "existing", "capacity": 12e3, "opex": 70.0},
        {"facility": "new-mine", "country": "USA", "process": "mining", "status": "candidate", "capacity": 10e3, "opex": 60.0, "capex": 4e6, "lead_time": 3.0},
        {"facility": "old-smelter", "country": "USA", "process": "smelting", "status": "existing", "capacity": 2e3, "opex": 600.0, "retirement_year": 2034},
        {
            "facility": "new-smelter",
            "country": "USA",
            "process": "smelting",
            "status": "candidate",
            "capacity": 5e3,
            "opex": 450.0,
            "capex": 18e6,
            "lead_time": 2.0,
            "ramp_up": 1.0,
        },
    ],
    "prices": [
        {"product": "ore", "year": 2026, "price": 100.0},
        {"product": "metal", "year": 2026, "price": 1000.0},
        {"product": "metal", "case": "flood", "year": 2026, "price": 650.0, "note": "the dominant country floods the market"},
    ],
    "demand": [
        {"country": "USA", "product": "metal", "year": 2026, "demand": 8e3},
        {"country": "USA", "product": "metal", "year": 2035, "demand": 11e3},
        {"country": "AUS", "product": "metal", "year": 2026, "demand": 1e3},
    ],
    "outside_supply": [
        {"country": "CHN", "product": "ore", "year": 2026, "available": 30e3},
        {"country": "CHN", "product": "metal", "year": 2026, "available": 30e3, "compliant": False},
    ],
    "outside_sales": [{"product": "ore", "year": 2026, "limit": 50e3}],
    "freight": [{"product": "*", "origin": "AUS", "destination": "ZONE", "cost": 15.0}],
    "scenarios": [
        {"scenario": "calm", "name": "Nothing happens", "probability": 0.7},
        {"scenario": "ban", "name": "Export ban", "probability": 0.2},
        {"scenario": "flood", "name": "Prices are pushed down", "probability": 0.1, "downside": True},
    ],
    "shocks": [
        {"scenario": "ban", "kind": "supply", "product": "metal", "country": "CHN", "first_year": 2030, "last_year": 2032, "value": 0.1},
        {"scenario": "flood", "kind": "price_case", "product": "metal", "case": "flood", "first_year": 2028},
    ],
    "ladder": [
        {"product": "metal", "rung": "floor-1100", "step": 1, "kind": "reference", "price": 1100.0},
        {"product": "metal", "rung": "floor-1300", "step": 2, "kind": "reference", "price": 1300.0},
    ],
    "contracts": [
        {
            "contract": "offtake",
            "name": "Guaranteed price, upside shared",
            "products": "metal",
            "strike": 1150.0,
            "upside_share": 0.3,
            "ceiling": 1500.0,
            "window": 10.0,
            "max_share": 0.8,
        },
        {"contract": "support", "name": "Fixed sum per tonne", "instrument": "support", "products": "metal", "premium": 120.0, "window": 5.0},
    ],
    "stockpiles": [{"product": "metal", "country": "ZONE", "max_level": 5e3, "max_purchase": 1e3}],
    "targets": [
        {"target": "own-metal", "kind": "zone_share", "products": "metal", "first_year": 2030, "value": 0.4},
        {"target": "china-cap", "kind": "reliance_cap", "products": "metal", "source_country": "CHN", "first_year": 2030, "value": 0.65},
    ],
    "budgets": [{"member": "USA", "limit": 50e6}],
    "ranges": [{"range": "smelter-cost", "name": "Cost of building", "table": "facilities", "column": "capex", "low": 0.8, "high": 1.5}],
}


def starter(name: str = "starter") -> Instance:
    """The starter instance itself, under a name."""
    settings = SETTINGS | {"instance": SETTINGS["instance"] | {"name": name}}
    return Instance.from_tables(settings, TABLES)


def new_instance(path: str | Path) -> None:
    """Write the starter instance to a new or empty folder, named after the folder where that makes a name.

    Raises `OptionError` if anything is there already.
    """
    folder = Path(path)
    named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", folder.name)
    instance = starter(folder.name if named else "starter")
    make_empty_folder(folder)
    (folder / FILE).write_text(_toml(instance), encoding="utf-8", newline="\n")
    for name, table in SCHEMA.items():
        text = csv_text(table, instance.tables.plain(name), all_columns=True)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")


def _toml(instance: Instance) -> str:
    """The explained instance.toml, with the list of tables that stand beside it."""
    lines = ["# An instance: this file and a CSV file per table, beside it. All figures are made up.", ""]
    lines.append(toml_text(instance.settings, comments=True))
    lines += [
        "# [units]: tables are in t, USD and year unless a header says otherwise, as in capacity [kt/a], or this section does:",
        '# "facilities.capacity" = "kt/a"                 one column',
        '# facilities = { mass = "kt", money = "MUSD" }   every column of a table (then opex is in MUSD per kt)',
        "",
        "# The tables. Those with only a header may be deleted, as may columns that stay blank.",
    ]
    width = max(map(len, SCHEMA))
    for table in SCHEMA.values():
        text = textwrap.wrap(table.description, 100)
        lines += [f"# {table.name if n == 0 else '':<{width}}  {line}" for n, line in enumerate(text)]
    return "\n".join(lines) + "\n"
