"""Plants: whoever covers its cash cost runs, nobody idles but for want of feed; contracts that fill a stock are bought for it."""

from __future__ import annotations

import numpy as np

from orepact.solution.verification.check_goods import used_up
from orepact.solution.verification.study import Study
from orepact.solution.verification.terms import Terms


def check_plants(study: Study, terms: Terms) -> None:
    """Running, idling, stockpiled contracts."""
    facts, plants, stored = study.facts, study.plants, study.stored
    shown = np.broadcast_to(stored.shown, stored.output.shape)
    scale = plants.capacity[:, None, None]
    full = scale * stored.A
    if study.planner:
        study.findings.at_most("running", "output.csv", stored.output, full, scale, study.plants_in_time, shown)
        study.findings.at_most("idling", "output.csv", stored.idle, 0.0, scale, study.plants_in_time, shown)
        return
    weights = terms.by_plant(terms.w)[:, None, None]
    should = full * study.path.runs * weights + terms.by_plant(terms.extra * terms.h[:, None, None])
    study.findings.equal("running", "output.csv", stored.output + stored.idle, should, scale, study.plants_in_time, shown)
    cut = plants.feed_is_cut & ~facts.normal
    wanting = np.einsum("fk,ktw->ftw", (plants.a < 0).astype(int), used_up(study).astype(int)) > 0
    limit = np.where(cut | wanting, np.inf, 0.0)
    study.findings.at_most("idling", "output.csv, idle", stored.idle, np.minimum(limit, np.maximum(plants.most, should)), scale, study.plants_in_time, shown)
    _for_stock(study, terms)


def _for_stock(study: Study, terms: Terms) -> None:
    facts, stored = study.facts, study.stored
    forced = np.zeros((len(stored.site_names), facts.T))
    for d in np.flatnonzero(terms.stockpiled.any(axis=1)):
        k = int(study.plants.main[terms.f[d]])
        place = facts.members[stored.offer_payer[d]] if facts.routed[k] else "ZONE"
        s = stored.sites.get((facts.products[k], place))
        if s is not None:
            forced[s] += terms.stockpiled[d] * terms.h[d]
    if len(forced):
        bought = stored.bought[:, :, int(np.argmax(stored.shown))]
        scale = study.size[stored.site_product][:, None]
        study.findings.at_most("contracted for stock", "stock.csv, purchases", forced, bought, scale, (stored.site_names, stored.years))
