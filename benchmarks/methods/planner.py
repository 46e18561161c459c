"""This model's planner: the physical half, without price paths and owners."""

from __future__ import annotations

from methods.job import Job, Reply, answer
from methods.ours import solve


def planner(job: Job) -> Reply:
    """The first best."""
    return solve(job, behaviour="planner")


if __name__ == "__main__":
    answer(planner)
