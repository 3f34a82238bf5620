# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The boot model against the programs that it models, on random trees of sysctl.d files.

Each case is laid out on every machine, applied by its systemd-sysctl and by its ``sysctl --system`` in a fresh network
namespace, and each key that the kernel then has must be what was computed. TUNEFLEET_ORACLE_CASES sets how many trees are tried,
TUNEFLEET_ORACLE_SEED which; the same seed gives the same trees.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import boot as boot_model
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import names as sysctl_names
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import readers as boot_readers
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import write_model
from ansible_collections.tunefleet.linux.tests.environments import containers as machines
from ansible_collections.tunefleet.linux.tests.environments.containers import TOOLS, Machine
from ansible_collections.tunefleet.linux.tests.oracle import trees
from ansible_collections.tunefleet.linux.tests.oracle.trees import Case, Node

CASES = int(os.environ.get("TUNEFLEET_ORACLE_CASES") or 500)
SEED = int(os.environ.get("TUNEFLEET_ORACLE_SEED") or 20260131)


def computed(case: Case, machine: Machine, tool: str, answer: dict[str, Any]) -> dict[str, str | None]:
    """What the model says that each key has in the end."""
    view = trees.View(case.tree, machine.directories)
    reader = boot_readers.BootReader(tool, machine.versions[tool])
    later = None
    data = view.data(trees.LATER)
    if data is not None and "procps" in machine.versions:
        later = ([(trees.LATER, data)], boot_readers.BootReader("procps", machine.versions["procps"]))
    facts = write_model.KernelModel(
        start=answer["before"],
        live=answer["before"],
        read_only=answer["read_only"],
        settled=(),
        words=answer["words"],
        replays=case.replay,
    )
    table = boot_model.BootTable(
        view.files(boot_readers.reading_order(view.listing(), reader, view.dangling())),
        reader,
        answer["before"],
        facts,
        later,
    )
    assert not table.unmodelled(), "the trees hold no key that the model ignores"
    found = {}
    for path, before in answer["before"].items():
        boot = table.effective(sysctl_names.from_path(path))
        found[path] = tidy(before) if boot.winner == boot_model.KERNEL_DEFAULT else boot.value
    return found


def tidy(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split("\t"))


def report(case: Case, machine: Machine, tool: str, wrong: dict[str, tuple[Any, Any]]) -> str:
    version = ".".join(str(number) for number in machine.versions[tool])
    lines = [f"{tool} {version} of {machine.name} disagrees with the model", "", "the tree:"]
    for node in case.tree:
        lines.append(f"  {node.path!r} ({node.kind}){' -> ' + node.content if node.kind == 'link' else ''}")
        if node.kind == "file":
            lines += [f"    {line[:160]!r}" for line in re.findall(r"[^\n]*\n|[^\n]+$", node.content)]
    lines += [f"interfaces: {', '.join(case.interfaces) or 'none'}; udev: {'yes' if case.replay else 'no'}", ""]
    for key, (expected, got) in wrong.items():
        lines.append(f"  {key}: computed {_short(expected)}, the kernel has {_short(got)}")
    return "\n".join(lines)


def _short(text: str | None) -> str:
    return repr(text if text is None or len(text) < 200 else text[:200] + "...")


def check(case: Case, fleet: list[Machine]) -> None:
    message = {
        "tree": case.tree,
        "interfaces": case.interfaces,
        "replay": case.replay,
        "keys": trees.OBSERVED,
        "tools": TOOLS,
    }
    for machine in fleet:
        machine.send(message)
    answers = [machine.receive() for machine in fleet]
    problems = []
    for machine, answer in zip(fleet, answers):
        for tool, seen in answer.items():
            expected = computed(case, machine, tool, seen)
            got = {path: tidy(seen["after"][path]) for path in expected}
            wrong = {path: (expected[path], got[path]) for path in expected if expected[path] != got[path]}
            if wrong:
                problems.append(report(case, machine, tool, wrong))
            reader = f"{tool} {'.'.join(map(str, machine.versions[tool]))} ({machine.name})"
            machines.COUNTS[reader] = machines.COUNTS.get(reader, 0) + 1
    # One in full; the others usually say the same.
    others = [problem.splitlines()[0] for problem in problems[1:]]
    assert not problems, "\n".join([problems[0], "", *others])


def test_random_trees(fleet: list[Machine], note: Callable[[str], None]) -> None:
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
    @given(trees.cases())
    def run(case: Case) -> None:
        check(case, fleet)

    print(f"seed {SEED}, {CASES} trees")
    run()
    for reader, count in machines.COUNTS.items():
        note(f"sysctl.d oracle: {count} cases agree with {reader}")
    for reason in machines.MISSING:
        note(f"sysctl.d oracle: not asked: {reason}")


def tree(*nodes: tuple[str, str, str]) -> Case:
    return Case(tuple(Node(*node) for node in nodes), (), False)


def test_the_failure_report_is_readable(fleet: list[Machine]) -> None:
    machine = fleet[0]
    tool = next(iter(machine.versions))
    case = tree(
        ("/etc/sysctl.d/a.conf", "file", "net.core.somaxconn = 5\n"), ("/etc/sysctl.d/b.conf", "link", "a.conf")
    )
    text = report(case, machine, tool, {"net/core/somaxconn": ("5", "6")})
    for piece in (
        tool,
        machine.name,
        "'/etc/sysctl.d/a.conf' (file)",
        "somaxconn = 5",
        "computed '5', the kernel has '6'",
    ):
        assert piece in text


def test_a_wrong_model_is_noticed(fleet: list[Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself works: with the order of files turned round the answers differ."""
    right = boot_readers.reading_order
    monkeypatch.setattr(boot_readers, "reading_order", lambda *arguments: right(*arguments)[::-1])
    case = tree(
        ("/etc/sysctl.d/a.conf", "file", "net.core.somaxconn = 5\n"),
        ("/etc/sysctl.d/b.conf", "file", "net.core.somaxconn = 6\n"),
    )
    with pytest.raises(AssertionError, match="computed '5', the kernel has '6'"):
        check(case, fleet)
