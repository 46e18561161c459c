"""A small instance that obeys every rule and gives no warning, for tests to break in one place at a time."""

from __future__ import annotations

import copy
from typing import Any

import pytest

Content = dict[str, dict[str, Any]]
Tables = dict[str, list[dict[str, Any]]]

SETTINGS: Content = {"instance": {"name": "small"}, "horizon": {"start_year": 2026, "period_years": [2, 3]}}

TABLES: Tables = {
    "countries": [
        {"country": "USA", "role": "member"},
        {"country": "EU", "role": "member"},
        {"country": "FRA", "role": "member", "treasury": "EU"},
        {"country": "AUS", "role": "partner"},
        {"country": "CHN", "role": "outside"},
        {"country": "VNM", "role": "outside"},
    ],
    "products": [
        {"product": "ore", "mineral": "m", "stage": "mined", "dominant": "CHN"},
        {"product": "by", "mineral": "m", "stage": "mined"},
        {"product": "metal", "mineral": "m", "stage": "refined", "trade": "routed", "dominant": "CHN"},
    ],
    "shortage_costs": [
        {"product": "metal", "block": 1, "share": 0.4, "price_multiple": 2.0},
        {"product": "metal", "block": 2, "share": 0.6, "price_multiple": 5.0},
    ],
    "processes": [{"process": "mining", "activities": "extraction"}, {"process": "smelting", "activities": "processing;recycling"}],
    "process_flows": [
        {"process": "mining", "product": "ore", "amount": 1.0},
        {"process": "mining", "product": "by", "amount": 0.1},
        {"process": "smelting", "product": "metal", "amount": 1.0},
        {"process": "smelting", "product": "ore", "amount": -2.0},
    ],
    "process_materials": [{"process": "smelting", "material": "acid", "amount": 0.1}],
    "raw_materials": [{"material": "acid", "year": 2026, "price": 50.0}],
    "facilities": [
        {"facility": "mine", "country": "AUS", "process": "mining", "status": "existing", "capacity": 100.0, "opex": 5.0},
        {"facility": "smelter", "country": "USA", "process": "smelting", "status": "candidate", "capacity": 50.0, "capex": 1e4, "opex": 20.0, "group": "g"},
        {"facility": "works", "country": "FRA", "process": "smelting", "status": "existing", "capacity": 10.0, "opex": 25.0},
    ],
    "prices": [
        {"product": "ore", "year": 2026, "price": 10.0},
        {"product": "by", "year": 2026, "price": 20.0},
        {"product": "metal", "year": 2026, "price": 100.0},
        {"product": "metal", "year": 2030, "price": 120.0},
        {"product": "metal", "case": "flood", "year": 2026, "price": 60.0},
    ],
    "demand": [
        {"country": "USA", "product": "metal", "year": 2026, "demand": 30.0},
        {"country": "FRA", "product": "metal", "year": 2026, "demand": 20.0},
        {"country": "FRA", "product": "metal", "case": "boom", "year": 2026, "demand": 40.0},
    ],
    "outside_supply": [
        {"country": "CHN", "product": "ore", "year": 2026, "available": 200.0, "base_share": 0.6},
        {"country": "VNM", "product": "ore", "year": 2026, "available": 50.0, "base_share": 0.4},
        {"country": "CHN", "product": "metal", "year": 2026, "available": 80.0},
    ],
    "feedstock": [{"country": "CHN", "product": "metal", "feed": "ore", "origin": "AUS", "share": 0.3}],
    "outside_sales": [{"product": "by", "year": 2026, "limit": 1000.0}],
    "freight": [
        {"product": "ore", "origin": "AUS", "destination": "ZONE", "cost": 1.0},
        {"product": "metal", "origin": "CHN", "destination": "USA", "cost": 2.0, "capacity": 60.0},
        {"product": "*", "origin": "USA", "destination": "EU", "cost": 3.0},
    ],
    "scenarios": [{"scenario": "calm", "probability": 0.75}, {"scenario": "ban", "probability": 0.25, "downside": True}],
    "shocks": [
        {"scenario": "ban", "kind": "supply", "product": "metal", "country": "CHN", "first_year": 2028, "value": 0.1},
        {"scenario": "ban", "kind": "price_case", "product": "metal", "case": "flood"},
        {"scenario": "ban", "kind": "delay", "facility": "smelter", "value": 1.0},
    ],
    "ladder": [
        {"product": "metal", "rung": "floor", "step": 1, "kind": "reference", "price": 110.0, "exempt": "VNM"},
        {"product": "metal", "rung": "duty", "step": 2, "kind": "tariff", "rate": 0.25, "origins": "CHN"},
    ],
    "price_paths": [{"path": "mine", "product": "metal", "year": 2026, "rung": "floor"}],
    "contracts": [
        {"contract": "cfd", "products": "metal", "strike": 105.0, "upside_share": 0.3, "ceiling": 130.0, "yearly_cap": 1e3, "reference_volume": 40.0},
        {"contract": "pile", "products": "metal", "countries": "USA;FRA", "premium": 5.0, "stockpiled": True},
    ],
    "aid_limits": [{"country": "USA", "grant_share": 0.2}],
    "stockpiles": [{"product": "metal", "country": "USA", "initial": 1.0, "max_level": 20.0, "max_purchase": 5.0}],
    "refusals": [{"member": "EU", "instrument": "grant"}],
    "groups": [{"group": "asia", "country": "CHN"}, {"group": "asia", "country": "VNM"}],
    "targets": [
        {"target": "share", "kind": "zone_share", "products": "metal", "area": "USA", "value": 0.4},
        {"target": "work", "kind": "activity_share", "products": "metal", "activity": "processing", "value": 0.3},
        {"target": "cap", "kind": "reliance_cap", "products": "metal", "source_country": "CHN", "area": "USA", "first_year": 2028, "value": 0.65},
        {"target": "outage", "kind": "n_minus_1", "products": "ore", "outage": "asia;AUS", "value": 0.5},
        {"target": "days", "kind": "stock_days", "products": "metal", "area": "USA", "value": 30.0},
    ],
    "budgets": [{"member": "USA", "limit": 1e6}, {"member": "USA", "instrument": "grant", "first_year": 2028, "last_year": 2030, "limit": 1e5}],
    "contributions": [{"member": "USA", "key": 0.6}, {"member": "EU", "key": 0.4}],
    "embodied": [{"product": "ore", "within": "metal", "amount": 2.2}],
    "ranges": [
        {"range": "capex", "table": "facilities", "column": "capex", "where": "process=smelting;facility=smelter|works", "low": 0.8, "high": 1.4},
        {"range": "rate", "table": "settings", "column": "economics.social_rate", "low": 0.5, "high": 2.0},
    ],
    "sources": [{"id": "usgs", "citation": "USGS, Mineral Commodity Summaries 2025", "licence": "public domain"}],
}


@pytest.fixture
def content() -> Content:
    """Settings, free to change."""
    return copy.deepcopy(SETTINGS)


@pytest.fixture
def tables() -> Tables:
    """Tables, free to change."""
    return copy.deepcopy(TABLES)
