# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recover from an interrupted run, finish a trial, and revert profiles, each with its result. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import plan as plans
from .._core import request as requests
from .._core import result as results
from .._core import steps as step_types
from .._limits.process import proc
from .._sysctl import names as sysctl_names
from . import apply, ledger_store, messages, recovery, revert_plan, step_kinds
from . import ledger as ledgers

if t.TYPE_CHECKING:
    from .._host import host as hosts


class Recovered(t.NamedTuple):
    """A host without an unfinished run, or a preview of it; whether the recovery changes it; messages about it."""

    host: "hosts.Host"
    changes: bool
    notes: t.Sequence[str]


def recover(host: "hosts.Host", ledger: ledgers.Ledger, check_mode: bool) -> Recovered:
    """Complete or undo an earlier run that was interrupted or is on trial."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return Recovered(host, False, [])
    left = recovery.pending(host, unfinished)
    changes = bool(left.live or left.files)
    if check_mode:
        text = messages.UNCONFIRMED_TRIAL_CHECK_MODE if unfinished.trial else messages.INTERRUPTED_RUN_CHECK_MODE
        problems, after = list(left.notes), recovery.preview_recovered(host, unfinished)
    else:
        text = messages.UNCONFIRMED_TRIAL if unfinished.trial else messages.INTERRUPTED_RUN
        problems, after = recovery.complete(host, ledger), host
    return Recovered(after, changes, ([text(run=unfinished.description)] if changes else []) + problems)


def finish_trial(
    host: "hosts.Host", ledger: ledgers.Ledger, decision: requests.TrialDecision, check_mode: bool
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Confirm a trial, or undo exactly its changes; returns the result and warnings.

    :raises TuneError: if the trial to confirm has ended. RequestFailed if something could not be restored.
    """
    unfinished = ledger.unfinished
    if unfinished is None or (decision.trial and decision.trial != unfinished.trial):
        if decision.confirm:
            text = messages.NOT_ON_TRIAL if decision.trial else messages.NO_TRIAL
            raise _errors.TuneError(text(trial=decision.trial))
        return results.from_plan(plans.Plan(), None), [messages.TRIAL_ALREADY_ENDED()] if decision.trial else []
    if decision.confirm:
        if not check_mode:
            ledger_store.write(host, unfinished.confirmed_ledger or ledger._replace(unfinished=None))
        return results.from_plan(plans.Plan(), None), []
    left = recovery.pending(host, unfinished)
    steps = [
        step_types.SetSysctl(key, host.sysctl_text(sysctl_names.to_path(key)), text, shape)
        for key, text, shape in left.live
    ]
    result = results.from_plan(plans.Plan(steps=steps + list(left.processes) + list(left.files)), None)
    if check_mode:
        return result, left.notes
    problems = recovery.restore(host, unfinished, left)
    if problems:
        # The ledger keeps the trial, so that another run can try again.
        result.update(undone=[], not_undone=problems)
        raise results.RequestFailed(messages.PARTLY_RESTORED(problems=_messages.joined(problems)), result)
    ledger_store.write(host, ledger._replace(unfinished=None))
    return result, left.notes


def revert(
    host: "hosts.Host",
    request: requests.Request,
    ledger: ledgers.Ledger,
    check_mode: bool,
    planner: revert_plan.Planner,
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Revert profiles, as far as the host accepts it; returns the result and warnings.

    :param planner: plans requests on a host, for the values of profiles that stay applied.
    :raises TuneError: RequestFailed if something could not be restored, others if nothing was tried.
    """
    history = t.cast(requests.History, request.history)
    revert = revert_plan.plan(host, ledger, history.name, planner)
    path = request.policy.sysctl_file
    if check_mode or revert.after == ledger:
        return results.from_plan(revert.plan, path), revert.plan.warnings
    outcome = _execute_revert(host, ledger, revert, request.what)
    if not outcome.problems:
        return results.from_plan(revert.plan, path), revert.plan.warnings
    result = results.from_plan(results.mark_refused(revert.plan, outcome.refused), path)
    result.update(undone=[], not_undone=list(outcome.problems))
    raise results.RequestFailed(messages.PARTLY_REVERTED(problems=_messages.joined(outcome.problems)), result)


class _RevertOutcome(t.NamedTuple):
    """What a revert could not restore: reasons by key, and a message for each key, file and limit."""

    refused: t.Mapping[str, str]
    problems: t.Sequence[str]


def _execute_revert(
    host: "hosts.Host", ledger: ledgers.Ledger, revert: revert_plan.Revert, description: str
) -> _RevertOutcome:
    """Carry out a revert as far as possible: what the host rejects does not keep the rest from being restored.

    What could not be restored stays in the ledger for another try.
    """
    # A killed revert is completed by the next run, so what it restores is the state after the revert.
    boot, inverse = ledger_store.boot_id(host), step_types.inverse(revert.plan.steps)
    ledger_store.write(host, ledgers.with_pending(revert.after, description, boot, inverse))
    changes = step_types.Changes(revert.plan.steps)
    refused = step_kinds.restore_sysctls(host, [(step.key, step.after, step.shape) for step in changes.sysctls])
    problems: t.List[str] = [messages.KEY_NOT_RESTORED(key=key, reason=reason) for key, reason in refused.items()]
    reloads = [step for step in revert.plan.steps if step.is_reload]
    steps: t.List[step_types.Step] = list(changes.rlimits) + list(changes.files) + list(reloads)
    problems += apply.restore(host, steps)
    after = _ledger_after_partial(host, ledger, changes) if problems else _ledger_after_revert(host, revert)
    ledger_store.write(host, after)
    return _RevertOutcome(refused, problems)


def _ledger_after_revert(host: "hosts.Host", revert: revert_plan.Revert) -> ledgers.Ledger:
    """The ledger after a revert, with the values that the kernel gave to keys that it changes along with others."""
    live = dict(revert.after.live)
    for key in revert.side_effects:
        live[key] = live[key]._replace(applied=host.sysctl_text(sysctl_names.to_path(key)) or live[key].applied)
    return revert.after._replace(live=live)


def _ledger_after_partial(host: "hosts.Host", ledger: ledgers.Ledger, changes: step_types.Changes) -> ledgers.Ledger:
    """The ledger after an incomplete revert: what is on the host now counts as applied."""
    live, files, processes = dict(ledger.live), dict(ledger.files), dict(ledger.processes)
    for sysctl in changes.sysctls:
        text = host.sysctl_text(sysctl_names.to_path(sysctl.key))
        live[sysctl.key] = live[sysctl.key]._replace(applied=text or live[sysctl.key].applied)
    for file in changes.files:
        files[file.real] = files[file.real]._replace(applied=host.read_or_none(file.real))
    for limit in changes.rlimits:
        key = ledgers.process_key(limit)
        processes[key] = processes[key]._replace(applied=proc.limit_of(host, limit) or limit.before)
    return ledger._replace(live=live, files=files, processes=processes)
