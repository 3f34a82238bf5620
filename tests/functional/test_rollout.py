# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Roll-outs batch by batch on four containers: all well, and each way in which a batch can fail."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.container_fleet import Fleet, NotHere

SUITES = {"web1": "trixie", "web2": "bookworm", "web3": "bullseye", "web4": "trixie"}
FIN, SOMAXCONN = "net.ipv4.tcp_fin_timeout", "net.core.somaxconn"
APPLY = "tunefleet.linux.apply"
PROFILE = """---
title: Small
summary: Of a test.
sources:
  x: {title: X, address: "https://example.com/"}
sysctl:
  net.ipv4.tcp_fin_timeout: {value: 31, why: Of a test., source: [x]}
limits:
  - {domain: "@web", item: nofile, soft: 1500, hard: 1600, why: Of a test., source: [x]}
"""
# A web server of a host, for the check by address.
SERVER = "cd /srv; nohup python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 & "
SERVER += "until python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8000/\")' 2>/dev/null; do sleep 0.1; done"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "small.yml").write_text(PROFILE)
    try:
        found = Fleet(SUITES, folder)
    except NotHere as problem:
        pytest.skip(str(problem))
    try:
        for host in found.hosts.values():
            host.sh(SERVER)
        found.hosts["web1"].sh("touch /canary")
        yield found
    finally:
        found.close()


