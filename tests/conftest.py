"""What all tests share: every plan is verified, generated examples are the same on every run, and none fails for being slow on a busy machine."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

from orepact import api
from orepact.solution.verification.certificate import Certificate
from orepact.solution.verification.verify import verify

settings.register_profile("orepact", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("orepact")


def _verified(*given: Any) -> Certificate:
    """The certificate; a plan that does not stand up fails the test that solved it."""
    certificate = verify(*given)
    assert certificate.holds, "\n".join([certificate.sentence(), *certificate.explain()])
    return certificate


setattr(api, "verify", _verified)  # noqa: B010  (types: it is no public name of that module)
"""Every solve in every test is verified."""
