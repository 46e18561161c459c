"""The world as arrays: everything the market and the model read from an instance, integer-indexed once.

Indices used throughout: i node, k product, f facility, o source (an outside country selling one product), t period,
w scenario, τ start period. A node is a member's market (its treasury) or a partner country.

Amounts are scaled here, once, so that the model's coefficients stay near 1: mass in `mass_unit` tonnes, money in
`money_unit` dollars, prices in `money_unit / mass_unit`. Extraction scales back. Time is in years.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orepact.instance.instance import Instance
from orepact.instance.schema import ALL, ZONE
from orepact.market.horizon import Array, Horizon, recovery_factor
from orepact.market.plants import Plant, plant_of, timing
from orepact.market.recipe import embodied, main_output
from orepact.market.series import by, material_cost, points, series_with_shocks
from orepact.market.shocks import Shocks, given
from orepact.options import Settings

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """An outside country's offer of one product; `available` (T, W) t/a, `cost` (T,) USD/t."""

    country: str
    product: int
    available: Array
    cost: Array
    base_share: float
    compliant: bool


@dataclass(frozen=True)
class StockSite:
    """A place where a public stock of one product may be held; pooled products are held for all members (node -1)."""

    product: int
    node: int
    initial: float
    max_level: float
    max_purchase: float


@dataclass(frozen=True)
class Route:
    """A route of a routed product between two nodes, or from an outside country (`origin` -1) to a node."""

    product: int
    origin: int
    source: str
    destination: int
    cost: float
    capacity: float


@dataclass(frozen=True)
class World:
    """See the module's first lines; shapes are given beside each field."""

    settings: Settings
    mass_unit: float
    money_unit: float
    horizon: Horizon
    scenarios: tuple[str, ...]
    probability: Array  # (W,)
    normal: NDArray[np.bool_]  # (W,)
    downside: NDArray[np.bool_]  # (W,)
    in_model: NDArray[np.bool_]  # (W,) scenarios that the model itself contains
    repealed: NDArray[np.bool_]  # (T, W)
    reference: int
    countries: dict[str, Row]
    nodes: tuple[str, ...]
    members: int  # nodes 0..members-1 are members, the rest partners
    products: tuple[str, ...]
    routed: NDArray[np.bool_]  # (K,)
    dominant: tuple[str | None, ...]
    elasticity: Array  # (K,)
    relocated: Array  # (K,)
    holding: Array  # (K,)
    longer_after: Array  # (K,)
    price: Array  # (K, T, W) world price π
    demand: Array  # (I, K, T, W) at world prices
    sources: tuple[Source, ...]
    plants: tuple[Plant, ...]
    flow: Array  # (F, K) t per t of main output
    output: Array  # (F, τ, T, W) A: output per t of capacity; existing plants use τ = 0
    alive: Array  # (F, τ, T, W) B: share of the period with output possible
    tested: NDArray[np.bool_]  # (F, τ, T, W) lenders' test applies
    first_output: Array  # (F, τ, W)
    starts: tuple[tuple[int, ...], ...]  # per facility: τ that are offered; existing: (0,)
    chain: NDArray[np.int64]  # (K,)
    embodied: Array  # (K, K) e[k, κ]: t of k in a t of κ
    export_limit: Array  # (K, T)
    shortage_blocks: tuple[tuple[tuple[float, float, float], ...], ...]  # per product: (share, multiple, multiple if long)
    longest_cut: Array  # (K, W) years of the longest supply cut on the product or one upstream of it
    routes: tuple[Route, ...]
    hub_out: Array  # (I, K) freight node → hub
    hub_in: Array  # (I, K) freight hub → node
    hub_source: dict[tuple[str, int], float]  # freight outside country → hub
    stock_sites: tuple[StockSite, ...]
    burden: Array  # (members,) who carries spending that no one member owns
    tables: dict[str, list[Row]]  # every table of the instance, as rows
    lines: dict[str, list[int]]  # line in its file of every row of `tables`

    @property
    def price_unit(self) -> float:
        """USD/t per scaled price."""
        return self.money_unit / self.mass_unit

    @property
    def discount(self) -> Array:
        return self.horizon.discount(self.settings.economics.social_rate)

    def product(self, code: str) -> int:
        return self.products.index(code)

    def node_of(self, country: str) -> int:
        return self.nodes.index(treasury_of(self.countries, country))

    def sources_of(self, k: int) -> list[int]:
        return [o for o, s in enumerate(self.sources) if s.product == k]

    def outputs(self, f: int) -> list[int]:
        return [int(k) for k in np.flatnonzero(self.flow[f] > 0)]

    def inputs(self, f: int) -> list[int]:
        return [int(k) for k in np.flatnonzero(self.flow[f] < 0)]

    def largest_output(self, f: int) -> Array:
        """Largest A over the starts that are offered, (T, W); zero if none."""
        offered = list(self.starts[f])
        return self.output[f, offered].max(axis=0) if offered else np.zeros(self.output.shape[2:])

    @cached_property
    def most_output(self) -> Array:
        """Largest activity of each plant (F, T, W), over the starts that are offered."""
        every = [plant.capacity * self.largest_output(f) for f, plant in enumerate(self.plants)]
        return np.array(every).reshape(-1, *self.price.shape[1:])


