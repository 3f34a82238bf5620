# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import names as sysctl_names
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import values as sysctl_values

INT_MAX = 2147483647
LONG_MAX = 9223372036854775807


@pytest.mark.parametrize(
    ("key", "length", "low", "high", "checked"),
    [
        # The kernel answers EINVAL outside of these; measured on 6.18.
        ("fs.file-max", 1, 0, LONG_MAX, True),
        ("fs.nr_open", 1, 64, 2147483584, True),
        ("fs.pipe-max-size", 1, 4096, 2147483648, True),
        ("kernel.pid_max", 1, 301, 4194304, True),
        ("kernel.threads-max", 1, 1, 1073741823, True),
        ("net.core.somaxconn", 1, 0, INT_MAX, True),
        ("net.core.optmem_max", 1, 0, INT_MAX, True),
        ("net.ipv4.icmp_echo_ignore_broadcasts", 1, 0, 1, True),
        ("net.ipv4.ip_local_port_range", 2, 1, 65535, True),
        ("net.ipv4.tcp_ecn", 1, 0, None, True),
        ("net.ipv4.tcp_keepalive_probes", 1, 0, 255, True),
        ("net.ipv4.tcp_notsent_lowat", 1, 0, 4294967295, True),
        ("net.ipv4.tcp_rmem", 3, 1, INT_MAX, True),
        ("net.ipv4.tcp_wmem", 3, 1, INT_MAX, True),
        ("net.ipv4.tcp_syn_retries", 1, 1, 127, True),
        ("net.ipv4.tcp_rto_max_ms", 1, 1000, 120000, True),
        ("net.ipv4.tcp_timestamps", 1, 0, 255, True),
        ("net.ipv4.tcp_tw_reuse", 1, 0, 2, True),
        ("vm.dirty_bytes", 1, 8192, LONG_MAX, True),
        ("vm.dirty_ratio", 1, 0, 100, True),
        ("vm.overcommit_memory", 1, 0, 2, True),
        ("vm.swappiness", 1, 0, 200, True),
        ("fs.inode-max", 1, 0, INT_MAX, True),
        ("net.core.rps_sock_flow_entries", 1, 0, 536870912, True),
        ("net.ipv4.icmp_ratelimit", 1, 0, None, True),
        ("net.ipv4.neigh.default.gc_thresh1", 1, 0, INT_MAX, True),
        ("net.ipv4.neigh.default.gc_thresh2", 1, 0, INT_MAX, True),
        ("net.ipv4.neigh.default.gc_thresh3", 1, 0, INT_MAX, True),
        ("net.ipv4.tcp_abort_on_overflow", 1, 0, 255, True),
        ("net.ipv4.tcp_dsack", 1, 0, 255, True),
        ("net.ipv4.tcp_fack", 1, 0, 255, True),
        ("net.ipv4.tcp_migrate_req", 1, 0, 1, True),
        ("net.ipv4.tcp_mtu_probing", 1, 0, 255, True),
        ("net.ipv4.tcp_no_metrics_save", 1, 0, 255, True),
        ("net.ipv4.tcp_orphan_retries", 1, 0, 255, True),
        ("net.ipv4.tcp_retries1", 1, 0, 255, True),
        ("net.ipv4.tcp_retries2", 1, 0, 255, True),
        ("net.ipv4.tcp_rfc1337", 1, 0, 255, True),
        ("net.ipv4.tcp_rto_min_us", 1, 1, INT_MAX, True),
        ("net.ipv4.tcp_sack", 1, 0, 255, True),
        ("net.ipv4.tcp_slow_start_after_idle", 1, 0, 255, True),
        ("net.ipv4.tcp_stdurg", 1, 0, 255, True),
        ("net.ipv4.tcp_syn_linear_timeouts", 1, 0, 127, True),
        ("net.ipv4.tcp_synack_retries", 1, 0, 255, True),
        ("net.ipv4.tcp_syncookies", 1, 0, 255, True),
        ("net.ipv4.tcp_tw_recycle", 1, 0, 1, True),
        ("net.ipv4.tcp_tw_reuse_delay", 1, 1, 60000, True),
        ("net.ipv4.tcp_window_scaling", 1, 0, 255, True),
        ("net.netfilter.nf_conntrack_max", 1, 0, INT_MAX, True),
        ("vm.dirty_background_bytes", 1, 1, LONG_MAX, True),
        ("vm.dirty_background_ratio", 1, 0, 100, True),
        # The kernel stores anything here, also what does harm.
        ("net.core.netdev_budget", 1, 1, INT_MAX, False),
        ("net.core.rmem_default", 1, 2304, INT_MAX, False),
        ("net.core.rmem_max", 1, 2304, INT_MAX, False),
        ("net.core.wmem_default", 1, 4608, INT_MAX, False),
        ("net.core.wmem_max", 1, 4608, INT_MAX, False),
        ("net.ipv4.conf.*.accept_redirects", 1, 0, 1, False),
        ("net.ipv4.tcp_fastopen", 1, 0, INT_MAX, False),
        ("net.ipv4.tcp_keepalive_intvl", 1, 1, 21474836, False),
        ("net.ipv4.tcp_low_latency", 1, 0, 1, False),
        ("net.ipv4.tcp_max_orphans", 1, 1, INT_MAX, False),
        ("vm.max_map_count", 1, 1, INT_MAX, False),
        ("vm.min_free_kbytes", 1, 128, INT_MAX, False),
        ("net.core.netdev_max_backlog", 1, 1, INT_MAX, False),
        ("net.ipv4.conf.*.rp_filter", 1, 0, 2, False),
        ("net.ipv4.ip_forward", 1, 0, 1, False),
        ("net.ipv4.tcp_fin_timeout", 1, 1, 21474836, False),
        ("net.ipv4.tcp_keepalive_time", 1, 1, 21474836, False),
        ("net.ipv4.tcp_max_tw_buckets", 1, 1, INT_MAX, False),
        ("net.ipv4.tcp_max_syn_backlog", 1, 1, INT_MAX, False),
        ("net.ipv4.tcp_mem", 3, 1, LONG_MAX, False),
    ],
)
def test_range(key, length, low, high, checked):
    shape = catalog.find(key).shape._replace(rounds_to=None, interval=False, ascending=False)
    assert shape == shapes.Shape(shapes.INTEGERS, length, low, high, checked)


