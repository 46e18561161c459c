"""This model as one MILP over the listed paths, by its own hand-over to HiGHS."""

from __future__ import annotations

from methods.job import Job, Reply, answer
from methods.ours import solve


def one_model(job: Job) -> Reply:
    """All listed paths in one model."""
    return solve(job, method="milp")


if __name__ == "__main__":
    answer(one_model)
