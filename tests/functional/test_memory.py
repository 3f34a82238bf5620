# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What connections cost, with the values and the sizes of the running kernel."""

from __future__ import annotations

import os

from ansible_collections.tunefleet.linux.plugins.module_utils._checks import memory as tcp_memory
from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace, one_sentence

MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
RMEM, WMEM, WAITING = "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_max_tw_buckets"


def test_shown_in_check_mode_and_refused_before_any_write(ns: Namespace) -> None:
    # As the memo has it, lines 93 and 94, for so many connections that they come to twice the memory.
    buffers = {RMEM: [4096, 10000000, 16777216], WMEM: [4096, 65536, 16777216]}
    connections = 2 * MEMORY // 10065536
    before = ns.snapshot()
    for check_mode in (True, False):
        outcome = ns.profile(sysctl=buffers, connections=connections, check_mode=check_mode)
        assert outcome.failed and f"{connections} x (10000000 + 65536) bytes" in outcome.msg
        assert outcome.result["cost"]["percent"] >= 199 and outcome.msg.endswith("Nothing was written.")
        assert ns.snapshot() == before
    # The first sizes of the kernel and the same number of connections.
    sane = {RMEM: [4096, 131072, 16777216], WMEM: [4096, 16384, 16777216]}
    outcome = ns.profile(sysctl=sane, connections=connections, check_mode=True)
    assert not outcome.failed
    cost = outcome.result["cost"]
    waiting = int(ns.live(WAITING)[WAITING]) * 256
    assert cost["bytes"] == connections * (131072 + 16384 + 4096) + waiting and cost["memory"] <= MEMORY
    assert cost["percent"] == cost["bytes"] * 100 // cost["memory"]
    one_sentence(ns.profile(sysctl=sane, connections=0), "connections is 0")


def test_the_structures_of_a_connection_are_as_large_as_is_said(ns: Namespace) -> None:
    lines = ns.run("cat", "/proc/slabinfo").stdout.splitlines()[2:]
    sizes = {line.split()[0]: int(line.split()[3]) for line in lines}
    found = sum(sizes[name] for name in ("TCPv6", "sock_inode_cache", "filp", "dentry", "eventpoll_epi")) + 8
    assert 0.75 * tcp_memory.CONNECTION < found <= tcp_memory.CONNECTION
    waiting = max(sizes["tw_sock_TCP"], sizes["tw_sock_TCPv6"])
    assert 0.75 * tcp_memory.TIME_WAIT < waiting <= tcp_memory.TIME_WAIT
