# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host: the only file that opens, lists, writes or renames anything. Private: not for use outside of ``tunefleet.linux``.

It knows no policy. What it cannot do it says as HostProblem, with the path and the reason; what is merely absent is no problem.
"""

import contextlib
import errno
import fcntl
import glob
import grp
import json
import os
import pwd
import re
import resource
import socket
import stat
import subprocess
import sys
import time
import typing as t

from .. import _errors
from . import messages

# A file below /proc/sys gives its whole text to the first read or never, and the kernel makes and clears a buffer of the size that
# is asked for. So a page is tried first, and what fills it is read again with more than any file there gives.
_PAGE = 4096
_LONGEST = 1 << 18
# Larger than any datagram that the kernel answers a netlink request with (net/netlink/af_netlink.c: 32 KiB at most).
_DATAGRAM = 1 << 17
_NETLINK_SECONDS = 10
_HINTS = {
    errno.EPERM: "is it immutable? See lsattr(1)",
    errno.EBUSY: "is it a mount point of its own, as in some containers?",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the file system is full",
    errno.ELOOP: "a link took the place of a directory or file meanwhile",
}

_PROBE_TIME = 40  # seconds; the program ends itself before


class Live(t.NamedTuple):
    """A file below /proc/sys. ``text`` is None where it does not exist or this process cannot read it.

    ``readable`` and ``writable`` say what root may do, so that check mode can predict without being root.
    """

    exists: bool
    text: t.Optional[str] = None
    readable: bool = False
    writable: bool = False


class File(t.NamedTuple):
    """A configuration file. ``data`` is None when there is none; ``real`` is the path behind all links."""

    path: str
    real: str
    data: t.Optional[bytes]


# A reading of limits files for pam_limits: bytes in their place, or None for those that are installed, and its arguments.
View = t.Tuple[t.Optional[bytes], t.Sequence[str]]


class Completed(t.NamedTuple):
    """What a program came to."""

    status: int
    output: str
    errors: str


class Host:
    """Access to the machine that the module runs on.

    :param root: directory in which /etc, /proc and the others are found; anything but ``/`` is for tests.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")
        self._clocks: t.Optional[t.Tuple[float, t.Optional[float]]] = None

    def _at(self, path: str) -> str:
        return self._root + path

    # -- facts ----------------------------------------------------------------------------------------------------------

    @staticmethod
    def is_root() -> bool:
        """Whether this process may be expected to write kernel parameters and files in /etc."""
        return os.geteuid() == 0

    @staticmethod
    def user_name() -> str:
        """Name of the user that this process runs as, or the number where it has none."""
        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return str(os.geteuid())

    @staticmethod
    def page_size() -> int:
        """Bytes of a page of memory."""
        return os.sysconf("SC_PAGE_SIZE")

    def kernel_release(self) -> str:
        """Release of the running kernel, as in uname(1)."""
        return self.read_text("/proc/sys/kernel/osrelease") or os.uname().release

    def exists(self, path: str) -> bool:
        """Whether there is anything at the path, following links."""
        return os.path.exists(self._at(path))

    def read_text(self, path: str) -> t.Optional[str]:
        """The text of a small file that may be missing or unreadable (None), without blanks around it."""
        try:
            with open(self._at(path), "rb") as stream:
                return stream.read().decode("utf-8", "surrogateescape").strip()
        except OSError:
            return None

    # -- sockets and time --------------------------------------------------------------------------------------------------

    @staticmethod
    def netlink(protocol: int, request: bytes) -> t.Iterator[bytes]:
        """The answer of the kernel to a netlink request, one datagram at a time; the caller knows the last one.

        :raises HostProblem: if there is no answer, or only a part of it.
        """
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as link:
                link.settimeout(_NETLINK_SECONDS)
                link.sendto(request, (0, 0))
                while True:
                    data, _ancillary, flags, _sender = link.recvmsg(_DATAGRAM)
                    if flags & socket.MSG_TRUNC:
                        raise _errors.HostProblem(messages.ANSWER_CUT_OFF())
                    yield data
        except OSError as error:
            raise _errors.HostProblem(messages.NETLINK_ERROR(error=error.strerror or error))

    def socket_owners(self, inodes: t.Container[int]) -> t.Dict[int, t.List[str]]:
        """Ids of the processes that hold a socket, by the inode of the socket; those that this user may look at."""
        found: t.Dict[int, t.List[str]] = {}
        for pid in sorted(filter(str.isdigit, os.listdir(self._at("/proc"))), key=int):
            for inode in set(self._socket_inodes(self._at("/proc/{0}/fd".format(pid)))):
                if inode in inodes:
                    found.setdefault(inode, []).append(pid)
        return found

    @staticmethod
    def _socket_inodes(directory: str) -> t.Iterator[int]:
        try:
            names = os.listdir(directory)
        except OSError:  # of somebody else, or gone meanwhile
            return
        for name in names:
            try:
                link = os.readlink(directory + "/" + name)
            except OSError:  # closed meanwhile
                continue
            if link.startswith("socket:["):
                yield int(link[8:-1])

    @staticmethod
    def now() -> float:
        """Seconds of a clock that nobody sets."""
        return time.monotonic()

    @staticmethod
    def sleep(seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    # -- programs ----------------------------------------------------------------------------------------------------------

    def run(self, arguments: t.Sequence[str], patience: float = 60) -> t.Optional[Completed]:
        """Run a program, never through a shell; None where there is no such program.

        :param arguments: name of the program, looked for in the usual places, and what it is given.
        :param patience: seconds after which it is ended.
        :raises HostProblem: when it was not done by then.
        """
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "SYSTEMD_COLORS": "0",
            "SYSTEMD_PAGER": "",
        }
        try:
            # Not run_command: it belongs to a module, which helpers do not know, and has no limit of time in ansible-core 2.16.
            ran = subprocess.run(  # pylint: disable=ansible-bad-function
                list(arguments),
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            raise _errors.HostProblem(messages.COMMAND_TIMED_OUT(command=" ".join(arguments), seconds=patience))
        except OSError:
            return None
        texts = [data.decode("utf-8", "surrogateescape") for data in (ran.stdout, ran.stderr)]
        return Completed(ran.returncode, texts[0], texts[1].strip())

    def age(self, path: str) -> t.Optional[float]:
        """Seconds from the last change of a file to the moment of ``uptime()``; None when there is no such file."""
        try:
            return self._moment()[0] - os.stat(self._at(path)).st_mtime
        except OSError:
            return None

    def uptime(self) -> t.Optional[float]:
        """Seconds from the boot to one moment of this run, the same for all ages, so that they can be compared."""
        return self._moment()[1]

    def _moment(self) -> t.Tuple[float, t.Optional[float]]:
        """The wall clock and the uptime, read once; the closest of three pairs, for a busy machine may pause between the two."""
        if self._clocks is None:
            pairs = []
            for _try in range(3):
                begin = time.time()
                words = (self.read_text("/proc/uptime") or "").split()
                pairs.append((time.time() - begin, begin, float(words[0]) if words else None))
            self._clocks = min(pairs)[1:]
        return self._clocks

    # -- live kernel parameters -------------------------------------------------------------------------------------------

    def sysctl(self, key_path: str) -> Live:
        """What a kernel parameter is now.

        :param key_path: path relative to /proc/sys.
        """
        path = self._at("/proc/sys/" + key_path)
        mode, text = self._look(path)
        if not stat.S_ISREG(mode):
            return Live(False)
        # Some keys cannot be read until they are set: net.ipv6.conf.*.stable_secret.
        readable = text is not None or bool(mode & stat.S_IRUSR)
        return Live(True, text, readable, self._writable(path, mode))

    def sysctl_text(self, key_path: str) -> t.Optional[str]:
        """The text of a kernel parameter alone, to read back what was written; None where there is none to be read.

        :param key_path: path relative to /proc/sys.
        """
        return self._look(self._at("/proc/sys/" + key_path))[1]

    @staticmethod
    def _look(path: str) -> t.Tuple[int, t.Optional[str]]:
        """Mode (0: nothing is there) and text (None: it cannot be read) of a file below /proc/sys."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError):  # ValueError: a NUL byte
            return _mode(path), None
        try:
            return os.fstat(descriptor).st_mode, _parameter_text(descriptor)
        finally:
            os.close(descriptor)

    def _writable(self, path: str, mode: int) -> bool:
        """For root the kernel is asked, which knows more than the mode; for others mode and mount have to do."""
        if self.is_root():
            return os.access(path, os.W_OK)
        return bool(mode & stat.S_IWUSR) and not os.statvfs(path).f_flag & os.ST_RDONLY

    def write_live(self, key_path: str, text: str) -> None:
        """Set a kernel parameter with one unbuffered write, which is how the kernel takes it (kernel/sysctl.c).

        :raises HostProblem: with a half sentence: the kernel's reason, or how much of the text it took.
        """
        data = (text + "\n").encode("utf-8", "surrogateescape")
        try:
            descriptor = os.open(self._at("/proc/sys/" + key_path), os.O_WRONLY | os.O_CLOEXEC)
            try:
                taken = os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _errors.HostProblem(messages.KERNEL_REJECTED(value=text, error=error.strerror))
        if taken != len(data):
            raise _errors.HostProblem(messages.KERNEL_TOOK_A_PART(taken=taken, length=len(data), value=text))

    def live_matches(self, pattern: str) -> t.List[str]:
        """Path relative to /proc/sys of every parameter that a pattern of such paths matches."""
        base = self._at("/proc/sys/")
        return [path[len(base) :] for path in sorted(glob.glob(glob.escape(base) + pattern)) if os.path.isfile(path)]

    def live_paths(self) -> t.List[str]:
        """Path relative to /proc/sys of every parameter that this kernel shows here."""
        base = self._at("/proc/sys")
        found: t.List[str] = []
        for directory, _directories, names in os.walk(base):
            prefix = os.path.relpath(directory, base)
            found.extend(name if prefix == "." else prefix + "/" + name for name in names)
        return sorted(found)

    # -- processes and users ----------------------------------------------------------------------------------------------

    def children_of_init(self, names: t.Container[str]) -> t.List[str]:
        """Ids of the processes with one of the names whose parent is process 1."""
        found: t.List[str] = []
        for pid in os.listdir(self._at("/proc")):
            if pid.isdigit() and self.read_text("/proc/{0}/comm".format(pid)) in names:
                # The command in brackets may hold blanks and brackets of its own, so the last bracket ends it: proc_pid_stat(5).
                fields = (self.read_text("/proc/{0}/stat".format(pid)) or "").rpartition(")")[2].split()
                if len(fields) > 1 and fields[1] == "1":
                    found.append(pid)
        return found

    def processes(self) -> t.List[str]:
        """Ids of all processes that are seen from here, oldest first."""
        return sorted((pid for pid in os.listdir(self._at("/proc")) if pid.isdigit()), key=int)

    @staticmethod
    def set_limit(pid: int, number: int, limit: t.Tuple[int, int]) -> t.Tuple[int, int]:
        """Set soft and hard limit of a running process with prlimit(2); returns what they were.

        :param number: the item, as in include/uapi/asm-generic/resource.h. :param limit: in the kernel's units; 2**64 - 1 is none.
        :raises HostProblem: if the kernel rejected it or the process has ended.
        """
        # Python counts with a sign, and -1 is no limit to it.
        signed = tuple(-1 if entry == 2**64 - 1 else entry for entry in limit)
        try:
            former = resource.prlimit(pid, number, t.cast(t.Tuple[int, int], signed))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise _errors.HostProblem(messages.LIMIT_REJECTED(error=reason))
        soft, hard = [2**64 - 1 if entry == -1 else entry for entry in former]
        return soft, hard

    @staticmethod
    def user(name: str) -> t.Optional[t.Tuple[str, int, int, t.Dict[int, str]]]:
        """Name, id, primary group and all groups of a user, or None when there is none."""
        try:
            entry = pwd.getpwnam(name)
        except (KeyError, ValueError):  # ValueError: a NUL byte
            return None
        groups: t.Dict[int, str] = {}
        for gid in os.getgrouplist(name, entry.pw_gid):
            try:
                groups[gid] = grp.getgrgid(gid).gr_name
            except KeyError:
                groups[gid] = ""
        return entry.pw_name, entry.pw_uid, entry.pw_gid, groups

    def user_of(self, uid: int) -> t.Optional[str]:
        """Name of the user with an id, None when there is none."""
        try:
            return pwd.getpwuid(uid).pw_name
        except (KeyError, OverflowError):
            return None

    @staticmethod
    def shell(name: str) -> str:
        """Login shell of a user, empty when there is no such user."""
        try:
            return pwd.getpwnam(name).pw_shell or "/bin/sh"
        except (KeyError, ValueError):
            return ""

    def threads(self) -> t.Dict[int, int]:
        """How many threads run under each real user id, which is what the kernel holds against nproc."""
        found: t.Dict[int, int] = {}
        for pid in os.listdir(self._at("/proc")):
            if pid.isdigit():
                lines = (self.read_text("/proc/{0}/status".format(pid)) or "").splitlines()
                fields = dict(line.partition(":")[::2] for line in lines)
                if "Uid" in fields and "Threads" in fields:
                    uid = int(fields["Uid"].split()[0])
                    found[uid] = found.get(uid, 0) + int(fields["Threads"])
        return found

    def sessions(self, views: t.Sequence[View], users: t.Sequence[str]) -> t.List[t.Dict[str, str]]:
        """For each view, why pam_limits refuses a session of a user; those whom it lets in are left out.

        Another process opens the sessions, see ``_probe.py``: nothing of them is left, and no limit of this one changes.

        :raises HostProblem: with a half sentence, when that cannot be tried here.
        """
        request = {
            "users": list(users),
            "views": [
                {"data": None if data is None else data.decode("latin-1"), "arguments": list(arguments)}
                for data, arguments in views
            ],
        }
        from . import pam_probe

        loader = getattr(pam_probe.__spec__, "loader", None)
        try:
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [sys.executable, "-I", "-S", "-B", "-c", loader.get_source(pam_probe.__name__)],  # type: ignore[union-attr]
                input=json.dumps(request).encode("ascii"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=_PROBE_TIME,
                check=False,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
                cwd="/",
            )
            answer = json.loads(done.stdout.decode("ascii"))
        except (OSError, ValueError, AttributeError, subprocess.TimeoutExpired) as error:
            raise _errors.HostProblem(messages.PROBE_FAILED(error=error))
        if "views" not in answer:
            raise _errors.HostProblem(str(answer.get("unavailable")))
        texts = answer["texts"]
        return [
            {user: texts.get(str(status), messages.PROBE_SILENT()) for user, status in view.items() if status}
            for view in answer["views"]
        ]

    # -- configuration files ----------------------------------------------------------------------------------------------

    def listdir(self, directory: str) -> t.List[str]:
        """Names of what a directory holds, sorted; none when it is missing."""
        try:
            return sorted(os.listdir(self._at(directory)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _errors.HostProblem(messages.LISTING_FAILED(path=directory, error=error.strerror))

    def read_or_none(self, path: str) -> t.Optional[bytes]:
        """The bytes of a file that others wrote: None for one that is missing, a directory, or a link that leads nowhere.

        A link to /dev/null reads as empty, which is how sysctl.d(5) masks a file; so does everything else that is no regular
        file, for a pipe would keep us waiting and a device may never end.
        """
        try:
            return self._bytes_at(path)
        except OSError as error:
            raise _errors.HostProblem(messages.READING_FAILED(path=path, error=error.strerror))

    def _bytes_at(self, path: str) -> t.Optional[bytes]:
        try:
            descriptor = os.open(self._at(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISDIR(mode):
                return None
            with open(descriptor, "rb", closefd=False) as stream:
                return stream.read() if stat.S_ISREG(mode) else b""
        finally:
            os.close(descriptor)

    def read_managed(self, path: str) -> File:
        """A file to edit.

        :raises HostProblem: when it is anything but a regular file, or a link to one, or nothing yet.
        """
        if path[:1] != "/" or _CONTROL.search(path):
            raise _errors.HostProblem(messages.NOT_A_PATH(path=path))
        path = os.path.normpath(path)
        real = os.path.realpath(self._at(path))
        self._check_planted(path, real)
        try:
            mode = os.lstat(real).st_mode
        except FileNotFoundError:
            return File(path, self._inside(real), None)
        except NotADirectoryError:
            raise _errors.HostProblem(messages.PARENT_IS_NO_DIRECTORY(path=path))
        except OSError as error:
            raise _errors.HostProblem(messages.OPENING_FAILED(path=path, error=error.strerror))
        if not stat.S_ISREG(mode):
            raise _errors.HostProblem(messages.NOT_A_REGULAR_FILE(path=path, kind=_kind(mode)))
        try:
            return File(path, self._inside(real), self._bytes_at(path))
        except OSError as error:
            raise _errors.HostProblem(messages.OPENING_FAILED(path=path, error=error.strerror))

    def _check_planted(self, path: str, real: str) -> None:
        """:raises HostProblem: for a symbolic or hard link that another user may have placed there."""
        for fromkey in dict.fromkeys([self._at(path), real]):
            try:
                status, above = os.lstat(fromkey), os.stat(os.path.dirname(fromkey))
            except OSError:
                continue
            linked = stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1)
            if linked and (above.st_mode & 0o002 or above.st_uid not in (0, os.geteuid())):
                raise _errors.HostProblem(messages.UNTRUSTED_LINK(path=self._inside(fromkey)))

    def real(self, path: str) -> str:
        """The path behind all links."""
        return self._inside(os.path.realpath(self._at(path)))

    def _inside(self, real: str) -> str:
        base = os.path.realpath(self._root) if self._root else ""
        return real[len(base) :] if base and real.startswith(base + "/") else real

    def replace(self, real: str, data: bytes, before: t.Optional[bytes]) -> None:
        """Give a file new bytes in one step: at any moment it is wholly the old or wholly the new one.

        The new file is written beside it under a name that no program reads, synced and renamed. Owner, mode and extended
        attributes (access lists, the SELinux label) of an old file are kept; a new one gets mode 0644.

        :param real: path without links; one that has come in since is not followed.
        :param before: what the file was when the new bytes were made; None for no file.
        :raises HostProblem: if that failed, or another program has changed the file; it is then as before.
        """
        with _telling("Writing", real), self._folder(real, 0o755) as (folder, name):
            _write(folder, name, data, name, 0o644, lambda: self._unchanged(folder, name, real, before))

    @staticmethod
    def _unchanged(folder: int, name: str, real: str, before: t.Optional[bytes]) -> None:
        if _bytes_of(folder, name) != before:
            raise _errors.ConcurrentChange(messages.FILE_CHANGED_DURING_RUN(path=real))

    def copy_aside(self, real: str, data: bytes) -> str:
        """Keep the bytes of a file under a dated name beside it, as ``backup`` of Ansible's own modules does; returns that name.

        The copy has the owner, mode and extended attributes of the file.

        :raises HostProblem: when that failed.
        """
        path = "{0}.{1}.{2}~".format(real, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S"))
        with _telling("Writing", path), self._folder(real, 0o755) as (folder, name):
            _write(folder, os.path.basename(path), data, name, 0o644, lambda: None)
        return path

    def remove(self, real: str, before: t.Optional[bytes]) -> None:
        """Remove a file.

        :param before: what the file was when it was decided to remove it.
        :raises HostProblem: if that failed, or another program has changed the file.
        """
        with _telling("Removing", real), self._folder(real) as (folder, name):
            self._unchanged(folder, name, real, before)
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def missing_directories(self, path: str) -> t.List[str]:
        """The directories above a path that do not exist yet, outermost first."""
        found: t.List[str] = []
        directory = os.path.dirname(path)
        while directory not in ("", "/") and not os.path.lexists(self._at(directory)):
            found.insert(0, directory)
            directory = os.path.dirname(directory)
        return found

    def remove_directories(self, paths: t.Sequence[str]) -> None:
        """Remove directories, the last one first, as far as they are empty and still there."""
        for path in reversed(paths):
            try:
                with self._folder(path) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
                    os.fsync(folder)
            except FileNotFoundError:  # gone already
                continue
            except OSError:  # another program uses it
                return

    def sweep(self, real: str) -> None:
        """Remove what a killed run may have left beside a file: our own files under temporary names. Needs the lock."""
        try:
            with self._folder(real) as (folder, name):
                _sweep(folder, name)
        except OSError:  # there is no such directory, or nothing can be removed; the leftovers do no harm
            return

    @contextlib.contextmanager
    def _folder(self, path: str, make: t.Optional[int] = None) -> t.Iterator[t.Tuple[int, str]]:
        """A descriptor of the directory that holds a path, and the last name of the path.

        It is reached name by name without following a link, so that nobody can lead us elsewhere while we work.

        :param make: mode of directories that are missing; None when they are not to be made.
        """
        folder = os.open(self._root or "/", _DIRECTORY)
        try:
            for name in [name for name in os.path.dirname(path).split("/") if name]:
                inner = _enter(folder, name, make)
                os.close(folder)
                folder = inner
            yield folder, os.path.basename(path)
        finally:
            os.close(folder)

    # -- the ledger and the lock ------------------------------------------------------------------------------------------

    def read_private(self, path: str) -> t.Optional[bytes]:
        """The bytes of a file that we alone may read and write, in a directory of that kind; None when there is none.

        :raises HostProblem: for anything else, because another user may have written it.
        """
        path = self._private(path)
        try:
            with _telling("Reading", path), self._folder(path) as (folder, name):
                _check_private(os.fstat(folder), stat.S_ISDIR, os.path.dirname(path))
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
                with open(descriptor, "rb") as stream:
                    _check_private(os.fstat(descriptor), stat.S_ISREG, path)
                    return stream.read()
        except _Missing:
            return None

    def write_private(self, path: str, data: t.Optional[bytes]) -> None:
        """Replace such a file in one step and make that last; None removes it, and its directory when that is empty.

        :raises HostProblem: when that failed, or the directory is open to others.
        """
        path = self._private(path)
        if data is None:
            with _telling("Removing", path), self._folder(path) as (folder, name):
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)
                _sweep(folder, name)
            self.remove_directories([os.path.dirname(path)])
            return
        with _telling("Writing", path), self._folder(path, 0o700) as (folder, name):
            _check_private(os.fstat(folder), stat.S_ISDIR, os.path.dirname(path))
            _write(folder, name, data, "", 0o600, lambda: None)

    def _private(self, path: str) -> str:
        """The path with links above the private directory resolved, such as a /var/lib that was moved to another disk."""
        directory = os.path.dirname(path)
        return os.path.join(self.real(os.path.dirname(directory)), *path.split("/")[-2:])

    @contextlib.contextmanager
    def lock(self, path: str, what: str, patience: float) -> t.Iterator[None]:
        """Hold the lock that keeps two runs apart. The kernel releases it when its holder ends, however that comes.

        :param what: who we are, for those who wait. :param patience: how many seconds to wait for another holder.
        :raises HostProblem: when another one held it all the time; names that one.
        """
        with _telling("Locking", path), self._folder(path, 0o755) as (folder, name):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        with open(descriptor, "r+b", buffering=0) as stream:
            _check_private(os.fstat(descriptor), stat.S_ISREG, path)
            until = time.monotonic() + patience
            while not _locked(descriptor):
                if time.monotonic() >= until:
                    holder = stream.read(1000).decode("utf-8", "replace").strip() or "another run"
                    raise _errors.HostProblem(messages.LOCKED(seconds=int(patience), run=holder, path=path))
                time.sleep(0.05)
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            stream.truncate(0)
            stream.write("{0}, process {1}, since {2}\n".format(what, os.getpid(), since).encode("utf-8"))
            yield


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_TEMPORARY = ".tunefleet-"


class _Missing(_errors.HostProblem):
    """There is no such file."""


@contextlib.contextmanager
def _telling(what: str, path: str) -> t.Iterator[None]:
    """Turn what the operating system says into one sentence about a path."""
    try:
        yield
    except FileNotFoundError as error:
        raise _Missing(_failed(what, path, error))
    except OSError as error:
        raise _errors.HostProblem(_failed(what, path, error))


def _enter(folder: int, name: str, make: t.Optional[int]) -> int:
    """Open a directory inside of an open one; a link is not followed."""
    try:
        return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if make is None:
            raise
    os.mkdir(name, make, dir_fd=folder)
    os.fsync(folder)
    made = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    os.fchmod(made, make)  # whatever the umask takes away
    return made


def _write(folder: int, name: str, data: bytes, like: str, mode: int, check: t.Callable[[], None]) -> None:
    """Give a file in an open directory new bytes in one step.

    :param like: name of a file whose owner, mode and extended attributes are taken over, where it is there. :param mode: else.
    :param check: raises when the file must not be replaced after all; called last.
    """
    _sweep(folder, name)
    temporary = "{0}{1:08x}".format(_prefix(name), int.from_bytes(os.urandom(4), "big"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            _take_over_attributes(folder, like, descriptor, mode)
            os.fsync(descriptor)
        check()
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except (OSError, _errors.HostProblem):
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def _prefix(name: str) -> str:
    # Hidden, and with no ending that a program reads; 255 bytes is the longest name there is.
    return "." + os.fsdecode(os.fsencode(name)[:200]) + _TEMPORARY


def _sweep(folder: int, name: str) -> None:
    """Remove regular files of ours whose name is a temporary one of a file. A run that still needs one would hold the lock."""
    prefix = _prefix(name)
    for entry in os.listdir(folder):
        if entry.startswith(prefix) and len(entry) == len(prefix) + 8:
            status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.unlink(entry, dir_fd=folder)


def _bytes_of(folder: int, name: str) -> t.Optional[bytes]:
    """The bytes of a regular file in an open directory; None when there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_private(status: os.stat_result, kind: t.Callable[[int], bool], path: str) -> None:
    """:raises HostProblem: if another user could have written to a file or directory of ours."""
    if not kind(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        found = "owner {0}, mode {1:04o}".format(status.st_uid, stat.S_IMODE(status.st_mode))
    elif kind is stat.S_ISREG and status.st_nlink != 1:
        found = "{0} names (hard links)".format(status.st_nlink)
    else:
        return
    raise _errors.HostProblem(messages.NOT_PRIVATE(path=path, found=found))


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0


def _parameter_text(descriptor: int) -> t.Optional[str]:
    try:
        data = os.read(descriptor, _PAGE)
        if len(data) == _PAGE:
            data = os.pread(descriptor, _LONGEST, 0)
    except OSError:
        return None
    return data.decode("utf-8", "surrogateescape").rstrip("\n")


def _kind(mode: int) -> str:
    for test, word in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return word
    return "no regular file"


def _failed(what: str, path: str, error: OSError) -> str:
    hint = _HINTS.get(error.errno or 0)
    return messages.CALL_FAILED(call=what, path=path, error=error.strerror, hint=" ({0})".format(hint) if hint else "")


def _take_over_attributes(folder: int, like: str, descriptor: int, mode: int) -> None:
    """Give an open new file what a file of that name has, or a mode when there is none."""
    try:
        old = os.open(like, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder) if like else -1
    except FileNotFoundError:
        old = -1
    if old < 0:
        os.fchmod(descriptor, mode)
        return
    try:
        status = os.fstat(old)
        os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        for name in _attribute_names(old):
            value = os.getxattr(old, name)
            if _attribute(descriptor, name) != value:
                os.setxattr(descriptor, name, value)
    finally:
        os.close(old)


def _attribute_names(descriptor: int) -> t.List[str]:
    try:
        return os.listxattr(descriptor)
    except OSError:  # a file system without extended attributes has none to keep
        return []


def _attribute(descriptor: int, name: str) -> t.Optional[bytes]:
    try:
        return os.getxattr(descriptor, name)
    except OSError:
        return None
