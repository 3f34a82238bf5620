# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What counts as worse than before, and how a host ends."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sockets import (
    _catalog,
    _diag,
    _kinds,
    _proc,
    _reading,
)
from ansible_collections.tunefleet.linux.plugins.plugin_utils import _gate as gate

SETTINGS = {
    **dict.fromkeys(_reading.SETTINGS, "1000000"),
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_mem": "100 200 300",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_syncookies": "1",
}


def listener(drops: int = 0, length: int = 0) -> _diag.Listener:
    return _diag.Listener("ipv4", "0.0.0.0", 80, length, 128, drops, 0, 11, 0)


def seen(at: float, counters: t.Mapping[str, int] | None = None, **fields: t.Any) -> dict[str, t.Any]:
    """What ``socket_info`` answers, after its way through Ansible."""
    states = {"ipv4": [0] * 16, "ipv6": [0] * 16}
    whole: dict[str, t.Any] = {
        "sockets": _reading.Sockets("sock_diag", states, fields.pop("listeners", [listener()]), fields.pop("uses", [])),
        "sockstat": {"tcp": {"orphan": 0, "tw": 5, "mem": 4}},
        "counters": {**dict.fromkeys((one.name for one in _catalog.COUNTERS), 0), **(counters or {})},
        "softnet": [_proc.Cpu(0, 1000, 0, 0, 0)],
        "conntrack": None,
        "files": (1000, 1000000),
        "settings": SETTINGS,
        "unseen": [],
        **fields,
    }
    return dict(json.loads(json.dumps(_reading.as_result(_reading.Reading(at=at, **whole)))))


def worse(before: tuple[t.Any, ...] = (), after: tuple[t.Any, ...] = (), **settled: t.Any) -> list[str]:
    """What is worse in ten seconds than in the ten before, for counters at the second and the third reading."""
    return gate.worse(seen(10.0), seen(20.0, *before), seen(30.0, *after, **settled))


def test_an_answer_becomes_the_reading_that_it_was_made_of() -> None:
    states = {"ipv4": [0] * 16, "ipv6": [0] * 16}
    states["ipv4"][3], states["ipv6"][10] = 7, 2
    uses = [_diag.PortUse("127.0.0.1", "127.0.0.1", 81, 40, 39)]
    reading = _reading.Reading(
        5.5,
        _reading.Sockets("sock_diag", states, [listener(3)], uses),
        {"tcp": {"tw": 1}},
        {"ListenDrops": 4},
        [_proc.Cpu(0, 1, 2, 3, 4)],
        _reading.Conntrack(1, 2, None, 4),
        (1, 2),
        SETTINGS,
        ["something"],
    )
    assert gate.reading(json.loads(json.dumps(_reading.as_result(reading)))) == reading
    bare = reading._replace(sockets=None, conntrack=None, files=None, counters={})
    assert gate.reading(json.loads(json.dumps(_reading.as_result(bare)))) == bare


def test_a_calm_host_is_as_well_as_before() -> None:
    assert worse() == []


# Counter, what it is between the first two readings, what it is between the last two, whether that is worse.
@pytest.mark.parametrize(
    ("before", "after", "is_worse"),
    [(0, 9, False), (0, 10, True), (100, 200, False), (100, 201, True), (3, 9, False), (4, 10, True), (500, 0, False)],
)
@pytest.mark.parametrize("name", [name for name in gate.LOSSES if name in {one.name for one in _catalog.COUNTERS}])
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
    assert worse(softnet=[_proc.Cpu(0, 1000, 50, 0, 45)]) == []
    (said,) = worse(softnet=[_proc.Cpu(0, 1000, 50, 0, 5)])
    assert "softnet_drops" in said and "45 packets dropped" in said


def test_a_resource_that_is_nearly_used_up_counts_when_it_was_not_before() -> None:
    full = {"files": (950000, 1000000)}
    (said,) = worse(**full)
    assert said.startswith("The machine's limit of open files is near (open_files)")
    assert said.endswith("; not so before the change.")
    assert gate.worse(seen(10.0, **full), seen(20.0, **full), seen(30.0, **full)) == []
    (said,) = gate.worse(seen(10.0, **full), seen(20.0, **full), seen(30.0, files=(1000000, 1000000)))
    assert "open_files" in said, "more severe"
    assert gate.worse(seen(10.0), seen(20.0, files=(1000000, 1000000)), seen(30.0, **full)) == [], "less severe"


def test_another_destination_without_ports_counts_and_another_core_that_is_busy_does_not() -> None:
    first, second = (_diag.PortUse("127.0.0.1", "127.0.0.1", port, 28000, 0) for port in (81, 82))
    assert gate.worse(seen(10.0), seen(20.0, uses=[first]), seen(30.0, uses=[first])) == []
    assert len(gate.worse(seen(10.0), seen(20.0, uses=[first]), seen(30.0, uses=[second]))) == 1
    cores = [[_proc.Cpu(0, 100, 0, 0, 0), _proc.Cpu(1, 100, 0, 0, 0)]]
    cores.append([_proc.Cpu(0, 200, 0, 500, 0), _proc.Cpu(1, 100, 0, 0, 0)])
    cores.append([_proc.Cpu(0, 200, 0, 500, 0), _proc.Cpu(1, 200, 0, 500, 0)])
    settings = {**SETTINGS, "net.core.netdev_budget": "300"}
    readings = [seen(at, softnet=core, settings=settings) for at, core in zip((10.0, 20.0, 30.0), cores)]
    assert gate.worse(*readings) == []
    assert gate.worse(readings[0], {**readings[0], "at": 20.0}, {**readings[1], "at": 30.0}) != []


