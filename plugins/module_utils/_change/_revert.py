# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking profiles back: what the ledger and the host say -> decisions and goals. Private to ``tunefleet.linux``.

The host is looked at through a view that shows it as it was originally; everything that is decided here is pure.
"""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _history,
    _ledger,
    _merge,
    _plan_sysctl,
    _request,
    _transaction,
    _view,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _conf, _rlimits, _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _catalog, _names, _values

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

Planner = t.Callable[["Host", _wish.Request], d.Plan]
WANTED = "as before"


class Revert(t.NamedTuple):
    """What taking profiles back comes to. ``foreign`` says of each key that stays as it is why; ``after`` is the ledger then.

    ``moved`` are keys of which the kernel decides what they have then: they change along with others.
    """

    plan: d.Plan
    after: _ledger.Ledger
    foreign: t.Mapping[str, str] = {}
    moved: t.Sequence[str] = ()

    def begun(self, what: str, boot: str) -> _ledger.Ledger:
        """The ledger while this is carried out: a run that is killed meanwhile is to be brought to its end."""
        live = tuple(_ledger.LiveGoal(step.key, step.after, step.before or "") for step in live_steps(self.plan))
        files, processes = tuple(file_steps(self.plan)), tuple(_ledger.process_steps(self.plan.steps))
        return self.after._replace(unfinished=_ledger.Unfinished(what, boot, live, files, processes))


def live_steps(plan: d.Plan) -> t.List[d.LiveStep]:
    return [step for step in plan.steps if isinstance(step, d.LiveStep)]


def file_steps(plan: d.Plan) -> t.List[d.FileStep]:
    return [step for step in plan.steps if isinstance(step, d.FileStep)]


def shape_of(key: str, text: str) -> _values.Shape:
    return _plan_sysctl.shape_of(key, text, text)


def plan(host: "Host", ledger: _ledger.Ledger, name: str, planner: Planner) -> Revert:
    """What taking profiles back comes to.

    :param name: names of profiles with commas between them; nothing stands for every one.
    :raises TuneError: when they cannot be taken back on their own.
    """
    gone = _ledger.chosen(ledger, name)
    if not gone:
        return Revert(d.Plan(warnings=_nothing(ledger, name)), ledger)
    stay = tuple(one for one in ledger.profiles if one not in gone)
    found = _files(host, ledger)
    running = [one.step for one in ledger.processes.values() if _history.limit_now(host, one) is not None]
    view = _view.View(host, {key: one.original for key, one in ledger.live.items()}, found.original, running)
    wanted, moved, stay = _again(view, stay, planner)
    goals, foreign = _goals(host, ledger, wanted, moved)
    steps: t.List[d.Step] = [
        d.LiveStep(key, host.live_text(_names.to_path(key)), text, shape_of(key, text)) for key, text in goals.items()
    ]
    files = _file_steps(host, ledger, gone, found, view)
    processes, held = _process_steps(host, ledger, gone, view)
    then = _view.View(host, goals, {step.path: (step.real, step.after) for step in files}, processes)
    decisions = _decisions(host, then, gone, planner)
    settling: t.List[d.Step] = list(_transaction.settling(host, [step.path for step in files]))
    settings = [_setting(one, other, foreign) for one, other in decisions.settings]
    limits = [_limit(one, other) for one, other in decisions.limits]
    concerned = {real for one in gone for real in one.files}
    mine = [key for one in gone for key in one.keys]
    warnings = ["{0}: {1}.".format(key, text) for key, text in foreign.items() if key in mine] + list(held.values())
    warnings += [note for real, notes in found.notes.items() if real in concerned for note in notes]
    steps = steps + list(processes) + list(files) + settling
    left = {key: text for key, text in dict(wanted, **goals).items() if key not in foreign}
    after = _after(ledger, stay, concerned, view, left)
    return Revert(
        d.Plan(settings, limits, steps, (), warnings, decisions.needs if files else ()),
        after._replace(processes=_processes_after(ledger, stay, held, view)),
        foreign,
        [key for key in moved if key in after.live and _is_as_left(host, key, after.live[key])],
    )


def _is_as_left(host: "Host", key: str, record: _ledger.LiveRecord) -> bool:
    now = host.live_text(_names.to_path(key))
    return now is not None and _values.same(now, record.left, shape_of(key, record.original))


def _nothing(ledger: _ledger.Ledger, name: str) -> t.List[str]:
    if not name or not ledger.profiles:
        return []
    there = ", ".join(dict.fromkeys(one.name for one in ledger.profiles))
    return [
        "Nothing of the profile {0} is in force on this host, so nothing is taken back; in force: {1}.".format(
            name, there
        )
    ]


class _Files(t.NamedTuple):
    """Files as they were before us, with the path behind all links, by path; and as they are now, by that one.

    ``notes`` is what there is to say of what others did to each.
    """

    original: t.Mapping[str, t.Tuple[str, t.Optional[bytes]]]
    now: t.Mapping[str, t.Optional[bytes]]
    notes: t.Mapping[str, t.Sequence[str]]


def _files(host: "Host", ledger: _ledger.Ledger) -> _Files:
    now: t.Dict[str, t.Optional[bytes]] = {}
    notes: t.Dict[str, t.List[str]] = {}
    for real, record in ledger.files.items():
        try:
            now[real] = host.read_own(real).data if host.real(record.path) == real else None
        except _errors.HostProblem as problem:
            notes[real] = [str(problem)]
            now[real] = None
        if now[real] not in (record.left, record.original):
            lost = _merge.merged(record.left, now[real], record.original)[1]
            notes.setdefault(real, []).extend(changes(record.path, record.left, now[real], lost))
    return _Files({one.path: (real, one.original) for real, one in ledger.files.items()}, now, notes)


def changes(path: str, left: t.Optional[bytes], now: t.Optional[bytes], lost: t.Iterable[bytes]) -> t.List[str]:
    """What others did to a file, in words.

    :param lost: the lines of ours that they changed.
    """
    if now is None:
        return ["{0} is not there any more: somebody else removed it, and it is left so.".format(path)]
    if left is None:
        return ["{0} is there again: somebody else made it, and it is left as it is.".format(path)]
    lines = ", ".join(repr(line.decode("utf-8", "replace").strip()) for line in lost if line.strip())
    text = "{0} was changed by somebody else since; only our own lines are taken back.".format(path)
    return [text + (" These were changed as well, and are left alone: {0}.".format(lines) if lines else "")]


def request_of(record: _ledger.ProfileRecord) -> _wish.Request:
    """What a profile asks for.

    :raises TuneError: when this release does not understand it.
    """
    # What was accepted when it was applied is not asked for again.
    accepted = {"name": record.name, "accept_hazards": True, "on_unavailable": _wish.SKIP, "on_shadowed": _wish.WARN}
    assumed = {"guard": "refuse", "connections": None, "memory_warn": 50, "memory_refuse": 100}
    return _request.of_profile(dict(assumed, **dict(record.options, **accepted)))


class _Again(t.NamedTuple):
    """What comes of planning the profiles that stay once more.

    ``wanted`` has the values that they set, ``moved`` the keys that change with them, ``stay`` the profiles with what they touch.
    """

    wanted: t.Dict[str, str]
    moved: t.Set[str]
    stay: t.Tuple[_ledger.ProfileRecord, ...]


def _again(view: _view.View, stay: t.Iterable[_ledger.ProfileRecord], planner: Planner) -> _Again:
    """Plan the profiles that stay on the host as it was; the view becomes what the host is to be."""
    wanted: t.Dict[str, str] = {}
    moved: t.Set[str] = set()
    records = []
    for record in stay:
        try:
            found = planner(view.as_host(), request_of(record))
        except _errors.TuneError as problem:
            raise _errors.TuneError(
                "The profile {0}, which is to stay, cannot be worked out on this host: {1} Revert it too.".format(
                    record.name, problem
                )
            )
        view.carry_out(found.steps)
        wanted.update({step.key: step.after for step in live_steps(found)})
        moved.update(key for step in live_steps(found) for key, _text, _shape in step.beside)
        # What another profile did in its place so far, it does itself from now on.
        files = [step.real for step in file_steps(found)]
        processes = map(_ledger.key_of, _ledger.process_steps(found.steps))
        records.append(
            record._replace(
                keys=_ledger.united(record.keys, _ledger.touched(found.steps)),
                files=_ledger.united(record.files, files),
                processes=_ledger.united(record.processes, processes),
            )
        )
    return _Again(wanted, moved - set(wanted), tuple(records))


def _goals(
    host: "Host",
    ledger: _ledger.Ledger,
    wanted: t.Mapping[str, str],
    moved: t.Container[str],
) -> t.Tuple[t.Dict[str, str], t.Dict[str, str]]:
    """The value that each key has to get, and why others keep the one that somebody else gave them.

    Those of profiles that stay are among them: what they come to without the others may be something else, as in their files.
    """
    goals: t.Dict[str, str] = {}
    foreign: t.Dict[str, str] = {}
    for key, record in ledger.live.items():
        now = host.live_text(_names.to_path(key))
        if now is None or key in moved:
            continue
        goal = wanted.get(key, record.original)
        shape = shape_of(key, record.original)
        if _values.holds(now, goal, shape):
            continue
        # A twin is 0 because the other one is set, and gets its value back by that one's going.
        if _values.same(now, record.left, shape) or (now == "0" and _catalog.twin_of(key) in ledger.live):
            goals[key] = goal
        else:
            foreign[key] = foreign_value(now, record.left, shape)
    return dict(sorted(goals.items(), key=lambda item: _catalog.writing_order(item[0]))), foreign


def _process_steps(
    host: "Host", ledger: _ledger.Ledger, gone: t.Iterable[_ledger.ProfileRecord], view: _view.View
) -> t.Tuple[t.List[d.ProcessStep], t.Dict[str, str]]:
    """What puts back the limits of processes that still run, and a sentence about each that keeps what it has."""
    steps: t.List[d.ProcessStep] = []
    held: t.Dict[str, str] = {}
    for key in dict.fromkeys(key for one in gone for key in one.processes):
        record = ledger.processes.get(key)
        now = None if record is None else _history.limit_now(host, record)
        goal = None if record is None else _history.limit_now(view.as_host(), record)
        if record is None or now is None or goal is None or now == goal:
            continue
        step = record.step._replace(after=goal)
        reason = why_limit_stays(host, step, now)
        if reason:
            held[key] = "Limit {0} ({1}): {2}.".format(record.name, record.pid, reason)
        else:
            steps.append(step)
    return steps, held


def why_limit_stays(host: "Host", step: d.ProcessStep, now: _rlimits.Pair) -> str:
    """Why a step must not put back the limit of a process, half a sentence; nothing when it may."""
    if now != step.before:
        return "is {0} now, and was left as {1}: somebody else has set it since, so it stays".format(
            _rlimits.render(now), _rlimits.render(step.before)
        )
    if _rlimits.item_of(step.number) == "nofile" and len(host.names("/proc/{0}/fd".format(step.pid))) > step.after[0]:
        return "it has more files open than the {0} that it was allowed, so the limit stays".format(step.after[0])
    return ""


def foreign_value(now: str, left: str, shape: _values.Shape) -> str:
    """Why a key stays as it is: half a sentence."""
    return "is {0} now, and was left as {1}: somebody else has set it since, so it stays".format(
        _values.tidy(now, shape), _values.tidy(left, shape)
    )


def _file_steps(
    host: "Host", ledger: _ledger.Ledger, gone: t.Iterable[_ledger.ProfileRecord], found: _Files, view: _view.View
) -> t.List[d.FileStep]:
    """What takes lines back. What others made of a file stays: the way from what we left to what shall be is gone in that."""
    steps = []
    for real in dict.fromkeys(real for one in gone for real in one.files):
        record = ledger.files.get(real)
        if record is None:
            continue
        now = found.now[real]
        goal = _merge.merged(record.left, now, view.read_if_any(record.path))[0]
        # Without the file, only directories may be left of it, when it was removed and nothing more.
        empty = now is None and goal is None and any(host.exists(one) for one in record.directories)
        if empty or now != goal:
            steps.append(d.FileStep(record.path, real, now, goal, record.directories))
    return steps


def _after(
    ledger: _ledger.Ledger,
    stay: t.Tuple[_ledger.ProfileRecord, ...],
    concerned: t.Container[str],
    view: _view.View,
    live: t.Mapping[str, str],
) -> _ledger.Ledger:
    """The ledger once it is done: what no other profile needs is forgotten.

    :param live: the values that keys have then, as far as that is known and ours.
    """
    if not stay:
        return _ledger.EMPTY
    needed = {key for one in stay for key in one.keys}
    records = {
        key: _ledger.LiveRecord(one.original, live.get(key, one.left))
        for key, one in ledger.live.items()
        if key in needed
    }
    files = {}
    for real, one in ledger.files.items():
        left = view.read_if_any(one.path)
        if real not in concerned:
            files[real] = one
        elif left != one.original:
            files[real] = one._replace(left=left)
    return _ledger.Ledger(stay, records, files)


def _processes_after(
    ledger: _ledger.Ledger, stay: t.Iterable[_ledger.ProfileRecord], held: t.Container[str], view: _view.View
) -> t.Dict[str, _ledger.ProcessRecord]:
    """What the ledger keeps of processes: those that other profiles have set, with the limit that these give.

    :param held: those that keep the limit that they have.
    """
    needed = {key for one in stay for key in one.processes}
    found = {
        key: (one, _history.limit_now(view.as_host(), one)) for key, one in ledger.processes.items() if key in needed
    }
    return {key: one if key in held or now is None else one._replace(left=now) for key, (one, now) in found.items()}


class _Decisions(t.NamedTuple):
    """What the profiles that go ask for, as the host is now and as it will be."""

    settings: t.Sequence[t.Tuple[d.SettingDecision, d.SettingDecision]]
    limits: t.Sequence[t.Tuple[d.LimitDecision, d.LimitDecision]]
    needs: t.Sequence[str]


def _decisions(
    host: "Host", after: _view.View, gone: t.Iterable[_ledger.ProfileRecord], planner: Planner
) -> _Decisions:
    settings: t.Dict[str, t.Tuple[d.SettingDecision, d.SettingDecision]] = {}
    limits: t.Dict[str, t.Tuple[d.LimitDecision, d.LimitDecision]] = {}
    needs: t.Dict[str, None] = {}
    for record in gone:
        try:
            now, then = planner(host, request_of(record)), planner(after.as_host(), request_of(record))
            left = planner(after.as_host(), _wishless(request_of(record)))
        except _errors.TuneError:
            continue  # it goes all the same; there is only less to say about it
        effective = {one.name: one.effective for one in left.limits if one.status != d.CHANGED}
        settings.update((one.key, (one, other)) for one, other in zip(now.settings, then.settings))
        limits.update(
            (one.name, (one, other._replace(effective=effective.get(one.name, _conf.Limit()))))
            for one, other in zip(now.limits, then.limits)
        )
        # What would have to happen for it to come into force has to happen for it to go.
        needs.update(dict.fromkeys(then.needs))
        # Going back restarts nothing by itself: a unit that runs keeps what it was started with.
        running = [one for one in then.limits if one.kind == _targets.UNIT and one.before != _conf.Limit()]
        needs.update(dict.fromkeys("restart:" + one.domain for one in running if one.status == d.CHANGED))
    return _Decisions(list(settings.values()), list(limits.values()), list(needs))


def _wishless(request: _wish.Request) -> _wish.Request:
    """The same limits without anything that is wanted of them: planning that tells what is in force for each."""
    return request._replace(wishes=[], limits=[wish._replace(soft=None, hard=None) for wish in request.limits])


def _setting(now: d.SettingDecision, then: d.SettingDecision, foreign: t.Mapping[str, str]) -> d.SettingDecision:
    status, reason = d.OK, ""
    if now.live[0] != then.live[0] or now.file[0] != then.file[0]:
        status = d.CHANGED
    elif now.status in d.UNAVAILABLE:
        status, reason = now.status, now.reason
    if now.key in foreign:
        status, reason = d.CHANGED if status == d.CHANGED else d.KEPT, foreign[now.key]
    return now._replace(
        status=status,
        reason=reason,
        wanted=WANTED,
        live=(now.live[0], then.live[0]),
        file=(now.file[0], then.file[0]),
        boot=then.boot_before,
        boot_others=(),
        shadowed=False,
    )


def _limit(now: d.LimitDecision, then: d.LimitDecision) -> d.LimitDecision:
    # What the process of a unit has stays until it is started again, so there the file counts.
    same = now.before == then.before and (now.kind == _targets.DOMAIN or then.status == now.status)
    return now._replace(
        status=d.OK if same else d.CHANGED,
        reason="",
        wanted=(WANTED, WANTED),
        after=then.before,
        effective=then.effective,
        shadowed_by=None,
    )
