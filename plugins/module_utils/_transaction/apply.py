# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply the steps of a plan: do, read back, and undo all if one fails. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import shape as shapes
from .._core import steps as step_types
from .._host import machine
from .._limits import conversion
from .._limits.process import proc
from .._limits.systemd import client
from .._sysctl import catalog
from .._sysctl import names as sysctl_names
from .._sysctl import values as sysctl_values
from . import messages

if t.TYPE_CHECKING:
    from .._host import host as hosts


class StepRefused(_errors.TuneError):
    """One step failed, and those before it were undone.

    ``step`` is the one that failed, None where it was the note of them all. ``undone`` and ``not_undone`` tell, in one sentence
    each, what became of the others.
    """

    def __init__(
        self, step: t.Optional[step_types.Step], reason: str, undone: t.Sequence[str], not_undone: t.Sequence[str]
    ) -> None:
        self.step = step
        self.reason = reason
        self.undone = list(undone)
        self.not_undone = list(not_undone)
        what = "" if step is None else _KINDS[type(step)].describe(step)
        failed = messages.STEP_FAILED(step=what, reason=reason) if what else reason
        outcome = messages.NOT_UNDONE(problems=" ".join(not_undone)) if not_undone else messages.ALL_UNDONE()
        super().__init__(_messages.joined([failed, outcome]))


class Kind(t.NamedTuple):
    """What can be done with steps of one type. A new type needs an entry in ``_KINDS`` and a place in ``_decision.Step``.

    ``do`` carries a step out and returns what came of it, where that is a value (else ""). ``undo`` returns one sentence about
    what it restored, or "" when all was as before; it must also work for a step that failed half way. Both raise HostProblem.
    ``describe`` names the step in front of "failed: ", or is "" where a HostProblem of ``do`` says it all. A kind that
    ``settles`` makes others take effect (a program that reads a file again): it is undone after all other kinds, first one first.
    """

    do: t.Callable[["hosts.Host", t.Any], str]
    undo: t.Callable[["hosts.Host", t.Any], str]
    describe: t.Callable[[t.Any], str]
    settles: bool = False


