"""What the zone makes beyond its needs: sold outside, dumped, or bought up to hold a floor."""

from __future__ import annotations

from typing import Any

import pytest

from model_rows import at_most, costs, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from orepact.instance.instance import Instance
from tiny_instances import countries, plant, project, rung, tiny

LADDER = [rung("low", "reference", 90.0), rung("floor", "reference", 110.0, step=2), rung("least", "minimum", 110.0, step=3)]
PATHS: list[dict[str, str]] = [{}, {"M": "low"}, {"M": "floor"}, {"M": "least"}]
MONEY = {"resale": 0.8, "export_discount": 0.02, "public_money_premium": 0.25}


def plenty(capacity: float = 1500.0, *, limit: float | None = 200.0, tables: dict[str, Any] | None = None, **cells: Any) -> Instance:
    """A plant that makes more than the 1000 t wanted, of which 200 t can be sold outside."""
    given: dict[str, Any] = {"facilities": [plant(capacity=capacity, **cells)], "ladder": LADDER}
    if limit is not None:
        given["outside_sales"] = [{"product": "M", "year": 2026, "limit": limit}]
    return tiny({**given, **(tables or {})}, economics=MONEY)


def test_ways_out_are_open_where_the_rung_allows_them() -> None:
    built = model_of(plenty(), PATHS)
    spot = "M,members,2026,s"
    assert rows(built, "surplus.export_limit", "k t w") == {
        ("M", 2026, "s"): at_most({f"export[{spot}]": 1, "z[M,2026,free]": -200, "z[M,2026,low]": -200}),
    }
    assert rows(built, "surplus.dumping_where_open", "k p t w") == {
        ("M", "members", 2026, "s"): at_most({f"overflow[{spot}]": 1, "z[M,2026,free]": -1500, "z[M,2026,low]": -1500}),
    }
    assert rows(built, "surplus.buying_where_lifted", "k p t w price") == {
        ("M", "members", 2026, "s", 110.0): at_most({f"glut[{spot},110.0]": 1, "z[M,2026,floor]": -1500, "z[M,2026,least]": -1500}),
    }


def test_without_rungs_that_lift_the_price_only_exports_have_a_limit() -> None:
    built = model_of(plenty(), PATHS[:2])
    assert rows(built, "surplus.export_limit", "k t w") == {("M", 2026, "s"): at_most({"export[M,members,2026,s]": 1}, 200)}
    assert rows(built, "surplus.dumping_where_open") == {}
    assert len(built.model.surplus.glut) == 0
    lifted = model_of(plenty(), PATHS[2:])
    assert len(lifted.model.surplus.export) == len(lifted.model.surplus.overflow) == 0


def test_nothing_leaves_from_where_nothing_is_made() -> None:
    tables = {"countries": countries(USA="member", AUS="partner", CHN="outside")}
    assert {key[1] for key in model_of(plenty(tables=tables)).model.surplus.export} == {-1}
    assert len(model_of(tiny({"outside_sales": [{"product": "M", "year": 2026, "limit": 100.0}]})).model.surplus.export) == 0
    assert len(model_of(plenty(limit=None)).model.surplus.export) == 0


def test_what_members_and_partners_get_for_it() -> None:
    home, away = model_of(plenty(), PATHS), model_of(plenty(country="AUS", tables={"countries": countries(USA="member", AUS="partner", CHN="outside")}), PATHS)
    spot, there = "M,members,2026,s", "M,partners,2026,s"
    assert costs(home, "exports")[2026, "s"] == pytest.approx({f"export[{spot}]": -0.98 * 100})
    assert costs(home, "surplus")[2026, "s"] == pytest.approx({f"overflow[{spot}]": -0.8 * 100, f"glut[{spot},110.0]": -0.8 * 100})
    assert costs(away, "exports") == {}
    assert costs(away, "surplus")[2026, "s"] == pytest.approx({f"glut[{there},110.0]": 110 - 0.8 * 100})


def test_a_surplus_is_exported_and_then_dumped() -> None:
    plan = optimum(plenty(), [{}])
    assert plan is not None
    assert plan.objective == pytest.approx(1500 * 40 - 200 * 98 - 300 * 80)


def test_a_floor_turns_a_surplus_into_a_glut() -> None:
    plan = optimum(plenty(), [{"M": "floor"}])
    assert plan is not None
    assert plan.objective == pytest.approx(1500 * 40 - 500 * 80 + 0.25 * 500 * (110 - 80))


def test_a_partners_glut_is_paid_in_full() -> None:
    tables = {"countries": countries(USA="member", AUS="partner", CHN="outside")}
    plan = optimum(plenty(country="AUS", tables=tables), [{"M": "floor"}])
    assert plan is not None
    assert plan.objective == pytest.approx(1000 * 110 + (1 + 0.25) * 500 * (110 - 80))


def test_a_repeal_opens_the_way_out() -> None:
    scenarios = [{"scenario": "s", "probability": 0.5}, {"scenario": "gone", "probability": 0.5}]
    tables = {"scenarios": scenarios, "shocks": [{"scenario": "gone", "kind": "repeal"}]}
    plan = optimum(plenty(tables=tables), [{"M": "floor"}])
    assert plan is not None
    glut, export = 1500 * 40 - 500 * 80 + 0.25 * 500 * (110 - 80), 1500 * 40 - 200 * 98 - 300 * 80
    assert plan.objective == pytest.approx(0.5 * glut + 0.5 * export)


def test_what_candidates_could_make_counts() -> None:
    built = model_of(plenty(tables={"facilities": [plant(), project(ramp_up=2.0)]}), PATHS)
    assert built.model.surplus.full[0, -1, 0, 0] * built.case.world.mass_unit == pytest.approx(500 + 500 / 4)


def test_the_planner_exports_under_any_rung() -> None:
    built = model_of(plenty(), rules=Rules(behaviour="planner"))
    assert rows(built, "surplus.export_limit", "k t w") == {("M", 2026, "s"): at_most({"export[M,members,2026,s]": 1}, 200)}
    assert len(built.model.surplus.glut) == 0
