# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write docs/kernel_parameters.md from the catalog of kernel parameters. With --check, only report whether it is outdated."""

from __future__ import annotations

import importlib
import sys
import typing as t
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "kernel_parameters.md"
CATALOG = "ansible_collections.tunefleet.linux.plugins.module_utils._sysctl.catalog"

HEAD = """\
# Kernel parameters

This page lists the kernel parameters in the catalog of the collection. `tools/parameter_table.py` writes it from
`plugins/module_utils/_sysctl/catalog.py`.

You can set any key of the running kernel, also one that is not in the catalog. For a key in the catalog, the value is checked before
anything is written. If the kernel does not have it, the message says why.

- **range**: the legal values. The kernel rejects others. In parentheses, the kernel accepts all values, but the collection refuses
  others, because they cause harm.
- **default**: the kernel's own value, with the first version that has it. If the default already satisfies a minimum or maximum, nothing
  is written.
- **scope**: where the key exists:
  - `netns`: each network namespace, and so each container, has its own value.
  - `netns_read_only`: one value for the machine. A namespace can read it.
  - `init_netns`: one value for the machine. A namespace does not have the key.
  - `global`: one value for the machine.
"""


def page() -> str:
    """The whole document."""
    # Imported late: the collection has its name only after tools/setup created .cache, or with PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    catalog = importlib.import_module(CATALOG)
    lines = [HEAD]
    groups: dict[str, list[str]] = {}
    for key in sorted(catalog.PARAMETERS):
        groups.setdefault(".".join(key.split(".")[:-1][:2]), []).append(key)
    for group, keys in groups.items():
        lines += [
            f"## {group}",
            "",
            "| key | what it does | unit | range | default | scope |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_row(catalog, key, catalog.PARAMETERS[key]) for key in keys]
        lines.append("")
    return "\n".join(lines)


def _row(catalog: t.Any, key: str, facts: t.Any) -> str:
    cells = [
        f"`{key}`",
        _about(catalog, key, facts),
        facts.unit,
        _range(facts.shape),
        _default(facts),
        f"`{facts.scope}`",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _about(catalog: t.Any, key: str, facts: t.Any) -> str:
    sentences = [facts.about]
    if facts.note:
        sentences.append(facts.note[0].upper() + facts.note[1:] + ".")
    if facts.since:
        sentences.append(f"Since {_version(facts.since)}.")
    if facts.removed:
        sentences.append(f"**Removed in {_version(facts.removed)}.**")
    if facts.no_effect:
        sentences.append(f"**No effect since {_version(facts.no_effect)}.**")
    if facts.action:
        sentences.append("A write triggers an action. The key is never written to a file.")
    along = [other for other in catalog.side_effects_of(key) if other != key]
    if along:
        sentences.append("A change can also change " + ", ".join(f"`{other}`" for other in along) + ".")
    if catalog.module_of(key):
        sentences.append(f"Needs the kernel module `{catalog.module_of(key)}`.")
    return " ".join(sentences)


def _version(version: tuple[int, int]) -> str:
    return f"Linux {version[0]}.{version[1]}"


def _range(shape: t.Any) -> str:
    if shape.kind == "ports" and shape.high is not None:
        return f"numbers and ranges up to {shape.high}"
    if shape.kind != "integers":
        return {"ports": "ports and ranges", "words": "names", "text": "text"}[shape.kind]
    high = "or more" if shape.high is None else f".. {shape.high}"
    text = f"{shape.low} {high}" + (f", {shape.length} numbers" if shape.length > 1 else "")
    text += ", rising" if shape.ascending else ""
    return text if shape.enforced else f"({text})"


def _default(facts: t.Any) -> str:
    texts = [text + (f" ({_version(since)})" if since != (0, 0) else "") for since, text in facts.defaults if text]
    if facts.computed:
        texts.append("computed at boot")
    return ", ".join(texts)


def main(arguments: Sequence[str]) -> int:
    new = page()
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if new == old:
        return 0
    if "--check" in arguments:
        print(f"out of date: {PAGE.relative_to(ROOT)}")
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(new, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
