"""Many cases of one instance: settings and run options varied over a grid or a list, each case a run of its own.

A case is known by the digest of all that its answer depends on. What is stored whole is not solved again, so a sweep that was
stopped or killed goes on where it was, and ends with the same files. The table is always made from the stored runs.
"""

from __future__ import annotations

import csv
import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from orepact.errors import InstanceError, OptionError, StoppedError
from orepact.instance.instance import Instance
from orepact.instance.naming import suggestion
from orepact.instance.overrides import RUN, known_paths, solve_options, value_list, value_of
from orepact.options import SolveOptions
from orepact.solution.cases import SECONDS, TABLE, SweepFolder, key_of
from orepact.solution.indicators import INDICATORS
from orepact.solution.solution import Solution
from orepact.solver.progress import Listener, Progress, keep_plan_on_interrupt, money
from orepact.solver.result import Status, this_platform, versions

Values = Mapping[str, Any]
"""Values by dotted path, as in `--set`."""


@dataclass(frozen=True)
class Case:
    """One case: what is varied, and the instance and options that come of it."""

    values: Values
    instance: Instance
    options: SolveOptions

    @property
    def label(self) -> str:
        """What is varied, for people."""
        return ", ".join(f"{path}={value}" for path, value in self.values.items()) or "as it is"


def parse_vary(words: Sequence[str]) -> dict[str, list[Any]]:
    """The values by path in words such as `economics.social_rate=0.02,0.03`. Raises OptionError."""
    found: dict[str, list[Any]] = {}
    for word in words:
        path, equals, text = (part.strip() for part in word.partition("="))
        if not equals or not text:
            raise OptionError(f"--vary {word}: write it as path.to.option=a,b,c")
        if path in found:
            raise OptionError(f"--vary {word}: {path} is given twice")
        found[path] = value_list(text)
    return found


def parse_list(text: str, name: str = "list") -> list[dict[str, Any]]:
    """The cases in a CSV file: a column per path, a row per case. Raises OptionError."""
    header, *rows = [[cell.strip() for cell in row] for row in csv.reader(StringIO(text)) if any(cell.strip() for cell in row)] or [[]]
    if not rows:
        raise OptionError(f"{name}: a list has a header of paths such as economics.social_rate, and a row for every case")
    if twice := next((path for path in header if header.count(path) > 1), None):
        raise OptionError(f"{name}: column {twice!r} is there twice")
    if wrong := next((n for n, row in enumerate(rows, start=2) if len(row) != len(header)), None):
        raise OptionError(f"{name}: row {wrong} has {len(rows[wrong - 2])} cells, the header {len(header)}")
    return [{path: value_of(cell) for path, cell in zip(header, row, strict=True)} for row in rows]


def cases_of(instance: Instance, vary: Mapping[str, Sequence[Any]], listed: Sequence[Values], options: SolveOptions) -> list[Case]:
    """Every row of the list with every point of the grid. Raises OptionError with all that is wrong with any of them."""
    paths = [*dict.fromkeys(itertools.chain(*listed)), *vary]
    known, wrong = known_paths(), []
    wrong += [f"unknown option {path!r}{suggestion(path, known)}" for path in dict.fromkeys(paths) if path not in known]
    wrong += [f"{path} is both in the list and in the grid" for path in vary if any(path in row for row in listed)]
    wrong += [f"{path} has no values" for path, values in vary.items() if not values]
    cases = []
    for row, point in itertools.product(listed or [{}], itertools.product(*vary.values())) if not wrong else ():
        values = {**row, **dict(zip(vary, point, strict=True))}
        try:
            cases.append(_case(instance, values, options))
        except (OptionError, InstanceError) as error:
            wrong.append(f"case {', '.join(f'{path}={value}' for path, value in values.items())}: {error}")
    if wrong:
        raise OptionError("nothing was solved:\n" + "\n".join(f"  {line}" for line in dict.fromkeys(wrong)))
    return cases


def _case(instance: Instance, values: Values, options: SolveOptions) -> Case:
    own: dict[str, Any] = {}
    for path, value in values.items():
        section, _, name = path.partition(".")
        if section == RUN:
            own[name] = value
        else:
            instance = instance.with_setting(path, value)
    changed = solve_options({**options.model_dump(), **own}, {})
    # each case on one thread: then its answer does not depend on the machine, and the cores are shared between cases
    return Case(values, instance, changed if changed.threads else changed.model_copy(update={"threads": 1}))


