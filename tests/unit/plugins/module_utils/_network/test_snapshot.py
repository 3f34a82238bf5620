# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import struct

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._network import netlink, snapshot
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._network import netlink_messages, test_procfs
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

LIVE = {
    "net/core/somaxconn": "4096",
    "net/ipv4/ip_local_port_range": "32768\t60999",
    "net/ipv4/ip_local_reserved_ports": "40000-40009,60990-61010,8080",
    "net/netfilter/nf_conntrack_count": "10",
    "net/netfilter/nf_conntrack_max": "262144",
}
TEXTS = {
    "/proc/net/sockstat": test_procfs.SOCKSTAT,
    "/proc/net/sockstat6": "TCP6: inuse 2\n",
    "/proc/net/netstat": test_procfs.NETSTAT,
    "/proc/net/snmp": "Udp: RcvbufErrors\nUdp: 5\n",
    "/proc/net/snmp6": "Udp6RcvbufErrors 2\n",
    "/proc/net/softnet_stat": test_procfs.SOFTNET,
    "/proc/net/stat/nf_conntrack": test_procfs.CONNTRACK,
    "/proc/net/tcp": test_procfs.TCP,
    "/proc/sys/fs/file-nr": "1056\t0\t9223372036854775807",
}


class Kernel:
    """Answers sock_diag with one listening and two other sockets of IPv4, and none of IPv6; or with what a test puts first."""

    def __init__(self, *first):
        self.first = list(first)

    def __call__(self, request):
        if self.first:
            return iter([self.first.pop(0)])
        family, _protocol, _extensions, _pad, states = struct.unpack_from("=BBBBI", request, 16)
        listening = netlink_messages.socket(10, local=("0.0.0.0", 80), queues=(6, 5), owner=(33, 99))
        others = (
            netlink_messages.socket(1, local=("10.0.0.1", 40000)),
            netlink_messages.socket(3, local=("10.0.0.1", 80)),
        )
        found = () if family == 10 else ((listening,) if states == 1 << 10 else (listening,) + others)
        return iter([netlink_messages.datagram(*(found + (netlink_messages.done(),)))])


def host(without=(), dumps=None, **changed):
    texts = {path: text for path, text in TEXTS.items() if path not in without}
    return FakeHost(live=dict(LIVE, **changed), texts=texts, dumps=dumps)


def test_everything_is_read():
    reading = snapshot.take(host(dumps=Kernel()))
    assert reading.unseen == []
    sockets = reading.sockets
    assert sockets.source == "sock_diag"
    assert sockets.listeners == [netlink.Listener("ipv4", "0.0.0.0", 80, 6, 5, None, 33, 99, half_open=1)]
    assert [sockets.in_state(state) for state in (1, 3, 10, 6)] == [1, 1, 1, 0]
    assert [use.used for use in sockets.uses] == [1]
    assert reading.counters["ListenOverflows"] == 2**64 - 1
    assert (reading.counters["UdpRcvbufErrors"], reading.counters["Udp6RcvbufErrors"]) == (5, 2)
    assert reading.conntrack == snapshot.Conntrack(10, 262144, 18, 1)
    assert reading.files == (1056, 2**63 - 1)
    assert reading.sockstat["tcp6"] == {"inuse": 2}
    assert reading.settings["net.ipv4.ip_local_port_range"] == "32768 60999"
    assert reading.settings["net.core.somaxconn"] == "4096" and reading.settings["net.ipv4.tcp_mem"] is None


def test_counters_that_this_kernel_lacks_are_null():
    result = snapshot.as_result(snapshot.take(host(dumps=Kernel())))
    assert result["counters"]["ListenOverflows"] == 2**64 - 1
    assert result["counters"]["TCPRcvQDrop"] is None


