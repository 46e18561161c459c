"""Money: stated payments, contracts and grants; budgets and contribution keys; what owners are said to earn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orepact.instance.given import Row
from orepact.solution.verification.check_owners import SURE, plain_starts
from orepact.solution.verification.fixed import fixed_by
from orepact.solution.verification.money import SPENT, Money
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array

INSTRUMENTS = (*SPENT, "grant", "levy", "release")


def check_money(study: Study, terms: Terms, money: Money) -> None:
    """Every rule about money but the objective's."""
    _payments(study, money)
    _figures(study, terms)
    if study.planner:
        return
    _contracts(study, terms)
    _grants(study, terms)
    _budgets(study, money)
    _contributions(study, money)


def _payments(study: Study, money: Money) -> None:
    facts, stored = study.facts, study.stored
    plants = {"": 0} | {code: f + 1 for code, f in study.plants.index.items()}
    kinds = {kind: n for n, kind in enumerate(INSTRUMENTS)}
    numbers, m, i, f, t, w = stored.rows(
        "payments", member=stored.member, instrument=kinds, facility=plants, first_year=stored.periods, scenario=stored.with_expected()
    )
    amounts = stored.amounts("payments", "usd_a", numbers, may_be_negative=True)
    stated: dict[tuple[int, str, int], Array] = {}
    for member, kind, plant, period, scenario, amount in zip(m, i, f, t, w, amounts, strict=True):
        account = int(member), INSTRUMENTS[kind], int(plant) - 1
        stated.setdefault(account, np.zeros((facts.T, facts.W + 1)))[period, scenario] = amount
    names = (stored.years, [*facts.scenarios, "expected"])
    scale = np.concatenate([money.scale, (money.scale @ facts.p)[:, None]], axis=1) if money.accounts else 1.0
    for account in dict.fromkeys([*money.accounts, *stated]):
        derived = money.accounts.get(account, np.zeros((facts.T, facts.W)))
        both = np.concatenate([derived, (derived @ study.shown_weight)[:, None]], axis=1)
        name = f"payments.csv, {facts.members[account[0]]}, {account[1]}"
        name += f", {study.plants.codes[account[2]]}" if account[2] >= 0 else ""
        study.findings.equal("payments", name, stated.get(account, 0.0), both, 1e-3 * scale, names)


def _contracts(study: Study, terms: Terms) -> None:
    """One row per plant, contract and payer."""
    facts, stored, plants = study.facts, study.stored, study.plants
    contracts = {r["contract"]: n for n, r in enumerate(terms.contracts)}
    numbers, f, n, m = stored.rows("contracts", facility=plants.index, contract=contracts, payer=stored.member)
    row: dict[tuple[int, int, int], int] = {(int(a), int(b), int(c)): int(number) for number, a, b, c in zip(numbers, f, n, m, strict=True)}
    frame = stored.tables["contracts"]
    for d in np.flatnonzero((terms.n >= 0) & (terms.h > 0)):
        plant, contract = int(terms.f[d]), int(terms.n[d])
        name = f"contracts.csv, {plants.codes[plant]}, {terms.contracts[contract]['contract']}"
        at = row.pop((plant, contract, int(stored.offer_payer[d])), None)
        if at is None:
            study.findings.wrong("contract figures", name, "missing", "one row")
            continue
        paid = terms.pay[d] * terms.h[d]
        years = _years_in_force(study, terms, int(d))
        expected = float(facts.time.length @ (paid @ facts.p)) / years if years > 0 else 0.0
        size = float(np.abs(paid).max(initial=0.0))
        figures = {
            "weight": (terms.w[d], 1.0),
            "volume_t_a": (terms.h[d], plants.capacity[plant]),
            "share_of_capacity": (terms.h[d] / plants.capacity[plant], 1.0),
            "expected_payment_usd_a": (expected, size),
            "worst_payment_usd_a": (float(paid[:, stored.shown].max(initial=-np.inf)), size),
        }
        for column, (derived, scale) in figures.items():
            study.findings.equal("contract figures", f"{name}, {column}", stored.numbers("contracts", column)[at], derived, scale, ())
        year = stored.years[int(terms.tau[d])] if plants.candidate[plant] else None
        _terms(study, terms.contracts[contract], name, at, year, str(frame["instrument"].iloc[at]))
    for plant, contract, _ in row:
        study.findings.wrong("contract figures", f"contracts.csv, {plants.codes[plant]}, {terms.contracts[contract]['contract']}", "there", "nobody signed it")


def _terms(study: Study, r: Row, name: str, at: int, year: int | None, instrument: str) -> None:
    """Strike, premium, sharing, window, start and instrument are those of the menu."""
    ceiling = r["ceiling"] if r["ceiling"] is not None or not r["upside_share"] else r["strike"]
    wanted = {"strike": r["strike"], "premium": r["premium"], "upside_share": r["upside_share"], "ceiling": ceiling, "window": r["window"], "start_year": year}
    for column, value in wanted.items():
        stated = float(study.stored.numbers("contracts", column)[at])
        if value is None or np.isnan(stated):
            same = value is None and bool(np.isnan(stated))
            study.findings.holds("contract figures", f"{name}, {column}", same, (), stated=str(stated), derived=str(value))
        else:
            study.findings.equal("contract figures", f"{name}, {column}", stated, value, 0.0, ())
    study.findings.holds("contract figures", f"{name}, instrument", instrument == r["instrument"], (), stated=instrument, derived=r["instrument"])


