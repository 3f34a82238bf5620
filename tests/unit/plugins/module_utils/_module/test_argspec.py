# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import argspec


def test_limit_list():
    assert {
        "type": "list",
        "elements": "dict",
        "options": {
            "domain": {"type": "str"},
            "unit": {"type": "str"},
            "manager": {"type": "str", "choices": ["system", "user"]},
            "process": {"type": "str"},
            "item": {"type": "str", "required": True, "choices": sorted(items.ITEMS)},
            "soft": {"type": "raw"},
            "hard": {"type": "raw"},
            "restart": {"type": "bool", "default": False},
            "why": {"type": "str"},
            "source": {"type": "list", "elements": "str"},
            "hazard": {"type": "str"},
            "instead_of": {"type": "list", "elements": "dict"},
        },
    } == argspec.LIMIT_LIST


def test_every_option_of_a_limit_is_read():
    """What an option brings in must come out as a desired, and nothing else is allowed."""
    entry = {"domain": "*", "item": "nofile", "soft": 1, "hard": 2, "why": "w", "source": ["s"], "hazard": "h"}
    entry["instead_of"] = [{"profile": "p"}]
    others = {"unit": "nginx.service", "manager": "system", "process": "nginx"}
    assert sorted([*entry, *others, "restart"]) == sorted(argspec.LIMIT_LIST["options"])
    for kind, name in others.items():
        desired = limit_settings.parse_one({kind: name, "item": "nofile", "soft": 1, "restart": kind == "unit"})
        assert (desired.kind, desired.target, desired.restart) == (kind, name, kind == "unit")
    desired = limit_settings.parse_one(entry)
    assert (desired.target, desired.item, desired.soft.value, desired.hard.value) == ("*", "nofile", 1, 2)
    assert (desired.note.why, desired.note.source, desired.note.hazard) == ("w", ["s"], "h")
    assert desired.note.instead_of == ({"profile": "p"},)
