# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What units, managers of systemd and processes have, and which layer set it last. Private to ``tunefleet.linux``."""

import typing as t

from ... import _errors, _messages
from ..._core import limit as limit_types
from ..._core import plan as plans
from ..._core import request as requests
from ..._core import result as results
from ..._core import status as statuses
from ..._core import text as texts
from .. import conversion, targets
from ..pam import facts as pam_facts
from ..pam import info as pam_info
from ..process import proc
from . import facts as systemd_facts
from . import messages, slices, unit_name
from . import plan as systemd_plan

if t.TYPE_CHECKING:
    from ..._host import host as hosts


_BY_ITSELF = "the process itself, or prlimit(2)"
_ITEMS = ("nofile", "nproc")
_MANAGERS = (limit_types.SYSTEM, limit_types.USER)


class _ConfiguredLimit(t.NamedTuple):
    """What a unit gives a process that starts now: the limit, by which line, and how messages name who says so."""

    pair: t.Optional[conversion.Pair]
    reached: t.Optional[conversion.Pair]
    where: t.Optional[str]
    who: str
    age: t.Optional[float]


def _halves(item: str, pair: t.Optional[conversion.Pair]) -> results.Result:
    limit = conversion.limit(item, pair)
    return {"soft": limit.soft, "hard": limit.hard}


def _entry(
    kind: str, name: str, item: str, status: str = statuses.OK, reason: t.Optional[str] = None
) -> results.Result:
    nothing = {"soft": None, "hard": None}
    return {
        "target": {kind: name},
        "item": item,
        "status": status,
        "reason": reason,
        "effective": dict(nothing),
        "rule": dict(nothing),
        "live": dict(nothing),
        "set_by": None,
        "notes": [],
    }


class _Reader:
    """Reads limits off what was seen."""

    def __init__(
        self, host: "hosts.Host", seen: systemd_facts.SystemdFacts, sessions: t.Optional[systemd_plan.Sessions] = None
    ) -> None:
        self._host = host
        self._seen = seen
        self._planner = systemd_plan.UnitPlanner(seen, requests.Policy(), None, sessions)

    def configured(self, kind: str, name: str, item: str) -> _ConfiguredLimit:
        """The limit that the files of a unit or manager configure."""
        desired = requests.LimitRequest(name, item, kind=kind)
        unit = self._seen.units.get(name) if kind == limit_types.UNIT else None
        place = unit.place if unit else self._seen.managers[name]
        finding = systemd_plan.UnitDraft(
            desired, plans.LimitDecision(name, item, statuses.OK, (None, None), kind=kind), place, unit
        )
        pair, winner = self._planner.configured(finding, place.own.data)
        reached = None if pair is None else conversion.cut(pair, self._planner.ceiling(item))
        who = winner.where if winner else "the default of systemd (DefaultLimit{0})".format(conversion.ITEMS[item].name)
        return _ConfiguredLimit(
            pair, reached, winner.where if winner else None, who, place.ages.get(winner.file) if winner else None
        )

    def unit(self, name: str, item: str) -> results.Result:
        unit = self._seen.units[name]
        if unit.state in ("not-found", "") and not unit_name.is_template(unit.name):
            near = texts.suggest(unit.name, unit.near)
            return _entry(
                limit_types.UNIT,
                name,
                item,
                statuses.UNKNOWN,
                messages.NO_SUCH_UNIT(unit=name, suggestion=near),
            )
        configured = self.configured(limit_types.UNIT, name, item)
        reason = messages.UNIT_MASKED() if unit.state == "masked" else None
        entry = _entry(limit_types.UNIT, name, item, statuses.NO_EFFECT if reason else statuses.OK, reason)
        entry.update(
            effective=_halves(item, configured.reached), rule={"soft": configured.where, "hard": configured.where}
        )
        mains = [main for main in unit.running.values() if item in main.limits]
        if mains:
            main = min(mains, key=lambda one: one.limits[item])
            loaded = conversion.shown(unit.shown, "Limit" + conversion.ITEMS[item].name)
            entry.update(
                live=_halves(item, main.limits[item]),
                set_by=_set_by(main, item, configured, loaded, _session_of(unit.shown)),
            )
        entry["notes"] = systemd_plan.hints(unit.shown, item, conversion.limit(item, configured.reached))
        return entry

    def manager(self, name: str, item: str) -> results.Result:
        configured = self.configured(limit_types.MANAGER, name, item)
        most = self._planner.most(name, item)
        reached = None if configured.reached is None else conversion.cut(configured.reached, most.value)
        entry = _entry(limit_types.MANAGER, name, item)
        entry.update(effective=_halves(item, reached), rule={"soft": configured.where, "hard": configured.where})
        if name == limit_types.SYSTEM:
            shown = conversion.shown(self._seen.defaults, "DefaultLimit" + conversion.ITEMS[item].name)
            entry.update(live=_halves(item, shown), set_by=configured.who if shown else None)
        else:
            entry["notes"] = [systemd_plan.cut_by_pam(item, most)] if most.where else []
        return entry

    def processes(self, name: str, item: str) -> t.List[results.Result]:
        found = [process for process in self._seen.processes[name] if item in process.limits]
        if not found:
            near = texts.suggest(name, self._seen.names)
            return [_entry(limit_types.PROCESS, name, item, statuses.UNKNOWN, messages.NO_SUCH_PROCESS() + near)]
        return [self._process(name, item, entry) for entry in found]

    def _process(self, name: str, item: str, process: proc.Process) -> results.Result:
        entry = _entry(limit_types.PROCESS, name, item)
        entry["target"]["pid"] = process.pid
        entry.update(live=_halves(item, process.limits[item]), effective=_halves(item, process.limits[item]))
        unit = proc.unit_of(self._host, process.pid)
        if unit.endswith(".service") and not unit.startswith("user@"):
            seen = systemd_facts.read_systemd(self._host, {limit_types.UNIT: [unit]}, [item])
            if seen.running and seen.units[unit].state == "loaded":
                configured = _Reader(self._host, seen).configured(limit_types.UNIT, unit, item)
                shown = seen.units[unit].shown
                loaded = conversion.shown(shown, "Limit" + conversion.ITEMS[item].name)
                entry["set_by"] = _set_by(process, item, configured, loaded, _session_of(shown))
                entry["notes"] = ["it belongs to the unit {0}".format(unit)]
                return entry
        if unit:
            entry["notes"] = ["it belongs to {0}".format(unit)]
        session = (
            "the session that it was started in (limits.conf(5)), or " if unit.endswith(".scope") else "its parent, or "
        )
        entry["set_by"] = session + _BY_ITSELF
        return entry


