"""What one model is about: which paths, scenarios and rules; and the places where goods can be.

A place is where a balance is kept: for a routed product a node (0, 1, …); for a pooled one the members' hub (-1) or the
partners' hub (-2). A column of a part is created only where its index set says it can be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.terms import IntArray
from orepact.market.deals import Deal
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.permissions import Scarcity, feed_is_cut, scarcity
from orepact.market.world import World

MEMBERS, PARTNERS = -1, -2


@dataclass(frozen=True)
class Rules:
    """Which parts of the question are switched on; the baseline and the stress tests switch some off.

    `elastic` lets every target, cap, budget, key, route, stock limit and source give way, and minimises by how much (see
    `cells.py`): for diagnosis only.
    """

    behaviour: Literal["market", "planner"] = "market"
    support: bool = True
    targets: bool = True
    stock: bool = True
    duty: bool = False
    elastic: bool = False


@dataclass(frozen=True)
class ChosenDeal:
    """A deal as a column group of the model: plant f in response class v, paid by `payer` (-1: nobody)."""

    facility: int
    response: int
    payer: int
    deal: Deal


class Deals:
    """The deals of a case as arrays, one entry for each; `stacked` gives their (period, scenario) data as (deal, period, scenario)."""

    def __init__(self, chosen: Sequence[ChosenDeal]) -> None:
        figures = [figure for x in chosen for figure in (x.facility, x.response, x.payer, x.deal.start, x.deal.contract)]
        self.facility, self.response, self.payer, self.start, self.contract = np.array(figures, dtype=np.int64).reshape(-1, 5).T.copy()
        numbers: dict[int, int] = {}
        self._same = np.array([numbers.setdefault(id(x.deal), len(numbers)) for x in chosen], dtype=np.int64)  # payers share a deal
        self._distinct = list({id(x.deal): x.deal for x in chosen}.values())

    def __len__(self) -> int:
        return len(self.facility)

    def stacked(self, name: str) -> NDArray[Any]:
        """A field of every deal, the deal being the first index."""
        return np.array([getattr(deal, name) for deal in self._distinct])[self._same] if self._distinct else np.zeros(0)


class Case:
    """Market data and rules for one model; everything derived is worked out once, on demand.

    `paths` are the price paths it may choose from, `scenarios` the scenarios it contains with weights `weight` (sum 1).
    """

    def __init__(self, market: Market, paths: list[Path], rules: Rules, scenarios: list[int] | None = None) -> None:
        self.market = market
        self.world: World = market.world
        self.paths = paths
        self.rules = rules
        world = self.world
        self.scenarios = [int(w) for w in np.flatnonzero(world.in_model)] if scenarios is None else scenarios
        self.weight = {w: float(world.probability[w]) for w in self.scenarios}
        if scenarios is not None and len(scenarios) == 1:
            self.weight = {scenarios[0]: 1.0}
        self.planner = rules.behaviour == "planner"
        self.periods = range(world.horizon.periods)
        self.chains = [[int(k) for k in np.flatnonzero(world.chain == c)] for c in range(int(world.chain.max()) + 1)]
        self.chain_paths: list[list[Path]] = []
        self.number: list[dict[tuple[tuple[int, ...], ...], int]] = []
        for products in self.chains:
            by_rungs: dict[tuple[tuple[int, ...], ...], Path] = {}
            for path in paths:
                by_rungs.setdefault(tuple(path.rungs[k] for k in products), path)
            self.chain_paths.append(list(by_rungs.values()))
            self.number.append({rungs: j for j, rungs in enumerate(by_rungs)})

    # -- periods and scenarios ----------------------------------------------------------------------------------

    @cached_property
    def span(self) -> tuple[int, int]:
        """How many periods and scenarios the world has: the last two axes of its arrays."""
        return len(self.periods), len(self.world.scenarios)

    @cached_property
    def modelled(self) -> NDArray[np.bool_]:
        """Scenarios that the model contains (W,)."""
        found = np.zeros(self.span[1], dtype=bool)
        found[self.scenarios] = True
        return found

    @cached_property
    def every(self) -> tuple[IntArray, IntArray]:
        """Period and scenario of every cell of the model."""
        t, w = np.nonzero(np.broadcast_to(self.modelled, self.span))
        return t, w

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Weight of each scenario (W,), zero for those outside the model."""
        found = np.zeros(self.span[1])
        for w, weight in self.weight.items():
            found[w] = weight
        return found

    def path_number(self, c: int, path: Path) -> int:
        """Which of chain c's paths a whole path takes."""
        return self.number[c][tuple(path.rungs[k] for k in self.chains[c])]

    # -- prices -------------------------------------------------------------------------------------------------

    @cached_property
    def rungs(self) -> dict[tuple[int, int], list[int]]:
        """Rungs in play per (k, t): those of the listed paths; for the planner every rung offered."""
        if self.planner:
            return {(k, t): [int(x) for x in np.flatnonzero(lad.offered[:, t])] for k, lad in enumerate(self.market.ladders) for t in self.periods}
        return {
            (k, t): sorted({path.rungs[k][t] for path in self.chain_paths[c]}) for c, products in enumerate(self.chains) for k in products for t in self.periods
        }

    @cached_property
    def played(self) -> list[NDArray[np.bool_]]:
        """Per product, which rungs are in play in which period (rung, period)."""
        found = [np.zeros((len(ladder.rungs), len(self.periods)), dtype=bool) for ladder in self.market.ladders]
        for (k, t), rungs in self.rungs.items():
            found[k][rungs, t] = True
        return found

    @cached_property
    def raised(self) -> list[NDArray[np.bool_]]:
        """Per product, where a rung holds the zone price above the world price (rung, period, scenario)."""
        return [ladder.floors(self.world.price[k]) for k, ladder in enumerate(self.market.ladders)]

    # -- places -------------------------------------------------------------------------------------------------

    def place(self, node: int, k: int) -> int:
        """Where goods of product k are when they are in a node."""
        if self.world.routed[k]:
            return node
        return MEMBERS if node < self.world.members else PARTNERS

    @cached_property
    def places(self) -> list[list[int]]:
        """Places per product."""
        world = self.world
        pooled = [MEMBERS, PARTNERS] if len(world.nodes) > world.members else [MEMBERS]
        return [list(range(len(world.nodes))) if world.routed[k] else pooled for k in range(len(world.products))]

    def nodes_at(self, p: int) -> list[int]:
        """Nodes that a place stands for."""
        if p >= 0:
            return [p]
        members = self.world.members
        return list(range(members)) if p == MEMBERS else list(range(members, len(self.world.nodes)))

    def is_member(self, p: int) -> bool:
        return p == MEMBERS or 0 <= p < self.world.members

    def counted(self, p: int) -> bool:
        """Whether costs at a place count: members' always, partners' only if the perimeter is the zone."""
        return self.is_member(p) or self.zone_perimeter

    @cached_property
    def slots(self) -> int:
        """Length of an axis of places: the nodes, and at its end the hubs, which places -2 and -1 point to."""
        return len(self.world.nodes) + 2

    @cached_property
    def member_places(self) -> NDArray[np.bool_]:
        """`is_member` of every place (P,)."""
        return np.array([self.is_member(p if p < len(self.world.nodes) else p - self.slots) for p in range(self.slots)])

    @cached_property
    def counted_places(self) -> NDArray[np.bool_]:
        """`counted` of every place (P,)."""
        return self.member_places | self.zone_perimeter

    @cached_property
    def place_of(self) -> IntArray:
        """`place` of every node and product (I, K)."""
        return np.array([[self.place(i, k) for k in range(len(self.world.products))] for i in range(len(self.world.nodes))], dtype=np.int64)

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """Final demand at world prices of every product and place (K, P, T, W); zero where a product is at no such place."""
        world = self.world
        found = np.zeros((len(world.products), self.slots, *self.span))
        for k, places in enumerate(self.places):
            for p in places:
                found[k, p] = world.demand[self.nodes_at(p), k].sum(axis=0)
        return found

    def spots(self, where: NDArray[np.bool_]) -> tuple[IntArray, ...]:
        """Indices of what is true in an array whose second axis is places; hubs as -1 and -2, members' first."""
        nodes = len(self.world.nodes)
        order = np.array([*range(nodes), MEMBERS, PARTNERS])
        first, p, *rest = np.nonzero(where[:, order])
        return first, order[p], *rest

    @property
    def zone_perimeter(self) -> bool:
        return self.world.settings.economics.perimeter == "zone"

    @cached_property
    def plant_place(self) -> list[int]:
        """Node of each plant."""
        return [self.world.node_of(plant.country) for plant in self.world.plants]

    def carriers(self, p: int) -> list[tuple[int, float]]:
        """Members who carry public spending at a place, with their shares."""
        return [(p, 1.0)] if 0 <= p < self.world.members else [(m, float(b)) for m, b in enumerate(self.world.burden)]

    # -- owners -------------------------------------------------------------------------------------------------

    @cached_property
    def chain_of(self) -> list[int]:
        """Chain of each plant."""
        return [int(self.world.chain[plant.main]) for plant in self.world.plants]

    @cached_property
    def response_classes(self) -> list[list[int]]:
        """Response class of each plant on each path of its chain."""
        found: dict[int, list[int]] = {}
        for c, paths in enumerate(self.chain_paths):
            found.update(self.market.response_classes((f for f, own in enumerate(self.chain_of) if own == c), paths))
        return [found[f] for f in range(len(self.world.plants))]

    @cached_property
    def deals(self) -> list[ChosenDeal]:
        """Every deal that the listed paths allow, once per member who may pay for it."""
        found, answers = [], [sorted(set(classes)) for classes in self.response_classes]
        self.market.sign((f, v) for f, classes in enumerate(answers) for v in classes)
        for f, classes in enumerate(answers):
            candidate, payers = self.world.plants[f].candidate, cache(partial(self._payers, f))
            for v in classes:
                for deal in self.market.deals(f, v):
                    if deal.plain or (deal.contract < 0 and not candidate):
                        found.append(ChosenDeal(f, v, -1, deal))
                    elif self.rules.support:
                        found += [ChosenDeal(f, v, m, deal) for m in payers(deal.contract)]
        return found

    def _payers(self, f: int, contract: int) -> list[int]:
        """Members who use the instruments of a deal with plant f; a stockpiled contract also needs a stock to fill."""
        row = self.market.contracts[contract] if contract >= 0 else None
        willing = [m for m in self.market.payers(f) if not self.market.refuses(m, "grant" if row is None else row["instrument"])]
        if row is None or not row["stockpiled"]:
            return willing
        return [m for m in willing if self.rules.stock and self.stock_site(f, m) is not None]

    def stock_site(self, f: int, member: int) -> int | None:
        """Stock that a stockpiled contract of plant f paid by a member fills."""
        main = self.world.plants[f].main
        wanted = member if self.world.routed[main] else -1
        return next((s for s, site in enumerate(self.world.stock_sites) if site.product == main and site.node == wanted), None)

    @cached_property
    def deal(self) -> Deals:
        """The deals as arrays."""
        return Deals(self.deals)

    # -- data tests ---------------------------------------------------------------------------------------------

    @cached_property
    def scarcity(self) -> list[Scarcity]:
        """Scarcity on the paths of each chain; only the chain's own products are meant."""
        return [scarcity(self.market, paths, products) for products, paths in zip(self.chains, self.chain_paths, strict=True)]

    @cached_property
    def feed_is_cut(self) -> NDArray[np.bool_]:
        return feed_is_cut(self.world)

    @cached_property
    def product_of_source(self) -> IntArray:
        """Product of each source (O,)."""
        return np.array([source.product for source in self.world.sources], dtype=np.int64)

    @cached_property
    def inputs(self) -> list[list[int]]:
        return [self.world.inputs(f) for f in range(len(self.world.plants))]

    @cached_property
    def outputs(self) -> list[list[int]]:
        return [self.world.outputs(f) for f in range(len(self.world.plants))]

    @property
    def most_output(self) -> NDArray[np.float64]:
        """Largest activity of each plant (F, T, W), over the starts that are offered."""
        return self.world.most_output

    def normal(self, w: int) -> bool:
        return bool(self.world.normal[w])
