"""Stress tests made on request: what if one country were lost altogether?"""

from __future__ import annotations

import pandas as pd

from orepact.instance.instance import Instance


def with_lost_countries(instance: Instance) -> Instance:
    """The instance with a zero-probability scenario `lose_<country>` for every outside seller and every host of plants.

    Its supply and its plants' output are gone for the whole horizon; where the name is taken, the user's own scenario stands.
    """
    sellers = list(dict.fromkeys(instance.table("outside_supply")["country"]))
    hosts = list(dict.fromkeys(instance.table("facilities")["country"]))
    scenarios, shocks = instance.table("scenarios"), instance.table("shocks")
    taken = set(scenarios["scenario"])
    new_scenarios, new_shocks = [], []
    for country, kind in [*((c, "supply") for c in sellers), *((c, "output") for c in hosts)]:
        code = f"lose_{country}"
        if code in taken:
            continue
        new_scenarios.append({"scenario": code, "name": f"Loss of {country}", "probability": 0.0, "source": "generated on request", "quality": "assumed"})
        new_shocks.append({"scenario": code, "kind": kind, "country": country, "value": 0.0, "source": "generated on request", "quality": "assumed"})
    if not new_scenarios:
        return instance
    return instance.with_tables(
        {
            "scenarios": pd.concat([scenarios, pd.DataFrame(new_scenarios)], ignore_index=True),
            "shocks": pd.concat([shocks, pd.DataFrame(new_shocks)], ignore_index=True),
        }
    )
