"""Figures and names as people read them: rounded to what matters, with their unit, and safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that steer a terminal or reorder text instead of showing: control, format, surrogate, separators."""


class Units(NamedTuple):
    """A canonical unit and a bigger one that reads better from some amount on."""

    small: str
    big: str
    big_size: float
    big_from: float


MONEY = Units("USD", "MUSD", 1e6, 1e5)
MASS = Units("t", "kt", 1e3, 1e4)


def plain(text: object) -> str:
    """Text from an instance in one line, with characters that could steer a terminal shown as a replacement mark."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in UNSAFE else c for c in " ".join(str(text).split()))


def number(value: float) -> str:
    """About three significant digits, thousands set apart; whole numbers are never rounded away."""
    size = abs(value)
    if size < 5e-7:
        return "0"
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4 if size >= 0.01 else 6
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def common_unit(values: Iterable[float], units: Units) -> tuple[str, float]:
    """The unit that suits the largest of the values, and how much of the canonical unit it is."""
    largest = max((abs(value) for value in values), default=0.0)
    return (units.big, units.big_size) if largest >= units.big_from else (units.small, 1.0)


def money(usd: float, per: str = "") -> str:
    """USD as MUSD where that reads better; `per` is put behind the unit, e.g. `/a`."""
    unit, size = common_unit([usd], MONEY)
    return f"{number(usd / size)} {unit}{per}"


def exact_money(usd: float) -> str:
    """Money with the digits that a gap is about."""
    return f"{usd / 1e6:,.3f} MUSD" if abs(usd) >= 1e5 else f"{usd:,.3f} USD"


def price(usd_t: float) -> str:
    """A price, never in millions."""
    return f"{number(usd_t)} USD/t"


def change(usd: float) -> str:
    """A difference in money, with its sign."""
    return f"+{money(usd)}" if usd > 0 else money(usd)


def mass(tonnes: float, per: str = "") -> str:
    """Tonnes as kt where that reads better; `per` is put behind the unit."""
    unit, size = common_unit([tonnes], MASS)
    return f"{number(tonnes / size)} {unit}{per}"


def share(value: float) -> str:
    """A share as a percentage with one decimal; a tiny one is not shown as none."""
    percent = 100 * value
    if 5e-7 < abs(percent) < 0.05:
        return f"{number(percent)} %"
    return f"{percent:.1f} %".replace("-0.0 %", "0.0 %").replace(".0 %", " %")


def count(n: int, one: str, many: str | None = None) -> str:
    """`n` with the right form of the noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def years(first: int, last: int) -> str:
    """A span of years."""
    return str(first) if first == last else f"{first}–{last}"


def listing(items: Sequence[str], most: int) -> str:
    """The first `most` items, and how many there are beyond them."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
