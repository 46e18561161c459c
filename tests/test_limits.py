"""Stopped by a limit, by ctrl-C, by a batch system: the best plan is kept, with its true gap and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import orepact

ROOT = Path(__file__).parents[1]
MAGNET = ROOT / "instances" / "magnet-rare-earths"
SMELTER = ROOT / "tests" / "data" / "smelter"
PATH = os.pathsep.join([str(ROOT / "model"), str(ROOT / "tests")])

STANDS_STILL = "import sys; from orepact import calls, cli; calls.RUN = 'faulty_runs:wait_at_the_plan'; sys.exit(cli.main())"
"""The command line, with a run that stands still at its first plan until it is stopped."""


def start(*command: str) -> subprocess.Popen[str]:
    """A Python of its own, in a process group of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *command], env={**os.environ, "PYTHONPATH": PATH}, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def stopped(process: subprocess.Popen[str], number: int, word: str) -> tuple[int, str]:
    """Exit code and standard output of a process whose whole group gets a signal once it says `word` on standard error."""
    assert process.stderr is not None
    while word not in (line := process.stderr.readline()):
        assert line, "it ended by itself"
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def check_gap(answer: dict[str, Any]) -> None:
    """A plan comes with its true gap; without one there are no numbers."""
    if answer["objective"] is None:
        assert (answer["bound"], answer["gap"], answer["indicators"]) == (None, None, {})
    elif answer["bound"] is None:
        assert answer["gap"] is None
    else:
        assert answer["bound"] <= answer["objective"]
        assert answer["gap"] == pytest.approx((answer["objective"] - answer["bound"]) / answer["objective"])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_keeps_the_best_plan(tmp_path: Path, number: int) -> None:
    process = start("-c", STANDS_STILL, "solve", str(SMELTER), "--json", "--out", str(tmp_path / "run"))
    code, out = stopped(process, number, "best")
    answer = json.loads(out)
    assert (code, answer["status"], answer["limit"]) == (3, "limit", "interrupt")
    check_gap(answer)
    assert answer["gap"] > 0.01  # its first plan is not its best
    assert orepact.load(tmp_path / "run").result.objective == answer["objective"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
def test_a_stopped_sweep_says_how_to_go_on(tmp_path: Path) -> None:
    words = ["sweep", str(SMELTER), "--vary", "solve.behaviour=planner,market", "--workers", "1", "--out", str(tmp_path / "s"), "--json"]
    code, out = stopped(start("-c", STANDS_STILL, *words), signal.SIGINT, "case 1 of 2")
    assert (code, json.loads(out)["status"]) == (3, "stopped")
    assert "1 of 2 cases are stored" in json.loads(out)["error"]
    assert not (tmp_path / "s" / "sweep.csv").exists()


@pytest.mark.slow
def test_one_second_is_heeded_and_the_gap_is_true(tmp_path: Path) -> None:
    """The magnet instance takes longer than that to write down."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "orepact", "solve", str(MAGNET), "--time-limit", "1", "--quiet", "--json"],
        env={**os.environ, "PYTHONPATH": PATH}, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode in (3, 5)
    answer = json.loads(done.stdout)
    assert answer["limit"] == "time"
    check_gap(answer)
    assert time.monotonic() - began < 30


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
def test_ctrl_c_keeps_the_best_magnet_plan(tmp_path: Path) -> None:
    words = ("solve", str(MAGNET), "--json", "--time-limit", "3000", "--set", "solve.path_list=6", "--out", str(tmp_path / "run"))
    code, out = stopped(start("-m", "orepact", *words), signal.SIGINT, "best")
    answer = json.loads(out)
    assert code == (3 if answer["objective"] else 5)
    assert answer["limit"] == "interrupt"
    check_gap(answer)
