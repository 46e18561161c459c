"""A stored solution seen through its tables: the look-ups that every derived table needs, made once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from orepact.analysis.derived import Frame
from orepact.errors import OptionError
from orepact.solution.indicators import period_years
from orepact.solution.schema import EXPECTED
from orepact.solution.solution import Solution


class View:
    """Tables of one solution with names, years and probabilities at hand; reading it changes nothing.

    `year` is the first year of the period that charts of one period show: the last, or the one asked for.
    """

    def __init__(self, solution: Solution, year: int | None = None) -> None:
        self.solution = solution
        self.lengths = period_years(solution.settings)
        self.years = list(self.lengths)
        if year is not None and year not in self.lengths:
            raise OptionError(f"year must be the first year of a period ({', '.join(map(str, self.years))}), not {year}")
        self.year = year if year is not None else self.years[-1]
        self.horizon = sum(self.lengths.values())

    def table(self, name: str) -> Frame:
        """A table of the solution; a copy."""
        return self.solution.table(name)

    def last_year(self, first_year: int) -> int:
        """Last year of the period that begins in `first_year`."""
        return first_year + self.lengths.get(first_year, 1) - 1

    @cached_property
    def plants(self) -> dict[str, dict[str, Any]]:
        """Rows of the facilities table by plant."""
        return {str(row["facility"]): {str(k): v for k, v in row.items()} for row in self.table("facilities").to_dict("records")}

    @cached_property
    def scenario_names(self) -> dict[str, str]:
        """What to call each scenario: its name, or its code."""
        rows = self.table("scenarios")
        return {code: name or code for code, name in zip(rows["scenario"], rows["name"], strict=True)}

    @cached_property
    def probability(self) -> dict[str, float]:
        """Probability by scenario."""
        rows = self.table("scenarios")
        return dict(zip(rows["scenario"], rows["probability"].astype(float), strict=True))

    @cached_property
    def normal(self) -> list[str]:
        """Scenarios in which targets hold."""
        rows = self.table("scenarios")
        return [str(code) for code in rows.loc[rows["normal"], "scenario"]]

    @cached_property
    def reference(self) -> str:
        """The scenario that charts of one scenario show: the one the settings name, else the likeliest."""
        named = self.solution.settings.policy.reference_scenario
        if named:
            return named
        return max(self.probability, key=lambda code: self.probability[code], default="")

    @cached_property
    def product_names(self) -> dict[str, str]:
        """What to call each product: its name, or its code."""
        rows = self.table("products")
        return {code: name or code for code, name in zip(rows["product"], rows["name"], strict=True)}

    @cached_property
    def stages(self) -> dict[str, tuple[str, str]]:
        """Mineral and stage by product."""
        rows = self.table("products")
        return {code: (mineral, stage) for code, mineral, stage in zip(rows["product"], rows["mineral"], rows["stage"], strict=True)}

    @cached_property
    def country_names(self) -> dict[str, str]:
        """What to call each country: its name, or its code; hubs and stock have words of their own."""
        rows = self.table("countries")
        named = {code: name or code for code, name in zip(rows["country"], rows["name"], strict=True)}
        return {"members": "Members (hub)", "partners": "Partners (hub)", "ZONE": "All members"} | named

    @cached_property
    def members(self) -> set[str]:
        """Where members trade: their codes, and the hub of pooled products."""
        rows = self.table("countries")
        return {"members", *rows.loc[rows["role"] == "member", "country"]}

    def product_name(self, code: str) -> str:
        """Name of a product."""
        return self.product_names.get(code, code)

    def plant(self, code: str) -> dict[str, Any]:
        """facility, name, country and product of a plant, as cells of a derived table."""
        row = self.plants.get(code, {})
        return {"facility": code, "name": row.get("name") or code, "country": row.get("country", ""), "product": row.get("product", "")}

    def expected(self, table: Frame, column: str) -> float:
        """Probability-weighted sum of a column over rows that name their scenario."""
        weights = table["scenario"].map(self.probability).fillna(0.0).astype(float)
        return float((weights * table[column]).sum())

    def years_of(self, table: Frame) -> Frame:
        """Length of each row's period in years."""
        return table["first_year"].map(self.lengths).fillna(0).astype(float)


def single(payments: Frame) -> Frame:
    """Rows of single scenarios, without the mean."""
    return payments[payments["scenario"] != EXPECTED]
