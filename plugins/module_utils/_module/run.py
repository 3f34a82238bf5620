# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one way from a request to a result, which every module that changes something takes. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._checks import cross_key
from .._checks import memory as tcp_memory
from .._core import limit as limit_types
from .._core import plan as plans
from .._core import redact
from .._core import request as requests
from .._core import result as results
from .._host import machine
from .._limits.pam import info as pam_info
from .._limits.pam import plan as pam_plan
from .._limits.pam import session_check
from .._limits.process import plan as process_plan
from .._limits.systemd import plan as systemd_plan
from .._limits.systemd import slices
from .._sysctl import facts as sysctl_facts
from .._sysctl import names as sysctl_names
from .._sysctl import plan as sysctl_plan
from .._sysctl import settings as sysctl_settings
from .._transaction import ledger as ledgers
from .._transaction import ledger_store
from . import evaluation, messages
from . import facts as host_facts
from . import options as module_options

if t.TYPE_CHECKING:
    from .._host import host as hosts


# Seconds that a run waits for another one on the same host; one that restarts services may take a while.
_TIMEOUT = 30.0


def make_plan(request: requests.Request, seen: host_facts.HostFacts) -> plans.Plan:
    """The plan for everything that a request names. Pure."""
    plan = sysctl_plan.plan(request.settings, seen.sysctl, request.policy) if seen.sysctl else plans.Plan()
    if request.limits:
        plan = _with_limits(plan, request, seen)
    nofile_rules = pam_plan.nofile_rules(seen.limits, plan) if seen.limits else ()
    findings = cross_key.check(plan, request.policy, nofile_rules)
    problems = [one.text for one in findings if one.refused]
    warnings = [one.text for one in findings if not one.refused]
    cost = tcp_memory.estimate(plan, request.policy, seen.machine)
    if cost is not None and (cost.refused or cost.warned):
        (problems if cost.refused else warnings).append(tcp_memory.sentence(cost, request.policy))
    return plan._replace(
        problems=list(plan.problems) + problems,
        warnings=list(plan.warnings) + warnings,
        findings=findings,
        cost=cost,
    )


def _with_limits(plan: plans.Plan, request: requests.Request, seen: host_facts.HostFacts) -> plans.Plan:
    nr_open = pam_plan.nr_open_after(plan, seen.nr_open)
    # Kernel parameters first: a limit may need the fs.nr_open that the same request sets. Units last, for they have to be started
    # anew before anything of theirs holds, and nothing that is refused shall have cost a restart.
    domains = _plan_pam(request, seen, nr_open)
    parts = [plan, _plan_processes(request, seen, nr_open), domains, _plan_systemd(request, seen, nr_open, domains)]
    decided = {(one.kind, one.target, one.item): one for part in parts for one in part.limits}
    context = dict(plan.context)
    if seen.limits is not None:
        file_max = None if seen.limits.file_max is None else str(seen.limits.file_max)
        context.setdefault(cross_key.FILE_MAX, plans.Context(file_max, plans.BootState(), True))
    return plan._replace(
        limits=[decided[desired.identity] for desired in request.limits],
        steps=[step for part in parts for step in part.steps],
        problems=[problem for part in parts for problem in part.problems],
        warnings=[warning for part in parts for warning in part.warnings],
        needs=[need for part in parts for need in part.needs],
        context=context,
    )


def _plan_pam(request: requests.Request, seen: host_facts.HostFacts, nr_open: t.Optional[int]) -> plans.Plan:
    desired_limits = [desired for desired in request.limits if desired.kind == limit_types.DOMAIN]
    return (
        pam_plan.plan(desired_limits, seen.limits, request.policy, nr_open)
        if seen.limits and desired_limits
        else plans.Plan()
    )


def _plan_systemd(
    request: requests.Request, seen: host_facts.HostFacts, nr_open: t.Optional[int], domains: plans.Plan
) -> plans.Plan:
    """:param domains: what becomes of limits files, whose rules bind the managers of users."""
    desired_limits = [desired for desired in request.limits if desired.kind in (limit_types.UNIT, limit_types.MANAGER)]
    if seen.systemd is None or not desired_limits:
        return plans.Plan()
    sessions = None
    if seen.sessions is not None:
        files = pam_plan.files_after(seen.sessions, domains)
        sessions = pam_info.of_user_managers(seen.sessions, files, {desired.item for desired in desired_limits})
    return systemd_plan.plan(desired_limits, seen.systemd, request.policy, nr_open, sessions)


def _plan_processes(request: requests.Request, seen: host_facts.HostFacts, nr_open: t.Optional[int]) -> plans.Plan:
    desired_limits = [desired for desired in request.limits if desired.kind == limit_types.PROCESS]
    return (
        process_plan.plan(desired_limits, seen.systemd, request.policy, nr_open)
        if seen.systemd and desired_limits
        else plans.Plan()
    )


def plan_on(host: "hosts.Host", request: requests.Request) -> plans.Plan:
    """The plan for a request on a host, with patterns and numbers that depend on the host worked out.

    :raises TuneError: when the host could not be looked at, or a number cannot be told there.
    """
    patterns = [desired.key for desired in request.settings if sysctl_names.is_pattern(desired.key)]
    if patterns:
        found = {pattern: sysctl_facts.matches(host, pattern) for pattern in patterns}
        request = request._replace(settings=sysctl_settings.expand(request.settings, found))
    if evaluation.depends_on_host(request):
        request = evaluation.evaluated(request, machine.resources(host))
    seen = host_facts.gather(host, request)
    return slices.annotate(host, session_check.check_sessions(host, request, seen.limits, make_plan(request, seen)))


