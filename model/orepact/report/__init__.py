"""Tables become something to read: plan card, progress, pages. No mathematics.

`orepact.report(run)` is how Python asks for a report, and this package has the same name; so the package itself can be called.
What it needs is loaded then, not before: reading a plan card costs no chart library.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    """The package as the function that its users know."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `orepact.report.called.report`."""
        return import_module("orepact.report.called").report(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
