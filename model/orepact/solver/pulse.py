"""Signs of life from within the solver, for whoever watches this process from outside.

A solve that turns in circles holds no lock and uses one core: from outside it looks like work. What tells it apart is that the
solver no longer calls back. One pulse serves the whole process, since its watcher knows nothing of single solves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 4.0
"""A second of waiting counts so many times less than a second of work: on a busy machine a solver may just not get its turn."""


class Pulse:
    """Counts the moments at which the solver began, ended or called back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._signs = 0
        self._seen = (-1, 0.0, 0.0)
        self._waited = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """The solver runs inside."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            self._running += change
            self._signs += 1

    def beat(self) -> None:
        """The solver called back."""
        self._signs += 1

    def silence(self) -> float:
        """Seconds of this process's work without a sign of life while the solver runs; for one caller, who asks several times a second.

        Time in which the process was suspended, or had to wait for its turn, hardly counts.
        """
        now, signs = time.monotonic(), self._signs
        last, worked, before = self._seen
        if not self._running or signs != last:
            self._seen, self._waited = (signs, time.process_time(), now), 0.0
            return 0.0
        self._waited += min(now - before, 1.0)
        self._seen = (last, worked, now)
        return max(time.process_time() - worked, self._waited / PATIENCE)


PULSE = Pulse()
