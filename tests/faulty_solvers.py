"""Tasks that fail on purpose, for the child process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from typing import Any

from orepact.errors import InstanceError, Problem
from orepact.solver.progress import Listener, Progress
from orepact.solver.pulse import PULSE


def echo(*words: Any, listener: Listener, stop: threading.Event) -> Any:
    """What it was given, and the process it was given to."""
    print("chatter of some library")
    listener(Progress("solve", message="heard"))
    return words, os.getpid(), stop.is_set()


def wait_for_stop(*_: Any, listener: Listener, stop: threading.Event) -> float:
    """How long until the stop came."""
    began = time.monotonic()
    listener(Progress("solve", message="waiting"))
    stop.wait(30)
    return time.monotonic() - began


def refuse(*_: Any, **__: Any) -> None:
    raise InstanceError([Problem("a.csv", 3, "x", "y", "is wrong")])


def stumble(*_: Any, **__: Any) -> None:
    class Odd(Exception):
        """One that can't be sent anywhere."""

    raise Odd("local")


def abort(*_: Any, **__: Any) -> None:
    print("free(): invalid pointer", file=sys.stderr, flush=True)
    os.abort()


def crash(*_: Any, **__: Any) -> None:
    ctypes.string_at(0)


def leave(*_: Any, **__: Any) -> None:
    os._exit(5)


def turn_in_circles(*_: Any, **__: Any) -> None:
    """A solver that no longer calls back: Python runs on, the solver gives no sign of life."""
    with PULSE.running():
        while True:
            sum(range(1000))


def start_another(*_: Any, listener: Listener, **__: Any) -> None:
    """Starts a program of its own, as Pyomo does with other solvers, and waits for it."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    listener(Progress("solve", message=str(other.pid)))
    other.wait()


def hold_the_lock(*_: Any, **__: Any) -> None:
    """A library that never lets Python's lock go."""
    ctypes.PyDLL(None).sleep(600)


def eat_memory(*_: Any, **__: Any) -> None:
    kept = []
    while True:
        kept.append(b"x" * 50_000_000)
        time.sleep(0.02)
