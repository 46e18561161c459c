"""The stored plan as arrays, read from its tables; what can't be read, is there twice or is missing is a violation of `rows`.

Indices as in facts.py and plants.py. Amounts in t/a, money in USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orepact.solution.schema import EXPECTED
from orepact.solution.verification.facts import Facts
from orepact.solution.verification.findings import Findings
from orepact.solution.verification.ladders import Ladder
from orepact.solution.verification.plants import Plants
from orepact.solution.verification.timeline import Array, Flags

Index = NDArray[np.int64]
Codes = Mapping[Any, int]

SIDES = ("made", "used", "imports", "trade_in", "trade_out", "shortage", "release", "demand", "purchases", "exports", "glut", "overflow")
"""Columns of the balance."""

WAYS_OUT = ("export", "glut", "overflow")
INSIDE = {
    (True, True): "between_members",
    (True, False): "member_to_partner",
    (False, True): "partner_to_member",
    (False, False): "between_partners",
}
"""Kinds of flow inside the zone, by whether members sell and buy."""


class Stored:
    """See the module's first lines."""

    def __init__(self, facts: Facts, plants: Plants, ladders: Sequence[Ladder], tables: Mapping[str, pd.DataFrame], planner: bool, findings: Findings) -> None:
        self.facts, self.plants, self.ladders, self.planner, self.findings = facts, plants, ladders, planner, findings
        self.tables = tables
        self.place = {code: p for p, code in enumerate(facts.places)}
        self.member = {code: m for m, code in enumerate(facts.members)}
        self._shown()
        self._path()
        self._plants()
        self._offers()
        self._output()
        self._flows()
        self._balance()
        self._stock()

    # -- reading --------------------------------------------------------------------------------------------------

    def numbers(self, table: str, column: str) -> Array:
        """A column of numbers, NaN where blank."""
        return self.tables[table][column].to_numpy(dtype=float, na_value=np.nan)

    def rows(self, table: str, unique: bool = True, **columns: Codes) -> tuple[Index, ...]:
        """The rows of a table whose codes are all known: their numbers, then the index of every column asked for.

        Rows with another code, and rows that repeat a key, are reported and left out.
        """
        frame = self.tables[table]
        found = [np.array([codes.get(cell, -1) for cell in frame[name].tolist()], dtype=np.int64) for name, codes in columns.items()]
        good = np.ones(len(frame), dtype=bool)
        for name, index in zip(columns, found, strict=True):
            for n in np.flatnonzero(index < 0)[:20]:
                self.findings.wrong("rows", f"{table}.csv, row {n + 2}, {name}", str(frame[name].iloc[n]), "a code of the instance")
            good &= index >= 0
        if unique and len(frame):
            key = np.stack(found)
            _, first = np.unique(key, axis=1, return_index=True)
            again = np.ones(len(frame), dtype=bool)
            again[first] = False
            for n in np.flatnonzero(again & good)[:20]:
                self.findings.wrong("rows", f"{table}.csv, row {n + 2}", "repeats the key of another row", "one row")
            good &= ~again
        self.findings.tallies["rows"].rows += int(good.sum())
        numbers = np.flatnonzero(good)
        return (numbers, *(index[numbers] for index in found))

    def amounts(self, table: str, column: str, numbers: Index, may_be_negative: bool = False) -> Array:
        """Numbers of some rows; blank or (unless it may be) negative ones are reported and read as zero."""
        cells = self.numbers(table, column)[numbers]
        bad = ~np.isfinite(cells) if may_be_negative else ~(cells >= 0)
        for n in np.flatnonzero(bad)[:20]:
            self.findings.wrong("rows", f"{table}.csv, row {numbers[n] + 2}, {column}", float(cells[n]), "a number" if may_be_negative else "not negative")
        return np.where(bad, 0.0, cells)

    @property
    def periods(self) -> Codes:
        """Period by first year."""
        return self.facts.time.index

    # -- tables ---------------------------------------------------------------------------------------------------

    def _shown(self) -> None:
        """Scenarios that the run has a solution of (W,)."""
        facts = self.facts
        self.scenario_row, index = self.rows("scenarios", scenario=facts.scenario)
        self.scenario_at = index
        self.shown: Flags = np.zeros(facts.W, dtype=bool)
        self.shown[index] = True
        for w in np.flatnonzero(facts.modelled & ~self.shown):
            self.findings.wrong("rows", f"scenarios.csv, {facts.scenarios[w]}", "missing", "one row")

    def _path(self) -> None:
        """Weights of rungs (L, T) per product."""
        facts, table = self.facts, "rung_mix" if self.planner else "rungs"
        numbers, k, t = self.rows(table, not self.planner, product=facts.product, first_year=self.periods)
        codes = self.tables[table]["rung"].to_numpy()[numbers]
        shares = self.amounts(table, "weight", numbers) if self.planner else np.ones(len(numbers))
        self.weights = [np.zeros(ladder.offered.shape) for ladder in self.ladders]
        self.rung = np.full((facts.K, facts.T), -1)
        self.rung_row = np.full((facts.K, facts.T), -1)
        for n, product, period, code, share in zip(numbers, k, t, codes, shares, strict=True):
            number = self.ladders[product].number.get(code)
            if number is None:
                self.findings.wrong("rows", f"{table}.csv, row {n + 2}, rung", str(code), f"a rung of {facts.products[product]}")
                continue
            self.weights[product][number, period] += share
            self.rung[product, period], self.rung_row[product, period] = number, n
        for product, period in np.argwhere(self.rung < 0):
            self.findings.wrong("rows", f"{table}.csv, {facts.products[product]}, {int(facts.time.start[period])}", "missing", "a rung")
            self.weights[product][0, period] = 1.0
        self.rung = np.maximum(self.rung, 0)

    def _plants(self) -> None:
        plants, _facts = self.plants, self.facts
        numbers, f = self.rows("facilities", facility=plants.index)
        self.facility_row = np.full(plants.F, -1)
        self.facility_row[f] = numbers
        for missing in np.flatnonzero(self.facility_row < 0):
            self.findings.wrong("rows", f"facilities.csv, {plants.codes[missing]}", "missing", "one row")
        self.stands: Flags = ~plants.candidate
        self.stands = self.stands.copy()
        self.start = np.zeros(plants.F, dtype=np.int64)
        years = self.numbers("facilities", "start_year")
        built = self.tables["facilities"]["built"].to_numpy(dtype=bool)
        for n, plant in zip(numbers, f, strict=True):
            name = f"facilities.csv, {plants.codes[plant]}"
            if not plants.candidate[plant]:
                self.findings.holds("starts", name, built[n] and np.isnan(years[n]), (), stated="not built, or built in a year", derived="an existing plant")
                continue
            if not built[n]:
                self.findings.holds("starts", name, np.isnan(years[n]), (), stated=str(years[n]), derived="no start: it is not built")
                continue
            tau = None if np.isnan(years[n]) else self.periods.get(int(years[n]))
            if tau is None:
                self.findings.wrong("starts", name, str(years[n]), "the first year of a period")
                continue
            self.stands[plant], self.start[plant] = True, tau
        self.A = plants.A[np.arange(plants.F), self.start] * self.stands[:, None, None]
        """Output per capacity at the start chosen (F, T, W); 0 where a plant doesn't stand."""
        self.B = plants.B[np.arange(plants.F), self.start] * self.stands[:, None, None]

    def _offers(self) -> None:
        """Parts of plants' plans, one per row of `offers`: plant, contract (-1: none), payer (-1: nobody), weight, volume, grant."""
        contracts = {"": -1} | {r["contract"]: n for n, r in enumerate(self.facts.rows["contracts"])}
        shifted = {code: n + 1 for code, n in contracts.items()}
        payers = {"": 0} | {code: m + 1 for code, m in self.member.items()}
        numbers, f, n, m = self.rows("offers", facility=self.plants.index, contract=shifted, payer=payers)
        self.offer_row, self.offer_plant, self.offer_contract, self.offer_payer = numbers, f, n - 1, m - 1
        self.weight = self.amounts("offers", "weight", numbers)
        self.volume = self.amounts("offers", "volume_t_a", numbers)
        self.grant = self.amounts("offers", "grant_usd", numbers)

    def _output(self) -> None:
        facts, plants = self.facts, self.plants
        numbers, f, t, w = self.rows("output", facility=plants.index, first_year=self.periods, scenario=facts.scenario)
        shape = (plants.F, facts.T, facts.W)
        self.output, self.idle = np.zeros(shape), np.zeros(shape)
        self.output_at = (f, t, w)
        self.output_row = numbers
        self.output[f, t, w] = self.amounts("output", "output_t_a", numbers)
        self.idle[f, t, w] = self.amounts("output", "idle_t_a", numbers)
        there = np.zeros(shape, dtype=bool)
        there[f, t, w] = True
        wanted = (self.A > 0) & self.shown
        names = (plants.codes, facts.time.start.astype(int).tolist(), facts.scenarios)
        self.findings.holds("rows", "output.csv", there, names, wanted, "missing", "one row")
        self.findings.holds("rows", "output.csv", ~there, names, ~wanted & there, "there", "no row: the plant can't make anything")

    def _flows(self) -> None:
        facts = self.facts
        frame = self.tables["flows"]
        kinds = {kind: n for n, kind in enumerate(("import", *WAYS_OUT, *INSIDE.values()))}
        numbers, k, kind, t, w = self.rows("flows", False, product=facts.product, kind=kinds, first_year=self.periods, scenario=facts.scenario)
        amount = self.amounts("flows", "amount_t_a", numbers)
        origins, destinations = frame["origin"].to_numpy()[numbers], frame["destination"].to_numpy()[numbers]
        a = np.array([self.place.get(code, -1) for code in origins], dtype=np.int64)
        b = np.array([self.place.get(code, -1) for code in destinations], dtype=np.int64)
        o = np.array([facts.source.get((origin, facts.products[product]), -1) for origin, product in zip(origins, k, strict=True)], dtype=np.int64)
        valid = np.zeros((facts.K, facts.P + 1), dtype=bool)  # the last: not a place
        for product in range(facts.K):
            valid[product, : facts.P] = [facts.is_place(product, p) for p in range(facts.P)]
        importing, leaving = kind == 0, (kind >= 1) & (kind <= len(WAYS_OUT))
        good = np.where(importing, (o >= 0) & valid[k, b], valid[k, a] & np.where(leaving, destinations == "", valid[k, b] & (a != b)))
        for n in np.flatnonzero(~good)[:20]:
            self.findings.wrong("rows", f"flows.csv, row {numbers[n] + 2}", f"{origins[n]} to {destinations[n]}", f"ends that {facts.products[k[n]]} can have")
        amount = np.where(good, amount, 0.0)
        keys = np.stack([k, kind, np.where(importing, o, a), b, t, w])
        again = len(keys[0]) - np.unique(keys, axis=1).shape[1] if len(numbers) else 0
        if again:
            self.findings.wrong("rows", "flows.csv", f"{again} rows repeat the key of another", "one row each")
        spots = (facts.K, facts.P, facts.T, facts.W)
        self.flow_row, self.flow_product, self.flow_kind, self.flow_t, self.flow_w = numbers, k, kind, t, w
        self.flow_from, self.flow_to, self.flow_source, self.flow_amount = a, b, o, amount
        self.flow_importing, self.flow_leaving, self.flow_good = importing & good, leaving & good, good
        self.imports = np.zeros((facts.O, facts.P, facts.T, facts.W))
        at = self.flow_importing
        np.add.at(self.imports, (o[at], b[at], t[at], w[at]), amount[at])
        self.out: dict[str, Array] = {}
        for number, way in enumerate(WAYS_OUT, start=1):
            at = (kind == number) & good
            self.out[way] = np.zeros(spots)
            np.add.at(self.out[way], (k[at], a[at], t[at], w[at]), amount[at])
        self.flow_inside = at = ~importing & ~leaving & good
        self.moved_in, self.moved_out = np.zeros(spots), np.zeros(spots)
        np.add.at(self.moved_out, (k[at], a[at], t[at], w[at]), amount[at])
        np.add.at(self.moved_in, (k[at], b[at], t[at], w[at]), amount[at])
        names = list(kinds)
        for n in np.flatnonzero(at):
            should = INSIDE[bool(facts.is_member[a[n]]), bool(facts.is_member[b[n]])]
            if names[kind[n]] != should:
                self.findings.wrong("rows", f"flows.csv, row {numbers[n] + 2}, kind", names[kind[n]], should)

    def _balance(self) -> None:
        facts = self.facts
        numbers, k, p, t, w = self.rows("balance", product=facts.product, node=self.place, first_year=self.periods, scenario=facts.scenario)
        self.sides = {side: np.zeros((facts.K, facts.P, facts.T, facts.W)) for side in SIDES}
        for side in SIDES:
            self.sides[side][k, p, t, w] = self.amounts("balance", side, numbers)
        self.shortage = self.sides["shortage"]

    def _stock(self) -> None:
        facts = self.facts
        rows = facts.rows["stockpiles"]
        self.sites = {(r["product"], r["country"]): s for s, r in enumerate(rows)}
        self.site_product = np.array([facts.product[r["product"]] for r in rows], dtype=np.int64)
        self.site_node = np.array([facts.node.get(r["country"], -1) for r in rows], dtype=np.int64)
        self.site_place = np.where(self.site_node >= 0, self.site_node, facts.hub_members)
        pair = list(zip(self.tables["stock"]["product"].tolist(), self.tables["stock"]["country"].tolist(), strict=True))
        s = np.array([self.sites.get(each, -1) for each in pair], dtype=np.int64)
        numbers, t, w = self.rows("stock", False, first_year=self.periods, scenario=facts.scenario)
        known = s[numbers] >= 0
        for n in numbers[~known][:20]:
            self.findings.wrong("rows", f"stock.csv, row {n + 2}", " ".join(pair[n]), "a stock of the instance")
        numbers, t, w, s = numbers[known], t[known], w[known], s[numbers[known]]
        shape = (len(rows), facts.T, facts.W)
        count = np.zeros(shape, dtype=int)
        np.add.at(count, (s, t, w), 1)
        self.level, self.bought, self.released = (np.zeros(shape) for _ in range(3))
        for array, column in ((self.level, "level_t"), (self.bought, "purchase_t_a"), (self.released, "release_t_a")):
            array[s, t, w] = self.amounts("stock", column, numbers)
        self.site_names = [f"{r['product']} {r['country']}" for r in rows]
        names = (self.site_names, facts.time.start.astype(int).tolist(), facts.scenarios)
        self.findings.holds("rows", "stock.csv", count == 1, names, np.broadcast_to(self.shown, shape), "missing or twice", "one row")

    # -- names of rows --------------------------------------------------------------------------------------------

    @property
    def years(self) -> list[int]:
        """First years of the periods."""
        return [int(year) for year in self.facts.time.start]

    def with_expected(self) -> Codes:
        """Scenarios by code, and after them the mean."""
        return self.facts.scenario | {EXPECTED: self.facts.W}
