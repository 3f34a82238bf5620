# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values as the kernel takes and returns them, and keys that it changes along with others."""

from __future__ import annotations

import os

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace, one_sentence

FORWARD = "net.ipv4.ip_forward"
REDIRECTS = "net.ipv4.conf.all.accept_redirects"
RESERVED = "net.ipv4.ip_local_reserved_ports"
START = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"


@pytest.fixture
def linked(ns: Namespace) -> Namespace:
    """A namespace with a pair of interfaces, one of which has a dot in its name."""
    ns.interface("v0", "v1")
    ns.interface("v0.100", "v2")
    return ns


@pytest.mark.parametrize(
    ("key", "desired", "kept"),
    [
        ("net.ipv4.tcp_rmem", "4096  131072\t16777216", "4096 131072 16777216"),
        ("net.ipv4.tcp_rmem", ["0x1000", 131072, 16777216], "4096 131072 16777216"),
        ("net.ipv4.tcp_fin_timeout", "0x1e", "30"),
        ("net.ipv4.tcp_keepalive_probes", "05", "5"),
        ("net.ipv4.tcp_syncookies", "on", "1"),
        ("net.ipv4.tcp_sack", False, "0"),
        (RESERVED, "8081,8080,8082", "8080-8082"),
        (RESERVED, [9005, "9000-9004", 8080], "8080,9000-9005"),
        (RESERVED, "", ""),
    ],
)
def test_a_second_run_changes_nothing_however_the_value_is_written(
    ns: Namespace, key: str, desired: object, kept: str
) -> None:
    ns.set_live({RESERVED: "1-2"})
    first = ns.sysctl({key: desired})
    assert first.setting(key)["live"]["after"] == kept
    assert " ".join(ns.live(key)[key].split()) == kept
    again = ns.sysctl({key: desired})
    assert not again.changed and again.setting(key)["status"] == "ok"


def test_a_list_of_ports_is_a_lower_bound_when_the_host_keeps_its_own(ns: Namespace) -> None:
    ns.set_live({RESERVED: "30000-32767"})
    first = ns.sysctl({RESERVED: {"at_least": "10050,11211"}})
    assert first.setting(RESERVED)["live"]["after"] == "10050,11211,30000-32767"
    assert ns.live(RESERVED) == {RESERVED: "10050,11211,30000-32767"}
    assert not ns.sysctl({RESERVED: {"at_least": "10050,11211"}}).changed
    kept = ns.sysctl({RESERVED: {"at_least": "30001"}})
    assert not kept.changed and ns.live(RESERVED) == {RESERVED: "10050,11211,30000-32767"}


@pytest.mark.parametrize(
    ("have", "kept"),
    [("32768 60999", "10000 64999"), ("1024 65534", "1024 65534"), ("20001 65534", "10000 65534")],
)
def test_a_range_of_ports_is_widened_and_never_narrowed(ns: Namespace, have: str, kept: str) -> None:
    ns.set_live({RANGE: have})
    desired = {RANGE: {"at_least": [10000, 64999]}}
    ns.sysctl(desired)
    assert " ".join(ns.live(RANGE)[RANGE].split()) == kept
    assert not ns.sysctl(desired).changed


def test_a_port_list_of_more_than_a_page_is_refused_before_it_is_cut(ns: Namespace) -> None:
    before = ns.live(RESERVED)
    outcome = ns.sysctl({RESERVED: ",".join(str(port) for port in range(10000, 14000, 2))})
    one_sentence(outcome, RESERVED, "bytes even with its ranges merged")
    assert ns.live(RESERVED) == before
    assert ns.sysctl({RESERVED: ",".join(str(port) for port in range(10000, 14000))}).changed, "a range is short"


@pytest.mark.parametrize(
    ("start", "ports", "at_first"), [("80", "100 65000", "32768 60999"), ("2000", "3000 60000", "1500 60999")]
)
def test_the_two_port_keys_are_written_in_an_order_that_works(
    ns: Namespace, start: str, ports: str, at_first: str
) -> None:
    for settings in ({START: start, RANGE: ports}, {RANGE: ports, START: start}):
        ns.set_live({RANGE: "32768 60999"})
        ns.set_live({START: "1024"})
        ns.set_live({RANGE: at_first})
        assert ns.sysctl(settings).changed
        assert ns.live(START)[START] == start
        assert ns.live(RANGE)[RANGE].split() == ports.split()
        assert not ns.sysctl(settings).changed


