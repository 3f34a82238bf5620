# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about sysctl keys: desired_settings and what the host shows -> decisions and steps. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages, _textfile
from .._core import bound as bounds
from .._core import plan as plans
from .._core import request as requests
from .._core import shape as shapes
from .._core import status as statuses
from .._core import steps as step_types
from . import availability, catalog, messages, write_model
from . import boot as boot_model
from . import dropin as sysctl_dropin
from . import facts as sysctl_facts
from . import names as sysctl_names
from . import readers as boot_readers
from . import values as sysctl_values

_PROGRAMS = {boot_readers.SYSTEMD: "systemd-sysctl", boot_readers.PROCPS: "sysctl --system"}


def shape_of(key: str, live: t.Optional[str], raw: t.Any) -> shapes.Shape:
    """The shape of a key: from the catalog, else from the live value, else from what is asked for."""
    facts = catalog.find(key)
    if facts is not None:
        return facts.shape
    return sysctl_values.infer_shape(live) if live else sysctl_values.infer_shape_from_request(raw, live is not None)


def _parse_requested(desired: requests.SettingRequest, shape: shapes.Shape) -> str:
    """The text of a desired; the numbers of a bound are bounds of their own, and need not rise.

    :raises ValueProblem: when it cannot be meant.
    """
    if shape.ascending and desired.operator != bounds.VALUE:
        shape = shape._replace(ascending=False)
    return sysctl_values.parse(t.cast(shapes.Raw, desired.raw), shape)


class _Current(t.NamedTuple):
    """What the host has of one key: its live value, and the one that our file says."""

    shape: shapes.Shape
    live: t.Optional[str]
    file: t.Optional[str]


class _Decision(t.NamedTuple):
    """What becomes of one request here and now: live value before and after, and entry before and after."""

    status: str
    reason: str
    live: t.Tuple[t.Optional[str], t.Optional[str]]
    file: t.Tuple[t.Optional[str], t.Optional[str]]