def run(fleet: Fleet, extra: Mapping[str, Any], *options: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Apply the small profile in batches; the first one is web1 unless the run says otherwise."""
    settings = {
        "tune_profiles": "small",
        "tune_profile_paths": [str(fleet.folder / "profiles")],
        "tune_batches": "1,100%",
        "tune_settle_seconds": 1,
        "tune_check_retries": 0,
        **extra,
    }
    return fleet.play(APPLY, settings, *options, **how)


def states(fleet: Fleet) -> dict[str, str]:
    return {name: host.state() for name, host in fleet.hosts.items()}


def live(fleet: Fleet, key: str = FIN) -> list[str]:
    return [host.live(key) for host in fleet.hosts.values()]


def batches(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The section of the summary that says what happened to which batch."""
    lines = done.stdout.splitlines()
    assert "Batches" in lines, done.stdout
    rest = lines[lines.index("Batches") + 1 :]
    return [line.strip() for line in rest[: rest.index("")]]


@pytest.fixture(scope="module")
def first(fleet: Fleet) -> subprocess.CompletedProcess[str]:
    """All is well, with both kinds of check. What this run has applied is the earlier run of those that follow."""
    return run(fleet, {"tune_check_url": "http://127.0.0.1:8000/", "tune_check_command": "test -e '/proc/sys/net'"})


@pytest.fixture
def before(fleet: Fleet, first: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Files, ledger and live values of every host before a test."""
    return states(fleet)


def test_when_all_is_well_the_profile_gets_to_every_batch(
    fleet: Fleet, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0, first.stdout
    assert batches(first) == ["1  applied: web1", "2  applied: web2, web3, web4"]
    told = [line.split(":")[0] for line in first.stdout.split("\n\n")[0].splitlines()]
    assert told[:2] == ["web1", "Batch 1"] and told[-1] == "Batch 2", "the canary is first"
    assert live(fleet) == ["31"] * 4
    for host in fleet.hosts.values():
        ledger = json.loads(host.sh("cat /var/lib/tunefleet/ledger.json"))
        assert ledger["unfinished"] is None and [one["name"] for one in ledger["profiles"]] == ["small"]


def test_a_canary_whose_check_fails_gets_back_what_an_earlier_run_had_applied(
    fleet: Fleet, before: dict[str, str]
) -> None:
    more = {FIN: 40, "net.ipv4.tcp_keepalive_time": 1000}
    limits = [{"domain": "@web", "item": "nofile", "soft": 1700, "hard": 1800}]
    check = ["grep", "-qx", "31", "/proc/sys/net/ipv4/tcp_fin_timeout"]
    done = run(fleet, {"tune_sysctl": more, "tune_limits": limits, "tune_check_command": check})
    assert done.returncode == 2
    assert states(fleet) == before
    assert batches(done) == ["1  reverted: web1", "-  not begun: web2, web3, web4"]
    assert "The check passed before the change, and fails now: the command ended with 1" in done.stdout
    assert "Apply of small on 4 hosts: 1 failed, 3 not begun." in done.stdout


def test_a_canary_whose_listen_queue_overflows_after_the_change_is_taken_back(
    fleet: Fleet, before: dict[str, str]
) -> None:
    with fleet.hosts["web1"].load() as load:
        load("listen", port=8080, backlog=4096)
        # A program that is restarted now and then, and gets bursts that its queue has room for, until somaxconn is lowered.
        load("repeat", order={"do": "relisten", "port": 8080, "backlog": 4096}, every=0.1, longest=120)
        load("repeat", order={"do": "burst", "port": 8080, "count": 30}, every=0.1, longest=120)
        done = run(fleet, {"tune_sysctl": {SOMAXCONN: 5}, "tune_accept_hazards": True, "tune_settle_seconds": 2})
    assert done.returncode == 2
    assert states(fleet) == before
    assert batches(done) == ["1  reverted: web1", "-  not begun: web2, web3, web4"]
    said = " ".join(done.stdout.split())
    assert "A listen queue overflows that net.core.somaxconn caps (accept_queue_somaxconn): 127.0.0.1:8080: " in said
    assert "attempts to connect dropped in " in said and "before the change 0.0/s." in said


def test_nothing_is_touched_where_a_host_is_not_well_or_not_there_to_begin_with(
    fleet: Fleet, before: dict[str, str]
) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    check = ["sh", "-c", "test -e /canary || { echo no canary here >&2; exit 3; }"]
    wanted = {"tune_batches": "100%", "tune_sysctl": {FIN: 41}, "tune_check_command": check, "tune_settle_seconds": 60}
    done = run(fleet, wanted, hosts={"web4": away}, ANSIBLE_STDOUT_CALLBACK="default")
    assert done.returncode == 2
    assert states(fleet) == before
    said = done.stdout[done.stdout.index("The batch is not well") :]
    assert said.startswith(
        "The batch is not well, and the roll-out ends with it. web1, web2, web3, web4: not touched. web2: the check fails already, so it "
        "could not tell what the change does: the command ended with 3: no canary here. web3: "
    )
    assert "web4: looking for an earlier trial failed, for it cannot be reached: " in said and "web1: " not in said
    assert "Apply the profiles" not in done.stdout


def test_a_host_that_is_lost_after_the_change_is_named_with_the_way_back(fleet: Fleet, before: dict[str, str]) -> None:
    lost = "{{ 'ssh' if tune_result is defined else 'local' }}"
    away = {"ansible_connection": lost, "ansible_host": "127.0.0.1", "ansible_port": 1}
    wanted = {"tune_batches": "2", "tune_sysctl": {FIN: 42}, "tune_settle_seconds": 0}
    done = run(fleet, wanted, "--limit", "web1,web2,web3", hosts={"web2": away})
    assert done.returncode == 2
    assert live(fleet) == ["31", "42", "31", "31"]
    after = states(fleet)
    assert {name: after[name] for name in after if name != "web2"} == {
        name: before[name] for name in before if name != "web2"
    }
    assert batches(done) == ["1  reverted: web1; NOT reverted: web2", "-  not begun: web3"]
    said = " ".join(done.stdout.split())
    assert "Reading it after the change failed, for it cannot be reached: " in said
    assert "--limit web2 -e tune_state=withdrawn tunefleet.linux.revert" in said
    back = fleet.play("tunefleet.linux.revert", {"tune_state": "withdrawn"}, "--limit", "web2")
    assert back.returncode == 0, back.stdout
    assert states(fleet) == before


def test_check_mode_shows_the_batches_and_waits_for_nothing(fleet: Fleet, before: dict[str, str]) -> None:
    wanted = {
        "tune_batches": "1,50%",
        "tune_sysctl": {FIN: 43},
        "tune_settle_seconds": 3600,
        "tune_check_command": "false",
    }
    done = run(fleet, wanted, "--check")
    assert done.returncode == 0, done.stdout
    assert states(fleet) == before
    assert batches(done) == [
        "1  would be applied: web1",
        "2  would be applied: web2, web3",
        "3  would be applied: web4",
    ]
    assert "Audit of small on 4 hosts (nothing was written): 4 not as wanted." in done.stdout


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"tune_batches": "1,ten"}, "tune_batches: 'ten' is no size of a batch; name numbers of hosts above zero and "),
        ({"tune_profiles": "smal"}, "There is no profile 'smal'; did you mean 'small'?"),
        (
            {"tune_check_url": "ftp://x/", "tune_settle_seconds": -1},
            'tune_settle_seconds: -1 is out of range. Legal: 0 to 3600. tune_check_url: "ftp://x/" is not an address. '
            "Legal: an address of http or https. No changes were made.",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_before_any_host_is_touched(
    fleet: Fleet, wanted: dict[str, Any], sentence: str
) -> None:
    # A host that is touched would say so: this one cannot be reached.
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    done = run(fleet, wanted, hosts=dict.fromkeys(SUITES, away))
    assert done.returncode != 0
    assert sentence in " ".join(done.stdout.split()) and "reached" not in done.stdout, done.stdout


def test_batches_of_the_inventory_are_not_left_out_in_silence(fleet: Fleet) -> None:
    done = fleet.play(APPLY, {}, "--limit", "web2", hosts={"web2": {"tune_batches": "1"}})
    said = " ".join(done.stdout.split())
    assert done.returncode == 2 and "Pass it with -e tune_batches=1. No changes were made." in said, done.stdout


OWN_PLAY = """
- hosts: all
  gather_facts: false
  serial: [1, 100%]
  any_errors_fatal: true
  tasks:
    - ansible.builtin.import_role:
        name: tunefleet.linux.tune
        tasks_from: gated
      vars:
        tune_profiles: [small]
"""


def test_a_later_batch_in_which_a_host_refuses_is_taken_back_and_the_earlier_one_stays(
    fleet: Fleet, before: dict[str, str]
) -> None:
    """In a play of one's own, without a wait for what cannot come to anything any more."""
    wanted = {name: {"tune_sysctl": {FIN: 44}} for name in SUITES}
    wanted["web3"] = {"tune_sysctl": {FIN: 44, "net.ipv4.tcp_no_such": 1}}
    extra = {"tune_settle_seconds": 0, "tune_profile_paths": [str(fleet.folder / "profiles")]}
    done = fleet.play(OWN_PLAY, extra, hosts=wanted)
    assert done.returncode == 2
    assert live(fleet) == ["44", "31", "31", "31"]
    after = states(fleet)
    assert {name: after[name] for name in after if name != "web1"} == {
        name: before[name] for name in before if name != "web1"
    }
    assert batches(done) == ["1  applied: web1", "2  reverted: web2, web4; not touched: web3"]
    assert "Apply of small on 4 hosts: 1 changed, 1 failed, 2 reverted." in done.stdout
    assert "Applying failed: net.ipv4.tcp_no_such" in done.stdout
    # What the canary keeps is confirmed, and can be taken back like any other.
    assert json.loads(fleet.hosts["web1"].sh("cat /var/lib/tunefleet/ledger.json"))["unfinished"] is None
