"""Activity: what every plant makes, and who may stand idle, for want of feed only.

    x_ftw = A_fτtw cap [μ >= 0] Λ + extra_tw H − idle_ftw      summed over deals
    idle <= A cap                            in scenarios that are not normal, where some feed upstream is cut
    idle <= A cap · Σ_{inputs k} q_ktw       wherever feed k may be short: S + Z < U on the path
    idle_v <= A cap · Σ_{j of class v} y_cj  a candidate's idling belongs to the response class in force; idle = Σ_v idle_v
    S_ktw − imports_k <= S (1 − q_ktw),  exports_k + glut_k + purchases_k <= Ō_k (1 − q_ktw)     nobody idles while feed leaves
    Σ_d NPV_d − Σ_tw p_w dh_t max(μ, 0) idle >= 0,   lenders' surplus − max(μ, 0) idle >= 0      idling costs the owner its margin

Reads: A (output per capacity), deals, scarcity of each path, cut feed. Adds: x (plant, period, scenario; mass per year), idle
(with the response class for candidates), q (product, period, scenario; binary). Costs: operation inside the perimeter,
freight of pooled goods between plant and hub.
Assumes: a plant that can pay its cash cost runs. The planner runs plants as it likes: 0 <= x <= A cap Σ u.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Block, Model
from orepact.formulation.owners import Answers, are_candidates, are_inside
from orepact.formulation.targets.reliance import barred_by_caps
from orepact.formulation.terms import FloatArray, IntArray, Terms
from orepact.market.deals import Response
from orepact.market.laid import spread

Flags = NDArray[np.bool_]


def add_activity(model: Model, case: Case, ledger: Ledger) -> Block:
    """Add plants' activity, and in the market the rules for idling."""
    block, world = model.block("activity"), case.world
    f, t, w = np.nonzero((case.most_output > 0) & case.modelled)
    x = block.columns("x", (f, t, w), case.most_output.shape)
    inside = are_inside(case)
    opex = np.array([plant.opex - plant.premium for plant in world.plants]).reshape(-1, case.span[0])
    ledger.add("operation", t, w, inside[f] * opex[f, t], x.ids)
    ledger.add("freight", t, w, (inside * _hub_freight(case))[f], x.ids)
    if case.planner:
        _within_capacity(model, block, case)
        return block
    _feed_shortage(model, block, case)
    signed, extra = model.owners.signed, case.deal.stacked("extra").reshape(-1, *case.span)
    response = responses(case, zip(signed.facility.tolist(), signed.response.tolist(), strict=True))
    signed_of_idle = _idle(model, block, case, response.runs, extra)
    _running(model, block, case, response.runs, extra)
    _want_of_feed(block, case)
    _class_in_force(model.owners.answers, block, case)
    if len(case.scenarios) > 1 or case.rules.targets:
        _owners_bear_idling(model, block, case, signed_of_idle, response.earning, extra)
    return block


def _hub_freight(case: Case) -> FloatArray:
    """Freight to and from the hub of the pooled goods behind a tonne of main output (F,)."""
    world, node = case.world, np.array(case.plant_place, dtype=np.int64)
    pooled = np.where(world.routed, 0.0, world.flow)
    return np.asarray((np.maximum(pooled, 0.0) * world.hub_out[node] + np.maximum(-pooled, 0.0) * world.hub_in[node]).sum(axis=1))


def _capacity(case: Case) -> FloatArray:
    return np.array([plant.capacity for plant in case.world.plants], dtype=float)


def _within_capacity(model: Model, block: Block, case: Case) -> None:
    """The planner's: 0 <= x <= A cap, of candidates where they are built."""
    f, t, w = block.x.index
    tau = np.arange(case.span[0])
    terms, row = Terms(block.x.size), np.arange(block.x.size)
    terms.add(row, 1.0, block.x.ids)
    full = _capacity(case)[f, None] * case.world.output[f[:, None], tau, t[:, None], w[:, None]]
    terms.add(row[:, None], -full, model.owners.u.at(f[:, None], tau))
    block.rows("within_capacity", block.x.index, None, terms, np.where(are_candidates(case)[f], 0.0, case.most_output[f, t, w]))


