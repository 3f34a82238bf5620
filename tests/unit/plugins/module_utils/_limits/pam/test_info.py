# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import info as pam_info
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import info as systemd_info
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    LIMITS_FILE,
    FakeHost,
    proc_limits,
)

MODULE = "/usr/lib64/security/pam_limits.so"
LATE = b"/proc/sys/fs/nr_open\0nonewprivs\0invalid line %llu\0"
PLAIN = {MODULE: LATE}
DEBIAN_13 = {MODULE: LATE + b"uid=%lu,euid=%lu\0using default\0"}
DEBIAN_12 = {
    MODULE: b"/proc/sys/fs/nr_open\0nonewprivs\0invalid line '%s'\0cannot read settings from %s: %m\0uid=%lu,euid=%lu\0"
    b"using PAM default\0"
}
MAIN = "/etc/security/limits.conf"
USERS = {"alice": ("alice", 2000, 2000, {2000: "alice", 3000: "web"}), "root": ("root", 0, 0, {0: "root"})}


def limits(users=None, **host):
    fake = FakeHost(users=USERS, **host)
    result = pam_info.limits(fake, users)
    assert fake.log == []
    return result["limits"]


def test_limits_of_a_user():
    found = limits(["alice"], files={MAIN: b"* - nofile 5\n", LIMITS_FILE: b"#\n@web soft nofile 4\nbob - core 0\n"})
    assert found == [
        {
            "target": {"user": "alice"},
            "item": "core",
            "status": "ok",
            "reason": None,
            "effective": {"soft": None, "hard": None},
            "rule": {"soft": None, "hard": None},
            "services": {},
        },
        {
            "target": {"user": "alice"},
            "item": "nofile",
            "status": "ok",
            "reason": None,
            "effective": {"soft": 4, "hard": 5},
            "rule": {"soft": LIMITS_FILE + ":2", "hard": MAIN + ":1"},
            "services": {},
        },
        {
            "target": {"user": "alice"},
            "item": "nproc",
            "status": "ok",
            "reason": None,
            "effective": {"soft": 96000, "hard": 96000},
            "rule": {"soft": None, "hard": None},
            "services": {},
        },
    ]


@pytest.mark.parametrize(
    ("files", "effective"),
    [
        pytest.param({}, {"soft": 5, "hard": 5}, id="everywhere"),
        pytest.param(DEBIAN_13, {"soft": 1024, "hard": 524288}, id="Debian"),
    ],
)
def test_limits_of_root(files, effective):
    found = limits(["root"], files=dict(files, **{MAIN: b"* - nofile 5\n"}))
    assert [one["effective"] for one in found if one["item"] == "nofile"] == [effective]


def test_limits_of_an_exempt_user():
    found = limits(["alice"], files={MAIN: b"* - nofile 5\nalice -\n"})
    assert {one["reason"] for one in found} == {"exempt from all limits by " + MAIN + ":2"}
    assert [one["effective"] for one in found if one["item"] == "nofile"] == [{"soft": 1024, "hard": 524288}]


def test_limits_of_several_users():
    assert [one["target"]["user"] for one in limits(["root", "alice"])] == ["root", "root", "alice", "alice"]


def test_limits_of_nobody():
    with pytest.raises(_errors.TuneError) as caught:
        limits(["alice", "mallory"])
    assert str(caught.value) == "Reading the limits of user 'mallory' failed: this host has no such user."


def test_limits_of_every_domain():
    found = limits(
        files={MAIN: b"@web soft nofile 9\nalice -\n* hard nproc 7\n", LIMITS_FILE: b"* hard nproc 8\n"},
        texts={"/proc/1/limits": proc_limits(nofile=(2048, 4096), nproc=(5, 6))},
    )
    assert [(one["target"], one["item"], one["effective"], one["rule"]) for one in found] == [
        ({"domain": "*"}, "nproc", {"soft": 5, "hard": 8}, {"soft": None, "hard": LIMITS_FILE + ":1"}),
        ({"domain": "@web"}, "nofile", {"soft": 9, "hard": 4096}, {"soft": MAIN + ":1", "hard": None}),
    ]


def test_limits_without_any_rule():
    assert limits() == []


UNIT = "/usr/lib/systemd/system/{0}.service"
UNITS = {
    "/usr/lib/systemd/systemd": b"",
    "/etc/systemd/system.conf": b"[Manager]\nDefaultLimitNOFILE=2000:4000\n",
    UNIT.format("db"): b"[Service]\nLimitNOFILE=9000\n",
    UNIT.format("web"): b"[Service]\n# LimitNOFILE=\n",
    UNIT.format("other"): b"[Service]\n",
    "/etc/systemd/system/web.service.d/a.conf": b"[Service]\nLimitNPROC=77:88\n",
    "/etc/systemd/system/db.service.d/README": b"LimitNPROC=1\n",
}


