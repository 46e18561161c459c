"""Small convex polygons in the plane: what is left of a rectangle after half-planes have cut it."""

from __future__ import annotations

import numpy as np

from orepact.market.horizon import Array

TOLERANCE = 1e-10

Corner = tuple[float, float]


def clip_all(vertices: Array, cuts: Array) -> list[Array]:
    """Of each of n polygons (n, v, 2), the part on the good side of all its own cuts.

    Vertices stand in order around a polygon, which may be flat or a single point; `cuts` (n, m, 3) are rows c0 + c1 x + c2 y >= 0.
    Gives the corners that remain of each, without repeats; shape (0, 2) where nothing remains.
    """
    size = np.abs(cuts).max(axis=2, initial=0.0, keepdims=True)
    cuts = np.divide(cuts, size, out=np.zeros_like(cuts), where=size > 0)
    values = cuts[:, :, :1] + cuts[:, :, 1:] @ vertices.transpose(0, 2, 1)
    hopeless = np.asarray((values.max(axis=2, initial=-np.inf) < -TOLERANCE).any(axis=1))
    biting = np.asarray((values < -TOLERANCE).any(axis=2))
    bitten = np.flatnonzero(biting.any(axis=1) & ~hopeless).tolist()
    corners = [[(x, y) for x, y in own] for own in vertices.tolist()]
    for n in bitten:
        corners[n] = _cut(corners[n], cuts[n, biting[n]].tolist())
    for n in np.flatnonzero(hopeless).tolist():
        corners[n] = []
    return [np.array(_without_repeats(own)).reshape(-1, 2) for own in corners]


def clip(vertices: Array, cuts: Array) -> Array:
    """The same of one polygon (v, 2) with cuts (m, 3)."""
    return clip_all(vertices[None], cuts[None])[0]


def _cut(corners: list[Corner], cuts: list[list[float]]) -> list[Corner]:
    """One cut after the other; a handful of corners: plain numbers are faster than arrays."""
    for c0, c1, c2 in cuts:
        value = [c0 + c1 * x + c2 * y for x, y in corners]
        kept: list[Corner] = []
        for (x, y), own, (x_next, y_next), then in zip(corners, value, corners[1:] + corners[:1], value[1:] + value[:1], strict=True):
            if own >= -TOLERANCE:
                kept.append((x, y))
            if (own > TOLERANCE and then < -TOLERANCE) or (own < -TOLERANCE and then > TOLERANCE):
                share = own / (own - then)
                kept.append((x + share * (x_next - x), y + share * (y_next - y)))
        corners = kept
    return corners


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
