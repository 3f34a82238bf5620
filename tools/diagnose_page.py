# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write docs/diagnose.md from the advice, states and counters in the plugins. With --check, only report whether it is outdated."""

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
# Diagnosing bottlenecks

`make diagnose` finds network bottlenecks of each host and recommends a remedy. It changes nothing.

```console
$ make diagnose                                                        # this machine, 5 seconds
$ make diagnose DIAGNOSE_SECONDS=60 INVENTORY=hosts.ini ARGS="--forks 50"
$ ansible-playbook -i hosts.ini tunefleet.linux.diagnose -e tune_diagnose_seconds=60
```

Each host is sampled twice, some seconds apart. The difference of the counters decides which [advice](#advice) you get. In your own
playbook, use the module `tunefleet.linux.diagnose`. The module `tunefleet.linux.socket_info` returns the samples.

- A host without losses, and without a resource that is nearly exhausted, gets no advice, however busy it is. Sample a host under load.
- Each host takes the full number of seconds. On a fleet, raise the number of forks.
- **loss** means that something was lost between the two samples. **near** means that nothing was lost yet.
- Counters belong to the network namespace. In a container, they belong to the container. Values of the whole machine are marked.
- Settings of the machine, such as `net.core.netdev_max_backlog` and `net.ipv4.tcp_mem`, are not visible in a container. Advice then has
  no live value.

`tools/diagnose_page.py` writes this page from `advice.py` and `counters.py` in `plugins/module_utils/_network/`.

## Advice

An id keeps its meaning in all releases.

"""


def page() -> str:
    """The whole document."""
    # Imported late: the collection has its name only after tools/setup created .cache, or with PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    kinds = importlib.import_module(PACKAGE + "advice")
    catalog = importlib.import_module(PACKAGE + "counters")
    parts = [HEAD, *_table(("id", "bottleneck", "settings"), (_in_short(kind) for kind in kinds.KINDS))]
    for kind in kinds.KINDS:
        parts += ["\n", *_chapter(kind, kinds.IN_PROFILES)]
    parts += ["\n## TCP states\n\n"]
    parts += _table(
        ("state", "meaning", "source"),
        ((f"`{one.name}`", one.meaning, ", ".join(one.source)) for one in catalog.STATES),
    )
    parts += [
        "\nA source `guide_zh:19` is a line of the [Chinese guide](../roles/guide_zh/README.md).\n\n## Counters\n\n"
    ]
    parts += ["Counters start at 0 with the network namespace and only increase.\n\n"]
    parts += _table(("counter", "unit", "meaning", "kernel source"), map(_counter, catalog.COUNTERS))
    return "".join(parts)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    for cells in (titles, ["---"] * len(titles), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _in_short(kind: t.Any) -> Sequence[str]:
    return f"[`{kind.id}`](#{kind.id})", kind.title, ", ".join(f"`{key}`" for key in kind.settings) or "none"


def _chapter(kind: t.Any, in_profiles: t.Mapping[str, tuple[str, str]]) -> Iterable[str]:
    yield f"### {kind.id}\n\n**{kind.title}.** {kind.meaning}\n\n"
    yield f"- **Detected by**: {kind.shown_by}\n- **Remedy**: {kind.remedy}\n- **Cost**: {kind.cost}\n"
    named = [(key, *in_profiles[key]) for key in kind.helping if key in in_profiles]
    if named:
        profiles = "; ".join(f"`{profile}` sets `{key}` to {value}" for key, profile, value in named)
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
