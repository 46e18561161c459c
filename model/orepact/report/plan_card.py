"""The plan card: one screen that says what a plan costs, what that buys, who does what and how sure it is.

It reads a `Solution` alone, so a stored run prints the same card. It never relies on colour. Text from instances is
shown as text: it is neither markup nor terminal commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from orepact.report import plan_facts as facts
from orepact.report.diagnosis_lines import conflict_lines, repair_lines
from orepact.report.figures import MASS, MONEY, Units, change, common_unit, count, listing, mass, money, number, plain, share
from orepact.report.plan_proof import headline, proof_lines
from orepact.solution.indicators import REVENUE, period_years
from orepact.solution.solution import Solution

MOST_NAMES = 12
"""Names listed in one line before the rest is only counted."""

MOST_WARNINGS = 5

Cells = Sequence[object]
Section = Callable[[Solution], RenderableType | None]


def plan_card(solution: Solution) -> RenderableType:
    """The card of a plan, or of a run without one (which shows no numbers of a plan)."""
    head = Text(plain(solution.title), style="bold")
    if solution.title != solution.name:
        head.append(f"\n{plain(solution.name)}", style="not bold")
    head.append(f"\n{headline(solution)}", style="not bold")
    if solution.package:
        head.append(f"\n{_fixed(solution.package)}", style="not bold")
    parts: list[RenderableType] = [Panel(head, title="Orepact plan card", title_align="left", padding=(0, 1))]
    for title, section in SECTIONS if solution.has_plan else WITHOUT_PLAN:
        body = section(solution)
        if body is not None:
            parts += [Rule(Text(title, style="bold"), align="left", style="dim"), Padding(body, (0, 0, 1, 2))]
    return Group(*parts)


def _fixed(package: facts.Row) -> str:
    """What was fixed before the solve, and whether anything could be added to it."""
    parts = [count(len(package[name]), name) for name in ("rung", "start", "contract", "grant") if package.get(name)]
    rest = "nothing else was allowed" if package.get("rest") == "none" else "the rest was free to choose"
    return f"Fixed beforehand: {', '.join(parts) or 'nothing'}; {rest}"


def plan_card_text(solution: Solution, width: int = 100) -> str:
    """The card as plain text, at most `width` characters wide, without colour."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, force_terminal=False, legacy_windows=False, emoji=False, markup=False, highlight=False)
    console.print(plan_card(solution))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip() + "\n"


def _lines(lines: Iterable[str]) -> RenderableType | None:
    texts = [Text(line) for line in lines]
    return Group(*texts) if texts else None


