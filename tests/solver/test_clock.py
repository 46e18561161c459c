"""Where the seconds of a run went: every moment counted once, whatever number of threads works; and stops of a part of the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from orepact.solver import clock as clock_of
from orepact.solver.clock import Clock, Timesheet

Pass = Callable[[float], None]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Time that passes only when it is told to."""
    now, lock = [0.0], threading.Lock()

    def let_pass(seconds: float) -> None:
        with lock:
            now[0] += seconds

    monkeypatch.setattr(clock_of, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return let_pass


@contextmanager
def another_thread_in(sheet: Timesheet, phase: str) -> Iterator[None]:
    """Another thread is in a phase meanwhile."""
    inside, done = threading.Event(), threading.Event()

    def work() -> None:
        with sheet.phase(phase):
            inside.set()
            done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_second_is_counted_towards_the_innermost_phase(passes: Pass) -> None:
    sheet = Timesheet(read=1.0)
    passes(2)
    with sheet.phase("build"):
        passes(4)
        with sheet.phase("hand over"):
            passes(8)
        passes(16)
    passes(32)
    assert sheet.phases == {"read": 1.0, "build": 20.0, "hand over": 8.0, "other": 34.0}
    assert list(sheet.phases)[-1] == "other"


def test_while_one_thread_solves_the_others_cost_nothing(passes: Pass) -> None:
    sheet = Timesheet()
    with another_thread_in(sheet, "solve"), another_thread_in(sheet, "solve"):
        passes(1)
        with sheet.phase("build"):
            passes(2)
    with sheet.phase("build"):
        passes(4)
    assert sheet.phases == {"solve": 3.0, "build": 4.0, "other": 0.0}


def test_two_that_work_at_the_same_time_share_the_seconds(passes: Pass) -> None:
    sheet = Timesheet()
    with another_thread_in(sheet, "offer"):
        with sheet.phase("build"):
            passes(2)
        passes(4)
    assert sheet.phases == {"offer": 5.0, "build": 1.0, "other": 0.0}


def test_phases_add_up_to_the_time_that_passed_with_many_threads(passes: Pass) -> None:
    sheet = Timesheet()

    def work(name: str) -> None:
        for _ in range(200):
            with sheet.phase(name), sheet.phase(f"{name}, within"):
                passes(1)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("build", "offer", "solve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sheet.phases.values()) == pytest.approx(600.0)


def test_a_branch_is_stopped_by_itself_or_with_its_clock() -> None:
    clock = Clock(60.0)
    left, right = clock.branch(), clock.branch()
    left.stop.set()
    assert left.over
    assert left.limit_reached == "interrupt"
    assert (right.over, clock.over) == (False, False)
    clock.stop.set()
    assert (right.over, clock.over) == (True, True)
    assert right.sheet is clock.sheet
    assert right.began == clock.began
