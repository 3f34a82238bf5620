# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each rule: what makes it speak, and the nearest thing that must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.tunefleet.linux.plugins.module_utils._network import advice as advice_catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._network import netlink, procfs, snapshot
from ansible_collections.tunefleet.linux.plugins.module_utils._network import rules as advice_rules

SETTINGS = {
    "fs.file-max": "1000000",
    "net.core.netdev_budget": "300",
    "net.core.netdev_max_backlog": "1000",
    "net.core.rmem_default": "212992",
    "net.core.rmem_max": "212992",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_max_orphans": "131072",
    "net.ipv4.tcp_max_syn_backlog": "2048",
    "net.ipv4.tcp_max_tw_buckets": "131072",
    "net.ipv4.tcp_mem": "100 200 300",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.netfilter.nf_conntrack_max": "262144",
}


def listener(port=80, length=0, limit=128, drops=0, inode=11, half_open=0, address="0.0.0.0"):
    return netlink.Listener("ipv4", address, port, length, limit, drops, 0, inode, half_open)


def sockets(listeners=(), uses=(), syn_received=0):
    states = {"ipv4": [0] * 16, "ipv6": [0] * 16}
    states["ipv4"][3] = syn_received
    return snapshot.Sockets("sock_diag", states, list(listeners), list(uses))


def reading(at=10.0, settings=None, **fields):
    whole = {
        "sockets": sockets(),
        "sockstat": {"tcp": {"orphan": 0, "tw": 5, "mem": 4}},
        "counters": {},
        "softnet": [],
        "conntrack": None,
        "files": (1000, 1000000),
        "unseen": [],
    }
    whole.update(fields)
    return snapshot.Snapshot(at=at, settings=dict(SETTINGS, **(settings or {})), **whole)


def advise(before=None, after=None, owners=None, settings=None):
    """What is said of ten seconds that began and ended like this."""
    change = advice_rules.Change(
        reading(10.0, settings, **(before or {})), reading(20.0, settings, **(after or {})), owners or {}
    )
    found = advice_rules.advise(change)
    for one in found:
        suggested = {setting.key for setting in one.settings if setting.suggested}
        assert tuple(setting.key for setting in one.settings) == one.kind.settings
        assert suggested <= set(one.kind.helping) and (one.kernel_helps or not suggested), one
    return found


def only(found):
    assert len(found) == 1, [one.kind.id for one in found]
    return found[0]


def counted(**counters):
    return {"counters": counters}


def from_zero(**counters):
    return counted(**dict.fromkeys(counters, 0)), counted(**counters)


# -- growth of counters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (3, 10, 7),
        (2**32 - 5, 6, 11),
        (2**64 - 5, 6, 11),
        (100, 4, 0),  # set back: nothing can be said
        (2**40, 5, 0),
        (None, 5, 0),
        (5, None, 0),
    ],
)
def test_growth(before, after, count):
    assert advice_rules.grown(before, after) == count


@given(st.sampled_from([32, 64]), st.integers(0, 2**64 - 1), st.integers(0, 2**30 - 1))
def test_growth_across_the_end_of_a_counter(bits, before, count):
    before %= 1 << bits
    assert advice_rules.grown(before, (before + count) % (1 << bits)) == count


# -- listen queues --------------------------------------------------------------------------------------------------------


def overflowing(after, before=None, overflows=42, **more):
    first, last = from_zero(ListenOverflows=overflows, ListenDrops=overflows)
    first["sockets"] = sockets([before] if before else [])
    last["sockets"] = sockets([after])
    return advise(first, last, **more)


def test_a_backlog_of_the_programs_own():
    owner = advice_rules.Owner("812", "nginx", 20, 1024)
    found = only(overflowing(listener(length=129, drops=142), listener(drops=100), owners={11: [owner]}))
    assert found.kind is advice_catalog.ACCEPT_QUEUE_BACKLOG
    assert (found.severity, found.kernel_helps) == ("loss", False)
    assert found.subject == "0.0.0.0:80 nginx (process 812)"
    assert found.evidence == "42 attempts to connect dropped in 10.0 s (4.2/s); 129 wait for accept(), limit 128"
    assert list(found.settings) == [advice_rules.Setting("net.core.somaxconn", "4096")]


