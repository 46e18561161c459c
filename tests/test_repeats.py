"""Same inputs, seed and one thread: the same bytes in every table, in any process. And what a manifest says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tables(instance: Path, out: Path, hash_seed: str, *words: str) -> dict[str, bytes]:
    """Every table of a run made in a process of its own."""
    command = [sys.executable, "-m", "orepact", "solve", str(instance), "--threads", "1", "--quiet", "--out", str(out), "--json", *words]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "model"), "PYTHONHASHSEED": hash_seed}, check=True, stdout=subprocess.DEVNULL)
    return {path.name: path.read_bytes() for path in out.glob("*.csv")}


def test_a_run_repeats_byte_for_byte(tmp_path: Path) -> None:
    stock = ROOT / "tests" / "data" / "stock"
    first = tables(stock, tmp_path / "a", "1")
    second = tables(stock, tmp_path / "b", "2", "--set", "solve.isolated=false")
    assert first
    assert first == second
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_bytes())
    assert {"instance", "options", "seed", "threads", "versions", "platform", "limits", "files"} <= set(manifest)
    assert set(manifest["instance"]["digests"]) >= {"settings", "facilities", "targets"}
    assert {"orepact", "highspy", "pyomo", "python"} <= set(manifest["versions"])
    assert manifest["limits"]["time_limit"] == 300


@pytest.mark.slow
def test_the_magnet_instance_repeats_byte_for_byte(tmp_path: Path) -> None:
    words = ("--time-limit", "3000", "--set", "solve.path_list=6", "--set", "solve.neighbours=false", "--gap", "0.005")
    first = tables(ROOT / "instances/magnet-rare-earths", tmp_path / "a", "1", *words)
    second = tables(ROOT / "instances/magnet-rare-earths", tmp_path / "b", "2", *words)
    assert first
    assert first == second