def _years_in_force(study: Study, terms: Terms, d: int) -> float:
    """Expected years of the horizon in which a contract pays."""
    facts, plants, f, tau = study.facts, study.plants, int(terms.f[d]), int(terms.tau[d])
    window = terms.contracts[terms.n[d]]["window"]
    begin = plants.begin[f, tau] if plants.candidate[f] else np.maximum(plants.begin[f, tau], facts.time.start[0])
    end = np.minimum(plants.end[f, tau], begin + (np.inf if window is None else window))
    years = np.minimum(end, facts.time.finish[-1]) - np.maximum(begin, facts.time.start[0])
    return float(np.maximum(years, 0.0) @ facts.p)


def _grants(study: Study, terms: Terms) -> None:
    facts, stored, plants = study.facts, study.stored, study.plants
    numbers, f, m, t = stored.rows("grants", facility=plants.index, payer=stored.member, start_year=stored.periods)
    stated, derived = np.zeros((plants.F, facts.M)), np.zeros((plants.F, facts.M))
    stated[f, m] = stored.amounts("grants", "grant_usd", numbers)
    paid = stored.offer_payer >= 0
    np.add.at(derived, (terms.f[paid], stored.offer_payer[paid]), terms.g[paid])
    names = (plants.codes, facts.members)
    scale = plants.capex[:, None]
    study.findings.equal("contract figures", "grants.csv, grant_usd", stated, derived, scale, names, (stated > 0) | (derived > 0))
    shares = stored.amounts("grants", "share_of_capex", numbers)
    codes = ([f"{plants.codes[x]} {facts.members[y]}" for x, y in zip(f, m, strict=True)],)
    study.findings.equal("contract figures", "grants.csv, share_of_capex", shares * plants.capex[f], stated[f, m], plants.capex[f], codes)
    study.findings.holds("contract figures", "grants.csv, start_year", t == stored.start[f], codes, None, "another year", "the plant's start")


def _budgets(study: Study, money: Money) -> None:
    facts, stored = study.facts, study.stored
    for r in facts.rows["budgets"]:
        kinds = (*SPENT, "grant") if r["instrument"] == "all" else (r["instrument"],)
        spent = money.spent(facts.members.index(r["member"]), kinds)
        covered = facts.time.covers(r)[:, None] & (facts.p > 0) & stored.shown
        name = f"{r['member']} {r['instrument']}"
        if study.required:
            study.findings.at_most("budgets", name, spent, r["limit"], max(r["limit"], 1.0), (stored.years, facts.scenarios), covered)
        _limit_rows(study, "budget", name, spent, float(r["limit"]), np.asarray(covered))


def _limit_rows(study: Study, kind: str, name: str, spent: Array, limit: float, covered: NDArray[np.bool_]) -> None:
    """The stated row of a budget: the scenario that comes nearest, in every period it covers."""
    stored, frame = study.stored, study.stored.tables["limits"]
    mine = frame[(frame["kind"] == kind) & (frame["name"] == name)]
    years = mine["first_year"].to_numpy(dtype=float, na_value=np.nan)
    for t in np.flatnonzero(covered.any(axis=1)):
        rows = mine[years == stored.years[t]]
        most = float(np.max(spent[t][covered[t]]))
        row = f"limits.csv, {name}, {stored.years[t]}"
        if len(rows) != 1:
            study.findings.wrong("budgets", row, f"{len(rows)} rows", "one row")
            continue
        study.findings.equal("budgets", f"{row}, used", float(rows["used"].iloc[0]), most, limit, ())
        study.findings.equal("budgets", f"{row}, limit", float(rows["limit"].iloc[0]), limit, 0.0, ())


def _contributions(study: Study, money: Money) -> None:
    facts, stored = study.facts, study.stored
    discount = facts.time.discount(facts.settings.economics.social_rate)
    spent = np.array([discount @ (money.spent(m, (*SPENT, "grant")) @ study.shown_weight) for m in range(facts.M)])
    total = float(spent.sum())
    frame = stored.tables["limits"]
    for r in facts.rows["contributions"]:
        own = float(spent[facts.members.index(r["member"])])
        off, most = abs(own - r["key"] * total), r["tolerance"] * total
        if study.required:
            study.findings.at_most("contribution keys", r["member"], off, most, float(np.abs(spent).sum()), ())
        if total > 0:
            mine = frame[(frame["kind"] == "contribution") & (frame["name"] == r["member"])]
            stated = float(mine["used"].iloc[0]) if len(mine) == 1 else float("nan")
            study.findings.equal("contribution keys", f"limits.csv, {r['member']}, used", stated, own / total, 1.0, ())


