"""Small convex polygons in the plane: what is left of a rectangle after half-planes have cut it."""

from __future__ import annotations

import numpy as np

from orepact.market.horizon import Array

TOLERANCE = 1e-10

Corner = tuple[float, float]


def clip(vertices: Array, cuts: Array) -> Array:
    """Keep the part of a polygon on the good side of every cut.

    `vertices` (n, 2) in order around the polygon, possibly flat or a single point; `cuts` (m, 3) rows c0 + c1 x + c2 y >= 0.
    Returns the corners that remain, without repeats; shape (0, 2) if nothing remains.
    """
    size = np.abs(cuts).max(axis=1, initial=0.0, keepdims=True)
    cuts = np.divide(cuts, size, out=np.zeros_like(cuts), where=size > 0)
    values = cuts[:, :1] + cuts[:, 1:] @ vertices.T
    if (values.max(axis=1, initial=-np.inf) < -TOLERANCE).any():
        return np.zeros((0, 2))
    corners: list[Corner] = [(x, y) for x, y in vertices.tolist()]  # a handful of corners: plain numbers are faster than arrays
    for c0, c1, c2 in cuts[(values < -TOLERANCE).any(axis=1)].tolist():
        value = [c0 + c1 * x + c2 * y for x, y in corners]
        kept: list[Corner] = []
        for (x, y), own, (x_next, y_next), then in zip(corners, value, corners[1:] + corners[:1], value[1:] + value[:1], strict=True):
            if own >= -TOLERANCE:
                kept.append((x, y))
            if (own > TOLERANCE and then < -TOLERANCE) or (own < -TOLERANCE and then > TOLERANCE):
                share = own / (own - then)
                kept.append((x + share * (x_next - x), y + share * (y_next - y)))
        if not kept:
            return np.zeros((0, 2))
        corners = kept
    return np.array(_without_repeats(corners))


def split(vertices: Array, line: Array) -> list[Array]:
    """Both parts of a polygon cut by the line c0 + c1 x + c2 y = 0, or the polygon alone when the line misses it."""
    value = line[0] + vertices @ line[1:]
    scale = float(np.abs(line).max())
    if value.min() >= -TOLERANCE * scale or value.max() <= TOLERANCE * scale:
        return [vertices]
    return [clip(vertices, line[None, :]), clip(vertices, -line[None, :])]


def _without_repeats(corners: list[Corner]) -> list[Corner]:
    kept: list[Corner] = []
    for x, y in corners:
        if not any(abs(x - u) <= 1e-12 and abs(y - v) <= 1e-12 for u, v in kept):
            kept.append((x, y))
    return kept
