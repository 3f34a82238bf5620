# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input: one clear sentence that names the entry, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace, one_sentence

FIN = "net.ipv4.tcp_fin_timeout"
GOOD = {FIN: 31}


def _limit(**fields: Any) -> dict[str, Any]:
    return dict({"domain": "*", "item": "nofile"}, **fields)


BAD_KEYS = [
    ("../x", ["'../x'", "net.core.somaxconn"]),
    ("net/../../etc/passwd", ["'net/../../etc/passwd'", "leads outside /proc/sys"]),
    ("net.ipv4.tcp_sack\nkernel.panic", ["white space or a control character"]),
    ("net.ipv4.tcp_sack\0", ["white space or a control character"]),
    ("net..tcp_sack", ["'net..tcp_sack'", "empty segment"]),
    ("net.ipv4.", ["'net.ipv4.'", "empty segment"]),
    (".net.ipv4", ["'.net.ipv4'", "empty segment"]),
    ("/net/ipv4/tcp_sack", ["'/net/ipv4/tcp_sack'", "empty segment"]),
    ("net ipv4 tcp_sack", ["'net ipv4 tcp_sack'", "white space"]),
    ("net.ipv4.nosuch_*", ["net.ipv4.nosuch_*", "no key on this kernel matches the pattern"]),
    ("-net.ipv4.tcp_sack", ["'-net.ipv4.tcp_sack'"]),
    ("#net.ipv4.tcp_sack", ["'#net.ipv4.tcp_sack'"]),
    ("net.ipv4.tcp_sack=1", ["'net.ipv4.tcp_sack=1'"]),
    ("hostname", ["'hostname'", "one word"]),
    ("net.ipv4", ["net.ipv4:", "no such key"]),
]

BAD_VALUES = [
    (FIN, "abc", ["'abc' is not an integer", "1 .. ", "seconds"]),
    (FIN, "", ["cannot be blank"]),
    (FIN, 1.5, ["1.5"]),
    (FIN, "30 # half", ["not an integer"]),
    (FIN, "30\n31", ["line break"]),
    (FIN, "1e3", ["'1e3'"]),
    (FIN, "010", ["'010'", "leading zero"]),
    (FIN, None, ["missing"]),
    (FIN, [30, 31], ["2 numbers", "takes 1"]),
    (FIN, [[30]], ["not an integer"]),
    (FIN, -1, ["-1", "sane range"]),
    (FIN, 99999999999, ["99999999999"]),
    ("net.ipv4.tcp_sack", 256, ["256", "kernel's range 0 .. 255"]),
    ("net.ipv4.tcp_syn_retries", 0, ["kernel's range 1 .. 127"]),
    ("net.core.somaxconn", 2147483648, ["2147483648", "kernel's range"]),
    ("net.ipv4.tcp_rmem", "4096 131072", ["2 numbers", "takes 3"]),
    ("net.ipv4.tcp_rmem", [1, 2, 3, 4], ["4 numbers", "takes 3"]),
    ("net.ipv4.tcp_rmem", {"at_least": [4096, 131072]}, ["2 numbers", "takes 3"]),
    ("net.ipv4.tcp_rmem", "4096 many 16777216", ["'many'"]),
    ("net.ipv4.ip_local_reserved_ports", "8080-", ["not a list of ports"]),
    ("net.ipv4.ip_local_reserved_ports", "9010-9000", ["not a list of ports"]),
    ("net.ipv4.ip_local_reserved_ports", "65536", ["not a list of ports"]),
    ("net.ipv4.tcp_congestion_control", {"at_least": 5}, ["at_least", "does not hold numbers"]),
    (FIN, {"at_least": True}, ["at_least takes a number"]),
    (FIN, {"value": 1, "at_least": 2}, ["exactly one of", "value and at_least"]),
    (FIN, {}, ["exactly one of", "none"]),
    (FIN, {"atleast": 2}, ["'atleast'", "at_least"]),
    (FIN, {"value": {"a": 1}}, ["a"]),
    ("net.ipv4.conf.all.send_redirects", "maybe", ["'maybe'"]),
]

