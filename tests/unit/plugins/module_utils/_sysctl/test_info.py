# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import info as sysctl_info
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    SYSCTL_FILE,
    FakeHost,
)

EARLY, LATE = "/usr/lib/sysctl.d/50-a.conf", "/etc/sysctl.d/99-z.conf"
KEY = "net.core.somaxconn"


def read(names, **host):
    fake = FakeHost(**host)
    result = sysctl_info.sysctl(fake, names)
    assert fake.log == []
    return result


@pytest.mark.parametrize(
    ("names", "host", "keys"),
    [
        pytest.param(None, {}, [], id="no file sets anything"),
        pytest.param(
            None,
            {"files": {EARLY: b"vm.swappiness=1\n-vm.x\nnet.*.y=1\n", SYSCTL_FILE: b"net/core/somaxconn = 5\n"}},
            [KEY, "vm.swappiness"],
            id="every key that a file sets",
        ),
        pytest.param([], {"files": {EARLY: b"vm.swappiness=1\n"}}, ["vm.swappiness"], id="empty list is none"),
        pytest.param(["fs/nr_open", KEY], {}, ["fs.nr_open", KEY], id="the order asked for"),
        pytest.param([KEY, "net/core/somaxconn"], {}, [KEY], id="once"),
        pytest.param(["net.core.*"], {}, ["net.core.dev_weight", KEY], id="pattern"),
        pytest.param(["net/core/*"], {}, ["net.core.dev_weight", KEY], id="pattern with slashes"),
        pytest.param(
            ["net.ipv4.tcp_[fr]*", KEY],
            {},
            ["net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", KEY],
            id="pattern and key",
        ),
        pytest.param(["net.*"], {}, [], id="a star stays within a segment"),
        pytest.param(
            ["net.ipv4.conf.*.rp_filter"],
            {"live": {"net/ipv4/conf/eth0.1/rp_filter": "2"}},
            ["net.ipv4.conf.eth0/1.rp_filter"],
            id="interface with a dot",
        ),
    ],
)
def test_sysctl_keys(names, host, keys):
    assert [one["key"] for one in read(names, **host)["settings"]] == keys


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        pytest.param(
            KEY,
            {},
            {
                "status": "ok",
                "reason": None,
                "live": "4096",
                "file": None,
                "boot": (None, "kernel default", False),
                "files": [],
            },
            id="kernel default",
        ),
        pytest.param(
            KEY,
            {"files": {EARLY: b"net.core.somaxconn=1\n", SYSCTL_FILE: b"#\nnet/core/somaxconn = 0x1000\n"}},
            {
                "status": "ok",
                "reason": None,
                "live": "4096",
                "file": "0x1000",
                "boot": ("4096", SYSCTL_FILE + ":2", True),
                "files": [EARLY + ":1", SYSCTL_FILE + ":2"],
            },
            id="our entry decides",
        ),
        pytest.param(
            KEY,
            {"files": {SYSCTL_FILE: b"net.core.somaxconn=4096\n", LATE: b"net.core.somaxconn=1\n"}},
            {
                "status": "ok",
                "reason": "the live value 4096 differs from the effective value after boot, 1",
                "live": "4096",
                "file": "4096",
                "boot": ("1", LATE + ":1", False),
                "files": [SYSCTL_FILE + ":1", LATE + ":1"],
            },
            id="the next boot differs",
        ),
        pytest.param(
            KEY,
            {"files": {"/srv/x": b"net.core.somaxconn=4096\n"}, "links": {SYSCTL_FILE: "/srv/x"}},
            {
                "status": "ok",
                "reason": None,
                "live": "4096",
                "file": "4096",
                "boot": ("4096", SYSCTL_FILE + ":1", True),
                "files": [SYSCTL_FILE + ":1"],
            },
            id="our file is a link",
        ),
        pytest.param(
            "net.ipv4.tcp_rmem",
            {"files": {EARLY: b"net.ipv4.tcp_rmem = 4096 131072   6291456\n"}},
            {
                "status": "ok",
                "reason": None,
                "live": "4096 131072 6291456",
                "file": None,
                "boot": ("4096 131072 6291456", EARLY + ":1", False),
                "files": [EARLY + ":1"],
            },
            id="compared by meaning",
        ),
        pytest.param(
            "net.ipv4.tcp_tw_recycle",
            {"files": {EARLY: b"net.ipv4.tcp_tw_recycle=1\n"}},
            {
                "status": "removed",
                "reason": "removed in Linux 4.12: it broke clients behind one translated address",
                "live": None,
                "file": None,
                "boot": ("1", EARLY + ":1", False),
                "files": [EARLY + ":1"],
            },
            id="removed",
        ),
        pytest.param(
            KEY,
            {"read_only": ["net/core/somaxconn"]},
            {
                "status": "read_only",
                "reason": "/proc/sys is read-only here, as in many containers",
                "live": "4096",
                "file": None,
                "boot": (None, "kernel default", False),
                "files": [],
            },
            id="read-only",
        ),
        pytest.param(
            "net.ipv4.route.flush",
            {
                "live": {"net/ipv4/route/flush": "0"},
                "write_only": ["net/ipv4/route/flush"],
                "files": {EARLY: b"net.ipv4.route.flush=1\n"},
            },
            {
                "status": "ok",
                "reason": None,
                "live": None,
                "file": None,
                "boot": ("1", EARLY + ":1", False),
                "files": [EARLY + ":1"],
            },
            id="write-only",
        ),
        pytest.param(
            "vm.swapiness",
            {},
            {
                "status": "unknown",
                "reason": "no such key on this kernel; did you mean vm.swappiness?",
                "live": None,
                "file": None,
                "boot": (None, "kernel default", False),
                "files": [],
            },
            id="unknown",
        ),
    ],
)
def test_sysctl(name, host, expected):
    result = read([name], **host)
    (one,) = result["settings"]
    assert {
        "status": one["status"],
        "reason": one["reason"],
        "live": one["live"]["before"],
        "file": one["file"]["before"],
        "boot": (one["boot"]["value"], one["boot"]["winner"], one["boot"]["ours"]),
        "files": one["files"],
    } == expected
    assert one["live"]["before"] == one["live"]["after"]
    assert one["file"] == {"path": SYSCTL_FILE, "before": expected["file"], "after": expected["file"]}
    assert result["summary"] == {expected["status"]: 1}


def test_sysctl_minds_no_odd_file_in_the_place_of_ours():
    assert read([KEY], links={SYSCTL_FILE: "/dev/null"}, directories=[SYSCTL_FILE])["settings"][0]["status"] == "ok"


def test_sysctl_malformed_names():
    with pytest.raises(_errors.EntryProblems) as caught:
        read(["a..b", KEY, "x"])
    assert caught.value.problems == [
        "The key 'a..b' has an empty segment; write it as in net.core.somaxconn.",
        "The key 'x' is one word; a key names its directory too, as in net.core.somaxconn.",
    ]
