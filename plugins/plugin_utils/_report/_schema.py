# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of JSON Schema as ``fleet.schema.json`` uses, for controllers have no library for it.

Private: not for use outside of ``tunefleet.linux``.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping
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
_TYPES: t.Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def problem(value: t.Any, schema: Mapping[str, t.Any]) -> str:
    """What is wrong with a value, with its place, or nothing."""
    return next(_problems(value, schema, schema.get("$defs", {}), ""), "")


def _problems(value: t.Any, schema: Mapping[str, t.Any], defs: Mapping[str, t.Any], place: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _problems(value, defs[schema["$ref"].rpartition("/")[2]], defs, place)
    name = place or "it"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, one) for one in types):
        yield f"{name} is no {' or '.join(types)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{name} is {json.dumps(value)[:60]}, none of {json.dumps(schema['enum'])}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{name} is below {schema['minimum']}"
    if isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            yield from _problems(one, schema["items"], defs, f"{place}[{index}]")
    if isinstance(value, dict):
        yield from _of_object(value, schema, defs, place)


def _of_object(
    value: Mapping[str, t.Any], schema: Mapping[str, t.Any], defs: Mapping[str, t.Any], place: str
) -> Iterator[str]:
    for key in schema.get("required", []):
        if key not in value:
            yield f"{place or 'it'} has no {key}"
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key, one in value.items():
        inner = f"{place}.{key}" if place else key
        if key in known:
            yield from _problems(one, known[key], defs, inner)
        elif others is False:
            yield f"{place or 'it'} has {json.dumps(key)[:60]}, which is not known"
        elif isinstance(others, Mapping):
            yield from _problems(one, others, defs, inner)


def _is(value: t.Any, name: str) -> bool:
    # For Python, True is a number.
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
