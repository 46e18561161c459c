"""What the instance says, worked out anew from its tables: scenarios, prices, demand, sources, places, freight.

Indices: k product, i node (members' markets, then partners), p place (the nodes, then the partners' hub, then the members'),
o source (country and product), t period, w scenario. t, USD and years throughout.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from orepact.instance.given import Given
from orepact.instance.given import Row as GivenRow
from orepact.instance.instance import Instance
from orepact.instance.schema import ALL, SCHEMA, ZONE
from orepact.solution.verification.timeline import Array, Flags, Timeline

ALIKE = 1e-9
"""Figures of the instance that differ by less, relatively, count as equal in tests on them."""


class Facts:
    """Everything that depends on neither prices chosen nor plants built."""

    def __init__(self, instance: Instance, lose_countries: bool = False) -> None:
        self.settings = instance.settings
        given = Given(instance.settings, instance.tables)
        self.rows: dict[str, list[GivenRow]] = {name: list(given.rows(name)) for name in SCHEMA}
        if lose_countries:
            self._lose_countries()
        self._groups: dict[tuple[str, ...], dict[tuple[str, ...], list[GivenRow]]] = {}
        self.time = Timeline(instance.settings)
        self.T = len(self.time.start)
        self._scenarios()
        self._countries()
        self.products = [r["product"] for r in self.rows["products"]]
        self.product = {code: k for k, code in enumerate(self.products)}
        self.K = len(self.products)
        self.routed = np.array([r["trade"] == "routed" for r in self.rows["products"]])
        self.dominant = [r["dominant"] for r in self.rows["products"]]
        self.relocated = np.array([r["relocated"] for r in self.rows["products"]], dtype=float)
        self.pi = np.stack([self._series("prices", "price", {"product": k}) for k in self.products])
        """World prices (K, T, W)."""
        self._demand()
        self._sources()

    def _lose_countries(self) -> None:
        """A stress test of probability 0 for the loss of every seller and every host country."""
        scenarios, known = self.rows["scenarios"], {r["scenario"] for r in self.rows["scenarios"]}
        sellers = dict.fromkeys(r["country"] for r in self.rows["outside_supply"])
        hosts = dict.fromkeys(r["country"] for r in self.rows["facilities"])
        for kind, places in (("supply", sellers), ("output", hosts)):
            for country in places:
                if f"lose_{country}" in known:
                    continue
                blank = dict.fromkeys([column.name for column in SCHEMA["scenarios"].columns])
                new = {"scenario": f"lose_{country}", "name": f"Loss of {country}", "probability": 0.0, "downside": False}
                scenarios.append(GivenRow(blank | new))
                blank = dict.fromkeys([column.name for column in SCHEMA["shocks"].columns])
                wild = {"product": ALL, "country": country, "facility": ALL}
                self.rows["shocks"].append(GivenRow(blank | wild | {"scenario": f"lose_{country}", "kind": kind, "value": 0.0}))

    # -- scenarios ------------------------------------------------------------------------------------------------

    def _scenarios(self) -> None:
        rows = self.rows["scenarios"]
        self.scenarios = [r["scenario"] for r in rows]
        self.scenario = {code: w for w, code in enumerate(self.scenarios)}
        self.W = len(rows)
        self.p = np.array([r["probability"] for r in rows], dtype=float)
        self.shocks = [[r for r in self.rows["shocks"] if r["scenario"] == code] for code in self.scenarios]
        cuts = [any(s["kind"] == "supply" and s["value"] < 1 for s in shocks) for shocks in self.shocks]
        self.normal = np.array([bool(r["normal"]) if r["normal"] is not None else p > 0 and not cut for r, p, cut in zip(rows, self.p, cuts, strict=True)])
        self.downside = np.array([bool(r["downside"]) for r in rows])
        self.modelled = (self.p > 0) | self.downside | np.array([bool(r["normal"]) for r in rows])
        """Scenarios that the plan was made for (W,); the others are stress tests."""
        named = self.settings.policy.reference_scenario
        self.ref = self.scenario[named] if named else int(self.p.argmax())
        self.repealed = np.zeros((self.T, self.W), dtype=bool)
        for w, shocks in enumerate(self.shocks):
            for s in shocks:
                if s["kind"] == "repeal":
                    self.repealed[:, w] |= self.time.covers(s)

    def times(self, w: int, kind: str, **places: str | Iterable[str]) -> Array:
        """Product of a scenario's multipliers of one kind (Y,)."""
        factor = np.ones(len(self.time.years))
        for s in self.shocks[w]:
            if s["kind"] == kind and touches(s, places):
                factor[self.time.active(s)] *= s["value"]
        return factor

    def _series(self, table: str, column: str, of: dict[str, str]) -> Array:
        """Period means (T, W) of a priced or demanded product: cases replace each other, multipliers multiply."""
        cases: dict[str, list[tuple[float, float]]] = {}
        for r in self._matching(table, of):
            cases.setdefault(r["case"], []).append((r["year"], r[column]))
        found = np.zeros((self.T, self.W))
        if not cases:
            return found
        series = {case: self.time.yearly(points) for case, points in cases.items()}
        for w, shocks in enumerate(self.shocks):
            yearly = series.get("base", np.zeros(len(self.time.years))).copy()
            for s in shocks:
                if s["kind"] == f"{column}_case" and s["case"] in series and touches(s, of):
                    active = self.time.active(s)
                    yearly[active] = series[s["case"]][active]
            found[:, w] = self.time.average @ (yearly * self.times(w, column, **of))
        return found

    def _matching(self, table: str, of: dict[str, str]) -> list[GivenRow]:
        """Rows of a table with these values; sorted by them once."""
        groups = self._groups.setdefault((table, *of), {})
        for r in () if groups else self.rows[table]:
            groups.setdefault(tuple(r[column] for column in of), []).append(r)
        return groups.get(tuple(of.values()), [])

    def plain_series(self, table: str, column: str, of: dict[str, str]) -> Array:
        """Period means (T,) of a series that no scenario touches; zero without rows."""
        points = [(r["year"], r[column]) for r in self.rows[table] if all(r[key] == value for key, value in of.items())]
        return np.asarray(self.time.average @ self.time.yearly(points)) if points else np.zeros(self.T)

    def longest_cut(self, w: int, products: set[str]) -> int:
        """Years of the longest supply cut of any of the products within the horizon."""
        cuts = [s for s in self.shocks[w] if s["kind"] == "supply" and s["value"] < 1 and (s["product"] == ALL or s["product"] in products)]
        return max((int(self.time.active(s).sum()) for s in cuts), default=0)

    # -- places ---------------------------------------------------------------------------------------------------

    def _countries(self) -> None:
        rows = self.rows["countries"]
        self.role = {r["country"]: r["role"] for r in rows}
        self.treasury = {r["country"]: r["treasury"] or r["country"] for r in rows}
        own = [c for c in self.role if self.treasury[c] == c]
        self.members = [c for c in own if self.role[c] == "member"]
        self.nodes = self.members + [c for c in own if self.role[c] == "partner"]
        self.node = {c: self.nodes.index(self.treasury[c]) for c, role in self.role.items() if role != "outside"}
        self.I, self.M = len(self.nodes), len(self.members)
        self.P = self.I + 2
        self.hub_partners, self.hub_members = self.I, self.I + 1
        self.places = [*self.nodes, "partners", "members"]
        self.is_member = np.array([i < self.M for i in range(self.I)] + [False, True])
        """Whether a place is the members' (P,)."""
        self.whole_zone = self.settings.economics.perimeter == "zone"
        self.counted = self.is_member | self.whole_zone
        """Whether costs at a place count (P,)."""

    @cached_property
    def place_of(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """Place of a node's goods (I, K): the node itself where they are routed, else its block's hub."""
        hub = np.where(np.arange(self.I) < self.M, self.hub_members, self.hub_partners)
        return np.where(self.routed[None, :], np.arange(self.I)[:, None], hub[:, None])

    def is_place(self, k: int, p: int) -> bool:
        """Whether goods of a product are kept at a place."""
        if self.routed[k]:
            return p < self.I
        return p == self.hub_members or (p == self.hub_partners and self.I > self.M)

    def at_places(self, by_node: Array) -> Array:
        """Amounts by node (I, K, ...) gathered at places (K, P, ...)."""
        found = np.zeros((self.K, self.P, *by_node.shape[2:]))
        for i in range(self.I):
            for k in range(self.K):
                found[k, self.place_of[i, k]] += by_node[i, k]
        return found

    @cached_property
    def carries(self) -> Array:
        """Share of each member in public money spent or earned at a place (P, M)."""
        found = np.tile(self.burden, (self.P, 1))
        found[: self.M] = np.eye(self.M)
        return found

    # -- demand and sources ---------------------------------------------------------------------------------------

    def _demand(self) -> None:
        self.D0 = np.zeros((self.I, self.K, self.T, self.W))
        for country, product in dict.fromkeys((r["country"], r["product"]) for r in self.rows["demand"]):
            self.D0[self.node[country], self.product[product]] += self._series("demand", "demand", {"country": country, "product": product})
        value = np.einsum("iktw,ktw,t->i", self.D0[: self.M, :, :, [self.ref]], self.pi[:, :, [self.ref]], self.time.length)
        self.burden = value / value.sum() if value.sum() > 0 else np.full(self.M, 1 / max(self.M, 1))
        """Share of each member in the members' final demand by value (M,)."""

    def _sources(self) -> None:
        rows: dict[tuple[str, str], list[GivenRow]] = {}
        for r in self.rows["outside_supply"]:
            rows.setdefault((r["country"], r["product"]), []).append(r)
        self.sources = list(rows)
        self.source = {pair: o for o, pair in enumerate(self.sources)}
        self.O = len(self.sources)
        self.sold = np.array([self.product[product] for _, product in self.sources], dtype=int)
        """Product of each source (O,)."""
        self.seller = [country for country, _ in self.sources]
        self.feedstock: dict[tuple[str, str, str], dict[str, float]] = {}
        """Shares by origin of what a country's product is made from, by country, product and feed."""
        for r in self.rows["feedstock"]:
            self.feedstock.setdefault((r["country"], r["product"], r["feed"]), {})[r["origin"]] = r["share"]
        self.available = np.zeros((self.O, self.T, self.W))
        self.cost = np.zeros((self.O, self.T))
        for o, ((country, product), own) in enumerate(rows.items()):
            yearly = self.time.yearly([(r["year"], r["available"]) for r in own])
            for w in range(self.W):
                self.available[o, :, w] = self.time.average @ (yearly * self.times(w, "supply", product=product, country=country))
            self.cost[o] = self.time.average @ self.time.yearly([(r["year"], r["cost"]) for r in own])
        self.compliant = np.array([own[0]["compliant"] for own in rows.values()], dtype=bool)
        told = np.array([np.nan if own[0]["base_share"] is None else own[0]["base_share"] for own in rows.values()], dtype=float)
        self.base_share = told.copy()
        for k in range(self.K):
            own_sources = self.sold == k
            silent = own_sources & np.isnan(told)
            size = np.where(silent, self.available[:, 0, self.ref], 0.0)
            rest = max(0.0, 1 - np.nansum(told[own_sources]))
            self.base_share[silent] = rest * size[silent] / size.sum() if size.sum() > 0 else 0.0

    # -- freight --------------------------------------------------------------------------------------------------

    @cached_property
    def _freight_rows(self) -> dict[tuple[str, str, str], GivenRow]:
        return {(r["product"], r["origin"], r["destination"]): r for r in self.rows["freight"]}

    def freight_row(self, k: int, origin: str, destination: str) -> GivenRow | None:
        """The row for a pair of places; one that names the product goes before one for all."""
        product = self.products[k]
        return self._freight_rows.get((product, origin, destination)) or self._freight_rows.get((ALL, origin, destination))

    def freight(self, k: int, origin: str, destination: str) -> float:
        """USD per tonne; nothing where no row says so."""
        row = self.freight_row(k, origin, destination)
        return 0.0 if row is None else float(row["cost"])

    def _to_hub(self, out: bool) -> Array:
        found = np.zeros((self.I, self.K))
        for i, node in enumerate(self.nodes):
            for k in np.flatnonzero(~self.routed):
                found[i, k] = self.freight(int(k), *((node, ZONE) if out else (ZONE, node)))
        return found

    @cached_property
    def from_node(self) -> Array:
        """Freight of pooled goods from a node to its hub (I, K)."""
        return self._to_hub(True)

    @cached_property
    def to_node(self) -> Array:
        """Freight of pooled goods from the hub to a node (I, K)."""
        return self._to_hub(False)

    @cached_property
    def import_way(self) -> tuple[Flags, Array, Array]:
        """By source and place (O, P): whether there is a way in, its freight, its capacity."""
        way, cost, most = np.zeros((self.O, self.P), dtype=bool), np.zeros((self.O, self.P)), np.full((self.O, self.P), np.inf)
        for o in range(self.O):
            k = int(self.sold[o])
            for p in range(self.P):
                if not self.is_place(k, p):
                    continue
                row = self.freight_row(k, self.seller[o], self.places[p] if self.routed[k] else ZONE)
                way[o, p] = row is not None or not self.routed[k]
                if row is not None:
                    cost[o, p] = row["cost"]
                    if self.routed[k] and row["capacity"] is not None:
                        most[o, p] = row["capacity"]
        return way, cost, most


def touches(shock: GivenRow, places: dict[str, str | Iterable[str]] | dict[str, str]) -> bool:
    """Whether a shock's product, country and facility leave these in; a host may be named by its treasury."""
    return all(shock[column] in ((wanted,) if isinstance(wanted, str) else tuple(wanted)) or shock[column] == ALL for column, wanted in places.items())


def less(a: Array, b: Array) -> Flags:
    """a < b, and not merely by rounding."""
    return np.asarray(a < b - ALIKE * np.abs(b))
