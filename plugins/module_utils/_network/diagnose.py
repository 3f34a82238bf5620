# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``socket_info`` and ``diagnose`` do: look once, or twice and judge. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._limits.process import rlimits
from . import counters as counter_catalog
from . import messages, snapshot
from . import rules as advice_rules

if t.TYPE_CHECKING:
    from .._host import host as hosts


Result = t.Dict[str, t.Any]

_LONGEST = 3600


def info(host: "hosts.Host") -> Result:
    """Sockets and counters as they are now."""
    return snapshot.as_result(snapshot.take(host))


def diagnose(host: "hosts.Host", seconds: float) -> Result:
    """What was lost within some seconds, or is nearly used up, and what to do about it.

    :raises ValueProblem: when the time makes no sense.
    """
    if not 0.1 <= seconds <= _LONGEST:  # also refuses what is no number (nan)
        raise _errors.ValueProblem(messages.SECONDS_OUT_OF_RANGE(seconds=seconds, highest=_LONGEST))
    before = snapshot.take(host)
    host.sleep(seconds)
    after = snapshot.take(host)
    change = advice_rules.Change(before, after, _owners(host, advice_rules.suspects(before, after)))
    grown = {counter.name: change.grown(counter.name) for counter in counter_catalog.COUNTERS}
    return {
        "seconds": round(change.seconds, 1),
        "advice": [advice_rules.as_result(entry) for entry in advice_rules.advise(change)],
        "grown": {name: count for name, count in grown.items() if count},
        "unseen": list(after.unseen),
    }


def _owners(host: "hosts.Host", inodes: t.Set[int]) -> t.Dict[int, t.List[advice_rules.Owner]]:
    """The processes that hold these sockets. Looking for them takes long on a busy host, so nobody is asked without need."""
    if not inodes:
        return {}
    found = host.socket_owners(inodes)
    known = {pid: _owner(host, pid) for pids in found.values() for pid in pids}
    return {inode: [known[pid] for pid in pids] for inode, pids in found.items()}


def _owner(host: "hosts.Host", pid: str) -> advice_rules.Owner:
    place = "/proc/{0}/".format(pid)
    limit = rlimits.parse(host.read_text(place + "limits") or "").get("nofile")
    try:
        count: t.Optional[int] = len(host.listdir(place + "fd"))
    except _errors.HostProblem:
        count = None
    may_open = limit.soft if limit and isinstance(limit.soft, int) else None
    return advice_rules.Owner(pid, host.read_text(place + "comm") or "", count, may_open)
