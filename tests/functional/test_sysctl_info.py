# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading: sysctl_info shows what the kernel has and what the files say, and changes nothing."""

from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace, path_of

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"


def test_without_names_every_key_of_the_files_is_read(ns: Namespace) -> None:
    ns.write("/etc/sysctl.d/10.conf", f"{KEEPALIVE}=600\nnet/ipv4/tcp_fin_timeout=40\nnet.ipv4.tcp_r*=5\n")
    ns.write(SYSCTL_FILE, f"# ours\n{FIN}=30\n")
    before = ns.snapshot()
    outcome = ns.module("sysctl_info", {})
    assert ns.snapshot() == before and not outcome.changed
    keys = [one["key"] for one in outcome.result["settings"]]
    # A pattern sets the keys that it stands for.
    assert {FIN, KEEPALIVE, "net.ipv4.tcp_rmem"} <= set(keys)
    assert all(key in (FIN, KEEPALIVE) or key.startswith("net.ipv4.tcp_r") for key in keys)
    fin, keepalive = outcome.setting(FIN), outcome.setting(KEEPALIVE)
    assert fin["live"] == {"before": "60", "after": "60"}
    assert fin["file"] == {"path": SYSCTL_FILE, "before": "30", "after": "30"}
    assert (fin["boot"]["value"], fin["boot"]["winner"], fin["boot"]["ours"]) == ("30", SYSCTL_FILE + ":2", True)
    assert fin["files"] == ["/etc/sysctl.d/10.conf:2", SYSCTL_FILE + ":2"]
    assert fin["reason"] == "the live value 60 differs from the effective value after boot, 30"
    assert keepalive["file"]["before"] is None and not keepalive["boot"]["ours"]
    assert keepalive["boot"]["winner"] == "/etc/sysctl.d/10.conf:1"


@pytest.mark.parametrize(
    "pattern", ["net.ipv4.tcp_keepalive_*", "net/ipv4/tcp_keepalive_*", "net.*.tcp_keepalive_[a-z]*"]
)
def test_patterns_find_the_keys_of_the_kernel(shared: Namespace, pattern: str) -> None:
    outcome = shared.module("sysctl_info", {"names": [pattern]})
    keys = [f"net.ipv4.tcp_keepalive_{end}" for end in ("intvl", "probes", "time")]
    assert {one["key"]: one["live"]["after"] for one in outcome.result["settings"]} == shared.live(*keys)


def test_every_key_of_this_kernel_can_be_read(shared: Namespace) -> None:
    """Write-only, secret and binary ones included; values are the kernel's own, but for the secrets."""
    outcome = shared.module("sysctl_info", {"names": ["*.*", "*.*.*", "*.*.*.*", "*.*.*.*.*"]})
    assert not outcome.failed and len(outcome.result["settings"]) > 500
    found = {one["key"]: one["live"]["after"] for one in outcome.result["settings"]}
    keys = [key for key in found if key.startswith("net.ipv4.tcp_") and found[key] is not None]
    keys = [key for key in keys if "\n" not in found[key]]
    assert found["net.ipv4.tcp_fastopen_key"] == "********"
    assert {key: found[key] for key in keys} == {**shared.live(*keys), "net.ipv4.tcp_fastopen_key": "********"}
    assert found["net.ipv4.route.flush"] is None
    assert outcome.setting("net.core.rmem_max")["status"] == "not_namespaced"
    assert outcome.setting("vm.swappiness")["status"] == "read_only"


def test_names_that_are_not_here_have_their_status(shared: Namespace) -> None:
    outcome = shared.module("sysctl_info", {"names": ["net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_fin_timeou"]})
    assert outcome.statuses == {"net.ipv4.tcp_tw_recycle": "removed", "net.ipv4.tcp_fin_timeou": "unknown"}
    assert outcome.result["summary"] == {"removed": 1, "unknown": 1}
    assert shared.run("test", "-e", path_of("net.ipv4.tcp_tw_recycle"), check=False).returncode != 0
