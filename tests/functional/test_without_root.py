# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Without root: reading and predicting work, changing is one clear sentence."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LIMITS_FILE,
    SYSCTL_FILE,
    Namespace,
    one_sentence,
)

FIN = "net.ipv4.tcp_fin_timeout"
SETTINGS = {FIN: 31, "net.core.somaxconn": {"at_least": 8192}, "net.ipv4.tcp_sack": {"at_least": 1}}
LIMITS = [{"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}]
RUNS: list[Any] = [
    pytest.param("sysctl", {"settings": SETTINGS}, id="sysctl"),
    pytest.param("limits", {"limits": LIMITS}, id="limits"),
    pytest.param("profile", {"name": "x", "sysctl": SETTINGS, "limits": LIMITS}, id="profile"),
]


@pytest.mark.parametrize("module, options", RUNS)
def test_a_change_is_refused_in_one_sentence(shared: Namespace, module: str, options: dict[str, Any]) -> None:
    before = shared.snapshot()
    outcome = shared.module(module, options, nobody=True)
    assert shared.snapshot() == before
    one_sentence(outcome, "needs root", "nobody", "become", "Nothing was written.")


@pytest.mark.parametrize("module, options", RUNS)
def test_check_mode_predicts_what_root_would_do(ns: Namespace, module: str, options: dict[str, Any]) -> None:
    before = ns.snapshot()
    predicted = ns.module(module, options, check_mode=True, nobody=True)
    assert ns.snapshot() == before
    assert predicted.changed
    assert ns.module(module, options).report == predicted.report


@pytest.mark.parametrize("module, options", RUNS)
def test_nothing_to_do_needs_no_root(ns: Namespace, module: str, options: dict[str, Any]) -> None:
    ns.module(module, options)
    outcome = ns.module(module, options, nobody=True)
    assert not outcome.failed and not outcome.changed


def test_reading_needs_no_root(ns: Namespace) -> None:
    ns.write(SYSCTL_FILE, FIN + "=31\n")
    ns.write(LIMITS_FILE, "* - nofile 1500\n")
    for module, options in (("sysctl_info", {"names": [FIN, "net.core.*"]}), ("limits_info", {"users": ["nobody"]})):
        outcome = ns.module(module, options, nobody=True)
        as_root = ns.module(module, options)
        assert outcome.result == as_root.result
