"""The physical half in linopy: facility location, flows, stocks and targets, without price paths and owners. For comparison only.

The same problem as this model's planner (`--behaviour planner`), written the way PyPSA writes its networks: one variable over all flows
× periods × scenarios, and incidence lists (flow, place, tonnes per tonne) that are grouped into balances. Data come from the model's own
World, so that only building and handing over differ. Not covered: weight on the worst outcomes (ValueError).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import linopy
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from orepact.formulation import activity, demand, trade
from orepact.formulation.case import MEMBERS, PARTNERS, Case
from orepact.formulation.stockpile import site_place
from orepact.formulation.targets.common import Row, denominator, nodes_in, targets_of, tested
from orepact.formulation.targets.outage import losses, stages
from orepact.formulation.targets.reliance import capped_sources, embodied_shares
from orepact.market.horizon import recovery_factor
from orepact.market.ladder import Ladder
from orepact.market.shocks import given

Array = NDArray[np.float64]


def build_physical(case: Case) -> linopy.Model:
    """The planner's problem of a case, whole objective included."""
    if case.world.settings.economics.cvar_weight:
        raise ValueError("the linopy model has no weight on the worst outcomes")
    linopy.options["semantics"] = "v1"
    model = linopy.Model(sparse=True)
    flows, world = Flows(case), case.world
    weight = np.outer(world.discount, [case.weight[w] for w in case.scenarios])
    most, offered = np.array(flows.most), _by_rung(case, lambda ladder: ladder.offered[:, :, None])[..., 0] > 0
    upper, starts = _array(most, "flow"), [(f, tau) for f, plant in enumerate(world.plants) if plant.candidate for tau in world.starts[f]]
    rung = _array(offered, "product", "rung")
    q = model.add_variables(lower=0, upper=upper, name="flow", mask=upper > 0)
    u = model.add_variables(binary=True, coords={"start": np.arange(len(starts))}, name="built")
    z = model.add_variables(lower=xr.zeros_like(rung, dtype=float), upper=1, name="rung", mask=rung)
    model.add_constraints(z.sum("rung") == 1, name="one mix")
    _capacity(model, case, flows, q, u, starts)
    stocks = Stocks(model, case, weight) if world.stock_sites else None
    _balances(model, case, flows, q, z, stocks)
    Targets(case, flows).add(model, q, z, stocks)
    cost = (q * _array(np.array(flows.cost) * weight, "flow")).sum() + (u * _capital(case, starts, weight)).sum() + (z * _forgone(case, weight)).sum()
    model.add_objective(cost if stocks is None else cost + stocks.cost)
    return model


def _array(values: NDArray[Any], *dims: str) -> xr.DataArray:
    """Values over the dims named, then period and scenario as far as there are axes left."""
    names = [*dims, *("t", "w")[: values.ndim - len(dims)]]
    return xr.DataArray(values, dims=names, coords={name: np.arange(n) for name, n in zip(names, values.shape, strict=True)})


