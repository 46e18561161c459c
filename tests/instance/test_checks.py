"""Every check has a change to a good instance that trips it, and nothing else; so has every warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from orepact.errors import InstanceError, Problem
from orepact.instance import cautions, checks
from orepact.instance import checks_policy as policy
from orepact.instance import checks_targets as targets
from orepact.instance import checks_world as world
from orepact.instance.checks import CHECKS, WARNINGS, Check
from orepact.instance.instance import Instance

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]
Change = Callable[[Content, Tables], None]


class Case(NamedTuple):
    """A change, the check that it trips, and the one problem that must come of it; `rule` is part of its text."""

    check: Check
    change: Change
    file: str
    row: int | None
    column: str | None
    rule: str


def put(table: str, n: int, /, **cells: Any) -> Change:
    """Change cells of the table's n-th row, counted from 0."""
    return lambda _, tables: tables[table][n].update(cells)


def add(table: str, /, **cells: Any) -> Change:
    """Add a row at the end."""
    return lambda _, tables: tables.setdefault(table, []).append(cells)


def drop(table: str, n: int | None = None) -> Change:
    """Take away the n-th row, or all of them."""
    return lambda _, tables: tables[table].clear() if n is None else tables[table].__delitem__(n)


def say(section: str, /, **options: Any) -> Change:
    """Change settings."""
    return lambda content, _: content.setdefault(section, {}).update(options)


def both(*changes: Change) -> Change:
    """Several changes, in order."""

    def change(content: Content, tables: Tables) -> None:
        for one in changes:
            one(content, tables)

    return change


OF_MEMBERS = ("targets", "budgets", "contributions", "refusals", "stockpiles")
"""Tables that mean something only where there are members."""