class SysctlPlanner:
    """Decides desired by desired; holds what all of them are measured against."""

    def __init__(self, seen: sysctl_facts.SysctlFacts, policy: requests.Policy) -> None:
        own = seen.own
        self._seen = seen
        self._policy = policy
        self.conf = sysctl_dropin.ConfFile(own.data or b"") if own else None
        self._facts = facts_of(seen)
        self._others = self.tables(seen.boot.replaced(_own_paths(seen), b""))
        self.now = self.tables(seen.boot)

    def tables(self, files: sysctl_facts.BootFiles) -> t.List[boot_model.BootTable]:
        """What each reader that the host may have makes of files."""
        return files.tables(self._facts.live, self._facts)

    def decide(self, desired: requests.SettingRequest) -> plans.SettingDecision:
        """The decision about one desired, before it is known what the next boot makes of it."""
        live = self._seen.live[desired.key].text
        shape = shape_of(desired.key, live, desired.raw)
        current = None if live is None else sysctl_values.normalize(live, shape)
        entry = self.conf.get(desired.key) if self.conf else None
        configured = None if entry is None else sysctl_values.normalize(entry, shape)
        wanted = desired.operator
        if desired.operator == bounds.ABSENT:
            outcome = self._absent(desired.key, shape, current)
        else:
            try:
                text = self._text(desired, shape, current)
            except _errors.ValueProblem as problem:
                wanted = bounds.describe(desired.operator, str(desired.raw))
                # What cannot be set at all need not be a value of it.
                outcome = self._missing(desired.key, _Current(shape, current, configured)) or _Decision(
                    statuses.REFUSED,
                    self._refusal(desired, problem, shape),
                    (current, current),
                    (configured, configured),
                )
            else:
                wanted = bounds.describe(desired.operator, text)
                outcome = self._present(desired, text, _Current(shape, current, configured))
        return plans.SettingDecision(
            desired.key,
            outcome.status,
            wanted,
            outcome.reason,
            outcome.live,
            outcome.file,
            shape=shape,
            note=desired.note,
            explanation=desired.explanation,
        )

    def _absent(self, key: str, shape: shapes.Shape, current: t.Optional[str]) -> _Decision:
        gone = self.conf.assigned(key) if self.conf else None
        gone = None if gone is None else sysctl_values.normalize(gone, shape)
        return _Decision(statuses.OK if gone is None else statuses.CHANGED, "", (current, current), (gone, None))

    def _text(self, desired: requests.SettingRequest, shape: shapes.Shape, current: t.Optional[str]) -> str:
        if desired.operator != bounds.VALUE and not shape.ordered:
            raise _errors.ValueProblem(messages.NOT_ORDERED(operator=desired.operator))
        if self._is_action(desired.key) and self._policy.persist:
            raise _errors.ValueProblem(messages.ACTION_WITH_PERSIST())
        text = _parse_requested(desired, shape)
        if (
            desired.operator != bounds.VALUE
            and shape.ascending
            and not sysctl_values.satisfies(desired.operator, current, text, shape)
        ):
            # The result must be legal as well.
            sysctl_values.parse(sysctl_values.stricter(desired.operator, current, text, shape), shape)
        return text

    def _is_action(self, key: str) -> bool:
        facts, live = catalog.find(key), self._seen.live[key]
        return bool(facts and facts.action) or (live.exists and live.writable and not live.readable)

    @staticmethod
    def _refusal(desired: requests.SettingRequest, problem: _errors.ValueProblem, shape: shapes.Shape) -> str:
        facts = catalog.find(desired.key)
        if facts is not None and facts.action:
            return problem.message
        return _messages.with_legal(problem.message, catalog.legal(desired.key, shape))

    def _present(self, desired: requests.SettingRequest, text: str, present: _Current) -> _Decision:
        shape, current, configured = present
        missing = self._missing(desired.key, present)
        if missing:
            return missing
        target = current
        if self._policy.live:
            target = self._live_target(desired, text, current, shape)
            if current != target and not self._seen.live[desired.key].writable:
                status, reason = availability.unwritable(desired.key, self._seen)
                return _Decision(status, reason, (current, current), (configured, configured))
        entry = self._entry(desired, text, present, target) if self._policy.persist else configured
        if sysctl_values.equivalent(entry, configured, shape):
            entry = configured
        if self._is_action(desired.key):
            return _Decision(statuses.CHANGED, "", (None, text), (configured, configured))
        status, reason = self._judged(desired, current != target or configured != entry, current, entry)
        return _Decision(status, reason, (current, target), (configured, entry))

    def _missing(self, key: str, present: _Current) -> t.Optional[_Decision]:
        """The outcome for a key that cannot be set, where the running kernel is to be set."""
        missing = availability.unavailable(key, self._seen) if self._policy.live else None
        return (
            _Decision(missing[0], missing[1], (present.live, present.live), (present.file, present.file))
            if missing
            else None
        )

    @staticmethod
    def _live_target(desired: requests.SettingRequest, text: str, current: t.Optional[str], shape: shapes.Shape) -> str:
        """What the live value has to be: as it is now, where that is what the kernel makes of the desired."""
        target = sysctl_values.stricter(desired.operator, current, text, shape)
        return current if current is not None and sysctl_values.matches_rounded(current, target, shape) else target

    def _entry(
        self, desired: requests.SettingRequest, text: str, present: _Current, target: t.Optional[str]
    ) -> t.Optional[str]:
        """The entry that our file needs so that the desired holds after the next boot; None when it needs none.

        A bound that the next boot meets by itself is not written down: sysctl.d(5) knows no "at least", and a pinned
        default would lower that of a newer kernel.
        """
        if desired.operator == bounds.VALUE:
            return text
        operator, (shape, current, configured) = desired.operator, present

        def meets(value: t.Optional[str]) -> bool:
            return sysctl_values.satisfies(operator, value, text, shape)

        if configured is not None:
            return configured if meets(configured) else sysctl_values.stricter(operator, target, text, shape)
        given = [table.effective(desired.key).value for table in self._others]
        if any(value is not None for value in given):
            if all(meets(value) for value in given):
                return None
            return sysctl_values.stricter(operator, target, text, shape)
        facts = catalog.find(desired.key)
        if meets(current) and catalog.is_kernel_default(facts, str(current), self._seen.machine):
            return None
        return sysctl_values.stricter(operator, target, text, shape)

    def _judged(
        self, desired: requests.SettingRequest, changes: bool, current: t.Optional[str], entry: t.Optional[str]
    ) -> t.Tuple[str, str]:
        """Status and reason of a desired that can be met."""
        if changes:
            return statuses.CHANGED, ""
        if desired.operator != bounds.VALUE and entry is None:
            then = None if self._policy.live else self._others[0].effective(desired.key).value
            have = messages.LIVE_SATISFIES(value=current) if then is None else messages.BOOT_SATISFIES(value=then)
            return statuses.KEPT, have
        return statuses.OK, ""

    def after_boot(
        self,
        decision: plans.SettingDecision,
        after: t.Sequence[boot_model.BootTable],
        desired_settings: t.Mapping[str, requests.SettingRequest],
    ) -> plans.SettingDecision:
        """The decision with what the next boot will give the key.

        :param after: what each reader makes of the files once ours has its new bytes.
        """
        desired, shape = desired_settings[decision.key], decision.shape
        before = boots = [table.effective(decision.key) for table in self.now]
        if after is not self.now:
            boots = [table.effective(decision.key) for table in after]
        boot = boot_state(boots, shape, self._is_ours)
        decision = decision._replace(
            boot_before=boot if boots is before else boot_state(before, shape, self._is_ours),
            boot=boot,
            boot_others=other_boots(after, boots, shape),
        )
        if (
            decision.file[1] is None
            or decision.status not in (statuses.OK, statuses.CHANGED)
            or desired.operator == bounds.ABSENT
        ):
            return decision
        if boot.ours and len(after) == 1 and boot.value == decision.file[1]:
            return decision
        text = _parse_requested(desired, shape)
        for table, given in zip(after, boots):
            value = _given(given, shape)
            if not sysctl_values.satisfies(desired.operator, value, text, shape):
                reason = self._shadow(decision.key, given._replace(value=value), table)
                return decision._replace(shadowed=True, reason=reason)
        return decision

    def file_step(
        self, decisions: t.Sequence[plans.SettingDecision], last: t.Sequence[str]
    ) -> t.Optional[step_types.WriteFile]:
        """The step that brings our file up to date, if it is not.

        :param last: keys whose entries come after all others.
        """
        own = self._seen.own
        changes = {
            decision.key: decision.file[1]
            for decision in decisions
            if decision.status == statuses.CHANGED and decision.file[0] != decision.file[1]
        }
        if own is None or self.conf is None or not (changes or last):
            return None
        new: t.Optional[bytes] = self.conf.with_changes(changes, last)
        # Nothing of ours is left in a file that we made; behind a link it stays, for the link would lead nowhere.
        if new == sysctl_dropin.HEADER and own.real == own.path:
            new = None
        return None if new == own.data else step_types.WriteFile(own.path, own.real, own.data, new)

    def tables_after(self, step: step_types.WriteFile) -> t.List[boot_model.BootTable]:
        """What each reader that the host may have makes of the files once our file has its new bytes."""
        return self.tables(_candidate(self._seen, step.after))

    def _is_ours(self, boot: boot_model.Boot) -> bool:
        own = self._seen.own
        return own is not None and boot.file is not None and self._seen.reals.get(boot.file, own.real) == own.real

    def _shadow(self, key: str, boot: boot_model.Boot, table: boot_model.BootTable) -> str:
        path = self._policy.sysctl_file
        if boot.value is not None:
            by = "" if len(self.now) == 1 else " if {0} reads the files".format(_PROGRAMS[table.reader.name])
            return "at boot {0} wins over {1} and gives {2}{3}".format(boot.winner, path, boot.value, by)
        lines = table.lines_for(key)
        if not any(self._is_ours(boot._replace(file=line.file)) for line in lines):
            program = _PROGRAMS[table.reader.name]
            return "{0} is not read at boot by {1}, so the entry will not come into force".format(path, program)
        if self._is_ours(boot._replace(file=lines[-1].file)):
            return "at boot the kernel refuses what {0} gives".format(lines[-1].where)
        return "at boot {0} undoes what {1} gives".format(lines[-1].where, path)


