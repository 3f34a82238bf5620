# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host shows, gathered once before anything is decided. Private: not for use outside of ``tunefleet.linux``.

The host object is handed in; from here on everything that decides is pure.
"""

import re
import typing as t

from .._host import machine
from . import boot as boot_model
from . import catalog, write_model
from . import glob as sysctl_glob
from . import names as sysctl_names
from . import readers as boot_readers

if t.TYPE_CHECKING:
    from .._host import host as hosts


# Where the programs and libraries are that show which reader a host has at boot; /lib may be a link to /usr/lib.
_SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
_SYSCTL = ("/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl", "/bin/sysctl")
_LIBRARIES = ("/usr/lib64", "/usr/lib", "/lib64", "/lib")
# A path that goes back to the directory above, in either spelling of sysctl.d(5).
_BRACKET = re.compile(r"[\[\\]")
_UFW_ENABLED = re.compile(r"^\s*ENABLED=[\"']?(yes|YES)[\"']?\s*$", re.MULTILINE)
_UFW_SYSCTL = re.compile(r"^\s*IPT_SYSCTL=[\"']?([^\s\"'#]+)", re.MULTILINE)

Files = t.Sequence[t.Tuple[str, bytes]]


class BootFiles(t.NamedTuple):
    """Everything that a boot may read.

    ``listing`` holds the names in each directory, ``data`` the bytes by path. There is more than one of ``readers`` where it
    cannot be told which one the host has; the first is the likeliest. ``later`` is a file that ufw lets procps apply on its own.
    ``dangling`` are links to nowhere.
    """

    listing: t.Mapping[str, t.Sequence[str]]
    data: t.Mapping[str, bytes]
    readers: t.Sequence[boot_readers.BootReader]
    later: t.Optional[t.Tuple[str, boot_readers.BootReader]] = None
    dangling: t.FrozenSet[str] = frozenset()

    def tables(
        self, existing: t.Optional[t.Iterable[str]] = None, facts: write_model.KernelModel = write_model.NOTHING_KNOWN
    ) -> t.List[boot_model.BootTable]:
        """What each reader makes of the files.

        :param existing: the keys that there are, as paths, for patterns.
        """
        later = None
        if self.later is not None:
            later = ([(self.later[0], self.data.get(self.later[0], b""))], self.later[1])
        return [boot_model.BootTable(self._files(reader), reader, existing, facts, later) for reader in self.readers]

    def _files(self, reader: boot_readers.BootReader) -> Files:
        paths = boot_readers.reading_order(self.listing, reader, self.dangling)
        return [(path, self.data[path]) for path in paths if path in self.data]

    def all(self) -> Files:
        """Every file, those that count first, in reading order."""
        counted = [path for reader in self.readers for path, _data in self._files(reader)]
        return [(path, self.data[path]) for path in dict.fromkeys(counted + list(self.data))]

    def replaced(self, paths: t.Iterable[str], data: t.Optional[bytes]) -> "BootFiles":
        """The same with other bytes behind some paths, which are names of one file; None: without them."""
        listing = {directory: list(names) for directory, names in self.listing.items()}
        changed = dict(self.data)
        for path in paths:
            directory, _slash, name = path.rpartition("/")
            names = listing.setdefault(directory, [])
            if data is None:
                changed.pop(path, None)
                names[:] = [entry for entry in names if entry != name]
            else:
                changed[path] = data
                names.extend([name] if name not in names else [])
        return self._replace(listing=listing, data=changed)


class SysctlFacts(t.NamedTuple):
    """Kernel parameters, and the files that the next boot may read.

    ``beside`` holds for some keys what else the kernel may change with them; ``reals`` the paths behind all links, by path.
    """

    live: t.Mapping[str, "hosts.Live"]
    beside: t.Mapping[str, t.Mapping[str, "hosts.Live"]]
    own: t.Optional["hosts.File"]
    boot: BootFiles
    reals: t.Mapping[str, str]
    machine: catalog.Machine
    child_netns: bool
    known: t.Sequence[str]


def _release(text: str) -> catalog.Version:
    numbers = re.findall(r"\d+", text)[:2]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)


def _machine(host: "hosts.Host") -> catalog.Machine:
    ehash = machine.integer(host.sysctl("net/ipv4/tcp_ehash_entries").text)
    return catalog.Machine(
        release=_release(host.kernel_release()),
        # A child network namespace that shares the table of its host shows the number negative.
        ehash=None if ehash is None else abs(ehash),
        memory=machine.kernel_memory(host),
    )


def _libraries(host: "hosts.Host", of_procps: bool) -> t.List[str]:
    """Names of files among which the shared libraries of systemd, and of procps if need be, are with their versions."""
    found: t.List[str] = []
    for directory in _LIBRARIES:
        names = host.listdir(directory)
        found.extend(names)
        for inner in [directory] + [directory + "/" + name for name in names if "-linux-" in name]:
            found.extend(host.listdir(inner + "/systemd"))
            if of_procps:
                found.extend(host.listdir(inner))
    return found


def _boot_facts(host: "hosts.Host", ufw: bool) -> boot_readers.BootFacts:
    programs = [path for path in _SYSCTL if host.exists(path)]
    runs = machine.booted(host)
    return boot_readers.BootFacts(
        systemd_runs=runs,
        init=host.read_text("/proc/1/comm") or "",
        systemd_sysctl=any(host.exists(path) for path in _SYSTEMD_SYSCTL),
        # The sysctl of busybox reads no directory at all.
        procps_sysctl=any(not host.real(path).endswith("busybox") for path in programs),
        libraries=_libraries(host, ufw or not runs),
    )


def _ufw_file(host: "hosts.Host") -> t.Optional[str]:
    """The file that ufw applies when it starts, after everything else: ``sysctl -e -q -p`` in its ufw-init-functions."""
    enabled = _UFW_ENABLED.search(host.read_text("/etc/ufw/ufw.conf") or "")
    named = _UFW_SYSCTL.findall(host.read_text("/etc/default/ufw") or "")
    return str(named[-1]) if enabled and named else None


def boot_files(host: "hosts.Host") -> BootFiles:
    """Everything that the next boot may read, and by which program."""
    # /lib is nowadays a link to /usr/lib.
    places = [
        entry
        for entry in boot_readers.DIRECTORIES
        if entry == host.real(entry) or host.real(entry) not in boot_readers.DIRECTORIES
    ]
    listing: t.Dict[str, t.Sequence[str]] = {directory: host.listdir(directory) for directory in places}
    paths = [directory + "/" + name for directory, names in listing.items() for name in names if name.endswith(".conf")]
    ufw = _ufw_file(host)
    facts = _boot_facts(host, ufw is not None)
    found = [
        (path, machine.read_tolerant(host, path, []))
        for path in paths + [boot_readers.SYSCTL_CONF] + ([ufw] if ufw else [])
    ]
    data = {path: content for path, content in found if content is not None}
    listing["/etc"] = ["sysctl.conf"] if boot_readers.SYSCTL_CONF in data else []
    later = None
    if ufw and ufw in data and facts.procps_sysctl:
        later = (ufw, boot_readers.procps_of(facts.libraries)[0])
    dangling = frozenset([path for path in paths if path not in data and not host.exists(path)])
    return BootFiles(listing, data, boot_readers.readers_of(facts), later, dangling)


def matches(host: "hosts.Host", pattern: str) -> t.List[str]:
    """The keys of the host that a pattern of keys matches, by the rules of glob(3)."""
    path = sysctl_names.to_path(pattern)
    if not _BRACKET.search(path):
        return [sysctl_names.from_path(entry) for entry in host.live_matches(path)]
    # Python's glob knows neither [^a] nor [[:digit:]] nor a backslash.
    return [sysctl_names.from_path(entry) for entry in host.live_paths() if sysctl_glob.matches_path(path, entry)]


def _beside(host: "hosts.Host", key: str, patterns: t.Iterable[str]) -> t.Mapping[str, "hosts.Live"]:
    """What the kernel may change together with a key: what matches the patterns."""
    found = {other for pattern in patterns for other in matches(host, pattern)}
    return {other: host.sysctl(sysctl_names.to_path(other)) for other in sorted(found - {key})}


def _is_strange(key: str) -> bool:
    """Whether it takes a look at all keys to say why one is not there: it may be misspelled, or its interface missing."""
    return sysctl_names.interface_of(key) is not None or not (catalog.find(key) or catalog.module_of(key))


def gather(host: "hosts.Host", keys: t.Iterable[str], path: t.Optional[str]) -> SysctlFacts:
    """What the host shows about some keys.

    :param path: the file that keeps entries, or None for no file.
    """
    live = {key: host.sysctl(sysctl_names.to_path(key)) for key in keys}
    rewritten = {key: catalog.side_effects_of(key) for key in live}
    beside = {key: _beside(host, key, patterns) for key, patterns in rewritten.items() if patterns}
    strange = [key for key in live if not live[key].exists and _is_strange(key)]
    files = boot_files(host)
    return SysctlFacts(
        live=live,
        beside=beside,
        own=host.read_managed(path) if path is not None else None,
        boot=files,
        reals={name: host.real(name) for name in files.data},
        machine=_machine(host),
        child_netns=host.sysctl("net/core/somaxconn").exists and not host.sysctl("net/core/dev_weight").exists,
        known=[sysctl_names.from_path(name) for name in host.live_paths()] if strange else [],
    )