def _feed_shortage(model: Model, block: Block, case: Case) -> None:
    """q: whether feed k counts as short; only where some path's data say it can be and no cap forbids buying all supply."""
    world, chain = case.world, case.world.chain
    short = [scarce.short for scarce in case.scarcity]  # per chain (path, product, period, scenario)
    ever = np.array([s.any(axis=0) for s in short])[chain, np.arange(len(chain))]
    feed = world.flow.min(axis=0, initial=0.0)[:, None, None] < 0
    k, t, w = np.nonzero(ever & feed & case.modelled & ~barred_by_caps(case))
    q = block.columns("q", (k, t, w), world.price.shape, upper=1.0, whole=True)
    terms, always = Terms(q.size), np.zeros(q.size, dtype=bool)
    terms.add(np.arange(q.size), 1.0, q.ids)
    for c, of_chain in enumerate(short):
        own = np.flatnonzero(chain[k] == c)
        lacking = of_chain[:, k[own], t[own], w[own]]
        always[own] = lacking.all(axis=0)
        terms.add(own, np.where(lacking, -1.0, 0.0), model.choice.y.at(c, np.arange(len(of_chain)))[:, None])
    block.rows("short_on_this_path", q.index, None, terms, 0.0, ~always)


def responses(case: Case, pairs: Iterable[tuple[int, int]]) -> Response:
    """How prices look to plants in response classes, stacked (n, T, W); without main prices, which nobody asks for."""
    margin = np.array([case.market.response(f, v).margin for f, v in pairs]).reshape(-1, *case.span)
    return Response(margin, np.zeros(0))


def _free_to_idle(case: Case) -> Flags:
    """Where feed is cut, so that a plant may idle whatever q says (F, T, W)."""
    return case.feed_is_cut & ~case.world.normal


def _idle(model: Model, block: Block, case: Case, runs: Flags, extra: FloatArray) -> IntArray:
    """Idle columns: per plant, and for candidates per response class, since idling costs them that class's margin.

    Only where a plant runs, by itself or under some deal. Gives for each column which of the signed classes it is about, or -1.
    """
    signed, uses, candidate = model.owners.signed, case.world.flow < 0, are_candidates(case)
    possible = np.zeros(case.most_output.shape, dtype=bool)
    possible[block.x.index] = True
    lacking = np.zeros(case.world.price.shape, dtype=bool)
    lacking[block.q.index] = True
    possible &= _free_to_idle(case) | (np.tensordot(uses.astype(float), lacking.astype(float), axes=1) > 0)
    existing, own = np.flatnonzero(~candidate), np.flatnonzero(candidate[signed.facility])
    may_run = runs | np.logical_or.reduceat(extra != 0, signed.first)
    none = np.full(len(existing), -1)
    f, v = np.concatenate([existing, signed.facility[own]]), np.concatenate([none, signed.response[own]])
    may_idle = possible[f]
    may_idle[len(existing) :] &= may_run[own]
    n, t, w = np.nonzero(may_idle)
    classes = int(model.owners.answers.response.max(initial=-1)) + 1
    block.columns("idle", (f[n], v[n], t, w), (len(candidate), classes + 1, *case.span))
    block.could_idle = np.zeros_like(possible)
    block.could_idle[f[n], t, w] = True
    return np.concatenate([none, own])[n]


def _running(model: Model, block: Block, case: Case, runs: Flags, extra: FloatArray) -> None:
    """x + idle = what the deals in force make."""
    x, deals, owners = block.x, case.deal, model.owners
    terms, row = Terms(x.size), np.full(case.most_output.shape, -1)
    row[x.index] = np.arange(x.size)
    terms.add(np.arange(x.size), -1.0, x.ids)
    f, _, t, w = block.idle.index
    terms.add(row[f, t, w], -1.0, block.idle.ids)
    f, made = deals.facility, case.world.output[deals.facility, deals.start]
    full = _capacity(case)[f, None, None] * made * runs[owners.signed.of_deal]
    terms.add(row[f], full, owners.weight.ids[:, None, None])
    d = owners.volume.index
    terms.add(row[f[d]], extra[d] * (made[d] > 0), owners.volume.ids[:, None, None])
    block.rows("runs_as_agreed", x.index, 0.0, terms, 0.0)


def _want_of_feed(block: Block, case: Case) -> None:
    """How much may stand idle for want of feed: all where feed is cut, else only with q."""
    bound = np.nonzero(block.could_idle & ~_free_to_idle(case))
    row = np.full(block.could_idle.shape, -1)
    row[bound] = np.arange(len(bound[0]))
    terms = Terms(len(bound[0]))
    f, _, t, w = block.idle.index
    terms.add(row[f, t, w], 1.0, block.idle.ids)
    k, t, w = block.q.index
    terms.add(row[:, t, w], np.where(case.world.flow[:, k] < 0, -case.most_output[:, t, w], 0.0), block.q.ids)
    block.rows("idle_for_want_of_feed", bound, None, terms, 0.0)


