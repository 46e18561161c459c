"""The physical half in linopy: facility location, flows and targets, without price paths and owners. For comparison only.

The same problem as this model's planner (`--behaviour planner`), written the way PyPSA writes its networks: one variable over all flows
× periods × scenarios, and incidence lists (flow, place, tonnes per tonne) that are grouped into balances. Data come from the model's own
World, so that only building and handing over differ. Not covered (ValueError): routed products, stocks, targets other than reliance caps
and activity shares, weight on the worst outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import linopy
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from orepact.formulation import demand, trade
from orepact.formulation.case import MEMBERS, PARTNERS, Case
from orepact.formulation.targets.common import denominator, nodes_in, targets_of, tested
from orepact.formulation.targets.reliance import capped_sources, embodied_share
from orepact.market.horizon import recovery_factor
from orepact.market.ladder import Ladder

Array = NDArray[np.float64]


def build_physical(case: Case) -> linopy.Model:
    """The planner's problem of a case, whole objective included."""
    _check(case)
    linopy.options["semantics"] = "v1"
    model = linopy.Model(sparse=True)
    flows, world = Flows(case), case.world
    weight = np.outer(world.discount, [case.weight[w] for w in case.scenarios])
    most, offered = np.array(flows.most), _by_rung(case, lambda ladder: ladder.offered[:, :, None])[..., 0] > 0
    upper, starts = _array(most, "flow"), [(f, tau) for f, plant in enumerate(world.plants) if plant.candidate for tau in world.starts[f]]
    q = model.add_variables(lower=0, upper=upper, name="flow", mask=upper > 0)
    u = model.add_variables(binary=True, coords={"start": np.arange(len(starts))}, name="built")
    rung = _array(offered, "product", "rung")
    z = model.add_variables(lower=xr.zeros_like(rung, dtype=float), upper=1, name="rung", mask=rung)
    model.add_constraints(z.sum("rung") == 1, name="one mix")
    _capacity(model, case, flows, q, u, starts)
    _balances(model, case, flows, q, z)
    _targets(model, case, flows, q, z)
    capital, forgone = _capital(case, starts, weight), _forgone(case, weight)
    model.add_objective((q * _array(np.array(flows.cost) * weight, "flow")).sum() + (u * capital).sum() + (z * forgone).sum())
    return model


def _check(case: Case) -> None:
    """Refuse what is not covered."""
    kinds = {row["kind"] for row in case.world.tables["targets"]} - {"reliance_cap", "activity_share"}
    lacks = {"routed products": case.world.routed.any(), "stocks": case.world.stock_sites, "weight on the worst": case.world.settings.economics.cvar_weight}
    missing = sorted(kinds) + [name for name, used in lacks.items() if used]
    if missing:
        raise ValueError(f"the linopy model has no {', '.join(missing)}")


def _array(values: NDArray[Any], *dims: str) -> xr.DataArray:
    """Values over the dims named, then period and scenario as far as there are axes left."""
    names = [*dims, *("t", "w")[: values.ndim - len(dims)]]
    return xr.DataArray(values, dims=names, coords={name: np.arange(n) for name, n in zip(names, values.shape, strict=True)})