@dataclass
class Flows:
    """Every flow with its largest amount and cost (t, w), and incidence lists of balances."""

    case: Case
    most: list[Array] = field(default_factory=list)
    cost: list[Array] = field(default_factory=list)
    arcs: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, place, tonnes that it brings."""
    leaving: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, place, tonnes that leave, own output counting against them."""
    plants: list[int] = field(default_factory=list)
    """Flow of each plant."""
    imports: list[tuple[int, int, int]] = field(default_factory=list)
    """Flow, source, place in the case's sense."""
    moves: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Flow, product, from, to."""
    surplus: list[tuple[int, int, int, bool]] = field(default_factory=list)
    """Flow, product, place, whether it is an export within the limit."""
    short: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, number of the place, share of use."""

    def __post_init__(self) -> None:
        case, world = self.case, self.case.world
        spots = [(k, p) for k in range(len(world.products)) for p in case.places[k]]
        self.place = {spot: n for n, spot in enumerate(spots)}
        """Number of each product's places."""
        self.hub_freight = activity._hub_freight(case)
        self.may_lack = demand._any_path_may_run_short(case) | ~world.normal
        """Where users may go short of a product (product, t, w)."""
        for f in range(len(world.plants)):
            self._plant(f)
        for o in range(len(world.sources)):
            self._source(o)
        for route in world.routes:
            if route.origin >= 0:
                self._move(route.product, route.origin, route.destination, route.cost, route.capacity)
        for k in range(len(world.products)):
            if not world.routed[k] and len(case.places[k]) > 1:
                self._move(k, PARTNERS, MEMBERS, 0.0 if case.zone_perimeter else trade._partner_freight(case, k), np.inf)
                self._move(k, MEMBERS, PARTNERS, 0.0, np.inf)
        for k, p in spots:
            self._surplus(k, p)
            self._missing(k, p)

    def _add(self, most: Array, cost: Array) -> int:
        used = self.case.scenarios
        self.most.append(most[:, used])
        self.cost.append(np.broadcast_to(cost, most.shape)[:, used])
        return len(self.most) - 1

    def _plant(self, f: int) -> None:
        world, case, node = self.case.world, self.case, self.case.plant_place[f]
        plant, counted = world.plants[f], case.counted(node)
        flow = self._add(case.most_output[f], counted * (plant.opex[:, None] - plant.premium + self.hub_freight[f]))
        self.plants.append(flow)
        for k in (*case.outputs[f], *case.inputs[f]):
            amount, place = float(world.flow[f, k]), self.place[k, case.place(node, k)]
            self.arcs.append((flow, place, amount))
            if amount > 0:
                self.leaving.append((flow, place, -amount))

    def _source(self, o: int) -> None:
        world, case = self.case.world, self.case
        source = world.sources[o]
        k, ladder = source.product, case.market.ladders[source.product]
        sells = (ladder.selling[:, ladder.sources.index(o)] & ladder.offered[:, :, None]).any(axis=0)
        ways = [(p, world.hub_source[source.country, k], np.inf) for p in case.places[k]] if not world.routed[k] else []
        ways += [(r.destination, r.cost, r.capacity) for r in world.routes if r.origin < 0 and (r.product, r.source) == (k, source.country)]
        for p, freight, capacity in ways:
            paid = np.maximum(world.price[k], source.cost[:, None]) + freight
            flow = self._add(np.minimum(source.available * sells, capacity), case.counted(p) * paid)
            self.imports.append((flow, o, p))
            self.arcs.append((flow, self.place[k, p], 1.0))

    def _move(self, k: int, origin: int, destination: int, freight: float, capacity: float) -> None:
        """Trade inside the zone: members pay partners, and partners members; inside one perimeter only freight counts."""
        world, case = self.case.world, self.case
        sells, buys = case.is_member(origin), case.is_member(destination)
        cost = np.full(world.price.shape[1:], freight if buys or sells or case.zone_perimeter else 0.0)
        if buys and not sells and not case.zone_perimeter:
            cost += trade._planner_price(case, k)
        if sells and not buys and not case.zone_perimeter:
            cost -= world.price[k]
        flow = self._add(np.full(world.price.shape[1:], capacity), cost)
        self.moves.append((flow, k, origin, destination))
        self.arcs += [(flow, self.place[k, origin], -1.0), (flow, self.place[k, destination], 1.0)]
        self.leaving.append((flow, self.place[k, origin], 1.0))

    def _surplus(self, k: int, p: int) -> None:
        world, case, economics = self.case.world, self.case, self.case.world.settings.economics
        makers = [f for f in range(len(world.plants)) if world.flow[f, k] > 0 and case.place(case.plant_place[f], k) == p]
        full = sum((world.flow[f, k] * case.most_output[f] for f in makers), np.zeros(world.price.shape[1:]))
        for worth, limited in ((1 - economics.export_discount, True), (economics.resale, False)):
            most = np.where(full > 0, world.export_limit[k][:, None] if limited else np.inf, 0.0)
            flow = self._add(most, -case.counted(p) * worth * world.price[k])
            self.arcs.append((flow, self.place[k, p], -1.0))
            self.leaving.append((flow, self.place[k, p], 1.0))
            self.surplus.append((flow, k, p, limited))

    def _missing(self, k: int, p: int) -> None:
        world, case = self.case.world, self.case
        wanted = world.demand[case.nodes_at(p), k].sum(axis=0)
        may = (wanted > 0) & self.may_lack[k]
        for share, multiple, multiple_long in world.shortage_blocks[k]:
            long = world.longest_cut[k] >= world.longer_after[k]
            cost = np.where(long, multiple_long, multiple) * world.price[k, :, [world.reference]].T
            flow = self._add(np.where(may, np.inf, 0.0), cost)
            self.arcs.append((flow, self.place[k, p], 1.0))
            self.short.append((flow, self.place[k, p], share))


