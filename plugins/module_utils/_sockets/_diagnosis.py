# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``socket_info`` and ``diagnose`` do: look once, or twice and judge. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _process
from ansible_collections.tunefleet.linux.plugins.module_utils._sockets import _advice, _catalog, _reading

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

Result = t.Dict[str, t.Any]

_LONGEST = 3600


def info(host: "Host") -> Result:
    """Sockets and counters as they are now."""
    return _reading.as_result(_reading.read(host))


def diagnose(host: "Host", seconds: float) -> Result:
    """What was lost within some seconds, or is nearly used up, and what to do about it.

    :raises ValueProblem: when the time makes no sense.
    """
    if not 0.1 <= seconds <= _LONGEST:  # also refuses what is no number (nan)
        raise _errors.ValueProblem(
            "Diagnosing the host for {0:g} seconds was refused: seconds has to be between 0.1 and {1}.".format(
                seconds, _LONGEST
            )
        )
    before = _reading.read(host)
    host.sleep(seconds)
    after = _reading.read(host)
    change = _advice.Change(before, after, _owners(host, _advice.suspects(before, after)))
    grown = {one.name: change.grown(one.name) for one in _catalog.COUNTERS}
    return {
        "seconds": round(change.seconds, 1),
        "advice": [_advice.as_result(one) for one in _advice.advise(change)],
        "grown": {name: count for name, count in grown.items() if count},
        "unseen": list(after.unseen),
    }


def _owners(host: "Host", inodes: t.Set[int]) -> t.Dict[int, t.List[_advice.Owner]]:
    """The processes that hold these sockets. Looking for them takes long on a busy host, so nobody is asked without need."""
    if not inodes:
        return {}
    found = host.socket_owners(inodes)
    known = {pid: _owner(host, pid) for pids in found.values() for pid in pids}
    return {inode: [known[pid] for pid in pids] for inode, pids in found.items()}


def _owner(host: "Host", pid: str) -> _advice.Owner:
    place = "/proc/{0}/".format(pid)
    limit = _process.parse(host.text(place + "limits") or "").get("nofile")
    try:
        count: t.Optional[int] = len(host.names(place + "fd"))
    except _errors.HostProblem:
        count = None
    may_open = limit.soft if limit and isinstance(limit.soft, int) else None
    return _advice.Owner(pid, host.text(place + "comm") or "", count, may_open)
