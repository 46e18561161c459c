"""What a long solve says while it runs, and to whom.

A solve calls its listener with `Progress` events. The library is silent: without a listener nothing is said, and
the two reporters here write only to the stream they are given (the live terminal display is report/progress_display.py).
`keep_plan_on_interrupt` turns ctrl-C, and a batch system's request to end, into a request to stop, so that the best plan so far is kept.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol, TextIO


@dataclass(frozen=True)
class Progress:
    """One moment of a solve. Money in USD, `gap` relative to the incumbent (0.001 = 0.1 %); None: not known yet."""

    phase: str
    seconds: float = 0.0
    incumbent: float | None = None
    bound: float | None = None
    gap: float | None = None
    nodes: int | None = None
    paths_examined: int | None = None
    paths_listed: int | None = None
    message: str = ""
    rungs: tuple[tuple[int, ...], ...] | None = None
    """Price path of the best plan, as rung numbers by product and period."""


Listener = Callable[[Progress], None]


def relative_gap(incumbent: float | None, bound: float | None) -> float | None:
    """Distance of the bound from the incumbent, as a share of the incumbent; None if either is missing."""
    if incumbent is None or bound is None or not math.isfinite(incumbent) or not math.isfinite(bound):
        return None
    distance = max(0.0, incumbent - bound)
    if distance == 0.0:
        return 0.0
    return distance / abs(incumbent) if incumbent else math.inf


class Reporter(Protocol):
    """A listener with an end: call it with events, then close it."""

    def __call__(self, event: Progress) -> None: ...

    def close(self) -> None: ...


class SilentReporter:
    """Says nothing."""

    def __call__(self, event: Progress) -> None:
        """Ignore the event."""

    def close(self) -> None:
        """Nothing to end."""


class LineReporter:
    """One plain line per event, at most one every `interval` seconds; a new phase or a new plan is always told."""

    def __init__(self, stream: TextIO, interval: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._told = -math.inf
        self._last: tuple[str, float | None, str] | None = None

    def __call__(self, event: Progress) -> None:
        """Write the event unless one was written a moment ago and nothing new happened."""
        with self._lock:
            now, what = self._clock(), (event.phase, event.incumbent, event.message)
            if what == self._last and now - self._told < self._interval:
                return
            self._told, self._last = now, what
            self._stream.write(describe(event) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing to end: the stream belongs to the caller."""


def describe(event: Progress) -> str:
    """The event as one line of text."""
    parts = [f"{event.seconds:7.1f} s  {event.phase}"]
    if event.paths_examined is not None:
        listed = "" if event.paths_listed is None else f" of {event.paths_listed}"
        parts.append(f"paths {event.paths_examined}{listed}")
    if event.incumbent is not None:
        parts.append(f"best {money(event.incumbent)}")
    if event.bound is not None:
        parts.append(f"bound {money(event.bound)}")
    if event.gap is not None:
        parts.append(f"gap {event.gap:.2%}")
    if event.nodes:
        parts.append(f"nodes {event.nodes}")
    if event.message:
        parts.append(event.message)
    return "  ".join(parts)


def money(usd: float) -> str:
    """USD in the unit that reads best, four figures."""
    for size, unit in ((1e9, "bn USD"), (1e6, "m USD"), (1e3, "k USD")):
        if abs(usd) >= size:
            return f"{usd / size:,.4g} {unit}" if abs(usd) < 1e4 * size else f"{usd / size:,.0f} {unit}"
    return f"{usd:.4g} USD"


@contextmanager
def keep_plan_on_interrupt(stop: threading.Event) -> Iterator[None]:
    """Within, the first ctrl-C or SIGTERM sets `stop` and lets the solve end with its best plan; the second one interrupts.

    Only the main thread receives signals: elsewhere this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request_stop(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
