# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run is killed, or its power is cut, or the disk fails, at every single call that changes something; then it is run again.

The real host works on real files below a directory; its calls to the operating system go through a seam. A kill is a real SIGKILL
of a process of its own. What a power cut leaves is worked out from the log of the calls: of a file the bytes at its last fsync, of
a directory the names at its last fsync (*strict*), or all names with the bytes that were synced (*names first*, as some file
systems write them).
"""

import errno
import os
import shutil
import signal

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import conversion
from ansible_collections.tunefleet.linux.plugins.module_utils._module import profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import ledger as ledgers
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._transaction.test_ledger_runs import (
    NOFILE,
    OPTIONS,
)
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    KERNEL,
    LIMITS_FILE,
    SYSCTL_FILE,
    proc_limits,
)

# A process that runs, as procfs(5) shows it.
PID_FILE, LIMITS_OF_IT, STAT = "/run/x.pid", "/proc/77/limits", "/proc/77/stat"
PROCESS = {"process": PID_FILE, "item": "nofile"}
RUNS = {
    PID_FILE: b"77\n",
    STAT: ("77 (x) S 1 " + " ".join(["0"] * 17) + " 4242 0 0\n").encode(),
    LIMITS_OF_IT: proc_limits(nofile=(1024, 4096)).encode(),
    "/proc/uptime": b"1000.00 900.00\n",
}
FILES = {
    SYSCTL_FILE: b"# mine\nnet.core.somaxconn = 4096\n",
    "/proc/1/limits": proc_limits(nofile=(1024, 524288), nproc=(96000, 96000)).encode(),
    "/proc/sys/kernel/random/boot_id": b"boot-1\n",
    "/proc/sys/kernel/osrelease": b"6.12.9-amd64\n",
    "/var/lib/x": b"",
    **RUNS,
}
PROFILES = {
    "a": {
        "sysctl": {"net.core.somaxconn": 8192, "net.ipv4.tcp_fin_timeout": 30},
        "limits": [NOFILE, dict(PROCESS, soft=2000)],
    },
    "b": {
        "sysctl": {"net.core.somaxconn": 9000, "net.ipv4.tcp_rmem": "8192 131072 16777216"},
        "limits": [dict(PROCESS, soft=3000, hard=3500)],
    },
}
KEYS = ("net/core/somaxconn", "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_rmem")


class Sandbox(hosts.Host):
    """The real host below a directory, with kernel parameters that are files there."""

    @staticmethod
    def is_root():
        return True

    def write_live(self, key_path, text):
        path = self._at("/proc/sys/" + key_path)
        if isinstance(hosts.os, Seam):
            hosts.os.about_to("set", (path,), {})
        write(path, (text + "\n").encode())

    def set_limit(self, pid, number, limit):
        path = self._at(LIMITS_OF_IT)
        if isinstance(hosts.os, Seam):
            hosts.os.about_to("limit", (path,), {})
        text = self.read_text(LIMITS_OF_IT)
        write(path, conversion.rewritten(text, {conversion.item_of(number): limit}).encode())
        return conversion.running(text)[conversion.item_of(number)]

    def path(self, name):
        return self._at(name)


class Seam:
    """Stands for the module ``os``: counts the calls that change something, logs them, and ends or fails at one of them.

    :param strike: called instead of the call with that number, counted from 1. :param log: file for the calls, or None.
    """

    CALLS = ("fsync", "rename", "unlink", "mkdir", "rmdir", "fchmod", "fchown", "setxattr")

    def __init__(self, number=0, strike=None, log=None):
        self.made = 0
        # The call at which it struck, and the one before it.
        self.struck = ("", "")
        self._last = ""
        self._number, self._strike, self._log = number, strike, log

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def call(*given, **more):
            self.about_to(name, given, more)
            # No power is cut in earnest, so nobody has to wait for the disk.
            return None if name == "fsync" else real(*given, **more)

        return call

    def about_to(self, name, given, more):
        self.made += 1
        if self.made == self._number:
            self.struck = (self._last, name)
            self._strike()
        self._last = name
        if self._log is not None:
            place = more.get("dir_fd", more.get("src_dir_fd", given[0]))
            words = [one for one in given if isinstance(one, str)]
            self._log.append((name, where(place) if isinstance(place, int) else place, words))

    def open(self, path, flags, *rest, **more):
        if flags & os.O_EXCL:
            self.about_to("open", (path,), {"dir_fd": more["dir_fd"]})
        return os.open(path, flags, *rest, **more)

    def stream(self, descriptor, mode="r", **more):
        """Stands for the function ``open``."""
        return Stream(descriptor, self) if mode == "wb" else open(descriptor, mode, **more)


class Stream:
    """A file that is written in two halves, so that a run can be ended between them."""

    def __init__(self, descriptor, seam):
        self._descriptor, self._seam = descriptor, seam

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        os.close(self._descriptor)

    def write(self, data):
        for half in (data[: len(data) // 2], data[len(data) // 2 :]):
            self._seam.about_to("write", (self._descriptor, half.decode("latin-1")), {})
            os.write(self._descriptor, half)

    def flush(self):
        pass


def where(descriptor):
    return os.readlink(f"/proc/self/fd/{descriptor}")


@pytest.fixture(autouse=True)
def seamed(monkeypatch):
    """Puts a seam in place of the operating system; one at which nothing happens, to begin with."""

    def use(seam):
        monkeypatch.setattr(hosts, "os", seam)
        monkeypatch.setattr(hosts, "open", seam.stream, raising=False)
        return seam

    use(Seam())
    return use


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(data)


def a_host(folder, files=None):
    host = Sandbox(str(folder))
    for path, text in KERNEL.items():
        write(host.path("/proc/sys/" + path), (text + "\n").encode())
    for path, data in (FILES if files is None else files).items():
        write(host.path(path), data)
    os.makedirs(host.path("/run"), exist_ok=True)
    return host


def act(host, what):
    """``+a`` applies a profile, ``-a`` takes it back, ``-`` takes all back."""
    name = what[1:]
    options = dict(OPTIONS, name=name or None, state="applied" if what[0] == "+" else "reverted")
    return module_run.run(
        host, profile_options.parse(dict(options, **(PROFILES[name] if what[0] == "+" else {}))), False
    )


def files_of(host):
    """Everything but the kernel's own files and the lock, with the names of directories."""
    found = {}
    for at, directories, names in os.walk(host.path("/")):
        for name in names + directories:
            path = os.path.join(at, name)
            inside = path[len(host.path("")) :]
            if not inside.startswith("/proc") and inside != module_run.LOCK:
                found[inside] = None
                if os.path.isfile(path):
                    with open(path, "rb") as stream:
                        found[inside] = stream.read()
    return found


