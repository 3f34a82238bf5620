# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What counts as worse than before, and how a host ends."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._network import advice as advice_catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._network import counters as counter_catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._network import netlink, procfs, snapshot
from ansible_collections.tunefleet.linux.plugins.plugin_utils import _rollout

SETTINGS = {
    **dict.fromkeys(snapshot.SETTINGS, "1000000"),
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_mem": "100 200 300",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_syncookies": "1",
}


def listener(drops: int = 0, length: int = 0) -> netlink.Listener:
    return netlink.Listener("ipv4", "0.0.0.0", 80, length, 128, drops, 0, 11, 0)


def seen(at: float, counters: t.Mapping[str, int] | None = None, **fields: t.Any) -> dict[str, t.Any]:
    """What ``socket_info`` answers, after its way through Ansible."""
    states = {"ipv4": [0] * 16, "ipv6": [0] * 16}
    whole: dict[str, t.Any] = {
        "sockets": snapshot.Sockets("sock_diag", states, fields.pop("listeners", [listener()]), fields.pop("uses", [])),
        "sockstat": {"tcp": {"orphan": 0, "tw": 5, "mem": 4}},
        "counters": {**dict.fromkeys((one.name for one in counter_catalog.COUNTERS), 0), **(counters or {})},
        "softnet": [procfs.Cpu(0, 1000, 0, 0, 0)],
        "conntrack": None,
        "files": (1000, 1000000),
        "settings": SETTINGS,
        "unseen": [],
        **fields,
    }
    return dict(json.loads(json.dumps(snapshot.as_result(snapshot.Snapshot(at=at, **whole)))))


def worse(before: tuple[t.Any, ...] = (), after: tuple[t.Any, ...] = (), **settled: t.Any) -> list[str]:
    """What is worse in ten seconds than in the ten before, for counters at the second and the third reading."""
    return _rollout.regressions(seen(10.0), seen(20.0, *before), seen(30.0, *after, **settled))


def test_an_answer_becomes_the_reading_that_it_was_made_of() -> None:
    states = {"ipv4": [0] * 16, "ipv6": [0] * 16}
    states["ipv4"][3], states["ipv6"][10] = 7, 2
    uses = [netlink.PortUse("127.0.0.1", "127.0.0.1", 81, 40, 39)]
    reading = snapshot.Snapshot(
        5.5,
        snapshot.Sockets("sock_diag", states, [listener(3)], uses),
        {"tcp": {"tw": 1}},
        {"ListenDrops": 4},
        [procfs.Cpu(0, 1, 2, 3, 4)],
        snapshot.Conntrack(1, 2, None, 4),
        (1, 2),
        SETTINGS,
        ["something"],
    )
    assert _rollout.reading(json.loads(json.dumps(snapshot.as_result(reading)))) == reading
    bare = reading._replace(sockets=None, conntrack=None, files=None, counters={})
    assert _rollout.reading(json.loads(json.dumps(snapshot.as_result(bare)))) == bare


def test_a_calm_host_is_as_well_as_before() -> None:
    assert worse() == []


# Counter, what it is between the first two readings, what it is between the last two, whether that is worse.
@pytest.mark.parametrize(
    ("before", "after", "is_worse"),
    [(0, 9, False), (0, 10, True), (100, 200, False), (100, 201, True), (3, 9, False), (4, 10, True), (500, 0, False)],
)
@pytest.mark.parametrize(
    "name", [name for name in _rollout.LOSSES if name in {one.name for one in counter_catalog.COUNTERS}]
)
def test_a_loss_is_worse_from_one_a_second_and_twice_the_baseline_on(
    name: str, before: int, after: int, is_worse: bool
) -> None:
    found = worse(({name: before},), ({name: before + after},))
    assert bool(found) == is_worse, found
    if is_worse:
        assert found[0].endswith(f"before the change {before / 10:.1f}/s.") and f"{after / 10:.1f}/s" in found[0]


def test_a_listen_queue_is_named_once_with_the_advice_that_explains_it() -> None:
    counters = {"ListenOverflows": 300, "ListenDrops": 300}
    assert worse((), (counters,), listeners=[listener(300, length=129)]) == [
        "A program's own listen queue overflows (accept_queue_backlog): 0.0.0.0:80: 300 attempts to connect dropped in 10.0 s "
        "(30.0/s); 129 wait for accept(), limit 128; before the change 0.0/s."
    ]


