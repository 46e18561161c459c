"""Instance folders, changed at random: what must be refused, what must change nothing, and what may come out either way.

A mutation of a seed is the same on every machine. Each kind says what must follow:

    planted   one fault in a known place; the answer must name the file, the row and the column
    harmless  the same instance, written otherwise; its digest must not change
    wild      anything at all; the answer is a named error or a valid instance, never a traceback
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from orepact.instance.schema import SCHEMA, Column

Files = dict[str, bytes]
Place = tuple[str, int | None, str | None]
"""File, row and column."""

SETTINGS = "instance.toml"


@dataclass(frozen=True)
class Mutation:
    """Changed files, and where the answer must point if the fault was planted."""

    kind: Literal["planted", "harmless", "wild"]
    what: str
    files: Files
    place: Place | None = None


def mutate(seed: int, files: Mapping[str, bytes], kind: str | None = None) -> Mutation:
    """The mutation of a seed: one in three planted, one in five harmless, the rest wild."""
    dice = random.Random(seed)
    kind = kind or dice.choices(("planted", "harmless", "wild"), (4, 2, 6))[0]
    while True:
        found = {"planted": planted, "harmless": harmless, "wild": wild}[kind](dice, dict(files))
        if found is not None:
            return found


# ---- tables as rows of text -------------------------------------------------------------------
Rows = list[list[str]]


def rows_of(content: bytes) -> Rows:
    """Rows of a CSV file without line ends in its cells, so that row n stands on line n + 1."""
    return [[" ".join(cell.split()) for cell in row] for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if any(row)]


def content_of(rows: Rows, *, end: str = "\n", quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue().encode()


def columns_of(file: str, rows: Rows) -> list[Column | None]:
    """The schema's column under each heading."""
    table = SCHEMA[file.removesuffix(".csv")]
    known = {column.name: column for column in table.columns}
    return [known.get(re.sub(r"\s*\[.*", "", heading).strip()) for heading in rows[0]]


def a_table(dice: random.Random, files: Mapping[str, bytes]) -> tuple[str, Rows]:
    file = dice.choice(sorted(name for name in files if name.endswith(".csv")))
    return file, rows_of(files[file])


# ---- planted ----------------------------------------------------------------------------------
NO_NUMBER = (
    "abc", "1,5", "1.234,5", "1 000", "1'000", "NaN", "nan", "inf", "-inf", "Infinity", "1e999", "-1e999", "0x10", "１２", "=1+1", "--1", "1e", "1e5000",
    "true", "2026-01-01", "1_000", "9" * 100, "1" * 5000, "½", "1;2", "@SUM(1)", "#N/A", "1e-400", "1\x00", "\x1b[31m1", "−1", "1\u202e", "٣", "5%", "$5", "5 kt",
)  # fmt: skip
NO_CODE = (
    "a b", "=x", "+x", "-x", "@x", "a;", "x" * 65, "\x1b[31mred", "a\u202eb", "a'b", 'a"b', "[red]", "a\x00", "\x9b31m", "a\u200bb", "a=b", "a|b", "\ufeffa",
    "_x001b_[2J",
)  # fmt: skip
NO_TEXT = ("\x1b[2J", "a\u202eb", "x" * 32_001, "a\x00b", "\x9b31m", "\x07a", "_x000D_", "a\u2028b", "a\u2066b", "\U000e0041a")


def planted(dice: random.Random, files: Files) -> Mutation | None:
    return dice.choice((bad_cell, bad_cell, bad_cell, bad_cell, bad_row, bad_header, bad_setting))(dice, files)


def bad_cell(dice: random.Random, files: Files) -> Mutation | None:
    """One cell that can't be what its column asks for."""
    file, rows = a_table(dice, files)
    columns = columns_of(file, rows)
    line, j = dice.randrange(1, len(rows)), dice.randrange(len(rows[0]))
    column = columns[j]
    if column is None:
        return None
    cell = dice.choice(bad_values(column))
    rows[line][j] = cell
    return Mutation("planted", f"{cell[:30]!r} in {file} {column.name}", {**files, file: content_of(rows)}, (file, line + 1, column.name))


