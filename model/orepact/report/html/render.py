"""From a document to one HTML file: template, style, script, chart library, and the tables as data for sorting and downloading."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from orepact.report.charts.style import Chart
from orepact.report.document import Document, Figure, Text

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def html_page(document: Document) -> str:
    """The whole file."""
    charts = [item for section in document.sections for item in section.items if isinstance(item, Chart)]
    numbers = {id(chart): n for n, chart in enumerate(charts)}
    library, script = (get_plotlyjs() if charts else ""), _file("page.js")
    return (
        _environment()
        .get_template("page")
        .render(
            document=document,
            style=Markup(_file("page.css")),  # our own file
            library=Markup(library),  # plotly's, unchanged
            script=Markup(script),  # our own file
            policy=_policy([text for text in (library, script) if text]),
            charts=_embedded([chart.figure() for chart in charts]),
            data=_embedded(_download(document.tables)),
            number=lambda chart: numbers[id(chart)],
            is_chart=lambda item: isinstance(item, Chart),
            is_figure=lambda part: isinstance(part, Figure),
            paragraphs=_paragraphs,
        )
    )


def _policy(scripts: list[str]) -> str:
    """What the browser may do: run these scripts, style the page, make pictures of charts, and nothing else."""
    digests = " ".join(f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts)
    return f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


@cache
def _file(name: str) -> str:
    return (files("orepact.report.html") / name).read_text(encoding="utf-8")


class _Loader(BaseLoader):
    """The one template, read like any other file of the package."""

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str | None, None]:
        return _file(f"{template}.html.j2"), None, None


@cache
def _environment() -> Environment:
    return Environment(loader=_Loader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _embedded(value: Any) -> Markup:
    """JSON that can stand in a script element, whatever texts are in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)  # every character that could end the element is escaped


def _download(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Tables by column, numbers with nine digits: what the buttons write as CSV."""
    return {
        name: {"columns": [str(c) for c in table.columns], "cells": [_packed([_value(v) for v in table[c].tolist()]) for c in table.columns]}
        for name, table in tables.items()
        if len(table)
    }


def _packed(cells: list[Any]) -> list[Any] | dict[str, list[Any]]:
    """A column as it is, or where most cells repeat as its different values and where each stands: names fill most of a table otherwise."""
    place: dict[tuple[type, Any], int] = {}
    at = [place.setdefault((type(cell), cell), len(place)) for cell in cells]
    return {"values": [cell for _, cell in place], "at": at} if 3 * len(place) < len(cells) else cells


def _value(value: Any) -> Any:
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        return None if math.isnan(value) or math.isinf(value) else float(f"{value:.9g}")
    return value if isinstance(value, bool | int) else str(value)


def _paragraphs(text: str) -> list[str]:
    """A text of an instance by its blank lines."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


__all__ = ["Text", "html_page"]
