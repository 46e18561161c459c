"""Packages of somebody else's measures: what they say, and every way in which the instance rules one out."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from orepact.errors import InstanceError
from orepact.instance.instance import Instance
from orepact.instance.package import FixedContract, FixedGrant, FixedRung, FixedStart, Package, package_from, parse_package


@cache
def instance() -> Instance:
    """A refinery in a member country, one in a partner country, one that exists; a floor, two contracts."""
    plant = {"process": "refining", "status": "candidate", "capacity": 1000, "opex": 5000, "capex": 1e8}
    return Instance.from_tables(
        {"instance": {"name": "x"}, "horizon": {"start_year": 2026, "period_years": [2, 2, 4]}},
        {
            "countries": [
                {"country": "EU", "role": "member"},
                {"country": "FRA", "role": "member", "treasury": "EU"},
                {"country": "USA", "role": "member"},
                {"country": "AUS", "role": "partner"},
                {"country": "CHN", "role": "outside"},
            ],
            "products": [{"product": "oxide", "mineral": "m", "stage": "refined"}],
            "processes": [{"process": "refining"}],
            "process_flows": [{"process": "refining", "product": "oxide", "amount": 1, "main": True}],
            "facilities": [
                {"facility": "mill", "country": "FRA", "latest_start": 2028} | plant,
                {"facility": "works", "country": "AUS"} | plant,
                {"facility": "old", "country": "USA"} | plant | {"status": "existing"},
            ],
            "prices": [{"product": "oxide", "year": 2026, "price": 60000}],
            "demand": [{"country": "FRA", "product": "oxide", "year": 2026, "demand": 500}],
            "outside_supply": [{"country": "CHN", "product": "oxide", "year": 2026, "available": 5000}],
            "scenarios": [{"scenario": "base", "probability": 1}],
            "ladder": [{"product": "oxide", "rung": "floor", "step": 1, "kind": "reference", "price": 110000}],
            "contracts": [
                {"contract": "offtake", "products": "oxide", "strike": 110000, "min_share": 0.2, "max_share": 0.8},
                {"contract": "abroad", "products": "oxide", "countries": "AUS", "premium": 1000, "instrument": "support"},
            ],
            "refusals": [{"member": "USA", "instrument": "grant"}],
        },
    )


GOOD = """
rest = "none"
[[rung]]
product = "oxide"
from_year = 2028
rung = "floor"
[[start]]
facility = "mill"
year = 2028
[[start]]
facility = "works"
[[contract]]
facility = "mill"
contract = "offtake"
share = 0.5
[[grant]]
facility = "works"
usd = 20_000_000
payer = "EU"
"""


def test_a_package_says_what_is_fixed() -> None:
    assert parse_package(GOOD.replace('[[start]]\nfacility = "works"', '[[start]]\nfacility = "works"\nbuilt = true'), instance()) == Package(
        rungs=(FixedRung("oxide", 2028, "floor"),),
        starts=(FixedStart("mill", True, 2028), FixedStart("works", True, None)),
        contracts=(FixedContract("mill", "offtake", 0.5, None),),
        grants=(FixedGrant("works", 20e6, "EU"),),
        rest="none",
    )


def test_a_package_is_read_back_from_its_content() -> None:
    package = package_from(
        {"rest": "none", "start": [{"facility": "works", "built": False}], "contract": [{"facility": "mill", "contract": "offtake", "share": 0.5}]}, instance()
    )
    assert package.starts == (FixedStart("works", False, None),)
    assert package_from(package.content(), instance()) == package


def test_nothing_fixed_is_a_package() -> None:
    assert package_from({}, instance()) == Package()


@pytest.mark.parametrize(
    ("content", "place", "rule"),
    [
        ({"rungs": []}, ("package", None, "rungs", None), "unknown table; nearest known: rung"),
        ({"rest": "all"}, ("package", None, "rest", "all"), "must be free or none"),
        ({"rung": {"product": "oxide"}}, ("package", None, "rung", None), "must be an array of tables: [[rung]]"),
        (
            {"rung": [{"product": "oxid", "from_year": 2026, "rung": "floor"}]},
            ("package [[rung]]", 1, "product", "oxid"),
            "unknown product; nearest known: oxide",
        ),
        ({"rung": [{"product": "oxide", "from_year": 2026, "rung": "flor"}]}, ("package [[rung]]", 1, "rung", "flor"), "unknown rung; nearest known: floor"),
        (
            {"rung": [{"product": "oxide", "from_year": 2027, "rung": "free"}]},
            ("package [[rung]]", 1, "from_year", "2027"),
            "must be the first year of a period: 2026, 2028, 2030",
        ),
        ({"rung": [{"product": "oxide", "from_year": 2026}]}, ("package [[rung]]", 1, "rung", None), "is missing"),
        (
            {"rung": [{"product": "oxide", "from_year": 2026, "rung": "free", "year": 1}]},
            ("package [[rung]]", 1, "year", None),
            "unknown key; nearest known: from_year",
        ),
        ({"rung": [{"product": "oxide", "from_year": 2026.5, "rung": "free"}]}, ("package [[rung]]", 1, "from_year", "2026.5"), "must be a whole number"),
        (
            {"rung": [{"product": "oxide", "from_year": 2026, "rung": "free"}] * 2},
            ("package [[rung]]", 2, "product", "oxide"),
            "the same product and from_year as [[rung]] 1",
        ),
        ({"start": [{"facility": "mil", "year": 2026}]}, ("package [[start]]", 1, "facility", "mil"), "unknown facility; nearest known: mill"),
        ({"start": [{"facility": "old", "year": 2026}]}, ("package [[start]]", 1, "facility", "old"), "exists already; only candidates have a start"),
        ({"start": [{"facility": "mill"}]}, ("package [[start]]", 1, "year", None), "is missing; without a year say built = true or built = false"),
        ({"start": [{"facility": "mill", "year": 2026, "built": False}]}, ("package [[start]]", 1, "year", "2026"), "contradicts built = false"),
        ({"start": [{"facility": "mill", "year": 2030}]}, ("package [[start]]", 1, "year", "2030"), "building may be decided from any year to 2028 only"),
        ({"start": [{"facility": "mill", "built": 1}]}, ("package [[start]]", 1, "built", "1"), "must be true or false"),
        (
            {"contract": [{"facility": "mill", "contract": "oftake", "share": 0.5}]},
            ("package [[contract]]", 1, "contract", "oftake"),
            "unknown contract; nearest known: offtake",
        ),
        (
            {"contract": [{"facility": "old", "contract": "offtake", "share": 0.5}]},
            ("package [[contract]]", 1, "contract", "offtake"),
            "is not offered to existing plants",
        ),
        ({"contract": [{"facility": "mill", "contract": "abroad", "share": 0.5}]}, ("package [[contract]]", 1, "contract", "abroad"), "is not offered in FRA"),
        (
            {"contract": [{"facility": "mill", "contract": "offtake", "share": 0.9}]},
            ("package [[contract]]", 1, "share", "0.9"),
            "must be above 0 and within the contract's 0.2 to 0.8 of capacity",
        ),
        (
            {"contract": [{"facility": "mill", "contract": "offtake", "share": 0.5, "payer": "USA"}]},
            ("package [[contract]]", 1, "payer", "USA"),
            "mill stands in FRA, whose treasury EU pays",
        ),
        (
            {"contract": [{"facility": "works", "contract": "offtake", "share": 0.5, "payer": "FRA"}]},
            ("package [[contract]]", 1, "payer", "FRA"),
            "unknown payer; known: EU, USA",
        ),
        (
            {"contract": [{"facility": "works", "contract": "offtake", "share": 0.7}, {"facility": "works", "contract": "abroad", "share": 0.7}]},
            ("package [[contract]]", 2, "share", "0.7"),
            "contracts of works add up to more than its capacity",
        ),
        (
            {"grant": [{"facility": "mill", "usd": 2e8}]},
            ("package [[grant]]", 1, "usd", "200000000.0"),
            "must be above 0 and at most the capital cost, 1e+08 USD",
        ),
        ({"grant": [{"facility": "works", "usd": 1e7, "payer": "USA"}]}, ("package [[grant]]", 1, "payer", "USA"), "refuses the instrument grant"),
        (
            {"start": [{"facility": "works", "built": False}], "grant": [{"facility": "works", "usd": 1e7}]},
            ("package [[grant]]", 1, "facility", "works"),
            "is not built, says [[start]]",
        ),
        (
            {
                "contract": [{"facility": "works", "contract": "abroad", "share": 0.5, "payer": "USA"}],
                "grant": [{"facility": "works", "usd": 1e7, "payer": "EU"}],
            },
            ("package [[grant]]", 1, "payer", "EU"),
            "one member pays for all support of works",
        ),
    ],
)
def test_what_the_instance_rules_out_is_refused(content: dict[str, Any], place: tuple[Any, ...], rule: str) -> None:
    with pytest.raises(InstanceError) as caught:
        package_from(content, instance())
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column, problem.value, problem.rule) == (*place, rule)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InstanceError) as caught:
        parse_package(GOOD.replace("2028", "2027").replace("0.5", "5"), instance(), "mine.toml")
    assert [str(problem).split(":")[0] for problem in caught.value.problems] == [
        "mine.toml [[rung]], row 1, column from_year",
        "mine.toml [[start]], row 1, column year",
        "mine.toml [[start]], row 2, column year",
        "mine.toml [[contract]], row 1, column share",
    ]


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(InstanceError, match=r"mine\.toml: not TOML: "):
        parse_package("rung =", instance(), "mine.toml")
