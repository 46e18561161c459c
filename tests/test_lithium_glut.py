"""The instance lithium-glut against every figure of docs/lithium-glut.md."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import orepact
from orepact.instance.instance import Instance
from orepact.instance.package import parse_package
from orepact.solution.solution import Solution
from page_tables import number, page, rows_after

FOLDER = Path(__file__).parent.parent / "instances" / "lithium-glut"
PAGE = page("lithium-glut.md")
PACKAGES = rows_after(PAGE, "## What each package comes to")
DOUBTS = rows_after(PAGE, "## How it hangs on the figures")
OPTIONS = orepact.SolveOptions(gap=1e-5, progress=False, threads=1, isolated=False)
SAVED = ("corpus_christi", "bitterfeld", "keliber")
PERIODS = 5  # of two years each


def instance() -> Instance:
    return orepact.read(FOLDER)


def run(world: Instance, package: str) -> Solution:
    """The plan of a package's file, or for `best` the plan of the solve."""
    if package == "best":
        return orepact.solve(world, OPTIONS)
    text = (FOLDER / "packages" / f"{package}.toml").read_text(encoding="utf-8")
    return orepact.evaluate(world, parse_package(text, world), OPTIONS)


@cache
def plan(package: str) -> Solution:
    return run(instance(), package)


def extra_musd(solution: Solution) -> float:
    """Cost beyond no policy."""
    assert solution.result.objective is not None
    return float(solution.result.objective - solution.baseline["objective"]) / 1e6


def spending_musd(solution: Solution, scenario: str) -> pd.Series:
    """Mean yearly spending by member."""
    paid = solution.table("payments")
    paid = paid[(paid["scenario"] == scenario) & ~paid["instrument"].isin(["levy", "release"])]
    return paid.groupby("member")["usd_a"].sum() / PERIODS / 1e6


def bought_up(solution: Solution, year: int = 2030) -> pd.Series:
    """Tonnes of lithium that treasuries buy a year in a glut, by side."""
    balance = solution.table("balance")
    balance = balance[(balance["product"] == "lithium") & (balance["scenario"] == "glut") & (balance["first_year"] == year)]
    return balance.set_index("node")["glut"]


def lowest(solution: Solution, target: str) -> float:
    table = solution.table("targets")
    return float(table[table["target"] == target]["achieved"].min())


def met(solution: Solution) -> int:
    return int((solution.table("targets").groupby("target")["slack"].min() >= -1e-6).sum())


def built_because_of(solution: Solution) -> list[str]:
    plants = solution.table("facilities")
    built = plants[plants["built"] & (plants["status"] == "candidate") & ~plants["would_build_anyway"].astype(bool)]
    return sorted(built["facility"])


def output(solution: Solution, facility: str, scenario: str, year: int = 2030) -> float:
    table = solution.table("output")
    return float(table[(table["facility"] == facility) & (table["scenario"] == scenario) & (table["first_year"] == year)]["output_t_a"].sum())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_table_of_packages(package: str) -> None:
    solution = plan(package)
    cost, expected, glut, deep, bought, built, processing, extraction, targets = PACKAGES[package]
    assert solution.result.status == ("solved" if number(targets) == len(solution.table("targets")["target"].unique()) else "targets missed")
    assert extra_musd(solution) == pytest.approx(number(cost), abs=0.6)
    for scenario, shown in (("expected", expected), ("glut", glut), ("deep_glut", deep)):
        assert spending_musd(solution, scenario).sum() == pytest.approx(number(shown), abs=0.6)
    assert bought_up(solution).sum() == pytest.approx(number(bought), abs=1)
    assert ", ".join(built_because_of(solution)) == built.replace("–", "")
    assert lowest(solution, "eu_processing") == pytest.approx(number(processing), abs=0.006)
    assert lowest(solution, "usa_extraction") == pytest.approx(number(extraction), abs=0.006)
    assert met(solution) == number(targets)


def test_every_package_is_on_the_page() -> None:
    assert {file.stem for file in (FOLDER / "packages").glob("*.toml")} | {"best"} == set(PACKAGES)


def test_a_floor_and_guarantees_keep_the_same_plants_running() -> None:
    for scenario in ("glut", "deep_glut"):
        assert [output(plan("free"), plant, scenario) for plant in SAVED] == [0, 0, 0]
        floor = [output(plan("floor50"), plant, scenario) for plant in SAVED]
        assert all(floor)
        assert [output(plan("guarantees"), plant, scenario) for plant in SAVED] == pytest.approx(floor)
    assert output(plan("floor42"), "keliber", "glut") == 0
    assert not set(built_because_of(plan("guarantees")))


