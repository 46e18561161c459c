"""Owners: each offer in force is one that may be made, and that owner and lenders would sign; whoever must build has built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from orepact.instance.schema import ALL
from orepact.solution.verification.fixed import Fixed, fixed_by
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array

SURE = 1e-7
"""A margin of an owner's sum, relative, below which either answer of the owner is taken."""


def check_owners(study: Study, terms: Terms) -> None:
    """Every rule about building, offers and lenders."""
    _starts(study)
    if study.planner:
        study.findings.holds("weights", "offers.csv", len(study.stored.offer_row) == 0, (), stated="offers", derived="none: the planner signs nothing")
        return
    fixed = fixed_by(study)
    weights = terms.by_plant(terms.w)
    study.findings.equal("weights", "offers.csv", weights, study.stored.stands.astype(float), 1.0, (study.plants.codes,))
    for d in range(terms.D):
        _menu(study, terms, fixed, d)
    _volumes(study, terms, fixed)
    _signed(study, terms, fixed)
    _idling(study, terms)
    if study.facts.settings.owners.entry == "duty":
        _duty(study, terms, fixed)


def names_of(study: Study, terms: Terms) -> list[str]:
    """What to call each offer."""
    stored = study.stored
    codes = ["without contract", *(r["contract"] for r in terms.contracts)]
    payers = ["", *study.facts.members]
    return [
        f"{study.plants.codes[f]} {codes[n + 1]}{f' paid by {payers[m + 1]}' if m >= 0 else ''}"
        for f, n, m in zip(terms.f, terms.n, stored.offer_payer, strict=True)
    ]


def _starts(study: Study) -> None:
    plants, stored = study.plants, study.stored
    allowed = plants.may_start[np.arange(plants.F), stored.start]
    study.findings.holds("starts", "start_year", allowed, (plants.codes,), stored.stands & plants.candidate, "a start it may not have", "one it may")
    there = stored.facility_row >= 0
    row = np.where(there, stored.facility_row, 0)
    if not there.any():
        return
    capex = np.where(plants.candidate & stored.stands, plants.capex, 0.0)
    for column, amounts in (("capex_usd", capex), ("capacity_t_a", plants.capacity), ("npv_rate", plants.hurdle)):
        study.findings.equal("starts", column, stored.numbers("facilities", column)[row], amounts, 0.0, (plants.codes,), there)
    opening = np.where(plants.candidate, study.facts.time.start[stored.start] + plants.lead, plants.opening)
    known = stored.stands & (opening >= study.facts.time.start[0])
    stated = stored.numbers("facilities", "first_output_year")[row]
    study.findings.equal("starts", "first_output_year", stated, opening, 1.0, (plants.codes,), there & known)
    study.findings.holds("starts", "first_output_year", np.isnan(stated), (plants.codes,), there & ~known, "a year", "none")
    texts = {
        "country": plants.country,
        "product": [study.facts.products[k] for k in plants.main],
        "status": ["candidate" if c else "existing" for c in plants.candidate],
        "treasury": [study.facts.nodes[i] if i < study.facts.M else "" for i in plants.node],
    }
    for column, words in texts.items():
        cells = stored.tables["facilities"][column].to_numpy()[row]
        study.findings.holds(
            "starts", column, np.array(cells == np.array(words, dtype=object), dtype=bool), (plants.codes,), there, "another", "the instance's"
        )


def _menu(study: Study, terms: Terms, fixed: Mapping[int, Fixed], d: int) -> None:
    """Whether an offer may be made at all."""
    facts, plants, f, n, m = study.facts, study.plants, int(terms.f[d]), int(terms.n[d]), int(study.stored.offer_payer[d])
    name, candidate = names_of(study, terms)[d], bool(plants.candidate[f])
    imposed = fixed.get(f)
    if n < 0 and m < 0:
        study.findings.holds("menu", name, terms.h[d] == 0 and terms.g[d] == 0, (), stated="support that nobody pays", derived="none")
        return
    refused = {(r["member"], r["instrument"]) for r in facts.rows["refusals"]}
    payer = facts.members[m] if m >= 0 else ""
    wrong = []
    own = [facts.members[plants.node[f]]] if plants.node[f] < facts.M else facts.members
    if payer not in (own if imposed is None or imposed.payer is None else [imposed.payer]):
        wrong.append("another treasury than its own")
    if terms.g[d] > 0 and (payer, "grant") in refused:
        wrong.append("a grant that the payer refuses")
    if terms.g[d] > 0 and not candidate:
        wrong.append("a grant to an existing plant")
    if n < 0 and not candidate:
        wrong.append("an existing plant paid without a contract")
    if n >= 0:
        wrong += _off_menu(study, terms, imposed, d, payer, refused)
    if candidate and (imposed is None or not imposed.supports) and terms.alone_free.holds(SURE)[f].any():
        wrong.append("support for a plant that free trade would build")
    study.findings.holds("menu", name, not wrong, (), stated="; ".join(wrong) or None, derived="an offer that may be made")


