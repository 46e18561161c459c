"""Warnings: what looks wrong in an instance that breaks no rule. It may be meant, so it is said and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orepact.errors import Problem
from orepact.instance.given import Given, Row, problem
from orepact.instance.schema import ALL, SCHEMA, ZONE


def supply_reaches_demand(given: Given) -> Iterator[Problem]:
    """In some year all plants, candidates and outside sources together can't meet the final demand for a product."""
    for product in given.trade:
        demand = _total(given, "demand", "demand", product)
        supply = _total(given, "outside_supply", "available", product) + _capacity(given, product)
        short = np.flatnonzero(demand > supply * (1 + 1e-9))
        if short.size:
            year, n = given.years[short[0]], int(short[0])
            row = next(row for row in given.rows("demand") if row["product"] == product)
            rule = f"in {year} the zone wants {demand[n]:.6g} t of {product}, but all plants, candidates and outside sources together offer {supply[n]:.6g} t"
            yield Problem("demand", row.line, "demand", f"{row['demand']:g}", rule)


def products_have_prices(given: Given) -> Iterator[Problem]:
    """A product that is made, traded, wanted or taxed has no price path, so its world price is 0."""
    priced = set(given.prices)
    used = set(given.sources) | {row["product"] for table in ("demand", "ladder", "outside_sales") for row in given.rows(table)}
    used |= {product for row in given.rows("facilities") for product in given.flows[row["process"]]}
    for row in given.rows("products"):
        if row["product"] in used and row["product"] not in priced:
            yield problem("products", row, "product", "no price path: prices has no row for it, so its world price is 0")


def targets_can_be_met(given: Given) -> Iterator[Problem]:
    """A target on zone output or on an activity is about a product that no plant or candidate makes, or not by that activity."""
    made = {product for row in given.rows("facilities") for product, amount in given.flows[row["process"]].items() if amount > 0}
    for row in given.rows("targets"):
        missing = [product for product in row["products"] if product not in made]
        if row["kind"] in ("zone_share", "activity_share") and missing:
            yield problem("targets", row, "products", f"no plant or candidate makes {', '.join(missing)}")
        elif row["kind"] == "activity_share" and not _counts(given, row):
            yield problem("targets", row, "activity", f"no plant or candidate of {', '.join(row['products'])} has a process of this activity")


def some_scenario_is_normal(given: Given) -> Iterator[Problem]:
    """There are targets, but no normal scenario in which they would hold."""
    cut = {row["scenario"] for row in given.rows("shocks") if row["kind"] == "supply" and row["value"] < 1}
    normal = [row for row in given.rows("scenarios") if (row["normal"] if row["normal"] is not None else row["probability"] > 0 and row["scenario"] not in cut)]
    if given.rows("targets") and not normal:
        yield Problem("scenarios", None, "normal", None, "no scenario is normal, so no target holds in any")


def products_are_used(given: Given) -> Iterator[Problem]:
    """Nothing makes, uses, wants or sells a product."""
    used = {row["product"] for table in ("process_flows", "demand", "outside_supply") for row in given.rows(table)}
    for row in given.rows("products"):
        if row["product"] not in used:
            yield problem("products", row, "product", "nothing makes, uses, wants or sells it")


def series_lie_in_the_horizon(given: Given) -> Iterator[Problem]:
    """A series has several points and none within the horizon, so only the nearest counts."""
    for table in SCHEMA.values():
        if table.years is None:
            continue
        series: dict[tuple[str, ...], list[Row]] = {}
        for row in given.rows(table.name):
            series.setdefault(tuple(row[c] for c in table.key if c != table.years), []).append(row)
        outside = [rows for rows in series.values() if len(rows) > 1 and _is_beside(rows, table.years, given)]
        if outside:
            rule = f"all points of this series lie outside {given.first_year} to {given.last_year}; the nearest is held"
            more = f" (and so do {len(outside) - 1} more series)" if len(outside) > 1 else ""
            yield problem(table.name, outside[0][0], table.years, rule + more)


def supported_candidates_have_a_cost(given: Given) -> Iterator[Problem]:
    """A candidate that may be offered a contract has no capital cost; what its owner may keep is a share of that."""
    for row in given.rows("facilities"):
        if row["status"] == "candidate" and row["capex"] == 0 and any(_is_offered(given, contract, row) for contract in given.rows("contracts")):
            yield problem("facilities", row, "capex", "a candidate that may be offered a contract has no capital cost")


def contracts_fit_a_plant(given: Given) -> Iterator[Problem]:
    """A contract that no plant could be offered."""
    for row in given.rows("contracts"):
        plants = [f for f in given.rows("facilities") if f["status"] == "candidate" or row["existing"]]
        if not any(_is_offered(given, row, plant) for plant in plants):
            yield problem("contracts", row, "products", "no plant mainly makes these products in these countries")


