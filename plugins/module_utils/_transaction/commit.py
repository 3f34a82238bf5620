# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out a plan, with a ledger that can undo it, and reporting what came of it. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import plan as plans
from .._core import request as requests
from .._core import result as results
from .._core import steps as step_types
from . import apply, messages

if t.TYPE_CHECKING:
    from .._host import host as hosts
    from . import ledger as ledgers


def execute(
    host: "hosts.Host", request: requests.Request, plan: plans.Plan, ledger: t.Optional["ledgers.Ledger"]
) -> results.Result:
    """Carry out a plan and report what came of it."""
    path = request.policy.sysctl_file if request.policy.persist else None
    plan = plan._replace(steps=[_with_directories(host, step) for step in plan.steps])
    backups = _backup(host, plan) if request.policy.backup else {}
    try:
        if ledger is not None:
            from . import ledger_store

            ledger_store.begin(host, ledger, request, plan)
    except _errors.TuneError as problem:
        raise results.RequestFailed(messages.NOTHING_CHANGED(error=problem), results.failed_result(plan, path))
    try:
        outcomes = apply.commit(host, plan.steps)
        trial = _finish(host, request, plan, ledger) if ledger is not None else ""
    except apply.StepRefused as refusal:
        if ledger is not None and not refusal.not_undone:
            ledger_store.forget(host, ledger)
        result = results.failed_result(plan, path, refusal.step, refusal.reason)
        result.update(backups, undone=refusal.undone, not_undone=refusal.not_undone)
        raise results.RequestFailed(str(refusal), result)
    kept = {step.key: text for step, text in zip(plan.steps, outcomes) if isinstance(step, step_types.SetSysctl)}
    settings = [
        setting._replace(live=(setting.live[0], kept.get(setting.key, setting.live[1]))) for setting in plan.settings
    ]
    return results.with_trial(dict(results.from_plan(plan._replace(settings=settings), path), **backups), trial)


def _backup(host: "hosts.Host", plan: plans.Plan) -> results.Result:
    """Copies of the files that are about to be changed; the result names the last one, as modules of Ansible do."""
    result: results.Result = {}
    for step in plan.steps:
        if isinstance(step, step_types.WriteFile) and step.before is not None:
            result["backup_file"] = host.copy_aside(step.real, step.before)
    return result


def _with_directories(host: "hosts.Host", step: step_types.Step) -> step_types.Step:
    if isinstance(step, step_types.WriteFile) and step.before is None:
        return step._replace(directories=tuple(host.missing_directories(step.real)))
    return step


def _finish(host: "hosts.Host", request: requests.Request, plan: plans.Plan, ledger: "ledgers.Ledger") -> str:
    """Record that all is done. A change that cannot be recorded could not be reverted, so it is undone."""
    from . import ledger_store

    try:
        return ledger_store.finish(host, ledger, request, plan)
    except _errors.HostProblem as problem:
        undone, not_undone = apply.undo(host, plan.steps)
        raise apply.StepRefused(None, str(problem), undone, not_undone)
