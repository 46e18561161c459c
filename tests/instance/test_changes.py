"""Changes to cells and rows: made, and said."""

from __future__ import annotations

import pytest

from orepact.errors import InstanceError
from orepact.instance.changes import Change, changed, sentence
from tiny_instances import plant, tiny

TARGET = {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}


def test_a_cell() -> None:
    instance = tiny({"facilities": [plant()], "targets": [TARGET]})
    change = Change("targets", 0, "value", 0.25)
    assert changed(instance, [change]).table("targets")["value"].tolist() == [0.25]
    assert instance.table("targets")["value"].tolist() == [0.5]
    assert sentence(instance, change) == "targets.csv row 2, value: 0.5 → 0.25"


def test_the_last_change_of_a_cell_wins() -> None:
    instance = tiny({"facilities": [plant()], "targets": [TARGET]})
    assert changed(instance, [Change("targets", 0, "value", 0.1), Change("targets", 0, "value", 0.2)]).table("targets")["value"].tolist() == [0.2]


def test_rows_taken_out_and_added() -> None:
    instance = tiny({"facilities": [plant(), plant(facility="other")]})
    changes = [Change("facilities", 0), Change.added("facilities", **plant(facility="third")), Change("facilities", 1, "capacity", 7.0)]
    after = changed(instance, changes).table("facilities")
    assert after["facility"].tolist() == ["other", "third"]
    assert after["capacity"].tolist() == [7.0, 500.0]
    assert sentence(instance, changes[0]) == "facilities.csv row 2 (old): taken out"


def test_a_setting() -> None:
    instance = tiny()
    change = Change("settings", None, "owners.grant_cap", 0.5)
    assert changed(instance, [change]).settings.owners.grant_cap == 0.5
    assert sentence(instance, change) == "instance.toml, owners.grant_cap: 0 → 0.5"


def test_a_blank_cell() -> None:
    instance = tiny({"facilities": [plant(retirement_year=2030.0)]})
    change = Change("facilities", 0, "retirement_year", None)
    assert changed(instance, [change]).table("facilities")["retirement_year"].isna().all()
    assert sentence(instance, change) == "facilities.csv row 2, retirement_year: 2030 → blank"


def test_what_breaks_the_format_is_refused() -> None:
    with pytest.raises(InstanceError):
        changed(tiny({"facilities": [plant()]}), [Change("facilities", 0, "capacity", -1.0)])
