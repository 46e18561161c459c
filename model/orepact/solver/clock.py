"""Time left for a run, and where its seconds went."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@contextmanager
def collector_rests() -> Iterator[None]:
    """No garbage collection meanwhile: each would walk through the millions of living terms of a model, to find next to nothing.

    Who drops a model inside this collects it himself: models hold themselves in cycles.
    """
    resting = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not resting:
            gc.enable()


class TimeOver(Exception):
    """The limit passed, or a stop was asked for, while a model was being made."""


@dataclass
class Clock:
    """`limit` seconds from now; `phases` counts seconds by phase; `stop` ends the run early from any thread."""

    limit: float
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    phases: dict[str, float] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        return max(0.0, self.limit - self.seconds)

    @property
    def over(self) -> bool:
        return self.stop.is_set() or self.left <= 0

    @property
    def limit_reached(self) -> str | None:
        """Which limit ended the run: "interrupt" or "time"; None if none did."""
        return None if not self.over else "interrupt" if self.stop.is_set() else "time"

    def check(self) -> None:
        """Raise TimeOver if there is no time left."""
        if self.over:
            raise TimeOver

    @contextmanager
    def phase(self, name: str, beside: bool = False) -> Iterator[None]:
        """Count what happens inside towards a phase, and towards no other; for the run's own thread.

        `beside`: solves run meanwhile on the same cores, so only the time that this thread really worked is counted.
        """
        now = time.thread_time if beside else time.perf_counter
        start = now()
        self._inner.append(0.0)
        try:
            yield
        finally:
            passed, inner = now() - start, self._inner.pop()
            if self._inner:
                self._inner[-1] += passed
            self.phases[name] = self.phases.get(name, 0.0) + passed - inner