def test_the_one_interval():
    assert [key for key, facts in catalog.PARAMETERS.items() if facts.shape.interval] == [
        "net.ipv4.ip_local_port_range"
    ]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("net.ipv4.ip_local_reserved_ports", shapes.PORTS),
        ("net.ipv4.tcp_allowed_congestion_control", shapes.WORDS),
        ("net.ipv4.tcp_congestion_control", shapes.TEXT),
        ("net.core.default_qdisc", shapes.TEXT),
        ("fs.inode-max", shapes.INTEGERS),
    ],
)
def test_kind(key, kind):
    assert catalog.find(key).shape.kind == kind


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        ("net.core.somaxconn", catalog.NETNS),
        ("net.ipv4.tcp_rmem", catalog.NETNS),
        ("net.core.rmem_max", catalog.NETNS_READ_ONLY),
        ("net.core.wmem_default", catalog.NETNS_READ_ONLY),
        ("net.netfilter.nf_conntrack_max", catalog.NETNS_READ_ONLY),
        ("net.ipv4.tcp_allowed_congestion_control", catalog.NETNS_READ_ONLY),
        ("net.core.netdev_max_backlog", catalog.INIT_NETNS),
        ("net.core.default_qdisc", catalog.INIT_NETNS),
        ("net.ipv4.tcp_mem", catalog.INIT_NETNS),
        ("net.ipv4.tcp_max_orphans", catalog.INIT_NETNS),
        ("net.ipv4.neigh.default.gc_thresh3", catalog.INIT_NETNS),
        ("fs.file-max", catalog.GLOBAL),
        ("vm.swappiness", catalog.GLOBAL),
    ],
)
def test_scope(key, scope):
    assert catalog.find(key).scope == scope