def facts_of(seen: sysctl_facts.SysctlFacts) -> write_model.KernelModel:
    """What is known of the kernel that a boot starts: which of the keys there are, and what they take."""
    return write_model.KernelModel(
        live={sysctl_names.to_path(key): entry.text for key, entry in seen.live.items() if entry.exists}
    )


def _given(boot: boot_model.Boot, shape: shapes.Shape) -> t.Optional[str]:
    return None if boot.value is None else sysctl_values.normalize(boot.value, shape)


def boot_state(
    boots: t.Sequence[boot_model.Boot], shape: shapes.Shape, is_ours: t.Callable[[boot_model.Boot], bool]
) -> plans.BootState:
    """What the next boot gives a key by the likeliest reader, which is the first."""
    return plans.BootState(_given(boots[0], shape), boots[0].winner, is_ours(boots[0]))


def other_boots(
    found: t.Sequence[boot_model.BootTable], boots: t.Sequence[boot_model.Boot], shape: shapes.Shape
) -> t.Sequence[plans.BootAlternative]:
    """What it gives by other readers, where they differ from the first."""
    if len(boots) == 1:
        return ()
    values = [_given(boot, shape) for boot in boots]
    return [
        plans.BootAlternative(str(table.reader), value, boot.winner)
        for table, boot, value in zip(found, boots, values)
        if not sysctl_values.equivalent(value, values[0], shape)
    ]


