"""How secure the zone is: every target and cap with what is reached, and reliance on each source at every stage.

Targets are measured with the expressions that the formulation itself asks for. Reliance covers many more products and
scenarios than the caps do, so it is worked out on arrays, by the same definition (formulation/targets/reliance.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from orepact.formulation.targets.common import denominator, nodes_in, tested, use
from orepact.formulation.targets.outage import losses, remaining, stages
from orepact.formulation.targets.reliance import capped_sources, embodied_shares, relied_on
from orepact.formulation.targets.shares import activity_output, zone_supply
from orepact.formulation.terms import IntArray
from orepact.instance.schema import ALL
from orepact.market.horizon import Array
from orepact.market.shocks import given
from orepact.solution.extraction.outturn import Outturn

Row = dict[str, Any]
Measured = dict[tuple[str, int, int], float]
"""What is reached, by case, period and scenario."""

BINDING = 1e-6
"""Room that counts as none, relative to what is asked (at least 1)."""


def targets(out: Outturn, before: Outturn | None) -> Iterator[Row]:
    """Every target and cap, in every case, period and normal scenario that it covers."""
    world = out.world
    for target in world.tables["targets"]:
        value, is_cap = float(target["value"]), target["kind"] == "reliance_cap"
        former = {} if before is None else measured(before, target)
        for (case, t, w), achieved in measured(out, target).items():
            slack = value - achieved if is_cap else achieved - value
            yield {
                "target": target["target"],
                "kind": target["kind"],
                "products": ";".join(target["products"]),
                "area": target["area"] if given(target["area"]) else "",
                "case": case,
                "first_year": int(world.horizon.start[t]),
                "scenario": world.scenarios[w],
                "value": value,
                "achieved": achieved,
                "slack": slack,
                "before": former.get((case, t, w)),
                "binding": slack <= BINDING * max(1.0, value),
            }


def measured(out: Outturn, target: Row) -> Measured:
    """What a plan reaches: shares of use, or days. Where there is no use, a target counts as just met and a cap as untouched."""
    model, case, nodes = out.plan.built.model, out.case, nodes_in(out.case, target)
    untouched = 0.0 if target["kind"] == "reliance_cap" else float(target["value"])
    t, w = tested(case, target)
    used = use(model, case, denominator(case, target), nodes, t, w).value(out.plan.values)
    reached = {name: np.where(used > 0, amount / np.where(used > 0, used, 1.0), untouched) for name, amount in _reached(out, target, nodes, t, w)}
    cells = list(zip(t.tolist(), w.tolist(), strict=True))
    return {(name, *cell): float(share[n]) for n, cell in enumerate(cells) for name, share in reached.items()}


def _reached(out: Outturn, target: Row, nodes: list[int], t: IntArray, w: IntArray) -> Iterator[tuple[str, Array]]:
    """Tonnes (for days of stock: times 365) that count towards a target in every cell, by case."""
    model, case, values = out.plan.built.model, out.case, out.plan.values
    k, upstream = case.world.product(target["products"][0]), bool(target["upstream"])
    match target["kind"]:
        case "zone_share":
            yield "", zone_supply(model, case, target, t, w).value(values)
        case "activity_share":
            yield "", activity_output(model, case, target, t, w).value(values)
        case "reliance_cap":
            for source in capped_sources(case, target):
                yield source, relied_on(model, case, k, source, nodes, upstream, t, w).value(values)
        case "n_minus_1":
            for name, lost in losses(case, target).items():
                left = [remaining(model, case, target, lost, kappa, t, w).value(values) for kappa in stages(case, k, upstream)]
                yield name, np.min(left, axis=0)
        case _:
            held = {case.world.product(p) for p in target["products"]}
            sites = [s for s, site in enumerate(case.world.stock_sites) if site.product in held and (site.node < 0 or site.node in nodes)]
            yield "", 365.0 * out.level[sites][:, t, w].sum(axis=0)


def outages(out: Outturn, before: Outturn | None) -> Iterator[Row]:
    """What could still be covered, product by product, if any one country or named group were lost; reference scenario."""
    world, w = out.world, out.world.reference
    groups = sorted({r["group"] for r in world.tables["groups"]})
    for k, product in enumerate(world.products):
        target = {"products": (product,), "outage_years": None, "outage": (ALL,)}
        lost = losses(out.case, target) | losses(out.case, {**target, "outage": groups})
        shares = [_left(each, target, lost, k, w) for each in (out, before) if each is not None]
        for t, year in enumerate(world.horizon.start.tolist()):
            for name in lost if t in shares[0] else ():
                yield {
                    "product": product,
                    "lost": name,
                    "first_year": year,
                    "left_share": shares[0][t][name],
                    "before_left_share": shares[1].get(t, {}).get(name) if len(shares) > 1 else None,
                }


def _left(out: Outturn, target: Row, lost: dict[str, set[str]], k: int, w: int) -> dict[int, dict[str, float]]:
    """Supply left over use, by period and what is lost; nothing where there is no use, or no solution."""
    model, case, values = out.plan.built.model, out.case, out.plan.values
    if w not in case.scenarios:
        return {}
    t = np.arange(len(case.periods))
    used = use(model, case, k, list(range(len(case.world.nodes))), t, np.full_like(t, w)).value(values)
    left = {name: remaining(model, case, target, codes, k, t, np.full_like(t, w)).value(values) for name, codes in lost.items()}
    return {int(n): {name: float(amount[n] / used[n]) for name, amount in left.items()} for n in np.flatnonzero(used > 0)}


def reliance(out: Outturn, before: Outturn | None) -> dict[str, Any]:
    """Reliance of the zone, and of each member on routed products, on every source that counts; as columns."""
    world, shown = out.world, list(out.scenarios)
    names = ("direct_share", "look_through_share", "before_direct_share", "before_look_through_share")[: 4 if before else 2]
    spots = world.horizon.periods * len(shown)
    columns: dict[str, list[Any]] = {name: [] for name in ("product", "area", "source", "first_year", "scenario", *names)}
    for k, product in enumerate(world.products):
        for area in ["", *(world.nodes[: world.members] if world.routed[k] else ())]:
            nodes = [world.nodes.index(area)] if area else list(range(len(world.nodes)))
            for source in capped_sources(out.case, {"source_country": ALL, "products": [product]}):
                shares = [*relied_shares(out, k, source, nodes), *(_known(before, relied_shares(before, k, source, nodes)) if before else ())]
                if any(np.nan_to_num(share).any() for share in shares):
                    columns["product"] += [product] * spots
                    columns["area"] += [area] * spots
                    columns["source"] += [source] * spots
                    columns["first_year"] += np.repeat(world.horizon.start, len(shown)).tolist()
                    columns["scenario"] += [world.scenarios[w] for w in shown] * world.horizon.periods
                    for name, share in zip(names, shares, strict=True):
                        columns[name] += share[:, shown].ravel().tolist()
    return columns


def _known(out: Outturn, shares: tuple[Array, Array]) -> list[Array]:
    """Shares with NaN in scenarios that have no solution."""
    solved = np.isin(np.arange(len(out.world.scenarios)), out.scenarios)
    return [np.where(solved, share, np.nan) for share in shares]


def relied_shares(out: Outturn, k: int, source: str, nodes: list[int]) -> tuple[Array, Array]:
    """Direct and look-through reliance of an area on a source of product k (T, W); zero where nothing is used."""
    world, case = out.world, out.case
    direct, through = np.zeros_like(world.price[k]), np.zeros_like(world.price[k])
    embodied = embodied_shares(case, k, [source], True)[0]
    for o in np.flatnonzero(embodied > 0).tolist():
        product = world.sources[o].product
        arrived = out.imports[o][sorted({case.place(i, product) for i in nodes})].sum(axis=0)
        through += embodied[o] * arrived
        if product == k:
            direct += arrived
    used = np.zeros_like(through)
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        wanted, kept = world.demand[nodes, kappa].sum(axis=0), out.kept[kappa]
        moved = world.relocated[kappa] * (1 - kept) * wanted
        used += world.embodied[k, kappa] * (kept * wanted + moved)
        if world.dominant[kappa] == source:
            through += world.embodied[k, kappa] * moved
    return _over(direct, used), _over(through, used)


def _over(amount: Array, used: Array) -> Array:
    return np.asarray(np.divide(amount, used, out=np.zeros_like(amount), where=used > 0))
