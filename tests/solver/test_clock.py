"""Where the seconds of a run went: every moment counted once, whatever number of threads works; and stops of a part of the work."""

from __future__ import annotations

import threading
import time

import pytest

from orepact.solver.clock import Clock, Timesheet

MOMENT = 0.05
CLOSE = pytest.approx(MOMENT, abs=0.03)


def test_a_second_is_counted_towards_the_innermost_phase() -> None:
    sheet = Timesheet(read=1.0)
    time.sleep(MOMENT)
    with sheet.phase("build"):
        time.sleep(MOMENT)
        with sheet.phase("hand over"):
            time.sleep(MOMENT)
    assert sheet.phases == {"read": 1.0, "build": CLOSE, "hand over": CLOSE, "other": CLOSE}
    assert list(sheet.phases)[-1] == "other"


def test_phases_add_up_to_the_time_that_passed_with_many_threads() -> None:
    sheet, began = Timesheet(), time.perf_counter()

    def work(name: str) -> None:
        for _ in range(20):
            with sheet.phase(name), sheet.phase("solve" if name == "solve" else f"{name}, within"):
                time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("build", "offer", "solve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sheet.phases.values()) == pytest.approx(time.perf_counter() - began, abs=0.01)
    assert {"build", "offer"}.isdisjoint(name for name, seconds in sheet.phases.items() if seconds > 0.01)


def test_while_one_thread_solves_the_others_cost_nothing() -> None:
    sheet, solving, done = Timesheet(), threading.Event(), threading.Event()

    def solve() -> None:
        with sheet.phase("solve"):
            solving.set()
            done.wait()

    thread = threading.Thread(target=solve)
    thread.start()
    solving.wait()
    with sheet.phase("build"):
        time.sleep(MOMENT)
    done.set()
    thread.join()
    assert sheet.phases["solve"] == CLOSE
    assert sheet.phases.get("build", 0.0) < 0.01


def test_two_that_work_at_the_same_time_share_the_seconds() -> None:
    sheet, both = Timesheet(), threading.Barrier(2)

    def work(name: str) -> None:
        with sheet.phase(name):
            both.wait()
            time.sleep(MOMENT)
            both.wait()

    thread = threading.Thread(target=work, args=("offer",))
    thread.start()
    work("build")
    thread.join()
    assert sheet.phases["offer"] == pytest.approx(sheet.phases["build"], rel=0.3)
    assert sheet.phases["offer"] + sheet.phases["build"] == CLOSE


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
