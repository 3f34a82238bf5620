# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/kernel_parameters.md from the catalog of kernel parameters; with --check, says whether it is out of date."""

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
# Kernel parameters that the collection knows

Written by `tools/parameter_table.py` from the catalog in `plugins/module_utils/_sysctl/_catalog.py`. A key need not be in here to be
set; what is in here is checked before anything is written, and told apart when it is absent.

- **range**: what the kernel refuses beyond. In parentheses where it checks nothing and we do, because the rest does harm.
- **default**: what the kernel uses by itself, with the first version that does. A bound that it meets is not written down.
- **scope**: `netns`, each network namespace and container has its own; `netns_read_only`, one for the machine, which a
  namespace may read; `init_netns`, one for the machine, absent in a namespace; `global`, one for the machine.
"""


def page() -> str:
    """The whole document."""
    # Imported here, for the collection has its name only once tools/setup has made .cache, or from PYTHONPATH.
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
        sentences.append(f"**Gone since {_version(facts.removed)}.**")
    if facts.no_effect:
        sentences.append(f"**Without effect since {_version(facts.no_effect)}.**")
    if facts.action:
        sentences.append("An action, not a state: never written to a file.")
    along = [other for other in catalog.side_effects_of(key) if other != key]
    if along:
        sentences.append("A change may change " + ", ".join(f"`{other}`" for other in along) + " along with it.")
    if catalog.module_of(key):
        sentences.append(f"Needs the module `{catalog.module_of(key)}`.")
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
