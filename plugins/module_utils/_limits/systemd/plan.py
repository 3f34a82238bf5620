# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about limits of units and of systemd's managers: desired_limits and what the host shows -> decisions and steps.

Pure; private to ``tunefleet.linux``. Numbers are in the kernel's units here, and in those of limits.conf(5) outside.
"""

import typing as t

from ... import _messages
from ..._core import bound as bounds
from ..._core import limit as limit_types
from ..._core import plan as plans
from ..._core import request as requests
from ..._core import status as statuses
from ..._core import steps as step_types
from ..._core import text as texts
from .. import conversion, items
from ..process import proc
from . import facts as systemd_facts
from . import messages, unit_file, unit_name
from . import precedence as systemd_precedence

# The default of systemd from version 240 on (src/basic/rlimit-util.h, src/core/main.c); other items are those of
# process 1.
_BUILT_IN_NOFILE = (1024, 524288)
_MISSING = ("not-found", "")
_NO_SYSTEMD = messages.NO_SYSTEMD_TO_READ_IT()


class UnitDraft(t.NamedTuple):
    """What becomes of one request, before the files of all requests are known.

    ``pair`` is the desired content of our line, None for no line; ``edit`` is true if the file must change for it.
    """

    desired: requests.LimitRequest
    decision: plans.LimitDecision
    place: t.Optional[systemd_facts.UnitFiles] = None
    unit: t.Optional[systemd_facts.Unit] = None
    pair: t.Optional[conversion.Pair] = None
    edit: bool = False


def value_of(bound: bounds.Bound, item: str) -> int:
    """The number that a bound names, in the kernel's units."""
    return conversion.pair(item, limit_types.Limit(bound.value, bound.value))[0]


def half_satisfies(bound: t.Optional[bounds.Bound], item: str, have: int) -> bool:
    """Whether a soft or hard limit is as wished."""
    if bound is None or bound.operator == bounds.ABSENT:
        return True
    value = value_of(bound, item)
    if bound.operator == bounds.VALUE:
        return have == value
    return have >= value if bound.operator == bounds.AT_LEAST else have <= value


def satisfies(desired: requests.LimitRequest, have: t.Optional[conversion.Pair]) -> bool:
    """Whether a pair of limits is as wished."""
    return (
        have is not None
        and half_satisfies(desired.soft, desired.item, have[0])
        and half_satisfies(desired.hard, desired.item, have[1])
    )


def wanted_pair(
    desired: requests.LimitRequest, have: t.Optional[conversion.Pair], reached: t.Optional[conversion.Pair]
) -> conversion.Pair:
    """The pair to configure so that a request holds; a half that it does not name, or that is satisfied, stays.

    :param have: what is configured now. :param reached: what a process gets of that.
    """
    soft = None if desired.soft is None else value_of(desired.soft, desired.item)
    hard = None if desired.hard is None else value_of(desired.hard, desired.item)
    if have is not None and reached is not None:
        soft = have[0] if half_satisfies(desired.soft, desired.item, reached[0]) else soft
        hard = have[1] if half_satisfies(desired.hard, desired.item, reached[1]) else hard
    if hard is None:
        # A user manager cuts this to what PAM gives it.
        hard = conversion.INFINITY
    if soft is None:
        soft = _BUILT_IN_NOFILE[0] if desired.item == "nofile" else hard
    return (min(soft, hard) if desired.soft is None else soft), hard


class Ceiling(t.NamedTuple):
    """The highest limit that there is for units below a manager, in the kernel's units, and which layer sets that."""

    value: int
    where: str = ""


# The hard limit by item that PAM gives the managers of users, in units of limits.conf(5), and which layer set it.
Sessions = t.Mapping[str, t.Tuple[limit_types.Number, str]]


