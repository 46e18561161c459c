"""The plan card: what it says, that it fits, and that text from instances stays text."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from example_solution import SETTINGS, result, solution, tables, without_plan
from orepact.report.plan_card import plan_card, plan_card_text
from orepact.solution.solution import Solution
from orepact.solver.result import Status

GOLDEN = Path(__file__).parents[1] / "golden" / "plan_card.txt"


def said(plan: Solution, width: int = 400) -> str:
    """The card in lines that do not wrap."""
    return plan_card_text(plan, width)


def test_the_card_is_the_golden_one() -> None:
    """OREPACT_UPDATE_GOLDEN=1 writes it anew; then read what changed."""
    text = plan_card_text(solution(), 100)
    if os.environ.get("OREPACT_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("plan", [solution(), without_plan()])
def test_the_card_fits(plan: Solution, width: int) -> None:
    assert max(map(len, plan_card_text(plan, width).splitlines())) <= width


def test_instance_text_is_neither_markup_nor_terminal_commands() -> None:
    rows = tables()
    rows["facilities"][0]["name"] = "[red]Evil[/red]\x1b[31m\x07\u202eplant\nnext line"
    text = said(solution(tables=rows, notes=("[link=file:///x]click[/link] :boom:",)))
    assert "[red]Evil[/red]\ufffd[31m\ufffd\ufffdplant next line" in text
    assert "[link=file:///x]click[/link] :boom:" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


def test_colour_adds_nothing_but_colour() -> None:
    out = StringIO()
    Console(file=out, width=100, color_system=None, force_terminal=True, legacy_windows=False).print(plan_card(solution()))
    plain = "".join(out.getvalue().split())
    assert "".join(plan_card_text(solution(), 100).split()) == plain


def test_without_a_plan_no_number_of_a_plan_is_shown() -> None:
    text = said(without_plan())
    assert "No plan found" in text
    assert "Owner of refinery would not sign." in text
    for word in ("costs", "USD", "Instruments", "Who pays", "Targets"):
        assert word not in text


def test_a_run_stopped_at_a_limit_says_so() -> None:
    text = said(solution(result=result(status=Status.LIMIT, gap=0.0123, limit="time")))
    assert "Stopped at the time limit with the best plan so far: within 1.2 % of the best plan over 43 price paths" in text


def test_phases_come_in_the_order_of_a_run_from_a_stored_one_too() -> None:
    """JSON has them by name; a phase of another version comes last."""
    stored = result(phases={"build": 1.0, "dream": 4.0, "other": 2.0, "read": 3.0, "verify": 1.0})
    assert "seconds: read 3, build 1, verify 1, other 2, dream 4" in said(solution(result=stored))


def test_a_planner_is_no_policy() -> None:
    assert "Planner: a bound on every policy, not a policy" in said(solution(result=result(behaviour="planner")))


def test_what_was_fixed_beforehand_is_said() -> None:
    package = {"rest": "none", "rung": [{}, {}], "grant": [{}]}
    assert "Fixed beforehand: 2 rungs, 1 grant; nothing else was allowed" in said(solution(package=package))
    assert "Fixed beforehand: nothing; the rest was free to choose" in said(solution(package={"rest": "free"}))


def test_the_tightest_case_of_a_target_is_shown() -> None:
    line = next(line for line in said(solution()).splitlines() if line.strip().startswith("cap-65"))
    assert " ".join(line.split()) == "cap-65 reliance cap ≤ 65 % 93 % → 65 % 0 % binds CHN, 2030, base"


def test_a_missed_target_is_shouted() -> None:
    rows = tables()
    rows["targets"][0] |= {"achieved": 0.3, "slack": -0.1}
    assert "MISSED" in said(solution(tables=rows))


def test_prices_contracts_grants_and_stock_take_a_line_each() -> None:
    text = said(solution())
    for line in (
        "oxide, 2028–2033: no lower than 110,000 USD/t, held up by a levy (floor-110)",
        "1,200 t/a (60 % of capacity) at 110,000 USD/t or more, 30 % back above 150,000 USD/t, 10 years (offtake-110); EU pays 12.5 MUSD/a, at worst 60 MUSD/a",
        "2028: 80 MUSD (20 % of capital cost); EU pays",
        "oxide, 2028–2029: up to 80 t held, 80 t bought, up to 20 t/a released",
        "Free trade throughout: ore",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("kind", "level", "terms"),
    [
        ("tariff", 0.25, "25 % on top of the world price"),
        ("standard", 0.08, "compliant sources only, 8 % above the world price"),
        ("minimum", 9e4, "imports at 90,000 USD/t or more"),
    ],
)
def test_every_kind_of_price_measure_has_its_words(kind: str, level: float, terms: str) -> None:
    rows = tables()
    for row in rows["rungs"][4:]:
        row |= {"kind": kind, "level": level, "rung": "r"}
    assert f"oxide, 2028–2033: {terms} (r)" in said(solution(tables=rows))


def test_doing_nothing_is_a_plan_too() -> None:
    text = said(solution(tables={}, cost_terms={}, indicators={}, baseline={}, notes=(), warnings=()))
    for line in (
        "None: free trade, no contracts, no grants, no stock.",
        "Nobody: the plan needs no public money.",
        "Nothing: every target, cap and limit has room left.",
    ):
        assert line in text
    assert "without policy" not in text.split("Plants")[0]


def test_worst_scenarios_come_first_and_stress_tests_are_marked() -> None:
    lines = [line.split("  ")[1] for line in said(solution()).split("How the worst scenarios end")[1].splitlines()[3:7]]
    assert lines == ["Export ban", "Flooding", "Business as usual", "lose-CHN"]


def test_a_cautious_objective_is_named() -> None:
    changed = SETTINGS.model_copy(update={"economics": SETTINGS.economics.model_copy(update={"cvar_weight": 0.2})})
    assert "the worst 10 % of outcomes weigh 20 %" in said(solution(settings=changed))


def test_many_warnings_are_counted() -> None:
    text = said(solution(warnings=tuple(f"warning {n}" for n in range(9))))
    assert "warning 4" in text
    assert "warning 5" not in text
    assert "and 4 more; solution.json lists them all" in text
