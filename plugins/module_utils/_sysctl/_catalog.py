# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about kernel parameters. Private: not for use outside of ``tunefleet.linux``.

No key has to be in here: an unknown one is judged by what /proc/sys shows. What the catalog adds is the range that the kernel
checks (and a sane one where it checks nothing), why a key is absent, and which value is the kernel's own default. Sources are
the kernel's Documentation/networking/ip-sysctl.rst and Documentation/admin-guide/sysctl/{fs,kernel,net,vm}.rst, the handlers in
net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c and kernel/sysctl.c, and measurements on Linux 6.1, 6.12 and 6.18.
"""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl._values import INTEGERS, PORTS, TEXT, WORDS, Shape

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

    ``removed`` and ``no_effect`` name the first kernel version without the key, or with one that nothing reads. ``defaults``
    lists values that kernels use on their own, each with the first version that does. ``computed`` tells whether a value is
    the one that the kernel computed at boot, for keys where it does so.
    """

    shape: Shape = Shape(TEXT)
    unit: str = ""
    scope: str = GLOBAL
    defaults: t.Tuple[t.Tuple[Version, str], ...] = ()
    computed: t.Optional[t.Callable[[str, "Machine"], bool]] = None
    removed: t.Optional[Version] = None
    no_effect: t.Optional[Version] = None
    note: str = ""


def _checked(low: t.Optional[int], high: t.Optional[int], length: int = 1) -> Shape:
    """Integers whose range the kernel checks; a write outside of it gives EINVAL."""
    return Shape(INTEGERS, length, low, high, True)


def _sane(low: int, high: int, length: int = 1) -> Shape:
    """Integers that the kernel stores unchecked; outside of this range they do harm."""
    return Shape(INTEGERS, length, low, high, False)


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


_U8 = _checked(0, 255)
_SECONDS = _sane(1, _JIFFIES_MAX)

