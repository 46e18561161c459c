"""Named costs: how parts hand their money to the objective."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.terms import FloatArray, IntArray, Numbers, picked


@dataclass(frozen=True)
class Entry:
    """Costs of one term (scaled money per year): coef · column in period t and scenario w; all arrays of one length."""

    t: IntArray
    w: IntArray
    coef: FloatArray
    column: IntArray


@dataclass
class Ledger:
    """Costs by term, period and scenario (scaled money per year, undiscounted), and lumps already discounted.

    The objective discounts, weighs and adds them.
    """

    _entries: dict[str, list[tuple[Numbers, Numbers, Numbers, Numbers]]] = field(default_factory=lambda: defaultdict(list))
    _lumps: dict[str, list[tuple[Numbers, Numbers]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, term: str, t: Numbers, w: Numbers, coef: Numbers, column: Numbers) -> None:
        """Add coef · column to a term, everything broadcast; a column of -1 does not exist and costs nothing."""
        self._entries[term].append((t, w, coef, column))

    def add_lump(self, term: str, coef: Numbers, column: Numbers) -> None:
        """The same for what counts once."""
        self._lumps[term].append((coef, column))

    @property
    def entries(self) -> dict[str, Entry]:
        """Every term's costs, laid end to end; a term that costs nothing is left out."""
        found = {}
        for term, parts in self._entries.items():
            t, w, coef, column = _laid(parts)
            if coef.size:
                found[term] = Entry(t, w, coef, column)
        return found

    @property
    def lumps(self) -> dict[str, tuple[FloatArray, IntArray]]:
        """Every term's lumps: coefficients and columns."""
        return {term: (coef, column) for term, parts in self._lumps.items() for coef, column in [_laid(parts)] if coef.size}


def _laid(parts: list[tuple[Numbers, ...]]) -> tuple[NDArray[Any], ...]:
    """Parts broadcast, laid end to end, without what is zero (the last but one) or does not exist (the last)."""
    rows: list[list[NDArray[Any]]] = []
    for part in parts:
        arrays = [np.asarray(given) for given in part]
        counts = np.asarray((arrays[-2] != 0) & (arrays[-1] >= 0))
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        counts = counts if counts.shape == shape else np.broadcast_to(counts, shape)
        rows.append([picked(array, counts) for array in arrays])
    return tuple(map(np.concatenate, zip(*rows, strict=True)))
