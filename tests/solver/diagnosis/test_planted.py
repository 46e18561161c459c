"""Planted conflicts: the planted cell is named in every one, and the first repair, typed into the tables, gives a plan."""

from __future__ import annotations

import pytest

from planted import KINDS, Case, Verdict, cases, judge, table_of

EACH = 16
"""Cases of each kind in the slow test; the default tests take the first."""


def verdict(case: Case) -> Verdict:
    found = judge(case)
    assert found.diagnosis is not None
    named = [conflict.words for conflict in found.diagnosis.conflicts]
    place = f"{case.base}: {case.kind}, {case.spot}"
    assert found.named, f"{place} is not named in {named}: {found.diagnosis.notes}"
    assert found.repaired, f"{place}: no plan after {[step.sentence for repair in found.diagnosis.repairs[:1] for step in repair.steps]}"
    assert found.diagnosis.irreducible
    return found


def test_there_are_enough() -> None:
    assert EACH * len(KINDS) >= 200


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind(kind: str) -> None:
    verdict(next(cases(kind, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_of_a_kind(kind: str) -> None:
    print(table_of([verdict(case) for case in cases(kind, EACH)]))  # shown with -s: the lines of the table in docs/trust.md
