"""The back-test instances: nothing in them is younger than the day they are about, the outcome has no part in the advice, and the page says what the runs say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import orepact
from orepact.instance.instance import Instance
from orepact.solution.solution import Solution
from page_tables import number, page, rows_after

INSTANCES = Path(__file__).parent.parent / "instances"
PAGE = page("back-test.md")
HEADINGS = {
    "back-test-rare-earths-2010": "## Rare earths 2010",
    "back-test-graphite-2023": "## Graphite 2023",
    "back-test-gallium-germanium-2023": "## Gallium and germanium 2023",
    "back-test-rare-earths-2025": "## Rare earths 2025",
}
NAMES = sorted(folder.name for folder in INSTANCES.glob("back-test-*"))
QUICK = {"back-test-rare-earths-2010", "back-test-gallium-germanium-2023"}
SOLVED = [pytest.param(name, id=name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES]
OPTIONS = orepact.SolveOptions(gap=1e-4, progress=False, threads=1, isolated=False, time_limit=900)
ASSUMPTION = "A00"


def instance(name: str) -> Instance:
    return orepact.read(INSTANCES / name)


@cache
def plan(name: str) -> Solution:
    return orepact.solve(instance(name), OPTIONS)


def cut_off(world: Instance) -> str:
    found = re.search(r"Information cut-off (\d{4}-\d{2}-\d{2})\.", world.settings.instance.description)
    assert found is not None
    return found[1]


def outcomes(world: Instance) -> set[str]:
    """Scenarios that say so: their names are marked, and nothing else is."""
    table = world.table("scenarios")
    return set(table[table["note"].fillna("").str.startswith("outcome")]["scenario"])


def is_outcome(table: str, row: pd.Series, scenarios: set[str]) -> bool:
    """Whether a row is played after the solve only."""
    if table == "prices":
        return bool(row["case"] == "happened")
    return table in {"scenarios", "shocks"} and row["scenario"] in scenarios


def cited(world: Instance) -> Iterator[tuple[str, pd.Series, str]]:
    """Every row of every table with each source that it names."""
    for name, table in world.tables.items():
        if name != "sources" and "source" in table:
            for _, row in table.iterrows():
                assert isinstance(row["source"], str), f"{name}: a row without a source"
                for code in row["source"].split(";"):
                    yield name, row, code


def known_day(citation: str) -> tuple[str, str]:
    """`known` or `published`, and the day."""
    found = re.search(r"; (known|published) (\d{4}-\d{2}-\d{2})\.$", citation)
    assert found is not None, citation
    return found[1], found[2]


def without_outcomes(world: Instance) -> Instance:
    """The instance of a planner who can't know: every row of the outcome is gone."""
    gone = outcomes(world)
    kept = {}
    for name in ("scenarios", "shocks", "prices"):
        table = world.table(name)
        kept[name] = table[[not is_outcome(name, row, gone) for _, row in table.iterrows()]].reset_index(drop=True)
    return world.with_tables(kept)


@pytest.mark.parametrize("name", NAMES)
def test_no_row_of_the_advice_has_a_source_younger_than_the_cut_off(name: str) -> None:
    world, day = instance(name), cut_off(instance(name))
    citations = world.table("sources").set_index("id")["citation"].to_dict()
    played = outcomes(world)
    seen = 0
    for table, row, code in cited(world):
        if code == ASSUMPTION:
            continue
        word, date = known_day(citations[code])
        if is_outcome(table, row, played):
            assert (word == "published" and date > day) or (word == "known" and date <= day)
        else:
            assert word == "known", f"{table}: {code} is the outcome"
            assert date <= day, f"{table}: {code} is of {date}"
            seen += 1
    assert seen > 15
    assert {known_day(text)[0] for code, text in citations.items() if code != ASSUMPTION} == {"known", "published"}


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_rest_on_an_assumption_say_so(name: str) -> None:
    for table, row, code in cited(instance(name)):
        assert code != ASSUMPTION or row["quality"] == "assumed", f"{table}: {row.to_dict()}"


@pytest.mark.parametrize("name", NAMES)
def test_the_outcome_weighs_nothing(name: str) -> None:
    world = instance(name)
    table = world.table("scenarios").set_index("scenario")
    played = outcomes(world)
    assert {"happened", "happened_late"} <= played
    assert (table.loc[sorted(played), ["probability", "normal", "downside"]] == 0).all(axis=None)
    shocks = world.table("shocks")
    assert set(shocks[shocks["case"] == "happened"]["scenario"]) <= played


