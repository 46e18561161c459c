"""Baskets: parts searched at prices on what they share find what the whole model finds, and their bound holds at any price."""

from __future__ import annotations

import random
from typing import Any

import pytest

import orepact
from orepact import api
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.parts import parts_of
from orepact.market.paths import Path, distinct
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.answer import Answer, Request
from orepact.solver.basket import UNFIT, Basket
from orepact.solver.batch import Starts
from orepact.solver.clock import Clock
from orepact.solver.highs import Session
from orepact.solver.master import cost_of
from orepact.solver.memory import Memory
from orepact.solver.part import Part
from orepact.solver.search import market_rules, search, starting_list
from orepact.solver.shared import Prices
from random_instances import random_instance
from tiny_instances import plant, tiny, two_metals

EXACT = SolveOptions(gap=1e-7, threads=1, stress=False, baseline=False, neighbours=False, explain=False)
SHARING = [20, 51, 56, 109, 122, 123, 129, 149, 156, 158, 159, 162, 183]
"""Random instances of several parts with budgets, contribution keys or a weight on the worst outcomes."""

WITH_PLAN = [seed for seed in SHARING if seed not in (109, 183)]


def guarantee(product: str) -> dict[str, object]:
    return {"contract": f"floor_{product}", "instrument": "offtake", "products": [product], "strike": 140.0, "window": 30, "max_share": 0.5, "existing": True}


def mill(product: str, opex: float) -> dict[str, object]:
    return plant(facility=f"mill_{product}", process=f"make_{product}", opex=opex)


def own_share(product: str) -> dict[str, object]:
    return {"target": f"own_{product}", "kind": "zone_share", "products": [product], "value": 0.25}


def supported(budget: float | None = None, targets: str = "AB", **settings: Any) -> Instance:
    """Both metals have a mill of 500 t/a that runs only under a guarantee; a target asks for a quarter of 1,000 t from the zone."""
    tables: dict[str, Any] = {
        "facilities": [mill("A", 120.0), mill("B", 110.0)],
        "contracts": [guarantee("A"), guarantee("B")],
        "targets": [own_share(m) for m in targets],
    }
    if budget is not None:
        tables["budgets"] = [{"member": "USA", "instrument": "all", "limit": budget}]
    return two_metals(tables, **settings)


def solved(instance: Instance, options: SolveOptions = EXACT) -> orepact.Solution:
    return api.run(instance, options)


def cost(instance: Instance, **options: object) -> float:
    solution = solved(instance, EXACT.model_copy(update=options))
    assert solution.result.objective is not None, solution.result.proven
    return solution.result.objective


def test_with_ample_budgets_parts_separate_exactly() -> None:
    idle = cost(supported(targets=""))
    apart = [cost(supported(targets=m)) - idle for m in "AB"]
    assert min(apart) > 0
    assert cost(supported(budget=1e9)) - idle == pytest.approx(sum(apart), rel=1e-6)


def test_with_ample_budgets_the_first_prices_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(Basket, "examine", lambda *asked_for: asked.append(asked_for))
    assert solved(supported(budget=1e9)).result.status.value == "solved"
    assert asked == []  # no others were tried


def test_one_budget_for_both() -> None:
    """250 t each at 40 USD above the price take 20,000 USD a year: with a dollar less there is no plan."""
    spent = solved(supported()).table("payments")
    assert spent.loc[(spent["instrument"] == "offtake") & (spent["scenario"] == "s"), "usd_a"].sum() == pytest.approx(2 * 250 * 40)
    assert solved(supported(budget=20_000.1)).result.status.value == "solved"
    assert solved(supported(budget=19_999.0)).result.objective is None


def test_the_proof_counts_parts_and_combinations() -> None:
    result = solved(supported(budget=1e9)).result
    assert "2 paths of 2 parts, 1 combinations" in result.proven
    assert result.size["parts"] == 2


@pytest.mark.parametrize("seed", SHARING)
def test_parts_and_the_one_model_agree(seed: int) -> None:
    parts, whole = solved(random_instance(seed)).result, solved(random_instance(seed), EXACT.model_copy(update={"method": "milp"})).result
    assert parts.status == whole.status
    if whole.objective is not None:
        assert parts.objective == pytest.approx(whole.objective, rel=1e-6)
        assert parts.bound is not None
        assert parts.bound <= whole.objective + 1e-9 * abs(whole.objective)


@pytest.mark.parametrize("seed", WITH_PLAN)
def test_the_bound_holds_at_any_price(seed: int) -> None:
    """Prices are a guide: wrong ones give a weak bound, never a false one."""
    instance = random_instance(seed)
    optimum = cost(instance, method="milp")
    market = Market(world_of(instance))
    basket = Basket(market, parts_of(market.world), market_rules(market), EXACT, Clock(60), None, lambda path: path)
    basket.search(distinct(starting_list(market, EXACT)))
    dice = random.Random(seed)
    for _ in range(4):
        prices = {key: basket.commons.starts[key] * dice.uniform(0, 1.5) + dice.choice((0.0, dice.uniform(-0.5, 0.5))) for key in basket.commons.rows}
        value = basket.examine(prices, complete=True)
        assert value is not None
        assert value <= optimum + 1e-6 * abs(optimum)