@dataclass
class Flows:
    """Every flow with its largest amount and cost (t, w), and incidence lists of balances; what a place is: product × 2 + hub."""

    case: Case
    most: list[Array] = field(default_factory=list)
    cost: list[Array] = field(default_factory=list)
    arcs: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, place, tonnes that it brings."""
    leaving: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, place, tonnes that leave, own output counting against them."""
    plants: list[int] = field(default_factory=list)
    """Flow of each plant."""
    imports: list[tuple[int, int]] = field(default_factory=list)
    """Flow and source."""
    exports: list[tuple[int, int]] = field(default_factory=list)
    """Flow and product."""
    short: list[tuple[int, int, float]] = field(default_factory=list)
    """Flow, place, share of use."""

    def __post_init__(self) -> None:
        for f in range(len(self.case.world.plants)):
            self._plant(f)
        for o in range(len(self.case.world.sources)):
            self._source(o)
        for k in range(len(self.case.world.products)):
            self._between_hubs(k)
            for p in self.case.places[k]:
                self._surplus(k, p)
                self._missing(k, p)

    @staticmethod
    def place(k: int, p: int) -> int:
        """Number of a place."""
        return 2 * k + (p == PARTNERS)

    def _add(self, most: Array, cost: Array) -> int:
        used = self.case.scenarios
        self.most.append(most[:, used])
        self.cost.append(np.broadcast_to(cost, most.shape)[:, used])
        return len(self.most) - 1

    def _plant(self, f: int) -> None:
        world, case, node = self.case.world, self.case, self.case.plant_place[f]
        plant, counted = world.plants[f], case.counted(node)
        out = sum(world.flow[f, k] * world.hub_out[node, k] for k in case.outputs[f])
        used = sum(-world.flow[f, k] * world.hub_in[node, k] for k in case.inputs[f])
        flow = self._add(case.most_output[f], counted * (plant.opex[:, None] - plant.premium + out + used))
        self.plants.append(flow)
        for k in (*case.outputs[f], *case.inputs[f]):
            amount, place = float(world.flow[f, k]), self.place(k, case.place(node, k))
            self.arcs.append((flow, place, amount))
            if amount > 0:
                self.leaving.append((flow, place, -amount))

    def _source(self, o: int) -> None:
        world, case = self.case.world, self.case
        source = world.sources[o]
        ladder = case.market.ladders[source.product]
        sells = (ladder.selling[:, ladder.sources.index(o)] & ladder.offered[:, :, None]).any(axis=0)
        for p in case.places[source.product]:
            paid = np.maximum(world.price[source.product], source.cost[:, None]) + world.hub_source[source.country, source.product]
            flow = self._add(source.available * sells, case.counted(p) * paid)
            self.imports.append((flow, o))
            self.arcs.append((flow, self.place(source.product, p), 1.0))

    def _between_hubs(self, k: int) -> None:
        world, case = self.case.world, self.case
        if len(case.places[k]) < 2:
            return
        anything, open_zone = np.full(world.price.shape[1:], np.inf), case.zone_perimeter
        bought = np.array([[trade._planner_price(case, k, t, w) for w in range(world.price.shape[2])] for t in case.periods])
        inward = self._add(anything, np.zeros(1) if open_zone else bought + trade._partner_freight(case, k))
        outward = self._add(anything, np.zeros(1) if open_zone else -world.price[k])
        for flow, origin, destination in ((inward, PARTNERS, MEMBERS), (outward, MEMBERS, PARTNERS)):
            self.arcs += [(flow, self.place(k, origin), -1.0), (flow, self.place(k, destination), 1.0)]
            self.leaving.append((flow, self.place(k, origin), 1.0))

    def _surplus(self, k: int, p: int) -> None:
        world, case, economics = self.case.world, self.case, self.case.world.settings.economics
        makers = [f for f in range(len(world.plants)) if world.flow[f, k] > 0 and case.place(case.plant_place[f], k) == p]
        full = sum((world.flow[f, k] * case.most_output[f] for f in makers), np.zeros(world.price.shape[1:]))
        for worth, limited in ((1 - economics.export_discount, True), (economics.resale, False)):
            most = np.where(full > 0, world.export_limit[k][:, None] if limited else np.inf, 0.0)
            flow = self._add(most, -case.counted(p) * worth * world.price[k])
            self.arcs.append((flow, self.place(k, p), -1.0))
            self.leaving.append((flow, self.place(k, p), 1.0))
            if limited:
                self.exports.append((flow, k))

    def _missing(self, k: int, p: int) -> None:
        world, case = self.case.world, self.case
        wanted = world.demand[case.nodes_at(p), k].sum(axis=0)
        may = np.zeros(wanted.shape)
        for t in case.periods:
            for w in case.scenarios:
                may[t, w] = wanted[t, w] > 0 and demand._shortage_possible(case, k, t, w)
        for share, multiple, multiple_long in world.shortage_blocks[k]:
            long = world.longest_cut[k] >= world.longer_after[k]
            cost = np.where(long, multiple_long, multiple) * world.price[k, :, [world.reference]].T
            flow = self._add(np.where(may > 0, np.inf, 0.0), cost)
            self.arcs.append((flow, self.place(k, p), 1.0))
            self.short.append((flow, self.place(k, p), share))


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


