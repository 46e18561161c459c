"""What could stand in the way of a plan: the user's inputs one by one.

Dropping a rule makes the question at least as easy as any value of it would. Easing is by `cell` (the elastic model says how far),
or by `steps` in rising order of effort (years, shares of a menu), of which the first that works is looked for.
"""

from __future__ import annotations

from orepact.instance.instance import Instance
from orepact.market.world import World
from orepact.solver.diagnosis import policy_rules, world_rules
from orepact.solver.diagnosis.rule import Rule


def rules_of(instance: Instance, world: World, market: bool) -> list[Rule]:
    """Every rule that a planner meets (`market` False), or owners and treasuries too; what is not the alliance's to decide first."""
    found = [
        *world_rules.nobody(world),
        *world_rules.supply(world),
        *world_rules.routes(world),
        *world_rules.missing_routes(world),
        *world_rules.capacity(world),
        *world_rules.timing(world),
        *policy_rules.stocks(world),
    ]
    if market:
        found = [
            *world_rules.owners(instance),
            *found,
            *policy_rules.menu(world),
            *policy_rules.grants(instance, world),
            *policy_rules.refusals(world),
            *policy_rules.budgets(world),
            *policy_rules.contributions(world),
        ]
    return [*found, *policy_rules.targets(world)]
