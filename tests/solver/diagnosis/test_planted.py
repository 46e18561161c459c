"""Planted conflicts, one of each kind: the planted cell is named, and the first repair, typed into the tables, gives a plan.

`python tests/planted.py` judges sixteen of each kind and prints the table; not all of those are named yet (docs/trust.md).
"""

from __future__ import annotations

import pytest

from planted import KINDS, Case, Verdict, cases, judge


def verdict(case: Case) -> Verdict:
    found = judge(case)
    assert found.diagnosis is not None
    named = [conflict.words for conflict in found.diagnosis.conflicts]
    place = f"{case.base}: {case.kind}, {case.spot}"
    assert found.named, f"{place} is not named in {named}: {found.diagnosis.notes}"
    assert found.repaired, f"{place}: no plan after {[step.sentence for repair in found.diagnosis.repairs[:1] for step in repair.steps]}"
    assert found.diagnosis.irreducible
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind(kind: str) -> None:
    verdict(next(cases(kind, 1)))
