"""Rules about how the world is: supply, routes, plants, what owners and lenders ask. The alliance can't decide them by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orepact.formulation.cells import FOREIGN, POINT, Cell, source_cell, yearly_use
from orepact.instance.changes import Change
from orepact.instance.instance import Instance
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import ALL, ZONE
from orepact.market.shocks import given
from orepact.market.world import Row, World
from orepact.solver.diagnosis.rule import HIGHER, YEAR, Ease, Lever, Rule, number, rounded

TWIN_SIZES = (0.05, 0.15, 0.4, 1.0)
"""Sizes of plants that are thought of when capacity is dropped, shares of yearly use."""


def nobody(world: World) -> Iterator[Rule]:
    """Products that are wanted, and that no plant makes and no source sells."""
    outside = [c for c, r in world.countries.items() if r["role"] == "outside"]
    wanted = world.demand.sum(axis=(0, 2, 3)) + (world.flow < 0).sum(axis=0)
    for k, product in enumerate(world.products):
        if wanted[k] > 0 and not world.sources_of(k) and not (world.flow[:, k] > 0).any() and outside:
            use = rounded(2 * yearly_use(world, k) * world.mass_unit)
            added = (Change.added("outside_supply", country=outside[0], product=product, year=int(world.horizon.start[0]), available=use),)
            yield Rule(
                "nobody",
                f"nobody makes or sells {product}",
                "outside_supply",
                ((None, "product"),),
                False,
                added,
                (Lever(steps=(Ease(added, 100 * FOREIGN),)),),
            )


def supply(world: World) -> Iterator[Rule]:
    """What each source has."""
    for o, source in enumerate(world.sources):
        product = world.products[source.product]
        rows = [n for n, r in enumerate(world.tables["outside_supply"]) if (r["country"], r["product"]) == (source.country, product)]
        most = max(world.tables["outside_supply"][n]["available"] for n in rows)
        plenty = max(most, 20 * yearly_use(world, source.product) * world.mass_unit)
        yield Rule(
            "supply",
            f"what {source.country} has of {product} for the zone: at most {number(most)} t/a",
            "outside_supply",
            tuple((n, "available") for n in rows),
            False,
            tuple(Change("outside_supply", n, "available", plenty) for n in rows),
            (Lever(cell=source_cell(world, o)),),
        )


def routes(world: World) -> Iterator[Rule]:
    """Routes with a capacity."""
    for n, r in enumerate(world.tables["freight"]):
        if given(r["capacity"]) and ZONE not in (r["origin"], r["destination"]):
            yield Rule(
                "routes",
                f"the route for {'all products' if r['product'] == ALL else r['product']} from {r['origin']} to {r['destination']} carries at most {number(r['capacity'])} t/a",
                "freight",
                ((n, "capacity"),),
                False,
                (Change("freight", n, "capacity", None),),
                (Lever(cell=Cell("freight", n, "capacity")),),
            )


def missing_routes(world: World) -> Iterator[Rule]:
    """Routed products: ways that the table does not list, all of one product together."""
    listed = {(r["product"], r["origin"], r["destination"]) for r in world.tables["freight"]}
    for k in np.flatnonzero(world.routed):
        product = world.products[k]
        origins = [*world.nodes, *dict.fromkeys(s.country for s in world.sources if s.product == k)]
        ways = [(a, b) for a in origins for b in world.nodes if a != b and not {(product, a, b), (ALL, a, b)} & listed]
        costs = [route.cost * world.price_unit for route in world.routes if route.product == k]
        cost = max(costs, default=0.0)
        if ways:
            single = tuple(
                Lever(steps=(Ease((Change.added("freight", product=product, origin=a, destination=b, cost=cost),), FOREIGN * YEAR),)) for a, b in ways
            )
            yield Rule(
                "missing routes",
                f"no route for {product} {', '.join(f'from {a} to {b}' for a, b in ways[:6])}{' and others' if len(ways) > 6 else ''}",
                "freight",
                ((None, "destination"),),
                False,
                tuple(Change.added("freight", product=product, origin=a, destination=b, cost=cost) for a, b in ways),
                single,
            )


def capacity(world: World) -> Iterator[Rule]:
    """Plants that make a product, all of them together: twins that pay their way stand in for more capacity."""
    facilities = world.tables["facilities"]
    for k, product in enumerate(world.products):
        own = [f for f in range(len(world.plants)) if world.flow[f, k] > 0]
        if not own:
            continue
        kinds: dict[tuple[str, str, str | None], int] = {}
        for f in sorted(own, key=lambda f: -world.plants[f].capacity):
            kinds.setdefault((world.plants[f].process, world.plants[f].country, world.plants[f].group), f)
        use, dearest = yearly_use(world, k) * world.mass_unit, float(world.price.max()) * world.price_unit
        twins = []
        for f in list(kinds.values())[:4]:
            for size in TWIN_SIZES:
                cells = {
                    name: cell
                    for name, cell in facilities[f].items()
                    if given(cell) and name not in ("opening_year", "retirement_year", "latest_start", "earliest_start")
                }
                twin = {
                    "facility": f"twin_{k}_{f}_{size:g}",
                    "status": "candidate",
                    "capacity": size * use / float(world.flow[f, k]),
                    "lead_time": 0.0,
                    "ramp_up": 0.0,
                }
                twins.append(
                    Change.added(
                        "facilities",
                        **{**cells, **twin, "capex": 0.0, "lifetime": 100.0, "opex": cells["opex"] - 3 * dearest * (1 + float(np.abs(world.flow[f]).sum()))},
                    )
                )
        levers = []
        for f in own:
            row = facilities[f]
            steps = []
            for factor in HIGHER:
                changes = [Change("facilities", f, "capacity", rounded(row["capacity"] * factor))]
                if world.plants[f].candidate and row["capex"] > 0:
                    changes.append(Change("facilities", f, "capex", row["capex"] * factor))
                more = (factor - 1) * world.plants[f].capacity * float(world.flow[f, k]) / yearly_use(world, k)
                steps.append(Ease(tuple(changes), FOREIGN * more / POINT))
            levers.append(Lever(steps=tuple(steps)))
        total = sum(world.plants[f].capacity * float(world.flow[f, k]) for f in own) * world.mass_unit
        yield Rule(
            "capacity",
            f"capacity of the {len(own)} plants and projects that make {product}: {number(total)} t/a at most, for a yearly use of {number(use)} t",
            "facilities",
            tuple((f, "capacity") for f in own),
            False,
            tuple(twins),
            tuple(levers),
        )


def timing(world: World) -> Iterator[Rule]:
    """When plants and projects give output."""
    for f, row in enumerate(world.tables["facilities"]):
        yield from (_years_of_plant if row["status"] == "existing" else _years_of_project)(world, f, row)


def _years_of_plant(world: World, f: int, row: Row) -> Iterator[Rule]:
    """An existing plant that opens or closes within the horizon."""
    first, end = int(world.horizon.start[0]), world.horizon.end
    edges = {"opening_year": ("opens", first), "retirement_year": ("closes", end)}
    columns = [c for c in edges if given(row[c]) and first < row[c] < end]
    if not columns:
        return
    drop = tuple(Change("facilities", f, c, None) for c in columns)
    levers = tuple(Lever(steps=(Ease((change,), FOREIGN * YEAR * abs(row[c] - edges[c][1])),)) for c, change in zip(columns, drop, strict=True))
    words = f"{row['facility']} " + " and ".join(f"{edges[c][0]} in {row[c]:g}" for c in columns)
    yield Rule("timing", words, "facilities", tuple((f, c) for c in columns), False, drop, levers)


def _years_of_project(world: World, f: int, row: Row) -> Iterator[Rule]:
    """A project's lead time, ramp-up and the years in which it may be started."""
    first = int(world.horizon.start[0])
    early = given(row["earliest_start"]) and row["earliest_start"] > first
    columns = [c for c, holds in (("lead_time", row["lead_time"] > 0), ("earliest_start", early), ("latest_start", given(row["latest_start"]))) if holds]
    columns += ["ramp_up"] if row["ramp_up"] > 0 else []
    if not columns:
        return
    drop = tuple(Change("facilities", f, c, 0.0 if c in ("lead_time", "ramp_up") else None) for c in columns)
    levers = []
    if row["lead_time"] > 0:
        leads = list(range(int(np.ceil(min(row["lead_time"], world.horizon.end - first))) - 1, -1, -1))  # longer ones give no output in time
        if len(leads) > 12:
            leads = [leads[round(x)] for x in np.linspace(0, len(leads) - 1, 12)]
        levers.append(
            Lever(steps=tuple(Ease((Change("facilities", f, "lead_time", float(lead)),), FOREIGN * YEAR * (row["lead_time"] - lead)) for lead in leads))
        )
    if early:
        starts = [int(s) for s in world.horizon.start if s < row["earliest_start"]][::-1]
        levers.append(Lever(steps=tuple(Ease((Change("facilities", f, "earliest_start", s),), FOREIGN * YEAR * (row["earliest_start"] - s)) for s in starts)))
    if given(row["latest_start"]):
        levers.append(Lever(steps=(Ease((Change("facilities", f, "latest_start", None),), FOREIGN * YEAR),)))
    when = f", may start from {row['earliest_start']}" if early else ""
    when += f" until {row['latest_start']}" if given(row["latest_start"]) else ""
    words = f"{row['facility']} takes {number(row['lead_time'])} years to first output{when}"
    otherwise: tuple[tuple[Change, ...], ...] = ()
    if row["lead_time"] > 0 and any(given(contract["window"]) for contract in world.tables["contracts"]):
        # A contract of so many years fits some first outputs and not others: sooner is not always easier.
        others = tuple(Change("facilities", f, c, None) for c in columns if c != "lead_time" and c != "ramp_up")
        otherwise = (*(((*others, Change("facilities", f, "lead_time", float(y)))) for y in range(1, int(world.horizon.length.max()))), ())
    yield Rule("timing", words, "facilities", tuple((f, c) for c in columns), False, drop, tuple(levers), otherwise=otherwise)


