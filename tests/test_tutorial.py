"""The tutorial instance against the sums of docs/tutorial.md, which a reader can do by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

import orepact
from orepact.instance.instance import Instance
from orepact.solution.solution import Solution

FOLDER = Path(__file__).parent.parent / "instances" / "tutorial"
CALM, FLOOD = 0.8, 0.2
EXACT = 1e-6

# Members' cost per year, USD, as the tutorial lays it out. Without the new smelter, in either half:
BEFORE = {
    "calm": 9_000 * 6_400 + 1_000 * 1_800 + 2_000 * 1_000 + 9_000 * 100 + 2_000 * 20,
    "flood": 9_000 * 4_000 + 1_000 * 1_800 + 2_000 * 1_000 + 9_000 * 100 + 2_000 * 20,
}
# With it, 2031–2035, and a guarantee on 2,500 t:
AFTER = {
    "calm": 6_000 * 6_400 + 1_000 * 1_800 + 3_000 * 3_200 + 8_000 * 1_000 + 6_000 * 100 + 8_000 * 20 + 2_400_000,
    "flood": 6_500 * 4_000 + 1_000 * 1_800 + 2_500 * 3_200 + 7_000 * 1_000 + 6_500 * 100 + 7_000 * 20 + 2_400_000 + 0.25 * 2_500 * 2_000,
}
# With it and a floor of 6,250 USD/t instead of the guarantee: less is used, and a tenth of the levy leaks.
WITH_FLOOR = {
    "calm": AFTER["calm"],
    "flood": 4_000 * (4_000 + 0.1 * 2_250) + 1_000 * 1_800 + 3_000 * 3_200 + 8_000 * 1_000 + 4_000 * 100 + 8_000 * 20 + 2_400_000 + 10_000_000,
}


def ten_years(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Expected cost of five years like `first` and five like `second`."""
    return 5 * sum(CALM * half["calm"] + FLOOD * half["flood"] for half in (first, second))


def solve(instance: Instance, **options: object) -> Solution:
    return orepact.solve(instance, orepact.SolveOptions(**{"gap": 0, "progress": False, "threads": 1, **options}))


def where(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Rows in which the named columns have the given values."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table


@pytest.fixture(scope="module")
def instance() -> Instance:
    return orepact.read(FOLDER)


@pytest.fixture(scope="module")
def plan(instance: Instance) -> Solution:
    return solve(instance)


def test_the_plan_costs_what_the_tutorial_says(plan: Solution) -> None:
    assert plan.result.status == "solved"
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, AFTER), rel=EXACT)
    assert plan.result.objective == pytest.approx(581_180_000, rel=EXACT)


def test_no_policy_costs_less_and_breaks_the_cap(plan: Solution) -> None:
    assert plan.baseline["objective"] == pytest.approx(ten_years(BEFORE, BEFORE), rel=EXACT)
    cap = where(plan.table("targets"), target="metal_from_corva").set_index("scenario")
    assert cap["before"].tolist() == pytest.approx([0.9, 0.9])
    assert cap["achieved"]["calm"] == pytest.approx(0.6)
    assert cap["achieved"]["flood"] == pytest.approx(0.65)


def test_cost_terms(plan: Solution) -> None:
    terms = plan.cost_terms
    smelted = 3_000 * CALM + 2_500 * FLOOD
    assert terms["capital"] == pytest.approx(5 * 2_400_000, rel=EXACT)
    assert terms["operation"] == pytest.approx(10 * 1_000 * 1_800 + 5 * smelted * 3_200, rel=EXACT)
    assert terms["partner goods"] == pytest.approx(10 * 2_000 * 1_000 + 5 * 2 * smelted * 1_000, rel=EXACT)
    assert terms["public money"] == pytest.approx(5 * FLOOD * 0.25 * 2_500 * 2_000, rel=EXACT)
    assert sum(terms.values()) == pytest.approx(plan.result.objective, rel=EXACT)


def test_a_guarantee_on_2500_tonnes_and_free_trade(plan: Solution) -> None:
    assert set(plan.table("rungs")["kind"]) == {"free"}
    contracts = plan.table("contracts")
    assert set(contracts["facility"]) == {"alda_smelter"}
    assert set(contracts["contract"]) == {"guarantee"}
    assert (contracts["volume_t_a"]).sum() == pytest.approx(2_500, rel=EXACT)
    paid = where(plan.table("payments"), facility="alda_smelter", first_year=2031).groupby("scenario")["usd_a"].sum()
    assert paid["flood"] == pytest.approx(2_500 * 2_000, rel=EXACT)


def test_who_builds(plan: Solution) -> None:
    plants = plan.table("facilities").set_index("facility")
    assert plants["built"].to_dict() == {"old_mine": True, "new_mine": True, "old_smelter": True, "alda_smelter": True, "brena_smelter": False}
    assert bool(plants["would_build_anyway"]["new_mine"])
    recovery = 0.06 / (1 - 1.06**-10)
    discount = 5 * 1.06**-7.5
    earned = 3_000 * CALM * 1_200 + FLOOD * 2_500 * 800 - recovery * 24_000_000
    assert plants["owner_npv_usd"]["alda_smelter"] == pytest.approx(discount * earned, rel=1e-4)


