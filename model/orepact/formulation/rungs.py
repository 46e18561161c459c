"""Rungs side by side: what every rung of every product does, and which rungs come to the same.

Where several rungs in play cost or allow the same, the model needs one row or column for all of them, known by the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.terms import IntArray


def stacked(case: Case, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One array (product, period, scenario, rung) of every product's (rung, period, scenario); zero where a product has no such rung."""
    found = np.zeros((len(arrays), *case.span, max(map(len, arrays))), dtype=arrays[0].dtype)
    for k, array in enumerate(arrays):
        found[k, :, :, : len(array)] = array.transpose(1, 2, 0)
    return found


def in_play(case: Case) -> NDArray[np.bool_]:
    """Which rungs may be in force (product, period, scenario, rung); none in scenarios outside the model."""
    return stacked(case, [played[:, :, None] for played in case.played]) & case.modelled[:, None]


def equal(value: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rungs share a value: (…, rung, rung) of (…, rung)."""
    return np.asarray(value[..., :, None] == value[..., None, :])


def first_alike(among: NDArray[np.bool_], same: NDArray[np.bool_]) -> IntArray:
    """For each rung the first one `among` the allowed (…, rung) that is the `same` (…, rung, rung); -1 for rungs not among them."""
    return np.where(among, (same & among[..., None, :]).argmax(axis=-1), -1)


def firsts(alike: IntArray) -> NDArray[np.bool_]:
    """Which rungs stand for themselves and all that are alike (…, rung)."""
    return np.asarray(alike == np.arange(alike.shape[-1]))
