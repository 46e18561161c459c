"""Looking on from within a HiGHS run: progress for the listener, the root bound, and when to stop.

HiGHS calls `on_callback` from the thread that runs it, many times a second; a Python exception must not cross its frames.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from highspy import cb

from orepact.solver.progress import Listener, Progress, relative_gap
from orepact.solver.pulse import PULSE

WATCHED = (
    cb.HighsCallbackType.kCallbackMipInterrupt,
    cb.HighsCallbackType.kCallbackSimplexInterrupt,
    cb.HighsCallbackType.kCallbackIpmInterrupt,
)
"""The moments at which HiGHS asks whether to go on."""

_TELL_EVERY = 0.2
"""Seconds between two calls of a listener, unless a better plan was found."""


class Post:
    """Where HiGHS finds who looks on. It knows nothing of the session: a reference back would keep both alive for ever."""

    watch: Watch | None = None


def on_callback(kind: Any, _message: str, out: Any, control: Any, post: Post) -> None:
    """What HiGHS calls. The request is written every time: HiGHS keeps the last one, even into its next run."""
    control.user_interrupt = post.watch is not None and post.watch.look(kind, out)


class Watch:
    """One solve being looked at."""

    def __init__(self, stop: threading.Event, listener: Listener | None) -> None:
        self.root_bound: float | None = None
        """Bound when branching began."""
        self.fault: BaseException | None = None
        """What the listener raised; to be raised again after the run."""
        self._began, self._stop, self._listener = time.perf_counter(), stop, listener
        self._told = -math.inf
        self._incumbent: float | None = None

    def seconds(self) -> float:
        """Since the solve was asked for."""
        return time.perf_counter() - self._began

    def look(self, kind: Any, out: Any) -> bool:
        """Take note of a callback's facts; True if the run should end. Never raises."""
        PULSE.beat()
        try:
            if int(kind) == int(cb.HighsCallbackType.kCallbackMipInterrupt):
                self._note(out)
        except KeyboardInterrupt:
            self._stop.set()
        except BaseException as fault:
            self.fault = fault
        return self._stop.is_set() or self.fault is not None

    def _note(self, out: Any) -> None:
        bound, incumbent = finite(out.mip_dual_bound), finite(out.mip_primal_bound)
        if out.mip_node_count == 0 and bound is not None:
            self.root_bound = bound
        now = self.seconds()
        if self._listener is None or (incumbent == self._incumbent and now - self._told < _TELL_EVERY):
            return
        self._told, self._incumbent = now, incumbent
        self._listener(
            Progress(
                phase="solve",
                seconds=now,
                incumbent=incumbent,
                bound=bound,
                gap=relative_gap(incumbent, bound),
                nodes=int(out.mip_node_count),
            )
        )


def finite(value: float) -> float | None:
    """The value, or None where HiGHS says infinity for "not known"."""
    return float(value) if math.isfinite(value) else None
