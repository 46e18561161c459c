"""Workbooks from strangers: archives that unpack without end, XML with definitions, sheets of impossible size, formulas that reach out."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from orepact.errors import InstanceError
from orepact.instance import intake
from orepact.instance.reader import read
from orepact.instance.writer import write

ROOT = Path(__file__).parents[2]
FLIPS = 400
"""Workbooks with bytes changed; the default suite takes 5 % of them."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small instance as a workbook."""
    book = tmp_path_factory.mktemp("book") / "book.xlsx"
    write(read(ROOT / "tests/data/border"), book)
    return book.read_bytes()


def repacked(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with every part changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
    return packed.getvalue()


def with_part(content: bytes, name: str, *pieces: bytes) -> bytes:
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as part:
        for piece in pieces:
            part.write(piece)
    return packed.getvalue()


def in_sheet(content: bytes, old: bytes, new: bytes, sheet: str = "sheet2.xml") -> bytes:
    """The workbook with a text in one sheet replaced; it must be there."""
    seen = []

    def change(name: str, part: bytes) -> bytes:
        if not name.endswith(sheet):
            return part
        seen.append(old in part)
        return part.replace(old, new, 1)

    changed = repacked(content, change)
    assert seen == [True]
    return changed


def refusal(content: bytes, folder: Path) -> str:
    (folder / "book.xlsx").write_bytes(content)
    with pytest.raises(InstanceError) as error:
        read(folder / "book.xlsx")
    return str(error.value)


def test_an_archive_that_unpacks_to_too_much(good: bytes, tmp_path: Path) -> None:
    bomb = with_part(good, "xl/worksheets/sheet99.xml", *[bytes(1_000_000)] * 300)
    assert len(bomb) < 1_000_000
    assert "unpacks to 300 MB; at most 256 MB are read" in refusal(bomb, tmp_path)
    assert "unpacks to more than 200 times its size" in refusal(with_part(good, "xl/media/x.png", bytes(5_000_000)), tmp_path)


def test_an_archive_of_very_many_parts(good: bytes, tmp_path: Path) -> None:
    packed = io.BytesIO(good)
    with zipfile.ZipFile(packed, "a") as archive:
        for n in range(intake.MOST_PARTS):
            archive.writestr(f"x{n}", b"")
    assert "parts; at most 2000 are read" in refusal(packed.getvalue(), tmp_path)


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [LAUGHS, OUTSIDE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_definitions_of_its_own(head: bytes, encoding: str, good: bytes, tmp_path: Path) -> None:
    def change(name: str, part: bytes) -> bytes:
        if not name.endswith("sheet2.xml"):
            return part
        return (head + re.sub(rb"^<\?xml.*?\?>", b"", part)).decode().encode(encoding)

    assert "XML definitions of its own" in refusal(repacked(good, change), tmp_path)


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "at most 1,000 columns"),
        (b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>', "at most 100,000 rows"),
        (b'<row r="90"><c r="ZZZZZZ90"><v>1</v></c></row>', ""),
        (b'<row r="-5"><c r="A-5"><v>1</v></c></row>', ""),
        (b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "row 1048576"),
        (b'<row r="90"><c r="A90" t="s"><v>99999999</v></c></row>', ""),
        (b'<row r="90"><c r="A90"><v>' + b"9" * 10_000 + b"</v></c></row>", ""),
        (b'<row r="90"><c r="A90" t="d"><v>2026-99-99</v></c></row>', ""),
    ],
)
def test_cells_at_the_end_of_the_world(cell: bytes, rule: str, good: bytes, tmp_path: Path) -> None:
    assert rule in refusal(in_sheet(good, b"</sheetData>", cell + b"</sheetData>"), tmp_path)


def test_what_a_sheet_says_of_its_own_size_is_not_believed(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(in_sheet(good, b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'))
    assert read(tmp_path / "book.xlsx") == read(ROOT / "tests/data/border")


@pytest.mark.parametrize(
    "formula",
    ["[1]Sheet1!A1", "'[Book.xlsx]Sheet'!A1", "1+[1]Sheet1!$A$1", "cmd|'/C calc'!A0", 'WEBSERVICE("http://x")', 'RTD("x",,"y")', "'C:\\[a.xls]b'!A1"],
)
def test_formulas_that_reach_out_are_refused(formula: str, good: bytes, tmp_path: Path) -> None:
    text = formula.replace("&", "&amp;").replace('"', "&quot;").encode()
    cell = b'<row r="90"><c r="A90" t="str"><f>' + text + b"</f><v>USA</v></c></row>"
    message = refusal(in_sheet(good, b"</sheetData>", cell + b"</sheetData>"), tmp_path)
    assert "row 90, column A" in message
    assert "takes its value from another file, program or site" in message


def test_a_formula_means_its_stored_value_and_says_so(good: bytes, tmp_path: Path) -> None:
    book = load_workbook(io.BytesIO(good))
    price = next(row for row in book["prices"].iter_rows(min_row=2) if isinstance(row[2].value, int | float))[2]
    raw = f'<c r="{price.coordinate}" t="n"><v>{price.value}</v></c>'.encode()
    new = f'<c r="{price.coordinate}"><f>SUM(A1:A2)</f><v>{price.value}</v></c>'.encode()
    number = book.sheetnames.index("prices") + 1
    (tmp_path / "book.xlsx").write_bytes(in_sheet(good, raw, new, f"sheet{number}.xml"))
    instance = read(tmp_path / "book.xlsx")
    assert instance == read(ROOT / "tests/data/border")
    assert any(f"'=SUM(A1:A2)': formula; its stored value is used: {price.value}" in str(warning) for warning in instance.warnings)


def test_two_sheets_of_one_name(good: bytes, tmp_path: Path) -> None:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(b'name="prices"', b'name="demand"') if name == "xl/workbook.xml" else part

    assert "two sheets called 'demand'" in refusal(repacked(good, change), tmp_path)


def flipped(seed: int, content: bytes) -> Iterator[bytes]:
    """The workbook with bytes changed in the archive, and in one of its parts."""
    dice = random.Random(seed)

    def flip(part: bytes) -> bytes:
        changed = bytearray(part)
        for _ in range(dice.choice((1, 1, 2, 10))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        return bytes(changed)

    yield flip(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        chosen = dice.choice(archive.namelist())
    yield repacked(content, lambda name, part: flip(part) if name == chosen else part)


@pytest.mark.parametrize("first", [pytest.param(n, marks=() if n < FLIPS // 20 else pytest.mark.slow) for n in range(0, FLIPS, 20)])
def test_damaged_workbooks(first: int, good: bytes, tmp_path: Path) -> None:
    for seed in range(first, first + 20):
        for content in flipped(seed, good):
            (tmp_path / "book.xlsx").write_bytes(content)
            refusal = ""
            try:
                read(tmp_path / "book.xlsx")
            except InstanceError as error:
                refusal = str(error)
            assert all(c.isprintable() or c == "\n" for c in refusal)
