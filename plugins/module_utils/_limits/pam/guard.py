# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules against locking people out. Private: not for use outside of ``tunefleet.linux``.

A limit that setrlimit(2) refuses makes pam_limits end the session of everybody it binds, root included, unless the distribution
patched that away (Debian does; modules/pam_limits/pam_limits.c returns PAM_PERM_DENIED). A limit that is too low leaves a session in
which nothing works. Both are found here, before they are written. Each sentence begins with the name of its rule.
"""

import typing as t

from ..._core import limit as limit_types
from .. import items
from . import messages
from . import variant as pam_variant

# What a login needs at the least. Measured on Debian 12 and 13: nofile 3, nproc 1 and "as" 100 leave no shell, nofile 0 to 3 ends
# the session in libpam itself, which opens a socket to the audit system. The others keep a distance from that.
_FLOORS = {
    "as": 65536,
    "cpu": 1,
    "data": 16384,
    "fsize": 1024,
    "maxlogins": 1,
    "maxsyslogins": 1,
    "memlock": 64,
    "nofile": 256,
    "nproc": 32,
    "stack": 256,
}
# Members of one of these become root by a program that nonewprivs disables.
SUDO_GROUPS = frozenset(["admin", "sudo", "wheel"])


class GuardContext(t.NamedTuple):
    """What a limit is measured against.

    ``nr_open``: what fs.nr_open is, or will be once the same request is carried out. ``people``: whether the domain binds root or
    anybody who logs in. ``sudo``: whether it binds somebody who becomes root by sudo or su. ``threads``: who is bound and runs
    the most threads, and how many.
    """

    nr_open: t.Optional[int] = None
    variant: pam_variant.PamVariant = pam_variant.UNKNOWN
    people: bool = True
    sudo: bool = False
    threads: t.Optional[t.Tuple[str, int]] = None


def rejections(item: str, limit: limit_types.Limit, facts: GuardContext) -> t.List[str]:
    """Why a pair of limits must not be written, one sentence each.

    :param limit: the entry that is about to be written.
    """
    asked = [value for value in limit if value is not None]
    if not asked:
        return []
    found = _above_nr_open(item, asked, facts) + _too_low(item, min(asked, key=items.rank), facts)
    if item == "nonewprivs" and 1 in asked and facts.sudo:
        found.append(messages.FLOOR_NONEWPRIVS())
    return found


def _above_nr_open(item: str, asked: t.Sequence[limit_types.Number], facts: GuardContext) -> t.List[str]:
    if item != "nofile":
        return []
    if limit_types.UNLIMITED in asked and not facts.variant.unlimited_means_nr_open:
        # Before Linux-PAM 1.5.2 this ends every session.
        return [messages.UNLIMITED_NOFILE()]
    highest = max([int(value) for value in asked if value != limit_types.UNLIMITED] or [0])
    if facts.nr_open is not None and highest > facts.nr_open:
        return [messages.NOFILE_ABOVE_NR_OPEN(value=highest, nr_open=facts.nr_open)]
    return []


def _too_low(item: str, lowest: limit_types.Number, facts: GuardContext) -> t.List[str]:
    if facts.people and item in _FLOORS and items.rank(lowest) < _FLOORS[item]:
        return [messages.FLOOR(item=item, value=lowest, floor=_FLOORS[item])]
    if item == "nproc" and facts.threads is not None and items.rank(lowest) < facts.threads[1]:
        return [messages.THREADS(value=lowest, user=facts.threads[0], threads=facts.threads[1])]
    return []


def warnings(item: str, limit: limit_types.Limit, facts: GuardContext) -> t.List[str]:
    """What to know about a pair of limits that may be written, one sentence each."""
    if (
        item == "nofile"
        and limit_types.UNLIMITED in limit
        and facts.variant.unlimited_means_nr_open
        and facts.nr_open is not None
    ):
        return [messages.UNLIMITED_BECOMES_NR_OPEN(nr_open=facts.nr_open)]
    return []
