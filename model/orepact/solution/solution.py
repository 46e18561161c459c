"""`Solution`: what one run answers, frozen. It can be saved, loaded, pickled and read without any solver installed.

A run that ended without a plan carries no rows, no cost terms and no objective: there is nothing to misread.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from hashlib import sha256
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from orepact.instance.naming import suggestion
from orepact.options import Settings, SolveOptions
from orepact.solution.explained import TABLES as EXPLAINED
from orepact.solution.explained import diagnosis_tables
from orepact.solution.indicators import INDICATORS
from orepact.solution.schema import OUTPUT
from orepact.solution.store import CERTIFICATE, CERTIFICATE_TABLE, SUMMARY, Run, RunError, read_run, write_new_run, write_run
from orepact.solution.stored import Summary
from orepact.solution.tables import complete
from orepact.solution.verification.certificate import Certificate
from orepact.solver.diagnosis.diagnosis import Diagnosis
from orepact.solver.result import SolveResult, Status


@dataclass(frozen=True, eq=False)
class Solution:
    """One run: how it ended (`result`), what was asked (`settings`, `options`) and the plan in tidy tables.

    `tables` may be given in part, as DataFrames or rows; the rest is empty. Read them with `table(name)`.
    `cost_terms` are expected discounted USD by name. `baseline` is what happens without policy: status, objective,
    bound, gap, cost_terms; empty if not solved. `indicators` are named in `orepact.solution.indicators`.
    `digests` are the SHA-256 of the instance's tables. `package` is what was fixed beforehand, as `Package.content()`
    says it; empty if nothing was. `warnings` come from reading the instance; `notes` are sentences a reader must know,
    plan or no plan. `instance_files` are the texts of the instance's files by name, so that a stored run can be verified;
    `certificate` is what checking the plan anew came to. `diagnosis` says why there is no plan, or (with rules bent) why there would be
    none. Raises ValueError on contents that contradict each other.
    """

    result: SolveResult
    settings: Settings
    options: SolveOptions
    digests: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    cost_terms: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    indicators: Mapping[str, float] = field(default_factory=dict)
    package: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    instance_files: Mapping[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None
    diagnosis: Diagnosis | None = None

    def __post_init__(self) -> None:
        if unknown := [name for name in self.indicators if name not in INDICATORS]:
            raise ValueError(f"no indicator {unknown[0]!r}{suggestion(unknown[0], INDICATORS)}")
        tables = complete({**self.tables, **diagnosis_tables(self.diagnosis)} if self.diagnosis else self.tables)
        object.__setattr__(self, "tables", tables)
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "notes", tuple(self.notes))
        if not self.has_plan and (self.cost_terms or self.indicators or any(len(table) for name, table in tables.items() if name not in EXPLAINED)):
            raise ValueError(f"status {self.result.status.value!r}: a run without a plan has no numbers to show")

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to show."""
        return self.result.has_plan

    @property
    def name(self) -> str:
        """Name of the instance."""
        return self.settings.instance.name

    @property
    def title(self) -> str:
        """Title of the instance, for people; its name if it has none."""
        return self.settings.instance.title or self.name

    @property
    def digest(self) -> str:
        """One SHA-256 for the whole instance."""
        return sha256("\n".join(f"{name} {self.digests[name]}" for name in sorted(self.digests)).encode()).hexdigest()

    def table(self, name: str) -> pd.DataFrame:
        """A table of the plan; changing it leaves the solution alone. KeyError if there is none of that name."""
        if name not in self.tables:
            raise KeyError(f"no table {name!r} in a solution{suggestion(name, OUTPUT)}")
        return self.tables[name].copy()

    def summary(self) -> dict[str, Any]:
        """What solution.json says: everything but the tables, as plain values (see docs/solution-format.md)."""
        return {
            **_plain(self.result.to_dict()),
            "cost_terms": _plain(self.cost_terms),
            "baseline": _plain(self.baseline),
            "indicators": {
                name: {"value": _plain(value), "unit": INDICATORS[name].unit, "description": INDICATORS[name].description}
                for name, value in self.indicators.items()
            },
            "instance": {"name": self.name, "title": self.title, "digest": self.digest, "digests": dict(self.digests)},
            "settings": self.settings.model_dump(mode="json"),
            "options": self.options.model_dump(mode="json"),
            "package": _plain(self.package),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "certificate": None if self.certificate is None else self.certificate.summary(),
            "diagnosis": None if self.diagnosis is None else _plain(self.diagnosis.to_dict()),
        }

    def certified(self, certificate: Certificate) -> Solution:
        """The same run with its certificate; if that doesn't hold, the status says so."""
        status = self.result.status if certificate.holds else Status.CERTIFICATE_FAILED
        return replace(self, result=replace(self.result, status=status), certificate=certificate)

    def save(self, folder: str | Path | None = None) -> Path:
        """Write the run folder, whole or not at all, and return it; by default a new one under runs/.

        An older run in `folder` is replaced. Raises RunError if `folder` holds anything else, or can't be written.
        """
        tables = {name: table for name, table in self.tables.items() if self.has_plan or (self.diagnosis and name in EXPLAINED)}
        content = Run(self.summary(), tables, self.instance_files, self._certificate_files())
        if folder is not None:
            return write_run(Path(folder), content)
        return write_new_run(f"{self.name}-{datetime.now():%Y%m%d-%H%M%S}", content)

    def _certificate_files(self) -> dict[str, str]:
        """The certificate in full and as a table; nothing without one."""
        if self.certificate is None:
            return {}
        full = json.dumps(self.certificate.content(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {CERTIFICATE: full, CERTIFICATE_TABLE: self.certificate.table_text()}

    @classmethod
    def load(cls, folder: str | Path) -> Solution:
        """Read a run folder back. Raises RunError if it is incomplete, altered or of another format."""
        run = read_run(Path(folder))
        summary, certificate = run.summary, run.certificate.get(CERTIFICATE)
        try:
            Summary.model_validate(summary, strict=True)
            return cls(
                result=SolveResult.from_dict(
                    {each.name: summary[each.name] for each in fields(SolveResult) if each.name in summary or each.default is MISSING}
                ),
                settings=Settings.model_validate(summary["settings"]),
                options=SolveOptions.model_validate(summary["options"]),
                digests=summary["instance"]["digests"],
                tables=run.tables,
                cost_terms=summary["cost_terms"],
                baseline=summary["baseline"],
                indicators={name: entry["value"] for name, entry in summary["indicators"].items()},
                package=summary["package"],
                warnings=tuple(summary["warnings"]),
                notes=tuple(summary["notes"]),
                instance_files=run.instance,
                certificate=None if certificate is None else Certificate.from_content(json.loads(certificate)),
                diagnosis=None if summary["diagnosis"] is None else Diagnosis.from_dict(summary["diagnosis"]),
            )
        except KeyError as error:
            raise RunError(f"{Path(folder) / SUMMARY}: key {error} is missing") from error
        except ValidationError as error:
            raise RunError(f"{Path(folder) / SUMMARY}: {'; '.join(map(_fault, error.errors()))}") from error
        except (TypeError, ValueError) as error:
            raise RunError(f"{Path(folder) / SUMMARY}: {error}") from error


def load(folder: str | Path) -> Solution:
    """Read a run folder back: the same as `Solution.load`."""
    return Solution.load(folder)


def _fault(details: Mapping[str, Any]) -> str:
    """What is wrong with a key of solution.json."""
    key = ".".join(map(str, details["loc"]))
    return f"key {key!r} is missing" if details["type"] == "missing" else f"key {key!r}: {details['msg']}"


def _plain(value: Any) -> Any:
    """`value` as JSON has it: numbers that do not exist become null, tuples become lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if math.isfinite(value) else None
