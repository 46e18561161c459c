"""Rules that the alliance decides: stocks, contracts, grants, refusals, budgets, contribution keys, targets and caps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orepact.formulation.cells import POINT, Cell, yearly_use, yearly_value
from orepact.instance.changes import Change
from orepact.instance.instance import Instance
from orepact.instance.ranges import SETTINGS
from orepact.instance.schema import ALL, ZONE
from orepact.market.shocks import given
from orepact.market.world import Row, World
from orepact.solver.diagnosis.rule import SHARES, YEAR, Ease, Lever, Rule, number, rounded


def stocks(world: World) -> Iterator[Rule]:
    """Limits of public stocks."""
    for n, r in enumerate(world.tables["stockpiles"]):
        where = "" if r["country"] == ZONE else f" in {r['country']}"
        for column, words in (("max_level", "at most {} t are held"), ("max_purchase", "at most {} t/a are bought")):
            if not given(r[column]):
                continue
            plenty = 20 * yearly_use(world, world.product(r["product"])) * world.mass_unit
            loose = None if column == "max_level" else max(plenty, r[column])
            yield Rule(
                "stock",
                f"stock of {r['product']}{where}: {words.format(number(r[column]))}",
                "stockpiles",
                ((n, column),),
                True,
                (Change("stockpiles", n, column, loose),),
                (Lever(cell=Cell("stockpiles", n, column)),),
            )


def menu(world: World) -> Iterator[Rule]:
    """Contracts, each with all that limits it; and products for which the menu has none."""
    covered: set[str] = set()
    for n, r in enumerate(world.tables["contracts"]):
        covered.update(r["products"])
        higher = [c for c in ("strike", "premium") if given(r[c]) and r[c] > 0]
        base = {name: cell for name, cell in r.items() if given(cell) and name not in ("window", "yearly_cap", "reference_volume")}
        base.update(min_share=0.0, max_share=1.0, countries=(ALL,), existing=True)
        rises = {c: _rises(world, r, c) for c in higher}
        generous = [Change.added("contracts", **{**base, "contract": f"like_{n}"})]
        for c, factors in rises.items():
            generous += [Change.added("contracts", **{**base, "contract": f"{c}_{n}_{x:g}", c: r[c] * x, **_ceiling(c, r, x)}) for x in factors]
        levers = [
            Lever(
                steps=tuple(Ease((Change("contracts", n, c, rounded(r[c] * x)), *_lift(n, c, r, x)), 100 * r[c] * (x - 1) / _price(world, r)) for x in factors)
            )
            for c, factors in rises.items()
        ]
        if r["max_share"] < 1:
            levers.append(Lever(steps=tuple(Ease((Change("contracts", n, "max_share", v),), 20 * (v - r["max_share"])) for v in SHARES if v > r["max_share"])))
        if r["min_share"] > 0:
            levers.append(Lever(steps=tuple(Ease((Change("contracts", n, "min_share", v),), 20 * (r["min_share"] - v)) for v in (r["min_share"] / 2, 0.0))))
        if given(r["window"]):
            levers.append(
                Lever(
                    steps=(
                        *(Ease((Change("contracts", n, "window", r["window"] * x),), YEAR * r["window"] * (x - 1)) for x in (1.5, 2.0)),
                        Ease((Change("contracts", n, "window", None),), 20 * YEAR),
                    )
                )
            )
        if ALL not in r["countries"]:
            levers.append(Lever(steps=(Ease((Change("contracts", n, "countries", (ALL,)),), YEAR),)))
        if not r["existing"]:
            levers.append(Lever(steps=(Ease((Change("contracts", n, "existing", True),), YEAR),)))
        terms = ", ".join(f"{c} {number(r[c])} USD/t" for c in higher) + f", {100 * r['min_share']:g} to {100 * r['max_share']:g} % of capacity"
        terms += f", {number(r['window'])} years" if given(r["window"]) else ""
        places = tuple(
            (n, c) for c in (*higher, "min_share", "max_share", *(["window"] if given(r["window"]) else []), *([] if ALL in r["countries"] else ["countries"]))
        )
        yield Rule("menu", f"contract {r['contract']} offers no more than {terms}", "contracts", places, True, tuple(generous), tuple(levers))
    for k, product in enumerate(world.products):
        if ALL in covered or product in covered or not any(plant.main == k for plant in world.plants):
            continue
        price = float(world.price[k, :, world.reference].mean()) * world.price_unit
        added = [
            Change.added(
                "contracts", contract=f"new_{product[:40]}_{x:g}", instrument="support", products=(product,), premium=rounded(x * price), existing=True
            )
            for x in (0.1, 0.2, 0.4, 0.8, 1.6)
        ]
        steps = tuple(Ease((change,), YEAR + 100 * x) for change, x in zip(added, (0.1, 0.2, 0.4, 0.8, 1.6), strict=True))
        yield Rule("menu", f"no contract of the menu is offered for {product}", "contracts", ((None, "products"),), True, tuple(added), (Lever(steps=steps),))


def _price(world: World, contract: Row) -> float:
    """Mean world price of the dearest product that a contract is for, USD/t."""
    meant = [k for k, product in enumerate(world.products) if (ALL in contract["products"] or product in contract["products"])]
    return float(world.price[meant, :, world.reference].mean(axis=1).max()) * world.price_unit or 1.0


def _rises(world: World, contract: Row, column: str) -> list[float]:
    """Factors on a strike or premium: small steps up to three times the world price (a premium: up to it)."""
    top = max(2.0, _price(world, contract) * (3.0 if column == "strike" else 1.0) / contract[column])
    steps = int(np.clip(np.ceil(np.log(top) / np.log(1.25)), 4, 12))
    return [float(x) for x in np.geomspace(1.0, top, steps + 1)[1:]]


def _ceiling(column: str, row: Row, factor: float) -> dict[str, float]:
    return {"ceiling": row["ceiling"] * factor} if column == "strike" and given(row["ceiling"]) else {}


def _lift(n: int, column: str, row: Row, factor: float) -> tuple[Change, ...]:
    """A ceiling below the strike would not be valid: it rises with it."""
    return (Change("contracts", n, "ceiling", rounded(row["ceiling"] * factor)),) if column == "strike" and given(row["ceiling"]) else ()


def grants(instance: Instance, world: World) -> Iterator[Rule]:
    """Limits on grants, and on what a supported owner may keep."""
    owners = instance.settings.owners
    if owners.grant_cap < 1:
        steps = tuple(Ease((Change(SETTINGS, None, "owners.grant_cap", v),), 20 * (v - owners.grant_cap)) for v in SHARES if v > owners.grant_cap)
        words = f"grants are at most {100 * owners.grant_cap:g} % of capital cost where aid_limits says nothing"
        yield Rule("grants", words, SETTINGS, ((None, "owners.grant_cap"),), True, (Change(SETTINGS, None, "owners.grant_cap", 1.0),), (Lever(steps=steps),))
    for n, r in enumerate(world.tables["aid_limits"]):
        drop = (Change("aid_limits", n, "grant_share", 1.0), Change("aid_limits", n, "grant_max", None))
        levers = [Lever(steps=tuple(Ease((Change("aid_limits", n, "grant_share", v),), 20 * (v - r["grant_share"])) for v in SHARES if v > r["grant_share"]))]
        if given(r["grant_max"]):
            levers.append(Lever(steps=(Ease((Change("aid_limits", n, "grant_max", None),), YEAR),)))
        words = f"grants in {r['country']} are at most {100 * r['grant_share']:g} % of capital cost"
        yield Rule("grants", words, "aid_limits", ((n, "grant_share"),), True, drop, tuple(levers))
    more = [v for v in (0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 5.0) if v > owners.rent_cap]
    if more:
        steps = tuple(Ease((Change(SETTINGS, None, "owners.rent_cap", v),), 20 * (v - owners.rent_cap)) for v in more)
        words = f"a supported owner may keep at most {100 * owners.rent_cap:g} % of capital cost"
        yield Rule("grants", words, SETTINGS, ((None, "owners.rent_cap"),), True, (Change(SETTINGS, None, "owners.rent_cap", 100.0),), (Lever(steps=steps),))


def refusals(world: World) -> Iterator[Rule]:
    """Instruments that members will not use."""
    for n, r in enumerate(world.tables["refusals"]):
        gone = (Change("refusals", n),)
        yield Rule(
            "refusals",
            f"{r['member']} refuses the instrument {r['instrument']}",
            "refusals",
            ((n, "instrument"),),
            True,
            gone,
            (Lever(steps=(Ease(gone, YEAR),)),),
        )


def budgets(world: World) -> Iterator[Rule]:
    """What members may spend."""
    for n, r in enumerate(world.tables["budgets"]):
        what = "all instruments" if r["instrument"] == "all" else r["instrument"]
        words = f"budget of {r['member']} for {what}: {number(r['limit'])} USD/a{_span(r)}"
        yield Rule(
            "budgets",
            words,
            "budgets",
            ((n, "limit"),),
            True,
            (Change("budgets", n, "limit", max(r["limit"], 1e3 * yearly_value(world) * world.money_unit)),),
            (Lever(cell=Cell("budgets", n, "limit")),),
            ("limits", f"{r['member']} {r['instrument']}"),
            r["limit"],
        )


def contributions(world: World) -> Iterator[Rule]:
    """Who carries which share."""
    for n, r in enumerate(world.tables["contributions"]):
        words = f"{r['member']} carries {100 * r['key']:g} % of public spending, give or take {100 * r['tolerance']:g} points"
        steps = tuple(
            Ease((Change("contributions", n, "tolerance", v),), (v - r["tolerance"]) / POINT) for v in (0.1, 0.2, 0.3, 0.5, 1.0) if v > r["tolerance"]
        )
        yield Rule("contributions", words, "contributions", ((n, "tolerance"),), True, (Change("contributions", n, "tolerance", 1.0),), (Lever(steps=steps),))


_KINDS = {
    "zone_share": "{p}: net supply of the zone's own at least {v} of use",
    "activity_share": "{p}: {a} in the zone at least {v} of use",
    "reliance_cap": "{p}: at most {v} of use from {s}",
    "n_minus_1": "{p}: at least {v} of use covered when {s} is lost",
    "stock_days": "{p}: at least {v} in stock",
}


def targets(world: World) -> Iterator[Rule]:
    """Targets and caps."""
    for n, r in enumerate(world.tables["targets"]):
        value = f"{number(r['value'])} days of use" if r["kind"] == "stock_days" else f"{100 * r['value']:.4g} %"
        lost = ", ".join(r["outage"]) if r["outage"] else r["source_country"]
        who = ("any one source or host country" if r["kind"] == "n_minus_1" else "any one source") if lost == ALL else lost
        words = _KINDS[r["kind"]].format(p=", ".join(r["products"]), v=value, a=r["activity"], s=who)
        area = f" of {r['area']}" if given(r["area"]) else ""
        first = r["first_year"] if given(r["first_year"]) else int(world.horizon.start[0])
        later = [int(s) for s in world.horizon.start if s > first and (not given(r["last_year"]) or s <= r["last_year"])]
        steps = tuple(Ease((Change("targets", n, "first_year", s),), YEAR * (s - first)) for s in later)
        levers = (Lever(cell=Cell("targets", n, "value")), *([Lever(steps=steps)] if steps else []))
        yield Rule(
            "targets",
            f"target {r['target']}{area}, {words}{_span(r)}",
            "targets",
            ((n, "value"),),
            True,
            (Change("targets", n, "value", 1.0 if r["kind"] == "reliance_cap" else 0.0),),
            levers,
            ("targets", r["target"]),
            r["value"],
        )


def _span(row: Row) -> str:
    first = f" from {row['first_year']}" if given(row["first_year"]) else ""
    return first + (f" until {row['last_year']}" if given(row["last_year"]) else "")
