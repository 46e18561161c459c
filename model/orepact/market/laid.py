"""Things laid end to end: where each one's members stand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]


def spread(count: Integers, first: Integers | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """count[i] numbers from first[i] (or 0) on for every i, laid end to end: which i each is for, and the number."""
    own = np.repeat(np.arange(len(count)), count)
    begin = count - np.cumsum(count) + (0 if first is None else first)
    number = np.arange(len(own))
    number += begin[own]
    return own, number