def test_ip_forward_does_not_undo_what_is_wanted_beside_it(linked: Namespace) -> None:
    linked.set_live({FORWARD: "0"})
    linked.set_live({REDIRECTS: "1"})
    # The kernel sets accept_redirects to 0 and every forwarding to 1 when ip_forward changes to 1.
    settings = {REDIRECTS: 1, "net.ipv4.conf.v1.forwarding": 0, FORWARD: 1}
    assert linked.sysctl(settings).changed
    assert linked.live(REDIRECTS)[REDIRECTS] == "1"
    assert linked.live("net.ipv4.conf.v1.forwarding") == {"net.ipv4.conf.v1.forwarding": "0"}
    assert linked.live("net.ipv4.conf.v0.forwarding") == {"net.ipv4.conf.v0.forwarding": "1"}
    assert not linked.sysctl(settings).changed


def test_a_refusal_puts_back_what_the_kernel_changed_along(linked: Namespace) -> None:
    linked.set_live({FORWARD: "1"})
    linked.set_live({REDIRECTS: "1", "net.ipv4.conf.v1.forwarding": "0"})
    before = linked.snapshot()
    outcome = linked.sysctl({FORWARD: 0, "net.ipv4.tcp_congestion_control": "nosuch"})
    one_sentence(outcome, "setting net.ipv4.tcp_congestion_control failed", "All changes of this run were undone.")
    assert linked.snapshot() == before


def test_two_names_of_one_value_may_not_differ(ns: Namespace) -> None:
    outcome = ns.sysctl({FORWARD: 1, "net.ipv4.conf.all.forwarding": 0})
    one_sentence(outcome, FORWARD, "net.ipv4.conf.all.forwarding", "two names of one value")


def test_a_pattern_stands_for_each_key_that_it_matches(linked: Namespace) -> None:
    settings = {"net.ipv4.conf.*.rp_filter": 2, "net/ipv4/conf/v1/rp_filter": 1}
    outcome = linked.sysctl(settings)
    keys = {setting["key"] for setting in outcome.result["settings"]}
    assert "net.ipv4.conf.v0/100.rp_filter" in keys and "net.ipv4.conf.*.rp_filter" not in keys
    live = linked.live("net.ipv4.conf.v0/100.rp_filter", "net.ipv4.conf.v1.rp_filter")
    assert live == {"net.ipv4.conf.v0/100.rp_filter": "2", "net.ipv4.conf.v1.rp_filter": "1"}
    assert not linked.sysctl(settings).changed


def test_two_patterns_that_contradict_each_other_are_refused(linked: Namespace) -> None:
    outcome = linked.sysctl({"net.ipv4.conf.v*.rp_filter": 2, "net.ipv4.conf.*1.rp_filter": 1})
    one_sentence(outcome, "net.ipv4.conf.v1.rp_filter", "two patterns")


def test_an_action_is_triggered_on_request(ns: Namespace) -> None:
    arguments: dict[str, object] = {"settings": {"net.ipv4.route.flush": 1}, "persist": False}
    assert ns.module("sysctl", arguments).changed
    assert ns.module("sysctl", arguments).changed, "there is no state that could be as wanted"


def test_numbers_that_depend_on_the_host(ns: Namespace) -> None:
    """The arithmetic of the module against what this machine says of itself."""
    online = os.sysconf("SC_NPROCESSORS_ONLN")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    step = 2**30 if memory > 2**32 else 2**28
    gib = -(-memory // step) * step / 2**30
    settings = {
        "net.core.somaxconn": {"at_least": {"per_cpu": 5000}},
        "net.ipv4.tcp_rmem": {"at_least": [4096, 131072, {"per_gib": 4194304, "min": 40000000}]},
        "net.ipv4.tcp_max_syn_backlog": {"at_least": {"largest": [7, {"per_cpu": 9000}]}},
    }
    outcome = ns.sysctl(settings)
    assert outcome.setting("net.core.somaxconn")["wanted"] == f">= {5000 * online} (5000 per processor x {online})"
    buffers = max(int(4194304 * gib), 40000000)
    assert f"number 3: 4194304 per GiB x {gib:g} GiB" in outcome.setting("net.ipv4.tcp_rmem")["arithmetic"]
    live = ns.live(*settings)
    assert live["net.core.somaxconn"] == str(5000 * online)
    assert live["net.ipv4.tcp_rmem"] == f"4096 131072 {buffers}"
    assert live["net.ipv4.tcp_max_syn_backlog"] == str(9000 * online)
    assert f"net.core.somaxconn={5000 * online}\n" in ns.text("/etc/sysctl.d/99-tunefleet.conf")
    assert not ns.sysctl(settings).changed


def test_a_malformed_formula_reaches_no_kernel(ns: Namespace) -> None:
    before = ns.snapshot()
    outcome = ns.sysctl({"net.core.somaxconn": {"at_least": {"per_gib": 65536, "max": "lots"}}})
    one_sentence(outcome, "net.core.somaxconn: max takes an integer; found 'lots'.", "Nothing was written.")
    assert ns.snapshot() == before