def test_what_the_plan_buys_when_corva_stops_selling(plan: Solution) -> None:
    ban = where(plan.table("scenarios"), scenario="ban").iloc[0]
    assert ban["before_shortage_t"] == pytest.approx(5 * 9_000, rel=EXACT)
    assert ban["shortage_t"] == pytest.approx(5 * 6_000, rel=EXACT)
    easy, hard = 5_000 * 2 * 6_400, 5 * 6_400
    assert ban["shortage_usd"] == pytest.approx(5 * (easy + 1_000 * hard), rel=EXACT)
    assert ban["before_cost_usd"] - ban["cost_usd"] == pytest.approx(389_400_000, rel=EXACT)


def test_the_page_shows_what_the_card_says(plan: Solution) -> None:
    page = (FOLDER.parent.parent / "docs" / "tutorial.md").read_text(encoding="utf-8")
    card = " ".join(orepact.plan_card_text(plan).split())
    shown = page.split("```")[1].strip().splitlines()
    assert [line for line in shown if " ".join(line.split()) not in card] == []


def test_every_price_path_costs_what_the_tutorial_says(plan: Solution) -> None:
    bounds = dict(zip(plan.table("paths")["path"], plan.table("paths")["bound"], strict=True))
    floor_early = {"calm": BEFORE["calm"], "flood": 7_000 * 4_225 + 3_840_000 + 7_000 * 100 + 10_000_000}
    assert sorted(usd for usd in bounds.values() if usd > 0) == pytest.approx(
        [ten_years(BEFORE, AFTER), ten_years(BEFORE, WITH_FLOOR), ten_years(floor_early, AFTER), ten_years(floor_early, WITH_FLOOR)], rel=EXACT
    )


def test_dear_public_money_makes_the_floor_win(instance: Instance) -> None:
    plan = solve(instance.with_setting("economics.public_money_premium", 0.7))
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, WITH_FLOOR), rel=EXACT)
    assert plan.table("contracts").empty
    assert where(plan.table("rungs"), first_year=2031, product="metal")["rung"].tolist() == ["floor"]


def test_a_tight_budget_makes_the_floor_win(instance: Instance) -> None:
    plan = solve(instance.with_table("budgets", instance.table("budgets").assign(limit=4_000_000.0)))
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, WITH_FLOOR), rel=EXACT)


def evaluate(instance: Instance, package: str) -> Solution:
    """What a package of the tutorial's own folder comes to."""
    text = (FOLDER / "packages" / package).read_text(encoding="utf-8")
    return orepact.evaluate(instance, orepact.parse_package(text, instance, package), orepact.SolveOptions(gap=0, progress=False, threads=1))


def test_a_guarantee_for_brenas_smelter_is_gone_abroad(instance: Instance) -> None:
    plan = evaluate(instance, "brena.toml")
    assert set(plan.table("contracts")["facility"]) == {"brena_smelter"}
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, BEFORE) + 5 * FLOOD * 1.25 * 2_500 * 2_000, rel=EXACT)


def test_a_floor_of_ones_own(instance: Instance) -> None:
    assert evaluate(instance, "floor.toml").result.objective == pytest.approx(ten_years(BEFORE, WITH_FLOOR), rel=EXACT)


def test_the_card_says_how_much_is_assumed(instance: Instance) -> None:
    assert re.search(r"\d+ % of \d+ figures are assumed", orepact.plan_card_text(solve(instance)))


def test_an_owner_who_would_not_sign_is_named(instance: Instance) -> None:
    plan = evaluate(instance, "small.toml")
    assert any("Alda's new smelter" in note for note in plan.notes)
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, BEFORE), rel=EXACT)
    assert plan.table("targets")["achieved"].tolist() == pytest.approx([0.9, 0.9])
    assert (plan.table("targets")["slack"] < 0).all()


def test_without_the_cap_nothing_is_bought(instance: Instance) -> None:
    plan = solve(instance.with_table("targets", instance.table("targets").iloc[:0]))
    assert plan.result.objective == pytest.approx(ten_years(BEFORE, BEFORE), rel=EXACT)


def test_with_a_looser_cap_the_owner_sets_the_volume(instance: Instance) -> None:
    plan = solve(instance.with_table("targets", instance.table("targets").assign(value=0.7)))
    recovery = 0.06 / (1 - 1.06**-10)
    least = (recovery * 24_000_000 - 3_000 * CALM * 1_200) / (FLOOD * 800)
    assert plan.table("contracts")["volume_t_a"].sum() == pytest.approx(least, rel=1e-5)


def test_the_first_best_lets_brena_fill_in(instance: Instance) -> None:
    """The planner may build Brena's smelter for nothing, and stop Alda's in a flood."""
    best = {"calm": AFTER["calm"], "flood": BEFORE["flood"] + 2_400_000}
    assert solve(instance, behaviour="planner").result.objective == pytest.approx(ten_years(BEFORE, best), rel=EXACT)


def test_one_model_over_all_paths_agrees(instance: Instance, plan: Solution) -> None:
    assert solve(instance, method="milp").result.objective == pytest.approx(plan.result.objective, rel=EXACT)
