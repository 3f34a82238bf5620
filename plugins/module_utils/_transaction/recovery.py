# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clearing up after a run that was killed or is on trial: what is to be done, and doing it. Private to ``tunefleet.linux``."""

import typing as t

from .. import _messages
from .._core import shape as shapes
from .._core import steps as step_types
from .._limits.process import proc
from .._sysctl import names as sysctl_names
from .._sysctl import values as sysctl_values
from . import apply, ledger_store, merge3, messages, overlay, revert_plan, step_kinds
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
    if unfinished.confirmed_ledger is not None:
        return _pending_trial(host, unfinished, unfinished.confirmed_ledger)
    same_boot = unfinished.boot == ledger_store.boot_id(host)
    live = [value for goal in unfinished.live for value in _pending_live(host, goal, same_boot)]
    files: t.List[step_types.WriteFile] = []
    notes: t.List[str] = []
    for file in unfinished.files:
        current = host.read_or_none(file.real)
        if current == file.attempted and current != file.restore_to:
            files.append(file.step(current, file.restore_to))
        elif current != file.restore_to:
            notes.append(messages.FILE_CHANGED_EXTERNALLY(path=file.path))
    # A limit that is neither was set by another program, or the process has ended.
    processes = [
        limit.step for limit in unfinished.processes if same_boot and proc.limit_of(host, limit.step) == limit.attempted
    ]
    return Pending(live, files, processes, notes)


def _pending_live(host: "hosts.Host", goal: ledgers.PendingSysctl, same_boot: bool) -> Values:
    values = [
        (key, text, revert_plan.shape_of(key, text)) for key, text in list(goal.beside) + [(goal.key, goal.restore_to)]
    ]
    found = {key: host.sysctl_text(sysctl_names.to_path(key)) for key, _text, _shape in values}
    values = [(key, text, shape) for key, text, shape in values if found[key] is not None]
    # A boot has set everything anew. Only what it has set to the value that is not to be came from our own file.
    is_ours = sysctl_values.equivalent(found[goal.key], goal.attempted, revert_plan.shape_of(goal.key, goal.restore_to))
    if not same_boot and not is_ours:
        return []
    return values if any(not sysctl_values.equivalent(found[key], text, shape) for key, text, shape in values) else []


def _pending_trial(host: "hosts.Host", unfinished: ledgers.Unfinished, then: ledgers.Ledger) -> Pending:
    """The same for a trial. It was completed, so a value that differs from what we applied was changed externally."""
    live: t.List[t.Tuple[str, str, shapes.Shape]] = []
    files: t.List[step_types.WriteFile] = []
    notes: t.List[str] = []
    for goal in unfinished.live:
        now, shape = host.sysctl_text(sysctl_names.to_path(goal.key)), revert_plan.shape_of(goal.key, goal.restore_to)
        left = then.live[goal.key].applied if goal.key in then.live else goal.attempted
        if now is None or sysctl_values.equivalent(now, goal.restore_to, shape):
            continue
        if sysctl_values.equivalent(now, left, shape):
            live += [(key, text, revert_plan.shape_of(key, text)) for key, text in goal.beside]
            live.append((goal.key, goal.restore_to, shape))
        else:
            notes.append(_messages.about(goal.key, revert_plan.foreign_value(now, left, shape)))
    for file in unfinished.files:
        current = host.read_or_none(file.real)
        data, lost = merge3.merge(file.attempted, current, file.restore_to)
        if current not in (file.attempted, file.restore_to):
            notes += revert_plan.changes(file.path, file.attempted, current, lost)
        if data != current:
            files.append(file.step(current, data))
    processes = []
    for limit in unfinished.processes if unfinished.boot == ledger_store.boot_id(host) else ():
        pair = proc.limit_of(host, limit.step)
        reason = "" if pair in (None, limit.restore_to) else revert_plan.why_limit_stays(host, limit.step, pair)
        if reason:
            notes.append(_messages.about("Limit {0} ({1})".format(limit.name, limit.pid), reason))
        elif pair not in (None, limit.restore_to):
            processes.append(limit.step)
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
    problems: t.List[str] = [
        _messages.about(key, reason) for key, reason in step_kinds.restore_sysctls(host, found.live).items()
    ]
    # Of all files: the run may have been killed when they were as they should be, and systemd had not read them yet.
    reloads = apply.reload_steps(host, [file.path for file in unfinished.files])
    steps: t.List[step_types.Step] = list(found.processes) + list(found.files) + list(reloads)
    problems += apply.restore(host, steps)
    for file in unfinished.files:
        host.sweep(file.real)
        if file.restore_to is None and host.read_or_none(file.real) is None:
            host.remove_directories(file.directories)
    return problems


def preview_recovered(host: "hosts.Host", unfinished: ledgers.Unfinished) -> "hosts.Host":
    """The host as it would be once everything is at its goal, for check mode."""
    found = pending(host, unfinished)
    live = {key: text for key, text, _shape in found.live}
    return overlay.HostOverlay(
        host, live, {step.path: (step.real, step.after) for step in found.files}, found.processes
    ).as_host()
