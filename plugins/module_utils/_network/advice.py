# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of advice that a diagnosis may give. Data only. Private: not for use outside of ``tunefleet.linux``.

``docs/diagnose.md`` is written from it. An id is never given another meaning. Numbers of a host are no part of these texts, so that
hosts with the same bottleneck get the same text.
"""

import typing as t


class Kind(t.NamedTuple):
    """One thing that may be under pressure.

    ``shown_by`` says what has to be seen before the advice is given, ``settings`` what limits it, ``helping`` which of these it may help
    to change, ``remedy`` what to do, ``cost`` what that costs.
    """

    id: str
    title: str
    meaning: str
    shown_by: str
    settings: t.Tuple[str, ...]
    helping: t.Tuple[str, ...]
    remedy: str
    cost: str


_SLOW = "A queue that is full at both looks means that the program accepts too slowly: a longer one then only lets clients wait longer."
_WAITING = "Some kilobytes of kernel memory for each connection that waits, and only while it waits."

ACCEPT_QUEUE_BACKLOG = Kind(
    id="accept_queue_backlog",
    title="A program's own listen queue overflows",
    meaning=(
        "The queue of connections that wait for accept() was full, and attempts to connect were dropped. It is as "
        "long as the program asked for in listen(2), and net.core.somaxconn would allow more: no kernel setting "
        "helps."
    ),
    shown_by="ListenOverflows grew, the listening socket dropped, and its limit is below net.core.somaxconn.",
    settings=("net.core.somaxconn",),
    helping=(),
    remedy=(
        "Raise the backlog in the program's own configuration (nginx: backlog= of listen, Apache: ListenBackLog, "
        "HAProxy: backlog) and restart it. If it asks for more already, it began to listen while "
        "net.core.somaxconn was lower: restart it. " + _SLOW
    ),
    cost=_WAITING,
)
ACCEPT_QUEUE_SOMAXCONN = Kind(
    id="accept_queue_somaxconn",
    title="A listen queue overflows that net.core.somaxconn caps",
    meaning=(
        "The queue of connections that wait for accept() was full, and attempts to connect were dropped. The "
        "program asked for at least what net.core.somaxconn allows."
    ),
    shown_by=("ListenOverflows grew, the listening socket dropped, and its limit is net.core.somaxconn or more."),
    settings=("net.core.somaxconn",),
    helping=("net.core.somaxconn",),
    remedy=(
        "Raise net.core.somaxconn, see that the program's own backlog is as large, and restart the program: the "
        "queue gets its length when it begins to listen. " + _SLOW
    ),
    cost=_WAITING,
)
ACCEPT_QUEUE_OPEN_FILES = Kind(
    id="accept_queue_open_files",
    title="A program cannot accept because it may not open more files",
    meaning=(
        "The queue for accept() overflows, and the program that should empty it has as many open files as its "
        "limit (nofile) allows. A longer queue would not help."
    ),
    shown_by=(
        "ListenOverflows grew, the listening socket dropped, and a process that holds it has at least 99 % of its "
        "soft nofile limit open. Seen as root only."
    ),
    settings=(),
    helping=(),
    remedy=(
        "Raise the program's limit of open files: LimitNOFILE= in its unit for a service, the profile open_files "
        "for what people start by hand; then restart it. If it does not have that many connections, it forgets to "
        "close files."
    ),
    cost="About 1 KB of kernel memory for each open file, besides what a connection takes.",
)
ACCEPT_QUEUE_UNKNOWN = Kind(
    id="accept_queue_unknown",
    title="A listen queue overflows, and it cannot be told which",
    meaning=(
        "The queue of connections that wait for accept() was full somewhere, but no listening socket that is still "
        "there says that it dropped any."
    ),
    shown_by=(
        "ListenOverflows grew, and no listening socket tells of drops: it was closed meanwhile, or the kernel does "
        "not say."
    ),
    settings=("net.core.somaxconn",),
    helping=(),
    remedy=(
        "Compare length and limit of the queues while it happens: ss -ltn. Where the limit is below "
        "net.core.somaxconn, it is the program's own, and no kernel setting helps; else raise net.core.somaxconn "
        "and restart the program."
    ),
    cost=_WAITING,
)
SYN_QUEUE_FULL = Kind(
    id="syn_queue_full",
    title="More handshakes at once than a listening socket remembers",
    meaning=(
        "The kernel answered SYNs with cookies, and most came back, so these are real clients. A listening socket "
        "remembers as many half-open connections as its queue for accept() may hold."
    ),
    shown_by=(
        "TCPReqQFullDoCookies grew, with net.ipv4.tcp_syncookies at 1, and at least a tenth of the cookies sent "
        "came back (SyncookiesRecv)."
    ),
    settings=("net.core.somaxconn",),
    helping=("net.core.somaxconn",),
    remedy=(
        "Where the limit of the queue is below net.core.somaxconn, raise the backlog in the program's own "
        "configuration: no kernel setting helps. Where they are equal, raise net.core.somaxconn as well. Restart "
        "the program either way."
    ),
    cost="Some 300 bytes of kernel memory for each handshake under way.",
)
SYN_FLOOD = Kind(
    id="syn_flood",
    title="SYNs of clients that never answer: a flood",
    meaning=(
        "The kernel answered SYNs with cookies, and hardly any came back, so the senders are made up. Cookies do "
        "what they are for: real clients still get through."
    ),
    shown_by=(
        "TCPReqQFullDoCookies grew, and less than a tenth of the cookies sent came back (SyncookiesRecv). With "
        "net.ipv4.tcp_syncookies at 2, which answers every SYN so, from 100 a second on."
    ),
    settings=("net.ipv4.tcp_syncookies",),
    helping=(),
    remedy=(
        "No kernel setting makes it stop, and a longer queue would only hold more of it. Keep "
        "net.ipv4.tcp_syncookies on, and filter or limit the senders before this host."
    ),
    cost=("Connections made by cookie go without window scaling and SACK where the client sends no timestamps."),
)
SYN_QUEUE_DROPS = Kind(
    id="syn_queue_drops",
    title="SYNs are dropped because SYN cookies are off",
    meaning=(
        "More handshakes were under way than are remembered, and with cookies off the rest is dropped, of real "
        "clients as well."
    ),
    shown_by=(
        "TCPReqQFullDrop grew; or, with net.ipv4.tcp_syncookies at 0, ListenDrops grew without ListenOverflows "
        "while at least half of net.ipv4.tcp_max_syn_backlog handshakes were under way."
    ),
    settings=("net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog"),
    helping=("net.ipv4.tcp_syncookies",),
    remedy="Set net.ipv4.tcp_syncookies to 1. It does nothing before the queue is full.",
    cost="Nothing, until the queue is full.",
)
TIME_WAIT_OVERFLOW = Kind(
    id="time_wait_overflow",
    title="More sockets in TIME-WAIT than are allowed",
    meaning=(
        "Connections were closed without TIME-WAIT, so late packets of theirs may harm later ones between the same "
        "ports."
    ),
    shown_by="TCPTimeWaitOverflow grew.",
    settings=("net.ipv4.tcp_max_tw_buckets",),
    helping=("net.ipv4.tcp_max_tw_buckets",),
    remedy=("Raise net.ipv4.tcp_max_tw_buckets. Keeping connections open for several requests makes fewer of them."),
    cost="Some 300 bytes of kernel memory for each socket in TIME-WAIT, and only while it waits.",
)
PORTS_EXHAUSTED = Kind(
    id="ports_exhausted",
    title="Local ports towards one destination run out",
    meaning=(
        "Each connection to the same address and port needs a local port of its own. When none is left, connect() "
        "fails with EADDRNOTAVAIL."
    ),
    shown_by=(
        "At least 90 % of net.ipv4.ip_local_port_range without the reserved ones is taken towards one destination. "
        "Ports in TIME-WAIT do not count where net.ipv4.tcp_tw_reuse lets them be taken over."
    ),
    settings=("net.ipv4.ip_local_port_range", "net.ipv4.tcp_tw_reuse"),
    helping=("net.ipv4.ip_local_port_range", "net.ipv4.tcp_tw_reuse"),
    remedy=(
        "First of all keep connections to the destination open and use them again. A wider "
        "net.ipv4.ip_local_port_range gives more ports (name those of your own listeners in "
        "net.ipv4.ip_local_reserved_ports); where most are in TIME-WAIT, net.ipv4.tcp_tw_reuse = 1 gives them back "
        "after a second. Several destination addresses multiply what there is."
    ),
    cost="A wider range may take a port that a program wants to listen on later.",
)
CONNTRACK_FULL = Kind(
    id="conntrack_full",
    title="The firewall's table of connections is full, or nearly",
    meaning=("When it is full, packets of new connections are dropped, with the message 'nf_conntrack: table full'."),
    shown_by=(
        "At least 90 % of net.netfilter.nf_conntrack_max is in use, or connections were thrown out early to make "
        "room (early_drop)."
    ),
    settings=("net.netfilter.nf_conntrack_max",),
    helping=("net.netfilter.nf_conntrack_max",),
    remedy=(
        "Raise net.netfilter.nf_conntrack_max, which the profile nat_gateway sizes by the memory, and "
        "net.netfilter.nf_conntrack_buckets along with it; or do not track what needs no tracking (notrack). In a "
        "container both belong to the host."
    ),
    cost="Some 400 bytes of kernel memory for each connection that is tracked.",
)
SOFTNET_DROPS = Kind(
    id="softnet_drops",
    title="Packets come faster than a processor core takes them",
    meaning=("A core's queue for incoming packets was full, and packets were dropped. Counted for the whole machine."),
    shown_by="The second column of /proc/net/softnet_stat grew, apart from what the flow limit took.",
    settings=("net.core.netdev_max_backlog",),
    helping=("net.core.netdev_max_backlog",),
    remedy=(
        "Raise net.core.netdev_max_backlog. If one core does all the work, spread it over several: queues of the "
        "network card, or receive packet steering."
    ),
    cost="Packets may wait longer, and up to a few KB of memory for each that waits.",
)
SOFTNET_SQUEEZED = Kind(
    id="softnet_squeezed",
    title="A processor core does not get through its incoming packets",
    meaning=(
        "The core used up its allowance of packets or time again and again with more to do. Nothing is lost by "
        "that alone. Counted for the whole machine."
    ),
    shown_by=(
        "The third column of /proc/net/softnet_stat grew by at least ten a second on a core, which took at least "
        "half of its packets in such rounds."
    ),
    settings=("net.core.netdev_budget",),
    helping=("net.core.netdev_budget",),
    remedy=(
        "Spread the packets over several cores: queues of the network card, or receive packet steering. A larger "
        "net.core.netdev_budget helps where the core has time left."
    ),
    cost="With a larger budget programs on that core wait longer.",
)
TCP_MEMORY = Kind(
    id="tcp_memory",
    title="TCP's memory is short",
    meaning=(
        "All TCP sockets of the machine together hold more than the second number of net.ipv4.tcp_mem, so the "
        "kernel keeps windows small; above the third it drops."
    ),
    shown_by="TCPMemoryPressures grew, or the memory of TCP is above the second number of net.ipv4.tcp_mem.",
    settings=("net.ipv4.tcp_mem",),
    helping=(),
    remedy=(
        "Find out who holds it: ss -tm. Programs that do not read what they were sent, and a tcp_rmem or tcp_wmem "
        "that is too large for the number of connections, are the usual reasons. Raise net.ipv4.tcp_mem only where "
        "the machine has the memory."
    ),
    cost="What net.ipv4.tcp_mem allows is taken from the machine's memory, in pages.",
)
ORPHANS = Kind(
    id="orphans",
    title="Connections are cut off while they are being closed",
    meaning=(
        "Too many connections that no program holds any more, or too little memory for TCP, so the kernel resets "
        "some with data under way."
    ),
    shown_by="TCPAbortOnMemory grew.",
    settings=("net.ipv4.tcp_max_orphans", "net.ipv4.tcp_mem"),
    helping=("net.ipv4.tcp_max_orphans",),
    remedy=(
        "Where orphans are near net.ipv4.tcp_max_orphans, raise it; where memory is near net.ipv4.tcp_mem, find "
        "out who holds it: ss -tm. A flood of clients that vanish makes orphans too."
    ),
    cost="Up to 64 KB of memory that cannot be swapped for each orphan.",
)
RECEIVE_QUEUE = Kind(
    id="receive_queue",
    title="Receive buffers of TCP overflow",
    meaning=("Packets were dropped because a connection's receive buffer was full, even after it was tidied up."),
    shown_by="RcvPruned or TCPRcvQDrop grew, while TCP as a whole has memory enough.",
    settings=("net.ipv4.tcp_rmem",),
    helping=("net.ipv4.tcp_rmem",),
    remedy=(
        "A program that reads too slowly is the usual reason, and one that sets SO_RCVBUF itself is bounded by "
        "that: no kernel setting helps then. Else raise the third number of net.ipv4.tcp_rmem."
    ),
    cost="Each connection may take as much memory as the third number.",
)
UDP_RECEIVE_BUFFER = Kind(
    id="udp_receive_buffer",
    title="Receive buffers of UDP overflow",
    meaning="Datagrams were dropped because a program's UDP socket was full.",
    shown_by="UdpRcvbufErrors or Udp6RcvbufErrors grew.",
    settings=("net.core.rmem_max", "net.core.rmem_default"),
    helping=("net.core.rmem_max",),
    remedy=(
        "The program reads too slowly, or bursts are longer than its buffer. Raise the buffer in the program's own "
        "configuration, up to net.core.rmem_max, which may have to be raised first; a program that asks for none "
        "gets net.core.rmem_default."
    ),
    cost="Each such socket may take that much memory.",
)
OPEN_FILES = Kind(
    id="open_files",
    title="The machine's limit of open files is near",
    meaning="At fs.file-max every program gets ENFILE. Counted for the whole machine.",
    shown_by="At least 90 % of fs.file-max are open.",
    settings=("fs.file-max",),
    helping=("fs.file-max",),
    remedy="Raise fs.file-max; first see whether a program forgets to close files.",
    cost="About 1 KB of kernel memory for each open file.",
)

KINDS = (
    ACCEPT_QUEUE_BACKLOG,
    ACCEPT_QUEUE_SOMAXCONN,
    ACCEPT_QUEUE_OPEN_FILES,
    ACCEPT_QUEUE_UNKNOWN,
    SYN_QUEUE_FULL,
    SYN_FLOOD,
    SYN_QUEUE_DROPS,
    TIME_WAIT_OVERFLOW,
    PORTS_EXHAUSTED,
    CONNTRACK_FULL,
    SOFTNET_DROPS,
    SOFTNET_SQUEEZED,
    TCP_MEMORY,
    ORPHANS,
    RECEIVE_QUEUE,
    UDP_RECEIVE_BUFFER,
    OPEN_FILES,
)

# What a profile of the collection wants of these keys, so that it can be named where it would help. A test holds them together.
IN_PROFILES = {
    "fs.file-max": ("open_files", "262140"),
    "net.core.netdev_max_backlog": ("web_server", "30000"),
    "net.core.rmem_max": ("web_server", "16777216"),
    "net.core.somaxconn": ("web_server", "8192"),
    "net.ipv4.ip_local_port_range": ("proxy", "10000 64999"),
    "net.ipv4.tcp_max_tw_buckets": ("web_server", "180000"),
    "net.ipv4.tcp_rmem": ("web_server", "4096 131072 16777216"),
    "net.ipv4.tcp_syncookies": ("ddos_guard", "1"),
    "net.ipv4.tcp_tw_reuse": ("proxy", "1"),
}
