"""What the project says about itself is true: pages match the code, links lead somewhere, the README's lines run, versions are pinned."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_generated_pages_match_the_code() -> None:
    """`make docs` writes them anew."""
    done = subprocess.run([sys.executable, ROOT / "docs" / "build.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    shutil.copytree(ROOT / "instances" / "tutorial", tmp_path / "instances" / "tutorial")
    monkeypatch.chdir(tmp_path)
    exec(code[1], {})
    assert "guarantee" in capsys.readouterr().out
    assert list((tmp_path / "runs").glob("*/solution.json"))


def test_the_readme_names_every_command() -> None:
    from_help = subprocess.run([sys.executable, "-m", "orepact", "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^\s+([a-z]+)\s{2,}\S", from_help.partition("Commands")[2], re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert commands
    assert [name for name in commands if name != "version" and f"orepact {name} " not in readme] == []


def test_every_dependency_is_pinned_by_hash_without_an_address() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.findall(r"://|@|--(?!hash|universal|python-version|fork-strategy|all-extras|generate-hashes|no-|require-hashes)\S+", pins) == []
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, re.MULTILINE))
    blocks = re.split(r"^(?=[a-z0-9-]+==)", pins, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [item for extra in project["project"]["optional-dependencies"].values() for item in extra]
    assert [item for item in wanted if re.split(r"[<>=!~ ]", item)[0] not in pinned] == []