def doubt(decision: plans.SettingDecision, reader: boot_readers.BootReader) -> t.Optional[str]:
    """What readers give that disagree, or None."""
    if not decision.boot_others:
        return None
    answers = [plans.BootAlternative(str(reader), decision.boot.value, str(decision.boot.winner))] + list(
        decision.boot_others
    )
    return "what reads the files at boot cannot be told here, and it matters: {0}".format(
        ", ".join(
            "{0} gives {1} ({2})".format(answer.reader, answer.value or "nothing", answer.winner) for answer in answers
        )
    )


def unmodelled(tables: t.Iterable[boot_model.BootTable]) -> t.List[str]:
    """A warning for each line that the boot model ignores."""
    lines = {line.where: line for table in tables for line in table.unmodelled()}
    return [messages.NOT_MODELLED(where=line.where, key=line.path) for line in lines.values()]


def _own_paths(seen: sysctl_facts.SysctlFacts) -> t.List[str]:
    """The names under which our file is read; others may be links to it."""
    own = seen.own
    return [] if own is None else [path for path in seen.boot.data if seen.reals[path] == own.real]


def _candidate(seen: sysctl_facts.SysctlFacts, after: t.Optional[bytes]) -> sysctl_facts.BootFiles:
    """The files that the next boot reads once our file has its new bytes."""
    if seen.own is None:
        return seen.boot
    return seen.boot.replaced(dict.fromkeys(_own_paths(seen) + [seen.own.path]), after)


