# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module sysctl does to a file: lines of others stay, byte for byte, and at any moment it is wholly old or wholly new."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments import module_runner
from ansible_collections.tunefleet.linux.tests.environments.namespace import PACKAGE, Namespace, one_sentence

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
FILE = "/etc/sysctl.d/50-site.conf"
SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
# What sysctl.d(5) allows, and what it does not: dashes, a lone dash, slashes, patterns, blanks, line ends, broken lines.
FOREIGN = (
    "\ufeff# first\r\n"
    "-net.ipv4.tcp_sack = 1\n"
    "-net.ipv4.conf.lo.rp_filter\n"
    "net/ipv4/conf/eth0.100/rp_filter=2\n"
    "net.ipv4.conf.*.rp_filter = 1\n"
    "net.ipv4.conf.*.rp_filter = 2\n"
    "\t ; indented\n"
    "\n\n"
    "net.ipv4.tcp_keepalive_time=7000\r\n"
    "net.ipv4.tcp_keepalive_time=7200 # why\n"
    "= 5\n"
    "no assignment\n"
    "-\n"
    "a\0b = 1\n"
    "last.line = 1"
).encode()
KILLS = 60


def test_lines_of_others_are_kept_byte_for_byte(shared: Namespace) -> None:
    shared.write(FILE, FOREIGN)
    shared.set_live({FIN: "60"})
    assert shared.sysctl(name=FIN, value=30, sysctl_file=FILE).changed
    assert shared.read(FILE) == FOREIGN + f"\n{FIN}=30\n".encode()
    assert shared.sysctl(name=FIN, value=31, sysctl_file=FILE).changed
    assert shared.read(FILE) == FOREIGN + f"\n{FIN}=31\n".encode()
    assert shared.sysctl(name=FIN, state="absent", sysctl_file=FILE).changed
    assert shared.read(FILE) == FOREIGN + b"\n"
    shared.path(FILE).unlink()


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("spelling", ["{0}=7", "{1} = 7", "-{0} =7", " - {0} = 7 # x", "  {0}\t=\t7  "])
def test_a_line_of_the_key_is_replaced_where_it_stands(shared: Namespace, spelling: str, end: str) -> None:
    line = spelling.format(FIN, FIN.replace(".", "/")) + end
    shared.write(FILE, FOREIGN + b"\n" + line.encode() + FOREIGN)
    assert shared.sysctl(name=FIN, value=30, sysctl_file=FILE).changed
    data = shared.read(FILE)
    assert data is not None and data.startswith(FOREIGN + b"\n") and data.endswith(end.encode() + FOREIGN)
    line = data[len(FOREIGN) + 1 : -len(FOREIGN)].decode()
    assert line.lstrip("-") == f"{FIN}=30{end}"
    assert not shared.sysctl(name=FIN, value=30, sysctl_file=FILE).changed
    assert shared.sysctl(name=FIN, state="absent", sysctl_file=FILE).changed
    assert shared.read(FILE) == FOREIGN + b"\n" + FOREIGN
    shared.path(FILE).unlink()


def _access_list() -> bytes:
    """An access list as acl(5) and linux/posix_acl_xattr.h have it: the user 12 may read and write."""
    entries = [
        (0x01, 6, 0xFFFFFFFF),
        (0x02, 6, 12),
        (0x04, 4, 0xFFFFFFFF),
        (0x10, 6, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user.note", b"keep me \0\xff"),
        ("trusted.note", b"keep me"),
        ("security.note", b"label"),
        ("system.posix_acl_access", _access_list()),
    ],
    ids=["user", "trusted", "security", "access_list"],
)
def test_an_extended_attribute_is_kept(shared: Namespace, name: str, value: bytes) -> None:
    shared.write(FILE, "# mine\n")
    path = shared.path(FILE)
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        path.unlink()
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise
        pytest.skip(f"the file system here does not take {name}: {error.strerror}")
    before = path.stat()
    for number in (30, 31):
        assert shared.sysctl(name=FIN, value=number, sysctl_file=FILE).changed
        assert os.getxattr(path, name) == value
        assert (path.stat().st_mode, path.stat().st_uid) == (before.st_mode, before.st_uid)
    path.unlink()


