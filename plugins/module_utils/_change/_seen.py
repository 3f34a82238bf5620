# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host shows, gathered once before anything is decided. Private: not for use outside of ``tunefleet.linux``.

The host object is handed in; from here on everything that decides is pure.
"""

import re
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change._wish import Request
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _pam, _process
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _boot, _catalog, _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import File, Host, Live

# They start the sessions that pam_limits works on.
_SESSION_DAEMONS = frozenset(["sshd", "cron", "crond"])

Files = t.Sequence[t.Tuple[str, bytes]]


class SysctlSeen(t.NamedTuple):
    """Kernel parameters and sysctl.d files.

    ``beside`` holds for some keys what else the kernel may change with them. ``files`` are those that the next boot reads, in
    that order.
    """

    live: t.Mapping[str, "Live"]
    beside: t.Mapping[str, t.Mapping[str, "Live"]]
    own: t.Optional["File"]
    files: Files
    reals: t.Mapping[str, str]
    machine: _catalog.Machine
    child_netns: bool
    known: t.Sequence[str]


class LimitsSeen(t.NamedTuple):
    """limits.conf files, and what sessions have before any rule. ``nr_open`` is fs.nr_open as it is now."""

    own: t.Optional["File"]
    files: Files
    base: _process.Limits
    ceiling: _process.Limits
    may_raise: bool
    nr_open: t.Optional[int]


class Seen(t.NamedTuple):
    """Everything that a plan is made from."""

    sysctl: t.Optional[SysctlSeen]
    limits: t.Optional[LimitsSeen]


def _release(text: str) -> _catalog.Version:
    numbers = re.findall(r"\d+", text)[:2]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)


def _integer(text: t.Optional[str]) -> t.Optional[int]:
    return int(text) if text is not None and re.match(r"^-?\d+$", text) else None


def _machine(host: "Host") -> _catalog.Machine:
    ehash = _integer(host.live("net/ipv4/tcp_ehash_entries").text)
    memory = re.match(r"MemTotal:\s*(\d+) kB", host.text("/proc/meminfo") or "")
    return _catalog.Machine(
        release=_release(host.kernel_release()),
        # A child network namespace that shares the table of its host shows the number negative.
        ehash=None if ehash is None else abs(ehash),
        memory=int(memory.group(1)) if memory else None,
    )


def boot_files(host: "Host") -> Files:
    """Path and bytes of each file that systemd-sysctl reads, in its order."""
    listing = {directory: host.names(directory) for directory in _boot.DIRECTORIES}
    found = [(path, host.read_if_any(path)) for path in _boot.reading_order(listing)]
    return [(path, data) for path, data in found if data is not None]


def matches(host: "Host", pattern: str) -> t.List[str]:
    """The keys of the host that a pattern of keys matches."""
    return [_names.from_path(path) for path in host.live_matches(_names.to_path(pattern))]


def _beside(host: "Host", key: str) -> t.Mapping[str, "Live"]:
    """What the kernel may change together with a key."""
    found = {other for pattern in _catalog.rewritten_with(key) for other in matches(host, pattern)}
    return {other: host.live(_names.to_path(other)) for other in sorted(found - {key})}


def sysctl(host: "Host", keys: t.Iterable[str], path: t.Optional[str]) -> SysctlSeen:
    """What the host shows about some keys.

    :param path: the file in which entries are to be kept, or None when there shall be none.
    """
    live = {key: host.live(_names.to_path(key)) for key in keys}
    beside = {key: _beside(host, key) for key in live if _catalog.rewritten_with(key)}
    strange = [key for key in live if not live[key].exists and not _catalog.find(key) and not _catalog.module_of(key)]
    files = boot_files(host)
    return SysctlSeen(
        live=live,
        beside=beside,
        own=host.read_own(path) if path else None,
        files=files,
        reals={name: host.real(name) for name, _data in files},
        machine=_machine(host),
        child_netns=host.live("net/core/somaxconn").exists and not host.live("net/core/dev_weight").exists,
        known=[_names.from_path(name) for name in host.live_paths()] if strange else [],
    )


def limit_files(host: "Host") -> Files:
    """Path and bytes of each file that pam_limits reads, in its order."""
    found = [(path, host.read_if_any(path)) for path in _pam.reading_order(host.names(_pam.DIRECTORY))]
    return [(path, data) for path, data in found if data is not None]


def limits(host: "Host", path: t.Optional[str]) -> LimitsSeen:
    """What the host shows about limits of sessions."""
    init = _process.parse(host.text("/proc/1/limits") or "")
    daemons = [
        _process.parse(host.text("/proc/{0}/limits".format(pid)) or "")
        for pid in host.children_of_init(_SESSION_DAEMONS)
    ]
    return LimitsSeen(
        own=host.read_own(path) if path else None,
        files=limit_files(host),
        base=_process.lowest([init] + daemons),
        ceiling=init,
        may_raise=_process.may_raise(host.text("/proc/1/status"), host.text("/proc/self/uid_map")),
        nr_open=_integer(host.live("fs/nr_open").text),
    )


def of(host: "Host", request: Request) -> Seen:
    """What the host shows about everything that a request names."""
    policy = request.policy
    path = policy.sysctl_file if policy.persist else None
    return Seen(
        sysctl(host, [wish.key for wish in request.wishes], path) if request.wishes else None,
        limits(host, policy.limits_file) if request.limits else None,
    )
