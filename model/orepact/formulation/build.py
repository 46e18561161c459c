"""Build the whole model: the parts, in order, on one model."""

from __future__ import annotations

from dataclasses import dataclass

from orepact.formulation.activity import add_activity
from orepact.formulation.balance import add_balance
from orepact.formulation.case import Case
from orepact.formulation.choice import add_choice
from orepact.formulation.cost import add_cost
from orepact.formulation.demand import add_demand
from orepact.formulation.imports import add_imports
from orepact.formulation.ledger import Ledger
from orepact.formulation.model import Model
from orepact.formulation.owners import add_owners
from orepact.formulation.stockpile import add_stockpile
from orepact.formulation.surplus import add_surplus
from orepact.formulation.targets.outage import add_outage
from orepact.formulation.targets.reliance import add_reliance
from orepact.formulation.targets.shares import add_shares
from orepact.formulation.targets.stock_days import add_stock_days
from orepact.formulation.trade import add_trade
from orepact.formulation.treasury import add_treasury
from orepact.formulation.want import add_want

WITH_COSTS = (add_owners, add_activity, add_imports, add_trade, add_surplus, add_demand, add_stockpile, add_treasury)
"""Parts that may cost something, after the choice of path."""

RULES_ONLY = (add_want, add_balance, add_shares, add_reliance, add_outage, add_stock_days)
"""Parts that only tie others together."""

PARTS = (add_choice, *WITH_COSTS, *RULES_ONLY, add_cost)
"""Everything, in order; the mathematics page is built from their modules."""


@dataclass(frozen=True)
class Built:
    """A model with the case it was built from and the named costs behind its objective."""

    model: Model
    case: Case
    ledger: Ledger


def build(case: Case) -> Built:
    """Build the model of a case."""
    model, ledger = Model(), Ledger()
    add_choice(model, case)
    for part in WITH_COSTS:
        part(model, case, ledger)
    for rule in RULES_ONLY:
        rule(model, case)
    add_cost(model, case, ledger)
    return Built(model, case, ledger)