def floors_are_above_some_price(given: Given) -> Iterator[Problem]:
    """A floor is at or below the world price of every year, case and scenario, so it never does anything."""
    for row in given.rows("ladder"):
        if row["price"] is not None and row["product"] in given.prices:
            lowest = _lowest_price(given, row["product"])
            if row["price"] <= lowest:
                yield problem("ladder", row, "price", f"not above the lowest world price {lowest:.6g} USD/t: it never does anything")


def plants_run_within_the_horizon(given: Given) -> Iterator[Problem]:
    """A plant is closed, or a candidate can't give output, for the whole horizon."""
    start, end = given.first_year, given.last_year + 1
    for row in given.rows("facilities"):
        if row["status"] == "existing":
            if row["retirement_year"] is not None and row["retirement_year"] <= start:
                yield problem("facilities", row, "retirement_year", f"retires before the horizon, which starts in {start}")
            elif row["opening_year"] is not None and row["opening_year"] >= end:
                yield problem("facilities", row, "opening_year", f"opens after the horizon, which ends with {end - 1}")
            continue
        earliest, latest = row["earliest_start"] or start, row["latest_start"] or end
        starts = [p.start for p in given.periods if earliest <= p.start <= latest]
        if not starts:
            column = "earliest_start" if earliest > start else "latest_start"
            yield problem("facilities", row, column, "no period starts in the years in which building may be decided, so it is never built")
        elif starts[0] + row["lead_time"] >= end:
            yield problem("facilities", row, "lead_time", f"first output would come after the horizon, which ends with {end - 1}, so it is never built")


def plant_columns_fit_the_status(given: Given) -> Iterator[Problem]:
    """A candidate has an opening or retirement year, or an existing plant an earliest or latest start: they are not read."""
    unread = {"existing": ("earliest_start", "latest_start"), "candidate": ("opening_year", "retirement_year")}
    for row in given.rows("facilities"):
        for column in unread[row["status"]]:
            if row[column] is not None:
                yield problem("facilities", row, column, f"is not read for a plant of status {row['status']}")


def shocks_happen(given: Given) -> Iterator[Problem]:
    """A shock lies outside the horizon, hits no plant, or has years that are not read (delays)."""
    for row in given.rows("shocks"):
        first, last = row["first_year"] or given.first_year, row["last_year"] or given.last_year
        if row["kind"] == "delay" and (row["first_year"] is not None or row["last_year"] is not None):
            yield problem("shocks", row, "first_year", "a delay holds whenever a candidate is built: its years are not read")
        elif last < given.first_year or first > given.last_year:
            yield problem("shocks", row, "first_year", f"lies outside the horizon, {given.first_year} to {given.last_year}")
        if row["kind"] in ("output", "delay"):
            hit = [f for f in given.rows("facilities") if _is_hit(given, row, f)]
            if not hit:
                yield problem("shocks", row, "kind", "hits no plant")
            elif row["kind"] == "delay" and all(f["status"] == "existing" for f in hit):
                yield problem("shocks", row, "kind", "hits existing plants only, which are built already")


def rules_fall_on_a_period(given: Given) -> Iterator[Problem]:
    """A rung, target or budget has years in which no period starts, so it never holds."""
    for table in ("ladder", "targets", "budgets"):
        for row in given.rows(table):
            first, last = row["first_year"] or given.first_year, row["last_year"] or given.last_year
            if not any(first <= period.start <= last for period in given.periods):
                yield problem(table, row, "first_year", "no period starts in its years, so it never holds")


def paths_fall_on_periods(given: Given) -> Iterator[Problem]:
    """A step of a price path comes after the start of the last period."""
    for row in given.rows("price_paths"):
        if row["year"] > given.periods[-1].start:
            yield problem("price_paths", row, "year", "after the start of the last period: never reached")


def routed_products_have_routes(given: Given) -> Iterator[Problem]:
    """No route leaves an outside source of a routed product."""
    routes = [(row["product"], row["origin"]) for row in given.rows("freight") if ZONE not in (row["origin"], row["destination"])]
    for row in given.rows("products"):
        origins = {origin for product, origin in routes if product in (ALL, row["product"])}
        if row["trade"] != "routed" or row["product"] not in given.sources:
            continue
        missing = [country for country in given.sources[row["product"]] if country not in origins]
        if missing:
            yield problem("products", row, "trade", f"freight has no route for it from {', '.join(missing)}, so nothing comes from there")


def freight_comes_in(given: Given) -> Iterator[Problem]:
    """Freight to an outside country, which is not read: sales outside are at the world price."""
    for row in given.rows("freight"):
        if row["destination"] != ZONE and given.roles[row["destination"]] == "outside":
            yield problem("freight", row, "destination", "is outside the zone: freight to it is not read")