@pytest.mark.parametrize(
    ("key", "removed", "no_effect"),
    [
        ("net.ipv4.tcp_tw_recycle", (4, 12), None),
        ("fs.inode-max", (2, 4), None),
        ("net.ipv4.tcp_fack", None, (4, 15)),
        ("net.ipv4.tcp_low_latency", None, (4, 14)),
        ("net.ipv4.tcp_sack", None, None),
    ],
)
def test_end_of_life(key, removed, no_effect):
    facts = catalog.find(key)
    assert (facts.removed, facts.no_effect) == (removed, no_effect)


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.*.rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.*.rp_filter"),
        ("net.ipv4.neigh.default.gc_thresh1", "net.ipv4.neigh.default.gc_thresh1"),
        ("net.ipv4.neigh.eth0.gc_thresh1", None),
        ("net.ipv4.conf.rp_filter", None),
        ("no.such", None),
    ],
)
def test_find(key, entry):
    assert catalog.find(key) == (catalog.find(entry) if entry else None)
    assert entry is None or catalog.find(key) is not None


def test_names_are_canonical_keys():
    names = catalog.names()
    assert "net.core.somaxconn" in names
    assert len(names) > 60
    assert [sysctl_names.canonical(name) for name in names] == names


@pytest.mark.parametrize(
    ("key", "module"),
    [
        ("net.netfilter.nf_conntrack_max", "nf_conntrack"),
        ("net.nf_conntrack_max", "nf_conntrack"),
        ("net.bridge.bridge-nf-call-iptables", "br_netfilter"),
        ("net.ipv4.vs.conntrack", "ip_vs"),
        ("fs.nfs.nlm_tcpport", "lockd"),
        ("fs.nfs.nfs_mountpoint_timeout", "nfs"),
        ("net.core.somaxconn", None),
    ],
)
def test_module_of(key, module):
    assert catalog.module_of(key) == module


NEW = catalog.Machine((6, 18), 262144, 24661832)
OLD = catalog.Machine((4, 9), 262144, 4000000)
BARE = catalog.Machine((6, 18))


@pytest.mark.parametrize(
    ("key", "text", "machine", "expected"),
    [
        pytest.param("net.core.somaxconn", "4096", NEW, True, id="default"),
        pytest.param("net.core.somaxconn", "128", NEW, True, id="default of an older kernel"),
        pytest.param("net.core.somaxconn", "128", OLD, True, id="old default on an old kernel"),
        pytest.param("net.core.somaxconn", "4096", OLD, False, id="not yet the default"),
        pytest.param("net.core.somaxconn", "16384", NEW, False, id="raised"),
        pytest.param("no.such", "1", NEW, False, id="unknown key"),
        pytest.param("net.ipv4.tcp_max_tw_buckets", "131072", NEW, True, id="half of the hash table"),
        pytest.param("net.ipv4.tcp_max_tw_buckets", "131073", NEW, False, id="not half of the hash table"),
        pytest.param("net.ipv4.tcp_max_tw_buckets", "131072", BARE, False, id="hash table unknown"),
        pytest.param("net.ipv4.tcp_max_syn_backlog", "2048", NEW, True, id="hash table by 128"),
        pytest.param("net.ipv4.tcp_max_syn_backlog", "128", catalog.Machine((6, 1), 1024), True, id="128 at the least"),
        pytest.param("fs.file-max", str(LONG_MAX), NEW, True, id="set by systemd"),
        pytest.param("fs.file-max", "2466183", NEW, True, id="a tenth of the memory"),
        pytest.param("fs.file-max", "2000000", NEW, True, id="a tenth of what was free at boot"),
        pytest.param("fs.file-max", "1900000", NEW, False, id="below what was free at boot"),
        pytest.param("fs.file-max", "2500000", NEW, False, id="above a tenth of the memory"),
        pytest.param("fs.file-max", "2466183", BARE, False, id="memory unknown"),
        pytest.param("net.ipv4.tcp_rmem", "4096 131072 33554432", NEW, True, id="vector"),
        pytest.param("net.ipv4.tcp_rmem", "4096 131072 33554432", OLD, False, id="vector of a newer kernel"),
        pytest.param(
            "net.ipv4.tcp_rmem", "4096 131072 3900000", catalog.Machine((6, 1), None, 500000), True, id="small memory"
        ),
        pytest.param(
            "net.ipv4.tcp_rmem", "4096 131072 9900000", catalog.Machine((6, 1), None, 500000), False, id="raised vector"
        ),
        pytest.param(
            "net.ipv4.tcp_rmem",
            "8192 131072 3900000",
            catalog.Machine((6, 1), None, 500000),
            False,
            id="raised minimum",
        ),
        pytest.param("net.ipv4.ip_local_port_range", "32768 60999", NEW, True, id="port range"),
        pytest.param("net.ipv4.tcp_rmem", "4096 131072 6291456", catalog.Machine((4, 20)), True, id="just the default"),
        pytest.param(
            "net.ipv4.tcp_rmem", "4096 131072 6291456", catalog.Machine((4, 19)), False, id="just not the default"
        ),
        pytest.param("net.ipv4.tcp_rmem", "4096 131072 x", NEW, False, id="vector with a word"),
        pytest.param("net.ipv4.ip_local_reserved_ports", "", NEW, True, id="empty"),
    ],
)
def test_is_kernel_default(key, text, machine, expected):
    assert catalog.is_kernel_default(catalog.find(key), text, machine) is expected


