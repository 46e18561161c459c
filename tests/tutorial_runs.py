"""Runs of the tutorial instance for the tests of reports: solved once per process, in a second."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orepact
from orepact.instance.instance import Instance
from orepact.solution.solution import Solution

TUTORIAL = Path(__file__).parents[1] / "instances" / "tutorial"
OPTIONS = orepact.SolveOptions(threads=1, progress=False)
EVIL = "<script>alert('x')</script>"
FORMULA = "=cmd|' /C calc'!A0"
LONG = "Ω" * 170 + " an endless name"
FOREIGN = "稀土金属 и «руда» – معدن"


@cache
def instance() -> Instance:
    """The tutorial's instance."""
    return orepact.read(TUTORIAL)


@cache
def plan() -> Solution:
    """Its plan."""
    return orepact.solve(instance(), OPTIONS)


@cache
def variants() -> dict[str, tuple[Instance, Solution]]:
    """Free trade, the plan, a tighter cap, no contracts on the menu (no plan), another world (a different instance)."""
    given = instance()
    targets = given.table("targets")
    tighter = given.with_table("targets", targets.assign(value=0.6))
    bare = given.with_tables({"contracts": [], "ladder": []})
    other = given.with_setting("instance.name", "other-world").with_setting("economics.social_rate", 0.05)
    free = orepact.package_from({"rest": "none"}, given)
    return {
        "free trade": (given, orepact.evaluate(given, free, OPTIONS)),
        "plan": (given, plan()),
        "tighter cap": (tighter, orepact.solve(tighter, OPTIONS)),
        "no instruments": (bare, orepact.solve(bare, OPTIONS)),
        "another world": (other, orepact.solve(other, OPTIONS)),
    }


@cache
def hostile() -> Solution:
    """The tutorial with names that try to be scripts, formulas and markup, that never end, and in other alphabets."""
    given = instance()
    names = [EVIL, FORMULA, LONG, FOREIGN, "<b>bold</b> [link](javascript:alert(1)) https://example.org `code` | pipe", "@SUM(1)+1", "%{text}<extra></extra>"]
    changed = {}
    for name in ("countries", "products", "facilities", "scenarios", "processes", "contracts"):
        table = given.table(name)
        changed[name] = table.assign(name=[names[n % len(names)] + f" {n}" for n in range(len(table))])
    sources = given.table("sources")
    changed["sources"] = sources.assign(citation=[f"{EVIL} {FORMULA}"] * len(sources), licence=[FORMULA] * len(sources))
    renamed = (
        given.with_tables(changed)
        .with_setting("instance.title", f"{EVIL}<img src=x onerror=alert(2)>")
        .with_setting("instance.description", f"{FORMULA} {EVIL}")
    )
    return orepact.solve(renamed, OPTIONS)
