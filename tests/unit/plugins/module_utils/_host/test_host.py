# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The real host, on real files below a directory that it takes for the root."""

import errno
import os
import re
import socket
import stat
import struct
import subprocess
import time

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root may do that")
CONF = "/etc/sysctl.d/99-tunefleet.conf"


@pytest.fixture
def root(tmp_path):
    return tmp_path


@pytest.fixture
def host(root):
    return hosts.Host(root=str(root))


def put(root, path, data=b"", mode=0o644):
    """A file below the root; returns its path outside."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    place.chmod(mode)
    return place


def link(root, path, target):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return place


def inside(root):
    """Every name below the root, to see that nothing is left behind."""
    return sorted(
        os.path.relpath(os.path.join(at, name), str(root)) for at, dirs, names in os.walk(str(root)) for name in names
    )


def refuse(*arguments):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


# -- facts ----------------------------------------------------------------------------------------------------------------


def test_is_root(monkeypatch, host):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert host.is_root() is True
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert host.is_root() is False


def test_user_name(monkeypatch, host):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert host.user_name() == "root"
    monkeypatch.setattr(os, "geteuid", lambda: 4123456789)
    assert host.user_name() == "4123456789"


def test_kernel_release(root, host):
    assert host.kernel_release() == os.uname().release
    put(root, "/proc/sys/kernel/osrelease", b"4.19.0-1\n")
    assert host.kernel_release() == "4.19.0-1"


def test_exists(root, host):
    put(root, "/etc/debian_version")
    link(root, "/etc/dangling", "nowhere")
    assert host.exists("/etc/debian_version") and host.exists("/etc")
    assert not host.exists("/etc/dangling") and not host.exists("/etc/other")


@pytest.mark.parametrize(
    ("data", "text"), [(b" a b\n\n", "a b"), (b"", ""), (b"caf\xe9\n", "caf\udce9"), (b"1\x002\n", "1\x002")]
)
def test_text(root, host, data, text):
    put(root, "/proc/1/limits", data)
    assert host.read_text("/proc/1/limits") == text


def test_text_of_nothing(root, host):
    put(root, "/etc/x")
    assert host.read_text("/no/such") is None
    assert host.read_text("/etc") is None
    assert host.read_text("/etc/x/y") is None


# -- live kernel parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"4096\n", "4096", id="number"),
        pytest.param(b"4096\t131072\t6291456\n", "4096\t131072\t6291456", id="vector"),
        pytest.param(b"\n", "", id="empty"),
        pytest.param(b" a b \n", " a b ", id="blanks stay"),
        pytest.param(b"9" * 20000 + b"\n", "9" * 20000, id="long"),
        pytest.param(b"\xff\n", "\udcff", id="not UTF-8"),
    ],
)
def test_live(root, host, data, text):
    put(root, "/proc/sys/net/x", data)
    assert host.sysctl("net/x") == hosts.Live(True, text, True, True)


@pytest.mark.parametrize("length", [4095, 4096, 4097, 200000])
def test_live_reads_a_text_whole(monkeypatch, root, host, length):
    """What a numeric key has not given to the first read it never gives, so each read begins at the beginning."""
    put(root, "/proc/sys/net/x", b"9" * (length - 1) + b"\n")
    sizes = []
    read, pread = os.read, os.pread
    monkeypatch.setattr(os, "read", lambda descriptor, size: sizes.append(size) or read(descriptor, size))
    monkeypatch.setattr(
        os, "pread", lambda descriptor, size, at: sizes.append((size, at)) or pread(descriptor, size, at)
    )
    assert host.sysctl("net/x").text == host.sysctl_text("net/x") == "9" * (length - 1)
    assert sizes == ([4096] if length < 4096 else [4096, (1 << 18, 0)]) * 2


@pytest.mark.parametrize("path", ["net/none", "net", "net/x/y", "net/\0", "net/dangling"])
def test_live_of_nothing(root, host, path):
    put(root, "/proc/sys/net/x", b"1\n")
    link(root, "/proc/sys/net/dangling", "nowhere")
    assert host.sysctl(path) == hosts.Live(exists=False, text=None, readable=False, writable=False)


@pytest.mark.parametrize(
    ("mode", "readable", "writable"),
    [(0o644, True, True), (0o444, True, False), (0o200, False, True), (0o000, False, False)],
)
def test_live_as_a_user_tells_what_root_may_do(monkeypatch, root, host, mode, readable, writable):
    put(root, "/proc/sys/net/x", b"1\n", mode)
    monkeypatch.setattr(hosts.Host, "is_root", staticmethod(lambda: False))
    monkeypatch.setattr(os, "open", refuse)
    assert host.sysctl("net/x") == hosts.Live(True, None, readable, writable)


def test_live_as_a_user_on_a_read_only_mount(monkeypatch, root, host):
    put(root, "/proc/sys/net/x", b"1\n")
    monkeypatch.setattr(hosts.Host, "is_root", staticmethod(lambda: False))

    class Mount:
        f_flag = os.ST_RDONLY | os.ST_NOSUID

    monkeypatch.setattr(os, "statvfs", lambda path: Mount)
    assert host.sysctl("net/x") == hosts.Live(True, "1", True, False)


@pytest.mark.parametrize(("mode", "readable"), [(0o200, False), (0o644, True)])
def test_live_as_root_what_has_no_mode_to_be_read_has_no_state(monkeypatch, root, host, mode, readable):
    """One that has the mode, and cannot be read, is not set yet: net.ipv6.conf.*.stable_secret."""
    put(root, "/proc/sys/net/x", b"1\n", mode)
    monkeypatch.setattr(hosts.Host, "is_root", staticmethod(lambda: True))
    monkeypatch.setattr(os, "open", refuse)
    assert host.sysctl("net/x") == hosts.Live(True, None, readable, True)


@pytest.mark.parametrize("allowed", [True, False])
def test_live_as_root_asks_the_kernel(monkeypatch, root, host, allowed):
    put(root, "/proc/sys/net/x", b"1\n", 0o444)
    monkeypatch.setattr(hosts.Host, "is_root", staticmethod(lambda: True))
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(mode) or allowed)
    assert host.sysctl("net/x") == hosts.Live(True, "1", True, allowed)
    assert asked == [os.W_OK]


def test_ages_are_of_one_moment_however_busy_the_machine_is(tmp_path, monkeypatch):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "uptime").write_bytes(b"100.50 1.00\n")
    (tmp_path / "old").write_bytes(b"")
    os.utime(str(tmp_path / "old"), (1000, 1000))
    # Between two readings of the clock some seconds pass, and it is read no more once there is a moment.
    clock = iter([1010.0, 1015.0, 1020.0, 1020.5, 1030.0, 1039.0])
    monkeypatch.setattr(time, "time", lambda: next(clock))
    host = hosts.Host(str(tmp_path))
    assert (host.age("/old"), host.uptime(), host.age("/old"), host.age("/missing")) == (20.0, 100.5, 20.0, None)


def test_live_of_this_machine():
    live = hosts.Host().sysctl("kernel/osrelease")
    assert live == hosts.Live(True, os.uname().release, True, False)


def test_write_live(root, host):
    place = put(root, "/proc/sys/net/x")
    host.write_live("net/x", "4096 131072 \udcff")
    assert place.read_bytes() == b"4096 131072 \xff\n"


def test_write_live_is_one_write_from_the_start(monkeypatch, root, host):
    """The kernel ignores a write at another place, and takes each write for a whole value."""
    put(root, "/proc/sys/net/x", b"4096\n")
    calls = []
    write = os.write
    monkeypatch.setattr(
        os,
        "write",
        lambda descriptor, data: calls.append((os.lseek(descriptor, 0, os.SEEK_CUR), data)) or write(descriptor, data),
    )
    host.write_live("net/x", "5 6")
    assert calls == [(0, b"5 6\n")]


def test_write_live_refused(monkeypatch, root, host):
    put(root, "/proc/sys/net/x", b"1\n")

    def refuse(descriptor, data):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "write", refuse)
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(_errors.HostProblem) as caught:
        host.write_live("net/x", "-5")
    assert str(caught.value) == "the kernel rejected '-5': Invalid argument"
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_write_live_short(monkeypatch, root, host):
    put(root, "/proc/sys/net/x", b"1\n")
    monkeypatch.setattr(os, "write", lambda descriptor, data: 2)
    with pytest.raises(_errors.HostProblem) as caught:
        host.write_live("net/x", "5 junk")
    assert str(caught.value) == "the kernel took only 2 of 7 bytes of '5 junk'"


def test_write_live_makes_no_file(root, host):
    (root / "proc/sys/net").mkdir(parents=True)
    with pytest.raises(_errors.HostProblem, match="the kernel rejected '5': No such file or directory"):
        host.write_live("net/x", "5")
    assert inside(root) == []


def test_live_paths(root, host):
    for path in ("net/b", "net/a.1/x", "top", "a/z"):
        put(root, "/proc/sys/" + path)
    assert host.live_paths() == ["a/z", "net/a.1/x", "net/b", "top"]


def test_live_paths_of_nothing(host):
    assert host.live_paths() == []


# -- processes and users ----------------------------------------------------------------------------------------------------


def test_children_of_init(root, host):
    for pid, name, parent in (
        ("10", "sshd", 1),
        ("11", "sshd", 10),
        ("12", "cron", 1),
        ("13", "nginx", 1),
        ("14", "a) 1 (x", 1),
        ("15", "a) 1 (x", 7),
    ):
        put(root, "/proc/{0}/comm".format(pid), name.encode("ascii") + b"\n")
        put(
            root, "/proc/{0}/stat".format(pid), "{0} ({1}) S {2} 10 10 0 -1\n".format(pid, name, parent).encode("ascii")
        )
    put(root, "/proc/16/comm", b"sshd\n")
    put(root, "/proc/17/comm", b"sshd\n")
    put(root, "/proc/17/stat", b"garbage")
    put(root, "/proc/self/comm", b"sshd\n")
    put(root, "/proc/self/stat", b"10 (sshd) S 1 10 10 0 -1\n")
    assert sorted(host.children_of_init(["sshd", "cron", "crond", "a) 1 (x"])) == ["10", "12", "14"]
    assert host.children_of_init([]) == []


def test_user(host):
    name, uid, gid, groups = host.user("root")
    assert (name, uid, gid, groups[0]) == ("root", 0, 0, "root")


@pytest.mark.parametrize("name", ["no-such-user-at-all", "", "a\0b"])
def test_user_that_is_not_there(host, name):
    assert host.user(name) is None


def test_user_in_a_group_without_a_name(monkeypatch, host):
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [0, 4123456789])
    assert host.user("root")[3] == {0: "root", 4123456789: ""}


# -- configuration files: reading -------------------------------------------------------------------------------------------


def test_names(root, host):
    for name in ("b.conf", "a.conf", ".hidden", "10.conf"):
        put(root, "/etc/sysctl.d/" + name)
    link(root, "/etc/sysctl.d/z.conf", "nowhere")
    assert host.listdir("/etc/sysctl.d") == [".hidden", "10.conf", "a.conf", "b.conf", "z.conf"]


@pytest.mark.parametrize("path", ["/etc/none", "/etc/file", "/etc/file/below"])
def test_names_of_no_directory(root, host, path):
    put(root, "/etc/file")
    assert host.listdir(path) == []


def test_names_that_cannot_be_listed(monkeypatch, host):
    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(_errors.HostProblem) as caught:
        host.listdir("/etc/sysctl.d")
    assert str(caught.value) == "Listing /etc/sysctl.d failed: Permission denied."


DATA = b"# caf\xe9\r\nvm.x = 1\r\n\0 last line without an end"


@pytest.mark.parametrize(
    ("make", "data"),
    [
        pytest.param(lambda root: put(root, CONF, DATA), DATA, id="any bytes"),
        pytest.param(lambda root: put(root, CONF, b""), b"", id="empty"),
        pytest.param(lambda root: (put(root, "/srv/x", DATA), link(root, CONF, str(root / "srv/x"))), DATA, id="link"),
        pytest.param(lambda root: link(root, CONF, "/dev/null"), b"", id="masked"),
        pytest.param(lambda root: link(root, CONF, "/dev/zero"), b"", id="a device without an end"),
        pytest.param(lambda root: (root / CONF[1:]).mkdir(parents=True), None, id="directory"),
        pytest.param(lambda root: link(root, CONF, "nowhere"), None, id="dangling link"),
        pytest.param(lambda root: None, None, id="missing"),
        pytest.param(
            lambda root: ((root / "etc/sysctl.d").mkdir(parents=True), os.mkfifo(str(root / CONF[1:]))),
            b"",
            id="named pipe",
        ),
    ],
)
def test_read_if_any(root, host, make, data):
    make(root)
    assert host.read_or_none(CONF) == data


def test_read_if_any_that_cannot_be_read(root, host):
    link(root, CONF, "99-tunefleet.conf")
    with pytest.raises(_errors.HostProblem) as caught:
        host.read_or_none(CONF)
    assert str(caught.value) == "Reading {0} failed: {1}.".format(CONF, os.strerror(errno.ELOOP))


@pytest.mark.parametrize(
    ("make", "real", "data"),
    [
        pytest.param(lambda root: put(root, CONF, DATA), CONF, DATA, id="file"),
        pytest.param(lambda root: None, CONF, None, id="missing, with its directory"),
        pytest.param(lambda root: (root / "etc/sysctl.d").mkdir(parents=True), CONF, None, id="missing"),
        pytest.param(
            lambda root: (put(root, "/srv/x", DATA), link(root, CONF, "../../srv/x")), "/srv/x", DATA, id="link"
        ),
        pytest.param(
            lambda root: (put(root, "/srv/x", DATA), link(root, "/srv/y", "x"), link(root, CONF, "../../srv/y")),
            "/srv/x",
            DATA,
            id="link to a link",
        ),
        pytest.param(lambda root: link(root, CONF, "../../srv/x"), "/srv/x", None, id="link that leads nowhere yet"),
        pytest.param(
            lambda root: (put(root, "/srv/d/99-tunefleet.conf", DATA), link(root, "/etc/sysctl.d", "../srv/d")),
            "/srv/d/99-tunefleet.conf",
            DATA,
            id="directory behind a link",
        ),
    ],
)
def test_read_own(root, host, make, real, data):
    make(root)
    assert host.read_managed(CONF) == hosts.File(CONF, real, data)
    assert host.real(CONF) == real


@pytest.mark.parametrize("path", ["/etc//sysctl.d/99-tunefleet.conf", "/etc/x/../sysctl.d/./99-tunefleet.conf"])
def test_read_own_has_one_spelling(root, host, path):
    put(root, CONF, b"x")
    assert host.read_managed(path) == hosts.File(CONF, CONF, b"x")


def bind(path):
    endpoint = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    os.chdir(str(path.parent))  # the name of a socket may have 108 bytes only
    try:
        endpoint.bind(path.name)
    finally:
        os.chdir(before)
        endpoint.close()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        pytest.param(lambda place: place.mkdir(), "a directory", id="directory"),
        pytest.param(lambda place: os.mkfifo(str(place)), "a named pipe", id="named pipe"),
        pytest.param(bind, "a socket", id="socket"),
        pytest.param(lambda place: place.symlink_to("/dev/null"), "a character device", id="link to a device"),
        pytest.param(lambda place: place.symlink_to("."), "a directory", id="link to a directory"),
        pytest.param(lambda place: place.symlink_to(place.name), "no regular file", id="link to itself"),
    ],
)
def test_read_own_refuses(root, host, make, what):
    place = root / CONF[1:]
    place.parent.mkdir(parents=True)
    make(place)
    with pytest.raises(_errors.HostProblem) as caught:
        host.read_managed(CONF)
    assert str(caught.value) == "{0} is {1}, and only a regular file is ever replaced; name another file.".format(
        CONF, what
    )
    assert os.path.lexists(str(place))


@pytest.mark.parametrize("path", ["", " ", "x.conf", "./x.conf", "/etc/a\0b", "/etc/a\nb", "/etc/a\tb"])
def test_read_own_refuses_what_is_no_path(host, path):
    with pytest.raises(_errors.HostProblem) as problem:
        host.read_managed(path)
    assert str(problem.value) == "{0!r} is not an absolute path in one line; name another file.".format(path)


def test_read_own_refuses_a_path_below_a_file(root, host):
    put(root, "/etc/x.conf", b"x")
    with pytest.raises(
        _errors.HostProblem, match="^/etc/x.conf/y is below something that is not a directory; name another file.$"
    ):
        host.read_managed("/etc/x.conf/y")


def test_read_own_says_what_cannot_be_opened(monkeypatch, root, host):
    put(root, CONF, b"x")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(_errors.HostProblem, match="^Failed to open {0}: ".format(CONF)):
        host.read_managed(CONF)


def test_read_own_refuses_a_device_of_this_machine():
    with pytest.raises(
        _errors.HostProblem, match="^/dev/null is a character device, and only a regular file is ever replaced"
    ):
        hosts.Host().read_managed("/dev/null")


# -- configuration files: writing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_replace_makes_a_file(root, host, umask):
    old = os.umask(umask)
    try:
        host.replace("/etc/new/sub/x.conf", DATA, None)
    finally:
        os.umask(old)
    place = root / "etc/new/sub/x.conf"
    assert place.read_bytes() == DATA
    assert stat.S_IMODE(place.stat().st_mode) == 0o644
    assert inside(root) == ["etc/new/sub/x.conf"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o4755, 0o444])
def test_replace_keeps_the_mode(root, host, mode):
    place = put(root, CONF, b"old", mode)
    host.replace(CONF, b"new", b"old")
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (b"new", mode)
    assert inside(root) == [CONF[1:]]


@needs_root
def test_replace_keeps_the_owner(root, host):
    place = put(root, CONF, b"old", 0o640)
    os.chown(str(place), 65534, 12345)
    host.replace(CONF, b"new", b"old")
    status = place.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 12345, 0o640)


def set_attribute(path, name, value):
    try:
        os.setxattr(str(path), name, value)
    except OSError:
        pytest.skip("this file system keeps no extended attributes")


def test_replace_keeps_extended_attributes(root, host):
    place = put(root, CONF, b"old")
    set_attribute(place, "user.note", b"a\0b")
    host.replace(CONF, b"new", b"old")
    assert place.read_bytes() == b"new"
    assert os.getxattr(str(place), "user.note") == b"a\0b"


def test_replace_without_extended_attributes(monkeypatch, root, host):
    def unsupported(path):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    place = put(root, CONF, b"old")
    monkeypatch.setattr(os, "listxattr", unsupported)
    host.replace(CONF, b"new", b"old")
    assert place.read_bytes() == b"new"


def test_replace_behind_a_link(root, host):
    target = put(root, "/srv/x", b"old", 0o600)
    place = link(root, CONF, "../../srv/x")
    host.replace(host.read_managed(CONF).real, b"new", b"old")
    assert place.is_symlink()
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new", 0o600)
    assert inside(root) == [CONF[1:], "srv/x"]


def test_replace_behind_a_link_that_leads_nowhere(root, host):
    place = link(root, CONF, "../../srv/made/x")
    host.replace(host.read_managed(CONF).real, b"new", None)
    assert place.is_symlink()
    assert (root / "srv/made/x").read_bytes() == b"new"


def test_replace_is_one_step(monkeypatch, root, host):
    """The new bytes are complete, synced and under a name that no program reads, before they take the old one's place."""
    place = put(root, CONF, b"old")
    seen = []
    rename, fsync = os.rename, os.fsync

    def sync(descriptor):
        seen.append("sync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        fsync(descriptor)

    def look(source, target, src_dir_fd, dst_dir_fd):
        with open(str(place.parent / source), "rb") as stream:
            seen.append((place.read_bytes(), stream.read()))
        assert source.startswith(".") and not source.endswith(".conf")
        assert src_dir_fd == dst_dir_fd and os.path.samestat(os.fstat(src_dir_fd), place.parent.stat())
        rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "rename", look)
    host.replace(CONF, b"new", b"old")
    assert seen == ["sync file", (b"old", b"new"), "sync directory"]