@pytest.mark.parametrize("key", catalog.names())
def test_every_default_lies_within_its_range(key):
    facts = catalog.find(key)
    for _since, text in facts.defaults:
        assert sysctl_values.equivalent(text, text, facts.shape)
        if facts.shape.kind == shapes.INTEGERS:
            numbers = text.split()
            assert len(numbers) == facts.shape.length
            for number in numbers:
                assert facts.shape.low is None or sysctl_values.satisfies(
                    "at_least", number, str(facts.shape.low), shapes.Shape(shapes.INTEGERS)
                )
                assert facts.shape.high is None or sysctl_values.satisfies(
                    "at_least", str(facts.shape.high), number, shapes.Shape(shapes.INTEGERS)
                )


@pytest.mark.parametrize(
    ("key", "pairs"),
    [
        # Measured on Linux 6.18 with 250 ticks a second, and computed for the other rates.
        (
            "net.ipv4.icmp_ratelimit",
            [(0, 0), (1, 4), (5, 8), (501, 504), (1001, 1004), (1, 10), (1, 1), (30001, 30004)],
        ),
        ("net.core.rps_sock_flow_entries", [(0, 0), (1, 1), (100, 128), (128, 128), (32769, 65536)]),
        ("fs.pipe-max-size", [(0, 4096), (4097, 8192), (5000, 8192), (65536, 65536), (1, 65536)]),
        ("net.netfilter.nf_conntrack_buckets", [(1, 512), (1000, 1024), (70000, 70144)]),
    ],
)
def test_rounding(key, pairs):
    shape = catalog.find(key).shape
    for desired, kept in pairs:
        assert kept in shape.rounds_to(desired), (desired, kept)
        assert desired + 100000 not in shape.rounds_to(desired)


@pytest.mark.parametrize(
    ("key", "along"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"),
        ("net.ipv4.conf.all.forwarding", "net.ipv4.conf.*.forwarding"),
        ("net.ipv4.conf.default.rp_filter", "net.ipv4.conf.*.rp_filter"),
        ("net.ipv6.conf.all.disable_ipv6", "net.ipv6.conf.*.disable_ipv6"),
        ("vm.dirty_ratio", "vm.dirty_bytes"),
        ("vm.dirty_bytes", "vm.dirty_ratio"),
    ],
)
def test_rewritten_with(key, along):
    assert along in catalog.side_effects_of(key)


