# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the tables of profiles into the README of each role and into docs/profiles.md. With --check, only report outdated pages.

Run it with .venv/bin/python after each change of a profile.yml.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import sys
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLES = ROOT / "roles"
OVERVIEW = ROOT / "docs" / "profiles.md"
COMPOSE = "ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles.compose"
PROFILES = "ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles.library"
WORDS = "ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles.model"
TARGETS = "ansible_collections.tunefleet.linux.plugins.module_utils._core.limit"
AMOUNTS = "ansible_collections.tunefleet.linux.plugins.module_utils._core.formula"

BEGIN = "<!-- values: written by tools/profile_tables.py -->"
END = "<!-- end of values -->"
# Profiles that contain a document word for word. Their contradictions to others are expected and not listed.
LITERAL = ("guide_zh", "legacy_22", "memo_ko")


def documented_roles() -> list[Path]:
    return sorted(path.parents[1] for path in ROLES.glob("*/files/profile.yml"))


def current_readme(role: Path, text: str) -> str:
    """The text of a role's README with the current values of its profile."""
    profiles = _module(PROFILES)
    library = profiles.Library(roles=ROLES)
    wanted = profiles.resolve(library, role.name)
    declared = {
        name: source for profile in library.load([role.name]).values() for name, source in profile.sources.items()
    }
    lines = [*_table(wanted), "", *_sources(wanted, {**library.shared_sources, **declared})]
    return _replaced(f"{role.name}/README.md", text, BEGIN, END, lines)


def current_overview(text: str) -> str:
    """The text of docs/profiles.md with the current profiles and their contradictions."""
    library = _module(PROFILES).Library(roles=ROLES)
    names = [role.name for role in documented_roles()]
    profiles = library.load(names)
    curated = [name for name in names if name not in LITERAL]
    for part, lines in {
        "curated profiles": _overview(curated, profiles),
        "literal profiles": _overview(LITERAL, profiles),
        "contradictions": _contradictions(curated, profiles),
    }.items():
        begin, end = f"<!-- {part}: written by tools/profile_tables.py -->", f"<!-- end of {part} -->"
        text = _replaced("docs/profiles.md", text, begin, end, lines)
    return text


def _module(name: str) -> t.Any:
    # Imported late: the collection has its name only after tools/setup created .cache, or with PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    return importlib.import_module(name)


def _replaced(file: str, text: str, begin: str, end: str, lines: Sequence[str]) -> str:
    """The text with these lines between two markers."""
    head, found, rest = text.partition(begin)
    _old, ended, tail = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"{file} needs the lines {begin} and {end}.")
    return "\n".join([head + begin, "", *lines, "", end + tail])


def _overview(names: Sequence[str], profiles: Mapping[str, t.Any]) -> list[str]:
    rows = []
    for name in names:
        profile = profiles[name]
        contains = ", ".join(f"`{parent}`" for parent in profile.extends)
        size = ", ".join(
            _count(len(own), what) for own, what in ((profile.sysctl, "key"), (profile.limits, "limit")) if own
        )
        rows.append(f"| [`{name}`](../roles/{name}/README.md) | {profile.summary} | {contains} | {size} |")
    return ["| profile | purpose | contains | own settings |", "| --- | --- | --- | --- |", *rows]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _contradictions(names: Sequence[str], profiles: Mapping[str, t.Any]) -> list[str]:
    find = _module(COMPOSE).contradictions
    wishes: dict[str, dict[str, str]] = {}
    for pair in itertools.combinations(names, 2):
        for slot, statements in find(pair, profiles).items():
            said = wishes.setdefault(" ".join(slot), {})
            said.update({statement.profile: str(statement.wish) for statement in statements})
    rows = [
        f"| `{setting}` | {', '.join(f'`{name}` {said[name]}' for name in sorted(said))} |"
        for setting, said in sorted(wishes.items())
    ]
    return ["| setting | requested values |", "| --- | --- |", *rows]


def _table(wanted: Mapping[str, t.Any]) -> list[str]:
    rows = [(f"`{key}`", _wish(setting), setting) for key, setting in wanted["sysctl"].items()]
    for limit in wanted["limits"]:
        sides = [f"{side} {_wish(limit[side])}" for side in ("soft", "hard") if side in limit]
        kind = next(kind for kind in _module(TARGETS).TARGETS if kind in limit)
        target = _module(WORDS).target_text(kind, limit[kind])
        rows.append((f"`{target}` `{limit['item']}`", ", ".join(sides), limit))
    table = [
        [name, wish, entry["why"], entry.get("hazard", ""), ", ".join(entry["source"])] for name, wish, entry in rows
    ]
    head = ["setting", "value", "reason", "hazard", "source"]
    if not any(row[3] for row in table):
        for row in (head, *table):
            del row[3]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *table)]


def _wish(setting: Mapping[str, t.Any]) -> str:
    words = {"value": "", "at_least": "at least ", "at_most": "at most "}
    relation = next(relation for relation in words if relation in setting)
    amount = setting[relation]
    return words[relation] + (" ".join(map(_number, amount)) if isinstance(amount, list) else _number(amount))


def _number(term: t.Any) -> str:
    """A number, or the formula that a host evaluates."""
    return str(_module(AMOUNTS).read(term)) if isinstance(term, dict) else str(term)


def _sources(wanted: Mapping[str, t.Any], declared: Mapping[str, t.Any]) -> list[str]:
    entries = [*wanted["sysctl"].values(), *wanted["limits"]]
    cited = {citation.partition(":")[0] for entry in entries for citation in entry["source"]}
    return [
        "A number after a source is its line number.",
        "",
        *(f"- `{name}`: {declared[name].title}, {_link(declared[name].address)}" for name in sorted(cited)),
    ]


def _link(address: str) -> str:
    return f"<{address}>" if "://" in address else f"`{address}`"


def main(arguments: Sequence[str]) -> int:
    pages: list[tuple[Path, Callable[[str], str]]] = [
        (role / "README.md", functools.partial(current_readme, role)) for role in documented_roles()
    ]
    stale = []
    for page, current in [*pages, (OVERVIEW, current_overview)]:
        old = page.read_text(encoding="utf-8")
        new = current(old)
        if new != old:
            stale.append(str(page.relative_to(ROOT)))
            if "--check" not in arguments:
                page.write_text(new, encoding="utf-8")
    if stale:
        print(("out of date: " if "--check" in arguments else "written: ") + ", ".join(stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
