"""Goods: demand, shortage, balances, routes, sources and their shares, ways out, stock."""

from __future__ import annotations

import numpy as np

from orepact.solution.verification.findings import TOLERANCE
from orepact.solution.verification.study import Study
from orepact.solution.verification.timeline import Array, Flags


def check_goods(study: Study) -> None:
    """Every rule about tonnes that aren't a plant's own."""
    _demand(study)
    _balance(study)
    _routes(study)
    _supply(study)
    _surplus(study)
    _stock(study)


def _scale(study: Study) -> Array:
    return study.size[:, None, None, None]


def _demand(study: Study) -> None:
    facts, stored = study.facts, study.stored
    shown = np.broadcast_to(stored.shown, study.demand.shape)
    study.findings.equal("demand", "balance.csv, demand", stored.sides["demand"], study.demand, _scale(study), study.spots, shown)
    shares = np.zeros(facts.K)
    for r in facts.rows["shortage_costs"]:
        shares[facts.product[r["product"]]] += r["share"]
    limit = shares[:, None, None, None] * study.demand * study.path.shortage_allowed[:, None]
    study.findings.at_most("shortage", "balance.csv, shortage", stored.shortage, limit, _scale(study), study.spots, shown)


def _balance(study: Study) -> None:
    stored, shown = study.stored, np.broadcast_to(study.stored.shown, study.demand.shape)
    derived = {
        "made": study.made,
        "used": study.used,
        "imports": study.imported,
        "trade_in": stored.moved_in,
        "trade_out": stored.moved_out,
        "release": study.releases,
        "purchases": study.purchases,
        "exports": stored.out["export"],
        "glut": stored.out["glut"],
        "overflow": stored.out["overflow"],
    }
    for side, amounts in derived.items():
        study.findings.equal("balance stated", f"balance.csv, {side}", stored.sides[side], amounts, _scale(study), study.spots, shown)
    coming = study.made + study.imported + stored.moved_in + stored.shortage + study.releases
    going = study.used + stored.moved_out + study.demand + study.purchases + study.leaving
    study.findings.equal("balance", "in against out", coming, going, _scale(study), study.spots, shown)
    out = stored.moved_out + study.leaving
    study.findings.at_most("own output only", "what leaves", out, study.made, _scale(study), study.spots, shown)


def _routes(study: Study) -> None:
    """Every move has its way; routes with a capacity stay within it."""
    facts, stored = study.facts, study.stored
    way, _, most = facts.import_way
    scale = study.size[facts.sold][:, None, None, None]
    names = ([f"{country} {product}" for country, product in facts.sources], facts.places, stored.years, facts.scenarios)
    limit = np.where(way, most, 0.0)[:, :, None, None]
    study.findings.at_most("routes", "imports", stored.imports, limit, scale, names)
    inside = stored.flow_inside & facts.routed[stored.flow_product]
    pairs: dict[tuple[int, int, int], list[int]] = {}
    for n in np.flatnonzero(inside):
        pairs.setdefault((int(stored.flow_product[n]), int(stored.flow_from[n]), int(stored.flow_to[n])), []).append(int(n))
    for (k, a, b), rows in pairs.items():
        row = facts.freight_row(k, facts.places[a], facts.places[b])
        capacity = 0.0 if row is None else np.inf if row["capacity"] is None else row["capacity"]
        moved = np.zeros((facts.T, facts.W))
        np.add.at(moved, (stored.flow_t[rows], stored.flow_w[rows]), stored.flow_amount[rows])
        name = f"{facts.products[k]} {facts.places[a]} to {facts.places[b]}"
        study.findings.at_most("routes", name, moved, capacity, study.size[k], (stored.years, facts.scenarios))
        if np.isinf(capacity):
            study.findings.holds("routes", name, True, ())


def used_up(study: Study) -> Flags:
    """Where a feed is short on the path and used to the last tonne: all that is on sale is bought, none leaves (K, T, W)."""
    bought = study.imported.sum(axis=1)
    gone = study.leaving.sum(axis=1) + study.purchases.sum(axis=1)
    scale = study.size[:, None, None]
    all_bought = study.path.supply - bought <= TOLERANCE * np.maximum(scale, study.path.supply)
    is_feed = np.any(study.plants.a < 0, axis=0)[:, None, None]
    return np.asarray(study.path.short & is_feed & all_bought & (gone <= TOLERANCE * scale))


