"""What must hold whatever the figures are: laws on random instances, on the project's own and on worlds made to meet a law's conditions.

Each compares two answers of the model, both proven to a gap of 0 over the same list of paths (random instances: every lawful one).
"""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path as Folder
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import orepact
from model_solves import Plan, cost, every_path, optimum, path_of
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from random_instances import random_instance
from tiny_instances import Tables, countries, demand_rows, market_of, plant, project, rung, sellers, tiny, two_stages

ROOT = Folder(__file__).parent.parent.parent
SAME = 1e-6
QUICK = 8
SEEDS = [pytest.param(seed, marks=() if seed < QUICK else pytest.mark.slow) for seed in range(80)]
TUTORIAL = ROOT / "instances" / "tutorial"


def rows(instance: Instance, table: str) -> list[dict[str, Any]]:
    return [{str(c): v for c, v in row.items()} for row in instance.table(table).to_dict("records")]


def no_dearer(relaxed: float | None, before: float | None) -> bool:
    """Whether a relaxed question has an answer that costs no more (no answer before: nothing is claimed)."""
    if before is None:
        return True
    return relaxed is not None and relaxed <= before + SAME * abs(before) + 1.0


# ---- more freedom never costs more ------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
def test_the_planner_costs_no_more_than_the_market(seed: int) -> None:
    instance = random_instance(seed)
    assert no_dearer(cost(instance, behaviour="planner"), cost(instance))


def test_the_planner_costs_no_more_in_the_tutorial() -> None:
    instance = read(TUTORIAL)
    planner, market = cost(instance, behaviour="planner"), cost(instance)
    assert planner is not None
    assert no_dearer(planner, market)


@pytest.mark.parametrize("seed", SEEDS)
def test_relaxing_a_target_a_cap_or_a_budget_never_costs_more(seed: int) -> None:
    instance = random_instance(seed)
    before = cost(instance)
    for table, column, factor in (("targets", "value", None), ("budgets", "limit", 1.5), ("contributions", "tolerance", 2.0)):
        given_rows = rows(instance, table)
        if not given_rows:
            continue
        for row in given_rows:
            eased = row[column] * (factor or (1.3 if row.get("kind") == "reliance_cap" else 0.7))
            row[column] = eased if table == "budgets" or row.get("kind") == "stock_days" else min(1.0, eased)
        assert no_dearer(cost(instance.with_table(table, given_rows)), before)
        assert no_dearer(cost(instance.with_table(table, [])), before)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_path_never_costs_more(seed: int) -> None:
    market = market_of(random_instance(seed))
    paths = every_path(market)
    few = random.Random(seed).sample(paths, k=(len(paths) + 1) // 2)
    assert no_dearer(cost(market, paths), cost(market, few))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scenario_that_nobody_expects_or_tests_changes_nothing(seed: int) -> None:
    instance = random_instance(seed)
    blank = dict.fromkeys(instance.table("scenarios").columns)
    idle = {**blank, "scenario": "idle", "name": "", "probability": 0.0, "downside": False, "normal": False}
    shock = {
        **dict.fromkeys(instance.table("shocks").columns),
        "scenario": "idle",
        "kind": "price",
        "value": 0.3,
        "product": "*",
        "country": "*",
        "facility": "*",
    }
    reference = instance.settings.policy.reference_scenario or max(rows(instance, "scenarios"), key=lambda r: r["probability"])["scenario"]
    changed = instance.with_tables({"scenarios": [*rows(instance, "scenarios"), idle], "shocks": [*rows(instance, "shocks"), shock]})
    before, after = cost(instance), cost(changed.with_setting("policy.reference_scenario", reference))
    assert (before is None) == (after is None)
    assert after is None or after == pytest.approx(before, rel=SAME)


# ---- names, order and units mean nothing ------------------------------------------------------
def rewritten(instance: Instance, folder: Folder, change: Any) -> Instance:
    """The instance written to a folder, its tables passed through `change(name, header, lines)`, and read again."""
    orepact.write(instance, folder)
    for file in folder.glob("*.csv"):
        header, *lines = csv.reader(file.read_text(encoding="utf-8").splitlines())
        header, lines = change(file.stem, header, lines)
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, *lines])
    return read(folder)


