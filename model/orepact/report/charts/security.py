"""Charts about dependence: targets before and after, reliance, what a lost country leaves, the map."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from orepact.analysis.derived import Frame, records
from orepact.report.charts.style import (
    ACCENT,
    AFTER_BAR,
    BEFORE_BAR,
    DARK,
    GRID,
    WARN,
    Chart,
    Trace,
    dumbbells,
    rows_height,
    safe,
    unique,
)
from orepact.report.figures import mass, number, share
from orepact.report.labels import Names

Tables = Mapping[str, Frame]
PERCENT: Trace = {"tickformat": ".0%", "rangemode": "tozero"}


def targets(tables: Tables) -> Iterator[Chart]:
    """Shares before and after, with what is required."""
    rows = [row for row in records(tables["target_summary"]) if row["kind"] != "stock_days"]
    if not rows:
        return
    labels = unique([safe(f"{row['target'].replace('_', ' ')} {'≤' if row['kind'] == 'reliance_cap' else '≥'} {share(row['required'])}") for row in rows])
    traces = dumbbells(labels, [row["before"] for row in rows], [row["after"] for row in rows], "without policy", "under the plan")
    asked = {"symbol": "line-ns-open", "size": 16, "color": DARK, "line": {"width": 2.5}}
    traces.append({"type": "scatter", "mode": "markers", "x": [row["required"] for row in rows], "y": labels, "name": "required", "marker": asked})
    met = sum(bool(row["met"]) for row in rows)
    yield Chart(
        "targets",
        "Targets and caps: from without policy to the plan",
        f"{met} of {len(rows)} shares meet what is required where the plan leaves least room; each row runs from the worst without policy to the plan.",
        "target_summary",
        traces,
        {"xaxis": PERCENT, "yaxis": {"autorange": "reversed", "showgrid": False}},
        rows_height(len(rows)),
    )


def heat(tables: Tables, names: Names) -> Iterator[Chart]:
    """Product by stage, before and after, side by side."""
    rows = records(tables["reliance_heat"])
    if not rows:
        return
    labels = unique([safe(f"{names.brief('product', row['product'])}", 30) for row in rows])
    sides = ["without policy", "under the plan"] if rows[0]["before"] is not None else ["under the plan"]
    values = [[row["before"], row["after"]][-len(sides) :] for row in rows]
    sources = [[row["source_before"], row["source_after"]][-len(sides) :] for row in rows]
    text = [
        [f"{share(v)} {safe(names.brief('source', s), 18)}" if v is not None else "" for v, s in zip(own, codes, strict=True)]
        for own, codes in zip(values, sources, strict=True)
    ]
    trace: Trace = {
        "type": "heatmap",
        "x": sides,
        "y": labels,
        "z": values,
        "text": text,
        "texttemplate": "%{text}",
        "textfont": {"color": DARK},
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
        "zmin": 0,
        "zmax": 1,
        "xgap": 3,
        "ygap": 3,
        "colorscale": [[0, "#ffffff"], [0.65, "#b9d2ea"], [1, "#6fa3d6"]],
        "colorbar": {"tickformat": ".0%", "thickness": 12, "len": 0.9},
    }
    worst = max(rows, key=lambda row: row["after"])
    yield Chart(
        "heat",
        f"Largest single source of every product, true origin counted, {rows[0]['first_year']}",
        f"Under the plan the largest share of any source is {share(worst['after'])}: {names.brief('source', worst['source_after'])} in {names.brief('product', worst['product'])}.",
        "reliance_heat",
        [trace],
        {"yaxis": {"autorange": "reversed"}, "xaxis": {"side": "top", "ticks": ""}, "showlegend": False, "margin": {"t": 30}},
        rows_height(len(rows), 34, 80),
    )


def outages(tables: Tables, names: Names) -> Iterator[Chart]:
    """What is left after each loss; one chart per product that an N-1 target names, or else per product."""
    table = tables["outage_bars"]
    named = table.loc[table["required"].notna(), "product"].unique()
    for product in named if len(named) else table["product"].unique()[:4]:
        rows = records(table[table["product"] == product])[:14]
        labels = unique([safe(names.brief("lost", row["lost"]), 26) for row in rows])
        bar: Trace = {"type": "bar", "orientation": "h", "y": labels}
        traces: list[Trace] = []
        if any(row["before"] is not None for row in rows):
            traces.append({**bar, "x": [row["before"] for row in rows], "name": "without policy", "marker": BEFORE_BAR})
        traces.append({**bar, "x": [row["after"] for row in rows], "name": "under the plan", "marker": AFTER_BAR})
        if any(row["required"] is not None for row in rows):
            mark = {"symbol": "line-ns-open", "size": 22, "color": WARN, "line": {"width": 3}}
            traces.append(
                {"type": "scatter", "mode": "markers", "x": [row["required"] for row in rows], "y": labels, "name": "asked by a target", "marker": mark}
            )
        worst = rows[0]
        yield Chart(
            f"outages-{len(traces)}-{product}",
            f"{names.brief('product', product)}: use still covered if a country or group is lost, {worst['first_year']}",
            f"The worst loss is {names.brief('lost', worst['lost'])}: {share(worst['after'])} of use would still be covered.",
            "outage_bars",
            traces,
            {"xaxis": PERCENT, "yaxis": {"autorange": "reversed", "showgrid": False}, "barmode": "group", "bargap": 0.25},
            rows_height(len(rows), 34, 90),
        )


@cache
def world() -> dict[str, Any]:
    """Country shapes: label point and outlines by code."""
    shapes: dict[str, Any] = json.loads((files("orepact.report") / "world_map.json").read_text(encoding="utf-8"))["countries"]
    return shapes


def places(tables: Tables) -> dict[str, tuple[float, float]]:
    """Where to draw each node: a country's label point; a treasury amid its countries; a hub amid its members or partners."""
    found = {code: (float(shape["at"][0]), float(shape["at"][1])) for code, shape in world().items()}
    countries = tables["countries"]
    groups = {code: own["country"].tolist() for code, own in countries[countries["treasury"] != ""].groupby("treasury")}
    groups |= {"partners": countries.loc[countries["role"] == "partner", "country"].tolist()}
    for code, members in groups.items():
        at = [found[member] for member in members if member in found]
        if at and code not in found:
            found[str(code)] = (sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at))
    found["members"], found["partners"] = (-30.0, 33.0), (75.0, -22.0)
    return found


