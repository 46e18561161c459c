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

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from orepact.formulation.case import Case
from orepact.formulation.ledger import Ledger, Row, Terms, add_rows, nonnegative
from orepact.formulation.targets.reliance import barred_by_caps

Key = tuple[int, int, int]


def add_activity(model: pyo.ConcreteModel, case: Case, ledger: Ledger) -> pyo.Block:
    """Add plants' activity, and in the market the rules for idling."""
    block = model.activity = pyo.Block()
    world = case.world
    keys = [(f, t, w) for f in range(len(world.plants)) for t in case.periods for w in case.scenarios if case.most_output[f, t, w] > 0]
    block.x = nonnegative(keys)
    for f, t, w in keys:
        plant, node = world.plants[f], case.plant_place[f]
        if case.counted(node):
            ledger.add("operation", t, w, plant.opex[t] - plant.premium, block.x[f, t, w])
            ledger.add("freight", t, w, _hub_freight(case, f, node), block.x[f, t, w])
    if case.planner:
        add_rows(block, "within_capacity", {key: _capacity_row(model, block, case, key) for key in keys})
        return block
    _feed_shortage(model, block, case)
    _idle(block, case, keys)
    add_rows(block, "runs_as_agreed", _running_rows(model, block, case, keys))
    add_rows(block, "idle_for_want_of_feed", _feed_rows(block, case))
    add_rows(block, "idle_in_this_class", _class_rows(model, block, case))
    if len(case.scenarios) > 1 or case.rules.targets:
        _owners_bear_idling(model, block, case)
    return block


def _hub_freight(case: Case, f: int, node: int) -> float:
    """Freight to and from the hub of the pooled goods behind a tonne of main output."""
    world = case.world
    made = sum(world.flow[f, k] * world.hub_out[node, k] for k in case.outputs[f] if not world.routed[k])
    used = sum(-world.flow[f, k] * world.hub_in[node, k] for k in case.inputs[f] if not world.routed[k])
    return float(made + used)


def _capacity_row(model: pyo.ConcreteModel, block: pyo.Block, case: Case, key: Key) -> tuple[None, Terms, float]:
    f, t, w = key
    world, terms = case.world, Terms()
    terms.add(1.0, block.x[key])
    if not world.plants[f].candidate:
        return None, terms, float(case.most_output[key])
    for tau in world.starts[f]:
        terms.add(-world.plants[f].capacity * world.output[f, tau, t, w], model.owners.u[f, tau])
    return None, terms, 0.0