@pytest.mark.parametrize("key", ["net.core.somaxconn", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0.rp_filter"])
def test_nothing_else_is_rewritten(key):
    assert catalog.side_effects_of(key) == []


def test_every_parameter_says_what_it_does():
    for key, facts in catalog.PARAMETERS.items():
        assert facts.about.endswith(".") and facts.about[0].isupper(), key


@pytest.mark.parametrize(
    ("key", "text", "spelled"),
    [
        ("net.ipv4.tcp_fastopen_key", "1-2-3-aB", "00000001-00000002-00000003-000000ab"),
        (
            "net.ipv4.tcp_fastopen_key",
            "0-0-0-0,1-1-1-1",
            ",".join(["-".join(["00000000"] * 4), "-".join(["00000001"] * 4)]),
        ),
        ("net.ipv6.conf.v0.stable_secret", "2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001"),
        ("net.core.rps_default_mask", "0F", "f"),
        ("net.core.rps_default_mask", "00000000,00000003", "3"),
        ("net.core.rps_default_mask", "1,00000003", "1,00000003"),
        ("net.core.flow_limit_cpu_bitmap", "000", "0"),
        ("net.ipv4.ping_group_range", "0 2147483647", "0 2147483647"),
        ("net.ipv4.ping_group_range", "5 1", "1 0"),
        ("kernel.watchdog_cpumask", "0,1,2", "0-2"),
        ("net.ipv6.icmp.ratemask", "3-127,0,1", "0-1,3-127"),
    ],
)
def test_the_kernels_own_spelling(key, text, spelled):
    shape = catalog.find(key).shape
    assert sysctl_values.parse(text, shape) == spelled
    assert sysctl_values.equivalent(text, spelled, shape)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("net.ipv4.tcp_fastopen_key", "1-2-3"),
        ("net.ipv4.tcp_fastopen_key", "1-2-3-4,"),
        ("net.ipv4.tcp_fastopen_key", "123456789-2-3-4"),
        ("net.ipv6.conf.v0.stable_secret", "2001::db8::1"),
        ("net.ipv6.conf.v0.stable_secret", "fe80::1%v0"),
        ("net.ipv6.conf.v0.stable_secret", "192.0.2.1"),
        ("net.core.rps_default_mask", "g"),
        ("net.core.rps_default_mask", "1,,2"),
        ("net.ipv4.ping_group_range", "1 -1"),
        ("net.ipv6.icmp.ratemask", "256"),
    ],
)
def test_a_form_that_the_kernel_refuses(key, text):
    with pytest.raises(_errors.ValueProblem):
        sysctl_values.parse(text, catalog.find(key).shape)


@pytest.mark.parametrize(
    ("desired", "kept"), [(1, {0, 1}), (7, {6, 7}), (100, {100}), (501, {500, 501}), (30001, {30000, 30001})]
)
def test_hundredths_of_a_second_are_kept_in_ticks(desired, kept):
    """Seen with a clock of 250 ticks a second: 1 gives 0, 7 gives 6, 501 gives 500, 30001 gives 30000."""
    assert catalog.find("net.ipv4.neigh.v0.locktime").shape.rounds_to(desired) == kept


@pytest.mark.parametrize(
    ("key", "shape", "text"),
    [
        ("net.ipv4.tcp_syn_retries", shapes.Shape("text"), "1 .. 127 retransmits"),
        ("net.ipv4.tcp_ecn", shapes.Shape("text"), "0 or more mode"),
        ("net.ipv4.ip_local_reserved_ports", shapes.Shape("text"), "ports"),
        ("net.ipv4.tcp_congestion_control", shapes.Shape("text"), "name"),
        ("net.ipv4.nosuch", shapes.Shape(shapes.INTEGERS, 1), "whole numbers, within bounds of the kernel's own"),
        ("net.ipv4.nosuch", shapes.Shape("text"), "one line of text"),
    ],
)
def test_what_is_legal(key, shape, text):
    assert catalog.legal(key, shape) == text