def test_the_prose_says_what_the_runs_say() -> None:
    free, floor, guarantees = plan("free"), plan("floor50"), plan("guarantees")
    shares = spending_musd(floor, "expected") / spending_musd(floor, "expected").sum()
    loss = 50_000 - 0.8 * 39_600
    bought = bought_up(floor)
    closed = run(instance().with_setting("owners.entry", "free"), "floor50")
    balance = free.table("balance")
    balance = balance[(balance["product"] == "lithium") & (balance["first_year"] == 2030) & (balance["scenario"] == "glut")].set_index("node")
    reliance = free.table("targets")
    reliance = reliance[reliance["target"] == "cap_china"]["achieved"].max()
    argentina = sum(output(free, plant, "glut") for plant in ("argentina", "argentina_building", "argentina_2"))
    claims = [
        f"against {free.baseline['objective'] / 1e6:,.0f} MUSD without policy",
        f"{balance['demand'].sum():,.0f} t a year, {balance['demand']['partners'] / balance['demand'].sum():.0%} of it by partners".replace("%", " %"),
        f"{balance['made'].sum():,.0f} t a year: members {balance['made']['members']:,.0f}, partners {balance['made']['partners']:,.0f} "
        f"(Chile {output(free, 'atacama', 'glut'):,.0f}, Argentina {argentina:,.0f}, Mt Holland {output(free, 'mt_holland', 'glut'):,.0f})",
        f"that is {bought['partners']:,.0f} t a year, all of it made by partners",
        f"a loss of {loss:,.0f} USD/t, {loss * bought['partners'] / 1e6:,.0f} MUSD a year",
        f"make {sum(output(floor, plant, 'glut') for plant in SAVED):,.0f} t",
        f"Of the {extra_musd(floor):,.0f} MUSD that a floor of 50,000 costs, {extra_musd(closed):,.0f} would be due",
        f"The other {round(extra_musd(floor)) - round(extra_musd(closed)):,.0f} are for",
        f"Japan pays {shares['JPN']:.0%}, the European Union {shares['EUU']:.0%}, the United States {shares['USA']:.0%}".replace("%", " %"),
        f"costs {extra_musd(guarantees):,.0f} MUSD instead of {extra_musd(floor):,.0f}, {extra_musd(floor) / extra_musd(guarantees):.0f} times less",
        f"pay {spending_musd(guarantees, 'glut').sum():,.0f} MUSD a year instead of {spending_musd(floor, 'glut').sum():,.0f}",
        f"at most {reliance:.0%} without policy".replace("%", " %"),
    ]
    assert bought["members"] == 0
    assert [claim for claim in claims if claim not in " ".join(PAGE.split())] == []
    paid = guarantees.table("payments")
    assert set(paid[(paid["usd_a"] > 1) & (paid["scenario"] != "expected")]["scenario"]) == {"glut", "deep_glut"}
    assert set(plan("best").table("rungs")["kind"]) == {"free"}


def scaled(world: Instance, table: str, column: str, factor: float, case: str) -> Instance:
    rows = world.table(table)
    rows.loc[rows["case"] == case, column] *= factor
    return world.with_tables({table: rows})


CHANGES: Mapping[str, Instance] = {
    "base prices x 0.75": scaled(instance(), "prices", "price", 0.75, "base"),
    "base prices x 1.35": scaled(instance(), "prices", "price", 1.35, "base"),
    "glut prices x 1.25": scaled(instance(), "prices", "price", 1.25, "flood"),
    "resale at 0.6 of the world price": instance().with_setting("economics.resale", 0.6),
    "use x 1.2": scaled(instance(), "demand", "demand", 1.2, "base"),
}


def test_the_table_of_doubts_starts_with_the_plan_itself() -> None:
    assert list(DOUBTS) == ["none", *CHANGES]
    assert DOUBTS["none"] == [PACKAGES[package][0] for package in ("best", "guarantees", "floor50")]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_the_table_of_doubts(change: str) -> None:
    for package, shown in zip(("best", "guarantees", "floor50"), DOUBTS[change], strict=True):
        assert extra_musd(run(CHANGES[change], package)) == pytest.approx(number(shown), abs=1.1)


@pytest.mark.slow
def test_a_guaranteed_converter_needs_feed() -> None:
    assert run(scaled(instance(), "prices", "price", 0.85, "flood"), "guarantees").result.status == "no plan"