def bad_values(column: Column) -> list[str]:
    """Values that this column must refuse."""
    values = [""] if column.required else []
    match column.kind:
        case "float" | "int":
            values += NO_NUMBER
            values += ["1e308", "-1e308", "1e30", repr(10 * (column.high or 1) + 1)]
            values += [repr((column.low if column.low is not None else column.above or 0.0) - 1)]
            values += ["1.5"] if column.kind == "int" else []
        case "bool":
            values += ["perhaps", "2", "ja", "1.0", "\x1b[1m"]
        case "choice":
            values += ["nonsense", "Member ", "=member", "\x1b[0m"]
        case "choices":
            values += ["nonsense", ";", "nonsense;nonsense"]
        case "code" | "codes":
            values += [value for value in NO_CODE if column.kind == "code" or value != "a;"]
            values += ["nowhere-at-all"] if column.refers else []
        case "text":
            values += NO_TEXT
            values += ["x" * 201] if column.name == "name" else []
    return values


def bad_row(dice: random.Random, files: Files) -> Mutation | None:
    """A key twice, a cell too many or too few."""
    file, rows = a_table(dice, files)
    line, table = dice.randrange(1, len(rows)), SCHEMA[file.removesuffix(".csv")]
    match dice.choice(("twice", "long", "short")):
        case "twice":
            if not table.key:
                return None
            rows.append(rows[line])
            return Mutation("planted", f"row twice in {file}", {**files, file: content_of(rows)}, (file, len(rows), ", ".join(table.key)))
        case "long":
            rows[line] = [*rows[line], "x"]
        case _:
            if len(rows[0]) == 1:
                return None
            rows[line] = rows[line][:-1]
    return Mutation("planted", f"row of another length in {file}", {**files, file: content_of(rows)}, (file, line + 1, None))


def bad_header(dice: random.Random, files: Files) -> Mutation | None:
    """A column misspelt, twice, missing or in a unit of another dimension."""
    file, rows = a_table(dice, files)
    j = dice.randrange(len(rows[0]))
    column = columns_of(file, rows)[j]
    if column is None:
        return None
    match dice.choice(("unknown", "twice", "missing", "unit")):
        case "unknown":
            name = dice.choice(("wrong", "\x1b[31m", column.name.upper() + "_", "=1+1", "<script>", "x" * 5000, column.name + "\u200b"))
            rows[0][j] = name
            return Mutation("planted", f"column {name[:20]!r} in {file}", {**files, file: content_of(rows)}, (file, 1, name.strip()))
        case "twice":
            rows = [[*row, row[j]] for row in rows]
            return Mutation("planted", f"column twice in {file}", {**files, file: content_of(rows)}, (file, 1, column.name))
        case "missing":
            if not column.required or len(rows[0]) == 1:
                return None
            rows = [row[:j] + row[j + 1 :] for row in rows]
            return Mutation("planted", f"column missing in {file}", {**files, file: content_of(rows)}, (file, 1, column.name))
        case _:
            unit = dice.choice(("kg*kg", "tons", "€", "1e5 t", "__import__", "t" * 100, "kt**9**9"))
            rows[0][j] = f"{column.name} [{unit}]"
            return Mutation("planted", f"unit {unit[:20]} in {file}", {**files, file: content_of(rows)}, (file, 1, column.name))


TOML_LINES = (
    ("economics", "social_rate = 7"), ("economics", "social_rate = nan"), ("economics", "social_rate = inf"), ("economics", "social_rate = -1e308"),
    ("economics", 'social_rate = "0,03"'), ("economics", "social_rate = 2026-01-01"), ("economics", "perimeter = 3"), ("economics", "cvar_level = 1.0"),
    ("economics", "levy_pooled = 17"), ("owners", "debt_tenor = 99999999999999999999"), ("owners", "debt_tenor = 0x" + "f" * 5000),
    ("owners", "rent_cap = [1]"), ("owners", "entry = 'free\\u001b'"), ("owners", 'entry = "\\u001b[31m"'), ("policy", "max_step = -1"),
    ("policy", "revision_years = [1, 2]"), ("policy", "revision_years = 2026"), ("horizon", "start_year = 1e308"), ("horizon", "period_years = []"),
    ("horizon", "period_years = [0]"), ("horizon", "period_years = [1e9]"), ("instance", 'name = "../../x"'), ("instance", 'name = "NUL"'),
    ("instance", 'name = "a."'), ("instance", 'name = "C:x"'), ("instance", "name = 7"), ("instance", 'title = "\\u202Ex"'),
    ("instance", 'title = "' + "x" * 300 + '"'), ("instance", "format = 2"),
)  # fmt: skip
"""Settings that must be refused, by section."""


