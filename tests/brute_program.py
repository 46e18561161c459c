"""Small linear programs, written row by row and handed to HiGHS through scipy; binaries are branched on here.

Part of the independent check of tests/brute_force.py. Amounts are in t and USD; rows and columns are scaled inside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

TONNES, DOLLARS = 1e3, 1e6
"""Units in which the LP sees amounts and money."""


class Lin:
    """A linear expression: variable -> coefficient, and a constant."""

    __slots__ = ("const", "terms")

    def __init__(self, const: float = 0.0) -> None:
        self.terms: dict[int, float] = {}
        self.const = const

    def add(self, variable: int, coefficient: float = 1.0) -> Lin:
        self.terms[variable] = self.terms.get(variable, 0.0) + coefficient
        return self

    def plus(self, other: Lin, factor: float = 1.0) -> Lin:
        terms = self.terms
        for variable, coefficient in other.terms.items():
            terms[variable] = terms.get(variable, 0.0) + coefficient * factor
        self.const += other.const * factor
        return self

    def __add__(self, other: Lin | float) -> Lin:
        copy = Lin(self.const)
        copy.terms = dict(self.terms)
        return copy.plus(other if isinstance(other, Lin) else Lin(other))

    def __mul__(self, factor: float) -> Lin:
        return Lin().plus(self, factor)

    def __sub__(self, other: Lin | float) -> Lin:
        return self + (other * -1.0 if isinstance(other, Lin) else -other)

    def value(self, x: np.ndarray[Any, Any]) -> float:
        return float(self.const + sum(c * x[v] for v, c in self.terms.items()))


def total(items: Iterable[Lin]) -> Lin:
    result = Lin()
    for item in items:
        result.plus(item)
    return result


def of(variable: int, coefficient: float = 1.0) -> Lin:
    lin = Lin()
    lin.terms[variable] = coefficient
    return lin


class Program:
    """A small LP with a few binaries, solved by branching on HiGHS LPs."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.scale: list[float] = []
        self.binary: list[int] = []
        self.rows: list[tuple[Lin, bool]] = []
        self.solves = 0

    def var(self, scale: float, low: float = 0.0, high: float = math.inf) -> int:
        self.low.append(low)
        self.high.append(high)
        self.scale.append(scale)
        return len(self.low) - 1

    def yes_or_no(self) -> int:
        self.binary.append(self.var(1.0, 0.0, 1.0))
        return self.binary[-1]

    def nonpositive(self, row: Lin) -> None:
        self.rows.append((row, False))

    def zero(self, row: Lin) -> None:
        self.rows.append((row, True))

    def minimise(self, cost: Lin, cutoff: float = math.inf) -> tuple[float, np.ndarray[Any, Any]] | None:
        """The least cost below `cutoff` and its variables in t and USD, or None."""
        scale = np.array(self.scale)
        parts: dict[bool, tuple[list[int], list[int], list[float], list[float]]] = {False: ([], [], [], []), True: ([], [], [], [])}
        for row, equal in self.rows:
            terms = [(v, c * self.scale[v]) for v, c in row.terms.items() if c != 0.0]
            size = max((abs(c) for _, c in terms), default=0.0)
            if size == 0.0:
                slack = 1e-9 * max(1.0, abs(row.const))
                if row.const > slack or (equal and row.const < -slack):
                    return None
                continue
            rows, columns, values, rhs = parts[equal]
            for v, c in terms:
                rows.append(len(rhs))
                columns.append(v)
                values.append(c / size)
            rhs.append(-row.const / size)
        objective = np.zeros(len(scale))
        for v, c in cost.terms.items():
            objective[v] = c * self.scale[v] / DOLLARS
        matrices = {
            equal: (csr_matrix((values, (rows, columns)), shape=(len(rhs), len(scale))), np.array(rhs)) for equal, (rows, columns, values, rhs) in parts.items()
        }
        low, high = np.array(self.low) / scale, np.array(self.high) / scale

        best, point = cutoff, None
        open_nodes: list[dict[int, float]] = [{}]
        while open_nodes:
            fixed = open_nodes.pop()
            bounds = np.column_stack([low, high])
            for v, value in fixed.items():
                bounds[v] = value
            answer = self._lp(objective, matrices, bounds)
            if answer is None:
                continue
            reached = float(answer.fun * DOLLARS + cost.const)
            if reached >= best:
                continue
            part = max(self.binary, key=lambda v: abs(answer.x[v] - round(answer.x[v])), default=None)
            if part is None or abs(answer.x[part] - round(answer.x[part])) < 1e-7:
                best, point = reached, answer.x * scale
            else:
                open_nodes += [{**fixed, part: 0.0}, {**fixed, part: 1.0}]
        return None if point is None else (best, point)

    def _lp(self, objective: Any, matrices: Any, bounds: Any) -> Any:
        (above, most), (level, exactly) = matrices[False], matrices[True]
        for presolve in (True, False):
            self.solves += 1
            answer = linprog(
                objective, above, most, level, exactly, bounds, method="highs",
                options={"presolve": presolve, "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
            )  # fmt: skip
            if answer.status == 0:
                return answer
            if answer.status == 2:
                return None
        raise RuntimeError(f"the LP ended with status {answer.status}: {answer.message}")
