"""Tables of the documentation's pages, read back so that tests can hold every figure of them to a run."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def rows_after(text: str, heading: str) -> dict[str, list[str]]:
    """The first table after a heading: the cells of each row by the row's first cell."""
    lines = text.split(f"\n{heading}\n", 1)[1].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip().strip("*") for cell in line.strip().strip("|").split("|")])
    return {cells[0]: cells[1:] for cells in table[2:]}


def number(cell: str) -> float:
    """A figure as pages write it: 1,234, +5, −6, 7 %."""
    digits = cell.replace(",", "").replace("−", "-").replace("+", "").replace("\u00a0", " ")
    value, _, unit = digits.partition(" ")
    return float(value) / 100 if unit == "%" else float(value)