class UnitPlanner:
    """Decides desired by desired; holds what all of them are measured against."""

    def __init__(
        self,
        seen: systemd_facts.SystemdFacts,
        policy: requests.Policy,
        nr_open: t.Optional[int],
        sessions: t.Optional[Sessions] = None,
    ) -> None:
        self._seen = seen
        self._policy = policy
        self._nr_open = nr_open
        self._sessions: Sessions = sessions or {}
        self._coming: t.Dict[str, conversion.Pair] = {}

    def expect(self, finding: UnitDraft, after: t.Optional[bytes]) -> None:
        """From now on take the default that a manager of the system will have with these bytes in our file."""
        configured = self.configured(finding, after)[0]
        if (finding.desired.kind, finding.desired.target) == (
            limit_types.MANAGER,
            limit_types.SYSTEM,
        ) and configured is not None:
            self._coming[finding.desired.item] = configured

    def ceiling(self, item: str) -> int:
        """The highest limit that a process of this manager can get without a cut."""
        init = self._seen.init.get(item)
        return conversion.INFINITY if self._seen.may_raise or init is None else init[1]

    def most(self, manager: str, item: str) -> Ceiling:
        """The same for the units of a manager: that of a user has no more than the session that it is started in."""
        if manager != limit_types.USER or item not in self._sessions:
            return Ceiling(self.ceiling(item))
        hard, where = self._sessions[item]
        return Ceiling(min(self.ceiling(item), conversion.pair(item, limit_types.Limit(hard, hard))[1]), where)

    def default(self, kind: str, item: str) -> t.Optional[conversion.Pair]:
        """What holds where no line says anything."""
        if kind == limit_types.MANAGER:
            return _BUILT_IN_NOFILE if item == "nofile" else self._seen.init.get(item)
        return self._coming.get(item) or self.loaded_default(item) or self.default(limit_types.MANAGER, item)

    def loaded_default(self, item: str) -> t.Optional[conversion.Pair]:
        """What the running manager gives units that say nothing."""
        return conversion.shown(self._seen.defaults, "DefaultLimit" + conversion.ITEMS[item].name)

    def configured(
        self, finding: UnitDraft, own: t.Optional[bytes]
    ) -> t.Tuple[t.Optional[conversion.Pair], t.Optional[systemd_precedence.EffectiveLine]]:
        """What the files say with these bytes in ours, and by which line."""
        desired, place = finding.desired, t.cast(systemd_facts.UnitFiles, finding.place)
        winner = systemd_precedence.effective_line(place.files(own), place.section, desired.item, place.prefix)
        if winner is not None:
            return winner.pair, winner
        is_user = desired.kind == limit_types.MANAGER and desired.target == limit_types.USER
        return (None if is_user else self.default(desired.kind, desired.item)), None

    def decide(self, desired: requests.LimitRequest) -> UnitDraft:
        """The decision about one desired, before it is known which lines win."""
        texts = tuple(None if bound is None else str(bound) for bound in (desired.soft, desired.hard))
        decision = plans.LimitDecision(
            desired.target, desired.item, statuses.OK, t.cast(t.Any, texts), note=desired.note, kind=desired.kind
        )
        unavailable = self._unavailable(desired)
        if unavailable:
            return UnitDraft(desired, decision._replace(status=unavailable[0], reason=unavailable[1]))
        unit = self._seen.units.get(desired.target) if desired.kind == limit_types.UNIT else None
        place = unit.place if unit else self._seen.managers[desired.target]
        finding = UnitDraft(desired, decision, place, unit)
        own = unit_file.ConfFile(place.own.data or b"").values(place.section, key_of(finding))
        if desired.soft is not None and desired.soft.operator == bounds.ABSENT:
            return _finish(finding, None, bool(own))
        have = self.configured(finding, place.own.data)[0]
        pair = wanted_pair(desired, have, None if have is None else conversion.cut(have, self.ceiling(desired.item)))
        objection = self._objection(desired, pair)
        if objection:
            return finding._replace(decision=decision._replace(status=objection[0], reason=objection[1]))
        pinned = bounds.VALUE in [bound.operator for bound in (desired.soft, desired.hard) if bound is not None]
        now = conversion.read(desired.item, own[-1]) if own else None
        finding = _finish(finding, pair, pair != now and (pinned or pair != have))
        broken = _shadowing_line(finding) if finding.edit else None
        if broken:
            reason = messages.UNIT_FILE_CUT_OFF(path=broken)
            return finding._replace(decision=decision._replace(status=statuses.REFUSED, reason=reason), edit=False)
        kept = not finding.edit and not own
        return finding._replace(decision=finding.decision._replace(status=statuses.KEPT)) if kept else finding

    def _unavailable(self, desired: requests.LimitRequest) -> t.Optional[t.Tuple[str, str]]:
        if not self._seen.installed:
            return statuses.NO_EFFECT, _NO_SYSTEMD
        unit = self._seen.units.get(desired.target) if desired.kind == limit_types.UNIT else None
        if unit is None:
            return None
        template = unit_name.is_template(unit.name) and bool(unit.place.head)
        if unit.state in _MISSING and not template:
            return statuses.UNKNOWN, messages.NO_SUCH_UNIT(
                unit=desired.target, suggestion=texts.suggest(unit.name, unit.near)
            )
        if unit.state == "masked":
            return statuses.NO_EFFECT, messages.UNMASK_FIRST()
        return None

    def _objection(self, desired: requests.LimitRequest, pair: conversion.Pair) -> t.Optional[t.Tuple[str, str]]:
        """Status and reason when a pair must not or cannot be written."""
        limit = conversion.limit(desired.item, pair)
        if pair[0] > pair[1]:
            return statuses.REFUSED, messages.SOFT_ABOVE_UNIT(soft=limit.soft, hard=limit.hard)
        if self._policy.guard != requests.REFUSE:
            return None
        asked = [value_of(bound, desired.item) for bound in (desired.soft, desired.hard) if bound is not None]
        new = [value for value in pair if value in asked]
        found = nofile_error(desired.item, new, self._nr_open) if desired.item == "nofile" else ""
        if found:
            return statuses.REFUSED, found
        if new and max(new) > self.ceiling(desired.item):
            highest = conversion.limit(desired.item, (self.ceiling(desired.item),) * 2).hard
            reason = messages.MANAGER_CEILING(hard=highest)
            return statuses.NOT_NAMESPACED, reason
        return None

    def in_force(self, finding: UnitDraft, after: t.Optional[bytes]) -> UnitDraft:
        """The finding with what a process that starts then will have, and the line that overrides ours."""
        decision, desired, place = finding.decision, finding.desired, finding.place
        if place is None:
            return finding
        configured, winner = self.configured(finding, after)
        before = self.configured(finding, place.own.data)[0]
        most = self.most(desired.target if desired.kind == limit_types.MANAGER else "", desired.item)
        reached = None if configured is None else conversion.cut(configured, most.value)
        decision = decision._replace(effective=conversion.limit(desired.item, reached))
        if configured is not None and reached != configured and most.where:
            decision = decision._replace(notes=[cut_by_pam(desired.item, most)])
        if desired.kind == limit_types.MANAGER:
            shown = (
                conversion.shown(self._seen.defaults, key_of(finding)) if desired.target == limit_types.SYSTEM else None
            )
            decision = decision._replace(
                before=conversion.limit(desired.item, shown or before), after=conversion.limit(desired.item, configured)
            )
        if decision.status in (statuses.OK, statuses.CHANGED) and not satisfies(desired, reached):
            other = winner.where if winner and winner.file != place.own.path else ""
            other = other or (most.where if most.where.startswith("/") else "")
            if other:
                decision = decision._replace(shadowed_by=other, reason=messages.LINE_OVERRIDDEN(line=other))
        return finding._replace(decision=decision)


