"""Instances of growing size, drawn from a seed: minerals × facilities × scenarios, shaped like the real ones.

    python benchmarks/generated.py FOLDER [--minerals 4] [--facilities 6] [--scenarios 4] [--periods 3] [--stages 2] [--budgets slack]

Every mineral is a chain of its own, from mine through refinery and on. A dominant source sells everything at the world price; plants in
the zone cost 5 to 35 % more, and in a flood, when the dominant source lets the price fall, even standing ones would stop. There are
a ladder of price measures, guarantees, production support and grants; a cap on the dominant source, a share of refining and one of
mining at home. The figures are invented.

The mineral of a number is the same in every instance of a seed, so an instance of four minerals contains that of two, and times of
growing instances can be compared. Targets ask for about half of what the plants on offer could make, so there is a plan.

Budgets: "none"; "slack", ten times what each mineral would spend if it were alone; "binding", a share of that.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orepact
from orepact.instance.writer import write

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Budgets = Literal["none", "slack", "binding"]

START = 2026
YEARS = 3
MEMBERS = {"USA": 0.45, "EUU": 0.35, "JPN": 0.2}
"""Members and their shares of the zone's use."""
HOSTS = ("USA", "EUU", "AUS", "JPN", "CAN")
"""Where plants stand; Australia and Canada are partners."""
DOMINANT, OTHER = "CHN", "OTH"
STAGES = ("mined", "refined", "metal", "part")
SLACK, BINDING = 10.0, 0.7
"""Budgets as a share of what a member would spend if each mineral were alone and treasuries had no limit; whoever would spend little
may spend as if half of all were shared by use."""


@dataclass(frozen=True)
class Size:
    """How large an instance is; `facilities` and `stages` (2 to 4) are those of each mineral."""

    minerals: int = 2
    facilities: int = 6
    scenarios: int = 4
    periods: int = 3
    stages: int = 2

    def __str__(self) -> str:
        return f"{self.minerals}x{self.facilities}x{self.scenarios}"


def generate(size: Size, seed: int = 1, budgets: Budgets = "none", share: float = BINDING) -> orepact.Instance:
    """The instance of a size and a seed; `share` of the unlimited spending is what binding budgets leave."""
    instance = _unlimited(size, seed, tuple(range(size.minerals)))
    if budgets == "none":
        return instance
    limits = dict.fromkeys(MEMBERS, 0.0)
    for number in range(size.minerals):
        for member, peak in _spending(replace(size, minerals=1), seed, number).items():
            limits[member] += peak
    factor = SLACK if budgets == "slack" else share
    total = sum(limits.values())
    rows = [{"member": m, "instrument": "all", "limit": factor * max(peak, MEMBERS[m] * total / 2)} for m, peak in limits.items()]
    return instance.with_table("budgets", rows)


def alone(size: Size, seed: int, number: int) -> orepact.Instance:
    """One mineral of a seed in an instance of its own, without budgets."""
    return _unlimited(size, seed, (number,))


@cache
def _spending(size: Size, seed: int, number: int) -> dict[str, float]:
    """The most that each member spends in any year and scenario on one mineral alone, without budgets, USD a year."""
    options = orepact.SolveOptions(gap=0.005, stress=False, baseline=False, explain=False, progress=False, isolated=False)
    solution = orepact.solve(alone(size, seed, number), options)
    if solution.result.objective is None:
        raise RuntimeError(f"mineral {number} of seed {seed} has no plan: {solution.result.proven}")
    payments = solution.table("payments")
    spent = payments[(payments["scenario"] != "expected") & ~payments["instrument"].isin(["levy", "release"])]
    yearly = spent.groupby(["member", "first_year", "scenario"])["usd_a"].sum()
    return {str(member): float(peak) for member, peak in yearly.groupby("member").max().items()}


