"""What is taken in from strangers: plain files of a sane size, workbooks that unpack to a sane size, TOML of a sane shape.

A rule broken raises `IntakeError`, whose message is the rule for a Problem.
"""

from __future__ import annotations

import io
import math
import os
import re
import stat
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orepact.texts import LONGEST, UNSAFE, UNSAFE_RULE

LARGEST_FILE = 32_000_000
"""Bytes of one file: a hundred times the largest table of a world-wide instance."""

LARGEST_TOML = 256_000
"""Bytes of instance.toml, or of a package."""

LARGEST_UNPACKED = 256_000_000
"""Bytes that a workbook may unpack to."""

MOST_PACKED = 200
"""How many times its packed form a large part of a workbook may unpack to."""

MOST_PARTS = 2_000
"""Parts of a workbook."""

ROWS, COLUMNS, CELLS = 100_000, 1_000, 2_000_000
"""Most filled rows and columns of one table, and filled cells of one workbook."""

LAST_ROW = 1_048_576
"""The last row that a spreadsheet program has."""

DEEPEST = 8
"""Levels of tables and lists in a TOML file."""

_DEEP_KEY = re.compile(r"""(?:(?:[A-Za-z0-9_-]{1,64}+|"[^"\n]{0,64}+"|'[^'\n]{0,64}+')[ \t]{0,9}+\.[ \t]{0,9}+){16}""")
_DOCTYPE = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


class IntakeError(ValueError):
    """Something that is not taken in; the message is the rule."""


def read_file(path: Path, inside: Path | None = None, largest: int = LARGEST_FILE) -> bytes:
    """The bytes of a plain file of at most `largest` bytes that lies in the folder `inside`, links followed.

    Raises IntakeError for anything else, such as a pipe, a device or a link that leads elsewhere, and OSError where the
    system refuses.
    """
    place = Path(os.path.realpath(path, strict=True))  # an OSError for links in a circle or to nowhere
    if inside is not None and not place.is_relative_to(inside.resolve()):
        raise IntakeError("is a link that leads out of the folder")
    # Opening a pipe would wait for its writer for ever: open without waiting, then look what it is.
    handle = os.open(place, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise IntakeError("is not a plain file")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise IntakeError(f"is larger than {largest / 1e6:g} MB, the most that is read")
    return content


def check_workbook(content: bytes) -> None:
    """Raise IntakeError on a workbook that unpacks to something huge or whose XML brings definitions of its own."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS:
            raise IntakeError(f"has {len(parts)} parts; at most {MOST_PARTS} are read")
        unpacked = sum(part.file_size for part in parts)
        if unpacked > LARGEST_UNPACKED:
            raise IntakeError(f"unpacks to {unpacked / 1e6:,.0f} MB; at most {LARGEST_UNPACKED / 1e6:g} MB are read")
        for part in parts:
            if part.file_size > 1_000_000 and part.file_size > MOST_PACKED * max(part.compress_size, 1):
                raise IntakeError(f"part {part.filename!r} unpacks to more than {MOST_PACKED} times its size")
        for part in parts:
            # The bytes read never exceed the size that the archive states: the library stops there.
            if any(mark in archive.read(part) for mark in _DOCTYPE):
                raise IntakeError(f"part {part.filename!r} brings XML definitions of its own, which no spreadsheet program writes")


def load_toml(text: str) -> dict[str, Any]:
    """The content of a TOML file. Raises TOMLDecodeError where it is not TOML, IntakeError where its shape is not sane."""
    if len(text) > LARGEST_TOML:
        raise IntakeError(f"is longer than {LARGEST_TOML:,} characters, the most that is read")
    if _DEEP_KEY.search(text):  # the parser needs time with the square of a dotted key's length
        raise IntakeError("a key has more than 15 parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise IntakeError("is nested too deeply") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise IntakeError(f"holds a value that is out of all bounds: {error}") from None


def strange_values(content: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    """What in a TOML file's content can't be meant: dotted key, value as text and rule of each such value."""
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        place, value, depth = waiting.pop()
        match value:
            case Mapping() | list() if depth > DEEPEST:
                yield place, None, f"is nested more than {DEEPEST} levels deep"
            case Mapping():
                for key, inner in value.items():
                    if UNSAFE.search(key) or len(key) > LONGEST:
                        yield place, key, f"key: {UNSAFE_RULE}"
                    else:
                        waiting.append((f"{place}.{key}" if place else key, inner, depth + 1))
            case list():
                waiting += [(place, inner, depth + 1) for inner in value]
            case str() if UNSAFE.search(value):
                yield place, value, UNSAFE_RULE
            case str() if len(value) > LONGEST:
                yield place, value, f"text must have at most {LONGEST} characters"
            case bool() | str():
                pass
            case int() if abs(value) > 2**53:
                yield place, f"a whole number of {value.bit_length()} bits", "must be a number of usual size"
            case float() if not math.isfinite(value):
                yield place, str(value), "must be a finite number"
            case int() | float():
                pass
            case _:
                yield place, str(value), "is a date or time; write a plain number or text"