FAULTS = [
    Case(world.codes_are_not_reserved, add("countries", country="Zone", role="partner"), "countries", 8, "country", "ZONE has a meaning of its own"),
    Case(world.codes_are_not_reserved, add("scenarios", scenario="expected", probability=0), "scenarios", 4, "scenario", "meaning of its own"),
    Case(world.codes_are_not_reserved, add("ladder", product="ore", rung="free", step=1, kind="tariff", rate=0.1), "ladder", 4, "rung", "free"),
    Case(
        world.there_is_a_member,
        both(*(put("countries", n, role="partner", treasury=None) for n in range(3)), *map(drop, OF_MEMBERS), put("contracts", 1, stockpiled=False)),
        "countries",
        None,
        "role",
        "at least one country must be a member",
    ),
    Case(
        world.treasuries_are_members, add("countries", country="KOR", role="partner", treasury="EU"), "countries", 8, "treasury", "only members have a treasury"
    ),
    Case(world.treasuries_are_members, put("countries", 2, treasury="AUS"), "countries", 4, "treasury", "must be a member"),
    Case(world.treasuries_are_members, add("countries", country="DEU", role="member", treasury="FRA"), "countries", 8, "treasury", "belongs to EU"),
    Case(world.outside_countries_are_outside, put("products", 1, dominant="AUS"), "products", 3, "dominant", "must be outside the zone"),
    Case(
        world.outside_countries_are_outside,
        add("outside_supply", country="AUS", product="by", year=2026, available=1),
        "outside_supply",
        5,
        "country",
        "must be outside",
    ),
    Case(
        world.outside_countries_are_outside,
        add("feedstock", country="USA", product="metal", feed="ore", origin="CHN", share=0.1),
        "feedstock",
        3,
        "country",
        "outside",
    ),
    Case(world.zone_countries_are_inside, put("facilities", 2, country="VNM"), "facilities", 4, "country", "must be a member or partner"),
    Case(
        world.zone_countries_are_inside,
        add("demand", country="CHN", product="metal", year=2026, demand=1),
        "demand",
        5,
        "country",
        "must be a member or partner",
    ),
    Case(world.zone_countries_are_inside, put("aid_limits", 0, country="CHN"), "aid_limits", 2, "country", "must be a member or partner"),
    Case(world.processes_have_one_main_output, add("processes", process="idle"), "processes", 4, "process", "makes nothing"),
    Case(world.processes_have_one_main_output, put("process_flows", 2, amount=0.9), "process_flows", 4, "amount", "main output's amount must be 1"),
    Case(world.processes_have_one_main_output, put("process_flows", 1, amount=0.7), "process_flows", 3, "amount", "by is worth most"),
    Case(world.processes_have_one_main_output, put("process_flows", 1, main=True), "process_flows", 3, "amount", "must be 1"),
    Case(
        world.processes_have_one_main_output,
        both(put("process_flows", 0, main=True), put("process_flows", 1, main=True)),
        "process_flows",
        3,
        "main",
        "row 2 is marked too",
    ),
    Case(world.flows_are_not_zero, put("process_flows", 1, amount=0), "process_flows", 3, "amount", "must be positive (made) or negative (used)"),
    Case(
        world.recipes_end,
        both(add("process_flows", process="mining", product="metal", amount=-0.5), add("embodied", product="metal", within="ore", amount=0)),
        "process_flows",
        5,
        "amount",
        "ore, metal",
    ),
    Case(
        world.plant_years_are_in_order,
        put("facilities", 0, opening_year=2030, retirement_year=2030),
        "facilities",
        2,
        "retirement_year",
        "after the opening year",
    ),
    Case(world.plant_years_are_in_order, put("facilities", 1, earliest_start=2028, latest_start=2027), "facilities", 3, "latest_start", "earliest start 2028"),
    Case(
        world.series_have_a_base_case,
        both(put("process_flows", 0, main=True), put("prices", 0, case="flood")),
        "prices",
        2,
        "case",
        "ore has no rows of case base",
    ),
    Case(world.series_have_a_base_case, put("demand", 0, case="boom"), "demand", 2, "case", "USA, metal has no rows of case base"),
    Case(
        world.source_traits_stay_the_same,
        add("outside_supply", country="CHN", product="ore", year=2030, available=9, compliant=False),
        "outside_supply",
        5,
        "compliant",
        "row 2 says true",
    ),
    Case(
        world.source_traits_stay_the_same,
        add("outside_supply", country="CHN", product="ore", year=2030, available=9, base_share=0.5),
        "outside_supply",
        5,
        "base_share",
        "row 2 says 0.6",
    ),
    Case(world.base_shares_fit, put("outside_supply", 1, base_share=0.41), "outside_supply", 3, "base_share", "sum to more than 1 (1.01"),
    Case(
        world.feedstock_shares_fit,
        add("feedstock", country="CHN", product="metal", feed="ore", origin="VNM", share=0.8),
        "feedstock",
        3,
        "share",
        "more than 1",
    ),
    Case(world.shortage_blocks_fit, put("shortage_costs", 1, share=0.7), "shortage_costs", 3, "share", "shares of metal sum to more than 1"),
    Case(world.freight_ends_fit, put("freight", 1, destination="ZONE", capacity=None), "freight", 3, "destination", "metal is routed"),
    Case(world.freight_ends_fit, put("freight", 0, destination="USA"), "freight", 2, "destination", "one end must be ZONE"),
    Case(world.freight_ends_fit, put("freight", 0, capacity=5.0), "freight", 2, "capacity", "only routes"),
    Case(world.freight_ends_fit, put("freight", 2, destination="FRA"), "freight", 4, "destination", "FRA trades as EU"),
    Case(world.freight_ends_fit, put("freight", 2, destination="USA"), "freight", 4, "destination", "must differ"),
    Case(world.embodied_is_about_others, put("embodied", 0, product="metal"), "embodied", 2, "within", "must be another product"),
    Case(world.groups_are_not_countries, add("groups", group="CHN", country="VNM"), "groups", 4, "group", "is the code of a country"),
    Case(world.years_are_in_order, put("shocks", 0, last_year=2027), "shocks", 2, "last_year", "must not be before the first year 2028"),
    Case(world.years_are_in_order, put("ladder", 0, first_year=2028, last_year=2026), "ladder", 2, "last_year", "must not be before"),
    Case(world.years_are_in_order, put("targets", 2, last_year=2026), "targets", 4, "last_year", "must not be before"),
    Case(world.years_are_in_order, put("budgets", 1, last_year=2026), "budgets", 3, "last_year", "must not be before"),
    Case(policy.probabilities_sum_to_one, put("scenarios", 0, probability=0.7), "scenarios", None, "probability", "must sum to 1"),
    Case(
        policy.reference_scenario_is_likely, say("policy", reference_scenario="clam"), "instance.toml", None, "policy.reference_scenario", "nearest known: calm"
    ),
    Case(
        policy.reference_scenario_is_likely,
        both(add("scenarios", scenario="stress", probability=0), say("policy", reference_scenario="stress")),
        "instance.toml",
        None,
        "policy.reference_scenario",
        "probability above 0",
    ),
    Case(
        policy.repeal_is_counted_once,
        both(add("shocks", scenario="ban", kind="repeal"), say("owners", repeal_weight=0.1)),
        "instance.toml",
        None,
        "owners.repeal_weight",
        "must be 0",
    ),
    Case(policy.shocks_have_what_they_need, put("shocks", 0, value=None), "shocks", 2, "value", "required for a shock of kind supply"),
    Case(policy.shocks_have_what_they_need, put("shocks", 1, case=None), "shocks", 3, "case", "required for a shock of kind price_case"),
    Case(policy.shocks_have_what_they_need, put("shocks", 1, value=0.5), "shocks", 3, "value", "has no value"),
    Case(policy.shocks_have_what_they_need, put("shocks", 0, case="flood"), "shocks", 2, "case", "has no case"),
    Case(policy.shocks_have_what_they_need, put("shocks", 1, country="CHN"), "shocks", 3, "country", "can't be narrowed to one country"),
    Case(policy.shocks_have_what_they_need, put("shocks", 0, facility="mine"), "shocks", 2, "facility", "can't be narrowed to one facility"),
    Case(policy.shocks_have_what_they_need, add("shocks", scenario="ban", kind="repeal", product="metal"), "shocks", 5, "product", "can't be narrowed"),
    Case(policy.shocks_hit_something, put("shocks", 0, country="AUS"), "shocks", 2, "country", "AUS is in the zone"),
    Case(policy.shocks_hit_something, put("shocks", 2, facility="*", country="CHN"), "shocks", 4, "country", "CHN is outside"),
    Case(policy.shocks_hit_something, put("shocks", 0, country="VNM"), "shocks", 2, "product", "no outside country in outside_supply sells this"),
    Case(policy.shocks_hit_something, add("shocks", scenario="ban", kind="demand", product="ore", value=2), "shocks", 5, "product", "no row of demand"),
    Case(policy.shocks_hit_something, put("shocks", 1, case="flod"), "shocks", 3, "case", "nearest known: flood"),
    Case(
        policy.shocks_hit_something,
        add("shocks", scenario="ban", kind="demand_case", country="USA", product="metal", case="boom"),
        "shocks",
        5,
        "case",
        "no such case in demand",
    ),
    Case(policy.rungs_have_what_they_need, put("ladder", 0, price=None), "ladder", 2, "price", "required for a rung of kind reference"),
    Case(policy.rungs_have_what_they_need, put("ladder", 1, rate=None), "ladder", 3, "rate", "required for a rung of kind tariff"),
    Case(policy.rungs_have_what_they_need, put("ladder", 1, price=5.0), "ladder", 3, "price", "has no price"),
    Case(policy.rungs_have_what_they_need, put("ladder", 0, rate=0.1), "ladder", 2, "rate", "has no rate"),
    Case(policy.rungs_have_what_they_need, put("ladder", 0, origins="CHN"), "ladder", 2, "origins", "has no origins"),
    Case(policy.rungs_have_what_they_need, put("ladder", 1, origins="CHN;AUS"), "ladder", 3, "origins", "AUS is partner"),
    Case(policy.steps_are_distinct, put("ladder", 1, step=1), "ladder", 3, "step", "same step of metal as row 2"),
    Case(policy.paths_use_rungs_of_the_ladder, put("price_paths", 0, rung="flor"), "price_paths", 2, "rung", "nearest known: floor"),
    Case(policy.contracts_make_sense, put("contracts", 0, min_share=0.9, max_share=0.8), "contracts", 2, "min_share", "at most the largest share 0.8"),
    Case(policy.contracts_make_sense, put("contracts", 0, ceiling=100.0), "contracts", 2, "ceiling", "at least the strike 105"),
    Case(policy.contracts_make_sense, put("contracts", 1, upside_share=0.2), "contracts", 3, "ceiling", "required where an upside is shared"),
    Case(policy.contracts_make_sense, put("contracts", 1, premium=0), "contracts", 3, "strike", "pays nothing"),
    Case(policy.contracts_make_sense, put("contracts", 1, ceiling=120.0), "contracts", 3, "ceiling", "no upside is shared"),
    Case(policy.contracts_make_sense, put("contracts", 1, yearly_cap=120.0), "contracts", 3, "yearly_cap", "no upside is shared"),
    Case(policy.contracts_make_sense, put("contracts", 0, yearly_cap=None), "contracts", 2, "reference_volume", "without a yearly cap"),
    Case(policy.contracts_are_offered_in_the_zone, put("contracts", 1, countries="USA;CHN"), "contracts", 3, "countries", "CHN is outside"),
    Case(policy.stockpiled_tonnes_have_a_stockpile, put("contracts", 1, products="metal;ore"), "contracts", 3, "stockpiled", "no row in stockpiles for ore"),
    Case(policy.stockpiles_stand_somewhere, add("stockpiles", product="ore", country="USA", max_purchase=1), "stockpiles", 3, "country", "use ZONE"),
    Case(
        policy.stockpiles_stand_somewhere, add("stockpiles", product="metal", country="FRA", max_purchase=1), "stockpiles", 3, "country", "is its own treasury"
    ),
    Case(policy.stockpiles_stand_somewhere, put("stockpiles", 0, initial=30.0), "stockpiles", 2, "initial", "at most the largest stock 20"),
    Case(policy.payers_are_treasuries, put("refusals", 0, member="FRA"), "refusals", 2, "member", "is its own treasury"),
    Case(policy.payers_are_treasuries, put("budgets", 0, member="AUS"), "budgets", 2, "member", "is its own treasury"),
    Case(policy.payers_are_treasuries, put("contributions", 1, member="FRA"), "contributions", 3, "member", "is its own treasury"),
    Case(policy.contributions_sum_to_one, put("contributions", 1, key=0.3), "contributions", None, "key", "must sum to 1"),
    Case(targets.targets_have_what_they_need, put("targets", 1, activity=None), "targets", 3, "activity", "required for a target of kind activity_share"),
    Case(targets.targets_have_what_they_need, put("targets", 2, source_country=None), "targets", 4, "source_country", "required"),
    Case(targets.targets_have_what_they_need, put("targets", 3, outage=None), "targets", 5, "outage", "required for a target of kind n_minus_1"),
    Case(targets.targets_have_what_they_need, put("targets", 3, area="USA"), "targets", 5, "area", "about the whole zone"),
    Case(targets.targets_have_what_they_need, put("targets", 0, activity="processing"), "targets", 2, "activity", "has no activity"),
    Case(targets.targets_have_what_they_need, put("targets", 4, outage_years=1.0), "targets", 6, "outage_years", "has no outage_years"),
    Case(targets.targets_have_what_they_need, put("targets", 2, use_of="ore"), "targets", 4, "use_of", "has no use_of"),
    Case(targets.targets_have_what_they_need, put("targets", 3, products="ore;by"), "targets", 5, "products", "about one product"),
    Case(targets.targets_have_what_they_need, put("targets", 0, value=40), "targets", 2, "value", "must be a share of use, 0 to 1"),
    Case(targets.areas_are_treasuries, put("targets", 0, area="FRA"), "targets", 2, "area", "is its own treasury"),
    Case(targets.areas_need_routes, put("targets", 0, products="ore"), "targets", 2, "area", "ore is pooled"),
    Case(
        targets.areas_need_routes,
        both(
            put("products", 0, trade="routed"),
            put("freight", 0, destination="USA"),
            put("products", 2, trade="pooled"),
            drop("freight", 1),
            drop("stockpiles"),
            put("contracts", 1, stockpiled=False),
            drop("targets", 4),
            drop("targets", 0),
            put("targets", 1, products="ore"),
        ),
        "targets",
        3,
        "area",
        "metal is pooled",
    ),
    Case(targets.sources_can_be_relied_on, put("targets", 2, source_country="EU"), "targets", 4, "source_country", "EU is in the zone"),
    Case(targets.stock_targets_have_a_stockpile, put("targets", 4, area="EU"), "targets", 6, "products", "no row in stockpiles for metal"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, low=2.0), "ranges", 2, "low", "at most the high factor"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, table="facilites"), "ranges", 2, "table", "nearest known: facilities"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, column="capx"), "ranges", 2, "column", "nearest known: capex"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, column="country"), "ranges", 2, "column", "not a column of facilities with decimal numbers"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, where="proces=smelting"), "ranges", 2, "where", "nearest known: process"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, where="smelting"), "ranges", 2, "where", "must be column=value"),
    Case(targets.ranges_can_be_applied, put("ranges", 0, where="process=melting"), "ranges", 2, "where", "no row of facilities"),
    Case(targets.ranges_can_be_applied, put("ranges", 1, where="a=b"), "ranges", 3, "where", "has no rows"),
    Case(targets.ranges_can_be_applied, put("ranges", 1, column="economics.social_rat"), "ranges", 3, "column", "nearest known: economics.social_rate"),
    Case(targets.ranges_can_be_applied, put("ranges", 1, column="policy.max_step"), "ranges", 3, "column", "not a setting with a decimal number"),
    Case(targets.ranges_can_be_applied, put("ranges", 1, high=50.0), "ranges", 3, "high", "makes economics.social_rate 1.5"),
    Case(
        targets.ranges_can_be_applied,
        add("ranges", range="avail", table="facilities", column="availability", low=0.5, high=1.1),
        "ranges",
        4,
        "high",
        "makes availability in row 2 of facilities 1.1",
    ),
]

