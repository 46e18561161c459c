"""Published problems as instances: what they call a warehouse is a plant here, and what they call serving is freight.

Each has one product, routed so that it moves on listed routes only; one period of one year without discounting; one
scenario; and nobody outside. The planner's cost is then freight plus the capital cost of what is built, and nothing else.
The world price is 0, so that what is left over is worth nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from orepact.instance.instance import Instance

DATA = Path(__file__).parent.parent / "data" / "published"
YEAR = 2026
GOODS = "goods"


def read_transportation() -> Instance:
    """Dantzig's transportation problem, in USD: its two plants exist, so the planner pays for freight alone."""
    given = tomllib.loads((DATA / "trnsport.toml").read_text(encoding="utf-8"))
    rate = given["freight_per_case_and_thousand_miles"]
    plants = [{"facility": f"{place}-plant", "country": place, "status": "existing", "capacity": cases} for place, cases in given["supply"].items()]
    freight = {(origin, end): rate * miles for origin, row in given["distance"].items() for end, miles in row.items()}
    return _instance("trnsport", plants, given["demand"], freight)


def read_warehouses(name: str) -> Instance:
    """A capacitated warehouse problem of the OR-Library: a plant of one year's life at each site, its fixed cost as capital cost."""
    numbers = iter((DATA / f"{name}.txt").read_text(encoding="utf-8").split())
    sites = [f"site-{n + 1}" for n in range(int(next(numbers)))]
    customers = [f"customer-{n + 1}" for n in range(int(next(numbers)))]
    plants = []
    for site in sites:
        capacity, fixed_cost = float(next(numbers)), float(next(numbers))
        plant = {"facility": f"{site}-plant", "country": site, "status": "candidate", "capacity": capacity, "capex": fixed_cost, "lifetime": 1}
        plants.append(plant)
    demand, freight = {}, {}
    for customer in customers:
        demand[customer] = float(next(numbers))
        for site in sites:
            freight[site, customer] = float(next(numbers)) / demand[customer]
    return _instance(name, plants, demand, freight)


def _instance(name: str, plants: list[dict[str, object]], demand: Mapping[str, float], freight: Mapping[tuple[str, str], float]) -> Instance:
    """Plants that make the one product for nothing, users of it, and a route with its cost (USD per unit) for each pair."""
    settings = {"instance": {"name": name}, "horizon": {"start_year": YEAR, "period_years": [1]}, "economics": {"social_rate": 0}}
    tables: dict[str, list[dict[str, object]]] = {
        "countries": [{"country": place, "role": "member"} for place in [*[str(plant["country"]) for plant in plants], *demand]],
        "products": [{"product": GOODS, "mineral": GOODS, "stage": "final", "trade": "routed"}],
        "prices": [{"product": GOODS, "year": YEAR, "price": 0}],
        "processes": [{"process": "making"}],
        "process_flows": [{"process": "making", "product": GOODS, "amount": 1, "main": True}],
        "facilities": [{**plant, "process": "making", "opex": 0} for plant in plants],
        "demand": [{"country": place, "product": GOODS, "year": YEAR, "demand": amount} for place, amount in demand.items()],
        "freight": [{"product": GOODS, "origin": origin, "destination": end, "cost": cost} for (origin, end), cost in freight.items()],
        "scenarios": [{"scenario": "certain", "probability": 1}],
    }
    return Instance.from_tables(settings, tables)
