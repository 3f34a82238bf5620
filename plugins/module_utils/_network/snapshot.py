# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One look at the sockets and counters of a host. Private: not for use outside of ``tunefleet.linux``.

A container may hide any file, an old kernel lacks some, a policy may forbid netlink. Whatever cannot be had is missing from the
reading and named in ``unseen``, and the rest is there all the same.
"""

import typing as t

from .. import _errors
from . import counters as counter_catalog
from . import messages, netlink, procfs

if t.TYPE_CHECKING:
    from .._host import host as hosts


Result = t.Dict[str, t.Any]

# How often a dump is asked for anew that the kernel calls interrupted.
_DUMPS = 3
# How many destinations are listed, most used first; a proxy has few, and no destination of a crawler runs out of ports.
_DESTINATIONS = 10
_DEFAULT_PORTS = (32768, 60999)

# What limits the things that are counted, as canonical keys.
SETTINGS = (
    "fs.file-max",
    "net.core.netdev_budget",
    "net.core.netdev_max_backlog",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.netfilter.nf_conntrack_max",
)


class Sockets(t.NamedTuple):
    """TCP sockets. ``states`` has for each family the numbers by the kernel's number of the state."""

    source: str
    states: t.Mapping[str, t.Sequence[int]]
    listeners: t.Sequence[netlink.Listener]
    uses: t.Sequence[netlink.PortUse]

    def in_state(self, state: int) -> int:
        """Sockets of both families in a state."""
        return sum(numbers[state] for numbers in self.states.values())


class Conntrack(t.NamedTuple):
    """Connections that the firewall follows: how many, how many there may be, and what was lost (packets) since the start."""

    entries: int
    maximum: int
    dropped: t.Optional[int]
    early_dropped: t.Optional[int]


class Snapshot(t.NamedTuple):
    """What was seen, at ``at`` seconds of the host's clock. Counters that this kernel does not have are not there."""

    at: float
    sockets: t.Optional[Sockets]
    sockstat: t.Mapping[str, t.Mapping[str, int]]
    counters: t.Mapping[str, int]
    softnet: t.Sequence[procfs.Cpu]
    conntrack: t.Optional[Conntrack]
    files: t.Optional[t.Tuple[int, int]]
    settings: t.Mapping[str, t.Optional[str]]
    unseen: t.Sequence[str]


def take(host: "hosts.Host") -> Snapshot:
    """Look at everything once."""
    unseen: t.List[str] = []
    settings = {key: _setting(host, key) for key in SETTINGS}
    at = host.now()
    counters = procfs.counters(_text(host, "/proc/net/netstat", unseen))
    counters.update(procfs.counters(_text(host, "/proc/net/snmp", unseen)))
    counters.update(procfs.counters6(host.read_text("/proc/net/snmp6") or ""))  # there is none without IPv6
    sockstat = procfs.sockstat(_text(host, "/proc/net/sockstat", unseen))
    sockstat.update(procfs.sockstat(host.read_text("/proc/net/sockstat6") or ""))
    softnet = procfs.softnet(_text(host, "/proc/net/softnet_stat", unseen))
    conntrack = _conntrack(host, settings["net.netfilter.nf_conntrack_max"])
    files = procfs.numbers(_text(host, "/proc/sys/fs/file-nr", unseen))
    return Snapshot(
        at,
        _sockets(host, port_range(settings), unseen),
        sockstat,
        {counter.name: counters[counter.field] for counter in counter_catalog.COUNTERS if counter.field in counters},
        softnet,
        conntrack,
        (files[0], files[2]) if len(files) == 3 else None,
        settings,
        unseen,
    )


def _setting(host: "hosts.Host", key: str) -> t.Optional[str]:
    """A live value, numbers with single blanks between them."""
    text = host.sysctl_text(key.replace(".", "/"))
    return None if text is None else " ".join(text.split())


def _text(host: "hosts.Host", path: str, unseen: t.List[str]) -> str:
    text = host.read_text(path)
    if not text:
        unseen.append(messages.NOT_READABLE(path=path))
    return text or ""


def port_range(settings: t.Mapping[str, t.Optional[str]]) -> t.Tuple[int, int]:
    """First and last port of the range for outgoing connections."""
    found = procfs.numbers(settings["net.ipv4.ip_local_port_range"])
    return (found[0], found[1]) if len(found) == 2 else _DEFAULT_PORTS


