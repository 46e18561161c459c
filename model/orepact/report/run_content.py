"""What a report on one run says: the first screen and the pages behind it. Every number comes from a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from orepact.analysis.derived import records
from orepact.analysis.plan_tables import plan_tables
from orepact.report import run_sections
from orepact.report.document import Board, Document, Figure, KeyFigures, Section, Text, pair
from orepact.report.figures import count, price, share
from orepact.report.labels import short
from orepact.report.plan_proof import headline, proof_lines
from orepact.report.run_page import SCHEMA, Page
from orepact.solution.solution import Solution

TINY = 1e-9
"""A gap this small is none."""


def run_document(solution: Solution, year: int | None = None, sensitivity: pd.DataFrame | None = None, files: Mapping[str, str] | None = None) -> Document:
    """The report on one run. `files` are the run's files with their digests, if it was stored."""
    tables = plan_tables(solution, year)
    page = Page(solution, tables, sensitivity, files)
    tables["merit_order"].attrs["reference"] = solution.settings.policy.reference_scenario
    instance = solution.settings.instance
    return Document(
        title=solution.title,
        name=solution.name,
        kicker=_kicker(solution),
        question=instance.description or "Which package of measures makes supply secure at the least cost?",
        answer=tuple(_answer(page)),
        boards=tuple(_boards(page)),
        sections=tuple(_sections(page)),
        tables=tables,
        schema=SCHEMA,
        status=headline(solution),
        notices=tuple(_notices(page)),
        footer=(*proof_lines(solution), f"Instance digest {solution.digest}"),
    )


def _kicker(solution: Solution) -> str:
    """What kind of answer it is, in a few words."""
    if not solution.has_plan:
        return "No plan"
    if solution.package:
        return "A package of measures, evaluated"
    return "The planner's first best" if solution.result.behaviour == "planner" else "The cheapest package found"


def _answer(page: Page) -> Iterator[Text]:
    """Three sentences: what to do, what it costs and buys, how sure that is."""
    if not page.solution.has_plan:
        yield ("There is no plan to show: ", page.solution.result.proven or headline(page.solution), ".")
        return
    yield _what(page)
    yield _costs(page)
    yield _sure(page)


def _what(page: Page) -> Text:
    figure = page.figure
    parts: list[str | Figure] = []
    measures = records(page.tables["price_measures"])
    for n, row in enumerate(measures[:3]):
        parts += [", " if parts else "", *_measure(page, n, row)]
    if len(measures) > 3:
        parts.append(f" and {count(len(measures) - 3, 'more price measure')}")
    if not measures:
        parts.append("free trade throughout")
    for name, one in (("contracts", "contract"), ("grants", "grant"), ("stocks", "public stock")):
        if name in figure and figure.value(name):
            parts += [", ", figure(name), f" {one}" + ("" if figure.value(name) == 1 else "s")]
    subject = "The plan is " if not page.solution.package else "The package is "
    text: list[str | Figure] = [subject, *parts]
    if "built_because" in figure:
        text += ["; ", figure("built"), " of ", figure("candidates"), " candidate plants are built, ", figure("built_because"), " of them only because of it"]
    return (*text, ".")


def _measure(page: Page, n: int, row: dict[str, Any]) -> list[str | Figure]:
    """A price measure in a few words."""
    level = row["level"]
    amount = share(level) if row["kind"] in ("tariff", "standard") else price(level)
    words = {"reference": "a price floor of ", "tariff": "a tariff of ", "standard": "a market standard worth ", "minimum": "a minimum import price of "}
    years = f"{row['from_year']}–{row['to_year']}" if row["from_year"] != row["to_year"] else str(row["from_year"])
    name = short(page.names.brief("product", row["product"]), 40)
    return [words.get(row["kind"], "a measure of "), page.cell("price_measures", n, "level", amount), f" on {name} in {years}"]


def _costs(page: Page) -> Text:
    figure = page.figure
    whose = "the members of the alliance" if page.solution.settings.economics.perimeter == "members" else "the whole zone"
    if "extra_cost_usd" not in figure:
        return (f"It costs {whose} ", figure("cost"), ", expected and discounted; the run holds no baseline to compare it with.")
    more = figure.value("extra_cost_usd") >= 0
    text: list[str | Figure] = [f"It costs {whose} ", figure("extra_cost_usd", sign=True), " against no policy"]
    if "extra_cost_share" in figure:
        text += [" (", figure("extra_cost_share", sign=True), ")"]
    if not more:
        text.append(", so it saves money")
    if figure.value("targets") > 0 and "targets_met_before" in figure:
        text += [" and meets ", figure("targets_met"), " of ", figure("targets"), " targets and caps, where doing nothing meets ", figure("targets_met_before")]
    if "shortage_avoided_t" in figure and figure.value("shortage_avoided_t") > 0.5:
        text += ["; expected shortage falls by ", figure("shortage_avoided_t")]
    return (*text, ".")