@pytest.mark.parametrize(
    ("somaxconn", "suggested", "profile"),
    [("4096", "8192", "web_server"), ("128", "8192", "web_server"), ("8192", "16384", None)],
)
def test_a_backlog_that_somaxconn_caps(somaxconn, suggested, profile):
    settings = {"net.core.somaxconn": somaxconn}
    found = only(overflowing(listener(limit=int(somaxconn), drops=42), settings=settings))
    assert found.kind is advice_catalog.ACCEPT_QUEUE_SOMAXCONN and found.kernel_helps
    assert list(found.settings) == [advice_rules.Setting("net.core.somaxconn", somaxconn, suggested, profile)]


def test_a_limit_above_somaxconn_is_capped_at_the_next_start():
    assert only(overflowing(listener(limit=5000, drops=42))).kind is advice_catalog.ACCEPT_QUEUE_SOMAXCONN


@pytest.mark.parametrize(("files", "kind"), [(1024, "accept_queue_open_files"), (1013, "accept_queue_backlog")])
def test_a_program_out_of_files(files, kind):
    owners = {11: [advice_rules.Owner("811", "nginx", 9, 1024), advice_rules.Owner("812", "nginx", files, 1024)]}
    found = only(overflowing(listener(drops=42), owners=owners))
    assert found.kind.id == kind and not found.kernel_helps
    if files == 1024:
        assert found.evidence.endswith("; process 812 of nginx has 1024 files open and may have 1024")


@pytest.mark.parametrize("owner", [advice_rules.Owner("1", "x", None, 1024), advice_rules.Owner("1", "x", 9, None)])
def test_files_that_cannot_be_counted_or_have_no_limit_say_nothing(owner):
    assert only(overflowing(listener(drops=42), owners={11: [owner]})).kind is advice_catalog.ACCEPT_QUEUE_BACKLOG


@pytest.mark.parametrize(
    ("before", "length", "stays"),
    [
        (listener(length=129), 129, True),
        (listener(length=128), 129, False),
        (listener(length=129), 128, False),
        (None, 129, False),
    ],
)
def test_a_queue_that_stays_full_is_told_from_a_burst(before, length, stays):
    found = only(overflowing(listener(length=length, drops=42), before))
    assert found.evidence.endswith("limit 128" + (", full at both looks" if stays else ""))


def test_a_listener_that_began_in_between_counts_from_zero():
    found = only(overflowing(listener(drops=7, inode=12), listener(drops=500, inode=11)))
    assert found.evidence.startswith("7 attempts to connect dropped")


def test_only_who_dropped_is_named():
    first, last = from_zero(ListenOverflows=5, ListenDrops=5)
    first["sockets"] = sockets([listener(drops=9, inode=1), listener(port=81, inode=2)])
    last["sockets"] = sockets([listener(drops=9, inode=1, length=100), listener(port=81, inode=2, drops=5)])
    assert only(advise(first, last)).subject == "0.0.0.0:81"


def test_sockets_of_one_port_are_one_queue():
    first, last = from_zero(ListenOverflows=5, ListenDrops=5)
    first["sockets"] = sockets([listener(inode=1), listener(inode=2)])
    last["sockets"] = sockets([listener(inode=1, drops=2, length=3), listener(inode=2, drops=3, length=4)])
    found = only(advise(first, last))
    assert (
        found.evidence == "5 attempts to connect dropped in 10.0 s (0.5/s); 7 wait for accept() in 2 sockets, limit 128"
    )


