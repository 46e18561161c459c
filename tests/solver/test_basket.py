"""Baskets: parts searched at prices on what they share find what the whole model finds, and their bound holds at any price."""

from __future__ import annotations

import random
from typing import Any

import pytest

import orepact
from baskets import EXACT, SHARING, WITH_PLAN, cost, guarantee, mill, own_share, solved, supported
from orepact import api
from orepact.market.offers import Market
from orepact.market.parts import parts_of
from orepact.market.paths import Path, distinct
from orepact.market.world import world_of
from orepact.solver.basket import UNFIT, Basket
from orepact.solver.batch import Batch, Starts
from orepact.solver.clock import Clock
from orepact.solver.master import DEAREST, Master, cost_of
from orepact.solver.memory import Memory
from orepact.solver.part import Part
from orepact.solver.search import market_rules, search, starting_list
from orepact.solver.shared import Prices
from orepact.solver.whole import Whole
from random_instances import random_instance
from tiny_instances import tiny, two_metals


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


def test_where_no_plans_fit_together_other_prices_find_some(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    """The cheapest plans of the parts overdraw a budget together; at what a dollar of it is worth they ask for less."""
    assert solved(random_instance(129)).result.status.value == "solved"
    assert whole_solves
    assert None not in {starts for _, starts in whole_solves}


def test_where_other_prices_do_not_help_the_whole_model_finds_a_plan(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    assert solved(random_instance(56)).result.status.value == "solved"
    assert [starts for _, starts in whole_solves] == [None]


def test_where_there_is_no_plan_the_whole_model_is_not_asked_for_ever(whole_solves: list[tuple[Path, Starts | None]]) -> None:
    assert solved(random_instance(183)).result.objective is None
    assert 0 < len(set(whole_solves)) <= len(UNFIT)


@pytest.mark.parametrize("seed", [20, 56, 123, 129, 149, 159, 162])
def test_prices_by_the_whole_models_lp(seed: int) -> None:
    """At its duals the parts' bound over that one path is no worse than the LP itself (weak duality; plans cost no less than LPs)."""
    market = Market(world_of(random_instance(seed)))
    basket = Basket(market, parts_of(market.world), market_rules(market), EXACT, Clock(60), None, lambda path: path)
    path = starting_list(market, EXACT)[0]
    for part in basket.parts:
        part.first([path], {}, None)
    basket.commons = basket.gathered()
    batch = Batch(market, [path], market_rules(market), EXACT, Clock(60))
    relaxed = batch.solver_for(0).solve("lp").objective
    prices = Whole(market, market_rules(market), EXACT, Clock(60)).prices(path)
    assert relaxed is not None
    assert prices is not None
    assert prices.keys() == basket.commons.rows.keys()
    assert prices == pytest.approx(basket.commons.lawful(prices), abs=1e-9)
    value = basket.examine(prices, complete=True)
    assert value is not None
    assert value >= relaxed * basket.unit - 1e-6 * abs(relaxed * basket.unit)


def test_a_path_whose_lp_has_no_answer_tells_no_prices() -> None:
    market = Market(world_of(random_instance(51)))
    assert Whole(market, market_rules(market), EXACT, Clock(60)).prices(starting_list(market, EXACT)[0]) is None


def test_too_much_costs_twice_as_much_each_time_that_nothing_fits_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    dear, begin, pick, fitted = list[float](), Master.__init__, Master.pick, list[bool]()

    def begun(master: Master, *asked: Any, **more: Any) -> None:
        dear.append(more["dear"])
        begin(master, *asked, **more)

    def picked(master: Master, *asked: Any) -> list[int] | None:
        found = pick(master, *asked)
        fitted.append(found is not None)
        return found

    monkeypatch.setattr(Master, "__init__", begun)
    monkeypatch.setattr(Master, "pick", picked)
    for seed in (56, 183):
        dear.clear()
        fitted.clear()
        solved(random_instance(seed))
        assert not any(fitted[:5])
        assert dear[:6] == [1, 2, 4, 8, DEAREST, DEAREST]
        assert dear == [min(2.0 ** sum(not fits for fits in fitted[:n]), DEAREST) for n in range(len(dear))]


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
