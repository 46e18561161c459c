"""Extraction: tables that add up, say what the model says, and fit the solution format, whatever the instance has in it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from orepact.formulation.targets.common import use
from orepact.formulation.targets.reliance import capped_sources, relied_on
from orepact.formulation.treasury import revenue
from orepact.instance.instance import Instance
from orepact.instance.schema import ALL
from orepact.market.offers import Market
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solution.explained import TABLES as EXPLAINED
from orepact.solution.extraction import Extracted, extract
from orepact.solution.extraction.outturn import Outturn
from orepact.solution.extraction.security import relied_shares
from orepact.solution.schema import EXPECTED, OUTPUT
from orepact.solution.solution import Solution
from orepact.solver.batch import Plan
from orepact.solver.clock import Clock
from orepact.solver.examine import Record
from orepact.solver.outcome import Outcome
from orepact.solver.result import SolveResult, Status
from orepact.solver.search import BASELINE, search
from orepact.solver.stress import play, without_policy
from random_instances import random_instance
from tiny_instances import plant, project, tiny, two_stages

Behaviour = Literal["market", "planner"]
Method = Literal["paths", "milp"]
TONNE = 1e-5
"""Tonnes that a solver's tolerance may leave in a sum of millions."""


@dataclass(frozen=True)
class Played:
    """An instance solved, with its baseline and stress tests, and what was extracted."""

    instance: Instance
    market: Market
    outcome: Outcome
    plan: Plan
    baseline: Plan | None
    stress: dict[int, Plan | None]
    extracted: Extracted

    def table(self, name: str) -> pd.DataFrame:
        return self.extracted.tables[name]


def run_through(instance: Instance, behaviour: Behaviour = "market", method: Method = "paths") -> Played | None:
    """Solve, stress and extract; None if there is no plan."""
    market, options = Market(world_of(instance)), SolveOptions(behaviour=behaviour, method=method, gap=1e-9, threads=1)
    clock = Clock(options.time_limit)
    outcome = search(market, options, clock)
    if outcome.plan is None:
        return None
    baseline = without_policy(market, BASELINE, options, clock)
    stress = play(market, outcome.plan, options, clock)
    before = play(market, baseline, options, clock) if baseline else {}
    return Played(instance, market, outcome, outcome.plan, baseline, stress, extract(outcome.plan, baseline, stress, before, outcome))


@cache
def played(seed: int, behaviour: Behaviour) -> Played:
    """A random instance, with a stress test added: everybody outside sells half."""
    instance = random_instance(seed)
    for name, row in (("scenarios", {"scenario": "half", "probability": 0.0}), ("shocks", {"scenario": "half", "kind": "supply", "value": 0.5})):
        instance = instance.with_table(name, pd.concat([instance.table(name), pd.DataFrame([row])], ignore_index=True))
    found = run_through(instance, behaviour, "paths" if seed % 2 else "milp")
    if found is None:
        pytest.skip("no plan")
    return found


QUICK = (5, 9, 18, 25, 34, 39, 46, 53, 66, 85)
"""Between them: every instrument, kind of target, kind of flow and kind of limit, portfolios, idle plants, both perimeters."""
SEEDS = [pytest.param(seed, marks=() if seed in QUICK else pytest.mark.slow) for seed in range(100)]
BEHAVIOURS: tuple[Behaviour, ...] = ("market", "planner")

seeds = pytest.mark.parametrize("seed", SEEDS)
behaviours = pytest.mark.parametrize("behaviour", BEHAVIOURS)


@seeds
@behaviours
def test_cost_terms_add_up_to_the_objective(seed: int, behaviour: Behaviour) -> None:
    run = played(seed, behaviour)
    economics, world = run.instance.settings.economics, run.market.world
    total = sum(run.extracted.cost_terms.values())
    if economics.cvar_weight == 0:
        assert total == pytest.approx(run.plan.objective * world.money_unit, rel=1e-9)
    scenarios = run.table("scenarios")
    assert (scenarios["probability"] * scenarios["cost_usd"]).sum() == pytest.approx(total, rel=1e-9)
    terms = run.table("cost_terms")
    assert terms.loc[terms["scenario"] == EXPECTED, "usd"].sum() == pytest.approx(total, rel=1e-9)
    by_scenario = terms.groupby("scenario")["usd"].sum()
    for row in scenarios.to_dict("records"):
        assert by_scenario[row["scenario"]] == pytest.approx(row["cost_usd"], rel=1e-9)
    if run.baseline is not None:
        assert run.extracted.baseline["objective"] == pytest.approx(run.baseline.objective * world.money_unit)
        if economics.cvar_weight == 0:
            assert sum(run.extracted.baseline["cost_terms"].values()) == pytest.approx(run.extracted.baseline["objective"], rel=1e-9)


