# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one way from a request to a result, which every module that changes something takes. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _cost,
    _history,
    _info_limits,
    _ledger,
    _plan_limits,
    _plan_processes,
    _plan_sysctl,
    _plan_units,
    _result,
    _rules,
    _secrets,
    _seen,
    _sessions,
    _slices,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

# Seconds that a run waits for another one on the same host; one that restarts services may take a while.
_PATIENCE = 30.0
_NEEDS_ROOT = (
    "{0} needs root, and this ran as the user {1}. Run it as root, or let Ansible become root (become: true, or --become on the "
    "command line). Nothing was written."
)


def make_plan(request: _wish.Request, seen: _seen.Seen) -> d.Plan:
    """The plan for everything that a request names. Pure."""
    plan = _plan_sysctl.plan(request.wishes, seen.sysctl, request.policy) if seen.sysctl else d.Plan()
    if request.limits:
        plan = _with_limits(plan, request, seen)
    nofile_rules = _plan_limits.nofile_rules(seen.limits, plan) if seen.limits else ()
    findings = _rules.findings(plan, request.policy, nofile_rules)
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


def _with_limits(plan: d.Plan, request: _wish.Request, seen: _seen.Seen) -> d.Plan:
    nr_open = _plan_limits.nr_open_after(plan, seen.nr_open)
    # Kernel parameters first: a limit may need the fs.nr_open that the same request sets. Units last, for they have to be started
    # anew before anything of theirs holds, and nothing that is refused shall have cost a restart.
    domains = _domains(request, seen, nr_open)
    plans = [plan, _processes(request, seen, nr_open), domains, _units(request, seen, nr_open, domains)]
    decided = {(one.kind, one.domain, one.item): one for part in plans for one in part.limits}
    context = dict(plan.context)
    if seen.limits is not None:
        file_max = None if seen.limits.file_max is None else str(seen.limits.file_max)
        context.setdefault(_rules.FILE_MAX, d.Context(file_max, d.BootState(), True))
    return plan._replace(
        limits=[decided[wish.identity] for wish in request.limits],
        steps=[step for part in plans for step in part.steps],
        problems=[problem for part in plans for problem in part.problems],
        warnings=[warning for part in plans for warning in part.warnings],
        needs=[need for part in plans for need in part.needs],
        context=context,
    )


def _domains(request: _wish.Request, seen: _seen.Seen, nr_open: t.Optional[int]) -> d.Plan:
    wishes = [wish for wish in request.limits if wish.kind == _targets.DOMAIN]
    return _plan_limits.plan(wishes, seen.limits, request.policy, nr_open) if seen.limits and wishes else d.Plan()


def _units(request: _wish.Request, seen: _seen.Seen, nr_open: t.Optional[int], domains: d.Plan) -> d.Plan:
    """:param domains: what becomes of limits files, whose rules bind the managers of users."""
    wishes = [wish for wish in request.limits if wish.kind in (_targets.UNIT, _targets.MANAGER)]
    if seen.systemd is None or not wishes:
        return d.Plan()
    sessions = None
    if seen.sessions is not None:
        files = _plan_limits.files_after(seen.sessions, domains)
        sessions = _info_limits.of_user_managers(seen.sessions, files, {wish.item for wish in wishes})
    return _plan_units.plan(wishes, seen.systemd, request.policy, nr_open, sessions)


def _processes(request: _wish.Request, seen: _seen.Seen, nr_open: t.Optional[int]) -> d.Plan:
    wishes = [wish for wish in request.limits if wish.kind == _targets.PROCESS]
    return _plan_processes.plan(wishes, seen.systemd, request.policy, nr_open) if seen.systemd and wishes else d.Plan()


def plan_on(host: "Host", request: _wish.Request) -> d.Plan:
    """The plan for a request on a host, with patterns and numbers that depend on the host worked out.

    :raises TuneError: when the host could not be looked at, or a number cannot be told there.
    """
    patterns = [wish.key for wish in request.wishes if _names.is_pattern(wish.key)]
    if patterns:
        found = {pattern: _seen.matches(host, pattern) for pattern in patterns}
        request = request._replace(wishes=_wish.expanded(request.wishes, found))
    if _wish.depends_on_host(request):
        request = _wish.worked_out(request, _seen.resources(host))
    seen = _seen.of(host, request)
    return _slices.told(host, _sessions.tried(host, request, seen.limits, make_plan(request, seen)))


