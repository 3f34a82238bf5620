# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clearing up after a run that was killed or is on trial: what is to be done, and doing it. Private to ``tunefleet.linux``."""

import typing as t

from .._core import shape as shapes
from .._core import steps as step_types
from .._limits.process import proc
from .._sysctl import names as sysctl_names
from .._sysctl import values as sysctl_values
from . import apply, ledger_store, merge3, messages, overlay, revert_plan
from . import ledger as ledgers

if t.TYPE_CHECKING:
    from .._host import host as hosts


Values = t.Sequence[t.Tuple[str, str, shapes.Shape]]


class Pending(t.NamedTuple):
    """What is to be done to clear up, and what is left alone and why."""

    live: Values
    files: t.Sequence[step_types.WriteFile]
    processes: t.Sequence[step_types.SetRlimit]
    notes: t.Sequence[str]


def pending(host: "hosts.Host", unfinished: ledgers.Unfinished) -> Pending:
    """What has to be done to get everything to its goal."""
    if unfinished.then is not None:
        return _pending_trial(host, unfinished, unfinished.then)
    same_boot = unfinished.boot == ledger_store.boot_id(host)
    live = [value for goal in unfinished.live for value in _pending_live(host, goal, same_boot)]
    files, notes = [], []
    for step in unfinished.files:
        now = host.read_or_none(step.real)
        if now == step.before and now != step.after:
            files.append(step)
        elif now != step.after:
            notes.append(messages.FILE_CHANGED_EXTERNALLY(path=step.path))
    # A limit that is neither was set by another program, or the process has ended.
    processes = [
        process for process in unfinished.processes if same_boot and proc.limit_of(host, process) == process.before
    ]
    return Pending(live, files, processes, notes)


def _pending_live(host: "hosts.Host", goal: ledgers.LiveGoal, same_boot: bool) -> Values:
    values = [(key, text, revert_plan.shape_of(key, text)) for key, text in list(goal.beside) + [(goal.key, goal.goal)]]
    found = {key: host.sysctl_text(sysctl_names.to_path(key)) for key, _text, _shape in values}
    values = [(key, text, shape) for key, text, shape in values if found[key] is not None]
    # A boot has set everything anew. Only what it has set to the value that is not to be came from our own file.
    is_ours = sysctl_values.equivalent(found[goal.key], goal.other, revert_plan.shape_of(goal.key, goal.goal))
    if not same_boot and not is_ours:
        return []
    return values if any(not sysctl_values.equivalent(found[key], text, shape) for key, text, shape in values) else []


def _pending_trial(host: "hosts.Host", unfinished: ledgers.Unfinished, then: ledgers.Ledger) -> Pending:
    """The same for a trial. It was completed, so a value that differs from what we applied was changed externally."""
    live: t.List[t.Tuple[str, str, shapes.Shape]] = []
    files, notes = [], []
    for goal in unfinished.live:
        now, shape = host.sysctl_text(sysctl_names.to_path(goal.key)), revert_plan.shape_of(goal.key, goal.goal)
        left = then.live[goal.key].left if goal.key in then.live else goal.other
        if now is None or sysctl_values.equivalent(now, goal.goal, shape):
            continue
        if sysctl_values.equivalent(now, left, shape):
            live += [(key, text, revert_plan.shape_of(key, text)) for key, text in goal.beside]
            live.append((goal.key, goal.goal, shape))
        else:
            notes.append("{0}: {1}.".format(goal.key, revert_plan.foreign_value(now, left, shape)))
    for step in unfinished.files:
        now_data = host.read_or_none(step.real)
        data, lost = merge3.merge(step.before, now_data, step.after)
        if now_data not in (step.before, step.after):
            notes += revert_plan.changes(step.path, step.before, now_data, lost)
        if data != now_data:
            files.append(step._replace(before=now_data, after=data))
    processes = []
    for process in unfinished.processes if unfinished.boot == ledger_store.boot_id(host) else ():
        pair = proc.limit_of(host, process)
        reason = "" if pair in (None, process.after) else revert_plan.why_limit_stays(host, process, pair)
        if reason:
            notes.append("Limit {0} ({1}): {2}.".format(process.name, process.pid, reason))
        elif pair not in (None, process.after):
            processes.append(process)
    return Pending(live, files, processes, notes)


def complete(host: "hosts.Host", ledger: ledgers.Ledger) -> t.List[str]:
    """Bring what a killed run left to its end; returns a sentence about each thing that could not be."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return []
    found = pending(host, unfinished)
    problems = list(found.notes) + restore(host, unfinished, found)
    ledger_store.write(host, ledger._replace(unfinished=None))
    return problems


def restore(host: "hosts.Host", unfinished: ledgers.Unfinished, found: Pending) -> t.List[str]:
    """Do what is to be done to clear up; returns a sentence about each thing that failed."""
    problems = ["{0}: {1}.".format(key, reason) for key, reason in apply.restore_sysctls(host, found.live).items()]
    problems += apply.restore_rlimits(host, found.processes)
    problems += apply.restore_files(host, found.files)
    # Of all files: the run may have been killed when they were as they should be, and systemd had not read them yet.
    problems += apply.reload(host, apply.reload_steps(host, [step.path for step in unfinished.files]))
    for step in unfinished.files:
        host.sweep(step.real)
        if step.after is None and host.read_or_none(step.real) is None:
            host.remove_directories(step.directories)
    return problems


def preview_recovered(host: "hosts.Host", unfinished: ledgers.Unfinished) -> "hosts.Host":
    """The host as it would be once everything is at its goal, for check mode."""
    found = pending(host, unfinished)
    live = {key: text for key, text, _shape in found.live}
    return overlay.HostOverlay(
        host, live, {step.path: (step.real, step.after) for step in found.files}, found.processes
    ).as_host()
