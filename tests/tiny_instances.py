"""Tiny instances whose answers are sums that a test can write out, and what tests look up in them.

The world to start from: one member uses 1000 t of metal a year at 100 USD/t and buys it from one outside seller; no
discounting, one period of one year, one scenario. A test adds the tables it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orepact.instance.instance import Instance
from orepact.market.offers import Market
from orepact.market.world import World, world_of

Row = dict[str, Any]
Tables = Mapping[str, Sequence[Row]]

PRICE, DEMAND = 100.0, 1000.0


def tiny(
    tables: Tables | None = None,
    *,
    years: tuple[int, ...] = (1,),
    product: Row | None = None,
    available: float = 10_000.0,
    **settings: Row,
) -> Instance:
    """The world above with the tables given in place of its own; settings by section."""
    given: dict[str, Sequence[Row]] = {
        "countries": [{"country": "USA", "role": "member"}, {"country": "CHN", "role": "outside"}],
        "products": [{"product": "M", "mineral": "m", "stage": "metal", **(product or {})}],
        "processes": [{"process": "make", "activities": "processing"}],
        "process_flows": [{"process": "make", "product": "M", "amount": 1.0}],
        "prices": [{"product": "M", "year": 2026, "price": PRICE}],
        "demand": [{"country": "USA", "product": "M", "year": 2026, "demand": DEMAND}],
        "outside_supply": [{"country": "CHN", "product": "M", "year": 2026, "available": available}],
        "scenarios": [{"scenario": "s", "probability": 1.0}],
    }
    economics = {"social_rate": 0.0, **settings.pop("economics", {})}
    owners = {"cover": 0.0, **settings.pop("owners", {})}
    return Instance.from_tables(
        {"instance": {"name": "tiny"}, "horizon": {"start_year": 2026, "period_years": years}, "economics": economics, "owners": owners, **settings},
        {**given, **(tables or {})},
    )


def two_stages(tables: Tables | None = None, *, ore: Row | None = None, **more: Any) -> Instance:
    """The same with ore at 10 USD/t, of which smelting takes two tonnes per tonne of metal; the seller sells both."""
    metal = more.pop("product", None) or {}
    available = more.pop("available", 10_000.0)
    given: dict[str, Sequence[Row]] = {
        "products": [
            {"product": "O", "mineral": "m", "stage": "mined", **(ore or {})},
            {"product": "M", "mineral": "m", "stage": "metal", **metal},
        ],
        "processes": [{"process": "mine", "activities": "extraction"}, {"process": "smelt", "activities": "processing"}],
        "process_flows": [
            {"process": "mine", "product": "O", "amount": 1.0},
            {"process": "smelt", "product": "M", "amount": 1.0},
            {"process": "smelt", "product": "O", "amount": -2.0},
        ],
        "prices": [{"product": "O", "year": 2026, "price": 10.0}, {"product": "M", "year": 2026, "price": PRICE}],
        "outside_supply": [{"country": "CHN", "product": k, "year": 2026, "available": available} for k in ("O", "M")],
    }
    return tiny({**given, **(tables or {})}, **more)


def plant(**cells: Any) -> Row:
    """An existing plant of 500 t/a that makes metal at 40 USD/t."""
    return {"facility": "old", "country": "USA", "process": "make", "status": "existing", "capacity": 500.0, "opex": 40.0, **cells}


def project(**cells: Any) -> Row:
    """A candidate of 500 t/a at 40 USD/t and 100,000 USD over ten years: 10,000 USD a year without interest."""
    defaults = {"facility": "new", "status": "candidate", "lifetime": 10.0, "capex": 100_000.0, "hurdle_rate": 0.0}
    return plant(**{**defaults, **cells})


def rung(code: str, kind: str, level: float, step: int = 1, product: str = "M", **cells: Any) -> Row:
    """One rung of a ladder; `level` is a price or a rate."""
    column = "price" if kind in ("reference", "minimum") else "rate"
    return {"product": product, "rung": code, "step": step, "kind": kind, column: level, **cells}


def countries(**roles: str) -> list[Row]:
    """Rows of `countries`; a role like "member:EU" names a treasury."""
    rows = []
    for country, role in roles.items():
        role, _, treasury = role.partition(":")
        rows.append({"country": country, "role": role, **({"treasury": treasury} if treasury else {})})
    return rows


def sellers(product: str = "M", **available: float | Row) -> list[Row]:
    """Rows of `outside_supply`: country = tonnes a year, or country = cells."""
    return [{"country": c, "product": product, "year": 2026, **(a if isinstance(a, dict) else {"available": a})} for c, a in available.items()]


def demand_rows(product: str = "M", **tonnes: float) -> list[Row]:
    """Rows of `demand`: country = tonnes a year."""
    return [{"country": c, "product": product, "year": 2026, "demand": d} for c, d in tonnes.items()]


def market_of(instance: Instance) -> Market:
    """The market of an instance."""
    return Market(world_of(instance))


def facility(world: World, code: str) -> int:
    """Number of a plant."""
    return next(f for f, plant in enumerate(world.plants) if plant.code == code)


def source(world: World, country: str, product: str = "M") -> int:
    """Number of a source."""
    return next(o for o, s in enumerate(world.sources) if s.country == country and world.products[s.product] == product)


def two_metals(tables: Tables | None = None, **settings: Any) -> Instance:
    """Two metals, A and B, that have nothing to do with one another but the treasury: the world above twice."""
    metals = ("A", "B")
    given: dict[str, Sequence[Row]] = {
        "products": [{"product": m, "mineral": m.lower(), "stage": "metal"} for m in metals],
        "processes": [{"process": f"make_{m}", "activities": "processing"} for m in metals],
        "process_flows": [{"process": f"make_{m}", "product": m, "amount": 1.0} for m in metals],
        "prices": [{"product": m, "year": 2026, "price": PRICE} for m in metals],
        "demand": [{"country": "USA", "product": m, "year": 2026, "demand": DEMAND} for m in metals],
        "outside_supply": [{"country": "CHN", "product": m, "year": 2026, "available": 10_000.0} for m in metals],
    }
    return tiny({**given, **(tables or {})}, **settings)
