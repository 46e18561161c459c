"""Charts that put runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orepact.analysis.derived import Frame, records
from orepact.report.charts.money import steps_chart
from orepact.report.charts.style import ACCENT, DARK, GREY, LIGHT, Chart, Trace, fill, rows_height, safe, unique
from orepact.report.figures import MASS, MONEY, common_unit, money, share
from orepact.report.labels import Names, word

Tables = Mapping[str, Frame]
MOST_WATERFALLS = 4
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down")


def scatters(tables: Tables) -> Iterator[Chart]:
    """Cost against security: the largest single source, and expected shortage."""
    table = tables["runs"]
    plans = table[table["cost_usd"].notna()]
    if plans.empty:
        return
    column = "extra_usd" if plans["extra_usd"].notna().all() else "cost_usd"
    title = "cost above no policy" if column == "extra_usd" else "cost"
    for code, security, said, axis in (
        ("reliance", "worst_reliance", "largest share of one source, any stage", {"tickformat": ".0%", "rangemode": "tozero"}),
        ("shortage", "shortage_t", "expected shortage", {"tickformat": ",.0f", "rangemode": "tozero"}),
    ):
        own = plans[plans[security].notna()]
        if own.empty:
            continue
        unit, size = common_unit(own[column], MONEY)
        measure, tonnes = common_unit(own[security], MASS) if security == "shortage_t" else ("", 1.0)
        labels = [safe(row["run"], 28) for row in records(own)]
        safest = own.loc[own[security].idxmin()]
        trace: Trace = {
            "type": "scatter",
            "mode": "markers+text" if len(own) <= 12 else "markers",
            "x": [value / size for value in own[column]],
            "y": [value / tonnes for value in own[security]],
            "text": labels,
            "textposition": [("top center", "bottom center")[n % 2] for n in range(len(own))],
            "cliponaxis": False,
            "marker": {"size": 12, "color": ACCENT, "symbol": [SYMBOLS[n % len(SYMBOLS)] for n in range(len(own))]},
            "hovertemplate": "%{text}<br>%{x:,.0f}, %{y}<extra></extra>",
        }
        low, high = float(own[column].min()) / size, float(own[column].max()) / size
        room = 0.15 * (high - low or abs(high) or 1.0)
        yield Chart(
            f"scatter-{code}",
            f"Cost against {'dependence' if code == 'reliance' else 'shortage'}",
            f"Down and to the left is better. Lowest {said}: {safest['run']}.",
            "runs",
            [trace],
            {
                "xaxis": {"title": {"text": f"{title}, {unit}"}, "tickformat": ",.0f", "range": [low - room, high + room]},
                "yaxis": {**axis, "title": {"text": f"{said}{', ' + measure if measure else ''}"}},
                "showlegend": False,
                "margin": {"t": 30},
            },
            380,
        )


def waterfalls(tables: Tables, baseline: str) -> Iterator[Chart]:
    """From the baseline run's cost to each other run's, term by term."""
    table = tables["cost_terms"]
    others = [run for run in dict.fromkeys(table["run"]) if run != baseline]
    base = table[table["run"] == baseline]
    if base.empty:
        return
    for run in others[:MOST_WATERFALLS]:
        own = table[table["run"] == run]
        own = own[own["against_usd"].abs() > 0]
        own = own.reindex(own["against_usd"].abs().sort_values(ascending=False).index)
        steps = [(str(row["term"]), float(row["against_usd"])) for row in records(own.head(8))]
        rest = own.iloc[8:]
        if len(rest):
            steps.append((f"{len(rest)} smaller terms", float(rest["against_usd"].sum())))
        yield steps_chart(f"steps-{run}", f"From {baseline} to {run}: cost by term", baseline, float(base["usd"].sum()), steps, run, "cost_terms")


def matrix(
    code: str,
    title: str,
    says: str,
    table: str,
    rows: Sequence[str],
    runs: Sequence[str],
    values: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
    planned: set[str],
) -> Chart:
    """Rows by runs, shaded by value, with the value written in; runs without a plan keep their column."""
    trace: Trace = {
        "type": "heatmap",
        "x": unique([safe(run if run in planned else f"{run}: no plan", 28) for run in runs]),
        "y": unique([safe(row, 32) for row in rows]),
        "z": [list(row) for row in values],
        "text": [list(row) for row in texts],
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
        "colorscale": [[0, "#ffffff"], [1, "#6fa3d6"]],
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "zmin": 0,
        "zmax": 1,
    }
    if len(runs) <= 12:
        trace |= {"texttemplate": "%{text}", "textfont": {"color": DARK, "size": 11}}
    layout: Trace = {
        "yaxis": {"autorange": "reversed", "showgrid": False},
        "xaxis": {"side": "top", "tickangle": -30, "showgrid": False, "ticks": ""},
        "showlegend": False,
    }
    return Chart(
        code, title, says, table, [trace], {**layout, "margin": {"t": 70}}, rows_height(len(rows), 24, 120), 200 + 92 * len(runs) if 3 < len(runs) <= 12 else 0
    )


def _planned(tables: Tables) -> set[str]:
    """Runs that have a plan."""
    runs = tables["runs"]
    return set(runs.loc[runs["cost_usd"].notna(), "run"])


def targets(tables: Tables) -> Iterator[Chart]:
    """Targets by run: what is reached, missed ones marked."""
    table = tables["targets"]
    if table.empty:
        return
    runs, codes = list(tables["runs"]["run"]), list(dict.fromkeys(table["target"]))
    cells = {(row["target"], row["run"]): row for row in records(table)}
    values, texts = [], []
    for code in codes:
        own = [cells.get((code, run)) for run in runs]
        values.append([None if row is None else 0.15 if row["met"] else 0.95 for row in own])
        texts.append([_reached(row) for row in own])
    missed = sum(1 for row in cells.values() if not row["met"])
    said = f"{missed} of {len(cells)} targets and caps are missed (dark, marked ✗); a met one says what is reached where it is tightest (light)."
    yield matrix(
        "target-matrix", "Targets and caps, run by run", said, "targets", [code.replace("_", " ") for code in codes], runs, values, texts, _planned(tables)
    )


def _reached(row: dict[str, object] | None) -> str:
    if row is None:
        return ""
    after = float(str(row["after"]))
    text = f"{after:,.0f} d" if row["kind"] == "stock_days" else share(after)
    return text if row["met"] else f"✗ {text}"


def reliance(tables: Tables, names: Names) -> Iterator[Chart]:
    """Largest source of each product by run."""
    table = tables["reliance"]
    if table.empty:
        return
    runs, codes = list(tables["runs"]["run"]), list(dict.fromkeys(table["product"]))
    cells = {(row["product"], row["run"]): row for row in records(table)}
    values = [[None if (row := cells.get((code, run))) is None else row["share"] for run in runs] for code in codes]
    texts = [
        ["" if (row := cells.get((code, run))) is None else f"{share(row['share'])} {safe(names.brief('source', row['source']), 12)}" for run in runs]
        for code in codes
    ]
    worst = table.loc[table["share"].idxmax()]
    said = f"The largest share is {share(float(worst['share']))}, {names.brief('source', worst['source'])} in {names.brief('product', worst['product'])}, in {worst['run']}."
    yield matrix(
        "reliance-matrix",
        "Largest single source of every product, true origin counted",
        said,
        "reliance",
        [names.brief("product", c) for c in codes],
        runs,
        values,
        texts,
        _planned(tables),
    )


def projects(tables: Tables, most: int = 40) -> Iterator[Chart]:
    """Which candidates are built when, run by run."""
    table = tables["projects"]
    if table.empty:
        return
    runs, codes = list(tables["runs"]["run"]), list(dict.fromkeys(table["facility"]))[:most]
    cells = {(row["facility"], row["run"]): row for row in records(table)}
    named = {row["facility"]: row["name"] for row in records(table)}
    values, texts = [], []
    for code in codes:
        own = [cells.get((code, run)) for run in runs]
        values.append([None if row is None else 0.0 if row["start_year"] is None else 0.8 if row["supported"] else 0.4 for row in own])
        texts.append(["" if row is None or row["start_year"] is None else f"{row['start_year']}{' s' if row['supported'] else ''}" for row in own])
    rows = [str(named[code]) for code in codes]
    said = "Year of the decision to build; s and dark: with support; light: without; blank: not built."
    yield matrix("project-matrix", "Which plants are built, and when", said, "projects", rows, runs, values, texts, _planned(tables))


def payments(tables: Tables, names: Names) -> Iterator[Chart]:
    """Who pays in each run: net payments of each member, stacked by run."""
    table = tables["payments"]
    spent = table[table["expected_usd"] > 0].groupby(["run", "member"], sort=False)["expected_usd"].sum().reset_index()
    if spent.empty:
        return
    unit, size = common_unit(spent["expected_usd"], MONEY)
    runs = list(dict.fromkeys(spent["run"]))
    labels = unique([safe(run, 28) for run in runs])
    traces = []
    for n, member in enumerate(dict.fromkeys(spent["member"])):
        own = dict(zip(spent.loc[spent["member"] == member, "run"], spent.loc[spent["member"] == member, "expected_usd"], strict=True))
        values = [own.get(run, 0.0) / size for run in runs]
        traces.append({"type": "bar", "orientation": "h", "y": labels, "x": values, "name": safe(names.brief("member", member)), "marker": fill(n)})
    total = spent.groupby("run")["expected_usd"].sum()
    yield Chart(
        "paid-by-run",
        "Public spending by member, expected over the horizon, before revenue",
        f"Most is spent in {total.idxmax()}: {money(float(total.max()))}.",
        "payments",
        traces,
        {"barmode": "stack", "xaxis": {"title": {"text": f"{unit}, undiscounted"}}, "yaxis": {"autorange": "reversed", "showgrid": False}},
        rows_height(len(runs), 34, 130),
    )


def agreement(tables: Tables) -> Iterator[Chart]:
    """How many choices are robust and contested, by kind."""
    table = tables["choices"]
    if table.empty:
        return
    kinds = list(dict.fromkeys(table["kind"]))
    traces: list[Trace] = []
    for verdict, marker in (
        ("robust", {"color": ACCENT}),
        ("contested", {"color": "#ffffff", "line": {"color": GREY, "width": 1}, "pattern": {"shape": "/", "fgcolor": LIGHT, "bgcolor": "#ffffff"}}),
    ):
        counts = [int(((table["kind"] == kind) & (table["verdict"] == verdict)).sum()) for kind in kinds]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [safe(word(kind)) for kind in kinds],
                "x": counts,
                "name": verdict,
                "marker": marker,
                "text": [str(c) for c in counts],
                "textposition": "auto",
            }
        )
    robust = int((table["verdict"] == "robust").sum())
    yield Chart(
        "agreement",
        "What every plan does, and what only some do",
        f"{robust} of {len(table)} choices are in every plan (robust); the others are contested.",
        "choices",
        traces,
        {"barmode": "stack", "yaxis": {"autorange": "reversed", "showgrid": False}, "xaxis": {"title": {"text": "choices"}}},
        rows_height(len(kinds), 30, 110),
    )
