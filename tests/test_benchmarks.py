"""What the benchmarks are made of: the generator, and the other forms of the model, which must answer as this model does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import orepact
from against_others import METHODS, Found, disagreements
from generated import Size, generate
from methods.job import Job, Reply, ask
from orepact.formulation.case import Case, Rules
from orepact.market.offers import Market
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.answer import AnswerStatus
from orepact.solver.batch import open_solver, prepare
from orepact.solver.clock import Clock
from orepact.solver.matrix import Matrix, matrix_of
from orepact.solver.search import market_rules, starting_list
from random_instances import random_instance
from textbook import TextbookCase, build_textbook

SMALL = Size(minerals=1, facilities=4, scenarios=2, periods=2)
OPTIONS = SolveOptions(gap=1e-7, threads=1, path_list=5)
TUTORIAL = Path(__file__).parents[1] / "instances" / "tutorial"


def optimum(matrix: Matrix) -> tuple[AnswerStatus, float | None]:
    answer = open_solver(matrix, OPTIONS, Clock(60)).solve("mip", gap=OPTIONS.gap, time_limit=60)
    return answer.status, answer.objective


def both_forms(instance: orepact.Instance) -> list[tuple[AnswerStatus, float | None]]:
    """The one model over the first paths, and the textbook form over the same."""
    market = Market(world_of(instance))
    paths, rules = starting_list(market, OPTIONS), market_rules(market)
    return [optimum(prepare(market, paths, rules, Clock(60))[1]), optimum(matrix_of(build_textbook(TextbookCase(market, paths, rules))))]


@cache
def unlimited() -> orepact.Instance:
    return generate(SMALL)


def test_a_seed_gives_the_same_instance_every_time() -> None:
    assert generate(SMALL) == unlimited()
    assert generate(SMALL, seed=2) != unlimited()
    assert unlimited().warnings == ()


def test_more_minerals_keep_those_before() -> None:
    small, large = (generate(replace(SMALL, minerals=n)).table("facilities").drop(columns="source") for n in (2, 3))
    assert large[: len(small)].equals(small)
    assert len(large) == 3 * SMALL.facilities


@pytest.mark.parametrize("size", [Size(2, 6, 4, 3), Size(1, 9, 5, 2, stages=3), Size(1, 8, 3, 4, stages=4)], ids=str)
def test_sizes_are_what_was_asked(size: Size) -> None:
    instance = generate(size)
    counted = [len(instance.table(name)) for name in ("facilities", "scenarios", "products")]
    assert counted == [size.minerals * size.facilities, size.scenarios, size.minerals * size.stages]
    assert instance.warnings == ()


@pytest.mark.slow
def test_targets_need_policy_and_budgets_bind_where_asked() -> None:
    options = SolveOptions(gap=0.001, threads=1, stress=False, progress=False, isolated=False)
    free, slack, tight = (orepact.solve(generate(SMALL, budgets=kind), options) for kind in ("none", "slack", "binding"))
    targets = free.table("targets")
    shares = targets[targets["kind"] == "activity_share"]
    assert (shares["before"] < shares["value"]).all()
    assert free.result.objective is not None
    assert slack.result.objective == pytest.approx(free.result.objective, rel=0.001)
    assert tight.result.bound is not None
    assert tight.result.bound > free.result.objective
    used = {name: plan.table("limits").query("kind == 'budget'")["binding"].any() for name, plan in (("slack", slack), ("tight", tight))}
    assert used == {"slack": False, "tight": True}


def test_the_textbook_form_asks_the_same_question() -> None:
    ours, textbook = both_forms(unlimited())
    assert ours[1] is not None
    assert textbook[0] is AnswerStatus.OPTIMAL
    assert textbook[1] == pytest.approx(ours[1], rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 5, 7, 13, 23, 31, 40, 47, 83, 154, 172])
def test_the_textbook_form_agrees_on_random_instances(seed: int) -> None:
    """Upside shares, standing plants under contract, foreign owners, repeal, duty to build, stockpiled contracts, no plan at all."""
    (status, ours), (status_textbook, textbook) = both_forms(random_instance(seed))
    assert status_textbook is status
    assert textbook == (None if ours is None else pytest.approx(ours, rel=1e-6))


@pytest.mark.skipif(not find_spec("linopy"), reason="not run: linopy is not installed")
@pytest.mark.parametrize("source", ["generated", "tutorial", 3, 9, 13, 24])
def test_the_linopy_model_is_the_planner(source: str | int) -> None:
    """Hubs and routes, partners, stocks, every kind of target; numbers are seeds of random instances."""
    instance = random_instance(source) if isinstance(source, int) else unlimited() if source == "generated" else orepact.read(TUTORIAL)
    market = Market(world_of(instance))
    rules = Rules(behaviour="planner")
    _, ours = optimum(prepare(market, [market.free], rules, Clock(60))[1])
    model = import_module("physical").build_physical(Case(market, [market.free], rules))
    highs = import_module("linopy.io").to_highspy(model)
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 1e-7)
    highs.run()
    assert ours is not None
    assert highs.getInfo().objective_function_value == pytest.approx(ours, rel=1e-6)


def test_a_method_answers_from_a_process_of_its_own(tmp_path: Path) -> None:
    job = Job(str(TUTORIAL), str(tmp_path), gap=1e-6, limit=60)
    assert ask("export", job).status == "written"
    raw, search = ask("raw", job), ask("ours", job)
    assert raw.objective == pytest.approx(581_180_000)
    assert search.objective == pytest.approx(581_180_000)
    assert raw.memory is not None
    assert search.memory is not None
    assert raw.memory < search.memory


def test_a_method_that_fails_says_so(tmp_path: Path) -> None:
    reply = ask("raw", Job(str(TUTORIAL), str(tmp_path / "nowhere")))
    assert reply.status == "failed"
    assert "nowhere" in reply.note


def test_a_false_bound_is_called_out() -> None:
    one_model, textbook = (next(m for m in METHODS if m.label == label) for label in ("one model", "textbook form"))
    right = Found("x", one_model, Reply("solved", 1.0, objective=100.0, bound=99.5))
    fair = Found("x", textbook, Reply("solved", 1.0, objective=100.2, bound=99.9))
    wrong = Found("x", textbook, Reply("solved", 1.0, objective=101.0, bound=100.5))
    assert list(disagreements([right, fair], one_chain=True)) == []
    assert len(list(disagreements([right, wrong], one_chain=True))) == 1
