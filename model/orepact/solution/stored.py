"""The shape of solution.json, checked when a run is read: somebody else may have written it.

Only types are looked at here, so that nothing stumbles over them later; unknown keys pass, whoever needs a key asks for it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Figure = Number | None

COUNTS = ("rows", "columns", "binaries", "integers", "nonzeros", "nodes")
"""Entries of `size` that are whole numbers."""

COMPANIONS = {
    "public_outlay_usd": "public_revenue_usd",
    "user_bill_before_usd": "user_bill_usd",
    "shortage_before_t": "shortage_t",
    "targets": "targets_met",
    "targets_met_before": "targets",
}
"""Indicators that are never given without another."""


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Indicator(_Open):
    """An entry of `indicators`."""

    value: Figure


class Baseline(_Open):
    """What happens without policy; empty where it was not solved."""

    status: str | None = None
    objective: Figure = None
    bound: Figure = None
    gap: Figure = None
    cost_terms: dict[str, Number] = {}


class Origin(_Open):
    """`instance`: which instance was solved."""

    digests: dict[str, str]


class Summary(_Open):
    """solution.json as a whole."""

    status: str
    behaviour: str
    method: str
    objective: Figure
    bound: Figure
    gap: Figure
    seconds: Number
    paths_examined: Count
    paths_listed: Count
    proven: str
    limit: str | None
    phases: dict[str, Number]
    size: dict[str, Any]
    peak_memory_mb: Figure
    versions: dict[str, str]
    seed: int
    threads: int
    cost_terms: dict[str, Number]
    baseline: Baseline
    indicators: dict[str, Indicator]
    instance: Origin
    settings: dict[str, Any]
    options: dict[str, Any]
    package: dict[str, str | list[dict[str, str | bool | Number]]]
    warnings: list[str]
    notes: list[str]

    @model_validator(mode="after")
    def sizes_are_numbers(self) -> Summary:
        for name in COUNTS:
            if not isinstance(self.size.get(name, 0), int):
                raise ValueError(f"size.{name} must be a whole number")
        pair = self.size.get("coefficient_range")
        if pair is not None and not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, int | float) for end in pair)):
            raise ValueError("size.coefficient_range must be two numbers")
        if not isinstance(self.size.get("root_gap") or 0, int | float):
            raise ValueError("size.root_gap must be a number")
        return self

    @model_validator(mode="after")
    def indicators_come_together(self) -> Summary:
        for name, other in COMPANIONS.items():
            if name in self.indicators and other not in self.indicators:
                raise ValueError(f"indicators.{name} is given without {other}")
        return self
