# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply a plan, keep the ledger that can revert it, and report the result. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import plan as plans
from .._core import request as requests
from .._core import result as results
from .._core import steps as step_types
from . import apply, messages, step_kinds

if t.TYPE_CHECKING:
    from .._host import host as hosts
    from . import ledger as ledgers


def execute(
    host: "hosts.Host", request: requests.Request, plan: plans.Plan, ledger: t.Optional["ledgers.Ledger"]
) -> results.Result:
    """Apply a plan; returns the result.

    :param ledger: None if the request keeps no history.
    :raises RequestFailed: if a step failed, or the ledger could not be written.
    """
    path = request.policy.sysctl_file if request.policy.persist else None
    plan = plan._replace(steps=[step_kinds.kind_of(step).prepare(host) for step in plan.steps])
    backups = _backup(host, plan) if request.policy.backup else {}
    try:
        if ledger is not None:
            from . import ledger_store

            ledger_store.begin(host, ledger, request, plan)
    except _errors.TuneError as problem:
        raise results.RequestFailed(
            messages.NOTHING_CHANGED(error=_messages.joined([problem.message])), results.failed_result(plan, path)
        )
    try:
        live = apply.commit(host, plan.steps)
        trial = _finish(host, request, plan, ledger) if ledger is not None else ""
    except apply.StepRefused as refusal:
        if ledger is not None and not refusal.not_undone:
            ledger_store.forget(host, ledger)
        result = results.failed_result(plan, path, refusal.step, refusal.reason)
        result.update(backups, undone=refusal.undone, not_undone=refusal.not_undone)
        raise results.RequestFailed(refusal.message, result)
    settings = [
        setting._replace(live=(setting.live[0], live.get(setting.key, setting.live[1]))) for setting in plan.settings
    ]
    return results.with_trial(dict(results.from_plan(plan._replace(settings=settings), path), **backups), trial)


def _backup(host: "hosts.Host", plan: plans.Plan) -> results.Result:
    """Copy the files that the plan changes; the result names the last copy, as other modules of Ansible do."""
    result: results.Result = {}
    for file in step_types.Changes(plan.steps).files:
        if file.before is not None:
            result["backup_file"] = host.copy_aside(file.real, file.before)
    return result


def _finish(host: "hosts.Host", request: requests.Request, plan: plans.Plan, ledger: "ledgers.Ledger") -> str:
    """Write the ledger of the finished run; returns the id of its trial, if any.

    :raises StepRefused: if it could not be written. The change could not be reverted then, so it is undone.
    """
    from . import ledger_store

    try:
        return ledger_store.finish(host, ledger, request, plan)
    except _errors.HostProblem as problem:
        undone, not_undone = apply.undo(host, plan.steps)
        raise apply.StepRefused(None, problem.message, undone, not_undone)