def owners(instance: Instance) -> Iterator[Rule]:
    """What owners, lenders and sellers ask for."""
    s = instance.settings
    if s.owners.cover > 0:
        lower = [v for v in (1.1, 1.0, 0.8, 0.5, 0.0) if v < s.owners.cover]
        steps = tuple(Ease((Change(SETTINGS, None, "owners.cover", v),), FOREIGN * 100 * (s.owners.cover - v)) for v in lower)
        words = f"lenders want their debt service covered {number(s.owners.cover)} times in downside scenarios"
        yield Rule("owners", words, SETTINGS, ((None, "owners.cover"),), False, (Change(SETTINGS, None, "owners.cover", 0.0),), (Lever(steps=steps),))
    wider = [v for v in (0.1, 0.15, 0.2, 0.3, 0.5, 1.0) if v > s.trade.band]
    if wider:
        steps = tuple(Ease((Change(SETTINGS, None, "trade.band", v),), FOREIGN * (v - s.trade.band) / POINT) for v in wider)
        words = f"sources keep their share of imports, give or take {100 * s.trade.band:g} points"
        yield Rule("owners", words, SETTINGS, ((None, "trade.band"),), False, (Change(SETTINGS, None, "trade.band", 1.0),), (Lever(steps=steps),))
    if s.owners.entry == "duty":
        free = (Change(SETTINGS, None, "owners.entry", "free"),)
        yield Rule(
            "owners",
            "whoever can earn its cost builds (entry = duty)",
            SETTINGS,
            ((None, "owners.entry"),),
            False,
            free,
            (Lever(steps=(Ease(free, FOREIGN * YEAR),)),),
        )
