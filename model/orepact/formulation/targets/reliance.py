"""Reliance caps: no single source carries more than a share of use, at any stage, hidden upstream or not.

    Σ_{κ,o} imports_oκ · (1[κ = k, o = s] + E(κ, o → k, s)) + Σ_κ [s dominates κ] e(k, κ) r_κ (D0 − D) <= v · USE_k

E = e(k, κ) · share of s in o's feed of k (look-through); feed that no table names is the source's own. Users who moved abroad
count as relying on the dominant source.

Reads: imports, feedstock, embodied tonnes. Adds: rows per (target, source, period, normal scenario).
Assumes: partners' imports count with members'; goods keep their true origin. Source: Reg. (EU) 2024/1252, art. 5.
"""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Terms, add_goals
from orepact.formulation.targets.common import Row, denominator, gives, nodes_in, relocated, targets_of, tested, use
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_reliance(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Add reliance caps."""
    block = model.reliance = pyo.Block()
    rows, slack = {}, {}
    for target in targets_of(case, "reliance_cap"):
        k, nodes = case.world.product(target["products"][0]), nodes_in(case, target)
        for s in capped_sources(case, target):
            for t, w in tested(case, target):
                terms = relied_on(model, case, k, s, nodes, bool(target["upstream"]), t, w)
                terms.extend(use(model, case, denominator(case, target), nodes, t, w), -float(target["value"]))
                rows[target["target"], s, t, w] = (None, terms, 0.0)
                if case.rules.elastic:
                    slack[target["target"], s, t, w] = gives(model, case, target, t, w)
    add_goals(block, "cap", rows, slack)
    return block


def barred_by_caps(case: Case) -> set[tuple[int, int, int]]:
    """Where a cap forbids buying all that is on offer of a product: (product, period, scenario).

    A feed counts as short only if all of it is bought, so there it never can. Finding this before the solve matters: a solver
    would excuse plants from running by the fraction of supply that the cap lets in.
    """
    world = case.world
    barred = set()
    for target in targets_of(case, "reliance_cap") if not case.rules.elastic else []:
        k, of = world.product(target["products"][0]), denominator(case, target)
        if given(target["area"]):
            continue
        for t, w in tested(case, target):
            most = 0.0
            for kappa in np.flatnonzero(world.embodied[of] > 0):
                kept = [float(case.market.ladders[kappa].kept[l, t, w]) for l in case.rungs[int(kappa), t]]
                moved = float(world.relocated[kappa])
                most += float(world.embodied[of, kappa] * world.demand[:, kappa, t, w].sum()) * max(x + moved * (1 - x) for x in kept)
            ladder = case.market.ladders[k]
            for s in capped_sources(case, target):
                offered = sum(
                    float(world.sources[o].available[t, w])
                    for x, o in enumerate(ladder.sources)
                    if world.sources[o].country == s and all(ladder.selling[l, x, t, w] for l in case.rungs[k, t])
                )
                if offered > float(target["value"]) * most * (1 + 1e-9):
                    barred.add((k, t, w))
    return barred


def capped_sources(case: Case, target: Row) -> list[str]:
    """Countries a cap applies to: the one named, or every seller and every origin of feed behind the product."""
    if target["source_country"] != ALL:
        return [target["source_country"]]
    world = case.world
    behind = {world.products[j] for j in np.flatnonzero(world.embodied[world.product(target["products"][0])] > 0)}
    sellers = [s.country for s in world.sources if world.products[s.product] in behind]
    origins = [r["origin"] for r in world.tables["feedstock"] if r["product"] in behind]
    return list(dict.fromkeys(sellers + origins))


def embodied_share(case: Case, o: int, k: int, s: str) -> float:
    """Tonnes of k from country s in a tonne that source o sells."""
    world, source = case.world, case.world.sources[o]
    if source.product == k:
        return 1.0 if source.country == s else 0.0
    named = {
        r["origin"]: float(r["share"])
        for r in world.tables["feedstock"]
        if r["country"] == source.country and r["product"] == world.products[source.product] and r["feed"] == world.products[k]
    }
    own = 1.0 - sum(named.values()) if source.country == s else 0.0
    return float(world.embodied[k, source.product]) * (named.get(s, 0.0) + own)


def relied_on(model: pyo.ConcreteModel, case: Case, k: int, s: str, nodes: list[int], upstream: bool, t: int, w: int) -> Terms:
    """Tonnes of k that come from country s, directly or inside other goods, and use that moved to where it dominates."""
    world, terms = case.world, Terms()
    for o, source in enumerate(world.sources):
        amount = embodied_share(case, o, k, s) if upstream or source.product == k else 0.0
        if amount > 0:
            for p in sorted({case.place(i, source.product) for i in nodes}):
                if (o, p, t, w) in model.imports.amount:
                    terms.add(amount, model.imports.amount[o, p, t, w])
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        if world.dominant[kappa] == s:
            terms.extend(relocated(model, case, int(kappa), nodes, t, w), float(world.embodied[k, kappa]))
    return terms
