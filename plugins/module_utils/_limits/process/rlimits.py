# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of running processes as /proc shows them. Private: not for use outside of ``tunefleet.linux``.

What a session has before any rule of limits.conf(5) comes from the processes that start it.
"""

import typing as t

from ..._core import limit as limit_types
from .. import items

# Name in /proc/PID/limits (fs/proc/base.c, lnames), and what one unit of limits.conf(5) is in the unit of setrlimit(2).
_ROWS = {
    "Max address space": ("as", 1024),
    "Max core file size": ("core", 1024),
    "Max cpu time": ("cpu", 60),
    "Max data size": ("data", 1024),
    "Max file locks": ("locks", 1),
    "Max file size": ("fsize", 1024),
    "Max locked memory": ("memlock", 1024),
    "Max msgqueue size": ("msgqueue", 1),
    "Max nice priority": ("nice", 1),
    "Max open files": ("nofile", 1),
    "Max pending signals": ("sigpending", 1),
    "Max processes": ("nproc", 1),
    "Max realtime priority": ("rtprio", 1),
    "Max realtime timeout": ("rttime", 1),
    "Max resident set": ("rss", 1024),
    "Max stack size": ("stack", 1024),
}
_CAP_SYS_RESOURCE = 1 << 24  # include/uapi/linux/capability.h
_WHOLE_RANGE = ["0", "0", "4294967295"]
# pam_limits of Debian and su(1) of util-linux begin a session with this soft limit, whatever the daemon has.
_SESSION_SOFT_NOFILE = 1024

Limits = t.Dict[str, limit_types.Limit]


def parse(text: str) -> Limits:
    """The limits on the rows of a /proc/PID/limits, in units of limits.conf(5)."""
    found: Limits = {}
    for line in text.splitlines():
        item, unit = _ROWS.get(line[:26].strip(), ("", 1))
        words = line[26:].split()
        if item and len(words) >= 2:
            found[item] = limit_types.Limit(_in_units(words[0], item, unit), _in_units(words[1], item, unit))
    return found


def _in_units(word: str, item: str, unit: int) -> limit_types.Number:
    if not word.isdigit():
        return limit_types.UNLIMITED
    # A nice value is kept counted down from 20: getrlimit(2).
    return 20 - int(word) if item == "nice" else int(word) // unit


def lowest(limits: t.Sequence[Limits]) -> Limits:
    """What a new session can count on when no rule binds it: the least of what the processes that start sessions have."""
    found: Limits = {}
    for item in {item for limit in limits for item in limit}:
        values = [limit[item] for limit in limits if item in limit]
        soft, hard = [
            min((value for value in half if value is not None), key=lambda value: items.kernel(value, item))
            for half in ([value.soft for value in values], [value.hard for value in values])
        ]
        if item == "nofile":
            soft = min(soft, _SESSION_SOFT_NOFILE, key=items.rank)
        found[item] = limit_types.Limit(soft, hard)
    return found


def may_raise(status: t.Optional[str], uid_map: t.Optional[str]) -> bool:
    """Whether sessions may get a hard limit above the one that process 1 has.

    setrlimit(2) asks for CAP_SYS_RESOURCE in the first user namespace; a container often has neither.

    :param status: /proc/1/status. :param uid_map: /proc/self/uid_map. Either may be None where it cannot be read.
    """
    if uid_map is not None and uid_map.split() != _WHOLE_RANGE:
        return False
    for line in (status or "").splitlines():
        name, _colon, value = line.partition(":")
        if name == "CapBnd":
            return bool(int(value.strip(), 16) & _CAP_SYS_RESOURCE)
    return True
