"""One cell: from whatever a file or a caller holds to the typed value a column asks for, and back to text.

Everything becomes text first, so that a CSV file, a workbook and a DataFrame obey the same rules.
"""

from __future__ import annotations

import math
import re
from datetime import date, time, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd

from orepact.instance.naming import suggestion
from orepact.instance.schema import ALL, Column
from orepact.texts import FORMULA, LONGEST, LONGEST_NAME, UNSAFE, UNSAFE_RULE

Value = str | int | float | bool | tuple[str, ...] | None

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
COMMA_NUMBER = re.compile(r"[+-]?[\d., ' ]*,[\d., ' ]*([eE][+-]?\d+)?")
CODE = re.compile(r"[^\s;|=*,\"'\[\]]{1,64}")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
MOST_DIGITS = 60
"""Characters in a number; a figure has 17 digits at most."""

TINY = 1e-15
"""A number closer to zero, in canonical units, is a slip: no amount, price or share is so small."""


class CellError(ValueError):
    """A cell breaks a rule; the message is the rule."""


def as_text(cell: object) -> str:
    """The cell as the text that would stand in a CSV file; blank for nothing, NaN and NA. Exact for floats."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return ""
    match cell:
        case str():
            return cell.replace("\r\n", "\n").replace("\r", "\n").strip()
        case bool() | np.bool_():
            return "true" if cell else "false"
        case int() | np.integer():
            if abs(int(cell)) > 10**MOST_DIGITS:  # Python may refuse to write it out
                raise CellError("must be a number of usual size")
            return str(int(cell))
        case float() | np.floating():
            number = float(cell)
            if math.isnan(number):
                return ""
            return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
        case tuple() | list():
            return ";".join(as_text(item) for item in cell)
        case date() | time() | timedelta():
            raise CellError("is a date or time; write a plain number or text")
    return str(cell).strip()


def quoted(cell: object) -> str:
    """A faulty cell or setting as a message quotes it, whatever it is."""
    if isinstance(cell, int) and abs(cell) > 10**MOST_DIGITS:
        return f"a whole number of {cell.bit_length()} bits"
    return "" if cell is None else str(cell)


def parse(column: Column, cell: object, factor: Fraction | None = None) -> Value:
    """The typed value of a cell in canonical units; the default where it is blank.

    `factor` converts the unit in which numbers are given. Raises `CellError` with the rule that is broken.
    """
    text = as_text(cell)
    if UNSAFE.search(text):
        raise CellError(UNSAFE_RULE)
    if len(text) > (longest := LONGEST_NAME if column.name == "name" else LONGEST):
        raise CellError(f"text must have at most {longest} characters")
    if text == "":
        if column.required:
            raise CellError("required, but blank")
        if column.kind in ("codes", "choices"):
            return tuple(as_text(column.default).split(";")) if column.default else ()
        return column.default
    match column.kind:
        case "text":
            return text
        case "code":
            return _code(column, text)
        case "choice":
            return _choice(column, text)
        case "codes":
            return _items(column, text)
        case "choices":
            return tuple(_choice(column, item) for item in _items(column, text))
        case "bool":
            if text.casefold() not in TRUTH:
                raise CellError("must be true or false")
            return TRUTH[text.casefold()]
        case "int":
            number = _number(column, text, None)
            if not number.is_integer():
                raise CellError("must be a whole number")
            return int(number)
        case "float":
            return _number(column, text, factor)


def _code(column: Column, text: str) -> str:
    if text == ALL and column.wild:
        return text
    if not CODE.fullmatch(text):
        raise CellError("must be a short code: up to 64 characters, without spaces, quotes, brackets or any of ; , | = *")
    if FORMULA.match(text):
        raise CellError("a code must not begin with + - or @: a spreadsheet would take it for a formula")
    return text


def _items(column: Column, text: str) -> tuple[str, ...]:
    items = tuple(_code(column, item.strip()) for item in text.split(";") if item.strip())
    if not items:
        raise CellError("must be a list of codes separated by semicolons")
    if len(set(items)) < len(items):
        raise CellError("names something twice")
    if ALL in items and len(items) > 1:
        raise CellError("* stands alone: it already means all")
    return items


def _choice(column: Column, text: str) -> str:
    if text not in column.choices:
        raise CellError(f"must be one of {', '.join(column.choices)}{suggestion(text, column.choices)}")
    return text


def _number(column: Column, text: str, factor: Fraction | None) -> float:
    if not NUMBER.fullmatch(text):
        if COMMA_NUMBER.fullmatch(text):
            raise CellError("numbers are written with a decimal point and no thousands separator, not with a comma")
        if text.casefold().lstrip("+-") in ("nan", "inf", "infinity", "na", "n/a", "#n/a"):
            raise CellError("must be a finite number; leave the cell blank for 'not given'")
        raise CellError("must be a number")
    if len(text) > MOST_DIGITS:
        raise CellError(f"must be a number of at most {MOST_DIGITS} characters")
    number = float(text)
    if factor is not None and math.isfinite(number):  # exactly; an exponent of thousands must not be multiplied out
        exact = Fraction(text) * factor
        number = float(exact) if abs(exact) < 1e300 else math.inf
    if math.isinf(number):
        raise CellError("must be a finite number")
    if abs(number) < TINY and re.search("[1-9]", text.lower().partition("e")[0]):
        raise CellError("is too close to zero to be meant; write 0")
    unit = f" {column.unit}" if column.unit else ""
    given = "" if factor is None else f" (it is {number:.6g}{unit})"
    if column.above is not None and not number > column.above:
        raise CellError(f"must be above {column.above:g}{unit}{given}")
    if column.low is not None and number < column.low:
        raise CellError(f"must be at least {column.low:g}{unit}{given}")
    if column.high is not None and number > column.high:
        raise CellError(f"must be at most {column.high:g}{unit}{given}")
    return number