@pytest.mark.parametrize("after", [{}, {"sockets": None}, {"sockets": sockets([listener(limit=None, drops=None)])}])
def test_an_overflow_of_nobody_knows_whom(after):
    first, last = from_zero(ListenOverflows=5, ListenDrops=5)
    found = only(advise(first, dict(last, **after)))
    assert found.kind is advice_catalog.ACCEPT_QUEUE_UNKNOWN and "5 overflows" in found.evidence


def test_drops_without_overflows_are_no_full_queue():
    first, last = from_zero(ListenOverflows=0, ListenDrops=5)
    last["sockets"] = sockets([listener(drops=5)])
    assert advise(first, last) == []


def test_overflows_of_the_past_and_a_full_queue_are_no_loss():
    same = counted(ListenOverflows=9000, ListenDrops=9000)
    busy = dict(same, sockets=sockets([listener(drops=9000, length=128)]))
    assert advise(busy, busy) == []


def test_who_is_looked_for():
    before = reading(sockets=sockets([listener(inode=1), listener(port=81, inode=2)]))
    after = reading(sockets=sockets([listener(inode=1), listener(port=81, inode=2, drops=1)]))
    assert advice_rules.suspects(before, after) == {2}


# -- handshakes -----------------------------------------------------------------------------------------------------------


def cookies(full, sent, back, *listeners):
    first, last = from_zero(TCPReqQFullDoCookies=full, SyncookiesSent=sent, SyncookiesRecv=back)
    last["sockets"] = first["sockets"] = sockets(listeners)
    return first, last


def test_cookies_that_come_back_are_real_clients():
    found = only(advise(*cookies(100, 100, 10, listener(half_open=128))))
    assert found.kind is advice_catalog.SYN_QUEUE_FULL and not found.kernel_helps
    assert found.evidence == (
        "100 SYNs over the limit in 10.0 s (10.0/s); 100 cookies sent, 10 came back; 128 half open at 0.0.0.0:80, limit 128"
    )
    assert list(found.settings) == [advice_rules.Setting("net.core.somaxconn", "4096")]


@pytest.mark.parametrize("half_open", [0, 4096])
def test_more_handshakes_than_somaxconn(half_open):
    found = only(advise(*cookies(100, 100, 90, listener(limit=4096, half_open=half_open))))
    assert found.kind is advice_catalog.SYN_QUEUE_FULL and found.kernel_helps
    assert found.settings[0].suggested == "8192"


def test_cookies_that_do_not_come_back_are_a_flood():
    found = only(advise(*cookies(1000, 1000, 99, listener(half_open=128), listener(port=81, half_open=2, inode=3))))
    assert found.kind is advice_catalog.SYN_FLOOD and not found.kernel_helps and found.severity == "near"
    assert found.subject == "0.0.0.0:80"


@pytest.mark.parametrize(
    ("sent", "back", "ids"), [(500, 500, []), (999, 0, []), (1000, 0, ["syn_flood"]), (9999, 1000, [])]
)
def test_cookies_by_choice(sent, back, ids):
    # net.ipv4.tcp_syncookies = 2 answers every SYN with a cookie, and the kernel counts all of them as if a queue were full.
    found = advise(*cookies(sent, sent, back, listener()), settings={"net.ipv4.tcp_syncookies": "2"})
    assert [one.kind.id for one in found] == ids


def test_syns_dropped_for_want_of_cookies():
    settings = {"net.ipv4.tcp_syncookies": "0"}
    found = only(advise(*from_zero(TCPReqQFullDrop=30), settings=settings))
    assert found.kind is advice_catalog.SYN_QUEUE_DROPS and found.kernel_helps
    assert found.settings[0] == advice_rules.Setting("net.ipv4.tcp_syncookies", "0", "1", "ddos_guard")


def test_a_kernel_without_cookies_has_no_such_setting():
    found = only(advise(*from_zero(TCPReqQFullDrop=30), settings={"net.ipv4.tcp_syncookies": None}))
    assert found.kind is advice_catalog.SYN_QUEUE_DROPS and not found.kernel_helps and not found.settings[0].suggested


