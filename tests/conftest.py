# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines for the end of a run, and which tests may run beside each other."""

import typing as t

import pytest

_NOTE = "note"
# With several processes, the tests of one group run one after the other in the same one: they share containers, the kernel,
# virtual environments, or what ansible-test keeps in the home folder. Everything that is named nowhere shares the running kernel.
_GROUPS = {
    "test_sanity.py": "sanity",
    "test_oldest_core.py": "sanity",
    "test_ssh_pipelining.py": "sanity",
    "test_molecule.py": "containers",
    "test_fresh_machine.py": "containers",
    "test_rollout.py": "containers",
    "oracle": "containers",
    "browser": "browser",
}


@pytest.fixture
def note(request: t.Any) -> t.Callable[[str], None]:
    """Call it with a line that is to be seen at the end of the run, also when the test passes: how much was counted."""

    def add(line: str) -> None:
        request.node.user_properties.append((_NOTE, line))

    return add


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: t.Any, items: t.List[t.Any]) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            groups = [group for name, group in _GROUPS.items() if name in item.path.parts]
            item.add_marker(pytest.mark.xdist_group((groups or ["kernel"])[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """The node ids carry the groups to the process that hands the tests out; without them it would mix the groups, silently."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("this pytest and this pytest-xdist do not keep the tests of a group in one process")


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    lines = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        # The properties of a test come with each of its phases.
        if getattr(report, "when", "") == "teardown"
        for name, value in report.user_properties
        if name == _NOTE
    ]
    if lines:
        terminalreporter.section("what the tests counted")
        for line in lines:
            terminalreporter.write_line(line)