def _class_in_force(answers: Answers, block: Block, case: Case) -> None:
    """Idle only in the response class in force; no need to say so where a plant has only one."""
    idle, (plants, classes, *_) = block.idle, block.idle.shape
    kind = answers.facility * classes + answers.response
    by_kind, count = np.argsort(kind, kind="stable"), np.bincount(kind, minlength=plants * classes)
    first, paths = np.cumsum(count) - count, np.bincount(answers.facility, minlength=plants)
    f, v, t, w = idle.index
    wanted = np.flatnonzero((v >= 0) & (count[f * classes + v] < paths[f]))
    f, v, t, w = index = tuple(part[wanted] for part in idle.index)
    row, path = spread(count[f * classes + v], first[f * classes + v])
    terms = Terms(len(wanted))
    terms.add(np.arange(len(wanted)), 1.0, idle.ids[wanted])
    terms.add(row, -case.most_output[f, t, w][row], answers.y[by_kind[path]])
    block.rows("idle_in_this_class", index, None, terms, 0.0)


def _owners_bear_idling(model: Model, block: Block, case: Case, signed_of_idle: IntArray, earning: FloatArray, extra: FloatArray) -> None:
    """Participation and lenders' rows of candidates that may stand idle, in the response class in force."""
    _, _, t, w = block.idle.index
    costly = np.flatnonzero(signed_of_idle >= 0)
    costly = costly[earning[signed_of_idle[costly], t[costly], w[costly]] > 0]
    n, t, w = signed_of_idle[costly], t[costly], w[costly]
    margin, column = earning[n, t, w], block.idle.ids[costly]
    _still_worth(model, block, case, n, t, w, margin, column)
    if case.world.settings.owners.cover > 0:
        seen = np.flatnonzero(case.world.downside[w])
        _lenders(model, block, case, n[seen], t[seen], w[seen], margin[seen], column[seen], extra)


def _still_worth(model: Model, block: Block, case: Case, n: IntArray, t: IntArray, w: IntArray, margin: FloatArray, idle: IntArray) -> None:
    """Participation: idling in signed class n costs the margin."""
    signed, owners, world, deals = model.owners.signed, model.owners, case.world, case.deal
    found = np.unique(n)
    row = np.full(len(signed.first), -1)
    row[found] = np.arange(len(found))
    discount = np.array([world.horizon.discount(plant.hurdle) for plant in world.plants]).reshape(-1, case.span[0])
    terms, every = Terms(len(found)), np.arange(len(deals))
    for name, column in (("value0", owners.weight), ("value1", owners.volume), ("valueg", owners.grant)):
        terms.add(row[signed.of_deal], deals.stacked(name), column.at(every))
    terms.add(row[n], -world.probability[w] * discount[signed.facility[n], t] * margin, idle)
    block.rows("still_worth_building", (signed.facility[found], signed.response[found]), 0.0, terms, None)


def _lenders(model: Model, block: Block, case: Case, n: IntArray, t: IntArray, w: IntArray, margin: FloatArray, idle: IntArray, extra: FloatArray) -> None:
    """Lenders' surplus where they test, else what is earned at all, bears the margin lost."""
    signed, owners, world, deals = model.owners.signed, model.owners, case.world, case.deal
    index = (signed.facility[n], signed.response[n], t, w)
    terms = Terms(len(n))
    terms.add(np.arange(len(n)), -margin, idle)
    row, d = spread(signed.count[n], signed.first[n])
    f, tau, t, w, margin = deals.facility[d], deals.start[d], t[row], w[row], margin[row]
    tested = world.tested[f, tau, t, w]
    full, more = _capacity(case)[f] * world.output[f, tau, t, w] * margin, np.maximum(0.0, extra[d, t, w]) * margin
    for name, untested, column in (("spare", full, owners.weight), ("spare_h", more, owners.volume), ("spare_g", 0.0, owners.grant)):
        spare = deals.stacked(name).reshape(-1, *case.span)[d, t, w]
        terms.add(row, np.where(tested, spare, untested), column.at(d))
    block.rows("lenders_still_content", index, 0.0, terms, None)
