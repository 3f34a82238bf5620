# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import boot as boot_model
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import glob as sysctl_glob
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import readers as boot_readers

DEFAULT = boot_model.Boot(None, "kernel default", None)


@pytest.mark.parametrize(
    ("listing", "order"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {"/etc/sysctl.d": ["a.conf", "10-b.conf", "9-a.conf", "B.conf", "_x.conf"]},
            [
                "/etc/sysctl.d/10-b.conf",
                "/etc/sysctl.d/9-a.conf",
                "/etc/sysctl.d/B.conf",
                "/etc/sysctl.d/_x.conf",
                "/etc/sysctl.d/a.conf",
            ],
            id="byte order",
        ),
        pytest.param(
            {"/etc/sysctl.d": ["99-z.conf"], "/usr/lib/sysctl.d": ["50-a.conf"], "/run/sysctl.d": ["70-r.conf"]},
            ["/usr/lib/sysctl.d/50-a.conf", "/run/sysctl.d/70-r.conf", "/etc/sysctl.d/99-z.conf"],
            id="names, not directories",
        ),
        pytest.param(
            {"/usr/lib/sysctl.d": ["50.conf"], "/lib/sysctl.d": ["50.conf"], "/etc/sysctl.d": ["50.conf"]},
            ["/etc/sysctl.d/50.conf"],
            id="the first directory counts",
        ),
        pytest.param(
            {"/usr/lib/sysctl.d": ["50.conf"], "/usr/local/lib/sysctl.d": ["50.conf"]},
            ["/usr/local/lib/sysctl.d/50.conf"],
            id="local before the distribution",
        ),
        pytest.param(
            {"/etc/sysctl.d": [".hidden.conf", "README", "x.conf~", "x.conf.dpkg-old", "x.CONF", "y.conf"]},
            ["/etc/sysctl.d/y.conf"],
            id="only names that end in .conf and are not hidden",
        ),
        pytest.param({"/etc/other": ["a.conf"]}, [], id="no other directory"),
        pytest.param(
            {"/etc/sysctl.d": ["\u00e9.conf", "z.conf", "\udcff.conf"]},
            ["/etc/sysctl.d/z.conf", "/etc/sysctl.d/\u00e9.conf", "/etc/sysctl.d/\udcff.conf"],
            id="any bytes in a name",
        ),
    ],
)
def test_reading_order(listing, order):
    assert boot_readers.reading_order(listing) == order


A, B, C = "/etc/sysctl.d/10-a.conf", "/usr/lib/sysctl.d/20-b.conf", "/etc/sysctl.d/30-c.conf"
KEY = "net.ipv4.conf.eth0.rp_filter"
GLOB = b"net.ipv4.conf.*.rp_filter"


