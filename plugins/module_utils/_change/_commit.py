# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carrying out a plan, with a ledger that can undo it, and reporting what came of it. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _history,
    _ledger,
    _result,
    _transaction,
    _wish,
)

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host


def carry_out(host: "Host", request: _wish.Request, plan: d.Plan, ledger: t.Optional[_ledger.Ledger]) -> _result.Result:
    """Carry out a plan and report what came of it."""
    path = request.policy.sysctl_file if request.policy.persist else None
    plan = plan._replace(steps=[_with_directories(host, step) for step in plan.steps])
    backups = _backup(host, plan) if request.policy.backup else {}
    try:
        if ledger is not None:
            _history.begin(host, ledger, request, plan)
    except _errors.TuneError as problem:
        raise _result.RequestFailed("{0} Nothing was changed.".format(problem), _result.unwritten(plan, path))
    try:
        outcomes = _transaction.commit(host, plan.steps)
        trial = _finish(host, request, plan, ledger) if ledger is not None else ""
    except _transaction.StepRefused as refusal:
        if ledger is not None and not refusal.not_undone:
            _history.forget(host, ledger)
        result = _result.unwritten(plan, path, refusal.step, refusal.reason)
        result.update(backups, undone=refusal.undone, not_undone=refusal.not_undone)
        raise _result.RequestFailed(str(refusal), result)
    kept = {step.key: text for step, text in zip(plan.steps, outcomes) if isinstance(step, d.LiveStep)}
    settings = [one._replace(live=(one.live[0], kept.get(one.key, one.live[1]))) for one in plan.settings]
    return _result.with_trial(dict(_result.of(plan._replace(settings=settings), path), **backups), trial)


def _backup(host: "Host", plan: d.Plan) -> _result.Result:
    """Copies of the files that are about to be changed; the result names the last one, as modules of Ansible do."""
    result: _result.Result = {}
    for step in plan.steps:
        if isinstance(step, d.FileStep) and step.before is not None:
            result["backup_file"] = host.copy_aside(step.real, step.before)
    return result


def _with_directories(host: "Host", step: d.Step) -> d.Step:
    if isinstance(step, d.FileStep) and step.before is None:
        return step._replace(directories=tuple(host.missing_directories(step.real)))
    return step


def _finish(host: "Host", request: _wish.Request, plan: d.Plan, ledger: _ledger.Ledger) -> str:
    """Note down that all is done. What cannot be noted down could not be taken back, so then it is undone."""
    try:
        return _history.finish(host, ledger, request, plan)
    except _errors.HostProblem as problem:
        undone, not_undone = _transaction.undo(host, plan.steps)
        raise _transaction.StepRefused(None, str(problem), undone, not_undone)
