"""Runs that fail on purpose: each stands in for `orepact.api:run` in the child process."""

from __future__ import annotations

import os
import threading
from typing import Any

from orepact import api
from orepact.errors import SolverFault
from orepact.solution.solution import Solution
from orepact.solver.progress import Listener, Progress


def abort(*_: Any, **__: Any) -> None:
    """Dies whatever it is asked."""
    os.abort()


def abort_with_presolve(instance: Any, options: Any, *rest: Any, **how: Any) -> Solution:
    """Dies as long as presolve is on."""
    if options.presolve:
        os.abort()
    return api.run(instance, options, *rest, **how)


def abort_after_the_plan(instance: Any, options: Any, *rest: Any, **how: Any) -> Solution:
    """Finds its plan and dies, unless asked for one path only."""
    solution = api.run(instance, options, *rest, **how)
    if options.path_list != 1:
        os.abort()
    return solution


def miss_once(instance: Any, options: Any, *rest: Any, **how: Any) -> Solution:
    """Hands over a plan that does not add up, as long as presolve is on."""
    if options.presolve:
        raise SolverFault("bad point", "the solver's plan misses the model it was found in")
    return api.run(instance, options, *rest, **how)


def wait_at_the_plan(instance: Any, options: Any, *rest: Any, listener: Listener, stop: threading.Event, **how: Any) -> Solution:
    """Goes on from its first plan only when a stop is asked for."""

    def hear(event: Progress) -> None:
        listener(event)
        if event.incumbent is not None:
            stop.wait(60)

    return api.run(instance, options, *rest, listener=hear, stop=stop, **how)
