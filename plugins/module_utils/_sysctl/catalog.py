# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about kernel parameters. Private: not for use outside of ``tunefleet.linux``.

No key has to be in here: an unknown one is judged by what /proc/sys shows. What the catalog adds is the range that the kernel
checks (and a sane one where it checks nothing), why a key is absent, and which value is the kernel's own default. Sources are
the kernel's Documentation/networking/ip-sysctl.rst and Documentation/admin-guide/sysctl/{fs,kernel,net,vm}.rst, the handlers in
net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c and kernel/sysctl.c, and measurements on Linux 6.1, 6.12 and 6.18.
"""

import functools
import re
import typing as t

from .._core import shape as shapes
from . import names as sysctl_names
from . import values as sysctl_values

Version = t.Tuple[int, int]

# Scopes: who owns the value that a process in a network namespace sees.
NETNS = "netns"  # each network namespace has its own
NETNS_READ_ONLY = "netns_read_only"  # one for the machine, shown with mode 0444 in a child network namespace
INIT_NETNS = "init_netns"  # one for the machine, absent in a child network namespace
GLOBAL = "global"  # one for the machine, in every namespace

INT_MAX = 2147483647
LONG_MAX = 9223372036854775807
# proc_dointvec_jiffies refuses more than INT_MAX / HZ seconds; HZ is 100 at the least.
_JIFFIES_MAX = INT_MAX // 100


class Machine(t.NamedTuple):
    """What the kernel computes defaults from: its version, the established hash table, and memory in KiB."""

    release: Version
    ehash: t.Optional[int] = None
    memory: t.Optional[int] = None


class Parameter(t.NamedTuple):
    """What is known about one key.

    ``about`` says what it does. ``since`` is the first kernel version with the key, where that is later than Linux 4.18.
    ``removed`` and ``no_effect`` name the first kernel version without the key, or with one that nothing reads. ``defaults``
    lists values that kernels use on their own, each with the first version that does. ``computed`` tells whether a value is
    the one that the kernel computed at boot, for keys where it does so. A write to an ``action`` makes something happen, and
    leaves no state behind that could be kept. ``listed`` names keys that list the words which this one takes.
    """

    about: str
    shape: shapes.Shape = shapes.Shape(shapes.TEXT)
    unit: str = ""
    scope: str = GLOBAL
    defaults: t.Tuple[t.Tuple[Version, str], ...] = ()
    computed: t.Optional[t.Callable[[str, "Machine"], bool]] = None
    action: bool = False
    since: t.Optional[Version] = None
    removed: t.Optional[Version] = None
    no_effect: t.Optional[Version] = None
    note: str = ""
    listed: t.Tuple[str, ...] = ()


def _enforced(low: t.Optional[int], high: t.Optional[int], length: int = 1) -> shapes.Shape:
    """Integers whose range the kernel checks; a write outside of it gives EINVAL."""
    return shapes.Shape(shapes.INTEGERS, length, low, high, True)


def _recommended(low: int, high: int, length: int = 1) -> shapes.Shape:
    """Integers that the kernel stores unchecked; outside of this range they do harm."""
    return shapes.Shape(shapes.INTEGERS, length, low, high, False)


def _default(text: str, *since: int) -> t.Tuple[t.Tuple[Version, str], ...]:
    return (((since[0], since[1]) if since else (0, 0), text),)


def _half_of_hash(text: str, machine: Machine) -> bool:
    """net/ipv4/tcp_ipv4.c, tcp_sk_init, and net/ipv4/tcp.c, tcp_init."""
    return machine.ehash is not None and text == str(machine.ehash // 2)


def _hash_by_128(text: str, machine: Machine) -> bool:
    """net/ipv4/tcp_ipv4.c, tcp_sk_init."""
    return machine.ehash is not None and text == str(max(128, machine.ehash // 128))


def _tenth_of_memory(text: str, machine: Machine) -> bool:
    """fs/file_table.c, files_maxfiles_init: a tenth of the memory that was free at boot."""
    return machine.memory is not None and text.isdigit() and 0.8 <= int(text) / max(1, machine.memory / 10) <= 1.0


def _receive_buffers(text: str, machine: Machine) -> bool:
    """net/ipv4/tcp.c, tcp_init: the largest is a 128th of the memory that was free at boot, where the cap is not reached."""
    words = text.split()
    if machine.memory is None or words[:2] not in (["4096", "87380"], ["4096", "131072"]) or not words[-1].isdigit():
        return False
    return 0.8 <= int(words[-1]) / max(1, machine.memory * 1024 / 128) <= 1.0


def _power_of_two(number: int) -> t.FrozenSet[int]:
    """net/core/sysctl_net_core.c, rps_sock_flow_sysctl: roundup_pow_of_two."""
    return frozenset([1 << (number - 1).bit_length() if number > 0 else 0])


def _pipe_size(number: int) -> t.FrozenSet[int]:
    """fs/pipe.c, round_pipe_size: a power of two of pages, whose size depends on the machine."""
    return frozenset(max(page, 1 << max(0, number - 1).bit_length()) for page in (4096, 16384, 65536))


def _clock_steps(number: int) -> t.FrozenSet[int]:
    """kernel/time/time.c: milliseconds are kept in ticks, rounded up, of which a kernel has one of four rates."""
    return frozenset(-(-number * rate // 1000) * 1000 // rate for rate in (100, 250, 300, 1000))


def _user_ticks(number: int) -> t.FrozenSet[int]:
    """kernel/time/time.c, clock_t_to_jiffies and jiffies_to_clock_t: hundredths of a second are kept in ticks, rounded down twice."""
    return frozenset(number * rate // 100 * 100 // rate for rate in (100, 250, 300, 1000))


_HEX_WORDS = re.compile(r"[0-9a-f]{1,8}(-[0-9a-f]{1,8}){3}(,[0-9a-f]{1,8}(-[0-9a-f]{1,8}){3})?")
_COLON_WORDS = re.compile(r"([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?")
_HEX_MASK = re.compile(r"[0-9a-f]+(,[0-9a-f]{1,8})*")


def _fastopen_keys(text: str) -> t.Optional[str]:
    """net/ipv4/sysctl_net_ipv4.c, proc_tcp_fastopen_key: one key or two, each of four words of eight digits."""
    if not _HEX_WORDS.fullmatch(text.lower()):
        return None
    return re.sub(r"[0-9a-f]+", lambda word: word.group().zfill(8), text.lower())


def _ipv6_address(text: str) -> t.Optional[str]:
    """net/ipv6/addrconf.c, addrconf_sysctl_stable_secret: an address with all of its digits."""
    halves = text.lower().split("::")
    if len(halves) > 2 or not all(_COLON_WORDS.fullmatch(half) for half in halves):
        return None
    words = [half.split(":") if half else [] for half in halves]
    missing = 8 - sum(map(len, words))
    if missing != 0 if len(halves) == 1 else missing < 1:
        return None
    whole = words[0] + ["0"] * missing + (words[1] if len(words) == 2 else [])
    return ":".join(word.zfill(4) for word in whole)


def _processor_mask(text: str) -> t.Optional[str]:
    """lib/bitmap.c, bitmap_parse: hexadecimal, a comma after each eight digits; how many zeros are in front depends on the machine."""
    if not _HEX_MASK.fullmatch(text.lower()):
        return None
    first, *others = text.lower().split(",")
    digits = (first + "".join(word.zfill(8) for word in others)).lstrip("0") or "0"
    words = re.findall(".{1,8}", digits[::-1])
    return ",".join(word[::-1] for word in words[::-1])


def _group_range(text: str) -> t.Optional[str]:
    """net/ipv4/sysctl_net_ipv4.c, ipv4_ping_group_range: a range without a group has one spelling."""
    words = text.split()
    return "1 0" if len(words) == 2 and all(map(str.isdigit, words)) and int(words[0]) > int(words[1]) else text


def _buckets(number: int) -> t.FrozenSet[int]:
    """net/netfilter/nf_conntrack_core.c, nf_ct_alloc_hashtable: whole pages of 512 list heads."""
    return frozenset([-(-number // 512) * 512])


_U8 = _enforced(0, 255)
_MILLISECONDS = _enforced(0, None)._replace(rounds_to=_clock_steps)
_HUNDREDTHS = shapes.Shape(shapes.INTEGERS, 1, 0, None, False, rounds_to=_user_ticks)
_SECONDS = _recommended(1, _JIFFIES_MAX)

PARAMETERS: t.Dict[str, Parameter] = {
    "fs.file-max": Parameter(
        "Open files of the whole system.",
        _enforced(0, LONG_MAX),
        "open files, whole system",
        GLOBAL,
        _default(str(LONG_MAX)),
        _tenth_of_memory,
        note="systemd 240 and newer set it to the largest number at boot",
    ),
    "fs.inode-max": Parameter(
        "Inodes held in memory, in Linux 2.2 and before.",
        _enforced(0, INT_MAX),
        "inodes",
        removed=(2, 4),
        note="inodes are allocated as needed",
    ),
    "fs.nr_open": Parameter(
        "The highest limit of open files that a process may be given.",
        _enforced(64, 2147483584),
        "open files per process",
        GLOBAL,
        _default("1048576") + _default("1073741816"),
        note="ceiling of every nofile limit",
    ),
    "fs.pipe-max-size": Parameter(
        "The largest pipe that a user without privileges may ask for.",
        _enforced(4096, 2147483648)._replace(rounds_to=_pipe_size),
        "bytes",
        GLOBAL,
        _default("1048576"),
        note="kept as a power of two of pages",
    ),
    "kernel.numa_balancing": Parameter(
        "Moves memory to the node of the processor that uses it: 0 never, 1 by itself, 2 by tiers of memory.",
        _enforced(0, 4),
        "mode",
    ),
    "kernel.pid_max": Parameter(
        "Process ids begin anew at this number.", _enforced(301, 4194304), "process ids", GLOBAL, _default("4194304")
    ),
    "kernel.threads-max": Parameter("Threads of the whole system.", _enforced(1, 1073741823), "threads"),
    "kernel.timer_migration": Parameter(
        "Lets timers of idle processors fire on busy ones.", _enforced(0, 1), "flag", GLOBAL, _default("1")
    ),
    "kernel.watchdog_cpumask": Parameter(
        "Processors that are watched for lockups.", shapes.Shape(shapes.PORTS, high=8191), "processors", GLOBAL
    ),
    "net.bridge.bridge-nf-call-arptables": Parameter(
        "Shows bridged ARP traffic to arptables.", _recommended(0, 1), "flag", NETNS
    ),
    "net.bridge.bridge-nf-call-ip6tables": Parameter(
        "Shows bridged IPv6 traffic to ip6tables.", _recommended(0, 1), "flag", NETNS
    ),
    "net.bridge.bridge-nf-call-iptables": Parameter(
        "Shows bridged IPv4 traffic to iptables.", _recommended(0, 1), "flag", NETNS
    ),
    "net.bridge.bridge-nf-filter-pppoe-tagged": Parameter(
        "Shows bridged traffic in PPPoE frames to these as well.", _recommended(0, 1), "flag", NETNS
    ),
    "net.bridge.bridge-nf-filter-vlan-tagged": Parameter(
        "Shows bridged traffic in VLAN frames to these as well.", _recommended(0, 1), "flag", NETNS
    ),
    "net.bridge.bridge-nf-pass-vlan-input-dev": Parameter(
        "Gives such traffic the VLAN device as its input.", _recommended(0, 1), "flag", NETNS
    ),
    "net.core.busy_poll": Parameter(
        "How long poll(2) and select(2) ask the network device before they sleep.",
        _enforced(0, INT_MAX),
        "microseconds",
        INIT_NETNS,
        _default("0"),
    ),
    "net.core.busy_read": Parameter(
        "How long a read from a socket asks the network device before it sleeps.",
        _enforced(0, INT_MAX),
        "microseconds",
        INIT_NETNS,
        _default("0"),
    ),
    "net.core.default_qdisc": Parameter(
        "Queueing discipline of network devices that are set up from now on.",
        shapes.Shape(shapes.TEXT),
        "name",
        INIT_NETNS,
    ),
    "net.core.flow_limit_cpu_bitmap": Parameter(
        "Processors that drop packets of the largest flow first when their queue fills up.",
        shapes.Shape(shapes.TEXT, canonicalize=_processor_mask),
        "hexadecimal mask of processors",
        INIT_NETNS,
    ),
    "net.core.netdev_budget": Parameter(
        "Packets that one round of receiving may take from all devices.",
        _recommended(1, INT_MAX),
        "packets per poll cycle",
        INIT_NETNS,
        _default("300"),
    ),
    "net.core.netdev_max_backlog": Parameter(
        "Received packets that may wait for a CPU, for drivers without NAPI and with receive packet steering.",
        _recommended(1, INT_MAX),
        "packets per CPU",
        INIT_NETNS,
        _default("1000"),
        note="0 stops the input queue",
    ),
    "net.core.optmem_max": Parameter(
        "Memory of a socket for control messages, filters and zero-copy bookkeeping.",
        _enforced(0, INT_MAX),
        "bytes per socket",
        NETNS,
        _default("20480") + _default("131072", 6, 7),
    ),
    "net.core.rmem_default": Parameter(
        "Receive buffer that a socket other than TCP begins with.",
        _recommended(2304, INT_MAX),
        "bytes",
        NETNS_READ_ONLY,
        _default("212992"),
    ),
    "net.core.rmem_max": Parameter(
        "The largest receive buffer that a program may ask for with SO_RCVBUF.",
        _recommended(2304, INT_MAX),
        "bytes",
        NETNS_READ_ONLY,
        _default("212992") + _default("4194304", 6, 18),
    ),
    "net.core.rps_default_mask": Parameter(
        "Processors that handle received packets of a new device, for receive packet steering.",
        shapes.Shape(shapes.TEXT, canonicalize=_processor_mask),
        "hexadecimal mask of processors",
        NETNS,
        since=(6, 3),
    ),
    "net.core.rps_sock_flow_entries": Parameter(
        "Size of the table that steers packets to the CPU of their program.",
        _enforced(0, 536870912)._replace(rounds_to=_power_of_two),
        "entries",
        INIT_NETNS,
        _default("0"),
        note="kept as a power of two",
    ),
    "net.core.somaxconn": Parameter(
        "The longest queue of connections that wait for accept(2).",
        _enforced(0, INT_MAX),
        "connections",
        NETNS,
        _default("128") + _default("4096", 5, 4),
        note="read by listen(2): a listener that is already there keeps its old bound",
    ),
    "net.core.wmem_default": Parameter(
        "Send buffer that a socket other than TCP begins with.",
        _recommended(4608, INT_MAX),
        "bytes",
        NETNS_READ_ONLY,
        _default("212992"),
    ),
    "net.core.wmem_max": Parameter(
        "The largest send buffer that a program may ask for with SO_SNDBUF.",
        _recommended(4608, INT_MAX),
        "bytes",
        NETNS_READ_ONLY,
        _default("212992") + _default("4194304", 6, 18),
    ),
    "net.ipv4.conf.*.accept_redirects": Parameter(
        "Whether ICMP redirects change the routes of an interface.", _recommended(0, 1), "flag", NETNS
    ),
    "net.ipv4.conf.*.rp_filter": Parameter(
        "Whether a packet must come in where its sender would be reached: 0 no, 1 strictly, 2 by any interface.",
        _recommended(0, 2),
        "mode",
        NETNS,
        note="the larger one of conf.all and of the interface counts",
    ),
    "net.ipv4.icmp_echo_ignore_broadcasts": Parameter(
        "Leaves pings to broadcast and multicast addresses unanswered.", _enforced(0, 1), "flag", NETNS, _default("1")
    ),
    "net.ipv4.icmp_ratelimit": Parameter(
        "Least time between two ICMP messages to one peer.",
        _MILLISECONDS,
        "milliseconds",
        NETNS,
        _default("1000"),
        note="kept in steps of 1000/HZ milliseconds",
    ),
    "net.ipv4.ip_forward": Parameter(
        "Forwards packets between interfaces.",
        _recommended(0, 1),
        "flag",
        NETNS,
    ),
    "net.ipv4.ip_local_port_range": Parameter(
        "First and last port for connections that name none of their own.",
        _enforced(1, 65535, 2)._replace(interval=True),
        "ports, none below net.ipv4.ip_unprivileged_port_start",
        NETNS,
        _default("32768 60999", 4, 2),
    ),
    "net.ipv4.ip_local_reserved_ports": Parameter(
        "Ports that are never chosen for such connections.", shapes.Shape(shapes.PORTS), "ports", NETNS, _default("")
    ),
    "net.ipv4.ip_unprivileged_port_start": Parameter(
        "First port that a program without privileges may listen on.",
        _enforced(0, 65535),
        "port, not above net.ipv4.ip_local_port_range",
        NETNS,
        _default("1024"),
    ),
    "net.ipv4.neigh.*.anycast_delay": Parameter(
        "Longest wait before a question for an anycast address is answered.",
        _HUNDREDTHS,
        "hundredths of a second",
        NETNS,
    ),
    "net.ipv4.neigh.*.base_reachable_time_ms": Parameter(
        "How long a neighbour counts as reachable after it was heard of.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv4.neigh.*.interval_probe_time_ms": Parameter(
        "Time between two probes of a neighbour that is managed.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv4.neigh.*.locktime": Parameter(
        "Least age of an entry that another answer may replace.", _HUNDREDTHS, "hundredths of a second", NETNS
    ),
    "net.ipv4.neigh.*.proxy_delay": Parameter(
        "Longest wait before a question is answered for another host.", _HUNDREDTHS, "hundredths of a second", NETNS
    ),
    "net.ipv4.neigh.*.retrans_time": Parameter(
        "Time between two questions for a neighbour, by its older name.", _HUNDREDTHS, "hundredths of a second", NETNS
    ),
    "net.ipv4.neigh.*.retrans_time_ms": Parameter(
        "Time between two questions for a neighbour.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv4.neigh.default.gc_thresh1": Parameter(
        "Neighbours below which none is forgotten.", _enforced(0, INT_MAX), "entries", INIT_NETNS, _default("128")
    ),
    "net.ipv4.neigh.default.gc_thresh2": Parameter(
        "Neighbours above which old ones are forgotten after five seconds.",
        _enforced(0, INT_MAX),
        "entries",
        INIT_NETNS,
        _default("512"),
    ),
    "net.ipv4.neigh.default.gc_thresh3": Parameter(
        "The most neighbours that are kept.", _enforced(0, INT_MAX), "entries", INIT_NETNS, _default("1024")
    ),
    "net.ipv4.ping_group_range": Parameter(
        "First and last group whose users may send pings without privileges; the first above the last: nobody.",
        _enforced(0, INT_MAX, 2)._replace(canonicalize=_group_range),
        "group ids",
        NETNS,
        _default("1 0"),
    ),
    "net.ipv4.route.flush": Parameter(
        "Throws away cached routes.", shapes.Shape(shapes.TEXT), "action", NETNS, action=True
    ),
    "net.ipv4.route.gc_min_interval_ms": Parameter(
        "Least time between two sweeps of the cached routes.", _MILLISECONDS, "milliseconds", INIT_NETNS
    ),
    "net.ipv4.tcp_abort_on_overflow": Parameter(
        "Resets a connection that finds the queue for accept(2) full, in place of letting it try again.",
        _U8,
        "flag",
        NETNS,
        _default("0"),
    ),
    "net.ipv4.tcp_allowed_congestion_control": Parameter(
        "Congestion control that programs without privileges may choose.",
        shapes.Shape(shapes.WORDS),
        "names",
        NETNS_READ_ONLY,
    ),
    "net.ipv4.tcp_congestion_control": Parameter(
        "Congestion control of new connections.",
        shapes.Shape(shapes.TEXT),
        "name",
        NETNS,
        listed=("net.ipv4.tcp_available_congestion_control", "net.ipv4.tcp_allowed_congestion_control"),
    ),
    "net.ipv4.tcp_dsack": Parameter("Reports data that arrived twice (RFC 2883).", _U8, "flag", NETNS, _default("1")),
    # No upper bound of our own: kernels with AccECN take values above 2.
    "net.ipv4.tcp_ecn": Parameter(
        "Explicit congestion notification: 0 off, 1 asked for and accepted, 2 accepted.",
        _enforced(0, None),
        "mode",
        NETNS,
        _default("2"),
    ),
    "net.ipv4.tcp_fack": Parameter(
        "Forward acknowledgement, an early form of loss detection.",
        _U8,
        "flag",
        NETNS,
        no_effect=(4, 15),
        note="RACK took its place",
    ),
    "net.ipv4.tcp_fastopen": Parameter(
        "TCP Fast Open (RFC 7413): 1 as client, 2 as server, and further bits.",
        _recommended(0, INT_MAX),
        "bit mask",
        NETNS,
        _default("1"),
    ),
    "net.ipv4.tcp_fastopen_key": Parameter(
        "Secret from which cookies for TCP Fast Open are made; a second one, after a comma, is taken as well.",
        shapes.Shape(shapes.TEXT, canonicalize=_fastopen_keys),
        "four groups of up to eight hexadecimal digits, with dashes between",
        NETNS,
    ),
    "net.ipv4.tcp_fin_timeout": Parameter(
        "How long a closed connection waits for the FIN of the other side.",
        _SECONDS,
        "seconds",
        NETNS,
        _default("60"),
        note="governs FIN-WAIT-2 of orphaned sockets, not TIME-WAIT",
    ),
    "net.ipv4.tcp_invalid_ratelimit": Parameter(
        "Least time between two answers to segments that fit no connection.",
        _MILLISECONDS,
        "milliseconds",
        NETNS,
        _default("500"),
    ),
    "net.ipv4.tcp_keepalive_intvl": Parameter(
        "Time between two keepalive probes.", _SECONDS, "seconds", NETNS, _default("75")
    ),
    "net.ipv4.tcp_keepalive_probes": Parameter(
        "Unanswered keepalive probes after which a connection is given up.", _U8, "probes", NETNS, _default("9")
    ),
    "net.ipv4.tcp_keepalive_time": Parameter(
        "Silence after which an idle connection is probed, where a program asked for it.",
        _SECONDS,
        "seconds",
        NETNS,
        _default("7200"),
    ),
    "net.ipv4.tcp_low_latency": Parameter(
        "Preferred latency over throughput in the receive path.",
        _recommended(0, 1),
        "flag",
        INIT_NETNS,
        no_effect=(4, 14),
    ),
    "net.ipv4.tcp_max_orphans": Parameter(
        "Connections without a program that are kept; further ones are reset.",
        _recommended(1, INT_MAX),
        "sockets",
        INIT_NETNS,
        computed=_half_of_hash,
    ),
    "net.ipv4.tcp_max_syn_backlog": Parameter(
        "Half-open connections that a listener remembers.",
        _recommended(1, INT_MAX),
        "connections per listener",
        NETNS,
        computed=_hash_by_128,
        note="used only while net.ipv4.tcp_syncookies is 0; otherwise the listener's backlog decides",
    ),
    "net.ipv4.tcp_max_tw_buckets": Parameter(
        "Sockets in TIME-WAIT.",
        _recommended(1, INT_MAX),
        "sockets",
        NETNS,
        computed=_half_of_hash,
        note="above it a socket is closed with no TIME-WAIT at all",
    ),
    "net.ipv4.tcp_mem": Parameter(
        "Memory of all TCP sockets: below the first no care is taken, above the second it is saved, the third is the most.",
        _recommended(1, LONG_MAX, 3)._replace(ascending=True),
        "pages",
        INIT_NETNS,
    ),
    "net.ipv4.tcp_migrate_req": Parameter(
        "Hands waiting connections to another listener of the port when theirs closes.",
        _enforced(0, 1),
        "flag",
        NETNS,
        _default("0"),
        since=(5, 14),
    ),
    "net.ipv4.tcp_mtu_probing": Parameter(
        "Finds the path MTU by itself: 0 never, 1 after a black hole is found, 2 always.",
        _U8,
        "mode",
        NETNS,
        _default("0"),
    ),
    "net.ipv4.tcp_no_metrics_save": Parameter(
        "Forgets what was measured of a peer when its connection ends.", _U8, "flag", NETNS, _default("0")
    ),
    "net.ipv4.tcp_notsent_lowat": Parameter(
        "Unsent data up to which a socket counts as writable.",
        _enforced(0, 4294967295),
        "bytes",
        NETNS,
        _default("4294967295"),
    ),
    "net.ipv4.tcp_orphan_retries": Parameter(
        "Retransmits to a peer after the program closed the connection.",
        _U8,
        "retransmits",
        NETNS,
        _default("0"),
        note="0 means 8 for a live peer",
    ),
    "net.ipv4.tcp_retries1": Parameter(
        "Retransmits after which another route is asked for; RFC 1122 wants at least 3.",
        _U8,
        "retransmits",
        NETNS,
        _default("3"),
    ),
    "net.ipv4.tcp_retries2": Parameter(
        "Retransmits after which a connection is given up; RFC 1122 wants at least 100 seconds, which are 8.",
        _U8,
        "retransmits",
        NETNS,
        _default("15"),
    ),
    "net.ipv4.tcp_rfc1337": Parameter(
        "Ignores a reset that hits a socket in TIME-WAIT (RFC 1337).", _U8, "flag", NETNS, _default("0")
    ),
    "net.ipv4.tcp_rmem": Parameter(
        "Receive buffer of a connection, from which and up to which it sizes itself.",
        _enforced(1, INT_MAX, 3)._replace(ascending=True),
        "bytes: least, initial, largest",
        NETNS,
        _default("4096 87380 6291456")
        + _default("4096 131072 6291456", 4, 20)
        + _default("4096 131072 33554432", 6, 18),
        _receive_buffers,
    ),
    "net.ipv4.tcp_rto_max_ms": Parameter(
        "The longest wait before a retransmit.",
        _enforced(1000, 120000),
        "milliseconds",
        NETNS,
        _default("120000"),
        since=(6, 15),
    ),
    "net.ipv4.tcp_rto_min_us": Parameter(
        "The shortest wait before a retransmit.",
        _enforced(1, INT_MAX),
        "microseconds",
        NETNS,
        _default("200000"),
        since=(6, 11),
    ),
    "net.ipv4.tcp_sack": Parameter(
        "Selective acknowledgement (RFC 2018): only what was lost is sent again.", _U8, "flag", NETNS, _default("1")
    ),
    "net.ipv4.tcp_slow_start_after_idle": Parameter(
        "Starts slowly again after a connection was idle.", _U8, "flag", NETNS, _default("1")
    ),
    "net.ipv4.tcp_stdurg": Parameter(
        "Reads the urgent pointer the way RFC 793 words it, unlike most systems.", _U8, "flag", NETNS, _default("0")
    ),
    "net.ipv4.tcp_syn_linear_timeouts": Parameter(
        "First SYN retransmits that wait no longer than the one before.",
        _enforced(0, 127),
        "timeouts",
        NETNS,
        _default("4"),
        since=(6, 5),
    ),
    "net.ipv4.tcp_syn_retries": Parameter(
        "Retransmits of the SYN of an outgoing connection.", _enforced(1, 127), "retransmits", NETNS, _default("6")
    ),
    "net.ipv4.tcp_synack_retries": Parameter(
        "Retransmits of the answer to the SYN of an incoming connection.", _U8, "retransmits", NETNS, _default("5")
    ),
    "net.ipv4.tcp_syncookies": Parameter(
        "Answers SYNs without remembering them: 0 never, 1 when the queue overflows, 2 always.",
        _U8,
        "mode",
        NETNS,
        _default("1"),
    ),
    "net.ipv4.tcp_timestamps": Parameter(
        "Timestamps (RFC 7323): 0 off, 1 on with a random offset, 2 on without.", _U8, "mode", NETNS, _default("1")
    ),
    "net.ipv4.tcp_tw_recycle": Parameter(
        "Ended TIME-WAIT early.",
        _enforced(0, 1),
        "flag",
        NETNS,
        removed=(4, 12),
        note="it broke clients behind one translated address",
    ),
    "net.ipv4.tcp_tw_reuse": Parameter(
        "Takes over ports in TIME-WAIT for outgoing connections: 0 never, 1 always, 2 on loopback.",
        _enforced(0, 2),
        "mode",
        NETNS,
        _default("0") + _default("2", 4, 19),
    ),
    "net.ipv4.tcp_tw_reuse_delay": Parameter(
        "Age at which such a port may be taken over.",
        _enforced(1, 60000),
        "milliseconds",
        NETNS,
        _default("1000"),
        since=(6, 14),
    ),
    "net.ipv4.tcp_window_scaling": Parameter("Windows above 64 KiB (RFC 7323).", _U8, "flag", NETNS, _default("1")),
    "net.ipv4.tcp_wmem": Parameter(
        "Send buffer of a connection, from which and up to which it sizes itself.",
        _enforced(1, INT_MAX, 3)._replace(ascending=True),
        "bytes: least, initial, largest",
        NETNS,
        _default("4096 16384 4194304"),
    ),
    "net.ipv6.conf.*.mldv1_unsolicited_report_interval": Parameter(
        "Time after which a group is reported once more (MLDv1).", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.conf.*.mldv2_unsolicited_report_interval": Parameter(
        "Time after which a group is reported once more (MLDv2).", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.conf.*.stable_secret": Parameter(
        "Secret from which stable addresses are made (RFC 7217).",
        shapes.Shape(shapes.TEXT, canonicalize=_ipv6_address),
        "IPv6 address",
        NETNS,
    ),
    "net.ipv6.icmp.ratelimit": Parameter(
        "Least time between two ICMPv6 messages to one peer.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.icmp.ratemask": Parameter(
        "Types of ICMPv6 messages that are held back so.",
        shapes.Shape(shapes.PORTS, high=255),
        "types of messages",
        NETNS,
    ),
    "net.ipv6.neigh.*.anycast_delay": Parameter(
        "Longest wait before a question for an anycast address is answered.",
        _HUNDREDTHS,
        "hundredths of a second",
        NETNS,
    ),
    "net.ipv6.neigh.*.base_reachable_time_ms": Parameter(
        "How long a neighbour counts as reachable after it was heard of.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.neigh.*.interval_probe_time_ms": Parameter(
        "Time between two probes of a neighbour that is managed.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.neigh.*.locktime": Parameter(
        "Least age of an entry that another answer may replace.", _HUNDREDTHS, "hundredths of a second", NETNS
    ),
    "net.ipv6.neigh.*.proxy_delay": Parameter(
        "Longest wait before a question is answered for another host.", _HUNDREDTHS, "hundredths of a second", NETNS
    ),
    "net.ipv6.neigh.*.retrans_time_ms": Parameter(
        "Time between two questions for a neighbour.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.ipv6.route.flush": Parameter(
        "Throws away cached routes.", shapes.Shape(shapes.TEXT), "action", NETNS, action=True
    ),
    "net.ipv6.route.gc_min_interval_ms": Parameter(
        "Least time between two sweeps of the cached routes.", _MILLISECONDS, "milliseconds", NETNS
    ),
    "net.netfilter.nf_conntrack_buckets": Parameter(
        "Size of the table of tracked connections.",
        _enforced(1, INT_MAX)._replace(rounds_to=_buckets),
        "buckets",
        NETNS_READ_ONLY,
        note="kept as a multiple of 512",
    ),
    "net.netfilter.nf_conntrack_max": Parameter(
        "Tracked connections; 0 sets no bound.", _enforced(0, INT_MAX), "entries", NETNS_READ_ONLY
    ),
    "vm.compact_memory": Parameter("Puts free memory together.", shapes.Shape(shapes.TEXT), "action", action=True),
    "vm.dirty_background_bytes": Parameter(
        "Unwritten data at which writing back begins; takes the place of the ratio.", _enforced(1, LONG_MAX), "bytes"
    ),
    "vm.dirty_background_ratio": Parameter(
        "Share of memory that may be unwritten before writing back begins.",
        _enforced(0, 100),
        "percent",
        GLOBAL,
        _default("10"),
    ),
    "vm.dirty_bytes": Parameter(
        "Unwritten data at which programs have to wait; takes the place of the ratio.",
        _enforced(8192, LONG_MAX),
        "bytes",
    ),
    "vm.dirty_ratio": Parameter(
        "Share of memory that may be unwritten before programs have to wait.",
        _enforced(0, 100),
        "percent",
        GLOBAL,
        _default("20"),
    ),
    "vm.drop_caches": Parameter(
        "Throws away cached files (1), directory entries and inodes (2), or both (3).",
        _enforced(1, 4),
        "action",
        action=True,
    ),
    "vm.max_map_count": Parameter(
        "Memory mappings of one process.", _recommended(1, INT_MAX), "mappings per process", GLOBAL, _default("65530")
    ),
    "vm.min_free_kbytes": Parameter(
        "Memory that is kept free for the kernel itself.", _recommended(128, INT_MAX), "KiB"
    ),
    "vm.overcommit_kbytes": Parameter(
        "Memory beyond swap that may be promised in mode 2; takes the place of the ratio.",
        _enforced(0, LONG_MAX),
        "KiB",
    ),
    "vm.overcommit_memory": Parameter(
        "Promises of memory: 0 by judgement, 1 always, 2 within a bound.",
        _enforced(0, 2),
        "mode",
        GLOBAL,
        _default("0"),
    ),
    "vm.overcommit_ratio": Parameter(
        "Share of memory beyond swap that may be promised in mode 2.",
        _recommended(0, 100000),
        "percent",
        GLOBAL,
        _default("50"),
    ),
    "vm.stat_interval": Parameter(
        "Time between two updates of the memory statistics.", _SECONDS, "seconds", GLOBAL, _default("1")
    ),
    "vm.swappiness": Parameter(
        "How much dearer dropping cached files is held than swapping.",
        _enforced(0, 200),
        "relative cost",
        GLOBAL,
        _default("60"),
    ),
}

# Keys that a module brings along, by the beginning of their canonical name.
_MODULES = (
    ("dev.raid.", "md_mod"),
    ("fs.nfs.nlm_", "lockd"),
    ("fs.nfs.", "nfs"),
    ("net.bridge.bridge-nf-", "br_netfilter"),
    ("net.ipv4.vs.", "ip_vs"),
    ("net.mpls.", "mpls_router"),
    ("net.netfilter.nf_conntrack", "nf_conntrack"),
    ("net.nf_conntrack_max", "nf_conntrack"),
    ("net.rds.", "rds"),
    ("net.sctp.", "sctp"),
    ("sunrpc.", "sunrpc"),
)


@functools.lru_cache(maxsize=None)
def find(key: str) -> t.Optional[Parameter]:
    """The facts about a canonical key, or None. Keys of one interface share an entry."""
    exact = PARAMETERS.get(key)
    if exact is not None:
        return exact
    segments = key.split(".")
    if len(segments) == 5:
        return PARAMETERS.get(".".join(segments[:3] + ["*"] + segments[4:]))
    return None


def names() -> t.List[str]:
    """Every key of the catalog that is not a pattern."""
    return [key for key in PARAMETERS if not sysctl_names.is_pattern(key)]


def legal(key: str, shape: shapes.Shape) -> str:
    """What a key takes, as messages say it: ``1 .. 127 retransmits``.

    :param shape: of the key, which tells what there is to be told of one that is not in the catalog.
    """
    parameter = find(key)
    unit, shape = (parameter.unit, parameter.shape) if parameter else ("", shape)
    if shape.kind != shapes.INTEGERS:
        return unit or "one line of text"
    return (
        "{0} {1}".format(sysctl_values.span(shape), unit).strip() or "whole numbers, within bounds of the kernel's own"
    )


def module_of(key: str) -> t.Optional[str]:
    """The kernel module without which the key does not exist, or None."""
    for prefix, module in _MODULES:
        if key.startswith(prefix):
            return module
    return None


def is_kernel_default(parameter: t.Optional[Parameter], text: str, machine: Machine) -> bool:
    """Whether a live value is one that the kernel chose by itself, so that it need not be written down for the next boot."""
    if parameter is None:
        return False
    if any(since <= machine.release and default == text for since, default in parameter.defaults):
        return True
    return parameter.computed is not None and parameter.computed(text, machine)


# Kernel couplings: this table is the only one. ``write_model`` computes their effects.
# A write to one key of a pair sets the other to 0 (mm/page-writeback.c, mm/util.c).
_EXCLUSIVE_PAIRS = (
    ("vm.dirty_bytes", "vm.dirty_ratio"),
    ("vm.dirty_background_bytes", "vm.dirty_background_ratio"),
    ("vm.overcommit_kbytes", "vm.overcommit_ratio"),
)
EXCLUSIVE = dict(_EXCLUSIVE_PAIRS + tuple((right, left) for left, right in _EXCLUSIVE_PAIRS))
FORWARDING = "net.ipv4.conf.all.forwarding"
# Two names of one value, the second of which stores it: net/ipv4/devinet.c, devinet_sysctl_forward;
# net/netfilter/nf_conntrack_standalone.c, nf_ct_netfilter_table.
ALIASES = {"net.ipv4.ip_forward": FORWARDING, "net.nf_conntrack_max": "net.netfilter.nf_conntrack_max"}
# A change of the forwarding of IPv4 sets this key to the opposite (net/ipv4/devinet.c, inet_forward_change).
REDIRECTS = "net.ipv4.conf.all.accept_redirects"
# Each of the two port keys rejects a value that would overlap the other one's (net/ipv4/sysctl_net_ipv4.c).
FIRST_PORT, PORT_RANGE = "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_port_range"


def exclusive_with(key: str) -> t.Optional[str]:
    """The key that cannot be in force together with this one, or None."""
    return EXCLUSIVE.get(key)


def alias_of(key: str) -> t.Optional[str]:
    """The other name of the same value, or None."""
    for alias, stored in ALIASES.items():
        if key in (alias, stored):
            return stored if key == alias else alias
    return None


def _is_forwarding(key: str) -> bool:
    return key == FORWARDING or ALIASES.get(key) == FORWARDING


def _conf_segments(key: str) -> t.List[str]:
    """The segments of a key below net.ipv4.conf or net.ipv6.conf, or none."""
    segments = key.split(".")
    return segments if len(segments) == 5 and segments[0] == "net" and segments[2] == "conf" else []


def side_effects_of(key: str) -> t.List[str]:
    """Keys, and patterns of keys, that the kernel may change by itself when this one changes."""
    if _is_forwarding(key):
        return ["net.ipv4.ip_forward", FORWARDING, "net.ipv4.conf.*.forwarding", REDIRECTS]
    if key in EXCLUSIVE:
        return [EXCLUSIVE[key]]
    segments = _conf_segments(key)
    # net/ipv4/devinet.c, devinet_copy_dflt_conf; net/ipv6/addrconf.c, addrconf_fixup_forwarding and its neighbours.
    if segments and (segments[3] == "default" or segments[1:4:2] == ["ipv6", "all"]):
        return [".".join(segments[:3] + ["*"] + segments[4:])]
    return []


def writing_order(key: str) -> int:
    """Keys with a smaller number are written first, so that no later write undoes an earlier one."""
    if _is_forwarding(key):
        return 0
    segments = _conf_segments(key)
    return {"all": 1, "default": 2}.get(segments[3], 3) if segments else 3


def write_order(keys: t.Iterable[str], port_start_decreases: bool) -> t.List[str]:
    """Keys in an order in which no write undoes an earlier one, and no write is rejected because of a later one.

    :param port_start_decreases: whether net.ipv4.ip_unprivileged_port_start decreases. It is then written before the port range,
        otherwise after it.
    """
    ordered = sorted(keys, key=writing_order)
    indexes = [index for index, key in enumerate(ordered) if key in (FIRST_PORT, PORT_RANGE)]
    if len(indexes) == 2:
        pair = (FIRST_PORT, PORT_RANGE) if port_start_decreases else (PORT_RANGE, FIRST_PORT)
        ordered[indexes[0]], ordered[indexes[1]] = pair
    return ordered
