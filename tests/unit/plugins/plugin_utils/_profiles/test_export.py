# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import export

WHY = {"why": "Because.", "source": ["memo_ko:1", "kernel_ip"]}


def exported(sysctl: dict[str, t.Any] | None = None, limits: list[dict[str, t.Any]] | None = None) -> export.Exported:
    return export.export({"name": "a,b", "title": "A + B", "sysctl": sysctl or {}, "limits": limits or []})


def test_sysctl() -> None:
    found = exported(
        {
            "net.core.somaxconn": {"at_least": 8192, **WHY},
            "net.ipv4.conf.eth0/100.rp_filter": {"value": 1, **WHY, "hazard": "Breaks\nthings."},
            "net.ipv4.tcp_rmem": {"at_most": [1, 2, 3], "why": "W.", "source": []},
        }
    )
    assert found.sysctl.splitlines() == [
        "# A + B (a,b), written by tunefleet.linux.",
        "",
        "# Because.",
        "# Source: memo_ko:1, kernel_ip",
        "# At least this in the profile; here it lowers a host that has more.",
        "net.core.somaxconn = 8192",
        "",
        "# Because.",
        "# Source: memo_ko:1, kernel_ip",
        "# HAZARD: Breaks things.",
        "net.ipv4.conf.eth0/100.rp_filter = 1",
        "",
        "# W.",
        "# At most this in the profile; here it raises a host that has less.",
        "net.ipv4.tcp_rmem = 1 2 3",
    ]
    assert (found.limits, found.left_out, found.bounds) == ("", [], 2)


def test_keys_that_depend_on_each_other_come_in_an_order_that_a_boot_takes() -> None:
    """From the kernel's defaults, 1024 and 32768 60999: the first port falls first, and rises last."""
    ports, start = "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"
    forward, redirects = "net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"

    def order(**values: t.Any) -> list[str]:
        names = {"ports": ports, "start": start, "forward": forward, "redirects": redirects}
        found = exported({names[name]: {"value": value, **WHY} for name, value in values.items()})
        return [line.partition(" =")[0] for line in found.sysctl.splitlines() if " = " in line]

    assert order(ports=[100, 65000], start=80) == [start, ports]
    assert order(start=40000, ports="41000 65000") == [ports, start]
    assert order(ports=[100, 65000], redirects=1, forward=1) == [forward, redirects, ports]


def test_limits() -> None:
    rule = {"domain": "*", "item": "nofile", "soft": {"value": 9}, "hard": {"at_least": "unlimited"}, **WHY}
    found = exported(limits=[rule, {"domain": "x", "item": "core", "soft": {"value": 0}, "why": "W.", "source": ["s"]}])
    assert found.limits.splitlines()[1:] == [
        "",
        "# Because.",
        "# Source: memo_ko:1, kernel_ip",
        "# At least this in the profile; here it lowers a host that has more.",
        "* soft nofile 9",
        "* hard nofile unlimited",
        "",
        "# W.",
        "# Source: s",
        "x soft core 0",
    ]
    assert (found.sysctl, found.bounds) == ("", 1)


def test_what_no_file_can_say_is_told() -> None:
    sized = {"per_gib": 65536, "max": 9}
    found = exported(
        {
            "net.ipv4.tcp_tw_recycle": {"value": 1, **WHY},
            "net.ipv4.tcp_fack": {"value": 1, **WHY},
            "a.b": {"at_least": sized, **WHY},
            "c.d": {"at_least": [1, {"largest": [5, sized]}], **WHY},
            "e.f": {"value": 1, **WHY},
        },
        [
            {"domain": "*", "item": "nofile", "soft": {"at_least": sized}, "hard": {"value": 5}, **WHY},
            {"domain": "x", "item": "nofile", "soft": {"at_least": sized}, **WHY},
            {"unit": "nginx.service", "item": "nofile", "soft": {"value": 5}, **WHY},
        ],
    )
    assert [line for line in found.sysctl.splitlines() if line and line[0] != "#"] == ["e.f = 1"]
    assert [line for line in found.limits.splitlines() if line and line[0] != "#"] == ["* hard nofile 5"]
    assert found.left_out == [
        "net.ipv4.tcp_tw_recycle: gone or ignored since Linux 4.12.",
        "net.ipv4.tcp_fack: gone or ignored since Linux 4.15.",
        "a.b: at_least 65536 per GiB (at most 9) depends on the host.",
        "c.d: at_least 1 the largest of 5 and 65536 per GiB (at most 9) depends on the host.",
        "* nofile soft: at_least 65536 per GiB (at most 9) depends on the host.",
        "x nofile soft: at_least 65536 per GiB (at most 9) depends on the host.",
        "nofile of unit nginx.service: is no rule of limits.conf(5).",
    ]