def _feed_shortage(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """q: whether feed k counts as short; only where some path's data say it can be and no cap forbids buying all supply."""
    inputs = {k for f in range(len(case.world.plants)) for k in case.inputs[f]}
    capped = barred_by_caps(case)
    short = {
        (k, t, w): paths
        for c, products in enumerate(case.chains)
        for k in products
        if k in inputs
        for t in case.periods
        for w in case.scenarios
        if (k, t, w) not in capped and (paths := [j for j, s in enumerate(case.scarcity[c]) if s.short[k, t, w]])
    }
    block.q = pyo.Var(list(short), domain=pyo.Binary)
    rows = {}
    for (k, t, w), paths in short.items():
        c = int(case.world.chain[k])
        if len(paths) < len(case.chain_paths[c]):
            terms = Terms()
            terms.add(1.0, block.q[k, t, w])
            for j in paths:
                terms.add(-1.0, model.choice.y[c, j])
            rows[k, t, w] = (None, terms, 0.0)
    add_rows(block, "short_on_this_path", rows)


def _may_run(case: Case) -> dict[tuple[int, int], NDArray[np.bool_]]:
    """Where candidates run, by themselves or under some deal, per plant and response class with a deal."""
    found: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for x in case.deals:
        key = x.facility, x.response
        own = found.setdefault(key, case.market.response(*key).runs.copy())
        own |= x.deal.extra != 0
    return found


def _idle(block: pyo.Block, case: Case, keys: list[Key]) -> None:
    """Idle columns: per plant, and for candidates per response class, since idling costs them that class's margin."""
    index: list[tuple[int, int, int, int]] = []
    may_run = _may_run(case)
    block.idle_of = defaultdict(list)
    for f, t, w in keys:
        cut = not case.normal(w) and bool(case.feed_is_cut[f, t, w])
        if cut or any((k, t, w) in block.q for k in case.inputs[f]):
            classes = sorted(set(case.response_classes[f])) if case.world.plants[f].candidate else [-1]
            for v in classes:
                if v < 0 or ((f, v) in may_run and may_run[f, v][t, w]):
                    index.append((f, v, t, w))
                    block.idle_of[f, t, w].append((f, v, t, w))
    block.idle = nonnegative(index)


def _running_rows(model: pyo.ConcreteModel, block: pyo.Block, case: Case, keys: list[Key]) -> dict[Key, tuple[float, Terms, float]]:
    """x + idle = what the deals in force make."""
    world = case.world
    rows = {key: Terms() for key in keys}
    for key, terms in rows.items():
        terms.add(-1.0, block.x[key])
        for idle in block.idle_of.get(key, []):
            terms.add(-1.0, block.idle[idle])
    weights, volumes = model.owners.weight, dict(model.owners.volume.items())
    for d, x in enumerate(case.deals):
        f, made = x.facility, world.output[x.facility, x.deal.start]
        full = world.plants[f].capacity * made * case.market.response(f, x.response).runs
        for amount, column in ((full, weights[d]), (x.deal.extra * (made > 0), volumes.get(d))):
            if column is not None:
                for t, w, coef in case.cells(amount):
                    rows[f, t, w].parts.append((coef, column))
    return {key: (0.0, terms, 0.0) for key, terms in rows.items()}


def _feed_rows(block: pyo.Block, case: Case) -> dict[Key, Row]:
    """How much may stand idle for want of feed: all where feed is cut, else only with q."""
    rows: dict[Key, Row] = {}
    q, idle = dict(block.q.items()), dict(block.idle.items())
    for (f, t, w), keys in block.idle_of.items():
        if not case.normal(w) and case.feed_is_cut[f, t, w]:
            continue
        terms, most = Terms(), float(case.most_output[f, t, w])
        for key in keys:
            terms.add(1.0, idle[key])
        for k in case.inputs[f]:
            if (k, t, w) in q:
                terms.add(-most, q[k, t, w])
        rows[f, t, w] = (None, terms, 0.0)
    return rows


def _class_rows(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> dict[tuple[int, int, int, int], Row]:
    """Idle only in the response class in force."""
    rows: dict[tuple[int, int, int, int], Row] = {}
    chosen: dict[tuple[int, int], list[pyo.Var]] = defaultdict(list)  # y of the paths on which plant f answers with v
    y = dict(model.choice.y.items())
    for f, classes in enumerate(case.response_classes):
        for j, v in enumerate(classes):
            chosen[f, v].append(y[case.chain_of[f], j])
    for (f, v, t, w), column in block.idle.items():
        if v >= 0 and len(chosen[f, v]) < len(case.response_classes[f]):
            terms, most = Terms(), float(case.most_output[f, t, w])
            terms.add(1.0, column)
            for path in chosen[f, v]:
                terms.add(-most, path)
            rows[f, v, t, w] = (None, terms, 0.0)
    return rows


def _owners_bear_idling(model: pyo.ConcreteModel, block: pyo.Block, case: Case) -> None:
    """Participation and lenders' rows of candidates that may stand idle, in the response class in force."""
    world, owners = case.world, model.owners
    by_class: dict[tuple[int, int], list[int]] = defaultdict(list)
    for d, x in enumerate(case.deals):
        by_class[x.facility, x.response].append(d)
    idle_keys: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for f, v, t, w in block.idle:
        if v >= 0 and case.market.response(f, v).earning[t, w] > 0:
            idle_keys[f, v].append((t, w))
    worth, lenders = {}, {}
    for (f, v), spots in idle_keys.items():
        plant, earning = world.plants[f], case.market.response(f, v).earning
        discount = world.horizon.discount(plant.hurdle)
        terms = Terms()
        for d in by_class[f, v]:
            deal = case.deals[d].deal
            terms.add(deal.value0, owners.weight[d])
            _add_support(terms, owners, d, deal.value1, deal.valueg)
        for t, w in spots:
            terms.add(-world.probability[w] * discount[t] * earning[t, w], block.idle[f, v, t, w])
            if world.downside[w] and world.settings.owners.cover > 0:
                row = Terms()
                row.add(-earning[t, w], block.idle[f, v, t, w])
                for d in by_class[f, v]:
                    deal = case.deals[d].deal
                    if world.tested[f, deal.start, t, w]:
                        row.add(deal.spare[t, w], owners.weight[d])
                        _add_support(row, owners, d, deal.spare_h[t, w], deal.spare_g[t, w])
                    else:
                        row.add(plant.capacity * world.output[f, deal.start, t, w] * earning[t, w], owners.weight[d])
                        if d in owners.volume:
                            row.add(max(0.0, deal.extra[t, w]) * earning[t, w], owners.volume[d])
                lenders[f, v, t, w] = (0.0, row, None)
        worth[f, v] = (0.0, terms, None)
    add_rows(block, "still_worth_building", worth)
    add_rows(block, "lenders_still_content", lenders)


def _add_support(terms: Terms, owners: pyo.Block, d: int, per_volume: float, per_grant: float) -> None:
    if d in owners.volume:
        terms.add(per_volume, owners.volume[d])
    if d in owners.grant:
        terms.add(per_grant, owners.grant[d])
