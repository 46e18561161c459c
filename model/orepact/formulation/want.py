"""Want of feed, tightened: all idling for want of feed k together is no more than what is wanting once all supply is bought.

Where q_ktw = 1 all supply is bought and nothing leaves, so the balance gives  Σ_f |a_fk| idle_f <= Σ_f |a_fk| full_f + D − S − own.
Where q_ktw = 0 nobody idles for k. A solver that may take a fraction of q would excuse that fraction of everybody's running;
the product of q with the plants that are really built closes this door:

    Σ_f |a_fk| idle_f <= Σ_f |a_fk| φ_f + (D − S) q − Σ_g ω_g + Σ_f |a_fk| Â_f Σ_{other short feeds} q
    φ_f <= x_f + idle_f,   φ_f <= Â_f q               φ = q · full output of a user of k
    ω_g >= a_gk x_g − a_gk Â_g (1 − q),   ω_g >= 0    ω = q · own output of a maker of k

Reads: q, idle, x, scarcity; Â is the most a plant can make. Adds: φ (plant, feed, period, scenario), ω (likewise). No plan is
lost or gained: the rows only bring the relaxation closer (without them its bound was 2 % too low on the magnet instance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orepact.formulation.activity import responses
from orepact.formulation.case import Case
from orepact.formulation.model import Block, Model
from orepact.formulation.owners import are_candidates
from orepact.formulation.terms import FloatArray, IntArray, Terms
from orepact.market.laid import spread

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Tied:
    """Products, periods and scenarios in which idling is tied to what is wanting, and their columns q, each (n,).

    Of every plant (F, n): `flow`, what it makes of the product (below zero: uses); the most it can run; whether it is a user that
    may idle.
    """

    k: IntArray
    t: IntArray
    w: IntArray
    q: IntArray
    flow: FloatArray
    most: FloatArray
    users: Flags


def add_want(model: Model, case: Case) -> Block:
    """Tie idling to what is really wanting."""
    block = model.block("want")
    if case.planner:
        return block
    tied = _tied(model, case)
    whole = Terms(len(tied.k))
    whole.add(np.arange(whole.size), _supply_when_short(case, tied) - _most_demand(case, tied), tied.q)
    _users(model, block, case, tied, whole)
    _makers(model, block, case, tied, whole)
    block.rows("idle_for_want", (tied.k, tied.t, tied.w), None, whole, 0.0)
    return block


def _tied(model: Model, case: Case) -> Tied:
    """Where users may idle for want of feed, but none of them whatever q says (as where feed is cut upstream)."""
    activity, world = model.activity, case.world
    k, t, w = activity.q.index
    users = (world.flow[:, k] < 0) & activity.could_idle[:, t, w]
    excused = users & case.feed_is_cut[:, t, w] & ~world.normal[w]
    n = np.flatnonzero(users.any(axis=0) & ~excused.any(axis=0))
    return Tied(k[n], t[n], w[n], activity.q.ids[n], world.flow[:, k[n]], case.most_output[:, t[n], w[n]], users[:, n])


def _supply_when_short(case: Case, tied: Tied) -> FloatArray:
    """Least supply S of the paths on which feed is short (n,)."""
    least = np.array([np.where(scarce.short, scarce.supply, np.inf).min(axis=0) for scarce in case.scarcity])
    return np.asarray(least[case.world.chain[tied.k], tied.k, tied.t, tied.w])


def _most_demand(case: Case, tied: Tied) -> FloatArray:
    """Final demand D at the rung in play that keeps most of it (n,)."""
    kept = [np.where(played[:, :, None], ladder.kept, 0.0).max(axis=0) for played, ladder in zip(case.played, case.market.ladders, strict=True)]
    at = tied.k, tied.t, tied.w
    return np.asarray(case.world.demand.sum(axis=0)[at] * np.array(kept)[at])


def _users(model: Model, block: Block, case: Case, tied: Tied, whole: Terms) -> None:
    """φ of every user, and what idles and would be running."""
    activity = model.activity
    n, f = np.nonzero(tied.users.T)
    k, t, w, q, most = tied.k[n], tied.t[n], tied.w[n], tied.q[n], tied.most[f, n]
    intake, row, index = -tied.flow[f, n], np.arange(len(n)), (f, k, t, w)
    used = block.columns("used", index)
    own, idle = _idle_of(model, f, t, w)
    whole.add(n, -intake, used.ids)
    whole.add(n[own], intake[own], idle)
    other = np.arange(len(case.world.products))[:, None]
    also_used = (case.world.flow[f].T < 0) & (other != k)
    whole.add(n, np.where(also_used, -intake * most, 0.0), activity.q.at(other, t, w))

    built = Terms(len(n))
    built.add(row, 1.0, used.ids)
    built.add(row, -1.0, activity.x.at(f, t, w))
    built.add(own, -1.0, idle)
    block.rows("only_what_is_built", index, None, built, 0.0)
    short = Terms(len(n))
    short.add(row, 1.0, used.ids)
    short.add(row, -most, q)
    block.rows("only_when_short", index, None, short, 0.0)


def _makers(model: Model, block: Block, case: Case, tied: Tied, whole: Terms) -> None:
    """ω of every candidate that makes the product, and what existing plants make of it if they run on every path."""
    x, candidate = model.activity.x, are_candidates(case)[:, None]
    makers = (tied.flow > 0) & (x.at(np.arange(len(tied.flow))[:, None], tied.t, tied.w) >= 0)
    n, g = np.nonzero((makers & candidate).T)
    output, most, row, index = tied.flow[g, n], tied.most[g, n], np.arange(len(n)), (g, tied.k[n], tied.t[n], tied.w[n])
    made = block.columns("made", index)
    whole.add(n, 1.0, made.ids)
    kept = Terms(len(n))
    kept.add(row, output, x.at(g, tied.t[n], tied.w[n]))
    kept.add(row, output * most, tied.q[n])
    kept.add(row, -1.0, made.ids)
    block.rows("own_output_used", index, None, kept, output * most)

    n, g = np.nonzero((makers & ~candidate).T)
    runs = _always_run(case, np.unique(g))[g, tied.t[n], tied.w[n]]
    n, g = n[runs], g[runs]
    whole.add(n, tied.flow[g, n] * tied.most[g, n], tied.q[n])
    own, idle = _idle_of(model, g, tied.t[n], tied.w[n])
    whole.add(n[own], -tied.flow[g, n][own], idle)


def _always_run(case: Case, plants: IntArray) -> Flags:
    """Where existing plants run whatever the path (F, T, W); only those asked for are looked at."""
    found = np.zeros(case.most_output.shape, dtype=bool)
    for f in plants.tolist():
        found[f] = responses(case, ((f, v) for v in set(case.response_classes[f]))).runs.all(axis=0)
    return found


def _idle_of(model: Model, f: IntArray, t: IntArray, w: IntArray) -> tuple[IntArray, IntArray]:
    """Idle columns of plant f[i] in period t[i] and scenario w[i]: the i each is for, and the columns."""
    plant, _, period, scenario = model.activity.idle.index
    shape = model.activity.could_idle.shape
    cell, wanted = np.ravel_multi_index((plant, period, scenario), shape), np.ravel_multi_index((f, t, w), shape)
    count = np.bincount(cell, minlength=model.activity.could_idle.size)
    own, place = spread(count[wanted], (np.cumsum(count) - count)[wanted])
    return own, model.activity.idle.ids[np.argsort(cell, kind="stable")[place]]
