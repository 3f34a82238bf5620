# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A machine of one's own for a test: the real kernel and programs, with private net.* values and private files.

A namespace of its own for network, mounts and System V IPC; an overlay, kept in memory, on what is written to; keys that the
whole machine shares (fs, vm, kernel) read-only. It ends, and takes everything along, when the process that made it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
PROGRAMS = Path(sys.executable).parent
PACKAGE = "ansible_collections.tunefleet.linux.plugins.modules."
SYSCTL_FILE = "/etc/sysctl.d/99-tunefleet.conf"
LEDGER = "/var/lib/tunefleet/ledger.json"
LOCK = "tunefleet.lock"
LIMITS_FILE = "/etc/security/limits.d/99-tunefleet.conf"
NEEDED = ("unshare", "nsenter", "mount", "ip", "setpriv", "grep")
# What a user named nobody needs to run a Python that lies in somebody's home directory; it lets nothing be written.
_UNPRIVILEGED = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
]

_SETUP = r"""
set -eu
mount -t tmpfs -o mode=0755 tunefleet "$1"
for directory in /etc /usr/lib /usr/local/lib /var/lib; do
    mkdir -p "$1/upper$directory" "$1/work$directory"
    mount -t overlay -o "lowerdir=$directory,upperdir=$1/upper$directory,workdir=$1/work$directory" tunefleet "$directory"
done
# What the machine itself knows of profiles is none of a test's business.
rm -rf /var/lib/tunefleet
mount -t tmpfs -o mode=0755 tunefleet /run
# By this a host is known to be booted by systemd, so that there is one reader of sysctl.d: sd_booted(3).
mkdir -p /run/systemd/system
mkdir "$1/dev"
mkdir -m 1777 "$1/dev/shm"
mknod -m 666 "$1/dev/null" c 1 3
mknod -m 666 "$1/dev/zero" c 1 5
mknod -m 666 "$1/dev/random" c 1 8
mknod -m 666 "$1/dev/urandom" c 1 9
ln -s /proc/self/fd "$1/dev/fd"
mount --bind "$1/dev" /dev
for directory in fs vm kernel; do
    mount --bind "/proc/sys/$directory" "/proc/sys/$directory"
    mount -o remount,bind,ro "/proc/sys/$directory"
done
if [ "$2" = empty ]; then
    for directory in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /etc/security/limits.d; do
        mkdir -p "$directory"
        mount -t tmpfs -o mode=0755 tunefleet "$directory"
    done
    : >/etc/security/limits.conf
fi
ip link set lo up
echo ready
exec cat
"""


class NotPossible(Exception):
    """This machine does not let a namespace be made; the text says why."""


class Outcome:
    """What one run of a module came to."""

    def __init__(self, status: int, result: dict[str, Any], text: str) -> None:
        self.status = status
        self.result = result
        self.text = text
        # Newer releases of ansible-core report warnings as objects.
        self.warnings = [one if isinstance(one, str) else one["event"]["msg"] for one in result.get("warnings") or []]

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        """As Ansible reads it: a module that says nothing has changed nothing."""
        return bool(self.result.get("changed"))

    @property
    def msg(self) -> str:
        return str(self.result["msg"])

    @property
    def report(self) -> dict[str, Any]:
        """The part that check mode has to predict."""
        names = ("changed", "settings", "limits", "summary", "needs", "diff")
        return {name: self.result[name] for name in names if name in self.result}

    def setting(self, key: str) -> dict[str, Any]:
        found = [one for one in self.result["settings"] if one["key"] == key]
        assert len(found) == 1, f"{key} is reported {len(found)} times"
        return dict(found[0])

    def limit(self, name: str, item: str) -> dict[str, Any]:
        found = [one for one in self.result["limits"] if name in one["target"].values() and one["item"] == item]
        assert len(found) == 1, f"{name} {item} is reported {len(found)} times"
        return dict(found[0])

    @property
    def statuses(self) -> dict[str, str]:
        return {one["key"]: one["status"] for one in self.result["settings"]}


class ModuleRunner:
    """The process that modules are forked from, see module_runner.py."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ansible_collections.tunefleet.linux.tests.environments.module_runner"],
            env=environment(str(home)),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, pid: int, module: str, stdin: str) -> subprocess.CompletedProcess[str]:
        """Run a module in the namespaces of a process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"pid": pid, "module": module, "stdin": stdin}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess([module], answer["status"], answer["stdout"], answer["stderr"])

    def close(self) -> None:
        self._process.communicate(timeout=10)