def failing(call, number):
    def fail(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    return lambda monkeypatch: monkeypatch.setattr(os, call, fail)


HINT = "Writing {0} failed: {1}.".format(CONF, "{0} ({1})")


@pytest.mark.parametrize(
    ("fail", "text"),
    [
        pytest.param(
            failing("fsync", errno.ENOSPC),
            HINT.format(os.strerror(errno.ENOSPC), "the file system is full"),
            id="disk full",
        ),
        pytest.param(
            failing("rename", errno.EROFS),
            HINT.format(os.strerror(errno.EROFS), "the file system is read-only"),
            id="read-only",
        ),
        pytest.param(
            failing("rename", errno.EPERM),
            HINT.format(os.strerror(errno.EPERM), "is it immutable? See lsattr(1)"),
            id="immutable",
        ),
        pytest.param(
            failing("fchmod", errno.EIO), "Writing {0} failed: {1}.".format(CONF, os.strerror(errno.EIO)), id="other"
        ),
        pytest.param(
            failing("fchown", errno.EDQUOT),
            "Writing {0} failed: {1}.".format(CONF, os.strerror(errno.EDQUOT)),
            id="quota",
        ),
    ],
)
def test_replace_that_fails_changes_nothing(monkeypatch, root, host, fail, text):
    place = put(root, CONF, b"old", 0o640)
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises(_errors.HostProblem) as caught:
            host.replace(CONF, b"new", b"old")
    assert str(caught.value) == text
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (b"old", 0o640)
    assert inside(root) == [CONF[1:]]


def test_replace_below_a_file(root, host):
    put(root, "/etc/file", b"x")
    with pytest.raises(_errors.HostProblem, match="^Writing /etc/file/x.conf failed: "):
        host.replace("/etc/file/x.conf", b"new", None)
    assert inside(root) == ["etc/file"]


def test_replace_of_a_directory(root, host):
    (root / "etc/x.conf").mkdir(parents=True)
    with pytest.raises(_errors.HostProblem, match="^Writing /etc/x.conf failed: "):
        host.replace("/etc/x.conf", b"new", None)
    assert inside(root) == []


@needs_root
def test_replace_of_an_immutable_file(root, host):
    place = put(root, CONF, b"old")
    try:
        set_flag = subprocess.call(["chattr", "+i", str(place)], stderr=subprocess.DEVNULL)
    except OSError:
        set_flag = 1
    if set_flag != 0:
        pytest.skip("chattr is missing, or this file system has no immutable files")
    try:
        for act in (lambda: host.replace(CONF, b"new", b"old"), lambda: host.remove(CONF, b"old")):
            with pytest.raises(_errors.HostProblem, match=re.escape("(is it immutable? See lsattr(1)).") + "$"):
                act()
        assert place.read_bytes() == b"old"
        assert inside(root) == [CONF[1:]]
    finally:
        subprocess.check_call(["chattr", "-i", str(place)])


def test_copy_aside(root, host):
    place = put(root, CONF, DATA, 0o600)
    name = host.copy_aside(CONF, DATA)
    assert re.match("^" + re.escape(CONF) + r"\.[0-9]+\.[0-9]{4}-[0-9]{2}-[0-9]{2}@[0-9]{2}:[0-9]{2}:[0-9]{2}~$", name)
    copy = root / name[1:]
    assert (copy.read_bytes(), stat.S_IMODE(copy.stat().st_mode)) == (DATA, 0o600)
    assert inside(root) == sorted([CONF[1:], name[1:]])
    assert place.read_bytes() == DATA


def test_remove(root, host):
    put(root, CONF, b"x")
    put(root, "/etc/other")
    host.remove(CONF, b"x")
    assert inside(root) == ["etc/other"]


def test_remove_makes_it_last(monkeypatch, root, host):
    put(root, CONF, b"x")
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode)) or fsync(descriptor)
    )
    host.remove(CONF, b"x")
    assert synced == [True]


