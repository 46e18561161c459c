"""Plants, for the verifier: what each could make when, and how many tonnes of a product stand behind a tonne of another.

A (F, S, T, W): output per tonne of capacity of a plant that starts in period s (existing plants: s = 0), ramp, life and shocks
included. B: share of the period after first output and within life. `tested`: lenders look at it.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from orepact.solution.verification.facts import Facts, touches
from orepact.solution.verification.timeline import Array, Flags


class Plants:
    """See the module's first lines; other arrays are (F,) unless said otherwise."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        rows = facts.rows["facilities"]
        self.codes = [r["facility"] for r in rows]
        self.index = {code: f for f, code in enumerate(self.codes)}
        self.F = len(rows)
        self.country = [r["country"] for r in rows]
        self.node = np.array([facts.node[c] for c in self.country], dtype=int)
        self.group = [r["group"] for r in rows]
        self.candidate = np.array([r["status"] == "candidate" for r in rows], dtype=bool)

        def column(name: str, blank: float = 0.0) -> Array:
            return np.array([blank if r[name] is None else r[name] for r in rows], dtype=float)

        self.capacity, self.premium, self.hurdle = column("capacity"), column("quality_premium"), column("hurdle_rate")
        self.foreign, self.availability = column("foreign_share"), column("availability")
        self.ramp, self.life, self.lead = column("ramp_up"), column("lifetime"), column("lead_time")
        self.opening, self.retirement = column("opening_year", -np.inf), column("retirement_year", np.inf)
        self.earliest, self.latest = column("earliest_start", -np.inf), column("latest_start", np.inf)
        self.capex = np.where(self.candidate, column("capex"), 0.0)
        self._processes([r["process"] for r in rows], column("opex"))
        self._timing()

    def _processes(self, process: list[str], opex: Array) -> None:
        facts = self.facts
        activities = {r["process"]: set(r["activities"]) for r in facts.rows["processes"]}
        self.activities = [activities[code] for code in process]
        flows: dict[str, Array] = {}
        marked: dict[str, int] = {}
        for r in facts.rows["process_flows"]:
            k = facts.product[r["product"]]
            flows.setdefault(r["process"], np.zeros(facts.K))[k] = r["amount"]
            if r["main"]:
                marked[r["process"]] = k
        self.a = np.array([flows[code] for code in process]).reshape(self.F, facts.K)
        """Tonnes of each product per tonne of main output (F, K); inputs negative."""
        worth = facts.pi[:, :, facts.ref].mean(axis=1)

        def main(code: str) -> int:
            if code in marked:
                return marked[code]
            outputs = [k for k in range(facts.K) if flows[code][k] > 0]
            return max(outputs, key=lambda k: (flows[code][k] * worth[k], flows[code][k] == 1.0))

        self.main = np.array([main(code) for code in process], dtype=int)
        materials: dict[str, Array] = {}
        for r in facts.rows["process_materials"]:
            price = facts.plain_series("raw_materials", "price", {"material": r["material"]})
            materials[r["process"]] = materials.get(r["process"], np.zeros(facts.T)) + r["amount"] * price
        self.opex = opex[:, None] + np.array([materials.get(code, np.zeros(facts.T)) for code in process]).reshape(self.F, facts.T)
        """Cash cost without products (F, T)."""

    def _timing(self) -> None:
        facts, time = self.facts, self.facts.time
        delay, factor = np.zeros((self.F, facts.W)), np.ones((self.F, facts.W, len(time.years)))
        for w, shocks in enumerate(facts.shocks):
            for s in shocks:
                if s["kind"] not in ("delay", "output"):
                    continue
                for f in range(self.F):
                    host = self.country[f], facts.treasury[self.country[f]]
                    if touches(s, {"product": facts.products[self.main[f]], "country": host, "facility": self.codes[f]}):
                        if s["kind"] == "delay":
                            delay[f, w] += s["value"] if self.candidate[f] else 0.0
                        else:
                            factor[f, w, time.active(s)] *= s["value"]
        decided = np.where(self.candidate[:, None], time.start[None, :], time.start[0])
        self.may_start = self.candidate[:, None] & (decided >= self.earliest[:, None]) & (decided <= self.latest[:, None])
        self.may_start &= decided + self.lead[:, None] < time.finish[-1]
        self.may_start[:, 0] |= ~self.candidate
        """Starts that are allowed (F, S); existing plants: the first."""
        self.begin = np.where(self.candidate[:, None, None], decided[:, :, None] + self.lead[:, None, None] + delay[:, None, :], self.opening[:, None, None])
        """First output (F, S, W)."""
        self.end = np.where(self.candidate[:, None, None], self.begin + self.life[:, None, None], self.retirement[:, None, None])
        self.factor = self.availability[:, None, None] * np.einsum("fwy,ty->ftw", factor, time.average)
        may = self.may_start[:, :, None, None]
        self.A = np.where(may, self.factor[:, None] * self.ramped(self.begin, self.end), 0.0)
        low, high = self._overlap(self.begin, self.end)
        self.B = np.where(may, (high - low) / time.length[:, None], 0.0)
        first = np.maximum(time.start[:, None], self.begin[:, :, None, :])
        self.tested = (self.B > 0) & (first >= self.begin[:, :, None, :] + self.ramp[:, None, None, None])

    def _overlap(self, begin: Array, end: Array) -> tuple[Array, Array]:
        time = self.facts.time
        low = np.maximum(time.start[:, None], begin[:, :, None, :])
        return low, np.maximum(low, np.minimum(time.finish[:, None], end[:, :, None, :]))

    def ramped(self, begin: Array, end: Array) -> Array:
        """Share of full output in each period between `begin`, from where it ramps up, and `end` (F, S, T, W)."""
        return self.ramped_since(begin, begin, end)

    def ramped_since(self, opening: Array, begin: Array, end: Array) -> Array:
        """The same for the part of a plant's life between `begin` and `end`."""
        low, high = self._overlap(begin, end)
        ramp = self.ramp[:, None, None, None]
        rising = (ramp > 0) & np.isfinite(opening)[:, :, None, :]
        since = np.where(np.isfinite(opening), opening, 0.0)[:, :, None, :]
        safe = np.where(ramp > 0, ramp, 1.0)

        def made(age: Array) -> Array:
            return np.where(age < safe, age * age / (2 * safe), age - safe / 2)

        years = np.where(rising, made(high - since) - made(low - since), high - low)
        return np.asarray(np.where(high > low, years, 0.0) / self.facts.time.length[:, None])

    def in_window(self, window: float | None) -> Array:
        """A of the years a contract covers, counted from first output (or the horizon's first year) (F, S, T, W)."""
        if window is None:
            return self.A
        start = float(self.facts.time.start[0])
        begin = np.where(self.candidate[:, None, None], self.begin, np.maximum(self.begin, start))
        share = self.ramped_since(self.begin, begin, np.minimum(self.end, begin + window))
        return np.asarray(np.where(self.may_start[:, :, None, None], self.factor[:, None] * share, 0.0))

    @cached_property
    def most(self) -> Array:
        """The most each plant could make at any allowed start (F, T, W), t/a."""
        return np.asarray(self.capacity[:, None, None] * self.A.max(axis=1, initial=0.0))

    def margin(self, price: Array) -> Array:
        """Price less cash cost per tonne of main output (F, T, W) at zone prices (K, T, W)."""
        return np.asarray(np.einsum("fk,ktw->ftw", self.a, price) + self.premium[:, None, None] - self.opex[:, :, None])

    def gross(self, price: Array) -> Array:
        """Size of what a margin is made of (F, T, W)."""
        return np.asarray(np.einsum("fk,ktw->ftw", np.abs(self.a), price) + np.abs(self.opex)[:, :, None] + self.premium[:, None, None])

    @cached_property
    def e(self) -> Array:
        """Tonnes of product k embodied in a tonne of κ (K, K)."""
        facts, recipe = self.facts, np.zeros((self.facts.K, self.facts.K))
        for j in range(facts.K):
            makers = self.main == j
            if makers.any():
                recipe[:, j] = np.average(np.maximum(-self.a[makers], 0.0), axis=0, weights=self.capacity[makers])
        found = np.linalg.solve(np.eye(facts.K) - recipe, np.eye(facts.K))
        found[np.abs(found) < 1e-12] = 0.0
        np.fill_diagonal(found, 1.0)
        for r in facts.rows["embodied"]:
            found[facts.product[r["product"]], facts.product[r["within"]]] = r["amount"]
        np.fill_diagonal(found, 1.0)
        return np.asarray(found)

    @cached_property
    def chain(self) -> list[set[int]]:
        """Chain of each product: products joined by plants' processes."""
        chains = [{k} for k in range(self.facts.K)]
        for row in self.a:
            joined = {int(k) for k in np.flatnonzero(row)}
            merged = set().union(joined, *(c for c in chains if c & joined))
            chains = [c for c in chains if not c & joined] + ([merged] if merged else [])
        return [next(c for c in chains if k in c) for k in range(self.facts.K)]

    @cached_property
    def feed_is_cut(self) -> Flags:
        """Whether something a plant needs, at any stage before it, is scarcer than in the reference scenario (F, T, W)."""
        facts, ref = self.facts, self.facts.ref
        scarcer = np.zeros((facts.K, facts.T, facts.W), dtype=bool)
        for o in range(facts.O):
            scarcer[facts.sold[o]] |= facts.available[o] < facts.available[o][:, [ref]] * (1 - 1e-9)
        fewer = np.any(self.A < self.A[..., [ref]] * (1 - 1e-9), axis=1)
        for k in range(facts.K):
            scarcer[k] |= fewer[self.a[:, k] > 0].any(axis=0)
        before = (self.e > 0).astype(int)
        needs = (before @ (self.a < 0).T.astype(int)) > 0  # (K, F)
        return np.asarray(np.einsum("kf,ktw->ftw", needs.astype(int), scarcer.astype(int)) > 0)
