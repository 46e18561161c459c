"""What several tests of the solver look at."""

from __future__ import annotations

import pytest

from orepact.market.paths import Path
from orepact.solver.answer import Answer
from orepact.solver.batch import Plan, Starts
from orepact.solver.whole import Whole


@pytest.fixture
def whole_solves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Starts | None]]:
    """Paths and starts of every time that the whole model is asked for."""
    asked: list[tuple[Path, Starts | None]] = []
    plan = Whole.plan

    def noted(self: Whole, path: Path, starts: Starts | None) -> tuple[Plan, Answer] | None:
        asked.append((path, starts))
        return plan(self, path, starts)

    monkeypatch.setattr(Whole, "plan", noted)
    return asked
