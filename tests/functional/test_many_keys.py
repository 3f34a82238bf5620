# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thousand keys in one call, on the interfaces that a large router has."""

from __future__ import annotations

from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace

INTERFACES = 48  # both ends of 24 pairs
# Switches with no side effect on another key.
SWITCHES = [
    "accept_local",
    "accept_source_route",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "arp_notify",
    "bootp_relay",
    "disable_policy",
    "disable_xfrm",
    "drop_gratuitous_arp",
    "drop_unicast_in_l2_multicast",
    "force_igmp_version",
    "ignore_routes_with_linkdown",
    "log_martians",
    "medium_id",
    "promote_secondaries",
    "proxy_arp_pvlan",
    "route_localnet",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
    "shared_media",
    "src_valid_mark",
    "tag",
]


def test_a_thousand_keys_in_one_call(ns: Namespace) -> None:
    pairs = [(f"a{number}.100", f"b{number}") for number in range(INTERFACES // 2)]
    lines = "".join(f"link add {one} type veth peer name {other}\n" for one, other in pairs)
    ns.run("ip", "-batch", "-", stdin=lines)
    names = [name.replace(".", "/") for pair in pairs for name in pair]
    keys = [f"net.ipv4.conf.{name}.{switch}" for name in names for switch in SWITCHES]
    before = ns.live(*keys)
    wanted = {key: "0" if before[key] == "1" else "1" for key in keys}
    assert len(keys) >= 1000

    predicted = ns.sysctl(wanted, check_mode=True)
    outcome = ns.sysctl(wanted)

    assert outcome.changed and outcome.report == predicted.report
    assert outcome.result["summary"] == {"changed": len(keys)}
    assert ns.live(*keys) == wanted
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [f"{key}={value}" for key, value in wanted.items()]
    assert all(one["boot"]["ours"] and one["boot"]["value"] == wanted[one["key"]] for one in outcome.result["settings"])

    stamp = ns.stamp(SYSCTL_FILE)
    again = ns.sysctl(wanted)
    assert not again.changed and again.result["summary"] == {"ok": len(keys)} and ns.stamp(SYSCTL_FILE) == stamp

    refused = ns.sysctl(
        dict({key: int(value) for key, value in before.items()}, **{"net.ipv4.tcp_congestion_control": "nosuch"})
    )
    assert refused.failed and len(refused.result["undone"]) == len(keys) and not refused.result["not_undone"]
    assert ns.live(*keys) == wanted and ns.stamp(SYSCTL_FILE) == stamp
