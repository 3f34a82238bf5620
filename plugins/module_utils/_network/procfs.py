# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The texts of /proc/net and its neighbours, taken apart. Private: not for use outside of ``tunefleet.linux``.

Kernels add fields and columns over the years and leave out what they were built without, so everything is looked up by its name
where the kernel gives one, and what is missing is simply not in the result.
"""

import struct
import typing as t

from . import netlink

_TCP_LISTEN = "0A"


class Cpu(t.NamedTuple):
    """Counters of one processor core, from /proc/net/softnet_stat (net/core/net-procfs.c, softnet_seq_show). Packets and rounds;
    32 bits wide. ``limited`` are those of ``dropped`` that the flow limit took."""

    cpu: int
    processed: int
    dropped: int
    squeezed: int
    limited: int


def sockstat(text: str) -> t.Dict[str, t.Dict[str, int]]:
    """/proc/net/sockstat or sockstat6: numbers by field by protocol, all in lower case, as ``{"tcp": {"inuse": 4}}``."""
    found: t.Dict[str, t.Dict[str, int]] = {}
    for line in text.splitlines():
        protocol, _colon, rest = line.partition(":")
        words = rest.split()
        numbers = {name.lower(): int(value) for name, value in zip(words[::2], words[1::2]) if _is_number(value)}
        if numbers:
            found[protocol.strip().lower()] = numbers
    return found


def counters(text: str) -> t.Dict[str, int]:
    """/proc/net/netstat or snmp, which name the fields on one line and give the numbers on the next, as ``{"TcpExt.TW": 4}``."""
    found: t.Dict[str, int] = {}
    names: t.List[str] = []
    for line in text.splitlines():
        words = line.split()
        if names and words and words[0] == names[0]:
            found.update(
                ("{0}.{1}".format(words[0].rstrip(":"), name), int(value))
                for name, value in zip(names[1:], words[1:])
                if _is_number(value)
            )
            names = []
        else:
            names = words
    return found


def counters6(text: str) -> t.Dict[str, int]:
    """/proc/net/snmp6, one counter a line, as ``{"Udp6RcvbufErrors": 4}``."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and _is_number(words[1])}


def softnet(text: str) -> t.List[Cpu]:
    """/proc/net/softnet_stat: one line of hexadecimal numbers for each core that is switched on.

    Kernels since 5.10 say in the 13th column which core it is; before, the lines are counted.
    """
    found: t.List[Cpu] = []
    for line in text.splitlines():
        numbers = [int(word, 16) for word in line.split()]
        if len(numbers) >= 3:
            cpu = numbers[12] if len(numbers) > 12 else len(found)
            found.append(Cpu(cpu, numbers[0], numbers[1], numbers[2], numbers[10] if len(numbers) > 10 else 0))
    return found


def conntrack(text: str) -> t.Dict[str, int]:
    """/proc/net/stat/nf_conntrack: a line of names, then one of hexadecimal numbers for each core, here added up. ``entries`` is the
    same number on each line."""
    lines = [line.split() for line in text.splitlines()]
    if not lines:
        return {}
    found: t.Dict[str, int] = {}
    for line in lines[1:]:
        for name, value in zip(lines[0], line):
            found[name] = int(value, 16) + (0 if name == "entries" else found.get(name, 0))
    return found


def numbers(text: t.Optional[str]) -> t.List[int]:
    """The whole numbers of a small file; none of a missing one."""
    return [int(word) for word in (text or "").split() if _is_number(word)]


def ports(text: t.Optional[str]) -> t.List[t.Tuple[int, int]]:
    """Ports and ranges as of net.ipv4.ip_local_reserved_ports, ``8080,9000-9010``."""
    found = []
    for part in (text or "").split(","):
        first, _dash, last = part.strip().partition("-")
        if _is_number(first):
            found.append((int(first), int(last) if _is_number(last) else int(first)))
    return found


def tcp(family: str, text: str, tally: netlink.Tally) -> t.List[netlink.Listener]:
    """/proc/net/tcp or tcp6: counts every socket, returns the listening ones. The limits of their queues are not in this file."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        local, remote = _end(fields[1]), _end(fields[2])
        tally.count(family, int(fields[3], 16), local[1], struct.pack(">H", remote[1]) + local[0] + remote[0])
        if fields[3] == _TCP_LISTEN:
            waiting = int(fields[4].partition(":")[2], 16)
            text_of = netlink.address(family, local[0])
            found.append(
                netlink.Listener(family, text_of, local[1], waiting, None, None, int(fields[7]), int(fields[9]))
            )
    return found


def _end(text: str) -> t.Tuple[bytes, int]:
    """Address as 16 bytes and port, from hexadecimal words as the machine holds them (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""
    words, _colon, port = text.partition(":")
    raw = b"".join(struct.pack("=I", int(words[at : at + 8], 16)) for at in range(0, len(words), 8))
    return raw.ljust(16, b"\0"), int(port, 16)


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()