Entries = list[tuple[int, int, Any]]
"""Number of a variable along its first axis, row that it goes into, coefficient (a number, or an array over the axes left)."""


def _rows(variable: Any, axis: str, entries: Entries, over: str = "") -> Any:
    """Σ coefficient · variable by row; `over` is a second axis of the coefficients, summed too."""
    number, row, amount = (np.array(column) for column in zip(*entries, strict=True))
    coords = {"entry": np.arange(len(entries))}
    picked = variable.isel({axis: number}).rename({axis: "entry"}).assign_coords(coords)
    total = picked * _array(amount, "entry", *([over] if over else []))
    if over:
        total = total.sum(over)
    return total.groupby(xr.DataArray(row, dims=["entry"], coords=coords, name="row")).sum()


def _by_rung(case: Case, of: Callable[[Ladder], NDArray[Any]]) -> Array:
    """A ladder's array (L, T, W) for every product, zero beyond its rungs; in the model's scenarios where there are several."""
    arrays = [np.asarray(of(ladder), dtype=float) for ladder in case.market.ladders]
    found = np.zeros((len(arrays), max(len(a) for a in arrays), *arrays[0].shape[1:]))
    for k, array in enumerate(arrays):
        found[k, : len(array)] = array
    return found if found.shape[-1] == 1 else found[..., case.scenarios]


def _capacity(model: linopy.Model, case: Case, flows: Flows, q: Any, u: Any, starts: list[tuple[int, int]]) -> None:
    """A candidate is built once and makes what its start allows."""
    world, plants = case.world, sorted({f for f, _ in starts})
    if not plants:
        return
    full = np.array([world.plants[f].capacity * world.output[f, tau][:, case.scenarios] for f, tau in starts])
    entries: Entries = [(n, f, -full[n]) for n, (f, _) in enumerate(starts)]
    model.add_constraints(_rows(u, "start", [(n, f, 1.0) for n, (f, _) in enumerate(starts)]) <= 1, name="built once")
    makes = _rows(q, "flow", [(flows.plants[f], f, 1.0) for f in plants])
    model.add_constraints(makes + _rows(u, "start", entries) <= 0, name="within capacity")


