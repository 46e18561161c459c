"""What a reader must know before trusting the tables, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from orepact.solution.extraction.outturn import Outturn
from orepact.solution.extraction.plants import Owner
from orepact.solver.batch import Plan
from orepact.solver.tidy import SMALL


def notes(out: Outturn, sides: list[Owner], stress: Mapping[int, Plan | None]) -> tuple[str, ...]:
    """Every note on a plan."""
    return (*_scenarios(out), *_untested(out, stress), *_portfolios(out, sides), *_kept_out(out, sides), *_idle(out), *_shortage(out))


def _normal(out: Outturn) -> list[int]:
    return [w for w in out.case.scenarios if out.world.normal[w]]


def _scenarios(out: Outturn) -> Iterator[str]:
    """Where targets hold, and scenarios that are in the model for their flags alone."""
    world, normal = out.world, _normal(out)
    if world.tables["targets"] and normal:
        names, likely = _listing(world.scenarios[w] for w in normal), world.probability[normal].sum()
        yield f"Targets and caps are held in {names} (together {_percent(likely)} likely); in other scenarios they may be missed."
    elif world.tables["targets"]:
        yield "No scenario is normal, so that no target or cap is held anywhere."
    for w in out.case.scenarios:
        if world.probability[w] == 0:
            flags = [word for word, flag in (("targets hold", world.normal[w]), ("lenders test", world.downside[w])) if flag]
            yield f"{world.scenarios[w]} has probability 0 and no weight in the cost; it is in the model because {_listing(flags)} in it."


def _untested(out: Outturn, stress: Mapping[int, Plan | None]) -> Iterator[str]:
    if failed := [out.world.scenarios[w] for w, plan in stress.items() if plan is None]:
        yield f"Stress tests without a solution, left out of the tables: {_listing(failed)}. What the plan decides beforehand can't be carried through there."


def _portfolios(out: Outturn, sides: list[Owner]) -> Iterator[str]:
    """Plants that mix contracts, and contracts too small to be meant."""
    contracts, mixed, small = out.case.market.contracts, [], []
    for owner in sides:
        weights: dict[str, float] = defaultdict(float)
        for signed in owner.deals:
            code = contracts[signed.deal.contract]["contract"] if signed.deal.contract >= 0 else ""
            weights[f"on {code}" if signed.volume > 0 else "on a grant alone" if signed.grant > 0 else "without support"] += signed.weight
        name = out.world.plants[owner.f].name
        if len(weights) > 1:
            mixed.append(f"{name} ({', '.join(f'{_percent(weight)} {basis}' for basis, weight in weights.items())})")
            small += [f"{name} {basis}" for basis, weight in weights.items() if weight < SMALL]
    if mixed:
        yield f"Several contracts on one plant are a portfolio, each for its share of the plant: {'; '.join(mixed)}."
    if small:
        yield f"Under {_percent(SMALL)} of the plant, hardly worth negotiating, but without it no plan of this cost was found: {'; '.join(small)}."


def _kept_out(out: Outturn, sides: list[Owner]) -> Iterator[str]:
    if names := [out.world.plants[owner.f].name for owner in sides if owner.kept_out]:
        yield f"Kept out, although able to pay their way at the chosen prices without support: {_listing(names)}."


def _idle(out: Outturn) -> Iterator[str]:
    world, normal = out.world, _normal(out)
    found = []
    for f, plant in enumerate(world.plants):
        idle = out.idle[f][:, normal]
        if idle.any():
            names = _listing(world.scenarios[w] for w, some in zip(normal, idle.any(axis=0), strict=True) if some)
            years = ", ".join(str(year) for year in world.horizon.start[idle.any(axis=1)])
            found.append(f"{plant.name} ({names}; periods from {years}; up to {float(idle.max()) * world.mass_unit:,.0f} t/a)")
    if found:
        yield f"Idle for want of feed in a normal scenario: {'; '.join(found)}."


def _shortage(out: Outturn) -> Iterator[str]:
    world, normal = out.world, _normal(out)
    short = np.einsum("kptw,t->kw", out.shortage, world.horizon.length.astype(float))[:, normal] * world.mass_unit
    for k in np.flatnonzero(short.any(axis=1)):
        names = _listing(world.scenarios[w] for w, some in zip(normal, short[k] > 0, strict=True) if some)
        yield f"Users of {world.products[k]} go short in a normal scenario ({names}; up to {short[k].max():,.0f} t over the years): no supply can reach them."


def _listing(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
