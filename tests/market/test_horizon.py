"""Periods, discounting, means over years, ramps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orepact.market.horizon import Horizon, recovery_factor

H = Horizon.of(2026, [1, 2, 3])
RAMPS = st.just(0.0) | st.floats(0.1, 8)
HORIZONS = st.lists(st.integers(1, 6), min_size=1, max_size=6).map(lambda lengths: Horizon.of(2026, lengths))


def test_periods_follow_one_another() -> None:
    assert H.periods == 3
    assert H.start.tolist() == [2026, 2027, 2029]
    assert H.years.tolist() == [2026, 2027, 2028, 2029, 2030, 2031]
    assert H.end == 2032


def test_a_period_is_discounted_from_its_middle() -> None:
    assert H.discount(0.1).tolist() == pytest.approx([1 * 1.1**-0.5, 2 * 1.1**-2, 3 * 1.1**-4.5])
    assert H.discount(0.0).tolist() == [1, 2, 3]


def test_a_series_is_linear_between_points_and_held_outside() -> None:
    assert H.series([(2029, 40.0), (2027, 20.0)]).tolist() == [20, 20, 30, 40, 40, 40]
    assert H.mean(H.series([(2029, 40.0), (2027, 20.0)])).tolist() == [20, (20 + 30) / 2, 40]


def test_years_are_active_to_the_last_and_rules_cover_whole_periods() -> None:
    assert H.active(2027, 2028).tolist() == [False, True, True, False, False, False]
    assert H.active(None, 2026).tolist() == [True, False, False, False, False, False]
    assert H.covered(2027, 2028).tolist() == [False, True, False]
    assert H.covered(2028, None).tolist() == [False, False, True]  # 2027 has begun before
    assert H.covered(None, 2030).tolist() == [True, True, True]  # although 2029 ends after


def test_share_of_a_period() -> None:
    assert H.share(2028, 2030).tolist() == pytest.approx([0, 1 / 2, 1 / 3])
    assert H.share(-math.inf, math.inf).tolist() == [1, 1, 1]
    assert H.share(2040, 2050).tolist() == [0, 0, 0]


def test_a_ramp_earns_the_area_under_a_line() -> None:
    # First output in mid-2026, full after two years: ∫ age/2 over each period, then 1.
    area = 0.5**2 / 4, (1.5**2 - 0.5**2) / 4 + (2**2 - 1.5**2) / 4 + 0.5
    assert H.ramped_share(2026.5, math.inf, 2.0).tolist() == pytest.approx([area[0], area[1] / 2, 1])
    assert H.ramped_share(2026.5, 2028, 2.0).tolist() == pytest.approx([area[0], (1.5**2 - 0.5**2) / 4 / 2, 0])
    assert H.ramped_share(2027, math.inf, 0.0).tolist() == [0, 1, 1]
    assert H.ramped_share(-math.inf, 2030, 2.0).tolist() == pytest.approx([1, 1, 1 / 3])  # older than its ramp


@settings(max_examples=50)
@given(HORIZONS, st.floats(2020, 2050), st.floats(0, 12), RAMPS)
def test_a_ramped_share_is_the_integral(horizon: Horizon, begin: float, life: float, ramp: float) -> None:
    steps = 1000
    years = horizon.end - 2026
    middle = 2026 + (np.arange(steps * years) + 0.5) / steps
    full = np.clip((middle - begin) / ramp, 0, 1) if ramp > 0 else (middle >= begin).astype(float)
    full[(middle < begin) | (middle >= begin + life)] = 0
    edges = (np.concatenate([[0], np.cumsum(horizon.length)[:-1]]) * steps).astype(int)
    expected = np.add.reduceat(full, edges) / (horizon.length * steps)
    assert horizon.ramped_share(begin, begin + life, ramp) == pytest.approx(expected, abs=2e-3)


@given(HORIZONS, st.floats(2010, 2060), st.floats(0, 30), RAMPS)
def test_a_ramp_never_gains_output(horizon: Horizon, begin: float, life: float, ramp: float) -> None:
    ramped, plain = horizon.ramped_share(begin, begin + life, ramp), horizon.share(begin, begin + life)
    assert (ramped >= -1e-12).all()
    assert (ramped <= plain + 1e-12).all()


def test_recovery_factor() -> None:
    assert recovery_factor(0.0, 8) == 1 / 8
    assert recovery_factor(0.05, 10) == pytest.approx(0.129504575)


@given(st.floats(1e-4, 0.5), st.integers(1, 60))
def test_the_recovery_factor_repays_a_dollar(rate: float, years: int) -> None:
    assert sum(recovery_factor(rate, years) * (1 + rate) ** -n for n in range(1, years + 1)) == pytest.approx(1.0)