@pytest.mark.parametrize(("half_open", "cookies_on", "count"), [(1024, "0", 1), (1023, "0", 0), (1024, "1", 0)])
def test_drops_near_the_syn_backlog(half_open, cookies_on, count):
    first, last = from_zero(ListenOverflows=0, ListenDrops=7)
    last["sockets"] = sockets(syn_received=half_open)
    found = advise(first, last, settings={"net.ipv4.tcp_syncookies": cookies_on})
    assert [one.kind for one in found] == [advice_catalog.SYN_QUEUE_DROPS] * count


# -- TIME-WAIT and ports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "limit", "suggested", "profile"),
    [
        (10, 131072, "180000", "web_server"),  # 60 more are enough
        (10000, 131072, "262144", None),  # 60,000 more are more than the profile has
        (100000, 131072, "731072", None),
        (10, 200000, "400000", None),
        (10000000, 131072, "2000000", None),
    ],
)
def test_time_wait_overflows(over, limit, suggested, profile):
    settings = {"net.ipv4.tcp_max_tw_buckets": str(limit)}
    found = only(advise(*from_zero(TCPTimeWaitOverflow=over), settings=settings))
    assert found.kind is advice_catalog.TIME_WAIT_OVERFLOW
    assert list(found.settings) == [advice_rules.Setting("net.ipv4.tcp_max_tw_buckets", str(limit), suggested, profile)]


def test_many_in_time_wait_are_no_trouble():
    full = {"sockstat": {"tcp": {"tw": 131072}}, "counters": {"TCPTimeWaitOverflow": 9}}
    assert advise(full, full) == []


def ports(used, time_wait, address="10.0.0.9", **settings):
    use = netlink.PortUse("10.0.0.1", address, 443, used, time_wait)
    return advise(
        after={"sockets": sockets(uses=[use])}, settings={"net.ipv4." + key: value for key, value in settings.items()}
    )


@pytest.mark.parametrize(("used", "severity"), [(28232, "loss"), (25409, "near")])
def test_ports_run_out(used, severity):
    found = only(ports(used, 0))
    assert found.kind is advice_catalog.PORTS_EXHAUSTED and found.severity == severity and found.kernel_helps
    assert found.subject == "10.0.0.9:443"
    assert found.evidence == "{0} of 28232 local ports of 10.0.0.1 are taken, 0 of them in TIME-WAIT".format(used)
    assert list(found.settings) == [
        advice_rules.Setting("net.ipv4.ip_local_port_range", "32768 60999", "10000 64999", "proxy"),
        advice_rules.Setting("net.ipv4.tcp_tw_reuse", "2"),
    ]


def test_enough_ports():
    assert ports(25408, 25000) == []


def test_a_range_is_widened_and_never_narrowed():
    found = only(ports(45000, 0, ip_local_port_range="20000 65535", ip_local_reserved_ports="30000-39999"))
    assert found.settings[0].suggested == "10000 65535"


def test_ports_in_time_wait_are_given_back_sooner():
    found = only(ports(28000, 14000))
    assert found.settings[1] == advice_rules.Setting("net.ipv4.tcp_tw_reuse", "2", "1", "proxy")


def test_a_wide_range_without_time_wait_is_all_that_the_kernel_has():
    found = only(ports(64000, 100, ip_local_port_range="1024 65535"))
    assert not found.kernel_helps and not any(one.suggested for one in found.settings)


@pytest.mark.parametrize(
    ("address", "tw_reuse", "timestamps", "count"),
    [
        ("10.0.0.9", "1", "1", 0),
        ("10.0.0.9", "2", "1", 1),
        ("127.0.0.9", "2", "1", 0),
        ("::1", "2", "1", 0),
        ("127.0.0.9", "0", "1", 1),
        ("127.0.0.9", "1", "0", 1),
    ],
)
def test_ports_that_may_be_taken_over_are_free(address, tw_reuse, timestamps, count):
    assert len(ports(28000, 27000, address, tcp_tw_reuse=tw_reuse, tcp_timestamps=timestamps)) == count