class Stocks:
    """What is bought, held and released at every site; `cost` of holding it, less what is left at the end."""

    def __init__(self, model: linopy.Model, case: Case, weight: Array) -> None:
        world, sites = case.world, case.world.stock_sites
        periods, scenarios = len(case.periods), len(case.scenarios)
        self.initial, most = np.array([s.initial for s in sites]), np.array([s.max_level for s in sites])
        bounds = [np.broadcast_to(x[:, None, None], (len(sites), periods + 1, scenarios)).copy() for x in (np.zeros(len(sites)), most)]
        for bound in bounds:
            bound[:, 0] = self.initial[:, None]
        level = model.add_variables(lower=_array(bounds[0], "site"), upper=_array(bounds[1], "site"), name="level")
        self.before = level.isel(t=slice(0, periods))
        """Level at the start of each period."""
        self.after = level.isel(t=slice(1, periods + 1)).assign_coords(t=np.arange(periods))
        bought = np.array([s.max_purchase for s in sites])[:, None].repeat(periods, axis=1)
        self.buy = model.add_variables(lower=0, upper=_array(bought, "site"), name="bought")
        released = np.broadcast_to([not case.normal(w) for w in case.scenarios], (len(sites), periods, scenarios))
        self.release = model.add_variables(lower=0, upper=_array(np.where(released, np.inf, 0.0), "site"), name="released")
        years = _array(world.horizon.length.astype(float)[:, None].repeat(scenarios, axis=1))
        model.add_constraints(self.after - self.before - years * self.buy + years * self.release == 0, name="stock carried over")
        price = np.array([world.price[s.product][:, case.scenarios] for s in sites])
        cost = np.array([world.holding[s.product] for s in sites])[:, None, None] * price
        cost[:, -1] -= world.settings.economics.resale * price[:, -1] / world.horizon.length[-1]
        self.cost = (self.after * _array(cost * weight, "site")).sum()
        self.places = [(s.product, site_place(case, n)) for n, s in enumerate(sites)]
        self._everywhere = np.ones((periods, scenarios))

    def bought(self, entries: Entries) -> Any:
        """Σ coefficient · purchases by row, spread over the scenarios: purchases are the same in all."""
        return _rows(self.buy, "site", [(s, row, amount * self._everywhere) for s, row, amount in entries])


def _balances(model: linopy.Model, case: Case, flows: Flows, q: Any, z: Any, stocks: Stocks | None) -> None:
    """What comes in goes out at every place, nobody passes on what it did not make; sources, sales and shortage have their limits."""
    world, kept = case.world, _by_rung(case, lambda ladder: ladder.kept)
    used: Entries = []
    for (k, p), place in flows.place.items():
        wanted = world.demand[case.nodes_at(p), k].sum(axis=0)[:, case.scenarios]
        used.append((k, place, kept[k] * wanted))
    goods = _rows(q, "flow", [*flows.arcs, *((0, place, 0.0) for place in flows.place.values())]) - _rows(z, "product", used, "rung")
    if stocks is not None:
        nothing = [(0, place, 0.0) for place in flows.place.values()]
        at = [(n, flows.place[spot]) for n, spot in enumerate(stocks.places)]
        goods = goods + _rows(stocks.release, "site", [*((n, place, 1.0) for n, place in at), *nothing])
        goods = goods - stocks.bought([*((n, place, 1.0) for n, place in at), *nothing])
    model.add_constraints(goods == 0, name="goods")
    model.add_constraints(_rows(q, "flow", flows.leaving) <= 0, name="own output only")
    brought: Entries = [(flow, o, 1.0) for flow, o, _ in flows.imports]
    reached = sorted({o for _, o, _ in flows.imports})
    available = xr.DataArray(np.array([world.sources[o].available[:, case.scenarios] for o in reached]), dims=["row", "t", "w"], coords={"row": reached})
    model.add_constraints(
        _rows(q, "flow", brought) <= available.assign_coords(t=range(len(case.periods)), w=range(len(case.scenarios))), name="what sources have"
    )
    sold = _rows(q, "flow", [(flow, k, 1.0) for flow, k, _, limited in flows.surplus if limited])
    model.add_constraints(sold <= _array(world.export_limit[:, :, None].repeat(len(case.scenarios), axis=2), "row"), name="export limit")
    if flows.short:
        by_place = {place: (k, amount) for k, place, amount in used}
        allowed: Entries = [(by_place[place][0], n, share * by_place[place][1]) for n, (_, place, share) in enumerate(flows.short)]
        short = _rows(q, "flow", [(flow, n, 1.0) for n, (flow, _, _) in enumerate(flows.short)])
        model.add_constraints(short - _rows(z, "product", allowed, "rung") <= 0, name="within block")


