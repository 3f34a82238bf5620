# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write docs/profile.schema.json, the JSON schema of a profile for editors. With --check, only report whether it is outdated.

The field names come from the validation of a run (plugin_utils/_profiles/validation.py), so both agree. A schema sees one value at a
time. Only a run checks the values of a key, that a source is declared, and that a limit occurs once.
"""

from __future__ import annotations

import importlib
import json
import sys
import typing as t
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "profile.schema.json"
PLUGINS = "ansible_collections.tunefleet.linux.plugins."

Schema = dict[str, t.Any]

_NUMBER = r"-?(0|[1-9][0-9]*)"
_SIDES = ("soft", "hard")
_TEXT: Schema = {"type": "string", "pattern": r"\S"}


def _loaded(name: str) -> t.Any:
    # Imported late: the collection has its name only after tools/setup created .cache, or with PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    return importlib.import_module(PLUGINS + name)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Schema, required: Sequence[str] = ()) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _exactly_one(names: Sequence[str]) -> Schema:
    return {"oneOf": [{"required": [name]} for name in names]}


def _formulas() -> Schema:
    """Formulas that the host evaluates."""
    positive = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[1-9][0-9]*$"}]}
    bounds = {name: _ref("number") for name in ("min", "max")}
    terms = {"type": "array", "minItems": 2, "items": _ref("term")}
    kinds = [_object({unit: positive, **bounds}, [unit]) for unit in ("per_gib", "per_cpu")]
    return {"oneOf": [*kinds, *(_object({which: terms}, [which]) for which in ("largest", "smallest"))]}


def _setting(check: t.Any) -> Schema:
    amounts = {"value": _ref("amount"), "at_least": _ref("bound"), "at_most": _ref("bound")}
    found = _object({**{name: amounts[name] for name in check.RELATIONS}, **_reason(check)}, ["why", "source"])
    return {**found, **_exactly_one(check.RELATIONS)}


def _reason(check: t.Any) -> Schema:
    fields = {"why": _ref("text"), "source": _ref("sources"), "hazard": _ref("text")}
    return {name: fields[name] for name in check.REASON_FIELDS}


def _limit(check: t.Any, targets: Sequence[str], items: Sequence[str]) -> Schema:
    """One limit, of exactly one target."""
    fields = {
        **{name: _ref("text") for name in targets},
        "item": {"enum": sorted(items)},
        **{side: _ref("side") for side in _SIDES},
        "restart": {"type": "boolean"},
        **_reason(check),
    }
    found = _object({name: fields[name] for name in check.LIMIT_FIELDS}, ["item", "why", "source"])
    return {
        **found,
        "allOf": [_exactly_one(targets), {"anyOf": [{"required": [side]} for side in _SIDES]}],
        # Only units can be restarted.
        "if": {"properties": {"restart": {"const": True}}, "required": ["restart"]},
        "then": {"required": ["unit"]},
    }


def schema() -> Schema:
    """The whole schema."""
    check, values = _loaded("plugin_utils._profiles.validation"), _loaded("module_utils._limits.items")
    targets = _loaded("module_utils._core.limit").TARGETS
    properties = {
        "title": _ref("text"),
        "summary": _ref("text"),
        "extends": {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$"}},
        "sources": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "additionalProperties": _object({name: _ref("text") for name in check.SOURCE_FIELDS}, check.SOURCE_FIELDS),
        },
        "sysctl": {
            "type": "object",
            "propertyNames": {"pattern": r"^[^\s./=#*?\[-][^\s=#*?\[]*[./][^\s=#*?\[]*[^\s./=#*?\[]$"},
            "additionalProperties": _ref("setting"),
        },
        "limits": {"type": "array", "items": _ref("limit")},
        "apply": {"enum": [True, check.AUDIT_ONLY]},
    }
    number = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_NUMBER}$"}]}
    row = {"type": "array", "minItems": 1, "items": _ref("term")}
    numbers = {"type": "string", "pattern": rf"^\s*{_NUMBER}([\s,-]+{_NUMBER})*\s*$"}
    plain = {"anyOf": [_ref("number"), {"const": "unlimited"}, _ref("formula")]}
    wish = {**_object(dict.fromkeys(check.RELATIONS, plain)), **_exactly_one(check.RELATIONS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profile of tunefleet.linux",
        "description": "profiles/NAME.yml next to a playbook, or in a directory of tune_profile_paths",
        **_object({name: properties[name] for name in check.PROFILE_FIELDS}, ["title", "summary"]),
        "$defs": {
            "text": _TEXT,
            "number": number,
            "formula": _formulas(),
            "term": {"anyOf": [_ref("number"), _ref("formula")]},
            "amount": {"anyOf": [_ref("term"), row, {"type": "string", "pattern": r"^[^\n\r]*\S[^\n\r]*$"}]},
            "bound": {"anyOf": [_ref("term"), row, numbers]},
            "sources": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "pattern": "^[a-z][a-z0-9_]*(:[1-9][0-9]*)?$"},
            },
            "setting": _setting(check),
            "side": {"anyOf": [plain, wish]},
            "limit": _limit(check, targets, values.ITEMS),
        },
    }


def main(arguments: Sequence[str]) -> int:
    new = json.dumps(schema(), indent=2) + "\n"
    old = SCHEMA.read_text(encoding="utf-8") if SCHEMA.exists() else ""
    if new == old:
        return 0
    if "--check" in arguments:
        print(f"out of date: {SCHEMA.relative_to(ROOT)}")
        return 1
    SCHEMA.write_text(new, encoding="utf-8")
    print(f"written: {SCHEMA.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
