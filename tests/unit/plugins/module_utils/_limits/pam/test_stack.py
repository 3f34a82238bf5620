# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import stack as pam_stack

DEBIAN_SU = b"""\
auth sufficient pam_rootok.so
# session required pam_limits.so conf=/nowhere
session    required   pam_env.so readenv=1
session    required   pam_limits.so
@include common-session
"""
REDHAT = {
    "/etc/pam.d/sshd": b"auth substack password-auth\nsession required pam_loginuid.so\nsession include password-auth\n",
    "/etc/pam.d/password-auth": b"session optional pam_keyinit.so revoke\nsession required pam_limits.so\n"
    b"-session optional pam_systemd.so\nsession [success=1 default=ignore] pam_succeed_if.so service in crond\n"
    b"session required pam_unix.so\n",
}


def stack(text, more=None, name="sshd"):
    return pam_stack.of_service(name, dict({"/etc/pam.d/" + name: text}, **(more or {})))


@pytest.mark.parametrize(
    ("text", "more", "places", "conf"),
    [
        pytest.param(DEBIAN_SU, {"/etc/pam.d/common-session": b""}, ["/etc/pam.d/sshd:4"], None, id="Debian"),
        pytest.param(b"session required pam_unix.so\n", {}, [], None, id="without it"),
        pytest.param(b"auth required pam_limits.so\n", {}, [], None, id="in another type"),
        pytest.param(b"session required pam_limits.so conf=/x\n", {}, ["/etc/pam.d/sshd:1"], "/x", id="conf="),
        pytest.param(
            b"SESSION Required /lib/security/pam_limits.so\n", {}, ["/etc/pam.d/sshd:1"], None, id="a whole path"
        ),
        pytest.param(b"-session optional pam_limits.so\n", {}, ["/etc/pam.d/sshd:1"], None, id="with a dash"),
        pytest.param(
            b"session \\\n required \\\n pam_limits.so set_all\n", {}, ["/etc/pam.d/sshd:1"], None, id="joined lines"
        ),
        pytest.param(
            b"session substack x\n",
            {"/usr/lib/pam.d/x": b"session required pam_limits.so\n"},
            ["/usr/lib/pam.d/x:1"],
            None,
            id="a substack of the vendor",
        ),
        pytest.param(
            b"@include x\n",
            {"/etc/pam.d/x": b"\nsession required pam_limits.so\n", "/usr/etc/pam.d/x": b""},
            ["/etc/pam.d/x:2"],
            None,
            id="/etc before the vendor",
        ),
        pytest.param(
            b"session include /opt/x\n",
            {"/opt/x": b"session required pam_limits.so\n"},
            ["/opt/x:1"],
            None,
            id="included by its path",
        ),
        pytest.param(
            b"auth include x\n", {"/etc/pam.d/x": b"session required pam_limits.so\n"}, [], None, id="other lines alone"
        ),
        pytest.param(b"session include sshd\n", {}, [], None, id="a file that includes itself"),
        pytest.param(b"session include nosuch\n", {}, [], None, id="an include that is missing"),
        pytest.param(b"session\nsession required\n\xff\xfe x y z\n", {}, [], None, id="lines that are broken"),
        pytest.param(
            b"session [success=ok default=bad] pam_limits.so [conf=/a b]\n",
            {},
            ["/etc/pam.d/sshd:1"],
            None,
            id="brackets",
        ),
    ],
)
def test_of_service(text, more, places, conf):
    found = stack(text, more)
    assert ([line.where for line in found.limits], found.conf) == (places, conf)


def test_redhat():
    found = pam_stack.of_service("sshd", REDHAT)
    assert [line.where for line in found.limits] == ["/etc/pam.d/password-auth:2"]
    assert found.doubt is None


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        (b"session sufficient pam_permit.so\n", True),
        (b"session [success=1 default=ignore] pam_succeed_if.so uid = 0\n", True),
        (b"session [success=2 default=ignore] pam_succeed_if.so uid = 0\n", True),
        (b"session [success=done default=ignore] pam_permit.so\n", True),
        (b"session [default=0] pam_permit.so\n", False),
        (b"session optional pam_permit.so\n", False),
        (b"session [success=ok default=ignore] pam_permit.so\n", False),
    ],
)
def test_a_line_that_may_jump_over_it(line, doubt):
    found = stack(line + b"session required pam_limits.so\n")
    assert found.doubt == ("/etc/pam.d/sshd:1" if doubt else None)


def test_a_short_jump_does_not_reach_it():
    found = stack(b"session [success=1 default=ignore] a.so\nsession required b.so\nsession required pam_limits.so\n")
    assert found.doubt is None


def test_what_has_to_be_read_besides():
    files = {
        "/usr/lib/pam.d/x": b"auth include tf/a\n@include b\n# include c\nsession substack /opt/d\nsession x.so include\n"
    }
    directories = ("/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/")
    assert pam_stack.included(files, False) == ["/opt/d"] + [
        place + name for name in ("b", "tf/a") for place in directories
    ]
    assert pam_stack.included(files, True) == ["/opt/d", "/etc/pam.d/b", "/etc/pam.d/tf/a"]


