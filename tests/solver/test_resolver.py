"""A Resolver answers like a fresh solve, from what it knows."""

from __future__ import annotations

from typing import Any

import pytest

import orepact
from baskets import EXACT, cost, own_share, solved, supported
from orepact import api
from orepact.instance.instance import Instance
from orepact.market.paths import Path
from orepact.solver.answer import Answer, Request
from orepact.solver.batch import Starts
from orepact.solver.highs import Session
from orepact.solver.master import Master
from orepact.solver.memory import Memory
from random_instances import random_instance


@pytest.mark.parametrize("budget", [None, 25_000.0])
def test_a_resolver_answers_like_a_fresh_solve(budget: float | None) -> None:
    again = orepact.Resolver(EXACT)
    asked = [supported(budget), supported(budget, targets="A"), supported(1e6), supported(budget)]
    for instance in asked:
        solution = again.solve(instance)
        assert solution.result.objective == pytest.approx(cost(instance), rel=1e-6)
        assert not any(": together: " in path for path in solution.table("paths")["path"])


@pytest.mark.parametrize("seed", [20, 51, 123, 129, 156])
def test_a_resolver_after_a_change_of_one_row(seed: int) -> None:
    """Demand of one product a little higher, then as before."""
    instance = random_instance(seed)
    demand = instance.table("demand")
    product = demand["product"].iloc[0]
    demand.loc[demand["product"] == product, "demand"] *= 1.01
    changed, again = instance.with_table("demand", demand), orepact.Resolver(EXACT)
    for asked in (instance, changed, instance):
        fresh, known = solved(asked).result, again.solve(asked).result
        assert known.status == fresh.status
        assert known.objective == (None if fresh.objective is None else pytest.approx(fresh.objective, rel=1e-6))


def test_a_resolver_keeps_the_parts_that_did_not_change() -> None:
    memory = Memory()
    first = api.run(supported(1e6), EXACT, memory=memory)
    before = dict(memory.parts)
    easier = [{**own_share("A"), "value": 0.2}, own_share("B")]
    second = api.run(supported(1e6).with_table("targets", easier), EXACT, memory=memory)
    assert first.result.objective is not None
    assert second.result.objective is not None
    assert second.result.objective < first.result.objective
    assert len(set(memory.parts) & set(before)) == 1
    kept = next(iter(set(memory.parts) & set(before)))
    assert memory.parts[kept] is before[kept]


def test_a_branch_of_a_memory_keeps_to_itself_what_is_added() -> None:
    memory = Memory()
    api.run(supported(1e6), EXACT, memory=memory)
    before, branch = dict(memory.parts), memory.branch()
    easier = supported(1e6).with_table("targets", [{**own_share("A"), "value": 0.2}, own_share("B")])
    assert api.run(easier, EXACT, memory=branch).result.objective == pytest.approx(cost(easier), rel=1e-6)
    assert memory.parts == before
    assert branch.parts.keys() != before.keys()
    assert api.run(supported(1e6), EXACT, memory=memory).result.objective == pytest.approx(cost(supported(1e6)), rel=1e-6)


def moved(instance: Instance, by: float) -> Instance:
    """Every target asks for a little more (or, with a negative share, less), and demand is a little higher."""
    targets, demand = instance.table("targets"), instance.table("demand")
    cap = targets["kind"] == "reliance_cap"
    targets["value"] *= (1 + by) ** (1 - 2 * cap.astype(int))
    demand["demand"] *= 1 + by / 2
    return instance.with_table("targets", targets).with_table("demand", demand)


@pytest.mark.parametrize("by", [0.01, -0.01])
def test_other_figures_begin_where_the_last_ones_ended(by: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Baskets and single chains: the answer of a fresh solve, and nearly every path that was examined before starts from its basis."""
    options, began, examined = EXACT.model_copy(update={"gap": 1e-3}), list[bool](), 0
    run = Session._run

    def counted(session: Session, request: Request) -> Answer:
        began.append(request.basis is not None)
        return run(session, request)

    for seed in (35, 56, 61, 65, 94, 137, 141, 164):
        instance, memory = random_instance(seed), Memory()
        changed = moved(instance, by)
        fresh = solved(changed).result
        first = api.run(instance, options, memory=memory)
        with monkeypatch.context() as patch:
            patch.setattr(Session, "_run", counted)
            again = api.run(changed, options, memory=memory).result
        examined += first.result.paths_examined
        assert (again.objective is None) == (fresh.objective is None)
        if fresh.objective is not None and again.bound is not None:
            assert again.bound <= fresh.objective + 1e-6 * abs(fresh.objective)
            assert again.objective == pytest.approx(fresh.objective, rel=2e-3)
    assert sum(began) > 0.5 * examined


def test_a_rung_that_figures_forbid_is_not_repeated() -> None:
    """A legal limit below a floor's levy takes it off the ladder: no path with it is examined again."""
    memory = Memory()
    instance = supported(1e6)
    ladder = [{"product": m, "rung": "floor", "step": 1, "kind": "reference", "price": 120.0, "legal_limit": 0.5} for m in "AB"]
    free = instance.with_table("ladder", ladder)
    barred = instance.with_table("ladder", [row | {"legal_limit": 0.1} for row in ladder])
    first = api.run(free, EXACT, memory=memory)
    assert first.table("paths")["path"].str.contains("floor").any()
    second = api.run(barred, EXACT, memory=memory)
    assert not second.table("paths")["path"].str.contains("floor").any()
    assert second.result.objective == pytest.approx(cost(barred), rel=1e-6)


def scaled(instance: Instance, table: str, column: str, by: float) -> Instance:
    rows = instance.table(table)
    return instance.with_table(table, rows.assign(**{column: rows[column].astype(float) * by}))


def test_a_resolver_begins_with_what_was_built(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    """A fresh solve has to look for plans that fit together; the one known is a plan of the changed instance too."""
    instance, again = random_instance(56), orepact.Resolver(EXACT)
    facilities = again.solve(instance).table("facilities")
    whole_solves.clear()
    changed = scaled(instance, "demand", "demand", 1.02)
    assert again.solve(changed).result.objective == pytest.approx(cost(changed), rel=1e-6)
    ((_, asked), *fresh) = whole_solves
    assert asked
    assert {code for code, _ in asked} == set(facilities.loc[facilities["built"], "facility"])
    assert [allowed for _, allowed in fresh] == [None]


def test_a_branch_of_a_memory_knows_what_was_built(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    memory, instance = Memory(), random_instance(56)
    api.run(instance, EXACT, memory=memory)
    built, branch = memory.starts, memory.branch()
    assert built
    whole_solves.clear()
    api.run(scaled(instance, "budgets", "limit", 0.9), EXACT, memory=branch)
    assert branch.parts.keys() == memory.parts.keys()  # a budget is nobody's own: no part says what it would build
    assert whole_solves[0][1] == built


def test_where_what_was_built_is_no_plan_any_more_a_resolver_asks_for_any(
    whole_solves: list[tuple[Path, Starts | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same path, and before it looks for other prices."""
    instance, again, asked_before, begin = random_instance(149), orepact.Resolver(EXACT), list[int](), Master.__init__

    def begun(master: Master, *asked: Any, **more: Any) -> None:
        asked_before.append(len(whole_solves))
        begin(master, *asked, **more)

    again.solve(instance)
    whole_solves.clear()
    monkeypatch.setattr(Master, "__init__", begun)
    again.solve(scaled(instance, "budgets", "limit", 0.4))
    (path, built), (same, anything), *_ = whole_solves
    assert built
    assert anything is None
    assert same == path
    assert asked_before[0] == 2