def _live_step(seen: sysctl_facts.SysctlFacts, key: str, after: str, shape: shapes.Shape) -> step_types.SetSysctl:
    others = seen.beside.get(key, {})
    beside = tuple(
        (other, live.text, shape_of(other, live.text, "")) for other, live in others.items() if live.text is not None
    )
    facts = catalog.find(key)
    action = bool(facts and facts.action) or not seen.live[key].readable
    return step_types.SetSysctl(key, seen.live[key].text, after, shape, beside, action)


def _live_steps(
    seen: sysctl_facts.SysctlFacts, decisions: t.Sequence[plans.SettingDecision]
) -> t.List[step_types.SetSysctl]:
    """The writes to the kernel, in an order in which none undoes another.

    Where a write may change a key that is as wanted already, that key follows, so that it is looked at once more.
    """
    changed = {
        decision.key
        for decision in decisions
        if decision.status == statuses.CHANGED and decision.live[0] != decision.live[1]
    }
    touched = {other for key in changed for other in seen.beside.get(key, ())}
    steps = [
        _live_step(seen, decision.key, decision.live[1], decision.shape)
        for decision in decisions
        if decision.live[1] is not None and (decision.key in changed or decision.key in touched)
    ]
    by_key = {step.key: step for step in steps}
    start = by_key.get(catalog.FIRST_PORT)
    decreases = start is not None and int(start.after) < int(start.before or 0)
    return [by_key[key] for key in catalog.write_order(by_key, decreases)]


class _FilePlan(t.NamedTuple):
    """Our file once it is written: the step, if there is one, what the next boot makes of it, and the decisions with that."""

    steps: t.List[step_types.Step]
    tables: t.Sequence[boot_model.BootTable]
    decisions: t.List[plans.SettingDecision]


def _plan_file(
    planner: SysctlPlanner,
    decisions: t.Sequence[plans.SettingDecision],
    desired_settings: t.Mapping[str, requests.SettingRequest],
) -> _FilePlan:
    """What becomes of our file, with its entries in an order in which a boot takes them.

    Entries keep their places, and new ones follow, unless a boot would refuse or undo one of them because of another; then those
    that depend on others come last, in the first order that mends it.
    """
    found = _render_file(planner, decisions, desired_settings, ())
    lost = _ineffective_entries(found)
    for falls in (True, False) if lost else ():
        last = catalog.write_order([decision.key for decision in decisions if _depends_on_others(decision)], falls)
        moved = _render_file(planner, decisions, desired_settings, last)
        if len(_ineffective_entries(moved)) < len(lost):
            mended = set(lost) - set(_ineffective_entries(moved))
            return moved._replace(
                decisions=[
                    _mark_moved(decision) if decision.key in mended else decision for decision in moved.decisions
                ]
            )
    return found


def _render_file(
    planner: SysctlPlanner,
    decisions: t.Sequence[plans.SettingDecision],
    desired_settings: t.Mapping[str, requests.SettingRequest],
    last: t.Sequence[str],
) -> _FilePlan:
    """:param last: keys whose entries come after all others."""
    step = planner.file_step(decisions, last)
    tables = planner.tables_after(step) if step else planner.now
    return _FilePlan(
        [step] if step else [],
        tables,
        [planner.after_boot(decision, tables, desired_settings) for decision in decisions],
    )


def _depends_on_others(decision: plans.SettingDecision) -> bool:
    """Whether what the next boot makes of our entry may depend on entries of other keys."""
    kept = (
        decision.status in (statuses.OK, statuses.CHANGED)
        and decision.file[1] is not None
        and decision.wanted != bounds.ABSENT
    )
    return kept and len(write_model.sources(sysctl_names.to_path(decision.key))) > 1


def _ineffective_entries(found: _FilePlan) -> t.List[str]:
    return [decision.key for decision in found.decisions if decision.shadowed and _depends_on_others(decision)]


def _mark_moved(decision: plans.SettingDecision) -> plans.SettingDecision:
    if decision.status != statuses.OK:
        return decision
    return decision._replace(status=statuses.CHANGED, reason=messages.ENTRY_MOVED())


