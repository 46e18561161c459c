"""The objective: term by term, in both accountings; the bound; and the figures that sum the plan up."""

from __future__ import annotations

import numpy as np

from orepact.solution.verification.costs import Costs
from orepact.solution.verification.money import SPENT, Money
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms
from orepact.solution.verification.timeline import Array
from orepact.solution.verification.welfare import Parties


def check_objective(study: Study, terms: Terms, money: Money) -> None:
    """Every rule about what the plan costs, and the summary."""
    costs = Costs(study, terms, money)
    stated = _terms(study, costs)
    _sums(study, costs, stated)
    if not study.planner:
        parties = Parties(study, terms, costs)
        names, shown = (study.facts.scenarios,), study.stored.shown
        study.findings.equal("second accounting", "cost of a scenario", stated.sum(axis=1), parties.loss, _size(costs), names, shown)
    _bound(study)
    _scenarios(study, costs, money)
    _indicators(study, money)
    _baseline(study)


def _size(costs: Costs) -> Array:
    """Σ |terms| of every scenario (W,)."""
    return np.asarray(sum((size.sum(axis=0) for size in costs.sizes.values()), start=np.zeros(costs.study.facts.W)))


def _terms(study: Study, costs: Costs) -> Array:
    """Compare every term; returns the stated cost (W, terms)."""
    facts, stored = study.facts, study.stored
    frame = stored.tables["cost_terms"]
    codes = {term: n for n, term in enumerate(dict.fromkeys([*costs.terms, *frame["term"].tolist()]))}
    numbers, i, t, w = stored.rows("cost_terms", term=codes, first_year=stored.periods, scenario=stored.with_expected())
    said = np.zeros((len(codes), facts.T, facts.W + 1))
    said[i, t, w] = stored.amounts("cost_terms", "usd", numbers, may_be_negative=True)
    nothing = np.zeros((facts.T, facts.W))
    # a term's rows are measured by its own parts; what is next to nothing, by a thousandth of the period's largest term
    largest = np.max([*costs.sizes.values(), nothing], axis=0) * 1e-3
    names = (stored.years, [*facts.scenarios, "expected"])
    for term, n in codes.items():
        derived, size = costs.terms.get(term, nothing), np.maximum(costs.sizes.get(term, nothing), largest)
        both = [np.concatenate([each, (each @ study.shown_weight)[:, None]], axis=1) for each in (derived, size)]
        study.findings.equal("cost terms", f"cost_terms.csv, {term}", said[n], both[0], both[1], names)
        expected = float(derived.sum(axis=0) @ study.shown_weight)
        total = study.summary["cost_terms"].get(term, 0.0)
        study.findings.equal("cost terms", f"solution.json, cost_terms, {term}", total, expected, float(both[1][:, -1].sum()), ())
    for term in study.summary["cost_terms"]:
        if term not in codes and study.summary["cost_terms"][term]:
            study.findings.wrong("cost terms", f"solution.json, cost_terms, {term}", study.summary["cost_terms"][term], "no such term")
    return np.asarray(said[:, :, : facts.W].sum(axis=1).T)


def _sums(study: Study, costs: Costs, stated: Array) -> None:
    """Scenarios to the objective; the worst of them weigh what the settings say."""
    facts, size = study.facts, _size(costs)
    shown = study.stored.shown
    study.findings.equal("objective", "stated terms of a scenario", stated.sum(axis=1), costs.by_scenario(), size, (facts.scenarios,), shown)
    cost, p = costs.by_scenario(), study.shown_weight
    scale = float(size @ p) + facts.settings.economics.cvar_weight * float(size[p > 0].max(initial=0.0))
    study.findings.equal("objective", "solution.json, objective", study.summary["objective"], _weighed(study, cost), scale, ())


def _weighed(study: Study, cost: Array) -> float:
    """The objective that scenarios' costs (W,) make: the mean, and the mean of the worst, weighted as the settings say."""
    economics, p = study.facts.settings.economics, study.shown_weight
    weight = economics.cvar_weight
    if weight == 0:
        return float(cost @ p)
    worst = min((eta + float(p @ np.maximum(cost - eta, 0.0)) / (1 - economics.cvar_level) for eta in cost[p > 0]), default=0.0)
    return (1 - weight) * float(cost @ p) + weight * worst


def _bound(study: Study) -> None:
    objective, bound, gap = (study.summary[name] for name in ("objective", "bound", "gap"))
    if bound is None:
        study.findings.holds("bound", "solution.json, gap", gap is None, (), stated=gap, derived="none: no bound is known")
        return
    study.findings.at_most("bound", "solution.json, bound", bound, objective, abs(objective), ())
    study.findings.equal("bound", "solution.json, gap", gap, abs(objective - bound) / max(abs(objective), 1e-9), 1.0, ())


