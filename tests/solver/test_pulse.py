"""What counts as silence: work without a sign of life, not waiting, and not what happens outside the solver."""

from __future__ import annotations

import time

import pytest

from orepact.solver.pulse import Pulse


def test_work_without_a_sign_is_silence_and_waiting_hardly_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now, work = [0.0], [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: work[0])
    heart = Pulse()

    def later(seconds: float, worked: float) -> float:
        now[0], work[0] = now[0] + seconds, work[0] + worked
        return heart.silence()

    assert later(10, 10) == 0  # Python works, no solver runs
    with heart.running():
        assert later(0.5, 0.5) == 0  # it has just begun
        assert later(0.5, 0.5) == 0.5
        assert later(1.0, 1.0) == 1.5
        heart.beat()
        assert later(1.0, 1.0) == 0
        assert [later(1.0, 0.0) for _ in range(4)][-1] == 1.0  # four seconds of waiting
        assert later(3600, 0.0) == 1.25  # the machine slept
        with heart.running():
            assert later(1.0, 1.0) == 0  # another solve began
    assert later(10, 10) == 0
