"""The page docs/instance-format.md, generated from the schema, the settings and the lists of checks."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic.fields import FieldInfo

from orepact.instance.checks import CHECKS, WARNINGS, Check
from orepact.instance.schema import SCHEMA, Column, Table
from orepact.instance.settings import options_of
from orepact.instance.units import is_calendar
from orepact.options import Settings

PROVENANCE = ("source", "quality", "note")

INTRODUCTION = """\
# The instance format

*Generated from the code by `make docs`; change it there.*

An instance says everything about a question: who takes part, what is made from what, which plants and projects there
are, what could go wrong, which measures may be taken and what security means. It is either

- **a folder** with `instance.toml` and one CSV file per table, named after the table: `facilities.csv`; or
- **one workbook** (`.xlsx`) with one sheet per table, named after the table, and a sheet `settings` with the columns
  `section`, `key` and `value` in place of `instance.toml` (`horizon`, `period_years`, `2;2;3;3`).

Only `instance.toml` and the tables marked *required* must be there. `orepact new NAME` writes a small instance in which
every key is explained and every table has its header. `orepact validate INSTANCE` lists everything that is wrong, at
once, each with its file, row, column, value and rule. A folder may hold other files (notes, scripts, subfolders), but
no CSV file or workbook that is not a table, so that a misspelt name is never overlooked.

## Cells

- The first row is the header; columns may stand in any order; blank rows are skipped. Row numbers in messages are those
  that an editor shows, the header being row 1.
- Files are UTF-8, separated by commas. Numbers have a decimal point and no thousands separator (`1234.5`, `1.2e6`).
- Text shows as it is: control characters, those that nobody sees and those that turn the direction of reading are refused.
  Names have at most 200 characters. No code begins with `+`, `-` or `@`. Where a text begins like a formula, a CSV file has
  an apostrophe in front of it (`'=B2`), which reading takes away; so do the files that Orepact writes.
- A formula in a workbook means the value stored with it, and a warning says so; one that takes its value from another file,
  program or site is refused.
- At most 32 MB a file, 100,000 rows and 1,000 columns a table, 256 kB in `instance.toml`; a workbook unpacks to 256 MB at most.
  Links that lead out of the folder are not followed.
- A blank cell means the default, or *not given* where there is none. `nan`, `inf` and the like are refused.
- A **code** is a short name that other tables refer to: up to 64 characters, no spaces, quotes, brackets or any of
  `; , | = *`; upper and lower case differ. **codes** are several in one cell, separated by semicolons.
- `*`, where it is allowed, means all. Flags are `true` or `false`.
- In a table with years, rows with the same key are points of a series: linear between two given years, held before the
  first and after the last. A period takes the mean of its years.
- Every table may also have the columns `source` (where the figures of the row come from; a code of the table `sources`
  or free text), `quality` (reported, derived, recalled or assumed; blank: assumed) and `note`. They travel into the
  solution, which states the share of its figures that is assumed.

## Units

Mass is in tonnes (t), money in US dollars of the price base year (USD), time in years (a, yr, year), shares between 0
and 1. A column may be given in another unit of the same dimension, converted once on the way in:

- in the header: `capacity [kt/a]`, `price [USD/kg]`, `rate [%]`;
- or in `instance.toml`, for a column or for all of a table:

```toml
[units]
"facilities.capacity" = "kt/a"
demand = { mass = "kt" }
contracts = { money = "kUSD", mass = "kg" }   # strike and premium are then in kUSD/kg
```

A header goes before a declaration for the whole table; two different declarations for one column are refused. Known are
t, g, lb, ozt (troy ounce), USD, BUSD, year (a, yr), month, day and %, with the prefixes k, M and G: kg, kt, Mt, MUSD.
Years of the calendar (`first_year`, `opening_year`) are never converted.

"""


def instance_format_page() -> str:
    """The whole page, Markdown."""
    parts = [INTRODUCTION, "## instance.toml\n\n"]
    parts += [_section(name) for name in options_of("")]
    parts.append(
        "## Tables\n\n" + "\n".join(f"- [`{t.name}`](#{t.name}){' (required)' if t.required else ''}: {_first(t.description)}" for t in SCHEMA.values())
    )
    parts.append("\n\n")
    parts += [_table(table) for table in SCHEMA.values()]
    parts.append("## What is checked across tables\n\nBesides types, ranges, keys and references, an instance must obey these rules.\n\n")
    parts.append(_rules(CHECKS))
    parts.append("\nThese only make a warning, since they may be meant.\n\n")
    parts.append(_rules(WARNINGS))
    return "".join(parts)


def _section(name: str) -> str:
    field = Settings.model_fields[name]
    purpose = (getattr(field.annotation, "__doc__", None) or "").partition(": ")[2]
    rows = "".join(_setting(key, option) for key, option in options_of(name).items())
    return f"### [{name}]\n\n{_sentence(purpose)}\n\n| key | default | meaning |\n|---|---|---|\n{rows}\n"


def _setting(key: str, option: FieldInfo) -> str:
    default = "*required*" if option.is_required() else _shown(option.default)
    limits = [f"{sign} {bound:g}" for sign, bound in _bounds(option)]
    meaning = _escaped(option.description or "") + (f" ({', '.join(limits)})" if limits else "")
    return f"| `{key}` | {default} | {meaning} |\n"


def _bounds(option: FieldInfo) -> Iterable[tuple[str, float]]:
    for limit in option.metadata:
        for attribute, sign in (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most")):
            bound = getattr(limit, attribute, None)
            if isinstance(bound, int | float):
                yield sign, bound


def _table(table: Table) -> str:
    key = f"Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else "Rows may repeat."
    years = f" A series over `{table.years}`." if table.years else ""
    required = " Required." if table.required else ""
    columns = "".join(_column(column) for column in table.columns if column.name not in PROVENANCE)
    return (
        f"### {table.name}\n\n{table.description}\n\n{key}{years}{required}\n\n"
        f"| column | type | unit | default | allowed | meaning |\n|---|---|---|---|---|---|\n{columns}\n"
    )


def _column(column: Column) -> str:
    unit = "" if not column.unit or is_calendar(column) else column.unit
    default = "*required*" if column.required else _shown(column.default)
    return f"| `{column.name}` | {column.kind} | {unit} | {default} | {_allowed(column)} | {_escaped(column.description)} |\n"


def _allowed(column: Column) -> str:
    if column.choices:
        return ", ".join(f"`{choice}`" for choice in column.choices)
    if column.refers:
        others = [f"`{other}`" for other in (*column.also, *(["*"] if column.wild else []))]
        return " or ".join([*(f"`{target}`" for target in column.refers.split("|")), *others])
    if column.wild:
        return "`*`"
    limits = [f"above {column.above:g}"] if column.above is not None else []
    limits += [f"at least {column.low:g}"] if column.low is not None else []
    limits += [f"at most {column.high:g}"] if column.high is not None else []
    return ", ".join(limits)


def _rules(checks: Iterable[Check]) -> str:
    return "".join(f"- {(check.__doc__ or '').strip()}\n" for check in checks)


def _shown(default: object) -> str:
    if default is None or default in ("", ()):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _first(text: str) -> str:
    return text.split(". ")[0].rstrip(".") + "."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