CAUTIONS = [
    Case(cautions.supply_reaches_demand, put("demand", 0, demand=140.0), "demand", 2, "demand", "in 2026 the zone wants 160 t of metal, but"),
    Case(cautions.products_have_prices, both(drop("prices", 1), put("process_flows", 0, main=True)), "products", 3, "product", "no price path"),
    Case(
        cautions.targets_can_be_met, both(put("targets", 1, products="ore"), drop("facilities", 0)), "targets", 3, "products", "no plant or candidate makes ore"
    ),
    Case(cautions.targets_can_be_met, put("targets", 1, activity="manufacturing"), "targets", 3, "activity", "has a process of this activity"),
    Case(cautions.some_scenario_is_normal, put("scenarios", 0, normal=False), "scenarios", None, "normal", "no scenario is normal"),
    Case(
        cautions.products_are_used,
        both(add("products", product="slag", mineral="m", stage="waste")),
        "products",
        5,
        "product",
        "nothing makes, uses, wants or sells it",
    ),
    Case(
        cautions.series_lie_in_the_horizon,
        both(put("prices", 2, year=2020), put("prices", 3, year=2021, price=90.0)),
        "prices",
        4,
        "year",
        "lie outside 2026 to 2030",
    ),
    Case(cautions.supported_candidates_have_a_cost, put("facilities", 1, capex=0), "facilities", 3, "capex", "has no capital cost"),
    Case(cautions.contracts_fit_a_plant, put("contracts", 0, countries="AUS"), "contracts", 2, "products", "no plant mainly makes"),
    Case(cautions.floors_are_above_some_price, put("ladder", 0, price=60.0), "ladder", 2, "price", "lowest world price 60 USD/t"),
    Case(cautions.plants_run_within_the_horizon, put("facilities", 0, retirement_year=2026), "facilities", 2, "retirement_year", "retires before"),
    Case(cautions.plants_run_within_the_horizon, put("facilities", 0, opening_year=2031), "facilities", 2, "opening_year", "opens after"),
    Case(cautions.plants_run_within_the_horizon, put("facilities", 1, earliest_start=2029), "facilities", 3, "earliest_start", "never built"),
    Case(cautions.plants_run_within_the_horizon, put("facilities", 1, latest_start=2025), "facilities", 3, "latest_start", "never built"),
    Case(cautions.plants_run_within_the_horizon, put("facilities", 1, lead_time=5), "facilities", 3, "lead_time", "never built"),
    Case(
        cautions.plant_columns_fit_the_status,
        put("facilities", 0, latest_start=2028),
        "facilities",
        2,
        "latest_start",
        "not read for a plant of status existing",
    ),
    Case(cautions.plant_columns_fit_the_status, put("facilities", 1, opening_year=2028), "facilities", 3, "opening_year", "status candidate"),
    Case(cautions.shocks_happen, put("shocks", 0, first_year=2031), "shocks", 2, "first_year", "outside the horizon, 2026 to 2030"),
    Case(cautions.shocks_happen, put("shocks", 2, first_year=2028), "shocks", 4, "first_year", "its years are not read"),
    Case(cautions.shocks_happen, put("shocks", 2, product="ore"), "shocks", 4, "kind", "hits no plant"),
    Case(cautions.shocks_happen, put("shocks", 2, facility="mine"), "shocks", 4, "kind", "existing plants only"),
    Case(cautions.rules_fall_on_a_period, put("budgets", 1, first_year=2029), "budgets", 3, "first_year", "never holds"),
    Case(cautions.paths_fall_on_periods, add("price_paths", path="mine", product="metal", year=2029, rung="free"), "price_paths", 3, "year", "never reached"),
    Case(
        cautions.routed_products_have_routes,
        add("outside_supply", country="VNM", product="metal", year=2026, available=1),
        "products",
        4,
        "trade",
        "no route for it from VNM",
    ),
    Case(cautions.freight_comes_in, add("freight", product="metal", origin="USA", destination="CHN"), "freight", 5, "destination", "freight to it is not read"),
    Case(cautions.dominant_sources_sell, put("products", 1, dominant="CHN"), "products", 3, "dominant", "no row for this source"),
    Case(cautions.feedstock_is_of_sources, put("feedstock", 0, country="VNM"), "feedstock", 2, "country", "sells no metal"),
    Case(
        cautions.shortage_costs_rise, put("shortage_costs", 1, price_multiple=1.5), "shortage_costs", 3, "price_multiple", "below the one of the block before"
    ),
    Case(cautions.sources_are_cited, put("prices", 0, source="usgs; iea"), "prices", 2, "source", "iea is not in the table of sources"),
]


