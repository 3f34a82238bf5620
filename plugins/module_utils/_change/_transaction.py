# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out the steps of a plan: do, read back, and put back when one is refused. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change._decision import FileStep, LiveStep, Step
from ansible_collections.tunefleet.linux.plugins.module_utils._errors import HostProblem, TuneError
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names, _values

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host


class StepRefused(TuneError):
    """One step failed, and those before it were put back.

    ``step`` is the one that failed; ``undone`` and ``not_undone`` tell, in one sentence each, what became of the others.
    """

    def __init__(self, step: Step, reason: str, undone: t.Sequence[str], not_undone: t.Sequence[str]) -> None:
        self.step = step
        self.reason = reason
        self.undone = list(undone)
        self.not_undone = list(not_undone)
        name = step.key if isinstance(step, LiveStep) else step.path
        end = "Everything was put back as it was." if not not_undone else "Not put back: " + " ".join(not_undone)
        super().__init__("{0}: {1} {2}".format(name, reason, end))


def commit(host: "Host", steps: t.Sequence[Step]) -> None:
    """Carry out all steps, or none.

    Kernel parameters come before files: what the kernel refuses is never written down for the next boot.

    :raises StepRefused: when a step failed.
    """
    for index, step in enumerate(steps):
        try:
            _do(host, step)
        except HostProblem as problem:
            # The failed step is put back too: a write of several numbers can be refused after the first ones took effect.
            undone, not_undone = _undo(host, steps[: index + 1])
            raise StepRefused(step, str(problem), undone, not_undone)


def _do(host: "Host", step: Step) -> None:
    if isinstance(step, LiveStep):
        _set_live(host, step, step.after)
    elif step.after is None:
        host.remove(step.real)
    else:
        host.replace(step.real, step.after)


def _set_live(host: "Host", step: LiveStep, text: str) -> None:
    path = _names.to_path(step.key)
    try:
        host.write_live(path, text)
    except HostProblem as problem:
        raise HostProblem("{0}.".format(problem))
    # An exit status or a byte count is no proof: some keys round, and some take a write without a word and ignore it.
    found = host.live(path).text
    if found is None or not _values.same(found, text, step.shape):
        raise HostProblem("{0!r} was written, and the kernel kept {1!r}.".format(text, found))


def _undo(host: "Host", steps: t.Sequence[Step]) -> t.Tuple[t.List[str], t.List[str]]:
    """Put back the steps, last one first; tells what was put back and what could not be."""
    undone: t.List[str] = []
    not_undone: t.List[str] = []
    for step in reversed(steps):
        try:
            done = _undo_live(host, step) if isinstance(step, LiveStep) else _undo_file(host, step)
        except HostProblem as problem:
            name = step.key if isinstance(step, LiveStep) else step.path
            not_undone.append("{0}: {1}".format(name, problem))
            continue
        if done:
            undone.append(done)
    return undone, not_undone


def _undo_live(host: "Host", step: LiveStep) -> str:
    if step.before is None:
        raise HostProblem("its former value could not be read.")
    if _values.same(host.live(_names.to_path(step.key)).text, step.before, step.shape):
        return ""
    _set_live(host, step, step.before)
    return "{0} is {1} again.".format(step.key, step.before)


def _undo_file(host: "Host", step: FileStep) -> str:
    now = host.read_if_any(step.path)
    if now == step.before:
        return ""
    if step.before is None:
        host.remove(step.real)
        return "{0} is gone again.".format(step.path)
    host.replace(step.real, step.before)
    return "{0} is as it was.".format(step.path)