UNITS = {"t/a": ("kt/a", 1e-3), "USD/t": ("USD/kg", 1e-3), "USD": ("MUSD", 1e-6), "USD/a": ("MUSD/a", 1e-6)}


def in_other_units(_: str, header: list[str], lines: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    for n, title in enumerate(header):
        found = re.fullmatch(r"(\S+) \[(.+)\]", title)
        if found and found[2] in UNITS:
            unit, factor = UNITS[found[2]]
            header[n] = f"{found[1]} [{unit}]"
            for line in lines:
                line[n] = line[n] and repr(float(line[n]) * factor)
    return header, lines


CODES = {"countries": "country", "products": "product", "processes": "process", "facilities": "facility", "contracts": "contract", "targets": "target"}


def test_units_mean_nothing(tmp_path: Folder) -> None:
    for seed in range(12):
        instance = random_instance(seed)
        before, after = cost(instance), cost(rewritten(instance, tmp_path / str(seed), in_other_units))
        assert (before is None) == (after is None)
        assert after is None or after == pytest.approx(before, rel=SAME)


def test_names_and_order_mean_nothing(tmp_path: Folder) -> None:
    """The order of rows is shuffled and every code replaced; scenarios keep theirs, as the first of equally likely ones decides main products."""
    for seed in range(12):
        instance, dice = random_instance(seed), random.Random(seed)
        codes = [str(code) for table, column in CODES.items() for code in instance.table(table)[column]]
        new = {code: f"X{n:03}" for n, code in enumerate(dice.sample(codes, len(codes)))}
        known = re.compile("|".join(rf"(?<![\w-]){re.escape(code)}(?![\w-])" for code in sorted(new, key=len, reverse=True)))

        def change(
            name: str, header: list[str], lines: list[list[str]], new: dict[str, str] = new, known: re.Pattern[str] = known, dice: random.Random = dice
        ) -> tuple[list[str], list[list[str]]]:
            if name != "scenarios":
                dice.shuffle(lines)
            return header, [[known.sub(lambda m: new[m[0]], cell) for cell in line] for line in lines]

        before, after = cost(instance), cost(rewritten(instance, tmp_path / str(seed), change))
        assert (before is None) == (after is None), seed
        assert after is None or after == pytest.approx(before, rel=SAME), seed


# ---- where nothing is wrong with the market, nothing is bought ----------------------------------
def without_reasons(instance: Instance) -> Instance:
    """Every reason for policy taken away: no targets, no bans, no weight on the worst, no return above the social rate, no lenders' test, no foreign owners, no
    freight, no missing route and no band, nobody made to build at the first occasion, ample supply and sales outside at world prices, partners counted as our own, no stock."""
    products = [str(p) for p in instance.table("products")["product"]]
    economics, owners = instance.settings.economics, instance.settings.owners
    for path, value in {
        "economics.perimeter": "zone", "economics.export_discount": 0.0, "owners.cover": 0.0, "owners.entry": "free", "economics.cvar_weight": 0.0, "owners.repeal_weight": 0.0, "trade.band": 1.0,
    }.items():  # fmt: skip
        if getattr(economics if path.startswith("economics") else owners, path.partition(".")[2], None) != value:
            instance = instance.with_setting(path, value)
    plants = [{**r, "hurdle_rate": economics.social_rate, "foreign_share": 0.0} for r in rows(instance, "facilities")]
    year = instance.settings.horizon.start_year
    supply = [{**r, "available": max(r["available"], 1e7), "cost": 0.0} for r in rows(instance, "outside_supply")]
    scenarios = [{**r, "normal": None} for r in rows(instance, "scenarios")]
    shocks = [r for r in rows(instance, "shocks") if r["kind"] not in ("supply", "output", "delay")]
    return instance.with_tables(
        {
            "facilities": plants, "outside_supply": supply, "shocks": shocks, "scenarios": scenarios, "targets": [], "budgets": [], "contributions": [], "ranges": [],
            "freight": [], "stockpiles": [],
            "products": [{**r, "trade": "pooled"} for r in rows(instance, "products")],
            "contracts": [{**r, "stockpiled": False} for r in rows(instance, "contracts")],
            "outside_sales": [{"product": p, "year": year, "limit": 1e7} for p in products],
        }
    )  # fmt: skip


def bought(plan: Plan) -> list[str]:
    """What a package has in it, in words; nothing: free trade without support."""
    model, found = plan.built.model, []
    found += [f"volume {d}" for d, column in model.owners.volume.items() if plan.value(column) > 1e-6]
    found += [f"grant {d}" for d, column in model.owners.grant.items() if plan.value(column) > 1e-6]
    found += [f"stock {key}" for key, column in model.stockpile.buy.items() if plan.value(column) > 1e-6]
    return found


def one_scenario(instance: Instance) -> Instance:
    first = max(rows(instance, "scenarios"), key=lambda r: r["probability"])
    shocks = [r for r in rows(instance, "shocks") if r["scenario"] == first["scenario"]]
    return instance.with_tables({"scenarios": [{**first, "probability": 1.0, "normal": None}], "shocks": shocks})


WORLDS: dict[str, Tables] = {
    "a project worth building": {"facilities": [project(opex=85.0)], "contracts": [{"contract": "c", "products": "M", "strike": 130.0}]},
    "a project not worth building": {"facilities": [project(opex=95.0)], "contracts": [{"contract": "c", "products": "M", "strike": 130.0}]},
    "a plant that stands still": {"facilities": [plant(opex=120.0)], "contracts": [{"contract": "c", "products": "M", "strike": 130.0, "existing": True}]},
    "an elastic user and a floor": {"facilities": [plant()], "ladder": [rung("floor", "reference", 120.0)]},
}


@pytest.mark.parametrize("name", [*WORLDS, "tutorial"])
def test_where_nothing_is_wrong_the_best_package_is_no_package(name: str) -> None:
    raw = read(TUTORIAL) if name == "tutorial" else tiny(WORLDS[name], years=(2, 2), product={"elasticity": 0.5}, economics={"social_rate": 0.03})
    instance = without_reasons(one_scenario(raw))
    market = market_of(instance)
    everything, nothing, planner = optimum(market), optimum(market, [market.free]), optimum(market, behaviour="planner")
    assert everything is not None
    assert nothing is not None
    assert planner is not None
    assert nothing.objective == pytest.approx(everything.objective, rel=SAME)
    assert nothing.objective == pytest.approx(planner.objective, rel=SAME)
    assert bought(nothing) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_bought_without_targets_vanishes_with_its_reasons(seed: int) -> None:
    """Prices may still differ between scenarios: that alone is no reason."""
    instance = without_reasons(random_instance(seed))
    market = market_of(instance)
    everything, nothing = optimum(market), optimum(market, [market.free])
    assert everything is not None
    assert nothing is not None
    assert nothing.objective <= everything.objective * (1 + SAME) + 1.0
    assert everything.objective <= nothing.objective * (1 + SAME) + 1.0


# ---- what instruments do ------------------------------------------------------------------------
def test_a_floor_at_the_mine_alone_can_shut_refiners() -> None:
    """Ore at 10, two tonnes per tonne of metal at 100: a smelter at 70 earns 10 a tonne; with ore at 20 it would lose 10."""
    tables = {"facilities": [plant(process="smelt", opex=70.0)], "ladder": [rung("mine", "reference", 20.0, product="O")]}
    instance = two_stages(tables)
    before, after = optimum(instance, [{}]), optimum(instance, [{"O": "mine"}])
    assert before is not None
    assert after is not None
    made = [plan.mass(plan.built.model.activity.x, 0, 0, 0) for plan in (before, after)]
    assert made == pytest.approx([500.0, 0.0])
    margins = [
        float(m.response(0, m.response_class(0, path_of(m, p))).margin[0, 0]) * m.world.price_unit for m in [market_of(instance)] for p in ({}, {"O": "mine"})
    ]
    assert margins == pytest.approx([10.0, -10.0])


def test_a_floor_above_what_the_zone_needs_costs_glut_money_under_a_duty_to_build() -> None:
    """2,000 t at 80 and 10 a tonne of capital are worth building at a floor of 110; 1,000 t are used, the rest is bought at 110 and sold at 80."""
    big = project(opex=80.0, capacity=2000.0, capex=200_000.0)
    tables: Tables = {"facilities": [big], "ladder": [rung("floor", "reference", 110.0)]}
    made_to_build, free = (optimum(tiny(tables, owners={"entry": entry}, economics={"resale": 0.8}), [{"M": "floor"}]) for entry in ("duty", "free"))
    assert made_to_build is not None
    assert free is not None
    outlay = 1000 * (110 - 80)
    charged = made_to_build.built.ledger.entries["public money"]
    assert charged.coef @ made_to_build.values[charged.column] * made_to_build.world.money_unit == pytest.approx(0.25 * outlay)
    assert free.objective <= made_to_build.objective


@settings(max_examples=20, deadline=None)
@given(strike=st.floats(1.0, 99.0), share=st.floats(0.1, 1.0))
def test_a_contract_below_the_price_pays_nothing(strike: float, share: float) -> None:
    menu = [{"contract": "c", "products": "M", "strike": strike, "min_share": share, "max_share": share, "existing": True}]
    market = market_of(tiny({"facilities": [project()], "contracts": menu}))
    f = market.response_class(0, market.free)
    assert not market.support(0, 0, market.response(0, f)).any()


KG = 1000.0


def payment(price: float, **contract: Any) -> float:
    """USD a year that a guarantee on 5,000 t pays at a price per kg; negative: paid back."""
    terms = {"contract": "deal", "products": "M", "strike": 110 * KG, "existing": True, **contract}
    tables: Tables = {
        "prices": [{"product": "M", "year": 2026, "price": price * KG}],
        "facilities": [plant(capacity=5000.0, opex=40 * KG)],
        "contracts": [terms],
        "outside_supply": sellers(CHN=10_000.0),
    }
    market = market_of(tiny(tables))
    v = market.response_class(0, market.free)
    return float(market.support(0, 0, market.response(0, v))[0, 0]) * market.world.price_unit * 5000


DEAL = {"upside_share": 0.3, "ceiling": 150 * KG, "yearly_cap": 10e6, "reference_volume": 5000.0}


def test_closed_forms_of_the_real_deals() -> None:
    """110 USD/kg on 5,000 t at 60 pays 250 MUSD; 30 % above 150, capped at 10 MUSD a year, binds from 150 + 10 / (0.3 · 5) = 156.67."""
    assert payment(60) == pytest.approx(250e6)
    assert payment(130, **DEAL) == 0
    assert payment(155, **DEAL) == pytest.approx(-0.3 * 5 * 5e6)
    binding = 150 + 10 / (0.3 * 5)
    assert payment(binding - 0.01, **DEAL) > -10e6
    assert payment(binding + 0.01, **DEAL) == pytest.approx(-10e6)
    assert payment(160, **DEAL) == pytest.approx(-10e6)


def test_partners_and_members_of_one_treasury_are_one_market() -> None:
    """Two countries of one treasury are one place: splitting a plant's host does not change the cost."""
    one = tiny({"countries": countries(EU="member", CHN="outside"), "demand": demand_rows(EU=1000.0), "facilities": [plant(country="EU")]})
    two = tiny({"countries": countries(EU="member", FRA="member:EU", CHN="outside"), "demand": demand_rows(FRA=1000.0), "facilities": [plant(country="FRA")]})
    assert cost(one) == pytest.approx(cost(two), rel=SAME)
