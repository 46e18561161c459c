"""How much faster a question is answered again after one target changed, by a Resolver that keeps what did not change.

    python benchmarks/again.py [INSTANCE] [--targets cap_li_refined cap_gr_mined cap_magnet] [--by 0.03] [--gap 0.005]

Each target in turn, from the instance as it is: made harder and made easier by a share of its value. A fresh solve of the changed instance in
a process of its own is what it is compared with, and both must agree within their gaps. Ends with 1 where they do not.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import orepact

INSTANCES = Path(__file__).parent.parent / "instances"
HEAD = f"{'target':<20}{'value':>8}{'fresh s':>9}{'again s':>9}{'ratio':>7}{'MUSD fresh':>13}{'MUSD again':>13}{'gap again':>11}"


def changed(instance: orepact.Instance, target: str, by: float) -> tuple[orepact.Instance, float]:
    """The instance with the first row of a target moved by a share of its value, and its new value."""
    targets = instance.table("targets")
    place = targets.index[targets["target"] == target][0]
    targets.loc[place, "value"] *= 1 + by
    return instance.with_table("targets", targets), float(targets.loc[place, "value"])


def main(arguments: list[str] | None = None) -> int:
    """Print a row per change; 1 if an answer made again contradicts a fresh one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instance", nargs="?", type=Path, default=INSTANCES / "alliance-basket")
    parser.add_argument("--targets", nargs="+", default=["cap_li_refined", "cap_gr_mined", "cap_magnet"])
    parser.add_argument("--by", type=float, default=0.03)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--limit", type=float, default=900.0)
    asked = parser.parse_args(arguments)
    given = orepact.read(asked.instance)
    options = orepact.SolveOptions(gap=asked.gap, time_limit=asked.limit, baseline=False, stress=False, explain=False, progress=False)
    began = time.perf_counter()
    resolver = orepact.Resolver(options)
    first = resolver.solve(given).result
    print(
        f"{given.name}: {first.status.value} in {time.perf_counter() - began:.1f} s, {(first.objective or 0.0) / 1e6:,.0f} MUSD, {first.paths_examined} paths"
    )
    print(HEAD, flush=True)
    agree = True
    for target in asked.targets:
        for by in (-asked.by, asked.by):
            instance, value = changed(given, target, by)
            began = time.perf_counter()
            again = resolver.solve(instance).result
            resolved = time.perf_counter() - began
            fresh = orepact.solve(instance, options).result
            if again.objective is None or fresh.objective is None or again.bound is None or fresh.bound is None:
                print(f"{target:<20}{value:>8.3f}  fresh: {fresh.status.value}, again: {again.status.value}", flush=True)
                agree = agree and again.status == fresh.status
                continue
            agree = agree and again.bound <= fresh.objective * (1 + 1e-9) and fresh.bound <= again.objective * (1 + 1e-9)
            print(
                f"{target:<20}{value:>8.3f}{fresh.seconds:>9.1f}{resolved:>9.1f}{fresh.seconds / resolved:>7.1f}"
                f"{fresh.objective / 1e6:>13,.0f}{again.objective / 1e6:>13,.0f}{again.gap or 0.0:>11.2%}",
                flush=True,
            )
            resolver.solve(given)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
