"""Which figures matter: every range screened, the most telling solved again."""

from __future__ import annotations

import math

import pytest

from orepact.analysis.sensitivity import NOT_SOLVED, sensitivity
from orepact.errors import OptionError
from orepact.options import SolveOptions
from tiny_instances import plant, project, tiny

RANGES = [
    {"range": "price", "table": "prices", "column": "price", "low": 0.9, "high": 1.2},
    {"range": "opex", "table": "facilities", "column": "opex", "where": "facility=old", "low": 0.5, "high": 1.5},
    {"range": "rate", "table": "settings", "column": "economics.levy_capture", "low": 0.5, "high": 1.0},
]
OPTIONS = SolveOptions(threads=1, gap=0.0)


def test_the_most_telling_range_comes_first_with_its_costs() -> None:
    """500 t are made at 40, 500 bought at 100: 70,000 USD. Prices move 45,000 to 60,000 of it, cash cost 10,000 to 30,000, levies nothing."""
    table = sensitivity(tiny({"facilities": [plant()], "ranges": RANGES}), OPTIONS, top=2)
    assert table["range"].tolist() == ["opex", "price", "rate"]
    assert table["swing_usd"].tolist() == pytest.approx([500 * 40, 500 * 30, 0])
    assert table["objective"].tolist() == pytest.approx([70_000] * 3)
    assert table["objective_low"].tolist()[:2] == pytest.approx([500 * 20 + 50_000, 20_000 + 500 * 90])
    assert table["objective_high"].tolist()[:2] == pytest.approx([500 * 60 + 50_000, 20_000 + 500 * 120])
    assert table["status_high"].tolist() == ["solved", "solved", NOT_SOLVED]
    assert table["objective_high"].isna().tolist() == [False, False, True]


def test_an_end_without_a_plan_matters_most() -> None:
    """Half of use must be own: with the project at 500 t it is, with 400 t it can't be."""
    tables = {
        "facilities": [project(opex=50.0)],
        "targets": [{"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}],
        "ranges": [*RANGES, {"range": "size", "table": "facilities", "column": "capacity", "low": 0.8, "high": 1.1}],
    }
    tables["ranges"][1] = {**RANGES[1], "where": ""}
    table = sensitivity(tiny(tables), OPTIONS, top=1)
    first = table.iloc[0]
    assert (first["range"], first["status_low"], first["status_high"]) == ("size", "infeasible", "solved")
    assert math.isinf(first["swing_usd"])
    assert math.isnan(first["objective_low"])


def test_an_instance_without_ranges_says_so() -> None:
    with pytest.raises(OptionError, match="no table of ranges"):
        sensitivity(tiny(), OPTIONS)
