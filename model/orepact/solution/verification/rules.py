"""The rules of the certificate: what each says, in the order in which they are checked.

`law` is the formula as a person reads it; docs/trust.md shows this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Rule:
    """One rule: its name in the certificate, the part of the plan it is about, and what it says."""

    name: str
    part: str
    law: str


_RULES = (
    Rule("instance", "files", "the instance is the one that was solved: the digest of every table and of the settings is the one stated"),
    Rule("rows", "files", "every row that the format promises is there once, its codes are the instance's, and nothing is negative that can't be"),
    Rule("price path", "prices", "every rung is offered in its period (years, legal limit), moves at most max_step steps, and only in revision years; the user's own paths and packages are taken as given"),
    Rule("prices", "prices", "P = max(π, F), π (1 + rate) or π by the kind of rung, π from the price table, cases and shocks; planner: weights of the rungs offered add up to 1"),
    Rule("margins", "prices", "μ = Σ a P + premium − opex for every plant that stands, and it runs where μ >= 0"),
    Rule("price of a flow", "prices", "what each flow states per tonne: π + (1 − ρ)(P − π) or P paid for imports, P or π inside the zone, (1 − discount) π or resale · π outside"),
    Rule("demand", "demand", "D = D0 (P / π)^−ε at every place"),
    Rule("shortage", "demand", "users go without only outside normal scenarios, or where bands and routes can't bring enough; within their blocks of demand"),
    Rule("starts", "owners", "a candidate starts once, in a year it may, soon enough for output in the horizon; its capital cost, first output and terms are the table's"),
    Rule("weights", "owners", "the shares of a plant's plan add up to 1 where it stands, to 0 where it doesn't, at the one start"),
    Rule("menu", "owners", "every contract and grant is one that this plant may be offered by that payer: product, country, refusals, own treasury, stock to fill; none for plants that free trade would build"),
    Rule("contracted volume", "owners", "min share · capacity · weight <= h <= max share · capacity · weight; an existing plant's contract without a smallest share: all of it"),
    Rule("grant limit", "owners", "g <= aid limit · capital cost · weight"),
    Rule("participation", "owners", "a0 w + a1 h + a2 g >= 0: every part of the plan is worth it to the owner at its hurdle rate"),
    Rule("rent cap", "owners", "a0 w + a1 h + a2 g <= rent cap · capital cost · w for every supported part"),
    Rule("lenders", "owners", "cap m~ w + ad~ h + ds B g >= ds B capex w in every downside scenario and tested period, for every part"),
    Rule("idling paid for", "owners", "what standing idle costs leaves the owner's NPV and the lenders' surplus at 0 or more"),
    Rule("duty to build", "owners", "entry = duty: whoever earns its cost without support at the chosen prices is built at the earliest such start or before"),
    Rule("package", "owners", "what `orepact evaluate` was told to fix is as it was fixed"),
    Rule("owners' figures", "owners", "stated NPV, NPV without policy, rent, cover, 'kept out', 'would build anyway' and mean output"),
    Rule("running", "plants", "output + idle = A cap [μ >= 0] w + extra h: whoever covers its cash cost runs; planner: output <= A cap"),
    Rule("idling", "plants", "a plant stands idle only where its feed is cut, or a feed is short, all of it is bought and none leaves"),
    Rule("balance", "goods", "made + imports + in + shortage + release = used + out + D + purchases + exports + glut + overflow at every place"),
    Rule("balance stated", "goods", "every column of the stated balance is the sum of the plants, flows and stocks behind it"),
    Rule("own output only", "goods", "out + exports + glut + overflow <= what the place's plants make"),
    Rule("routes", "goods", "goods move on listed routes within their capacity; pooled ones between the two hubs"),
    Rule("supply", "goods", "a source sells no more than it has, and only where the rung leaves it in the money"),
    Rule("shares of sources", "goods", "(σ − b) imports <= im_o <= (σ + b) imports in normal scenarios, where cuts and short feed don't lift the limits"),
    Rule("surplus", "goods", "exports within their limit; exports and overflow only where P = π, glut only where P > π"),
    Rule("stock", "stock", "level = previous + n (purchases − release), within the largest level; purchases within their limit, none where refused, the same in every scenario; releases only outside normal scenarios"),
    Rule("contracted for stock", "stock", "purchases cover the tonnes of contracts that are stockpiled"),
    Rule("payments", "money", "every payment by member, instrument and plant: A^T s h for contracts, grants over the period's years, glut, purchases, levies ρ (P − π), releases"),
    Rule("contract figures", "money", "stated terms, expected and worst payments, volumes and grants add up from the offers signed"),
    Rule("budgets", "money", "spending + grants / n <= limit for every budget, period and scenario that may happen"),
    Rule("contribution keys", "money", "a member's discounted expected spending is within the tolerance of its key"),
    Rule("zone shares", "targets", "net zone supply >= v · USE, and what is stated"),
    Rule("activity shares", "targets", "gross output of the activity >= v · USE, and what is stated"),
    Rule("reliance caps", "targets", "imports of one source, looked through to the origin of feed, and use moved abroad <= v · USE, and what is stated"),
    Rule("N-1", "targets", "what is left without a country or group >= v · USE at every stage, and what is stated"),
    Rule("stock days", "targets", "stock >= v / 365 · USE, and what is stated"),
    Rule("reliance", "targets", "stated direct and look-through reliance on every source"),
    Rule("cost terms", "objective", "every term of the cost by period and scenario, from amounts and prices"),
    Rule("objective", "objective", "the terms add up to the cost of every scenario, and these to the objective (worst outcomes weighted as asked)"),
    Rule("second accounting", "objective", "users, plants, treasuries, dealers, carriers and foreign owners together lose what the objective says: surpluses plus transfers equal resource cost"),
    Rule("bound", "objective", "bound <= objective, and the stated gap is theirs"),
    Rule("scenarios", "summary", "stated probability, flags, cost, shortage, spending and idle plants of every scenario"),
    Rule("indicators", "summary", "the scoreboards follow from the tables"),
    Rule("baseline", "summary", "the stated cost terms of the world without policy add up to its stated objective"),
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _RULES})
"""Every rule by name, in order."""

NOT_CHECKED = (
    "that no cheaper plan exists: the bound is the solver's word (orepact solve --confirm asks another one)",
    "the quantities behind the world without policy (columns and indicators of before): only its costs are checked, for adding up",
    "tables made for reports: prices, supply, additional, outages, origins, recipes, products, countries",
    "the list of price paths examined",
    "the table `limits` beyond budgets and contribution keys: it repeats figures checked elsewhere",
    "how good the input is, citations, notes and warnings",
)
"""What no certificate covers."""
