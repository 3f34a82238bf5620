# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import headline
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import fleets
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report.fleets import (
    fleet,
    host,
    lost,
    setting,
)


def test_what_a_terminal_is_told() -> None:
    assert headline.lines(fleet()) == [
        "Audit of 5 hosts: 1 as wanted, 2 drifted, 1 failed, 1 unreachable.",
        "drift: * nofile on web2",
        "drift: net.ipv4.tcp_fin_timeout on web10",
        "failed: db2",
        "unreachable: db1",
    ]


def test_the_length_is_bounded() -> None:
    told = headline.lines(fleet(fleets.large(400, 40)))
    assert len(told) == 8
    assert told[1].endswith(" and 4 more") and told[6] == "drift: 33 more settings"
    assert all(len(line) < 120 for line in told)


def test_no_host_moves_the_cursor() -> None:
    assert all(line.isprintable() for line in headline.lines(fleet(fleets.hostile())))


@pytest.mark.parametrize(
    ("outcomes", "on_drift", "on_lost", "sentence"),
    [
        ([host("a", setting())], True, True, ""),
        ([host("a", setting(status="changed", found="1"))], False, True, ""),
        ([host("a", setting(status="changed", found="1"))], True, True, "1 of 1 host drifted"),
        ([host("a"), lost("b")], False, True, "1 of 2 hosts could not be audited"),
        ([host("a"), lost("b")], False, False, ""),
        ([host("a"), lost("b")], True, False, "1 of 2 hosts could not be audited"),
        (fleets.mixed(), True, True, "2 of 5 hosts drifted and 2 of 5 hosts could not be audited"),
    ],
)
def test_when_a_run_fails(outcomes: list[fleets.Outcome], on_drift: bool, on_lost: bool, sentence: str) -> None:
    assert headline.failure_message(fleet(outcomes), on_drift, on_lost) == sentence
