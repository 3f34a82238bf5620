# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host: the only file that opens, lists, writes or renames anything. Private: not for use outside of ``tunefleet.linux``.

It knows no policy. What it cannot do it says as HostProblem, with the path and the reason; what is merely absent is no problem.
"""

import errno
import glob
import grp
import os
import pwd
import socket
import stat
import tempfile
import time
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._errors import HostProblem

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
}


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


class Host:
    """Access to the machine that the module runs on.

    :param root: directory in which /etc, /proc and the others are found; anything but ``/`` is for tests.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root.rstrip("/")

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
        return self.text("/proc/sys/kernel/osrelease") or os.uname().release

    def exists(self, path: str) -> bool:
        """Whether there is anything at the path, following links."""
        return os.path.exists(self._at(path))

    def text(self, path: str) -> t.Optional[str]:
        """The text of a small file that may be missing or unreadable (None), without blanks around it."""
        try:
            with open(self._at(path), "rb") as stream:
                return stream.read().decode("utf-8", "surrogateescape").strip()
        except OSError:
            return None

    # -- sockets and time --------------------------------------------------------------------------------------------------

    @staticmethod
    def netlink(protocol: int, request: bytes) -> t.Iterator[bytes]:
        """What the kernel answers to a netlink request, one datagram at a time; whoever asks knows which is the last.

        :raises HostProblem: with half a sentence: why there is no answer, or not all of it.
        """
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as link:
                link.settimeout(_NETLINK_SECONDS)
                link.sendto(request, (0, 0))
                while True:
                    data, _ancillary, flags, _sender = link.recvmsg(_DATAGRAM)
                    if flags & socket.MSG_TRUNC:
                        raise HostProblem("the kernel's answer is cut off")
                    yield data
        except OSError as error:
            raise HostProblem("netlink said: {0}".format(error.strerror or error))

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

    # -- live kernel parameters -------------------------------------------------------------------------------------------

    def live(self, key_path: str) -> Live:
        """What a kernel parameter is now.

        :param key_path: path relative to /proc/sys.
        """
        path = self._at("/proc/sys/" + key_path)
        mode, text = self._look(path)
        if not stat.S_ISREG(mode):
            return Live(False)
        readable = text is not None or (bool(mode & stat.S_IRUSR) and not self.is_root())
        return Live(True, text, readable, self._writable(path, mode))

    def live_text(self, key_path: str) -> t.Optional[str]:
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
            raise HostProblem("the kernel refused {0!r}: {1}".format(text, error.strerror))
        if taken != len(data):
            raise HostProblem("the kernel took only {0} of {1} bytes of {2!r}".format(taken, len(data), text))

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
            if pid.isdigit() and self.text("/proc/{0}/comm".format(pid)) in names:
                # The command in brackets may hold blanks and brackets of its own, so the last bracket ends it: proc_pid_stat(5).
                fields = (self.text("/proc/{0}/stat".format(pid)) or "").rpartition(")")[2].split()
                if len(fields) > 1 and fields[1] == "1":
                    found.append(pid)
        return found

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

    # -- configuration files ----------------------------------------------------------------------------------------------

    def names(self, directory: str) -> t.List[str]:
        """Names of what a directory holds, sorted; none when it is missing."""
        try:
            return sorted(os.listdir(self._at(directory)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise HostProblem("Listing {0} failed: {1}.".format(directory, error.strerror))

    def read_if_any(self, path: str) -> t.Optional[bytes]:
        """The bytes of a file that others wrote: None for one that is missing, a directory, or a link that leads nowhere.

        A link to /dev/null reads as empty, which is how sysctl.d(5) masks a file; so does everything else that is no regular
        file, for a pipe would keep us waiting and a device may never end.
        """
        try:
            descriptor = os.open(self._at(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                mode = os.fstat(descriptor).st_mode
                if stat.S_ISDIR(mode):
                    return None
                with open(descriptor, "rb", closefd=False) as stream:
                    return stream.read() if stat.S_ISREG(mode) else b""
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HostProblem("Reading {0} failed: {1}.".format(path, error.strerror))

    def read_own(self, path: str) -> File:
        """A file that shall be edited.

        :raises HostProblem: when it is anything but a regular file, or a link to one, or nothing yet.
        """
        path = os.path.normpath(path)
        real = os.path.realpath(self._at(path))
        try:
            mode = os.lstat(real).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return File(path, self._inside(real), None)
        except OSError as error:
            raise HostProblem("Looking at {0} failed: {1}.".format(path, error.strerror))
        if not stat.S_ISREG(mode):
            raise HostProblem(
                "{0} is {1}, and only a regular file is ever replaced; name another file.".format(path, _kind(mode))
            )
        return File(path, self._inside(real), self.read_if_any(path))

    def real(self, path: str) -> str:
        """The path behind all links."""
        return self._inside(os.path.realpath(self._at(path)))

    def _inside(self, real: str) -> str:
        base = os.path.realpath(self._root) if self._root else ""
        return real[len(base) :] if base and real.startswith(base + "/") else real

    def replace(self, real: str, data: bytes) -> None:
        """Give a file new bytes in one step: at any moment it is wholly the old or wholly the new one.

        The new file is written beside it under a name that no program reads, synced and renamed. Owner, mode and extended
        attributes (access lists, the SELinux label) of an old file are kept; a new one gets mode 0644.

        :raises HostProblem: when that failed; the file is then as it was.
        """
        self._replace(real, data, real)

    def _replace(self, real: str, data: bytes, like: str) -> None:
        target = self._at(real)
        temporary = ""
        try:
            os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(
                prefix="." + os.path.basename(target) + ".", dir=os.path.dirname(target)
            )
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                _take_over_attributes(self._at(like), stream.fileno())
                os.fsync(stream.fileno())
            os.rename(temporary, target)
            _sync_directory(os.path.dirname(target))
        except OSError as error:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)
            raise HostProblem(_failed("Writing", real, error))

    def copy_aside(self, real: str, data: bytes) -> str:
        """Keep the bytes of a file under a dated name beside it, as ``backup`` of Ansible's own modules does; returns that name.

        The copy has the owner, mode and extended attributes of the file.

        :raises HostProblem: when that failed.
        """
        name = "{0}.{1}.{2}~".format(real, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S"))
        self._replace(name, data, real)
        return name

    def remove(self, real: str) -> None:
        """Remove a file.

        :raises HostProblem: when that failed.
        """
        target = self._at(real)
        try:
            os.unlink(target)
            _sync_directory(os.path.dirname(target))
        except OSError as error:
            raise HostProblem(_failed("Removing", real, error))


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
    return "{0} {1} failed: {2}{3}.".format(what, path, error.strerror, " ({0})".format(hint) if hint else "")


def _take_over_attributes(old: str, descriptor: int) -> None:
    """Give an open new file what the old one of that path has, or mode 0644 when there is none."""
    try:
        status = os.stat(old)
    except FileNotFoundError:
        os.fchmod(descriptor, 0o644)
        return
    os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    for name in _attribute_names(old):
        value = os.getxattr(old, name)
        if _attribute(descriptor, name) != value:
            os.setxattr(descriptor, name, value)


def _attribute_names(path: str) -> t.List[str]:
    try:
        return os.listxattr(path)
    except OSError:  # a file system without extended attributes has none to keep
        return []


def _attribute(descriptor: int, name: str) -> t.Optional[bytes]:
    try:
        return os.getxattr(descriptor, name)
    except OSError:
        return None


def _sync_directory(directory: str) -> None:
    """Make a rename or a removal last through a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
