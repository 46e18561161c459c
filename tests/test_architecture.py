"""The walls of the house: layers, who may use which library, and what each file must say. Read from the source, not from imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import orepact

PACKAGE = Path(next(iter(orepact.__path__)))
SOURCES = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
"""Every module by its place in the package: `solver/highs`, `cli`, `__init__`."""

LAYERS = (
    ("errors", "options", "texts", "versions"),
    ("instance",),
    ("market",),
    ("formulation",),
    ("solver",),
    ("solution",),
    ("analysis",),
    ("report",),
    ("api",),
    ("calls",),
    ("cli", "cli_words"),
)
"""From the ground up; a room may use what is below it and what is beside it, never what is above."""
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
PUBLIC_API = "__init__"
"""The lazy public API: the one place that may name every room and import late."""

MOST_LINES = 400
FILE_CALLS = {
    "open",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "read_csv",
    "to_csv",
    "read_excel",
    "to_excel",
    "ExcelFile",
    "ExcelWriter",
    "mkdir",
    "rename",
    "unlink",
}
FILE_ROOMS = ("instance/intake", "instance/reader", "instance/writer", "instance/starter", "solution/store", "solution/cases", "report", "cli")
VAGUE_NAMES = {"data", "info", "manager", "handler", "utils", "util", "helpers", "misc"}


def room(module: str) -> str:
    """The layer's name: the folder of a module, or the module itself at the top."""
    return module.split("/")[0]


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(place + "/") for place in places)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(SOURCES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Dotted names a module imports, wherever the import stands; `from a import b` gives `a.b`, relative ones are resolved."""
    here = ["orepact", *module.split("/")]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = [*here[: -node.level]] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules_used(module: str) -> set[str]:
    """Modules of the package that a module imports."""
    found = set()
    for name in imports(module):
        parts = name.split(".")
        if parts[0] != "orepact":
            continue
        for end in range(len(parts), 0, -1):
            place = "/".join(parts[1:end])
            match = next((m for m in (place, f"{place}/__init__" if place else PUBLIC_API) if m in SOURCES), None)
            if match is not None:
                found.add(match)
                break
    return found - {module}


def libraries(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def calls(module: str) -> Iterator[tuple[str, int]]:
    """Last name and line of everything that is called."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node.lineno
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.lineno


def test_every_module_has_a_room() -> None:
    assert {room(m) for m in SOURCES} - {PUBLIC_API, "__main__"} <= set(LEVEL)


def test_no_layer_uses_one_above_it() -> None:
    wrong = [
        f"{module} uses {used}"
        for module in SOURCES
        if room(module) in LEVEL
        for used in modules_used(module)
        if used == PUBLIC_API or LEVEL[room(used)] > LEVEL[room(module)]
    ]
    # The command line is the one user of the public API inside the package.
    assert [w for w in wrong if w != f"cli uses {PUBLIC_API}"] == []


def test_no_module_is_part_of_a_cycle() -> None:
    graph = {m: modules_used(m) for m in SOURCES if m != PUBLIC_API}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {error.args[1]}")


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("pyomo", ("solver/in_pyomo", "solver/other")),
        ("highspy", ("solver",)),
        ("rich", ("report", "cli", "solver/progress")),
        ("typer", ("cli", "cli_words")),
        ("plotly", ("report/html",)),
        ("jinja2", ("report/html",)),
        ("xlsxwriter", ("report/excel",)),
    ],
)
def test_a_library_stays_in_its_rooms(library: str, rooms: tuple[str, ...]) -> None:
    assert [m for m in SOURCES if library in libraries(m) and not within(m, rooms)] == []


def test_the_formulation_sees_plain_numbers_only() -> None:
    assert [m for m in SOURCES if room(m) == "formulation" and "pandas" in libraries(m)] == []


LATE = {("api", "orepact.solver.in_pyomo"), ("solver/batch", "orepact.solver.other")}
"""Where Pyomo is loaded, by those alone who ask for it: it takes a second, more than many a solve."""


def test_imports_stand_at_the_top() -> None:
    late = [
        f"{module}:{node.lineno}"
        for module in SOURCES
        if module != PUBLIC_API
        for function in ast.walk(tree(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and (module, getattr(node, "module", None)) not in LATE
    ]
    assert late == []


def test_only_the_command_line_and_reports_print() -> None:
    assert [f"{m}:{line}" for m in SOURCES if not within(m, ("cli", "report")) for name, line in calls(m) if name == "print"] == []


def test_the_library_leaves_logging_alone() -> None:
    settings = {"basicConfig", "dictConfig", "fileConfig", "addHandler", "setLevel", "captureWarnings"}
    assert [f"{m}:{line}" for m in SOURCES for name, line in calls(m) if name in settings] == []


def test_files_are_opened_in_few_places() -> None:
    assert [f"{m}:{line} {name}" for m in SOURCES if not within(m, FILE_ROOMS) for name, line in calls(m) if name in FILE_CALLS] == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {m: len(path.read_text(encoding="utf-8").splitlines()) for m, path in SOURCES.items()}
    assert {m: n for m, n in lengths.items() if n > MOST_LINES} == {}


def test_no_name_hides_what_a_module_does() -> None:
    assert [m for m in SOURCES if set(m.split("/")) & VAGUE_NAMES] == []


def test_every_public_thing_says_what_it_is() -> None:
    silent = [m for m in SOURCES if not ast.get_docstring(tree(m))]
    for module in SOURCES:
        for node in tree(module).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{module}.{node.name}")
    assert silent == []


def test_pytest_sees_no_package_called_model() -> None:
    """The source root must never reach site-packages as a package of its own."""
    assert not (PACKAGE.parent / "__init__.py").exists()


READS_WITHOUT_PYOMO = """
import sys
import orepact.solution.store, orepact.solution.solution
assert not {name.split(".")[0] for name in sys.modules} & {"pyomo", "highspy"}
"""


def test_a_stored_solution_is_read_without_pyomo() -> None:
    subprocess.run([sys.executable, "-c", READS_WITHOUT_PYOMO], check=True)


RUNS_WITHOUT_PYOMO = """
import sys
import orepact.api, orepact.calls, orepact.cli
assert "pyomo" not in sys.modules and "scipy.stats" not in sys.modules
"""


def test_a_run_with_highs_loads_no_pyomo() -> None:
    subprocess.run([sys.executable, "-c", RUNS_WITHOUT_PYOMO], check=True)


def test_verification_shares_no_code_with_what_it_checks() -> None:
    """It may read the instance and know what tables look like; prices, offers, balances and costs it works out by itself."""
    allowed = {"solution/schema", "solution/tables"}
    for module in (m for m in SOURCES if m.startswith("solution/verification")):
        used = {u for u in modules_used(module) if not u.startswith("solution/verification")}
        assert {room(u) for u in used} <= {"errors", "options", "instance", "solution"}, module
        assert {u for u in used if room(u) == "solution"} <= allowed, module
        assert libraries(module) <= {"__future__", "collections", "csv", "dataclasses", "functools", "io", "numpy", "orepact", "pandas", "types", "typing"}, (
            module
        )