def cut_by_pam(item: str, most: Ceiling) -> str:
    """The note that the manager of a user cannot exceed the limit of its session."""
    hard = conversion.limit(item, (most.value, most.value)).hard
    return messages.USER_MANAGER_CEILING(hard=hard, rule=most.where)


def nofile_error(item: str, values: t.Sequence[int], nr_open: t.Optional[int]) -> str:
    """Why no process can have such a number of open files, or nothing."""
    if conversion.INFINITY in values:
        return messages.UNLIMITED_NOFILE_UNIT()
    if nr_open is not None and values and max(values) > nr_open:
        return messages.NOFILE_ABOVE_NR_OPEN_UNIT(value=max(values), nr_open=nr_open)
    return ""


def _shadowing_line(finding: UnitDraft) -> t.Optional[str]:
    """The file because of which systemd never reads our line."""
    place, text = (
        t.cast(systemd_facts.UnitFiles, finding.place),
        conversion.render(t.cast(conversion.Pair, finding.pair)),
    )
    ours = unit_file.ConfFile(place.own.data or b"").with_changes(place.section, {key_of(finding): text})
    if text not in unit_file.ConfFile(ours).values(place.section, key_of(finding)):
        return place.own.path
    for path, data in place.files(ours) if place.section == systemd_precedence.MANAGER_SECTION else ():
        if path == place.own.path:
            break
        if not unit_file.is_read_to_its_end(data):
            return path
    return None


