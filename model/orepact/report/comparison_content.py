"""What a comparison of runs says: which runs, what differs in the input, what differs in the plan, and what they agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from orepact.analysis.compared import COMPARED
from orepact.analysis.comparison import comparison_tables
from orepact.analysis.derived import DERIVED, Row, frame, records
from orepact.analysis.input_differences import Compared
from orepact.report.cells import Grid, grid, pivot
from orepact.report.charts import comparison as charts
from orepact.report.charts.style import Chart
from orepact.report.document import Board, Document, Figure, KeyFigures, Section, Shown, Text
from orepact.report.figures import change, listing, share
from orepact.report.labels import Names

SCHEMA = {"key_figures": DERIVED["key_figures"], **COMPARED}
MOST_COLUMNS = 12
"""Runs side by side in a table before it is shown long instead of wide."""


class Pages:
    """Tables, names and figures of a comparison at hand while its sections are written."""

    def __init__(self, runs: Sequence[Compared]) -> None:
        self.runs = list(runs)
        found = comparison_tables(self.runs)
        self.tables: dict[str, pd.DataFrame] = {"key_figures": frame("key_figures", _key_figures(found)), **found}
        self.figure = KeyFigures(self.tables["key_figures"])
        self.names = Names(_names(runs))
        self.planned = [run.name for run in runs if run.solution.has_plan]

    @property
    def baseline(self) -> str:
        """Name of the run that the others are measured against."""
        return self.runs[0].name

    def grid(self, name: str, columns: Sequence[str] = (), most: int = 300) -> Grid:
        """Some columns of a table, ready to be shown."""
        return grid(name, self.tables[name], SCHEMA[name], self.names, columns, most)

    def wide(self, name: str, rows: Sequence[str], value: str) -> Grid:
        """A table with a column per run, or as it is where there are too many runs."""
        if len(self.planned) > MOST_COLUMNS:
            return self.grid(name)
        return pivot(name, self.tables[name], SCHEMA[name], self.names, rows, "run", value, self.planned)


def _names(runs: Sequence[Compared]) -> dict[str, pd.DataFrame]:
    """Names of products, countries, scenarios and plants of all runs together, the first run's first."""
    found = {}
    for name, key in (("products", "product"), ("countries", "country"), ("scenarios", "scenario"), ("facilities", "facility")):
        found[name] = pd.concat([run.solution.tables[name] for run in runs], ignore_index=True).drop_duplicates(key)
    return found


def _key_figures(tables: dict[str, pd.DataFrame]) -> Iterator[Row]:
    runs, choices = tables["runs"], tables["choices"]
    for figure, label, value, source in (
        ("runs", "runs compared", len(runs), "runs: rows"),
        ("plans", "runs that have a plan", int(runs["cost_usd"].notna().sum()), "runs: rows with a cost_usd"),
        ("without_plan", "runs without a plan", int(runs["cost_usd"].isna().sum()), "runs: rows without a cost_usd"),
        ("parts", "parts of the input that differ", tables["input_tables"]["table"].nunique(), "input_tables: table"),
        ("cells", "values of the input that differ", len(tables["input_cells"]), "input_cells: rows"),
        ("robust", "choices in every plan", int((choices["verdict"] == "robust").sum()), "choices: verdict"),
        ("contested", "contested choices", int((choices["verdict"] == "contested").sum()), "choices: verdict"),
    ):
        yield {"figure": figure, "label": label, "value": float(value), "unit": "", "source": source}


def comparison_document(runs: Sequence[Compared]) -> Document:
    """The comparison of runs; the first one is the baseline."""
    page = Pages(runs)
    titles = list(dict.fromkeys(run.solution.title for run in runs))
    return Document(
        title=f"{len(runs)} runs side by side: {listing(titles, 3)}",
        name=listing([run.name for run in runs], 4),
        kicker="Comparison",
        question=f"What differs between these runs, in the input and in the plan, and what do they agree on? Baseline: {page.baseline}.",
        answer=tuple(_answer(page)),
        boards=tuple(_boards(page)),
        sections=(_side_by_side(page), _inputs(page), _plans(page), _cost(page), _security(page), _payments(page), _not_shared(page)),
        tables=page.tables,
        schema=SCHEMA,
        status=f"Baseline {page.baseline}; {len(page.planned)} of {len(runs)} runs have a plan",
        footer=tuple(f"{run.name}: instance digest {run.solution.digest}" for run in runs[:8]),
    )


def _answer(page: Pages) -> Iterator[Text]:
    figure = page.figure
    rows = records(page.tables["runs"])
    yield (figure("plans"), " of ", figure("runs"), " runs have a plan", *_cheapest(rows), ".")
    if page.tables["input_tables"].empty:
        yield ("Their input is the same in every setting, option and table.",)
    else:
        parts = list(dict.fromkeys(page.tables["input_tables"]["table"]))
        yield ("Their input differs in ", figure("parts"), f" parts: {listing(parts, 6)}; ", figure("cells"), " values are not the same.")
    if figure.value("plans") > 1:
        yield (figure("robust"), " choices are in every plan, ", figure("contested"), " are contested.")


