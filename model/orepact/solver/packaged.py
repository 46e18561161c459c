"""Somebody else's package, imposed: the rungs, starts, contracts and grants it names stay fixed in every path and plan.

Rungs are imposed on paths; starts and deals on the market. An owner who would not sign what the package gives at the prices of
the plan is named; the plant then stays as it is without the package.
"""

from __future__ import annotations

from orepact.instance.package import Package
from orepact.market.deals import Imposed
from orepact.market.offers import Market
from orepact.market.paths import Path


class Packaged:
    """A package imposed on a market; call it with a path to get that path with the package's rungs."""

    def __init__(self, market: Market, package: Package) -> None:
        self.market, self.package = market, package
        world = market.world
        self._rungs: dict[int, list[tuple[int, int]]] = {}
        for r in package.rungs:
            k = world.product(r.product)
            self._rungs.setdefault(k, []).append((r.from_year, market.ladders[k].rungs.index(r.rung)))
        number = {row["contract"]: n for n, row in enumerate(market.contracts)}
        for f, plant in enumerate(world.plants):
            contract = next((c for c in package.contracts if c.facility == plant.code), None)
            grant = next((g for g in package.grants if g.facility == plant.code), None)
            start = next((s for s in package.starts if s.facility == plant.code), None)
            if package.rest == "free" and contract is None and grant is None and start is None:
                continue
            payer = next((x.payer for x in (contract, grant) if x is not None and x.payer), None)
            starts = None
            if start is not None:
                starts = tuple(t for t in world.starts[f] if start.built and (start.year is None or int(world.horizon.start[t]) == start.year))
            market.imposed[f] = Imposed(
                contract=None if contract is None else number[contract.contract],
                volume=None if contract is None else contract.share * plant.capacity,
                grant=None if grant is None else grant.usd / world.money_unit,
                payer=None if payer is None else world.nodes.index(payer),
                starts=starts,
                built=bool(start is not None and start.built),
                rest=package.rest == "free",
            )

    def __call__(self, path: Path) -> Path:
        start = self.market.world.horizon.start
        for k in range(len(path.rungs)):
            own = list(path.rungs[k]) if self.package.rest == "free" else [0] * len(start)
            for year, rung in sorted(self._rungs.get(k, [])):
                own = [rung if first >= year else old for first, old in zip(start, own, strict=True)]
            path = path.with_product(k, tuple(own), path.label)
        return Path(path.rungs, "the package" if self.package.rest == "none" else f"the package; {path.label}")

    def notes(self, path: Path) -> list[str]:
        """Owners who would not sign at the prices of a path, one sentence each."""
        found = []
        for f, imposed in self.market.imposed.items():
            plant = self.market.world.plants[f]
            asked = imposed.built or imposed.contract is not None or imposed.grant is not None
            deals = self.market.deals(f, self.market.response_class(f, path))
            if asked and not any(imposed.agrees(deal) for deal in deals):
                terms = []
                if imposed.contract is not None and imposed.volume is not None:
                    terms.append(f"{imposed.volume / plant.capacity:.0%} of capacity under {self.market.contracts[imposed.contract]['contract']}")
                if imposed.grant is not None:
                    terms.append(f"a grant of USD {imposed.grant * self.market.world.money_unit:,.0f}")
                found.append(f"Would not sign: {plant.name}, with {' and '.join(terms) or 'no support'}, at these prices.")
        return found
