# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The form of ``fleet.json``, and a check of a document against it. Private: not for use outside of ``tunefleet.linux``.

``fleet.schema.json`` beside this file says the same for other programs; a test compares the two.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

_NAMES = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean", type(None): "null"}
_TEXT = (str, type(None))
_COUNT = "count"
_STATES = ("clean", "drifted", "failed", "unreachable")
_DRIFT = [frozenset(["live", "file", "boot", "session", "refused"])]
_SIDES = {"soft": _TEXT, "hard": _TEXT}
_SETTING = {
    "key": str,
    "status": str,
    "wanted": str,
    "drift": _DRIFT,
    "note": _COUNT,
    "reason": _TEXT,
    "live": {"before": _TEXT, "after": _TEXT},
    "file": {"path": _TEXT, "before": _TEXT, "after": _TEXT},
    "boot": {"before": _TEXT, "winner_before": _TEXT, "value": _TEXT, "winner": _TEXT},
    "shadowed": bool,
}
_LIMIT = {
    "target": {"*": str},
    "item": str,
    "status": str,
    "wanted": str,
    "drift": _DRIFT,
    "note": _COUNT,
    "reason": _TEXT,
    "before": _SIDES,
    "after": _SIDES,
    "effective": _SIDES,
    "shadowed_by": _TEXT,
}
_NOTE = {
    "kind": ("sysctl", "limit"),
    "name": str,
    "why": str,
    "sources": [{"ref": str, "title": _TEXT, "address": _TEXT}],
}
_HOST = {
    "host": str,
    "state": _STATES,
    "profile": _TEXT,
    "time": _TEXT,
    "message": _TEXT,
    "settings": [_SETTING],
    "limits": [_LIMIT],
    "needs": [str],
    "warnings": [str],
}
FLEET: t.Final = {
    "schema_version": int,
    "summary": {"hosts": dict.fromkeys(_STATES, _COUNT), "drift": _COUNT, "statuses": {"*": _COUNT}},
    "notes": [_NOTE],
    "hosts": [_HOST],
}


def problem(value: t.Any, shape: t.Any, where: str = "") -> str:
    """What is wrong with a value, with its place; empty if nothing is.

    :param shape: a type, a tuple of types or of words, a set of words, ``_COUNT``, a list with the shape of its items, or a mapping
        with the shape of each field (``*``: of any field).
    """
    place = where or "it"
    if isinstance(shape, list):
        return _problem_of_list(value, shape[0], where)
    if isinstance(shape, dict):
        return _problem_of_fields(value, shape, where)
    if shape == _COUNT:
        wrong = problem(value, int, where)
        return wrong or (f"{place} is below 0" if value < 0 else "")
    words = sorted(shape) if isinstance(shape, frozenset) else shape
    if isinstance(words, (list, tuple)) and isinstance(words[0], str):
        known = isinstance(value, str) and value in words
        return "" if known else f"{place} is {json.dumps(value)[:60]}, none of {json.dumps(list(words))}"
    types = shape if isinstance(shape, tuple) else (shape,)
    # The type itself, because True is an instance of int.
    return "" if type(value) in types else f"{place} is no {' or '.join(_NAMES[one] for one in types)}"


def _problem_of_list(value: t.Any, shape: t.Any, where: str) -> str:
    if not isinstance(value, list):
        return problem(value, list, where)
    return next(filter(None, (problem(item, shape, f"{where}[{index}]") for index, item in enumerate(value))), "")


def _problem_of_fields(value: t.Any, shape: Mapping[str, t.Any], where: str) -> str:
    if not isinstance(value, dict):
        return problem(value, dict, where)
    missing = [name for name in shape if name != "*" and name not in value]
    unknown = [name for name in value if name not in shape and "*" not in shape]
    if missing or unknown:
        what = f"has no {missing[0]}" if missing else f"has {json.dumps(unknown[0])[:60]}, which is not known"
        return f"{where or 'it'} {what}"
    inner = (
        problem(part, shape.get(name, shape.get("*")), f"{where}.{name}".lstrip(".")) for name, part in value.items()
    )
    return next(filter(None, inner), "")
