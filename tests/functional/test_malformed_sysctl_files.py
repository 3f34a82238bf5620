# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Odd requests of the module sysctl: each is refused in one sentence with nothing changed, or done once and then left alone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    SYSCTL_FILE,
    Namespace,
    one_sentence,
    path_of,
)

FIN = "net.ipv4.tcp_fin_timeout"
SACK = "net.ipv4.tcp_sack"
FASTOPEN_KEY = "net.ipv4.tcp_fastopen_key"


def refused(ns: Namespace, *words: str, **options: Any) -> None:
    """One sentence with these words, the same in check mode, and nothing is changed."""
    before = ns.snapshot()
    messages = []
    for check_mode in (True, False):
        outcome = ns.module("sysctl", options, check_mode=check_mode)
        one_sentence(outcome, *words)
        messages.append(outcome.msg)
    assert messages[0] == messages[1]
    assert ns.snapshot() == before


def has(ns: Namespace, key: str) -> None:
    if ns.run("test", "-e", path_of(key), check=False).returncode:
        pytest.skip(f"this kernel is without {key}")


@pytest.mark.parametrize(
    "path", ["", " ", "site.conf", "./site.conf", "..", "/etc/a\0b.conf", "/etc/a\nb.conf", "/etc/a\rb.conf"], ids=repr
)
def test_what_is_no_path_of_a_file(shared: Namespace, path: str) -> None:
    refused(shared, repr(path), "not an absolute path", name=FIN, value=30, sysctl_file=path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd/site.conf", "is below something that is not a directory"),
        ("/etc/" + "n" * 256, "Failed to open"),
        ("/", "is a directory"),
        ("/etc/sysctl.d/", "is a directory"),
    ],
    ids=["below_a_file", "name_too_long", "root", "directory"],
)
def test_a_path_where_no_file_can_be(shared: Namespace, path: str, words: str) -> None:
    refused(shared, words, name=FIN, value=30, sysctl_file=path)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_path_that_winds_is_the_file_that_it_leads_to(ns: Namespace, state: str) -> None:
    ns.write("/etc/sysctl.d/x.conf", f"{FIN}=40\n")
    for path in ("//etc//sysctl.d/./x.conf", "/etc/sysctl.d/x.conf/", "/etc/sysctl.d/../sysctl.d/x.conf"):
        assert not ns.sysctl(name=FIN, value=30, state=state, sysctl_file=path).failed
        assert ns.text("/etc/sysctl.d/x.conf") == (f"{FIN}=30\n" if state == "present" else "")


def test_a_line_end_brings_no_second_entry_into_the_file(shared: Namespace) -> None:
    """systemd-sysctl ends a line at a carriage return too, and would read net.core.somaxconn=1."""
    for sign in "\n\r\0":
        value = f"a{sign}net.core.somaxconn=1"
        refused(shared, "line break", settings={"net.ipv4.tcp_congestion_control": value}, live=False)
    refused(shared, settings={"net.ipv4.tcp_sack=1\rnet.core.somaxconn": 1}, live=False)


def test_a_line_of_more_than_a_megabyte_is_not_written(shared: Namespace) -> None:
    """systemd-sysctl would pass over all lines from there on; the kernel takes less than a page."""
    refused(shared, "net.foo.bar", "less than 4096 bytes", settings={"net.foo.bar": "x" * 4095}, live=False)
    refused(shared, "net.foo.bar", "less than 4096 bytes", settings={"net.foo.bar": "x" * 1100000}, live=False)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (FIN, "9" * 21, ["'" + "9" * 21 + "'", "21 characters", "legal: 1 .. 21474836 seconds"]),
        (FIN, "30 # why", ["'30 # why'", "'#' is not an integer", "legal: 1 .. 21474836 seconds"]),
        (FIN, "\u0663\u0660", ["not an integer", "legal: 1 .. 21474836 seconds"]),
        (FIN, "1_000", ["'1_000'", "legal: "]),
        ("net.ipv4.tcp_ecn", -1, ["-1", "legal: 0 or more mode"]),
        (
            "net.ipv4.ip_local_port_range",
            "40001 40000",
            ["'40001 40000'", "below the first", "legal: 1 .. 65535 ports"],
        ),
        ("net.ipv4.tcp_rmem", "9000 8000 70000", ["'9000 8000 70000'", "at least the one before it", "legal: 1 .. "]),
        ("net.ipv4.conf.all.send_redirects", "maybe", ["'maybe'", "legal: whole numbers"]),
        ("net.bridge.bridge-nf-call-iptables", 2, ["2 is outside", "legal: 0 .. 1 flag"]),
        ("net.ipv6.icmp.ratemask", "256", ["'256'", "from 0 to 255"]),
        (FASTOPEN_KEY, "0-1-2", ["'0-1-2'", "legal: four groups"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else None,
)
def test_a_refused_value_is_named_with_the_rule_and_what_is_legal(
    shared: Namespace, key: str, value: Any, words: list[str]
) -> None:
    has(shared, key)
    refused(shared, key, *words, settings={FIN: 31, key: value})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("net.ipv4.tcp_ecn", 256, ["'256'", "Invalid argument", "legal: 0 or more mode"]),
        ("net.ipv4.tcp_congestion_control", "nosuch", ["'nosuch'", "reno", "tcp_available_congestion_control"]),
        ("net.ipv4.ip_local_port_range", "10 65000", ["'10 65000'", "none below net.ipv4.ip_unprivileged_port_start"]),
        ("net.ipv4.tcp_early_retrans", 9, ["'9'", "legal: whole numbers, within bounds of the kernel's own"]),
    ],
)
def test_so_is_one_that_only_the_kernel_refuses(shared: Namespace, key: str, value: Any, words: list[str]) -> None:
    has(shared, key)
    before = shared.snapshot()
    outcome = shared.sysctl(name=key, value=value)
    one_sentence(outcome, key, *words, "All changes of this run were undone.")
    assert shared.snapshot() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("net.ipv4.neigh.v0.locktime", 7),
        ("net.ipv4.neigh.v0.proxy_delay", 501),
        ("net.ipv6.neigh.v0.anycast_delay", 30001),
        ("net.ipv6.neigh.v0.interval_probe_time_ms", 7),
        ("net.ipv6.conf.v0.mldv1_unsolicited_report_interval", 501),
        ("net.ipv6.icmp.ratelimit", 7),
        ("net.ipv6.route.gc_min_interval_ms", 501),
        ("net.ipv6.icmp.ratemask", "3-127,0,1"),
        ("net.ipv4.ping_group_range", "5 1"),
        ("net.ipv4.ping_group_range", "0 2147483647"),
        ("net.core.rps_default_mask", "01"),
        (FASTOPEN_KEY, "1-2-3-4"),
        (FASTOPEN_KEY, "1-2-3-4,A-B-C-D"),
        ("net.ipv6.conf.default.stable_secret", "2001:DB8::7"),
    ],
)
def test_a_value_that_the_kernel_spells_its_own_way_is_set_once(ns: Namespace, key: str, value: Any) -> None:
    ns.interface("v0", "v1")
    has(ns, key)
    foreseen = ns.sysctl({key: value}, check_mode=True)
    outcome = ns.sysctl({key: value})
    assert outcome.changed and foreseen.changed, outcome.text
    again = ns.sysctl({key: value})
    assert not again.failed, again.text
    assert not again.changed, again.text
    assert again.statuses == {key: "ok"}