def test_without_names_whatever_a_file_speaks_of_is_told():
    asked = {"users": None, "units": None, "managers": None, "processes": None}
    fake = FakeHost(files=dict(UNITS, **{MAIN: b"* soft nofile 9\n"}), links={UNIT.format("alias"): UNIT.format("db")})
    found = systemd_info.everything(fake, asked)["limits"]
    assert [(one["target"], one["item"], one["effective"], one["rule"]["hard"]) for one in found[1:]] == [
        ({"unit": "db.service"}, "nofile", {"soft": 9000, "hard": 9000}, UNIT.format("db") + ":2"),
        ({"manager": "system"}, "nofile", {"soft": 2000, "hard": 4000}, "/etc/systemd/system.conf:2"),
        (
            {"unit": "web.service"},
            "nproc",
            {"soft": 77, "hard": 88},
            "/etc/systemd/system/web.service.d/a.conf:2",
        ),
    ]
    assert found[0]["target"] == {"domain": "*"}
    assert fake.log == []


class Closed(FakeHost):
    """One file that this user may not read, as those that netplan generates."""

    closed = ""

    def read_or_none(self, path):
        if path == self.closed:
            raise _errors.HostProblem("Reading {0} failed: Permission denied.".format(path))
        return super(Closed, self).read_or_none(path)

    def listdir(self, directory):
        if directory == self.closed:
            raise _errors.HostProblem("Listing {0} failed: Permission denied.".format(directory))
        return super(Closed, self).listdir(directory)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (UNIT.format("db"), {"system", "web.service"}),
        ("/etc/systemd/system/db.service.d/z.conf", {"system", "web.service"}),
        ("/etc/systemd/system/db.service.d", {"system", "web.service"}),
        (UNIT.format("other"), {"system", "db.service", "web.service"}),
    ],
)
def test_a_file_of_a_unit_that_cannot_be_read_is_named(path, told):
    asked = {"users": None, "units": None, "managers": None, "processes": None}
    fake = Closed(files=dict(UNITS, **{path: b"[Service]\nLimitNOFILE=5\n"}))
    fake.closed = path
    result = systemd_info.everything(fake, asked)
    assert {name for one in result["limits"] for name in one["target"].values()} == told
    assert path + " cannot be read, so the limit that it sets is unknown." in result["notes"]


STACK = {"/etc/pam.d/sshd": b"session required pam_limits.so\n", "/etc/ssh/sshd_config": b"UsePAM yes\n"}
SSHD = {
    "/proc/812/comm": "sshd",
    "/proc/812/limits": proc_limits(nofile=(2000, 20000)),
    "/proc/812/status": "CapBnd:\t000001ffffffffff\n",
    "/proc/1/limits": proc_limits(nofile=(4096, 500000)),
    "/proc/1/status": "CapBnd:\t000001ffffffffff\n",
}
WEAK = dict(SSHD, **{"/proc/812/status": "CapBnd:\t00000000a80425fb\n"})
DAEMON = "sshd (process 812)"


def session(service, rules=b"", module=None, files=None, texts=None):
    """Soft and hard nofile of a session of alice, who set them, and the note."""
    data = dict(STACK if files is None else files, **(PLAIN if module is None else module))
    if rules is not None:
        data[MAIN] = rules
    found = limits(["alice"], files=data, texts=SSHD if texts is None else texts, daemons={"812": "sshd"})
    one = next(one for one in found if one["item"] == "nofile")["services"][service]
    return one["soft"], one["hard"], one["set_by"]["soft"], one["set_by"]["hard"], one["note"]


