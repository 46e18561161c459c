"""How long it takes to get a Pyomo model into HiGHS: our hand-over against the usual ways, in one run.

    python benchmarks/handover.py [--products 40] [--repeats 3]

Every way gets the same synthetic supply network (plants with build decisions, trade between nodes, scenarios) and stops
before solving. Times are processor seconds, the least of the repeats; the ratio is to ours.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.contrib.appsi.solvers.highs import Highs as AppsiHighs
from pyomo.contrib.solver.solvers.highs import Highs as ContribHighs

from orepact.solver.handover import compile_matrix
from orepact.solver.highs import Session


def supply_network(products: int, nodes: int = 8, scenarios: int = 10, periods: int = 5, seed: int = 1) -> pyo.ConcreteModel:
    """Three plants per product that may be built in any period; imports, trade around a ring of nodes and shortage."""
    draw = np.random.default_rng(seed)
    plants, K, N, T, W = range(3 * products), range(products), range(nodes), range(periods), range(scenarios)
    product, node = draw.integers(0, products, len(plants)), draw.integers(0, nodes, len(plants))
    capacity, capex = draw.uniform(50, 200, len(plants)), draw.uniform(500, 4000, len(plants))
    price, demand = draw.uniform(3, 9, (products, periods, scenarios)), draw.uniform(10, 60, (products, nodes, periods))
    makers: dict[tuple[int, int], list[int]] = {(k, n): [] for k in K for n in N}
    users: dict[tuple[int, int], list[int]] = {(k, n): [] for k in K for n in N}
    for f in plants:
        makers[int(product[f]), int(node[f])].append(f)
        users[(int(product[f]) - 1) % products, int(node[f])].append(f)
    m = pyo.ConcreteModel()
    with PauseGC():
        m.built = pyo.Var(plants, T, domain=pyo.Binary)
        m.output = pyo.Var(plants, T, W, domain=pyo.NonNegativeReals)
        m.imported = pyo.Var(K, N, T, W, domain=pyo.NonNegativeReals)
        m.moved = pyo.Var(K, N, T, W, domain=pyo.NonNegativeReals)
        m.short = pyo.Var(K, N, T, W, domain=pyo.NonNegativeReals)
        m.once = pyo.Constraint(plants, rule=lambda m, f: sum(m.built[f, t] for t in T) <= 1)
        m.capacity = pyo.Constraint(plants, T, W, rule=lambda m, f, t, w: m.output[f, t, w] <= capacity[f] * sum(m.built[f, s] for s in range(t + 1)))
        m.balance = pyo.Constraint(
            K,
            N,
            T,
            W,
            rule=lambda m, k, n, t, w: (
                sum(m.output[f, t, w] for f in makers[k, n])
                + m.imported[k, n, t, w]
                + m.moved[k, n, t, w]
                - m.moved[k, (n + 1) % nodes, t, w]
                + m.short[k, n, t, w]
                == demand[k, n, t] + sum(0.3 * m.output[f, t, w] for f in users[k, n])
            ),
        )
        m.cost = pyo.Objective(
            expr=sum(capex[f] * m.built[f, t] for f in plants for t in T)
            + sum(2 * m.output[f, t, w] for f in plants for t in T for w in W)
            + sum(price[k, t, w] * m.imported[k, n, t, w] + 0.1 * m.moved[k, n, t, w] + 40 * m.short[k, n, t, w] for k in K for n in N for t in T for w in W)
        )
    return m


def ours(model: pyo.ConcreteModel) -> None:
    """Standard-form compiler and one call."""
    Session(compile_matrix(model))


def pyomo_appsi(model: pyo.ConcreteModel) -> None:
    """`SolverFactory("appsi_highs")`, up to the solve."""
    AppsiHighs().set_instance(model)


def pyomo_default(model: pyo.ConcreteModel) -> None:
    """`SolverFactory("highs")`, up to the solve."""
    ContribHighs().set_instance(model)


def lp_file(model: pyo.ConcreteModel) -> None:
    """Written to an LP file and read back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.lp"
        model.write(str(path))
        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        highs.setOptionValue("output_flag", False)
        highs.readModel(str(path))


WAYS: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    "orepact": ours,
    "LP file": lp_file,
    "Pyomo highs": pyomo_default,
    "Pyomo appsi_highs": pyomo_appsi,
}


def least_seconds(way: Callable[[pyo.ConcreteModel], None], model: pyo.ConcreteModel, repeats: int) -> float:
    """Processor seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        gc.collect()
        began = time.process_time()
        way(model)
        times.append(time.process_time() - began)
    return min(times)


def main(arguments: list[str] | None = None) -> int:
    """Measure every way and print the table; 1 if ours isn't the fastest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", type=int, default=40, help="size of the model; 40 gives about 55,000 columns")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args(arguments)
    began = time.process_time()
    model = supply_network(asked.products)
    built = time.process_time() - began
    size = compile_matrix(model).size()
    print(", ".join(f"{count:,} {what}" for what, count in size.items()), f"; built in {built:.2f} s", sep="")
    seconds = {name: least_seconds(way, model, asked.repeats) for name, way in WAYS.items()}
    print(f"{'hand-over':20}{'seconds':>9}{'ratio':>8}")
    for name, taken in seconds.items():
        print(f"{name:20}{taken:9.2f}{taken / seconds['orepact']:8.1f}")
    return 0 if min(seconds, key=lambda name: seconds[name]) == "orepact" else 1


if __name__ == "__main__":
    sys.exit(main())