def _grid(rows: Iterable[Cells], header: Sequence[str] = (), right: Sequence[int] = (), keep: Sequence[int] = ()) -> RenderableType:
    """A table without lines; columns in `right` are numbers, columns in `keep` never wrap."""
    rows = list(rows)
    width = len(rows[0])
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(header), header_style="dim", pad_edge=False)
    for n in range(width):
        title = Text(header[n]) if header else ""
        table.add_column(title, justify="right" if n in right else "left", no_wrap=n in right or n in keep, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table


def _cost(solution: Solution) -> RenderableType:
    economics, found = solution.settings.economics, solution.indicators
    whose = "the alliance's members" if economics.perimeter == "members" else "the whole zone"
    year = solution.settings.instance.price_base_year
    objective, before = solution.result.objective or 0.0, solution.baseline.get("objective")
    lead = f"Cost to {whose}, expected and discounted at {share(economics.social_rate)} a year, in {year} USD"
    if economics.cvar_weight > 0:
        lead += f"; the worst {share(1 - economics.cvar_level)} of outcomes weigh {share(economics.cvar_weight)}"
    rows: list[Cells] = [("with this plan", money(objective), "")]
    if before is not None:
        relative = f"{100 * (objective - before) / abs(before):+.2f} %" if before else ""
        rows = [("without policy", money(before), ""), *rows, ("difference", change(objective - before), relative)]
    parts: list[RenderableType] = [Text(f"{lead}:"), Padding(_grid(rows, right=(1, 2), keep=(0,)), (0, 0, 0, 2))]
    changes = [f"{name.replace('_', ' ')} {change(after - without)}" for name, without, after in facts.cost_changes(solution)]
    if changes:
        parts.append(Text(f"What changes most: {', '.join(map(plain, changes))}."))
    if buys := _buys(found):
        parts.append(Text(f"What that buys: {buys}."))
    if boards := _boards(found):
        parts += [Text("Three scoreboards, counted from three sides and never added:"), Padding(_grid(boards, right=(1,), keep=(0,)), (0, 0, 0, 2))]
    return Group(*parts)


def _buys(found: facts.Row) -> str:
    buys = []
    if found.get("targets"):
        met = f"{found['targets_met']:.0f} of {count(int(found['targets']), 'target or cap', 'targets and caps')} met"
        buys.append(met + (f" (without policy {found['targets_met_before']:.0f})" if "targets_met_before" in found else ""))
    if "shortage_before_t" in found:
        avoided = found["shortage_before_t"] - found["shortage_t"]
        buys.append(f"{mass(avoided)} of expected shortage avoided ({mass(found['shortage_before_t'])} → {mass(found['shortage_t'])})")
    return "; ".join(buys)


def _boards(found: facts.Row) -> list[Cells]:
    boards: list[Cells] = []
    if "extra_cost_usd" in found:
        boards.append(("welfare", change(found["extra_cost_usd"]), "cost of the plan less cost without policy"))
    if "public_outlay_usd" in found:
        boards.append(
            (
                "budgets",
                money(found["public_outlay_usd"]),
                f"spent by the members' treasuries; {money(found['public_revenue_usd'])} comes in from levies and stock",
            )
        )
    if "user_bill_usd" in found and "user_bill_before_usd" in found:
        after, before = found["user_bill_usd"], found["user_bill_before_usd"]
        boards.append(("users", change(after - before), f"on what they pay for their demand ({money(before)} → {money(after)})"))
    return boards


def _instruments(solution: Solution) -> RenderableType:
    measures = facts.measures(solution)
    free = facts.free_products(solution)
    parts: list[RenderableType] = []
    if measures:
        parts.append(_grid([(measure.instrument, measure.line) for measure in measures], keep=(0,)))
    else:
        parts.append(Text("None: free trade, no contracts, no grants, no stock."))
    if measures and free:
        parts.append(Text(f"Free trade throughout: {listing([plain(name) for name in free], MOST_NAMES)}"))
    return Group(*parts)


_KINDS = {"zone_share": "zone share", "activity_share": "activity share", "reliance_cap": "reliance cap", "n_minus_1": "N-1", "stock_days": "days of stock"}


def _targets(solution: Solution) -> RenderableType | None:
    rows: list[Cells] = []
    for line in facts.target_lines(solution):
        show = (lambda days: f"{number(days)} d") if line.in_days else share
        required = f"{'≤' if line.is_cap else '≥'} {show(line.required)}"
        before = "–" if line.before is None else show(line.before)
        mark = "MISSED" if line.missed else "binds" if line.binding else "met"
        if line.asked is not None:
            mark = f"BENT, {show(line.asked)} asked"
        rows.append((line.target, _KINDS.get(line.kind, line.kind), required, f"{before} → {show(line.after)}", show(line.slack), mark, line.tightest))
    if not rows:
        return None
    return _grid(rows, ("target", "kind", "required", "before → after", "slack", "", "tightest"), right=(2, 3, 4), keep=(1, 5))


def _plants(solution: Solution) -> RenderableType:
    plants = facts.records(solution.table("facilities"))
    names = {row["facility"]: plain(row["name"] or row["facility"]) for row in plants}
    candidates = [row for row in plants if row["status"] == "candidate"]
    built = sorted((row for row in candidates if row["built"]), key=lambda row: (row["start_year"], row["facility"]))
    anyway = [row for row in built if row["would_build_anyway"]]
    supported = [row for row in plants if row["supported"]]
    lines = [
        f"{len(built)} of {count(len(candidates), 'candidate')} built, {len(anyway)} of which would be built without policy; {count(len(supported), 'plant')} supported"
    ]
    if built:
        starts = [f"{names[row['facility']]} {row['start_year']}" for row in built]
        lines.append(f"Built: {listing(starts, MOST_NAMES)}")
    kept_out = [names[row["facility"]] for row in plants if row["kept_out"]]
    lines.append(f"Kept out (could pay their way, not built): {listing(kept_out, MOST_NAMES) or 'none'}")
    idle = [f"{names[row['facility']]} ({mass(row['idle_in_normal_t_a'], '/a')})" for row in plants if row["idle_in_normal_t_a"] > 1e-6]
    lines.append(f"Idle for want of feed in a normal scenario: {listing(idle, MOST_NAMES) or 'none'}")
    rents = sorted((row for row in supported if row["rent_usd"] > 0), key=lambda row: -row["rent_usd"])
    if rents:
        whole = sum(row["rent_usd"] for row in rents)
        lines.append(f"Rent left with supported owners: {money(whole)}, most to {names[rents[0]['facility']]} ({money(rents[0]['rent_usd'])})")
    return _lines(lines) or Text("")


_INSTRUMENTS = {"levy": "levy revenue", "release": "stock released", "intervention": "buying glut"}


def _payers(solution: Solution) -> RenderableType | None:
    lines = facts.payments(solution)
    if not lines:
        return Text("Nobody: the plan needs no public money.")
    rows = [
        (
            line.member,
            _INSTRUMENTS.get(line.instrument, line.instrument),
            money(line.expected, "/a"),
            "" if line.instrument in REVENUE else money(line.worst, "/a"),
            line.worst_in,
        )
        for line in lines
    ]
    span = sum(period_years(solution.settings).values())
    return _grid(rows, ("member", "instrument", f"mean of {count(span, 'year')}", "worst year", "worst in"), right=(2, 3), keep=(0, 1))


def _binding(solution: Solution) -> RenderableType:
    found = facts.binding(solution)
    more = [f"and {len(found) - MOST_NAMES} more"] if len(found) > MOST_NAMES else []
    return _lines([*map(plain, found[:MOST_NAMES]), *more]) or Text("Nothing: every target, cap and limit has room left.")


def _endings(solution: Solution) -> RenderableType | None:
    lines = facts.worst_endings(solution)
    if not lines:
        return None
    costs = [(line.cost_before, line.cost) for line in lines]
    shortages = [(line.shortage_before, line.shortage) for line in lines]
    chances = ["stress test" if line.stress_test else share(line.probability) for line in lines]
    idle = [number(line.idle_plants) for line in lines]
    (dollars, cost), (tonnes, shortage) = _before_after(costs, MONEY), _before_after(shortages, MASS)
    header = ("\nscenario", "\nchance", f"cost, {dollars}\nbefore → after", f"shortage, {tonnes}\nbefore → after", "idle\nplants")
    rows = zip((line.name for line in lines), chances, cost, shortage, idle, strict=True)
    return _grid(rows, header, right=(1, 2, 3, 4))


def _before_after(pairs: Sequence[tuple[float | None, float]], units: Units) -> tuple[str, list[str]]:
    """Pairs of figures in the one unit that suits them all, and that unit."""
    unit, size = common_unit([value for pair in pairs for value in pair if value is not None], units)
    return unit, [("" if before is None else f"{number(before / size)} → ") + number(after / size) for before, after in pairs]


def _inputs(solution: Solution) -> RenderableType | None:
    tables = [row for row in facts.records(solution.table("sources")) if row["figures"]]
    if not tables or "assumed_share" not in solution.indicators:
        return None
    figures = sum(row["figures"] for row in tables)
    worst = sorted(tables, key=lambda row: -row["assumed_share"] * row["figures"])[:4]
    most = [f"{plain(row['table'])} ({share(row['assumed_share'])} of {row['figures']:,})" for row in worst if row["assumed_share"] > 0]
    line = f"{share(solution.indicators['assumed_share'])} of {figures:,} figures are assumed"
    return Text(f"{line}; most of them in {', '.join(most)}." if most else f"{line}.")


def _notes(solution: Solution) -> RenderableType | None:
    return _lines(map(plain, solution.notes))


def _bent(solution: Solution) -> RenderableType | None:
    found = solution.diagnosis
    return None if found is None or found.bent is None else _lines(plain(step.sentence) for step in found.bent.steps)


def _conflict(solution: Solution) -> RenderableType | None:
    return None if solution.diagnosis is None else _lines(map(plain, conflict_lines(solution.diagnosis)))


def _repairs(solution: Solution) -> RenderableType | None:
    return None if solution.diagnosis is None else _lines(map(plain, repair_lines(solution.diagnosis)))


def _warnings(solution: Solution) -> RenderableType | None:
    shown = [plain(text) for text in solution.warnings[:MOST_WARNINGS]]
    more = len(solution.warnings) - len(shown)
    return _lines([*shown, f"and {more} more; solution.json lists them all"] if more > 0 else shown)


def _proof(solution: Solution) -> RenderableType | None:
    return _lines(map(plain, proof_lines(solution)))


SECTIONS: tuple[tuple[str, Section], ...] = (
    ("Rules bent for this plan", _bent),
    ("What it costs, and what that buys", _cost),
    ("Read this first", _notes),
    ("Instruments", _instruments),
    ("Targets and caps", _targets),
    ("Plants", _plants),
    ("Who pays", _payers),
    ("What binds", _binding),
    ("How the worst scenarios end", _endings),
    ("How good the input is", _inputs),
    ("Warnings about the input", _warnings),
    ("What can't all hold as asked", _conflict),
    ("What would give a plan", _repairs),
    ("Proof", _proof),
)

WITHOUT_PLAN: tuple[tuple[str, Section], ...] = (
    ("Why", _notes),
    ("What can't all hold", _conflict),
    ("What would give a plan", _repairs),
    ("Warnings about the input", _warnings),
    ("What was tried", _proof),
)