def world_map(tables: Tables, names: Names) -> Iterator[Chart]:
    """Flows of the year shown, summed over products by what is paid, on the shapes of countries."""
    table = tables["trade_map"]
    table = table[(table["destination"] != "") & (table["kind"] == "import")]
    if table.empty:
        return
    at = places(tables)
    off = sorted({code for code in {*table["origin"], *table["destination"]} if code not in at})
    roles = dict(zip(tables["countries"]["country"], tables["countries"]["role"], strict=True))
    traces = [*_land(roles)]
    top = table.groupby(["origin", "destination"])["usd_a"].sum().sort_values(ascending=False)
    largest = float(top.max())
    ends: dict[str, str] = {}
    for (origin, destination), usd in top.items():
        if origin not in at or destination not in at or usd < 0.002 * largest:
            continue
        parts = table[(table["origin"] == origin) & (table["destination"] == destination)].sort_values("usd_a", ascending=False)
        what = "<br>".join(f"{safe(names.brief('product', row['product']))}: {mass(row['amount_t_a'], '/a')}" for row in records(parts.head(6)))
        text = f"{safe(names.brief('origin', origin))} → {safe(names.brief('destination', destination))}<br>{what}<br>{number(usd / 1e6)} MUSD/a"
        traces += _arrow(at[origin], at[destination], 1.0 + 11.0 * (usd / largest) ** 0.5, text, origin == top.index[0][0])
        ends |= {origin: names.brief("origin", origin), destination: names.brief("destination", destination)}
    traces.append(
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [at[code][0] for code in ends],
            "y": [at[code][1] for code in ends],
            "text": [safe(name, 18) for name in ends.values()],
            "textposition": _sides([at[code] for code in ends]),
            "textfont": {"size": 11, "color": DARK},
            "marker": {"size": 6, "color": DARK},
            "hoverinfo": "text",
            "showlegend": False,
        }
    )
    leading = str(top.index[0][0])
    note = f" Not on the map: {', '.join(names.brief('origin', code) for code in off)}." if off else ""
    hidden: Trace = {"visible": False, "constrain": "domain"}
    yield Chart(
        "map",
        "What the zone buys from outside, and from where",
        f"Arrows are as thick as what is paid for imports; the largest seller is {names.brief('origin', leading)}. "
        f"Pooled goods end at a hub that stands in the ocean.{note}",
        "trade_map",
        traces,
        {
            "xaxis": {**hidden, "range": [-128, 178]},
            "yaxis": {**hidden, "range": [-47, 78], "scaleanchor": "x", "scaleratio": 1.25},
            "margin": {"l": 0, "r": 0, "t": 28, "b": 0},
            "hovermode": "closest",
        },
        470,
        620,
    )


