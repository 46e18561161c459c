"""Security: every target and cap, what is reached, and reliance on every source.

USE_k(area) = Σ_κ e(k, κ) Σ_area (D_κ + r_κ (D0_κ − D_κ))
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orepact.instance.given import Row
from orepact.instance.schema import ALL
from orepact.solution.verification.study import Study
from orepact.solution.verification.timeline import Array

KINDS = {"zone_share": "zone shares", "activity_share": "activity shares", "reliance_cap": "reliance caps", "n_minus_1": "N-1", "stock_days": "stock days"}
"""Rule by kind of target."""


def check_targets(study: Study) -> None:
    """Every target in every case, period and normal scenario that it covers; then the table of reliance."""
    facts, stored = study.facts, study.stored
    frame = stored.tables["targets"]
    stated: dict[tuple[str, str, int, str], int] = {}
    for n, key in enumerate(zip(frame["target"].tolist(), frame["case"].tolist(), frame["first_year"].tolist(), frame["scenario"].tolist(), strict=True)):
        if key in stated:
            study.findings.wrong("rows", f"targets.csv, row {n + 2}", "repeats the key of another row", "one row")
        stated[key] = n
    columns = {name: stored.numbers("targets", name) for name in ("value", "achieved", "slack")}
    tested = facts.normal & facts.modelled & stored.shown
    for r in facts.rows["targets"]:
        rule = KINDS[r["kind"]]
        where = facts.time.covers(r)[:, None] & tested
        used = use(study, denominator(study, r), nodes_in(study, r))
        for case, reached, enough in _cases(study, r):
            name = f"{r['target']}{f', {case}' if case else ''}"
            _required(study, rule, r, name, reached, used, where, enough)
            untouched = 0.0 if r["kind"] == "reliance_cap" else float(r["value"])
            achieved = np.where(used > 0, reached / np.where(used > 0, used, 1.0), untouched)
            for t, w in np.argwhere(where):
                row = stated.pop((r["target"], case, stored.years[t], facts.scenarios[w]), None)
                place = f"targets.csv, {name}, {stored.years[t]}, {facts.scenarios[w]}"
                if row is None:
                    study.findings.wrong(rule, place, "missing", "one row")
                    continue
                scale = max(float(r["value"]), float(np.abs(achieved[t, w])), 1.0 if r["kind"] != "stock_days" else 0.0)
                study.findings.equal(rule, f"{place}, achieved", columns["achieved"][row], achieved[t, w], scale, ())
                study.findings.equal(rule, f"{place}, value", columns["value"][row], r["value"], 0.0, ())
                room = r["value"] - achieved[t, w] if r["kind"] == "reliance_cap" else achieved[t, w] - r["value"]
                study.findings.equal(rule, f"{place}, slack", columns["slack"][row], room, scale, ())
    for key in stated:
        study.findings.wrong("rows", f"targets.csv, {', '.join(map(str, key))}", "there", "no row: nothing is asked there")
    _reliance(study)


def _required(study: Study, rule: str, r: Row, name: str, reached: Array, used: Array, where: Array, gross: Array) -> None:
    if not study.required:
        return
    days = 365.0 if r["kind"] == "stock_days" else 1.0
    asked, got = r["value"] * used / days, reached / days
    low, high = (got, asked) if r["kind"] == "reliance_cap" else (asked, got)
    scale = np.maximum(np.maximum(used, gross / days), float(study.size[denominator(study, r)]) * 1e-3)
    study.findings.at_most(rule, name, low, high, scale, (study.stored.years, study.facts.scenarios), where)


# -- use ----------------------------------------------------------------------------------------------------------


def nodes_in(study: Study, r: Row) -> list[int]:
    """Nodes of a target's area."""
    return list(range(study.facts.I)) if r["area"] is None else [study.facts.nodes.index(r["area"])]


def denominator(study: Study, r: Row) -> int:
    """Product whose use is the denominator."""
    return study.facts.product[r["products"][0] if r["use_of"] is None else r["use_of"]]


def moved(study: Study, nodes: list[int]) -> Array:
    """Use that moved abroad (K, T, W)."""
    lost = study.facts.D0[nodes].sum(axis=0) - study.path.demand[nodes].sum(axis=0)
    return np.asarray(study.facts.relocated[:, None, None] * lost)


def use(study: Study, k: int, nodes: list[int]) -> Array:
    """USE of a product in an area (T, W)."""
    behind = np.maximum(study.plants.e[k], 0.0)
    return np.asarray(np.einsum("k,ktw->tw", behind, study.path.demand[nodes].sum(axis=0) + moved(study, nodes)))