def bad_setting(dice: random.Random, files: Files) -> Mutation | None:
    """One line of instance.toml that can't be."""
    section, line = dice.choice(TOML_LINES)
    key = line.partition(" =")[0]
    lines = files[SETTINGS].decode("utf-8-sig").splitlines()
    here, started = None, None
    for n, text in enumerate(lines):
        if text.strip() == f"[{section}]":
            started = n
        elif started is not None and text.startswith("["):
            break
        elif started is not None and re.match(rf"{key}\s*=", text):
            here = n
            break
    if started is None:
        lines += [f"[{section}]"]
        started = len(lines) - 1
    if here is None:
        here = started + 1
        lines.insert(here, line)
    elif "[" in lines[here] and "]" not in lines[here]:
        return None  # a list over several lines
    else:
        lines[here] = line
    return Mutation("planted", f"[{section}] {line[:40]}", {**files, SETTINGS: "\n".join(lines).encode() + b"\n"}, (SETTINGS, here + 1, f"{section}.{key}"))


# ---- harmless ---------------------------------------------------------------------------------
def harmless(dice: random.Random, files: Files) -> Mutation | None:
    """The same instance in other words."""
    way: Callable[[random.Random, str, bytes], bytes] = dice.choice(WAYS)
    chosen = dice.sample(sorted(files), dice.randint(1, len(files)))
    return Mutation("harmless", way.__name__, {name: way(dice, name, content) if name in chosen else content for name, content in files.items()})


def with_mark(_: random.Random, __: str, content: bytes) -> bytes:
    return b"\xef\xbb\xbf" + content.removeprefix(b"\xef\xbb\xbf")


