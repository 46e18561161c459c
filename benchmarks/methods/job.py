"""What a method is asked and what it answers, as JSON between processes.

No optimisation library is imported here, so that a method's peak memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
GRACE = 60.0
"""Seconds beyond its limit before a method is killed, for importing, building and extracting."""


@dataclass(frozen=True)
class Job:
    """An instance folder and how it is to be solved; `folder` holds what `export` wrote, `paths` 0 means all that are listed."""

    instance: str
    folder: str = ""
    paths: int = 0
    gap: float = 0.005
    limit: float = 300.0
    threads: int = 1
    neighbours: bool = False


@dataclass(frozen=True)
class Reply:
    """How a method did. Money in USD; `seconds` to the gap or to the limit, imports aside; `parts` are seconds by what they went into."""

    status: str
    seconds: float | None = None
    objective: float | None = None
    bound: float | None = None
    memory: float | None = None
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """Relative gap reached."""
        if self.objective is None or self.bound is None:
            return None
        return max(0.0, self.objective - self.bound) / max(abs(self.objective), 1e-9)


class Stopwatch:
    """Seconds by part, in the order in which they are marked."""

    def __init__(self) -> None:
        self.began = self._last = time.perf_counter()
        self.parts: dict[str, float] = {}

    def mark(self, part: str) -> None:
        """What passed since the last mark went into this part."""
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        self._last = now

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self.began


def peak_memory(children: bool = False) -> float | None:
    """Most memory this process (or the largest of its children) ever held, MB; None where the system does not say.

    On Linux the process's own figure comes from /proc: the one of getrusage still counts what the parent held when it started this process.
    """
    status = Path("/proc/self/status")
    if not children and status.exists():
        return next((float(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM")), None)
    if not find_spec("resource"):
        return None
    resource: Any = import_module("resource")
    most = float(resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF).ru_maxrss)
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def answer(method: Callable[[Job], Reply]) -> None:
    """Run a method as a child: the job from the command line, the reply as the last line of standard output."""
    reply = method(Job(**json.loads(sys.argv[1])))
    content = asdict(reply)
    if content["memory"] is None:
        content["memory"] = peak_memory()
    print(json.dumps(content), flush=True)


def ask(method: str, job: Job, runs: int = 1) -> Reply:
    """Run a method in a process of its own and wait for its reply; a method that fails or is killed says so. It solves `runs` times."""
    command = [sys.executable, "-m", f"methods.{method}", json.dumps(asdict(job))]
    began = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=1.2 * runs * job.limit + GRACE, check=False)
    except subprocess.TimeoutExpired:
        return Reply("killed", seconds=time.perf_counter() - began, note=f"still at it {GRACE:.0f} s after its limit")
    if done.returncode:
        return Reply("failed", seconds=time.perf_counter() - began, note=(done.stderr.strip().splitlines() or ["no message"])[-1][:160])
    return Reply(**json.loads(done.stdout.strip().splitlines()[-1]))
