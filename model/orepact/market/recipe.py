"""Recipes: what a process mainly makes, and how many tonnes of each product stand behind a tonne of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orepact.market.horizon import Array


def main_output(flows: dict[str, float], price: Array, index: dict[str, int]) -> str:
    """The output worth most at reference prices; its capacity is the plant's capacity."""
    outputs = [p for p, amount in flows.items() if amount > 0]
    return max(outputs, key=lambda p: (flows[p] * price[index[p]], flows[p] == 1.0))


def embodied(flow: Array, capacity: Array, main: NDArray[np.int64], products: int) -> Array:
    """e (K, K): tonnes of product k embodied in a tonne of product κ.

    R[k, j] is the input of k per tonne of j in the capacity-weighted mix of the plants whose main output is j;
    e = (I − R)^-1 follows it through every stage. Raises LinAlgError on a recipe that feeds on itself fully.
    """
    recipe = np.zeros((products, products))
    for j in range(products):
        makers = np.flatnonzero(main == j)
        if len(makers):
            recipe[:, j] = (capacity[makers] @ np.maximum(-flow[makers], 0.0)) / capacity[makers].sum()
    found = np.linalg.inv(np.eye(products) - recipe)
    found[np.abs(found) < 1e-12] = 0.0
    return np.asarray(found)