def test_a_loss_that_no_advice_explains_is_told_by_its_counter() -> None:
    assert worse((), ({"TCPBacklogDrop": 50},)) == [
        "TCPBacklogDrop: 50 more in 10.0 s (5.0/s); before the change 0.0/s."
    ]


def test_packets_that_a_core_drops_count_without_those_of_the_flow_limit() -> None:
    assert worse(softnet=[procfs.Cpu(0, 1000, 50, 0, 45)]) == []
    (said,) = worse(softnet=[procfs.Cpu(0, 1000, 50, 0, 5)])
    assert "softnet_drops" in said and "45 packets dropped" in said


def test_a_resource_that_is_nearly_used_up_counts_when_it_was_not_before() -> None:
    full = {"files": (950000, 1000000)}
    (said,) = worse(**full)
    assert said.startswith("The machine's limit of open files is near (open_files)")
    assert said.endswith("; not so before the change.")
    assert _rollout.regressions(seen(10.0, **full), seen(20.0, **full), seen(30.0, **full)) == []
    (said,) = _rollout.regressions(seen(10.0, **full), seen(20.0, **full), seen(30.0, files=(1000000, 1000000)))
    assert "open_files" in said, "more severe"
    assert _rollout.regressions(seen(10.0), seen(20.0, files=(1000000, 1000000)), seen(30.0, **full)) == [], (
        "less severe"
    )


def test_another_destination_without_ports_counts_and_another_core_that_is_busy_does_not() -> None:
    first, second = (netlink.PortUse("127.0.0.1", "127.0.0.1", port, 28000, 0) for port in (81, 82))
    assert _rollout.regressions(seen(10.0), seen(20.0, uses=[first]), seen(30.0, uses=[first])) == []
    assert len(_rollout.regressions(seen(10.0), seen(20.0, uses=[first]), seen(30.0, uses=[second]))) == 1
    cores = [[procfs.Cpu(0, 100, 0, 0, 0), procfs.Cpu(1, 100, 0, 0, 0)]]
    cores.append([procfs.Cpu(0, 200, 0, 500, 0), procfs.Cpu(1, 100, 0, 0, 0)])
    cores.append([procfs.Cpu(0, 200, 0, 500, 0), procfs.Cpu(1, 200, 0, 500, 0)])
    settings = {**SETTINGS, "net.core.netdev_budget": "300"}
    readings = [seen(at, softnet=core, settings=settings) for at, core in zip((10.0, 20.0, 30.0), cores)]
    assert _rollout.regressions(*readings) == []
    assert _rollout.regressions(readings[0], {**readings[0], "at": 20.0}, {**readings[1], "at": 30.0}) != []


def test_a_host_that_was_restarted_is_not_well() -> None:
    assert _rollout.regressions(seen(10.0), seen(20.0), seen(3.0)) == [
        "The host was restarted meanwhile, and its counters began anew."
    ]


def test_every_advice_of_a_loss_is_told_by_a_rate_or_by_a_state() -> None:
    """A new kind of advice has to be sorted in: is it about a counter, or about how things are?"""
    states = {
        advice_catalog.PORTS_EXHAUSTED,
        advice_catalog.CONNTRACK_FULL,
        advice_catalog.SOFTNET_SQUEEZED,
        advice_catalog.TCP_MEMORY,
        advice_catalog.OPEN_FILES,
    }
    rated = {kind for kinds in _rollout.LOSSES.values() for kind in kinds}
    assert {kind.id for kind in advice_catalog.KINDS} == {kind.id for kind in states | rated} and not states & rated


# -- what the tasks answered ------------------------------------------------------------------------------------------------