@seeds
@behaviours
def test_the_balance_adds_up_and_agrees_with_flows_and_output(seed: int, behaviour: Behaviour) -> None:
    run = played(seed, behaviour)
    balance, flows = run.table("balance"), run.table("flows")
    into = balance[["made", "imports", "trade_in", "shortage", "release"]].sum(axis=1)
    out_of = balance[["used", "trade_out", "demand", "purchases", "exports", "glut", "overflow"]].sum(axis=1)
    scale = 1 + into.max() if len(balance) else 1.0
    assert (into - out_of).abs().max() < 1e-8 * scale
    assert (balance.drop(columns=["product", "node", "first_year", "scenario"]) >= -TONNE).all().all()
    for kind, column in (("import", "imports"), ("export", "exports"), ("glut", "glut"), ("overflow", "overflow")):
        assert flows.loc[flows["kind"] == kind, "amount_t_a"].sum() == pytest.approx(balance[column].sum(), abs=1e-8 * scale)
    inside = flows["kind"].isin(["partner_to_member", "member_to_partner", "between_members", "between_partners"])
    assert flows.loc[inside, "amount_t_a"].sum() == pytest.approx(balance["trade_in"].sum(), abs=1e-8 * scale)
    world = run.market.world
    made = sum(
        row["output_t_a"] * world.flow[f].clip(min=0).sum()
        for row in run.table("output").to_dict("records")
        for f in [[p.code for p in world.plants].index(row["facility"])]
    )
    assert made == pytest.approx(balance["made"].sum(), abs=1e-8 * scale)


@seeds
@behaviours
def test_every_target_is_met_in_normal_scenarios(seed: int, behaviour: Behaviour) -> None:
    run = played(seed, behaviour)
    targets = run.table("targets")
    assert (targets["slack"] >= -1e-7 * targets["value"].clip(lower=1.0)).all()
    assert run.extracted.indicators["targets"] == targets["target"].nunique()
    assert run.extracted.indicators["targets_met"] == targets["target"].nunique()
    normal = {code for code, flag in zip(run.market.world.scenarios, run.market.world.normal, strict=True) if flag}
    assert set(targets["scenario"]) <= normal
    assert targets["before"].notna().all() == (run.baseline is not None or targets.empty)


@seeds
def test_reliance_is_what_the_caps_would_see(seed: int) -> None:
    run = played(seed, "market")
    world, model, case = run.market.world, run.plan.built.model, run.plan.built.case
    out = Outturn(run.plan, {})
    t, w = world.horizon.periods - 1, case.scenarios[-1]
    cell, values = (np.array([t]), np.array([w])), run.plan.values
    for k, product in enumerate(world.products):
        for source in capped_sources(case, {"source_country": ALL, "products": [product]}):
            for nodes in [list(range(len(world.nodes))), *([[0]] if world.routed[k] else [])]:
                used = float(use(model, case, k, nodes, *cell).value(values)[0])
                expected = float(relied_on(model, case, k, source, nodes, True, *cell).value(values)[0]) / used if used > 0 else 0.0
                assert relied_shares(out, k, source, nodes)[1][t, w] == pytest.approx(expected, abs=1e-8)


@seeds
def test_payments_are_what_treasuries_spend_and_earn(seed: int) -> None:
    run = played(seed, "market")
    world, payments = run.market.world, run.table("payments")
    paid = payments.groupby(["member", "instrument", "first_year", "scenario"])["usd_a"].sum()
    scale = 1 + payments["usd_a"].abs().max() if len(payments) else 1.0
    for plan in (run.plan, *(p for p in run.stress.values() if p is not None)):
        model, case = plan.built.model, plan.built.case
        earned = revenue(model, case).value(plan.values).reshape(world.members, *case.span)
        for (m, instrument, t, w), column in model.treasury.spending.items():
            row = (world.nodes[m], instrument, int(world.horizon.start[t]), world.scenarios[w])
            assert paid.get(row, 0.0) == pytest.approx(plan.values[column] * world.money_unit, abs=1e-7 * scale)
        for m, t, w in itertools.product(range(world.members), case.periods, case.scenarios):
            sources = [(world.nodes[m], kind, int(world.horizon.start[t]), world.scenarios[w]) for kind in ("levy", "release")]
            assert -sum(paid.get(source, 0.0) for source in sources) == pytest.approx(earned[m, t, w] * world.money_unit, abs=1e-7 * scale)
    grants, years = run.table("grants"), dict(zip(world.horizon.start, world.horizon.length, strict=True))
    for scenario in (EXPECTED, world.scenarios[run.plan.built.case.scenarios[0]]):
        yearly = payments[(payments["instrument"] == "grant") & (payments["scenario"] == scenario)]
        assert (yearly["usd_a"] * yearly["first_year"].map(years)).sum() == pytest.approx(grants["grant_usd"].sum())
    probability = dict(zip(world.scenarios, world.probability, strict=True))
    single = payments[payments["scenario"] != EXPECTED]
    assert payments.loc[payments["scenario"] == EXPECTED, "usd_a"].sum() == pytest.approx(
        (single["usd_a"] * single["scenario"].map(probability)).sum(), abs=1e-7 * scale
    )