def key_of(finding: UnitDraft) -> str:
    """The key of our line."""
    return t.cast(systemd_facts.UnitFiles, finding.place).prefix + conversion.ITEMS[finding.desired.item].name


def _finish(finding: UnitDraft, pair: t.Optional[conversion.Pair], edit: bool) -> UnitDraft:
    status = statuses.CHANGED if edit else statuses.OK
    return finding._replace(decision=finding.decision._replace(status=status), pair=pair, edit=edit)


def _written(findings: t.Sequence[UnitDraft]) -> t.Dict[str, t.Optional[bytes]]:
    """The bytes of each of our files once everything is written; None for no file."""
    places = {violation.place.own.path: violation.place for violation in findings if violation.place is not None}
    found: t.Dict[str, t.Optional[bytes]] = {}
    for path, place in places.items():
        changes = {
            key_of(violation): None if violation.pair is None else conversion.render(violation.pair)
            for violation in findings
            if violation.edit and violation.place is place
        }
        data = place.own.data
        found[path] = (
            (unit_file.ConfFile(data or b"").with_changes(place.section, changes) or None) if changes else data
        )
    return found


def _file_steps(findings: t.Sequence[UnitDraft], written: t.Mapping[str, t.Optional[bytes]]) -> t.List[step_types.Step]:
    steps: t.List[step_types.Step] = []
    for place in {
        violation.place.own.path: violation.place for violation in findings if violation.place is not None
    }.values():
        own, after = place.own, written[place.own.path]
        if after != own.data:
            # A directory that holds nothing but our file came with it.
            directories = tuple(place.missing) if after is not None else (own.real.rpartition("/")[0],)
            steps.append(step_types.WriteFile(own.path, own.real, own.data, after, directories))
    return steps


def _is_stale(
    main: proc.Process, finding: UnitDraft, winner: t.Optional[systemd_precedence.EffectiveLine], loaded: bool
) -> bool:
    """Whether a process started before what decides now was there; else it has set its limits itself since."""
    place = t.cast(systemd_facts.UnitFiles, finding.place)
    age = place.ages.get(winner.file) if winner else None
    return finding.edit or not loaded or age is None or main.age > age


class _PendingRestart(t.NamedTuple):
    """What is left to be done about one finding once the files are written."""

    finding: UnitDraft
    restart: t.Sequence[str] = ()
    needs: t.Sequence[str] = ()