def _supply(study: Study) -> None:
    facts, stored = study.facts, study.stored
    sold = stored.imports.sum(axis=1)
    scale = study.size[facts.sold][:, None, None]
    names = ([f"{country} {product}" for country, product in facts.sources], stored.years, facts.scenarios)
    study.findings.at_most("supply", "imports", sold, study.path.offered, scale, names, np.broadcast_to(stored.shown, sold.shape))
    if study.planner:
        return
    lifted = used_up(study)
    whole = study.imported.sum(axis=1)
    most, least = np.full(sold.shape, np.inf), np.zeros(sold.shape)
    for w in np.flatnonzero(facts.normal & stored.shown):
        for k in range(facts.K):
            for t in range(facts.T):
                if not lifted[k, t, w]:
                    sharing = study.path.sharing(k, t, int(w))
                    for o, share in sharing.upper.items():
                        most[o, t, w] = share * whole[k, t, w]
                    for o, share in sharing.lower.items():
                        least[o, t, w] = share * whole[k, t, w]
    study.findings.at_most("shares of sources", "imports, largest share", sold, most, scale, names)
    study.findings.at_most("shares of sources", "imports, smallest share", least, sold, scale, names, least > 0)


def _surplus(study: Study) -> None:
    facts, stored, lifted = study.facts, study.stored, study.path.lifted
    limit = np.stack([facts.plain_series("outside_sales", "limit", {"product": k}) for k in facts.products])[:, :, None]
    shown = np.broadcast_to(stored.shown, lifted.shape)
    scale = study.size[:, None, None]
    closed = np.zeros_like(lifted) if study.planner else lifted
    exports = stored.out["export"].sum(axis=1)
    study.findings.at_most("surplus", "exports", exports, np.where(closed, 0.0, limit), scale, study.products_in_time, shown)
    for way, barred in (("overflow", closed), ("glut", ~closed)):
        study.findings.at_most("surplus", way, stored.out[way].sum(axis=1), np.where(barred, 0.0, np.inf), scale, study.products_in_time, shown)


def _stock(study: Study) -> None:
    facts, stored = study.facts, study.stored
    rows = facts.rows["stockpiles"]
    if not rows:
        return
    names = (stored.site_names, stored.years, facts.scenarios)
    shown = np.broadcast_to(stored.shown, stored.level.shape)
    initial = np.array([r["initial"] for r in rows], dtype=float)[:, None, None]
    before = np.concatenate([np.broadcast_to(initial, (len(rows), 1, facts.W)), stored.level[:, :-1]], axis=1)
    years = facts.time.length[None, :, None]
    scale = np.maximum(study.size[stored.site_product][:, None, None] * years, before + years * (stored.bought + stored.released))
    study.findings.equal("stock", "level", stored.level, before + years * (stored.bought - stored.released), scale, names, shown)
    largest = np.array([np.inf if r["max_level"] is None else r["max_level"] for r in rows])[:, None, None]
    study.findings.at_most("stock", "largest level", stored.level, largest, scale, names, shown)
    refusing = {r["member"] for r in facts.rows["refusals"] if r["instrument"] == "stockpile"} if not study.planner else set()
    refused = [bool(refusing & (set(facts.members) if i < 0 else {facts.nodes[i]})) for i in stored.site_node]
    most = np.where(refused, 0.0, np.array([r["max_purchase"] for r in rows], dtype=float))[:, None, None]
    study.findings.at_most("stock", "purchases", stored.bought, most, scale / years, names, shown)
    first = int(np.argmax(stored.shown))
    study.findings.equal("stock", "purchases, the same in every scenario", stored.bought, stored.bought[:, :, [first]], scale / years, names, shown)
    study.findings.at_most("stock", "releases in normal scenarios", stored.released, 0.0, scale / years, names, shown & facts.normal)
