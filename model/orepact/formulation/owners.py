"""Owners: a candidate is built at one start at most, under a mix of the offers its owner would sign at the chosen path.

    Σ_d∈(f,v) Λ_d <= Σ_{p: f answers with v} y_p      deals of response class v need a path with that response
    u_fτ = Σ_{d at τ} Λ_d ∈ {0,1},  Σ_τ u_fτ <= 1     phased building is cheaper on paper and not real
    Λ_d = Σ_i λ_di,  H_d = Σ_i h_di λ_di,  G_d = Σ_i g_di λ_di    the corners i of the deal's polygon
    Σ_{τ <= τ*_p} u_fτ >= y_p                         duty to build, where the entry rule is `duty`

Existing plants always take part: Σ_d∈(f,v) Λ_d = Σ_{p: v} y_p. The planner keeps only u.

Reads: deals (market/signing.py), capital cost, life. Adds: u (plant, start; binary), Λ, H (mass per year under contract),
G (money) per deal, λ per corner. Costs: capital (annuity at the social rate while alive), grants, foreign rent.
Assumes: payer shares are fixed before the scenario; a mix of contracts on one plant is a portfolio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Columns, Model
from orepact.formulation.terms import FloatArray, IntArray, Terms
from orepact.market.horizon import recovery_factor
from orepact.market.laid import spread


@dataclass(frozen=True)
class Corners:
    """Corners of all deals' polygons laid end to end, each (n,): deal, number within it, volume, grant, rent; and how many each deal has."""

    deal: IntArray
    number: IntArray
    volume: FloatArray
    grant: FloatArray
    rent: FloatArray
    count: IntArray


@dataclass(frozen=True)
class Signed:
    """Response classes in which a plant would sign something, each (n,): plant, class, first of its deals (they stand together),
    how many; and to which of these every deal belongs."""

    facility: IntArray
    response: IntArray
    first: IntArray
    count: IntArray
    of_deal: IntArray


@dataclass(frozen=True)
class Answers:
    """How every plant answers to every path of its chain, each (n,): plant, path, response class, column y of the path."""

    facility: IntArray
    path: IntArray
    response: IntArray
    y: IntArray


