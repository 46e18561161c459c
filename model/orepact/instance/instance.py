"""The Instance: everything that is given, checked, in canonical units, and frozen.

It is made by `reader.read` from files or by `Instance.from_tables` in memory, both through `assemble`, so the same
rules hold everywhere. Changing one gives a new, checked one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from orepact.errors import InstanceError, OptionError, Problem
from orepact.instance import checks
from orepact.instance.digests import overall_digest, settings_digest, table_digest
from orepact.instance.given import Given
from orepact.instance.naming import suggestion
from orepact.instance.ranges import SETTINGS, scaled, setting
from orepact.instance.schema import QUALITIES, SCHEMA
from orepact.instance.settings import FILE, Units, setting_paths, split_units, validate, with_value
from orepact.instance.sheets import Sheet, from_records
from orepact.instance.tables import Plain, Tables, broken_references, check_units, duplicate_keys, empty, typed
from orepact.options import Settings

Rows = pd.DataFrame | Sequence[Mapping[str, object]]


@dataclass(frozen=True, eq=False, repr=False)
class Instance:
    """A checked instance in canonical units (t, USD, year).

    `tables` holds every table of the schema, maybe without rows: columns in the schema's order, defaults filled in,
    the line of the file as index; what is not given is NaN (float, code, text) or NA (nullable whole numbers and flags);
    lists are tuples of str. `units` are those that instance.toml declared. `warnings` look wrong but may be meant.
    `digests` has one SHA-256 per table and one for 'settings'. Two instances are equal if their digests are. `seconds` is how
    long reading and checking took.
    """

    settings: Settings
    tables: Tables
    units: Mapping[str, Mapping[str, str]]
    warnings: tuple[Problem, ...]
    digests: Mapping[str, str]
    seconds: float = 0.0

    @classmethod
    def from_tables(cls, settings: Mapping[str, Any], tables: Mapping[str, Rows]) -> Instance:
        """An instance from settings (as instance.toml would say them, [units] included) and tables in memory.

        Tables are DataFrames or lists of rows; what is left out takes its default. Raises `InstanceError` with every fault.
        """
        sheets = {name: from_records(f"{name}.csv", rows) for name, rows in tables.items()}
        return assemble(settings, sheets, [])

    @property
    def name(self) -> str:
        """Short name of the instance."""
        return self.settings.instance.name

    @property
    def digest(self) -> str:
        """One digest of everything the instance says."""
        return overall_digest(self.digests)

    def table(self, name: str) -> pd.DataFrame:
        """A table by name; a copy. Raises `OptionError` if there is no such table."""
        if name not in self.tables:
            raise OptionError(f"unknown table {name!r}{suggestion(name, self.tables)}")
        return self.tables[name]

    def with_table(self, name: str, rows: Rows) -> Instance:
        """The instance with another table in place of one (in canonical units), checked anew."""
        return self.with_tables({name: rows})

    def with_tables(self, tables: Mapping[str, Rows]) -> Instance:
        """The same for several tables at once, where one alone would break a rule."""
        for name in tables:
            self.table(name)
        return _changed(self, self.settings, tables)

    def with_setting(self, path: str, value: object) -> Instance:
        """The instance with one setting changed, e.g. `economics.social_rate`, checked anew.

        Raises `OptionError` if there is no such setting or the value is out of its range, and `InstanceError` if the
        instance as a whole no longer holds.
        """
        return _changed(self, _with_setting(self.settings, path, value), {})

    def with_ranges(self, ends: Mapping[str, Literal["low", "high"]]) -> Instance:
        """The instance with figures at the low or high end of ranges from its own table, by range code.

        Its table of ranges is then empty: what moved is no longer the central case.
        """
        known = {row["range"]: row for row in Given(self.settings, self.tables).rows("ranges")}
        settings = self.settings
        changed: dict[str, pd.DataFrame] = {}
        for code, end in ends.items():
            if code not in known:
                raise OptionError(f"unknown range {code!r}{suggestion(code, known)}")
            if end not in ("low", "high"):
                raise OptionError(f"range {code!r} has the ends low and high, not {end!r}")
            name, column, factor = known[code]["table"], known[code]["column"], known[code][end]
            if name == SETTINGS:
                settings = _with_setting(settings, column, setting(settings, column) * factor)
            else:
                changed[name] = scaled(changed.get(name, self.tables[name]), column, known[code]["where"], factor)
        return _changed(self, settings, {**changed, "ranges": []} if ends else {})

    def quality_counts(self) -> pd.DataFrame:
        """How good the figures are, per table that has rows.

        Columns: table, rows, rows by quality (reported, derived, recalled, assumed), figures (numbers given outside the
        key, other than the defaults) and assumed_share (share of those figures that stand in rows marked assumed).
        """
        counts = []
        for name, table in SCHEMA.items():
            rows = self.tables[name]
            if rows.empty:
                continue
            numeric = [c for c in table.columns if c.kind in ("int", "float") and c.name not in table.key]
            given = {c.name: rows[c.name].notna() & (rows[c.name] != c.default).fillna(True) for c in numeric}
            figures = pd.DataFrame(given, index=rows.index).sum(axis=1)
            assumed = rows["quality"] == "assumed"
            total = int(figures.sum())
            share = float(figures[assumed].sum()) / total if total else 0.0
            by_quality = {quality: int((rows["quality"] == quality).sum()) for quality in QUALITIES}
            counts.append({"table": name, "rows": len(rows), **by_quality, "figures": total, "assumed_share": share})
        return pd.DataFrame(counts, columns=["table", "rows", *QUALITIES, "figures", "assumed_share"])

    def __repr__(self) -> str:
        rows = sum(len(self.tables.plain(name).lines) for name in self.tables)
        return f"<Instance {self.name}: {rows} rows, digest {self.digest[:12]}>"

    def __eq__(self, other: object) -> bool:
        return self.digests == other.digests if isinstance(other, Instance) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)


def assemble(
    content: Mapping[str, Any], sheets: Mapping[str, Sheet], found: Sequence[Problem], settings_file: str = FILE, unreadable: Collection[str] = ()
) -> Instance:
    """Make an instance out of settings and raw sheets, or raise `InstanceError` with all that is wrong with them.

    `found` are problems met while reading, `unreadable` the tables (or 'settings') they kept from being read.
    """
    rest, units, unit_problems = split_units(content, settings_file)
    unit_problems += check_units(units, settings_file)
    settings, setting_problems = (None, []) if SETTINGS in unreadable else validate(rest, settings_file)
    problems = [*found, *setting_problems, *unit_problems]
    problems += [Problem(sheets[name].file, None, None, None, f"unknown table {name}{suggestion(name, SCHEMA)}") for name in sheets if name not in SCHEMA]
    wrong_units = {str(p.column).split(".")[1] for p in unit_problems if str(p.column).count(".")}
    return _Assembly(settings, Tables({}), {}, sheets, units, problems, {*unreadable, *wrong_units}, settings_file).instance()


def _changed(instance: Instance, settings: Settings, tables: Mapping[str, Rows]) -> Instance:
    """The instance with other settings and tables, checked anew; a range that no longer fits the figures it is about is left out, with a warning."""
    sheets = {name: from_records(f"{name}.csv", rows) for name, rows in tables.items()}
    try:
        # Changed tables are in canonical units, whatever units the instance was once declared in.
        changed = _Assembly(settings, instance.tables, instance.digests, sheets, {}, [], set(), FILE).instance()
    except InstanceError as error:
        unfit = {p.row for p in error.problems if p.file == "ranges.csv"}
        if "ranges" in tables or any(p.file != "ranges.csv" or p.row is None for p in error.problems):
            raise
        fitting = _changed(instance, settings, {**tables, "ranges": instance.tables["ranges"].drop(index=list(unfit))})
        left_out = [replace(p, rule=f"this range is left out, since the change {p.rule}") for p in error.problems]
        return replace(fitting, warnings=(*left_out, *fitting.warnings))
    return replace(changed, units=instance.units, seconds=instance.seconds)


@dataclass
class _Assembly:
    """The work of making an instance: type the new sheets, keep the other tables, check everything together."""

    settings: Settings | None
    kept: Tables
    kept_digests: Mapping[str, str]
    sheets: Mapping[str, Sheet]
    units: Units
    problems: list[Problem]
    faulty: set[str]
    settings_file: str

    def instance(self) -> Instance:
        """The instance, or `InstanceError` with every problem."""
        files = {name: f"{name}.csv" for name in SCHEMA} | {name: sheet.file for name, sheet in self.sheets.items()} | {SETTINGS: self.settings_file}
        unsure: set[str] = set()
        tables = Tables({name: self._table(name, files[name], unsure) for name in SCHEMA})
        references = broken_references(tables, files, unsure)
        names = {file: name for name, file in files.items()}
        self.faulty |= {names[p.file] for p in references}
        self.problems += references
        given = Given(self.settings, tables, self.faulty)
        self.problems += [replace(p, file=files[p.file]) for p in checks.problems(given)]
        if self.problems or self.settings is None:
            raise InstanceError(self.problems)
        warnings = tuple(replace(p, file=files[p.file]) for p in checks.warnings(given))
        digests = {name: table_digest(tables.plain(name)) for name in SCHEMA if name in self.sheets or name not in self.kept_digests}
        digests = {SETTINGS: settings_digest(self.settings)} | {name: digests.get(name) or self.kept_digests[name] for name in SCHEMA}
        return Instance(self.settings, tables, self.units, warnings, digests)

    def _table(self, name: str, file: str, unsure: set[str]) -> Plain:
        """One table; notes in `unsure` the columns that lost codes to a fault."""
        table = SCHEMA[name]
        if name in self.sheets:
            rows, found = typed(table, self.sheets[name], self.units.get(name, {}))
            found += duplicate_keys(table, rows, file, found)
        elif name in self.kept:
            return self.kept.plain(name)
        else:
            rows, found = empty(table), []
            if table.required and name not in self.faulty:
                found = [Problem(file, None, None, None, f"required table {name} is missing")]
        if found:
            self.problems += found
            self.faulty.add(name)
        blurred = {p.column for p in found}
        if name in self.faulty:
            blurred |= {p.column for p in self.problems if p.file == file}
        unsure |= {f"{name}.{column.name}" for column in table.columns if column.name in blurred or None in blurred}
        return rows


def _with_setting(settings: Settings, path: str, value: object) -> Settings:
    if path not in setting_paths():
        raise OptionError(f"unknown setting {path!r}{suggestion(path, setting_paths())}")
    changed, problems = with_value(settings, path, value)
    if changed is None:
        raise OptionError("; ".join(f"{p.column}: {p.value!r}: {p.rule}" for p in problems))
    return changed
