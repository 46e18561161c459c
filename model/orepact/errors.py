"""What can go wrong, as types: every failure a caller may want to catch is an OrepactError.

The command line turns each into its exit code; a library user catches the one it can handle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orepact.texts import printable

MOST_SHOWN = 200
"""Problems that the message of one error lists; `problems` has them all."""

LONGEST_SHOWN = 200
"""Characters of a faulty value that a message quotes."""


@dataclass(frozen=True)
class Problem:
    """One fault (or warning) in an instance, located as precisely as it can be.

    `row` is the line of the file as an editor shows it (header = 1), or None for a whole table.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    rule: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        value = "" if self.value is None else f": {_quoted(self.value)}"
        return printable(f"{place}{value}: {self.rule}".replace("\n", "\\n"))


def _quoted(value: str) -> str:
    return repr(value) if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]!r}... ({len(value)} characters)"


class OrepactError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1


class InstanceError(OrepactError):
    """The instance breaks its format; carries every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        lines = "\n".join(f"  {p}" for p in self.problems[:MOST_SHOWN])
        if len(self.problems) > MOST_SHOWN:
            lines += f"\n  ... and {len(self.problems) - MOST_SHOWN} more"
        super().__init__(f"{len(self.problems)} problem(s) in the instance:\n{lines}")

    def __reduce__(self) -> tuple[type[InstanceError], tuple[list[Problem]]]:
        """How it travels from a worker process to its caller."""
        return type(self), (self.problems,)


class OptionError(OrepactError):
    """An option is unknown or out of its range."""

    exit_code = 2


class InfeasibleError(OrepactError):
    """Even the planner's relaxation has no plan."""

    exit_code = 4


class NoSolutionError(OrepactError):
    """No plan was found within the limit or on the paths examined."""

    exit_code = 5


class StoppedError(OrepactError):
    """Stopped before the end; what is done is stored, and the same call goes on from there."""

    exit_code = 3


class SolverError(OrepactError):
    """The solver failed or answered something that can't be used."""

    exit_code = 1


class SolverFault(SolverError):
    """The solver aborted, hung, ate the memory or handed over a plan that does not add up; worth another try with safer settings.

    `kind` is "abort", "hang", "memory" or "bad point".
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason

    def __reduce__(self) -> tuple[type[SolverFault], tuple[str, str]]:
        """How it travels from a worker process to its caller."""
        return type(self), (self.kind, self.reason)
