# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program that puts the sockets of a namespace under pressure: one order a line on standard input, one answer a line back.

It only ever talks to itself, does a bounded amount, and ends, with all its sockets, when its standard input does.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_LONGEST = 20  # seconds for which anything is repeated
_CONNTRACK_NEW = 0x100  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW
_CREATE = 0x401  # NLM_F_REQUEST | NLM_F_CREATE


class Load:
    """What may be ordered."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._servers: dict[int, socket.socket] = {}
        self._counter = itertools.count()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def listen(self, port: int, backlog: int, address: str = "127.0.0.1", reuse: bool = False) -> int:
        """Listen, and accept nothing."""
        server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((address, port))
        server.listen(backlog)
        server.settimeout(5)
        self._servers[port] = server
        self._sockets.append(server)
        return os.getpid()

    def begin(self, port: int, count: int, address: str = "127.0.0.1") -> None:
        """Begin connections and do not wait for them."""
        for _number in range(count):
            client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            client.setblocking(False)
            client.connect_ex((address, port))
            self._sockets.append(client)

    def connect(self, port: int, count: int, address: str = "127.0.0.1", accept: bool = True) -> int:
        """Make connections and keep them; returns how many could be made."""
        for number in range(count):
            client = socket.socket()
            self._sockets.append(client)
            try:
                client.connect((address, port))
            except OSError:
                return number
            if accept:
                self._sockets.append(self._servers[port].accept()[0])
        return count

    def burst(self, port: int, count: int) -> None:
        """Begin many connections at once, accept those that found room, and close all of them."""
        known = len(self._sockets)
        self.begin(port, count)
        self._servers[port].setblocking(False)
        try:
            while True:
                self._sockets.append(self._servers[port].accept()[0])
        except BlockingIOError:
            pass
        for one in self._sockets[known:]:
            one.close()
        del self._sockets[known:]

    def serve(self, port: int, count: int) -> None:
        """Make connections, say something on each, and close them at the server's side first, which leaves TIME-WAIT there."""
        self._one_by_one(port, count, server_first=True)

    def call(self, port: int, count: int, address: str = "127.0.0.1") -> None:
        """The same, closed at the client's side first, which leaves TIME-WAIT on the port that it used."""
        self._one_by_one(port, count, server_first=False, address=address)

    def _one_by_one(self, port: int, count: int, server_first: bool, address: str = "127.0.0.1") -> None:
        for _number in range(count):
            with socket.create_connection((address, port), timeout=5) as client:
                server = self._servers[port].accept()[0]
                client.sendall(b"x")
                server.recv(1)
                first, last = (server, client) if server_first else (client, server)
                first.close()
                last.recv(1)
                last.close()

    def relisten(self, port: int, backlog: int) -> None:
        """Listen once more, as a program does that is restarted: the queue gets the length that is allowed now."""
        self._servers[port].listen(backlog)

    def close(self) -> None:
        """Stop whatever is repeated, and close every socket."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for one in (*self._sockets, *self._servers.values()):
            one.close()
        self._sockets, self._servers, self._threads = [], {}, []
        self._stop.clear()

    def exhaust_files(self, port: int, spare: int) -> int:
        """Lower the limit of open files to a few more than are open, and accept until it is reached."""
        open_files = len(os.listdir("/proc/self/fd")) - 1
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files + spare, hard))
        self._servers[port].settimeout(None)
        for accepted in itertools.count():
            try:
                self._sockets.append(self._servers[port].accept()[0])
            except OSError:
                return accepted
        raise AssertionError

    def link_to_nowhere(self) -> None:
        """An address of our own, and a network that takes everything and answers nothing, as its other end stays down."""
        for words in (
            "link add tf0 type veth peer name tf1",
            "link set tf0 arp off up",
            "addr add 192.0.2.1/32 dev tf0",
            "route add 10.0.0.0/8 dev tf0",
        ):
            subprocess.run(["ip", *words.split()], check=True)

    def syns(self, port: int, count: int) -> None:
        """SYNs of clients that do not exist, each a different one."""
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for number in range(count):
                raw.sendto(_syn(next(self._counter), port), ("192.0.2.1", 0))
                if number % 200 == 199:
                    time.sleep(0.001)  # for the kernel to take them in, lest the core's queue overflows

    def datagrams(self, port: int, count: int, server: bool = True) -> None:
        """UDP to a socket that is never read, or is read at once."""
        if port not in self._servers:
            self._servers[port] = socket.socket(type=socket.SOCK_DGRAM)
            self._servers[port].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._servers[port].bind(("127.0.0.1", port))
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            for _number in range(count):
                client.sendto(bytes(500), ("127.0.0.1", port))
                if not server:
                    self._servers[port].recv(1000)

    def track(self, count: int) -> None:
        """Connections in the firewall's table, put there as conntrackd(8) does."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as link:  # NETLINK_NETFILTER
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
            parts = _tracked()
            for start in range(0, count, 500):
                clients = [struct.pack(">I", 10 << 24 | number) for number in range(start, min(start + 500, count))]
                link.sendto(b"".join(client.join(parts) for client in clients), (0, 0))

    def repeat(self, order: dict[str, Any], every: float, longest: float = _LONGEST) -> None:
        """Go on with another order beside these, until there is no more input."""

        def work() -> None:
            end = time.monotonic() + longest
            while not self._stop.wait(every) and time.monotonic() < end:
                self.obey(dict(order))

        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def obey(self, order: dict[str, Any]) -> Any:
        name: str = order.pop("do")
        action: Callable[..., Any] = getattr(self, name)
        return action(**order)


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _syn(number: int, port: int) -> bytes:
    """A packet that begins a connection from an address of 10.0.0.0/8."""
    ends = struct.pack(">BBH", 10, number >> 16 & 255, number & 0xFFFF) + socket.inet_aton("192.0.2.1")
    fields = (1024 + number % 60000, port, 1, 0, 5 << 4, 2, 64240)
    tcp = struct.pack(">HHIIBBHHH", *fields, 0, 0)
    checksum = _checksum(ends + struct.pack(">BBH", 0, 6, 20) + tcp)
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends + struct.pack(">HHIIBBHHH", *fields, checksum, 0)
    )


def _attribute(kind: int, *values: bytes) -> bytes:
    data = b"".join(values)
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _tracked() -> tuple[bytes, bytes, bytes]:
    """A request for an entry of a UDP flow, cut where the client's address belongs, see nfnetlink_conntrack.h."""
    client, server = b"\x0a\xff\xff\xff", b"\xc0\x00\x02\x01"

    def direction(kind: int, source: bytes, target: bytes, ports: tuple[int, int]) -> bytes:
        addresses = _attribute(0x8001, _attribute(1, source), _attribute(2, target))
        numbers = (_attribute(1, b"\x11"), *(_attribute(at, struct.pack(">H", one)) for at, one in zip((2, 3), ports)))
        return _attribute(0x8000 | kind, addresses, _attribute(0x8002, *numbers))

    body = struct.pack("=BBH", socket.AF_INET, 0, 0)
    body += direction(1, client, server, (1024, 53)) + direction(2, server, client, (53, 1024))
    body += _attribute(7, struct.pack(">I", 600))
    whole = struct.pack("=IHHII", 16 + len(body), _CONNTRACK_NEW, _CREATE, 1, 0) + body
    first, second, third = whole.split(client)
    return first, second, third


if __name__ == "__main__":
    load = Load()
    for line in sys.stdin:
        print(json.dumps(load.obey(json.loads(line))), flush=True)
