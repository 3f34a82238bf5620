# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sockets from the kernel's sock_diag netlink, see sock_diag(7). Private: not for use outside of ``tunefleet.linux``.

One request for each address family; the answer is many datagrams of a few hundred sockets each. What is here takes the
datagrams apart; sending and receiving is the host's.
"""

import struct
import typing as t

from .. import _errors
from . import messages

NETLINK_SOCK_DIAG = 4  # include/uapi/linux/netlink.h
_SOCK_DIAG_BY_FAMILY = 20  # include/uapi/linux/sock_diag.h
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DUMP_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: what is dumped has changed meanwhile
_IPPROTO_TCP = 6
FAMILIES = {"ipv4": 2, "ipv6": 10}  # AF_INET, AF_INET6
# Of include/net/tcp_states.h. The kernel reports NEW_SYN_RECV as SYN_RECV.
SYN_RECV, TIME_WAIT, LISTEN = 3, 6, 10
EVERY_STATE = (1 << 12) - 2
_SKMEMINFO = 7  # INET_DIAG_SKMEMINFO; its ninth number counts what the socket dropped
_DROPS = struct.Struct("=32xI")

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_WANTED = struct.Struct("=BBBBI48x")  # struct inet_diag_req_v2
# struct inet_diag_msg, from its start: family, state, timer, retransmits; ports in network order; 16 bytes for each address.
_PORTS = struct.Struct(">HH")
_QUEUES = struct.Struct("=IIII")  # rqueue, wqueue, uid, inode
_MESSAGE_BYTES = 72
_MAPPED = bytes(10) + b"\xff\xff"


class DumpInterrupted(_errors.HostProblem):
    """The table changed while the kernel listed it, so sockets may be missing or listed twice."""


class Listener(t.NamedTuple):
    """A listening TCP socket.

    ``length`` is the number of connections that wait for accept(2), ``limit`` how many may, ``half_open`` how many handshakes to its
    port are under way. ``limit`` and ``drops`` are None where they cannot be had. ``inode`` names the socket.
    """

    family: str
    address: str
    port: int
    length: int
    limit: t.Optional[int]
    drops: t.Optional[int]
    uid: int
    inode: int
    half_open: int = 0


class PortUse(t.NamedTuple):
    """How many local ports of the range for outgoing connections are taken towards one destination, and how many of these
    by sockets in TIME-WAIT."""

    source: str
    address: str
    port: int
    used: int
    time_wait: int


class Tally:
    """Sockets, counted.

    :param ports: first and last port of the range for outgoing connections.
    """

    def __init__(self, ports: t.Tuple[int, int]) -> None:
        self._first, self._last = ports
        self.states: t.Dict[str, t.List[int]] = {family: [0] * 16 for family in FAMILIES}
        self.half_open: t.Dict[int, int] = {}
        # By the bytes of port and addresses, as they come: making them readable takes longer than counting.
        self._pairs: t.Dict[str, t.Dict[bytes, t.List[int]]] = {family: {} for family in FAMILIES}

    def count(self, family: str, state: int, port: int, pair: bytes) -> None:
        """Count one socket.

        :param port: the local one. :param pair: remote port, local address, remote address: 2, 16 and 16 bytes.
        """
        self.states[family][state & 15] += 1
        if state == SYN_RECV:
            self.half_open[port] = self.half_open.get(port, 0) + 1
        elif self._first <= port <= self._last and state != LISTEN:
            found = self._pairs[family].setdefault(pair, [0, 0])
            found[0] += 1
            found[1] += state == TIME_WAIT

    def count_dump(self, family: str, datagrams: t.Iterable[bytes]) -> None:
        """Count every socket of a dump."""
        for data, start, _end in sockets(datagrams):
            port = data[start + 4] << 8 | data[start + 5]
            self.count(family, data[start + 1], port, data[start + 6 : start + 40])

    def uses(self, most: int) -> t.List[PortUse]:
        """The destinations towards which most ports are in use, most first."""
        merged = {("ipv4", pair): list(counts) for pair, counts in self._pairs["ipv4"].items()}
        for pair, counts in self._pairs["ipv6"].items():
            # IPv6 sockets that speak IPv4 share the ports of those that speak nothing else.
            mapped = pair[2:14] == _MAPPED and pair[18:30] == _MAPPED
            name = ("ipv4", pair[:2] + pair[14:18] + bytes(12) + pair[30:34] + bytes(12)) if mapped else ("ipv6", pair)
            known = merged.setdefault(name, [0, 0])
            known[0] += counts[0]
            known[1] += counts[1]
        order = sorted(merged.items(), key=lambda one: (-one[1][0], one[0]))[:most]
        return [
            PortUse(address(family, pair[2:18]), address(family, pair[18:]), pair[0] << 8 | pair[1], used, waiting)
            for (family, pair), (used, waiting) in order
        ]


def request(family: str, states: int, extensions: int = 0) -> bytes:
    """The bytes that ask for every TCP socket of a family in one of the states, given as bits."""
    wanted = _WANTED.pack(FAMILIES[family], _IPPROTO_TCP, extensions, 0, states)
    return _HEADER.pack(_HEADER.size + len(wanted), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + wanted


def listen_request(family: str) -> bytes:
    """The same for listening sockets, with what each has dropped."""
    return request(family, 1 << LISTEN, 1 << (_SKMEMINFO - 1))


def sockets(datagrams: t.Iterable[bytes]) -> t.Iterator[t.Tuple[bytes, int, int]]:
    """Each socket of a dump as (datagram, start, end) of its inet_diag_msg.

    :raises HostProblem: if the kernel rejected the request, or its answer is malformed.
    :raises DumpInterrupted: when the dump may be wrong.
    """
    unpack = _HEADER.unpack_from
    for data in datagrams:
        start, end = 0, len(data)
        while start < end:
            if end - start < _HEADER.size:
                raise _errors.HostProblem(messages.ANSWER_CUT_OFF())
            length, kind, flags, _sequence, _port = unpack(data, start)
            if length < _HEADER.size or start + length > end:
                raise _errors.HostProblem(messages.ANSWER_CUT_OFF())
            if flags & _DUMP_INTERRUPTED:
                raise DumpInterrupted(messages.SOCKETS_CHANGED())
            if kind == _SOCK_DIAG_BY_FAMILY and length >= _HEADER.size + _MESSAGE_BYTES:
                yield data, start + _HEADER.size, start + length
            elif kind in (_NLMSG_DONE, _NLMSG_ERROR):
                _end(data[start + _HEADER.size : start + length])
                return
            start += (length + 3) & ~3
    raise _errors.HostProblem(messages.ANSWER_WITHOUT_END())


def _end(payload: bytes) -> None:
    """The number with which a dump ends, or with which the kernel refuses it: 0, or an error as a negative number."""
    number = struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else 0
    if number:
        raise _errors.HostProblem(messages.KERNEL_ERROR(number=-number))


def listeners(family: str, datagrams: t.Iterable[bytes]) -> t.List[Listener]:
    """The listening sockets of a dump, see struct inet_diag_msg in include/uapi/linux/inet_diag.h."""
    found = []
    for data, start, end in sockets(datagrams):
        port, _remote = _PORTS.unpack_from(data, start + 4)
        length, limit, uid, inode = _QUEUES.unpack_from(data, start + 56)
        drops = _drops(data, start + _MESSAGE_BYTES, end)
        local = data[start + 8 : start + 24]
        found.append(Listener(family, address(family, local), port, length, limit, drops, uid, inode))
    return found


def _drops(data: bytes, start: int, end: int) -> t.Optional[int]:
    """What a listening socket dropped since it began to listen, from its attributes; None from a kernel without the number."""
    while start + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, start)
        if length < 4:
            return None
        if kind == _SKMEMINFO and length >= 4 + _DROPS.size:
            return int(_DROPS.unpack_from(data, start + 4)[0])
        start += (length + 3) & ~3
    return None


def address(family: str, raw: bytes) -> str:
    """An address as people write it (RFC 5952), from 16 bytes, of which IPv4 takes the first four.

    >>> address("ipv4", bytes([127, 0, 0, 1]) + bytes(12))
    '127.0.0.1'
    """
    if family == "ipv4":
        return ".".join(str(byte) for byte in raw[:4])
    if raw[:12] == _MAPPED:
        return "::ffff:" + ".".join(str(byte) for byte in raw[12:])
    words = ["{0:x}".format(word) for word in struct.unpack(">8H", raw)]
    start, length = _longest_zeros(words)
    if length < 2:
        return ":".join(words)
    return ":".join(words[:start]) + "::" + ":".join(words[start + length :])


def _longest_zeros(words: t.Sequence[str]) -> t.Tuple[int, int]:
    best = (0, 0)
    for start in range(len(words)):
        length = 0
        while start + length < len(words) and words[start + length] == "0":
            length += 1
        if length > best[1]:
            best = (start, length)
    return best