def _after_unit(planner: UnitPlanner, finding: UnitDraft, after: t.Optional[bytes], running: bool) -> _PendingRestart:
    """Whether the unit has to be restarted, and what its process has before and after that."""
    desired, decision, unit = finding.desired, finding.decision, t.cast(systemd_facts.Unit, finding.unit)
    configured, winner = planner.configured(finding, after)
    if not running:
        return _PendingRestart(finding, needs=["reboot"] if finding.edit else [])
    shown = conversion.shown(unit.shown, key_of(finding))
    loaded = configured if winner else planner.loaded_default(desired.item)
    reached = None if configured is None else conversion.cut(configured, planner.ceiling(desired.item))
    old = [
        name
        for name, main in unit.running.items()
        if main.limits.get(desired.item) not in (None, reached)
        and not (satisfies(desired, main.limits[desired.item]) and finding.pair is not None)
        and _is_stale(main, finding, winner, shown in (None, loaded))
    ]
    have = min(
        (main.limits[desired.item] for main in unit.running.values() if desired.item in main.limits), default=None
    )
    decision = decision._replace(
        before=conversion.limit(desired.item, have), after=conversion.limit(desired.item, have)
    )
    if shown not in (None, loaded) and decision.status in (statuses.OK, statuses.KEPT):
        decision = decision._replace(
            status=statuses.CHANGED, reason=decision.reason or "systemd had not read its files again"
        )
    if not old:
        return _PendingRestart(finding._replace(decision=decision))
    if desired.restart:
        decision = decision._replace(status=statuses.CHANGED, after=decision.effective)
        return _PendingRestart(finding._replace(decision=decision), restart=old)
    text = messages.KEEPS_UNTIL_RESTART(value=conversion.render(t.cast(conversion.Pair, have)))
    return _PendingRestart(
        finding._replace(decision=decision._replace(reason=decision.reason or text)),
        needs=["restart:" + name for name in old],
    )


def _after_manager(
    planner: UnitPlanner, finding: UnitDraft, after: t.Optional[bytes], seen: systemd_facts.SystemdFacts
) -> _PendingRestart:
    """What still runs with the limits that the manager gave before."""
    desired, decision = finding.desired, finding.decision
    configured, winner = planner.configured(finding, after)
    if not seen.running:
        return _PendingRestart(finding, needs=["reboot"] if finding.edit else [])
    if desired.target == limit_types.USER:
        old = [name for name, main in seen.user_managers.items() if winner and _is_stale(main, finding, winner, True)]
        return _PendingRestart(finding, needs=["restart:" + name for name in sorted(old)])
    default = conversion.shown(seen.defaults, key_of(finding))
    if default not in (None, configured) and decision.status in (statuses.OK, statuses.KEPT):
        decision = decision._replace(
            status=statuses.CHANGED, reason=decision.reason or "systemd had not read its files again"
        )
    name = "Limit" + conversion.ITEMS[desired.item].name
    old = sorted(
        unit
        for unit, (shown, main) in seen.services.items()
        # A unit with a limit of its own does not take the manager's.
        if winner
        and conversion.shown(shown, name) in (default, configured)
        and not satisfies(desired, main.limits.get(desired.item))
        and _is_stale(main, finding, winner, default == configured)
    )
    if not old:
        return _PendingRestart(finding._replace(decision=decision))
    text = messages.SERVICES_KEEP_THEIR_LIMIT(services=", ".join(old[:3]), count=len(old))
    return _PendingRestart(
        finding._replace(decision=decision._replace(reason=decision.reason or text)), needs=["reboot"]
    )


def _warnings(findings: t.Sequence[UnitDraft]) -> t.List[str]:
    """What makes a limit of a unit less than it looks."""
    found: t.List[str] = []
    for violation in findings:
        if violation.unit is None or violation.decision.status not in (statuses.OK, statuses.CHANGED, statuses.KEPT):
            continue
        for text in hints(violation.unit.shown, violation.desired.item, violation.decision.effective):
            found.append(_messages.about("Limit " + violation.desired.name, text))
    return found


def hints(shown: t.Mapping[str, str], item: str, limit: limit_types.Limit) -> t.List[str]:
    """What else limits a unit's processes, one note each.

    :param shown: what systemd says of the unit. :param limit: what its limit is.
    """
    found: t.List[str] = []
    # Without User= systemd opens no session.
    if shown.get("PAMName") and shown.get("User"):
        found.append(messages.UNIT_OPENS_PAM_SESSION(service=shown["PAMName"]))
    if item != "nproc":
        return found
    user = shown.get("User", "")
    if user in ("", "root", "0"):
        found.append(messages.UNIT_RUNS_AS_ROOT())
    tasks = shown.get("TasksMax", "")
    soft = limit.soft
    if tasks.isdigit() and soft is not None and items.rank(soft) > int(tasks):
        found.append(messages.TASKS_MAX_IS_LOWER(tasks=tasks, nproc=soft))
    return found


