"""The eight pages behind the first screen, and the page of a run without a plan."""

from __future__ import annotations

import pandas as pd

from orepact.analysis.derived import records
from orepact.report.cells import NONE, Cell, Grid
from orepact.report.charts import chain, money, outlook, security
from orepact.report.charts.style import Chart
from orepact.report.document import Section, Shown, Text
from orepact.report.figures import mass, share
from orepact.report.figures import money as usd
from orepact.report.run_page import Page

Items = list[Shown | Chart]


def who_pays(page: Page) -> Section:
    """Member, instrument and project, with the price of a tonne."""
    items: Items = [*money.paid(page.tables, page.names), *money.waterfall(page.tables)]
    columns = ["member", "instrument", "expected_usd", "expected_usd_a", "worst_usd_a", "worst_scenario", "worst_year"]
    items.append(
        Shown(
            "What each member pays and takes in",
            page.grid("member_payments", columns),
            "Revenue is negative. Undiscounted; the first screen counts discounted money.",
        )
    )
    columns = ["member", "instrument", "name", "country", "product", "expected_usd", "worst_usd_a", "supported_t", "additional_t"]
    columns += ["usd_per_supported_t", "usd_per_additional_t", "above_world_usd_t"]
    note = (
        "Supported tonnes: expected output under the contract (for a grant: all output). Additional tonnes: expected output beyond what the plant would make "
        "without policy. Above world price: what users, through the price in the zone, and treasuries together pay for a tonne of the plant beyond the world price."
    )
    items.append(Shown("Who pays what, for which tonne", page.grid("who_pays", columns), note))
    lead: list[Text] = [("Three scoreboards count the same money from three sides. They are never added: a tariff costs users what treasuries gain.",)]
    return Section("pays", "Who pays what, for which tonne", lead, items)


def package(page: Page) -> Section:
    """Every measure with its cost in expectation and at worst."""
    items: Items = list(money.price_steps(page.tables, page.names))
    columns = ["product", "from_year", "to_year", "kind", "level", "world_price", "zone_price", "levy_usd_a", "least_levy_usd_a", "least_scenario"]
    columns += ["users_usd_a", "most_users_usd_a", "most_scenario"]
    items.append(
        _or_none(page, "Price measures", "price_measures", columns, "Levies are revenue of the members' treasuries. Products that are not listed trade freely.")
    )
    columns = [
        "name",
        "country",
        "product",
        "instrument",
        "payer",
        "start_year",
        "volume_t_a",
        "share_of_capacity",
        "strike",
        "premium",
        "upside_share",
        "ceiling",
    ]
    columns += ["window", "expected_usd_a", "worst_usd_a"]
    items.append(
        _or_none(
            page, "Contracts", "contract_costs", columns, "Expected: mean of the years in which the contract pays. A plant with several rows holds a portfolio."
        )
    )
    items.append(
        _or_none(
            page, "Grants", "grant_costs", ["name", "country", "product", "payer", "start_year", "grant_usd", "share_of_capex"], "The same in every scenario."
        )
    )
    columns = ["product", "country", "highest_t", "bought_t", "purchase_usd", "worst_purchase_usd", "worst_scenario", "most_released_t_a"]
    items.append(_or_none(page, "Public stock", "stock_costs", columns, "Purchases are the same tonnes in every scenario, at the price of the scenario."))
    return Section("package", "The package", [], items)


def dependence(page: Page) -> Section:
    """Targets, reliance, losses, map."""
    items: Items = [*security.targets(page.tables)]
    columns = ["target", "kind", "products", "area", "required", "before", "after", "slack", "case", "first_year", "scenario", "met_before", "met", "binding"]
    items.append(Shown("Targets and caps where they are tightest", page.grid("target_summary", columns)))
    items += security.heat(page.tables, page.names)
    columns = ["product", "stage", "source", "direct_before", "direct_after", "true_before", "true_after", "cap"]
    note = (
        "Highest share of use over the periods that targets cover and the scenarios in which they hold. True origin traces feed to the country it comes from."
    )
    items.append(Shown("Reliance on every source, at the border and by true origin", page.grid("reliance_summary", columns), note))
    items += security.outages(page.tables, page.names)
    items += security.world_map(page.tables, page.names)
    return Section("dependence", "Dependence, before and after", [], items)