def _contradictions(decisions: t.Sequence[plans.SettingDecision]) -> t.List[str]:
    """Requests that the kernel cannot meet together."""
    wanted = {
        decision.key: decision
        for decision in decisions
        if decision.status in (statuses.OK, statuses.CHANGED, statuses.KEPT) and decision.wanted != bounds.ABSENT
    }
    problems: t.List[str] = []
    for key, entry in wanted.items():
        twin, other = catalog.exclusive_with(key), catalog.alias_of(key)
        if twin in wanted and key < str(twin):
            problems.append(messages.EXCLUSIVE_KEYS(key=key, other=twin))
        elif other in wanted and key < str(other) and wanted[str(other)].wanted != entry.wanted:
            problems.append(messages.ALIASED_KEYS(key=key, other=other))
    return problems


def _is_typo(decision: plans.SettingDecision, seen: sysctl_facts.SysctlFacts) -> bool:
    """A key that the catalog knows is none: this kernel is older than it, or built without it; or its interface is missing."""
    return (
        decision.status == statuses.UNKNOWN
        and not catalog.find(decision.key)
        and availability.missing_interface(decision.key, seen) is None
    )


def _verdict(
    decisions: t.Sequence[plans.SettingDecision], policy: requests.Policy, seen: sysctl_facts.SysctlFacts
) -> t.Tuple[t.List[str], t.List[str]]:
    """Problems and warnings that the policy makes of the decisions."""
    problems: t.List[str] = []
    warnings: t.List[str] = []
    for decision in decisions:
        if decision.status == statuses.REFUSED:
            fails = True
        elif decision.status in statuses.UNAVAILABLE and policy.on_unavailable != requests.SKIP:
            fails = policy.on_unavailable == requests.FAIL or _is_typo(decision, seen)
        elif decision.shadowed:
            fails = policy.on_shadowed == requests.FAIL
        else:
            continue
        (problems if fails else warnings).append(_messages.about(decision.key, decision.reason))
    return problems, warnings


def plan(
    desired_settings: t.Sequence[requests.SettingRequest], seen: sysctl_facts.SysctlFacts, policy: requests.Policy
) -> plans.Plan:
    """Decisions and steps for sysctl keys. Nothing is written by this; problems forbid that anything is."""
    planner = SysctlPlanner(seen, policy)
    decisions = [planner.decide(desired) for desired in desired_settings]
    steps: t.List[step_types.Step] = list(_live_steps(seen, decisions) if policy.live else [])
    by_key = {desired.key: desired for desired in desired_settings}
    kept_steps, found, decisions = _plan_file(planner, decisions, by_key)
    steps.extend(kept_steps)
    problems, warnings = _verdict(decisions, policy, seen)
    problems.extend(_contradictions(decisions))
    for decision in decisions:
        unsure = None if decision.shadowed else doubt(decision, found[0].reader)
        warnings.extend([_messages.about(decision.key, unsure)] if unsure else [])
    warnings.extend(unmodelled(found))
    line = _textfile.undecodable(seen.own.data) if seen.own and seen.own.data else None
    if line:
        warnings.append(messages.LINE_NOT_UTF8(path=policy.sysctl_file, line=line))
    context = {key: _context(key, seen, found) for key in seen.live if key not in by_key}
    return plans.Plan(settings=decisions, steps=steps, problems=problems, warnings=warnings, context=context)


def _context(key: str, seen: sysctl_facts.SysctlFacts, found: t.Sequence[boot_model.BootTable]) -> plans.Context:
    """What the host has of a key that is not asked for."""
    live = seen.live[key]
    shape = shape_of(key, live.text, "")
    state = boot_state([found[0].effective(key)], shape, lambda boot: False)
    return plans.Context(None if live.text is None else sysctl_values.normalize(live.text, shape), state, live.writable)