def treasury_of(countries: dict[str, Row], country: str) -> str:
    """The node a zone country belongs to: its treasury, or itself."""
    treasury = countries[country]["treasury"]
    return treasury if given(treasury) else country


def world_of(instance: Instance) -> World:
    """Turn a checked instance into arrays. Raises nothing on a checked instance."""
    rows: dict[str, list[Row]] = {name: instance.tables.plain(name).rows for name in instance.tables}
    lines = {name: list(instance.tables.plain(name).lines) for name in instance.tables}
    return world_from(instance.settings, rows, lines)


def world_from(settings: Settings, rows: dict[str, list[Row]], lines: dict[str, list[int]]) -> World:
    """The same from settings, every table's rows and the lines they stand on."""
    horizon = Horizon.of(settings.horizon.start_year, settings.horizon.period_years)
    countries = {r["country"]: r for r in rows["countries"]}
    own = [c for c, r in countries.items() if treasury_of(countries, c) == c]
    members = [c for c in own if countries[c]["role"] == "member"]
    nodes = tuple(members + [c for c in own if countries[c]["role"] == "partner"])
    products = tuple(r["product"] for r in rows["products"])
    by_code = {p: k for k, p in enumerate(products)}
    codes = tuple(r["scenario"] for r in rows["scenarios"])
    probability = np.array([r["probability"] for r in rows["scenarios"]])
    mass, per_tonne = _units(rows)
    shocks = Shocks.of(rows["shocks"], codes, horizon)
    asked_normal = [r["normal"] for r in rows["scenarios"]]
    normal = np.array([bool(a) if given(a) else p > 0 and not shocks.cuts_supply(w) for w, (a, p) in enumerate(zip(asked_normal, probability, strict=True))])
    downside = np.array([bool(r["downside"]) for r in rows["scenarios"]])
    in_model = (probability > 0) | np.array([given(a) and bool(a) for a in asked_normal]) | downside
    named = settings.policy.reference_scenario
    reference = codes.index(named) if named else int(np.argmax(probability))

    price = np.stack([series_with_shocks(own, "price", shocks, horizon, p) for p, own in by(rows["prices"], "product", products)]) / per_tonne
    demand = np.zeros((len(nodes), len(products), horizon.periods, len(codes)))
    for country in countries:
        if countries[country]["role"] == "outside":
            continue
        i = nodes.index(treasury_of(countries, country))
        there = [r for r in rows["demand"] if r["country"] == country]
        for k, (p, own) in enumerate(by(there, "product", products)):
            demand[i, k] += series_with_shocks(own, "demand", shocks, horizon, p, country) / mass
    sources = _sources(rows["outside_supply"], by_code, shocks, horizon, mass, per_tonne)

    mean_price = price[:, :, reference].mean(axis=1)
    flows: dict[str, dict[str, float]] = {}
    flagged: dict[str, str] = {}
    for r in rows["process_flows"]:
        flows.setdefault(r["process"], {})[r["product"]] = float(r["amount"])
        if r["main"]:
            flagged[r["process"]] = r["product"]
    mains = {p: flagged.get(p) or main_output(fl, mean_price, by_code) for p, fl in flows.items()}
    activities = {r["process"]: tuple(r["activities"]) for r in rows["processes"]}
    materials = material_cost(rows, horizon)
    plants = tuple(
        plant_of(r, by_code[mains[r["process"]]], activities[r["process"]], materials.get(r["process"], 0.0), horizon, mass, per_tonne)
        for r in rows["facilities"]
    )
    flow = np.zeros((len(plants), len(products)))
    for f, plant in enumerate(plants):
        for p, amount in flows[plant.process].items():
            flow[f, by_code[p]] = amount
    times = [timing(plant, countries, products[plant.main], shocks, horizon, len(codes)) for plant in plants]
    shape = (len(plants), horizon.periods, horizon.periods, len(codes))
    output = np.stack([x.output for x in times]) if plants else np.zeros(shape)
    capacity = np.array([p.capacity for p in plants])
    recipe = embodied(flow, capacity, np.array([p.main for p in plants], dtype=np.int64), len(products))
    for r in rows["embodied"]:
        recipe[by_code[r["product"]], by_code[r["within"]]] = r["amount"]
    np.fill_diagonal(recipe, 1.0)

    longest = np.array(
        [[shocks.longest_cut(w, [products[j] for j in np.flatnonzero(recipe[:, k] > 0)]) for w in range(len(codes))] for k in range(len(products))]
    )
    return World(
        settings=settings,
        mass_unit=mass,
        money_unit=mass * per_tonne,
        horizon=horizon,
        scenarios=codes,
        probability=probability,
        normal=normal,
        downside=downside,
        in_model=in_model,
        repealed=shocks.repealed(horizon),
        reference=reference,
        countries=countries,
        nodes=nodes,
        members=len(members),
        products=products,
        routed=np.array([r["trade"] == "routed" for r in rows["products"]]),
        dominant=tuple(r["dominant"] if given(r["dominant"]) else None for r in rows["products"]),
        elasticity=np.array([r["elasticity"] for r in rows["products"]], dtype=float),
        relocated=np.array([r["relocated"] for r in rows["products"]], dtype=float),
        holding=np.array([r["holding_cost"] for r in rows["products"]], dtype=float),
        longer_after=np.array([r["longer_after"] for r in rows["products"]], dtype=float),
        price=price,
        demand=demand,
        sources=sources,
        plants=plants,
        flow=flow,
        output=output,
        alive=np.stack([x.alive for x in times]) if plants else np.zeros(shape),
        tested=np.stack([x.tested for x in times]) if plants else np.zeros(shape, dtype=bool),
        first_output=np.stack([x.first_output for x in times]) if plants else np.zeros((0, horizon.periods, len(codes))),
        starts=tuple(x.starts for x in times),
        chain=_chains(flow),
        embodied=recipe,
        export_limit=np.stack([points(rows["outside_sales"], "limit", horizon, product=p) for p in products]) / mass,
        shortage_blocks=_shortage_blocks(rows["shortage_costs"], products),
        longest_cut=longest,
        stock_sites=tuple(
            StockSite(
                by_code[r["product"]],
                -1 if r["country"] == ZONE else nodes.index(r["country"]),
                float(r["initial"]) / mass,
                float(r["max_level"]) / mass if given(r["max_level"]) else np.inf,
                float(r["max_purchase"]) / mass,
            )
            for r in rows["stockpiles"]
        ),
        burden=_burden(price, demand, horizon, reference, len(members)),
        tables=rows,
        lines=lines,
        **_freight(rows, countries, nodes, by_code, mass, per_tonne),
    )