def _unlimited(size: Size, seed: int, numbers: tuple[int, ...]) -> orepact.Instance:
    """An instance of some of the minerals of a seed, without budgets."""
    events = _events(size, seed)
    tables: Tables = {
        "countries": [
            *({"country": member, "role": "member"} for member in MEMBERS),
            {"country": "AUS", "role": "partner"},
            {"country": "CAN", "role": "partner"},
            {"country": DOMINANT, "role": "outside"},
            {"country": OTHER, "role": "outside"},
        ],
        "aid_limits": [{"country": host, "grant_share": 0.3} for host in HOSTS],
        "scenarios": [{"scenario": "base", "probability": 0.5 if events else 1.0}],
        "shocks": [],
    }
    for event in events:
        flood = event.kind == "price"
        tables["scenarios"].append({"scenario": event.name, "probability": 0.5 / len(events), "normal": flood, "downside": flood})
        if event.kind == "supply":
            tables["shocks"].append({"scenario": event.name, "kind": "supply", "country": DOMINANT, "value": event.value, "first_year": START + YEARS})
        elif event.kind == "demand":
            tables["shocks"].append({"scenario": event.name, "kind": "demand", "value": event.value})
    for number in numbers:
        _Mineral(tables, size, number, random.Random(1000 * seed + number), events).draw()
    settings = {
        "instance": {"name": f"generated-{size}"},
        "horizon": {"start_year": START, "period_years": [YEARS] * size.periods},
        "owners": {"repeal_weight": 0.1},
        "policy": {"reference_scenario": "base"},
    }
    return orepact.Instance.from_tables(settings, tables)


@dataclass(frozen=True)
class _Event:
    """A scenario beside the base: prices fall, supply is cut or demand surges, to so much of what it was."""

    name: str
    kind: Literal["price", "supply", "demand"]
    value: float


def _events(size: Size, seed: int) -> list[_Event]:
    """Floods, cuts and surges in turn, each of its own severity."""
    dice = random.Random(1000 * seed + 999)
    found = []
    for n in range(size.scenarios - 1):
        flood, cut, surge = dice.uniform(0.65, 0.75), dice.uniform(0.1, 0.4), dice.uniform(1.1, 1.3)
        kinds = (_Event(f"flood{n}", "price", flood), _Event(f"cut{n}", "supply", cut), _Event(f"surge{n}", "demand", surge))
        found.append(kinds[n % 3])
    return found


