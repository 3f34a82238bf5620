# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a request to a result, for every module that changes something: lock, plan, check, apply. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._checks import cross_key
from .._core import bound as bounds
from .._core import plan as plans
from .._core import redact
from .._core import request as requests
from .._core import result as results
from .._host import machine
from .._sysctl import facts as sysctl_facts
from .._sysctl import names as sysctl_names
from .._sysctl import plan as sysctl_plan
from . import facts as host_facts
from . import messages

if t.TYPE_CHECKING:
    from .._host import host as hosts
    from .._transaction import ledger as ledgers

LOCK = "/run/tunefleet.lock"
# Seconds to wait for another run on the same host, which may restart services.
_TIMEOUT = 30.0


def make_plan(request: requests.Request, facts: host_facts.HostFacts) -> plans.Plan:
    """The plan for everything that a request names. Pure."""
    plan = sysctl_plan.plan(request.settings, facts.sysctl, request.policy) if facts.sysctl else plans.Plan()
    nofile_rules: t.Sequence[plans.NofileRule] = ()
    if facts.limits is not None:
        from . import limits as request_limits

        plan = request_limits.plan(plan, request, facts.limits)
        nofile_rules = request_limits.nofile_rules(facts.limits, plan)
    violations = cross_key.check(plan, request.policy, nofile_rules)
    problems = [violation.text for violation in violations if violation.refused]
    warnings = [violation.text for violation in violations if not violation.refused]
    cost = None
    if request.policy.connections is not None:
        from .._checks import memory as tcp_memory

        cost = tcp_memory.estimate(plan, request.policy, facts.machine)
        if cost is not None and (cost.refused or cost.warned):
            (problems if cost.refused else warnings).append(tcp_memory.sentence(cost, request.policy))
    return plan._replace(
        problems=list(plan.problems) + problems,
        warnings=list(plan.warnings) + warnings,
        findings=violations,
        cost=cost,
    )


def _has_formula(request: requests.Request) -> bool:
    values: t.List[t.Any] = [desired.raw for desired in request.settings]
    values += [bound.value for desired in request.limits for bound in (desired.soft, desired.hard) if bound is not None]
    return any(bounds.is_formula(value) for value in values)


def plan_on(host: "hosts.Host", request: requests.Request) -> plans.Plan:
    """The plan for a request on a host, with its patterns expanded and its formulas evaluated.

    :raises TuneError: if the host cannot be read, or a formula cannot be evaluated there.
    """
    patterns = [desired.key for desired in request.settings if sysctl_names.is_pattern(desired.key)]
    if patterns:
        from .._sysctl import settings as sysctl_settings

        matches = {pattern: sysctl_facts.matches(host, pattern) for pattern in patterns}
        request = request._replace(settings=sysctl_settings.expand(request.settings, matches))
    if _has_formula(request):
        from . import evaluation

        request = evaluation.evaluated(request, machine.resources(host))
    facts = host_facts.gather(host, request)
    plan = make_plan(request, facts)
    if facts.limits is None:
        return plan
    from . import limits as request_limits

    return request_limits.check_sessions(host, request, facts.limits, plan)


def plan_record(host: "hosts.Host", record: "ledgers.ProfileRecord", observe: bool) -> plans.Plan:
    """The plan for a profile that the ledger holds.

    :param observe: plan its limits without a desired value, which shows the effective one of each.
    :raises TuneError: if this release does not know an option of the profile.
    """
    # What was accepted when it was applied needs no second acceptance.
    accepted = {
        "name": record.name,
        "accept_hazards": True,
        "on_unavailable": requests.SKIP,
        "on_shadowed": requests.WARN,
    }
    assumed = {"guard": "refuse", "connections": None, "memory_warn": 50, "memory_refuse": 100}
    from . import profile_options

    request = profile_options.parse(dict(assumed, **dict(record.options, **accepted)))
    if observe:
        request = request._replace(
            settings=[], limits=[desired._replace(soft=None, hard=None) for desired in request.limits]
        )
    return plan_on(host, request)