def _units(rows: dict[str, list[Row]]) -> tuple[float, float]:
    """Powers of ten near the median amount and the median price: the model's units of mass (t) and price (USD/t)."""
    amounts = [r["capacity"] for r in rows["facilities"]] + [r["demand"] for r in rows["demand"]]
    prices = [r["price"] for r in rows["prices"]] + [abs(r["opex"]) for r in rows["facilities"]]

    def unit(values: list[float]) -> float:
        positive = [v for v in values if v > 0]
        return float(10.0 ** np.round(np.log10(np.median(positive)))) if positive else 1.0

    return unit(amounts), unit(prices)


def _sources(rows: list[Row], by_code: dict[str, int], shocks: Shocks, horizon: Horizon, mass: float, per_tonne: float) -> tuple[Source, ...]:
    offers: dict[tuple[str, str], list[Row]] = {}
    for r in rows:
        offers.setdefault((r["country"], r["product"]), []).append(r)
    found = []
    for (country, product), own in offers.items():
        yearly = horizon.series([(r["year"], r["available"]) for r in own])
        available = np.stack(
            [horizon.mean(yearly * shocks.multiplier(w, "supply", product=product, country=country)) for w in range(len(shocks.scenarios))], axis=1
        )
        share = own[0]["base_share"]
        found.append(
            Source(
                country,
                by_code[product],
                available / mass,
                horizon.mean(horizon.series([(r["year"], r["cost"]) for r in own])) / per_tonne,
                float(share) if given(share) else float("nan"),
                bool(own[0]["compliant"]),
            )
        )
    return tuple(found)


