# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan a revert of profiles, from the ledger and the host. Private to ``tunefleet.linux``.

The remaining profiles are planned again on an overlay that shows the original state of the host. Nothing here changes the host.
"""

import typing as t

from .. import _errors, _messages
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


# Plans a profile of the ledger on a host. True plans its limits without their desired values, which shows what is effective.
Planner = t.Callable[["hosts.Host", ledgers.ProfileRecord, bool], plans.Plan]
AS_BEFORE = "as before"


class Revert(t.NamedTuple):
    """The plan of a revert. ``after`` is the ledger after it.

    ``side_effects`` are keys whose value the kernel decides then: they change along with others.
    """

    plan: plans.Plan
    after: ledgers.Ledger
    side_effects: t.Sequence[str] = ()


def shape_of(key: str, text: str) -> shapes.Shape:
    """The shape of the value of a key."""
    return sysctl_plan.shape_of(key, text, text)


def plan(host: "hosts.Host", ledger: ledgers.Ledger, name: str, planner: Planner) -> Revert:
    """Plan a revert of profiles.

    :param name: names of profiles, separated by commas; empty for all profiles.
    :raises TuneError: if they cannot be reverted alone.
    """
    reverted = ledgers.select(ledger, name)
    if not reverted:
        return Revert(plans.Plan(warnings=_not_applied(ledger, name)), ledger)
    remaining = [profile for profile in ledger.profiles if profile not in reverted]
    files = _read_files(host, ledger)
    # The host as it was before all profiles, and then with the remaining ones.
    view = _original_host(host, ledger)
    replan = _replan_remaining(view, remaining, planner)
    live = _plan_live(host, ledger, replan)
    limits = _plan_limits(host, ledger, reverted, view)
    writes = _plan_files(host, ledger, reverted, files.contents, view)
    changes: t.List[step_types.Step] = list(live.steps) + list(limits.steps) + list(writes)
    after_host = overlay.HostOverlay(host)
    after_host.simulate(changes)
    decisions = _decisions(host, after_host, reverted, planner, live.external_changes)
    after = _ledger_after(ledger, replan, live, view, {real for profile in reverted for real in profile.files})
    after = after._replace(processes=_processes_after(ledger, replan.remaining, limits.skipped, view))
    return Revert(
        plans.Plan(
            settings=decisions.settings,
            limits=decisions.limits,
            steps=changes + list(apply.reload_steps(host, [step.path for step in writes])),
            warnings=_warnings(reverted, live, limits, files),
            needs=decisions.needs if writes else (),
        ),
        after,
        [key for key in replan.side_effects if key in after.live and _is_as_applied(host, key, after.live[key])],
    )


def _not_applied(ledger: ledgers.Ledger, name: str) -> t.List[str]:
    if not name or not ledger.profiles:
        return []
    applied = ", ".join(dict.fromkeys(profile.name for profile in ledger.profiles))
    return [messages.NOT_APPLIED(profile=name, applied=applied)]


def _original_host(host: "hosts.Host", ledger: ledgers.Ledger) -> overlay.HostOverlay:
    view = overlay.HostOverlay(host)
    for key, live in ledger.live.items():
        view.set_sysctl(key, live.original)
    for real, file in ledger.files.items():
        view.write_file(file.path, real, file.original)
    view.simulate(
        process.step for process in ledger.processes.values() if ledger_store.limit_now(host, process) is not None
    )
    return view


def _warnings(
    reverted: t.Sequence[ledgers.ProfileRecord], live: "_LivePlan", limits: "_LimitPlan", files: "_Files"
) -> t.List[str]:
    """What was changed externally, as far as the reverted profiles are concerned."""
    keys = {key for profile in reverted for key in profile.keys}
    reals = {real for profile in reverted for real in profile.files}
    warnings: t.List[str] = [_messages.about(key, text) for key, text in live.external_changes.items() if key in keys]
    return warnings + list(limits.skipped.values()) + [note for real, note in files.notes.items() if real in reals]


def _is_as_applied(host: "hosts.Host", key: str, record: ledgers.LiveRecord) -> bool:
    current = host.sysctl_text(sysctl_names.to_path(key))
    return current is not None and sysctl_values.equivalent(current, record.applied, shape_of(key, record.original))


class _Replan(t.NamedTuple):
    """The result of planning the remaining profiles again on the original state.

    ``desired`` holds the values that they set, ``side_effects`` the keys that the kernel changes with them, and ``remaining`` the
    profiles with what they change from now on.
    """

    desired: t.Mapping[str, str]
    side_effects: t.AbstractSet[str]
    remaining: t.Tuple[ledgers.ProfileRecord, ...]


def _replan_remaining(
    view: overlay.HostOverlay, remaining: t.Iterable[ledgers.ProfileRecord], planner: Planner
) -> _Replan:
    """Plan the remaining profiles on the original host; the view becomes the host with them."""
    desired: t.Dict[str, str] = {}
    side_effects: t.Set[str] = set()
    records = []
    for profile in remaining:
        try:
            planned = planner(view.as_host(), profile, False)
        except _errors.TuneError as problem:
            reason = _messages.joined([problem.message])
            raise _errors.TuneError(messages.CANNOT_REPLAN(profile=profile.name, reason=reason))
        view.simulate(planned.steps)
        changes = step_types.Changes(planned.steps)
        desired.update({step.key: step.after for step in changes.sysctls})
        side_effects.update(key for step in changes.sysctls for key, _text, _shape in step.beside)
        # What a reverted profile did for this one so far, this one does itself from now on.
        records.append(
            profile._replace(
                keys=ledgers.union(profile.keys, ledgers.original_values(planned.steps)),
                files=ledgers.union(profile.files, [step.real for step in changes.files]),
                processes=ledgers.union(profile.processes, map(ledgers.process_key, changes.rlimits)),
            )
        )
    return _Replan(desired, side_effects - set(desired), tuple(records))


# -- kernel parameters ---------------------------------------------------------------------------------------------------------


class _LivePlan(t.NamedTuple):
    """Steps for kernel parameters, and why others keep a value that was changed externally, by key."""

    steps: t.Sequence[step_types.SetSysctl]
    external_changes: t.Mapping[str, str]


def _plan_live(host: "hosts.Host", ledger: ledgers.Ledger, replan: _Replan) -> _LivePlan:
    """Plan the value to restore for each key, also of remaining profiles: without the others their values may differ."""
    steps: t.List[step_types.SetSysctl] = []
    external_changes: t.Dict[str, str] = {}
    for key, record in ledger.live.items():
        current = host.sysctl_text(sysctl_names.to_path(key))
        if current is None or key in replan.side_effects:
            continue
        desired, shape = replan.desired.get(key, record.original), shape_of(key, record.original)
        if sysctl_values.matches_rounded(current, desired, shape):
            continue
        # An exclusive key is 0 while the other one is set, and gets its value back when that one is restored.
        is_displaced = current == "0" and catalog.exclusive_with(key) in ledger.live
        if is_displaced or sysctl_values.equivalent(current, record.applied, shape):
            steps.append(step_types.SetSysctl(key, current, desired, shape_of(key, desired)))
        else:
            external_changes[key] = changed_externally(current, record.applied, shape)
    return _LivePlan(sorted(steps, key=lambda step: catalog.writing_order(step.key)), external_changes)


def changed_externally(current: str, applied: str, shape: shapes.Shape) -> _messages.Message:
    """Why a key keeps its value."""
    return messages.CHANGED_EXTERNALLY(
        found=sysctl_values.normalize(current, shape), applied=sysctl_values.normalize(applied, shape)
    )


# -- limits of running processes -----------------------------------------------------------------------------------------------


class _LimitPlan(t.NamedTuple):
    """Steps for limits of processes that still run, and a message for each limit that is kept, by its key in the ledger."""

    steps: t.Sequence[step_types.SetRlimit]
    skipped: t.Mapping[str, str]


def _plan_limits(
    host: "hosts.Host", ledger: ledgers.Ledger, reverted: t.Iterable[ledgers.ProfileRecord], view: overlay.HostOverlay
) -> _LimitPlan:
    steps: t.List[step_types.SetRlimit] = []
    skipped: t.Dict[str, str] = {}
    for key in dict.fromkeys(key for profile in reverted for key in profile.processes):
        record = ledger.processes.get(key)
        current = None if record is None else ledger_store.limit_now(host, record)
        desired = None if record is None else ledger_store.limit_now(view.as_host(), record)
        if record is None or current is None or desired is None or current == desired:
            continue
        step = record.step._replace(after=desired)
        note = limit_kept(host, step, current)
        if note:
            skipped[key] = note
        else:
            steps.append(step)
    return _LimitPlan(steps, skipped)


def limit_kept(host: "hosts.Host", step: step_types.SetRlimit, current: conversion.Pair) -> str:
    """Why a step must not restore the limit of a process; empty if it may."""
    reason = ""
    if current != step.before:
        reason = messages.LIMIT_SET_EXTERNALLY(found=conversion.render(current), applied=conversion.render(step.before))
    elif conversion.item_of(step.number) == "nofile":
        count = len(host.listdir("/proc/{0}/fd".format(step.pid)))
        if count > step.after[0]:
            reason = messages.TOO_MANY_FILES_OPEN(limit=step.after[0])
    return _messages.about("Limit {0} ({1})".format(step.name, step.pid), reason) if reason else ""


# -- files ---------------------------------------------------------------------------------------------------------------------


class _Files(t.NamedTuple):
    """The current content of each file of the ledger, and a message about each that was changed externally; both by real path."""

    contents: t.Mapping[str, t.Optional[bytes]]
    notes: t.Mapping[str, str]


def _read_files(host: "hosts.Host", ledger: ledgers.Ledger) -> _Files:
    contents: t.Dict[str, t.Optional[bytes]] = {}
    notes: t.Dict[str, str] = {}
    for real, record in ledger.files.items():
        try:
            contents[real] = host.read_managed(real).data if host.real(record.path) == real else None
        except _errors.HostProblem as problem:
            contents[real], notes[real] = None, problem.message
            continue
        if contents[real] not in (record.applied, record.original):
            lost = merge3.merge(record.applied, contents[real], record.original)[1]
            notes[real] = file_changed_externally(record.path, record.applied, contents[real], lost)
    return _Files(contents, notes)


def file_changed_externally(
    path: str, applied: t.Optional[bytes], current: t.Optional[bytes], lost: t.Iterable[bytes]
) -> _messages.Message:
    """How a file was changed externally.

    :param lost: our lines that were changed.
    """
    if current is None:
        return messages.FILE_REMOVED_EXTERNALLY(path=path)
    if applied is None:
        return messages.FILE_CREATED_EXTERNALLY(path=path)
    lines = ", ".join(repr(line.decode("utf-8", "replace").strip()) for line in lost if line.strip())
    text = messages.OUR_LINES_EDITED_EXTERNALLY if lines else messages.FILE_EDITED_EXTERNALLY
    return text(path=path, lines=lines)


def _plan_files(
    host: "hosts.Host",
    ledger: ledgers.Ledger,
    reverted: t.Iterable[ledgers.ProfileRecord],
    contents: t.Mapping[str, t.Optional[bytes]],
    view: overlay.HostOverlay,
) -> t.List[step_types.WriteFile]:
    """The steps that remove our lines. External changes are kept: the difference from what we applied is merged into them."""
    steps = []
    for real in dict.fromkeys(real for profile in reverted for real in profile.files):
        record = ledger.files.get(real)
        if record is None:
            continue
        current = contents[real]
        desired = merge3.merge(record.applied, current, view.read_or_none(record.path))[0]
        # If only the file was removed externally, its directories may be left.
        is_empty = current is None and desired is None and any(map(host.exists, record.directories))
        if is_empty or current != desired:
            steps.append(step_types.WriteFile(record.path, real, current, desired, record.directories))
    return steps


# -- the ledger after the revert -----------------------------------------------------------------------------------------------


def _ledger_after(
    ledger: ledgers.Ledger,
    replan: _Replan,
    live: _LivePlan,
    view: overlay.HostOverlay,
    reverted_files: t.Container[str],
) -> ledgers.Ledger:
    """The ledger after the revert, without what no remaining profile needs. Its processes are not yet up to date."""
    if not replan.remaining:
        return ledgers.EMPTY
    applied = dict(replan.desired, **{step.key: step.after for step in live.steps})
    needed = {key for profile in replan.remaining for key in profile.keys}
    records = {
        key: record._replace(applied=applied[key]) if key in applied and key not in live.external_changes else record
        for key, record in ledger.live.items()
        if key in needed
    }
    files = {}
    for real, file in ledger.files.items():
        content = view.read_or_none(file.path)
        if real not in reverted_files:
            files[real] = file
        elif content != file.original:
            files[real] = file._replace(applied=content)
    return ledgers.Ledger(replan.remaining, records, files)


def _processes_after(
    ledger: ledgers.Ledger,
    remaining: t.Iterable[ledgers.ProfileRecord],
    skipped: t.Container[str],
    view: overlay.HostOverlay,
) -> t.Dict[str, ledgers.ProcessRecord]:
    """The limits of processes that the ledger keeps: those that remaining profiles set, with their values.

    :param skipped: those that keep their current limit.
    """
    records = {}
    for key in {key for profile in remaining for key in profile.processes} & set(ledger.processes):
        record = ledger.processes[key]
        limit = ledger_store.limit_now(view.as_host(), record)
        records[key] = record if key in skipped or limit is None else record._replace(applied=limit)
    return records


# -- decisions -----------------------------------------------------------------------------------------------------------------


class _Decisions(t.NamedTuple):
    """What the revert does to each entry of the reverted profiles, and what has to happen for it to take effect."""

    settings: t.Sequence[plans.SettingDecision]
    limits: t.Sequence[plans.LimitDecision]
    needs: t.Sequence[str]


def _decisions(
    host: "hosts.Host",
    after: overlay.HostOverlay,
    reverted: t.Iterable[ledgers.ProfileRecord],
    planner: Planner,
    external_changes: t.Mapping[str, str],
) -> _Decisions:
    """Plan the reverted profiles on the host before and after the revert, and compare each entry by its key or name."""
    settings: t.Dict[str, plans.SettingDecision] = {}
    limits: t.Dict[str, plans.LimitDecision] = {}
    needs: t.Dict[str, None] = {}
    for profile in reverted:
        try:
            plan_before, plan_after = planner(host, profile, False), planner(after.as_host(), profile, False)
            observed = planner(after.as_host(), profile, True)
        except _errors.TuneError:
            continue  # It is reverted all the same; there is only less to report.
        settings_after = {setting.key: setting for setting in plan_after.settings}
        for setting in plan_before.settings:
            setting_after = settings_after.get(setting.key, setting)
            settings[setting.key] = _setting(setting, setting_after, external_changes.get(setting.key))
        limits_after = {limit.name: limit for limit in plan_after.limits}
        effective = {limit.name: limit.effective for limit in observed.limits if limit.status != statuses.CHANGED}
        for limit in plan_before.limits:
            limit_after = limits_after.get(limit.name, limit)
            limits[limit.name] = _limit(limit, limit_after, effective.get(limit.name, limit_types.Limit()))
        # What would make it take effect also makes its removal take effect.
        needs.update(dict.fromkeys(plan_after.needs))
        # A revert restarts nothing: a running unit keeps the limits that it was started with.
        running = [
            limit
            for limit in plan_after.limits
            if limit.kind == limit_types.UNIT and limit.before != limit_types.Limit()
        ]
        needs.update(dict.fromkeys("restart:" + unit.target for unit in running if unit.status == statuses.CHANGED))
    return _Decisions(list(settings.values()), list(limits.values()), list(needs))


def _setting(
    before: plans.SettingDecision, after: plans.SettingDecision, external_change: t.Optional[str]
) -> plans.SettingDecision:
    status, reason = statuses.OK, ""
    if before.live[0] != after.live[0] or before.file[0] != after.file[0]:
        status = statuses.CHANGED
    elif before.status in statuses.UNAVAILABLE:
        status, reason = before.status, before.reason
    if external_change is not None:
        status, reason = statuses.CHANGED if status == statuses.CHANGED else statuses.KEPT, external_change
    return before._replace(
        status=status,
        reason=reason,
        wanted=AS_BEFORE,
        live=(before.live[0], after.live[0]),
        file=(before.file[0], after.file[0]),
        boot=after.boot_before,
        boot_others=(),
        shadowed=False,
    )


def _limit(
    before: plans.LimitDecision, after: plans.LimitDecision, effective: limit_types.Limit
) -> plans.LimitDecision:
    # The process of a unit keeps its limits until it is restarted, so its file decides.
    is_same = before.before == after.before and (before.kind == limit_types.DOMAIN or after.status == before.status)
    return before._replace(
        status=statuses.OK if is_same else statuses.CHANGED,
        reason="",
        wanted=(AS_BEFORE, AS_BEFORE),
        after=after.before,
        effective=effective,
        shadowed_by=None,
    )
