# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the table of values into the README of each profile role; with --check, says which of them is out of date.

Run it with .venv/bin/python after a change of a profile.yml.
"""

from __future__ import annotations

import importlib
import sys
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLES = ROOT / "roles"
PROFILES = "ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles"
AMOUNTS = "ansible_collections.tunefleet.linux.plugins.module_utils._change._amount"

BEGIN = "<!-- values: written by tools/profile_tables.py -->"
END = "<!-- end of values -->"


def documented_roles() -> list[Path]:
    return sorted(path.parents[1] for path in ROLES.glob("*/files/profile.yml"))


def current_readme(role: Path, text: str) -> str:
    """The text of a role's README with the values that its profile has now."""
    head, begin, rest = text.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{role.name}/README.md needs the lines {BEGIN} and {END}.")
    # Imported here, for the collection has its name only once tools/setup has made .cache, or from PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    profiles = importlib.import_module(PROFILES)
    library = profiles.Library(roles=ROLES)
    wanted = profiles.resolve(library, role.name)
    declared = {
        name: source for profile in library.load([role.name]).values() for name, source in profile.sources.items()
    }
    lines = [*_table(wanted), "", *_sources(wanted, {**library.shared_sources, **declared})]
    return "\n".join([head + begin, "", *lines, "", end + tail])


def _table(wanted: Mapping[str, t.Any]) -> list[str]:
    rows = [(f"`{key}`", _wish(setting), setting) for key, setting in wanted["sysctl"].items()]
    for limit in wanted["limits"]:
        sides = [f"{side} {_wish(limit[side])}" for side in ("soft", "hard") if side in limit]
        rows.append((f"`{limit['domain']}` `{limit['item']}`", ", ".join(sides), limit))
    return [
        "| setting | wanted | why | source |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {wish} | {entry['why']} | {', '.join(entry['source'])} |" for name, wish, entry in rows),
    ]


def _wish(setting: Mapping[str, t.Any]) -> str:
    words = {"value": "", "at_least": "at least ", "at_most": "at most "}
    relation = next(relation for relation in words if relation in setting)
    amount = setting[relation]
    return words[relation] + (" ".join(map(_number, amount)) if isinstance(amount, list) else _number(amount))


def _number(term: t.Any) -> str:
    """A number, or how it is worked out on a host."""
    return str(importlib.import_module(AMOUNTS).read(term)) if isinstance(term, dict) else str(term)


def _sources(wanted: Mapping[str, t.Any], declared: Mapping[str, t.Any]) -> list[str]:
    entries = [*wanted["sysctl"].values(), *wanted["limits"]]
    cited = {citation.partition(":")[0] for entry in entries for citation in entry["source"]}
    return [
        "A number after a source is a line of it.",
        "",
        *(f"- `{name}`: {declared[name].title}, {_link(declared[name].address)}" for name in sorted(cited)),
    ]


def _link(address: str) -> str:
    return f"<{address}>" if "://" in address else f"`{address}`"


def main(arguments: Sequence[str]) -> int:
    stale = []
    for role in documented_roles():
        readme = role / "README.md"
        old = readme.read_text(encoding="utf-8")
        new = current_readme(role, old)
        if new != old:
            stale.append(str(readme.relative_to(ROOT)))
            if "--check" not in arguments:
                readme.write_text(new, encoding="utf-8")
    if stale:
        print(("out of date: " if "--check" in arguments else "written: ") + ", ".join(stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