def test_other_prices_are_what_paths_are_judged_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given prices go before starting ones, which fill the gaps."""
    market = Market(world_of(random_instance(56)))
    basket = Basket(market, parts_of(market.world), market_rules(market), EXACT, Clock(60), None, lambda path: path)
    basket.search(distinct(starting_list(market, EXACT)))
    key, *_ = (key for part in basket.parts for column in part.columns for key in column.uses)
    judged, likely = list[Prices](), Part.likely

    def noted(part: Part, prices: Prices) -> list[Path]:
        judged.append(prices)
        return likely(part, prices)

    monkeypatch.setattr(Part, "likely", noted)
    basket.examine({key: 0.25}, complete=False)
    assert len(judged) == len(basket.parts)
    assert all(prices == {**basket.commons.starts, key: 0.25} for prices in judged)
    assert cost_of({key: 8.0}, judged[0]) == 2.0


@pytest.fixture
def whole_solves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Starts | None]]:
    """Paths and starts of every time that the whole model is asked for."""
    asked: list[tuple[Path, Starts | None]] = []
    solve = Basket._solve_whole

    def noted(self: Basket, path: Path, starts: Starts | None) -> None:
        asked.append((path, starts))
        solve(self, path, starts)

    monkeypatch.setattr(Basket, "_solve_whole", noted)
    return asked


@pytest.mark.parametrize("seed", [56, 129])
def test_where_no_plans_fit_together_the_whole_model_finds_one(seed: int, whole_solves: list[tuple[Path, Starts | None]]) -> None:
    """The cheapest plans of the parts overdraw a budget together: where other prices don't help, the whole model on their paths has a plan."""
    assert solved(random_instance(seed)).result.status.value == "solved"
    assert [starts for _, starts in whole_solves] == [None]


def test_where_there_is_no_plan_the_whole_model_is_not_asked_for_ever(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    assert solved(random_instance(183)).result.objective is None
    assert 0 < len(set(whole_solves)) <= len(UNFIT)


def test_a_package_is_imposed_on_every_part() -> None:
    instance = supported(targets="A")
    package = orepact.package_from({"rest": "none", "contract": [{"facility": "mill_A", "contract": "floor_A", "share": 0.5}]}, instance)
    both = [api.run(instance, EXACT.model_copy(update={"method": method}), package) for method in ("paths", "milp")]
    for solution in both:
        contracts = solution.table("contracts")
        assert contracts["facility"].tolist() == ["mill_A"]
        assert contracts["volume_t_a"].tolist() == pytest.approx([250.0])
    assert both[0].result.objective == pytest.approx(both[1].result.objective, rel=1e-6)
    memory = Memory()
    api.run(instance, EXACT, package, memory=memory)
    assert not memory.parts  # what a package forbids is no guide for others, nor the other way round


@pytest.mark.parametrize("seed", [33, 35, 61])
def test_parts_of_one_mineral_have_names_of_their_own(seed: int) -> None:
    """Parts take the names of their products then: no two paths in the table are called the same."""
    paths = solved(random_instance(seed)).table("paths")["path"]
    assert paths.is_unique


def test_one_part_is_searched_as_ever() -> None:
    assert "parts" not in solved(tiny()).result.size


def test_the_same_on_every_run() -> None:
    first, second = (solved(random_instance(56)) for _ in range(2))
    assert first.result.objective == second.result.objective
    assert first.table("paths").equals(second.table("paths"))


def summary(solution: orepact.Solution) -> dict[str, Any]:
    """What is said of a run, but for its seconds, memory and threads."""
    return {k: v for k, v in solution.summary().items() if k not in ("seconds", "phases", "peak_memory_mb", "threads", "options")}


@pytest.mark.parametrize("seed", [*SHARING[:4], *(s for s in SHARING if s not in WITH_PLAN)])
def test_side_by_side_or_one_after_the_other(seed: int) -> None:
    """Nobody can tell from an answer which part was faster, with a plan or without."""
    instance = random_instance(seed)
    alone, *others = [solved(instance, EXACT.model_copy(update={"threads": threads})) for threads in (1, 2, 2)]
    for other in others:
        assert (alone.result.status, alone.result.paths_examined) == (other.result.status, other.result.paths_examined)
        assert other.result.objective == pytest.approx(alone.result.objective, rel=1e-6) if alone.result.objective else other.result.objective is None
    assert summary(others[0]) == summary(others[1])
    assert all(others[0].table(name).equals(others[1].table(name)) for name in others[0].tables)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("paid", "counted"), [("B", 1), ("A", 2)])
def test_parts_after_one_without_a_plan_count_for_nothing(paid: str, counted: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the mill of one metal is paid for, so the other metal's target can't be met: with A in vain nobody need look at B."""
    tables = {"facilities": [mill("A", 120.0), mill("B", 110.0)], "contracts": [guarantee(paid)], "targets": [own_share(m) for m in "AB"]}
    market = Market(world_of(two_metals(tables)))
    begun, first = list[Part](), Part.first

    def noted(part: Part, *asked: Any) -> None:
        begun.append(part)
        first(part, *asked)

    monkeypatch.setattr(Part, "first", noted)
    found = search(market, EXACT.model_copy(update={"threads": threads}), Clock(60))
    assert found.plan is None
    assert threads > 1 or len(begun) == counted
    assert found.limit is None
    assert len({record.path.label.split(":")[0] for record in found.records}) == counted


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
