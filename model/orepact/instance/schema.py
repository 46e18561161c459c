"""The instance format, written once: this table of tables drives reading, defaults, checks, types and docs.

A `Table` is one CSV file or one sheet. A `Column` says what a cell means, in which unit, within which
range, with which default, and what it must refer to. Everything downstream (reader, writer, checks, the page
docs/instance-format.md, the starter instance) is generated from here, so a change here is a change everywhere.

Every table may also carry `source`, `quality` and `note` per row; they travel into the solution.
Shares are 0..1, money is real USD of the base year, mass is tonnes, time is years.
"""

from __future__ import annotations

from dataclasses import replace

from orepact.instance.columns import ALL, PROVENANCE, QUALITIES, ZONE, Column, Kind, Table
from orepact.instance.policy_tables import POLICY_TABLES
from orepact.instance.world_tables import WORLD_TABLES

SCHEMA: dict[str, Table] = {table.name: replace(table, columns=table.columns + PROVENANCE) for table in (*WORLD_TABLES, *POLICY_TABLES)}
"""Every table by name, in the order in which people read them."""

__all__ = ["ALL", "QUALITIES", "SCHEMA", "ZONE", "Column", "Kind", "Table"]
