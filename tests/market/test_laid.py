"""Where the members of what is laid end to end stand."""

from __future__ import annotations

import numpy as np

from orepact.market.laid import spread


def test_members_follow_each_other() -> None:
    own, number = spread(np.array([2, 0, 3]))
    assert own.tolist() == [0, 0, 2, 2, 2]
    assert number.tolist() == [0, 1, 0, 1, 2]


def test_each_may_begin_where_it_likes() -> None:
    _, number = spread(np.array([2, 0, 3]), np.array([10, 20, 5]))
    assert number.tolist() == [10, 11, 5, 6, 7]


def test_nothing_is_nothing() -> None:
    own, number = spread(np.zeros(0, dtype=np.int64))
    assert (own.size, number.size) == (0, 0)
