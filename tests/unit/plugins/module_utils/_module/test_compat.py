# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _messages
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._module import compat

TOO_MUCH = _messages.about("a.b", "5 is too much")


def failure(status, message, problems=()):
    return results.RequestFailed(message, {"settings": [{"key": "a.b", "status": status}]}, problems)


@pytest.mark.parametrize(
    ("options", "status", "problems", "expected"),
    [
        ({}, "refused", [TOO_MUCH], "Failed to reload sysctl: a.b: 5 is too much. Nothing was written."),
        ({"sysctl_set": True}, "refused", [TOO_MUCH], "setting a.b failed: 5 is too much. Nothing was written."),
        ({"sysctl_set": True}, "read_only", [TOO_MUCH], "setting a.b failed: 5 is too much. Nothing was written."),
        ({"reload": False}, "refused", [TOO_MUCH], "a.b: 5 is too much. Nothing was written."),
        ({"name": None}, "refused", [TOO_MUCH], "a.b: 5 is too much. Nothing was written."),
    ],
)
def test_a_refused_key_begins_as_in_ansible_posix(options, status, problems, expected):
    options = dict({"name": "a/b", "sysctl_set": False, "reload": True}, **options)
    assert compat.single_failure(options, failure(status, _messages.refused(problems), problems)) == expected


@pytest.mark.parametrize(
    ("status", "message"), [("refused", "setting a.b failed: no. Undone."), ("changed", "Writing /x failed.")]
)
def test_a_failed_step_keeps_its_message(status, message):
    options = {"name": "a.b", "sysctl_set": True, "reload": True}
    assert compat.single_failure(options, failure(status, message)) == message


def test_a_failure_before_any_key_was_read():
    options = {"name": "a.b", "sysctl_set": False, "reload": True}
    assert compat.single_failure(options, results.RequestFailed("why", {"settings": []})) == "why"
