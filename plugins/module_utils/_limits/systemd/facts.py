# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host shows about systemd, its units and running processes. Private: not for use outside of ``tunefleet.linux``.

systemd is asked once for all units and once for its defaults; the files are read besides, for it tells no line of a drop-in, and
knows nothing of what is not loaded yet.
"""

import typing as t

from ... import _errors
from ..._core import limit as limit_types
from ..._core import request as requests
from ..._host import machine
from .. import conversion
from ..process import facts as process_facts
from ..process import proc, rlimits
from . import client, unit_file, unit_name
from . import precedence as systemd_precedence

if t.TYPE_CHECKING:
    from ..._host import host as hosts


_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_PROPERTIES = (
    "Id", "Names", "LoadState", "ActiveState", "MainPID", "User", "PAMName", "Slice", "TasksMax", "ControlGroup",
)  # fmt: skip
_ABSENT = ("not-found", "")


class UnitFiles(t.NamedTuple):
    """The files that say what one unit, or every unit of a manager, gets.

    ``head`` is the one that is read before drop-ins, if there is one; ``ordered`` are the directories of drop-ins, ``listing`` the
    names and ``data`` the bytes in them; ``missing`` the directories that our own file still lacks.
    """

    section: str
    prefix: str
    own: "hosts.File"
    missing: t.Sequence[str]
    head: systemd_precedence.Files
    ordered: t.Sequence[str]
    listing: systemd_precedence.Listing
    data: t.Mapping[str, bytes]
    ages: t.Mapping[str, float]

    def files(self, own: t.Optional[bytes]) -> systemd_precedence.Files:
        """All files in reading order, with these bytes in ours; None for no such file."""
        directory, _slash, name = self.own.path.rpartition("/")
        names = [entry for entry in self.listing.get(directory, ()) if entry != name] + ([] if own is None else [name])
        data = dict(self.data)
        data[self.own.path] = own or b""
        paths = systemd_precedence.drop_ins(self.ordered, dict(self.listing, **{directory: names}))
        return list(self.head) + [(path, data[path]) for path in paths if path in data]


class Unit(t.NamedTuple):
    """A unit. ``name`` is its primary name; ``shown`` is what systemd says about it, nothing where it does not run.

    ``running`` are main processes by unit: its own, or for a template those of its instances.
    """

    name: str
    state: str
    shown: client.Shown
    place: UnitFiles
    running: t.Mapping[str, proc.Process]
    near: t.Sequence[str] = ()


class SystemdFacts(t.NamedTuple):
    """What the host shows about systemd and about the processes that a request names.

    ``defaults`` is what the running manager gives units that say nothing; ``services`` are the main processes by unit, asked for
    when a manager is named; ``user_managers`` the units of running ones. ``init`` are the limits of process 1.
    """

    installed: bool
    running: bool
    units: t.Mapping[str, Unit]
    managers: t.Mapping[str, UnitFiles]
    processes: t.Mapping[str, t.Sequence[proc.Process]]
    names: t.Sequence[str]
    defaults: client.Shown
    services: t.Mapping[str, t.Tuple[client.Shown, proc.Process]]
    user_managers: t.Mapping[str, proc.Process]
    init: t.Mapping[str, conversion.Pair]
    may_raise: bool


def _limit_properties(items: t.Iterable[str], prefix: str = "Limit") -> t.List[str]:
    return [prefix + conversion.ITEMS[item].name + half for item in sorted(items) for half in ("", "Soft")]


def _place(
    host: "hosts.Host", section: str, prefix: str, directory: str, heads: t.Sequence[str], ordered: t.Sequence[str]
) -> UnitFiles:
    own = host.read_managed("{0}/{1}".format(directory, systemd_precedence.OWN_NAME))
    # /lib is nowadays a link to /usr/lib.
    places = [entry for entry in ordered if not entry.startswith("/lib/") or host.real(entry) == entry]
    listing = {entry: host.listdir(entry) for entry in places}
    head = [path for path in heads if host.exists(path)][:1]
    paths = head + systemd_precedence.drop_ins(places, listing)
    closed: t.List[str] = []
    found = [(path, machine.read_tolerant(host, path, closed)) for path in paths]
    data = {path: content for path, content in found if content is not None}
    data.update((path, unit_file.UNREADABLE) for path in closed)
    ages = {path: host.age(path) or 0.0 for path in data}
    first = [(path, data.pop(path)) for path in head if path in data]
    return UnitFiles(section, prefix, own, host.missing_directories(own.real), first, places, listing, data, ages)


def _manager(host: "hosts.Host", kind: str) -> UnitFiles:
    directories = systemd_precedence.manager_directories(kind)
    return _place(
        host,
        systemd_precedence.MANAGER_SECTION,
        "DefaultLimit",
        directories[0],
        systemd_precedence.manager_files(kind),
        directories,
    )


def _unit(host: "hosts.Host", asked: str, shown: client.Shown) -> Unit:
    name = shown.get("Id") or _real_name(host, asked)
    names = [name] + [entry for entry in shown.get("Names", "").split() + [asked] if entry != name]
    heads = systemd_precedence.fragments(list(dict.fromkeys(names)))
    place = _place(
        host,
        unit_name.SECTIONS[unit_name.type_of(name)],
        "Limit",
        "{0}/{1}.d".format(systemd_precedence.OWN_DIRECTORY, name),
        heads,
        systemd_precedence.directories(list(dict.fromkeys(names))),
    )
    state = shown.get("LoadState", "")
    if not shown:
        masked = bool(place.head) and host.real(place.head[0][0]) == "/dev/null"
        state = "masked" if masked else "loaded" if place.head else "not-found"
    near = _of_type(host, unit_name.type_of(name)) if state in _ABSENT else ()
    return Unit(name, state, shown, place, _running(host, name, shown), near)


def _running(host: "hosts.Host", name: str, shown: client.Shown) -> t.Dict[str, proc.Process]:
    """The main processes of a unit, by the unit that each belongs to."""
    ones = [shown]
    if unit_name.is_template(name) and machine.booted(host):
        ones = client.show(host, ["Id", "MainPID"], [name.replace("@.", "@*.")])
    found = {entry["Id"]: proc.read(host, entry["MainPID"]) for entry in ones if entry.get("MainPID", "0") != "0"}
    return {unit: main for unit, main in found.items() if main is not None}


def _real_name(host: "hosts.Host", name: str) -> str:
    """What a unit is called behind its links, where systemd cannot be asked."""
    for path in systemd_precedence.fragments([name]):
        if host.exists(path):
            real = host.real(path).rpartition("/")[2]
            kinds = [(unit_name.type_of(entry), unit_name.is_template(entry)) for entry in (real, name)]
            return real if kinds[0] == kinds[1] and "@" not in name else name
    return name


def _of_type(host: "hosts.Host", kind: str) -> t.List[str]:
    found = {
        name for place in systemd_precedence.LOAD_PATH for name in host.listdir(place) if name.endswith("." + kind)
    }
    return sorted(found)


def gather(host: "hosts.Host", desired_limits: t.Sequence[requests.LimitRequest]) -> SystemdFacts:
    """What the host shows about the units, managers and processes that desired_limits name."""
    by_kind: t.Dict[str, t.Dict[str, None]] = {}
    for desired in desired_limits:
        by_kind.setdefault(desired.kind, {})[desired.target] = None
    return read_systemd(
        host, {kind: list(names) for kind, names in by_kind.items()}, {desired.item for desired in desired_limits}
    )


def read_systemd(host: "hosts.Host", named: t.Mapping[str, t.Sequence[str]], items: t.Collection[str]) -> SystemdFacts:
    """What the host shows about what is named of each kind."""
    units, managers = named.get(limit_types.UNIT, ()), named.get(limit_types.MANAGER, ())
    installed = bool(units or managers) and any(host.exists(path) for path in _SYSTEMD)
    defaults: t.List[client.Shown] = []
    if installed and machine.booted(host):
        defaults = client.show(host, _limit_properties(conversion.ITEMS, "DefaultLimit"))
    shown = _shown_units(host, units, items) if defaults else {}
    own = host.read_text("/proc/self/status" if host.is_root() else "/proc/1/status")
    return SystemdFacts(
        installed=installed,
        running=bool(defaults),
        units={name: _unit(host, name, shown.get(name, {})) for name in units} if installed else {},
        managers={kind: _manager(host, kind) for kind in managers} if installed else {},
        processes={name: process_facts.find_processes(host, name) for name in named.get(limit_types.PROCESS, ())},
        names=_process_names(host) if named.get(limit_types.PROCESS) else (),
        defaults=defaults[0] if defaults else {},
        services=_services(host, items) if defaults and limit_types.SYSTEM in managers else {},
        user_managers=_running(host, "user@.service", {}) if defaults and limit_types.USER in managers else {},
        init=conversion.running(host.read_text("/proc/1/limits") or ""),
        may_raise=rlimits.may_raise(own, host.read_text("/proc/self/uid_map")),
    )


def _shown_units(host: "hosts.Host", units: t.Sequence[str], items: t.Collection[str]) -> t.Dict[str, client.Shown]:
    loadable = [name for name in units if not unit_name.is_template(name)]
    if not loadable:
        return {}
    return dict(zip(loadable, client.show(host, list(_PROPERTIES) + _limit_properties(items), loadable)))


def _services(host: "hosts.Host", items: t.Collection[str]) -> t.Dict[str, t.Tuple[client.Shown, proc.Process]]:
    """The main process of every service that runs, with what systemd says of its unit."""
    found = {}
    for entry in client.show(host, ["Id", "MainPID"] + _limit_properties(items), ["*.service"]):
        main = proc.read(host, entry["MainPID"]) if entry.get("MainPID", "0") != "0" else None
        if main is not None:
            found[entry["Id"]] = (entry, main)
    return found


class UnitScan(t.NamedTuple):
    """Names of units, and what could not be read to find them: not everybody may read each file and directory."""

    names: t.Sequence[str]
    unread: t.Sequence[str]


def units_with_limits(host: "hosts.Host", items: t.Iterable[str]) -> UnitScan:
    """The units in whose files there is a line about one of these items; neither aliases nor what is masked."""
    keys = [("Limit" + conversion.ITEMS[item].name).encode() for item in items]
    unread: t.List[str] = []

    def tells(path: str) -> bool:
        try:
            data = host.read_or_none(path) or b""
        except _errors.HostProblem:
            unread.append(path)
            return False
        return any(key in data for key in keys)

    def listed(path: str) -> t.List[str]:
        try:
            return list(host.listdir(path))
        except _errors.HostProblem:
            unread.append(path)
            return []

    heads: t.Dict[str, str] = {}
    holders = set()
    for place in [entry for entry in systemd_precedence.LOAD_PATH if host.real(entry) == entry]:
        for name in listed(place):
            path = place + "/" + name
            if unit_name.type_of(name) in unit_name.SECTIONS:
                heads.setdefault(name, path)
            elif name.endswith(".d"):
                reads_dropin = [tells(path + "/" + entry) for entry in listed(path) if entry.endswith(".conf")]
                holders.update([name] if True in reads_dropin else [])
    units = {name: path for name, path in heads.items() if host.real(path).rpartition("/")[2] == name}
    names = sorted(name for name, path in units.items() if tells(path) or holders.intersection(_drop_in_names(name)))
    # Of what is not read as a whole, it is not known what wins.
    closed = {part for entry in unread for part in entry.split("/")[-2:]}
    known = [entry for entry in names if heads[entry] not in unread and not closed.intersection(_drop_in_names(entry))]
    return UnitScan(known, unread)


def _drop_in_names(name: str) -> t.List[str]:
    return unit_name.directory_names(name) + [unit_name.type_of(name) + ".d"]


def nofile_of_units(host: "hosts.Host") -> t.List[t.Tuple[str, str, int]]:
    """Name, line and hard limit of each unit whose files give it a number of open files, whether it runs or not."""
    found = []
    if any(host.exists(path) for path in _SYSTEMD):
        for name in units_with_limits(host, ["nofile"]).names:
            place = _unit(host, name, {}).place
            winner = systemd_precedence.effective_line(
                place.files(place.own.data), place.section, "nofile", place.prefix
            )
            if winner is not None and winner.pair[1] < conversion.INFINITY:
                found.append((name, winner.where, winner.pair[1]))
    return found


def _process_names(host: "hosts.Host") -> t.List[str]:
    return sorted({host.read_text("/proc/{0}/comm".format(pid)) or "" for pid in host.processes()} - {""})
