"""What all tests share: generated examples are the same on every run, and none fails for being slow on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("orepact", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("orepact")
