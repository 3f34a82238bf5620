# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules across keys, on the real kernel, in each of the ways that a change is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    PACKAGE,
    Namespace,
    environment,
    one_sentence,
)

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


# -- every rule, on profiles composed together and what the host has besides -------------------------------------------------

RMEM, WMEM = "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"
SOMAXCONN, BACKLOG = "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"
RESERVED, START = "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start"
NEIGH = "net.ipv{0}.neigh.default.gc_thresh{1}"
BOOT = "/etc/sysctl.d/10-host.conf"
FILES = {"domain": "*", "item": "nofile", "soft": 20000, "hard": 20000}


class Case(NamedTuple):
    """Entries of profiles by name, what the host has, the rule that is broken, and what mends it as the message says."""

    rule: str
    refused: bool
    profiles: dict[str, dict[str, object]]
    words: str
    mend: dict[str, object]
    live: dict[str, str] = {}
    boot: str = ""
    limits: tuple[dict[str, object], ...] = ()


CASES = [
    Case("tw_reuse_needs_timestamps", True, {"a": {REUSE: 1}, "b": {STAMPS: 0}}, f"set {STAMPS} to 1", {STAMPS: 1}),
    Case("tw_reuse_needs_timestamps", True, {"a": {REUSE: 1}}, f"set {STAMPS} to 1", {STAMPS: 1}, {STAMPS: "0"}),
    Case(
        "large_buffers_need_window_scaling",
        True,
        {"a": {SCALING: 0}, "b": {RMEM: [4096, 65535, 65535]}},
        f"the last number of {WMEM} to 65535",
        {WMEM: [4096, 16384, 65535]},
    ),
    Case(
        "somaxconn_serves_syn_backlog",
        False,
        {"a": {BACKLOG: {"at_least": 8192}}, "b": {SOMAXCONN: {"at_least": 4096}}},
        f"set {SOMAXCONN} to at least 8192",
        {SOMAXCONN: 8192},
    ),
    Case(
        "port_range_above_privileged_ports",
        True,
        {"a": {RANGE: {"at_least": [20000, 60999]}}},
        f"lower {START} to 20000",
        {START: 20000},
        {RANGE: "40000 60999", START: "30000", RESERVED: "20000"},
    ),
    Case(
        "port_range_not_all_reserved",
        True,
        {"a": {RANGE: [50000, 50009]}, "b": {RESERVED: {"at_least": "49990-50020"}}},
        "reserve fewer ports",
        {RESERVED: "49990-50000"},
    ),
    Case(
        "port_range_reserves_services",
        False,
        {"a": {RANGE: [10000, 64999]}},
        f"set {RESERVED} to the ports",
        {RESERVED: "11211"},
    ),
    Case(
        "nofile_below_nr_open",
        True,
        {"a": {FIN: 31}},
        "set fs.nr_open to at least 20000",
        {},
        boot="fs.nr_open = 16384\n",
        limits=(FILES,),
    ),
    Case(
        "nofile_below_file_max",
        False,
        {"a": {FIN: 31}},
        "set fs.file-max to several times 20000",
        {},
        boot="fs.file-max = 16384\n",
        limits=(FILES,),
    ),
]


def composed(folder: Path, case: Case) -> dict[str, Any]:
    """What the profiles of a case come to, as the role hands it to the module."""
    for name, settings in case.profiles.items():
        entries = {
            key: {
                **(desired if isinstance(desired, dict) else {"value": desired}),
                "why": "W.",
                "source": ["kernel_ip"],
            }
            for key, desired in settings.items()
        }
        text = json.dumps({"title": name, "summary": "Of a test.", "sysctl": entries})
        (folder / f"{name}.yml").write_text(text)
    found = profile_library.resolve(profile_library.Library([folder]), list(case.profiles))
    return {"name": found["name"], "sysctl": found["sysctl"], "limits": [*found["limits"], *case.limits]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{'-'.join(case.profiles)}")
def test_each_rule_is_asked_of_the_composed_whole_and_says_what_to_change(
    ns: Namespace, tmp_path: Path, case: Case
) -> None:
    ns.set_live(case.live)
    ns.write(BOOT, case.boot)
    options = composed(tmp_path, case)
    before = ns.snapshot()
    found = [ns.profile(check_mode=True, **options)]
    assert ns.snapshot() == before
    if case.refused:
        found.append(ns.profile(**options))
        assert ns.snapshot() == before
    for outcome in found:
        assert outcome.failed == case.refused, outcome.text
        assert [(one["rule"], one["refused"]) for one in outcome.result["rules"]] == [(case.rule, case.refused)]
        assert case.words in outcome.result["rules"][0]["text"]
        assert case.refused or outcome.result["rules"][0]["text"] in outcome.warnings

    options["sysctl"].update(case.mend)
    if not case.mend:
        ns.write(BOOT, "")
    mended = ns.profile(**options)
    assert not mended.failed and mended.changed and mended.result["rules"] == [], mended.text


def on_the_machine(ns: Namespace, options: dict[str, Any]) -> dict[str, Any]:
    """Check mode beside the network namespace, where the keys of the machine are; with the files of the namespace."""
    if not Path("/proc/sys/net/core/dev_weight").exists():
        pytest.skip("this is a network namespace of its own already, and the machine's keys are not seen in it")
    arguments = {"ANSIBLE_MODULE_ARGS": dict(options, _ansible_check_mode=True)}
    done = subprocess.run(
        ["nsenter", f"--target={ns.pid}", "--mount", "--", sys.executable, "-m", PACKAGE + "profile"],
        input=json.dumps(arguments),
        env=environment("/"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return dict(json.loads(done.stdout))


def test_rules_about_keys_of_the_machine(ns: Namespace) -> None:
    def live(key: str) -> int:
        return int(Path("/proc/sys/" + key.replace(".", "/")).read_text().split()[-1])

    cases: list[tuple[str, bool, dict[str, object], str]] = []
    for direction, key in (("r", RMEM), ("w", WMEM)):
        cap = f"net.core.{direction}mem_max"
        desired: dict[str, object] = {key: {"at_least": [4096, 16384, live(cap) + 4096]}}
        cases.append((f"{direction}mem_max_covers_tcp_{direction}mem", False, desired, f"set {cap} to at least"))
    for family in (4, 6):
        first, second = NEIGH.format(family, 1), NEIGH.format(family, 2)
        desired = {first: {"at_least": live(second) + 1}}
        cases.append(("neighbour_thresholds_in_order", True, desired, f"set {second} to at least {live(second) + 1}"))
    for rule, refused, settings, words in cases:
        result = on_the_machine(ns, {"sysctl": settings})
        assert [(one["rule"], one["refused"]) for one in result["rules"]] == [(rule, refused)], result
        assert words in result["rules"][0]["text"]
        assert bool(result.get("failed")) == refused