def test_remove_what_is_not_there(host):
    with pytest.raises(_errors.HostProblem) as caught:
        host.remove(CONF, b"x")
    assert str(caught.value) == "Removing {0} failed: No such file or directory.".format(CONF)


# -- sockets and time -----------------------------------------------------------------------------------------------------

SOCK_DIAG = 4
# struct nlmsghdr and inet_diag_req_v2: every listening TCP socket of IPv4.
LISTENING = struct.pack("=IHHII", 72, 20, 0x301, 1, 0) + struct.pack("=BBBBI", 2, 6, 0, 0, 1 << 10) + bytes(48)


@pytest.fixture
def listening():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server


def test_netlink_answers_until_the_end(host, listening):
    port = struct.pack(">H", listening.getsockname()[1])
    datagrams = host.netlink(SOCK_DIAG, LISTENING)
    assert port in next(datagrams)
    datagrams.close()


def test_netlink_that_is_refused(host):
    with pytest.raises(_errors.HostProblem, match="^netlink error: Protocol not supported$"):
        next(host.netlink(31, LISTENING))


def test_netlink_that_says_more_than_fits(monkeypatch, host, listening):
    monkeypatch.setattr(hosts, "_DATAGRAM", 16)
    with pytest.raises(_errors.HostProblem, match="^the answer of the kernel is cut off$"):
        next(host.netlink(SOCK_DIAG, LISTENING))


def test_netlink_that_never_answers(monkeypatch, host):
    monkeypatch.setattr(hosts, "_NETLINK_SECONDS", 0.1)
    with pytest.raises(_errors.HostProblem, match="^netlink error: timed out$"):
        next(host.netlink(SOCK_DIAG, struct.pack("=IHHII", 16, 3, 1, 1, 0)))


def test_owners_of_sockets(listening):
    inode = os.fstat(listening.fileno()).st_ino
    assert hosts.Host().socket_owners({inode}) == {inode: [str(os.getpid())]}
    assert hosts.Host().socket_owners({0}) == {}


def test_time_passes(host):
    before = host.now()
    host.sleep(0.01)
    assert 0.01 <= host.now() - before < 5
