"""The child's side of `isolation.py`: `python -m orepact.solver.child` does tasks that arrive on standard input.

Messages are pickles. In: ("task", "module:function", arguments) and ("stop",). Out: ("event", Progress), ("pulse", seconds of
silence), ("done", value) and ("raised", exception, traceback). What a library prints goes to standard error. When the parent is
gone, so is the child: the end of its input ends it at once, whatever it is doing.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from importlib import import_module
from typing import Any, BinaryIO

from orepact.errors import SolverError
from orepact.solver.pulse import PULSE

BEAT = 0.25
"""Seconds between two messages on how the solver is."""


def resolve(name: str) -> Any:
    """The function behind "module:function"."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def main(warm: list[str]) -> None:
    """Do tasks until the input ends; `warm` are modules to import while waiting for the first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent hears them, and asks for a stop if it wants one
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    channel = Channel(os.fdopen(os.dup(sys.stdin.fileno()), "rb"), answers)
    for module in warm:
        import_module(module)
    while True:
        name, arguments = channel.tasks.get()
        channel.busy.set()
        try:
            value = resolve(name)(*arguments, listener=lambda event: channel.send("event", event), stop=channel.stop)
        except BaseException as error:
            channel.busy.clear()
            channel.send("raised", portable(error), traceback.format_exc())
        else:
            channel.busy.clear()
            channel.send("done", value)


def leave() -> None:
    """End at once, with every program started from here (a solver that Pyomo calls); this process leads a group of its own."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


class Channel:
    """Both directions of the conversation, each in a thread of its own beside the work."""

    def __init__(self, questions: BinaryIO, answers: BinaryIO) -> None:
        self.tasks: queue.Queue[tuple[str, tuple[Any, ...]]] = queue.Queue()
        self.stop, self.busy = threading.Event(), threading.Event()
        self._questions, self._answers = questions, answers
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def send(self, *message: Any) -> None:
        """Tell the parent."""
        content = pickle.dumps(message)  # first, so that what can't be pickled leaves no half message behind
        with self._lock:
            self._answers.write(content)
            self._answers.flush()

    def _listen(self) -> None:
        while True:
            try:
                kind, *rest = pickle.load(self._questions)
            except (EOFError, OSError):
                leave()
            if kind == "stop":
                self.stop.set()
            else:
                self.stop.clear()  # here, not where the task begins: its own stop may be right behind it
                self.tasks.put((rest[0], rest[1]))

    def _beat(self) -> None:
        while True:
            self.busy.wait()
            with contextlib.suppress(OSError):
                self.send("pulse", PULSE.silence())
            threading.Event().wait(BEAT)


def portable(error: BaseException) -> BaseException:
    """The exception itself where it survives the way to the parent, otherwise what it says."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SolverError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main(sys.argv[1:])
