# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the states of a TCP socket and the kernel's counters mean. Data only. Private: not for use outside of ``tunefleet.linux``.

``docs/diagnose.md`` is written from it. A source ``guide_zh:19`` is a line of the Chinese guide, as in the profiles.
"""

import typing as t


class State(t.NamedTuple):
    """A state of TCP. ``number`` is the kernel's (include/net/tcp_states.h)."""

    name: str
    number: int
    meaning: str
    source: t.Tuple[str, ...]


# In the order in which a connection goes through them. Names are those of RFC 9293.
STATES = (
    State(
        "LISTEN",
        10,
        "A server waits for connections.",
        ("guide_zh:14",),
    ),
    State(
        "SYN-SENT",
        2,
        "We asked for a connection and wait for the answer. Many of them: the other side is slow, away, or drops what we send.",
        ("guide_zh:3", "guide_zh:18"),
    ),
    State(
        "SYN-RECEIVED",
        3,
        "Half open: we answered a SYN and wait for the last step of the handshake. Normally too short to be seen. Many of them: a "
        "flood of SYNs, or clients whose answers get lost.",
        ("guide_zh:4", "guide_zh:7", "guide_zh:16"),
    ),
    State(
        "ESTABLISHED",
        1,
        "The connection is open, data can flow. Includes those that wait for accept().",
        ("guide_zh:5", "guide_zh:19"),
    ),
    State(
        "FIN-WAIT-1",
        4,
        "We closed, and our FIN is not confirmed yet. Seldom seen. Many of them: clients that went away without a word.",
        ("guide_zh:21", "guide_zh:76"),
    ),
    State(
        "FIN-WAIT-2",
        5,
        "We closed, the other side has confirmed it but not closed yet. Once no program holds the socket, it ends after "
        "net.ipv4.tcp_fin_timeout.",
        ("guide_zh:21", "guide_zh:23", "guide_zh:76"),
    ),
    State(
        "CLOSE-WAIT",
        8,
        "The other side closed, and our program has not yet. Many of them: the program forgets to close; no kernel setting helps.",
        ("guide_zh:29",),
    ),
    State(
        "CLOSING",
        11,
        "Both sides closed at the same moment. Rare.",
        ("guide_zh:27",),
    ),
    State(
        "LAST-ACK",
        9,
        "The other side closed first, then we; its confirmation is missing.",
        ("guide_zh:31",),
    ),
    State(
        "TIME-WAIT",
        6,
        "Closed by us first; kept for 60 seconds so that late packets harm no later connection. No program holds it, and it takes "
        "little memory. Many of them are normal where we close many connections.",
        ("guide_zh:25", "guide_zh:79"),
    ),
    State(
        "CLOSED",
        7,
        "Neither connected nor listening. The kernel keeps such sockets in no table, so hardly one is ever counted here.",
        ("guide_zh:12",),
    ),
)

NAMESPACE, MACHINE = "namespace", "machine"


class Counter(t.NamedTuple):
    """A number that only grows. ``field`` is ``PREFIX.NAME`` of /proc/net/netstat and snmp, or a name of snmp6.

    ``since`` is the first version of Linux that has it, where kernels that are still in use lack it.
    """

    name: str
    field: str
    unit: str
    meaning: str
    kernel: str
    since: str = ""


# Every one of them belongs to the network namespace.
COUNTERS = (
    Counter(
        "ListenOverflows",
        "TcpExt.ListenOverflows",
        "connections",
        "A SYN or the last step of a handshake found the queue for accept() full.",
        "net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; tcp_input.c, tcp_conn_request",
    ),
    Counter(
        "ListenDrops",
        "TcpExt.ListenDrops",
        "packets",
        "SYNs and last steps of handshakes that a listening socket dropped for any reason, ListenOverflows included.",
        "include/net/tcp.h, tcp_listendrop",
    ),
    Counter(
        "TCPReqQFullDrop",
        "TcpExt.TCPReqQFullDrop",
        "SYNs",
        "Dropped because too many handshakes were under way, with SYN cookies off.",
        "net/ipv4/tcp_input.c, tcp_syn_flood_action",
    ),
    Counter(
        "TCPReqQFullDoCookies",
        "TcpExt.TCPReqQFullDoCookies",
        "SYNs",
        "Answered with a SYN cookie because too many handshakes were under way, or because net.ipv4.tcp_syncookies is 2.",
        "net/ipv4/tcp_input.c, tcp_syn_flood_action",
    ),
    Counter(
        "SyncookiesSent",
        "TcpExt.SyncookiesSent",
        "SYNs",
        "Answered with a SYN cookie, for whatever reason.",
        "net/ipv4/syncookies.c, cookie_v4_init_sequence",
    ),
    Counter(
        "SyncookiesRecv",
        "TcpExt.SyncookiesRecv",
        "packets",
        "Valid cookies that came back: clients that are real.",
        "net/ipv4/syncookies.c, cookie_v4_check",
    ),
    Counter(
        "SyncookiesFailed",
        "TcpExt.SyncookiesFailed",
        "packets",
        "Answers without a valid cookie.",
        "net/ipv4/syncookies.c, cookie_v4_check",
    ),
    Counter(
        "TCPTimeWaitOverflow",
        "TcpExt.TCPTimeWaitOverflow",
        "sockets",
        "Closed without TIME-WAIT, because net.ipv4.tcp_max_tw_buckets sockets were in it.",
        "net/ipv4/tcp_minisocks.c, tcp_time_wait",
    ),
    Counter(
        "TCPAbortOnMemory",
        "TcpExt.TCPAbortOnMemory",
        "connections",
        "Cut off while being closed, for there were too many orphans (net.ipv4.tcp_max_orphans) or too little memory "
        "(net.ipv4.tcp_mem).",
        "net/ipv4/tcp_timer.c, tcp_out_of_resources; tcp.c, __tcp_close",
    ),
    Counter(
        "TCPMemoryPressures",
        "TcpExt.TCPMemoryPressures",
        "times",
        "TCP's memory grew past the second number of net.ipv4.tcp_mem.",
        "net/ipv4/tcp.c, tcp_enter_memory_pressure",
    ),
    Counter(
        "PruneCalled",
        "TcpExt.PruneCalled",
        "times",
        "A full receive buffer was tidied up. Nothing need be lost.",
        "net/ipv4/tcp_input.c, tcp_prune_queue",
    ),
    Counter(
        "RcvPruned",
        "TcpExt.RcvPruned",
        "packets",
        "Dropped because tidying up a full receive buffer was not enough.",
        "net/ipv4/tcp_input.c, tcp_prune_queue",
    ),
    Counter(
        "TCPRcvQDrop",
        "TcpExt.TCPRcvQDrop",
        "packets",
        "Dropped because no memory could be had for the receive queue.",
        "net/ipv4/tcp_input.c, tcp_data_queue",
        "4.19",
    ),
    Counter(
        "TCPBacklogDrop",
        "TcpExt.TCPBacklogDrop",
        "packets",
        "Dropped because they came faster than a socket in use could take them.",
        "net/ipv4/tcp_ipv4.c, tcp_add_backlog",
    ),
    Counter(
        "UdpRcvbufErrors",
        "Udp.RcvbufErrors",
        "datagrams",
        "Dropped because the receive buffer of a UDP socket was full (IPv4).",
        "net/ipv4/udp.c, __udp_queue_rcv_skb",
    ),
    Counter(
        "Udp6RcvbufErrors",
        "Udp6RcvbufErrors",
        "datagrams",
        "The same for IPv6.",
        "net/ipv6/udp.c, __udpv6_queue_rcv_skb",
    ),
)
