"""The smallest set that can't hold, on made-up rules whose conflicts are known."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from orepact.solver.diagnosis.conflict import irreducible
from orepact.solver.diagnosis.rule import Rule


def rule(name: str, group: str = "g") -> Rule:
    return Rule(group, name, "targets", (), True, (), ())


def conflicting(rules: Sequence[Rule], conflicts: Sequence[set[str]]) -> list[str] | None:
    def feasible(dropped: Sequence[Rule]) -> bool:
        held = {r.words for r in rules if r not in dropped}
        return not any(conflict <= held for conflict in conflicts)

    found = irreducible(rules, feasible)
    return None if found is None else [r.words for r in found]


def test_one_rule_alone() -> None:
    rules = [rule(c) for c in "abcdefg"]
    assert conflicting(rules, [{"d"}]) == ["d"]


def test_the_later_rules_are_kept_where_there_is_a_choice() -> None:
    rules = [rule("a", "facts"), rule("b", "facts"), rule("c", "policy"), rule("d", "policy")]
    assert conflicting(rules, [{"a", "b"}, {"c", "d"}]) == ["c", "d"]


def test_no_set_where_dropping_everything_does_not_help() -> None:
    assert conflicting([rule("a")], [set()]) is None


@pytest.mark.parametrize("seed", range(40))
def test_the_set_is_irreducible(seed: int) -> None:
    dice = random.Random(seed)
    names = "abcdefghij"[: dice.randint(2, 10)]
    rules = [rule(c, dice.choice("xyz")) for c in names]
    conflicts = [set(dice.sample(names, dice.randint(1, min(4, len(names))))) for _ in range(dice.randint(1, 4))]
    found = conflicting(rules, conflicts)
    assert found is not None
    assert any(conflict <= set(found) for conflict in conflicts)
    for fewer in itertools.combinations(found, len(found) - 1):
        assert not any(conflict <= set(fewer) for conflict in conflicts)
