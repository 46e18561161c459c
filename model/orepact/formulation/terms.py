"""Sums laid end to end: how a part of the model gathers a whole family of rows at once, with arrays.

A `Terms` of size n holds n sums. Entry i adds coef[i] · column[i] to the sum of cell[i]; whatever is added is broadcast, so
that one call serves every period and scenario, or every plant. Python looks at no single term.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Numbers = Any
"""A number or an array of numbers."""


class Terms:
    """`size` linear expressions being gathered: constant (size,) + Σ coef · column."""

    __slots__ = ("_entries", "_parts", "constant", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.constant: FloatArray = np.zeros(size)
        self._parts: list[tuple[Numbers, Numbers, Numbers]] = []  # not yet among the entries
        self._entries: tuple[IntArray, FloatArray, IntArray] = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64)

    def add(self, cell: Numbers, coef: Numbers, column: Numbers) -> None:
        """Add coef · column to the sum of each cell, all three broadcast. A column or cell of -1 does not exist: it adds nothing, as a coef of 0 does."""
        self._parts.append((cell, coef, column))

    def extend(self, other: Terms, factor: Numbers = 1.0, cell: Numbers = None) -> None:
        """Add `other`, times a number or one number for each of its sums; `cell` says to which sum here each of its sums goes."""
        own, coef, column = other.entries()
        factor = np.asarray(factor, dtype=float)
        place = np.arange(other.size) if cell is None else np.asarray(cell)
        self._parts.append((place[own], coef * (factor[own] if factor.ndim else factor), column))
        if other.constant.any():
            np.add.at(self.constant, place[place >= 0], (factor * other.constant)[place >= 0])

    def entries(self) -> tuple[IntArray, FloatArray, IntArray]:
        """Cell, coefficient and column of every term."""
        if self._parts:
            self._entries = _laid([self._entries, *self._parts])
            self._parts = []
        return self._entries

    def filled(self) -> NDArray[np.bool_]:
        """Which sums have a term (size,)."""
        found = np.zeros(self.size, dtype=bool)
        found[self.entries()[0]] = True
        return found

    def value(self, values: FloatArray) -> FloatArray:
        """What every sum comes to (size,) at the values of all columns."""
        cell, coef, column = self.entries()
        return self.constant + np.bincount(cell, weights=coef * values[column], minlength=self.size)


def _laid(parts: list[tuple[Numbers, Numbers, Numbers]]) -> tuple[IntArray, FloatArray, IntArray]:
    """Parts broadcast and laid end to end, without terms that add nothing."""
    found: tuple[list[NDArray[Any]], ...] = ([np.zeros(0, dtype=np.int64)], [np.zeros(0)], [np.zeros(0, dtype=np.int64)])
    for part in parts:
        cell, coef, column = map(np.asarray, part)
        adds = np.asarray((coef != 0) & (column >= 0) & (cell >= 0))  # first, since much of what is broadcast is often nothing
        for laid, given in zip(found, (cell, coef, column), strict=True):
            laid.append(picked(given, adds).astype(laid[0].dtype, copy=False))
    cells, coefs, columns = map(np.concatenate, found)
    return cells, coefs, columns


def picked(given: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[Any]:
    """`given`, broadcast to the shape of `where`, where that is true."""
    if given.shape == where.shape:
        return given[where]
    return np.broadcast_to(given, where.shape)[where] if given.ndim else np.full(np.count_nonzero(where), given)
