"""How long a real model takes until it is ready in HiGHS: our arrays against the same model in Pyomo, in one run.

    python benchmarks/handover.py [INSTANCE] [--paths 1] [--repeats 3]

The one model over an instance's first listed price paths (0: all). Ours builds it, whole, and passes its matrix. The others get that
matrix as a present: they only write it as a Pyomo model and hand that over, in each of the usual ways. All stop before solving; prices
and owners' offers are known before. Times are processor seconds, the least of the repeats; the ratio is to ours.
Ends with 1 if ours isn't the fastest.
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
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers.highs import Highs as AppsiHighs
from pyomo.contrib.solver.solvers.highs import Highs as ContribHighs

from methods.job import Job
from methods.listed import listed
from orepact.formulation.build import build
from orepact.formulation.case import Case
from orepact.solver.highs import Session
from orepact.solver.in_pyomo import in_pyomo
from orepact.solver.matrix import matrix_of

BASKET = Path(__file__).parent.parent / "instances" / "alliance-basket"


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


THROUGH_PYOMO: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    "LP file": lp_file,
    "Pyomo highs": pyomo_default,
    "Pyomo appsi_highs": pyomo_appsi,
}


def least_seconds(way: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        gc.collect()
        began = time.process_time()
        way()
        times.append(time.process_time() - began)
    return min(times)


def main(arguments: list[str] | None = None) -> int:
    """Measure every way and print the table; 1 if ours isn't the fastest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instance", nargs="?", type=Path, default=BASKET)
    parser.add_argument("--paths", type=int, default=1, help="the first so many listed price paths; 0 = all")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args(arguments)
    market, paths, rules, _ = listed(Job(str(asked.instance), paths=asked.paths))

    def ours() -> Session:
        return Session(matrix_of(build(Case(market, paths, rules)).model))

    matrix = ours().matrix
    print(f"{asked.instance.name}, {len(paths)} paths: " + ", ".join(f"{count:,} {what}" for what, count in matrix.size().items()))
    seconds = {"orepact": least_seconds(ours, asked.repeats)}
    for name, way in THROUGH_PYOMO.items():
        seconds[name] = least_seconds(lambda way=way: way(in_pyomo(matrix).model), asked.repeats)  # type: ignore[misc]
    print(f"{'ready in HiGHS':20}{'seconds':>9}{'ratio':>8}")
    for name, taken in seconds.items():
        print(f"{name:20}{taken:9.3f}{taken / seconds['orepact']:8.1f}")
    return 0 if min(seconds, key=lambda name: seconds[name]) == "orepact" else 1


if __name__ == "__main__":
    sys.exit(main())
