# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of JSON Schema as ``fleet.schema.json`` uses, for controllers have no library for it.

Private: not for use outside of ``tunefleet.linux``.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from pathlib import Path

SCHEMA: t.Final[Mapping[str, t.Any]] = json.loads(
    (Path(__file__).parent / "fleet.schema.json").read_text(encoding="utf-8")
)
WORDS: t.Final = frozenset(
    [
        *("$schema", "title", "description", "$defs"),
        *("$ref", "type", "enum", "minimum", "items", "properties", "required", "additionalProperties"),
    ]
)
_TYPES: t.Final[Mapping[str, type]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}

Found = t.Optional[tuple[str, str]]
"""Where a value is wrong, and what is wrong there."""

Check = t.Callable[[t.Any], Found]


def problem(value: t.Any, schema: Mapping[str, t.Any]) -> str:
    """What is wrong with a value, with its place, or nothing."""
    found = _compiled(schema, schema.get("$defs", {}))(value)
    return f"{found[0].lstrip('.') or 'it'} {found[1]}" if found else ""


def _compiled(schema: Mapping[str, t.Any], defs: Mapping[str, t.Any]) -> Check:
    """The schema as a function: a fleet has a million values, and what is right shall cost next to nothing."""
    checks: list[Check] = []
    if "$ref" in schema:
        checks.append(_compiled(defs[schema["$ref"].rpartition("/")[2]], defs))
    if "type" in schema:
        checks.append(_of_type(schema["type"]))
    if "enum" in schema:
        checks.append(_of_enum(schema["enum"]))
    if "minimum" in schema:
        checks.append(lambda value: ("", f"is below {schema['minimum']}") if value < schema["minimum"] else None)
    if "items" in schema:
        checks.append(_of_array(_compiled(schema["items"], defs)))
    if {"properties", "required", "additionalProperties"} & set(schema):
        checks.append(_of_object(schema, defs))

    def check(value: t.Any) -> Found:
        for check in checks:
            found = check(value)
            if found:
                return found
        return None

    return checks[0] if len(checks) == 1 else check


def _of_type(names: t.Union[str, list[str]]) -> Check:
    names = [names] if isinstance(names, str) else names
    # By the type itself, for to isinstance True is a number.
    types = frozenset(_TYPES[name] for name in names)
    wrong = ("", f"is no {' or '.join(names)}")
    return lambda value: None if type(value) in types else wrong


def _of_enum(values: list[t.Any]) -> Check:
    return lambda value: None if value in values else ("", f"is {json.dumps(value)[:60]}, none of {json.dumps(values)}")


def _of_array(check: Check) -> Check:
    def check_all(value: list[t.Any]) -> Found:
        for index, entry in enumerate(value):
            found = check(entry)
            if found:
                return f"[{index}]{found[0]}", found[1]
        return None

    return check_all


def _of_object(schema: Mapping[str, t.Any], defs: Mapping[str, t.Any]) -> Check:
    required = list(schema.get("required", []))
    known = {key: _compiled(entry, defs) for key, entry in schema.get("properties", {}).items()}
    others = schema.get("additionalProperties", True)
    other = _compiled(others, defs) if isinstance(others, Mapping) else None

    def check(value: Mapping[str, t.Any]) -> Found:
        for key in required:
            if key not in value:
                return "", f"has no {key}"
        for key, entry in value.items():
            inner = known.get(key, other)
            if inner is None and others is False:
                return "", f"has {json.dumps(key)[:60]}, which is not known"
            found = inner(entry) if inner else None
            if found:
                return f".{key}{found[0]}", found[1]
        return None

    return check
