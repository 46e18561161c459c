"""Work shared between threads: results in order, and what happens where some of it fails."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from orepact.solver.crew import crew, each


def test_results_come_in_the_order_of_the_items() -> None:
    def late(n: int) -> int:
        time.sleep(0.02 * (3 - n))
        return n * n

    assert each(late, range(4), crew(4)) == [0, 1, 4, 9]
    assert each(late, [], crew(4)) == []


def test_a_crew_is_of_so_many_threads_for_good() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1
        return threading.get_ident()

    askers = [threading.Thread(target=lambda: each(work, range(5), crew(2))) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert most == 2
    assert len({*each(work, range(6), crew(2)), *each(work, range(6), crew(2))}) == 2


def test_a_failure_leaves_what_has_not_begun_and_is_raised_once_the_others_have_ended() -> None:
    told, ended, begun = threading.Event(), [], []

    def work(n: int) -> None:
        begun.append(n)
        if n == 1:
            raise ValueError("no")
        if n == 0:
            assert told.wait(5)
            ended.append(n)

    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match="no"):
        each(work, range(2), pool, failed=told.set)
    assert ended == [0]

    def slow(n: int) -> None:
        begun.append(n)
        if n == 0:
            raise ValueError("no")
        time.sleep(0.05)

    begun.clear()
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="no"):
        each(slow, range(50), pool)
    assert len(begun) < 50