def test_a_directory_that_vanished_comes_back_with_the_entry_and_not_for_its_removal(ns: Namespace) -> None:
    path = "/etc/site.d/deep/50-site.conf"
    assert not ns.sysctl(name=FIN, state="absent", sysctl_file=path).changed
    assert not ns.path("/etc/site.d").exists()
    assert ns.sysctl(name=FIN, value=30, sysctl_file=path).changed
    ns.sh("rm -r /etc/site.d")
    assert ns.sysctl(name=FIN, value=30, sysctl_file=path).changed, "the entry is gone, the live value is not"
    assert ns.text(path).splitlines()[-1] == f"{FIN}=30"
    assert ns.sysctl(name=FIN, value=31, sysctl_file=path, check_mode=True).changed
    assert os.listdir(ns.path("/etc/site.d/deep")) == ["50-site.conf"]


HINDRANCES = [
    pytest.param(f"mount --bind {FILE} {FILE}", "busy", id="mount_of_its_own"),
    pytest.param(
        f"mount --bind {FILE} {FILE}; mount -o remount,bind,ro {FILE}", "busy", id="read_only_mount_of_its_own"
    ),
    pytest.param("mount -o remount,bind,ro /etc/sysctl.d", "read-only", id="read_only_directory"),
    pytest.param(f"chattr +i {FILE}", "immutable", id="immutable"),
    pytest.param(f"chattr +a {FILE}", "immutable", id="append_only"),
]


@pytest.mark.parametrize("command, word", HINDRANCES)
@pytest.mark.parametrize("task", ["present", "absent"])
def test_a_file_that_cannot_be_replaced_stays_and_so_does_the_kernel(
    ns: Namespace, command: str, word: str, task: str
) -> None:
    ns.write(FILE, f"# mine\n{FIN}=50\n")
    if ns.run("sh", "-euc", command, check=False).returncode:
        pytest.skip(f"not possible on this file system: {command}")
    before = ns.snapshot()
    outcome = ns.sysctl(name=FIN, value=30, state=task, sysctl_file=FILE)
    after = ns.snapshot()
    ns.run("chattr", "-ia", FILE, check=False)
    assert after == before
    one_sentence(outcome, FILE, "were undone.")
    assert word in outcome.msg.lower()


def test_a_disk_that_fills_up_amid_the_writing_leaves_the_old_file(ns: Namespace) -> None:
    ns.sh("mount -t tmpfs -o size=400k tunefleet /etc/sysctl.d")
    ns.write(FILE, f"{FIN}=50\n" + "# " + "x" * 250000 + "\n")
    before = ns.snapshot()
    one_sentence(ns.sysctl(name=FIN, value=30, sysctl_file=FILE), FILE, "full", "were undone.")
    assert ns.snapshot() == before
    assert not ns.sysctl(name=FIN, value=30, persist=False).failed


class Killing:
    """Runs of the module that are ended by SIGKILL."""

    def __init__(self, ns: Namespace, lines: int) -> None:
        self.ns = ns
        self.directory = ns.path("/etc/sysctl.d")
        self._foreign = (b"# " + b"x" * 97 + b"\n") * lines
        ns.write(FILE, self.content(20))

    def content(self, number: int) -> bytes:
        return self._foreign + f"{FIN}={number}\n".encode() + self._foreign

    def run(
        self, number: int, prepare: Callable[[], None] | None = None, kill: Callable[[], None] | None = None
    ) -> bool:
        """Whether a run came to its end.

        :param prepare: called in the process of the run, before it begins. :param kill: it is killed as soon as this returns.
        """
        arguments = {"name": FIN, "value": number, "sysctl_file": FILE}
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as output:
            stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
            stdin.seek(0)
            child = os.fork()
            if child == 0:
                for descriptor, stream in enumerate((stdin, output, output)):
                    os.dup2(stream.fileno(), descriptor)
                sys.argv[1:] = []  # arguments of pytest are none of the module's
                if prepare is not None:
                    prepare()
                os._exit(module_runner._work(self.ns.pid, PACKAGE + "sysctl"))
            if kill is not None:
                kill()
                os.kill(child, signal.SIGKILL)
            _pid, status = os.waitpid(child, 0)
            output.seek(0)
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, output.read()
        return os.WIFEXITED(status)

    def others(self) -> set[str]:
        """Names of what lies beside the file."""
        return set(os.listdir(self.directory)) - {Path(FILE).name}

    def is_whole(self, old: int, new: int) -> bool:
        """Whether the file is the new one; it is the old one otherwise, and what was left behind is nothing that is read."""
        data = self.ns.read(FILE)
        assert data in (self.content(old), self.content(new)), "the file is neither the old nor the new one"
        assert all(name.startswith(".") and not name.endswith(".conf") for name in self.others()), self.others()
        return data == self.content(new)

    def next_run_mends(self, new: int) -> None:
        assert self.run(new)
        assert self.ns.read(FILE) == self.content(new) and self.ns.live(FIN) == {FIN: str(new)}

    def boot_reads_no_leftover(self, number: int) -> None:
        program = next((name for name in SYSTEMD_SYSCTL if os.access(name, os.X_OK)), None)
        if program is not None:
            for name in self.others():
                (self.directory / name).write_text(f"{FIN}=99\n")
            self.ns.run(program, check=False)
            assert self.ns.live(FIN) == {FIN: str(number)}


