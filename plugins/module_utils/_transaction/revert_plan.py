# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking profiles back: what the ledger and the host say -> decisions and goals. Private to ``tunefleet.linux``.

The host is read through an overlay that shows its original state; everything that is decided here is pure.
"""

import typing as t

from .. import _errors
from .._core import limit as limit_types
from .._core import plan as plans
from .._core import shape as shapes
from .._core import status as statuses
from .._core import steps as step_types
from .._limits import conversion
from .._sysctl import catalog
from .._sysctl import names as sysctl_names
from .._sysctl import plan as sysctl_plan
from .._sysctl import values as sysctl_values
from . import apply, ledger_store, merge3, messages, overlay
from . import ledger as ledgers

if t.TYPE_CHECKING:
    from .._host import host as hosts


# Plans a profile of the ledger on a host. True asks for its limits without anything that is wanted of them.
Planner = t.Callable[["hosts.Host", ledgers.ProfileRecord, bool], plans.Plan]
WANTED = "as before"


class Revert(t.NamedTuple):
    """The plan of a revert. ``foreign`` holds the reason for each key that is kept; ``after`` is the ledger then.

    ``moved`` are keys of which the kernel decides what they have then: they change along with others.
    """

    plan: plans.Plan
    after: ledgers.Ledger
    foreign: t.Mapping[str, str] = {}
    moved: t.Sequence[str] = ()

    def begun(self, what: str, boot: str) -> ledgers.Ledger:
        """The ledger while this is carried out: a run that is killed meanwhile is to be brought to its end."""
        live = tuple(ledgers.PendingSysctl(step.key, step.after, step.before or "") for step in live_steps(self.plan))
        files = tuple(
            ledgers.PendingFile(step.path, step.real, step.after, step.before, step.directories)
            for step in file_steps(self.plan)
        )
        processes = tuple(
            ledgers.PendingLimit(step.pid, step.started, step.name, step.number, step.after, step.before)
            for step in ledgers.process_steps(self.plan.steps)
        )
        return self.after._replace(unfinished=ledgers.Unfinished(what, boot, live, files, processes))


def live_steps(plan: plans.Plan) -> t.List[step_types.SetSysctl]:
    return [step for step in plan.steps if isinstance(step, step_types.SetSysctl)]


def file_steps(plan: plans.Plan) -> t.List[step_types.WriteFile]:
    return [step for step in plan.steps if isinstance(step, step_types.WriteFile)]


def shape_of(key: str, text: str) -> shapes.Shape:
    return sysctl_plan.shape_of(key, text, text)


def plan(host: "hosts.Host", ledger: ledgers.Ledger, name: str, planner: Planner) -> Revert:
    """Plan a revert of profiles.

    :param name: names of profiles, separated by commas; empty for all profiles.
    :raises TuneError: if they cannot be reverted alone.
    """
    gone = ledgers.select(ledger, name)
    if not gone:
        return Revert(plans.Plan(warnings=_nothing(ledger, name)), ledger)
    stay = tuple(profile for profile in ledger.profiles if profile not in gone)
    found = _files(host, ledger)
    running = [
        process.step for process in ledger.processes.values() if ledger_store.limit_now(host, process) is not None
    ]
    view = overlay.HostOverlay(
        host, {key: entry.original for key, entry in ledger.live.items()}, found.original, running
    )
    wanted, moved, stay = _replan_remaining(view, stay, planner)
    goals, foreign = _goals(host, ledger, wanted, moved)
    steps: t.List[step_types.Step] = [
        step_types.SetSysctl(key, host.sysctl_text(sysctl_names.to_path(key)), text, shape_of(key, text))
        for key, text in goals.items()
    ]
    files = _file_steps(host, ledger, gone, found, view)
    processes, held = _process_steps(host, ledger, gone, view)
    then = overlay.HostOverlay(host, goals, {step.path: (step.real, step.after) for step in files}, processes)
    decisions = _decisions(host, then, gone, planner)
    settling: t.List[step_types.Step] = list(apply.reload_steps(host, [step.path for step in files]))
    settings = [_setting(entry, other, foreign) for entry, other in decisions.settings]
    limits = [_limit(entry, other) for entry, other in decisions.limits]
    concerned = {real for record in gone for real in record.files}
    mine = [key for record in gone for key in record.keys]
    warnings = ["{0}: {1}.".format(key, text) for key, text in foreign.items() if key in mine] + list(held.values())
    warnings += [note for real, notes in found.notes.items() if real in concerned for note in notes]
    steps = steps + list(processes) + list(files) + settling
    left = {key: text for key, text in dict(wanted, **goals).items() if key not in foreign}
    after = _after(ledger, stay, concerned, view, left)
    return Revert(
        plans.Plan(settings, limits, steps, (), warnings, decisions.needs if files else ()),
        after._replace(processes=_processes_after(ledger, stay, held, view)),
        foreign,
        [key for key in moved if key in after.live and _is_as_left(host, key, after.live[key])],
    )


def _is_as_left(host: "hosts.Host", key: str, record: ledgers.LiveRecord) -> bool:
    now = host.sysctl_text(sysctl_names.to_path(key))
    return now is not None and sysctl_values.equivalent(now, record.applied, shape_of(key, record.original))


def _nothing(ledger: ledgers.Ledger, name: str) -> t.List[str]:
    if not name or not ledger.profiles:
        return []
    there = ", ".join(dict.fromkeys(profile.name for profile in ledger.profiles))
    return [messages.NOT_APPLIED(profile=name, applied=there)]


class _Files(t.NamedTuple):
    """Files as they were before us, with the path behind all links, by path; and as they are now, by that one.

    ``notes`` is what there is to say of what others did to each.
    """

    original: t.Mapping[str, t.Tuple[str, t.Optional[bytes]]]
    now: t.Mapping[str, t.Optional[bytes]]
    notes: t.Mapping[str, t.Sequence[str]]


def _files(host: "hosts.Host", ledger: ledgers.Ledger) -> _Files:
    now: t.Dict[str, t.Optional[bytes]] = {}
    notes: t.Dict[str, t.List[str]] = {}
    for real, record in ledger.files.items():
        try:
            now[real] = host.read_managed(real).data if host.real(record.path) == real else None
        except _errors.HostProblem as problem:
            notes[real] = [str(problem)]
            now[real] = None
        if now[real] not in (record.applied, record.original):
            lost = merge3.merge(record.applied, now[real], record.original)[1]
            notes.setdefault(real, []).extend(changes(record.path, record.applied, now[real], lost))
    return _Files({file.path: (real, file.original) for real, file in ledger.files.items()}, now, notes)


def changes(path: str, left: t.Optional[bytes], now: t.Optional[bytes], lost: t.Iterable[bytes]) -> t.List[str]:
    """What others did to a file, in words.

    :param lost: the lines of ours that they changed.
    """
    if now is None:
        return [messages.FILE_REMOVED_EXTERNALLY(path=path)]
    if left is None:
        return [messages.FILE_CREATED_EXTERNALLY(path=path)]
    lines = ", ".join(repr(line.decode("utf-8", "replace").strip()) for line in lost if line.strip())
    text = messages.FILE_EDITED_EXTERNALLY(path=path)
    return [text + (" These were changed as well, and are left alone: {0}.".format(lines) if lines else "")]


class _Replan(t.NamedTuple):
    """What comes of planning the profiles that stay once more.

    ``wanted`` has the values that they set, ``moved`` the keys that change with them, ``stay`` the profiles with what they touch.
    """

    wanted: t.Dict[str, str]
    moved: t.Set[str]
    stay: t.Tuple[ledgers.ProfileRecord, ...]


def _replan_remaining(view: overlay.HostOverlay, stay: t.Iterable[ledgers.ProfileRecord], planner: Planner) -> _Replan:
    """Plan the profiles that stay on the host as it was; the view becomes what the host is to be."""
    wanted: t.Dict[str, str] = {}
    moved: t.Set[str] = set()
    records = []
    for record in stay:
        try:
            found = planner(view.as_host(), record, False)
        except _errors.TuneError as problem:
            raise _errors.TuneError(messages.CANNOT_REPLAN(profile=record.name, reason=problem))
        view.carry_out(found.steps)
        wanted.update({step.key: step.after for step in live_steps(found)})
        moved.update(key for step in live_steps(found) for key, _text, _shape in step.beside)
        # What another profile did in its place so far, it does itself from now on.
        files = [step.real for step in file_steps(found)]
        processes = map(ledgers.key_of, ledgers.process_steps(found.steps))
        records.append(
            record._replace(
                keys=ledgers.union(record.keys, ledgers.original_values(found.steps)),
                files=ledgers.union(record.files, files),
                processes=ledgers.union(record.processes, processes),
            )
        )
    return _Replan(wanted, moved - set(wanted), tuple(records))


def _goals(
    host: "hosts.Host",
    ledger: ledgers.Ledger,
    wanted: t.Mapping[str, str],
    moved: t.Container[str],
) -> t.Tuple[t.Dict[str, str], t.Dict[str, str]]:
    """The value to restore for each key, and why others keep a value that was changed externally.

    Keys of profiles that stay are among them: without the others, their values may differ, as in their files.
    """
    goals: t.Dict[str, str] = {}
    foreign: t.Dict[str, str] = {}
    for key, record in ledger.live.items():
        now = host.sysctl_text(sysctl_names.to_path(key))
        if now is None or key in moved:
            continue
        goal = wanted.get(key, record.original)
        shape = shape_of(key, record.original)
        if sysctl_values.matches_rounded(now, goal, shape):
            continue
        # A twin is 0 because the other one is set, and gets its value back by that one's going.
        if sysctl_values.equivalent(now, record.applied, shape) or (
            now == "0" and catalog.exclusive_with(key) in ledger.live
        ):
            goals[key] = goal
        else:
            foreign[key] = foreign_value(now, record.applied, shape)
    return dict(sorted(goals.items(), key=lambda item: catalog.writing_order(item[0]))), foreign


def _process_steps(
    host: "hosts.Host", ledger: ledgers.Ledger, gone: t.Iterable[ledgers.ProfileRecord], view: overlay.HostOverlay
) -> t.Tuple[t.List[step_types.SetRlimit], t.Dict[str, str]]:
    """What puts back the limits of processes that still run, and a sentence about each that keeps what it has."""
    steps: t.List[step_types.SetRlimit] = []
    held: t.Dict[str, str] = {}
    for key in dict.fromkeys(key for entry in gone for key in entry.processes):
        record = ledger.processes.get(key)
        now = None if record is None else ledger_store.limit_now(host, record)
        goal = None if record is None else ledger_store.limit_now(view.as_host(), record)
        if record is None or now is None or goal is None or now == goal:
            continue
        step = record.step._replace(after=goal)
        reason = why_limit_stays(host, step, now)
        if reason:
            held[key] = "Limit {0} ({1}): {2}.".format(record.name, record.pid, reason)
        else:
            steps.append(step)
    return steps, held


def why_limit_stays(host: "hosts.Host", step: step_types.SetRlimit, now: conversion.Pair) -> str:
    """Why a step must not restore the limit of a process; empty if it may."""
    if now != step.before:
        return messages.LIMIT_SET_EXTERNALLY(found=conversion.render(now), applied=conversion.render(step.before))
    if (
        conversion.item_of(step.number) == "nofile"
        and len(host.listdir("/proc/{0}/fd".format(step.pid))) > step.after[0]
    ):
        return messages.TOO_MANY_FILES_OPEN(limit=step.after[0])
    return ""


def foreign_value(now: str, left: str, shape: shapes.Shape) -> str:
    """Why a key is kept as it is."""
    return messages.CHANGED_EXTERNALLY(
        found=sysctl_values.normalize(now, shape), applied=sysctl_values.normalize(left, shape)
    )


def _file_steps(
    host: "hosts.Host",
    ledger: ledgers.Ledger,
    gone: t.Iterable[ledgers.ProfileRecord],
    found: _Files,
    view: overlay.HostOverlay,
) -> t.List[step_types.WriteFile]:
    """The steps that remove our lines. What was changed externally is kept: the difference from what we applied is merged into it."""
    steps = []
    for real in dict.fromkeys(real for entry in gone for real in entry.files):
        record = ledger.files.get(real)
        if record is None:
            continue
        now = found.now[real]
        goal = merge3.merge(record.applied, now, view.read_or_none(record.path))[0]
        # Without the file, only directories may be left of it, when it was removed and nothing more.
        empty = now is None and goal is None and any(host.exists(directory) for directory in record.directories)
        if empty or now != goal:
            steps.append(step_types.WriteFile(record.path, real, now, goal, record.directories))
    return steps


def _after(
    ledger: ledgers.Ledger,
    stay: t.Tuple[ledgers.ProfileRecord, ...],
    concerned: t.Container[str],
    view: overlay.HostOverlay,
    live: t.Mapping[str, str],
) -> ledgers.Ledger:
    """The ledger once it is done: what no other profile needs is forgotten.

    :param live: the values that keys have then, as far as that is known and ours.
    """
    if not stay:
        return ledgers.EMPTY
    needed = {key for record in stay for key in record.keys}
    records = {
        key: ledgers.LiveRecord(entry.original, live.get(key, entry.applied))
        for key, entry in ledger.live.items()
        if key in needed
    }
    files = {}
    for real, file in ledger.files.items():
        left = view.read_or_none(file.path)
        if real not in concerned:
            files[real] = file
        elif left != file.original:
            files[real] = file._replace(applied=left)
    return ledgers.Ledger(stay, records, files)


def _processes_after(
    ledger: ledgers.Ledger, stay: t.Iterable[ledgers.ProfileRecord], held: t.Container[str], view: overlay.HostOverlay
) -> t.Dict[str, ledgers.ProcessRecord]:
    """What the ledger keeps of processes: those that other profiles have set, with the limit that these give.

    :param held: those that keep the limit that they have.
    """
    needed = {key for record in stay for key in record.processes}
    found = {
        key: (process, ledger_store.limit_now(view.as_host(), process))
        for key, process in ledger.processes.items()
        if key in needed
    }
    return {key: one if key in held or now is None else one._replace(applied=now) for key, (one, now) in found.items()}


class _Decisions(t.NamedTuple):
    """What the profiles that go ask for, as the host is now and as it will be."""

    settings: t.Sequence[t.Tuple[plans.SettingDecision, plans.SettingDecision]]
    limits: t.Sequence[t.Tuple[plans.LimitDecision, plans.LimitDecision]]
    needs: t.Sequence[str]


def _decisions(
    host: "hosts.Host", after: overlay.HostOverlay, gone: t.Iterable[ledgers.ProfileRecord], planner: Planner
) -> _Decisions:
    settings: t.Dict[str, t.Tuple[plans.SettingDecision, plans.SettingDecision]] = {}
    limits: t.Dict[str, t.Tuple[plans.LimitDecision, plans.LimitDecision]] = {}
    needs: t.Dict[str, None] = {}
    for record in gone:
        try:
            now, then = planner(host, record, False), planner(after.as_host(), record, False)
            left = planner(after.as_host(), record, True)
        except _errors.TuneError:
            continue  # it goes all the same; there is only less to say about it
        effective = {limit.name: limit.effective for limit in left.limits if limit.status != statuses.CHANGED}
        settings.update((setting.key, (setting, other)) for setting, other in zip(now.settings, then.settings))
        limits.update(
            (item.name, (item, other._replace(effective=effective.get(item.name, limit_types.Limit()))))
            for item, other in zip(now.limits, then.limits)
        )
        # What would have to happen for it to come into force has to happen for it to go.
        needs.update(dict.fromkeys(then.needs))
        # Going back restarts nothing by itself: a unit that runs keeps what it was started with.
        running = [
            limit for limit in then.limits if limit.kind == limit_types.UNIT and limit.before != limit_types.Limit()
        ]
        needs.update(dict.fromkeys("restart:" + entry.target for entry in running if entry.status == statuses.CHANGED))
    return _Decisions(list(settings.values()), list(limits.values()), list(needs))


def _setting(
    now: plans.SettingDecision, then: plans.SettingDecision, foreign: t.Mapping[str, str]
) -> plans.SettingDecision:
    status, reason = statuses.OK, ""
    if now.live[0] != then.live[0] or now.file[0] != then.file[0]:
        status = statuses.CHANGED
    elif now.status in statuses.UNAVAILABLE:
        status, reason = now.status, now.reason
    if now.key in foreign:
        status, reason = statuses.CHANGED if status == statuses.CHANGED else statuses.KEPT, foreign[now.key]
    return now._replace(
        status=status,
        reason=reason,
        wanted=WANTED,
        live=(now.live[0], then.live[0]),
        file=(now.file[0], then.file[0]),
        boot=then.boot_before,
        boot_others=(),
        shadowed=False,
    )


def _limit(now: plans.LimitDecision, then: plans.LimitDecision) -> plans.LimitDecision:
    # What the process of a unit has stays until it is started again, so there the file counts.
    same = now.before == then.before and (now.kind == limit_types.DOMAIN or then.status == now.status)
    return now._replace(
        status=statuses.OK if same else statuses.CHANGED,
        reason="",
        wanted=(WANTED, WANTED),
        after=then.before,
        effective=then.effective,
        shadowed_by=None,
    )
