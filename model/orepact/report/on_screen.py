"""Reports on the terminal: in colour and to its width where there is one, as plain text of fixed width elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orepact.report.diagnosis_lines import diagnosis_lines
from orepact.report.figures import change, exact_money, money, number, plain, share
from orepact.report.plan_card import plan_card
from orepact.solution.solution import Solution
from orepact.solution.verification.certificate import Certificate
from orepact.solver.diagnosis.diagnosis import Diagnosis

WIDTH = 100
"""Width where there is no terminal to ask."""

WIDEST = 120


def screen() -> Console:
    """A console on standard output. Text is text: no markup, no emoji codes, nothing highlighted."""
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else WIDTH
    return console


def print_plan_card(solution: Solution) -> None:
    """Print the plan card on standard output."""
    screen().print(plan_card(solution))


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Print why there is no plan and what would give one."""
    for line in diagnosis_lines(diagnosis):
        screen().print(Text(plain(line)))


def print_sensitivity(table: pd.DataFrame) -> None:
    """Print what a sensitivity analysis found, one range a line (columns: see `orepact.analysis.sensitivity`)."""
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("range", "factors", "bounds apart", "cost at low", "cost at high"):
        out.add_column(Text(title), justify="left" if title == "range" else "right", overflow="fold")
    for row in table.to_dict("records"):
        factors = f"{number(row['low_factor'])} to {number(row['high_factor'])}"
        ends = [_end(row["objective"], row[f"objective_{end}"], row[f"status_{end}"]) for end in ("low", "high")]
        swing = "an end has no plan" if math.isinf(row["swing_usd"]) else money(row["swing_usd"])
        out.add_row(*(Text(text) for text in (plain(row["name"] or row["range"]), factors, swing, *ends)))
    screen().print(out)


def print_sweep(table: pd.DataFrame, varied: Sequence[str]) -> None:
    """Print a sweep: what varied, how each case ended, what it costs (columns: see `orepact.sweep`)."""
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in (*varied, "status", "cost", "gap", "why"):
        out.add_column(Text(title), justify="right" if title in ("cost", "gap") else "left", overflow="fold")
    for row in table.to_dict("records"):
        cost = "" if pd.isna(row["objective"]) else exact_money(row["objective"])
        gap = "" if pd.isna(row["gap"]) else share(row["gap"])
        why = "" if row["status"] == "solved" else row["proven"]
        out.add_row(*(Text("" if path not in row else str(row[path])) for path in varied), *(Text(text) for text in (row["status"], cost, gap, why)))
    screen().print(out)


def print_comparison(tables: Mapping[str, pd.DataFrame], most: int = 12) -> None:
    """Print a short table of a comparison: every run, those with a plan that isn't what was asked with the reason, then what differs in the
    input, then what plans agree on."""
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("run", "status", "cost", "against no policy", "targets", "largest source", "plants built"):
        out.add_column(Text(title), justify="left" if title in ("run", "status") else "right", overflow="fold")
    for row in tables["runs"].to_dict("records"):
        if pd.isna(row["cost_usd"]):
            cells = [row["run"], row["reason"] or row["status"], "–", "–", "–", "–", "–"]
        else:
            extra = "–" if pd.isna(row["extra_usd"]) else change(row["extra_usd"])
            source = "–" if pd.isna(row["worst_reliance"]) else share(row["worst_reliance"])
            cells = [row["run"], row["status"], money(row["cost_usd"]), extra, f"{row['targets_met']}/{row['targets']}", source, row["built"]]
        out.add_row(*(Text(plain(cell)) for cell in cells))
    screen().print(out)
    for row in tables["runs"].to_dict("records"):
        if row["reason"] and pd.notna(row["cost_usd"]):
            screen().print(Text(plain(f"{row['run']}: {row['reason']}")))
    differing = tables["input_tables"]
    for row in differing.head(most).to_dict("records"):
        amounts = [
            f"{row[name]} {word}"
            for name, word in (("cells", "values"), ("rows_added", "rows more"), ("rows_removed", "rows fewer"))
            if pd.notna(row[name]) and row[name]
        ]
        screen().print(Text(plain(f"{row['run']}: {row['table']} differs ({', '.join(amounts) or row['note']})")))
    if len(differing) > most:
        screen().print(Text(f"and {len(differing) - most} more differences in the input"))
    verdicts = tables["choices"]["verdict"].value_counts()
    screen().print(Text(f"{verdicts.get('robust', 0)} choices are in every plan, {verdicts.get('contested', 0)} are contested"))


def _end(base: Any, objective: Any, status: str) -> str:
    """Cost at one end of a range, and how far that is from the central case."""
    if pd.isna(objective):
        return str(status)
    label = "" if status == "solved" else f" ({status})"
    return money(objective) + ("" if pd.isna(base) else f" ({change(objective - base)})") + label


def print_certificate(certificate: Certificate) -> None:
    """Print every rule of a certificate with rows, worst residual and verdict; what does not hold; what was not checked."""
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("rule", "part", "rows", "worst residual", "verdict"):
        out.add_column(Text(title), justify="right" if title in ("rows", "worst residual") else "left", overflow="fold")
    for row in certificate.table().to_dict("records"):
        residual = f"{row['residual']:.1e}" if row["rows"] else "–"
        out.add_row(*(Text(text) for text in (row["rule"], row["part"], f"{row['rows']:,}", residual, row["verdict"])))
    lines = [*(plain(line) for line in certificate.explain()), "Not checked:", *(f"  {plain(text)}" for text in certificate.not_checked)]
    screen().print(out, *(Text(line) for line in lines), Text(certificate.sentence(), style="bold"), sep="\n")
