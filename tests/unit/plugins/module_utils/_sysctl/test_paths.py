# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where paths with detours lead. What the readers make of such lines is in test__boot_readers.py."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import paths as sysctl_paths

V0 = "net/ipv4/conf/v0/rp_filter"
SEEN = sysctl_paths.above([V0, "net/core/somaxconn", "vm/swappiness", "alone"])


def test_the_directories_above_some_files():
    assert {"net", "net/core", "net/ipv4", "net/ipv4/conf", "net/ipv4/conf/v0", "vm"} == SEEN


@pytest.mark.parametrize(
    ("path", "directories", "found"),
    [
        ("net/core/somaxconn", SEEN, "net/core/somaxconn"),
        ("net//core/./somaxconn", SEEN, "net/core/somaxconn"),
        ("net/ipv4/conf/v0/../../../core/somaxconn", SEEN, "net/core/somaxconn"),
        ("net/ipv4/conf/v0/../../../core/somaxconn", sysctl_paths.USUAL, None),
        ("vm/../../../../../proc/sys/vm/x", SEEN, "vm/x"),
        ("vm/../../x", SEEN, None),
        ("vm/../../self/../sys/vm/x", SEEN, None),
    ],
)
def test_one_spelling(path, directories, found):
    assert sysctl_paths.resolved(path, directories) == found


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("net/*/somaxconn", "net/core/somaxconn", ["net/core/somaxconn"]),
        ("net/*/tcp_*", "net/core/somaxconn", []),
        ("net/.//*/somaxconn", "net/core/somaxconn", ["net/.//core/somaxconn"]),
        (
            "net/*/../core/somaxconn",
            "net/core/somaxconn",
            ["net/core/../core/somaxconn", "net/ipv4/../core/somaxconn"],
        ),
        ("net/c*/../core/so*", "net/core/somaxconn", ["net/core/../core/somaxconn"]),
        ("net/ipv4/conf/v*/../v*/rp_*", V0, ["net/ipv4/conf/v0/../v0/rp_filter"]),
        ("net/ipv4/conf/*/rp_filter/../x", "net/ipv4/conf/v0/x", []),
    ],
)
def test_how_a_pattern_spells_a_path(pattern, path, found):
    assert list(sysctl_paths.spellings(pattern, path, SEEN)) == found


def test_a_pattern_with_countless_ways_is_no_trap():
    assert sysctl_paths.spellings("net/*/../" * 40 + "net/core/somaxconn", "net/core/somaxconn", SEEN) == []
    found = sysctl_paths.spellings("*/../" * 40 + "net/core/somaxconn", "net/core/somaxconn", SEEN)
    assert 1 < len(found) <= 50
