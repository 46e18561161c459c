"""Orepact finds the cheapest package of policies that makes an alliance's supply of critical minerals secure.

    import orepact

    instance = orepact.read("instances/tutorial")
    plan = orepact.solve(instance.with_setting("economics.social_rate", 0.05), orepact.SolveOptions(gap=0.01))
    print(orepact.plan_card_text(plan))
    plan.table("contracts")

This module is the public API and nothing else. Every name is resolved when it is first used, so that importing the
package costs next to nothing and a process that only reads stored runs never loads a solver.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orepact.analysis.sweep import parse_list as parse_list
    from orepact.analysis.sweep import parse_vary as parse_vary
    from orepact.api import Resolver as Resolver
    from orepact.api import export as export
    from orepact.api import pyomo_model as pyomo_model
    from orepact.calls import evaluate as evaluate
    from orepact.calls import explain as explain
    from orepact.calls import read as read
    from orepact.calls import sensitivity as sensitivity
    from orepact.calls import solve as solve
    from orepact.calls import sweep as sweep
    from orepact.calls import validate as validate
    from orepact.errors import InfeasibleError as InfeasibleError
    from orepact.errors import InstanceError as InstanceError
    from orepact.errors import NoSolutionError as NoSolutionError
    from orepact.errors import OptionError as OptionError
    from orepact.errors import OrepactError as OrepactError
    from orepact.errors import Problem as Problem
    from orepact.errors import SolverError as SolverError
    from orepact.errors import SolverFault as SolverFault
    from orepact.errors import StoppedError as StoppedError
    from orepact.instance import overrides as overrides
    from orepact.instance.instance import Instance as Instance
    from orepact.instance.package import Package as Package
    from orepact.instance.package import package_from as package_from
    from orepact.instance.package import parse_package as parse_package
    from orepact.instance.starter import new_instance as new_instance
    from orepact.instance.writer import write as write
    from orepact.options import Settings as Settings
    from orepact.options import SolveOptions as SolveOptions
    from orepact.report.called import compare as compare
    from orepact.report.called import report as report
    from orepact.report.on_screen import print_certificate as print_certificate
    from orepact.report.on_screen import print_comparison as print_comparison
    from orepact.report.on_screen import print_diagnosis as print_diagnosis
    from orepact.report.on_screen import print_plan_card as print_plan_card
    from orepact.report.on_screen import print_sensitivity as print_sensitivity
    from orepact.report.on_screen import print_sweep as print_sweep
    from orepact.report.plan_card import plan_card as plan_card
    from orepact.report.plan_card import plan_card_text as plan_card_text
    from orepact.report.progress_display import reporter as reporter
    from orepact.solution.certify import verify as verify
    from orepact.solution.solution import Solution as Solution
    from orepact.solution.solution import load as load
    from orepact.solution.store import RunError as RunError
    from orepact.solution.store import check_target as check_target
    from orepact.solution.verification.certificate import Certificate as Certificate
    from orepact.solver.diagnosis.diagnosis import Diagnosis as Diagnosis
    from orepact.solver.isolation import warm_up as warm_up
    from orepact.solver.result import Status as Status
    from orepact.solver.result import versions as versions

    __version__: str

_WHERE = {
    "overrides": "orepact.instance.overrides",
    "sensitivity": "orepact.calls:sensitivity",
    "evaluate": "orepact.calls:evaluate",
    "explain": "orepact.calls:explain",
    "export": "orepact.api:export",
    "pyomo_model": "orepact.api:pyomo_model",
    "Resolver": "orepact.api:Resolver",
    "read": "orepact.calls:read",
    "solve": "orepact.calls:solve",
    "parse_list": "orepact.analysis.sweep:parse_list",
    "parse_vary": "orepact.analysis.sweep:parse_vary",
    "print_sweep": "orepact.report.on_screen:print_sweep",
    "warm_up": "orepact.solver.isolation:warm_up",
    "sweep": "orepact.calls:sweep",
    "validate": "orepact.calls:validate",
    "InfeasibleError": "orepact.errors:InfeasibleError",
    "InstanceError": "orepact.errors:InstanceError",
    "NoSolutionError": "orepact.errors:NoSolutionError",
    "OptionError": "orepact.errors:OptionError",
    "OrepactError": "orepact.errors:OrepactError",
    "Problem": "orepact.errors:Problem",
    "SolverError": "orepact.errors:SolverError",
    "SolverFault": "orepact.errors:SolverFault",
    "StoppedError": "orepact.errors:StoppedError",
    "Instance": "orepact.instance.instance:Instance",
    "Package": "orepact.instance.package:Package",
    "package_from": "orepact.instance.package:package_from",
    "parse_package": "orepact.instance.package:parse_package",
    "new_instance": "orepact.instance.starter:new_instance",
    "write": "orepact.instance.writer:write",
    "Settings": "orepact.options:Settings",
    "SolveOptions": "orepact.options:SolveOptions",
    "print_certificate": "orepact.report.on_screen:print_certificate",
    "print_diagnosis": "orepact.report.on_screen:print_diagnosis",
    "compare": "orepact.report.called:compare",
    "report": "orepact.report",
    "print_comparison": "orepact.report.on_screen:print_comparison",
    "print_plan_card": "orepact.report.on_screen:print_plan_card",
    "print_sensitivity": "orepact.report.on_screen:print_sensitivity",
    "plan_card": "orepact.report.plan_card:plan_card",
    "plan_card_text": "orepact.report.plan_card:plan_card_text",
    "reporter": "orepact.report.progress_display:reporter",
    "Solution": "orepact.solution.solution:Solution",
    "load": "orepact.solution.solution:load",
    "RunError": "orepact.solution.store:RunError",
    "check_target": "orepact.solution.store:check_target",
    "Certificate": "orepact.solution.verification.certificate:Certificate",
    "verify": "orepact.solution.certify:verify",
    "Diagnosis": "orepact.solver.diagnosis.diagnosis:Diagnosis",
    "Status": "orepact.solver.result:Status",
    "versions": "orepact.solver.result:versions",
}

__all__ = sorted([*_WHERE, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _WHERE:
        module, _, inside = _WHERE[name].partition(":")
        value = getattr(import_module(module), inside) if inside else import_module(module)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The installed version; `0+source` where the package runs from its source without being installed."""
    metadata = import_module("importlib.metadata")
    try:
        return str(metadata.version("orepact"))
    except metadata.PackageNotFoundError:
        return "0+source"
