"""What the brute force knows before anything is chosen: series, plants, recipes, shocks, freight.

Part of the independent check. It reads the instance's tables and settings and shares no code with
the model: everything is worked out again, plainly, one number at a time, keyed by names rather than
by positions. Units: t, USD, year.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

FREE = "free"
MEMBERS = "block of members"
PARTNERS = "block of partners"
ALIKE = 1e-9
"""Two numbers closer than this, relative, count as equal in tests on the given figures."""

Row = dict[str, Any]


def given(value: Any) -> bool:
    """Whether a cell says something."""
    if value is None or value is pd.NA:
        return False
    if isinstance(value, float) and math.isnan(value):
        return False
    return not (isinstance(value, str) and value == "")


def either(value: Any, otherwise: Any) -> Any:
    return value if given(value) else otherwise


def less(a: float, b: float) -> bool:
    """a < b, and not merely by rounding."""
    return a < b - ALIKE * max(abs(a), abs(b))


def annuity(rate: float, years: float) -> float:
    """Capital recovery factor."""
    return 1 / years if rate == 0 else rate / (1 - (1 + rate) ** -years)


def names(cell: Any) -> tuple[str, ...]:
    return tuple(cell) if isinstance(cell, (tuple, list)) else ()


@dataclass(frozen=True)
class Plant:
    """A facility with its process spelled out; `start` below is a period, or None for existing plants."""

    code: str
    country: str
    node: str
    treasury: str | None
    member: bool
    existing: bool
    main: str
    amounts: Mapping[str, float]
    materials: Mapping[str, float]
    activities: tuple[str, ...]
    capacity: float
    opening: float
    retirement: float
    lead: float
    ramp: float
    lifetime: float
    capex: float
    opex: float
    premium: float
    hurdle: float
    foreign: float
    availability: float
    group: str | None
    starts: tuple[int, ...] = field(default=())

    def made(self, k: str) -> float:
        return max(self.amounts.get(k, 0.0), 0.0)

    def used(self, k: str) -> float:
        return max(-self.amounts.get(k, 0.0), 0.0)


class Facts:
    """Everything that doesn't depend on the price path or on the starts."""

    def __init__(self, instance: Any) -> None:
        self.settings = instance.settings
        self.tables: dict[str, list[Row]] = {n: df.to_dict("records") for n, df in instance.tables.items()}
        horizon = self.settings.horizon
        self.n = [int(n) for n in horizon.period_years]
        self.T = range(len(self.n))
        self.S = [horizon.start_year + sum(self.n[:t]) for t in self.T]
        self.first, self.last = self.S[0], self.S[-1] + self.n[-1] - 1
        self._scenarios()
        self._countries()
        self._series()
        self._plants()
        self._recipes()
        self._freight()

    # ---- time ---------------------------------------------------------------------------------
    def discount(self, t: int, rate: float) -> float:
        """n_t (1+rate)^-mid_t."""
        return float(self.n[t] * (1 + rate) ** -(self.S[t] - self.S[0] + self.n[t] / 2))

    def d(self, t: int) -> float:
        return self.discount(t, self.settings.economics.social_rate)

    def years(self, t: int) -> range:
        return range(self.S[t], self.S[t] + self.n[t])

    def active(self, row: Row, year: int) -> bool:
        return bool(either(row["first_year"], self.first) <= year <= either(row["last_year"], self.last))

    def covers(self, row: Row, t: int) -> bool:
        return bool(either(row["first_year"], -math.inf) <= self.S[t] <= either(row["last_year"], math.inf))

    # ---- scenarios ----------------------------------------------------------------------------
    def _scenarios(self) -> None:
        rows = self.tables["scenarios"]
        self.p = {r["scenario"]: float(r["probability"]) for r in rows}
        self.shocks: dict[str, list[Row]] = {w: [] for w in self.p}
        for row in self.tables["shocks"]:
            self.shocks[row["scenario"]].append(row)
        self.normal: dict[str, bool] = {}
        self.downside: dict[str, bool] = {}
        self.W: list[str] = []
        for r in rows:
            w = r["scenario"]
            cuts = any(s["kind"] == "supply" and s["value"] < 1 for s in self.shocks[w])
            self.normal[w] = bool(either(r["normal"], self.p[w] > 0 and not cuts))
            self.downside[w] = bool(either(r["downside"], False))
            named = (given(r["normal"]) and bool(r["normal"])) or self.downside[w]
            if self.p[w] > 0 or named:
                self.W.append(w)
        likeliest = max(self.p, key=lambda w: self.p[w])
        self.ref: str = self.settings.policy.reference_scenario or likeliest

    def repealed(self, t: int, w: str) -> bool:
        return any(s["kind"] == "repeal" and self.covers(s, t) for s in self.shocks[w])

    # ---- countries ----------------------------------------------------------------------------
    def _countries(self) -> None:
        rows = self.tables["countries"]
        self.role = {r["country"]: r["role"] for r in rows}
        self.treasury = {r["country"]: either(r["treasury"], r["country"]) for r in rows if r["role"] == "member"}
        self.members = [c for c in self.role if self.treasury.get(c) == c]
        self.partners = [c for c, role in self.role.items() if role == "partner"]
        self.zone_nodes = self.members + self.partners
        self.is_member_node = {node: node in self.members for node in self.zone_nodes}
        self.is_member_node[MEMBERS], self.is_member_node[PARTNERS] = True, False

    def node(self, country: str) -> str:
        return str(self.treasury.get(country, country))

    # ---- yearly series ------------------------------------------------------------------------
    def _series(self) -> None:
        self.products = [r["product"] for r in self.tables["products"]]
        self.product: dict[str, Row] = {r["product"]: r for r in self.tables["products"]}

        def points(table: str, keys: tuple[str, ...], column: str) -> dict[tuple[str, ...], dict[int, float]]:
            series: dict[tuple[str, ...], dict[int, float]] = {}
            for r in self.tables[table]:
                series.setdefault(tuple(r[c] for c in keys), {})[int(r["year"])] = float(either(r[column], 0.0))
            return series

        self._prices = points("prices", ("product", "case"), "price")
        self._demand = points("demand", ("country", "product", "case"), "demand")
        self._available = points("outside_supply", ("country", "product"), "available")
        self._cost = points("outside_supply", ("country", "product"), "cost")
        self._materials = points("raw_materials", ("material",), "price")
        self._limits = points("outside_sales", ("product",), "limit")
        scenarios = list(self.p)

        self.pi = {(k, t, w): self._mean(t, lambda y, k=k, w=w: self._price(k, w, y)) for k in self.products for t in self.T for w in scenarios}
        self.users = list(dict.fromkeys((c, k) for c, k, _ in self._demand))
        self.D0 = {(c, k, t, w): self._mean(t, lambda y, c=c, k=k, w=w: self._want(c, k, w, y)) for c, k in self.users for t in self.T for w in scenarios}
        self.sources: dict[str, list[str]] = {k: [] for k in self.products}
        self.share: dict[tuple[str, str], Any] = {}
        self.compliant: dict[tuple[str, str], bool] = {}
        for r in self.tables["outside_supply"]:
            o, k = r["country"], r["product"]
            if o not in self.sources[k]:
                self.sources[k].append(o)
                self.share[o, k] = r["base_share"]
                self.compliant[o, k] = bool(either(r["compliant"], True))
        self.avail: dict[tuple[str, str, int, str], float] = {}
        self.cost: dict[tuple[str, str, int], float] = {}
        for (o, k), series in self._available.items():
            for t in self.T:
                self.cost[o, k, t] = self._mean(t, lambda y, o=o, k=k: self._at(self._cost[o, k], y))
                for w in scenarios:
                    self.avail[o, k, t, w] = self._mean(
                        t,
                        lambda y, o=o, k=k, w=w, series=series: self._at(series, y) * self._times(w, "supply", y, product=k, country=o),
                    )
        self.limit = {
            (k, t): self._mean(t, lambda y, k=k: self._at(self._limits[(k,)], y)) if (k,) in self._limits else 0.0 for k in self.products for t in self.T
        }
        value: dict[str, float] = dict.fromkeys(self.members, 0.0)
        for c, k in self.users:
            if self.role[c] == "member":
                value[self.node(c)] += sum(self.n[t] * self.pi[k, t, self.ref] * self.D0[c, k, t, self.ref] for t in self.T)
        total = sum(value.values())
        self.burden = {m: v / total if total > 0 else 1 / len(value) for m, v in value.items()}

    @staticmethod
    def _at(series: Mapping[int, float], year: int) -> float:
        years = sorted(series)
        return float(np.interp(year, years, [series[y] for y in years]))

    def _mean(self, t: int, value: Any) -> float:
        return float(sum(value(y) for y in self.years(t)) / self.n[t])

    def _times(self, w: str, kind: str, year: int, **match: str | Iterable[str]) -> float:
        factor = 1.0
        for s in self.shocks[w]:
            if s["kind"] == kind and self.active(s, year) and self._matches(s, match):
                factor *= s["value"]
        return factor

    @staticmethod
    def _matches(shock: Row, match: Mapping[str, str | Iterable[str]]) -> bool:
        places = {column: [wanted] if isinstance(wanted, str) else wanted for column, wanted in match.items()}
        return all(shock[column] == "*" or shock[column] in wanted for column, wanted in places.items())

    def _case(self, w: str, kind: str, year: int, **match: str) -> str:
        case = "base"
        for s in self.shocks[w]:
            if s["kind"] == kind and self.active(s, year) and self._matches(s, match):
                case = s["case"]
        return case

    def _price(self, k: str, w: str, year: int) -> float:
        case = self._case(w, "price_case", year, product=k)
        series = self._prices[k, case if (k, case) in self._prices else "base"]
        return self._at(series, year) * self._times(w, "price", year, product=k)

    def _want(self, c: str, k: str, w: str, year: int) -> float:
        case = self._case(w, "demand_case", year, product=k, country=c)
        series = self._demand.get((c, k, case)) or self._demand.get((c, k, "base"))
        return 0.0 if series is None else self._at(series, year) * self._times(w, "demand", year, product=k, country=c)

    def demand0(self, k: str, t: int, w: str) -> float:
        """Final demand of the zone at world prices, t/a."""
        return sum(self.D0[c, k, t, w] for c, j in self.users if j == k)

    # ---- plants -------------------------------------------------------------------------------
    def _plants(self) -> None:
        flows: dict[str, list[Row]] = {}
        for r in self.tables["process_flows"]:
            flows.setdefault(r["process"], []).append(r)
        materials: dict[str, dict[str, float]] = {}
        for r in self.tables["process_materials"]:
            materials.setdefault(r["process"], {})[r["material"]] = r["amount"]
        activities = {r["process"]: names(r["activities"]) for r in self.tables["processes"]}
        self.plants: dict[str, Plant] = {}
        for r in self.tables["facilities"]:
            c = r["country"]
            member = self.role[c] == "member"
            plant = Plant(
                code=r["facility"], country=c, node=self.node(c), member=member,
                treasury=self.node(c) if member else None,
                existing=r["status"] == "existing",
                main=self._main(flows[r["process"]]),
                amounts={f["product"]: float(f["amount"]) for f in flows[r["process"]]},
                materials=materials.get(r["process"], {}), activities=activities[r["process"]],
                capacity=float(r["capacity"]), opening=float(either(r["opening_year"], -math.inf)),
                retirement=float(either(r["retirement_year"], math.inf)), lead=float(either(r["lead_time"], 0.0)),
                ramp=float(either(r["ramp_up"], 0.0)), lifetime=float(either(r["lifetime"], 20.0)),
                capex=float(either(r["capex"], 0.0)), opex=float(r["opex"]), premium=float(either(r["quality_premium"], 0.0)),
                hurdle=float(either(r["hurdle_rate"], 0.1)), foreign=float(either(r["foreign_share"], 0.0)),
                availability=float(either(r["availability"], 1.0)), group=either(r["group"], None),
            )  # fmt: skip
            if not plant.existing:
                early, late = either(r["earliest_start"], -math.inf), either(r["latest_start"], math.inf)
                starts = tuple(t for t in self.T if early <= self.S[t] <= late and self._ever_built(plant, t))
                plant = Plant(**{**plant.__dict__, "starts": starts})
            self.plants[plant.code] = plant

    def _main(self, flows: list[Row]) -> str:
        for f in flows:
            if given(f["main"]) and bool(f["main"]):
                return str(f["product"])
        outputs = [f for f in flows if f["amount"] > 0]

        def value(f: Row) -> float:
            return float(f["amount"] * sum(self.pi[f["product"], t, self.ref] for t in self.T) / len(self.T))

        return str(max(outputs, key=value)["product"])

    def _ever_built(self, f: Plant, start: int) -> bool:
        s0 = self.S[start] + f.lead
        return any(min(self.S[t] + self.n[t], s0 + f.lifetime) > max(self.S[t], s0) for t in self.T)

    def life(self, f: Plant, start: int | None, w: str) -> tuple[float, float]:
        """First output and end of output, in years."""
        if start is None:
            return f.opening, f.retirement
        where = {f.country, self.node(f.country)}
        late = sum(s["value"] for s in self.shocks[w] if s["kind"] == "delay" and self._matches(
            s, {"product": f.main, "country": where, "facility": f.code}))  # fmt: skip
        s0 = self.S[start] + f.lead + late
        return s0, s0 + f.lifetime

    def _ramped(self, f: Plant, t: int, s0: float, end: float) -> float:
        """(1/n) times the integral of the ramp over the part of the period between s0 and `end`."""
        low, high = max(self.S[t], s0), min(self.S[t] + self.n[t], end)
        if high <= low:
            return 0.0
        if f.ramp == 0 or s0 == -math.inf:
            return float((high - low) / self.n[t])

        def done(s: float) -> float:
            age = s - s0
            return age * age / (2 * f.ramp) if age < f.ramp else f.ramp / 2 + (age - f.ramp)

        return (done(high) - done(low)) / self.n[t]

    def _output_factor(self, f: Plant, t: int, w: str) -> float:
        where = {f.country, self.node(f.country)}
        return self._mean(t, lambda y: self._times(w, "output", y, product=f.main, country=where, facility=f.code))

    @cached_property
    def _memo(self) -> dict[tuple[Any, ...], float]:
        return {}

    def A(self, f: Plant, start: int | None, t: int, w: str, window: float = math.inf) -> float:
        """Share of the period's capacity that can run; with a window, the part of it under contract."""
        key = (f.code, start, t, w, window)
        if key not in self._memo:
            s0, end = self.life(f, start, w)
            paid_from = max(s0, self.S[0]) if f.existing else s0
            g = self._ramped(f, t, s0, min(end, paid_from + window))
            self._memo[key] = f.availability * self._output_factor(f, t, w) * g
        return self._memo[key]

    def B(self, f: Plant, start: int | None, t: int, w: str) -> float:
        """Share of the period in which the plant stands, without ramp or shocks to output."""
        s0, end = self.life(f, start, w)
        return float(max(0.0, min(self.S[t] + self.n[t], end) - max(self.S[t], s0)) / self.n[t])

    def A_most(self, f: Plant, t: int, w: str) -> float:
        """A of an existing plant; of a candidate, the most that any allowed start gives."""
        if f.existing:
            return self.A(f, None, t, w)
        return max((self.A(f, tau, t, w) for tau in f.starts), default=0.0)

    def opex(self, f: Plant, t: int) -> float:
        """Operating cost with raw materials, USD/t."""
        return f.opex + sum(float(amount) * self._mean(t, lambda y, m=m: self._at(self._materials[(m,)], y)) for m, amount in f.materials.items())

    @cached_property
    def mu_free(self) -> dict[tuple[str, int, str], float]:
        """Margin at world prices, USD/t."""
        return {(f.code, t, w): self.margin(f, t, {k: self.pi[k, t, w] for k in f.amounts}) for f in self.plants.values() for t in self.T for w in self.p}

    def margin(self, f: Plant, t: int, price: Mapping[str, float]) -> float:
        return float(sum(a * price[k] for k, a in f.amounts.items()) + f.premium - self.opex(f, t))

    # ---- recipes, chains ----------------------------------------------------------------------
    def _recipes(self) -> None:
        size = len(self.products)
        recipe = np.zeros((size, size))
        for b, j in enumerate(self.products):
            makers = [f for f in self.plants.values() if f.main == j]
            capacity = sum(f.capacity for f in makers)
            for a, k in enumerate(self.products):
                if capacity > 0:
                    recipe[a, b] = sum(f.capacity * f.used(k) for f in makers) / capacity
        inverse = np.linalg.inv(np.eye(size) - recipe)
        self.e = {(k, j): float(inverse[a, b]) for a, k in enumerate(self.products) for b, j in enumerate(self.products)}
        self.e = {pair: 0.0 if abs(v) < 1e-12 else v for pair, v in self.e.items()}
        for k in self.products:
            self.e[k, k] = 1.0
        for r in self.tables["embodied"]:
            self.e[r["product"], r["within"]] = float(r["amount"])
        found = [{k} for k in self.products]
        for f in self.plants.values():
            joined = [c for c in found if c & set(f.amounts)]
            found = [c for c in found if c not in joined] + [set().union(*joined)]
        self.chains = [[k for k in self.products if k in c] for c in found]

    def upstream(self, k: str, j: str) -> bool:
        """Whether k is j or goes into j."""
        return self.e[k, j] > 0

    def cut(self, f: Plant, t: int, w: str) -> bool:
        """Whether something the plant needs, at any stage before it, is scarcer than in the reference scenario."""
        for i in f.amounts:
            if f.used(i) == 0:
                continue
            for k in self.products:
                if not self.upstream(k, i):
                    continue
                if any(less(self.avail[o, k, t, w], self.avail[o, k, t, self.ref]) for o in self.sources[k]):
                    return True
                for g in self.plants.values():
                    if g.made(k) > 0:
                        starts: tuple[int | None, ...] = (None,) if g.existing else g.starts
                        if any(less(self.A(g, s, t, w), self.A(g, s, t, self.ref)) for s in starts):
                            return True
        return False

    def long_cut(self, k: str, w: str) -> bool:
        """Whether the scenario holds a supply cut on k, or before it, that lasts."""
        for s in self.shocks[w]:
            if s["kind"] == "supply" and s["value"] < 1:
                touched = self.products if s["product"] == "*" else [s["product"]]
                low, high = max(either(s["first_year"], self.first), self.first), min(either(s["last_year"], self.last), self.last)
                if any(self.upstream(j, k) for j in touched) and high - low + 1 >= self.product[k]["longer_after"]:
                    return True
        return False

    # ---- freight ------------------------------------------------------------------------------
    def _freight(self) -> None:
        self.routes: dict[str, dict[tuple[str, str], int]] = {}
        rows = self.tables["freight"]
        for k in self.products:
            found: dict[tuple[str, str], int] = {}
            for wanted in ("*", k):  # the row that names the product wins
                for number, r in enumerate(rows):
                    if r["product"] == wanted:
                        found[r["origin"], r["destination"]] = number
            self.routes[k] = found

    def freight(self, k: str, origin: str, destination: str) -> float:
        number = self.routes[k].get((origin, destination))
        return 0.0 if number is None else float(either(self.tables["freight"][number]["cost"], 0.0))

    def hub_exit(self, k: str) -> float:
        """Mean freight to the hub over partner nodes with a plant that makes k."""
        nodes = {f.node for f in self.plants.values() if not f.member and f.made(k) > 0}
        return sum(self.freight(k, node, "ZONE") for node in nodes) / len(nodes) if nodes else 0.0

    def pooled(self, k: str) -> bool:
        return bool(self.product[k]["trade"] == "pooled")

    def nodes(self, k: str) -> list[str]:
        if self.pooled(k):
            return [MEMBERS] + ([PARTNERS] if self.partners else [])
        return self.zone_nodes

    def place(self, k: str, node: str) -> str:
        """Where goods of a country's node are kept for this product."""
        if self.pooled(k):
            return MEMBERS if self.is_member_node[node] else PARTNERS
        return node
