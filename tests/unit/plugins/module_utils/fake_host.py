# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host made of dictionaries, for tests of everything that a host object is handed to.

It does what ``_host.Host`` does, and like the real kernel it may round a value, refuse it, take a part of it, or keep another one;
a file may be a link, a directory, or on a disk that is full. Everything that is written is kept in ``log``, in order.
"""

import contextlib
import errno
import fnmatch
import os
import posixpath
import re
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts

SYSCTL_FILE = "/etc/sysctl.d/99-tunefleet.conf"
LIMITS_FILE = "/etc/security/limits.d/99-tunefleet.conf"
SYSCTL_HEADER = (
    b"# Written by the Ansible collection tunefleet.linux. Lines of keys that it does not set are left alone.\n"
)
LIMITS_HEADER = (
    b"# Written by the Ansible collection tunefleet.linux. Lines of limits that it does not set are left alone.\n"
)

# What a present server shows, and what tells a child network namespace from the first one.
KERNEL = {
    "fs/nr_open": "1048576",
    "net/core/dev_weight": "64",
    "net/core/somaxconn": "4096",
    "net/ipv4/tcp_ehash_entries": "262144",
    "net/ipv4/tcp_fin_timeout": "60",
    "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
}

Rule = t.Callable[[str, str], t.Optional[str]]


def proc_limits(**items: t.Tuple[t.Any, t.Any]) -> str:
    """The text of a /proc/PID/limits, as ``proc_limits(nofile=(1024, 524288))``."""
    names = {"nofile": ("Max open files", "files"), "nproc": ("Max processes", "processes")}
    lines = ["{0:<25} {1:<20} {2:<20} {3:<10}".format("Limit", "Soft Limit", "Hard Limit", "Units")]
    for item, (soft, hard) in items.items():
        lines.append("{0:<25} {1:<20} {2:<20} {3:<10}".format(names[item][0], soft, hard, names[item][1]))
    return "\n".join(lines) + "\n"


def refuses(*texts: str) -> Rule:
    """The kernel says EINVAL to these texts (to every one, when none is given) and takes others."""

    def rule(new: str, old: str) -> str:
        if not texts or new in texts:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return new

    return rule


def takes_first(count: int) -> Rule:
    """The kernel takes that many numbers of a vector, then says EINVAL; what it took stays (kernel/sysctl.c)."""

    def rule(new: str, old: str) -> str:
        raise Partly("\t".join(new.split()[:count] + old.split()[count:]))

    return rule


def rounds_up_to(step: int) -> Rule:
    """The kernel keeps a multiple of a number."""
    return lambda new, old: str(-(-int(new) // step) * step)


def ignores(new: str, old: str) -> str:
    """The kernel takes every write without a word and keeps what it had."""
    return old


def short_write(new: str, old: str) -> t.Optional[str]:
    """The kernel takes the first word, and says that it took no more."""
    return None


def tabs(new: str, old: str) -> str:
    """The kernel shows a vector with tabs."""
    return "\t".join(new.split())


class Partly(Exception):
    """A refused write that took effect in part; the text is what the kernel has now."""


class FakeHost:
    """A host made of dictionaries.

    :param live: text by path relative to /proc/sys, added to ``KERNEL``; None takes one of those away.
    :param files: bytes by path.
    :param read_only: paths of kernel parameters that cannot be written. :param write_only: such as cannot be read.
    :param rules: what the kernel makes of a write, by path.
    :param links: real path by path. :param directories: paths of directories.
    :param shells: login shell by user. :param running: threads by user id. :param pam: what pam_limits says to a view and users.
    :param full: paths whose write fails with ENOSPC.
    :param dumps: answers a netlink request. :param sockets: ids of processes by the inode of a socket that they hold.
    """

    def __init__(
        self,
        live: t.Optional[t.Mapping[str, t.Optional[str]]] = None,
        files: t.Optional[t.Mapping[str, bytes]] = None,
        texts: t.Optional[t.Mapping[str, str]] = None,
        read_only: t.Container[str] = (),
        write_only: t.Container[str] = (),
        rules: t.Optional[t.Mapping[str, Rule]] = None,
        links: t.Optional[t.Mapping[str, str]] = None,
        directories: t.Container[str] = (),
        full: t.Container[str] = (),
        daemons: t.Optional[t.Mapping[str, str]] = None,
        users: t.Optional[t.Mapping[str, t.Tuple[str, int, int, t.Dict[int, str]]]] = None,
        shells: t.Optional[t.Mapping[str, str]] = None,
        running: t.Optional[t.Mapping[int, int]] = None,
        pam: t.Optional[t.Callable[["FakeHost", hosts.View, t.Sequence[str]], t.Dict[str, str]]] = None,
        root: bool = True,
        release: str = "6.12.9-amd64",
        dumps: t.Optional[t.Callable[[bytes], t.Iterator[bytes]]] = None,
        sockets: t.Optional[t.Mapping[int, t.List[str]]] = None,
    ) -> None:
        merged = dict(KERNEL, **(live or {}))  # type: t.Dict[str, t.Optional[str]]
        self.values = {path: text for path, text in merged.items() if text is not None}  # type: t.Dict[str, str]
        self.files = dict(files or {})
        self.texts = {"/proc/1/limits": proc_limits(nofile=(1024, 524288), nproc=(96000, 96000))}
        self.texts.update(texts or {})
        self.read_only = read_only
        self.write_only = write_only
        self.rules = dict(rules or {})
        self.links = dict(links or {})
        self.directories = directories
        self.full = full
        self.daemons = dict(daemons or {})
        self.users = dict(users or {})
        self.shells = dict(shells or {})
        self.running = dict(running or {})
        self.pam = pam
        self.asked = []  # type: t.List[t.Tuple[t.List[View], t.List[str]]]
        self.root = root
        self.release = release
        self.dumps = dumps
        self.sockets = dict(sockets or {})
        self.clock = 1000.0
        # What a program prints, ages of files in seconds, limits by process, and such as the kernel refuses.
        self.programs = None  # type: t.Optional[t.Callable[[t.List[str]], t.Optional[Ran]]]
        self.ages = {}  # type: t.Dict[str, float]
        self.process_limits = {}  # type: t.Dict[int, t.Tuple[int, int]]
        self.refused_limits = []  # type: t.List[t.Tuple[int, int]]
        self.log = []  # type: t.List[t.Tuple[str, str, t.Any]]
        # Files that are ours alone; each write of one is kept with the number of other writes before it.
        self.private = {}  # type: t.Dict[str, bytes]
        self.private_log = []  # type: t.List[t.Tuple[str, t.Optional[bytes], int]]
        self.locks = []  # type: t.List[str]

    def state(self) -> t.Tuple[t.Dict[str, str], t.Dict[str, bytes]]:
        """Copies of all live values and files, to compare before with after."""
        return dict(self.values), dict(self.files)

    # -- facts ----------------------------------------------------------------------------------------------------------

    def is_root(self) -> bool:
        return self.root

    def user_name(self) -> str:
        return "root" if self.root else "alice"

    @staticmethod
    def page_size() -> int:
        return 4096

    def kernel_release(self) -> str:
        return self.release

    def exists(self, path: str) -> bool:
        return path in self.files or path in self.texts

    def run(self, arguments: t.Sequence[str], patience: float = 60) -> t.Optional[hosts.Completed]:
        self.log.append(("run", arguments[0], list(arguments[1:])))
        return self.programs(list(arguments)) if self.programs else None

    def age(self, path: str) -> t.Optional[float]:
        return self.ages.get(path, 10.0) if path in self.files else None

    def uptime(self) -> t.Optional[float]:
        words = self.texts.get("/proc/uptime", "").split()
        return float(words[0]) if words else None

    def processes(self) -> t.List[str]:
        pids = {path.split("/")[2] for path in self.texts if path.startswith("/proc/")}
        return sorted((pid for pid in pids if pid.isdigit()), key=int)

    def set_limit(self, pid: int, number: int, limit: t.Tuple[int, int]) -> t.Tuple[int, int]:
        self.log.append(("limit", pid, limit))
        former = self.process_limits[pid]
        if limit in self.refused_limits:
            raise _errors.HostProblem("the kernel rejected it: Operation not permitted")
        self.process_limits[pid] = limit
        return former

    def read_text(self, path: str) -> t.Optional[str]:
        text = self.texts.get(path)
        return None if text is None else text.strip()

    # -- sockets and time --------------------------------------------------------------------------------------------------

    def netlink(self, protocol: int, request: bytes) -> t.Iterator[bytes]:
        if self.dumps is None:
            raise _errors.HostProblem("netlink error: Permission denied")
        return self.dumps(request)

    def socket_owners(self, inodes: t.Container[int]) -> t.Dict[int, t.List[str]]:
        return {inode: pids for inode, pids in self.sockets.items() if inode in inodes}

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    # -- live kernel parameters -------------------------------------------------------------------------------------------

    def sysctl(self, key_path: str) -> hosts.Live:
        if key_path not in self.values:
            return hosts.Live(False)
        readable = key_path not in self.write_only
        return hosts.Live(True, self.values[key_path] if readable else None, readable, key_path not in self.read_only)

    def write_live(self, key_path: str, text: str) -> None:
        self.log.append(("live", key_path, text))
        old = self.values[key_path]
        try:
            if key_path in self.read_only:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            new = self.rules.get(key_path, lambda new, old: new)(text, old)
        except OSError as error:
            raise _errors.HostProblem("the kernel rejected {0!r}: {1}".format(text, error.strerror))
        except Partly as partly:
            self.values[key_path] = str(partly)
            raise _errors.HostProblem("the kernel rejected {0!r}: {1}".format(text, os.strerror(errno.EINVAL)))
        if new is None:
            self.values[key_path] = text.split()[0]
            raise _errors.HostProblem("the kernel took only 2 of {0} bytes of {1!r}".format(len(text) + 1, text))
        self.values[key_path] = new

    def sysctl_text(self, key_path: str) -> t.Optional[str]:
        return self.sysctl(key_path).text

    def live_matches(self, pattern: str) -> t.List[str]:
        # glob(7): a star stays within one segment, which fnmatch does not know.
        parts = [re.compile(fnmatch.translate(part)) for part in pattern.split("/")]
        found = [path for path in sorted(self.values) if path.count("/") == pattern.count("/")]
        return [path for path in found if all(part.match(name) for part, name in zip(parts, path.split("/")))]

    def live_paths(self) -> t.List[str]:
        return sorted(self.values)

    # -- processes and users ----------------------------------------------------------------------------------------------

    def children_of_init(self, names: t.Container[str]) -> t.List[str]:
        return [pid for pid, name in self.daemons.items() if name in names]

    def user(self, name: str) -> t.Optional[t.Tuple[str, int, int, t.Dict[int, str]]]:
        return self.users.get(name)

    def user_of(self, uid: int) -> t.Optional[str]:
        return next((name for name, entry in self.users.items() if entry[1] == uid), None)

    def shell(self, name: str) -> str:
        return self.shells.get(name, "/bin/sh") if name in self.users else ""

    def threads(self) -> t.Dict[int, int]:
        return dict(self.running)

    def sessions(self, views: t.Sequence[hosts.View], users: t.Sequence[str]) -> t.List[t.Dict[str, str]]:
        if self.pam is None:
            raise _errors.HostProblem("libpam is older than 1.4.0")
        self.asked.append((list(views), list(users)))
        return [self.pam(self, view, users) for view in views]

    # -- configuration files ----------------------------------------------------------------------------------------------

    def listdir(self, directory: str) -> t.List[str]:
        inside = directory + "/"
        paths = [path for path in set(self.files) | set(self.links) if path.startswith(inside)]
        return sorted({path[len(inside) :].partition("/")[0] for path in paths})

    def real(self, path: str) -> str:
        return self.links.get(path, path)

    def read_or_none(self, path: str) -> t.Optional[bytes]:
        if self.real(path) == "/dev/null":
            return b""
        return self.files.get(self.real(path))

    def read_managed(self, path: str) -> hosts.File:
        path = posixpath.normpath(path)
        if path in self.directories:
            raise _errors.HostProblem(
                "{0} is a directory, and only a regular file is ever replaced; name another file.".format(path)
            )
        return hosts.File(path, self.real(path), self.read_or_none(path))

    def _check(self, real: str, before: t.Optional[bytes]) -> None:
        if self.files.get(real) != before:
            raise _errors.ConcurrentChange("{0} was changed by somebody else.".format(real))

    def replace(self, real: str, data: bytes, before: t.Optional[bytes]) -> None:
        self.log.append(("write", real, data))
        if real in self.full:
            raise _errors.HostProblem(
                "Writing {0} failed: No space left on device (the file system is full).".format(real)
            )
        self._check(real, before)
        self.files[real] = data

    def copy_aside(self, real: str, data: bytes) -> str:
        name = real + ".4242.2026-01-31@12:00:00~"
        self.replace(name, data, None)
        return name

    def remove(self, real: str, before: t.Optional[bytes]) -> None:
        self.log.append(("remove", real, None))
        self._check(real, before)
        del self.files[real]

    def missing_directories(self, path: str) -> t.List[str]:
        return []

    def remove_directories(self, paths: t.Sequence[str]) -> None:
        pass

    def sweep(self, real: str) -> None:
        pass

    # -- the ledger and the lock ------------------------------------------------------------------------------------------

    def read_private(self, path: str) -> t.Optional[bytes]:
        return self.private.get(path)

    def write_private(self, path: str, data: t.Optional[bytes]) -> None:
        if path in self.full:
            raise _errors.HostProblem(
                "Writing {0} failed: No space left on device (the file system is full).".format(path)
            )
        self.private_log.append((path, data, len(self.log)))
        self.private.pop(path, None)
        if data is not None:
            self.private[path] = data

    @contextlib.contextmanager
    def lock(self, path: str, what: str, patience: float) -> t.Iterator[None]:
        self.locks.append(what)
        yield
