# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files in the way: what is no regular file is never replaced, foreign bytes stay, and a failed write undoes the rest."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LIMITS_FILE,
    SYSCTL_FILE,
    Namespace,
    one_sentence,
)

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
LIMIT = {"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}

TARGETS = [
    pytest.param("mkdir {0}", "a directory", id="directory"),
    pytest.param("mkfifo {0}", "a named pipe", id="named_pipe"),
    pytest.param("mknod {0} c 1 3", "a character device", id="device"),
    pytest.param("ln -s /dev/null {0}", "a character device", id="link_to_dev_null"),
    pytest.param("ln -s /etc/sysctl.d {0}", "a directory", id="link_to_directory"),
    pytest.param("ln -s loop {0}; ln -s $(basename {0}) $(dirname {0})/loop", "no regular file", id="loop_of_links"),
]


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "run"])
@pytest.mark.parametrize("module", ["sysctl", "limits"])
@pytest.mark.parametrize("command, kind", TARGETS)
def test_what_is_no_regular_file_is_never_replaced(
    shared: Namespace, command: str, kind: str, module: str, check_mode: bool
) -> None:
    path = "/etc/here.conf"
    shared.sh(command.format(path))
    before = shared.snapshot()
    if module == "sysctl":
        outcome = shared.sysctl({FIN: 31}, sysctl_file=path, check_mode=check_mode)
    else:
        outcome = shared.limits([LIMIT], dest=path, check_mode=check_mode)
    assert shared.snapshot() == before
    shared.sh(f"rm -rf {path} /etc/loop")
    one_sentence(outcome, path, kind)
    assert stat.S_ISCHR(shared.path("/dev/null").stat().st_mode)


def test_dev_null_itself_stays_a_device(shared: Namespace) -> None:
    before = shared.snapshot()
    one_sentence(shared.sysctl({FIN: 31}, sysctl_file="/dev/null"), "/dev/null", "a character device")
    one_sentence(shared.limits([LIMIT], dest="/dev/null"), "/dev/null", "a character device")
    assert stat.S_ISCHR(shared.path("/dev/null").lstat().st_mode)
    assert shared.snapshot() == before


def test_a_link_to_a_regular_file_stays_a_link(ns: Namespace) -> None:
    ns.sh("mkdir /etc/real && printf '# mine\\n' >/etc/real/file && ln -s /etc/real/file " + SYSCTL_FILE)
    outcome = ns.sysctl({FIN: 31})
    assert outcome.changed and outcome.setting(FIN)["boot"]["ours"]
    assert os.readlink(ns.path(SYSCTL_FILE)) == "/etc/real/file"
    assert ns.text("/etc/real/file") == "# mine\n" + FIN + "=31\n"
    assert not ns.sysctl({FIN: 31}).changed
    assert os.listdir(ns.path("/etc/real")) == ["file"]


def test_a_link_to_nowhere_stays_a_link_and_gets_its_file(ns: Namespace) -> None:
    ns.sh("ln -s ../kept/file " + SYSCTL_FILE)
    outcome = ns.sysctl({FIN: 31})
    assert outcome.changed and outcome.setting(FIN)["boot"]["ours"]
    assert ns.path(SYSCTL_FILE).is_symlink()
    assert ns.text("/etc/kept/file").splitlines()[1:] == [FIN + "=31"]
    assert not ns.sysctl({FIN: 31}).changed


@pytest.mark.parametrize(
    "path, before, line, run",
    [
        (
            SYSCTL_FILE,
            b"# caf\xe9 \xff\n" + FIN.encode() + b" = 7\n\xfe=\xfd\n",
            b"net.ipv4.tcp_fin_timeout=31\n",
            "sysctl",
        ),
        (LIMITS_FILE, b"# caf\xe9 \xff\n*\tsoft nofile 1024 # \xe9\n\xfe - nofile 3000\n", b"", "limits"),
    ],
    ids=["sysctl", "limits"],
)
def test_foreign_bytes_that_are_no_utf8_are_kept(
    ns: Namespace, path: str, before: bytes, line: bytes, run: str
) -> None:
    ns.write(path, before)
    if run == "sysctl":
        outcome = ns.sysctl({FIN: 31})
        assert ns.read(path) == b"# caf\xe9 \xff\n" + line + b"\xfe=\xfd\n"
    else:
        outcome = ns.limits([{"domain": "*", "item": "nofile", "soft": 2048}])
        assert ns.read(path) == b"# caf\xe9 \xff\n*\tsoft\tnofile\t2048\t#\xe9\n\xfe - nofile 3000\n"
    assert outcome.changed
    assert outcome.warnings == [f"{path} line 1 is not UTF-8; it is kept byte for byte."]


