"""Each chain of products follows one price path; the planner mixes rungs."""

from __future__ import annotations

import pytest

from model_rows import equal, rows
from model_solves import model_of, optimum
from orepact.formulation.case import Rules
from tiny_instances import plant, rung, tiny, two_stages

LADDER = [rung("low", "reference", 105.0), rung("high", "reference", 110.0, step=2)]


def test_one_path_is_chosen_and_its_rungs_follow() -> None:
    built = model_of(tiny({"ladder": LADDER}, years=(1, 1)), [{}, {"M": "low"}, {"M": ("low", "high")}])
    assert rows(built, "choice.one_path") == {0: equal({"y[free]": 1, "y[M low]": 1, "y[M low-high]": 1}, 1)}
    assert rows(built, "choice.rung_of_path", "k t l") == {
        ("M", 2026, "free"): equal({"y[free]": 1, "z[M,2026,free]": -1}),
        ("M", 2026, "low"): equal({"y[M low]": 1, "y[M low-high]": 1, "z[M,2026,low]": -1}),
        ("M", 2027, "free"): equal({"y[free]": 1, "z[M,2027,free]": -1}),
        ("M", 2027, "low"): equal({"y[M low]": 1, "z[M,2027,low]": -1}),
        ("M", 2027, "high"): equal({"y[M low-high]": 1, "z[M,2027,high]": -1}),
    }
    assert built.model.choice.y.whole
    assert built.model.choice.y.upper.tolist() == [1.0] * len(built.model.choice.y)


def test_chains_choose_for_themselves() -> None:
    ladder = [rung("low", "reference", 105.0), rung("ore", "reference", 12.0, product="O")]
    paths = [{"M": "low"}, {"O": "ore"}, {"M": "low", "O": "ore"}]
    apart = model_of(two_stages({"ladder": ladder}), paths)
    assert rows(apart, "choice.one_path") == {0: equal({"y[free]": 1, "y[O ore]": 1}, 1), 1: equal({"y[free]": 1, "y[M low]": 1}, 1)}
    joined = model_of(two_stages({"ladder": ladder, "facilities": [plant(process="smelt")]}), paths)
    assert rows(joined, "choice.one_path") == {0: equal({"y[M low]": 1, "y[O ore]": 1, "y[O ore/M low]": 1}, 1)}


def test_the_planner_mixes_what_is_offered() -> None:
    ladder = [LADDER[0], {**LADDER[1], "first_year": 2027}]
    built = model_of(tiny({"ladder": ladder}, years=(1, 1)), rules=Rules(behaviour="planner"))
    assert rows(built, "choice.one_mix", "k t") == {
        ("M", 2026): equal({"z[M,2026,free]": 1, "z[M,2026,low]": 1}, 1),
        ("M", 2027): equal({"z[M,2027,free]": 1, "z[M,2027,low]": 1, "z[M,2027,high]": 1}, 1),
    }
    assert not hasattr(built.model.choice, "y")


def test_the_cheapest_path_that_meets_the_target_wins() -> None:
    # half of use must come from a plant of 500 t at 106 USD/t: only the floor of 110 makes it run; a tenth of the levy leaks
    target = {"target": "own", "kind": "zone_share", "products": "M", "value": 0.5}
    instance = tiny({"ladder": LADDER, "facilities": [plant(opex=106.0)], "targets": [target]}, economics={"levy_capture": 0.9})
    plan = optimum(instance)
    assert plan is not None
    assert plan.objective == pytest.approx(500 * 106 + 500 * (100 + 0.1 * 10))
    assert optimum(instance, [{}, {"M": "low"}]) is None
