"""Planted conflicts: instances that have a plan, and one figure changed (or added) so that they have none.

`case_of(kind, seed)` makes them, the same on every machine. The planted figure is the only cause: with it taken back there
is a plan. `judge` runs one as a user would and says whether the cause is named and whether the first repair, written into the
tables, gives a plan. `python tests/planted.py` judges all of them on all cores and prints the table.
"""

from __future__ import annotations

import random
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from pathlib import Path
from typing import Any

import pandas as pd

import orepact
from orepact.errors import InstanceError
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.shocks import given
from orepact.market.world import world_of
from orepact.solver.clock import Clock
from orepact.solver.diagnosis.diagnosis import Diagnosis, Repair
from orepact.solver.search import search
from random_instances import Draw

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "instances/tutorial", *(ROOT / "tests/data" / name for name in ("border", "routes", "smelter", "stock"))]
QUICK = orepact.SolveOptions(gap=1.0, neighbours=False, baseline=False, stress=False, explain=False, threads=1, time_limit=3600, explain_time=3600)

EACH = 16
"""Cases of each kind."""

Row = dict[str, Any]
Spot = tuple[str, int | None, str]
"""Table, place of the row (from 0; None: a row that is missing), column."""

Planted = tuple[Instance, Spot]
Plant = Callable[[random.Random, Instance], Iterator[Planted]]


@dataclass(frozen=True)
class Case:
    """One planted conflict."""

    kind: str
    base: str
    instance: Instance
    spot: Spot


@dataclass(frozen=True)
class Verdict:
    """How a case went."""

    case: Case
    diagnosis: Diagnosis | None
    named: bool
    repaired: bool
    seconds: float


# -- instances that have a plan -----------------------------------------------------------------------------------------


@cache
def base(seed: int) -> Instance | None:
    """The instance of a seed; None if it is too large or breaks a rule of the format."""
    if seed < len(FILES):
        return orepact.read(FILES[seed])
    settings, tables = Draw(random.Random(7_000_003 * seed)).everything()
    settings["instance"]["name"] = f"random-{seed}"
    try:
        return Instance.from_tables(settings, tables)
    except InstanceError:
        return None


@cache
def has_plan(seed: int) -> bool:
    """Whether the instance of a seed has a plan."""
    instance = base(seed)
    return instance is not None and feasible(instance)


def feasible(instance: Instance) -> bool:
    """Whether the search finds a plan; it ends by itself, never at a limit, so that a slow machine gives the same answer."""
    outcome = search(Market(world_of(instance)), QUICK, Clock(QUICK.time_limit))
    assert outcome.limit is None
    return outcome.plan is not None


def rows(instance: Instance, table: str) -> list[Row]:
    """A table as rows; what is not given is None."""
    return [{str(c): (v if isinstance(v, tuple) or given(v) else None) for c, v in r.items()} for r in instance.table(table).to_dict("records")]


def with_cell(instance: Instance, table: str, row: int, **cells: Any) -> Planted:
    """One row's cells changed; the first of them is the spot."""
    changed = rows(instance, table)
    changed[row].update(cells)
    return instance.with_table(table, changed), (table, row, next(iter(cells)))


def with_row(instance: Instance, table: str, column: str, **cells: Any) -> Planted:
    """One row added."""
    own = rows(instance, table)
    return instance.with_table(table, [*own, cells]), (table, len(own), column)


# -- the kinds ------------------------------------------------------------------------------------------------------------


