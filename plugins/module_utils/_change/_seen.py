# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host shows, gathered once before anything is decided. Private: not for use outside of ``tunefleet.linux``.

The host object is handed in; from here on everything that decides is pure.
"""

import re
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _amount,
    _cost,
    _processes,
    _rules,
    _seen_limits,
    _seen_units,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import (
    _boot,
    _catalog,
    _glob,
    _kernel,
    _names,
    _paths,
    _reader,
)

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import File, Host, Live

# Where the programs and shared libraries are that tell which reader a host has at boot; /lib may be a link to /usr/lib.
_SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
_SYSCTL = ("/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl", "/bin/sysctl")
_LIBRARIES = ("/usr/lib64", "/usr/lib", "/lib64", "/lib")
# A path that goes back to the directory above, in either spelling of sysctl.d(5).
_PARENT = re.compile(rb"\.\./|/\.\.|\.//\.")
_BRACKET = re.compile(r"[\[\\]")
_UFW_ENABLED = re.compile(r"^\s*ENABLED=[\"']?(yes|YES)[\"']?\s*$", re.MULTILINE)
_UFW_SYSCTL = re.compile(r"^\s*IPT_SYSCTL=[\"']?([^\s\"'#]+)", re.MULTILINE)

_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

Files = t.Sequence[t.Tuple[str, bytes]]


class BootFiles(t.NamedTuple):
    """Everything that a boot may read.

    ``listing`` holds the names in each directory, ``data`` the bytes by path. There is more than one of ``readers`` where it
    cannot be told which one the host has; the first is the likeliest. ``later`` is a file that ufw lets procps apply on its own.
    ``directories`` are those below /proc/sys, where a path in a file may go back from one; ``dangling`` are links to nowhere.
    """

    listing: t.Mapping[str, t.Sequence[str]]
    data: t.Mapping[str, bytes]
    readers: t.Sequence[_reader.Reader]
    later: t.Optional[t.Tuple[str, _reader.Reader]] = None
    directories: _paths.Directories = _paths.USUAL
    dangling: t.FrozenSet[str] = frozenset()

    def tables(
        self, existing: t.Optional[t.Iterable[str]] = None, facts: _kernel.Facts = _kernel.NOTHING_KNOWN
    ) -> t.List[_boot.BootTable]:
        """What each reader makes of the files.

        :param existing: the keys that there are, as paths, for patterns.
        """
        later = None
        if self.later is not None:
            later = ([(self.later[0], self.data.get(self.later[0], b""))], self.later[1])
        facts = facts._replace(directories=self.directories)
        return [_boot.BootTable(self._files(reader), reader, existing, facts, later) for reader in self.readers]

    def _files(self, reader: _reader.Reader) -> Files:
        paths = _reader.reading_order(self.listing, reader, self.dangling)
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
                names[:] = [one for one in names if one != name]
            else:
                changed[path] = data
                names.extend([name] if name not in names else [])
        return self._replace(listing=listing, data=changed)


class SysctlSeen(t.NamedTuple):
    """Kernel parameters, and the files that the next boot may read.

    ``beside`` holds for some keys what else the kernel may change with them; ``reals`` the paths behind all links, by path.
    """

    live: t.Mapping[str, "Live"]
    beside: t.Mapping[str, t.Mapping[str, "Live"]]
    own: t.Optional["File"]
    boot: BootFiles
    reals: t.Mapping[str, str]
    machine: _catalog.Machine
    child_netns: bool
    known: t.Sequence[str]


class Seen(t.NamedTuple):
    """Everything that a plan is made from. ``sessions`` is what binds the managers of users, where a wish names those."""

    sysctl: t.Optional[SysctlSeen]
    limits: t.Optional[_seen_limits.LimitsSeen]
    machine: t.Optional[_cost.Machine] = None
    systemd: t.Optional[_seen_units.Systemd] = None
    nr_open: t.Optional[int] = None
    sessions: t.Optional[_seen_limits.LimitsSeen] = None


def _release(text: str) -> _catalog.Version:
    numbers = re.findall(r"\d+", text)[:2]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)


def _integer(text: t.Optional[str]) -> t.Optional[int]:
    return int(text) if text is not None and re.match(r"^-?\d+$", text) else None


def _memory(host: "Host") -> t.Optional[int]:
    """The memory that the kernel has, in KiB."""
    found = re.match(r"MemTotal:\s*(\d+) kB", host.text("/proc/meminfo") or "")
    return int(found.group(1)) if found else None


def _machine(host: "Host") -> _catalog.Machine:
    ehash = _integer(host.live("net/ipv4/tcp_ehash_entries").text)
    return _catalog.Machine(
        release=_release(host.kernel_release()),
        # A child network namespace that shares the table of its host shows the number negative.
        ehash=None if ehash is None else abs(ehash),
        memory=_memory(host),
    )


def resources(host: "Host") -> _amount.Resources:
    """What numbers that depend on the host are worked out with.

    Memory is what the kernel has, or the limit of the container where that is less: sockets are charged to it. The limit stands
    at the root of the control groups that the container sees, version 2 or 1 (cgroups(7)); the root of a whole machine has none.
    Processors are those that are online. A quota of processor time does not count, for it changes no queue.
    """
    memory = _memory(host)
    limits = [_integer(host.text(path)) for path in _MEMORY_LIMITS]
    known = [limit // 1024 for limit in limits if limit is not None]
    return _amount.Resources(min([memory] + known) if memory is not None else None, _processors(host))


def _processors(host: "Host") -> t.Optional[int]:
    """The number of processors that are online: ``0-3,6`` are five."""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", host.text("/sys/devices/system/cpu/online") or "")
    if ranges:
        return sum(int(last or first) - int(first) + 1 for first, last in ranges)
    return len(re.findall(r"^cpu\d", host.text("/proc/stat") or "", re.MULTILINE)) or None


def _libraries(host: "Host", of_procps: bool) -> t.List[str]:
    """Names of files among which the shared libraries of systemd, and of procps if need be, are with their versions."""
    found: t.List[str] = []
    for directory in _LIBRARIES:
        names = host.names(directory)
        found.extend(names)
        for inner in [directory] + [directory + "/" + name for name in names if "-linux-" in name]:
            found.extend(host.names(inner + "/systemd"))
            if of_procps:
                found.extend(host.names(inner))
    return found


def _boot_facts(host: "Host", ufw: bool) -> _reader.BootFacts:
    programs = [path for path in _SYSCTL if host.exists(path)]
    runs = _processes.booted(host)
    return _reader.BootFacts(
        systemd_runs=runs,
        init=host.text("/proc/1/comm") or "",
        systemd_sysctl=any(host.exists(path) for path in _SYSTEMD_SYSCTL),
        # The sysctl of busybox reads no directory at all.
        procps_sysctl=any(not host.real(path).endswith("busybox") for path in programs),
        libraries=_libraries(host, ufw or not runs),
    )


def _ufw_file(host: "Host") -> t.Optional[str]:
    """The file that ufw applies when it starts, after everything else: ``sysctl -e -q -p`` in its ufw-init-functions."""
    enabled = _UFW_ENABLED.search(host.text("/etc/ufw/ufw.conf") or "")
    named = _UFW_SYSCTL.findall(host.text("/etc/default/ufw") or "")
    return str(named[-1]) if enabled and named else None


def boot_files(host: "Host") -> BootFiles:
    """Everything that the next boot may read, and by which program."""
    # /lib is nowadays a link to /usr/lib.
    places = [one for one in _reader.DIRECTORIES if one == host.real(one) or host.real(one) not in _reader.DIRECTORIES]
    listing: t.Dict[str, t.Sequence[str]] = {directory: host.names(directory) for directory in places}
    paths = [directory + "/" + name for directory, names in listing.items() for name in names if name.endswith(".conf")]
    ufw = _ufw_file(host)
    facts = _boot_facts(host, ufw is not None)
    found = [
        (path, _seen_units.bytes_of(host, path, [])) for path in paths + [_reader.SYSCTL_CONF] + ([ufw] if ufw else [])
    ]
    data = {path: content for path, content in found if content is not None}
    listing["/etc"] = ["sysctl.conf"] if _reader.SYSCTL_CONF in data else []
    later = None
    if ufw and ufw in data and facts.procps_sysctl:
        later = (ufw, _reader.procps_of(facts.libraries)[0])
    dangling = frozenset([path for path in paths if path not in data and not host.exists(path)])
    leaves = any(_PARENT.search(content) for content in data.values())
    directories = _paths.above(host.live_paths()) if leaves else _paths.USUAL
    return BootFiles(listing, data, _reader.readers_of(facts), later, directories, dangling)


def matches(host: "Host", pattern: str) -> t.List[str]:
    """The keys of the host that a pattern of keys matches, by the rules of glob(3)."""
    path = _names.to_path(pattern)
    if not _BRACKET.search(path):
        return [_names.from_path(one) for one in host.live_matches(path)]
    # Python's glob knows neither [^a] nor [[:digit:]] nor a backslash.
    return [_names.from_path(one) for one in host.live_paths() if _glob.matches_path(path, one)]


def _beside(host: "Host", key: str, patterns: t.Iterable[str]) -> t.Mapping[str, "Live"]:
    """What the kernel may change together with a key: what matches the patterns."""
    found = {other for pattern in patterns for other in matches(host, pattern)}
    return {other: host.live(_names.to_path(other)) for other in sorted(found - {key})}


def _is_strange(key: str) -> bool:
    """Whether it takes a look at all keys to say why one is not there: it may be misspelled, or its interface missing."""
    return _names.interface_of(key) is not None or not (_catalog.find(key) or _catalog.module_of(key))


def sysctl(host: "Host", keys: t.Iterable[str], path: t.Optional[str]) -> SysctlSeen:
    """What the host shows about some keys.

    :param path: the file in which entries are to be kept, or None when there shall be none.
    """
    live = {key: host.live(_names.to_path(key)) for key in keys}
    rewritten = {key: _catalog.rewritten_with(key) for key in live}
    beside = {key: _beside(host, key, patterns) for key, patterns in rewritten.items() if patterns}
    strange = [key for key in live if not live[key].exists and _is_strange(key)]
    files = boot_files(host)
    return SysctlSeen(
        live=live,
        beside=beside,
        own=host.read_own(path) if path is not None else None,
        boot=files,
        reals={name: host.real(name) for name in files.data},
        machine=_machine(host),
        child_netns=host.live("net/core/somaxconn").exists and not host.live("net/core/dev_weight").exists,
        known=[_names.from_path(name) for name in host.live_paths()] if strange else [],
    )


def _cost_machine(host: "Host") -> _cost.Machine:
    memory = resources(host).memory
    return _cost.Machine(None if memory is None else memory * 1024, host.page_size())


def of(host: "Host", request: _wish.Request) -> Seen:
    """What the host shows about everything that a request names, and about the keys that it is judged by."""
    policy = request.policy
    keys = [wish.key for wish in request.wishes]
    path = policy.sysctl_file if policy.persist and keys else None
    nofile = any(wish.item == "nofile" for wish in request.limits)
    more = sorted(_rules.companions(keys, nofile))
    if policy.connections is not None:
        more += [key for key in _cost.KEYS if key not in keys + more]
    others = [wish for wish in request.limits if wish.kind != _targets.DOMAIN]
    limits = _limits_of(host, request)
    user_managers = any((wish.kind, wish.domain) == (_targets.MANAGER, _targets.USER) for wish in others)
    return Seen(
        sysctl(host, keys + more, path) if keys + more else None,
        limits,
        machine=_cost_machine(host) if policy.connections is not None else None,
        systemd=_seen_units.of(host, others) if others else None,
        nr_open=_integer(host.live("fs/nr_open").text) if request.limits else None,
        sessions=(limits or _seen_limits.limits(host, None)) if user_managers else None,
    )


def _limits_of(host: "Host", request: _wish.Request) -> t.Optional[_seen_limits.LimitsSeen]:
    """For limits, and for fs.nr_open, above which no nofile may be; a lower bound of it takes nothing from any unit."""
    wishes = [wish for wish in request.limits if wish.kind == _targets.DOMAIN]
    nr_open = [wish.operator for wish in request.wishes if wish.key == _rules.NR_OPEN]
    if not wishes and not nr_open:
        return None
    path = request.policy.limits_file if wishes else None
    may_fall = any(operator != _wish.AT_LEAST for operator in nr_open)
    return _seen_limits.limits(host, path, wishes, services=bool(nr_open), units=may_fall)
