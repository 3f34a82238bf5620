# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The profiles that ship, each on the real kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import values as sysctl_values
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace
from ansible_collections.tunefleet.linux.tests.functional.test_ansible import Fleet

LIBRARY = profile_library.Library()
LITERAL = {"memo_ko", "guide_zh", "legacy_22"}
CURATED = sorted(set(LIBRARY.places) - LITERAL)
# What a namespace may say of a key that it does not own, or whose module this kernel did not load.
NOT_OURS = {"not_namespaced", "read_only", "needs_module"}


def wanted(*names: str, **options: Any) -> dict[str, Any]:
    """What the named profiles come to, as the role hands it to the module."""
    found = profile_library.resolve(LIBRARY, list(names), **options)
    return {"name": found["name"], "sysctl": found["sysctl"], "limits": found["limits"]}


def met(ns: Namespace, key: str, setting: dict[str, Any]) -> bool:
    """Whether the kernel has what a setting of a profile wants, or more of it."""
    facts = catalog.find(key)
    assert facts is not None
    if "value" in setting:
        return sysctl_values.equivalent(
            ns.live(key)[key], sysctl_values.parse(setting["value"], facts.shape), facts.shape
        )
    return sysctl_values.satisfies(
        "at_least", ns.live(key)[key], sysctl_values.parse(setting["at_least"], facts.shape), facts.shape
    )


@pytest.mark.parametrize("name", CURATED)
def test_a_curated_profile_is_applied_once_and_then_left_alone(ns: Namespace, name: str) -> None:
    options = wanted(name)
    predicted = ns.profile(check_mode=True, **options)
    first = ns.profile(**options)
    assert not first.failed and first.report == predicted.report, first.text
    # Nothing of a curated profile is gone, ignored or refused.
    for key, status in first.statuses.items():
        assert status in {"ok", "changed", "kept"} | NOT_OURS, (key, status)
        if status not in NOT_OURS and not isinstance(options["sysctl"][key].get("at_least"), dict):
            assert met(ns, key, options["sysctl"][key]), key
    for limit in first.result["limits"]:
        assert limit["status"] in {"ok", "changed", "kept"} | NOT_OURS, limit
    before = ns.snapshot()
    second = ns.profile(**options)
    assert not second.failed and not second.changed
    assert ns.snapshot() == before


@pytest.mark.parametrize("name", sorted(LITERAL))
def test_a_literal_profile_is_compared_without_further_ado_and_tells_its_hazards(ns: Namespace, name: str) -> None:
    options, before = wanted(name), ns.snapshot()
    audit = ns.profile(check_mode=True, **options)
    assert not audit.failed and audit.changed
    hazardous = [key for key, setting in options["sysctl"].items() if setting.get("hazard")]
    assert hazardous
    for key in hazardous:
        assert any(warning.startswith(f"{key} has a hazard: ") for warning in audit.warnings), key
    assert ns.snapshot() == before


@pytest.mark.parametrize("name", ["memo_ko", "guide_zh"])
def test_a_literal_profile_is_refused_until_its_hazards_are_accepted(ns: Namespace, name: str) -> None:
    options, before = wanted(name), ns.snapshot()
    refused = ns.profile(**options)
    assert refused.failed and ns.snapshot() == before
    for key, setting in options["sysctl"].items():
        assert (f"{key} has a hazard: " in refused.msg) == bool(setting.get("hazard")), key
    first = ns.profile(accept_hazards=True, **options)
    assert not first.failed and first.changed
    assert not any("has a hazard" in warning for warning in first.warnings)
    done = [key for key, status in first.statuses.items() if status in ("ok", "changed")]
    assert len(done) > 10
    for key in done:
        assert met(ns, key, options["sysctl"][key]), key
    assert not ns.profile(accept_hazards=True, **options).changed


def test_keys_that_are_gone_are_reported_as_gone(ns: Namespace) -> None:
    memo = ns.profile(check_mode=True, **wanted("memo_ko"))
    assert memo.setting("fs.inode-max")["status"] == "removed" and "2.4" in memo.setting("fs.inode-max")["reason"]
    guide = ns.profile(check_mode=True, **wanted("guide_zh"))
    assert guide.setting("net.ipv4.tcp_tw_recycle")["status"] == "removed"
    assert "4.12" in guide.setting("net.ipv4.tcp_tw_recycle")["reason"]
    assert guide.setting("net.ipv4.tcp_fack")["status"] == "no_effect"
    entries = ns.profile(accept_hazards=True, **wanted("guide_zh"))
    assert (
        not entries.failed and "tcp_tw_recycle" not in ns.text(SYSCTL_FILE) and "tcp_fack" not in ns.text(SYSCTL_FILE)
    )


def test_profiles_together_and_the_wish_that_lost(ns: Namespace) -> None:
    key = "net.ipv4.tcp_keepalive_time"
    outcome = ns.profile(**wanted("web_server", "nat_gateway", "ddos_guard", prefer="nat_gateway"))
    assert not outcome.failed and ns.live(key) == {key: "1800"}
    (loser,) = outcome.setting(key)["instead_of"]
    assert (
        (loser["profile"], loser["wanted"]) == ("web_server", "1200")
        and loser["why"]
        and "memo_ko:137" in loser["source"]
    )
    assert "instead_of" not in outcome.setting("net.ipv4.tcp_fin_timeout")
    own = ns.profile(**wanted("web_server", sysctl={key: 600}))
    assert ns.live(key) == {key: "600"}
    assert [one["wanted"] for one in own.setting(key)["instead_of"]] == ["1200"]


def test_the_order_of_profiles_does_not_matter_to_a_host(ns: Namespace) -> None:
    first = ns.profile(**wanted("proxy", "bulk_transfer", "web_server"))
    assert first.changed
    again = ns.profile(**wanted("web_server", "proxy", "bulk_transfer"))
    assert not again.changed and again.result["name"] == "bulk_transfer,proxy,web_server"


# Through Ansible, as roles.


@pytest.fixture
def fleet(ns: Namespace, tmp_path: Path) -> Fleet:
    folder = tmp_path / "play"
    folder.mkdir()
    return Fleet(ns, folder)


def test_roles_of_any_name_run_and_write_nothing_in_check_mode(fleet: Fleet) -> None:
    before = fleet.ns.snapshot()
    play = "- hosts: all\n  gather_facts: false\n"
    checked = "  check_mode: true\n  roles: [tunefleet.linux.guide_zh, tunefleet.linux.high_speed_10g]\n"
    # The last one compares even where the play would let it write.
    fleet.play(f"{play}{checked}{play}  roles: [tunefleet.linux.legacy_22]\n").ended(changed=3, failed=0)
    assert fleet.executions() == 3 and fleet.ns.snapshot() == before


def test_the_list_for_linux_2_2_is_never_applied(fleet: Fleet) -> None:
    before = fleet.ns.snapshot()
    run = fleet.play("tunefleet.linux.apply", "-e", "tune_profiles=legacy_22", "-e", "tune_accept_hazards=true")
    assert run.status != 0 and "'legacy_22' is there to compare hosts with and never to be applied" in run.text
    assert fleet.executions() == 0 and fleet.ns.snapshot() == before


def test_a_contradiction_is_decided_by_the_play_and_stays_visible(fleet: Fleet) -> None:
    extra = ["-e", "tune_profiles=web_server,nat_gateway", "-e", "tune_prefer=web_server"]
    run = fleet.play("tunefleet.linux.apply", *extra, ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    assert run.status == 0 and "net.ipv4.tcp_keepalive_time  1200 in place of 1800 (nat_gateway)" in run.text, run.text
    assert fleet.executions() == 1
