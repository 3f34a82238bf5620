# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from ansible_collections.tunefleet.linux.plugins.module_utils._network import netlink, procfs

# As Linux 6.18 shows them, some without their last columns.
SOCKSTAT = """\
sockets: used 25
TCP: inuse 1 orphan 0 tw 3 alloc 1 mem 226
UDP: inuse 0 mem 0
FRAG: inuse 0 memory 0
"""
NETSTAT = """\
TcpExt: SyncookiesSent PruneCalled ListenOverflows
TcpExt: 3 0 18446744073709551615
IpExt: InNoRoutes InMcastPkts
IpExt: 0 7
"""
SOFTNET = """\
00000025 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000004 00000000 00000000 00000000 00000000
0001f3ab 00000002 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000 00000000
"""
CONNTRACK = """\
entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop
0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000010 00000001
0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002 00000000
"""
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000006 00:00000000 00000000    33        0 68190 1 0000000000000000 100 0 0 10 0
   1: 0100007F:A000 0200007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 68191 1 0000000000000000 100 0 0 10 0
   2: 0100007F:A001 0200007F:1F90 06 00000000:00000000 03:00000ABC 00000000     0        0 0 3 0000000000000000
"""
TCP6 = """\
  sl  local_address remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 9921 1
"""


def test_sockstat():
    assert procfs.sockstat(SOCKSTAT) == {
        "sockets": {"used": 25},
        "tcp": {"inuse": 1, "orphan": 0, "tw": 3, "alloc": 1, "mem": 226},
        "udp": {"inuse": 0, "mem": 0},
        "frag": {"inuse": 0, "memory": 0},
    }
    assert procfs.sockstat("") == {} and procfs.sockstat("TCP: inuse\nnonsense\n") == {}


def test_counters_have_the_names_that_the_kernel_gives_them():
    assert procfs.counters(NETSTAT) == {
        "TcpExt.SyncookiesSent": 3,
        "TcpExt.PruneCalled": 0,
        "TcpExt.ListenOverflows": 2**64 - 1,
        "IpExt.InNoRoutes": 0,
        "IpExt.InMcastPkts": 7,
    }


def test_counters_of_a_cut_off_file():
    assert procfs.counters("TcpExt: A B\nTcpExt: 1\nIpExt: C\n") == {"TcpExt.A": 1}
    assert procfs.counters("\n\n") == {}


def test_counters_of_ipv6():
    assert procfs.counters6("Udp6InDatagrams                 \t4\nUdp6RcvbufErrors  2\nnonsense\n") == {
        "Udp6InDatagrams": 4,
        "Udp6RcvbufErrors": 2,
    }


def test_softnet():
    assert procfs.softnet(SOFTNET) == [procfs.Cpu(0, 0x25, 0, 0, 4), procfs.Cpu(3, 0x1F3AB, 2, 1, 0)]


def test_softnet_of_an_old_kernel_has_fewer_columns():
    # Linux 4.18: eleven columns; the lines are the cores that are switched on.
    old = "\n".join(" ".join(line.split()[:11]) for line in SOFTNET.splitlines())
    assert [one.cpu for one in procfs.softnet(old)] == [0, 1]
    assert procfs.softnet("00000001 00000002\n") == []


def test_conntrack_adds_up_the_cores_but_for_the_entries():
    found = procfs.conntrack(CONNTRACK)
    assert (found["entries"], found["drop"], found["early_drop"]) == (10, 18, 1)
    assert procfs.conntrack("") == {}


def test_numbers():
    assert procfs.numbers("1024\t0\t9223372036854775807") == [1024, 0, 2**63 - 1]
    assert procfs.numbers(None) == [] and procfs.numbers("-1 x") == [-1]


def test_ports():
    assert procfs.ports("8080,9000-9010") == [(8080, 8080), (9000, 9010)]
    assert procfs.ports("") == [] and procfs.ports(None) == []


def test_tcp_of_procfs():
    tally = netlink.Tally((32768, 60999))
    found = procfs.tcp("ipv4", TCP, tally)
    assert found == [netlink.Listener("ipv4", "127.0.0.1", 8080, 6, None, None, 33, 68190)]
    assert [tally.states["ipv4"][number] for number in (1, 6, 10)] == [1, 1, 1]
    assert tally.uses(10) == [netlink.PortUse("127.0.0.1", "127.0.0.2", 8080, 2, 1)]


def test_tcp6_of_procfs():
    found = procfs.tcp("ipv6", TCP6, netlink.Tally((32768, 60999)))
    assert [(one.address, one.port) for one in found] == [("::1", 22)]
    assert procfs.tcp("ipv6", "", netlink.Tally((1, 2))) == []
    assert procfs.tcp("ipv4", "head\n 0: cut off\n", netlink.Tally((1, 2))) == []