@seeds
def test_owners_and_lenders_got_what_they_asked(seed: int) -> None:
    run = played(seed, "market")
    owners, world = run.instance.settings.owners, run.market.world
    capex = {p.code: p.capex * world.money_unit for p in world.plants}
    for row in run.table("facilities").to_dict("records"):
        if row["status"] == "candidate" and row["built"]:
            close = 1e-6 * max(capex[row["facility"]], 1.0)
            assert row["owner_npv_usd"] >= -close
            assert row["rent_usd"] <= owners.rent_cap * capex[row["facility"]] + close or not row["supported"]
            assert pd.isna(row["cover_ratio"]) or row["cover_ratio"] >= owners.cover - 1e-6
            assert row["start_year"] <= row["first_output_year"]
        assert row["built"] or row["expected_output_t_a"] == 0
        assert not (row["built"] and row["kept_out"])
    supported = set(run.table("contracts")["facility"]) | set(run.table("grants")["facility"])
    facilities = run.table("facilities")
    assert set(facilities.loc[facilities["supported"], "facility"]) == supported


@seeds
@behaviours
def test_tables_fit_the_solution_format(seed: int, behaviour: Behaviour) -> None:
    run = played(seed, behaviour)
    found = run.extracted
    assert set(found.tables) == set(OUTPUT) - {"sources", "citations", *EXPLAINED}
    result = SolveResult(Status.SOLVED, behaviour, "paths", objective=run.plan.objective * run.market.world.money_unit)
    solution = Solution(result, run.instance.settings, SolveOptions(), {}, found.tables, found.cost_terms, found.baseline, found.indicators, notes=found.notes)
    for name, table in found.tables.items():
        assert solution.table(name).equals(table)
        key = list(OUTPUT[name].key) + (["payer"] if name == "contracts" else [])
        assert name == "limits" or not key or not table.duplicated(key).any()
    policy = ["rungs", "contracts", "grants", "payments"]
    if behaviour == "planner":
        assert all(found.tables[name].empty for name in policy)
        assert not {"public_outlay_usd", "user_bill_usd"} & set(found.indicators)
    else:
        assert {"public_outlay_usd", "user_bill_usd", "shortage_t"} <= set(found.indicators)
    lived_through = [w for w, plan in run.stress.items() if plan is not None]
    assert run.table("scenarios")["stress_test"].sum() == len(lived_through)
    assert any("Stress tests without a solution" in note for note in found.notes) == (len(lived_through) < len(run.stress))


# ---- numbers that can be written out -----------------------------------------------------------------------------

SUPPORTED = {
    "facilities": [project(opex=95.0)],
    "contracts": [{"contract": "floor", "products": "M", "strike": 120.0}],
    "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}],
}
"""A project that earns 5 USD on each of 500 t a year and needs 10,000 USD a year for its capital; half of use must be own."""


def hand(instance: Instance) -> Played:
    """A run that has a plan."""
    run = run_through(instance)
    assert run is not None
    return run


