"""Tiny random instances for the brute-force check: every feature of the model comes up in some of them.

`random_instance(seed)` is the same on every machine. Figures have many digits, so that no test on the data
is decided by rounding; amounts and prices are of the usual size (1e2 to 1e5 t/a, 1e3 to 1e5 USD/t).
"""

from __future__ import annotations

import itertools
import math
import random
from functools import cache
from typing import Any

from brute_force import Study
from orepact.errors import InstanceError
from orepact.instance.instance import Instance

MOST_CASES = 100
"""Price paths times patterns of starts."""

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@cache
def random_instance(seed: int) -> Instance:
    """The instance of a seed: the first draw that is small enough to enumerate and has a plan (or, now and then, none)."""
    for attempt in range(100):
        dice = random.Random(1000 * seed + attempt)
        settings, tables = Draw(dice).everything()
        settings["instance"]["name"] = f"random-{seed}"
        try:
            instance = Instance.from_tables(settings, tables)
        except InstanceError:
            continue  # breaks one of the format's finer rules
        study = Study(instance)
        cases = list(itertools.islice(study.cases("market"), MOST_CASES + 1))
        if len(cases) > MOST_CASES:
            continue
        if dice.random() < 0.25 or any(study.solve("market", *case).objective is not None for case in cases):
            return instance
    raise AssertionError(f"no small instance for seed {seed}")