@pytest.mark.parametrize(
    ("rules", "module", "expected"),
    [
        pytest.param(b"", PLAIN, (2000, 20000, DAEMON, DAEMON, None), id="no rule: the daemon"),
        pytest.param(
            b"",
            DEBIAN_12,
            (
                1024,
                500000,
                "process 1, from where pam_limits starts here",
                "process 1, from where pam_limits starts here",
                None,
            ),
            id="no rule on Debian 12: process 1",
        ),
        pytest.param(b"", DEBIAN_13, (2000, 20000, DAEMON, DAEMON, None), id="no rule on Debian 13: the daemon again"),
        pytest.param(
            b"* soft nofile 65535\n* hard nofile 70000\n",
            PLAIN,
            (65535, 70000, MAIN + ":1", MAIN + ":2", None),
            id="rules",
        ),
        pytest.param(
            b"* soft nofile 65535\n",
            PLAIN,
            (20000, 20000, MAIN + ":1, cut to the hard limit", DAEMON, None),
            id="cut to hard",
        ),
        pytest.param(
            b"alice -\n* - nofile 9\n",
            DEBIAN_12,
            (2000, 20000, DAEMON, DAEMON, "exempt from all limits by " + MAIN + ":1"),
            id="exempt",
        ),
        pytest.param(
            b"* - nofile 2000000\n",
            PLAIN,
            (
                2000,
                20000,
                DAEMON,
                DAEMON,
                "the kernel rejects what the rules request, so pam_limits refuses the session",
            ),
            id="above fs.nr_open",
        ),
        pytest.param(
            b"* - nofile 2000000\n",
            DEBIAN_13,
            (2000, 20000, DAEMON, DAEMON, "the kernel rejects what the rules request, so the session keeps its limits"),
            id="above fs.nr_open on Debian",
        ),
        pytest.param(
            b"* - nofile unlimited\n", PLAIN, (1048576, 1048576, MAIN + ":1", MAIN + ":1", None), id="the word"
        ),
    ],
)
def test_which_layer_set_it_last(rules, module, expected):
    assert session("sshd", rules, module) == expected


def test_a_daemon_without_the_capability():
    assert session("sshd", b"* - nofile 65535\n", texts=WEAK)[4] == (
        "the kernel rejects what the rules request, so pam_limits refuses the session"
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"/etc/pam.d/sshd": b"session required pam_unix.so\n"},
            (2000, 20000, DAEMON, DAEMON, "/etc/pam.d/sshd does not use pam_limits"),
            id="a stack without it",
        ),
        pytest.param(
            {"/usr/lib/pam.d/sshd": b"session required pam_unix.so\n"},
            (2000, 20000, DAEMON, DAEMON, "/usr/lib/pam.d/sshd does not use pam_limits"),
            id="in a directory of the vendor",
        ),
        pytest.param(
            dict(STACK, **{"/etc/ssh/sshd_config": b"UsePAM no\n"}),
            (2000, 20000, DAEMON, DAEMON, "sshd does not use PAM: /etc/ssh/sshd_config:1"),
            id="UsePAM no",
        ),
        pytest.param(
            {"/etc/pam.d/sshd": b"session required pam_limits.so conf=/etc/own\n", "/etc/own": b"alice - nofile 300\n"},
            (300, 300, "/etc/own:1", "/etc/own:1", None),
            id="conf=",
        ),
        pytest.param(
            {"/etc/pam.d/sshd": b"session required pam_limits.so conf=/etc/own\n"},
            (
                2000,
                20000,
                DAEMON,
                DAEMON,
                "/etc/own, named in /etc/pam.d/sshd:1, is missing, so the session is refused",
            ),
            id="conf= of a file that is missing",
        ),
        pytest.param(
            {"/etc/pam.d/sshd": b"session required pam_limits.so set_all\n"},
            (900, 500000, MAIN + ":1", "process 1, from where pam_limits starts here", None),
            id="set_all",
        ),
        pytest.param(
            {"/etc/pam.d/sshd": b"session sufficient pam_permit.so\nsession required pam_limits.so\n"},
            (900, 20000, MAIN + ":1", DAEMON, "/etc/pam.d/sshd:1 may skip pam_limits"),
            id="a line that may jump over it",
        ),
    ],
)
def test_stacks(files, expected):
    assert session("sshd", b"* soft nofile 900\n", files=files) == expected


def test_services_that_others_call():
    files = dict(STACK, **{"/etc/pam.d/su": b"session required pam_limits.so\n", "/usr/lib/pam.d/systemd-user": b""})
    assert session("su", b"* hard nofile 900\n", files=files)[2:] == ("whoever calls su", MAIN + ":1", None)
    assert session("systemd-user", files=files)[2:] == (
        "process 1",
        "process 1",
        "/usr/lib/pam.d/systemd-user does not use pam_limits",
    )


def test_without_pam_limits():
    assert session("sshd", b"* - nofile 5\n", module={})[4] == "this host has no pam_limits"


def test_the_vendors_limits_conf_counts_until_there_is_one_in_etc():
    module = {MODULE: LATE + b"\0/usr/etc/security/limits.conf\0"}
    vendor = {
        "/usr/etc/security/limits.conf": b"* soft nofile 300\n",
        "/usr/etc/security/limits.d/50.conf": b"* hard nofile 400\n",
        "/usr/etc/security/limits.d/60.conf": b"* hard nofile 500\n",
        "/etc/security/limits.d/60.conf": b"",
    }
    files = dict(STACK, **vendor)
    assert session("sshd", None, module, files)[:2] == (300, 400)
    assert session("sshd", b"", module, files)[:2] == (400, 400)
    assert session("sshd", b"", PLAIN, files)[:2] == (2000, 20000)