def _scenarios(study: Study, costs: Costs, money: Money) -> None:
    facts, stored = study.facts, study.stored
    row, at = stored.scenario_row, stored.scenario_at
    names = ([facts.scenarios[w] for w in at],)
    years = facts.time.length
    spent = sum((money.spent(m, (*SPENT, "grant")) for m in range(facts.M)), start=np.zeros((facts.T, facts.W)))
    short = np.einsum("kptw,t->w", stored.shortage, years)
    figures = {
        "probability": (facts.p, 1.0),
        "cost_usd": (costs.by_scenario(), _size(costs)),
        "shortage_t": (short, float(study.size.sum())),
        "shortage_usd": (costs.terms["shortage"].sum(axis=0), 1e-3 * _size(costs)),
        "outlay_usd": (years @ spent, years @ money.scale),
        "idle_plants": (stored.idle.astype(bool).any(axis=1).sum(axis=0), 1.0),
    }
    for column, (derived, scale) in figures.items():
        size = np.broadcast_to(np.asarray(scale, dtype=float), (facts.W,))[at]
        study.findings.equal("scenarios", f"scenarios.csv, {column}", stored.numbers("scenarios", column)[row], np.asarray(derived)[at], size, names)
    for column, flags in (("normal", facts.normal), ("downside", facts.downside), ("stress_test", ~facts.modelled)):
        cells = stored.tables["scenarios"][column].to_numpy(dtype=bool)[row]
        study.findings.holds("scenarios", f"scenarios.csv, {column}", cells == flags[at], names, None, "flag", "the other")


def _indicators(study: Study, money: Money) -> None:
    facts, stored = study.facts, study.stored
    found = {name: entry["value"] for name, entry in study.summary["indicators"].items()}
    discount = facts.time.discount(facts.settings.economics.social_rate)
    derived: dict[str, tuple[float, float]] = {}
    if not study.planner:
        spent = sum((money.spent(m, (*SPENT, "grant")) for m in range(facts.M)), start=np.zeros((facts.T, facts.W)))
        earned = -sum((money.spent(m, ("levy", "release")) for m in range(facts.M)), start=np.zeros((facts.T, facts.W)))
        size = float(discount @ (money.scale @ study.shown_weight))
        derived["public_outlay_usd"] = float(discount @ (spent @ study.shown_weight)), size
        derived["public_revenue_usd"] = float(discount @ (earned @ study.shown_weight)), size
        bill = np.einsum("iktw,ktw->tw", study.path.demand[: facts.M], study.path.price)
        derived["user_bill_usd"] = float(discount @ (bill @ study.shown_weight)), 0.0
    before = study.summary["baseline"].get("objective")
    if before is not None:
        derived["extra_cost_usd"] = study.summary["objective"] - before, abs(study.summary["objective"]) + abs(before)
    short = np.einsum("kptw,t->w", stored.shortage, facts.time.length)
    derived["shortage_t"] = float(short @ study.shown_weight), float(study.size.sum())
    targets = stored.tables["targets"]
    missed = targets.loc[targets["slack"] < -1e-6 * targets["value"].abs().clip(lower=1.0), "target"].nunique()
    derived["targets"] = float(targets["target"].nunique()), 1.0
    derived["targets_met"] = float(targets["target"].nunique() - missed), 1.0
    for name, (value, scale) in derived.items():
        study.findings.equal("indicators", f"solution.json, {name}", found.get(name, np.nan), value, scale, ())


def _baseline(study: Study) -> None:
    """What is stored of the world without policy adds up."""
    baseline, facts, stored = study.summary["baseline"], study.facts, study.stored
    if not baseline:
        return
    terms = baseline["cost_terms"]
    size = sum(abs(usd) for usd in terms.values())
    frame = stored.tables["cost_terms"]
    before = stored.numbers("cost_terms", "before_usd")
    expected = frame["scenario"].to_numpy() == "expected"
    for term, usd in terms.items():
        own = expected & (frame["term"].to_numpy() == term)
        study.findings.equal("baseline", f"cost_terms.csv, before_usd, {term}", np.nansum(before[own]), usd, 1e-3 * size, ())
    mine = [float(np.nansum(before[frame["scenario"].to_numpy() == facts.scenarios[w]])) for w in stored.scenario_at]
    cost = np.zeros(facts.W)
    cost[stored.scenario_at] = mine
    study.findings.equal("baseline", "solution.json, objective", baseline["objective"], _weighed(study, cost), size, ())
    stated = stored.numbers("scenarios", "before_cost_usd")[stored.scenario_row]
    names = ([facts.scenarios[w] for w in stored.scenario_at],)
    study.findings.equal("baseline", "scenarios.csv, before_cost_usd", stated, mine, size, names, ~np.isnan(stated))
    if baseline["bound"] is not None:
        study.findings.at_most("baseline", "solution.json, bound", baseline["bound"], baseline["objective"], abs(baseline["objective"]), ())