@pytest.mark.parametrize(
    ("files", "key", "boot"),
    [
        pytest.param([], KEY, DEFAULT, id="no file"),
        pytest.param([(A, b"vm.swappiness=1\n")], "vm.swappiness", boot_model.Boot("1", A + ":1", A), id="one line"),
        pytest.param(
            [(A, b"# c\n\nvm.swappiness=1")], "vm.swappiness", boot_model.Boot("1", A + ":3", A), id="line numbers"
        ),
        pytest.param([(A, b"vm.swappiness=1\n")], "vm.dirty_ratio", DEFAULT, id="another key"),
        pytest.param(
            [(A, b"vm.swappiness=1\n"), (B, b"vm/swappiness = 2\n")],
            "vm.swappiness",
            boot_model.Boot("2", B + ":1", B),
            id="the last file wins, in any spelling",
        ),
        pytest.param(
            [(A, b"vm.swappiness=1\nvm.swappiness=3\n")],
            "vm.swappiness",
            boot_model.Boot("3", A + ":2", A),
            id="the last line wins",
        ),
        pytest.param(
            [(A, b"vm.swappiness=5\n"), (B, b"vm.swappiness=-99999\n")],
            "vm.swappiness",
            DEFAULT,
            id="an invalid value wins, and the kernel refuses it",
        ),
        pytest.param(
            [(A, b"-vm.swappiness=1\n")], "vm.swappiness", boot_model.Boot("1", A + ":1", A), id="-key=value sets"
        ),
        pytest.param(
            [(A, b"vm.swappiness=1\n"), (B, b"-vm.swappiness\n")], "vm.swappiness", DEFAULT, id="lone -key cancels"
        ),
        pytest.param(
            [(A, b"-vm.swappiness\n"), (B, b"vm.swappiness=1\n")],
            "vm.swappiness",
            boot_model.Boot("1", B + ":1", B),
            id="set after a lone -key",
        ),
        pytest.param([(A, GLOB + b"=2\n")], KEY, boot_model.Boot("2", A + ":1", A), id="pattern"),
        pytest.param([(A, GLOB + b"=2\n")], "net.ipv4.conf.eth0.log_martians", DEFAULT, id="pattern of another key"),
        pytest.param(
            [(A, b"net.ipv4.conf.eth0.rp_filter=1\n"), (B, GLOB + b"=2\n")],
            KEY,
            boot_model.Boot("1", A + ":1", A),
            id="a named key beats a later pattern",
        ),
        pytest.param(
            [(A, b"-net.ipv4.tcp_sack\n"), (B, b"net.ipv4.tcp_sac?=0\n")],
            "net.ipv4.tcp_sack",
            DEFAULT,
            id="-key keeps patterns off",
        ),
        pytest.param(
            [(A, b"-net.ipv4.conf.e*.rp_filter\n"), (B, GLOB + b"=2\n")],
            KEY,
            boot_model.Boot("2", B + ":1", B),
            id="-pattern keeps nothing off",
        ),
        pytest.param(
            [(A, GLOB + b"=1\n"), (B, b"net.ipv4.conf.e*.rp_filter=2\n")],
            KEY,
            boot_model.Boot("2", B + ":1", B),
            id="among patterns the last wins",
        ),
        pytest.param(
            [(A, GLOB + b"=1\n"), (B, b"net.ipv4.conf.e*.rp_filter=2\n"), (C, GLOB + b"=1\n")],
            KEY,
            boot_model.Boot("2", B + ":1", B),
            id="the same pattern and value again keeps its earlier place",
        ),
        pytest.param(
            [(A, GLOB + b"=1\n"), (B, b"net.ipv4.conf.e*.rp_filter=2\n"), (C, GLOB + b"=3\n")],
            KEY,
            boot_model.Boot("3", C + ":1", C),
            id="the same pattern with another value takes the later place",
        ),
        pytest.param(
            [(A, b"net.ipv4.conf.eth0/1.rp_filter=1\n")],
            "net.ipv4.conf.eth0/1.rp_filter",
            boot_model.Boot("1", A + ":1", A),
            id="interface with a dot",
        ),
        pytest.param(
            [(A, b"net.ipv4.conf.eth0.1.rp_filter=1\n")],
            "net.ipv4.conf.eth0/1.rp_filter",
            DEFAULT,
            id="read as systemd does",
        ),
        pytest.param([(A, b"; vm.swappiness=1\n")], "vm.swappiness", DEFAULT, id="comment"),
        pytest.param(
            [(A, b"\xef\xbb\xbfvm.swappiness=1\n")], "vm.swappiness", DEFAULT, id="a byte order mark ruins the line"
        ),
        pytest.param([(A, b"vm.swappiness=\n")], "vm.swappiness", DEFAULT, id="empty value, which is no number"),
    ],
)
def test_winner(files, key, boot):
    assert boot_model.BootTable(files).effective(key) == boot


@pytest.mark.parametrize(
    ("files", "key", "places"),
    [
        pytest.param([(A, b"vm.x=1\n")], "vm.y", [], id="none"),
        pytest.param(
            [(A, b"vm.x=1\nvm/x=2\n"), (B, b"-vm.x\n")],
            "vm.x",
            [A + ":1", A + ":2", B + ":1"],
            id="every line of the key",
        ),
        pytest.param(
            [(A, GLOB + b"=1\n"), (B, b"net.ipv4.conf.eth0.rp_filter=2\n"), (C, GLOB + b"=3\n")],
            KEY,
            [A + ":1", B + ":1", C + ":1"],
            id="patterns too, in reading order",
        ),
    ],
)
def test_mentions(files, key, places):
    assert [line.where for line in boot_model.BootTable(files).lines_for(key)] == places


def test_keys():
    table = boot_model.BootTable([(A, b"vm.x=1\nnet/core/y=2\n-vm.z\nnet.*.q=1\nvm.w=1\n-vm.w\n")])
    assert table.keys() == ["net.core.y", "vm.x"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("net/ipv4/conf/*/x", "net/ipv4/conf/eth0/x", True),
        ("net/ipv4/conf/*/x", "net/ipv4/conf/eth0.1/x", True),
        ("net/ipv4/*/x", "net/ipv4/conf/eth0/x", False),
        ("net/ipv4/conf/eth?/x", "net/ipv4/conf/eth0/x", True),
        ("net/ipv4/conf/eth?/x", "net/ipv4/conf/eth10/x", False),
        ("net/ipv4/conf/[ab]*/x", "net/ipv4/conf/b0/x", True),
        ("net/ipv4/conf/[!ab]*/x", "net/ipv4/conf/b0/x", False),
        ("net/ipv4/conf/*", "net/ipv4/conf", False),
        ("vm/x*", "vm/xyz", True),
        ("vm/x", "vm/xy", False),
    ],
)
def test_glob_matches(pattern, path, expected):
    assert sysctl_glob.matches_path(pattern, path) is expected