def share_too_high(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A share of the zone's own that plants and lead times don't allow."""
    for product in shuffled(dice, used(instance)):
        yield with_row(instance, "targets", "value", target="planted", kind="zone_share", products=product, value=dice.choice([0.9, 0.95, 1.0]))


def cap_below_source(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A cap below what has to come from one source."""
    sold = sorted({(r["country"], r["product"]) for r in rows(instance, "outside_supply")})
    for country, product in shuffled(dice, sold):
        if product in used(instance):
            cells = {"target": "planted", "kind": "reliance_cap", "products": product, "source_country": country, "value": dice.choice([0.0, 0.01, 0.05])}
            yield with_row(instance, "targets", "value", **cells)


def no_budget(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """No money for what a target needs."""
    for member in shuffled(dice, treasuries(instance)):
        own = [n for n, r in enumerate(rows(instance, "budgets")) if r["member"] == member and r["instrument"] == "all"]
        yield with_cell(instance, "budgets", own[0], limit=0.0) if own else with_row(instance, "budgets", "limit", member=member, instrument="all", limit=0.0)


def narrow_route(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A route that carries next to nothing."""
    for n, r in shuffled(dice, list(enumerate(rows(instance, "freight")))):
        if "ZONE" not in (r["origin"], r["destination"]):
            yield with_cell(instance, "freight", n, capacity=dice.choice([0.0, 1.0]))


def no_route(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A route that is not listed."""
    own = rows(instance, "freight")
    for n, r in shuffled(dice, list(enumerate(own))):
        if "ZONE" not in (r["origin"], r["destination"]):
            yield instance.with_table("freight", own[:n] + own[n + 1 :]), ("freight", None, "destination")


def late_plant(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A project whose first output comes after the target's years."""
    for n, r in shuffled(dice, list(enumerate(rows(instance, "facilities")))):
        if r["status"] == "candidate":
            yield with_cell(instance, "facilities", n, lead_time=float(dice.choice([12, 20, 40])))


def thin_menu(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A contract for so little of a plant that no owner builds on it."""
    for n, _ in shuffled(dice, list(enumerate(rows(instance, "contracts")))):
        yield with_cell(instance, "contracts", n, max_share=0.01, min_share=0.0)


def low_strike(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A contract at a price that moves nobody."""
    for n, r in shuffled(dice, list(enumerate(rows(instance, "contracts")))):
        for column in ("strike", "premium"):
            if r[column]:
                yield with_cell(
                    instance,
                    "contracts",
                    n,
                    **{column: 0.3 * r[column] if column == "strike" else 0.02 * r[column], **({"ceiling": None} if r["ceiling"] else {})},
                )


def outage(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """More to be covered without any one country than there is."""
    for product in shuffled(dice, used(instance)):
        yield with_row(instance, "targets", "value", target="planted", kind="n_minus_1", products=product, outage="*", value=dice.choice([0.8, 0.9, 1.0]))


def small_stock(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """Days of stock beyond what may be held or bought."""
    pooled = {r["product"]: r["trade"] == "pooled" for r in rows(instance, "products")}
    held = {r["product"] for r in rows(instance, "stockpiles")}
    year = instance.settings.horizon.start_year + sum(instance.settings.horizon.period_years) - 1
    for product in shuffled(dice, used(instance)):
        if not pooled[product] or product in held:
            continue
        need = sum(r["demand"] for r in rows(instance, "demand") if r["product"] == product)
        roomy = {"product": product, "country": "ZONE", "max_level": need, "max_purchase": need}
        target = {
            "target": "days",
            "kind": "stock_days",
            "products": product,
            "value": 30.0,
            "first_year": year - instance.settings.horizon.period_years[-1] + 1,
        }
        column = dice.choice(["max_level", "max_purchase"])
        before = instance.with_tables({"stockpiles": [*rows(instance, "stockpiles"), roomy], "targets": [*rows(instance, "targets"), target]})
        if feasible(before):
            yield with_cell(before, "stockpiles", len(rows(before, "stockpiles")) - 1, **{column: need * 0.001})


def refusal(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A member that will not use the instrument which its plants need."""
    there = {(r["member"], r["instrument"]) for r in rows(instance, "refusals")}
    ways = [(m, i) for m in treasuries(instance) for i in ("offtake", "support", "grant", "stockpile") if (m, i) not in there]
    for member, instrument in shuffled(dice, ways):
        yield with_row(instance, "refusals", "instrument", member=member, instrument=instrument)


def no_scrap(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A recycling share beyond what recyclers can make."""
    for product in shuffled(dice, used(instance)):
        cells = {"target": "planted", "kind": "activity_share", "products": product, "activity": "recycling", "value": dice.choice([0.3, 0.6])}
        yield with_row(instance, "targets", "value", **cells)


def no_supply(dice: random.Random, instance: Instance) -> Iterator[Planted]:
    """A source that has next to nothing left."""
    own = rows(instance, "outside_supply")
    for country, product in shuffled(dice, sorted({(r["country"], r["product"]) for r in own})):
        mine = [n for n, r in enumerate(own) if (r["country"], r["product"]) == (country, product)]
        changed = [{**r, "available": r["available"] * 0.02} if n in mine else r for n, r in enumerate(own)]
        yield instance.with_table("outside_supply", changed), ("outside_supply", mine[0], "available")


KINDS: dict[str, Plant] = {
    "share of the zone's own too high": share_too_high,
    "cap below the only source": cap_below_source,
    "no budget for the support needed": no_budget,
    "route too narrow": narrow_route,
    "no route": no_route,
    "first output too late": late_plant,
    "contract for too little": thin_menu,
    "contract price too low": low_strike,
    "loss of a country not covered": outage,
    "stock limits below days asked": small_stock,
    "instrument refused": refusal,
    "recycling without scrap": no_scrap,
    "source run dry": no_supply,
}


SEEDS: dict[str, tuple[int, ...]] = {
    "share of the zone's own too high": (0, 1, 3, 4, 6, 7, 9, 12, 13, 15, 16, 19, 20, 23, 25, 28),
    "cap below the only source": (0, 1, 3, 4, 6, 12, 15, 16, 25, 28, 30, 36, 41, 43, 46, 47),
    "no budget for the support needed": (3, 4, 12, 25, 30, 41, 51, 83, 88, 95, 98, 103, 119, 129, 140, 166),
    "route too narrow": (52, 65, 75, 83, 108, 118, 121, 147, 164, 191, 214, 229, 234, 235, 261, 262),
    "no route": (52, 65, 75, 83, 108, 118, 121, 147, 164, 191, 214, 229, 234, 235, 261, 281),
    "first output too late": (3, 7, 12, 13, 25, 48, 52, 57, 70, 75, 83, 95, 98, 101, 108, 113),
    "contract for too little": (3, 12, 25, 95, 98, 166, 175, 185, 191, 236, 250, 256, 273, 293, 301, 316),
    "contract price too low": (3, 12, 25, 95, 98, 166, 175, 185, 191, 236, 250, 256, 273, 293, 301, 316),
    "loss of a country not covered": (0, 3, 4, 6, 7, 9, 12, 15, 19, 20, 23, 25, 28, 30, 34, 36),
    "stock limits below days asked": (0, 1, 3, 6, 15, 23, 25, 37, 42, 47, 52, 56, 57, 67, 69, 70),
    "instrument refused": (3, 4, 12, 25, 30, 41, 83, 88, 95, 98, 103, 119, 129, 140, 166, 175),
    "recycling without scrap": (0, 1, 2, 3, 4, 6, 7, 9, 12, 15, 16, 19, 20, 23, 25, 28),
    "source run dry": (1, 2, 3, 7, 12, 15, 41, 46, 52, 65, 66, 75, 94, 95, 108, 113),
}
"""The first sixteen seeds of every kind that give a case, as `found` finds them: kept, so that a test need not look for them."""


def shuffled(dice: random.Random, options: list[Any]) -> list[Any]:
    return dice.sample(options, len(options))


def used(instance: Instance) -> list[str]:
    """Products with final demand."""
    return sorted({r["product"] for r in rows(instance, "demand")})


def treasuries(instance: Instance) -> list[str]:
    return [r["country"] for r in rows(instance, "countries") if r["role"] == "member" and r["treasury"] in (None, r["country"])]


def case_of(kind: str, seed: int) -> Case | None:
    """The case of a kind on the instance of a seed: the first figure planted that leaves a feasible instance without a plan."""
    instance = base(seed)
    if instance is None:
        return None
    try:
        for planted, spot in KINDS[kind](random.Random(f"{kind} {seed}"), instance):
            if not has_plan(seed):
                return None
            if not feasible(planted):
                return Case(kind, instance.name, planted, spot)
    except InstanceError:
        pass
    return None


def found(kind: str) -> tuple[int, ...]:
    """The first sixteen seeds that give a case of a kind, each another instance. Takes minutes; what it finds stands in SEEDS."""
    return tuple(islice((seed for seed in count() if case_of(kind, seed) is not None), EACH))


# -- judging --------------------------------------------------------------------------------------------------------------


def judge(case: Case) -> Verdict:
    """Run the case as a user would, and write its first repair into the tables."""
    began = time.perf_counter()
    solution = orepact.solve(case.instance, QUICK.model_copy(update={"explain": True}))
    seconds = time.perf_counter() - began
    found = solution.diagnosis
    if found is None:
        return Verdict(case, None, False, False, seconds)
    table, row, column = case.spot
    line = None if row is None else int(case.instance.table(table).index[row])
    named = any((place.file, place.row, place.column) == (f"{table}.csv", line, column) for conflict in found.conflicts for place in conflict.places)
    repaired = bool(found.repairs) and feasible(written(case.instance, found.repairs[0]))
    return Verdict(case, found, named, repaired, seconds)


def written(instance: Instance, repair: Repair) -> Instance:
    """The instance with a repair written into its tables as it reads: file, row, column, new text."""
    tables: dict[str, pd.DataFrame] = {}
    for step in repair.steps:
        name = step.place.file.removesuffix(".csv")
        if name == "instance.toml":
            value = tomllib.loads(f"v = {step.new}")["v"] if step.new[:1].isdigit() else step.new
            instance = instance.with_setting(step.place.column, value)
            continue
        table = tables.setdefault(name, instance.table(name).astype(object))
        if step.place.row is None:
            cells = dict(part.split(" ", 1) for part in step.new.split(", "))
            tables[name] = pd.concat([table, pd.DataFrame([cells])])
        elif not step.place.column:
            tables[name] = table.drop(index=step.place.row)
        else:
            table.at[step.place.row, step.place.column] = step.new or None
    return instance.with_tables(tables) if tables else instance


def table_of(verdicts: list[Verdict]) -> str:
    """The verdicts by kind, as a table in Markdown."""
    lines = [
        "| planted | cases | infeasible / no plan | cause named | first repair works | rules named, median | seconds, median / most |",
        "|---|---|---|---|---|---|---|",
    ]
    groups = {kind: [v for v in verdicts if v.case.kind == kind] for kind in KINDS}
    for kind, own in [*groups.items(), ("all", verdicts)]:
        if own:
            ended = [sum(v.diagnosis is not None and v.diagnosis.status == s for v in own) for s in ("infeasible", "no plan")]
            size = sorted(len(v.diagnosis.conflicts) for v in own if v.diagnosis)
            took = sorted(v.seconds for v in own)
            middle = f"{size[len(size) // 2]}" if size else "–"
            lines.append(
                f"| {kind} | {len(own)} | {ended[0]} / {ended[1]} | {sum(v.named for v in own)} | {sum(v.repaired for v in own)} "
                f"| {middle} | {took[len(took) // 2]:.1f} / {took[-1]:.1f} |"
            )
    return "\n".join(lines)


def judged(planted: tuple[str, int]) -> Verdict:
    """The verdict on the case of a kind and a seed."""
    case = case_of(*planted)
    assert case is not None, f"seed {planted[1]} gives no case of {planted[0]!r} any more: look for others with `found`"
    return judge(case)


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        print(table_of(list(pool.map(judged, [(kind, seed) for kind, seeds in SEEDS.items() for seed in seeds]))))
