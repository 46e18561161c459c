"""Prices: the path is one that may be chosen, and every stated price is what its rung makes of it."""

from __future__ import annotations

import numpy as np

from orepact.solution.verification.stored import WAYS_OUT
from orepact.solution.verification.study import Study
from orepact.solution.verification.timeline import Array


def check_prices(study: Study) -> None:
    """Path, prices by product and period, margins, prices of flows."""
    if study.planner:
        _mix(study)
    else:
        _lawful(study)
        _stated(study)
    _margins(study)
    _flow_prices(study)


def _mix(study: Study) -> None:
    for k, (weights, ladder) in enumerate(zip(study.stored.weights, study.path.ladders, strict=True)):
        product = study.facts.products[k]
        study.findings.equal("prices", f"rung_mix.csv, {product}", weights.sum(axis=0), 1.0, 1.0, (study.stored.years,))
        study.findings.at_most("price path", f"rung_mix.csv, {product}", weights, ladder.offered, 1.0, (ladder.codes, study.stored.years))


def _lawful(study: Study) -> None:
    facts, policy, rung = study.facts, study.facts.settings.policy, study.stored.rung
    fixed = {r["product"] for r in study.package.get("rung", ())}
    for k, ladder in enumerate(study.path.ladders):
        product = facts.products[k]
        if product in fixed or (study.package and study.package.get("rest") == "none") or _own(study, k):
            continue
        steps, name = np.array(ladder.steps), f"rungs.csv, {product}"
        offered = ladder.offered[rung[k], np.arange(facts.T)]
        study.findings.holds("price path", name, offered, (study.stored.years,), None, "a rung not offered in the period", "one that is offered")
        moved = np.abs(np.diff(steps[rung[k]]))
        far = moved <= policy.max_step if policy.max_step else np.ones(facts.T - 1, dtype=bool)
        study.findings.holds("price path", name, far, (study.stored.years[1:],), None, "a larger step", f"at most {policy.max_step}")
        may_change = [not policy.revision_years or year in policy.revision_years for year in study.stored.years[1:]]
        changed = np.diff(rung[k]) != 0
        study.findings.holds("price path", name, ~changed | np.array(may_change, dtype=bool), (study.stored.years[1:],), None, "changes", "no revision year")


def _own(study: Study, k: int) -> bool:
    """Whether the product's chain follows one of the user's own paths."""
    facts, chain = study.facts, study.plants.chain[k]
    for name in dict.fromkeys(r["path"] for r in facts.rows["price_paths"]):
        wanted = np.zeros((facts.K, facts.T), dtype=int)
        for r in sorted((r for r in facts.rows["price_paths"] if r["path"] == name), key=lambda r: r["year"]):
            product = facts.product[r["product"]]
            wanted[product, facts.time.start >= r["year"]] = study.path.ladders[product].number[r["rung"]]
        if all((study.stored.rung[j] == wanted[j]).all() for j in chain):
            return True
    return False


def _stated(study: Study) -> None:
    facts, stored = study.facts, study.stored
    names, there = (facts.products, stored.years), stored.rung_row >= 0
    rows = np.where(there, stored.rung_row, 0)
    if not there.any():
        return
    for column, price in (("world_price", facts.pi), ("zone_price", study.path.price)):
        study.findings.equal("prices", f"rungs.csv, {column}", stored.numbers("rungs", column)[rows], price[:, :, facts.ref], 0.0, names, there)
    frame = stored.tables["rungs"]
    levels, kinds = stored.numbers("rungs", "level"), frame["kind"].to_numpy()
    for k, t in np.argwhere(there):
        ladder, number, n = study.path.ladders[k], stored.rung[k, t], stored.rung_row[k, t]
        name = f"rungs.csv, {facts.products[k]}, {stored.years[t]}"
        level = ladder.levels[number]
        same = kinds[n] == ladder.kinds[number] and (np.isnan(levels[n]) if level is None else abs(levels[n] - level) <= 1e-9 * max(1.0, abs(level)))
        study.findings.holds("prices", name, same, (), None, f"{kinds[n]} {levels[n]}", f"{ladder.kinds[number]} {level}")


def _margins(study: Study) -> None:
    stored, path, at = study.stored, study.path, study.stored.output_at
    price = planner_prices(study) if study.planner else path.price
    margin, gross = study.plants.margin(price), study.plants.gross(price)
    stated = stored.amounts("output", "margin_usd_t", stored.output_row, may_be_negative=True)
    found, sure = np.zeros_like(margin), np.zeros(margin.shape, dtype=bool)
    found[at], sure[at] = stated, True
    study.findings.equal("margins", "output.csv, margin", found, margin, gross, study.plants_in_time, sure)
    runs = np.zeros(margin.shape, dtype=bool)
    runs[at] = stored.tables["output"]["runs"].to_numpy(dtype=bool)[stored.output_row]
    clear = sure & (np.abs(margin) > 1e-7 * gross)
    study.findings.holds("margins", "output.csv, runs", runs == (margin >= 0), study.plants_in_time, clear, "runs", "margin")


def planner_prices(study: Study) -> Array:
    """Zone prices of the planner's mix of rungs (K, T, W)."""
    pairs = zip(study.stored.weights, study.path.ladders, strict=True)
    return np.stack([np.einsum("lt,ltw->tw", weights, ladder.price) for weights, ladder in pairs])


def _flow_prices(study: Study) -> None:
    facts, stored, economics = study.facts, study.stored, study.facts.settings.economics
    k, t, w = stored.flow_product, stored.flow_t, stored.flow_w
    derived = facts.pi[k, t, w].copy()
    importing = stored.flow_importing
    derived[importing] = study.path.paid[stored.flow_source[importing], t[importing], w[importing]]
    shares = {"export": 1 - economics.export_discount, "glut": economics.resale, "overflow": economics.resale}
    for number, way in enumerate(WAYS_OUT, start=1):
        derived[stored.flow_kind == number] *= shares[way]
    inside = stored.flow_inside
    price = partner_price(study)[k, t, w] if study.planner else study.path.price[k, t, w]
    sells, buys = facts.is_member[stored.flow_from], facts.is_member[stored.flow_to]
    derived = np.where(inside & (buys | ~sells), price, derived)
    stated = stored.amounts("flows", "price_usd_t", stored.flow_row)
    rows = [f"row {n + 2}, {facts.products[product]}" for n, product in zip(stored.flow_row, k, strict=True)]
    study.findings.equal("price of a flow", "flows.csv", stated, derived, facts.pi[k, t, w], (rows,), stored.flow_good)


def partner_price(study: Study) -> Array:
    """What the planner pays partners (K, T, W): π, or the lowest ceiling of the contract menu where that is less."""
    facts, price = study.facts, study.facts.pi.copy()
    if facts.whole_zone:
        return price
    for k, product in enumerate(facts.products):
        trades = facts.I > facts.M and (
            not facts.routed[k] or any(facts.freight_row(k, a, b) is not None for a in facts.nodes[facts.M :] for b in facts.members)
        )
        for r in facts.rows["contracts"] if trades else ():
            ceiling = r["strike"] if r["ceiling"] is None else r["ceiling"]
            if r["upside_share"] > 0 and ceiling is not None and {"*", product} & set(r["products"]):
                price[k] = np.minimum(price[k], ceiling)
    return price
