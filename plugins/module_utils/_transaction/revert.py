# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways back: clearing up, ending a trial, and taking profiles back, with what there is to report. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
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


_GONE_ALREADY = messages.TRIAL_ALREADY_ENDED()


class Recovered(t.NamedTuple):
    """A host on which no run is unfinished, or a view of it as it would be then; whether that changes it, and what there is to say."""

    host: "hosts.Host"
    changes: bool
    notes: t.Sequence[str]


def recover(host: "hosts.Host", ledger: ledgers.Ledger, check_mode: bool) -> Recovered:
    """Bring an earlier run, which was killed or is on trial, to its end."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return Recovered(host, False, [])
    found = recovery.pending(host, unfinished)
    changes = bool(found.live or found.files)
    problems = list(found.notes) if check_mode else recovery.complete(host, ledger)
    kind = messages.UNCONFIRMED_TRIAL if unfinished.trial else messages.INTERRUPTED_RUN
    text = kind(run=unfinished.description, phase="would be" if check_mode else "were")
    after = recovery.preview_recovered(host, unfinished) if check_mode else host
    return Recovered(after, changes, ([text] if changes else []) + problems)


def finish_trial(
    host: "hosts.Host", ledger: ledgers.Ledger, ending: requests.TrialDecision, check_mode: bool
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Confirm what is on trial, or take it back: exactly that, and nothing that runs before it did."""
    unfinished = ledger.unfinished
    if unfinished is None or (ending.trial and ending.trial != unfinished.trial):
        if ending.keep:
            raise _errors.TuneError(messages.NOT_ON_TRIAL(trial=ending.trial or "(no id)"))
        return results.from_plan(plans.Plan(), None), [_GONE_ALREADY] if ending.trial else []
    if ending.keep:
        if not check_mode:
            ledger_store.write(host, unfinished.confirmed_ledger or ledger._replace(unfinished=None))
        return results.from_plan(plans.Plan(), None), []
    found = recovery.pending(host, unfinished)
    steps = [
        step_types.SetSysctl(key, host.sysctl_text(sysctl_names.to_path(key)), text, shape)
        for key, text, shape in found.live
    ]
    result = results.from_plan(plans.Plan(steps=steps + list(found.processes) + list(found.files)), None)
    if check_mode:
        return result, found.notes
    problems = recovery.restore(host, unfinished, found)
    if problems:
        # The ledger keeps it, so that the same can be tried once more.
        result.update(undone=[], not_undone=problems)
        raise results.RequestFailed(messages.PARTLY_RESTORED(problems=" ".join(problems)), result)
    ledger_store.write(host, ledger._replace(unfinished=None))
    return result, found.notes


def revert(
    host: "hosts.Host",
    request: requests.Request,
    ledger: ledgers.Ledger,
    check_mode: bool,
    planner: revert_plan.Planner,
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Take profiles back, as far as the host lets it.

    :param planner: plans requests on a host, for the values of profiles that stay applied.
    :raises TuneError: RequestFailed if something could not be restored, others if nothing was tried.
    """
    history = t.cast(requests.History, request.history)
    revert = revert_plan.plan(host, ledger, history.name, planner)
    path = request.policy.sysctl_file
    if check_mode or revert.after == ledger:
        return results.from_plan(revert.plan, path), revert.plan.warnings
    taken = _execute_revert(host, ledger, revert, request.what)
    if not taken.problems:
        return results.from_plan(taken.plan, path), taken.plan.warnings
    result = results.from_plan(results.mark_refused(taken.plan, taken.refused), path)
    result.update(undone=[], not_undone=list(taken.problems))
    raise results.RequestFailed(messages.PARTLY_REVERTED(problems=" ".join(taken.problems)), result)


class _RevertOutcome(t.NamedTuple):
    """The outcome of a revert: the plan with what really happened, and what could not be restored, by key or path."""

    plan: plans.Plan
    refused: t.Mapping[str, str]
    problems: t.Sequence[str]


def _execute_revert(
    host: "hosts.Host", ledger: ledgers.Ledger, revert: revert_plan.Revert, what: str
) -> _RevertOutcome:
    """Carry out a revert as far as possible: what the host rejects does not keep the rest from being restored.

    What could not be restored stays in the ledger for another try.
    """
    plan = revert.plan
    ledger_store.write(host, revert.begun(what, ledger_store.boot_id(host)))
    values = [(step.key, step.after, step.shape) for step in revert_plan.live_steps(plan)]
    refused = step_kinds.restore_sysctls(host, values)
    problems: t.List[str] = [messages.KEY_NOT_RESTORED(key=key, reason=reason) for key, reason in refused.items()]
    changes = step_types.Changes(plan.steps)
    reloads = [step for step in plan.steps if step.is_reload]
    steps: t.List[step_types.Step] = list(changes.rlimits) + list(changes.files) + list(reloads)
    problems += apply.restore(host, steps)
    ledger_store.write(
        host, _ledger_after_partial(host, ledger, plan) if problems else _ledger_after_revert(host, revert)
    )
    return _RevertOutcome(plan, refused, problems)


def _ledger_after_revert(host: "hosts.Host", revert: revert_plan.Revert) -> ledgers.Ledger:
    """The ledger after a revert, with what the kernel has made of keys that change along with others."""
    live = dict(revert.after.live)
    for key in revert.moved:
        live[key] = live[key]._replace(applied=host.sysctl_text(sysctl_names.to_path(key)) or live[key].applied)
    return revert.after._replace(live=live)


def _ledger_after_partial(host: "hosts.Host", ledger: ledgers.Ledger, plan: plans.Plan) -> ledgers.Ledger:
    """The ledger with what a revert that did not get to its end has left."""
    live, files = dict(ledger.live), dict(ledger.files)
    for step in revert_plan.live_steps(plan):
        text = host.sysctl_text(sysctl_names.to_path(step.key))
        live[step.key] = live[step.key]._replace(applied=text or live[step.key].applied)
    for file_step in revert_plan.file_steps(plan):
        files[file_step.real] = files[file_step.real]._replace(applied=host.read_or_none(file_step.real))
    processes = dict(ledger.processes)
    for process_step in ledgers.process_steps(plan.steps):
        key = ledgers.key_of(process_step)
        processes[key] = processes[key]._replace(applied=proc.limit_of(host, process_step) or process_step.before)
    return ledger._replace(live=live, files=files, processes=processes)