def _dies_at(count: int, after: bool) -> Callable[[], None]:
    """For the process of a run: it kills itself before, or after, the n-th call that changes a file."""
    made = 0

    def watched(call: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*args: object, **options: object) -> object:
            nonlocal made
            made += 1
            if made == count and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            found = call(*args, **options)
            if made == count and after:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return wrapper

    def prepare() -> None:
        real_open, watched_open = os.open, watched(os.open)
        os.open = lambda *given, **more: (watched_open if given[1] & os.O_EXCL else real_open)(*given, **more)  # type: ignore[assignment]
        for name in ("fchown", "fchmod", "setxattr", "fsync", "rename"):
            setattr(os, name, watched(getattr(os, name)))

    return prepare


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_between_any_two_steps_leaves_the_old_file_or_the_new_one(ns: Namespace, after: bool) -> None:
    killing = Killing(ns, 2)
    os.setxattr(ns.path(FILE), "trusted.note", b"kept")
    whole = []
    for count in range(1, 20):
        old, new = (20, 21) if count % 2 else (21, 20)
        if killing.run(new, prepare=_dies_at(count, after)):
            break
        whole.append(killing.is_whole(old, new))
        killing.next_run_mends(new)
    # open, fchown, fchmod, setxattr, fsync, rename, fsync of the directory: the rename alone makes the difference.
    assert whole == [False] * 5 + [after, True]
    killing.boot_reads_no_leftover(new)


def test_a_kill_at_a_random_moment_leaves_the_old_file_or_the_new_one(ns: Namespace) -> None:
    """Half of the kills fall anywhere in the run, the others into the time in which the new file is written."""
    dice = random.Random(20)
    killing = Killing(ns, 3000)
    durations = []
    for number in (21, 20, 21, 20):
        begin = time.monotonic()
        assert killing.run(number)
        durations.append(time.monotonic() - begin)
    longest = sorted(durations)[2]
    ended = renamed = amid = 0
    receiving, sending = os.pipe()

    def tell() -> None:
        make = os.open

        def wrapper(*args: Any, **options: Any) -> Any:
            made = make(*args, **options)
            if args[1] & os.O_EXCL:
                os.write(sending, b"!")
            return made

        os.open = wrapper

    def anywhere() -> None:
        time.sleep(dice.uniform(0, 1.1 * longest))

    def amid_the_writing() -> None:
        os.read(receiving, 1)
        time.sleep(dice.uniform(0, 0.001))

    for index in range(KILLS):
        old, new = (20, 21) if index % 2 == 0 else (21, 20)
        known = killing.others()
        if index % 4 < 2:
            done = killing.run(new, kill=anywhere)
        else:
            done = killing.run(new, prepare=tell, kill=amid_the_writing)
        whole = killing.is_whole(old, new)
        assert whole or not done, f"kill {index}"
        ended, renamed, amid = ended + done, renamed + whole, amid + (killing.others() > known)
        killing.next_run_mends(new)
    os.close(receiving)
    os.close(sending)
    print(f"{KILLS} kills: {ended} too late, {renamed} with the new file, {amid} amid its writing")
    assert ended < KILLS and 0 < renamed < KILLS
    killing.boot_reads_no_leftover(new)
