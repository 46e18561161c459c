"""Why there is no plan, from the run's outcome to a plain `Diagnosis`: the conflict, then repairs, within a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orepact.instance.changes import Change, line_of, new_value, old_value, sentence
from orepact.instance.instance import Instance
from orepact.instance.package import Package
from orepact.instance.ranges import SETTINGS
from orepact.instance.settings import FILE
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import World, world_of
from orepact.options import SolveOptions
from orepact.solver.clock import Clock
from orepact.solver.diagnosis.conflict import irreducible
from orepact.solver.diagnosis.diagnosis import Conflict, Diagnosis, Place, Repair, Step
from orepact.solver.diagnosis.oracle import PLANNER, Oracle, OutOfTimeError
from orepact.solver.diagnosis.repairs import Found, Repairer
from orepact.solver.diagnosis.rule import Rule
from orepact.solver.diagnosis.rules import rules_of
from orepact.solver.examine import Record
from orepact.solver.result import Status

WORK = 20_000
"""Plants × periods × scenarios × paths looked at: all paths of a small instance, the most promising ones of a large one."""

FEWEST_PATHS = 4
MOST_REPAIRS = 8

CHECK = 0.25
"""Share of its time after which a diagnosis leaves it at the conflict it has found."""

LEFT_ASIDE = ("targets", "budgets", "contributions")
"""Groups of rules that a package need not meet."""


def diagnose(
    instance: Instance, status: Status, records: Sequence[Record], options: SolveOptions, clock: Clock, package: Package | None = None
) -> tuple[Diagnosis, tuple[Found, ...]]:
    """The diagnosis of a run that ended infeasible or without a plan, and the repairs as changes that can be made.

    `records` are the paths the run examined. Where the clock runs out, what is known so far is said. A `package` stays as it is, and the
    targets, caps and budgets are left aside: without them, too, it has no plan.
    """
    world = world_of(instance)
    paths = nearest(records, world) or [Market(world).free]
    planner = options.behaviour == "planner"
    asked = Oracle(instance, options, clock, None if planner or (status is Status.INFEASIBLE and package is None) else paths, package)
    wanted = Oracle(instance, options, clock, None if planner else paths, package)
    scope = "even with free prices and willing owners" if asked.paths is None else _scope(len(paths), len(records))
    scope += " with the package as it is, targets, caps and budgets left aside" if package is not None else ""
    conflict: list[Rule] = []
    found: list[Found] = []
    notes: list[str] = []
    whole = False
    try:
        if asked.plan() is not None:
            where = asked.plan()
            notes.append(f"There is a plan ({_where(where)}): the run stopped before it was found. Give it more time.")
        else:
            rules = [rule for rule in rules_of(instance, world, asked.paths is not None) if package is None or rule.group not in LEFT_ASIDE]
            holds = Permitted(asked)
            least = irreducible(rules, holds)
            if least is None and asked.invalid:
                notes.append(f"No conflict could be isolated: an instance with its limits given up is not valid. {asked.invalid[0]}")
            elif least is None:
                missing = "something is missing altogether" if package is None else "what the package fixes can't be, or something is missing altogether"
                notes.append(f"Even with every target, limit, capacity, route and supply figure given up there is no plan: {missing}.")
                notes += [str(problem) for problem in instance.warnings]
            else:
                conflict, whole = least, True
                while clock.seconds < CHECK * clock.limit and any(holds([rule]) for rule in reversed(rules) if rule not in conflict):
                    conflict = irreducible(rules, holds) or conflict
                _repair(Repairer(wanted), conflict, rules if package is not None else rules_of(instance, world, wanted.paths is not None), found)
                if not found:
                    notes.append("No change of one or two of these figures was found that gives a plan.")
    except OutOfTimeError:
        notes.append(
            f"The diagnosis stopped at its time limit of {clock.limit:g} s; " + ("what it had found is shown." if conflict else "no conflict was isolated.")
        )
    found = sorted(found, key=lambda repair: repair.ease.effort)[:MOST_REPAIRS]
    return Diagnosis(
        status=status.value,
        scope=scope,
        conflicts=tuple(_conflict(instance, rule) for rule in sorted(conflict, key=lambda rule: not rule.decided)),
        irreducible=whole,
        repairs=tuple(_written(instance, repair) for repair in found),
        notes=tuple(notes),
        seconds=clock.seconds,
        solves=asked.solves + wanted.solves,
    ), tuple(found)


class Permitted:
    """Whether there is a plan when rules may be left aside: who may need not, so what gives a plan still does so among more.

    That matters where a rule is dropped by changing the world: with more supply, say, users may no longer go short, and a plan is lost.
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._plans: list[list[Rule]] = []

    def __call__(self, rules: Sequence[Rule]) -> bool:
        if any(all(rule in rules for rule in plan) for plan in self._plans):
            return True
        found = self._oracle.without(rules) is not None
        if found:
            self._plans.append(list(rules))
        return found