def test_the_result_has_every_state_with_its_meaning_and_lines():
    states = snapshot.as_result(snapshot.take(host(dumps=Kernel())))["states"]
    assert len(states) == 11
    assert {one["state"]: one["ipv4"] for one in states if one["ipv4"]} == {
        "LISTEN": 1,
        "SYN-RECEIVED": 1,
        "ESTABLISHED": 1,
    }
    assert all(one["meaning"] and one["source"] and one["ipv6"] == 0 for one in states)


@pytest.mark.parametrize(
    "first",
    [
        (netlink_messages.datagram(netlink_messages.done(flags=0x10)),),
        (netlink_messages.datagram(netlink_messages.done(flags=0x10)),) * 2,
    ],
)
def test_an_interrupted_dump_is_asked_for_anew(first):
    sockets = snapshot.take(host(dumps=Kernel(*first))).sockets
    assert sockets.source == "sock_diag" and sockets.in_state(1) == 1 and len(sockets.listeners) == 1


@pytest.mark.parametrize(
    ("dumps", "reason"),
    [
        (None, "netlink error: Permission denied"),
        (Kernel(netlink_messages.refusal(2)), "the kernel answered with error 2"),
        (
            Kernel(*[netlink_messages.datagram(netlink_messages.done(flags=0x10))] * 3),
            "the sockets changed while the kernel listed them",
        ),
    ],
)
def test_without_netlink_procfs_is_read(dumps, reason):
    reading = snapshot.take(host(dumps=dumps))
    assert reading.sockets.source == "/proc/net/tcp"
    assert reading.sockets.in_state(1) == 1
    assert [(one.port, one.length, one.limit) for one in reading.sockets.listeners] == [(8080, 6, None)]
    assert reading.unseen == ["the limits and drops of listen queues: " + reason]


def test_a_container_that_hides_everything():
    reading = snapshot.take(FakeHost())
    assert reading.sockets is None and reading.counters == {} and reading.softnet == []
    assert reading.conntrack is None and reading.files is None
    assert reading.unseen == [
        "/proc/net/netstat cannot be read here",
        "/proc/net/snmp cannot be read here",
        "/proc/net/sockstat cannot be read here",
        "/proc/net/softnet_stat cannot be read here",
        "/proc/sys/fs/file-nr cannot be read here",
        "the TCP sockets: netlink error: Permission denied, and /proc/net/tcp cannot be read here",
    ]
    result = snapshot.as_result(reading)
    assert result["states"] == [] and result["listeners"] == [] and result["source"] is None
    assert result["conntrack"] is None and result["files"] is None


def test_no_ipv6_and_no_conntrack_are_nothing_to_tell():
    gone = ("/proc/net/sockstat6", "/proc/net/snmp6", "/proc/net/stat/nf_conntrack")
    reading = snapshot.take(host(gone, dumps=Kernel(), **{"net/netfilter/nf_conntrack_count": None}))
    assert reading.unseen == [] and reading.conntrack is None and "tcp6" not in reading.sockstat
    assert "Udp6RcvbufErrors" not in reading.counters


def test_conntrack_without_its_statistics():
    reading = snapshot.take(host(["/proc/net/stat/nf_conntrack"], dumps=Kernel()))
    assert reading.conntrack == snapshot.Conntrack(10, 262144, None, None)


@pytest.mark.parametrize(
    ("reserved", "available"),
    [("", 28232), ("8080", 28232), ("40000-40009", 28222), ("60990-61010", 28222), ("32768,60999", 28230)],
)
def test_reserved_ports_are_not_available(reserved, available):
    settings = {"net.ipv4.ip_local_port_range": "32768 60999", "net.ipv4.ip_local_reserved_ports": reserved}
    assert snapshot.ports_available(settings) == available


def test_a_range_that_is_hidden_is_taken_for_the_kernels_own():
    settings = {"net.ipv4.ip_local_port_range": None, "net.ipv4.ip_local_reserved_ports": None}
    assert snapshot.port_range(settings) == (32768, 60999)
