# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""client. Private to ``tunefleet.linux``."""

import typing as t

from .. import conversion

if t.TYPE_CHECKING:
    from ..._host import host as hosts


Shown = t.Mapping[str, str]


def blocks(text: str) -> t.List[Shown]:
    """The units in what ``systemctl show`` prints."""
    return [
        dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.split("\n\n") if block.strip()
    ]


def show(host: "hosts.Host", properties: t.Sequence[str], units: t.Sequence[str] = ()) -> t.List[Shown]:
    """What systemd says about units, or about itself; nothing where it does not run."""
    command = ["systemctl", "--no-pager", "show", "--property", ",".join(properties)]
    ran = host.run(command + (["--"] + list(units) if units else []))
    return blocks(ran.output) if ran is not None and ran.status == 0 else []


def tasks_max(host: "hosts.Host", unit: str) -> t.Optional[int]:
    """How many tasks systemd allows a unit or a slice; None if there is no bound or it is unknown."""
    shown = show(host, ["TasksMax"], [unit])
    text = shown[0].get("TasksMax", "") if shown else ""
    return int(text) if text.isdigit() and int(text) < conversion.INFINITY else None
