"""Which instruments the cheapest package of magnet-rare-earths uses when one input changes at a time.

    python benchmarks/variants.py [--time-limit SECONDS]

Budgets and the premium of public money go to the ends of their ranges; flooding becomes half as likely again, at the expense of the
likeliest scenario; reference prices, or contracts, are taken off the menu. Solved to 0.2 %. An instrument that no variant uses is named as such.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import orepact

MAGNET = Path(__file__).parent.parent / "instances" / "magnet-rare-earths"
FLOOD = "flood"


def likelier_flood(instance: orepact.Instance) -> orepact.Instance:
    """Half as likely again; the likeliest other scenario gives."""
    rows = [{str(column): cell for column, cell in row.items()} for row in instance.table("scenarios").to_dict("records")]
    flood = next(row for row in rows if row["scenario"] == FLOOD)
    likeliest = max((row for row in rows if row is not flood), key=lambda row: float(row["probability"]))
    more = 0.5 * float(flood["probability"])
    flood["probability"] += more
    likeliest["probability"] -= more
    return instance.with_tables({"scenarios": rows})


def without_floors(instance: orepact.Instance) -> orepact.Instance:
    """Tariffs only; the user's own paths go with the rungs they name."""
    table = instance.table("ladder")
    return instance.with_tables({"ladder": table[table["kind"] == "tariff"], "price_paths": []})


VARIANTS: dict[str, Callable[[orepact.Instance], orepact.Instance]] = {
    "central case": lambda given: given,
    "tight budgets": lambda given: given.with_ranges({"budget": "low"}),
    "dear public money": lambda given: given.with_ranges({"public_money": "high"}),
    "free public money": lambda given: given.with_ranges({"public_money": "low"}),
    "flooding likelier": likelier_flood,
    "no floors allowed": without_floors,
    "no contracts allowed": lambda given: given.with_tables({"contracts": []}),
}


def used(solution: orepact.Solution, instance: orepact.Instance) -> dict[str, int]:
    """How often each instrument is used: products with a rung of a kind, contracts by instrument, grants, stocks bought."""
    kinds = {(r["product"], r["rung"]): r["kind"] for r in instance.table("ladder").to_dict("records")}
    found: dict[str, int] = dict.fromkeys((*sorted(set(kinds.values())), "offtake", "support", "grant", "stockpile"), 0)
    rungs = solution.table("rungs")
    for product, rung in set(zip(rungs["product"], rungs["rung"], strict=True)):
        if (product, rung) in kinds:
            found[kinds[product, rung]] += 1
    for instrument, number in solution.table("contracts")["instrument"].value_counts().items():
        found[str(instrument)] += int(number)
    found["grant"] = len(solution.table("grants"))
    stock = solution.table("stock")
    found["stockpile"] = int(stock.loc[stock["purchase_t_a"] > 1e-6, "product"].nunique()) if len(stock) else 0
    return found


def main() -> None:
    """Solve every variant and print one row each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--time-limit", type=float, default=600.0)
    asked = parser.parse_args()
    central = orepact.read(MAGNET)
    options = orepact.SolveOptions(gap=0.002, time_limit=asked.time_limit, stress=False, progress=False)
    ever: dict[str, int] = {}
    for name, change in VARIANTS.items():
        instance = change(central)
        solution = orepact.solve(instance, options)
        result = solution.result
        cost = "no plan" if result.objective is None else f"{result.objective / 1e6:,.0f} MUSD, gap {result.gap:.2%}"
        print(f"{name:<22}{result.status.value:<11}{cost:<30}{result.seconds:6.0f} s", flush=True)
        if result.objective is not None:
            number = used(solution, central)
            ever = {instrument: ever.get(instrument, 0) + n for instrument, n in number.items()}
            print("  " + ", ".join(f"{instrument} {n}" for instrument, n in number.items()), flush=True)
    print("never used: " + (", ".join(instrument for instrument, n in ever.items() if n == 0) or "none"))


if __name__ == "__main__":
    main()