def name(case: Case) -> str:
    return f"{case.check.__name__}-{case.column}"


def found(problems: list[Problem], case: Case) -> bool:
    """Whether exactly the expected problem was found."""
    file = case.file if case.file == "instance.toml" else f"{case.file}.csv"
    return [(p.file, p.row, p.column) for p in problems] == [(file, case.row, case.column)] and case.rule in problems[0].rule


@pytest.mark.parametrize("case", FAULTS, ids=name)
def test_a_broken_rule_is_named_and_nothing_else(case: Case, content: Content, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    case.change(content, tables)
    with pytest.raises(InstanceError) as error:
        Instance.from_tables(content, tables)
    assert found(error.value.problems, case), error.value
    # Without its check the change goes unnoticed: no other check, and no rule of the schema, sees it.
    monkeypatch.setattr(checks, "CHECKS", [check for check in CHECKS if check is not case.check])
    monkeypatch.setattr(checks, "WARNINGS", ())
    Instance.from_tables(content, tables)


@pytest.mark.parametrize("case", CAUTIONS, ids=name)
def test_an_oddity_makes_one_warning(case: Case, content: Content, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    case.change(content, tables)
    assert found(list(Instance.from_tables(content, tables).warnings), case), Instance.from_tables(content, tables).warnings
    monkeypatch.setattr(checks, "WARNINGS", [check for check in WARNINGS if check is not case.check])
    assert Instance.from_tables(content, tables).warnings == ()


def test_a_floor_for_hard_times_is_no_oddity(content: Content, tables: Tables) -> None:
    tables["ladder"][0]["price"] = 50.0
    assert [p.column for p in Instance.from_tables(content, tables).warnings] == ["price"]
    tables["shocks"].append({"scenario": "ban", "kind": "price", "value": 0.5})
    assert Instance.from_tables(content, tables).warnings == ()


def test_every_check_is_tripped() -> None:
    assert {case.check for case in FAULTS} == set(CHECKS)
    assert {case.check for case in CAUTIONS} == set(WARNINGS)
    assert len(set(CHECKS)) == len(CHECKS)


def test_the_good_instance_has_no_warning(content: Content, tables: Tables) -> None:
    assert Instance.from_tables(content, tables).warnings == ()


def test_a_faulty_table_silences_only_the_checks_that_read_it(content: Content, tables: Tables) -> None:
    tables["scenarios"][0]["probability"] = "often"
    tables["contributions"][0]["key"] = 0.5
    tables["facilities"][1].update(earliest_start=2030, latest_start=2027)
    with pytest.raises(InstanceError) as error:
        Instance.from_tables(content, tables)
    assert [(p.file, p.row, p.column) for p in error.value.problems] == [
        ("scenarios.csv", 2, "probability"),
        ("facilities.csv", 3, "latest_start"),
        ("contributions.csv", None, "key"),
    ]