class Draw:
    """One throw of the dice, table by table."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.tables: Tables = {}
        self.needy = self.chance(0.6)
        """Whether it is drawn so that policy has something to do: a project that needs help, a target that needs the project."""

    # dice
    def chance(self, p: float) -> bool:
        return self.dice.random() < p

    def between(self, low: float, high: float) -> float:
        return self.dice.uniform(low, high)

    def pick(self, *options: Any) -> Any:
        return self.dice.choice(options)

    def some(self, options: list[Any], p: float = 0.5) -> list[Any]:
        return [o for o in options if self.chance(p)]

    def row(self, table: str, **cells: Any) -> None:
        self.tables.setdefault(table, []).append({k: v for k, v in cells.items() if v is not None})

    def everything(self) -> tuple[dict[str, Any], Tables]:
        self.horizon()
        self.countries()
        self.products()
        self.prices_and_demand()
        self.sources()
        self.scenarios()
        self.facilities()
        self.freight()
        self.ladders()
        self.contracts()
        self.stock()
        self.targets()
        self.money()
        return self.settings(), self.tables

    # ---- the world ----------------------------------------------------------------------------
    def horizon(self) -> None:
        self.lengths = [self.pick(1, 1, 2, 2, 3) for _ in range(self.pick(1, 2, 2, 2, 3))]
        self.start = 2026
        self.starts = [self.start + sum(self.lengths[:t]) for t in range(len(self.lengths))]
        self.end = self.start + sum(self.lengths) - 1

    def years(self, p: float = 0.3) -> Row:
        """A first year, a last year, both or neither."""
        first = self.pick(*self.starts) if self.chance(p) else None
        last = self.pick(*[y for y in self.starts if first is None or y >= first]) + self.pick(0, 1) if self.chance(p) else None
        return {k: v for k, v in (("first_year", first), ("last_year", last)) if v is not None}

    def countries(self) -> None:
        self.members = ["USA"] + (["EU"] if self.chance(0.5) else [])
        self.partners = ["AUS"] if self.chance(0.55) else []
        self.outside = self.dice.sample(["CHN", "CHL", "MMR"], self.pick(1, 2, 2, 3, 3))
        for c in self.members:
            self.row("countries", country=c, role="member")
        self.places = [*self.members, *self.partners]
        if "EU" in self.members and self.chance(0.5):
            self.row("countries", country="FRA", role="member", treasury="EU")
            self.places.append("FRA")
        for c in self.partners:
            self.row("countries", country=c, role="partner")
        for c in self.outside:
            self.row("countries", country=c, role="outside")
        self.nodes = [*self.members, *self.partners]

    def products(self) -> None:
        shape = self.pick("one", "one", "two", "two", "two", "by-product", "two chains", "two chains", "three")
        stages = {
            "one": [("M", "metal")],
            "two": [("O", "ore"), ("M", "metal")],
            "by-product": [("O", "ore"), ("M", "metal"), ("B", "metal")],
            "two chains": [("M", "metal"), ("N", "metal")],
            "three": [("O", "ore"), ("X", "oxide"), ("M", "metal")],
        }[shape]
        self.shape, self.codes = shape, [k for k, _ in stages]
        self.final = [k for k in self.codes if k in ("M", "N", "B")]
        routed = self.chance(0.35)
        self.routed = {k: routed and self.chance(0.85) for k in self.codes}
        self.recipe: dict[str, dict[str, float]] = {}
        self.base: dict[str, float] = {}
        self.base["M"] = self.between(4e3, 6e4)
        if "N" in self.codes:
            self.base["N"] = self.between(3e3, 9e4)
        if "O" in self.codes:
            self.base["O"] = self.between(0.1, 0.25) * self.base["M"]
        if "X" in self.codes:
            self.base["X"] = self.between(0.35, 0.55) * self.base["M"]
        if "B" in self.codes:
            self.base["B"] = self.between(0.5, 2.0) * self.base["M"]
        flagged = self.chance(0.5)
        for k in self.codes:
            feed = {"M": "X" if shape == "three" else "O", "B": "O", "X": "O"}.get(k)
            if k == "B":
                continue
            flows = {k: 1.0}
            if feed in self.codes:
                flows[feed] = -self.between(1.1, 1.7)
            if k == "M" and "B" in self.codes:
                flows["B"] = self.between(0.05, 0.2)
            self.recipe[k] = flows
            activity = {"ore": ["extraction"], "oxide": ["processing"], "metal": ["processing", "manufacturing"]}[dict(stages)[k]]
            self.process(f"make-{k}", activity, flows, k, flagged or self.chance(0.3))
        if shape in ("one", "two", "two chains") and self.chance(0.4):
            self.recipe["recycled"] = {"M": 1.0}
            self.process("recycle-M", ["recycling"], {"M": 1.0}, "M", False)
        for k, stage in stages:
            self.row(
                "products",
                product=k,
                mineral="m" if k != "N" else "n",
                stage=stage,
                trade="routed" if self.routed[k] else "pooled",
                dominant=self.outside[0] if self.chance(0.7) else None,
                elasticity=self.pick(0.0, 1.0, self.between(0.2, 0.8), self.between(1.1, 1.8)) if k in self.final else 0.0,
                relocated=self.between(0.2, 1.0) if self.chance(0.6) else 0.0,
                holding_cost=self.between(0.01, 0.1),
                longer_after=self.pick(1, 2, 3),
            )
            if k in self.final or self.chance(0.1):
                easy = self.between(0.1, 0.6)
                rest = 1 - easy if self.chance(0.95) else (1 - easy) * 0.8
                mild, hard = self.between(1.3, 4), self.between(4, 12)
                for block, (share, multiple) in enumerate([(easy, mild), (rest, hard)], 1):
                    longer = multiple * self.between(0.5, 0.9) if self.chance(0.6) else None
                    self.row(
                        "shortage_costs", product=k, block=block, share=share, price_multiple=multiple,
                        price_multiple_long=None if longer is None else max(1.0, longer),
                    )  # fmt: skip
        if len(self.codes) > 1 and shape != "two chains" and self.chance(0.15):
            self.row("embodied", product=self.codes[0], within="M", amount=self.between(0.8, 2.0))

    def process(self, code: str, activities: list[str], flows: dict[str, float], main: str, flagged: bool) -> None:
        self.row("processes", process=code, activities=";".join(activities))
        for k, amount in flows.items():
            self.row("process_flows", process=code, product=k, amount=amount, main=True if flagged and k == main else None)
        if self.chance(0.4):
            if not self.tables.get("raw_materials"):
                for year in sorted({self.start, self.start + self.pick(0, 1, 3)}):
                    self.row("raw_materials", material="acid", year=year, price=self.between(200, 900))
            self.row("process_materials", process=code, material="acid", amount=self.between(0.1, 0.8))

    def series(self) -> list[tuple[int, float]]:
        """Years and factors around 1."""
        if self.chance(0.4):
            return [(self.start, 1.0)]
        years = sorted({self.start - self.pick(0, 2), self.end + self.pick(0, 2)})
        return [(y, self.between(0.85, 1.2)) for y in years]

    def prices_and_demand(self) -> None:
        self.price_cases, self.demand_cases = ["base"], ["base"]
        if self.chance(0.25):
            self.price_cases.append("boom")
        if self.chance(0.25):
            self.demand_cases.append("surge")
        for k in self.codes:
            for case in self.price_cases:
                if case != "base" and self.chance(0.3):
                    continue
                level = self.base[k] * (1 if case == "base" else self.between(0.6, 1.6))
                for year, factor in self.series():
                    self.row("prices", product=k, case=case, year=year, price=level * factor)
        self.size = {"M": self.between(1e3, 2e4)}
        self.size["N"] = self.between(5e2, 3e4)
        self.size["B"] = 0.12 * self.size["M"]
        self.want = dict.fromkeys(self.codes, 0.0)
        for k in self.codes:
            users = [c for c in self.places if self.chance(0.75)] or ["USA"]
            if k not in self.final:
                users = self.some(users, 0.4) if self.tables.get("shortage_costs") and any(
                    r["product"] == k for r in self.tables["shortage_costs"]) else []  # fmt: skip
            for c in users:
                amount = self.size.get(k, self.size["M"] * 0.3) * self.between(0.2, 0.7)
                self.want[k] += amount
                for case in self.demand_cases:
                    if case != "base" and self.chance(0.3):
                        continue
                    level = amount * (1 if case == "base" else self.between(1.1, 1.5))
                    for year, factor in self.series():
                        self.row("demand", country=c, product=k, case=case, year=year, demand=level * factor)
        for k in ("X", "O"):  # what feeding the stages above would take
            if k in self.codes:
                above = [j for j in self.codes if j in self.recipe and self.recipe[j].get(k, 0) < 0]
                self.want[k] += sum(-self.recipe[j][k] * self.want[j] for j in above)
            if self.chance(0.6):
                continue
        for k in self.codes:
            if self.chance(0.6):
                for year, factor in self.series():
                    self.row("outside_sales", product=k, year=year, limit=self.want[k] * self.between(0.0, 0.5) * factor)

    def sources(self) -> None:
        self.sells: dict[str, list[str]] = {}
        self.supply: dict[str, dict[str, float]] = {}
        for k in self.codes:
            sellers = [o for i, o in enumerate(self.outside) if self.chance(0.9 if i == 0 else 0.65)] or [self.outside[0]]
            self.sells[k] = sellers
            total = self.want[k] * (self.between(0.2, 0.8) if k not in self.final and self.chance(0.4) else self.between(0.7, 2.2))
            weights = {o: self.between(0.3, 1.0) * (3 if o == self.outside[0] else 1) for o in sellers}
            self.supply[k] = {o: total * weights[o] / sum(weights.values()) for o in sellers}
            told = self.pick("all", "all", "some", "none")
            left = 1.0
            for o in sellers:
                share = None
                if told == "all" or (told == "some" and self.chance(0.5)):
                    share = left * self.between(0.2, 0.8)
                    left -= share
                dear = self.between(0.7, 1.25) * self.base[k] if self.chance(0.3) else None
                compliant = False if self.chance(0.25) else None
                for year, factor in self.series():
                    self.row(
                        "outside_supply", country=o, product=k, year=year, available=self.supply[k][o] * factor,
                        cost=None if dear is None else dear * self.between(0.95, 1.05), base_share=share, compliant=compliant,
                    )  # fmt: skip
        for k in self.codes:
            for j in self.codes:
                if j == k or self.recipe.get(j, {}).get(k, 0) >= 0:
                    continue
                for o in self.sells[j]:
                    left = 1.0
                    for origin in self.outside:
                        if self.chance(0.4):
                            share = left * self.between(0.1, 0.9)
                            left -= share
                            self.row("feedstock", country=o, product=j, feed=k, origin=origin, share=share)

    def scenarios(self) -> None:
        n = self.pick(1, 2, 2, 2, 3)
        weights = [self.between(1.2, 2)] + [self.between(0.1, 1) for _ in range(n - 1)]
        chances = [round(x / sum(weights), 6) for x in weights]
        chances[0] = round(1 - sum(chances[1:]), 6)
        codes = [f"s{i}" for i in range(n)]
        for w, p in zip(codes, chances, strict=True):
            first = w == "s0"
            down = True if self.chance(0.2 if first else 0.4) else None
            self.row("scenarios", scenario=w, probability=p, downside=down, normal=True if not first and self.chance(0.1) else None)
            if not first:
                for _ in range(self.pick(1, 1, 2)):
                    self.shock(w)
            elif self.chance(0.1):
                self.shock(w, mild=True)
        if self.needy and self.chance(0.7):
            w = codes[-1]
            self.tables["scenarios"][-1]["downside"] = True
            self.row("shocks", scenario=w, kind="price", product="*", value=self.between(0.35, 0.95))
        if self.needy and n > 1 and self.chance(0.4):
            self.row("shocks", scenario=codes[1], kind="price", product=self.pick("*", "M"), value=self.between(1.2, 2.2), **self.years())
        if self.chance(0.25):
            flags = self.pick({"downside": True}, {"normal": True}, {})
            self.row("scenarios", scenario="stress", probability=0, **flags)
            self.shock("stress", mild="normal" in flags)

    def shock(self, w: str, mild: bool = False) -> None:
        kinds = ["price", "demand", "output", "supply"] if mild else [
            "supply", "supply", "supply", "price", "price", "demand", "output", "delay", "repeal", "price_case", "demand_case"]  # fmt: skip
        kind = self.pick(*kinds)
        k = self.pick("*", *self.codes)
        if kind == "supply":
            country = self.pick("*", *[o for o in self.outside if any(k in ("*", j) for j in self.codes if o in self.sells[j])] or "*")
            value = self.between(0.9, 1.2) if mild else self.pick(0.0, self.between(0.1, 0.7))
            self.row("shocks", scenario=w, kind=kind, product=k, country=country, value=value, **self.years())
        elif kind == "price":
            self.row("shocks", scenario=w, kind=kind, product=k, value=self.pick(self.between(0.5, 0.9), self.between(1.1, 1.6)), **self.years())
        elif kind == "demand":
            user = self.pick(*self.tables["demand"])
            where = {"product": self.pick("*", user["product"]), "country": self.pick("*", user["country"])}
            self.row("shocks", scenario=w, kind=kind, value=self.between(0.8, 1.4), **where, **self.years())
        elif kind == "output":
            country = self.pick("*", "*", *self.places)
            self.row("shocks", scenario=w, kind=kind, product=k, country=country, value=self.between(0.2, 0.95), **self.years())
        elif kind == "delay":
            self.row("shocks", scenario=w, kind=kind, product=k, value=self.pick(0.5, 1, 1.5, 2))
        elif kind == "repeal":
            self.row("shocks", scenario=w, kind=kind, **({"first_year": self.pick(*self.starts)} if self.chance(0.7) else {}))
        elif kind == "price_case":
            moved = [r["product"] for r in self.tables["prices"] if r["case"] == "boom"]
            if moved:
                self.row("shocks", scenario=w, kind=kind, product=self.pick("*", *moved), case="boom", **self.years())
        elif kind == "demand_case":
            moved = [r for r in self.tables["demand"] if r["case"] == "surge"]
            if moved:
                user = self.pick(*moved)
                where = {"product": self.pick("*", user["product"]), "country": self.pick("*", user["country"])}
                self.row("shocks", scenario=w, kind=kind, case="surge", **where, **self.years())

    # ---- plants -------------------------------------------------------------------------------
    def facilities(self) -> None:
        processes = [r["process"] for r in self.tables["processes"]]
        self.candidates: list[str] = []
        self.capacity, self.ready = dict.fromkeys(self.codes, 0.0), dict.fromkeys(self.codes, 0.0)
        self.activities: dict[str, set[str]] = {k: set() for k in self.codes}
        self.gap: dict[str, float] = {}
        for number in range(self.pick(1, 2, 2, 3, 3)):
            needed = self.needy and number == 0
            process = "make-M" if needed else self.pick(*processes)
            main = process.split("-")[1]
            candidate = needed or (self.chance(0.65) and len(self.candidates) < 2)
            code = f"{'new' if candidate else 'old'}{number}"
            flows = self.recipe[main] if not process.startswith("recycle") else {"M": 1.0}
            capacity = self.want[main] * self.between(0.1, 0.6) + 50
            margin = self.pick(self.between(-0.4, 0.0), self.between(0.0, 0.35), self.between(0.0, 0.35))
            made = [k for k, a in flows.items() if a > 0]
            for k in made:
                self.capacity[k] += capacity * flows[k]
                self.ready[k] += 0.0 if candidate or margin < 0 else capacity * flows[k]
                self.activities[k] |= set(next(r["activities"] for r in self.tables["processes"] if r["process"] == process).split(";"))
            revenue = sum(a * self.base[k] for k, a in flows.items())
            lifetime = self.pick(1.5, 2.5, 4, 10, 20) if not needed else self.pick(8, 15, 25)
            hurdle = self.between(0.05, 0.14)
            crf = hurdle / (1 - (1 + hurdle) ** -lifetime)
            yearly_capital = self.between(0.05, 0.45) * revenue
            gain = self.between(-0.35, -0.05 if needed else 0.08) * revenue
            if candidate:
                self.gap[main] = max(-gain, 0.02 * revenue)
            opex = revenue - (yearly_capital + gain if candidate else margin * revenue)
            if not candidate and margin < 0:
                self.gap.setdefault(main, -margin * revenue)
            early = self.pick(*self.starts) if self.chance(0.25) else None
            late = self.pick(*[s for s in self.starts if early is None or s >= early]) if self.chance(0.25) else None
            if candidate:
                self.candidates.append(code)
                self.row(
                    "facilities", facility=code, country=self.pick(*self.places), process=process, status="candidate", capacity=capacity,
                    earliest_start=early, latest_start=late, lead_time=self.pick(0.0, 0.0, 0.5, 1.0, 1.5), ramp_up=self.pick(0.0, 0.0, 0.5, 1.5),
                    lifetime=lifetime, capex=yearly_capital / crf * capacity, opex=opex, hurdle_rate=hurdle,
                    quality_premium=self.between(0.01, 0.08) * revenue if self.chance(0.25) else None,
                    foreign_share=self.between(0.2, 1.0) if self.chance(0.35) else None,
                    availability=self.between(0.7, 1.0) if self.chance(0.3) else None,
                    group=self.pick("G1", None),
                )  # fmt: skip
            else:
                self.row(
                    "facilities", facility=code, country=self.pick(*self.places), process=process, status="existing", capacity=capacity,
                    opening_year=self.start + self.pick(-2, -1, 0.5, 1) if self.chance(0.35) else None,
                    retirement_year=self.start + self.pick(1.5, 2.5, 4, 5) if self.chance(0.25) else None,
                    ramp_up=self.pick(0.0, 2.5) if self.chance(0.3) else None, opex=opex, hurdle_rate=hurdle,
                    quality_premium=self.between(0.01, 0.08) * revenue if self.chance(0.2) else None,
                    foreign_share=self.between(0.2, 1.0) if self.chance(0.3) else None,
                    availability=self.between(0.7, 1.0) if self.chance(0.3) else None,
                )  # fmt: skip

    def freight(self) -> None:
        rows: dict[tuple[str, str, str], Row] = {}

        def add(product: str, a: str, b: str, cost: float, capacity: float | None = None) -> None:
            rows.setdefault((product, a, b), {"cost": cost, "capacity": capacity})

        if not all(self.routed.values()) and self.chance(0.5):
            for c in [*self.nodes, *self.outside]:
                product = self.pick("*", *[k for k in self.codes if not self.routed[k]])
                if self.chance(0.8):
                    add(product, c, "ZONE", self.between(0.002, 0.04) * self.base["M"])
                if c in self.nodes and self.chance(0.8):
                    add(product, "ZONE", c, self.between(0.002, 0.03) * self.base["M"])
        for k in self.codes:
            if not self.routed[k]:
                continue
            for a in [*self.nodes, *self.sells[k]]:
                for b in self.nodes:
                    if a == b or not self.chance(0.93):
                        continue
                    tight = self.chance(0.15)
                    product = "*" if self.chance(0.2) else k
                    capacity = self.want[k] * self.between(0.1, 1.0) if tight else None
                    add(product, a, b, self.between(0.002, 0.06) * self.base[k], capacity)
        for (product, a, b), cells in rows.items():
            self.row("freight", product=product, origin=a, destination=b, **cells)

    # ---- policy -------------------------------------------------------------------------------
    def ladders(self) -> None:
        self.rungs: dict[str, list[str]] = {k: ["free"] for k in self.codes}
        for k in self.codes:
            height, rate, step = 1.0, 0.0, 0
            for number in range(1, self.pick(0, 1, 1, 2) + 1):
                step += self.pick(1, 1, 1, 1, 2)
                kind = self.pick("reference", "reference", "tariff", "tariff", "tariff", "standard", "minimum")
                height *= self.between(1.05, 1.35)
                rate += self.between(0.04, 0.3)
                origins = self.some(self.outside, 0.6) if kind == "tariff" and self.chance(0.6) else []
                exempt = self.some(self.outside, 0.4) if kind in ("tariff", "reference") and self.chance(0.3) else []
                self.rungs[k].append(f"r{number}")
                self.row(
                    "ladder", product=k, rung=f"r{number}", step=step, kind=kind,
                    price=height * self.base[k] if kind in ("reference", "minimum") else None,
                    rate=rate if kind in ("tariff", "standard") else None,
                    origins=";".join(origins) or None, exempt=";".join(exempt) or None,
                    legal_limit=self.between(0.1, 0.5) if self.chance(0.15) else None,
                    **(self.years() if self.chance(0.2) else {}),
                )  # fmt: skip
        if self.chance(0.25):
            for k in self.codes:
                if len(self.rungs[k]) > 1:
                    for year in self.some(self.starts, 0.7):
                        self.row("price_paths", path="own", product=k, year=year, rung=self.pick(*self.rungs[k]))

    def contracts(self) -> None:
        mains = [k for k in self.codes if k in self.recipe]
        for number in range(self.pick(0, 1, 1, 2, 2, 2)):
            k = self.pick(*[k for k in mains if self.capacity[k] > 0] or mains)
            if self.needy and number == 0:
                k = "M"
            base = self.base[k]
            strike = base * self.between(0.95, 1.6) if self.chance(0.75) else None
            fitting = k in self.gap and self.chance(0.8)
            if strike is not None and fitting:
                strike = base + self.gap[k] * self.between(0.9, 2.2)
            share = self.between(0.1, 1.0) if strike is not None and self.chance(0.6) else None
            ceiling = base * self.between(0.9, 1.5) if share and self.chance(0.5) else None
            if strike is not None and ceiling is not None:
                ceiling = max(ceiling, strike)
            premium = base * self.between(0.02, 0.3) if strike is None or self.chance(0.2) else None
            if strike is None and fitting:
                premium = self.gap[k] * self.between(0.8, 2.0)
            least = self.pick(self.between(0.1, 0.5), self.between(0.4, 0.95)) if self.chance(0.5) else None
            if strike is None and self.chance(0.2):
                share, ceiling = self.between(0.1, 0.6), base * self.between(1.0, 1.4)
            size = max(self.capacity[k], 100.0)
            cap = base * size * self.between(0.01, 0.08) if share and self.chance(0.5) else None
            window = self.pick(1, 1.5, 3, 10) if self.chance(0.3) else None
            if self.needy and number == 0 and window is not None:
                window += 1.5
            self.row(
                "contracts", contract=f"c{number}", instrument=self.pick("offtake", "offtake", "support"), products=self.pick("*", k),
                countries=";".join(self.some(self.places, 0.7)) or None if self.chance(0.25) else None,
                strike=strike, premium=premium, upside_share=share, ceiling=ceiling,
                yearly_cap=cap, reference_volume=size * self.between(0.3, 1.2) if cap and self.chance(0.4) else None, window=window,
                min_share=least, max_share=min(1.0, (least or 0.1) + self.between(0.1, 0.9)) if self.chance(0.6) else None,
                stockpiled=True if self.chance(0.2) else None, existing=True if self.chance(0.65) else None,
            )  # fmt: skip
        if self.chance(0.3):
            for c in self.some(self.places, 0.7):
                most = self.between(1e6, 5e7) if self.chance(0.5) else None
                self.row("aid_limits", country=c, grant_share=self.between(0.0, 0.7), grant_max=most)
        for _ in range(self.pick(1, 2) if self.chance(0.25) else 0):
            member, instrument = self.pick(*self.members), self.pick("offtake", "support", "grant", "stockpile")
            if not any((r["member"], r["instrument"]) == (member, instrument) for r in self.tables.get("refusals", [])):
                self.row("refusals", member=member, instrument=instrument)

    def stock(self) -> None:
        stored = [k for k in self.codes if self.chance(0.25)]
        for r in self.tables.get("contracts", []):
            if r.get("stockpiled"):
                stored += [k for k in self.codes if r["products"] in ("*", k)]
        self.stored = sorted(set(stored))
        for k in self.stored:
            nodes = ["ZONE"] if not self.routed[k] else self.some(self.members, 0.8) or self.members[:1]
            for node in nodes:
                rate = max(self.want[k], self.capacity[k]) * self.between(0.05, 0.8)
                initial = rate * self.between(0.1, 1.0) if self.chance(0.35) else None
                room = (initial or 0.0) + rate * self.between(0.1, 1.5) if self.chance(0.5) else None
                self.row("stockpiles", product=k, country=node, initial=initial, max_level=room, max_purchase=rate)

    def targets(self) -> None:
        if self.chance(0.4):
            self.row("groups", group="axis", country=self.outside[0])
            for c in [*self.outside[1:], *self.nodes]:
                if self.chance(0.3):
                    self.row("groups", group="axis", country=c)
        grouped = bool(self.tables.get("groups"))
        if not self.needy and self.chance(0.5):
            return
        for number in range(self.pick(1, 1, 2)):
            needed = self.needy and number == 0
            kind = self.pick("zone_share", "zone_share", "activity_share", "reliance_cap", "reliance_cap", "n_minus_1", "stock_days", "stock_days")
            if needed:
                kind = self.pick("zone_share", "activity_share", "reliance_cap", "reliance_cap", "n_minus_1")
            local = self.chance(0.4)
            makers = [k for k in self.codes if self.capacity[k] > 0]
            k = self.pick(*makers) if kind in ("zone_share", "activity_share") else self.pick(*self.codes)
            if needed:
                k = "M" if kind != "reliance_cap" or self.chance(0.4) else self.codes[0]
            # what stands already is asked for at once, what must be built only at the end
            late = self.capacity[k] > self.ready[k] or self.chance(0.3)
            years = {"first_year": self.starts[-1]} if late and self.chance(0.8) else self.years(0.2)
            old, new, want = self.ready[k], self.capacity[k] - self.ready[k], max(self.want[k], 1.0)
            part = self.between(0.4, 0.8) if needed else self.between(0.0, 0.7)
            reach = min(1.0, (old * part + new * self.between(0.05, 0.5)) / want)
            cells: Row = {"target": f"t{number}", "kind": kind, "products": k, **years}
            area = self.pick(*self.members) if local else None
            if kind == "zone_share":
                if self.shape == "by-product" and self.chance(0.7):
                    cells |= {"products": "M;B", "use_of": "M"}
                    area, reach = None, reach * 0.7
                self.row("targets", **cells, area=area if self.routed[k] else None, value=reach)
            elif kind == "activity_share":
                activity = self.pick(*sorted(self.activities[k]))
                self.row("targets", **cells, area=area, activity=activity, value=reach * (0.5 if area and not needed else 0.9))
            elif kind == "reliance_cap":
                source = self.pick("*", self.outside[0], *self.outside)
                area = area if all(self.routed.values()) else None
                value = self.between(0.25, 0.8) if needed else self.between(0.4, 0.95)
                self.row("targets", **cells, area=area, source_country=source, upstream=False if self.chance(0.3) else None, value=value)
            elif kind == "n_minus_1":
                outage = self.pick("*", self.outside[0], self.outside[0], ";".join(self.outside), "USA", *(["axis", "axis"] if grouped else []))
                value = self.between(0.02, 0.35)
                if needed:
                    outage = self.pick(self.outside[0], *(["axis"] if grouped else []))
                    gone = [r["country"] for r in self.tables["groups"]] if outage == "axis" else [outage]
                    left = sum(amount for o, amount in self.supply[k].items() if o not in gone)
                    value = min(0.9, max(0.02, reach + left * self.between(0.5, 0.9) / want))
                length = self.between(0.2, 1.5) if self.chance(0.5) else None
                self.row(
                    "targets", **cells, outage=outage, outage_years=length, upstream=False if self.chance(0.65 if needed else 0.4) else None,
                    value=value,
                )  # fmt: skip
            elif self.stored:
                cells["products"] = k if k in self.stored else self.stored[0]
                held = [r["country"] for r in self.tables["stockpiles"] if r["product"] == cells["products"] and r["country"] != "ZONE"]
                self.row("targets", **cells, area=self.pick(*held) if held and local else None, value=self.between(1, 20))

    def money(self) -> None:
        help_needed = max([gap * self.capacity[k] for k, gap in self.gap.items()], default=1e6)
        for _ in range(self.pick(1, 2) if self.chance(0.65 if self.needy else 0.25) else 0):
            instruments = [r["instrument"] for r in self.tables.get("contracts", [])]
            instrument = self.pick("all", "all", "grant", "stockpile", "intervention", *instruments, *instruments)
            member = self.pick(*self.members)
            if not any((r["member"], r["instrument"]) == (member, instrument) for r in self.tables.get("budgets", [])):
                self.row("budgets", member=member, instrument=instrument, limit=help_needed * 10 ** self.between(-0.7, 0.4), **self.years(0.2))
        if len(self.members) == 2 and self.chance(0.6):
            key = self.between(0.1, 0.9)
            for m, share in zip(self.members, (key, 1 - key), strict=True):
                self.row("contributions", member=m, key=share, tolerance=self.between(0.1, 0.6))

    def settings(self) -> dict[str, Any]:
        def maybe(p: float, section: dict[str, Any], key: str, value: Any) -> None:
            if self.chance(p):
                section[key] = value

        economics: dict[str, Any] = {}
        maybe(0.5, economics, "social_rate", self.pick(0.0, self.between(0.01, 0.06)))
        maybe(0.5, economics, "public_money_premium", self.between(0.0, 0.6))
        if self.chance(0.3):
            economics |= {"cvar_weight": self.between(0.1, 0.9), "cvar_level": self.between(0.3, 0.95)}
        maybe(0.35, economics, "perimeter", "zone")
        maybe(0.5, economics, "levy_capture", self.between(0.3, 1.0))
        maybe(0.3, economics, "levy_pooled", True)
        maybe(0.5, economics, "resale", self.between(0.4, 0.95))
        maybe(0.3, economics, "export_discount", self.between(0.0, 0.2))
        owners: dict[str, Any] = {}
        maybe(0.5, owners, "rent_cap", self.between(0.01, 0.2))
        maybe(0.6, owners, "cover", self.pick(0.0, self.between(0.8, 3.0), self.between(0.8, 3.0), self.between(0.8, 3.0)))
        maybe(0.4, owners, "debt_share", self.between(0.3, 1.0))
        maybe(0.3, owners, "debt_rate", self.pick(0.0, self.between(0.03, 0.1)))
        maybe(0.2, owners, "debt_tenor", 20)
        if not any(r["kind"] == "repeal" for r in self.tables.get("shocks", [])):
            maybe(0.3, owners, "repeal_weight", self.between(0.1, 0.9))
        maybe(0.4, owners, "grant_cap", self.between(0.05, 0.6))
        maybe(0.3, owners, "entry", "duty")
        policy: dict[str, Any] = {}
        maybe(0.35, policy, "max_step", self.pick(0, 2))
        if len(self.starts) > 1 and self.chance(0.3):
            policy["revision_years"] = self.some(self.starts[1:], 0.6)
        maybe(0.2, policy, "reference_scenario", self.pick(*[r["scenario"] for r in self.tables["scenarios"] if r["probability"] > 0]))
        maybe(0.3, policy, "outage_years", self.between(0.25, 1.0))
        trade: dict[str, Any] = {}
        maybe(0.5, trade, "band", self.between(0.0, 0.25))
        assert math.isclose(sum(r["probability"] for r in self.tables["scenarios"]), 1.0)
        return {
            "instance": {"name": "random"},
            "horizon": {"start_year": self.start, "period_years": self.lengths},
            "economics": economics, "owners": owners, "policy": policy, "trade": trade,
        }  # fmt: skip