def _session_of(shown: t.Mapping[str, str]) -> str:
    """The service of PAM through which a unit opens a session, which takes User= as well as PAMName=."""
    return shown.get("PAMName", "") if shown.get("User") else ""


def _set_by(
    main: proc.Process, item: str, configured: _ConfiguredLimit, loaded: t.Optional[conversion.Pair], pam: str
) -> str:
    """Which layer set the limit of a unit's process last."""
    if main.limits[item] in (configured.reached, configured.pair):
        return configured.who
    if pam:
        return "limits.conf(5), through PAMName={0} of the unit".format(pam)
    if loaded not in (None, configured.pair) or (configured.age is not None and main.age > configured.age):
        return "the unit's files as they were when it was started; it gets {0} by a restart".format(
            "another limit" if configured.reached is None else conversion.render(configured.reached)
        )
    return _BY_ITSELF if configured.where else "the default as it was when it was started, or " + _BY_ITSELF


def limits(
    host: "hosts.Host", units: t.Sequence[str], managers: t.Sequence[str], processes: t.Sequence[str]
) -> t.List[results.Result]:
    """What each of them has for nofile and nproc, and who says so.

    :raises TuneError: when a name cannot be meant, or a file cannot be read.
    """
    named: t.Dict[str, t.List[str]] = {
        limit_types.UNIT: [],
        limit_types.MANAGER: list(managers),
        limit_types.PROCESS: [],
    }
    problems = []
    for kind, names in ((limit_types.UNIT, units), (limit_types.PROCESS, processes)):
        for name in names:
            try:
                named[kind].append(targets.parse_target({kind: name})[1])
            except _errors.ValueProblem as problem:
                problems.append(_messages.about("{0} {1}".format(kind.capitalize(), name), problem.message))
    if problems:
        raise _errors.EntryProblems(problems)
    seen = systemd_facts.read_systemd(host, named, _ITEMS)
    logins = pam_facts.gather(host, None) if limit_types.USER in managers and seen.installed else None
    sessions = pam_info.of_user_managers(logins, logins.files, _ITEMS) if logins else None
    reader = _Reader(host, seen, sessions)
    found: t.List[results.Result] = []
    for item in _ITEMS:
        if seen.installed:
            found += [reader.unit(name, item) for name in named[limit_types.UNIT]]
            found += [reader.manager(name, item) for name in named[limit_types.MANAGER]]
        else:
            places = [(kind, name) for kind in (limit_types.UNIT, limit_types.MANAGER) for name in named[kind]]
            found += [_entry(kind, name, item, statuses.NO_EFFECT, messages.NO_SYSTEMD()) for kind, name in places]
        for name in named[limit_types.PROCESS]:
            found += reader.processes(name, item)
    return found


def _configured_units(host: "hosts.Host") -> results.Result:
    """What systemd gives its services, and the units and managers that a file gives limits of their own."""
    spoken = systemd_facts.units_with_limits(host, _ITEMS)
    found = limits(host, spoken.names, _MANAGERS, ())
    return {
        "limits": [
            entry
            for entry in found
            if entry["rule"]["hard"] or (limit_types.SYSTEM in entry["target"].values() and entry["set_by"])
        ],
        "notes": [messages.UNIT_FILE_UNREADABLE(path=path) for path in spoken.unread],
    }


def everything(host: "hosts.Host", asked: t.Mapping[str, t.Optional[t.Sequence[str]]]) -> results.Result:
    """The limits of sessions, units, managers and processes; without any of them, those that a file of the host sets.

    :param asked: names by option of the module.
    :raises TuneError: when there is no such user, a name cannot be meant, or a file cannot be read.
    """
    users = asked["users"]
    named = [list(asked[name] or []) for name in ("units", "managers", "processes")]
    result: results.Result = {"limits": [], "notes": []}
    if users or not any(named):
        result = pam_info.limits(host, users)
    if not users and not any(named):
        units = _configured_units(host)
        result = {name: list(result[name]) + units[name] for name in ("limits", "notes")}
    for limit in result["limits"]:
        entry = host.user(limit["target"]["user"]) if "user" in limit["target"] and limit["item"] == "nproc" else None
        if entry is not None:
            note = slices.note(host, entry[0], entry[1], limit["effective"]["soft"])
            result["notes"] += [note] if note else []
    if any(named):
        result["limits"] += limits(host, *named)
    return result
