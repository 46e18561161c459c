"""`--set path.to.option=value`: settings of the instance and options of the run, changed for one run.

`economics.social_rate=0.05` changes a setting of instance.toml; `solve.gap=0.01` an option of the run. Values are
written as in TOML; what is not TOML is taken as text, so that `owners.entry=duty` needs no quotes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from orepact.errors import OptionError
from orepact.instance.intake import IntakeError, load_toml, strange_values
from orepact.instance.naming import suggestion
from orepact.options import Settings, SolveOptions

RUN = "solve"
"""Section of the run's options in a dotted path."""


@dataclass(frozen=True)
class Overrides:
    """Settings by dotted path and run options by name, as given; their values are checked where they are used."""

    settings: Mapping[str, Any]
    options: Mapping[str, Any]


def known_paths() -> list[str]:
    """Every dotted path that can be set."""
    paths = [f"{RUN}.{name}" for name in SolveOptions.model_fields]
    for section, field in Settings.model_fields.items():
        inner = getattr(field.annotation, "model_fields", {})
        paths += [f"{section}.{name}" for name in inner]
    return paths


def parse(words: Sequence[str]) -> Overrides:
    """The overrides in words such as `solve.gap=0.01`. Raises OptionError on an unknown path or one given twice."""
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}
    known = known_paths()
    for word in words:
        path, equals, text = word.partition("=")
        path = path.strip()
        if not equals:
            raise OptionError(f"--set {word}: write it as path.to.option=value")
        if path not in known:
            raise OptionError(f"--set {word}: unknown option {path!r}{suggestion(path, known)}")
        section, _, name = path.partition(".")
        group, key = (options, name) if section == RUN else (settings, path)
        if key in group:
            raise OptionError(f"--set {word}: {path} is given twice")
        group[key] = value_of(text)
    return Overrides(settings, options)


def value_of(text: str) -> Any:
    """A value as TOML has it, or the text itself."""
    try:
        content = load_toml(f"value = {text}")
    except (tomllib.TOMLDecodeError, IntakeError):
        return text.strip()
    return text.strip() if len(content) > 1 or list(strange_values(content)) else content["value"]


def value_list(text: str) -> list[Any]:
    """Values with commas between them, each as `value_of` has it."""
    try:
        found: list[Any] = tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        return [value_of(part) for part in text.split(",")]
    return found


def solve_options(overrides: Mapping[str, Any], flags: Mapping[str, Any]) -> SolveOptions:
    """The options of a run from `--set solve.…` and from flags of their own; a flag that is None was not given.

    Raises OptionError if one is out of its range, or given both ways.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if twice := sorted(given.keys() & overrides.keys()):
        raise OptionError(f"{twice[0]} is given both as --{twice[0].replace('_', '-')} and as --set {RUN}.{twice[0]}")
    try:
        return SolveOptions.model_validate({**overrides, **given})
    except ValidationError as error:
        raise OptionError("; ".join(_sentence(fault["loc"], fault["input"], fault["msg"]) for fault in error.errors())) from error


def _sentence(place: Sequence[int | str], value: Any, rule: str) -> str:
    path = ".".join(map(str, place))
    return f"option {path}: {value!r}: {rule[:1].lower()}{rule[1:]}"
