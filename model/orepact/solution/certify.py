"""Verify a solution or a stored run, against the instance it carries or another one given."""

from __future__ import annotations

from pathlib import Path

from orepact.instance.instance import Instance
from orepact.instance.kept import instance_of
from orepact.instance.reader import read
from orepact.solution.solution import Solution
from orepact.solution.store import RunError
from orepact.solution.verification.certificate import Certificate
from orepact.solution.verification.verify import verify as verify_tables


def verify(run: Solution | str | Path, instance: Instance | str | Path | None = None) -> Certificate:
    """Check a plan anew, with arithmetic of its own; needs no solver. `instance`: instead of the one kept with the run.

    Raises RunError where there is no plan, or no instance to check it against, InstanceError for an instance that can't be read.
    """
    solution = run if isinstance(run, Solution) else Solution.load(run)
    if not solution.has_plan:
        raise RunError(f"status {solution.result.status.value!r}: a run without a plan has nothing to verify")
    if instance is None:
        if not solution.instance_files:
            raise RunError("the run does not hold its instance; say where it is with --instance")
        instance = instance_of(solution.instance_files)
    elif not isinstance(instance, Instance):
        instance = read(instance)
        for section, values in solution.settings:
            for key, value in values:
                if getattr(getattr(instance.settings, section), key) != value:
                    instance = instance.with_setting(f"{section}.{key}", value)
    return verify_tables(instance, solution.summary(), solution.tables)
