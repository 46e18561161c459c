"""`--set`: what can be set, how values are read, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from orepact.errors import OptionError
from orepact.instance.overrides import Overrides, known_paths, parse, solve_options, value_of
from orepact.options import SolveOptions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.05", 0.05),
        ("1e-3", 1e-3),
        ("12", 12),
        ("true", True),
        ("duty", "duty"),
        ('"duty"', "duty"),
        ("[2026, 2030]", [2026, 2030]),
        (" milp ", "milp"),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_values_are_toml_or_text(text: str, value: Any) -> None:
    assert value_of(text) == value


def test_settings_and_run_options_are_told_apart() -> None:
    assert parse(["economics.social_rate=0.05", "solve.gap=0.01", "solve.method=milp"]) == Overrides(
        {"economics.social_rate": 0.05}, {"gap": 0.01, "method": "milp"}
    )
    assert parse([]) == Overrides({}, {})


def test_every_option_can_be_set() -> None:
    paths = known_paths()
    assert {f"solve.{name}" for name in SolveOptions.model_fields} <= set(paths)
    assert {"instance.name", "horizon.start_year", "owners.cover", "policy.max_step"} <= set(paths)


@pytest.mark.parametrize("word", ["gap=1", "solve=1", "solve.=1", "=1", "economics=1", "economics.social_rate"])
def test_what_cannot_be_set_is_refused(word: str) -> None:
    with pytest.raises(OptionError, match="--set"):
        parse([word])


def test_flags_that_were_not_given_keep_their_default() -> None:
    assert solve_options({"path_list": 3}, {"gap": None, "seed": 4}) == SolveOptions(path_list=3, seed=4)


def test_every_fault_is_named() -> None:
    with pytest.raises(OptionError, match=r"option gap: -1: .*; option seed: 'x': "):
        solve_options({"seed": "x"}, {"gap": -1})
