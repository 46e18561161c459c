"""An instance kept as the texts of its files, as a run folder keeps the one it answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from orepact.instance.instance import Instance, assemble
from orepact.instance.settings import FILE, parse_toml
from orepact.instance.sheets import from_csv


def instance_of(files: Mapping[str, str]) -> Instance:
    """The instance in files by name, as `writer.texts` makes them. Raises InstanceError with every problem found."""
    content, problems = parse_toml(files.get(FILE, ""))
    sheets = {}
    for name, text in files.items():
        if name != FILE:
            sheet, found = from_csv(name, text.encode())
            problems += found
            if sheet is not None:
                sheets[PurePath(name).stem] = sheet
    return assemble(content, sheets, problems)
