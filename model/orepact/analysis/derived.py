"""The tables that a report needs beyond those of a solution, written once: columns, units, meanings.

They are worked out from stored tables alone, without any solver. Amounts are canonical (t, USD, year); nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from orepact.instance.columns import Column, Kind, Table

Row = dict[str, Any]
Frame = Any
"""A pandas DataFrame. Its type stubs can't say what a cell holds, so tables that are read cell by cell go without."""


def column(name: str, kind: Kind, description: str, unit: str | None = None) -> Column:
    """A column whose cells may be blank."""
    return Column(name, kind, description, unit=unit)


_FACILITY = column("facility", "code", "plant")
_NAME = column("name", "text", "name for people")
_COUNTRY = column("country", "code", "country it stands in")
_PRODUCT = column("product", "code", "product")
_YEAR = column("first_year", "int", "first year of the period", "year")
_SCENARIO = column("scenario", "code", "scenario")
_BEFORE, _AFTER = "without policy", "under the plan"

_TABLES = (
    Table(
        "key_figures",
        "The figures of the first screen, and the cell that each one comes from.",
        ("figure",),
        (
            column("figure", "code", "figure"),
            column("label", "text", "what it is"),
            column("value", "float", "value"),
            column("unit", "text", "unit"),
            column("source", "text", "where it comes from"),
        ),
    ),
    Table(
        "target_summary",
        "Every target and cap where the plan leaves it least room, and the worst it reaches without policy.",
        ("target",),
        (
            column("target", "code", "target or cap"),
            column("kind", "choice", "zone_share, activity_share, reliance_cap, n_minus_1 or stock_days"),
            column("products", "text", "products"),
            column("area", "code", "member it is about; blank: the whole zone"),
            column("required", "float", "what is required: at most for a cap, at least for the others", "1 or d"),
            column("before", "float", "the worst that is reached without policy", "1 or d"),
            column("after", "float", "what the plan reaches where it is tightest", "1 or d"),
            column("slack", "float", "room left", "1 or d"),
            column("case", "text", "source capped, or country or group lost, where it is tightest"),
            _YEAR,
            _SCENARIO,
            column("met_before", "bool", "met everywhere without policy"),
            column("met", "bool", "met everywhere under the plan"),
            column("binding", "bool", "no room is left somewhere"),
        ),
    ),
    Table(
        "who_pays",
        "Who pays what for which tonnes: expected, undiscounted, over the whole horizon. Supported tonnes are the plant's expected output under the "
        "contract while it runs (for a grant: all of it); additional tonnes are the plant's expected output beyond what it would make without policy. "
        "Above world price counts what users and treasuries together pay for a tonne of the plant beyond the world price.",
        ("member", "instrument", "facility"),
        (
            column("member", "code", "member that pays"),
            column("instrument", "choice", "offtake, support or grant"),
            _FACILITY,
            _NAME,
            _COUNTRY,
            _PRODUCT,
            column("expected_usd", "float", "expected payment over the horizon; negative: the owner pays back", "USD"),
            column("worst_usd_a", "float", "largest payment in any scenario and year", "USD/a"),
            column("worst_scenario", "code", "scenario of that payment"),
            column("supported_t", "float", "supported tonnes", "t"),
            column("additional_t", "float", "additional tonnes of the plant; blank: no baseline", "t"),
            column("usd_per_supported_t", "float", "expected payment per supported tonne", "USD/t"),
            column("usd_per_additional_t", "float", "expected payment per additional tonne; blank: none", "USD/t"),
            column("above_world_usd_t", "float", "what users and treasuries pay above the world price per tonne the plant makes, all its instruments", "USD/t"),
        ),
    ),
    Table(
        "member_payments",
        "What each member pays by instrument, and what it takes in (negative).",
        ("member", "instrument"),
        (
            column("member", "code", "member"),
            column("instrument", "choice", "offtake, support, grant, stockpile or intervention; levy or release for revenue"),
            column("expected_usd", "float", "expected over the horizon, undiscounted", "USD"),
            column("expected_usd_a", "float", "the same per year", "USD/a"),
            column("worst_usd_a", "float", "largest payment in any scenario and year", "USD/a"),
            column("worst_scenario", "code", "scenario of that payment"),
            column("worst_year", "int", "first year of its period", "year"),
        ),
    ),
    Table(
        "price_measures",
        "Every price measure, over the years it is in force: what it does to prices, and what it brings the members' treasuries and costs their users.",
        ("product", "from_year"),
        (
            _PRODUCT,
            _NAME,
            column("from_year", "int", "first year", "year"),
            column("to_year", "int", "last year", "year"),
            column("rung", "code", "rung of the ladder"),
            column("kind", "choice", "reference, tariff, standard or minimum"),
            column("level", "float", "floor in USD/t (reference, minimum) or rate (tariff, standard)", "USD/t or 1"),
            column("world_price", "float", "mean world price in the reference scenario", "USD/t"),
            column("zone_price", "float", "mean zone price in the reference scenario", "USD/t"),
            column("levy_usd_a", "float", "expected levy revenue of the members", "USD/a"),
            column("least_levy_usd_a", "float", "levy revenue in the scenario that brings least, mean of the years", "USD/a"),
            column("least_scenario", "code", "that scenario"),
            column("users_usd_a", "float", "what members' users are expected to pay above the world price", "USD/a"),
            column("most_users_usd_a", "float", "the same in the scenario in which it is most", "USD/a"),
            column("most_scenario", "code", "that scenario"),
        ),
    ),
    Table(
        "contract_costs",
        "Every contract with its terms and what it costs the treasury that pays.",
        ("facility", "contract"),
        (
            _FACILITY,
            _NAME,
            _COUNTRY,
            _PRODUCT,
            column("contract", "code", "contract of the menu"),
            column("instrument", "choice", "offtake or support"),
            column("payer", "code", "member that pays"),
            column("start_year", "int", "year of the decision to build; blank: stands already", "year"),
            column("volume_t_a", "float", "contracted volume", "t/a"),
            column("share_of_capacity", "float", "share of capacity", "1"),
            column("strike", "float", "guaranteed price", "USD/t"),
            column("premium", "float", "fixed payment", "USD/t"),
            column("upside_share", "float", "share of the price above the ceiling that the owner pays back", "1"),
            column("ceiling", "float", "that ceiling", "USD/t"),
            column("window", "float", "years from first output for which it pays", "year"),
            column("expected_usd_a", "float", "expected payment, mean of the years it pays in", "USD/a"),
            column("worst_usd_a", "float", "largest payment in any scenario and year", "USD/a"),
            column("weight", "float", "share of the plant's plan that rests on it", "1"),
        ),
    ),
    Table(
        "grant_costs",
        "Every grant.",
        ("facility", "payer"),
        (
            _FACILITY,
            _NAME,
            _COUNTRY,
            _PRODUCT,
            column("payer", "code", "member that pays"),
            column("start_year", "int", "year of the decision to build", "year"),
            column("grant_usd", "float", "grant, the same in every scenario", "USD"),
            column("share_of_capex", "float", "share of capital cost", "1"),
        ),
    ),
    Table(
        "stock_costs",
        "Every public stock: how much is bought, and what for.",
        ("product", "country"),
        (
            _PRODUCT,
            _NAME,
            column("country", "code", "member that holds it; ZONE: all members together"),
            column("highest_t", "float", "highest level", "t"),
            column("bought_t", "float", "bought over the horizon", "t"),
            column("purchase_usd", "float", "expected cost of the purchases, undiscounted", "USD"),
            column("worst_purchase_usd", "float", "the same in the dearest scenario", "USD"),
            column("worst_scenario", "code", "that scenario"),
            column("most_released_t_a", "float", "largest release in any scenario and year", "t/a"),
        ),
    ),
    Table(
        "reliance_summary",
        "Highest share of use that comes from one source at each stage, over periods from the first one that a target covers and the scenarios in which targets hold.",
        ("product", "source"),
        (
            _PRODUCT,
            _NAME,
            column("mineral", "code", "mineral"),
            column("stage", "code", "stage"),
            column("source", "code", "outside country"),
            column("direct_before", "float", f"at the border, {_BEFORE}", "1"),
            column("direct_after", "float", f"at the border, {_AFTER}", "1"),
            column("true_before", "float", f"true origin counted (look-through), {_BEFORE}", "1"),
            column("true_after", "float", f"true origin counted (look-through), {_AFTER}", "1"),
            column("cap", "float", "cap on it for the whole zone; blank: none", "1"),
        ),
    ),
    Table(
        "reliance_heat",
        "The largest single source of each product, true origin counted, in the year shown, reference scenario: before and after.",
        ("product",),
        (
            _PRODUCT,
            _NAME,
            column("mineral", "code", "mineral"),
            column("stage", "code", "stage"),
            _YEAR,
            column("source_before", "code", f"largest source {_BEFORE}"),
            column("before", "float", f"its share {_BEFORE}", "1"),
            column("source_after", "code", f"largest source {_AFTER}"),
            column("after", "float", f"its share {_AFTER}", "1"),
        ),
    ),
    Table(
        "outage_bars",
        "Share of use still covered when a country or group is lost, in the year shown, reference scenario. Countries that change nothing are left out.",
        ("product", "lost"),
        (
            _PRODUCT,
            _NAME,
            column("lost", "code", "country or group lost"),
            _YEAR,
            column("before", "float", f"left {_BEFORE}", "1"),
            column("after", "float", f"left {_AFTER}", "1"),
            column("required", "float", "what an N-1 target asks; blank: no target names this loss", "1"),
        ),
    ),
    Table(
        "trade_map",
        "Tonnes that cross a border in the year shown, reference scenario, by country or hub.",
        ("product", "origin", "destination"),
        (
            _PRODUCT,
            column("kind", "choice", "kind of flow"),
            column("origin", "code", "country, or the hub of pooled products"),
            column("destination", "code", "country, or the hub of pooled products; blank: sold outside"),
            column("amount_t_a", "float", "amount", "t/a"),
            column("usd_a", "float", "what is paid for it", "USD/a"),
        ),
    ),
    Table(
        "chain_links",
        "The chain in the year shown, reference scenario, by true origin: tonnes expressed as the amount of the last product that they are enough for.",
        ("mineral", "from", "to", "origin"),
        (
            column("mineral", "code", "mineral"),
            column("from", "code", "country of true origin, or product"),
            column("to", "code", "product, or where it ends"),
            column("origin", "code", "country of true origin"),
            column("via", "text", "outside countries that sell it"),
            column("tonnes_a", "float", "tonnes of what moves", "t/a"),
            column("equivalent_t_a", "float", "as tonnes of the last product", "t/a"),
            column("last_product", "code", "last product of the chain"),
        ),
    ),
    Table(
        "merit_order",
        "Who could sell each product, cheapest first, in the year shown, reference scenario.",
        ("product", "seller"),
        (
            _PRODUCT,
            _YEAR,
            column("seller", "code", "plant or outside country"),
            _NAME,
            _COUNTRY,
            column("kind", "choice", "existing or candidate plant, or outside"),
            column("from_t_a", "float", "where its step begins", "t/a"),
            column("to_t_a", "float", "where its step ends", "t/a"),
            column("cost_usd_t", "float", "cash cost, or what an outside source asks", "USD/t"),
            column("full_cost_usd_t", "float", "with capital", "USD/t"),
            column("sold_t_a", "float", "made or sold under the plan", "t/a"),
            column("state", "choice", "why it sells or doesn't"),
            column("world_price", "float", "world price", "USD/t"),
            column("zone_price", "float", "price in the zone under the plan", "USD/t"),
            column("rung", "code", "price measure in force"),
        ),
    ),
    Table(
        "fan",
        "Prices, public spending and shortage in every scenario.",
        ("measure", "product", "scenario", "first_year"),
        (
            column("measure", "choice", "price (USD/t), payments (USD/a, net of revenue) or shortage (t/a)"),
            column("product", "code", "product; blank: all"),
            _SCENARIO,
            _NAME,
            column("probability", "float", "probability", "1"),
            column("stress_test", "bool", "played against the finished plan"),
            _YEAR,
            column("value", "float", f"value {_AFTER}", "see measure"),
            column("world", "float", "world price, for prices", "USD/t"),
        ),
    ),
    Table(
        "endings",
        "How every scenario ends with and without the plan, dearest first.",
        ("scenario",),
        (
            _SCENARIO,
            _NAME,
            column("probability", "float", "probability", "1"),
            column("stress_test", "bool", "a stress test: no probability, targets off"),
            column("normal", "bool", "targets and caps hold in it"),
            column("before_cost_usd", "float", f"discounted cost {_BEFORE}", "USD"),
            column("cost_usd", "float", f"discounted cost {_AFTER}", "USD"),
            column("extra_usd", "float", "difference", "USD"),
            column("before_shortage_t", "float", f"shortage over the horizon {_BEFORE}", "t"),
            column("shortage_t", "float", f"shortage over the horizon {_AFTER}", "t"),
            column("outlay_usd", "float", "public spending over the horizon, gross, undiscounted", "USD"),
            column("idle_plants", "int", "plants that stand idle in some period for want of feed", "plants"),
        ),
    ),
    Table(
        "projects",
        "Every candidate: what its owner earns without and with the policy, what lenders see, what is left over, and to whom.",
        ("facility",),
        (
            _FACILITY,
            _NAME,
            _COUNTRY,
            _PRODUCT,
            column("capacity_t_a", "float", "capacity", "t/a"),
            column("outcome", "choice", "built with support, built without support, kept out or not built"),
            column("would_build_anyway", "bool", "would be built without policy"),
            column("start_year", "int", "decision to build", "year"),
            column("first_output_year", "float", "first output", "year"),
            column("lead_years", "float", "years from decision to first output", "year"),
            column("capex_usd", "float", "capital cost", "USD"),
            column("npv_without_usd", "float", "owner's net present value as a merchant at free trade", "USD"),
            column("npv_with_usd", "float", "under the plan", "USD"),
            column("rate", "float", "hurdle rate used", "1"),
            column("cover_ratio", "float", "lowest debt service cover in a bad scenario", ""),
            column("rent_usd", "float", "value above the hurdle that support leaves with the owner", "USD"),
            column("support_usd", "float", "expected payments and grants over the horizon", "USD"),
        ),
    ),
    Table(
        "hangs_on",
        "What leaves no room: targets, caps, budgets and other limits, and menus whose last step was chosen.",
        ("kind", "name"),
        (
            column("kind", "choice", "target, or the kind of limit"),
            column("name", "text", "whose limit"),
            column("years", "text", "first years of the periods in which it binds"),
            column("limit", "float", "limit", "see unit"),
            column("used", "float", "used, where most is used", "see unit"),
            column("unit", "text", "unit"),
        ),
    ),
    Table(
        "cost_change",
        "The terms of the cost with and without policy, expected and discounted.",
        ("term",),
        (
            column("term", "code", "term of the cost"),
            column("before_usd", "float", _BEFORE, "USD"),
            column("usd", "float", _AFTER, "USD"),
            column("change_usd", "float", "difference", "USD"),
        ),
    ),
)

DERIVED: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
"""Every derived table by name."""


def frame(name: str, rows: Iterable[Row], tables: Mapping[str, Table] = DERIVED) -> pd.DataFrame:
    """Rows as a table with exactly its columns; what a row does not say is blank."""
    columns = [each.name for each in tables[name].columns]
    found = pd.DataFrame(list(rows), columns=columns)
    for each in tables[name].columns:
        if each.kind == "float":
            found[each.name] = pd.to_numeric(found[each.name]).astype("float64")
        elif each.kind == "int":
            found[each.name] = pd.to_numeric(found[each.name]).astype("Int64")
    return found


def records(table: pd.DataFrame) -> list[Row]:
    """Rows as mappings; cells that are not given are None."""
    return [
        {str(key): None if not isinstance(value, list | tuple) and pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")
    ]
