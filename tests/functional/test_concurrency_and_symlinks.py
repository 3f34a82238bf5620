# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Others on the same host: a second run, users who plant links, files that are swapped while they are being worked on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LEDGER,
    PACKAGE,
    SYSCTL_FILE,
    Namespace,
    environment,
)

FIN = "net.ipv4.tcp_fin_timeout"
LOCK = "/run/tunefleet.lock"
KEY = "net.ipv4.tcp_fastopen_key"
SECRETS = ["-".join([digit * 8] * 4) for digit in "abc"]


# -- two runs at once ---------------------------------------------------------------------------------------------------------

_HOLD = "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"


class Holder:
    """A process that holds the lock, under a name."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("the module profile, applying web_server, process 4242, since 2026-01-31 12:00:00\n")
        self.process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None and self.process.stdout.readline() == b"held\n"

    def end(self, by: int = signal.SIGKILL) -> None:
        self.process.send_signal(by)
        self.process.communicate()


def test_the_second_run_waits_for_a_bounded_time_then_names_the_first(tmp_path: Path) -> None:
    holder = Holder(tmp_path / "run/tunefleet.lock")
    with pytest.raises(_errors.HostProblem) as caught, hosts.Host(str(tmp_path)).lock(LOCK, "me", 0.5):
        pytest.fail("two hold the lock")
    assert "the module profile, applying web_server, process 4242, since 2026-01-31 12:00:00" in str(caught.value)
    holder.end()


def test_the_second_run_goes_on_when_the_first_is_done_or_dead(tmp_path: Path) -> None:
    holder = Holder(tmp_path / "run/tunefleet.lock")
    subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {holder.process.pid}"])
    with hosts.Host(str(tmp_path)).lock(LOCK, "me", 20):
        assert holder.process.poll() is not None or holder.process.wait(20) == -signal.SIGKILL
        text = (tmp_path / "run/tunefleet.lock").read_text()
    assert re.fullmatch(rf"me, process {os.getpid()}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\n", text)
    holder.end()


def test_a_lock_of_a_dead_process_does_not_hold_up_a_module(ns: Namespace) -> None:
    Holder(ns.path(LOCK)).end()
    assert ns.sysctl({FIN: 31}).changed and ns.limits([{"domain": "x", "item": "nofile", "soft": 1500}]).changed
    assert ns.profile(name="a", sysctl={FIN: 32}).changed
    assert "the module profile, applying a, process" in ns.text(LOCK)
    assert stat.S_IMODE(ns.path(LOCK).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "plant",
    ["ln -s /etc/passwd {0}", "echo x >{0}; chmod 666 {0}", "mkfifo {0}", "mkdir {0}", "echo x >{0}; chown 1000 {0}"],
    ids=["link", "open to others", "pipe", "directory", "of another"],
)
def test_a_planted_lock_is_refused(ns: Namespace, plant: str) -> None:
    ns.sh("umask 077; " + plant.format(LOCK))
    before = ns.snapshot()
    for outcome in (ns.sysctl({FIN: 31}), ns.limits([{"domain": "x", "item": "nofile", "soft": 1500}])):
        assert outcome.failed and LOCK in outcome.msg
    assert ns.snapshot() == before
    assert ns.sysctl({FIN: 31}, check_mode=True).changed


def test_two_real_runs_at_once_end_one_after_the_other(ns: Namespace) -> None:
    """Each writes all of its settings or the other one's come after; never a mixture."""
    runs = []
    for value in (31, 32, 33):
        settings = {FIN: value, "net.ipv4.tcp_keepalive_time": 1000 + value, "net.core.somaxconn": 5000 + value}
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": {"name": str(value), "sysctl": settings}})
        enter = ["nsenter", f"--target={ns.pid}", "--net", "--mount", "--ipc", "--"]
        process = subprocess.Popen(
            [*enter, sys.executable, "-m", PACKAGE + "profile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(str(ns.folder)),
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        process.stdin = None
        runs.append(process)
    assert all(json.loads(process.communicate(timeout=60)[0])["changed"] for process in runs)
    live = ns.live(FIN, "net.ipv4.tcp_keepalive_time", "net.core.somaxconn")
    last = int(live[FIN])
    assert live == {
        FIN: str(last),
        "net.ipv4.tcp_keepalive_time": str(1000 + last),
        "net.core.somaxconn": str(5000 + last),
    }
    assert [one["name"] for one in json.loads(ns.text(LEDGER))["profiles"]][-1] == str(last)
    assert ns.profile(state="reverted").changed and ns.live(FIN) == {FIN: "60"}


# -- links --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path) -> hosts.Host:
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    (tmp_path / "secret").write_text("theirs\n")
    return hosts.Host(str(tmp_path))


FILE = "/etc/sysctl.d/x.conf"


def swapped(monkeypatch: pytest.MonkeyPatch, name: str, swap: Callable[[], None]) -> None:
    """Something happens right before a call to the operating system."""
    real = getattr(os, name)

    def call(*given: object, **more: object) -> object:
        monkeypatch.setattr(os, name, real)
        swap()
        return real(*given, **more)

    monkeypatch.setattr(os, name, call)


def test_a_file_that_becomes_a_link_is_not_written_through(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / FILE[1:]
    place.write_text("old\n")

    def swap() -> None:
        place.unlink()
        place.symlink_to(tmp_path / "secret")

    swapped(monkeypatch, "rename", swap)
    host.replace(FILE, b"new\n", b"old\n")
    # The name is ours again, and what the link led to is untouched.
    assert place.read_text() == "new\n" and not place.is_symlink()
    assert (tmp_path / "secret").read_text() == "theirs\n"


def test_a_directory_that_becomes_a_link_is_not_followed(host: hosts.Host, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "etc/sysctl.d").rmdir()
    (tmp_path / "etc/sysctl.d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(_errors.HostProblem, match="^Writing /etc/sysctl.d/x.conf failed: "):
        host.replace(FILE, b"new\n", None)
    with pytest.raises(_errors.HostProblem, match="^Removing /etc/sysctl.d/x.conf failed: "):
        host.remove(FILE, b"x")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_directory_that_is_swapped_amid_the_writing_gets_nothing(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()

    def swap() -> None:
        (tmp_path / "etc/sysctl.d").rename(tmp_path / "etc/moved")
        (tmp_path / "etc/sysctl.d").symlink_to(tmp_path / "elsewhere")

    swapped(monkeypatch, "rename", swap)
    host.replace(FILE, b"new\n", None)
    assert os.listdir(tmp_path / "elsewhere") == []
    assert os.listdir(tmp_path / "etc/moved") == ["x.conf"]


def test_a_temporary_name_that_is_taken_is_not_written_through(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", lambda length: b"\0" * length)
    (tmp_path / "etc/sysctl.d/.x.conf.tunefleet-00000000").symlink_to(tmp_path / "secret")
    with pytest.raises(_errors.HostProblem, match="^Writing /etc/sysctl.d/x.conf failed: File exists"):
        host.replace(FILE, b"new\n", None)
    assert (tmp_path / "secret").read_text() == "theirs\n"


def test_a_new_file_is_never_open_to_more_than_it_shall_be(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / FILE[1:]
    place.write_text("old\n")
    place.chmod(0o640)
    seen = []
    for name in ("fchmod", "fsync", "rename"):
        swapped(
            monkeypatch, name, lambda: seen.extend(stat.S_IMODE(one.stat().st_mode) for one in place.parent.glob(".*"))
        )
    host.replace(FILE, b"new\n", b"old\n")
    assert seen == [0o600, 0o640, 0o640]


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o757])
def test_a_link_in_a_directory_that_others_may_write_to_is_not_followed(
    host: hosts.Host, tmp_path: Path, kind: str, mode: int
) -> None:
    place = tmp_path / FILE[1:]
    (os.symlink if kind == "symbolic" else os.link)(tmp_path / "secret", place)
    assert host.read_managed(FILE).data == b"theirs\n"
    place.parent.chmod(mode)
    with pytest.raises(
        _errors.HostProblem, match="^/etc/sysctl.d/x.conf is a link in a directory that others can write to"
    ):
        host.read_managed(FILE)


def test_a_plain_file_in_such_a_directory_will_do(host: hosts.Host, tmp_path: Path) -> None:
    (tmp_path / "etc/sysctl.d").chmod(0o1777)
    host.replace(FILE, b"new\n", host.read_managed(FILE).data)
    assert host.read_managed(FILE).data == b"new\n"


def test_another_name_of_a_file_keeps_its_bytes(host: hosts.Host, tmp_path: Path) -> None:
    os.link(tmp_path / "secret", tmp_path / FILE[1:])
    host.replace(FILE, b"new\n", b"theirs\n")
    assert (tmp_path / "secret").read_text() == "theirs\n"


# -- leftovers ----------------------------------------------------------------------------------------------------------------


def test_leftovers_of_ours_are_swept_and_nothing_else(host: hosts.Host, tmp_path: Path) -> None:
    folder = tmp_path / "etc/sysctl.d"
    ours = [".x.conf.tunefleet-0123abcd", ".x.conf.tunefleet-ffffffff"]
    others = [".x.conf.abcdefgh", ".x.conf.tunefleet-12", ".y.conf.tunefleet-0123abcd", "x.conf.tunefleet-0123abcd"]
    for name in ours + others:
        (folder / name).write_text("")
    os.symlink(tmp_path / "secret", folder / ".x.conf.tunefleet-00000001")
    os.link(tmp_path / "secret", folder / ".x.conf.tunefleet-00000002")
    (folder / ".x.conf.tunefleet-00000003").mkdir()
    host.replace(FILE, b"new\n", None)
    kept = [".x.conf.tunefleet-00000001", ".x.conf.tunefleet-00000002", ".x.conf.tunefleet-00000003"]
    assert sorted(os.listdir(folder)) == sorted(["x.conf", *others, *kept])
    assert (tmp_path / "secret").read_text() == "theirs\n"


def test_the_longest_name_there_is(host: hosts.Host, tmp_path: Path) -> None:
    path = "/etc/sysctl.d/" + "x" * 250 + ".conf"
    host.replace(path, b"new\n", None)
    assert len(os.listdir(tmp_path / "etc/sysctl.d")) == 1


def test_a_foreign_writer_between_reading_and_renaming_is_noticed(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / FILE[1:]
    place.write_text("old\n")
    swapped(monkeypatch, "fsync", lambda: place.write_text("theirs\n") and None)
    with pytest.raises(_errors.HostProblem, match="^/etc/sysctl.d/x.conf was changed externally during this run"):
        host.replace(FILE, b"new\n", b"old\n")
    assert place.read_text() == "theirs\n" and os.listdir(place.parent) == ["x.conf"]


# -- secrets ------------------------------------------------------------------------------------------------------------------


def test_secrets_of_the_real_kernel_stay_on_the_host(ns: Namespace) -> None:
    """Neither in results nor in diffs, warnings, errors, or what Ansible reports of the arguments."""
    old, new, other = SECRETS
    ns.set_live({KEY: old})
    ns.write("/etc/sysctl.d/99-z.conf", f"{KEY} = {other}\n")
    texts = [
        ns.sysctl({KEY: new}, check_mode=True).text,
        ns.sysctl({KEY: new}).text,
        ns.sysctl(name=KEY, value=old).text,
        ns.profile(name="x", sysctl={KEY: {"value": new}}).text,
        ns.profile(name="x", sysctl={KEY: other + "-too-long", FIN: "31"}).text,
        ns.profile(state="reverted").text,
        ns.module("sysctl_info", {"names": [KEY]}).text,
    ]
    assert ns.live(KEY) == {KEY: old}
    for text in texts:
        assert not any(secret in text for secret in SECRETS), text
        assert KEY in text or "********" in text


# -- a sample on the real process -----------------------------------------------------------------------------------------------

CALLS = ("fsync", "rename,renameat,renameat2", "fchmod", "mkdirat", "write")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing; apt-get install strace")
@pytest.mark.parametrize("call", CALLS)
def test_the_real_process_is_killed_at_a_real_call(ns: Namespace, call: str, note: Callable[[str], None]) -> None:
    """strace lets the kernel send SIGKILL at the n-th call of a kind."""
    settings = {FIN: 31, "net.core.somaxconn": 5031}
    start = ns.snapshot(stamps=False)
    stdin = json.dumps({"ANSIBLE_MODULE_ARGS": {"name": "x", "sysctl": settings}})
    kills = 0
    for number in (1, 2, 4, 7):
        done = ns.run(
            *(
                "strace",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                f"trace={call},{call}2" if call == "renameat" else f"trace={call}",
            ),
            *("-e", f"inject={call}:signal=KILL:when={number}", sys.executable, "-m", PACKAGE + "profile"),
            stdin=stdin,
            check=False,
        )
        if done.returncode == 0:
            break
        kills += 1
        assert (
            ns.read(SYSCTL_FILE) in (None, b"".join([ns.read(SYSCTL_FILE) or b""])) and "Traceback" not in done.stderr
        )
        again = ns.profile(name="x", sysctl=settings)
        assert not again.failed and ns.live(*settings) == {FIN: "31", "net.core.somaxconn": "5031"}
        assert ns.profile(state="reverted").changed
        assert ns.snapshot(stamps=False) == start
        assert ns.read(LEDGER) is None
    assert kills > 0
    note(f"strace: SIGKILL at {kills} calls of {call}; every next run ended well")


def test_the_seam_of_the_crash_tests_sees_every_call() -> None:
    """What changes something on the host goes through these calls, or the crash tests would miss it."""
    with open(hosts.__file__, encoding="utf-8") as stream:
        called = set(re.findall(r"\bos\.([a-z]+)\(", stream.read()))
    known = {"fsync", "rename", "unlink", "mkdir", "rmdir", "fchmod", "fchown", "setxattr", "open", "write"}
    looking = {
        "access",
        "close",
        "fdopen",
        "fsdecode",
        "fsencode",
        "fstat",
        "geteuid",
        "getgrouplist",
        "getpid",
        "getxattr",
    }
    looking |= {"pread", "sysconf"} | {
        "listdir",
        "listxattr",
        "lstat",
        "read",
        "stat",
        "statvfs",
        "uname",
        "urandom",
        "walk",
        "readlink",
        "kill",
    }
    assert called - looking - known == set()
