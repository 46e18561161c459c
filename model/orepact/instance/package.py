"""A package of measures that somebody else chose: rungs, starts, contracts and grants, all or some of them fixed.

A TOML file of tables in arrays; what it does not name is left to the model, unless `rest = "none"`:

    rest = "free"                       # or "none": nothing beyond what is listed here
    [[rung]]                            # the rung a product is on from a year until its next row
    product = "NdPr oxide"
    from_year = 2028
    rung = "floor-110"
    [[start]]                           # when a candidate is built; built = false: never; no year: in any allowed year
    facility = "mill"
    year = 2028
    [[contract]]                        # share of capacity contracted; payer only for plants in partner countries
    facility = "mill"
    contract = "offtake"
    share = 0.5
    [[grant]]                           # undiscounted USD
    facility = "mill"
    usd = 20e6

Whether the owners would sign is for the solve to find out; here only what the instance itself rules out is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from orepact.errors import InstanceError, Problem
from orepact.instance.given import Given, Row
from orepact.instance.instance import Instance
from orepact.instance.naming import suggestion
from orepact.instance.settings import parse_toml

FREE = "free"


@dataclass(frozen=True)
class FixedRung:
    """Product `product` is on `rung` from the period that starts in `from_year` until the next fixed rung of it."""

    product: str
    from_year: int
    rung: str


@dataclass(frozen=True)
class FixedStart:
    """Candidate `facility` is built in `year` (None: in any allowed year), or not at all."""

    facility: str
    built: bool
    year: int | None


@dataclass(frozen=True)
class FixedContract:
    """`share` (0..1) of the capacity of `facility` is under `contract`, paid by `payer` (None: the host's treasury, or any member)."""

    facility: str
    contract: str
    share: float
    payer: str | None


@dataclass(frozen=True)
class FixedGrant:
    """`facility` is given `usd`, undiscounted, by `payer` (None: the host's treasury, or any member)."""

    facility: str
    usd: float
    payer: str | None


@dataclass(frozen=True)
class Package:
    """What is fixed. `rest` says whether the model may add to it (free) or not (none)."""

    rungs: tuple[FixedRung, ...] = ()
    starts: tuple[FixedStart, ...] = ()
    contracts: tuple[FixedContract, ...] = ()
    grants: tuple[FixedGrant, ...] = ()
    rest: Literal["free", "none"] = "free"

    def content(self) -> dict[str, Any]:
        """The package as its file would say it; `package_from` reads it back."""
        rows: dict[str, tuple[Any, ...]] = {"rung": self.rungs, "start": self.starts, "contract": self.contracts, "grant": self.grants}
        listed = {name: [{key: value for key, value in asdict(row).items() if value is not None} for row in group] for name, group in rows.items()}
        return {"rest": self.rest} | {name: group for name, group in listed.items() if group}


def parse_package(text: str, instance: Instance, file: str = "package") -> Package:
    """The package in the text of a TOML file, checked against the instance. Raises InstanceError with every problem."""
    content, problems = parse_toml(text, file)
    if problems:
        raise InstanceError(problems)
    return package_from(content, instance, file)


def package_from(content: Mapping[str, Any], instance: Instance, file: str = "package") -> Package:
    """The package in a mapping shaped like the TOML file. Raises InstanceError with every problem."""
    return _Checker(Given(instance.settings, instance.tables), file).package(content)


_KEYS: Mapping[str, Mapping[str, type]] = {
    "rung": {"product": str, "from_year": int, "rung": str},
    "start": {"facility": str, "year": int, "built": bool},
    "contract": {"facility": str, "contract": str, "share": float, "payer": str},
    "grant": {"facility": str, "usd": float, "payer": str},
}
_OPTIONAL = {"year", "built", "payer"}
_SAID = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass
class _Checker:
    """One reading of one package; collects problems as it goes."""

    given: Given
    file: str
    problems: list[Problem] = field(default_factory=list)

    def package(self, content: Mapping[str, Any]) -> Package:
        for key in content:
            if key not in _KEYS and key != "rest":
                self.problems.append(Problem(self.file, None, str(key), None, f"unknown table{suggestion(str(key), [*_KEYS, 'rest'])}"))
        rest = content.get("rest", FREE)
        if rest not in ("free", "none"):
            self.problems.append(Problem(self.file, None, "rest", str(rest), "must be free or none"))
        rows = {name: self._rows(name, content.get(name, [])) for name in _KEYS}
        for n, row in rows["rung"]:
            self._check_rung(n, row)
        for n, row in rows["start"]:
            self._check_start(n, row)
        for n, row in rows["contract"]:
            self._check_contract(n, row)
        for n, row in rows["grant"]:
            self._check_grant(n, row)
        self._check_together(rows)
        if self.problems:
            raise InstanceError(self.problems)
        return Package(
            tuple(FixedRung(**row) for _, row in rows["rung"]),
            tuple(FixedStart(row["facility"], row.get("built", True), row.get("year")) for _, row in rows["start"]),
            tuple(FixedContract(row["facility"], row["contract"], row["share"], row.get("payer")) for _, row in rows["contract"]),
            tuple(FixedGrant(row["facility"], row["usd"], row.get("payer")) for _, row in rows["grant"]),
            rest,
        )

    def _rows(self, name: str, listed: Any) -> list[tuple[int, dict[str, Any]]]:
        """The entries of one array, numbered from 1, that have the right keys and types."""
        if not isinstance(listed, list) or not all(isinstance(row, Mapping) for row in listed):
            self.problems.append(Problem(self.file, None, name, None, f"must be an array of tables: [[{name}]]"))
            return []
        sound = []
        for n, row in enumerate(listed, start=1):
            before = len(self.problems)
            keys = _KEYS[name]
            for key in row:
                if key not in keys:
                    self._refuse(name, n, key, None, f"unknown key{suggestion(key, keys)}")
            for key, kind in keys.items():
                if key not in row:
                    if key not in _OPTIONAL:
                        self._refuse(name, n, key, None, "is missing")
                elif not _fits(row[key], kind):
                    self._refuse(name, n, key, row[key], f"must be {_SAID[kind]}")
            if len(self.problems) == before:
                sound.append((n, {key: keys[key](value) for key, value in row.items()}))
        return sound

    def _refuse(self, name: str, n: int, key: str, value: Any, rule: str) -> None:
        self.problems.append(Problem(f"{self.file} [[{name}]]", n, key, None if value is None else str(value), rule))

    def _known(self, name: str, n: int, row: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> bool:
        if row[key] in known:
            return True
        self._refuse(name, n, key, row[key], f"unknown {key}{suggestion(row[key], known)}")
        return False

    def _check_rung(self, n: int, row: Mapping[str, Any]) -> None:
        if self._known("rung", n, row, "product", self.given.trade):
            ladder = {FREE: None} | {r["rung"]: None for r in self.given.rows("ladder") if r["product"] == row["product"]}
            self._known("rung", n, row, "rung", ladder)
        self._check_year("rung", n, "from_year", row["from_year"])

    def _check_year(self, name: str, n: int, key: str, year: int) -> bool:
        starts = [period.start for period in self.given.periods]
        if year in starts:
            return True
        self._refuse(name, n, key, year, f"must be the first year of a period: {', '.join(map(str, starts))}")
        return False

    def _check_start(self, n: int, row: Mapping[str, Any]) -> None:
        if not self._known("start", n, row, "facility", self._facilities):
            return
        facility = self._facilities[row["facility"]]
        if facility["status"] != "candidate":
            self._refuse("start", n, "facility", row["facility"], "exists already; only candidates have a start")
        elif "year" not in row:
            if "built" not in row:
                self._refuse("start", n, "year", None, "is missing; without a year say built = true or built = false")
        elif not row.get("built", True):
            self._refuse("start", n, "year", row["year"], "contradicts built = false")
        elif self._check_year("start", n, "year", row["year"]):
            earliest, latest = facility["earliest_start"], facility["latest_start"]
            if not (earliest or row["year"]) <= row["year"] <= (latest or row["year"]):
                self._refuse("start", n, "year", row["year"], f"building may be decided from {earliest or 'any year'} to {latest or 'any year'} only")

    def _check_contract(self, n: int, row: Mapping[str, Any]) -> None:
        menu = {r["contract"]: r for r in self.given.rows("contracts")}
        known = self._known("contract", n, row, "contract", menu)
        if not self._known("contract", n, row, "facility", self._facilities) or not known:
            return
        contract, facility = menu[row["contract"]], self._facilities[row["facility"]]
        if facility["status"] == "existing" and not contract["existing"]:
            self._refuse("contract", n, "contract", row["contract"], "is not offered to existing plants")
        if not {"*", facility["country"], self.given.nodes[facility["country"]]} & set(contract["countries"]):
            self._refuse("contract", n, "contract", row["contract"], f"is not offered in {facility['country']}")
        low, high = contract["min_share"], contract["max_share"]
        if not max(low, 1e-12) <= row["share"] <= high:
            self._refuse("contract", n, "share", row["share"], f"must be above 0 and within the contract's {low:g} to {high:g} of capacity")
        self._check_payer("contract", n, row, facility, contract["instrument"])
        if contract["stockpiled"]:
            self._check_payer("contract", n, row, facility, "stockpile")

    def _check_grant(self, n: int, row: Mapping[str, Any]) -> None:
        if not self._known("grant", n, row, "facility", self._facilities):
            return
        facility = self._facilities[row["facility"]]
        if facility["status"] != "candidate":
            self._refuse("grant", n, "facility", row["facility"], "exists already; only candidates get grants")
        if not 0 < row["usd"] <= facility["capex"]:
            self._refuse("grant", n, "usd", row["usd"], f"must be above 0 and at most the capital cost, {facility['capex']:g} USD")
        self._check_payer("grant", n, row, facility, "grant")

    def _check_payer(self, name: str, n: int, row: Mapping[str, Any], facility: Row, instrument: str) -> None:
        """Whoever pays must be a treasury that does not refuse the instrument; at home it is the host's own."""
        payer, host = row.get("payer"), self.given.nodes[facility["country"]]
        if payer is not None and not self._known(name, n, row, "payer", dict.fromkeys(self.given.treasuries)):
            return
        if host in self.given.treasuries:
            if payer not in (None, host):
                self._refuse(name, n, "payer", payer, f"{row['facility']} stands in {facility['country']}, whose treasury {host} pays")
                return
            payer = host
        if any(r["member"] == payer and r["instrument"] == instrument for r in self.given.rows("refusals")):
            self._refuse(name, n, "payer", payer, f"refuses the instrument {instrument}")

    def _check_together(self, rows: Mapping[str, list[tuple[int, dict[str, Any]]]]) -> None:
        """Rules across rows: nothing said twice, no plant both ruled out and supported, shares within capacity."""
        for name, keys in (("rung", ("product", "from_year")), ("start", ("facility",)), ("contract", ("facility", "contract")), ("grant", ("facility",))):
            first: dict[tuple[Any, ...], int] = {}
            for n, row in rows[name]:
                said = tuple(row[key] for key in keys)
                if said in first:
                    self._refuse(name, n, keys[0], row[keys[0]], f"the same {' and '.join(keys)} as [[{name}]] {first[said]}")
                first.setdefault(said, n)
        never = {row["facility"] for _, row in rows["start"] if not row.get("built", True)}
        share: dict[str, float] = {}
        payer: dict[str, str] = {}
        for name in ("contract", "grant"):
            for n, row in rows[name]:
                facility = row["facility"]
                if facility in never:
                    self._refuse(name, n, "facility", facility, "is not built, says [[start]]")
                if payer.setdefault(facility, row.get("payer", "")) != row.get("payer", ""):
                    self._refuse(name, n, "payer", row.get("payer"), f"one member pays for all support of {facility}")
                share[facility] = share.get(facility, 0.0) + row.get("share", 0.0)
                if share[facility] > 1 + 1e-9 and row.get("share", 0.0) <= 1:
                    self._refuse(name, n, "share", row["share"], f"contracts of {facility} add up to more than its capacity")

    @cached_property
    def _facilities(self) -> dict[str, Row]:
        return {row["facility"]: row for row in self.given.rows("facilities")}


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
