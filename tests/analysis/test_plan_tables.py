"""Tables derived from a stored plan: each figure as the sum written out, and laws that tie them to the tables they come from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

import orepact
from orepact.analysis.chain import Chain
from orepact.analysis.derived import DERIVED
from orepact.analysis.plan_tables import plan_tables
from orepact.analysis.view import View
from orepact.errors import OptionError
from orepact.solution.schema import EXPECTED, OUTPUT
from orepact.solution.solution import Solution
from random_instances import random_instance
from tiny_instances import project, tiny
from tutorial_runs import plan

OPTIONS = orepact.SolveOptions(threads=1, gap=1e-9, progress=False)
SUPPORTED = {
    "facilities": [project(opex=95.0)],
    "contracts": [{"contract": "floor", "products": "M", "strike": 120.0}],
    "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}],
}
"""A project that earns 5 USD on each of 500 t a year and lacks 7,500 USD a year; half of use must be own."""
SEEDS = (5, 9, 18, 34, 39)


@cache
def random_run(seed: int) -> Solution | None:
    solution = orepact.solve(random_instance(seed), OPTIONS)
    return solution if solution.has_plan else None


def some_run(seed: int) -> Solution:
    solution = random_run(seed)
    if solution is None:
        pytest.skip("no plan")
    return solution


def test_tables_have_exactly_their_columns() -> None:
    tables = plan_tables(plan())
    assert list(tables) == [*DERIVED, *OUTPUT]
    for name, about in DERIVED.items():
        assert list(tables[name].columns) == [column.name for column in about.columns]
        if about.key:
            assert not tables[name].duplicated(list(about.key)).any(), name


def test_what_a_tonne_costs_by_hand() -> None:
    tables = plan_tables(orepact.solve(tiny(SUPPORTED), OPTIONS))
    row = tables["who_pays"].iloc[0]
    assert row["expected_usd"] == pytest.approx(7_500)
    assert row["supported_t"] == pytest.approx(7_500 / (120 - 100))
    assert row["usd_per_supported_t"] == pytest.approx(120 - 100)
    assert row["additional_t"] == pytest.approx(500)
    assert row["usd_per_additional_t"] == pytest.approx(7_500 / 500)
    assert row["above_world_usd_t"] == pytest.approx(7_500 / 500)
    project_row = tables["projects"].iloc[0]
    assert (project_row["outcome"], project_row["support_usd"]) == ("built with support", pytest.approx(7_500))
    assert tables["member_payments"][["member", "instrument", "expected_usd", "worst_usd_a"]].to_numpy().tolist() == [
        ["USA", "offtake", pytest.approx(7_500), pytest.approx(7_500)]
    ]
    figures = tables["key_figures"].set_index("figure")["value"]
    assert (figures["built"], figures["built_because"], figures["contracts"], figures["supported"]) == (1, 1, 1, 1)


def test_key_figures_name_the_cell_they_equal() -> None:
    solution = plan()
    summary = solution.summary()
    for row in plan_tables(solution)["key_figures"].to_dict("records"):
        file, _, path = row["source"].partition(": ")
        if file == "solution.json":
            value: Any = summary
            for part in path.split("."):
                value = value[part]
            assert row["value"] == pytest.approx(value["value"] if isinstance(value, dict) else value), row["figure"]


def test_the_supply_curve_adds_up_by_hand() -> None:
    """1,000 t at 3,800 stand; a smelter of 3,000 t at 5,000 + its capital is not built, one at 5,200 is; Corva asks the world price."""
    metal = plan_tables(plan())["merit_order"].query("product == 'metal'")
    assert metal["seller"].tolist() == ["old_smelter", "brena_smelter", "alda_smelter", "COR"]
    assert metal["from_t_a"].tolist() == [0, 1000, 4000, 7000]
    assert metal["cost_usd_t"].tolist() == pytest.approx([3800, 5000, 5200, 6400])
    assert metal["state"].tolist() == ["runs", "not built", "runs", "sells"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sold_in_the_supply_table_is_what_is_made_and_imported(seed: int) -> None:
    solution = some_run(seed)
    view = View(solution)
    supply, output, flows = (solution.table(name) for name in ("supply", "output", "flows"))
    made = output[output["scenario"] == view.reference].groupby(["facility", "first_year"])["output_t_a"].sum()
    bought = flows[(flows["scenario"] == view.reference) & (flows["kind"] == "import")].groupby(["product", "origin", "first_year"])["amount_t_a"].sum()
    for row in supply.to_dict("records"):
        known = (
            bought.get((row["product"], row["seller"], row["first_year"]), 0.0)
            if row["kind"] == "outside"
            else made.get((row["seller"], row["first_year"]), 0.0)
        )
        assert row["sold_t_a"] == pytest.approx(known, abs=1e-5)
        assert row["sold_t_a"] <= row["available_t_a"] * (1 + 1e-6) + 1e-5
        assert (row["state"] in ("runs", "runs in part", "runs on a contract", "sells", "sold out")) == (row["sold_t_a"] > 1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_levies_by_measure_add_up_to_what_treasuries_take_in(seed: int) -> None:
    solution = some_run(seed)
    tables = plan_tables(solution)
    measures, taken = tables["price_measures"], tables["member_payments"].query("instrument == 'levy'")["expected_usd"].sum()
    years = measures["to_year"] - measures["from_year"] + 1
    # exempt sources keep what is paid above the world price, so they bring in nothing
    assert (measures["levy_usd_a"] * years).sum() == pytest.approx(-taken, rel=1e-6, abs=1e-3)


def test_outages_say_what_targets_say() -> None:
    """Without China 500 t of 1,000 t are left; without the United States all that China could sell."""
    target = {"target": "n1", "kind": "n_minus_1", "products": "M", "outage": "*", "upstream": False, "value": 0.5}
    solution = orepact.solve(tiny({**SUPPORTED, "targets": [target]}), OPTIONS)
    left = solution.table("outages").set_index("lost")["left_share"].to_dict()
    assert left["CHN"] == pytest.approx(500 / 1000)
    assert solution.table("outages").set_index("lost").at["CHN", "before_left_share"] == pytest.approx(0.0)
    assert left == pytest.approx(solution.table("targets").set_index("case")["achieved"].to_dict())
    bars = plan_tables(solution)["outage_bars"].set_index("lost")
    row = bars.to_dict("index")["CHN"]
    assert [row["before"], row["after"], row["required"]] == pytest.approx([0.0, 0.5, 0.5])


@pytest.mark.parametrize("seed", SEEDS)
def test_payments_by_plant_and_member_add_up(seed: int) -> None:
    solution = some_run(seed)
    tables, view = plan_tables(solution), View(solution)
    payments = solution.table("payments").query(f"scenario == '{EXPECTED}'")
    total = (payments["usd_a"] * view.years_of(payments)).sum()
    assert tables["member_payments"]["expected_usd"].sum() == pytest.approx(total, rel=1e-9, abs=1e-6)
    for_plants = payments[payments["facility"] != ""]
    assert tables["who_pays"]["expected_usd"].sum() == pytest.approx((for_plants["usd_a"] * view.years_of(for_plants)).sum(), rel=1e-9, abs=1e-6)
    assert tables["cost_change"]["usd"].sum() == pytest.approx(sum(solution.cost_terms.values()))


def test_the_chain_by_hand() -> None:
    """8,000 of Brena's 9,000 t of ore become 4,000 t of metal, half as much; Corva sells 6,000 t of metal."""
    links = plan_tables(plan())["chain_links"].set_index(["from", "to", "origin"])
    assert links["tonnes_a"].to_dict() == {
        ("ore", "metal", "BRE"): pytest.approx(8000),
        ("COR", "metal", "COR"): pytest.approx(6000),
        ("BRE", "ore", "BRE"): pytest.approx(9000),
        ("metal", "use in the zone", "COR"): pytest.approx(6000),
        ("metal", "use in the zone", "BRE"): pytest.approx(4000),
        ("ore", "sold outside", "BRE"): pytest.approx(1000),
    }
    assert links.at[("ore", "metal", "BRE"), "equivalent_t_a"] == pytest.approx(8000 / 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_origins_are_shares(seed: int) -> None:
    chain = Chain(View(some_run(seed)))
    for product, mix in chain.mix.items():
        assert not mix or sum(mix.values()) == pytest.approx(1.0), product
        assert all(share >= 0 for share in mix.values())


def test_a_year_that_begins_no_period_is_refused() -> None:
    with pytest.raises(OptionError, match="2026, 2031"):
        plan_tables(plan(), 2030)


def test_a_stored_run_gives_the_same_tables(tmp_path: Path) -> None:
    """A stored run gives the same derived tables as the one in memory."""
    stored = Solution.load(plan().save(tmp_path / "run"))
    for name, table in plan_tables(plan()).items():
        assert plan_tables(stored)[name].equals(table), name
