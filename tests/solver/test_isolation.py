"""The child process: what it is given and gives back, and every way to die in it. The caller survives all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orepact.errors import InstanceError, SolverError, SolverFault
from orepact.solver.isolation import Guards, Worker, a_worker, warm_up
from orepact.solver.progress import Progress

TESTS = Path(__file__).parents[1]
CALM = Guards(time_limit=60, silence=60, late_silence=60, mute=60, whole=60, memory_mb=4000)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    made = Worker(warm=())
    yield made
    made.close()


def test_a_child_answers_again_and_again(worker: Worker) -> None:
    heard: list[Progress] = []
    for words in ((1, "a"), ({"b": 2},)):
        assert worker.run("faulty_solvers:echo", words, CALM, heard.append) == (words, worker.pid, False)
    assert [event.message for event in heard] == ["heard", "heard"]
    assert worker.pid != os.getpid()


def test_what_a_task_raises_is_raised_here_and_the_child_lives_on(worker: Worker) -> None:
    with pytest.raises(InstanceError, match=r"a\.csv, row 3, column x: 'y': is wrong") as caught:
        worker.run("faulty_solvers:refuse", (), CALM)
    assert caught.value.problems[0].row == 3
    assert "in refuse" in str(caught.value.__cause__)  # where it happened is told
    with pytest.raises(SolverError, match="Odd: local"):
        worker.run("faulty_solvers:stumble", (), CALM)
    assert worker.run("faulty_solvers:echo", (), CALM)[1] == worker.pid


@pytest.mark.parametrize(
    ("task", "kind", "reason", "guards"),
    [
        ("abort", "abort", r"ended by SIGABRT: free\(\): invalid pointer", CALM),
        ("crash", "abort", "ended by SIGSEGV", CALM),
        ("leave", "abort", "ended with exit code 5", CALM),
        ("turn_in_circles", "hang", "no sign of life for 1 seconds", replace(CALM, silence=1)),
        ("turn_in_circles", "hang", "no sign of life", replace(CALM, time_limit=0.2, late_silence=0.5)),
        ("hold_the_lock", "hang", "did not respond", replace(CALM, mute=2)),
        ("wait_for_stop", "hang", "was not back after", replace(CALM, whole=1)),
        ("eat_memory", "memory", "more than the 300 MB allowed", replace(CALM, memory_mb=300)),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals have other names there")
def test_no_fault_of_the_child_reaches_the_caller(worker: Worker, task: str, kind: str, reason: str, guards: Guards) -> None:
    with pytest.raises(SolverFault, match=reason) as caught:
        worker.run(f"faulty_solvers:{task}", (), guards)
    assert caught.value.kind == kind
    assert not psutil.pid_exists(worker.pid)


def test_a_stop_reaches_the_child(worker: Worker) -> None:
    stop = threading.Event()
    waited = worker.run("faulty_solvers:wait_for_stop", (), CALM, lambda _: stop.set(), stop)
    assert waited < 5
    assert worker.run("faulty_solvers:echo", (), CALM)[2] is False  # the next task begins without it


def test_a_listener_that_raises_ends_the_child(worker: Worker) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.run("faulty_solvers:wait_for_stop", (), CALM, interrupt)
    assert not worker.alive


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_program_that_the_child_started_ends_with_it(worker: Worker) -> None:
    others: list[int] = []
    with pytest.raises(SolverFault, match="was not back"):
        worker.run("faulty_solvers:start_another", (), replace(CALM, whole=1), lambda event: others.append(int(event.message)))
    assert gone(others[0])


def test_a_dead_child_is_replaced() -> None:
    with a_worker() as first:
        pass
    psutil.Process(first.pid).kill()
    assert gone(first.pid)
    patience = time.monotonic() + 60
    while first.alive and time.monotonic() < patience:  # the system may tell the parent a moment later
        time.sleep(0.05)
    with a_worker() as second:
        assert second.pid != first.pid
    warm_up()
    with a_worker() as third:
        assert third.pid == second.pid


PARENT = """
import os, sys
from orepact.solver.isolation import Guards, Worker
worker = Worker(warm=())
print(worker.pid, flush=True)
worker.run("faulty_solvers:turn_in_circles", (), Guards(600, 600, 600, 600, 600, 4000))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_child_ends_with_its_parent() -> None:
    """A script without a main guard, killed at once: no solver is left behind."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "model")])
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(child)
