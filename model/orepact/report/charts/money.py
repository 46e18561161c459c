"""Charts about money: who pays, what changes in the cost, what price measures do, what owners earn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orepact.analysis.derived import Frame, records
from orepact.report.charts.style import ACCENT, DARK, GREY, LIGHT, WARN, Chart, Trace, dumbbells, fill, rows_height, safe, unique
from orepact.report.figures import MONEY, common_unit, money
from orepact.report.labels import Names, word

Tables = Mapping[str, Frame]


def paid(tables: Tables, names: Names) -> Iterator[Chart]:
    """Expected payments of each member by instrument; revenue runs the other way."""
    table = tables["member_payments"]
    if table.empty:
        return
    unit, size = common_unit(table["expected_usd"], MONEY)
    members = list(dict.fromkeys(table["member"]))
    labels = unique([safe(names.brief("member", code)) for code in members])
    traces = []
    for n, (instrument, own) in enumerate(table.groupby("instrument", sort=False)):
        by_member = dict(zip(own["member"], own["expected_usd"], strict=True))
        values = [by_member.get(code, 0.0) / size for code in members]
        traces.append({"type": "bar", "orientation": "h", "y": labels, "x": values, "name": word(instrument), "marker": fill(n)})
    spent = table[table["expected_usd"] > 0].groupby("member")["expected_usd"].sum()
    most = str(spent.idxmax()) if len(spent) else members[0]
    yield Chart(
        "paid",
        "Who pays, and what comes in, expected over the horizon",
        f"{names.brief('member', most)} spends most: {money(float(spent.get(most, 0.0)))}. To the right what treasuries spend, to the left what they take in.",
        "member_payments",
        traces,
        {
            "barmode": "relative",
            "xaxis": {"title": {"text": f"{unit}, undiscounted"}, "zerolinecolor": DARK, "zerolinewidth": 1.5},
            "yaxis": {"autorange": "reversed", "showgrid": False},
        },
        rows_height(len(members), 46, 150),
    )


def waterfall(tables: Tables, most: int = 9) -> Iterator[Chart]:
    """From the cost without policy to the cost of the plan."""
    table = tables["cost_change"]
    if table.empty or table["before_usd"].isna().all():
        return
    begin = float(table["before_usd"].sum())
    table = table[table["change_usd"].abs() > 1e-9 * table["before_usd"].abs().max()]
    shown, rest = table.head(most), table.iloc[most:]
    steps = [(str(row["term"]), float(row["change_usd"])) for row in records(shown)]
    if len(rest):
        steps.append((f"{len(rest)} smaller terms", float(rest["change_usd"].sum())))
    yield steps_chart("waterfall", "What the plan changes in the cost", "without policy", begin, steps, "the plan", "cost_change")


def steps_chart(code: str, title: str, first: str, begin: float, steps: Sequence[tuple[str, float]], last: str, table: str) -> Chart:
    """A waterfall whose axis is cut so that the steps can be seen; the ends say their amounts."""
    unit, size = common_unit([begin], MONEY)
    level, low, high = begin, begin, begin
    for _, change in steps:
        level += change
        low, high = min(low, level), max(high, level)
    text = [money(begin), *(f"{change / size:+,.0f}" for _, change in steps), money(level)]
    room = (high - low) or abs(begin) or 1.0
    trace: Trace = {
        "type": "waterfall",
        "x": unique([safe(first, 18), *(safe(name, 22) for name, _ in steps), safe(last, 18)]),
        "y": [begin / size, *(change / size for _, change in steps), level / size],
        "measure": ["absolute", *(["relative"] * len(steps)), "total"],
        "text": text,
        "textposition": "outside",
        "constraintext": "none",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "connector": {"line": {"color": LIGHT, "width": 1}},
        "increasing": {"marker": {"color": WARN}},
        "decreasing": {"marker": {"color": "#56b4e9"}},
        "totals": {"marker": {"color": GREY}},
        "hovertemplate": "%{x}: %{text}<extra></extra>",
    }
    biggest = max(steps, key=lambda step: abs(step[1]), default=("", 0.0))
    return Chart(
        code,
        title,
        f"From {money(begin)} to {money(level)}; the largest change is {biggest[0]} ({biggest[1] / 1e6:+,.0f} MUSD). The axis does not begin at zero.",
        table,
        [trace],
        {
            "showlegend": False,
            "yaxis": {
                "title": {"text": f"{unit}, expected, discounted"},
                "tickformat": ",.0f",
                "range": [(low - 0.25 * room) / size, (high + 0.2 * room) / size],
            },
            "xaxis": {"tickangle": -35, "showgrid": False},
            "margin": {"t": 24},
        },
        430,
        560,
    )


def price_steps(tables: Tables, names: Names) -> Iterator[Chart]:
    """World and zone price of each product with a measure, reference scenario, step by step."""
    fan, measures = tables["fan"], tables["price_measures"]
    for product in dict.fromkeys(measures["product"]):
        rows = fan[(fan["measure"] == "price") & (fan["product"] == product)]
        reference = _reference(tables, rows)
        rows = rows[rows["scenario"] == reference]
        years = [*rows["first_year"].tolist(), int(measures["to_year"].max()) + 1]
        own = measures[measures["product"] == product]
        line: Trace = {"type": "scatter", "mode": "lines", "x": years}
        said = "; ".join(f"{word(row['kind'])} ({row['rung']}) {row['from_year']}–{row['to_year']}" for row in records(own))
        yield Chart(
            f"price-{product}",
            f"{names.brief('product', product)}: price in the zone and in the world",
            f"{said}. Scenario: {names.brief('scenario', reference)}.",
            "fan",
            [
                {**line, "y": _held(rows["world"].tolist()), "name": "world price", "line": {"color": GREY, "width": 2, "dash": "dot", "shape": "hv"}},
                {**line, "y": _held(rows["value"].tolist()), "name": "price in the zone", "line": {"color": ACCENT, "width": 3, "shape": "hv"}},
            ],
            {"yaxis": {"title": {"text": "USD/t"}, "rangemode": "tozero", "tickformat": ",.0f"}, "xaxis": {"tickformat": "d", "dtick": 2}},
            300,
        )


def _held(values: list[float]) -> list[float]:
    """Values of periods with the last one repeated, so that its step is drawn to its end."""
    return [*values, values[-1]] if values else []


def _reference(tables: Tables, rows: Frame) -> str:
    """The scenario that charts of one scenario show."""
    named = tables["merit_order"].attrs.get("reference") or ""
    return str(named) if named else str(rows.sort_values("probability", ascending=False)["scenario"].iloc[0])


def owners(tables: Tables, most: int = 26) -> Iterator[Chart]:
    """Value to the owner without and with the plan, built projects."""
    table = tables["projects"]
    built = table[table["start_year"].notna()].sort_values("npv_without_usd").head(most)
    if built.empty:
        return
    unit, size = common_unit(built["npv_without_usd"].dropna(), MONEY)
    rows = records(built)
    labels = [safe(f"{row['name']}", 32) for row in rows]
    before = [None if row["npv_without_usd"] is None else row["npv_without_usd"] / size for row in rows]
    after = [None if row["npv_with_usd"] is None else row["npv_with_usd"] / size for row in rows]
    losing = sum(1 for row in rows if (row["npv_without_usd"] or 0.0) < 0)
    yield Chart(
        "owners",
        "Projects that are built: their value to the owner without and with the plan",
        f"{losing} of {len(rows)} would lose money for their owners without policy. Right of zero an owner earns more than the return he asks for.",
        "projects",
        dumbbells(labels, before, after, "without policy", "with the plan"),
        {
            "xaxis": {"title": {"text": f"{unit}, net present value at the owner's hurdle rate"}, "zerolinecolor": DARK, "zerolinewidth": 1.5},
            "yaxis": {"autorange": "reversed", "showgrid": False},
        },
        rows_height(len(rows), 25, 110),
    )
