# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import unit_name


@pytest.mark.parametrize(
    ("name", "template", "is_template", "directories"),
    [
        ("x.service", None, False, ["x.service.d"]),
        ("a-b-c.service", None, False, ["a-b-c.service.d", "a-b-.service.d", "a-.service.d"]),
        ("a--b.service", None, False, ["a--b.service.d", "a--.service.d", "a-.service.d"]),
        ("-.mount", None, False, ["-.mount.d"]),
        ("a-b@.service", None, True, ["a-b@.service.d", "a-.service.d"]),
        (
            "a-b@i.service",
            "a-b@.service",
            False,
            ["a-b@i.service.d", "a-b@.service.d", "a-.service.d", "a-@i.service.d", "a-@.service.d"],
        ),
    ],
)
def test_names(name, template, is_template, directories):
    assert unit_name.template_of(name) == template
    assert unit_name.is_template(name) is is_template
    assert unit_name.directory_names(name) == directories


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("nginx", "nginx.service"),
        ("a.b", "a.b.service"),
        ("x.socket", "x.socket"),
        ("getty@.service", "getty@.service"),
    ],
)
def test_a_name_without_a_type_is_a_service(raw, name):
    assert unit_name.check_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "is not a unit"),
        (None, "is not a unit"),
        (7, "is not a unit"),
        ("a b.service", "write it escaped: a\\x20b.service"),
        ("srv/data.mount", "write it escaped: srv-data.mount"),
        ("a\nb", "write it escaped: a\\x0ab"),
        ("user.slice", "a slice starts no process"),
        ("x" * 300, "cannot be the name of a unit"),
        (".service", "cannot be the name of a unit"),
        ("@.service", "cannot be the name of a unit"),
    ],
)
def test_names_that_are_refused(raw, said):
    with pytest.raises(_errors.ValueProblem) as problem:
        unit_name.check_name(raw)
    assert said in str(problem.value)
