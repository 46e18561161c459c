"""The market and the listed price paths of a job's instance, for the methods that build the one model themselves."""

from __future__ import annotations

from pathlib import Path as FilePath

from methods.job import Job
from orepact.formulation.case import Rules
from orepact.instance.reader import read
from orepact.market.offers import Market
from orepact.market.paths import Path
from orepact.market.world import world_of
from orepact.options import SolveOptions
from orepact.solver.search import market_rules, starting_list


def listed(job: Job) -> tuple[Market, list[Path], Rules, SolveOptions]:
    """What the one model is about."""
    options = SolveOptions(gap=job.gap, time_limit=job.limit, threads=job.threads, path_list=job.paths)
    market = Market(world_of(read(FilePath(job.instance))))
    return market, starting_list(market, options), market_rules(market), options