class Targets:
    """All targets as rows of one kind: carried · flow − bought · buy + held · level before + after · level after − use · rung >= least."""

    def __init__(self, case: Case, flows: Flows) -> None:
        self.case, self.flows, self.kept = case, flows, _by_rung(case, lambda ladder: ladder.kept)
        self.carried: Entries = []
        self.bought: Entries = []
        self.held: Entries = []
        self.after: Entries = []
        self.used: Entries = []
        self.least: list[Array] = []
        self.holds: list[NDArray[np.bool_]] = []
        for target in targets_of(case, "reliance_cap"):
            for source in capped_sources(case, target):
                self._cap(target, source)
        for kind in ("activity_share", "zone_share"):
            for target in targets_of(case, kind):
                self._share(target)
        for target in targets_of(case, "n_minus_1"):
            for lost in losses(case, target).values():
                for kappa in stages(case, case.world.product(target["products"][0]), bool(target["upstream"])):
                    self._outage(target, lost, kappa)
        for target in targets_of(case, "stock_days"):
            self._days(target)

    def add(self, model: linopy.Model, q: Any, z: Any, stocks: Stocks | None) -> None:
        """Add the rows."""
        rows = range(len(self.least))
        if not rows:
            return
        nothing: Entries = [(0, n, 0.0) for n in rows]
        total = _rows(q, "flow", [*self.carried, *nothing]) - _rows(z, "product", self.used, "rung")
        if stocks is not None:
            total = total + _rows(stocks.before, "site", [*self.held, *nothing]) + _rows(stocks.after, "site", [*self.after, *nothing])
            total = total - stocks.bought([*self.bought, *nothing])
        model.add_constraints(total >= _array(np.array(self.least), "row"), name="targets", mask=_array(np.array(self.holds), "row"))

    def _row(self, target: Row, sign: float, least: Array | None = None) -> int:
        """A new row against `sign` times the target's share of use; its number."""
        case, world, n = self.case, self.case.world, len(self.least)
        k, nodes, holds = denominator(case, target), nodes_in(case, target), np.zeros(case.span, dtype=bool)
        holds[tested(case, target)] = True
        self.holds.append(holds[:, case.scenarios])
        self.least.append(np.zeros((len(case.periods), len(case.scenarios))) if least is None else least)
        factor = sign * float(target["value"]) / (365.0 if target["kind"] == "stock_days" else 1.0)
        for kappa in np.flatnonzero(world.embodied[k] > 0).tolist():
            stays = self.kept[kappa] + world.relocated[kappa] * (1 - self.kept[kappa])
            self.used.append((kappa, n, factor * world.embodied[k, kappa] * self._wanted(kappa, nodes) * stays))
        return n

    def _wanted(self, kappa: int, nodes: list[int]) -> Array:
        return np.asarray(self.case.world.demand[nodes, kappa].sum(axis=0)[:, self.case.scenarios])

    def _cap(self, target: Row, source: str) -> None:
        case, world = self.case, self.case.world
        k, nodes, n = world.product(target["products"][0]), nodes_in(case, target), self._row(target, -1.0)
        shares = embodied_shares(case, k, [source], bool(target["upstream"]))[0].tolist()
        for flow, o, p in self.flows.imports:
            amount = shares[o]
            if amount > 0 and p in {case.place(i, world.sources[o].product) for i in nodes}:
                self.carried.append((flow, n, -amount))
        for kappa in np.flatnonzero(world.embodied[k] > 0).tolist():
            if world.dominant[kappa] == source:
                moved = world.relocated[kappa] * (1 - self.kept[kappa])
                self.used.append((kappa, n, world.embodied[k, kappa] * self._wanted(kappa, nodes) * moved))

    def _share(self, target: Row) -> None:
        case, world = self.case, self.case.world
        nodes, n = nodes_in(case, target), self._row(target, 1.0)
        for k in (world.product(p) for p in target["products"]):
            places = {case.place(i, k) for i in nodes}
            for f, plant in enumerate(world.plants):
                counts = target["kind"] == "zone_share" or target["activity"] in plant.activities
                if world.flow[f, k] > 0 and case.plant_place[f] in nodes and counts:
                    self.carried.append((self.flows.plants[f], n, float(world.flow[f, k])))
            if target["kind"] == "activity_share":
                continue
            self.carried += [(flow, n, -1.0) for flow, product, p, _ in self.flows.surplus if product == k and p in places]
            self.bought += [(s, n, 1.0) for s, site in enumerate(world.stock_sites) if site.product == k and site_place(case, s) in places]
            if given(target["area"]):
                for flow, product, origin, destination in self.flows.moves:
                    if product == k and (origin in places) != (destination in places):
                        self.carried.append((flow, n, 1.0 if destination in places else -1.0))

    def _outage(self, target: Row, lost: set[str], kappa: int) -> None:
        case, world = self.case, self.case.world
        k, e = world.product(target["products"][0]), world.embodied
        outage = float(target["outage_years"]) if given(target["outage_years"]) else world.settings.policy.outage_years
        behind = [int(j) for j in np.flatnonzero((e[kappa] > 0) & (e[:, k] > 0))]
        abroad = np.zeros((len(case.periods), len(world.scenarios)))
        for j in behind:
            ladder = case.market.ladders[j]
            for x, o in enumerate(ladder.sources):
                if world.sources[o].country not in lost:
                    sells = (ladder.selling[:, x] & ladder.offered[:, :, None]).any(axis=0)
                    abroad += world.sources[o].available * sells / e[j, k]
        n = self._row(target, 1.0, -abroad[:, case.scenarios])
        for f, plant in enumerate(world.plants):
            if world.flow[f, kappa] > 0 and not {plant.country, world.nodes[case.plant_place[f]], plant.group or plant.country} & lost:
                self.carried.append((self.flows.plants[f], n, float(world.flow[f, kappa] / e[kappa, k])))
        self.held += [(s, n, 1.0 / (outage * e[site.product, k])) for s, site in enumerate(world.stock_sites) if site.product in behind]

    def _days(self, target: Row) -> None:
        case, world = self.case, self.case.world
        held, nodes, n = {world.product(p) for p in target["products"]}, nodes_in(case, target), self._row(target, 1.0)
        self.after += [(s, n, 1.0) for s, site in enumerate(world.stock_sites) if site.product in held and (site.node < 0 or site.node in nodes)]


def _capital(case: Case, starts: list[tuple[int, int]], weight: Array) -> xr.DataArray:
    """Annuities over the years in which a plant stands, where the perimeter bears them."""
    world, social = case.world, case.world.settings.economics.social_rate
    cost = [
        case.counted(case.plant_place[f])
        * recovery_factor(social, world.plants[f].life)
        * world.plants[f].capex
        * float((world.alive[f, tau][:, case.scenarios] * weight).sum())
        for f, tau in starts
    ]
    return _array(np.array(cost), "start")


def _forgone(case: Case, weight: Array) -> xr.DataArray:
    """Use forgone, and freight from the hub to users, by rung."""
    world, kept, lost = case.world, _by_rung(case, lambda ladder: ladder.kept), _by_rung(case, lambda ladder: ladder.forgone)
    cost = np.zeros(kept.shape)
    for k in range(len(world.products)):
        for p in filter(case.counted, case.places[k]):
            wanted = world.demand[case.nodes_at(p), k][..., case.scenarios]
            freight = np.einsum("i,itw->tw", world.hub_in[case.nodes_at(p), k], wanted)
            cost[k] += lost[k] * wanted.sum(axis=0) + kept[k] * freight
    return _array((cost * weight).sum(axis=-1), "product", "rung")
