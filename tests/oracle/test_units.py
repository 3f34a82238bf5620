# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The limits of units as we compute them from files, against the real systemd and the processes that it starts.

Random fragments, drop-ins and configurations of the manager are laid out in a container of each generation; after a daemon-reload
``systemctl show`` and ``/proc/PID/limits`` of the started unit have to say what the model says. TUNEFLEET_ORACLE_CASES sets how many
units are tried, TUNEFLEET_ORACLE_SEED which; the same seed gives the same units.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import conversion
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import precedence as systemd_precedence
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import unit_file
from ansible_collections.tunefleet.linux.tests.environments.containers import Machine
from ansible_collections.tunefleet.linux.tests.oracle import unit_trees
from ansible_collections.tunefleet.linux.tests.oracle.unit_trees import Case, Node, Unit

BATCH = 20
CASES = int(os.environ.get("TUNEFLEET_ORACLE_CASES") or 300)
SEED = int(os.environ.get("TUNEFLEET_ORACLE_SEED") or 20260131)
PROPERTIES = [f"Limit{item}{half}" for item in unit_trees.ITEMS for half in ("", "Soft")]
ITEMS = {name: item.name for name, item in conversion.ITEMS.items() if item.name in unit_trees.ITEMS}


class View:
    """What lies where."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = {node[0]: node for node in nodes}

    def listing(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._nodes:
            directory, name = posixpath.split(path)
            found.setdefault(directory, []).append(name)
        return found

    def data(self, path: str) -> bytes | None:
        if path == "/dev/null":
            return b""
        _path, kind, content = self._nodes.get(path, (path, "directory", ""))
        if kind == "link":
            return self.data(content)
        return content.encode("latin-1") if kind == "file" else None

    def files(self, paths: list[str]) -> list[tuple[str, bytes]]:
        found = [(path, self.data(path)) for path in paths]
        return [(path, data) for path, data in found if data is not None]


def computed(unit: Unit, view: View, default: dict[str, str]) -> dict[str, conversion.Pair | None]:
    """Soft and hard limit of each item, in the kernel's units."""
    names = [unit.name, *unit.aliases]
    fragment = view.files(systemd_precedence.fragments(names))[:1]
    paths = systemd_precedence.drop_ins(systemd_precedence.directories(names), view.listing())
    files = fragment + view.files(paths)
    found = {}
    for item, name in ITEMS.items():
        winner = systemd_precedence.effective_line(files, "Service", item)
        found[item] = winner.pair if winner else conversion.shown(default, "DefaultLimit" + name)
    return found


def computed_defaults(view: View) -> dict[str, conversion.Pair | None]:
    """What the manager's own files say."""
    files = view.files(
        systemd_precedence.drop_ins(systemd_precedence.manager_directories(limit_types.SYSTEM), view.listing())
    )
    found = {item: systemd_precedence.effective_line(files, "Manager", item, "DefaultLimit") for item in ITEMS}
    return {item: winner.pair if winner else None for item, winner in found.items()}


def problems_of(case: Case, machine: Machine, answer: dict[str, Any]) -> list[str]:
    view = View(case.tree)
    init = conversion.running(machine.hello["init"])
    found = []

    def compare(what: str, expected: Any, got: Any) -> None:
        if expected != got:
            found.append(f"{what}: computed {expected}, systemd {machine.hello['version']} has {got}")

    for item, pair in computed_defaults(view).items():
        if pair is not None:
            compare(f"default {item}", pair, conversion.shown(answer["manager"], "DefaultLimit" + ITEMS[item]))
    for unit in case.units:
        shown = answer["units"][unit.name]
        if shown["LoadState"] != "loaded":
            found.append(f"{unit.name} is {shown['LoadState']}")
            continue
        for item, pair in computed(unit, view, answer["manager"]).items():
            compare(f"{unit.name} {item}", pair, conversion.shown(shown, "Limit" + ITEMS[item]))
            running = conversion.running(answer["running"].get(unit.name, ""))
            if item == "nofile" and running and pair is not None:
                machine.count("processes")
                compare(f"process of {unit.name}", conversion.cut(pair, init[item][1]), running[item])
        machine.count("units")
    return found


def check(case: Case, fleet: list[Machine]) -> None:
    units = [unit.name for unit in case.units]
    for machine in fleet:
        machine.send({"tree": case.tree, "units": units, "properties": PROPERTIES})
    wrong = {machine.name: problems_of(case, machine, machine.receive()) for machine in fleet}
    if not any(wrong.values()):
        return
    texts = [f"{name}: {problem}" for name, problems in wrong.items() for problem in problems]
    # The files of the units that are named only; the others are in order.
    named = [node for unit in case.units if any(unit.name in text for text in texts) for node in unit.nodes]
    nodes = [f"  {path} ({kind}) {content!r}" for path, kind, content in [*named, *case.shared]]
    pytest.fail("\n".join([*texts[:20], "", *nodes]), pytrace=False)


def test_random_units(unit_fleet: list[Machine], note: Callable[[str], None]) -> None:
    @hypothesis.seed(SEED)
    @settings(
        max_examples=-(-CASES // BATCH),
        deadline=None,
        database=None,
        derandomize=False,
        # A case is twenty units already, and says which one is wrong; making it smaller takes longer than reading it.
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @hypothesis.given(unit_trees.cases(BATCH))
    def run(case: Case) -> None:
        check(case, unit_fleet)

    print(f"seed {SEED}, {CASES} units")
    run()
    for machine in unit_fleet:
        counts = machine.counts
        note(
            f"units: {counts['units']} units and {counts['processes']} running processes agree with systemd "
            f"{machine.hello['version']} ({machine.name})"
        )
        assert counts["processes"] >= CASES / 2


def test_a_wrong_model_is_noticed(unit_fleet: list[Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself works: with the order of files turned round the answers differ."""
    right = systemd_precedence.drop_ins
    monkeypatch.setattr(systemd_precedence, "drop_ins", lambda ordered, listing: right(ordered, listing)[::-1])
    place = "/etc/systemd/system/tf0.service"
    unit = Unit(
        "tf0.service",
        (),
        (
            (place, "file", "[Service]\nType=exec\nExecStart=/bin/sleep 300\n"),
            (place + ".d/a.conf", "file", "[Service]\nLimitNOFILE=5000\n"),
            (place + ".d/b.conf", "file", "[Service]\nLimitNOFILE=6000\n"),
        ),
    )
    with pytest.raises(pytest.fail.Exception, match=r"computed \(5000, 5000\), systemd \d+ has \(6000, 6000\)"):
        check(Case((unit,), ()), unit_fleet)


def test_what_we_write_is_what_systemd_reads(unit_fleet: list[Machine]) -> None:
    """Every spelling of ours, for each item."""
    pairs = [(64, 64), (1024, 8192), (1048576, conversion.INFINITY), (conversion.INFINITY, conversion.INFINITY)]
    units = []
    for number, pair in enumerate(pairs):
        data = unit_file.ConfFile(b"").with_changes(
            "Service", {f"Limit{name}": conversion.render(pair) for name in ITEMS.values()}
        )
        place = f"/etc/systemd/system/tf{number}.service"
        nodes = (
            (place, "file", "[Service]\nType=exec\nExecStart=/bin/sleep 300\n"),
            (f"{place}.d/{systemd_precedence.OWN_NAME}", "file", data.decode()),
        )
        units.append(Unit(f"tf{number}.service", (), nodes))
        assert computed(units[-1], View(list(nodes)), {}) == dict.fromkeys(ITEMS, pair)
    check(Case(tuple(units), ()), unit_fleet)
