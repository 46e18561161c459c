"""Words for people: what codes, columns and units are called on a page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from orepact.report.figures import plain

KINDS = {
    "reference": "price floor with levy",
    "tariff": "tariff",
    "standard": "market standard",
    "minimum": "minimum import price",
    "reliance_cap": "cap on one source",
    "zone_share": "share made in the zone",
    "activity_share": "share of an activity",
    "n_minus_1": "when a country is lost",
    "stock_days": "days of stock",
    "offtake": "offtake guarantee",
    "support": "production support",
    "grant": "capital grant",
    "stockpile": "buying for stock",
    "intervention": "buying what floors leave unsold",
    "levy": "levy revenue",
    "release": "stock released",
    "import": "import",
    "partner_to_member": "partners to members",
    "member_to_partner": "members to partners",
    "between_members": "between members",
    "between_partners": "between partners",
    "ladder": "top of a price ladder",
    "menu": "dearest contract on the menu",
    "supply": "source sold out",
    "cover": "lenders' cover test",
    "rent": "owner keeps all the rent allowed",
    "budget": "budget",
    "contribution": "contribution key",
    "export": "export limit",
    "route": "full route",
    "stock": "stock limit",
}
"""Words for the codes of choice columns."""

COLUMNS = {
    "name": "name",
    "facility": "plant",
    "from_year": "from",
    "to_year": "to",
    "first_year": "period from",
    "levy_usd_a": "levy, expected",
    "least_levy_usd_a": "levy, worst",
    "least_scenario": "worst in",
    "users_usd_a": "users pay, expected",
    "most_users_usd_a": "users pay, most",
    "most_scenario": "most in",
    "expected_usd": "expected, total",
    "expected_usd_a": "expected per year",
    "worst_usd_a": "worst year",
    "worst_year": "year",
    "worst_scenario": "worst in",
    "supported_t": "supported tonnes",
    "additional_t": "additional tonnes",
    "usd_per_supported_t": "per supported tonne",
    "usd_per_additional_t": "per additional tonne",
    "above_world_usd_t": "above world price, per tonne made",
    "volume_t_a": "volume",
    "share_of_capacity": "of capacity",
    "upside_share": "paid back above ceiling",
    "window": "term",
    "start_year": "decision",
    "first_output_year": "first output",
    "lead_years": "lead time",
    "grant_usd": "grant",
    "share_of_capex": "of capital cost",
    "highest_t": "highest level",
    "bought_t": "bought",
    "purchase_usd": "purchases, expected",
    "worst_purchase_usd": "purchases, worst",
    "most_released_t_a": "most released",
    "direct_before": "at the border, before",
    "direct_after": "at the border, after",
    "true_before": "true origin, before",
    "true_after": "true origin, after",
    "cost_usd_t": "cash cost or asked price",
    "full_cost_usd_t": "with capital",
    "available_t_a": "could sell",
    "sold_t_a": "sells",
    "before_cost_usd": "cost without policy",
    "cost_usd": "cost with the plan",
    "extra_usd": "against no policy",
    "against_usd": "against the baseline run",
    "user_bill_change_usd": "users pay more",
    "worst_reliance": "largest single source",
    "before_shortage_t": "shortage without policy",
    "shortage_t": "shortage with the plan",
    "outlay_usd": "public spending",
    "npv_without_usd": "value to owner without policy",
    "npv_with_usd": "with the plan",
    "cover_ratio": "lenders' cover in a bad case",
    "rent_usd": "rent left",
    "support_usd": "support, expected",
    "capex_usd": "capital cost",
    "capacity_t_a": "capacity",
    "rate": "hurdle rate",
    "would_build_anyway": "built anyway",
    "met_before": "met before",
    "case": "source or loss",
    "before_usd": "without policy",
    "usd": "with the plan",
    "change_usd": "difference",
    "required": "required",
    "slack": "room left",
    "equivalent_t_a": "enough for, last product",
    "tonnes_a": "tonnes",
    "assumed_share": "assumed",
    "amount_t_a": "amount",
    "usd_a": "paid",
}
"""Headings of columns; others are read from the column's name."""

_SUFFIXES = ("_usd_t", "_usd_a", "_usd", "_t_a", "_t")


def heading(column: str) -> str:
    """What a column is called."""
    if column in COLUMNS:
        return COLUMNS[column]
    for suffix in _SUFFIXES:
        column = column.removesuffix(suffix)
    return column.replace("_", " ")


def word(code: object) -> str:
    """What a code of a choice column is called."""
    return KINDS.get(str(code), str(code).replace("_", " "))


def short(text: object, most: int = 34) -> str:
    """A name that fits on an axis: without what stands in brackets at its end, cut with an ellipsis."""
    name = plain(text)
    if name.endswith(")") and " (" in name and len(name) > most:
        name = name[: name.rindex(" (")]
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


class Names:
    """Names of products, countries, scenarios and plants, looked up by code; a code without a name is its own name."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self.products = _bare(_named(tables.get("products"), "product"))
        self.countries = {"members": "members (hub)", "partners": "partners (hub)", "ZONE": "all members"} | _named(tables.get("countries"), "country")
        self.scenarios = _named(tables.get("scenarios"), "scenario")
        self.plants = _named(tables.get("facilities"), "facility")
        self._by_column = {
            "product": self.products,
            "last_product": self.products,
            "scenario": self.scenarios,
            "facility": self.plants,
            "seller": self.countries | self.plants,
            "from": self.countries | self.products,
            "to": self.countries | self.products,
            "products": self.products,
        }
        for column in ("country", "member", "payer", "source", "origin", "destination", "lost", "case", "area", "source_before", "source_after", "treasury"):
            self._by_column[column] = self.countries
        for column in ("least_scenario", "most_scenario", "worst_scenario"):
            self._by_column[column] = self.scenarios

    def say(self, column: str, code: object) -> str:
        """What a cell of a column is called; lists are separated by semicolons."""
        known = self._by_column.get(column)
        if known is None:
            return str(code)
        return "; ".join(known.get(part, part) for part in str(code).split(";"))

    def brief(self, column: str, code: object) -> str:
        """The same for running text: names that never end are cut."""
        return short(self.say(column, code), 70)


def _bare(named: dict[str, str]) -> dict[str, str]:
    """Names without what stands in brackets at their end (often the unit), as long as they differ without it."""
    bare = {code: name[: name.rindex(" (")] if name.endswith(")") and " (" in name else name for code, name in named.items()}
    return bare if len(set(bare.values())) == len(set(named.values())) else named


def _named(table: pd.DataFrame | None, key: str) -> dict[str, str]:
    if table is None or table.empty:
        return {}
    return {str(code): str(name or code) for code, name in zip(table[key], table["name"], strict=True)}