def run(
    host: "Host", request: _wish.Request, check_mode: bool, diff: bool = True
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """Carry out a request, or predict what that would do.

    :param diff: whether the result shall have what ``--diff`` shows, which may be long.
    :returns: the result, and warnings; neither holds the value of a secret key.
    :raises TuneError: _result.RequestFailed when an entry was refused, others when the host could not be looked at.
    """
    asked = _secrets.asked_for({wish.key: wish.raw for wish in request.wishes})
    try:
        result, warnings = _locked(host, request, check_mode)
    except _result.RequestFailed as failure:
        secrets = asked + _secrets.reported(failure.result)
        raise _result.RequestFailed(
            _secrets.masked(str(failure), secrets), _shown(failure.result, secrets, diff)
        ) from None
    except _errors.TuneError as problem:
        text = _secrets.masked(str(problem), asked)
        if text == str(problem):
            raise
        raise _errors.TuneError(text) from None
    secrets = asked + _secrets.reported(result)
    return _shown(result, secrets, diff), _secrets.masked(list(warnings), secrets)


def _shown(result: _result.Result, secrets: t.Sequence[str], diff: bool) -> _result.Result:
    shown: _result.Result = _secrets.masked(result, secrets)
    if not diff:
        shown.pop("diff", None)
    return shown


def _locked(host: "Host", request: _wish.Request, check_mode: bool) -> t.Tuple[_result.Result, t.Sequence[str]]:
    if check_mode or not host.is_root():
        return _run(host, request, check_mode)
    with host.lock(_ledger.LOCK, request.what, _PATIENCE):
        return _run(host, request, check_mode)


def _run(host: "Host", request: _wish.Request, check_mode: bool) -> t.Tuple[_result.Result, t.Sequence[str]]:
    history = request.history
    if history is None or not (history.revert or history.ending or host.is_root()):
        # Root alone may read the ledger; others may only look, or find that there is nothing to do.
        return _apply(host, request, None, check_mode)
    if not host.is_root():
        what = "Ending a trial" if history.ending else "Taking profiles back"
        raise _errors.TuneError(_NEEDS_ROOT.format(what, host.user_name()))
    ledger = _history.read(host)
    if history.ending is None and not history.revert and ledger.unfinished is None:
        return _apply(host, request, ledger, check_mode)
    # Few runs go back, and a host compiles all that it loads, each time.
    from ansible_collections.tunefleet.linux.plugins.module_utils._change import _back

    if history.ending is not None:
        return _back.end_trial(host, ledger, history.ending, check_mode)
    cleared, ledger = _back.cleared_up(host, ledger, check_mode), ledger._replace(unfinished=None)
    try:
        if history.revert:
            result, warnings = _back.take_back(cleared.host, request, ledger, check_mode, plan_on)
        else:
            result, warnings = _apply(cleared.host, request, ledger, check_mode)
    except _result.RequestFailed as failure:
        failure.result.update(changed=cleared.changes or failure.result.get("changed", False))
        failure.result["undone"] = list(cleared.notes) + failure.result["undone"]
        raise
    result["changed"] = result["changed"] or cleared.changes
    return result, list(cleared.notes) + list(warnings)


def _apply(
    host: "Host", request: _wish.Request, ledger: t.Optional[_ledger.Ledger], check_mode: bool
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """:param ledger: None where no history is kept."""
    plan = plan_on(host, request)
    path = request.policy.sysctl_file if request.policy.persist else None
    if plan.problems:
        raise _result.RequestFailed(str(_errors.EntryProblems(plan.problems)), _result.unwritten(plan, path))
    warnings = list(request.warnings) + list(plan.warnings)
    if check_mode:
        return _result.of(plan, path), warnings
    if plan.steps:
        if not host.is_root():
            message = _NEEDS_ROOT.format("Changing kernel parameters and limits", host.user_name())
            raise _result.RequestFailed(message, _result.unwritten(plan, path))
        # Before the first change, for all that is needed to undo it has to be there; a run that changes nothing goes without.
        from ansible_collections.tunefleet.linux.plugins.module_utils._change import _commit

        return _commit.carry_out(host, request, plan, ledger), warnings
    trial = _history.finish(host, ledger, request, plan) if ledger is not None else ""
    return _result.with_trial(_result.of(plan, path), trial), warnings
