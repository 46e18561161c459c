"""The certificate: every rule, rows checked, worst residual relative to the row's scale, verdict."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from orepact.solution.verification.findings import TOLERANCE, Findings, Violation
from orepact.solution.verification.rules import RULES


@dataclass(frozen=True)
class RuleResult:
    """How one rule came out: `rows` checked, worst `residual`, rows that `failed`, the worst of these by name."""

    rule: str
    law: str
    rows: int
    residual: float
    failed: int
    violations: tuple[Violation, ...]

    @property
    def verdict(self) -> str:
        """holds, violated, or nothing to check."""
        return "violated" if self.failed else "holds" if self.rows else "nothing to check"


@dataclass(frozen=True)
class Certificate:
    """What checking a stored plan anew came to. It holds only if no row of any rule is off by more than the tolerance."""

    results: tuple[RuleResult, ...]
    not_checked: tuple[str, ...]
    instance: str
    tolerance: float = TOLERANCE

    @classmethod
    def of(cls, findings: Findings, not_checked: tuple[str, ...], instance: str) -> Certificate:
        """The certificate of what was found; `instance` is the digest of the instance used."""
        results = tuple(
            RuleResult(name, RULES[name].law, tally.rows, tally.residual, tally.failed, tuple(tally.violations)) for name, tally in findings.tallies.items()
        )
        return cls(results, not_checked, instance)

    @property
    def holds(self) -> bool:
        """Whether every row of every rule holds."""
        return not any(result.failed for result in self.results)

    @property
    def rules(self) -> int:
        """Rules with something to check."""
        return sum(result.rows > 0 for result in self.results)

    @property
    def rows(self) -> int:
        """Rows checked."""
        return sum(result.rows for result in self.results)

    @property
    def residual(self) -> float:
        """Worst residual, relative to its row's scale."""
        return max((result.residual for result in self.results), default=0.0)

    @property
    def failures(self) -> list[tuple[str, Violation]]:
        """Named violations with their rules."""
        return [(result.rule, violation) for result in self.results for violation in result.violations]

    def sentence(self) -> str:
        """One line for people."""
        if self.holds:
            return f"checked independently: {self.rules} rules, {self.rows:,} rows, worst residual {self.residual:.1e}"
        count, broken = sum(result.failed for result in self.results), [result.rule for result in self.results if result.failed]
        return f"certificate failed: {count:,} of {self.rows:,} rows break {len(broken)} of {self.rules} rules: {', '.join(broken)}"

    def explain(self, most: int = 12) -> list[str]:
        """The violations, one line each: rule, row, stated and derived value."""
        lines = [
            f"{rule}: {v.row}: the plan says {_text(v.stated)}, derived {_text(v.derived)}"
            + (f" (off by {v.residual:.1e} of the row's scale)" if isinstance(v.stated, float) else "")
            for rule, v in self.failures
        ]
        more = sum(result.failed for result in self.results) - most
        return lines[:most] + ([f"and {more:,} more"] if more > 0 else [])

    def table(self) -> pd.DataFrame:
        """One row per rule: rule, part, law, rows, residual, failed, verdict."""
        rows = [
            {
                "rule": r.rule,
                "part": RULES[r.rule].part if r.rule in RULES else "",
                "law": r.law,
                "rows": r.rows,
                "residual": r.residual,
                "failed": r.failed,
                "verdict": r.verdict,
            }
            for r in self.results
        ]
        return pd.DataFrame(rows)

    def table_text(self) -> str:
        """The same table as the text of a CSV file."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        table = self.table()
        rows.writerow(table.columns)
        rows.writerows(table.itertuples(index=False))
        return text.getvalue()

    def summary(self) -> dict[str, Any]:
        """The certificate in five figures."""
        return {"holds": self.holds, "rules": self.rules, "rows": self.rows, "residual": _finite(self.residual), "sentence": self.sentence()}

    def content(self) -> dict[str, Any]:
        """What certificate.json says."""
        return {
            "holds": self.holds,
            "sentence": self.sentence(),
            "tolerance": self.tolerance,
            "rules": self.rules,
            "rows": self.rows,
            "residual": _finite(self.residual),
            "instance": self.instance,
            "results": [
                {
                    "rule": r.rule,
                    "law": r.law,
                    "rows": r.rows,
                    "residual": _finite(r.residual),
                    "failed": r.failed,
                    "verdict": r.verdict,
                    "violations": [{key: _finite(value) for key, value in asdict(v).items()} for v in r.violations],
                }
                for r in self.results
            ],
            "not_checked": list(self.not_checked),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Certificate:
        """The certificate that `content` wrote; ValueError for anything else."""
        try:
            return cls._from(content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a certificate: {error!r}") from error

    @classmethod
    def _from(cls, content: Mapping[str, Any]) -> Certificate:
        results = tuple(
            RuleResult(
                r["rule"],
                r["law"],
                r["rows"],
                _number(r["residual"]),
                r["failed"],
                tuple(Violation(**{**v, "residual": _number(v["residual"])}) for v in r["violations"]),
            )
            for r in content["results"]
        )
        return cls(results, tuple(content["not_checked"]), content["instance"], content["tolerance"])


def _finite(value: Any) -> Any:
    """JSON has no infinities: a residual without measure is written as text."""
    return str(value) if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))) else value


def _number(value: float | str) -> float:
    return float(value)


def _text(value: float | str | None) -> str:
    return "nothing" if value is None else f"{value:.10g}" if isinstance(value, float) else value