def sweep(
    cases: Sequence[Case],
    out: Path | None,
    solve: Callable[..., Solution],
    executor: Executor | None = None,
    workers: int = 0,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> tuple[pd.DataFrame, Path]:
    """Solve the cases that are not stored yet and return the table of all, one row per case, and the sweep's folder.

    `solve(instance, options)` is called on the `executor`, or on `workers` threads of this process (0: as many as there are cores), and is then told
    of `stop` and how many run `side_by_side`.
    Raises RunError for a folder that can't be used, StoppedError if it was stopped before the end.
    """
    stop = stop or threading.Event()
    keys = [key_of(case.instance.digests, case.options.model_dump(mode="json"), versions(case.options)) for case in cases]
    first = cases[0].instance
    folder = SweepFolder(out or Path("runs") / f"{first.name}-sweep-{key_of({}, {'cases': keys}, {})[:8]}")
    with folder.held(first.name), keep_plan_on_interrupt(stop):
        asked = [{"case": n, "key": key, "values": dict(case.values)} for n, (key, case) in enumerate(zip(keys, cases, strict=True), start=1)]
        folder.begin({"instance": {"name": first.name}, "cases": asked, "versions": versions(), "platform": this_platform()})
        done = {key: summary for key in dict.fromkeys(keys) if (summary := folder.finished(key)) and summary["status"] != Status.FAILED.value}
        tell = _Teller(listener, len(set(keys)), len(done))
        left = {key: case for key, case in zip(keys, cases, strict=True) if key not in done}
        if executor is not None:
            _solve_all(folder, left, lambda case: executor.submit(solve, case.instance, case.options), len(left), tell, stop)
        else:
            threads = max(1, min(workers or _cores(), len(left)))
            with ThreadPoolExecutor(threads) as pool:
                asked_of = partial(pool.submit, solve, stop=stop, side_by_side=threads)
                _solve_all(folder, left, lambda case: asked_of(case.instance, case.options), threads, tell, stop)
        summaries = [folder.finished(key) for key in keys]
        ended = [summary for summary in summaries if summary is not None]
        if len(ended) < len(keys):
            raise StoppedError(f"stopped: {len({k for k in keys if folder.finished(k)})} of {len(set(keys))} cases are stored in {folder.folder}")
        rows = [_row(n, key, case, summary) for n, (key, case, summary) in enumerate(zip(keys, cases, ended, strict=True), start=1)]
        folder.write_table(SECONDS, [{"case": n, "seconds": s["seconds"], "peak_memory_mb": s["peak_memory_mb"]} for n, s in enumerate(ended, start=1)])
        folder.write_table(TABLE, rows)
    return pd.DataFrame(rows), folder.folder


def _solve_all(
    folder: SweepFolder, left: Mapping[str, Case], submit: Callable[[Case], Future[Solution]], at_once: int, tell: _Teller, stop: threading.Event
) -> None:
    """Solve and store the cases, no more at once than there are workers, so that a stop is quick."""
    waiting = list(left.items())
    running: dict[Future[Solution], tuple[str, Case]] = {}
    try:
        while (waiting and not stop.is_set()) or running:
            while waiting and len(running) < at_once and not stop.is_set():
                key, case = waiting.pop(0)
                running[submit(case)] = key, case
            finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                key, case = running.pop(future)
                solution = future.result()
                if stop.is_set() and (solution.result.limit == "interrupt" or solution.result.status is Status.FAILED):
                    continue  # cut short: to be solved again
                folder.drop(key)
                solution.save(folder.case(key))
                tell(case, solution)
    except BaseException:
        stop.set()
        for future in running:
            future.cancel()
        raise


class _Teller:
    """Tells the listener of every case that ended."""

    def __init__(self, listener: Listener | None, cases: int, done: int) -> None:
        self._listener, self._cases, self._done, self._began = listener, cases, done, time.perf_counter()
        if done:
            self._say(f"{done} of {cases} cases are stored already")

    def __call__(self, case: Case, solution: Solution) -> None:
        self._done += 1
        result = solution.result
        cost = "" if result.objective is None else f", {money(result.objective)}"
        self._say(f"case {self._done} of {self._cases}: {case.label}: {result.status.value}{cost}, in {result.seconds:.1f} s")

    def _say(self, message: str) -> None:
        if self._listener is not None:
            self._listener(Progress("sweep", time.perf_counter() - self._began, message=message))


def _row(number: int, key: str, case: Case, summary: Mapping[str, Any]) -> dict[str, Any]:
    """One case in the table."""
    told = ("status", "objective", "bound", "gap", "paths_examined", "limit", "proven", "confirmation")
    indicators = {name: summary["indicators"].get(name, {}).get("value") for name in INDICATORS}
    without = {"cost_without_policy": summary["baseline"].get("objective")}
    return {"case": number, **case.values, **{name: summary[name] for name in told}, **without, **indicators, "run": key}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
