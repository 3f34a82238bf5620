# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The profile is in force: after it was applied, and again after the restart."""

from __future__ import annotations

import molecule_fleet as fleet
import pytest
from testinfra.host import Host


@pytest.mark.parametrize("key", [*fleet.EXACTLY, *fleet.AT_LEAST])
def test_live_value(values: dict[str, str], key: str) -> None:
    assert fleet.is_met(key, values[key]), f"{key} is {values[key]}"


def test_the_file_holds_what_was_changed(host: Host, values: dict[str, str]) -> None:
    file = host.file(fleet.SYSCTL_FILE)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)
    persistent = fleet.sysctl_entries(host)
    assert set(fleet.CHANGED) <= set(persistent)
    assert {key: values[key] for key in persistent} == persistent


@pytest.mark.parametrize("key", fleet.NOT_HERE)
def test_the_file_leaves_out_what_belongs_to_the_machine(host: Host, key: str) -> None:
    assert key not in fleet.sysctl_entries(host)


def test_the_boot_reads_the_file(host: Host) -> None:
    """systemd-sysctl, asked which files it reads, names ours with each of its lines."""
    read = host.check_output("/lib/systemd/systemd-sysctl --cat-config")
    assert f"# {fleet.SYSCTL_FILE}" in read.splitlines()
    assert host.service("systemd-sysctl").is_running


def test_limits_file(host: Host) -> None:
    file = host.file(fleet.LIMITS_FILE)
    assert (file.user, file.group, file.mode) == ("root", "root", 0o644)
    wanted = {}
    for item, (soft, hard) in fleet.LIMITS.items():
        wanted["*", "soft", item] = soft
        wanted["*", "hard", item] = hard
    assert fleet.limits_entries(host) == wanted


@pytest.mark.parametrize("login", fleet.LOGINS)
def test_a_login_has_the_limits(host: Host, login: str) -> None:
    assert fleet.login_limits(host, login) == fleet.LIMITS
