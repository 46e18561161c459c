"""Rows and columns one at a time, for a form of the model that is written row by row and not as families of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from orepact.formulation import terms as families
from orepact.formulation.model import Block, Columns


class Terms:
    """A linear expression being gathered: constant + Σ coef · column over `parts`, columns by their number."""

    __slots__ = ("constant", "parts")

    def __init__(self) -> None:
        self.parts: list[tuple[float, int]] = []
        self.constant = 0.0

    def add(self, coef: float, column: int) -> None:
        """Add coef · column."""
        if coef:
            self.parts.append((float(coef), column))

    def extend(self, other: Terms, factor: float = 1.0) -> None:
        """Add another expression, times a factor."""
        self.parts += [(factor * coef, column) for coef, column in other.parts]
        self.constant += factor * other.constant


Row = tuple[float | None, Terms, float | None]
"""Lower limit, expression, upper limit; None: no limit."""


def together(sums: Sequence[tuple[int, Terms]], size: int) -> families.Terms:
    """Expressions laid end to end as `size` sums, each expression added to the sum that its number says."""
    whole, cells = families.Terms(size), np.array([cell for cell, _ in sums], dtype=np.int64)
    coefs, columns = np.array(list(chain.from_iterable(terms.parts for _, terms in sums))).reshape(-1, 2).T
    whole.add(np.repeat(cells, [len(terms.parts) for _, terms in sums]), coefs, columns.astype(np.int64))
    np.add.at(whole.constant, cells, [terms.constant for _, terms in sums])
    return whole


def add_rows(block: Block, name: str, rows: Mapping[Any, Row]) -> None:
    """Add a family of rows, called by their keys."""
    keys = [key if isinstance(key, tuple) else (key,) for key in rows]
    lower, whole, upper = zip(*rows.values(), strict=True) if rows else ((), (), ())
    block.rows(
        name,
        [np.array(part) for part in zip(*keys, strict=True)],
        [-np.inf if limit is None else limit for limit in lower],
        together(list(enumerate(whole)), len(rows)),
        [np.inf if limit is None else limit for limit in upper],
    )


def columns(block: Block, name: str, keys: Sequence[Any], shape: Sequence[int], **limits: Any) -> Columns:
    """Add a family of columns by their keys, not negative unless `limits` say otherwise; `shape` is the range of each index."""
    return block.columns(name, tuple(np.array(keys, dtype=np.int64).reshape(-1, len(shape)).T), shape, **limits)


class Growing:
    """A family of columns that are asked for one at a time, called by a number from 1."""

    def __init__(self, block: Block, name: str, **limits: Any) -> None:
        self._block, self._name, self._limits, self._size = block, name, limits, 0

    def add(self) -> int:
        """One more; its number in the model."""
        self._size += 1
        return self._block.columns(self._name, ([self._size],), **self._limits).first
