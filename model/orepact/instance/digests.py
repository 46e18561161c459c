"""Digests: one SHA-256 per table of what it says, so that a solution can name exactly what it answers.

Taken from canonical values in canonical units: file format, number formatting, units, column order, blank rows
and line numbers make no difference; row order does, since some ties are decided by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from orepact.instance.cells import as_text
from orepact.instance.tables import Plain
from orepact.options import Settings


def table_digest(rows: Plain) -> str:
    """Digest of a typed table."""
    return _sha256(json.dumps([[name, *map(as_text, cells)] for name, cells in rows.columns.items()], ensure_ascii=False))


def settings_digest(settings: Settings) -> str:
    """Digest of the settings, defaults included."""
    return _sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True, ensure_ascii=False))


def overall_digest(digests: Mapping[str, str]) -> str:
    """One digest for the whole instance."""
    return _sha256(json.dumps(sorted(digests.items())))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
