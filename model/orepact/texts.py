"""Text from strangers: what it may hold, how it is printed, and how it stands in a CSV file that a spreadsheet will open.

Text is refused at the door if it holds characters that steer a terminal, turn the direction of reading or hide; so every
output may print what the instance says. What was refused is quoted in messages with such characters written out.
"""

from __future__ import annotations

import json
import re

LONGEST = 32_000
"""Characters in a cell or a setting; a workbook can hold hardly more."""

LONGEST_NAME = 200
"""Characters in a name or title, which reports print on one line."""

UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, those that begin a terminal's commands among them
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # turn the direction of reading, hide, break lines
    "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff"  # no characters at all, or tags that nobody sees
    "]|_x[0-9A-Fa-f]{4}_"  # how a workbook writes a control character
)
"""What no text may hold."""

UNSAFE_RULE = "text must have no control or invisible characters (or codes for them such as _x000D_)"

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a cell begins that a spreadsheet program may run as a formula (the wide signs in East Asian editions)."""

_GUARDED = re.compile(rf"{FORMULA.pattern}|\s*'")


def printable(text: str, longest: int | None = None) -> str:
    """The text with every character written out that does not simply show, line ends aside; cut at `longest`."""
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)
    return shown if longest is None or len(shown) <= longest else f"{shown[:longest]}... ({len(text)} characters)"


def printable_json(text: str) -> str:
    """JSON text with the same written as JSON's own escapes: the content does not change."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def guarded(text: str) -> str:
    """The text as it stands in a CSV file: with an apostrophe in front where a spreadsheet would run it, or could mistake it."""
    return f"'{text}" if _GUARDED.match(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell; the inverse of `guarded`. An apostrophe in front of anything else belongs to the text."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell[1:]) else cell