_PARAMETERS: t.Dict[str, Parameter] = {
    "fs.file-max": Parameter(
        _checked(0, LONG_MAX),
        "open files, whole system",
        GLOBAL,
        _default(str(LONG_MAX)),
        _tenth_of_memory,
        note="systemd 240 and newer set it to the largest number at boot",
    ),
    "fs.inode-max": Parameter(_checked(0, INT_MAX), "inodes", removed=(2, 4), note="inodes are allocated as needed"),
    "fs.nr_open": Parameter(
        _checked(64, 2147483584),
        "open files per process",
        GLOBAL,
        _default("1048576") + _default("1073741816"),
        note="ceiling of every nofile limit",
    ),
    "fs.pipe-max-size": Parameter(
        _checked(4096, 2147483648), "bytes", GLOBAL, _default("1048576"), note="kept as a power of two of pages"
    ),
    "kernel.pid_max": Parameter(_checked(301, 4194304), "process ids", GLOBAL, _default("4194304")),
    "kernel.threads-max": Parameter(_checked(1, 1073741823), "threads"),
    "net.core.default_qdisc": Parameter(Shape(TEXT), "name", INIT_NETNS),
    "net.core.netdev_budget": Parameter(_sane(1, INT_MAX), "packets per poll cycle", INIT_NETNS, _default("300")),
    "net.core.netdev_max_backlog": Parameter(
        _sane(1, INT_MAX), "packets per CPU", INIT_NETNS, _default("1000"), note="0 stops the input queue"
    ),
    "net.core.optmem_max": Parameter(
        _checked(0, INT_MAX), "bytes per socket", NETNS, _default("20480") + _default("131072", 6, 7)
    ),
    "net.core.rmem_default": Parameter(_sane(2304, INT_MAX), "bytes", NETNS_READ_ONLY, _default("212992")),
    "net.core.rmem_max": Parameter(
        _sane(2304, INT_MAX), "bytes", NETNS_READ_ONLY, _default("212992") + _default("4194304", 6, 18)
    ),
    "net.core.rps_sock_flow_entries": Parameter(
        _checked(0, 536870912), "entries", INIT_NETNS, _default("0"), note="kept as a power of two"
    ),
    "net.core.somaxconn": Parameter(
        _checked(0, INT_MAX),
        "connections",
        NETNS,
        _default("128") + _default("4096", 5, 4),
        note="read by listen(2): a listener that is already there keeps its old bound",
    ),
    "net.core.wmem_default": Parameter(_sane(4608, INT_MAX), "bytes", NETNS_READ_ONLY, _default("212992")),
    "net.core.wmem_max": Parameter(
        _sane(4608, INT_MAX), "bytes", NETNS_READ_ONLY, _default("212992") + _default("4194304", 6, 18)
    ),
    "net.ipv4.conf.*.accept_redirects": Parameter(_sane(0, 1), "flag", NETNS),
    "net.ipv4.conf.*.rp_filter": Parameter(_sane(0, 2), "mode", NETNS),
    "net.ipv4.icmp_echo_ignore_broadcasts": Parameter(_checked(0, 1), "flag", NETNS, _default("1")),
    "net.ipv4.icmp_ratelimit": Parameter(
        _checked(0, None), "milliseconds", NETNS, _default("1000"), note="kept in steps of 1000/HZ milliseconds"
    ),
    "net.ipv4.ip_forward": Parameter(
        _sane(0, 1),
        "flag",
        NETNS,
        note="a change rewrites net.ipv4.conf.*.forwarding and net.ipv4.conf.all.accept_redirects",
    ),
    "net.ipv4.ip_local_port_range": Parameter(_checked(1, 65535, 2), "ports", NETNS, _default("32768 60999", 4, 2)),
    "net.ipv4.ip_local_reserved_ports": Parameter(Shape(PORTS), "ports", NETNS, _default("")),
    "net.ipv4.ip_unprivileged_port_start": Parameter(
        _checked(0, 65535), "port", NETNS, _default("1024"), note="it must not lie above net.ipv4.ip_local_port_range"
    ),
    "net.ipv4.neigh.default.gc_thresh1": Parameter(_checked(0, INT_MAX), "entries", INIT_NETNS, _default("128")),
    "net.ipv4.neigh.default.gc_thresh2": Parameter(_checked(0, INT_MAX), "entries", INIT_NETNS, _default("512")),
    "net.ipv4.neigh.default.gc_thresh3": Parameter(_checked(0, INT_MAX), "entries", INIT_NETNS, _default("1024")),
    "net.ipv4.tcp_abort_on_overflow": Parameter(_U8, "flag", NETNS, _default("0")),
    "net.ipv4.tcp_allowed_congestion_control": Parameter(Shape(WORDS), "names", NETNS_READ_ONLY),
    "net.ipv4.tcp_congestion_control": Parameter(Shape(TEXT), "name", NETNS),
    "net.ipv4.tcp_dsack": Parameter(_U8, "flag", NETNS, _default("1")),
    # No upper bound of our own: kernels with AccECN take values above 2.
    "net.ipv4.tcp_ecn": Parameter(_checked(0, None), "mode", NETNS, _default("2")),
    "net.ipv4.tcp_fack": Parameter(_U8, "flag", NETNS, no_effect=(4, 15), note="RACK took its place"),
    "net.ipv4.tcp_fastopen": Parameter(_sane(0, INT_MAX), "bit mask", NETNS, _default("1")),
    "net.ipv4.tcp_fin_timeout": Parameter(
        _SECONDS, "seconds", NETNS, _default("60"), note="governs FIN-WAIT-2 of orphaned sockets, not TIME-WAIT"
    ),
    "net.ipv4.tcp_keepalive_intvl": Parameter(_SECONDS, "seconds", NETNS, _default("75")),
    "net.ipv4.tcp_keepalive_probes": Parameter(_U8, "probes", NETNS, _default("9")),
    "net.ipv4.tcp_keepalive_time": Parameter(_SECONDS, "seconds", NETNS, _default("7200")),
    "net.ipv4.tcp_low_latency": Parameter(_sane(0, 1), "flag", INIT_NETNS, no_effect=(4, 14)),
    "net.ipv4.tcp_max_orphans": Parameter(_sane(1, INT_MAX), "sockets", INIT_NETNS, computed=_half_of_hash),
    "net.ipv4.tcp_max_syn_backlog": Parameter(
        _sane(1, INT_MAX),
        "connections per listener",
        NETNS,
        computed=_hash_by_128,
        note="used only while net.ipv4.tcp_syncookies is 0; otherwise the listener's backlog decides",
    ),
    "net.ipv4.tcp_max_tw_buckets": Parameter(
        _sane(1, INT_MAX),
        "sockets",
        NETNS,
        computed=_half_of_hash,
        note="above it a socket is closed with no TIME-WAIT at all",
    ),
    "net.ipv4.tcp_mem": Parameter(_sane(1, LONG_MAX, 3), "pages", INIT_NETNS),
    "net.ipv4.tcp_migrate_req": Parameter(_checked(0, 1), "flag", NETNS, _default("0")),
    "net.ipv4.tcp_mtu_probing": Parameter(_U8, "mode", NETNS, _default("0")),
    "net.ipv4.tcp_no_metrics_save": Parameter(_U8, "flag", NETNS, _default("0")),
    "net.ipv4.tcp_notsent_lowat": Parameter(_checked(0, 4294967295), "bytes", NETNS, _default("4294967295")),
    "net.ipv4.tcp_orphan_retries": Parameter(
        _U8, "retransmits", NETNS, _default("0"), note="0 means 8 for a live peer"
    ),
    "net.ipv4.tcp_retries1": Parameter(_U8, "retransmits", NETNS, _default("3")),
    "net.ipv4.tcp_retries2": Parameter(_U8, "retransmits", NETNS, _default("15")),
    "net.ipv4.tcp_rfc1337": Parameter(_U8, "flag", NETNS, _default("0")),
    "net.ipv4.tcp_rmem": Parameter(
        _checked(1, INT_MAX, 3),
        "bytes: least, initial, largest",
        NETNS,
        _default("4096 87380 6291456")
        + _default("4096 131072 6291456", 4, 20)
        + _default("4096 131072 33554432", 6, 18),
        _receive_buffers,
    ),
    "net.ipv4.tcp_rto_max_ms": Parameter(_checked(1000, 120000), "milliseconds", NETNS, _default("120000")),
    "net.ipv4.tcp_rto_min_us": Parameter(_checked(1, INT_MAX), "microseconds", NETNS, _default("200000")),
    "net.ipv4.tcp_sack": Parameter(_U8, "flag", NETNS, _default("1")),
    "net.ipv4.tcp_slow_start_after_idle": Parameter(_U8, "flag", NETNS, _default("1")),
    "net.ipv4.tcp_stdurg": Parameter(_U8, "flag", NETNS, _default("0")),
    "net.ipv4.tcp_syn_linear_timeouts": Parameter(_checked(0, 127), "timeouts", NETNS, _default("4")),
    "net.ipv4.tcp_syn_retries": Parameter(_checked(1, 127), "retransmits", NETNS, _default("6")),
    "net.ipv4.tcp_synack_retries": Parameter(_U8, "retransmits", NETNS, _default("5")),
    "net.ipv4.tcp_syncookies": Parameter(_U8, "mode", NETNS, _default("1")),
    "net.ipv4.tcp_timestamps": Parameter(_U8, "mode", NETNS, _default("1")),
    "net.ipv4.tcp_tw_recycle": Parameter(
        _checked(0, 1), "flag", NETNS, removed=(4, 12), note="it broke clients behind one translated address"
    ),
    "net.ipv4.tcp_tw_reuse": Parameter(_checked(0, 2), "mode", NETNS, _default("0") + _default("2", 4, 19)),
    "net.ipv4.tcp_tw_reuse_delay": Parameter(_checked(1, 60000), "milliseconds", NETNS, _default("1000")),
    "net.ipv4.tcp_window_scaling": Parameter(_U8, "flag", NETNS, _default("1")),
    "net.ipv4.tcp_wmem": Parameter(
        _checked(1, INT_MAX, 3), "bytes: least, initial, largest", NETNS, _default("4096 16384 4194304")
    ),
    "net.netfilter.nf_conntrack_max": Parameter(_checked(0, INT_MAX), "entries", NETNS_READ_ONLY),
    "vm.dirty_background_bytes": Parameter(_checked(1, LONG_MAX), "bytes"),
    "vm.dirty_background_ratio": Parameter(_checked(0, 100), "percent", GLOBAL, _default("10")),
    "vm.dirty_bytes": Parameter(_checked(8192, LONG_MAX), "bytes"),
    "vm.dirty_ratio": Parameter(_checked(0, 100), "percent", GLOBAL, _default("20")),
    "vm.max_map_count": Parameter(_sane(1, INT_MAX), "mappings per process", GLOBAL, _default("65530")),
    "vm.min_free_kbytes": Parameter(_sane(128, INT_MAX), "KiB"),
    "vm.overcommit_memory": Parameter(_checked(0, 2), "mode", GLOBAL, _default("0")),
    "vm.swappiness": Parameter(_checked(0, 200), "relative cost", GLOBAL, _default("60")),
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


def find(key: str) -> t.Optional[Parameter]:
    """The facts about a canonical key, or None. Keys of one interface share an entry."""
    exact = _PARAMETERS.get(key)
    if exact is not None:
        return exact
    segments = key.split(".")
    if len(segments) == 5:
        return _PARAMETERS.get(".".join(segments[:3] + ["*"] + segments[4:]))
    return None


def names() -> t.List[str]:
    """Every key of the catalog that is not a pattern."""
    return [key for key in _PARAMETERS if not _names.is_pattern(key)]


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
