"""Tables of the instance format that describe the question: scenarios, the policy menu, targets, limits, provenance."""

from __future__ import annotations

from orepact.instance.columns import ALL, YEARS, ZONE, Column, Table, year

# fmt: off
POLICY_TABLES = (
    Table(
        "scenarios",
        "What could go wrong. Probabilities sum to 1; probability 0 is a stress test played against the finished plan.",
        ("scenario",),
        (
            Column("scenario", "code", "short code", required=True),
            Column("name", "text", "name for people", default=""),
            Column("probability", "float", "probability", unit="", required=True, low=0, high=1),
            Column("normal", "bool", "targets and caps must hold in it; blank: yes if its probability is above 0 and it cuts no supply"),
            Column("downside", "bool", "lenders test projects against it", default=False),
        ),
        required=True,
    ),
    Table(
        "shocks",
        "What happens in a scenario. Multipliers on the same thing multiply.",
        (),
        (
            Column("scenario", "code", "scenario", required=True, refers="scenarios.scenario"),
            Column(
                "kind",
                "choice",
                "supply: multiplies outside supply; price, demand: multiply; price_case, demand_case: use another case; output: multiplies plants' output; "
                "delay: candidates' first output comes so many years later; repeal: all price measures end",
                required=True,
                choices=("supply", "price", "demand", "price_case", "demand_case", "output", "delay", "repeal"),
            ),
            Column("product", "code", "product; for output and delay: the plant's main output", default=ALL, refers="products.product", wild=True),
            Column("country", "code", "country: of the source, the user or the plant", default=ALL, refers="countries.country", wild=True),
            Column("facility", "code", "one plant, for output and delay", default=ALL, refers="facilities.facility", wild=True),
            *YEARS,
            Column("value", "float", "multiplier, or years of delay", unit="", low=0, high=1000),
            Column("case", "code", "price or demand case"),
        ),
    ),
    Table(
        "ladder",
        "Price measures that may be chosen for a product, mildest first; free trade is always there and need not be listed.",
        ("product", "rung"),
        (
            Column("product", "code", "product", required=True, refers="products.product"),
            Column("rung", "code", "short code, unique within the product; 'free' is free trade", required=True),
            Column("step", "int", "place on the ladder, from 1; free trade is 0", required=True, low=1, high=1000),
            Column(
                "kind",
                "choice",
                "reference: a price floor held up by a levy; tariff: a rate on the price; standard: compliant sources only, at a premium; minimum: a minimum import price",
                required=True,
                choices=("reference", "tariff", "standard", "minimum"),
            ),
            Column("price", "float", "reference and minimum: the floor", unit="USD/t", low=0, high=1e9),
            Column("rate", "float", "tariff: rate on the world price; standard: premium as a share of it", unit="", low=0, high=100),
            Column("origins", "codes", "tariff: origins taxed; blank: all. Reference: origins exempt from the levy go to 'exempt'", refers="countries.country"),
            Column("exempt", "codes", "origins that pay no levy or tariff", refers="countries.country"),
            Column("legal_limit", "float", "highest rate of duty that is lawful; the rung is not offered where its levy over the reference world price exceeds it", unit="", low=0, high=100),
            *YEARS,
        ),
    ),
    Table(
        "price_paths",
        "Price paths of the user's own: the rung of a product from a year on. Products not named stay at free trade.",
        ("path", "product", "year"),
        (
            Column("path", "code", "name of the path", required=True),
            Column("product", "code", "product", required=True, refers="products.product"),
            year("first year of the rung; it holds until the next row"),
            Column("rung", "code", "rung of the ladder, or free", required=True),
        ),
    ),
    Table(
        "contracts",
        "Contract menu: offtake guarantees and production support that may be offered to owners.",
        ("contract",),
        (
            Column("contract", "code", "short code", required=True),
            Column("name", "text", "name for people", default=""),
            Column("instrument", "choice", "which budget it comes from", default="offtake", choices=("offtake", "support")),
            Column("products", "codes", "main products it is offered for; * for all", required=True, refers="products.product", wild=True),
            Column("countries", "codes", "host countries it is offered in; * for all", default=ALL, refers="countries.country", wild=True),
            Column("strike", "float", "guaranteed price; below it the treasury pays the difference", unit="USD/t", low=0, high=1e9),
            Column("premium", "float", "fixed payment per tonne", unit="USD/t", default=0.0, low=0, high=1e9),
            Column("upside_share", "float", "share of the price above the ceiling that the owner pays back", unit="", default=0.0, low=0, high=1),
            Column("ceiling", "float", "price above which upside is shared; blank: the strike", unit="USD/t", low=0, high=1e9),
            Column("yearly_cap", "float", "largest yearly upside payment by the owner; blank: none", unit="USD/a", low=0, high=1e13),
            Column("reference_volume", "float", "contracted capacity at which the yearly cap is set; blank: the contract's largest", unit="t/a", above=0, high=1e12),
            Column("window", "float", "years from first output for which it pays; blank: the whole life", unit="year", above=0, high=200),
            Column("min_share", "float", "smallest share of capacity contracted", unit="", default=0.0, low=0, high=1),
            Column("max_share", "float", "largest share of capacity contracted", unit="", default=1.0, above=0, high=1),
            Column("stockpiled", "bool", "the contracted tonnes are bought for the stockpile instead of sold", default=False),
            Column("existing", "bool", "also offered to existing plants that would stand still without it", default=False),
        ),
    ),
    Table(
        "aid_limits",
        "Largest grant per host country; blank country rows are not needed where owners.grant_cap is enough.",
        ("country",),
        (
            Column("country", "code", "host country (or treasury)", required=True, refers="countries.country"),
            Column("grant_share", "float", "largest grant, share of capital cost", unit="", required=True, low=0, high=1),
            Column("grant_max", "float", "largest grant per project; blank: none", unit="USD", low=0, high=1e13),
        ),
    ),
    Table(
        "stockpiles",
        "Where a public stock may be held. Pooled products are held for all members together: use ZONE.",
        ("product", "country"),
        (
            Column("product", "code", "product", required=True, refers="products.product"),
            Column("country", "code", "member that holds it; ZONE for pooled products", default=ZONE, refers="countries.country", also=(ZONE,)),
            Column("initial", "float", "stock at the start", unit="t", default=0.0, low=0, high=1e12),
            Column("max_level", "float", "largest stock; blank: unlimited", unit="t", low=0, high=1e12),
            Column("max_purchase", "float", "largest yearly purchase", unit="t/a", required=True, low=0, high=1e12),
        ),
    ),
    Table(
        "refusals",
        "Instruments that a member will not use.",
        ("member", "instrument"),
        (
            Column("member", "code", "member", required=True, refers="countries.country"),
            Column("instrument", "choice", "instrument refused", required=True, choices=("offtake", "support", "grant", "stockpile")),
        ),
    ),
    Table(
        "groups",
        "Named groups of countries that may fail together.",
        ("group", "country"),
        (
            Column("group", "code", "group", required=True),
            Column("country", "code", "country in it", required=True, refers="countries.country"),
        ),
    ),
    Table(
        "targets",
        "What security means: shares to reach, caps to keep, outages to survive, days of stock. They hold in normal scenarios.",
        ("target",),
        (
            Column("target", "code", "short code; reports use it", required=True),
            Column(
                "kind",
                "choice",
                "zone_share: net zone supply over use; activity_share: gross output of plants of one activity over use; reliance_cap: one source's imports over use; "
                "n_minus_1: use covered when any one country or group is lost; stock_days: days of use in stock",
                required=True,
                choices=("zone_share", "activity_share", "reliance_cap", "n_minus_1", "stock_days"),
            ),
            Column("products", "codes", "product; for shares a list whose tonnes are added", required=True, refers="products.product"),
            Column("use_of", "code", "product whose use is the denominator; blank: the (first) product", refers="products.product"),
            Column("area", "code", "member whose use and plants count; blank: the whole zone", refers="countries.country"),
            Column("activity", "choice", "activity_share: which plants count", choices=("extraction", "processing", "recycling", "manufacturing")),
            Column("source_country", "code", "reliance_cap: the source; * = each one", refers="countries.country", wild=True),
            Column("outage", "codes", "n_minus_1: countries and groups lost one at a time; * = each source and host country", refers="countries.country|groups.group", wild=True),
            Column("upstream", "bool", "reliance_cap: look through to the origin of feed; n_minus_1: the stages before it too", default=True),
            Column("outage_years", "float", "n_minus_1: length of the outage; blank: policy.outage_years", unit="year", above=0, high=10),
            *YEARS,
            Column("value", "float", "share of use; for stock_days days", unit="", required=True, low=0, high=10000),
        ),
    ),
    Table(
        "budgets",
        "What a member may spend per year.",
        ("member", "instrument", "first_year"),
        (
            Column("member", "code", "member", required=True, refers="countries.country"),
            Column("instrument", "choice", "instrument, or all together", default="all", choices=("all", "offtake", "support", "grant", "stockpile", "intervention")),
            *YEARS,
            Column("limit", "float", "largest yearly spending, in expectation and in every scenario", unit="USD/a", required=True, low=0, high=1e14),
        ),
    ),
    Table(
        "contributions",
        "Who should carry which share of all public spending.",
        ("member",),
        (
            Column("member", "code", "member", required=True, refers="countries.country"),
            Column("key", "float", "its share of expected spending", unit="", required=True, low=0, high=1),
            Column("tolerance", "float", "how far it may be off, share of all spending", unit="", default=0.05, low=0, high=1),
        ),
    ),
    Table(
        "embodied",
        "Tonnes of one product embodied in a tonne of another, where the zone's own processes would mislead.",
        ("product", "within"),
        (
            Column("product", "code", "product embodied", required=True, refers="products.product"),
            Column("within", "code", "product that embodies it", required=True, refers="products.product"),
            Column("amount", "float", "t per t", unit="t/t", required=True, low=0, high=1e6),
        ),
    ),
    Table(
        "ranges",
        "How uncertain assumed figures are: a low and a high factor on cells of a table (or a setting), for sensitivity runs.",
        ("range",),
        (
            Column("range", "code", "short code", required=True),
            Column("name", "text", "what it is, for people", default=""),
            Column("table", "code", "table it changes, or 'settings'", required=True),
            Column("column", "code", "column it multiplies; for settings the path, e.g. economics.social_rate", required=True),
            Column("where", "text", "which rows, as column=value;column=value|value; blank: all", default=""),
            Column("low", "float", "factor at the low end", unit="", required=True, low=0, high=1000),
            Column("high", "float", "factor at the high end", unit="", required=True, low=0, high=1000),
        ),
    ),
    Table(
        "sources",
        "Citations for the codes used in `source` columns.",
        ("id",),
        (
            Column("id", "code", "code used in source columns", required=True),
            Column("citation", "text", "who published what, when", required=True),
            Column("licence", "text", "licence of the figures", default=""),
        ),
    ),
)
