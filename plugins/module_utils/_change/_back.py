# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways back: clearing up, ending a trial, and taking profiles back, with what there is to report. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _clearing,
    _history,
    _ledger,
    _processes,
    _result,
    _revert,
    _transaction,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

_NOT_ON_TRIAL = (
    "Confirming the trial {0} was refused: it is not on trial on this host any more, for another run has taken back what it "
    "changed. Nothing was written."
)
_GONE_ALREADY = "What was to be taken back is not on trial here any more, for another run has ended the trial."


class Cleared(t.NamedTuple):
    """A host on which no run is unfinished, or a view of it as it would be then; whether that changes it, and what there is to say."""

    host: "Host"
    changes: bool
    notes: t.Sequence[str]


def cleared_up(host: "Host", ledger: _ledger.Ledger, check_mode: bool) -> Cleared:
    """Bring an earlier run, which was killed or is on trial, to its end."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return Cleared(host, False, [])
    found = _clearing.pending(host, unfinished)
    changes = bool(found.live or found.files)
    problems = list(found.notes) if check_mode else _clearing.clear_up(host, ledger)
    text = "An earlier run ({0}) was interrupted; what it left half done {1} cleared up first."
    if unfinished.trial:
        text = "An earlier run ({0}) was on trial here, and nobody confirmed it; what it changed {1} taken back first."
    text = text.format(unfinished.what, "would be" if check_mode else "was")
    after = _clearing.as_cleared_up(host, unfinished) if check_mode else host
    return Cleared(after, changes, ([text] if changes else []) + problems)


def end_trial(
    host: "Host", ledger: _ledger.Ledger, ending: _wish.Ending, check_mode: bool
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """Confirm what is on trial, or take it back: exactly that, and nothing that runs before it did."""
    unfinished = ledger.unfinished
    if unfinished is None or (ending.trial and ending.trial != unfinished.trial):
        if ending.keep:
            raise _errors.TuneError(_NOT_ON_TRIAL.format(ending.trial or "None was named"))
        return _result.of(d.Plan(), None), [_GONE_ALREADY] if ending.trial else []
    if ending.keep:
        if not check_mode:
            _history.write(host, unfinished.then or ledger._replace(unfinished=None))
        return _result.of(d.Plan(), None), []
    found = _clearing.pending(host, unfinished)
    steps = [d.LiveStep(key, host.live_text(_names.to_path(key)), text, shape) for key, text, shape in found.live]
    result = _result.of(d.Plan(steps=steps + list(found.processes) + list(found.files)), None)
    if check_mode:
        return result, found.notes
    problems = _clearing.to_goal(host, unfinished, found)
    if problems:
        # The ledger keeps it, so that the same can be tried once more.
        result.update(undone=[], not_undone=problems)
        raise _result.RequestFailed(
            "Not everything could be put back; the rest was. {0}".format(" ".join(problems)), result
        )
    _history.write(host, ledger._replace(unfinished=None))
    return result, found.notes


def take_back(
    host: "Host", request: _wish.Request, ledger: _ledger.Ledger, check_mode: bool, planner: _revert.Planner
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """Take profiles back, as far as the host lets it.

    :param planner: plans requests on a host, for what the profiles that stay come to without these.
    :raises TuneError: RequestFailed when something could not be put back, others when nothing was tried.
    """
    history = t.cast(_wish.History, request.history)
    revert = _revert.plan(host, ledger, history.name, planner)
    path = request.policy.sysctl_file
    if check_mode or revert.after == ledger:
        return _result.of(revert.plan, path), revert.plan.warnings
    taken = _carry_out(host, ledger, revert, request.what)
    if not taken.problems:
        return _result.of(taken.plan, path), taken.plan.warnings
    result = _result.of(_result.with_refusals(taken.plan, taken.refused), path)
    result.update(undone=[], not_undone=list(taken.problems))
    message = "Not everything could be put back; the rest was, and the ledger keeps what is left to do. {0}"
    raise _result.RequestFailed(message.format(" ".join(taken.problems)), result)


class _Taken(t.NamedTuple):
    """What came of taking profiles back: the plan with what really happened, and what could not be put back, by key or path."""

    plan: d.Plan
    refused: t.Mapping[str, str]
    problems: t.Sequence[str]


def _carry_out(host: "Host", ledger: _ledger.Ledger, revert: _revert.Revert, what: str) -> _Taken:
    """Carry out a revert as far as it goes: what the host refuses shall not keep the rest from being put back.

    What could not be put back stays in the ledger, so that the same can be tried once more.
    """
    plan = revert.plan
    _history.write(host, revert.begun(what, _history.boot_id(host)))
    values = [(step.key, step.after, step.shape) for step in _revert.live_steps(plan)]
    refused = _transaction.put_back(host, values)
    problems = ["{0} could not be put back: {1}.".format(key, reason) for key, reason in refused.items()]
    problems += _transaction.put_limits(host, _ledger.process_steps(plan.steps))
    problems += _transaction.put_files(host, _revert.file_steps(plan))
    problems += _transaction.settle(host, plan.steps)
    _history.write(host, _as_left(host, ledger, plan) if problems else _moved_along(host, revert))
    return _Taken(plan, refused, problems)


def _moved_along(host: "Host", revert: _revert.Revert) -> _ledger.Ledger:
    """The ledger after a revert, with what the kernel has made of keys that change along with others."""
    live = dict(revert.after.live)
    for key in revert.moved:
        live[key] = live[key]._replace(left=host.live_text(_names.to_path(key)) or live[key].left)
    return revert.after._replace(live=live)


def _as_left(host: "Host", ledger: _ledger.Ledger, plan: d.Plan) -> _ledger.Ledger:
    """The ledger with what a revert that did not get to its end has left."""
    live, files = dict(ledger.live), dict(ledger.files)
    for step in _revert.live_steps(plan):
        text = host.live_text(_names.to_path(step.key))
        live[step.key] = live[step.key]._replace(left=text or live[step.key].left)
    for file_step in _revert.file_steps(plan):
        files[file_step.real] = files[file_step.real]._replace(left=host.read_if_any(file_step.real))
    processes = dict(ledger.processes)
    for process_step in _ledger.process_steps(plan.steps):
        key = _ledger.key_of(process_step)
        processes[key] = processes[key]._replace(left=_processes.limit_of(host, process_step) or process_step.before)
    return ledger._replace(live=live, files=files, processes=processes)
