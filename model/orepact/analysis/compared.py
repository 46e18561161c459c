"""The tables of a comparison of runs, written once: columns, units, meanings. `run` is the name that a run goes by in the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orepact.analysis.derived import column
from orepact.instance.columns import Table

_RUN = column("run", "code", "run")
_PRODUCT = column("product", "code", "product")

_TABLES = (
    Table(
        "runs",
        "Every run: how it ended, and what its plan costs and brings.",
        ("run",),
        (
            _RUN,
            column("instance", "code", "name of the instance"),
            column("status", "text", "how it ended"),
            column("reason", "text", "why there is no plan, or why the search stopped"),
            column("cost_usd", "float", "cost, expected and discounted", "USD"),
            column("extra_usd", "float", "cost less the cost of its own world without policy", "USD"),
            column("against_usd", "float", "cost less that of the baseline run", "USD"),
            column("bound_usd", "float", "no plan on the paths examined costs less", "USD"),
            column("gap", "float", "gap to that bound", "1"),
            column("outlay_usd", "float", "public spending, expected and discounted", "USD"),
            column("revenue_usd", "float", "public revenue, expected and discounted", "USD"),
            column("user_bill_change_usd", "float", "what users pay more than without policy", "USD"),
            column("shortage_t", "float", "expected shortage", "t"),
            column("targets", "int", "targets and caps"),
            column("targets_met", "int", "of these, met"),
            column("worst_reliance", "float", "largest share of any one source at any stage, true origin counted, where targets hold", "1"),
            column("built", "int", "candidate plants built"),
            column("measures", "int", "price measures"),
            column("contracts", "int", "contracts"),
            column("grants", "int", "grants"),
            column("paths", "int", "price paths examined"),
            column("seconds", "float", "time of the run", "s"),
            column("digest", "text", "digest of the instance"),
        ),
    ),
    Table(
        "input_tables",
        "Tables of the instance, settings, options and fixed packages that are not the same in all runs.",
        ("table", "run"),
        (
            column("table", "code", "table; settings, options or package"),
            _RUN,
            column("cells", "int", "cells that differ from the baseline run; blank: not known"),
            column("rows_added", "int", "rows that the baseline run lacks"),
            column("rows_removed", "int", "rows that only the baseline run has"),
            column("note", "text", "what else is to be said"),
        ),
    ),
    Table(
        "input_cells",
        "Every cell of the input that is not the same in all runs, with the value in the baseline run and the values that others have.",
        ("table", "row", "column", "value"),
        (
            column("table", "code", "table; settings, options or package"),
            column("row", "text", "key of the row"),
            column("column", "code", "column, or the path of a setting; (row): the row as a whole"),
            column("baseline", "text", "value in the baseline run"),
            column("value", "text", "value in other runs"),
            column("runs", "text", "runs that have it"),
            column("count", "int", "how many these are"),
        ),
    ),
    Table(
        "choices",
        "Everything that some plan does: robust if every plan does it, contested otherwise.",
        ("kind", "subject", "what"),
        (
            column("kind", "choice", "project, price measure, offtake, support, grant or stockpile"),
            column("subject", "text", "plant or product"),
            column("what", "text", "what is done"),
            column("verdict", "choice", "robust or contested"),
            column("count", "int", "plans that do it"),
            column("plans", "int", "plans compared"),
            column("runs", "text", "runs that do it"),
        ),
    ),
    Table(
        "projects",
        "When each candidate is built in each plan.",
        ("facility", "run"),
        (
            column("facility", "code", "plant"),
            column("name", "text", "name for people"),
            _RUN,
            column("start_year", "int", "decision to build; blank: not built", "year"),
            column("supported", "bool", "has a contract or a grant"),
        ),
    ),
    Table(
        "cost_terms",
        "Cost by term, expected and discounted.",
        ("term", "run"),
        (
            column("term", "code", "term"),
            _RUN,
            column("usd", "float", "cost", "USD"),
            column("against_usd", "float", "less that of the baseline run", "USD"),
        ),
    ),
    Table(
        "targets",
        "Every target and cap where each plan leaves it least room.",
        ("target", "run"),
        (
            column("target", "code", "target"),
            column("kind", "choice", "kind"),
            _RUN,
            column("required", "float", "what is required", "1 or d"),
            column("before", "float", "reached without policy", "1 or d"),
            column("after", "float", "reached under the plan", "1 or d"),
            column("met", "bool", "met everywhere"),
            column("binding", "bool", "no room is left somewhere"),
        ),
    ),
    Table(
        "reliance",
        "Share of the largest source of each product, true origin counted, highest over the periods and scenarios in which targets hold.",
        ("product", "run"),
        (
            _PRODUCT,
            _RUN,
            column("source", "code", "largest source"),
            column("share", "float", "its share", "1"),
        ),
    ),
    Table(
        "payments",
        "What each member pays, expected over the horizon, undiscounted; revenue is negative.",
        ("member", "instrument", "run"),
        (
            column("member", "code", "member"),
            column("instrument", "choice", "instrument"),
            _RUN,
            column("expected_usd", "float", "expected payment", "USD"),
        ),
    ),
    Table(
        "not_shared",
        "What not every run has, so that it can't be compared over all of them.",
        ("what", "code"),
        (
            column("what", "choice", "product, target, member, candidate or scenario"),
            column("code", "code", "its code"),
            column("runs", "text", "runs that have it"),
        ),
    ),
)

COMPARED: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
"""Every table of a comparison by name."""
