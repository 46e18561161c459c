"""Who the alliance depends on: targets at their tightest, reliance before and after, what the loss of a country leaves, the map."""

from __future__ import annotations

from collections.abc import Iterator

from orepact.analysis.derived import Row, records
from orepact.analysis.view import View
from orepact.solution.indicators import missed_before, tolerance


def target_summary(view: View) -> Iterator[Row]:
    """Each target and cap where it is tightest."""
    targets = view.table("targets")
    targets["missed"] = targets["slack"] < -tolerance(targets["value"])
    targets["missed_before"] = missed_before(targets)
    for name, own in targets.groupby("target", sort=False):
        tightest = records(own.loc[[own["slack"].idxmin()]])[0]
        known = own["before"].notna().any()
        is_cap = tightest["kind"] == "reliance_cap"
        yield {
            "target": name,
            "kind": tightest["kind"],
            "products": tightest["products"],
            "area": tightest["area"],
            "required": tightest["value"],
            "before": None if not known else float(own["before"].max() if is_cap else own["before"].min()),
            "after": tightest["achieved"],
            "slack": tightest["slack"],
            "case": tightest["case"],
            "first_year": tightest["first_year"],
            "scenario": tightest["scenario"],
            "met_before": None if not known else not bool(own["missed_before"].any()),
            "met": not bool(own["missed"].any()),
            "binding": bool(own["binding"].any()),
        }


def covered_years(view: View) -> list[int]:
    """Periods from the first one that a target covers; all of them without targets."""
    targets = view.table("targets")
    first = int(targets["first_year"].min()) if len(targets) else view.years[0]
    return [year for year in view.years if year >= first]


def reliance_summary(view: View) -> Iterator[Row]:
    """Highest shares by product and source, the whole zone."""
    table = view.table("reliance")
    held = table["scenario"].isin(view.normal) if view.normal else table["scenario"] == view.reference
    table = table[(table["area"] == "") & held & table["first_year"].isin(covered_years(view))]
    targets = view.table("targets")
    caps = targets[(targets["kind"] == "reliance_cap") & (targets["area"] == "")]
    limits = caps.groupby(["products", "case"])["value"].min().to_dict()
    rows = []
    for (product, source), own in table.groupby(["product", "source"], sort=False):
        highest = own[["before_direct_share", "direct_share", "before_look_through_share", "look_through_share"]].max()
        if highest.max() < 0.005:
            continue
        mineral, stage = view.stages.get(str(product), ("", ""))
        rows.append(
            {
                "product": product,
                "name": view.product_name(str(product)),
                "mineral": mineral,
                "stage": stage,
                "source": source,
                "direct_before": highest["before_direct_share"],
                "direct_after": highest["direct_share"],
                "true_before": highest["before_look_through_share"],
                "true_after": highest["look_through_share"],
                "cap": limits.get((product, source)),
            }
        )
    order = {code: n for n, code in enumerate(dict.fromkeys(view.table("reliance")["product"]))}
    yield from sorted(rows, key=lambda row: (order[row["product"]], -max(row["true_after"], row["true_before"] or 0.0)))


def reliance_heat(view: View) -> Iterator[Row]:
    """The largest source of each product in the year shown."""
    table = view.table("reliance")
    table = table[(table["area"] == "") & (table["scenario"] == view.reference) & (table["first_year"] == view.year)]
    for product, own in table.groupby("product", sort=False):
        mineral, stage = view.stages.get(str(product), ("", ""))
        after = own.loc[own["look_through_share"].idxmax()]
        known = own["before_look_through_share"].notna().any()
        before = own.loc[own["before_look_through_share"].idxmax()] if known else None
        yield {
            "product": product,
            "name": view.product_name(str(product)),
            "mineral": mineral,
            "stage": stage,
            "first_year": view.year,
            "source_before": "" if before is None else before["source"],
            "before": None if before is None else float(before["before_look_through_share"]),
            "source_after": after["source"],
            "after": float(after["look_through_share"]),
        }


def outage_bars(view: View) -> Iterator[Row]:
    """What is left after each loss; countries that nobody would miss are left out."""
    table = view.table("outages")
    table = table[table["first_year"] == view.year]
    targets = view.table("targets")
    asked = targets[targets["kind"] == "n_minus_1"].groupby(["products", "case"])["value"].max().to_dict()
    for product, own in table.groupby("product", sort=False):
        most = own[["left_share", "before_left_share"]].max()
        felt = (own["left_share"] < most["left_share"] - 0.005) | (own["before_left_share"] < most["before_left_share"] - 0.005)
        named = own["lost"].map(lambda lost, product=product: (product, lost) in asked)
        for row in records(own[felt | named].sort_values("left_share")):
            yield {
                "product": product,
                "name": view.product_name(str(product)),
                "lost": row["lost"],
                "first_year": view.year,
                "before": row["before_left_share"],
                "after": row["left_share"],
                "required": asked.get((product, row["lost"])),
            }


def trade_map(view: View) -> Iterator[Row]:
    """Flows of the year shown that are worth drawing."""
    flows = view.table("flows")
    flows = flows[(flows["scenario"] == view.reference) & (flows["first_year"] == view.year) & (flows["amount_t_a"] > 1e-6)]
    for (product, kind, origin, destination), own in flows.groupby(["product", "kind", "origin", "destination"], sort=False):
        yield {
            "product": product,
            "kind": kind,
            "origin": origin,
            "destination": destination,
            "amount_t_a": float(own["amount_t_a"].sum()),
            "usd_a": float((own["amount_t_a"] * own["price_usd_t"]).sum()),
        }
