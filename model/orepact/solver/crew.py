"""Threads that solve: no more at a time than a run may use, whoever asks for a solve.

HiGHS releases Python's lock while it runs. The threads stay for the next solve: HiGHS sets itself up anew in each new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def crew(threads: int) -> Executor:
    """So many threads. Who works in one of them may not wait for another."""
    return ThreadPoolExecutor(threads, thread_name_prefix="solve")


def each(work: Callable[[Item], Result], items: Iterable[Item], by: Executor, failed: Callable[[], None] = lambda: None) -> list[Result]:
    """Do the work for every item; the results in the order of the items.

    If it fails for one, what has not begun is left, `failed` is called for those at work, and the failure is raised once they have ended.
    """
    running = [by.submit(work, item) for item in items]
    try:
        _, left = wait(running, return_when=FIRST_EXCEPTION)
        if left:
            failed()
    finally:
        leave(running)
    return [future.result() for future in running]


def leave(begun: Iterable[Future[Any]]) -> None:
    """Do without what has not begun, and wait for what has."""
    wait([future for future in begun if not future.cancel()])
