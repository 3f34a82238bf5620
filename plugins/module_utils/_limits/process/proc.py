# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on a host: one process, or what systemd says. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from ..._core import steps as step_types
from .. import conversion

if t.TYPE_CHECKING:
    from ..._host import host as hosts


_TICKS = 100  # of /proc/PID/stat in a second: USER_HZ, the same on every architecture that systemd runs on


class Process(t.NamedTuple):
    """A running process. ``started`` distinguishes it from a later one with its id, ``age`` is in seconds, limits in the kernel's units."""

    pid: int
    started: str
    age: float
    limits: t.Mapping[str, conversion.Pair]


def read(host: "hosts.Host", pid: str) -> t.Optional[Process]:
    """A running process, None when it has ended."""
    # The command in brackets may hold blanks and brackets of its own, so the last bracket ends it: proc_pid_stat(5).
    fields = (host.read_text("/proc/{0}/stat".format(pid)) or "").rpartition(")")[2].split()
    uptime = host.uptime()
    limits = host.read_text("/proc/{0}/limits".format(pid))
    if len(fields) < 20 or uptime is None or limits is None:
        return None
    return Process(int(pid), fields[19], uptime - int(fields[19]) / _TICKS, conversion.running(limits))


def limit_of(host: "hosts.Host", step: step_types.SetRlimit) -> t.Optional[conversion.Pair]:
    """The limit that the process of a step has now, in the kernel's units; None when that process has ended."""
    found = read(host, str(step.pid))
    return found.limits.get(conversion.item_of(step.number)) if found and found.started == step.started else None


def unit_of(host: "hosts.Host", pid: int) -> str:
    """The unit that a process belongs to, or nothing: the last one on its path of cgroups that is no slice."""
    paths = [line.split(":", 2)[1:] for line in (host.read_text("/proc/{0}/cgroup".format(pid)) or "").splitlines()]
    # The hierarchy of systemd itself in the first version of cgroups, the only one in the second.
    for hierarchy in ("name=systemd", ""):
        for name, path in [pair for pair in paths if len(pair) == 2]:
            units = [entry for entry in path.split("/") if entry.endswith((".service", ".scope"))]
            if name == hierarchy and units:
                return units[-1]
    return ""
