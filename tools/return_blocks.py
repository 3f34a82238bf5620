# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the return values that modules share into their RETURN, from return_blocks.yml; with --check, says whether one is out of date.

Ansible has fragments for options and attributes, but not for return values.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / "tools" / "return_blocks.yml"
MODULES = ("limits", "profile", "sysctl")
# What a module describes in its own words.
OWN = {"limits": {"settings"}, "sysctl": {"limits", "needs"}}
_RETURN = re.compile(r'^RETURN = r"""\n(.*?)^"""\n', re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^([a-z_]+):\n(?:[ ].*\n)+", re.MULTILINE)


def blocks(text: str) -> dict[str, str]:
    """The text of each top-level entry of a YAML mapping, by name."""
    return {match.group(1): match.group(0) for match in _BLOCK.finditer(text)}


def updated(name: str, source: str) -> str:
    """The source of a module with the shared return values in place of its own."""
    shared = {
        key: text for key, text in blocks(SHARED.read_text(encoding="utf-8")).items() if key not in OWN.get(name, ())
    }
    found = _RETURN.search(source)
    if found is None:
        raise SystemExit(f"plugins/modules/{name}.py has no RETURN.")
    new = "".join(shared.get(key, text) for key, text in blocks(found.group(1)).items())
    return source[: found.start(1)] + new + source[found.end(1) :]


def main(arguments: list[str]) -> int:
    stale = []
    for name in MODULES:
        path = ROOT / "plugins" / "modules" / f"{name}.py"
        source = path.read_text(encoding="utf-8")
        new = updated(name, source)
        if new != source:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
