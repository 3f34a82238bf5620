# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ledger on the host: reading it, clearing up after a killed run, and taking profiles back. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _ledger,
    _merge,
    _revert,
    _seen_units,
    _transaction,
    _view,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names, _values

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

Values = t.Sequence[t.Tuple[str, str, _values.Shape]]
_UUID = "/proc/sys/kernel/random/uuid"  # another one each time it is read: random(4)


def read(host: "Host") -> _ledger.Ledger:
    """The ledger of the host.

    :raises TuneError: when it is damaged, of a newer release, or open to others.
    """
    return _ledger.parse(host.read_private(_ledger.PATH))


def write(host: "Host", ledger: _ledger.Ledger) -> None:
    """Put the ledger on disk, and make that last."""
    data = _ledger.render(ledger)
    if data is not None or host.read_private(_ledger.PATH) is not None:
        host.write_private(_ledger.PATH, data)


# -- clearing up after a killed run -----------------------------------------------------------------------------------------------


class Pending(t.NamedTuple):
    """What is to be done to clear up, and what is left alone and why."""

    live: Values
    files: t.Sequence[d.FileStep]
    processes: t.Sequence[d.ProcessStep]
    notes: t.Sequence[str]


def pending(host: "Host", unfinished: _ledger.Unfinished) -> Pending:
    """What has to be done to get everything to its goal."""
    if unfinished.then is not None:
        return _pending_trial(host, unfinished, unfinished.then)
    same_boot = unfinished.boot == _revert.boot_id(host)
    live = [value for goal in unfinished.live for value in _pending_live(host, goal, same_boot)]
    files, notes = [], []
    for step in unfinished.files:
        now = host.read_if_any(step.real)
        if now == step.before and now != step.after:
            files.append(step)
        elif now != step.after:
            notes.append("{0} was changed by somebody else since, and is left as it is.".format(step.path))
    # A limit that is neither was set by somebody else, or the process has ended.
    processes = [one for one in unfinished.processes if same_boot and _transaction.limit_of(host, one) == one.before]
    return Pending(live, files, processes, notes)


def _pending_live(host: "Host", goal: _ledger.LiveGoal, same_boot: bool) -> Values:
    values = [(key, text, _revert.shape_of(key, text)) for key, text in list(goal.beside) + [(goal.key, goal.goal)]]
    found = {key: host.live_text(_names.to_path(key)) for key, _text, _shape in values}
    values = [(key, text, shape) for key, text, shape in values if found[key] is not None]
    # A boot has set everything anew. Only what it has set to the value that is not to be came from our own file.
    is_ours = _values.same(found[goal.key], goal.other, _revert.shape_of(goal.key, goal.goal))
    if not same_boot and not is_ours:
        return []
    return values if any(not _values.same(found[key], text, shape) for key, text, shape in values) else []


def _pending_trial(host: "Host", unfinished: _ledger.Unfinished, then: _ledger.Ledger) -> Pending:
    """The same for what is on trial. That came to its end, so what is not as it was left was changed by somebody else."""
    live: t.List[t.Tuple[str, str, _values.Shape]] = []
    files, notes = [], []
    for goal in unfinished.live:
        now, shape = host.live_text(_names.to_path(goal.key)), _revert.shape_of(goal.key, goal.goal)
        left = then.live[goal.key].left if goal.key in then.live else goal.other
        if now is None or _values.same(now, goal.goal, shape):
            continue
        if _values.same(now, left, shape):
            live += [(key, text, _revert.shape_of(key, text)) for key, text in goal.beside]
            live.append((goal.key, goal.goal, shape))
        else:
            notes.append("{0}: {1}.".format(goal.key, _revert.foreign_value(now, left, shape)))
    for step in unfinished.files:
        now_data = host.read_if_any(step.real)
        data, lost = _merge.merged(step.before, now_data, step.after)
        if now_data not in (step.before, step.after):
            notes += _revert.changes(step.path, step.before, now_data, lost)
        if data != now_data:
            files.append(step._replace(before=now_data, after=data))
    processes = []
    for one in unfinished.processes if unfinished.boot == _revert.boot_id(host) else ():
        pair = _transaction.limit_of(host, one)
        reason = "" if pair in (None, one.after) else _revert.why_limit_stays(host, one, pair)
        if reason:
            notes.append("Limit {0} ({1}): {2}.".format(one.name, one.pid, reason))
        elif pair not in (None, one.after):
            processes.append(one)
    return Pending(live, files, processes, notes)


def clear_up(host: "Host", ledger: _ledger.Ledger) -> t.List[str]:
    """Bring what a killed run left to its end; returns a sentence about each thing that could not be."""
    unfinished = ledger.unfinished
    if unfinished is None:
        return []
    found = pending(host, unfinished)
    problems = list(found.notes) + to_goal(host, unfinished, found)
    write(host, ledger._replace(unfinished=None))
    return problems


def to_goal(host: "Host", unfinished: _ledger.Unfinished, found: Pending) -> t.List[str]:
    """Do what is to be done to clear up; returns a sentence about each thing that failed."""
    problems = ["{0}: {1}.".format(key, reason) for key, reason in _transaction.put_back(host, found.live).items()]
    problems += _transaction.put_limits(host, found.processes)
    problems += put_files(host, found.files)
    # Of all files: the run may have been killed when they were as they should be, and systemd had not read them yet.
    problems += _transaction.settle(host, _seen_units.settling(host, [step.path for step in unfinished.files]))
    for step in unfinished.files:
        host.sweep(step.real)
        if step.after is None and host.read_if_any(step.real) is None:
            host.remove_directories(step.directories)
    return problems