def test_a_supported_project_by_hand() -> None:
    run = hand(tiny(SUPPORTED))
    contract, plant_row = run.table("contracts").iloc[0], run.table("facilities").iloc[0]
    lacking = 10_000 - 5 * 500
    assert contract["volume_t_a"] == pytest.approx(lacking / (120 - 100))
    assert contract["share_of_capacity"] == pytest.approx(375 / 500)
    assert contract["expected_payment_usd_a"] == pytest.approx(lacking)
    assert contract["worst_payment_usd_a"] == pytest.approx(lacking)
    assert (contract["payer"], contract["instrument"], contract["weight"]) == ("USA", "offtake", pytest.approx(1.0))
    assert plant_row["owner_npv_usd"] == pytest.approx(0.0, abs=1e-3)
    assert plant_row["owner_npv_without_usd"] == pytest.approx(-lacking)
    assert plant_row["capex_usd"] == pytest.approx(100_000)
    assert plant_row["expected_output_t_a"] == pytest.approx(500)
    assert (plant_row["start_year"], plant_row["first_output_year"]) == (2026, 2026)
    assert not plant_row["would_build_anyway"]
    target = run.table("targets").iloc[0]
    assert (target["achieved"], target["before"], target["binding"]) == (pytest.approx(0.5), 0.0, True)
    premium = run.instance.settings.economics.public_money_premium
    terms = {"operation": 95 * 500, "capital": 10_000, "imports": 100 * 500, "public money": premium * lacking}
    assert {name: usd for name, usd in run.extracted.cost_terms.items() if usd} == pytest.approx(terms)
    found = run.extracted.indicators
    assert found["extra_cost_usd"] == pytest.approx(sum(terms.values()) - 100 * 1000)
    assert found["public_outlay_usd"] == pytest.approx(lacking)
    assert found["user_bill_usd"] == found["user_bill_before_usd"] == pytest.approx(100 * 1000)
    assert (found["targets_met"], found["targets_met_before"]) == (1, 0)
    flow = run.table("flows").iloc[0]
    assert (flow["kind"], flow["origin"], flow["destination"], flow["price_usd_t"]) == ("import", "CHN", "members", pytest.approx(100))
    reliance = run.table("reliance").iloc[0]
    assert (reliance["direct_share"], reliance["before_look_through_share"]) == (pytest.approx(0.5), pytest.approx(1.0))


def test_rent_of_a_plant_that_stands_anyway_is_what_support_adds() -> None:
    """At a cash cost of 110 USD/t it runs only under its contract at 130; its owner discounts the year at 10 %."""
    contract = {"contract": "floor", "products": "M", "strike": 130.0, "existing": True}
    run = hand(tiny({**SUPPORTED, "facilities": [plant(opex=110.0)], "contracts": [contract]}))
    row = run.table("facilities").iloc[0]
    assert row["rent_usd"] == pytest.approx((130 - 110) * 500 * 1.1**-0.5)
    assert (row["built"], row["supported"], row["capex_usd"]) == (True, True, 0)
    assert row[["start_year", "owner_npv_without_usd", "cover_ratio"]].isna().all()
    assert run.table("contracts")["expected_payment_usd_a"].tolist() == pytest.approx([(130 - 100) * 500])
    assert run.table("output")["margin_usd_t"].tolist() == pytest.approx([100 - 110])


def test_a_grant_falls_due_over_the_period_in_which_building_starts() -> None:
    tables = {**SUPPORTED, "contracts": [], "budgets": [{"member": "USA", "instrument": "grant", "limit": 60_000.0}]}
    run = hand(tiny(tables, years=(2,), owners={"grant_cap": 1.0}))
    grant = 10 * (10_000 - 5 * 500)  # an annuity of a tenth each year closes the gap
    assert run.table("grants")["grant_usd"].tolist() == pytest.approx([grant])
    assert run.table("grants")["share_of_capex"].tolist() == pytest.approx([grant / 100_000])
    assert run.table("payments")["usd_a"].tolist() == pytest.approx([grant / 2] * 2)
    budget = run.table("limits").iloc[0]
    assert (budget["kind"], budget["name"], budget["used"], budget["binding"]) == ("budget", "USA grant", pytest.approx(grant / 2), False)


def test_lenders_cover_counts_support_and_grants() -> None:
    downside = {"scenarios": [{"scenario": "s", "probability": 1.0, "downside": True}]}
    run = hand(tiny({**SUPPORTED, **downside}, owners={"cover": 1.2, "debt_share": 0.5, "debt_rate": 0.0, "debt_tenor": 10}))
    cash, service = 5 * 500 + 7_500, 0.5 * 100_000 / 10
    assert run.table("facilities")["cover_ratio"].tolist() == pytest.approx([cash / service])


def test_a_project_kept_out_is_named() -> None:
    """Carrying a tonne to the hub costs the alliance more than the project saves, which its owner does not see."""
    freight = [{"product": "M", "origin": "USA", "destination": "ZONE", "cost": 50.0}]
    run = hand(tiny({"facilities": [project(name="Ridge mill")], "freight": freight}))
    row = run.table("facilities").iloc[0]
    assert (row["kept_out"], row["built"], row["would_build_anyway"]) == (True, False, True)
    assert row["owner_npv_without_usd"] == pytest.approx(60 * 500 - 10_000)
    assert next(note for note in run.extracted.notes if "Ridge mill" in note).startswith("Kept out")


