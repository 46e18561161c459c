"""Charts about the chain: from mine to last product by true origin, and the supply curve of every product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orepact.analysis.chain import EXPORT, STOCK, USE
from orepact.analysis.derived import Frame, records
from orepact.report.charts.style import DARK, GREY, PALETTE, WARN, Chart, Trace, safe
from orepact.report.figures import mass, number, price
from orepact.report.labels import Names

Tables = Mapping[str, Frame]
MOST_ORIGINS = 7
"""Origins with a colour of their own; the rest are drawn together."""
OTHERS = "other origins"
GROUPS = {
    "runs": ("runs", "#0b5394", ""),
    "runs in part": ("runs in part, for want of feed", "#0b5394", "/"),
    "runs on a contract": ("runs only on a contract", "#009e73", "x"),
    "sells": ("outside, sells", "#e69f00", "."),
    "sold out": ("outside, sells all it has", "#d55e00", "."),
    "no feed": ("stands idle for want of feed", "#ffffff", "/"),
    "idle": ("stands idle", "#ffffff", "/"),
    "loses money": ("loses money, stands still", "#ffffff", "x"),
    "not built": ("not built", "#ffffff", ""),
    "kept out": ("kept out", "#ffffff", "-"),
    "not needed": ("outside, not needed", "#f0e4c8", ""),
    "too dear": ("outside, too dear", "#f0e4c8", "/"),
    "shut out": ("outside, shut out", "#f0e4c8", "x"),
}
"""What each state is called, its colour and pattern."""
PALE = ("#ffffff", "#f0e4c8")


def sankey(tables: Tables, names: Names) -> Iterator[Chart]:
    """One chart per mineral."""
    table = tables["chain_links"]
    if table.empty:
        return
    year = int(tables["merit_order"]["first_year"].iloc[0]) if len(tables["merit_order"]) else ""
    entering = table[table["from"] == table["origin"]]
    largest = entering.groupby("origin")["equivalent_t_a"].sum().sort_values(ascending=False).index[:MOST_ORIGINS]
    known = {str(code): PALETTE[n % len(PALETTE)] for n, code in enumerate(largest)}
    for mineral, links in table.groupby("mineral", sort=False):
        own = entering[entering["mineral"] == mineral]
        top = own.groupby("origin")["equivalent_t_a"].sum().sort_values(ascending=False)
        total = float(top.sum())
        if total <= 0:
            continue
        last = names.brief("product", links["last_product"].iloc[0])
        first = str(top.index[0])
        yield Chart(
            f"chain-{mineral}",
            f"From mine to {last}, by true origin, {year} ({mineral})",
            f"Bands are as wide as the amount of {last} that they are enough for. Most comes from {names.brief('origin', first)}: {mass(float(top.iloc[0]), '/a')} of {mass(total, '/a')} entering.",
            "chain_links",
            [_flow(links, known, names)],
            {"margin": {"l": 10, "r": 10, "t": 10, "b": 14}, "showlegend": False},
            470,
            700,
        )


def _flow(links: Frame, colours: Mapping[str, str], names: Names) -> Trace:
    """Nodes and links; origins beyond the largest are one node, links thinner than a thousandth are left out."""
    nodes: dict[str, int] = {}
    ends = {USE, EXPORT, STOCK}

    def node(code: str, origin: str) -> int:
        key = code if code in ends or code != origin or code in colours else OTHERS
        return nodes.setdefault(key, len(nodes))

    groups: dict[tuple[int, int, str], list[float]] = {}
    vias: dict[tuple[int, int, str], str] = {}
    for row in records(links):
        origin = row["origin"] if row["origin"] in colours else OTHERS
        key = node(row["from"], row["origin"]), node(row["to"], ""), origin
        entry = groups.setdefault(key, [0.0, 0.0])
        entry[0] += row["equivalent_t_a"]
        entry[1] += row["tonnes_a"]
        vias[key] = row["via"] or vias.get(key, "")
    floor = 0.001 * max(amount for amount, _ in groups.values())
    kept = {key: amounts for key, amounts in groups.items() if amounts[0] > floor}
    labels = [OTHERS if code == OTHERS else code if code in ends else safe(names.brief("from", code), 24) for code in nodes]
    said = []
    for (start, end, origin), (_, tonnes) in kept.items():
        via = f", sold by {safe(names.brief('source', vias[start, end, origin].replace(', ', ';')), 60)}" if vias[start, end, origin] else ""
        said.append(f"{labels[start]} → {labels[end]}<br>true origin {safe(names.brief('origin', origin))}{via}<br>{mass(tonnes, '/a')}")
    solid = [colours.get(code, GREY if code == OTHERS else "#444444") for code in nodes]
    return {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": labels,
            "color": solid,
            "pad": 14,
            "thickness": 14,
            "line": {"color": "#ffffff", "width": 0.5},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [start for start, _, _ in kept],
            "target": [end for _, end, _ in kept],
            "value": [amounts[0] for amounts in kept.values()],
            "color": [_pale(colours.get(origin, GREY)) for _, _, origin in kept],
            "customdata": said,
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "textfont": {"size": 11, "color": DARK},
        "valueformat": ",.0f",
        "valuesuffix": " t/a",
    }


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.45)"


def merit(tables: Tables, names: Names) -> Iterator[Chart]:
    """The supply curve of every product: steps as wide as what could be sold, as high as what it costs."""
    for product, table in tables["merit_order"].groupby("product", sort=False):
        rows = records(table)
        zone, world = rows[0]["zone_price"], rows[0]["world_price"]
        ceiling = 2.2 * max(zone, world)
        traces = []
        for state, (name, colour, pattern) in GROUPS.items():
            own = [row for row in rows if row["state"] == state]
            if own:
                traces.append(_steps(own, name, colour, pattern, ceiling))
        right = rows[-1]["to_t_a"]
        line: Trace = {"type": "scatter", "mode": "lines", "x": [0, right], "hoverinfo": "name"}
        rung = rows[0]["rung"]
        traces.append({**line, "y": [world, world], "name": f"world price {price(world)}", "line": {"color": GREY, "width": 2, "dash": "dot"}})
        if abs(zone - world) > 1e-9 * max(zone, 1.0):
            traces.append({**line, "y": [zone, zone], "name": f"zone price {price(zone)} ({safe(rung, 16)})", "line": {"color": WARN, "width": 2.5}})
        running = sum(row["sold_t_a"] for row in rows if row["kind"] != "outside")
        outside = sum(row["sold_t_a"] for row in rows if row["kind"] == "outside")
        cut = [row for row in rows if row["cost_usd_t"] > ceiling]
        note = f" Steps dearer than {price(ceiling)} are cut off." if cut else ""
        yield Chart(
            f"merit-{product}",
            f"{names.brief('product', product)}: who could sell, cheapest first, {rows[0]['first_year']}",
            f"Plants of the zone make {mass(running, '/a')}, outside sources sell {mass(outside, '/a')} to it; price measure: {rung if rung and rung != 'free' else 'none'}.{note}",
            "merit_order",
            traces,
            {
                "barmode": "overlay",
                "bargap": 0,
                "xaxis": {"title": {"text": "t/a that could be sold, added up"}, "tickformat": ",.0f", "showgrid": False, "range": [0, right]},
                "yaxis": {
                    "title": {"text": "USD/t"},
                    "rangemode": "tozero",
                    "tickformat": ",.0f",
                    "range": [0, 1.05 * min(ceiling, max([zone, world, *(r["cost_usd_t"] for r in rows)]))],
                },
                "uniformtext": {"minsize": 9, "mode": "hide"},
            },
            400,
        )


def _steps(rows: list[dict[str, object]], name: str, colour: str, pattern: str, ceiling: float) -> Trace:
    def number_of(row: dict[str, object], column: str) -> float:
        return float(str(row[column]))

    said = []
    for row in rows:
        full = "" if row["full_cost_usd_t"] is None else f", with capital {number(number_of(row, 'full_cost_usd_t'))}"
        amounts = f"{mass(number_of(row, 'sold_t_a'), '/a')} of {mass(number_of(row, 'to_t_a') - number_of(row, 'from_t_a'), '/a')}"
        said.append(f"{safe(row['name'])} ({safe(row['country'])})<br>{number(number_of(row, 'cost_usd_t'))} USD/t{full}<br>sells {amounts}: {name}")
    marker: Trace = {"color": colour, "line": {"color": "#ffffff" if colour not in PALE else GREY, "width": 0.8}}
    if pattern:
        marker["pattern"] = {"shape": pattern, "fgcolor": "#ffffff" if colour not in PALE else GREY, "bgcolor": colour, "size": 6, "solidity": 0.3}
    return {
        "type": "bar",
        "x": [(number_of(row, "from_t_a") + number_of(row, "to_t_a")) / 2 for row in rows],
        "width": [number_of(row, "to_t_a") - number_of(row, "from_t_a") for row in rows],
        "y": [min(number_of(row, "cost_usd_t"), ceiling) for row in rows],
        "name": name,
        "marker": marker,
        "text": [safe(row["name"], 26) for row in rows],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textfont": {"color": "#ffffff" if colour not in PALE else DARK},
        "hovertext": said,
        "hoverinfo": "text",
    }