def put_files(host: "Host", steps: t.Iterable[d.FileStep]) -> t.List[str]:
    """Write files one by one; returns a sentence about each that could not be."""
    problems = []
    for step in steps:
        try:
            _transaction.put_file(host, step, step.before, step.after)
        except _errors.HostProblem as problem:
            problems.append(str(problem))
    return problems


def cleared_up(host: "Host", unfinished: _ledger.Unfinished) -> "Host":
    """The host as it would be once everything is at its goal, for check mode."""
    found = pending(host, unfinished)
    live = {key: text for key, text, _shape in found.live}
    return _view.View(
        host, live, {step.path: (step.real, step.after) for step in found.files}, found.processes
    ).as_host()


# -- applying ---------------------------------------------------------------------------------------------------------------------


def live_now(host: "Host", steps: t.Sequence[d.Step]) -> t.Dict[str, str]:
    """The texts of the kernel parameters that steps touch, as they are now."""
    found = {key: host.live_text(_names.to_path(key)) for key in _ledger.touched(steps)}
    return {key: text for key, text in found.items() if text is not None}


def begin(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> None:
    """Note down, before the first change, what there is now.

    :raises TuneError: when that cannot be; nothing may be changed then.
    """
    after(host, ledger, request, plan)  # what it refuses, it refuses before anything is written
    write(host, _begun(host, ledger, request, plan))


def _begun(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> _ledger.Ledger:
    return _ledger.begun(ledger, request.what, _revert.boot_id(host), plan.steps)


def finish(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> str:
    """Note down that a plan has been carried out; returns the id of the trial where it is one."""
    done = after(host, ledger, request, plan)
    if done == ledger and not plan.steps:
        return ""
    trial = (host.text(_UUID) or "1") if t.cast(_wish.History, request.history).trial else ""
    write(host, _ledger.on_trial(_begun(host, ledger, request, plan), done, trial) if trial else done)
    return trial


def after(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> _ledger.Ledger:
    """The ledger once a plan has been carried out."""
    history, boot = t.cast(_wish.History, request.history), _revert.boot_id(host)
    if plan.steps:
        ended = [key for key, one in ledger.processes.items() if _revert.limit_now(host, one) is None]
        ledger = _ledger.without_processes(ledger, ended)
    return _ledger.applied(ledger, history.name, history.options, plan, live_now(host, plan.steps), boot)


def forget(host: "Host", ledger: _ledger.Ledger) -> None:
    """Go back to the ledger from before a run that came to nothing. If that cannot be, the next run finds nothing left to do."""
    try:
        write(host, ledger)
    except _errors.HostProblem:
        return


# -- taking back ------------------------------------------------------------------------------------------------------------------


class Taken(t.NamedTuple):
    """What came of taking profiles back: the plan with what really happened, and what could not be put back, by key or path."""

    plan: d.Plan
    refused: t.Mapping[str, str]
    problems: t.Sequence[str]


def take_back(host: "Host", ledger: _ledger.Ledger, revert: _revert.Revert, what: str) -> Taken:
    """Carry out a revert as far as it goes: what the host refuses shall not keep the rest from being put back.

    What could not be put back stays in the ledger, so that the same can be tried once more.
    """
    plan = revert.plan
    write(host, revert.begun(what, _revert.boot_id(host)))
    values = [(step.key, step.after, step.shape) for step in _revert.live_steps(plan)]
    refused = _transaction.put_back(host, values)
    problems = ["{0} could not be put back: {1}.".format(key, reason) for key, reason in refused.items()]
    problems += _transaction.put_limits(host, _ledger.process_steps(plan.steps))
    problems += put_files(host, _revert.file_steps(plan))
    problems += _transaction.settle(host, plan.steps)
    write(host, _as_left(host, ledger, plan) if problems else _moved_along(host, revert))
    return Taken(plan, refused, problems)


def _moved_along(host: "Host", revert: _revert.Revert) -> _ledger.Ledger:
    """The ledger after a revert, with what the kernel has made of keys that change along with others."""
    live = dict(revert.after.live)
    for key in revert.moved:
        live[key] = live[key]._replace(left=host.live_text(_names.to_path(key)) or live[key].left)
    return revert.after._replace(live=live)


def _as_left(host: "Host", ledger: _ledger.Ledger, plan: d.Plan) -> _ledger.Ledger:
    """The ledger with what a revert that did not get to its end has left."""
    live, files = dict(ledger.live), dict(ledger.files)
    for step in _revert.live_steps(plan):
        text = host.live_text(_names.to_path(step.key))
        live[step.key] = live[step.key]._replace(left=text or live[step.key].left)
    for file_step in _revert.file_steps(plan):
        files[file_step.real] = files[file_step.real]._replace(left=host.read_if_any(file_step.real))
    processes = dict(ledger.processes)
    for process_step in _ledger.process_steps(plan.steps):
        key = _ledger.key_of(process_step)
        processes[key] = processes[key]._replace(left=_transaction.limit_of(host, process_step) or process_step.before)
    return ledger._replace(live=live, files=files, processes=processes)
