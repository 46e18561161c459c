"""One visual style for every chart: an accent, greys, colours that the colour-blind can tell apart, patterns for black and white.

A chart's texts may come from an instance. Plotly reads a little markup in texts, so `safe` turns what could be markup into plain
characters; texts go into cells of data only, never into templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orepact.report.labels import short

ACCENT, DARK, GREY, LIGHT, GRID = "#0b5394", "#222222", "#8a8a8a", "#c9c9c9", "#e6e6e6"
WARN = "#d55e00"
PALETTE = ("#0b5394", "#e69f00", "#009e73", "#56b4e9", "#d55e00", "#cc79a7", "#666666", "#b8a100")
"""Okabe and Ito's colours, the accent first."""
PATTERNS = ("", "/", ".", "x", "\\", "-", "+", "|")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'Liberation Sans', sans-serif"

Trace = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart: what it shows in one sentence (`says` stands in for it where it can't be seen), its table, data and layout.

    `least_width`: narrower than that it scrolls instead of shrinking.
    """

    code: str
    title: str
    says: str
    table: str
    traces: Sequence[Trace]
    layout: Trace = field(default_factory=dict)
    height: int = 380
    least_width: int = 0

    def figure(self) -> Trace:
        """What plotly draws."""
        return {"data": list(self.traces), "layout": merge(base(self.height), self.layout)}


def base(height: int) -> Trace:
    """The layout that all charts share."""
    axis = {"gridcolor": GRID, "linecolor": LIGHT, "zerolinecolor": LIGHT, "automargin": True, "fixedrange": True, "ticks": "outside", "tickcolor": LIGHT}
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 12, "b": 40},
        "font": {"family": FONT, "size": 12, "color": DARK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": GREY, "font": {"color": DARK, "size": 12}, "namelength": -1},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        "xaxis": axis,
        "yaxis": dict(axis),
        "showlegend": True,
        "dragmode": False,
    }


def merge(first: Trace, second: Trace) -> Trace:
    """Settings of the second on top of the first, group by group."""
    out = dict(first)
    for key, value in second.items():
        out[key] = merge(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def safe(text: object, most: int = 34) -> str:
    """A name for a chart: short, and never markup."""
    return short(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unique(texts: Sequence[str]) -> list[str]:
    """Labels of an axis, made different from each other where they repeat, by characters that take no room."""
    seen: dict[str, int] = {}
    out = []
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
        out.append(text + "\u200b" * (seen[text] - 1))
    return out


def fill(n: int) -> Trace:
    """Colour and pattern of the n-th of several groups of bars."""
    shape = PATTERNS[n % len(PATTERNS)]
    marker: Trace = {"color": PALETTE[n % len(PALETTE)], "line": {"color": "#ffffff", "width": 0.5}}
    if shape:
        marker["pattern"] = {"shape": shape, "fgcolor": "#ffffff", "bgcolor": PALETTE[n % len(PALETTE)], "size": 6, "solidity": 0.25}
    return marker


BEFORE_BAR: Trace = {
    "color": "#ffffff",
    "line": {"color": GREY, "width": 1},
    "pattern": {"shape": "/", "fgcolor": GREY, "bgcolor": "#ffffff", "size": 5, "solidity": 0.2},
}
AFTER_BAR: Trace = {"color": ACCENT, "line": {"color": ACCENT, "width": 1}}
"""Without policy: hatched; under the plan: solid. Told apart without colour."""


def rows_height(rows: int, each: int = 26, rest: int = 90) -> int:
    """Height of a chart with a row per item."""
    return rest + each * max(rows, 1)


def dumbbells(labels: Sequence[str], before: Sequence[float | None], after: Sequence[float | None], before_name: str, after_name: str) -> list[Trace]:
    """A line from a hollow mark to a filled one for each label, first label on top."""
    names = unique(list(labels))
    lines_x: list[float | None] = []
    lines_y: list[str | None] = []
    for name, start, end in zip(names, before, after, strict=True):
        if start is not None and end is not None:
            lines_x += [start, end, None]
            lines_y += [name, name, None]
    mark: Trace = {"type": "scatter", "mode": "markers", "y": names}
    return [
        {"type": "scatter", "mode": "lines", "x": lines_x, "y": lines_y, "line": {"color": LIGHT, "width": 2.5}, "hoverinfo": "skip", "showlegend": False},
        {**mark, "x": list(before), "name": before_name, "marker": {"symbol": "circle-open", "size": 11, "color": GREY, "line": {"width": 2}}},
        {**mark, "x": list(after), "name": after_name, "marker": {"symbol": "circle", "size": 11, "color": ACCENT}},
    ]
