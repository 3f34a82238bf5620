# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from a step without a host."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import step_kinds

ONE = shapes.Shape(shapes.INTEGERS, 1)
KEY = step_types.SetSysctl("net.core.somaxconn", "4096", "8192", ONE)
COUPLED = step_types.SetSysctl("vm.dirty_bytes", "0", "9", ONE, (("vm.dirty_ratio", "20", ONE),))
FILE = step_types.WriteFile("/etc/link", "/srv/file", b"old", None, ("/srv",))
LIMIT = step_types.SetRlimit(7, "100", "process nginx nofile", 7, (1, 2), (3, 4))
CHECK = step_types.CheckSessions(("root",), (), ())
RELOAD = step_types.DaemonReload(())
RESTART = step_types.RestartUnit("nginx.service")


def test_each_kind_of_step_can_be_applied():
    kinds = [kind for kind in step_types.Step.__subclasses__() if kind.__module__ == step_types.__name__]
    assert set(step_kinds.KINDS) == set(kinds)


@pytest.mark.parametrize(
    ("step", "inverse"),
    [
        pytest.param(KEY, KEY._replace(before="8192", after="4096"), id="key"),
        pytest.param(COUPLED, step_types.SetSysctl("vm.dirty_bytes", "9", "0", ONE), id="coupled key"),
        pytest.param(KEY._replace(before=None), None, id="unknown former value"),
        pytest.param(KEY._replace(action=True), None, id="action"),
        pytest.param(FILE, FILE._replace(before=None, after=b"old"), id="file"),
        pytest.param(LIMIT, LIMIT._replace(before=(3, 4), after=(1, 2)), id="limit"),
        pytest.param(CHECK, None, id="check"),
        pytest.param(RELOAD, None, id="reload"),
        pytest.param(RESTART, None, id="restart"),
    ],
)
def test_inverse(step, inverse):
    assert step.inverse() == inverse


def test_inverse_of_several():
    assert step_types.inverse([KEY, FILE, RELOAD]) == [FILE.inverse(), KEY.inverse()]


def test_changes():
    changes = step_types.Changes(
        [KEY, KEY._replace(before=None), KEY._replace(action=True), LIMIT, FILE, CHECK, RELOAD]
    )
    assert (changes.sysctls, changes.files, changes.rlimits) == ([KEY], [FILE], [LIMIT])


def test_steps_of_different_kinds_differ():
    assert step_types.DaemonReload(()).is_reload and not CHECK.is_reload
    assert [type(step._replace()) for step in (KEY, FILE, LIMIT)] == [type(step) for step in (KEY, FILE, LIMIT)]
