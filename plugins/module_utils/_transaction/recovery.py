# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Complete or undo a run that was interrupted, and undo a trial. Private to ``tunefleet.linux``."""

import typing as t

from .. import _messages
from .._core import steps as step_types
from .._limits.process import proc
from .._sysctl import names as sysctl_names
from .._sysctl import values as sysctl_values
from . import apply, ledger_store, merge3, messages, overlay, revert_plan, step_kinds
from . import ledger as ledgers

if t.TYPE_CHECKING:
    from .._host import host as hosts


class Pending(t.NamedTuple):
    """What must be restored, and messages about what is kept because it was changed externally."""

    live: step_kinds.SysctlTexts
    files: t.Sequence[step_types.WriteFile]
    processes: t.Sequence[step_types.SetRlimit]
    notes: t.Sequence[str]


def pending(host: "hosts.Host", unfinished: ledgers.Unfinished) -> Pending:
    """What an unfinished run or a trial has left to restore."""
    if unfinished.confirmed_ledger is not None:
        return _pending_trial(host, unfinished, unfinished.confirmed_ledger)
    same_boot = unfinished.boot == ledger_store.boot_id(host)
    live = [value for sysctl in unfinished.live for value in _pending_sysctl(host, sysctl, same_boot)]
    files: t.List[step_types.WriteFile] = []
    notes: t.List[str] = []
    for file in unfinished.files:
        current = host.read_or_none(file.real)
        if current == file.attempted and current != file.restore_to:
            files.append(file.step(current, file.restore_to))
        elif current != file.restore_to:
            notes.append(messages.FILE_CHANGED_EXTERNALLY(path=file.path))
    # A limit with any other value was set by another program, or its process has ended.
    processes = [
        limit.step for limit in unfinished.processes if same_boot and proc.limit_of(host, limit.step) == limit.attempted
    ]
    return Pending(live, files, processes, notes)


def _texts(sysctl: ledgers.PendingSysctl) -> step_kinds.SysctlTexts:
    """The texts to restore, in the order in which they are written."""
    texts = list(sysctl.beside) + [(sysctl.key, sysctl.restore_to)]
    return [(key, text, revert_plan.shape_of(key, text)) for key, text in texts]


def _pending_sysctl(host: "hosts.Host", sysctl: ledgers.PendingSysctl, same_boot: bool) -> step_kinds.SysctlTexts:
    current = {key: host.sysctl_text(sysctl_names.to_path(key)) for key, _text, _shape in _texts(sysctl)}
    values = [(key, text, shape) for key, text, shape in _texts(sysctl) if current[key] is not None]
    # A boot has set all keys again. Only the value that the run wrote can come from our own file.
    shape = revert_plan.shape_of(sysctl.key, sysctl.restore_to)
    is_ours = sysctl_values.equivalent(current[sysctl.key], sysctl.attempted, shape)
    if not same_boot and not is_ours:
        return []
    differs = any(not sysctl_values.equivalent(current[key], text, shape) for key, text, shape in values)
    return values if differs else []


def _pending_trial(host: "hosts.Host", unfinished: ledgers.Unfinished, confirmed: ledgers.Ledger) -> Pending:
    """What a trial has to restore. It was completed, so a value that differs from what we applied was changed externally."""
    live: t.List[step_kinds.SysctlText] = []
    files: t.List[step_types.WriteFile] = []
    processes: t.List[step_types.SetRlimit] = []
    notes: t.List[str] = []
    for sysctl in unfinished.live:
        current = host.sysctl_text(sysctl_names.to_path(sysctl.key))
        shape = revert_plan.shape_of(sysctl.key, sysctl.restore_to)
        applied = confirmed.live[sysctl.key].applied if sysctl.key in confirmed.live else sysctl.attempted
        if current is None or sysctl_values.equivalent(current, sysctl.restore_to, shape):
            continue
        if sysctl_values.equivalent(current, applied, shape):
            live += _texts(sysctl)
        else:
            notes.append(_messages.about(sysctl.key, revert_plan.changed_externally(current, applied, shape)))
    for file in unfinished.files:
        content = host.read_or_none(file.real)
        desired, lost = merge3.merge(file.attempted, content, file.restore_to)
        if content not in (file.attempted, file.restore_to):
            notes.append(revert_plan.file_changed_externally(file.path, file.attempted, content, lost))
        if desired != content:
            files.append(file.step(content, desired))
    for limit in unfinished.processes if unfinished.boot == ledger_store.boot_id(host) else ():
        pair = proc.limit_of(host, limit.step)
        if pair in (None, limit.restore_to):
            continue
        note = revert_plan.limit_kept(host, limit.step, pair)
        if note:
            notes.append(note)
        else:
            processes.append(limit.step)
    return Pending(live, files, processes, notes)


def complete(host: "hosts.Host", ledger: ledgers.Ledger) -> t.List[str]:
    """Restore what an interrupted run left; returns a message for each thing that could not be restored."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return []
    left = pending(host, unfinished)
    problems = list(left.notes) + restore(host, unfinished, left)
    ledger_store.write(host, ledger._replace(unfinished=None))
    return problems


def restore(host: "hosts.Host", unfinished: ledgers.Unfinished, left: Pending) -> t.List[str]:
    """Restore what is pending; returns a message for each thing that failed."""
    reasons = step_kinds.restore_sysctls(host, left.live)
    problems: t.List[str] = [_messages.about(key, reason) for key, reason in reasons.items()]
    # Of all files: the run may have been killed after all were restored, but before systemd reloaded them.
    reloads = apply.reload_steps(host, [file.path for file in unfinished.files])
    steps: t.List[step_types.Step] = list(left.processes) + list(left.files) + list(reloads)
    problems += apply.restore(host, steps)
    for file in unfinished.files:
        host.sweep(file.real)
        if file.restore_to is None and host.read_or_none(file.real) is None:
            host.remove_directories(file.directories)
    return problems


def preview_recovered(host: "hosts.Host", unfinished: ledgers.Unfinished) -> "hosts.Host":
    """The host as it would be after the recovery, for check mode."""
    left, view = pending(host, unfinished), overlay.HostOverlay(host)
    for key, text, _shape in left.live:
        view.set_sysctl(key, text)
    view.simulate(left.processes)
    view.simulate(left.files)
    return view.as_host()
