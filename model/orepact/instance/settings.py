"""Settings from what a TOML file or a settings sheet says, with every fault located by its dotted key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from orepact.errors import Problem
from orepact.instance.cells import CellError, as_text, quoted
from orepact.instance.intake import IntakeError, load_toml, strange_values
from orepact.instance.naming import suggestion
from orepact.instance.sheets import Sheet
from orepact.options import Settings

FILE = "instance.toml"
Units = dict[str, dict[str, str]]


def parse_toml(text: str, file: str = FILE) -> tuple[dict[str, Any], list[Problem]]:
    """The content of instance.toml, or the line at which it stops being TOML."""
    try:
        content = load_toml(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return {}, [Problem(file, int(line[1]) if line else None, None, None, f"not TOML: {error}")]
    except IntakeError as error:
        return {}, [Problem(file, None, None, None, str(error))]
    return content, [Problem(file, None, place or None, value, rule) for place, value, rule in strange_values(content)]


def parse_sheet(sheet: Sheet) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """The same content from a sheet with columns section, key, value; lists are separated by semicolons.

    Returns it with the line of every dotted key.
    """
    names = [heading.name for heading in sheet.headings]
    wanted = ("section", "key", "value")
    problems = [Problem(sheet.file, 1, name, None, f"unknown column{suggestion(name, wanted)}") for name in names if name not in wanted]
    problems += [Problem(sheet.file, 1, name, None, "required column is missing") for name in wanted if name not in names]
    if problems:
        return {}, {}, problems
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for line, cells in sheet.rows:
        row = dict(zip(names, cells, strict=True))
        try:
            section, key = as_text(row["section"]), as_text(row["key"])
            value = row["value"]
        except CellError as error:
            problems.append(Problem(sheet.file, line, None, None, str(error)))
            continue
        path = f"{section}.{key}"
        if not section or not key:
            problems.append(Problem(sheet.file, line, "key", path, "section and key must both be given"))
        elif path in lines:
            problems.append(Problem(sheet.file, line, path, None, f"same key as row {lines[path]}"))
        else:
            lines[path] = line
            if value is None or value == "":
                continue
            if _is_list(section, key):
                value = [item.strip() for item in as_text(value).split(";") if item.strip()]
            content.setdefault(section, {})[key] = value
    return content, lines, problems


def split_units(content: Mapping[str, Any], file: str = FILE) -> tuple[dict[str, Any], Units, list[Problem]]:
    """Take [units] out of the content, as unit by table and column (or group)."""
    rest = {key: value for key, value in content.items() if key != "units"}
    units: Units = {}
    problems = []
    for name, value in _flat(content.get("units", {})):
        table, dot, column = name.partition(".")
        if not dot or not isinstance(value, str):
            problems.append(Problem(file, None, f"units.{name}".rstrip("."), _said(value), 'units are declared as "table.column" = "unit"'))
        else:
            units.setdefault(table, {})[column] = value
    return rest, units, problems


def validate(content: Mapping[str, Any], file: str = FILE) -> tuple[Settings | None, list[Problem]]:
    """Settings, or what is wrong with them."""
    try:
        return Settings.model_validate(content), []
    except ValidationError as error:
        return None, [_problem(dict(details), file) for details in error.errors()]


def with_value(settings: Settings, path: str, value: object) -> tuple[Settings | None, list[Problem]]:
    """Settings with the value at a dotted path (section.key) replaced, or what is wrong with it."""
    section, _, key = path.partition(".")
    content = settings.model_dump()
    content[section][key] = value
    return validate(content)


def setting_paths() -> list[str]:
    """Every setting as section.key."""
    return [f"{section}.{key}" for section in options_of("") for key in options_of(section)]


def numeric_settings() -> list[str]:
    """Settings that are decimal numbers, as section.key."""
    return [path for path in setting_paths() if options_of(path.partition(".")[0])[path.partition(".")[2]].annotation is float]


def locate(problems: list[Problem], lines: Mapping[str, int]) -> list[Problem]:
    """Add to problems that name a key the line on which it stands, where it stands on one."""
    return [replace(p, row=_line_of(p.column, lines)) if p.row is None and p.column is not None else p for p in problems]


def key_lines(text: str) -> dict[str, int]:
    """Line of every [section] and key, read roughly: enough to point at a line, never to understand one."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            section = header[1].replace('"', "").replace("'", "")
            lines.setdefault(section, number)
        elif key := re.match(r"""\s*["']?([\w.-]+)["']?\s*=""", line):
            lines.setdefault(f"{section}.{key[1]}" if section else key[1], number)
    return lines


def toml_text(settings: Settings, *, comments: bool = False) -> str:
    """Settings as the text of instance.toml, every key written out; with `comments`, explained."""
    lines: list[str] = []
    for section, chosen in settings:
        place = type(chosen)
        lines += [f"[{section}]"] + ([f"# {(place.__doc__ or '').partition(': ')[2]}"] if comments else [])
        for key, value in chosen:
            note = place.model_fields[key].description if comments else None
            lines += ([f"# {note}"] if note else []) + [f"{key} = {_toml_value(value)}"]
        lines.append("")
    return "\n".join(lines)


def options_of(path: str) -> dict[str, Any]:
    """The fields known at a dotted place of Settings ('' is the top); empty where there is no such place."""
    model: Any = Settings
    for part in filter(None, path.split(".")):
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        if part not in fields:
            return {}
        model = fields[part].annotation
    return dict(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else {}


def _toml_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case tuple() | list():
            return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return repr(value)


def _is_list(section: str, key: str) -> bool:
    field = options_of(section).get(key)
    return field is not None and str(field.annotation).startswith("tuple")


def _flat(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{prefix}.{key}" if prefix else str(key))]
    return [(prefix, value)]


def _problem(details: dict[str, Any], file: str) -> Problem:
    location = [str(part) for part in details["loc"]]
    path = ".".join(location)
    value = None if isinstance(details["input"], Mapping) else _said(details["input"])
    match details["type"]:
        case "extra_forbidden":
            parent = options_of(".".join(location[:-1]))
            names = list(parent) if len(location) > 1 else [*parent, "units"]
            kind = "section" if len(location) == 1 else "key"
            return Problem(file, None, path, value, f"unknown {kind}{suggestion(location[-1], names)}")
        case "missing":
            return Problem(file, None, path, None, "required, but missing")
        case "value_error":
            rule = details["msg"].removeprefix("Value error, ")
            named = re.match(r"[a-z_]+\.[a-z_]+", rule)
            return Problem(file, None, path or (named[0] if named else None), value, rule)
    return Problem(file, None, path, value, str(details["msg"])[:1].lower() + str(details["msg"])[1:])


def _said(value: object) -> str:
    """A faulty value as a message quotes it."""
    try:
        return as_text(value)
    except CellError:
        return quoted(value)


def _line_of(path: str, lines: Mapping[str, int]) -> int | None:
    """The line of a dotted key, or of the nearest place that holds it."""
    parts = path.split(".")
    places = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    inside = next((line for name, line in lines.items() if name.startswith(f"{path}.")), None)
    return lines.get(path) or inside or next((lines[place] for place in places if place in lines), None)
