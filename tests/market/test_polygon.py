"""What half-planes leave of a rectangle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from orepact.market.polygon import clip, clip_all, split

Points = NDArray[np.float64]
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
NUMBER = st.floats(-3, 3).map(lambda x: round(x, 3))
CUTS = st.lists(st.tuples(NUMBER, NUMBER, NUMBER).filter(lambda c: max(map(abs, c)) > 0.01), max_size=6).map(lambda rows: np.array(rows).reshape(-1, 3))
INSIDE = st.tuples(st.floats(0, 1), st.floats(0, 1))


def area(corners: Points) -> float:
    """Of a polygon whose corners go round it."""
    if len(corners) < 3:
        return 0.0
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def margins(cuts: Points, points: Points) -> Points:
    """How far each point is on the good side of each cut, in units of the cut's largest number."""
    return np.asarray((cuts[:, :1] + cuts[:, 1:] @ points.T) / np.abs(cuts).max(axis=1, keepdims=True))


def sorted_rows(points: Points) -> list[list[float]]:
    return sorted([round(float(a), 9) + 0.0, round(float(b), 9) + 0.0] for a, b in points)


def test_a_corner_is_cut_off() -> None:
    assert sorted_rows(clip(SQUARE, np.array([[-0.5, 1.0, 1.0]]))) == [[0, 0.5], [0, 1], [0.5, 0], [1, 0], [1, 1]]


def test_a_cut_through_two_corners_leaves_a_triangle() -> None:
    assert sorted_rows(clip(SQUARE, np.array([[-1.0, 1.0, 1.0]]))) == [[0, 1], [1, 0], [1, 1]]


def test_a_cut_may_leave_one_corner_or_nothing() -> None:
    assert sorted_rows(clip(SQUARE, np.array([[-2.0, 1.0, 1.0]]))) == [[1, 1]]
    assert clip(SQUARE, np.array([[-2.1, 1.0, 1.0]])).shape == (0, 2)
    assert clip(SQUARE, np.array([[-0.1, 0.0, 0.0]])).shape == (0, 2)


def test_two_cuts_may_leave_nothing_together() -> None:
    assert clip(SQUARE, np.array([[-1.5, 1.0, 1.0], [0.5, -1.0, 0.0], [0.5, 0.0, -1.0]])).shape == (0, 2)


def test_a_flat_rectangle_stays_flat() -> None:
    flat = np.array([[0.0, 0.0], [0.0, 4.0]])
    assert sorted_rows(clip(flat, np.array([[-1.0, 0.0, 1.0], [3.0, 0.0, -1.0]]))) == [[0, 1], [0, 3]]
    assert sorted_rows(clip(np.array([[2.0, 0.0]]), np.array([[-1.0, 1.0, 0.0]]))) == [[2, 0]]


@given(CUTS)
def test_corners_keep_to_the_square_and_every_cut(cuts: Points) -> None:
    corners = clip(SQUARE, cuts)
    if len(corners):
        assert corners.min() >= -1e-9
        assert corners.max() <= 1 + 1e-9
        assert margins(cuts, corners).min(initial=0) >= -1e-8


@given(CUTS, INSIDE)
def test_a_point_inside_stays_inside(cuts: Points, point: tuple[float, float]) -> None:
    """No part that is on the good side of every cut gets lost: the point does not stick out of any side of what is left."""
    spot = np.array([point])
    if margins(cuts, spot).min(initial=1) < 1e-6:
        return
    corners = clip(SQUARE, cuts)
    assert len(corners) >= 1
    centre = corners.mean(axis=0)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        normal = np.array([a[1] - b[1], b[0] - a[0]])
        side = float(normal @ (centre - a))
        assert float(normal @ (spot[0] - a)) * np.sign(side) >= -1e-7


@given(CUTS, st.permutations(range(6)))
def test_the_order_of_cuts_does_not_matter(cuts: Points, order: list[int]) -> None:
    turned = cuts[[n for n in order if n < len(cuts)]]
    assert area(clip(SQUARE, turned)) == pytest.approx(area(clip(SQUARE, cuts)), abs=1e-7)


@given(CUTS, st.tuples(NUMBER, NUMBER, NUMBER).filter(lambda c: max(map(abs, c)) > 0.01).map(np.array))
def test_a_split_loses_nothing(cuts: Points, line: Points) -> None:
    corners = clip(SQUARE, cuts)
    if len(corners) == 0:
        return
    parts = split(corners, line)
    assert 1 <= len(parts) <= 2
    assert sum(area(part) for part in parts) == pytest.approx(area(corners), abs=1e-7)
    for part in parts:
        value = line[0] + part @ line[1:]
        assert value.min() >= -1e-7 or value.max() <= 1e-7


def test_a_line_that_misses_splits_nothing() -> None:
    assert len(split(SQUARE, np.array([0.0, 1.0, 1.0]))) == 1
    assert len(split(SQUARE, np.array([-1.0, 1.0, 1.0]))) == 2


RECTANGLES = st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
THREE_CUTS = st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=3, max_size=3)


@given(many=st.lists(st.tuples(RECTANGLES, THREE_CUTS), min_size=1, max_size=6))
def test_many_polygons_at_once_are_what_each_is_alone(many: list[tuple[tuple[float, float, float, float], list[tuple[float, float, float]]]]) -> None:
    corners = np.array([[(a, c), (a + b, c), (a + b, c + d), (a, c + d)] for (a, b, c, d), _ in many])
    cuts = np.array([own for _, own in many])
    for found, rectangle, own in zip(clip_all(corners, cuts), corners, cuts, strict=True):
        assert found.tolist() == clip(rectangle, own).tolist()
        assert (found[:, None] == found).all(axis=2).sum() == len(found)  # none twice
        assert (margins(own[np.abs(own).max(axis=1) > 0], found) >= -1e-9).all()