# -- what counts --------------------------------------------------------------------------------------------------


def _cases(study: Study, r: Row) -> Iterator[tuple[str, Array, Array]]:
    """By case: what counts towards a target (T, W), t (days: t · 365); and the size of the sum."""
    facts, plants = study.facts, study.plants
    products, nodes = [facts.product[p] for p in r["products"]], nodes_in(study, r)
    k = products[0]
    match r["kind"]:
        case "zone_share":
            yield "", *_zone_supply(study, products, nodes, r["area"] is not None)
        case "activity_share":
            made = _output(study, products, nodes, r["activity"])
            yield "", made, made
        case "reliance_cap":
            for source in _capped(study, r):
                relied = relied_on(study, k, source, nodes, bool(r["upstream"]))
                yield source, relied, relied
        case "n_minus_1":
            stages = [int(j) for j in np.flatnonzero(plants.e[:, k] > 0)] if r["upstream"] else [k]
            length = r["outage_years"] or facts.settings.policy.outage_years
            for name, lost in _losses(study, r).items():
                left = np.min([_left(study, k, stage, lost, length) for stage in stages], axis=0)
                yield name, left, left
        case _:
            sites = [
                s for s, j in enumerate(study.stored.site_product) if j in products and (study.stored.site_node[s] < 0 or study.stored.site_node[s] in nodes)
            ]
            held = 365.0 * study.stored.level[sites].sum(axis=0)
            yield "", held, held


def _output(study: Study, products: list[int], nodes: list[int], activity: str | None) -> Array:
    """Gross output of plants of an area (and activity) (T, W)."""
    plants, found = study.plants, np.zeros((study.facts.T, study.facts.W))
    for f in range(plants.F):
        if plants.node[f] in nodes and (activity is None or activity in plants.activities[f]):
            found += np.maximum(plants.a[f, products], 0.0).sum() * study.stored.output[f]
    return found


def _zone_supply(study: Study, products: list[int], nodes: list[int], local: bool) -> tuple[Array, Array]:
    """Own output, less what leaves or goes into stock; for one member also what comes and goes inside the zone."""
    facts, stored = study.facts, study.stored
    net = _output(study, products, nodes, None)
    gross = net.copy()
    for k in products:
        for p in sorted({int(facts.place_of[i, k]) for i in nodes}):
            gone = study.leaving[k, p] + study.purchases[k, p]
            trade = stored.moved_in[k, p] - stored.moved_out[k, p] if local else 0.0
            net = net - gone + trade
            gross = gross + gone + np.abs(trade)
    return net, gross


def _capped(study: Study, r: Row) -> list[str]:
    """Countries a cap is about: the one named, or every seller of, and origin of feed behind, the product."""
    if r["source_country"] != ALL:
        return [r["source_country"]]
    return _behind(study, study.facts.product[r["products"][0]])


def _behind(study: Study, k: int) -> list[str]:
    facts = study.facts
    stages = {j for j in range(facts.K) if study.plants.e[k, j] > 0}
    sellers = [country for country, product in facts.sources if facts.product[product] in stages]
    origins = [r["origin"] for r in facts.rows["feedstock"] if facts.product[r["product"]] in stages]
    return list(dict.fromkeys([*sellers, *origins]))


def embodied_in_imports(study: Study, k: int, source: str) -> Array:
    """Tonnes of product k from a country in a tonne of each source's sales (O,); feed no table names is the source's own."""
    facts, found = study.facts, np.zeros(study.facts.O)
    for o, (country, product) in enumerate(facts.sources):
        if facts.sold[o] == k:
            found[o] = float(country == source)
            continue
        feed = facts.feedstock.get((country, product, facts.products[k]), {})
        share = feed.get(source, 0.0) + (1 - sum(feed.values()) if country == source else 0.0)
        found[o] = max(study.plants.e[k, facts.sold[o]], 0.0) * share
    return found


def relied_on(study: Study, k: int, source: str, nodes: list[int], upstream: bool) -> Array:
    """Tonnes of a product that come from a country, direct or inside other goods, and use that moved to where it dominates (T, W)."""
    facts = study.facts
    content = embodied_in_imports(study, k, source) * (1.0 if upstream else (facts.sold == k))
    found = np.zeros((facts.T, facts.W))
    for o in np.flatnonzero(content > 0):
        places = sorted({int(facts.place_of[i, facts.sold[o]]) for i in nodes})
        found += content[o] * study.stored.imports[o, places].sum(axis=0)
    gone = moved(study, nodes)
    for j in range(facts.K):
        if facts.dominant[j] == source and study.plants.e[k, j] > 0:
            found += study.plants.e[k, j] * gone[j]
    return found