# -- the machine ----------------------------------------------------------------------------------------------------------


def tracked(entries, dropped=0, early=0):
    return {"conntrack": snapshot.Conntrack(entries, 262144, dropped, early)}


@pytest.mark.parametrize(
    ("before", "after", "severities"),
    [
        (tracked(9), tracked(235929), []),
        (tracked(9), tracked(235930), ["near"]),
        (tracked(9), tracked(262144, dropped=4), ["loss"]),
        (tracked(9), tracked(900, early=4), ["loss"]),
        (tracked(9), tracked(900, dropped=4), []),  # packets that make no sense are dropped as well
        ({"conntrack": None}, tracked(262144), []),
    ],
)
def test_conntrack(before, after, severities):
    found = advise(before, after)
    assert [(one.kind, one.severity) for one in found] == [(advice_catalog.CONNTRACK_FULL, one) for one in severities]
    assert all(one.settings[0].suggested == "524288" for one in found)


def core(number, processed=0, dropped=0, squeezed=0, limited=0):
    return procfs.Cpu(number, processed, dropped, squeezed, limited)


def cores(*after):
    return advise({"softnet": [core(0), core(1)]}, {"softnet": after})


def test_packets_dropped_by_a_core():
    found = only(cores(core(0, 5000), core(1, 5000, 40, 0, 10)))
    assert found.kind is advice_catalog.SOFTNET_DROPS
    assert found.evidence == "30 packets dropped in 10.0 s (3.0/s) on 1 of 2 cores"
    assert list(found.settings) == [advice_rules.Setting("net.core.netdev_max_backlog", "1000", "30000", "web_server")]


def test_packets_that_the_flow_limit_took():
    assert cores(core(0, 5000, 10, 0, 10)) == []


@pytest.mark.parametrize(
    ("squeezed", "processed", "count"), [(100, 60000, 1), (99, 9000, 0), (100, 60001, 0), (5000, 100000000, 0)]
)
def test_a_core_that_does_not_get_through(squeezed, processed, count):
    found = cores(core(0), core(1, processed, 0, squeezed))
    assert [(one.kind, one.subject) for one in found] == [(advice_catalog.SOFTNET_SQUEEZED, "core 1")] * count


def test_a_core_that_was_switched_on_in_between():
    assert cores(core(7, 10**6, 10**6, 10**6)) == []


def test_a_setting_of_the_host_is_suggested_without_its_live_value():
    found = only(
        advise({"softnet": [core(0)]}, {"softnet": [core(0, 9, 9)]}, settings={"net.core.netdev_max_backlog": None})
    )
    assert list(found.settings) == [advice_rules.Setting("net.core.netdev_max_backlog", None, "30000", "web_server")]


def memory(pages, orphan=0):
    return {"sockstat": {"tcp": {"orphan": orphan, "tw": 0, "mem": pages}}}


@pytest.mark.parametrize(("pages", "pressures", "count"), [(201, 0, 1), (200, 0, 0), (4, 1, 1)])
def test_tcp_memory(pages, pressures, count):
    first, last = from_zero(TCPMemoryPressures=pressures)
    found = advise(first, dict(last, **memory(pages)))
    assert [one.kind for one in found] == [advice_catalog.TCP_MEMORY] * count
    assert all(one.settings[0].live == "100 200 300" for one in found)


def test_tcp_memory_that_cannot_be_seen():
    assert advise(after=memory(10**6), settings={"net.ipv4.tcp_mem": None}) == []


@pytest.mark.parametrize(("orphans", "suggested"), [(32769, "262144"), (32768, None)])
def test_orphans(orphans, suggested):
    first, last = from_zero(TCPAbortOnMemory=8)
    found = only(advise(first, dict(last, **memory(4, orphans))))
    assert found.kind is advice_catalog.ORPHANS
    assert found.evidence == (
        "8 cut off in 10.0 s (0.8/s); {0} orphans, limit 131072; TCP holds 4 pages; tcp_mem is 100 200 300".format(
            orphans
        )
    )
    assert found.settings[0] == advice_rules.Setting("net.ipv4.tcp_max_orphans", "131072", suggested)