def _land(roles: Mapping[str, str]) -> Iterator[Trace]:
    """Countries filled by the side they stand on."""
    groups = {"member": ("members", "#c5d9ee"), "partner": ("partners", "#cfe8de"), "outside": ("outside sources named", "#e8dccb"), "": ("", "#f0f0f0")}
    for role, (name, colour) in groups.items():
        xs: list[float | None] = []
        ys: list[float | None] = []
        for code, shape in world().items():
            if roles.get(code, "") == role:
                for ring in shape["rings"]:
                    xs += [*(x for x, _ in ring), ring[0][0], None]
                    ys += [*(y for _, y in ring), ring[0][1], None]
        if xs:
            line = {"color": "#ffffff" if role else GRID, "width": 0.6}
            fill = {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "fill": "toself", "fillcolor": colour, "line": line, "hoverinfo": "skip"}
            yield {**fill, "name": name, "showlegend": bool(name)}


def _sides(spots: list[tuple[float, float]]) -> list[str]:
    """Where to write each name so that neighbours don't write over each other."""
    out = []
    for n, (x, y) in enumerate(spots):
        near = [x - other for m, (other, height) in enumerate(spots) if m != n and abs(other - x) < 22 and abs(height - y) < 9]
        out.append("top center" if not near else "middle right" if sum(near) > 0 else "middle left")
    return out


def _arrow(start: tuple[float, float], end: tuple[float, float], width: float, text: str, leading: bool) -> list[Trace]:
    """A bowed line from start to end with a mark at its end."""
    (x0, y0), (x1, y1) = start, end
    bow = 0.18 * ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    steps = [n / 24 for n in range(25)]
    mid_x, mid_y = (x0 + x1) / 2, (y0 + y1) / 2 + bow
    xs = [(1 - s) ** 2 * x0 + 2 * s * (1 - s) * mid_x + s * s * x1 for s in steps]
    ys = [(1 - s) ** 2 * y0 + 2 * s * (1 - s) * mid_y + s * s * y1 for s in steps]
    colour = WARN if leading else ACCENT
    line: Trace = {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": {"color": colour, "width": width}, "opacity": 0.6}
    hover = {"hoverinfo": "text", "text": [text] * len(xs), "showlegend": False}
    return [
        {**line, **hover},
        {
            "type": "scatter",
            "mode": "markers",
            "x": [x1],
            "y": [y1],
            "marker": {"size": 6 + width, "color": colour, "opacity": 0.8},
            "hoverinfo": "skip",
            "showlegend": False,
        },
    ]
