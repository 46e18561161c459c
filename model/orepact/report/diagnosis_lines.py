"""Why there is no plan, as lines of text: for the card and for `orepact explain`."""

from __future__ import annotations

from itertools import groupby

from orepact.solver.diagnosis.diagnosis import Conflict, Diagnosis, Repair

MOST_ROWS = 6
MOST_REPAIRS = 5


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """All of it."""
    lines = [f"Status: {diagnosis.status}", *diagnosis.notes]
    if diagnosis.conflicts:
        lines += ["", "What can't all hold", *(f"  {line}" for line in conflict_lines(diagnosis, notes=False))]
        lines += ["", "What would give a plan", *(f"  {line}" for line in repair_lines(diagnosis) or ["Nothing that was tried."])]
    return lines


def conflict_lines(diagnosis: Diagnosis, notes: bool = True) -> list[str]:
    """The rules that can't all hold, what the alliance decides first."""
    lines = list(diagnosis.notes) if notes else []
    if diagnosis.conflicts:
        least = "; without any one of them the rest can hold" if diagnosis.irreducible and len(diagnosis.conflicts) > 1 else ""
        which = "This can't hold" if len(diagnosis.conflicts) == 1 else "These can't all hold"
        lines.append(f"{which} {diagnosis.scope}{least}:")
        lines += [f"- {conflict.words} ({_places(conflict)})" for conflict in diagnosis.conflicts]
    return lines


def repair_lines(diagnosis: Diagnosis) -> list[str]:
    """Repairs, least effort first; what is not for the alliance to decide says so."""
    return [_repair(n, repair) for n, repair in enumerate(diagnosis.repairs[:MOST_REPAIRS], 1)]


def _repair(n: int, repair: Repair) -> str:
    who = "" if repair.decided else ", not for the alliance alone to decide"
    return f"{n}. {'; '.join(step.sentence for step in repair.steps)} (effort {repair.effort:.3g} points{who}; {repair.verified})"


def _places(conflict: Conflict) -> str:
    parts = []
    for file, group in groupby(conflict.places, key=lambda place: place.file):
        places = list(group)
        rows = list(dict.fromkeys(str(place.row) for place in places if place.row is not None))
        columns = ", ".join(dict.fromkeys(place.column for place in places))
        more = f" and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
        where = f" row{'s' if len(rows) > 1 else ''} {', '.join(rows[:MOST_ROWS])}{more}" if rows else ""
        parts.append(f"{file}{where}, {columns}")
    return "; ".join(parts)
