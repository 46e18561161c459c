"""Write the pages of docs/ that are generated from the code; with --check, only say which are out of date (exit code 1)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from inspect import cleandoc
from pathlib import Path
from types import ModuleType

from orepact import formulation
from orepact.formulation import arithmetic, cells
from orepact.formulation.build import PARTS
from orepact.instance.docs import instance_format_page
from orepact.market import horizon, ladder, offers, owners, paths, permissions, plants, recipe, shocks, signing
from orepact.market import parts as parts_of_basket
from orepact.solution.docs import solution_format_page
from orepact.solver import basket, batch, diagnosis, examine, master, neighbourhood, part, search, shared, tidy
from orepact.solver.diagnosis import conflict, repairs

FOLDER = Path(__file__).parent

MARKET = (horizon, shocks, plants, recipe, ladder, paths, permissions, offers, owners, signing)
"""What others do, in the order in which one thing needs another."""

INTRODUCTION = """# The mathematics

Governments move first and in discrete steps, so everybody's answer to a price path can be worked out before the solve: which plants run, what each owner would sign.
What is left is to choose a path and offers and to balance tonnes. Each section below is the docstring of the module that
does what it says; indented lines are formulas.

Symbols. k product, f plant, o outside source, i node, t period, τ the period in which building starts, w scenario, l rung of the price ladder, n contract.
π world price, P price in the zone, a_fk tonnes of k made (+) or used (−) per tonne of f's main output, A output per tonne of capacity, n_t years in a period,
d_t what a dollar a year in period t is worth at the social rate, dh_t the same at an owner's hurdle rate, p_w probability.
"""


def mathematics_page() -> str:
    """The model, from the docstrings of the modules that make it."""
    parts = [sys.modules[part.__module__] for part in PARTS]
    chapters = [
        ("What others do", MARKET),
        ("What may be chosen", [formulation, *parts]),
        ("How it is solved", [search, examine, neighbourhood, batch, tidy]),
        ("How a basket is solved", [basket, parts_of_basket, part, shared, master]),
        ("Why there is no plan", [arithmetic, diagnosis, cells, conflict, repairs]),
    ]
    return INTRODUCTION + "".join(_chapter(title, modules) for title, modules in chapters)


def _chapter(title: str, modules: Iterable[ModuleType]) -> str:
    sections = [_section(module) for module in modules]
    return f"\n## {title}\n" + "".join(sections)


def _section(module: ModuleType) -> str:
    place = module.__name__.removeprefix("orepact.").replace(".", "/")
    return f"\n### `{place}`\n\n{cleandoc(module.__doc__ or '')}\n"


PAGES: dict[str, Callable[[], str]] = {
    "instance-format.md": instance_format_page,
    "solution-format.md": solution_format_page,
    "mathematics.md": mathematics_page,
}


def main(arguments: list[str]) -> int:
    """Write or check every page; the number of pages out of date decides the exit code of a check."""
    check, stale = "--check" in arguments, 0
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{path.name} is out of date: make docs")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"{path.name} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
