"""Runs that fail on purpose: each stands in for `orepact.api:run` in the child process."""

from __future__ import annotations

import os
from typing import Any

from orepact import api
from orepact.errors import SolverFault
from orepact.solution.solution import Solution


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