def test_a_plant_without_feed_is_named() -> None:
    """600 t of ore make 300 t of metal where 500 t could be made."""
    facilities = [plant(facility="smelter", name="Bay smelter", process="smelt")]
    supply = [{"country": "CHN", "product": k, "year": 2026, "available": most} for k, most in (("O", 600.0), ("M", 10_000.0))]
    run = hand(two_stages({"facilities": facilities, "outside_supply": supply}))
    assert run.table("facilities")["idle_in_normal_t_a"].tolist() == pytest.approx([200])
    assert run.table("output")[["output_t_a", "idle_t_a", "margin_usd_t"]].to_numpy().tolist() == [pytest.approx([300, 200, 100 - 40 - 2 * 10])]
    assert any("Bay smelter" in note and "200 t/a" in note for note in run.extracted.notes)
    supply_row = run.table("limits").iloc[0]
    assert (supply_row["kind"], supply_row["name"], supply_row["limit"]) == ("supply", "O CHN", pytest.approx(600))
    assert run.table("scenarios")["idle_plants"].tolist() == [1]


def test_a_stress_test_ends_in_a_row_of_its_own() -> None:
    """A quarter of supply is lost for ever: 250 t of metal that cost the world price five times over."""
    scenarios = [{"scenario": "s", "probability": 1.0}, {"scenario": "cut", "probability": 0.0}]
    tables = {
        "scenarios": scenarios,
        "shocks": [{"scenario": "cut", "kind": "supply", "country": "CHN", "value": 0.75}],
        "shortage_costs": [{"product": "M", "block": 1, "share": 1.0, "price_multiple": 5.0}],
    }
    run = hand(tiny(tables, available=1000.0))
    row = run.table("scenarios").iloc[1]
    assert (row["scenario"], row["stress_test"], row["normal"]) == ("cut", True, False)
    assert row["shortage_t"] == row["before_shortage_t"] == pytest.approx(250)
    assert row["shortage_usd"] == pytest.approx(250 * 500)
    assert row["cost_usd"] == pytest.approx(750 * 100 + 250 * 500)
    assert run.extracted.indicators["shortage_t"] == 0
    failed = extract(run.plan, run.baseline, dict.fromkeys(run.stress), {}, run.outcome)
    assert failed.tables["scenarios"]["scenario"].tolist() == ["s"]
    assert failed.notes[0] == "Stress tests without a solution, left out of the tables: cut. What the plan decides beforehand can't be carried through there."


def test_without_a_baseline_nothing_is_said_of_before() -> None:
    run = hand(tiny(SUPPORTED))
    found = extract(run.plan, None, {}, {}, run.outcome)
    assert found.baseline == {}
    assert not {"extra_cost_usd", "user_bill_before_usd", "shortage_before_t", "targets_met_before"} & set(found.indicators)
    for name, column in (("targets", "before"), ("cost_terms", "before_usd"), ("scenarios", "before_cost_usd"), ("reliance", "before_direct_share")):
        assert found.tables[name][column].isna().all()


def test_paths_come_best_first_and_those_without_a_plan_last() -> None:
    run = hand(tiny(SUPPORTED))
    label = run.plan.path
    records = (
        Record(replace(label, label="none"), bound=float("inf"), status="no plan"),
        Record(replace(label, label="second"), objective=3.0, bound=2.0, status="solved"),
        Record(replace(label, label="open"), bound=4.0, status="bound by LP"),
        Record(replace(label, label="first"), objective=2.5, bound=2.5, status="solved"),
    )
    table = extract(run.plan, None, {}, {}, replace(run.outcome, records=records)).tables["paths"]
    assert table["path"].tolist() == ["first", "second", "open", "none"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["objective"].tolist()[:2] == pytest.approx([2.5 * run.market.world.money_unit, 3.0 * run.market.world.money_unit])
    assert table[["objective", "bound"]].iloc[3].isna().all()


def test_the_baseline_says_how_well_it_is_known() -> None:
    run = hand(tiny(SUPPORTED))
    assert run.baseline is not None
    assert (run.extracted.baseline["status"], run.extracted.baseline["gap"]) == ("solved", pytest.approx(0.0, abs=1e-9))
    loose = replace(run.baseline, bound=0.99 * run.baseline.objective)
    known = extract(run.plan, loose, {}, {}, run.outcome, gap=0.001).baseline
    assert (known["status"], known["gap"]) == ("limit", pytest.approx(0.01))
    assert known["bound"] == pytest.approx(0.99 * 100 * 1000)