def live_of(host):
    found = {path: " ".join(host.sysctl_text(path).split()) for path in KEYS}
    return dict(found, process=conversion.running(host.read_text(LIMITS_OF_IT))["nofile"])


def state_of(host):
    """What people see of it."""
    return {path: data for path, data in files_of(host).items() if "/var/lib" not in path}, live_of(host)


SCENARIOS = [["+a"], ["+a", "+b"], ["+a", "+b", "-a"], ["+a", "+b", "-"]]


class Story:
    """What happens before the run that is ended, and what it is to come to."""

    def __init__(self, folder, whats):
        self._count = 0
        self.before = a_host(folder / "before")
        self.start = state_of(self.before)
        for what in whats[:-1]:
            act(self.before, what)
        self.what = whats[-1]
        self.old = state_of(self.before)
        after = self.copy(folder / "after")
        act(after, self.what)
        self.new = state_of(after)

    def copy(self, folder):
        shutil.copytree(self.before.path(""), str(folder), symlinks=True)
        return Sandbox(str(folder))

    def is_whole(self, host):
        files = files_of(host)
        for path in (SYSCTL_FILE, LIMITS_FILE):
            assert files.get(path) in (self.old[0].get(path), self.new[0].get(path)), path
        ledgers.parse(files.get(ledgers.PATH))

    def ends_well(self, host, spare, then):
        """The next run finishes or undoes, and nothing of the way back is lost.

        :param spare: a directory that is not there yet. :param then: what the next run is.
        """
        self.is_whole(host)
        self._count += 1
        if self._count % 3 == 0:
            # The next run may as well be the way back at once.
            shutil.copytree(host.path(""), spare, symlinks=True)
            other = Sandbox(spare)
            act(other, "-")
            assert state_of(other) == self.start
        act(host, then)
        assert state_of(host) == (self.new if then == self.what else self.start)
        act(host, "-")
        assert state_of(host) == self.start
        assert files_of(host).get(ledgers.PATH) is None