def test_a_host_that_was_restarted_is_not_well() -> None:
    assert gate.worse(seen(10.0), seen(20.0), seen(3.0)) == [
        "The host was restarted meanwhile, and its counters began anew."
    ]


def test_every_advice_of_a_loss_is_told_by_a_rate_or_by_a_state() -> None:
    """A new kind of advice has to be sorted in: is it about a counter, or about how things are?"""
    states = {
        _kinds.PORTS_EXHAUSTED,
        _kinds.CONNTRACK_FULL,
        _kinds.SOFTNET_SQUEEZED,
        _kinds.TCP_MEMORY,
        _kinds.OPEN_FILES,
    }
    rated = {kind for kinds in gate.LOSSES.values() for kind in kinds}
    assert {kind.id for kind in _kinds.KINDS} == {kind.id for kind in states | rated} and not states & rated


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
        ({gate.LEFT: {"changed": False}, gate.BEFORE_COMMAND: SKIPPED}, ""),
        ({gate.LEFT: GONE}, "looking for an earlier trial failed, for it cannot be reached: Connection refused"),
        ({gate.FIRST: BROKEN}, "reading it failed: No space left."),
        ({gate.SECOND: GONE}, "reading it again failed, for it cannot be reached: Connection refused"),
        (
            {gate.BEFORE_COMMAND: ENDED_WITH_1},
            "the check fails already, so it could not tell what the change does: the command ended with 1: b",
        ),
        (
            {gate.BEFORE_COMMAND: NEVER_RAN},
            "the check fails already, so it could not tell what the change does: Error executing command (nonsuch -x)",
        ),
        (
            {gate.BEFORE_URL: {"failed": True, "msg": "Status code was 503 and not [200]", "status": 503}},
            "the check fails already, so it could not tell what the change does: Status code was 503 and not [200]",
        ),
    ],
)
def test_whether_a_host_may_be_changed(answers: gate.Answers, problem: str) -> None:
    assert gate.before_problem(answers) == problem


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({gate.RESULT: DONE}, ""),
        ({gate.RESULT: BROKEN}, "applying failed: No space left."),
        ({gate.RESULT: GONE}, "applying failed, for it cannot be reached: Connection refused"),
        ({gate.THIRD: GONE}, "reading it after the change failed, for it cannot be reached: Connection refused"),
        (
            {gate.AFTER_COMMAND: ENDED_WITH_1},
            "the check passed before the change, and fails now: the command ended with 1: b",
        ),
        ({gate.FIRST: seen(1), gate.SECOND: seen(2), gate.THIRD: SKIPPED}, ""),
        (
            {gate.FIRST: seen(1), gate.SECOND: seen(2), gate.THIRD: seen(1)},
            "The host was restarted meanwhile, and its counters began anew.",
        ),
    ],
)
def test_whether_a_change_may_stay(answers: gate.Answers, problem: str) -> None:
    assert gate.after_problem(answers) == problem


@pytest.mark.parametrize(
    ("answers", "good", "ended"),
    [
        ({gate.RESULT: DONE, gate.CONFIRMED: {"changed": False}}, True, ("applied", "")),
        ({gate.RESULT: {"changed": False}, gate.CONFIRMED: SKIPPED}, True, ("applied", "")),
        (
            {gate.RESULT: DONE, gate.CONFIRMED: BROKEN},
            True,
            ("NOT confirmed", "confirming failed: No space left."),
        ),
        ({gate.RESULT: DONE, gate.WITHDRAWN: {"changed": True}}, False, ("reverted", "")),
        ({gate.RESULT: {"changed": False}, gate.WITHDRAWN: SKIPPED}, False, ("not touched", "")),
        (
            {gate.RESULT: DONE, gate.WITHDRAWN: {"changed": True, "warnings": ["a.b: is 3 now."]}},
            False,
            ("reverted", "a.b: is 3 now."),
        ),
        (
            {gate.RESULT: DONE, gate.WITHDRAWN: GONE},
            False,
            ("NOT reverted", "taking the change back failed, for it cannot be reached: Connection refused"),
        ),
        ({gate.RESULT: GONE}, False, ("NOT reverted", "it could not be reached any more, and may have been changed")),
        ({gate.RESULT: BROKEN}, False, ("not touched", "")),
        ({gate.RESULT: {**BROKEN, "not_undone": ["a.b stays."]}}, False, ("NOT reverted", "a.b stays.")),
        ({gate.RESULT: SKIPPED}, False, ("not touched", "")),
    ],
)
def test_how_a_host_ends(answers: gate.Answers, good: bool, ended: tuple[str, str]) -> None:
    assert gate.ending(answers, good) == ended


def test_hosts_that_ended_alike_are_told_together() -> None:
    endings = {"web1": "reverted", "web2": "not touched", "web3": "reverted"}
    assert gate.described(list(endings), endings) == "web1, web3: reverted; web2: not touched"


def test_what_could_not_be_read_is_told_once_with_its_hosts() -> None:
    hosts = {"web1": {gate.THIRD: seen(1, unseen=["a", "b"])}, "web2": {gate.THIRD: seen(1, unseen=["a"])}, "web3": {}}
    assert gate.unseen(hosts) == {"a": ["web1", "web2"], "b": ["web1"]}
