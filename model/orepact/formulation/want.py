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

from collections import defaultdict

import pyomo.environ as pyo

from orepact.formulation.case import Case
from orepact.formulation.ledger import Row, Terms, add_rows, nonnegative


def add_want(model: pyo.ConcreteModel, case: Case) -> pyo.Block:
    """Tie idling to what is really wanting."""
    block = model.want = pyo.Block()
    if case.planner:
        return block
    activity, world = model.activity, case.world
    free = {(t, w): {f for f in range(len(world.plants)) if not case.normal(w) and case.feed_is_cut[f, t, w]} for t in case.periods for w in case.scenarios}
    users = {(k, t, w): [f for f in range(len(world.plants)) if world.flow[f, k] < 0 and (f, t, w) in activity.idle_of] for k, t, w in activity.q}
    tied = [key for key, plants in users.items() if plants and not free[key[1], key[2]] & set(plants)]
    makers = {(k, t, w): [f for f in range(len(world.plants)) if world.flow[f, k] > 0 and (f, t, w) in activity.x] for k, t, w in tied}
    block.used = nonnegative([(f, *key) for key in tied for f in users[key]])
    block.made = nonnegative([(g, *key) for key in tied for g in makers[key] if world.plants[g].candidate])
    rows: dict[str, dict[tuple[int, ...], Row]] = defaultdict(dict)
    for key in tied:
        k, t, w = key
        q = activity.q[key]
        scarce = [s for s in case.scarcity[int(world.chain[k])] if s.short[key]]
        demand = float(world.demand[:, k, t, w].sum()) * max(float(case.market.ladders[k].kept[l, t, w]) for l in case.rungs[k, t])
        whole = Terms()
        whole.add(min(float(s.supply[key]) for s in scarce) - demand, q)
        for f in users[key]:
            used, most = -float(world.flow[f, k]), float(case.most_output[f, t, w])
            whole.add(-used, block.used[f, k, t, w])
            built = Terms()
            built.add(1.0, block.used[f, k, t, w])
            built.add(-1.0, activity.x[f, t, w])
            for idle in activity.idle_of[f, t, w]:
                whole.add(used, activity.idle[idle])
                built.add(-1.0, activity.idle[idle])
            if any((other, t, w) in activity.q for other in case.inputs[f] if other != k):
                for other in case.inputs[f]:
                    if other != k and (other, t, w) in activity.q:
                        whole.add(-used * most, activity.q[other, t, w])
            rows["only_what_is_built"][f, k, t, w] = (None, built, 0.0)
            short = Terms()
            short.add(1.0, block.used[f, k, t, w])
            short.add(-most, q)
            rows["only_when_short"][f, k, t, w] = (None, short, 0.0)
        for g in makers[key]:
            made, most = float(world.flow[g, k]), float(case.most_output[g, t, w])
            if world.plants[g].candidate:
                whole.add(1.0, block.made[g, k, t, w])
                kept = Terms()
                kept.add(made, activity.x[g, t, w])
                kept.add(made * most, q)
                kept.add(-1.0, block.made[g, k, t, w])
                rows["own_output_used"][g, k, t, w] = (None, kept, made * most)
            elif all(case.market.response(g, v).runs[t, w] for v in set(case.response_classes[g])):
                whole.add(made * most, q)
                for idle in activity.idle_of.get((g, t, w), []):
                    whole.add(-made, activity.idle[idle])
        rows["idle_for_want"][key] = (None, whole, 0.0)
    for name, group in rows.items():
        add_rows(block, name, group)
    return block