def test_mode_owner_and_attributes_of_the_file_are_kept(ns: Namespace) -> None:
    for path in (SYSCTL_FILE, LIMITS_FILE):
        ns.write(path, "# mine\n")
        os.chown(ns.path(path), 12, 34)
        os.chmod(ns.path(path), 0o640)
        os.setxattr(ns.path(path), "trusted.tunefleet", b"kept")
    assert ns.profile(name="x", sysctl={FIN: 31}, limits=[LIMIT]).changed
    for path in (SYSCTL_FILE, LIMITS_FILE):
        status = ns.path(path).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 12, 34)
        assert os.getxattr(ns.path(path), "trusted.tunefleet") == b"kept"
        assert len(ns.text(path).splitlines()) > 1


def test_new_files_and_directories_are_readable_by_everybody(ns: Namespace) -> None:
    ns.sh("rmdir /run/sysctl.d 2>/dev/null || umount /run/sysctl.d && rm -rf /run/sysctl.d")
    path = "/run/sysctl.d/50-x.conf"
    assert ns.sysctl({FIN: 31}, sysctl_file=path).changed
    assert stat.S_IMODE(ns.path(path).stat().st_mode) == 0o644
    assert stat.S_IMODE(ns.path("/run/sysctl.d").stat().st_mode) == 0o755


HINDRANCES = [
    pytest.param("mount -o remount,bind,ro /etc/sysctl.d", "Read-only file system", id="read_only_mount"),
    pytest.param("chattr +i " + SYSCTL_FILE, "immutable", id="immutable"),
    pytest.param("chattr +i /etc/sysctl.d", "immutable", id="immutable_directory"),
]


@pytest.mark.parametrize("command, words", HINDRANCES)
def test_a_file_that_cannot_be_written_undoes_the_live_values(ns: Namespace, command: str, words: str) -> None:
    ns.write(SYSCTL_FILE, "# mine\n")
    if ns.run("sh", "-c", command, check=False).returncode:
        pytest.skip(f"not possible on this file system: {command}")
    before = ns.snapshot()
    outcome = ns.sysctl({FIN: 31, KEEPALIVE: 1000})
    after = ns.snapshot()
    ns.run("sh", "-c", "chattr -i /etc/sysctl.d " + SYSCTL_FILE, check=False)
    assert after == before
    one_sentence(outcome, SYSCTL_FILE, words, "All changes of this run were undone.")
    assert outcome.result["undone"] == [KEEPALIVE + " is 7200 again.", FIN + " is 60 again."]


@pytest.mark.parametrize("content", ["# mine\n", None], ids=["old_file", "new_file"])
def test_a_full_disk_undoes_the_live_values_and_leaves_no_rest(ns: Namespace, content: str | None) -> None:
    ns.sh("mount -t tmpfs -o size=4096 tunefleet /etc/sysctl.d")
    ns.write("/etc/sysctl.d/filler" if content is None else SYSCTL_FILE, content or "x")
    before = ns.snapshot()
    outcome = ns.sysctl({FIN: 31, KEEPALIVE: 1000})
    assert ns.snapshot() == before
    one_sentence(outcome, SYSCTL_FILE, "full", "All changes of this run were undone.")
    assert ns.live(FIN, KEEPALIVE) == {FIN: "60", KEEPALIVE: "7200"}


def test_a_directory_that_is_a_file_is_one_sentence(shared: Namespace) -> None:
    before = shared.snapshot()
    outcome = shared.sysctl({FIN: 31}, sysctl_file="/etc/passwd/x.conf")
    assert shared.snapshot() == before
    one_sentence(outcome, "/etc/passwd/x.conf")


@pytest.mark.parametrize("directory, module", [("/etc/sysctl.d", "sysctl"), ("/etc/security/limits.d", "limits")])
@pytest.mark.parametrize("command", ["mkfifo {0}", "mkdir {0}", "ln -s nowhere {0}"])
def test_odd_things_among_the_files_of_others_are_passed_over(
    ns: Namespace, directory: str, module: str, command: str
) -> None:
    ns.sh(command.format(directory + "/50-odd.conf"))
    if module == "sysctl":
        assert ns.sysctl({FIN: 31}).changed
        assert ns.module("sysctl_info", {"names": [FIN]}).setting(FIN)["boot"]["value"] == "31"
    else:
        outcome = ns.limits([LIMIT])
        assert outcome.changed
        # pam_limits opens a FIFO like a file, and then waits for somebody to write into it.
        assert any("did not answer" in text for text in outcome.warnings) == command.startswith("mkfifo")
        assert not ns.module("limits_info", {"users": ["nobody"]}).failed


def test_reading_never_minds_what_our_own_file_is(ns: Namespace) -> None:
    ns.sh("ln -s /dev/null " + SYSCTL_FILE)
    outcome = ns.module("sysctl_info", {"names": [FIN]})
    assert not outcome.failed, outcome.msg
    assert outcome.setting(FIN)["file"]["before"] is None


def test_backup_keeps_the_old_bytes_under_a_dated_name(ns: Namespace) -> None:
    ns.write(LIMITS_FILE, "# mine\n")
    assert "backup_file" not in ns.limits([LIMIT], backup=True, check_mode=True).result
    outcome = ns.limits([LIMIT], backup=True)
    assert ns.text(outcome.result["backup_file"]) == "# mine\n"
    assert "backup_file" not in ns.limits([LIMIT], backup=True).result
