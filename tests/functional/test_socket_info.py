# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""socket_info: what it counts is what the kernel has, in every state, and 100,000 sockets take no time."""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace

# One sample in its own process.
MEASURE = """
import json
from ansible_collections.tunefleet.linux.plugins.module_utils._host.host import Host
from ansible_collections.tunefleet.linux.plugins.module_utils._network import snapshot
result = snapshot.as_result(snapshot.take(Host()))
print(json.dumps({"states": result["states"], "source": result["source"]}))
"""

MODULE = "ansible_collections.tunefleet.linux.plugins.modules.socket_info"
NO_OPTIONS = '{"ANSIBLE_MODULE_ARGS": {}}'
# As a container engine's seccomp profile may do: socket(AF_NETLINK, ...) fails with EPERM. See seccomp(2) for the program.
FORBID_NETLINK = """
import ctypes, os, runpy, struct, sys
number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 16), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def states(result: dict[str, Any], family: str = "ipv4") -> dict[str, int]:
    """The states that there are sockets in."""
    return {one["state"]: one[family] for one in result["states"] if one[family]}


def test_states_queues_ports_and_counters_are_those_of_the_kernel(ns: Namespace) -> None:
    with ns.load() as load:
        load("link_to_nowhere")
        load("listen", port=8080, backlog=5)
        load("listen", port=8081, backlog=9999, address="::1")
        load("listen", port=80, backlog=100, address="192.0.2.1")
        load("connect", port=8080, count=3, accept=True)
        load("serve", port=8080, count=7)
        load("begin", port=8080, count=8)
        load("begin", port=8081, count=2, address="::1")
        load("begin", port=99, count=4, address="10.1.1.1")
        load("syns", port=80, count=11)
        before = ns.snapshot()
        outcome = ns.module("socket_info", {})
        assert ns.snapshot() == before and not outcome.changed
    result = outcome.result
    # Six of the eight were let in, one more than the limit; the SYNs of the others are dropped and tried again.
    assert states(result) == {
        "LISTEN": 2,
        "SYN-SENT": 4 + 2,
        "SYN-RECEIVED": 11,
        "ESTABLISHED": 2 * 3 + 2 * 6,
        "TIME-WAIT": 7,
    }
    assert states(result, "ipv6") == {"LISTEN": 1, "ESTABLISHED": 4}
    queues = {(one["family"], one["address"], one["port"]): one for one in result["listeners"]}
    assert sorted(queues) == [("ipv4", "127.0.0.1", 8080), ("ipv4", "192.0.2.1", 80), ("ipv6", "::1", 8081)]
    full = queues["ipv4", "127.0.0.1", 8080]
    assert (full["length"], full["limit"]) == (6, 5) and full["drops"] >= 2
    assert (queues["ipv6", "::1", 8081]["length"], queues["ipv6", "::1", 8081]["limit"]) == (2, 4096)
    assert queues["ipv4", "192.0.2.1", 80]["half_open"] == 11
    # The queue is read a moment after the counters, and the two that found no room try again each second.
    assert 0 <= full["drops"] - result["counters"]["ListenOverflows"] <= 2
    assert result["counters"]["ListenOverflows"] == result["counters"]["ListenDrops"]
    assert result["sockstat"]["tcp"]["tw"] == 7
    destinations = {(one["address"], one["port"]): one for one in result["ports"]["destinations"]}
    assert destinations["127.0.0.1", 8080]["used"] == 3 + 8 and destinations["10.1.1.1", 99]["used"] == 4
    assert result["source"] == "sock_diag" and result["unseen"] == []
    assert result["settings"]["net.core.somaxconn"] == "4096" and result["settings"]["net.ipv4.tcp_mem"] is None


def test_ports_in_time_wait_are_told(ns: Namespace) -> None:
    with ns.load() as load:
        load("listen", port=8080, backlog=5)
        load("call", port=8080, count=9)
        result = ns.module("socket_info", {}).result
    assert states(result) == {"LISTEN": 1, "TIME-WAIT": 9}
    use = {"source": "127.0.0.1", "address": "127.0.0.1", "port": 8080, "used": 9, "time_wait": 9}
    assert result["ports"]["destinations"] == [use]


def test_an_empty_namespace(ns: Namespace) -> None:
    result = ns.module("socket_info", {}, check_mode=True).result
    assert states(result) == {} and result["listeners"] == [] and result["ports"]["destinations"] == []
    assert len(result["states"]) == 11 and len(result["softnet"]) >= 1
    assert set(result["counters"].values()) == {0}


# What tells of a queue, a table or memory that was too small.
COUNTERS = {
    *("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent"),
    *("TCPTimeWaitOverflow", "TCPAbortOnMemory", "TCPMemoryPressures", "PruneCalled"),
}


def test_the_counters_are_those_of_nstat(ns: Namespace) -> None:
    """Every counter that this kernel has is read from where it is, as the text shows it."""
    with ns.load() as load:
        load("listen", port=8080, backlog=1)
        load("begin", port=8080, count=5)
        load("datagrams", port=8081, count=50)
        result = ns.module("socket_info", {}).result
    assert result["counters"]["UdpRcvbufErrors"] > 0 and result["counters"]["ListenOverflows"] > 0
    lines = [line.split() for line in ns.run("cat", "/proc/net/netstat").stdout.splitlines()]
    text = dict(zip(lines[0], lines[1]))
    assert set(result["counters"]) > COUNTERS and set(text) > COUNTERS
    for one in result["softnet"]:
        assert {"cpu", "dropped", "squeezed"} < set(one)
    assert result["conntrack"] is None or {"entries", "maximum"} < set(result["conntrack"])
    assert set(result["files"]) == {"open", "maximum"}
    assert {"tcp", "tcp6"} < set(result["sockstat"])
    compared = {name: str(count) for name, count in result["counters"].items() if name in text}
    assert len(compared) >= 14
    assert compared == {name: text[name] for name in compared}


def test_root_is_not_needed(ns: Namespace) -> None:
    with ns.load() as load:
        load("listen", port=8080, backlog=5)
        load("connect", port=8080, count=2)
        as_nobody = ns.module("socket_info", {}, nobody=True).result
        as_root = ns.module("socket_info", {}).result
    # The kernel frees the netlink sockets of the first reading later, so the second may still count them.
    for result in (as_nobody, as_root):
        assert result["sockstat"]["sockets"].pop("used") > 0
    for part in ("states", "listeners", "ports", "source", "sockstat", "settings", "unseen"):
        assert as_nobody[part] == as_root[part], part


def test_a_container_without_proc(ns: Namespace) -> None:
    done = ns.run(
        *("unshare", "--mount", "sh", "-euc", 'mount -t tmpfs tunefleet /proc; exec "$@"', "sh"),
        *(sys.executable, "-m", MODULE),
        stdin=NO_OPTIONS,
    )
    result = json.loads(done.stdout)
    assert result["source"] == "sock_diag" and len(result["states"]) == 11
    assert len(result["unseen"]) == 5 and "/proc/net/netstat cannot be read here" in result["unseen"]
    assert set(result["counters"].values()) == {None} and result["softnet"] == [] and result["files"] is None


def test_without_netlink_the_same_is_read_from_procfs(ns: Namespace) -> None:
    with ns.load() as load:
        load("listen", port=8080, backlog=5)
        load("listen", port=8081, backlog=5, address="::1")
        load("connect", port=8080, count=3)
        load("call", port=8080, count=4)
        load("begin", port=8081, count=2, address="::1")
        done = ns.run(sys.executable, "-c", FORBID_NETLINK, MODULE, stdin=NO_OPTIONS)
        forbidden, permitted = json.loads(done.stdout), ns.module("socket_info", {}).result
    assert forbidden["source"] == "/proc/net/tcp"
    reason = "netlink error: Operation not permitted"
    assert forbidden["unseen"] == ["the limits and drops of listen queues: " + reason]
    assert forbidden["states"] == permitted["states"] and forbidden["ports"] == permitted["ports"]
    lacking = [dict(one, limit=None, drops=None) for one in permitted["listeners"]]
    assert forbidden["listeners"] == lacking


def test_a_hundred_thousand_sockets(ns: Namespace) -> None:
    ns.set_live({"net.core.somaxconn": "1000000", "net.ipv4.tcp_max_syn_backlog": "1000000"})
    with ns.load() as load:
        load("link_to_nowhere")
        load("listen", port=80, backlog=1000000, address="192.0.2.1")
        load("syns", port=80, count=110000)
        result = json.loads(ns.run(sys.executable, "-c", MEASURE).stdout)
        listed = int(ns.sh("wc -l </proc/net/tcp")) - 2  # without the headline and the listening socket
    assert result["source"] == "sock_diag"
    # Some more were sent, for on a busy machine a few get lost on the way.
    assert states(result) == {"LISTEN": 1, "SYN-RECEIVED": listed} and listed >= 100000
