"""Versions of Orepact and of what its answers depend on, read from what is installed; nothing is imported for it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

DEPENDENCIES = ("highspy", "numpy", "pandas", "pyomo")


def _version(package: str, otherwise: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return otherwise


VERSION = _version("orepact", "0+source")
"""Version of Orepact; `0+source` where it runs from its source without being installed."""


def installed() -> dict[str, str]:
    """Version by name: orepact, python and the packages that shape an answer."""
    return {"orepact": VERSION, "python": platform.python_version(), **{name: _version(name, "absent") for name in DEPENDENCIES}}