class Load:
    """The process that obeys orders inside of a namespace, see load.py."""

    def __init__(self, enter: list[str], home: str) -> None:
        self._process = subprocess.Popen(
            [*enter, sys.executable, "-m", "ansible_collections.tunefleet.linux.tests.environments.load"],
            env=environment(home),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __call__(self, do: str, **fields: Any) -> Any:
        """Give an order and wait until it is carried out."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def repeat(self, every: float, do: str, **fields: Any) -> None:
        """Have an order carried out again and again beside what follows."""
        self("repeat", order={"do": do, **fields}, every=every)

    def close(self) -> None:
        self._process.communicate(timeout=10)


class Namespace:
    """A private part of this machine.

    :param folder: a directory to be made and mounted on. :param files: ``empty`` hides the machine's own sysctl.d and limits.
    """

    def __init__(self, folder: Path, runner: ModuleRunner, files: str = "empty") -> None:
        self.folder = folder
        self._runner = runner
        folder.mkdir(parents=True)
        # The process lives as long as its standard input is open, so nothing is left behind even when this one is killed.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--ipc", "sh", "-c", _SETUP, "sh", str(folder), files],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline().strip() != "ready":
            _out, error = self._holder.communicate(timeout=10)
            raise NotPossible(f"making a namespace failed: {error.strip() or 'no reason given'}")

    def close(self) -> None:
        self._holder.communicate(timeout=10)
        self.folder.rmdir()  # empty again, as the mount ended with its namespace

    @property
    def pid(self) -> int:
        """The process that keeps the namespace alive, for what enters it by other means."""
        return self._holder.pid

    # -- running things ---------------------------------------------------------------------------------------------------

    @property
    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", "--ipc", "--"]

    def run(
        self,
        *command: str,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        nobody: bool = False,
        timeout: int = 30,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as root or as the user nobody."""
        done = subprocess.run(
            self._enter + (_UNPRIVILEGED if nobody else []) + list(command),
            input=stdin,
            env=environment(str(self._runner.home), **(env or {})),
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"exit {done.returncode} of {command}: {done.stdout}{done.stderr}"
        return done

    def sh(self, script: str) -> str:
        return self.run("sh", "-euc", script).stdout

    def module(
        self, name: str, options: Mapping[str, Any], *, check_mode: bool = False, nobody: bool = False
    ) -> Outcome:
        """Run a module as Ansible's own debugging does: arguments on standard input, one line of JSON back."""
        arguments = dict(options, _ansible_check_mode=check_mode, _ansible_diff=True)
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        if nobody:
            done = self.run(sys.executable, "-m", PACKAGE + name, stdin=stdin, nobody=True, check=False)
        else:
            done = self._runner.run(self._holder.pid, PACKAGE + name, stdin)
        text = done.stdout + done.stderr
        assert "Traceback" not in text, text
        lines = done.stdout.strip().splitlines()
        assert len(lines) == 1 and not done.stderr, text
        result = json.loads(lines[0])
        assert (done.returncode != 0) == bool(result.get("failed")), text
        return Outcome(done.returncode, result, text)

    def sysctl(self, settings: Mapping[str, Any] | None = None, *, check_mode: bool = False, **options: Any) -> Outcome:
        if settings is not None:
            options["settings"] = settings
        return self.module("sysctl", options, check_mode=check_mode)

    def limits(self, limits: Sequence[Any] | None = None, *, check_mode: bool = False, **options: Any) -> Outcome:
        if limits is not None:
            options["limits"] = limits
        return self.module("limits", options, check_mode=check_mode)

    def profile(self, *, check_mode: bool = False, **options: Any) -> Outcome:
        return self.module("profile", options, check_mode=check_mode)

    @contextlib.contextmanager
    def load(self) -> Iterator[Load]:
        """A program inside that puts sockets under pressure, see load.py; all it made goes when it ends."""
        load = Load(self._enter, str(self._runner.home))
        try:
            yield load
        finally:
            load.close()

    # -- live values ------------------------------------------------------------------------------------------------------

    def live(self, *keys: str) -> dict[str, str]:
        """Values with single blanks, by key. Keys are canonical: a dot inside of a segment is written as a slash."""
        paths = {path_of(key): key for key in keys}
        found = {}
        for line in self.run("grep", "-H", "", *paths, check=False).stdout.splitlines():
            path, _colon, value = line.partition(":")
            found[paths[path]] = " ".join(value.split())
        assert sorted(found) == sorted(keys), f"cannot read {sorted(set(keys) - set(found))}"
        return found

    def set_live(self, values: Mapping[str, str]) -> None:
        words = [word for key, value in values.items() for word in (value, path_of(key))]
        self.run("sh", "-euc", 'while [ $# -gt 0 ]; do printf "%s\\n" "$1" >"$2"; shift 2; done', "sh", *words)

    # -- files ------------------------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        """The file as it is reached from outside. Absolute links must not be followed with it: they lead out."""
        return Path(f"/proc/{self._holder.pid}/root{name}")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.path(name)
        assert not path.is_symlink()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, name: str) -> bytes | None:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None

    def text(self, name: str) -> str:
        data = self.read(name)
        assert data is not None, f"{name} is missing"
        return data.decode()

    def stamp(self, name: str) -> tuple[int, int]:
        """What changes when a file is replaced, or written to."""
        status = self.path(name).stat()
        return status.st_ino, status.st_mtime_ns

    def interface(self, name: str, peer: str) -> None:
        self.run("ip", "link", "add", name, "type", "veth", "peer", "name", peer)

    def snapshot(self, stamps: bool = True) -> dict[str, Any]:
        """Everything that a module could have changed: the files of this namespace, and the live values of net.*.

        :param stamps: whether a file counts as changed that was replaced by one with the same bytes.
        """
        found: dict[str, Any] = {"live": self.run("grep", "-rHs", "", "/proc/sys/net", check=False).stdout}
        places = [str(self.folder / "upper"), "/etc/sysctl.d", "/run", "/etc/security/limits.d", "/dev"]
        for place in places:
            for directory, _directories, names in os.walk(self.path(place)):
                for name in names:
                    if name == LOCK:
                        continue  # it stays, and says nothing but who was the last
                    path = Path(directory) / name
                    status = path.lstat()
                    regular = path.is_file() and not path.is_symlink()
                    data = path.read_bytes() if regular else None
                    stamp = (status.st_ino, status.st_mtime_ns) if stamps else ()
                    found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, data, stamp)
        return found