@dataclass(frozen=True)
class Bending:
    """A repair to be made for the nearest plan: the changes, the diagnosis that names it, and the figures asked by (table, name) of the solution."""

    diagnosis: Diagnosis
    changes: tuple[Change, ...]
    asked: dict[tuple[str, str], float]


def bent(diagnosis: Diagnosis, repairs: Sequence[Found]) -> Bending:
    """The repair to bend by: the least that the alliance decides by itself, else the least."""
    n = next((n for n, repair in enumerate(diagnosis.repairs) if repair.decided), 0)
    asked = {}
    for rule in repairs[n].rules:
        if rule.name is not None:
            asked[rule.name] = rule.figure
    return Bending(replace(diagnosis, bent=diagnosis.repairs[n]), repairs[n].ease.changes, asked)


def _repair(repairer: Repairer, conflict: Sequence[Rule], rules: Sequence[Rule], found: list[Found]) -> None:
    """Collect repairs in `found`, so that they are there if the clock runs out."""
    for repair in repairer.single(conflict):
        found.append(repair)
    if not found:
        for repair in repairer.several(conflict, rules):
            found.append(repair)


def nearest(records: Sequence[Record], world: World) -> list[Path]:
    """Paths to look at, those that miss the least first."""
    size = max(1, len(world.plants) * world.horizon.periods * len(world.scenarios))
    ranked = sorted(records, key=lambda r: (r.missed is None, r.missed or 0.0))
    return [r.path for r in ranked[: max(FEWEST_PATHS, WORK // size)]]


def _scope(used: int, examined: int) -> str:
    return f"on all {used} price paths examined" if used == examined else f"on the {used} price paths nearest to a plan, of {examined} examined"


def _where(where: Path | str | None) -> str:
    return PLANNER if where == PLANNER or not isinstance(where, Path) else f"price path: {where.label}"


def _place(instance: Instance, table: str, row: int | None, column: str) -> Place:
    file = FILE if table == SETTINGS else f"{table}.csv"
    value = "" if row is None and table != SETTINGS else old_value(instance, Change(table, row, column))
    return Place(file, line_of(instance, table, row), column, value)


def _conflict(instance: Instance, rule: Rule) -> Conflict:
    return Conflict(rule.words, rule.decided, tuple(_place(instance, rule.table, row, column) for row, column in rule.places))


def _written(instance: Instance, found: Found) -> Repair:
    steps = tuple(Step(_place(instance, c.table, c.row, c.column), new_value(c), sentence(instance, c)) for c in found.ease.changes)
    words = "; ".join(rule.words for rule in found.rules)
    where = f"solved again: a plan on {_where(found.where)}" if isinstance(found.where, Path) else "solved again: the planner has a plan"
    return Repair(words, found.ease.effort, all(rule.decided for rule in found.rules), steps, where)