def _balances(model: linopy.Model, case: Case, flows: Flows, q: Any, z: Any) -> None:
    """What comes in goes out at every place, nobody passes on what it did not make; sources, sales and shortage have their limits."""
    world, kept = case.world, _by_rung(case, lambda ladder: ladder.kept)
    used: Entries = []
    for k in range(len(world.products)):
        for p in case.places[k]:
            wanted = world.demand[case.nodes_at(p), k].sum(axis=0)[:, case.scenarios]
            used.append((k, flows.place(k, p), kept[k] * wanted))
    model.add_constraints(_rows(q, "flow", flows.arcs) - _rows(z, "product", used, "rung") == 0, name="goods")
    model.add_constraints(_rows(q, "flow", flows.leaving) <= 0, name="own output only")
    available = _array(np.array([source.available[:, case.scenarios] for source in world.sources]), "row")
    model.add_constraints(_rows(q, "flow", [(flow, o, 1.0) for flow, o in flows.imports]) <= available, name="what sources have")
    sold = _rows(q, "flow", [(flow, k, 1.0) for flow, k in flows.exports])
    model.add_constraints(sold <= _array(world.export_limit[:, :, None].repeat(len(case.scenarios), axis=2), "row"), name="export limit")
    if flows.short:
        by_place = {place: (k, amount) for k, place, amount in used}
        allowed: Entries = [(by_place[place][0], n, share * by_place[place][1]) for n, (_, place, share) in enumerate(flows.short)]
        short = _rows(q, "flow", [(flow, n, 1.0) for n, (flow, _, _) in enumerate(flows.short)])
        model.add_constraints(short - _rows(z, "product", allowed, "rung") <= 0, name="within block")


def _targets(model: linopy.Model, case: Case, flows: Flows, q: Any, z: Any) -> None:
    """Reliance caps and activity shares, as rows that are at most zero."""
    world, kept, n = case.world, _by_rung(case, lambda ladder: ladder.kept), 0
    carried: Entries = []
    used: Entries = []
    holds: list[NDArray[np.bool_]] = []

    def final_use(kappa: int, nodes: list[int], stays: Array) -> Array:
        return np.asarray(stays * world.demand[nodes, kappa].sum(axis=0)[:, case.scenarios])

    def add_use(k: int, nodes: list[int], factor: float) -> None:
        for kappa in np.flatnonzero(world.embodied[k] > 0).tolist():
            stays = kept[kappa] + world.relocated[kappa] * (1 - kept[kappa])
            used.append((kappa, n, factor * world.embodied[k, kappa] * final_use(kappa, nodes, stays)))

    def add_row(target: dict[str, Any]) -> None:
        covered = set(tested(case, target))
        holds.append(np.array([[(t, w) in covered for w in case.scenarios] for t in case.periods]))

    for target in targets_of(case, "reliance_cap"):
        k, nodes = world.product(target["products"][0]), nodes_in(case, target)
        for s in capped_sources(case, target):
            for flow, o in flows.imports:
                amount = embodied_share(case, o, k, s) if target["upstream"] or world.sources[o].product == k else 0.0
                if amount > 0:
                    carried.append((flow, n, amount))
            for kappa in np.flatnonzero(world.embodied[k] > 0).tolist():
                if world.dominant[kappa] == s:
                    used.append((kappa, n, -world.embodied[k, kappa] * final_use(kappa, nodes, world.relocated[kappa] * (1 - kept[kappa]))))
            add_use(denominator(case, target), nodes, float(target["value"]))
            add_row(target)
            n += 1
    for target in targets_of(case, "activity_share"):
        nodes = nodes_in(case, target)
        for f, plant in enumerate(world.plants):
            for k in (world.product(p) for p in target["products"]):
                if world.flow[f, k] > 0 and case.plant_place[f] in nodes and target["activity"] in plant.activities:
                    carried.append((flows.plants[f], n, -float(world.flow[f, k])))
        add_use(denominator(case, target), nodes, -float(target["value"]))
        add_row(target)
        n += 1
    if n:
        model.add_constraints(_rows(q, "flow", carried) - _rows(z, "product", used, "rung") <= 0, name="targets", mask=_array(np.array(holds), "row"))


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
