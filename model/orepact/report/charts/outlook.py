"""Charts about what may happen: fans over scenarios, and how good the figures are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orepact.analysis.derived import Frame
from orepact.report.charts.style import DASHES, GREY, PALETTE, Chart, Trace, fill, rows_height, safe, unique
from orepact.report.figures import MONEY, common_unit, mass, money, price
from orepact.report.labels import Names

Tables = Mapping[str, Frame]
MOST_PRICES = 4


def fans(tables: Tables, names: Names) -> Iterator[Chart]:
    """Prices of products with a measure (or with final demand), then payments, then shortage."""
    fan = tables["fan"]
    prices = fan[fan["measure"] == "price"]
    wanted = list(dict.fromkeys([*tables["price_measures"]["product"], *_demanded(tables)]))[:MOST_PRICES]
    for product in wanted:
        rows = prices[prices["product"] == product]
        if len(rows):
            low, high = float(rows["value"].min()), float(rows["value"].max())
            said = f"The price in the zone lies between {price(low)} and {price(high)}."
            yield _fan(f"fan-price-{product}", f"{names.brief('product', product)}: price in the zone, by scenario", said, rows, "USD/t", 1.0, names)
    payments = fan[fan["measure"] == "payments"]
    if len(payments) and payments["value"].abs().max() > 0:
        unit, size = common_unit(payments["value"], MONEY)
        worst = payments.loc[payments["value"].idxmax()]
        said = f"Treasuries pay most, {money(float(worst['value']), '/a')} net of revenue, in {names.brief('scenario', worst['scenario'])}, {worst['first_year']}; below zero more comes in than goes out."
        yield _fan("fan-payments", "Public payments net of levies and stock released, by scenario", said, payments, f"{unit}/a", size, names)
    short = fan[fan["measure"] == "shortage"]
    for product in dict.fromkeys(short["product"]):
        rows = short[short["product"] == product]
        worst = rows.loc[rows["value"].idxmax()]
        said = f"Users go short most, by {mass(float(worst['value']), '/a')}, in {names.brief('scenario', worst['scenario'])}, {worst['first_year']}."
        yield _fan(f"fan-shortage-{product}", f"{names.brief('product', product)}: demand that goes without, by scenario", said, rows, "t/a", 1.0, names)


def _demanded(tables: Tables) -> list[str]:
    demand = tables["balance"].groupby("product", sort=False)["demand"].sum()
    return [str(product) for product in demand[demand > 0].sort_values(ascending=False).index]


def _fan(code: str, title: str, said: str, rows: Frame, unit: str, size: float, names: Names) -> Chart:
    """A line per scenario: likely ones thick, stress tests thin and dotted; equal lines share one."""
    traces: list[Trace] = []
    shapes: dict[tuple[float, ...], Trace] = {}
    likely = 0
    order = rows.drop_duplicates("scenario").sort_values(["stress_test", "probability"], ascending=[True, False])["scenario"]
    for scenario in order:
        own = rows[rows["scenario"] == scenario].sort_values("first_year")
        values = tuple(round(float(value) / size, 6) for value in own["value"])
        name = safe(names.brief("scenario", scenario), 40)
        if values in shapes:
            shapes[values]["count"] += 1
            continue
        first = own.iloc[0]
        stress = bool(first["stress_test"])
        line = {"color": GREY if stress else PALETTE[likely % len(PALETTE)], "width": 1.5 if stress else 1.5 + 6 * float(first["probability"])}
        line["dash"] = "dot" if stress else DASHES[likely % len(DASHES)]
        trace: Trace = {"type": "scatter", "mode": "lines+markers", "x": own["first_year"].tolist(), "y": list(values), "line": line, "marker": {"size": 4}}
        said_name = f"{name}, stress test" if stress else f"{name}, {float(first['probability']):.0%}"
        shapes[values] = {"trace": trace, "name": said_name, "count": 0}
        traces.append(trace)
        likely += not stress
    for shape in shapes.values():
        shape["trace"]["name"] = shape["name"] + (f" (+{shape['count']} the same)" if shape["count"] else "")
    legend = {"orientation": "h", "y": -0.18, "yanchor": "top", "x": 0}
    layout: Trace = {
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero", "tickformat": ",.0f"},
        "xaxis": {"tickformat": "d", "dtick": 2 if len(set(rows["first_year"])) > 2 else 1, "title": {"text": "first year of the period"}},
        "legend": legend,
        "margin": {"b": 20},
    }
    return Chart(code, title, said, "fan", traces, layout, 360 + 20 * len(traces))


def quality(tables: Tables) -> Iterator[Chart]:
    """How many rows of each table are reported, derived, recalled, assumed."""
    table = tables["sources"]
    table = table[table["figures"] > 0].sort_values("figures", ascending=False)
    if table.empty:
        return
    labels = unique([safe(str(name).replace("_", " ")) for name in table["table"]])
    traces = []
    for n, column in enumerate(("reported", "derived", "recalled", "assumed")):
        traces.append({"type": "bar", "orientation": "h", "y": labels, "x": table[column].tolist(), "name": column, "marker": fill(n)})
    rows, assumed = int(table["rows"].sum()), int(table["assumed"].sum())
    yield Chart(
        "quality",
        "How good the figures are, table by table",
        f"{assumed:,} of {rows:,} rows with figures are assumed.",
        "sources",
        traces,
        {"barmode": "stack", "xaxis": {"title": {"text": "rows of the table"}}, "yaxis": {"autorange": "reversed", "showgrid": False}},
        rows_height(len(table), 24, 110),
    )
