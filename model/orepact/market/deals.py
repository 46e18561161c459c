"""What an owner's answer is made of: how prices look to a plant, what is on the table, deals and what a package imposes.

Plain values; they are worked out in `signing.py`. Arrays are (T, W): period, scenario.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orepact.market.horizon import Array

TIE = 1e-9  # margins this close to zero (scaled price) count as zero: the plant runs


@dataclass(frozen=True)
class Response:
    """How prices of one path look to one plant: margin μ and price of the main output, both (T, W)."""

    margin: Array
    main_price: Array

    @property
    def runs(self) -> NDArray[np.bool_]:
        return np.asarray(self.margin >= -TIE)

    @property
    def earning(self) -> Array:
        return np.maximum(self.margin, 0.0)


@dataclass(frozen=True)
class Deal:
    """One contract (or none) at one start: data per unit of capacity under contract, and the corners of the owner's polygon.

    `extra` (T, W) output added per h · `pay` (T, W) payment per h · `stockpiled` (T,) tonnes that must be bought per h ·
    `value0/1/g`: owner's NPV = value0 + value1·h + valueg·g · `spare` (T, W), `spare_h` (T, W), `spare_g` (T, W): lenders' surplus likewise ·
    `corners` (n, 2) of (h, g) with `rent` (n,) foreign rent at the social rate.
    """

    start: int
    contract: int  # -1: none
    extra: Array
    pay: Array
    stockpiled: Array
    value0: float
    value1: float
    valueg: float
    spare: Array
    spare_h: Array
    spare_g: Array
    corners: Array
    rent: Array

    @property
    def plain(self) -> bool:
        """A merchant offer without any support."""
        return self.contract < 0 and not self.corners.any()


@dataclass(frozen=True)
class Choice:
    """What is on an owner's table: a contract (-1: none) with the range of volume under it, and the range of a grant."""

    contract: int
    volume: tuple[float, float] = (0.0, 0.0)
    grant: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Imposed:
    """What a package fixes for one plant: contract and volume under it, grant, payer, starts; whether it must be built.

    None: not fixed. `rest`: whether support beyond this may be offered.
    """

    contract: int | None
    volume: float | None
    grant: float | None
    payer: int | None
    starts: tuple[int, ...] | None
    built: bool
    rest: bool

    @property
    def supports(self) -> bool:
        return self.contract is not None or self.grant is not None

    def agrees(self, deal: Deal) -> bool:
        """Whether a deal is what the package asks for."""
        return not self.supports or deal.contract == (-1 if self.contract is None else self.contract)
