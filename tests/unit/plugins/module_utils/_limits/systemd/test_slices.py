# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""nproc beside the TasksMax= of a user's slice, which makes fork(2) fail in the same words."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import info as systemd_info
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import slices
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

BOOTED = {"/run/systemd/system": b""}
USERS = {"root": ("root", 0, 0, {0: "root"}), "alice": ("alice", 2000, 2000, {2000: "alice"})}


def host_with(tasks_max, files=None):
    """:param tasks_max: what systemctl says, by slice."""
    host = FakeHost(
        files=BOOTED if files is None else files,
        users=USERS,
        texts={"/proc/1/limits": proc_limits(nofile=(1024, 4096), nproc=(500, 9000))},
    )
    host.programs = lambda words: hosts.Completed(0, "TasksMax={0}\n".format(tasks_max.get(words[-1], "infinity")), "")
    return host


@pytest.mark.parametrize(
    ("uid", "nproc", "said"),
    [
        (2000, 101, "TasksMax=100 of user-2000.slice is lower than nproc 101 of alice and takes effect first."),
        (
            2000,
            "unlimited",
            "TasksMax=100 of user-2000.slice is lower than nproc unlimited of alice and takes effect first.",
        ),
        (2000, 100, None),
        (2000, None, None),
        (3000, 101, None),
        (0, 101, None),
        (None, 901, "TasksMax=900 of user-.slice is lower than nproc 901 of alice and takes effect first."),
        (None, 900, None),
    ],
)
def test_note(uid, nproc, said):
    host = host_with({"user-2000.slice": "100", "user-0.slice": "5", "user-60001.slice": "900"})
    assert slices.note(host, "alice", uid, nproc) == said


@pytest.mark.parametrize("shown", ["infinity", "18446744073709551615", ""])
def test_a_slice_without_a_bound(shown):
    assert slices.note(host_with({"user-2000.slice": shown}), "alice", 2000, "unlimited") is None


def test_without_systemd_nothing_is_asked():
    host = host_with({"user-2000.slice": "1"}, files={})
    assert slices.note(host, "alice", 2000, 50) is None and host.log == []


def run(host, *entries):
    desired_limits = limit_settings.parse(
        [dict(one, item=one.get("item", "nproc"), soft=300, hard=300) for one in entries]
    )
    return module_run.run(host, requests.Request(limits=desired_limits, policy=requests.Policy()), True)


def test_told_of_what_is_set():
    host = host_with({"user-2000.slice": "100", "user-60001.slice": "200"})
    result, warnings = run(
        host, {"domain": "alice"}, {"domain": "*"}, {"domain": "root"}, {"domain": "*", "item": "nofile"}
    )
    notes = [
        "TasksMax=100 of user-2000.slice is lower than nproc 300 of alice and takes effect first.",
        "TasksMax=200 of user-.slice is lower than nproc 300 of * and takes effect first.",
    ]
    assert [text for text in warnings if "TasksMax" in text] == [
        "Limit alice nproc: " + notes[0],
        "Limit * nproc: " + notes[1],
    ]
    assert [
        [text for text in one["notes"] if "TasksMax=" in text and "slice is" in text] for one in result["limits"]
    ] == [notes[:1], notes[1:], [], []]


def test_an_unchanged_run_asks_nothing():
    host = host_with(
        {"user-2000.slice": "100"}, dict(BOOTED, **{"/etc/security/limits.d/a.conf": b"alice - nproc 300\n"})
    )
    host.files["/etc/security/limits.d/99-tunefleet.conf"] = b"alice - nproc 300\n"
    result, warnings = run(host, {"domain": "alice"})
    assert not result["changed"] and host.log == [] and list(warnings) == []


def test_told_of_a_user_that_is_read():
    host = host_with({"user-2000.slice": "100"}, dict(BOOTED, **{"/etc/security/limits.conf": b"alice - nproc 300\n"}))
    asked = {"users": ["alice", "root"], "units": None, "managers": None, "processes": None}
    assert [text for text in systemd_info.everything(host, asked)["notes"] if "Tasks" in text] == [
        "TasksMax=100 of user-2000.slice is lower than nproc 300 of alice and takes effect first."
    ]