def run(
    host: "hosts.Host", request: requests.Request, check_mode: bool, diff: bool = True
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """Apply a request, or predict its result.

    :param diff: whether the result includes what ``--diff`` shows, which may be long.
    :returns: the result, and warnings; neither holds the value of a secret key.
    :raises TuneError: RequestFailed if an entry was refused, others if the host cannot be read.
    """
    requested = redact.secrets_in_options({desired.key: desired.raw for desired in request.settings})
    try:
        result, warnings = _locked(host, request, check_mode)
    except results.RequestFailed as failure:
        secrets = requested + redact.secrets_in_result(failure.result)
        message, problems = redact.redact(failure.message, secrets), redact.redact(failure.problems, secrets)
        raise results.RequestFailed(message, _shown(failure.result, secrets, diff), problems) from None
    except _errors.TuneError as problem:
        message = redact.redact(problem.message, requested)
        if message == problem.message:
            raise
        raise _errors.TuneError(message) from None
    secrets = requested + redact.secrets_in_result(result)
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
    with host.lock(LOCK, request.what, _TIMEOUT):
        return _run(host, request, check_mode)


def _run(host: "hosts.Host", request: requests.Request, check_mode: bool) -> t.Tuple[results.Result, t.Sequence[str]]:
    history = request.history
    if history is None or not (history.revert or history.ending or host.is_root()):
        # Only root may read the ledger. Others can audit, or run a request that needs no change.
        return _apply(host, request, None, check_mode)
    if not host.is_root():
        operation = "Ending a trial" if history.ending else "Reverting profiles"
        raise _errors.TuneError(messages.NEEDS_ROOT(operation=operation, user=host.user_name()))
    from .._transaction import ledger_store

    ledger = ledger_store.read(host)
    if history.ending is None and not history.revert and ledger.unfinished is None:
        return _apply(host, request, ledger, check_mode)
    # Few runs need it, and a host compiles all that it loads, each time.
    from .._transaction import revert

    if history.ending is not None:
        return revert.finish_trial(host, ledger, history.ending, check_mode)
    recovered, ledger = revert.recover(host, ledger, check_mode), ledger._replace(unfinished=None)
    try:
        if history.revert:
            result, warnings = revert.revert(recovered.host, request, ledger, check_mode, plan_record)
        else:
            result, warnings = _apply(recovered.host, request, ledger, check_mode)
    except results.RequestFailed as failure:
        failure.result.update(changed=recovered.changes or failure.result.get("changed", False))
        failure.result["undone"] = list(recovered.notes) + failure.result["undone"]
        raise
    result["changed"] = result["changed"] or recovered.changes
    return result, list(recovered.notes) + list(warnings)


def _apply(
    host: "hosts.Host", request: requests.Request, ledger: t.Optional["ledgers.Ledger"], check_mode: bool
) -> t.Tuple[results.Result, t.Sequence[str]]:
    """:param ledger: None if the request keeps no history."""
    plan = plan_on(host, request)
    path = request.policy.sysctl_file if request.policy.persist else None
    if plan.problems:
        result = results.failed_result(plan, path)
        problems = [_messages.as_message(problem) for problem in plan.problems]
        raise results.RequestFailed(_messages.refused(problems), result, problems)
    warnings = list(request.warnings) + list(plan.warnings)
    if check_mode:
        return results.from_plan(plan, path), warnings
    if plan.steps:
        if not host.is_root():
            message = messages.NEEDS_ROOT(operation="Changing kernel parameters and limits", user=host.user_name())
            raise results.RequestFailed(message, results.failed_result(plan, path))
        # Loaded before the first change, because an undo must not depend on an import. Other runs do not need it.
        from .._transaction import commit

        return commit.execute(host, request, plan, ledger), warnings
    result = results.from_plan(plan, path)
    if ledger is None:
        return result, warnings
    from .._transaction import ledger_store

    return results.with_trial(result, ledger_store.finish(host, ledger, request, plan)), warnings