# -- owners' figures ----------------------------------------------------------------------------------------------


def _figures(study: Study, terms: Terms) -> None:
    """What the table of facilities says about owners."""
    plants, stored, facts = study.plants, study.stored, study.facts
    there = stored.facility_row >= 0
    if not there.any():
        return
    row = np.where(there, stored.facility_row, 0)
    names = (plants.codes,)

    def stated(column: str) -> Array:
        return stored.numbers("facilities", column)[row]

    years = facts.time.length / facts.time.length.sum()
    mean = np.einsum("t,ftw,w->f", years, stored.output, study.shown_weight)
    study.findings.equal("owners' figures", "expected_output_t_a", stated("expected_output_t_a"), mean, plants.capacity, names, there)
    normal = facts.normal & stored.shown & facts.modelled
    idle = stored.idle[:, :, normal].max(axis=(1, 2), initial=0.0)
    study.findings.equal("owners' figures", "idle_in_normal_t_a", stated("idle_in_normal_t_a"), idle, plants.capacity, names, there)
    anyway = (terms.alone_free.holds(SURE)).any(axis=1) & plants.candidate
    perhaps = (terms.alone_free.holds(-SURE)).any(axis=1) & plants.candidate
    flags = stored.tables["facilities"]["would_build_anyway"].to_numpy(dtype=bool)[row]
    if not study.package:
        study.findings.holds("owners' figures", "would_build_anyway", flags == anyway, names, there & (anyway == perhaps), "flag", "the other")
    best = np.where(plants.may_start, terms.alone_free.value, -np.inf).max(axis=1, initial=-np.inf)
    size = terms.alone_free.gross.max(axis=1, initial=0.0)
    known = plants.candidate & plants.may_start.any(axis=1)
    study.findings.equal("owners' figures", "owner_npv_without_usd", stated("owner_npv_without_usd"), best, size, names, there & known)
    if study.planner:
        return
    _earned(study, terms, row, there)


def _earned(study: Study, terms: Terms, row: Array, there: NDArray[np.bool_]) -> None:
    plants, stored = study.plants, study.stored
    names = (plants.codes,)
    alone, contract, grant, size = (terms.by_plant(part) for part in terms.npv)
    value = alone + contract + grant - terms.idling
    scale = size + terms.idling
    where = there & stored.stands
    npv = stored.numbers("facilities", "owner_npv_usd")[row]
    study.findings.equal("owners' figures", "owner_npv_usd", npv, value, scale, names, where)
    supported = terms.by_plant(terms.h + terms.g) > 0
    flags = stored.tables["facilities"]["supported"].to_numpy(dtype=bool)[row]
    study.findings.holds("owners' figures", "supported", flags == supported, names, there, "flag", "the other")
    rent = np.where(supported, np.maximum(0.0, np.where(plants.candidate, value, contract + grant)), 0.0)
    study.findings.equal("owners' figures", "rent_usd", stored.numbers("facilities", "rent_usd")[row], rent, scale, names, there)
    fixed = fixed_by(study)
    sure, perhaps = (plain_starts(study, terms, fixed, slack).any(axis=1) & ~stored.stands for slack in (SURE, -SURE))
    kept_out = stored.tables["facilities"]["kept_out"].to_numpy(dtype=bool)[row]
    study.findings.holds("owners' figures", "kept_out", kept_out == sure, names, there & (sure == perhaps), "flag", "the other")
    _cover(study, terms, row, there)


def _cover(study: Study, terms: Terms, row: Array, there: NDArray[np.bool_]) -> None:
    plants, stored = study.plants, study.stored
    asked = study.facts.settings.owners.cover
    surplus, _ = terms.bank
    service = (terms.alone.service * plants.capex)[:, None, None] * stored.B
    grant = (terms.alone.service * terms.by_plant(terms.g))[:, None, None] * stored.B
    weights = terms.by_plant(terms.w)[:, None, None]
    cash = terms.by_plant(surplus) - grant + service * weights - terms.forgone
    owed = service * weights - grant
    tested = terms.tested & (owed > 1e-9 * plants.capex[:, None, None])
    stated = stored.numbers("facilities", "cover_ratio")[row]
    ratio = np.where(tested, cash / np.where(tested, owed, 1.0), np.inf)
    least = ratio.min(axis=(1, 2), initial=np.inf)
    known = there & np.isfinite(least)
    derived = asked * np.where(known, least, 0.0)
    # where the grant leaves next to no debt, the ratio is a quotient of rounding errors
    clear = np.where(tested, owed, np.inf).min(axis=(1, 2), initial=np.inf) > 1e-6 * service.max(axis=(1, 2), initial=0.0)
    size = np.where(tested, (np.abs(cash) + service) / np.where(tested, owed, 1.0), 0.0).max(axis=(1, 2), initial=0.0) * asked
    study.findings.equal("owners' figures", "cover_ratio", stated, derived, size, (plants.codes,), known & clear)