def _cheapest(rows: list[Row]) -> list[str | Figure]:
    """The cheapest plan among those that meet most of their targets."""
    planned = [(n, row) for n, row in enumerate(rows) if row["cost_usd"] is not None]
    if not planned:
        return []
    most = max((row["targets_met"] or 0) / max(row["targets"] or 1, 1) for _, row in planned)
    best = [(n, row) for n, row in planned if (row["targets_met"] or 0) / max(row["targets"] or 1, 1) == most]
    n, row = min(best, key=lambda entry: entry[1]["cost_usd"])
    text: list[str | Figure] = [f"; of those that meet most of their targets, the cheapest is {row['run']}"]
    if row["extra_usd"] is not None:
        text += [", ", Figure(change(row["extra_usd"]), "runs", n, "extra_usd"), " against no policy"]
    return text


def _boards(page: Pages) -> Iterator[Board]:
    """A box per run, the first five."""
    for n, row in enumerate(records(page.tables["runs"])[:5]):
        lines: list[tuple[Text, str]] = []
        if row["cost_usd"] is None:
            lines.append(((row["status"],), row["reason"][:160]))
        else:
            column = "extra_usd" if row["extra_usd"] is not None else "cost_usd"
            lines.append(((Figure(change(row[column]), "runs", n, column),), "against no policy" if column == "extra_usd" else "cost"))
            if row["targets"]:
                met: Text = (Figure(str(row["targets_met"]), "runs", n, "targets_met"), " of ", Figure(str(row["targets"]), "runs", n, "targets"))
                lines.append((met, "targets and caps met"))
            if row["worst_reliance"] is not None:
                lines.append(((Figure(share(row["worst_reliance"]), "runs", n, "worst_reliance"),), "largest share of one source, any stage"))
        yield Board(row["run"], lines)


def _side_by_side(page: Pages) -> Section:
    columns = ["run", "status", "cost_usd", "extra_usd", "against_usd", "gap", "outlay_usd", "revenue_usd", "user_bill_change_usd", "shortage_t"]
    columns += ["targets_met", "targets", "worst_reliance", "built", "measures", "contracts", "grants"]
    items = [Shown("Runs", page.grid("runs", columns), "Welfare, public spending and users' bill count the same money from three sides: never add them.")]
    lead: list[Text] = [(f"{row['run']} has no plan: {row['reason']}.",) for row in records(page.tables["runs"]) if row["cost_usd"] is None]
    lead += [(f"{row['run']}: {row['reason']}.",) for row in records(page.tables["runs"]) if row["cost_usd"] is not None and row["reason"]]
    return Section("runs", "Runs side by side", lead, [*items, *charts.scatters(page.tables)])


def _inputs(page: Pages) -> Section:
    note = "Compared with the baseline run. Sources, qualities and notes are left out."
    items = [Shown("Parts of the input that differ", page.grid("input_tables"), note if len(page.tables["input_tables"]) else "None.")]
    items.append(
        Shown("Values that differ", page.grid("input_cells"), "(row): the whole row is there, or is not." if len(page.tables["input_cells"]) else "None known.")
    )
    lead: list[Text] = []
    lacking = [run.name for run in page.runs if run.instance is None]
    if lacking:
        lead.append((f"Runs that don't hold their instance: {listing(lacking, 8)}. Of their tables only digests are compared, not cells.",))
    return Section("inputs", "What differs in the input", lead, items)


def _plans(page: Pages) -> Section:
    items: list[Shown | Chart] = [*charts.agreement(page.tables), *charts.projects(page.tables)]
    table = Shown("Choices, robust ones first", page.grid("choices", ["kind", "subject", "what", "verdict", "count", "plans", "runs"]))
    return Section("plans", "What differs in the plan", [], [*items, table])


def _cost(page: Pages) -> Section:
    items: list[Shown | Chart] = [
        *charts.waterfalls(page.tables, page.baseline),
        Shown("Cost by term", page.wide("cost_terms", ["term"], "usd"), "Expected and discounted."),
    ]
    lead: list[Text] = [] if page.baseline in page.planned else [("The baseline run has no plan, so there is no difference to show.",)]
    return Section("cost", "Cost by term", lead, items)


def _security(page: Pages) -> Section:
    items: list[Shown | Chart] = [
        *charts.targets(page.tables),
        Shown("What each plan reaches where it is tightest", page.wide("targets", ["target", "kind"], "after")),
    ]
    return Section("security", "Targets, caps and dependence", [], [*items, *charts.reliance(page.tables, page.names)])


def _payments(page: Pages) -> Section:
    table = Shown("Payments by member and instrument", page.wide("payments", ["member", "instrument"], "expected_usd"), "Revenue is negative.")
    return Section("payments", "Who pays", [], [*charts.payments(page.tables, page.names), table])


def _not_shared(page: Pages) -> Section:
    missing = page.tables["not_shared"]
    instances = list(dict.fromkeys(run.solution.name for run in page.runs))
    lead: list[Text] = []
    if len(instances) > 1:
        lead.append((f"The runs are of different instances: {listing(instances, 6)}. What all of them have is compared; what only some have is listed here.",))
    items = [
        Shown(
            "What not every plan has",
            page.grid("not_shared"),
            "" if len(missing) else "Nothing: the plans have the same products, targets, members, candidates and scenarios.",
        )
    ]
    return Section("shared", "What can't be compared", lead, items)