SKIPPED = {"changed": False, "skipped": True}
GONE = {"unreachable": True, "msg": "Connection refused"}
BROKEN = {"failed": True, "msg": "No space left."}
# What ansible.builtin.command says differs from release to release; how long it took is there when it ran.
ENDED_WITH_1 = {"failed": True, "msg": "m", "rc": 1, "delta": "0:00:01", "stdout": "a\nb\n", "stderr": ""}
NEVER_RAN = {"failed": True, "msg": "Error executing command.", "rc": 2, "cmd": ["nonsuch", "-x"]}
DONE = {"changed": True, "trial_id": "x"}


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({}, ""),
        ({_rollout.RECOVERED: {"changed": False}, _rollout.COMMAND: SKIPPED}, ""),
        (
            {_rollout.RECOVERED: GONE},
            "looking for an earlier trial failed, for it cannot be reached: Connection refused",
        ),
        ({_rollout.FIRST: BROKEN}, "reading it failed: No space left."),
        ({_rollout.SECOND: GONE}, "reading it again failed, for it cannot be reached: Connection refused"),
        (
            {_rollout.COMMAND: ENDED_WITH_1},
            "the check fails already, so it could not tell what the change does: the command ended with 1: b",
        ),
        (
            {_rollout.COMMAND: NEVER_RAN},
            "the check fails already, so it could not tell what the change does: Error executing command (nonsuch -x)",
        ),
        (
            {_rollout.URL: {"failed": True, "msg": "Status code was 503 and not [200]", "status": 503}},
            "the check fails already, so it could not tell what the change does: Status code was 503 and not [200]",
        ),
    ],
)
def test_whether_a_host_may_be_changed(answers: _rollout.Answers, problem: str) -> None:
    assert _rollout.before_problem(answers) == problem


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({_rollout.RESULT: DONE}, ""),
        ({_rollout.RESULT: BROKEN}, "applying failed: No space left."),
        ({_rollout.RESULT: GONE}, "applying failed, for it cannot be reached: Connection refused"),
        ({_rollout.THIRD: GONE}, "reading it after the change failed, for it cannot be reached: Connection refused"),
        (
            {_rollout.COMMAND: ENDED_WITH_1},
            "the check passed before the change, and fails now: the command ended with 1: b",
        ),
        ({_rollout.FIRST: seen(1), _rollout.SECOND: seen(2), _rollout.THIRD: SKIPPED}, ""),
        (
            {_rollout.FIRST: seen(1), _rollout.SECOND: seen(2), _rollout.THIRD: seen(1)},
            "The host was restarted meanwhile, and its counters began anew.",
        ),
    ],
)
def test_whether_a_change_may_stay(answers: _rollout.Answers, problem: str) -> None:
    assert _rollout.after_problem(answers) == problem


@pytest.mark.parametrize(
    ("answers", "good", "ended"),
    [
        ({_rollout.RESULT: DONE, _rollout.CONFIRMED: {"changed": False}}, True, ("applied", "")),
        ({_rollout.RESULT: {"changed": False}, _rollout.CONFIRMED: SKIPPED}, True, ("applied", "")),
        (
            {_rollout.RESULT: DONE, _rollout.CONFIRMED: BROKEN},
            True,
            ("NOT confirmed", "confirming failed: No space left."),
        ),
        ({_rollout.RESULT: DONE, _rollout.WITHDRAWN: {"changed": True}}, False, ("reverted", "")),
        ({_rollout.RESULT: {"changed": False}, _rollout.WITHDRAWN: SKIPPED}, False, ("not touched", "")),
        (
            {_rollout.RESULT: DONE, _rollout.WITHDRAWN: {"changed": True, "warnings": ["a.b: is 3 now."]}},
            False,
            ("reverted", "a.b: is 3 now."),
        ),
        (
            {_rollout.RESULT: DONE, _rollout.WITHDRAWN: GONE},
            False,
            ("NOT reverted", "taking the change back failed, for it cannot be reached: Connection refused"),
        ),
        (
            {_rollout.RESULT: GONE},
            False,
            ("NOT reverted", "it could not be reached any more, and may have been changed"),
        ),
        ({_rollout.RESULT: BROKEN}, False, ("not touched", "")),
        ({_rollout.RESULT: {**BROKEN, "not_undone": ["a.b stays."]}}, False, ("NOT reverted", "a.b stays.")),
        ({_rollout.RESULT: SKIPPED}, False, ("not touched", "")),
    ],
)
def test_how_a_host_ends(answers: _rollout.Answers, good: bool, ended: tuple[str, str]) -> None:
    assert _rollout.ending(answers, good) == ended


def test_hosts_that_ended_alike_are_told_together() -> None:
    endings = {"web1": "reverted", "web2": "not touched", "web3": "reverted"}
    assert _rollout.described(list(endings), endings) == "web1, web3: reverted; web2: not touched"


def test_what_could_not_be_read_is_told_once_with_its_hosts() -> None:
    hosts = {
        "web1": {_rollout.THIRD: seen(1, unseen=["a", "b"])},
        "web2": {_rollout.THIRD: seen(1, unseen=["a"])},
        "web3": {},
    }
    assert _rollout.unseen(hosts) == {"a": ["web1", "web2"], "b": ["web1"]}