def notes(**files):
    host = FakeHost(files=files.pop("files"), links=files.pop("links", {}))
    return pam_info.limits(host, None)["notes"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, ["This host has no pam_limits; without it no session reads limits files."], id="no PAM"),
        pytest.param(dict(PLAIN, **STACK), [], id="all is well"),
        pytest.param(
            dict(PLAIN, **dict(STACK, **{"/etc/ssh/sshd_config": b""})),
            [
                (
                    "sshd does not use PAM (/etc/ssh/sshd_config has no UsePAM yes), so ssh sessions keep the limits of "
                    "sshd."
                )
            ],
            id="UsePAM is no by default",
        ),
        pytest.param(
            dict(PLAIN, **{"/etc/pam.d/cron": b"session required pam_unix.so\n", "/etc/pam.d/chsh": b""}),
            ["/etc/pam.d/cron does not use pam_limits, so sessions of cron are not limited."],
            id="cron without it",
        ),
        pytest.param(
            dict(PLAIN, **{"/etc/pam.d/su": b"session required pam_limits.so conf=/x\n"}),
            ["pam_limits reads only /x (conf= in /etc/pam.d/su:1) for sessions of su."],
            id="conf=",
        ),
        pytest.param(
            dict(PLAIN, **{"/etc/security/limits.d/a.conf": b"\xef\xbb\xbf* - nofile 300\n"}),
            ["/etc/security/limits.d/a.conf begins with a byte order mark, so pam_limits ignores its first rule."],
            id="byte order mark",
        ),
        pytest.param(
            dict(DEBIAN_12, **{MAIN: b"#\n#" + b"c" * 1500 + b"\n"}),
            [MAIN + " line 2 is longer than 1022 bytes; this pam_limits reads its end as another line."],
            id="a long line",
        ),
        pytest.param(
            DEBIAN_12,
            [
                (
                    "/etc/security/limits.conf is missing, and this pam_limits then refuses every login; an empty file "
                    "is enough."
                )
            ],
            id="limits.conf is missing",
        ),
        pytest.param(DEBIAN_13, [], id="limits.conf may be missing"),
    ],
)
def test_notes(files, expected):
    assert notes(files=files) == expected


@pytest.mark.parametrize(("module", "told"), [(DEBIAN_12, True), (DEBIAN_13, False)])
def test_a_link_that_leads_nowhere(module, told):
    found = notes(files=dict(module, **{MAIN: b""}), links={"/etc/security/limits.d/old.conf": "/nowhere"})
    text = (
        "/etc/security/limits.d/old.conf is a dangling link, and this pam_limits then refuses every login; remove it."
    )
    assert found == [text] * told


class Ring(FakeHost):
    """A link that leads to itself, which not even root can open."""

    places = ("/etc/security/limits.d/ring.conf",)

    def read_or_none(self, path):
        if path in self.places:
            raise _errors.HostProblem("Reading {0} failed: Too many levels of symbolic links.".format(path))
        return super(Ring, self).read_or_none(path)


@pytest.mark.parametrize("module", [DEBIAN_12, DEBIAN_13])
def test_a_ring_of_links_is_told_and_does_not_stop_us(module):
    files = dict(module, **{MAIN: b"* - nofile 300\n", "/etc/security/limits.d/ring.conf": b""})
    result = pam_info.limits(Ring(files=files, users=USERS), ["alice"])
    assert result["notes"] == [
        (
            "/etc/security/limits.d/ring.conf cannot be opened (symlink loop?), and pam_limits then refuses "
            "every login; remove it."
        )
    ]
    with pytest.raises(_errors.HostProblem):
        pam_info.limits(Ring(files=files, users=USERS, root=False), ["alice"])


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (MAIN, [MAIN + " cannot be opened (symlink loop?), and pam_limits then refuses every login; remove it."]),
        ("/etc/pam.d/ring", []),
        ("/etc/ssh/sshd_config.d/ring.conf", []),
        (
            "/etc/security/other.conf",
            ["pam_limits reads only /etc/security/other.conf (conf= in /etc/pam.d/sshd:1) for sessions of sshd."],
        ),
    ],
)
def test_a_ring_elsewhere_does_not_stop_us_either(place, told):
    files = {
        MAIN: b"* - nofile 300\n",
        "/etc/pam.d/sshd": b"session required pam_limits.so\n",
        "/etc/ssh/sshd_config": b"Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    }
    if place == "/etc/security/other.conf":
        files["/etc/pam.d/sshd"] = b"session required pam_limits.so conf=" + place.encode() + b"\n"
    files[place] = b""
    host = Ring(files=dict(DEBIAN_12, **files), users=USERS)
    host.places = (place,)
    assert pam_info.limits(host, ["alice"])["notes"] == told
