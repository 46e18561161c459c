"""The Instance: typed tables in memory, changed copies, digests, ranges, and what it counts about its figures."""

from __future__ import annotations

import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from orepact.errors import InstanceError, OptionError
from orepact.instance.instance import Instance
from orepact.instance.schema import SCHEMA

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def instance(content: Content, tables: Tables) -> Instance:
    return Instance.from_tables(content, tables)


def test_every_table_has_the_columns_and_types_of_the_schema(instance: Instance) -> None:
    assert list(instance.tables) == list(SCHEMA)
    small = Instance.from_tables(
        {"instance": {"name": "x"}, "horizon": {"start_year": 2026, "period_years": [1]}},
        {
            "countries": [{"country": "USA", "role": "member"}],
            "products": [{"product": "ore", "mineral": "m", "stage": "s"}],
            "scenarios": [{"scenario": "w", "probability": 1}],
        },
    )
    for name, table in SCHEMA.items():
        full, bare = instance.table(name), small.table(name)
        assert list(full.columns) == list(bare.columns) == [column.name for column in table.columns]
        assert full.dtypes.equals(bare.dtypes)
        assert full.index.tolist() == list(range(2, len(full) + 2))


def test_blanks_take_the_default_or_are_missing(instance: Instance) -> None:
    facilities, contracts = instance.table("facilities"), instance.table("contracts")
    assert facilities["availability"].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(facilities["opening_year"]).all()
    assert facilities["earliest_start"].dtype == "Int64"
    assert facilities["earliest_start"].isna().all()
    assert instance.table("scenarios")["normal"].dtype == "boolean"
    assert instance.table("scenarios")["normal"].isna().all()
    assert instance.table("scenarios")["downside"].tolist() == [False, True]
    assert facilities["group"].isna().tolist() == [True, False, True]
    assert contracts["countries"].tolist() == [("*",), ("USA", "FRA")]
    assert instance.table("ladder")["origins"].tolist() == [(), ("CHN",)]
    assert instance.table("processes")["activities"].tolist() == [("extraction",), ("processing", "recycling")]
    assert instance.table("prices")["case"].tolist() == ["base"] * 4 + ["flood"]
    assert instance.table("prices")["quality"].unique().tolist() == ["assumed"]


def test_frames_lists_and_lines_are_taken_alike(content: Content, tables: Tables, instance: Instance) -> None:
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    assert Instance.from_tables(content, frames) == instance
    kept = instance.table("prices").drop(index=[3])
    tables["process_flows"][0]["main"] = True
    assert Instance.from_tables(content, tables).with_table("prices", kept).table("prices").index.tolist() == [2, 4, 5, 6]
    nothing: dict[str, Any] = {"groups": [], "embodied": pd.DataFrame()}
    assert Instance.from_tables(content, tables | nothing | {"targets": tables["targets"][:3]}).table("groups").empty


def test_nobody_can_change_an_instance(instance: Instance) -> None:
    rows = instance.table("prices")
    rows.loc[2, "price"] = 1e6
    rows["case"] = "other"
    again = instance.tables["prices"]
    again["price"] = 0.0
    assert instance.table("prices")["price"].tolist() == [10, 20, 100, 120, 60]
    with pytest.raises(AttributeError):
        instance.settings = None  # type: ignore[misc, assignment]
    with pytest.raises(ValueError, match="frozen"):
        instance.settings.economics.social_rate = 0.1  # type: ignore[misc]
    with pytest.raises(TypeError):
        instance.tables["prices"] = rows  # type: ignore[index]


def test_a_change_makes_a_new_checked_instance(instance: Instance) -> None:
    dearer = instance.table("prices")
    dearer["price"] *= 2
    changed = instance.with_table("prices", dearer)
    assert changed.table("prices")["price"].tolist() == [20, 40, 200, 240, 120]
    assert changed != instance
    assert {name for name in instance.digests if instance.digests[name] != changed.digests[name]} == {"prices"}
    assert [p.column for p in changed.warnings] == ["price"]  # the floor of 110 is below 2 * 60
    dearer.loc[4, "product"] = "metall"
    with pytest.raises(InstanceError, match=r"prices.csv, row 4, column product: 'metall': not in products; nearest known: metal"):
        instance.with_table("prices", dearer)
    with pytest.raises(OptionError, match="unknown table 'price'; nearest known: prices"):
        instance.with_table("price", dearer)
    with pytest.raises(OptionError, match="unknown table 'price'"):
        instance.table("price")


def test_tables_that_depend_on_each_other_change_together(instance: Instance) -> None:
    without = {name: instance.table(name).iloc[:0] for name in ("groups", "targets")}
    with pytest.raises(InstanceError, match="asia"):
        instance.with_table("groups", without["groups"])
    assert instance.with_tables(without).table("targets").empty


def test_a_setting_is_changed_by_its_path(instance: Instance) -> None:
    changed = instance.with_setting("economics.social_rate", 0.05)
    assert changed.settings.economics.social_rate == 0.05
    assert {name for name in instance.digests if instance.digests[name] != changed.digests[name]} == {"settings"}
    assert changed.with_setting("economics.social_rate", 0.03) == instance
    assert instance.with_setting("horizon.period_years", (1, 1, 3)).settings.horizon.period_years == (1, 1, 3)
    with pytest.raises(OptionError, match=r"unknown setting 'economics.social_rat'; nearest known: economics.social_rate"):
        instance.with_setting("economics.social_rat", 0.05)
    with pytest.raises(OptionError, match="less than or equal to 1"):
        instance.with_setting("economics.social_rate", 5)