def path_of(key: str) -> str:
    return "/proc/sys/" + "/".join(segment.replace("/", ".") for segment in key.split("."))


def environment(home: str, **more: str) -> dict[str, str]:
    """What Ansible and its modules run with: the checkout as a collection, and nothing of the caller's configuration.

    Of make, too: below ``make test`` the summary would name commands of make.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTEST_", "MAKE"))}
    env["PATH"] = os.pathsep.join([str(PROGRAMS), env.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    env["PYTHONPATH"] = str(CACHE)
    # Compiled once for all runs, and not into the checkout, which ansible-test copies.
    env["PYTHONPYCACHEPREFIX"] = home + "/pycache"
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["ANSIBLE_COLLECTIONS_PATH"] = str(CACHE)
    env["ANSIBLE_NOCOLOR"] = "1"
    env["LC_ALL"] = "C.UTF-8"
    env["HOME"] = home
    env.update(more)
    return env


def why_impossible() -> str:
    """Why no test of this kind can run here, or nothing."""
    if os.geteuid() != 0:
        return "namespaces with the real kernel need root"
    missing = [program for program in NEEDED if shutil.which(program, path=environment("/")["PATH"]) is None]
    if missing:
        return f"missing on this machine: {', '.join(missing)}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--ipc", "true"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return f"unshare is not permitted here: {done.stdout.strip()}" if done.returncode else ""


def one_sentence(outcome: Outcome, *words: str) -> None:
    """The run failed with one readable line that holds each of the words."""
    assert outcome.failed, f"succeeded: {outcome.text}"
    message = outcome.msg
    assert "\n" not in message and message.endswith("."), message
    assert len(message) < 400, message
    lacking = [word for word in words if word not in message]
    assert not lacking, f"{lacking} is not in: {message}"
