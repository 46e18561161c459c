"""What somebody else's package fixes, plant by plant, and whether the plan keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms


@dataclass(frozen=True)
class Fixed:
    """What is fixed for one plant; None: not fixed. `starts` are periods; `rest_free`: more support may be offered."""

    contract: str | None
    share: float
    grant: float | None
    payer: str | None
    starts: tuple[int, ...] | None
    built: bool
    rest_free: bool

    @property
    def supports(self) -> bool:
        """Whether a contract or a grant is fixed."""
        return self.contract is not None or self.grant is not None


def fixed_by(study: Study) -> Mapping[int, Fixed]:
    """By plant what the package fixes; a package that leaves nothing else fixes every plant."""
    package = study.package
    if not package:
        return {}
    rest_free = package.get("rest", "free") == "free"
    by: dict[str, dict[str, Mapping[str, Any]]] = {name: {r["facility"]: r for r in package.get(name, ())} for name in ("contract", "grant", "start")}
    found = {}
    for f, code in enumerate(study.plants.codes):
        contract, grant, start = (by[name].get(code) for name in ("contract", "grant", "start"))
        if rest_free and contract is None and grant is None and start is None:
            continue
        starts = None
        if start is not None:
            allowed = np.flatnonzero(study.plants.may_start[f])
            year = start.get("year")
            starts = tuple(int(t) for t in allowed if start["built"] and (year is None or study.stored.years[t] == year))
        found[f] = Fixed(
            contract=None if contract is None else contract["contract"],
            share=0.0 if contract is None else contract["share"],
            grant=None if grant is None else grant["usd"],
            payer=next((x["payer"] for x in (contract, grant) if x is not None and x.get("payer")), None),
            starts=starts,
            built=bool(start is not None and start["built"]),
            rest_free=rest_free,
        )
    return found


def check_package(study: Study, terms: Terms) -> None:
    """Rungs, starts, contracts and grants are as fixed; where an owner would not sign, the plant stays as it is without support."""
    if not study.package:
        return
    _rungs(study)
    codes = [r["contract"] for r in terms.contracts]
    for f, fixed in fixed_by(study).items():
        plant, stored = study.plants.codes[f], study.stored
        parts = np.flatnonzero(terms.f == f)
        if fixed.starts is not None and study.plants.candidate[f]:
            kept = not stored.stands[f] or int(stored.start[f]) in fixed.starts
            study.findings.holds("package", f"{plant}, start", kept, (), stated="another start", derived="as fixed")
        for d in parts:
            n = int(terms.n[d])
            contract = codes[n] if n >= 0 else None
            supported = stored.offer_payer[d] >= 0
            if fixed.supports and study.plants.candidate[f]:
                same = supported and contract == fixed.contract
            elif fixed.contract is not None:
                same = contract in (None, fixed.contract)
            else:
                same = fixed.rest_free or not supported
            study.findings.holds("package", f"{plant}, support", same, (), stated=contract or "no contract", derived=fixed.contract or "none")


def _rungs(study: Study) -> None:
    facts, start = study.facts, study.facts.time.start
    rest_free = study.package.get("rest", "free") == "free"
    for k, product in enumerate(facts.products):
        number = study.path.ladders[k].number
        wanted = np.full(facts.T, -1 if rest_free else 0)
        for r in sorted((r for r in study.package.get("rung", ()) if r["product"] == product), key=lambda r: r["from_year"]):
            wanted[start >= r["from_year"]] = number[r["rung"]]
        same = (wanted < 0) | (study.stored.rung[k] == wanted)
        study.findings.holds("package", f"rungs.csv, {product}", same, (study.stored.years,), wanted >= 0, "another rung", "as fixed")
