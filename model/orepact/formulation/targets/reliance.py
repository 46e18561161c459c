"""Reliance caps: no single source carries more than a share of use, at any stage, hidden upstream or not.

    Σ_{κ,o} imports_oκ · (1[κ = k, o = s] + E(κ, o → k, s)) + Σ_κ [s dominates κ] e(k, κ) r_κ (D0 − D) <= v · USE_k

E = e(k, κ) · share of s in o's feed of k (look-through); feed that no table names is the source's own. Users who moved abroad
count as relying on the dominant source.

Reads: imports, feedstock, embodied tonnes. Adds: rows per (target, source, period, normal scenario).
Assumes: partners' imports count with members'; goods keep their true origin. Source: Reg. (EU) 2024/1252, art. 5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.targets.common import Goals, Row, add_relocated, asked, available, denominator, nodes_in
from orepact.formulation.terms import FloatArray, IntArray, Numbers, Terms
from orepact.instance.schema import ALL
from orepact.market.shocks import given


def add_reliance(model: Model, case: Case) -> Block:
    """Add reliance caps."""
    block, goals = model.block("reliance"), Goals(model, case)
    for target, t, w in asked(case, "reliance_cap"):
        k, sources = case.world.product(target["products"][0]), capped_sources(case, target)
        goals.add(target, _relied(model, case, k, sources, nodes_in(case, target), bool(target["upstream"]), t, w), t, w, np.array(sources)[:, None])
    goals.rows(block, "cap", None, 0.0)
    return block


def barred_by_caps(case: Case) -> NDArray[np.bool_]:
    """Where a cap forbids buying all that is on offer of a product (K, T, W).

    A feed counts as short only if all of it is bought, so there it never can. Finding this before the solve matters: a solver
    would excuse plants from running by the fraction of supply that the cap lets in.
    """
    world = case.world
    barred = np.zeros(world.price.shape, dtype=bool)
    for target, t, w in asked(case, "reliance_cap") if not case.rules.elastic else ():
        if given(target["area"]):
            continue
        k = world.product(target["products"][0])
        always = (case.market.ladders[k].selling | ~case.played[k][:, None, :, None]).all(axis=0)
        country = np.array([world.sources[o].country for o in case.market.ladders[k].sources], dtype=object)
        own = np.array(capped_sources(case, target), dtype=object)[:, None] == country
        offered = np.tensordot(own.astype(float), always * available(case, k), axes=1).max(axis=0, initial=0.0)
        barred[k, t, w] |= (offered > float(target["value"]) * _most_use(case, denominator(case, target)) * (1 + 1e-9))[t, w]
    return barred


def _most_use(case: Case, k: int) -> FloatArray:
    """USE of product k in the zone at the rungs in play that keep most of it (T, W)."""
    world, most = case.world, np.zeros(case.span)
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        kept, moved = case.market.ladders[kappa].kept, float(world.relocated[kappa])
        staying = np.where(case.played[kappa][:, :, None], kept + moved * (1 - kept), 0.0)
        most += world.embodied[k, kappa] * world.demand[:, kappa].sum(axis=0) * staying.max(axis=0)
    return most


def capped_sources(case: Case, target: Row) -> list[str]:
    """Countries a cap applies to: the one named, or every seller and every origin of feed behind the product."""
    if target["source_country"] != ALL:
        return [target["source_country"]]
    world = case.world
    behind = {world.products[j] for j in np.flatnonzero(world.embodied[world.product(target["products"][0])] > 0)}
    sellers = [s.country for s in world.sources if world.products[s.product] in behind]
    origins = [r["origin"] for r in world.tables["feedstock"] if r["product"] in behind]
    return list(dict.fromkeys(sellers + origins))


def _named_feed(case: Case, k: int) -> dict[tuple[str, str], dict[str, float]]:
    """Shares of the origins that are named of the k in what a country makes of it, by country and product."""
    named: dict[tuple[str, str], dict[str, float]] = {}
    for r in case.world.tables["feedstock"]:
        if r["feed"] == case.world.products[k]:
            named.setdefault((r["country"], r["product"]), {})[r["origin"]] = float(r["share"])
    return named


def _origins(case: Case, o: int, k: int, named: dict[tuple[str, str], dict[str, float]]) -> dict[str, float]:
    """Tonnes of k in a tonne that source o sells, by the country they come from."""
    world, source = case.world, case.world.sources[o]
    if source.product == k:
        return {source.country: 1.0}
    found = dict(named.get((source.country, world.products[source.product]), {}))
    found[source.country] = found.get(source.country, 0.0) + 1.0 - sum(found.values())
    return {country: float(world.embodied[k, source.product]) * share for country, share in found.items()}


def embodied_shares(case: Case, k: int, countries: list[str], upstream: bool) -> FloatArray:
    """Tonnes of k from every country in a tonne that each source sells (country, source); without `upstream` only of what is sold as k."""
    named, place = _named_feed(case, k), {s: n for n, s in enumerate(countries)}
    found = np.zeros((len(countries), len(case.world.sources)))
    holds = case.product_of_source == k
    if upstream:
        holds |= case.world.embodied[k, case.product_of_source] > 0
    for o in np.flatnonzero(holds):
        for country, share in _origins(case, int(o), k, named).items():
            if country in place:
                found[place[country], o] = share
    return found


def relied_on(model: Model, case: Case, k: int, s: str, nodes: list[int], upstream: bool, t: Numbers, w: Numbers) -> Terms:
    """Tonnes of k that come from country s, directly or inside other goods, and use that moved to where it dominates."""
    return _relied(model, case, k, [s], nodes, upstream, np.atleast_1d(t), np.atleast_1d(w))


def _relied(model: Model, case: Case, k: int, countries: list[str], nodes: list[int], upstream: bool, t: IntArray, w: IntArray) -> Terms:
    """The same for several countries: for each, one sum for each period and scenario."""
    world, terms = case.world, Terms(len(countries) * t.size)
    cell = np.arange(terms.size).reshape(len(countries), t.size)
    share = embodied_shares(case, k, countries, upstream)
    for j in np.unique(case.product_of_source[share.any(axis=0)]):
        n, o = np.nonzero((share > 0) & (case.product_of_source == j))
        places = np.unique(case.place_of[nodes, j])
        column = model.imports.amount.at(o[:, None, None], places[:, None], t, w)
        terms.add(cell[n, None], share[n, o][:, None, None], column)
    for kappa in np.flatnonzero(world.embodied[k] > 0):
        dominant = world.dominant[kappa]
        if dominant in countries:
            add_relocated(model, case, terms, cell[countries.index(dominant)], int(kappa), nodes, t, w, float(world.embodied[k, kappa]))
    return terms
