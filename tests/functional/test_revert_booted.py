# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Profiles with kernel parameters, rules, unit drop-ins and manager defaults, taken back on a host that systemd has booted.

Restarts in between are in test_journeys_booted.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.booted_host import BootedHost
from ansible_collections.tunefleet.linux.tests.environments.containers import NotHere

PLACES = "/etc/sysctl.d /etc/security /etc/systemd/system /etc/systemd/system.conf.d /etc/systemd/user.conf.d /var/lib/tunefleet"
FIN, SOMAXCONN = "net.ipv4.tcp_fin_timeout", "net.core.somaxconn"
UNIT_FILE = "/etc/systemd/system/web.service.d/99-tunefleet.conf"

PROFILES: dict[str, dict[str, Any]] = {
    "a": {
        "sysctl": {FIN: 31, SOMAXCONN: 6000},
        "limits": [
            {"domain": "*", "item": "nofile", "soft": 2000, "hard": 4000},
            {"unit": "web.service", "item": "nofile", "soft": 3000, "hard": 6000},
        ],
    },
    "b": {
        "sysctl": {SOMAXCONN: {"at_least": 5000}},
        "limits": [
            {"unit": "web.service", "item": "nproc", "soft": 500, "hard": 600},
            {"manager": "system", "item": "nofile", "soft": 2048, "hard": 8192},
        ],
    },
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedHost]:
    try:
        found = BootedHost("bookworm", tmp_path_factory.mktemp("booted"))
    except NotHere as problem:
        pytest.skip(str(problem))
    try:
        found.write({"/etc/systemd/system/web.service": "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"})
        found.sh("systemctl daemon-reload; systemctl start web")
        yield found
    finally:
        found.close()


def state(host: BootedHost) -> str:
    """Every name and byte, the live values, and what systemd would give."""
    return host.sh(
        f"find {PLACES} -printf '%p %y %m\\n' 2>/dev/null | sort; find {PLACES} -type f -exec md5sum {{}} + 2>/dev/null | sort; "
        f"sysctl {FIN} {SOMAXCONN}; systemctl show -p LimitNOFILE -p LimitNPROC -p NeedDaemonReload web; "
        "systemctl show -p DefaultLimitNOFILE"
    )


def apply(host: BootedHost, name: str) -> Any:
    outcome = host.module("profile", dict(PROFILES[name], name=name))
    assert outcome.changed and not outcome.failed, outcome.text
    return outcome


def revert(host: BootedHost, name: str | None = None, **how: Any) -> Any:
    outcome = host.module("profile", {"name": name, "state": "reverted"}, **how)
    assert not outcome.failed, outcome.text
    return outcome


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_units_and_managers_are_in_the_ledger(host: BootedHost, order: str) -> None:
    start = state(host)
    for name in "ab":
        apply(host, name)
    assert host.sh(f"cat {UNIT_FILE}").endswith("[Service]\nLimitNOFILE=3000:6000\nLimitNPROC=500:600\n")
    first, last = order
    predicted = revert(host, first, check_mode=True)
    outcome = revert(host, first)
    assert predicted.report == outcome.report and "restart:web.service" in outcome.result["needs"]
    kept = "LimitNPROC=500:600" if first == "a" else "LimitNOFILE=3000:6000"
    assert host.sh(f"cat {UNIT_FILE}").endswith("[Service]\n" + kept + "\n")
    # systemd has read its files again, and no unit was restarted for it.
    shown = host.sh("systemctl show -p LimitNOFILE -p LimitNPROC -p NeedDaemonReload web")
    assert "NeedDaemonReload=no" in shown and ("LimitNPROC=600" in shown) == (first == "a")
    assert revert(host, last).changed
    assert state(host) == start
    assert not revert(host).changed
