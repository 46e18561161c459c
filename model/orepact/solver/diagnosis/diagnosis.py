"""The answer to "why is there no plan": plain values that are stored with a run and read back without a solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A figure of the user's: file, row as an editor shows it (None: a row that is missing, or a setting), column, value now."""

    file: str
    row: int | None
    column: str
    value: str


@dataclass(frozen=True)
class Conflict:
    """One of the rules that can't all hold: in words, where it stands, and whether the alliance decides it (or it is how the world is)."""

    words: str
    decided: bool
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Step:
    """One change of a repair: the place, what to write there, and the whole as a sentence."""

    place: Place
    new: str
    sentence: str


@dataclass(frozen=True)
class Repair:
    """Changes after which there is a plan. `effort` in points (a point of a target, a hundredth of a year's use in money or tonnes,
    a tenth of a year; three times that for what the alliance can't decide) ranks them. `verified` says where a plan was found."""

    words: str
    effort: float
    decided: bool
    steps: tuple[Step, ...]
    verified: str


@dataclass(frozen=True)
class Diagnosis:
    """Why there is no plan.

    `status` as in the run: infeasible or no plan. `scope` says for what the conflict is shown, `irreducible` that no rule can be
    taken out of it. `bent` is the repair under which the nearest plan was solved, if that was asked. `notes` are sentences.
    """

    status: str
    scope: str
    conflicts: tuple[Conflict, ...] = ()
    irreducible: bool = False
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    bent: Repair | None = None
    seconds: float = 0.0
    solves: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Every field, in values that JSON can carry."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Diagnosis:
        """What `to_dict` wrote."""
        known = dict(stored)
        known["conflicts"] = tuple(Conflict(**{**c, "places": tuple(Place(**p) for p in c["places"])}) for c in stored["conflicts"])
        known["repairs"] = tuple(_repair(r) for r in stored["repairs"])
        known["bent"] = _repair(stored["bent"]) if stored["bent"] else None
        known["notes"] = tuple(stored["notes"])
        return cls(**known)


def _repair(stored: Mapping[str, Any]) -> Repair:
    steps = tuple(Step(Place(**s["place"]), s["new"], s["sentence"]) for s in stored["steps"])
    return Repair(**{**stored, "steps": steps})
