"""Small convex polygons in the plane: what is left of a rectangle after half-planes have cut it."""

from __future__ import annotations

import numpy as np

from orepact.market.horizon import Array

TOLERANCE = 1e-10


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
    for cut in cuts[(values < -TOLERANCE).any(axis=1)]:
        value = cut[0] + vertices @ cut[1:]
        kept: list[Array] = []
        for a in range(len(vertices)):
            b = (a + 1) % len(vertices)
            if value[a] >= -TOLERANCE:
                kept.append(vertices[a])
            if (value[a] > TOLERANCE and value[b] < -TOLERANCE) or (value[a] < -TOLERANCE and value[b] > TOLERANCE):
                kept.append(vertices[a] + value[a] / (value[a] - value[b]) * (vertices[b] - vertices[a]))
        if not kept:
            return np.zeros((0, 2))
        vertices = np.array(kept)
    return _without_repeats(vertices)


def split(vertices: Array, line: Array) -> list[Array]:
    """Both parts of a polygon cut by the line c0 + c1 x + c2 y = 0, or the polygon alone when the line misses it."""
    value = line[0] + vertices @ line[1:]
    scale = float(np.abs(line).max())
    if value.min() >= -TOLERANCE * scale or value.max() <= TOLERANCE * scale:
        return [vertices]
    return [clip(vertices, line[None, :]), clip(vertices, -line[None, :])]


def _without_repeats(vertices: Array) -> Array:
    kept: list[Array] = []
    for v in vertices:
        if not any(np.abs(v - u).max() <= 1e-12 for u in kept):
            kept.append(v)
    return np.array(kept)
