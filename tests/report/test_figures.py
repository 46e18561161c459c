"""Figures are rounded to what matters and never hide their sign or unit."""

from __future__ import annotations

import pytest

from orepact.report.figures import change, count, listing, mass, money, number, plain, price, share, years


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1234567.8, "1,234,568"),
        (123.4, "123"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.1234, "0.123"),
        (0.01234, "0.0123"),
        (-2.5, "-2.5"),
        (1e-9, "0"),
        (30.0, "30"),
        (100, "100"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("usd", "text"), [(153.675, "154 USD"), (99_999, "99,999 USD"), (1_040_444.375, "1.04 MUSD"), (-2.5e9, "-2,500 MUSD")])
def test_money(usd: float, text: str) -> None:
    assert money(usd) == text


def test_change_has_a_sign() -> None:
    assert [change(usd) for usd in (5e6, -5e6, 0.0)] == ["+5 MUSD", "-5 MUSD", "0 USD"]


@pytest.mark.parametrize(("value", "text"), [(0.654, "65.4 %"), (0.65, "65 %"), (0.0004, "0.04 %"), (-1e-12, "0 %"), (0, "0 %"), (1, "100 %"), (-0.05, "-5 %")])
def test_share(value: float, text: str) -> None:
    assert share(value) == text


def test_units_and_words() -> None:
    assert [mass(14_400), mass(400, "/a"), price(110e3)] == ["14.4 kt", "400 t/a", "110,000 USD/t"]
    assert [count(1, "plant"), count(2, "plant"), count(0, "target or cap", "targets and caps")] == ["1 plant", "2 plants", "0 targets and caps"]
    assert [years(2028, 2028), years(2028, 2033)] == ["2028", "2028–2033"]
    assert [listing(["a", "b"], 2), listing(["a", "b", "c"], 2)] == ["a, b", "a, b and 1 more"]


def test_plain_keeps_letters_of_every_language() -> None:
    assert plain("Größe 稀土 – 5 %\t[b]") == "Größe 稀土 – 5 % [b]"
