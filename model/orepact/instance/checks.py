"""Rules across tables that a schema can't state: one small function each, registered here in explicit lists.

Every check asks `Given` for what it reads, and is left out where that has faults already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from orepact.errors import Problem
from orepact.instance import cautions, checks_policy, checks_targets, checks_world
from orepact.instance.given import FaultyError, Given

Check = Callable[[Given], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    checks_world.codes_are_not_reserved,
    checks_world.there_is_a_member,
    checks_world.treasuries_are_members,
    checks_world.outside_countries_are_outside,
    checks_world.zone_countries_are_inside,
    checks_world.processes_have_one_main_output,
    checks_world.flows_are_not_zero,
    checks_world.recipes_end,
    checks_world.plant_years_are_in_order,
    checks_world.series_have_a_base_case,
    checks_world.source_traits_stay_the_same,
    checks_world.base_shares_fit,
    checks_world.feedstock_shares_fit,
    checks_world.shortage_blocks_fit,
    checks_world.freight_ends_fit,
    checks_world.embodied_is_about_others,
    checks_world.groups_are_not_countries,
    checks_world.years_are_in_order,
    checks_policy.probabilities_sum_to_one,
    checks_policy.reference_scenario_is_likely,
    checks_policy.repeal_is_counted_once,
    checks_policy.shocks_have_what_they_need,
    checks_policy.shocks_hit_something,
    checks_policy.rungs_have_what_they_need,
    checks_policy.steps_are_distinct,
    checks_policy.paths_use_rungs_of_the_ladder,
    checks_policy.contracts_make_sense,
    checks_policy.contracts_are_offered_in_the_zone,
    checks_policy.stockpiled_tonnes_have_a_stockpile,
    checks_policy.stockpiles_stand_somewhere,
    checks_policy.payers_are_treasuries,
    checks_policy.contributions_sum_to_one,
    checks_targets.targets_have_what_they_need,
    checks_targets.areas_are_treasuries,
    checks_targets.areas_need_routes,
    checks_targets.sources_can_be_relied_on,
    checks_targets.stock_targets_have_a_stockpile,
    checks_targets.ranges_can_be_applied,
)
"""What an instance must obey."""

WARNINGS: tuple[Check, ...] = (
    cautions.supply_reaches_demand,
    cautions.products_have_prices,
    cautions.targets_can_be_met,
    cautions.some_scenario_is_normal,
    cautions.products_are_used,
    cautions.series_lie_in_the_horizon,
    cautions.supported_candidates_have_a_cost,
    cautions.contracts_fit_a_plant,
    cautions.floors_are_above_some_price,
    cautions.plants_run_within_the_horizon,
    cautions.plant_columns_fit_the_status,
    cautions.shocks_happen,
    cautions.rules_fall_on_a_period,
    cautions.paths_fall_on_periods,
    cautions.routed_products_have_routes,
    cautions.freight_comes_in,
    cautions.dominant_sources_sell,
    cautions.feedstock_is_of_sources,
    cautions.shortage_costs_rise,
    cautions.sources_are_cited,
)
"""What looks wrong, though it may be meant."""


def problems(given: Given) -> list[Problem]:
    """Every cross-table fault."""
    return list(_found(CHECKS, given))


def warnings(given: Given) -> list[Problem]:
    """Everything that looks wrong in an instance without faults."""
    return list(_found(WARNINGS, given))


def _found(checks: Iterable[Check], given: Given) -> Iterator[Problem]:
    for check in checks:
        try:
            yield from list(check(given))
        except FaultyError:
            continue