def supply_chain(page: Page) -> Section:
    """From mine to last product, and who could sell at what cost."""
    items: Items = [*chain.sankey(page.tables, page.names), *chain.merit(page.tables, page.names)]
    columns = ["product", "name", "country", "kind", "cost_usd_t", "full_cost_usd_t", "to_t_a", "sold_t_a", "state"]
    items.append(Shown("Who could sell what, and why they do or don't", page.grid("merit_order", columns), closed=True))
    lead: list[Text] = [] if len(page.tables["merit_order"]) else [("This run was written by an older version and holds no merit order.",)]
    return Section("chain", "The chain, mine to market", lead, items)


def floods_and_bans(page: Page) -> Section:
    """The fan over scenarios and the worst case in words."""
    lead: list[Text] = []
    rows = records(page.tables["endings"])
    for stress, words in ((False, "Of the scenarios that may happen, the dearest is "), (True, "The hardest stress test is ")):
        own = [(n, row) for n, row in enumerate(rows) if bool(row["stress_test"]) is stress]
        if own:
            n, row = max(own, key=lambda entry: entry[1]["cost_usd"])
            lead.append(_ending(page, n, row, words))
    payments = [(n, row) for n, row in enumerate(records(page.tables["member_payments"])) if row["worst_usd_a"] is not None]
    if payments:
        n, row = max(payments, key=lambda entry: entry[1]["worst_usd_a"])
        who, where = page.names.brief("member", row["member"]), page.names.brief("scenario", row["worst_scenario"])
        amount = page.cell("member_payments", n, "worst_usd_a", usd(row["worst_usd_a"], "/a"))
        lead.append(
            (
                f"The largest single payment is {who}'s for {run_word(row['instrument'])}: ",
                amount,
                f", in {where}, from {row['worst_year']}.",
            )
        )
    items: Items = [*outlook.fans(page.tables, page.names)]
    columns = ["name", "probability", "before_cost_usd", "cost_usd", "extra_usd", "before_shortage_t", "shortage_t", "outlay_usd", "idle_plants"]
    note = "Stress tests have no probability: they are played against the finished plan, with targets off."
    items.append(Shown("How every scenario ends, without and with the plan", page.grid("endings", columns), note))
    return Section("scenarios", "If they flood, if they ban", lead, items)


def run_word(code: str) -> str:
    """An instrument in words."""
    return {
        "offtake": "offtake guarantees",
        "support": "production support",
        "grant": "grants",
        "stockpile": "the stockpile",
        "intervention": "unsold goods",
    }.get(code, code)


def _ending(page: Page, n: int, row: dict[str, object], words: str) -> Text:
    def cell(column: str, text: str) -> object:
        return page.cell("endings", n, column, text)

    cost, before, short, short_before = (
        float(str(row[c])) if row[c] is not None else None for c in ("cost_usd", "before_cost_usd", "shortage_t", "before_shortage_t")
    )
    likely = "" if row["stress_test"] else f" ({share(float(str(row['probability'])))} likely)"
    text: list[object] = [f"{words}“{row['name']}”{likely}: it costs ", cell("cost_usd", usd(cost or 0.0)), " with the plan"]
    if before is not None:
        text += [" and ", cell("before_cost_usd", usd(before)), " without"]
    if short is not None and (short > 0 or (short_before or 0) > 0):
        text += ["; users go short by ", cell("shortage_t", mass(short))]
        if short_before is not None:
            text += [" (without the plan ", cell("before_shortage_t", mass(short_before)), ")"]
    return (*text, ".")  # type: ignore[arg-type]


def projects(page: Page) -> Section:
    """What owners earn without and with policy."""
    items: Items = [*money.owners(page.tables)]
    columns = ["name", "country", "product", "capacity_t_a", "outcome", "would_build_anyway", "start_year", "first_output_year", "lead_years", "capex_usd"]
    columns += ["npv_without_usd", "npv_with_usd", "rate", "cover_ratio", "rent_usd", "support_usd"]
    note = (
        "Value to the owner: expected net present value at the hurdle rate, as a merchant at free trade and under the plan. Cover: lowest debt service cover in a bad "
        "scenario. Rent: what support leaves the owner of the plant beyond the return he asks for."
    )
    items.append(Shown("Every candidate", page.grid("projects", columns), note))
    lead: list[Text] = []
    if "rent" in page.figure:
        lead.append(
            (
                page.figure("built_anyway"),
                " of the ",
                page.figure("built"),
                " plants that are built would be built anyway; the policy leaves ",
                page.figure("rent"),
                " of rent with supported owners.",
            )
        )
    return Section("projects", "Would they build anyway?", lead, items)


