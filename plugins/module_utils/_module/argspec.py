# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parts of argument specs that modules share. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from .._limits import items

LIMIT_LIST: t.Dict[str, t.Any] = {
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
}
