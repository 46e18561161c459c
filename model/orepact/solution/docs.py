"""The page docs/solution-format.md, built from the tables and indicators themselves.

`python -m orepact.solution.docs > docs/solution-format.md` writes it anew; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from orepact.instance.schema import Column, Table
from orepact.solution.indicators import INDICATORS
from orepact.solution.schema import OUTPUT
from orepact.solution.store import CERTIFICATE, CERTIFICATE_TABLE, FORMAT, INSTANCE, MANIFEST, SUMMARY

KEYS = (
    (
        "status",
        "text",
        "solved (to the gap asked), limit (stopped at a limit, with a plan), infeasible (even the planner's relaxation is), no plan, certificate failed (a plan that does not stand up to checking), disputed (a second solve contradicts the first), targets missed (a package was evaluated that can't meet them), rules bent (--relax) or solver failed",
    ),
    ("behaviour", "text", "market: owners respond to policy; planner: the first best"),
    ("method", "text", "paths: price paths searched one by one; milp: all listed paths in one model"),
    ("objective", "number or null", "cost of the plan, expected and discounted, USD; null without a plan"),
    ("bound", "number or null", "no plan on the paths examined costs less, USD"),
    ("gap", "number or null", "(objective - bound) / objective"),
    ("seconds", "number", "time of the whole run"),
    ("paths_examined", "whole number", "distinct price paths solved or excluded by their bound"),
    ("paths_listed", "whole number", "price paths listed before the search for neighbours"),
    ("proven", "text", "what is proven, in one sentence"),
    ("requirements_held", "true or false", "false: targets, caps and budgets were left aside, since a package that was to be evaluated can't meet them"),
    ("limit", "text or null", "the limit at which the run stopped"),
    (
        "phases",
        "object",
        "seconds by phase: read, price, offer, build, hand over, solve, extract, verify, other; each second once, as solve while any solver runs",
    ),
    ("size", "object", "rows, columns, binaries, nonzeros, range of coefficients, root gap"),
    ("peak_memory_mb", "number", "most memory the process held, MB"),
    ("versions", "object", "version by name"),
    ("seed", "whole number", "random seed of the solver"),
    ("threads", "whole number", "threads asked for; 0: as many as there are cores"),
    ("platform", "text", "system, processor and number of cores"),
    ("confirmation", "text", "what a second solve confirmed or contradicts (`--confirm`); empty if none was asked for"),
    ("asked", "text", "with rules bent: status of the question as it was asked; else empty"),
    ("cost_terms", "object", "expected discounted USD by cost term"),
    ("baseline", "object", "the same world without policy: status, objective, bound, gap, cost_terms; empty if not solved"),
    ("indicators", "object", "by name: value, unit, description; see below"),
    ("instance", "object", "name, title, digest (SHA-256 of everything), digests (SHA-256 of each table)"),
    ("settings", "object", "everything instance.toml says, with what `--set` changed and defaults filled in"),
    ("options", "object", "every option of the run"),
    ("package", "object", "what `orepact evaluate` was told to fix, as its file says it; empty if nothing"),
    ("warnings", "list of texts", "what looks wrong in the instance, but may be meant"),
    ("notes", "list of texts", "what a reader must know, plan or no plan"),
    ("certificate", "object or null", "the independent check: holds, rules, rows, residual, sentence; certificate.json says it rule by rule"),
    (
        "diagnosis",
        "object or null",
        "why there is no plan: status, scope, conflicts (words, decided, places), irreducible, repairs (words, effort, decided, steps, verified), "
        "notes, bent, seconds, solves; a place is file, row, column, value",
    ),
)
"""Every key of solution.json: name, type, meaning."""

_INTRODUCTION = f"""# The solution format

Every run leaves one folder, moved into place whole: `{SUMMARY}`, one CSV file per table below, the instance as it was solved
(`{INSTANCE}/`), the certificate (`{CERTIFICATE}`, and `{CERTIFICATE_TABLE}` as a table; see docs/trust.md) and `{MANIFEST}`.
A folder that carries the name of a run is therefore complete, whenever the process was killed. A run without a plan
leaves no tables but `conflicts` and `repairs`: no plan, no numbers.

`{MANIFEST}` lists every other file with its SHA-256, and what it takes to have the run again: the SHA-256 of each table of the instance,
options, seed, versions, platform and limits. Reading a run back (`orepact show RUN`, `orepact.load(folder)`)
refuses one that lacks a file or was altered, and says which. The format's version is {FORMAT}.

**CSV.** UTF-8, comma, one header row. Mass is in tonnes, money in real USD of the instance's base year, time in years,
shares are 0 to 1. Numbers are written in the shortest form that reads back exactly, flags as `true` and `false`, and
what is not given is blank. Scenario `expected` is the probability-weighted mean. A spreadsheet would run a text that
begins with `=`, `+`, `-`, `@` or a tab as a formula: such a text, and one that begins with an apostrophe, has an
apostrophe put in front, which reading a run back takes away again.
"""


def solution_format_page() -> str:
    """The whole page, in Markdown."""
    parts = [
        _INTRODUCTION,
        f"## {SUMMARY}\n\nKeys are sorted; numbers that do not exist are null.\n\n"
        + _rows(("key", "type", "meaning"), [(f"`{key}`", kind, text) for key, kind, text in KEYS]),
    ]
    parts.append("### Indicators\n\nThree scoreboards count the same money from three sides and are never added: welfare, budget, users.\n\n")
    parts[-1] += _rows(("name", "unit", "meaning"), [(f"`{name}`", indicator.unit, indicator.description) for name, indicator in INDICATORS.items()])
    parts += [_table_section(table) for table in OUTPUT.values()]
    return "\n".join(parts)


def _table_section(table: Table) -> str:
    key = f" One row per {', '.join(table.key)}." if table.key else ""
    rows = [(f"`{column.name}`", _type(column), column.unit or "", "" if column.required else "yes", column.description) for column in table.columns]
    return f"## {table.name}.csv\n\n{table.description}{key}\n\n" + _rows(("column", "type", "unit", "may be blank", "meaning"), rows)


def _type(column: Column) -> str:
    return {"int": "whole number", "float": "number", "bool": "flag", "code": "code", "choice": "choice"}.get(column.kind, "text")


def _rows(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(solution_format_page())
