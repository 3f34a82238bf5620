# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host shows about limits of sessions, gathered once before anything is decided. Private to ``tunefleet.linux``.

The host object is handed in; from here on everything that decides is pure.
"""

import re
import typing as t

from ..._core import request as requests
from ..._host import machine
from ..process import rlimits
from ..systemd import facts as systemd_facts
from . import precedence as pam_precedence
from . import stack as pam_stack
from . import variant as pam_variant

if t.TYPE_CHECKING:
    from ..._host import host as hosts


# They start the sessions that pam_limits works on.
_SESSION_DAEMONS = frozenset(["sshd", "cron", "crond", "atd"])
_LINGER = "/var/lib/systemd/linger"

Files = t.Sequence[t.Tuple[str, bytes]]


class Daemon(t.NamedTuple):
    """A process that starts sessions: what it has itself, and whether it may give more."""

    name: str
    pid: str
    limits: rlimits.Limits
    may_raise: bool


class PamFacts(t.NamedTuple):
    """limits.conf files, and what sessions have before any rule.

    ``nr_open`` and ``file_max`` are fs.nr_open and fs.file-max as they are now. ``dangling`` are links in limits.d that lead
    nowhere, ``closed`` files there that not even root can open, ``missing`` says that there is no limits.conf. ``users`` are those
    that domains name, ``shells`` their shells, ``lingering`` those whose user manager stays. ``busy`` are the users with threads,
    and how many. ``conf`` holds the files that a stack names with ``conf=``. ``service`` is the service of process 1 with the
    highest hard nofile, as name and number, where that was asked for.
    """

    own: t.Optional["hosts.File"]
    files: Files
    base: rlimits.Limits
    ceiling: rlimits.Limits
    may_raise: bool
    nr_open: t.Optional[int]
    file_max: t.Optional[int] = None
    variant: pam_variant.PamVariant = pam_variant.UNKNOWN
    daemons: t.Sequence[Daemon] = ()
    stacks: t.Sequence[pam_stack.Stack] = ()
    use_pam: t.Tuple[t.Optional[bool], str] = (None, "")
    dangling: t.Sequence[str] = ()
    closed: t.Sequence[str] = ()
    missing: bool = False
    users: t.Mapping[str, pam_precedence.User] = {}
    shells: t.Mapping[str, str] = {}
    lingering: t.Sequence[str] = ()
    busy: t.Sequence[t.Tuple[pam_precedence.User, int]] = ()
    conf: t.Mapping[str, bytes] = {}
    service: t.Optional[t.Tuple[str, int]] = None
    units: t.Sequence[t.Tuple[str, str, int]] = ()


class _Everything:
    """Holds every name."""

    def __contains__(self, name: object) -> bool:
        return True


def variant(host: "hosts.Host") -> pam_variant.PamVariant:
    """The variant of the pam_limits that is installed."""
    places = list(pam_variant.DIRECTORIES)
    for base in pam_variant.LIBRARIES:
        places += [base + "/" + name + "/security" for name in host.listdir(base) if "-linux-" in name]
    for place in places:
        data = host.read_or_none(place + "/" + pam_variant.MODULE)
        if data:
            return pam_variant.of_module(data)
    return pam_variant.UNKNOWN


def _limit_files(host: "hosts.Host", spoken: pam_variant.PamVariant) -> t.Tuple[Files, t.List[str], t.List[str], bool]:
    """Path and bytes of each file that pam_limits reads, in its order.

    :returns: and links that lead nowhere, files that cannot be opened, and whether limits.conf is missing.
    """
    vendor = spoken.vendor
    listing = {pam_precedence.DIRECTORY: host.listdir(pam_precedence.DIRECTORY)}
    if vendor:
        listing[vendor + "/limits.d"] = host.listdir(vendor + "/limits.d")
    closed: t.List[str] = []
    main = machine.read_tolerant(host, pam_precedence.MAIN_FILE, closed)
    first = pam_precedence.MAIN_FILE
    if main is None and vendor and not closed:
        first = vendor + "/limits.conf"
        main = machine.read_tolerant(host, first, closed)
    files = [(first, main)] + [
        (path, machine.read_tolerant(host, path, closed)) for path in pam_precedence.merged(listing)
    ]
    dangling = [path for path, data in files[1:] if data is None and path not in closed and host.real(path) != path]
    return (
        [(path, data) for path, data in files if data is not None],
        dangling,
        closed,
        main is None and first not in closed,
    )


def daemons(host: "hosts.Host") -> t.List[Daemon]:
    """The processes that start sessions."""
    uid_map = host.read_text("/proc/self/uid_map")
    return [
        Daemon(
            host.read_text("/proc/{0}/comm".format(pid)) or "",
            pid,
            rlimits.parse(host.read_text("/proc/{0}/limits".format(pid)) or ""),
            rlimits.may_raise(host.read_text("/proc/{0}/status".format(pid)), uid_map),
        )
        for pid in host.children_of_init(_SESSION_DAEMONS)
    ]


def _read_all(host: "hosts.Host", paths: t.Iterable[str]) -> t.Dict[str, bytes]:
    """The bytes of those files that can be read at all; PAM and sshd cannot read the others either."""
    found = [(path, machine.read_tolerant(host, path, [])) for path in paths]
    return {path: data for path, data in found if data is not None}


def stacks(host: "hosts.Host", own: bool) -> t.List[pam_stack.Stack]:
    """What each service that opens sessions does with pam_limits.

    :param own: what is included is looked for in /etc/pam.d alone.
    """
    tried = [directory + "/" + name for directory in pam_stack.DIRECTORIES for name in host.listdir(directory)]
    files = found = _read_all(host, tried)
    # Nearly all that is included lies beside the others, so that there is nothing more to be read.
    while found:
        more = [path for path in pam_stack.included(found, own) if path not in tried]
        tried += more
        found = _read_all(host, more)
        files.update(found)
    return [
        stack
        for stack in [pam_stack.of_service(name, files, own) for name in pam_stack.services(files)]
        if stack is not None
    ]


def use_pam(host: "hosts.Host") -> t.Tuple[t.Optional[bool], str]:
    """Whether sshd asks PAM, and the line that says so."""
    files = found = _read_all(host, pam_stack.SSHD_CONFIGS)
    while found:
        patterns = [pattern for data in found.values() for pattern in pam_stack.sshd_includes(data)]
        places = [(directory, last) for directory, _slash, last in (entry.rpartition("/") for entry in patterns)]
        paths = [place + "/" + name for place, last in places for name in pam_stack.matching(last, host.listdir(place))]
        found = _read_all(host, [path for path in paths if path not in files])
        files.update(found)
    return pam_stack.use_pam(files)


def user(host: "hosts.Host", name: str) -> t.Optional[pam_precedence.User]:
    """A user with all groups, None when there is no such user."""
    entry = host.user(name)
    return None if entry is None else pam_precedence.User(*entry)


def _busy(host: "hosts.Host") -> t.List[t.Tuple[pam_precedence.User, int]]:
    found = [(host.user_of(uid), count) for uid, count in sorted(host.threads().items()) if uid]
    named = [(user(host, name), count) for name, count in found if name is not None]
    return [(entry, count) for entry, count in named if entry is not None]


def _highest_service(host: "hosts.Host") -> t.Optional[t.Tuple[str, int]]:
    """The child of systemd with the highest hard nofile, which it sets anew each time that it starts it."""
    found = []
    if machine.booted(host):
        for pid in host.children_of_init(_Everything()):
            hard = rlimits.parse(host.read_text("/proc/{0}/limits".format(pid)) or "").get("nofile")
            if hard is not None and isinstance(hard.hard, int):
                found.append((hard.hard, host.read_text("/proc/{0}/comm".format(pid)) or pid))
    return (max(found)[1], max(found)[0]) if found else None


def _number(text: t.Optional[str]) -> t.Optional[int]:
    return int(text) if text is not None and text.isdigit() else None


def gather(
    host: "hosts.Host",
    path: t.Optional[str],
    desired_limits: t.Sequence[requests.LimitRequest] = (),
    services: bool = False,
    units: bool = False,
) -> PamFacts:
    """What the host shows about limits of sessions.

    :param path: the file in which rules are to be kept, or None when none are. :param services: whether to look at processes of
        services as well, for what fs.nr_open means to them. :param units: whether to look at files of units for the same.
    """
    spoken = variant(host)
    files, dangling, closed, missing = _limit_files(host, spoken)
    first = rlimits.parse(host.read_text("/proc/1/limits") or "")
    seen_daemons, seen_stacks = daemons(host), stacks(host, spoken.includes_from_etc_only)
    named = {desired.target for desired in desired_limits if re.match(r"^[^@%*:]+$", desired.target)}
    found = {name: user(host, name) for name in sorted(named)}
    users = {name: entry for name, entry in found.items() if entry is not None}
    return PamFacts(
        own=host.read_managed(path) if path is not None else None,
        files=files,
        base=rlimits.lowest([first] + [daemon.limits for daemon in seen_daemons]),
        ceiling=first,
        may_raise=rlimits.may_raise(host.read_text("/proc/1/status"), host.read_text("/proc/self/uid_map")),
        nr_open=_number(host.sysctl("fs/nr_open").text),
        file_max=_number(host.sysctl("fs/file-max").text),
        variant=spoken,
        daemons=seen_daemons,
        stacks=seen_stacks,
        use_pam=use_pam(host),
        dangling=dangling,
        closed=closed,
        missing=missing,
        users=users,
        shells={name: host.shell(name) for name in users},
        lingering=[name for name in users if host.exists(_LINGER + "/" + name)],
        busy=_busy(host) if any(desired.item == "nproc" for desired in desired_limits) else (),
        conf=_confs(host, seen_stacks),
        service=_highest_service(host) if services else None,
        units=systemd_facts.nofile_of_units(host) if units else (),
    )


def _confs(host: "hosts.Host", found: t.Iterable[pam_stack.Stack]) -> t.Dict[str, bytes]:
    paths = {stack.conf for stack in found if stack.conf is not None}
    return _read_all(host, sorted(paths))
