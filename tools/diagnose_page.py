# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/diagnose.md from what the collection knows of advice, states and counters; with --check, says whether it is out of date."""

from __future__ import annotations

import importlib
import sys
import typing as t
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "diagnose.md"
PACKAGE = "ansible_collections.tunefleet.linux.plugins.module_utils._network."

HEAD = """\
# What a diagnosis says

Written by `tools/diagnose_page.py` from `_kinds.py` and `_catalog.py` in `plugins/module_utils/_sockets/`.

`make diagnose` and the playbook `tunefleet.linux.diagnose` read the counters of each host twice, a few seconds apart, and give the advice
below. The module `tunefleet.linux.diagnose` does the same for a playbook of your own, `tunefleet.linux.socket_info` returns what is read.
Nothing is ever written.

- A host that lost nothing in these seconds, and is not about to, gets no advice, however busy it is. So look while it is under load:
  `make diagnose DIAGNOSE_SECONDS=60`. Every host takes that long, so on a fleet raise the number that is looked at in parallel:
  `ARGS="--forks 50"`.
- **loss** means that something was lost between the two readings, **near** that it was not lost yet.
- Counters belong to the network namespace: in a container to the container. What is counted for the whole machine says so.
- Settings of the machine, such as `net.core.netdev_max_backlog` and `net.ipv4.tcp_mem`, cannot be seen in a container; advice about
  them then names no live value.

## Advice

An id keeps its meaning from release to release.

"""


def page() -> str:
    """The whole document."""
    # Imported here, for the collection has its name only once tools/setup has made .cache, or from PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    kinds = importlib.import_module(PACKAGE + "advice")
    catalog = importlib.import_module(PACKAGE + "counters")
    parts = [HEAD, *_table(("id", "in words", "settings"), (_in_short(kind) for kind in kinds.KINDS))]
    for kind in kinds.KINDS:
        parts += ["\n", *_chapter(kind, kinds.IN_PROFILES)]
    parts += ["\n## States of a TCP socket\n\n"]
    parts += _table(
        ("state", "what it means", "source"),
        ((f"`{one.name}`", one.meaning, ", ".join(one.source)) for one in catalog.STATES),
    )
    parts += ["\nA source `guide_zh:19` is a line of the Chinese guide, see the profiles.\n\n## Counters\n\n"]
    parts += ["They only grow, from the start of the namespace on.\n\n"]
    parts += _table(("counter", "unit", "what it counts", "in the kernel"), map(_counter, catalog.COUNTERS))
    return "".join(parts)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    for cells in (titles, ["---"] * len(titles), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _in_short(kind: t.Any) -> Sequence[str]:
    return f"[`{kind.id}`](#{kind.id})", kind.title, ", ".join(f"`{key}`" for key in kind.settings) or "none"


def _chapter(kind: t.Any, in_profiles: t.Mapping[str, tuple[str, str]]) -> Iterable[str]:
    yield f"### {kind.id}\n\n**{kind.title}.** {kind.meaning}\n\n"
    yield f"- **Seen by**: {kind.shown_by}\n- **To do**: {kind.remedy}\n- **Costs**: {kind.cost}\n"
    named = [(key, *in_profiles[key]) for key in kind.helping if key in in_profiles]
    if named:
        profiles = "; ".join(f"`{profile}` has `{key}` = {value}" for key, profile, value in named)
        yield f"- **Profiles**: {profiles}.\n"


def _counter(counter: t.Any) -> Sequence[str]:
    since = f" Since Linux {counter.since}." if counter.since else ""
    return f"`{counter.name}`", counter.unit, counter.meaning + since, f"`{counter.field}`: {counter.kernel}"


def main(arguments: Sequence[str]) -> int:
    new = page()
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if new == old:
        return 0
    if "--check" in arguments:
        print(f"out of date: {PAGE.relative_to(ROOT)}")
        return 1
    PAGE.write_text(new, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