def test_many_orphans_are_no_trouble_yet():
    assert advise(after=memory(4, 130000)) == []


def test_receive_queues():
    found = only(advise(*from_zero(RcvPruned=3, TCPRcvQDrop=4, PruneCalled=90)))
    assert found.kind is advice_catalog.RECEIVE_QUEUE and found.evidence.startswith("7 packets dropped")
    setting = advice_rules.Setting("net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 131072 16777216", "web_server")
    assert list(found.settings) == [setting]


def test_a_larger_receive_buffer_changes_its_number_only():
    settings = {"net.ipv4.tcp_rmem": "4096 1 33554432"}
    found = only(advise(*from_zero(RcvPruned=3), settings=settings))
    assert found.settings[0].suggested == "4096 1 67108864"


def test_tidying_up_a_buffer_is_no_loss():
    assert advise(*from_zero(PruneCalled=90, TCPBacklogDrop=0)) == []


def test_short_memory_is_told_once():
    found = advise(*from_zero(RcvPruned=3, TCPMemoryPressures=1))
    assert [one.kind for one in found] == [advice_catalog.TCP_MEMORY]


def test_udp():
    found = only(advise(*from_zero(UdpRcvbufErrors=3, Udp6RcvbufErrors=4)))
    assert found.kind is advice_catalog.UDP_RECEIVE_BUFFER and found.evidence.startswith("7 datagrams dropped")
    assert found.settings[0].suggested == "16777216"


@pytest.mark.parametrize(
    ("count", "most", "severities"),
    [(899, 1000, []), (900, 1000, ["near"]), (1000, 1000, ["loss"]), (10**6, 2**63 - 1, [])],
)
def test_open_files(count, most, severities):
    found = advise(after={"files": (count, most)}, settings={"fs.file-max": str(most)})
    assert [(one.kind, one.severity) for one in found] == [(advice_catalog.OPEN_FILES, one) for one in severities]
    assert all(one.settings[0].suggested == "262140" for one in found)


# -- all of it ------------------------------------------------------------------------------------------------------------


def test_nothing_to_see_and_nothing_to_say():
    nothing = {"sockets": None, "sockstat": {}, "counters": {}, "conntrack": None, "files": None}
    assert advise(nothing, nothing, settings=dict.fromkeys(SETTINGS)) == []


def test_the_same_readings_give_the_same_advice():
    first, last = from_zero(ListenOverflows=5, TCPTimeWaitOverflow=5, RcvPruned=4, UdpRcvbufErrors=3)
    last["sockets"] = sockets([listener(drops=5)])
    found = advise(first, last)
    assert [one.kind.id for one in found] == [
        "accept_queue_backlog",
        "time_wait_overflow",
        "receive_queue",
        "udp_receive_buffer",
    ]
    assert advise(first, last) == found


def test_advice_as_a_result():
    result = advice_rules.as_result(only(overflowing(listener(drops=42))))
    assert sorted(result) == [
        *("cost", "evidence", "id", "kernel_helps", "meaning", "remedy", "settings", "severity", "subject", "title")
    ]
    assert result["settings"] == [{"key": "net.core.somaxconn", "live": "4096", "suggested": None, "profile": None}]


def test_every_kind_is_whole_and_has_its_own_id():
    assert len({kind.id for kind in advice_catalog.KINDS}) == len(advice_catalog.KINDS)
    for kind in advice_catalog.KINDS:
        for text in (kind.meaning, kind.shown_by, kind.remedy, kind.cost):
            assert text[0].isupper() and text.endswith("."), text
        assert set(kind.helping) <= set(kind.settings) <= set(snapshot.SETTINGS), kind.id
    assert set(advice_catalog.IN_PROFILES) <= set(snapshot.SETTINGS)