BAD_LIMITS = [
    (_limit(soft="64k"), ["'64k'", "pam_limits would read something else"]),
    (_limit(soft="65,535"), ["'65,535'"]),
    (_limit(soft=""), ["''"]),
    ({"unit": "web", "item": "nofile", "soft": "64K"}, ["Limit web nofile", "'64K'"]),
    ({"unit": "web", "item": "nofile", "soft": "70000:65535"}, ["Limit web nofile", "'70000:65535'"]),
    ({"unit": "web", "item": "nofile", "hard": "1:"}, ["Limit web nofile", "'1:'"]),
    ({"manager": "system", "item": "nofile", "hard": "65,535"}, ["manager system", "'65,535'"]),
    ({"process": "x", "item": "nofile", "soft": 2000, "hard": 1000}, ["process x", "soft 2000 is above hard 1000"]),
    ({"unit": "web", "item": "maxlogins", "hard": 1}, ["Limit web maxlogins", "applies to sessions only"]),
    (_limit(soft="1e5"), ["'1e5'"]),
    (_limit(soft="0x1000"), ["'0x1000'"]),
    (_limit(soft=-2), ["-2"]),
    (_limit(soft=1.5), ["1.5"]),
    (_limit(soft=True), ["True"]),
    (_limit(soft=2000, hard=1000), ["soft 2000 is above hard 1000"]),
    (_limit(), ["neither soft nor hard"]),
    (_limit(soft={"at_least": 1, "value": 2}), ["exactly one of"]),
    (_limit(soft={"min": 1}), ["'min'"]),
    ({"domain": "a b", "item": "nofile", "soft": 1}, ["'a b'", "never match"]),
    ({"domain": "", "item": "nofile", "soft": 1}, ["not a domain"]),
    ({"domain": "a\n* - nofile 1", "item": "nofile", "soft": 1}, ["never match"]),
    ({"domain": "#a", "item": "nofile", "soft": 1}, ["'#a'"]),
    ({"domain": "@", "item": "nofile", "soft": 1}, ["matches nobody"]),
    ({"domain": "2000:1000", "item": "nofile", "soft": 1}, ["'2000:1000'"]),
    ({"domain": "%users", "item": "nofile", "soft": 1}, ["maxlogins"]),
    ({"domain": "*", "item": "nice", "soft": 20}, ["-20 to 19"]),
]


def refused(ns: Namespace, module: str, options: dict[str, Any], *words: str) -> None:
    """Refused in check mode and out of it, in the same words, with nothing changed."""
    before = ns.snapshot()
    for check_mode in (True, False):
        outcome = ns.module(module, options, check_mode=check_mode)
        one_sentence(outcome, *words)
        assert not outcome.changed
    assert ns.snapshot() == before


@pytest.mark.parametrize("key, words", BAD_KEYS, ids=[repr(key) for key, _words in BAD_KEYS])
def test_a_malformed_key(shared: Namespace, key: str, words: list[str]) -> None:
    refused(shared, "sysctl", {"settings": dict(GOOD, **{key: 1})}, *words)
    refused(shared, "profile", {"name": "x", "sysctl": dict(GOOD, **{key: 1})}, *words)


@pytest.mark.parametrize("key, value, words", BAD_VALUES, ids=[f"{key}={value!r}" for key, value, _words in BAD_VALUES])
def test_a_value_that_cannot_be_meant(shared: Namespace, key: str, value: Any, words: list[str]) -> None:
    settings = {"net.ipv4.tcp_keepalive_time": 1000, key: value}
    refused(shared, "sysctl", {"settings": settings}, key, *words)


@pytest.mark.parametrize("entry, words", BAD_LIMITS, ids=[repr(sorted(entry.items())) for entry, _words in BAD_LIMITS])
def test_a_limit_that_cannot_be_meant(shared: Namespace, entry: dict[str, Any], words: list[str]) -> None:
    good = {"domain": "someone", "item": "nofile", "soft": 1}
    refused(shared, "limits", {"limits": [good, entry]}, "Limit", entry["item"], *words)


@pytest.mark.parametrize(
    "settings",
    [
        {FIN: 30, "net/ipv4/tcp_fin_timeout": 31},
        {FIN: {"at_least": 30}, "net/ipv4/tcp_fin_timeout": {"at_most": 30}},
        {"net.ipv4.conf.v0/1.rp_filter": 1, "net.ipv4.conf.v0.1.rp_filter": 2},
    ],
    ids=str,
)
def test_two_entries_that_contradict_each_other(shared: Namespace, settings: dict[str, Any]) -> None:
    refused(shared, "sysctl", {"settings": settings}, "is requested twice")


