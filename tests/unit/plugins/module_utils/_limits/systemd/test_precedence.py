# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import precedence as systemd_precedence

PLAIN = "/etc/systemd/system/a.service.d"


def test_order_of_drop_ins():
    """By name over all directories; of two with one name the more special counts, that of the type least."""
    ordered = systemd_precedence.directories(["a.service"], ["/etc/systemd/system", "/usr/lib/systemd/system"])
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
    assert systemd_precedence.drop_ins(ordered, listing) == [
        "/etc/systemd/system/service.d/Z.conf",
        "/usr/lib/systemd/system/a.service.d/a.conf",
        PLAIN + "/b.conf",
    ]


@pytest.mark.parametrize(
    "broken", [b"[Manager]\nDefaultLimitNOFILE=5\n[Oops\n", b"[Manager]\nDefaultLimitNOFILE=5\n\xff\n"]
)
def test_a_broken_file_of_the_manager_ends_all(broken):
    files = [("a", broken), ("b", b"[Manager]\nDefaultLimitNOFILE=6\n")]
    assert systemd_precedence.effective_line(files, "Manager", "nofile", "DefaultLimit").where == "a:2"
    files = [(path, data.replace(b"DefaultLimit", b"Limit").replace(b"Manager", b"Service")) for path, data in files]
    assert systemd_precedence.effective_line(files, "Service", "nofile").where == "b:2"


def test_the_last_line_that_is_understood_decides():
    files = [
        ("/x", b"[Service]\nLimitNOFILE=5:9\nLimitNOFILE=64K\n"),
        ("/y", b"[Service]\nLimitNOFILE=\n[Unit]\nLimitNOFILE=7\n"),
    ]
    winner = systemd_precedence.effective_line(files, "Service", "nofile")
    assert (winner.pair, winner.where) == ((5, 9), "/x:2")
    assert systemd_precedence.effective_line(files, "Service", "nproc") is None
