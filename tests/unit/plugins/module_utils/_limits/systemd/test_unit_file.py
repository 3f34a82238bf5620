# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import unit_file

BOM = b"\xef\xbb\xbf"


def found(data):
    return [(one.section, one.key, one.value, one.first, one.last) for one in unit_file.assignments(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[A]\nk=v\n", [("A", "k", "v", 2, 2)]),
        (b" [A] \r\n\tk = v w \n", [("A", "k", "v w", 2, 2)]),
        (b"k=v\n[A]\n#k=1\n;k=2\nnothing\n=5\nk=v", [("A", "k", "v", 7, 7)]),
        (b"[A]\nk=1\\\n 2\n", [("A", "k", "1 2", 2, 3)]),
        (b"[A]\nk=1\\\n# between\n 2\n", [("A", "k", "1 2", 2, 4)]),
        (b"[A]\nk=1\\\\\nl=2\n", [("A", "k", "1\\\\", 2, 2), ("A", "l", "2", 3, 3)]),
        (b"[A]\nk=1\\", [("A", "k", "1", 2, 2)]),
        (BOM + b"[A]\nk=v\n", [("A", "k", "v", 2, 2)]),
        (b"[A]\nk=1\n[broken\nk=2\n", [("A", "k", "1", 2, 2)]),
        (b"[A]\nk=1\n\xff\nk=2\n", [("A", "k", "1", 2, 2)]),
        (b"[A]\rk=1\0l=2\n\rm=3", [("A", "k", "1", 2, 2), ("A", "l", "2", 3, 3), ("A", "m", "3", 4, 4)]),
    ],
)
def test_as_systemd_reads_it(data, expected):
    assert found(data) == expected


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (b"", {"k": "1"}, unit_file.HEADER + b"[S]\nk=1\n"),
        (b"", {"k": "1", "l": "2"}, unit_file.HEADER + b"[S]\nk=1\nl=2\n"),
        (b"[S]\nk=0\n", {"k": "1"}, b"[S]\nk=1\n"),
        (b"[S]\r\nk=0\r\n# mine\r\n", {"k": "1"}, b"[S]\r\nk=1\r\n# mine\r\n"),
        (b"[S]\nk=0\nx=\xff\nk=9", {"k": "1"}, b"[S]\nk=1\nx=\xff\nk=9"),
        (b"[S]\nk=0\\\n 5\nx=1\n", {"k": "1"}, b"[S]\nk=1\nx=1\n"),
        (b"[S]\nk=0\nk=5\nx=1", {"k": "1"}, b"[S]\nk=1\nx=1"),
        (b"[S]\nx=1\n\n[T]\nk=0\n", {"k": "1"}, b"[S]\nx=1\nk=1\n\n[T]\nk=0\n"),
        (b"[T]\nk=0", {"k": "1"}, b"[T]\nk=0\n[S]\nk=1\n"),
        (b"[S]\nx=1", {"k": "1"}, b"[S]\nx=1\nk=1\n"),
        (unit_file.HEADER + b"[S]\nk=1\n", {"k": None}, b""),
        (b"[S]\nk=1\nx=2\n", {"k": None}, b"[S]\nx=2\n"),
        (b"# mine\n[S]\nk=1\n", {"k": None}, b"# mine\n[S]\n"),
    ],
)
def test_only_our_line_changes(before, changes, after):
    assert unit_file.ConfFile(before).with_changes("S", changes) == after


def test_values():
    assert unit_file.ConfFile(b"[S]\nk=1\n[T]\nk=2\n[S]\nk=3\n").values("S", "k") == ["1", "3"]