@pytest.mark.parametrize("name", SOLVED)
def test_the_advice_is_the_same_without_the_outcome(name: str) -> None:
    with_it, without = plan(name), orepact.solve(without_outcomes(instance(name)), OPTIONS)
    assert without.result.objective == pytest.approx(with_it.result.objective, rel=2e-4)
    for table, columns in (("rungs", ["product", "first_year", "rung"]), ("facilities", ["facility", "built", "start_year"])):
        pd.testing.assert_frame_equal(without.table(table)[columns], with_it.table(table)[columns])
    assert without.table("contracts")["facility"].tolist() == with_it.table("contracts")["facility"].tolist()
    assert set(without.table("scenarios")["scenario"]) | outcomes(instance(name)) == set(with_it.table("scenarios")["scenario"])


@pytest.mark.parametrize("name", SOLVED)
def test_the_page_shows_how_the_scenarios_end(name: str) -> None:
    solution = plan(name)
    assert solution.result.status == "solved"
    table = solution.table("scenarios").set_index("scenario")
    shown = rows_after(PAGE, HEADINGS[name])
    assert outcomes(instance(name)) <= set(shown)
    for scenario, cells in shown.items():
        chance, before, after, difference, short_before, short_after, spending = (number(cell) for cell in cells)
        row = table.loc[scenario]
        assert row["probability"] == pytest.approx(chance)
        assert row["before_cost_usd"] / 1e6 == pytest.approx(before, rel=1e-3)
        assert row["cost_usd"] / 1e6 == pytest.approx(after, rel=1e-3)
        assert (row["cost_usd"] - row["before_cost_usd"]) / 1e6 == pytest.approx(difference, abs=1 + 1e-3 * after)
        assert row["before_shortage_t"] == pytest.approx(short_before, rel=0.01, abs=1)
        assert row["shortage_t"] == pytest.approx(short_after, rel=0.01, abs=1)
        assert row["outlay_usd"] / 1e6 == pytest.approx(spending, rel=0.01, abs=1)


def stocked(solution: Solution, product: str, year: int) -> float:
    table = solution.table("stock")
    rows = table[(table["product"] == product) & (table["first_year"] == year) & (table["scenario"] == "base")]
    return float(rows["level_t"].sum())


def chinese_share(solution: Solution, product: str, scenario: str, year: int) -> float:
    flows, balance = solution.table("flows"), solution.table("balance")
    here = (flows["product"] == product) & (flows["scenario"] == scenario) & (flows["first_year"] == year)
    imports = flows[here & (flows["kind"] == "import") & (flows["origin"] == "CHN")]["amount_t_a"].sum()
    used = balance[(balance["product"] == product) & (balance["scenario"] == scenario) & (balance["first_year"] == year)]["demand"].sum()
    return float(imports / used)


def extra_musd(solution: Solution) -> float:
    assert solution.result.objective is not None
    return float(solution.result.objective - solution.baseline["objective"]) / 1e6


def built(solution: Solution) -> dict[str, int]:
    plants = solution.table("facilities")
    plants = plants[plants["built"] & (plants["status"] == "candidate")]
    return dict(zip(plants["facility"], plants["start_year"].astype(int), strict=True))


def test_the_advice_of_2010() -> None:
    solution = plan("back-test-rare-earths-2010")
    assert built(solution) == {"mountain_pass": 2011, "steenkampskraal": 2011, "nolans": 2016}
    rungs = solution.table("rungs").set_index("first_year")["rung"].to_dict()
    assert {year: rung for year, rung in rungs.items() if rung != "free"} == {2016: "ref10", 2018: "ref10"}
    assert solution.table("contracts").empty
    assert stocked(solution, "ree", 2011) == pytest.approx(3_000)
    assert extra_musd(solution) == pytest.approx(-1_258, abs=1)
    prices = solution.table("prices")
    paid = prices[prices["scenario"] == "happened"].set_index("first_year")["world_price"] / 1_000
    assert (round(paid[2011]), round(paid[2012]), round(3 * 13.13)) == (93, 65, 39)
    lacking = solution.table("balance")
    lacking = lacking[(lacking["scenario"] == "happened") & (lacking["shortage"] > 0)].set_index("first_year")
    assert (lacking["shortage"] / lacking["demand"]).to_dict() == pytest.approx({2011: 0.1, 2012: 0.1})