def _sure(page: Page) -> Text:
    figure, result = page.figure, page.solution.result
    text: list[str | Figure] = []
    if "gap" in figure and "paths_examined" in figure:
        text += ["No plan on the ", figure("paths_examined"), " price paths examined is "]
        text += ["more than ", figure("gap"), " cheaper"] if figure.value("gap") > TINY else ["cheaper"]
    else:
        text.append("How far it is from the best plan is not known")
    if result.limit:
        text.append(f"; the search was stopped ({result.limit} limit)")
    if "assumed_share" in figure:
        text += ["; ", figure("assumed_share"), " of the input's figures are assumptions"]
    return (*text, ".")


def _boards(page: Page) -> Iterator[Board]:
    """The boxes of the first screen."""
    figure = page.figure
    if not page.solution.has_plan:
        return
    start = page.solution.settings.horizon.start_year
    end = start + sum(page.solution.settings.horizon.period_years) - 1
    yield from _scoreboards(figure, f"{start}–{end}")
    bought: list[tuple[Text, str]] = []
    if "targets" in figure and figure.value("targets"):
        before: Text = (figure("targets_met_before"), " → ") if "targets_met_before" in figure else ()
        bought.append(((*before, figure("targets_met"), " of ", figure("targets")), "targets and caps met, without policy → with the plan"))
    if "shortage_before_t" in figure:
        bought.append((pair(figure, "shortage_before_t", "shortage_t"), "expected shortage over the horizon"))
    if "built_because" in figure:
        bought.append(((figure("built_because"),), "plants built because of the policy"))
    yield Board("What that buys", bought)
    proof: list[tuple[Text, str]] = []
    if "gap" in figure:
        proof.append(((figure("gap"),), "at most from the best plan on the paths examined"))
    word, line = _certificate(page.solution)
    proof.append(((word,), line))
    if "assumed_share" in figure:
        proof.append(((figure("assumed_share"),), "of the input's figures are assumed"))
    yield Board("How sure", proof)


def _scoreboards(figure: KeyFigures, span: str) -> Iterator[Board]:
    lines: list[tuple[Text, str]] = []
    if "extra_cost_usd" in figure:
        lines.append(((figure("extra_cost_usd", sign=True),), f"cost to the alliance against no policy, {span}"))
    else:
        lines.append(((figure("cost"),), "cost of the plan; no baseline in this run"))
    if "extra_cost_share" in figure:
        lines.append((pair(figure, "cost_before", "cost"), "without policy → with the plan"))
    yield Board("Welfare", lines)
    if "public_outlay_usd" in figure:
        money: list[tuple[Text, str]] = [
            ((figure("public_outlay_usd"),), "spent by the members' treasuries"),
            ((figure("public_revenue_usd"),), "taken in from levies and stock"),
        ]
        yield Board("Public budgets", money)
    if "user_bill_change_usd" in figure:
        bill: list[tuple[Text, str]] = [
            ((figure("user_bill_change_usd", sign=True),), "on what users pay"),
            (pair(figure, "user_bill_before_usd", "user_bill_usd"), "without policy → with the plan"),
        ]
        yield Board("Users' bill", bill)


def _certificate(solution: Solution) -> tuple[str, str]:
    """What the independent check found, in a word and in a line; said plainly where there was none."""
    certificate = getattr(solution, "certificate", None)
    if certificate is None:
        return "no certificate", "in this run: its numbers were not worked out again independently"
    return ("holds" if certificate.holds else "FAILED"), f"certificate: {certificate.sentence()}"


def _notices(page: Page) -> Iterator[Text]:
    """What a reader must know first."""
    yield from ((note,) for note in page.solution.notes)


def _sections(page: Page) -> Iterator[Section]:
    if page.solution.has_plan:
        for section in run_sections.PAGES:
            yield section(page)
    else:
        yield run_sections.no_plan(page)
