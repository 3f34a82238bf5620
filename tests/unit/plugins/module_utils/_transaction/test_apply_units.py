# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps about processes and units, with faults that no container makes when it is asked to."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import apply
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

DROP_IN = "/etc/systemd/system/a.service.d/99-tunefleet.conf"
MAKE = step_types.WriteFile(DROP_IN, DROP_IN, None, b"new")
FIRST = step_types.SetRlimit(41, "100", "process a nofile", 7, (5, 9), (7, 9))
SECOND = step_types.SetRlimit(42, "100", "process a nofile", 7, (5, 9), (8, 9))


def stat(started):
    return "41 (a) b) S 1 " + "0 " * 17 + started


def running(*pids):
    host = FakeHost(
        texts=dict(
            {"/proc/uptime": "500.0 1"},
            **{"/proc/{0}/stat".format(pid): stat("100") for pid in pids},
            **{"/proc/{0}/limits".format(pid): proc_limits(nofile=(5, 9)) for pid in pids},
        )
    )
    host.process_limits = dict.fromkeys(pids, (5, 9))
    return host


def test_limits_of_processes():
    host = running(41, 42)
    apply.commit(host, [FIRST, SECOND])
    assert host.process_limits == {41: (7, 9), 42: (8, 9)}


def test_a_process_that_has_ended_is_no_refusal():
    host = running(41)
    apply.commit(host, [FIRST, SECOND])
    assert host.process_limits == {41: (7, 9)}


def test_another_process_with_the_id_is_left_alone():
    host = running(41)
    host.texts["/proc/41/stat"] = stat("300")
    apply.commit(host, [FIRST])
    assert host.process_limits == {41: (5, 9)}


def test_an_id_that_is_given_away_in_between():
    """It was the one when we looked, and another one when we had set it: that one gets back what it had."""
    host = running(41)
    right = host.set_limit

    def set_limit(pid, number, limit):
        host.texts["/proc/41/stat"] = stat("300")
        return right(pid, number, limit)

    host.set_limit = set_limit
    apply.commit(host, [FIRST])
    assert host.process_limits == {41: (5, 9)}


def test_a_refused_limit_puts_the_others_back():
    host = running(41, 42)
    host.refused_limits = [(8, 9)]
    with pytest.raises(apply.StepRefused) as refusal:
        apply.commit(host, [FIRST, SECOND])
    assert host.process_limits == {41: (5, 9), 42: (5, 9)}
    assert str(refusal.value) == (
        "setting process a nofile of process 42 failed: the kernel rejected it: Operation not permitted. "
        "All changes of this run were undone."
    )
    assert refusal.value.undone == ["Process 41 has its former limit again."]


class Systemd:
    """Answers of systemctl; some commands fail as often as is said."""

    def __init__(self, shown="LimitNOFILE=9\nLimitNOFILESoft=5\n", **failures):
        self.shown = shown
        self.failures = failures
        self.called = []

    def __call__(self, arguments):
        words = [word for word in arguments[1:] if not word.startswith("--") or word == "--"]
        if words[0] == "show":
            return hosts.Completed(0, self.shown, "")
        self.called.append(" ".join(words))
        name = words[0].replace("-", "_")
        self.failures[name] = self.failures.get(name, 0) - 1
        return (
            hosts.Completed(1, "", "Job failed.\nSee the log.")
            if self.failures[name] >= 0
            else hosts.Completed(0, "", "")
        )


RELOAD = step_types.DaemonReload((("a.service", "LimitNOFILE", (5, 9)),))
STEPS = [MAKE, RELOAD, step_types.RestartUnit("a.service")]


def test_reload_and_restart():
    host, systemd = FakeHost(), Systemd()
    host.programs = systemd
    apply.commit(host, STEPS)
    assert systemd.called == ["daemon-reload", "restart -- a.service"]


def test_a_failed_restart_comes_after_the_files_are_back():
    host, systemd = FakeHost(), Systemd(restart=1)
    host.programs = systemd
    with pytest.raises(apply.StepRefused) as refusal:
        apply.commit(host, STEPS)
    assert DROP_IN not in host.files
    assert systemd.called == ["daemon-reload", "restart -- a.service", "daemon-reload", "restart -- a.service"]
    assert "restarting a.service failed: systemctl restart -- a.service failed: Job failed. See the log." in str(
        refusal.value
    )


def test_a_unit_that_does_not_start_again_at_all_is_named():
    host = FakeHost()
    host.programs = Systemd(restart=2)
    with pytest.raises(apply.StepRefused) as refusal:
        apply.commit(host, STEPS)
    assert len(refusal.value.not_undone) == 1
    assert refusal.value.not_undone[0].startswith("a.service does not start with its former limits either")


def test_systemd_that_makes_something_else_of_the_files():
    """What was predicted must be what systemd says; else nothing of it stays."""
    host, systemd = FakeHost(), Systemd(shown="LimitNOFILE=4096\nLimitNOFILESoft=1024\n")
    host.programs = systemd
    with pytest.raises(apply.StepRefused) as refusal:
        apply.commit(host, STEPS)
    assert DROP_IN not in host.files
    assert systemd.called == ["daemon-reload", "daemon-reload"]
    assert "LimitNOFILE of a.service is 1024:4096, not 5:9" in str(refusal.value)
