# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""machine. Private to ``tunefleet.linux``."""

import re
import typing as t

from .. import _errors

if t.TYPE_CHECKING:
    from .._core import formula
    from . import host as hosts


def booted(host: "hosts.Host") -> bool:
    """Whether systemd is process 1: sd_booted(3)."""
    return host.exists("/run/systemd/system")


_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def integer(text: t.Optional[str]) -> t.Optional[int]:
    return int(text) if text is not None and re.match(r"^-?\d+$", text) else None


def kernel_memory(host: "hosts.Host") -> t.Optional[int]:
    """The memory that the kernel has, in KiB."""
    found = re.match(r"MemTotal:\s*(\d+) kB", host.read_text("/proc/meminfo") or "")
    return int(found.group(1)) if found else None


def resources(host: "hosts.Host") -> "formula.Resources":
    """What numbers that depend on the host are worked out with.

    Memory is what the kernel has, or the limit of the container where that is less: sockets are charged to it. The limit stands
    at the root of the control groups that the container sees, version 2 or 1 (cgroups(7)); the root of a whole machine has none.
    Processors are those that are online. A quota of processor time does not count, for it changes no queue.
    """
    from .._core import formula

    memory = kernel_memory(host)
    limits = [integer(host.read_text(path)) for path in _MEMORY_LIMITS]
    known = [limit // 1024 for limit in limits if limit is not None]
    return formula.Resources(min([memory] + known) if memory is not None else None, _processors(host))


def _processors(host: "hosts.Host") -> t.Optional[int]:
    """The number of processors that are online: ``0-3,6`` are five."""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", host.read_text("/sys/devices/system/cpu/online") or "")
    if ranges:
        return sum(int(last or first) - int(first) + 1 for first, last in ranges)
    return len(re.findall(r"^cpu\d", host.read_text("/proc/stat") or "", re.MULTILINE)) or None


def read_tolerant(host: "hosts.Host", path: str, closed: t.List[str]) -> t.Optional[bytes]:
    """The bytes of a file of others; one that not even root can open, such as a ring of links, is added to a list."""
    try:
        return host.read_or_none(path)
    except _errors.HostProblem:
        if not host.is_root():
            raise
        closed.append(path)
        return None
