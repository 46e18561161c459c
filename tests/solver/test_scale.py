"""Numbers that scale: spreads in words, the figure to blame, and units that change nothing."""

from __future__ import annotations

import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import orepact
from orepact import cli
from orepact.errors import InstanceError
from orepact.instance.instance import Instance
from orepact.instance.reader import read
from orepact.instance.schema import SCHEMA
from orepact.instance.units import GROUPS, in_table_units, is_calendar
from orepact.instance.writer import write
from orepact.market import world
from orepact.options import SolveOptions
from random_instances import random_instance

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "instances/tutorial"
QUICK = SolveOptions(path_list=4, neighbours=False, gap=0.0, threads=1, stress=False, baseline=False, progress=False)
CLOSE = 1e-6


def objective(instance: Instance) -> float | None:
    return orepact.solve(instance, QUICK).result.objective


def spoilt(table: str, column: str, value: float) -> tuple[Instance, int]:
    """The tutorial with the last figure of a column replaced, and its line."""
    instance = read(TUTORIAL)
    rows = instance.table(table)
    rows.loc[rows.index[-1], column] = value
    return instance.with_table(table, rows), int(rows.index[-1])


PLANTED = [
    ("facilities", "capacity", 1e-6),
    ("facilities", "capacity", 1e12),
    ("prices", "price", 1e-9),
    ("demand", "demand", 1e12),
    ("demand", "demand", 1e-9),
    ("process_flows", "amount", 1e-9),
    ("budgets", "limit", 1e-6),
    ("contracts", "strike", 1e9),
]


@pytest.mark.parametrize(("table", "column", "value"), PLANTED)
def test_numbers_too_far_apart_are_refused_with_the_cell_that_is_to_blame(table: str, column: str, value: float) -> None:
    instance, line = spoilt(table, column, value)
    with pytest.raises(InstanceError) as error:
        orepact.solve(instance, QUICK)
    assert error.value.exit_code == 2
    for problem in error.value.problems:
        assert (problem.file, problem.row, problem.column, problem.value) == (f"{table}.csv", line, column, f"{value:.6g}")
        assert "too far apart to solve (more than 1e+09)" in problem.rule
        assert "others are about" in problem.rule


@pytest.mark.parametrize(("table", "column", "value"), [("prices", "price", 1e9), ("outside_supply", "available", 1e11), ("freight", "cost", 1e9)])
def test_numbers_far_apart_are_solved_with_a_note(table: str, column: str, value: float) -> None:
    instance, line = spoilt(table, column, value)
    solution = orepact.solve(instance, QUICK)
    notes = [note for note in solution.notes if note.startswith("The numbers of the model are far apart (more than 1e+06)")]
    assert notes
    assert all(f"Look at {table}.csv, row {line}, {column} = {value:.6g}" in note for note in notes)


def test_sane_numbers_are_told_in_words_before_the_solve(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "orepact.solver"):
        solution = orepact.solve(read(TUTORIAL), QUICK.model_copy(update={"isolated": False}))  # a child's log stays with the child
    told = caplog.messages[0]
    for kind in ("coefficients from", "costs from", "bounds from", "right-hand sides from"):
        assert kind in told
        assert any(words.startswith(kind) for words in solution.result.size["ranges"])
    assert not any("far apart" in note for note in solution.notes)


def test_the_command_line_refuses_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance, line = spoilt("demand", "demand", 1e12)
    write(instance, tmp_path / "instance")
    assert cli.main(["solve", str(tmp_path / "instance"), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    assert f"demand.csv, row {line}, column demand: '1e+12'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# ---- units ------------------------------------------------------------------------------------
def rewritten(instance: Instance, folder: Path, mass: str, money: str) -> Instance:
    """The same instance written in other units, declared for each table, and read again."""
    power = {"t": 0, "kt": 3, "Mt": 6, "USD": 0, "MUSD": 6, "BUSD": 9}
    write(instance, folder)
    declared = []
    for name, table in SCHEMA.items():
        file = folder / f"{name}.csv"
        if not file.exists():
            continue
        head, *body = [line.split(",") for line in _plain(file.read_text(encoding="utf-8")).splitlines()]
        for j, title in enumerate(head):
            column = table.column(title.partition(" [")[0])
            head[j] = column.name
            if not column.unit or is_calendar(column) or column.kind != "float":
                continue
            unit = in_table_units(column.unit, {"mass": mass, "money": money})
            shift = sum(sign * power[{"t": mass, "USD": money}[part]] for sign, part in _parts(column.unit) if part in GROUPS.values())
            assert unit or not shift
            for row in body:
                if row[j]:
                    row[j] = str(Decimal(row[j]).scaleb(-shift))
        file.write_text("\n".join(",".join(row) for row in [head, *body]) + "\n", encoding="utf-8")
        declared.append(f'[units.{name}]\nmass = "{mass}"\nmoney = "{money}"\n')
    with (folder / "instance.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n" + "\n".join(declared))
    return read(folder)


def _plain(text: str) -> str:
    assert '"' not in text
    return text


def _parts(unit: str) -> list[tuple[int, str]]:
    first, *rest = unit.split("/")
    return [(1, first), *((-1, part) for part in rest)]


def bare(instance: Instance) -> Instance:
    """The instance without texts, whose commas would need quotes."""
    texts = {name: [c.name for c in table.columns if c.kind == "text" and not c.required] for name, table in SCHEMA.items()}
    kept = {
        name: instance.table(name).drop(columns=columns) for name, columns in texts.items() if len(instance.table(name)) and name not in ("sources", "ranges")
    }
    settings: dict[str, Any] = instance.settings.model_dump()
    return Instance.from_tables(settings, kept)


INSTANCES = [
    *(
        pytest.param(str(place.relative_to(ROOT)), id=place.name)
        for place in (TUTORIAL, *sorted((ROOT / "tests/data").iterdir()))
        if (place / "instance.toml").exists()
    ),
    *(pytest.param(seed, id=f"random-{seed}", marks=() if seed < 4 else pytest.mark.slow) for seed in range(40)),
]


def given(which: str | int) -> Instance:
    return random_instance(which) if isinstance(which, int) else read(ROOT / which)


@pytest.mark.parametrize("which", INSTANCES)
def test_other_units_in_the_instance_change_nothing(which: str | int, tmp_path: Path) -> None:
    instance = bare(given(which))
    plain = objective(instance)
    for mass, money in (("kt", "USD"), ("t", "MUSD"), ("Mt", "BUSD")):
        again = objective(rewritten(instance, tmp_path / f"{mass}-{money}", mass, money))
        assert again == (None if plain is None else pytest.approx(plain, rel=CLOSE))


@pytest.mark.parametrize("which", INSTANCES)
def test_other_units_inside_the_model_change_nothing(which: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own scaling is a convenience of the solver: a hundred times coarser or finer gives the same plan cost."""
    instance = given(which)
    plain, units = objective(instance), world._units
    for mass, price in ((10.0, 1.0), (1.0, 10.0), (0.1, 0.1)):
        monkeypatch.setattr(world, "_units", lambda rows, mass=mass, price=price: tuple(np * by for np, by in zip(units(rows), (mass, price), strict=True)))
        again = objective(instance)
        assert again == (None if plain is None else pytest.approx(plain, rel=CLOSE))
