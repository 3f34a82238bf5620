# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""diagnose under real pressure, and under the load that comes nearest to it without losing anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import Load, Namespace, one_sentence

SOMAXCONN = "net.core.somaxconn"
SECONDS = 0.4
EVERY = 0.02
# What else runs on this machine may make it drop packets; that is not what a namespace is judged by.
OF_THE_MACHINE = ("softnet_drops", "softnet_squeezed", "open_files")


@pytest.fixture
def load(ns: Namespace) -> Iterator[Load]:
    with ns.load() as load:
        yield load


def diagnose(ns: Namespace, **fields: Any) -> list[dict[str, Any]]:
    """The advice, apart from what concerns the whole machine; nothing was written meanwhile."""
    before = ns.snapshot()
    outcome = ns.module("diagnose", {"seconds": SECONDS}, **fields)
    assert ns.snapshot() == before and not outcome.changed and not outcome.failed, outcome.text
    assert outcome.result["seconds"] >= SECONDS
    return [one for one in outcome.result["advice"] if one["id"] not in OF_THE_MACHINE]


def ids(advice: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in advice]


def only(advice: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(advice) == 1, advice
    return advice[0]


# -- calm -----------------------------------------------------------------------------------------------------------------


def test_a_calm_host_gets_no_advice(ns: Namespace) -> None:
    assert diagnose(ns, check_mode=True) == []


def test_a_busy_host_that_loses_nothing_gets_no_advice(ns: Namespace, load: Load) -> None:
    """Connections come and go, leave TIME-WAIT behind, and a queue is half full all the time."""
    load("listen", port=8080, backlog=64)
    load("listen", port=8081, backlog=8)
    load("begin", port=8081, count=5)
    load("call", port=8080, count=300)
    load("datagrams", port=8082, count=20, server=False)
    load.repeat(EVERY, "serve", port=8080, count=3)
    result = ns.module("diagnose", {"seconds": SECONDS}).result
    assert [one for one in result["advice"] if one["id"] not in OF_THE_MACHINE] == []
    assert result["grown"] == {} and result["unseen"] == []


def test_losses_of_the_past_are_no_advice(ns: Namespace, load: Load) -> None:
    load("listen", port=8080, backlog=1)
    load("begin", port=8080, count=2)
    ns.set_live({"net.ipv4.tcp_syn_retries": "1"})
    load("begin", port=8080, count=5)
    load("datagrams", port=8082, count=100)
    load("close")
    counters = ns.module("socket_info", {}).result["counters"]
    assert counters["ListenOverflows"] > 0 and counters["UdpRcvbufErrors"] > 0
    assert diagnose(ns) == []


# -- listen queues --------------------------------------------------------------------------------------------------------


def overflow(load: Load, backlog: int, fill: int) -> str:
    """A queue that is full, and connections that go on coming; returns the process that listens."""
    pid = load("listen", port=8080, backlog=backlog)
    load("begin", port=8080, count=fill)
    load.repeat(EVERY, "begin", port=8080, count=2)
    return str(pid)


def test_a_programs_own_backlog_is_not_the_kernels_fault(ns: Namespace, load: Load) -> None:
    pid = overflow(load, backlog=5, fill=6)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("accept_queue_backlog", "loss", False)
    assert found["subject"].startswith("127.0.0.1:8080 python") and found["subject"].endswith(f"(process {pid})")
    assert found["evidence"].endswith("; 6 wait for accept(), limit 5, full at both looks")
    assert int(found["evidence"].split(" ")[0]) > 0
    assert found["settings"] == [{"key": SOMAXCONN, "live": "4096", "suggested": None, "profile": None}]


def test_somaxconn_limits_a_program_that_asks_for_more(ns: Namespace, load: Load) -> None:
    ns.set_live({SOMAXCONN: "8"})
    overflow(load, backlog=4096, fill=9)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("accept_queue_somaxconn", "loss", True)
    assert "9 wait for accept(), limit 8" in found["evidence"]
    assert found["settings"] == [{"key": SOMAXCONN, "live": "8", "suggested": "8192", "profile": "web_server"}]


def test_the_suggested_value_ends_the_pressure(ns: Namespace, load: Load) -> None:
    ns.set_live({SOMAXCONN: "8"})
    overflow(load, backlog=4096, fill=9)
    (setting,) = only(diagnose(ns))["settings"]
    ns.sysctl({setting["key"]: setting["suggested"]})
    load("close")  # the program is started again
    load("listen", port=8080, backlog=4096)
    assert diagnose(ns) == []


def test_a_program_that_may_not_open_more_files(ns: Namespace, load: Load) -> None:
    pid = load("listen", port=8080, backlog=5)
    with ns.load() as clients:
        clients.repeat(EVERY, "begin", port=8080, count=2)
        load("exhaust_files", port=8080, spare=20)
        found = only(diagnose(ns))
        unseen = only(diagnose(ns, nobody=True))
    assert (found["id"], found["kernel_helps"], found["settings"]) == ("accept_queue_open_files", False, [])
    assert f"process {pid} of python" in found["evidence"]
    count, limit = found["evidence"].split(" has ")[1].split(" files open and may have ")
    assert int(count) >= 0.99 * int(limit)
    # Somebody who may not look at the process is told what there is to be seen.
    assert unseen["id"] == "accept_queue_backlog" and unseen["subject"] == "127.0.0.1:8080"


def test_a_burst_is_told_from_a_program_that_does_not_keep_up(ns: Namespace, load: Load) -> None:
    """Too many at once, and the program takes them all in time for the second look."""
    load("listen", port=8080, backlog=5)
    load.repeat(0.15, "burst", port=8080, count=12)
    found = only(diagnose(ns))
    assert found["id"] == "accept_queue_backlog" and "full at both looks" not in found["evidence"]


def test_each_full_queue_is_told_of_and_no_other(ns: Namespace, load: Load) -> None:
    for port, address in ((8080, "127.0.0.1"), (8081, "::1"), (8082, "127.0.0.1")):
        load("listen", port=port, backlog=2, address=address)
        load("begin", port=port, count=3, address=address)
    load.repeat(EVERY, "begin", port=8080, count=1)
    load.repeat(EVERY, "begin", port=8081, count=1, address="::1")
    found = diagnose(ns)
    assert ids(found) == ["accept_queue_backlog"] * 2
    assert [one["subject"].split(" ")[0] for one in found] == ["127.0.0.1:8080", "[::1]:8081"]


# -- handshakes -----------------------------------------------------------------------------------------------------------


def flood(load: Load, backlog: int, first: int) -> None:
    load("link_to_nowhere")
    load("listen", port=80, backlog=backlog, address="192.0.2.1")
    load("syns", port=80, count=first)
    load.repeat(EVERY, "syns", port=80, count=20)


def test_a_flood_of_syns(ns: Namespace, load: Load) -> None:
    flood(load, backlog=32, first=40)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("syn_flood", "near", False)
    assert "cookies sent, 0 came back; " in found["evidence"]
    assert found["evidence"].endswith(" half open at 192.0.2.1:80, limit 32")
    assert found["settings"][0]["live"] == "1"


def test_a_flood_without_cookies(ns: Namespace, load: Load) -> None:
    ns.set_live({"net.ipv4.tcp_syncookies": "0"})
    flood(load, backlog=32, first=40)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("syn_queue_drops", "loss", True)
    assert found["settings"][0] == {
        "key": "net.ipv4.tcp_syncookies",
        "live": "0",
        "suggested": "1",
        "profile": "ddos_guard",
    }


def test_a_flood_without_cookies_at_the_syn_backlog(ns: Namespace, load: Load) -> None:
    ns.set_live({"net.ipv4.tcp_syncookies": "0", "net.ipv4.tcp_max_syn_backlog": "64"})
    flood(load, backlog=4096, first=60)
    assert ids(diagnose(ns)) == ["syn_queue_drops"]


def test_handshakes_of_real_clients_beyond_the_queue(ns: Namespace, load: Load) -> None:
    """The queue is taken by handshakes that hang, so real clients are answered with cookies, and come back."""
    load("link_to_nowhere")
    load("listen", port=80, backlog=32, address="192.0.2.1")
    load("syns", port=80, count=40)
    load.repeat(EVERY, "connect", port=80, count=1, address="192.0.2.1")
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("syn_queue_full", "near", False)
    assert found["evidence"].endswith(" half open at 192.0.2.1:80, limit 32")


def test_cookies_by_choice_are_no_pressure(ns: Namespace, load: Load) -> None:
    ns.set_live({"net.ipv4.tcp_syncookies": "2"})
    load("listen", port=8080, backlog=64)
    load.repeat(EVERY, "serve", port=8080, count=2)
    result = ns.module("diagnose", {"seconds": SECONDS}).result
    assert result["grown"]["SyncookiesSent"] > 0
    assert [one for one in result["advice"] if one["id"] not in OF_THE_MACHINE] == []


def test_handshakes_under_way_are_no_pressure(ns: Namespace, load: Load) -> None:
    flood(load, backlog=4096, first=100)
    assert diagnose(ns) == []


# -- TIME-WAIT, ports, conntrack, UDP -------------------------------------------------------------------------------------


def test_too_many_in_time_wait(ns: Namespace, load: Load) -> None:
    ns.set_live({"net.ipv4.tcp_max_tw_buckets": "20"})
    load("listen", port=8080, backlog=64)
    load("serve", port=8080, count=25)
    load.repeat(EVERY, "serve", port=8080, count=2)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("time_wait_overflow", "loss", True)
    assert "20 in TIME-WAIT, limit 20" in found["evidence"]
    (setting,) = found["settings"]
    assert (setting["live"], setting["suggested"], setting["profile"]) == ("20", "180000", "web_server")
    ns.sysctl({setting["key"]: setting["suggested"]})
    assert diagnose(ns) == []


def test_as_many_in_time_wait_as_are_allowed(ns: Namespace, load: Load) -> None:
    ns.set_live({"net.ipv4.tcp_max_tw_buckets": "20"})
    load("listen", port=8080, backlog=64)
    load("serve", port=8080, count=20)
    assert diagnose(ns) == []


def narrow(ns: Namespace, load: Load, **more: str) -> None:
    """A hundred ports for outgoing connections."""
    values = {
        "net.ipv4.ip_local_port_range": "40000 40099",
        **{"net.ipv4." + key: value for key, value in more.items()},
    }
    ns.set_live(values)
    load("listen", port=8080, backlog=200)


def test_no_ports_left(ns: Namespace, load: Load) -> None:
    narrow(ns, load)
    assert load("connect", port=8080, count=101) == 100, "the kernel has no port for one more"
    found = only(diagnose(ns))
    assert (found["id"], found["severity"], found["kernel_helps"]) == ("ports_exhausted", "loss", True)
    assert found["subject"] == "127.0.0.1:8080"
    assert found["evidence"] == "100 of 100 local ports of 127.0.0.1 are taken, 0 of them in TIME-WAIT"
    ports, reuse = found["settings"]
    assert (ports["live"], ports["suggested"]) == ("40000 40099", "10000 64999")
    assert reuse["suggested"] is None
    ns.sysctl({ports["key"]: ports["suggested"]})
    assert diagnose(ns) == [] and load("connect", port=8080, count=1) == 1


def test_few_ports_left(ns: Namespace, load: Load) -> None:
    narrow(ns, load, ip_local_reserved_ports="40090-40099")
    load("connect", port=8080, count=80)
    assert diagnose(ns) == []
    load("connect", port=8080, count=1)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"]) == ("ports_exhausted", "near")
    assert found["evidence"].startswith("81 of 90 local ports")


def test_ports_in_time_wait_count_as_long_as_they_may_not_be_taken_over(ns: Namespace, load: Load) -> None:
    narrow(ns, load, tcp_tw_reuse="0")
    load("call", port=8080, count=95)
    found = only(diagnose(ns))
    assert found["id"] == "ports_exhausted" and "95 of them in TIME-WAIT" in found["evidence"]
    reuse = found["settings"][1]
    assert (reuse["live"], reuse["suggested"], reuse["profile"]) == ("0", "1", "proxy")
    ns.sysctl({reuse["key"]: reuse["suggested"]})
    assert diagnose(ns) == []
    time.sleep(1)  # A port is taken over once the second has changed: net/ipv4/tcp_ipv4.c, tcp_twsk_unique
    load("call", port=8080, count=50)  # more than were free


def test_ports_towards_several_destinations(ns: Namespace, load: Load) -> None:
    narrow(ns, load)
    load("listen", port=8081, backlog=200)
    assert load("connect", port=8080, count=70) == 70
    assert load("connect", port=8081, count=70) == 70
    assert diagnose(ns) == []


def test_the_firewalls_table_is_nearly_full(ns: Namespace, load: Load) -> None:
    most = int(ns.live("net.netfilter.nf_conntrack_max")["net.netfilter.nf_conntrack_max"])
    if most > 300000:
        pytest.skip(f"filling {most} entries would take too long")
    load("track", count=int(0.89 * most))
    assert diagnose(ns) == []
    load("track", count=int(0.91 * most))
    found = only(diagnose(ns))
    assert (found["id"], found["severity"]) == ("conntrack_full", "near")
    assert f"{int(0.91 * most)} of {most} entries in use" in found["evidence"]
    (setting,) = found["settings"]
    assert (setting["live"], setting["suggested"]) == (str(most), str(2 * most))


def test_a_udp_socket_that_nobody_reads(ns: Namespace, load: Load) -> None:
    load("datagrams", port=8080, count=20)
    load.repeat(EVERY, "datagrams", port=8080, count=5)
    found = only(diagnose(ns))
    assert (found["id"], found["severity"]) == ("udp_receive_buffer", "loss")
    assert found["settings"][0]["key"] == "net.core.rmem_max"


# -- the module -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "words"), [(0, "0.1 to 3600"), (9999, "9999"), ("soon", "seconds")])
def test_a_time_that_makes_no_sense_is_refused(shared: Namespace, seconds: Any, words: str) -> None:
    outcome = shared.module("diagnose", {"seconds": seconds})
    if seconds == "soon":  # refused by Ansible itself, in its own words
        assert outcome.failed and words in outcome.msg
    else:
        one_sentence(outcome, words)


def test_the_same_is_seen_without_root(ns: Namespace, load: Load) -> None:
    ns.set_live({SOMAXCONN: "8"})
    overflow(load, backlog=4096, fill=9)
    found = only(diagnose(ns, nobody=True))
    assert found["id"] == "accept_queue_somaxconn" and found["subject"] == "127.0.0.1:8080"