def test_a_file_in_a_directory_of_the_vendor():
    found = stack(b"session include tf/a\n", {"/usr/lib/pam.d/tf/a": b"session required pam_limits.so\n"})
    assert [line.where for line in found.limits] == ["/usr/lib/pam.d/tf/a:1"]
    found = stack(
        b"session include tf/a\n", {"/usr/lib/pam.d/tf/a": b"session x pam_limits.so\n", "/etc/pam.d/tf/a": b""}
    )
    assert (found.limits, found.broken) == ((), None)


def test_debian_looks_for_what_is_included_in_etc_alone():
    files = {"/usr/lib/pam.d/x": b"session required pam_limits.so\nsession include tf/a\n", "/usr/lib/pam.d/tf/a": b""}
    found = pam_stack.of_service("x", files, own=True)
    assert (len(found.limits), found.broken) == (1, "/usr/lib/pam.d/x:2")
    assert pam_stack.of_service("x", files).broken is None
    assert pam_stack.of_service("x", dict(files, **{"/etc/pam.d/tf/a": b""}), own=True).broken is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (b"session include nosuch\n", "/etc/pam.d/sshd:1"),
        (b"\n@include nosuch\n", "/etc/pam.d/sshd:2"),
        (b"session substack /nosuch\n", "/etc/pam.d/sshd:1"),
        (b"auth include nosuch\nsession required pam_limits.so\n", None),
        (b"session include sshd\n", "/etc/pam.d/sshd:1"),
    ],
)
def test_what_is_included_and_not_there(text, broken):
    assert stack(text).broken == broken


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.conf", ["10.conf", "B.conf", "a.conf"]),
        ("a*", ["a", "a.conf"]),
        (".*", [".h.conf"]),
        ("a", ["a"]),
        ("x", []),
    ],
)
def test_names_that_a_pattern_names(pattern, names):
    assert pam_stack.matching(pattern, ["a.conf", "B.conf", "10.conf", ".h.conf", "a"]) == names


def test_patterns_that_sshd_includes():
    data = b'Include x/*.conf "/opt/a b"\n#Include no\nUsePAM yes\ninclude=/etc/y\n'
    assert pam_stack.sshd_includes(data) == ["/etc/ssh/x/*.conf", "/opt/a b", "/etc/y"]


def test_there_is_no_such_service():
    assert pam_stack.of_service("nosuch", {}) is None


def test_services():
    files = dict(REDHAT, **{"/etc/pam.d/passwd": b"", "/etc/pam.d/other": b"", "/etc/pam.d/common-session": b""})
    files.update({"/usr/lib/pam.d/systemd-user": b"", "/etc/pam.d/x.rpmsave~": b"", "/etc/pam.d/su": b""})
    files["/etc/pam.d/su-l"] = b"auth include su\nsession include su\n"
    assert pam_stack.services(files) == ["sshd", "su", "su-l", "systemd-user"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, (None, ""), id="no sshd"),
        pytest.param({"/etc/ssh/sshd_config": b""}, (False, "/etc/ssh/sshd_config"), id="no by default"),
        pytest.param({"/etc/ssh/sshd_config": b"\nUsePAM yes\n"}, (True, "/etc/ssh/sshd_config:2"), id="yes"),
        pytest.param(
            {"/etc/ssh/sshd_config": b"#UsePAM yes\nusepam=NO\nUsePAM yes\n"},
            (False, "/etc/ssh/sshd_config:2"),
            id="first",
        ),
        pytest.param(
            {
                "/etc/ssh/sshd_config": b'Include "/etc/ssh/sshd_config.d/*.conf"\nUsePAM yes\n',
                "/etc/ssh/sshd_config.d/50.conf": b"UsePAM no\n",
                "/etc/ssh/sshd_config.d/60.conf": b"UsePAM yes\n",
            },
            (False, "/etc/ssh/sshd_config.d/50.conf:1"),
            id="included",
        ),
        pytest.param(
            {"/etc/ssh/sshd_config": b"Include x/*\nMatch User a\nUsePAM yes\n"},
            (False, "/etc/ssh/sshd_config"),
            id="behind Match",
        ),
        pytest.param(
            {
                "/etc/ssh/sshd_config": b"Include /opt/*.conf\n",
                "/opt/.hidden.conf": b"UsePAM no\n",
                "/opt/deeper/a.conf": b"UsePAM no\n",
                "/opt/a.conf": b"UsePAM yes\n",
            },
            (True, "/opt/a.conf:1"),
            id="included from elsewhere",
        ),
        pytest.param({"/usr/etc/ssh/sshd_config": b"UsePAM yes\n"}, (True, "/usr/etc/ssh/sshd_config:1"), id="vendor"),
    ],
)
def test_use_pam(files, expected):
    assert pam_stack.use_pam(files) == expected
