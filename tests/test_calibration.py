"""With policy off and plants at their capacity of 2024 and 2025, the model finds what the statistics say happened.

The bar: a leading supplier's share within 10 points, output of the zone at every stage within 15 %. Statistics and their sources:
instances/magnet-rare-earths/SOURCES.md, whose table of model against statistics these tests keep true.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import orepact
from orepact import Solution

INSTANCE = Path(__file__).parent.parent / "instances" / "magnet-rare-earths-2024"
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