def _chains(flow: Array) -> NDArray[np.int64]:
    """Connected components of products joined by plants' processes, (K,), numbered by first product."""
    label = np.arange(flow.shape[1])
    for row in flow:
        joined = np.flatnonzero(row != 0)
        if len(joined):
            touched = np.isin(label, label[joined])
            label[touched] = label[joined].min()
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _shortage_blocks(rows: list[Row], products: tuple[str, ...]) -> tuple[tuple[tuple[float, float, float], ...], ...]:
    blocks: dict[str, list[tuple[int, tuple[float, float, float]]]] = {p: [] for p in products}
    for r in rows:
        long = r["price_multiple_long"]
        blocks[r["product"]].append((r["block"], (r["share"], r["price_multiple"], long if given(long) else r["price_multiple"])))
    return tuple(tuple(b for _, b in sorted(blocks[p])) for p in products)


def _burden(price: Array, demand: Array, horizon: Horizon, reference: int, members: int) -> Array:
    """Share of each member in the zone's members' final demand by value, reference scenario: one constant per member."""
    value = np.einsum("iktw,ktw,t->i", demand[:members, :, :, [reference]], price[:, :, [reference]], horizon.length.astype(float))
    total = value.sum()
    return np.asarray(value / total) if total > 0 else np.full(members, 1.0 / max(members, 1))


def _freight(
    rows: dict[str, list[Row]], countries: dict[str, Row], nodes: tuple[str, ...], by_code: dict[str, int], mass: float, per_tonne: float
) -> dict[str, Any]:
    """Routes of routed products and hub freight of pooled ones; a row for `*` serves pairs that no row names."""
    table = {(r["product"], r["origin"], r["destination"]): r for r in rows["freight"]}
    outside = [c for c, r in countries.items() if r["role"] == "outside"]
    routes: list[Route] = []
    hub_out, hub_in = np.zeros((len(nodes), len(by_code))), np.zeros((len(nodes), len(by_code)))
    hub_source: dict[tuple[str, int], float] = {}
    trade = {r["product"]: r["trade"] for r in rows["products"]}

    def row(product: str, origin: str, destination: str) -> Row | None:
        return table.get((product, origin, destination)) or table.get((ALL, origin, destination))

    for product, k in by_code.items():
        if trade[product] == "pooled":
            for i, node in enumerate(nodes):
                hub_out[i, k] = (row(product, node, ZONE) or {"cost": 0.0})["cost"] / per_tonne
                hub_in[i, k] = (row(product, ZONE, node) or {"cost": 0.0})["cost"] / per_tonne
            for country in outside:
                hub_source[country, k] = (row(product, country, ZONE) or {"cost": 0.0})["cost"] / per_tonne
            continue
        for j, destination in enumerate(nodes):
            for i, origin in [*enumerate(nodes), *((-1, c) for c in outside)]:
                found = row(product, origin, destination) if i != j else None
                if found is not None:
                    capacity = float(found["capacity"]) / mass if given(found["capacity"]) else np.inf
                    routes.append(Route(k, i, origin if i < 0 else "", j, float(found["cost"]) / per_tonne, capacity))
    return {"routes": tuple(routes), "hub_out": hub_out, "hub_in": hub_in, "hub_source": hub_source}


__all__ = ["Route", "Source", "StockSite", "World", "recovery_factor", "treasury_of", "world_from", "world_of"]
