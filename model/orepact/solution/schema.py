"""The solution format, written once: this table of tables drives extraction, storing, loading and docs/solution-format.md.

Every table is tidy: one fact per row. Amounts are canonical (t, USD, year); money is real USD of the instance's
base year; shares are 0..1. A cell is blank only where the format says so: NaN for numbers, `<NA>` for whole
numbers, the empty string for text. Scenario `expected` stands for the probability-weighted mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orepact.instance.schema import Table
from orepact.solution.columns import FACILITY, FIRST_YEAR, PRODUCT, SCENARIO
from orepact.solution.columns import blank as _blank
from orepact.solution.columns import filled as _filled
from orepact.solution.market_tables import MARKET_TABLES

EXPECTED = "expected"
"""In a `scenario` column: the probability-weighted mean of all scenarios with a probability above 0."""


_PRODUCT, _FACILITY, _FIRST_YEAR, _SCENARIO = PRODUCT, FACILITY, FIRST_YEAR, SCENARIO
_SCENARIO_OR_EXPECTED = _filled("scenario", "code", "scenario, or expected")

_TABLES = (
    Table(
        "rungs",
        "The price measure chosen for each product and period.",
        ("product", "first_year"),
        (
            _PRODUCT,
            _FIRST_YEAR,
            _filled("rung", "code", "rung of the product's ladder; free is free trade"),
            _filled("kind", "choice", "free, reference, tariff, standard or minimum"),
            _filled("world_price", "float", "world price in the reference scenario", "USD/t"),
            _filled("zone_price", "float", "price inside the zone in the reference scenario", "USD/t"),
            _blank("level", "float", "what was chosen: a floor in USD/t (reference, minimum) or a rate (tariff, standard); blank at free trade", "USD/t or 1"),
        ),
    ),
    Table(
        "rung_mix",
        "The planner's prices: weights of the ladder's rungs, between which it may choose any price. Empty unless the planner was asked.",
        ("product", "first_year", "rung"),
        (
            _PRODUCT,
            _FIRST_YEAR,
            _filled("rung", "code", "rung of the product's ladder"),
            _filled("weight", "float", "its weight; the weights of a product and period add up to 1", "1"),
        ),
    ),
    Table(
        "offers",
        "What owners sign, part by part: a plant's plan is a mix of offers whose weights add up to 1. Contracts and grants below are sums of these.",
        ("facility", "contract", "payer"),
        (
            _FACILITY,
            _filled("contract", "code", "contract of the menu; blank: none"),
            _filled("payer", "code", "member that pays; blank: no support"),
            _filled("weight", "float", "share of the plant's plan", "1"),
            _filled("volume_t_a", "float", "contracted volume", "t/a"),
            _filled("grant_usd", "float", "capital grant, undiscounted", "USD"),
        ),
    ),
    Table(
        "contracts",
        "Offtake guarantees and production support that owners sign. A plant with several rows holds a portfolio.",
        ("facility", "contract"),
        (
            _FACILITY,
            _filled("contract", "code", "contract of the menu"),
            _filled("instrument", "choice", "offtake or support"),
            _filled("payer", "code", "member that pays"),
            _blank("start_year", "int", "year of the decision to build; blank for existing plants", "year"),
            _filled("weight", "float", "share of the plant's plan that rests on this contract", "1"),
            _filled("volume_t_a", "float", "contracted volume", "t/a"),
            _filled("share_of_capacity", "float", "contracted volume over capacity", "1"),
            _blank("strike", "float", "guaranteed price; blank: none", "USD/t"),
            _filled("premium", "float", "fixed payment per tonne", "USD/t"),
            _filled("upside_share", "float", "share of the price above the ceiling that the owner pays back", "1"),
            _blank("ceiling", "float", "price above which upside is shared; blank: none", "USD/t"),
            _blank("window", "float", "years from first output for which it pays; blank: the whole life", "year"),
            _filled(
                "expected_payment_usd_a", "float", "expected payment by the treasury, mean over the years it pays in; negative: the owner pays back", "USD/a"
            ),
            _filled("worst_payment_usd_a", "float", "largest payment in any scenario and period", "USD/a"),
        ),
    ),
    Table(
        "grants",
        "Capital grants.",
        ("facility", "payer"),
        (
            _FACILITY,
            _filled("payer", "code", "member that pays"),
            _filled("start_year", "int", "year of the decision to build", "year"),
            _filled("grant_usd", "float", "grant, undiscounted", "USD"),
            _filled("share_of_capex", "float", "grant over capital cost", "1"),
        ),
    ),
    Table(
        "stock",
        "The public stockpile. Purchases are the same in every scenario.",
        ("product", "country", "first_year", "scenario"),
        (
            _PRODUCT,
            _filled("country", "code", "member that holds it; ZONE for pooled products"),
            _FIRST_YEAR,
            _SCENARIO,
            _filled("level_t", "float", "stock at the end of the period", "t"),
            _filled("purchase_t_a", "float", "bought for stock", "t/a"),
            _filled("release_t_a", "float", "released from stock", "t/a"),
        ),
    ),
    Table(
        "facilities",
        "Every plant: whether and when it is built, what its owner earns, and what would have happened anyway.",
        ("facility",),
        (
            _FACILITY,
            _filled("name", "text", "name for people"),
            _filled("country", "code", "host country"),
            _filled("treasury", "code", "member whose budget the host belongs to; blank for partners"),
            _filled("process", "code", "process"),
            _filled("product", "code", "main output"),
            _filled("status", "choice", "existing or candidate"),
            _filled("capacity_t_a", "float", "capacity in main output", "t/a"),
            _filled("built", "bool", "stands in the plan; true for existing plants"),
            _blank("start_year", "int", "year of the decision to build; blank: existing or not built", "year"),
            _blank("first_output_year", "float", "first output without delays; blank: not built, or before the horizon", "year"),
            _filled("capex_usd", "float", "capital cost spent under the plan", "USD"),
            _filled("expected_output_t_a", "float", "expected main output, mean over the horizon", "t/a"),
            _blank("owner_npv_usd", "float", "owner's expected net present value at the hurdle rate; blank: not built", "USD"),
            _blank("owner_npv_without_usd", "float", "the same as a plain merchant at free trade, best start; blank: existing", "USD"),
            _blank("npv_rate", "float", "the hurdle rate used", "1/a"),
            _blank("cover_ratio", "float", "lowest debt service cover in a tested downside year; blank: no test", "1"),
            _filled("rent_usd", "float", "net present value above the hurdle that support leaves with the owner", "USD"),
            _filled("supported", "bool", "has a contract or a grant"),
            _filled("kept_out", "bool", "could pay its way at the chosen prices, and is not built"),
            _filled("idle_in_normal_t_a", "float", "largest output given up for want of feed in a normal scenario", "t/a"),
            _filled("would_build_anyway", "bool", "would be built at free trade without support"),
        ),
    ),
    Table(
        "output",
        "What each plant makes.",
        ("facility", "first_year", "scenario"),
        (
            _FACILITY,
            _FIRST_YEAR,
            _SCENARIO,
            _filled("output_t_a", "float", "main output", "t/a"),
            _filled("idle_t_a", "float", "main output given up for want of feed", "t/a"),
            _filled("margin_usd_t", "float", "price less cash cost per tonne of main output, before support", "USD/t"),
            _filled("runs", "bool", "covers its cash cost"),
        ),
    ),
    Table(
        "flows",
        "Tonnes that move.",
        (),
        (
            _PRODUCT,
            _filled("kind", "choice", "import, partner_to_member, member_to_partner, between_members, between_partners, export, glut or overflow"),
            _filled("origin", "code", "country, member or block it leaves"),
            _filled("destination", "code", "country, member or block it reaches; blank: sold outside"),
            _FIRST_YEAR,
            _SCENARIO,
            _filled("amount_t_a", "float", "amount", "t/a"),
            _filled("price_usd_t", "float", "paid or earned per tonne", "USD/t"),
        ),
    ),
    Table(
        "balance",
        "Sources and uses of each product at each node: made + imports + trade_in + shortage + release = used + trade_out + demand + purchases + exports + glut + overflow.",
        ("product", "node", "first_year", "scenario"),
        (
            _PRODUCT,
            _filled("node", "code", "member or country, or a block of a pooled product"),
            _FIRST_YEAR,
            _SCENARIO,
            *(
                _filled(name, "float", description, "t/a")
                for name, description in (
                    ("made", "made by plants"),
                    ("used", "used by plants"),
                    ("imports", "from outside the zone"),
                    ("trade_in", "from elsewhere in the zone"),
                    ("trade_out", "to elsewhere in the zone"),
                    ("shortage", "final demand that goes without"),
                    ("release", "released from stock"),
                    ("demand", "final demand at the zone's price"),
                    ("purchases", "bought for stock"),
                    ("exports", "sold outside within the limit"),
                    ("glut", "bought at a supported price and resold outside at a loss"),
                    ("overflow", "dumped outside beyond the limit"),
                )
            ),
        ),
    ),
    Table(
        "targets",
        "Every target and cap, in every case, period and normal scenario that it covers.",
        ("target", "case", "first_year", "scenario"),
        (
            _filled("target", "code", "target"),
            _filled("kind", "choice", "zone_share, activity_share, reliance_cap, n_minus_1 or stock_days"),
            _filled("products", "text", "products, separated by semicolons"),
            _filled("area", "code", "member it is about; blank: the whole zone"),
            _filled("case", "text", "source capped, or country or group lost; blank for the other kinds"),
            _FIRST_YEAR,
            _SCENARIO,
            _filled("value", "float", "what is required: a share of use, or days", "1 or d"),
            _filled("achieved", "float", "what the plan reaches", "1 or d"),
            _filled("slack", "float", "room left: achieved - value, for a cap value - achieved; negative: missed", "1 or d"),
            _blank("before", "float", "what is reached without policy; blank: no baseline", "1 or d"),
            _filled("binding", "bool", "no room is left"),
            _blank("asked", "float", "what was asked before the target was bent (--relax); blank: it was not", "1 or d"),
        ),
    ),
    Table(
        "reliance",
        "Imports of each source over use, at the border and traced to the origin of feed.",
        ("product", "area", "source", "first_year", "scenario"),
        (
            _PRODUCT,
            _filled("area", "code", "member; blank: the whole zone"),
            _filled("source", "code", "outside country"),
            _FIRST_YEAR,
            _SCENARIO,
            _filled("direct_share", "float", "imports of the product itself over its use", "1"),
            _filled("look_through_share", "float", "the same with what is embodied in later stages and what users moved abroad", "1"),
            _blank("before_direct_share", "float", "direct share without policy; blank: no baseline", "1"),
            _blank("before_look_through_share", "float", "look-through share without policy; blank: no baseline", "1"),
        ),
    ),
    Table(
        "limits",
        "Every budget, contribution key and other limit besides targets that the plan comes near or uses up.",
        ("kind", "name", "first_year", "scenario"),
        (
            _filled(
                "kind",
                "choice",
                "budget, contribution, stock, supply, route, export, grant, rent or cover; ladder or menu: the highest step on offer was chosen",
            ),
            _filled("name", "text", "whose limit: member and instrument, product and country, route or plant"),
            _blank("first_year", "int", "first year of the period; blank: the whole horizon", "year"),
            _filled("scenario", "code", "scenario; expected; or blank: holds for the plan as a whole"),
            _filled("limit", "float", "the limit", "see unit"),
            _filled("used", "float", "how much of it is used", "see unit"),
            _filled("unit", "text", "unit of limit and used"),
            _filled("binding", "bool", "no room is left"),
            _blank("asked", "float", "what was asked before the limit was bent (--relax); blank: it was not", "see unit"),
        ),
    ),
    Table(
        "cost_terms",
        "The terms of the cost, discounted, by period.",
        ("term", "first_year", "scenario"),
        (
            _filled("term", "code", "cost term; the rows of a scenario add up to its cost"),
            _FIRST_YEAR,
            _SCENARIO_OR_EXPECTED,
            _filled("usd", "float", "discounted cost over the period", "USD"),
            _blank("before_usd", "float", "the same without policy; blank: no baseline", "USD"),
        ),
    ),
    Table(
        "payments",
        "What each member spends, gross of revenue; revenue from levies and stock released are rows of their own, negative.",
        ("member", "instrument", "facility", "first_year", "scenario"),
        (
            _filled("member", "code", "member"),
            _filled("instrument", "choice", "offtake, support, grant, stockpile or intervention; levy or release for revenue"),
            _filled("facility", "code", "plant it is for; blank: none"),
            _FIRST_YEAR,
            _SCENARIO_OR_EXPECTED,
            _filled("usd_a", "float", "payment per year of the period, undiscounted", "USD/a"),
        ),
    ),
    Table(
        "scenarios",
        "How each scenario ends under the plan, and how it ends without policy.",
        ("scenario",),
        (
            _SCENARIO,
            _filled("name", "text", "name for people"),
            _filled("probability", "float", "probability; 0 is a stress test or a scenario kept for its flags", "1"),
            _filled("normal", "bool", "targets and caps hold in it"),
            _filled("downside", "bool", "lenders test projects against it"),
            _filled("stress_test", "bool", "played against the finished plan"),
            _filled("cost_usd", "float", "discounted cost", "USD"),
            _blank("before_cost_usd", "float", "discounted cost without policy; blank: no baseline", "USD"),
            _filled("shortage_t", "float", "demand that goes without, all products, sum over years", "t"),
            _blank("before_shortage_t", "float", "the same without policy; blank: no baseline", "t"),
            _filled("shortage_usd", "float", "what that costs users, discounted", "USD"),
            _filled("outlay_usd", "float", "public spending, gross of revenue, sum over years, undiscounted", "USD"),
            _filled("idle_plants", "int", "plants that stand idle in some period although they could pay their way", "plants"),
            _filled("note", "text", "anything a reader should know"),
        ),
    ),
    *MARKET_TABLES,
    Table(
        "sources",
        "How good the input is, table by table.",
        ("table",),
        (
            _filled("table", "code", "table of the instance"),
            _filled("rows", "int", "rows", "rows"),
            _filled("reported", "int", "rows reported by a source", "rows"),
            _filled("derived", "int", "rows derived from reported figures", "rows"),
            _filled("recalled", "int", "rows recalled, not looked up", "rows"),
            _filled("assumed", "int", "rows assumed", "rows"),
            _filled("figures", "int", "numbers given in the rows", "figures"),
            _filled("assumed_share", "float", "share of those figures that stand in assumed rows", "1"),
        ),
    ),
    Table(
        "citations",
        "The sources that the instance names.",
        ("id",),
        (
            _filled("id", "code", "code used in the instance"),
            _filled("citation", "text", "who published what, when"),
            _filled("licence", "text", "licence of the figures"),
        ),
    ),
    Table(
        "paths",
        "The price paths examined, best first.",
        ("path",),
        (
            _filled("path", "text", "label of the path"),
            _blank("objective", "float", "cost of the best plan found on it; blank: none", "USD"),
            _blank("bound", "float", "no plan on it costs less; blank: not known", "USD"),
            _filled("status", "text", "how it was examined"),
            _filled("rank", "int", "place in the order, from 1", ""),
        ),
    ),
    Table(
        "conflicts",
        "Where there is no plan: the smallest set of the user's own inputs that can't all hold. Written without a plan too.",
        ("rule", "file", "row", "column"),
        (
            _filled("rule", "int", "number of the rule; a rule may stand in several rows", ""),
            _filled("words", "text", "the rule in words"),
            _filled("decided", "bool", "the alliance decides it; false: it is how the world is"),
            _filled("file", "text", "file of the instance"),
            _blank("row", "int", "row in it as an editor shows it; blank: a setting, or a row that is missing", ""),
            _filled("column", "text", "column, or path of a setting"),
            _filled("value", "text", "what stands there, in canonical units"),
        ),
    ),
    Table(
        "repairs",
        "Where there is no plan: changes after which there is one, least effort first, each solved again. Written without a plan too.",
        ("rank", "file", "row", "column"),
        (
            _filled("rank", "int", "place in the order; a repair may take several changes", ""),
            _filled(
                "effort",
                "float",
                "effort: a point of a target or a hundredth of a year's use is 1, a year 10; three times that for what the alliance can't decide",
                "points",
            ),
            _filled("decided", "bool", "the alliance decides all of it"),
            _filled("file", "text", "file of the instance"),
            _blank("row", "int", "row in it; blank: a setting, or a row to add", ""),
            _filled("column", "text", "column; blank: a whole row"),
            _filled("value", "text", "what stands there now, in canonical units"),
            _filled("new", "text", "what to write there"),
            _filled("change", "text", "the change as a sentence"),
            _filled("verified", "text", "where a plan was found when it was solved again"),
            _filled("bent", "bool", "the plan of this run was made with it (--relax)"),
        ),
    ),
)

OUTPUT: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
"""Every table of a solution by name."""
