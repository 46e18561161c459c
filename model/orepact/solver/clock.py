"""Time left for a run, and where its seconds went."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

SOLVE, OTHER = "solve", "other"
"""The phase in which a solver runs, and what is counted where no thread is in any phase."""


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


class Branch(threading.Event):
    """Set by itself, or once its stem is set; not to be waited for."""

    def __init__(self, stem: threading.Event) -> None:
        super().__init__()
        self._stem = stem

    def is_set(self) -> bool:
        return super().is_set() or self._stem.is_set()


@dataclass
class Clock:
    """`limit` seconds from now; `stop` ends the run early from any thread; `sheet` says where the seconds went."""

    limit: float
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.perf_counter)
    sheet: Timesheet = field(default_factory=lambda: Timesheet())

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

    def branch(self) -> Clock:
        """The same time, for work that can also be stopped by itself."""
        return replace(self, stop=Branch(self.stop))

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Count what this thread does inside towards a phase."""
        return self.sheet.phase(name)


class Timesheet:
    """Seconds by phase, each counted once: as long as any thread solves they are solving, else shared by what the threads are at; where no
    thread is in a phase they are "other".

    A thread that only waits for others should be in none.
    """

    def __init__(self, **before: float) -> None:
        self._phases = before
        self._at: dict[int, list[str]] = {}  # phases that a thread is in, innermost last
        self._counted = time.perf_counter()
        self._lock = threading.Lock()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What this thread does inside is of this phase, and of no other."""
        thread = threading.get_ident()
        with self._lock:
            self._count()
            self._at.setdefault(thread, []).append(name)
        try:
            yield
        finally:
            with self._lock:
                self._count()
                self._at[thread].pop()
                if not self._at[thread]:
                    del self._at[thread]

    @property
    def phases(self) -> dict[str, float]:
        """Seconds by phase up to now, "other" last."""
        with self._lock:
            self._count()
            return {name: self._phases[name] for name in sorted(self._phases, key=lambda name: name == OTHER)}

    def _count(self) -> None:
        """Count the seconds since the last time."""
        now = time.perf_counter()
        passed, self._counted = now - self._counted, now
        at = [names[-1] for names in self._at.values()] or [OTHER]
        for name in [SOLVE] if SOLVE in at else at:
            self._phases[name] = self._phases.get(name, 0.0) + passed / (1 if SOLVE in at else len(at))
