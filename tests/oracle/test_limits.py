# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What we say that a session gets, against the pam_limits that gives it, on random trees of files of limits.conf(5).

Each case is laid out on every machine, and a session is opened for each user with the module that is installed there; each limit
of the session, and whether it is let in at all, must be what was computed. TUNEFLEET_ORACLE_CASES sets how many trees are tried,
TUNEFLEET_ORACLE_SEED which; the same seed gives the same trees.
"""

from __future__ import annotations

import base64
import json
import os
import posixpath
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._host import pam_probe
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import precedence as pam_precedence
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import variant as pam_variant
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.process import rlimits
from ansible_collections.tunefleet.linux.tests.environments import containers as machines
from ansible_collections.tunefleet.linux.tests.environments.containers import Machine
from ansible_collections.tunefleet.linux.tests.oracle import limit_trees
from ansible_collections.tunefleet.linux.tests.oracle.limit_trees import DIRECTORY, MAIN, NUMBERS, Case, Node

CASES = int(os.environ.get("TUNEFLEET_ORACLE_CASES") or 600)
SEED = int(os.environ.get("TUNEFLEET_ORACLE_SEED") or 20260131)
INFINITY = 2**64 - 1
LOOP = "loop"
COUNTS: dict[str, int] = {}


class Got(NamedTuple):
    """What a session came to; limits in the numbers of setrlimit(2)."""

    let_in: bool
    limits: dict[str, tuple[int, int]]
    priority: int
    nonewprivs: int
    directory: str | None  # the one that it is locked into


class Disk:
    """The files of a case as a host shows them."""

    def __init__(self, tree: tuple[Node, ...]) -> None:
        self._nodes = {node.path: node for node in tree}

    def names(self) -> list[str]:
        return [path[len(DIRECTORY) :] for path in self._nodes if path.startswith(DIRECTORY)]

    def read(self, path: str, depth: int = 0) -> bytes | str | None:
        """The bytes; None for what is not there, LOOP for links in a ring. A directory can be opened, and gives nothing."""
        node = self._nodes.get(path)
        if path == "/dev/null" or (node and node.kind == "directory"):
            return b""
        if node is None:
            return None
        if depth > 8:
            return LOOP
        if node.kind == "link":
            return self.read(posixpath.normpath(posixpath.join(posixpath.dirname(path), node.content)), depth + 1)
        return node.content.encode("latin-1")


def dialect_of(machine: Machine, case: Case) -> pam_variant.PamVariant:
    found = pam_variant.of_module(base64.b64decode(machine.hello["module"]))
    return pam_variant.arguments(found, case.arguments)


def ends_session(
    files: list[tuple[str, bytes | str | None]], user: pam_precedence.User, variant: pam_variant.PamVariant
) -> bool:
    """Whether a file that cannot be opened ends the session: not where an earlier line exempts the user.

    Releases since 1.5.3 forgive one that is missing, and nothing else.
    """
    for path, data in files:
        if data is None and not variant.needs_files:
            continue
        if not isinstance(data, bytes):
            return True
        rules = pam_precedence.placed_rules([(path, data)], variant)
        if any(one.rule.exempts and pam_precedence.exempts(one.rule.domain, user) for one in rules):
            return False
    return False


def computed(case: Case, machine: Machine, name: str, uid: int, gid: int, descriptors: int) -> Got:
    """What the session has to come to.

    :param descriptors: the lowest that is free when the session is opened.
    """
    variant, disk = dialect_of(machine, case), Disk(case.tree)
    groups = {number: group for group, number, members in case.groups if name in members or number == gid}
    user = pam_precedence.User(name, uid, gid, {gid: "", **groups})
    hello = machine.hello
    caller = {item: tuple(hello["limits"][str(number)]) for item, number in NUMBERS.items()}
    caller.update(case.caller)
    before = {item: limit_types.Limit(*[_in_units(value, item) for value in pair]) for item, pair in caller.items()}
    files = [(path, disk.read(path)) for path in pam_precedence.reading_order(disk.names())]
    limits = {item: (pair[0] % 2**64, pair[1] % 2**64) for item, pair in caller.items()}
    unchanged = Got(False, limits, hello["priority"], 0, None)
    if ends_session(files, user, variant):
        return unchanged
    rules = pam_precedence.placed_rules([(path, data) for path, data in files if isinstance(data, bytes)], variant)
    start = pam_precedence.start(before, rlimits.parse(hello["first"]), variant)
    limits, let_in = {}, True
    for item in NUMBERS:
        choice = pam_precedence.for_user(rules, user, item, variant.star_excludes_root)
        limit, refused = pam_precedence.session(
            choice, item, before[item], start.get(item, before[item]), hello["may_raise"], hello["nr_open"], variant
        )
        limits[item] = (items.kernel(limit.soft, item), items.kernel(limit.hard, item))
        let_in = let_in and (variant.ignores_setrlimit_errors or not refused)
    single = {item: single_value(rules, user, item, variant) for item in limit_trees.SINGLE}
    if uid != 0 and 0 in (single["maxlogins"], single["maxsyslogins"]):
        let_in = False
    chroot = single_value(rules, user, items.CHROOT, variant)
    directory = limit_trees.DIRECTORIES.get(str(chroot)) if let_in else None
    let_in = let_in and (chroot is None or directory is not None)
    # libpam writes to the audit system of the kernel in the end, and refuses the session where it cannot open it: _pam_auditlog().
    let_in = let_in and descriptors < limits["nofile"][0]
    priority = hello["priority"] if single["priority"] is None else int(single["priority"])
    return Got(let_in, limits, priority, int(single["nonewprivs"] or 0), directory)


def single_value(
    rules: list[pam_precedence.Placed], user: pam_precedence.User, item: str, variant: pam_variant.PamVariant
) -> limit_types.Number | None:
    choice = pam_precedence.for_user(rules, user, item, variant.star_excludes_root)
    return None if choice.exempt or choice.soft is None else choice.soft.rule.value


def _in_units(value: int, item: str) -> limit_types.Number:
    if value in (-1, INFINITY):
        return limit_types.UNLIMITED
    if item == "nice":
        return 20 - value
    unit = items.kernel(1, item)
    assert value % unit == 0, f"{item} of the caller is {value}"
    return value // unit


def got(answer: dict[str, Any]) -> Got:
    limits = {}
    for item, number in NUMBERS.items():
        soft, hard = answer["limits"][str(number)]
        limits[item] = (soft % 2**64, hard % 2**64)
    assert answer["status"] >= 0, f"pam_start failed with {-answer['status']}"
    return Got(answer["status"] == 0, limits, answer["priority"], answer["nonewprivs"], answer["directory"])


def differences(expected: Got, seen: Got) -> list[str]:
    found = []
    for field in ("let_in", "priority", "nonewprivs", "directory"):
        if getattr(expected, field) != getattr(seen, field):
            found.append(f"{field}: computed {getattr(expected, field)}, got {getattr(seen, field)}")
    found += [
        f"{item}: computed {expected.limits[item]}, got {seen.limits[item]}"
        for item in NUMBERS
        if expected.limits[item] != seen.limits[item]
    ]
    return found


def report(case: Case, machine: Machine, name: str, wrong: list[str]) -> str:
    lines = [f"pam_limits of {machine.name} disagrees with the model about {name}", "", "the tree:"]
    for node in case.tree:
        lines.append(f"  {node.path!r} ({node.kind}){' -> ' + node.content if node.kind == 'link' else ''}")
        lines += [f"    {line[:200]!r}" for line in node.content.split("\n") if node.kind == "file"]
    lines += [f"groups: {case.groups}", f"caller: {case.caller}", f"arguments: {case.arguments}", "", *wrong]
    return "\n".join(lines)


def check(case: Case, fleet: list[Machine]) -> None:
    message = {
        "tree": case.tree,
        "users": limit_trees.USERS,
        "groups": case.groups,
        "caller": {str(NUMBERS[item]): pair for item, pair in case.caller.items()},
        "arguments": case.arguments,
    }
    for machine in fleet:
        machine.send(message)
    answers = [machine.receive() for machine in fleet]
    problems = []
    for machine, answer in zip(fleet, answers):
        for (name, uid, gid), one in zip(limit_trees.USERS, answer["sessions"]):
            assert "error" not in one, f"{machine.name}: {one['error']}"
            wrong = differences(computed(case, machine, name, uid, gid, one["descriptors"]), got(one))
            if wrong:
                problems.append(report(case, machine, name, wrong))
        reader = f"pam_limits of {machine.name}"
        COUNTS[reader] = COUNTS.get(reader, 0) + len(limit_trees.USERS)
    # One in full; the others usually say the same.
    others = [problem.splitlines()[0] for problem in problems[1:]]
    assert not problems, "\n".join([problems[0], "", *others])


def test_random_trees(pam_fleet: list[Machine], note: Callable[[str], None]) -> None:
    @hypothesis.seed(SEED)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(limit_trees.cases())
    def run(case: Case) -> None:
        check(case, pam_fleet)

    print(f"seed {SEED}, {CASES} trees")
    run()
    for reader, count in COUNTS.items():
        note(f"limits oracle: {count} sessions agree with {reader}")
    for reason in machines.MISSING:
        note(f"limits oracle: not asked: {reason}")


def test_the_generations_are_told_apart(pam_fleet: list[Machine]) -> None:
    """What the bytes of the module tell is what the releases are known for."""
    plain = Case((), (), {}, ())
    for machine in pam_fleet:
        found = dialect_of(machine, plain)
        assert (found.installed, found.star_excludes_root, found.ignores_setrlimit_errors, found.vendor) == (
            True,
            True,
            True,
            None,
        )
        old = {"bullseye": True, "bookworm": True, "trixie": False}.get(machine.name)
        if old is not None:
            assert (found.starts_from_pid1, found.splits_long_lines, found.needs_files) == (old, old, old)
            assert (found.unlimited_means_nr_open, found.nonewprivs) == (machine.name != "bullseye",) * 2


def test_a_wrong_model_is_noticed(pam_fleet: list[Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself works: with the order of files turned round the answers differ."""
    right = pam_precedence.reading_order
    monkeypatch.setattr(pam_precedence, "reading_order", lambda names: right(names)[::-1])
    case = Case(
        (Node(MAIN, "file", "* - nofile 500\n"), Node(DIRECTORY + "a.conf", "file", "* - nofile 600\n")), (), {}, ()
    )
    with pytest.raises(AssertionError, match=r"computed \(500, 500\), got \(600, 600\)"):
        check(case, pam_fleet)


def test_the_probe_gives_the_answers_of_the_sessions(pam_fleet: list[Machine]) -> None:
    """The program that the guard starts, under the Python and the PAM of each generation, with files of its own."""
    good, bad = "* - nofile 500\n", "root - nofile 0\n"
    request = {
        "users": ["root", "nosuch"],
        "views": [{"data": data, "arguments": ["set_all"]} for data in (good, bad, None)],
    }
    source = Path(str(pam_probe.__file__)).read_text(encoding="utf-8")
    for machine in pam_fleet:
        done = subprocess.run(
            [*machine.command, "-I", "-S", "-B", "-c", source],
            input=json.dumps(request),
            env=machine.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(done.stdout)
        statuses = [view["root"] for view in answer["views"]]
        # In libpam itself: a session in which no file can be opened ends with PAM_SYSTEM_ERR.
        assert statuses == [0, 4, 0]
        assert {view["nosuch"] for view in answer["views"]} == {10}
        assert answer["texts"]["10"].startswith("User not known")
