"""Every instance still has the answer that its expected.toml gives: an answer that moves is meant to, and listed in CHANGELOG.md."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

import orepact
from orepact.market.world import world_of

EXPECTED = sorted((Path(__file__).parent.parent / "instances").glob("*/expected.toml"))
QUICK = {"tutorial"}


@pytest.mark.parametrize("file", [pytest.param(f, id=f.parent.name, marks=[] if f.parent.name in QUICK else pytest.mark.slow) for f in EXPECTED])
def test_the_answer_has_not_moved(file: Path) -> None:
    expected = tomllib.loads(file.read_text(encoding="utf-8"))
    options = orepact.SolveOptions(gap=expected["tolerance"] / 2, time_limit=1200, progress=False)
    solution = orepact.solve(orepact.read(file.parent), options)
    assert solution.result.status == "solved"
    assert solution.result.objective == pytest.approx(expected["objective"], rel=expected["tolerance"]), expected["why"]


def test_every_instance_says_what_it_expects_and_where_its_figures_come_from() -> None:
    folders = [file.parent for file in (Path(__file__).parent.parent / "instances").glob("*/instance.toml")]
    assert folders
    assert [f"{folder.name}/{name}" for folder in folders for name in ("expected.toml", "SOURCES.md") if not (folder / name).exists()] == []


BASKET = Path(__file__).parent.parent / "instances" / "alliance-basket"
NOT_NAMED = ("others_", "secondary_", "collect_")
"""Rows that stand for the rest of a country's output or for scrap, not for a plant with a name."""


def test_every_instance_is_valid() -> None:
    folders = [file.parent for file in BASKET.parent.glob("*/instance.toml")]
    assert len(folders) >= 5
    for folder in folders:
        orepact.read(folder)


def test_the_basket_has_twelve_minerals_each_a_chain_of_its_own() -> None:
    """A budget is all that the minerals share: no process joins two of them."""
    instance = orepact.read(BASKET)
    minerals = instance.table("products").set_index("product")["mineral"]
    chains = dict(zip(world_of(instance).products, world_of(instance).chain, strict=True))
    in_chain: dict[int, set[str]] = {}
    for product, chain in chains.items():
        in_chain.setdefault(int(chain), set()).add(minerals[product])
    assert minerals.nunique() == 12
    assert all(len(joined) == 1 for joined in in_chain.values())
    assert {minerals[p] for p in instance.table("products").query("stage != 'mined'")["product"]} == set(minerals)


def test_the_basket_names_its_projects() -> None:
    """At least 130 named plants and projects, at least three of every mineral, and no name twice."""
    instance = orepact.read(BASKET)
    plants, flows = instance.table("facilities"), instance.table("process_flows")
    named = plants[~plants["facility"].str.startswith(NOT_NAMED)]
    mineral_of = flows.merge(instance.table("products"), on="product").query("amount == 1").drop_duplicates("process").set_index("process")["mineral"]
    assert len(named) >= 130
    assert named["name"].is_unique
    assert not named["name"].str.contains("Other producers|Recycled").any()
    counts = named["process"].map(mineral_of).value_counts()
    assert len(counts) == 12
    assert counts.min() >= 3


@pytest.mark.parametrize("name", ["stricter", "korea", "canada", "australia", "britain", "india"])
def test_variants_of_the_basket(name: str) -> None:
    """Each variant is a valid instance that asks for more, or has one more to pay."""
    variants = runpy.run_path(str(BASKET / "variants.py"))["VARIANTS"]
    basket = orepact.read(BASKET)
    changed = variants[name](basket)
    if name == "stricter":
        before, after = (i.table("targets").set_index("target") for i in (basket, changed))
        harder = (after["value"] - before["value"]) * before["kind"].map(lambda kind: -1 if kind == "reliance_cap" else 1)
        assert (harder >= 0).all()
        assert (harder > 0).sum() >= 10
    else:
        assert len(changed.table("countries").query("role == 'member'")) == len(basket.table("countries").query("role == 'member'")) + 1
        assert len(changed.table("budgets")) == len(basket.table("budgets")) + 1
