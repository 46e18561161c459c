"""What a search leaves behind for the next one that differs little (`question.py` says which do).

A search of one chain leaves its trail, a basket its parts, prices, and the paths and starts of its plan.
"""

from __future__ import annotations

from orepact.market.paths import Path
from orepact.solver.batch import Starts
from orepact.solver.examine import Trail
from orepact.solver.part import Part
from orepact.solver.shared import Prices


class Memory:
    """What a search leaves behind for the next one that differs little: parts of a basket whose rows and rules are the same are taken over as
    they stand; where figures alone differ, the search begins with what was examined before."""

    def __init__(self) -> None:
        self.trails: dict[str, Trail] = {}  # of instances of one part, by the kind of question
        self.parts: dict[str, Part] = {}
        self.prices: Prices = {}
        self.paths: dict[tuple[str, ...], Path] = {}  # of the last plan, by the part's products
        self.starts = Starts()  # of the last plan

    def branch(self) -> Memory:
        """A memory that begins with what this one holds: what the next search adds stays in it."""
        branch = Memory()
        branch.trails, branch.parts, branch.prices, branch.paths = dict(self.trails), dict(self.parts), self.prices, dict(self.paths)
        branch.starts = self.starts
        return branch
