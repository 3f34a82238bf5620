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
    _revert,
    _rules,
    _secrets,
    _seen,
    _sessions,
    _slices,
    _transaction,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

# Seconds that a run waits for another one on the same host; one that restarts services may take a while.
_PATIENCE = 30.0
_NOT_ON_TRIAL = (
    "Confirming the trial {0} was refused: it is not on trial on this host any more, for another run has taken back what it "
    "changed. Nothing was written."
)
_GONE_ALREADY = "What was to be taken back is not on trial here any more, for another run has ended the trial."
_NEEDS_ROOT = (
    "{0} needs root, and this ran as the user {1}. Run it as root, or let Ansible become root (become: true, or --become on the "
    "command line). Nothing was written."
)


class RequestFailed(_errors.TuneError):
    """A request came to nothing; ``result`` tells entry by entry how far each would have come, and what was put back."""

    def __init__(self, message: str, result: _result.Result) -> None:
        self.result = result
        super().__init__(message)


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
    :raises TuneError: RequestFailed when an entry was refused, others when the host could not be looked at.
    """
    asked = _secrets.asked_for({wish.key: wish.raw for wish in request.wishes})
    try:
        result, warnings = _locked(host, request, check_mode)
    except RequestFailed as failure:
        secrets = asked + _secrets.reported(failure.result)
        raise RequestFailed(_secrets.masked(str(failure), secrets), _shown(failure.result, secrets, diff)) from None
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
    if history.ending is not None:
        return _end_trial(host, ledger, history.ending, check_mode)
    cleared = False
    notes: t.List[str] = []
    if ledger.unfinished is not None:
        cleared, notes = _clear_up(host, ledger, ledger.unfinished, check_mode)
        host = _history.cleared_up(host, ledger.unfinished) if check_mode else host
        ledger = ledger._replace(unfinished=None)
    try:
        carry_out = _take_back if history.revert else _apply
        result, warnings = carry_out(host, request, ledger, check_mode)
    except RequestFailed as failure:
        failure.result.update(changed=cleared or failure.result.get("changed", False))
        failure.result["undone"] = notes + failure.result["undone"]
        raise
    result["changed"] = result["changed"] or cleared
    return result, notes + list(warnings)


def _clear_up(
    host: "Host", ledger: _ledger.Ledger, unfinished: _ledger.Unfinished, check_mode: bool
) -> t.Tuple[bool, t.List[str]]:
    """Bring an earlier run, which was killed, to its end. Returns whether that changes anything, and what there is to say."""
    found = _history.pending(host, unfinished)
    changes = bool(found.live or found.files)
    problems = list(found.notes) if check_mode else _history.clear_up(host, ledger)
    text = "An earlier run ({0}) was interrupted; what it left half done {1} cleared up first."
    if unfinished.trial:
        text = "An earlier run ({0}) was on trial here, and nobody confirmed it; what it changed {1} taken back first."
    text = text.format(unfinished.what, "would be" if check_mode else "was")
    return changes, ([text] if changes else []) + problems


def _apply(
    host: "Host", request: _wish.Request, ledger: t.Optional[_ledger.Ledger], check_mode: bool
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    """:param ledger: None where no history is kept."""
    plan = plan_on(host, request)
    path = request.policy.sysctl_file if request.policy.persist else None
    if plan.problems:
        raise RequestFailed(str(_errors.EntryProblems(plan.problems)), _result.unwritten(plan, path))
    warnings = list(request.warnings) + list(plan.warnings)
    if check_mode:
        return _result.of(plan, path), warnings
    if plan.steps:
        if not host.is_root():
            message = _NEEDS_ROOT.format("Changing kernel parameters and limits", host.user_name())
            raise RequestFailed(message, _result.unwritten(plan, path))
        return _commit(host, request, plan, ledger), warnings
    trial = _history.finish(host, ledger, request, plan) if ledger is not None else ""
    return _with_trial(_result.of(plan, path), trial), warnings


def _with_trial(result: _result.Result, trial: str) -> _result.Result:
    return dict(result, trial_id=trial) if trial else result


def _end_trial(
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
    found = _history.pending(host, unfinished)
    steps = [d.LiveStep(key, host.live_text(_names.to_path(key)), text, shape) for key, text, shape in found.live]
    result = _result.of(d.Plan(steps=steps + list(found.processes) + list(found.files)), None)
    if check_mode:
        return result, found.notes
    problems = _history.to_goal(host, unfinished, found)
    if problems:
        # The ledger keeps it, so that the same can be tried once more.
        result.update(undone=[], not_undone=problems)
        raise RequestFailed("Not everything could be put back; the rest was. {0}".format(" ".join(problems)), result)
    _history.write(host, ledger._replace(unfinished=None))
    return result, found.notes


def _take_back(
    host: "Host", request: _wish.Request, ledger: _ledger.Ledger, check_mode: bool
) -> t.Tuple[_result.Result, t.Sequence[str]]:
    history = t.cast(_wish.History, request.history)
    revert = _revert.plan(host, ledger, history.name, plan_on)
    path = request.policy.sysctl_file
    if check_mode or revert.after == ledger:
        return _result.of(revert.plan, path), revert.plan.warnings
    taken = _history.take_back(host, ledger, revert, request.what)
    if not taken.problems:
        return _result.of(taken.plan, path), taken.plan.warnings
    result = _result.of(_result.with_refusals(taken.plan, taken.refused), path)
    result.update(undone=[], not_undone=list(taken.problems))
    message = "Not everything could be put back; the rest was, and the ledger keeps what is left to do. {0}"
    raise RequestFailed(message.format(" ".join(taken.problems)), result)


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


def _commit(host: "Host", request: _wish.Request, plan: d.Plan, ledger: t.Optional[_ledger.Ledger]) -> _result.Result:
    """Carry out a plan and report what came of it."""
    path = request.policy.sysctl_file if request.policy.persist else None
    plan = plan._replace(steps=[_with_directories(host, step) for step in plan.steps])
    backups = _backup(host, plan) if request.policy.backup else {}
    try:
        if ledger is not None:
            _history.begin(host, ledger, request, plan)
    except _errors.TuneError as problem:
        raise RequestFailed("{0} Nothing was changed.".format(problem), _result.unwritten(plan, path))
    try:
        outcomes = _transaction.commit(host, plan.steps)
        trial = _finish(host, request, plan, ledger) if ledger is not None else ""
    except _transaction.StepRefused as refusal:
        if ledger is not None and not refusal.not_undone:
            _history.forget(host, ledger)
        result = _result.unwritten(plan, path, refusal.step, refusal.reason)
        result.update(backups, undone=refusal.undone, not_undone=refusal.not_undone)
        raise RequestFailed(str(refusal), result)
    kept = {step.key: text for step, text in zip(plan.steps, outcomes) if isinstance(step, d.LiveStep)}
    settings = [one._replace(live=(one.live[0], kept.get(one.key, one.live[1]))) for one in plan.settings]
    return _with_trial(dict(_result.of(plan._replace(settings=settings), path), **backups), trial)


def _finish(host: "Host", request: _wish.Request, plan: d.Plan, ledger: _ledger.Ledger) -> str:
    """Note down that all is done. What cannot be noted down could not be taken back, so then it is undone."""
    try:
        return _history.finish(host, ledger, request, plan)
    except _errors.HostProblem as problem:
        undone, not_undone = _transaction.undo(host, plan.steps)
        raise _transaction.StepRefused(None, str(problem), undone, not_undone)
