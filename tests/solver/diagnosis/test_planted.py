"""Planted conflicts: the planted cell is named, and the first repair, typed into the tables, gives a plan.

One of each kind here, all 208 with `-m slow`; `python tests/planted.py` prints them as a table.
"""

from __future__ import annotations

import pytest

from planted import EACH, KINDS, SEEDS, judged

CASES = [(kind, seed) for kind in KINDS for seed in SEEDS[kind]]
KEPT = {("first output too late", 95), ("source run dry", 15), ("contract for too little", 320)}
"""Cases that once went wrong; the last one is beyond the 208."""


def right(kind: str, seed: int) -> None:
    found = judged((kind, seed))
    assert found.diagnosis is not None
    named = [conflict.words for conflict in found.diagnosis.conflicts]
    place = f"{found.case.base}: {kind}, {found.case.spot}"
    assert found.named, f"{place} is not named in {named}: {found.diagnosis.notes}"
    assert found.repaired, f"{place}: no plan after {[step.sentence for repair in found.diagnosis.repairs[:1] for step in repair.steps]}"
    assert found.diagnosis.irreducible


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind(kind: str) -> None:
    right(kind, SEEDS[kind][0])


@pytest.mark.parametrize(("kind", "seed"), sorted(KEPT))
def test_what_once_went_wrong(kind: str, seed: int) -> None:
    right(kind, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), [case for case in CASES if case not in KEPT and case[1] != SEEDS[case[0]][0]])
def test_all_of_each_kind(kind: str, seed: int) -> None:
    right(kind, seed)


def test_there_are_sixteen_of_each_kind_on_other_instances() -> None:
    assert {kind: len(set(seeds)) for kind, seeds in SEEDS.items()} == dict.fromkeys(KINDS, EACH)
    assert len(CASES) == len(set(CASES)) == 208
