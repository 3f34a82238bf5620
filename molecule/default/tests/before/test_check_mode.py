# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Before anything is applied: check mode predicts the changes and makes none."""

from __future__ import annotations

from typing import Any

import molecule_fleet as fleet
import pytest
import testinfra
from testinfra.host import Host

# Every net key with its value, and every file below /etc with its content, owner, mode and time.
LOOK = (
    "grep -rs . /proc/sys/net /proc/sys/fs/file-max /proc/sys/fs/nr_open | sort;"
    " find /etc /var/lib/tunefleet -printf '%p %y %m %u %g %s %T@ %l\\n' 2>&1 | sort;"
    " find /etc /var/lib/tunefleet -type f -exec sha256sum {} + 2>&1 | sort"
)


@pytest.fixture(scope="module")
def hosts_before(request: pytest.FixtureRequest) -> dict[str, str]:
    hosts = testinfra.get_hosts(request.config.option.hosts.split(","))
    return {host.backend.name: host.check_output(LOOK) for host in hosts}


@pytest.fixture(scope="module")
def predicted(hosts_before: dict[str, str]) -> dict[str, dict[str, Any]]:
    return fleet.play("converge.yml", "--check", "--diff")


@pytest.mark.parametrize("key", fleet.CHANGED)
def test_the_host_is_not_yet_tuned(values: dict[str, str], key: str) -> None:
    assert not fleet.is_met(key, values[key])


@pytest.mark.parametrize("login", fleet.LOGINS)
def test_a_login_has_other_limits(host: Host, login: str) -> None:
    limits = fleet.login_limits(host, login)
    assert set(limits) == set(fleet.LIMITS)
    for item, (soft, hard) in limits.items():
        assert soft != fleet.LIMITS[item][0]
        assert hard != fleet.LIMITS[item][1]


def test_check_mode_predicts_changes(predicted: dict[str, dict[str, Any]], name: str) -> None:
    answer = predicted[name]
    assert answer["changed"] is True
    found = fleet.statuses(answer)
    assert {found[key] for key in fleet.CHANGED} == {"changed"}
    assert {limit["item"]: limit["status"] for limit in answer["limits"]} == dict.fromkeys(fleet.LIMITS, "changed")


def test_check_mode_shows_the_difference(predicted: dict[str, dict[str, Any]], name: str) -> None:
    diff = "\n".join(f"{part.get('after_header')} {part.get('after')}" for part in predicted[name]["diff"])
    assert fleet.SYSCTL_FILE in diff
    assert fleet.LIMITS_FILE in diff


def test_check_mode_changes_nothing(
    predicted: dict[str, dict[str, Any]], hosts_before: dict[str, str], host: Host, name: str
) -> None:
    assert host.check_output(LOOK).splitlines() == hosts_before[name].splitlines()
