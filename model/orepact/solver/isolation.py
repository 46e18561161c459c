"""A task in a child process, watched: a solver that aborts, hangs or eats the memory must not take its caller with it.

The child is a fresh Python (`child.py`), not a fork: it never runs the caller's main module, so this works from scripts, notebooks,
threads and worker processes alike. It stays warm for the next task and is thrown away after a fault. It has a session of its own:
ctrl-C reaches the parent only, which asks the child to stop with what it has.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from orepact.errors import SolverError, SolverFault
from orepact.solver.progress import Listener

WARM = ("orepact.api",)
"""What a child imports while it waits for its first task."""

LOOK = 0.1
"""Seconds between two looks at the child."""


@dataclass(frozen=True)
class Guards:
    """When a child is given up.

    `silence`: seconds of work in which the solver gives no sign of life (`pulse.py`); `late_silence`: the same once `time_limit` has passed, or a
    stop was asked for; `mute`: seconds in which the process itself says nothing; `whole`: seconds for the task, whatever it does;
    `memory_mb`: most memory (10**6 bytes) of the child and whatever it started.
    """

    time_limit: float
    silence: float
    late_silence: float
    mute: float
    whole: float
    memory_mb: float

    @classmethod
    def of(cls, time_limit: float, memory_mb: float = 0.0, side_by_side: int = 1) -> Guards:
        """What suits a time limit; memory 0: an equal part of nine tenths of what the machine has for every child that works `side_by_side`."""
        memory = memory_mb or 0.9 * psutil.virtual_memory().total / 1e6 / side_by_side
        return cls(time_limit, max(30.0, time_limit / 2), 30.0, 300.0, 2 * time_limit + 300, memory)


class Remote(Exception):
    """The traceback of an exception raised in a child, as its cause."""


class Worker:
    """One child. Runs one task at a time; of no use after a fault."""

    def __init__(self, warm: Sequence[str] = WARM) -> None:
        if not sys.executable:
            raise SolverError("no Python program to start for the solver's own process: solve with isolated=False")
        room = str(Path(__file__).parents[2])
        path = os.pathsep.join([room, *filter(None, [os.environ.get("PYTHONPATH")])])
        own: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "orepact.solver.child", *warm],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            **own,
        )
        self._messages: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._said: deque[str] = deque(maxlen=20)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._receive, self._overhear)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    def run(self, task: str, arguments: tuple[Any, ...], guards: Guards, listener: Listener | None = None, stop: threading.Event | None = None) -> Any:
        """What the task ("module:function", called with the arguments, `listener` and `stop`) returns; what it raises is raised here.

        Raises SolverFault if the child dies, hangs or uses too much memory; it is then killed.
        """
        try:
            self._send("task", task, arguments)
            return self._attend(guards, listener, stop or threading.Event())
        except BaseException as error:
            if not isinstance(error.__cause__, Remote):  # the child has not ended its task by itself
                self.close()
            raise

    def close(self) -> None:
        """End the child and what it started, whatever they are doing."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.pid).children(recursive=True):
                process.kill()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _attend(self, guards: Guards, listener: Listener | None, stop: threading.Event) -> Any:
        """Hear the child until its task has ended. Time is counted in small steps: a machine that slept is no fault of the child."""
        asked = False
        passed = mute = silence = 0.0
        before = time.monotonic()
        while True:
            if stop.is_set() and not asked:
                asked = True
                self._send("stop")
            try:
                message = self._messages.get(timeout=LOOK)
            except queue.Empty:
                message = ("nothing",)
            now = time.monotonic()
            step, before = min(now - before, 1.0), now
            passed, mute = passed + step, mute + step if message == ("nothing",) else 0.0
            match message:
                case None:
                    raise SolverFault("abort", self._last_words())
                case ("event", event):
                    if listener is not None:
                        listener(event)
                case ("pulse", seconds):
                    silence = seconds
                    self._check_memory(guards)
                case ("done", value):
                    return value
                case ("raised", error, trace):
                    raise error from Remote(f"in the solver's own process\n{trace}")
            late = asked or passed > guards.time_limit
            if silence > (guards.late_silence if late else guards.silence):
                raise SolverFault("hang", f"the solver gave no sign of life for {silence:.0f} seconds")
            if mute > guards.mute and self._suspended():
                mute = 0.0
            if mute > guards.mute:
                raise SolverFault("hang", f"the solver's process did not respond for {mute:.0f} seconds")
            if passed > guards.whole:
                raise SolverFault("hang", f"the solver was not back after {passed:.0f} seconds")

    def _suspended(self) -> bool:
        """Whether somebody made the child stand still."""
        try:
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)
        except psutil.Error:
            return False

    def _check_memory(self, guards: Guards) -> None:
        used = 0
        with contextlib.suppress(psutil.Error):
            child = psutil.Process(self.pid)
            for process in (child, *child.children(recursive=True)):
                used += process.memory_info().rss
        if used / 1e6 > guards.memory_mb:
            raise SolverFault("memory", f"the solver used {used / 1e6:,.0f} MB, more than the {guards.memory_mb:,.0f} MB allowed")

    def _last_words(self) -> str:
        """How the child died."""
        code = self._process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)
        if code < 0:
            try:
                how = f"the solver's process was ended by {signal.Signals(-code).name}"
            except ValueError:
                how = f"the solver's process was ended by signal {-code}"
        else:
            how = f"the solver's process ended with exit code {code}"
        said = next((line for line in reversed(self._said) if line), "")
        return f"{how}: {said}" if said else how

    def _send(self, *message: Any) -> None:
        stream = self._process.stdin
        try:
            if stream is not None:
                stream.write(pickle.dumps(message))
                stream.flush()
        except OSError:
            pass  # it is gone; `_receive` says so

    def _receive(self) -> None:
        try:
            while self._process.stdout is not None:
                self._messages.put(pickle.load(self._process.stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            self._messages.put(None)

    def _overhear(self) -> None:
        """Keep the last lines that the child's libraries print; they tell why it died."""
        for line in self._process.stderr or ():
            self._said.append(line.decode(errors="replace").strip())


class _Idle:
    """Warm children without a task."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.workers: list[Worker] = []

    def close(self) -> None:
        with self.lock:
            workers, self.workers = self.workers, []
        for worker in workers:
            worker.close()

    def forget(self) -> None:
        """After a fork: the children belong to the other process."""
        self.lock, self.workers = threading.Lock(), []


_idle = _Idle()
atexit.register(_idle.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.forget)


def warm_up() -> None:
    """Start a child now, so that it is ready when the first task comes."""
    with _idle.lock:
        if not _idle.workers and sys.executable:
            _idle.workers.append(Worker())


@contextmanager
def a_worker() -> Iterator[Worker]:
    """A child for one task: a warm one if there is one. Kept for the next task unless it died, or as many as there are cores wait already."""
    with _idle.lock:
        worker = _idle.workers.pop() if _idle.workers else None
    if worker is None or not worker.alive:
        if worker is not None:
            worker.close()
        worker = Worker()
    try:
        yield worker
    finally:
        with _idle.lock:
            keep = worker.alive and len(_idle.workers) < (os.cpu_count() or 1)
            if keep:
                _idle.workers.append(worker)
        if not keep:
            worker.close()
