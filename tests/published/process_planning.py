"""A small process-planning problem of our own, with joint products, a short feed and a plant to build; solved by hand.

    gas ─┬─ old works (existing, 80 t/a):  2 gas → 1 liquor                      ─┐
         └─ new works (candidate, 100 t/a): 1.5 gas → 1 liquor + 0.5 salt        ─┴─▶ liquor ─ finishing ─▶ resin

Two years. Gas (10 USD/t, 260 t/a at most) and liquor (60 USD/t) can be bought outside; salt sells at 8 USD/t up to 40 t/a and
fetches a quarter of that beyond. Users want 100, then 160 t of resin. The new works take a year to build: capital cost 1000 USD,
life of two years, so 500 USD a year at a rate of zero.
"""

from __future__ import annotations

from orepact.instance.instance import Instance

YEAR = 2026


def process_planning() -> Instance:
    """The problem as an instance; amounts in t/a, money in USD."""
    settings = {
        "instance": {"name": "process-planning"},
        "horizon": {"start_year": YEAR, "period_years": [1, 1]},
        "economics": {"social_rate": 0, "resale": 0.25, "export_discount": 0},
    }
    tables: dict[str, list[dict[str, object]]] = {
        "countries": [{"country": "HOME", "role": "member"}, {"country": "AWAY", "role": "outside"}],
        "products": [{"product": code, "mineral": "gas", "stage": code} for code in ("gas", "liquor", "salt", "resin")],
        "prices": [{"product": code, "year": YEAR, "price": price} for code, price in (("gas", 10), ("liquor", 60), ("salt", 8), ("resin", 70))],
        "processes": [{"process": "old"}, {"process": "new"}, {"process": "finishing"}],
        "process_flows": [
            {"process": "old", "product": "liquor", "amount": 1, "main": True},
            {"process": "old", "product": "gas", "amount": -2},
            {"process": "new", "product": "liquor", "amount": 1, "main": True},
            {"process": "new", "product": "salt", "amount": 0.5},
            {"process": "new", "product": "gas", "amount": -1.5},
            {"process": "finishing", "product": "resin", "amount": 1, "main": True},
            {"process": "finishing", "product": "liquor", "amount": -1},
        ],
        "facilities": [
            {"facility": "old-works", "country": "HOME", "process": "old", "status": "existing", "capacity": 80, "opex": 5},
            {"facility": "new-works", "country": "HOME", "process": "new", "status": "candidate", "capacity": 100, "opex": 6}
            | {"capex": 1000, "lifetime": 2, "lead_time": 1},
            {"facility": "finishing-works", "country": "HOME", "process": "finishing", "status": "existing", "capacity": 200, "opex": 2},
        ],
        "demand": [{"country": "HOME", "product": "resin", "year": YEAR + n, "demand": amount} for n, amount in enumerate((100, 160))],
        "outside_supply": [{"country": "AWAY", "product": code, "year": YEAR, "available": amount} for code, amount in (("gas", 260), ("liquor", 500))],
        "outside_sales": [{"product": "salt", "year": YEAR, "limit": 40}],
        "scenarios": [{"scenario": "certain", "probability": 1}],
    }
    return Instance.from_tables(settings, tables)


def cost_by_hand() -> float:
    """The least cost in USD.

    The first year has the old works only: 80 t at 2 · 10 + 5, the other 20 t of liquor bought.
    In the second, the new works make a tonne for 1.5 · 10 + 6 less half a tonne of salt: 17 USD while salt sells (80 t), 20
    after that, always dearer bought (60) or from the old works (25); so they run full. That leaves 260 − 150 = 110 t of gas, 55 t
    from the old works, and 5 t to buy. Not building would cost 80 · 25 + 80 · 60 in that year.
    """
    first = 80 * 25 + 20 * 60 + 100 * 2
    second = 80 * 17 + 20 * 20 + 55 * 25 + 5 * 60 + 160 * 2 + 500
    return float(first + second)