@pytest.mark.parametrize("name", ["net.ipv4.conf.nosuch9.rp_filter", "net.ipv6.conf.nosuch9/1.accept_ra"])
def test_a_key_of_an_interface_that_is_not_here_says_so(shared: Namespace, name: str) -> None:
    refused(shared, name, "no network interface nosuch9", settings={FIN: 31, name: 1})
    outcome = shared.sysctl({SACK: 1, name: 1}, on_unavailable="warn", check_mode=True)
    assert not outcome.failed and outcome.statuses[name] == "unknown" and len(outcome.warnings) == 1
    # A key that no interface has is a typo all the same.
    refused(shared, "no such key", settings={"net.ipv4.conf.nosuch9.rp_filtre": 1}, on_unavailable="warn")


@pytest.mark.parametrize(
    "pattern", ["net.ipv4.tcp_fin_timeou[^x]", "net.ipv4.tcp_fin_timeou[[:alpha:]]", "net.ipv4.tcp_fin_\\timeou?"]
)
def test_a_pattern_is_read_as_the_c_library_reads_it(ns: Namespace, pattern: str) -> None:
    assert ns.sysctl({pattern: 31}).statuses == {FIN: "changed"}
    assert ns.module("sysctl_info", {"names": [pattern]}).setting(FIN)["live"]["after"] == "31"


def test_a_word_for_a_switch_is_one_for_a_key_that_is_not_here(ns: Namespace) -> None:
    """As ansible.posix.sysctl has it for every key: the kernel takes no words where it takes numbers."""
    assert ns.sysctl(name="net.nosuch.switch", value="yes", reload=False).changed
    assert ns.sysctl(name="net.nosuch.other", value=False, reload=False).changed
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == ["net.nosuch.switch=1", "net.nosuch.other=0"]


def test_a_key_that_is_gone_is_not_judged_by_its_value(shared: Namespace) -> None:
    before = shared.snapshot()
    outcome = shared.sysctl(name="net.ipv4.tcp_tw_recycle", value=7, ignoreerrors=True)
    assert not outcome.failed and outcome.statuses == {"net.ipv4.tcp_tw_recycle": "removed"}
    assert shared.snapshot() == before


def test_a_ring_of_links_of_somebody_else_stops_nobody(ns: Namespace) -> None:
    """systemd-sysctl and procps pass over it."""
    ns.sh("ln -s 50-ring.conf /etc/sysctl.d/50-ring.conf && ln -sf sysctl.conf /etc/sysctl.conf")
    assert ns.sysctl({FIN: 31}).changed
    assert ns.module("sysctl_info", {"names": [FIN]}).setting(FIN)["boot"]["value"] == "31"
    refused(ns, "no regular file", name=SACK, value=0, sysctl_file="/etc/sysctl.d/50-ring.conf")


def test_every_key_of_a_namespace_takes_what_it_has(ns: Namespace) -> None:
    """Each value that the kernel shows is one that it may be given: read all that can be written, set them, change nothing."""
    names = ["net.*.*", "net.*.*.*", "net.*.*.all.*", "net.*.*.default.*", "net.*.*.lo.*"]
    shown = ns.module("sysctl_info", {"names": names}).result["settings"]
    settings = {one["key"]: one["live"]["after"] for one in shown if one["status"] == "ok"}
    settings = {key: value for key, value in settings.items() if value not in (None, "********")}
    assert len(settings) > 400
    live = ns.snapshot()["live"]
    outcome = ns.sysctl(settings, live=True, persist=False)
    assert not outcome.failed, outcome.msg
    assert not outcome.changed and set(outcome.statuses.values()) == {"ok"}
    assert ns.snapshot()["live"] == live