def _losses(study: Study, r: Row) -> dict[str, set[str]]:
    """What is lost in turn: codes of countries, treasuries and plants' groups by name."""
    facts, plants = study.facts, study.plants
    groups: dict[str, set[str]] = {}
    for row in facts.rows["groups"]:
        groups.setdefault(row["group"], set()).add(row["country"])
    names = list(r["outage"])
    if ALL in names:
        chain = plants.chain[facts.product[r["products"][0]]]
        hosts = [facts.nodes[plants.node[f]] for f in range(plants.F) if plants.main[f] in chain]
        names = list(dict.fromkeys([*hosts, *(facts.seller[o] for o in range(facts.O) if facts.sold[o] in chain)]))
    return {name: groups.get(name, {name}) for name in names}


def _left(study: Study, k: int, stage: int, lost: set[str], length: float) -> Array:
    """Supply left from a stage on, in tonnes of product k (T, W)."""
    facts, plants, stored, e = study.facts, study.plants, study.stored, study.plants.e
    found = np.zeros((facts.T, facts.W))
    for f in np.flatnonzero(plants.a[:, stage] > 0):
        if not {plants.country[f], facts.nodes[plants.node[f]], plants.group[f]} & lost:
            found += plants.a[f, stage] / e[stage, k] * stored.output[f]
    initial = np.array([r["initial"] for r in facts.rows["stockpiles"]], dtype=float)
    for j in np.flatnonzero((e[stage] > 0) & (e[:, k] > 0)):
        for o in np.flatnonzero(facts.sold == j):
            if facts.seller[o] not in lost:
                found += study.path.offered[o] / e[j, k]
        for s in np.flatnonzero(stored.site_product == j):
            before = np.concatenate([np.full((1, facts.W), initial[s]), stored.level[s, :-1]])
            found += before / (length * e[j, k])
    return found


# -- the table of reliance ----------------------------------------------------------------------------------------


def _reliance(study: Study) -> None:
    facts, stored = study.facts, study.stored
    frame = stored.tables["reliance"]
    areas = {"": -1} | dict(stored.member.items())
    groups: dict[tuple[int, int, str], list[int]] = {}
    numbers, k, a, t, w = stored.rows(
        "reliance", False, product=facts.product, area={code: m + 1 for code, m in areas.items()}, first_year=stored.periods, scenario=facts.scenario
    )
    sources = frame["source"].to_numpy()
    for n, number in enumerate(numbers):
        groups.setdefault((int(k[n]), int(a[n]) - 1, str(sources[number])), []).append(n)
    direct, through = stored.numbers("reliance", "direct_share")[numbers], stored.numbers("reliance", "look_through_share")[numbers]
    for product in range(facts.K):
        for area in [-1, *(range(facts.M) if facts.routed[product] else ())]:
            nodes = list(range(facts.I)) if area < 0 else [area]
            used = use(study, product, nodes)
            divisor = np.where(used > 0, used, 1.0)
            for source in _behind(study, product):
                rows = groups.pop((product, area, source), None)
                looked = np.where(used > 0, relied_on(study, product, source, nodes, True) / divisor, 0.0)
                name = f"reliance.csv, {facts.products[product]}, {source}{f', {facts.members[area]}' if area >= 0 else ''}"
                if rows is None:
                    study.findings.equal(
                        "reliance",
                        f"{name}, look_through_share",
                        0.0,
                        looked,
                        1.0,
                        (stored.years, facts.scenarios),
                        np.broadcast_to(stored.shown, looked.shape),
                    )
                    continue
                own = [o for o in range(facts.O) if facts.sold[o] == product and facts.seller[o] == source]
                places = sorted({int(facts.place_of[i, product]) for i in nodes})
                bought = study.stored.imports[own][:, places].sum(axis=(0, 1))
                for column, cells, derived in (("direct_share", direct, np.where(used > 0, bought / divisor, 0.0)), ("look_through_share", through, looked)):
                    stated = np.full((facts.T, facts.W), np.nan)
                    stated[t[rows], w[rows]] = cells[rows]
                    study.findings.equal(
                        "reliance", f"{name}, {column}", stated, derived, 1.0, (stored.years, facts.scenarios), np.broadcast_to(stored.shown, stated.shape)
                    )
    for product, _, source in groups:
        study.findings.wrong("reliance", f"reliance.csv, {facts.products[product]}, {source}", "there", "no such source behind the product")
