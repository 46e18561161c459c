"""The lines of the plan card that say how sure the plan is, and what it took to find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orepact.report.figures import count, exact_money, number, share
from orepact.solution.solution import Solution
from orepact.solver.result import PHASES, Status

_HEADLINES = {
    Status.SOLVED: "Solved",
    Status.LIMIT: "Stopped at a limit",
    Status.INFEASIBLE: "Infeasible: even with free prices and willing owners there is no plan",
    Status.MISSED: "TARGETS MISSED: the package can't meet the targets, caps and budgets; worked out with them left aside",
    Status.BENT: "RULES BENT: what was asked has no plan; this is the nearest question that has one",
    Status.NO_PLAN: "No plan found, and no proof that there is none",
    Status.DISPUTED: "Disputed: a second solve contradicts the first",
    Status.FAILED: "The solver failed: no plan, no answer",
    Status.CERTIFICATE_FAILED: "Certificate failed: this plan does not stand up to checking; don't use it",
}

_STOPS = {"time": "at the time limit", "interrupt": "by an interrupt", "paths": "at the limit of paths"}
"""How to say which limit stopped a run, by its name."""


def headline(solution: Solution) -> str:
    """How the run ended, in one line."""
    result = solution.result
    text = _HEADLINES[result.status]
    if result.status is Status.LIMIT:
        text = f"Stopped {_STOPS.get(result.limit or '', f'at a limit ({result.limit})')} with the best plan so far"
    elif result.limit and solution.has_plan:
        text += f"; stopped {_STOPS.get(result.limit, f'at a limit ({result.limit})')}"
    if solution.has_plan:
        text += ": no gap known" if result.gap is None else f": within {share(result.gap)} of the best plan"
        if result.paths_examined:
            text += f" over {count(result.paths_examined, 'price path')}"
        text += f", in {number(result.seconds)} s"
    if result.behaviour == "planner":
        text += ". Planner: a bound on every policy, not a policy"
    return text


def proof_lines(solution: Solution) -> list[str]:
    """The proof, then sizes, time by phase and versions."""
    result = solution.result
    ended = [f"status {result.status.value}"]
    if result.objective is not None:
        ended.append(f"cost {exact_money(result.objective)}")
    if result.bound is not None:
        ended.append(f"bound {exact_money(result.bound)}")
    if result.gap is not None:
        ended.append(f"gap {share(result.gap)} (asked {share(solution.options.gap)})")
    if result.paths_examined:
        ended.append(f"{count(result.paths_examined, 'price path')} examined")
    ended.append(f"{number(result.seconds)} s")
    lines = [result.proven, result.confirmation, "; ".join(ended)]
    if solution.certificate is not None:
        lines += [solution.certificate.sentence(), *solution.certificate.explain()]
    if result.size:
        lines.append("size: " + ", ".join(f"{name.replace('_', ' ')} {_amount(value)}" for name, value in result.size.items()))
    if result.phases:
        known = [name for name in PHASES if name in result.phases]  # a stored run has them in the order of their names
        lines.append("seconds: " + ", ".join(f"{name} {number(result.phases[name])}" for name in dict.fromkeys([*known, *result.phases])))
    settings: list[str] = [f"{result.method}, {result.behaviour}", f"seed {result.seed}", count(result.threads, "thread") if result.threads else "all threads"]
    if result.peak_memory_mb:
        settings.append(f"{number(result.peak_memory_mb)} MB at most")
    lines.append(", ".join([*settings, *_versions(result.versions)]))
    return [line for line in lines if line]


def _versions(versions: Mapping[str, str]) -> list[str]:
    return [f"{name} {version}" for name, version in sorted(versions.items())]


def _amount(value: Any) -> str:
    """A count, a figure, or a range of figures."""
    if isinstance(value, list | tuple):
        return " to ".join(_amount(entry) for entry in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}"