def plan_record(host: "hosts.Host", record: ledgers.ProfileRecord, observe: bool) -> plans.Plan:
    """The plan for a profile that the ledger holds.

    :param observe: plan its limits without anything that is wanted of them, which tells what is in force for each.
    :raises TuneError: when this release does not understand what the profile asks for.
    """
    # What was accepted when it was applied is not asked for again.
    accepted = {
        "name": record.name,
        "accept_hazards": True,
        "on_unavailable": requests.SKIP,
        "on_shadowed": requests.WARN,
    }
    assumed = {"guard": "refuse", "connections": None, "memory_warn": 50, "memory_refuse": 100}
    request = module_options.parse_profile_options(dict(assumed, **dict(record.options, **accepted)))
    if observe:
        request = request._replace(
            settings=[], limits=[desired._replace(soft=None, hard=None) for desired in request.limits]
        )
    return plan_on(host, request)


def run(
    host: "hosts.Host", request: requests.Request, check_mode: bool, diff: bool = True
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Carry out a request, or predict what that would do.

    :param diff: whether the result shall have what ``--diff`` shows, which may be long.
    :returns: the result, and warnings; neither holds the value of a secret key.
    :raises TuneError: _result.RequestFailed when an entry was refused, others when the host could not be looked at.
    """
    asked = redact.secrets_in_options({desired.key: desired.raw for desired in request.settings})
    try:
        result, warnings = _locked(host, request, check_mode)
    except results.RequestFailed as failure:
        secrets = asked + redact.secrets_in_result(failure.result)
        message, problems = redact.redact(failure.message, secrets), redact.redact(failure.problems, secrets)
        raise results.RequestFailed(message, _shown(failure.result, secrets, diff), problems) from None
    except _errors.TuneError as problem:
        message = redact.redact(problem.message, asked)
        if message == problem.message:
            raise
        raise _errors.TuneError(message) from None
    secrets = asked + redact.secrets_in_result(result)
    return _shown(result, secrets, diff), redact.redact(list(warnings), secrets)


def _shown(result: results.Result, secrets: t.Sequence[str], diff: bool) -> results.Result:
    shown: results.Result = redact.redact(result, secrets)
    if not diff:
        shown.pop("diff", None)
    return shown


def _locked(
    host: "hosts.Host", request: requests.Request, check_mode: bool
) -> t.Tuple[results.Result, t.Sequence[str]]:
    if check_mode or not host.is_root():
        return _run(host, request, check_mode)
    with host.lock(ledgers.LOCK, request.what, _TIMEOUT):
        return _run(host, request, check_mode)


def _run(host: "hosts.Host", request: requests.Request, check_mode: bool) -> t.Tuple[results.Result, t.Sequence[str]]:
    history = request.history
    if history is None or not (history.revert or history.ending or host.is_root()):
        # Root alone may read the ledger; others may only look, or find that there is nothing to do.
        return _apply(host, request, None, check_mode)
    if not host.is_root():
        what = "Ending a trial" if history.ending else "Reverting profiles"
        raise _errors.TuneError(messages.NEEDS_ROOT(operation=what, user=host.user_name()))
    ledger = ledger_store.read(host)
    if history.ending is None and not history.revert and ledger.unfinished is None:
        return _apply(host, request, ledger, check_mode)
    # Few runs go back, and a host compiles all that it loads, each time.
    from .._transaction import revert

    if history.ending is not None:
        return revert.finish_trial(host, ledger, history.ending, check_mode)
    cleared, ledger = revert.recover(host, ledger, check_mode), ledger._replace(unfinished=None)
    try:
        if history.revert:
            result, warnings = revert.revert(cleared.host, request, ledger, check_mode, plan_record)
        else:
            result, warnings = _apply(cleared.host, request, ledger, check_mode)
    except results.RequestFailed as failure:
        failure.result.update(changed=cleared.changes or failure.result.get("changed", False))
        failure.result["undone"] = list(cleared.notes) + failure.result["undone"]
        raise
    result["changed"] = result["changed"] or cleared.changes
    return result, list(cleared.notes) + list(warnings)


def _apply(
    host: "hosts.Host", request: requests.Request, ledger: t.Optional[ledgers.Ledger], check_mode: bool
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """:param ledger: None where no history is kept."""
    plan = plan_on(host, request)
    path = request.policy.sysctl_file if request.policy.persist else None
    if plan.problems:
        result = results.failed_result(plan, path)
        problems = [_messages.as_message(one) for one in plan.problems]
        raise results.RequestFailed(_messages.refused(problems), result, problems)
    warnings = list(request.warnings) + list(plan.warnings)
    if check_mode:
        return results.from_plan(plan, path), warnings
    if plan.steps:
        if not host.is_root():
            message = messages.NEEDS_ROOT(operation="Changing kernel parameters and limits", user=host.user_name())
            raise results.RequestFailed(message, results.failed_result(plan, path))
        # Before the first change, for all that is needed to undo it has to be there; a run that changes nothing goes without.
        from .._transaction import commit

        return commit.execute(host, request, plan, ledger), warnings
    trial = ledger_store.finish(host, ledger, request, plan) if ledger is not None else ""
    return results.with_trial(results.from_plan(plan, path), trial), warnings