def dominant_sources_sell(given: Given) -> Iterator[Problem]:
    """A dominant source sells nothing of the product in `outside_supply`."""
    for row in given.rows("products"):
        if row["dominant"] is not None and row["dominant"] not in given.sources.get(row["product"], []):
            yield problem("products", row, "dominant", "outside_supply has no row for this source of it")


def feedstock_is_of_sources(given: Given) -> Iterator[Problem]:
    """Feedstock of a source that sells nothing of the product in `outside_supply`."""
    for row in given.rows("feedstock"):
        if row["country"] not in given.sources.get(row["product"], []):
            yield problem("feedstock", row, "country", f"sells no {row['product']} in outside_supply, so the row is not read")


def shortage_costs_rise(given: Given) -> Iterator[Problem]:
    """A shortage block costs less than the one before it."""
    last: dict[str, Row] = {}
    for row in sorted(given.rows("shortage_costs"), key=lambda row: (row["product"], row["block"])):
        before = last.get(row["product"])
        if before is not None and row["price_multiple"] < before["price_multiple"]:
            yield problem("shortage_costs", row, "price_multiple", f"below the one of the block before it ({before['price_multiple']:g})")
        last[row["product"]] = row


def sources_are_cited(given: Given) -> Iterator[Problem]:
    """A source that looks like a code is not in the table `sources` (if that has rows)."""
    known = {row["id"] for row in given.rows("sources")}
    if not known:
        return
    for table in SCHEMA:
        said: set[str] = set()
        for row in given.rows(table):
            for code in (part.strip() for part in row["source"].split(";")):
                if code and " " not in code and code not in known | said:
                    said.add(code)
                    yield problem(table, row, "source", f"{code} is not in the table of sources")


def _total(given: Given, table: str, column: str, product: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A yearly series summed over countries, base case."""
    points: dict[str, list[tuple[int, float]]] = {}
    for row in given.rows(table):
        if row["product"] == product and row.get("case", "base") == "base":
            points.setdefault(row["country"], []).append((row["year"], row[column]))
    return np.sum([given.yearly(p) for p in points.values()], axis=0) if points else np.zeros(len(given.years))


def _lowest_price(given: Given, product: str) -> float:
    """A world price below which it never falls: the lowest of any case under the deepest price shocks of any scenario, USD/t."""
    cases: dict[str, list[tuple[int, float]]] = {}
    for row in given.rows("prices"):
        if row["product"] == product:
            cases.setdefault(row["case"], []).append((row["year"], row["price"]))
    deepest: dict[str, float] = {}
    for row in given.rows("shocks"):
        if row["kind"] == "price" and row["product"] in (ALL, product):
            deepest[row["scenario"]] = deepest.get(row["scenario"], 1.0) * min(row["value"], 1.0)
    lowest = min(float(given.yearly(points).min()) for points in cases.values())
    return lowest * min(deepest.values(), default=1.0)


def _capacity(given: Given, product: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What plants and candidates could make of a product in each year, ramps and delays aside, t/a."""
    years = np.array(given.years)
    total = np.zeros(len(years))
    for row in given.rows("facilities"):
        amount = max(given.flows[row["process"]].get(product, 0.0), 0.0)
        if row["status"] == "existing":
            first, last = row["opening_year"] or -np.inf, row["retirement_year"] or np.inf
        else:
            first, last = max(row["earliest_start"] or 0, given.first_year) + row["lead_time"], np.inf
        total += amount * row["capacity"] * row["availability"] * ((years >= np.floor(first)) & (years < last))
    return total


def _counts(given: Given, target: Row) -> bool:
    """Whether some plant's output counts in an activity share."""
    active = {row["process"] for row in given.rows("processes") if target["activity"] in row["activities"]}
    return any(
        facility["process"] in active and any(given.flows[facility["process"]].get(product, 0) > 0 for product in target["products"])
        for facility in given.rows("facilities")
    )


def _is_beside(rows: list[Row], column: str, given: Given) -> bool:
    years: list[int] = [row[column] for row in rows]
    return max(years) < given.first_year or min(years) > given.last_year


def _is_offered(given: Given, contract: Row, facility: Row) -> bool:
    hosts = {ALL, facility["country"], given.nodes[facility["country"]]}
    return not hosts.isdisjoint(contract["countries"]) and not {ALL, given.mains[facility["process"]]}.isdisjoint(contract["products"])


def _is_hit(given: Given, shock: Row, facility: Row) -> bool:
    places = {ALL, facility["country"], given.nodes[facility["country"]]}
    mains, plants = {ALL, given.mains[facility["process"]]}, {ALL, facility["facility"]}
    return shock["product"] in mains and shock["country"] in places and shock["facility"] in plants