def add_owners(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add building decisions and, in the market, the deals that go with them."""
    block, world = model.block("owners"), case.world
    offered = [(f, tau) for f, plant in enumerate(world.plants) if plant.candidate for tau in world.starts[f]]
    f, tau = np.array(offered, dtype=np.int64).reshape(-1, 2).T
    u = block.columns("u", (f, tau), (len(world.plants), case.span[0]), upper=1.0, whole=True)
    once = Terms(len(world.plants))
    once.add(f, 1.0, u.ids)
    block.rows("built_once", (np.arange(once.size),), None, once, 1.0, once.filled())
    _capital(u, case, ledger)
    if not case.planner:
        block.signed, block.answers = _signed(case), _answers(model, case)
        corners = _corners(case)
        _deals(block, case, corners)
        share = _mix(block, corners)
        _links(block, case)
        _support_costs(block, case, ledger, corners, share)
        if case.rules.duty:
            _must_build(block, case, "duty_to_build", _earliest_plain(block, case))
        if case.market.imposed:
            _must_build(block, case, "built_as_imposed", _as_imposed(block, case))
    return block


def are_candidates(case: Case) -> NDArray[np.bool_]:
    """Which plants are candidates (F,)."""
    return np.array([plant.candidate for plant in case.world.plants], dtype=bool)


def _signed(case: Case) -> Signed:
    f, v = case.deal.facility, case.deal.response
    begins = np.ones(len(f), dtype=bool)
    begins[1:] = (f[1:] != f[:-1]) | (v[1:] != v[:-1])
    first = np.flatnonzero(begins)
    return Signed(f[first], v[first], first, np.diff(first, append=len(f)), np.cumsum(begins) - 1)


def _answers(model: Model, case: Case) -> Answers:
    f, j = spread(np.array([len(classes) for classes in case.response_classes], dtype=np.int64))
    v = np.array([v for classes in case.response_classes for v in classes], dtype=np.int64)
    return Answers(f, j, v, model.choice.y.at(np.array(case.chain_of, dtype=np.int64)[f], j))


def _corners(case: Case) -> Corners:
    count = np.array([len(x.deal.rent) for x in case.deals], dtype=np.int64)
    volume, grant = np.concatenate([np.zeros((0, 2)), *(x.deal.corners for x in case.deals)]).T
    rent = np.concatenate([np.zeros(0), *(x.deal.rent for x in case.deals)])
    return Corners(*spread(count), volume, grant, rent, count)


def _annuity(case: Case) -> FloatArray:
    """Yearly payment per dollar that repays a plant's cost over its life at the social rate (F,)."""
    return np.array([recovery_factor(case.world.settings.economics.social_rate, plant.life) for plant in case.world.plants])


def are_inside(case: Case) -> NDArray[np.bool_]:
    """Plants inside the perimeter (F,)."""
    return case.counted_places[np.array(case.plant_place, dtype=np.int64)]


def _capital(u: Columns, case: Case, ledger: Ledger) -> None:
    """crf(social, life) · capex · B of plants inside the perimeter."""
    f, tau = (part[:, None] for part in u.index)
    t, w = case.every
    yearly = _annuity(case) * np.array([plant.capex for plant in case.world.plants]) * are_inside(case)
    ledger.add("capital", t, w, yearly[f] * case.world.alive[f, tau, t, w], u.ids[:, None])


def _deals(block: Block, case: Case, corners: Corners) -> None:
    """Columns of every deal and, where it has several, of the corners of its polygon."""
    size = len(corners.count)
    block.columns("weight", (np.arange(size),), (size,))
    block.columns("volume", (np.flatnonzero(case.deal.contract >= 0),), (size,))
    granted = np.zeros(size, dtype=bool)
    granted[corners.deal[corners.grant != 0]] = True
    grant = block.columns("grant", (np.flatnonzero(granted),), (size,))
    refusing = np.array([case.market.refuses(member, "grant") for member in range(case.world.members)])
    grant.upper[refusing[case.deal.payer[granted]]] = 0.0
    several = corners.count[corners.deal] > 1
    block.columns("corner", (corners.deal[several], corners.number[several]), (size, int(corners.count.max(initial=0))))


def _mix(block: Block, corners: Corners) -> IntArray:
    """Λ, H and G as mixes of a deal's corners; gives the column of each corner: its own or, where it is the only one, Λ."""
    d, size = corners.deal, len(corners.count)
    share: IntArray = block.weight.ids[d]
    share[corners.count[d] > 1] = block.corner.ids
    every = np.arange(size)
    mixed = (block.weight.at(every), block.volume.at(every), block.grant.at(every))
    terms = Terms(3 * size)
    for n, (worth, column) in enumerate(zip((1.0, corners.volume, corners.grant), mixed, strict=True)):
        terms.add(3 * d + n, worth, share)
        terms.add(3 * every + n, -1.0, column)
    wanted = np.stack([corners.count > 1, mixed[1] >= 0, mixed[2] >= 0], axis=1).ravel()
    block.rows("mix_of_corners", (np.repeat(every, 3), np.tile(["weight", "volume", "grant"], size)), 0.0, terms, 0.0, wanted)
    return share


def _links(block: Block, case: Case) -> None:
    """Deals belong to a response class, classes to paths, starts to one decision."""
    deals, weight, u = case.deal, block.weight.ids, block.u
    built = Terms(u.size)
    chosen = u.at(deals.facility, deals.start)  # -1 for existing plants
    built.add(np.where(chosen >= 0, chosen - u.first, -1), 1.0, weight)
    built.add(np.arange(u.size), -1.0, u.ids)
    block.rows("start_of_deal", u.index, 0.0, built, 0.0)
    signed, answers = block.signed, block.answers
    row = _by_class(case, answers, -1)
    row[signed.facility, signed.response] = np.arange(len(signed.first))
    answered = Terms(len(signed.first))
    answered.add(signed.of_deal, 1.0, weight)
    answered.add(row[answers.facility, answers.response], -1.0, answers.y)
    least = np.where(are_candidates(case)[signed.facility], -np.inf, 0.0)
    block.rows("deal_of_path", (signed.facility, signed.response), least, answered, 0.0)


def _by_class(case: Case, answers: Answers, value: int) -> IntArray:
    """A number for each plant and response class, to be filled in."""
    return np.full((len(case.world.plants), int(answers.response.max(initial=-1)) + 1), value)


def _support_costs(block: Block, case: Case, ledger: Ledger, corners: Corners, share: IntArray) -> None:
    """Grants at the cost of public money (in full where they leave the perimeter) and rent that leaves with foreign owners."""
    premium, inside = case.world.settings.economics.public_money_premium, are_inside(case)
    (d,), (t, w) = block.grant.index, case.every
    f, tau = case.deal.facility[d, None], case.deal.start[d, None]
    factor = _annuity(case) * np.where(inside, premium, 1 + premium)
    ledger.add("grants", t, w, factor[f] * case.world.alive[f, tau, t, w], block.grant.ids[:, None])
    ledger.add_lump("foreign rent", corners.rent * inside[case.deal.facility[corners.deal]], share)


def _must_build(block: Block, case: Case, name: str, latest: IntArray) -> None:
    """Built at start latest[f, v] or before on every path that plant f answers with v; no such row where that is -1."""
    answers: Answers = block.answers
    last = latest[answers.facility, answers.response]
    bound = np.flatnonzero(last >= 0)
    f, row, tau = answers.facility[bound], np.arange(len(bound)), np.arange(case.span[0])
    terms = Terms(len(bound))
    terms.add(row[:, None], tau <= last[bound, None], block.u.at(f[:, None], tau))
    terms.add(row, -1.0, answers.y[bound])
    block.rows(name, (f, answers.path[bound]), 0.0, terms, None)


def _earliest_plain(block: Block, case: Case) -> IntArray:
    """Earliest start at which whoever can earn its cost without support would build: candidates' deals that nobody pays for."""
    deals, earliest = case.deal, _by_class(case, block.answers, case.span[0])
    d = np.flatnonzero((deals.payer < 0) & are_candidates(case)[deals.facility])
    np.minimum.at(earliest, (deals.facility[d], deals.response[d]), deals.start[d])
    return np.where(earliest < case.span[0], earliest, -1)


def _as_imposed(block: Block, case: Case) -> IntArray:
    """Any start, for a plant that a user's package builds, where its owner signs."""
    latest = _by_class(case, block.answers, -1)
    for f, imposed in case.market.imposed.items():
        if imposed.built and case.world.plants[f].candidate:
            latest[f, [v for v in set(case.response_classes[f]) if case.market.deals(f, v)]] = case.span[0] - 1
    return latest
