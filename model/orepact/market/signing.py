"""What an owner would sign: every deal that is worth its while and that its lenders accept, worked out before the solve.

Governments move first, so at given prices an owner's answer follows. For plant f, contract n, start τ on a price path the
owner's problem in h (capacity under contract, mass per year) and g (grant, money) is a small polygon; its corners are listed
as offers and the model mixes them at one start.

    participation Σ_t dh_t E[cap·m − crf·capex·B + h·ad + crf·g·B] >= 0, and <= rent cap · capex if supported
    lenders       cap·m~ + h·ad~ + ds·B·g >= ds·B·capex     in every downside scenario once fully ramped up

m and ad as in `owners.py`; ~ blends in free-trade prices with the repeal weight θ; ds = cover · debt share · crf(debt rate, tenor).
Every start of a look is laid end to end with everything on its table; what can't be agreed to is dropped before a polygon is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orepact.market.deals import TIE, Choice, Deal, Imposed, Response
from orepact.market.horizon import Array
from orepact.market.laid import spread
from orepact.market.owners import Flags, IntArray, Owners, Terms, Unsupported, picked
from orepact.market.polygon import clip_all, split

NEVER = 1e-7
"""An owner who would lose more than this share of the investment (or of one unit of money) whatever is granted is not asked."""


@dataclass(frozen=True)
class Look:
    """A plant at the prices of one response class, and under free trade; starts and choices on its table; what a package imposes."""

    f: int
    seen: Response
    free: Response
    starts: Sequence[int]
    table: Sequence[Choice]
    imposed: Imposed | None


@dataclass(frozen=True)
class Rows:
    """Starts with choices, laid end to end (n,): which look, plant, start, contract (-1: none), ranges (n, 4) of volume and grant,
    whether the limit on rent holds, what the start is worth, what the contract adds."""

    look: IntArray
    f: IntArray
    tau: IntArray
    contract: IntArray
    ranges: Array
    capped: Flags
    alone: Unsupported
    terms: Terms

    def picked(self, which: IntArray) -> Rows:
        """Some of them."""
        own = {name: getattr(self, name)[which] for name in ("look", "f", "tau", "contract", "ranges", "capped")}
        return Rows(**own, alone=picked(self.alone, which), terms=picked(self.terms, which))


def signed(owners: Owners, looks: Sequence[Look]) -> list[tuple[Deal, ...]]:
    """Every deal that the owners would sign, by look."""
    rows = _laid(owners, looks)
    rows = rows.picked(np.flatnonzero(_may_agree(owners, looks, rows)))
    found: list[list[Deal]] = [[] for _ in looks]
    for look, deal in zip(rows.look.tolist(), _deals(owners, rows), strict=True):
        if len(deal.corners):
            found[look].append(deal)
    for look, own in zip(looks, found, strict=True):
        if len(own) > 1 and look.imposed is not None and look.imposed.contract is not None and not owners.candidate[look.f]:
            own.pop(0)  # an existing plant goes on as a merchant only if it doesn't sign
    return [tuple(own) for own in found]


def _laid(owners: Owners, looks: Sequence[Look]) -> Rows:
    """Every start of every look with every choice on its table."""
    f = np.array([look.f for look in looks], dtype=np.int64)
    seen, free = _stacked([look.seen for look in looks]), _stacked([look.free for look in looks])
    choices = np.array([(c.contract, *c.volume, *c.grant) for look in looks for c in look.table], dtype=float).reshape(-1, 5)
    count = np.array([len(look.table) for look in looks], dtype=np.int64)
    asker, contract = spread(count)[0], choices[:, 0].astype(np.int64)
    q = spread(np.array([len(look.starts) for look in looks], dtype=np.int64))[0]
    tau = np.array([tau for look in looks for tau in look.starts], dtype=np.int64)
    alone = owners.alone(f[q], tau, seen.earning[q], free.earning[q])
    start, choice = spread(count[q], (np.cumsum(count) - count)[q])

    offered = np.flatnonzero(contract >= 0)
    promise = owners.promise(f[asker[offered]], contract[offered], picked(seen, asker[offered]), picked(free, asker[offered]))
    under = np.flatnonzero(contract[choice] >= 0)
    number = np.searchsorted(offered, choice[under])
    added = owners.terms(f[q[start[under]]], tau[start[under]], contract[choice[under]], picked(promise, number))
    capped = np.array([look.imposed is None or not look.imposed.supports for look in looks], dtype=bool)
    look, terms = q[start], _among(added, under, len(start))
    return Rows(look, f[look], tau[start], contract[choice], choices[choice, 1:], capped[look], picked(alone, start), terms)


def _stacked(responses: Sequence[Response]) -> Response:
    """Laid end to end (n, T, W)."""
    return Response(np.array([r.margin for r in responses]), np.array([r.main_price for r in responses]))


def _among(terms: Terms, places: IntArray, size: int) -> Terms:
    """Terms at their places among others that add nothing."""

    def put(own: Array) -> Array:
        found = np.zeros((size, *own.shape[1:]))
        found[places] = own
        return found

    return Terms(**{name: put(own) for name, own in vars(terms).items()})


def _may_agree(owners: Owners, looks: Sequence[Look], rows: Rows) -> Flags:
    """Rows worth drawing a polygon for."""
    candidate, contract, alone, terms = owners.candidate[rows.f], rows.contract >= 0, rows.alone, rows.terms
    high, most = rows.ranges[:, 1], rows.ranges[:, 3]
    gains = terms.value >= -TIE
    best = alone.value + terms.value * high + alone.grant * most
    pays = best >= -NEVER * np.maximum(1.0, owners.capex[rows.f])
    imposed = np.array([look.imposed is not None and look.imposed.contract is not None for look in looks], dtype=bool)[rows.look]
    changes = imposed | terms.extra[:, :, owners.world.in_model].any(axis=(1, 2))
    plain = ~contract & (most == 0)
    return np.where(plain, ~candidate | alone.holds, np.where(contract, gains & np.where(candidate, pays, changes), True))


def _deals(owners: Owners, rows: Rows) -> list[Deal]:
    """The rows as deals; corners are split where foreign rent starts, so that rent is linear between them."""
    alone, terms, foreign = rows.alone, rows.terms, owners.foreign[rows.f]
    corners = _corners(owners, rows)
    line = np.stack([alone.social, terms.social, alone.grant_social], axis=1)
    for d in np.flatnonzero(foreign > 0).tolist():
        if len(corners[d]) > 1:
            corners[d] = np.vstack(split(corners[d], line[d]))
    count = np.array([len(own) for own in corners], dtype=np.int64)
    of = spread(count)[0]
    laid = np.concatenate([np.zeros((0, 2)), *corners])
    rent = foreign[of] * np.maximum(0.0, line[of, 0] + (line[of, 1:] * laid).sum(axis=1))
    ends = np.cumsum(count)
    return [
        Deal(
            start=tau,
            contract=contract,
            extra=terms.extra[d],
            pay=terms.pay[d],
            stockpiled=terms.stockpiled[d],
            value0=value,
            value1=per_volume,
            valueg=per_grant,
            spare=alone.spare[d],
            spare_h=terms.spare[d],
            spare_g=alone.spare_grant[d],
            corners=corners[d],
            rent=rent[begin:end],
        )
        for d, (tau, contract, value, per_volume, per_grant, begin, end) in enumerate(
            zip(*(x.tolist() for x in (rows.tau, rows.contract, alone.value, terms.value, alone.grant, ends - count, ends)), strict=True)
        )
    ]


def _corners(owners: Owners, rows: Rows) -> list[Array]:
    """Of each row, corners of what owner, lenders and the limit on rent leave of the ranges of volume and grant (h, g); an existing plant
    takes either end of its volume."""
    low, high, least, most = rows.ranges.T
    drawn = np.flatnonzero(owners.candidate[rows.f] & ((rows.contract >= 0) | (most > 0)))
    found = [np.zeros((1, 2))] * len(rows.f)
    for d in np.flatnonzero(~owners.candidate[rows.f] & (high > 0)).tolist():
        found[d] = np.array([[h, 0.0] for h in dict.fromkeys((low[d], high[d])) if h > 0])
    if not drawn.size:
        return found
    alone, terms = picked(rows.alone, drawn), picked(rows.terms, drawn)
    most_rent = owners.world.settings.owners.rent_cap * owners.capex[rows.f[drawn]]
    owner = np.stack([alone.value, terms.value, alone.grant], axis=1)
    limit = np.where(rows.capped[drawn, None], np.stack([most_rent - alone.value, -terms.value, -alone.grant], axis=1), 0.0)
    lenders = np.where(alone.tested[..., None], np.stack([alone.spare, terms.spare, alone.spare_grant], axis=-1), 0.0)
    cuts = np.concatenate([owner[:, None], limit[:, None], lenders.reshape(len(drawn), -1, 3)], axis=1)
    volume, grant = np.stack([low, high, high, low], axis=1)[drawn], np.stack([least, least, most, most], axis=1)[drawn]
    for d, corners in zip(drawn.tolist(), clip_all(np.stack([volume, grant], axis=2), cuts), strict=True):
        found[d] = corners
    return found