def hangs_on(page: Page) -> Section:
    """What binds, what is assumed, what was warned of."""
    items: Items = [
        _or_none(
            page,
            "What leaves no room",
            "hangs_on",
            ["kind", "name", "years", "limit", "used"],
            "A target or limit in this list decides the plan: relax it and the plan gets cheaper.",
        )
    ]
    lead: list[Text] = []
    if page.sensitivity is not None and len(page.sensitivity):
        items.append(Shown("Which assumed figures matter", _loose("sensitivity", page.sensitivity)))
    else:
        lead.append(
            (
                "Which assumed figures matter most was not measured in this run. Solve again at both ends of the ranges with “orepact sensitivity INSTANCE --json > FILE”, then give that file to “orepact report RUN --sensitivity FILE”.",
            )
        )
    lead += [(f"Warning: {warning}",) for warning in page.solution.warnings] or [("The instance was read without warnings.",)]
    return Section("hangs", "What it hangs on", lead, items)


def _loose(name: str, table: pd.DataFrame) -> Grid:
    """A table that no schema describes, as it is."""
    columns = tuple(str(c) for c in table.columns)
    numeric = tuple(table[c].dtype.kind in "fi" for c in table.columns)

    def cell(value: object, is_number: bool) -> Cell:
        if value is None or value != value:
            return Cell(NONE, None, is_number)
        return Cell(f"{float(str(value)):,.4g}", float(str(value)), True) if is_number else Cell(str(value), None, False)

    rows = tuple(tuple(cell(v, n) for v, n in zip(row, numeric, strict=True)) for row in table.itertuples(index=False))
    return Grid(name, columns, tuple((c.replace("_", " "), "") for c in columns), numeric, rows)


def every_source(page: Page) -> Section:
    """Where the figures come from, and the run's manifest."""
    items: Items = [*outlook.quality(page.tables)]
    items.append(Shown("How good the input is, table by table", page.grid("sources")))
    items.append(Shown("Sources", page.grid("citations"), closed=True))
    items.append(Shown("Price paths examined, best first", page.grid("paths", most=60), closed=True))
    items.append(Shown("What every figure of the first screen equals", page.grid("key_figures", ["figure", "label", "value", "unit", "source"]), closed=True))
    certificate = getattr(page.solution, "certificate", None)
    if certificate is not None:
        items.append(Shown("The certificate, rule by rule", _loose("certificate", certificate.table()), certificate.sentence(), closed=True))
    if page.files:
        cells = tuple((Cell(name, None, False), Cell(digest, None, False)) for name, digest in sorted(page.files.items()))
        items.append(Shown("The run's manifest", Grid("manifest", ("file", "sha256"), (("file", ""), ("SHA-256", "")), (False, False), cells), closed=True))
    versions = ", ".join(f"{name} {number}" for name, number in sorted(page.solution.result.versions.items()))
    lead: list[Text] = [(f"Computed with {versions}; seed {page.solution.result.seed}. Instance {page.solution.name}, digest {page.solution.digest[:16]}….",)]
    return Section("sources", "Every figure's source", lead, items)


def no_plan(page: Page) -> Section:
    """Why there is nothing to show."""
    items: Items = []
    for name, title in (("conflicts", "Requirements that can't be met together"), ("repairs", "The least that would have to give")):
        if name in page.solution.tables and len(page.solution.tables[name]):
            page.tables[name] = page.solution.table(name)
            items.append(Shown(title, page.grid(name)))
    lead: list[Text] = [(note,) for note in page.solution.notes]
    return Section("why", "Why there is no plan", lead or [("The run says no more than its status.",)], items)


def _or_none(page: Page, title: str, name: str, columns: list[str], note: str = "") -> Shown:
    """A table, or a note that there is nothing of the kind."""
    return Shown(title, page.grid(name, columns), note if len(page.tables[name]) else "None.")


PAGES = (who_pays, package, dependence, supply_chain, floods_and_bans, projects, hangs_on, every_source)
"""The pages in order."""