def with_windows_ends(_: random.Random, __: str, content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def with_old_ends(_: random.Random, name: str, content: bytes) -> bytes:
    return content if name == SETTINGS else content_of(rows_of(content), end="\r")


def with_blank_lines(dice: random.Random, name: str, content: bytes) -> bytes:
    if name == SETTINGS:
        return b"\n\n# a note\n" + content + b"\n \n\n"
    rows = rows_of(content)
    rows.insert(dice.randint(1, len(rows)), [""] * len(rows[0]))
    return b"\n\n" + content_of(rows) + b"\n,,\n \n"


def with_columns_moved(dice: random.Random, name: str, content: bytes) -> bytes:
    if name == SETTINGS:
        return content
    rows = rows_of(content)
    order = dice.sample(range(len(rows[0])), len(rows[0]))
    return content_of([[row[j] for j in order] for row in rows])


def with_quotes(_: random.Random, name: str, content: bytes) -> bytes:
    return content if name == SETTINGS else content_of(rows_of(content), quoting=csv.QUOTE_ALL)


def with_spaces(dice: random.Random, name: str, content: bytes) -> bytes:
    return (
        content
        if name == SETTINGS
        else content_of([[dice.choice(("", " ", "\t")) + cell + dice.choice(("", " ")) for cell in row] for row in rows_of(content)])
    )


def with_empty_columns(_: random.Random, name: str, content: bytes) -> bytes:
    return content if name == SETTINGS else content_of([[*row, "", ""] for row in rows_of(content)])


def with_other_numerals(dice: random.Random, name: str, content: bytes) -> bytes:
    if name == SETTINGS:
        return content
    rows = rows_of(content)
    columns = columns_of(name, rows)
    for row in rows[1:]:
        for j, column in enumerate(columns):
            if column is not None and column.kind in ("float", "int") and re.fullmatch(r"\d+(\.\d+)?", row[j]):
                row[j] = dice.choice((f"+{row[j]}", f"{row[j]}e0", f"{row[j]}E+00", f"0{row[j]}", f"{row[j]}.0" if "." not in row[j] else f"{row[j]}00"))
            if column is not None and column.kind == "bool" and row[j] in ("true", "false"):
                row[j] = dice.choice({"true": ("yes", "1", "TRUE", "Yes"), "false": ("no", "0", "FALSE", "No")}[row[j]])
    return content_of(rows)


WAYS = (
    with_mark, with_windows_ends, with_old_ends, with_blank_lines, with_columns_moved, with_quotes, with_spaces, with_empty_columns, with_other_numerals,
)  # fmt: skip


# ---- wild -------------------------------------------------------------------------------------
NASTY = (
    *NO_NUMBER, *NO_CODE, *NO_TEXT[:2], "", " ", "0", "-0", "1e12", "1e-12", "1e9", "-1", "1e6", "free", "*", "ZONE", "base", "2026", "2200", "1900", "=cmd|' /C calc'!A0",
    "../../etc/passwd", "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>", "%s%n", "__import__('os')", "a,b", 'a"b', "a\nb", "\r", "'", "''", "'=1", "💥", "é", "é",
)  # fmt: skip
TOML_SCRAPS = (
    "[" * 3000, "a = " + "[" * 3000, "a" + ".a" * 5000 + " = 1", "a = " + "{a=" * 500 + "1" + "}" * 500, "x = " + "9" * 6000, "x = 1e9999", "[units]\n" + '"demand.demand" = "kt/a"\n',
    '[units]\n"demand.demand" = "kt**99999999/a"\n', "[units]\ndemand = 3\n", "[units.demand]\nmass = 'Mt'\n", "[[instance]]\nname = 'x'\n", "name = 1979-05-27", "\x00", '"\\u001b" = 1', "a = '''", "[instance]\n[instance]\n",
    "[solve]\ngap = 1\n", "units = 1", "instance = 1", "[units.demand.demand.a]\nb = 1", '"" = 1', "[economics]\nsocial_rate = 0.03\nsocial_rate = 0.04",
)  # fmt: skip


def wild(dice: random.Random, files: Files) -> Mutation | None:
    """Anything: cells, bytes, encodings, files."""
    return dice.choice((wild_cell, wild_cell, wild_scale, wild_bytes, wild_encoding, wild_file, wild_settings, wild_rows, wild_several))(dice, files)


def wild_cell(dice: random.Random, files: Files) -> Mutation:
    file, rows = a_table(dice, files)
    line, j, cell = dice.randrange(len(rows)), dice.randrange(len(rows[0])), dice.choice(NASTY)
    rows[line][j] = cell
    return Mutation("wild", f"{cell[:30]!r} in row {line + 1} of {file}", {**files, file: content_of(rows)})


def wild_scale(dice: random.Random, files: Files) -> Mutation | None:
    """A number of a size that nobody means, within the limits of its column or not."""
    file, rows = a_table(dice, files)
    places = [
        (line, j)
        for line, row in enumerate(rows)
        for j, column in enumerate(columns_of(file, rows))
        if line and column is not None and column.kind == "float" and re.fullmatch(r"[\d.]+", row[j])
    ]
    if not places:
        return None
    line, j = dice.choice(places)
    power = dice.choice((-12, -9, -6, -3, 3, 6, 9, 12, 300))
    rows[line][j] = f"{float(rows[line][j])!r}e{power}" if "e" not in repr(float(rows[line][j])) else rows[line][j]
    return Mutation("wild", f"times 1e{power} in row {line + 1} of {file}, {rows[0][j]}", {**files, file: content_of(rows)})


def wild_bytes(dice: random.Random, files: Files) -> Mutation:
    file = dice.choice(sorted(files))
    content = bytearray(files[file])
    for _ in range(dice.choice((1, 1, 2, 5, 50))):
        at = dice.randrange(len(content) or 1)
        match dice.choice(("flip", "insert", "delete", "copy")):
            case "flip" if content:
                content[at] = dice.randrange(256)
            case "insert":
                content[at:at] = dice.choice((b"\x00", b"\xff\xfe", b'"', b",", b"\n", b"\r", b";", b"\xe2\x80\xae", bytes([dice.randrange(256)])))
            case "delete":
                del content[at : at + dice.choice((1, 1, 3, 20))]
            case _:
                content[at:at] = content[dice.randrange(len(content) or 1) :][: dice.choice((1, 10, 100))]
    return Mutation("wild", f"bytes of {file}", {**files, file: bytes(content)})


def wild_encoding(dice: random.Random, files: Files) -> Mutation:
    file, encoding = dice.choice(sorted(files)), dice.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7", "cp037"))
    text = files[file].decode("utf-8-sig") + dice.choice(("", "\nüß,é\n", "# €"))
    return Mutation("wild", f"{file} in {encoding}", {**files, file: text.encode(encoding, errors="replace")})


def wild_file(dice: random.Random, files: Files) -> Mutation:
    """A file missing, empty, cut, doubled, swapped for another or beside the others."""
    file, other = dice.choice(sorted(files)), dice.choice(sorted(files))
    content = files[file]
    match dice.choice(("missing", "empty", "cut", "doubled", "swapped", "beside", "renamed", "wide", "long")):
        case "missing":
            return Mutation("wild", f"{file} missing", {name: text for name, text in files.items() if name != file})
        case "empty":
            return Mutation("wild", f"{file} empty", {**files, file: dice.choice((b"", b"\n", b"\xef\xbb\xbf", b",,,\n", b"\x00" * 100))})
        case "cut":
            return Mutation("wild", f"{file} cut", {**files, file: content[: dice.randrange(len(content) or 1)]})
        case "doubled":
            return Mutation("wild", f"{file} doubled", {**files, file: content + content})
        case "swapped":
            return Mutation("wild", f"{file} has what {other} should", {**files, file: files[other]})
        case "beside":
            name = dice.choice(("demnd.csv", "x.csv", "a\x1b[31m.csv", "‮.csv", "book.xlsx", "a" * 200 + ".csv", "DEMAND.CSV", "=1.csv", ".hidden", "notes.txt"))
            return Mutation("wild", f"{name[:20]!r} beside", {**files, name: content})
        case "renamed":
            return Mutation("wild", f"{file} renamed", {name + (".bak" if name == file else ""): text for name, text in files.items()})
        case "wide":
            return Mutation("wild", f"{file} with a very wide row", {**files, file: content + b"," * dice.choice((2_000, 200_000)) + b"x\n"})
        case _:
            return Mutation("wild", f"{file} with a very long cell", {**files, file: content + b"x" * dice.choice((40_000, 140_000, 1_000_000)) + b"\n"})


def wild_settings(dice: random.Random, files: Files) -> Mutation:
    """Scraps of TOML before, within or after the settings."""
    scrap, lines = dice.choice(TOML_SCRAPS), files[SETTINGS].decode("utf-8-sig").splitlines()
    at = dice.choice((0, len(lines), dice.randrange(len(lines) + 1)))
    lines[at:at] = [scrap]
    return Mutation("wild", f"{scrap[:20]!r} in {SETTINGS}", {**files, SETTINGS: "\n".join(lines).encode(errors="replace")})


def wild_rows(dice: random.Random, files: Files) -> Mutation:
    """Rows dropped, shuffled, or cells of two rows or columns exchanged."""
    file, rows = a_table(dice, files)
    header, *body = rows
    match dice.choice(("drop", "shuffle", "exchange", "transpose")):
        case "drop":
            body = [row for row in body if dice.random() < 0.7]
        case "shuffle":
            dice.shuffle(body)
        case "exchange":
            a, b, j = dice.choice(body), dice.choice(body), dice.randrange(len(header))
            a[j], b[j] = b[j], a[j]
        case _:
            j, k = dice.randrange(len(header)), dice.randrange(len(header))
            for row in body:
                row[j], row[k] = row[k], row[j]
    return Mutation("wild", f"rows of {file}", {**files, file: content_of([header, *body])})


def wild_several(dice: random.Random, files: Files) -> Mutation | None:
    """Two to four mutations on top of each other."""
    what = []
    for _ in range(dice.randint(2, 4)):
        try:
            found = dice.choice((wild_cell, wild_bytes, wild_rows, wild_settings))(dice, files)
        except (UnicodeDecodeError, csv.Error, IndexError, ValueError, KeyError):
            break  # the last one left nothing that can be taken apart again
        files = found.files
        what.append(found.what)
    return Mutation("wild", "; ".join(what), files) if what else None
