"""Columns that many tables of a solution share, and how to say whether a cell may be blank."""

from __future__ import annotations

from orepact.instance.schema import Column, Kind


def filled(name: str, kind: Kind, description: str, unit: str | None = None) -> Column:
    """A column whose cells are never blank."""
    return Column(name, kind, description, unit=unit, required=True)


def blank(name: str, kind: Kind, description: str, unit: str | None = None) -> Column:
    """A column whose cells may be blank."""
    return Column(name, kind, description, unit=unit)


PRODUCT = filled("product", "code", "product")
FACILITY = filled("facility", "code", "plant")
FIRST_YEAR = filled("first_year", "int", "first year of the period", "year")
SCENARIO = filled("scenario", "code", "scenario")
