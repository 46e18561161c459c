"""The smallest set of rules that can't all hold: groups that play no part go first, then QuickXplain on what is left.

Source: Junker (2004), QuickXplain: preferred explanations and relaxations for over-constrained problems, AAAI.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orepact.solver.diagnosis.rule import Rule

Holds = Callable[[Sequence[Rule]], bool]
"""Whether there is a plan when these rules are dropped."""


def irreducible(rules: Sequence[Rule], feasible: Holds) -> list[Rule] | None:
    """Rules that can't all hold, none of which could be left out; None if there is no plan even with every rule dropped.

    The first rules are the first to be given up, so that the set speaks of the last ones where there is a choice.
    """
    left = list(rules)
    if not feasible(left):
        return None
    for group in dict.fromkeys(rule.group for rule in rules):
        without = [rule for rule in left if rule.group != group]
        dropped = [rule for rule in rules if rule not in without]
        if len(without) < len(left) and not feasible(dropped):
            left = without
    return _explain([], left, rules, feasible)


def _explain(fixed: list[Rule], rest: list[Rule], rules: Sequence[Rule], feasible: Holds, grew: bool = False) -> list[Rule]:
    """Rules of `rest` that, with the `fixed` ones holding and all others dropped, complete a conflict."""

    def possible(held: Sequence[Rule]) -> bool:
        return feasible([rule for rule in rules if rule not in held])

    if grew and not possible(fixed):
        return []
    if len(rest) <= 1:
        return list(rest)
    middle = len(rest) // 2
    first, last = rest[:middle], rest[middle:]
    from_first = _explain([*fixed, *last], first, rules, feasible, True)
    from_last = _explain([*fixed, *from_first], last, rules, feasible, bool(from_first))
    return [*from_first, *from_last]