def verdict(decisions: t.Sequence[plans.LimitDecision], policy: requests.Policy) -> t.Tuple[t.List[str], t.List[str]]:
    """Problems and warnings that the policy makes of the decisions."""
    problems: t.List[str] = []
    warnings: t.List[str] = []
    for entry in decisions:
        text = _messages.about("Limit " + entry.name, entry.reason)
        if entry.status == statuses.REFUSED:
            problems.append(text)
        elif entry.status in statuses.UNAVAILABLE and policy.on_unavailable != requests.SKIP:
            fails = policy.on_unavailable == requests.FAIL or entry.status == statuses.UNKNOWN
            (problems if fails else warnings).append(text)
        elif entry.shadowed_by:
            (problems if policy.on_shadowed == requests.FAIL else warnings).append(text)
    return problems, warnings


def _reload(
    outcomes: t.Sequence[_PendingRestart], planner: UnitPlanner, written: t.Mapping[str, t.Optional[bytes]]
) -> t.List[step_types.Step]:
    """The step that makes systemd read its files, with what it must say after it; none where nothing has changed for it."""
    expected: t.List[t.Optional[t.Tuple[str, str, conversion.Pair]]] = []
    for outcome in outcomes:
        finding = outcome.finding
        is_user = finding.desired.kind == limit_types.MANAGER and finding.desired.target == limit_types.USER
        if finding.place is None or finding.decision.status != statuses.CHANGED or is_user:
            continue
        if finding.unit is not None and not finding.unit.shown:
            expected.append(None)
            continue
        configured, winner = planner.configured(finding, written[finding.place.own.path])
        unit = finding.unit.name if finding.unit else ""
        # A default of the manager may change with the same reload, by files that nobody asked about.
        known = configured is not None and (winner is not None or not unit)
        expected.append((unit, key_of(finding), configured) if known and configured is not None else None)
    return [step_types.DaemonReload(tuple(entry for entry in expected if entry is not None))] if expected else []


def plan(
    desired_limits: t.Sequence[requests.LimitRequest],
    seen: systemd_facts.SystemdFacts,
    policy: requests.Policy,
    nr_open: t.Optional[int],
    sessions: t.Optional[Sessions] = None,
) -> plans.Plan:
    """Decisions and steps for limits of units and managers. Nothing is written by this; problems forbid that anything is.

    :param nr_open: what fs.nr_open will be once the rest of the request is carried out. :param sessions: the same of what PAM gives
        the managers of users.
    """
    planner = UnitPlanner(seen, policy, nr_open, sessions)
    findings = [planner.decide(desired) for desired in desired_limits]
    written = _written(findings)
    for violation in findings:
        if violation.place is not None:
            planner.expect(violation, written[violation.place.own.path])
    findings = [
        planner.in_force(violation, written[violation.place.own.path] if violation.place else None)
        for violation in findings
    ]
    outcomes = []
    for violation in findings:
        if violation.place is None or violation.decision.status not in (statuses.OK, statuses.KEPT, statuses.CHANGED):
            outcomes.append(_PendingRestart(violation))
        elif violation.unit is not None:
            outcomes.append(_after_unit(planner, violation, written[violation.place.own.path], seen.running))
        else:
            outcomes.append(_after_manager(planner, violation, written[violation.place.own.path], seen))
    steps = _file_steps(findings, written)
    if seen.running:
        steps += _reload(outcomes, planner, written)
        restarts = dict.fromkeys(unit for outcome in outcomes for unit in outcome.restart)
        steps += [step_types.RestartUnit(unit) for unit in restarts]
    findings = [outcome.finding for outcome in outcomes]
    restarted = {"restart:" + step.unit for step in steps if isinstance(step, step_types.RestartUnit)}
    needs = dict.fromkeys(need for outcome in outcomes for need in outcome.needs if need not in restarted)
    problems, warnings = verdict([violation.decision for violation in findings], policy)
    return plans.Plan(
        limits=[violation.decision for violation in findings],
        steps=steps,
        problems=problems,
        warnings=warnings + _warnings(findings),
        needs=list(needs),
    )
