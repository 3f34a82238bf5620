# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host shows about systemd, its units and running processes. Private: not for use outside of ``tunefleet.linux``.

systemd is asked once for all units and once for its defaults; the files are read besides, for it tells no line of a drop-in, and
knows nothing of what is not loaded yet.
"""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _processes, _wish
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import (
    _process,
    _rlimits,
    _targets,
    _unit_conf,
    _unit_names,
    _units,
)

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import File, Host

_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_PROPERTIES = (
    "Id", "Names", "LoadState", "ActiveState", "MainPID", "User", "PAMName", "Slice", "TasksMax", "ControlGroup",
)  # fmt: skip
_ABSENT = ("not-found", "")


class Place(t.NamedTuple):
    """The files that say what one unit, or every unit of a manager, gets.

    ``head`` is the one that is read before drop-ins, if there is one; ``ordered`` are the directories of drop-ins, ``listing`` the
    names and ``data`` the bytes in them; ``missing`` the directories that our own file still lacks.
    """

    section: str
    prefix: str
    own: "File"
    missing: t.Sequence[str]
    head: _units.Files
    ordered: t.Sequence[str]
    listing: _units.Listing
    data: t.Mapping[str, bytes]
    ages: t.Mapping[str, float]

    def files(self, own: t.Optional[bytes]) -> _units.Files:
        """All files in reading order, with these bytes in ours; None for no such file."""
        directory, _slash, name = self.own.path.rpartition("/")
        names = [one for one in self.listing.get(directory, ()) if one != name] + ([] if own is None else [name])
        data = dict(self.data)
        data[self.own.path] = own or b""
        paths = _units.drop_ins(self.ordered, dict(self.listing, **{directory: names}))
        return list(self.head) + [(path, data[path]) for path in paths if path in data]


class Unit(t.NamedTuple):
    """A unit. ``name`` is its primary name; ``shown`` is what systemd says about it, nothing where it does not run.

    ``running`` are main processes by unit: its own, or for a template those of its instances.
    """

    name: str
    state: str
    shown: _processes.Shown
    place: Place
    running: t.Mapping[str, _processes.Process]
    near: t.Sequence[str] = ()


class Systemd(t.NamedTuple):
    """What the host shows about systemd and about the processes that a request names.

    ``defaults`` is what the running manager gives units that say nothing; ``services`` are the main processes by unit, asked for
    when a manager is named; ``user_managers`` the units of running ones. ``init`` are the limits of process 1.
    """

    installed: bool
    running: bool
    units: t.Mapping[str, Unit]
    managers: t.Mapping[str, Place]
    processes: t.Mapping[str, t.Sequence[_processes.Process]]
    names: t.Sequence[str]
    defaults: _processes.Shown
    services: t.Mapping[str, t.Tuple[_processes.Shown, _processes.Process]]
    user_managers: t.Mapping[str, _processes.Process]
    init: t.Mapping[str, _rlimits.Pair]
    may_raise: bool


def _limit_properties(items: t.Iterable[str], prefix: str = "Limit") -> t.List[str]:
    return [prefix + _rlimits.ITEMS[item].name + half for item in sorted(items) for half in ("", "Soft")]


def bytes_of(host: "Host", path: str, closed: t.List[str]) -> t.Optional[bytes]:
    """The bytes of a file of others; one that not even root can open, such as a ring of links, is added to a list."""
    try:
        return host.read_if_any(path)
    except _errors.HostProblem:
        if not host.is_root():
            raise
        closed.append(path)
        return None


def _place(
    host: "Host", section: str, prefix: str, directory: str, heads: t.Sequence[str], ordered: t.Sequence[str]
) -> Place:
    own = host.read_own("{0}/{1}".format(directory, _units.OWN_NAME))
    # /lib is nowadays a link to /usr/lib.
    places = [one for one in ordered if not one.startswith("/lib/") or host.real(one) == one]
    listing = {one: host.names(one) for one in places}
    head = [path for path in heads if host.exists(path)][:1]
    paths = head + _units.drop_ins(places, listing)
    closed: t.List[str] = []
    found = [(path, bytes_of(host, path, closed)) for path in paths]
    data = {path: content for path, content in found if content is not None}
    data.update((path, _unit_conf.UNREADABLE) for path in closed)
    ages = {path: host.age(path) or 0.0 for path in data}
    first = [(path, data.pop(path)) for path in head if path in data]
    return Place(section, prefix, own, host.missing_directories(own.real), first, places, listing, data, ages)


def _manager(host: "Host", kind: str) -> Place:
    directories = _units.manager_directories(kind)
    return _place(host, _units.MANAGER_SECTION, "DefaultLimit", directories[0], _units.manager_files(kind), directories)


def _unit(host: "Host", asked: str, shown: _processes.Shown) -> Unit:
    name = shown.get("Id") or _real_name(host, asked)
    names = [name] + [one for one in shown.get("Names", "").split() + [asked] if one != name]
    heads = _units.fragments(list(dict.fromkeys(names)))
    place = _place(
        host,
        _unit_names.SECTIONS[_unit_names.type_of(name)],
        "Limit",
        "{0}/{1}.d".format(_units.OWN_DIRECTORY, name),
        heads,
        _units.directories(list(dict.fromkeys(names))),
    )
    state = shown.get("LoadState", "")
    if not shown:
        masked = bool(place.head) and host.real(place.head[0][0]) == "/dev/null"
        state = "masked" if masked else "loaded" if place.head else "not-found"
    near = _of_type(host, _unit_names.type_of(name)) if state in _ABSENT else ()
    return Unit(name, state, shown, place, _running(host, name, shown), near)


def _running(host: "Host", name: str, shown: _processes.Shown) -> t.Dict[str, _processes.Process]:
    """The main processes of a unit, by the unit that each belongs to."""
    ones = [shown]
    if _unit_names.is_template(name) and _processes.booted(host):
        ones = _processes.show(host, ["Id", "MainPID"], [name.replace("@.", "@*.")])
    found = {one["Id"]: _processes.process(host, one["MainPID"]) for one in ones if one.get("MainPID", "0") != "0"}
    return {unit: main for unit, main in found.items() if main is not None}


def _real_name(host: "Host", name: str) -> str:
    """What a unit is called behind its links, where systemd cannot be asked."""
    for path in _units.fragments([name]):
        if host.exists(path):
            real = host.real(path).rpartition("/")[2]
            kinds = [(_unit_names.type_of(one), _unit_names.is_template(one)) for one in (real, name)]
            return real if kinds[0] == kinds[1] and "@" not in name else name
    return name


def _of_type(host: "Host", kind: str) -> t.List[str]:
    found = {name for place in _units.LOAD_PATH for name in host.names(place) if name.endswith("." + kind)}
    return sorted(found)


def _named(host: "Host", name: str) -> t.List[_processes.Process]:
    """The processes that a name or the path of a pid file stands for."""
    if name.startswith("/"):
        words = (host.text(name) or "").split()
        pids = words[:1] if words and words[0].isdigit() else []
    else:
        pids = [pid for pid in host.processes() if _is_called(host, pid, name)]
    found = [_processes.process(host, pid) for pid in pids]
    return [one for one in found if one is not None]


def _is_called(host: "Host", pid: str, name: str) -> bool:
    """The kernel keeps 15 bytes of a name (TASK_COMM_LEN), so a longer one is looked for in the command line as well."""
    short = name.encode("utf-8", "surrogateescape")[:15].decode("utf-8", "surrogateescape")
    if host.text("/proc/{0}/comm".format(pid)) != short:
        return False
    first = (host.text("/proc/{0}/cmdline".format(pid)) or "").partition("\0")[0]
    return short == name or first.rpartition("/")[2] == name


def of(host: "Host", wishes: t.Sequence[_wish.LimitWish]) -> Systemd:
    """What the host shows about the units, managers and processes that wishes name."""
    by_kind: t.Dict[str, t.Dict[str, None]] = {}
    for wish in wishes:
        by_kind.setdefault(wish.kind, {})[wish.domain] = None
    return systemd(host, {kind: list(names) for kind, names in by_kind.items()}, {wish.item for wish in wishes})


def systemd(host: "Host", named: t.Mapping[str, t.Sequence[str]], items: t.Collection[str]) -> Systemd:
    """What the host shows about what is named of each kind."""
    units, managers = named.get(_targets.UNIT, ()), named.get(_targets.MANAGER, ())
    installed = bool(units or managers) and any(host.exists(path) for path in _SYSTEMD)
    defaults: t.List[_processes.Shown] = []
    if installed and _processes.booted(host):
        defaults = _processes.show(host, _limit_properties(_rlimits.ITEMS, "DefaultLimit"))
    shown = _shown_units(host, units, items) if defaults else {}
    own = host.text("/proc/self/status" if host.is_root() else "/proc/1/status")
    return Systemd(
        installed=installed,
        running=bool(defaults),
        units={name: _unit(host, name, shown.get(name, {})) for name in units} if installed else {},
        managers={kind: _manager(host, kind) for kind in managers} if installed else {},
        processes={name: _named(host, name) for name in named.get(_targets.PROCESS, ())},
        names=_process_names(host) if named.get(_targets.PROCESS) else (),
        defaults=defaults[0] if defaults else {},
        services=_services(host, items) if defaults and _targets.SYSTEM in managers else {},
        user_managers=_running(host, "user@.service", {}) if defaults and _targets.USER in managers else {},
        init=_rlimits.running(host.text("/proc/1/limits") or ""),
        may_raise=_process.may_raise(own, host.text("/proc/self/uid_map")),
    )


def _shown_units(host: "Host", units: t.Sequence[str], items: t.Collection[str]) -> t.Dict[str, _processes.Shown]:
    loadable = [name for name in units if not _unit_names.is_template(name)]
    if not loadable:
        return {}
    return dict(zip(loadable, _processes.show(host, list(_PROPERTIES) + _limit_properties(items), loadable)))


def _services(host: "Host", items: t.Collection[str]) -> t.Dict[str, t.Tuple[_processes.Shown, _processes.Process]]:
    """The main process of every service that runs, with what systemd says of its unit."""
    found = {}
    for one in _processes.show(host, ["Id", "MainPID"] + _limit_properties(items), ["*.service"]):
        main = _processes.process(host, one["MainPID"]) if one.get("MainPID", "0") != "0" else None
        if main is not None:
            found[one["Id"]] = (one, main)
    return found


class Speaking(t.NamedTuple):
    """Names of units, and what could not be read to find them: not everybody may read each file and directory."""

    names: t.Sequence[str]
    unread: t.Sequence[str]


def speaking(host: "Host", items: t.Iterable[str]) -> Speaking:
    """The units in whose files there is a line about one of these items; neither aliases nor what is masked."""
    keys = [("Limit" + _rlimits.ITEMS[item].name).encode() for item in items]
    unread: t.List[str] = []

    def tells(path: str) -> bool:
        try:
            data = host.read_if_any(path) or b""
        except _errors.HostProblem:
            unread.append(path)
            return False
        return any(key in data for key in keys)

    def listed(path: str) -> t.List[str]:
        try:
            return list(host.names(path))
        except _errors.HostProblem:
            unread.append(path)
            return []

    heads: t.Dict[str, str] = {}
    holders = set()
    for place in [one for one in _units.LOAD_PATH if host.real(one) == one]:
        for name in listed(place):
            path = place + "/" + name
            if _unit_names.type_of(name) in _unit_names.SECTIONS:
                heads.setdefault(name, path)
            elif name.endswith(".d"):
                told = [tells(path + "/" + one) for one in listed(path) if one.endswith(".conf")]
                holders.update([name] if True in told else [])
    units = {name: path for name, path in heads.items() if host.real(path).rpartition("/")[2] == name}
    names = sorted(name for name, path in units.items() if tells(path) or holders.intersection(_drop_in_names(name)))
    # Of what is not read as a whole, it is not known what wins.
    closed = {part for one in unread for part in one.split("/")[-2:]}
    known = [one for one in names if heads[one] not in unread and not closed.intersection(_drop_in_names(one))]
    return Speaking(known, unread)


def _drop_in_names(name: str) -> t.List[str]:
    return _unit_names.directory_names(name) + [_unit_names.type_of(name) + ".d"]


def nofile_of_units(host: "Host") -> t.List[t.Tuple[str, str, int]]:
    """Name, line and hard limit of each unit whose files give it a number of open files, whether it runs or not."""
    found = []
    if any(host.exists(path) for path in _SYSTEMD):
        for name in speaking(host, ["nofile"]).names:
            place = _unit(host, name, {}).place
            winner = _units.deciding(place.files(place.own.data), place.section, "nofile", place.prefix)
            if winner is not None and winner.pair[1] < _rlimits.INFINITY:
                found.append((name, winner.where, winner.pair[1]))
    return found


def _process_names(host: "Host") -> t.List[str]:
    return sorted({host.text("/proc/{0}/comm".format(pid)) or "" for pid in host.processes()} - {""})
