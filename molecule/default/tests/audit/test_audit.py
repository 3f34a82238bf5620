# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit of a tuned fleet: clean, until somebody alters a value by hand on one host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fleet
import pytest
import testinfra
from testinfra.host import Host

SUITE, KEY, BY_HAND = "bookworm", "net.ipv4.tcp_fin_timeout", "61"


@pytest.fixture(scope="module")
def clean() -> dict[str, dict[str, Any]]:
    return fleet.play("tunefleet.linux.audit")


@pytest.fixture(scope="module")
def altered(request: pytest.FixtureRequest, clean: dict[str, dict[str, Any]]) -> Iterator[Host]:
    (spec,) = (spec for spec in request.config.option.hosts.split(",") if spec.endswith(SUITE))
    host = testinfra.get_host(spec)
    before = fleet.live(host)[KEY]
    host.check_output(f"sysctl -w {KEY}={BY_HAND}")
    yield host
    host.check_output(f"sysctl -w {KEY}={before}")


@pytest.fixture(scope="module")
def drifted(altered: Host) -> dict[str, dict[str, Any]]:
    return fleet.play("tunefleet.linux.audit")


def test_a_tuned_host_is_clean(clean: dict[str, dict[str, Any]], name: str) -> None:
    assert clean[name]["changed"] is False
    assert fleet.differences(clean[name]) == []


def test_every_key_is_accounted_for(clean: dict[str, dict[str, Any]], name: str) -> None:
    found = fleet.statuses(clean[name])
    assert {found[key] for key in fleet.CHANGED} == {"ok"}
    assert {found[key] for key in [*fleet.EXACTLY, *fleet.AT_LEAST]} <= {"ok", "kept"}
    assert {found[key] for key in fleet.NOT_HERE} == {"not_namespaced"}
    assert {limit["item"]: limit["status"] for limit in clean[name]["limits"]} == dict.fromkeys(fleet.LIMITS, "ok")


def test_the_audit_names_what_was_altered_and_where(drifted: dict[str, dict[str, Any]], name: str) -> None:
    answer = drifted[name]
    here = name.endswith(SUITE)
    assert answer["changed"] is here
    assert fleet.differences(answer) == ([KEY] if here else [])
    if here:
        (setting,) = (setting for setting in answer["settings"] if setting["key"] == KEY)
        assert setting["live"] == {"before": BY_HAND, "after": fleet.EXACTLY[KEY]}
        assert setting["boot"]["value"] == fleet.EXACTLY[KEY]


def test_the_audit_put_nothing_right(drifted: dict[str, dict[str, Any]], altered: Host) -> None:
    assert fleet.live(altered)[KEY] == BY_HAND
