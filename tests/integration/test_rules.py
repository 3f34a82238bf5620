# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules across keys, on the real kernel, in each of the ways that a change is asked for."""

from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.tests.integration.namespace import Namespace, one_sentence

REUSE, STAMPS, FIN = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps", "net.ipv4.tcp_fin_timeout"
SCALING, RANGE = "net.ipv4.tcp_window_scaling", "net.ipv4.ip_local_port_range"


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
@pytest.mark.parametrize("way", ["settings", "profile"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({REUSE: 1, STAMPS: 0, FIN: 31}, ["net.ipv4.tcp_timestamps 0 (asked for)", "[rule tw_reuse_needs_timestamps]"]),
        ({SCALING: 0, FIN: 31}, [SCALING, "net.ipv4.tcp_rmem", "to 65535 [rule large_buffers_need_window_scaling]"]),
        ({RANGE: [1023, 65535], FIN: 31}, [RANGE, "lower net.ipv4.ip_unprivileged_port_start to 1023"]),
    ],
    ids=["tw_reuse", "window_scaling", "port_range"],
)
def test_refused_before_any_write(
    ns: Namespace, settings: dict[str, object], words: list[str], way: str, check_mode: bool
) -> None:
    before = ns.snapshot()
    options = {"settings" if way == "settings" else "sysctl": settings}
    outcome = ns.module("sysctl" if way == "settings" else "profile", options, check_mode=check_mode)
    one_sentence(outcome, *words, "Nothing was written.")
    assert [one["refused"] for one in outcome.result["rules"]].count(True) == 1
    assert ns.snapshot() == before


def test_key_after_key_and_accepted_hazards_are_warned(ns: Namespace) -> None:
    assert not ns.module("sysctl", {"name": REUSE, "value": 1}).warnings
    outcome = ns.module("sysctl", {"name": STAMPS, "value": 0})
    assert outcome.changed and "[rule tw_reuse_needs_timestamps]" in outcome.warnings[0]
    outcome = ns.profile(sysctl={REUSE: 1, STAMPS: 0, SCALING: 0}, accept_hazards=True)
    assert not outcome.failed and len(outcome.warnings) == 2
    assert ns.live(REUSE, STAMPS, SCALING) == {REUSE: "1", STAMPS: "0", SCALING: "0"}


def test_a_host_that_breaks_rules_already_takes_an_unrelated_change(ns: Namespace) -> None:
    ns.set_live({REUSE: "1", STAMPS: "0", SCALING: "0"})
    outcome = ns.profile(sysctl={FIN: 31})
    assert outcome.changed and not outcome.warnings and outcome.result["rules"] == []
