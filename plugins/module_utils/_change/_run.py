# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one way from a request to a result, which every module that changes something takes. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _cost,
    _plan_limits,
    _plan_sysctl,
    _result,
    _rules,
    _seen,
    _transaction,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._change._decision import (
    BootState,
    Context,
    FileStep,
    LiveStep,
    Plan,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._change._wish import Request
from ansible_collections.tunefleet.linux.plugins.module_utils._errors import EntryProblems, TuneError
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host


class RequestFailed(TuneError):
    """A request came to nothing; ``result`` tells entry by entry how far each would have come, and what was put back."""

    def __init__(self, message: str, result: _result.Result) -> None:
        self.result = result
        super().__init__(message)


def make_plan(request: Request, seen: _seen.Seen) -> Plan:
    """The plan for everything that a request names. Pure."""
    plan = _plan_sysctl.plan(request.wishes, seen.sysctl, request.policy) if seen.sysctl else Plan()
    if seen.limits is not None:
        plan = _with_limits(plan, request, seen.limits)
    findings = _rules.findings(plan, request.policy, seen.nofile_rules)
    problems = [one.text for one in findings if one.refused]
    warnings = [one.text for one in findings if not one.refused]
    cost = _cost.of(plan, request.policy, seen.machine)
    if cost is not None and (cost.refused or cost.warned):
        (problems if cost.refused else warnings).append(_cost.sentence(cost, request.policy))
    return plan._replace(
        problems=list(plan.problems) + problems,
        warnings=list(plan.warnings) + warnings,
        findings=findings,
        cost=cost,
    )


def _with_limits(plan: Plan, request: Request, seen: _seen.LimitsSeen) -> Plan:
    nr_open = _nr_open_after(plan, seen.nr_open)
    limits = _plan_limits.plan(request.limits, seen, request.policy, nr_open)
    file_max = None if seen.file_max is None else str(seen.file_max)
    return plan._replace(
        limits=limits.limits,
        # Kernel parameters first: a limit may need the fs.nr_open that the same request sets.
        steps=list(plan.steps) + list(limits.steps),
        problems=list(plan.problems) + list(limits.problems),
        warnings=list(plan.warnings) + list(limits.warnings),
        needs=limits.needs,
        context=dict({_rules.FILE_MAX: Context(file_max, BootState(), True)}, **plan.context),
    )


def _nr_open_after(plan: Plan, now: t.Optional[int]) -> t.Optional[int]:
    for step in plan.steps:
        if isinstance(step, LiveStep) and step.key == "fs.nr_open":
            return int(step.after)
    return now


def run(host: "Host", request: Request, check_mode: bool) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """Carry out a request, or predict what that would do.

    :returns: the result, and warnings.
    :raises TuneError: RequestFailed when an entry was refused, others when the host could not be looked at.
    """
    patterns = [wish.key for wish in request.wishes if _names.is_pattern(wish.key)]
    if patterns:
        found = {pattern: _seen.matches(host, pattern) for pattern in patterns}
        request = request._replace(wishes=_wish.expanded(request.wishes, found))
    if _wish.depends_on_host(request):
        request = _wish.worked_out(request, _seen.resources(host))
    plan = make_plan(request, _seen.of(host, request))
    path = request.policy.sysctl_file if request.policy.persist else None
    if plan.problems:
        raise RequestFailed(str(EntryProblems(plan.problems)), _result.unwritten(plan, path))
    if plan.steps and not check_mode:
        if not host.is_root():
            message = (
                "Changing kernel parameters and limits needs root, and this ran as the user {0}. Run it as root, or let Ansible "
                "become root (become: true, or --become on the command line). Nothing was written."
            )
            raise RequestFailed(message.format(host.user_name()), _result.unwritten(plan, path))
        return _commit(host, request, plan, path), plan.warnings
    return _result.of(plan, path), plan.warnings


def _backup(host: "Host", plan: Plan) -> _result.Result:
    """Copies of the files that are about to be changed; the result names the last one, as modules of Ansible do."""
    result: _result.Result = {}
    for step in plan.steps:
        if isinstance(step, FileStep) and step.before is not None:
            result["backup_file"] = host.copy_aside(step.real, step.before)
    return result


def _commit(host: "Host", request: Request, plan: Plan, path: t.Optional[str]) -> _result.Result:
    """Carry out a plan and report what came of it."""
    backups = _backup(host, plan) if request.policy.backup else {}
    # The place of the ledger: nothing has been changed yet, and from here on everything may.
    try:
        outcomes = _transaction.commit(host, plan.steps)
    except _transaction.StepRefused as refusal:
        key = refusal.step.key if isinstance(refusal.step, LiveStep) else ""
        result = _result.unwritten(plan, path, key, refusal.reason)
        result.update(backups, undone=refusal.undone, not_undone=refusal.not_undone)
        raise RequestFailed(str(refusal), result)
    kept = {step.key: text for step, text in zip(plan.steps, outcomes) if isinstance(step, LiveStep)}
    settings = [one._replace(live=(one.live[0], kept.get(one.key, one.live[1]))) for one in plan.settings]
    return dict(_result.of(plan._replace(settings=settings), path), **backups)
