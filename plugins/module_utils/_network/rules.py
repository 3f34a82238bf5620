# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From two readings to advice. Pure. Private: not for use outside of ``tunefleet.linux``.

Each rule looks at one resource and is silent unless something was lost between the readings, or a resource that fails hard is
nearly used up: advice that is wrong is worse than none.
"""

import math
import typing as t

from . import advice as advice_catalog
from . import netlink, procfs, snapshot

LOSS, NEAR = "loss", "near"
_NEARLY = 0.9
_TIME_WAIT_SECONDS = 60  # TCP_TIMEWAIT_LEN in include/net/tcp.h
_MOST_TIME_WAIT = 2000000
# A second, from which on they are worth a word.
_SQUEEZES = 10
_FLOOD = 100


class Owner(t.NamedTuple):
    """A process that holds a socket, how many files it has open and how many it may (None: not known, or without limit)."""

    pid: str
    name: str
    open_files: t.Optional[int]
    may_open: t.Optional[int]


class Setting(t.NamedTuple):
    """A setting that limits, its live value, and what would help: the value, and the profile that has it."""

    key: str
    live: t.Optional[str]
    suggested: t.Optional[str] = None
    profile: t.Optional[str] = None


class Advice(t.NamedTuple):
    """What is under pressure on this host: ``kind`` says all that holds for every host, the rest is of this one.

    ``subject`` is what it is about, where there may be several: a listening socket, a destination, a core.
    """

    kind: advice_catalog.Kind
    severity: str
    subject: str
    evidence: str
    kernel_helps: bool
    settings: t.Sequence[Setting]


class Change(t.NamedTuple):
    """Two readings, and who holds the listening sockets that are in trouble, by inode."""

    before: snapshot.Snapshot
    after: snapshot.Snapshot
    owners: t.Mapping[int, t.Sequence[Owner]]

    @property
    def seconds(self) -> float:
        return max(self.after.at - self.before.at, 0.001)

    def grown(self, name: str) -> int:
        """How much a counter grew; 0 where the kernel does not have it."""
        return grown(self.before.counters.get(name), self.after.counters.get(name))

    def live(self, key: str) -> t.Optional[str]:
        return self.after.settings.get(key)

    def number(self, key: str, position: int = 0) -> t.Optional[int]:
        found = procfs.numbers(self.live(key))
        return found[position] if len(found) > position else None

    def rate(self, count: int, what: str) -> str:
        """``312 datagrams dropped in 5.0 s (62.4/s)``."""
        return "{0} {1} in {2:.1f} s ({3:.1f}/s)".format(count, what, self.seconds, count / self.seconds)


def grown(before: t.Optional[int], after: t.Optional[int]) -> int:
    """How much a counter of 32 or 64 bits grew, also across its end; 0 for one that was set back, or is not there.

    >>> grown(2**32 - 2, 3)
    5
    """
    if before is None or after is None:
        return 0
    if after >= before:
        return after - before
    for bits in (32, 64):
        difference = (after - before) % (1 << bits)
        if before < 1 << bits and difference < 1 << (bits - 2):
            return difference
    return 0


def advise(change: Change) -> t.List[Advice]:
    """Everything worth saying, in the order of the kinds; the same readings give the same advice."""
    return [advice for rule in _RULES for advice in rule(change)]


def as_result(advice: Advice) -> t.Dict[str, t.Any]:
    """One entry of the ``advice`` that ``diagnose`` returns."""
    kind = advice.kind
    return {
        "id": kind.id,
        "title": kind.title,
        "severity": advice.severity,
        "subject": advice.subject,
        "evidence": advice.evidence,
        "kernel_helps": advice.kernel_helps,
        "settings": [dict(setting._asdict()) for setting in advice.settings],
        "meaning": kind.meaning,
        "remedy": kind.remedy,
        "cost": kind.cost,
    }


def _shown(change: Change, *keys: str) -> t.List[Setting]:
    """Settings with their live value and without a suggestion."""
    return [Setting(key, change.live(key)) for key in keys]


def _as_in_profile(change: Change, key: str) -> Setting:
    """A setting for which the value of a profile is suggested."""
    profile, text = advice_catalog.IN_PROFILES[key]
    return Setting(key, change.live(key), text, profile)


def _more(change: Change, key: str, least: int = 0, position: int = 0) -> Setting:
    """A capacity to be raised: to what a profile wants if that is more, else to twice what it is.

    :param least: what it has to be at least. :param position: which of several numbers.
    """
    live = change.number(key, position)
    profile, text = advice_catalog.IN_PROFILES.get(key, (None, ""))
    wanted = procfs.numbers(text)
    if wanted and wanted[position] > (live or 0) and wanted[position] >= least:
        return Setting(key, change.live(key), text, profile)
    if live is None:
        return Setting(key, None)
    numbers = [str(number) for number in procfs.numbers(change.live(key))]
    numbers[position] = str(max(2 * live, least))
    return Setting(key, change.live(key), " ".join(numbers))


class _Queue(t.NamedTuple):
    """The listening sockets of one address and port that share a limit; several where they are opened with SO_REUSEPORT.

    ``stayed_full`` says that each of them that is full was full before.
    """

    sockets: t.Sequence[netlink.Listener]
    dropped: int
    stayed_full: bool

    @property
    def limit(self) -> t.Optional[int]:
        return self.sockets[0].limit

    @property
    def name(self) -> str:
        return _end(self.sockets[0].address, self.sockets[0].port)


def _end(address: str, port: int) -> str:
    return ("[{0}]:{1}" if ":" in address else "{0}:{1}").format(address, port)


def _queues(change: Change) -> t.List[_Queue]:
    """Every listen queue with what it dropped between the readings."""
    if not change.before.sockets or not change.after.sockets:
        return []
    before = {_identity(listener): listener for listener in change.before.sockets.listeners}
    groups: t.Dict[t.Tuple[str, int, t.Optional[int]], t.List[netlink.Listener]] = {}
    for listener in change.after.sockets.listeners:
        groups.setdefault((listener.address, listener.port, listener.limit), []).append(listener)
    return [_queue(group, [before.get(_identity(entry)) for entry in group]) for group in groups.values()]


def _identity(listener: netlink.Listener) -> t.Tuple[str, str, int, int]:
    return listener.family, listener.address, listener.port, listener.inode


def _queue(after: t.Sequence[netlink.Listener], before: t.Sequence[t.Optional[netlink.Listener]]) -> _Queue:
    # A socket that was not there before began with 0.
    dropped = sum(grown(old.drops if old else 0, new.drops) for old, new in zip(before, after))
    full = [old for old, new in zip(before, after) if _is_full(new)]
    return _Queue(after, dropped, bool(full) and all(old is not None and _is_full(old) for old in full))


def _is_full(listener: netlink.Listener) -> bool:
    """As the kernel sees it (include/net/sock.h, sk_acceptq_is_full)."""
    return listener.limit is not None and listener.length > listener.limit


def suspects(before: snapshot.Snapshot, after: snapshot.Snapshot) -> t.Set[int]:
    """Inodes of the listening sockets that dropped something: it is worth knowing whose they are."""
    change = Change(before, after, {})
    return {socket.inode for queue in _queues(change) if queue.dropped for socket in queue.sockets}


def _owners(change: Change, queue: _Queue) -> t.List[Owner]:
    return [owner for socket in queue.sockets for owner in change.owners.get(socket.inode, ())]


def _whose(change: Change, queue: _Queue) -> str:
    owners = _owners(change, queue)
    return "{0} {1} (process {2})".format(queue.name, owners[0].name, owners[0].pid) if owners else queue.name


def _queue_state(queue: _Queue) -> str:
    many = " in {0} sockets".format(len(queue.sockets)) if len(queue.sockets) > 1 else ""
    waiting = sum(socket.length for socket in queue.sockets)
    text = "{0} wait for accept(){1}, limit {2}".format(waiting, many, queue.limit)
    return text + ", full at both looks" if queue.stayed_full else text


def _accept_queues(change: Change) -> t.Iterator[Advice]:
    overflows = change.grown("ListenOverflows")
    if not overflows:
        return
    dropping = [queue for queue in _queues(change) if queue.dropped]
    for queue in dropping:
        evidence = "{0}; {1}".format(change.rate(queue.dropped, "attempts to connect dropped"), _queue_state(queue))
        yield _accept_queue(change, queue, evidence)
    if not dropping:
        evidence = change.rate(overflows, "overflows")
        yield Advice(
            advice_catalog.ACCEPT_QUEUE_UNKNOWN,
            LOSS,
            "",
            evidence,
            False,
            _shown(change, *advice_catalog.ACCEPT_QUEUE_UNKNOWN.settings),
        )


def _accept_queue(change: Change, queue: _Queue, evidence: str) -> Advice:
    subject, somaxconn = _whose(change, queue), change.number("net.core.somaxconn")
    for owner in _owners(change, queue):
        if owner.open_files is not None and owner.may_open and owner.open_files >= 0.99 * owner.may_open:
            words = "; process {0} of {1} has {2} files open and may have {3}"
            evidence += words.format(owner.pid, owner.name, owner.open_files, owner.may_open)
            return Advice(advice_catalog.ACCEPT_QUEUE_OPEN_FILES, LOSS, subject, evidence, False, ())
    if queue.limit is not None and somaxconn is not None and queue.limit < somaxconn:
        shown = _shown(change, "net.core.somaxconn")
        return Advice(advice_catalog.ACCEPT_QUEUE_BACKLOG, LOSS, subject, evidence, False, shown)
    return Advice(
        advice_catalog.ACCEPT_QUEUE_SOMAXCONN, LOSS, subject, evidence, True, [_more(change, "net.core.somaxconn")]
    )


def _handshakes(change: Change) -> t.Iterator[Advice]:
    full, sent, back = (change.grown(name) for name in ("TCPReqQFullDoCookies", "SyncookiesSent", "SyncookiesRecv"))
    flooded = back * 10 < sent
    # With 2 every SYN is answered by cookie and counted so: no queue is ever full, and a single SYN without an answer is no flood.
    if change.live("net.ipv4.tcp_syncookies") == "2":
        full = full if flooded and sent >= _FLOOD * change.seconds else 0
    if full:
        busiest = _most_half_open(change)
        subject = busiest.name if busiest else ""
        evidence = "{0}; {1} cookies sent, {2} came back".format(change.rate(full, "SYNs over the limit"), sent, back)
        if busiest:
            half_open = busiest.sockets[0].half_open
            evidence += "; {0} half open at {1}, limit {2}".format(half_open, busiest.name, busiest.limit)
        if flooded:
            yield Advice(
                advice_catalog.SYN_FLOOD,
                NEAR,
                subject,
                evidence,
                False,
                _shown(change, *advice_catalog.SYN_FLOOD.settings),
            )
        else:
            yield _full_syn_queue(change, subject, evidence, busiest)
    yield from _handshakes_without_cookies(change)


def _most_half_open(change: Change) -> t.Optional[_Queue]:
    queues = [queue for queue in _queues(change) if queue.sockets[0].half_open]
    return max(queues, key=lambda queue: queue.sockets[0].half_open) if queues else None


def _full_syn_queue(change: Change, subject: str, evidence: str, busiest: t.Optional[_Queue]) -> Advice:
    """Which limit it was is known where handshakes are still under way, or where every queue has the same kind of limit."""
    somaxconn = change.number("net.core.somaxconn") or 0
    queues = [busiest] if busiest else _queues(change)
    own = any(queue.limit is not None and queue.limit < somaxconn for queue in queues)
    settings = _shown(change, "net.core.somaxconn") if own else [_more(change, "net.core.somaxconn")]
    return Advice(advice_catalog.SYN_QUEUE_FULL, NEAR, subject, evidence, not own, settings)


def _handshakes_without_cookies(change: Change) -> t.Iterator[Advice]:
    dropped = change.grown("TCPReqQFullDrop")
    backlog, half_open = change.number("net.ipv4.tcp_max_syn_backlog"), 0
    if change.after.sockets:
        half_open = change.after.sockets.in_state(netlink.SYN_RECV)
    if not dropped and change.live("net.ipv4.tcp_syncookies") == "0" and backlog and half_open * 2 >= backlog:
        dropped = change.grown("ListenDrops") - change.grown("ListenOverflows")
    if dropped > 0:
        evidence = "{0}; {1} handshakes are under way".format(change.rate(dropped, "SYNs dropped"), half_open)
        settings = _shown(change, *advice_catalog.SYN_QUEUE_DROPS.settings)
        off = settings[0].live == "0"  # a kernel that was built without cookies has no such key
        if off:
            settings[0] = _as_in_profile(change, settings[0].key)
        yield Advice(advice_catalog.SYN_QUEUE_DROPS, LOSS, "", evidence, off, settings)


def _time_wait(change: Change) -> t.Iterator[Advice]:
    over = change.grown("TCPTimeWaitOverflow")
    if over:
        limit = change.number("net.ipv4.tcp_max_tw_buckets") or 0
        waiting = change.after.sockstat.get("tcp", {}).get("tw")
        evidence = "{0}; {1} in TIME-WAIT, limit {2}".format(
            change.rate(over, "closed without TIME-WAIT"), "an unknown number" if waiting is None else waiting, limit
        )
        # At the limit as many leave TIME-WAIT in a minute as it holds; those that were turned away come on top.
        need = min(_MOST_TIME_WAIT, math.ceil(limit + over / change.seconds * _TIME_WAIT_SECONDS))
        setting = _more(change, "net.ipv4.tcp_max_tw_buckets", need)
        yield Advice(advice_catalog.TIME_WAIT_OVERFLOW, LOSS, "", evidence, True, [setting])


def _ports(change: Change) -> t.Iterator[Advice]:
    available = snapshot.ports_available(change.after.settings)
    for use in change.after.sockets.uses if change.after.sockets else ():
        waiting = 0 if _reuses(change, use) else use.time_wait
        taken = use.used - use.time_wait + waiting
        if available > 0 and taken >= _NEARLY * available:
            yield _ports_taken(change, use, taken, waiting, available)


def _reuses(change: Change, use: netlink.PortUse) -> bool:
    """Whether a new connection may take over a port in TIME-WAIT (net/ipv4/tcp_ipv4.c, tcp_twsk_unique)."""
    if change.live("net.ipv4.tcp_timestamps") == "0":
        return False
    loopback = use.address.startswith("127.") or use.address == "::1"
    return change.live("net.ipv4.tcp_tw_reuse") in (("1", "2") if loopback else ("1",))


def _ports_taken(change: Change, use: netlink.PortUse, taken: int, waiting: int, available: int) -> Advice:
    subject = _end(use.address, use.port)
    evidence = "{0} of {1} local ports of {2} are taken, {3} of them in TIME-WAIT".format(
        taken, available, use.source, waiting
    )
    ports = _wider_ports(change)
    reuse = Setting("net.ipv4.tcp_tw_reuse", change.live("net.ipv4.tcp_tw_reuse"))
    if waiting * 2 >= taken:
        reuse = _as_in_profile(change, reuse.key)
    severity = LOSS if taken >= available else NEAR
    helps = bool(ports.suggested or reuse.suggested)
    return Advice(advice_catalog.PORTS_EXHAUSTED, severity, subject, evidence, helps, [ports, reuse])


def _wider_ports(change: Change) -> Setting:
    """The range widened to that of a profile; nothing is suggested where it is as wide already."""
    setting = _as_in_profile(change, "net.ipv4.ip_local_port_range")
    live, wanted = snapshot.port_range(change.after.settings), procfs.numbers(setting.suggested)
    wide = min(live[0], wanted[0]), max(live[1], wanted[1])
    if wide == live:
        return Setting(setting.key, setting.live)
    return setting._replace(suggested="{0} {1}".format(*wide))


def _conntrack(change: Change) -> t.Iterator[Advice]:
    before, after = change.before.conntrack, change.after.conntrack
    if not before or not after:
        return
    early = grown(before.early_dropped, after.early_dropped)
    full = after.entries >= _NEARLY * after.maximum
    if not early and not full:
        return
    # Packets are dropped for other reasons too, so they count only beside a table that is full.
    dropped = grown(before.dropped, after.dropped) if full else 0
    evidence = "{0} of {1} entries in use; {2}, {3} entries thrown out early".format(
        after.entries, after.maximum, change.rate(dropped, "packets dropped"), early
    )
    severity = LOSS if early or dropped else NEAR
    settings = [_more(change, "net.netfilter.nf_conntrack_max")]
    yield Advice(advice_catalog.CONNTRACK_FULL, severity, "", evidence, True, settings)


def _cores(change: Change) -> t.Iterator[t.Tuple[int, procfs.Cpu]]:
    """For each core that was there both times what it did in between."""
    before = {entry.cpu: entry for entry in change.before.softnet}
    for after in change.after.softnet:
        if after.cpu in before:
            numbers = [grown(old, new) for old, new in zip(before[after.cpu][1:], after[1:])]
            yield after.cpu, procfs.Cpu(after.cpu, *numbers)


def _softnet(change: Change) -> t.Iterator[Advice]:
    lost = {cpu: done.dropped - done.limited for cpu, done in _cores(change) if done.dropped > done.limited}
    if lost:
        where = "on {0} of {1} cores".format(len(lost), len(change.after.softnet))
        evidence = "{0} {1}".format(change.rate(sum(lost.values()), "packets dropped"), where)
        settings = [_more(change, "net.core.netdev_max_backlog")]
        yield Advice(advice_catalog.SOFTNET_DROPS, LOSS, "", evidence, True, settings)
    budget = change.number("net.core.netdev_budget") or 300
    for cpu, done in _cores(change):
        if done.squeezed >= _SQUEEZES * change.seconds and done.squeezed * budget * 2 >= done.processed:
            evidence = "{0}, {1} packets".format(change.rate(done.squeezed, "rounds cut short"), done.processed)
            settings = [_more(change, "net.core.netdev_budget")]
            yield Advice(advice_catalog.SOFTNET_SQUEEZED, NEAR, "core {0}".format(cpu), evidence, True, settings)


def _memory(change: Change) -> t.Iterator[Advice]:
    pressures, aborted = change.grown("TCPMemoryPressures"), change.grown("TCPAbortOnMemory")
    tcp = change.after.sockstat.get("tcp", {})
    pages, pressure = tcp.get("mem"), change.number("net.ipv4.tcp_mem", 1)
    state = "TCP holds {0} pages; tcp_mem is {1}".format(
        pages, change.live("net.ipv4.tcp_mem") or "not to be seen here"
    )
    short = bool(pressures) or (pages is not None and pressure is not None and pages > pressure)
    if short:
        evidence = "{0}; {1}".format(change.rate(pressures, "times under pressure"), state)
        settings = _shown(change, *advice_catalog.TCP_MEMORY.settings)
        yield Advice(advice_catalog.TCP_MEMORY, NEAR, "", evidence, True, settings)
    if aborted:
        limit = change.number("net.ipv4.tcp_max_orphans")
        evidence = "{0}; {1} orphans, limit {2}; {3}".format(
            change.rate(aborted, "cut off"), tcp.get("orphan"), "not to be seen here" if limit is None else limit, state
        )
        # The kernel counts an orphan up to four times (include/net/tcp.h, tcp_check_oom).
        many = limit is not None and tcp.get("orphan", 0) * 4 > limit
        orphans = [_more(change, "net.ipv4.tcp_max_orphans")] if many else _shown(change, "net.ipv4.tcp_max_orphans")
        yield Advice(advice_catalog.ORPHANS, LOSS, "", evidence, True, orphans + _shown(change, "net.ipv4.tcp_mem"))
    dropped = change.grown("RcvPruned") + change.grown("TCPRcvQDrop")
    if dropped and not short:
        evidence = change.rate(dropped, "packets dropped")
        yield Advice(
            advice_catalog.RECEIVE_QUEUE, LOSS, "", evidence, True, [_more(change, "net.ipv4.tcp_rmem", position=2)]
        )


def _udp(change: Change) -> t.Iterator[Advice]:
    dropped = change.grown("UdpRcvbufErrors") + change.grown("Udp6RcvbufErrors")
    if dropped:
        evidence = change.rate(dropped, "datagrams dropped")
        settings = [_more(change, "net.core.rmem_max"), *_shown(change, "net.core.rmem_default")]
        yield Advice(advice_catalog.UDP_RECEIVE_BUFFER, LOSS, "", evidence, True, settings)


def _open_files(change: Change) -> t.Iterator[Advice]:
    if change.after.files:
        count, most = change.after.files
        if count >= _NEARLY * most:
            evidence = "{0} of {1} files are open".format(count, most)
            severity = LOSS if count >= most else NEAR
            yield Advice(advice_catalog.OPEN_FILES, severity, "", evidence, True, [_more(change, "fs.file-max")])


_RULES: t.Sequence[t.Callable[[Change], t.Iterator[Advice]]] = (
    _accept_queues,
    _handshakes,
    _time_wait,
    _ports,
    _conntrack,
    _softnet,
    _memory,
    _udp,
    _open_files,
)
