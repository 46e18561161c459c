"""Signs of life from within the solver, for whoever watches this process from outside.

A solve that turns in circles holds no lock and uses one core: from outside it looks like work. What tells it apart is that the
solver no longer calls back. One pulse serves the whole process, since its watcher knows nothing of single solves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pulse:
    """When the solver last began, ended or called back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._last = time.monotonic()

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
            self._last = time.monotonic()

    def beat(self) -> None:
        """The solver called back."""
        self._last = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds without a sign of life while the solver runs; 0 while it does not."""
        return time.monotonic() - self._last if self._running else 0.0


PULSE = Pulse()
