"""Tables of a solution about the market behind the plan: prices, who could sell at what cost, what a loss would leave, what is inside what."""

from __future__ import annotations

from orepact.instance.schema import Table
from orepact.solution.columns import FACILITY, FIRST_YEAR, PRODUCT, SCENARIO, blank, filled

MARKET_TABLES = (
    Table(
        "prices",
        "World price and the price inside the zone.",
        ("product", "first_year", "scenario"),
        (
            PRODUCT,
            FIRST_YEAR,
            SCENARIO,
            filled("world_price", "float", "world price, which is the zone's price without policy", "USD/t"),
            filled("zone_price", "float", "price inside the zone under the plan", "USD/t"),
        ),
    ),
    Table(
        "additional",
        "Expected output of every plant under the plan and without policy.",
        ("facility", "first_year"),
        (
            FACILITY,
            FIRST_YEAR,
            filled("output_t_a", "float", "expected main output under the plan", "t/a"),
            blank("before_output_t_a", "float", "the same without policy; blank: no baseline", "t/a"),
        ),
    ),
    Table(
        "supply",
        "Who could sell each product at what cost, and who does: the merit order in the reference scenario.",
        ("product", "first_year", "seller"),
        (
            PRODUCT,
            FIRST_YEAR,
            filled("seller", "code", "plant or outside country"),
            filled("name", "text", "name for people"),
            filled("country", "code", "country of the plant, or the outside country"),
            filled("kind", "choice", "existing or candidate plant, or outside"),
            filled("available_t_a", "float", "what it could sell in the period; a candidate not built: at its earliest start", "t/a"),
            filled(
                "cost_usd_t",
                "float",
                "price of the product at which a plant just covers its cash cost, feed at the zone's prices, by-products credited; outside: the price it asks",
                "USD/t",
            ),
            blank("full_cost_usd_t", "float", "the same with capital at the owner's hurdle rate; blank: existing plants and outside sources", "USD/t"),
            filled("sold_t_a", "float", "what it makes or sells to the zone under the plan", "t/a"),
            filled(
                "state",
                "choice",
                "plants: runs, runs in part (for want of feed), runs on a contract (loses money without it), no feed, idle, loses money, not built or kept out; "
                "outside: sells, sold out, not needed, too dear or shut out",
            ),
        ),
    ),
    Table(
        "outages",
        "What share of use could still be covered if any one country or group were lost, reference scenario, in the way of an N-1 target "
        "without stages before the product.",
        ("product", "lost", "first_year"),
        (
            PRODUCT,
            filled("lost", "code", "country, treasury or group that is lost"),
            FIRST_YEAR,
            filled("left_share", "float", "supply left over use", "1"),
            blank("before_left_share", "float", "the same without policy; blank: no baseline", "1"),
        ),
    ),
    Table(
        "recipes",
        "What each process uses and makes.",
        ("process", "product"),
        (
            filled("process", "code", "process"),
            PRODUCT,
            filled("amount", "float", "made per tonne of main output; negative: used", "t/t"),
        ),
    ),
    Table(
        "origins",
        "Which country's feed stands behind what outside countries sell.",
        ("source", "product", "feed", "origin"),
        (
            filled("source", "code", "outside country that sells"),
            filled("product", "code", "product it sells"),
            filled("feed", "code", "product at an earlier stage, or the product itself"),
            filled("origin", "code", "country the feed comes from"),
            filled("amount", "float", "feed from there in a tonne sold", "t/t"),
        ),
    ),
    Table(
        "products",
        "What products are called.",
        ("product",),
        (
            PRODUCT,
            filled("name", "text", "name for people"),
            filled("mineral", "code", "mineral it belongs to"),
            filled("stage", "code", "stage of processing"),
            filled("trade", "choice", "pooled or routed"),
        ),
    ),
    Table(
        "countries",
        "What countries are called, and on which side they stand.",
        ("country",),
        (
            filled("country", "code", "country"),
            filled("name", "text", "name for people"),
            filled("role", "choice", "member, partner or outside"),
            filled("treasury", "code", "member whose budget it belongs to; blank: its own"),
        ),
    ),
)
"""In the order in which people read them."""