def test_two_limits_that_contradict_each_other(shared: Namespace) -> None:
    refused(shared, "limits", {"limits": [_limit(soft=1), _limit(soft=2)]}, "* nofile is requested twice")


def test_every_bad_entry_of_a_batch_is_named_in_one_go(shared: Namespace) -> None:
    before = shared.snapshot()
    outcome = shared.sysctl({"../x": 1, "net..y": 1, FIN: None})
    assert outcome.failed
    lines = outcome.msg.splitlines()
    assert lines[0] == "3 entries are refused, nothing was written:"
    assert ["'../x'" in lines[1], "'net..y'" in lines[2], FIN in lines[3]] == [True, True, True]
    outcome = shared.sysctl({FIN: "a", "net.ipv4.tcp_sack": 999, "net.ipv4.tcp_rmem": "1"})
    assert outcome.failed and len(outcome.msg.splitlines()) == 4
    assert set(outcome.statuses.values()) == {"refused"}
    assert shared.snapshot() == before


@pytest.mark.parametrize(
    "module, options, words",
    [
        ("sysctl", {}, ["name", "settings"]),
        ("sysctl", {"name": FIN}, ["value"]),
        ("sysctl", {"name": "", "value": 1}, ["name"]),
        ("sysctl", {"name": FIN, "value": ""}, ["value"]),
        ("sysctl", {"name": FIN, "value": 1, "settings": GOOD}, ["name|settings"]),
        ("sysctl", {"settings": ["a"]}, ["settings"]),
        ("sysctl", {"settings": GOOD, "on_unavailable": "perhaps"}, ["on_unavailable", "perhaps"]),
        ("limits", {}, ["limits", "domain"]),
        ("limits", {"domain": "*"}, ["limit_type"]),
        ("limits", {"domain": "*", "limit_type": "soft", "limit_item": "nofile"}, ["value"]),
        ("limits", {"limits": [{"item": "nofile"}]}, ["domain"]),
        ("limits", {"limits": [_limit(item="nofiles", soft=1)]}, ["item", "nofiles"]),
        ("limits", {"limits": [_limit(softly=1)]}, ["softly"]),
        ("limits", {"domain": "*", "limit_type": "soft", "limit_item": "nofile", "value": "64k"}, ["'64k'"]),
        ("limits", {"domain": "a\nb", "limit_type": "soft", "limit_item": "nofile", "value": "1"}, ["'a\\nb'"]),
        ("sysctl_info", {"names": ["../x"]}, ["'../x'"]),
        ("limits_info", {"users": ["no such user"]}, ["no such user"]),
        ("limits_info", {"users": ["a\0b"]}, ["no such user"]),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant(
    shared: Namespace, module: str, options: dict[str, Any], words: list[str]
) -> None:
    before = shared.snapshot()
    outcome = shared.module(module, options)
    assert outcome.failed and "\n" not in outcome.msg, outcome.text
    assert not [word for word in words if word not in outcome.msg], outcome.msg
    assert shared.snapshot() == before


def test_a_hazard_that_was_not_accepted_is_named(shared: Namespace) -> None:
    hazard = {"value": 0, "hazard": "recovery from loss gets slow"}
    options = {"name": "x", "sysctl": {"net.ipv4.tcp_sack": hazard}}
    before, text = shared.snapshot(), "net.ipv4.tcp_sack has a hazard: recovery from loss gets slow."
    outcome = shared.module("profile", options)
    one_sentence(outcome, text, "accept_hazards")
    # An audit compares all the same, and warns.
    compared = shared.module("profile", options, check_mode=True)
    assert not compared.failed and text in compared.text
    assert shared.snapshot() == before


def test_an_accepted_hazard_is_applied(ns: Namespace) -> None:
    hazard = {"value": 0, "hazard": "recovery from loss gets slow"}
    assert ns.profile(name="x", sysctl={"net.ipv4.tcp_sack": hazard}, accept_hazards=True).changed
    assert ns.live("net.ipv4.tcp_sack") == {"net.ipv4.tcp_sack": "0"}