def ports_available(settings: t.Mapping[str, t.Optional[str]]) -> int:
    """How many ports of that range are not reserved."""
    first, last = port_range(settings)
    reserved = procfs.ports(settings["net.ipv4.ip_local_reserved_ports"])
    return last - first + 1 - sum(max(0, min(last, end) - max(first, start) + 1) for start, end in reserved)


def _conntrack(host: "hosts.Host", maximum: t.Optional[str]) -> t.Optional[Conntrack]:
    count, most = procfs.numbers(host.sysctl_text("net/netfilter/nf_conntrack_count")), procfs.numbers(maximum)
    if not count or not most:
        return None
    lost = procfs.conntrack(host.read_text("/proc/net/stat/nf_conntrack") or "")
    return Conntrack(count[0], most[0], lost.get("drop"), lost.get("early_drop"))


def _sockets(host: "hosts.Host", ports: t.Tuple[int, int], unseen: t.List[str]) -> t.Optional[Sockets]:
    try:
        return _from_netlink(host, ports)
    except _errors.HostProblem as problem:
        reason = str(problem)
    texts = {family: host.read_text(path) for family, path in (("ipv4", "/proc/net/tcp"), ("ipv6", "/proc/net/tcp6"))}
    if texts["ipv4"] is None:
        unseen.append(messages.SOCKETS_UNKNOWN(reason=reason))
        return None
    unseen.append(messages.LISTEN_QUEUES_UNKNOWN(reason=reason))
    tally = netlink.Tally(ports)
    found = [entry for family, text in texts.items() for entry in procfs.tcp(family, text or "", tally)]
    return _counted("/proc/net/tcp", tally, found)


def _from_netlink(host: "hosts.Host", ports: t.Tuple[int, int]) -> Sockets:
    """One dump of everything for the numbers, and a short one of the listening sockets that says more of each."""
    for _attempt in range(_DUMPS):
        tally = netlink.Tally(ports)
        found: t.List[netlink.Listener] = []
        try:
            for family in netlink.FAMILIES:
                found += netlink.listeners(family, _dump(host, netlink.listen_request(family)))
                tally.count_dump(family, _dump(host, netlink.request(family, netlink.EVERY_STATE)))
            return _counted("sock_diag", tally, found)
        except netlink.DumpInterrupted as problem:
            last = problem
    raise last


def _dump(host: "hosts.Host", request: bytes) -> t.Iterator[bytes]:
    return host.netlink(netlink.NETLINK_SOCK_DIAG, request)


def _counted(source: str, tally: netlink.Tally, listeners: t.Iterable[netlink.Listener]) -> Sockets:
    found = [listener._replace(half_open=tally.half_open.get(listener.port, 0)) for listener in listeners]
    order = sorted(found, key=lambda one: (one.port, one.family, one.address, one.inode))
    return Sockets(source, tally.states, order, tally.uses(_DESTINATIONS))


def as_result(reading: Snapshot) -> Result:
    """What ``socket_info`` returns."""
    sockets = reading.sockets
    return {
        "source": sockets.source if sockets else None,
        "states": _states(sockets) if sockets else [],
        "listeners": [dict(listener._asdict()) for listener in sockets.listeners] if sockets else [],
        "ports": _ports(reading),
        "sockstat": {protocol: dict(fields) for protocol, fields in reading.sockstat.items()},
        "counters": {counter.name: reading.counters.get(counter.name) for counter in counter_catalog.COUNTERS},
        "softnet": [dict(entry._asdict()) for entry in reading.softnet],
        "conntrack": dict(reading.conntrack._asdict()) if reading.conntrack else None,
        "files": {"open": reading.files[0], "maximum": reading.files[1]} if reading.files else None,
        "at": reading.at,
        "settings": dict(reading.settings),
        "unseen": list(reading.unseen),
    }


def _states(sockets: Sockets) -> t.List[Result]:
    return [
        {
            "state": state.name,
            "ipv4": sockets.states["ipv4"][state.number],
            "ipv6": sockets.states["ipv6"][state.number],
            "meaning": state.meaning,
            "source": list(state.source),
        }
        for state in counter_catalog.STATES
    ]


def _ports(reading: Snapshot) -> Result:
    uses = reading.sockets.uses if reading.sockets else ()
    return {
        "range": list(port_range(reading.settings)),
        "available": ports_available(reading.settings),
        "destinations": [dict(entry._asdict()) for entry in uses],
    }
