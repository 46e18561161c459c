"""With policy off and plants at their capacity of 2024 and 2025, the model finds what the statistics say happened.

The bar: a leading supplier's share and import reliance within 10 points, output of the zone at every stage within 15 %. Statistics and
their sources: SOURCES.md of magnet-rare-earths and of alliance-basket, whose tables of model against statistics these tests keep true.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import orepact
from orepact import Solution

INSTANCES = Path(__file__).parent.parent / "instances"
INSTANCE = INSTANCES / "magnet-rare-earths-2024"
BASKET = INSTANCES / "alliance-basket-2024"
POINTS, SHARE = 0.10, 0.15


@cache
def happened() -> Solution:
    return orepact.solve(orepact.read(INSTANCE), orepact.SolveOptions(progress=False))


def total(column: str, product: str, year: int) -> float:
    """A column of the balance over the whole zone, t a year."""
    rows = happened().table("balance")
    return float(rows.loc[(rows["product"] == product) & (rows["first_year"] == year), column].sum())


def from_china(product: str, year: int) -> float:
    """Imports from China, t a year."""
    rows = happened().table("flows")
    chosen = (rows["kind"] == "import") & (rows["product"] == product) & (rows["first_year"] == year) & (rows["origin"] == "CHN")
    return float(rows.loc[chosen, "amount_t_a"].sum())


@pytest.mark.parametrize(
    ("product", "year", "statistic", "model"),
    [("ndpr_oxide", 2024, 1940, 2073), ("ndpr_oxide", 2025, 3460, 3458), ("ndpr_metal", 2024, 2100, 2145), ("magnet", 2024, 13_500, 13_325)],
)
def test_output_of_the_zone(product: str, year: int, statistic: float, model: float) -> None:
    made = total("made", product, year)
    assert made == pytest.approx(statistic, rel=SHARE)
    assert made == pytest.approx(model, abs=1)


def test_what_the_zone_mines() -> None:
    """NdPr content of concentrate and, for plants that separate their own ore, of oxide with its recovery: see the table."""
    assert total("made", "conc_bast", 2024) + total("made", "conc_mona", 2024) < 14_790
    assert total("exports", "conc_bast", 2024) == pytest.approx(5200, rel=SHARE)


@pytest.mark.parametrize(
    ("product", "year", "statistic", "model"),
    [("magnet", 2024, 0.91, 0.88), ("ndpr_metal", 2024, 0.60, 0.54)],
)
def test_chinas_share_of_imports(product: str, year: int, statistic: float, model: float) -> None:
    share = from_china(product, year) / total("imports", product, year)
    assert abs(share - statistic) <= POINTS
    assert share == pytest.approx(model, abs=0.005)


def test_chinas_share_of_oxide_imports_misses_for_a_known_reason() -> None:
    """China and the rest of the world cost the same here, so the share may be anything from 0.27 to 0.37; the statistic is 0.25 (0.10 to 0.40).

    Offers are capacities, and China sells little of its capacity as single oxides.
    """
    share = from_china("ndpr_oxide", 2024) / total("imports", "ndpr_oxide", 2024)
    assert 0.265 <= share <= 0.375


def test_chinas_share_of_use() -> None:
    magnets = from_china("magnet", 2024) / total("demand", "magnet", 2024)
    assert abs(magnets - 0.68) <= POINTS
    for year, statistic in ((2024, 0.98), (2025, 0.78)):
        heavy = from_china("dytb_oxide", year) / total("imports", "dytb_oxide", year)
        assert abs(heavy - statistic) <= POINTS


# -- the basket: every row of the table in instances/alliance-basket/SOURCES.md ------------------------------------------


class Fact(NamedTuple):
    """One row of the table: what is counted, of which product, where, statistic, model and why it is missed (blank: it is not)."""

    counted: str
    product: str
    place: str
    statistic: float
    at_least: bool
    model: float
    why: str

    def missed(self, figure: float) -> bool:
        """Whether a figure is more than 10 points off; where the statistic is a lower bound, only below it."""
        return (self.statistic - figure if self.at_least else abs(figure - self.statistic)) > POINTS


def facts() -> list[Fact]:
    """The rows of the calibration table, read from the page itself."""
    page = (INSTANCES / "alliance-basket" / "SOURCES.md").read_text(encoding="utf-8")
    section = page.split("## Calibration", 1)[1].split("\n## ", 1)[0]
    found = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(r"(refined|mined|mined and scrap|imports)", cells[0]):
            found.append(Fact(cells[0], cells[1], cells[2], float(cells[3].lstrip("> ")), cells[3].startswith(">"), float(cells[5]), cells[7]))
    return found


@cache
def basket_tables() -> dict[str, pd.DataFrame]:
    """What the calibration run made and imported, with product and country of every plant."""
    instance = orepact.read(BASKET)
    solution = orepact.solve(instance, orepact.SolveOptions(progress=False))
    flows, countries = instance.table("process_flows"), instance.table("countries").set_index("country")
    mains: dict[str, str] = dict(flows.loc[flows["amount"] == 1, ["process", "product"]].itertuples(index=False))
    plants = instance.table("facilities").set_index("facility")
    output = solution.table("output")
    output["product"] = output["facility"].map(plants["process"]).map(mains)
    host = output["facility"].map(plants["country"])
    output["place"] = host.map(countries["treasury"]).where(host.map(countries["treasury"]).notna(), host)
    return {"output": output, "flows": solution.table("flows"), "demand": instance.table("demand")}


def basket_figure(counted: str, product: str, place: str) -> float:
    """Mean of 2024 and 2025: import reliance, 1 − own output over use; or a country's share of what the zone imports."""
    tables, years = basket_tables(), (2024, 2025)
    if counted == "imports":
        bought = tables["flows"].query("kind == 'import' and product == @product")
        shares = bought.query("origin == @place").groupby("first_year")["amount_t_a"].sum() / bought.groupby("first_year")["amount_t_a"].sum()
        return float(shares.reindex(list(years)).mean())
    refined = product.replace("_mined", "_refined")
    output, use = tables["output"], tables["demand"].query("product == @product")
    if use.empty:  # ore is wanted for what is refined from it
        use = tables["demand"].query("product == @refined")
    recycled = output["facility"].str.contains("secondary_|_scrap")
    own = output[(output["product"] == product) & ~output["facility"].str.startswith("secondary_")]
    if counted == "mined and scrap":
        own = pd.concat([own, output[(output["product"] == refined) & recycled]])
    if place != "zone":
        own, use = own[own["place"] == place], use[use["country"] == place]
    missing = [1 - own.loc[own["first_year"] == y, "output_t_a"].sum() / use.loc[use["year"] == y, "demand"].sum() for y in years]
    return max(0.0, float(sum(missing) / len(missing)))


def test_the_table_of_the_basket_is_there() -> None:
    assert len(facts()) >= 40
    assert {f.product for f in facts() if f.counted == "refined" and f.place == "zone"} >= {"li_refined", "gr_anode", "ti_refined"}
    assert sum(bool(f.why) for f in facts()) <= len(facts()) / 4


@pytest.mark.parametrize("fact", [pytest.param(f, id=f"{f.counted}-{f.product}-{f.place}") for f in facts()])
def test_import_reliance_and_leading_suppliers(fact: Fact) -> None:
    """The model says what the table says it does; it is within 10 points of the statistic, or the table says why not."""
    figure = basket_figure(fact.counted, fact.product, fact.place)
    assert figure == pytest.approx(fact.model, abs=0.0051)
    assert fact.missed(figure) == bool(fact.why)