def _off_menu(study: Study, terms: Terms, imposed: Fixed | None, d: int, payer: str, refused: set[tuple[str, str]]) -> list[str]:
    facts, plants, f = study.facts, study.plants, int(terms.f[d])
    r = terms.contracts[terms.n[d]]
    wrong = []
    if (payer, r["instrument"]) in refused:
        wrong.append("an instrument that the payer refuses")
    if r["stockpiled"]:
        k = int(plants.main[f])
        place = payer if facts.routed[k] else "ZONE"
        if (facts.products[k], place) not in study.stored.sites:
            wrong.append("tonnes for a stock that does not exist")
    if imposed is not None and imposed.contract is not None:
        return wrong
    host = {ALL, plants.country[f], facts.treasury[plants.country[f]]}
    if not {ALL, facts.products[plants.main[f]]} & set(r["products"]) or not host & set(r["countries"]):
        wrong.append("a contract for other products or countries")
    if not plants.candidate[f]:
        if not r["existing"]:
            wrong.append("a contract not for existing plants")
        elif not terms.extra[d][:, facts.modelled].any():
            wrong.append("a contract that changes nothing")
    return wrong


def _volumes(study: Study, terms: Terms, fixed: Mapping[int, Fixed]) -> None:
    plants, names = study.plants, (names_of(study, terms),)
    capacity, money = plants.capacity[terms.f], plants.capex[terms.f]
    contracted = terms.n >= 0
    shares = np.array([[r["min_share"], r["max_share"]] for r in terms.contracts] or [[0.0, 0.0]])[np.maximum(terms.n, 0)]
    low, high = (shares * (capacity * terms.w)[:, None]).T
    low = np.where(~plants.candidate[terms.f] & (low == 0), high, low)  # an existing plant's are the ends above 0
    limit = np.array([terms.grant_limit(int(f)) for f in terms.f]) * terms.w
    least = np.zeros(terms.D)
    for d in range(terms.D):
        imposed = fixed.get(int(terms.f[d]))
        if imposed is None or (study.stored.offer_payer[d] < 0):
            continue
        if imposed.contract is not None:
            low[d] = high[d] = imposed.share * capacity[d] * terms.w[d]
        if imposed.supports and imposed.grant is None and not imposed.rest_free:
            limit[d] = 0.0
        elif imposed.grant is not None:
            limit[d] = least[d] = imposed.grant * terms.w[d]
    study.findings.at_most("contracted volume", "smallest", low, terms.h, capacity, names, contracted)
    study.findings.at_most("contracted volume", "largest", terms.h, np.where(contracted, high, 0.0), capacity, names)
    study.findings.at_most("grant limit", "largest", terms.g, limit, money, names, study.stored.offer_payer >= 0)
    study.findings.at_most("grant limit", "smallest", least, terms.g, money, names, least > 0)


def _signed(study: Study, terms: Terms, fixed: Mapping[int, Fixed]) -> None:
    """Whether owners and lenders would sign."""
    plants, names = study.plants, names_of(study, terms)
    alone, contract, grant, size = terms.npv
    value, candidate = alone + contract + grant, plants.candidate[terms.f]
    study.findings.at_most("participation", "NPV", -value, 0.0, size, (names,), candidate)
    study.findings.at_most("participation", "what a contract adds", -contract, 0.0, size, (names,), terms.n >= 0)
    capped = [d for d in range(terms.D) if candidate[d] and study.stored.offer_payer[d] >= 0 and not ((x := fixed.get(int(terms.f[d]))) and x.supports)]
    most = study.facts.settings.owners.rent_cap * plants.capex[terms.f] * terms.w
    where = np.isin(np.arange(terms.D), capped)
    study.findings.at_most("rent cap", "NPV", value, most, size, (names,), where)
    surplus, surplus_size = terms.bank
    at = terms.tested[terms.f]
    study.findings.at_most("lenders", "surplus", -surplus, 0.0, surplus_size, (names, study.stored.years, study.facts.scenarios), at)


def _idling(study: Study, terms: Terms) -> None:
    plants = study.plants
    alone, contract, grant, size = terms.npv
    value = terms.by_plant(alone + contract + grant) - terms.idling
    stands = study.stored.stands & plants.candidate
    study.findings.at_most("idling paid for", "NPV", -value, 0.0, terms.by_plant(size) + terms.idling, (plants.codes,), stands)
    surplus, surplus_size = terms.bank
    left = terms.by_plant(surplus) - terms.forgone
    at = terms.tested & (terms.forgone > 0)
    study.findings.at_most("idling paid for", "lenders' surplus", -left, 0.0, terms.by_plant(surplus_size) + terms.forgone, study.plants_in_time, at)


def plain_starts(study: Study, terms: Terms, fixed: Mapping[int, Fixed], slack: float) -> Array:
    """Starts (F, S) at which a candidate would be built without support at the chosen prices; what a package fixes may rule them out."""
    plants = study.plants
    found = terms.alone.holds(slack) & plants.candidate[:, None]
    for f, imposed in fixed.items():
        found[f] &= not imposed.supports
        if imposed.starts is not None:
            found[f] &= np.isin(np.arange(study.facts.T), imposed.starts)
    return np.asarray(found)


def _duty(study: Study, terms: Terms, fixed: Mapping[int, Fixed]) -> None:
    plants, stored = study.plants, study.stored
    surely = plain_starts(study, terms, fixed, SURE)
    must = surely.any(axis=1)
    by = surely.argmax(axis=1)
    built = stored.stands & (stored.start <= by)
    study.findings.holds("duty to build", "facilities.csv", built, (plants.codes,), must, "not built in time", "built at the first start that pays, or before")