def commit(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.List[str]:
    """Carry out all steps, or none.

    Kernel parameters come before files: what the kernel refuses is never written down for the next boot.

    :returns: what came of each step: for a key what the kernel made of the value, which for some is a rounded number.
    :raises StepRefused: when a step failed.
    """
    outcomes: t.List[str] = []
    moved: t.Set[str] = set()
    for index, step in enumerate(steps):
        try:
            if isinstance(step, step_types.SetSysctl):
                _check_not_changed_concurrently(host, step, moved)
            outcomes.append(_KINDS[type(step)].do(host, step))
        except _errors.ConcurrentChange as problem:
            # What another program has just written is not ours to undo.
            undone, not_undone = undo(host, steps[:index])
            raise StepRefused(None, str(problem), undone, not_undone)
        except _errors.HostProblem as problem:
            # The failed step is undone too: a write of several numbers can be rejected after the first ones took effect.
            undone, not_undone = undo(host, steps[: index + 1])
            raise StepRefused(step, str(problem), undone, not_undone)
    return outcomes


def _check_not_changed_concurrently(host: "hosts.Host", step: step_types.SetSysctl, moved: t.Set[str]) -> None:
    """:param moved: keys that steps before this one have set, or may have made the kernel change; this one is added.
    :raises ConcurrentChange: if another program has set the key since the plan was made.
    """
    known = step.before is not None and not step.action and step.key not in moved
    moved.update([step.key], [key for key, _text, _shape in step.beside])
    now = host.sysctl_text(sysctl_names.to_path(step.key)) if known else None
    if now is not None and not sysctl_values.equivalent(now, step.before, step.shape):
        raise _errors.ConcurrentChange(messages.CHANGED_CONCURRENTLY(key=step.key, found=now, before=step.before))


def undo(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.Tuple[t.List[str], t.List[str]]:
    """Undo steps, last one first; returns what was restored and what could not be."""
    undone: t.List[str] = []
    not_undone: t.List[str] = []
    settling = [step for step in steps if _KINDS[type(step)].settles]
    for step in [step for step in reversed(steps) if not _KINDS[type(step)].settles] + settling:
        try:
            done = _KINDS[type(step)].undo(host, step)
        except _errors.HostProblem as problem:
            not_undone.append(str(problem))
            continue
        if done:
            undone.append(done)
    return undone, not_undone


def _set_live(host: "hosts.Host", step: step_types.SetSysctl) -> str:
    path, text = sysctl_names.to_path(step.key), step.after
    only_held = step.before is not None and sysctl_values.matches_rounded(step.before, text, step.shape)
    found = host.sysctl_text(path) if only_held else None
    if found is None or not sysctl_values.matches_rounded(found, text, step.shape):
        _write_live(host, step)
        # An exit status or a byte count is no proof: some keys round, and some take a write without a word and ignore it.
        found = text if step.action else host.sysctl_text(path)
    if found is None or not sysctl_values.matches_rounded(found, text, step.shape):
        raise _errors.HostProblem(
            messages.KERNEL_KEPT_ANOTHER(written=text, kept=found, legal=_legal(host, step.key, step.shape))
        )
    return sysctl_values.normalize(found, step.shape)


def _write_live(host: "hosts.Host", step: step_types.SetSysctl) -> None:
    """:raises HostProblem: with the values that the key takes."""
    try:
        host.write_live(sysctl_names.to_path(step.key), step.after)
    except _errors.HostProblem as problem:
        raise _errors.HostProblem("{0}{1}".format(problem, _legal(host, step.key, step.shape)))


def _legal(host: "hosts.Host", key: str, shape: shapes.Shape) -> str:
    """What a key takes, in brackets: its range, or the words that the kernel lists elsewhere."""
    facts = catalog.find(key)
    lists = [(name, host.sysctl_text(sysctl_names.to_path(name))) for name in facts.listed] if facts else []
    known = ["{0} in {1}".format(text, name) for name, text in lists if text]
    return " (legal: {0})".format("; ".join(known) or catalog.legal(key, shape))


def _undo_live(host: "hosts.Host", step: step_types.SetSysctl) -> str:
    """Restore a key and all that the kernel changed with it."""
    if step.action:
        raise _errors.HostProblem(messages.ACTION_NOT_UNDONE(key=step.key))
    if step.before is None:
        raise _errors.HostProblem(messages.FORMER_VALUE_UNKNOWN(key=step.key))
    wanted = list(step.beside) + [(step.key, step.before, step.shape)]
    if not _differing(host, wanted):
        return ""
    failed = restore_sysctls(host, wanted)
    if failed:
        reasons = [reason for reason in failed.values() if reason != _NOT_KEPT]
        why = ": " + reasons[-1] if reasons else ""
        raise _errors.HostProblem(messages.NOT_RESTORED(keys=", ".join(failed), reason=why))
    return messages.RESTORED(key=step.key, value=step.before)


_NOT_KEPT = "the kernel kept another value"


def restore_sysctls(host: "hosts.Host", values: t.Sequence[t.Tuple[str, str, shapes.Shape]]) -> t.Dict[str, str]:
    """Give kernel parameters former values, as far as the kernel lets it; returns why, for each that differs in the end.

    :param values: key, text and shape of each, in the order in which they are to be written.
    """
    reasons: t.Dict[str, str] = {}
    # Twice, for the last key may change the others again; and a refusal does not count while the value comes back by
    # itself: vm.dirty_bytes takes no 0, and is 0 once vm.dirty_ratio is written. Ports may have to move one after the other.
    for key, text, shape in list(values) + list(values):
        if not sysctl_values.equivalent(host.sysctl_text(sysctl_names.to_path(key)), text, shape):
            try:
                host.write_live(sysctl_names.to_path(key), text)
            except _errors.HostProblem as problem:
                reasons[key] = str(problem)
    return {key: reasons.get(key, _NOT_KEPT) for key in _differing(host, values)}


def _differing(host: "hosts.Host", wanted: t.Sequence[t.Tuple[str, str, shapes.Shape]]) -> t.List[str]:
    return [
        key
        for key, text, shape in wanted
        if not sysctl_values.equivalent(host.sysctl_text(sysctl_names.to_path(key)), text, shape)
    ]


def reload(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.List[str]:
    """Carry out those steps that make others take effect; returns a sentence about each that failed."""
    problems: t.List[str] = []
    for step in steps:
        kind = _KINDS[type(step)]
        if kind.settles:
            try:
                kind.do(host, step)
            except _errors.HostProblem as problem:
                problems.append(messages.STEP_FAILED(step=kind.describe(step), reason=problem))
    return problems


def reload_steps(host: "hosts.Host", paths: t.Iterable[str]) -> t.List[step_types.DaemonReload]:
    """What must follow once files are restored: systemd reloads its own, where it runs."""
    concerned = any(path.startswith("/etc/systemd/") for path in paths)
    return [step_types.DaemonReload(())] if concerned and machine.booted(host) else []


def _write_file(host: "hosts.Host", step: step_types.WriteFile) -> str:
    restore_file(host, step, step.before, step.after)
    return ""


def restore_file(
    host: "hosts.Host", step: step_types.WriteFile, before: t.Optional[bytes], after: t.Optional[bytes]
) -> None:
    """Give the file of a step the bytes ``after``, and make or remove the directories that are there for it alone.

    :raises HostProblem: when that failed, or the file is not what it was ``before``.
    """
    if after is not None:
        host.replace(step.real, after, before)
        return
    if before is not None:
        host.remove(step.real, before)
    host.remove_directories(step.directories)


def restore_files(host: "hosts.Host", steps: t.Iterable[step_types.WriteFile]) -> t.List[str]:
    """Write files one by one; returns a sentence about each that could not be."""
    problems: t.List[str] = []
    for step in steps:
        try:
            restore_file(host, step, step.before, step.after)
        except _errors.HostProblem as problem:
            problems.append(str(problem))
    return problems


def _undo_file(host: "hosts.Host", step: step_types.WriteFile) -> str:
    now = host.read_or_none(step.real)
    if now == step.before:
        host.sweep(step.real)
        if now is None:
            host.remove_directories(step.directories)
        return ""
    if now != step.after:
        raise _errors.HostProblem(messages.FILE_CHANGED_CONCURRENTLY(path=step.path))
    restore_file(host, step, step.after, step.before)
    return (
        messages.FILE_REMOVED_AGAIN(path=step.path) if step.before is None else messages.FILE_RESTORED(path=step.path)
    )


def _try_sessions(host: "hosts.Host", step: step_types.CheckSessions) -> str:
    try:
        refused = host.sessions([(None, step.arguments)], step.users)[0]
    except _errors.HostProblem:
        return ""  # it answered a moment ago, before the files were written; no reason to take them back
    text = ", ".join("{0} ({1})".format(user, why) for user, why in sorted(refused.items()) if user not in step.before)
    if text:
        raise _errors.HostProblem(messages.SESSION_FAILED(users=text))
    return ""


def _set_process(host: "hosts.Host", step: step_types.SetRlimit) -> str:
    """Nothing is left to be limited where the process has ended; its id may have been given to another one since."""
    if not _still_runs(host, step):
        return ""
    former = host.set_limit(step.pid, step.number, step.after)
    if not _still_runs(host, step):
        host.set_limit(step.pid, step.number, former)
    return ""


def _still_runs(host: "hosts.Host", step: step_types.SetRlimit) -> bool:
    return proc.limit_of(host, step) is not None


def restore_rlimits(host: "hosts.Host", steps: t.Iterable[step_types.SetRlimit]) -> t.List[str]:
    """Set limits of processes one by one; returns a sentence about each that could not be."""
    problems: t.List[str] = []
    for step in steps:
        try:
            _set_process(host, step)
        except _errors.HostProblem as problem:
            problems.append(messages.LIMIT_NOT_RESTORED(pid=step.pid, reason=problem))
    return problems


def _undo_process(host: "hosts.Host", step: step_types.SetRlimit) -> str:
    if not _still_runs(host, step):
        return ""
    try:
        former = host.set_limit(step.pid, step.number, step.before)
    except _errors.HostProblem as problem:
        raise _errors.HostProblem(messages.LIMIT_NOT_RESTORED(pid=step.pid, reason=problem))
    return "" if former == step.before else messages.LIMIT_RESTORED(pid=step.pid)


def _reload(host: "hosts.Host", step: step_types.DaemonReload) -> str:
    _systemctl(host, ["daemon-reload"])
    for unit, name, limit in step.expected:
        shown = client.show(host, [name, name + "Soft"], [unit] if unit else [])
        found = conversion.shown(shown[0], name) if shown else None
        if found != limit:
            raise _errors.HostProblem(
                messages.MANAGER_SHOWS_ANOTHER(
                    property=name,
                    unit=unit or "the manager",
                    found="unknown" if found is None else conversion.render(found),
                    expected=conversion.render(limit),
                )
            )
    return ""


def _undo_reload(host: "hosts.Host", step: step_types.DaemonReload) -> str:
    _systemctl(host, ["daemon-reload"])
    return messages.SYSTEMD_RELOADED()


def _restart(host: "hosts.Host", step: step_types.RestartUnit) -> str:
    _systemctl(host, ["restart", "--", step.unit])
    return ""


def _undo_restart(host: "hosts.Host", step: step_types.RestartUnit) -> str:
    """With the files as they were, and read again, the unit gets its former limits by another restart."""
    try:
        _systemctl(host, ["restart", "--", step.unit])
    except _errors.HostProblem as problem:
        raise _errors.HostProblem(messages.UNIT_DOES_NOT_START(unit=step.unit, reason=problem))
    return messages.UNIT_RESTARTED(unit=step.unit)


def _systemctl(host: "hosts.Host", arguments: t.Sequence[str]) -> None:
    """:raises HostProblem: if systemd did not do it."""
    ran = host.run(["systemctl", "--no-ask-password"] + list(arguments), _TIMEOUT)
    if ran is None or ran.status != 0:
        stderr = " ".join(ran.errors.split()) if ran else "there is no such program"
        raise _errors.HostProblem(
            messages.SYSTEMCTL_FAILED(arguments=" ".join(arguments), reason=stderr or "it did not say why")
        )


# Longer than systemd itself waits for a service to stop and to start (DefaultTimeoutStartSec= and -StopSec=, 90 s each).
_TIMEOUT = 240

# For the ledger: after files below /etc/systemd are put back, a reload has to follow, and a restart is never repeated but named in
# ``needs``.
_KINDS: t.Dict[t.Type[t.Any], Kind] = {
    step_types.SetSysctl: Kind(_set_live, _undo_live, lambda step: "setting {0}".format(step.key)),
    step_types.WriteFile: Kind(_write_file, _undo_file, lambda step: ""),
    step_types.CheckSessions: Kind(_try_sessions, lambda host, step: "", lambda step: ""),
    step_types.SetRlimit: Kind(
        _set_process, _undo_process, lambda step: "setting {0} of process {1}".format(step.name, step.pid)
    ),
    step_types.DaemonReload: Kind(
        _reload, _undo_reload, lambda step: "letting systemd read its files again", settles=True
    ),
    step_types.RestartUnit: Kind(
        _restart, _undo_restart, lambda step: "restarting {0}".format(step.unit), settles=True
    ),
}
