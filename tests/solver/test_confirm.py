"""A second solve confirms what is true and disputes what is not, whoever makes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import orepact
from orepact import api
from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.paths import Path as PricePath
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solution.solution import Solution
from orepact.solver.clock import Clock
from orepact.solver.confirm import confirmed
from orepact.solver.examine import Record
from orepact.solver.outcome import Outcome
from orepact.solver.result import Status
from orepact.solver.search import market_rules, search
from planted import base, case_of
from random_instances import random_instance

TUTORIAL = Path(__file__).parents[2] / "instances" / "tutorial"


@pytest.fixture(params=["highs", "scip"])
def options(request: pytest.FixtureRequest) -> SolveOptions:
    if request.param == "scip":
        pytest.importorskip("pyscipopt")
    return SolveOptions(threads=1, confirm=request.param, baseline=False, stress=False, isolated=False)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(world_of(orepact.read(TUTORIAL)))


@pytest.fixture(scope="module")
def outcome(market: Market) -> Outcome:
    return search(market, SolveOptions(threads=1), Clock(60))


def check(market: Market, options: SolveOptions, claimed: Outcome, seconds: float = 60) -> Outcome:
    return confirmed(market, market_rules(market), options, Clock(seconds), claimed)


def test_what_is_true_is_confirmed(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    said = check(market, options, outcome)
    assert said.status is Status.SOLVED
    assert said.confirmation.startswith("Confirmed by ")
    assert f"on the {len(outcome.records)} paths examined no plan costs less than 580.6 m USD" in said.confirmation
    assert said.plan is outcome.plan


def dearer(outcome: Outcome) -> PricePath:
    """The second-best path of which a plan is known to cost more."""
    assert outcome.plan is not None
    return next(r.path for r in outcome.records if r.path != outcome.plan.path)


def test_a_cheaper_plan_than_the_bound_is_a_contradiction(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    """The best path is passed off as having no plan, a dearer one as the best."""
    assert outcome.plan is not None
    worse = search(market, SolveOptions(threads=1), Clock(60), adjust=lambda _: PricePath(((0, 0), (1, 1)), "floor throughout"))
    assert worse.plan is not None
    assert worse.plan.objective > 1.005 * outcome.plan.objective
    lie = replace(worse, records=(*worse.records, Record(outcome.plan.path, bound=float("inf"), status="no plan: its LP has none")))
    said = check(market, options, lie)
    assert said.status is Status.DISPUTED
    assert said.confirmation.startswith("Disputed by ")
    assert "there is a plan for 581." in said.confirmation  # 581.2, or a little more within the gap
    assert ", below 58" in said.confirmation


def test_a_plan_that_can_not_be_is_a_contradiction(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    """The plan is passed off as 5 % cheaper than it is."""
    assert outcome.plan is not None
    cheap = 0.95 * outcome.plan.objective
    lie = replace(outcome, plan=replace(outcome.plan, objective=cheap), bound=cheap)
    said = check(market, options, lie)
    assert said.status is Status.DISPUTED
    assert "no plan that builds the same costs less than 581.2 m USD, although one was found" in said.confirmation


def test_a_plan_that_builds_what_can_not_be_built_is_a_contradiction(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    """The plan is passed off as building nothing at all, which misses its target."""
    assert outcome.plan is not None
    nothing = replace(outcome.plan, values=0.0 * outcome.plan.values)
    said = check(market, options, replace(outcome, plan=nothing))
    assert said.status is Status.DISPUTED
    assert "there is no plan that builds what the one found does" in said.confirmation


def test_infeasible_is_confirmed_or_disputed_too(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    nothing = replace(outcome, status=Status.INFEASIBLE, plan=None, bound=None)
    said = check(market, options, nothing)
    assert (said.status, said.plan) == (Status.DISPUTED, None)
    assert "in the planner's relaxation there is a plan for" in said.confirmation
    hopeless = orepact.read(TUTORIAL).with_table("targets", orepact.read(TUTORIAL).table("targets").assign(value=0.01))
    solution = api.run(hopeless, options)
    assert solution.result.status is Status.INFEASIBLE
    assert "not even the planner's relaxation has a plan" in solution.result.confirmation
    assert solution.result.confirmation.startswith("Confirmed by ")


def test_no_plan_on_some_paths_is_confirmed_or_disputed_too(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    nothing = replace(outcome, status=Status.NO_PLAN, plan=None, bound=None)
    said = check(market, options, nothing)
    assert said.status is Status.DISPUTED
    assert "where there should be none" in said.confirmation


@pytest.mark.parametrize("changes", [{"behaviour": "planner"}, {"method": "milp"}])
def test_one_model_is_confirmed_or_disputed_too(options: SolveOptions, changes: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    instance, asked = orepact.read(TUTORIAL), options.model_copy(update=changes)
    honest = api.run(instance, asked)
    assert honest.result.confirmation.startswith("Confirmed by ")

    def too_dear(*words: object, **named: object) -> Outcome:
        found = search(*words, **named)  # type: ignore[arg-type]
        assert found.plan is not None
        return replace(found, plan=replace(found.plan, objective=1.05 * found.plan.objective), bound=1.05 * found.plan.objective)

    monkeypatch.setattr(api, "search", too_dear)
    monkeypatch.setattr(api, "verify", lambda *_: honest.certificate)  # the certificate would name this lie too
    solution = api.run(instance, asked)
    assert (solution.result.status, solution.result.exit_code, solution.has_plan) == (Status.DISPUTED, 7, True)


def test_no_plan_in_one_model_is_confirmed_or_disputed_too(market: Market, options: SolveOptions) -> None:
    asked = options.model_copy(update={"method": "milp"})
    found = search(market, asked, Clock(60))
    claim = replace(found, status=Status.NO_PLAN, plan=None, bound=None)
    said = check(market, asked, claim)
    assert said.status is Status.DISPUTED
    assert "in the one model there is a plan" in said.confirmation
    refused = Market(world_of(case_without_plan()))
    said = check(refused, asked, search(refused, asked, Clock(60)))
    assert said.status is Status.NO_PLAN
    assert "Confirmed by " in said.confirmation
    assert "in the one model there is no plan" in said.confirmation


def case_without_plan() -> Instance:
    """The planner has a plan, owners have none: no money for the support they need."""
    case = case_of("no budget for the support needed", 3)
    assert case is not None
    return case.instance


RANDOM = range(5, 45)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed % 10 else []) for seed in RANDOM])
def test_whatever_a_random_instance_ends_with_is_confirmed(seed: int) -> None:
    instance = base(seed)
    if instance is None:
        pytest.skip("the draw is no valid instance")
    options = SolveOptions(threads=1, confirm="highs", explain=False, baseline=False, stress=False, isolated=False)
    solution = api.run(instance, options)
    assert solution.result.status in (Status.SOLVED, Status.INFEASIBLE, Status.NO_PLAN)
    assert solution.result.confirmation.startswith("Confirmed by ")


@pytest.mark.slow
@pytest.mark.parametrize("infeasible", [False, True])
def test_the_magnet_instance_is_confirmed_on_some_of_its_paths(infeasible: bool) -> None:
    instance = orepact.read(TUTORIAL.parent / "magnet-rare-earths")
    if infeasible:
        targets = instance.table("targets")
        instance = instance.with_table("targets", targets.assign(value=targets["value"].where(targets["kind"] != "reliance_cap", 0.0)))
    options = SolveOptions(confirm="highs", path_list=12, neighbours=False, explain=False, baseline=False, stress=False, time_limit=1200)
    result = orepact.solve(instance, options).result
    assert result.status is (Status.INFEASIBLE if infeasible else Status.SOLVED)
    assert result.confirmation.startswith("Confirmed by ")


def test_the_second_solve_has_a_time_of_its_own(options: SolveOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_the_last_second(*words: object, **named: object) -> Outcome:
        found = search(*words, **named)  # type: ignore[arg-type]
        words[2].limit = 0.0  # type: ignore[attr-defined]
        return found

    instance = orepact.read(TUTORIAL)
    assert api.run(instance, options.model_copy(update={"confirm_time": 1e-9})).result.confirmation.startswith("Not confirmed by ")
    monkeypatch.setattr(api, "search", to_the_last_second)
    assert api.run(instance, options).result.confirmation.startswith("Confirmed by ")


def test_out_of_time_is_neither(market: Market, options: SolveOptions, outcome: Outcome) -> None:
    said = check(market, options, outcome, seconds=1e-9)
    assert said.status is Status.SOLVED
    assert said.confirmation.startswith("Not confirmed by ")


def test_a_disputed_run_is_stored_and_read_back(tmp_path: Path, options: SolveOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    def disputed(*words: object, **named: object) -> Outcome:
        return replace(search(*words, **named), status=Status.DISPUTED, confirmation="Disputed by nobody.")  # type: ignore[arg-type]

    monkeypatch.setattr(api, "search", disputed)
    solution = api.run(orepact.read(TUTORIAL), options.model_copy(update={"confirm": "no"}))
    back = Solution.load(solution.save(tmp_path / "run"))
    assert (back.result.status, back.result.confirmation, back.result.objective) == (Status.DISPUTED, "Disputed by nobody.", solution.result.objective)
    assert "Disputed: a second solve contradicts the first" in orepact.plan_card_text(back)


@pytest.mark.parametrize("seed", [20, 51, 56, 122, 129, 156, 158])
def test_a_basket_is_confirmed_part_by_part(seed: int) -> None:
    options = SolveOptions(gap=1e-4, threads=1, stress=False, baseline=False, confirm="highs")
    solution = api.run(random_instance(seed), options)
    assert solution.result.status is Status.SOLVED
    assert "one in each of 2 parts" in solution.result.confirmation


def test_a_false_bound_of_a_part_is_disputed() -> None:
    instance, options = random_instance(56), SolveOptions(gap=1e-4, threads=1)
    market, clock = Market(world_of(instance)), Clock(60)
    outcome = search(market, options, clock)
    assert outcome.pricing is not None
    lifted = tuple(replace(part, least=part.least + 0.01 * abs(part.least)) for part in outcome.pricing.parts)
    wrong = replace(outcome, pricing=replace(outcome.pricing, parts=lifted))
    assert confirmed(market, market_rules(market), options, clock, wrong).status is Status.DISPUTED