def killed_at(story, host, number):
    """Run in a process of its own, which kills itself; False when it came to its end before that."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            seam = Seam(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            hosts.os, hosts.open = seam, seam.stream
            act(host, story.what)
            status = 0
        finally:
            os._exit(status)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("whats", SCENARIOS, ids="".join)
def test_a_kill_at_any_call(tmp_path, whats, note):
    story = Story(tmp_path, whats)
    number = 0
    while True:
        number += 1
        place = tmp_path / str(number)
        host = story.copy(place / "host")
        if not killed_at(story, host, number):
            break
        story.ends_well(host, str(place / "spare"), story.what)
        shutil.rmtree(str(place))
    assert state_of(host) == story.new
    assert number > 15
    note(f"kills: {' '.join(whats)}: SIGKILL at each of {number - 1} calls; every next run ended well")


# -- power cuts -----------------------------------------------------------------------------------------------------------------


class Node:
    """A file or directory: as it is, and as it is on the platters."""

    def __init__(self, entries=None, data=b"", synced=None):
        self.entries, self.data = entries, data
        self.synced = dict(entries) if entries is not None else synced


class Disk:
    """What calls do to a disk that keeps only what was synced."""

    def __init__(self, root):
        self._root = root
        self._tree = self._read(root)

    def _read(self, path):
        if os.path.isdir(path):
            return Node({name: self._read(os.path.join(path, name)) for name in os.listdir(path)})
        with open(path, "rb") as stream:
            data = stream.read()
        return Node(data=data, synced=data)

    def _at(self, path):
        node = self._tree
        for name in [one for one in path[len(self._root) :].split("/") if one]:
            node = node.entries[name]
        return node

    def replay(self, calls):
        for name, place, words in calls:
            if name in ("set", "limit"):
                continue  # no disk
            node = self._at(place)
            if name == "open":
                node.entries[words[0]] = Node(synced=b"")
            elif name == "write":
                node.data += words[0].encode("latin-1")
            elif name == "fsync":
                node.synced = dict(node.entries) if node.entries is not None else node.data
            elif name == "rename":
                node.entries[words[1]] = node.entries.pop(words[0])
            elif name in ("unlink", "rmdir"):
                del node.entries[words[0]]
            elif name == "mkdir":
                node.entries[words[0]] = Node({})

    def after_cut(self, folder, names_first):
        def put(node, path):
            if path.startswith(str(folder) + "/run/"):
                return  # is kept in memory
            if node.entries is None:
                write(path, node.synced)
                os.chmod(path, 0o600 if "/var/lib" in path else 0o644)
                return
            os.makedirs(path, mode=0o700 if path.endswith("/tunefleet") else 0o755, exist_ok=True)
            for name, inner in (node.entries if names_first else node.synced).items():
                put(inner, os.path.join(path, name))

        put(self._tree, str(folder))
        return boot(Sandbox(str(folder)))


def boot(host):
    """The kernel begins with its defaults, and gets what our file says."""
    for path, text in KERNEL.items():
        write(host.path("/proc/sys/" + path), (text + "\n").encode())
    for line in host.read_or_none(SYSCTL_FILE).decode().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            write(host.path("/proc/sys/" + key.strip().replace(".", "/")), (value.strip() + "\n").encode())
    write(host.path("/proc/sys/kernel/random/boot_id"), b"boot-2\n")
    for path, data in RUNS.items():  # with the id that it had, and started as long after the boot
        write(host.path(path), data)
    return host


@pytest.mark.parametrize(
    ("whats", "names_first"),
    [(whats, False) for whats in SCENARIOS] + [(whats, True) for whats in SCENARIOS[:1]],
    ids=lambda one: "".join(one) if isinstance(one, list) else "names first" if one else "strict",
)
def test_a_power_cut_after_any_call(tmp_path, seamed, whats, names_first, note):
    story = Story(tmp_path, whats)
    if story.what[0] == "-":
        # The process is another one after the boot, and no revert raises its limits.
        story.new[1]["process"] = story.start[1]["process"]
    calls = []
    host = story.copy(tmp_path / "whole")
    whole = str(tmp_path / "whole")
    seamed(Seam(log=calls))
    act(host, story.what)
    seamed(Seam())
    for number in range(len(calls) + 1):
        place = tmp_path / str(number)
        disk = Disk(story.before.path(""))
        disk.replay([(name, at.replace(whole, story.before.path("")), words) for name, at, words in calls[:number]])
        cut = disk.after_cut(place / "host", names_first)
        story.ends_well(cut, str(place / "spare"), story.what)
        shutil.rmtree(str(place))
    assert len(calls) > 15
    view = "names first" if names_first else "strict"
    note(f"power cuts: {' '.join(whats)}, {view}: after each of {len(calls)} calls; every next run ended well")


# -- errors -----------------------------------------------------------------------------------------------------------------------


def failing(number):
    def strike():
        raise OSError(number, os.strerror(number))

    return strike


@pytest.mark.parametrize(
    ("whats", "reason"),
    [(SCENARIOS[0], reason) for reason in (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EINTR)]
    + [(SCENARIOS[2], errno.ENOSPC)],
    ids=lambda one: "".join(one) if isinstance(one, list) else errno.errorcode[one],
)
def test_an_error_of_any_call(tmp_path, seamed, monkeypatch, whats, reason, note):
    """An apply puts everything back; a revert goes as far as it can. Then both are run again."""
    story = Story(tmp_path, whats)
    monkeypatch.setattr(Sandbox, "write_live", telling(Sandbox.write_live))
    monkeypatch.setattr(Sandbox, "set_limit", telling(Sandbox.set_limit))
    number = failed = 0
    while True:
        number += 1
        host = story.copy(tmp_path / str(number))
        seam = seamed(Seam(number, failing(reason)))
        try:
            act(host, story.what)
        except _errors.TuneError as problem:
            failed += 1
            seamed(Seam())
            story.is_whole(host)
            if story.what[0] == "+":
                assert live_of(host) == story.old[1], str(problem)
                assert state_of(host)[0] == story.old[0], str(problem)
        if seam.made < number:
            break
        seamed(Seam())
        if "rmdir" in seam.struck:
            continue  # an empty directory stays behind
        story.ends_well(host, str(tmp_path / "spare"), story.what)
        shutil.rmtree(str(tmp_path / "spare"), ignore_errors=True)
    assert failed > 10 and seam.made > 20
    told = f"{errno.errorcode[reason]} at each of {number - 1} calls; {failed} runs failed in words"
    note(f"errors: {' '.join(whats)}: {told}, every next run ended well")


def telling(real):
    def told(self, *given):
        try:
            return real(self, *given)
        except OSError as error:
            raise _errors.HostProblem(f"the kernel refused {given}: {error.strerror}")

    return told