class _Mineral:
    """One mineral's chain, written into the tables of an instance."""

    def __init__(self, tables: Tables, size: Size, number: int, dice: random.Random, events: list[_Event]) -> None:
        self.tables, self.size, self.dice, self.events = tables, size, dice, events
        self.code = f"m{number:02d}"
        self.stages = STAGES[: size.stages]
        self.products = [f"{self.code}_{stage}" for stage in self.stages]
        self.use = dice.uniform(20e3, 60e3)
        """Final use of the last product, t a year."""
        self.feed = [0.0, 2.0, 1.05, 1.05][: size.stages]
        """Tonnes of the stage before in a tonne of each stage."""
        self.price = [dice.uniform(10e3, 30e3)]
        for n in range(size.stages - 1, 0, -1):
            worth = 0.45 if n == 1 else 0.65
            self.price.insert(0, worth * self.price[0] / self.feed[n])
        self.scale = [self.use]
        """Tonnes of each stage in the final use."""
        for n in range(size.stages - 1, 0, -1):
            self.scale.insert(0, self.scale[0] * self.feed[n])

    def row(self, table: str, **cells: Any) -> None:
        self.tables.setdefault(table, []).append(cells)

    def draw(self) -> None:
        """Write every table's rows."""
        for n, product in enumerate(self.products):
            self._stage(n, product)
        self._plants()
        for member, share in MEMBERS.items():
            self.row("demand", country=member, product=self.products[-1], year=START, demand=share * self.use)
        for block, multiple in ((1, 2.0), (2, 6.0)):
            self.row("shortage_costs", product=self.products[-1], block=block, share=0.5, price_multiple=multiple)
        self._targets()

    def _stage(self, n: int, product: str) -> None:
        """A product: its process, price, trade, ladder and contracts."""
        price, last = self.price[n], n == len(self.products) - 1
        self.row("products", product=product, mineral=self.code, stage=self.stages[n], dominant=DOMINANT, elasticity=0.5 if last else 0.0, relocated=0.5 * last)
        self.row("processes", process=f"{product}_making", activities="processing" if n else "extraction")
        self.row("process_flows", process=f"{product}_making", product=product, amount=1.0, main=True)
        if n:
            self.row("process_flows", process=f"{product}_making", product=self.products[n - 1], amount=-self.feed[n], main=False)
        self.row("prices", product=product, year=START, price=price)
        for event in self.events:
            if event.kind == "price":
                fall = event.value + 0.12 * (n == 0)
                self.row("shocks", scenario=event.name, kind="price", product=product, value=fall, first_year=START + YEARS)
        for country, amount, share in ((DOMINANT, 3.0, 0.8), (OTHER, 0.45, 0.2)):
            self.row("outside_supply", country=country, product=product, year=START, available=amount * self.scale[n], base_share=share)
            self.row("freight", product=product, origin=country, destination="ZONE", cost=self.dice.uniform(0.01, 0.03) * price)
        self.row("freight", product=product, origin="AUS", destination="ZONE", cost=self.dice.uniform(0.01, 0.03) * price)
        self.row("outside_sales", product=product, year=START, limit=0.2 * self.scale[n])
        if n:
            self.row("ladder", product=product, rung="tariff15", step=1, kind="tariff", rate=0.15)
            self.row("ladder", product=product, rung="floor105", step=2, kind="reference", price=1.05 * price)
            self.row("ladder", product=product, rung="floor125", step=3, kind="reference", price=1.25 * price)
        else:
            self.row("ladder", product=product, rung="floor110", step=1, kind="reference", price=1.1 * price)
        for level in (1.05, 1.25, 1.45):
            code = f"{product}_{round(100 * level)}"
            self.row("contracts", contract=code, instrument="offtake", products=product, strike=level * price, window=10.0, existing=level < 1.1)
        self.row("contracts", contract=f"{product}_bonus", instrument="support", products=product, premium=0.2 * price, window=10.0)

    def _plants(self) -> None:
        """One standing plant a stage where there is room for it, and projects in turn from the last stage back to the first."""
        stages, places = len(self.products), list(HOSTS)
        self.dice.shuffle(places)
        standing = stages if self.size.facilities >= 2 * stages else 0
        projects = self.size.facilities - standing
        number = [sum(1 for x in range(projects) if stages - 1 - x % stages == n) for n in range(stages)]
        for x in range(self.size.facilities):
            old = x < standing
            n = x if old else stages - 1 - (x - standing) % stages
            price = self.price[n]
            bought = self.feed[n] * self.price[n - 1] if n else 0.0
            cells: Row = {"country": places[x % len(places)], "process": f"{self.products[n]}_making"}
            if old:
                cells |= {"status": "existing", "capacity": 0.1 * self.scale[n], "opex": self.dice.uniform(0.85, 0.95) * price - bought}
            else:
                capex, cost = self.dice.uniform(0.6, 1.2) * price, self.dice.uniform(1.05, 1.35) * price
                capacity = 0.7 * self.scale[n] / number[n] * self.dice.uniform(0.85, 1.15)
                cells |= {"status": "candidate", "capacity": capacity, "capex": capex * capacity, "opex": cost - bought - 0.12 * capex}
                cells |= {"lead_time": self.dice.choice((1.0, 2.0)), "ramp_up": self.dice.choice((0.0, 1.0))}
            self.row("facilities", facility=f"{self.code}_plant{x}", **cells)

    def _targets(self) -> None:
        """From the second period on: a cap on the dominant source, and shares of refining and mining at home."""
        later = START + YEARS if self.size.periods > 1 else START
        first, second, last = self.products[0], self.products[1], self.products[-1]
        cells: Row = {"first_year": later}
        self.row("targets", target=f"{self.code}_cap", kind="reliance_cap", products=last, source_country=DOMINANT, upstream=False, value=0.6, **cells)
        self.row("targets", target=f"{self.code}_refining", kind="activity_share", products=second, activity="processing", value=0.25, **cells)
        self.row("targets", target=f"{self.code}_mining", kind="activity_share", products=first, activity="extraction", value=0.15, **cells)


def main() -> None:
    """Write an instance to a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    for field in fields(Size):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budgets", choices=("none", "slack", "binding"), default="none")
    asked = parser.parse_args()
    write(generate(Size(**{field.name: getattr(asked, field.name) for field in fields(Size)}), asked.seed, asked.budgets), asked.folder)


if __name__ == "__main__":
    main()
