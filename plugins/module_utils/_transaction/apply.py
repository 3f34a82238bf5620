# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply the steps of a plan: write, read back, and undo all if one fails. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import steps as step_types
from .._host import machine
from . import messages, step_kinds

if t.TYPE_CHECKING:
    from .._host import host as hosts


class StepRefused(_errors.TuneError):
    """One step failed, and those before it were undone.

    ``step`` is the one that failed, None if the ledger was not written or another program changed the host. ``undone`` and
    ``not_undone`` hold one message for each earlier step.
    """

    def __init__(
        self, step: t.Optional[step_types.Step], reason: str, undone: t.Sequence[str], not_undone: t.Sequence[str]
    ) -> None:
        self.step = step
        self.reason = reason
        self.undone = list(undone)
        self.not_undone = list(not_undone)
        failed = reason if step is None else step_kinds.kind_of(step).failed(reason)
        problems = _messages.joined(not_undone)
        outcome = messages.NOT_UNDONE(problems=problems) if problems else messages.ALL_UNDONE()
        super().__init__(_messages.joined([failed, outcome]))


def commit(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.Dict[str, str]:
    """Apply all steps, or none.

    Kernel parameters come before files: what the kernel rejects is never written for the next boot.

    :returns: the kernel parameters that were set, with the values that the kernel made of them: it rounds some.
    :raises StepRefused: if a step failed.
    """
    live: t.Dict[str, str] = {}
    written: t.Set[str] = set()
    for index, step in enumerate(steps):
        kind = step_kinds.kind_of(step)
        try:
            kind.check_unchanged(host, written)
            live.update(kind.apply(host))
        except _errors.ConcurrentChange as problem:
            # What another program has just written is not ours to undo.
            undone, not_undone = undo(host, steps[:index])
            raise StepRefused(None, problem.message, undone, not_undone)
        except _errors.HostProblem as problem:
            # The failed step is undone too: a write of several numbers can be rejected after the first ones took effect.
            undone, not_undone = undo(host, steps[: index + 1])
            raise StepRefused(step, problem.message, undone, not_undone)
    return live


def undo(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.Tuple[t.List[str], t.List[str]]:
    """Undo steps, last one first; reloads come last, in their own order. Returns what was restored and what could not be."""
    undone: t.List[str] = []
    not_undone: t.List[str] = []
    reloads = [step for step in steps if step.is_reload]
    for step in [step for step in reversed(steps) if not step.is_reload] + reloads:
        try:
            restored = step_kinds.kind_of(step).undo(host)
        except _errors.HostProblem as problem:
            not_undone.append(problem.message)
            continue
        if restored:
            undone.append(restored)
    return undone, not_undone


def restore(host: "hosts.Host", steps: t.Iterable[step_types.Step]) -> t.List[str]:
    """Apply steps that restore a former state, each on its own; returns a message for each that failed."""
    problems: t.List[str] = []
    for step in steps:
        kind = step_kinds.kind_of(step)
        try:
            kind.apply(host)
        except _errors.HostProblem as problem:
            problems.append(kind.not_restored(problem.message))
    return problems


def reload_steps(host: "hosts.Host", paths: t.Iterable[str]) -> t.List[step_types.DaemonReload]:
    """The steps that must follow once files are restored: systemd reloads its own, if it runs."""
    is_affected = any(path.startswith("/etc/systemd/") for path in paths)
    return [step_types.DaemonReload(())] if is_affected and machine.booted(host) else []
