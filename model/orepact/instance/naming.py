"""Suggesting the nearest known name where an unknown one was given. Used by every message about names."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

SIMILAR = 50.0
"""Least likeness, 0 to 100, at which a known name is worth suggesting."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, ignoring case; None if none is."""
    found = process.extractOne(name, sorted(set(known)), scorer=fuzz.ratio, processor=str.casefold, score_cutoff=SIMILAR)
    return None if found is None else found[0]


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses `name`: the nearest known name, or a few of the known ones."""
    names = sorted(set(known))
    like = nearest(name, names)
    if like is not None:
        return f"; nearest known: {like}"
    if not names:
        return "; none is known"
    return "; known: " + ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