def test_the_advice_on_gallium() -> None:
    solution = plan("back-test-gallium-germanium-2023")
    assert built(solution) == {"clarksville": 2024, "stade": 2024}
    rungs = solution.table("rungs").query("rung != 'free'")
    assert list(zip(rungs["product"], rungs["first_year"], rungs["rung"], strict=True)) == [("gallium", 2026, "ref450"), ("gallium", 2028, "ref450")]
    assert solution.table("contracts").empty
    assert solution.table("stock")["level_t"].max() == pytest.approx(0)
    assert extra_musd(solution) == pytest.approx(-207, abs=1)
    output = solution.table("additional").set_index(["facility", "first_year"])["before_output_t_a"]
    assert output["stade", 2028] == 0
    assert (output["clarksville", 2026] == 0, output["clarksville", 2028] > 0) == (True, True)
    ends = solution.table("scenarios").set_index("scenario")
    assert ends["cost_usd"]["happened_late"] == pytest.approx(ends["before_cost_usd"]["happened_late"])


@pytest.mark.slow
def test_the_advice_of_2023() -> None:
    solution = plan("back-test-graphite-2023")
    assert built(solution) == {"vidalia_2": 2024, "epsilon": 2025, "anovion": 2028, "kellyton": 2028}
    contracts = solution.table("contracts").set_index("facility")["contract"].to_dict()
    assert contracts == {"vidalia_2": "credit5", "epsilon": "floor85", "anovion": "floor85", "kellyton": "floor85"}
    assert stocked(solution, "anode", 2025) == pytest.approx(21_733, abs=1)
    assert stocked(solution, "spherical", 2025) == pytest.approx(15_000, abs=1)
    assert extra_musd(solution) == pytest.approx(946, abs=2)
    assert extra_musd(solution) / (solution.baseline["objective"] / 1e6) == pytest.approx(0.098, abs=5e-4)
    caps = solution.table("targets").query("target == 'cap_anode' and first_year == 2030").set_index("scenario")
    assert caps["before"].to_dict() == pytest.approx({"base": 0.83, "flood": 0.98}, abs=0.005)
    assert caps["achieved"]["base"] == pytest.approx(0.65, abs=0.005)
    assert chinese_share(solution, "anode", "base", 2030) == pytest.approx(0.62, abs=0.005)
    assert chinese_share(solution, "anode", "happened", 2030) == pytest.approx(0.60, abs=0.005)
    assert chinese_share(solution, "anode", "happened_late", 2030) == pytest.approx(0.80, abs=0.005)
    candidates = instance("back-test-graphite-2023").table("facilities")
    candidates = candidates[(candidates["status"] == "candidate") & (candidates["process"] != "mine")]
    assert f"{candidates['capacity'].sum():,.0f} t of anodes" in PAGE


@pytest.mark.slow
def test_the_advice_of_2025() -> None:
    solution = plan("back-test-rare-earths-2025")
    assert built(solution) == {"nolans": 2026, "seadrift": 2028, "gkn": 2030}
    assert solution.table("contracts")["facility"].tolist() == ["gkn"]
    assert stocked(solution, "dytb", 2025) == pytest.approx(150, abs=0.5)
    assert stocked(solution, "magnet", 2025) == pytest.approx(500, abs=0.5)
    assert extra_musd(solution) == pytest.approx(-1_932, abs=2)
    prices = solution.table("prices")
    dytb = prices[(prices["product"] == "dytb") & (prices["first_year"] == 2025) & (prices["scenario"] == "base")]["world_price"].item()
    assert stocked(solution, "dytb", 2025) * dytb / 1e6 == pytest.approx(59, abs=0.5)
    ends = solution.table("scenarios").set_index("scenario")
    premium = ends["cost_usd"] - ends["before_cost_usd"]
    assert premium["base"] / (premium["base"] - premium["control_2026"]) == pytest.approx(0.012, abs=5e-4)
    assert ends["before_shortage_t"]["worst_months"] / 12 == pytest.approx(2_266, abs=1)
