"""Kills at random moments: of a sweep and everything it started. Nothing is lost, nothing is corrupt, nothing is half there."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import orepact

ROOT = Path(__file__).parents[1]
WORDS = [
    *("sweep", str(ROOT / "instances" / "tutorial"), "--quiet", "--workers", "2"),
    *("--vary", "economics.public_money_premium=0.25,0.4,0.7", "--vary", "solve.behaviour=market,planner"),
]
NEVER_REPEATS = {"seconds", "phases", "peak_memory_mb"}


def begin(out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "orepact", *WORDS, "--out", str(out)],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "model")},
        stdout=subprocess.DEVNULL,
    )


def content(folder: Path) -> dict[str, Any]:
    """What a sweep says, file by file, without what never repeats. A killed sweep's hidden leftovers are no part of what it says: they
    may end in the middle of a word."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or any(part.startswith(".") for part in Path(name).parts):
            continue
        if path.name == "solution.json":
            found[name] = {key: value for key, value in json.loads(path.read_bytes()).items() if key not in NEVER_REPEATS}
        elif path.name == "manifest.json":
            kept = json.loads(path.read_bytes())
            del kept["files"]["solution.json"]
            found[name] = kept
        else:
            found[name] = None if path.name == "seconds.csv" else path.read_bytes()
    return found


def check_ended(folder: Path, wanted: dict[str, Any]) -> None:
    """A sweep that was let end says all of it and has swept up what killed ones left."""
    assert content(folder) == wanted
    assert {path.name for path in folder.rglob(".*")} == {".lock"}


def test_content_passes_over_half_written_leftovers(tmp_path: Path) -> None:
    """SIGKILL between a file's creation and its first byte: seen once in a hundred kills."""
    part = tmp_path / "cases" / ".one.0a1b2c3d.part"
    part.mkdir(parents=True)
    (part / "solution.json").touch()
    (tmp_path / ".lock").touch()
    (tmp_path / "sweep.csv").write_bytes(b"case\n")
    assert content(tmp_path) == {"sweep.csv": b"case\n"}
    with pytest.raises(AssertionError):
        check_ended(tmp_path, content(tmp_path))


def kill_often(kills: int, out: Path, seed: int) -> None:
    """Kill sweeps `kills` times, look at what is left each time, and let each sweep end in the end."""
    whole = out / "whole"
    began = time.monotonic()
    assert begin(whole).wait() == 0
    seconds, wanted, chance = time.monotonic() - began, content(whole), random.Random(seed)
    folder, done = out / "killed", 0
    stored: set[str] = set()
    while done < kills:
        process = begin(folder)
        time.sleep(chance.uniform(0.3, 1.2) * seconds)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            done += 1
        ended = process.wait() == 0
        cases = {path.name for path in (folder / "cases").glob("[!.]*")}
        assert stored <= cases  # nothing is lost
        assert all(orepact.load(folder / "cases" / name).result.status.value == "solved" for name in cases)  # nothing is corrupt
        there = content(folder)
        assert {name: wanted[name] for name in there} == there  # what is there is there whole
        stored = cases
        if ended:
            check_ended(folder, wanted)
            shutil.rmtree(folder)
            stored = set()
    assert begin(folder).wait() == 0
    check_ended(folder, wanted)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
def test_five_kills(tmp_path: Path) -> None:
    kill_often(5, tmp_path, seed=3)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
def test_a_hundred_kills(tmp_path: Path) -> None:
    kill_often(100, tmp_path, seed=1)
