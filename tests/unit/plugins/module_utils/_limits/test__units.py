# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._errors import ValueProblem
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _units

PLAIN = "/etc/systemd/system/a.service.d"


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
    assert _units.template_of(name) == template
    assert _units.is_template(name) is is_template
    assert _units.directory_names(name) == directories


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
    assert _units.check_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "is no unit"),
        (None, "is no unit"),
        (7, "is no unit"),
        ("a b.service", "write it escaped, a\\x20b.service"),
        ("srv/data.mount", "write it escaped, srv-data.mount"),
        ("a\nb", "write it escaped, a\\x0ab"),
        ("user.slice", "a slice starts no process"),
        ("x" * 300, "cannot be the name of a unit"),
        (".service", "cannot be the name of a unit"),
        ("@.service", "cannot be the name of a unit"),
    ],
)
def test_names_that_are_refused(raw, said):
    with pytest.raises(ValueProblem) as problem:
        _units.check_name(raw)
    assert said in str(problem.value)


def test_order_of_drop_ins():
    """By name over all directories; of two with one name the more special counts, that of the type least."""
    ordered = _units.directories(["a.service"], ["/etc/systemd/system", "/usr/lib/systemd/system"])
    assert ordered == [
        PLAIN,
        "/usr/lib/systemd/system/a.service.d",
        "/etc/systemd/system/service.d",
        "/usr/lib/systemd/system/service.d",
    ]
    listing = {
        PLAIN: ["b.conf", ".hidden.conf", "c.txt"],
        "/usr/lib/systemd/system/a.service.d": ["b.conf", "a.conf"],
        "/etc/systemd/system/service.d": ["a.conf", "Z.conf"],
    }
    assert _units.drop_ins(ordered, listing) == [
        "/etc/systemd/system/service.d/Z.conf",
        "/usr/lib/systemd/system/a.service.d/a.conf",
        PLAIN + "/b.conf",
    ]


@pytest.mark.parametrize(
    "broken", [b"[Manager]\nDefaultLimitNOFILE=5\n[Oops\n", b"[Manager]\nDefaultLimitNOFILE=5\n\xff\n"]
)
def test_a_broken_file_of_the_manager_ends_all(broken):
    files = [("a", broken), ("b", b"[Manager]\nDefaultLimitNOFILE=6\n")]
    assert _units.deciding(files, "Manager", "nofile", "DefaultLimit").where == "a:2"
    files = [(path, data.replace(b"DefaultLimit", b"Limit").replace(b"Manager", b"Service")) for path, data in files]
    assert _units.deciding(files, "Service", "nofile").where == "b:2"


def test_the_last_line_that_is_understood_decides():
    files = [
        ("/x", b"[Service]\nLimitNOFILE=5:9\nLimitNOFILE=64K\n"),
        ("/y", b"[Service]\nLimitNOFILE=\n[Unit]\nLimitNOFILE=7\n"),
    ]
    winner = _units.deciding(files, "Service", "nofile")
    assert (winner.pair, winner.where) == ((5, 9), "/x:2")
    assert _units.deciding(files, "Service", "nproc") is None