def test_ranges_move_figures_to_their_ends(instance: Instance) -> None:
    moved = instance.with_ranges({"capex": "high", "rate": "low"})
    assert moved.table("facilities")["capex"].tolist() == pytest.approx([0, 1e4 * 1.4, 0])
    assert moved.settings.economics.social_rate == pytest.approx(0.03 * 0.5)
    assert len(moved.table("ranges")) == 0  # moved twice, a figure could leave its column's range
    assert instance.with_ranges({}) == instance
    with pytest.raises(OptionError, match="unknown range 'capx'; nearest known: capex"):
        instance.with_ranges({"capx": "low"})
    with pytest.raises(OptionError, match="low and high, not 'middle'"):
        instance.with_ranges({"capex": "middle"})  # type: ignore[dict-item]


def test_two_ranges_on_one_table_both_apply(content: Content, tables: Tables) -> None:
    tables["ranges"].append({"range": "opex", "table": "facilities", "column": "opex", "low": 0.5, "high": 2.0})
    moved = Instance.from_tables(content, tables).with_ranges({"capex": "low", "opex": "high"}).table("facilities")
    assert moved["capex"].tolist() == [0, 1e4 * 0.8, 0]
    assert moved["opex"].tolist() == [10, 40, 50]


def test_digests_see_what_is_said_and_nothing_else(content: Content, tables: Tables, instance: Instance) -> None:
    tables["prices"] = [{"price": f"{row['price']:.2e}", **{k: v for k, v in row.items() if k != "price"}} for row in tables["prices"]]
    tables["demand"] = [{(f"{k} [kt/a]" if k == "demand" else k): (v / 1000 if k == "demand" else v) for k, v in row.items()} for row in tables["demand"]]
    assert Instance.from_tables(content, tables) == instance
    tables["prices"].reverse()
    assert Instance.from_tables(content, tables) != instance


def test_digests_are_stable(instance: Instance) -> None:
    """The same on every machine; they change with the format, and then this figure is changed on purpose."""
    assert instance.digests["demand"] == "8c8924f5ffabc0254d315c5903a2a41e967b3c76415e61a73b2aef274a4bd18b"
    assert len(instance.digest) == 64
    assert hash(instance) == hash(instance.with_ranges({}))
    assert instance != "something else"
    assert re.fullmatch("<Instance small: [0-9]+ rows, digest [0-9a-f]{12}>", repr(instance))


def test_instances_travel_to_other_processes_and_threads(instance: Instance) -> None:
    copy = pickle.loads(pickle.dumps(instance))
    assert copy == instance
    assert copy.settings == instance.settings
    assert copy.warnings == instance.warnings
    for name in SCHEMA:
        pd.testing.assert_frame_equal(copy.table(name), instance.table(name))

    def cost(rate: float) -> float:
        changed = instance.with_setting("economics.social_rate", rate)
        rows = changed.table("facilities")
        rows["opex"] *= rate
        return float(rows["opex"].sum()) / changed.settings.economics.social_rate

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(cost, [0.01, 0.02, 0.03, 0.04])) == pytest.approx([50.0] * 4)


def test_figures_are_counted_by_quality(content: Content, tables: Tables) -> None:
    tables["prices"][0]["quality"] = "reported"
    tables["prices"][1]["quality"] = "derived"
    counts = Instance.from_tables(content, tables).quality_counts().set_index("table")
    assert counts.loc["prices"].to_dict() == {
        "rows": 5, "reported": 1, "derived": 1, "recalled": 0, "assumed": 3, "figures": 5, "assumed_share": 3 / 5,
    }  # fmt: skip
    # Capacity and operating cost of three plants, and the candidate's capital cost; defaults are not figures of the instance.
    assert counts.loc["facilities", "figures"] == 3 * 2 + 1
    assert "raw_materials" in counts.index
    assert counts.loc["countries", "assumed_share"] == 0


def test_unknown_tables_in_memory_are_refused(content: Content, tables: Tables) -> None:
    tables["facilitys"] = []
    with pytest.raises(InstanceError, match="unknown table facilitys; nearest known: facilities"):
        Instance.from_tables(content, tables)


def test_a_range_that_no_longer_fits_is_dropped_not_in_the_way(instance: Instance) -> None:
    """The high end of the social rate's range would pass 100 %: that range goes, the others stay."""
    before = instance.table("ranges")
    setting = before[before["range"] == "rate"].iloc[0]
    moved = instance.with_setting(str(setting["column"]), 0.99 / float(setting["high"]) * 1.05)
    assert "rate" not in set(moved.table("ranges")["range"])
    assert set(moved.table("ranges")["range"]) == set(before["range"]) - {"rate"}
    assert ["left out, since the change makes economics.social_rate" in warning.rule for warning in moved.warnings].count(True) == 1


def test_a_range_of_ones_own_that_does_not_fit_is_refused(instance: Instance) -> None:
    with pytest.raises(InstanceError):
        instance.with_table("ranges", [{"range": "rate", "table": "settings", "column": "economics.social_rate", "low": 1.0, "high": 1e6}])
